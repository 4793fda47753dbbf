# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2034 # those who source it read its variables
# Servers to measure, each configured as its manual says, in the current folder and on one PKI (./pki): a certificate is
# required of clients, revocation lists are loaded, one worker. start_NAME sets server_pid and port.

server_pid='' port='' backend_port=''
mtls_options=() # more, for mtls serve
started=()

say() {
    printf 'bench: %s\n' "$*" >&2
}

make_pki() { # CLIENTS
    cat >plan.yaml <<PLAN
authorities:
  - name: root
  - {name: issuing, issuer: root}
servers:
  - {name: localhost, issuer: issuing, names: [localhost, 127.0.0.1]}
clients:
  - {name: "client-{n}", issuer: issuing, copies: $1}
PLAN
    "$MTLS" pki -f plan.yaml -d pki >pki.log
    seq -f 'clients/client-%.0f' "$1" >good
}

# Most of them cannot choose a port themselves: one below those that the kernel hands out, until it is free.
start_on_some_port() { # COMMAND...: with $port in the environment; ready when something listens there
    local try
    for try in 1 2 3 4 5 6 7 8 9 10; do
        port=$((20000 + RANDOM % 12000))
        ! is_open "$port" || continue
        port=$port "$@" >"${FUNCNAME[1]}.log" 2>&1 &
        server_pid=$!
        started+=("$server_pid")
        while kill -0 "$server_pid" 2>/dev/null; do
            ! is_open "$port" || return 0
            sleep 0.05
        done
    done
    say "${FUNCNAME[1]}: it would not start: $(tail -n 3 "${FUNCNAME[1]}.log")"
    return 1
}

is_open() { # PORT
    (: <"/dev/tcp/127.0.0.1/$1") 2>/dev/null
}

start_with_ready_file() { # NAME COMMAND...
    local name=$1 deadline=$((SECONDS + 20))
    shift
    rm -f "$name.ready"
    "$@" >"$name.log" 2>&1 &
    server_pid=$!
    started+=("$server_pid")
    until [[ -s $name.ready ]]; do
        if ! kill -0 "$server_pid" 2>/dev/null || ((SECONDS > deadline)); then
            say "$name did not start: $(tail -n 3 "$name.log")"
            return 1
        fi
        sleep 0.05
    done
    port=$(grep -oE '[0-9]+$' "$name.ready")
}

stop_server() { # the last one
    local pid=$server_pid
    unset 'started[-1]'
    kill "$pid"
    wait "$pid" || true
}

stop_started() {
    local pid
    for pid in "${started[@]}"; do
        kill "$pid" 2>/dev/null || true
    done
    for pid in "${started[@]}"; do
        wait "$pid" 2>/dev/null || true
    done
    started=()
}

start_mtls() {
    start_with_ready_file mtls "$MTLS" serve -d pki --root www "${mtls_options[@]}" --port 0 --ready-file mtls.ready
}

start_minimal() {
    start_with_ready_file minimal "$BENCH/bench_minimal_server" minimal.ready pki/servers/localhost/fullchain.pem \
        pki/servers/localhost/key.pem pki/trust.pem pki/crl.pem www/download
}

# https://nginx.org/en/docs/http/ngx_http_ssl_module.html; plain HTTP, it is what the proxies among them pass on to
run_nginx() { # [plain]
    local folder=$PWD/nginx${1+-$1}
    mkdir -p "$folder"
    cat >"$folder/nginx.conf" <<CONF
daemon off;
worker_processes 1;
worker_rlimit_nofile 65536;
$( ((EUID != 0)) || printf 'user root;')
pid $folder/pid;
error_log $folder/error.log;
events { worker_connections 20000; }
http {
    access_log off;
    client_body_temp_path $folder/t; proxy_temp_path $folder/t; fastcgi_temp_path $folder/t;
    uwsgi_temp_path $folder/t; scgi_temp_path $folder/t;
    keepalive_requests 100000000;
    server {
$(if [[ ${1-} == plain ]]; then
        printf 'listen 127.0.0.1:%d;' "$port"
    else
        cat <<SSL
        listen 127.0.0.1:$port ssl;
        ssl_protocols TLSv1.2 TLSv1.3;
        ssl_certificate $PWD/pki/servers/localhost/fullchain.pem;
        ssl_certificate_key $PWD/pki/servers/localhost/key.pem;
        ssl_client_certificate $PWD/pki/trust.pem;
        ssl_crl $PWD/pki/crl.pem;
        ssl_verify_client on;
        ssl_verify_depth 2;
        ssl_session_cache shared:SSL:10m;
SSL
    fi)
        location = /whoami { default_type application/json; return 200 '{"subject": "\$ssl_client_s_dn"}'; }
        location / { root $PWD/www; }
    }
}
CONF
    exec nginx -p "$folder" -c "$folder/nginx.conf"
}

start_nginx() {
    start_on_some_port run_nginx
}

start_backend() {
    start_on_some_port run_nginx plain
    backend_port=$port
}

# https://docs.haproxy.org/2.6/configuration.html
run_haproxy() {
    cat pki/servers/localhost/fullchain.pem pki/servers/localhost/key.pem >haproxy.pem
    cat >haproxy.cfg <<CONF
global
    nbthread 1
defaults
    mode http
    timeout connect 5s
    timeout client 60s
    timeout server 60s
frontend secured
    bind 127.0.0.1:$port ssl crt haproxy.pem ca-file pki/trust.pem crl-file pki/crl.pem verify required ssl-min-ver TLSv1.2
    http-request return status 200 content-type application/json lf-string '{"subject": "%[ssl_c_s_dn(,0,rfc2253)]"}' if { path /whoami }
    default_backend plain
backend plain
    server nginx 127.0.0.1:$backend_port
CONF
    exec haproxy -f haproxy.cfg
}

start_haproxy() {
    start_on_some_port run_haproxy
}

# stunnel(8)
run_stunnel() {
    cat >stunnel.conf <<CONF
foreground = yes
pid =
debug = warning
[secured]
accept = 127.0.0.1:$port
connect = 127.0.0.1:$backend_port
cert = pki/servers/localhost/fullchain.pem
key = pki/servers/localhost/key.pem
CAfile = pki/trust.pem
CRLfile = pki/crl.pem
verifyChain = yes
sslVersionMin = TLSv1.2
libwrap = no
TIMEOUTclose = 0
CONF
    exec stunnel4 stunnel.conf
}

start_stunnel() {
    start_on_some_port run_stunnel
}

# The process and those below it.
process_tree() { # PID
    local child
    printf '%s\n' "$1"
    cat "/proc/$1"/task/*/children 2>/dev/null | tr ' ' '\n' | while read -r child; do
        process_tree "$child"
    done
}

# Time on a processor of all of them so far, in microseconds: by the scheduler's clock, or where that is not to be had by
# the kernel's ticks of 10 ms, at which whoever sleeps often is seldom seen.
cpu_us() { # PID
    local pid
    if [[ -r /proc/$1/schedstat && $(cat "/proc/$1/schedstat") != '0 0 0' ]]; then
        for pid in $(process_tree "$1"); do
            cat "/proc/$pid"/task/*/schedstat
        done | awk '{ sum += $1 } END { printf "%d\n", sum / 1000 }'
        return
    fi
    for pid in $(process_tree "$1"); do
        sed 's/.*) //' "/proc/$pid/stat" # its name may hold anything
    done | awk -v tick="$(getconf CLK_TCK)" '{ sum += $12 + $13 } END { printf "%d\n", sum * 1000000 / tick }'
}

# Memory of all of them: the proportional share, so that what they share is counted once. KiB. Sockets are the kernel's.
memory_kib() { # PID
    local pid
    for pid in $(process_tree "$1"); do
        cat "/proc/$pid/smaps_rollup"
    done | awk '$1 == "Pss:" { sum += $2 } END { print sum + 0 }'
}
