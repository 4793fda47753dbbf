// SPDX-License-Identifier: Apache-2.0
// The parts of the page.
#ifndef MTLS_PROBE_REPORT_HTML_H
#define MTLS_PROBE_REPORT_HTML_H

#include "probe/report_internal.h"

// A coloured word for a result, with a glyph, and all that is known as its title. `label`: what it says instead of what
// was seen; NULL: nothing instead.
void report_html_cell(const struct probe_result *result, const char *label, struct buf *html);
void report_html_glance(const struct probe_run *run, struct buf *html); // a square for each case, its worst
void report_html_matrix(const struct probe_report *report, struct buf *html);
void report_html_findings(const struct probe_report *report, struct buf *html);

#endif
