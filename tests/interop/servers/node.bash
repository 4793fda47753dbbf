# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154,SC2016
# https://nodejs.org/api/tls.html#tlscreateserveroptions-secureconnectionlistener; more: further options, JavaScript

node_version() {
    node --version | sed -n 's/^v//p' | grep .
}

node_run() {
    cat >server.js <<CODE
const fs = require('node:fs'), https = require('node:https');
const read = (file) => fs.readFileSync(file);
https.createServer({
    cert: read('$pki/servers/localhost/fullchain.pem'),
    key: read('$pki/servers/localhost/key.pem'),
    ca: read('$ca'),
    ${crl:+crl: read('$crl').toString().match(/-----BEGIN[^]*?END X509 CRL-----/g), // of one text it takes the first list only}
    ${verify/required/requestCert: true, rejectUnauthorized: true,}
    $more
}, (request, response) => response.end('served\n')).listen($port, '127.0.0.1');
CODE
    exec node server.js
}
