// SPDX-License-Identifier: Apache-2.0
// What every kind of report needs of a run: words, counts, the findings in their order.
#include "base/print.h"
#include "base/text.h"
#include "probe/report_internal.h"
#include "tls/tls.h"

#include <stdlib.h>
#include <string.h>

const char *const report_versions[REPORT_VERSIONS] = {"1.0", "1.1", "1.2", "1.3"};

static const struct {
    const char *token, *about;
} groups[] = {
#define GROUP(token, about) {#token, about},
    PROBE_GROUPS(GROUP)
#undef GROUP
};

const char *report_group(size_t i)
{
    return i < sizeof groups / sizeof groups[0] ? groups[i].token : NULL;
}

static size_t group_place(const char *group)
{
    size_t i = 0;
    while (i < sizeof groups / sizeof groups[0] && strcmp(groups[i].token, group) != 0) {
        i++;
    }
    return i;
}

const char *report_group_about(const char *group)
{
    size_t i = group_place(group);
    return i < sizeof groups / sizeof groups[0] ? groups[i].about : group;
}

const char *report_safe(struct buf *to, const char *text)
{
    size_t len = strlen(text);
    buf_add(to, "", 0);
    for (size_t i = 0; i < len;) {
        uint32_t code = 0;
        size_t n = text_utf8((const uint8_t *)text + i, len - i, &code);
        bool shown = n > 0 && !text_is_invisible(code) && (code & 0xfffe) != 0xfffe; // XML has no U+FFFE and U+FFFF
        n = n == 0 ? 1 : n;
        for (size_t k = 0; !shown && k < n; k++) {
            buf_printf(to, "\\x%02X", (unsigned)(unsigned char)text[i + k]);
        }
        buf_add(to, text + i, shown ? n : 0);
        i += n;
    }
    return (const char *)to->data;
}

void report_markup(struct buf *to, const char *text)
{
    struct buf safe = {0};
    text_html(to, report_safe(&safe, text));
    buf_clear(&safe);
}

static void add_alert(struct buf *to, int alert)
{
    if (alert == TLS_ALERT_NONE) {
        buf_text(to, "closed");
    } else if (alert < 0) {
        buf_text(to, "an alert that cannot be read");
    } else if (strcmp(alert_name(alert), "unknown_alert") == 0) {
        buf_printf(to, "alert %d", alert);
    } else {
        buf_text(to, alert_name(alert));
    }
}

void report_seen(struct buf *to, const struct probe_result *r)
{
    switch (r->seen) {
    case PROBE_REFUSED:
        buf_text(to, "refused: ");
        add_alert(to, r->alert);
        break;
    case PROBE_REFUSED_LATE:
        buf_text(to, "refused late: ");
        add_alert(to, r->alert);
        break;
    case PROBE_REFUSED_HTTP: buf_printf(to, "refused: HTTP %d", r->status); break;
    case PROBE_SERVED:
        buf_text(to, "served");
        if (r->status > 0) {
            buf_printf(to, ": HTTP %d", r->status);
        }
        break;
    case PROBE_SILENT: buf_text(to, "silent"); break;
    case PROBE_DOWN: buf_text(to, "down"); break;
    case PROBE_NOT_RUN: buf_text(to, "not run"); break;
    }
}

const char *report_verdict(enum probe_verdict verdict)
{
    static const char *const words[] = {
        [PROBE_GOOD] = "good",
        [PROBE_FINDING] = "FINDING",
        [PROBE_INCONCLUSIVE] = "in doubt",
        [PROBE_SKIPPED] = "not run",
    };
    return words[verdict];
}

// Which of two results of the same case says more of the target.
static int weight(const struct probe_result *r)
{
    static const int weights[] = {[PROBE_GOOD] = 1, [PROBE_FINDING] = 3, [PROBE_INCONCLUSIVE] = 2, [PROBE_SKIPPED] = 0};
    return weights[r->verdict];
}

const struct probe_result *report_result(const struct probe_run *run, const struct probe_case *of, const char *version)
{
    const struct probe_result *worst = NULL;
    for (size_t i = 0; i < run->count; i++) {
        const struct probe_result *r = &run->results[i];
        if (r->of == of && strcmp(r->version, version) == 0 && (worst == NULL || weight(r) > weight(worst))) {
            worst = r;
        }
    }
    return worst;
}

bool report_differs(const struct probe_report *report, const struct probe_case *of, const char *version)
{
    const struct probe_result *a = report_result(report->runs[0], of, version);
    const struct probe_result *b = report_result(report->runs[1], of, version);
    return a == NULL || b == NULL ? a != b : a->verdict != b->verdict;
}

bool probe_report_known(const struct probe_run *baseline, const struct probe_result *finding)
{
    if (baseline == NULL) {
        return false;
    }
    const struct probe_result *before = report_result(baseline, finding->of, finding->version);
    return before != NULL && before->verdict == PROBE_FINDING;
}

struct report_counts report_count(const struct probe_run *run, const struct probe_run *baseline)
{
    struct report_counts n = {0};
    for (size_t i = 0; i < run->count; i++) {
        const struct probe_result *r = &run->results[i];
        if (r->of == NULL) {
            n.controls += r->verdict != PROBE_SKIPPED; // the target does not offer the version
            n.controls_served += r->verdict == PROBE_GOOD;
            continue;
        }
        n.good += r->verdict == PROBE_GOOD;
        n.findings += r->verdict == PROBE_FINDING;
        n.known += r->verdict == PROBE_FINDING && probe_report_known(baseline, r);
        n.inconclusive += r->verdict == PROBE_INCONCLUSIVE;
        n.skipped += r->verdict == PROBE_SKIPPED;
    }
    return n;
}

bool report_is_conclusive(const struct probe_run *run)
{
    struct report_counts n = report_count(run, NULL);
    return run->verdict != PROBE_INCONCLUSIVE && run->why == NULL && n.inconclusive == 0 &&
           n.controls_served == n.controls;
}

int probe_report_exit(const struct probe_report *report)
{
    const struct probe_run *run = report->runs[report->run_count - 1];
    const struct probe_run *baseline = report->run_count == 2 ? report->runs[0] : report->baseline;
    struct report_counts n = report_count(run, baseline);
    bool forgiven = run->verdict == PROBE_FINDING && n.findings > 0 && n.known == n.findings;
    if (!forgiven) {
        return probe_run_exit(run);
    }
    return report_is_conclusive(run) ? 0 : ERR_ENVIRONMENT; // a doubt beside the findings is not forgiven with them
}

static void add_finding(struct report_findings *f, const struct probe_report *report, const struct probe_case *of)
{
    struct report_finding finding = {.of = of, .group = group_place(of->group), .known = true};
    for (size_t run = 0; run < report->run_count; run++) {
        for (size_t v = 0; v < REPORT_VERSIONS; v++) {
            const struct probe_result *r = report_result(report->runs[run], of, report_versions[v]);
            if (r != NULL && r->verdict == PROBE_FINDING) {
                finding.known = finding.known && probe_report_known(report->baseline, r);
                finding.run[finding.count] = run;
                finding.seen[finding.count++] = r;
            }
        }
    }
    if (finding.count > 0) {
        f->items = mem_grow(f->items, &f->cap, sizeof *f->items, f->count + 1);
        f->items[f->count++] = finding;
    }
}

// Worst group first, in it the worst case first, else in the order of the tables.
static int worse(const void *left, const void *right)
{
    const struct report_finding *a = left;
    const struct report_finding *b = right;
    if (a->severity != b->severity) {
        return a->severity > b->severity ? -1 : 1;
    }
    if (a->group != b->group) {
        return a->group < b->group ? -1 : 1;
    }
    enum advice_severity own_a = advice_severity(a->of);
    enum advice_severity own_b = advice_severity(b->of);
    if (own_a != own_b) {
        return own_a > own_b ? -1 : 1;
    }
    return a->place < b->place ? -1 : a->place > b->place;
}

void report_findings_init(struct report_findings *f, const struct probe_report *report)
{
    *f = (struct report_findings){0};
    for (size_t i = 0; probe_case_at(i) != NULL; i++) {
        add_finding(f, report, probe_case_at(i));
    }
    for (size_t i = 0; i < f->count; i++) {
        f->items[i].place = i;
        for (size_t k = 0; k < f->count; k++) {
            enum advice_severity severity = advice_severity(f->items[k].of);
            if (f->items[k].group == f->items[i].group && severity > f->items[i].severity) {
                f->items[i].severity = severity;
            }
        }
    }
    if (f->count > 0) {
        qsort(f->items, f->count, sizeof *f->items, worse);
    }
}

void report_findings_clear(struct report_findings *f)
{
    free(f->items);
    *f = (struct report_findings){0};
}

void report_headline(struct buf *to, const struct probe_report *report, size_t index)
{
    const struct probe_run *run = report->runs[index];
    struct probe_report alone = *report;
    struct report_findings f;
    size_t known = 0;
    alone.runs[0] = run;
    alone.run_count = 1;
    report_findings_init(&f, &alone);
    for (size_t i = 0; i < f.count; i++) {
        known += f.items[i].known;
    }
    if (run->verdict == PROBE_GOOD) {
        buf_printf(to, "every wrong %s was refused", run->of_client ? "server" : "certificate");
    } else if (run->verdict == PROBE_FINDING) {
        buf_printf(to, "%zu finding%s", f.count, plural(f.count));
    } else {
        buf_text(to, "inconclusive");
    }
    if (known > 0) {
        buf_printf(to, ", %zu of them known", known);
    }
    report_findings_clear(&f);
}

const char *report_meaning(const struct probe_report *report, const struct probe_case *of)
{
    const char *of_client = report->runs[0]->of_client ? advice_client_meaning(of->group) : NULL;
    return of_client != NULL ? of_client : advice_meaning(of);
}

const char *report_good(const struct probe_run *run)
{
    return run->of_client ? "good server" : "good certificate";
}

bool report_mend_next(const struct probe_report *report, const char *group, size_t *i, struct report_mend *mend)
{
    if (report->runs[0]->of_client) {
        *mend = (struct report_mend){"client", "client", advice_client_mend(group)};
        return (*i)++ == 0 && mend->text != NULL;
    }
    for (; *i < ADVICE_SERVER_COUNT; (*i)++) {
        enum advice_server server = (enum advice_server) * i;
        const char *text = advice_mend(group, server);
        if (text != NULL && (report->server == ADVICE_SERVER_COUNT || report->server == server)) {
            *mend = (struct report_mend){advice_server_word(server), advice_server_name(server), text};
            (*i)++;
            return true;
        }
    }
    return false;
}

void report_finding_versions(struct buf *to, const struct report_finding *finding, size_t run)
{
    size_t n = 0;
    for (size_t i = 0; i < finding->count; i++) {
        if (finding->run[i] == run) {
            buf_printf(to, "%s%s", n++ == 0 ? "TLS " : ", ", finding->seen[i]->version);
        }
    }
}
