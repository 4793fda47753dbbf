// SPDX-License-Identifier: Apache-2.0
// The table that grows while a run goes on: a line for each result, and on a terminal a bar below it.
#include "base/print.h"
#include "probe/report_internal.h"

#include <string.h>

enum { CONTROL_WIDTH = sizeof "(good certificate)" - 1 };

static int token_width(void)
{
    size_t widest = CONTROL_WIDTH;
    for (size_t i = 0; probe_case_at(i) != NULL; i++) {
        size_t width = strlen(probe_case_at(i)->token);
        widest = width > widest ? width : widest;
    }
    return (int)widest;
}

static enum colour colour_of(const struct probe_result *r)
{
    switch (r->verdict) {
    case PROBE_GOOD: return COLOUR_GREEN;
    case PROBE_FINDING: return COLOUR_RED;
    case PROBE_INCONCLUSIVE: return COLOUR_YELLOW;
    default: return COLOUR_DIM;
    }
}

static void show_bar(void *arg, const struct probe_run *run, const struct probe_result *r, size_t total)
{
    struct probe_report_live *live = arg;
    (void)r;
    progress_show(live->to, "probing", run->count, total);
    if (run->count >= total) {
        progress_end(live->to);
    }
}

static void show(void *arg, const struct probe_run *run, const struct probe_result *r, size_t total)
{
    struct probe_report_live *live = arg;
    struct buf seen = {0};
    int width = token_width();
    progress_end(live->to);
    if (!live->headed) {
        print_coloured(live->to, COLOUR_BOLD, "%-*s  TLS  %-21s  %-38s  VERDICT", width, "CASE", "EXPECTED", "SEEN");
        fputc('\n', live->to);
        live->headed = true;
    }
    report_seen(&seen, r);
    char control[32];
    snprintf(control, sizeof control, "(%s)", report_good(run));
    fprintf(live->to, "%-*s  %-3s  %-21s  %-38s  ", width, r->of == NULL ? control : r->of->token, r->version,
            r->of == NULL ? "served" : reason_token(r->of->reason), (const char *)seen.data);
    print_coloured(live->to, colour_of(r), "%s", report_verdict(r->verdict));
    fputc('\n', live->to);
    show_bar(live, run, r, total);
    buf_clear(&seen);
}

struct probe_observer probe_report_live(struct probe_report_live *live)
{
    return (struct probe_observer){.arg = live, .result = show};
}

struct probe_observer probe_report_bar(struct probe_report_live *live)
{
    return (struct probe_observer){.arg = live, .result = show_bar};
}
