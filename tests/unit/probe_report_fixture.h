// SPDX-License-Identifier: Apache-2.0
// Runs of the probe that nobody ran: of every case there is, with what the test wants to have been seen.
#ifndef MTLS_TESTS_PROBE_REPORT_FIXTURE_H
#define MTLS_TESTS_PROBE_REPORT_FIXTURE_H

#include "probe/report.h"
#include "tls/tls.h"
#include "unit.h"

#include <stdlib.h>
#include <string.h>

static inline struct probe_result *run_add(struct probe_run *run, const char *token, const char *version)
{
    const struct probe_case *of = token == NULL ? NULL : probe_case_find(token);
    assert_true(token == NULL || of != NULL);
    run->results = mem_grow(run->results, &run->cap, sizeof *run->results, run->count + 1);
    struct probe_result *r = &run->results[run->count++];
    *r = (struct probe_result){.of = of, .seen = PROBE_REFUSED, .alert = TLS_ALERT_NONE, .took_us = 1500};
    snprintf(r->version, sizeof r->version, "%s", version);
    if (of == NULL) {
        r->seen = PROBE_SERVED;
        r->status = 200;
        r->completed = true;
    } else {
        r->alert = (int)reason_info(of->reason)->alert;
    }
    r->detail = mem_strdup("");
    return r;
}

static inline struct probe_result *run_result(struct probe_run *run, const char *token, const char *version)
{
    for (size_t i = 0; i < run->count; i++) {
        struct probe_result *r = &run->results[i];
        if (r->of != NULL && strcmp(r->of->token, token) == 0 && strcmp(r->version, version) == 0) {
            return r;
        }
    }
    fail_msg("no result of %s in %s", token, version);
    return NULL;
}

// Every case in 1.2 and 1.3, all refused, between two controls.
static inline struct probe_run run_good(void)
{
    struct probe_run run = {.target = mem_strdup("127.0.0.1:8443"), .at = 1795435200, .verdict = PROBE_GOOD};
    run_add(&run, NULL, "1.2");
    for (size_t i = 0; probe_case_at(i) != NULL; i++) {
        run_add(&run, probe_case_at(i)->token, "1.2");
        run_add(&run, probe_case_at(i)->token, "1.3");
    }
    run_add(&run, NULL, "1.3");
    return run;
}

static inline void result_detail(struct probe_result *r, const char *detail)
{
    free(r->detail);
    r->detail = mem_strdup(detail);
}

static inline void run_serve(struct probe_run *run, const char *token, const char *version)
{
    struct probe_result *r = run_result(run, token, version);
    r->seen = PROBE_SERVED;
    r->alert = TLS_ALERT_NONE;
    r->status = 200;
    r->completed = true;
    r->verdict = PROBE_FINDING;
    result_detail(r, "answered with 200 OK");
    run->verdict = PROBE_FINDING;
}

static inline void run_doubt(struct probe_run *run, const char *token, const char *version)
{
    struct probe_result *r = run_result(run, token, version);
    r->seen = PROBE_SILENT;
    r->alert = TLS_ALERT_NONE;
    r->verdict = PROBE_INCONCLUSIVE;
    result_detail(r, "nothing came for 5 seconds");
    run->verdict = PROBE_INCONCLUSIVE;
    free(run->why);
    run->why = mem_strdup("the target did not always answer");
}

static inline void run_skip(struct probe_run *run, const char *token, const char *version)
{
    struct probe_result *r = run_result(run, token, version);
    r->seen = PROBE_NOT_RUN;
    r->alert = TLS_ALERT_NONE;
    r->verdict = PROBE_SKIPPED;
    result_detail(r, "there is no way to revoke: --revoke-cmd");
}

static inline struct probe_report report_of(const struct probe_run *run)
{
    return (struct probe_report){.runs = {run}, .run_count = 1, .server = ADVICE_SERVER_COUNT};
}

#endif
