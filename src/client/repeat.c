// SPDX-License-Identifier: Apache-2.0
// The same call many times, several at a time, and what came of them.
#include "base/clock.h"
#include "client/internal.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

struct job {
    const struct client_call *call;
    struct client_summary *summary;
    uint64_t *took_us; // of those that were served
    atomic_size_t next;
    size_t count;
    pthread_mutex_t lock; // guards the summary and took_us
};

// What came of a call, in words that are the same for the same.
static void name_outcome(const struct client_result *result, char *name, size_t size)
{
    switch (result->outcome) {
    case CLIENT_SERVED: snprintf(name, size, result->status > 0 ? "served: HTTP %d" : "served", result->status); return;
    case CLIENT_REFUSED_BY_US:
        snprintf(name, size, "we refused the server: %s", reason_token(result->verdict.reason));
        return;
    case CLIENT_REFUSED_BY_SERVER:
        if (result->alert >= 0) {
            snprintf(name, size, "the server refused us: alert %s", alert_name(result->alert));
            return;
        }
        break;
    case CLIENT_FAILED: break;
    }
    snprintf(name, size, "%s", result->failure.text);
}

static void tally(struct client_summary *summary, const struct client_result *result)
{
    char name[sizeof result->failure.text];
    name_outcome(result, name, sizeof name);
    size_t i = 0;
    while (i < summary->outcome_count && strcmp(summary->outcomes[i].name, name) != 0) {
        i++;
    }
    if (i == summary->outcome_count) {
        summary->outcomes = mem_grow(summary->outcomes, &summary->outcome_cap, sizeof *summary->outcomes, i + 1);
        summary->outcomes[i] = (struct client_tally){.name = mem_strdup(name), .outcome = result->outcome};
        summary->outcome_count++;
    }
    summary->outcomes[i].count++;
}

static void add(struct job *job, struct client_result *result, struct tls_session **session)
{
    struct client_summary *summary = job->summary;
    pthread_mutex_lock(&job->lock);
    tally(summary, result);
    summary->resumed += result->resumed;
    if (result->outcome == CLIENT_SERVED) {
        job->took_us[summary->served++] = result->took_us;
    }
    pthread_mutex_unlock(&job->lock);
    if (result->session != NULL) {
        tls_session_free(*session);
        *session = result->session;
        result->session = NULL;
    }
}

// Each thread resumes the session that its own call before left; the first is the caller's.
static void *work(void *arg)
{
    struct job *job = arg;
    struct tls_session *session = NULL;
    while (atomic_fetch_add(&job->next, 1) < job->count) {
        struct client_call call = *job->call;
        struct client_result result;
        call.session = session != NULL ? session : call.session;
        client_fetch(&call, &result);
        add(job, &result, &session);
        client_result_clear(&result);
    }
    pthread_mutex_lock(&job->lock);
    if (job->summary->session == NULL) {
        job->summary->session = session;
        session = NULL;
    }
    pthread_mutex_unlock(&job->lock);
    tls_session_free(session);
    return NULL;
}

static int compare_us(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a;
    uint64_t y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

// The nearest rank: the smallest value that at least `percent` of all are not above.
static uint64_t percentile(const uint64_t *sorted, size_t count, size_t percent)
{
    size_t rank = (count * percent + 99) / 100;
    return count == 0 ? 0 : sorted[rank > 0 ? rank - 1 : 0];
}

static int compare_outcomes(const void *a, const void *b)
{
    const struct client_tally *x = a;
    const struct client_tally *y = b;
    return x->outcome != y->outcome ? (x->outcome < y->outcome ? -1 : 1)
           : x->count != y->count   ? (x->count > y->count ? -1 : 1)
                                    : strcmp(x->name, y->name);
}

static void sum_up(struct client_summary *summary, uint64_t *took_us)
{
    size_t n = summary->served;
    qsort(took_us, n, sizeof *took_us, compare_us);
    summary->min_us = percentile(took_us, n, 0);
    summary->median_us = percentile(took_us, n, 50);
    summary->p99_us = percentile(took_us, n, 99);
    qsort(summary->outcomes, summary->outcome_count, sizeof *summary->outcomes, compare_outcomes);
}

int client_repeat(const struct client_call *call, size_t count, size_t parallel, struct client_summary *summary,
                  struct err *e)
{
    struct job job = {.call = call, .summary = summary, .count = count, .lock = PTHREAD_MUTEX_INITIALIZER};
    size_t wanted = parallel < count ? parallel : count;
    pthread_t *threads = mem_array(wanted, sizeof *threads);
    size_t started = 0;
    uint64_t start = clock_monotonic_us();
    *summary = (struct client_summary){.count = count};
    job.took_us = mem_array(count, sizeof *job.took_us);
    while (started < wanted && pthread_create(&threads[started], NULL, work, &job) == 0) {
        started++;
    }
    for (size_t i = 0; i < started; i++) {
        pthread_join(threads[i], NULL);
    }
    summary->took_us = clock_monotonic_us() - start;
    sum_up(summary, job.took_us);
    free(job.took_us);
    free(threads);
    pthread_mutex_destroy(&job.lock);
    return started > 0 ? 0 : err_set(e, "no thread can be started");
}

void client_summary_clear(struct client_summary *summary)
{
    for (size_t i = 0; i < summary->outcome_count; i++) {
        free(summary->outcomes[i].name);
    }
    free(summary->outcomes);
    tls_session_free(summary->session);
    *summary = (struct client_summary){0};
}
