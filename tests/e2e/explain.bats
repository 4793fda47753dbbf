#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# mtls explain: captures of connections between programs that nobody here wrote, and mtls. explain_tshark.bats holds
# them against what tshark sees, explain_golden.bats against what was told before.
# shellcheck disable=SC2154 # explain.bash and bats set them
load helpers
load pki
load explain

setup_file() {
    cd "$BATS_FILE_TMPDIR" || return 1
    small_pki
}

# A server, and before it the relay, at $relay_port, that captures `count` connections to capture.pcap.
begin() { # COUNT ARGUMENT...
    local count=$1
    shift
    cp -r "$BATS_FILE_TMPDIR/pki" .
    serve_mtls "$@"
    start_relay "$count" "$port"
}

@test "there is colour on a terminal only, and no line is longer than 80 columns" {
    local version
    for version in 2 3; do
        begin 1
        client_mtls $version alice
        says '"subject": "CN=alice"'
        end
        explains
        [[ $output != *$'\e['* ]] || fail "there is colour in a file"
        run -0 script -qec "$MTLS explain capture.pcap --keys keys.log" /dev/null
        says $'\e['
        run -0 env NO_COLOR=1 script -qec "$MTLS explain capture.pcap --keys keys.log -v" /dev/null
        [[ $output != *$'\e['* ]] || fail "there is colour in spite of NO_COLOR"
        output=${output//$'\r'/}
        awk 'length($0) > 80 { print "too wide: " $0; bad = 1 } END { exit bad }' <<<"$output"
        stop_servers
        rm -r pki keys.log relay.port
    done
}

@test "a client without a certificate is told where it was refused" {
    local version
    for version in 2 3; do
        begin 1
        client_mtls $version -
        end
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
        client_openssl $version alice -verify_return_error -CAfile pki/clients/bob/cert.pem
        [[ $output != *CN=alice* ]] || fail "it was served"
        end
        explains --json
        has '.failed_step == 3 and (.verdict | test("^Step 3 failed: The client refuses with the alert unknown_ca: "))'
        has '[.steps[3:][].state] | contains(["done"]) | not'
        stop_servers
        rm -r pki keys.log relay.port
    done
}

@test "resumed sessions are told as such, and several connections are listed" {
    local version
    for version in 2 3; do
        begin 2
        client_openssl $version alice -sess_out session
        says '"resumed": false'
        client_openssl $version alice -sess_in session
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

begin_openssl() { # COUNT ARGUMENT...
    local count=$1
    shift
    cp -r "$BATS_FILE_TMPDIR/pki" .
    serve_openssl "$@"
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
        client_openssl 2 alice -cipher "ECDHE-ECDSA-$cipher"
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
    client_mtls 3 alice
    end
    run -0 mtls explain capture.pcap --json
    has '.undecrypted and .failed_step == null and .verdict == "The handshake was not seen to its end."'
    has '.steps[0].messages[0].fields.server_name == "localhost"'
    has '[.steps[].messages[] | select(.message == "Encrypted") | .records] | add > 5'
    run -0 mtls explain capture.pcap -v
    says 'Some of it stays encrypted'
    says '      msg type          0000  01  '
    [[ $output != *CN=alice* ]] || fail "it has read what is encrypted"
    awk 'length($0) > 80 { print "too wide: " $0; bad = 1 } END { exit bad }' <<<"$output"
    run -0 mtls explain capture.pcap -v --json
    # shellcheck disable=SC2016 # it is jq's
    has '.steps[0].messages[0] | . as $m | .marks[] | select(.name == "random") |
        $m.hex[2 * .at:][:2 * .octets] == $m.fields.random'
}

@test "a capture that was cut is told as far as it goes" {
    begin 1
    client_mtls 3 alice
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

@test "the page about it names every field and mark" {
    local source=$BATS_TEST_DIRNAME/../../src/explain missing=() names=() name
    mapfile -t names < <(grep -ohE '"[a-z][a-z_0-9]+"' "$source"/decode*.c "$source"/json.c | tr -d '"' | sort -u)
    ((${#names[@]} > 100))
    for name in "${names[@]}"; do
        grep -qF "\`$name\`" "$BATS_TEST_DIRNAME/../../docs/explain.md" || missing+=("$name")
    done
    ((${#missing[@]} == 0)) || fail "not in docs/explain.md: ${missing[*]}"
}
