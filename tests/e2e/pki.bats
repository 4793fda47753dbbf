#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# mtls pki: what is made, that it stays as it is, and where it goes.
load helpers
load pki

@test "the first run makes everything the plan names, and shows it as a tree" {
    small_plan
    run -0 --separate-stderr mtls pki -f plan.yaml
    [[ -z $stderr ]]
    [[ ${lines[0]} == pki ]]
    [[ ${lines[1]} =~ ^'authority root '.*' made: new'$ ]]
    [[ ${lines[2]} =~ ^'└─ authority issuing '.*' made: new'$ ]]
    [[ ${lines[5]} =~ ^'   └─ client bob '.*' made: new'$ ]]
    [[ ${lines[6]} == '5 certificates made, 2 revocation lists issued, '*' files written' ]]
    run -0 ls -A pki pki/clients pki/clients/alice
    [[ $output == $'pki:\n.lock\nauthorities\nclients\ncrl.pem\nmanifest.json\npki.db\nservers\ntrust.d\ntrust.pem

pki/clients:\nalice\nbob

pki/clients/alice:\ncert.pem\nchain.pem\ncombined.pem\nfullchain.pem\nkey.pem' ]]
}

@test "a second run leaves every byte and every time alone, and says so" {
    small_pki
    snapshot >before
    run -0 mtls pki -f plan.yaml
    [[ ${lines[-1]} == 'nothing to do: everything is as the plan says' ]]
    snapshot | diff before -
}

@test "--check of what is as planned changes nothing and is content" {
    small_pki
    snapshot >before
    run -0 mtls pki -f plan.yaml --check
    [[ ${lines[-1]} == 'nothing to do: everything is as the plan says' ]]
    snapshot | diff before -
}

@test "--check of what is not says what a run would do, does none of it, and exits 1" {
    small_pki
    edit_plan 's/alice@/alicia@/'
    echo >>pki/clients/bob/cert.pem
    rm pki/manifest.json
    snapshot >before
    run -1 --separate-stderr mtls pki -f plan.yaml --check
    [[ $stderr == 'mtls: pki is not as the plan says: 3 differences' ]]
    [[ $output =~ 'client alice '.*'to be made again: changed in the plan' ]]
    [[ $output =~ 'client bob '.*'to be rewritten: its files were not what was issued' ]]
    snapshot | diff before -
}

@test "--check of a directory without a PKI exits 1 and makes none" {
    small_plan
    run -1 --separate-stderr mtls pki -f plan.yaml --check
    [[ -z $output && $stderr == 'mtls: pki is not as the plan says: there is no PKI' ]]
    [[ ! -e pki ]]
}

@test "the files of an entry are what they are called" {
    small_pki
    cd pki/clients/alice
    cat cert.pem chain.pem | cmp - fullchain.pem
    cat key.pem fullchain.pem | cmp - combined.pem
    cmp chain.pem ../../authorities/issuing/cert.pem
    [[ $(head -n 1 key.pem) == '-----BEGIN PRIVATE KEY-----' ]]
    [[ $(openssl pkey -in key.pem -pubout) == "$(openssl x509 -in cert.pem -noout -pubkey)" ]]
    cmp ../../trust.pem ../../authorities/root/cert.pem
}

@test "private keys are for their owner alone, whatever the umask" {
    umask 000
    small_pki
    [[ $(find pki -name key.pem -perm 600 | wc -l) == 5 ]]
    [[ $(find pki \( -name key.pem -o -name combined.pem -o -name 'pki.db*' \) -perm /077) == '' ]]
    grep -rl 'PRIVATE KEY' pki | grep -v 'key.pem$' | grep -v 'combined.pem$' && fail 'a key in another file' || true
}

@test "a key that others may read is put right, and --check sees it" {
    small_pki
    chmod 644 pki/clients/alice/key.pem
    run -1 mtls pki -f plan.yaml --check
    says 'to be rewritten: its files were not what was issued'
    serial clients/alice >before
    converge
    [[ $(stat -c %a pki/clients/alice/key.pem) == 600 ]]
    serial clients/alice | cmp before -
}

@test "files that were removed or damaged come back as they were" {
    small_pki
    snapshot | grep -v ' 6[04][04] ' >before
    rm pki/clients/alice/{chain,combined}.pem pki/clients/bob/cert.pem pki/crl.pem
    rm -r pki/trust.d
    echo junk >pki/servers/localhost/fullchain.pem
    : >pki/trust.pem
    converge
    [[ $output =~ 'client alice '[^$'\n']*'rewritten: its files were not what was issued' ]]
    says '0 certificates made, 0 revocation lists issued, 9 files written'
    snapshot | grep -v ' 6[04][04] ' | diff before -
}

@test "files of others are left alone" {
    small_pki
    echo mine | tee pki/notes pki/clients/alice/notes pki/trust.d/notes >pki/clients/notes
    converge --prune
    [[ $(cat pki/notes pki/clients/alice/notes pki/trust.d/notes pki/clients/notes) == $'mine\nmine\nmine\nmine' ]]
}

@test "the PKI is where --pki, -d or MTLS_PKI say, in this order" {
    small_plan
    MTLS_PKI=$PWD/one mtls pki -f plan.yaml >/dev/null
    MTLS_PKI=one mtls pki -f plan.yaml --pki two/three >/dev/null
    mtls pki -f plan.yaml -d four >/dev/null
    [[ -e one/trust.pem && -e two/three/trust.pem && -e four/trust.pem && ! -e pki ]]
    MTLS_PKI=four mtls ca list | grep -q alice
}

@test "a PKI directory that is a file is refused in one sentence" {
    small_plan
    echo mine >pki
    run -3 --separate-stderr mtls pki -f plan.yaml
    [[ -z $output && ${#stderr_lines[@]} == 1 && $stderr == 'mtls: '*'pki'*': Not a directory' ]]
    [[ $(cat pki) == mine ]]
}

@test "a directory that cannot be written to is refused in one sentence" {
    small_plan
    mkdir locked
    chmod 555 locked
    as_nobody=()
    if [[ $(id -u) == 0 ]]; then # root may write anywhere
        chmod a+x . "$BATS_TEST_TMPDIR/.." "$BATS_RUN_TMPDIR" "$BATS_TEST_TMPDIR"
        as_nobody=(setpriv --reuid=65534 --regid=65534 --clear-groups)
    fi
    run -3 --separate-stderr "${as_nobody[@]}" "$MTLS" pki -f plan.yaml -d locked/pki
    [[ -z $output && $stderr == 'mtls: making directory locked/pki: Permission denied' ]]
    [[ -z $(ls -A locked) ]]
}

@test "a database that is none, or of a later version, is refused and left as it is" {
    small_pki
    cp pki/pki.db good.db
    head -c 5000 /dev/urandom >pki/pki.db
    cp pki/pki.db bad.db
    run -3 --separate-stderr mtls pki -f plan.yaml
    [[ -z $output && ${#stderr_lines[@]} == 1 && $stderr == *pki/pki.db* ]]
    cmp bad.db pki/pki.db
    cp good.db pki/pki.db
    printf '\377' | dd of=pki/pki.db bs=1 seek=63 conv=notrunc status=none # user_version
    cp pki/pki.db bad.db
    run -3 --separate-stderr mtls pki -f plan.yaml
    [[ -z $output && ${#stderr_lines[@]} == 1 && $stderr == *'newer'* ]]
    cmp bad.db pki/pki.db
}

@test "the built-in plan is configs/pki.yaml" {
    mtls pki >builtin.log
    cp -r pki before
    run -0 mtls pki -f "$BATS_TEST_DIRNAME/../../configs/pki.yaml"
    [[ ${lines[-1]} == 'nothing to do: everything is as the plan says' ]]
    for name in authority\ root authority\ issuing server\ localhost client\ alice client\ bob; do
        grep -q " $name .*made: new\$\|^$name .*made: new\$" builtin.log
    done
    grep -q ' client mallory .*made: new  (revoked)$' builtin.log
    grep -q ' certificates wrong on purpose: [0-9]* made$' builtin.log
}

@test "an entry with copies is so many entries" {
    small_plan '  - {name: "load-{n}", issuer: issuing, copies: 20, subject: "CN=load {n}", names: ["load-{n}@example.com"]}'
    run -0 mtls pki -f plan.yaml
    [[ $output =~ '12 more clients: 12 made' ]]
    run -0 openssl x509 -in pki/clients/load-20/cert.pem -noout -subject -ext subjectAltName
    [[ $output == 'subject=CN = load 20'*'email:load-20@example.com' ]]
    [[ $(cat pki/clients/load-*/key.pem | grep -c BEGIN) == 20 ]]
    [[ $(sha256sum pki/clients/load-*/key.pem | cut -d' ' -f1 | sort -u | wc -l) == 20 ]]
}

@test "two entries may have one subject" {
    small_plan '  - {name: alice2, issuer: issuing, subject: "CN=alice"}'
    converge
    [[ $(serial clients/alice) != "$(serial clients/alice2)" ]]
    judge clients/alice
    judge clients/alice2
}

@test "a client and a server may have one name" {
    small_plan '  - {name: localhost, issuer: issuing}'
    converge
    [[ $(extension servers/localhost extendedKeyUsage) == 'TLS Web Server Authentication' ]]
    [[ $(extension clients/localhost extendedKeyUsage) == 'TLS Web Client Authentication' ]]
}
