#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# mtls connect --explain, --pcap, --key-log: the connection that is made, told, and held against what tshark sees in
# the packets that are written of it.
load helpers
load pki

setup_file() {
    cd "$BATS_FILE_TMPDIR" || return 1
    small_pki
}

begin() { # ARGUMENT...: a server, whose PKI is here
    cp -r "$BATS_FILE_TMPDIR/pki" .
    start_server server -d pki "$@"
}

calls() { # STATUS VERSION NAME ARGUMENT...: NAME may be -
    local who=()
    [[ $3 == - ]] || who=(--as "$3")
    run "-$1" --separate-stderr mtls connect "$url/whoami" --pki pki --tls "1.$2" "${who[@]}" "${@:4}"
}

has() { # JQ-EXPRESSION: it is true of told.json
    jq -e "$1" told.json >/dev/null || fail "not so: $1 in: $(jq -c '[.verdict, (.steps[] | [.state, .judgement, [.messages[].message]])]' told.json)"
}

@test "the explanation goes to stderr, and to stdout where nothing else does" {
    begin
    calls 0 3 alice --explain
    [[ $output == '{'*'"subject": "CN=alice"'*'}' ]] || fail "not the body alone: $output"
    [[ $stderr == *'The client accepts the server.'*'The handshake is complete.'* ]] || fail "$stderr"
    calls 0 3 alice --explain=text -o body
    [[ $output == 'Client 127.0.0.1:'*', server 127.0.0.1:'"$port"*'The handshake is complete.' ]] || fail "$output"
    [[ $(<body) == *'"subject": "CN=alice"'* ]] || fail "no body"
    calls 0 2 alice --explain=json -o body
    printf '%s\n' "$output" >told.json
    has '.version == "TLS 1.2" and .failed_step == null and (.client | startswith("127.0.0.1:")) and .start != null'
    has '.steps[2].judgement == {by: "client", reason: "ok", depth: -1, detail: null} and .steps[5].judgement == null'
    calls 0 3 alice --explain=json --json -o body # the result has stdout
    printf '%s\n' "$stderr" | sed -n '/^{/,/^}/p' >told.json
    has '.version == "TLS 1.3" and .failed_step == null'
    printf '%s\n' "$output" | jq -e '.outcome == "served"' >/dev/null || fail "$output"
}

@test "nothing is told without a connection, and what cannot be told is said before one" {
    begin
    run -2 --separate-stderr mtls connect "$url/" --pki pki --as alice --explain=html
    [[ $stderr == 'mtls: --explain takes text, json or svg:FILE, not "html"' ]] || fail "$stderr"
    run -2 --separate-stderr mtls connect "$url/" --pki pki --as alice --explain=svg:
    [[ $stderr == 'mtls: --explain takes text, json or svg:FILE, not "svg:"' ]] || fail "$stderr"
    run -3 --separate-stderr mtls connect "$url/" --pki pki --as alice --pcap none/seen.pcap
    [[ $stderr == 'mtls: opening none/seen.pcap: No such file or directory' ]] || fail "$stderr"
    ! grep -q accepted server.log || fail "it connected"
    stop_servers
    run -3 --separate-stderr mtls connect "$url/" --pki pki --as alice --explain --pcap seen.pcap
    [[ $stderr != *'hello'* ]] || fail "$stderr"
}

@test "a refusal is told with its step and reason, in both versions, whoever refuses" {
    local version
    for version in 2 3; do
        begin
        calls 1 "$version" - --explain=json -o body
        printf '%s\n' "$output" >told.json
        has '.failed_step == 6 and .steps[5].state == "failed" and .steps[5].judgement == null'
        has '[.steps[5].messages[] | select(.message == "Alert" and .from == "server")] | length == 1'
        has '.steps[2].judgement.reason == "ok"'
        [[ $stderr == *'the server refused us: alert '* ]] || fail "$stderr"
        run -1 --separate-stderr mtls connect "https://127.0.0.2:$port/" --resolve "127.0.0.2:$port:127.0.0.1" --pki pki \
            --as alice --tls "1.$version" --explain=json -o body
        printf '%s\n' "$output" >told.json
        has '.failed_step == 3 and .steps[2].judgement.by == "client" and .steps[2].judgement.reason == "name_mismatch"'
        has '.steps[2].judgement.depth == 0 and (.steps[2].judgement.detail | length > 0)'
        has '.verdict | startswith("Step 3 failed: The client refuses the server: name_mismatch: ")'
        has '[.steps[2].messages[] | select(.message == "Alert" and .from == "client")] | length == 1'
        stop_servers
        rm -r pki
    done
}

@test "the drawing is written to a file" {
    begin
    calls 0 3 alice --explain=svg:seen.svg
    [[ $output == '{'*'}' ]] || fail "$output"
    grep -q '<svg' seen.svg || fail "no drawing"
    python3 -c 'import sys, xml.dom.minidom; xml.dom.minidom.parse(sys.argv[1])' seen.svg
    [[ ! -e body ]]
    calls 3 3 alice --explain=svg:none/seen.svg
    [[ $stderr == *'none/seen.svg'* ]] || fail "$stderr"
}

# --- packets ---

# Types and lengths of handshake messages, then the alerts: of told.json, and of seen.pcap.
told_by_us() {
    jq -r '[.steps[].messages[]] | sort_by(.number) |
        (.[] | select(.type != null and .message != "Alert") | "\(.from) \(.type) \(.octets - 4)"),
        (.[] | select(.message == "Alert") | "\(.from) alert \(.type)")' told.json
}

told_by_tshark() {
    tshark -r seen.pcap -d "tcp.port==$port,tls" -o tls.keylog_file:seen.keys -Y tls -T fields -e tcp.srcport \
        -e tls.handshake.type -e tls.handshake.length -e tls.alert_message.desc 2>/dev/null | awk -F'\t' -v server="$port" '
        {
            from = $1 == server ? "server" : "client"
            n = split($2, types, ",")
            split($3, lengths, ",")
            for (i = 1; i <= n; i++) print from, types[i], lengths[i]
            n = split($4, found, ",")
            for (i = 1; i <= n; i++) alerts[++count] = from " alert " found[i]
        }
        END { for (i = 1; i <= count; i++) print alerts[i] }'
}

# Every packet is good: nothing is retransmitted, lost or out of order, and all checksums are right.
packets_are_good() {
    local strange
    strange=$(tshark -r seen.pcap -o ip.check_checksum:TRUE -o tcp.check_checksum:TRUE -T fields -e frame.number \
        -e _ws.expert.message -Y 'tcp.analysis.flags || tcp.checksum.status != 1 || (ip && ip.checksum.status != 1) || _ws.malformed' 2>/dev/null)
    [[ -z $strange ]] || fail "strange packets: $strange"
    [[ $(tshark -r seen.pcap -Y 'tcp.flags.syn == 1' 2>/dev/null | wc -l) == 2 ]] || fail "no beginning"
    [[ $(tshark -r seen.pcap -Y 'tcp.flags.fin == 1' 2>/dev/null | wc -l) == 2 ]] || fail "no end"
}

sees_the_same() {
    local count
    told_by_us >ours
    told_by_tshark >theirs
    count=$(wc -l <ours)
    ((count >= $1)) || fail "only $count messages: $(<ours)"
    diff -u theirs ours || fail "tshark sees something else"
    packets_are_good
}

@test "tshark sees the same in the packets, with the keys, in both versions and both families" {
    command -v tshark >/dev/null || skip "no tshark"
    local version address
    begin --unsafe-legacy-rsa
    for address in 127.0.0.1 ::1; do
        for version in 2 3; do
            rm -f seen.keys
            calls 0 "$version" alice --resolve "localhost:$port:$address" --explain=json -o body --pcap seen.pcap \
                --key-log seen.keys
            printf '%s\n' "$output" >told.json
            sees_the_same 10
            [[ $(stat -c %a seen.keys) == 600 ]] || fail "anybody may read the keys"
            # and what `mtls explain` reads in them is what it told when it happened, but for the times
            mtls explain seen.pcap --keys seen.keys --json >read.json
            diff -u <(jq 'del(.connection, .start, .steps[].messages[].ms, .steps[].judgement)' read.json) \
                <(jq 'del(.connection, .start, .steps[].messages[].ms, .steps[].judgement)' told.json)
        done
    done
}

@test "a resumed session is told as one, and tshark sees the same" {
    command -v tshark >/dev/null || skip "no tshark"
    local version
    begin
    for version in 2 3; do
        rm -f seen.keys session
        calls 0 "$version" alice --session session
        calls 0 "$version" alice --session session --explain=json -o body --pcap seen.pcap --key-log seen.keys
        printf '%s\n' "$output" >told.json
        has '.resumed and .failed_step == null and .steps[2].judgement.reason == "ok" and .steps[4].messages == []'
        sees_the_same 5
    done
}

@test "tshark sees the same refusals, and large bodies" {
    command -v tshark >/dev/null || skip "no tshark"
    local version
    begin
    for version in 2 3; do
        rm -f seen.keys
        calls 1 "$version" - --explain=json -o body --pcap seen.pcap --key-log seen.keys
        printf '%s\n' "$output" >told.json
        sees_the_same 8
    done
    head -c 700000 /dev/zero >large
    rm -f seen.keys
    run -0 --separate-stderr mtls connect "$url/echo" --pki pki --as alice --data @large --explain=json -o body \
        --pcap seen.pcap --key-log seen.keys
    printf '%s\n' "$output" >told.json
    cmp large body
    sees_the_same 8
}
