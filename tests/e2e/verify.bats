#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# mtls verify: what it reads, what it says, and its exit status. What the judge refuses is tested by tests/paths.
# shellcheck disable=SC2034 # helpers.bash reads server_pids
load helpers

setup_file() {
    cd "$BATS_FILE_TMPDIR" || return 1
    "${MTLS:-$BATS_TEST_DIRNAME/../../build/release/mtls}" pki -d pki >/dev/null
    cat pki/authorities/issuing/cert.pem >issuing.pem
    cat pki/authorities/root/cert.pem >root.pem
}

# Names that are short: the certificates of alice (good) and mallory (revoked), and the server's.
setup() {
    cd "$BATS_TEST_TMPDIR" || return 1
    server_pids=()
    pki=$BATS_FILE_TMPDIR/pki
    root=$BATS_FILE_TMPDIR/root.pem
    issuing=$BATS_FILE_TMPDIR/issuing.pem
    alice=$pki/clients/alice
    mallory=$pki/clients/mallory
    localhost=$pki/servers/localhost
    crl=$pki/crl.pem
}

accepts() { # ARGUMENT...
    run -0 --separate-stderr mtls verify "$@"
    says ': accepted'
    [[ -z $stderr ]] || fail "stderr: $stderr"
}

refuses() { # REASON ARGUMENT...
    local reason=$1
    shift
    run -1 --separate-stderr mtls verify "$@"
    says ": refused: $reason"
    [[ -z $stderr ]] || fail "stderr: $stderr"
}

usage() { # TEXT ARGUMENT...
    local text=$1
    shift
    run -2 --separate-stderr mtls verify "$@"
    [[ -z $output && $stderr == *"$text"* ]] || fail "stdout: $output"$'\n'"stderr: $stderr"
}

unreadable() { # TEXT ARGUMENT...
    local text=$1
    shift
    run -3 --separate-stderr mtls verify "$@"
    [[ -z $output && $stderr == *"$text"* ]] || fail "stdout: $output"$'\n'"stderr: $stderr"
}

@test "a chain: the path found, and what was checked of each certificate in it" {
    accepts -d "$pki" "$alice/fullchain.pem"
    [[ ${lines[0]} =~ ^CN=mtls\ test\ root\ \ until\ [0-9-]{10}\ \ trust\ anchor\;\ time,\ CA,\ constraints$ ]]
    [[ ${lines[1]} == '└─ CN=mtls test issuing CA  until '*'signature, time, names, policies, CA, revocation' ]]
    [[ ${lines[2]} == '   └─ CN=alice  until '*'signature, time, names, policies, purpose, revocation' ]]
    [[ ${lines[3]} == "$alice/fullchain.pem: accepted" ]]
}

@test "a refusal: which certificate, which rule, which section, what was found, what would mend it" {
    refuses cert_revoked -d "$pki" "$mallory/fullchain.pem"
    [[ ${lines[1]} == '  certificate  0 (the leaf)' ]]
    [[ ${lines[2]} == '  rule         a certificate has been revoked' ]]
    [[ ${lines[3]} == '  section      RFC 5280 section 6.1.3 (a) (3)' ]]
    [[ ${lines[4]} == '  found        CN=mallory: it is on the list of CN=mtls test issuing CA (keyCompromise)' ]]
    [[ ${lines[5]} == '  mend         obtain a new certificate' ]]
    refuses cert_expired -d "$pki" --at +20y "$alice/fullchain.pem"
    [[ ${lines[1]} == '  certificate  0 (the leaf)' ]]
}

@test "one certificate with the others given beside it" {
    accepts --ca "$root" --untrusted "$issuing" "$alice/cert.pem"
    refuses chain_incomplete --ca "$root" "$alice/cert.pem"
    accepts --ca "$root" --untrusted "$root" --untrusted "$issuing" "$alice/cert.pem"
    refuses chain_incomplete --ca "$root" --untrusted "$root" "$alice/cert.pem"
}

@test "DER, and standard input of both kinds" {
    openssl x509 -in "$alice/cert.pem" -outform DER -out alice.der
    openssl x509 -in "$issuing" -outform DER -out issuing.der
    openssl x509 -in "$root" -outform DER -out root.der
    openssl crl -in <(sed -n '1,/END X509 CRL/p' "$crl") -outform DER -out first.der
    accepts --ca root.der --untrusted issuing.der alice.der
    refuses chain_incomplete --ca root.der alice.der
    accepts --ca root.der --untrusted issuing.der - <alice.der
    accepts -d "$pki" - <"$alice/fullchain.pem"
    refuses cert_revoked -d "$pki" - <"$mallory/fullchain.pem"
    refuses crl_missing --ca root.der --untrusted issuing.der --crl first.der alice.der
}

@test "what stands between and beside the certificates of a PEM file is passed over" {
    { echo comment; cat "$alice/key.pem" "$alice/cert.pem"; echo more; cat "$issuing"; } >mixed.pem
    accepts -d "$pki" mixed.pem
    cat "$alice/key.pem" >key.pem
    unreadable 'key.pem holds no certificate, neither PEM nor DER' -d "$pki" key.pem
}

@test "a folder for anchors, others and lists" {
    mkdir anchors others lists empty
    cp "$root" anchors/b.pem
    cp "$issuing" anchors/.hidden.pem
    cp "$issuing" others/
    cp "$crl" lists/
    accepts --ca anchors --untrusted others --crl lists "$alice/cert.pem"
    refuses cert_revoked --ca anchors --untrusted others --crl lists "$mallory/cert.pem"
    refuses chain_incomplete --ca anchors "$alice/cert.pem"
    unreadable 'empty is a folder without a file' --ca empty "$alice/cert.pem"
    echo rubbish >anchors/z.pem
    unreadable 'anchors/z.pem holds no certificate' --ca anchors --untrusted others "$alice/cert.pem"
}

@test "lists: of the PKI, given, none" {
    refuses cert_revoked -d "$pki" "$mallory/fullchain.pem"
    accepts --ca "$root" "$mallory/fullchain.pem" # there is none
    refuses cert_revoked --ca "$root" --crl "$crl" "$mallory/fullchain.pem"
    accepts --ca "$root" --crl "$crl" --revocation off "$mallory/fullchain.pem"
    refuses crl_stale -d "$pki" --at +60d "$alice/fullchain.pem"
    accepts -d "$pki" --at +60d --revocation prefer "$alice/fullchain.pem"
    refuses cert_revoked -d "$pki" --at +60d --revocation prefer "$mallory/fullchain.pem"
}

@test "a list that cannot be read refuses to load, whatever is asked" {
    head -c 300 "$crl" >cut.pem
    unreadable 'reading the revocation lists' --ca "$root" --crl cut.pem "$alice/fullchain.pem"
    unreadable 'reading the revocation lists' --ca "$root" --crl "$crl" --crl cut.pem "$alice/fullchain.pem"
    unreadable 'reading the revocation lists' --ca "$root" --crl cut.pem --revocation prefer "$alice/fullchain.pem"
    unreadable 'absent.pem' --ca "$root" --crl absent.pem "$alice/fullchain.pem"
    unreadable 'holds no revocation list' --ca "$root" --crl "$root" "$alice/fullchain.pem"
    accepts --ca "$root" --crl "$crl" "$alice/fullchain.pem"
}

@test "files that are not there, or hold nothing" {
    unreadable 'absent.pem' -d "$pki" absent.pem
    unreadable 'absent.pem' --ca absent.pem "$alice/fullchain.pem"
    unreadable 'absent.pem' --ca "$root" --untrusted absent.pem "$alice/fullchain.pem"
    : >empty.pem
    unreadable 'empty.pem holds no certificate' -d "$pki" empty.pem
    unreadable 'nowhere/trust.pem' -d nowhere "$alice/fullchain.pem"
    head -c 400 "$alice/cert.pem" >cut.pem
    unreadable 'PEM block CERTIFICATE has no END line' -d "$pki" cut.pem
    accepts -d "$pki" "$alice/fullchain.pem"
}

@test "a certificate that is damaged is refused, not unreadable" {
    openssl x509 -in "$alice/cert.pem" -outform DER -out alice.der
    printf '\0' >>alice.der
    refuses malformed -d "$pki" alice.der
    says 'follow the certificate'
}

@test "the purpose" {
    accepts -d "$pki" "$alice/fullchain.pem" # client is the default
    accepts -d "$pki" --purpose client "$alice/fullchain.pem"
    refuses ext_key_usage -d "$pki" --purpose server "$alice/fullchain.pem"
    accepts -d "$pki" --purpose any "$alice/fullchain.pem"
    accepts -d "$pki" --purpose server "$localhost/fullchain.pem"
    refuses ext_key_usage -d "$pki" "$localhost/fullchain.pem"
    usage '--purpose takes client, server or any, not "servers"' -d "$pki" --purpose servers "$alice/fullchain.pem"
}

@test "the name" {
    accepts -d "$pki" --purpose server --name localhost "$localhost/fullchain.pem"
    says 'purpose, name asked for'
    accepts -d "$pki" --purpose server --name 127.0.0.1 "$localhost/fullchain.pem"
    accepts -d "$pki" --purpose server --name ::1 "$localhost/fullchain.pem"
    refuses name_mismatch -d "$pki" --purpose server --name example.com "$localhost/fullchain.pem"
    refuses name_mismatch -d "$pki" --purpose server --name 127.0.0.2 "$localhost/fullchain.pem"
    refuses name_mismatch -d "$pki" --purpose server --name $'\e[31m' "$localhost/fullchain.pem"
    says '\x1B[31m' # escaped
}

@test "the time: RFC 3339, a date, seconds, relative" {
    local seconds
    seconds=$(($(date +%s) + 60))
    for at in "$(date -u -d @$seconds +%Y-%m-%dT%H:%M:%SZ)" "$(date -u -d @$((seconds + 7200)) +%Y-%m-%dT%H:%M:%S+02:00)" \
        "$(date -u -d '+2 days' +%Y-%m-%d)" "$seconds" +1h now; do
        accepts --ca "$root" --at "$at" "$alice/fullchain.pem"
    done
    for at in 2001-01-01T00:00:00Z 2001-01-01 978307200 -9000d; do
        refuses cert_not_yet_valid --ca "$root" --at "$at" "$alice/fullchain.pem"
    done
    refuses cert_expired --ca "$root" --at 2099-01-01 "$alice/fullchain.pem"
    for at in tomorrow 2026-13-01 2026-02-30 12:00 ''; do
        usage 'write RFC 3339' --ca "$root" --at "$at" "$alice/fullchain.pem"
    done
}

@test "the depth" {
    accepts -d "$pki" --depth 1 "$alice/fullchain.pem"
    refuses path_too_long -d "$pki" --depth 0 "$alice/fullchain.pem"
    accepts --ca "$issuing" --depth 0 "$alice/cert.pem"
    usage '--depth takes a number from 0 to 1000, not "-1"' -d "$pki" --depth=-1 "$alice/fullchain.pem"
    usage '--depth takes a number' -d "$pki" --depth one "$alice/fullchain.pem"
}

@test "a policy" {
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout r.key -out r.pem -subj /CN=R \
        -addext keyUsage=critical,keyCertSign 2>/dev/null
    openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout l.key -out l.csr -subj /CN=L 2>/dev/null
    printf 'extendedKeyUsage=clientAuth\ncertificatePolicies=1.2.3.4\nsubjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n' >ext
    openssl x509 -req -in l.csr -CA r.pem -CAkey r.key -extfile ext -out l.pem 2>/dev/null
    accepts --ca r.pem l.pem
    accepts --ca r.pem --explicit-policy l.pem
    accepts --ca r.pem --policy 1.2.3.4 l.pem
    accepts --ca r.pem --policy 1.2.3.5 --policy 1.2.3.4 l.pem
    refuses policy --ca r.pem --policy 1.2.3.5 l.pem
    refuses policy -d "$pki" --explicit-policy "$alice/fullchain.pem"
    refuses policy -d "$pki" --policy 1.2.3.4 "$alice/fullchain.pem"
    unreadable 'is not an object identifier' --ca r.pem --policy 1.2.x l.pem
}

@test "what is unsafe is spelled so" {
    local flaws=$pki/flaws
    refuses ext_key_usage -d "$pki" "$flaws/client-any_eku/fullchain.pem"
    accepts -d "$pki" --unsafe-any-ext-key-usage "$flaws/client-any_eku/fullchain.pem"
    refuses ext_key_usage -d "$pki" "$flaws/client-no_eku/fullchain.pem"
    accepts -d "$pki" --unsafe-no-ext-key-usage "$flaws/client-no_eku/fullchain.pem"
    refuses key_usage -d "$pki" "$flaws/client-no_digital_signature/fullchain.pem"
    accepts -d "$pki" --unsafe-no-digital-signature "$flaws/client-no_digital_signature/fullchain.pem"
    refuses leaf_is_ca -d "$pki" "$flaws/client-ca_true_leaf/fullchain.pem"
    accepts -d "$pki" --unsafe-ca-leaf "$flaws/client-ca_true_leaf/fullchain.pem"
}

# A field by its name, as python has it: FILE FIELD
field() {
    python3 -c 'import json,sys; print(json.load(open(sys.argv[1]))[sys.argv[2]])' "$1" "$2"
}

@test "--json: the same fields, accepted or refused, and the same exit status" {
    local keys='verdict reason depth sentence section detail hint path'
    run -0 --separate-stderr mtls verify -d "$pki" --json "$alice/fullchain.pem"
    echo "$output" >accepted.json
    run -1 --separate-stderr mtls verify -d "$pki" --json "$mallory/fullchain.pem"
    echo "$output" >refused.json
    for file in accepted.json refused.json; do
        [[ $(python3 -c 'import json,sys; print(*json.load(open(sys.argv[1])))' $file) == "$keys" ]]
    done
    [[ $(field accepted.json verdict) == accepted && $(field refused.json verdict) == refused ]]
    [[ $(field accepted.json reason) == ok && $(field refused.json reason) == cert_revoked ]]
    [[ $(field accepted.json depth) == -1 && $(field refused.json depth) == 0 ]]
    [[ $(field refused.json section) == 'RFC 5280 section 6.1.3 (a) (3)' && $(field refused.json path) == '[]' ]]
    python3 - <<'PY'
import json
path = json.load(open("accepted.json"))["path"]
assert [c["subject"] for c in path] == ["CN=alice", "CN=mtls test issuing CA", "CN=mtls test root"], path
assert set(path[0]) == {"subject", "issuer", "serial", "fingerprint", "not_before", "not_after"}, path[0]
PY
    [[ $(openssl x509 -in "$alice/cert.pem" -noout -fingerprint -sha256 | tr -d : | cut -d= -f2 | tr A-F a-f) == \
        $(python3 -c 'import json; print(json.load(open("accepted.json"))["path"][0]["fingerprint"])') ]]
}

@test "usage" {
    usage 'CERT' -d "$pki"
    usage '--nonsense' -d "$pki" --nonsense "$alice/fullchain.pem"
    usage '--revocation takes require, prefer or off' -d "$pki" --revocation maybe "$alice/fullchain.pem"
    run -0 mtls verify --help
    says 'Exit status: 0 accepted, 1 refused, 2 usage, 3 unreadable.'
}
