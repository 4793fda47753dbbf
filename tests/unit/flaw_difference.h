// SPDX-License-Identifier: Apache-2.0
// In what two made flaws differ, in words: "leaf validity, issuer 2.5.29.15". What is random in every certificate (keys
// and what follows from them, serial numbers as they should be) does not count, nor does the word "control" in a name.
#ifndef MTLS_TESTS_FLAW_DIFFERENCE_H
#define MTLS_TESTS_FLAW_DIFFERENCE_H

#include "base/der.h"
#include "base/name_text.h"
#include "ca/flaw.h"
#include "unit.h"

#include <mbedtls/md.h>
#include <mbedtls/x509_crl.h>
#include <stdlib.h>
#include <string.h>

static inline void difference_add(struct buf *out, const char *part, const char *what)
{
    buf_printf(out, "%s%s %s", out->len > 0 ? ", " : "", part, what);
}

static inline struct buf name_summary(struct span der)
{
    struct err e = ERR_INIT;
    struct buf text = {0};
    assert_works(name_to_text(der, &text, &e), &e);
    char *word = strstr((char *)text.data, " control");
    if (word != NULL) {
        memmove(word, word + strlen(" control"), strlen(word + strlen(" control")) + 1);
        text.len -= strlen(" control");
    }
    return text;
}

// The type alone: keys are random.
static inline struct buf key_summary(struct span der)
{
    mbedtls_pk_context key;
    enum key_type type;
    struct buf text = {0};
    unsigned char *p = (unsigned char *)(uintptr_t)der.data;
    mbedtls_pk_init(&key);
    assert_int_equal(mbedtls_pk_parse_subpubkey(&p, p + der.len, &key), 0);
    assert_true(key_type_of(&key, &type));
    buf_text(&text, key_type_name(type));
    mbedtls_pk_free(&key);
    return text;
}

// A serial number as it should be is like any other.
static inline struct buf serial_summary(struct span der)
{
    struct buf out = {0};
    bool good = der.len == 2 + SERIAL_SIZE && (der.data[2] & 0x80) == 0;
    buf_add(&out, der.data, good ? 2 : der.len);
    return out;
}

static inline struct buf whole_summary(struct span der)
{
    struct buf out = {0};
    buf_add(&out, der.data, der.len);
    return out;
}

static const struct {
    const char *name;
    size_t offset; // in struct certificate_parts
    struct buf (*summary)(struct span der);
} fields[] = {
    {"version", offsetof(struct certificate_parts, version), whole_summary},
    {"serial", offsetof(struct certificate_parts, serial), serial_summary},
    {"inner algorithm", offsetof(struct certificate_parts, algorithm), whole_summary},
    {"issuer name", offsetof(struct certificate_parts, issuer), name_summary},
    {"validity", offsetof(struct certificate_parts, validity), whole_summary},
    {"subject", offsetof(struct certificate_parts, subject), name_summary},
    {"key type", offsetof(struct certificate_parts, key), key_summary},
    {"outer algorithm", offsetof(struct certificate_parts, outer_algorithm), whole_summary},
};

struct extensions {
    size_t count;
    char oid[20][32];
    struct span rest[20]; // critical and extnValue; empty where the value is made from a key
};

static inline void extensions_read(struct span der, struct extensions *out)
{
    struct err e = ERR_INIT;
    struct der_item outer;
    struct der_item list;
    struct der_item extension;
    struct der_item oid;
    *out = (struct extensions){0};
    if (der.len == 0) {
        return;
    }
    assert_works(der_next(&der, &outer, &e), &e);
    assert_works(der_next(&outer.content, &list, &e), &e);
    while (list.content.len > 0) {
        char *text = out->oid[out->count];
        assert_works(der_next(&list.content, &extension, &e), &e);
        assert_works(der_next(&extension.content, &oid, &e), &e);
        assert_int_equal(der_oid_to_text(oid.content, text, sizeof out->oid[0]), 0);
        bool key_identifier = strcmp(text, "2.5.29.14") == 0 || strcmp(text, "2.5.29.35") == 0;
        out->rest[out->count++] = key_identifier ? span_of(NULL, 0) : extension.content;
    }
}

// Do both have the same extensions with this identifier, in the same order?
static inline bool extensions_agree(const struct extensions *a, const struct extensions *b, const char *oid)
{
    size_t i = 0;
    size_t k = 0;
    for (;; i++, k++) {
        while (i < a->count && strcmp(a->oid[i], oid) != 0) {
            i++;
        }
        while (k < b->count && strcmp(b->oid[k], oid) != 0) {
            k++;
        }
        if (i == a->count || k == b->count) {
            return i == a->count && k == b->count;
        }
        if (a->rest[i].len != b->rest[k].len ||
            (a->rest[i].len > 0 && memcmp(a->rest[i].data, b->rest[k].data, a->rest[i].len) != 0)) {
            return false;
        }
    }
}

static inline void difference_extensions(struct span a, struct span b, const char *part, struct buf *out)
{
    struct extensions lists[2];
    extensions_read(a, &lists[0]);
    extensions_read(b, &lists[1]);
    for (int k = 0; k < 2; k++) {
        for (size_t i = 0; i < lists[k].count; i++) {
            const char *oid = lists[k].oid[i];
            bool told = false;
            for (size_t n = 0; n < (k == 0 ? i : lists[0].count); n++) {
                told = told || strcmp(lists[0].oid[n], oid) == 0;
            }
            if (!told && !extensions_agree(&lists[0], &lists[1], oid)) {
                difference_add(out, part, oid);
            }
        }
    }
}

static inline void difference_certificate(struct span a, struct span b, const char *part, struct buf *out)
{
    struct err e = ERR_INIT;
    struct certificate_parts parts[2];
    assert_works(certificate_split(a, &parts[0], &e), &e);
    assert_works(certificate_split(b, &parts[1], &e), &e);
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        struct buf x = fields[i].summary(*(struct span *)((char *)&parts[0] + fields[i].offset));
        struct buf y = fields[i].summary(*(struct span *)((char *)&parts[1] + fields[i].offset));
        if (x.len != y.len || (x.len > 0 && memcmp(x.data, y.data, x.len) != 0)) {
            difference_add(out, part, fields[i].name);
        }
        buf_clear(&x);
        buf_clear(&y);
    }
    difference_extensions(parts[0].extensions, parts[1].extensions, part, out);
}

// Is the list signed by the part's own key?
static inline bool crl_verifies(const struct flaw_part *part)
{
    struct err e = ERR_INIT;
    struct span der = buf_span(&part->crl);
    struct der_item list;
    struct der_item tbs;
    struct der_item signature;
    struct certificate_parts parts;
    mbedtls_pk_context key;
    unsigned char hash[32];
    mbedtls_pk_init(&key);
    assert_works(certificate_split(buf_span(&part->der), &parts, &e), &e);
    unsigned char *p = (unsigned char *)(uintptr_t)parts.key.data;
    assert_int_equal(mbedtls_pk_parse_subpubkey(&p, p + parts.key.len, &key), 0);
    assert_works(der_next(&der, &list, &e), &e);
    assert_works(der_next(&list.content, &tbs, &e), &e);
    assert_works(der_next(&list.content, &signature, &e), &e); // the algorithm: SHA-256 with all that is made here
    assert_works(der_next(&list.content, &signature, &e), &e);
    assert_int_equal(mbedtls_md(mbedtls_md_info_from_type(MBEDTLS_MD_SHA256), tbs.whole.data, tbs.whole.len, hash), 0);
    int rc = mbedtls_pk_verify(&key, MBEDTLS_MD_SHA256, hash, sizeof hash, signature.content.data + 1,
                               signature.content.len - 1);
    mbedtls_pk_free(&key);
    return rc == 0;
}

static inline void difference_crl(const struct flaw_part *a, const struct flaw_part *b, struct buf *out)
{
    if ((a->crl.len > 0) != (b->crl.len > 0)) {
        difference_add(out, a->part, "list");
        return;
    }
    if (a->crl_this_update != b->crl_this_update || a->crl_next_update != b->crl_next_update) {
        difference_add(out, a->part, "list's times");
    }
    if (a->crl.len > 0 && crl_verifies(a) != crl_verifies(b)) {
        difference_add(out, a->part, "list's signature");
    }
}

// Does the handshake's key belong to the leaf?
static inline bool key_matches(const struct flaw_made *made)
{
    struct err e = ERR_INIT;
    struct certificate_parts parts;
    mbedtls_pk_context key;
    struct rng rng;
    assert_works(rng_init(&rng, &e), &e);
    mbedtls_pk_init(&key);
    assert_works(certificate_split(buf_span(&made->parts[made->leaf].der), &parts, &e), &e);
    unsigned char *p = (unsigned char *)(uintptr_t)parts.key.data;
    assert_int_equal(mbedtls_pk_parse_subpubkey(&p, p + parts.key.len, &key), 0);
    int rc = mbedtls_pk_check_pair(&key, &made->key, rng_bytes, &rng);
    mbedtls_pk_free(&key);
    rng_clear(&rng);
    return rc == 0;
}

static inline const struct flaw_part *part_find(const struct flaw_made *made, const char *part)
{
    for (size_t i = 0; i < made->count; i++) {
        if (strcmp(made->parts[i].part, part) == 0) {
            return &made->parts[i];
        }
    }
    return NULL;
}

// Is what is sent of each certificate the certificate? (What is sent after the leaf but is no part is the PKI's own.)
static inline void difference_sent(const struct flaw_made *made, struct buf *out)
{
    const struct buf *leaf = &made->parts[made->leaf].der;
    if (leaf->len != made->leaf_der.len || memcmp(leaf->data, made->leaf_der.data, leaf->len) != 0) {
        difference_add(out, "leaf", "as sent");
    }
    for (size_t i = 0; i < made->chain_len && i + 1 < made->count; i++) {
        const struct flaw_part *part = &made->parts[made->count - 2 - i];
        if (part->der.len != made->chain[i].len || memcmp(part->der.data, made->chain[i].data, part->der.len) != 0) {
            difference_add(out, part->part, "as sent");
        }
    }
}

static inline void difference(const struct flaw_made *control, const struct flaw_made *flaw, struct buf *out)
{
    buf_add(out, "", 0);
    assert_true(key_matches(control));
    difference_sent(control, out); // the controls are sent as they are
    if (flaw->leaf < 0) {
        difference_add(out, "leaf", "absent");
        return;
    }
    for (size_t i = 0; i < flaw->count; i++) {
        const struct flaw_part *b = &flaw->parts[i];
        const struct flaw_part *a = part_find(control, b->part);
        if (a == NULL) {
            difference_add(out, b->part, "added");
            continue;
        }
        difference_certificate(buf_span(&a->der), buf_span(&b->der), a->part, out);
        difference_crl(a, b, out);
        if (a->revoke != b->revoke) {
            difference_add(out, a->part, "revoked");
        }
    }
    difference_sent(flaw, out);
    if (control->chain_len != flaw->chain_len) {
        difference_add(out, "chain", "length");
    }
    if (!key_matches(flaw)) {
        difference_add(out, "handshake", "key");
    }
}

#endif
