// SPDX-License-Identifier: Apache-2.0
// Identities for access rules: read from certificates whose subject, names and serial number are whatever octets a test
// wants. Nobody looks at their signatures.
#ifndef MTLS_TESTS_UNIT_RULES_FIXTURE_H
#define MTLS_TESTS_UNIT_RULES_FIXTURE_H

#include "base/der.h"
#include "base/random.h"
#include "base/text.h"
#include "ca/certificate.h"
#include "trust/general_name.h"
#include "trust/internal.h"
#include "trust/rules.h"
#include "unit.h"

#include <arpa/inet.h>
#include <mbedtls/x509.h>
#include <stdlib.h>

// What a value is put into.
enum place {
    DNS = FORM_TAG_DNS,
    IP = FORM_TAG_IP, // written as text, unless a length is given
    EMAIL = FORM_TAG_EMAIL,
    URI = FORM_TAG_URI,
    COMMON_NAME = 0x100, // the subject's only attribute
    SUBJECT,             // RFC 4514
    SERIAL,              // hexadecimal
};

static struct buf rules_template;

static inline void rules_template_make(void)
{
    struct err e = ERR_INIT;
    struct rng rng;
    mbedtls_pk_context key;
    struct buf name = {0};
    const uint8_t serial[] = {0x40};
    char *usage[] = {(char *)(uintptr_t) "1.3.6.1.5.5.7.3.2", NULL};
    struct certificate_content content = {.subject = (char *)(uintptr_t) "CN=client",
                                          .not_before = 1768000000,
                                          .not_after = 1868000000,
                                          .path_length = PATH_LENGTH_NONE,
                                          .key_usage = MBEDTLS_X509_KU_DIGITAL_SIGNATURE,
                                          .ext_key_usage = usage};
    assert_works(rng_init_seeded(&rng, "test", "rules", &e), &e);
    assert_works(key_generate(KEY_ec_p256, &rng, &key, &e), &e);
    assert_works(name_from_text("CN=issuing,O=Example\\, Inc.", &name, &e), &e);
    struct certificate_issuer issuer = {.subject = buf_span(&name), .key = &key};
    assert_works(certificate_make(&content, serial, sizeof serial, &key, &issuer, &rng, &rules_template, &e), &e);
    buf_clear(&name);
    mbedtls_pk_free(&key);
    rng_clear(&rng);
}

static inline void der_add(struct buf *to, int tag, struct buf *content)
{
    der_wrap(to, tag, buf_span(content));
    buf_clear(content);
}

static inline void common_name(struct buf *out, struct span value)
{
    static const uint8_t oid[] = {0x06, 3, 0x55, 4, 3};
    struct buf pair = {0};
    struct buf rdn = {0};
    struct buf rdns = {0};
    buf_add(&pair, oid, sizeof oid);
    der_wrap(&pair, 0x0c, value);
    der_add(&rdn, 0x30, &pair);
    der_add(&rdns, 0x31, &rdn);
    der_add(out, 0x30, &rdns);
}

// The [3] field with a subjectAltName of `count` such names.
static inline void alt_names(struct buf *out, int tag, struct span value, size_t count)
{
    static const uint8_t oid[] = {0x06, 3, 0x55, 0x1d, 0x11};
    struct buf names = {0};
    struct buf sequence = {0};
    struct buf extension = {0};
    struct buf list = {0};
    struct buf lists = {0};
    for (size_t i = 0; i < count; i++) {
        der_wrap(&names, tag, value);
    }
    der_add(&sequence, 0x30, &names);
    buf_add(&extension, oid, sizeof oid);
    der_add(&extension, 0x04, &sequence);
    der_add(&list, 0x30, &extension);
    der_add(&lists, 0x30, &list);
    der_add(out, 0xa3, &lists);
}

static inline struct trust_identity *identity_from(struct span serial, struct span subject, struct span extensions)
{
    struct err e = ERR_INIT;
    struct certificate_parts parts;
    struct buf tbs = {0};
    struct buf fields = {0};
    struct buf der = {0};
    assert_works(certificate_split(buf_span(&rules_template), &parts, &e), &e);
    buf_add(&tbs, parts.version.data, parts.version.len);
    der_wrap(&tbs, 0x02, serial);
    buf_add(&tbs, parts.algorithm.data, (size_t)(parts.subject.data - parts.algorithm.data));
    buf_add(&tbs, subject.data, subject.len);
    buf_add(&tbs, parts.key.data, parts.key.len);
    buf_add(&tbs, extensions.data, extensions.len);
    der_add(&fields, 0x30, &tbs);
    buf_add(&fields, parts.outer_algorithm.data, parts.outer_algorithm.len);
    buf_add(&fields, parts.signature.data, parts.signature.len);
    der_add(&der, 0x30, &fields);
    struct trust_identity *identity = trust_identity_new(buf_span(&der), "TLSv1.3", false, &e);
    buf_clear(&der);
    return identity; // NULL: nobody could make a certificate of it that is read
}

// `len` 0: as long as the text is.
static inline struct trust_identity *identity_with(enum place place, const char *value, size_t len, size_t count)
{
    static const uint8_t one[] = {1};
    struct err e = ERR_INIT;
    struct span octets = span_of(value, len > 0 ? len : strlen(value));
    struct span serial = span_of(one, 1);
    struct buf subject = {0};
    struct buf extensions = {0};
    struct buf hex = {0};
    uint8_t address[16];
    if (place == IP && len == 0) {
        bool v4 = inet_pton(AF_INET, value, address) == 1;
        assert_true(v4 || inet_pton(AF_INET6, value, address) == 1);
        octets = span_of(address, v4 ? 4 : 16);
    }
    if (place == SERIAL) {
        assert_true(text_unhex(value, &hex));
        serial = buf_span(&hex);
    } else if (place == SUBJECT) {
        assert_works(name_from_text(value, &subject, &e), &e);
    } else if (place == COMMON_NAME) {
        common_name(&subject, octets);
    } else {
        alt_names(&extensions, (int)place, octets, count);
    }
    if (subject.len == 0) {
        common_name(&subject, span_of("client", 6));
    }
    struct trust_identity *identity = identity_from(serial, buf_span(&subject), buf_span(&extensions));
    buf_clear(&subject);
    buf_clear(&extensions);
    buf_clear(&hex);
    return identity;
}

#endif
