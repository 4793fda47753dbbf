// SPDX-License-Identifier: Apache-2.0
// A run: controls, then the cases in batches with controls between them, then controls.
#include "base/clock.h"
#include "base/text.h"
#include "probe/internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { BATCH = 16, SILENCE_SHARE = 8 };

struct attempt {
    const struct case_row *row;
    unsigned version;
};

struct plan {
    struct attempt *attempts;
    size_t count, cap;
};

struct batch {
    struct prober *prober;
    const struct attempt *attempts;
    size_t count;
    size_t next; // under the prober's lock
};

static const unsigned tested[TESTED_VERSIONS] = {VERSION_1_2, VERSION_1_3};

// --- the run and its results ---

void probe_run_clear(struct probe_run *run)
{
    for (size_t i = 0; i < run->count; i++) {
        free(run->results[i].detail);
    }
    free(run->results);
    free(run->target);
    free(run->why);
    *run = (struct probe_run){0};
}

int probe_run_exit(const struct probe_run *run)
{
    switch (run->verdict) {
    case PROBE_GOOD: return 0;
    case PROBE_FINDING: return ERR_REFUSED;
    default: return ERR_ENVIRONMENT;
    }
}

static void add_result(struct prober *p, const struct probe_case *of, unsigned version, const struct outcome *o,
                       enum probe_verdict verdict, const char *why)
{
    struct probe_run *run = p->run;
    struct buf detail = {0};
    char *text =
        why == NULL ? mem_strdup(o->detail) : mem_printf("%s%s%s", o->detail, o->detail[0] != '\0' ? "; " : "", why);
    text_escape(&detail, text, strlen(text), 600);
    free(text);
    pthread_mutex_lock(&p->lock);
    run->results = mem_grow(run->results, &run->cap, sizeof *run->results, run->count + 1);
    struct probe_result *r = &run->results[run->count++];
    *r = (struct probe_result){.of = of,
                               .seen = o->seen,
                               .completed = o->completed,
                               .alert = o->alert,
                               .status = o->status,
                               .verdict = verdict,
                               .took_us = o->took_us,
                               .detail = (char *)detail.data};
    snprintf(r->version, sizeof r->version, "%s", version_word(version));
    if (p->observer != NULL) {
        p->observer->result(p->observer->arg, run, r, p->total > run->count ? p->total : run->count);
    }
    pthread_mutex_unlock(&p->lock);
}

// --- connections ---

void prober_wait(struct prober *p)
{
    uint64_t now = clock_monotonic_us();
    pthread_mutex_lock(&p->lock);
    uint64_t start = p->next_start > now ? p->next_start : now;
    p->next_start = p->options->rate > 0 ? start + 1000000 / (uint64_t)p->options->rate : 0;
    p->connections++;
    pthread_mutex_unlock(&p->lock);
    if (start <= now) {
        return;
    }
    const struct timespec pause = {.tv_sec = (time_t)((start - now) / 1000000),
                                   .tv_nsec = (long)((start - now) % 1000000) * 1000};
    nanosleep(&pause, NULL);
}

void prober_dial(struct prober *p, const struct identity *identity, unsigned version, struct outcome *outcome)
{
    struct err e = ERR_INIT;
    struct dial_target target = p->target;
    struct dial dial;
    struct tls_context *context = identity_context(p->identities, identity, version, &e);
    if (context == NULL) {
        *outcome = (struct outcome){.doubtful = true, .alert = TLS_ALERT_NONE};
        outcome_set(outcome, PROBE_NOT_RUN, "this cannot be presented: %s", e.text);
        return;
    }
    // Those who are not refused would each take as long as the whole deadline.
    if (prober_control(p, version) == CONTROL_SILENT) {
        target.silence_ms = target.timeout_ms / SILENCE_SHARE > 100 ? target.timeout_ms / SILENCE_SHARE : 100;
    }
    prober_wait(p);
    if (dial_open(&dial, &target, context, target.name, outcome)) {
        dial_ask(&dial, false);
    }
    dial_close(&dial);
    tls_context_free(context);
}

enum control_state prober_control(const struct prober *p, unsigned version)
{
    return p->controls[version == VERSION_1_2 ? 0 : 1];
}

// --- one case ---

static void not_run(struct prober *p, const struct attempt *a, const char *why)
{
    struct outcome o = {.seen = PROBE_NOT_RUN, .alert = TLS_ALERT_NONE};
    outcome_set(&o, PROBE_NOT_RUN, "%s", why);
    add_result(p, &a->row->shown, a->version, &o, PROBE_SKIPPED, NULL);
}

// What the target cannot know of: lists that only a PKI publishes.
static bool is_secret(const struct prober *p, const struct case_row *row)
{
    return p->options->source.pki == NULL && strcmp(row->shown.group, "revocation") == 0;
}

static void run_flaw(struct prober *p, const struct attempt *a)
{
    enum flaw flaw = (enum flaw)a->row->flaw;
    struct outcome o;
    const char *why = NULL;
    if (is_secret(p, a->row)) {
        not_run(p, a, "the target cannot know of it: it takes a PKI whose lists it has (--pki)");
        return;
    }
    const struct identity *identity = identities_flaw(p->identities, flaw, false, &why);
    if (identity == NULL) {
        not_run(p, a, why);
        return;
    }
    prober_dial(p, identity, a->version, &o);
    if (flaw == FLAW_weak_curve && o.seen == PROBE_NOT_RUN) {
        not_run(p, a, "this version of TLS has no way to sign with such a key");
        return;
    }
    enum probe_verdict verdict = outcome_judge(&o, prober_control(p, a->version), &why);
    bool own_control =
        flaw != FLAW_no_certificate && (p->options->source.pki != NULL || identities_can_mint(p->identities));
    if (verdict == PROBE_GOOD && own_control) {
        verdict = control_check(p, flaw, a->version, &o);
    }
    add_result(p, &a->row->shown, a->version, &o, verdict, why);
}

static void run_case(struct prober *p, const struct attempt *a)
{
    struct outcome o = {.alert = TLS_ALERT_NONE};
    const char *why = NULL;
    bool hello_only = (a->version & (VERSION_1_0 | VERSION_1_1)) != 0;
    if (!hello_only && prober_control(p, a->version) == CONTROL_NO_SUCH_VERSION) {
        not_run(p, a, "the target does not offer this version");
    } else if (a->row->flaw >= 0) {
        run_flaw(p, a);
    } else {
        a->row->run(p, a->version, &o);
        enum control_state control = hello_only ? CONTROL_ANSWERS : prober_control(p, a->version);
        enum probe_verdict verdict = outcome_judge(&o, control, &why);
        add_result(p, &a->row->shown, a->version, &o, verdict, why);
    }
}

// --- controls ---

static bool control(struct prober *p, size_t i, bool first)
{
    struct outcome o;
    prober_dial(p, identities_good(p->identities), tested[i], &o);
    enum control_state state = control_judge(&o);
    bool absent = state == CONTROL_NO_SUCH_VERSION && (first || p->controls[i] == state);
    bool good = state != CONTROL_NONE && (first || p->controls[i] == state);
    if (first) {
        p->controls[i] = state;
    }
    add_result(p, NULL, tested[i], &o,
               absent ? PROBE_SKIPPED
               : good ? PROBE_GOOD
                      : PROBE_INCONCLUSIVE,
               absent ? "the target does not offer this version" : NULL);
    return good;
}

// All those that are let in, of the versions that are there. False: one was not.
static bool run_controls(struct prober *p, bool first)
{
    bool good = true;
    bool any = false;
    for (size_t i = 0; i < TESTED_VERSIONS; i++) {
        if ((p->options->versions & tested[i]) == 0 || (!first && p->controls[i] == CONTROL_NO_SUCH_VERSION)) {
            continue;
        }
        good = control(p, i, first) && good;
        any = any || p->controls[i] == CONTROL_ANSWERS || p->controls[i] == CONTROL_SILENT;
    }
    return first ? any : good;
}

// --- batches ---

static void *run_batch_thread(void *arg)
{
    struct batch *b = arg;
    for (;;) {
        pthread_mutex_lock(&b->prober->lock);
        size_t i = b->next++;
        pthread_mutex_unlock(&b->prober->lock);
        if (i >= b->count) {
            return NULL;
        }
        run_case(b->prober, &b->attempts[i]);
    }
}

static void run_batch(struct prober *p, const struct attempt *attempts, size_t count)
{
    struct batch batch = {.prober = p, .attempts = attempts, .count = count};
    size_t wanted = (size_t)p->options->parallel < count ? (size_t)p->options->parallel : count;
    pthread_t *threads = mem_array(wanted, sizeof *threads);
    size_t started = 0;
    while (started + 1 < wanted && pthread_create(&threads[started], NULL, run_batch_thread, &batch) == 0) {
        started++;
    }
    run_batch_thread(&batch);
    for (size_t i = 0; i < started; i++) {
        pthread_join(threads[i], NULL);
    }
    free(threads);
}

// The control after them was not served: who knows since when.
static void doubt(struct probe_run *run, size_t from)
{
    for (size_t i = from; i < run->count; i++) {
        if (run->results[i].of != NULL && run->results[i].verdict == PROBE_GOOD) {
            run->results[i].verdict = PROBE_INCONCLUSIVE;
            char *old = run->results[i].detail;
            run->results[i].detail = mem_printf("%s; but soon after, the good certificate was not served either", old);
            free(old);
        }
    }
}

// What takes a while to become wrong.
static void prepare(struct prober *p, const struct plan *plan)
{
    for (size_t i = 0; i < plan->count; i++) {
        const struct attempt *a = &plan->attempts[i];
        if (a->row->run == case_resumed_expired && prober_control(p, a->version) != CONTROL_NO_SUCH_VERSION) {
            expiry_prepare(p, a->version);
        }
    }
}

static void run_plan(struct prober *p, const struct plan *plan)
{
    bool served = run_controls(p, true);
    if (served && identities_can_mint(p->identities)) {
        prepare(p, plan);
    }
    for (size_t at = 0; at < plan->count; at += BATCH) {
        size_t count = plan->count - at < BATCH ? plan->count - at : BATCH;
        size_t before = p->run->count;
        if (served) {
            size_t connections = p->connections;
            run_batch(p, plan->attempts + at, count);
            served = p->connections == connections || run_controls(p, false);
            if (!served) {
                doubt(p->run, before);
            }
        } else {
            for (size_t i = at; i < at + count; i++) {
                not_run(p, &plan->attempts[i], "the good certificate is not served");
            }
        }
    }
}

// --- what there is to do ---

static bool is_wanted(const struct probe_options *options, const char *token)
{
    for (size_t i = 0; i < options->only_count; i++) {
        if (strcmp(options->only[i], token) == 0) {
            return true;
        }
    }
    return options->only_count == 0;
}

// RSA keys take long to make: whoever waits for one is tried when the others are through.
static bool is_slow(const struct case_row *row)
{
    return row->flaw == FLAW_rsa_1024 || row->flaw == FLAW_md5_signature;
}

static void plan_make(const struct probe_options *options, struct plan *plan)
{
    for (int slow = 0; slow < 2; slow++) {
        const struct case_row *row = NULL;
        for (size_t i = 0; (row = case_row_at(i)) != NULL; i++) {
            unsigned versions = row->versions & (options->versions | VERSION_1_0 | VERSION_1_1);
            for (unsigned v = 1; v <= VERSION_1_1; v <<= 1) {
                if ((versions & v) != 0 && is_slow(row) == (slow == 1) && is_wanted(options, row->shown.token)) {
                    plan->attempts = mem_grow(plan->attempts, &plan->cap, sizeof *plan->attempts, plan->count + 1);
                    plan->attempts[plan->count++] = (struct attempt){row, v};
                }
            }
        }
    }
}

int probe_server(const struct probe_options *options, const struct probe_observer *observer, struct probe_run *run,
                 struct err *e)
{
    struct prober p = {.options = options,
                       .observer = observer,
                       .run = run,
                       .lock = PTHREAD_MUTEX_INITIALIZER,
                       .revocation_lock = PTHREAD_MUTEX_INITIALIZER};
    struct plan plan = {0};
    run->verdict = PROBE_INCONCLUSIVE;
    for (size_t i = 0; i < options->only_count; i++) {
        if (probe_case_find(options->only[i]) == NULL) {
            return err_usage(e, "there is no case \"%s\"; mtls probe --list names them", options->only[i]);
        }
    }
    if (target_find(options, &p.target, e) != 0) {
        return -1;
    }
    p.identities = identities_new(options, e);
    if (p.identities == NULL) {
        return -1;
    }
    bool ipv6 = strchr(options->host, ':') != NULL;
    run->target = mem_printf("%s%s%s:%s", ipv6 ? "[" : "", options->host, ipv6 ? "]" : "", options->port);
    run->at = clock_now();
    plan_make(options, &plan);
    p.total = plan.count + (size_t)TESTED_VERSIONS * ((plan.count + BATCH - 1) / BATCH + 1);
    run_plan(&p, &plan);
    run->verdict = run_judge(run, &run->why);
    free(plan.attempts);
    for (size_t i = 0; i < TESTED_VERSIONS; i++) {
        revocation_clear(&p.revocations[i]);
        expiry_clear(&p.expiries[i]);
    }
    served_shapes_clear(&p.shapes);
    identities_free(p.identities);
    pthread_mutex_destroy(&p.lock);
    pthread_mutex_destroy(&p.revocation_lock);
    return 0;
}
