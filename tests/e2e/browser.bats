#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Chromium, without a window, as a person would come: with a certificate in her store, chosen by a policy (there is
# nobody to click), and without one. The policy lies in /etc only for the browser itself, in a mount namespace of its own.
load helpers.bash

need_browser() {
    local program
    for program in chromium certutil pk12util unshare; do
        command -v "$program" >/dev/null || skip "$program is not installed here (scripts/setup --for browser)"
    done
    namespace=(unshare --mount)
    ((EUID == 0)) || namespace=(unshare --mount --map-root-user)
    "${namespace[@]}" true || skip 'this machine gives no mount namespace for the policy'
}

# A browser of somebody who trusts the PKI; the client's certificate is added if one is named.
make_home() { # HOME [CLIENT]
    local store=sql:$1/.pki/nssdb
    mkdir -p "$1/.pki/nssdb" "$1/etc/policies/managed"
    certutil -d "$store" -N --empty-password
    certutil -d "$store" -A -n root -t C,, -i pki/trust.pem
    if [[ -n ${2-} ]]; then
        openssl pkcs12 -export -in "pki/clients/$2/combined.pem" -name "$2" -passout pass:browser -out "$1/client.p12"
        pk12util -d "$store" -i "$1/client.p12" -W browser -K ''
    fi
    cat >"$1/etc/policies/managed/mtls.json" <<'END'
{"AutoSelectCertificateForUrls": ["{\"pattern\": \"https://localhost\", \"filter\": {}}"]}
END
}

browse() { # HOME CHROMIUM-ARGUMENT...
    local home=$PWD/$1
    shift
    # shellcheck disable=SC2016 # it is the inner shell that reads its arguments
    HOME=$home timeout 90 "${namespace[@]}" bash -c 'mount --bind "$HOME/etc" /etc/chromium && exec "$@"' - \
        chromium --headless --no-sandbox --disable-gpu --user-data-dir="$home/data" --window-size=900,760 "$@" \
        2>>chromium.log 3>&-
}

make_pki() {
    cat >plan.yaml <<'END'
authorities:
  - {name: root, subject: "CN=root,O=Browsers"}
  - {name: issuing, issuer: root}
servers:
  - {name: localhost, issuer: issuing, names: [localhost, 127.0.0.1, "::1"]}
clients:
  - {name: ada, issuer: root, subject: "CN=Ada Lovelace,O=Analytical Engines", names: [ada@example.com]}
  - {name: bob, issuer: issuing}
END
    mtls pki -f plan.yaml >/dev/null
}

@test "the page shows a browser's person who she is, and a picture of it is kept" {
    need_browser
    make_pki
    make_home ada ada
    start_server server -d pki
    browse ada --dump-dom "$url/" >page.html
    grep -q 'Ada Lovelace' page.html
    grep -q 'Analytical Engines' page.html
    grep -q 'ada@example.com' page.html
    grep -q 'accepted CN=Ada Lovelace,O=Analytical Engines .*TLSv1.3' server.log
    browse ada --screenshot="$PWD/page.png" "$url/"
    [[ $(head -c 4 page.png) == $'\x89PNG' ]]
    mkdir -p "$BATS_TEST_DIRNAME/../../build/artifacts"
    cp page.png "$BATS_TEST_DIRNAME/../../build/artifacts/page.png"
}

# Chromium sends the issuers of a certificate only where the server names authorities, which ours does in TLS 1.2.
@test "a browser's person with a certificate of an issuing CA: in TLS 1.3 the server must know that CA" {
    need_browser
    make_pki
    make_home bob bob
    start_server server -d pki
    browse bob --dump-dom "$url/" >page.html || true
    run ! grep -q 'CN=bob' page.html
    grep -q 'refused chain_incomplete' server.log
    stop_servers
    printf '%s\n' 'pki: pki' 'intermediates: [pki/authorities/issuing/cert.pem]' 'rules: [{allow: any-verified}]' >server.yaml
    start_server knowing -c server.yaml
    browse bob --dump-dom "$url/" >page.html
    grep -q 'CN=bob' page.html
    grep -q 'accepted CN=bob .*TLSv1.3' knowing.log
}

@test "in TLS 1.2 a browser's person with a certificate of an issuing CA is served" {
    need_browser
    make_pki
    make_home bob bob
    start_server server -d pki
    browse bob --ssl-version-max=tls1.2 --dump-dom "$url/" >page.html
    grep -q 'CN=bob' page.html
    grep -q 'accepted CN=bob .*TLSv1.2' server.log
}

@test "without a certificate the browser shows no page, and knows why" {
    need_browser
    make_pki
    make_home nobody
    start_server server -d pki
    browse nobody --dump-dom "$url/" >page.html || true
    run ! grep -q 'who you are' page.html
    grep -q ERR_BAD_SSL_CLIENT_AUTH_CERT chromium.log page.html
    run ! grep -q accepted server.log
    grep -q 'refused no_certificate' server.log
}
