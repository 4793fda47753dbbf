// SPDX-License-Identifier: Apache-2.0
// pki_apply: what is decided for each entry and why, and that the database, the files and openssl agree. The command is
// tried in tests/e2e.
#include "pki_fixture.h"

#define CAS                                                                                                            \
    "authorities:\n"                                                                                                   \
    "  - {name: root}\n"                                                                                               \
    "  - {name: issuing, issuer: root}\n"
#define PLAN CAS "clients:\n  - {name: alice, issuer: issuing}\n  - {name: bob, issuer: issuing}\n"

static void apply(struct fixture *f, const char *plan)
{
    struct err e = ERR_INIT;
    assert_works(fixture_apply(f, plan, false, false, &e), &e);
}

static void check(struct fixture *f, const char *plan)
{
    struct err e = ERR_INIT;
    assert_works(fixture_apply(f, plan, true, false, &e), &e);
}

#define assert_item(f, role, name, expected, reason)                                                                   \
    do {                                                                                                               \
        const struct pki_report_item *item = fixture_item((f), (role), (name));                                        \
        assert_int_equal(item->action, (expected));                                                                    \
        assert_string_equal(item->why, (reason));                                                                      \
    } while (0)

static void assert_nothing_to_do(struct fixture *f, const char *plan)
{
    check(f, plan);
    assert_int_equal(f->report.differences, 0);
    apply(f, plan);
    assert_int_equal(f->report.certificates + f->report.lists + f->report.files, 0);
}

static void a_plan_is_made_once(void **state)
{
    struct fixture *f = *state;
    apply(f, PLAN);
    assert_int_equal(f->report.certificates, 4);
    assert_int_equal(f->report.lists, 2);
    assert_item(f, ROLE_AUTHORITY, "root", PKI_MADE, "new");
    assert_item(f, ROLE_CLIENT, "bob", PKI_MADE, "new");
    assert_int_equal(fixture_judge(f, "clients/bob"), 0);
    assert_nothing_to_do(f, PLAN);
    assert_item(f, ROLE_CLIENT, "bob", PKI_KEPT, "");
}

static void a_check_changes_nothing_and_foresees_all(void **state)
{
    static const char edited[] = "authorities:\n"
                                 "  - {name: root, subject: CN=new}\n"
                                 "  - {name: issuing, issuer: root}\n"
                                 "clients:\n"
                                 "  - {name: alice, issuer: issuing}\n"
                                 "  - {name: carol, issuer: issuing}\n"
                                 "flaws: {issuer: issuing, cases: [expired]}\n";
    struct fixture *f = *state;
    struct record r = {0};
    apply(f, PLAN);
    check(f, edited);
    assert_item(f, ROLE_AUTHORITY, "root", PKI_REISSUED, "changed in the plan");
    assert_item(f, ROLE_AUTHORITY, "issuing", PKI_REISSUED, "its issuer is another CA now");
    assert_item(f, ROLE_CLIENT, "alice", PKI_REISSUED, "a CA above it has a new key");
    assert_item(f, ROLE_CLIENT, "carol", PKI_MADE, "new");
    assert_item(f, ROLE_CLIENT, "bob", PKI_LEFT, "not in the plan; --prune revokes and removes it");
    assert_item(f, ROLE_FLAW, "client-expired", PKI_MADE, "new");
    assert_int_equal(f->report.differences, 8); // bob, two flaws, the list of the new root, and those above
    assert_int_equal(f->report.certificates + f->report.files, 0);
    assert_nothing_to_do(f, PLAN);
    fixture_current(f, ROLE_AUTHORITY, "root", &r);
    assert_string_equal(r.subject, "CN=root");
    record_clear(&r);
    apply(f, edited);
    assert_int_equal(f->report.lists, 1);
    assert_item(f, ROLE_CLIENT, "alice", PKI_REISSUED, "a CA above it has a new key");
    assert_int_equal(fixture_judge(f, "clients/alice"), 0);
}

// The identity of a CA is its subject and key: certificates come and go.
static void a_renewed_ca_is_the_same_ca(void **state)
{
    struct fixture *f = *state;
    struct err e = ERR_INIT;
    struct record first = {0};
    struct record now = {0};
    struct crl_record list = {0};
    int64_t id = 0;
    apply(f, PLAN);
    fixture_current(f, ROLE_AUTHORITY, "issuing", &first);
    apply(f, "authorities:\n"
             "  - {name: root}\n"
             "  - {name: issuing, issuer: root, days: 3000}\n"
             "clients:\n  - {name: alice, issuer: issuing}\n  - {name: bob, issuer: issuing}\n");
    assert_item(f, ROLE_CLIENT, "alice", PKI_REWRITTEN, "a CA above it has a new certificate");
    fixture_current(f, ROLE_AUTHORITY, "issuing", &now);
    assert_true(now.id != first.id);
    assert_works(authority_identity(f->pki->db, &now, &id, &e), &e);
    assert_int_equal(id, first.id);
    assert_int_equal(db_crl_find(f->pki->db, id, &list, &e), 1);
    assert_int_equal(list.number, 1);
    assert_int_equal(fixture_judge(f, "clients/alice"), 0);
    buf_clear(&list.der);
    record_clear(&first);
    record_clear(&now);
}

// Another key is another CA; when the first key comes back, so does the first CA, and the list goes on counting.
static void a_ca_may_go_and_come_back(void **state)
{
    struct fixture *f = *state;
    struct err e = ERR_INIT;
    struct record r = {0};
    struct crl_record list = {0};
    int64_t first = 0;
    int64_t second = 0;
    apply(f, PLAN);
    fixture_current(f, ROLE_AUTHORITY, "issuing", &r);
    first = r.id;
    record_clear(&r);
    assert_runs(&f->run, "mv pki/authorities/issuing/key.pem .");
    apply(f, PLAN);
    assert_item(f, ROLE_AUTHORITY, "issuing", PKI_REISSUED, "its key is missing");
    fixture_current(f, ROLE_AUTHORITY, "issuing", &r);
    second = r.id;
    record_clear(&r);
    assert_int_equal(db_crl_find(f->pki->db, first, &list, &e), 0);
    assert_int_equal(db_crl_find(f->pki->db, second, &list, &e), 1);
    buf_clear(&list.der);
    assert_runs(&f->run, "cp key.pem pki/authorities/issuing/key.pem");
    apply(f, PLAN);
    assert_item(f, ROLE_AUTHORITY, "issuing", PKI_REISSUED, "its key was replaced");
    assert_item(f, ROLE_CLIENT, "alice", PKI_REISSUED, "its issuer is another CA now");
    assert_int_equal(db_crl_find(f->pki->db, second, &list, &e), 0);
    assert_int_equal(db_crl_find(f->pki->db, first, &list, &e), 1);
    assert_int_equal(list.number, 2);
    buf_clear(&list.der);
    assert_int_equal(fixture_judge(f, "clients/alice"), 0);
    assert_nothing_to_do(f, PLAN);
}

static void each_key_is_judged(void **state)
{
    static const struct {
        const char *command;
        enum pki_action action;
        const char *why;
    } cases[] = {
        {"rm key.pem", PKI_REISSUED, "its key is missing"},
        {"echo x > key.pem", PKI_REISSUED, "its key cannot be read"},
        {"openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out key.pem", PKI_REISSUED,
         "its key was replaced"},
        {"openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-384 -out key.pem", PKI_REISSUED,
         "its key is of another type"},
        {"openssl pkey -in key.pem -traditional -out new && mv new key.pem", PKI_REWRITTEN,
         "its files were not what was issued"},
        {"rm cert.pem", PKI_REWRITTEN, "its files were not what was issued"},
        {"chmod 644 combined.pem", PKI_REWRITTEN, "its files were not what was issued"},
        {"chmod 400 key.pem", PKI_KEPT, ""},
    };
    struct fixture *f = *state;
    apply(f, PLAN);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_runs(&f->run, "cd pki/clients/alice && %s", cases[i].command);
        check(f, PLAN);
        assert_item(f, ROLE_CLIENT, "alice", cases[i].action, cases[i].why);
        apply(f, PLAN);
        assert_item(f, ROLE_CLIENT, "alice", cases[i].action, cases[i].why);
        assert_int_equal(fixture_judge(f, "clients/alice"), 0);
        assert_nothing_to_do(f, PLAN);
    }
}

static void certificates_end(void **state)
{
    struct fixture *f = *state;
    struct record r = {0};
    apply(f, PLAN);
    fixture_open(f, DAY_0 + 366 * CLOCK_DAY);
    apply(f, PLAN);
    assert_item(f, ROLE_CLIENT, "alice", PKI_KEPT, "");
    fixture_open(f, DAY_0 + 367 * CLOCK_DAY);
    apply(f, PLAN);
    assert_item(f, ROLE_CLIENT, "alice", PKI_REISSUED, "near its end");
    fixture_current(f, ROLE_CLIENT, "alice", &r);
    assert_int_equal(r.not_after, DAY_0 + (367 + 397) * CLOCK_DAY - 1);
    record_clear(&r);
    assert_nothing_to_do(f, PLAN);
}

// What cannot be made to last longer is not made again.
static void the_end_of_the_ca_is_the_end(void **state)
{
    static const char plan[] = "authorities:\n"
                               "  - {name: root, days: 60, renew_before: 1d}\n"
                               "clients:\n"
                               "  - {name: alice, issuer: root}\n"
                               "  - {name: bob, issuer: root, not_before: 2026-01-01, not_after: 2026-01-20}\n";
    struct fixture *f = *state;
    apply(f, plan);
    for (int day = 39; day < 59; day++) {
        fixture_open(f, DAY_0 + day * CLOCK_DAY);
        apply(f, plan);
        assert_item(f, ROLE_CLIENT, "alice", PKI_KEPT, "");
        assert_item(f, ROLE_CLIENT, "bob", PKI_KEPT, ""); // fixed dates stay, expired or not
    }
    fixture_open(f, DAY_0 + 59 * CLOCK_DAY);
    apply(f, plan);
    assert_item(f, ROLE_AUTHORITY, "root", PKI_REISSUED, "near its end");
    assert_item(f, ROLE_CLIENT, "alice", PKI_REISSUED, "near its end");
    assert_int_equal(fixture_judge(f, "clients/alice"), 0);
    assert_nothing_to_do(f, plan);
}

static void revocation_follows_the_plan(void **state)
{
    static const char revoked[] = CAS "clients:\n"
                                      "  - {name: alice, issuer: issuing, revoked: {reason: keyCompromise}}\n"
                                      "  - {name: bob, issuer: issuing}\n";
    struct fixture *f = *state;
    struct record r = {0};
    apply(f, PLAN);
    check(f, revoked);
    assert_item(f, ROLE_CLIENT, "alice", PKI_REVOKED, "the plan revokes it");
    assert_int_equal(f->report.lists, 1);
    assert_int_equal(fixture_judge(f, "clients/alice"), 0);
    apply(f, revoked);
    assert_item(f, ROLE_CLIENT, "alice", PKI_REVOKED, "the plan revokes it");
    assert_int_equal(fixture_judge(f, "clients/alice"), 2);
    fixture_current(f, ROLE_CLIENT, "alice", &r);
    assert_int_equal(r.reason, REVOCATION_key_compromise);
    assert_int_equal(r.revoked_by, ORIGIN_PLAN);
    record_clear(&r);
    assert_nothing_to_do(f, revoked);
    apply(f, PLAN);
    assert_item(f, ROLE_CLIENT, "alice", PKI_REISSUED, "the plan does not revoke it any more");
    assert_int_equal(fixture_judge(f, "clients/alice"), 0);
}

static void what_is_pruned_is_revoked_with_all_it_had(void **state)
{
    struct fixture *f = *state;
    struct err e = ERR_INIT;
    struct record r = {0};
    apply(f, PLAN);
    apply(f, CAS "clients:\n  - {name: alice, issuer: issuing}\n  - {name: bob, issuer: issuing, days: 9}\n");
    assert_works(fixture_apply(f, CAS "clients:\n  - {name: alice, issuer: issuing}\n", false, true, &e), &e);
    assert_item(f, ROLE_CLIENT, "bob", PKI_PRUNED, "not in the plan any more");
    assert_int_equal(db_find_current(f->pki->db, ROLE_CLIENT, "bob", &r, &e), 0);
    assert_runs(&f->run, "test ! -e pki/clients/bob");
    assert_runs(&f->run,
                "mkdir x && awk '/BEGIN/{n++}{print > (\"x/\" n)}' pki/crl.pem && "
                "test $(for i in x/*; do openssl crl -in $i -noout -text; done | grep -c 'Serial Number') = 2");
    assert_nothing_to_do(f, CAS "clients:\n  - {name: alice, issuer: issuing}\n");
}

static void a_wrong_plan_makes_nothing(void **state)
{
    struct fixture *f = *state;
    struct err e = ERR_INIT;
    assert_int_equal(fixture_apply(f, "authorities:\n  - {name: root, wrong: 1}\n", false, false, &e), -1);
    assert_non_null(strstr(e.text, "plan.yaml:2: authorities[0].wrong: unknown field"));
    assert_runs(&f->run, "test ! -e pki");
    err_clear(&e);
    assert_int_equal(fixture_apply(f, PLAN, true, false, &e), -1);
    assert_int_equal(e.kind, ERR_REFUSED);
    assert_runs(&f->run, "test ! -e pki");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_begin, fixture_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_plan_is_made_once),
        TEST(a_check_changes_nothing_and_foresees_all),
        TEST(a_renewed_ca_is_the_same_ca),
        TEST(a_ca_may_go_and_come_back),
        TEST(each_key_is_judged),
        TEST(certificates_end),
        TEST(the_end_of_the_ca_is_the_end),
        TEST(revocation_follows_the_plan),
        TEST(what_is_pruned_is_revoked_with_all_it_had),
        TEST(a_wrong_plan_makes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
