// SPDX-License-Identifier: Apache-2.0
#include "ca/ca.h"
#include "ca/db.h"
#include "unit.h"

#include <stdlib.h>
#include <string.h>

static void add(struct pki_report *r, enum role role, const char *name, const char *issuer, enum pki_action action,
                const char *why)
{
    r->items = mem_grow(r->items, &r->cap, sizeof *r->items, r->count + 1);
    r->items[r->count++] = (struct pki_report_item){.role = (int)role,
                                                    .name = mem_strdup(name),
                                                    .issuer = mem_strdup(issuer),
                                                    .subject = mem_strdup(""),
                                                    .not_after = 1798761599, // 2026-12-31
                                                    .action = action,
                                                    .why = mem_strdup(why)};
}

static void assert_prints(struct pki_report *r, const char *expected)
{
    char *text = NULL;
    size_t size = 0;
    FILE *to = open_memstream(&text, &size);
    pki_report_print(r, "pki", to);
    fclose(to);
    assert_string_equal(text, expected);
    free(text);
    pki_report_clear(r);
    assert_int_equal(r->count, 0);
}

static void the_tree_follows_the_issuers(void **state)
{
    struct pki_report r = {.certificates = 1, .lists = 2, .files = 3};
    (void)state;
    add(&r, ROLE_AUTHORITY, "root", "", PKI_KEPT, "");
    add(&r, ROLE_AUTHORITY, "a", "root", PKI_MADE, "new");
    add(&r, ROLE_AUTHORITY, "b", "a", PKI_REWRITTEN, "why");
    add(&r, ROLE_AUTHORITY, "other root", "", PKI_KEPT, "");
    add(&r, ROLE_SERVER, "s", "b", PKI_REISSUED, "why");
    add(&r, ROLE_CLIENT, "c", "b", PKI_BY_HAND, "why");
    r.items[r.count - 1].revoked = true;
    add(&r, ROLE_CLIENT, "d", "root", PKI_REVOKED, "why");
    add(&r, ROLE_CLIENT, "gone", "", PKI_LEFT, "why");
    assert_prints(&r, "pki\n"
                      "authority root                      until 2026-12-31  kept\n"
                      "├─ authority a                      until 2026-12-31  made: new\n"
                      "│  └─ authority b                   until 2026-12-31  rewritten: why\n"
                      "│     ├─ server s                   until 2026-12-31  made again: why\n"
                      "│     └─ client c                   until 2026-12-31  left: why  (revoked)\n"
                      "└─ client d                         until 2026-12-31  revoked: why\n"
                      "authority other root                until 2026-12-31  kept\n"
                      "client gone: left, why\n"
                      "1 certificate made, 2 revocation lists issued, 3 files written\n");
}

static void many_of_a_kind_are_counted(void **state)
{
    struct pki_report r = {.certificates = 20};
    (void)state;
    add(&r, ROLE_AUTHORITY, "root", "", PKI_KEPT, "");
    for (int i = 1; i <= 13; i++) {
        char name[16];
        snprintf(name, sizeof name, "c%d", i);
        add(&r, ROLE_CLIENT, name, "root", i == 13 ? PKI_MADE : PKI_KEPT, "");
    }
    for (int i = 0; i < 3; i++) {
        add(&r, ROLE_FLAW, "f", "root", PKI_KEPT, "");
    }
    assert_prints(&r, "pki\n"
                      "authority root                      until 2026-12-31  kept\n"
                      "├─ client c1                        until 2026-12-31  kept\n"
                      "├─ client c2                        until 2026-12-31  kept\n"
                      "├─ client c3                        until 2026-12-31  kept\n"
                      "├─ client c4                        until 2026-12-31  kept\n"
                      "├─ client c5                        until 2026-12-31  kept\n"
                      "├─ client c6                        until 2026-12-31  kept\n"
                      "├─ client c7                        until 2026-12-31  kept\n"
                      "├─ client c8                        until 2026-12-31  kept\n"
                      "├─ client c9                        until 2026-12-31  kept\n"
                      "├─ client c10                       until 2026-12-31  kept\n"
                      "├─ 3 more clients: 2 kept, 1 made\n"
                      "└─ 3 certificates wrong on purpose: 3 kept\n"
                      "20 certificates made, 0 revocation lists issued, 0 files written\n");
}

static void nothing_to_do_is_said(void **state)
{
    struct pki_report r = {0};
    (void)state;
    add(&r, ROLE_AUTHORITY, "root", "", PKI_KEPT, "");
    assert_prints(&r, "pki\n"
                      "authority root                      until 2026-12-31  kept\n"
                      "nothing to do: everything is as the plan says\n");
}

static void a_check_speaks_of_the_future(void **state)
{
    struct pki_report r = {.check = true, .lists = 1, .differences = 4};
    (void)state;
    add(&r, ROLE_AUTHORITY, "root", "", PKI_REISSUED, "why");
    add(&r, ROLE_CLIENT, "c", "root", PKI_MADE, "new");
    r.items[1].not_after = 0;
    add(&r, ROLE_CLIENT, "d", "", PKI_PRUNED, "why");
    assert_prints(&r, "pki\n"
                      "authority root                      until 2026-12-31  to be made again: why\n"
                      "└─ client c                         to be made: new\n"
                      "client d: to be pruned, why\n"
                      "1 revocation list to be issued, 0 files to be written\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_tree_follows_the_issuers),
        cmocka_unit_test(many_of_a_kind_are_counted),
        cmocka_unit_test(nothing_to_do_is_said),
        cmocka_unit_test(a_check_speaks_of_the_future),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
