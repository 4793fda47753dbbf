// SPDX-License-Identifier: Apache-2.0
// What one issue and one revocation cost does not grow with the number issued, but for the depth of B-trees. Counted,
// not timed: the calls that mtls makes, and the octets that it reads and writes.
#include "crash.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>

struct cost {
    uint64_t calls;
    uint64_t octets;
};

static struct cost cost_of(struct world *w, world_command command)
{
    if (world_run(w, command) != 0) {
        fail_msg("%s %s: %s", command[0], command[1], (const char *)w->said.data);
    }
    return (struct cost){.calls = w->faults->calls + w->faults->reads,
                         .octets = w->faults->bytes_read + w->faults->bytes_written};
}

// Certificates that are none, but have a place in every index.
static void fill(struct world *w, int count)
{
    sqlite3 *db = NULL;
    char *path = mem_printf("%s/pki.db", w->pki);
    char *sql = mem_printf(
        "WITH RECURSIVE number (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n < %d)"
        " INSERT INTO certificate (role, origin, name, issuer_id, serial, subject, der, fingerprint, key_id, "
        "not_before,"
        " not_after, spec, key_file_digest, current, issued_at)"
        " SELECT 2, 1, 'client-' || n, 2, randomblob(20), 'CN=client-' || n, randomblob(500), hex(randomblob(32)),"
        " hex(randomblob(20)), 1700000000, 2700000000, '', hex(randomblob(32)), 1, 1700000000 FROM number WHERE n <= "
        "%d",
        count, count);
    assert_int_equal(sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, NULL), SQLITE_OK);
    if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK) {
        fail_msg("filling the database: %s", sqlite3_errmsg(db));
    }
    sqlite3_close(db);
    free(sql);
    free(path);
}

enum { VERBS = 3, SIZES = 3, TIMES = 7 };
static const char *const verbs[VERBS] = {"issue", "renew", "revoke"};
static const int sizes[SIZES] = {0, 2000, 20000};

static int by_value(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a;
    uint64_t y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

// The median of some: serials are random, so now and then one splits pages of the database.
static struct cost median_cost(struct world *w, const char *verb)
{
    uint64_t calls[TIMES];
    uint64_t octets[TIMES];
    for (int i = 0; i < TIMES; i++) {
        char name[16];
        snprintf(name, sizeof name, "alice-%d", i);
        world_command command = {"ca", verb, name};
        struct cost one = cost_of(w, command);
        calls[i] = one.calls;
        octets[i] = one.octets;
    }
    qsort(calls, TIMES, sizeof calls[0], by_value);
    qsort(octets, TIMES, sizeof octets[0], by_value);
    return (struct cost){.calls = calls[TIMES / 2], .octets = octets[TIMES / 2]};
}

static void cost_does_not_grow(void **state)
{
    struct world *w = *state;
    static world_command init = {"ca", "init"};
    struct cost costs[SIZES][VERBS];
    cost_of(w, init);
    world_save(w);
    for (int i = 0; i < SIZES; i++) {
        world_restore(w);
        fill(w, sizes[i]);
        for (int k = 0; k < VERBS; k++) {
            costs[i][k] = median_cost(w, verbs[k]);
            print_message("ca %s, %d issued before: %llu calls, %llu octets\n", verbs[k], sizes[i],
                          (unsigned long long)costs[i][k].calls, (unsigned long long)costs[i][k].octets);
        }
    }
    for (int k = 0; k < VERBS; k++) {
        const struct cost *none = &costs[0][k];
        const struct cost *some = &costs[1][k];
        const struct cost *many = &costs[2][k];
        assert_in_range(none->calls, 20, 10000); // they were indeed counted
        assert_in_range(none->octets, 10000, 10000000);
        assert_true(2 * many->calls < 3 * none->calls);
        assert_true(2 * many->octets < 3 * some->octets); // none is no measure: an empty tree is a single page
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(cost_does_not_grow, world_setup, world_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
