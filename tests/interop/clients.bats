#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The mirror: wrong servers shown to clients that nobody here wrote, and to ours. Whom they talk to is in clients/results.tsv, from
# which docs/clients.md is made (clients/update does both): it must still be true.
load ../e2e/helpers.bash

setup_file() {
    . "$BATS_TEST_DIRNAME/targets.bash"
    target_make_pki "$BATS_FILE_TMPDIR"
}

setup() {
    cd "$BATS_TEST_TMPDIR"
    pki=$BATS_FILE_TMPDIR/pki
    . "$BATS_TEST_DIRNAME/targets.bash"
    . "$BATS_TEST_DIRNAME/clients/clients.bash"
}

teardown() {
    :
}

probe_client() { # OPTION... -- COMMAND...: into run.json; sets `status`
    status=0
    "$MTLS" probe --client --json "$@" >run.json 2>run.err || status=$?
    [[ $status == 0 || $status == 1 || $status == 3 ]] || fail "exit status $status: $(cat run.err)"
}

controls_are_served() {
    if ! jq -e '.counts | .controls > 0 and .controls == .controls_served' run.json >/dev/null; then
        fail "it does not talk to the good server: $(jq -r .why run.json)"
    fi
}

holds() { # CLIENT
    local here recorded token only=()
    here=$(client_release "$1") || skip "$1 is not installed here (scripts/setup --for interop)"
    if client_is_slow "$1"; then
        only=(--tls 1.3)
        for token in $client_few; do
            only+=(--case "$token")
        done
    fi
    client_prepare "$1"
    "client_$1"
    probe_client -d "$pki" --parallel 4 "${only[@]}" -- "${command[@]}"
    controls_are_served
    client_findings run.json >found
    if [[ $1 != s_client ]]; then
        ! grep -E '^(self_signed|unknown_issuer|wrong_key|expired|wrong_host_name|signature_damaged) ' found || fail "$1 talks to it"
    fi
    recorded=$(awk -F'\t' -v client="$1" '$1 == client { print $2; exit }' "$interop/clients/results.tsv")
    if [[ $1 != mtls && $(target_series "$here") != "$(target_series "$recorded")" ]]; then
        skip "docs/clients.md is about $1 $recorded, here is $here: not compared"
    fi
    jq -r '.results[] | select(.case != null) | "^\(.case) \(.version) "' run.json | sort -u >tried
    awk -F'\t' -v client="$1" '$1 == client && $3 != "" { print $3 }' "$interop/clients/results.tsv" |
        { grep -f tried || true; } >expected
    diff -u expected found || fail "$1 $here is not as docs/clients.md has it; tests/interop/clients/update"
}

@test "curl" {
    holds curl
}

@test "curl --crlfile" {
    holds curl_crl
}

@test "wget" {
    holds wget
}

@test "openssl s_client, which goes on" {
    holds s_client
}

@test "openssl s_client -verify_return_error" {
    holds s_client_strict
}

@test "gnutls-cli" {
    holds gnutls_cli
}

@test "Python" {
    holds python
}

@test "Node.js" {
    holds node
}

@test "Java's HttpClient" {
    holds java
}

@test "mtls connect talks to no wrong server" {
    holds mtls
    [[ $status == 0 ]]
    [[ ! -s found ]]
}

@test "a client that talks to everybody is found out, one that talks to nobody is not called safe" {
    probe_client -d "$pki" --case expired --case self_signed -- curl -sS -k '{url}'
    [[ $status == 1 ]]
    [[ $(jq -c '[.counts.findings, .counts.good]' run.json) == '[4,0]' ]]
    probe_client -d "$pki" --case expired -- curl -sS '{url}' # without the root
    [[ $status == 3 && $(jq -r .verdict run.json) == inconclusive && $(jq .counts.good run.json) == 0 ]]
    probe_client -d "$pki" --case expired -- true
    [[ $status == 3 ]]
    jq -r .why run.json | grep -q 'it never connected; exit status 0'
}

@test "a client that fails or hangs on the handshake, or wants one version only, is told apart" {
    probe_client -d "$pki" --case expired -- curl -sS --tls-max 1.2 --cacert '{ca}' '{url}'
    [[ $status == 0 ]]
    [[ $(jq -c '[.results[] | select(.case == "expired") | [.version, .seen, .verdict]]' run.json) == \
        '[["1.2","refused","good"],["1.3","not_run","skipped"]]' ]]
    probe_client -d "$pki" --case expired --tls 1.3 --timeout 1 -- \
        bash -c 'exec 3<>"/dev/tcp/127.0.0.1/$1"; sleep 60' - '{port}'
    [[ $status == 3 ]]
    jq -r .why run.json | grep -q 'connected and then did nothing; it went on until it was ended'
}

@test "without a PKI the mirror makes one for the run, and leaves nothing behind" {
    mkdir tmp
    TMPDIR=$PWD/tmp probe_client --case revoked --case wrong_host_name --tls 1.3 -- \
        curl -sS --cacert '{ca}' --crlfile '{crl}' '{url}'
    [[ $status == 0 && $(jq .counts.good run.json) == 2 ]]
    [[ -z $(ls -A tmp) ]]
}

@test "mistakes are said" {
    run -2 mtls probe --client
    says "the client's command is missing"
    run -2 mtls probe --client --case server_eku -d "$pki" -- true
    says 'there is no case "server_eku" of servers'
    run -3 mtls probe --client --case expired -d "$pki" -- ./no-such-program
    says 'running ./no-such-program: No such file or directory'
    run -3 mtls probe --client -d nowhere -- true
    says 'there is no PKI in nowhere'
}

@test "docs/clients.md says what clients/results.tsv has" {
    "$interop/clients/table" >clients.md
    diff -u "$interop/../../docs/clients.md" clients.md
}
