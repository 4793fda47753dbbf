#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# mtls explain: captures of connections between programs that nobody here wrote, and mtls; held against what tshark
# sees in them, and against the texts of explain/, whose varying fields are masked.
# MTLS_GOLDEN=write makes those texts anew, to be read before they are committed.
load helpers
load pki

RELAY=${RELAY:-$BATS_TEST_DIRNAME/../../build/release/tests/interop/explain/relay}

setup_file() {
    cd "$BATS_FILE_TMPDIR" || return 1
    small_pki
}

# A server, and before it the relay, at $relay_port, that captures `count` connections to capture.pcap.
begin() { # COUNT ARGUMENT...
    local count=$1
    shift
    cp -r "$BATS_FILE_TMPDIR/pki" .
    start_server server -d pki --unsafe-key-log keys.log "$@"
    start_relay "$count" "$port"
}

start_relay() { # COUNT PORT
    local deadline=$((SECONDS + 10))
    "$RELAY" capture.pcap "$2" relay.port "$1" 3>&- &
    relay_pid=$!
    server_pids+=("$relay_pid")
    until [[ -s relay.port ]]; do
        ((SECONDS < deadline)) || fail "the relay does not listen" || return 1
        sleep 0.02
    done
    relay_port=$(<relay.port)
}

end() { # the capture is whole
    wait "$relay_pid"
}

calls() { # CLIENT VERSION NAME: GET /whoami through the relay, as NAME, or as nobody: -
    local who=() pem=pki/clients/$3/fullchain.pem key=pki/clients/$3/key.pem
    case $1 in
    mtls)
        [[ $3 == - ]] || who=(--as "$3")
        run mtls connect "https://localhost:$relay_port/whoami" --pki pki --resolve "localhost:$relay_port:127.0.0.1" \
            --tls "1.$2" "${who[@]}"
        ;;
    openssl)
        [[ $3 == - ]] || who=(-cert "$pem" -cert_chain "$pem" -key "$key")
        run timeout 20 openssl s_client -connect "127.0.0.1:$relay_port" -servername localhost "-tls1_$2" -quiet \
            -ign_eof -CAfile pki/trust.pem "${who[@]}" "${@:4}" \
            < <(printf 'GET /whoami HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n')
        ;;
    gnutls)
        run timeout 20 gnutls-cli --priority "NORMAL:-VERS-ALL:+VERS-TLS1.$2" -p "$relay_port" --x509cafile pki/trust.pem \
            --x509certfile "$pem" --x509keyfile "$key" localhost \
            < <(printf 'GET /whoami HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n' && sleep 1)
        ;;
    curl)
        run curl -sS "--tlsv1.$2" --tls-max "1.$2" --cacert pki/trust.pem --cert "$pem" --key "$key" \
            --resolve "localhost:$relay_port:127.0.0.1" "https://localhost:$relay_port/whoami"
        ;;
    esac
}

explains() { # ARGUMENT...
    run -0 --separate-stderr mtls explain capture.pcap --keys keys.log "$@"
}

has() { # JQ-EXPRESSION: it is true of the explanation
    jq -e "$1" <<<"$output" >/dev/null || fail "not so: $1 in: $(jq -c '[.verdict, (.steps[] | [.state, [.messages[].message]])]' <<<"$output")"
}

# Types and lengths of handshake messages, then the alerts.
seen_by_us() {
    mtls explain capture.pcap --keys keys.log --json | jq -r '[.steps[].messages[]] | sort_by(.number) |
        (.[] | select(.type != null and .message != "Alert") | "\(.from) \(.type) \(.octets - 4)"),
        (.[] | select(.message == "Alert") | "\(.from) alert \(.type)")'
}

seen_by_tshark() {
    tshark -r capture.pcap -d "tcp.port==$port,tls" -o tls.keylog_file:keys.log -Y tls -T fields -e tcp.srcport \
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

is_golden() { # NAME
    local golden=$BATS_TEST_DIRNAME/explain/$1.txt
    # who closes first is chance
    printf '%s\n' "$output" | sed -E 's/(client >|server <)(  Alert  2 octets, session keys)/one side\2/; s/127\.0\.0\.1:[0-9]+/ADDRESS/g; s/^ +[0-9]+\.[0-9]{3} ms/        # ms/
        s/20[0-9]{2}-[0-9-]{5}T[0-9:]{8}Z/TIME/g; s/[0-9a-f]{8,}/HEX/g; s/[0-9]+ octets/# octets/g' >told.txt
    [[ ${MTLS_GOLDEN-} != write ]] || cp told.txt "$golden"
    diff -u "$golden" told.txt
}

@test "both versions are told as they were told before" {
    local version
    for version in 2 3; do
        begin 1
        calls mtls $version alice
        says '"subject": "CN=alice"'
        end
        explains
        is_golden "1$version"
        awk 'length($0) > 80 { print "too wide: " $0; bad = 1 } END { exit bad }' <<<"$output"
        stop_servers
        rm -r pki keys.log relay.port
    done
}

@test "a client without a certificate is told where it was refused" {
    local version
    for version in 2 3; do
        begin 1
        calls mtls $version -
        end
        explains
        is_golden "1$version-nobody"
        explains --json
        has '.failed_step == 6 and .client_certificate_requested and (.client_certificate_presented | not)'
        stop_servers
        rm -r pki keys.log relay.port
    done
}

@test "a client that refuses the server is told where it did" {
    local version
    for version in 2 3; do
        begin 1
        calls openssl $version alice -verify_return_error -CAfile pki/clients/bob/cert.pem
        [[ $output != *CN=alice* ]] || fail "it was served"
        end
        explains --json
        has '.failed_step == 3 and (.verdict | test("^Step 3 failed: The client refuses with the alert unknown_ca: "))'
        has '[.steps[3:][].state] | contains(["done"]) | not'
        stop_servers
        rm -r pki keys.log relay.port
    done
}

@test "tshark sees the same messages, with the same types and lengths, in the same order" {
    local client version tool
    command -v tshark >/dev/null || skip "tshark is not installed (scripts/setup --for interop)"
    for client in mtls openssl gnutls curl; do
        for version in 2 3; do
            begin 1
            calls $client $version alice
            says 'CN=alice'
            end
            seen_by_us >ours
            seen_by_tshark >theirs
            grep -q "^client 20 " ours && grep -q "^server 20 " ours || fail "no Finished: $(cat ours)"
            diff -u theirs ours || fail "$client, TLS 1.$version"
            stop_servers
            rm -r pki keys.log relay.port
        done
    done
}

@test "resumed sessions are told as such, and several connections are listed" {
    local version
    for version in 2 3; do
        begin 2
        calls openssl $version alice -sess_out session
        says '"resumed": false'
        calls openssl $version alice -sess_in session
        says '"resumed": true'
        end
        explains
        says 'full handshake, with client certificate'
        says 'resumed handshake'
        run -2 mtls explain capture.pcap --connection 3
        says 'there are only 2'
        explains --connection 1 --json
        has '.resumed | not'
        has '.steps[4].state == "done" and .steps[4].messages[0].fields.certificates[0].subject == "CN=alice"'
        explains --connection 2 --json
        has '.resumed and .verdict == "The handshake is complete."'
        has '.steps[4].state == "instead" and (.steps[4].messages | length) == 0'
        explains --json
        has '.connections | length == 2'
        stop_servers
        rm -r pki keys.log relay.port session
    done
}

# A server of openssl's, and the relay before it.
begin_openssl() { # COUNT ARGUMENT...
    local deadline=$((SECONDS + 10)) count=$1
    shift
    cp -r "$BATS_FILE_TMPDIR/pki" .
    mkfifo server.in
    openssl s_server -accept 127.0.0.1:0 -CAfile pki/trust.pem -keylogfile keys.log "$@" \
        >server.log 2>&1 3>&- 0<>server.in & # which never ends
    server_pids+=("$!")
    until grep -q ^ACCEPT server.log; do
        ((SECONDS < deadline)) || fail "openssl's server does not listen" || return 1
        sleep 0.02
    done
    port=$(sed -n 's/^ACCEPT.*:\([0-9]*\)$/\1/p' server.log)
    start_relay "$count" "$port"
}

calls_openssl() { # LINES ARGUMENT...; a second after each line
    local typed=$1 line
    shift
    run timeout 20 openssl s_client -connect "127.0.0.1:$relay_port" -cert pki/clients/alice/cert.pem \
        -cert_chain pki/clients/alice/fullchain.pem -key pki/clients/alice/key.pem "$@" \
        < <(for line in $typed; do echo "$line" && sleep 1; done)
    says hello
    end
}

@test "TLS 1.2 with RSA key exchange is the classic description" {
    openssl req -x509 -newkey rsa:2048 -nodes -keyout rsa.key -out rsa.pem -subj /CN=localhost -days 2 2>/dev/null
    begin_openssl 1 -Verify 3 -rev -cert rsa.pem -key rsa.key -tls1_2 -cipher AES128-GCM-SHA256
    calls_openssl olleh -tls1_2
    explains --json
    has '[.steps[].state] == ["done", "done", "done", "done", "done", "done", "done", "done", "done"]'
    has '[.steps[].instead] == [null, null, null, null, null, null, null, null, null]'
    has '.steps[3].messages[0].fields.encrypted_premaster_secret | test("256 octets")'
}

@test "a HelloRetryRequest and key updates are followed" {
    begin_openssl 1 -Verify 3 -rev -tls1_3 -groups P-384 \
        -cert "$BATS_FILE_TMPDIR/pki/servers/localhost/cert.pem" -key "$BATS_FILE_TMPDIR/pki/servers/localhost/key.pem"
    calls_openssl 'K olleh' -groups P-256:P-384
    explains --json
    has '[.steps[0].messages[] | select(.type != null) | .message] == ["ClientHello", "HelloRetryRequest", "ClientHello"]'
    has '.steps[0].instead | test("another hello")'
    has '[.steps[8].messages[] | select(.message == "KeyUpdate") | .from] == ["client", "server"]'
    has '.undecrypted | not' # what came after them too
    has '[.steps[8].messages[] | select(.message == "ApplicationData") | .from] | sort == ["client", "server"]'
}

@test "early data is told, whether the server takes it or not" {
    begin_openssl 3 -tls1_3 -early_data -cert "$BATS_FILE_TMPDIR/pki/servers/localhost/cert.pem" \
        -key "$BATS_FILE_TMPDIR/pki/servers/localhost/key.pem"
    echo 'early words' >words
    local common=(-connect "127.0.0.1:$relay_port" -tls1_3 -keylogfile client.keys)
    timeout 10 openssl s_client "${common[@]}" -sess_out session >/dev/null 2>&1 < <(sleep 1 && echo Q)
    run timeout 10 openssl s_client "${common[@]}" -sess_in session -early_data words < <(sleep 1 && echo Q)
    says 'Early data was accepted'
    run timeout 10 openssl s_client "${common[@]}" -sess_in session -early_data words < <(sleep 1 && echo Q)
    says 'Early data was rejected' # a ticket is good once
    end
    mv client.keys keys.log
    local number
    for number in 2 3; do
        explains --connection $number --json
        has '(.undecrypted | not) and .verdict == "The handshake is complete."'
        has '.steps[0].messages[-1] | .message == "ApplicationData" and .protection == "early keys" and .octets == 12'
        has '.steps[0].instead | test("0-RTT")'
        has "[.steps[6].messages[].message] == $([[ $number == 2 ]] && echo '["EndOfEarlyData", "Finished"]' || echo '["Finished"]')"
    done
}

@test "records of TLS 1.2 under every AEAD are opened" {
    local cipher
    for cipher in AES128-GCM-SHA256 AES256-GCM-SHA384 CHACHA20-POLY1305; do
        begin 1
        calls openssl 2 alice -cipher "ECDHE-ECDSA-$cipher"
        says CN=alice
        end
        explains --json
        has '(.undecrypted | not) and (.steps[7].messages | map(.message) | contains(["Finished"]))'
        stop_servers
        rm -r pki keys.log relay.port
    done
}

@test "without keys what is visible is told, and the rest counted" {
    begin 1
    calls mtls 3 alice
    end
    run -0 mtls explain capture.pcap --json
    has '.undecrypted and .failed_step == null and .verdict == "The handshake was not seen to its end."'
    has '.steps[0].messages[0].fields.server_name == "localhost"'
    has '[.steps[].messages[] | select(.message == "Encrypted") | .records] | add > 5'
    run -0 mtls explain capture.pcap -v
    says 'Some of it stays encrypted'
    says '0000  01 00 '
    [[ $output != *CN=alice* ]] || fail "it has read what is encrypted"
}

@test "a capture that was cut is told as far as it goes" {
    begin 1
    calls mtls 3 alice
    end
    cp capture.pcap whole.pcap
    head -c 1000 whole.pcap >capture.pcap
    run -0 --separate-stderr mtls explain capture.pcap --keys keys.log
    says 'followed no further'
    # shellcheck disable=SC2154 # bats sets it
    [[ $stderr == *'capture.pcap was not read to its end: '* ]] || fail "$stderr"
    printf 'GET / HTTP/1.1\r\n\r\n, and more than a header of a capture' >capture.pcap
    run -3 mtls explain capture.pcap
    says 'it is not a capture file'
    run -3 mtls explain nothing.pcap
    says 'No such file'
}
