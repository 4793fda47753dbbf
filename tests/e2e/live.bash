# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154,SC2034 # helpers.bash and bats set some variables, the tests read others
# For the tests of a running server: connections that stay open, and what the server's log says about them.

PEERS=${PEERS:-$BATS_TEST_DIRNAME/../../build/release/tests/peers/peers}

log_says() { # TEXT
    grep -qF -- "$1" server.log
}

log_counts() { # NUMBER TEXT
    [[ $(grep -cF -- "$2" server.log) == "$1" ]]
}

out_says() { # NAME TEXT: of the open connection
    grep -qF -- "$2" "$1.out"
}

# An openssl client that stays connected as CLIENT, in the background. What it gets is in NAME.out.
live() { # NAME CLIENT ARGUMENT...
    local name=$1 client=pki/clients/$2
    shift 2
    mkfifo "$name.fifo"
    openssl s_client -connect "localhost:$port" -servername localhost -CAfile pki/trust.pem -verify_return_error \
        -cert "$client/cert.pem" -cert_chain "$client/fullchain.pem" -key "$client/key.pem" -quiet -no_ign_eof "$@" \
        <"$name.fifo" >"$name.out" 2>&1 3>&- &
    server_pids+=("$!")
    eval "live_pid_$name=$!"
    eval "exec {live_fd_$name}>$name.fifo"
    eval "live_count_$name=0"
    live_asks "$name"
}

# One more request on it, which is answered.
live_asks() { # NAME
    local fd=live_fd_$1 count=live_count_$1
    printf 'GET /whoami HTTP/1.1\r\nHost: localhost\r\n\r\n' >&"${!fd}"
    eval "$count=$((${!count} + 1))"
    wait_for live_answered "$1" "${!count}"
}

live_answered() { # NAME COUNT
    [[ $(grep -c '^HTTP/1.1 200 ' "$1.out") == "$2" ]]
}

live_ended() { # NAME
    local pid=live_pid_$1
    ! kill -0 "${!pid}" 2>/dev/null
}

# One request by a client of ours; the output is the answer.
asks_as() { # CLIENT ARGUMENT...
    mtls connect "$url/whoami" --as "$@"
}

generation_is() { # NUMBER
    mtls reload --port "$port" --status | grep -q "^generation $1,"
}
