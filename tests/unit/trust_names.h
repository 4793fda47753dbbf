// SPDX-License-Identifier: Apache-2.0
// Names as DER from text, for the tests of the judge. Nothing is checked: malformed names are wanted too.
#ifndef MTLS_TESTS_TRUST_NAMES_H
#define MTLS_TESTS_TRUST_NAMES_H

#include "base/der.h"
#include "base/text.h"
#include "unit.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

enum {
    UTF8 = 0x0c,
    NUMERIC = 0x12,
    PRINTABLE = 0x13,
    T61 = 0x14,
    IA5 = 0x16,
    VISIBLE = 0x1a,
    UNIVERSAL = 0x1c,
    BMP = 0x1e
};

static const struct {
    const char *word, *oid;
} attribute_types[] = {
    {"CN", "\x55\x04\x03"},
    {"O", "\x55\x04\x0a"},
    {"OU", "\x55\x04\x0b"},
    {"DC", "\x09\x92\x26\x89\x93\xf2\x2c\x64\x01\x19"},
    {"E", "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x01"},
    {"UID", "\x55\x04\x2d"},
};

static inline void attribute_add(struct buf *rdn, const char *type, int tag, struct span value)
{
    struct buf pair = {0};
    const char *oid = NULL;
    for (size_t i = 0; i < sizeof attribute_types / sizeof attribute_types[0]; i++) {
        oid = strcmp(attribute_types[i].word, type) == 0 ? attribute_types[i].oid : oid;
    }
    assert_non_null(oid);
    der_wrap(&pair, 0x06, span_of(oid, strlen(oid)));
    der_wrap(&pair, tag, value);
    der_wrap(rdn, 0x30, buf_span(&pair));
    buf_clear(&pair);
}

// "O=Example,CN=a+OU=b" in the order of the DER, as UTF8String (DC and E: IA5String); "" is the empty Name.
static inline void name_add(struct buf *out, const char *text)
{
    struct buf name = {0}, rdn = {0};
    char *copy = mem_strdup(text);
    for (char *at = copy; *at != '\0';) {
        size_t len = strcspn(at, ",+");
        char end = at[len];
        at[len] = '\0';
        char *value = strchr(at, '=');
        assert_non_null(value);
        *value++ = '\0';
        bool ia5 = strcmp(at, "DC") == 0 || strcmp(at, "E") == 0;
        attribute_add(&rdn, at, ia5 ? IA5 : UTF8, span_of(value, strlen(value)));
        if (end != '+') {
            der_wrap(&name, 0x31, buf_span(&rdn));
            buf_clear(&rdn);
        }
        at += len + (end != '\0' ? 1 : 0);
    }
    der_wrap(out, 0x30, buf_span(&name));
    buf_clear(&name);
    free(copy);
}

// "10.0.0.1", "::1", or with a mask behind a slash: "10.0.0.0/255.0.0.0"
static inline void address_add(struct buf *out, const char *text)
{
    char *copy = mem_strdup(text);
    char *rest = copy;
    for (char *part = strsep(&rest, "/"); part != NULL; part = strsep(&rest, "/")) {
        uint8_t octets[16];
        bool four = inet_pton(AF_INET, part, octets) == 1;
        assert_true(four || inet_pton(AF_INET6, part, octets) == 1);
        buf_add(out, octets, four ? 4 : 16);
    }
    free(copy);
}

// One GeneralName: "DNS:a.example", "email:", "URI:", "IP:", "dir:O=x", "hex:82 01 61" (the whole element)
static inline void general_name_add(struct buf *out, const char *text)
{
    static const struct {
        const char *word;
        int tag;
    } forms[] = {{"email", 0x81}, {"DNS", 0x82}, {"dir", 0xa4}, {"URI", 0x86}, {"IP", 0x87}, {"hex", 0}};
    const char *value = strchr(text, ':') + 1;
    struct buf content = {0};
    int tag = -1;
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        size_t len = strlen(forms[i].word);
        tag = strncmp(text, forms[i].word, len) == 0 && text[len] == ':' ? forms[i].tag : tag;
    }
    assert_int_not_equal(tag, -1);
    if (tag == 0) {
        assert_true(text_unhex(value, out));
        return;
    }
    if (tag == 0xa4) {
        name_add(&content, value);
    } else if (tag == 0x87) {
        address_add(&content, value);
    } else {
        buf_text(&content, value);
    }
    der_wrap(out, tag, buf_span(&content));
    buf_clear(&content);
}

// "DNS:a.example IP:10.0.0.1", as subtrees or as names
static inline void general_names_from(struct buf *out, const char *text, bool subtrees)
{
    char *copy = mem_strdup(text);
    char *rest = copy;
    for (char *part = strsep(&rest, " "); part != NULL; part = strsep(&rest, " ")) {
        struct buf name = {0};
        if (*part != '\0') {
            general_name_add(&name, part);
            if (subtrees) {
                der_enclose(&name, 0x30);
            }
            buf_add(out, name.data, name.len);
        }
        buf_clear(&name);
    }
    free(copy);
}

#endif
