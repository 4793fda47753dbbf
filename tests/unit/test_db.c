// SPDX-License-Identifier: Apache-2.0
// ca/db.c: opening and refusing to, transactions, facts.
#include "db_fixture.h"

#include <sys/stat.h>

static void assert_refused_open(const char *path, bool create, const char *text)
{
    struct err e = ERR_INIT;
    struct db *db = (struct db *)&e;
    assert_int_equal(db_open(path, create, &db, &e), -1);
    assert_null(db);
    assert_string_equal(e.text, text);
    assert_int_equal(e.kind, ERR_ENVIRONMENT);
}

static void write_file(const char *path, const char *bytes, size_t len)
{
    struct err e = ERR_INIT;
    assert_ok(file_write(path, span_of(bytes, len), 0600, &e), e);
}

static void foreign(const char *path, const char *sql)
{
    sqlite3 *sqlite = NULL;
    assert_int_equal(sqlite3_open(path, &sqlite), SQLITE_OK);
    assert_int_equal(sqlite3_exec(sqlite, sql, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(sqlite);
}

static mode_t mode_of(const char *path)
{
    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    return st.st_mode & 07777;
}

static void creates_it_private_and_set_up(void **state)
{
    struct fixture *f = *state;
    char wal[TEMPORARY_PATH + 32];
    snprintf(wal, sizeof wal, "%s-wal", f->path);
    mode_t old = umask(0);
    struct err e = ERR_INIT;
    int rc = db_open(f->path, true, &f->db, &e);
    umask(old);
    assert_ok(rc, e);
    assert_int_equal(mode_of(f->path), 0600);
    assert_int_equal(mode_of(wal), 0600);
    assert_int_equal(ask(f->db->sqlite, "PRAGMA foreign_keys"), 1);
    assert_int_equal(ask(f->db->sqlite, "PRAGMA synchronous"), 2); // FULL
    assert_int_equal(ask(f->db->sqlite, "PRAGMA busy_timeout"), 60000);
    assert_int_equal(ask(f->db->sqlite, "SELECT journal_mode = 'wal' FROM pragma_journal_mode"), 1);
    assert_int_equal(ask(f->db->sqlite, "PRAGMA user_version"), DB_VERSION);
    assert_int_equal(ask(f->db->sqlite, "PRAGMA application_id"), DB_APPLICATION);
}

static void opens_again_with_or_without_create(void **state)
{
    struct fixture *f = *state;
    struct err e = ERR_INIT;
    assert_ok(db_open(f->path, true, &f->db, &e), e);
    assert_ok(db_fact_set(f->db, "kept", "yes", &e), e);
    for (int create = 0; create < 2; create++) {
        char *text = NULL;
        db_close(f->db);
        assert_ok(db_open(f->path, create == 1, &f->db, &e), e);
        assert_int_equal(db_fact_get(f->db, "kept", &text, &e), 1);
        assert_string_equal(text, "yes");
        free(text);
    }
    db_close(NULL);
}

static void refuses_what_is_not_there(void **state)
{
    struct fixture *f = *state;
    char path[TEMPORARY_PATH + 64];
    char text[320];
    snprintf(text, sizeof text, "database %s: opening: No such file or directory", f->path);
    assert_refused_open(f->path, false, text);
    assert_false(file_exists(f->path));
    snprintf(path, sizeof path, "%s/none/pki.db", f->directory);
    snprintf(text, sizeof text, "database %s: creating: No such file or directory", path);
    assert_refused_open(path, true, text);
    snprintf(text, sizeof text, "database %s: opening: Is a directory", f->directory);
    assert_refused_open(f->directory, true, text);
}

static void refuses_what_is_no_database_and_leaves_it_alone(void **state)
{
    struct fixture *f = *state;
    static const char words[5000] = "-----BEGIN CERTIFICATE-----\nnot a database, and longer than one of its pages";
    char text[TEMPORARY_PATH + 96];
    snprintf(text, sizeof text, "database %s: it is not an SQLite database", f->path);
    const size_t lengths[] = {10, sizeof words};
    for (size_t i = 0; i < 2; i++) {
        size_t len = lengths[i];
        struct buf after = {0};
        struct err e = ERR_INIT;
        write_file(f->path, words, len);
        assert_refused_open(f->path, false, text);
        assert_refused_open(f->path, true, text);
        assert_ok(file_read(f->path, FILE_LIMIT, &after, &e), e);
        assert_int_equal(after.len, len);
        assert_memory_equal(after.data, words, len);
        buf_clear(&after);
    }
}

static void refuses_an_empty_file_unless_it_may_create(void **state)
{
    struct fixture *f = *state;
    struct err e = ERR_INIT;
    char text[TEMPORARY_PATH + 96];
    write_file(f->path, "", 0);
    snprintf(text, sizeof text, "database %s: it is empty", f->path);
    assert_refused_open(f->path, false, text);
    assert_ok(db_open(f->path, true, &f->db, &e), e);
}

static void refuses_the_database_of_another_program(void **state)
{
    struct fixture *f = *state;
    char text[TEMPORARY_PATH + 96];
    snprintf(text, sizeof text, "database %s: it belongs to another program", f->path);
    foreign(f->path, "CREATE TABLE cookies (name)");
    assert_refused_open(f->path, true, text);
    foreign(f->path, "DROP TABLE cookies; PRAGMA user_version = 1");
    assert_refused_open(f->path, true, text);
}

static void refuses_a_newer_version(void **state)
{
    struct fixture *f = *state;
    struct err e = ERR_INIT;
    char text[240];
    assert_ok(db_open(f->path, true, &f->db, &e), e);
    db_close(f->db);
    f->db = NULL;
    foreign(f->path, "PRAGMA user_version = 2");
    snprintf(text, sizeof text,
             "database %s: a newer mtls made it (version 2 of its tables; this mtls knows version 1)", f->path);
    assert_refused_open(f->path, false, text);
    assert_refused_open(f->path, true, text);
}

static void a_transaction_is_all_or_nothing(void **state)
{
    struct fixture *f = *state;
    struct err e = ERR_INIT;
    char *text = NULL;
    db_rollback(f->db); // none is fine
    assert_ok(db_begin(f->db, &e), e);
    assert_ok(db_fact_set(f->db, "a", "1", &e), e);
    db_rollback(f->db);
    assert_int_equal(db_fact_get(f->db, "a", &text, &e), 0);
    assert_ok(db_begin(f->db, &e), e);
    assert_ok(db_fact_set(f->db, "a", "2", &e), e);
    assert_ok(db_commit(f->db, &e), e);
    db_rollback(f->db);
    assert_int_equal(db_fact_get(f->db, "a", &text, &e), 1);
    assert_string_equal(text, "2");
    free(text);
}

static void transactions_do_not_nest(void **state)
{
    struct fixture *f = *state;
    struct err e = ERR_INIT;
    assert_int_equal(db_commit(f->db, &e), -1);
    assert_error(&e, f, ERR_ENVIRONMENT, "committing: cannot commit - no transaction is active");
    assert_ok(db_begin(f->db, &e), e);
    assert_int_equal(db_begin(f->db, &e), -1);
    assert_error(&e, f, ERR_ENVIRONMENT, "beginning a transaction: cannot start a transaction within a transaction");
    db_rollback(f->db);
}

static void one_writer_at_a_time_and_readers_see_what_is_committed(void **state)
{
    struct fixture *f = *state;
    struct db *other = NULL;
    struct err e = ERR_INIT;
    char *text = NULL;
    assert_ok(db_open(f->path, false, &other, &e), e);
    sqlite3_busy_timeout(other->sqlite, 0);
    assert_ok(db_begin(f->db, &e), e);
    assert_ok(db_fact_set(f->db, "a", "1", &e), e);
    assert_int_equal(db_fact_get(other, "a", &text, &e), 0);
    assert_int_equal(db_begin(other, &e), -1);
    assert_error(&e, f, ERR_ENVIRONMENT, "beginning a transaction: database is locked");
    assert_int_equal(db_fact_set(other, "a", "2", &e), -1);
    assert_error(&e, f, ERR_ENVIRONMENT, "setting fact a: database is locked");
    assert_ok(db_commit(f->db, &e), e);
    assert_int_equal(db_fact_get(other, "a", &text, &e), 1);
    assert_string_equal(text, "1");
    assert_ok(db_fact_set(other, "a", "2", &e), e);
    free(text);
    db_close(other);
}

static void facts_are_set_and_replaced(void **state)
{
    struct fixture *f = *state;
    struct err e = ERR_INIT;
    char *text = (char *)f;
    assert_int_equal(db_fact_get(f->db, "seed", &text, &e), 0);
    assert_null(text);
    assert_ok(db_fact_set(f->db, "seed", "one", &e), e);
    assert_ok(db_fact_set(f->db, "seed", "", &e), e);
    assert_int_equal(db_fact_get(f->db, "seed", &text, &e), 1);
    assert_string_equal(text, "");
    free(text);
    assert_int_equal(db_fact_get(f->db, "Seed", &text, &e), 0);
}

static void a_database_that_lost_its_tables_is_an_error_and_not_a_no(void **state)
{
    struct fixture *f = *state;
    struct err e = ERR_INIT;
    char *text = NULL;
    foreign(f->path, "DROP TABLE fact");
    assert_int_equal(db_fact_get(f->db, "seed", &text, &e), -1);
    assert_error(&e, f, ERR_ENVIRONMENT, "looking up fact seed: no such table: fact");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST_FRESH(creates_it_private_and_set_up),
        TEST_FRESH(opens_again_with_or_without_create),
        TEST_FRESH(refuses_what_is_not_there),
        TEST_FRESH(refuses_what_is_no_database_and_leaves_it_alone),
        TEST_FRESH(refuses_an_empty_file_unless_it_may_create),
        TEST_FRESH(refuses_the_database_of_another_program),
        TEST_FRESH(refuses_a_newer_version),
        TEST_OPEN(a_transaction_is_all_or_nothing),
        TEST_OPEN(transactions_do_not_nest),
        TEST_OPEN(one_writer_at_a_time_and_readers_see_what_is_committed),
        TEST_OPEN(facts_are_set_and_replaced),
        TEST_OPEN(a_database_that_lost_its_tables_is_an_error_and_not_a_no),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
