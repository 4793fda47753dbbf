#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# mtls pki: revocations that the plan asks for, that it no longer asks for, and those made by hand.
load helpers
load pki

refused() { # DIRECTORY
    run -2 judge "$1"
    says 'certificate revoked'
}

@test "a revocation added later revokes what was issued before" {
    small_pki
    before=$(serial clients/bob)
    edit_plan 's/name: bob,/name: bob, revoked: {reason: keyCompromise},/'
    run -1 mtls pki -f plan.yaml --check
    [[ $output =~ 'client bob '[^$'\n']*'to be revoked: the plan revokes it' ]]
    converge
    [[ $output =~ 'client bob '[^$'\n']*'revoked: the plan revokes it  (revoked)' ]]
    says '0 certificates made, 1 revocation list issued'
    [[ $(serial clients/bob) == "$before" ]]
    listed "$before"
    refused clients/bob
    judge clients/alice
    lists -text | grep -q 'Key Compromise'
}

@test "and every certificate that the entry had before and that is still valid" {
    small_pki
    first=$(serial clients/bob)
    edit_plan 's/name: bob,/name: bob, names: [bob@example.com],/'
    converge
    second=$(serial clients/bob)
    edit_plan 's/name: bob,/name: bob, revoked: {},/'
    converge
    listed "$first" "$second"
}

@test "revocations accumulate and the list's number rises" {
    small_pki
    [[ $(crl_number issuing) == 01 ]]
    edit_plan 's/name: bob,/name: bob, revoked: {},/'
    converge
    [[ $(crl_number issuing) == 02 ]]
    edit_plan 's/name: alice,/name: alice, revoked: {},/'
    converge
    [[ $(crl_number issuing) == 03 && $(crl_number root) == 01 ]]
    listed "$(serial clients/alice)" "$(serial clients/bob)"
    refused clients/alice
    refused clients/bob
}

@test "reason, date and invalidity date are those of the plan" {
    small_pki
    edit_plan 's/name: bob,/name: bob, revoked: {reason: keyCompromise, when: 2026-01-02, invalidity_date: 2025-12-01},/'
    converge
    run -0 lists -text
    says 'Revocation Date: Jan  2 00:00:00 2026 GMT'
    says 'Key Compromise'
    says 'Dec  1 00:00:00 2025 GMT'
}

@test "an entry that is revoked from the start" {
    small_pki '  - {name: mallory, issuer: issuing, revoked: {reason: keyCompromise}}'
    grep -q 'client mallory .* made: new  (revoked)' made.log
    refused clients/mallory
    listed "$(serial clients/mallory)"
}

@test "a revoked CA takes what is below it along" {
    small_pki
    edit_plan 's/name: issuing,/name: issuing, revoked: {reason: cACompromise},/'
    converge
    listed "$(serial authorities/issuing)"
    refused clients/alice
}

@test "a root cannot be revoked" {
    small_plan
    edit_plan 's/name: root}/name: root, revoked: {}}/'
    run -3 --separate-stderr mtls pki -f plan.yaml
    [[ $stderr == 'mtls: plan.yaml:2: authorities[0].revoked: a self-signed authority cannot be revoked, '* ]]
}

@test "a revocation taken out of the plan: a new certificate with a new key, and the old one stays listed" {
    small_pki '  - {name: mallory, issuer: issuing, revoked: {}}'
    old=$(serial clients/mallory)
    key=$(public_key clients/mallory)
    edit_plan 's/, revoked: {}//'
    converge
    [[ $output =~ 'client mallory '[^$'\n']*'made again: the plan does not revoke it any more' ]]
    listed "$old"
    [[ $(public_key clients/mallory) != "$key" ]]
    judge clients/mallory
}

@test "a revocation by hand is respected, and reported" {
    small_pki
    mtls ca revoke alice >/dev/null
    converge
    [[ $output =~ 'client alice '[^$'\n']*'left: revoked by hand; mtls ca renew --rekey gives it a new certificate  (revoked)' ]]
    says 'nothing to do: everything is as the plan says'
    refused clients/alice
    mtls ca renew alice --rekey >/dev/null
    converge
    says 'nothing to do: everything is as the plan says'
    judge clients/alice
}

@test "a revocation by hand survives a new key of the CA" {
    small_pki
    mtls ca revoke alice >/dev/null
    old=$(serial clients/alice)
    rm pki/authorities/issuing/key.pem
    converge
    [[ $(serial clients/alice) == "$old" ]]
    run ! judge clients/alice
    mtls ca renew alice --rekey >/dev/null
    judge clients/alice
    converge
}

@test "a client revoked by hand whose entry is edited is a new client" {
    small_pki
    mtls ca revoke alice >/dev/null
    key=$(public_key clients/alice)
    edit_plan 's/alice@example.com/alicia@example.com/'
    converge
    [[ $output =~ 'client alice '[^$'\n']*'made again: changed in the plan' ]]
    [[ $(public_key clients/alice) != "$key" ]]
    judge clients/alice
}
