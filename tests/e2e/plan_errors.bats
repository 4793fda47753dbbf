#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Plans that are wrong: file, line, field and what would be right, exit status 3, and nothing is made or changed.
load helpers
load pki

wrong() { # MESSAGE, or how it begins; the plan is on standard input
    cat >plan.yaml
    refuses 3 "$1..." mtls pki -f plan.yaml
}

@test "an unknown field" {
    wrong 'plan.yaml:2: authorities[0].isuer: unknown field (did you mean "issuer"?)' <<'END'
authorities:
  - {name: root, isuer: root}
END
}

@test "an unknown key type" {
    wrong 'plan.yaml:4: clients[0].key: unknown key type "ec-p255" (one of: ec-p256, ' <<'END'
authorities: [{name: root}]
clients:
  - name: alice
    key: ec-p255
    issuer: root
END
}

@test "an issuer that the plan does not have" {
    wrong 'plan.yaml:3: clients[0].issuer: unknown authority "rood" (did you mean "root"?)' <<'END'
authorities: [{name: root}]
clients:
  - {name: alice, issuer: rood}
END
}

@test "a circle of issuers" {
    wrong 'plan.yaml:2: authorities[0].issuer: an issuer loop: a -> b -> a ' <<'END'
authorities:
  - {name: a, issuer: b}
  - {name: b, issuer: a}
END
}

@test "a name twice" {
    wrong 'plan.yaml:4: clients[1].name: the name "alice" is taken by clients[0] in line 3' <<'END'
authorities: [{name: root}]
clients:
  - {name: alice, issuer: root}
  - {name: alice, issuer: root}
END
}

@test "a name that leads out of the directory" {
    wrong 'plan.yaml:3: clients[0].name: "../../alice" cannot be a name; use up to 128 letters, ' <<'END'
authorities: [{name: root}]
clients:
  - {name: ../../alice, issuer: root}
END
}

@test "a subject that is none" {
    wrong 'plan.yaml:3: clients[0].subject: unknown attribute "XY" (one of: CN, ' <<'END'
authorities: [{name: root}]
clients:
  - {name: alice, issuer: root, subject: "XY=alice"}
END
}

@test "a host name that is none" {
    wrong 'plan.yaml:3: servers[0].dns[0]: dns "under_score.example.com": label "under_score" must be letters, ' <<'END'
authorities: [{name: root}]
servers:
  - {name: www, issuer: root, dns: [under_score.example.com]}
END
}

@test "a validity that ends before it begins" {
    wrong 'plan.yaml:3: clients[0].not_after: 2026-01-01T00:00:00Z is before not_before (2027-01-01T00:00:00Z)' <<'END'
authorities: [{name: root, days: 9000}]
clients:
  - {name: alice, issuer: root, not_before: 2027-01-01, not_after: 2026-01-01}
END
}

@test "a validity beyond the issuer's" {
    wrong 'plan.yaml:3: clients[0].not_after: 2099-01-01T00:00:00Z is after its issuer "root" ends (' <<'END'
authorities: [{name: root}]
clients:
  - {name: alice, issuer: root, not_after: 2099-01-01}
END
}

@test "an unknown revocation reason" {
    wrong 'plan.yaml:3: clients[0].revoked.reason: unknown revocation reason "keycompromize" (' <<'END'
authorities: [{name: root}]
clients:
  - {name: alice, issuer: root, revoked: {reason: keycompromize}}
END
}

@test "an unknown flaw" {
    wrong 'plan.yaml:2: flaws.cases[0]: unknown flaw "expird" (did you mean "expired"?)' <<'END'
authorities: [{name: root}, {name: issuing, issuer: root}]
flaws: {issuer: issuing, cases: [expird]}
END
}

@test "several at once: the first, and how many more" {
    wrong 'plan.yaml:1: authorities[0].key: unknown key type "x" (one of: ec-p256, ec-p384, ec-p521, rsa-2048, rsa-3072, rsa-4096) (and 1 more)' <<'END'
authorities: [{name: root, key: x}]
clients: [{name: alice, issuer: root, days: 0}]
END
}

@test "text that is not YAML" {
    wrong 'plan.yaml:2: this is not YAML: while parsing a flow mapping from line 1 on' <<'END'
authorities: [{name: root
END
}

@test "a file that is not there, or empty" {
    run -3 --separate-stderr mtls pki -f nowhere.yaml
    [[ -z $output && $stderr == 'mtls: opening nowhere.yaml: No such file or directory' && ! -e pki ]]
    : >empty.yaml
    run -3 --separate-stderr mtls pki -f empty.yaml
    [[ -z $output && $stderr == 'mtls: empty.yaml'* && ! -e pki ]]
}

@test "a wrong plan leaves a PKI that is there as it is" {
    small_pki
    snapshot >before
    edit_plan 's/name: bob,/name: bob, key: rsa-1,/'
    run -3 mtls pki -f plan.yaml
    run -3 mtls pki -f plan.yaml --check
    run -3 mtls pki -f plan.yaml --prune
    snapshot | diff before -
}

@test "usage errors exit 2 and print nothing on standard output" {
    run -2 --separate-stderr mtls pki --chek
    [[ -z $output && $stderr == 'mtls: unknown option --chek (did you mean --check?); see mtls pki --help' ]]
    run -2 --separate-stderr mtls pki plan.yaml
    [[ -z $output && $stderr == 'mtls: unexpected argument "plan.yaml"; usage: mtls pki '* ]]
    run -2 --separate-stderr mtls pki -f
    [[ -z $output && $stderr == 'mtls: --file needs a value: PLAN' ]]
    run -0 --separate-stderr mtls pki --help
    [[ -z $stderr && $output == 'usage: mtls pki '* ]]
}
