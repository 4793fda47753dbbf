// SPDX-License-Identifier: Apache-2.0
// Reading one revocation list (RFC 5280 section 5).
#include "trust/crl_internal.h"
#include "trust/internal.h"
#include "trust/name.h"

#include <stdatomic.h>
#include <stdlib.h>

enum { TAG_EXTENSIONS = CRL_TAG_FIELD | 0, NUMBER_MOST = 20 };

int crl_whole(struct span value, int tag, const char *what, struct span *content, struct err *e)
{
    struct der_item item;
    if (der_expect(&value, tag, what, &item, e) != 0) {
        return -1;
    }
    *content = item.content;
    return value.len == 0 ? 0 : err_set(e, "%s is followed by %zu octets", what, value.len);
}

int crl_extension_next(struct span *rest, struct crl_extension *extension, struct err *e)
{
    struct der_item outer;
    struct der_item item;
    *extension = (struct crl_extension){.critical = false};
    if (der_expect(rest, TAG_SEQUENCE, "extension", &outer, e) != 0 ||
        der_expect(&outer.content, MBEDTLS_ASN1_OID, "extnID", &item, e) != 0) {
        return -1;
    }
    extension->oid = item.content;
    if (outer.content.len > 0 && outer.content.data[0] == MBEDTLS_ASN1_BOOLEAN) {
        if (der_next(&outer.content, &item, e) != 0 || item.content.len != 1 || item.content.data[0] != 0xff) {
            return err_set(e, "an extension's criticality is not TRUE, and FALSE is not written in DER");
        }
        extension->critical = true;
    }
    return crl_whole(outer.content, MBEDTLS_ASN1_OCTET_STRING, "extnValue", &extension->value, e);
}

int crl_extension_unknown(const struct crl_extension *extension, struct err *e)
{
    char dotted[64] = "?";
    if (!extension->critical) {
        return 0;
    }
    (void)der_oid_to_text(extension->oid, dotted, sizeof dotted);
    return err_set(e, "the critical extension %s is unknown", dotted);
}

// Section 5.2.3: not negative, at most 20 octets. Kept without leading zeros, so that longer is larger.
static int read_number(struct span value, struct buf *number, struct err *e)
{
    struct span content;
    if (crl_whole(value, MBEDTLS_ASN1_INTEGER, "value", &content, e) != 0) {
        return -1;
    }
    if (content.len == 0 || content.len > NUMBER_MOST || (content.data[0] & 0x80) != 0) {
        return err_set(e, "a number is negative or has more than %d octets", NUMBER_MOST);
    }
    while (content.len > 0 && content.data[0] == 0) {
        content = span_of(content.data + 1, content.len - 1);
    }
    buf_add(number, content.data, content.len);
    return 0;
}

int crl_number_compare(const struct buf *a, const struct buf *b)
{
    if (a->len != b->len) {
        return a->len < b->len ? -1 : 1;
    }
    return memcmp(a->data, b->data, a->len);
}

// Everything of TBSCertList that the readers of extensions and entries need.
struct frame {
    struct span issuer;     // Name element
    struct span entries;    // content of revokedCertificates
    struct span extensions; // content of Extensions
    bool version_2;
};

// Each reads the value of one list extension.
typedef int read_value(struct crl *list, const struct frame *frame, struct span value, struct err *e);

// Section 5.2.1: kept whole to compare a delta's with its base's, and the keyIdentifier to find the signer.
static int read_authority(struct crl *list, const struct frame *frame, struct span value, struct err *e)
{
    struct span fields;
    struct der_item item;
    (void)frame;
    buf_add(&list->authority, value.data, value.len);
    if (crl_whole(buf_span(&list->authority), TAG_SEQUENCE, "value", &fields, e) != 0) {
        return -1;
    }
    while (fields.len > 0) {
        if (der_next(&fields, &item, e) != 0) {
            return -1;
        }
        if (item.tag == CRL_TAG_CONTEXT) {
            list->key_id = item.content;
        }
    }
    return 0;
}

static int read_list_number(struct crl *list, const struct frame *frame, struct span value, struct err *e)
{
    (void)frame;
    list->has_number = true;
    return read_number(value, &list->number, e);
}

static int read_delta(struct crl *list, const struct frame *frame, struct span value, struct err *e)
{
    (void)frame;
    list->delta = true;
    return read_number(value, &list->base, e);
}

static int read_scope(struct crl *list, const struct frame *frame, struct span value, struct err *e)
{
    return crl_scope_read(&list->scope, value, frame->issuer, e);
}

// Other names of the issuer (section 5.2.2) are for people.
static int skip_value(struct crl *list, const struct frame *frame, struct span value, struct err *e)
{
    (void)list;
    (void)frame;
    (void)value;
    (void)e;
    return 0;
}

// freshestCRL and authorityInfoAccess say where to fetch and are never critical (sections 5.2.6 and 5.2.7): they may
// stay unknown.
static const struct {
    struct span oid;
    const char *name;
    bool never_critical;
    read_value *read;
} known[] = {
    {CRL_OID("\x23"), "authorityKeyIdentifier", true, read_authority},
    {CRL_OID("\x12"), "issuerAltName", false, skip_value},
    {CRL_OID("\x14"), "cRLNumber", true, read_list_number},
    {CRL_OID("\x1b"), "deltaCRLIndicator", false, read_delta},
    {CRL_OID("\x1c"), "issuingDistributionPoint", false, read_scope},
};
enum { KNOWN = sizeof known / sizeof known[0] };

static int read_extension(struct crl *list, const struct frame *frame, const struct crl_extension *x, bool seen[KNOWN],
                          struct err *e)
{
    size_t i = 0;
    while (i < KNOWN && !spans_equal(known[i].oid, x->oid)) {
        i++;
    }
    if (i == KNOWN) {
        return crl_extension_unknown(x, e);
    }
    if (seen[i]) {
        return err_set(e, "%s is there twice", known[i].name);
    }
    seen[i] = true;
    if (x->critical && known[i].never_critical) {
        return err_set(e, "%s is critical", known[i].name);
    }
    return known[i].read(list, frame, x->value, e) == 0 ? 0 : err_context(e, "%s", known[i].name);
}

static int read_extensions(struct crl *list, const struct frame *frame, struct err *e)
{
    struct span rest = frame->extensions;
    bool seen[KNOWN] = {false};
    while (rest.len > 0) {
        struct crl_extension x;
        if (crl_extension_next(&rest, &x, e) != 0 || read_extension(list, frame, &x, seen, e) != 0) {
            return -1;
        }
    }
    // What has been left out of the sequence of lists cannot be told without a number.
    return list->delta && !list->has_number ? err_set(e, "a delta list without cRLNumber") : 0;
}

// Section 5.1.2.4: UTCTime through the year 2049, GeneralizedTime from 2050 on.
static int read_time(struct span *rest, const char *what, int64_t *when, struct err *e)
{
    const int64_t start_of_2050 = INT64_C(2524608000);
    int tag = rest->len > 0 ? rest->data[0] : 0;
    if (der_time(rest, when, e) != 0) {
        return err_context(e, "%s", what);
    }
    return tag == MBEDTLS_ASN1_GENERALIZED_TIME && *when < start_of_2050
               ? err_set(e, "%s before 2050 is not written as UTCTime", what)
               : 0;
}

static bool next_is(struct span rest, int tag)
{
    return rest.len > 0 && rest.data[0] == tag;
}

// revokedCertificates and crlExtensions, both optional, the latter for version 2 only (section 5.1.2.7)
static int read_rest(struct frame *frame, struct span tbs, struct err *e)
{
    struct der_item item;
    if (next_is(tbs, TAG_SEQUENCE)) {
        if (der_next(&tbs, &item, e) != 0) {
            return -1;
        }
        frame->entries = item.content;
    }
    if (next_is(tbs, TAG_EXTENSIONS)) {
        if (der_next(&tbs, &item, e) != 0 ||
            crl_whole(item.content, TAG_SEQUENCE, "crlExtensions", &frame->extensions, e) != 0) {
            return -1;
        }
        if (!frame->version_2 || frame->extensions.len == 0) {
            return err_set(e, "crlExtensions %s", frame->version_2 ? "is empty" : "in a list of version 1");
        }
    }
    return tbs.len == 0 ? 0 : err_set(e, "an unexpected field, tag 0x%02x", (unsigned)tbs.data[0]);
}

static int read_issuer(struct crl *list, struct span name, struct err *e)
{
    struct buf text = {0};
    display_name(&text, name);
    size_t len = text.len < sizeof list->label ? text.len : sizeof list->label - 1;
    while (len > 0 && len < text.len && (text.data[len] & 0xc0) == 0x80) { // not within a character
        len--;
    }
    memcpy(list->label, text.len > 0 ? text.data : (const uint8_t *)"", len);
    buf_clear(&text);
    if (name_canonical(name, &list->issuer, e) != 0) {
        return err_context(e, "issuer");
    }
    return list->issuer.len > 0 ? 0 : err_set(e, "issuer is empty"); // section 5.1.2.3
}

static int read_tbs(struct crl *list, struct span tbs, struct err *e)
{
    struct frame frame = {.version_2 = next_is(tbs, MBEDTLS_ASN1_INTEGER)};
    struct der_item item;
    if (frame.version_2 && (der_next(&tbs, &item, e) != 0 || item.content.len != 1 || item.content.data[0] != 1)) {
        return err_set(e, "the version, where it is given, must be 2"); // section 5.1.2.1
    }
    if (der_expect(&tbs, TAG_SEQUENCE, "signature", &item, e) != 0) {
        return -1;
    }
    if (!spans_equal(item.whole, buf_span(&list->algorithm))) { // section 5.1.1.2
        return err_set(e, "the signature algorithm inside differs from the one outside");
    }
    if (der_expect(&tbs, TAG_SEQUENCE, "issuer", &item, e) != 0 || read_issuer(list, item.whole, e) != 0) {
        return -1;
    }
    frame.issuer = item.whole;
    if (read_time(&tbs, "thisUpdate", &list->this_update, e) != 0) {
        return -1;
    }
    if (next_is(tbs, MBEDTLS_ASN1_UTC_TIME) || next_is(tbs, MBEDTLS_ASN1_GENERALIZED_TIME)) {
        list->has_next_update = true;
        if (read_time(&tbs, "nextUpdate", &list->next_update, e) != 0) {
            return -1;
        }
    }
    if (read_rest(&frame, tbs, e) != 0 || read_extensions(list, &frame, e) != 0) {
        return -1;
    }
    struct crl_kind kind = {.version_2 = frame.version_2, .delta = list->delta, .indirect = list->scope.indirect};
    return crl_index_read(&list->index, frame.entries, buf_span(&list->issuer), kind, e);
}

// CertificateList ::= SEQUENCE { tbsCertList, signatureAlgorithm, signatureValue BIT STRING }
static int read_list(struct crl *list, struct span der, struct err *e)
{
    struct span fields;
    struct span bits;
    struct der_item tbs;
    struct der_item algorithm;
    if (crl_whole(der, TAG_SEQUENCE, "the list", &fields, e) != 0 ||
        der_expect(&fields, TAG_SEQUENCE, "tbsCertList", &tbs, e) != 0 ||
        der_expect(&fields, TAG_SEQUENCE, "signatureAlgorithm", &algorithm, e) != 0 ||
        crl_whole(fields, MBEDTLS_ASN1_BIT_STRING, "signatureValue", &bits, e) != 0) {
        return -1;
    }
    if (bits.len < 2 || bits.data[0] != 0) {
        return err_set(e, "the signature is empty or not whole octets");
    }
    buf_add(&list->algorithm, algorithm.whole.data, algorithm.whole.len);
    buf_add(&list->signature, bits.data + 1, bits.len - 1);
    if (read_tbs(list, tbs.content, e) != 0) {
        return -1;
    }
    list->digestible = signature_hash(algorithm.whole, tbs.whole, &list->digest);
    return 0;
}

struct crl *crl_read(struct span der, struct err *e)
{
    struct crl *list = mem_alloc(sizeof *list);
    list->scope.reasons = CRL_REASONS_ALL;
    if (read_list(list, der, e) != 0) {
        if (list->label[0] != '\0') {
            err_context(e, "the list of %s", list->label);
        }
        crl_free(list);
        return NULL;
    }
    return list;
}

void crl_free(struct crl *list)
{
    if (list == NULL) {
        return;
    }
    for (size_t i = 0; i < CRL_SIGNERS; i++) {
        struct buf *signer = atomic_load(&list->signers[i]);
        if (signer != NULL) {
            buf_clear(signer);
            free(signer);
        }
    }
    crl_index_clear(&list->index);
    struct buf *owned[] = {&list->issuer,      &list->authority, &list->number,   &list->base,
                           &list->scope.names, &list->algorithm, &list->signature};
    for (size_t i = 0; i < sizeof owned / sizeof owned[0]; i++) {
        buf_clear(owned[i]);
    }
    free(list);
}

bool crl_is_current(const struct crl *list, int64_t now)
{
    // Section 5.1.2.5: nextUpdate must be there
    return list->this_update <= now && list->has_next_update && now <= list->next_update;
}

// Remembers in the first free place that this key made the signature. If there is none, it is checked again next time.
static void remember_signer(struct crl *list, struct span spki)
{
    struct buf *mine = mem_alloc(sizeof *mine);
    buf_add(mine, spki.data, spki.len);
    for (size_t i = 0; i < CRL_SIGNERS; i++) {
        struct buf *none = NULL;
        if (atomic_compare_exchange_strong(&list->signers[i], &none, mine)) {
            return;
        }
    }
    buf_clear(mine);
    free(mine);
}

static bool is_remembered(const struct crl *list, struct span spki)
{
    for (size_t i = 0; i < CRL_SIGNERS; i++) {
        const struct buf *known_good = atomic_load(&list->signers[i]);
        if (known_good != NULL && spans_equal(buf_span(known_good), spki)) {
            return true;
        }
    }
    return false;
}

bool crl_signed_by(struct crl *list, const struct certificate *signer)
{
    if (!signer->key_read || list->digestible != REASON_ok ||
        (signer->has_key_usage && (signer->key_usage & KU_CRL_SIGN) == 0)) { // section 6.3.3 (f)
        return false;
    }
    if (is_remembered(list, signer->spki)) {
        return true;
    }
    // mbedTLS's checks are not const, but change nothing that others see
    mbedtls_pk_context *key = (mbedtls_pk_context *)(uintptr_t)&signer->key;
    if (signature_check_hash(buf_span(&list->algorithm), buf_span(&list->signature), &list->digest, key) != REASON_ok) {
        return false;
    }
    remember_signer(list, signer->spki);
    return true;
}

void crl_remember(struct crl *list, const struct crl *from)
{
    if (list->digestible != REASON_ok || from->digestible != REASON_ok ||
        !spans_equal(span_of(list->digest.octets, list->digest.len), span_of(from->digest.octets, from->digest.len)) ||
        !spans_equal(buf_span(&list->algorithm), buf_span(&from->algorithm)) ||
        !spans_equal(buf_span(&list->signature), buf_span(&from->signature))) {
        return;
    }
    for (size_t i = 0; i < CRL_SIGNERS; i++) {
        const struct buf *signer = atomic_load(&from->signers[i]);
        if (signer != NULL && !is_remembered(list, buf_span(signer))) {
            remember_signer(list, buf_span(signer));
        }
    }
}
