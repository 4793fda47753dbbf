// SPDX-License-Identifier: Apache-2.0
// The connection: opening, the version of the schema, transactions, running statements, facts.
#include "ca/db_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { WAIT_MS = 60000, RETRY_MS = 10 };

int db_fail(const struct db *db, struct err *e, const char *what, ...)
{
    char text[512];
    va_list ap;
    va_start(ap, what);
    vsnprintf(text, sizeof text, what, ap);
    va_end(ap);
    return err_set(e, "database %s: %s: %s", db->path, text, sqlite3_errmsg(db->sqlite));
}

sqlite3_stmt *db_prepare(struct db *db, const char *sql, struct err *e)
{
    sqlite3_stmt *s = NULL;
    if (sqlite3_prepare_v3(db->sqlite, sql, -1, SQLITE_PREPARE_PERSISTENT, &s, NULL) != SQLITE_OK) {
        db_fail(db, e, "preparing a statement");
    }
    db->bind_code = SQLITE_OK;
    return s;
}

sqlite3_stmt *db_statement(struct db *db, enum sql which, struct err *e)
{
    db->bind_code = SQLITE_OK;
    if (db->statements[which] == NULL) {
        db->statements[which] = db_prepare(db, db_sql[which], e);
    }
    return db->statements[which];
}

static void note_bind(struct db *db, int code)
{
    if (db->bind_code == SQLITE_OK) {
        db->bind_code = code;
    }
}

void db_bind_int(struct db *db, sqlite3_stmt *s, int parameter, int64_t value)
{
    note_bind(db, sqlite3_bind_int64(s, parameter, value));
}

void db_bind_id(struct db *db, sqlite3_stmt *s, int parameter, int64_t id)
{
    note_bind(db, id == 0 ? sqlite3_bind_null(s, parameter) : sqlite3_bind_int64(s, parameter, id));
}

void db_bind_text(struct db *db, sqlite3_stmt *s, int parameter, const char *text)
{
    note_bind(db, sqlite3_bind_text(s, parameter, text == NULL ? "" : text, -1, SQLITE_STATIC));
}

void db_bind_bytes(struct db *db, sqlite3_stmt *s, int parameter, struct span bytes)
{
    note_bind(db, sqlite3_bind_blob64(s, parameter, bytes.data, bytes.len, SQLITE_STATIC));
}

int db_step(struct db *db, sqlite3_stmt *s)
{
    return db->bind_code != SQLITE_OK ? db->bind_code : sqlite3_step(s);
}

void db_finish(sqlite3_stmt *s)
{
    sqlite3_reset(s);
    sqlite3_clear_bindings(s);
}

int db_run(struct db *db, sqlite3_stmt *s, struct err *e, const char *what, ...)
{
    int rc = -1;
    if (db_step(db, s) == SQLITE_DONE) {
        rc = sqlite3_changes(db->sqlite) > 0;
    } else {
        char text[512];
        va_list ap;
        va_start(ap, what);
        vsnprintf(text, sizeof text, what, ap);
        va_end(ap);
        db_fail(db, e, "%s", text);
    }
    db_finish(s);
    return rc;
}

char *db_column_text(sqlite3_stmt *s, int column)
{
    const unsigned char *text = sqlite3_column_text(s, column);
    return mem_strdup(text == NULL ? "" : (const char *)text);
}

void db_column_bytes(sqlite3_stmt *s, int column, struct buf *bytes)
{
    const void *data = sqlite3_column_blob(s, column); // before its length, says SQLite
    buf_add(bytes, data, (size_t)sqlite3_column_bytes(s, column));
}

// SQLite would create the file by the umask; its log files take over the mode that they find here. Only a file that is
// new is opened and closed: closing any other would drop the locks that this process has on it (POSIX).
static int make_file(const char *path, struct err *e)
{
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0) {
        return errno == EEXIST ? 0 : err_errno(e, "database %s: creating", path);
    }
    close(fd);
    return 0;
}

static int connect_file(struct db *db, struct err *e)
{
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
    int code = sqlite3_open_v2(db->path, &db->sqlite, flags, NULL);
    if (code == SQLITE_OK) {
        return sqlite3_busy_timeout(db->sqlite, WAIT_MS) == SQLITE_OK ? 0 : db_fail(db, e, "opening");
    }
    errno = sqlite3_system_errno(db->sqlite);
    return errno != 0 ? err_errno(e, "database %s: opening", db->path) : db_fail(db, e, "opening");
}

// Whose database is it, and which version? 0 is one without anything in it.
static int read_version(struct db *db, int64_t *version, struct err *e)
{
    sqlite3_stmt *s = NULL;
    int code = sqlite3_prepare_v2(db->sqlite,
                                  "SELECT (SELECT application_id FROM pragma_application_id),"
                                  " (SELECT user_version FROM pragma_user_version),"
                                  " (SELECT count(*) FROM sqlite_schema)",
                                  -1, &s, NULL);
    if (code == SQLITE_OK) {
        code = sqlite3_step(s);
    }
    int rc = -1;
    if (code == SQLITE_NOTADB) {
        err_set(e, "database %s: it is not an SQLite database", db->path);
    } else if (code != SQLITE_ROW) {
        db_fail(db, e, "reading its version");
    } else {
        int64_t application = sqlite3_column_int64(s, 0);
        bool empty = application == 0 && sqlite3_column_int64(s, 2) == 0;
        *version = sqlite3_column_int64(s, 1);
        if (application != DB_APPLICATION && !(empty && *version == 0)) {
            err_set(e, "database %s: it belongs to another program", db->path);
        } else if (*version > DB_VERSION) {
            err_set(e, "database %s: a newer mtls made it (version %lld of its tables; this mtls knows version %d)",
                    db->path, (long long)*version, DB_VERSION);
        } else {
            rc = 0;
        }
    }
    sqlite3_finalize(s);
    return rc;
}

// SQLite does not wait by itself when two processes switch a new file to the write-ahead log at once.
static int use_wal(struct db *db, struct err *e)
{
    for (int waited = 0;; waited += RETRY_MS) {
        sqlite3_stmt *s = db_prepare(db, "PRAGMA journal_mode = WAL", e);
        if (s == NULL) {
            return -1;
        }
        int code = sqlite3_step(s);
        bool on = code == SQLITE_ROW && strcmp((const char *)sqlite3_column_text(s, 0), "wal") == 0;
        sqlite3_finalize(s);
        if (on) {
            return 0;
        }
        if (code == SQLITE_ROW) {
            return err_set(e, "database %s: its file system cannot hold a write-ahead log", db->path);
        }
        if ((code & 0xff) != SQLITE_BUSY || waited >= WAIT_MS) {
            return db_fail(db, e, "switching to the write-ahead log");
        }
        sqlite3_sleep(RETRY_MS);
    }
}

static int upgrade(struct db *db, struct err *e)
{
    int64_t version = 0;
    if (db_begin(db, e) != 0) {
        return -1;
    }
    int rc = read_version(db, &version, e); // again: somebody else may have done it before we got the lock
    for (; rc == 0 && version < DB_VERSION; version++) {
        if (sqlite3_exec(db->sqlite, db_schema[version], NULL, NULL, NULL) != SQLITE_OK) {
            rc = db_fail(db, e, "making its tables");
        }
    }
    if (rc == 0) {
        rc = db_commit(db, e);
    }
    db_rollback(db);
    return rc;
}

static int prepare_file(struct db *db, bool create, struct err *e)
{
    int64_t version = 0;
    if (read_version(db, &version, e) != 0) {
        return -1;
    }
    if (version == 0 && !create) {
        return err_set(e, "database %s: it is empty", db->path);
    }
    if (use_wal(db, e) != 0) {
        return -1;
    }
    if (sqlite3_exec(db->sqlite, "PRAGMA foreign_keys = ON; PRAGMA synchronous = FULL", NULL, NULL, NULL) !=
        SQLITE_OK) {
        return db_fail(db, e, "setting it up");
    }
    return version < DB_VERSION ? upgrade(db, e) : 0;
}

int db_open(const char *path, bool create, struct db **db, struct err *e)
{
    struct db *d = mem_alloc(sizeof *d);
    d->path = mem_strdup(path);
    *db = NULL;
    if ((create && make_file(path, e) != 0) || connect_file(d, e) != 0 || prepare_file(d, create, e) != 0) {
        db_close(d);
        return -1;
    }
    *db = d;
    return 0;
}

void db_close(struct db *db)
{
    if (db == NULL) {
        return;
    }
    for (size_t i = 0; i < SQL_COUNT; i++) {
        sqlite3_finalize(db->statements[i]);
    }
    sqlite3_close(db->sqlite);
    free(db->path);
    free(db);
}

int db_begin(struct db *db, struct err *e)
{
    sqlite3_stmt *s = db_statement(db, SQL_BEGIN, e);
    return s == NULL || db_run(db, s, e, "beginning a transaction") < 0 ? -1 : 0;
}

int db_commit(struct db *db, struct err *e)
{
    sqlite3_stmt *s = db_statement(db, SQL_COMMIT, e);
    return s == NULL || db_run(db, s, e, "committing") < 0 ? -1 : 0;
}

void db_rollback(struct db *db)
{
    struct err ignored = ERR_INIT; // nothing was promised yet, and closing the connection undoes it as well
    sqlite3_stmt *s = sqlite3_get_autocommit(db->sqlite) ? NULL : db_statement(db, SQL_ROLLBACK, &ignored);
    if (s != NULL) {
        db_run(db, s, &ignored, "rolling back");
    }
}

int db_fact_get(struct db *db, const char *name, char **text, struct err *e)
{
    *text = NULL;
    sqlite3_stmt *s = db_statement(db, SQL_FACT_GET, e);
    if (s == NULL) {
        return -1;
    }
    db_bind_text(db, s, 1, name);
    int code = db_step(db, s);
    int rc = code == SQLITE_ROW ? 1 : code == SQLITE_DONE ? 0 : db_fail(db, e, "looking up fact %s", name);
    if (rc == 1) {
        *text = db_column_text(s, 0);
    }
    db_finish(s);
    return rc;
}

int db_fact_set(struct db *db, const char *name, const char *text, struct err *e)
{
    sqlite3_stmt *s = db_statement(db, SQL_FACT_SET, e);
    if (s == NULL) {
        return -1;
    }
    db_bind_text(db, s, 1, name);
    db_bind_text(db, s, 2, text);
    return db_run(db, s, e, "setting fact %s", name) < 0 ? -1 : 0;
}
