#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# What a peer may take, and for how long; and that the others do not notice.

# shellcheck disable=SC2154,SC2030,SC2031,SC2153,SC2216
load helpers.bash
load pki.bash
load live.bash

# A server whose limits are given, one a line of YAML.
begin() { # LIMIT...
    small_pki
    {
        echo 'pki: pki'
        echo 'limits:'
        printf '  %s\n' "$@"
        echo 'rules: [{allow: any-verified}]'
    } >server.yaml
    start_server server -c server.yaml
}

# Opens a connection of bare TCP, on descriptor 7.
dial() {
    exec 7<>"/dev/tcp/127.0.0.1/$port"
}

# The other end has closed that connection; what it said before is thrown away.
hung_up() {
    timeout 20 cat <&7 >/dev/null
}

@test "a peer that never shakes hands is dropped after the deadline" {
    begin 'handshake: 500ms'
    live bob bob
    dial
    hung_up
    log_says 'limit limits.handshake: the handshake was not complete in time'
    dial
    printf '\x16\x03\x01\x02\x00\x01' >&7 # the beginning of a ClientHello
    hung_up
    wait_for log_counts 2 limits.handshake
    live_asks bob
}

# Sends a request's text octet by octet until the connection ends.
drip() { # NAME TEXT
    local fd=live_fd_$1 i
    for ((i = 0; i < ${#2}; i++)); do
        { printf %s "${2:i:1}" >&"${!fd}"; } 2>/dev/null || return 0
        sleep 0.05
        ! live_ended "$1" || return 0
    done
    fail 'all of it could be sent'
}

@test "the head of a request that comes octet by octet gets a 408 at its deadline, in both versions" {
    begin 'header: 1s'
    live bob bob
    for v in 1_2 1_3; do
        live "slow$v" alice "-tls$v"
        drip "slow$v" "GET /whoami HTTP/1.1"$'\r\n'"Host: localhost"$'\r\n'"X: $(printf 'x%.0s' {1..200})"
        wait_for out_says "slow$v" 'HTTP/1.1 408 '
        wait_for live_ended "slow$v"
    done
    log_says 'limit limits.header: the head of a request was not complete in time'
    live_asks bob
}

@test "a body that stops gets a 408; one that goes on is waited for" {
    begin 'idle: 2s'
    live stop alice
    live on alice
    printf 'POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n12345' >&"$live_fd_stop"
    printf 'POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n' >&"$live_fd_on"
    for i in {0..9}; do # longer than the deadline in all
        printf %s "$i" >&"$live_fd_on"
        sleep 0.4
    done
    wait_for out_says on 0123456789
    wait_for out_says stop 'HTTP/1.1 408 '
    log_says 'limit limits.idle: the body of a request did not go on'
}

@test "a connection without requests is closed with a goodbye after the idle deadline" {
    begin 'idle: 1s'
    live alice alice -tls1_2
    live bob bob -tls1_3
    wait_for live_ended alice
    wait_for live_ended bob
    [[ $(cat alice.out bob.out) != *alert* && $(cat alice.out bob.out) != *'unexpected eof'* ]]
    log_says 'closed CN=alice idle: 1 request'
    log_says 'closed CN=bob idle: 1 request'
    run -1 grep limits.idle server.log
}

@test "a peer that takes no response is dropped, and costs no more than a piece of it" {
    small_pki
    mkdir root
    head -c 64M /dev/zero >root/big
    printf '%s\n' 'pki: pki' 'root: root' 'limits: {idle: 2s}' 'rules: [{allow: any-verified}]' >server.yaml
    start_server server -c server.yaml
    run -0 asks_as bob
    local before after hold
    mkfifo unread
    exec {hold}<>unread # nobody reads from it
    before=$(awk '/VmRSS/ {print $2}' "/proc/${server_pids[0]}/status")
    for i in {1..8}; do
        openssl s_client -connect "localhost:$port" -CAfile pki/trust.pem -cert pki/clients/alice/cert.pem \
            -cert_chain pki/clients/alice/fullchain.pem -key pki/clients/alice/key.pem -quiet \
            < <(printf 'GET /big HTTP/1.1\r\nHost: localhost\r\n\r\n') >unread 2>/dev/null 3>&- {hold}>&- &
        server_pids+=("$!") # is ended like one
    done
    sleep 1
    after=$(awk '/VmRSS/ {print $2}' "/proc/${server_pids[0]}/status")
    wait_for log_counts 8 'limit limits.idle: a response was not taken'
    ldd "$MTLS" | grep -q 'lib[at]san' || # which need memory of their own
        ((after - before < 8 * 256)) || fail "$before KiB became $after"
    run -0 asks_as bob
}

@test "as many connections as there may be, and then one more" {
    begin 'connections: 3'
    live one alice
    live two alice
    live three bob
    dial
    hung_up
    wait_for log_says 'limit limits.connections: turned away'
    live_asks one
    live_asks three
    kill "$live_pid_two"
    wait_for grep -q 'closed CN=alice' server.log
    wait_for asks_as bob
}

@test "one address has its own limit; another is served" {
    begin 'connections_per_address: 2'
    live one alice
    live two alice
    dial
    hung_up
    wait_for log_says 'limit limits.connections_per_address: turned away'
    run -0 asks_as bob --resolve "localhost:$port:::1" # it comes from ::1
    says CN=bob
    live_asks one
}

@test "there is no more room in the log for those turned away than a line a second" {
    begin 'connections: 1'
    live one alice
    for _ in {1..200}; do
        dial
        exec 7>&-
    done
    live_asks one
    (($(grep -c 'limits.connections' server.log) < 100))
    dial
    sleep 1.1
    dial
    wait_for log_says 'others since the last such line'
}

# The program, with so many descriptors.
limited() { # NUMBER
    printf '#!/bin/sh\nexec prlimit --nofile=%s:%s %q "$@"\n' "$1" "$1" "$program" >limited
    chmod +x limited
    MTLS=$PWD/limited
}

@test "few descriptors: the limit is lowered and said, or they are too few" {
    local program=$MTLS
    small_pki
    limited 160
    start_server server
    live one alice
    log_says 'the limit of open files, 160, allows '
    limited 32
    run -3 mtls serve --port 0
    says 'the limit of open files, 32, leaves none for connections'
    live_asks one
}

@test "no descriptor is left: that is said, those who are there go on, and others get in once there is one" {
    small_pki
    start_server server
    live one alice
    local open
    open=$(find "/proc/${server_pids[0]}/fd" -mindepth 1 | wc -l)
    prlimit --pid "${server_pids[0]}" --nofile="$open:"
    dial
    wait_for log_says 'cannot accept a connection: Too many open files'
    live_asks one
    prlimit --pid "${server_pids[0]}" --nofile=1024:
    run -0 asks_as bob
}

@test "a reload changes the limits" {
    begin 'connections: 1'
    live one alice
    dial
    hung_up
    wait_for log_says 'limit limits.connections: turned away'
    sed 's/connections: 1/connections: 2/' server.yaml >new.yaml
    mv new.yaml server.yaml
    wait_for generation_is 2
    live two bob
    live_asks one
}

@test "what needs a restart is said, and the rest of it counts" {
    begin 'connections: 1'
    sed 's/connections: 1/connections: 5/; s/^pki: pki/&\nport: 1234\nthreads: 7/' server.yaml >new.yaml
    mv new.yaml server.yaml
    wait_for log_says 'generation 2, 0 connections judged again, 0 refused; a restart is needed for '
    grep -q 'restart is needed for .*threads' server.log
    live one alice
    live two alice
}

@test "IPv6 alone, and a port that is taken" {
    small_pki
    start_server server --bind ::1
    run -0 asks_as bob --resolve "localhost:$port:::1"
    says '"address": "[::1]:'
    run -0 curl -sS --max-time 10 --cacert pki/trust.pem --cert pki/clients/bob/fullchain.pem \
        --key pki/clients/bob/key.pem --resolve "localhost:$port:[::1]" "$url/whoami"
    says CN=bob
    run -3 mtls connect "https://127.0.0.1:$port/whoami" --as bob
    run -3 mtls serve --bind ::1 --port "$port" --control "$PWD/other"
    says "listening on ::1 port $port: Address already in use"
    run -2 mtls serve --bind localhost --port 0
    run -0 asks_as bob --resolve "localhost:$port:::1"
}
