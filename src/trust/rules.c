// SPDX-License-Identifier: Apache-2.0
// What mbedTLS's verification leaves open: the certificate as such, its time, and what the leaf is for.
#include "base/clock.h"
#include "base/text.h"
#include "trust/internal.h"

#include <mbedtls/asn1.h>
#include <mbedtls/oid.h>
#include <stdlib.h>

enum { SERIAL_MOST = 20, SUBJECT = 96 };

// RFC 5280 section 4.1.2.2: positive, at most 20 octets.
static bool serial_is_good(const mbedtls_x509_buf *serial)
{
    if (serial->len == 0 || serial->len > SERIAL_MOST || (serial->p[0] & 0x80) != 0) {
        return false;
    }
    for (size_t i = 0; i < serial->len; i++) {
        if (serial->p[i] != 0) {
            return true;
        }
    }
    return false;
}

// RFC 5280 section 4.1.2.5: valid from notBefore through notAfter, both included. mbedTLS asked the machine's clock;
// here the clock is the caller's.
static void check_time(struct judgement *j, size_t i)
{
    const mbedtls_x509_crt *crt = j->path.items[i].crt;
    int64_t from = clock_of_x509(&crt->valid_from);
    int64_t to = clock_of_x509(&crt->valid_to);
    char subject[SUBJECT];
    char when[CLOCK_TEXT];
    if (j->now > to) {
        judgement_report(j, REASON_cert_expired, (int)i, "%s expired at %s", display_subject(crt, subject),
                         clock_rfc3339(to, when));
    }
    if (j->now < from) {
        judgement_report(j, REASON_cert_not_yet_valid, (int)i, "%s is valid from %s", display_subject(crt, subject),
                         clock_rfc3339(from, when));
    }
}

static const struct {
    const char *oid;
    size_t len;
    const char *word;
} purposes[] = {
    [TRUST_CLIENT] = {MBEDTLS_OID_CLIENT_AUTH, MBEDTLS_OID_SIZE(MBEDTLS_OID_CLIENT_AUTH), "clientAuth"},
    [TRUST_SERVER] = {MBEDTLS_OID_SERVER_AUTH, MBEDTLS_OID_SIZE(MBEDTLS_OID_SERVER_AUTH), "serverAuth"},
};

void rules_check_certificate(struct judgement *j, size_t i)
{
    const mbedtls_x509_crt *crt = j->path.items[i].crt;
    bool is_anchor = j->path.anchored && i + 1 == j->path.count;
    char subject[SUBJECT];
    display_subject(crt, subject);
    if (!is_anchor && crt->version != 3) {
        judgement_report(j, REASON_version, (int)i, "%s has version %d", subject, crt->version);
    }
    if (!is_anchor && !serial_is_good(&crt->serial)) {
        judgement_report(j, REASON_serial_number, (int)i, "%s has a serial number of %zu octets%s", subject,
                         crt->serial.len, crt->serial.len <= SERIAL_MOST ? " that is zero or negative" : "");
    }
    check_time(j, i);
    // An issuer that restricts its extended key usage restricts it for all below it (CA/Browser Forum, and common
    // practice; RFC 5280 section 4.2.1.12 leaves it open). anyExtendedKeyUsage is no restriction here.
    if (i > 0 && j->purpose != TRUST_ANY &&
        mbedtls_x509_crt_check_extended_key_usage(crt, purposes[j->purpose].oid, purposes[j->purpose].len) != 0) {
        judgement_report(j, REASON_ext_key_usage, (int)i, "%s may not issue for %s", subject,
                         purposes[j->purpose].word);
    }
}

// RFC 5280 section 4.2.1.6: IA5String and not empty; and no control characters, which no name of these kinds has.
static bool general_name_is_good(const mbedtls_x509_buf *san)
{
    enum { EMAIL = 1, DNS = 2, URI = 6, IP = 7 };
    int choice = san->tag & 0x1f;
    if (choice == IP) {
        return san->len == 4 || san->len == 16;
    }
    if (choice != EMAIL && choice != DNS && choice != URI) {
        return true;
    }
    for (size_t i = 0; i < san->len; i++) {
        if (san->p[i] <= ' ' || san->p[i] > '~') {
            return false;
        }
    }
    return san->len > 0;
}

// Extensions ::= SEQUENCE OF Extension; Extension ::= SEQUENCE { extnID OBJECT IDENTIFIER, critical BOOLEAN DEFAULT
// FALSE, extnValue OCTET STRING }
static bool subject_alt_name_is_critical(const mbedtls_x509_crt *crt)
{
    unsigned char *p = crt->v3_ext.p;
    const unsigned char *end = p + crt->v3_ext.len;
    const int sequence = MBEDTLS_ASN1_CONSTRUCTED | MBEDTLS_ASN1_SEQUENCE;
    size_t len = 0;
    if (mbedtls_asn1_get_tag(&p, end, &len, sequence) != 0) {
        return false;
    }
    while (p < end && mbedtls_asn1_get_tag(&p, end, &len, sequence) == 0) {
        unsigned char *field = p;
        const unsigned char *field_end = p + len;
        int critical = 0;
        p += len;
        if (mbedtls_asn1_get_tag(&field, field_end, &len, MBEDTLS_ASN1_OID) == 0 &&
            len == MBEDTLS_OID_SIZE(MBEDTLS_OID_SUBJECT_ALT_NAME) &&
            memcmp(field, MBEDTLS_OID_SUBJECT_ALT_NAME, len) == 0) {
            field += len;
            return mbedtls_asn1_get_bool(&field, field_end, &critical) == 0 && critical != 0;
        }
    }
    return false;
}

static void check_names(struct judgement *j, const mbedtls_x509_crt *leaf, const char *subject)
{
    bool has_names = mbedtls_x509_crt_has_ext_type(leaf, MBEDTLS_X509_EXT_SUBJECT_ALT_NAME) != 0;
    // RFC 5280 section 4.1.2.6
    if (leaf->subject.oid.len == 0 && !(has_names && subject_alt_name_is_critical(leaf))) {
        judgement_report(j, REASON_subject_empty, 0, "the subject is empty and there is no %ssubjectAltName",
                         has_names ? "critical " : "");
    }
    if (has_names && leaf->subject_alt_names.buf.p == NULL) {
        judgement_report(j, REASON_subject_alt_name, 0, "%s has a subjectAltName without a name in it", subject);
        return;
    }
    for (const mbedtls_x509_sequence *s = &leaf->subject_alt_names; has_names && s != NULL; s = s->next) {
        if (!general_name_is_good(&s->buf)) {
            struct trust_name name;
            display_general_name(&name, &s->buf);
            judgement_report(j, REASON_subject_alt_name, 0, "%s has the name %s:%.100s", subject,
                             trust_name_word(name.type), name.text);
            free(name.text);
        }
    }
    if (j->name != NULL && !hostname_matches(leaf, j->name)) {
        struct buf name = {0};
        judgement_report(j, REASON_name_mismatch, 0, "%s has no subjectAltName for %s%s", subject,
                         text_escape(&name, j->name, strlen(j->name), 100),
                         has_names ? "" : " (nor any other; the common name does not count)");
        buf_clear(&name);
    }
}

// anyExtendedKeyUsage is not enough: a certificate that is for everything is for nothing in particular.
static bool purpose_is_listed(const mbedtls_x509_crt *leaf, enum trust_purpose purpose)
{
    if (!mbedtls_x509_crt_has_ext_type(leaf, MBEDTLS_X509_EXT_EXTENDED_KEY_USAGE)) {
        return false;
    }
    for (const mbedtls_x509_sequence *s = &leaf->ext_key_usage; s != NULL; s = s->next) {
        if (s->buf.len == purposes[purpose].len && memcmp(s->buf.p, purposes[purpose].oid, s->buf.len) == 0) {
            return true;
        }
    }
    return false;
}

void rules_check_leaf(struct judgement *j)
{
    const mbedtls_x509_crt *leaf = j->path.items[0].crt;
    char subject[SUBJECT];
    display_subject(leaf, subject);
    if (mbedtls_x509_crt_get_ca_istrue(leaf) == 1) {
        judgement_report(j, REASON_leaf_is_ca, 0, "%s says CA:TRUE", subject);
    }
    // RFC 5280 section 4.2.1.3; TLS with ephemeral keys signs with it. No keyUsage at all restricts nothing.
    if (mbedtls_x509_crt_check_key_usage(leaf, MBEDTLS_X509_KU_DIGITAL_SIGNATURE) != 0) {
        judgement_report(j, REASON_key_usage, 0, "%s lacks digitalSignature", subject);
    }
    if (j->purpose != TRUST_ANY && !purpose_is_listed(leaf, j->purpose)) {
        judgement_report(j, REASON_ext_key_usage, 0, "%s does not list %s", subject, purposes[j->purpose].word);
    }
    check_names(j, leaf, subject);
}
