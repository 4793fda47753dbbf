#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# mtls ca init and issue: a CA without a plan.
load helpers
load pki

@test "init makes a root, an issuing CA and their empty lists" {
    run -0 mtls ca init --title 'Acme, Inc.'
    [[ $output == 'pki: made authorities/root and authorities/issuing; relying parties load pki/trust.pem and pki/crl.pem' ]]
    judge authorities/issuing
    listed
    openssl x509 -in pki/trust.pem -noout -subject -nameopt RFC2253 | grep -qxF 'subject=CN=Acme\, Inc. root'
    [[ $(extension authorities/issuing basicConstraints) == 'CA:TRUE, pathlen:0' ]]
}

@test "init --root-only, --key and --days" {
    mtls ca init --root-only --key rsa-2048 --days 10 >/dev/null
    [[ $(ls pki/authorities) == root ]]
    openssl x509 -in pki/trust.pem -noout -text | grep -q 'Public-Key: (2048 bit)'
    run -1 openssl x509 -in pki/trust.pem -noout -checkend $((10 * 86400))
}

@test "init where there is a CA, or with wrong options, makes nothing" {
    mtls ca init >/dev/null
    snapshot >before
    refuses 3 'authority root exists already (valid until ...' mtls ca init
    snapshot | diff before -
    refuses 2 '--key: unknown key type "rsa-1024" (one of: ...' mtls ca init -d other --key rsa-1024
    refuses 2 '--days takes a number from 1 to 3000000' mtls ca init -d other --days 0
    refuses 2 'unexpected argument "other"; usage: mtls ca init ...' mtls ca init other
    [[ ! -e other ]]
}

@test "a client" {
    mtls ca init >/dev/null
    run -0 mtls ca issue carol --name carol@example.com --name spiffe://example.com/carol
    [[ ${lines[0]} == pki/clients/carol && ${lines[1]} == '  subject  CN=carol' && ${lines[3]} == '  issuer   issuing' ]]
    [[ ${lines[2]} == "  serial   $(serial clients/carol | cut -d= -f2 | tr A-F a-f)" ]]
    judge clients/carol -purpose sslclient
    run -2 judge clients/carol -purpose sslserver
    [[ $(extension clients/carol subjectAltName) == 'email:carol@example.com, URI:spiffe://example.com/carol' ]]
    run -0 mtls ca issue dave
    [[ $(extension clients/dave subjectAltName) == 'URI:urn:mtls:client:dave' ]]
}

@test "a server" {
    mtls ca init >/dev/null
    mtls ca issue api --profile server --name api.example.com --name 10.0.0.7 --key rsa-2048 --days 1 >/dev/null
    judge servers/api -purpose sslserver -verify_hostname api.example.com
    run -2 judge servers/api -verify_hostname other.example.com
    [[ $(extension servers/api subjectAltName) == 'DNS:api.example.com, IP Address:10.0.0.7' ]]
    run -1 openssl x509 -in pki/servers/api/cert.pem -noout -checkend 86400
    refuses 2 'a server needs --name: the DNS names or IP addresses by which it is called' \
        mtls ca issue web_1 --profile server
}

@test "an authority, and who issues then" {
    mtls ca init >/dev/null
    refuses 1 'authority issuing may have no authority below it (its path length is 0); choose another with --issuer' \
        mtls ca issue second --profile authority
    mtls ca issue second --profile authority --issuer root >/dev/null
    refuses 2 'several authorities could issue; choose one with --issuer (one of: issuing, second)' mtls ca issue carol
    mtls ca issue carol --issuer second >/dev/null
    judge clients/carol
    mtls ca revoke second >/dev/null
    refuses 1 'authority second is revoked: nobody would take what it issues' mtls ca issue dave --issuer second
    mtls ca issue dave >/dev/null # by the one that is left
    judge clients/dave
}

@test "an authority that has ended does not issue" {
    at 0 mtls ca init --days 10 >/dev/null
    refuses 3 'pki has no authority that is valid; ...' at 20 mtls ca issue carol
    refuses 1 'authority issuing ended (2026-01-10T23:59:59Z); mtls ca renew issuing gives it a new certificate' \
        at 20 mtls ca issue carol --issuer issuing
}

@test "nothing outlives its CA" {
    at 0 mtls ca init --days 10 >/dev/null
    run -0 at 0 mtls ca issue carol --days 100
    [[ ${lines[4]} == '  until    2026-01-10T23:59:59Z' ]]
}

@test "dates of all kinds" {
    mtls ca init >/dev/null
    mtls ca issue carol --not-before -1h --not-after 2028-02-29 >/dev/null
    openssl x509 -in pki/clients/carol/cert.pem -noout -enddate | grep -q 'Feb 29 00:00:00 2028'
    refuses 2 '--not-after: "tomorrow" is not a time; ...' mtls ca issue dave --not-after tomorrow
    refuses 2 '--not-before: "2026-02-30" is not a time; ...' mtls ca issue dave --not-before 2026-02-30
    refuses 2 'the certificate would end before it begins' mtls ca issue dave --not-after 2020-01-01
}

@test "refusals leave no trace" {
    mtls ca init >/dev/null
    mtls ca issue carol >/dev/null
    snapshot >before
    refuses 3 'client carol exists already (valid until ...); mtls ca renew carol gives it a new certificate' \
        mtls ca issue carol
    refuses 3 'there is no authority "nobody" in pki' mtls ca issue dave --issuer nobody
    refuses 2 'unknown profile "admin" (one of: server, client, authority)' mtls ca issue dave --profile admin
    refuses 2 '"a/b" cannot be a name: use letters, digits and . _ @ -, not a dot first' mtls ca issue a/b
    refuses 2 '--subject: unknown attribute "XY" ...' mtls ca issue dave --subject XY=1
    refuses 2 '--name: dns "a b": ...' mtls ca issue dave --name 'a b'
    refuses 2 'NAME is missing; usage: mtls ca issue ...' mtls ca issue
    refuses 2 'unknown command "ca isue" (did you mean issue?); see mtls ca --help' mtls ca isue carol
    refuses 3 'nowhere is no PKI: it has no pki.db; make one with mtls pki -d nowhere' mtls ca issue dave -d nowhere
    snapshot | diff before -
    [[ ! -e nowhere ]]
}

@test "what mtls ca makes is left alone by mtls pki, and the manifest has it" {
    small_pki
    mtls ca issue carol >/dev/null
    grep -q '"directory": "clients/carol"' pki/manifest.json
    snapshot >before
    run -0 mtls pki -f plan.yaml
    says 'nothing to do: everything is as the plan says'
    snapshot | diff before -
}

@test "an entry of the plan that mtls ca issued before becomes the plan's" {
    small_pki
    mtls ca issue carol >/dev/null
    key=$(public_key clients/carol)
    printf '  - {name: carol, issuer: issuing, names: [carol@example.com]}\n' >>plan.yaml
    converge
    [[ $(public_key clients/carol) == "$key" && $(extension clients/carol subjectAltName) == email:carol@example.com ]]
}
