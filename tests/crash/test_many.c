// SPDX-License-Identifier: Apache-2.0
// Many processes on one PKI at once, some of them killed on the way: nothing is lost, nothing is there twice.
#include "crash.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PROCESSES = 8, ROUNDS = 5, FAILED = 100 };

static world_command init = {"ca", "init"};

// What one of the processes does; ends with the status of the first command that fails.
typedef int job(struct world *w, int process);

static void all_at_once(struct world *w, job *work, int codes[PROCESSES])
{
    pid_t pids[PROCESSES];
    for (int i = 0; i < PROCESSES; i++) {
        pids[i] = fork();
        assert_true(pids[i] >= 0);
        if (pids[i] == 0) {
            _exit(work(w, i));
        }
    }
    for (int i = 0; i < PROCESSES; i++) {
        codes[i] = world_wait(pids[i]);
    }
}

static void all_end_well(struct world *w, job *work)
{
    int codes[PROCESSES];
    all_at_once(w, work, codes);
    for (int i = 0; i < PROCESSES; i++) {
        assert_int_equal(codes[i], 0);
    }
    world_check(w, true);
    world_judge(w, "after %d processes at once", PROCESSES);
}

static int issue_some(struct world *w, int process)
{
    for (int i = 0; i < ROUNDS; i++) {
        char name[32];
        snprintf(name, sizeof name, "client-%d-%d", process, i);
        world_command issue = {"ca", "issue", name};
        int code = world_wait(world_start(w, issue));
        if (code != 0) {
            return code;
        }
    }
    return 0;
}

static void eight_issue_at_once(void **state)
{
    struct world *w = *state;
    assert_int_equal(world_run(w, init), 0);
    all_end_well(w, issue_some);
    assert_int_equal(world_ask(w, "SELECT count(DISTINCT serial) FROM certificate WHERE current = 1 AND role = 2"),
                     PROCESSES * ROUNDS);
}

static int revoke_one(struct world *w, int process)
{
    char name[32];
    snprintf(name, sizeof name, "client-%d-0", process);
    world_command revoke = {"ca", "revoke", name};
    return world_wait(world_start(w, revoke));
}

static void eight_revoke_at_once(void **state)
{
    struct world *w = *state;
    static const char listed[] = "SELECT count(*) FROM certificate, crl WHERE certificate.issuer_id = crl.issuer_id"
                                 " AND revoked_at IS NOT NULL"
                                 " AND instr(hex(crl.der), '0214' || hex(serial)) > 0";
    assert_int_equal(world_run(w, init), 0);
    all_end_well(w, issue_some);
    assert_int_equal(world_ask(w, "SELECT max(number) FROM crl"), 1);
    all_end_well(w, revoke_one); // and crl.pem is what the database has, says world_check
    assert_int_equal(world_ask(w, "SELECT max(number) FROM crl"), 1 + PROCESSES);
    assert_int_equal(world_ask(w, listed), PROCESSES);
}

static int run_init(struct world *w, int process)
{
    (void)process;
    return world_wait(world_start(w, init));
}

static void one_of_eight_makes_the_ca(void **state)
{
    struct world *w = *state;
    int codes[PROCESSES];
    int made = 0;
    all_at_once(w, run_init, codes);
    for (int i = 0; i < PROCESSES; i++) {
        assert_true(codes[i] == 0 || codes[i] == 3);
        made += codes[i] == 0;
    }
    assert_int_equal(made, 1);
    world_check(w, true);
    world_judge(w, "after %d times ca init at once", PROCESSES);
    assert_int_equal(world_ask(w, "SELECT count(*) FROM certificate"), 2);
}

static const char plan[] = "authorities:\n"
                           "  - name: root\n"
                           "  - {name: issuing, issuer: root}\n"
                           "clients:\n"
                           "  - {name: alice, issuer: issuing}\n"
                           "  - {name: mallory, issuer: issuing, revoked: {reason: keyCompromise}}\n"
                           "flaws: {issuer: issuing, cases: [expired]}\n";

static int run_plan(struct world *w, int process)
{
    (void)process;
    static world_command pki = {"pki", "-f", "plan.yaml"};
    return world_wait(world_start(w, pki));
}

static void eight_make_one_plan(void **state)
{
    struct world *w = *state;
    static world_command check = {"pki", "-f", "plan.yaml", "--check"};
    world_file(w, "plan.yaml", plan);
    all_end_well(w, run_plan);
    assert_int_equal(world_ask(w, "SELECT count(*) FROM certificate WHERE role < 3"), 4);
    assert_int_equal(world_run(w, check), 0);
}

// Issues, revokes, lists and makes the plan; in every second process one command in three is killed after a while.
static int do_all(struct world *w, int process)
{
    uint32_t random = (uint32_t)process;
    for (int i = 0; i < 3 * ROUNDS; i++) {
        char name[32];
        snprintf(name, sizeof name, "client-%d-%d", process, i - i % 3);
        const char *const commands[][4] = {
            {"ca", "issue", name, NULL}, {"ca", "revoke", name, NULL}, {"pki", "-f", "plan.yaml", NULL}};
        world_command command = {commands[i % 3][0], commands[i % 3][1], commands[i % 3][2]};
        pid_t pid = world_start(w, command);
        random = random * 1664525 + 1013904223; // as good as any, and the same at each run
        if (process % 2 == 0 && i % 3 == (int)(random >> 16) % 3) {
            usleep(random >> 17); // 0 to 32 ms
            kill(pid, SIGKILL);   // it is our own child
        }
        int code = world_wait(pid);
        // What was killed before it began leaves nothing to revoke.
        if (code != 0 && code != -SIGKILL && !(process % 2 == 0 && code == 3)) {
            return FAILED + code;
        }
    }
    return 0;
}

static void mixed_and_killed(void **state)
{
    struct world *w = *state;
    int codes[PROCESSES];
    static world_command pki = {"pki", "-f", "plan.yaml"};
    static world_command check = {"pki", "-f", "plan.yaml", "--check"};
    world_file(w, "plan.yaml", plan);
    assert_int_equal(world_run(w, pki), 0);
    all_at_once(w, do_all, codes);
    for (int i = 0; i < PROCESSES; i++) {
        assert_int_equal(codes[i], 0);
    }
    world_check(w, false);
    world_judge(w, "after all at once");
    assert_int_equal(world_run(w, pki), 0);
    world_check(w, true);
    world_judge(w, "after all at once and mtls pki");
    assert_int_equal(world_run(w, check), 0);
    // The odd processes were not killed: all that they issued they also revoked.
    assert_int_equal(world_ask(w, "SELECT count(*) FROM certificate WHERE role = 2 AND revoked_at IS NOT NULL"
                                  " AND substr(name, 8, 1) IN ('1', '3', '5', '7')"),
                     PROCESSES / 2 * ROUNDS);
}

#define WORLD_TEST(f) cmocka_unit_test_setup_teardown(f, world_setup, world_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(eight_issue_at_once), WORLD_TEST(eight_revoke_at_once), WORLD_TEST(one_of_eight_makes_the_ca),
        WORLD_TEST(eight_make_one_plan), WORLD_TEST(mixed_and_killed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
