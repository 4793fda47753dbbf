// SPDX-License-Identifier: Apache-2.0
// A line that describes a revocation list: made by ca/crl.c, and changed where it is of a kind that ours are not.
#include "base/clock.h"
#include "base/der.h"
#include "ca/crl.h"
#include "paths.h"

#include <stdlib.h>

enum {
    TAG_EXTENSIONS = MBEDTLS_ASN1_CONTEXT_SPECIFIC | MBEDTLS_ASN1_CONSTRUCTED | 0,
    ENTRIES_MOST = 16,
    CHANGES_MOST = 8,
};

struct recipe {
    struct world *w;
    char *issuer_subject; // RFC 4514, owned
    struct path_key *signer;
    struct crl_content content;
    struct crl_entry entries[ENTRIES_MOST];
    const char *raw_entries; // DER text of what is in revokedCertificates
    bool no_next_update;
    struct change {
        char what;
        const char *text;
    } changes[CHANGES_MOST];
    size_t change_count;
    const char *damage;
};

// "leaf" or "leaf/keyCompromise"
static int add_entry(void *arg, const char *word, struct err *e)
{
    struct recipe *r = arg;
    const char *slash = strchr(word, '/');
    struct crl_entry *entry = &r->entries[r->content.count];
    char *name = mem_strndup(word, slash == NULL ? strlen(word) : (size_t)(slash - word));
    struct made *about = world_find(r->w, name, e);
    free(name);
    if (about == NULL || r->content.count == ENTRIES_MOST) {
        return err_set(e, "more than %d entries", ENTRIES_MOST);
    }
    *entry = (struct crl_entry){.serial = buf_span(&about->serial),
                                .revoked_at = paths_now - CLOCK_DAY,
                                .invalidity_date = CRL_NO_INVALIDITY_DATE};
    r->content.count++;
    return slash == NULL ? 0 : revocation_reason_parse(slash + 1, &entry->reason, e);
}

static int set_change(struct recipe *r, const struct attribute *a, struct err *e)
{
    if (r->change_count == CHANGES_MOST) {
        return err_set(e, "more than %d changes", CHANGES_MOST);
    }
    r->changes[r->change_count++] = (struct change){a->key[0], a->value};
    return 0;
}

static int set(struct recipe *r, const struct attribute *a, struct err *e)
{
    const char *value = a->value;
    if (strcmp(a->key, "issuer") == 0) {
        return world_issuer(r->w, value, &r->issuer_subject, &r->signer, e);
    }
    if (strcmp(a->key, "signer") == 0) {
        return (r->signer = world_key(r->w, value, e)) == NULL ? -1 : 0;
    }
    if (strcmp(a->key, "this") == 0) {
        return clock_parse(value, paths_now, &r->content.this_update, e);
    }
    if (strcmp(a->key, "next") == 0) {
        r->no_next_update = strcmp(value, "none") == 0;
        return r->no_next_update ? 0 : clock_parse(value, paths_now, &r->content.next_update, e);
    }
    if (strcmp(a->key, "number") == 0) {
        r->content.number = strtol(value, NULL, 10);
        return 0;
    }
    if (strcmp(a->key, "revoked") == 0) {
        return each_word(value, add_entry, r, e);
    }
    if (strcmp(a->key, "entries") == 0) {
        r->raw_entries = value;
        return 0;
    }
    if (strcmp(a->key, "damage") == 0) {
        r->damage = value;
        return 0;
    }
    if (strcmp(a->key, "put") == 0 || strcmp(a->key, "add") == 0 || strcmp(a->key, "drop") == 0) {
        return set_change(r, a, e);
    }
    return err_set(e, "unknown attribute %s", a->key);
}

static int change_extensions(const struct recipe *r, struct span field, struct buf *out, struct err *e)
{
    struct edits x = {.count = 0};
    struct buf list = {0};
    struct der_item sequence;
    int rc =
        der_expect(&field, TAG_SEQUENCE, "extensions", &sequence, e) != 0 ? -1 : edits_open(&x, sequence.content, e);
    for (size_t i = 0; rc == 0 && i < r->change_count; i++) {
        const struct change *c = &r->changes[i];
        rc = c->what == 'p'   ? edits_put(&x, c->text, e)
             : c->what == 'a' ? edits_add(&x, c->text, e)
                              : edits_drop(&x, c->text, e);
    }
    edits_close(&x, &list);
    if (list.len > 0) {
        der_enclose(&list, TAG_SEQUENCE);
        der_wrap(out, TAG_EXTENSIONS, buf_span(&list));
    }
    buf_clear(&list);
    return rc;
}

// TBSCertList ::= SEQUENCE { version, signature, issuer, thisUpdate, nextUpdate, [revokedCertificates], [0] extensions
// }
static int change_fields(const struct recipe *r, struct span fields, struct buf *tbs, struct err *e)
{
    enum { NEXT_UPDATE = 4, EXTENSIONS_OR_ENTRIES = 5 };
    struct der_item item;
    int rc = 0;
    for (size_t i = 0; rc == 0 && fields.len > 0; i++) {
        if (der_next(&fields, &item, e) != 0) {
            return -1;
        }
        if (i == EXTENSIONS_OR_ENTRIES && r->raw_entries != NULL) {
            struct buf entries = {0};
            rc = der_text(r->raw_entries, &entries, e);
            der_wrap(tbs, TAG_SEQUENCE, buf_span(&entries));
            buf_clear(&entries);
        }
        bool is_extensions = i >= EXTENSIONS_OR_ENTRIES && item.tag == TAG_EXTENSIONS;
        if (rc == 0 && is_extensions) {
            rc = change_extensions(r, item.content, tbs, e);
        } else if (i != NEXT_UPDATE || !r->no_next_update) {
            buf_add(tbs, item.whole.data, item.whole.len);
        }
    }
    der_enclose(tbs, TAG_SEQUENCE);
    return rc;
}

static int change(const struct recipe *r, struct buf *der, struct err *e)
{
    struct span rest = buf_span(der);
    struct der_item list;
    struct der_item old;
    struct buf tbs = {0};
    int rc = der_expect(&rest, TAG_SEQUENCE, "list", &list, e) != 0 ||
                     der_expect(&list.content, TAG_SEQUENCE, "tbsCertList", &old, e) != 0
                 ? -1
                 : change_fields(r, old.content, &tbs, e);
    if (rc == 0) {
        buf_clear(der);
        rc = signed_make(buf_span(&tbs), &r->signer->pk, key_digest(&r->signer->pk), &r->w->rng, der, e);
    }
    buf_clear(&tbs);
    return rc;
}

static int make(struct recipe *r, struct buf *der, struct err *e)
{
    struct buf issuer_name = {0};
    int rc = name_from_text(r->issuer_subject, &issuer_name, e);
    struct certificate_issuer issuer = {.subject = buf_span(&issuer_name), .key = &r->signer->pk};
    memcpy(issuer.key_id, r->signer->id, KEY_ID_SIZE);
    r->content.entries = r->entries;
    if (rc == 0) {
        rc = crl_make(&r->content, &issuer, &r->w->rng, der, e);
    }
    if (rc == 0 && (r->change_count > 0 || r->raw_entries != NULL || r->no_next_update)) {
        rc = change(r, der, e);
    }
    if (rc == 0 && r->damage != NULL) {
        der->data[der->len - 1] ^= 1;
    }
    buf_clear(&issuer_name);
    return rc;
}

int list_line(struct world *w, const struct line *line, struct err *e)
{
    struct recipe r = {
        .w = w,
        .content = {.this_update = paths_now - CLOCK_DAY, .next_update = paths_now + 7 * CLOCK_DAY, .number = 1}};
    struct attribute a;
    struct buf der = {0};
    size_t at = 2;
    int rc = line->count < 2 ? err_set(e, "what is its name?") : world_issuer(w, "ca", &r.issuer_subject, &r.signer, e);
    while (rc == 0 && line_attribute(line, &at, &a)) {
        rc = set(&r, &a, e) == 0 ? 0 : err_context(e, "%s", a.key);
    }
    if (rc == 0) {
        rc = make(&r, &der, e);
    }
    if (rc == 0) {
        struct made *made = world_add(w, line->words[1], true);
        buf_add(&made->der, der.data, der.len);
    }
    free(r.issuer_subject);
    buf_clear(&der);
    return rc;
}
