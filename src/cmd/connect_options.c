// SPDX-License-Identifier: Apache-2.0
#include "cmd/connect_options.h"

#include "base/file.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum { DAY = 86400, TIMEOUT = 10, REPEAT_MOST = 1000000, PARALLEL_MOST = 1024 };

// What the command line says, before it is understood.
struct words {
    struct arg_list data;
    struct arg_list resolve;
    const char *tls, *tls_max, *ciphers, *tls13_ciphers;
    bool tlsv12, tlsv13, v4, v6, head;
};

#define WHO_OPTIONS(o)                                                                                                 \
    {"pki", 0, ARG_TEXT, "DIR", "the PKI's directory (default: $MTLS_PKI, or pki)", &(o)->files.pki},                  \
        {"as",                                                                                                         \
         0,                                                                                                            \
         ARG_TEXT,                                                                                                     \
         "NAME",                                                                                                       \
         "who to be: DIR/clients/NAME, or a path below DIR; without it, nobody",                                       \
         &(o)->files.name},                                                                                            \
        {"cert", 'E', ARG_TEXT, "FILE", "certificate and its issuers, instead of --as", &(o)->files.certificate},      \
        {"key", 0, ARG_TEXT, "FILE", "its private key (default: in the certificate's file)", &(o)->files.key},         \
        {"cacert", 0, ARG_TEXT, "FILE", "trust anchors for the server, instead of the PKI's", &(o)->files.anchors},    \
        {"crl", 0, ARG_TEXT, "FILE", "revocation lists; with --cacert, none is the default", &(o)->files.crls},        \
    {                                                                                                                  \
        "unsafe-no-verify", 0, ARG_FLAG, NULL, "go on with a server that is refused: anybody may be listening",        \
            &(o)->unsafe_no_verify                                                                                     \
    }

#define HTTP_OPTIONS(o, w)                                                                                              \
    {"request", 'X', ARG_TEXT, "METHOD", "GET, POST, HEAD .. (default: GET, or POST with --data)", &(o)->method},       \
        {"header",     'H', ARG_LIST, "HEADER", "\"Name: value\"; again for more; \"Name:\" takes one of ours away",    \
         &(o)->headers},                                                                                                \
        {"data",    'd', ARG_LIST, "DATA", "the request's body; @FILE: a file's content, @-: standard input; again: &", \
         &(w)->data},                                                                                                   \
        {"head", 'I', ARG_FLAG, NULL, "the response's head only, and print it", &(w)->head},                            \
        {"include", 'i', ARG_FLAG, NULL, "print the response's head before its body", &(o)->include},                   \
        {"output", 'o', ARG_TEXT, "FILE", "where that goes (default: standard output)", &(o)->output},                  \
        {"fail", 'f', ARG_FLAG, NULL, "exit with 1 if the HTTP status is 400 or more", &(o)->fail},                     \
    {                                                                                                                   \
        "raw", 0, ARG_FLAG, NULL, "no HTTP: standard input to the server, its words to standard output", &(o)->raw      \
    }

#define NETWORK_OPTIONS(o, w)                                                                                          \
    {"resolve", 0, ARG_LIST, "HOST:PORT:ADDRESS", "connect to this address for that host", &(w)->resolve},             \
        {"ipv4", '4', ARG_FLAG, NULL, "only IPv4 addresses", &(w)->v4},                                                \
        {"ipv6", '6', ARG_FLAG, NULL, "only IPv6 addresses", &(w)->v6},                                                \
        {"timeout", 0, ARG_NUMBER, "SECONDS", "for each wait for the server (default: 10)", &(o)->timeout},            \
        {"connect-timeout", 0, ARG_NUMBER, "SECONDS", "for connecting and the handshake", &(o)->connect_timeout},      \
        {"max-time", 'm', ARG_NUMBER, "SECONDS", "for all of it", &(o)->max_time},                                     \
        {"repeat",    0, ARG_NUMBER, "N", "call N times and sum up: min, median, p99, and what came of them",          \
         &(o)->repeat},                                                                                                \
    {                                                                                                                  \
        "parallel", 0, ARG_NUMBER, "M", "with --repeat: M at a time", &(o)->parallel                                   \
    }

#define TLS_OPTIONS(o, w)                                                                                              \
    {"tls", 0, ARG_TEXT, "1.2|1.3", "this version only", &(w)->tls},                                                   \
        {"tlsv1.2", 0, ARG_FLAG, NULL, "1.2 or newer, which is the default", &(w)->tlsv12},                            \
        {"tlsv1.3", 0, ARG_FLAG, NULL, "1.3 or newer", &(w)->tlsv13},                                                  \
        {"tls-max", 0, ARG_TEXT, "1.2|1.3", "no newer version", &(w)->tls_max},                                        \
        {"ciphers", 0, ARG_TEXT, "LIST", "suites of TLS 1.2, by OpenSSL's or IANA's names", &(w)->ciphers},            \
        {"tls13-ciphers", 0, ARG_TEXT, "LIST", "suites of TLS 1.3", &(w)->tls13_ciphers},                              \
        {"curves", 0, ARG_TEXT, "LIST", "X25519, P-256, P-384, P-521, in this order", &(o)->curves},                   \
    {                                                                                                                  \
        "session", 0, ARG_TEXT, "FILE", "resume the session in it, and keep the newest there (a secret: 0600)",        \
            &(o)->session                                                                                              \
    }

#define OUTPUT_OPTIONS(o)                                                                                              \
    {"silent", 's', ARG_FLAG, NULL, "nothing on stderr but who refused whom", &(o)->silent},                           \
        {"verbose", 'v', ARG_FLAG, NULL, "what happens, as curl tells it, on stderr", &(o)->verbose},                  \
        {"json",    0, ARG_FLAG, NULL, "what happened as one JSON object on stdout; the body only with --output",      \
         &(o)->json},                                                                                                  \
        OBSERVE_EXPLAIN(&(o)->observe), OBSERVE_PCAP(&(o)->observe),                                                   \
    {                                                                                                                  \
        "key-log", 0, ARG_TEXT, "FILE",                                                                                \
            "append the keys of the session, as SSLKEYLOGFILE has them: whoever reads it reads the session",           \
            &(o)->files.key_log                                                                                        \
    }

// --- versions and suites ---

static int parse_version(const char *option, const char *text, enum tls_versions *version, struct err *e)
{
    bool is_12 = strcmp(text, "1.2") == 0;
    *version = is_12 ? TLS_1_2_ONLY : TLS_1_3_ONLY;
    return is_12 || strcmp(text, "1.3") == 0 ? 0 : err_usage(e, "--%s takes 1.2 or 1.3, not \"%s\"", option, text);
}

static int parse_versions(const struct words *w, enum tls_versions *versions, struct err *e)
{
    enum tls_versions most = TLS_1_3_ONLY;
    *versions = TLS_1_2_AND_1_3;
    if (w->tls != NULL) {
        bool others = w->tls_max != NULL || w->tlsv12 || w->tlsv13;
        return others ? err_usage(e, "--tls says it all: leave --tlsv1.2, --tlsv1.3 and --tls-max out")
                      : parse_version("tls", w->tls, versions, e);
    }
    if (w->tls_max != NULL && parse_version("tls-max", w->tls_max, &most, e) != 0) {
        return -1;
    }
    if (w->tlsv13 && most == TLS_1_2_ONLY) {
        return err_usage(e, "--tlsv1.3 and --tls-max 1.2 leave no version");
    }
    *versions = w->tlsv13 ? TLS_1_3_ONLY : most == TLS_1_2_ONLY ? TLS_1_2_ONLY : TLS_1_2_AND_1_3;
    return 0;
}

static char *join_ciphers(const struct words *w)
{
    const char *two = w->tls13_ciphers;
    return w->ciphers != NULL ? mem_printf("%s%s%s", w->ciphers, two != NULL ? ":" : "", two != NULL ? two : "")
                              : mem_strdup(two);
}

// --- where to ---

// curl's HOST:PORT:ADDRESS; applies when host and port are those of the URL. The last one that does, counts.
static int parse_resolve(const struct arg_list *list, const struct client_target *target, char **address, struct err *e)
{
    char *host_port = mem_printf("%s:%s:", target->host, target->port);
    int rc = 0;
    for (size_t i = 0; i < list->count && rc == 0; i++) {
        const char *text = list->items[i];
        const char *first = strchr(text, ':');
        if (first == NULL || strchr(first + 1, ':') == NULL) {
            rc = err_usage(e, "--resolve takes HOST:PORT:ADDRESS, not \"%s\"", text);
        } else if (text_starts(text, host_port)) {
            const char *found = text + strlen(host_port);
            size_t len = strlen(found);
            bool bracketed = found[0] == '[' && len > 2 && found[len - 1] == ']';
            free(*address);
            *address = mem_strndup(found + bracketed, bracketed ? len - 2 : len);
        }
    }
    free(host_port);
    return rc;
}

static int check_limits(const struct connect_options *o, const struct words *w, struct err *e)
{
    const struct {
        const char *option;
        long value, least, most;
        const char *unit;
    } limits[] = {
        {"timeout", o->timeout, 1, DAY, " seconds"},     {"connect-timeout", o->connect_timeout, 0, DAY, " seconds"},
        {"max-time", o->max_time, 0, DAY, " seconds"},   {"repeat", o->repeat, 0, REPEAT_MOST, ""},
        {"parallel", o->parallel, 0, PARALLEL_MOST, ""},
    };
    for (size_t i = 0; i < sizeof limits / sizeof limits[0]; i++) {
        if (limits[i].value < limits[i].least || limits[i].value > limits[i].most) {
            return err_usage(e, "--%s takes 1 to %ld%s, not %ld", limits[i].option, limits[i].most, limits[i].unit,
                             limits[i].value);
        }
    }
    return w->v4 && w->v6 ? err_usage(e, "-4 and -6 leave no address") : 0;
}

// --- what to say ---

// "@FILE" is the file's content ("@-" standard input), anything else itself; several are joined as form fields are.
static int read_data(const struct arg_list *list, struct buf *out, struct err *e)
{
    enum { DATA_MOST = 64 * 1024 * 1024 };
    buf_text(out, "");
    for (size_t i = 0; i < list->count; i++) {
        const char *data = list->items[i];
        if (i > 0) {
            buf_text(out, "&");
        }
        if (data[0] != '@') {
            buf_text(out, data);
        } else if (file_read(data + 1, DATA_MOST, out, e) != 0) {
            return -1;
        }
    }
    return 0;
}

static int check_request(const struct connect_options *o, struct err *e)
{
    size_t len = strlen(o->method);
    if (len == 0 || strspn(o->method, "ABCDEFGHIJKLMNOPQRSTUVWXYZ-") != len) {
        return err_usage(e, "\"%s\" is not an HTTP method", o->method);
    }
    for (size_t i = 0; i < o->headers.count; i++) {
        if (client_header_check(o->headers.items[i], e) != 0) {
            return -1;
        }
    }
    bool sees_one = o->raw || o->observe.explain != NULL || o->observe.pcap != NULL || o->output != NULL || o->include;
    return o->repeat > 0 && sees_one
               ? err_usage(e,
                           "--repeat drops what the server says: leave --raw, --output, --include, --head, --explain "
                           "and --pcap out")
           : o->parallel > 0 && o->repeat == 0 ? err_usage(e, "--parallel needs --repeat")
                                               : 0;
}

static int understand(struct connect_options *o, const struct words *w, const char *url, struct err *e)
{
    o->has_data = w->data.count > 0;
    o->include = o->include || w->head;
    o->family = w->v4 ? AF_INET : w->v6 ? AF_INET6 : 0;
    o->ciphers = join_ciphers(w);
    if (o->method == NULL) {
        o->method = w->head ? "HEAD" : o->has_data ? "POST" : "GET";
    }
    return client_target_parse(url, &o->target, e) != 0 || parse_versions(w, &o->versions, e) != 0 ||
                   check_limits(o, w, e) != 0 || check_request(o, e) != 0 ||
                   parse_resolve(&w->resolve, &o->target, &o->address, e) != 0 || read_data(&w->data, &o->data, e) != 0
               ? -1
               : 0;
}

int connect_options_parse(int argc, char **argv, struct connect_options *o, struct err *e)
{
    struct words words = {0};
    struct arg_list operands = {0};
    *o = (struct connect_options){.files = {.folder = "clients"}, .timeout = TIMEOUT};
    const struct arg_option options[] = {
        WHO_OPTIONS(o),         HTTP_OPTIONS(o, &words), NETWORK_OPTIONS(o, &words),
        TLS_OPTIONS(o, &words), OUTPUT_OPTIONS(o),       {0},
    };
    const struct arg_command command = {
        .usage = "connect URL|HOST:PORT [--pki DIR] [--as NAME] [-d DATA] [--raw] ..",
        .summary = "Calls a server after verifying it (chain, name, revocation), and says who refused whom, and why.",
        .operands = "the URL",
        .least = 1,
        .most = 1,
        .options = options,
        .examples =
            "  mtls connect https://localhost:8443/whoami --pki pki --as alice\n"
            "  mtls connect https://localhost:8443/echo --as alice -d 'Hello\?\?\?' -H 'Content-Type: text/plain'\n"
            "  echo 'Hello\?\?\?' | mtls connect localhost:8443 --as alice --raw\n"
            "  mtls connect localhost:8443 --cert alice.pem --cacert ca.pem -v --session alice.session\n"
            "  mtls connect localhost:8443 --as alice --repeat 1000 --parallel 8\n"
            "  mtls connect localhost:8443 --as alice --explain --pcap seen.pcap --key-log seen.keys\n",
    };
    int rc = args_parse(&command, argc, argv, &operands, e);
    if (rc == 0) {
        rc = understand(o, &words, operands.items[0], e);
    }
    arg_list_clear(&operands);
    arg_list_clear(&words.data);
    arg_list_clear(&words.resolve);
    return rc;
}

void connect_options_clear(struct connect_options *o)
{
    client_target_clear(&o->target);
    arg_list_clear(&o->headers);
    buf_clear(&o->data);
    free(o->address);
    free(o->ciphers);
    *o = (struct connect_options){0};
}
