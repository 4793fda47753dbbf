// SPDX-License-Identifier: Apache-2.0
// A run as JUnit XML, which CI systems show: a test case for each result. There is no standard; this keeps to what the
// schemas of Jenkins and of the Ant task have in common.
#include "base/clock.h"
#include "probe/report_internal.h"

#include <string.h>

struct junit {
    struct buf *xml;
    struct buf cases; // written first, because the counts stand before them
    size_t tests, failures, errors, skipped;
    uint64_t took_us;
};

static void open_case(struct junit *j, const char *group, const char *name, uint64_t took_us)
{
    buf_text(&j->cases, "    <testcase classname=\"mtls.probe.");
    report_markup(&j->cases, group);
    buf_text(&j->cases, "\" name=\"");
    report_markup(&j->cases, name);
    buf_printf(&j->cases, "\" time=\"%.6f\">", (double)took_us / 1e6);
    j->tests++;
    j->took_us += took_us;
}

static void add_outcome(struct junit *j, size_t *counter, const char *element, const char *type, const char *message,
                        const char *text)
{
    (*counter)++;
    buf_printf(&j->cases, "\n      <%s", element);
    if (type != NULL) { // <skipped> has none
        buf_printf(&j->cases, " type=\"%s\"", type);
    }
    buf_text(&j->cases, " message=\"");
    report_markup(&j->cases, message);
    buf_text(&j->cases, "\">");
    report_markup(&j->cases, text);
    buf_printf(&j->cases, "</%s>\n    ", element);
}

static void add_finding(struct junit *j, const struct probe_report *report, const struct probe_result *r,
                        const char *seen)
{
    struct buf text = {0};
    buf_printf(&text, "%s; %s. %s\n%s\n", r->of->what, seen, r->of->rfc, report_meaning(report, r->of));
    struct report_mend mend;
    for (size_t i = 0; report_mend_next(report, r->of->group, &i, &mend);) {
        buf_printf(&text, "%s: %s\n", mend.name, mend.text);
    }
    buf_printf(&text, "%s", r->detail);
    if (probe_report_known(report->baseline, r)) {
        add_outcome(j, &j->skipped, "skipped", NULL, "known: a finding of the baseline too", (const char *)text.data);
    } else {
        add_outcome(j, &j->failures, "failure", reason_token(r->of->reason), seen, (const char *)text.data);
    }
    buf_clear(&text);
}

static void add_result(struct junit *j, const struct probe_report *report, const struct probe_result *r, size_t control)
{
    struct buf name = {0};
    struct buf seen = {0};
    if (r->of == NULL) {
        buf_printf(&name, "control %zu (TLS %s)", control, r->version);
    } else {
        buf_printf(&name, "%s (TLS %s)", r->of->token, r->version);
    }
    report_seen(&seen, r);
    open_case(j, r->of == NULL ? "control" : r->of->group, (const char *)name.data, r->took_us);
    if (r->verdict == PROBE_SKIPPED) {
        add_outcome(j, &j->skipped, "skipped", NULL, r->detail, "");
    } else if (r->verdict == PROBE_FINDING && r->of != NULL) {
        add_finding(j, report, r, (const char *)seen.data);
    } else if (r->verdict != PROBE_GOOD) {
        add_outcome(j, &j->errors, "error", "inconclusive", (const char *)seen.data, r->detail);
    }
    buf_text(&j->cases, "</testcase>\n");
    buf_clear(&name);
    buf_clear(&seen);
}

static void add_counts(const struct junit *j, const char *element, const struct probe_run *run)
{
    buf_printf(j->xml, "<%s name=\"mtls probe ", element);
    report_markup(j->xml, run->target);
    buf_printf(j->xml, "\" tests=\"%zu\" failures=\"%zu\" errors=\"%zu\" skipped=\"%zu\" time=\"%.6f\"", j->tests,
               j->failures, j->errors, j->skipped, (double)j->took_us / 1e6);
}

void probe_report_junit(const struct probe_report *report, struct buf *xml)
{
    const struct probe_run *run = report->runs[0];
    struct junit j = {.xml = xml};
    char at[CLOCK_TEXT];
    size_t controls = 0;
    // an inconclusive run is no green run, whatever its cases say
    open_case(&j, "run", "conclusive", 0);
    if (!report_is_conclusive(run)) {
        add_outcome(&j, &j.errors, "error", "inconclusive", run->why != NULL ? run->why : "inconclusive", "");
    }
    buf_text(&j.cases, "</testcase>\n");
    for (size_t i = 0; i < run->count; i++) {
        controls += run->results[i].of == NULL;
        add_result(&j, report, &run->results[i], controls);
    }
    clock_rfc3339(run->at, at);
    at[strcspn(at, "Z")] = '\0'; // the schemas want local time without a zone
    buf_text(xml, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    add_counts(&j, "testsuites", run);
    buf_text(xml, ">\n  ");
    add_counts(&j, "testsuite", run);
    buf_printf(xml, " timestamp=\"%s\">\n", at);
    buf_add(xml, j.cases.data, j.cases.len);
    buf_text(xml, "  </testsuite>\n</testsuites>\n");
    buf_clear(&j.cases);
}
