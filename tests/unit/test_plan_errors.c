// SPDX-License-Identifier: Apache-2.0
// ca/plan*.c: what is wrong with a plan is said with the line, the path and what would be right.
#include "ca/plan.h"
#include "unit.h"

#include <string.h>

#define NOW INT64_C(1700000000) // 2023-11-14T22:13:20Z
#define CAS "authorities:\n- name: root\n- name: issuing\n  issuer: root\n"
#define CLIENT CAS "clients:\n- name: alice\n  issuer: issuing\n"
#define FLAWS CAS "flaws:\n"

struct error_case {
    const char *text;
    const char *error;
};

static void assert_errors(const struct error_case *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct plan *plan;
        struct err e = ERR_INIT;
        assert_fails(plan_read("f", span_of(cases[i].text, strlen(cases[i].text)), NOW, &plan, &e), &e, cases[i].error);
        assert_null(plan);
    }
}

static void test_structure_and_issuers(void **state)
{
    (void)state;
    static const struct error_case cases[] = {
        {"{}\n", "f:1: the field \"authorities\" is missing"},
        {"authorities: []\n", "f:1: authorities: it must have at least 1 item"},
        {"authorities:\n- {}\n", "f:2: authorities[0]: the field \"name\" is missing"},
        {"authorites:\n- name: root\n", "f:1: authorites: unknown field (did you mean \"authorities\"?) (and 1 more)"},
        {"authorities:\n- name: .root\n", "f:2: authorities[0].name: \".root\" cannot be a name; use up to 128 "
                                          "letters, digits and . _ @ -, not starting with a dot"},
        {"authorities:\n- name: \"\"\n", "f:2: authorities[0].name: \"\" cannot be a name; use up to 128 letters, "
                                         "digits and . _ @ -, not starting with a dot (and 1 more)"},
        {"authorities:\n- name: a/b\n", "f:2: authorities[0].name: \"a/b\" cannot be a name; use up to 128 letters, "
                                        "digits and . _ @ -, not starting with a dot"},
        {"authorities:\n- name: \"a b\"\n", "f:2: authorities[0].name: \"a b\" cannot be a name; use up to 128 "
                                            "letters, digits and . _ @ -, not starting with a dot"},
        {CAS "- name: issuing\n",
         "f:5: authorities[2].name: the name \"issuing\" is taken by authorities[1] in line 3"},
        {CAS "- name: other\n  issuer: isuing\n",
         "f:6: authorities[2].issuer: unknown authority \"isuing\" (did you mean \"issuing\"?)"},
        {CAS "- name: other\n  issuer: quite-different\n",
         "f:6: authorities[2].issuer: unknown authority \"quite-different\" (one of: root, issuing, other)"},
        {"authorities:\n- name: a\n  issuer: b\n- name: b\n  issuer: c\n- name: c\n  issuer: b\n",
         "f:5: authorities[1].issuer: an issuer loop: b -> c -> b (a self-signed authority has no issuer field)"},
        {"authorities:\n- name: a\n  issuer: a\n",
         "f:3: authorities[0].issuer: an issuer loop: a -> a (a self-signed authority has no issuer field)"},
        {CAS "clients:\n- name: alice\n  issuer: bob\n- name: bob\n  issuer: issuing\n",
         "f:7: clients[0].issuer: \"bob\" is not an authority"},
        {CAS "clients:\n- name: alice\n",
         "f:6: clients[0]: the field \"issuer\" is missing; name an authority here or in defaults"},
        {CAS "defaults: {issuer: isuing}\nclients:\n- name: alice\n- name: bob\n",
         "f:5: defaults.issuer: unknown authority \"isuing\" (did you mean \"issuing\"?)"},
        {CLIENT "- name: bob\n  issuer: issuing\n- name: alice\n  issuer: root\n",
         "f:10: clients[2].name: the name \"alice\" is taken by clients[0] in line 6"},
    };
    assert_errors(cases, sizeof cases / sizeof cases[0]);
}

static void test_who_it_is(void **state)
{
    (void)state;
    static const struct error_case cases[] = {
        {CAS "servers:\n- name: web\n  issuer: issuing\n  names: [web]\nclients:\n- name: alice\n  issuer: web\n",
         "f:11: clients[0].issuer: \"web\" is not an authority"},
        {CAS "servers:\n- name: web\n  issuer: issuing\n",
         "f:6: servers[0]: a server needs a name to be reached by, such as names: [localhost]"},
        {CAS "servers:\n- name: web\n  issuer: issuing\n  names: []\n",
         "f:6: servers[0]: a server needs a name to be reached by, such as names: [localhost]"},
        {CLIENT "  sbject: CN=a\n", "f:8: clients[0].sbject: unknown field (did you mean \"subject\"?)"},
        {CLIENT "  subject: alice\n", "f:8: clients[0].subject: TYPE=VALUE is due, such as CN=alice,O=Acme, where "
                                      "\"alice\" stands (a comma in a value is written \\,)"},
        {CLIENT "  subject: \"XX=alice\"\n",
         "f:8: clients[0].subject: unknown attribute \"XX\" (one of: CN, C, ST, L, street, O, OU, title, SN, GN, "
         "initials, serialNumber, dnQualifier, pseudonym, generationQualifier, UID, DC, emailAddress, postalCode, "
         "organizationIdentifier; or a dotted object identifier)"},
        {"authorities:\n- name: root\n  subject: \"\"\n",
         "f:3: authorities[0].subject: an authority cannot have an empty subject (RFC 5280 section 4.1.2.6)"},
        {CLIENT "  key: ec-p255\n", "f:8: clients[0].key: unknown key type \"ec-p255\" (one of: ec-p256, ec-p384, "
                                    "ec-p521, rsa-2048, rsa-3072, rsa-4096)"},
        {CAS "defaults:\n  key: ec-p255\n", "f:6: defaults.key: unknown key type \"ec-p255\" (one of: ec-p256, "
                                            "ec-p384, ec-p521, rsa-2048, rsa-3072, rsa-4096)"},
        {CLIENT "  names: [\"a b\"]\n", "f:8: clients[0].names[0]: dns \"a b\": a space or control character is in it: "
                                        "give the A-labels of a host name (xn--..., RFC 5891)"},
        {CLIENT "  dns: [good.example, -bad.example]\n",
         "f:8: clients[0].dns[1]: dns \"-bad.example\": label \"-bad\" must be letters, digits and inner hyphens"},
        {CLIENT "  ip: [1.2.3]\n",
         "f:8: clients[0].ip[0]: ip \"1.2.3\": an IPv4 or IPv6 address is due, such as 127.0.0.1 or ::1"},
        {CLIENT "  email: [alice]\n",
         "f:8: clients[0].email[0]: email \"alice\": one @ is due, between mailbox and host: alice@example.com"},
        {CLIENT "  uri: [alice]\n",
         "f:8: clients[0].uri[0]: uri \"alice\": a URI starts with a scheme, such as https: or urn:"},
        {CAS "  names: [a]\n", "f:5: authorities[1].names: only servers and clients have this field"},
    };
    assert_errors(cases, sizeof cases / sizeof cases[0]);
}

static void test_usage(void **state)
{
    (void)state;
    static const struct error_case cases[] = {
        {CLIENT "  path_length: 0\n", "f:8: clients[0].path_length: only authorities have this field"},
        {CLIENT "  permitted: {dns: [a.example]}\n", "f:8: clients[0].permitted: only authorities have this field"},
        {CLIENT "  excluded: {}\n", "f:8: clients[0].excluded: only authorities have this field"},
        {CLIENT "  encrypt_key: true\n", "f:8: clients[0].encrypt_key: only authorities have this field"},
        {CLIENT "  crl_days: 3\n", "f:8: clients[0].crl_days: only authorities have this field"},
        {CAS "  path_length: -1\n", "f:5: authorities[1].path_length: -1 is out of range (0 to 100)"},
        {"authorities:\n- name: root\n  path_length: 0\n- name: issuing\n  issuer: root\n",
         "f:3: authorities[0].path_length: 0 is too small: the plan has 1 level of authorities below"},
        {"authorities:\n- name: root\n  path_length: 1\n- name: a\n  issuer: root\n- name: b\n  issuer: a\n",
         "f:3: authorities[0].path_length: 1 is too small: the plan has 2 levels of authorities below"},
        {CAS "  permitted: {dns: [\"a b\"]}\n",
         "f:5: authorities[1].permitted.dns[0]: dns \"a b\": a space or control character is in it: give the A-labels "
         "of a host name (xn--..., RFC 5891)"},
        {CAS "  excluded: {ip: [10.0.0.0]}\n", "f:5: authorities[1].excluded.ip[0]: ip \"10.0.0.0\": a constraint has "
                                               "a prefix length: 10.0.0.0/32 is this address alone"},
        {CAS "  excluded: {ips: [10.0.0.0/8]}\n",
         "f:5: authorities[1].excluded.ips: unknown field (did you mean \"ip\"?)"},
        {CAS "  constraints_critical: false\n",
         "f:5: authorities[1].constraints_critical: there is nothing in permitted or excluded"},
        {CLIENT "  key_usage: [keyCertSign]\n",
         "f:8: clients[0].key_usage: keyCertSign is only for authorities (RFC 5280 section 4.2.1.9)"},
        {CLIENT "  key_usage: [digital-signature]\n",
         "f:8: clients[0].key_usage[0]: unknown word \"digital-signature\" (did you mean \"digitalSignature\"?)"},
        {CLIENT "  key_usage: [key_cert_sign]\n",
         "f:8: clients[0].key_usage[0]: unknown word \"key_cert_sign\" (did you mean \"keyCertSign\"?)"},
        {CLIENT "  key_usage: [encipherOnly]\n", "f:8: clients[0].key_usage: encipherOnly and decipherOnly mean "
                                                 "nothing without keyAgreement (RFC 5280 section 4.2.1.3)"},
        {CLIENT "  key_usage: [keyEncipherment]\n",
         "f:8: clients[0].key_usage: keyEncipherment and dataEncipherment are not for EC keys (RFC 8813 section 3)"},
        {CAS "  key_usage: []\n", "f:5: authorities[1].key_usage: an authority needs keyCertSign and cRLSign: it signs "
                                  "certificates and revocation lists"},
        {CAS "  key_usage: [keyCertSign]\n", "f:5: authorities[1].key_usage: an authority needs keyCertSign and "
                                             "cRLSign: it signs certificates and revocation lists"},
        {CLIENT "  ext_key_usage: [serverauth]\n",
         "f:8: clients[0].ext_key_usage[0]: unknown word \"serverauth\" (did you mean \"serverAuth\"?)"},
        {CLIENT "  ext_key_usage: [clientAuth, nothing-like-it]\n",
         "f:8: clients[0].ext_key_usage[1]: unknown word \"nothing-like-it\" (one of: serverAuth, clientAuth, "
         "codeSigning, emailProtection, timeStamping, OCSPSigning, anyExtendedKeyUsage, a dotted OID)"},
        {CLIENT "  ext_key_usage: [1.2.x]\n",
         "f:8: clients[0].ext_key_usage[0]: \"1.2.x\" is not an object identifier such as 1.3.6.1.5.5.7.3.2"},
        {CLIENT "  policies: [anything]\n",
         "f:8: clients[0].policies[0]: \"anything\" is not an object identifier such as 1.3.6.1.5.5.7.3.2"},
        {CLIENT "  crl_url: nonsense\n",
         "f:8: clients[0].crl_url: uri \"nonsense\": a URI starts with a scheme, such as https: or urn:"},
        {CAS "  crl_days: 0\n", "f:5: authorities[1].crl_days: 0 is out of range (1 to 3650)"},
        {CAS "defaults: {crl_days: 10000}\n", "f:5: defaults.crl_days: 10000 is out of range (1 to 3650)"},
    };
    assert_errors(cases, sizeof cases / sizeof cases[0]);
}

static void test_dates(void **state)
{
    (void)state;
    static const struct error_case cases[] = {
        {"defaults: {days: 3}\n", "f:1: the field \"authorities\" is missing"},
        {CLIENT "  days: 0\n", "f:8: clients[0].days: 0 is out of range (1 to 3000000)"},
        {CLIENT "  days: many\n", "f:8: clients[0].days: expected a whole number, found \"many\""},
        {CLIENT "  days: 3000000\n",
         "f:8: clients[0].days: the time is out of range (1950-01-01T00:00:00Z to 9999-12-31T23:59:59Z)"},
        {CAS "defaults: {days: -1}\nclients:\n- {name: a, issuer: root}\n",
         "f:5: defaults.days: -1 is out of range (1 to 3000000)"},
        {CAS "defaults: {ca_days: 0}\n", "f:5: defaults.ca_days: 0 is out of range (1 to 3000000)"},
        {CLIENT "  days: 3\n  not_after: +3d\n", "f:8: clients[0].days: give days or not_after, not both"},
        {CLIENT "  not_before: yesterday\n",
         "f:8: clients[0].not_before: \"yesterday\" is not a time; write RFC 3339 like 2026-11-23T14:00:00Z, a date, "
         "\"now\", +90d, -1h, or seconds since 1970"},
        {CLIENT "  not_before: 1949-12-31\n",
         "f:8: clients[0].not_before: the time is out of range (1950-01-01T00:00:00Z to 9999-12-31T23:59:59Z)"},
        {CLIENT "  not_before: +3d\n  not_after: +1d\n",
         "f:9: clients[0].not_after: 2023-11-15T22:13:20Z is before not_before (2023-11-17T22:13:20Z)"},
        {CLIENT "  not_after: 2100-01-01\n",
         "f:8: clients[0].not_after: 2100-01-01T00:00:00Z is after its issuer \"issuing\" ends (2033-11-11T22:13:19Z)"},
        {"authorities:\n- name: root\n  not_after: 2100-01-01\n- name: issuing\n  issuer: root\n  not_after: "
         "2101-01-01\n",
         "f:6: authorities[1].not_after: 2101-01-01T00:00:00Z is after its issuer \"root\" ends "
         "(2100-01-01T00:00:00Z)"},
        {"authorities:\n- name: root\n  not_before: 2020-01-01\nclients:\n- name: a\n  issuer: root\n  not_before: "
         "2019-01-01\n  days: 30\n",
         "f:7: clients[0].not_before: 2019-01-01T00:00:00Z is before its issuer \"root\" begins "
         "(2020-01-01T00:00:00Z)"},
        {"authorities:\n- name: root\n  not_before: 2020-01-01\n  days: 30\nclients:\n- name: a\n  issuer: root\n",
         "f:7: clients[0].issuer: \"root\" ends (2020-01-30T23:59:59Z) before this begins (2023-11-14T22:13:20Z)"},
        {"authorities:\n- name: root\n  not_before: 2020-01-01\n  days: 30\nclients:\n- name: a\n  issuer: root\n  "
         "not_before: 2020-01-10\n  days: 30\n",
         "f:9: clients[0].days: 2020-02-08T23:59:59Z is after its issuer \"root\" ends (2020-01-30T23:59:59Z)"},
        {CLIENT "  days: 10\n  renew_before: 10d\n",
         "f:9: clients[0].renew_before: it would always be renewed: it lives only 864000 seconds"},
        {CLIENT "  renew_before: soon\n",
         "f:8: clients[0].renew_before: \"soon\" is not a duration; write it like 90d, 12h or 3600"},
        {CAS "defaults: {renew_before: -3d}\n",
         "f:5: defaults.renew_before: \"-3d\" is not a duration; write it like 90d, 12h or 3600"},
        {CLIENT "  key: ec-p255\n  days: 0\n  dns: [-a]\n",
         "f:8: clients[0].key: unknown key type \"ec-p255\" (one of: ec-p256, ec-p384, ec-p521, rsa-2048, rsa-3072, "
         "rsa-4096) (and 2 more)"},
    };
    assert_errors(cases, sizeof cases / sizeof cases[0]);
}

static void test_revocation_and_copies(void **state)
{
    (void)state;
    static const struct error_case cases[] = {
        {"authorities:\n- name: \"{name}\"\n",
         "f:2: authorities[0].name: unknown placeholder \"{name}\" (one of: {n} with copies)"},
        {"authorities:\n- name: \"ca-{n}\"\n", "f:2: authorities[0].name: \"{n}\" is only for an entry with copies"},
        {CLIENT "  subject: \"CN={nmae}\"\n",
         "f:8: clients[0].subject: unknown placeholder \"{nmae}\" (one of: {name}, {issuer}, {n} with copies)"},
        {CLIENT "  subject: \"CN={n}\"\n", "f:8: clients[0].subject: \"{n}\" is only for an entry with copies"},
        {CLIENT "  subject: \"CN={name\"\n",
         "f:8: clients[0].subject: unknown placeholder \"{name\" (one of: {name}, {issuer}, {n} with copies)"},
        {CAS "defaults: {subject: \"CN={nmae}\"}\n",
         "f:5: defaults.subject: unknown placeholder \"{nmae}\" (one of: {name}, {issuer}, {n} with copies)"},
        {CLIENT "  names: [\"{n}.example\"]\n", "f:8: clients[0].names[0]: \"{n}\" is only for an entry with copies"},
        {CAS "  copies: 3\n", "f:5: authorities[1].copies: only servers and clients have this field"},
        {"authorities:\n- name: root\n  revoked: {}\n", "f:3: authorities[0].revoked: a self-signed authority cannot "
                                                        "be revoked, as no list can say so; remove it from the plan"},
        {CLIENT "  revoked: true\n", "f:8: clients[0].revoked: expected a mapping of fields to values, found \"true\""},
        {CLIENT "  revoked: {reason: keyCompromised}\n",
         "f:8: clients[0].revoked.reason: unknown revocation reason \"keyCompromised\" (one of: unspecified, "
         "keyCompromise, cACompromise, affiliationChanged, superseded, cessationOfOperation, certificateHold, "
         "privilegeWithdrawn, aACompromise)"},
        {CLIENT "  revoked: {reason: removeFromCRL}\n",
         "f:8: clients[0].revoked.reason: removeFromCRL is for delta lists only, which are not made here"},
        {CLIENT "  revoked: {when: 1970-01-01}\n",
         "f:8: clients[0].revoked.when: the time is out of range (1970-01-01T00:00:01Z to 9999-12-31T23:59:59Z)"},
        {CLIENT "  revoked: {invalidity_date: once}\n",
         "f:8: clients[0].revoked.invalidity_date: \"once\" is not a time; write RFC 3339 like 2026-11-23T14:00:00Z, a "
         "date, \"now\", +90d, -1h, or seconds since 1970"},
        {CLIENT "  copies: 2\n", "f:6: clients[0].name: copies need {n} in their name, such as \"alice-{n}\""},
        {CLIENT "  copies: 0\n", "f:8: clients[0].copies: 0 is out of range (1 to 100000)"},
        {CLIENT "  copies: 100001\n", "f:8: clients[0].copies: 100001 is out of range (1 to 100000)"},
        {CAS "clients:\n- name: \"a{n}\"\n  issuer: root\n  copies: 1000\n  dns: [-bad]\n",
         "f:9: clients[0].dns[0]: dns \"-bad\": label \"-bad\" must be letters, digits and inner hyphens"},
        {CAS "clients:\n- name: \"a{n}\"\n  issuer: root\n  copies: 10\n- name: a7\n  issuer: root\n",
         "f:9: clients[1].name: the name \"a7\" is taken by clients[0] in line 6"},
    };
    assert_errors(cases, sizeof cases / sizeof cases[0]);
}

static void test_flaws(void **state)
{
    (void)state;
    static const struct error_case cases[] = {
        {FLAWS "  cases: [all]\n", "f:5: flaws: the field \"issuer\" is missing"},
        {FLAWS "  issuer: isuing\n", "f:6: flaws.issuer: unknown authority \"isuing\" (did you mean \"issuing\"?)"},
        {FLAWS "  issuer: issuing\n  cases: all\n",
         "f:7: flaws.cases: expected a list, found \"all\"; write [\"all\"]"},
        {FLAWS "  issuer: issuing\n  cases: [expired, expird]\n",
         "f:7: flaws.cases[1]: unknown flaw \"expird\" (did you mean \"expired\"?)"},
        {FLAWS "  issuer: issuing\n  cases: [expired, expired]\n", "f:7: flaws.cases[1]: \"expired\" is given twice"},
        {FLAWS "  issuer: issuing\n  names: [localhost, \"a b\"]\n",
         "f:7: flaws.names[1]: dns \"a b\": a space or control character is in it: give the A-labels of a host name "
         "(xn--..., RFC 5891)"},
        {FLAWS "  issuer: issuing\n  names: []\n",
         "f:7: flaws.names: the servers' certificates need a name, such as [localhost]"},
    };
    assert_errors(cases, sizeof cases / sizeof cases[0]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_structure_and_issuers),
        cmocka_unit_test(test_who_it_is),
        cmocka_unit_test(test_usage),
        cmocka_unit_test(test_dates),
        cmocka_unit_test(test_revocation_and_copies),
        cmocka_unit_test(test_flaws),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
