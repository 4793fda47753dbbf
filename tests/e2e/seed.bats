#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# mtls pki --seed: the same bytes again, and no doubt that they are insecure.
load helpers
load pki

fixed_plan() {
    cat >plan.yaml <<'END'
authorities:
  - {name: root, not_before: 2026-01-01, not_after: 2036-01-01}
  - {name: issuing, issuer: root, not_before: 2026-01-01, not_after: 2036-01-01}
clients:
  - {name: alice, issuer: issuing, not_before: 2026-01-01, not_after: 2028-01-01}
  - {name: mallory, issuer: issuing, not_before: 2026-01-01, not_after: 2028-01-01, revoked: {when: 2026-01-01}}
END
}

same() { # DIRECTORY DIRECTORY
    run -0 diff -r --exclude=pki.db --exclude=.lock "$1" "$2"
}

@test "the same plan, dates and seed give the same bytes: keys, certificates, lists, manifest, flaws" {
    small_plan '  - {name: rsa, issuer: issuing, key: rsa-2048}' \
        'flaws: {issuer: issuing, cases: [expired, rsa_1024, weak_curve, crl_stale, signature_damaged, wrong_key]}'
    export SOURCE_DATE_EPOCH=1767225600
    mtls pki -f plan.yaml -d one --seed golden >/dev/null
    mtls pki -f plan.yaml -d two --seed golden >/dev/null
    same one two
    mtls pki -f plan.yaml -d three --seed silver >/dev/null
    run ! cmp one/clients/alice/key.pem three/clients/alice/key.pem
    run ! cmp one/flaws/client-expired/key.pem three/flaws/client-expired/key.pem
}

@test "with fixed dates the clock does not matter" {
    fixed_plan
    export ASAN_OPTIONS=verify_asan_link_order=0 # faketime preloads a library
    faketime '2026-05-01 12:00:00' "$MTLS" pki -f plan.yaml -d one --seed golden >/dev/null
    faketime '2026-06-02 13:14:15' "$MTLS" pki -f plan.yaml -d two --seed golden >/dev/null
    same one two
    openssl crl -in one/crl.pem -noout -lastupdate | grep -q 'Jan  1 00:00:00 2026'
}

@test "the same changes give the same bytes too" {
    fixed_plan
    mtls pki -f plan.yaml -d one --seed golden >/dev/null
    mtls pki -f plan.yaml -d two --seed golden >/dev/null
    edit_plan 's/name: alice,/name: alice, names: [alice@example.com],/'
    mtls pki -f plan.yaml -d one --seed golden >/dev/null
    mtls pki -f plan.yaml -d two --seed golden >/dev/null
    same one two
    mtls pki -f plan.yaml -d three --seed golden >/dev/null
    cmp one/clients/alice/key.pem three/clients/alice/key.pem
}

@test "it is marked insecure in the output, in every certificate and in the manifest" {
    fixed_plan
    run -0 --separate-stderr mtls pki -f plan.yaml --seed golden
    [[ $stderr == 'mtls: INSECURE: every key in pki was made from the seed; use it for golden tests only' ]]
    for cert in pki/*/*/cert.pem; do
        openssl x509 -in "$cert" -noout -text | grep -q 'INSECURE: made by mtls from a seed; its key is known to anyone'
    done
    grep -q '"insecure": true' pki/manifest.json
    mv pki seeded
    mtls pki -f plan.yaml >/dev/null
    run -1 grep -r INSECURE pki
    openssl x509 -in pki/clients/alice/cert.pem -noout -text | grep -qv INSECURE
    grep -q '"insecure": false' pki/manifest.json
}

@test "the certificates are as good as others" {
    fixed_plan
    mtls pki -f plan.yaml --seed golden >/dev/null 2>&1
    judge clients/alice -attime 1767830400
    run -2 judge clients/mallory -attime 1767830400
    says 'certificate revoked'
}

@test "a second run changes nothing" {
    fixed_plan
    mtls pki -f plan.yaml --seed golden >/dev/null 2>&1
    snapshot >before
    run -0 mtls pki -f plan.yaml --seed golden
    says 'nothing to do'
    snapshot | diff before -
}

@test "a plan without fixed dates is refused, and nothing is made" {
    small_plan
    run -3 --separate-stderr mtls pki -f plan.yaml --seed golden
    [[ -z $output ]]
    [[ $stderr == 'mtls: plan.yaml: --seed needs fixed dates: not_before and not_after for every entry, or SOURCE_DATE_EPOCH' ]]
    [[ ! -e pki ]]
    at 0 mtls pki -f plan.yaml --seed golden >/dev/null
}

@test "seeded and unseeded do not mix" {
    fixed_plan
    mtls pki -f plan.yaml -d seeded --seed golden >/dev/null 2>&1
    mtls pki -f plan.yaml -d other >/dev/null
    run -3 --separate-stderr mtls pki -f plan.yaml -d other --seed golden
    [[ $stderr == 'mtls: other has keys that were not made from a seed; --seed needs a new directory' ]]
    run -3 --separate-stderr mtls pki -f plan.yaml -d seeded
    [[ $stderr == 'mtls: seeded was made with --seed, so its keys are no secret: only mtls pki --seed may change it' ]]
    run -3 --separate-stderr mtls pki -f plan.yaml -d seeded --seed silver
    [[ $stderr == 'mtls: seeded was made with another --seed' ]]
    run -3 --separate-stderr mtls ca issue carol -d seeded
    [[ $stderr == 'mtls: seeded was made with --seed, so its keys are no secret: '* ]]
    run -0 mtls ca list -d seeded
    says mallory
}

@test "SOURCE_DATE_EPOCH that is no number is refused" {
    small_plan
    SOURCE_DATE_EPOCH=yesterday run -2 --separate-stderr mtls pki -f plan.yaml --seed golden
    [[ $stderr == 'mtls: SOURCE_DATE_EPOCH is "yesterday"; it must be seconds since 1970' ]]
}
