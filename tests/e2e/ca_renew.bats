#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# mtls ca renew: the same certificate, with new dates.
load helpers
load pki

# All of a certificate but what renewal changes.
essence() { # DIRECTORY
    openssl x509 -in "pki/$1/cert.pem" -noout -text -certopt no_serial,no_validity,no_sigdump
}

@test "all but serial and dates stays, and both certificates are good" {
    at 0 mtls ca init >/dev/null
    at 0 mtls ca issue api --profile server --name api.example.com --days 30 >/dev/null
    essence servers/api >before.txt
    old=$(serial servers/api)
    run -0 at 20 mtls ca renew api
    [[ ${lines[0]} == pki/servers/api && ${lines[4]} == '  until    2026-02-19T23:59:59Z' ]]
    [[ $(serial servers/api) != "$old" ]]
    essence servers/api | cmp before.txt -
    judge servers/api -attime $((1767225600 + 21 * 86400))
    listed
}

@test "--days, --not-after and --rekey" {
    mtls ca init >/dev/null
    mtls ca issue carol >/dev/null
    key=$(public_key clients/carol)
    mtls ca renew carol --days 1 >/dev/null
    run -1 openssl x509 -in pki/clients/carol/cert.pem -noout -checkend 86400
    [[ $(public_key clients/carol) == "$key" ]]
    mtls ca renew carol --not-after 2030-01-01 --rekey >/dev/null
    openssl x509 -in pki/clients/carol/cert.pem -noout -enddate | grep -q 'Jan  1 00:00:00 2030'
    [[ $(public_key clients/carol) != "$key" ]]
    [[ $(openssl pkey -in pki/clients/carol/key.pem -pubout) == "$(public_key clients/carol)" ]]
    judge clients/carol
}

@test "what the plan made stays the plan's" {
    small_pki
    mtls ca renew alice --rekey >/dev/null
    mtls ca renew localhost >/dev/null
    snapshot >before
    run -0 mtls pki -f plan.yaml
    says 'nothing to do: everything is as the plan says'
    snapshot | diff before -
}

@test "a CA: with its key, and what is below it gets the new chain" {
    small_pki
    openssl req -new -newkey rsa:2048 -nodes -keyout k.pem -subj /CN=device -out r.csr 2>/dev/null
    mtls ca sign r.csr --as device >/dev/null
    mtls ca renew issuing --days 100 >/dev/null
    for client in alice bob device; do
        cmp pki/authorities/issuing/cert.pem pki/clients/$client/chain.pem
        judge clients/$client
    done
    cat pki/clients/alice/{key,fullchain}.pem | cmp - pki/clients/alice/combined.pem
    [[ ! -e pki/clients/device/key.pem ]]
    snapshot >before
    run -0 mtls pki -f plan.yaml
    says 'nothing to do: everything is as the plan says'
    snapshot | diff before -
}

@test "a root: trust.pem has it, with the key it had" {
    mtls ca init --days 100 >/dev/null
    key=$(public_key authorities/root)
    mtls ca renew root --days 200 >/dev/null
    cmp pki/trust.pem pki/authorities/root/cert.pem
    [[ $(public_key authorities/root) == "$key" ]]
    judge authorities/issuing
}

@test "a certificate that was signed from a request: its key is not here, and stays" {
    mtls ca init >/dev/null
    openssl req -new -newkey rsa:2048 -nodes -keyout k.pem -subj /CN=device -out r.csr 2>/dev/null
    mtls ca sign r.csr --as device >/dev/null
    mtls ca renew device >/dev/null
    [[ $(public_key clients/device) == "$(openssl pkey -in k.pem -pubout)" ]]
    refuses 2 'renewing device: it was signed from a request, so its key is not here; mtls ca sign --replace takes a new one' \
        mtls ca renew device --rekey
}

@test "a revoked one only with a new key" {
    mtls ca init >/dev/null
    mtls ca issue carol >/dev/null
    mtls ca revoke carol >/dev/null
    old=$(serial clients/carol)
    refuses 1 'renewing carol: carol is revoked; --rekey renews it with a new key' mtls ca renew carol
    mtls ca renew carol --rekey >/dev/null
    judge clients/carol
    listed "$old"
}

@test "refusals" {
    small_pki 'flaws: {issuer: issuing, cases: [expired]}'
    mtls ca issue localhost >/dev/null # a client
    refuses 3 'renewing nobody: there is no "nobody" in pki; mtls ca list shows what there is' mtls ca renew nobody
    refuses 2 'renewing localhost: "localhost" is several (server, client); choose with --role' mtls ca renew localhost
    refuses 2 'renewing alice: --days takes a number from 1 to 3000000' mtls ca renew alice --days 0
    refuses 2 'renewing alice: --not-after: "soon" is not a time; ...' mtls ca renew alice --not-after soon
    refuses 2 'renewing issuing: a new key for an authority means new certificates for all below it: ...' \
        mtls ca renew issuing --rekey
    refuses 3 'renewing client-expired: client-expired is a flaw, wrong in one way as it is; mtls pki keeps those' \
        mtls ca renew client-expired
    mtls ca renew localhost --role server >/dev/null
    mtls ca renew clients/localhost >/dev/null
}

@test "a key that is missing or not the CA's is not made up" {
    mtls ca init >/dev/null
    mtls ca issue carol >/dev/null
    rm pki/clients/carol/key.pem
    refuses 3 'renewing carol: pki/clients/carol/key.pem is missing; --rekey renews it with a new key' mtls ca renew carol
    mv pki/authorities/root/key.pem .
    refuses 3 'renewing root: pki/authorities/root/key.pem is missing; ...' mtls ca renew root
    refuses 3 'renewing issuing: opening pki/authorities/root/key.pem: No such file or directory' mtls ca renew issuing
    openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out pki/authorities/root/key.pem
    refuses 3 'renewing root: pki/authorities/root/key.pem is not the key of its certificate; ...' mtls ca renew root
}
