#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Sessions that openssl and gnutls resume: who is served, as whom, and what the server has been told since.
load helpers
load pki

setup_file() {
    cd "$BATS_FILE_TMPDIR" || return 1
    small_pki
}

begin() { # ARGUMENT...: a copy of the PKI, and a server with it
    cp -r "$BATS_FILE_TMPDIR/pki" .
    start_server server -d pki "$@"
}

# GET /whoami by openssl's client, TLS 1.VERSION, with CLIENT's certificate (or none: -). Its answer is in $output.
asks() { # VERSION CLIENT ARGUMENT...
    local version=$1 client=pki/clients/$2 who=()
    [[ $2 == - ]] || who=(-cert "$client/cert.pem" -cert_chain "$client/fullchain.pem" -key "$client/key.pem")
    shift 2
    run timeout 20 openssl s_client -connect "localhost:$port" "-tls1_$version" -servername localhost \
        -CAfile pki/trust.pem -verify_return_error -quiet -ign_eof "${who[@]}" "$@" \
        < <(printf 'GET /whoami HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n')
}

is_served() { # SUBJECT RESUMED
    says "\"subject\": \"$1\""
    says "\"resumed\": $2"
}

is_refused() { # ALERT, as openssl calls it
    says "$1"
    [[ $output != *HTTP/1.1* ]] || fail "was answered: $output"
}

@test "a session is resumed by whoever has it, and is the client's of the first handshake" {
    begin
    for version in 2 3; do
        asks $version alice -sess_out session
        is_served CN=alice false
        for who in alice bob -; do
            asks $version $who -sess_in session
            is_served CN=alice true
        done
        asks $version bob # without the session
        is_served CN=bob false
        asks $version - # without anything
        is_refused 'alert'
    done
    grep -q 'accepted CN=alice .* resumed' server.log
}

@test "who was revoked since then is refused, and told so" {
    begin
    for version in 2 3; do
        asks $version alice -sess_out session.$version
        is_served CN=alice false
    done
    mtls ca revoke alice
    mtls reload --port "$port"
    for version in 2 3; do
        asks $version alice -sess_in session.$version
        is_refused 'certificate revoked'
        asks $version bob -sess_in session.$version
        is_served CN=bob false
    done
}

@test "replicas resume each other's sessions, with the keys of one file and after a restart" {
    mtls ticket-key keys
    printf 'rules: [{allow: any-verified}]\ntls:\n  tickets:\n    key_file: keys\n' >server.yaml
    begin -c server.yaml
    for version in 2 3; do
        asks $version alice -sess_out session.$version
        is_served CN=alice false
    done
    stop_servers
    server_pids=()
    mtls ticket-key --from-now keys
    start_server replica -d pki -c server.yaml
    for version in 2 3; do
        asks $version alice -sess_in session.$version
        is_served CN=alice true
    done
    stop_servers
    server_pids=()
    rm keys
    mtls ticket-key keys
    start_server stranger -d pki -c server.yaml
    for version in 2 3; do
        asks $version alice -sess_in session.$version
        is_served CN=alice false
        asks $version - -sess_in session.$version
        is_refused 'alert'
    done
}

@test "a key that is added while the server runs loses no session" {
    mtls ticket-key keys
    printf 'rules: [{allow: any-verified}]\ntls:\n  tickets:\n    key_file: keys\n' >server.yaml
    begin -c server.yaml
    for version in 2 3; do
        asks $version alice -sess_out session.$version
    done
    mtls ticket-key --from-now keys
    mtls reload --port "$port"
    for version in 2 3; do
        asks $version alice -sess_in session.$version
        is_served CN=alice true
        asks $version alice -sess_out fresh.$version
        asks $version alice -sess_in fresh.$version
        is_served CN=alice true
    done
}

@test "a session is for one server name" {
    begin
    for version in 2 3; do
        asks $version alice -sess_out session
        asks $version alice -sess_in session -servername other.example
        is_served CN=alice false
        asks $version - -sess_in session -servername other.example
        is_refused 'alert'
    done
}

@test "gnutls resumes too" {
    begin
    for version in 2 3; do
        run timeout 20 gnutls-cli --resume --priority "NORMAL:-VERS-ALL:+VERS-TLS1.$version" --x509cafile pki/trust.pem \
            --x509certfile pki/clients/alice/fullchain.pem --x509keyfile pki/clients/alice/key.pem -p "$port" localhost \
            < <(printf 'GET /whoami HTTP/1.1\r\nHost: localhost\r\n\r\n'; sleep 1)
        says 'This is a resumed session'
        is_served CN=alice true
    done
}
