// SPDX-License-Identifier: Apache-2.0
#include "ca/extension.h"

#include "base/der.h"

#include <mbedtls/oid.h>
#include <stdlib.h>
#include <string.h>

// Netscape's comment, 2.16.840.1.113730.1.13: old, but every tool prints it.
#define OID_COMMENT "\x60\x86\x48\x01\x86\xf8\x42\x01\x0d"

enum {
    TAG_CONTEXT = MBEDTLS_ASN1_CONTEXT_SPECIFIC,
    TAG_CONTEXT_CONSTRUCTED = MBEDTLS_ASN1_CONTEXT_SPECIFIC | MBEDTLS_ASN1_CONSTRUCTED,
};

void extension_write(struct buf *out, struct span oid, bool critical, struct span value)
{
    static const uint8_t boolean_true[] = {MBEDTLS_ASN1_BOOLEAN, 1, 0xff};
    struct buf content = {0};
    der_wrap(&content, MBEDTLS_ASN1_OID, oid);
    if (critical) {
        buf_add(&content, boolean_true, sizeof boolean_true);
    }
    der_wrap(&content, MBEDTLS_ASN1_OCTET_STRING, value);
    der_wrap(out, TAG_SEQUENCE, buf_span(&content));
    buf_clear(&content);
}

int extension_next(struct span *rest, struct extension *extension, struct err *e)
{
    struct der_item whole, item;
    *extension = (struct extension){0};
    if (der_expect(rest, TAG_SEQUENCE, "extension", &whole, e) != 0 ||
        der_expect(&whole.content, MBEDTLS_ASN1_OID, "extnID", &item, e) != 0) {
        return -1;
    }
    extension->oid = item.content;
    if (whole.content.len > 0 && whole.content.data[0] == MBEDTLS_ASN1_BOOLEAN) {
        if (der_next(&whole.content, &item, e) != 0) {
            return err_context(e, "critical");
        }
        if (item.content.len != 1) {
            return err_set(e, "critical: a BOOLEAN of %zu octets", item.content.len);
        }
        extension->critical = item.content.data[0] != 0;
    }
    if (der_expect(&whole.content, MBEDTLS_ASN1_OCTET_STRING, "extnValue", &item, e) != 0) {
        return -1;
    }
    extension->value = item.content;
    return whole.content.len == 0 ? 0 : err_set(e, "extension: octets follow its value");
}

// Takes the value over: it is cleared whatever happens.
static int set(mbedtls_x509write_cert *ctx, const char *oid, size_t oid_len, bool critical, struct buf *value,
               size_t *size, struct err *e)
{
    int rc = mbedtls_x509write_crt_set_extension(ctx, oid, oid_len, critical ? 1 : 0, value->data, value->len);
    *size += value->len;
    buf_clear(value);
    return rc == 0 ? 0 : err_mbedtls(e, rc, "adding an extension");
}

#define SET(ctx, oid, critical, value, size, e) set(ctx, oid, MBEDTLS_OID_SIZE(oid), critical, value, size, e)

static int set_basics(mbedtls_x509write_cert *ctx, const struct certificate_content *c, struct err *e)
{
    int rc = mbedtls_x509write_crt_set_basic_constraints(ctx, c->is_ca, c->path_length);
    if (rc == 0 && c->key_usage != 0) {
        rc = mbedtls_x509write_crt_set_key_usage(ctx, c->key_usage);
    }
    return rc == 0 ? 0 : err_mbedtls(e, rc, "adding basicConstraints and keyUsage");
}

// SEQUENCE OF what each OID becomes by itself (keyPurposeId) or inside a SEQUENCE (PolicyInformation)
static int oid_list(char *const *oids, bool in_sequence, struct buf *out, struct err *e)
{
    for (; *oids != NULL; oids++) {
        struct buf oid = {0};
        if (der_oid_from_text(*oids, &oid, e) != 0) {
            buf_clear(&oid);
            return -1;
        }
        der_enclose(&oid, MBEDTLS_ASN1_OID);
        if (in_sequence) {
            der_enclose(&oid, TAG_SEQUENCE);
        }
        buf_add(out, oid.data, oid.len);
        buf_clear(&oid);
    }
    der_enclose(out, TAG_SEQUENCE);
    return 0;
}

// Section 4.2.1.1: keyIdentifier only; a self-signed certificate may leave it out, and does.
static int set_key_ids(mbedtls_x509write_cert *ctx, const struct certificate_issuer *issuer,
                       mbedtls_pk_context *subject_key, size_t *size, struct err *e)
{
    uint8_t id[KEY_ID_SIZE];
    struct buf value = {0};
    if (key_id(subject_key, id, e) != 0) {
        return -1;
    }
    der_wrap(&value, MBEDTLS_ASN1_OCTET_STRING, span_of(id, sizeof id));
    if (SET(ctx, MBEDTLS_OID_SUBJECT_KEY_IDENTIFIER, false, &value, size, e) != 0) {
        return -1;
    }
    if (memcmp(id, issuer->key_id, sizeof id) == 0) {
        return 0;
    }
    der_wrap(&value, TAG_CONTEXT | 0, span_of(issuer->key_id, KEY_ID_SIZE));
    der_enclose(&value, TAG_SEQUENCE);
    return SET(ctx, MBEDTLS_OID_AUTHORITY_KEY_IDENTIFIER, false, &value, size, e);
}

static int set_names(mbedtls_x509write_cert *ctx, const struct certificate_content *c, size_t *size, struct err *e)
{
    struct buf value = {0};
    if (c->names.count == 0) {
        return 0;
    }
    if (general_names_encode(&c->names, &value, e) != 0) {
        buf_clear(&value);
        return -1;
    }
    // Section 4.2.1.6: critical where it is all there is of a name
    return SET(ctx, MBEDTLS_OID_SUBJECT_ALT_NAME, c->subject[0] == '\0', &value, size, e);
}

// Section 4.2.1.10: NameConstraints ::= SEQUENCE { [0] permittedSubtrees, [1] excludedSubtrees }
static int set_constraints(mbedtls_x509write_cert *ctx, const struct certificate_content *c, size_t *size,
                           struct err *e)
{
    const struct general_names *subtrees[] = {&c->permitted, &c->excluded};
    struct buf value = {0};
    for (int i = 0; i < 2; i++) {
        struct buf list = {0};
        if (subtrees[i]->count == 0) {
            continue;
        }
        if (general_subtrees_encode(subtrees[i], &list, e) != 0) {
            buf_clear(&list);
            buf_clear(&value);
            return -1;
        }
        der_wrap(&value, TAG_CONTEXT_CONSTRUCTED | i, buf_span(&list));
        buf_clear(&list);
    }
    if (value.len == 0) {
        return 0;
    }
    der_enclose(&value, TAG_SEQUENCE);
    return SET(ctx, MBEDTLS_OID_NAME_CONSTRAINTS, !c->constraints_not_critical, &value, size, e);
}

static int set_oids(mbedtls_x509write_cert *ctx, char *const *oids, const char *extension, size_t extension_len,
                    bool in_sequence, size_t *size, struct err *e)
{
    struct buf value = {0};
    if (oids == NULL || oids[0] == NULL) {
        return 0;
    }
    if (oid_list(oids, in_sequence, &value, e) != 0) {
        buf_clear(&value);
        return -1;
    }
    return set(ctx, extension, extension_len, false, &value, size, e);
}

// Section 4.2.1.13: one DistributionPoint an URL, each { [0] { [0] fullName { [6] URI } } }
static int set_crl_urls(mbedtls_x509write_cert *ctx, char *const *urls, size_t *size, struct err *e)
{
    struct buf value = {0};
    if (urls == NULL || urls[0] == NULL) {
        return 0;
    }
    for (; *urls != NULL; urls++) {
        struct buf point = {0};
        der_wrap(&point, TAG_CONTEXT | GENERAL_NAME_URI, span_of(*urls, strlen(*urls)));
        der_enclose(&point, TAG_CONTEXT_CONSTRUCTED | 0);
        der_enclose(&point, TAG_CONTEXT_CONSTRUCTED | 0);
        der_wrap(&value, TAG_SEQUENCE, buf_span(&point));
        buf_clear(&point);
    }
    der_enclose(&value, TAG_SEQUENCE);
    return SET(ctx, MBEDTLS_OID_CRL_DISTRIBUTION_POINTS, false, &value, size, e);
}

static int set_comment(mbedtls_x509write_cert *ctx, const char *comment, size_t *size, struct err *e)
{
    struct buf value = {0};
    if (comment == NULL) {
        return 0;
    }
    der_wrap(&value, MBEDTLS_ASN1_IA5_STRING, span_of(comment, strlen(comment)));
    return SET(ctx, OID_COMMENT, false, &value, size, e);
}

int extensions_set(mbedtls_x509write_cert *ctx, const struct certificate_content *c,
                   const struct certificate_issuer *issuer, mbedtls_pk_context *subject_key, size_t *size,
                   struct err *e)
{
    bool done = set_basics(ctx, c, e) == 0 &&
                set_oids(ctx, c->ext_key_usage, MBEDTLS_OID_EXTENDED_KEY_USAGE,
                         MBEDTLS_OID_SIZE(MBEDTLS_OID_EXTENDED_KEY_USAGE), false, size, e) == 0 &&
                set_key_ids(ctx, issuer, subject_key, size, e) == 0 && set_names(ctx, c, size, e) == 0 &&
                set_constraints(ctx, c, size, e) == 0 &&
                set_oids(ctx, c->policies, MBEDTLS_OID_CERTIFICATE_POLICIES,
                         MBEDTLS_OID_SIZE(MBEDTLS_OID_CERTIFICATE_POLICIES), true, size, e) == 0 &&
                set_crl_urls(ctx, c->crl_urls, size, e) == 0 && set_comment(ctx, c->comment, size, e) == 0;
    return done ? 0 : -1;
}
