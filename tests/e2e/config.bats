#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The server's configuration: checked, obeyed, and its log, in JSON too. curl and jq are the judges.
load helpers
load pki

configure() { # the configuration is on standard input
    cat >server.yaml
}

# curl as a client of the PKI: prints the status.
ask() { # NAME PATH ARGUMENT...
    curl -sS --max-time 10 --cacert pki/trust.pem --cert "pki/clients/$1/fullchain.pem" --key "pki/clients/$1/key.pem" \
        -o body -w '%{http_code}' "$url$2" "${@:3}"
}

# The log says it, at once or in a moment.
logged() { # NAME TEXT
    local deadline=$((SECONDS + 10))
    until grep -qF -- "$2" "$1.log"; do
        ((SECONDS < deadline)) || fail "the log does not say: $2" || return 1
        sleep 0.02
    done
}

@test "the example is good, and what is shown in it works" {
    small_pki
    cp "$BATS_TEST_DIRNAME/../../configs/server.yaml" .
    run -0 --separate-stderr mtls serve -c server.yaml --check
    says 'server.yaml: good'
    says 'rules        any verified client is allowed'
    [ -z "$stderr" ]
    start_server example -c server.yaml
    [ "$(ask alice /whoami)" = 200 ]
}

@test "without a configuration every verified client is allowed, and that is said" {
    small_pki
    start_server plain --pki pki
    grep -q '^listening on https://localhost:.*; any verified client is allowed$' plain.log
    [ "$(ask alice /whoami)" = 200 ]
    run -56 ask alice /whoami --cert pki/servers/localhost/fullchain.pem --key pki/servers/localhost/key.pem
}

@test "an empty configuration does not start, and says what to write" {
    small_pki
    : >server.yaml
    run -3 --separate-stderr mtls serve -c server.yaml --ready-file ready
    [ "$stderr" = 'mtls: server.yaml:1: no rule says who is allowed; if every client with a good certificate is, write: rules: [{allow: any-verified}]' ]
    [ -z "$output" ]
    [ ! -e ready ]
    configure <<<'rules: [{allow: any-verified}]' # what it says
    run -0 mtls serve -c server.yaml --check
}

@test "everything that is wrong is said at once, and the exit status says where" {
    small_pki
    configure <<'END'
pot: 1
listen: [localhost]
anchors: [nope.pem, server.yaml]
rules:
  - allow: {dns: "a b", ip: x}
END
    run -3 --separate-stderr mtls serve -c server.yaml --check
    [ -z "$output" ]
    diff - <(printf '%s\n' "$stderr") <<'END'
mtls: server.yaml:1: pot: unknown field (did you mean "port"?)
mtls: server.yaml:2: listen[0]: "localhost" is not an IP address
mtls: server.yaml:3: anchors[0]: nope.pem: No such file or directory
mtls: server.yaml:3: anchors[1]: server.yaml holds no certificate
mtls: server.yaml:5: rules[0].allow.dns: "a b": a label of a host name is letters, digits and inner hyphens
mtls: server.yaml:5: rules[0].allow.ip: "x": it is no IP address
END
    run -2 mtls serve --check --tls 1.1
    says 'mtls: --tls: unknown version "1.1" (one of: 1.2, 1.3)'
    run -2 mtls serve --chek
    run -0 mtls serve --check
}

@test "rules decide: everything, some paths, nothing" {
    small_pki '  - {name: carol, issuer: issuing, names: [carol.ops.example, "spiffe://example.com/ns/prod/sa/web"]}'
    configure <<'END'
pki: pki
rules:
  - deny: {uri: "spiffe://example.com/ns/*/sa/web"}
    paths: [/echo]
  - allow: {dns: "*.ops.example"}
  - allow: {email: alice@example.com}
    methods: [GET]
    paths: [/whoami]
END
    start_server rules -c server.yaml
    grep -q '; 3 rules decide who is allowed$' rules.log
    for v in 1.2 1.3; do
        [ "$(ask carol /whoami --tlsv$v --tls-max $v)" = 200 ]
        [ "$(ask carol / --tlsv$v --tls-max $v)" = 200 ]
        [ "$(ask carol /echo --tlsv$v --tls-max $v -d x)" = 403 ]
        [ "$(ask alice /whoami --tlsv$v --tls-max $v)" = 200 ]
        [ "$(ask alice / --tlsv$v --tls-max $v)" = 403 ]
        [ "$(ask alice /whoami --tlsv$v --tls-max $v -I)" = 403 ] # HEAD is not GET
        [ "$(ask alice /./whoami --path-as-is --tlsv$v --tls-max $v)" = 200 ]
        [ "$(ask alice /whoami/../echo --path-as-is --tlsv$v --tls-max $v)" = 403 ]
        # nothing is for bob: he learns it in the handshake
        run ! ask bob /whoami --tlsv$v --tls-max $v
        [[ $output == *'access denied'* ]]
    done
    logged rules 'refused not_allowed depth 0: '
    logged rules 'alert access_denied (49)'
}

@test "options go before the file" {
    small_pki
    configure <<'END'
pki: nowhere
host: nobody
port: 1
rules: [{allow: any-verified}]
END
    run -3 mtls serve -c server.yaml --check
    says 'server.yaml:1: pki: there is no PKI in nowhere; make one: mtls pki -d nowhere'
    start_server options -c server.yaml --pki pki --bind 127.0.0.1 # and --host, --port
    [ "$(ask alice /whoami -4)" = 200 ]
}

@test "paths are relative to the configuration" {
    small_pki
    mkdir -p etc elsewhere
    mv pki etc/pki
    configure <<'END'
certificate: pki/servers/localhost/fullchain.pem
key: pki/servers/localhost/key.pem
anchors: [pki/trust.pem]
crls: [pki/crl.pem]
rules: [{allow: any-verified}]
END
    mv server.yaml etc/
    cd elsewhere
    run -0 mtls serve -c ../etc/server.yaml --check
    says 'certificate  ../etc/pki/servers/localhost/fullchain.pem'
}

@test "the log in JSON: every line is an object, and tells who, why not, and how it ended" {
    small_pki '  - {name: mallory, issuer: issuing, revoked: {reason: key-compromise}}'
    start_server json --log json
    [ "$(ask alice /whoami --tlsv1.3)" = 200 ]
    run ! ask mallory /whoami --tlsv1.2 --tls-max 1.2
    logged json '"event":"closed"'
    logged json '"event":"refused"'
    stop_servers
    grep -v '^listening on ' json.log >events
    jq -e . <events >/dev/null
    [ "$(jq -s 'map(select(type != "object" or (.time | test("^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}\\.[0-9]{3}Z$") | not))) | length' events)" = 0 ]
    while read -r word; do # events and members are written down
        grep -qF "\`$word\`" "$BATS_TEST_DIRNAME/../../docs/server.md" || fail "docs/server.md does not tell of $word"
    done < <(jq -r '.event, keys[]' events | sort -u)
    jq -es 'map(.event) | index("listening") == 0 and (index("stopping") != null)' events
    jq -es '.[] | select(.event == "accepted") | .subject == "CN=alice" and .names == ["email:alice@example.com"] and
        .protocol == "TLSv1.3" and (.suite | startswith("TLS_")) and .resumed == false and (.peer | test(":[0-9]+$")) and
        .duration_ms >= 0' events
    jq -es '.[] | select(.event == "refused") | .reason == "cert_revoked" and .depth == 0 and .protocol == "TLSv1.2" and
        .claimed_subject == "CN=mallory" and .alert == "certificate_revoked" and (.by_peer | not)' events
    jq -es '[.[] | select(.event == "closed" and .subject == "CN=alice")] | length == 1 and .[0].requests == 1 and
        .[0].bytes_in > 0 and .[0].bytes_out > 0' events
}

@test "what is unsafe is said at the start, in red where there is colour" {
    small_pki
    configure <<'END'
unsafe: [ca-leaf]
rules: [{allow: any-verified}]
END
    start_server unsafe -c server.yaml --unsafe-key-log keys.log
    logged unsafe "mtls: UNSAFE ca-leaf: a CA's certificate is taken for a client's"
    logged unsafe 'mtls: UNSAFE key log: who reads keys.log reads every connection'
    run -0 script -qec "'$MTLS' serve -c server.yaml --check" /dev/null # a terminal
    says $'\e[31m''mtls: UNSAFE ca-leaf: '
    SSLKEYLOGFILE=other.log start_server safe
    [ "$(ask alice /whoami)" = 200 ]
    run ! grep UNSAFE safe.log
    [ ! -e other.log ] # the variable alone does nothing
}
