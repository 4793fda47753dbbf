#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2154 # bats sets output and stderr
# A server refuses the client. In TLS 1.3 it does so after the client's handshake is complete, perhaps while the request
# is on its way, and is gone then. The client says which alert it was: never that the connection broke, nor that all is
# well. Against servers that nobody here wrote.
load helpers

setup_file() {
    cd "$BATS_FILE_TMPDIR" || return 1
    "$MTLS" pki >made.log
    head -c 3000000 /dev/zero | tr '\0' x >long
}

begin() {
    export MTLS_PKI=$BATS_FILE_TMPDIR/pki
    server=$MTLS_PKI/servers/localhost
}

need() { # PROGRAM
    command -v "$1" >/dev/null || skip "there is no $1 on this machine"
}

openssl_server() {
    cat "$MTLS_PKI/trust.pem" "$MTLS_PKI/crl.pem" >trust-and-lists.pem # of -CRL it reads the first list alone
    start_openssl openssl.log "$server" -CAfile trust-and-lists.pem -crl_check -Verify 5 -verify_return_error -www </dev/null
}

# It takes no port of the kernel's choice, so one is tried after the other.
gnutls_server() {
    local pid
    for port in $(shuf -i 20000-32000 -n 20); do
        gnutls-serv --port "$port" --http --x509certfile "$server/fullchain.pem" --x509keyfile "$server/key.pem" \
            --x509cafile "$MTLS_PKI/trust.pem" --x509crlfile "$MTLS_PKI/crl.pem" --require-client-cert \
            --verify-client-cert >gnutls.log 2>&1 3>&- &
        pid=$!
        server_pids+=("$pid")
        until grep -q 'listening on' gnutls.log || ! kill -0 "$pid" 2>/dev/null; do
            sleep 0.02
        done
        if kill -0 "$pid" 2>/dev/null && ! grep -q 'bind() failed' gnutls.log; then
            return 0
        fi
    done
    fail "gnutls-serv finds no port: $(cat gnutls.log)"
}

refused() { # VERSION ALERTS ARGUMENT...: one of the alerts
    run --separate-stderr "$MTLS" connect "https://localhost:$port/" --tls "$1" --json "${@:3}"
    echo "$* -> $status $output $stderr"
    [[ $status == 1 && $(jq -r .outcome <<<"$output") == refused_by_server ]] || fail "no refusal by the server"
    [[ " $2 " == *" $(jq -r .alert <<<"$output") "* ]] || fail "another alert than $2"
    [[ $stderr == *"mtls: the server refused us: alert $(jq -r .alert <<<"$output") ("* ]] || fail "not told"
}

# Each with nothing to send, with a request, and with more than fits on the way.
refused_always() { # VERSION ALERTS ARGUMENT...
    refused "$@"
    refused "$@" -d x -o /dev/null
    refused "$@" -d "@$BATS_FILE_TMPDIR/long" -o /dev/null
}

served() { # ARGUMENT...
    run -0 --separate-stderr "$MTLS" connect "https://localhost:$port/" --json "$@"
    [[ $(jq -r .status <<<"$output") == 200 ]] || fail "$output"
}

@test "openssl s_server -Verify: revoked, of an unknown CA, without its intermediate, expired, nobody" {
    begin
    openssl_server
    for v in 1.2 1.3; do
        served --as alice --tls "$v"
        refused_always "$v" certificate_revoked --as flaws/client-revoked
        refused_always "$v" unknown_ca --as flaws/client-unknown_issuer
        refused "$v" unknown_ca --as flaws/client-missing_intermediate
        refused "$v" certificate_expired --as flaws/client-expired
    done
    refused_always 1.2 handshake_failure
    refused_always 1.3 certificate_required
}

@test "gnutls-serv: revoked, of an unknown CA, nobody" {
    need gnutls-serv
    begin
    gnutls_server
    for v in 1.2 1.3; do
        served --as alice --tls "$v"
        # gnutls-serv has one alert for whatever it has against a certificate
        refused_always "$v" 'access_denied certificate_revoked bad_certificate' --as flaws/client-revoked
        refused_always "$v" 'access_denied unknown_ca bad_certificate' --as flaws/client-unknown_issuer
    done
    refused_always 1.2 'decode_error handshake_failure no_certificate'
    refused_always 1.3 certificate_required
}

@test "ours: revoked, of an unknown CA, nobody" {
    begin
    start_server server -d "$MTLS_PKI"
    for v in 1.2 1.3; do
        served --as alice --tls "$v"
        refused_always "$v" certificate_revoked --as flaws/client-revoked
        refused_always "$v" unknown_ca --as flaws/client-unknown_issuer
    done
    refused_always 1.2 handshake_failure
    refused_always 1.3 certificate_required
}

# nginx completes the handshake with whomever, and refuses in HTTP; where no HTTP is spoken, it says nothing.
@test "nginx: its refusals are an answer of 400, and -f makes them the program's" {
    need nginx
    begin
    mkdir nginx
    cat >nginx.conf <<END
daemon off;
worker_processes 1;
pid $PWD/nginx/pid;
error_log $PWD/nginx.log info;
events {}
http {
    access_log off;
    client_body_temp_path $PWD/nginx; proxy_temp_path $PWD/nginx; fastcgi_temp_path $PWD/nginx;
    uwsgi_temp_path $PWD/nginx; scgi_temp_path $PWD/nginx;
    server {
        listen unix:$PWD/socket ssl;
        listen 127.0.0.1:PORT ssl;
        ssl_certificate $server/fullchain.pem;
        ssl_certificate_key $server/key.pem;
        ssl_client_certificate $MTLS_PKI/trust.pem;
        ssl_crl $MTLS_PKI/crl.pem;
        ssl_protocols TLSv1.2 TLSv1.3;
        ssl_verify_client on;
        ssl_verify_depth 5;
        client_max_body_size 10m;
        location / { return 200 "hello\n"; }
    }
}
END
    local pid
    for port in $(shuf -i 20000-32000 -n 20); do
        sed "s/PORT/$port/" nginx.conf >nginx.now
        rm -f socket
        nginx -p "$PWD" -c "$PWD/nginx.now" >nginx.out 2>&1 3>&- &
        pid=$!
        server_pids+=("$pid")
        until [[ -s nginx/pid ]] || ! kill -0 "$pid" 2>/dev/null; do
            sleep 0.02
        done
        ! kill -0 "$pid" 2>/dev/null || break
    done
    for v in 1.2 1.3; do
        served --as alice --tls "$v"
        for who in '--as flaws/client-revoked' '--as flaws/client-unknown_issuer' ''; do
            for data in '' '-d x' "-d @$BATS_FILE_TMPDIR/long"; do
                # shellcheck disable=SC2086 # words
                run -1 --separate-stderr "$MTLS" connect "https://localhost:$port/" --tls "$v" --json -f $who $data
                [[ $(jq -r .status <<<"$output") == 400 ]] || fail "$v $who $data: $output"
            done
        done
    done
}
