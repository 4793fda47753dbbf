// SPDX-License-Identifier: Apache-2.0
// Signature algorithms (RFC 5280 section 4.1.1.2): which are good enough, how their parameters must be written, and the
// check itself, which is mbedTLS's.
#include "trust/certificate.h"

#include <mbedtls/md.h>
#include <mbedtls/oid.h>
#include <mbedtls/rsa.h>
#include <string.h>

struct algorithm {
    mbedtls_pk_type_t key;
    mbedtls_md_type_t digest;
    mbedtls_md_type_t mgf1; // RSASSA_PSS
    int salt;
};

static bool oid_is(struct span oid, const char *expected, size_t len)
{
    return oid.len == len && memcmp(oid.data, expected, len) == 0;
}
#define OID_IS(oid, expected) oid_is(oid, expected, MBEDTLS_OID_SIZE(expected))

static bool is_null(const struct der_item *item)
{
    return item->tag == MBEDTLS_ASN1_NULL && item->content.len == 0;
}

// AlgorithmIdentifier of a digest, parameters NULL or absent (RFC 4055 section 2.1).
static bool read_digest(struct span element, mbedtls_md_type_t *digest)
{
    static const struct {
        const char *oid;
        mbedtls_md_type_t digest;
    } digests[] = {{MBEDTLS_OID_DIGEST_ALG_SHA256, MBEDTLS_MD_SHA256},
                   {MBEDTLS_OID_DIGEST_ALG_SHA384, MBEDTLS_MD_SHA384},
                   {MBEDTLS_OID_DIGEST_ALG_SHA512, MBEDTLS_MD_SHA512}};
    struct err e = ERR_INIT;
    struct der_item sequence;
    struct der_item oid;
    struct der_item null;
    if (der_expect(&element, TAG_SEQUENCE, "", &sequence, &e) != 0 || element.len > 0 ||
        der_expect(&sequence.content, MBEDTLS_ASN1_OID, "", &oid, &e) != 0) {
        return false;
    }
    if (sequence.content.len > 0 &&
        (der_next(&sequence.content, &null, &e) != 0 || !is_null(&null) || sequence.content.len > 0)) {
        return false;
    }
    for (size_t i = 0; i < sizeof digests / sizeof digests[0]; i++) {
        if (oid_is(oid.content, digests[i].oid, strlen(digests[i].oid))) {
            *digest = digests[i].digest;
            return true;
        }
    }
    return false;
}

// MaskGenAlgorithm: mgf1SHA256 and its like
static bool read_mgf1(struct span element, mbedtls_md_type_t *digest)
{
    struct err e = ERR_INIT;
    struct der_item sequence;
    struct der_item oid;
    return der_expect(&element, TAG_SEQUENCE, "", &sequence, &e) == 0 && element.len == 0 &&
           der_expect(&sequence.content, MBEDTLS_ASN1_OID, "", &oid, &e) == 0 &&
           OID_IS(oid.content, MBEDTLS_OID_MGF1) && read_digest(sequence.content, digest);
}

// RSASSA-PSS-params (RFC 4055 section 3.1). The defaults are SHA-1, so hash and mask must be there.
static bool read_pss(struct span parameters, struct algorithm *a)
{
    struct err e = ERR_INIT;
    struct der_item sequence;
    struct der_item field;
    struct der_item number;
    int expected = 0;
    a->salt = 20;
    if (der_expect(&parameters, TAG_SEQUENCE, "", &sequence, &e) != 0 || parameters.len > 0) {
        return false;
    }
    while (sequence.content.len > 0) {
        if (der_next(&sequence.content, &field, &e) != 0) {
            return false;
        }
        int tag = field.tag - (MBEDTLS_ASN1_CONTEXT_SPECIFIC | MBEDTLS_ASN1_CONSTRUCTED);
        bool good = tag >= expected && tag <= 3;
        if (good && tag == 0) {
            good = read_digest(field.content, &a->digest);
        } else if (good && tag == 1) {
            good = read_mgf1(field.content, &a->mgf1);
        } else if (good) {
            good = der_expect(&field.content, MBEDTLS_ASN1_INTEGER, "", &number, &e) == 0 && number.content.len == 1 &&
                   field.content.len == 0;
            a->salt = good && tag == 2 ? number.content.data[0] : a->salt;
            good = good && (tag == 2 || number.content.data[0] == 1); // trailerField
        }
        if (!good) {
            return false;
        }
        expected = tag + 1;
    }
    return a->digest != MBEDTLS_MD_NONE && a->mgf1 == a->digest && a->salt < 0x80;
}

// False: unknown, too weak, or its parameters are not as they must be.
static bool read_algorithm(struct span element, struct algorithm *a)
{
    static const struct {
        const char *oid;
        mbedtls_pk_type_t key;
        mbedtls_md_type_t digest;
    } algorithms[] = {
        {MBEDTLS_OID_ECDSA_SHA256, MBEDTLS_PK_ECDSA, MBEDTLS_MD_SHA256},
        {MBEDTLS_OID_ECDSA_SHA384, MBEDTLS_PK_ECDSA, MBEDTLS_MD_SHA384},
        {MBEDTLS_OID_ECDSA_SHA512, MBEDTLS_PK_ECDSA, MBEDTLS_MD_SHA512},
        {MBEDTLS_OID_PKCS1_SHA256, MBEDTLS_PK_RSA, MBEDTLS_MD_SHA256},
        {MBEDTLS_OID_PKCS1_SHA384, MBEDTLS_PK_RSA, MBEDTLS_MD_SHA384},
        {MBEDTLS_OID_PKCS1_SHA512, MBEDTLS_PK_RSA, MBEDTLS_MD_SHA512},
        {MBEDTLS_OID_RSASSA_PSS, MBEDTLS_PK_RSASSA_PSS, MBEDTLS_MD_NONE},
    };
    struct err e = ERR_INIT;
    struct der_item sequence;
    struct der_item oid;
    struct der_item parameters;
    *a = (struct algorithm){0};
    if (der_expect(&element, TAG_SEQUENCE, "", &sequence, &e) != 0 ||
        der_expect(&sequence.content, MBEDTLS_ASN1_OID, "", &oid, &e) != 0) {
        return false;
    }
    for (size_t i = 0; i < sizeof algorithms / sizeof algorithms[0]; i++) {
        if (oid_is(oid.content, algorithms[i].oid, strlen(algorithms[i].oid))) {
            a->key = algorithms[i].key;
            a->digest = algorithms[i].digest;
        }
    }
    switch (a->key) {
    case MBEDTLS_PK_ECDSA: return sequence.content.len == 0; // RFC 5758 section 3.2: parameters absent
    case MBEDTLS_PK_RSA:                                     // RFC 4055 section 5: NULL
        return der_next(&sequence.content, &parameters, &e) == 0 && is_null(&parameters) && sequence.content.len == 0;
    case MBEDTLS_PK_RSASSA_PSS: return read_pss(sequence.content, a);
    default: return false;
    }
}

enum reason signature_hash(struct span algorithm, struct span data, struct signature_digest *out)
{
    struct algorithm a;
    if (!read_algorithm(algorithm, &a)) {
        return REASON_algorithm_weak;
    }
    const mbedtls_md_info_t *info = mbedtls_md_info_from_type(a.digest);
    out->len = mbedtls_md_get_size(info);
    return mbedtls_md(info, data.data, data.len, out->octets) == 0 ? REASON_ok : REASON_algorithm_weak;
}

enum reason signature_check_hash(struct span algorithm, struct span signature, const struct signature_digest *digest,
                                 mbedtls_pk_context *key)
{
    struct algorithm a;
    int rc = -1;
    if (!read_algorithm(algorithm, &a)) {
        return REASON_algorithm_weak;
    }
    if (a.key == MBEDTLS_PK_RSASSA_PSS && mbedtls_pk_get_type(key) == MBEDTLS_PK_RSA) {
        mbedtls_pk_rsassa_pss_options options = {.mgf1_hash_id = a.mgf1, .expected_salt_len = a.salt};
        rc = mbedtls_pk_verify_ext(MBEDTLS_PK_RSASSA_PSS, &options, key, a.digest, digest->octets, digest->len,
                                   signature.data, signature.len);
    } else if (a.key != MBEDTLS_PK_RSASSA_PSS && mbedtls_pk_can_do(key, a.key)) {
        rc = mbedtls_pk_verify(key, a.digest, digest->octets, digest->len, signature.data, signature.len);
    }
    return rc == 0 ? REASON_ok : REASON_signature_bad;
}

enum reason signature_check(struct span algorithm, struct span signature, struct span data, mbedtls_pk_context *key)
{
    struct signature_digest digest;
    enum reason reason = signature_hash(algorithm, data, &digest);
    return reason == REASON_ok ? signature_check_hash(algorithm, signature, &digest, key) : reason;
}
