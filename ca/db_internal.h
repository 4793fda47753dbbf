// SPDX-License-Identifier: Apache-2.0
// What the files of the database share: the connection, its SQL, and how a statement is run.
#ifndef MTLS_CA_DB_INTERNAL_H
#define MTLS_CA_DB_INTERNAL_H

#include "ca/db.h"

#include <sqlite3.h>

_Static_assert(SQLITE_VERSION_NUMBER >= 3037000, "STRICT tables came with SQLite 3.37");

// The columns of a record besides its id: the one list that selecting, inserting and reading follow.
#define RECORD_COLUMNS(C)                                                                                              \
    C(role)                                                                                                            \
    C(origin)                                                                                                          \
    C(name)                                                                                                            \
    C(issuer_id)                                                                                                       \
    C(serial)                                                                                                          \
    C(subject)                                                                                                         \
    C(der)                                                                                                             \
    C(fingerprint)                                                                                                     \
    C(key_id)                                                                                                          \
    C(not_before)                                                                                                      \
    C(not_after)                                                                                                       \
    C(spec)                                                                                                            \
    C(key_file_digest)                                                                                                 \
    C(current)                                                                                                         \
    C(issued_at)                                                                                                       \
    C(revoked_at)                                                                                                      \
    C(reason)                                                                                                          \
    C(invalidity_date)                                                                                                 \
    C(revoked_by)

// Positions in a selected row and, because SQLite counts parameters from 1 and the id is none, in SQL_ADD too.
enum record_column {
    COLUMN_id,
#define C(name) COLUMN_##name,
    RECORD_COLUMNS(C)
#undef C
};

#define SQL_COMMA_NAME(name) ", " #name
#define SQL_SELECT_RECORD "SELECT id" RECORD_COLUMNS(SQL_COMMA_NAME) " FROM certificate"
#define SQL_SELECT_CRL "SELECT issuer_id, number, this_update, next_update, der FROM crl"

enum sql {
    SQL_BEGIN,
    SQL_COMMIT,
    SQL_ROLLBACK,
    SQL_ADD,
    SQL_RETIRE,
    SQL_SET_KEY_FILE_DIGEST,
    SQL_FIND_CURRENT,
    SQL_FIND_ID,
    SQL_FIND_FINGERPRINT,
    SQL_FIND_SERIAL,
    SQL_REVOKE,
    SQL_REVOKED,
    SQL_CRL_NEXT_NUMBER,
    SQL_CRL_PUT,
    SQL_CRL_FIND,
    SQL_CRL_DROP,
    SQL_FACT_GET,
    SQL_FACT_SET,
    SQL_COUNT
};
extern const char *const db_sql[SQL_COUNT];

// db_schema[n] makes version n + 1 of version n; an empty database is version 0.
enum { DB_VERSION = 1, DB_APPLICATION = 0x6d746c73 }; // "mtls" as SQLite's application_id
extern const char *const db_schema[DB_VERSION];

struct db {
    char *path;
    sqlite3 *sqlite;
    sqlite3_stmt *statements[SQL_COUNT]; // prepared when first used
    int bind_code;                       // the first failure to bind since a statement was taken
};

// Running a statement: take it, bind, step, finish. What is bound is borrowed until db_finish.
sqlite3_stmt *db_statement(struct db *db, enum sql which, struct err *e);
sqlite3_stmt *db_prepare(struct db *db, const char *sql, struct err *e); // not cached: ends with sqlite3_finalize
void db_bind_int(struct db *db, sqlite3_stmt *s, int parameter, int64_t value);
void db_bind_id(struct db *db, sqlite3_stmt *s, int parameter, int64_t id);           // 0 is NULL
void db_bind_text(struct db *db, sqlite3_stmt *s, int parameter, const char *text);   // NULL is ""
void db_bind_bytes(struct db *db, sqlite3_stmt *s, int parameter, struct span bytes); // nothing is NULL
int db_step(struct db *db, sqlite3_stmt *s);                                          // SQLite's code
void db_finish(sqlite3_stmt *s);

// "database FILE: what: SQLite's words" about the last failure. Returns -1.
int db_fail(const struct db *db, struct err *e, const char *what, ...) __attribute__((format(printf, 3, 4)));
// Steps a cached statement that gives no rows, and finishes it. 1: rows were changed, 0: none, -1: error.
int db_run(struct db *db, sqlite3_stmt *s, struct err *e, const char *what, ...) __attribute__((format(printf, 4, 5)));

char *db_column_text(sqlite3_stmt *s, int column);
void db_column_bytes(sqlite3_stmt *s, int column, struct buf *bytes);

#endif
