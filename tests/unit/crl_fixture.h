// SPDX-License-Identifier: Apache-2.0
// Revocation lists of every kind for the tests of those who read them: more than ca/crl.c makes, which is only what a
// good CA issues.
#ifndef MTLS_TESTS_UNIT_CRL_FIXTURE_H
#define MTLS_TESTS_UNIT_CRL_FIXTURE_H

#include "base/clock.h"
#include "base/der.h"
#include "ca/certificate.h"
#include "ca/extension.h"
#include "run.h"
#include "trust/certificate.h"

#include <mbedtls/asn1.h>
#include <mbedtls/oid.h>

static const int64_t june_2026 = 1780272000; // 2026-06-01T00:00:00Z

enum { SEQUENCE = 0x30, SET = 0x31, FIELD = 0xa0, CONTEXT = 0x80, NONE = -1 };

#define ID_CE(last) span_of(MBEDTLS_OID_ID_CE last, sizeof(MBEDTLS_OID_ID_CE last) - 1)
#define OID_UNKNOWN span_of("\x2a\x03\x04", 3) // 1.2.3.4

struct authority {
    struct rng rng;
    struct buf name; // DER
    mbedtls_pk_context key;
    struct certificate_issuer issuer;
    struct certificate *certificate; // self-signed
};

static inline struct certificate *certificate_issue(struct authority *ca, const char *subject, uint16_t serial,
                                                    mbedtls_pk_context *key, bool is_ca, unsigned key_usage)
{
    struct err e = ERR_INIT;
    struct buf der = {0};
    uint8_t octets[2] = {(uint8_t)(serial >> 8), (uint8_t)serial};
    struct certificate_content c = {.subject = (char *)(uintptr_t)subject,
                                    .not_before = june_2026 - 10 * CLOCK_DAY,
                                    .not_after = june_2026 + 1000 * (int64_t)CLOCK_DAY,
                                    .is_ca = is_ca,
                                    .path_length = PATH_LENGTH_NONE,
                                    .key_usage = key_usage};
    assert_works(certificate_make(&c, octets, sizeof octets, key, &ca->issuer, &ca->rng, &der, &e), &e);
    struct certificate *certificate = certificate_read(buf_span(&der));
    assert_string_equal(certificate->why, "");
    buf_clear(&der);
    return certificate;
}

static inline void authority_begin(struct authority *ca, const char *name, unsigned key_usage)
{
    struct err e = ERR_INIT;
    *ca = (struct authority){0};
    assert_works(rng_init(&ca->rng, &e), &e);
    assert_works(key_generate(KEY_ec_p256, &ca->rng, &ca->key, &e), &e);
    assert_works(name_from_text(name, &ca->name, &e), &e);
    ca->issuer = (struct certificate_issuer){.subject = buf_span(&ca->name), .key = &ca->key};
    assert_works(key_id(&ca->key, ca->issuer.key_id, &e), &e);
    ca->certificate = certificate_issue(ca, name, 0x0101, &ca->key, true, key_usage);
}

static inline void authority_end(struct authority *ca)
{
    certificate_free(ca->certificate);
    mbedtls_pk_free(&ca->key);
    buf_clear(&ca->name);
    rng_clear(&ca->rng);
}

// --- parts of lists and distribution points, appended to `out` ---

static inline void add_name(struct buf *out, int tag, const char *name) // a GeneralName's or other element around it
{
    struct err e = ERR_INIT;
    struct buf der = {0};
    assert_works(name_from_text(name, &der, &e), &e);
    der_wrap(out, tag, buf_span(&der));
    buf_clear(&der);
}

// Field [0]: DistributionPointName with fullName
static inline void add_full(struct buf *out, const char *name)
{
    struct buf b = {0};
    add_name(&b, FIELD | 4, name);
    der_enclose(&b, FIELD | 0);
    der_wrap(out, FIELD | 0, buf_span(&b));
    buf_clear(&b);
}

static inline void add_uri(struct buf *out, const char *uri)
{
    struct buf b = {0};
    der_wrap(&b, CONTEXT | 6, span_of(uri, strlen(uri)));
    der_enclose(&b, FIELD | 0);
    der_wrap(out, FIELD | 0, buf_span(&b));
    buf_clear(&b);
}

// Field [0]: DistributionPointName with nameRelativeToCRLIssuer
static inline void add_relative(struct buf *out, const char *rdn)
{
    struct err e = ERR_INIT;
    struct buf b = {0};
    struct der_item name;
    struct der_item item;
    assert_works(name_from_text(rdn, &b, &e), &e);
    struct span rest = buf_span(&b);
    assert_works(der_expect(&rest, SEQUENCE, "", &name, &e), &e);
    assert_works(der_expect(&name.content, SET, "", &item, &e), &e);
    struct buf set = {0};
    buf_add(&set, item.content.data, item.content.len);
    der_enclose(&set, FIELD | 1);
    der_wrap(out, FIELD | 0, buf_span(&set));
    buf_clear(&set);
    buf_clear(&b);
}

static inline void add_flag(struct buf *out, int field)
{
    der_wrap(out, CONTEXT | field, span_of("\xff", 1));
}

// ReasonFlags, bit n as 1 << n
static inline void add_reasons(struct buf *out, int field, unsigned reasons)
{
    uint8_t bits[3] = {7, 0, 0};
    for (unsigned n = 0; n < 9; n++) {
        bits[1 + n / 8] = (uint8_t)(bits[1 + n / 8] | ((reasons >> n & 1) != 0 ? 0x80U >> n % 8 : 0));
    }
    der_wrap(out, CONTEXT | field, span_of(bits, sizeof bits));
}

static inline void add_crl_issuer(struct buf *out, const char *name)
{
    struct buf b = {0};
    add_name(&b, FIELD | 4, name);
    der_wrap(out, FIELD | 2, buf_span(&b));
    buf_clear(&b);
}

static inline void add_reason_code(struct buf *out, int reason)
{
    uint8_t value[3] = {MBEDTLS_ASN1_ENUMERATED, 1, (uint8_t)reason};
    extension_write(out, ID_CE("\x15"), false, span_of(value, sizeof value));
}

static inline void add_certificate_issuer(struct buf *out, const char *name)
{
    struct buf b = {0};
    add_name(&b, FIELD | 4, name);
    der_enclose(&b, SEQUENCE);
    extension_write(out, ID_CE("\x1d"), true, buf_span(&b));
    buf_clear(&b);
}

// An entry of revokedCertificates; `extensions`: Extension elements, may be empty.
static inline void add_entry(struct buf *out, struct span serial, struct span extensions)
{
    struct buf b = {0};
    der_wrap(&b, MBEDTLS_ASN1_INTEGER, serial);
    der_wrap(&b, MBEDTLS_ASN1_UTC_TIME, span_of("260501000000Z", 13));
    if (extensions.len > 0) {
        der_wrap(&b, SEQUENCE, extensions);
    }
    der_wrap(out, SEQUENCE, buf_span(&b));
    buf_clear(&b);
}

static inline void add_revoked(struct buf *out, uint16_t serial, int reason) // NONE: no reasonCode
{
    struct buf extensions = {0};
    uint8_t octets[2] = {(uint8_t)(serial >> 8), (uint8_t)serial};
    if (reason != NONE) {
        add_reason_code(&extensions, reason);
    }
    add_entry(out, span_of(octets, sizeof octets), buf_span(&extensions));
    buf_clear(&extensions);
}

// --- lists ---

struct draft {
    struct authority *ca;        // whose name is on it
    struct authority *signer;    // NULL: ca
    bool version_1;              // no version, no extensions but `extra`
    int64_t this_update;         // 0: June
    int64_t next_update;         // 0: a week later; NONE: left out
    int number;                  // 0: number 10; NONE: left out
    int base;                    // 0: no delta list
    struct span scope;           // fields of the issuingDistributionPoint
    struct span entries;         // elements
    struct span extra;           // Extension elements
    struct span inner_algorithm; // instead of the right one
};

static inline void add_time(struct buf *out, int64_t when)
{
    char text[CLOCK_TEXT];
    clock_x509(when, text);
    strcat(text, "Z");
    bool late = strncmp(text, "2050", 4) >= 0;
    const char *shown = late ? text : text + 2;
    der_wrap(out, late ? MBEDTLS_ASN1_GENERALIZED_TIME : MBEDTLS_ASN1_UTC_TIME, span_of(shown, strlen(shown)));
}

static inline void add_number(struct buf *out, struct span oid, bool critical, int number)
{
    struct buf value = {0};
    uint8_t octets[3] = {0, (uint8_t)(number >> 8), (uint8_t)number};
    der_wrap(&value, MBEDTLS_ASN1_INTEGER, span_of(octets, sizeof octets));
    extension_write(out, oid, critical, buf_span(&value));
    buf_clear(&value);
}

static inline void draft_extensions(const struct draft *d, struct buf *out)
{
    const struct authority *signer = d->signer != NULL ? d->signer : d->ca;
    struct buf b = {0};
    if (!d->version_1) {
        der_wrap(&b, CONTEXT | 0, span_of(signer->issuer.key_id, KEY_ID_SIZE));
        der_enclose(&b, SEQUENCE);
        extension_write(out, ID_CE("\x23"), false, buf_span(&b));
        buf_clear(&b);
    }
    if (!d->version_1 && d->number != NONE) {
        add_number(out, ID_CE("\x14"), false, d->number != 0 ? d->number : 10);
    }
    if (d->base != 0) {
        add_number(out, ID_CE("\x1b"), true, d->base);
    }
    if (d->scope.len > 0) {
        der_wrap(&b, SEQUENCE, d->scope);
        extension_write(out, ID_CE("\x1c"), true, buf_span(&b));
        buf_clear(&b);
    }
    buf_add(out, d->extra.data, d->extra.len);
}

static inline void draft_sign(const struct draft *d, struct buf *der)
{
    struct err e = ERR_INIT;
    struct authority *signer = d->signer != NULL ? d->signer : d->ca;
    struct buf tbs = {0};
    struct buf extensions = {0};
    int64_t from = d->this_update != 0 ? d->this_update : june_2026;
    if (!d->version_1) {
        der_wrap(&tbs, MBEDTLS_ASN1_INTEGER, span_of("\x01", 1));
    }
    if (d->inner_algorithm.len > 0) {
        buf_add(&tbs, d->inner_algorithm.data, d->inner_algorithm.len);
    } else {
        assert_works(signature_algorithm(&signer->key, key_digest(&signer->key), &tbs, &e), &e);
    }
    buf_add(&tbs, d->ca->name.data, d->ca->name.len);
    add_time(&tbs, from);
    if (d->next_update != NONE) {
        add_time(&tbs, d->next_update != 0 ? d->next_update : from + 7 * CLOCK_DAY);
    }
    if (d->entries.len > 0) {
        der_wrap(&tbs, SEQUENCE, d->entries);
    }
    draft_extensions(d, &extensions);
    if (extensions.len > 0) {
        der_enclose(&extensions, SEQUENCE);
        der_wrap(&tbs, FIELD | 0, buf_span(&extensions));
    }
    der_enclose(&tbs, SEQUENCE);
    assert_works(signed_make(buf_span(&tbs), &signer->key, key_digest(&signer->key), &signer->rng, der, &e), &e);
    buf_clear(&extensions);
    buf_clear(&tbs);
}

#endif
