#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2154,SC2030,SC2031 # bats sets output and stderr, and runs each test in a shell of its own
# The options of mtls connect that curl's users know, seen from the other side; sessions across runs; many calls.
load helpers
load pki

setup_file() {
    cd "$BATS_FILE_TMPDIR" || return 1
    small_pki
}

begin() {
    export MTLS_PKI=$BATS_FILE_TMPDIR/pki
    server=$MTLS_PKI/servers/localhost
}

# OpenSSL's server: what it reads goes to s_server.log, and its standard input to the client.
s_server() { # ARGUMENT...
    start_openssl s_server.log "$server" -CAfile "$MTLS_PKI/trust.pem" -Verify 3 "$@"
}

calls() { # STATUS ARGUMENT...
    run "-$1" --separate-stderr "$MTLS" connect "${@:2}"
}

# The request of one call, as it came to a server that answers 204.
requests() { # ARGUMENT...
    printf 'HTTP/1.1 204 No Content\r\n\r\n' >answer
    mkfifo "hold.$BATS_TEST_NUMBER.$((++holds))"
    start_openssl s_server.log "$server" -naccept 1 < <(cat answer - <"hold.$BATS_TEST_NUMBER.$holds")
    exec {hold}>"hold.$BATS_TEST_NUMBER.$holds"
    run -0 --separate-stderr "$MTLS" connect "https://localhost:$port/path?q=1" --as alice "$@"
    wait_for grep -q ' HTTP/1\.1' s_server.log # at the end of its input it would not look at the socket any more
    exec {hold}>&-
    # shellcheck disable=SC2009
    request=$(tr -d '\r' <s_server.log | sed -n '/HTTP\/1.1$/,/^\(CONNECTION CLOSED\|DONE\)/p')
}

has() { # LINE: of the request
    grep -qxF -- "$1" <<<"$request" || fail "no line $1 in: $request"
}

lacks() { # TEXT
    ! grep -qiF -- "$1" <<<"$request" || fail "$1 in: $request"
}

@test "headers are added, replaced and taken away; what would be two headers is refused" {
    begin
    requests -H 'X-One: 1' -H 'x-two:   2' -H 'User-Agent: me' -H 'Accept:' -H 'X-Empty;'
    has 'GET /path?q=1 HTTP/1.1'
    has "Host: localhost:$port"
    has 'X-One: 1'
    has 'x-two: 2'
    has 'User-Agent: me'
    has 'X-Empty: '
    lacks Accept
    lacks 'User-Agent: mtls'
    requests -H 'Host: elsewhere'
    has 'Host: elsewhere'
    lacks 'Host: localhost'
    for header in $'A: b\r\nX: y' $'A: b\nX: y' $'A\r\nX: y' $'A: \x01' 'A b: c' ': c' 'A' '' 'Content-Length: 5' \
        'transfer-encoding: chunked'; do
        calls 2 "https://localhost:$port/" --as alice -H "$header"
        [[ $stderr == 'mtls: '*header* && $output == '' ]] || fail "$header: $stderr"
    done
}

@test "data, its method and its kind" {
    begin
    printf 'from a file' >file
    requests -d a=1 -d @file
    has 'POST /path?q=1 HTTP/1.1'
    has 'Content-Length: 15'
    has 'Content-Type: application/x-www-form-urlencoded'
    [[ $request == *$'\n\na=1&from a file'* ]] || fail "$request"
    requests --data x --request PUT -H 'Content-Type: text/plain'
    has 'PUT /path?q=1 HTTP/1.1'
    has 'Content-Type: text/plain'
    lacks urlencoded
    requests -I
    has 'HEAD /path?q=1 HTTP/1.1'
}

@test "the head of the response: -I, -i, -v, -o, -f" {
    begin
    start_server server -d "$MTLS_PKI"
    calls 0 "$url/whoami" --as alice -sI
    [[ ${lines[0]} == $'HTTP/1.1 200 OK\r' && $output == *'Content-Type: application/json'* ]] || fail "$output"
    [[ $output != *subject* && $stderr == '' ]] || fail "$output $stderr"
    calls 0 "$url/whoami" --as alice -siofile
    [[ $output == '' && $(head -n 1 file) == $'HTTP/1.1 200 OK\r' ]] || fail "$output"
    grep -q '"subject": "CN=alice"' file
    calls 0 "$url/whoami" --as alice -v
    for line in '* Connected to localhost (127.0.0.1:'"$port"') from 127.0.0.1:' '* ALPN: http/1.1' \
        '* the server is verified: ' '> GET /whoami HTTP/1.1' '< HTTP/1.1 200 OK' '< Content-Type: application/json'; do
        grep -qF -- "$line" <<<"$stderr" || fail "no $line in: $stderr"
    done
    [[ $output == '{'* ]] || fail "$output"
    calls 0 "$url/nothing" --as alice -s
    calls 1 "$url/nothing" --as alice -sf
    calls 0 "$url/whoami" --as alice -sf
}

# What a server says cannot steer the terminal: llhttp refuses control characters, and the rest is escaped.
@test "a hostile head is escaped" {
    begin
    printf 'HTTP/1.1 200 \xe2\x80\xae\r\nX: \xE2\x80\xAEevil\xFF\r\nContent-Length: 0\r\n\r\n' >hostile
    s_server < <(cat hostile && sleep 10)
    calls 0 "$url/" --as alice -v
    [[ $stderr == *'< X: \xE2\x80\xAEevil\xFF'* ]] || fail "$stderr"
    stop_servers
    printf 'HTTP/1.1 200 OK\r\nX: \x1b[31m\r\n\r\n' >hostile
    s_server < <(cat hostile && sleep 10)
    calls 3 "$url/" --as alice -v
    [[ $stderr == *"the server's answer is not HTTP"* && $stderr != *$'\x1b'* ]] || fail "$stderr"
}

@test "versions, suites and curves are those that were asked for" {
    begin
    s_server -www
    agrees() { # VERSION SUITE CURVE ARGUMENT...: as openssl names them
        calls 0 "$url/" --as alice -s "${@:4}"
        [[ $output == *"Cipher is $2"* && $output == *"Protocol  : $1"* ]] || fail "$* -> $output"
        [[ $output == *"Shared groups: $3"$'\n'* || $output == *"Supported groups: $3"$'\n'* ]] || fail "$* -> $output"
    }
    local all=x25519:secp256r1:secp384r1:secp521r1
    agrees TLSv1.3 TLS_AES_128_GCM_SHA256 $all
    agrees TLSv1.3 TLS_CHACHA20_POLY1305_SHA256 $all --tls13-ciphers TLS_CHACHA20_POLY1305_SHA256
    agrees TLSv1.3 TLS_AES_256_GCM_SHA384 secp384r1:x25519 --tlsv1.3 --tls13-ciphers tls_aes_256_gcm_sha384 \
        --curves P-384,X25519
    agrees TLSv1.2 ECDHE-ECDSA-CHACHA20-POLY1305 $all --tls-max 1.2 --ciphers ECDHE-ECDSA-CHACHA20-POLY1305
    agrees TLSv1.2 ECDHE-ECDSA-AES256-GCM-SHA384 $all --tls 1.2 \
        --ciphers TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384:ECDHE-RSA-AES128-GCM-SHA256
    agrees TLSv1.3 TLS_AES_128_GCM_SHA256 $all --tlsv1.2
    stop_servers
    s_server -www -tls1_2
    calls 1 "$url/" --as alice -s --tlsv1.3
    [[ $stderr == *'alert protocol_version (70)'* ]] || fail "$stderr"
    calls 2 "$url/" --as alice --tlsv1.3 --tls-max 1.2
    calls 2 "$url/" --as alice --tls 1.2 --tlsv1.3
    calls 2 "$url/" --as alice --tls-max 1.1
    calls 2 "$url/" --as alice --ciphers RC4-MD5
    [[ $stderr == 'mtls: unknown cipher suite "RC4-MD5" (one of: TLS_AES_128_GCM_SHA256, '* ]] || fail "$stderr"
    calls 2 "$url/" --as alice --curves P-192
}

# mbedTLS signs by the suite's hash there and does not look at the list: so the suites with SHA-256 are asked for first.
@test "TLS 1.2: a server that takes no signature but by SHA-256" {
    begin
    s_server -www -verify_return_error -tls1_2 -client_sigalgs ECDSA+SHA256 </dev/null
    calls 0 "https://localhost:$port/" --as alice
}

@test "-4, -6, addresses in brackets, --resolve" {
    begin
    start_server server -d "$MTLS_PKI" --bind 127.0.0.1 --bind ::1
    calls 0 "$url/whoami" --as alice -s4 --json
    [[ $(jq -r .remote <<<"$output") == "127.0.0.1:$port" ]] || fail "$output"
    calls 0 "https://localhost:$port/whoami" --as alice -s6 --json --resolve "localhost:$port:[::1]"
    [[ $(jq -r .remote <<<"$output") == "[::1]:$port" ]] || fail "$output"
    calls 3 "$url/" --as alice -s4 --resolve "localhost:$port:::1"
    calls 0 "https://localhost:$port/whoami" --as alice -s --json --resolve "other:$port:127.0.0.9" \
        --resolve "localhost:$port:127.0.0.9" --resolve "localhost:$port:::1"
    [[ $(jq -r .remote <<<"$output") == "[::1]:$port" ]] || fail "$output"
    calls 2 "$url/" --as alice -46
    calls 2 "$url/" --as alice --resolve nonsense
}

@test "limits of time" {
    begin
    s_server < <(sleep 20)
    calls 3 "$url/" --as alice -s --timeout 1
    [[ $stderr == 'mtls: the server said nothing for 1000 ms' ]] || fail "$stderr"
    calls 3 "$url/" --as alice -s --max-time 1
    [[ $stderr == 'mtls: the time for the whole call, 1000 ms, is over' ]] || fail "$stderr"
    kill -STOP "${server_pids[0]}" # the kernel still completes its connections
    calls 3 "$url/" --as alice -s --connect-timeout 1
    [[ $stderr == 'mtls: the time for connecting, 1000 ms, is over during the handshake' ]] || fail "$stderr"
    kill -CONT "${server_pids[0]}"
    calls 2 "$url/" --as alice --max-time 86401
}

@test "a session is resumed by the next run, for whom it is, where it was" {
    begin
    s_server -www
    for v in 1.2 1.3; do
        calls 0 "$url/" --as alice -s --tls "$v" --session "$v.session"
        [[ $output == *"New, TLSv$v"* ]] || fail "$output"
        [[ $(stat -c %a "$v.session") == 600 ]] || fail "$(stat "$v.session")"
        calls 0 "$url/" --as alice -s --tls "$v" --session "$v.session"
        [[ $output == *"Reused, TLSv$v"* ]] || fail "$output"
        cp "$v.session" kept
        calls 0 "$url/" --as bob -v --tls "$v" --session "$v.session"
        [[ $output == *"New, TLSv$v"* ]] || fail "$output"
        [[ $stderr == *'* Not resuming: the session was made with another certificate of ours'* ]] || fail "$stderr"
        calls 0 "https://127.0.0.1:$port/" --as alice -v --tls "$v" --session kept
        [[ $output == *"New, TLSv$v"* ]] || fail "$output"
        [[ $stderr == *'* Not resuming: the session is of a server by another name'* ]] || fail "$stderr"
    done
}

@test "a session does not outlive the trust in its server" {
    begin
    cp -r "$MTLS_PKI" pki
    MTLS_PKI=$PWD/pki
    start_server server -d "$BATS_FILE_TMPDIR/pki"
    calls 0 "$url/whoami" --as alice -s --session s
    calls 0 "$url/whoami" --as alice --session s --json
    [[ $(jq .resumed <<<"$output") == true && $(jq .verified <<<"$output") == true ]] || fail "$output"
    "$MTLS" ca revoke localhost -d pki >/dev/null
    calls 1 "$url/whoami" --as alice --session s --json -v
    [[ $(jq -r .reason <<<"$output") == cert_revoked && $(jq .resumed <<<"$output") == false ]] || fail "$output"
    [[ $stderr == *'* Not resuming: the server of the session is no longer acceptable: cert_revoked'* ]] || fail "$stderr"
}

@test "what is no session stays what it is" {
    begin
    start_server server -d "$MTLS_PKI"
    printf 'precious\n' >precious
    calls 3 "$url/whoami" --as alice --session precious
    [[ $stderr == 'mtls: precious: there is no session in it that this program wrote' ]] || fail "$stderr"
    [[ $(<precious) == precious ]] || fail "it was overwritten"
    : >empty
    calls 0 "$url/whoami" --as alice -s --session empty
    calls 0 "$url/whoami" --as alice --session empty --json
    [[ $(jq .resumed <<<"$output") == true ]] || fail "$output"
}

@test "many calls, several at a time, and what came of them" {
    begin
    start_server server -d "$MTLS_PKI"
    calls 0 "$url/whoami" --as alice --repeat 30 --parallel 4
    [[ ${lines[0]} == '30 calls in '*' s, '*' a second; 30 served, 0 resumed' ]] || fail "$output"
    [[ ${lines[1]} == 'min '*' ms, median '*' ms, p99 '*' ms' ]] || fail "$output"
    [[ ${lines[2]} == '      30  served: HTTP 200' && ${#lines[@]} == 3 && $stderr == '' ]] || fail "$output $stderr"
    calls 0 "$url/whoami" --as alice --repeat 10 --session s --json
    jq -e '.count == 10 and .served == 10 and .resumed == 9 and .min_us > 0 and .min_us <= .median_us and
           .median_us <= .p99_us and .p99_us <= .took_us and
           .outcomes == [{"outcome": "served", "what": "served: HTTP 200", "count": 10}]' <<<"$output" || fail "$output"
    [[ $(stat -c %a s) == 600 ]]
    calls 1 "$url/whoami" --repeat 5 --parallel 2 --json
    jq -e '.served == 0 and .min_us == null and .p99_us == null and
           (.outcomes | map([.outcome, .what, .count])) ==
           [["refused_by_server", "the server refused us: alert certificate_required", 5]]' <<<"$output" || fail "$output"
    calls 1 "https://elsewhere:$port/" --resolve "elsewhere:$port:127.0.0.1" --as alice --repeat 3
    [[ $output == *'       3  we refused the server: name_mismatch'* ]] || fail "$output"
    stop_servers
    calls 3 "$url/" --as alice --repeat 3 --parallel 9
    [[ $output == *"       3  connecting to localhost port $port: Connection refused"* ]] || fail "$output"
    calls 2 "$url/" --as alice --parallel 3
    calls 2 "$url/" --as alice --repeat 3 --explain
    calls 2 "$url/" --as alice --repeat 3 -o x
    calls 2 "$url/" --as alice --repeat 1000001
}

@test "a server that is refused is spoken to only when told, and that is said in red" {
    begin
    start_server server -d "$MTLS_PKI"
    local call=("https://elsewhere:$port/whoami" --resolve "elsewhere:$port:127.0.0.1" --as alice -s)
    calls 1 "${call[@]}"
    [[ $output == '' ]] || fail "$output"
    calls 0 "${call[@]}" --unsafe-no-verify
    [[ $output == *'"subject": "CN=alice"'* ]] || fail "$output"
    [[ $stderr == 'mtls: NOT VERIFIED: name_mismatch: '*'anybody may be listening' ]] || fail "$stderr"
    calls 0 "${call[@]}" --unsafe-no-verify --json
    jq -e '.outcome == "served" and .verified == false' <<<"$output" || fail "$output"
    calls 0 "$url/whoami" --as alice -s --unsafe-no-verify --json
    [[ $(jq .verified <<<"$output") == true && $stderr == '' ]] || fail "$output $stderr"
    calls 0 "${call[@]}" --unsafe-no-verify --session s
    [[ ! -e s ]] || fail "a session with nobody is kept"
    command -v script >/dev/null || skip 'there is no script(1) to make a terminal with'
    run env -u NO_COLOR TERM=xterm script -qec "$MTLS connect ${call[*]} --unsafe-no-verify -o /dev/null" /dev/null
    [[ $output == *$'\x1b[31m''mtls: NOT VERIFIED: '* ]] || fail "$output"
}

@test "who goes on with a server that is not verified needs no CA" {
    begin
    start_server server -d "$MTLS_PKI"
    unset MTLS_PKI
    local alice=$BATS_FILE_TMPDIR/pki/clients/alice
    local call=("$url/whoami" -s --cert "$alice/fullchain.pem" --key "$alice/key.pem")
    calls 3 "${call[@]}"
    [[ $stderr == *'there is no PKI in pki'* ]] || fail "$stderr"
    for version in 1.2 1.3; do
        calls 0 "${call[@]}" --unsafe-no-verify --tls "$version" --explain
        [[ $stderr$output == *'"subject": "CN=alice"'* ]] || fail "$output"
        [[ $stderr == *'NOT VERIFIED: chain_incomplete: '* ]] || fail "$stderr"
        [[ $(tr -s ' \n' ' ' <<<"$output$stderr") == *'It goes on all the same'* ]] || fail "$output $stderr"
    done
    calls 3 "${call[@]}" --unsafe-no-verify --cacert nowhere.pem
    calls 3 "${call[@]}" --unsafe-no-verify --pki nowhere
    calls 3 "${call[@]}" --unsafe-no-verify --pki nowhere --as alice
}
