#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# mtls pki as time goes by. SOURCE_DATE_EPOCH stands for the clock; day 0 is 2026-01-01.
load helpers
load pki

small_plan_at_day_0() { # LINE...
    small_plan "$@"
    at 0 mtls pki -f plan.yaml >made.log
}

quiet_at() { # DAY
    run -0 at "$1" mtls pki -f plan.yaml --check
    [[ ${lines[-1]} == 'nothing to do: everything is as the plan says' ]] || fail "day $1: $output"
}

converge_at() { # DAY
    run -1 at "$1" mtls pki -f plan.yaml --check
    run -0 at "$1" mtls pki -f plan.yaml
    local said=$output
    quiet_at "$1"
    output=$said
}

judge_at() { # DAY DIRECTORY
    judge "$2" -attime $((1767225600 + $1 * 86400))
}

@test "a list is issued again when a third of its life is left" {
    small_plan_at_day_0
    quiet_at 19
    converge_at 20
    says '0 certificates made, 2 revocation lists issued, 3 files written'
    [[ $(crl_number root) == 02 && $(crl_number issuing) == 02 ]]
    judge_at 49 clients/alice
    run -2 judge_at 51 clients/alice
    says 'CRL has expired'
}

@test "the lists' life is the plan's, and an edit of it counts at once" {
    small_plan_at_day_0
    edit_plan 's/name: issuing,/name: issuing, crl_days: 9,/'
    converge_at 1
    says '0 certificates made, 1 revocation list issued, 2 files written'
    quiet_at 6
    converge_at 7
    [[ $(crl_number root) == 01 && $(crl_number issuing) == 03 ]]
}

@test "a list that was issued by hand for another time stands until it is due" {
    small_plan_at_day_0
    at 1 mtls ca crl --next-update 12d >/dev/null
    quiet_at 8
    converge_at 9
    says '0 certificates made, 2 revocation lists issued'
}

@test "a client is renewed a month before its end, with the key it had" {
    small_plan_at_day_0
    key=$(public_key clients/alice)
    at 350 mtls pki -f plan.yaml >/dev/null
    quiet_at 366
    converge_at 367
    [[ $output =~ 'client alice '[^$'\n']*'made again: near its end' ]]
    says '3 certificates made, 0 revocation lists issued'
    [[ $(public_key clients/alice) == "$key" ]]
    openssl x509 -in pki/clients/alice/cert.pem -noout -enddate | grep -q 'Feb  3 23:59:59 2028'
    listed
}

@test "renew_before says when" {
    small_plan_at_day_0 '  - {name: eve, issuer: issuing, days: 10, renew_before: 1d}' \
        '  - {name: fay, issuer: issuing, days: 9}'
    quiet_at 5
    converge_at 6
    [[ $output =~ 'client eve '[^$'\n']*' kept' ]]
    [[ $output =~ 'client fay '[^$'\n']*' made again: near its end' ]]
    converge_at 9
    [[ $output =~ 'client eve '[^$'\n']*' made again: near its end' ]]
}

@test "a life that was given by mtls ca renew is not taken back before it nears its own end" {
    small_plan_at_day_0
    at 1 mtls ca renew bob --days 9 >/dev/null
    quiet_at 6
    converge_at 8
    [[ $output =~ 'client bob '[^$'\n']*' made again: near its end' ]]
}

@test "a CA renewed with its key is the same CA: what is below it stays, in a new chain" {
    small_plan_at_day_0 '  - {name: eve, issuer: issuing, days: 3000}'
    edit_plan 's/name: issuing,/name: issuing, days: 3500,/'
    at 0 mtls pki -f plan.yaml >/dev/null
    old=$(serial clients/eve)
    at 2900 mtls pki -f plan.yaml >/dev/null # the others, and the lists
    number=$(crl_number issuing)
    at 2970 mtls pki -f plan.yaml >/dev/null # eve
    new=$(serial clients/eve)
    at 3465 mtls pki -f plan.yaml >/dev/null
    run -0 at 3475 mtls pki -f plan.yaml
    [[ $output =~ 'authority issuing '[^$'\n']*' made again: near its end' ]]
    [[ $output =~ 'authority root '[^$'\n']*' kept' ]]
    [[ $old != "$new" ]]
    cmp pki/authorities/issuing/cert.pem pki/clients/eve/chain.pem
    ((0x$(crl_number issuing) > 0x$number))
    judge_at 3480 clients/eve
    judge_at 3480 clients/alice
}

@test "what ends with its CA is not issued again and again before that is renewed" {
    small_plan
    edit_plan 's/name: root}/name: root, days: 60, renew_before: 1d}/; s/name: issuing,/name: issuing, days: 60, renew_before: 1d,/'
    at 0 mtls pki -f plan.yaml >/dev/null
    at 25 mtls pki -f plan.yaml >/dev/null
    at 45 mtls pki -f plan.yaml >/dev/null
    openssl x509 -in pki/clients/alice/cert.pem -noout -enddate | grep -q 'Mar  1 23:59:59 2026'
    quiet_at 45
    quiet_at 50
    at 59 mtls pki -f plan.yaml >/dev/null
    quiet_at 59
    openssl x509 -in pki/clients/alice/cert.pem -noout -enddate | grep -q 'Apr 29 23:59:59 2026'
    judge_at 60 clients/alice
}

@test "fixed dates are left alone, and expired certificates with them" {
    small_plan_at_day_0 '  - {name: eve, issuer: issuing, not_before: 2026-01-01, not_after: 2026-02-01}'
    old=$(serial clients/eve)
    at 40 mtls pki -f plan.yaml >/dev/null
    [[ $(serial clients/eve) == "$old" ]]
    run -0 at 40 mtls pki -f plan.yaml
    [[ $output =~ 'client eve '[^$'\n']*'until 2026-02-01  kept' ]]
    run -2 judge_at 32 clients/eve
    says 'certificate has expired'
}

@test "flaws are made again before their controls end" {
    small_plan_at_day_0 'flaws: {issuer: issuing, cases: [expired]}'
    run -0 at 0 mtls pki -f plan.yaml --check
    run -0 at 200 mtls pki -f plan.yaml
    says '2 certificates wrong on purpose: 2 kept'
    run -0 at 300 mtls pki -f plan.yaml
    says '2 certificates wrong on purpose: 2 made again'
    judge_at 301 flaws/client-expired/control
    run -2 judge_at 301 flaws/client-expired
    says 'certificate has expired'
}
