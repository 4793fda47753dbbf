// SPDX-License-Identifier: Apache-2.0
// The certificates on record: adding, finding, listing, revoking.
#include "base/text.h"
#include "ca/db_internal.h"

#include <stdio.h>
#include <stdlib.h>

static const struct {
    const char *name;
    const char *directory;
} roles[ROLE_COUNT] = {
    [ROLE_AUTHORITY] = {"authority", "authorities"},
    [ROLE_SERVER] = {"server", "servers"},
    [ROLE_CLIENT] = {"client", "clients"},
    [ROLE_FLAW] = {"flaw", "flaws"},
};

const char *role_name(enum role role)
{
    return roles[role].name;
}

const char *role_directory(enum role role)
{
    return roles[role].directory;
}

void record_clear(struct record *r)
{
    free(r->name);
    buf_clear(&r->serial);
    free(r->subject);
    buf_clear(&r->der);
    free(r->spec);
    free(r->key_file_digest);
    *r = (struct record){0};
}

static void record_read(sqlite3_stmt *s, struct record *r)
{
    bool revoked = sqlite3_column_type(s, COLUMN_revoked_at) != SQLITE_NULL;
    bool dated = sqlite3_column_type(s, COLUMN_invalidity_date) != SQLITE_NULL;
    *r = (struct record){
        .id = sqlite3_column_int64(s, COLUMN_id),
        .role = (enum role)sqlite3_column_int(s, COLUMN_role),
        .origin = (enum origin)sqlite3_column_int(s, COLUMN_origin),
        .name = db_column_text(s, COLUMN_name),
        .issuer_id = sqlite3_column_int64(s, COLUMN_issuer_id), // NULL reads as 0
        .subject = db_column_text(s, COLUMN_subject),
        .not_before = sqlite3_column_int64(s, COLUMN_not_before),
        .not_after = sqlite3_column_int64(s, COLUMN_not_after),
        .spec = db_column_text(s, COLUMN_spec),
        .key_file_digest = db_column_text(s, COLUMN_key_file_digest),
        .current = sqlite3_column_int(s, COLUMN_current) != 0,
        .issued_at = sqlite3_column_int64(s, COLUMN_issued_at),
        .revoked_at = revoked ? sqlite3_column_int64(s, COLUMN_revoked_at) : 0,
        .reason = (enum revocation_reason)sqlite3_column_int(s, COLUMN_reason),
        .invalidity_date = dated ? sqlite3_column_int64(s, COLUMN_invalidity_date) : CRL_NO_INVALIDITY_DATE,
        .revoked_by = (enum origin)sqlite3_column_int(s, COLUMN_revoked_by),
    };
    db_column_bytes(s, COLUMN_serial, &r->serial);
    db_column_bytes(s, COLUMN_der, &r->der);
    snprintf(r->fingerprint, sizeof r->fingerprint, "%s", (const char *)sqlite3_column_text(s, COLUMN_fingerprint));
    snprintf(r->key_id, sizeof r->key_id, "%s", (const char *)sqlite3_column_text(s, COLUMN_key_id));
}

// What is not bound is NULL: a certificate starts its life unrevoked.
static void bind_record(struct db *db, sqlite3_stmt *s, const struct record *r)
{
    db_bind_int(db, s, COLUMN_role, r->role);
    db_bind_int(db, s, COLUMN_origin, r->origin);
    db_bind_text(db, s, COLUMN_name, r->name);
    db_bind_id(db, s, COLUMN_issuer_id, r->issuer_id);
    db_bind_bytes(db, s, COLUMN_serial, buf_span(&r->serial));
    db_bind_text(db, s, COLUMN_subject, r->subject);
    db_bind_bytes(db, s, COLUMN_der, buf_span(&r->der));
    db_bind_text(db, s, COLUMN_fingerprint, r->fingerprint);
    db_bind_text(db, s, COLUMN_key_id, r->key_id);
    db_bind_int(db, s, COLUMN_not_before, r->not_before);
    db_bind_int(db, s, COLUMN_not_after, r->not_after);
    db_bind_text(db, s, COLUMN_spec, r->spec);
    db_bind_text(db, s, COLUMN_key_file_digest, r->key_file_digest);
    db_bind_int(db, s, COLUMN_current, 1);
    db_bind_int(db, s, COLUMN_issued_at, r->issued_at);
}

static int refuse_serial(const struct db *db, const struct record *r, struct err *e)
{
    struct buf hex = {0};
    text_hex(&hex, r->serial.data, r->serial.len, '\0');
    err_refused(e, "database %s: recording %s %s: its issuer has used the serial %s before", db->path,
                role_name(r->role), r->name, (const char *)hex.data);
    buf_clear(&hex);
    return -1;
}

int db_add(struct db *db, struct record *r, struct err *e)
{
    int rc = 0;
    if (r->revoked_at != 0) { // recording it as good would be a revocation lost
        return err_set(e, "database %s: recording %s %s: it is revoked before it is on record", db->path,
                       role_name(r->role), r->name);
    }
    sqlite3_stmt *s = db_statement(db, SQL_ADD, e);
    if (s == NULL) {
        return -1;
    }
    bind_record(db, s, r);
    int code = db_step(db, s);
    if (code == SQLITE_DONE) {
        r->id = sqlite3_last_insert_rowid(db->sqlite);
        r->current = true;
        r->invalidity_date = CRL_NO_INVALIDITY_DATE;
    } else if (code == SQLITE_CONSTRAINT_UNIQUE) { // the trigger leaves only the serial to be a duplicate
        rc = refuse_serial(db, r, e);
    } else {
        rc = db_fail(db, e, "recording %s %s", role_name(r->role), r->name);
    }
    db_finish(s);
    return rc;
}

int db_retire(struct db *db, enum role role, const char *name, struct err *e)
{
    sqlite3_stmt *s = db_statement(db, SQL_RETIRE, e);
    if (s == NULL) {
        return -1;
    }
    db_bind_int(db, s, 1, role);
    db_bind_text(db, s, 2, name);
    return db_run(db, s, e, "retiring %s %s", role_name(role), name) < 0 ? -1 : 0;
}

static int refuse_id(const struct db *db, int64_t id, struct err *e)
{
    return err_set(e, "database %s: there is no certificate with the id %lld", db->path, (long long)id);
}

int db_set_key_file_digest(struct db *db, int64_t id, const char *digest, struct err *e)
{
    sqlite3_stmt *s = db_statement(db, SQL_SET_KEY_FILE_DIGEST, e);
    if (s == NULL) {
        return -1;
    }
    db_bind_int(db, s, 1, id);
    db_bind_text(db, s, 2, digest);
    int changed = db_run(db, s, e, "noting the key file of certificate %lld", (long long)id);
    return changed > 0 ? 0 : changed == 0 ? refuse_id(db, id, e) : -1;
}

// The row that a bound statement gives, if any. The statement is left for the caller to finish.
static int find(struct db *db, sqlite3_stmt *s, struct record *r, struct err *e)
{
    int code = db_step(db, s);
    if (code == SQLITE_ROW) {
        record_read(s, r);
        return 1;
    }
    return code == SQLITE_DONE ? 0 : db_fail(db, e, "looking up a certificate");
}

int db_find_current(struct db *db, enum role role, const char *name, struct record *r, struct err *e)
{
    *r = (struct record){0};
    sqlite3_stmt *s = db_statement(db, SQL_FIND_CURRENT, e);
    if (s == NULL) {
        return -1;
    }
    db_bind_int(db, s, 1, role);
    db_bind_text(db, s, 2, name);
    int rc = find(db, s, r, e);
    db_finish(s);
    return rc;
}

int db_find_id(struct db *db, int64_t id, struct record *r, struct err *e)
{
    *r = (struct record){0};
    sqlite3_stmt *s = db_statement(db, SQL_FIND_ID, e);
    if (s == NULL) {
        return -1;
    }
    db_bind_int(db, s, 1, id);
    int rc = find(db, s, r, e);
    db_finish(s);
    return rc;
}

int db_find_fingerprint(struct db *db, const char *fingerprint, struct record *r, struct err *e)
{
    *r = (struct record){0};
    sqlite3_stmt *s = db_statement(db, SQL_FIND_FINGERPRINT, e);
    if (s == NULL) {
        return -1;
    }
    db_bind_text(db, s, 1, fingerprint);
    int rc = find(db, s, r, e);
    db_finish(s);
    return rc;
}

int db_find_serial(struct db *db, struct span serial, struct record *r, struct err *e)
{
    *r = (struct record){0};
    sqlite3_stmt *s = db_statement(db, SQL_FIND_SERIAL, e);
    if (s == NULL) {
        return -1;
    }
    db_bind_bytes(db, s, 1, serial);
    int rc = find(db, s, r, e);
    if (rc == 1 && db_step(db, s) != SQLITE_DONE) {
        rc = err_refused(e, "database %s: several certificates have this serial: %s %s and others", db->path,
                         role_name(r->role), r->name);
        record_clear(r);
    }
    db_finish(s);
    return rc;
}

int db_revoke(struct db *db, int64_t id, enum revocation_reason reason, int64_t when, int64_t invalidity_date,
              enum origin by, struct err *e)
{
    sqlite3_stmt *s = db_statement(db, SQL_REVOKE, e);
    if (s == NULL) {
        return -1;
    }
    db_bind_int(db, s, 1, id);
    db_bind_int(db, s, 2, when);
    db_bind_int(db, s, 3, reason);
    if (invalidity_date != CRL_NO_INVALIDITY_DATE) {
        db_bind_int(db, s, 4, invalidity_date);
    }
    db_bind_int(db, s, 5, by);
    int changed = db_run(db, s, e, "revoking certificate %lld", (long long)id);
    if (changed != 0) {
        return changed > 0 ? 0 : -1;
    }
    struct record r;
    int found = db_find_id(db, id, &r, e);
    record_clear(&r);
    return found == 0 ? refuse_id(db, id, e) : found;
}

static void list_sql(const struct db_filter *f, struct buf *sql)
{
    const struct {
        bool wanted;
        const char *condition;
    } conditions[] = {
        {f->current_only, "current = 1"},
        {f->revoked_only, "revoked_at IS NOT NULL"},
        {f->unexpired_only, "not_after >= :at"},
        {f->expires_before != 0, "not_after < :expires_before"},
        {f->role >= 0, "role = :role"},
        {f->role < 0 && f->name != NULL, "role IN (0, 1, 2, 3)"}, // without a role the index of names is of no use
        {f->name != NULL, "name = :name"},
        {f->issuer_id != 0, "issuer_id = :issuer_id"},
    };
    const char *joint = " WHERE ";
    buf_text(sql, SQL_SELECT_RECORD);
    for (size_t i = 0; i < sizeof conditions / sizeof conditions[0]; i++) {
        if (conditions[i].wanted) {
            buf_printf(sql, "%s%s", joint, conditions[i].condition);
            joint = " AND ";
        }
    }
    buf_text(sql, " ORDER BY role, name, id");
}

static void bind_filter(struct db *db, sqlite3_stmt *s, const struct db_filter *f)
{
    const struct {
        const char *parameter;
        int64_t value;
    } values[] = {
        {":at", f->at}, {":expires_before", f->expires_before}, {":role", f->role}, {":issuer_id", f->issuer_id}};
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        int parameter = sqlite3_bind_parameter_index(s, values[i].parameter);
        if (parameter > 0) {
            db_bind_int(db, s, parameter, values[i].value);
        }
    }
    if (f->name != NULL) {
        db_bind_text(db, s, sqlite3_bind_parameter_index(s, ":name"), f->name);
    }
}

int db_list(struct db *db, const struct db_filter *filter, db_each *each, void *arg, struct err *e)
{
    struct buf sql = {0};
    list_sql(filter, &sql);
    sqlite3_stmt *s = db_prepare(db, (const char *)sql.data, e); // its own, so that `each` may use the database
    buf_clear(&sql);
    if (s == NULL) {
        return -1;
    }
    bind_filter(db, s, filter);
    int rc = 0;
    int code = db->bind_code;
    while (rc == 0 && (code == SQLITE_OK || code == SQLITE_ROW)) {
        code = sqlite3_step(s);
        if (code == SQLITE_ROW) {
            struct record r;
            record_read(s, &r);
            rc = each(arg, &r, e);
            record_clear(&r);
        }
    }
    if (rc == 0 && code != SQLITE_DONE) {
        rc = db_fail(db, e, "listing certificates");
    }
    sqlite3_finalize(s);
    return rc;
}
