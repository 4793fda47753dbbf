// SPDX-License-Identifier: Apache-2.0
// mtls ca show: a certificate, request, revocation list or key in words.
#include "cmd/ca.h"
#include "cmd/cmd.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/print.h"

#include <stdio.h>

static int show(const char *file, const struct show_options *options, bool json, struct err *e)
{
    struct buf data = {0};
    struct buf text = {0};
    int rc = file_read(file, FILE_LIMIT, &data, e);
    json_t *shown = rc == 0 ? show_file(buf_span(&data), options, e) : NULL;
    if (shown == NULL) {
        rc = err_context(e, "%s", file);
    } else if (json) {
        rc = json_print(stdout, json_incref(shown), e);
    } else {
        show_text(shown, &text);
        fputs((const char *)text.data, stdout);
    }
    json_decref(shown);
    buf_clear(&data);
    buf_clear(&text);
    return rc;
}

int cmd_ca_show(int argc, char **argv)
{
    struct err e = ERR_INIT;
    struct arg_list operands = {0};
    struct show_options options = {.now = clock_now(), .entries_max = SHOW_ENTRIES};
    bool json = false;
    bool all = false;
    const struct arg_option table[] = {
        {"all", 0, ARG_FLAG, NULL, "every entry of a revocation list, not only the first 20", &all},
        {"json", 0, ARG_FLAG, NULL, "for scripts", &json},
        {NULL, 0, ARG_FLAG, NULL, NULL, NULL},
    };
    const struct arg_command command = {
        .usage = "ca show FILE [--json]",
        .summary = "What is in a file, in words: certificates, requests, revocation lists, keys (never their secrets).\n"
                   "PEM or DER, - for standard input; for any file, not only ours, well-formed or not.",
        .operands = "FILE",
        .least = 1,
        .most = 1,
        .options = table,
        .examples = "  mtls ca show pki/clients/alice/cert.pem\n  mtls ca show pki/crl.pem\n",
    };
    int rc = args_parse(&command, argc, argv, &operands, &e);
    if (rc == 0) {
        options.entries_max = all ? SIZE_MAX : SHOW_ENTRIES;
        rc = show(operands.items[0], &options, json, &e);
    }
    arg_list_clear(&operands);
    return cmd_exit(rc, &e);
}
