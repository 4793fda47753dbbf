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
    mkfifo silence
    start_openssl openssl.out "$PKI/servers/localhost" -CAfile "$PKI/trust.pem" "$@" <>silence
}

# Probes the server on `port`; the report is in probe.json.
probe() { # STATUS ARGUMENT...
    local status=0
    mtls probe "localhost:$port${path-}" --json "${@:2}" >probe.json 2>probe.log || status=$?
    ((status == $1)) || fail "the exit status is $status, not $1: $(cat probe.log probe.json)"
}

# Its results with this verdict, controls aside, as "case version seen".
rows() { # VERDICT
    jq -r --arg verdict "$1" '.results[] | select(.case and .verdict == $verdict) | "\(.case) \(.version) \(.seen)"' \
        probe.json
}

detailed() { # TEXT: of some result
    jq -e --arg text "$1" '[.results[].detail | select(contains($text))] != []' probe.json >/dev/null ||
        fail "no result says: $1: $(jq -c '.results[]' probe.json)"
}

@test "our own server refuses every wrong certificate for its own reason, and serves the good ones" {
    start_server own -d "$PKI"
    probe 0 --pki "$PKI"
    [[ $(jq -r .verdict probe.json) == good ]]
    [[ -z $(rows finding)$(rows inconclusive) ]]
    rows skipped | grep -qx 'weak_curve 1.3 not_run'
    # every flaw that a client can have was tried, in both versions
    sed -nE 's/^FLAW\(([a-z_0-9]+), (BOTH|CLIENT),.*/\1/p' "$BATS_TEST_DIRNAME/../../ca/flaw.def" | sort >flaws
    [[ $(wc -l <flaws) -ge 60 ]]
    for v in 1.2 1.3; do
        comm -23 flaws <(rows good | awk -v v=$v '$2 == v { print $1 }' | sort) >untried
        [[ $v == 1.3 ]] || [[ ! -s untried ]] || fail "not tried in $v: $(cat untried)"
        [[ $v == 1.2 ]] || [[ $(cat untried) == weak_curve ]] || fail "not tried in $v: $(cat untried)"
    done
    # and refused for the reason that the table says, which is in the server's log
    jq -r '.results[] | select(.case and .verdict == "good" and .expected != "handshake") |
        select(.group != "resumption" and .group != "live" and .case != "renegotiated_without") | .expected' probe.json |
        sort | uniq -c >expected
    grep -vF '(urn:mtls:client:mtls-probe' own.log | grep -oE ' refused [a-z_]+ ' | awk '{ print $2 }' | sort | uniq -c >said
    while read -r count reason; do
        [[ $(awk -v reason="$reason" '$2 == reason { print $1 }' said) -ge $count ]] ||
            fail "$reason: $count times refused, says the probe; the server says: $(cat said)"
    done <expected
}

@test "each alert is the one that belongs to the reason" {
    start_server own -d "$PKI"
    probe 0 --pki "$PKI"
    sed -nE 's/^REASON\(([a-z_]+),.* ALERT_([A-Z_]+), [0-9]+\)$/\1 \L\2/p' "$BATS_TEST_DIRNAME/../../src/base/reason.def" |
        sort -u >reasons
    jq -r '.results[] | select(.case and .verdict == "good" and .expected != "handshake") |
        select(.group != "resumption" and .group != "live" and .case != "renegotiated_without") |
        select((.case == "no_certificate" and .version == "1.2") | not) | "\(.expected) \(.alert)"' probe.json |
        sort -u >seen
    [[ $(wc -l <seen) -ge 20 ]]
    [[ -z $(comm -13 reasons seen) ]] || fail "$(comm -13 reasons seen)"
    # RFC 5246 section 7.4.6: TLS 1.2 has no alert of its own for it
    jq -e '.results[] | select(.case == "no_certificate" and .version == "1.2") | .alert == "handshake_failure"' probe.json
}

@test "what outlives its grant: sessions and connections of who was revoked or expired end at our own server" {
    mtls pki -d own >/dev/null
    start_server own -d own
    probe 0 --pki own --case revoked_since --case live_revoked --case resumed_revoked --case resumed_expired \
        --case resumed_nobody
    for token in revoked_since live_revoked resumed_revoked resumed_expired resumed_nobody; do
        [[ $(rows good | grep -c "^$token ") == 2 ]] || fail "$(jq -c '.results[]' probe.json)"
    done
    # they were really there to be resumed, and what was revoked was really good before
    grep -q 'accepted CN=mtls probe.* TLSv1.2 .* resumed' own.log
    grep -q 'accepted CN=mtls probe.* TLSv1.3 .* resumed' own.log
    grep -q 'refused cert_revoked .*CN=mtls probe' own.log
    [[ $(mtls ca list -d own | grep -c '^client .*mtls-probe.*revoked') == 2 ]]
}

@test "a server that never learns what was revoked, and resumes what has expired, is found out for just that" {
    openssl_server -Verify 1 -verify_return_error -www
    # shellcheck disable=SC2016 # for the shell of --revoke-cmd
    probe 1 --pki "$PKI" --revoke-cmd 'openssl x509 -in "$MTLS_PROBE_CERT" -noout -subject' --reload-cmd true \
        --case revoked_since --case live_revoked --case resumed_revoked --case resumed_expired --case resumed_nobody
    [[ $(rows finding) == "$(printf '%s 1.2 served\n%s 1.3 served\n' revoked_since revoked_since resumed_expired resumed_expired)" ]]
    detailed 'the target has not learned that it is revoked: see revoked_since'
    grep -q 'mtls probe' probe.log # what the command printed
    probe 3 --pki "$PKI" --revoke-cmd false --case revoked_since
    detailed '--revoke-cmd: the command failed, exit status 1'
}

@test "handshakes of TLS 1.2 with a step left out end at our own server and at openssl" {
    local cases=(certificate_omitted certificate_verify_omitted signed_with_sha1 renegotiated_without many_certificates
        large_name)
    start_server own -d "$PKI"
    probe 0 --pki "$PKI" "${cases[@]/#/--case=}"
    [[ $(rows good | wc -l) == 6 ]]
    # and ours says why, where mbedTLS would close without a word
    [[ $(jq -r '.results[] | select(.case) | .alert' probe.json | sort | uniq -c | xargs) == \
        '3 illegal_parameter 1 no_renegotiation 2 unexpected_message' ]]
    openssl_server -Verify 1 -verify_return_error -www
    probe 0 --pki "$PKI" "${cases[@]/#/--case=}"
    [[ $(rows good | wc -l) == 6 ]]
    ! grep -E 'Sanitizer|runtime error' own.log || return 1
}

@test "a server that asks for a certificate but does not require it is found out" {
    openssl_server -verify 1 -www
    probe 1 --pki "$PKI"
    [[ $(jq -r .verdict probe.json) == finding ]]
    for v in 1.2 1.3; do
        for token in no_certificate self_signed expired revoked foreign_chain; do
            rows finding | grep -qx "$token $v served" || fail "$token $v is not found"
        done
        rows good | grep -q "^wrong_key $v refused" # TLS itself sees to that
    done
}

@test "a server that requires one and says nothing: silence means what the good ones get" {
    openssl_server -Verify 1 -verify_return_error
    probe 1 --pki "$PKI" --timeout 1 --case no_certificate --case expired --case revoked
    [[ $(rows finding) == $'revoked 1.2 silent\nrevoked 1.3 silent' ]] # it has no lists
    detailed 'accepted, says nothing, as to the good one'
    rows good | grep -qx 'expired 1.2 refused'
    rows good | grep -qx 'expired 1.3 refused_late'
}

@test "a good identity alone: what needs no CA is tried, the rest is said not to be" {
    start_server own -d "$PKI"
    probe 0 --cert "$PKI/clients/alice/fullchain.pem" --key "$PKI/clients/alice/key.pem"
    for token in no_certificate self_signed foreign_root_same_name unknown_issuer wrong_key signature_damaged \
        tampered trailing_garbage foreign_chain; do
        [[ $(rows good | grep -c "^$token ") == 2 ]] || fail "$token was not tried"
    done
    [[ $(rows skipped | grep -c '^expired ') == 2 ]]
    detailed 'it takes the key of the CA that the target trusts'
}

@test "a CA's key: certificates are minted for an hour, say what they are, and stay in memory unless --keep" {
    local ca=(--ca-cert "$PKI/authorities/root/cert.pem" --ca-key "$PKI/authorities/root/key.pem")
    start_server own -d "$PKI" --ca "$PKI/trust.pem" # without lists
    probe 0 "${ca[@]}"
    [[ -z $(rows finding)$(rows inconclusive) ]]
    [[ $(rows good | grep -c '^expired ') == 2 ]]
    rows skipped | grep -qx 'revoked 1.3 not_run'
    [[ -z $(find . -name '*.pem') ]]
    probe 0 "${ca[@]}" --case expired --keep kept
    openssl x509 -in kept/expired/control/fullchain.pem -noout -subject -checkend 3300 | grep -q 'mtls probe expired'
    run -1 openssl x509 -in kept/expired/control/fullchain.pem -noout -checkend 3700
    [[ $(stat -c %a kept/expired/key.pem) == 600 ]]
}

@test "a server that checks lists refuses what is minted below CAs without any: in doubt, not safe" {
    start_server own -d "$PKI"
    probe 3 --ca-cert "$PKI/authorities/root/cert.pem" \
        --ca-key "$PKI/authorities/root/key.pem" --case issuer_expired
    detailed 'but so was the same certificate without the fault'
}

@test "a target that is down, or does not know the good one, is inconclusive" {
    port=1 probe 3 --pki "$PKI" --case expired
    detailed 'the good certificate is not served'
    detailed 'Connection refused'
    mtls pki -d other >/dev/null
    start_server own -d other
    probe 3 --pki "$PKI" --case expired
    [[ $(jq -r .why probe.json) == 'a good certificate was not served (TLS 1.2): alert unknown_ca (48) in the handshake' ]]
}

@test "what was refused before the good one was turned away is in doubt too: the target may have banned us" {
    start_server own -d "$PKI"
    probe 3 --pki "$PKI" --tls 1.3 --timeout 2 --case expired --case revoked_since --reload-cmd "kill ${server_pids[0]}; sleep 1"
    rows inconclusive | grep -qx 'expired 1.3 refused_late'
    [[ -z $(rows good) ]]
    detailed 'but soon after, the good certificate was not served either'
    [[ $(jq -r .why probe.json) == 'a good certificate was not served (TLS 1.3): '* ]]
}

@test "a version that the target does not offer is left out, and only that" {
    openssl_server -Verify 1 -verify_return_error -www -tls1_3
    probe 0 --pki "$PKI" --case expired
    [[ $(rows good) == 'expired 1.3 refused_late' ]]
    [[ $(rows skipped) == 'expired 1.2 not_run' ]]
}

@test "an answer that lacks what --expect-body says does not count as served" {
    start_server own -d "$PKI"
    path=/whoami probe 0 --pki "$PKI" --case expired --expect-body subject
    path=/whoami probe 3 --pki "$PKI" --case expired --expect-body bob
    detailed 'an answer without what --expect-body says'
    path=/whoami probe 3 --pki "$PKI" --case expired --refused-status 200
    detailed 'HTTP status 200'
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
