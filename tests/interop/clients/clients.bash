# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2034 # those who source it read `command`
# Clients to show wrong servers to, each as its manual says that it verifies: a root, the host's name, and where it takes
# them, revocation lists. client_NAME sets `command`; client_release prints the version, and fails when it is not here.

client_names='curl curl_crl wget s_client s_client_strict gnutls_cli python node java mtls'

client_curl() {
    command=(curl -sS --max-time 8 --cacert '{ca}' '{url}')
}

client_curl_crl() {
    command=(curl -sS --max-time 8 --cacert '{ca}' --crlfile '{crl}' '{url}')
}

client_wget() {
    command=(wget -q -O - --tries=1 --timeout=8 "--ca-certificate={ca}" "--crl-file={crl}" '{url}')
}

client_s_client() {
    command=(openssl s_client -connect '{host}:{port}' -servername '{host}' -verify_hostname '{host}' -CAfile '{ca}')
}

client_s_client_strict() {
    client_s_client
    command+=(-verify_return_error)
}

client_gnutls_cli() {
    command=(gnutls-cli --x509cafile '{ca}' --x509crlfile '{crl}' -p '{port}' '{host}')
}

client_python() {
    command=(python3 -c 'import ssl, sys, urllib.request
context = ssl.create_default_context(cafile=sys.argv[1])
context.load_verify_locations(sys.argv[2])
context.verify_flags |= ssl.VERIFY_CRL_CHECK_CHAIN
print(urllib.request.urlopen(sys.argv[3], context=context, timeout=8).read())' '{ca}' '{crl}' '{url}')
}

client_node() {
    command=(node -e 'const fs = require("node:fs");
const crl = fs.readFileSync(process.argv[2]).toString().match(/-----BEGIN[^]*?END X509 CRL-----/g);
require("node:https").get(process.argv[3], {ca: fs.readFileSync(process.argv[1]), crl},
    (response) => response.pipe(process.stdout)).on("error", (e) => { console.error(e.message); process.exit(1); });' \
        '{ca}' '{crl}' '{url}')
}

client_java() { # compiled into $java_classes
    command=(java -XX:TieredStopAtLevel=1 -XX:+UseSerialGC -Xshare:auto -cp "${java_classes-}" Get '{ca}' '{url}')
}

client_mtls() {
    command=("$MTLS" connect '{url}' --cacert '{ca}' --crl '{crl}' --cert '{cert}' --key '{key}')
}

client_release() { # NAME
    case $1 in
    curl | curl_crl) curl --version | sed -n '1s/^curl \([^ ]*\) .*\(OpenSSL\|GnuTLS\)\/\([^ ]*\).*/\1, \2 \3/p' ;;
    wget) wget --version | sed -n '1s/^GNU Wget \([^ ]*\) .*/\1/p' ;;
    s_client*) openssl version | sed -n 's/^OpenSSL \([^ ]*\).*/\1/p' ;;
    gnutls_cli) gnutls-cli --version | sed -n '1s/^gnutls-cli \([^ ]*\).*/\1/p' ;;
    python) python3 -c 'import platform, ssl; print(platform.python_version() + ", " + " ".join(ssl.OPENSSL_VERSION.split()[:2]))' ;;
    node) node -p 'process.versions.node + ", OpenSSL " + process.versions.openssl' ;;
    java) command -v javac >/dev/null && java -version 2>&1 | sed -n '1s/.*"\(.*\)".*/\1/p' ;;
    mtls) "$MTLS" --version | awk '{ print $NF }' ;;
    esac 2>/dev/null | grep .
}

# Java's takes long to start, so it meets the servers in TLS 1.3 only.
client_options() { # NAME
    [[ $1 != java ]] || printf -- '--tls\n1.3\n'
}

client_prepare() { # NAME, in a folder of one's own
    if [[ $1 == java ]]; then
        java_classes=$PWD/classes
        javac -d "$java_classes" "$interop/clients/Get.java"
    fi
}
