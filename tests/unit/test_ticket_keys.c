// SPDX-License-Identifier: Apache-2.0
// tls/ticket_keys.c and tls/tickets.c: which key seals and which open, in memory and in a file.
#include "base/clock.h"
#include "run.h"
#include "tls/tickets.h"

#include <pthread.h>
#include <sys/stat.h>

static struct run dir;
static struct rng rng;
enum { NOW = 1795000000, DAY = CLOCK_DAY };

static int setup(void **state)
{
    struct err e = ERR_INIT;
    (void)state;
    run_begin(&dir);
    assert_works(rng_init(&rng, &e), &e);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    rng_clear(&rng);
    run_end(&dir);
    return 0;
}

static void test_ring(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    struct ticket_ring ring = {.count = 0};
    struct ticket_key late = {.name = "late", .from = 300};
    struct ticket_key early = {.name = "early", .from = 100};
    struct ticket_key middle = {.name = "middle", .from = 200};
    assert_null(ticket_ring_sealing(&ring, 1000));
    assert_works(ticket_ring_add(&ring, &late, &e), &e);
    assert_works(ticket_ring_add(&ring, &early, &e), &e);
    assert_works(ticket_ring_add(&ring, &middle, &e), &e);
    assert_fails(ticket_ring_add(&ring, &early, &e), &e, "two ticket keys have the same name");
    static const struct {
        int64_t now;
        const char *seals;              // NULL: none
        bool early_opens, middle_opens; // with a lifetime of 50
    } rows[] = {
        {99, NULL, true, true},      {100, "early", true, true},  {199, "early", true, true},
        {200, "middle", true, true}, {249, "middle", true, true}, {250, "middle", false, true},
        {300, "late", false, true},  {349, "late", false, true},  {350, "late", false, false},
        {999, "late", false, false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct ticket_key *key = ticket_ring_sealing(&ring, rows[i].now);
        assert_string_equal(key == NULL ? "none" : (const char *)key->name,
                            rows[i].seals == NULL ? "none" : rows[i].seals);
        assert_int_equal(ticket_ring_opening(&ring, early.name, 50, rows[i].now) != NULL, rows[i].early_opens);
        assert_int_equal(ticket_ring_opening(&ring, middle.name, 50, rows[i].now) != NULL, rows[i].middle_opens);
        assert_non_null(ticket_ring_opening(&ring, late.name, 50, rows[i].now)); // also before it seals
        assert_null(ticket_ring_opening(&ring, (const uint8_t *)"nobody's key....", 50, rows[i].now));
        struct ticket_ring copy = ring;
        ticket_ring_drop(&copy, 50, rows[i].now);
        assert_int_equal(copy.count, 1 + (rows[i].early_opens ? 1 : 0) + (rows[i].middle_opens ? 1 : 0));
        assert_string_equal((const char *)copy.keys[copy.count - 1].name, "late");
    }
    while (ring.count < TICKET_KEYS_MOST) {
        assert_works(ticket_ring_make(&ring, 400, &rng, &e), &e);
    }
    assert_fails(ticket_ring_make(&ring, 400, &rng, &e), &e, "there are more than 32 ticket keys");
    ticket_ring_clear(&ring);
    assert_int_equal(ring.count, 0);
}

#define NAME "000102030405060708090a0b0c0d0e0f"
#define KEY "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
#define GOOD "mtls-ticket-key 1 " NAME " " KEY " 2026-11-23T14:00:00Z\n"

static const struct {
    const char *text;
    const char *error; // behind the file's name; NULL: it is read
} files[] = {
    {GOOD, NULL},
    {"# a comment\n\n  \t\n" GOOD, NULL},
    {"mtls-ticket-key\t1  " NAME " " KEY " 2026-11-23T14:00:00Z\r\n", NULL},
    {"mtls-ticket-key 1 " NAME " " KEY " 1795000000", NULL},
    {"", " has no ticket key; make one: mtls ticket-key "},
    {"# nothing\n", " has no ticket key; make one: mtls ticket-key "},
    {"\n\nhello\n", ":3: expected \"mtls-ticket-key 1 NAME KEY FROM\""},
    {GOOD "mtls-ticket-key 1 " NAME " " KEY "\n", ":2: expected \"mtls-ticket-key 1 NAME KEY FROM\""},
    {"mtls-ticket-key 1 " NAME " " KEY " 0 more\n", ":1: expected \"mtls-ticket-key 1 NAME KEY FROM\""},
    {"mtls-ticket-key 2 " NAME " " KEY " 0\n", ":1: this version of mtls knows ticket keys of kind 1 only"},
    {"mtls-ticket-key 1 00 " KEY " 0\n", ":1: the name must be 32 hexadecimal digits"},
    {"mtls-ticket-key 1 " NAME " " NAME " 0\n", ":1: the key must be 64 hexadecimal digits"},
    {"mtls-ticket-key 1 " NAME " x" KEY " 0\n", ":1: the key must be 64 hexadecimal digits"},
    {"mtls-ticket-key 1 " NAME " " NAME "00:02:03:04:05:06:07:08:09:00:11"
     " 0\n",
     ":1: the key must be 64 hexadecimal digits"},
    {"mtls-ticket-key 1 " NAME " " KEY " now\n", ":1: the time must be absolute, as 2026-11-23T14:00:00Z is"},
    {"mtls-ticket-key 1 " NAME " " KEY " +1d\n", ":1: the time must be absolute, as 2026-11-23T14:00:00Z is"},
    {GOOD GOOD, ":2: two ticket keys have the same name"},
};

static void test_file(void **state)
{
    (void)state;
    char *file = mem_printf("%s/keys", dir.dir);
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        struct err e = ERR_INIT;
        struct ticket_ring ring = {.count = 0};
        run_file(&dir, "keys", span_of(files[i].text, strlen(files[i].text)));
        int rc = ticket_ring_read(&ring, file, &e);
        if (files[i].error == NULL) {
            assert_works(rc, &e);
            assert_int_equal(ring.count, 1);
            assert_int_equal(ring.keys[0].name[15], 15);
            assert_int_equal(ring.keys[0].key[31], 31);
        } else {
            char *expected = mem_printf("%s%s%s", file, files[i].error, files[i].error[0] == ' ' ? file : "");
            assert_fails(rc, &e, expected);
            free(expected);
        }
        assert_null(strstr(e.text, KEY));
    }
    free(file);
}

static void test_file_kind(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    struct ticket_ring ring = {.count = 0};
    char *file = mem_printf("%s/kind", dir.dir);
    char *expected = mem_printf("opening %s: No such file or directory", file);
    assert_fails(ticket_ring_read(&ring, file, &e), &e, expected);
    free(expected);
    run_file(&dir, "kind", span_of(GOOD "\0", sizeof GOOD));
    expected = mem_printf("%s is not a text file", file);
    assert_fails(ticket_ring_read(&ring, file, &e), &e, expected);
    free(expected);
    run_file(&dir, "kind", span_of(GOOD, sizeof GOOD - 1));
    assert_int_equal(chmod(file, 0640), 0);
    expected = mem_printf("%s holds secrets, but its mode is 0640: chmod 600 %s", file, file);
    assert_fails(ticket_ring_read(&ring, file, &e), &e, expected);
    free(expected);
    assert_int_equal(chmod(file, 0400), 0);
    assert_works(ticket_ring_read(&ring, file, &e), &e);
    struct buf many = {0};
    for (int i = 0; i <= TICKET_KEYS_MOST; i++) {
        buf_printf(&many, "mtls-ticket-key 1 %032x " KEY " 0\n", (unsigned)i);
    }
    run_file(&dir, "kind", buf_span(&many));
    ticket_ring_clear(&ring);
    expected = mem_printf("%s:33: there are more than 32 ticket keys", file);
    assert_fails(ticket_ring_read(&ring, file, &e), &e, expected);
    free(expected);
    buf_clear(&many);
    ticket_ring_clear(&ring);
    free(file);
}

static void test_rotate(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    struct ticket_ring ring = {.count = 0};
    struct stat st;
    char *file = mem_printf("%s/rotated", dir.dir);
    uint8_t first[TICKET_KEY_NAME];
    uint8_t second[TICKET_KEY_NAME];
    int64_t from = NOW + 600;
    assert_works(tls_ticket_keys_rotate(file, &from, NOW, &e), &e);
    assert_int_equal(from, NOW); // the first one seals at once
    assert_int_equal(stat(file, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    assert_works(ticket_ring_read(&ring, file, &e), &e);
    assert_int_equal(ring.count, 1);
    memcpy(first, ticket_ring_sealing(&ring, NOW)->name, sizeof first);
    ticket_ring_clear(&ring);
    from = NOW + 600;
    assert_works(tls_ticket_keys_rotate(file, &from, NOW, &e), &e);
    assert_int_equal(from, NOW + 600);
    assert_works(ticket_ring_read(&ring, file, &e), &e);
    assert_int_equal(ring.count, 2);
    assert_memory_not_equal(ring.keys[0].key, ring.keys[1].key, TICKET_KEY);
    assert_memory_equal(ticket_ring_sealing(&ring, NOW + 599)->name, first, sizeof first);
    memcpy(second, ticket_ring_sealing(&ring, NOW + 600)->name, sizeof second);
    assert_memory_not_equal(first, second, sizeof first);
    ticket_ring_clear(&ring);
    // The first one goes when nothing that it sealed can live any more, the second one stays as long as it seals.
    from = NOW + 599 + TICKET_LIFETIME_MOST;
    assert_works(tls_ticket_keys_rotate(file, &from, from, &e), &e);
    assert_works(ticket_ring_read(&ring, file, &e), &e);
    assert_int_equal(ring.count, 3);
    ticket_ring_clear(&ring);
    from++;
    assert_works(tls_ticket_keys_rotate(file, &from, from, &e), &e);
    assert_works(ticket_ring_read(&ring, file, &e), &e);
    assert_int_equal(ring.count, 3);
    assert_memory_equal(ring.keys[0].name, second, sizeof second);
    ticket_ring_clear(&ring);
    // A file that is not understood is left as it is.
    struct buf before = {0};
    run_file(&dir, "rotated", span_of("x", 1));
    char *expected = mem_printf("%s:1: expected \"mtls-ticket-key 1 NAME KEY FROM\"", file);
    assert_fails(tls_ticket_keys_rotate(file, &from, NOW, &e), &e, expected);
    run_read(&dir, "rotated", &before);
    assert_string_equal((const char *)before.data, "x");
    buf_clear(&before);
    free(expected);
    free(file);
}

static struct tls_tickets *tickets_of(const char *file, int64_t lifetime)
{
    struct err e = ERR_INIT;
    const struct tls_ticket_settings settings = {.key_file = file, .lifetime = lifetime};
    struct tls_tickets *made = tls_tickets_new(&settings, &e);
    assert_string_equal(e.text, "");
    return made;
}

// Keys of the process: a new one each day, an old one for as long as its tickets live.
static void test_memory(void **state)
{
    (void)state;
    struct ticket_key keys[9];
    struct ticket_key key;
    struct tls_tickets *tickets = tickets_of(NULL, INT64_C(2) * DAY);
    int64_t now = clock_now();
    assert_int_equal(tickets_lifetime(tickets), 2 * DAY);
    for (size_t day = 0; day < 9; day++) {
        assert_true(tickets_sealing(tickets, now, &keys[day]));
        assert_true(tickets_sealing(tickets, now + DAY - 2, &key));
        assert_memory_equal(key.name, keys[day].name, sizeof key.name);
        for (size_t old = 0; old <= day; old++) {
            assert_int_equal(tickets_opening(tickets, keys[old].name, now, &key), day - old <= 2);
            assert_true(day - old > 2 || memcmp(key.key, keys[old].key, sizeof key.key) == 0);
            assert_true(old == day || memcmp(keys[day].key, keys[old].key, sizeof key.key) != 0);
        }
        now += DAY;
    }
    tls_tickets_free(tickets);
}

static void test_reload(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    struct ticket_key first;
    struct ticket_key key;
    char *file = mem_printf("%s/reloaded", dir.dir);
    int64_t from = NOW;
    struct tls_ticket_settings settings = {.key_file = file, .lifetime = DAY};
    char *expected = mem_printf("opening %s: No such file or directory", file);
    assert_null(tls_tickets_new(&settings, &e));
    assert_string_equal(e.text, expected);
    err_clear(&e);
    free(expected);
    assert_works(tls_ticket_keys_rotate(file, &from, NOW, &e), &e);
    struct tls_tickets *tickets = tls_tickets_ref(tickets_of(file, DAY));
    tls_tickets_free(tickets); // one of two
    assert_true(tickets_sealing(tickets, NOW, &first));
    assert_true(tickets_sealing(tickets, NOW + INT64_C(9) * DAY, &key)); // a file's key is as old as it is
    assert_memory_equal(key.name, first.name, sizeof key.name);
    assert_false(tickets_sealing(tickets, NOW - 1, &key));
    from = NOW + 600;
    assert_works(tls_ticket_keys_rotate(file, &from, NOW, &e), &e);
    assert_works(tls_tickets_reload(tickets, &e), &e);
    assert_true(tickets_sealing(tickets, NOW + 600, &key));
    assert_memory_not_equal(key.name, first.name, sizeof key.name);
    // A bad file changes nothing.
    run_file(&dir, "reloaded", span_of("bad", 3));
    expected = mem_printf("%s:1: expected \"mtls-ticket-key 1 NAME KEY FROM\"", file);
    assert_fails(tls_tickets_reload(tickets, &e), &e, expected);
    free(expected);
    assert_true(tickets_opening(tickets, first.name, NOW, &key));
    assert_true(tickets_sealing(tickets, NOW + 600, &key));
    tls_tickets_free(tickets);
    settings.lifetime = TICKET_LIFETIME_MOST + 1;
    assert_null(tls_tickets_new(&settings, &e));
    assert_string_equal(e.text, "tickets can live for seven days at most (RFC 8446 section 4.6.1)");
    free(file);
}

// Many threads seal and open while the file changes; a key that was got is a whole one. For ThreadSanitizer.
enum { THREADS = 4, ROUNDS = 300 };

static void *use(void *arg)
{
    struct tls_tickets *tickets = tls_tickets_ref(arg);
    struct ticket_key sealing = {.from = 0};
    struct ticket_key opening = {.from = 0};
    bool good = true;
    for (int i = 0; i < ROUNDS; i++) {
        good = tickets_sealing(tickets, clock_now(), &sealing) && good;
        if (tickets_opening(tickets, sealing.name, clock_now(), &opening)) {
            good = memcmp(&sealing, &opening, sizeof sealing) == 0 && good;
        }
    }
    tls_tickets_free(tickets);
    return good ? arg : NULL;
}

static void test_threads(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    pthread_t threads[THREADS];
    char *file = mem_printf("%s/threads", dir.dir);
    int64_t from = clock_now();
    assert_works(tls_ticket_keys_rotate(file, &from, from, &e), &e);
    struct tls_tickets *tickets = tickets_of(file, DAY);
    for (size_t i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, use, tickets), 0);
    }
    for (int i = 0; i < 20; i++) {
        assert_works(tls_ticket_keys_rotate(file, &from, from, &e), &e);
        assert_works(tls_tickets_reload(tickets, &e), &e);
    }
    for (size_t i = 0; i < THREADS; i++) {
        void *good = NULL;
        assert_int_equal(pthread_join(threads[i], &good), 0);
        assert_ptr_equal(good, tickets);
    }
    tls_tickets_free(tickets);
    free(file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ring),    cmocka_unit_test(test_file),   cmocka_unit_test(test_file_kind),
        cmocka_unit_test(test_rotate),  cmocka_unit_test(test_memory), cmocka_unit_test(test_reload),
        cmocka_unit_test(test_threads),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
