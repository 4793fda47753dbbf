// SPDX-License-Identifier: Apache-2.0
// A run, or two side by side, as one page: no scripts, nothing from elsewhere. First what came of it, then a matrix of
// all cases to be read at a glance, then the findings with what mends them.
#include "probe/report_html.h"

#include "base/clock.h"

#include <ctype.h>

static const char shield[] = "M12 2.8 4.5 5.6v5.7c0 4.6 3.1 8.2 7.5 9.9 4.4-1.7 7.5-5.3 7.5-9.9V5.6z";

static void add_title(const struct probe_report *report, struct buf *html)
{
    for (size_t i = 0; i < report->run_count; i++) {
        buf_text(html, i > 0 ? " and " : "");
        report_markup(html, report->runs[i]->target);
    }
}

static void add_head(const struct probe_report *report, struct buf *html)
{
    buf_text(html, "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
                   "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src "
                   "'unsafe-inline'\">\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
                   "<meta name=\"color-scheme\" content=\"light dark\">\n<title>mtls probe: ");
    add_title(report, html);
    buf_text(html, "</title>\n<style>\n");
    buf_text(html, report_style);
    buf_text(html, "</style>\n</head>\n<body>\n<main>\n");
}

static void add_banner(const struct probe_report *report, size_t i, struct buf *html)
{
    const struct probe_run *run = report->runs[i];
    char at[CLOCK_TEXT];
    const char *mark = run->verdict == PROBE_GOOD      ? "m8.6 12 2.4 2.4 4.5-4.8"
                       : run->verdict == PROBE_FINDING ? "m9.2 9.2 5.6 5.6m0-5.6-5.6 5.6"
                                                       : "M9.8 9.6a2.3 2.3 0 1 1 3.2 2.1c-.7.4-1 .8-1 1.6m0 2.6v.1";
    buf_printf(html,
               "<header class=\"%s\"><svg viewBox=\"0 0 24 24\" fill=\"none\" stroke=\"currentColor\" "
               "stroke-width=\"1.7\" stroke-linecap=\"round\" stroke-linejoin=\"round\" aria-hidden=\"true\">"
               "<path d=\"%s\"/><path d=\"%s\"/></svg><div><h1>",
               probe_verdict_word(run->verdict), shield, mark);
    if (report->run_count > 1) {
        buf_text(html, i == 0 ? "A: " : "B: ");
    }
    size_t start = html->len;
    report_headline(html, report, i);
    html->data[start] = (uint8_t)toupper(html->data[start]);
    buf_text(html, "</h1><p><code>");
    report_markup(html, run->target);
    buf_text(html, "</code>");
    if (run->why != NULL) {
        buf_text(html, ": ");
        report_markup(html, run->why);
    }
    buf_printf(html, "</p><p class=\"soft\">%s, mtls %s</p></div></header>\n", clock_rfc3339(run->at, at),
               MTLS_VERSION);
}

static void add_tile(struct buf *html, const char *kind, size_t number, const char *of, const char *label)
{
    buf_printf(html, "<div class=\"tile %s\"><b>%zu%s</b>%s</div>\n", number > 0 ? kind : "", number, of, label);
}

static void add_tiles(const struct probe_report *report, struct buf *html)
{
    struct report_counts n = report_count(report->runs[0], report->baseline);
    char of[32];
    char good[32];
    snprintf(good, sizeof good, "%s served", report_good(report->runs[0]));
    snprintf(of, sizeof of, " of %zu", n.controls);
    buf_text(html, "<div class=\"tiles\">\n");
    add_tile(html, "g", n.good, "", "refused");
    add_tile(html, "f", n.findings, "", "let in");
    add_tile(html, "d", n.inconclusive, "", "in doubt");
    add_tile(html, "", n.skipped, "", "not run");
    add_tile(html, n.controls_served == n.controls ? "g" : "d", n.controls_served, of, good);
    buf_text(html, "</div>\n");
}

static void add_controls(const struct probe_run *run, struct buf *html)
{
    buf_printf(html, "<section><h2>The %s, before, between and after</h2>\n", report_good(run));
    buf_text(html, "<p class=\"legend\">If it is not served, nothing that was refused says anything.</p>\n"
                   "<div class=\"run\">\n");
    for (size_t i = 0; i < run->count; i++) {
        const struct probe_result *r = &run->results[i];
        if (r->of == NULL) {
            report_html_cell(r, r->version, html);
            buf_text(html, "\n");
        }
    }
    buf_text(html, "</div></section>\n");
}

static void add_list(const struct probe_run *run, enum probe_verdict verdict, const char *title, struct buf *html)
{
    bool any = false;
    for (size_t i = 0; i < run->count; i++) {
        const struct probe_result *r = &run->results[i];
        if (r->verdict != verdict) {
            continue;
        }
        if (!any) {
            buf_printf(html, "<section><h2>%s</h2>\n<div class=\"box\"><ul>\n", title);
            any = true;
        }
        buf_printf(html, "<li><code>%s</code> (TLS %s): ", r->of == NULL ? report_good(run) : r->of->token, r->version);
        report_markup(html, r->detail);
        buf_text(html, "</li>\n");
    }
    buf_text(html, any ? "</ul></div></section>\n" : "");
}

void probe_report_html(const struct probe_report *report, struct buf *html)
{
    add_head(report, html);
    if (report->run_count == 1) {
        add_banner(report, 0, html);
        add_tiles(report, html);
        report_html_glance(report->runs[0], html);
    } else {
        buf_text(html, "<div class=\"pair\">\n");
        add_banner(report, 0, html);
        add_banner(report, 1, html);
        report_html_glance(report->runs[0], html);
        report_html_glance(report->runs[1], html);
        buf_text(html, "</div>\n");
    }
    report_html_matrix(report, html);
    report_html_findings(report, html);
    if (report->run_count == 1) {
        add_list(report->runs[0], PROBE_INCONCLUSIVE, "In doubt", html);
        add_controls(report->runs[0], html);
        add_list(report->runs[0], PROBE_SKIPPED, "Not run", html);
    }
    buf_text(html, "<footer>Each case presents one thing that is wrong, everything else is as in the good one. "
                   "Written by <code>mtls probe</code>; its <code>docs/probe.md</code> tells what the words "
                   "mean.</footer>\n</main>\n</body>\n</html>\n");
}
