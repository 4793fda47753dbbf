# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154
# https://nginx.org/en/docs/http/ngx_http_ssl_module.html; verify: on, optional, optional_no_ca or off

nginx_version() {
    nginx -v 2>&1 | sed -n 's|.*nginx/||p' | grep .
}

nginx_run() {
    cat >nginx.conf <<CONF
daemon off;
worker_processes 1;
$( ((EUID != 0)) || printf 'user root;')
pid $PWD/pid;
error_log $PWD/error.log info;
events { worker_connections 512; }
http {
    access_log off;
    client_body_temp_path $PWD/t; proxy_temp_path $PWD/t; fastcgi_temp_path $PWD/t; uwsgi_temp_path $PWD/t;
    scgi_temp_path $PWD/t;
    server {
        listen 127.0.0.1:$port ssl;
        server_name localhost;
        ssl_protocols ${protocols-TLSv1.2 TLSv1.3};
        ssl_certificate $pki/servers/localhost/fullchain.pem;
        ssl_certificate_key $pki/servers/localhost/key.pem;
        ssl_client_certificate $ca;
        ssl_verify_client ${verify/required/on};
        ssl_verify_depth 5;
        ${crl:+ssl_crl $crl;}
        $more
        location / { default_type text/plain; return 200 "served\n"; }
    }
    ${servers//PORT/$port}
}
CONF
    exec nginx -e "$PWD/error.log" -p "$PWD" -c "$PWD/nginx.conf"
}
