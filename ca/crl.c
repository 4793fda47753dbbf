// SPDX-License-Identifier: Apache-2.0
#include "ca/crl.h"

#include "base/clock.h"
#include "base/text.h"
#include "ca/asn1write.h"
#include "ca/extension.h"

#include <mbedtls/oid.h>
#include <string.h>
#include <strings.h>

#define OID_REASON_CODE MBEDTLS_OID_ID_CE "\x15"     // 2.5.29.21
#define OID_INVALIDITY_DATE MBEDTLS_OID_ID_CE "\x18" // 2.5.29.24

enum {
    TAG_EXTENSIONS = MBEDTLS_ASN1_CONTEXT_SPECIFIC | MBEDTLS_ASN1_CONSTRUCTED | 0,
    ENTRY_ROOM = 96, // what an entry takes besides its serial: two times and two extensions
    LIST_ROOM = 512, // what a list takes besides the issuer's name and the entries
    VERSION_2 = 1,   // RFC 5280 section 5.1: Version ::= INTEGER { v1(0), v2(1), v3(2) }
};

static const struct {
    const char *name;
    enum revocation_reason reason;
} reasons[] = {
#define R(token, name, number) {name, REVOCATION_##token},
    REVOCATION_REASONS(R)
#undef R
};

enum { REASONS = sizeof reasons / sizeof reasons[0] };

// NULL: there is no such code (RFC 5280 section 5.3.1 leaves out 7, for one).
static const char *reason_find(enum revocation_reason reason)
{
    for (size_t i = 0; i < REASONS; i++) {
        if (reasons[i].reason == reason) {
            return reasons[i].name;
        }
    }
    return NULL;
}

const char *revocation_reason_name(enum revocation_reason reason)
{
    const char *name = reason_find(reason);
    return name == NULL ? "unknown" : name;
}

// Are these the same but for case, hyphens and underscores?
static bool same_word(const char *a, const char *b)
{
    for (;; a++, b++) {
        a += strspn(a, "-_");
        b += strspn(b, "-_");
        if (strncasecmp(a, b, 1) != 0) {
            return false;
        }
        if (*a == '\0') {
            return true;
        }
    }
}

int revocation_reason_parse(const char *name, enum revocation_reason *reason, struct err *e)
{
    struct buf list = {0};
    for (size_t i = 0; i < REASONS; i++) {
        if (reasons[i].reason == REVOCATION_remove_from_crl) {
            continue;
        }
        if (same_word(reasons[i].name, name)) {
            *reason = reasons[i].reason;
            buf_clear(&list);
            return 0;
        }
        buf_printf(&list, "%s%s", list.len > 0 ? ", " : "", reasons[i].name);
    }
    if (same_word(name, revocation_reason_name(REVOCATION_remove_from_crl))) {
        err_set(e, "removeFromCRL is for delta lists only, which are not made here");
    } else {
        err_set(e, "unknown revocation reason \"%s\" (one of: %s)", name, (char *)list.data);
    }
    buf_clear(&list);
    return -1;
}

// Time as RFC 5280 section 5.1.2.4 wants it: UTCTime through 2049, GeneralizedTime from 2050 on.
static int write_time(unsigned char **p, const unsigned char *start, int64_t when, bool generalized)
{
    char text[CLOCK_TEXT];
    clock_x509(when, text);
    size_t len = strlen(text);
    text[len++] = 'Z';
    generalized = generalized || strncmp(text, "2050", 4) >= 0;
    size_t century = generalized ? 0 : 2;
    return mbedtls_asn1_write_tagged_string(
        p, start, generalized ? MBEDTLS_ASN1_GENERALIZED_TIME : MBEDTLS_ASN1_UTC_TIME, text + century, len - century);
}

// A positive INTEGER of up to 63 bits; mbedtls_asn1_write_int ends at 31.
static int write_integer(unsigned char **p, const unsigned char *start, int64_t value)
{
    size_t len = 0;
    uint8_t octets[8];
    size_t at = sizeof octets;
    do {
        octets[--at] = (uint8_t)(value & 0xff);
        value >>= 8;
    } while (value > 0);
    ASN1_ADD(len, mbedtls_asn1_write_raw_buffer(p, start, octets + at, sizeof octets - at));
    if ((octets[at] & 0x80) != 0) {
        ASN1_ADD(len, mbedtls_asn1_write_raw_buffer(p, start, (const unsigned char *)"", 1));
    }
    ASN1_ADD(len, asn1_write_header(p, start, MBEDTLS_ASN1_INTEGER, len));
    return (int)len;
}

// What stands around the `content` octets of a non-critical extension's value that are there already.
static int write_extension(unsigned char **p, const unsigned char *start, const char *oid, size_t oid_len,
                           size_t content)
{
    size_t len = 0;
    ASN1_ADD(len, asn1_write_header(p, start, MBEDTLS_ASN1_OCTET_STRING, content));
    ASN1_ADD(len, mbedtls_asn1_write_oid(p, start, oid, oid_len));
    ASN1_ADD(len, asn1_write_sequence(p, start, len + content));
    return (int)len;
}

// Section 5.3: crlEntryExtensions, reasonCode first
static int write_entry_extensions(unsigned char **p, const unsigned char *start, const struct crl_entry *entry)
{
    size_t date = 0;
    size_t reason = 0;
    size_t len = 0;
    if (entry->invalidity_date != CRL_NO_INVALIDITY_DATE) {
        ASN1_ADD(date, write_time(p, start, entry->invalidity_date, true));
        ASN1_ADD(date, write_extension(p, start, ASN1_OID(OID_INVALIDITY_DATE), date));
    }
    if (entry->reason != REVOCATION_unspecified) {
        ASN1_ADD(reason, mbedtls_asn1_write_enum(p, start, (int)entry->reason));
        ASN1_ADD(reason, write_extension(p, start, ASN1_OID(OID_REASON_CODE), reason));
    }
    len = date + reason;
    if (len > 0) {
        ASN1_ADD(len, asn1_write_sequence(p, start, len));
    }
    return (int)len;
}

static int write_entries(unsigned char **p, const unsigned char *start, const struct crl_content *content)
{
    size_t total = 0;
    for (size_t i = content->count; i-- > 0;) {
        const struct crl_entry *entry = &content->entries[i];
        size_t len = 0;
        ASN1_ADD(len, write_entry_extensions(p, start, entry));
        ASN1_ADD(len, write_time(p, start, entry->revoked_at, false));
        ASN1_ADD(len, mbedtls_asn1_write_raw_buffer(p, start, entry->serial.data, entry->serial.len));
        ASN1_ADD(len, asn1_write_header(p, start, MBEDTLS_ASN1_INTEGER, entry->serial.len));
        ASN1_ADD(len, asn1_write_sequence(p, start, len));
        total += len;
    }
    if (content->count > 0) {
        ASN1_ADD(total, asn1_write_sequence(p, start, total));
    }
    return (int)total;
}

// Section 5.2: authorityKeyIdentifier (keyIdentifier only) and cRLNumber
static int write_list_extensions(unsigned char **p, const unsigned char *start, int64_t number,
                                 const struct certificate_issuer *issuer)
{
    size_t number_len = 0;
    size_t len = 0;
    ASN1_ADD(number_len, write_integer(p, start, number));
    ASN1_ADD(number_len, write_extension(p, start, ASN1_OID(MBEDTLS_OID_CRL_NUMBER), number_len));
    ASN1_ADD(len, mbedtls_asn1_write_raw_buffer(p, start, issuer->key_id, KEY_ID_SIZE));
    ASN1_ADD(len, asn1_write_header(p, start, MBEDTLS_ASN1_CONTEXT_SPECIFIC | 0, len));
    ASN1_ADD(len, asn1_write_sequence(p, start, len));
    ASN1_ADD(len, write_extension(p, start, ASN1_OID(MBEDTLS_OID_AUTHORITY_KEY_IDENTIFIER), len));
    len += number_len;
    ASN1_ADD(len, asn1_write_sequence(p, start, len));
    ASN1_ADD(len, asn1_write_header(p, start, TAG_EXTENSIONS, len));
    return (int)len;
}

// TBSCertList (section 5.1), from its end to its beginning
static int write_tbs(unsigned char **p, const unsigned char *start, const struct crl_content *content,
                     const struct certificate_issuer *issuer, struct span algorithm)
{
    size_t len = 0;
    ASN1_ADD(len, write_list_extensions(p, start, content->number, issuer));
    ASN1_ADD(len, write_entries(p, start, content));
    ASN1_ADD(len, write_time(p, start, content->next_update, false));
    ASN1_ADD(len, write_time(p, start, content->this_update, false));
    ASN1_ADD(len, mbedtls_asn1_write_raw_buffer(p, start, issuer->subject.data, issuer->subject.len));
    ASN1_ADD(len, mbedtls_asn1_write_raw_buffer(p, start, algorithm.data, algorithm.len));
    ASN1_ADD(len, mbedtls_asn1_write_int(p, start, VERSION_2));
    ASN1_ADD(len, asn1_write_sequence(p, start, len));
    return (int)len;
}

static int check_time(int64_t when, const char *what, struct err *e)
{
    if (certificate_time_valid(when)) {
        return 0;
    }
    char text[CLOCK_TEXT];
    return err_set(e, "%s %s is outside the years 1950 to 9999", what, clock_rfc3339(when, text));
}

// Also sums up the room that the entries need.
static int check_entries(const struct crl_content *content, size_t *room, struct err *e)
{
    for (size_t i = 0; i < content->count; i++) {
        const struct crl_entry *entry = &content->entries[i];
        if (entry->serial.len == 0) {
            return err_set(e, "entry %zu of the revocation list has no serial number", i);
        }
        if (entry->reason == REVOCATION_remove_from_crl || reason_find(entry->reason) == NULL) {
            return err_set(e, "entry %zu of the revocation list: reason code %d cannot be used", i, (int)entry->reason);
        }
        if (check_time(entry->revoked_at, "revocationDate", e) != 0 ||
            (entry->invalidity_date != CRL_NO_INVALIDITY_DATE &&
             check_time(entry->invalidity_date, "invalidityDate", e) != 0)) {
            return err_context(e, "entry %zu of the revocation list", i);
        }
        *room += ENTRY_ROOM + entry->serial.len;
    }
    return 0;
}

static int check(const struct crl_content *content, size_t *room, struct err *e)
{
    if (content->number <= 0) {
        return err_set(e, "CRL number %lld is not positive", (long long)content->number);
    }
    if (check_time(content->this_update, "thisUpdate", e) != 0 ||
        check_time(content->next_update, "nextUpdate", e) != 0) {
        return -1;
    }
    if (content->next_update <= content->this_update) {
        return err_set(e, "nextUpdate of a revocation list must be after its thisUpdate");
    }
    return check_entries(content, room, e);
}

int crl_make(const struct crl_content *content, const struct certificate_issuer *issuer, struct rng *rng,
             struct buf *der, struct err *e)
{
    mbedtls_md_type_t digest = key_digest(issuer->key);
    struct buf algorithm = {0};
    struct buf room = {0};
    size_t size = LIST_ROOM + issuer->subject.len;
    int rc = -1;
    if (check(content, &size, e) != 0 || signature_algorithm(issuer->key, digest, &algorithm, e) != 0) {
        goto out;
    }
    buf_reserve(&room, size);
    unsigned char *p = room.data + size;
    int len = write_tbs(&p, room.data, content, issuer, buf_span(&algorithm));
    if (len < 0) {
        err_mbedtls(e, len, "writing a revocation list");
        goto out;
    }
    rc = signed_make(span_of(p, (size_t)len), issuer->key, digest, rng, der, e);
out:
    buf_clear(&algorithm);
    buf_clear(&room);
    return rc;
}
