#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# What was left unfinished, or lost, is mended or said. tests/crash has the rest.
load helpers

@test "a certificate whose key is gone is not renewed for a key that nobody has" {
    mtls ca init && mtls ca issue alice
    rm pki/clients/alice/key.pem
    run -3 mtls ca renew alice
    [ "$output" = 'mtls: renewing alice: pki/clients/alice/key.pem is missing; --rekey renews it with a new key' ]
    mtls ca renew alice --rekey
    diff <(openssl x509 -in pki/clients/alice/cert.pem -noout -pubkey) <(openssl pkey -in pki/clients/alice/key.pem -pubout)
    rm pki/authorities/issuing/key.pem
    run -3 mtls ca renew issuing
    [ "$output" = 'mtls: renewing issuing: pki/authorities/issuing/key.pem is missing; mtls pki makes a new one and issues everything below it again' ]
}

@test "a certificate that was signed from a request is renewed without a key" {
    openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc -keyout own.key -subj /CN=device -out device.csr
    mtls ca init && mtls ca sign device.csr --as device
    mtls ca renew device
    [ ! -e pki/clients/device/key.pem ]
    diff <(openssl x509 -in pki/clients/device/cert.pem -noout -pubkey) <(openssl pkey -in own.key -pubout)
}

@test "revoking again brings a lost list back" {
    mtls ca init && mtls ca issue alice && mtls ca revoke alice
    cp pki/crl.pem kept
    rm -r pki/crl.pem pki/trust.d
    mtls ca revoke alice
    cmp pki/crl.pem kept
    openssl verify -CApath pki/trust.d -untrusted pki/clients/alice/chain.pem pki/clients/alice/cert.pem
}

@test "what is in .staging and not on record never happened" {
    mtls ca init
    mkdir -p pki/.staging/clients/ghost pki/.staging/flaws/client-ghost
    openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out pki/.staging/clients/ghost/key.pem
    echo half >pki/.staging/crl.pem
    mtls ca list
    [ ! -e pki/.staging ] && [ ! -e pki/clients ] && [ ! -e pki/flaws ]
    openssl crl -in pki/crl.pem -noout
}

@test "a staged key that is not the one on record is not taken" {
    mtls ca init && mtls ca issue alice
    cp pki/clients/alice/key.pem kept
    mkdir -p pki/.staging/clients/alice
    openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out pki/.staging/clients/alice/key.pem
    rm pki/clients/alice/cert.pem
    mtls ca list
    cmp pki/clients/alice/key.pem kept
    openssl verify -CAfile pki/trust.pem -untrusted pki/clients/alice/chain.pem pki/clients/alice/cert.pem
}

@test "what cannot be finished is said, and finished later" {
    mtls ca init
    mkdir pki/.staging
    rm pki/crl.pem
    mkdir pki/crl.pem
    run -3 mtls ca issue alice
    [ "$output" = 'mtls: finishing what an earlier run left in pki/.staging: renaming pki/.staging/crl.pem to pki/crl.pem: Is a directory' ]
    rmdir pki/crl.pem
    mtls ca issue alice
    [ ! -e pki/.staging ] && [ -s pki/crl.pem ]
}

@test "--seed goes on where nothing was issued yet, and nowhere else" {
    cat >plan.yaml <<PLAN
authorities:
  - {name: root, not_before: 2026-01-01, not_after: 2099-01-01}
PLAN
    mkdir pki
    install -m 600 /dev/null pki/pki.db
    mtls pki -f plan.yaml --seed x
    run -3 mtls ca issue alice
    says 'was made with --seed'
    mtls ca init -d other
    run -3 mtls pki -f plan.yaml --seed x -d other
    [ "$output" = 'mtls: other has keys that were not made from a seed; --seed needs a new directory' ]
}
