// SPDX-License-Identifier: Apache-2.0
// What the command line asks for: which reports, and where they go. Standard output gets one of them, the table or the
// JSON; the others are files.
#include "base/file.h"
#include "base/print.h"
#include "probe/report_internal.h"

#include <string.h>

int probe_reporter_init(struct probe_reporter *r, const struct probe_report_options *options, struct err *e)
{
    *r = (struct probe_reporter){.options = options, .live = {.to = stdout}};
    if (advice_server_find(options->server, &r->server, e) != 0) {
        return -1;
    }
    if (options->baseline != NULL && probe_report_read(options->baseline, &r->baseline, e) != 0) {
        return -1;
    }
    if (!options->json) {
        r->observer = probe_report_live(&r->live);
    } else {
        r->live.to = stderr; // the bar alone, if that is a terminal
        r->observer = probe_report_bar(&r->live);
    }
    return 0;
}

static int write_report(const char *path, struct buf *text, struct err *e)
{
    int rc = file_write(path, buf_span(text), FILE_PUBLIC, e);
    buf_clear(text);
    return rc;
}

static int write_reports(const struct probe_report *report, const struct probe_report_options *o, struct err *e)
{
    struct buf text = {0};
    if (o->html != NULL) {
        probe_report_html(report, &text);
        if (write_report(o->html, &text, e) != 0) {
            return -1;
        }
    }
    if (o->junit != NULL) {
        probe_report_junit(report, &text);
        if (write_report(o->junit, &text, e) != 0) {
            return -1;
        }
    }
    if (o->json) {
        return json_print(stdout, probe_report_json(report), e);
    }
    probe_report_text(report, stdout);
    return fflush(stdout) == 0 ? 0 : err_errno(e, "writing the report");
}

int probe_reporter_end(struct probe_reporter *r, const struct probe_run *run, int *code, struct err *e)
{
    struct probe_report report = {
        .runs = {run},
        .run_count = 1,
        .baseline = r->options->baseline != NULL ? &r->baseline : NULL,
        .server = r->server,
    };
    if (r->options->baseline != NULL && r->baseline.of_client != run->of_client) {
        return err_set(e, "%s is the run of a %s, this one of a %s", r->options->baseline,
                       r->baseline.of_client ? "client" : "server", run->of_client ? "client" : "server");
    }
    progress_end(r->live.to); // fewer results may have come than were expected
    *code = probe_report_exit(&report);
    return write_reports(&report, r->options, e);
}

void probe_reporter_clear(struct probe_reporter *r)
{
    probe_run_clear(&r->baseline);
}

int probe_report_compare(const struct probe_report_options *options, const char *a, const char *b, int *code,
                         struct err *e)
{
    struct probe_run runs[2] = {{0}, {0}};
    struct probe_report report = {.runs = {&runs[0], &runs[1]}, .run_count = 2};
    int rc = -1;
    if (options->junit != NULL || options->baseline != NULL) {
        return err_usage(e, "--junit and --baseline are for one run, not with --compare");
    }
    if (advice_server_find(options->server, &report.server, e) == 0 && probe_report_read(a, &runs[0], e) == 0 &&
        probe_report_read(b, &runs[1], e) == 0) {
        if (runs[0].of_client != runs[1].of_client) {
            rc = err_set(e, "%s and %s: one is the run of a client, the other of a server", a, b);
            goto out;
        }
        *code = probe_report_exit(&report);
        rc = write_reports(&report, options, e);
    }
out:
    probe_run_clear(&runs[0]);
    probe_run_clear(&runs[1]);
    return rc;
}
