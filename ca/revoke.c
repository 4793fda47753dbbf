// SPDX-License-Identifier: Apache-2.0
// Revocation, and fresh lists. The revocation and the list that says so are one transaction.
#include "base/clock.h"
#include "base/pem.h"
#include "base/text.h"
#include "ca/daily.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

void ca_revocation_clear(struct ca_revocation *r)
{
    free(r->name);
    free(r->subject);
    free(r->serial);
    free(r->issuer);
    *r = (struct ca_revocation){0};
}

static int first_certificate(void *arg, const char *label, struct span der, struct err *e)
{
    struct buf *found = arg;
    (void)e;
    if (found->len == 0 && strcmp(label, "CERTIFICATE") == 0) {
        buf_add(found, der.data, der.len);
    }
    return 0;
}

static int find_by_file(struct pki *pki, const char *path, struct record *r, struct err *e)
{
    struct buf text = {0};
    struct buf der = {0};
    char fingerprint[65];
    int rc = file_read(path, FILE_LIMIT, &text, e);
    if (rc == 0) {
        rc = pem_read(buf_span(&text), first_certificate, &der, e);
    }
    if (rc == 0) {
        file_digest(buf_span(der.len > 0 ? &der : &text), fingerprint);
        int found = db_find_fingerprint(pki->db, fingerprint, r, e);
        rc = found == 1 ? 0 : found == 0 ? err_set(e, "%s holds no certificate that %s issued", path, pki->dir) : -1;
    }
    buf_clear(&text);
    buf_clear(&der);
    return rc;
}

static int find_by_serial(struct pki *pki, const char *hex, struct record *r, struct err *e)
{
    struct buf serial = {0};
    int found = text_unhex(hex, &serial) && serial.len > 0 ? db_find_serial(pki->db, buf_span(&serial), r, e) : 0;
    buf_clear(&serial);
    return found;
}

static bool is_file(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

// A path if it looks like one and is there, then a name, then a serial number, then a file of any name.
static int find(struct pki *pki, const struct ca_revoke_options *o, struct record *r, bool *by_name, struct err *e)
{
    struct err not_a_name = ERR_INIT;
    bool exists = is_file(o->what);
    *by_name = false;
    if (exists && strchr(o->what, '/') != NULL) {
        return find_by_file(pki, o->what, r, e);
    }
    *by_name = record_choose(pki, o->what, o->role, r, &not_a_name) == 0;
    if (*by_name) {
        return 0;
    }
    int found = not_a_name.kind == ERR_USAGE ? 0 : find_by_serial(pki, o->what, r, e);
    if (found != 0) {
        return found == 1 ? 0 : -1;
    }
    if (exists && not_a_name.kind != ERR_USAGE) {
        return find_by_file(pki, o->what, r, e);
    }
    *e = not_a_name;
    return -1;
}

struct revoking {
    struct pki *pki;
    const struct record *chosen;
    int64_t *ids;
    size_t count;
    size_t cap;
};

static void add_id(struct revoking *v, int64_t id)
{
    v->ids = mem_grow(v->ids, &v->cap, sizeof *v->ids, v->count + 1);
    v->ids[v->count++] = id;
}

// By name, everything is meant that the name still has: certificates that were renewed are valid until they end.
static int collect(void *arg, const struct record *r, struct err *e)
{
    struct revoking *v = arg;
    (void)e;
    if (r->revoked_at == 0 && r->issuer_id == v->chosen->issuer_id) {
        add_id(v, r->id);
    }
    return 0;
}

static int collect_all(struct revoking *v, bool by_name, struct err *e)
{
    struct db_filter filter = {
        .unexpired_only = true, .at = v->pki->now, .role = (int)v->chosen->role, .name = v->chosen->name};
    if (by_name && db_list(v->pki->db, &filter, collect, v, e) != 0) {
        return -1;
    }
    if (v->count == 0) { // by serial or file, or revoked already, or ended already
        add_id(v, v->chosen->id);
    }
    return 0;
}

static int load_issuer(struct pki *pki, const struct record *chosen, struct authority **issuer, struct err *e)
{
    struct record first = {0};
    int64_t ca_id = chosen->issuer_id;
    if (chosen->role == ROLE_FLAW) {
        return err_set(e, "%s is a flaw, wrong in one way as it is; mtls pki keeps those", chosen->name);
    }
    int found = ca_id == 0 ? 0 : db_find_id(pki->db, ca_id, &first, e);
    int rc = found == 1 && first.role == ROLE_AUTHORITY ? issuer_choose(pki, first.name, issuer, e)
             : found < 0                                ? -1
                         : err_set(e, "it is self-signed: nobody can revoke it; stop trusting it instead");
    if (rc == 0 && *issuer != NULL && (*issuer)->ca_id != ca_id) {
        rc = err_set(e, "the CA that issued it has another key now and cannot list it any more");
    }
    record_clear(&first);
    return rc;
}

static int64_t list_lifetime(struct pki *pki, int64_t ca_id)
{
    struct crl_record last = {0};
    struct err ignored = ERR_INIT;
    int64_t lifetime = db_crl_find(pki->db, ca_id, &last, &ignored) == 1 ? last.next_update - last.this_update : 0;
    buf_clear(&last.der);
    return lifetime > 0 ? lifetime : CRL_LIFETIME;
}

// Ends the transaction and puts the lists in place. Even when nothing was revoked: the files may have been lost.
static int commit_lists(struct pki *pki, bool revoked, struct err *e)
{
    struct file_batch batch = {0};
    size_t changed = 0;
    int rc = file_batch_begin(&batch, pki->dir, e);
    if (rc == 0) {
        batch.keep = true; // from here on, .staging says that the files may be behind: see mend.c
        rc = db_commit(pki->db, e);
    }
    if (rc == 0) {
        rc = lists_put(pki, &batch, &changed, e);
    }
    if (rc == 0 && revoked) {
        rc = manifest_refresh(pki, &batch, e);
    }
    if (rc == 0) {
        rc = file_batch_commit(&batch, e);
    }
    file_batch_clear(&batch);
    return rc;
}

static int revoke_and_list(struct revoking *v, struct authority *issuer, enum revocation_reason reason,
                           int64_t invalidity_date, struct ca_revocation *r, struct crl_record *crl, struct err *e)
{
    struct pki *pki = v->pki;
    int rc = db_begin(pki->db, e);
    r->already = true;
    for (size_t i = 0; rc == 0 && i < v->count; i++) {
        int done = db_revoke(pki->db, v->ids[i], reason, pki->now, invalidity_date, ORIGIN_COMMAND, e);
        r->already = r->already && done == 1;
        r->certificates += done == 0;
        rc = done < 0 ? -1 : 0;
    }
    if (rc == 0 && !r->already) {
        rc = crl_issue(pki, issuer, list_lifetime(pki, issuer->ca_id), crl, e);
    }
    if (rc == 0) {
        rc = commit_lists(pki, !r->already, e);
    }
    db_rollback(pki->db);
    return rc;
}

static void describe(const struct record *chosen, const struct authority *issuer, const struct crl_record *crl,
                     struct ca_revocation *r)
{
    struct buf serial = {0};
    text_hex(&serial, chosen->serial.data, chosen->serial.len, '\0');
    r->name = mem_strdup(chosen->name);
    r->subject = mem_strdup(chosen->subject);
    r->serial = mem_strdup((char *)serial.data);
    r->issuer = mem_strdup(issuer->name);
    r->crl_number = crl->number;
    r->next_update = crl->next_update;
    buf_clear(&serial);
}

int ca_revoke(struct pki *pki, const struct ca_revoke_options *o, struct ca_revocation *r, struct err *e)
{
    struct record chosen = {0};
    struct revoking v = {.pki = pki, .chosen = &chosen};
    struct authority *issuer = NULL;
    struct crl_record crl = {0};
    enum revocation_reason reason = REVOCATION_unspecified;
    int64_t invalidity_date = CRL_NO_INVALIDITY_DATE;
    bool by_name = false;
    int rc = -1;
    if (o->reason != NULL && revocation_reason_parse(o->reason, &reason, e) != 0) {
        e->kind = ERR_USAGE;
        return err_context(e, "--reason");
    }
    if (o->invalidity_date != NULL && clock_parse(o->invalidity_date, pki->now, &invalidity_date, e) != 0) {
        e->kind = ERR_USAGE;
        return err_context(e, "--invalidity-date");
    }
    if (pki_lock(pki, e) != 0) {
        return -1;
    }
    if (find(pki, o, &chosen, &by_name, e) != 0 || load_issuer(pki, &chosen, &issuer, e) != 0 || issuer == NULL ||
        authority_key(pki, issuer, e) != 0 || collect_all(&v, by_name, e) != 0 ||
        revoke_and_list(&v, issuer, reason, invalidity_date, r, &crl, e) != 0) {
        goto out;
    }
    rc = 0;
    describe(&chosen, issuer, &crl, r);
out:
    pki_unlock(pki);
    free(v.ids);
    buf_clear(&crl.der);
    authority_free(issuer);
    record_clear(&chosen);
    return rc;
}

// ---- lists

struct crl_run {
    struct pki *pki;
    char **names;
    size_t count;
    size_t cap;
};

static int collect_name(void *arg, const struct record *r, struct err *e)
{
    struct crl_run *run = arg;
    (void)e;
    run->names = mem_grow(run->names, &run->cap, sizeof *run->names, run->count + 1);
    run->names[run->count++] = mem_strdup(r->name);
    return 0;
}

static json_t *list_json(const char *issuer, const struct crl_record *crl, size_t entries)
{
    char from[CLOCK_TEXT];
    char until[CLOCK_TEXT];
    return json_pack("{s:s, s:I, s:s, s:s, s:I}", "issuer", issuer, "number", (json_int_t)crl->number, "this_update",
                     clock_rfc3339(crl->this_update, from), "next_update", clock_rfc3339(crl->next_update, until),
                     "revoked", (json_int_t)entries);
}

static int list_one(struct pki *pki, const char *name, int64_t lifetime, json_t *lists, struct err *e)
{
    struct authority *a = NULL;
    struct crl_record crl = {0};
    struct crl_entry *entries = NULL;
    struct buf serials = {0};
    size_t count = 0;
    int rc = issuer_choose(pki, name, &a, e);
    if (rc == 0) {
        rc = db_revoked(pki->db, a->ca_id, pki->now, &entries, &count, &serials, e);
    }
    if (rc == 0) {
        rc = crl_issue(pki, a, lifetime > 0 ? lifetime : list_lifetime(pki, a->ca_id), &crl, e);
    }
    if (rc == 0) {
        json_array_append_new(lists, list_json(name, &crl, count));
    }
    free(entries);
    buf_clear(&serials);
    buf_clear(&crl.der);
    authority_free(a);
    return rc;
}

int ca_crl(struct pki *pki, const char *authority, int64_t lifetime, json_t **lists, struct err *e)
{
    struct crl_run run = {.pki = pki};
    struct db_filter filter = {.current_only = true, .role = ROLE_AUTHORITY, .name = authority};
    int rc = -1;
    *lists = json_array();
    if (pki_lock(pki, e) != 0) {
        return -1;
    }
    if (db_begin(pki->db, e) != 0 || db_list(pki->db, &filter, collect_name, &run, e) != 0) {
        goto out;
    }
    if (run.count == 0) {
        err_set(e, "there is no authority%s%s in %s", authority != NULL ? " " : "", authority != NULL ? authority : "",
                pki->dir);
        goto out;
    }
    for (size_t i = 0; i < run.count; i++) {
        if (list_one(pki, run.names[i], lifetime, *lists, e) != 0) {
            goto out;
        }
    }
    rc = commit_lists(pki, false, e);
out:
    db_rollback(pki->db);
    pki_unlock(pki);
    for (size_t i = 0; i < run.count; i++) {
        free(run.names[i]);
    }
    free(run.names);
    return rc;
}
