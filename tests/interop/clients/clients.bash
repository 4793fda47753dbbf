# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2034,SC2154 # those who source it read `command` and set `interop`
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

# --x509crlfile takes no file with lists of CAs that the anchors do not verify.
client_gnutls_cli() {
    command=(gnutls-cli --x509cafile '{ca}' -p '{port}' '{host}')
}

client_python() {
    command=("$(python3 -c 'import sys; print(sys.executable)')" -c 'import http.client, ssl, sys
context = ssl.create_default_context(cafile=sys.argv[1])
context.load_verify_locations(sys.argv[2])
context.verify_flags |= ssl.VERIFY_CRL_CHECK_CHAIN
client = http.client.HTTPSConnection(sys.argv[3], int(sys.argv[4]), context=context, timeout=8)
client.request("GET", "/")
print(client.getresponse().read())' '{ca}' '{crl}' '{host}' '{port}')
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

# Some take long to start: they meet few of the servers when the tests run, and all when the table is made.
client_is_slow() { # NAME
    [[ $1 == python || $1 == node || $1 == java ]]
}

client_few='self_signed unknown_issuer missing_intermediate wrong_key expired revoked client_eku no_eku wrong_host_name
name_only_in_cn version_1_extensions signature_damaged'

# What a run of the probe (its JSON) has against a client: a line "CASE VERSION served" or "CASE VERSION in doubt" each.
client_findings() { # FILE
    jq -r '.results[] | select(.case != null and (.verdict == "finding" or .verdict == "inconclusive"))
        | "\(.case) \(.version) \(if .verdict == "finding" then "served" else "in doubt" end)"' "$1" | LC_ALL=C sort
}

client_prepare() { # NAME, in a folder of one's own
    if [[ $1 == java ]]; then
        java_classes=$PWD/classes
        javac -d "$java_classes" "$interop/clients/Get.java"
    fi
}
