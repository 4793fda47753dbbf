#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The twin of every refusal in the demo: the same certificate without its flaw is let in, by the judge offline, by the
# server and by the client.
load helpers

setup_file() {
    cd "$BATS_FILE_TMPDIR" || return 1
    "${MTLS:-$BATS_TEST_DIRNAME/../../build/release/mtls}" pki -d pki >/dev/null
}

controls() { # SIDE: the directories of its controls
    (cd "$BATS_FILE_TMPDIR/pki" && printf '%s\n' flaws/"$1"-*/control)
}

# Presents each control of a side; prints those that were not served.
@test "mtls verify accepts the control of every flaw" {
    local side directory refused=() arguments
    for side in client server; do
        arguments=(--purpose "$side")
        [[ $side == client ]] || arguments+=(--name localhost)
        while read -r directory; do
            mtls verify -d "$BATS_FILE_TMPDIR/pki" "${arguments[@]}" "$BATS_FILE_TMPDIR/pki/$directory/fullchain.pem" \
                >out 2>&1 || refused+=("$directory: $(grep found out)")
        done < <(controls "$side")
    done
    ((${#refused[@]} == 0)) || fail "${refused[@]}"
}

@test "the server lets the control of every client-side flaw in" {
    local directory refused=() count=0
    start_server main -d "$BATS_FILE_TMPDIR/pki"
    while read -r directory; do
        count=$((count + 1))
        mtls connect "$url/whoami" --pki "$BATS_FILE_TMPDIR/pki" --as "$directory" >out 2>&1 ||
            refused+=("$directory: $(tail -n 1 main.log)")
    done < <(controls client)
    ((${#refused[@]} == 0)) || fail "${refused[@]}"
    ((count > 80))
}

@test "the client talks to a server with the control of every server-side flaw" {
    local directory refused=() count=0 name
    while read -r directory; do
        count=$((count + 1))
        name=${directory//\//-}
        start_server "$name" -d "$BATS_FILE_TMPDIR/pki" --as "$directory"
        mtls connect "$url/whoami" --pki "$BATS_FILE_TMPDIR/pki" --as alice >out 2>&1 ||
            refused+=("$directory: $(grep refused out)")
        ((count % 20)) || stop_servers
    done < <(controls server)
    ((${#refused[@]} == 0)) || fail "${refused[@]}"
    ((count > 70))
}
