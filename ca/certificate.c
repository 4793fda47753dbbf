// SPDX-License-Identifier: Apache-2.0
#include "ca/certificate.h"

#include "base/clock.h"
#include "base/der.h"
#include "ca/extension.h"

#include <mbedtls/oid.h>
#include <stdlib.h>
#include <string.h>

enum {
    TAG_CONTEXT = MBEDTLS_ASN1_CONTEXT_SPECIFIC | MBEDTLS_ASN1_CONSTRUCTED,
};

static void free_list(char **list)
{
    for (size_t i = 0; list != NULL && list[i] != NULL; i++) {
        free(list[i]);
    }
    free(list);
}

void certificate_content_clear(struct certificate_content *c)
{
    free(c->subject);
    general_names_clear(&c->names);
    general_names_clear(&c->permitted);
    general_names_clear(&c->excluded);
    free_list(c->ext_key_usage);
    free_list(c->crl_urls);
    free_list(c->policies);
    free(c->comment);
    *c = (struct certificate_content){0};
}

bool certificate_time_valid(int64_t when)
{
    static const int64_t year_1950 = INT64_C(-631152000);
    static const int64_t year_10000 = INT64_C(253402300800);
    return when >= year_1950 && when < year_10000;
}

int serial_make(struct rng *rng, uint8_t serial[SERIAL_SIZE], struct err *e)
{
    if (rng_bytes(rng, serial, SERIAL_SIZE) != 0) {
        return err_set(e, "no random bytes for a serial number");
    }
    // RFC 5280 section 4.1.2.2: positive, at most 20 octets; and never shorter, so that all look alike
    serial[0] = (serial[0] & 0x7f) | 0x40;
    return 0;
}

int signature_algorithm(const mbedtls_pk_context *key, mbedtls_md_type_t digest, struct buf *der, struct err *e)
{
    static const uint8_t null[] = {MBEDTLS_ASN1_NULL, 0};
    struct buf content = {0};
    const char *oid = NULL;
    size_t oid_len = 0;
    bool rsa = mbedtls_pk_can_do(key, MBEDTLS_PK_RSA);
    int rc = mbedtls_oid_get_oid_by_sig_alg(rsa ? MBEDTLS_PK_RSA : MBEDTLS_PK_ECDSA, digest, &oid, &oid_len);
    if (rc != 0) {
        return err_mbedtls(e, rc, "choosing a signature algorithm");
    }
    der_wrap(&content, MBEDTLS_ASN1_OID, span_of(oid, oid_len));
    if (rsa) { // RFC 4055 section 5: NULL parameters; RFC 5758 section 3.2: none for ECDSA
        buf_add(&content, null, sizeof null);
    }
    der_wrap(der, TAG_SEQUENCE, buf_span(&content));
    buf_clear(&content);
    return 0;
}

int signed_make(struct span tbs, mbedtls_pk_context *key, mbedtls_md_type_t digest, struct rng *rng, struct buf *der,
                struct err *e)
{
    uint8_t hash[MBEDTLS_MD_MAX_SIZE];
    uint8_t signature[1 + MBEDTLS_PK_SIGNATURE_MAX_SIZE] = {0}; // a BIT STRING begins with its count of unused bits: 0
    size_t signature_len = 0;
    const mbedtls_md_info_t *info = mbedtls_md_info_from_type(digest);
    int rc = mbedtls_md(info, tbs.data, tbs.len, hash);
    if (rc == 0) {
        rc = mbedtls_pk_sign(key, digest, hash, mbedtls_md_get_size(info), signature + 1, sizeof signature - 1,
                             &signature_len, rng_bytes, rng);
    }
    if (rc != 0) {
        return err_mbedtls(e, rc, "signing");
    }
    struct buf content = {0};
    buf_reserve(&content, tbs.len + sizeof signature + 64);
    buf_add(&content, tbs.data, tbs.len);
    rc = signature_algorithm(key, digest, &content, e);
    if (rc == 0) {
        der_wrap(&content, MBEDTLS_ASN1_BIT_STRING, span_of(signature, signature_len + 1));
        der_wrap(der, TAG_SEQUENCE, buf_span(&content));
    }
    buf_clear(&content);
    return rc;
}

// mbedTLS's writer takes names as text of its own kind. A name that it cannot express is left empty there.
static int set_name(mbedtls_x509write_cert *ctx, int (*setter)(mbedtls_x509write_cert *, const char *),
                    struct span name, bool *whole, struct err *e)
{
    struct buf text = {0};
    int rc = 0;
    if (!name_for_mbedtls(name, &text)) {
        *whole = false;
    } else if (text.len > 0) {
        rc = setter(ctx, (const char *)text.data);
    }
    buf_clear(&text);
    return rc == 0 ? 0 : err_mbedtls(e, rc, "writing a name");
}

// Puts the names into a certificate that mbedTLS wrote with empty ones, and signs it again.
static int put_names(struct span written, struct span issuer_name, struct span subject_name,
                     const struct certificate_issuer *issuer, struct rng *rng, struct buf *der, struct err *e)
{
    struct certificate_parts parts;
    struct buf content = {0};
    struct buf tbs = {0};
    if (certificate_split(written, &parts, e) != 0) {
        return -1;
    }
    const struct span pieces[] = {parts.version,  parts.serial, parts.algorithm, issuer_name,
                                  parts.validity, subject_name, parts.key,       parts.extensions};
    for (size_t i = 0; i < sizeof pieces / sizeof pieces[0]; i++) {
        buf_add(&content, pieces[i].data, pieces[i].len);
    }
    der_wrap(&tbs, TAG_SEQUENCE, buf_span(&content));
    int rc = signed_make(buf_span(&tbs), issuer->key, key_digest(issuer->key), rng, der, e);
    buf_clear(&content);
    buf_clear(&tbs);
    return rc;
}

static int write_der(mbedtls_x509write_cert *ctx, size_t size, struct rng *rng, struct buf *der, struct err *e)
{
    struct buf room = {0};
    buf_reserve(&room, size);
    int len = mbedtls_x509write_crt_der(ctx, room.data, size, rng_bytes, rng);
    if (len > 0) {
        buf_add(der, room.data + size - len, (size_t)len); // it writes to the end of the room
    }
    buf_clear(&room);
    return len > 0 ? 0 : err_mbedtls(e, len, "writing a certificate");
}

static int set_fields(mbedtls_x509write_cert *ctx, const struct certificate_content *c, const uint8_t *serial,
                      size_t serial_len, mbedtls_pk_context *subject_key, const struct certificate_issuer *issuer,
                      struct err *e)
{
    char from[CLOCK_TEXT];
    char until[CLOCK_TEXT];
    unsigned char copy[MBEDTLS_X509_RFC5280_MAX_SERIAL_LEN];
    if (serial_len > sizeof copy) {
        return err_set(e, "a serial number of %zu octets; at most 20 are allowed", serial_len);
    }
    if (!certificate_time_valid(c->not_before) || !certificate_time_valid(c->not_after)) {
        return err_set(e, "a validity outside the years 1950 to 9999 cannot be written");
    }
    memcpy(copy, serial, serial_len);
    mbedtls_x509write_crt_set_subject_key(ctx, subject_key);
    mbedtls_x509write_crt_set_issuer_key(ctx, issuer->key);
    mbedtls_x509write_crt_set_md_alg(ctx, key_digest(issuer->key));
    int rc = mbedtls_x509write_crt_set_serial_raw(ctx, copy, serial_len);
    if (rc == 0) {
        rc = mbedtls_x509write_crt_set_validity(ctx, clock_x509(c->not_before, from), clock_x509(c->not_after, until));
    }
    return rc == 0 ? 0 : err_mbedtls(e, rc, "writing serial number and validity");
}

int certificate_make(const struct certificate_content *c, const uint8_t *serial, size_t serial_len,
                     mbedtls_pk_context *subject_key, const struct certificate_issuer *issuer, struct rng *rng,
                     struct buf *der, struct err *e)
{
    mbedtls_x509write_cert ctx;
    struct buf subject = {0};
    struct buf written = {0};
    size_t size = 4096; // key, signature and what is around them; names and extensions come on top
    bool whole = true;
    int rc = -1;
    mbedtls_x509write_crt_init(&ctx);
    if (name_from_text(c->subject, &subject, e) != 0) {
        goto out;
    }
    struct span issuer_name = issuer->subject.len > 0 ? issuer->subject : buf_span(&subject);
    size += issuer_name.len + subject.len;
    if (set_fields(&ctx, c, serial, serial_len, subject_key, issuer, e) != 0 ||
        set_name(&ctx, mbedtls_x509write_crt_set_subject_name, buf_span(&subject), &whole, e) != 0 ||
        set_name(&ctx, mbedtls_x509write_crt_set_issuer_name, issuer_name, &whole, e) != 0 ||
        extensions_set(&ctx, c, issuer, subject_key, &size, e) != 0 ||
        write_der(&ctx, size, rng, whole ? der : &written, e) != 0) {
        goto out;
    }
    rc = whole ? 0 : put_names(buf_span(&written), issuer_name, buf_span(&subject), issuer, rng, der, e);
out:
    mbedtls_x509write_crt_free(&ctx);
    buf_clear(&subject);
    buf_clear(&written);
    return rc;
}

int certificate_split(struct span der, struct certificate_parts *parts, struct err *e)
{
    struct der_item certificate;
    struct der_item tbs;
    struct der_item item;
    *parts = (struct certificate_parts){0};
    if (der_expect(&der, TAG_SEQUENCE, "certificate", &certificate, e) != 0 ||
        der_expect(&certificate.content, TAG_SEQUENCE, "TBSCertificate", &tbs, e) != 0) {
        return -1;
    }
    parts->tbs = tbs.whole;
    if (tbs.content.len > 0 && tbs.content.data[0] == (TAG_CONTEXT | 0)) {
        if (der_next(&tbs.content, &item, e) != 0) {
            return err_context(e, "version");
        }
        parts->version = item.whole;
    }
    const struct {
        struct span *in;
        struct span *out;
        const char *what;
    } steps[] = {
        {&tbs.content, &parts->serial, "serialNumber"},
        {&tbs.content, &parts->algorithm, "signature"},
        {&tbs.content, &parts->issuer, "issuer"},
        {&tbs.content, &parts->validity, "validity"},
        {&tbs.content, &parts->subject, "subject"},
        {&tbs.content, &parts->key, "subjectPublicKeyInfo"},
        {&certificate.content, &parts->outer_algorithm, "signatureAlgorithm"},
        {&certificate.content, &parts->signature, "signatureValue"},
    };
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        if (der_next(steps[i].in, &item, e) != 0) {
            return err_context(e, "%s", steps[i].what);
        }
        *steps[i].out = item.whole;
    }
    while (tbs.content.len > 0) { // [1] and [2] are unique identifiers, which nobody uses, [3] the extensions
        if (der_next(&tbs.content, &item, e) != 0) {
            return err_context(e, "extensions");
        }
        if (item.tag == (TAG_CONTEXT | 3)) {
            parts->extensions = item.whole;
        }
    }
    return 0;
}

bool certificate_extension(const struct certificate_parts *parts, struct span oid, struct span *value)
{
    struct err ignored = ERR_INIT;
    struct span rest = parts->extensions;
    struct der_item outer;
    struct der_item list;
    struct der_item extension;
    struct der_item item;
    if (rest.len == 0 || der_next(&rest, &outer, &ignored) != 0 || der_next(&outer.content, &list, &ignored) != 0) {
        return false;
    }
    while (list.content.len > 0 && der_next(&list.content, &extension, &ignored) == 0) {
        bool wanted = der_next(&extension.content, &item, &ignored) == 0 && item.content.len == oid.len &&
                      memcmp(item.content.data, oid.data, oid.len) == 0;
        while (extension.content.len > 0 && der_next(&extension.content, &item, &ignored) == 0) {
            *value = item.content; // the last of [critical,] extnValue
        }
        if (wanted) {
            return true;
        }
    }
    return false;
}
