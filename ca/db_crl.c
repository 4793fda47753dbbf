// SPDX-License-Identifier: Apache-2.0
// Revocation lists on record, and what the next one must say.
#include "ca/db_internal.h"

#include <stdlib.h>

int db_revoked(struct db *db, int64_t issuer_id, int64_t at, struct crl_entry **entries, size_t *count,
               struct buf *serials, struct err *e)
{
    size_t cap = 0;
    size_t offset = serials->len;
    int code;
    *entries = NULL;
    *count = 0;
    sqlite3_stmt *s = db_statement(db, SQL_REVOKED, e);
    if (s == NULL) {
        return -1;
    }
    db_bind_int(db, s, 1, issuer_id);
    db_bind_int(db, s, 2, at);
    while ((code = db_step(db, s)) == SQLITE_ROW) {
        *entries = mem_grow(*entries, &cap, sizeof **entries, *count + 1);
        db_column_bytes(s, 0, serials);
        bool dated = sqlite3_column_type(s, 3) != SQLITE_NULL;
        (*entries)[(*count)++] = (struct crl_entry){
            .serial.len = (size_t)sqlite3_column_bytes(s, 0),
            .revoked_at = sqlite3_column_int64(s, 1),
            .reason = (enum revocation_reason)sqlite3_column_int(s, 2),
            .invalidity_date = dated ? sqlite3_column_int64(s, 3) : CRL_NO_INVALIDITY_DATE,
        };
    }
    int rc = code == SQLITE_DONE ? 0 : db_fail(db, e, "reading the revocations of issuer %lld", (long long)issuer_id);
    db_finish(s);
    if (rc != 0) {
        free(*entries);
        *entries = NULL;
        *count = 0;
    }
    for (size_t i = 0; i < *count; i++) { // only now, because `serials` moves while it grows
        (*entries)[i].serial.data = serials->data + offset;
        offset += (*entries)[i].serial.len;
    }
    return rc;
}

int db_crl_next_number(struct db *db, int64_t issuer_id, int64_t *number, struct err *e)
{
    sqlite3_stmt *s = db_statement(db, SQL_CRL_NEXT_NUMBER, e);
    if (s == NULL) {
        return -1;
    }
    db_bind_int(db, s, 1, issuer_id);
    int rc = 0;
    if (db_step(db, s) == SQLITE_ROW) {
        *number = sqlite3_column_int64(s, 0);
    } else {
        rc = db_fail(db, e, "numbering the next list of issuer %lld", (long long)issuer_id);
    }
    db_finish(s);
    return rc;
}

int db_crl_put(struct db *db, int64_t issuer_id, const struct crl_record *crl, struct err *e)
{
    sqlite3_stmt *s = db_statement(db, SQL_CRL_PUT, e);
    if (s == NULL) {
        return -1;
    }
    db_bind_int(db, s, 1, issuer_id);
    db_bind_int(db, s, 2, crl->number);
    db_bind_int(db, s, 3, crl->this_update);
    db_bind_int(db, s, 4, crl->next_update);
    db_bind_bytes(db, s, 5, buf_span(&crl->der));
    int changed = db_run(db, s, e, "recording list %lld of issuer %lld", (long long)crl->number, (long long)issuer_id);
    if (changed == 0) {
        return err_refused(e, "database %s: list %lld of issuer %lld is not newer than its last", db->path,
                           (long long)crl->number, (long long)issuer_id);
    }
    return changed < 0 ? -1 : 0;
}

static void crl_read(sqlite3_stmt *s, struct crl_record *crl)
{
    *crl = (struct crl_record){
        .issuer_id = sqlite3_column_int64(s, 0),
        .number = sqlite3_column_int64(s, 1),
        .this_update = sqlite3_column_int64(s, 2),
        .next_update = sqlite3_column_int64(s, 3),
    };
    db_column_bytes(s, 4, &crl->der);
}

int db_crl_find(struct db *db, int64_t issuer_id, struct crl_record *crl, struct err *e)
{
    *crl = (struct crl_record){0};
    sqlite3_stmt *s = db_statement(db, SQL_CRL_FIND, e);
    if (s == NULL) {
        return -1;
    }
    db_bind_int(db, s, 1, issuer_id);
    int code = db_step(db, s);
    int rc = code == SQLITE_DONE ? 0 : 1;
    if (code == SQLITE_ROW) {
        crl_read(s, crl);
    } else if (code != SQLITE_DONE) {
        rc = db_fail(db, e, "looking up the list of issuer %lld", (long long)issuer_id);
    }
    db_finish(s);
    return rc;
}

int db_crl_list(struct db *db, db_crl_each *each, void *arg, struct err *e)
{
    // Not a cached statement, so that `each` may use the database.
    sqlite3_stmt *s = db_prepare(db, SQL_SELECT_CRL " WHERE der IS NOT NULL ORDER BY issuer_id", e);
    if (s == NULL) {
        return -1;
    }
    int rc = 0;
    int code = SQLITE_ROW;
    while (rc == 0 && (code = sqlite3_step(s)) == SQLITE_ROW) {
        struct crl_record crl;
        crl_read(s, &crl);
        rc = each(arg, &crl, e);
        buf_clear(&crl.der);
    }
    if (rc == 0 && code != SQLITE_DONE) {
        rc = db_fail(db, e, "listing the lists");
    }
    sqlite3_finalize(s);
    return rc;
}

int db_crl_drop(struct db *db, int64_t issuer_id, struct err *e)
{
    sqlite3_stmt *s = db_statement(db, SQL_CRL_DROP, e);
    if (s == NULL) {
        return -1;
    }
    db_bind_int(db, s, 1, issuer_id);
    return db_run(db, s, e, "dropping the list of issuer %lld", (long long)issuer_id) < 0 ? -1 : 0;
}
