// SPDX-License-Identifier: Apache-2.0
#include "base/name_text.h"

#include "base/attribute.h"
#include "base/text.h"

#include <mbedtls/asn1.h>
#include <stdlib.h>
#include <string.h>

enum {
    TAG_NUMERIC_STRING = 0x12,
    TAG_VISIBLE_STRING = 0x1a,
    NAME_TEXT_MAX = 8 * NAME_DER_MAX, // the text of a name made here is never longer: at most six characters an octet
};

// --- a Name taken apart ---

int name_reader_open(struct name_reader *reader, struct span name, struct err *e)
{
    struct der_item item;
    *reader = (struct name_reader){0};
    if (der_expect(&name, TAG_SEQUENCE, "name", &item, e) != 0) {
        return -1;
    }
    reader->rdns = item.content;
    return name.len == 0 ? 0 : err_set(e, "name: octets follow it");
}

// AttributeTypeAndValue ::= SEQUENCE { type OBJECT IDENTIFIER, value ANY }
static int attribute_take(struct span *rdn, struct name_attribute *attribute, struct err *e)
{
    struct der_item pair, type;
    if (der_expect(rdn, TAG_SEQUENCE, "name: attribute", &pair, e) != 0 ||
        der_expect(&pair.content, MBEDTLS_ASN1_OID, "name: attribute type", &type, e) != 0) {
        return -1;
    }
    if (!der_oid_is_well_formed(type.content)) {
        return err_set(e, "name: an attribute type is no object identifier");
    }
    if (der_next(&pair.content, &attribute->value, e) != 0) {
        return err_context(e, "name: attribute value");
    }
    attribute->type = type.content;
    return pair.content.len == 0 ? 0 : err_set(e, "name: octets follow the value of an attribute");
}

int name_reader_next(struct name_reader *reader, struct name_attribute *attribute, struct err *e)
{
    struct der_item rdn;
    attribute->first = reader->rdn.len == 0;
    if (attribute->first) {
        if (reader->rdns.len == 0) {
            return 0;
        }
        if (der_expect(&reader->rdns, TAG_SET, "name: RDN", &rdn, e) != 0) {
            return -1;
        }
        if (rdn.content.len == 0) {
            return err_set(e, "name: an RDN is empty");
        }
        reader->rdn = rdn.content;
    }
    return attribute_take(&reader->rdn, attribute, e) == 0 ? 1 : -1;
}

int name_attributes_read(struct name_attributes *list, struct span name, struct err *e)
{
    struct name_reader reader;
    struct name_attribute attribute;
    int more = name_reader_open(&reader, name, e) == 0 ? 1 : -1;
    while (more > 0 && (more = name_reader_next(&reader, &attribute, e)) > 0) {
        list->items = mem_grow(list->items, &list->cap, sizeof *list->items, list->count + 1);
        list->items[list->count++] = attribute;
    }
    return more;
}

void name_attributes_clear(struct name_attributes *list)
{
    free(list->items);
    *list = (struct name_attributes){0};
}

// --- the characters of a string ---

// What is found in certificates rather than what X.680 has: T61String holds ISO 8859-1, and PrintableString any
// graphic ASCII ('@', '*', '&' and '_' are common). NUL is in none, it has only ever served to deceive.
static const struct string_type {
    int tag;
    size_t width; // octets a character; 0: UTF-8
    uint32_t first, last;
} string_types[] = {
    {MBEDTLS_ASN1_UTF8_STRING, 0, 0x01, 0x10ffff},      {MBEDTLS_ASN1_PRINTABLE_STRING, 1, 0x20, 0x7e},
    {MBEDTLS_ASN1_IA5_STRING, 1, 0x01, 0x7f},           {MBEDTLS_ASN1_T61_STRING, 1, 0x01, 0xff},
    {MBEDTLS_ASN1_BMP_STRING, 2, 0x01, 0xffff},         {TAG_NUMERIC_STRING, 1, 0x20, 0x7e},
    {MBEDTLS_ASN1_UNIVERSAL_STRING, 4, 0x01, 0x10ffff}, {TAG_VISIBLE_STRING, 1, 0x20, 0x7e},
};

static const struct string_type *string_type_of(int tag)
{
    for (size_t i = 0; i < sizeof string_types / sizeof string_types[0]; i++) {
        if (string_types[i].tag == tag) {
            return &string_types[i];
        }
    }
    return NULL;
}

bool name_value_is_string(int tag)
{
    return string_type_of(tag) != NULL;
}

// Takes one character off the front of *rest, which is not empty. False: there is none.
static bool string_next(const struct string_type *type, struct span *rest, uint32_t *code)
{
    size_t n = type->width;
    *code = 0;
    if (n == 0) {
        n = text_utf8(rest->data, rest->len, code);
    }
    if (n == 0 || n > rest->len) {
        return false;
    }
    for (size_t i = 0; i < type->width; i++) {
        *code = *code << 8 | rest->data[i];
    }
    *rest = span_of(rest->data + n, rest->len - n);
    return *code <= 0x10ffff && (*code < 0xd800 || *code > 0xdfff);
}

bool name_value_text(const struct der_item *value, struct buf *out)
{
    const struct string_type *type = string_type_of(value->tag);
    struct span rest = value->content;
    uint32_t code = 0;
    if (type == NULL) {
        return false;
    }
    while (rest.len > 0) {
        if (!string_next(type, &rest, &code) || code < type->first || code > type->last) {
            return false;
        }
        text_utf8_add(out, code);
    }
    return true;
}

// The same for showing it: what only should not be in the string is kept, and escaped later.
static bool value_shown(const struct der_item *value, struct buf *out)
{
    const struct string_type *type = string_type_of(value->tag);
    struct span rest = value->content;
    uint32_t code = 0;
    if (type == NULL) {
        return false;
    }
    if (type->width == 0 || type->last < 0x80) { // these are UTF-8 already
        buf_add(out, rest.data, rest.len);
        return true;
    }
    while (rest.len > 0) {
        if (!string_next(type, &rest, &code)) {
            return false;
        }
        text_utf8_add(out, code);
    }
    return true;
}

// --- as text ---

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

void name_type_to_text(struct span oid, struct buf *text)
{
    const char *type = attribute_by_oid(oid)->names[0];
    char dotted[128];
    if (type != NULL) {
        buf_text(text, type);
    } else if (der_oid_to_text(oid, dotted, sizeof dotted) == 0) {
        buf_text(text, dotted);
    } else { // shown, though it cannot be read back
        hex_add(text, oid);
    }
}

static void attribute_to_text(const struct name_attribute *attribute, struct buf *text)
{
    struct buf utf8 = {0};
    name_type_to_text(attribute->type, text);
    buf_text(text, "=");
    // RFC 4514 section 2.4: a value is hex where its type is a dotted OID, or it has no text
    if (attribute_by_oid(attribute->type)->names[0] != NULL && value_shown(&attribute->value, &utf8)) {
        value_escape(text, buf_span(&utf8));
    } else {
        hex_add(text, attribute->value.whole);
    }
    buf_clear(&utf8);
}

// RFC 4514 section 2.1 starts with the last RDN.
int name_to_text(struct span der, struct buf *text, struct err *e)
{
    struct name_attributes list = {0};
    size_t start = text->len;
    int rc = name_attributes_read(&list, der, e);
    buf_add(text, "", 0);
    for (size_t i = rc == 0 ? list.count : 0; i > 0; i--) {
        if (text->len - start > NAME_TEXT_MAX) {
            buf_text(text, "...");
            break;
        }
        attribute_to_text(&list.items[i - 1], text);
        buf_text(text, i == 1 ? "" : list.items[i - 1].first ? "," : "+");
    }
    name_attributes_clear(&list);
    return rc;
}
