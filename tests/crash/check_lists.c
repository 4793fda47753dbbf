// SPDX-License-Identifier: Apache-2.0
// crl.pem: what the database has as the last list of each issuer, signed by it, and never an older one than before.
#include "look.h"

#include <mbedtls/asn1.h>
#include <mbedtls/sha256.h>
#include <mbedtls/x509_crl.h>
#include <mbedtls/x509_crt.h>
#include <stdio.h>
#include <string.h>

struct list {
    struct buf der;
    mbedtls_x509_crl crl;
};
struct lists {
    struct list items[256];
    size_t count;
};
static struct lists all; // too large for a stack

static void keep_list(struct look *l, const char *label, struct span der)
{
    if (strcmp(label, "X509 CRL") != 0 || all.count == sizeof all.items / sizeof all.items[0]) {
        world_problem(l->w, "%s holds a %s too many", l->path, label);
        return;
    }
    struct list *list = &all.items[all.count++];
    *list = (struct list){0};
    buf_add(&list->der, der.data, der.len);
    mbedtls_x509_crl_init(&list->crl);
    if (mbedtls_x509_crl_parse_der(&list->crl, der.data, der.len) != 0) {
        world_problem(l->w, "%s holds no revocation list", l->path);
    }
}

// The cRLNumber (RFC 5280 section 5.2.3), found by its OID: OCTET STRING { INTEGER }.
static int64_t number_of(const struct list *list)
{
    static const uint8_t oid[] = {0x06, 0x03, 0x55, 0x1d, 0x14, 0x04};
    const mbedtls_x509_buf *ext = &list->crl.crl_ext;
    const uint8_t *at = ext->p == NULL ? NULL : memmem(ext->p, ext->len, oid, sizeof oid);
    int64_t number = 0;
    if (at == NULL || at[sizeof oid + 1] != 0x02 || at[sizeof oid + 2] > 8) {
        return -1;
    }
    for (size_t i = 0; i < at[sizeof oid + 2]; i++) {
        number = number << 8 | at[sizeof oid + 3 + i];
    }
    return number;
}

// CertificateList ::= SEQUENCE { tbsCertList, signatureAlgorithm, signatureValue }; P-256 keys sign with SHA-256 here.
static bool is_signed_by(const struct list *list, mbedtls_x509_crt *ca)
{
    unsigned char *p = list->der.data;
    unsigned char *end = p + list->der.len;
    uint8_t digest[32];
    size_t len = 0;
    if (mbedtls_asn1_get_tag(&p, end, &len, MBEDTLS_ASN1_CONSTRUCTED | MBEDTLS_ASN1_SEQUENCE) != 0) {
        return false;
    }
    unsigned char *tbs = p;
    if (mbedtls_asn1_get_tag(&p, end, &len, MBEDTLS_ASN1_CONSTRUCTED | MBEDTLS_ASN1_SEQUENCE) != 0) {
        return false;
    }
    p += len;
    mbedtls_sha256(tbs, (size_t)(p - tbs), digest, 0);
    if (mbedtls_asn1_get_tag(&p, end, &len, MBEDTLS_ASN1_CONSTRUCTED | MBEDTLS_ASN1_SEQUENCE) != 0) {
        return false;
    }
    p += len;
    return mbedtls_asn1_get_bitstring_null(&p, end, &len) == 0 &&
           mbedtls_pk_verify(&ca->pk, MBEDTLS_MD_SHA256, digest, sizeof digest, p, len) == 0;
}

static void note_number(struct look *l, const char *issuer, int64_t number)
{
    struct world_number *n = l->w->numbers;
    for (size_t i = 0; i < WORLD_ISSUERS; i++, n++) {
        if (n->issuer[0] == '\0') {
            snprintf(n->issuer, sizeof n->issuer, "%s", issuer);
        }
        if (strcmp(n->issuer, issuer) == 0) {
            break;
        }
    }
    if (number < n->number) {
        world_problem(l->w, "crl.pem has list %lld of %s after list %lld", (long long)number, issuer,
                      (long long)n->number);
    }
    n->number = number;
}

static void check_lists_of(struct look *l, sqlite3_stmt *s)
{
    mbedtls_x509_crt ca;
    size_t found = 0;
    mbedtls_x509_crt_init(&ca);
    const void *der = sqlite3_column_blob(s, 1);
    mbedtls_x509_crt_parse_der(&ca, der, (size_t)sqlite3_column_bytes(s, 1));
    for (size_t i = 0; i < all.count; i++) {
        const mbedtls_x509_buf *issuer = &all.items[i].crl.issuer_raw;
        if (issuer->len == ca.subject_raw.len && memcmp(issuer->p, ca.subject_raw.p, issuer->len) == 0 &&
            is_signed_by(&all.items[i], &ca)) {
            note_number(l, (const char *)sqlite3_column_text(s, 0), number_of(&all.items[i]));
            found++;
        }
    }
    if (found > 1 || (l->settled && found == 0)) {
        world_problem(l->w, "crl.pem has %zu lists of %s", found, (const char *)sqlite3_column_text(s, 0));
    }
    mbedtls_x509_crt_free(&ca);
}

void look_at_lists(struct look *l)
{
    static const char current[] = "SELECT name, der FROM certificate WHERE role = 0 AND current = 1";
    struct buf text = {0};
    sqlite3_stmt *s = NULL;
    l->path = "crl.pem";
    all.count = 0;
    look_read(l, &text);
    look_at_blocks(l, buf_span(&text), keep_list);
    assert_int_equal(sqlite3_prepare_v2(l->db, current, -1, &s, NULL), SQLITE_OK);
    while (sqlite3_step(s) == SQLITE_ROW) {
        check_lists_of(l, s);
    }
    sqlite3_finalize(s);
    assert_int_equal(sqlite3_prepare_v2(l->db, "SELECT der FROM crl WHERE der IS NOT NULL", -1, &s, NULL), SQLITE_OK);
    size_t recorded = 0;
    for (; l->settled && sqlite3_step(s) == SQLITE_ROW; recorded++) {
        bool there = false;
        const void *der = sqlite3_column_blob(s, 0);
        for (size_t i = 0; i < all.count; i++) {
            there = there || (all.items[i].der.len == (size_t)sqlite3_column_bytes(s, 0) &&
                              memcmp(all.items[i].der.data, der, all.items[i].der.len) == 0);
        }
        if (!there) {
            world_problem(l->w, "crl.pem lacks a list that the database has");
        }
    }
    if (l->settled && recorded != all.count) {
        world_problem(l->w, "crl.pem has %zu lists, the database %zu", all.count, recorded);
    }
    sqlite3_finalize(s);
    for (size_t i = 0; i < all.count; i++) {
        mbedtls_x509_crl_free(&all.items[i].crl);
        buf_clear(&all.items[i].der);
    }
    buf_clear(&text);
}
