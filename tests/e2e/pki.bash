# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2034,SC2154 # bats sets some variables, the tests read others
# For the tests of `mtls pki` and `mtls ca`: a small plan, a PKI seen from outside, and the judges.

# A root, an issuing CA, a server and two clients, and after them the lines that are given.
small_plan() { # LINE...
    cat >plan.yaml <<'END'
authorities:
  - {name: root}
  - {name: issuing, issuer: root}
servers:
  - {name: localhost, issuer: issuing, names: [localhost, 127.0.0.1]}
clients:
  - {name: alice, issuer: issuing, names: [alice@example.com]}
  - {name: bob, issuer: issuing}
END
    (($# == 0)) || printf '%s\n' "$@" >>plan.yaml
}

# A small plan, made.
small_pki() { # LINE...
    small_plan "$@"
    mtls pki -f plan.yaml >made.log
}

edit_plan() { # SED-EXPRESSION
    cp plan.yaml plan.before
    sed -i "$1" plan.yaml
    ! cmp -s plan.yaml plan.before || fail "sed '$1' changed nothing"
}

# Runs mtls pki, shows what it said, and makes sure that nothing is left to do afterwards.
converge() { # ARGUMENT...
    run -0 mtls pki -f plan.yaml "$@"
    local said=$output
    run -0 mtls pki -f plan.yaml --check
    says 'nothing to do: everything is as the plan says'
    output=$said
}

# So many days after the first moment of 2026.
at() { # DAYS COMMAND...
    SOURCE_DATE_EPOCH=$((1767225600 + $1 * 86400)) "${@:2}"
}

# Every file with its mode and time and what is in it. The database's time is left out: to look into it is to touch it.
snapshot() {
    find pki -type f ! -name pki.db -printf '%p %m %T@\n' | sort
    find pki -type f -print0 | sort -z | xargs -0 sha256sum
}

serial() { # DIRECTORY
    openssl x509 -in "pki/$1/cert.pem" -noout -serial
}

public_key() { # DIRECTORY
    openssl x509 -in "pki/$1/cert.pem" -noout -pubkey
}

# The text of one extension, without its name.
extension() { # DIRECTORY NAME
    openssl x509 -in "pki/$1/cert.pem" -noout -ext "$2" | tail -n +2 | sed 's/^ *//'
}

# What openssl, in its strictest mode, says of the certificate in a directory.
judge() { # DIRECTORY ARGUMENT...
    openssl verify -x509_strict -crl_check_all -CAfile pki/trust.pem -CRLfile pki/crl.pem \
        -untrusted "pki/$1/fullchain.pem" "${@:2}" "pki/$1/cert.pem"
}

# Each list of crl.pem as openssl prints it: it reads only the first of a file.
lists() { # OPENSSL-CRL-ARGUMENT...
    local list
    awk -v n=0 '/BEGIN/ { n++ } { print > ("crl-" n ".tmp") }' pki/crl.pem
    for list in crl-*.tmp; do
        openssl crl -in "$list" -noout "$@" | sed "s/^issuer=/\n&/"
    done
    rm crl-*.tmp
}

# Are these the serials of all that is revoked?
listed() { # serial=SERIAL...
    local found
    found=$(lists -text | sed -n 's/^ *Serial Number: /serial=/p' | sort)
    [[ $found == "$(printf '%s\n' "$@" | sort)" ]] || fail "listed: $found"$'\n'"expected: $*"
}

# The number of a CA's list.
crl_number() { # COMMON-NAME
    lists -issuer -crlnumber | grep -A1 "CN = $1\$" | sed -n 's/^crlNumber=0x//p'
}

# The command fails with this exit status and this one sentence ("..." in it stands for anything), prints nothing else, and
# leaves the PKI as it was, or unmade.
refuses() { # EXIT-STATUS MESSAGE COMMAND...
    local before after pattern
    before=$([[ ! -e pki ]] || snapshot)
    run "-$1" --separate-stderr "${@:3}"
    printf -v pattern '%q' "mtls: $2"
    # shellcheck disable=SC2053 # it is a pattern
    [[ -z $output && ${#stderr_lines[@]} == 1 && $stderr == ${pattern//.../*} ]] ||
        fail "expected: mtls: $2"$'\n'"but it was: $output$stderr"
    after=$([[ ! -e pki ]] || snapshot)
    [[ $before == "$after" ]] || fail "changed: $(diff <(echo "$before") <(echo "$after"))"
}
