// SPDX-License-Identifier: Apache-2.0
#include "base/args.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/print.h"
#include "base/text.h"
#include "client/client.h"
#include "cmd/cmd.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

struct connect_options {
    struct cmd_files files;
    const char *url;
    const char *method;
    const char *data;
    const char *output;
    const char *resolve;
    const char *tls;
    long timeout; // seconds
    bool raw;
    bool json;
};

static const char *const version_words[] = {[TLS_1_2_AND_1_3] = "any", [TLS_1_2_ONLY] = "1.2", [TLS_1_3_ONLY] = "1.3"};

// --- what the person reads: on stderr ---

static void show_server(void *arg, const struct client_result *result)
{
    const struct trust_identity *server = result->server;
    char from[CLOCK_TEXT];
    char to[CLOCK_TEXT];
    (void)arg;
    if (server != NULL) {
        print_coloured(stderr, COLOUR_DIM, "server   %s\n", server->subject[0] != '\0' ? server->subject : "(empty)");
        print_coloured(stderr, COLOUR_DIM, "issuer   %s\n", server->issuer);
        print_coloured(stderr, COLOUR_DIM, "valid    %s to %s\n", clock_rfc3339(server->not_before, from),
                       clock_rfc3339(server->not_after, to));
        print_coloured(stderr, COLOUR_DIM, "names   ");
        for (size_t i = 0; i < server->name_count; i++) {
            print_coloured(stderr, COLOUR_DIM, " %s:%s", trust_name_word(server->names[i].type), server->names[i].text);
        }
        print_coloured(stderr, COLOUR_DIM, "%s\n", server->name_count == 0 ? " none" : "");
    }
    if (result->cipher[0] != '\0') {
        print_coloured(stderr, COLOUR_DIM, "secured  %s, %s\n", result->tls, result->cipher);
    }
}

// An alert's meaning is the reason that we would have sent it for, as far as only one has it.
static const char *alert_hint(int alert)
{
    switch (alert) {
    case ALERT_CERTIFICATE_REQUIRED:
    case ALERT_NO_CERTIFICATE: return reason_info(REASON_no_certificate)->hint;
    case ALERT_CERTIFICATE_REVOKED: return reason_info(REASON_cert_revoked)->hint;
    case ALERT_CERTIFICATE_EXPIRED: return reason_info(REASON_cert_expired)->hint;
    case ALERT_UNKNOWN_CA: return reason_info(REASON_chain_untrusted)->hint;
    case ALERT_ACCESS_DENIED: return reason_info(REASON_not_allowed)->hint;
    default: return "";
    }
}

static void show_ending(const struct client_result *result)
{
    const char *hint = "";
    switch (result->outcome) {
    case CLIENT_SERVED: return;
    case CLIENT_REFUSED_BY_US:
        hint = reason_info(result->verdict.reason)->hint;
        print_coloured(stderr, COLOUR_RED, "mtls: we refused the server: %s\n", result->failure.text);
        break;
    case CLIENT_REFUSED_BY_SERVER:
        hint = alert_hint(result->alert);
        if (result->alert >= 0) {
            print_coloured(stderr, COLOUR_RED, "mtls: the server refused us: alert %s (%d)\n",
                           alert_name(result->alert), result->alert);
        } else {
            print_coloured(stderr, COLOUR_RED, "mtls: the server refused us: %s\n", result->failure.text);
        }
        break;
    case CLIENT_FAILED: print_coloured(stderr, COLOUR_RED, "mtls: %s\n", result->failure.text); break;
    }
    if (hint[0] != '\0') {
        fprintf(stderr, "mtls: hint: %s\n", hint);
    }
}

// --- what a script reads: one object on stdout ---

static json_t *text_or_null(const char *text)
{
    return text[0] != '\0' ? json_string(text) : json_null();
}

static int show_json(const struct client_result *result, struct err *e)
{
    bool by_us = result->outcome == CLIENT_REFUSED_BY_US;
    json_t *json = json_object();
    json_object_set_new(json, "outcome", json_string(client_outcome_word(result->outcome)));
    json_object_set_new(json, "reason", by_us ? json_string(reason_token(result->verdict.reason)) : json_null());
    json_object_set_new(json, "alert", result->alert >= 0 ? json_string(alert_name(result->alert)) : json_null());
    json_object_set_new(json, "status", result->status != 0 ? json_integer(result->status) : json_null());
    json_object_set_new(json, "tls", text_or_null(result->tls));
    json_object_set_new(json, "cipher", text_or_null(result->cipher));
    json_object_set_new(json, "local", text_or_null(result->local));
    json_object_set_new(json, "detail", text_or_null(by_us ? result->verdict.detail : result->failure.text));
    return json_print(stdout, json, e);
}

// --- the options ---

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

static int call(const struct connect_options *options, const struct client_target *target, struct client_result *result,
                struct err *e)
{
    static const char *alpn[] = {"http/1.1", NULL};
    enum tls_versions versions;
    struct buf data = {0};
    char *address = NULL;
    struct client_call call = {.target = target, .timeout_ms = options->timeout * 1000, .on_handshake = show_server};
    int rc = -1;
    if (parse_versions(options->tls, &versions, e) != 0 || check_method(options->method, e) != 0 ||
        check_timeout(options->timeout, e) != 0 || parse_resolve(options->resolve, target, &address, e) != 0 ||
        read_data(options->data, &data, e) != 0) {
        goto out;
    }
    call.context = cmd_context(&options->files, TLS_CLIENT, versions, options->raw ? NULL : alpn, e);
    if (call.context == NULL) {
        goto out;
    }
    call.body = options->output != NULL ? fopen(options->output, "wb") : options->json ? NULL : stdout;
    if (options->output != NULL && call.body == NULL) {
        err_errno(e, "opening %s", options->output);
        goto out;
    }
    call.address = address;
    call.method = options->method;
    call.data = buf_span(&data);
    call.has_data = options->data != NULL;
    (options->raw ? client_pipe : client_fetch)(&call, result);
    rc = 0;
out:
    if (options->output != NULL && call.body != NULL && fclose(call.body) != 0) {
        rc = err_errno(e, "writing %s", options->output);
    }
    tls_context_free(call.context);
    buf_clear(&data);
    free(address);
    return rc;
}

static int run(struct connect_options *options, struct err *e)
{
    static const int exit_codes[] = {
        [CLIENT_SERVED] = 0,
        [CLIENT_REFUSED_BY_US] = ERR_REFUSED,
        [CLIENT_REFUSED_BY_SERVER] = ERR_REFUSED,
        [CLIENT_FAILED] = ERR_ENVIRONMENT,
    };
    struct client_target target;
    struct client_result result = {0};
    if (client_target_parse(options->url, &target, e) != 0) {
        return -1;
    }
    if (options->method == NULL) {
        options->method = options->data != NULL ? "POST" : "GET";
    }
    int rc = call(options, &target, &result, e);
    if (rc == 0) {
        fflush(stdout);
        show_ending(&result);
        rc = options->json ? show_json(&result, e) : 0;
    }
    int code = exit_codes[result.outcome];
    client_result_clear(&result);
    client_target_clear(&target);
    return rc != 0 ? -1 : code;
}

int cmd_connect(int argc, char **argv)
{
    struct connect_options o = {.files = {.folder = "clients"}, .timeout = 10};
    struct arg_list operands = {0};
    struct err e = ERR_INIT;
    const struct arg_option options[] = {
        {"pki", 'd', ARG_TEXT, "DIR", "the PKI's directory (default: $MTLS_PKI, or pki)", &o.files.pki},
        {"as", 0, ARG_TEXT, "NAME", "who to be: DIR/clients/NAME, or a path below DIR; without it, nobody",
         &o.files.name},
        {"cert", 'E', ARG_TEXT, "FILE", "certificate and its issuers, instead of --as", &o.files.certificate},
        {"key", 0, ARG_TEXT, "FILE", "its private key (default: in the certificate's file)", &o.files.key},
        {"cacert", 0, ARG_TEXT, "FILE", "trust anchors for the server, instead of the PKI's", &o.files.anchors},
        {"crl", 0, ARG_TEXT, "FILE", "revocation lists; with --cacert, none is the default", &o.files.crls},
        {"raw", 0, ARG_FLAG, NULL, "no HTTP: standard input to the server, its words to standard output", &o.raw},
        {"data", 0, ARG_TEXT, "DATA", "the request's body; @FILE: a file's content, @-: standard input", &o.data},
        {"request", 'X', ARG_TEXT, "METHOD", "GET, POST, HEAD .. (default: GET, or POST with --data)", &o.method},
        {"output", 'o', ARG_TEXT, "FILE", "where the response's body goes (default: standard output)", &o.output},
        {"resolve", 0, ARG_TEXT, "HOST:PORT:ADDRESS", "connect to this address for that host", &o.resolve},
        {"tls", 0, ARG_TEXT, "1.2|1.3", "this version only", &o.tls},
        {"timeout", 0, ARG_NUMBER, "SECONDS", "for each wait for the server (default: 10)", &o.timeout},
        {"json", 0, ARG_FLAG, NULL, "what happened as one JSON object on stdout; the body only with --output", &o.json},
        {0},
    };
    const struct arg_command command = {
        .usage = "connect URL|HOST:PORT [-d DIR] [--as NAME] [--data DATA] [--raw] ..",
        .summary = "Calls a server after verifying it (chain, name, revocation), and says who refused whom, and why.",
        .operands = "the URL",
        .least = 1,
        .most = 1,
        .options = options,
        .examples = "  mtls connect https://localhost:8443/whoami --pki pki --as alice\n"
                    "  mtls connect https://localhost:8443/echo --as alice --data 'Hello\?\?\?'\n"
                    "  echo 'Hello\?\?\?' | mtls connect localhost:8443 --as alice --raw\n",
    };
    signal(SIGPIPE, SIG_IGN); // a closed output is an error to report, not a reason to die
    int code = args_parse(&command, argc, argv, &operands, &e);
    if (code == 0) {
        o.url = operands.items[0];
        code = run(&o, &e);
    }
    arg_list_clear(&operands);
    if (err_is_set(&e) || o.url == NULL) { // an error, or help was asked for
        return cmd_exit(err_is_set(&e) ? -1 : 0, &e);
    }
    return code;
}
