// SPDX-License-Identifier: Apache-2.0
// ca/db_record.c: certificates added, found, listed, revoked; and that doing so never scans what was ever issued.
#include "db_fixture.h"

static int64_t add(struct fixture *f, enum role role, const char *name, int64_t issuer_id, const char *label)
{
    struct err e = ERR_INIT;
    int64_t id = sample_add(f->db, role, name, issuer_id, label, &e);
    if (id == 0) {
        fail_msg("%s", e.text);
    }
    return id;
}

static void assert_same(const struct record *a, const struct record *b)
{
    assert_int_equal(a->id, b->id);
    assert_int_equal(a->role, b->role);
    assert_int_equal(a->origin, b->origin);
    assert_string_equal(a->name, b->name);
    assert_int_equal(a->issuer_id, b->issuer_id);
    assert_int_equal(a->serial.len, b->serial.len);
    assert_memory_equal(a->serial.data, b->serial.data, b->serial.len);
    assert_string_equal(a->subject, b->subject);
    assert_int_equal(a->der.len, b->der.len);
    assert_memory_equal(a->der.data, b->der.data, b->der.len);
    assert_string_equal(a->fingerprint, b->fingerprint);
    assert_string_equal(a->key_id, b->key_id);
    assert_int_equal(a->not_before, b->not_before);
    assert_int_equal(a->not_after, b->not_after);
    assert_string_equal(a->spec, b->spec);
    assert_string_equal(a->key_file_digest, b->key_file_digest);
    assert_int_equal(a->current, b->current);
    assert_int_equal(a->issued_at, b->issued_at);
    assert_int_equal(a->revoked_at, b->revoked_at);
    assert_int_equal(a->reason, b->reason);
    assert_int_equal(a->invalidity_date, b->invalidity_date);
    assert_int_equal(a->revoked_by, b->revoked_by);
}

static void roles_have_names_and_directories(void **state)
{
    (void)state;
    static const char *const names[] = {"authority", "server", "client", "flaw"};
    static const char *const directories[] = {"authorities", "servers", "clients", "flaws"};
    for (int i = 0; i < ROLE_COUNT; i++) {
        assert_string_equal(role_name((enum role)i), names[i]);
        assert_string_equal(role_directory((enum role)i), directories[i]);
    }
}

static void what_was_added_is_found_as_it_was(void **state)
{
    struct fixture *f = *state;
    struct err e = ERR_INIT;
    struct record in, out;
    int64_t root = add(f, ROLE_AUTHORITY, "root", 0, "root");
    sample(&in, ROLE_CLIENT, "alice", root, "alice 1");
    in.not_before = -1; // 1969: a flaw or a joke, and not our business
    in.not_after = 253402300799;
    assert_ok(db_add(f->db, &in, &e), e);
    assert_true(in.id > root);
    assert_true(in.current);

    assert_int_equal(db_find_id(f->db, in.id, &out, &e), 1);
    assert_same(&out, &in);
    record_clear(&out);
    assert_int_equal(db_find_current(f->db, ROLE_CLIENT, "alice", &out, &e), 1);
    assert_same(&out, &in);
    record_clear(&out);
    assert_int_equal(db_find_fingerprint(f->db, in.fingerprint, &out, &e), 1);
    assert_same(&out, &in);
    record_clear(&out);
    assert_int_equal(db_find_serial(f->db, buf_span(&in.serial), &out, &e), 1);
    assert_same(&out, &in);
    record_clear(&out);
    record_clear(&in);
    assert_null(in.name);
}

static void what_was_not_added_is_not_found(void **state)
{
    struct fixture *f = *state;
    struct err e = ERR_INIT;
    struct record r;
    int64_t id = add(f, ROLE_CLIENT, "alice", 0, "alice");
    memset(&r, 0xff, sizeof r); // whatever was in it
    assert_int_equal(db_find_id(f->db, id + 1, &r, &e), 0);
    record_clear(&r);
    assert_int_equal(db_find_id(f->db, 0, &r, &e), 0);
    assert_int_equal(db_find_current(f->db, ROLE_SERVER, "alice", &r, &e), 0);
    assert_int_equal(db_find_current(f->db, ROLE_CLIENT, "Alice", &r, &e), 0);
    assert_int_equal(db_find_fingerprint(f->db, "", &r, &e), 0);
    assert_int_equal(db_find_serial(f->db, span_of("\x01", 1), &r, &e), 0);
    assert_int_equal(db_find_serial(f->db, span_of(NULL, 0), &r, &e), 0);
    assert_false(err_is_set(&e));
}

static void a_serial_is_new_for_its_issuer(void **state)
{
    struct fixture *f = *state;
    struct err e = ERR_INIT;
    struct record r;
    int64_t root = add(f, ROLE_AUTHORITY, "root", 0, "root");
    int64_t issuing = add(f, ROLE_AUTHORITY, "issuing", root, "issuing");
    int64_t alice = add(f, ROLE_CLIENT, "alice", issuing, "x");
    sample(&r, ROLE_CLIENT, "bob", issuing, "x");
    buf_clear(&r.serial);
    buf_add(&r.serial, "\x01\xfe", 2);
    assert_ok(db_add(f->db, &r, &e), e);

    r.role = ROLE_SERVER; // another role or name is no other issuer
    int64_t id = r.id;
    assert_int_equal(db_add(f->db, &r, &e), -1);
    assert_error(&e, f, ERR_REFUSED, "recording server bob: its issuer has used the serial 01fe before");
    assert_int_equal(r.id, id);
    r.issuer_id = root;
    assert_ok(db_add(f->db, &r, &e), e);
    r.issuer_id = 0;
    assert_ok(db_add(f->db, &r, &e), e);
    assert_int_equal(db_add(f->db, &r, &e), -1);
    assert_error(&e, f, ERR_REFUSED, "recording server bob: its issuer has used the serial 01fe before");
    record_clear(&r);

    // What was refused has not replaced what was there, in or out of a transaction, and the transaction goes on.
    assert_ok(db_begin(f->db, &e), e);
    assert_int_equal(sample_add(f->db, ROLE_CLIENT, "alice", issuing, "x", &e), 0);
    assert_int_equal(e.kind, ERR_REFUSED);
    err_clear(&e);
    add(f, ROLE_CLIENT, "carol", issuing, "y");
    assert_ok(db_commit(f->db, &e), e);
    assert_int_equal(db_find_current(f->db, ROLE_CLIENT, "alice", &r, &e), 1);
    assert_int_equal(r.id, alice);
    record_clear(&r);
    assert_int_equal(db_find_current(f->db, ROLE_CLIENT, "carol", &r, &e), 1);
    record_clear(&r);
}

static void flaws_may_repeat_serials_and_then_a_serial_names_none(void **state)
{
    struct fixture *f = *state;
    struct err e = ERR_INIT;
    struct record r;
    int64_t root = add(f, ROLE_AUTHORITY, "root", 0, "root");
    sample(&r, ROLE_FLAW, "serial_zero/leaf", root, "x");
    r.serial.len = 1;
    r.serial.data[0] = 0;
    assert_ok(db_add(f->db, &r, &e), e);
    struct record found;
    assert_int_equal(db_find_serial(f->db, span_of("", 1), &found, &e), 1);
    record_clear(&found);
    assert_ok(db_add(f->db, &r, &e), e); // its second making: same serial, same fingerprint
    assert_int_equal(db_find_serial(f->db, span_of("", 1), &found, &e), -1);
    assert_error(&e, f, ERR_REFUSED, "several certificates have this serial: flaw serial_zero/leaf and others");
    record_clear(&found);
    assert_int_equal(db_find_fingerprint(f->db, r.fingerprint, &found, &e), 1);
    assert_int_equal(found.id, r.id); // the newest
    record_clear(&found);
    record_clear(&r);
}

static void refuses_what_cannot_be(void **state)
{
    struct fixture *f = *state;
    struct err e = ERR_INIT;
    struct record r;
    assert_int_equal(sample_add(f->db, ROLE_CLIENT, "alice", 77, "x", &e), 0);
    assert_error(&e, f, ERR_ENVIRONMENT, "recording client alice: FOREIGN KEY constraint failed");
    assert_int_equal(sample_add(f->db, ROLE_CLIENT, "", 0, "x", &e), 0);
    assert_error(&e, f, ERR_ENVIRONMENT, "recording client : CHECK constraint failed: name <> ''");
    sample(&r, ROLE_CLIENT, "alice", 0, "x");
    r.revoked_at = 1;
    assert_int_equal(db_add(f->db, &r, &e), -1);
    assert_error(&e, f, ERR_ENVIRONMENT, "recording client alice: it is revoked before it is on record");
    r.revoked_at = 0;
    buf_clear(&r.serial);
    assert_int_equal(db_add(f->db, &r, &e), -1);
    assert_error(&e, f, ERR_ENVIRONMENT, "recording client alice: NOT NULL constraint failed: certificate.serial");
    record_clear(&r);
    assert_int_equal(ask(f->db->sqlite, "SELECT count(*) FROM certificate"), 0);
}

static void the_newest_is_current_until_it_is_retired(void **state)
{
    struct fixture *f = *state;
    struct err e = ERR_INIT;
    struct record r;
    int64_t first = add(f, ROLE_CLIENT, "alice", 0, "1");
    int64_t second = add(f, ROLE_CLIENT, "alice", 0, "2");
    int64_t server = add(f, ROLE_SERVER, "alice", 0, "3");
    assert_int_equal(db_find_current(f->db, ROLE_CLIENT, "alice", &r, &e), 1);
    assert_int_equal(r.id, second);
    record_clear(&r);
    assert_int_equal(db_find_id(f->db, first, &r, &e), 1);
    assert_false(r.current);
    record_clear(&r);

    for (int i = 0; i < 2; i++) { // again is fine, as is a name that nobody has
        assert_ok(db_retire(f->db, ROLE_CLIENT, "alice", &e), e);
        assert_int_equal(db_find_current(f->db, ROLE_CLIENT, "alice", &r, &e), 0);
    }
    assert_ok(db_retire(f->db, ROLE_CLIENT, "nobody", &e), e);
    assert_int_equal(db_find_current(f->db, ROLE_SERVER, "alice", &r, &e), 1);
    assert_int_equal(r.id, server);
    record_clear(&r);
    int64_t third = add(f, ROLE_CLIENT, "alice", 0, "4");
    assert_int_equal(db_find_current(f->db, ROLE_CLIENT, "alice", &r, &e), 1);
    assert_int_equal(r.id, third);
    record_clear(&r);
}

static void the_key_file_digest_changes_for_one(void **state)
{
    struct fixture *f = *state;
    struct err e = ERR_INIT;
    struct record r;
    int64_t alice = add(f, ROLE_CLIENT, "alice", 0, "1");
    int64_t bob = add(f, ROLE_CLIENT, "bob", 0, "2");
    assert_ok(db_set_key_file_digest(f->db, alice, "changed", &e), e);
    assert_int_equal(db_find_id(f->db, alice, &r, &e), 1);
    assert_string_equal(r.key_file_digest, "changed");
    record_clear(&r);
    assert_int_equal(db_find_id(f->db, bob, &r, &e), 1);
    assert_string_equal(r.key_file_digest, "digest");
    record_clear(&r);
    assert_int_equal(db_set_key_file_digest(f->db, 99, "x", &e), -1);
    assert_error(&e, f, ERR_ENVIRONMENT, "there is no certificate with the id 99");
}

static void a_revocation_stands(void **state)
{
    struct fixture *f = *state;
    struct err e = ERR_INIT;
    struct record r;
    int64_t id = add(f, ROLE_CLIENT, "mallory", 0, "1");
    assert_ok(db_revoke(f->db, id, REVOCATION_key_compromise, 1750000000, 1740000000, ORIGIN_PLAN, &e), e);
    assert_int_equal(
        db_revoke(f->db, id, REVOCATION_superseded, 1760000000, CRL_NO_INVALIDITY_DATE, ORIGIN_COMMAND, &e), 1);
    assert_int_equal(db_find_id(f->db, id, &r, &e), 1);
    assert_int_equal(r.revoked_at, 1750000000);
    assert_int_equal(r.reason, REVOCATION_key_compromise);
    assert_int_equal(r.invalidity_date, 1740000000);
    assert_int_equal(r.revoked_by, ORIGIN_PLAN);
    assert_true(r.current); // its files still hold it
    record_clear(&r);

    int64_t other = add(f, ROLE_CLIENT, "oscar", 0, "2");
    assert_ok(db_revoke(f->db, other, REVOCATION_unspecified, 1, CRL_NO_INVALIDITY_DATE, ORIGIN_COMMAND, &e), e);
    assert_int_equal(db_find_id(f->db, other, &r, &e), 1);
    assert_int_equal(r.revoked_at, 1);
    assert_int_equal(r.reason, REVOCATION_unspecified);
    assert_int_equal(r.invalidity_date, CRL_NO_INVALIDITY_DATE);
    assert_int_equal(r.revoked_by, ORIGIN_COMMAND);
    record_clear(&r);
}

static void refuses_revocations_that_cannot_be(void **state)
{
    struct fixture *f = *state;
    struct err e = ERR_INIT;
    int64_t id = add(f, ROLE_CLIENT, "alice", 0, "1");
    assert_int_equal(db_revoke(f->db, 99, REVOCATION_superseded, 1, CRL_NO_INVALIDITY_DATE, ORIGIN_PLAN, &e), -1);
    assert_error(&e, f, ERR_ENVIRONMENT, "there is no certificate with the id 99");
    assert_int_equal(db_revoke(f->db, id, REVOCATION_superseded, 0, CRL_NO_INVALIDITY_DATE, ORIGIN_PLAN, &e), -1);
    assert_error(&e, f, ERR_ENVIRONMENT, "revoking certificate 1: CHECK constraint failed: revoked_at > 0");
    assert_int_equal(db_revoke(f->db, id, REVOCATION_remove_from_crl, 1, CRL_NO_INVALIDITY_DATE, ORIGIN_PLAN, &e), -1);
    assert_error(&e, f, ERR_ENVIRONMENT,
                 "revoking certificate 1: CHECK constraint failed: reason IN (0, 1, 2, 3, 4, 5, 6, 9, 10)");
    assert_int_equal(ask(f->db->sqlite, "SELECT count(*) FROM certificate WHERE revoked_at IS NOT NULL"), 0);
}

struct listed {
    struct fixture *f;
    char names[256];
    int stop_after;
};

static int note_name(void *arg, const struct record *r, struct err *e)
{
    struct listed *l = arg;
    struct record same;
    if (db_find_id(l->f->db, r->id, &same, e) != 1) { // the database may be used meanwhile
        return -1;
    }
    assert_same(&same, r);
    record_clear(&same);
    size_t used = strlen(l->names);
    snprintf(l->names + used, sizeof l->names - used, "%s%s/%lld", used == 0 ? "" : " ", r->name, (long long)r->id);
    return --l->stop_after == 0 ? err_set(e, "enough") : 0;
}

static void lists_by_filter_in_order(void **state)
{
    struct fixture *f = *state;
    struct err e = ERR_INIT;
    struct record r;
    int64_t root = add(f, ROLE_AUTHORITY, "root", 0, "1");
    add(f, ROLE_FLAW, "expired/leaf", root, "2");
    add(f, ROLE_CLIENT, "bob", root, "3");
    add(f, ROLE_CLIENT, "alice", root, "4");
    add(f, ROLE_SERVER, "alice", root, "5");
    add(f, ROLE_CLIENT, "alice", root, "6");
    sample(&r, ROLE_SERVER, "short", 0, "7");
    r.not_after = SAMPLE_NOT_BEFORE + 10;
    assert_ok(db_add(f->db, &r, &e), e);
    record_clear(&r);
    assert_ok(db_revoke(f->db, 4, REVOCATION_superseded, 1, CRL_NO_INVALIDITY_DATE, ORIGIN_PLAN, &e), e);
    const struct {
        struct db_filter filter;
        const char *names;
    } cases[] = {
        {{.role = -1}, "root/1 alice/5 short/7 alice/4 alice/6 bob/3 expired/leaf/2"},
        {{.role = ROLE_CLIENT}, "alice/4 alice/6 bob/3"},
        {{.role = -1, .name = "alice"}, "alice/5 alice/4 alice/6"},
        {{.role = ROLE_CLIENT, .name = "alice", .current_only = true}, "alice/6"},
        {{.role = -1, .current_only = true}, "root/1 alice/5 short/7 alice/6 bob/3 expired/leaf/2"},
        {{.role = -1, .revoked_only = true}, "alice/4"},
        {{.role = -1, .issuer_id = root, .revoked_only = true}, "alice/4"},
        {{.role = ROLE_SERVER, .issuer_id = root}, "alice/5"},
        {{.role = ROLE_SERVER, .unexpired_only = true, .at = SAMPLE_NOT_BEFORE + 10}, "alice/5 short/7"},
        {{.role = ROLE_SERVER, .unexpired_only = true, .at = SAMPLE_NOT_BEFORE + 11}, "alice/5"},
        {{.role = -1, .expires_before = SAMPLE_NOT_BEFORE + 11}, "short/7"},
        {{.role = -1, .expires_before = SAMPLE_NOT_BEFORE + 10}, ""},
        {{.role = -1, .name = "nobody"}, ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct listed l = {.f = f};
        assert_ok(db_list(f->db, &cases[i].filter, note_name, &l, &e), e);
        assert_string_equal(l.names, cases[i].names);
    }
    struct listed l = {.f = f, .stop_after = 2};
    assert_int_equal(db_list(f->db, &cases[0].filter, note_name, &l, &e), -1);
    assert_string_equal(e.text, "enough");
    assert_string_equal(l.names, "root/1 alice/5");
}

// How SQLite would run a statement, in its own words.
static void plan_of(const struct db *db, const char *sql, struct buf *plan)
{
    char *explain = mem_printf("EXPLAIN QUERY PLAN %s", sql);
    sqlite3_stmt *s = NULL;
    assert_int_equal(sqlite3_prepare_v2(db->sqlite, explain, -1, &s, NULL), SQLITE_OK);
    buf_text(plan, "");
    while (sqlite3_step(s) == SQLITE_ROW) {
        buf_printf(plan, "%s; ", (const char *)sqlite3_column_text(s, 3));
    }
    sqlite3_finalize(s);
    free(explain);
}

static bool grows(const struct db *db, const char *sql)
{
    struct buf plan = {0};
    plan_of(db, sql, &plan);
    const char *scan = strstr((const char *)plan.data, "SCAN ");
    bool yes = (scan != NULL && !text_starts(scan, "SCAN CONSTANT ROW")) ||
               strstr((const char *)plan.data, "TEMP B-TREE") != NULL;
    if (yes) {
        print_message("%s\n  %s\n", sql, (const char *)plan.data);
    }
    buf_clear(&plan);
    return yes;
}

static void no_statement_grows_with_what_was_issued(void **state)
{
    struct fixture *f = *state;
    for (size_t i = 0; i < SQL_COUNT; i++) {
        assert_false(grows(f->db, db_sql[i]));
    }
    assert_true(grows(f->db, "SELECT id FROM certificate WHERE subject = ?1"));
    assert_true(grows(f->db, "SELECT id FROM certificate WHERE role = 1 ORDER BY serial"));

    struct buf plan = {0};
    plan_of(f->db, db_sql[SQL_REVOKED], &plan); // of all that an issuer signed only the revoked ones are read
    assert_non_null(strstr((const char *)plan.data, "certificate USING INDEX certificate_revoked (issuer_id=?"));
    buf_clear(&plan);
}

static int keep_sql(unsigned type, void *kept, void *s, void *x)
{
    (void)type;
    (void)x;
    buf_clear(kept);
    buf_text(kept, sqlite3_sql(s));
    return 0;
}

static void listing_a_name_does_not_grow_either(void **state)
{
    struct fixture *f = *state;
    struct err e = ERR_INIT;
    struct buf sql = {0};
    const struct db_filter filters[] = {{.role = -1, .name = "alice"},
                                        {.role = ROLE_CLIENT, .name = "alice"},
                                        {.role = -1, .name = "alice", .current_only = true}};
    for (size_t i = 0; i < sizeof filters / sizeof filters[0]; i++) {
        struct listed l = {.f = f};
        sqlite3_trace_v2(f->db->sqlite, SQLITE_TRACE_STMT, keep_sql, &sql);
        assert_ok(db_list(f->db, &filters[i], note_name, &l, &e), e);
        sqlite3_trace_v2(f->db->sqlite, 0, NULL, NULL);
        assert_false(grows(f->db, (const char *)sql.data));
    }
    buf_clear(&sql);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(roles_have_names_and_directories),
        TEST_OPEN(what_was_added_is_found_as_it_was),
        TEST_OPEN(what_was_not_added_is_not_found),
        TEST_OPEN(a_serial_is_new_for_its_issuer),
        TEST_OPEN(flaws_may_repeat_serials_and_then_a_serial_names_none),
        TEST_OPEN(refuses_what_cannot_be),
        TEST_OPEN(the_newest_is_current_until_it_is_retired),
        TEST_OPEN(the_key_file_digest_changes_for_one),
        TEST_OPEN(a_revocation_stands),
        TEST_OPEN(refuses_revocations_that_cannot_be),
        TEST_OPEN(lists_by_filter_in_order),
        TEST_OPEN(no_statement_grows_with_what_was_issued),
        TEST_OPEN(listing_a_name_does_not_grow_either),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
