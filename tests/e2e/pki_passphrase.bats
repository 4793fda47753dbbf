#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Encrypted CA keys: where the passphrase comes from, when it is needed, and that a wrong one harms nothing.
load helpers
load pki

setup_file() {
    cd "$BATS_FILE_TMPDIR" || return 1
    small_plan
    sed -i 's/{name: root}/{name: root, encrypt_key: true}/; s/{name: issuing,/{name: issuing, encrypt_key: true,/' plan.yaml
    printf 'secret\n' >good
    printf 'wrong\n' >bad
    : >empty
    mtls pki -f plan.yaml --passphrase-file good >/dev/null
}

copy() {
    cp -r --preserve=all "$BATS_FILE_TMPDIR"/{pki,plan.yaml,good,bad,empty} .
}

# No terminal to ask on.
alone() {
    setsid -w "$MTLS" "$@" </dev/null
}

@test "the keys are PKCS#8, encrypted with PBES2 and AES-256, and openssl opens them" {
    copy
    [[ $(head -n 1 pki/authorities/root/key.pem) == '-----BEGIN ENCRYPTED PRIVATE KEY-----' ]]
    run -0 openssl asn1parse -in pki/authorities/root/key.pem
    says PBES2
    says aes-256-cbc
    [[ $(openssl pkey -in pki/authorities/root/key.pem -passin file:good -pubout) == "$(public_key authorities/root)" ]]
    run ! openssl pkey -in pki/authorities/root/key.pem -passin file:bad -noout
    [[ $(head -n 1 pki/clients/alice/key.pem) == '-----BEGIN PRIVATE KEY-----' ]]
}

@test "a run that changes nothing asks nobody" {
    copy
    snapshot >before
    run -0 alone pki -f plan.yaml
    says 'nothing to do'
    run -0 alone pki -f plan.yaml --check
    snapshot | diff before -
}

@test "--check of an edited plan asks nobody" {
    copy
    edit_plan 's/name: issuing,/name: issuing, days: 3000,/'
    run -1 alone pki -f plan.yaml --check
    says 'to be made again: changed in the plan'
}

@test "without a passphrase, with a wrong, an empty or none: one sentence, and nothing is changed" {
    copy
    edit_plan 's/name: bob,/name: bob, days: 10,/'
    refuses 3 'the passphrase of the CA keys is needed and there is no terminal to ask on; give it in a file or in ...MTLS_PASSPHRASE' \
        alone pki -f plan.yaml
    refuses 3 "pki/authorities/issuing/key.pem: the passphrase is not the private key's" \
        alone pki -f plan.yaml --passphrase-file bad
    refuses 3 "pki/authorities/issuing/key.pem: the passphrase is not the private key's" \
        env MTLS_PASSPHRASE=wrong "$MTLS" pki -f plan.yaml
    refuses 3 'the passphrase from empty is empty' alone pki -f plan.yaml --passphrase-file empty
    refuses 3 'opening nowhere: No such file or directory' alone pki -f plan.yaml --passphrase-file nowhere
    run -0 env MTLS_PASSPHRASE=secret "$MTLS" pki -f plan.yaml
    judge clients/bob
}

@test "a wrong passphrase does not cost an edited CA its key" {
    copy
    edit_plan 's/name: root,/name: root, days: 4000,/'
    refuses 3 "pki/authorities/root/key.pem: the passphrase is not the private key's" \
        alone pki -f plan.yaml --passphrase-file bad
    run -0 alone pki -f plan.yaml --passphrase-file good
    judge clients/bob
}

@test "without a passphrase a new PKI is not begun" {
    copy
    run -3 --separate-stderr alone pki -f plan.yaml -d new
    [[ ! -e new ]]
}

@test "encrypt_key taken away: the same key in the clear, and back" {
    copy
    key=$(public_key authorities/issuing)
    edit_plan 's/name: issuing, encrypt_key: true,/name: issuing,/'
    run -0 alone pki -f plan.yaml --passphrase-file good
    [[ $(openssl pkey -in pki/authorities/issuing/key.pem -pubout) == "$key" ]]
    run -0 alone pki -f plan.yaml
    says 'nothing to do'
    edit_plan 's/name: issuing,/name: issuing, encrypt_key: true,/'
    run -0 alone pki -f plan.yaml --passphrase-file good
    [[ $(openssl pkey -in pki/authorities/issuing/key.pem -passin file:good -pubout) == "$key" ]]
    [[ $(public_key authorities/issuing) == "$key" ]]
    judge clients/alice
}

@test "mtls ca takes the passphrase from the same places" {
    copy
    refuses 3 'the passphrase of the CA keys is needed and there is no terminal to ask on; give it in a file or in ...MTLS_PASSPHRASE' \
        alone ca issue carol
    refuses 3 "pki/authorities/issuing/key.pem: the passphrase is not the private key's" \
        alone ca revoke bob --passphrase-file bad
    run -0 alone ca issue carol --passphrase-file good
    MTLS_PASSPHRASE=secret run -0 alone ca revoke bob
    run -0 alone ca list
    judge clients/carol
}

@test "mtls ca init --encrypt-key" {
    printf 'secret\n' >good
    run -0 alone ca init --encrypt-key --passphrase-file good
    grep -q 'BEGIN ENCRYPTED' pki/authorities/root/key.pem
    grep -q 'BEGIN ENCRYPTED' pki/authorities/issuing/key.pem
    run -3 --separate-stderr alone ca init --encrypt-key -d other
    [[ ! -e other ]]
}
