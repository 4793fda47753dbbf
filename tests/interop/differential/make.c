// SPDX-License-Identifier: Apache-2.0
// Makes the chains: good ones first, then changed.
#include "base/der.h"
#include "base/file.h"
#include "base/pem.h"
#include "ca/crl.h"
#include "differential.h"

#include <mbedtls/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

unsigned roll(struct dice *dice, unsigned sides)
{
    dice->state ^= dice->state << 13; // xorshift64 (Marsaglia 2003)
    dice->state ^= dice->state >> 7;
    dice->state ^= dice->state << 17;
    return sides == 0 ? 0 : (unsigned)(dice->state >> 32) % sides;
}

// --- the world: keys, and the roots ---

static int issuer_fill(struct certificate_issuer *issuer, const char *name, struct buf *name_der,
                       mbedtls_pk_context *key, struct err *e)
{
    buf_clear(name_der);
    if (name_from_text(name, name_der, e) != 0 || key_id(key, issuer->key_id, e) != 0) {
        return -1;
    }
    issuer->subject = buf_span(name_der);
    issuer->key = key;
    return 0;
}

static int make_root(struct world *world, int key, struct buf *der, struct err *e)
{
    static const uint8_t serial[] = {0x11, 0x22};
    struct buf name = {0};
    struct certificate_issuer issuer;
    struct certificate_content content = {.subject = ROOT_NAME,
                                          .not_before = NOW - 100 * DAY,
                                          .not_after = NOW + 1000 * DAY,
                                          .is_ca = true,
                                          .path_length = PATH_LENGTH_NONE,
                                          .key_usage = MBEDTLS_X509_KU_KEY_CERT_SIGN | MBEDTLS_X509_KU_CRL_SIGN};
    int rc = issuer_fill(&issuer, ROOT_NAME, &name, &world->keys[key], e);
    if (rc == 0) {
        rc = certificate_make(&content, serial, sizeof serial, &world->keys[key], &issuer, &world->rng, der, e);
    }
    buf_clear(&name);
    return rc;
}

int world_make(struct world *world, const char *seed, struct err *e)
{
    struct buf pem = {0};
    char path[TEMPORARY_PATH + 16];
    if (rng_init_seeded(&world->rng, seed, "differential", e) != 0 || !temporary_make(world->dir)) {
        return err_set(e, "no world could be made");
    }
    for (int i = 0; i < KEYS; i++) {
        if (key_generate(KEY_ec_p256, &world->rng, &world->keys[i], e) != 0) {
            return -1;
        }
    }
    if (make_root(world, KEY_ROOT, &world->root, e) != 0 ||
        make_root(world, KEY_FOREIGN, &world->foreign_root, e) != 0) {
        return -1;
    }
    pem_write(&pem, "CERTIFICATE", buf_span(&world->root));
    snprintf(path, sizeof path, "%s/root.pem", world->dir);
    int rc = file_write(path, buf_span(&pem), FILE_PUBLIC, e);
    buf_clear(&pem);
    return rc;
}

void world_clear(struct world *world)
{
    struct err e = ERR_INIT;
    for (int i = 0; i < KEYS; i++) {
        mbedtls_pk_free(&world->keys[i]);
    }
    buf_clear(&world->root);
    buf_clear(&world->foreign_root);
    file_remove_tree(world->dir, &e);
    rng_clear(&world->rng);
}

// --- a good question ---

static void draft_part(struct question *q, size_t i, struct dice *dice)
{
    struct part *p = &q->parts[i];
    bool leaf = i == 0;
    *p = (struct part){.key = leaf ? KEY_LEAF : KEY_CA + (int)i,
                       .signer = i + 1 == q->part_count ? KEY_ROOT : KEY_CA + (int)i + 1,
                       .serial_len = 9,
                       .digest = MBEDTLS_MD_SHA256};
    p->content = (struct certificate_content){
        .subject = leaf ? mem_strdup("CN=leaf,O=Diff") : mem_printf("CN=diff CA %zu,O=Diff", i),
        .not_before = NOW - 10 * DAY,
        .not_after = NOW + 300 * DAY,
        .is_ca = !leaf,
        .path_length = PATH_LENGTH_NONE,
        .key_usage =
            leaf ? MBEDTLS_X509_KU_DIGITAL_SIGNATURE : MBEDTLS_X509_KU_KEY_CERT_SIGN | MBEDTLS_X509_KU_CRL_SIGN};
    p->issuer = i + 1 == q->part_count ? mem_strdup(ROOT_NAME) : mem_printf("CN=diff CA %zu,O=Diff", i + 1);
    for (size_t k = 0; k < sizeof p->serial; k++) {
        p->serial[k] = (uint8_t)roll(dice, 256);
    }
    p->serial[0] = 0x40;
    if (leaf) {
        p->content.ext_key_usage = mem_array(2, sizeof(char *));
        p->content.ext_key_usage[0] =
            mem_strdup(q->purpose == TRUST_SERVER ? "1.3.6.1.5.5.7.3.1" : "1.3.6.1.5.5.7.3.2");
        general_names_add(&p->content.names, GENERAL_NAME_DNS, "host.example.com");
        general_names_add(&p->content.names, GENERAL_NAME_IP, "192.0.2.1");
    }
}

static void draft(struct question *q, struct dice *dice)
{
    static const char *const hosts[] = {"host.example.com", "192.0.2.1", NULL};
    *q = (struct question){.part_count = 1 + roll(dice, PARTS_MOST), .purpose = TRUST_CLIENT};
    if (roll(dice, 3) != 0) {
        q->purpose = TRUST_SERVER;
        q->name = hosts[roll(dice, 3)];
    }
    for (size_t i = 0; i < q->part_count; i++) {
        draft_part(q, i, dice);
        q->order[q->order_count++] = (int)i;
    }
    bool lists = roll(dice, 3) == 0;
    for (size_t i = 1; lists && i <= q->part_count; i++) {
        q->lists[q->list_count++] = (struct list){.issuer = (int)i,
                                                  .key = i == q->part_count ? KEY_ROOT : KEY_CA + (int)i,
                                                  .this_update = NOW - DAY,
                                                  .next_update = NOW + DAY,
                                                  .revokes = -1};
    }
}

// --- and its certificates ---

static int make_part(struct world *world, struct part *p, struct err *e)
{
    struct buf name = {0};
    struct certificate_issuer issuer;
    int rc = issuer_fill(&issuer, p->issuer, &name, &world->keys[p->signer], e);
    if (rc == 0) {
        rc = certificate_make(&p->content, p->serial, p->serial_len, &world->keys[p->key], &issuer, &world->rng,
                              &p->der, e);
    }
    if (rc == 0 && p->digest != MBEDTLS_MD_SHA256) { // outside as inside
        struct certificate_parts parts;
        struct buf tbs = {0};
        struct buf algorithm = {0};
        rc = certificate_split(buf_span(&p->der), &parts, e) == 0 &&
                     signature_algorithm(&world->keys[p->signer], p->digest, &algorithm, e) == 0
                 ? 0
                 : -1;
        if (rc == 0) {
            struct span before = {parts.version.data, (size_t)(parts.algorithm.data - parts.version.data)};
            const uint8_t *behind = parts.issuer.data;
            buf_add(&tbs, before.data, before.len);
            buf_add(&tbs, algorithm.data, algorithm.len);
            buf_add(&tbs, behind, (size_t)(parts.tbs.data + parts.tbs.len - behind));
            der_enclose(&tbs, 0x30);
            buf_clear(&p->der);
            rc = signed_make(buf_span(&tbs), &world->keys[p->signer], p->digest, &world->rng, &p->der, e);
        }
        buf_clear(&tbs);
        buf_clear(&algorithm);
    }
    buf_clear(&name);
    return rc;
}

static int make_list(struct world *world, const struct question *q, struct list *list, struct err *e)
{
    struct buf name = {0};
    struct certificate_issuer issuer;
    bool root = list->issuer == (int)q->part_count;
    const struct part *revoked = list->revokes < 0 ? NULL : &q->parts[list->revokes];
    struct span serial = {0};
    struct certificate_parts parts;
    struct der_item item;
    if (revoked != NULL) { // as the certificate has it
        if (certificate_split(buf_span(&revoked->der), &parts, e) != 0 || der_next(&parts.serial, &item, e) != 0) {
            return -1;
        }
        serial = item.content;
    }
    struct crl_entry entry = {.serial = serial, .revoked_at = NOW - DAY, .invalidity_date = CRL_NO_INVALIDITY_DATE};
    struct crl_content content = {.this_update = list->this_update,
                                  .next_update = list->next_update,
                                  .number = 1,
                                  .entries = &entry,
                                  .count = revoked != NULL};
    int rc = issuer_fill(&issuer, root ? ROOT_NAME : q->parts[list->issuer].content.subject, &name,
                         &world->keys[list->key], e);
    if (rc == 0) {
        rc = crl_make(&content, &issuer, &world->rng, &list->der, e);
    }
    buf_clear(&name);
    return rc;
}

int question_make(struct world *world, struct dice *dice, struct question *q, struct err *e)
{
    draft(q, dice);
    unsigned contents = roll(dice, 3);
    unsigned ders = roll(dice, 5) < 2 ? 1 : 0;
    for (unsigned i = 0; i < contents; i++) {
        change_content(q, dice);
    }
    for (size_t i = 0; i < q->part_count; i++) {
        if (make_part(world, &q->parts[i], e) != 0) {
            return -1;
        }
    }
    for (size_t i = 0; i < q->list_count; i++) {
        if (make_list(world, q, &q->lists[i], e) != 0) {
            return -1;
        }
    }
    return ders == 0 ? 0 : change_der(world, q, &q->parts[roll(dice, (unsigned)q->part_count)], dice, e);
}

void question_clear(struct question *q)
{
    for (size_t i = 0; i < q->part_count; i++) {
        struct part *p = &q->parts[i];
        certificate_content_clear(&p->content);
        free(p->issuer);
        buf_clear(&p->der);
    }
    for (size_t i = 0; i < q->list_count; i++) {
        buf_clear(&q->lists[i].der);
    }
    buf_clear(&q->what);
}

size_t question_chain(const struct world *world, const struct question *q, struct span chain[CHAIN_MOST])
{
    for (size_t i = 0; i < q->order_count; i++) {
        chain[i] = buf_span(q->order[i] < 0 ? &world->foreign_root : &q->parts[q->order[i]].der);
    }
    return q->order_count;
}
