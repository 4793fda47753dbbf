// SPDX-License-Identifier: Apache-2.0
// What the tests of the database share: a fresh directory for each test, and certificates that are none but look so.
#ifndef MTLS_TESTS_DB_FIXTURE_H
#define MTLS_TESTS_DB_FIXTURE_H

#include "base/file.h"
#include "base/text.h"
#include "ca/db_internal.h"
#include "tests/temporary.h"

#include <mbedtls/sha256.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// clang-format off
#include <cmocka.h> // after the four that it asks for
// clang-format on

enum { SAMPLE_NOT_BEFORE = 1700000000, SAMPLE_NOT_AFTER = 1800000000, SAMPLE_DER = 600 };

struct fixture {
    char directory[TEMPORARY_PATH];
    char path[TEMPORARY_PATH + 16];
    struct db *db; // open in the tests that want it so
};

static inline int fixture_setup(void **state)
{
    struct fixture *f = mem_alloc(sizeof *f);
    if (!temporary_make(f->directory)) {
        return -1;
    }
    snprintf(f->path, sizeof f->path, "%s/pki.db", f->directory);
    *state = f;
    return 0;
}

static inline int fixture_open(void **state)
{
    struct err e = ERR_INIT;
    if (fixture_setup(state) != 0) {
        return -1;
    }
    struct fixture *f = *state;
    return db_open(f->path, true, &f->db, &e);
}

static inline int fixture_teardown(void **state)
{
    struct fixture *f = *state;
    struct err e = ERR_INIT;
    db_close(f->db);
    int rc = file_remove_tree(f->directory, &e);
    free(f);
    return rc;
}

// A record that differs from every other one with another label, in serial and fingerprint, as random ones do.
static inline void sample(struct record *r, enum role role, const char *name, int64_t issuer_id, const char *label)
{
    uint8_t hash[32];
    uint8_t der[SAMPLE_DER] = {0x30};
    struct buf hex = {0};
    mbedtls_sha256((const unsigned char *)label, strlen(label), hash, 0);
    text_hex(&hex, hash, sizeof hash, '\0');
    *r = (struct record){
        .role = role,
        .origin = ORIGIN_COMMAND,
        .name = mem_strdup(name),
        .issuer_id = issuer_id,
        .subject = mem_printf("CN=%s", name),
        .not_before = SAMPLE_NOT_BEFORE,
        .not_after = SAMPLE_NOT_AFTER,
        .spec = mem_strdup("spec"),
        .key_file_digest = mem_strdup("digest"),
        .issued_at = SAMPLE_NOT_BEFORE + 1,
        .invalidity_date = CRL_NO_INVALIDITY_DATE,
    };
    snprintf(r->fingerprint, sizeof r->fingerprint, "%s", (const char *)hex.data);
    snprintf(r->key_id, sizeof r->key_id, "%.40s", (const char *)hex.data);
    hash[0] = (uint8_t)((hash[0] & 0x3f) | 0x40);
    memcpy(der + 1, hash, sizeof hash);
    buf_add(&r->serial, hash, 20);
    buf_add(&r->der, der, sizeof der);
    buf_clear(&hex);
}

// Adds such a record; its id, or 0 with the error set.
static inline int64_t sample_add(struct db *db, enum role role, const char *name, int64_t issuer_id, const char *label,
                                 struct err *e)
{
    struct record r;
    sample(&r, role, name, issuer_id, label);
    int64_t id = db_add(db, &r, e) == 0 ? r.id : 0;
    record_clear(&r);
    return id;
}

// One number from SQLite itself, past the code under test; -1 when there is none.
static inline int64_t ask(sqlite3 *sqlite, const char *sql)
{
    sqlite3_stmt *s = NULL;
    int64_t value = -1;
    if (sqlite3_prepare_v2(sqlite, sql, -1, &s, NULL) == SQLITE_OK && sqlite3_step(s) == SQLITE_ROW) {
        value = sqlite3_column_int64(s, 0);
    }
    sqlite3_finalize(s);
    return value;
}

#define TEST_FRESH(test) cmocka_unit_test_setup_teardown(test, fixture_setup, fixture_teardown)
#define TEST_OPEN(test) cmocka_unit_test_setup_teardown(test, fixture_open, fixture_teardown)

#define assert_ok(rc, e)                                                                                               \
    do {                                                                                                               \
        if ((rc) != 0) {                                                                                               \
            fail_msg("%s", (e).text);                                                                                  \
        }                                                                                                              \
    } while (0)

// The error is exactly "database FILE: words" of this kind; it is cleared.
static inline void assert_error(struct err *e, const struct fixture *f, enum err_kind kind, const char *words)
{
    char text[320];
    snprintf(text, sizeof text, "database %s: %s", f->path, words);
    assert_string_equal(e->text, text);
    assert_int_equal(e->kind, kind);
    err_clear(e);
}

#endif
