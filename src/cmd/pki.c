// SPDX-License-Identifier: Apache-2.0
// mtls pki: a whole test PKI from one file.
#include "base/clock.h"
#include "base/log.h"
#include "base/pki_files.h"
#include "base/print.h"
#include "cmd/ca.h"
#include "cmd/cmd.h"

#include <stdlib.h>

int pki_open_arguments(const struct pki_arguments *a, bool create, struct pki **pki, struct err *e)
{
    struct pki_options options = {
        .dir = pki_directory(a->dir), .seed = a->seed, .passphrase_file = a->passphrase_file, .now = clock_now()};
    return clock_source_date(&options.now, e) < 0 ? -1 : pki_open(&options, create, pki, e);
}

static int run(const struct pki_arguments *a, const struct pki_apply_options *options, struct err *e)
{
    struct pki *pki = NULL;
    struct pki_report report = {0};
    int rc = pki_open_arguments(a, true, &pki, e);
    if (rc == 0) {
        rc = pki_apply(pki, options, &report, e);
    }
    if (rc == 0) {
        pki_report_print(&report, pki_directory(a->dir), stdout);
        if (a->seed != NULL) {
            log_warning("INSECURE: every key in %s was made from the seed; use it for golden tests only",
                        pki_directory(a->dir));
        }
    }
    if (rc == 0 && options->check && report.differences > 0) {
        rc = err_refused(e, "%s is not as the plan says: %zu difference%s", pki_directory(a->dir), report.differences,
                         plural(report.differences));
    }
    pki_report_clear(&report);
    pki_close(pki);
    return rc;
}

int cmd_pki(int argc, char **argv)
{
    struct err e = ERR_INIT;
    struct pki_arguments a = {0};
    struct pki_apply_options options = {.progress = true};
    struct arg_list operands = {0};
    const struct arg_option table[] = {
        {"file", 'f', ARG_TEXT, "PLAN", "the plan, YAML (default: a built-in one; see configs/pki.yaml)",
         &options.plan_file},
        PKI_OPTIONS(a),
        {"check", 0, ARG_FLAG, NULL, "change nothing; exit 1 if anything differs from the plan", &options.check},
        {"prune", 0, ARG_FLAG, NULL, "revoke and remove what the plan does not name any more", &options.prune},
        {"seed", 0, ARG_TEXT, "TEXT", "INSECURE: the same plan, dates and seed give the same bytes (golden tests)",
         &a.seed},
        {NULL, 0, ARG_FLAG, NULL, NULL, NULL},
    };
    const struct arg_command command = {
        .usage = "pki [-f PLAN] [-d DIR] [--check] [--prune]",
        .summary = "Makes everything that the plan names: authorities, servers, clients, revocation lists and "
                   "certificates\nthat are wrong on purpose. Run again, it issues only what is missing, changed or "
                   "near its end.",
        .options = table,
        .examples = "  mtls pki                        # root, issuing CA, localhost, alice, bob, mallory, all flaws\n"
                    "  mtls pki -f configs/pki.yaml    # your own\n"
                    "  mtls pki --check                # is everything as the plan says?\n",
    };
    int rc = args_parse(&command, argc, argv, &operands, &e);
    if (rc == 0) {
        rc = run(&a, &options, &e);
    }
    arg_list_clear(&operands);
    return cmd_exit(rc, &e);
}
