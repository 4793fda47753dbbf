// SPDX-License-Identifier: Apache-2.0
// One certificate, read and shown.
#include "fuzz.h"
#include "trust/constraint.h"
#include "trust/rules.h"

#include <string.h>

static void require_inside(const struct certificate *c, struct span part)
{
    REQUIRE(part.data == NULL || (part.data >= c->der.data && part.data + part.len <= c->der.data + c->der.len));
}

// Rules of every kind are held against it: nothing but what it says decides whether the last one does.
static void ask_rules(const struct trust_identity *identity)
{
    static struct trust_rules *rules; // never freed
    static const struct trust_match matches[] = {
        {.field = TRUST_MATCH_DNS, .pattern = "*.ops.example"},
        {.field = TRUST_MATCH_IP, .pattern = "10.1.0.0/17"},
        {.field = TRUST_MATCH_IP, .pattern = "2001:db8::/33"},
        {.field = TRUST_MATCH_EMAIL, .pattern = "*@ops.example"},
        {.field = TRUST_MATCH_EMAIL, .pattern = "alice@ops.example"},
        {.field = TRUST_MATCH_URI, .pattern = "spiffe://example/*/x/**"},
        {.field = TRUST_MATCH_SUBJECT, .attribute = "CN", .pattern = "nobody"},
        {.field = TRUST_MATCH_SUBJECT, .pattern = "CN=nobody"},
        {.field = TRUST_MATCH_ISSUER, .pattern = "CN=nobody"},
        {.field = TRUST_MATCH_SERIAL, .pattern = "0123"},
    };
    enum { COUNT = sizeof matches / sizeof matches[0] };
    if (rules == NULL) {
        struct err e = ERR_INIT;
        struct trust_rule list[COUNT + 1] = {{.allow = false}};
        for (size_t i = 0; i < COUNT; i++) {
            list[i] = (struct trust_rule){.allow = true, .matches = &matches[i], .match_count = 1};
        }
        list[COUNT] = (struct trust_rule){.allow = true};
        rules = trust_rules_new(list, COUNT + 1, &e);
        REQUIRE(rules != NULL);
    }
    REQUIRE(rules_can_allow(rules, identity) == identity->complete);
}

static void show(struct span der)
{
    struct err e = ERR_INIT;
    struct trust_identity *identity = trust_identity_new(der, "TLSv1.3", false, &e);
    if (identity == NULL) {
        fuzz_require_printable(e.text, false);
        return;
    }
    fuzz_require_printable(identity->subject, false);
    fuzz_require_printable(identity->issuer, false);
    for (size_t i = 0; i < identity->name_count; i++) {
        fuzz_require_printable(identity->names[i].text, false);
    }
    for (size_t i = 0; i < identity->attribute_count; i++) {
        fuzz_require_printable(identity->attributes[i].type, false);
        fuzz_require_printable(identity->attributes[i].value, false);
    }
    ask_rules(identity);
    trust_identity_free(identity);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char label[96];
    char why[CERTIFICATE_WHY];
    size_t budget = 100000;
    struct certificate *c = certificate_read(span_of(data, size));
    REQUIRE((c->bad == REASON_ok) == (c->why[0] == '\0'));
    REQUIRE(c->readable || c->bad != REASON_ok);
    fuzz_require_printable(c->why, false);
    fuzz_require_printable(certificate_label(c, label), false);
    if (c->readable) {
        const struct span parts[] = {c->tbs,
                                     c->serial,
                                     c->issuer,
                                     c->subject,
                                     c->spki,
                                     c->names,
                                     c->excluded,
                                     c->signature_algorithm,
                                     c->signature,
                                     c->policies,
                                     c->permitted,
                                     c->crl_points,
                                     c->subject_key_id,
                                     c->authority_key_id,
                                     c->policy_mappings};
        for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
            require_inside(c, parts[i]);
        }
        REQUIRE(c->bad != REASON_ok || (c->key_read && c->version == 3 && c->serial.len <= 20));
        constraint_check(c, c, &budget, why);
        certificate_is_host(c, "localhost");
        certificate_is_host(c, "127.0.0.1");
    }
    show(span_of(data, size));
    certificate_free(c);
    return 0;
}
