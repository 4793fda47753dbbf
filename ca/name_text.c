// SPDX-License-Identifier: Apache-2.0
// Names as text, and as text for mbedTLS.
#include "base/der.h"
#include "base/text.h"
#include "ca/attribute.h"
#include "ca/name.h"

#include <mbedtls/oid.h>
#include <mbedtls/x509.h>
#include <stdlib.h>
#include <string.h>

enum {
    TAG_NUMERIC_STRING = 0x12,
    TAG_VISIBLE_STRING = 0x1a,
    NAME_TEXT_MAX = 8 * NAME_DER_MAX, // the text of a name made here is never longer: at most six characters an octet
    COMMON_NAME_TEXT_MAX = 256,
};

static bool span_is(struct span a, const void *data, size_t len)
{
    return a.len == len && (len == 0 || memcmp(a.data, data, len) == 0);
}

// The attributes of a Name in DER order, borrowed from it.
struct name_part {
    struct span oid;
    struct der_item value;
    bool starts_rdn;
};

struct name_parts {
    struct name_part *items;
    size_t count, cap;
};

static int rdn_split(struct span rdn, struct name_parts *parts, struct err *e)
{
    bool first = true;
    do {
        struct der_item pair, oid;
        struct name_part part = {.starts_rdn = first};
        if (der_expect(&rdn, TAG_SEQUENCE, "attribute", &pair, e) != 0 ||
            der_expect(&pair.content, MBEDTLS_ASN1_OID, "attribute type", &oid, e) != 0 ||
            der_next(&pair.content, &part.value, e) != 0) {
            return -1;
        }
        if (pair.content.len > 0) {
            return err_set(e, "octets follow the value of an attribute");
        }
        part.oid = oid.content;
        parts->items = mem_grow(parts->items, &parts->cap, sizeof part, parts->count + 1);
        parts->items[parts->count++] = part;
        first = false;
    } while (rdn.len > 0);
    return 0;
}

static int name_split(struct span der, struct name_parts *parts, struct err *e)
{
    struct der_item name, rdn;
    if (der_expect(&der, TAG_SEQUENCE, "name", &name, e) != 0) {
        return -1;
    }
    if (der.len > 0) {
        return err_set(e, "name: octets follow it");
    }
    while (name.content.len > 0) {
        if (der_expect(&name.content, TAG_RDN, "RDN", &rdn, e) != 0 || rdn_split(rdn.content, parts, e) != 0) {
            return err_context(e, "name");
        }
    }
    return 0;
}

static void utf8_add(struct buf *out, uint32_t code)
{
    static const uint8_t lead[5] = {0, 0, 0xc0, 0xe0, 0xf0};
    uint8_t p[4];
    size_t n = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    for (size_t i = n - 1; i > 0; i--) {
        p[i] = (uint8_t)(0x80 | (code & 0x3f));
        code >>= 6;
    }
    p[0] = (uint8_t)(lead[n] | code);
    buf_add(out, p, n);
}

// Appends a string value as UTF-8. False: it is none, or not all of it is characters.
static bool value_to_utf8(const struct der_item *value, struct buf *out)
{
    struct span in = value->content;
    size_t width = 0;
    switch (value->tag) {
    case MBEDTLS_ASN1_UTF8_STRING:
    case MBEDTLS_ASN1_PRINTABLE_STRING:
    case MBEDTLS_ASN1_IA5_STRING:
    case TAG_NUMERIC_STRING:
    case TAG_VISIBLE_STRING: buf_add(out, in.data, in.len); return true;
    case MBEDTLS_ASN1_T61_STRING: width = 1; break; // what is found in it is ISO 8859-1
    case MBEDTLS_ASN1_BMP_STRING: width = 2; break;
    case MBEDTLS_ASN1_UNIVERSAL_STRING: width = 4; break;
    default: return false;
    }
    for (size_t i = 0; i < in.len; i += width) {
        uint32_t code = 0;
        for (size_t k = i; k < i + width && k < in.len; k++) {
            code = code << 8 | in.data[k];
        }
        if (in.len - i < width || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) {
            return false;
        }
        utf8_add(out, code);
    }
    return true;
}

// RFC 4514 section 2.4, and every octet of what a terminal should not get as \XX.
static void value_escape(struct buf *text, struct span value)
{
    for (size_t i = 0; i < value.len;) {
        uint32_t code = 0;
        const uint8_t *p = value.data + i;
        size_t n = text_utf8(p, value.len - i, &code);
        bool edge = (i == 0 && (*p == ' ' || *p == '#')) || (i + 1 == value.len && *p == ' ');
        if (i > NAME_DER_MAX) {
            buf_text(text, "...");
            return;
        }
        if (n == 0 || text_is_invisible(code)) {
            n = n == 0 ? 1 : n;
            for (size_t k = 0; k < n; k++) {
                buf_printf(text, "\\%02X", p[k]);
            }
        } else {
            buf_text(text, edge || (n == 1 && strchr(",+\"\\<>;", *p) != NULL) ? "\\" : "");
            buf_add(text, p, n);
        }
        i += n;
    }
}

static void hex_add(struct buf *text, struct span octets)
{
    buf_text(text, "#");
    text_hex(text, octets.data, octets.len < NAME_DER_MAX ? octets.len : NAME_DER_MAX, '\0');
    buf_text(text, octets.len < NAME_DER_MAX ? "" : "...");
}

static void part_to_text(const struct name_part *part, struct buf *text)
{
    const char *type = attribute_by_oid(part->oid)->names[0];
    struct buf utf8 = {0};
    char dotted[128];
    if (type != NULL) {
        buf_printf(text, "%s=", type);
    } else if (der_oid_to_text(part->oid, dotted, sizeof dotted) == 0) {
        buf_printf(text, "%s=", dotted);
    } else { // not the DER of an OID, or one too large to be written: shown, though it cannot be read back
        hex_add(text, part->oid);
        buf_text(text, "=");
    }
    // RFC 4514 section 2.4: a value is hex where its type is a dotted OID, or it has no text
    if (type != NULL && value_to_utf8(&part->value, &utf8)) {
        value_escape(text, buf_span(&utf8));
    } else {
        hex_add(text, part->value.whole);
    }
    buf_clear(&utf8);
}

int name_to_text(struct span der, struct buf *text, struct err *e)
{
    struct name_parts parts = {0};
    size_t start = text->len;
    int rc = name_split(der, &parts, e);
    buf_add(text, "", 0);
    for (size_t i = rc == 0 ? parts.count : 0; i > 0; i--) {
        if (text->len - start > NAME_TEXT_MAX) {
            buf_text(text, "...");
            break;
        }
        part_to_text(&parts.items[i - 1], text);
        buf_text(text, i == 1 ? "" : parts.items[i - 1].starts_rdn ? "," : "+");
    }
    free(parts.items);
    return rc;
}

bool name_common_name(struct span der, struct buf *text)
{
    struct name_parts parts = {0};
    struct err ignored = ERR_INIT;
    bool found = false;
    size_t count = name_split(der, &parts, &ignored) == 0 ? parts.count : 0;
    for (size_t i = 0; i < count && !found; i++) {
        struct buf utf8 = {0};
        found = span_is(parts.items[i].oid, MBEDTLS_OID_AT_CN, MBEDTLS_OID_SIZE(MBEDTLS_OID_AT_CN));
        if (found && value_to_utf8(&parts.items[i].value, &utf8)) {
            text_escape(text, utf8.data, utf8.len, COMMON_NAME_TEXT_MAX);
        } else if (found) {
            hex_add(text, parts.items[i].value.whole);
        }
        buf_clear(&utf8);
    }
    free(parts.items);
    return found;
}

// Whether mbedTLS's list, which is in reverse, has just these attributes. It writes each as an RDN of its own, and as
// lengths have one form in DER, the same attributes are the same octets.
static bool mbedtls_agrees(const mbedtls_asn1_named_data *list, const struct name_parts *parts)
{
    for (size_t i = parts->count; i > 0; i--, list = list->next) {
        const struct name_part *part = &parts->items[i - 1];
        if (list == NULL || !part->starts_rdn || !span_is(part->oid, list->oid.p, list->oid.len) ||
            part->value.tag != list->val.tag || !span_is(part->value.content, list->val.p, list->val.len)) {
            return false;
        }
    }
    return list == NULL;
}

// Dotted OIDs with hex values need none of mbedTLS's own tables. Whether it then makes this name is not foretold but
// tried.
bool name_for_mbedtls(struct span der, struct buf *text)
{
    struct name_parts parts = {0};
    struct err ignored = ERR_INIT;
    mbedtls_asn1_named_data *list = NULL;
    size_t start = text->len;
    bool same = name_split(der, &parts, &ignored) == 0;
    for (size_t i = 0; i < parts.count && same; i++) {
        char dotted[128];
        same = der_oid_to_text(parts.items[i].oid, dotted, sizeof dotted) == 0;
        buf_printf(text, "%s%s=#", i == 0 ? "" : ",", same ? dotted : "");
        text_hex(text, parts.items[i].value.whole.data, parts.items[i].value.whole.len, '\0');
    }
    buf_add(text, "", 0);
    same = same && mbedtls_x509_string_to_names(&list, (const char *)text->data + start) == 0 &&
           mbedtls_agrees(list, &parts);
    if (!same) {
        text->len = start;
        text->data[start] = '\0';
    }
    mbedtls_asn1_free_named_data_list(&list);
    free(parts.items);
    return same;
}
