#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# mtls probe against our own server, which refuses everything that is wrong, and against others, which do not.
load helpers.bash

setup_file() {
    MTLS=${MTLS:-$BATS_TEST_DIRNAME/../../build/release/mtls}
    "$MTLS" pki -d "$BATS_FILE_TMPDIR/pki" >/dev/null
    export PKI=$BATS_FILE_TMPDIR/pki
}

# An openssl server that answers each request with a page, unless a later ARGUMENT says otherwise; sets `port`.
openssl_server() { # ARGUMENT...
    local deadline=$((SECONDS + 10))
    mkfifo silence
    openssl s_server -accept 0 -cert "$PKI/servers/localhost/cert.pem" \
        -cert_chain "$PKI/servers/localhost/fullchain.pem" -key "$PKI/servers/localhost/key.pem" \
        -CAfile "$PKI/trust.pem" "$@" <>silence >openssl.out 2>&1 3>&- &
    server_pids+=("$!")
    until grep -q ACCEPT openssl.out; do
        ((SECONDS < deadline)) || fail "openssl did not start: $(cat openssl.out)" || return 1
        sleep 0.05
    done
    port=$(sed -n 's/^ACCEPT .*://p' openssl.out)
}

# The rows of the last `run` with this verdict, as "case version seen".
rows() { # VERDICT
    awk -v verdict="$1" 'NF > 4 && $1 == verdict && $2 !~ /^\(/ { print $2, $3, $5 }' <<<"$output"
}

@test "our own server refuses every wrong certificate for its own reason, and serves the good ones" {
    start_server own -d "$PKI"
    run -0 mtls probe "localhost:$port" --pki "$PKI"
    [[ ${lines[-1]} == good ]]
    [[ -z $(rows finding)$(rows inconclusive) ]]
    [[ $(rows skipped) == 'weak_curve 1.3 not_run' ]]
    # every flaw that a client can have was tried in both versions
    [[ $(rows good | cut -d' ' -f1 | sort -u | grep -cFxf <("$MTLS" probe --list | awk '{ print $1 }')) -ge 80 ]]
    # what the server says in its log, in the same order: one connection at a time
    grep -oE ' refused [a-z_]+ ' own.log | awk '$2 != "handshake" { print $2 }' >said
    awk 'NF > 4 && $1 == "good" && $2 !~ /^\(|^tls_1/ { print $4 }' <<<"$output" >expected
    diff expected said
}

@test "each alert is the one that belongs to the reason" {
    start_server own -d "$PKI"
    while read -r token reason alert; do
        run -0 mtls probe "localhost:$port" --pki "$PKI" --case "$token"
        [[ $(grep -c "^good *$token .* $reason .*alert $alert (" <<<"$output") == 2 ]] || fail "$output"
    done <<'END'
expired cert_expired certificate_expired
revoked cert_revoked certificate_revoked
self_signed chain_untrusted unknown_ca
wrong_key proof_of_possession decrypt_error
server_eku ext_key_usage unsupported_certificate
rsa_1024 key_too_weak bad_certificate
foreign_chain chain_untrusted unknown_ca
END
}

@test "a server that asks for a certificate but does not require it is found out" {
    openssl_server -verify 1 -www
    run -1 mtls probe "localhost:$port" --pki "$PKI"
    [[ ${lines[-1]} == finding ]]
    for v in 1.2 1.3; do
        for token in no_certificate self_signed expired revoked foreign_chain; do
            rows finding | grep -qx "$token $v served" || fail "$token $v is not found"
        done
        rows good | grep -q "^wrong_key $v refused" # TLS itself sees to that
    done
}

@test "a server that requires one and says nothing: silence means what the good ones get" {
    openssl_server -Verify 1 -verify_return_error
    run -1 mtls probe "localhost:$port" --pki "$PKI" --timeout 1 --case no_certificate --case expired --case revoked
    [[ $(rows finding) == $'revoked 1.2 silent\nrevoked 1.3 silent' ]] # it has no lists
    says 'accepted, says nothing, as to the good one'
    rows good | grep -qx 'expired 1.2 refused'
    rows good | grep -qx 'expired 1.3 refused_late'
}

@test "a good identity alone: what needs no CA is tried, the rest is said not to be" {
    start_server own -d "$PKI"
    run -0 mtls probe "localhost:$port" --cert "$PKI/clients/alice/fullchain.pem" --key "$PKI/clients/alice/key.pem"
    for token in no_certificate self_signed foreign_root_same_name unknown_issuer wrong_key signature_damaged \
        tampered trailing_garbage foreign_chain; do
        [[ $(rows good | grep -c "^$token ") == 2 ]] || fail "$token was not tried"
    done
    [[ $(rows skipped | grep -c '^expired ') == 2 ]]
    says 'it takes the key of the CA that the target trusts'
}

@test "a CA's key: certificates are minted for an hour, say what they are, and stay in memory unless --keep" {
    local ca=(--ca-cert "$PKI/authorities/root/cert.pem" --ca-key "$PKI/authorities/root/key.pem")
    start_server own -d "$PKI" --ca "$PKI/trust.pem" # without lists
    run -0 mtls probe "localhost:$port" "${ca[@]}"
    [[ -z $(rows finding)$(rows inconclusive) ]]
    [[ $(rows good | grep -c '^expired ') == 2 ]]
    rows skipped | grep -qx 'revoked 1.3 not_run'
    [[ -z $(find . -name '*.pem') ]]
    run -0 mtls probe "localhost:$port" "${ca[@]}" --case expired --keep kept
    openssl x509 -in kept/expired/control/fullchain.pem -noout -subject -checkend 3300 | grep -q 'mtls probe expired'
    run -1 openssl x509 -in kept/expired/control/fullchain.pem -noout -checkend 3700
    [[ $(stat -c %a kept/expired/key.pem) == 600 ]]
}

@test "a server that checks lists refuses what is minted below CAs without any: in doubt, not safe" {
    start_server own -d "$PKI"
    run -3 mtls probe "localhost:$port" --ca-cert "$PKI/authorities/root/cert.pem" \
        --ca-key "$PKI/authorities/root/key.pem" --case issuer_expired
    says 'but so was the same certificate without the fault'
}

@test "a target that is down, or does not know the good one, is inconclusive" {
    run -3 mtls probe localhost:1 --pki "$PKI" --case expired
    says 'the good certificate is not served'
    says 'Connection refused'
    mtls pki -d other >/dev/null
    start_server own -d other
    run -3 mtls probe "localhost:$port" --pki "$PKI" --case expired
    [[ ${lines[-1]} == 'inconclusive: a good certificate was not served (TLS 1.2): alert unknown_ca (48) in the handshake' ]]
}

@test "a version that the target does not offer is left out, and only that" {
    openssl_server -Verify 1 -verify_return_error -www -tls1_3
    run -0 mtls probe "localhost:$port" --pki "$PKI" --case expired
    [[ $(rows good) == 'expired 1.3 refused_late' ]]
    [[ $(rows skipped) == 'expired 1.2 not_run' ]]
}

@test "an answer that lacks what --expect-body says does not count as served" {
    start_server own -d "$PKI"
    run -0 mtls probe "localhost:$port/whoami" --pki "$PKI" --case expired --expect-body subject
    run -3 mtls probe "localhost:$port/whoami" --pki "$PKI" --case expired --expect-body bob
    says 'an answer without what --expect-body says'
    run -3 mtls probe "localhost:$port/whoami" --pki "$PKI" --case expired --refused-status 200
    says 'HTTP status 200'
}

@test "manners: strangers' hosts are refused, and mistakes are said" {
    run -2 mtls probe 192.0.2.1:443 --pki "$PKI"
    says '192.0.2.1 (192.0.2.1:443) is neither this machine nor on a private network; if it is yours to attack, say --i-own-this-host'
    run -2 mtls probe --pki "$PKI"
    run -2 mtls probe localhost:1 --case nothing
    says 'there is no case "nothing"'
    run -2 mtls probe localhost:1 --ca-cert x
    run -2 mtls probe localhost:1 --refused-status 4000
    run -2 mtls probe localhost:1 --parallel 0
    run -3 mtls probe localhost:1 --pki /nowhere
    run -0 mtls probe --help
    says 'i-own-this-host'
}
