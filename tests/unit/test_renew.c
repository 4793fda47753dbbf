// SPDX-License-Identifier: Apache-2.0
#include "pki_fixture.h"

static void renew(struct fixture *f, const char *name, bool rekey)
{
    struct err e = ERR_INIT;
    struct ca_result result = {0};
    struct ca_issue_options o = {.name = name, .days = CA_DAYS_DEFAULT, .rekey = rekey};
    assert_works(ca_renew(f->pki, &o, &result, &e), &e);
    ca_result_clear(&result);
}

// Everything but serial, dates and signature, by openssl.
static void assert_same_essence(struct fixture *f)
{
    assert_runs(&f->run,
                "for i in old.pem pki/clients/alice/cert.pem; do openssl x509 -in $i -noout -text -certopt "
                "no_serial,no_validity,no_sigdump > $i.text; done; cmp old.pem.text pki/clients/alice/cert.pem.text");
}

static void all_but_serial_and_dates_stays(void **state)
{
    struct fixture *f = *state;
    struct record old = {0};
    struct record new = {0};
    fixture_issue(f, "alice");
    assert_runs(&f->run, "cp pki/clients/alice/cert.pem old.pem");
    fixture_current(f, ROLE_CLIENT, "alice", &old);
    fixture_open(f, DAY_0 + 20 * CLOCK_DAY);
    renew(f, "alice", false);
    fixture_current(f, ROLE_CLIENT, "alice", &new);
    assert_same_essence(f);
    assert_int_equal(new.not_before, DAY_0 + 20 * CLOCK_DAY);
    assert_int_equal(new.not_after - new.not_before, old.not_after - old.not_before);
    assert_string_equal(new.key_id, old.key_id);
    assert_string_equal(new.subject, old.subject);
    assert_int_equal(new.serial.len, SERIAL_SIZE);
    assert_memory_not_equal(new.serial.data, old.serial.data, SERIAL_SIZE);
    assert_int_equal(fixture_judge(f, "clients/alice"), 0);
    record_clear(&old);
    record_clear(&new);
}

static void a_new_key_changes_the_key_identifier_too(void **state)
{
    struct fixture *f = *state;
    struct record old = {0};
    struct record new = {0};
    fixture_issue(f, "alice");
    fixture_current(f, ROLE_CLIENT, "alice", &old);
    renew(f, "alice", true);
    fixture_current(f, ROLE_CLIENT, "alice", &new);
    assert_string_not_equal(new.key_id, old.key_id);
    assert_int_equal(fixture_judge(f, "clients/alice"), 0);
    assert_runs(&f->run, "test \"$(openssl pkey -in pki/clients/alice/key.pem -pubout)\" = "
                         "\"$(openssl x509 -in pki/clients/alice/cert.pem -noout -pubkey)\"");
    record_clear(&old);
    record_clear(&new);
}

// The CA got a key of another type: signature algorithm, issuer and authority key identifier follow.
static void the_ca_as_it_is_now_signs(void **state)
{
    static const char p256[] = "authorities:\n  - {name: root}\n  - {name: issuing, issuer: root}\n";
    static const char p521[] = "authorities:\n  - {name: root}\n"
                               "  - {name: issuing, issuer: root, key: ec-p521, subject: \"CN=other\"}\n";
    struct fixture *f = *state;
    struct err e = ERR_INIT;
    assert_works(fixture_apply(f, p256, false, false, &e), &e);
    fixture_issue(f, "alice");
    assert_works(fixture_apply(f, p521, false, false, &e), &e);
    assert_int_not_equal(fixture_judge(f, "clients/alice"), 0);
    renew(f, "alice", false);
    assert_int_equal(fixture_judge(f, "clients/alice"), 0);
    assert_runs(&f->run, "openssl x509 -in pki/clients/alice/cert.pem -noout -text");
    assert_says(&f->run, "ecdsa-with-SHA512");
    assert_says(&f->run, "Issuer: CN = other");
}

static void nothing_outlives_its_ca(void **state)
{
    struct fixture *f = *state;
    struct err e = ERR_INIT;
    struct record ca = {0};
    struct record r = {0};
    struct ca_result result = {0};
    struct ca_issue_options o = {.name = "alice", .days = 3000000};
    assert_works(fixture_apply(f, "authorities:\n  - {name: root}\n", false, false, &e), &e);
    fixture_issue(f, "alice");
    assert_works(ca_renew(f->pki, &o, &result, &e), &e);
    ca_result_clear(&result);
    fixture_current(f, ROLE_AUTHORITY, "root", &ca);
    fixture_current(f, ROLE_CLIENT, "alice", &r);
    assert_int_equal(r.not_after, ca.not_after);
    record_clear(&ca);
    record_clear(&r);
}

static void generalized_time_from_2050(void **state)
{
    struct fixture *f = *state;
    struct err e = ERR_INIT;
    struct ca_result result = {0};
    struct ca_issue_options o = {.name = "root", .days = CA_DAYS_DEFAULT, .not_after = "2050-01-01"};
    assert_works(fixture_apply(f, "authorities:\n  - {name: root}\n", false, false, &e), &e);
    assert_works(ca_renew(f->pki, &o, &result, &e), &e);
    ca_result_clear(&result);
    assert_runs(&f->run, "openssl asn1parse -in pki/trust.pem | grep -q 'GENERALIZEDTIME *:20500101000000Z'");
    o.not_after = "2049-12-31T23:59:59Z";
    assert_works(ca_renew(f->pki, &o, &result, &e), &e);
    ca_result_clear(&result);
    assert_runs(&f->run, "openssl asn1parse -in pki/trust.pem | grep -q 'UTCTIME *:491231235959Z'");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_with_ca, fixture_end)
#define PLANNED(name) cmocka_unit_test_setup_teardown(name, fixture_begin, fixture_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(all_but_serial_and_dates_stays), TEST(a_new_key_changes_the_key_identifier_too),
        PLANNED(the_ca_as_it_is_now_signs),   PLANNED(nothing_outlives_its_ca),
        PLANNED(generalized_time_from_2050),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
