#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# One connection told by its client, by its server, and by who stands between them: all three tell the same messages.
# shellcheck disable=SC2154
load helpers
load pki
load explain

setup_file() {
    cd "$BATS_FILE_TMPDIR" || return 1
    small_pki
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout other.key -out other.pem \
        -subj /CN=other -days 2 2>/dev/null
}

# What each side sent, in its order: messages of the two sides may cross. Who has not derived the keys when it refuses
# cannot read what came after that.
messages() { # FILE
    jq -r 'if .undecrypted then "some of it stays encrypted" else empty end,
        ([.steps[].messages[]] | sort_by(.from, .number)[] |
        select(.message != "ApplicationData" and (.message == "Alert" and .type == 0 | not)) |
        if .message == "Encrypted" or .message == "Finished" then "\(.from) Finished"
        else "\(.from) \(.message) \(.type) \(.octets) \(.protection) \(.fields | tojson)" end)' "$1"
}

# Who refuses has read no further than that: what it tells is where the other's begins.
tells_less() { # WHO THE-OTHER
    local from
    for from in client server; do
        grep "^$from " "$1.messages" >less
        grep "^$from " "$2.messages" | head -n "$(wc -l <less)" >begin
        diff -u begin less || fail "$1 and $2 tell different things of what the $from sent" || return 1
    done
}

the_same() { # VERSION WHO-REFUSES-OR-- CLIENT'S-ARGUMENT...
    local who status=1
    [[ $2 != - ]] || status=0
    : >server.told
    start_relay 1 "$port"
    run "-$status" --separate-stderr mtls connect "https://localhost:$relay_port/whoami" --pki pki --tls "1.$1" \
        --resolve "localhost:$relay_port:127.0.0.1" --explain=json -o body "${@:3}"
    printf '%s\n' "$output" >client.told
    end
    within_time grep -q '}$' server.told || fail "the server told nothing"
    mtls explain capture.pcap --keys keys.log --json >between.told
    for who in client server between; do
        messages $who.told | grep -v '^some' >$who.messages
        [[ $(wc -l <$who.messages) -ge 4 ]] || fail "$who tells only: $(<$who.messages)"
        jq -c '[.version, .cipher_suite, .server_name, .resumed, .failed_step]' $who.told >$who.end
    done
    case $2 in
    -) diff -u client.messages server.messages && diff -u client.messages between.messages ;;
    client) tells_less client server && diff -u server.messages between.messages ;;
    server) tells_less server client && diff -u client.messages between.messages ;;
    esac || fail "they tell different things"
    diff client.end server.end && diff client.end between.end || fail "they end differently"
}

@test "client, server and capture tell the same messages of one connection" {
    local version
    cp -r "$BATS_FILE_TMPDIR"/{pki,other.pem} .
    printf '%s\n' 'pki: pki' 'explain: {connections: all, file: server.told}' 'log: {format: json}' \
        'rules: [{allow: any-verified}]' >server.yaml
    : >server.told
    start_server server -c server.yaml --unsafe-key-log keys.log
    for version in 2 3; do
        the_same $version - --as alice --session session
        jq -e '.resumed == false and .failed_step == null' server.told
        the_same $version - --as alice --session session
        jq -e '.resumed and .failed_step == null' server.told
        the_same $version server
        jq -e '.failed_step == 6' server.told
        the_same $version client --cert pki/clients/alice/fullchain.pem --key pki/clients/alice/key.pem --cacert other.pem
        jq -e '.failed_step == 3' server.told
        rm session
    done
}
