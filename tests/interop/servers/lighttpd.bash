# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154
# https://redmine.lighttpd.net/projects/lighttpd/wiki/Docs_SSL; verify: required, or other lines

lighttpd_version() {
    [[ -e /usr/lib/lighttpd/mod_openssl.so ]] && lighttpd -v | sed -n 's|^lighttpd/\([^ ]*\).*|\1|p' | grep .
}

lighttpd_run() {
    mkdir -p www
    echo served >www/index.txt
    cat >lighttpd.conf <<CONF
server.modules = ( "mod_openssl" )
server.document-root = "$PWD/www"
index-file.names = ( "index.txt" )
server.bind = "127.0.0.1"
server.port = $port
server.errorlog = "$PWD/error.log"
ssl.engine = "enable"
ssl.openssl.ssl-conf-cmd = ("MinProtocol" => "TLSv1.2")
ssl.pemfile = "$pki/servers/localhost/fullchain.pem"
ssl.privkey = "$pki/servers/localhost/key.pem"
ssl.verifyclient.ca-file = "$ca"
${crl:+ssl.verifyclient.ca-crl-file = \"$crl\"}
${verify/required/ssl.verifyclient.activate = \"enable\"
ssl.verifyclient.enforce = \"enable\"}
ssl.verifyclient.depth = 5
$more
CONF
    exec lighttpd -D -f lighttpd.conf
}
