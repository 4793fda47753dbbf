#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Whoever is refused can read why: clients that nobody here wrote receive the alert of reason.def, in both versions;
# and each of them is served with the control, so that it was the flaw that they were refused for.
# shellcheck disable=SC2154,SC2034 # helpers.bash sets and reads them
load helpers

setup_file() {
    cd "$BATS_FILE_TMPDIR" || return 1
    "${MTLS:-$BATS_TEST_DIRNAME/../../build/release/mtls}" pki -d pki >/dev/null
    mix_key pki/flaws/client-wrong_key
}

# Clients refuse to use a key that does not belong to their certificate. So the key file of the directory is made to
# hold the public key of the certificate beside the private key that it has (RFC 5915).
mix_key() { # DIRECTORY
    local public private
    public=$(openssl x509 -in "$1/cert.pem" -noout -pubkey | openssl pkey -pubin -outform DER | tail -c 65 |
        od -An -v -tx1 | tr -d ' \n')
    private=$(openssl pkey -in "$1/key.pem" -noout -text | sed -n '/^priv/,/^pub/{//!p}' | tr -d ' :\n' | tail -c 64)
    printf '%s\n' asn1=SEQUENCE:key '[key]' version=INTEGER:1 "private=FORMAT:HEX,OCTETSTRING:$private" \
        curve=EXPLICIT:0,OID:prime256v1 "public=EXPLICIT:1,FORMAT:HEX,BITSTRING:$public" >mixed.conf
    openssl asn1parse -genconf mixed.conf -noout -out mixed.der
    chmod u+w "$1/key.pem"
    printf '%s\n' '-----BEGIN EC PRIVATE KEY-----' "$(base64 mixed.der)" '-----END EC PRIVATE KEY-----' >"$1/key.pem"
}

# Runs in the PKI.
setup() {
    cd "$BATS_FILE_TMPDIR/pki" || return 1
    server_pids=()
    log=$BATS_TEST_TMPDIR/client
    start_server main -d .
}

request='GET /whoami HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n'
versions=(1.2 1.3)

# Each flaw of a client with the reason that it must be refused for.
flaws() {
    jq -r '.artefacts[] | select(.flaw.side == "client" and (.flaw.control | not)) | ["flaws/" + .name, .expect.reason] | @tsv' \
        manifest.json
}

# The number of the alert that belongs to a reason in this version of TLS.
alert_of() { # REASON VERSION
    local constant
    constant=$(sed -n "s/^REASON($1, .*, ALERT_\([A-Z_]*\), [0-9]*)\$/\1/p" "$BATS_TEST_DIRNAME/../../src/base/reason.def")
    [[ $constant != CERTIFICATE_REQUIRED || $2 == 1.3 ]] || constant=HANDSHAKE_FAILURE # RFC 5246 section 7.4.6
    sed -n "s/^ALERT($constant, [a-z_]*, \([0-9]*\), .*)\$/\1/p" "$BATS_TEST_DIRNAME/../../src/base/alert.def"
}

# Each client acts as the entry in a directory, or as nobody if there is no certificate in it. It prints the number of
# the alert that it got (curl: OpenSSL's words for it), or whom it was served as.
openssl_as() { # DIRECTORY VERSION
    local who=() library=
    if [[ -e $1/cert.pem ]]; then
        who=(-cert "$1/cert.pem" -cert_chain "$1/fullchain.pem" -key "$1/key.pem")
        library=${PRESENT_LIBRARY:-$BATS_TEST_DIRNAME/../../build/release/tests/libmtls_present.so} # the octets as they are
    fi
    # shellcheck disable=SC2059
    printf "$request" | PRESENT=$1/fullchain.pem LD_PRELOAD=$library timeout 10 openssl s_client \
        -connect "localhost:$port" -servername localhost -CAfile trust.pem -verify_return_error -ign_eof \
        -cipher DEFAULT@SECLEVEL=0 "-tls${2/./_}" "${who[@]}" >"$log" 2>&1
    sed -n 's/.*alert number \([0-9]*\)$/\1/p; s/^  "subject": \(.*\),$/\1/p' "$log" | head -n 1
}

gnutls_as() { # DIRECTORY VERSION
    local who=()
    [[ ! -e $1/cert.pem ]] || who=(--x509certfile "$1/fullchain.pem" --x509keyfile "$1/key.pem")
    # shellcheck disable=SC2059
    printf "$request" | timeout 10 gnutls-cli -p "$port" localhost --x509cafile trust.pem --no-ocsp \
        --priority "NORMAL:-VERS-ALL:+VERS-TLS$2" "${who[@]}" >"$log" 2>&1
    sed -n 's/^\*\*\* Received alert \[\([0-9]*\)\].*/\1/p; s/^  "subject": \(.*\),$/\1/p' "$log" | head -n 1
}

curl_as() { # DIRECTORY VERSION
    local who=()
    [[ ! -e $1/cert.pem ]] || who=(--cert "$1/fullchain.pem" --key "$1/key.pem")
    curl -sS --max-time 10 --cacert trust.pem "${who[@]}" "--tlsv$2" --tls-max "$2" \
        "https://localhost:$port/whoami" >"$log" 2>&1
    sed -n 's/^curl: .*alert \([a-z ]*\).*/\1/p; s/^  "subject": \(.*\),$/\1/p' "$log" | head -n 1
}

@test "openssl reads the alert of every flaw, in both versions, and is served with its control" {
    local directory reason version expected got wrong=() count=0
    while read -r directory reason; do
        for version in "${versions[@]}"; do
            count=$((count + 1))
            # TLS 1.3 has no signatures on P-192 (RFC 8446 section 4.2.3), so openssl presents no such certificate.
            [[ $directory$version != */client-weak_curve1.3 ]] || reason=no_certificate
            expected=$(alert_of "$reason" "$version")
            got=$(openssl_as "$directory" "$version")
            [[ -n $expected && $got == "$expected" ]] || wrong+=("$directory $version $reason: $got, not $expected;")
            got=$(openssl_as "$directory/control" "$version")
            [[ $got == '"'* ]] || wrong+=("$directory/control $version: $got;")
        done
    done < <(flaws)
    ((${#wrong[@]} == 0)) || fail "${wrong[@]}"
    ((count >= 2 * 80))
}

# One flaw for each alert, the alert in TLS 1.2 and 1.3, and OpenSSL's words where they are the same in both.
sample() {
    cat <<'END'
no_certificate 40 116
ca_as_leaf 42 42 bad certificate
server_eku 43 43 unsupported certificate
revoked 44 44 certificate revoked
expired 45 45
self_signed 48 48 unknown ca
wrong_key 51 51 decrypt error
END
}

@test "gnutls reads each alert, in both versions, and is served with the control" {
    local flaw alert_12 alert_13 words
    while read -r flaw alert_12 alert_13 words; do
        [[ $(gnutls_as "flaws/client-$flaw" 1.2) == "$alert_12" ]] || fail "$flaw 1.2: $(<"$log")"
        [[ $(gnutls_as "flaws/client-$flaw" 1.3) == "$alert_13" ]] || fail "$flaw 1.3: $(<"$log")"
        for version in "${versions[@]}"; do
            [[ $(gnutls_as "flaws/client-$flaw/control" "$version") == "\"CN=$flaw,"* ]] || fail "$flaw: $(<"$log")"
        done
    done < <(sample)
}

@test "curl reads each alert, in both versions, and is served with the control" {
    local flaw alert_12 alert_13 words version
    while read -r flaw alert_12 alert_13 words; do
        for version in "${versions[@]}"; do
            [[ -z $words || $(curl_as "flaws/client-$flaw" "$version") == "$words" ]] || fail "$flaw $version: $(<"$log")"
            [[ $(curl_as "flaws/client-$flaw/control" "$version") == "\"CN=$flaw,"* ]] || fail "$flaw: $(<"$log")"
        done
    done < <(sample)
    [[ $(curl_as nobody 1.2) == 'handshake failure' ]] || fail "$(<"$log")"
    [[ $(curl_as nobody 1.3) == 'certificate required' ]] || fail "$(<"$log")"
    [[ $(curl_as flaws/client-expired 1.3) == 'certificate expired' ]] || fail "$(<"$log")"
    run curl_as flaws/client-expired 1.2
    grep -q '^curl: (60) ' "$log" || fail "$(<"$log")" # curl has its own word for it
}
