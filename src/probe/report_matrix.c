// SPDX-License-Identifier: Apache-2.0
// The matrix of the page: a table for each group, a row for each case, a cell for each version of each run.
#include "probe/report_html.h"

#include <string.h>

static const struct {
    const char *glyph, *kind;
} looks[] = {
    [PROBE_GOOD] = {"\xe2\x9c\x93", "g"},
    [PROBE_FINDING] = {"\xe2\x9c\x97", "f"},
    [PROBE_INCONCLUSIVE] = {"?", "d"},
    [PROBE_SKIPPED] = {"\xe2\x80\x93", "s"},
};

static void add_short(struct buf *html, const struct probe_result *r)
{
    switch (r->seen) {
    case PROBE_REFUSED: break; // as it should be: the glyph is enough
    case PROBE_REFUSED_LATE: buf_text(html, "late"); break;
    case PROBE_SILENT: buf_text(html, "silent"); break;
    case PROBE_DOWN: buf_text(html, "down"); break;
    case PROBE_NOT_RUN: break;
    default:
        if (r->status > 0) {
            buf_printf(html, "%d", r->status);
        } else {
            buf_text(html, "served");
        }
    }
}

void report_html_cell(const struct probe_result *r, const char *label, struct buf *html)
{
    struct buf seen = {0};
    report_seen(&seen, r);
    buf_printf(html, "<span class=\"cell %s\" title=\"", looks[r->verdict].kind);
    buf_text(html, (const char *)seen.data);
    buf_text(html, r->detail[0] != '\0' ? "; " : "");
    report_markup(html, r->detail);
    buf_printf(html, "\"><b>%s</b> ", looks[r->verdict].glyph);
    if (label != NULL) {
        report_markup(html, label);
    } else {
        add_short(html, r);
    }
    buf_printf(html, "<i class=\"hidden\"> %s</i></span>", report_verdict(r->verdict));
    buf_clear(&seen);
}

// The columns: 1.2 and 1.3. What was tried in another version (an old one is a case of its own) takes both.
static const struct probe_result *other_version(const struct probe_run *run, const struct probe_case *of)
{
    for (size_t v = 0; v < 2; v++) {
        const struct probe_result *r = report_result(run, of, report_versions[v]);
        if (r != NULL) {
            return r;
        }
    }
    return NULL;
}

static bool is_tried(const struct probe_report *report, const struct probe_case *of)
{
    for (size_t i = 0; i < report->run_count; i++) {
        for (size_t v = 0; v < REPORT_VERSIONS; v++) {
            if (report_result(report->runs[i], of, report_versions[v]) != NULL) {
                return true;
            }
        }
    }
    return false;
}

static char worst_kind(const struct probe_report *report, const struct probe_case *of)
{
    char worst = ' ';
    for (size_t i = 0; i < report->run_count; i++) {
        for (size_t v = 0; v < REPORT_VERSIONS; v++) {
            const struct probe_result *r = report_result(report->runs[i], of, report_versions[v]);
            if (r != NULL && r->verdict == PROBE_FINDING) {
                return 'f';
            }
            worst = r != NULL && r->verdict == PROBE_INCONCLUSIVE ? 'd' : worst;
        }
    }
    return worst;
}

static bool differs(const struct probe_report *report, const struct probe_case *of)
{
    for (size_t v = 0; report->run_count > 1 && v < REPORT_VERSIONS; v++) {
        if (report_differs(report, of, report_versions[v])) {
            return true;
        }
    }
    return false;
}

static void add_row(const struct probe_report *report, const struct probe_case *of, struct buf *html)
{
    buf_printf(html, "<tr id=\"%s\" class=\"%c\"><th scope=\"row\"><code>", of->token, worst_kind(report, of));
    for (const char *c = of->token; *c != '\0'; c++) { // long words break behind their underscores
        buf_printf(html, *c == '_' ? "%c<wbr>" : "%c", *c);
    }
    buf_text(html, differs(report, of) ? "</code> <span class=\"differs\" title=\"A and B differ\">\xe2\x89\xa0</span>"
                                       : "</code>");
    buf_text(html, "<small>");
    report_markup(html, of->what);
    buf_text(html, "</small></th>");
    for (size_t i = 0; i < report->run_count; i++) {
        const struct probe_result *other = other_version(report->runs[i], of);
        if (other != NULL) {
            buf_text(html, "<td colspan=\"2\">");
            report_html_cell(other, NULL, html);
            buf_text(html, "</td>");
            continue;
        }
        for (size_t v = 2; v < REPORT_VERSIONS; v++) {
            const struct probe_result *r = report_result(report->runs[i], of, report_versions[v]);
            buf_text(html, "<td>");
            if (r != NULL) {
                report_html_cell(r, NULL, html);
            }
            buf_text(html, "</td>");
        }
    }
    buf_text(html, "</tr>\n");
}

static void add_heading(const struct probe_report *report, struct buf *html)
{
    buf_text(html, "<thead><tr><th scope=\"col\">case</th>");
    for (size_t i = 0; i < report->run_count; i++) {
        for (size_t v = 2; v < REPORT_VERSIONS; v++) {
            buf_printf(html, "<th scope=\"col\">%sTLS %s</th>",
                       report->run_count == 1 ? ""
                       : i == 0               ? "A, "
                                              : "B, ",
                       report_versions[v]);
        }
    }
    buf_text(html, "</tr></thead>\n");
}

static void add_group(const struct probe_report *report, const char *group, struct buf *html)
{
    bool any = false;
    for (size_t i = 0; probe_case_at(i) != NULL; i++) {
        const struct probe_case *of = probe_case_at(i);
        if (strcmp(of->group, group) != 0 || !is_tried(report, of)) {
            continue;
        }
        if (!any) {
            buf_text(html, "<table class=\"group\"><caption>");
            report_markup(html, report_group_about(group));
            buf_text(html, "</caption>\n");
            add_heading(report, html);
            buf_text(html, "<tbody>\n");
            any = true;
        }
        add_row(report, of, html);
    }
    buf_text(html, any ? "</tbody></table>\n" : "");
}

// --- all of it at a glance: a square for each case ---

static const struct probe_result *worst_result(const struct probe_run *run, const struct probe_case *of)
{
    static const enum probe_verdict order[] = {PROBE_FINDING, PROBE_INCONCLUSIVE, PROBE_GOOD, PROBE_SKIPPED};
    for (size_t i = 0; i < sizeof order / sizeof order[0]; i++) {
        for (size_t v = 0; v < REPORT_VERSIONS; v++) {
            const struct probe_result *r = report_result(run, of, report_versions[v]);
            if (r != NULL && r->verdict == order[i]) {
                return r;
            }
        }
    }
    return NULL;
}

static void add_squares(const struct probe_run *run, const char *group, struct buf *html)
{
    bool any = false;
    for (size_t i = 0; probe_case_at(i) != NULL; i++) {
        const struct probe_case *of = probe_case_at(i);
        const struct probe_result *r = strcmp(of->group, group) == 0 ? worst_result(run, of) : NULL;
        if (r == NULL) {
            continue;
        }
        if (!any) {
            buf_text(html, "<div><span>");
            report_markup(html, report_group_about(group));
            buf_text(html, "</span><p>");
            any = true;
        }
        bool shown = r->verdict != PROBE_GOOD;
        buf_printf(html, "<a href=\"#%s\" class=\"%s\" title=\"%s: %s\">%s<i class=\"hidden\">%s %s</i></a>", of->token,
                   looks[r->verdict].kind, of->token, report_verdict(r->verdict), shown ? looks[r->verdict].glyph : "",
                   of->token, report_verdict(r->verdict));
    }
    buf_text(html, any ? "</p></div>\n" : "");
}

void report_html_glance(const struct probe_run *run, struct buf *html)
{
    buf_text(html, "<section class=\"glance\">\n");
    for (size_t i = 0; report_group(i) != NULL; i++) {
        add_squares(run, report_group(i), html);
    }
    buf_text(html, "</section>\n");
}

// --- the matrix ---

static void add_legend(bool two, struct buf *html)
{
    static const struct {
        enum probe_verdict verdict;
        const char *text;
    } lines[] = {
        {PROBE_GOOD, "refused in the handshake; late: after it; 400 and the like: by HTTP"},
        {PROBE_FINDING, "let in"},
        {PROBE_INCONCLUSIVE, "in doubt"},
        {PROBE_SKIPPED, "not run"},
    };
    buf_text(html, "<p class=\"legend\">");
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        buf_printf(html, "<span><b>%s</b> %s</span> ", looks[lines[i].verdict].glyph, lines[i].text);
    }
    buf_text(html, two ? "<span><b class=\"differs\">\xe2\x89\xa0</b> A and B differ</span>" : "");
    buf_text(html, "</p>\n");
}

void report_html_matrix(const struct probe_report *report, struct buf *html)
{
    buf_text(html, "<section><h2>What was tried</h2>\n");
    add_legend(report->run_count > 1, html);
    buf_printf(html, "<div class=\"groups%s\">\n", report->run_count > 1 ? " two" : "");
    for (size_t i = 0; report_group(i) != NULL; i++) {
        add_group(report, report_group(i), html);
    }
    buf_text(html, "</div></section>\n");
}
