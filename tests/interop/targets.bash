# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2034,SC2154 # those who source it read its variables; the knobs are read by servers/*.bash
# Servers to try wrong certificates on. servers/NAME.bash says of each how its manual configures it:
#   NAME_version    prints its version; fails when it is not installed here
#   NAME_run        becomes the server, in the current folder, on 127.0.0.1 port $port, for the PKI $pki, in the foreground
# What a server is, and each way in which it can be broken by its configuration, is said by knobs, which are variables:
#   verify          required, or what of the server's own words leaves the door ajar
#   ca, crl         files; crl empty: no list is loaded
#   more            lines or options of the server's own
# A target has a folder of its own, so that many can run at once: target_start FOLDER SERVER [KNOB=VALUE]... sets
# target_pid and port. Those that one shell started are stopped by target_stop_all, each by its own process id.

interop=$(dirname "${BASH_SOURCE[0]}")
# shellcheck source-path=SCRIPTDIR
for target_file in "$interop"/servers/*.bash; do
    # shellcheck source=/dev/null
    . "$target_file"
done
target_pids=()
target_ports=${TMPDIR:-/tmp}/mtls-test-ports.$UID

target_is_there() { # SERVER
    "${1}_version" >/dev/null 2>&1
}

# FOLDER/pki: a root, a CA that issues, a server, a client, and every flaw with its control, whose lists are in crl.pem.
# FOLDER/crl-old.pem is the same, but the lists of root and issuing are of before they have revoked anybody.
target_make_pki() { # FOLDER
    mkdir -p "$1"
    cat >"$1/plan.yaml" <<'PLAN'
authorities:
  - name: root
  - {name: issuing, issuer: root}
servers:
  - {name: localhost, issuer: issuing, names: [localhost, 127.0.0.1]}
clients:
  - {name: alice, issuer: issuing}
PLAN
    "$MTLS" pki -f "$1/plan.yaml" -d "$1/pki" >"$1/pki.log"
    cp "$1/pki/crl.pem" "$1/crl-before.pem"
    printf 'flaws: {issuer: issuing, cases: [all]}\n' >>"$1/plan.yaml"
    "$MTLS" pki -f "$1/plan.yaml" -d "$1/pki" >>"$1/pki.log"
    local root issuing
    root=$(openssl x509 -noout -subject_hash -in "$1/pki/authorities/root/cert.pem")
    issuing=$(openssl x509 -noout -subject_hash -in "$1/pki/authorities/issuing/cert.pem")
    awk 'BEGIN { RS = "-----END X509 CRL-----\n" }
        FILENAME != ARGV[3] { now[$0] = 1; next }
        !($0 in now) { printf "%s%s", $0, RS }' \
        "$1/pki/trust.d/$root.r0" "$1/pki/trust.d/$issuing.r0" "$1/pki/crl.pem" >"$1/crl-old.pem"
    cat "$1/crl-before.pem" >>"$1/crl-old.pem"
}

target_is_open() { # PORT
    (: <"/dev/tcp/127.0.0.1/$1") 2>/dev/null
}

# Most servers cannot choose a port: one below those that the kernel hands out, locked for as long as this shell or the
# server lives, so that no other test takes it too.
target_choose_port() {
    local try lock
    mkdir -p "$target_ports"
    for try in {1..50}; do
        port=$((20000 + RANDOM % 12000))
        exec {lock}>"$target_ports/$port"
        if flock --nonblock "$lock" && ! target_is_open "$port"; then
            return 0
        fi
        exec {lock}>&-
    done
    printf 'no port is free\n' >&2
    return 1
}

target_start() { # FOLDER SERVER [KNOB=VALUE]...
    local folder=$1 server=$2 try
    shift 2
    mkdir -p "$folder"
    for try in 1 2 3; do
        target_choose_port || return 1
        (
            cd "$folder" || exit
            verify=required ca=$pki/trust.pem crl=$pki/crl.pem more='' servers=''
            declare -- "$@" >/dev/null
            exec 3>&-
            "${server}_run"
        ) >"$folder/log" 2>&1 </dev/null &
        target_pid=$!
        target_pids+=("$target_pid")
        ! target_wait "$target_pid" || return 0
    done
    printf '%s would not start: %s\n' "$server" "$(tail -n 5 "$folder/log")" >&2
    return 1
}

target_wait() { # PID: until it listens, ten seconds at most
    local deadline=$((SECONDS + 10))
    while kill -0 "$1" 2>/dev/null && ((SECONDS <= deadline)); do
        ! target_is_open "$port" || return 0
        sleep 0.05
    done
    return 1
}

# With SIGTERM, and after five seconds with SIGKILL.
target_stop() { # PID...
    local pid deadline=$((SECONDS + 5))
    for pid; do
        kill "$pid" 2>/dev/null || true
    done
    for pid; do
        while kill -0 "$pid" 2>/dev/null; do
            ((SECONDS < deadline)) || kill -KILL "$pid" 2>/dev/null || true
            sleep 0.02
        done
        wait "$pid" 2>/dev/null || true
    done
}

target_stop_all() {
    target_stop "${target_pids[@]}"
    target_pids=()
}

# What a run of the probe (its JSON) has against a target: a line "CASE VERSIONS served" or "CASE VERSIONS in doubt",
# sorted. What was not run is not there.
target_findings() { # FILE
    jq -r '[.results[] | select(.case != null and (.verdict == "finding" or .verdict == "inconclusive"))]
        | group_by(.case, .verdict)[]
        | "\(.[0].case) \([.[].version] | sort | join(",")) \(if .[0].verdict == "finding" then .[0].seen else "in doubt" end)"' \
        "$1" | LC_ALL=C sort
}

target_servers='nginx haproxy stunnel apache s_server gnutls_serv lighttpd node' # those that nobody here wrote

# Its version and that of what it speaks TLS with: "1.22.1, OpenSSL 3.0.19".
target_release() { # SERVER
    local library
    case $1 in
    gnutls_serv) library='' ;;
    node) library=", OpenSSL $(node -p process.versions.openssl)" ;;
    s_server) library='' ;;
    *) library=", OpenSSL $(openssl version | cut -d' ' -f2)" ;;
    esac
    printf '%s%s\n' "$("${1}_version")" "$library"
}

# The same without the last part of each version: what is corrected within a series should not change what is refused.
target_series() { # RELEASE
    sed -E 's/([0-9]+\.[0-9]+)[^,]*/\1/g' <<<"$1"
}
