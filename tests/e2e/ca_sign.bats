#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# mtls ca sign: requests that openssl made, honest and other.
load helpers
load pki

setup() {
    cd "$BATS_TEST_TMPDIR" || return 1
    mtls ca init >/dev/null
}

request() { # FILE SUBJECT OPENSSL-ARGUMENT...
    openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$1.key" -out "$1" -subj "$2" "${@:3}" 2>/dev/null
}

@test "subject, names and key are the request's, all else is the profile's" {
    request r.csr /O=Acme/CN=device -addext subjectAltName=DNS:device.example.com,email:d@example.com
    run -0 mtls ca sign r.csr --as device-7
    [[ ${lines[0]} == pki/clients/device-7 && ${lines[1]} == '  subject  CN=device,O=Acme' ]]
    judge clients/device-7 -purpose sslclient
    [[ $(public_key clients/device-7) == "$(openssl pkey -in r.csr.key -pubout)" ]]
    [[ $(extension clients/device-7 subjectAltName) == 'DNS:device.example.com, email:d@example.com' ]]
    [[ $(ls pki/clients/device-7) == $'cert.pem\nchain.pem\nfullchain.pem' ]]
}

@test "DER and standard input" {
    request r.csr /CN=device
    openssl req -in r.csr -outform DER -out r.der
    mtls ca sign r.der --as one >/dev/null
    mtls ca sign - --as two <r.csr >/dev/null
    [[ $(public_key clients/one) == "$(public_key clients/two)" ]]
}

@test "a server's request" {
    request r.csr /CN=web -addext subjectAltName=DNS:web.example.com,IP:10.0.0.1
    mtls ca sign r.csr --as web --profile server >/dev/null
    judge servers/web -purpose sslserver -verify_ip 10.0.0.1
}

@test "names that the profile does not allow" {
    request r.csr /CN=web -addext subjectAltName=IP:10.0.0.1
    refuses 1 'r.csr: the request asks for the name ip:10.0.0.1, which the client profile does not allow' \
        mtls ca sign r.csr --as web
    request r.csr /CN=web -addext subjectAltName=email:a@example.com
    refuses 1 'r.csr: the request asks for the name email:a@example.com, which the server profile does not allow' \
        mtls ca sign r.csr --as web --profile server
}

@test "--name and --subject stand in for the request's" {
    request r.csr /CN=web -addext subjectAltName=IP:10.0.0.1
    mtls ca sign r.csr --as web --name web@example.com --subject CN=else >/dev/null
    [[ $(extension clients/web subjectAltName) == email:web@example.com ]]
    openssl x509 -in pki/clients/web/cert.pem -noout -subject | grep -qx 'subject=CN = else'
}

@test "a request that wants to be a CA is a client all the same, and is told" {
    request r.csr /CN=device -addext basicConstraints=critical,CA:TRUE -addext keyUsage=keyCertSign
    run -0 --separate-stderr mtls ca sign r.csr --as device
    [[ $stderr == 'mtls: r.csr: the profile decides these, not the request: '*basicConstraints*keyUsage* ]]
    [[ $(extension clients/device basicConstraints) == CA:FALSE ]]
    [[ $(extension clients/device keyUsage) == 'Digital Signature' ]]
    refuses 2 'r.csr: requests are signed for servers and clients; mtls ca issue makes an authority' \
        mtls ca sign r.csr --as other --profile authority
}

@test "a request whose signature is not by its key" {
    request r.csr /CN=device
    openssl req -in r.csr -outform DER -out r.der
    size=$(stat -c %s r.der)
    printf '\377' | dd of=r.der bs=1 seek=$((size - 5)) conv=notrunc status=none
    run ! mtls ca sign r.der --as device
    says "the request's signature is not by its own key"
    [[ ! -e pki/clients ]]
}

@test "a request with a weak key" {
    openssl req -new -newkey rsa:1024 -nodes -keyout weak.key -out r.csr -subj /CN=weak 2>/dev/null
    run ! mtls ca sign r.csr --as weak
    says "r.csr: the request's RSA key of 1024 bits is not taken (one of: ec-p256, "
    [[ ! -e pki/clients ]]
}

@test "what is no request" {
    request r.csr /CN=device
    refuses 3 'r.csr.key: there is no CERTIFICATE REQUEST in this PEM file' mtls ca sign r.csr.key --as device
    refuses 3 'opening nowhere: No such file or directory' mtls ca sign nowhere --as device
    refuses 2 '--as NAME is missing: what is this certificate called here?' mtls ca sign r.csr
}

@test "a name twice only with --replace, and never over a key that is here" {
    request r.csr /CN=device
    mtls ca sign r.csr --as device >/dev/null
    mtls ca issue carol >/dev/null
    request new.csr /CN=device
    refuses 3 'new.csr: client device exists already (valid until ...); mtls ca sign --replace takes a new request for it' \
        mtls ca sign new.csr --as device
    refuses 3 'new.csr: client carol was not signed from a request: its private key is here; mtls ca renew carol --rekey gives it another' \
        mtls ca sign new.csr --as carol --replace
    mtls ca sign new.csr --as device --replace >/dev/null
    [[ $(public_key clients/device) == "$(openssl pkey -in new.csr.key -pubout)" ]]
}
