#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# manifest.json of the built-in plan, with every flaw: is it complete, is it true, and are all controls good? Made once
# for all tests of this file.
load helpers
load pki

setup_file() {
    cd "$BATS_FILE_TMPDIR" || return 1
    mtls pki >made.log
    # A line an artefact: directory, role, side, control, verdict, reason, fingerprint, serial. One member stands on each
    # line of the file, and artefacts are indented by four.
    awk '
        function value(line) { gsub(/^[^:]*: "?|"?,?$/, "", line); return line }
        /^    \{/ { delete a; a["side"] = "-"; a["control"] = "-" }
        /^ *"(directory|role|side|control|verdict|fingerprint|serial)":/ { k = $1; gsub(/[":]/, "", k); a[k] = value($0) }
        /^ *"expect"/ { expect = 1 }
        expect && /^ *"reason"/ { a["reason"] = value($0); expect = 0 }
        /^    \}/ { print a["directory"], a["role"], a["side"], a["control"], a["verdict"], a["reason"], a["fingerprint"], a["serial"] }
    ' pki/manifest.json >artefacts
}

setup() {
    cd "$BATS_FILE_TMPDIR" || return 1
}

teardown() { :; }

@test "it is JSON" {
    command -v python3 || skip 'python3 is not installed'
    python3 -m json.tool pki/manifest.json >/dev/null
}

@test "every directory with a certificate is in it, and nothing else" {
    find pki -name cert.pem -printf '%P\n' | sed 's,/cert.pem,,' | sort >directories
    sed 's/ .*//' artefacts | grep -v '^null$' | sort | diff directories -
    [[ $(grep -c '^null flaw client false refused no_certificate' artefacts) == 1 ]]
}

@test "every artefact has its five files" {
    while read -r directory _; do
        for file in cert chain fullchain key combined; do
            [[ -f pki/$directory/$file.pem ]] || fail "$directory has no $file.pem"
        done
    done < <(grep -v ^null artefacts)
}

@test "fingerprints are those of what is in the files" {
    while read -r directory _ _ _ _ _ fingerprint _; do
        found=$(sed '/-----/d' "pki/$directory/cert.pem" | base64 -d | sha256sum | cut -d' ' -f1)
        [[ $found == "$fingerprint" ]] || fail "$directory: $fingerprint, but it is $found"
    done < <(grep -v ^null artefacts)
}

@test "serials, subjects and names are as openssl reads them" {
    while read -r directory _ _ _ _ _ _ serial; do
        [[ $(serial "$directory") == "serial=${serial^^}" ]] || fail "$directory"
    done < <(grep -E '^(clients|servers|authorities)' artefacts)
    grep -A20 '"name": "alice"' pki/manifest.json | grep -q '"value": "alice@example.com"'
    grep -A20 '"name": "alice"' pki/manifest.json | grep -q '"value": "spiffe://example.com/alice"'
}

@test "the revoked client, and why" {
    run -0 grep -A30 '"name": "mallory"' pki/manifest.json
    says '"revoked": {
        "reason": "keyCompromise",'
    grep -q '^clients/mallory client - - refused cert_revoked ' artefacts
}

@test "every expectation is a verdict with a reason" {
    while read -r directory role _ control verdict reason _; do
        case $role/$control/$verdict/$reason in
        authority/-/refused/leaf_is_ca | flaw/true/accepted/ok) ;;
        client/-/accepted/ok | server/-/accepted/ok | client/-/refused/cert_revoked) ;;
        flaw/false/refused/ok) fail "$directory: refused, but ok" ;;
        flaw/false/refused/*) ;;
        *) fail "$directory: $role $control $verdict $reason" ;;
        esac
    done <artefacts
}

@test "every flaw has a control, and openssl in its strictest mode accepts it" {
    while read -r directory _ side _; do
        judge "$directory/control" -purpose "ssl$side" >/dev/null || fail "$directory/control is not good"
    done < <(grep '^flaws/[^/]* ' artefacts)
}

@test "where openssl refuses, so is it expected; and where it does not, that is known" {
    # What openssl's verification does not look at: the handshake, the name asked for, what only a judge of leaves sees,
    # algorithms and keys below its level 1, and encodings that it reads all the same.
    tolerated='^(algorithm_weak|key_too_weak|key_usage|ext_key_usage|leaf_is_ca|malformed|name_mismatch|policy|proof_of_possession|serial_number|subject_alt_name|version) '
    while read -r directory role side _ verdict reason _; do
        [[ $side != - ]] || side=$role
        if judge "$directory" -purpose "ssl$side" >/dev/null 2>&1; then
            [[ $verdict == accepted || "$reason " =~ $tolerated ]] || fail "$directory: openssl accepts it, not $reason"
        else
            [[ $verdict == refused ]] || fail "$directory: openssl refuses it"
        fi
    done < <(grep -E '^(clients|servers|flaws)' artefacts)
}

@test "a third of the flaws at least is refused by openssl for just the reason that is expected" {
    declare -A words=([cert_expired]='certificate has expired' [cert_not_yet_valid]='certificate is not yet valid'
        [cert_revoked]='certificate revoked' [crl_stale]='CRL has expired' [crl_missing]='unable to get certificate CRL'
        [signature_bad]='certificate signature failure' [path_too_long]='path length constraint exceeded'
        [name_constraint]='subtree violation' [critical_extension]='unhandled critical extension')
    same=0
    while read -r directory _ side _ _ reason _; do
        [[ -n ${words[$reason]-} ]] || continue
        run ! judge "$directory" -purpose "ssl$side"
        [[ $output == *"${words[$reason]}"* ]] || echo "# $directory: $reason, but openssl: $output"
        [[ $output != *"${words[$reason]}"* ]] || same=$((same + 1))
    done < <(grep -E '^flaws/[^/]* ' artefacts)
    ((same * 3 >= $(grep -cE '^flaws/[^/]* ' artefacts))) || fail "only $same"
}
