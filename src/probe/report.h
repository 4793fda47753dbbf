// SPDX-License-Identifier: Apache-2.0
// What a run of the probe says: on a terminal, as JSON, as JUnit XML, as one page of HTML; compared with another run.
// docs/probe.md tells what is in each. Everything that came from the target is escaped on the way out.
#ifndef MTLS_PROBE_REPORT_H
#define MTLS_PROBE_REPORT_H

#include "base/args.h"
#include "base/mem.h"
#include "probe/probe.h"

#include <jansson.h>
#include <stdio.h>

// Servers for which advice.def says what mends a finding: SERVER(word, name)
#define ADVICE_SERVERS(SERVER)                                                                                         \
    SERVER(nginx, "nginx")                                                                                             \
    SERVER(haproxy, "HAProxy")                                                                                         \
    SERVER(apache, "Apache")                                                                                           \
    SERVER(stunnel, "stunnel")                                                                                         \
    SERVER(envoy, "Envoy")                                                                                             \
    SERVER(openssl, "OpenSSL")                                                                                         \
    SERVER(go, "Go")                                                                                                   \
    SERVER(mbedtls, "mbedTLS")

enum advice_server {
#define SERVER(word, name) ADVICE_##word,
    ADVICE_SERVERS(SERVER)
#undef SERVER
        ADVICE_SERVER_COUNT, // also: all of them
};
enum advice_severity { ADVICE_LOW, ADVICE_MEDIUM, ADVICE_HIGH, ADVICE_CRITICAL };

// What a finding means for an attacker, how bad that is, and what mends it.
const char *advice_meaning(const struct probe_case *of);
enum advice_severity advice_severity(const struct probe_case *of);
const char *advice_mend(const char *group, enum advice_server server); // NULL: of the controls
const char *advice_client_meaning(const char *group); // of a client that talks to such a server; NULL: none of those
const char *advice_client_mend(const char *group);
const char *advice_severity_word(enum advice_severity severity); // "critical"
const char *advice_server_word(enum advice_server server);       // "haproxy"
const char *advice_server_name(enum advice_server server);       // "HAProxy"
// NULL gives ADVICE_SERVER_COUNT; an unknown word is a usage error that names those that there are.
int advice_server_find(const char *word, enum advice_server *found, struct err *e);

// --- a report of one run, or of two side by side ---

struct probe_report { // everything is borrowed
    const struct probe_run *runs[2];
    size_t run_count;
    const struct probe_run *baseline; // its findings are known; NULL: none is
    enum advice_server server;        // whose advice is given
};

// The run's exit code if only findings count that are not in the baseline (NULL: all count): 0, 1 or 3. Of two runs:
// that of the second, with the first as its baseline.
int probe_report_exit(const struct probe_report *report);
bool probe_report_known(const struct probe_run *baseline, const struct probe_result *finding);

void probe_report_text(const struct probe_report *report, FILE *to);
json_t *probe_report_json(const struct probe_report *report);
void probe_report_html(const struct probe_report *report, struct buf *html);
void probe_report_junit(const struct probe_report *report, struct buf *xml); // of the first run

// Reads what probe_report_json wrote of one run. `run` is {0}; clear it in any case.
int probe_report_read(const char *path, struct probe_run *run, struct err *e);
int probe_report_parse(struct span json, struct probe_run *run, struct err *e);

// --- the live table: a line for each result, and on a terminal a bar below ---

struct probe_report_live {
    FILE *to;
    bool headed;
};
struct probe_observer probe_report_live(struct probe_report_live *live); // which it borrows
struct probe_observer probe_report_bar(struct probe_report_live *live);  // the bar alone

// --- as a command wants it ---

struct probe_report_options { // what the command line says
    bool json;
    const char *junit, *html, *baseline, *server;
};
// clang-format off
#define PROBE_REPORT_OPTIONS(o)                                                                                        \
    {"json", 0, ARG_FLAG, NULL, "for scripts (docs/probe.md)", &(o)->json},                                            \
    {"junit", 0, ARG_TEXT, "FILE", "also write JUnit XML, for CI", &(o)->junit},                                       \
    {"html", 0, ARG_TEXT, "FILE", "also write a page to look at", &(o)->html},                                         \
    {"baseline", 0, ARG_TEXT, "FILE", "JSON of an earlier run: only findings that it has not count", &(o)->baseline},  \
    {"server", 0, ARG_TEXT, "NAME", "advice for nginx, haproxy, apache, stunnel, envoy, openssl, go or mbedtls only",  \
     &(o)->server}
// clang-format on

// What is open from before the run, so that a wrong option is said then, to its report.
struct probe_reporter {
    const struct probe_report_options *options;
    enum advice_server server;
    struct probe_run baseline;
    struct probe_report_live live;
    struct probe_observer observer; // give it to probe_server
};
int probe_reporter_init(struct probe_reporter *r, const struct probe_report_options *options, struct err *e);
// Prints, and writes the files that were asked for. *code is the exit code.
int probe_reporter_end(struct probe_reporter *r, const struct probe_run *run, int *code, struct err *e);
void probe_reporter_clear(struct probe_reporter *r);
// `probe --compare A B`: files of JSON.
int probe_report_compare(const struct probe_report_options *options, const char *a, const char *b, int *code,
                         struct err *e);

#endif
