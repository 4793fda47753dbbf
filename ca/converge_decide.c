// SPDX-License-Identifier: Apache-2.0
// The first pass of pki_apply: which entry needs a new certificate, and why. Authorities are settled on the way,
// because what they issue depends on who they are.
#include "base/text.h"
#include "ca/converge.h"

#include <stdlib.h>
#include <string.h>

// Encrypted as the plan wants it, whatever it was.
static int wrap_key(struct convergence *c, struct step *s, const mbedtls_pk_context *key, struct err *e)
{
    const char *passphrase = NULL;
    if (key_is_encrypted(buf_span(&s->key_pem)) == s->entry->encrypt_key) {
        return 0;
    }
    if (s->entry->encrypt_key && pki_passphrase(c->pki, true, &passphrase, e) != 0) {
        return -1;
    }
    buf_clear(&s->key_pem);
    return s->entry->encrypt_key ? key_write_encrypted_pem(key, passphrase, &c->pki->rng, &s->key_pem, e)
                                 : key_write_pem(key, &s->key_pem, e);
}

// A key file that was changed, or (`same`) whose entry was: what is it? Text: why it calls for a new certificate; NULL:
// it does not, or there is an error.
static const char *judge_changed_key(struct convergence *c, struct step *s, const char *path, bool same, struct err *e)
{
    bool encrypted = key_is_encrypted(buf_span(&s->key_pem));
    const char *passphrase = NULL;
    const char *why = NULL;
    struct err unreadable = ERR_INIT;
    struct buf id = {0};
    uint8_t made[KEY_ID_SIZE];
    enum key_type type;
    mbedtls_pk_context key;
    mbedtls_pk_init(&key);
    if (encrypted && c->options->check) { // nobody is asked for a passphrase only to see how things are
        s->keep_key = true;
        s->same_key = same;
        why = same ? NULL : "its key was replaced";
        goto out;
    }
    if (encrypted && pki_passphrase(c->pki, false, &passphrase, e) != 0) {
        goto out;
    }
    if (key_read(buf_span(&s->key_pem), passphrase, &c->pki->rng, &key, &unreadable) != 0) {
        if (encrypted) { // it may be in best health: a wrong passphrase must not cost anybody their CA
            err_set(e, "%s: %s", path, unreadable.text);
        }
        why = "its key cannot be read";
    } else if (!key_type_of(&key, &type) || type != s->entry->key) {
        why = "its key is of another type";
    } else if (key_id(&key, made, e) == 0 && wrap_key(c, s, &key, e) == 0) {
        s->keep_key = true;
        s->same_key = text_unhex(s->before.key_id, &id) && id.len == sizeof made && memcmp(id.data, made, id.len) == 0;
        why = s->same_key ? NULL : "its key was replaced";
    }
out:
    mbedtls_pk_free(&key);
    buf_clear(&id);
    return why;
}

// What the key file holds, against what the database saw in it: may it go on being used?
static const char *judge_key(struct convergence *c, struct step *s, bool edited, struct err *e)
{
    char digest[65];
    char *dir = entry_directory(c->pki, s->entry->role, s->entry->name);
    char *path = mem_printf("%s/key.pem", dir);
    struct err ignored = ERR_INIT;
    const char *why = NULL;
    if (file_read(path, FILE_LIMIT, &s->key_pem, &ignored) != 0) {
        why = "its key is missing";
        goto out;
    }
    file_digest(buf_span(&s->key_pem), digest);
    bool same = strcmp(digest, s->before.key_file_digest) == 0;
    if (same && !edited) {
        s->keep_key = s->same_key = true; // not even parsed
    } else {
        why = judge_changed_key(c, s, path, same, e);
        s->new_digest = !same && s->same_key;
    }
out:
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

// Is it time, and would another one last longer? (Nothing outlives its issuer.)
static bool is_near_end(const struct convergence *c, const struct step *s)
{
    const struct certificate_content *content = &s->entry->content;
    int64_t life = s->before.not_after - s->before.not_before;
    int64_t end = content->not_after;
    int64_t before = s->entry->renew_before;
    if (s->issuer != NULL && s->issuer->cert.not_after < end) {
        end = s->issuer->cert.not_after;
    }
    if (life < content->not_after - content->not_before && before > life / 3) {
        before = life / 3; // somebody gave it a shorter life than the plan does
    }
    return s->entry->relative_dates && c->pki->now >= s->before.not_after - before && end > s->before.not_after;
}

static void decide_known(struct convergence *c, struct step *s, struct err *e)
{
    const struct plan_entry *entry = s->entry;
    const struct record *r = &s->before;
    bool edited = strcmp(r->spec, entry->spec) != 0;
    const char *key_why = judge_key(c, s, edited, e);
    bool revoked_by_plan = r->revoked_at != 0 && r->revoked_by == ORIGIN_PLAN;
    if (edited) {
        issue_because(s, "changed in the plan");
    } else if (key_why != NULL) {
        issue_because(s, key_why);
    } else if (r->revoked_at != 0 && !revoked_by_plan) {
        s->action = PKI_BY_HAND; // whatever becomes of the CAs above it: nobody asked for it to be good again
        s->why = entry->role == ROLE_AUTHORITY ? "revoked by hand; remove its key.pem to have another CA in its place"
                                               : "revoked by hand; mtls ca renew --rekey gives it a new certificate";
    } else if (r->issuer_id != (s->issuer == NULL ? 0 : s->issuer->ca_id)) {
        issue_because(s, "its issuer is another CA now");
    } else if (s->above != NULL && s->above->rekeyed) {
        issue_because(s, "a CA above it has a new key");
    } else if (revoked_by_plan && !entry->revoked) {
        issue_because(s, "the plan does not revoke it any more");
    } else if (is_near_end(c, s)) {
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
    s->above = converge_authority(c, entry->issuer);
    s->issuer = s->above == NULL ? NULL : s->above->authority;
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

static int same_subject(const struct step *s, bool *same, struct err *e)
{
    struct certificate_parts parts;
    struct buf planned = {0};
    int rc = certificate_split(buf_span(&s->before.der), &parts, e);
    if (rc == 0) {
        rc = name_from_text(s->entry->content.subject, &planned, e);
    }
    *same = rc == 0 && planned.len == parts.subject.len && memcmp(planned.data, parts.subject.data, planned.len) == 0;
    buf_clear(&planned);
    return rc;
}

// The CA as it is. With --check, one that a run would make again gets the facts that it would have then, as far as
// what is below it depends on them.
static int load_authority(struct convergence *c, struct step *s, struct err *e)
{
    bool same = true;
    if (s->before.id == 0) {
        return 0; // a check of a PKI that is not there yet
    }
    if (authority_load(c->pki, s->entry->name, &s->authority, e) != 1) {
        return -1;
    }
    if (!s->issue) {
        return 0;
    }
    if (same_subject(s, &same, e) != 0) {
        return -1;
    }
    s->authority->cert.not_after = s->entry->content.not_after;
    s->authority->ca_id = same && s->keep_key && s->same_key ? s->authority->ca_id : 0;
    return 0;
}

static int make_authority(struct convergence *c, struct step *s, struct err *e)
{
    const char *passphrase = NULL;
    if (s->entry->encrypt_key && pki_passphrase(c->pki, s->key_pem.len == 0, &passphrase, e) != 0) {
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

// Authorities are made one after the other, because what is below needs what is above.
static int settle_authority(struct convergence *c, struct step *s, struct err *e)
{
    if (s->entry->role != ROLE_AUTHORITY) {
        return 0;
    }
    if (s->issue && !c->options->check ? make_authority(c, s, e) != 0 : load_authority(c, s, e) != 0) {
        return -1;
    }
    s->rekeyed = s->authority == NULL || s->authority->ca_id == 0 || (s->above != NULL && s->above->rekeyed);
    return 0;
}

int converge_decide(struct convergence *c, struct err *e)
{
    for (size_t i = 0; i < c->count; i++) {
        struct step *s = &c->steps[i];
        if (decide(c, s, e) != 0 || settle_authority(c, s, e) != 0) {
            return -1;
        }
    }
    return converge_flaws_decide(c, e);
}
