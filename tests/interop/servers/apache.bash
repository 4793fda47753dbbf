# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154
# https://httpd.apache.org/docs/2.4/mod/mod_ssl.html; verify: require, optional, optional_no_ca or none; crl_check: chain,
# leaf or none

apache_version() {
    apache2 -v | sed -n 's|.*Apache/\([^ ]*\).*|\1|p' | grep .
}

apache_run() {
    local module
    for module in mpm_event authz_core status ssl socache_shmcb setenvif; do
        printf 'LoadModule %s_module /usr/lib/apache2/modules/mod_%s.so\n' "$module" "$module"
    done >httpd.conf
    cat >>httpd.conf <<CONF
ServerRoot $PWD
ServerName localhost
PidFile $PWD/pid
DefaultRuntimeDir $PWD
Mutex file:$PWD
ErrorLog $PWD/error.log
LogLevel ssl:info
Listen 127.0.0.1:$port
$( ((EUID != 0)) || printf 'User www-data\nGroup www-data')
ServerLimit 1
StartServers 1
ThreadsPerChild 25
MaxRequestWorkers 25
SSLEngine on
SSLProtocol ${protocols--all +TLSv1.2 +TLSv1.3}
SSLCertificateFile $pki/servers/localhost/fullchain.pem
SSLCertificateKeyFile $pki/servers/localhost/key.pem
SSLCACertificateFile $ca
SSLVerifyClient ${verify/required/require}
SSLVerifyDepth 5
${crl:+SSLCARevocationFile $crl
SSLCARevocationCheck ${crl_check-chain}}
$more
<Location />
    SetHandler server-status
</Location>

CONF
    exec apache2 -D FOREGROUND -d "$PWD" -f "$PWD/httpd.conf"
}
