// SPDX-License-Identifier: Apache-2.0
// What the crash tests share: a world with one PKI in it, mtls run there with faults, and what must hold afterwards.
#ifndef MTLS_TESTS_CRASH_H
#define MTLS_TESTS_CRASH_H

#include "fault/fault.h"
#include "tests/temporary.h"
#include "unit/unit.h"

#include <stdbool.h>
#include <sys/types.h>

enum { WORLD_ARGUMENTS = 12, WORLD_ISSUERS = 8 };
typedef const char *const world_command[WORLD_ARGUMENTS]; // of mtls, its own name left out; ends with NULL

struct world {
    char dir[TEMPORARY_PATH];
    char pki[TEMPORARY_PATH + 16];  // what the commands work on
    char base[TEMPORARY_PATH + 16]; // what world_restore puts there
    struct fault_state *faults;
    struct buf out;
    struct buf said; // on standard error
    struct buf problems;
    struct world_number { // the highest number of an issuer's list that was seen since world_restore
        char issuer[64];
        int64_t number;
    } numbers[WORLD_ISSUERS];
};

int world_setup(void **state); // for cmocka: *state becomes a struct world
int world_teardown(void **state);
void world_file(const struct world *w, const char *name, const char *text); // in the current folder of the commands
void world_save(struct world *w);
void world_restore(struct world *w);

// Starts mtls. With many at once only the last one's output is kept. -SIGKILL if it was killed.
pid_t world_start(struct world *w, world_command command);
int world_wait(pid_t pid);
int world_run(struct world *w, world_command command); // without faults
int world_run_faulty(struct world *w, world_command command, enum fault_mode mode, uint32_t at);

int64_t world_ask(struct world *w, const char *sql); // one number, of a copy of the database

// Looks at everything there is, and notes what is wrong in `problems`. `settled`: nothing may be left unfinished
// either.
void world_check(struct world *w, bool settled);
// Fails the test if there are problems, or if `fmt`, which may be NULL, is not what it should be.
void world_judge(struct world *w, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void world_problem(struct world *w, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
