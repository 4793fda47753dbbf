// SPDX-License-Identifier: Apache-2.0
// The commands that are killed and made to fail, what there is before each, and how one goes on after it.
#ifndef MTLS_TESTS_SCENARIOS_H
#define MTLS_TESTS_SCENARIOS_H

#include "crash.h"

enum { SCENARIO_PREPARATIONS = 6 };

struct scenario {
    const char *name;
    world_command prepare[SCENARIO_PREPARATIONS];
    world_command command;
    const char *done;     // what the command says when it is run again and had done its work; NULL: it ends well then
    bool adds;            // run again, it does it again
    world_command settle; // what must end well after that
    const char *sql;      // what must be 1 then; NULL: nothing
};
extern const struct scenario scenarios[];
extern const size_t scenario_count;

// Writes the plans, prepares, saves that as the base, runs the command once without faults and counts.
struct expected {
    uint32_t calls;
    int64_t before; // certificates, flaws not counted
    int64_t after;
};
void scenario_begin(struct world *w, const struct scenario *s, struct expected *x);
// Runs the command again after something went wrong in it, and judges what there is then.
void scenario_again(struct world *w, const struct scenario *s, const struct expected *x, const char *context);

#endif
