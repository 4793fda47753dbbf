// SPDX-License-Identifier: Apache-2.0
// mtls probe --client: which wrong servers does a client talk to?
#include "base/args.h"
#include "cmd/probe.h"
#include "probe/mirror.h"
#include "probe/report.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

struct client_arguments {
    struct mirror_options options;
    struct probe_report_options report;
    const char *tls;
    struct arg_list only;
    long timeout; // seconds
    bool client;
};

static int check(struct client_arguments *a, struct err *e)
{
    struct mirror_options *o = &a->options;
    enum { HOUR = 3600, PARALLEL_MOST = 64 };
    o->versions = PROBE_TLS_1_2 | PROBE_TLS_1_3;
    if (a->tls != NULL) {
        o->versions = strcmp(a->tls, "1.2") == 0 ? PROBE_TLS_1_2 : strcmp(a->tls, "1.3") == 0 ? PROBE_TLS_1_3 : 0;
    }
    if (o->versions == 0) {
        return err_usage(e, "--tls takes 1.2 or 1.3, not \"%s\"", a->tls);
    }
    if (a->timeout < 1 || a->timeout > HOUR) {
        return err_usage(e, "--timeout takes 1 to %d seconds, not %ld", HOUR, a->timeout);
    }
    if (o->parallel < 1 || o->parallel > PARALLEL_MOST) {
        return err_usage(e, "--parallel takes 1 to %d, not %ld", PARALLEL_MOST, o->parallel);
    }
    o->timeout_ms = a->timeout * 1000;
    o->only = a->only.items;
    o->only_count = a->only.count;
    return 0;
}

static int run(struct client_arguments *a, const struct arg_list *operands, struct err *e)
{
    struct probe_reporter reporter = {0};
    struct probe_run probe_run = {0};
    const char **command = mem_array(operands->count + 1, sizeof *command);
    int code = 0;
    memcpy(command, operands->items, operands->count * sizeof *command);
    a->options.command = command;
    int rc = check(a, e);
    if (rc == 0) {
        rc = probe_reporter_init(&reporter, &a->report, e);
    }
    if (rc == 0) {
        rc = probe_client(&a->options, &reporter.observer, &probe_run, e);
    }
    if (rc == 0) {
        rc = probe_reporter_end(&reporter, &probe_run, &code, e);
    }
    probe_reporter_clear(&reporter);
    probe_run_clear(&probe_run);
    free(command);
    return rc != 0 ? -1 : code;
}

int cmd_probe_client(int argc, char **argv)
{
    struct client_arguments a = {.timeout = 10, .options = {.parallel = 1}};
    struct arg_list command_words = {0};
    struct err e = ERR_INIT;
    const struct arg_option options[] = {
        {"client", 0, ARG_FLAG, NULL, "try a client, not a server", &a.client},
        {"pki", 'd', ARG_TEXT, "DIR", "a PKI with flaws that the client trusts (default: one for this run)",
         &a.options.pki},
        {"host", 0, ARG_TEXT, "NAME", "whom the client calls: DIR/servers/NAME (default: localhost)", &a.options.host},
        {"case", 0, ARG_LIST, "TOKEN", "this case only; may be given again", &a.only},
        {"tls", 0, ARG_TEXT, "1.2|1.3", "this version only", &a.tls},
        {"parallel", 0, ARG_NUMBER, "N", "clients at once (default: 1)", &a.options.parallel},
        {"timeout", 0, ARG_NUMBER, "SECONDS", "for each run of the client (default: 10)", &a.timeout},
        PROBE_REPORT_OPTIONS(&a.report),
        {0},
    };
    const struct arg_command command = {
        .usage = "probe --client [-d DIR] .. -- COMMAND..",
        .summary = "Runs the command against a server for every way of being wrong, and good ones before, between and "
                   "after: which\ndoes it talk to? In COMMAND, {url} {host} {port} {ca} {crl} {cert} {key} are "
                   "replaced. A request, or a handshake\nand exit status 0, counts as talking. Exit status: 0 none, 1 "
                   "a finding, 3 inconclusive.",
        .operands = "the client's command",
        .least = 1,
        .most = 1000,
        .options = options,
        .examples =
            "  mtls probe --client -- curl --cacert {ca} {url}\n"
            "  mtls probe --client --html client.html -- ./my-client --ca {ca} --cert {cert} --key {key} {url}\n",
    };
    signal(SIGPIPE, SIG_IGN);
    int code = args_parse(&command, argc, argv, &command_words, &e);
    bool helped = code == ARGS_HELP;
    if (code == 0) {
        code = run(&a, &command_words, &e);
    }
    arg_list_clear(&command_words);
    arg_list_clear(&a.only);
    return err_is_set(&e) || helped ? cmd_exit(err_is_set(&e) ? -1 : 0, &e) : code;
}
