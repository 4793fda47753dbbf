#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# mtls ca list and export.
load helpers
load pki

names() { # ARGUMENT...
    mtls ca list "$@" | awk 'NR > 1 { print $2 }' | paste -sd' '
}

@test "list: what there is, filtered" {
    small_pki '  - {name: eve, issuer: issuing, days: 10}' 'flaws: {issuer: issuing, cases: [no_eku]}'
    mtls ca renew bob >/dev/null
    mtls ca revoke alice --reason keyCompromise >/dev/null
    [[ $(names) == 'issuing root localhost alice bob eve' ]]
    [[ $(names --role client) == 'alice bob eve' && $(names --role authorities) == 'issuing root' ]]
    [[ $(names --revoked) == alice ]]
    [[ $(names --expiring 11d) == eve && -z $(names --expiring 9d) ]]
    [[ $(names --all --role client) == 'alice bob bob eve' ]]
    [[ $(names --all) == *client-no_eku* ]]
    run -0 mtls ca list
    [[ ${lines[0]} =~ ^'ROLE '\ +'NAME '\ +'SUBJECT '\ +'SERIAL '\ +'ISSUER '\ +'UNTIL '\ +STATE$ ]]
    [[ $output =~ 'client '\ +'alice '\ +'CN=alice '.*' revoked '[0-9-]+' keyCompromise' ]]
}

@test "list --json is for programs" {
    small_pki
    mtls ca revoke alice >/dev/null
    run -0 mtls ca list --json --role client
    [[ $(grep -c '"name"' <<<"$output") == 2 ]]
    says "\"serial\": \"$(serial clients/alice | cut -d= -f2 | tr A-F a-f)\""
    says '"reason": "unspecified"'
    says "\"fingerprint\": \"$(openssl x509 -in pki/clients/bob/cert.pem -outform DER | sha256sum | cut -d' ' -f1)\""
    run -0 mtls ca list --json --expiring 1d
    [[ $output == '[]' ]]
}

@test "list: refusals" {
    mtls ca init >/dev/null
    refuses 2 '--expiring: "soon" is not a duration; write it like 90d, 12h or 3600' mtls ca list --expiring soon
    refuses 2 'unknown role "admin" (one of: authority, server, client, flaw)' mtls ca list --role admin
    refuses 3 'nowhere is no PKI: it has no pki.db; make one with mtls pki -d nowhere' mtls ca list -d nowhere
    [[ ! -e nowhere ]]
}

@test "output that cannot be written is an error" {
    mtls ca init >/dev/null
    list_into_full() { mtls ca list >/dev/full; }
    run -3 list_into_full
    [[ $output == 'mtls: writing standard output: No space left on device' ]]
}

@test "export: PEM and DER" {
    small_pki
    mtls ca export alice | cmp - pki/clients/alice/combined.pem
    mtls ca export alice -o alice.pem
    cmp alice.pem pki/clients/alice/combined.pem
    [[ $(stat -c %a alice.pem) == 600 ]]
    mtls ca export clients/alice --format der -o alice.der
    openssl x509 -inform DER -in alice.der | cmp - pki/clients/alice/cert.pem
}

@test "export: PKCS#12 that openssl and Java open, with the password only" {
    small_pki
    printf 'secret\n' >password
    mtls ca export alice --format p12 --password-file password -o alice.p12
    [[ $(stat -c %a alice.p12) == 600 ]]
    run -0 openssl pkcs12 -in alice.p12 -passin pass:secret -nodes
    [[ $(grep -c 'BEGIN CERTIFICATE' <<<"$output") == 2 && $output == *'friendlyName: alice'* ]]
    [[ $(openssl pkey <<<"$output") == "$(openssl pkey -in pki/clients/alice/key.pem)" ]]
    run ! openssl pkcs12 -in alice.p12 -passin pass:wrong -nodes
    says 'invalid password'
    if command -v keytool >/dev/null; then
        run -0 keytool -list -keystore alice.p12 -storepass secret
        says 'alice, '
        run ! keytool -list -keystore alice.p12 -storepass wrong
    fi
    MTLS_PASSWORD=other mtls ca export localhost --format pkcs12 | openssl pkcs12 -passin pass:other -nodes -noout
}

@test "export: refusals write nothing" {
    small_pki
    openssl req -new -newkey rsa:2048 -nodes -keyout k.pem -subj /CN=device -out r.csr 2>/dev/null
    mtls ca sign r.csr --as device >/dev/null
    refuses 3 'exporting nobody: there is no "nobody" in pki; mtls ca list shows what there is' mtls ca export nobody -o out
    refuses 2 'unknown format "jks" (one of: pem, der, p12)' mtls ca export alice --format jks -o out
    refuses 3 'exporting device: opening pki/clients/device/combined.pem: No such file or directory' mtls ca export device -o out
    : >empty
    refuses 3 'the passphrase from empty is empty' mtls ca export alice --format p12 --password-file empty -o out
    refuses 3 'the password for the PKCS#12 file is needed and there is no terminal to ask on; give it in a file or in ...MTLS_PASSWORD' \
        setsid -w "$MTLS" ca export alice --format p12 -o out
    refuses 2 'NAME is missing; usage: mtls ca export ...' mtls ca export
    [[ ! -e out ]]
}
