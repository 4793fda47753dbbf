// SPDX-License-Identifier: Apache-2.0
// Makes what a recipe drafted.
#include "ca/flaw.h"

#include "ca/crl.h"
#include "ca/flaw_internal.h"

#include <stdlib.h>
#include <string.h>

static const struct flaw_info infos[FLAW_COUNT] = {
#define FLAW(token, sides, what, reason, rfc) [FLAW_##token] = {#token, FLAW_##sides, what, REASON_##reason, rfc},
#include "ca/flaw.def"
#undef FLAW
};

const struct flaw_info *flaw_info(enum flaw flaw)
{
    return &infos[flaw];
}

bool flaw_find(const char *token, enum flaw *flaw)
{
    for (int i = 0; i < FLAW_COUNT; i++) {
        if (strcmp(infos[i].token, token) == 0) {
            *flaw = (enum flaw)i;
            return true;
        }
    }
    return false;
}

// A certificate of the draft once it is made: its key, and the issuer that it is.
struct work_certificate {
    bool used;
    int part; // index into the flaw's parts
    mbedtls_pk_context key;
    struct certificate_issuer issuer;
};

struct work {
    const struct draft *draft;
    struct flaw_made *made;
    struct work_certificate certificates[DRAFT_COUNT];
};

// Flaws and their controls draw from streams of their own: the same serial number in both would make the control of a
// revoked certificate revoked.
static int start_rng(const struct draft *d, const char *part, struct rng *rng, struct err *e)
{
    char *label = mem_printf("%s/%s-%s/%s", d->control ? "control" : "flaw", flaw_side_word(d->side), d->token, part);
    int rc = flaw_rng(d->setting, label, rng, e);
    free(label);
    return rc;
}

static const struct certificate_issuer *issuer_of(const struct work *w, int signer)
{
    switch (signer) {
    case FLAW_ISSUER_ROOT: return &w->draft->setting->root->issuer;
    case FLAW_ISSUER_ISSUING: return &w->draft->setting->issuing->issuer;
    default: return &w->certificates[signer].issuer;
    }
}

// Makes a list of an authority; `number` is 1, as no later one follows.
static int make_crl(const struct draft_crl *draft, const struct certificate_issuer *issuer, struct rng *rng,
                    struct flaw_part *part, struct err *e)
{
    const struct crl_content content = {
        .number = 1, .this_update = draft->this_update, .next_update = draft->next_update};
    struct certificate_issuer signer = *issuer;
    mbedtls_pk_context other;
    mbedtls_pk_init(&other);
    int rc = 0;
    if (draft->wrong_key) {
        rc = key_generate(KEY_ec_p256, rng, &other, e);
        signer.key = &other;
    }
    if (rc == 0) {
        rc = crl_make(&content, &signer, rng, &part->crl, e);
    }
    part->crl_number = content.number;
    part->crl_this_update = content.this_update;
    part->crl_next_update = content.next_update;
    mbedtls_pk_free(&other);
    return rc;
}

static int sign_certificate(struct work *w, const struct draft_certificate *c, struct work_certificate *to,
                            struct rng *rng, struct buf *der, struct err *e)
{
    uint8_t serial[SERIAL_SIZE];
    struct certificate_parts parts;
    // itself: with an empty name for now, which stands for the subject's
    const struct certificate_issuer *issuer = c->signer == FLAW_ISSUER_NONE ? &to->issuer : issuer_of(w, c->signer);
    if (serial_make(rng, serial, e) != 0 ||
        certificate_make(&c->content, serial, sizeof serial, &to->key, issuer, rng, der, e) != 0 ||
        (c->edit != NULL && flaw_edit(c->edit, w->draft->setting, issuer->key, rng, der, e) != 0) ||
        certificate_split(buf_span(der), &parts, e) != 0) {
        return -1;
    }
    to->issuer.subject = parts.subject;
    return 0;
}

static int make_certificate(struct work *w, int index, struct err *e)
{
    const struct draft_certificate *c = &w->draft->certificates[index];
    struct work_certificate *to = &w->certificates[index];
    struct rng rng;
    if (start_rng(w->draft, c->part, &rng, e) != 0) {
        return -1;
    }
    int rc = -1;
    to->part = (int)w->made->count++;
    to->issuer.key = &to->key;
    struct flaw_part *part = &w->made->parts[to->part];
    part->part = c->part;
    part->issuer = c->signer >= 0 ? w->certificates[c->signer].part : c->signer;
    part->revoke = c->revoke;
    part->not_before = c->content.not_before;
    part->not_after = c->content.not_after;
    if (flaw_key(w->draft->setting, c->key, index != DRAFT_LEAF, &rng, &to->key, e) != 0 ||
        key_id(&to->key, to->issuer.key_id, e) != 0 || sign_certificate(w, c, to, &rng, &part->der, e) != 0) {
        goto out;
    }
    if (index != DRAFT_LEAF && !c->crl.missing && make_crl(&c->crl, &to->issuer, &rng, part, e) != 0) {
        goto out;
    }
    rc = 0;
out:
    rng_clear(&rng);
    return rc;
}

// What is sent of a certificate: its bytes with the damage that was drafted.
static int present_certificate(const struct work *w, int index, struct buf *out, struct err *e)
{
    const struct buf *der = &w->made->parts[w->certificates[index].part].der;
    der_damage *damage = w->draft->certificates[index].damage;
    buf_add(out, der->data, der->len);
    return damage == NULL ? 0 : damage(out, e);
}

// Is the issuing CA the root?
static bool root_issues(const struct flaw_setting *setting)
{
    struct span a = setting->root->der;
    struct span b = setting->issuing->der;
    return a.len == b.len && memcmp(a.data, b.data, a.len) == 0;
}

static int present_chain(const struct work *w, struct err *e)
{
    const struct draft *d = w->draft;
    const struct flaw_setting *setting = d->setting;
    struct flaw_made *made = w->made;
    int signer = d->certificates[DRAFT_LEAF].signer;
    for (; signer >= 0; signer = d->certificates[signer].signer) {
        if (present_certificate(w, signer, &made->chain[made->chain_len++], e) != 0) {
            return -1;
        }
    }
    const struct flaw_ca *last = NULL;
    if (signer == FLAW_ISSUER_ROOT && d->send_root) {
        last = setting->root;
    } else if (signer == FLAW_ISSUER_ISSUING && !root_issues(setting)) {
        last = setting->issuing;
    }
    if (last != NULL) {
        buf_add(&made->chain[made->chain_len++], last->der.data, last->der.len);
    }
    return 0;
}

static int present(struct work *w, struct err *e)
{
    const struct draft *d = w->draft;
    struct work_certificate *leaf = &w->certificates[DRAFT_LEAF];
    w->made->leaf = leaf->part;
    if (present_certificate(w, DRAFT_LEAF, &w->made->leaf_der, e) != 0 ||
        (!d->send_leaf_only && present_chain(w, e) != 0)) {
        return -1;
    }
    if (!d->wrong_key) {
        w->made->key = leaf->key; // which is handed over
        mbedtls_pk_init(&leaf->key);
        return 0;
    }
    struct rng rng;
    if (start_rng(d, "other key", &rng, e) != 0) {
        return -1;
    }
    int rc = key_generate(d->certificates[DRAFT_LEAF].key, &rng, &w->made->key, e);
    rng_clear(&rng);
    return rc;
}

static int make(struct work *w, struct err *e)
{
    for (int i = DRAFT_LEAF; i >= 0; i = w->draft->certificates[i].signer) {
        w->certificates[i].used = true;
    }
    for (int i = DRAFT_COUNT - 1; i >= 0; i--) { // issuers first
        if (w->certificates[i].used && make_certificate(w, i, e) != 0) {
            return err_context(e, "%s certificate", w->draft->certificates[i].part);
        }
    }
    return present(w, e);
}

int flaw_make(const struct flaw_setting *setting, enum flaw flaw, enum flaw_side side, bool control,
              struct flaw_made *made, struct err *e)
{
    struct draft draft;
    struct work work = {.draft = &draft, .made = made};
    int rc = 0;
    *made = (struct flaw_made){.leaf = -1};
    mbedtls_pk_init(&made->key);
    if ((side != FLAW_CLIENT && side != FLAW_SERVER) || (infos[flaw].sides & side) == 0) {
        return err_set(e, "flaw %s is not one of a %s", infos[flaw].token, flaw_side_word(side));
    }
    for (int i = 0; i < DRAFT_COUNT; i++) {
        mbedtls_pk_init(&work.certificates[i].key);
    }
    flaw_draft(setting, flaw, side, control, &draft);
    if (!draft.absent) {
        rc = make(&work, e);
    }
    if (rc != 0) {
        err_context(e, "making %s %s of a %s", control ? "the control of flaw" : "flaw", infos[flaw].token,
                    flaw_side_word(side));
        flaw_made_clear(made);
    }
    for (int i = 0; i < DRAFT_COUNT; i++) {
        mbedtls_pk_free(&work.certificates[i].key);
    }
    flaw_draft_clear(&draft);
    return rc;
}

void flaw_made_clear(struct flaw_made *made)
{
    for (size_t i = 0; i < made->count; i++) {
        buf_clear(&made->parts[i].der);
        buf_clear(&made->parts[i].crl);
    }
    for (size_t i = 0; i < made->chain_len; i++) {
        buf_clear(&made->chain[i]);
    }
    buf_clear(&made->leaf_der);
    mbedtls_pk_free(&made->key);
    *made = (struct flaw_made){.leaf = -1};
    mbedtls_pk_init(&made->key);
}
