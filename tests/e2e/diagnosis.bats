#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2154,SC2030,SC2031 # bats sets output and stderr, and runs each test in a shell of its own
# The last lines of a call that was refused: what was wrong, on which side, with which certificate, and what mends it.
# Against OpenSSL's server, which names the CAs that it accepts in both versions.
load helpers
load pki

setup_file() {
    cd "$BATS_FILE_TMPDIR" || return 1
    small_pki
    mkdir other early old
    (cd other && small_plan && sed -i 's/name: root}/name: root, subject: CN=Other Root}/' plan.yaml && mtls pki -f plan.yaml)
    (cd early && small_plan && SOURCE_DATE_EPOCH=$(date -d '+2 days +1 hour' +%s) mtls pki -f plan.yaml)
    (cd old && small_plan && SOURCE_DATE_EPOCH=$(date -d '-60 days' +%s) mtls pki -f plan.yaml)
} >"$BATS_FILE_TMPDIR/made.log"

# OpenSSL's server with what is in BELOW/pki; refuses whom it does not trust.
s_server() { # BELOW
    local pki=$BATS_FILE_TMPDIR/$1/pki
    start_openssl s_server.log "$pki/servers/localhost" -CAfile "$pki/trust.pem" -Verify 3 -verify_return_error -www </dev/null
    export MTLS_PKI=$pki
}

# The last two lines, in both versions.
ends() { # STATUS WHAT HINT ARGUMENT...: patterns
    for v in 1.2 1.3; do
        run "-$1" --separate-stderr "$MTLS" connect "$url/" --tls "$v" "${@:4}"
        local last=("${stderr_lines[@]: -2}")
        # shellcheck disable=SC2053 # patterns
        [[ ${last[0]} == "mtls: "$2 ]] || fail "$v: $stderr"
        # shellcheck disable=SC2053
        [[ ${last[1]} == "mtls: hint: "$3 ]] || fail "$v: $stderr"
        run "-$1" --separate-stderr "$MTLS" connect "$url/" --tls "$v" --json -s "${@:4}"
        # shellcheck disable=SC2053
        [[ $(jq -r .diagnosis <<<"$output") == $2 && $(jq -r .hint <<<"$output") == $3 ]] || fail "$output"
    done
}

@test "no certificate" {
    s_server .
    ends 1 'the server wants a certificate from us, and none is configured here' 'present a certificate: *--as NAME*'
    run -0 --separate-stderr "$MTLS" connect "$url/" --as alice -s -o /dev/null
    [[ $stderr == '' ]] || fail "$stderr"
}

@test "a certificate of another CA" {
    s_server .
    local own=$BATS_FILE_TMPDIR/other/pki/clients/alice
    ends 1 'the server accepts who was issued under: CN=root; our certificate, CN=alice, was issued by CN=issuing' \
        'present a certificate of one of those CAs: *mtls serve --ca FILE' --cert "$own/fullchain.pem" --key "$own/key.pem"
}

@test "the leaf without its intermediate" {
    s_server .
    local own=$MTLS_PKI/clients/alice
    ends 1 'we sent our certificate, CN=alice, alone, without that of its issuer, CN=issuing, which *CN=root' \
        'send the intermediate certificates too: *fullchain.pem*' --cert "$own/cert.pem" --key "$own/key.pem"
}

@test "the key of another certificate" {
    s_server .
    local own=$MTLS_PKI/clients
    run -3 --separate-stderr "$MTLS" connect "$url/" --cert "$own/alice/fullchain.pem" --key "$own/bob/key.pem"
    [[ $stderr == "mtls: the key in $own/bob/key.pem does not belong to the first certificate in $own/alice/fullchain.pem"* ]] ||
        fail "$stderr"
}

@test "a clock that is behind: certificates of both sides are not valid yet" {
    s_server early
    ends 1 "by this machine's clock it is 20*, and neither the server's certificate, CN=localhost, nor ours, CN=alice, has begun: the clock is at least 2 days behind" \
        "set this machine's clock: timedatectl set-ntp true" --as alice
}

@test "a list that is out of date says since when" {
    s_server old
    ends 1 "the revocation list that we have is out of date (*the list of * should have been replaced by 20*Z*), so nobody knows whether the server is revoked" \
        'issue a fresh list: mtls ca crl;*' --as alice
}

@test "the server's name is another one" {
    s_server .
    url=https://elsewhere.example:$port
    ends 1 "the server was asked for as elsewhere.example; the names in its certificate, CN=localhost, are: dns:localhost, ip:127.0.0.1" \
        "if that is the one you mean: mtls connect https://localhost:$port/ --resolve localhost:$port:127.0.0.1; *" \
        --as alice --resolve "elsewhere.example:$port:127.0.0.1"
}

@test "the server's CA is unknown here" {
    s_server .
    ends 1 "the server's certificate, CN=localhost, was issued by CN=issuing; the path from there ends before any of our trust anchors" \
        'if the CA is yours, trust its root: --cacert FILE;*' --cacert "$BATS_FILE_TMPDIR/other/pki/trust.pem"
}

@test "suites and versions that the server does not have" {
    s_server .
    run -1 --separate-stderr "$MTLS" connect "$url/" --as alice --tls-max 1.2 --ciphers ECDHE-RSA-AES128-GCM-SHA256
    [[ $stderr == *'mtls: the server found nothing among the cipher suites and curves that we offered that it would use'* ]] ||
        fail "$stderr"
    [[ $stderr == *'mtls: hint: offer what there is: leave --ciphers'* ]] || fail "$stderr"
}
