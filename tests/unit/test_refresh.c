// SPDX-License-Identifier: Apache-2.0
// Below a CA that was renewed: the same certificates in new chains.
#include "pki_fixture.h"

static void renew_issuing(struct fixture *f)
{
    struct err e = ERR_INIT;
    struct ca_result result = {0};
    struct ca_issue_options o = {.name = "issuing", .days = 100};
    assert_works(ca_renew(f->pki, &o, &result, &e), &e);
    ca_result_clear(&result);
}

static void chains_follow_the_ca(void **state)
{
    struct fixture *f = *state;
    fixture_issue(f, "alice");
    assert_runs(&f->run, "cp -r pki/clients/alice old");
    renew_issuing(f);
    assert_runs(&f->run,
                "cd pki/clients/alice && cmp cert.pem ../../../old/cert.pem && cmp key.pem ../../../old/key.pem && "
                "cmp chain.pem ../../authorities/issuing/cert.pem && cat cert.pem chain.pem | cmp - fullchain.pem && "
                "cat key.pem fullchain.pem | cmp - combined.pem && ! cmp -s chain.pem ../../../old/chain.pem");
    assert_int_equal(fixture_judge(f, "clients/alice"), 0);
}

// A key of somebody's own goes on lying where it lies, and into no other file.
static void a_key_that_is_not_on_record_is_left_alone(void **state)
{
    struct fixture *f = *state;
    fixture_issue(f, "alice");
    assert_runs(&f->run, "cd pki/clients/alice && cp combined.pem ../../../combined.pem && echo mine > key.pem");
    renew_issuing(f);
    assert_runs(&f->run,
                "cd pki/clients/alice && test $(cat key.pem) = mine && cmp combined.pem ../../../combined.pem && "
                "cmp chain.pem ../../authorities/issuing/cert.pem");
}

// What another CA of that name issued has no place below this one.
static void orphans_are_left_alone(void **state)
{
    static const char plan[] = "authorities:\n  - {name: root}\n  - {name: issuing, issuer: root}\n";
    struct fixture *f = *state;
    struct err e = ERR_INIT;
    fixture_issue(f, "alice");
    assert_runs(&f->run, "rm pki/authorities/issuing/key.pem && cp pki/clients/alice/chain.pem old.pem");
    assert_works(fixture_apply(f, plan, false, false, &e), &e);
    fixture_issue(f, "bob");
    renew_issuing(f);
    assert_runs(&f->run, "cmp old.pem pki/clients/alice/chain.pem && "
                         "cmp pki/clients/bob/chain.pem pki/authorities/issuing/cert.pem");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_with_ca, fixture_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(chains_follow_the_ca),
        TEST(a_key_that_is_not_on_record_is_left_alone),
        TEST(orphans_are_left_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
