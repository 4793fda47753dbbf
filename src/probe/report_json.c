// SPDX-License-Identifier: Apache-2.0
// A run as JSON; docs/probe.md tells what is in it, report_read.c reads it back.
#include "base/clock.h"
#include "probe/report_internal.h"
#include "tls/tls.h"

#include <string.h>

static json_t *safe_json(const char *text)
{
    struct buf safe = {0};
    json_t *json = text == NULL ? json_null() : json_string(report_safe(&safe, text));
    buf_clear(&safe);
    return json;
}

static json_t *alert_json(int alert)
{
    return alert == TLS_ALERT_NONE         ? json_null()
           : alert == TLS_ALERT_UNREADABLE ? json_string("unreadable")
                                           : json_string(alert_name(alert));
}

static json_t *result_json(const struct probe_result *r, const struct probe_run *baseline)
{
    const struct probe_case *of = r->of;
    json_t *o = json_pack("{s:s?, s:s, s:s?, s:s?, s:s?, s:s}", "case", of != NULL ? of->token : NULL, "group",
                          of != NULL ? of->group : "control", "what", of != NULL ? of->what : NULL, "rfc",
                          of != NULL ? of->rfc : NULL, "expected", of != NULL ? reason_token(of->reason) : NULL,
                          "version", r->version);
    json_t *seen = json_pack(
        "{s:s, s:b, s:o, s:o, s:o, s:s, s:I, s:o}", "seen", probe_seen_word(r->seen), "completed", (int)r->completed,
        "alert", alert_json(r->alert), "alert_number", r->alert >= 0 ? json_integer(r->alert) : json_null(), "status",
        r->status > 0 ? json_integer(r->status) : json_null(), "verdict", probe_verdict_word(r->verdict), "took_us",
        (json_int_t)r->took_us, "detail", safe_json(r->detail));
    json_object_update(o, seen);
    json_decref(seen);
    if (baseline != NULL && r->verdict == PROBE_FINDING) {
        json_object_set_new(o, "known", json_boolean(probe_report_known(baseline, r)));
    }
    return o;
}

static json_t *findings_json(const struct probe_report *report)
{
    json_t *array = json_array();
    struct report_findings f;
    report_findings_init(&f, report);
    for (size_t i = 0; i < f.count; i++) {
        const struct report_finding *finding = &f.items[i];
        json_t *versions = json_array();
        json_t *mend = json_object();
        for (size_t k = 0; k < finding->count; k++) {
            json_array_append_new(versions, json_string(finding->seen[k]->version));
        }
        struct report_mend text;
        for (size_t k = 0; report_mend_next(report, finding->of->group, &k, &text);) {
            json_object_set_new(mend, text.word, json_string(text.text));
        }
        json_array_append_new(
            array, json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:b, s:o, s:o}", "case", finding->of->token, "group",
                             finding->of->group, "severity", advice_severity_word(advice_severity(finding->of)), "what",
                             finding->of->what, "meaning", report_meaning(report, finding->of), "rfc", finding->of->rfc,
                             "known", (int)finding->known, "versions", versions, "mend", mend));
    }
    report_findings_clear(&f);
    return array;
}

json_t *report_run_json(const struct probe_report *report, size_t index)
{
    const struct probe_run *run = report->runs[index];
    struct probe_report alone = *report;
    struct report_counts n = report_count(run, report->baseline);
    char at[CLOCK_TEXT];
    json_t *results = json_array();
    alone.runs[0] = run;
    alone.run_count = 1;
    for (size_t i = 0; i < run->count; i++) {
        json_array_append_new(results, result_json(&run->results[i], report->baseline));
    }
    json_t *counts = json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "good", (json_int_t)n.good, "findings",
                               (json_int_t)n.findings, "known", (json_int_t)n.known, "inconclusive",
                               (json_int_t)n.inconclusive, "skipped", (json_int_t)n.skipped, "controls",
                               (json_int_t)n.controls, "controls_served", (json_int_t)n.controls_served);
    return json_pack("{s:i, s:s, s:s, s:o, s:s, s:s, s:o, s:o, s:o, s:o}", "mtls_probe", 1, "mtls", MTLS_VERSION,
                     "tried", run->of_client ? "client" : "server", "target", safe_json(run->target), "at",
                     clock_rfc3339(run->at, at), "verdict", probe_verdict_word(run->verdict), "why",
                     safe_json(run->why), "counts", counts, "findings", findings_json(&alone), "results", results);
}

static json_t *differences_json(const struct probe_report *report)
{
    json_t *array = json_array();
    for (size_t i = 0; probe_case_at(i) != NULL; i++) {
        for (size_t v = 0; v < REPORT_VERSIONS; v++) {
            const struct probe_result *a = report_result(report->runs[0], probe_case_at(i), report_versions[v]);
            const struct probe_result *b = report_result(report->runs[1], probe_case_at(i), report_versions[v]);
            if (!report_differs(report, probe_case_at(i), report_versions[v])) {
                continue;
            }
            json_array_append_new(array,
                                  json_pack("{s:s, s:s, s:s?, s:s?}", "case", probe_case_at(i)->token, "version",
                                            report_versions[v], "a", a != NULL ? probe_verdict_word(a->verdict) : NULL,
                                            "b", b != NULL ? probe_verdict_word(b->verdict) : NULL));
        }
    }
    return array;
}

json_t *probe_report_json(const struct probe_report *report)
{
    if (report->run_count == 1) {
        return report_run_json(report, 0);
    }
    return json_pack("{s:o, s:o, s:o}", "differences", differences_json(report), "a", report_run_json(report, 0), "b",
                     report_run_json(report, 1));
}
