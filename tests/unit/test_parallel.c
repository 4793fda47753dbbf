// SPDX-License-Identifier: Apache-2.0
#include "base/parallel.h"
#include "unit.h"

#include <stdatomic.h>

enum { COUNT = 10000, NONE = COUNT };

struct job {
    atomic_int calls[COUNT];
    size_t fails_at;
    size_t last_seen; // by progress
};

static int work(void *arg, size_t i, struct err *e)
{
    struct job *job = arg;
    atomic_fetch_add(&job->calls[i], 1);
    return i == job->fails_at ? err_set(e, "item %zu", i) : 0;
}

static void progress(void *arg, size_t done, size_t count)
{
    struct job *job = arg;
    assert_true(done <= count && count == COUNT && done >= job->last_seen);
    job->last_seen = done;
}

static void everything_is_done_once(void **state)
{
    static struct job job = {.fails_at = NONE};
    struct err e = ERR_INIT;
    (void)state;
    assert_works(parallel_for(COUNT, work, progress, &job, &e), &e);
    for (size_t i = 0; i < COUNT; i++) {
        assert_int_equal(atomic_load(&job.calls[i]), 1);
    }
}

static void a_failure_comes_back_and_stops_the_rest(void **state)
{
    static struct job job = {.fails_at = 3};
    struct err e = ERR_INIT;
    size_t done = 0;
    (void)state;
    assert_fails(parallel_for(COUNT, work, NULL, &job, &e), &e, "item 3");
    for (size_t i = 0; i < COUNT; i++) {
        done += (size_t)atomic_load(&job.calls[i]);
    }
    assert_true(done < COUNT);
}

static void one_or_none(void **state)
{
    static struct job job = {.fails_at = NONE};
    struct err e = ERR_INIT;
    (void)state;
    assert_works(parallel_for(0, work, NULL, &job, &e), &e);
    assert_works(parallel_for(1, work, NULL, &job, &e), &e);
    assert_int_equal(atomic_load(&job.calls[0]), 1);
    assert_int_equal(atomic_load(&job.calls[1]), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everything_is_done_once),
        cmocka_unit_test(a_failure_comes_back_and_stops_the_rest),
        cmocka_unit_test(one_or_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
