// SPDX-License-Identifier: Apache-2.0
#include "pki_fixture.h"

static void a_ca_is_loaded_with_its_chain(void **state)
{
    struct fixture *f = *state;
    struct err e = ERR_INIT;
    struct authority *root = NULL;
    struct authority *issuing = NULL;
    struct buf cert = {0};
    assert_int_equal(authority_load(f->pki, "root", &root, &e), 1);
    assert_int_equal(authority_load(f->pki, "issuing", &issuing, &e), 1);
    assert_true(root->is_root && !issuing->is_root);
    assert_int_equal(root->chain.len, 0); // a root is in no chain
    run_read(&f->run, "pki/authorities/issuing/cert.pem", &cert);
    assert_string_equal((char *)issuing->chain.data, (char *)cert.data);
    assert_int_equal(issuing->cert.issuer_id, root->ca_id);
    assert_false(issuing->has_key);
    buf_clear(&cert);
    authority_free(root);
    authority_free(issuing);
}

static void nobody_is_not_found(void **state)
{
    struct fixture *f = *state;
    struct err e = ERR_INIT;
    struct authority *a = NULL;
    fixture_issue(f, "alice");
    assert_int_equal(authority_load(f->pki, "nobody", &a, &e), 0);
    assert_int_equal(authority_load(f->pki, "alice", &a, &e), 0); // a client
    assert_null(a);
    assert_false(err_is_set(&e));
    authority_free(NULL);
}

static void the_key_must_be_the_certificates(void **state)
{
    struct fixture *f = *state;
    struct err e = ERR_INIT;
    struct authority *a = NULL;
    char *expected = mem_printf("%s/authorities/issuing/key.pem is not the key of the authority's certificate; "
                                "mtls pki issues everything below it again",
                                f->dir);
    assert_int_equal(authority_load(f->pki, "issuing", &a, &e), 1);
    assert_works(authority_key(f->pki, a, &e), &e);
    assert_true(a->has_key);
    assert_works(authority_key(f->pki, a, &e), &e); // again is fine
    authority_free(a);
    assert_runs(&f->run, "cp pki/authorities/root/key.pem pki/authorities/issuing/key.pem");
    assert_int_equal(authority_load(f->pki, "issuing", &a, &e), 1);
    assert_fails(authority_key(f->pki, a, &e), &e, expected);
    authority_free(a);
    free(expected);
}

// Same name, same key: same CA, whatever the certificate. Anything else is another.
static void identity_is_subject_and_key(void **state)
{
    struct fixture *f = *state;
    struct err e = ERR_INIT;
    struct record first = {0};
    struct record other = {0};
    int64_t id = -1;
    struct ca_issue_options renew = {.name = "issuing", .days = 10};
    struct ca_result result = {0};
    fixture_current(f, ROLE_AUTHORITY, "issuing", &first);
    assert_works(ca_renew(f->pki, &renew, &result, &e), &e);
    ca_result_clear(&result);
    fixture_current(f, ROLE_AUTHORITY, "issuing", &other);
    assert_works(authority_identity(f->pki->db, &other, &id, &e), &e);
    assert_int_equal(id, first.id);
    other.id = 0; // one that is not on record yet, but of this CA
    assert_works(authority_identity(f->pki->db, &other, &id, &e), &e);
    assert_int_equal(id, first.id);
    other.key_id[0] = other.key_id[0] == '0' ? '1' : '0';
    assert_works(authority_identity(f->pki->db, &other, &id, &e), &e);
    assert_int_equal(id, 0);
    record_clear(&other);
    fixture_current(f, ROLE_AUTHORITY, "issuing", &other);
    free(other.subject);
    other.subject = mem_strdup("CN=other");
    other.id = 0;
    assert_works(authority_identity(f->pki->db, &other, &id, &e), &e);
    assert_int_equal(id, 0);
    record_clear(&first);
    record_clear(&other);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_with_ca, fixture_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_ca_is_loaded_with_its_chain),
        TEST(nobody_is_not_found),
        TEST(the_key_must_be_the_certificates),
        TEST(identity_is_subject_and_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
