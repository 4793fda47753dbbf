// SPDX-License-Identifier: Apache-2.0
#include "base/args.h"
#include "cmd/cmd.h"
#include "server/server.h"

int cmd_serve(int argc, char **argv)
{
    static const char *alpn[] = {"http/1.1", NULL};
    struct cmd_files files = {.folder = "servers"};
    struct server_settings settings = {0};
    struct arg_list addresses = {0};
    struct arg_list operands = {0};
    const char *host = "localhost";
    const char *as = NULL;
    long port = 8443;
    struct err e = ERR_INIT;
    struct tls_context *context = NULL;
    const struct arg_option options[] = {
        {"pki", 'd', ARG_TEXT, "DIR", "the PKI's directory (default: $MTLS_PKI, or pki)", &files.pki},
        {"host", 0, ARG_TEXT, "NAME", "whose certificate: DIR/servers/NAME (default: localhost)", &host},
        {"as", 0, ARG_TEXT, "PATH", "another entry below DIR, such as flaws/server-expired: to test clients with", &as},
        {"port", 'p', ARG_NUMBER, "PORT", "where to listen; 0: any free port (default: 8443)", &port},
        {"bind", 0, ARG_LIST, "ADDRESS", "IP address to listen on, more than once if need be (default: loopback)",
         &addresses},
        {"cert", 0, ARG_TEXT, "FILE", "certificate and its issuers, instead of the PKI's", &files.certificate},
        {"key", 0, ARG_TEXT, "FILE", "its private key (default: in the certificate's file)", &files.key},
        {"ca", 0, ARG_TEXT, "FILE", "trust anchors for clients, instead of the PKI's", &files.anchors},
        {"crl", 0, ARG_TEXT, "FILE", "revocation lists; with --ca, none is the default", &files.crls},
        {"root", 0, ARG_TEXT, "DIR", "serve the files below it too", &settings.root},
        {"ready-file", 0, ARG_TEXT, "FILE", "gets the port number once the server listens", &settings.ready_file},
        {0},
    };
    const struct arg_command command = {
        .usage = "serve [-d DIR] [--host NAME] [--port PORT] [--bind ADDRESS].. [--cert FILE --key FILE --ca FILE "
                 "--crl FILE]",
        .summary = "Serves whoever proves who they are: GET / (a page), GET /whoami (JSON), POST /echo.",
        .options = options,
        .examples = "  mtls serve\n  mtls serve --pki pki --host localhost --port 8443\n"
                    "  mtls serve --cert server.pem --key server.key --ca ca.pem --crl crl.pem --bind 0.0.0.0\n",
    };
    int code = args_parse(&command, argc, argv, &operands, &e);
    if (code == 0 && port > 65535) {
        code = err_usage(&e, "--port takes a number up to 65535, not %ld", port);
    }
    if (code == 0 && addresses.count > SERVER_ADDRESSES_MOST) {
        code = err_usage(&e, "--bind can be given %d times", SERVER_ADDRESSES_MOST);
    }
    if (code != 0) {
        goto out;
    }
    files.name = as != NULL ? as : host;
    context = cmd_context(&files, TLS_SERVER, TLS_1_2_AND_1_3, alpn, &e);
    if (context == NULL) {
        goto out;
    }
    settings.context = context;
    settings.host = host;
    settings.addresses = addresses.items;
    settings.address_count = addresses.count;
    settings.port = (unsigned)port;
    server_run(&settings, &e);
out:
    tls_context_free(context);
    arg_list_clear(&addresses);
    arg_list_clear(&operands);
    return cmd_exit(err_is_set(&e) ? -1 : 0, &e);
}
