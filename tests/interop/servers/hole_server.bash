# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154,SC2086 # options are separated by spaces
# tests/interop/holes/hole_server.c; more: its holes

hole_server_version() {
    [[ -x ${HOLE_SERVER-} ]]
}

hole_server_run() {
    exec "$HOLE_SERVER" --port "$port" --cert "$pki/servers/localhost/fullchain.pem" \
        --key "$pki/servers/localhost/key.pem" --ca "$ca" --crl "$crl" $more
}
