// SPDX-License-Identifier: Apache-2.0
#include "base/parallel.h"

#include "base/mem.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

struct job {
    parallel_work *work;
    void *arg;
    size_t count;
    atomic_size_t next;
    atomic_size_t done;
    atomic_size_t running; // threads that have not returned yet
    pthread_mutex_t lock;  // guards `first`
    struct err first;
};

static void job_fail(struct job *job, const struct err *e)
{
    pthread_mutex_lock(&job->lock);
    if (!err_is_set(&job->first)) {
        job->first = *e;
    }
    pthread_mutex_unlock(&job->lock);
    atomic_store(&job->next, job->count); // hand out no more
}

static void *job_run(void *arg)
{
    struct job *job = arg;
    for (;;) {
        size_t i = atomic_fetch_add(&job->next, 1);
        if (i >= job->count) {
            break;
        }
        struct err e = ERR_INIT;
        if (job->work(job->arg, i, &e) != 0) {
            job_fail(job, &e);
            break;
        }
        atomic_fetch_add(&job->done, 1);
    }
    atomic_fetch_sub(&job->running, 1);
    return NULL;
}

static size_t core_count(void)
{
    long n = sysconf(_SC_NPROCESSORS_ONLN);
    return n < 1 ? 1 : n > 64 ? 64 : (size_t)n;
}

static void watch(struct job *job, parallel_progress *progress)
{
    const struct timespec tenth = {.tv_nsec = 100000000};
    while (progress != NULL && atomic_load(&job->running) > 0) {
        nanosleep(&tenth, NULL);
        progress(job->arg, atomic_load(&job->done), job->count);
    }
}

int parallel_for(size_t count, parallel_work *work, parallel_progress *progress, void *arg, struct err *e)
{
    struct job job = {.work = work, .arg = arg, .count = count, .lock = PTHREAD_MUTEX_INITIALIZER, .first = ERR_INIT};
    size_t wanted = core_count() < count ? core_count() : count;
    pthread_t *threads = mem_array(wanted, sizeof *threads);
    size_t started = 0;
    for (; wanted > 1 && started < wanted; started++) {
        atomic_fetch_add(&job.running, 1);
        if (pthread_create(&threads[started], NULL, job_run, &job) != 0) {
            atomic_fetch_sub(&job.running, 1);
            break;
        }
    }
    if (started == 0) {
        atomic_fetch_add(&job.running, 1);
        job_run(&job);
    }
    watch(&job, started > 0 ? progress : NULL);
    for (size_t i = 0; i < started; i++) {
        pthread_join(threads[i], NULL);
    }
    free(threads);
    pthread_mutex_destroy(&job.lock);
    if (err_is_set(&job.first)) {
        if (!err_is_set(e)) {
            *e = job.first;
        }
        return -1;
    }
    return 0;
}
