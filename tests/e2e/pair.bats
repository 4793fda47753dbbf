#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The server and the client, each against itself, openssl, curl and gnutls, with a PKI that openssl made.
# MTLS is the program that is tested.

# shellcheck disable=SC2154,SC2030,SC2031
bats_require_minimum_version 1.5.0
load openssl_pki.bash

setup_file() {
    : "${MTLS:=$BATS_TEST_DIRNAME/../../build/debug/mtls}"
    MTLS=$(realpath "$MTLS")
    export MTLS PKI=$BATS_FILE_TMPDIR/pki
    pki_make "$PKI"
    export MTLS_PKI=$PKI
    serve_start file
}

teardown() {
    [ -z "${S_SERVER:-}" ] || kill "$S_SERVER" 2> /dev/null || true
}

teardown_file() {
    serve_stop file
}

# A server of ours in the background: NAME ARGS..; its port in $PORT, its log in $LOG.
serve_start() {
    local name=$1
    shift
    export LOG=$BATS_FILE_TMPDIR/$name.log
    rm -f "$BATS_FILE_TMPDIR/$name.port"
    "$MTLS" serve --port 0 --ready-file "$BATS_FILE_TMPDIR/$name.port" "$@" > "$BATS_FILE_TMPDIR/$name.out" 2> "$LOG" 3>&- &
    echo $! > "$BATS_FILE_TMPDIR/$name.pid"
    wait_for test -s "$BATS_FILE_TMPDIR/$name.port"
    PORT=$(cat "$BATS_FILE_TMPDIR/$name.port")
    export PORT
}

serve_stop() { # NAME; fails unless the server ends, without a complaint of a sanitizer
    local pid
    pid=$(cat "$BATS_FILE_TMPDIR/$1.pid")
    kill -TERM "$pid"
    wait_for gone "$pid"
    ! grep -E 'Sanitizer|runtime error' "$BATS_FILE_TMPDIR/$1.log"
}

gone() {
    ! kill -0 "$1" 2> /dev/null
}

# Runs a command until it succeeds, for ten seconds at most.
wait_for() {
    for _ in $(seq 200); do
        ! "$@" || return 0
        sleep 0.05
    done
    echo "waited in vain for: $*" >&2
    return 1
}

# The last line of the log says this, goodbyes aside; the log is written a moment after the client knows.
logged() {
    grep -v '^[^ ]* [^ ]* closed ' "$LOG" | tail -n 1 | grep -qF -- "$1"
}

# curl as ENTRY (or - for nobody): OUT gets the body, the exit code is curl's.
curl_as() { # ENTRY PATH ARGS..
    local who=(--cert "$PKI/$1/fullchain.pem" --key "$PKI/$1/key.pem")
    [ "$1" != - ] || who=()
    curl -sS --max-time 10 --cacert "$PKI/trust.pem" "${who[@]}" "https://localhost:$PORT$2" "${@:3}"
}

# openssl as a client, one HTTP request; what it said is the output.
s_client() { # ENTRY ARGS..
    local who=(-cert "$PKI/$1/cert.pem" -cert_chain "$PKI/$1/fullchain.pem" -key "$PKI/$1/key.pem")
    [ "$1" != - ] || who=()
    printf 'GET /whoami HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n' |
        timeout 10 openssl s_client -connect "localhost:$PORT" -CAfile "$PKI/trust.pem" -verify_return_error \
            -servername localhost -ign_eof "${who[@]}" "${@:2}" 2>&1
}

json() { # FIELD: of the object in $output
    sed -n "s/,\$//; s/^  \"$1\": //p" <<< "$output" | sed 's/^"\(.*\)"$/\1/'
}

@test "alice is served by both versions, as herself, to ourselves, curl, openssl and gnutls" {
    for v in 1.2 1.3; do
        run -0 --separate-stderr "$MTLS" connect "https://localhost:$PORT/whoami" --as alice --tls $v
        [ "$(json subject)" = 'CN=alice,O=Example\\, Inc.' ] # a backslash is two in JSON
        [ "$(json tls)" = "TLSv$v" ]
        [[ $stderr == *"server   CN=localhost"*"issuer   CN=Test Issuing CA"*"dns:localhost ip:127.0.0.1"*"secured  TLSv$v, TLS_"* ]]
        run -0 curl_as clients/alice /whoami "--tlsv$v" --tls-max $v
        [ "$(json subject)" = 'CN=alice,O=Example\\, Inc.' ] # a backslash is two in JSON
        logged "accepted CN=alice,O=Example\\, Inc. (dns:alice.example email:alice@example.com uri:spiffe://example/alice) TLSv$v"
        run -0 s_client clients/alice -tls${v/./_}
        [[ $output == *'"subject": "CN=alice'*"\"tls\": \"TLSv$v\""* ]]
    done
    run -0 bash -c "printf 'GET /whoami HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n' |
        timeout 10 gnutls-cli -p $PORT localhost --x509cafile $PKI/trust.pem --no-ocsp --logfile=/dev/null \
        --x509certfile $PKI/clients/alice/fullchain.pem --x509keyfile $PKI/clients/alice/key.pem"
    [[ $output == *'"subject": "CN=alice'* ]]
}

@test "RSA certificates on either side work in both versions" {
    serve_start rsa --host rsa
    for v in 1.2 1.3; do
        run -0 curl_as clients/rsa /whoami "--tlsv$v" --tls-max $v
        [ "$(json subject)" = CN=rsa ]
    done
    serve_stop rsa
}

# Entry, reason, alert.
refused_clients() {
    cat << 'END'
clients/mallory cert_revoked certificate_revoked
flaws/client-revoked cert_revoked certificate_revoked
flaws/client-expired cert_expired certificate_expired
flaws/client-future cert_not_yet_valid certificate_expired
flaws/client-expired-ca cert_expired certificate_expired
flaws/client-stranger chain_untrusted unknown_ca
flaws/client-self-signed chain_untrusted unknown_ca
flaws/client-imposter chain_untrusted unknown_ca
flaws/client-no-intermediate chain_incomplete unknown_ca
flaws/client-damaged signature_bad bad_certificate
flaws/client-not-a-ca not_a_ca bad_certificate
flaws/client-no-certsign key_usage unsupported_certificate
flaws/client-pathlen path_too_long bad_certificate
flaws/client-issuer-eku ext_key_usage unsupported_certificate
flaws/client-server-eku ext_key_usage unsupported_certificate
flaws/client-no-eku ext_key_usage unsupported_certificate
flaws/client-any-eku ext_key_usage unsupported_certificate
flaws/client-no-signing key_usage unsupported_certificate
flaws/client-is-ca leaf_is_ca bad_certificate
flaws/client-rsa1024 key_too_weak bad_certificate
flaws/client-serial-0 serial_number bad_certificate
flaws/client-version-1 version unsupported_certificate
flaws/client-empty-subject subject_empty bad_certificate
flaws/client-bad-name subject_alt_name bad_certificate
flaws/client-critical critical_extension unsupported_certificate
END
}

@test "every wrong client is refused with its reason, and our client reads the alert, in both versions" {
    while read -r entry reason alert; do
        for v in 1.2 1.3; do
            run -1 --separate-stderr "$MTLS" connect "https://localhost:$PORT/whoami" --as "$entry" --tls "$v" --json
            echo "$entry $v: $output"
            [ "$(json outcome)" = refused_by_server ]
            wait_for logged " refused $reason depth "
            [ "$(json alert)" = "$alert" ]
            wait_for logged "; alert $(json alert) ("
        done
    done < <(refused_clients)
}

@test "nobody is refused: certificate_required in 1.3, handshake_failure in 1.2" {
    run -1 --separate-stderr "$MTLS" connect "https://localhost:$PORT/" --tls 1.3
    [[ $stderr == *"mtls: the server refused us: alert certificate_required (116)"*"mtls: hint: present a certificate"* ]]
    [ -z "$output" ]
    wait_for logged "refused no_certificate depth -1: no certificate was presented; alert certificate_required (116)"
    run -1 --separate-stderr "$MTLS" connect "https://localhost:$PORT/" --tls 1.2
    [[ $stderr == *"mtls: the server refused us: alert handshake_failure (40)"* ]]
    wait_for logged "refused no_certificate depth -1: no certificate was presented; alert handshake_failure (40)"
}

@test "curl and openssl are refused too, and can read why" {
    while read -r entry words; do
        for v in 1.2 1.3; do
            run curl_as "$entry" / "--tlsv$v" --tls-max $v
            echo "$entry $v: $status $output"
            [[ $status == 60 || ($status != 0 && $output == *"alert $words"*) ]] # 60: "expired", in curl's own words
            run s_client "$entry" -tls${v/./_}
            [[ $output == *"alert $words"* && $output != *'"subject"'* ]]
        done
    done << 'END'
clients/mallory certificate revoked
flaws/client-expired certificate expired
flaws/client-stranger unknown ca
flaws/client-server-eku unsupported certificate
flaws/client-is-ca bad certificate
END
    run -56 curl_as - / --tlsv1.3
    [[ $output == *"alert certificate required"* ]]
}

@test "a CRL turns mallory away; without it she is served" {
    serve_start no-crl --ca "$PKI/trust.pem"
    run -0 curl_as clients/mallory /whoami
    [ "$(json subject)" = CN=mallory ]
    serve_stop no-crl
}

@test "the server's revocation lists: stale, missing, forged" {
    while read -r crl reason; do
        serve_start crl --ca "$PKI/trust.pem" --crl "$PKI/$crl"
        run -1 "$MTLS" connect "https://localhost:$PORT/" --as alice
        wait_for logged "refused $reason depth 0"
        serve_stop crl
    done << 'END'
crl-stale.pem crl_stale
crl-root-only.pem crl_missing
crl-forged.pem crl_signature
END
    serve_start crl --ca "$PKI/trust.pem" --crl "$PKI/crl-stale-and-fresh.pem"
    run -0 "$MTLS" connect "https://localhost:$PORT/whoami" --as alice
    serve_stop crl
}

# An openssl server (which presents anything): ENTRY ARGS..; it answers each connection with a page.
s_server() {
    local entry=$1
    shift
    openssl s_server -accept 0 -cert "$PKI/$entry/cert.pem" -cert_chain "$PKI/$entry/fullchain.pem" \
        -key "$PKI/$entry/key.pem" -CAfile "$PKI/trust.pem" -Verify 3 -www "$@" > "$BATS_TEST_TMPDIR/s_server" 2>&1 3>&- &
    S_SERVER=$!
    wait_for grep -q ACCEPT "$BATS_TEST_TMPDIR/s_server"
    PORT=$(sed -n 's/^ACCEPT .*://p' "$BATS_TEST_TMPDIR/s_server") # of its own choice: no other test can have it
}

# In TLS 1.2, openssl does not even try with a certificate that may not sign.
@test "every wrong server is refused with its reason by our client, in both versions; the right one is not" {
    while read -r entry reason versions; do
        s_server "$entry"
        for v in ${versions:-1.2 1.3}; do
            run --separate-stderr "$MTLS" connect "https://localhost:$PORT/" --as alice --tls "$v" --json
            echo "$entry $v: $status $output $stderr"
            if [ "$reason" = ok ]; then
                [ "$status" = 0 ] && [ "$(json outcome)" = served ] && [ "$(json status)" = 200 ]
            else
                [ "$status" = 1 ] && [ "$(json outcome)" = refused_by_us ] && [ "$(json reason)" = "$reason" ]
                [[ $stderr == *"mtls: we refused the server: $reason: "*"mtls: hint: "* ]]
            fi
        done
        kill $S_SERVER
    done << 'END'
servers/localhost ok
servers/rsa ok
flaws/server-revoked cert_revoked
flaws/server-expired cert_expired
flaws/server-future cert_not_yet_valid
flaws/server-expired-ca cert_expired
flaws/server-stranger chain_untrusted
flaws/server-self-signed chain_untrusted
flaws/server-no-intermediate chain_incomplete
flaws/server-not-a-ca not_a_ca
flaws/server-no-certsign key_usage
flaws/server-pathlen path_too_long
flaws/server-client-eku ext_key_usage
flaws/server-no-eku ext_key_usage
flaws/server-any-eku ext_key_usage
flaws/server-no-signing key_usage 1.3
flaws/server-is-ca leaf_is_ca
flaws/server-other-host name_mismatch
flaws/server-cn-only name_mismatch
flaws/server-critical critical_extension
END
}

@test "an openssl server's refusal in TLS 1.3 comes after our handshake and is reported as what it is" {
    for v in 1.2 1.3; do
        s_server servers/localhost -verify_return_error
        run -1 --separate-stderr "$MTLS" connect "https://localhost:$PORT/" --as flaws/client-stranger --tls "$v" --json
        echo "$output"
        [ "$(json outcome)" = refused_by_server ]
        [ "$(json alert)" = unknown_ca ]
        kill $S_SERVER
    done
}

@test "the name asked for counts: by address, by --resolve, and a wrong one" {
    run -0 --separate-stderr "$MTLS" connect "https://127.0.0.1:$PORT/whoami" --as alice
    run -0 --separate-stderr "$MTLS" connect "https://[::1]:$PORT/whoami" --as alice
    run -1 --separate-stderr "$MTLS" connect "https://wrong.example:$PORT/" --as alice --resolve "wrong.example:$PORT:127.0.0.1"
    [[ $stderr == *"we refused the server: name_mismatch: CN=localhost has no subjectAltName for wrong.example"* ]]
    [ -z "$output" ]
}

@test "GET / is a page; HEAD, POST /echo, 404, 405, 400, 413" {
    run -0 curl_as clients/alice / -i
    [[ $output == *"HTTP/1.1 200 OK"*"text/html"*"You are CN=alice,O=Example"* ]]
    run -0 curl_as clients/hostile /
    [[ $output == *'CN=\1B[31mred\0A\&lt;b\&gt;'* && $output != *$'\e'* ]]
    run -0 curl_as clients/alice / -I
    [[ $output == *"HTTP/1.1 200 OK"* && $output != *"<html"* ]]
    run -0 curl_as clients/alice /echo --data-binary 'Hello???' -H 'Content-Type: text/x-greeting' -i
    [[ $output == *"Content-Type: text/x-greeting"*"Hello???" ]]
    head -c 1000000 /dev/urandom > "$BATS_TEST_TMPDIR/million"
    curl_as clients/alice /echo --data-binary "@$BATS_TEST_TMPDIR/million" -o "$BATS_TEST_TMPDIR/back"
    cmp "$BATS_TEST_TMPDIR/million" "$BATS_TEST_TMPDIR/back"
    for v in 1.2 1.3; do
        "$MTLS" connect "https://localhost:$PORT/echo" --as alice --data "@$BATS_TEST_TMPDIR/million" --tls $v \
            -o "$BATS_TEST_TMPDIR/back"
        cmp "$BATS_TEST_TMPDIR/million" "$BATS_TEST_TMPDIR/back"
    done
    code() { curl_as clients/alice "$1" -o /dev/null -w '%{http_code}' "${@:2}"; }
    [ "$(code /nothing)" = 404 ]
    [ "$(code / -X DELETE)" = 405 ]
    [ "$(code /echo)" = 405 ]
    [ "$(code / -H 'Host:')" = 400 ]
    head -c 1100000 /dev/zero > "$BATS_TEST_TMPDIR/more"
    [ "$(code /echo --data-binary "@$BATS_TEST_TMPDIR/more" -H 'Expect:')" = 413 ]
    [ "$(code /echo --data-binary "@$BATS_TEST_TMPDIR/million" -H 'Expect: 100-continue')" = 200 ]
    [ "$(code / -H "X: $(head -c 20000 /dev/zero | tr '\0' a)")" = 431 ]
    run -0 curl_as clients/alice /whoami "https://localhost:$PORT/" -w '%{num_connects} ' -o /dev/null -o /dev/null
    [ "$output" = '1 0 ' ] # the second request uses the first one's connection
}

@test "--raw pipes bytes both ways" {
    run -0 --separate-stderr bash -c "printf 'Hello???' | $MTLS connect localhost:$PORT --as alice --raw"
    [[ $output == "HTTP/1.1 400 Bad Request"* ]]
    run -0 --separate-stderr bash -c "printf 'POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 8\r\nConnection: close\r\n\r\nHello???' |
        $MTLS connect localhost:$PORT --as alice --raw"
    [[ $output == *"Hello???" ]]
    run -1 --separate-stderr bash -c "printf 'Hello???' | $MTLS connect localhost:$PORT --as clients/mallory --raw"
    [[ $stderr == *"alert certificate_revoked (44)"* ]]
    [ -z "$output" ]
}

@test "garbage, plain HTTP, silence and half a handshake harm nobody" {
    run curl -sS --max-time 5 "http://localhost:$PORT/"
    [ "$status" != 0 ]
    wait_for logged "refused handshake: the peer speaks plain HTTP, not TLS"
    head -c 3000 /dev/urandom > "/dev/tcp/127.0.0.1/$PORT" || true
    wait_for logged "refused handshake: no TLS session came about"
    : > "/dev/tcp/127.0.0.1/$PORT"
    wait_for logged "refused handshake: the peer closed the connection without a word"
    exec 7<> "/dev/tcp/127.0.0.1/$PORT" # stays silent while others are served
    printf '\x16\x03\x01\x02\x00\x01' >&7
    run -0 curl_as clients/alice /whoami
    exec 7>&-
    wait_for logged "refused handshake: the peer closed the connection in the middle"
    run -0 curl_as clients/alice /whoami
}

@test "our client gives up on a server that says nothing" {
    mkfifo "$BATS_TEST_TMPDIR/silence"
    openssl s_server -accept 0 -nocert < "$BATS_TEST_TMPDIR/silence" > "$BATS_TEST_TMPDIR/s_server" 2>&1 3>&- &
    S_SERVER=$!
    exec 8> "$BATS_TEST_TMPDIR/silence"
    wait_for grep -q ACCEPT "$BATS_TEST_TMPDIR/s_server"
    PORT=$(sed -n 's/^ACCEPT .*://p' "$BATS_TEST_TMPDIR/s_server")
    kill -STOP $S_SERVER # the kernel still completes its connections
    run -3 "$MTLS" connect "https://localhost:$PORT/" --as alice --timeout 1
    [ "$output" = "mtls: the server said nothing for 1000 ms during the handshake" ]
    kill -CONT $S_SERVER
    exec 8>&-
}

@test "a peer that is silent for ten seconds is turned away" {
    exec 7<> "/dev/tcp/127.0.0.1/$PORT"
    SECONDS=0
    run cat <&7
    exec 7>&-
    [ "$SECONDS" -ge 9 ] && [ "$SECONDS" -le 12 ]
    wait_for logged "limit limits.handshake: the handshake was not complete in time"
}

@test "SIGINT and SIGTERM stop the server cleanly, also with connections open" {
    for signal in INT TERM; do
        local ready=$BATS_TEST_TMPDIR/$signal.port out=$BATS_TEST_TMPDIR/$signal.out server port code=0
        # A shell without job control starts its background processes with SIGINT ignored; env takes that back.
        env --default-signal=INT "$MTLS" serve --port 0 --ready-file "$ready" > /dev/null 2> "$out" 3>&- &
        server=$!
        wait_for test -s "$ready"
        port=$(cat "$ready")
        exec 7<> "/dev/tcp/127.0.0.1/$port" # never shakes hands
        sleep 3 | "$MTLS" connect "localhost:$port" --as alice --raw > /dev/null 2> "$out.client" 3>&- &
        wait_for grep -q secured "$out.client"
        kill "-$signal" $server
        wait $server || code=$?
        [ $code = 0 ]
        grep -q "stopping: SIG$signal, 2 connections open" "$out"
        exec 7>&-
    done
}

@test "files of one's own: --cert --key --ca --crl, and combined.pem" {
    serve_start files --cert "$PKI/servers/localhost/combined.pem" --ca "$PKI/trust.pem" --crl "$PKI/crl.pem"
    run -0 --separate-stderr env -u MTLS_PKI "$MTLS" connect "https://localhost:$PORT/whoami" --cacert "$PKI/trust.pem" \
        --crl "$PKI/crl.pem" --cert "$PKI/clients/bob/combined.pem"
    [ "$(json subject)" = CN=bob ]
    run -1 --separate-stderr env -u MTLS_PKI "$MTLS" connect "https://localhost:$PORT/whoami" \
        --cacert "$PKI/authorities/stranger/cert.pem" --cert "$PKI/clients/bob/combined.pem"
    [[ $stderr == *"we refused the server: chain_incomplete: "* ]]
    serve_stop files
}

@test "mistakes on the command line and in files are said, with their exit codes" {
    run -2 "$MTLS"
    run -2 "$MTLS" conect
    [ "$output" = 'mtls: unknown command "conect" (did you mean connect?); see mtls --help' ]
    run -2 "$MTLS" connect
    run -2 "$MTLS" connect "http://localhost:$PORT/"
    [ "$output" = "mtls: \"http://localhost:$PORT/\" is not an https:// URL" ]
    run -2 "$MTLS" connect "https://localhost:$PORT/" --tls 1.1
    [ "$output" = 'mtls: --tls takes 1.2 or 1.3, not "1.1"' ]
    run -2 "$MTLS" connect "https://localhost:$PORT/" --timeout 0
    [ "$output" = "mtls: --timeout takes 1 to 86400 seconds, not 0" ]
    run -2 "$MTLS" connect "https://localhost:$PORT/" -X 'GET /'
    run -2 "$MTLS" connect "https://localhost:$PORT/" --key x
    [ "$output" = "mtls: --key needs --cert" ]
    run -3 "$MTLS" connect "https://localhost:$PORT/" --as nobody
    [ "$output" = "mtls: $PKI/clients/nobody does not exist; mtls pki makes what its plan names" ]
    run -3 "$MTLS" connect "https://localhost:$PORT/" --pki /nowhere
    [ "$output" = "mtls: there is no PKI in /nowhere; make one: mtls pki -d /nowhere" ]
    run -3 "$MTLS" connect "https://localhost:1/" --as alice
    [[ $output == *"mtls: connecting to localhost port 1: Connection refused" ]]
    run -3 "$MTLS" serve --port "$PORT"
    [[ $output == "mtls: listening on 127.0.0.1 port $PORT: Address already in use" ]]
    run -2 "$MTLS" serve --bind localhost --port 0
    [ "$output" = 'mtls: --bind: "localhost" is not an IP address' ]
    run -3 "$MTLS" serve --port 0 --crl "$PKI/trust.pem"
    [ "$output" = "mtls: --crl: $PKI/trust.pem holds no revocation list" ]
    run -3 "$MTLS" serve --port 0 --cert "$PKI/servers/localhost/cert.pem" --key "$PKI/servers/rsa/key.pem"
    [[ $output == *"does not belong to the first certificate in"* ]]
    run -0 "$MTLS" --help
    run -0 "$MTLS" connect --help
}
