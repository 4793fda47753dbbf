#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Servers that are broken on purpose, in one way each: the probe finds the hole, names it rightly, and finds nothing else.
load ../e2e/helpers.bash

setup_file() {
    export MTLS pki=$BATS_FILE_TMPDIR/pki
    . "$BATS_TEST_DIRNAME/targets.bash"
    target_make_pki "$BATS_FILE_TMPDIR"
    cd "$BATS_FILE_TMPDIR"
    local cert flaw
    for cert in pki/flaws/client-*/cert.pem; do
        flaw=${cert%/cert.pem}
        openssl x509 -noout -in "$cert" 2>/dev/null || printf '%s\n' "${flaw##*/client-}"
    done >unreadable
    holes_with_twins | tr '\n' '\0' | xargs -0 -n 1 -P "$(nproc)" bash -c "$(declare -f hole_run) && hole_run \"\$1\"" \
        "$BATS_TEST_DIRNAME/holes/run" 3>&-
}

setup() {
    cd "$BATS_FILE_TMPDIR"
    . "$BATS_TEST_DIRNAME/targets.bash"
}

teardown() {
    :
}

holes() {
    grep -v -e '^#' -e '^$' "$BATS_TEST_DIRNAME/holes/table.txt"
}

# And each server without a hole, in each version of TLS that is asked for.
holes_with_twins() {
    holes
    holes | awk -F ' *[|] *' '!seen[$2, $3]++ { printf "twin-%s-%s | %s | %s | | |\n", $2, $3, $2, $3 }'
}

hole_run() { # LINE; $0 is holes/run
    local name server tls options knobs expected
    IFS='|' read -r name server tls options knobs expected <<<"$1"
    "$0" "${name// /}" "${server// /}" "${tls// /}" "$options" "$knobs" >"${name// /}.out" 2>&1 || true
}

served() { # NAME: the cases
    sed -n 's/ .* served$//p' "$1.found"
}

in_doubt() { # NAME
    sed -n 's/ .* in doubt$//p' "$1.found"
}

skipped() { # NAME
    jq -r '.results[] | select(.case != null and .verdict == "skipped") | .case' "$1.json"
}

# The expected cases, of those that were tried: two sets, "must" and "may". What OpenSSL here cannot read, such as a
# validity without seconds since 3.5, gets past a server that reads by it only where none is asked for: "unread".
expect() { # NAME SERVER PATTERN...
    local token pattern must may beyond # one certificate
    beyond=$(sed -n 's/^CASE(\([a-z0-9_]*\),.*/\1/p' "$BATS_TEST_DIRNAME/../../src/probe/case.def" | grep -v -x -e foreign_chain -e namesake | tr '\n' ' ')
    for token in $(jq -r '.results[] | select(.case != null and .verdict != "skipped") | .case' "$1.json" | sort -u); do
        must=false may=false
        set -f
        for pattern in "${@:3}"; do
            # shellcheck disable=SC2053 # they are patterns
            case $pattern in
            !*) [[ $token != ${pattern#!} ]] || must=false ;;
            ~*) [[ $token != ${pattern#\~} ]] || may=true ;;
            '*') [[ " $beyond " == *" $token "* ]] || must=true ;;
            *) [[ $token != $pattern ]] || must=true ;;
            esac
        done
        set +f
        if [[ $2 != gnutls_serv ]] && grep -qx "$token" unreadable; then
            echo "$token" >>"$1.unread"
        elif $may; then
            echo "$token" >>"$1.may"
        elif $must; then
            echo "$token" >>"$1.must"
        fi
    done
}

judge_hole() { # NAME SERVER TLS EXPECTED
    local twin=twin-$2-$3
    [[ -e $1.found && -e $twin.found ]] || fail "it was not probed: $(cat "$1.out" "$twin.out")" || return 1
    served "$1" | LC_ALL=C sort >"$1.served"
    served "$twin" | LC_ALL=C sort >"$twin.served"
    : >"$1.must"
    : >"$1.may"
    : >"$1.unread"
    set -f
    # shellcheck disable=SC2086 # patterns with spaces between them
    expect "$1" "$2" $4
    LC_ALL=C sort "$1.must" | LC_ALL=C comm -23 - "$twin.served" >"$1.expected"
    LC_ALL=C comm -13 "$twin.served" "$1.served" | grep -v -x -F -f "$1.may" -f "$1.unread" >"$1.extra" || true
    diff -u "$1.expected" "$1.extra" || return 1
    [[ $4 =~ ^\ *-(\ |$) || -s $1.extra || -s $1.may ]] || fail 'nothing was found' || return 1
    skipped "$1" >"$1.skipped" # with the hole there is no such case: a session of somebody, where nobody is asked who he is
    ! LC_ALL=C comm -23 "$twin.served" "$1.served" | grep -v -x -F -f "$1.skipped" -f "$1.may" || fail 'found with the twin only' || return 1
    ! LC_ALL=C comm -13 <(in_doubt "$twin") <(in_doubt "$1") | grep . || fail 'in doubt, with the hole only' || return 1
    jq -e '.counts | .controls > 0 and .controls == .controls_served' "$1.json" >/dev/null || fail 'a control was refused'
}

judge_holes() { # NAME-PATTERN...
    local name server tls options knobs expected failed=0 count=0 skipped=''
    while IFS='|' read -r name server tls options knobs expected; do
        name=${name// /} server=${server// /} tls=${tls// /}
        if ! target_is_there "$server"; then
            [[ $skipped == *" $server"* ]] || printf '# not tried: %s is not installed here\n' "$server" >&3
            skipped+=" $server"
            continue
        fi
        count=$((count + 1))
        judge_hole "$name" "$server" "$tls" "$expected" || {
            printf '^ %s\n' "$name"
            failed=$((failed + 1))
        }
    done < <(holes)
    printf '# %d holes, %d of them not as they should be\n' "$count" "$failed" >&3
    ((failed == 0 && count >= 20))
}

@test "each hole is found, by its name, and nothing that is not there" {
    judge_holes
}

