#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# mtls explain against tshark: of each connection, both see the same messages, in the same order, from the same side,
# with the same types and lengths. The connections are between mtls, openssl, gnutls, curl and nginx, each with each, in
# both versions: full, resumed, asked for another hello, and refused by either side.
# shellcheck disable=SC2154,SC2030,SC2031 # explain.bash and bats set them
load helpers
load pki
load explain

setup_file() {
    cd "$BATS_FILE_TMPDIR" || return 1
    small_pki
}

needs() { # PROGRAM...
    local program
    for program in tshark "$@"; do
        command -v "$program" >/dev/null || skip "$program is not installed (scripts/setup --for interop)"
    done
    cp -r "$BATS_FILE_TMPDIR/pki" .
}

# A line a message: the connection, the side, what it is.
seen_by_us() {
    mtls explain capture.pcap --keys keys.log --json | jq -r '(if .connections then .connections[] else . end) |
        .connection as $number | [.steps[].messages[]] | sort_by(.number)[] |
        (if .message == "Alert" then "alert \(.type)"
         elif .message == "ChangeCipherSpec" then "change_cipher_spec"
         elif .message == "Encrypted" then if .type == 22 then "encrypted 22" else empty end
         elif .type then "\(.type) of \(.octets - 4) octets" else empty end) as $what | "\($number) \(.from) \($what)"'
}

# Of the tree of each packet the fields that say the same, in its order.
seen_by_tshark() {
    tshark -r capture.pcap -d "tcp.port==$port,tls" -o tls.keylog_file:keys.log -Y tls -T pdml 2>/dev/null |
        sed -n 's/^ *<field name="\(tcp.srcport\|tcp.stream\|tls.handshake.type\|tls.handshake.length\|tls.change_cipher_spec\|tls.alert_message.desc\)".* show="\([^"]*\)".*/\1 \2/p
            s/^ *<field name="tls.handshake" showname="Handshake Protocol: Encrypted Handshake Message".*/encrypted/p' |
        awk -v server="$port" '
            $1 == "tcp.srcport" { side = $2 == server ? "server" : "client" }
            $1 == "tcp.stream" { connection = $2 + 1 }
            $1 == "tls.handshake.type" { type = $2 }
            $1 == "tls.handshake.length" { print connection, side, type " of " $2 " octets" }
            $1 == "encrypted" { print connection, side, "encrypted 22" }
            $1 == "tls.change_cipher_spec" { print connection, side, "change_cipher_spec" }
            $1 == "tls.alert_message.desc" { print connection, side, "alert " $2 }' |
        sort -s -n -k 1,1
}

# What both see of the `count` connections; and in each of them at least a ServerHello.
agree() { # COUNT
    local number
    end
    seen_by_us >ours
    seen_by_tshark >theirs
    diff -u theirs ours || fail "they differ"
    for ((number = 1; number <= $1; number++)); do
        grep -q "^$number server 2 of " ours || fail "connection $number has no ServerHello: $(cat ours)"
    done
}

# How many of the connections of the last capture are of this kind.
connections() { # JQ-EXPRESSION
    mtls explain capture.pcap --keys keys.log --json | jq "[(if .connections then .connections[] else . end) | select($1)] | length"
}

clients=(mtls openssl gnutls curl)
as_localhost=(-Verify 3 -verify_return_error -www -cert pki/servers/localhost/cert.pem
    -cert_chain pki/servers/localhost/fullchain.pem -key pki/servers/localhost/key.pem)

# The client does not know the issuer of the server's certificate.
client_distrusts() { # CLIENT VERSION
    case $1 in
    mtls) client_mtls "$2" - --cert pki/clients/alice/fullchain.pem --key pki/clients/alice/key.pem --cacert other.pem ;;
    openssl) client_openssl "$2" alice -verify_return_error -CAfile other.pem ;;
    gnutls) client_gnutls "$2" alice --x509cafile other.pem ;;
    curl) client_curl "$2" alice --cacert other.pem ;;
    esac
}

# Each client, in both versions: served, refused as it has no certificate, and refusing the server.
all_clients() {
    local client version count=0
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout other.key -out other.pem \
        -subj /CN=other -days 2 2>/dev/null
    start_relay $((3 * 2 * ${#clients[@]})) "$address"
    for client in "${clients[@]}"; do
        for version in 2 3; do
            client_"$client" $version alice
            client_"$client" $version -
            client_distrusts "$client" $version
        done
    done
    agree $((3 * 2 * ${#clients[@]}))
}

# A third of the connections ends well, a third is refused by the server, a third by the client.
as_meant() { # HOW-THE-SERVER-REFUSES
    local third=$((2 * ${#clients[@]}))
    run connections '.client_certificate_presented and .failed_step == null and all(.steps[].state; . == "done" or . == "instead")'
    [[ $output == "$third" ]] || fail "$output were served, not $third"
    run connections "$1 and .client_certificate_requested and (.client_certificate_presented | not)"
    [[ $output == "$third" ]] || fail "$output were refused by the server, not $third"
    run connections '.failed_step == 3'
    [[ $output == "$third" ]] || fail "$output refused the server, not $third"
    # a server that refuses may never have made the keys for what comes after the certificate
    run connections '.undecrypted and .failed_step != 6'
    [[ $output == 0 ]] || fail "$output are not decrypted"
}

@test "before a server of mtls" {
    needs gnutls-cli curl
    serve_mtls
    all_clients
    as_meant '.failed_step == 6'
}

@test "before a server of openssl" {
    needs gnutls-cli curl
    serve_openssl "${as_localhost[@]}"
    all_clients
    as_meant '.failed_step == 6'
}

@test "before a server of gnutls" {
    needs gnutls-cli gnutls-serv ss curl
    serve_gnutls
    all_clients
    as_meant '.failed_step == 6'
}

@test "before nginx" {
    needs gnutls-cli nginx curl
    serve_nginx
    all_clients
    as_meant '.failed_step == null' # nginx refuses in words of HTTP
}

# mtls and openssl come again with their ticket or session id, and gnutls-cli does so by itself. A server of gnutls does not log
# the secret of a resumed session of TLS 1.2, and gnutls-cli neither: tshark knows it from the connection before.
resumes() { # SERVER
    local version count=6
    [[ $1 == gnutls ]] || count=8
    start_relay $((4 + count)) "$address"
    for version in 2 3; do
        rm -f session kept
        client_mtls $version alice --session kept --key-log keys.log
        client_mtls $version alice --session kept --key-log keys.log
        client_openssl $version alice -sess_out session -keylogfile keys.log
        client_openssl $version alice -sess_in session -keylogfile keys.log
        [[ $1$version == gnutls2 ]] || client_gnutls $version alice --resume
    done
    agree $((4 + count))
    run connections '.resumed and .failed_step == null and .server_name == "localhost" and (.undecrypted | not)'
    [[ $output == "$((2 + count / 2))" ]] || fail "$1: $output were resumed"
    run connections '.resumed | not'
    [[ $output == "$((2 + count / 2))" ]] || fail "$1: $output were not"
}

@test "resumed sessions, before each server" {
    local server
    needs gnutls-cli gnutls-serv ss nginx
    for server in mtls openssl gnutls nginx; do
        rm -f keys.log server.in
        case $server in
        mtls) serve_mtls ;;
        openssl) serve_openssl "${as_localhost[@]}" ;;
        gnutls) serve_gnutls ;;
        nginx) serve_nginx ;;
        esac
        resumes $server
        stop_servers
    done
}

@test "a HelloRetryRequest, between all that do it" {
    local client server
    needs gnutls-cli gnutls-serv ss nginx curl
    for server in openssl gnutls nginx; do
        rm -f keys.log server.in
        case $server in
        openssl) serve_openssl "${as_localhost[@]}" -groups P-384 ;;
        gnutls) serve_gnutls --priority NORMAL:-GROUP-ALL:+GROUP-SECP384R1 ;;
        nginx) serve_nginx 'ssl_ecdh_curve secp384r1;' ;;
        esac
        start_relay ${#clients[@]} "$address"
        for client in "${clients[@]}"; do
            client_"$client" 3 alice
        done
        agree ${#clients[@]}
        run connections '[.steps[0].messages[] | select(.type) | .message] == ["ClientHello", "HelloRetryRequest", "ClientHello"]
            and .failed_step == null and (.undecrypted | not)'
        [[ $output == "${#clients[@]}" ]] || fail "$server: $output were asked for another hello"
        stop_servers
    done
    rm -f keys.log
    serve_mtls
    start_relay 1 "$address"
    client_openssl 3 alice -groups X448:P-256
    agree 1
    run connections '[.steps[0].messages[] | select(.type) | .message] == ["ClientHello", "HelloRetryRequest", "ClientHello"]'
    [[ $output == 1 ]]
}

# Where a field is in its message: the type of the message, what tshark calls the field, offset and length. Of vectors
# we mark the length in front too; the signature of a CertificateVerify has no such field there.
marked_by_us() {
    mtls explain capture.pcap --keys keys.log --json -v | jq -r '{"version": ["version", 0], "random": ["random", 0],
            "verify_data": ["verify_data", 0], "certificate": ["certificate", 3], "signature": ["sig", 2],
            "key_exchange": ["extensions_key_share_key_exchange", 2], "host_name": ["extensions_server_name", 2],
            "lifetime": ["session_ticket_lifetime_hint", 0]} as $called |
        (if .connections then .connections[] else . end) | .connection as $number |
        [.steps[].messages[]] | sort_by(.number)[] | select(.marks and .message != "Alert") | .type as $type |
        .marks[] |
        $called[if .name == "signature" and $type == 15 then "" else .name end] as $called | select($called) |
        "\($number) \($type) \($called[0]) \(.at + $called[1]) \(.octets - $called[1])"' | sort
}

marked_by_tshark() {
    tshark -r capture.pcap -d "tcp.port==$port,tls" -o tls.keylog_file:keys.log -Y tls -T pdml 2>/dev/null |
        sed -n 's/^ *<field name="\(tcp.stream\|tls.handshake.[a-z_]*\)".* size="\([0-9]*\)" pos="\([0-9]*\)" show="\([^"]*\)".*/\1 \2 \3 \4/p' |
        awk '
            BEGIN { split("version random verify_data certificate sig extensions_key_share_key_exchange extensions_server_name session_ticket_lifetime_hint", names)
                    for (i in names) wanted["tls.handshake." names[i]] = names[i] }
            $1 == "tcp.stream" { connection = $4 + 1 }
            $1 == "tls.handshake.type" { type = $4; base = $3 }
            $1 in wanted { print connection, type, wanted[$1], $3 - base, $2 }' | sort
}

@test "tshark sees the fields where they are marked" {
    local version
    needs
    serve_mtls
    start_relay 2 "$address"
    for version in 2 3; do
        client_openssl $version alice
    done
    end
    marked_by_us >ours
    marked_by_tshark >theirs
    diff -u theirs ours || fail "they differ"
    (($(wc -l <ours) > 25)) || fail "too few: $(cat ours)"
}
