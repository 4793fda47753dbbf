#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# mtls pki after the plan, or a key, was changed: what must be issued again is, with the new content, and nothing else.
load helpers
load pki

# Only these entries have another certificate than at `remember`.
remember() {
    for cert in pki/*/*/cert.pem; do
        sha256sum "$cert"
    done >certs
}
only_changed() { # DIRECTORY...
    local changed
    changed=$(sha256sum -c certs 2>/dev/null | sed -n 's,^pki/\(.*\)/cert.pem: FAILED.*,\1,p' | sort | paste -sd' ')
    [[ $changed == "$*" ]] || fail "changed: $changed"$'\n'"expected: $*"
}

@test "an edited name: that entry only, with the new name and the key it had" {
    small_pki
    remember
    key=$(public_key clients/alice)
    edit_plan 's/alice@example.com/alice@example.org/'
    converge
    [[ $output =~ 'client alice '[^$'\n']*'made again: changed in the plan' ]]
    says '1 certificate made, 0 revocation lists issued, 4 files written'
    only_changed clients/alice
    [[ $(extension clients/alice subjectAltName) == email:alice@example.org ]]
    [[ $(public_key clients/alice) == "$key" ]]
    judge clients/alice
}

@test "an edited subject" {
    small_pki
    remember
    edit_plan 's/name: bob,/name: bob, subject: "CN=Robert,O=Acme\\\\, Inc.",/'
    converge
    only_changed clients/bob
    run -0 openssl x509 -in pki/clients/bob/cert.pem -noout -subject -nameopt RFC2253
    [[ $output == 'subject=CN=Robert,O=Acme\, Inc.' ]]
}

@test "a blank more in a subject is no edit" {
    small_pki '  - {name: eve, issuer: issuing, subject: "CN=eve,O=Acme"}'
    edit_plan 's/CN=eve,O=Acme/CN=eve, O=Acme/'
    run -0 mtls pki -f plan.yaml
    says 'nothing to do'
}

@test "an edited key type: a new key of that type" {
    small_pki
    remember
    edit_plan 's/name: bob,/name: bob, key: rsa-2048,/'
    converge
    [[ $output =~ 'client bob '[^$'\n']*'made again: changed in the plan' ]]
    only_changed clients/bob
    openssl x509 -in pki/clients/bob/cert.pem -noout -text | grep -q 'Public-Key: (2048 bit)'
    judge clients/bob
}

@test "an edited number of days" {
    small_pki
    remember
    edit_plan 's/name: bob,/name: bob, days: 10,/'
    converge
    only_changed clients/bob
    openssl x509 -in pki/clients/bob/cert.pem -noout -checkend $((10 * 86400 - 120))
    run -1 openssl x509 -in pki/clients/bob/cert.pem -noout -checkend $((10 * 86400))
}

@test "an edited CA: itself, with its key; what is below keeps its certificate and gets the new chain" {
    small_pki
    remember
    edit_plan 's/name: issuing,/name: issuing, days: 3000,/'
    converge
    [[ $output =~ 'authority issuing '[^$'\n']*'made again: changed in the plan' ]]
    [[ $output =~ 'client bob '[^$'\n']*'rewritten: a CA above it has a new certificate' ]]
    only_changed authorities/issuing
    cmp pki/authorities/issuing/cert.pem pki/clients/bob/chain.pem
    judge clients/bob
    [[ $(crl_number issuing) == 01 ]]
}

@test "a root renamed in its subject is another CA: everything below it is made again" {
    small_pki
    remember
    edit_plan 's/name: root}/name: root, subject: "CN=new root"}/'
    converge
    only_changed authorities/issuing authorities/root clients/alice clients/bob servers/localhost
    judge clients/alice
}

@test "a new entry is made, and nothing else" {
    small_pki
    remember
    printf '  - {name: carol, issuer: issuing}\n' >>plan.yaml
    converge
    [[ $output =~ 'client carol '[^$'\n']*'made: new' ]]
    only_changed
    judge clients/carol
}

@test "the CA's key removed: everything below it is made again, flaws too" {
    small_pki 'flaws: {issuer: issuing, cases: [expired]}'
    remember
    rm pki/authorities/issuing/key.pem
    run -1 mtls pki -f plan.yaml --check
    [[ $output =~ 'client bob '[^$'\n']*'to be made again: its issuer is another CA now' ]]
    converge
    [[ $output =~ 'authority issuing '[^$'\n']*'made again: its key is missing' ]]
    [[ $output =~ '2 certificates wrong on purpose: 2 made again' ]]
    only_changed authorities/issuing clients/alice clients/bob flaws/client-expired flaws/server-expired servers/localhost
    judge clients/alice
    judge flaws/client-expired/control
}

@test "the root's key removed: everything, down to the leaves" {
    small_pki
    remember
    rm pki/authorities/root/key.pem
    converge
    [[ $output =~ 'client bob '[^$'\n']*'made again: a CA above it has a new key' ]]
    only_changed authorities/issuing authorities/root clients/alice clients/bob servers/localhost
    judge servers/localhost
}

@test "the CA's key replaced by another: that one is used from now on" {
    small_pki
    remember
    openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out pki/authorities/issuing/key.pem
    converge
    [[ $output =~ 'authority issuing '[^$'\n']*'made again: its key was replaced' ]]
    only_changed authorities/issuing clients/alice clients/bob servers/localhost
    [[ $(openssl pkey -in pki/authorities/issuing/key.pem -pubout) == "$(public_key authorities/issuing)" ]]
    judge clients/alice
}

@test "a client's key replaced by another: that one is used from now on" {
    small_pki
    remember
    openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out pki/clients/alice/key.pem
    converge
    [[ $output =~ 'client alice '[^$'\n']*'made again: its key was replaced' ]]
    only_changed clients/alice
    [[ $(openssl pkey -in pki/clients/alice/key.pem -pubout) == "$(public_key clients/alice)" ]]
    judge clients/alice
}

@test "the same key written otherwise is the same key" {
    small_pki
    remember
    openssl pkey -in pki/clients/alice/key.pem -traditional -out key.pem
    cp key.pem pki/clients/alice/key.pem
    converge
    only_changed
    cat pki/clients/alice/{key,fullchain}.pem | cmp - pki/clients/alice/combined.pem
}

@test "a key of another type than the plan's is not used" {
    small_pki
    remember
    openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out pki/clients/alice/key.pem 2>/dev/null
    converge
    [[ $output =~ 'client alice '[^$'\n']*'made again: its key is of another type' ]]
    only_changed clients/alice
    openssl x509 -in pki/clients/alice/cert.pem -noout -text | grep -q 'NIST CURVE: P-256'
}

@test "a damaged key is replaced" {
    small_pki
    remember
    sed -i 2d pki/clients/alice/key.pem
    converge
    [[ $output =~ 'client alice '[^$'\n']*'made again: its key cannot be read' ]]
    only_changed clients/alice
    judge clients/alice
}

@test "damaged files of a flaw: it is made again, with its control" {
    small_pki 'flaws: {issuer: issuing, cases: [expired, no_eku]}'
    remember
    echo >>pki/flaws/client-expired/control/cert.pem
    converge
    says '4 certificates wrong on purpose: 3 kept, 1 made again'
    only_changed flaws/client-expired
    judge flaws/client-expired/control
}
