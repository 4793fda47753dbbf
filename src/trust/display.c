// SPDX-License-Identifier: Apache-2.0
// Names in certificates as text that is safe to print.
#include "base/text.h"
#include "trust/internal.h"
#include "trust/name.h"

#include <arpa/inet.h>
#include <mbedtls/asn1.h>
#include <mbedtls/oid.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { VALUE_LIMIT = 256, GENERAL_NAME_LIMIT = 1024, RDN_MOST = 64 };

static void display_hex(struct buf *b, struct span data)
{
    buf_text(b, "#");
    text_hex(b, data.data, data.len < VALUE_LIMIT ? data.len : VALUE_LIMIT, '\0');
}

void display_attribute_type(struct buf *b, struct span oid)
{
    const mbedtls_asn1_buf as_mbedtls = {.tag = MBEDTLS_ASN1_OID, .len = oid.len, .p = (unsigned char *)oid.data};
    const char *name = NULL;
    char dotted[128];
    if (mbedtls_oid_get_attr_short_name(&as_mbedtls, &name) == 0) {
        buf_text(b, name);
    } else if (mbedtls_oid_get_numeric_string(dotted, sizeof dotted, &as_mbedtls) > 0) {
        buf_text(b, dotted);
    } else {
        buf_text(b, "?");
    }
}

void display_attribute_value(struct buf *b, const struct der_item *value)
{
    struct buf characters = {0};
    if (name_value_text(value, &characters)) {
        text_escape(b, characters.data, characters.len, VALUE_LIMIT);
    } else {
        display_hex(b, value->content);
    }
    buf_clear(&characters);
}

// RFC 4514 section 2.4: the characters with a meaning in the text get a backslash; what is not printable (and the
// backslash itself) is \xNN, as everywhere in this program.
static void display_value(struct buf *b, int tag, const uint8_t *data, size_t len)
{
    if (tag == MBEDTLS_ASN1_BMP_STRING || tag == MBEDTLS_ASN1_UNIVERSAL_STRING) {
        display_hex(b, span_of(data, len));
        return;
    }
    struct buf escaped = {0};
    const char *text = text_escape(&escaped, data, len, VALUE_LIMIT);
    for (const char *p = text; *p != '\0'; p++) {
        bool first = p == text;
        bool special = strchr(",+\"<>;", *p) != NULL || (first && (*p == '#' || *p == ' ')) ||
                       (p[1] == '\0' && *p == ' ' && !first);
        buf_add(b, "\\", special ? 1 : 0);
        buf_add(b, p, 1);
    }
    buf_clear(&escaped);
}

// AttributeTypeAndValue ::= SEQUENCE { type OBJECT IDENTIFIER, value ANY }
static bool display_attribute(struct buf *b, unsigned char **p, const unsigned char *end)
{
    size_t len = 0;
    if (mbedtls_asn1_get_tag(p, end, &len, MBEDTLS_ASN1_CONSTRUCTED | MBEDTLS_ASN1_SEQUENCE) != 0) {
        return false;
    }
    end = *p + len;
    if (mbedtls_asn1_get_tag(p, end, &len, MBEDTLS_ASN1_OID) != 0) {
        return false;
    }
    struct span oid = span_of(*p, len);
    *p += len;
    if (*p >= end) {
        return false;
    }
    int tag = **p;
    if (mbedtls_asn1_get_tag(p, end, &len, tag) != 0) {
        return false;
    }
    display_attribute_type(b, oid);
    buf_text(b, "=");
    display_value(b, tag, *p, len);
    *p += len;
    return *p == end;
}

// RelativeDistinguishedName ::= SET OF AttributeTypeAndValue
static bool display_rdn(struct buf *b, struct span set)
{
    unsigned char *p = (unsigned char *)set.data;
    const unsigned char *end = p + set.len;
    for (bool first = true; p < end; first = false) {
        buf_text(b, first ? "" : "+");
        if (!display_attribute(b, &p, end)) {
            return false;
        }
    }
    return true;
}

// Name ::= SEQUENCE OF RelativeDistinguishedName; RFC 4514 section 2.1 starts with the last one.
void display_name(struct buf *b, struct span name_der)
{
    unsigned char *p = (unsigned char *)name_der.data;
    const unsigned char *end = p + name_der.len;
    struct span rdns[RDN_MOST];
    size_t count = 0;
    size_t len = 0;
    bool good = mbedtls_asn1_get_tag(&p, end, &len, MBEDTLS_ASN1_CONSTRUCTED | MBEDTLS_ASN1_SEQUENCE) == 0;
    while (good && p < end) {
        good =
            count < RDN_MOST && mbedtls_asn1_get_tag(&p, end, &len, MBEDTLS_ASN1_CONSTRUCTED | MBEDTLS_ASN1_SET) == 0;
        if (good) {
            rdns[count++] = span_of(p, len);
            p += len;
        }
    }
    buf_text(b, "");
    size_t start = b->len;
    while (good && count > 0) {
        buf_text(b, b->len > start ? "," : "");
        good = display_rdn(b, rdns[--count]);
    }
    if (!good) {
        display_hex(b, name_der);
    }
}

const char *certificate_label(const struct certificate *c, char text[96])
{
    enum { KEPT = 90 };
    struct buf b = {0};
    if (c->subject.data != NULL && c->subject_key.len > 0) {
        display_name(&b, c->subject);
    } else if (c->serial.data != NULL) {
        buf_text(&b, "the certificate with serial number ");
        text_hex(&b, c->serial.data, c->serial.len < 20 ? c->serial.len : 20, '\0');
    } else {
        buf_text(&b, "the certificate");
    }
    size_t n = b.len < KEPT ? b.len : KEPT;
    while (n < b.len && (b.data[n] & 0xc0) == 0x80) {
        n--; // not inside a UTF-8 character
    }
    snprintf(text, 96, "%.*s%s", (int)n, (const char *)b.data, n < b.len ? "..." : "");
    buf_clear(&b);
    return text;
}

// GeneralName (RFC 5280 section 4.2.1.6)
void display_general_name(struct trust_name *out, const struct der_item *name)
{
    static const enum trust_name_type types[] = {
        TRUST_NAME_OTHER, TRUST_NAME_EMAIL, TRUST_NAME_DNS, TRUST_NAME_OTHER,
        TRUST_NAME_OTHER, TRUST_NAME_OTHER, TRUST_NAME_URI, TRUST_NAME_IP,
    };
    size_t choice = (size_t)name->tag & 0x1f;
    struct buf b = {0};
    char address[INET6_ADDRSTRLEN];
    out->type = choice < sizeof types / sizeof types[0] ? types[choice] : TRUST_NAME_OTHER;
    switch (out->type) {
    case TRUST_NAME_IP:
        if ((name->content.len == 4 || name->content.len == 16) &&
            inet_ntop(name->content.len == 4 ? AF_INET : AF_INET6, name->content.data, address, sizeof address) !=
                NULL) {
            buf_text(&b, address);
        } else {
            display_hex(&b, name->content);
        }
        break;
    case TRUST_NAME_OTHER:
        buf_printf(&b, "[%zu]", choice);
        display_hex(&b, name->content);
        break;
    default: text_escape(&b, name->content.data, name->content.len, GENERAL_NAME_LIMIT); break;
    }
    out->text = mem_strdup((const char *)b.data);
    buf_clear(&b);
}
