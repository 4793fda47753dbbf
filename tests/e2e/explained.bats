#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# mtls serve --explain, and the drawing on its page: the handshakes of clients that nobody here wrote.
load helpers
load live
load pki

setup_file() {
    cd "$BATS_FILE_TMPDIR" || return 1
    small_pki
}

begin() { # ARGUMENT...: a server, whose PKI is here
    [[ -d pki ]] || cp -r "$BATS_FILE_TMPDIR/pki" .
    start_server server "$@"
}

# curl as a client of the PKI, or as nobody: -
ask() { # NAME PATH ARGUMENT...
    local who=(--cert "pki/clients/$1/fullchain.pem" --key "pki/clients/$1/key.pem")
    [[ $1 != - ]] || who=()
    curl -sS --max-time 10 --cacert pki/trust.pem "${who[@]}" "$url$2" "${@:3}"
}

# How many handshakes were told.
told() { # NUMBER FILE
    [[ $(grep -c ' explained: TLS' "$2") == "$1" ]]
}

@test "each connection is told, or only the refused ones, or none" {
    begin -d pki --explain
    ask alice /whoami >/dev/null
    run -56 ask - /whoami
    wait_for told 2 server.log
    grep -q '^    The server accepts the client\.$' server.log
    grep -q '^    The server refuses the client: no_certificate: ' server.log
    grep -qx 'The handshake is complete.' server.log
    stop_servers
    begin -d pki --explain=refused
    ask alice /whoami >/dev/null
    run -56 ask - /whoami
    wait_for told 1 server.log
    run -1 grep -q 'accepts the client' server.log
    stop_servers
    begin -d pki
    ask alice /whoami >/dev/null
    run -56 ask - /whoami
    wait_for log_says ' refused '
    told 0 server.log
    run -2 mtls serve -d pki --explain=some
    says '--explain: unknown word "some"'
}

@test "the file that the configuration names gets them, in the log's format" {
    begin -d pki # for the PKI
    stop_servers
    mkdir told
    cat >server.yaml <<'END'
pki: pki
explain: {connections: refused, file: told/here}
log: {format: json}
rules: [{allow: any-verified}]
END
    begin -c server.yaml
    ask alice /whoami >/dev/null
    run -56 ask - /whoami --tlsv1.3
    run ask - /whoami --tlsv1.2 --tls-max 1.2
    wait_for test -s told/here
    wait_for eval '[[ $(wc -l <told/here) == 2 ]]'
    [[ $(stat -c %a told/here) == 600 ]]
    jq -se 'length == 2 and all(.event == "explained" and (.peer | test("^127.0.0.1:|^\\[::1\\]:")) and .failed_step == 6 and
        .steps[5].judgement.reason == "no_certificate" and .steps[5].judgement.by == "server") and
        (map(.version) | sort) == ["TLS 1.2", "TLS 1.3"]' told/here || fail "$(<told/here)"
    run -1 grep -q '"explained"' server.log
    tail -n +2 server.log | jq -e . >/dev/null
    rm -r told # it can no longer be written: that is said, and nobody is served worse
    run -56 ask - /whoami
    wait_for log_says 'explain.file: writing '
    ask alice /whoami | grep -q CN=alice
    stop_servers
    run -3 mtls serve -c server.yaml --check
    says 'server.yaml:2: explain.file: '
}

@test "explanations of many at once stay whole" {
    local i pids=()
    begin -d pki --explain --threads 4
    for i in {1..8}; do
        (for _ in 1 2 3 4 5; do ask alice /whoami >/dev/null; done) &
        pids+=($!)
    done
    for i in "${pids[@]}"; do wait "$i"; done
    wait_for told 40 server.log
    # from each head to its end there is no other, and no line of the log
    awk '/ explained: TLS/ { if (inside) bad = "two at once"; inside = 1; next }
        inside && /^20[0-9][0-9]-/ { bad = "a line of the log: " $0 }
        inside && /^The handshake is complete\.$/ { inside = 0; count++ }
        END { if (bad != "" || count != 40) { print bad, count; exit 1 } }' server.log
}

@test "who says nothing, or not enough, or no TLS, is told as far as it went" {
    cat >server.yaml <<'END'
pki: pki
limits: {handshake: 300ms}
explain: {connections: all}
rules: [{allow: any-verified}]
END
    begin -c server.yaml
    exec 7<>"/dev/tcp/127.0.0.1/$port" # not a word
    wait_for log_counts 1 'limits.handshake'
    exec 7>&-
    [[ $(grep -c explained server.log) == 0 ]]
    exec 7<>"/dev/tcp/127.0.0.1/$port"
    printf '\x16\x03\x01\x02\x00\x01\x00' >&7 # the beginning of a hello
    wait_for log_counts 2 'limits.handshake'
    exec 7>&-
    wait_for log_says 'Step 1 failed: The connection is closed'
    exec 7<>"/dev/tcp/127.0.0.1/$port"
    printf 'GET / HTTP/1.1\r\n\r\n' >&7
    wait_for log_says 'sends what is not a record of TLS'
    exec 7>&-
    ask alice /whoami | grep -q CN=alice
}

# The drawing of the page that is in FILE: well-formed, about this connection.
is_drawn() { # FILE VERSION
    python3 - "$1" "$2" <<'END'
import re, sys, xml.dom.minidom
html = open(sys.argv[1]).read()
drawings = re.findall(r'<svg\b.*?</svg>', html[html.index('<section>'):], re.S)
assert len(drawings) == 1, len(drawings)
text = re.sub(r'<[^>]*>', ' ', drawings[0])
xml.dom.minidom.parseString(drawings[0])
for word in ['ClientHello', 'ServerHello', 'CertificateVerify', 'Finished', 'alice', sys.argv[2]]:
    assert word in text, (word, text)
assert '<script' not in html
END
}

@test "the page shows visitors their own handshake, in both versions, also when they come back to it" {
    local version
    begin -d pki
    for version in 2 3; do
        ask alice / "--tlsv1.$version" --tls-max "1.$version" >page.html
        is_drawn page.html "TLS 1.$version"
        # a second page on the connection, and none once something else was asked for
        ask alice / "--tlsv1.$version" --tls-max "1.$version" -o one.html "$url/" -o two.html "$url/whoami" -o three \
            "$url/" -o four.html
        is_drawn two.html "TLS 1.$version"
        run -1 grep -q '<section>' four.html
        grep -q 'CN=alice' four.html
    done
}

@test "the page shows no handshake unless the configuration says so" {
    cat >server.yaml <<'END'
pki: pki
rules: [{allow: any-verified}]
END
    begin -c server.yaml --explain=all
    ask alice / >page.html
    grep -q 'CN=alice' page.html
    run -1 grep -q '<section>' page.html
    told 1 server.log
}

shows_handshake() {
    ask alice / >page.html && grep -q '<section>' page.html
}

@test "the page of a server with a crowd shows no handshake, and shows it again when that is gone" {
    local i fd fds=()
    begin -d pki --threads 1
    for i in {1..256}; do
        exec {fd}<>"/dev/tcp/127.0.0.1/$port" # not a word
        fds+=("$fd")
    done
    ask alice / >page.html
    grep -q 'CN=alice' page.html
    run -1 grep -q '<section>' page.html
    for fd in "${fds[@]}"; do
        exec {fd}>&-
    done
    wait_for shows_handshake
    is_drawn page.html 'TLS 1.3'
}
