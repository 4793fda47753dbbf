# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154,SC2086 # options are separated by spaces
# openssl-s_server(1); verify: -Verify and what makes its errors count, or other options

s_server_version() {
    openssl version | sed -n 's/^OpenSSL \([^ ]*\).*/\1/p' | grep .
}

# -CRL reads the first list of a file only; -CAfile takes all that are beside the certificates.
s_server_run() {
    cat "$ca" ${crl:+"$crl"} >ca-and-crl.pem
    exec openssl s_server -accept "127.0.0.1:$port" -www -cert "$pki/servers/localhost/cert.pem" \
        -cert_chain "$pki/servers/localhost/fullchain.pem" -key "$pki/servers/localhost/key.pem" -CAfile ca-and-crl.pem \
        ${crl:+${crl_check--crl_check_all}} \
        ${verify/required/-Verify 5 -verify_return_error} $more
}
