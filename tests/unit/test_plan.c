// SPDX-License-Identifier: Apache-2.0
// ca/plan*.c: what a plan comes to. What is wrong with one is in test_plan_errors.c.
#include "base/clock.h"
#include "base/file.h"
#include "ca/plan.h"
#include "unit.h"

#include <mbedtls/x509.h>
#include <stdlib.h>
#include <string.h>

#define NOW INT64_C(1700000000) // 2023-11-14T22:13:20Z
#define DAY INT64_C(86400)
#define CAS "authorities:\n- name: root\n- name: issuing\n  issuer: root\n"
#define CLIENT CAS "clients:\n- name: alice\n  issuer: issuing\n"

static struct plan *plan_at(const char *text, int64_t now)
{
    struct plan *plan = NULL;
    struct err e = ERR_INIT;
    assert_works(plan_read("f", span_of(text, strlen(text)), now, &plan, &e), &e);
    return plan;
}

static struct plan *plan_of(const char *text)
{
    return plan_at(text, NOW);
}

static const struct plan_entry *find(const struct plan *plan, enum role role, const char *name)
{
    const struct plan_entry *entry = plan_find(plan, role, name);
    assert_non_null(entry);
    assert_string_equal(entry->name, name);
    assert_int_equal(entry->role, role);
    return entry;
}

static void assert_names(const struct general_names *names, const char *expected)
{
    struct buf b = {0};
    buf_text(&b, "");
    for (size_t i = 0; i < names->count; i++) {
        buf_printf(&b, "%s%s:%s", i > 0 ? " " : "", general_name_type_word(names->items[i].type),
                   names->items[i].value);
    }
    assert_string_equal((char *)b.data, expected);
    buf_clear(&b);
}

static void test_builtin_is_the_file(void **state)
{
    (void)state;
    struct buf text = {0};
    struct err e = ERR_INIT;
    assert_works(file_read(MTLS_SOURCE_DIR "/configs/pki.yaml", FILE_LIMIT, &text, &e), &e);
    assert_string_equal(plan_builtin, (char *)text.data);
    buf_clear(&text);
}

static void test_builtin_plan(void **state)
{
    (void)state;
    struct plan *plan = plan_of(plan_builtin);
    assert_int_equal(plan->count, 6);
    assert_string_equal(plan->file, "f");
    assert_string_equal(plan->flaw_issuer, "issuing");
    assert_string_equal(plan->flaws[0], "all");
    assert_null(plan->flaws[1]);
    assert_names(&plan->flaw_hosts, "dns:localhost ip:127.0.0.1 ip:::1");
    assert_false(plan->fixed_dates);

    const struct plan_entry *root = find(plan, ROLE_AUTHORITY, "root");
    assert_ptr_equal(root, &plan->entries[0]);
    assert_null(root->issuer);
    assert_string_equal(root->content.subject, "CN=mtls test root");
    assert_true(root->content.is_ca);
    assert_int_equal(root->content.path_length, PATH_LENGTH_NONE);
    assert_int_equal(root->content.key_usage, MBEDTLS_X509_KU_KEY_CERT_SIGN | MBEDTLS_X509_KU_CRL_SIGN);
    assert_null(root->content.ext_key_usage);
    assert_int_equal(root->content.names.count, 0);
    assert_true(root->crl_lifetime == 30 * DAY);
    assert_true(root->content.not_before == NOW);
    assert_true(root->content.not_after == NOW + 3650 * DAY - 1);

    const struct plan_entry *issuing = find(plan, ROLE_AUTHORITY, "issuing");
    assert_string_equal(issuing->issuer, "root");
    assert_int_equal(issuing->content.path_length, 0);

    const struct plan_entry *server = find(plan, ROLE_SERVER, "localhost");
    assert_string_equal(server->issuer, "issuing");
    assert_int_equal(server->key, KEY_ec_p256);
    assert_false(server->content.is_ca);
    assert_names(&server->content.names, "dns:localhost ip:127.0.0.1 ip:::1");
    assert_int_equal(server->content.key_usage, MBEDTLS_X509_KU_DIGITAL_SIGNATURE);
    assert_string_equal(server->content.ext_key_usage[0], "1.3.6.1.5.5.7.3.1");
    assert_null(server->content.ext_key_usage[1]);
    assert_true(server->content.not_after == NOW + 397 * DAY - 1);
    assert_true(server->renew_before == 30 * DAY);
    assert_true(server->relative_dates);

    const struct plan_entry *alice = find(plan, ROLE_CLIENT, "alice");
    assert_names(&alice->content.names, "email:alice@example.com uri:spiffe://example.com/alice");
    assert_string_equal(alice->content.ext_key_usage[0], "1.3.6.1.5.5.7.3.2");
    assert_false(alice->revoked);
    assert_names(&find(plan, ROLE_CLIENT, "bob")->content.names, "uri:urn:mtls:client:bob");

    const struct plan_entry *mallory = find(plan, ROLE_CLIENT, "mallory");
    assert_true(mallory->revoked);
    assert_int_equal(mallory->revocation_reason, REVOCATION_key_compromise);
    assert_true(mallory->revoked_at == NOW);
    assert_true(mallory->invalidity_date == CRL_NO_INVALIDITY_DATE);

    assert_null(plan_find(plan, ROLE_SERVER, "alice"));
    assert_null(plan_find(plan, ROLE_CLIENT, "carol"));
    plan_free(plan);
}

// What the example only shows in comments ("    # days: 1825") is as good as the rest of it.
static void test_comments_of_the_example_are_plans_too(void **state)
{
    (void)state;
    struct buf text = {0};
    for (const char *line = plan_builtin, *end; *line != '\0'; line = end) {
        end = strchr(line, '\n') + 1;
        size_t indent = strspn(line, " ");
        const char *field = line + indent + strspn(line + indent, "#") + strspn(line + indent + 1, " -");
        size_t word = strspn(field, "abcdefghijklmnopqrstuvwxyz_");
        if (indent > 0 && line[indent] == '#' && word > 0 && field[word] == ':') {
            buf_add(&text, line, indent);
            line += indent + strlen("# ");
        }
        buf_add(&text, line, (size_t)(end - line));
    }
    struct plan *plan = plan_of((char *)text.data);
    assert_int_equal(plan->count, 1006);
    assert_int_equal(find(plan, ROLE_AUTHORITY, "issuing")->key, KEY_ec_p384);
    assert_int_equal(find(plan, ROLE_AUTHORITY, "issuing")->content.permitted.count, 6);
    assert_string_equal(find(plan, ROLE_CLIENT, "bob")->content.crl_urls[0], "http://crl.example.com/issuing.crl");
    assert_true(find(plan, ROLE_CLIENT, "mallory")->invalidity_date == INT64_C(1792022400));
    plan_free(plan);
    buf_clear(&text);
}

static void test_issuers_come_first(void **state)
{
    (void)state;
    static const char *const order[] = {"root", "other", "middle", "low", "web", "alice"};
    struct plan *plan = plan_of("clients:\n- {name: alice, issuer: low}\n"
                                "servers:\n- {name: web, issuer: other, names: [web]}\n"
                                "authorities:\n- {name: low, issuer: middle}\n- {name: middle, issuer: root}\n"
                                "- name: root\n- name: other\n");
    assert_int_equal(plan->count, 6);
    for (size_t i = 0; i < plan->count; i++) {
        assert_string_equal(plan->entries[i].name, order[i]);
    }
    assert_int_equal(find(plan, ROLE_AUTHORITY, "low")->content.path_length, 0);
    assert_int_equal(find(plan, ROLE_AUTHORITY, "middle")->content.path_length, PATH_LENGTH_NONE);
    assert_int_equal(find(plan, ROLE_AUTHORITY, "other")->content.path_length, 0);
    assert_int_equal(find(plan, ROLE_AUTHORITY, "low")->line, 6);
    assert_null(plan->flaw_issuer);
    assert_null(plan->flaws);
    plan_free(plan);
}

static void test_every_field_of_an_authority(void **state)
{
    (void)state;
    struct plan *plan = plan_of("defaults: {crl_url: \"http://crl.example/{issuer}.crl\"}\n"
                                "authorities:\n- {name: root, path_length: 3}\n"
                                "- name: ca\n  issuer: root\n  subject: \"CN={name} by {issuer},O=Acme\\\\, Inc.\"\n"
                                "  key: rsa-3072\n  days: 10\n  path_length: 2\n"
                                "  key_usage: [keyCertSign, cRLSign, digitalSignature]\n"
                                "  ext_key_usage: [clientAuth, 1.2.3.4]\n"
                                "  permitted: {dns: [example.com], ip: [10.0.0.0/8], dirname: [O=Acme]}\n"
                                "  excluded: {email: [.example.com], uri: [bad.example.com]}\n"
                                "  constraints_critical: false\n  policies: [1.2.3, 1.2.4]\n  crl_days: 3\n"
                                "  encrypt_key: true\n  renew_before: 9d\n"
                                "  revoked: {reason: ca-compromise, when: -1d, invalidity_date: 2023-11-01}\n");
    const struct plan_entry *ca = find(plan, ROLE_AUTHORITY, "ca");
    const struct certificate_content *c = &ca->content;
    assert_string_equal(c->subject, "CN=ca by root,O=Acme\\, Inc.");
    assert_int_equal(ca->key, KEY_rsa_3072);
    assert_true(c->not_after == NOW + 10 * DAY - 1);
    assert_int_equal(c->path_length, 2);
    assert_int_equal(c->key_usage,
                     MBEDTLS_X509_KU_KEY_CERT_SIGN | MBEDTLS_X509_KU_CRL_SIGN | MBEDTLS_X509_KU_DIGITAL_SIGNATURE);
    assert_string_equal(c->ext_key_usage[0], "1.3.6.1.5.5.7.3.2");
    assert_string_equal(c->ext_key_usage[1], "1.2.3.4");
    assert_null(c->ext_key_usage[2]);
    assert_names(&c->permitted, "dns:example.com ip:10.0.0.0/8 dirname:O=Acme");
    assert_names(&c->excluded, "email:.example.com uri:bad.example.com");
    assert_true(c->constraints_not_critical);
    assert_string_equal(c->policies[1], "1.2.4");
    assert_null(c->policies[2]);
    assert_string_equal(c->crl_urls[0], "http://crl.example/root.crl");
    assert_null(c->crl_urls[1]);
    assert_null(plan->entries[0].content.crl_urls); // no list can revoke a self-signed one
    assert_true(ca->crl_lifetime == 3 * DAY);
    assert_true(ca->encrypt_key);
    assert_true(ca->renew_before == 9 * DAY);
    assert_true(ca->revoked);
    assert_int_equal(ca->revocation_reason, REVOCATION_ca_compromise);
    assert_true(ca->revoked_at == NOW - DAY);
    assert_true(ca->invalidity_date == INT64_C(1698796800));
    plan_free(plan);
}

static void test_servers_and_clients(void **state)
{
    (void)state;
    struct plan *plan =
        plan_of("defaults: {issuer: ca, key: ec-p384, days: 9, subject: \"CN={name},O=T\", crl_url: "
                "\"http://a.example/\"}\n"
                "authorities:\n- name: ca\n"
                "servers:\n- {name: web, key: rsa-2048, names: [\"*.example.com\"], crl_url: \"\"}\n"
                "- {name: dc, dns: [a.example], ip: [\"::1\"], email: [a@b.example], uri: [\"x:{name}\"],\n"
                "   key_usage: [], ext_key_usage: []}\n"
                "clients:\n- {name: alice, subject: \"\", key: rsa-2048, revoked: {}}\n");
    const struct plan_entry *web = find(plan, ROLE_SERVER, "web");
    assert_string_equal(web->issuer, "ca");
    assert_string_equal(web->content.subject, "CN=web,O=T");
    assert_int_equal(web->content.key_usage, MBEDTLS_X509_KU_DIGITAL_SIGNATURE | MBEDTLS_X509_KU_KEY_ENCIPHERMENT);
    assert_null(web->content.crl_urls);
    assert_true(web->renew_before == 3 * DAY); // a third of nine days
    const struct plan_entry *dc = find(plan, ROLE_SERVER, "dc");
    assert_int_equal(dc->key, KEY_ec_p384);
    assert_names(&dc->content.names, "dns:a.example ip:::1 email:a@b.example uri:x:dc");
    assert_int_equal(dc->content.key_usage, 0);
    assert_null(dc->content.ext_key_usage);
    assert_string_equal(dc->content.crl_urls[0], "http://a.example/");
    const struct plan_entry *alice = find(plan, ROLE_CLIENT, "alice");
    assert_string_equal(alice->content.subject, "");
    assert_int_equal(alice->content.key_usage, MBEDTLS_X509_KU_DIGITAL_SIGNATURE);
    assert_int_equal(alice->revocation_reason, REVOCATION_unspecified);
    assert_true(alice->revoked);
    plan_free(plan);
}

static void test_copies(void **state)
{
    (void)state;
    struct plan *plan = plan_of(CAS "clients:\n- name: \"c{n}\"\n  issuer: issuing\n  copies: 1000\n"
                                    "  subject: \"CN={name},OU=no {n}\"\n  names: [\"{name}@example.com\", \"h{n}\"]\n"
                                    "- {name: \"one{n}\", issuer: root, copies: 1}\n");
    assert_int_equal(plan->count, 1003);
    const struct plan_entry *last = find(plan, ROLE_CLIENT, "c1000");
    assert_string_equal(last->content.subject, "CN=c1000,OU=no 1000");
    assert_names(&last->content.names, "email:c1000@example.com dns:h1000");
    assert_string_equal(find(plan, ROLE_CLIENT, "c1")->content.subject, "CN=c1,OU=no 1");
    assert_string_not_equal(find(plan, ROLE_CLIENT, "c1")->spec, last->spec);
    assert_non_null(find(plan, ROLE_CLIENT, "one1"));
    assert_null(plan_find(plan, ROLE_CLIENT, "c1001"));
    plan_free(plan);
}

static void test_dates(void **state)
{
    (void)state;
    static const struct {
        const char *fields;
        int64_t not_before;
        int64_t not_after;
        bool relative;
    } cases[] = {
        {"days: 1", NOW, NOW + DAY - 1, true},
        {"not_before: -10d, days: 30", NOW - 10 * DAY, NOW + 20 * DAY - 1, true},
        {"not_before: -10d, not_after: -1d", NOW - 10 * DAY, NOW - DAY, true},
        {"not_after: 12h", NOW, NOW + DAY / 2, true},
        {"not_before: 2023-12-01, days: 1", INT64_C(1701388800), INT64_C(1701388800) + DAY - 1, false},
        {"not_before: 1950-01-01, not_after: 2030-01-01T00:00:00Z", -INT64_C(631152000), INT64_C(1893456000), false},
        {"not_after: 2030-01-01", NOW, INT64_C(1893456000), false},
        {"days: 5000", NOW, NOW + 3650 * DAY - 1, true}, // as long as its issuer and no longer
        {"not_after: now", NOW, NOW, true},              // one second, inclusive
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char *text = mem_printf("authorities:\n- name: ca\nclients:\n- {name: a, issuer: ca, %s}\n", cases[i].fields);
        struct plan *plan = plan_of(text);
        assert_true(plan->entries[1].content.not_before == cases[i].not_before);
        assert_true(plan->entries[1].content.not_after == cases[i].not_after);
        assert_int_equal(plan->entries[1].relative_dates, cases[i].relative);
        plan_free(plan);
        free(text);
    }
}

static void test_fixed_dates(void **state)
{
    (void)state;
    static const char ca[] = "authorities:\n- {name: ca, not_before: 2020-01-01, not_after: 2040-01-01}\nclients:\n";
    static const struct {
        const char *client;
        bool fixed;
    } cases[] = {
        {"- {name: a, issuer: ca, not_before: 2021-01-01, days: 30}", true},
        {"- {name: a, issuer: ca, not_before: 2021-01-01, not_after: 2022-01-01, revoked: {when: 2021-02-01}}", true},
        {"- {name: a, issuer: ca, not_before: 2021-01-01, days: 30, revoked: {}}", false},
        {"- {name: a, issuer: ca, not_before: 2021-01-01, days: 30, revoked: {when: -1d}}", false},
        {"- {name: a, issuer: ca, not_before: 2021-01-01, days: 30, revoked: {when: 2021-02-01, invalidity_date: "
         "now}}",
         false},
        {"- {name: a, issuer: ca, days: 30}", false},
        {"- {name: a, issuer: ca, not_after: 2039-01-01}", false},
        {"- {name: a, issuer: ca, not_before: 2021-01-01, not_after: +30d}", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char *text = mem_printf("%s%s\n", ca, cases[i].client);
        struct plan *plan = plan_of(text);
        assert_int_equal(plan->fixed_dates, cases[i].fixed);
        if (cases[i].fixed) {
            assert_true(plan->latest_not_before == INT64_C(1609459200));
        }
        plan_free(plan);
        free(text);
    }
}

// The spec of the last entry of a plan.
static char *spec_at(const char *text, int64_t now)
{
    struct plan *plan = plan_at(text, now);
    char *spec = mem_strdup(plan->entries[plan->count - 1].spec);
    assert_int_equal(strlen(spec), 64);
    plan_free(plan);
    return spec;
}

static void assert_spec(const char *a, int64_t now_a, const char *b, int64_t now_b, bool same)
{
    char *spec_a = spec_at(a, now_a);
    char *spec_b = spec_at(b, now_b);
    if ((strcmp(spec_a, spec_b) == 0) != same) {
        fail_msg("%s spec:\n%s---\n%s", same ? "not the same" : "the same", a, b);
    }
    free(spec_a);
    free(spec_b);
}

static void test_what_a_reissue_must_follow_changes_the_spec(void **state)
{
    (void)state;
    static const char *const of_clients[] = {
        "subject: CN=b",
        "key: ec-p384",
        "names: [a.example]",
        "uri: [\"urn:x\"]",
        "days: 396",
        "not_before: -1d",
        "not_after: +30d",
        "not_after: 2024-06-01",
        "not_before: 2023-06-01",
        "key_usage: []",
        "key_usage: [keyAgreement]",
        "ext_key_usage: []",
        "policies: [1.2.3]",
        "ext_key_usage: [1.2.3]",
        "crl_url: \"http://a.example/\"",
    };
    static const char *const of_authorities[] = {
        "path_length: 1",
        "encrypt_key: true",
        "permitted: {dns: [a.example]}",
        "excluded: {dns: [a.example]}",
        "excluded: {email: [a.example]}",
        "excluded: {dns: [a.example]}\n  constraints_critical: false",
        "key_usage: [cRLSign, keyCertSign, digitalSignature]",
        "ext_key_usage: [clientAuth]",
        "days: 3649",
    };
    for (size_t i = 0; i < sizeof of_clients / sizeof of_clients[0]; i++) {
        char *text = mem_printf(CLIENT "  %s\n", of_clients[i]);
        assert_spec(CLIENT, NOW, text, NOW, false);
        assert_spec(text, NOW, text, NOW, true);
        free(text);
    }
    for (size_t i = 0; i < sizeof of_authorities / sizeof of_authorities[0]; i++) {
        char *text = mem_printf(CAS "  %s\n", of_authorities[i]);
        assert_spec(CAS, NOW, text, NOW, false);
        free(text);
    }
    assert_spec(CAS "clients:\n- {name: alice, issuer: root}\n", NOW, CLIENT, NOW, false);
    assert_spec(CAS "  excluded: {dns: [a.example]}\n", NOW, CAS "  permitted: {dns: [a.example]}\n", NOW, false);
    assert_spec(CLIENT "  names: [a.example, b.example]\n", NOW, CLIENT "  names: [a.example]\n", NOW, false);
    assert_spec(CLIENT "defaults: {key: ec-p384}\n", NOW, CLIENT, NOW, false);
}

static void test_what_needs_no_reissue_keeps_the_spec(void **state)
{
    (void)state;
    static const char *const of_clients[] = {
        "renew_before: 1d",
        "revoked: {reason: superseded}",
        "subject: \" CN = alice\"", // the same name, written otherwise
        "key: ec-p256",
        "days: 397",
        "not_before: now",
        "uri: [\"urn:mtls:client:{name}\"]",
        "ext_key_usage: [1.3.6.1.5.5.7.3.2]",
    };
    for (size_t i = 0; i < sizeof of_clients / sizeof of_clients[0]; i++) {
        char *text = mem_printf(CLIENT "  %s\n", of_clients[i]);
        assert_spec(CLIENT, NOW, text, NOW, true);
        free(text);
    }
    assert_spec(CAS, NOW, CAS "  crl_days: 3\n", NOW, true);
    assert_spec(CAS, NOW, CAS "  path_length: 0\n", NOW, true);
}

static void test_tomorrow_is_the_same_spec(void **state)
{
    (void)state;
    static const char *const fields[] = {
        "days: 30",
        "days: 5000", // cut to its issuer's end
        "not_before: -1d\n  not_after: +1d",
        "not_before: 2023-06-01\n  not_after: +1d",
        "not_before: 2023-06-01\n  days: 1000",
        "not_after: 2030-01-01",
    };
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        char *text = mem_printf(CLIENT "  %s\n", fields[i]);
        assert_spec(text, NOW, text, NOW + DAY + 17, true);
        free(text);
    }
    // An issuer that ends on a fixed day cuts more off every day, and still nothing was edited.
    static const char fixed_ca[] = "authorities:\n- {name: ca, not_after: 2024-01-01}\n"
                                   "clients:\n- {name: a, issuer: ca}\n";
    assert_spec(fixed_ca, NOW, fixed_ca, NOW + DAY, true);
}

// Whatever the text, there is a plan or an error, and (with the sanitizers) no leak.
static void try(const char *text, size_t len, size_t *plans)
{
    struct plan *plan;
    struct err e = ERR_INIT;
    char *exact = malloc(len > 0 ? len : 1); // so that a read beyond the end is seen
    memcpy(exact, text, len);
    int rc = plan_read("f", span_of(exact, len), NOW, &plan, &e);
    assert_int_equal(rc == 0, plan != NULL);
    assert_int_equal(rc == 0, !err_is_set(&e));
    *plans += rc == 0;
    plan_free(plan);
    free(exact);
}

static void test_damaged_files(void **state)
{
    (void)state;
    static const char marks[] = "{}[]:,\"'&*!|>%@#-?\n\t 0\xff";
    size_t len = strlen(plan_builtin);
    size_t plans = 0;
    char *copy = mem_strdup(plan_builtin);
    for (size_t i = 0; i <= len; i++) {
        try(copy, i, &plans);
    }
    assert_in_range(plans, 1, len); // some truncations are plans, the empty one is not
    for (size_t i = 0; i < len; i++) {
        copy[i] = marks[i % (sizeof marks - 1)];
        try(copy, len, &plans);
        copy[i] = plan_builtin[i];
    }
    free(copy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_builtin_is_the_file),
        cmocka_unit_test(test_builtin_plan),
        cmocka_unit_test(test_comments_of_the_example_are_plans_too),
        cmocka_unit_test(test_issuers_come_first),
        cmocka_unit_test(test_every_field_of_an_authority),
        cmocka_unit_test(test_servers_and_clients),
        cmocka_unit_test(test_copies),
        cmocka_unit_test(test_dates),
        cmocka_unit_test(test_fixed_dates),
        cmocka_unit_test(test_what_a_reissue_must_follow_changes_the_spec),
        cmocka_unit_test(test_what_needs_no_reissue_keeps_the_spec),
        cmocka_unit_test(test_tomorrow_is_the_same_spec),
        cmocka_unit_test(test_damaged_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
