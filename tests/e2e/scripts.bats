#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The scripts that a person types first, as far as they can be tried on a machine that is set up already.
load helpers

scripts=$BATS_TEST_DIRNAME/../../scripts

@test "setup finds nothing to do the second time, and says nothing" {
    [[ -e $scripts/../.deps/mbedtls ]] || skip 'this build was not set up by scripts/setup'
    run -0 --separate-stderr "$scripts/setup" --for demo --for test
    [[ -z $output && -z $stderr ]]
}

@test "setup refuses a purpose that it does not know" {
    run -2 "$scripts/setup" --for fun
    [[ $output == 'usage: scripts/setup [--for build|demo|test|check|bench|browser|interop]...' ]]
}

@test "setup on a machine without apt names what is missing" {
    mkdir bin
    ln -s "$(command -v bash)" "$(command -v dirname)" "$(command -v mkdir)" "$(command -v flock)" \
        "$(command -v env)" "$(command -v cat)" bin/
    cp -r "$scripts" scripts
    run -3 --separate-stderr env -i PATH="$PWD/bin" bash scripts/setup --for build
    [[ $stderr == 'setup: missing: '*' cmake '*' this is not a Debian or Ubuntu machine: install their like by hand' ]]
}

@test "start_server waits until the server is ready, and stop_servers ends it" {
    cat >fake <<'END'
#!/bin/sh
while [ "$1" != --ready-file ]; do shift; done
sleep 0.1
echo 4433 >"$2"
exec sleep 60
END
    chmod +x fake
    MTLS=$PWD/fake
    start_server one -d pki
    [[ $url == https://localhost:4433 ]]
    pid=${server_pids[0]}
    kill -0 "$pid"
    stop_servers
    run ! kill -0 "$pid"
}

@test "start_server fails at once, with the log, when the server ends early" {
    printf '#!/bin/sh\necho "no such PKI" >&2; exit 3\n' >fake
    chmod +x fake
    MTLS=$PWD/fake
    run -1 start_server one -d pki
    [[ $output == 'server one ended: no such PKI' ]]
}
