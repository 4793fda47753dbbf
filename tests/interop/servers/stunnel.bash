# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154
# stunnel(8); verify: required (verifyChain), or other lines of its own. What it passes on to is servers/answer.

stunnel_version() {
    stunnel -version 2>&1 | sed -n 's/^stunnel \([0-9][^ ]*\) on .*/\1/p' | grep .
}

stunnel_run() {
    cat >stunnel.conf <<CONF
foreground = yes
pid =
debug = notice
[secured]
accept = 127.0.0.1:$port
exec = $(realpath "$interop/servers/answer")
execArgs = answer
cert = $pki/servers/localhost/fullchain.pem
key = $pki/servers/localhost/key.pem
CAfile = $ca
${crl:+CRLfile = $crl}
${verify/required/verifyChain = yes
requireCert = yes}
sslVersionMin = TLSv1.2
TIMEOUTclose = 0
$more
CONF
    exec stunnel stunnel.conf
}
