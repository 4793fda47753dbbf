# SPDX-License-Identifier: Apache-2.0
# A PKI in the layout of `mtls pki`, made by openssl alone, so that what we verify was made by somebody else.
# shellcheck shell=bash

# Keys are expensive and nothing here depends on them being different, so leaves share one.
pki_begin() { # DIR
    PKI=$1
    mkdir -p "$PKI"/{authorities,servers,clients,flaws}
    openssl ecparam -name prime256v1 -genkey -noout -out "$PKI/leaf.key"
}

# A CA: NAME SUBJECT ISSUER|- [EXTENSIONS [FAKETIME [DAYS]]]
pki_ca() {
    local dir=$PKI/authorities/$1 extensions=${4:-'basicConstraints=critical,CA:TRUE
keyUsage=critical,keyCertSign,cRLSign'}
    mkdir -p "$dir"
    openssl ecparam -name prime256v1 -genkey -noout -out "$dir/key.pem"
    pki_sign "$dir" "$2" "$3" "$extensions" "${5:-now}" "${6:-3650}" "$dir/key.pem"
    : > "$dir/index.txt"
    echo 1000 > "$dir/crlnumber"
    cat > "$dir/ca.cnf" <<CNF
[ca]
default_ca = this
[this]
database = $dir/index.txt
crlnumber = $dir/crlnumber
default_md = sha256
CNF
}

# A leaf: DIR-BELOW-PKI SUBJECT ISSUER EXTENSIONS [FAKETIME [DAYS [KEY]]]
pki_leaf() {
    local dir=$PKI/$1 key=${7:-$PKI/leaf.key}
    mkdir -p "$dir"
    cp "$key" "$dir/key.pem"
    pki_sign "$dir" "$2" "$3" "$4" "${5:-now}" "${6:-365}" "$key"
}

pki_sign() { # DIR SUBJECT ISSUER|- EXTENSIONS FAKETIME DAYS KEY
    local dir=$1 issuer=$PKI/authorities/$3 when=() signer with=(-extfile "$1/ext.cnf")
    [ -z "${VERSION1:-}" ] || with=() # openssl makes version 1 when there are no extensions
    [ "$5" = now ] || when=(faketime -f "$5")
    printf 'subjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n%s\n' "$4" | grep -v '^none$' > "$dir/ext.cnf"
    openssl req -new -key "$7" -subj "$2" -out "$dir/req.pem" 2> /dev/null
    if [ "$3" = - ]; then
        signer=(-key "$7")
    else
        signer=(-CA "$issuer/cert.pem" -CAkey "$issuer/key.pem")
    fi
    "${when[@]}" openssl x509 -req -in "$dir/req.pem" "${signer[@]}" -days "$6" "-${DIGEST:-sha256}" \
        -set_serial "${SERIAL:-0x$(openssl rand -hex 16 | sed 's/^./5/')}" "${with[@]}" \
        -out "$dir/cert.pem" 2> /dev/null
    cp "$dir/cert.pem" "$dir/fullchain.pem"
    # Everything up to the root, which the other side has to know.
    if [ "$3" != - ] && [ "$3" != root ]; then
        cat "$issuer/fullchain.pem" >> "$dir/fullchain.pem"
    fi
    cat "$dir/key.pem" "$dir/fullchain.pem" > "$dir/combined.pem"
}

# Revokes DIR-BELOW-PKI at ISSUER; pki_crl makes it known.
pki_revoke() {
    local ca=$PKI/authorities/$2
    openssl ca -config "$ca/ca.cnf" -cert "$ca/cert.pem" -keyfile "$ca/key.pem" -revoke "$PKI/$1/cert.pem" 2> /dev/null
}

# The list of ISSUER on stdout; more arguments go to openssl, FAKETIME before it.
pki_crl() { # ISSUER [FAKETIME]
    local ca=$PKI/authorities/$1 when=()
    [ "${2:-now}" = now ] || when=(faketime -f "$2")
    "${when[@]}" openssl ca -config "$ca/ca.cnf" -cert "$ca/cert.pem" -keyfile "$ca/key.pem" -gencrl -crldays 30 \
        2> /dev/null
}

CLIENT_EXT='basicConstraints=critical,CA:FALSE
keyUsage=critical,digitalSignature
extendedKeyUsage=clientAuth'
SERVER_EXT='basicConstraints=critical,CA:FALSE
keyUsage=critical,digitalSignature
extendedKeyUsage=serverAuth'
LOCALHOST='subjectAltName=DNS:localhost,IP:127.0.0.1,IP:::1'

# The whole of it: what the tests of pair.bats need.
pki_make() { # DIR
    pki_begin "$1"
    pki_ca root '/CN=Test Root' -
    pki_ca issuing '/CN=Test Issuing CA' root
    pki_ca stranger '/CN=Stranger Root' -
    pki_ca stranger-issuing '/CN=Stranger Issuing CA' stranger
    pki_ca expired-ca '/CN=Expired CA' root '' -400d 30
    pki_ca no-certsign '/CN=No Cert Sign' root $'basicConstraints=critical,CA:TRUE\nkeyUsage=critical,cRLSign'
    pki_ca pathlen '/CN=Path Length 0' root $'basicConstraints=critical,CA:TRUE,pathlen:0\nkeyUsage=critical,keyCertSign,cRLSign'
    pki_ca below-pathlen '/CN=Below Path Length 0' pathlen
    pki_ca email-only '/CN=For E-mail' root $'basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\nextendedKeyUsage=emailProtection'
    cp "$1/authorities/root/cert.pem" "$1/trust.pem"

    pki_leaf servers/localhost '/CN=localhost' issuing "$SERVER_EXT
$LOCALHOST"
    pki_leaf clients/alice '/O=Example, Inc./CN=alice' issuing "$CLIENT_EXT
subjectAltName=DNS:alice.example,email:alice@example.com,URI:spiffe://example/alice"
    pki_leaf clients/bob '/CN=bob' issuing "$CLIENT_EXT"
    pki_leaf clients/mallory '/CN=mallory' issuing "$CLIENT_EXT"
    pki_revoke clients/mallory issuing
    openssl genrsa -out "$1/rsa.key" 2048 2> /dev/null
    pki_leaf clients/rsa '/CN=rsa' issuing "$CLIENT_EXT" now 365 "$1/rsa.key"
    pki_leaf servers/rsa '/CN=localhost' issuing "$SERVER_EXT
$LOCALHOST" now 365 "$1/rsa.key"
    pki_leaf servers/rsa-encipherment '/CN=localhost' issuing "${SERVER_EXT/digitalSignature/digitalSignature,keyEncipherment}
$LOCALHOST" now 365 "$1/rsa.key"
    openssl genrsa -out "$1/rsa1024.key" 1024 2> /dev/null

    local side ext san
    for side in client server; do
        ext=$CLIENT_EXT san=none
        [ $side = client ] || ext=$SERVER_EXT san=$LOCALHOST
        pki_leaf flaws/$side-expired '/CN=expired' issuing "$ext"$'\n'"$san" -60d 30
        pki_leaf flaws/$side-future '/CN=future' issuing "$ext"$'\n'"$san" +30d 30
        pki_leaf flaws/$side-revoked '/CN=revoked' issuing "$ext"$'\n'"$san"
        pki_revoke flaws/$side-revoked issuing
        pki_leaf flaws/$side-stranger '/CN=stranger' stranger-issuing "$ext"$'\n'"$san"
        pki_leaf flaws/$side-self-signed '/CN=self-signed' - "$ext"$'\n'"$san"
        pki_leaf flaws/$side-no-intermediate '/CN=no intermediate' issuing "$ext"$'\n'"$san"
        cp "$1/flaws/$side-no-intermediate/cert.pem" "$1/flaws/$side-no-intermediate/fullchain.pem"
        pki_leaf flaws/$side-expired-ca '/CN=below an expired CA' expired-ca "$ext"$'\n'"$san"
        pki_leaf flaws/$side-no-certsign '/CN=no certsign' no-certsign "$ext"$'\n'"$san"
        pki_leaf flaws/$side-pathlen '/CN=too deep' below-pathlen "$ext"$'\n'"$san"
        pki_leaf flaws/$side-issuer-eku '/CN=issuer eku' email-only "$ext"$'\n'"$san"
        pki_leaf flaws/$side-not-a-ca '/CN=below a leaf' ../clients/bob "$ext"$'\n'"$san"
        pki_leaf flaws/$side-no-eku '/CN=no eku' issuing "$(grep -v extended <<< "$ext")"$'\n'"$san"
        pki_leaf flaws/$side-any-eku '/CN=any eku' issuing "${ext/=??????Auth/=anyExtendedKeyUsage}"$'\n'"$san"
        pki_leaf flaws/$side-no-signing '/CN=no signing' issuing "${ext/digitalSignature/keyAgreement}"$'\n'"$san"
        pki_leaf flaws/$side-is-ca '/CN=is a ca' issuing "${ext/CA:FALSE/CA:TRUE}"$'\n'"$san"
        pki_leaf flaws/$side-critical '/CN=critical' issuing "$ext"$'\n'"$san"$'\n'1.2.3.4=critical,ASN1:NULL
        pki_leaf flaws/$side-rsa1024 '/CN=rsa1024' issuing "$ext"$'\n'"$san" now 365 "$1/rsa1024.key"
    done
    pki_leaf flaws/client-server-eku '/CN=server eku' issuing "$SERVER_EXT"
    pki_leaf flaws/server-client-eku '/CN=client eku' issuing "$CLIENT_EXT
$LOCALHOST"
    pki_leaf flaws/server-other-host '/CN=localhost' issuing "$SERVER_EXT
subjectAltName=DNS:other.example"
    pki_leaf flaws/server-cn-only '/CN=localhost' issuing "$SERVER_EXT"
    pki_leaf flaws/client-damaged '/CN=damaged' issuing "$CLIENT_EXT"
    damage "$1/flaws/client-damaged"

    DIGEST=sha1 pki_leaf flaws/client-sha1 '/CN=sha1' issuing "$CLIENT_EXT"
    DIGEST=sha384 pki_leaf clients/sha384 '/CN=sha384' issuing "$CLIENT_EXT"
    SERIAL=0 pki_leaf flaws/client-serial-0 '/CN=serial 0' issuing "$CLIENT_EXT"
    SERIAL=-5 pki_leaf flaws/client-serial-negative '/CN=serial -5' issuing "$CLIENT_EXT"
    SERIAL=0x51$(openssl rand -hex 20) pki_leaf flaws/client-serial-long '/CN=serial of 21' issuing "$CLIENT_EXT"
    SERIAL=0x51$(openssl rand -hex 19) pki_leaf clients/serial-20 '/CN=serial of 20' issuing "$CLIENT_EXT"
    VERSION1=yes pki_leaf flaws/client-version-1 '/CN=version 1' issuing "$CLIENT_EXT"
    pki_leaf flaws/client-below-version-1 '/CN=below version 1' ../flaws/client-version-1 "$CLIENT_EXT
authorityKeyIdentifier=none"
    pki_leaf flaws/client-no-root '/CN=no root' stranger-issuing "$CLIENT_EXT"
    awk '/BEGIN/ {n++} n < 3' "$1/flaws/client-no-root/fullchain.pem" > "$1/flaws/client-no-root/two.pem"
    mv "$1/flaws/client-no-root/two.pem" "$1/flaws/client-no-root/fullchain.pem"
    pki_leaf flaws/client-empty-subject '/' issuing "$CLIENT_EXT"
    pki_leaf flaws/client-empty-subject-not-critical '/' issuing "$CLIENT_EXT
subjectAltName=URI:spiffe://example/nobody"
    pki_leaf clients/empty-subject '/' issuing "$CLIENT_EXT
subjectAltName=critical,URI:spiffe://example/nobody"
    pki_leaf flaws/client-bad-name '/CN=bad name' issuing "$CLIENT_EXT
subjectAltName=DNS:a b"
    pki_leaf clients/hostile $'/CN=\e[31mred\n<b>' issuing "$CLIENT_EXT"
    pki_leaf servers/names '/CN=cn.example' issuing "$SERVER_EXT
subjectAltName=DNS:One.example,DNS:*.wild.example,DNS:*.org,DNS:w*.part.example,IP:192.0.2.7,IP:2001:db8::7"
    # The same name as the real one, another key; once sent along, once not.
    pki_ca imposter '/CN=Test Root' -
    pki_leaf flaws/client-imposter '/CN=imposter' imposter "$CLIENT_EXT"
    cp -r "$1/flaws/client-imposter" "$1/flaws/client-imposter-alone"
    cp "$1/flaws/client-imposter/cert.pem" "$1/flaws/client-imposter-alone/fullchain.pem"

    local ca
    for ca in root issuing pathlen below-pathlen expired-ca no-certsign email-only; do
        pki_crl $ca
    done > "$1/crl.pem"
    pki_crl root > "$1/crl-root-only.pem"
    { pki_crl root; pki_crl issuing -60d; } > "$1/crl-stale.pem"
    { pki_crl root; pki_crl issuing +5d; } > "$1/crl-early.pem"
    { cat "$1/crl-stale.pem"; pki_crl issuing; } > "$1/crl-stale-and-fresh.pem"
    pki_ca forger '/CN=Test Issuing CA' -
    { pki_crl root; pki_crl forger; } > "$1/crl-forged.pem"
    pki_ca no-crlsign '/CN=No CRL Sign' root $'basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign'
    pki_leaf flaws/client-no-crlsign '/CN=no crlsign' no-crlsign "$CLIENT_EXT"
    { pki_crl root; pki_crl no-crlsign; } > "$1/crl-no-crlsign.pem"
}

# Changes the last byte of the signature of DIR's leaf; the issuers behind it stay.
damage() { # DIR
    openssl x509 -in "$1/cert.pem" -outform DER -out "$1/cert.der"
    local size last
    size=$(stat -c %s "$1/cert.der")
    last=$(tail -c 1 "$1/cert.der" | od -An -tu1 | tr -d ' ')
    printf '%b' "\\x$(printf %02x $((last ^ 1)))" | dd of="$1/cert.der" bs=1 seek=$((size - 1)) conv=notrunc 2> /dev/null
    openssl base64 -in "$1/cert.der" | { echo '-----BEGIN CERTIFICATE-----'; cat; echo '-----END CERTIFICATE-----'; } \
        > "$1/cert.pem"
    { cat "$1/cert.pem"; sed -n '/BEGIN/,$p' "$PKI/authorities/issuing/fullchain.pem"; } > "$1/fullchain.pem"
}
