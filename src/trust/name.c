// SPDX-License-Identifier: Apache-2.0
// The canonical form is DER again, so that it has its lengths in front: of every RDN a SET, in it the attributes
// sorted, every string prepared and a UTF8String. What the preparation does not do of RFC 4518: Unicode normalisation,
// and case beyond what living languages write in Latin, Greek, Cyrillic and Armenian. Names that differ in these alone
// count as different.
#include "trust/name.h"

#include "base/name_text.h"
#include "base/text.h"

#include <mbedtls/asn1.h>
#include <mbedtls/oid.h>
#include <stdlib.h>
#include <string.h>

// RFC 4518 section 2.2: case is folded. Every `step`th character from `first` to `last` is upper case.
static uint32_t fold(uint32_t code)
{
    static const struct {
        uint32_t first, last, step;
        int32_t to_lower;
    } table[] = {
        {'A', 'Z', 1, 32},      {0xc0, 0xd6, 1, 32},   {0xd8, 0xde, 1, 32},   {0x100, 0x12e, 2, 1},
        {0x132, 0x136, 2, 1},   {0x139, 0x147, 2, 1},  {0x14a, 0x176, 2, 1},  {0x178, 0x178, 1, -121},
        {0x179, 0x17d, 2, 1},   {0x1f8, 0x21e, 2, 1},  {0x386, 0x386, 1, 38}, {0x388, 0x38a, 1, 37},
        {0x38c, 0x38c, 1, 64},  {0x38e, 0x38f, 1, 63}, {0x391, 0x3a1, 1, 32}, {0x3a3, 0x3ab, 1, 32},
        {0x3c2, 0x3c2, 1, 1},   {0x400, 0x40f, 1, 80}, {0x410, 0x42f, 1, 32}, {0x460, 0x480, 2, 1},
        {0x48a, 0x4be, 2, 1},   {0x4d0, 0x52e, 2, 1},  {0x531, 0x556, 1, 48}, {0x1e00, 0x1e94, 2, 1},
        {0x1ea0, 0x1efe, 2, 1},
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0] && code >= table[i].first; i++) {
        if (code <= table[i].last && (code - table[i].first) % table[i].step == 0) {
            return (uint32_t)((int32_t)code + table[i].to_lower);
        }
    }
    return code;
}

// RFC 4518 section 2.2: what is mapped to SPACE, by itself or in normalisation.
static bool is_space(uint32_t c)
{
    return c == ' ' || (c >= '\t' && c <= '\r') || c == 0x85 || c == 0xa0 || c == 0x1680 ||
           (c >= 0x2000 && c <= 0x200a) || c == 0x2028 || c == 0x2029 || c == 0x202f || c == 0x205f || c == 0x3000;
}

// The attributes whose syntax is that of character strings (RFC 5280 appendix A.1); of others any value will do.
static bool is_textual(struct span type)
{
    static const char email[] = MBEDTLS_OID_PKCS9_EMAIL;
    static const char component[] = MBEDTLS_OID_DOMAIN_COMPONENT;
    static const uint8_t directory[] = {3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 41, 42, 43, 44, 46, 65}; // of 2.5.4
    if (type.len == 3 && memcmp(type.data, MBEDTLS_OID_AT, 2) == 0) {
        return memchr(directory, type.data[2], sizeof directory) != NULL;
    }
    return (type.len == sizeof email - 1 && memcmp(type.data, email, type.len) == 0) ||
           (type.len == sizeof component - 1 && memcmp(type.data, component, type.len) == 0);
}

// RFC 4518 section 2.6.1: no space at the ends, one between words. Characters that nobody sees are mapped to nothing.
static int value_prepare(const struct name_attribute *attribute, struct buf *out, struct err *e)
{
    const struct der_item *value = &attribute->value;
    bool string = name_value_is_string(value->tag & ~MBEDTLS_ASN1_CONSTRUCTED);
    struct buf characters = {0};
    struct buf text = {0};
    bool gap = false;
    if (!string && is_textual(attribute->type)) {
        return err_set(e, "name: the value of an attribute is no string, tag 0x%02x", (unsigned)value->tag);
    }
    if (!string) {
        buf_add(out, value->whole.data, value->whole.len);
        return 0;
    }
    bool good = name_value_text(value, &characters); // X.690 section 10.2: no string is constructed
    struct span rest = buf_span(&characters);
    while (good && rest.len > 0) {
        uint32_t code = 0;
        size_t n = text_utf8(rest.data, rest.len, &code);
        rest = span_of(rest.data + n, rest.len - n);
        if (is_space(code)) {
            gap = text.len > 0;
        } else if (!text_is_invisible(code)) {
            buf_add(&text, " ", gap ? 1 : 0);
            text_utf8_add(&text, fold(code));
            gap = false;
        }
    }
    if (good) {
        der_wrap(out, MBEDTLS_ASN1_UTF8_STRING, buf_span(&text));
    }
    buf_clear(&characters);
    buf_clear(&text);
    return good ? 0 : err_set(e, "name: a string holds what is no character of its type");
}

static int attribute_prepare(const struct name_attribute *attribute, struct buf *rdn, struct err *e)
{
    struct buf pair = {0};
    der_wrap(&pair, MBEDTLS_ASN1_OID, attribute->type);
    int rc = value_prepare(attribute, &pair, e);
    if (rc == 0) {
        der_wrap(rdn, TAG_SEQUENCE, buf_span(&pair));
    }
    buf_clear(&pair);
    return rc;
}

static int span_compare(const void *left, const void *right)
{
    const struct span *a = left;
    const struct span *b = right;
    int order = memcmp(a->data, b->data, a->len < b->len ? a->len : b->len);
    return order != 0 ? order : (a->len > b->len) - (a->len < b->len);
}

// Appends the RDN whose prepared attributes `set` holds, as an element in which they are sorted: the order of a SET has
// no meaning, and not everybody keeps the one of DER. `set` is empty afterwards.
static void rdn_finish(struct buf *set, size_t count, struct buf *out)
{
    struct err never = ERR_INIT; // they were made above
    struct span rest = buf_span(set);
    struct span *attributes = mem_array(count, sizeof *attributes);
    struct buf sorted = {0};
    for (size_t i = 0; i < count; i++) {
        struct der_item item = {0};
        der_next(&rest, &item, &never);
        attributes[i] = item.whole;
    }
    qsort(attributes, count, sizeof *attributes, span_compare);
    for (size_t i = 0; i < count; i++) {
        buf_add(&sorted, attributes[i].data, attributes[i].len);
    }
    der_wrap(out, TAG_SET, buf_span(&sorted));
    buf_clear(&sorted);
    free(attributes);
    set->len = 0;
}

int name_canonical(struct span name, struct buf *out, struct err *e)
{
    struct name_reader reader;
    struct name_attribute attribute = {0};
    struct buf set = {0};
    size_t count = 0;
    int rc = name_reader_open(&reader, name, e);
    while (rc == 0 && (rc = name_reader_next(&reader, &attribute, e)) > 0) {
        if (attribute.first && count > 0) {
            rdn_finish(&set, count, out);
            count = 0;
        }
        rc = attribute_prepare(&attribute, &set, e);
        count++;
    }
    if (rc == 0 && count > 0) {
        rdn_finish(&set, count, out);
    }
    buf_clear(&set);
    return rc;
}
