# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154,SC2086 # options are separated by spaces
# gnutls-serv(1); verify: --require-client-cert and what has it judged, or other options

gnutls_serv_version() {
    gnutls-serv --version | sed -n '1s/^gnutls-serv \([^ ]*\).*/\1/p' | grep .
}

gnutls_serv_run() {
    exec gnutls-serv --http --port "$port" --x509certfile "$pki/servers/localhost/fullchain.pem" \
        --x509keyfile "$pki/servers/localhost/key.pem" --x509cafile "$ca" ${crl:+--x509crlfile "$crl"} \
        --priority "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2${priority-}" \
        ${verify/required/--require-client-cert --verify-client-cert} $more
}
