#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# What is in the certificates that mtls pki makes, in the words of openssl, and what openssl, certtool and keytool think
# of them. Made once for all tests of this file.
load helpers
load pki

setup_file() {
    cd "$BATS_FILE_TMPDIR" || return 1
    cat >plan.yaml <<'END'
defaults: {subject: "CN={name},O=Test", ca_days: 20000, crl_url: "http://crl.example.com/{issuer}.crl"}
authorities:
  - {name: root, key: ec-p521, path_length: 2}
  - {name: policy, issuer: root, key: rsa-3072, policies: [1.3.6.1.4.1.55555.1]}
  - name: issuing
    issuer: policy
    key: ec-p384
    permitted: {dns: [example.com], ip: [10.0.0.0/8, "2001:db8::/32"], email: [example.com], uri: [.example.com], dirname: ["O=Test"]}
    excluded: {dns: [secret.example.com]}
    policies: [1.3.6.1.4.1.55555.1]
servers:
  - {name: rsa, issuer: issuing, key: rsa-2048, names: [a.example.com, 10.1.2.3, "2001:db8::1", "*.b.example.com"]}
  - {name: rsa4096, issuer: issuing, key: rsa-4096, names: [a.example.com], policies: [1.3.6.1.4.1.55555.1]}
  - {name: p384, issuer: issuing, key: ec-p384, names: [a.example.com], crl_url: ""}
  - {name: p521, issuer: issuing, key: ec-p521, names: [a.example.com], days: 1}
  - {name: outside, issuer: issuing, names: [other.example.org]}
  - {name: secret, issuer: issuing, names: [www.secret.example.com]}
clients:
  - {name: alice, issuer: issuing, names: [alice@example.com, "spiffe://td.example.com/alice"]}
  - {name: nobody, issuer: issuing, subject: "", email: [nobody@example.com]}
  - {name: until2049, issuer: issuing, email: [a@example.com], not_before: 2026-01-01, not_after: "2049-12-31T23:59:59Z"}
  - {name: until2050, issuer: issuing, email: [a@example.com], not_before: 2026-01-01, not_after: "2050-01-01T00:00:00Z"}
  - {name: odd, issuer: issuing, email: [a@example.com], key_usage: [keyAgreement], ext_key_usage: [clientAuth, 1.3.6.1.4.1.55555.2]}
  - {name: bare, issuer: policy, email: [a@example.com], key_usage: [], ext_key_usage: []}
END
    mtls pki -f plan.yaml >made.log
}

setup() {
    cd "$BATS_FILE_TMPDIR" || return 1
    good=(servers/rsa servers/rsa4096 servers/p384 servers/p521 clients/alice clients/nobody clients/until2049
        clients/until2050 clients/odd clients/bare authorities/issuing authorities/policy)
}

teardown() { :; }

@test "openssl, in its strictest mode, accepts them all" {
    for entry in "${good[@]}" authorities/root; do
        judge "$entry"
    done
}

@test "openssl accepts them through trust.d too" {
    for entry in "${good[@]}"; do
        openssl verify -x509_strict -crl_check_all -CApath pki/trust.d -untrusted "pki/$entry/fullchain.pem" \
            "pki/$entry/cert.pem"
    done
    openssl rehash -h >/dev/null # as the names that openssl itself gives them
    mkdir -p rehashed
    cp pki/trust.pem rehashed/
    openssl rehash rehashed
    [[ $(ls rehashed) == *"$(basename pki/trust.d/*.0)"* ]]
}

@test "certtool accepts them all" {
    command -v certtool || skip 'certtool is not installed'
    for entry in "${good[@]}"; do
        run -0 certtool --verify --infile "pki/$entry/fullchain.pem" --load-ca-certificate pki/trust.pem \
            --load-crl pki/crl.pem
        says 'Verified. The certificate is trusted.'
    done
}

@test "Java reads them all" {
    command -v keytool || skip 'keytool is not installed'
    cat pki/*/*/cert.pem >all.pem
    run -0 keytool -printcert -file all.pem
    [[ $(grep -c '^Owner:' <<<"$output") == $(find pki -name cert.pem | wc -l) ]]
}

@test "name constraints are enforced by openssl" {
    run -2 judge servers/outside
    says 'permitted subtree violation'
    run -2 judge servers/secret
    says 'excluded subtree violation'
}

@test "the CA's extensions" {
    run -0 openssl x509 -in pki/authorities/issuing/cert.pem -noout -text
    says 'X509v3 Basic Constraints: critical
                CA:TRUE, pathlen:0
            X509v3 Key Usage: critical
                Certificate Sign, CRL Sign'
    says 'X509v3 Name Constraints: critical
                Permitted:
                  DNS:example.com
                  IP:10.0.0.0/255.0.0.0
                  IP:2001:DB8:0:0:0:0:0:0/FFFF:FFFF:0:0:0:0:0:0
                  email:example.com
                  URI:.example.com
                  DirName:O = Test
                Excluded:
                  DNS:secret.example.com'
    says 'Policy: 1.3.6.1.4.1.55555.1'
    says 'URI:http://crl.example.com/policy.crl'
    [[ $(extension authorities/root basicConstraints) == CA:TRUE,\ pathlen:2 ]]
    [[ $(extension authorities/policy basicConstraints) == CA:TRUE ]]
    run -0 openssl x509 -in pki/authorities/root/cert.pem -noout -ext crlDistributionPoints
    [[ $output != *URI* ]]
}

@test "a server's extensions" {
    [[ $(extension servers/rsa basicConstraints) == CA:FALSE ]]
    [[ $(extension servers/rsa keyUsage) == 'Digital Signature, Key Encipherment' ]]
    [[ $(extension servers/p384 keyUsage) == 'Digital Signature' ]]
    [[ $(extension servers/rsa extendedKeyUsage) == 'TLS Web Server Authentication' ]]
    [[ $(extension servers/rsa subjectAltName) == \
        'DNS:a.example.com, IP Address:10.1.2.3, IP Address:2001:DB8:0:0:0:0:0:1, DNS:*.b.example.com' ]]
    [[ $(extension servers/rsa crlDistributionPoints) == *URI:http://crl.example.com/issuing.crl* ]]
    [[ $(extension servers/rsa4096 certificatePolicies) == 'Policy: 1.3.6.1.4.1.55555.1' ]]
    run -0 openssl x509 -in pki/servers/p384/cert.pem -noout -ext crlDistributionPoints
    [[ $output != *URI* ]]
}

@test "a client's extensions" {
    [[ $(extension clients/alice extendedKeyUsage) == 'TLS Web Client Authentication' ]]
    [[ $(extension clients/alice subjectAltName) == 'email:alice@example.com, URI:spiffe://td.example.com/alice' ]]
    [[ $(extension clients/odd keyUsage) == 'Key Agreement' ]]
    [[ $(extension clients/odd extendedKeyUsage) == 'TLS Web Client Authentication, 1.3.6.1.4.1.55555.2' ]]
    run -0 openssl x509 -in pki/clients/bare/cert.pem -noout -text
    [[ $output != *'Key Usage'* && $output == *'email:a@example.com'* ]]
}

@test "an empty subject makes the subjectAltName critical" {
    run -0 openssl x509 -in pki/clients/nobody/cert.pem -noout -text
    says 'X509v3 Subject Alternative Name: critical'
    run -0 openssl x509 -in pki/clients/alice/cert.pem -noout -text
    [[ $output != *'Alternative Name: critical'* ]]
}

@test "subject and authority key identifiers lead from one to the next" {
    [[ $(extension clients/alice authorityKeyIdentifier) == "$(extension authorities/issuing subjectKeyIdentifier)" ]]
    [[ $(extension authorities/issuing authorityKeyIdentifier) == "$(extension authorities/policy subjectKeyIdentifier)" ]]
    id=$(openssl x509 -in pki/clients/alice/cert.pem -noout -pubkey | openssl pkey -pubin -outform DER |
        tail -c 65 | openssl sha1 -r | cut -d' ' -f1)
    [[ $(extension clients/alice subjectKeyIdentifier | tr -d :) == "${id^^}" ]]
}

@test "key types and signatures" {
    while read -r entry key signature; do
        run -0 openssl x509 -in "pki/$entry/cert.pem" -noout -text
        says "Public-Key: ($key bit)"
        says "Signature Algorithm: $signature"
    done <<'END'
authorities/root 521 ecdsa-with-SHA512
authorities/policy 3072 ecdsa-with-SHA512
authorities/issuing 384 sha256WithRSAEncryption
servers/rsa 2048 ecdsa-with-SHA384
servers/rsa4096 4096 ecdsa-with-SHA384
servers/p384 384 ecdsa-with-SHA384
servers/p521 521 ecdsa-with-SHA384
clients/alice 256 ecdsa-with-SHA384
END
}

@test "days: 1 is 86400 seconds, the last one included" {
    start=$(date -d "$(openssl x509 -in pki/servers/p521/cert.pem -noout -startdate | cut -d= -f2)" +%s)
    end=$(date -d "$(openssl x509 -in pki/servers/p521/cert.pem -noout -enddate | cut -d= -f2)" +%s)
    ((end - start == 86399))
    judge servers/p521 -attime $((end - 1)) # openssl does not take the last second, which RFC 5280 includes
    run -2 judge servers/p521 -attime $((end + 1))
    run -2 judge servers/p521 -attime $((start - 1))
}

@test "UTCTime through 2049, GeneralizedTime from 2050" {
    openssl asn1parse -in pki/clients/until2049/cert.pem | grep -q 'UTCTIME *:491231235959Z'
    openssl asn1parse -in pki/clients/until2050/cert.pem | grep -q 'GENERALIZEDTIME *:20500101000000Z'
    openssl asn1parse -in pki/clients/until2050/cert.pem | grep -q 'UTCTIME *:260101000000Z'
}

@test "keys are PKCS#8 and match their certificates" {
    for dir in pki/*/*/; do
        [[ $(openssl asn1parse -in "$dir/key.pem" | grep -c 'OBJECT') -ge 1 ]]
        [[ $(head -n 1 "$dir/key.pem") == '-----BEGIN PRIVATE KEY-----' ]]
        [[ $(openssl pkey -in "$dir/key.pem" -pubout) == "$(openssl x509 -in "$dir/cert.pem" -noout -pubkey)" ]]
    done
}

@test "a thousand serials are positive, of 20 octets, and all different" {
    cat >thousand.yaml <<'END'
authorities: [{name: root}]
clients: [{name: "load-{n}", issuer: root, copies: 1000}]
END
    run -0 mtls pki -f thousand.yaml -d thousand
    [[ ${lines[-1]} == '1001 certificates made, 1 revocation list issued, 5010 files written' ]]
    mtls ca list -d thousand --json | sed -n 's/^ *"serial": "\(.*\)",/\1/p' >serials
    [[ $(wc -l <serials) == 1001 && $(sort -u serials | wc -l) == 1001 ]]
    run -1 grep -vE '^[0-7][0-9a-f]{39}$' serials
    run -1 grep -E '^00' serials
    run -0 openssl verify -x509_strict -crl_check_all -CAfile thousand/trust.pem -CRLfile thousand/crl.pem \
        thousand/clients/*/cert.pem
    [[ $(grep -c ': OK$' <<<"$output") == 1000 ]]
    [[ $(openssl x509 -in thousand/clients/load-7/cert.pem -noout -serial) == serial=[0-9A-F]* ]]
}
