// SPDX-License-Identifier: Apache-2.0
// The findings of the page: one card for each group, worst first, with what they mean and what mends them.
#include "probe/report_html.h"

#include <string.h>

// One label for what was seen in several versions alike, from `first` on; returns where that ends.
static size_t add_seen(const struct report_finding *finding, size_t first, bool two, struct buf *html)
{
    struct buf seen = {0};
    struct buf label = {0};
    size_t i = first;
    report_seen(&seen, finding->seen[first]);
    buf_printf(&label, "%sTLS ", !two ? "" : finding->run[first] == 0 ? "A, " : "B, ");
    for (; i < finding->count && finding->run[i] == finding->run[first]; i++) {
        struct buf other = {0};
        report_seen(&other, finding->seen[i]);
        bool alike = strcmp((const char *)other.data, (const char *)seen.data) == 0;
        buf_clear(&other);
        if (!alike) {
            break;
        }
        buf_printf(&label, "%s%s", i > first ? ", " : "", finding->seen[i]->version);
    }
    buf_printf(&label, ": %s", (const char *)seen.data);
    buf_text(html, " ");
    report_html_cell(finding->seen[first], (const char *)label.data, html);
    buf_clear(&label);
    buf_clear(&seen);
    return i;
}

static void add_case(const struct report_finding *finding, const struct probe_report *report, struct buf *html)
{
    buf_printf(html, "<li><code>%s</code>: ", finding->of->token);
    report_markup(html, finding->of->what);
    buf_printf(html, " <span class=\"soft\">(%s)</span>%s", finding->of->rfc,
               finding->known ? " <span class=\"soft\">known</span>" : "");
    for (size_t i = 0; i < finding->count;) {
        i = add_seen(finding, i, report->run_count > 1, html);
    }
    buf_text(html, "</li>\n");
}

static void add_mends(const struct probe_report *report, const char *group, struct buf *html)
{
    bool all = report->server == ADVICE_SERVER_COUNT && !report->runs[0]->of_client;
    struct report_mend mend;
    buf_printf(html, "<details%s><summary>How to mend it%s</summary><dl>\n", all ? "" : " open",
               all ? ": nginx, HAProxy, Apache, stunnel, Envoy, OpenSSL, Go, mbedTLS" : "");
    for (size_t i = 0; report_mend_next(report, group, &i, &mend);) {
        buf_printf(html, "<dt>%s</dt><dd>", mend.name);
        report_markup(html, mend.text);
        buf_text(html, "</dd>\n");
    }
    buf_text(html, "</dl></details>\n");
}

void report_html_findings(const struct probe_report *report, struct buf *html)
{
    struct report_findings f;
    report_findings_init(&f, report);
    buf_text(html, f.count > 0 ? "<section><h2>Findings, the worst first</h2></section>\n" : "");
    for (size_t i = 0; i < f.count; i++) {
        const struct report_finding *finding = &f.items[i];
        bool first = i == 0 || f.items[i - 1].group != finding->group;
        bool last = i + 1 == f.count || f.items[i + 1].group != finding->group;
        if (first) {
            const char *word = advice_severity_word(finding->severity);
            buf_printf(html, "<article class=\"card %s\"><h3><span class=\"word\">%s</span>", word, word);
            report_markup(html, report_group_about(finding->of->group));
            buf_text(html, "</h3>\n");
        }
        if (first || report_meaning(report, f.items[i - 1].of) != report_meaning(report, finding->of)) {
            buf_text(html, "<ul>\n");
        }
        add_case(finding, report, html);
        if (last || report_meaning(report, f.items[i + 1].of) != report_meaning(report, finding->of)) {
            buf_text(html, "</ul>\n<p>");
            report_markup(html, report_meaning(report, finding->of));
            buf_text(html, "</p>\n");
        }
        if (last) {
            add_mends(report, finding->of->group, html);
            buf_text(html, "</article>\n");
        }
    }
    report_findings_clear(&f);
}
