// SPDX-License-Identifier: Apache-2.0
// ca_list and ca_export.
#include "pki_fixture.h"

#include <jansson.h>

// The names in the list, in its order.
static void assert_listed(struct fixture *f, const struct ca_list_options *o, const char *expected)
{
    struct err e = ERR_INIT;
    struct buf names = {0};
    json_t *list = NULL;
    size_t i;
    json_t *item;
    assert_works(ca_list(f->pki, o, &list, &e), &e);
    buf_text(&names, "");
    json_array_foreach(list, i, item)
    {
        buf_printf(&names, "%s%s", i > 0 ? " " : "", json_string_value(json_object_get(item, "name")));
    }
    assert_string_equal((char *)names.data, expected);
    buf_clear(&names);
    json_decref(list);
}

static void filters_combine(void **state)
{
    static const char plan[] = "authorities:\n  - {name: root}\n"
                               "clients:\n"
                               "  - {name: alice, issuer: root}\n"
                               "  - {name: bob, issuer: root, days: 10}\n"
                               "  - {name: eve, issuer: root, days: 10, revoked: {}}\n"
                               "flaws: {issuer: root, cases: [no_eku]}\n";
    struct fixture *f = *state;
    struct err e = ERR_INIT;
    struct ca_result result = {0};
    struct ca_issue_options again = {.name = "alice", .days = CA_DAYS_DEFAULT};
    assert_works(fixture_apply(f, plan, false, false, &e), &e);
    assert_works(ca_renew(f->pki, &again, &result, &e), &e);
    ca_result_clear(&result);
    assert_listed(f, &(struct ca_list_options){0}, "root alice bob eve");
    assert_listed(f, &(struct ca_list_options){.role = "client"}, "alice bob eve");
    assert_listed(f, &(struct ca_list_options){.role = "client", .all = true}, "alice alice bob eve");
    assert_listed(f, &(struct ca_list_options){.revoked = true}, "eve");
    assert_listed(f, &(struct ca_list_options){.expiring_within = 10 * CLOCK_DAY}, "bob eve");
    assert_listed(f, &(struct ca_list_options){.expiring_within = 10 * CLOCK_DAY - 2}, "");
    assert_listed(f, &(struct ca_list_options){.expiring_within = 10 * CLOCK_DAY, .revoked = true}, "eve");
    assert_listed(f, &(struct ca_list_options){.role = "flaws"},
                  "client-no_eku client-no_eku/control server-no_eku server-no_eku/control");
    fixture_open(f, DAY_0 + 11 * CLOCK_DAY); // those that have ended are not about to
    assert_listed(f, &(struct ca_list_options){.expiring_within = CLOCK_DAY}, "");
}

static void each_has_its_facts(void **state)
{
    struct fixture *f = *state;
    struct err e = ERR_INIT;
    struct record r = {0};
    json_t *list = NULL;
    fixture_issue(f, "alice");
    fixture_current(f, ROLE_CLIENT, "alice", &r);
    assert_works(ca_list(f->pki, &(struct ca_list_options){.role = "client"}, &list, &e), &e);
    json_t *o = json_array_get(list, 0);
    assert_string_equal(json_string_value(json_object_get(o, "subject")), "CN=alice");
    assert_string_equal(json_string_value(json_object_get(o, "issuer")), "issuing");
    assert_string_equal(json_string_value(json_object_get(o, "fingerprint")), r.fingerprint);
    assert_string_equal(json_string_value(json_object_get(o, "not_before")), "2026-01-01T00:00:00Z");
    assert_string_equal(json_string_value(json_object_get(o, "not_after")), "2027-02-01T23:59:59Z");
    assert_true(json_is_true(json_object_get(o, "current")));
    assert_true(json_is_null(json_object_get(o, "revoked")));
    json_decref(list);
    record_clear(&r);
}

static void one_file_of_each_form(void **state)
{
    struct fixture *f = *state;
    struct err e = ERR_INIT;
    struct buf out = {0};
    fixture_issue(f, "alice");
    assert_works(ca_export(f->pki, "alice", CA_PEM, NULL, &out, &e), &e);
    run_file(&f->run, "out", buf_span(&out));
    assert_runs(&f->run, "cmp out pki/clients/alice/combined.pem");
    buf_clear(&out);
    assert_works(ca_export(f->pki, "clients/alice", CA_DER, NULL, &out, &e), &e);
    run_file(&f->run, "out", buf_span(&out));
    assert_runs(&f->run, "openssl x509 -inform DER -in out | cmp - pki/clients/alice/cert.pem");
    buf_clear(&out);
    assert_works(ca_export(f->pki, "alice", CA_PKCS12, "secret", &out, &e), &e);
    run_file(&f->run, "out", buf_span(&out));
    assert_runs(&f->run, "openssl pkey -in pki/clients/alice/key.pem -out theirs; "
                         "openssl pkcs12 -in out -passin pass:secret -nodes | openssl pkey | cmp - theirs");
    assert_int_not_equal(run(&f->run, "openssl pkcs12 -in out -passin pass:wrong -nodes"), 0);
    buf_clear(&out);
}

static void what_is_not_there_is_not_exported(void **state)
{
    struct fixture *f = *state;
    struct err e = ERR_INIT;
    struct buf out = {0};
    char *expected =
        mem_printf("exporting nobody: there is no \"nobody\" in %s; mtls ca list shows what there is", f->dir);
    assert_fails(ca_export(f->pki, "nobody", CA_PEM, NULL, &out, &e), &e, expected);
    free(expected);
    fixture_issue(f, "alice");
    assert_runs(&f->run, "rm pki/clients/alice/key.pem");
    expected = mem_printf("exporting alice: opening %s/clients/alice/key.pem: No such file or directory", f->dir);
    assert_fails(ca_export(f->pki, "alice", CA_PKCS12, "secret", &out, &e), &e, expected);
    assert_int_equal(out.len, 0);
    free(expected);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_with_ca, fixture_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(filters_combine, fixture_begin, fixture_end),
        TEST(each_has_its_facts),
        TEST(one_file_of_each_form),
        TEST(what_is_not_there_is_not_exported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
