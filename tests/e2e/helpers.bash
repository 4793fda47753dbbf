# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154,SC2034 # bats sets some variables, the tests read others
# Loaded by every .bats file. Each test starts in an empty folder of its own. The servers that it starts are stopped
# after it, each by its own process id, and what they logged is shown if the test failed.
bats_require_minimum_version 1.5.0

MTLS=${MTLS:-$BATS_TEST_DIRNAME/../../build/release/mtls}

setup() {
    cd "$BATS_TEST_TMPDIR" || return 1
    server_pids=()
}

teardown() {
    stop_servers
    if [[ -z ${BATS_TEST_COMPLETED-} ]]; then
        tail -n 50 -- *.log 2>/dev/null || true
    fi
    ! grep -E -A 40 'Sanitizer|runtime error' -- *.log 2>/dev/null # in a build that has one
}

mtls() {
    "$MTLS" "$@"
}

fail() {
    printf '%s\n' "$*" >&2
    return 1
}

# The output of the last `run` contains the text.
says() { # TEXT
    [[ $output == *"$1"* ]] || fail "expected to read: $1"$'\n'"but it was: $output"
}

# Waits until a command succeeds, for twenty seconds at most.
wait_for() { # COMMAND...
    local deadline=$((SECONDS + 20))
    until "$@"; do
        ((SECONDS < deadline)) || fail "waited in vain for: $*" || return 1
        sleep 0.02
    done
}

# Starts a server on a free port of localhost, waits until it listens, and sets `port` and `url`. It logs to NAME.log.
start_server() { # NAME ARGUMENT...
    local name=$1 pid deadline=$((SECONDS + 10))
    shift
    rm -f "$name.ready"
    "$MTLS" serve --host localhost --port 0 --ready-file "$name.ready" "$@" >"$name.log" 2>&1 3>&- &
    pid=$!
    server_pids+=("$pid")
    until [[ -s $name.ready ]]; do
        kill -0 "$pid" 2>/dev/null || fail "server $name ended: $(cat "$name.log")" || return 1
        ((SECONDS < deadline)) || fail "server $name was not ready within 10 seconds" || return 1
        sleep 0.02
    done
    port=$(grep -oE '[0-9]+$' "$name.ready")
    url=https://localhost:$port
}

# OpenSSL's server, on a free port of its own choice, as whom FOLDER holds; sets `port` and `url`. It logs to LOG, and its
# standard input is that of this call.
start_openssl() { # LOG FOLDER ARGUMENT...
    local log=$1 folder=$2
    shift 2
    rm -f "$log" # of an earlier one
    openssl s_server -accept 0 -cert "$folder/cert.pem" -cert_chain "$folder/fullchain.pem" -key "$folder/key.pem" "$@" \
        <&0 >"$log" 2>&1 3>&- &
    server_pids+=("$!")
    wait_for grep -qs '^ACCEPT ' "$log" || return 1
    port=$(sed -n 's/^ACCEPT .*://p' "$log" | head -n 1)
    url=https://localhost:$port
}

# Ends them with SIGTERM, and with SIGKILL those that have not obeyed within five seconds.
stop_servers() {
    local pid deadline=$((SECONDS + 5))
    for pid in "${server_pids[@]}"; do
        kill "$pid" 2>/dev/null || true
    done
    for pid in "${server_pids[@]}"; do
        while kill -0 "$pid" 2>/dev/null; do
            ((SECONDS < deadline)) || kill -KILL "$pid"
            sleep 0.02
        done
        wait "$pid" 2>/dev/null || true
    done
    server_pids=()
}
