// SPDX-License-Identifier: Apache-2.0
// One certificate, read and shown.
#include "fuzz.h"
#include "trust/constraint.h"

#include <string.h>

static void require_inside(const struct certificate *c, struct span part)
{
    REQUIRE(part.data == NULL || (part.data >= c->der.data && part.data + part.len <= c->der.data + c->der.len));
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
