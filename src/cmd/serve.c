// SPDX-License-Identifier: Apache-2.0
// mtls serve: reads the command line, has the configuration read, and serves.
#include "base/args.h"
#include "base/log.h"
#include "base/print.h"
#include "cmd/cmd.h"
#include "server/log_lines.h"
#include "server/server.h"

#include <stdlib.h>
#include <string.h>

struct options {
    struct server_source source;
    struct arg_list addresses;
    const char *ready_file;
    bool check;
};

// Every line of it, each with the program's name, as errors are printed.
static void print_lines(const char *text)
{
    for (const char *end = NULL; *text != '\0'; text = end + (*end == '\n')) {
        struct err line = ERR_INIT;
        end = text + strcspn(text, "\n");
        err_set(&line, "%.*s", (int)(end - text), text);
        log_error(&line);
    }
}

static void print_addresses(const struct server_config *config)
{
    printf("  listens on   %s", config->address_count == 0 ? "127.0.0.1 and ::1" : "");
    for (size_t i = 0; i < config->address_count; i++) {
        bool is_6 = strchr(config->addresses[i].ip, ':') != NULL;
        printf("%s%s%s%s:%u", i > 0 ? ", " : "", is_6 ? "[" : "", config->addresses[i].ip, is_6 ? "]" : "",
               config->addresses[i].port);
    }
    printf(config->address_count == 0 ? ", port %u\n" : "\n", config->port);
}

static void print_paths(const char *what, const struct trust_paths *paths)
{
    for (size_t i = 0; i < paths->count; i++) {
        printf("  %-13s%s\n", i == 0 ? what : "", paths->items[i]);
    }
}

static void print_summary(const struct server_config *config)
{
    char allowed[SERVER_ALLOWED_TEXT];
    printf("%s: good\n", config->name);
    print_addresses(config);
    printf("  certificate  %s\n", config->certificate);
    print_paths("anchors", &config->trust.anchors);
    print_paths("lists", &config->trust.crls);
    if (config->trust.crls.count == 0) {
        printf("  lists        none: revocation is not checked\n");
    }
    printf("  rules        %s\n", server_config_allowed(config, allowed));
}

// The context shows that what it names can be used together.
static int check(const struct server_source *source, struct err *e)
{
    struct tls_context *context = NULL;
    struct tls_tickets *tickets = NULL;
    struct server_config *config = server_config_read(source, e);
    if (config != NULL) {
        tickets = tls_tickets_new(&config->tickets, e);
    }
    if (tickets != NULL) {
        context = server_config_context(config, tickets, NULL, e);
    }
    if (context != NULL) {
        log_line_unsafe(config);
        print_summary(config);
    }
    int rc = context != NULL ? 0 : -1;
    tls_context_free(context);
    tls_tickets_free(tickets);
    server_config_free(config);
    return rc;
}

// The exit code. An error has room for a few lines, `problems` has all of them.
static int run(const struct options *o)
{
    struct err e = ERR_INIT;
    struct buf problems = {0};
    struct server_settings settings = {.source = o->source, .ready_file = o->ready_file};
    struct server_source *s = &settings.source;
    s->addresses = o->addresses.items;
    s->address_count = o->addresses.count;
    s->problems = &problems;
    s->explain = s->explain != NULL && s->explain[0] == '\0' ? "all" : s->explain;
    int code = o->check ? check(s, &e) : server_run(&settings, &e);
    if (code == -1) {
        print_lines(problems.len > 0 ? (const char *)problems.data : e.text);
        code = (int)e.kind;
    }
    buf_clear(&problems);
    return code;
}

int cmd_serve(int argc, char **argv)
{
    struct options o = {.source = SERVER_SOURCE_INIT};
    struct server_source *s = &o.source;
    struct arg_list operands = {0};
    struct err e = ERR_INIT;
    const struct arg_option options[] = {
        {"config", 'c', ARG_TEXT, "FILE", "the configuration, YAML (default: a built-in one; see configs/server.yaml)",
         &s->file},
        {"check", 0, ARG_FLAG, NULL, "only say everything that is wrong with it; exit 0 if nothing is", &o.check},
        {"pki", 'd', ARG_TEXT, "DIR", "the PKI's directory (default: $MTLS_PKI, or pki)", &s->pki},
        {"host", 0, ARG_TEXT, "NAME", "whose certificate: DIR/servers/NAME (default: localhost)", &s->host},
        {"as", 0, ARG_TEXT, "PATH", "another entry below DIR, such as flaws/server-expired: to test clients with",
         &s->as},
        {"port", 'p', ARG_NUMBER, "PORT", "where to listen; 0: any free port (default: 8443)", &s->port},
        {"bind", 0, ARG_LIST, "ADDRESS", "IP address to listen on, more than once if need be (default: loopback)",
         &o.addresses},
        {"cert", 0, ARG_TEXT, "FILE", "certificate and its issuers, instead of the PKI's", &s->certificate},
        {"key", 0, ARG_TEXT, "FILE", "its private key (default: in the certificate's file)", &s->key},
        {"ca", 0, ARG_TEXT, "FILE", "trust anchors for clients, instead of the PKI's", &s->anchors},
        {"crl", 0, ARG_TEXT, "FILE", "revocation lists; with --ca, none is the default", &s->crls},
        {"tls", 0, ARG_TEXT, "VERSION", "1.2 or 1.3 (default: both)", &s->versions},
        {"root", 0, ARG_TEXT, "DIR", "a folder to serve (default: none)", &s->root},
        {"threads", 0, ARG_NUMBER, "N", "how many; 0: as many as processors (default: 0)", &s->threads},
        {"max-connections", 0, ARG_NUMBER, "N", "open at once (default: 16384)", &s->connections},
        {"control", 0, ARG_TEXT, "PATH", "socket for mtls reload (default: one that goes by the port)", &s->control},
        {"log", 0, ARG_TEXT, "FORMAT", "text or json (default: text)", &s->log},
        {"explain", 0, ARG_OPTIONAL, "all|refused",
         "tell the handshake of each connection, or of each refused one, in nine steps (docs/explain.md)", &s->explain},
        {"unsafe-key-log", 0, ARG_TEXT, "FILE", "INSECURE: append every connection's keys; -: to $SSLKEYLOGFILE",
         &s->key_log},
        {"unsafe-legacy-rsa", 0, ARG_FLAG, NULL, "INSECURE: RSA key exchange in TLS 1.2", &s->legacy_rsa},
        {"ready-file", 0, ARG_TEXT, "FILE", "gets the port number once the server listens", &o.ready_file},
        {0},
    };
    const struct arg_command command = {
        .usage = "serve [-c FILE] [--check] [-d DIR] [--host NAME] [--port PORT] [--bind ADDRESS].. [--cert FILE "
                 "--key FILE\n                   --ca FILE --crl FILE] [...]",
        .summary = "Serves whoever proves who they are: GET / (a page), GET /whoami (JSON), POST /echo.\n"
                   "Options go before what the configuration says.",
        .options = options,
        .examples = "  mtls serve\n  mtls serve --pki pki --host localhost --port 8443\n"
                    "  mtls serve -c server.yaml --check\n  mtls serve -c server.yaml\n"
                    "  mtls serve --cert server.pem --key server.key --ca ca.pem --crl crl.pem --bind 0.0.0.0\n",
    };
    int code = args_parse(&command, argc, argv, &operands, &e);
    code = code == 0 ? run(&o) : cmd_exit(code, &e);
    arg_list_clear(&o.addresses);
    arg_list_clear(&operands);
    return code;
}
