// SPDX-License-Identifier: Apache-2.0
// ca/db_crl.c: what a revocation list must say, when an entry may leave it, and the numbers that only rise.
#include "db_fixture.h"

enum { NO_DATE = CRL_NO_INVALIDITY_DATE };

static void put(struct fixture *f, int64_t issuer_id, int64_t number, int64_t this_update)
{
    struct err e = ERR_INIT;
    struct crl_record crl = {.number = number, .this_update = this_update, .next_update = this_update + 100};
    buf_printf(&crl.der, "list %lld", (long long)number);
    assert_ok(db_crl_put(f->db, issuer_id, &crl, &e), e);
    buf_clear(&crl.der);
}

// Two authorities and three clients of the first.
struct scene {
    int64_t root, other, alice, bob, carol;
};

static struct scene set_scene(struct fixture *f)
{
    struct err e = ERR_INIT;
    struct scene s;
    s.root = sample_add(f->db, ROLE_AUTHORITY, "root", 0, "root", &e);
    s.other = sample_add(f->db, ROLE_AUTHORITY, "other", 0, "other", &e);
    s.alice = sample_add(f->db, ROLE_CLIENT, "alice", s.root, "alice", &e);
    s.bob = sample_add(f->db, ROLE_CLIENT, "bob", s.root, "bob", &e);
    s.carol = sample_add(f->db, ROLE_CLIENT, "carol", s.root, "carol", &e);
    assert_ok(err_is_set(&e), e);
    return s;
}

static void mark_revoked(struct fixture *f, int64_t id, int64_t when)
{
    struct err e = ERR_INIT;
    assert_ok(db_revoke(f->db, id, REVOCATION_superseded, when, NO_DATE, ORIGIN_PLAN, &e), e);
}

static size_t count_revoked(struct fixture *f, int64_t issuer_id, int64_t at)
{
    struct err e = ERR_INIT;
    struct crl_entry *entries = NULL;
    struct buf serials = {0};
    size_t count = 99;
    assert_ok(db_revoked(f->db, issuer_id, at, &entries, &count, &serials, &e), e);
    assert_true((count == 0) == (entries == NULL));
    free(entries);
    buf_clear(&serials);
    return count;
}

static void assert_serial(struct fixture *f, const struct crl_entry *entry, int64_t id)
{
    struct err e = ERR_INIT;
    struct record r;
    assert_int_equal(db_find_id(f->db, id, &r, &e), 1);
    assert_int_equal(entry->serial.len, r.serial.len);
    assert_memory_equal(entry->serial.data, r.serial.data, r.serial.len);
    record_clear(&r);
}

static void the_revoked_come_oldest_first_and_of_one_issuer(void **state)
{
    struct fixture *f = *state;
    struct err e = ERR_INIT;
    struct scene s = set_scene(f);
    struct crl_entry *entries = NULL;
    struct buf serials = {0};
    size_t count = 0;
    int64_t dave = sample_add(f->db, ROLE_CLIENT, "dave", s.other, "dave", &e);
    int64_t flaw = sample_add(f->db, ROLE_FLAW, "revoked/leaf", s.root, "flaw", &e);
    mark_revoked(f, flaw, 300);
    assert_ok(db_revoke(f->db, s.carol, REVOCATION_key_compromise, 200, 150, ORIGIN_COMMAND, &e), e);
    mark_revoked(f, s.alice, 100);
    mark_revoked(f, dave, 50);
    buf_text(&serials, "already here");
    assert_ok(db_revoked(f->db, s.root, 1000, &entries, &count, &serials, &e), e);
    assert_int_equal(count, 3);
    assert_serial(f, &entries[0], s.alice);
    assert_int_equal(entries[0].revoked_at, 100);
    assert_int_equal(entries[0].reason, REVOCATION_superseded);
    assert_int_equal(entries[0].invalidity_date, NO_DATE);
    assert_serial(f, &entries[1], s.carol);
    assert_int_equal(entries[1].revoked_at, 200);
    assert_int_equal(entries[1].reason, REVOCATION_key_compromise);
    assert_int_equal(entries[1].invalidity_date, 150);
    assert_serial(f, &entries[2], flaw);
    free(entries);
    buf_clear(&serials);
    assert_int_equal(count_revoked(f, s.other, 1000), 1);
    assert_int_equal(count_revoked(f, s.alice, 1000), 0);
    assert_int_equal(count_revoked(f, 0, 1000), 0);
}

static void a_long_list_keeps_its_serials_in_place(void **state)
{
    struct fixture *f = *state;
    struct err e = ERR_INIT;
    struct scene s = set_scene(f);
    struct crl_entry *entries = NULL;
    struct buf serials = {0};
    size_t count = 0;
    int64_t ids[300];
    assert_ok(db_begin(f->db, &e), e);
    for (int i = 0; i < 300; i++) {
        char name[16];
        snprintf(name, sizeof name, "c%d", i);
        ids[i] = sample_add(f->db, ROLE_CLIENT, name, s.root, name, &e);
        mark_revoked(f, ids[i], 1000); // of one second: in the order of their ids
    }
    assert_ok(db_commit(f->db, &e), e);
    assert_ok(db_revoked(f->db, s.root, 1000, &entries, &count, &serials, &e), e);
    assert_int_equal(count, 300);
    for (int i = 0; i < 300; i++) {
        assert_serial(f, &entries[i], ids[i]);
    }
    free(entries);
    buf_clear(&serials);
}

// RFC 5280 section 3.3.
static void an_entry_leaves_one_list_after_its_certificate_expired(void **state)
{
    struct fixture *f = *state;
    struct scene s = set_scene(f);
    const int64_t end = SAMPLE_NOT_AFTER; // the last second in which it is valid
    mark_revoked(f, s.alice, 1000);
    assert_int_equal(count_revoked(f, s.root, end + 500), 1); // expired, but no list yet
    put(f, s.root, 1, end);
    assert_int_equal(count_revoked(f, s.root, end + 500), 1); // the last list was issued while it was valid
    put(f, s.root, 2, end + 1);
    assert_int_equal(count_revoked(f, s.root, end + 500), 0);
    assert_int_equal(count_revoked(f, s.root, end + 1), 0);
    assert_int_equal(count_revoked(f, s.root, end), 1); // a clock set back makes it valid again
}

static void one_revoked_after_it_expired_is_listed_once_too(void **state)
{
    struct fixture *f = *state;
    struct scene s = set_scene(f);
    const int64_t end = SAMPLE_NOT_AFTER;
    mark_revoked(f, s.alice, 1000);
    put(f, s.root, 1, end + 1);
    mark_revoked(f, s.bob, 1000); // dated back: the list that there is does not have it all the same
    assert_int_equal(count_revoked(f, s.root, end + 100), 1);
    put(f, s.root, 2, end + 100);
    assert_int_equal(count_revoked(f, s.root, end + 200), 0);
    mark_revoked(f, s.carol, end + 150);
    put(f, s.other, 7, end + 300); // another issuer's list says nothing
    assert_int_equal(count_revoked(f, s.root, end + 300), 1);
}

static void what_a_dropped_list_said_is_said_again(void **state)
{
    struct fixture *f = *state;
    struct err e = ERR_INIT;
    struct scene s = set_scene(f);
    mark_revoked(f, s.alice, 1000);
    put(f, s.root, 1, SAMPLE_NOT_AFTER + 1);
    assert_int_equal(count_revoked(f, s.root, SAMPLE_NOT_AFTER + 2), 0);
    assert_ok(db_crl_drop(f->db, s.root, &e), e);
    assert_int_equal(count_revoked(f, s.root, SAMPLE_NOT_AFTER + 2), 1);
}

static void numbers_only_rise(void **state)
{
    struct fixture *f = *state;
    struct err e = ERR_INIT;
    struct scene s = set_scene(f);
    struct crl_record crl = {.this_update = 5, .next_update = 6};
    int64_t number = 0;
    buf_text(&crl.der, "x");
    assert_ok(db_crl_next_number(f->db, s.root, &number, &e), e);
    assert_int_equal(number, 1);
    put(f, s.root, 1, 1000);
    put(f, s.root, 7, 1000);
    assert_ok(db_crl_next_number(f->db, s.root, &number, &e), e);
    assert_int_equal(number, 8);
    assert_ok(db_crl_next_number(f->db, s.other, &number, &e), e);
    assert_int_equal(number, 1);
    for (crl.number = 6; crl.number <= 7; crl.number++) {
        char text[80];
        snprintf(text, sizeof text, "list %d of issuer 1 is not newer than its last", (int)crl.number);
        assert_int_equal(db_crl_put(f->db, s.root, &crl, &e), -1);
        assert_error(&e, f, ERR_REFUSED, text);
    }

    assert_ok(db_crl_drop(f->db, s.root, &e), e); // dropped is not forgotten
    assert_ok(db_crl_next_number(f->db, s.root, &number, &e), e);
    assert_int_equal(number, 8);
    crl.number = 7;
    assert_int_equal(db_crl_put(f->db, s.root, &crl, &e), -1);
    assert_error(&e, f, ERR_REFUSED, "list 7 of issuer 1 is not newer than its last");
    put(f, s.root, 8, 1000);
    buf_clear(&crl.der);
}

static void refuses_lists_that_cannot_be(void **state)
{
    struct fixture *f = *state;
    struct err e = ERR_INIT;
    struct scene s = set_scene(f);
    struct crl_record crl = {.number = 1, .this_update = 5, .next_update = 6};
    int64_t number = 0;
    assert_int_equal(db_crl_put(f->db, s.root, &crl, &e), -1);
    assert_error(&e, f, ERR_ENVIRONMENT,
                 "recording list 1 of issuer 1: CHECK constraint failed: (this_update IS NULL) = (der IS NULL)");
    buf_text(&crl.der, "x");
    assert_int_equal(db_crl_put(f->db, 99, &crl, &e), -1);
    assert_error(&e, f, ERR_ENVIRONMENT, "recording list 1 of issuer 99: FOREIGN KEY constraint failed");
    crl.number = 0;
    assert_int_equal(db_crl_put(f->db, s.root, &crl, &e), -1);
    assert_error(&e, f, ERR_ENVIRONMENT, "recording list 0 of issuer 1: CHECK constraint failed: number > 0");
    crl.number = INT64_MAX; // after which there is none
    assert_ok(db_crl_put(f->db, s.root, &crl, &e), e);
    assert_ok(db_crl_next_number(f->db, s.root, &number, &e), e);
    crl.number = number;
    assert_int_equal(db_crl_put(f->db, s.root, &crl, &e), -1);
    assert_error(&e, f, ERR_REFUSED, "list 9223372036854775807 of issuer 1 is not newer than its last");
    buf_clear(&crl.der);
}

struct listed {
    struct db *db;
    char text[128];
    bool stop;
};

static int note_list(void *arg, const struct crl_record *crl, struct err *e)
{
    struct listed *l = arg;
    struct crl_record same;
    if (db_crl_find(l->db, crl->issuer_id, &same, e) != 1) { // the database may be used meanwhile
        return -1;
    }
    assert_int_equal(same.number, crl->number);
    buf_clear(&same.der);
    size_t used = strlen(l->text);
    snprintf(l->text + used, sizeof l->text - used, "%lld:%s ", (long long)crl->issuer_id, (const char *)crl->der.data);
    return l->stop ? err_set(e, "enough") : 0;
}

static void the_newest_list_is_found_and_listed(void **state)
{
    struct fixture *f = *state;
    struct err e = ERR_INIT;
    struct scene s = set_scene(f);
    struct crl_record crl;
    struct listed l = {.db = f->db};
    assert_int_equal(db_crl_find(f->db, s.root, &crl, &e), 0);
    assert_ok(db_crl_list(f->db, note_list, &l, &e), e);
    assert_string_equal(l.text, "");

    put(f, s.other, 3, 900);
    put(f, s.root, 1, 1000);
    put(f, s.root, 2, 2000);
    assert_int_equal(db_crl_find(f->db, s.root, &crl, &e), 1);
    assert_int_equal(crl.issuer_id, s.root);
    assert_int_equal(crl.number, 2);
    assert_int_equal(crl.this_update, 2000);
    assert_int_equal(crl.next_update, 2100);
    assert_string_equal((const char *)crl.der.data, "list 2");
    buf_clear(&crl.der);
    assert_ok(db_crl_list(f->db, note_list, &l, &e), e);
    assert_string_equal(l.text, "1:list 2 2:list 3 ");

    l = (struct listed){.db = f->db, .stop = true};
    assert_int_equal(db_crl_list(f->db, note_list, &l, &e), -1);
    assert_string_equal(e.text, "enough");
    err_clear(&e);

    for (int i = 0; i < 2; i++) { // again is fine, as is an issuer that never had one
        assert_ok(db_crl_drop(f->db, s.root, &e), e);
        assert_int_equal(db_crl_find(f->db, s.root, &crl, &e), 0);
    }
    assert_ok(db_crl_drop(f->db, s.alice, &e), e);
    l = (struct listed){.db = f->db};
    assert_ok(db_crl_list(f->db, note_list, &l, &e), e);
    assert_string_equal(l.text, "2:list 3 ");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST_OPEN(the_revoked_come_oldest_first_and_of_one_issuer),
        TEST_OPEN(a_long_list_keeps_its_serials_in_place),
        TEST_OPEN(an_entry_leaves_one_list_after_its_certificate_expired),
        TEST_OPEN(one_revoked_after_it_expired_is_listed_once_too),
        TEST_OPEN(what_a_dropped_list_said_is_said_again),
        TEST_OPEN(numbers_only_rise),
        TEST_OPEN(refuses_lists_that_cannot_be),
        TEST_OPEN(the_newest_list_is_found_and_listed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
