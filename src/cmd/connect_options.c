// SPDX-License-Identifier: Apache-2.0
#include "cmd/connect_options.h"

#include "base/file.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

// What the command line says, before it is understood.
struct words {
    const char *data;
    const char *resolve;
    const char *tls;
};

static const char *const version_words[] = {[TLS_1_2_AND_1_3] = "any", [TLS_1_2_ONLY] = "1.2", [TLS_1_3_ONLY] = "1.3"};

static int parse_versions(const char *text, enum tls_versions *versions, struct err *e)
{
    *versions = TLS_1_2_AND_1_3;
    for (int i = TLS_1_2_ONLY; text != NULL && i <= TLS_1_3_ONLY; i++) {
        if (strcmp(version_words[i], text) == 0) {
            *versions = (enum tls_versions)i;
            return 0;
        }
    }
    return text == NULL ? 0 : err_usage(e, "--tls takes 1.2 or 1.3, not \"%s\"", text);
}

// curl's HOST:PORT:ADDRESS; applies when host and port are those of the URL.
static int parse_resolve(const char *text, const struct client_target *target, char **address, struct err *e)
{
    char *host_port = mem_printf("%s:%s:", target->host, target->port);
    const char *first = text == NULL ? NULL : strchr(text, ':');
    int rc = 0;
    if (text != NULL && (first == NULL || strchr(first + 1, ':') == NULL)) {
        rc = err_usage(e, "--resolve takes HOST:PORT:ADDRESS, not \"%s\"", text);
    } else if (text != NULL && text_starts(text, host_port)) {
        const char *found = text + strlen(host_port);
        size_t len = strlen(found);
        bool bracketed = found[0] == '[' && len > 2 && found[len - 1] == ']';
        *address = mem_strndup(found + bracketed, bracketed ? len - 2 : len);
    }
    free(host_port);
    return rc;
}

// "@FILE" is the file's content ("@-" standard input), anything else itself.
static int read_data(const char *data, struct buf *out, struct err *e)
{
    enum { DATA_MOST = 64 * 1024 * 1024 };
    if (data != NULL && data[0] == '@') {
        return file_read(data + 1, DATA_MOST, out, e);
    }
    buf_text(out, data != NULL ? data : "");
    return 0;
}

static int check_timeout(long seconds, struct err *e)
{
    enum { DAY = 86400 };
    return seconds >= 1 && seconds <= DAY ? 0 : err_usage(e, "--timeout takes 1 to %d seconds, not %ld", DAY, seconds);
}

static int check_method(const char *method, struct err *e)
{
    size_t len = strlen(method);
    return len > 0 && strspn(method, "ABCDEFGHIJKLMNOPQRSTUVWXYZ-") == len
               ? 0
               : err_usage(e, "\"%s\" is not an HTTP method", method);
}

static int understand(struct connect_options *o, const struct words *words, const char *url, struct err *e)
{
    o->has_data = words->data != NULL;
    if (o->method == NULL) {
        o->method = o->has_data ? "POST" : "GET";
    }
    return client_target_parse(url, &o->target, e) != 0 || parse_versions(words->tls, &o->versions, e) != 0 ||
                   check_method(o->method, e) != 0 || check_timeout(o->timeout, e) != 0 ||
                   parse_resolve(words->resolve, &o->target, &o->address, e) != 0 ||
                   read_data(words->data, &o->data, e) != 0
               ? -1
               : 0;
}

int connect_options_parse(int argc, char **argv, struct connect_options *o, struct err *e)
{
    struct words words = {0};
    struct arg_list operands = {0};
    *o = (struct connect_options){.files = {.folder = "clients"}, .timeout = 10};
    const struct arg_option options[] = {
        {"pki", 0, ARG_TEXT, "DIR", "the PKI's directory (default: $MTLS_PKI, or pki)", &o->files.pki},
        {"as", 0, ARG_TEXT, "NAME", "who to be: DIR/clients/NAME, or a path below DIR; without it, nobody",
         &o->files.name},
        {"cert", 'E', ARG_TEXT, "FILE", "certificate and its issuers, instead of --as", &o->files.certificate},
        {"key", 0, ARG_TEXT, "FILE", "its private key (default: in the certificate's file)", &o->files.key},
        {"cacert", 0, ARG_TEXT, "FILE", "trust anchors for the server, instead of the PKI's", &o->files.anchors},
        {"crl", 0, ARG_TEXT, "FILE", "revocation lists; with --cacert, none is the default", &o->files.crls},
        {"raw", 0, ARG_FLAG, NULL, "no HTTP: standard input to the server, its words to standard output", &o->raw},
        {"data", 'd', ARG_TEXT, "DATA", "the request's body; @FILE: a file's content, @-: standard input", &words.data},
        {"request", 'X', ARG_TEXT, "METHOD", "GET, POST, HEAD .. (default: GET, or POST with --data)", &o->method},
        {"output", 'o', ARG_TEXT, "FILE", "where the response's body goes (default: standard output)", &o->output},
        {"resolve", 0, ARG_TEXT, "HOST:PORT:ADDRESS", "connect to this address for that host", &words.resolve},
        {"tls", 0, ARG_TEXT, "1.2|1.3", "this version only", &words.tls},
        {"timeout", 0, ARG_NUMBER, "SECONDS", "for each wait for the server (default: 10)", &o->timeout},
        {"json", 0, ARG_FLAG, NULL, "what happened as one JSON object on stdout; the body only with --output",
         &o->json},
        OBSERVE_EXPLAIN(&o->observe),
        OBSERVE_PCAP(&o->observe),
        {"key-log", 0, ARG_TEXT, "FILE",
         "append the keys of the session, as SSLKEYLOGFILE has them: whoever reads it "
         "reads the session",
         &o->files.key_log},
        {0},
    };
    const struct arg_command command = {
        .usage = "connect URL|HOST:PORT [--pki DIR] [--as NAME] [-d DATA] [--raw] ..",
        .summary = "Calls a server after verifying it (chain, name, revocation), and says who refused whom, and why.",
        .operands = "the URL",
        .least = 1,
        .most = 1,
        .options = options,
        .examples = "  mtls connect https://localhost:8443/whoami --pki pki --as alice\n"
                    "  mtls connect https://localhost:8443/echo --as alice --data 'Hello\?\?\?'\n"
                    "  echo 'Hello\?\?\?' | mtls connect localhost:8443 --as alice --raw\n"
                    "  mtls connect localhost:8443 --as alice --explain --pcap seen.pcap --key-log seen.keys\n",
    };
    int rc = args_parse(&command, argc, argv, &operands, e);
    if (rc == 0) {
        rc = understand(o, &words, operands.items[0], e);
    }
    arg_list_clear(&operands);
    return rc;
}

void connect_options_clear(struct connect_options *o)
{
    client_target_clear(&o->target);
    buf_clear(&o->data);
    free(o->address);
    *o = (struct connect_options){0};
}
