// SPDX-License-Identifier: Apache-2.0
// From the words of a command to an entry, an issuer, a record.
#include "ca/daily.h"
#include "pki_fixture.h"

static struct ca_issue_options options(const char *name, const char *profile)
{
    return (struct ca_issue_options){
        .name = name, .profile = profile, .days = CA_DAYS_DEFAULT, .path_length = PATH_LENGTH_NONE};
}

static void profiles_decide_what_is_not_said(void **state)
{
    struct fixture *f = *state;
    struct err e = ERR_INIT;
    struct plan_entry entry;
    struct ca_issue_options o = options("alice", "client");
    assert_works(entry_from_options(f->pki, &o, NULL, &entry, &e), &e);
    assert_int_equal(entry.role, ROLE_CLIENT);
    assert_string_equal(entry.content.subject, "CN=alice");
    assert_int_equal(entry.key, KEY_ec_p256);
    assert_int_equal(entry.content.not_before, DAY_0);
    assert_int_equal(entry.content.not_after, DAY_0 + 397 * CLOCK_DAY - 1);
    assert_int_equal(entry.content.names.count, 1);
    assert_string_equal(entry.content.names.items[0].value, "urn:mtls:client:alice");
    assert_string_equal(entry.content.ext_key_usage[0], "1.3.6.1.5.5.7.3.2");
    assert_null(entry.content.ext_key_usage[1]);
    assert_false(entry.content.is_ca);
    entry_clear(&entry);
    o = options("www.example.com", "server");
    assert_works(entry_from_options(f->pki, &o, NULL, &entry, &e), &e);
    assert_int_equal(entry.content.names.items[0].type, GENERAL_NAME_DNS);
    assert_string_equal(entry.content.names.items[0].value, "www.example.com");
    entry_clear(&entry);
    o = options("sub", "authority");
    o.path_length = 3;
    assert_works(entry_from_options(f->pki, &o, NULL, &entry, &e), &e);
    assert_true(entry.content.is_ca && entry.content.path_length == 3 && entry.content.names.count == 0);
    assert_int_equal(entry.content.not_after, DAY_0 + 3650 * CLOCK_DAY - 1);
    entry_clear(&entry);
}

// What the options say stands before what a request asks for.
static void requested_names_fill_in(void **state)
{
    static const char *const given[] = {"10.0.0.1"};
    struct fixture *f = *state;
    struct err e = ERR_INIT;
    struct plan_entry entry;
    struct general_names requested = {0};
    struct ca_issue_options o = options("web", "server");
    general_names_add(&requested, GENERAL_NAME_DNS, "web.example.com");
    assert_works(entry_from_options(f->pki, &o, &requested, &entry, &e), &e);
    assert_string_equal(entry.content.names.items[0].value, "web.example.com");
    entry_clear(&entry);
    o.names = (struct ca_names){.items = given, .count = 1};
    assert_works(entry_from_options(f->pki, &o, &requested, &entry, &e), &e);
    assert_int_equal(entry.content.names.count, 1);
    assert_int_equal(entry.content.names.items[0].type, GENERAL_NAME_IP);
    entry_clear(&entry);
    general_names_clear(&requested);
    o.names.count = 0;
    general_names_add(&requested, GENERAL_NAME_DNS, "not a name");
    assert_int_equal(entry_from_options(f->pki, &o, &requested, &entry, &e), -1);
    assert_int_equal(e.kind, ERR_REFUSED); // the request is wrong, not the command line
    general_names_clear(&requested);
}

static void wrong_options_are_usage_errors(void **state)
{
    static const char *const bad_name[] = {"a b"};
    struct fixture *f = *state;
    struct ca_issue_options cases[12];
    static const char *const messages[12] = {
        "unknown profile \"admin\" (one of: server, client, authority)",
        "\"../x\" cannot be a name: use letters, digits and . _ @ -, not a dot first",
        "\"\" cannot be a name: use letters, digits and . _ @ -, not a dot first",
        "--key: unknown key type \"rsa-1024\" (one of: ec-p256, ec-p384, ec-p521, rsa-2048, rsa-3072, rsa-4096)",
        "--days takes a number from 1 to 3000000",
        "--days takes a number from 1 to 3000000",
        "--not-after: \"x\" is not a time; write RFC 3339 like 2026-11-23T14:00:00Z, a date, \"now\", +90d, -1h, or "
        "seconds since 1970",
        "the certificate would end before it begins",
        "a validity outside the years 1950 to 9999 cannot be written",
        "--name: dns \"a b\": a space or control character is in it: give the A-labels of a host name (xn--..., RFC "
        "5891)",
        "a server needs --name: the DNS names or IP addresses by which it is called",
        "--subject: TYPE=VALUE is due, such as CN=alice,O=Acme, where \"x\" stands (a comma in a value is written \\,)",
    };
    for (size_t i = 0; i < 12; i++) {
        cases[i] = options("alice", "client");
    }
    cases[0].profile = "admin";
    cases[1].name = "../x";
    cases[2].name = "";
    cases[3].key = "rsa-1024";
    cases[4].days = 0;
    cases[5].days = 3000001;
    cases[6].not_after = "x";
    cases[7].not_after = "-1s";
    cases[8].days = 3000000;
    cases[9].names = (struct ca_names){.items = bad_name, .count = 1};
    cases[10] = options("web_1", "server");
    cases[11].subject = "x";
    for (size_t i = 0; i < 12; i++) {
        struct err e = ERR_INIT;
        struct plan_entry entry;
        assert_int_equal(entry_from_options(f->pki, &cases[i], NULL, &entry, &e), -1);
        assert_string_equal(e.text, messages[i]);
        assert_int_equal(e.kind, ERR_USAGE);
    }
}

static void assert_issuer(struct fixture *f, const char *name, const char *expected, const char *message)
{
    struct err e = ERR_INIT;
    struct authority *a = NULL;
    if (message != NULL) {
        assert_fails(issuer_choose(f->pki, name, &a, &e), &e, message);
        assert_null(a);
        return;
    }
    assert_works(issuer_choose(f->pki, name, &a, &e), &e);
    assert_string_equal(a->name, expected);
    authority_free(a);
}

static void who_issues(void **state)
{
    struct fixture *f = *state;
    struct err e = ERR_INIT;
    struct record r = {0};
    struct ca_result result = {0};
    struct ca_issue_options second = options("second", "authority");
    char *nobody = mem_printf("there is no authority \"nobody\" in %s", f->dir);
    char *ended = mem_printf("%s has no authority that is valid; make one with mtls ca init or mtls pki", f->dir);
    assert_issuer(f, NULL, "issuing", NULL);
    assert_issuer(f, "root", "root", NULL);
    assert_issuer(f, "nobody", NULL, nobody);
    second.issuer = "root";
    assert_works(ca_issue(f->pki, &second, &result, &e), &e);
    ca_result_clear(&result);
    assert_issuer(f, NULL, NULL, "several authorities could issue; choose one with --issuer (one of: issuing, second)");
    fixture_current(f, ROLE_AUTHORITY, "issuing", &r);
    assert_int_equal(
        db_revoke(f->pki->db, r.id, REVOCATION_superseded, DAY_0, CRL_NO_INVALIDITY_DATE, ORIGIN_COMMAND, &e), 0);
    assert_issuer(f, NULL, "second", NULL);
    fixture_open(f, DAY_0 + 4000 * CLOCK_DAY);
    assert_issuer(f, NULL, NULL, ended);
    record_clear(&r);
    free(nobody);
    free(ended);
}

static void who_may_issue(void **state)
{
    struct fixture *f = *state;
    struct err e = ERR_INIT;
    struct authority *a = NULL;
    assert_works(issuer_choose(f->pki, "issuing", &a, &e), &e);
    assert_works(issuer_may_issue(f->pki, a, ROLE_CLIENT, &e), &e);
    assert_fails(
        issuer_may_issue(f->pki, a, ROLE_AUTHORITY, &e), &e,
        "authority issuing may have no authority below it (its path length is 0); choose another with --issuer");
    a->cert.revoked_at = DAY_0;
    assert_fails(issuer_may_issue(f->pki, a, ROLE_CLIENT, &e), &e,
                 "authority issuing is revoked: nobody would take what it issues");
    a->cert.revoked_at = 0;
    a->cert.not_after = DAY_0; // the last second still counts
    assert_works(issuer_may_issue(f->pki, a, ROLE_CLIENT, &e), &e);
    a->cert.not_after = DAY_0 - 1;
    assert_fails(issuer_may_issue(f->pki, a, ROLE_CLIENT, &e), &e,
                 "authority issuing ended (2025-12-31T23:59:59Z); mtls ca renew issuing gives it a new certificate");
    authority_free(a);
    assert_works(issuer_choose(f->pki, "root", &a, &e), &e);
    assert_works(issuer_may_issue(f->pki, a, ROLE_AUTHORITY, &e), &e);
    authority_free(a);
}

static void records_are_found_by_name(void **state)
{
    struct fixture *f = *state;
    struct err e = ERR_INIT;
    struct record r = {0};
    enum role role;
    fixture_issue(f, "issuing");
    assert_fails(record_choose(f->pki, "issuing", NULL, &r, &e), &e,
                 "\"issuing\" is several (authority, client); choose with --role");
    assert_works(record_choose(f->pki, "issuing", "client", &r, &e), &e);
    assert_int_equal(r.role, ROLE_CLIENT);
    record_clear(&r);
    assert_works(record_choose(f->pki, "authorities/issuing", NULL, &r, &e), &e);
    assert_int_equal(r.role, ROLE_AUTHORITY);
    record_clear(&r);
    assert_fails(record_choose(f->pki, "some/file", NULL, &r, &e), &e, "some/file: there is no such file or entry");
    assert_fails(record_choose(f->pki, "issuing", "admin", &r, &e), &e,
                 "unknown role \"admin\" (one of: authority, server, client, flaw)");
    assert_works(role_parse("clients", &role, &e), &e);
    assert_int_equal(role, ROLE_CLIENT);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_with_ca, fixture_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(profiles_decide_what_is_not_said),
        TEST(requested_names_fill_in),
        TEST(wrong_options_are_usage_errors),
        TEST(who_issues),
        TEST(who_may_issue),
        TEST(records_are_found_by_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
