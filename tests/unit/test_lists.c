// SPDX-License-Identifier: Apache-2.0
// Revocation lists and the files at the top of a PKI.
#include "pki_fixture.h"

static int64_t issue(struct fixture *f, const char *authority, int64_t lifetime)
{
    struct err e = ERR_INIT;
    struct authority *a = NULL;
    struct crl_record made = {0};
    assert_int_equal(authority_load(f->pki, authority, &a, &e), 1);
    assert_works(db_begin(f->pki->db, &e), &e);
    assert_works(crl_issue(f->pki, a, lifetime, &made, &e), &e);
    assert_works(db_commit(f->pki->db, &e), &e);
    assert_int_equal(made.issuer_id, a->ca_id);
    assert_int_equal(made.this_update, f->pki->now);
    assert_int_equal(made.next_update, f->pki->now + lifetime);
    run_file(&f->run, "list.der", buf_span(&made.der));
    buf_clear(&made.der);
    authority_free(a);
    return made.number;
}

static size_t put(struct fixture *f, bool really)
{
    struct err e = ERR_INIT;
    struct file_batch batch = {0};
    size_t changed = 0;
    assert_works(file_batch_begin(&batch, f->dir, &e), &e);
    assert_works(lists_put(f->pki, really ? &batch : NULL, &changed, &e), &e);
    assert_works(file_batch_commit(&batch, &e), &e);
    file_batch_clear(&batch);
    return changed;
}

static void numbers_rise_and_each_ca_counts_for_itself(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(issue(f, "issuing", 3600), 2); // the first came with the CA
    assert_int_equal(issue(f, "issuing", 3600), 3);
    assert_int_equal(issue(f, "root", 3600), 2);
}

static void a_list_says_what_is_revoked(void **state)
{
    struct fixture *f = *state;
    struct err e = ERR_INIT;
    struct record r = {0};
    fixture_issue(f, "alice");
    fixture_current(f, ROLE_CLIENT, "alice", &r);
    assert_int_equal(db_revoke(f->pki->db, r.id, REVOCATION_key_compromise, DAY_0 + 5, DAY_0, ORIGIN_COMMAND, &e), 0);
    issue(f, "issuing", 86400);
    assert_runs(&f->run, "openssl crl -inform DER -in list.der -noout -text -CAfile pki/authorities/issuing/cert.pem");
    assert_says(&f->run, "verify OK");
    assert_says(&f->run, "Issuer: CN = issuing");
    assert_says(&f->run, "Last Update: Jan  1 00:00:00 2026 GMT");
    assert_says(&f->run, "Next Update: Jan  2 00:00:00 2026 GMT");
    assert_says(&f->run, "Revocation Date: Jan  1 00:00:05 2026 GMT");
    assert_says(&f->run, "Key Compromise");
    issue(f, "root", 86400);
    assert_runs(&f->run, "openssl crl -inform DER -in list.der -noout -text");
    assert_says(&f->run, "No Revoked Certificates");
    record_clear(&r);
}

static void the_top_files_follow_the_database(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(put(f, true), 0);
    assert_runs(&f->run, "cmp pki/trust.pem pki/authorities/root/cert.pem && test $(grep -c BEGIN pki/crl.pem) = 2 && "
                         "test $(ls pki/trust.d | wc -l) = 3");
    issue(f, "issuing", 3600);
    assert_int_equal(put(f, false), 2); // crl.pem and its place in trust.d
    assert_int_equal(put(f, true), 2);
    assert_int_equal(put(f, true), 0);
    assert_runs(&f->run, "rm -r pki/trust.d pki/trust.pem; echo x > pki/crl.pem");
    assert_int_equal(put(f, true), 5);
    assert_int_equal(put(f, true), 0);
}

static void without_the_key_there_is_no_list(void **state)
{
    struct fixture *f = *state;
    struct err e = ERR_INIT;
    struct authority *a = NULL;
    struct crl_record made = {0};
    char *expected = mem_printf("issuing the revocation list of root: opening %s/authorities/root/key.pem: "
                                "No such file or directory",
                                f->dir);
    assert_runs(&f->run, "rm pki/authorities/root/key.pem");
    assert_int_equal(authority_load(f->pki, "root", &a, &e), 1);
    assert_fails(crl_issue(f->pki, a, 3600, &made, &e), &e, expected);
    buf_clear(&made.der);
    authority_free(a);
    free(expected);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_with_ca, fixture_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(numbers_rise_and_each_ca_counts_for_itself),
        TEST(a_list_says_what_is_revoked),
        TEST(the_top_files_follow_the_database),
        TEST(without_the_key_there_is_no_list),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
