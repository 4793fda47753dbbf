// SPDX-License-Identifier: Apache-2.0
#include "ca/key.h"
#include "ca/oid.h"
#include "ca/show_parts.h"

#include <mbedtls/ecp.h>
#include <mbedtls/oid.h>
#include <mbedtls/sha1.h>
#include <string.h>

static bool oid_is(struct span oid, const char *expected)
{
    return oid.len == strlen(expected) && memcmp(oid.data, expected, oid.len) == 0;
}

static size_t bits_of(struct span integer)
{
    while (integer.len > 0 && integer.data[0] == 0) {
        integer = span_of(integer.data + 1, integer.len - 1);
    }
    size_t bits = integer.len * 8;
    for (unsigned top = 0x80; integer.len > 0 && (integer.data[0] & top) == 0; top >>= 1) {
        bits--;
    }
    return bits;
}

// RSAPublicKey ::= SEQUENCE { modulus, publicExponent } (RFC 8017 appendix A.1.1)
static int put_rsa(json_t *object, struct span key, struct err *e)
{
    struct der_item sequence, modulus, exponent;
    if (der_expect(&key, TAG_SEQUENCE, "RSAPublicKey", &sequence, e) != 0 ||
        der_expect(&sequence.content, MBEDTLS_ASN1_INTEGER, "modulus", &modulus, e) != 0 ||
        der_expect(&sequence.content, MBEDTLS_ASN1_INTEGER, "publicExponent", &exponent, e) != 0) {
        return -1;
    }
    show_put(object, "type", json_string("RSA"));
    show_put(object, "bits", json_integer((json_int_t)bits_of(modulus.content)));
    show_put(object, "exponent", show_integer(exponent.content));
    return 0;
}

// ECParameters: a named curve; others are not used in certificates (RFC 5480 section 2.1.1)
static int put_ec(json_t *object, struct span parameters, struct err *e)
{
    char words[OID_TEXT];
    struct der_item curve;
    mbedtls_ecp_group_id group = MBEDTLS_ECP_DP_NONE;
    show_put(object, "type", json_string("EC"));
    if (der_expect(&parameters, MBEDTLS_ASN1_OID, "namedCurve", &curve, e) != 0) {
        return -1;
    }
    mbedtls_asn1_buf oid = {MBEDTLS_ASN1_OID, curve.content.len, (unsigned char *)(uintptr_t)curve.content.data};
    show_put(object, "curve", json_string(oid_words(curve.content, words)));
    if (mbedtls_oid_get_ec_grp(&oid, &group) == 0 && mbedtls_ecp_curve_info_from_grp_id(group) != NULL) {
        show_put(object, "bits", json_integer(mbedtls_ecp_curve_info_from_grp_id(group)->bit_size));
    }
    return 0;
}

// SubjectPublicKeyInfo ::= SEQUENCE { AlgorithmIdentifier { OID, parameters }, BIT STRING }
static int put_spki(json_t *object, struct span spki, struct err *e)
{
    char words[OID_TEXT];
    uint8_t id[KEY_ID_SIZE];
    struct der_item info, algorithm, oid, bits;
    if (der_expect(&spki, TAG_SEQUENCE, "SubjectPublicKeyInfo", &info, e) != 0 ||
        der_expect(&info.content, TAG_SEQUENCE, "algorithm", &algorithm, e) != 0 ||
        der_expect(&algorithm.content, MBEDTLS_ASN1_OID, "algorithm", &oid, e) != 0 ||
        der_expect(&info.content, MBEDTLS_ASN1_BIT_STRING, "subjectPublicKey", &bits, e) != 0) {
        return -1;
    }
    if (bits.content.len < 1 || bits.content.data[0] != 0) {
        return err_set(e, "subjectPublicKey is not of whole octets");
    }
    struct span key = span_of(bits.content.data + 1, bits.content.len - 1);
    int rc = 0;
    if (oid_is(oid.content, MBEDTLS_OID_PKCS1_RSA)) {
        rc = put_rsa(object, key, e);
    } else if (oid_is(oid.content, MBEDTLS_OID_EC_ALG_UNRESTRICTED)) {
        rc = put_ec(object, algorithm.content, e);
    } else {
        show_put(object, "type", json_string(oid_words(oid.content, words)));
    }
    if (rc == 0 && mbedtls_sha1(key.data, key.len, id) == 0) { // RFC 5280 section 4.2.1.2 (1)
        show_put(object, "id", show_hex(span_of(id, sizeof id)));
    }
    return rc;
}

json_t *show_public_key_info(struct span spki)
{
    struct err e = ERR_INIT;
    json_t *object = json_object();
    if (put_spki(object, spki, &e) != 0) {
        show_put(object, "content", show_malformed(&e));
    }
    return object;
}

json_t *show_public_key(struct span der, const struct show_options *options)
{
    struct err e = ERR_INIT;
    json_t *object = json_object();
    (void)options;
    show_put(object, "kind", json_string("public key"));
    if (put_spki(object, der, &e) != 0) {
        show_put(object, "content", show_malformed(&e));
    }
    return object;
}

json_t *show_rsa_public_key(struct span der, const struct show_options *options)
{
    struct err e = ERR_INIT;
    uint8_t id[KEY_ID_SIZE];
    json_t *object = json_object();
    (void)options;
    show_put(object, "kind", json_string("public key"));
    if (put_rsa(object, der, &e) != 0) {
        show_put(object, "content", show_malformed(&e));
    } else if (mbedtls_sha1(der.data, der.len, id) == 0) {
        show_put(object, "id", show_hex(span_of(id, sizeof id)));
    }
    return object;
}

// Which of the forms of a private key it is, and in PKCS#8 the algorithm. 1: there is more that mbedTLS can read.
static int put_form(json_t *object, struct span der, struct err *e)
{
    struct der_item whole, first, second, oid;
    if (der_expect(&der, TAG_SEQUENCE, "private key", &whole, e) != 0 || der_next(&whole.content, &first, e) != 0 ||
        der_next(&whole.content, &second, e) != 0) {
        return -1;
    }
    bool encrypted = first.tag == TAG_SEQUENCE;
    bool pkcs8 = encrypted || second.tag == TAG_SEQUENCE;
    const char *form = pkcs8 ? "PKCS#8" : second.tag == MBEDTLS_ASN1_OCTET_STRING ? "SEC 1" : "PKCS#1";
    show_put(object, "form", json_string(form));
    show_put(object, "encrypted", json_boolean(encrypted));
    if (encrypted) {
        show_put(object, "encryption", show_algorithm(first.whole));
        return 0;
    }
    if (!pkcs8) {
        return 1;
    }
    show_put(object, "type", show_algorithm(second.whole));
    if (der_expect(&second.content, MBEDTLS_ASN1_OID, "algorithm", &oid, e) != 0) {
        return -1;
    }
    return oid_is(oid.content, MBEDTLS_OID_PKCS1_RSA) || oid_is(oid.content, MBEDTLS_OID_EC_ALG_UNRESTRICTED) ? 1 : 0;
}

// The public half of a key that mbedTLS can read; nothing of the other.
static int put_public_half(json_t *object, struct span der, struct err *e)
{
    struct rng rng;
    mbedtls_pk_context key;
    struct buf room = {0};
    enum { ROOM = 4096 };
    mbedtls_pk_init(&key);
    int rc = rng_init(&rng, e);
    if (rc == 0) {
        rc = key_read(der, NULL, &rng, &key, e);
    }
    if (rc == 0) {
        buf_reserve(&room, ROOM);
        int len = mbedtls_pk_write_pubkey_der(&key, room.data, ROOM);
        rc = len < 0 ? err_mbedtls(e, len, "writing a public key")
                     : put_spki(object, span_of(room.data + ROOM - len, (size_t)len), e);
    }
    mbedtls_pk_free(&key);
    rng_clear(&rng);
    buf_clear(&room);
    return rc;
}

json_t *show_private_key(struct span der, const struct show_options *options)
{
    struct err e = ERR_INIT;
    json_t *object = json_object();
    (void)options;
    show_put(object, "kind", json_string("private key"));
    int rc = put_form(object, der, &e);
    if (rc == 1) {
        rc = put_public_half(object, der, &e);
    }
    if (rc < 0) {
        show_put(object, "content", show_malformed(&e));
    }
    return object;
}
