// SPDX-License-Identifier: Apache-2.0
// init, issue, sign, renew: certificates one at a time.
#include "ca/daily.h"

#include "base/clock.h"
#include "base/der.h"
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
    buf_clear(&r->cert);
    buf_clear(&r->chain);
    *r = (struct ca_result){0};
}

static void result_fill(struct pki *pki, const struct record *r, const struct authority *issuer, struct ca_result *out)
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
    if (found == 1) {
        err_set(e, "%s %s exists already (valid until %s); mtls ca renew %s gives it a new certificate",
                role_name(r->role), r->name, clock_rfc3339(current.not_after, when), r->name);
    }
    record_clear(&current);
    return found == 0 ? 0 : -1;
}

static int record_issued(struct pki *pki, struct issued *issued, struct authority *issuer, bool replace, struct err *e)
{
    struct record *r = &issued->record;
    struct crl_record crl = {0};
    struct authority *self = NULL;
    int rc = -1;
    r->issuer_id = issuer == NULL ? 0 : issuer->ca_id;
    if ((!replace && refuse_existing(pki, r, e) != 0) || db_add(pki->db, r, e) != 0) {
        goto out;
    }
    rc = 0;
    if (r->role == ROLE_AUTHORITY && !replace) {
        rc = authority_from(pki, r, issuer, &issued->key, &self, e);
        if (rc == 0) {
            rc = crl_issue(pki, self, CRL_LIFETIME, &crl, e);
        }
    }
out:
    buf_clear(&crl.der);
    authority_free(self);
    return rc;
}

int issued_publish(struct pki *pki, struct issued *issued, struct authority *issuer, bool replace,
                   struct ca_result *result, struct err *e)
{
    struct file_batch batch = {0};
    struct entry_files files = {0};
    size_t changed = 0;
    char *staging = pki_path(pki, ".staging");
    char *dir = entry_directory(pki, issued->record.role, issued->record.name);
    int rc = -1;
    if (pki_lock(pki, e) != 0) {
        goto out;
    }
    if (db_begin(pki->db, e) != 0 || record_issued(pki, issued, issuer, replace, e) != 0 ||
        db_commit(pki->db, e) != 0) {
        db_rollback(pki->db);
        goto unlock;
    }
    entry_files_make(&files, buf_span(&issued->key_pem), buf_span(&issued->record.der),
                     issuer == NULL ? span_of(NULL, 0) : buf_span(&issuer->chain));
    if (file_batch_begin(&batch, staging, e) != 0 || entry_files_put(&batch, dir, &files, &changed, e) != 0 ||
        (issued->record.role == ROLE_AUTHORITY && lists_put(pki, &batch, &changed, e) != 0)) {
        goto unlock;
    }
    rc = file_batch_commit(&batch, e);
    if (rc == 0 && result != NULL) {
        result_fill(pki, &issued->record, issuer, result);
    }
unlock:
    file_batch_clear(&batch);
    pki_unlock(pki);
out:
    entry_files_clear(&files);
    free(staging);
    free(dir);
    return rc;
}

static int issue_one(struct pki *pki, const struct ca_issue_options *o, const char *issuer_name, bool self_signed,
                     struct ca_result *result, struct err *e)
{
    struct plan_entry entry;
    struct authority *issuer = NULL;
    struct issued issued = {0};
    const char *passphrase = NULL;
    struct issue_request request = {.entry = &entry, .origin = ORIGIN_COMMAND};
    int rc = -1;
    mbedtls_pk_init(&issued.key);
    if (entry_from_options(pki, o, NULL, &entry, e) != 0) {
        return -1;
    }
    if (!self_signed && (issuer_choose(pki, issuer_name, &issuer, e) != 0 || authority_key(pki, issuer, e) != 0)) {
        goto out;
    }
    if (entry.encrypt_key && pki_passphrase(pki, true, &passphrase, e) != 0) {
        goto out;
    }
    request.issuer = issuer;
    if (issue_make(pki, &request, &issued, e) == 0) {
        rc = issued_publish(pki, &issued, issuer, false, result, e);
    }
out:
    issued_clear(&issued);
    authority_free(issuer);
    entry_clear(&entry);
    return rc;
}

int ca_init(struct pki *pki, const struct ca_issue_options *root, const struct ca_issue_options *issuing, struct err *e)
{
    if (issue_one(pki, root, NULL, true, NULL, e) != 0) {
        return -1;
    }
    return issuing == NULL ? 0 : issue_one(pki, issuing, root->name, false, NULL, e);
}

int ca_issue(struct pki *pki, const struct ca_issue_options *o, struct ca_result *r, struct err *e)
{
    return issue_one(pki, o, o->issuer, false, r, e);
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
        rc = issued_publish(pki, &issued, issuer, false, r, e);
    }
out:
    issued_clear(&issued);
    authority_free(issuer);
    entry_clear(&entry);
    csr_clear(&csr);
    return rc;
}
