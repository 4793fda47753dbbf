// SPDX-License-Identifier: Apache-2.0
// What a run says, for people at a terminal: the verdict, the findings worst first, what is in doubt, what was not
// tried; and of two runs where they differ.
#include "base/clock.h"
#include "base/print.h"
#include "probe/report_internal.h"

#include <stdlib.h>
#include <string.h>

enum { WIDTH = 100 };

// Prints words, none of them broken, in lines of WIDTH columns; the first begins at column `at`.
static void wrap(FILE *to, int indent, int at, const char *text)
{
    int column = at;
    bool first = true;
    while (*text != '\0') {
        size_t len = strcspn(text, " ");
        char *word = mem_strndup(text, len);
        int width = (int)print_width(word);
        if (!first && column + 1 + width > WIDTH) {
            fprintf(to, "\n%*s", indent, "");
            column = indent;
            first = true;
        }
        fprintf(to, "%s%s", first ? "" : " ", word);
        column += width + (first ? 0 : 1);
        free(word);
        text += len;
        text += strspn(text, " ");
        first = false;
    }
    fputc('\n', to);
}

static void print_headline(const struct probe_report *report, size_t index, FILE *to)
{
    static const enum colour colours[] = {
        [PROBE_GOOD] = COLOUR_GREEN, [PROBE_FINDING] = COLOUR_RED, [PROBE_INCONCLUSIVE] = COLOUR_YELLOW};
    const struct probe_run *run = report->runs[index];
    struct report_counts n = report_count(run, report->baseline);
    char at[CLOCK_TEXT];
    struct buf line = {0};
    report_safe(&line, run->target);
    fprintf(to, "%s at %s: ", (const char *)line.data, clock_rfc3339(run->at, at));
    line.len = 0;
    report_headline(&line, report, index);
    print_coloured(to, colours[run->verdict], "%s", (const char *)line.data);
    fprintf(to, "\n  of %zu tries %zu refused, %zu let in, %zu in doubt, %zu not run; %s: %zu of %zu served\n",
            n.good + n.findings + n.inconclusive + n.skipped, n.good, n.findings, n.inconclusive, n.skipped,
            report_good(run), n.controls_served, n.controls);
    if (run->why != NULL) {
        line.len = 0;
        fputs("  ", to);
        wrap(to, 2, 2, report_safe(&line, run->why));
    }
    buf_clear(&line);
}

// --- findings ---

static void print_case(const struct report_finding *finding, const struct probe_report *report, FILE *to)
{
    struct buf line = {0};
    buf_printf(&line, "%s (", finding->of->token);
    for (size_t run = 0; run < report->run_count; run++) {
        struct buf versions = {0};
        report_finding_versions(&versions, finding, run);
        if (versions.len > 0 && report->run_count > 1) {
            buf_printf(&line, "%s: ", run == 0 ? "A" : "B");
        }
        if (versions.len > 0) {
            buf_printf(&line, "%s%s", (const char *)versions.data,
                       run + 1 < report->run_count && finding->run[finding->count - 1] > run ? "; " : "");
        }
        buf_clear(&versions);
    }
    buf_printf(&line, "%s): %s; ", finding->known ? "; known" : "", finding->of->what);
    report_seen(&line, finding->seen[0]);
    buf_printf(&line, ". %s", finding->of->rfc);
    fputs("  ", to);
    wrap(to, 4, 2, (const char *)line.data);
    buf_clear(&line);
}

static void print_mends(const struct probe_report *report, const char *group, FILE *to)
{
    struct report_mend mend;
    for (size_t i = 0; report_mend_next(report, group, &i, &mend);) {
        fprintf(to, "    %-9s", mend.name);
        wrap(to, 13, 13, mend.text);
    }
}

static void print_findings(const struct probe_report *report, FILE *to)
{
    struct report_findings f;
    report_findings_init(&f, report);
    for (size_t i = 0; i < f.count; i++) {
        const struct report_finding *finding = &f.items[i];
        bool last = i + 1 == f.count || f.items[i + 1].group != finding->group;
        if (i == 0 || f.items[i - 1].group != finding->group) {
            enum colour colour = finding->severity >= ADVICE_HIGH ? COLOUR_RED : COLOUR_YELLOW;
            fputc('\n', to);
            print_coloured(to, colour, "%s", advice_severity_word(finding->severity));
            fprintf(to, ": %s\n", report_group_about(finding->of->group));
        }
        print_case(finding, report, to);
        if (last || report_meaning(report, f.items[i + 1].of) != report_meaning(report, finding->of)) {
            fputs("    For an attacker: ", to);
            wrap(to, 4, 20, report_meaning(report, finding->of));
        }
        if (last) {
            fputs("  To mend it:\n", to);
            print_mends(report, finding->of->group, to);
        }
    }
    report_findings_clear(&f);
}

// --- what is in doubt, what was not run ---

static void print_doubts(const struct probe_run *run, FILE *to)
{
    bool headed = false;
    for (size_t i = 0; i < run->count; i++) {
        const struct probe_result *r = &run->results[i];
        if (r->verdict != PROBE_INCONCLUSIVE) {
            continue;
        }
        if (!headed) {
            print_coloured(to, COLOUR_YELLOW, "\nin doubt\n");
            headed = true;
        }
        struct buf line = {0};
        buf_printf(&line, "%s (TLS %s): ", r->of == NULL ? report_good(run) : r->of->token, r->version);
        report_seen(&line, r);
        buf_text(&line, "; ");
        report_safe(&line, r->detail);
        fputs("  ", to);
        wrap(to, 4, 2, (const char *)line.data);
        buf_clear(&line);
    }
}

// Those that were left out for the same reason stand together.
static void print_skipped(const struct probe_run *run, FILE *to)
{
    bool *told = mem_array(run->count + 1, sizeof *told);
    bool headed = false;
    for (size_t i = 0; i < run->count; i++) {
        const struct probe_result *first = &run->results[i];
        if (first->verdict != PROBE_SKIPPED || told[i]) {
            continue;
        }
        struct buf line = {0};
        report_safe(&line, first->detail);
        const struct probe_case *last = NULL;
        size_t n = 0;
        for (size_t k = i; k < run->count; k++) {
            const struct probe_result *r = &run->results[k];
            if (r->verdict == PROBE_SKIPPED && strcmp(r->detail, first->detail) == 0) {
                told[k] = true;
                if (r->of != NULL && r->of != last) { // once for both versions
                    buf_printf(&line, "%s%s", n++ == 0 ? ": " : ", ", r->of->token);
                }
                last = r->of;
            }
        }
        fprintf(to, "%s  ", headed ? "" : "\nnot run\n");
        wrap(to, 4, 2, (const char *)line.data);
        headed = true;
        buf_clear(&line);
    }
    free(told);
}

// --- two runs ---

static void add_seen(struct table *t, const struct probe_result *r)
{
    struct buf cell = {0};
    if (r == NULL) {
        buf_text(&cell, "-");
    } else {
        report_seen(&cell, r);
    }
    table_add(t, r != NULL && r->verdict == PROBE_FINDING ? COLOUR_RED : COLOUR_NONE, (const char *)cell.data);
    buf_clear(&cell);
}

static void print_differences(const struct probe_report *report, FILE *to)
{
    struct table table;
    size_t differ = 0;
    table_init(&table, 4);
    table_add(&table, COLOUR_NONE, "CASE");
    table_add(&table, COLOUR_NONE, "TLS");
    table_add(&table, COLOUR_NONE, "A");
    table_add(&table, COLOUR_NONE, "B");
    for (size_t i = 0; probe_case_at(i) != NULL; i++) {
        for (size_t v = 0; v < REPORT_VERSIONS; v++) {
            const struct probe_result *a = report_result(report->runs[0], probe_case_at(i), report_versions[v]);
            const struct probe_result *b = report_result(report->runs[1], probe_case_at(i), report_versions[v]);
            if (!report_differs(report, probe_case_at(i), report_versions[v])) {
                continue;
            }
            table_add(&table, COLOUR_NONE, probe_case_at(i)->token);
            table_add(&table, COLOUR_NONE, report_versions[v]);
            add_seen(&table, a);
            add_seen(&table, b);
            differ++;
        }
    }
    fprintf(to, "\n%zu verdict%s differ%s\n", differ, plural(differ), differ == 1 ? "s" : "");
    if (differ > 0) {
        table_print(&table, to);
    }
    table_clear(&table);
}

void probe_report_text(const struct probe_report *report, FILE *to)
{
    for (size_t i = 0; i < report->run_count; i++) {
        fputs(report->run_count == 1 ? "\n" : i == 0 ? "A  " : "B  ", to);
        print_headline(report, i, to);
    }
    if (report->run_count == 2) {
        print_differences(report, to);
    }
    print_findings(report, to);
    if (report->run_count == 1) {
        print_doubts(report->runs[0], to);
        print_skipped(report->runs[0], to);
    }
}
