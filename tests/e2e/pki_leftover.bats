#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# mtls pki: what the plan does not name any more, and --prune.
load helpers
load pki

@test "an entry that was removed is reported and left" {
    small_pki
    snapshot >before
    edit_plan /bob/d
    run -0 mtls pki -f plan.yaml
    [[ ${lines[-2]} == 'client bob: left, not in the plan; --prune revokes and removes it' ]]
    [[ ${lines[-1]} == 'nothing to do: everything is as the plan says' ]]
    snapshot | diff before -
    run -1 --separate-stderr mtls pki -f plan.yaml --check
    [[ $stderr == 'mtls: pki is not as the plan says: 1 difference' ]]
}

@test "--prune revokes and removes it, and the one before it" {
    small_pki
    first=$(serial clients/bob)
    edit_plan 's/name: bob,/name: bob, names: [bob@example.com],/'
    converge
    second=$(serial clients/bob)
    edit_plan /bob/d
    converge --prune
    [[ $output == *$'\nclient bob: pruned, not in the plan any more\n'* ]]
    [[ ! -e pki/clients/bob ]]
    listed "$first" "$second"
    lists -text | grep -q 'Cessation Of Operation'
}

@test "--prune --check says so and does nothing" {
    small_pki
    edit_plan /bob/d
    snapshot >before
    run -1 mtls pki -f plan.yaml --prune --check
    says 'client bob: to be pruned, not in the plan any more'
    snapshot | diff before -
}

@test "an entry that comes back after it was pruned has a new key" {
    small_pki
    key=$(public_key clients/bob)
    cp plan.yaml with-bob.yaml
    edit_plan /bob/d
    converge --prune
    cp with-bob.yaml plan.yaml
    converge
    [[ $output =~ 'client bob '[^$'\n']*'made: new' ]]
    [[ $(public_key clients/bob) != "$key" ]]
    judge clients/bob
}

@test "what mtls ca issued is not the plan's, and stays" {
    small_pki
    mtls ca issue carol >/dev/null
    converge --prune
    says 'nothing to do: everything is as the plan says'
    judge clients/carol
}

@test "a renamed authority: the new one is made with what is below it, the old one is left, or pruned" {
    small_pki
    old=$(serial authorities/issuing)
    edit_plan 's/issuing/inter/'
    run -0 mtls pki -f plan.yaml
    [[ $output =~ 'authority inter '[^$'\n']*'made: new' ]]
    [[ $output =~ 'client bob '[^$'\n']*'made again: changed in the plan' ]]
    says 'authority issuing: left, not in the plan; --prune revokes and removes it'
    listed
    judge clients/bob
    converge --prune
    [[ ! -e pki/authorities/issuing ]]
    listed "$old"
    [[ $(grep -c BEGIN pki/crl.pem) == 2 ]]
    judge clients/bob
}

@test "a pruned CA's list goes, also when the CA had been renewed" {
    small_pki
    edit_plan 's/name: issuing,/name: issuing, days: 3000,/'
    converge
    edit_plan 's/issuing/inter/'
    converge --prune
    [[ $(grep -c BEGIN pki/crl.pem) == 2 ]]
    judge clients/alice
}

@test "flaws that are not wanted any more are pruned with their lists" {
    small_pki 'flaws: {issuer: issuing, cases: [expired, crl_stale]}'
    edit_plan 's/, crl_stale//'
    run -0 mtls pki -f plan.yaml
    says 'flaw client-crl_stale: left, not in the plan; --prune revokes and removes it'
    converge --prune
    run -0 ls pki/flaws
    [[ $output == $'client-expired\nserver-expired' ]]
    [[ $(grep -c BEGIN pki/crl.pem) == 2 ]]
}
