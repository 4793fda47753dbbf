// SPDX-License-Identifier: Apache-2.0
// What the kinds of report share.
#ifndef MTLS_PROBE_REPORT_INTERNAL_H
#define MTLS_PROBE_REPORT_INTERNAL_H

#include "probe/report.h"

// Text as it may be shown: what is not UTF-8, or would change how the text around it is shown, becomes \xNN. Unlike
// text_escape, a backslash stays, because most texts here were escaped once already.
const char *report_safe(struct buf *to, const char *text);
// The same inside of HTML or XML, in elements and in quoted attributes.
void report_markup(struct buf *to, const char *text);

// "refused: certificate_expired", "refused late: closed", "refused: HTTP 400", "served: HTTP 200", "silent", ...
void report_seen(struct buf *to, const struct probe_result *result);
const char *report_verdict(enum probe_verdict verdict); // "refused", "FINDING", "in doubt", "not run"

// A version is one of these in every table: "1.0" .. "1.3".
enum { REPORT_VERSIONS = 4 };
extern const char *const report_versions[REPORT_VERSIONS];
// Of several results of one case in one version that which weighs most; NULL: there is none.
const struct probe_result *report_result(const struct probe_run *run, const struct probe_case *of, const char *version);

// Of two runs: their verdicts on it are not the same, or only one of them tried it.
bool report_differs(const struct probe_report *report, const struct probe_case *of, const char *version);

// PROBE_GROUPS in their order; NULL past the last.
const char *report_group(size_t i);
const char *report_group_about(const char *group);

struct report_counts { // of results: a case that is a finding in two versions counts twice
    size_t controls, controls_served;
    size_t good, findings, known, inconclusive, skipped;
};
struct report_counts report_count(const struct probe_run *run, const struct probe_run *baseline);

// What a finding means and the i-th thing that mends it, of a server or of a client as the report is.
const char *report_meaning(const struct probe_report *report, const struct probe_case *of);
struct report_mend {
    const char *word, *name, *text; // "haproxy", "HAProxy"
};
bool report_mend_next(const struct probe_report *report, const char *group, size_t *i, struct report_mend *mend);

const char *report_good(const struct probe_run *run); // "good certificate"; of a client "good server"

// Nothing in it is in doubt, its controls least of all.
bool report_is_conclusive(const struct probe_run *run);

struct report_finding { // of one case, in every version and run in which it is one
    const struct probe_case *of;
    const struct probe_result *seen[2 * REPORT_VERSIONS];
    size_t run[2 * REPORT_VERSIONS]; // each one's
    size_t count;
    bool known;                    // all of them are
    size_t group, place;           // in the order of the tables
    enum advice_severity severity; // of the worst finding of its group
};
struct report_findings { // worst group first, in it the worst first
    struct report_finding *items;
    size_t count, cap;
};
void report_findings_init(struct report_findings *f, const struct probe_report *report);
void report_findings_clear(struct report_findings *f);
// "every wrong certificate was refused", "2 findings, 1 of them known", "inconclusive". Findings are of cases here.
void report_headline(struct buf *to, const struct probe_report *report, size_t index);
// "TLS 1.2, 1.3" of those of one run.
void report_finding_versions(struct buf *to, const struct report_finding *finding, size_t run);

json_t *report_run_json(const struct probe_report *report, size_t index);
extern const char report_style[]; // of the page

#endif
