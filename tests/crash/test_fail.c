// SPDX-License-Identifier: Apache-2.0
// A disk that fails once, or that is full from some instant on: mtls ends with status 3 and one sentence, what is there
// is sound, and when the disk is well again the same command finishes its work.
#include "scenarios.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 30 }; // a command with more calls fails at no more of them, evenly spread; MTLS_CRASH_ALL: at all

// "mtls: ....\n", and nothing else.
static bool is_one_sentence(const struct buf *said)
{
    const char *text = (const char *)said->data;
    return strncmp(text, "mtls: ", 6) == 0 && strchr(text, '\n') == text + said->len - 1 && text[said->len - 2] != '.';
}

static void fail_at(struct world *w, const struct scenario *s, const struct expected *x, enum fault_mode mode,
                    uint32_t at, size_t *failures)
{
    char context[256];
    world_restore(w);
    int code = world_run_faulty(w, s->command, mode, at);
    const struct fault_call *call = &w->faults->trace[at];
    snprintf(context, sizeof context, "%s from call %u (%s %s)", mode == FAULT_FULL ? "ENOSPC" : "EIO", at, call->name,
             call->path);
    if (code == 3 && !is_one_sentence(&w->said)) {
        world_problem(w, "it did not say what was wrong in one sentence");
    } else if (code != 0 && code != 3) {
        world_problem(w, "it ended with %d", code);
    }
    *failures += code != 0;
    // Some failures do not matter, such as that SQLite cannot remove its log; mtls may not claim success after others.
    world_check(w, code == 0);
    world_judge(w, "%s, after %s", s->name, context);
    scenario_again(w, s, x, context);
}

static void sound_after_failure(void **state)
{
    for (size_t i = 0; i < scenario_count; i++) {
        struct world *w = *state;
        const struct scenario *s = &scenarios[i];
        struct expected x;
        size_t failures = 0;
        scenario_begin(w, s, &x);
        uint32_t step = getenv("MTLS_CRASH_ALL") != NULL ? 1 : 1 + (x.calls - 1) / MOST;
        for (uint32_t at = 0; at < x.calls; at += step) {
            fail_at(w, s, &x, FAULT_FAIL, at, &failures);
            if ((at / step) % 4 == 0) { // what fails once is the finer test of the two
                fail_at(w, s, &x, FAULT_FULL, at, &failures);
            }
        }
        print_message("%s: %u calls, failed %zu times\n", s->name, x.calls, failures);
        assert_true(failures > x.calls / step / 2);
        world_teardown(state);
        world_setup(state);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(sound_after_failure, world_setup, world_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
