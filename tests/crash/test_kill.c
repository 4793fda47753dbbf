// SPDX-License-Identifier: Apache-2.0
// kill -9 at every instant at which a command changes what is on disk: before each such call, and half-way through each
// write. What is left must be sound; and the command, run again, must end well and leave nothing unfinished.
#include "scenarios.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 60 }; // a command with more calls is killed at no more of them, evenly spread; MTLS_CRASH_ALL: at all

static size_t deaths;

static void describe(const struct world *w, uint32_t at, const char *how, char context[256])
{
    const struct fault_call *call = &w->faults->trace[at < FAULT_TRACED ? at : 0];
    snprintf(context, 256, "kill -9 %s call %u (%s %s)", how, at, call->name, call->path);
}

// False: the command ended before that call.
static bool kill_at(struct world *w, const struct scenario *s, const struct expected *x, uint32_t at, bool half)
{
    char context[256];
    world_restore(w);
    int code = world_run_faulty(w, s->command, half ? FAULT_HALF : FAULT_KILL, at);
    if (code != -SIGKILL) {
        return false;
    }
    deaths++;
    describe(w, at, half ? "half-way through" : "before", context);
    world_check(w, false);
    world_judge(w, "%s, after %s", s->name, context);
    scenario_again(w, s, x, context);
    return true;
}

static void kill_everywhere(struct world *w, const struct scenario *s)
{
    static struct fault_call calls[FAULT_TRACED];
    struct expected x;
    scenario_begin(w, s, &x);
    memcpy(calls, w->faults->trace, sizeof calls);
    assert_in_range(x.calls, 10, FAULT_TRACED);
    uint32_t step = getenv("MTLS_CRASH_ALL") != NULL ? 1 : 1 + (x.calls - 1) / MOST;
    size_t before = deaths;
    uint32_t at = 0;
    while (at < x.calls && kill_at(w, s, &x, at, false)) {
        if (calls[at].length > 1) {
            kill_at(w, s, &x, at, true);
        }
        at += step;
    }
    assert_true(at + 8 * step >= x.calls); // a signature may be an octet shorter, but the calls are the same
    print_message("%s: %u calls, killed %zu times\n", s->name, x.calls, deaths - before);
}

static void sound_after_kill(void **state)
{
    for (size_t i = 0; i < scenario_count; i++) {
        struct world *w = *state;
        kill_everywhere(w, &scenarios[i]);
        world_teardown(state);
        world_setup(state);
    }
}

// The first call after the database has committed that writes a certificate, or else the lists: from there on .staging
// says what is to be done.
static uint32_t after_commit(const struct world *w)
{
    static const char *const firsts[] = {"/chain.pem", "/crl.pem"};
    for (size_t i = 0; i < sizeof firsts / sizeof firsts[0]; i++) {
        for (uint32_t at = 0; at < w->faults->calls && at < FAULT_TRACED; at++) {
            const struct fault_call *call = &w->faults->trace[at];
            if (strcmp(call->name, "open") == 0 && strstr(call->path, firsts[i]) != NULL) {
                return at;
            }
        }
    }
    fail_msg("nothing was written");
    return 0;
}

static void kill_mending(struct world *w, const struct scenario *s)
{
    struct expected x;
    char context[256];
    scenario_begin(w, s, &x);
    uint32_t first = after_commit(w);
    world_restore(w);
    assert_int_equal(world_run_faulty(w, s->command, FAULT_KILL, first), -SIGKILL);
    world_save(w);
    size_t before = deaths;
    for (uint32_t at = 0; at < x.calls; at++) {
        world_restore(w);
        if (world_run_faulty(w, s->command, FAULT_KILL, at) != -SIGKILL) {
            break;
        }
        deaths++;
        describe(w, at, "while mending, before", context);
        world_check(w, false);
        world_judge(w, "%s, after %s", s->name, context);
        scenario_again(w, s, &x, context);
    }
    print_message("%s: killed %zu times while mending\n", s->name, deaths - before);
    assert_true(deaths - before > 20);
}

static void sound_after_kill_while_mending(void **state)
{
    static const char *const names[] = {"ca issue", "ca revoke", "pki --prune"};
    for (size_t i = 0; i < scenario_count; i++) {
        for (size_t k = 0; k < sizeof names / sizeof names[0]; k++) {
            if (strcmp(names[k], scenarios[i].name) == 0) {
                kill_mending(*state, &scenarios[i]);
                world_teardown(state);
                world_setup(state);
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(sound_after_kill, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(sound_after_kill_while_mending, world_setup, world_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
