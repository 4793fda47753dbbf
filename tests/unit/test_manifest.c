// SPDX-License-Identifier: Apache-2.0
// What manifest.json expects of each certificate. tests/e2e/manifest.bats holds it against the files and openssl.
#include "pki_fixture.h"

#include <jansson.h>

static void apply(struct fixture *f, const char *plan)
{
    struct err e = ERR_INIT;
    assert_works(fixture_apply(f, plan, false, false, &e), &e);
}

static json_t *load(struct fixture *f)
{
    char *path = mem_printf("%s/manifest.json", f->dir);
    json_error_t why;
    json_t *root = json_load_file(path, JSON_REJECT_DUPLICATES, &why);
    assert_non_null(root);
    free(path);
    return root;
}

static void assert_expects(struct fixture *f, const char *directory, const char *expected)
{
    json_t *root = load(f);
    size_t i;
    json_t *o;
    const char *reason = NULL;
    const char *verdict = NULL;
    const char *found = NULL;
    json_array_foreach(json_object_get(root, "artefacts"), i, o)
    {
        found = json_string_value(json_object_get(o, "directory"));
        if (found != NULL && strcmp(found, directory) == 0) {
            assert_int_equal(json_unpack(o, "{s:{s:s, s:s}}", "expect", "verdict", &verdict, "reason", &reason), 0);
            break;
        }
    }
    assert_non_null(reason);
    assert_string_equal(reason, expected);
    assert_string_equal(verdict, strcmp(expected, "ok") == 0 ? "accepted" : "refused");
    json_decref(root);
}

#define CAS                                                                                                            \
    "authorities:\n"                                                                                                   \
    "  - {name: root}\n"                                                                                               \
    "  - {name: issuing, issuer: root}\n"

static void each_certificate_has_its_reason(void **state)
{
    struct fixture *f = *state;
    apply(f, CAS "servers:\n"
                 "  - {name: s, issuer: issuing, names: [localhost]}\n"
                 "  - {name: s2, issuer: issuing, names: [localhost], ext_key_usage: [clientAuth]}\n"
                 "clients:\n"
                 "  - {name: good, issuer: issuing}\n"
                 "  - {name: revoked, issuer: issuing, revoked: {}}\n"
                 "  - {name: old, issuer: root, not_before: 2025-01-01, not_after: 2025-02-01}\n"
                 "  - {name: early, issuer: issuing, not_before: +1d}\n"
                 "  - {name: noku, issuer: issuing, key_usage: []}\n"
                 "  - {name: ku, issuer: issuing, key_usage: [keyAgreement]}\n"
                 "  - {name: noeku, issuer: issuing, ext_key_usage: []}\n"
                 "  - {name: both, issuer: issuing, ext_key_usage: [serverAuth, clientAuth]}\n"
                 "flaws: {issuer: issuing, cases: [expired, no_certificate]}\n");
    assert_expects(f, "authorities/root", "leaf_is_ca");
    assert_expects(f, "servers/s", "ok");
    assert_expects(f, "servers/s2", "ext_key_usage");
    assert_expects(f, "clients/good", "ok");
    assert_expects(f, "clients/revoked", "cert_revoked");
    assert_expects(f, "clients/old", "cert_expired");
    assert_expects(f, "clients/early", "cert_not_yet_valid");
    assert_expects(f, "clients/noku", "ok");
    assert_expects(f, "clients/ku", "key_usage");
    assert_expects(f, "clients/noeku", "ext_key_usage");
    assert_expects(f, "clients/both", "ok");
    assert_expects(f, "flaws/client-expired", "cert_expired");
    assert_expects(f, "flaws/client-expired/control", "ok");
    assert_expects(f, "flaws/client-no_certificate/control", "ok");
    json_t *root = load(f);
    assert_int_equal(json_array_size(json_object_get(root, "artefacts")), 12 + 4 + 2);
    assert_true(json_is_false(json_object_get(root, "insecure")));
    json_decref(root);
}

static void a_bad_ca_spoils_what_is_below(void **state)
{
    struct fixture *f = *state;
    apply(f, CAS "clients:\n  - {name: a, issuer: issuing}\n");
    assert_expects(f, "clients/a", "ok");
    apply(f, "authorities:\n"
             "  - {name: root}\n"
             "  - {name: issuing, issuer: root, revoked: {}}\n"
             "clients:\n  - {name: a, issuer: issuing}\n");
    assert_expects(f, "clients/a", "cert_revoked");
}

// What a CA issued before it got another key is on no list any more.
static void a_ca_that_is_no_more(void **state)
{
    struct fixture *f = *state;
    apply(f, CAS);
    fixture_issue(f, "carol");
    assert_expects(f, "clients/carol", "ok"); // the command wrote it
    assert_runs(&f->run, "rm pki/authorities/issuing/key.pem");
    apply(f, CAS);
    assert_expects(f, "clients/carol", "crl_signature");
    apply(f, "authorities:\n"
             "  - {name: root}\n"
             "  - {name: issuing, issuer: root, subject: CN=new}\n");
    assert_expects(f, "clients/carol", "crl_missing");
}

// One certificate must not cost more the more there are: a large manifest goes until mtls pki writes it again.
static void a_large_one_is_not_written_by_a_command(void **state)
{
    struct fixture *f = *state;
    apply(f, CAS "clients:\n  - {name: \"c-{n}\", issuer: issuing, copies: 1000}\n");
    assert_runs(&f->run, "test $(stat -c %%s pki/manifest.json) -gt 524288");
    fixture_issue(f, "carol");
    assert_runs(&f->run, "test ! -e pki/manifest.json");
    apply(f, CAS "clients:\n  - {name: \"c-{n}\", issuer: issuing, copies: 1000}\n");
    assert_int_equal(f->report.files, 1);
    assert_expects(f, "clients/carol", "ok");
}

static void without_a_plan_there_is_none(void **state)
{
    struct fixture *f = *state;
    struct err e = ERR_INIT;
    struct ca_issue_options root = {
        .name = "root", .profile = "authority", .days = CA_DAYS_DEFAULT, .path_length = PATH_LENGTH_NONE};
    assert_works(ca_init(f->pki, &root, NULL, &e), &e);
    fixture_issue(f, "carol");
    assert_runs(&f->run, "test ! -e pki/manifest.json");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_begin, fixture_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(each_certificate_has_its_reason),         TEST(a_bad_ca_spoils_what_is_below), TEST(a_ca_that_is_no_more),
        TEST(a_large_one_is_not_written_by_a_command), TEST(without_a_plan_there_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
