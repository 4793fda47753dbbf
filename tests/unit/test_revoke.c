// SPDX-License-Identifier: Apache-2.0
#include "pki_fixture.h"

static struct ca_revocation revoked(struct fixture *f, const char *what)
{
    struct err e = ERR_INIT;
    struct ca_revocation r = {0};
    struct ca_revoke_options o = {.what = what, .reason = "keyCompromise"};
    assert_works(ca_revoke(f->pki, &o, &r, &e), &e);
    return r;
}

static void assert_refused(struct fixture *f, const char *what, const char *message)
{
    struct err e = ERR_INIT;
    struct ca_revocation r = {0};
    struct ca_revoke_options o = {.what = what};
    assert_fails(ca_revoke(f->pki, &o, &r, &e), &e, message);
    ca_revocation_clear(&r);
}

static void the_revocation_and_its_list_are_one(void **state)
{
    struct fixture *f = *state;
    struct err e = ERR_INIT;
    struct record cert = {0};
    fixture_issue(f, "alice");
    struct ca_revocation r = revoked(f, "alice");
    assert_string_equal(r.subject, "CN=alice");
    assert_string_equal(r.issuer, "issuing");
    assert_int_equal(r.crl_number, 2);
    assert_int_equal(r.next_update, DAY_0 + 30 * CLOCK_DAY);
    assert_int_equal(r.certificates, 1);
    assert_false(r.already);
    ca_revocation_clear(&r);
    fixture_current(f, ROLE_CLIENT, "alice", &cert);
    assert_int_equal(cert.revoked_by, ORIGIN_COMMAND);
    assert_int_equal(cert.reason, REVOCATION_key_compromise);
    assert_int_equal(fixture_judge(f, "clients/alice"), 2);
    r = revoked(f, "alice");
    assert_true(r.already);
    assert_int_equal(r.certificates, 0);
    ca_revocation_clear(&r);
    struct crl_record list = {0};
    assert_int_equal(db_crl_find(f->pki->db, cert.issuer_id, &list, &e), 1);
    assert_int_equal(list.number, 2);
    buf_clear(&list.der);
    record_clear(&cert);
}

static void a_name_means_all_that_it_still_has(void **state)
{
    struct fixture *f = *state;
    struct err e = ERR_INIT;
    struct ca_result renewed = {0};
    struct ca_issue_options o = {.name = "alice", .days = CA_DAYS_DEFAULT};
    struct record r = {0};
    struct buf serial = {0};
    fixture_issue(f, "alice");
    fixture_current(f, ROLE_CLIENT, "alice", &r);
    text_hex(&serial, r.serial.data, r.serial.len, ':');
    for (int i = 0; i < 2; i++) {
        assert_works(ca_renew(f->pki, &o, &renewed, &e), &e);
        ca_result_clear(&renewed);
    }
    struct ca_revocation v = revoked(f, (char *)serial.data); // one, by its serial number
    assert_int_equal(v.certificates, 1);
    ca_revocation_clear(&v);
    assert_int_equal(fixture_judge(f, "clients/alice"), 0);
    v = revoked(f, "clients/alice");
    assert_int_equal(v.certificates, 2);
    ca_revocation_clear(&v);
    assert_int_equal(fixture_judge(f, "clients/alice"), 2);
    record_clear(&r);
    buf_clear(&serial);
}

static void a_file_means_what_is_in_it(void **state)
{
    struct fixture *f = *state;
    struct err e = ERR_INIT;
    struct ca_revocation r = {0};
    char *file = mem_printf("%s/clients/alice/combined.pem", f->dir);
    char *none = mem_printf("%s/trust.d", f->dir);
    char *root = mem_printf("%s/trust.pem", f->dir);
    struct ca_revoke_options o = {.what = file, .invalidity_date = "2025-12-01"};
    fixture_issue(f, "alice");
    assert_works(ca_revoke(f->pki, &o, &r, &e), &e);
    assert_string_equal(r.name, "alice");
    ca_revocation_clear(&r);
    assert_refused(f, root, "it is self-signed: nobody can revoke it; stop trusting it instead");
    char *expected = mem_printf("%s: there is no such file or entry", none);
    assert_refused(f, none, expected); // a directory
    free(expected);
    free(file);
    free(none);
    free(root);
}

static void what_cannot_be_revoked(void **state)
{
    struct fixture *f = *state;
    struct err e = ERR_INIT;
    char *expected = mem_printf("there is no \"nobody\" in %s; mtls ca list shows what there is", f->dir);
    assert_refused(f, "root", "it is self-signed: nobody can revoke it; stop trusting it instead");
    assert_refused(f, "nobody", expected);
    fixture_issue(f, "alice");
    assert_runs(&f->run, "cp pki/authorities/root/key.pem pki/authorities/issuing/key.pem");
    struct record r = {0};
    struct ca_revocation v = {0};
    struct ca_revoke_options o = {.what = "alice"};
    assert_int_equal(ca_revoke(f->pki, &o, &v, &e), -1); // no list can be signed, so nothing is revoked
    fixture_current(f, ROLE_CLIENT, "alice", &r);
    assert_int_equal(r.revoked_at, 0);
    record_clear(&r);
    ca_revocation_clear(&v);
    free(expected);
}

static void lists_on_demand(void **state)
{
    struct fixture *f = *state;
    struct err e = ERR_INIT;
    json_t *lists = NULL;
    assert_works(ca_crl(f->pki, NULL, 0, &lists, &e), &e);
    assert_int_equal(json_array_size(lists), 2);
    json_decref(lists);
    assert_works(ca_crl(f->pki, "issuing", 5 * CLOCK_DAY, &lists, &e), &e);
    assert_int_equal(json_array_size(lists), 1);
    assert_int_equal(json_integer_value(json_object_get(json_array_get(lists, 0), "number")), 3);
    assert_string_equal(json_string_value(json_object_get(json_array_get(lists, 0), "next_update")),
                        "2026-01-06T00:00:00Z");
    json_decref(lists);
    char *expected = mem_printf("there is no authority nobody in %s", f->dir);
    assert_fails(ca_crl(f->pki, "nobody", 0, &lists, &e), &e, expected);
    json_decref(lists);
    free(expected);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_with_ca, fixture_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_revocation_and_its_list_are_one),
        TEST(a_name_means_all_that_it_still_has),
        TEST(a_file_means_what_is_in_it),
        TEST(what_cannot_be_revoked),
        TEST(lists_on_demand),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
