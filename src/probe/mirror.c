// SPDX-License-Identifier: Apache-2.0
// A run of the mirror: controls, then the flaws in batches with controls between them.
#include "probe/mirror.h"

#include "base/clock.h"
#include "base/text.h"
#include "probe/internal.h"
#include "probe/mirror_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BATCH = 24 };

struct mirror_case {
    const struct case_row *row;
    unsigned version;
};

struct mirror {
    const struct mirror_options *options;
    const struct probe_observer *observer; // or NULL
    const char *host;
    struct mirror_pki pki;
    struct probe_run *run;
    enum control_state controls[TESTED_VERSIONS];
    struct mirror_case *cases;
    size_t count, cap;
    size_t next, batch_end; // under the lock, as is the run
    size_t total;
    pthread_mutex_t lock;
    struct err failure; // the client cannot be run; under the lock
};

static const unsigned tested[TESTED_VERSIONS] = {VERSION_1_2, VERSION_1_3};

static enum control_state *control_of(struct mirror *m, unsigned version)
{
    return &m->controls[version == VERSION_1_2 ? 0 : 1];
}

static void add_result(struct mirror *m, const struct probe_case *of, unsigned version, const struct outcome *o,
                       enum probe_verdict verdict, const char *why)
{
    struct probe_run *run = m->run;
    char *detail = mem_printf("%s%s%s", o->detail, why != NULL ? "; " : "", why != NULL ? why : "");
    pthread_mutex_lock(&m->lock);
    run->results = mem_grow(run->results, &run->cap, sizeof *run->results, run->count + 1);
    struct probe_result *r = &run->results[run->count++];
    *r = (struct probe_result){.of = of,
                               .seen = o->seen,
                               .completed = o->completed,
                               .alert = o->alert,
                               .verdict = verdict,
                               .took_us = o->took_us,
                               .detail = detail};
    snprintf(r->version, sizeof r->version, "%s", version_word(version));
    if (m->observer != NULL) {
        m->observer->result(m->observer->arg, run, r, m->total > run->count ? m->total : run->count);
    }
    pthread_mutex_unlock(&m->lock);
}

// --- one run of the client ---

static void note_failure(struct mirror *m, const struct err *e)
{
    pthread_mutex_lock(&m->lock);
    if (!err_is_set(&m->failure)) {
        m->failure = *e;
    }
    pthread_mutex_unlock(&m->lock);
}

static int run_client(const struct mirror *m, const struct mirror_server *server, struct tls_context *context,
                      struct outcome *o, struct err *e)
{
    char *url = mem_printf("https://%s:%s/", m->host, server->port);
    const struct mirror_word words[] = {{"url", url},
                                        {"host", m->host},
                                        {"port", server->port},
                                        {"ca", m->pki.anchors},
                                        {"crl", m->pki.lists},
                                        {"cert", m->pki.certificate != NULL ? m->pki.certificate : ""},
                                        {"key", m->pki.key != NULL ? m->pki.key : ""},
                                        {NULL, NULL}};
    struct mirror_process client;
    struct mirror_seen seen;
    uint64_t started = clock_monotonic_us();
    int rc = mirror_process_start(&client, m->options->command, words, e);
    if (rc == 0) {
        mirror_server_run(server, context, &client, started + (uint64_t)m->options->timeout_ms * 1000, &seen);
        mirror_judge(&seen, &client, o);
        mirror_process_stop(&client);
        o->took_us = clock_monotonic_us() - started;
        // A client without this version is told so by us: its hello offers nothing that we have.
        if (seen.alert_sent == ALERT_PROTOCOL_VERSION && !seen.completed) {
            o->hello = false;
            o->alert = ALERT_PROTOCOL_VERSION;
            outcome_set(o, PROBE_REFUSED, "the client does not offer this version");
        }
    }
    free(url);
    return rc;
}

// The client meets a server that presents the entry.
static void meet(struct mirror *m, const char *entry, unsigned version, struct outcome *o)
{
    struct err e = ERR_INIT;
    struct mirror_server server;
    *o = (struct outcome){.alert = TLS_ALERT_NONE};
    struct tls_context *context = mirror_pki_context(&m->pki, entry, version, &e);
    if (context == NULL) {
        outcome_set(o, PROBE_NOT_RUN, "this cannot be presented: %s", e.text);
        return;
    }
    if (mirror_server_open(&server, &e) == 0) {
        if (run_client(m, &server, context, o, &e) != 0) {
            note_failure(m, &e);
        }
        mirror_server_close(&server);
    }
    if (err_is_set(&e)) {
        outcome_set(o, PROBE_NOT_RUN, "%s", e.text);
    }
    tls_context_free(context);
}

// --- one case ---

// Refused is only refused for its flaw if its like without the flaw is talked to.
static enum probe_verdict check_control(struct mirror *m, const struct mirror_case *c, struct outcome *wrong)
{
    struct outcome control;
    char before[sizeof wrong->detail];
    char *entry = mem_printf("flaws/server-%s/control", c->row->shown.token);
    meet(m, entry, c->version, &control);
    free(entry);
    if (control_judge(&control) == *control_of(m, c->version)) {
        return PROBE_GOOD;
    }
    memcpy(before, wrong->detail, sizeof before);
    outcome_set(wrong, wrong->seen, "%.140s; but so was the same server without the fault: %.140s", before,
                control.detail);
    return PROBE_INCONCLUSIVE;
}

static void run_case(struct mirror *m, const struct mirror_case *c)
{
    struct outcome o = {.alert = TLS_ALERT_NONE};
    const char *why = NULL;
    char *entry = mem_printf("flaws/server-%s", c->row->shown.token);
    if (*control_of(m, c->version) == CONTROL_NO_SUCH_VERSION) {
        outcome_set(&o, PROBE_NOT_RUN, "the client does not offer this version");
    } else {
        meet(m, entry, c->version, &o);
    }
    enum probe_verdict verdict = outcome_judge(&o, *control_of(m, c->version), &why);
    if (o.seen == PROBE_NOT_RUN && !o.doubtful) {
        verdict = PROBE_SKIPPED; // the detail says why
        why = NULL;
    } else if (verdict == PROBE_GOOD) {
        verdict = check_control(m, c, &o);
    }
    add_result(m, &c->row->shown, c->version, &o, verdict, why);
    free(entry);
}

static void *work(void *arg)
{
    struct mirror *m = arg;
    for (;;) {
        pthread_mutex_lock(&m->lock);
        bool more = m->next < m->batch_end && !err_is_set(&m->failure);
        size_t i = more ? m->next++ : 0;
        pthread_mutex_unlock(&m->lock);
        if (!more) {
            return NULL;
        }
        run_case(m, &m->cases[i]);
    }
}

// --- the run ---

// True: every version that the client has is as it was.
static bool run_controls(struct mirror *m, bool first)
{
    bool good = true;
    bool any = false;
    for (size_t i = 0; i < TESTED_VERSIONS; i++) {
        struct outcome o;
        if ((m->options->versions & tested[i]) == 0 || (!first && m->controls[i] == CONTROL_NO_SUCH_VERSION)) {
            continue;
        }
        meet(m, m->pki.host_entry, tested[i], &o);
        enum control_state state = control_judge(&o);
        if (first) {
            m->controls[i] = state;
        }
        bool absent = state == CONTROL_NO_SUCH_VERSION;
        bool same = state != CONTROL_NONE && state == m->controls[i];
        good = good && same;
        any = any || (same && !absent);
        add_result(m, NULL, tested[i], &o, !same ? PROBE_INCONCLUSIVE : absent ? PROBE_SKIPPED : PROBE_GOOD, NULL);
    }
    return first ? any : good;
}

static void run_batch(struct mirror *m)
{
    enum { MOST = 64 };
    pthread_t threads[MOST];
    size_t started = 0;
    m->batch_end = m->count - m->next < BATCH ? m->count : m->next + BATCH;
    while (started + 1 < (size_t)m->options->parallel && started < MOST &&
           pthread_create(&threads[started], NULL, work, m) == 0) {
        started++;
    }
    work(m);
    for (size_t i = 0; i < started; i++) {
        pthread_join(threads[i], NULL);
    }
}

// The control after them failed: who knows since when.
static void doubt(struct probe_run *run, size_t from)
{
    for (size_t i = from; i < run->count; i++) {
        if (run->results[i].of != NULL && run->results[i].verdict == PROBE_GOOD) {
            run->results[i].verdict = PROBE_INCONCLUSIVE;
        }
    }
}

static void run_cases(struct mirror *m)
{
    bool good = run_controls(m, true);
    while (good && m->next < m->count && !err_is_set(&m->failure)) {
        size_t before = m->run->count;
        run_batch(m);
        good = run_controls(m, false);
        if (!good) {
            doubt(m->run, before);
        }
    }
    for (; m->next < m->count && !err_is_set(&m->failure); m->next++) {
        struct outcome o = {.alert = TLS_ALERT_NONE};
        outcome_set(&o, PROBE_NOT_RUN, "the client does not talk to the good server");
        add_result(m, &m->cases[m->next].row->shown, m->cases[m->next].version, &o, PROBE_SKIPPED, NULL);
    }
}

static bool is_wanted(const struct mirror_options *options, const char *token)
{
    for (size_t i = 0; i < options->only_count; i++) {
        if (strcmp(options->only[i], token) == 0) {
            return true;
        }
    }
    return options->only_count == 0;
}

static bool is_of_servers(const struct case_row *row)
{
    return row->flaw >= 0 && (flaw_info((enum flaw)row->flaw)->sides & FLAW_SERVER) != 0;
}

static int plan_cases(struct mirror *m, struct err *e)
{
    const struct mirror_options *o = m->options;
    const struct case_row *row = NULL;
    for (size_t i = 0; (row = case_row_at(i)) != NULL; i++) {
        for (size_t v = 0; is_of_servers(row) && is_wanted(o, row->shown.token) && v < TESTED_VERSIONS; v++) {
            if ((o->versions & tested[v]) != 0) {
                m->cases = mem_grow(m->cases, &m->cap, sizeof *m->cases, m->count + 1);
                m->cases[m->count++] = (struct mirror_case){row, tested[v]};
            }
        }
    }
    for (size_t i = 0; i < o->only_count; i++) {
        const struct probe_case *c = probe_case_find(o->only[i]);
        enum flaw flaw;
        if (c == NULL || !flaw_find(c->token, &flaw) || (flaw_info(flaw)->sides & FLAW_SERVER) == 0) {
            return err_usage(e, "there is no case \"%s\" of servers", o->only[i]);
        }
    }
    m->total = m->count + (size_t)TESTED_VERSIONS * ((m->count + BATCH - 1) / BATCH + 1);
    return 0;
}

static char *describe(const char *const *command)
{
    struct buf text = {0};
    for (size_t i = 0; command[i] != NULL; i++) {
        buf_printf(&text, "%s%s", i > 0 ? " " : "", command[i]);
    }
    return (char *)text.data;
}

int probe_client(const struct mirror_options *options, const struct probe_observer *observer, struct probe_run *run,
                 struct err *e)
{
    struct mirror m = {.options = options, .observer = observer, .run = run, .lock = PTHREAD_MUTEX_INITIALIZER};
    m.host = options->host != NULL ? options->host : "localhost";
    run->verdict = PROBE_INCONCLUSIVE;
    run->target = describe(options->command);
    run->of_client = true;
    run->at = clock_now();
    int rc = plan_cases(&m, e);
    if (rc == 0) {
        rc = mirror_pki_open(&m.pki, options->pki, m.host, e);
    }
    if (rc == 0) {
        run_cases(&m);
        run->verdict = run_judge(run, &run->why);
    }
    if (rc == 0 && err_is_set(&m.failure)) {
        *e = m.failure;
        rc = -1;
    }
    mirror_pki_close(&m.pki);
    free(m.cases);
    pthread_mutex_destroy(&m.lock);
    return rc;
}
