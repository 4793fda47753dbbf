// SPDX-License-Identifier: Apache-2.0
// init, issue, sign, renew: certificates one at a time.
#include "ca/daily.h"

#include "base/clock.h"
#include "base/name_text.h"
#include "base/pem.h"
#include "base/text.h"
#include "ca/csr.h"

#include <mbedtls/oid.h>
#include <stdlib.h>
#include <string.h>

void ca_result_clear(struct ca_result *r)
{
    free(r->directory);
    free(r->subject);
    free(r->serial);
    free(r->issuer);
    free(r->unused);
    buf_clear(&r->cert);
    buf_clear(&r->chain);
    *r = (struct ca_result){0};
}

void result_fill(struct pki *pki, const struct record *r, const struct authority *issuer, struct ca_result *out)
{
    struct buf serial = {0};
    text_hex(&serial, r->serial.data, r->serial.len, '\0');
    out->directory = entry_directory(pki, r->role, r->name);
    out->subject = mem_strdup(r->subject);
    out->serial = mem_strdup((char *)serial.data);
    out->issuer = mem_strdup(issuer == NULL ? r->name : issuer->name);
    out->not_after = r->not_after;
    pem_write(&out->cert, "CERTIFICATE", buf_span(&r->der));
    if (issuer != NULL) {
        buf_add(&out->chain, issuer->chain.data, issuer->chain.len);
    }
    buf_clear(&serial);
}

static int refuse_existing(struct pki *pki, const struct record *r, struct err *e)
{
    struct record current = {0};
    char when[CLOCK_TEXT];
    int found = db_find_current(pki->db, r->role, r->name, &current, e);
    if (found == 1 && current.key_file_digest[0] == '\0') {
        err_set(e, "%s %s exists already (valid until %s); mtls ca sign --replace takes a new request for it",
                role_name(r->role), r->name, clock_rfc3339(current.not_after, when));
    } else if (found == 1) {
        err_set(e, "%s %s exists already (valid until %s); mtls ca renew %s gives it a new certificate",
                role_name(r->role), r->name, clock_rfc3339(current.not_after, when), r->name);
    }
    record_clear(&current);
    return found == 0 ? 0 : -1;
}

// Whose private key is here cannot become somebody whose is not.
static int refuse_key_here(struct pki *pki, const struct record *r, struct err *e)
{
    struct record current = {0};
    int found = db_find_current(pki->db, r->role, r->name, &current, e);
    if (found == 1 && current.key_file_digest[0] != '\0') {
        err_set(e,
                "%s %s was not signed from a request: its private key is here; mtls ca renew %s --rekey gives it "
                "another",
                role_name(r->role), r->name, r->name);
    }
    record_clear(&current);
    return found < 0 || err_is_set(e) ? -1 : 0;
}

static int record_item(struct pki *pki, const struct publication *item, bool replace, struct err *e)
{
    struct record *r = &item->issued->record;
    struct crl_record crl = {0};
    r->issuer_id = item->issuer == NULL ? 0 : item->issuer->ca_id;
    if ((!replace && refuse_existing(pki, r, e) != 0) || db_add(pki->db, r, e) != 0) {
        return -1;
    }
    int rc = 0;
    if (item->self != NULL) {
        item->self->ca_id = r->id;
        rc = crl_issue(pki, item->self, CRL_LIFETIME, &crl, e);
    }
    buf_clear(&crl.der);
    return rc;
}

static int put_item(struct pki *pki, const struct publication *item, struct file_batch *batch, struct err *e)
{
    struct issued *issued = item->issued;
    struct entry_files files = {0};
    size_t changed = 0;
    char *dir = entry_directory(pki, issued->record.role, issued->record.name);
    entry_files_make(&files, buf_span(&issued->key_pem), buf_span(&issued->record.der),
                     item->issuer == NULL ? span_of(NULL, 0) : buf_span(&item->issuer->chain));
    int rc = entry_files_put(batch, dir, &files, true, &changed, e);
    entry_files_clear(&files);
    free(dir);
    return rc;
}

static int announce_item(struct pki *pki, const struct publication *item, struct file_batch *batch, struct err *e)
{
    struct issued *issued = item->issued;
    size_t changed = 0;
    char *dir = entry_directory(pki, issued->record.role, issued->record.name);
    int rc = entry_files_announce(batch, dir, buf_span(&issued->key_pem), &changed, e);
    free(dir);
    return rc;
}

// Before the transaction ends, what it will take to finish is in DIR/.staging: see mend.c.
static int record_all(struct pki *pki, const struct publication *items, size_t count, bool replace,
                      struct file_batch *batch, struct err *e)
{
    int rc = db_begin(pki->db, e);
    for (size_t i = 0; rc == 0 && i < count; i++) {
        rc = record_item(pki, &items[i], replace, e);
    }
    if (rc == 0) {
        rc = file_batch_begin(batch, pki->dir, e);
    }
    for (size_t i = 0; rc == 0 && i < count; i++) {
        rc = announce_item(pki, &items[i], batch, e);
        if (rc == 0 && replace && items[i].issued->record.role == ROLE_AUTHORITY) {
            rc = chains_announce(pki, batch, &items[i].issued->record, e);
        }
    }
    if (rc == 0) {
        rc = file_batch_sync(batch, e);
    }
    if (rc == 0) {
        batch->keep = true; // even if the commit fails: whether it did is for the database to say
        rc = db_commit(pki->db, e);
    }
    db_rollback(pki->db);
    return rc;
}

int publish(struct pki *pki, const struct publication *items, size_t count, bool replace, struct err *e)
{
    struct file_batch batch = {0};
    bool lists = false;
    size_t changed = 0;
    int rc = record_all(pki, items, count, replace, &batch, e);
    for (size_t i = 0; rc == 0 && i < count; i++) {
        lists = lists || items[i].issued->record.role == ROLE_AUTHORITY;
        rc = put_item(pki, &items[i], &batch, e);
        if (rc == 0 && replace && items[i].issued->record.role == ROLE_AUTHORITY) {
            rc = chains_refresh(pki, &batch, &items[i].issued->record, e);
        }
    }
    if (rc == 0 && lists) {
        rc = lists_put(pki, &batch, &changed, e);
    }
    if (rc == 0) {
        rc = manifest_refresh(pki, &batch, e);
    }
    if (rc == 0) {
        rc = file_batch_commit(&batch, e);
    }
    file_batch_clear(&batch);
    return rc;
}

// While the certificate was made, its CA may have been revoked or have got another key: then nobody would take it.
static int check_issuer(struct pki *pki, const struct authority *issuer, enum role role, struct err *e)
{
    struct authority *now = NULL;
    int rc = issuer_choose(pki, issuer->name, &now, e);
    if (rc == 0 && now->ca_id != issuer->ca_id) {
        rc = err_set(e, "authority %s got another key meanwhile; try again", issuer->name);
    }
    if (rc == 0) {
        rc = issuer_may_issue(pki, now, role, e);
    }
    authority_free(now);
    return rc;
}

static int publish_one(struct pki *pki, struct issued *issued, struct authority *issuer, bool replace,
                       struct ca_result *result, struct err *e)
{
    struct publication item = {.issued = issued, .issuer = issuer};
    if (issued->record.role == ROLE_AUTHORITY &&
        authority_from(pki, &issued->record, issuer, &issued->key, &item.self, e) != 0) {
        return -1;
    }
    int rc = pki_lock(pki, e);
    if (rc == 0) {
        rc = check_issuer(pki, issuer, issued->record.role, e);
        if (rc == 0 && replace) {
            rc = refuse_key_here(pki, &issued->record, e);
        }
        if (rc == 0) {
            rc = publish(pki, &item, 1, replace, e);
        }
        pki_unlock(pki);
    }
    if (rc == 0) {
        result_fill(pki, &issued->record, issuer, result);
    }
    authority_free(item.self);
    return rc;
}

// Makes what the options say, in memory.
static int make(struct pki *pki, const struct ca_issue_options *o, struct authority *issuer, struct issued *issued,
                struct err *e)
{
    struct plan_entry entry;
    struct issue_request request = {.entry = &entry, .origin = ORIGIN_COMMAND, .issuer = issuer};
    if (entry_from_options(pki, o, NULL, &entry, e) != 0) {
        return -1;
    }
    int rc = issue_make(pki, &request, issued, e);
    entry_clear(&entry);
    return rc;
}

// What can be known to be wrong before anything is asked for or made.
static int check_options(struct pki *pki, const struct ca_issue_options *o, struct err *e)
{
    struct plan_entry entry;
    const char *passphrase = NULL;
    if (entry_from_options(pki, o, NULL, &entry, e) != 0) {
        return -1;
    }
    int rc = entry.encrypt_key ? pki_passphrase(pki, true, &passphrase, e) : 0;
    entry_clear(&entry);
    return rc;
}

int ca_issue(struct pki *pki, const struct ca_issue_options *o, struct ca_result *r, struct err *e)
{
    struct authority *issuer = NULL;
    struct issued issued = {0};
    int rc = -1;
    mbedtls_pk_init(&issued.key);
    if (check_options(pki, o, e) == 0 && issuer_choose(pki, o->issuer, &issuer, e) == 0 &&
        authority_key(pki, issuer, e) == 0 && make(pki, o, issuer, &issued, e) == 0) {
        rc = publish_one(pki, &issued, issuer, false, r, e);
    }
    issued_clear(&issued);
    authority_free(issuer);
    return rc;
}

int ca_init(struct pki *pki, const struct ca_issue_options *root, const struct ca_issue_options *issuing, struct err *e)
{
    const struct ca_issue_options *options[] = {root, issuing};
    struct issued issued[2] = {0};
    struct publication items[2] = {0};
    size_t count = issuing == NULL ? 1 : 2;
    int rc = 0;
    if (check_options(pki, root, e) != 0 || (issuing != NULL && check_options(pki, issuing, e) != 0) ||
        pki_lock(pki, e) != 0) {
        return -1;
    }
    for (size_t i = 0; i < 2; i++) {
        mbedtls_pk_init(&issued[i].key);
    }
    for (size_t i = 0; rc == 0 && i < count; i++) {
        items[i].issued = &issued[i];
        items[i].issuer = i == 0 ? NULL : items[0].self;
        rc = make(pki, options[i], items[i].issuer, &issued[i], e);
        if (rc == 0) {
            rc = authority_from(pki, &issued[i].record, items[i].issuer, &issued[i].key, &items[i].self, e);
        }
    }
    if (rc == 0) {
        rc = publish(pki, items, count, false, e);
    }
    pki_unlock(pki);
    for (size_t i = 0; i < 2; i++) {
        authority_free(items[i].self);
        issued_clear(&issued[i]);
    }
    return rc;
}

// What a profile lets a request name: servers are called by DNS name or address (and may carry a SPIFFE ID), clients
// are whoever, but not an address.
static int names_allowed(enum role role, const struct general_names *names, struct err *e)
{
    for (size_t i = 0; i < names->count; i++) {
        enum general_name_type type = names->items[i].type;
        bool allowed = role == ROLE_SERVER
                           ? type == GENERAL_NAME_DNS || type == GENERAL_NAME_IP || type == GENERAL_NAME_URI
                           : type == GENERAL_NAME_DNS || type == GENERAL_NAME_EMAIL || type == GENERAL_NAME_URI;
        if (!allowed) {
            return err_refused(e, "the request asks for the name %s:%s, which the %s profile does not allow",
                               general_name_type_word(type), names->items[i].value, role_name(role));
        }
    }
    return 0;
}

// The subject and names are the request's, unless the command says otherwise; all else is the profile's.
static int entry_from_request(struct pki *pki, const struct ca_issue_options *o, const struct csr *csr,
                              struct plan_entry *entry, struct err *e)
{
    struct ca_issue_options merged = *o;
    struct buf subject = {0};
    if (strcmp(o->profile, "authority") == 0) {
        return err_usage(e, "requests are signed for servers and clients; mtls ca issue makes an authority");
    }
    int rc = name_to_text(buf_span(&csr->subject), &subject, e);
    if (rc == 0 && merged.subject == NULL && subject.len > 0) {
        merged.subject = (const char *)subject.data;
    }
    if (rc == 0) {
        rc = entry_from_options(pki, &merged, &csr->names, entry, e);
    }
    if (rc == 0 && o->names.count == 0) {
        rc = names_allowed(entry->role, &csr->names, e);
    }
    buf_clear(&subject);
    return rc;
}

int ca_sign(struct pki *pki, const struct ca_issue_options *o, struct span text, struct ca_result *r, struct err *e)
{
    struct csr csr = {0};
    struct plan_entry entry = {0};
    struct authority *issuer = NULL;
    struct issued issued = {0};
    struct buf unused = {0};
    struct issue_request request = {.entry = &entry, .origin = ORIGIN_COMMAND};
    int rc = -1;
    mbedtls_pk_init(&issued.key);
    if (csr_read(text, &csr, e) != 0) {
        return -1;
    }
    if (entry_from_request(pki, o, &csr, &entry, e) != 0 || issuer_choose(pki, o->issuer, &issuer, e) != 0 ||
        authority_key(pki, issuer, e) != 0) {
        goto out;
    }
    request.issuer = issuer;
    request.public_key = &csr.key;
    if (issue_make(pki, &request, &issued, e) == 0) {
        rc = publish_one(pki, &issued, issuer, o->replace, r, e);
    }
    if (rc == 0 && csr.unused != NULL && csr.unused[0] != NULL) {
        text_list(&unused, (const char *const *)csr.unused);
        r->unused = (char *)unused.data;
    }
out:
    issued_clear(&issued);
    authority_free(issuer);
    entry_clear(&entry);
    csr_clear(&csr);
    return rc;
}
