# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154
# https://docs.haproxy.org/2.6/configuration.html#5.1; verify: required, optional or none; more: of the bind line

haproxy_version() {
    haproxy -v | sed -n '1s/^HAProxy version \([^ ]*\).*/\1/p' | grep .
}

haproxy_run() {
    cat "$pki/servers/localhost/fullchain.pem" "$pki/servers/localhost/key.pem" >server.pem
    cat >haproxy.cfg <<CONF
global
    nbthread 1
defaults
    mode http
    timeout connect 5s
    timeout client 10s
    timeout server 10s
frontend secured
    bind 127.0.0.1:$port ssl crt server.pem ca-file $ca ${crl:+crl-file $crl} verify $verify ssl-min-ver TLSv1.2 $more
    http-request return status 200 content-type text/plain string served
CONF
    exec haproxy -f haproxy.cfg
}
