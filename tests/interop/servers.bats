#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The whole matrix against servers that nobody here wrote, each configured as its manual says. What they do not refuse is
# in servers/results.tsv, from which docs/servers.md is made (servers/update does both): it must still be true.
load ../e2e/helpers.bash

setup_file() {
    . "$BATS_TEST_DIRNAME/targets.bash"
    target_make_pki "$BATS_FILE_TMPDIR"
}

setup() {
    cd "$BATS_TEST_TMPDIR"
    server_pids=()
    pki=$BATS_FILE_TMPDIR/pki
    . "$BATS_TEST_DIRNAME/targets.bash"
}

teardown() {
    target_stop_all
    [[ -n ${BATS_TEST_COMPLETED-} ]] || tail -n 20 -- */log 2>/dev/null || true
}

probe() { # SERVER: into SERVER.json and, what it has against it, SERVER.found
    target_is_there "$1" || skip "$1 is not installed here (scripts/setup --for interop)"
    target_start "$1" "$1"
    local code=0
    "$MTLS" probe "localhost:$port" --pki "$pki" --parallel 2 --json >"$1.json" 2>"$1.err" || code=$?
    [[ $code == 0 || $code == 1 || $code == 3 ]] || fail "exit code $code: $(cat "$1.err")"
    target_findings "$1.json" >"$1.found"
    if ! jq -e '.counts | .controls > 0 and .controls == .controls_served' "$1.json" >/dev/null; then
        fail "a good certificate was not served: $(jq -r .why "$1.json")"
    fi
}

# Whatever the version: these no server may let in.
refuses_what_matters() { # SERVER
    local token
    for token in no_certificate self_signed foreign_root_same_name unknown_issuer wrong_key expired not_yet_valid revoked \
        issuer_expired issuer_not_ca issuer_no_key_cert_sign signature_damaged issuer_signature_damaged tampered \
        path_length_exceeded critical_extension foreign_chain; do
        ! grep "^$token " "$1.found" || fail "$1 does not refuse $token"
    done
}

is_as_recorded() { # SERVER
    local here recorded
    here=$(target_release "$1")
    recorded=$(awk -F'\t' -v server="$1" '$1 == server { print $2; exit }' "$interop/servers/results.tsv")
    if [[ $(target_series "$here") != "$(target_series "$recorded")" ]]; then
        skip "docs/servers.md is about $1 $recorded, here is $here: not compared"
    fi
    awk -F'\t' -v server="$1" '$1 == server && $3 != "" { print $3 }' "$interop/servers/results.tsv" >recorded
    diff -u recorded "$1.found" || fail "$1 $here is not as docs/servers.md has it; tests/interop/servers/update"
}

holds() { # SERVER
    probe "$1"
    refuses_what_matters "$1"
    is_as_recorded "$1"
}

@test "nginx" {
    holds nginx
}

@test "HAProxy" {
    holds haproxy
}

@test "stunnel" {
    holds stunnel
}

@test "Apache httpd" {
    holds apache
}

@test "openssl s_server" {
    holds s_server
}

@test "gnutls-serv" {
    holds gnutls_serv
}

@test "lighttpd" {
    holds lighttpd
}

@test "Node.js" {
    holds node
}

@test "docs/servers.md says what servers/results.tsv has" {
    "$interop/servers/table" >servers.md
    diff -u "$interop/../../docs/servers.md" servers.md
}
