#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# mtls explain: what it tells of each kind of handshake is what it told before, as text and as JSON, in explain/golden:
# KIND/full, resumed and nobody (no client certificate) whole, and in KIND/flaws what is told otherwise than in full of
# each wrong certificate. What varies is masked. The captures are made anew, by the relay.
# tests/e2e/explain/make-golden writes the texts anew, to be read before they are committed.
# shellcheck disable=SC2154
load helpers
load explain

golden=$BATS_TEST_DIRNAME/explain/golden

# A flaw of each group of ca/flaw.def, where a client can have it; and some that a server can have.
clients_flaws=(unknown_issuer missing_intermediate wrong_key rsa_1024 expired not_yet_valid revoked crl_stale server_eku
    issuer_not_ca name_constraint_dns_permitted critical_extension version_1 empty_subject_no_san signature_damaged
    trailing_garbage)
servers_flaws=(unknown_issuer missing_intermediate wrong_key expired revoked client_eku wrong_host_name)

setup_file() {
    cd "$BATS_FILE_TMPDIR" || return 1
    local cases
    cases=$(printf '%s, ' "${clients_flaws[@]}" client_eku wrong_host_name)
    cat >plan.yaml <<END
authorities:
  - {name: root}
  - {name: issuing, issuer: root}
servers:
  - {name: localhost, issuer: issuing, names: [localhost, 127.0.0.1]}
  - {name: rsa, issuer: issuing, names: [localhost], key: rsa-2048}
clients:
  - {name: alice, issuer: issuing, names: [alice@example.com]}
flaws: {issuer: issuing, cases: [${cases%, }]}
END
    "${MTLS:-$BATS_TEST_DIRNAME/../../build/release/mtls}" pki -f plan.yaml >made.log
}

setup() {
    cd "$BATS_TEST_TMPDIR" || return 1
    server_pids=()
    ln -s "$BATS_FILE_TMPDIR/pki" pki
}

# --- what is compared ---

# Who closes first is chance, and so is what was sent before a refusal arrived: alerts and data are not numbered.
mask() {
    sed -E 's/127\.0\.0\.1:[0-9]+/ADDRESS/g; s/^ +[0-9]+\.[0-9]{3} ms/        # ms/
        s/20[0-9]{2}-[0-9-]{5}T[0-9:]{8}(\.[0-9]{3})?Z/TIME/g; s/[0-9a-f]{8,}/HEX/g; s/[0-9]+ octets/# octets/g
        s/(lifetime[" :]+)[0-9]+ s/\1# s/; s/Connection [0-9]+ of [0-9]+/Connection/; s/"(connection|ms|octets)":[0-9.]+/"\1":"#"/g
        s/(client >|server <)(  Alert  # octets, session keys)/one side\2/'
}

# When data comes is chance too: it goes to the end of its step, the client's first.
data_last() {
    awk '/ ApplicationData / { held[/ client > /] = held[/ client > /] $0 "\n"; next }
        /^$/ { printf "%s%s", held[1], held[0]; held[1] = held[0] = "" }
        { print }'
}

# Of the hello of a client that nobody here wrote (openssl, in 12-rsa), what does not depend on its version.
kept='["random", "session_id", "session_ticket", "server_name", "pre_shared_keys", "versions"]'
hello_text() {
    [[ $kind == 12-rsa ]] || { cat && return; }
    awk -v kept="${kept//_/ }" '
        /^    [ 0-9#.]+ ms / { hello = / ClientHello /; keep = 1 }
        hello && /^      [^ ]/ { name = substr($0, 7, 18); sub(/ +$/, "", name); keep = index(kept, "\"" name "\"") }
        !/^      / { hello = 0; keep = 1 }
        !hello || keep'
}

as_text() { # NUMBER
    mtls explain capture.pcap --keys keys.log --connection "$1" >told.tmp 2>>explain.log
    awk 'length($0) > 80 { print "too wide: " $0; bad = 1 } END { exit bad }' told.tmp >&2 || return 1
    hello_text <told.tmp | data_last | mask
}

# A line for the whole, one for each step, and one for each message.
as_json() { # NUMBER
    mtls explain capture.pcap --keys keys.log --json --connection "$1" 2>>explain.log | jq -c --argjson kept "$kept" --arg kind $kind '
        def side: if .message == "Alert" and .type == 0 then .from = "one side" else . end;
        def plain: if $kind == "12-rsa" and .message == "ClientHello" then .fields |= with_entries(select(.key | IN($kept[]))) else . end;
        def loose: .message == "Alert" or .message == "ApplicationData";
        ([.steps[].messages[] | select(loose | not).number] | sort) as $numbers |
        def data: .message == "ApplicationData";
        def data_last: map(select(data | not)) + (map(select(data)) | sort_by(.from));
        def numbered: .number = (.number as $n | $numbers | index($n) | if . then . + 1 else "#" end);
        del(.steps), (.steps[] | del(.messages), (.messages | data_last[] | numbered | side | plain))' | mask
}

is_golden() { # NAME: what was written to told is what is kept
    [[ ${MTLS_GOLDEN-} != write ]] || { mkdir -p "$(dirname "$golden/$1")" && cp told "$golden/$1"; }
    diff -u "$golden/$1" told >difference || fail "$1 is told otherwise: $(cat difference)"
}

whole() { # NAME NUMBER
    as_text "$2" >told
    is_golden "$1.txt"
    as_json "$2" >told
    is_golden "$1.jsonl"
}

# What is told of a flaw and not of a handshake without one; of what is told only there, how many lines.
flaw() { # NAME NUMBER
    local form
    as_text "$2" >now.txt
    as_json "$2" | jq -c 'del(.title, .classic, .start, .connection, .client, .server)' >now.jsonl
    for form in txt jsonl; do
        diff <(grep -v ApplicationData full."$form") <(grep -v ApplicationData now."$form") >differences.tmp || true
        printf '=== %s (%s lines less)\n' "$1" "$(grep -c '^<' differences.tmp)"
        sed -n 's/^> //p' differences.tmp
    done >all.tmp
    awk '/^===/ { n++ } n == 1' all.tmp >>flaws.txt
    awk '/^===/ { n++ } n == 2' all.tmp >>flaws.jsonl
}

# --- the kinds ---

# GET /whoami: as mtls in both versions; with RSA key exchange as openssl, as mtls does not offer it.
call() { # KIND DIRECTORY-OR-- ARGUMENT...
    local as=(--as "$2")
    case $1 in
    12-rsa)
        local who=(-cert "pki/$2/cert.pem" -cert_chain "pki/$2/fullchain.pem" -key "pki/$2/key.pem") library=
        if [[ $2 == - ]]; then
            who=()
        else
            library=${PRESENT_LIBRARY:-$BATS_TEST_DIRNAME/../../build/release/tests/libmtls_present.so}
        fi
        # shellcheck disable=SC2059
        PRESENT=pki/$2/fullchain.pem LD_PRELOAD=$library run timeout 20 openssl s_client \
            -connect "127.0.0.1:$relay_port" -servername localhost -tls1_2 -cipher AES128-GCM-SHA256:@SECLEVEL=0 -quiet \
            -ign_eof -CAfile pki/trust.pem "${who[@]}" "${@:3}" < <(printf "$request")
        ;;
    *)
        [[ $2 != - ]] || as=()
        run mtls connect "https://localhost:$relay_port/whoami" --pki pki --resolve "localhost:$relay_port:127.0.0.1" \
            --tls "1.${1:1:1}" "${as[@]}" "${@:3}"
        ;;
    esac
}

# A session, and what comes of it in the connection after it. mtls gives out none without forward secrecy: there it is
# openssl on both sides.
tells_resumed() { # KIND
    rm -f keys.log
    if [[ $1 == 12-rsa ]]; then
        serve_openssl -Verify 3 -www -cert pki/servers/rsa/cert.pem -key pki/servers/rsa/key.pem \
            -cert_chain pki/servers/rsa/fullchain.pem
        start_relay 2 "$port"
        client_openssl 2 alice -cipher AES128-GCM-SHA256 -sess_out session
        client_openssl 2 alice -cipher AES128-GCM-SHA256 -sess_in session
    else
        serve_kind "$1"
        start_relay 2 "$port"
        call "$1" clients/alice --session session
        call "$1" clients/alice --session session
        says '"resumed": true'
    fi
    end
    whole "$1/resumed" 2
    stop_servers
}

serve_kind() { # KIND
    if [[ $1 == 12-rsa ]]; then
        serve_mtls --as rsa --unsafe-legacy-rsa
    else
        serve_mtls --as localhost
    fi
}

tells_kind() { # KIND
    local kind=$1 flaw number form flaws=("${clients_flaws[@]}")
    [[ $1 != 12-rsa ]] || unset 'flaws[2]' # wrong_key: openssl does not use it
    serve_kind "$1"
    start_relay $((2 + ${#flaws[@]})) "$port"
    call "$1" clients/alice
    says '"subject": "CN=alice"'
    call "$1" -
    for flaw in "${flaws[@]}"; do
        call "$1" "flaws/client-$flaw"
        [[ $output != *'"subject"'* ]] || fail "$flaw was served"
    done
    end
    whole "$1/full" 1
    whole "$1/nobody" 2
    as_text 1 >full.txt
    as_json 1 | jq -c 'del(.title, .classic, .start, .connection, .client, .server)' >full.jsonl
    number=2
    for flaw in "${flaws[@]}"; do
        number=$((number + 1))
        flaw "client: $flaw" $number
    done
    stop_servers
    tells_resumed "$1"
    [[ $1 == 12-rsa ]] || tells_servers "$1"
    for form in txt jsonl; do
        cp flaws.$form told
        is_golden "$1/flaws.$form"
    done
}

tells_servers() { # KIND
    local flaw
    for flaw in "${servers_flaws[@]}"; do
        rm -f keys.log
        serve_mtls --as "flaws/server-$flaw"
        start_relay 1 "$port"
        call "$1" clients/alice
        [[ $output != *'"subject"'* ]] || fail "$flaw was taken for localhost"
        end
        flaw "server: $flaw" 1
        stop_servers
    done
}

@test "TLS 1.2 with RSA key exchange" {
    tells_kind 12-rsa
}

@test "TLS 1.2 with ECDHE" {
    tells_kind 12-ecdhe
}

@test "TLS 1.3" {
    tells_kind 13
}
