#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# A server that runs, and files that change under it.

# shellcheck disable=SC2154,SC2030,SC2031,SC2153,SC2016
load helpers.bash
load pki.bash
load live.bash

begin() {
    small_pki
    start_server server
}

@test "a certificate is revoked: its open connections get the alert, in both versions; the others go on" {
    begin
    live alice12 alice -tls1_2
    live alice13 alice -tls1_3
    live bob12 bob -tls1_2
    live bob13 bob -tls1_3
    mtls ca revoke alice
    wait_for out_says alice12 'alert certificate revoked'
    wait_for out_says alice13 'alert certificate revoked'
    wait_for log_says 'generation 2, 4 connections judged again, 2 refused'
    [[ $(grep -c ' refused cert_revoked depth 0: CN=alice' server.log) == 2 ]]
    live_asks bob12
    live_asks bob13
    run -1 asks_as alice
    run -0 asks_as bob
}

@test "mtls reload waits until everybody was judged again, and says how many were kept" {
    begin
    live alice alice
    live bob bob
    run -0 mtls reload --port "$port"
    [[ $output == 'generation 2: 2 connections kept, 0 closed' ]]
    run -0 mtls reload --port "$port" --json
    says '"generation": 3'
    says '"kept": 2'
    run -0 mtls reload --port "$port" --status
    [[ $output == 'generation 3, 2 connections, '*' worker'*', up for '*' s' ]]
    run -0 mtls reload --port "$port" --status --json
    says '"connections": 2'
    says '"failed": null'
    live_asks alice
    live_asks bob
}

@test "SIGHUP shows new connections the renewed certificate; those that are open go on" {
    begin
    live bob bob
    local before
    before=$(mtls ca show pki/servers/localhost/cert.pem | grep -i serial)
    kill -STOP "${server_pids[0]}" # the changed file must not be what makes it reload
    mtls ca renew localhost >renew.out
    [[ $(mtls ca show pki/servers/localhost/cert.pem | grep -i serial) != "$before" ]]
    kill -HUP "${server_pids[0]}"
    kill -CONT "${server_pids[0]}"
    wait_for log_says 'generation 2'
    run -0 bash -c "openssl s_client -connect localhost:$port -CAfile pki/trust.pem </dev/null 2>/dev/null |
        openssl x509 -outform DER | cmp - <(openssl x509 -in pki/servers/localhost/cert.pem -outform DER)"
    live_asks bob
}

@test "a bad file changes nothing, and the log says which; once it is good it counts by itself" {
    begin
    live bob bob
    cp pki/trust.pem good.pem
    echo garbage >pki/bad.pem
    mv pki/bad.pem pki/trust.pem
    wait_for log_says 'reload_failed: generation 1 goes on: '
    grep -q 'reload_failed.*pki/trust.pem' server.log
    run -1 mtls reload --port "$port"
    says 'pki/trust.pem'
    run -0 mtls reload --port "$port" --status
    says 'generation 1, '
    says 'the last reload failed: '
    live_asks bob
    run -0 mtls connect "$url/whoami" --cacert good.pem --as bob
    cp good.pem pki/good.pem
    mv pki/good.pem pki/trust.pem
    wait_for generation_is 2
    live_asks bob
}

@test "a key that does not belong to the certificate is no reason to stop" {
    begin
    cp pki/clients/bob/key.pem pki/servers/localhost/key.new
    mv pki/servers/localhost/key.new pki/servers/localhost/key.pem
    wait_for log_says 'reload_failed'
    grep -q 'reload_failed.*key.pem' server.log
    run -0 asks_as bob
}

@test "many changes at once are one reload" {
    begin
    kill -STOP "${server_pids[0]}"
    for _ in $(seq 100); do
        cp pki/crl.pem pki/crl.new
        mv pki/crl.new pki/crl.pem
    done
    mtls ca revoke alice
    kill -CONT "${server_pids[0]}"
    wait_for generation_is 2
    run -1 asks_as alice
    says certificate_revoked
    generation_is 2
}

@test "a folder that vanishes and comes back is watched again" {
    small_pki
    mkdir lists
    cp pki/crl.pem lists/
    start_server server --ca pki/trust.pem --crl lists/crl.pem
    run -0 asks_as alice
    mv lists gone
    wait_for log_says 'reload_failed'
    run -0 asks_as alice
    mtls ca revoke alice
    mkdir lists
    cp pki/crl.pem lists/
    wait_for generation_is 2
    run -1 asks_as alice
    says certificate_revoked
    mtls ca revoke bob
    cp pki/crl.pem lists/new
    mv lists/new lists/crl.pem
    wait_for generation_is 3
    run -1 asks_as bob
}

@test "a certificate that ends while its holder is connected ends the connection" {
    begin
    mtls ca issue carol --not-after +8s
    live carol carol
    live bob bob
    run -0 asks_as carol
    wait_for out_says carol 'alert certificate expired'
    log_says ' refused cert_expired depth 0: CN=carol'
    generation_is 1
    live_asks bob
    run -1 asks_as carol
}

@test "a clock that is set forward ends the connections of those whose time is over" {
    local library
    library=$(faketime -f +0 sh -c 'echo "$LD_PRELOAD"')
    [[ -n $library ]]
    ! ldd "$MTLS" | grep -q 'lib[at]san' || skip "a sanitizer and faketime do not go together"
    small_pki
    mtls ca issue carol --not-after +5d
    echo '+0' >offset
    LD_PRELOAD=$library FAKETIME_TIMESTAMP_FILE=$PWD/offset FAKETIME_NO_CACHE=1 DONT_FAKE_MONOTONIC=1 NO_FAKE_STAT=1 \
        start_server server
    live carol carol
    live bob bob
    echo '+6d' >offset
    wait_for out_says carol 'alert certificate expired'
    live_asks bob
    generation_is 1
}

@test "a revocation list that goes stale ends the connections that need it" {
    small_pki
    mtls ca crl --next-update 8s
    start_server server
    live bob bob
    live alice alice -tls1_2
    wait_for out_says bob alert
    wait_for out_says alice alert
    [[ $(grep -c ' refused crl_stale ' server.log) == 2 ]]
    mtls ca crl --next-update 30d
    wait_for generation_is 2
    run -0 asks_as bob
}

@test "a reload in the middle of a handshake counts for it, in both versions" {
    begin
    for v in 1.2 1.3; do
        run -0 "$PEERS" late "$port" pki/trust.pem pki/clients/bob/fullchain.pem pki/clients/bob/key.pem $v \
            "$MTLS" reload --port "$port"
        [[ ${lines[-1]} == served ]]
    done
    for v in 1.2 1.3; do
        mtls ca issue "eve$v"
        run -1 "$PEERS" late "$port" pki/trust.pem "pki/clients/eve$v/fullchain.pem" "pki/clients/eve$v/key.pem" $v \
            sh -c "'$MTLS' ca revoke eve$v && '$MTLS' reload --port $port"
        says 'alert certificate revoked'
        [[ $output != *served* ]]
        wait_for log_says "cert_revoked depth 0: CN=eve$v"
    done
    run -1 grep ' accepted CN=eve' server.log
}

@test "a hundred reloads under load: no request fails" {
    begin
    "$PEERS" steady "$port" pki/trust.pem pki/clients/bob/fullchain.pem pki/clients/bob/key.pem 4 >steady.out \
        2>steady.err 3>&- &
    local peers=$!
    server_pids+=("$peers")
    for _ in $(seq 100); do
        mtls reload --port "$port" >reload.out
    done
    kill "$peers"
    wait "$peers" || fail "$(cat steady.out steady.err)"
    run -0 cat steady.out
    [[ $output == [1-9]*' requests, 0 failed' ]]
    generation_is 101
}

@test "two hundred connections of one client end with its certificate" {
    small_pki
    printf '%s\n' 'pki: pki' 'limits: {idle: 1h}' 'rules: [{allow: any-verified}]' >server.yaml
    start_server server -c server.yaml
    live bob bob
    run -0 --separate-stderr "$PEERS" hold "$port" pki/trust.pem pki/clients/alice/fullchain.pem \
        pki/clients/alice/key.pem 200 "$MTLS" ca revoke alice
    [[ $output == '200 closed with certificate_revoked, 0 otherwise, 0 open' ]]
    live_asks bob
}

@test "the control socket: for this user alone, one server's, and not left behind" {
    small_pki
    start_server server --control "$PWD/control"
    [[ $(stat -c %a control) == 600 ]]
    run -0 mtls reload --control "$PWD/control"
    run -3 mtls reload --control "$PWD/other"
    [[ $output == "mtls: no server answers at $PWD/other" ]]
    run -3 mtls serve --port 0 --control "$PWD/control"
    says 'another server answers there'
    run -0 asks_as bob # it still does
    kill -KILL "${server_pids[0]}"
    wait "${server_pids[0]}" || true
    [[ -S control ]]
    run -3 mtls reload --control "$PWD/control"
    start_server server --control "$PWD/control"
    run -0 mtls reload --control "$PWD/control"
    stop_servers
    [[ ! -e control ]]
    echo text >control
    run -3 mtls serve --port 0 --control "$PWD/control"
    says 'there is a file of that name'
    [[ $(cat control) == text ]]
}

@test "the control socket's usual place is a folder that only this user can enter" {
    begin
    local folder
    folder=$([[ $(id -u) == 0 ]] && echo /run/mtls || echo "${XDG_RUNTIME_DIR:-/tmp/mtls-$(id -u)}")
    [[ $folder == *mtls* ]] || folder+=/mtls
    [[ $(stat -c %a "$folder") == 700 && -S $folder/$port.sock ]]
    stop_servers
    [[ ! -e $folder/$port.sock ]]
    run -3 mtls reload --port "$port"
    says "no server answers"
}
