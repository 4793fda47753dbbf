#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# What mtls probe reports of a server that lets too many in, and of our own: printed, written, read back, compared.
load helpers.bash

cases=(--case no_certificate --case expired --case revoked --case serial_zero --case tls_1_0 --case resumed_other_name)

setup_file() {
    MTLS=${MTLS:-$BATS_TEST_DIRNAME/../../build/release/mtls}
    "$MTLS" pki -d "$BATS_FILE_TMPDIR/pki" >/dev/null
    export PKI=$BATS_FILE_TMPDIR/pki
}

# openssl requires a certificate, but has no lists and no opinion on serial numbers; sets `port`.
loose_server() {
    mkfifo silence
    start_openssl openssl.out "$PKI/servers/localhost" -CAfile "$PKI/trust.pem" -Verify 3 -verify_return_error -www <>silence
}

probe() { # ARGUMENT...: into out, problems into err
    mtls probe "localhost:$port" --pki "$PKI" "${cases[@]}" "$@" >out 2>err
}

@test "a table, the findings worst first with what mends them, and what was not run" {
    loose_server
    run -1 probe --server haproxy
    [[ ! -s err ]]
    grep -qE '^CASE +TLS +EXPECTED +SEEN +VERDICT$' out
    grep -qE '^\(good certificate\) +1.3 +served +served: HTTP 200 +good$' out
    grep -qE '^revoked +1.2 +cert_revoked +served: HTTP 200 +FINDING$' out
    grep -qE '^expired +1.3 +cert_expired +refused late: certificate_expired +good$' out
    grep -qE '^localhost:[0-9]+ at .*Z: 2 findings$' out
    [[ $(grep -nE '^(high|low): ' out | cut -d: -f2) == $'high\nlow' ]]
    grep -q '^    HAProxy  crl-file FILE' out
    run ! grep -q nginx out
    grep -q 'it takes another server name of the target: --sni-other: resumed_other_name$' out
    run ! grep -q $'[\r\033]' out
}

@test "on a terminal there are colours and a bar, with NO_COLOR no colours" {
    command -v script >/dev/null || skip 'script is not installed here'
    loose_server
    local line
    line="'$MTLS' probe localhost:$port --pki '$PKI' ${cases[*]}"
    script -qefc "$line" /dev/null >seen </dev/null || (($? == 1))
    grep -q $'\033\\[31mFINDING' seen
    grep -q $'\rprobing \\[' seen
    [[ $(tail -n 1 seen) != *probing* ]] # the bar is gone at the end
    NO_COLOR=1 script -qefc "$line" /dev/null >seen </dev/null || (($? == 1))
    run ! grep -q $'\033\\[3' seen
}

@test "JSON, and nothing else, on standard output; JUnit and HTML in files that others can read" {
    loose_server
    run -1 probe --json --junit junit.xml --html page.html
    [[ $(jq -c '[.mtls_probe, .tried, .verdict, .counts.findings, (.findings | map(.case))]' out) == \
        '[1,"server","finding",4,["revoked","serial_zero"]]' ]]
    jq -e '.results | all(.case == null or (.expected | type) == "string")' out
    python3 - <<'END'
import xml.etree.ElementTree as tree
suite = tree.parse("junit.xml").getroot().find("testsuite")
failed = [c.get("name") for c in suite.findall("testcase") if c.find("failure") is not None]
assert sorted(failed) == ["revoked (TLS 1.2)", "revoked (TLS 1.3)", "serial_zero (TLS 1.2)", "serial_zero (TLS 1.3)"], failed
assert suite.get("failures") == "4" and suite.get("errors") == "0"
END
    grep -q '<article class="card high">' page.html
    run ! grep -qE '<script|https?:|src=' page.html
}

@test "a baseline forgives what it has, and nothing new" {
    loose_server
    run -1 probe --json
    mv out before.json
    run -0 probe --baseline before.json
    grep -qE ': 2 findings, 2 of them known$' out
    run -0 probe --baseline before.json --junit junit.xml --json
    [[ $(grep -c '<skipped message="known: ' junit.xml) == 4 ]]
    jq -e '.results | map(select(.verdict == "finding")) | all(.known)' out
    jq '(.results[] | select(.case == "serial_zero")) |= (.verdict = "good")' before.json >less.json
    run -1 probe --baseline less.json
    grep -qE ': 2 findings, 1 of them known$' out
}

@test "a run that is inconclusive is no green run, with a baseline neither" {
    loose_server
    run -1 probe --json
    mv out before.json
    kill "${server_pids[@]}"
    run -3 probe --baseline before.json --junit junit.xml
    grep -q ': inconclusive' out
    grep -q '<testcase classname="mtls.probe.run" name="conclusive" time="0.000000">' junit.xml
    grep -q '<error type="inconclusive" message="a good certificate was not served' junit.xml
}

@test "two runs side by side: exit 1 if the second has what the first has not" {
    loose_server
    run -1 probe --json
    mv out loose.json
    start_server own -d "$PKI"
    run -0 probe --json
    mv out own.json
    run -0 mtls probe --compare loose.json own.json --html both.html
    says '4 verdicts differ'
    grep -qE '^revoked +1.3 +served: HTTP 200 +refused late: certificate_revoked$' <<<"$output"
    grep -q '<h1>A: 2 findings</h1>' both.html
    grep -q '<h1>B: Every wrong certificate was refused</h1>' both.html
    run -1 mtls probe --compare own.json loose.json
    run -0 mtls probe --compare loose.json loose.json --json
    [[ $(jq -c '[(.differences | length), .a.verdict, .b.verdict]' <<<"$output") == '[0,"finding","finding"]' ]]
}

@test "of a client: its own words, its own advice, and no baseline of a server" {
    command -v curl >/dev/null || skip 'curl is not installed here'
    local client=(--client --pki "$PKI" --case revoked --case wrong_host_name)
    mtls probe "${client[@]}" --json -- curl -s --cacert '{ca}' '{url}' >client.json || (($? == 1))
    jq -e '.tried == "client" and (.findings | map(.case)) == ["revoked"]' client.json
    jq -e '.findings[0].mend | keys == ["client"] and (.client | contains("curl --crlfile"))' client.json
    mtls probe "${client[@]}" --html client.html -- curl -s --cacert '{ca}' '{url}' >out || (($? == 1))
    grep -qE '; good server: ([0-9]+) of \1 served$' out
    grep -q "For an attacker: Whoever stole the server's key" out
    run -0 mtls probe "${client[@]}" --baseline client.json -- curl -s --cacert '{ca}' '{url}'
    run -0 mtls probe "${client[@]}" -- curl -s --cacert '{ca}' --crlfile '{crl}' '{url}'
    says 'every wrong server was refused'
    loose_server
    run -3 probe --baseline client.json
    grep -q 'client.json is the run of a client, this one of a server' err
    probe --json || (($? == 1))
    run -3 mtls probe --compare client.json out
    says 'one is the run of a client, the other of a server'
}

@test "mistakes are said before anything is tried" {
    port=1
    run -2 probe --server iis
    grep -q -- '--server: "iis" is none of nginx, haproxy, ' err
    run -3 probe --baseline nowhere.json
    grep -q 'nowhere.json' err
    echo '{"mtls_probe": 1, "target": "x:1"}' >half.json
    run -3 probe --baseline half.json
    grep -q 'reading half.json: at: is missing' err
    [[ ! -s out ]]
    run -3 mtls probe --compare half.json half.json
    run -2 mtls probe --compare half.json
    run -2 mtls probe --compare half.json half.json --junit x.xml
}
