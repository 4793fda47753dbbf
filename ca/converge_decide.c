// SPDX-License-Identifier: Apache-2.0
// The first pass of pki_apply: which entry needs a new certificate, and why. Authorities are settled on the way,
// because what they issue depends on who they are.
#include "ca/converge.h"

#include <stdlib.h>
#include <string.h>

// What the key file holds, against what the database saw in it: may it go on being used?
static const char *judge_key(struct convergence *c, struct step *s, struct err *e)
{
    char digest[65];
    char *dir = entry_directory(c->pki, s->entry->role, s->entry->name);
    char *path = mem_printf("%s/key.pem", dir);
    struct err ignored = ERR_INIT;
    const char *why = NULL;
    const char *passphrase = NULL;
    mbedtls_pk_context key;
    enum key_type type;
    mbedtls_pk_init(&key);
    if (file_read(path, FILE_LIMIT, &s->key_pem, &ignored) != 0) {
        why = "its key is missing";
        goto out;
    }
    file_digest(buf_span(&s->key_pem), digest);
    bool same = strcmp(digest, s->before.key_file_digest) == 0;
    if (same && strcmp(s->before.spec, s->entry->spec) == 0) {
        s->keep_key = true; // not even parsed
        goto out;
    }
    if (key_is_encrypted(buf_span(&s->key_pem)) && pki_passphrase(c->pki, false, &passphrase, e) != 0) {
        goto out;
    }
    if (key_read(buf_span(&s->key_pem), passphrase, &c->pki->rng, &key, &ignored) != 0) {
        why = "its key cannot be read";
    } else if (!key_type_of(&key, &type) || type != s->entry->key) {
        why = "its key is of another type";
    } else {
        s->keep_key = true;
        why = same ? NULL : "its key was replaced";
    }
out:
    mbedtls_pk_free(&key);
    free(path);
    free(dir);
    return why;
}

static void issue_because(struct step *s, const char *why)
{
    s->issue = true;
    s->why = why;
    s->action = s->before.id == 0 ? PKI_MADE : PKI_REISSUED;
}

static void decide_known(struct convergence *c, struct step *s, struct err *e)
{
    const struct plan_entry *entry = s->entry;
    const struct record *r = &s->before;
    const char *key_why = judge_key(c, s, e);
    bool revoked_by_plan = r->revoked_at != 0 && r->revoked_by == ORIGIN_PLAN;
    if (key_why != NULL) {
        issue_because(s, key_why);
    } else if (strcmp(r->spec, entry->spec) != 0) {
        issue_because(s, "changed in the plan");
    } else if (r->issuer_id != (s->issuer == NULL ? 0 : s->issuer->ca_id)) {
        issue_because(s, "its issuer has a new key");
    } else if (revoked_by_plan && !entry->revoked) {
        issue_because(s, "the plan does not revoke it any more");
    } else if (r->revoked_at != 0 && !revoked_by_plan) {
        s->action = PKI_BY_HAND;
        s->why = "revoked by hand; mtls ca renew gives it a new certificate";
    } else if (entry->relative_dates && c->pki->now >= r->not_after - entry->renew_before) {
        issue_because(s, "near its end");
    }
    if (s->issue && r->revoked_at != 0 && !entry->revoked) {
        s->keep_key = false; // nobody trusts the key of a revoked certificate
    }
}

static int count_one(void *arg, const struct record *r, struct err *e)
{
    (void)r;
    (void)e;
    ++*(size_t *)arg;
    return 0;
}

static int decide(struct convergence *c, struct step *s, struct err *e)
{
    const struct plan_entry *entry = s->entry;
    s->issuer = converge_authority(c, entry->issuer);
    int found = db_find_current(c->pki->db, entry->role, entry->name, &s->before, e);
    if (found < 0) {
        return -1;
    }
    if (found == 0) {
        issue_because(s, "new");
    } else {
        decide_known(c, s, e);
    }
    if (err_is_set(e)) {
        return -1;
    }
    if (s->issue && c->pki->seed != NULL) {
        struct db_filter all = {.role = (int)entry->role, .name = entry->name};
        return db_list(c->pki->db, &all, count_one, &s->issues, e);
    }
    return 0;
}

// Authorities are made one after the other, because what is below needs what is above.
static int settle_authority(struct convergence *c, struct step *s, struct err *e)
{
    const char *passphrase = NULL;
    if (!s->issue || c->options->check) {
        if (s->before.id == 0) {
            return 0; // a check of a PKI that is not there yet
        }
        int found = authority_load(c->pki, s->entry->name, &s->authority, e);
        bool same_identity = s->keep_key && strcmp(s->before.subject, s->entry->content.subject) == 0;
        if (found == 1 && s->issue && !same_identity) {
            s->authority->ca_id = 0; // so that a check reports what is below it too
        }
        return found == 1 ? 0 : -1;
    }
    if (s->entry->encrypt_key && pki_passphrase(c->pki, true, &passphrase, e) != 0) {
        return -1;
    }
    if (s->issuer != NULL && authority_key(c->pki, s->issuer, e) != 0) {
        return -1;
    }
    if (converge_make(c, s, e) != 0) {
        return -1;
    }
    return authority_from(c->pki, &s->made.record, s->issuer, &s->made.key, &s->authority, e);
}

int converge_decide(struct convergence *c, struct err *e)
{
    for (size_t i = 0; i < c->count; i++) {
        struct step *s = &c->steps[i];
        if (decide(c, s, e) != 0 || (s->entry->role == ROLE_AUTHORITY && settle_authority(c, s, e) != 0)) {
            return -1;
        }
    }
    return converge_flaws_decide(c, e);
}
