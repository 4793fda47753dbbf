// SPDX-License-Identifier: Apache-2.0
#include "ca/show.h"

#include "base/clock.h"
#include "base/name_text.h"
#include "base/pem.h"
#include "base/text.h"
#include "ca/name.h"
#include "ca/oid.h"
#include "ca/show_parts.h"

#include <ctype.h>
#include <mbedtls/sha256.h>
#include <string.h>

// --- small parts ---

void show_put(json_t *object, const char *key, json_t *value)
{
    if (value != NULL) {
        json_object_set_new(object, key, value);
    }
}

json_t *show_malformed(struct err *e)
{
    struct buf text = {0};
    buf_text(&text, "malformed: ");
    text_escape(&text, e->text, strlen(e->text), SHOW_TEXT_MAX);
    json_t *value = json_string((const char *)text.data);
    buf_clear(&text);
    err_clear(e);
    return value;
}

json_t *show_hex(struct span data)
{
    struct buf text = {0};
    text_hex(&text, data.data, data.len < SHOW_TEXT_MAX ? data.len : SHOW_TEXT_MAX, '\0');
    buf_text(&text, data.len > SHOW_TEXT_MAX ? "..." : "");
    json_t *value = json_string((const char *)text.data);
    buf_clear(&text);
    return value;
}

json_t *show_escaped(struct span data)
{
    struct buf text = {0};
    json_t *value = json_string(text_escape(&text, data.data, data.len, SHOW_TEXT_MAX));
    buf_clear(&text);
    return value;
}

json_t *show_name(struct span name)
{
    struct err e = ERR_INIT;
    struct buf text = {0};
    buf_text(&text, "");
    json_t *value = name_to_text(name, &text, &e) == 0 ? json_string((const char *)text.data) : show_malformed(&e);
    buf_clear(&text);
    return value;
}

json_t *show_integer(struct span content)
{
    json_int_t number = 0;
    if (content.len == 0 || content.len > 8 || (content.data[0] & 0x80) != 0) {
        struct buf text = {0};
        buf_text(&text, "0x");
        text_hex(&text, content.data, content.len < SHOW_TEXT_MAX ? content.len : SHOW_TEXT_MAX, '\0');
        json_t *value = json_string((const char *)text.data);
        buf_clear(&text);
        return value;
    }
    for (size_t i = 0; i < content.len; i++) {
        number = number << 8 | content.data[i];
    }
    return json_integer(number);
}

json_t *show_algorithm(struct span algorithm)
{
    struct err e = ERR_INIT;
    char words[OID_TEXT];
    struct der_item identifier, oid;
    if (der_expect(&algorithm, TAG_SEQUENCE, "AlgorithmIdentifier", &identifier, &e) != 0 ||
        der_expect(&identifier.content, MBEDTLS_ASN1_OID, "algorithm", &oid, &e) != 0) {
        return show_malformed(&e);
    }
    return json_string(oid_words(oid.content, words));
}

// RFC 5280 section 4.1.2.5: YYMMDDHHMMSSZ or YYYYMMDDHHMMSSZ, and nothing else.
int show_time_read(struct span *rest, const char *what, int64_t *when, struct err *e)
{
    enum { UTC_LEN = 13, GENERALIZED_LEN = 15 };
    struct der_item item;
    char text[GENERALIZED_LEN] = "";
    char again[CLOCK_TEXT];
    if (der_next(rest, &item, e) != 0) {
        return err_context(e, "%s", what);
    }
    bool utc = item.tag == MBEDTLS_ASN1_UTC_TIME;
    if ((!utc && item.tag != MBEDTLS_ASN1_GENERALIZED_TIME) ||
        item.content.len != (size_t)(utc ? UTC_LEN : GENERALIZED_LEN) ||
        item.content.data[item.content.len - 1] != 'Z') {
        return err_set(e, "%s is neither UTCTime nor GeneralizedTime with seconds and Z", what);
    }
    size_t at = 0;
    if (utc) { // section 4.1.2.5.1: 50 and more is 19xx
        memcpy(text, item.content.data[0] >= '5' ? "19" : "20", 2);
        at = 2;
    }
    memcpy(text + at, item.content.data, item.content.len - 1);
    int digits[14];
    for (size_t i = 0; i < 14; i++) {
        if (!isdigit((unsigned char)text[i])) {
            return err_set(e, "%s has something else than digits in it", what);
        }
        digits[i] = text[i] - '0';
    }
    const int *d = digits;
    mbedtls_x509_time parts = {.year = d[0] * 1000 + d[1] * 100 + d[2] * 10 + d[3],
                               .mon = d[4] * 10 + d[5],
                               .day = d[6] * 10 + d[7],
                               .hour = d[8] * 10 + d[9],
                               .min = d[10] * 10 + d[11],
                               .sec = d[12] * 10 + d[13]};
    *when = clock_of_x509(&parts);
    // What the calendar does not have (31 February) comes out as another day
    return strcmp(clock_x509(*when, again), text) == 0 ? 0 : err_set(e, "%s is no date of the calendar", what);
}

json_t *show_time(int64_t when)
{
    char text[CLOCK_TEXT];
    return json_string(clock_rfc3339(when, text));
}

void show_put_serial(json_t *object, struct span element)
{
    enum { LONGEST = 20 };
    struct err e = ERR_INIT;
    struct der_item item;
    if (der_expect(&element, MBEDTLS_ASN1_INTEGER, "serialNumber", &item, &e) != 0) {
        show_put(object, "serial", show_malformed(&e));
        return;
    }
    struct span number = item.content;
    bool negative = number.len > 0 && (number.data[0] & 0x80) != 0;
    if (number.len > 1 && number.data[0] == 0) { // the octet that keeps it positive
        number = span_of(number.data + 1, number.len - 1);
    }
    show_put(object, "serial", show_hex(number));
    const char *fault = number.len == 0                               ? "empty"
                        : negative                                    ? "negative"
                        : number.len == 1 && number.data[0] == 0      ? "zero"
                        : item.content.len > LONGEST                  ? "longer than 20 octets"
                        : item.content.len > 1 && number.data[0] == 0 ? "not in its shortest form"
                                                                      : NULL;
    if (fault != NULL) {
        show_put(object, "serial_fault", json_string(fault));
    }
}

void show_put_fingerprint(json_t *object, struct span der)
{
    uint8_t hash[32];
    if (mbedtls_sha256(der.data, der.len, hash, 0) == 0) {
        show_put(object, "fingerprint_sha256", show_hex(span_of(hash, sizeof hash)));
    }
}

// --- which kind of thing it is ---

static json_t *named(const char *kind, const char *note)
{
    json_t *object = json_object();
    show_put(object, "kind", json_string(kind));
    show_put(object, "note", note == NULL ? NULL : json_string(note));
    return object;
}

static json_t *show_pkcs12(struct span der, const struct show_options *options)
{
    (void)der;
    (void)options;
    return named("PKCS#12", "keys and certificates under a password: openssl pkcs12 -info -in FILE shows them");
}

static json_t *show_pkcs7(struct span der, const struct show_options *options)
{
    (void)der;
    (void)options;
    return named("PKCS#7", "openssl pkcs7 -print_certs -in FILE shows the certificates in it");
}

typedef json_t *show_thing(struct span der, const struct show_options *options);

static const struct {
    const char *label;
    show_thing *show;
} labels[] = {
    {"CERTIFICATE", show_certificate},
    {"X509 CERTIFICATE", show_certificate},
    {"TRUSTED CERTIFICATE", show_certificate}, // openssl's own, with settings behind the certificate
    {"CERTIFICATE REQUEST", show_request},
    {"NEW CERTIFICATE REQUEST", show_request},
    {"X509 CRL", show_crl},
    {"PRIVATE KEY", show_private_key},
    {"ENCRYPTED PRIVATE KEY", show_private_key},
    {"RSA PRIVATE KEY", show_private_key},
    {"EC PRIVATE KEY", show_private_key},
    {"PUBLIC KEY", show_public_key},
    {"RSA PUBLIC KEY", show_rsa_public_key},
    {"PKCS7", show_pkcs7},
    {"CMS", show_pkcs7},
};

static json_t *show_block(const struct pem_block *block, const struct show_options *options)
{
    json_t *object = NULL;
    if (block->encrypted) { // RFC 1421: nothing inside can be read without the passphrase
        object = named("private key", NULL);
        show_put(object, "form", json_string(block->label));
        show_put(object, "encrypted", json_true());
        return object;
    }
    for (size_t i = 0; i < sizeof labels / sizeof labels[0]; i++) {
        if (strcmp(labels[i].label, block->label) == 0) {
            return labels[i].show(buf_span(&block->der), options);
        }
    }
    object = named("unknown", NULL);
    show_put(object, "label", json_string(block->label));
    show_put(object, "octets", json_integer((json_int_t)block->der.len));
    return object;
}

// The tags of the elements in `content`, two hexadecimal digits each, up to the first six.
static void tags_of(struct span content, char tags[16])
{
    struct err ignored = ERR_INIT;
    struct der_item item;
    struct buf text = {0};
    buf_text(&text, "");
    for (int i = 0; i < 6 && content.len > 0 && der_next(&content, &item, &ignored) == 0; i++) {
        buf_printf(&text, "%02x", (unsigned)item.tag);
    }
    memcpy(tags, text.data, text.len + 1);
    buf_clear(&text);
}

// DER says what it is by its shape: the tags of the outer elements, and of those in the first one.
static show_thing *guess(struct span der)
{
    static const struct {
        const char *outer;
        const char *inner; // NULL: does not matter
        show_thing *show;
    } shapes[] = {
        // { tbs, algorithm, signature }
        {"303003", "a0", show_certificate},         // [0] version
        {"303003", "0230303030", show_certificate}, // version 1: serial, algorithm, issuer, validity, subject
        {"303003", "02303030", show_certificate},
        {"303003", "023030a0", show_request}, // version, subject, key, attributes
        {"303003", "02303017", show_crl},     // version, algorithm, issuer, thisUpdate
        {"303003", "02303018", show_crl},
        {"303003", "303017", show_crl}, // version 1
        {"303003", "303018", show_crl},
        {"303003", "023030", show_request},
        // Keys: RFC 5958, RFC 8017 appendix A.1, RFC 5915, RFC 5280 section 4.1
        {"3004", "06", show_private_key},
        {"023004", NULL, show_private_key},
        {"0202020202", NULL, show_private_key},
        {"0204", NULL, show_private_key},
        {"3003", "06", show_public_key},
        {"0202", NULL, show_rsa_public_key},
        {"0230", NULL, show_pkcs12}, // version 3, ContentInfo
        {"06a0", NULL, show_pkcs7},
    };
    struct err ignored = ERR_INIT;
    struct der_item whole, first;
    char outer[16];
    char inner[16];
    if (der_expect(&der, TAG_SEQUENCE, "", &whole, &ignored) != 0) {
        return NULL;
    }
    tags_of(whole.content, outer);
    inner[0] = '\0';
    if (der_next(&whole.content, &first, &ignored) == 0) {
        tags_of(first.content, inner);
    }
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++) {
        if (text_starts(outer, shapes[i].outer) && (shapes[i].inner == NULL || text_starts(inner, shapes[i].inner))) {
            return shapes[i].show;
        }
    }
    return NULL;
}

json_t *show_file(struct span file, const struct show_options *options, struct err *e)
{
    struct err damaged = ERR_INIT;
    struct pem_block block;
    json_t *list = json_array();
    show_thing *show = guess(file);
    if (show != NULL) {
        json_array_append_new(list, show(file, options));
        return list;
    }
    int rc;
    while ((rc = pem_next(&file, &block, &damaged)) != 0) {
        if (rc > 0) {
            json_array_append_new(list, show_block(&block, options));
            buf_clear(&block.der);
            continue;
        }
        json_t *object = named("unknown", NULL);
        show_put(object, "content", show_malformed(&damaged));
        json_array_append_new(list, object);
    }
    if (json_array_size(list) == 0) {
        json_decref(list);
        err_set(e, "this is neither PEM nor the DER of a certificate, request, revocation list or key");
        return NULL;
    }
    return list;
}
