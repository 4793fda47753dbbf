#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# SIGTERM: what is in flight is finished, within limits.

# shellcheck disable=SC2154,SC2030,SC2031,SC2153
load helpers.bash
load pki.bash
load live.bash

begin() { # DRAIN
    small_pki
    printf '%s\n' 'pki: pki' "limits: {drain: $1}" 'rules: [{allow: any-verified}]' >server.yaml
    start_server server -c server.yaml
}

ended() {
    ! kill -0 "${server_pids[0]}" 2>/dev/null
}

not_listening() {
    ! (exec 7<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null
}

@test "idle connections get a goodbye, a request in flight its answer; nobody new is let in" {
    begin 20s
    live idle12 alice -tls1_2
    live idle13 alice -tls1_3
    live busy bob
    printf 'POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 11\r\n\r\nhello ' >&"$live_fd_busy"
    sleep 0.2
    kill "${server_pids[0]}"
    wait_for live_ended idle12
    wait_for live_ended idle13
    [[ $(cat idle12.out idle13.out) != *'unexpected eof'* ]]
    wait_for not_listening
    kill -0 "${server_pids[0]}"
    run -1 live_ended busy
    printf 'world' >&"$live_fd_busy"
    wait_for out_says busy 'hello world'
    grep -q '^Connection: close' busy.out
    wait_for ended
    wait "${server_pids[0]}" # its exit status is 0
    log_says 'stopping: SIGTERM, 3 connections open'
    log_says 'closed CN=bob done: 2 requests'
    [[ $(grep -c 'closed CN=alice.* drained: 1 request' server.log) == 2 ]]
}

@test "a request that does not end is cut off at the deadline" {
    begin 1s
    live busy bob
    printf 'POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 11\r\n\r\nhello ' >&"$live_fd_busy"
    sleep 0.2
    kill "${server_pids[0]}"
    wait_for ended
    wait "${server_pids[0]}"
    log_says 'cutting off 1 connection that did not end in time'
    log_says 'closed CN=bob cut off'
}

@test "a second signal ends it at once" {
    begin 1h
    live busy bob
    printf 'POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 11\r\n\r\nhello ' >&"$live_fd_busy"
    sleep 0.2
    kill "${server_pids[0]}"
    wait_for log_says 'stopping: SIGTERM'
    sleep 0.2
    kill -0 "${server_pids[0]}"
    kill "${server_pids[0]}"
    wait_for ended
    wait "${server_pids[0]}"
    log_says 'closed CN=bob cut off'
}

@test "a handshake that has begun is finished and its request answered" {
    begin 20s
    for v in 1.2 1.3; do
        run -0 "$PEERS" late "$port" pki/trust.pem pki/clients/bob/fullchain.pem pki/clients/bob/key.pem $v \
            sh -c "kill ${server_pids[-1]} && sleep 0.5"
        [[ ${lines[-1]} == served ]]
        wait "${server_pids[-1]}"
        start_server server -c server.yaml
    done
}

@test "under load, stopping fails no request that was begun" {
    begin 20s
    for i in {1..8}; do
        mtls connect "$url/whoami" --as bob >"out.$i" 2>"err.$i" 3>&- &
        clients[i]=$!
    done
    wait_for grep -q accepted server.log
    kill "${server_pids[0]}"
    wait_for ended
    for i in {1..8}; do # it was answered, or never let in
        if wait "${clients[i]}"; then
            grep -q '"subject": "CN=bob"' "out.$i"
        else
            grep -qi 'connection refused\|cannot connect' "err.$i" || fail "$(cat "err.$i")"
        fi
    done
}
