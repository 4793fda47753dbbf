// SPDX-License-Identifier: Apache-2.0
// mtls probe: would it have refused?
#include "cmd/probe.h"

#include "base/args.h"
#include "base/pki_files.h"
#include "base/text.h"
#include "client/client.h"
#include "probe/report.h"
#include "server/server.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

enum { STATUS_MOST = 32 };

struct probe_arguments {
    struct probe_options options;
    const char *target;
    const char *refused_status; // "400,403"
    int statuses[STATUS_MOST];  // read from it
    const char *tls;
    struct arg_list only;
    long timeout; // seconds
    bool list;
    bool client; // for --help: probe_client.c has it
    bool compare;
    struct probe_report_options report;
};

static int parse_status(const char *text, int *list, size_t *count, struct err *e)
{
    for (const char *p = text; *count < STATUS_MOST;) {
        char *end = NULL;
        long status = strtol(p, &end, 10);
        if (end != p + 3 || status < 100 || status > 599 || (*end != ',' && *end != '\0')) {
            break;
        }
        list[(*count)++] = (int)status;
        if (*end == '\0') {
            return 0;
        }
        p = end + 1;
    }
    return err_usage(e, "--refused-status takes up to %d HTTP statuses with commas, not \"%s\"", STATUS_MOST, text);
}

static int check(struct probe_arguments *a, struct err *e)
{
    struct probe_options *o = &a->options;
    struct probe_source *s = &o->source;
    enum { DAY = 86400, PARALLEL_MOST = 256, RATE_MOST = 100000 };
    o->versions = PROBE_TLS_1_2 | PROBE_TLS_1_3;
    if (a->tls != NULL) {
        o->versions = strcmp(a->tls, "1.2") == 0 ? PROBE_TLS_1_2 : strcmp(a->tls, "1.3") == 0 ? PROBE_TLS_1_3 : 0;
    }
    if (o->versions == 0) {
        return err_usage(e, "--tls takes 1.2 or 1.3, not \"%s\"", a->tls);
    }
    if (a->timeout < 1 || a->timeout > DAY) {
        return err_usage(e, "--timeout takes 1 to %d seconds, not %ld", DAY, a->timeout);
    }
    if (o->parallel < 1 || o->parallel > PARALLEL_MOST) {
        return err_usage(e, "--parallel takes 1 to %d, not %ld", PARALLEL_MOST, o->parallel);
    }
    if (o->rate > RATE_MOST) {
        return err_usage(e, "--rate takes up to %d, not %ld", RATE_MOST, o->rate);
    }
    if ((s->ca_certificate == NULL) != (s->ca_key == NULL)) {
        return err_usage(e, "--ca-cert and --ca-key go together");
    }
    if (s->key != NULL && s->certificate == NULL) {
        return err_usage(e, "--key needs --cert");
    }
    if (s->pki != NULL && s->ca_certificate != NULL) {
        return err_usage(e, "--pki or --ca-cert, not both");
    }
    if (s->pki == NULL && s->ca_certificate == NULL && s->certificate == NULL) {
        s->pki = pki_directory(NULL);
    }
    o->timeout_ms = a->timeout * 1000;
    o->only = a->only.items;
    o->only_count = a->only.count;
    return 0;
}

// Our own server on this machine learns by its control socket what was revoked.
static int reload_own(void *arg, struct err *e)
{
    const unsigned *port = arg;
    struct buf answer = {0};
    int rc = server_ask(NULL, *port, "reload", &answer, e);
    json_t *json = json_loadb((const char *)answer.data, answer.len, 0, NULL);
    const char *error = json_string_value(json_object_get(json, "error"));
    if (rc == 0 && (json == NULL || error != NULL)) {
        rc = err_set(e, "reloading the server: %s", error != NULL ? error : "its answer is not JSON");
    }
    json_decref(json);
    buf_clear(&answer);
    return rc;
}

static bool is_here(const char *host)
{
    return strcmp(host, "localhost") == 0 || text_starts(host, "127.") || strcmp(host, "::1") == 0;
}

static bool is_own(unsigned port)
{
    struct buf answer = {0};
    struct err e = ERR_INIT;
    bool own = server_ask(NULL, port, "status", &answer, &e) == 0;
    buf_clear(&answer);
    return own;
}

static void list_cases(void)
{
    const struct probe_case *c = NULL;
    for (size_t i = 0; (c = probe_case_at(i)) != NULL; i++) {
        printf("%-45s  %-11s  %s\n", c->token, c->group, c->what);
    }
}

static int run(struct probe_arguments *a, struct err *e)
{
    static const int refused_by_default[] = {400, 401, 403, 421, 495, 496, 497};
    struct probe_reporter reporter = {0};
    struct client_target target;
    struct probe_run probe_run = {0};
    a->options.refused_status = refused_by_default;
    a->options.refused_status_count = sizeof refused_by_default / sizeof refused_by_default[0];
    if (check(a, e) != 0) {
        return -1;
    }
    if (a->refused_status != NULL) {
        a->options.refused_status_count = 0;
        a->options.refused_status = a->statuses;
        if (parse_status(a->refused_status, a->statuses, &a->options.refused_status_count, e) != 0) {
            return -1;
        }
    }
    if (probe_reporter_init(&reporter, &a->report, e) != 0) {
        probe_reporter_clear(&reporter);
        return -1;
    }
    if (client_target_parse(a->target, &target, e) != 0) {
        probe_reporter_clear(&reporter);
        return -1;
    }
    a->options.host = target.host;
    a->options.port = target.port;
    a->options.path = target.path;
    int code = 0;
    unsigned port = (unsigned)strtoul(target.port, NULL, 10);
    if (a->options.source.pki != NULL && a->options.reload_cmd == NULL && is_here(target.host) && is_own(port)) {
        a->options.reload = reload_own;
        a->options.reload_arg = &port;
    }
    int rc = probe_server(&a->options, &reporter.observer, &probe_run, e);
    rc = rc == 0 ? probe_reporter_end(&reporter, &probe_run, &code, e) : rc;
    probe_reporter_clear(&reporter);
    probe_run_clear(&probe_run);
    client_target_clear(&target);
    return rc != 0 ? -1 : code;
}

static bool is_of_client(int argc, char **argv)
{
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
        if (strcmp(argv[i], "--client") == 0) {
            return true;
        }
    }
    return false;
}

// Where the certificates come from.
#define SOURCE_OPTIONS(s)                                                                                              \
    {"pki", 'd', ARG_TEXT, "DIR", "a PKI's wrong certificates (default: $MTLS_PKI, or pki)", &(s)->pki},               \
        {"as",    0, ARG_TEXT, "NAME", "the good one: DIR/clients/NAME (default: one that the manifest calls good)",   \
         &(s)->as},                                                                                                    \
        {"ca-cert",                                                                                                    \
         0,                                                                                                            \
         ARG_TEXT,                                                                                                     \
         "FILE",                                                                                                       \
         "instead: the CA that the target trusts, and its issuers, to mint with",                                      \
         &(s)->ca_certificate},                                                                                        \
        {"ca-key", 0, ARG_TEXT, "FILE", "its private key ($MTLS_PASSPHRASE, or you are asked)", &(s)->ca_key},         \
        {"cert",                                                                                                       \
         'E',                                                                                                          \
         ARG_TEXT,                                                                                                     \
         "FILE",                                                                                                       \
         "the good certificate and its issuers; alone, what needs no CA is tried",                                     \
         &(s)->certificate},                                                                                           \
    {                                                                                                                  \
        "key", 0, ARG_TEXT, "FILE", "its private key (default: in the certificate's file)", &(s)->key                  \
    }

// The exit code, where there is no error.
static int act(struct probe_arguments *a, const struct arg_list *operands, struct err *e)
{
    int code = 0;
    if (a->list) {
        list_cases();
        return 0;
    }
    if (a->compare ? operands->count != 2 : operands->count != 1) {
        return err_usage(e, "probe needs a target: HOST:PORT; or --compare and two files");
    }
    a->target = operands->items[operands->count - 1];
    if (a->compare) {
        return probe_report_compare(&a->report, operands->items[0], operands->items[1], &code, e) != 0 ? -1 : code;
    }
    return run(a, e);
}

int cmd_probe(int argc, char **argv)
{
    if (is_of_client(argc, argv)) {
        return cmd_probe_client(argc, argv);
    }
    struct probe_arguments a = {.timeout = 5, .options = {.parallel = 1}};
    struct arg_list operands = {0};
    struct err e = ERR_INIT;
    struct probe_options *o = &a.options;
    struct probe_source *s = &o->source;
    const struct arg_option options[] = {
        SOURCE_OPTIONS(s),
        {"name", 0, ARG_TEXT, "NAME", "the server name to ask for (default: HOST)", &o->name},
        {"expect-body", 0, ARG_TEXT, "TEXT", "only an answer with this in it counts as being served", &o->expect_body},
        {"refused-status", 0, ARG_TEXT, "LIST", "HTTP statuses that refuse (default: 400,401,403,421,495,496,497)",
         &a.refused_status},
        {"case", 0, ARG_LIST, "TOKEN", "this case only; may be given again", &a.only},
        {"list", 0, ARG_FLAG, NULL, "print the cases, and do nothing", &a.list},
        {"sni-other", 0, ARG_TEXT, "NAME", "another server name of the target, whose sessions are tried too",
         &o->sni_other},
        {"revoke-cmd", 0, ARG_TEXT, "CMD",
         "makes the CA revoke the certificate in $MTLS_PROBE_CERT (default: --pki does)", &o->revoke_cmd},
        {"reload-cmd", 0, ARG_TEXT, "CMD", "makes the target learn of it (default: mtls reload, if it is our server)",
         &o->reload_cmd},
        {"tls", 0, ARG_TEXT, "1.2|1.3", "this version only", &a.tls},
        {"parallel", 0, ARG_NUMBER, "N", "connections at once (default: 1)", &o->parallel},
        {"rate", 0, ARG_NUMBER, "N", "connections begun in a second, at most", &o->rate},
        {"timeout", 0, ARG_NUMBER, "SECONDS", "for connecting and for each wait (default: 5)", &a.timeout},
        {"keep", 0, ARG_TEXT, "DIR", "write what is minted there, with its keys", &o->keep},
        PROBE_REPORT_OPTIONS(&a.report),
        {"compare", 0, ARG_FLAG, NULL, "two files of JSON side by side: --compare A B", &a.compare},
        {"client", 0, ARG_FLAG, NULL, "try a client instead; mtls probe --client --help", &a.client},
        {"i-own-this-host", 0, ARG_FLAG, NULL, "the target is yours, though it is not on a private network", &o->owned},
        {0},
    };
    const struct arg_command command = {
        .usage = "probe HOST:PORT[/PATH] [-d DIR | --ca-cert F --ca-key F | --cert F --key F] ..",
        .summary = "Tries every wrong certificate on a server, and good ones before, between and after. Targets must "
                   "be this machine,\non a private network, or named with --i-own-this-host. Exit status: 0 all "
                   "refused and the good served, 1 a finding,\n3 inconclusive.",
        .operands = "the target",
        .least = 0,
        .most = 2,
        .options = options,
        .examples =
            "  mtls probe localhost:8443 --pki pki\n"
            "  mtls probe 10.0.0.7:443/health --ca-cert ca.pem --ca-key ca.key\n"
            "  mtls probe localhost:8443 --json >new.json; mtls probe --compare old.json new.json --html c.html\n"
            "  mtls probe localhost:443 --cert me.pem --key me.key --expect-body welcome\n",
    };
    signal(SIGPIPE, SIG_IGN);
    int code = args_parse(&command, argc, argv, &operands, &e);
    if (code == 0) {
        code = act(&a, &operands, &e);
    }
    arg_list_clear(&operands);
    arg_list_clear(&a.only);
    if (err_is_set(&e) || a.target == NULL) { // an error, or help or a list was asked for
        return cmd_exit(err_is_set(&e) ? -1 : 0, &e);
    }
    return code;
}
