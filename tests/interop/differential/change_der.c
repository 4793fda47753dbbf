// SPDX-License-Identifier: Apache-2.0
// What can be changed about a certificate after it was made; most changes are then signed over.
#include "base/der.h"
#include "ca/extension.h"
#include "differential.h"

#include <mbedtls/asn1.h>
#include <stdio.h>
#include <string.h>

// An object identifier that nobody knows
static const uint8_t unknown_oid[] = {0x2b, 0x06, 0x01, 0x04, 0x01, 0x83, 0xb2, 0x03, 0x63};

enum { OID_TEXT = 64 };
static const char *oid_text(struct span oid, char text[OID_TEXT])
{
    return der_oid_to_text(oid, text, OID_TEXT) == 0 ? text : "?";
}

// One extension is left out, written twice, turned critical or not, emptied, or joined by an unknown one.
static int change_extensions(struct span list, struct dice *dice, struct buf *out, struct buf *what, struct err *e)
{
    struct span rest = list;
    struct extension x;
    unsigned count = 0;
    unsigned how = roll(dice, 6);
    while (rest.len > 0) {
        if (extension_next(&rest, &x, e) != 0) {
            return -1;
        }
        count++;
    }
    unsigned which = roll(dice, count);
    for (unsigned i = 0; list.len > 0 && extension_next(&list, &x, e) == 0; i++) {
        if (i != which) {
            extension_write(out, x.oid, x.critical, x.value);
            continue;
        }
        static const char *const words[] = {"without", "twice", "critical-flipped", "emptied", "unknown", "unknown"};
        char oid[OID_TEXT];
        buf_printf(what, " extension-%s(%s)", words[how], oid_text(x.oid, oid));
        if (how == 1 || how >= 4) {
            extension_write(out, x.oid, x.critical, x.value);
        }
        if (how >= 1) {
            struct span empty = span_of("\x30", 2); // an empty SEQUENCE: the terminator is its length
            extension_write(out, how >= 4 ? span_of(unknown_oid, sizeof unknown_oid) : x.oid,
                            how == 2 ? !x.critical : how == 4 || (how < 4 && x.critical), how == 3 ? empty : x.value);
        }
    }
    return 0;
}

// Times before 2050 as GeneralizedTime, or without seconds
static int change_validity(struct span validity, struct buf *out, struct err *e)
{
    struct der_item times;
    struct der_item time;
    struct buf content = {0};
    int rc = der_next(&validity, &times, e);
    while (rc == 0 && times.content.len > 0) {
        struct buf text = {0};
        rc = der_next(&times.content, &time, e);
        buf_text(&text, time.tag == MBEDTLS_ASN1_UTC_TIME ? "20" : "");
        buf_add(&text, time.content.data, time.content.len);
        der_wrap(&content, MBEDTLS_ASN1_GENERALIZED_TIME, buf_span(&text));
        buf_clear(&text);
    }
    der_wrap(out, TAG_SEQUENCE, buf_span(&content));
    buf_clear(&content);
    return rc;
}

static int rebuild(const struct certificate_parts *parts, struct dice *dice, struct buf *tbs, struct buf *what,
                   struct err *e)
{
    enum { EXTENSIONS, VERSION, VALIDITY, ALGORITHM, NO_EXTENSIONS };
    static const int hows[] = {EXTENSIONS, EXTENSIONS, EXTENSIONS, EXTENSIONS,
                               VERSION,    VALIDITY,   ALGORITHM,  NO_EXTENSIONS};
    static const uint8_t other_algorithm[] = {0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x04};
    int how = PICK(dice, hows);
    struct buf list = {0};
    struct span extensions = parts->extensions;
    struct der_item outer;
    struct der_item items;
    int rc = der_next(&extensions, &outer, e) == 0 && der_next(&outer.content, &items, e) == 0 ? 0 : -1;
    if (how != VERSION) {
        buf_add(tbs, parts->version.data, parts->version.len);
    } else {
        buf_text(what, " version");
    }
    buf_add(tbs, parts->serial.data, parts->serial.len);
    if (how == ALGORITHM) {
        buf_text(what, " inner-algorithm");
        buf_add(tbs, other_algorithm, sizeof other_algorithm);
    } else {
        buf_add(tbs, parts->algorithm.data, parts->algorithm.len);
    }
    buf_add(tbs, parts->issuer.data, parts->issuer.len);
    if (rc == 0 && how == VALIDITY) {
        buf_text(what, " generalized-time");
        rc = change_validity(parts->validity, tbs, e);
    } else {
        buf_add(tbs, parts->validity.data, parts->validity.len);
    }
    buf_add(tbs, parts->subject.data, parts->subject.len);
    buf_add(tbs, parts->key.data, parts->key.len);
    if (rc == 0 && how == EXTENSIONS) {
        rc = change_extensions(items.content, dice, &list, what, e);
        der_enclose(&list, TAG_SEQUENCE);
        der_wrap(tbs, outer.tag, buf_span(&list));
    } else if (how == NO_EXTENSIONS) {
        buf_text(what, " no-extensions");
    } else {
        buf_add(tbs, parts->extensions.data, parts->extensions.len);
    }
    der_enclose(tbs, TAG_SEQUENCE);
    buf_clear(&list);
    return rc;
}

// In which field of the TBSCertificate, or in which extension, is this octet?
static const char *field_at(const struct certificate_parts *parts, size_t offset, char text[OID_TEXT])
{
    const struct {
        const char *name;
        struct span field;
    } fields[] = {{"version", parts->version}, {"serial", parts->serial},     {"signature", parts->algorithm},
                  {"issuer", parts->issuer},   {"validity", parts->validity}, {"subject", parts->subject},
                  {"public-key", parts->key}};
    const uint8_t *at = parts->tbs.data + offset;
    struct span extensions = parts->extensions;
    struct der_item outer;
    struct der_item list;
    struct err e = ERR_INIT;
    for (size_t i = 0; i < COUNT(fields); i++) {
        if (fields[i].field.len > 0 && at >= fields[i].field.data && at < fields[i].field.data + fields[i].field.len) {
            return fields[i].name;
        }
    }
    if (extensions.len > 0 && at >= extensions.data && der_next(&extensions, &outer, &e) == 0 &&
        der_next(&outer.content, &list, &e) == 0) {
        while (list.content.len > 0) {
            struct span rest = list.content;
            struct extension x;
            if (extension_next(&list.content, &x, &e) != 0) {
                break;
            }
            if (at >= rest.data && at < list.content.data) {
                return oid_text(x.oid, text);
            }
        }
    }
    return "frame";
}

// --- any element of the tree ---

enum { ELEMENTS_MOST = 256, DEPTH_MOST = 12 };
struct element {
    size_t at, header, len; // len: with its header
    size_t parent;
};
struct tree {
    struct element items[ELEMENTS_MOST];
    size_t count;
};

// Elements within elements, and within OCTET STRINGs that hold some (the values of extensions do).
static void tree_read(struct tree *tree, struct span whole, struct span rest, size_t parent, unsigned depth)
{
    struct err e = ERR_INIT;
    struct der_item item;
    while (rest.len > 0 && tree->count < ELEMENTS_MOST && der_next(&rest, &item, &e) == 0) {
        size_t mine = tree->count++;
        tree->items[mine] = (struct element){.at = (size_t)(item.whole.data - whole.data),
                                             .header = (size_t)(item.content.data - item.whole.data),
                                             .len = item.whole.len,
                                             .parent = parent};
        bool opens = (item.tag & MBEDTLS_ASN1_CONSTRUCTED) != 0 || item.tag == MBEDTLS_ASN1_OCTET_STRING;
        if (opens && depth < DEPTH_MOST) {
            tree_read(tree, whole, item.content, mine, depth + 1);
        }
    }
}

// `from` once more, with the element `which` replaced, and the lengths around it right.
static void tree_write(const struct tree *tree, struct span from, size_t which, struct span with, struct buf *out)
{
    const struct element *x = &tree->items[which];
    buf_add(out, with.data, with.len);
    for (; which != 0; which = x->parent, x = &tree->items[which]) {
        const struct element *up = &tree->items[x->parent];
        struct buf content = {0};
        size_t start = up->at + up->header;
        buf_add(&content, from.data + start, x->at - start);
        buf_add(&content, out->data, out->len);
        buf_add(&content, from.data + x->at + x->len, up->at + up->len - (x->at + x->len));
        buf_clear(out);
        der_wrap(out, from.data[up->at], buf_span(&content));
        buf_clear(&content);
    }
}

static void change_tree(const struct certificate_parts *parts, struct dice *dice, struct buf *tbs, struct buf *what)
{
    enum { GONE, TWICE, EMPTY, FOLLOWED, RETAGGED, OTHER };
    static const char *const words[] = {"gone", "twice", "empty", "followed", "retagged", "other"};
    static const uint8_t tags[] = {0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x0a, 0x0c, 0x13, 0x14, 0x16, 0x17,
                                   0x18, 0x1e, 0x30, 0x31, 0x80, 0x81, 0x82, 0x83, 0xa0, 0xa1, 0xa2, 0xa4};
    struct tree tree = {.count = 0};
    struct buf with = {0};
    char text[OID_TEXT];
    tree_read(&tree, parts->tbs, parts->tbs, 0, 0);
    size_t which = 1 + roll(dice, (unsigned)tree.count - 1);
    const struct element *x = &tree.items[which];
    struct span element = {parts->tbs.data + x->at, x->len};
    const struct element *other = &tree.items[1 + roll(dice, (unsigned)tree.count - 1)];
    unsigned how = roll(dice, COUNT(words));
    if (how != GONE && how != OTHER && how != EMPTY) {
        buf_add(&with, element.data, element.len);
    }
    switch (how) {
    case TWICE: buf_add(&with, element.data, element.len); break;
    case FOLLOWED: buf_add(&with, "\x05\x00", 2); break;
    case EMPTY: der_wrap(&with, element.data[0], span_of(NULL, 0)); break;
    case RETAGGED: with.data[0] = PICK(dice, tags); break;
    case OTHER: buf_add(&with, parts->tbs.data + other->at, other->len); break;
    default: break;
    }
    buf_printf(what, " element-%s(%s,%02x*%zu->%02x*%zu)", words[how], field_at(parts, x->at, text), element.data[0],
               element.len, with.len > 0 ? with.data[0] : 0U, with.len);
    tree_write(&tree, parts->tbs, which, buf_span(&with), tbs);
    buf_clear(&with);
}

int change_der(struct world *world, struct question *q, struct part *part, struct dice *dice, struct err *e)
{
    struct certificate_parts parts;
    struct buf tbs = {0};
    int rc = certificate_split(buf_span(&part->der), &parts, e);
    char text[OID_TEXT];
    unsigned how = roll(dice, 8);
    if (rc != 0) {
        return rc;
    }
    if (how == 0) { // one bit, anywhere, and the signature stays
        part->der.data[roll(dice, (unsigned)part->der.len)] ^= (uint8_t)(1U << roll(dice, 8));
        buf_printf(&q->what, " bit(%d)", (int)(part - q->parts));
        return 0;
    }
    if (how == 1) {
        buf_add(&tbs, parts.tbs.data, parts.tbs.len);
        size_t at = roll(dice, (unsigned)tbs.len);
        tbs.data[at] ^= (uint8_t)(1U << roll(dice, 8));
        buf_printf(&q->what, " of %d: bit-signed(%s)", (int)(part - q->parts), field_at(&parts, at, text));
    } else if (how <= 3) {
        buf_printf(&q->what, " of %d:", (int)(part - q->parts));
        change_tree(&parts, dice, &tbs, &q->what);
    } else {
        buf_printf(&q->what, " of %d:", (int)(part - q->parts));
        rc = rebuild(&parts, dice, &tbs, &q->what, e);
    }
    if (rc == 0) {
        buf_clear(&part->der);
        rc = signed_make(buf_span(&tbs), &world->keys[part->signer], part->digest, &world->rng, &part->der, e);
    }
    buf_clear(&tbs);
    return rc;
}
