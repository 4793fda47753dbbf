// SPDX-License-Identifier: Apache-2.0
#include "trust/certificate.h"

#include "base/text.h"
#include "trust/extensions.h"
#include "trust/name.h"
#include "trust/trust.h"

#include <mbedtls/ecp.h>
#include <mbedtls/oid.h>
#include <mbedtls/rsa.h>
#include <mbedtls/sha256.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    TAG_VERSION = MBEDTLS_ASN1_CONTEXT_SPECIFIC | MBEDTLS_ASN1_CONSTRUCTED | 0,
    TAG_ISSUER_UNIQUE_ID = MBEDTLS_ASN1_CONTEXT_SPECIFIC | 1,
    TAG_SUBJECT_UNIQUE_ID = MBEDTLS_ASN1_CONTEXT_SPECIFIC | 2,
    TAG_EXTENSIONS = MBEDTLS_ASN1_CONTEXT_SPECIFIC | MBEDTLS_ASN1_CONSTRUCTED | 3,
    SERIAL_MOST = 20,
    RSA_LEAST = 2048,
};

void certificate_finding(struct certificate *c, enum reason reason, const char *fmt, ...)
{
    va_list ap;
    if (c->bad != REASON_ok) {
        return;
    }
    c->bad = reason;
    va_start(ap, fmt);
    text_vformat(c->why, sizeof c->why, fmt, ap);
    va_end(ap);
}

// Section 4.1.2.1. Versions 1 and 2 are read on, so that more can be said, but they are never good.
static int read_version(struct certificate *c, struct span *tbs, struct err *e)
{
    struct der_item outer;
    struct der_item number;
    c->version = 1;
    if (tbs->len > 0 && tbs->data[0] == TAG_VERSION) {
        if (der_next(tbs, &outer, e) != 0 ||
            der_expect(&outer.content, MBEDTLS_ASN1_INTEGER, "version", &number, e) != 0) {
            return -1;
        }
        if (outer.content.len > 0 || number.content.len != 1 || number.content.data[0] > 2) {
            return err_set(e, "the version is none of 1, 2 and 3");
        }
        c->version = number.content.data[0] + 1;
    }
    if (c->version != 3) {
        certificate_finding(c, REASON_version, "it is of version %d", c->version);
    }
    return 0;
}

// Section 4.1.2.2: positive, at most 20 octets. Zero is noted only: well-known roots have it, and nothing refers to the
// serial number of an anchor.
static int read_serial(struct certificate *c, struct span *tbs, struct err *e)
{
    struct der_item number;
    if (der_expect(tbs, MBEDTLS_ASN1_INTEGER, "serialNumber", &number, e) != 0) {
        return -1;
    }
    const uint8_t *octets = number.content.data;
    size_t len = number.content.len;
    if (len == 0) {
        return err_set(e, "the serial number is empty");
    }
    c->serial = number.content;
    if ((octets[0] & 0x80) != 0) {
        certificate_finding(c, REASON_serial_number, "its serial number is negative");
    } else if (len == 1 && octets[0] == 0) {
        c->serial_is_zero = true;
    } else if (len > SERIAL_MOST) {
        certificate_finding(c, REASON_serial_number, "its serial number has %zu octets", len);
    } else if (len > 1 && octets[0] == 0 && (octets[1] & 0x80) == 0) {
        certificate_finding(c, REASON_serial_number, "its serial number is not in its shortest form");
    }
    return 0;
}

// Section 4.1.2.5: UTCTime through the year 2049, GeneralizedTime from 2050 on.
static int read_time(struct certificate *c, struct span *rest, const char *what, int64_t *when, struct err *e)
{
    const int64_t start_of_2050 = INT64_C(2524608000);
    int tag = rest->len > 0 ? rest->data[0] : 0;
    if (der_time(rest, when, e) != 0) {
        return err_context(e, "%s", what);
    }
    if (tag == MBEDTLS_ASN1_GENERALIZED_TIME && *when < start_of_2050) {
        certificate_finding(c, REASON_malformed, "%s before 2050 is not written as UTCTime", what);
    }
    return 0;
}

static int read_validity(struct certificate *c, struct span *tbs, struct err *e)
{
    struct der_item validity;
    if (der_expect(tbs, TAG_SEQUENCE, "validity", &validity, e) != 0 ||
        read_time(c, &validity.content, "notBefore", &c->not_before, e) != 0 ||
        read_time(c, &validity.content, "notAfter", &c->not_after, e) != 0) {
        return -1;
    }
    return validity.content.len == 0 ? 0 : err_set(e, "something follows notAfter");
}

static int read_name(struct span *tbs, const char *what, struct span *name, struct buf *key, struct err *e)
{
    struct der_item item;
    if (der_expect(tbs, TAG_SEQUENCE, what, &item, e) != 0 || name_canonical(item.whole, key, e) != 0) {
        return err_context(e, "%s", what);
    }
    buf_add(key, "", 0); // so that the empty name has a form too
    *name = item.whole;
    return 0;
}

// The curve must be named: parameters written out (RFC 5480 section 2.1.1 forbids them) can hide a weak one, and
// reading them costs arithmetic; absent ones are not read well by mbedTLS.
static bool curve_has_no_name(struct span spki)
{
    struct err e = ERR_INIT;
    struct der_item outer;
    struct der_item algorithm;
    struct der_item oid;
    struct der_item curve;
    bool is_ec = der_next(&spki, &outer, &e) == 0 && der_next(&outer.content, &algorithm, &e) == 0 &&
                 der_next(&algorithm.content, &oid, &e) == 0 &&
                 oid.content.len == MBEDTLS_OID_SIZE(MBEDTLS_OID_EC_ALG_UNRESTRICTED) &&
                 memcmp(oid.content.data, MBEDTLS_OID_EC_ALG_UNRESTRICTED, oid.content.len) == 0;
    return is_ec && (der_next(&algorithm.content, &curve, &e) != 0 || curve.tag != MBEDTLS_ASN1_OID);
}

static bool exponent_is_sound(const mbedtls_pk_context *key)
{
    mbedtls_mpi e;
    mbedtls_mpi_init(&e);
    bool sound = mbedtls_rsa_export(mbedtls_pk_rsa(*key), NULL, NULL, NULL, NULL, &e) == 0 &&
                 mbedtls_mpi_cmp_int(&e, 3) >= 0 && mbedtls_mpi_get_bit(&e, 0) == 1;
    mbedtls_mpi_free(&e);
    return sound;
}

static void judge_key(struct certificate *c)
{
    size_t bits = mbedtls_pk_get_bitlen(&c->key);
    if (mbedtls_pk_get_type(&c->key) == MBEDTLS_PK_RSA) {
        if (bits < RSA_LEAST) {
            certificate_finding(c, REASON_key_too_weak, "its key is RSA of %zu bits", bits);
        } else if (bits % 8 != 0) { // no generator makes these; a factor of one was cut off or added
            certificate_finding(c, REASON_key_too_weak, "its key is RSA of %zu bits, which are not whole octets", bits);
        } else if (!exponent_is_sound(&c->key)) {
            certificate_finding(c, REASON_key_too_weak, "its RSA exponent is even or 1");
        }
        return;
    }
    mbedtls_ecp_group_id curve = mbedtls_pk_get_type(&c->key) == MBEDTLS_PK_ECKEY
                                     ? mbedtls_ecp_keypair_get_group_id(mbedtls_pk_ec(c->key))
                                     : MBEDTLS_ECP_DP_NONE;
    bool good =
        curve == MBEDTLS_ECP_DP_SECP256R1 || curve == MBEDTLS_ECP_DP_SECP384R1 || curve == MBEDTLS_ECP_DP_SECP521R1;
    if (!good) {
        certificate_finding(c, REASON_key_too_weak, "its key is neither RSA nor on P-256, P-384 or P-521");
    }
}

static int read_key(struct certificate *c, struct span *tbs, struct err *e)
{
    struct der_item item;
    if (der_expect(tbs, TAG_SEQUENCE, "subjectPublicKeyInfo", &item, e) != 0) {
        return -1;
    }
    c->spki = item.whole;
    unsigned char *p = (unsigned char *)(uintptr_t)item.whole.data;
    const unsigned char *end = p + item.whole.len;
    int code =
        curve_has_no_name(c->spki) ? MBEDTLS_ERR_PK_UNKNOWN_NAMED_CURVE : mbedtls_pk_parse_subpubkey(&p, end, &c->key);
    c->key_read = code == 0 && p == end;
    if (c->key_read) {
        judge_key(c);
    } else if (code == MBEDTLS_ERR_PK_UNKNOWN_PK_ALG || code == MBEDTLS_ERR_PK_UNKNOWN_NAMED_CURVE ||
               code == MBEDTLS_ERR_PK_INVALID_ALG) {
        certificate_finding(c, REASON_key_too_weak, "its key is of a kind that is not accepted");
    } else {
        certificate_finding(c, REASON_malformed, "its public key cannot be read");
    }
    return 0;
}

// What follows the key: unique identifiers (section 4.1.2.8), which are passed over, and the extensions.
static int read_rest(struct certificate *c, struct span tbs, struct err *e)
{
    static const int order[] = {TAG_ISSUER_UNIQUE_ID, TAG_SUBJECT_UNIQUE_ID, TAG_EXTENSIONS};
    size_t next = 0;
    while (tbs.len > 0) {
        struct der_item item;
        struct der_item list;
        if (der_next(&tbs, &item, e) != 0) {
            return -1;
        }
        while (next < 3 && order[next] != item.tag) {
            next++;
        }
        if (next == 3) {
            return err_set(e, "an unexpected field, tag 0x%02x, follows the key", (unsigned)item.tag);
        }
        if (item.tag == TAG_EXTENSIONS) {
            if (der_expect(&item.content, TAG_SEQUENCE, "extensions", &list, e) != 0) {
                return -1;
            }
            if (item.content.len > 0 || list.content.len == 0) {
                return err_set(e, "the list of extensions is empty or followed by something");
            }
            extensions_read(c, list.content);
        }
        next++;
    }
    return 0;
}

static int read_tbs(struct certificate *c, struct span tbs, struct span *algorithm, struct err *e)
{
    struct der_item item;
    if (read_version(c, &tbs, e) != 0 || read_serial(c, &tbs, e) != 0 ||
        der_expect(&tbs, TAG_SEQUENCE, "signature", &item, e) != 0) {
        return -1;
    }
    *algorithm = item.whole;
    if (read_name(&tbs, "issuer", &c->issuer, &c->issuer_key, e) != 0 || read_validity(c, &tbs, e) != 0 ||
        read_name(&tbs, "subject", &c->subject, &c->subject_key, e) != 0 || read_key(c, &tbs, e) != 0) {
        return -1;
    }
    c->self_issued = c->issuer_key.len == c->subject_key.len &&
                     memcmp(c->issuer_key.data, c->subject_key.data, c->issuer_key.len) == 0;
    if (c->issuer_key.len == 0) { // section 4.1.2.4
        certificate_finding(c, REASON_malformed, "its issuer is empty");
    }
    return read_rest(c, tbs, e);
}

// Section 4.1.2.6: a CA has a name, and where the subject is empty a critical subjectAltName stands in for it.
static void judge_subject(struct certificate *c)
{
    if (c->subject_key.len > 0) {
        return;
    }
    if (c->is_ca) {
        certificate_finding(c, REASON_subject_empty, "it is a CA's and its subject is empty");
    } else if (c->names.data == NULL) {
        certificate_finding(c, REASON_subject_empty, "its subject is empty and it has no subjectAltName");
    } else if (!c->names_critical) {
        certificate_finding(c, REASON_subject_empty, "its subject is empty and its subjectAltName not critical");
    }
}

static int read_certificate(struct certificate *c, struct err *e)
{
    struct span rest = buf_span(&c->der);
    struct span inner = {0};
    struct der_item certificate;
    struct der_item tbs;
    struct der_item item;
    if (der_expect(&rest, TAG_SEQUENCE, "certificate", &certificate, e) != 0) {
        return -1;
    }
    if (rest.len > 0) {
        return err_set(e, "%zu octets follow the certificate", rest.len);
    }
    if (der_expect(&certificate.content, TAG_SEQUENCE, "tbsCertificate", &tbs, e) != 0 ||
        der_expect(&certificate.content, TAG_SEQUENCE, "signatureAlgorithm", &item, e) != 0) {
        return -1;
    }
    c->tbs = tbs.whole;
    c->signature_algorithm = item.whole;
    if (der_expect(&certificate.content, MBEDTLS_ASN1_BIT_STRING, "signatureValue", &item, e) != 0) {
        return -1;
    }
    if (certificate.content.len > 0 || item.content.len < 2 || item.content.data[0] != 0) {
        return err_set(e, "the signature is empty, not whole octets, or followed by something");
    }
    c->signature = span_of(item.content.data + 1, item.content.len - 1);
    if (read_tbs(c, tbs.content, &inner, e) != 0) {
        return -1;
    }
    c->readable = true;
    if (inner.len != c->signature_algorithm.len ||
        memcmp(inner.data, c->signature_algorithm.data, inner.len) != 0) { // section 4.1.1.2
        certificate_finding(c, REASON_algorithm_mismatch, "its signature algorithm inside is not the one outside");
    }
    judge_subject(c);
    return 0;
}

struct certificate *certificate_read(struct span der)
{
    struct certificate *c = mem_alloc(sizeof *c);
    struct err e = ERR_INIT;
    mbedtls_pk_init(&c->key);
    c->bad = REASON_ok;
    c->path_length = CERTIFICATE_NO_PATH_LENGTH;
    c->require_explicit_policy = c->inhibit_policy_mapping = c->inhibit_any_policy = CERTIFICATE_NO_SKIP;
    buf_add(&c->der, der.data, der.len);
    if (read_certificate(c, &e) != 0) {
        c->readable = false;
        certificate_finding(c, REASON_malformed, "%.150s", e.text);
    }
    c->digested = c->readable && mbedtls_sha256(der.data, der.len, c->digest, 0) == 0 &&
                  mbedtls_sha256(c->spki.data, c->spki.len, c->key_pin, 0) == 0;
    return c;
}

void certificate_free(struct certificate *c)
{
    if (c == NULL) {
        return;
    }
    mbedtls_pk_free(&c->key);
    trust_identity_free(c->identity);
    buf_clear(&c->issuer_key);
    buf_clear(&c->subject_key);
    buf_clear(&c->der);
    free(c);
}
