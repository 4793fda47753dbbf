#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# mtls ca revoke and crl.
load helpers
load pki

setup() {
    cd "$BATS_TEST_TMPDIR" || return 1
    mtls ca init >/dev/null
    mtls ca issue carol >/dev/null
    mtls ca issue dave >/dev/null
}

refused() { # DIRECTORY
    run -2 judge "$1"
    says 'certificate revoked'
}

@test "by name: revoked and listed at once, and what changed is said" {
    judge clients/carol
    run -0 mtls ca revoke carol --reason keyCompromise --invalidity-date 2026-01-01
    [[ ${lines[0]} == "revoked carol (CN=carol, serial $(serial clients/carol | cut -d= -f2 | tr A-F a-f))" ]]
    [[ ${lines[1]} == 'issuing issued revocation list 2, good until '* ]]
    refused clients/carol
    judge clients/dave
    listed "$(serial clients/carol)"
    run -0 lists -text
    says 'Key Compromise'
    says 'Invalidity Date:'
    says 'Jan  1 00:00:00 2026 GMT'
}

@test "by serial number, as openssl writes it or with colons" {
    mtls ca revoke "$(serial clients/carol | cut -d= -f2)" >/dev/null
    mtls ca revoke "$(serial clients/dave | cut -d= -f2 | sed 's/../&:/g; s/:$//')" >/dev/null
    listed "$(serial clients/carol)" "$(serial clients/dave)"
}

@test "by file: certificate, chain, DER" {
    mtls ca revoke pki/clients/carol/fullchain.pem >/dev/null
    refused clients/carol
    openssl x509 -in pki/clients/dave/cert.pem -outform DER -out dave.der
    mtls ca revoke dave.der >/dev/null
    refused clients/dave
}

@test "by name, every certificate that it still has; by file, that one" {
    cp pki/clients/carol/cert.pem old.pem
    old=$(serial clients/carol)
    mtls ca renew carol >/dev/null
    mtls ca revoke old.pem >/dev/null
    listed "$old"
    judge clients/carol
    mtls ca renew carol >/dev/null
    second=$(serial clients/carol)
    mtls ca renew carol >/dev/null
    run -0 mtls ca revoke carol
    says ' and 2 earlier certificates of that name'
    [[ $(lists -text | grep -c 'Serial Number') == 4 ]]
    lists -text | grep -q "${second#serial=}"
}

@test "twice: the first time stands, and no new list is issued" {
    mtls ca revoke carol --reason keyCompromise >/dev/null
    snapshot >before
    run -0 mtls ca revoke carol --reason superseded
    [[ $output == 'carol (CN=carol) was revoked before; nothing changed' ]]
    snapshot | diff before -
}

@test "an authority, and with it what it issued" {
    mtls ca revoke issuing --reason cACompromise >/dev/null
    refused clients/carol
    listed "$(serial authorities/issuing)"
}

@test "refusals" {
    mtls ca issue carol --profile server --name carol.example.com >/dev/null
    refuses 3 'it is self-signed: nobody can revoke it; stop trusting it instead' mtls ca revoke root
    refuses 2 '"carol" is several (server, client); choose with --role' mtls ca revoke carol
    refuses 3 'there is no "nobody" in pki; mtls ca list shows what there is' mtls ca revoke nobody
    refuses 3 'there is no "0123456789abcdef" in pki; ...' mtls ca revoke 0123456789abcdef
    refuses 3 'pki/clients/nobody/cert.pem: there is no such file or entry' mtls ca revoke pki/clients/nobody/cert.pem
    refuses 2 '--reason: unknown revocation reason "bored" (one of: unspecified, keyCompromise, ...' \
        mtls ca revoke dave --reason bored
    refuses 2 '--invalidity-date: "once" is not a time; ...' mtls ca revoke dave --invalidity-date once
    openssl req -x509 -newkey rsa:2048 -nodes -keyout k.pem -subj /CN=other -out other.pem 2>/dev/null
    refuses 3 'other.pem holds no certificate that pki issued' mtls ca revoke other.pem
    mtls ca revoke carol --role server >/dev/null
    refused servers/carol
    judge clients/carol
}

@test "a flaw is not revoked on top" {
    small_plan 'flaws: {issuer: issuing, cases: [expired]}'
    mtls pki -f plan.yaml -d flawed >/dev/null
    run -3 --separate-stderr mtls ca revoke client-expired -d flawed
    [[ $stderr == 'mtls: client-expired is a flaw, wrong in one way as it is; mtls pki keeps those' ]]
}

@test "the manifest knows at once" {
    small_plan
    mtls pki -f plan.yaml -d planned >/dev/null
    mtls ca revoke alice -d planned >/dev/null
    grep -A20 '"directory": "clients/alice"' planned/manifest.json | grep -m1 '"reason"' | grep -q unspecified
    grep -A20 '"directory": "clients/alice"' planned/manifest.json | grep -q cert_revoked
    run -0 mtls pki -f plan.yaml -d planned
    says 'nothing to do'
}

@test "crl: fresh lists, of all or of one, for as long as is said" {
    run -0 mtls ca crl
    [[ ${lines[0]} == 'issuing: list 2, 0 revoked, good until '* && ${lines[1]} == 'root: list 2, 0 revoked, good until '* ]]
    mtls ca revoke carol >/dev/null
    run -0 mtls ca crl issuing --next-update 5d --json
    [[ $output == *'"issuer": "issuing"'*'"number": 4'*'"revoked": 1'* && $output != *'"root"'* ]]
    [[ $(crl_number 'mtls root') == 02 && $(crl_number 'mtls issuing CA') == 04 ]]
    later=$(date -d '+6 days' +%s)
    run -2 judge clients/dave -attime "$later"
    says 'CRL has expired'
    run -0 mtls ca revoke dave # the next list lives as long
    says 'list 5, good until '"$(date -u -d '+5 days' +%Y-%m-%d)"
}

@test "crl: refusals" {
    refuses 3 'there is no authority nobody in pki' mtls ca crl nobody
    refuses 3 'there is no authority carol in pki' mtls ca crl carol
    refuses 2 '--next-update: "soon" is not a duration; ...' mtls ca crl --next-update soon
    refuses 2 '--next-update: a list that is good for no time at all is of no use' mtls ca crl --next-update 0
    rm pki/authorities/root/key.pem
    refuses 3 'issuing the revocation list of root: opening pki/authorities/root/key.pem: No such file or directory' \
        mtls ca crl
}
