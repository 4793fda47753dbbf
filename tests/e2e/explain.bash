# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154,SC2034 # bats and helpers.bash set some variables, the tests read others
# For the tests of mtls explain: servers whose keys are in keys.log, the relay before them, and clients. All of it is in
# the current folder, as is the PKI of small_pki.

RELAY=${RELAY:-$BATS_TEST_DIRNAME/../../build/release/tests/interop/explain/relay}
KEY_LOG_LIBRARY=${KEY_LOG_LIBRARY:-$BATS_TEST_DIRNAME/../../build/release/tests/interop/explain/libmtls_key_log.so}
request='GET /whoami HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n'

# True as soon as the command is; false after ten seconds.
within_time() { # COMMAND...
    local deadline=$((SECONDS + 10))
    until "$@"; do
        ((SECONDS < deadline)) || return 1
        sleep 0.02
    done
}

# --- the relay, at $relay_port: it captures `count` connections to capture.pcap ---

start_relay() { # COUNT PORT-OR-SOCKET
    rm -f relay.port
    "$RELAY" capture.pcap "$2" relay.port "$1" 3>&- &
    relay_pid=$!
    server_pids+=("$relay_pid")
    within_time test -s relay.port || fail "the relay does not listen" || return 1
    relay_port=$(<relay.port)
}

end() { # the capture is whole
    wait "$relay_pid"
}

# --- servers; arguments are the program's own. They set `port`: of nginx it is the one that the capture says ---

serve_mtls() { # ARGUMENT...
    start_server server -d pki --unsafe-key-log keys.log "$@"
    address=$port
}

serve_openssl() { # ARGUMENT...
    mkfifo server.in
    openssl s_server -accept 127.0.0.1:0 -CAfile pki/trust.pem -keylogfile keys.log "$@" \
        >server.log 2>&1 3>&- 0<>server.in & # which never ends
    server_pids+=("$!")
    within_time grep -q ^ACCEPT server.log || fail "openssl's server does not listen" || return 1
    port=$(sed -n 's/^ACCEPT.*:\([0-9]*\)$/\1/p' server.log)
    address=$port
}

serve_gnutls() { # ARGUMENT...
    local found=listening pid
    SSLKEYLOGFILE=keys.log gnutls-serv -p 0 --http --require-client-cert --x509cafile pki/trust.pem \
        --x509certfile pki/servers/localhost/fullchain.pem --x509keyfile pki/servers/localhost/key.pem "$@" \
        >server.log 2>&1 3>&- </dev/null &
    pid=$!
    server_pids+=("$pid")
    within_time grep -q 'IPv4.*done' server.log || fail "gnutls's server does not listen" || return 1
    port=$(ss -H -4 -l -t -n -p | sed -n "s/.*:\([0-9]*\) .*pid=$pid,.*/\1/p")
    [[ -n $port ]] || fail "$found: gnutls's server cannot be found" || return 1
    address=$port
}

serve_nginx() { # LINE...: of the configuration
    cat >nginx.conf <<CONF
daemon off;
master_process off;
pid $PWD/nginx.pid;
error_log $PWD/server.log info;
events { worker_connections 64; }
http {
    access_log off;
    client_body_temp_path $PWD/t; proxy_temp_path $PWD/t; fastcgi_temp_path $PWD/t;
    uwsgi_temp_path $PWD/t; scgi_temp_path $PWD/t;
    server {
        listen unix:nginx.socket ssl;
        ssl_protocols TLSv1.2 TLSv1.3;
        ssl_certificate $PWD/pki/servers/localhost/fullchain.pem;
        ssl_certificate_key $PWD/pki/servers/localhost/key.pem;
        ssl_client_certificate $PWD/pki/trust.pem;
        ssl_verify_client on;
        ssl_verify_depth 2;
        ssl_session_cache shared:SSL:1m;
        $*
        location / { return 200 '{"subject": "\$ssl_client_s_dn"}'; }
    }
}
CONF
    KEY_LOG=$PWD/keys.log LD_PRELOAD=$KEY_LOG_LIBRARY nginx -p "$PWD" -c "$PWD/nginx.conf" >nginx.log 2>&1 3>&- &
    server_pids+=("$!")
    within_time test -S nginx.socket || fail "nginx does not listen: $(cat nginx.log server.log)" || return 1
    address=nginx.socket
    port=443
}

# --- clients: GET /whoami through the relay, with NAME's certificate, or none: - ---

client_mtls() { # VERSION NAME ARGUMENT...
    local who=(--as "$2")
    [[ $2 != - ]] || who=()
    run mtls connect "https://localhost:$relay_port/whoami" --pki pki --resolve "localhost:$relay_port:127.0.0.1" \
        --tls "1.$1" "${who[@]}" "${@:3}"
}

client_openssl() { # VERSION NAME ARGUMENT...
    local who=(-cert "pki/clients/$2/cert.pem" -cert_chain "pki/clients/$2/fullchain.pem" -key "pki/clients/$2/key.pem")
    [[ $2 != - ]] || who=()
    # shellcheck disable=SC2059
    run timeout 20 openssl s_client -connect "127.0.0.1:$relay_port" -servername localhost "-tls1_$1" -quiet \
        -ign_eof -CAfile pki/trust.pem "${who[@]}" "${@:3}" < <(printf "$request")
}

client_gnutls() { # VERSION NAME ARGUMENT...
    local who=(--x509certfile "pki/clients/$2/fullchain.pem" --x509keyfile "pki/clients/$2/key.pem")
    [[ $2 != - ]] || who=()
    # shellcheck disable=SC2059
    run timeout 20 gnutls-cli --priority "NORMAL:-VERS-ALL:+VERS-TLS1.$1" -p "$relay_port" --x509cafile pki/trust.pem \
        --no-ocsp "${who[@]}" "${@:3}" localhost < <(printf "$request" && sleep 1)
}

client_curl() { # VERSION NAME ARGUMENT...
    local who=(--cert "pki/clients/$2/fullchain.pem" --key "pki/clients/$2/key.pem")
    [[ $2 != - ]] || who=()
    run curl -sS --max-time 20 "--tlsv1.$1" --tls-max "1.$1" --cacert pki/trust.pem "${who[@]}" \
        --resolve "localhost:$relay_port:127.0.0.1" "${@:3}" "https://localhost:$relay_port/whoami"
}

# --- what is told ---

explains() { # ARGUMENT...
    run -0 --separate-stderr mtls explain capture.pcap --keys keys.log "$@"
}

has() { # JQ-EXPRESSION: it is true of the explanation
    jq -e "$1" <<<"$output" >/dev/null || fail "not so: $1 in: $(jq -c '[.verdict, (.steps[] | [.state, [.messages[].message]])]' <<<"$output")"
}
