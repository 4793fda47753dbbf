// SPDX-License-Identifier: Apache-2.0
// The promises of ca/db.h that need more than one process: many writers at once lose nothing, and whoever is killed
// leaves a sound database with everything in it that was committed. Plus what an insert costs.
#include "base/clock.h"
#include "db_fixture.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>

// Runs in a child: says what is wrong, and is not come back from.
static void quit_if(bool failed, const struct err *e)
{
    if (failed) {
        fprintf(stderr, "child: %s\n", e->text);
        _exit(1);
    }
}

static int exit_code(pid_t pid)
{
    int status = 0;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

// Opens what a dead process left, and checks it as SQLite does.
static void open_sound(struct fixture *f)
{
    struct err e = ERR_INIT;
    assert_ok(db_open(f->path, true, &f->db, &e), e);
    assert_int_equal(ask(f->db->sqlite, "SELECT integrity_check = 'ok' FROM pragma_integrity_check"), 1);
    assert_int_equal(ask(f->db->sqlite, "SELECT count(*) FROM pragma_foreign_key_check"), 0);
}

enum { WRITERS = 8, EACH = 50 };

static void many_may_make_it_at_once(void **state)
{
    struct fixture *f = *state;
    for (int round = 0; round < 30; round++) {
        struct err e = ERR_INIT;
        pid_t makers[WRITERS];
        int start[2]; // closed by us once all are there
        char nothing;
        assert_int_equal(pipe2(start, O_CLOEXEC), 0);
        for (int i = 0; i < WRITERS; i++) {
            makers[i] = fork();
            assert_true(makers[i] >= 0);
            if (makers[i] == 0) {
                struct db *db = NULL;
                close(start[1]);
                quit_if(read(start[0], &nothing, 1) != 0, &e);
                quit_if(db_open(f->path, true, &db, &e) != 0, &e);
                quit_if(db_fact_set(db, "made", "yes", &e) != 0, &e);
                db_close(db);
                _exit(0);
            }
        }
        close(start[0]);
        close(start[1]);
        for (int i = 0; i < WRITERS; i++) {
            assert_int_equal(exit_code(makers[i]), 0);
        }
        open_sound(f);
        db_close(f->db);
        f->db = NULL;
        assert_ok(file_remove_tree(f->directory, &e), e);
        assert_ok(file_make_dirs(f->directory, &e), e);
    }
}

// Half of them connect anew each time, so that opening and closing (which tidies the log away) meet writing.
static void write_some(const char *path, int writer)
{
    struct err e = ERR_INIT;
    struct db *db = NULL;
    for (int i = 0; i < EACH; i++) {
        char name[32];
        char label[40];
        snprintf(name, sizeof name, "w%d-%d", writer, i);
        snprintf(label, sizeof label, "the one %s", name);
        quit_if(db == NULL && db_open(path, true, &db, &e) != 0, &e);
        quit_if(db_begin(db, &e) != 0, &e);
        quit_if(sample_add(db, ROLE_CLIENT, name, 0, name, &e) == 0, &e);
        quit_if(sample_add(db, ROLE_SERVER, "the one", 0, label, &e) == 0, &e);
        quit_if(db_commit(db, &e) != 0, &e);
        if (writer % 2 == 0) {
            db_close(db);
            db = NULL;
        }
    }
    db_close(db);
    _exit(0);
}

static void eight_writers_at_once_lose_nothing(void **state)
{
    struct fixture *f = *state;
    pid_t writers[WRITERS];
    for (int i = 0; i < WRITERS; i++) {
        writers[i] = fork();
        assert_true(writers[i] >= 0);
        if (writers[i] == 0) {
            write_some(f->path, i);
        }
    }
    for (int i = 0; i < WRITERS; i++) {
        assert_int_equal(exit_code(writers[i]), 0);
    }
    open_sound(f);
    for (int i = 0; i < WRITERS * EACH; i++) {
        struct err e = ERR_INIT;
        struct record r;
        char name[32];
        snprintf(name, sizeof name, "w%d-%d", i / EACH, i % EACH);
        assert_int_equal(db_find_current(f->db, ROLE_CLIENT, name, &r, &e), 1);
        record_clear(&r);
    }
    assert_int_equal(ask(f->db->sqlite, "SELECT count(*) FROM certificate"), 2 * WRITERS * EACH);
    assert_int_equal(ask(f->db->sqlite, "SELECT count(*) FROM certificate WHERE role = 1 AND current"), 1);
}

// Three records to a transaction, each told once it is committed, until somebody kills us.
static void write_until_killed(const char *path, int run, int report)
{
    struct err e = ERR_INIT;
    struct db *db = NULL;
    quit_if(db_open(path, true, &db, &e) != 0, &e);
    for (int32_t i = 0;; i++) {
        quit_if(db_begin(db, &e) != 0, &e);
        for (int part = 0; part < 3; part++) {
            char name[48];
            snprintf(name, sizeof name, "r%d-%d-%d", run, (int)i, part);
            quit_if(sample_add(db, ROLE_CLIENT, name, 0, name, &e) == 0, &e);
        }
        quit_if(db_commit(db, &e) != 0, &e);
        quit_if(write(report, &i, sizeof i) != sizeof i, &e);
    }
}

static void killed_at_random_it_keeps_what_was_committed(void **state)
{
    struct fixture *f = *state;
    enum { RUNS = 20 };
    unsigned seed = (unsigned)clock_now();
    print_message("seed %u\n", seed);
    int64_t total = 0;
    for (int run = 0; run < RUNS; run++) {
        int ends[2];
        int32_t last = -1;
        assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            write_until_killed(f->path, run, ends[1]);
        }
        close(ends[1]);
        usleep((useconds_t)(rand_r(&seed) % 60000)); // at times before it is open, or made
        kill(child, SIGKILL);
        while (read(ends[0], &last, sizeof last) == sizeof last) {
        }
        close(ends[0]);
        assert_int_equal(exit_code(child), -SIGKILL);

        open_sound(f);
        int64_t now = ask(f->db->sqlite, "SELECT count(*) FROM certificate");
        assert_int_equal(now % 3, 0);
        int64_t committed = (now - total) / 3; // one more than was told, if it died between the commit and telling
        assert_in_range(committed - (last + 1), 0, 1);
        for (int32_t i = 0; i <= last; i++) {
            struct err e = ERR_INIT;
            struct record r;
            char name[48];
            snprintf(name, sizeof name, "r%d-%d-2", run, (int)i);
            assert_int_equal(db_find_current(f->db, ROLE_CLIENT, name, &r, &e), 1);
            record_clear(&r);
        }
        total = now;
        db_close(f->db);
        f->db = NULL;
    }
    print_message("%lld records committed by %d that were killed\n", (long long)total, RUNS);
    assert_true(total > 0);
}

// SQLite lets its system calls be replaced. In the child the nth that changes a file is where it dies: before it, or
// with half of it done.
static int calls_left;
static bool half_done;
static sqlite3_syscall_ptr real_open, real_write, real_pwrite, real_pwrite64, real_ftruncate, real_unlink;

static bool is_the_end(void)
{
    return --calls_left == 0;
}

static int dying_open(const char *path, int flags, int mode)
{
    if ((flags & O_CREAT) != 0 && is_the_end()) {
        raise(SIGKILL);
    }
    return ((int (*)(const char *, int, int))real_open)(path, flags, mode);
}

static ssize_t dying_write(int fd, const void *data, size_t len)
{
    ssize_t (*call)(int, const void *, size_t) = (ssize_t(*)(int, const void *, size_t))real_write;
    if (is_the_end()) {
        call(fd, data, half_done ? len / 2 : 0);
        raise(SIGKILL);
    }
    return call(fd, data, len);
}

typedef ssize_t pwrite_call(int fd, const void *data, size_t len, off_t offset);

static ssize_t dying_pwrite_by(pwrite_call *call, int fd, const void *data, size_t len, off_t offset)
{
    if (is_the_end()) {
        call(fd, data, half_done ? len / 2 : 0, offset);
        raise(SIGKILL);
    }
    return call(fd, data, len, offset);
}

static ssize_t dying_pwrite(int fd, const void *data, size_t len, off_t offset)
{
    return dying_pwrite_by((pwrite_call *)real_pwrite, fd, data, len, offset);
}

static ssize_t dying_pwrite64(int fd, const void *data, size_t len, off_t offset)
{
    return dying_pwrite_by((pwrite_call *)real_pwrite64, fd, data, len, offset);
}

static int dying_ftruncate(int fd, off_t len)
{
    if (is_the_end()) {
        raise(SIGKILL);
    }
    return ((int (*)(int, off_t))real_ftruncate)(fd, len);
}

static int dying_unlink(const char *path)
{
    if (is_the_end()) {
        raise(SIGKILL);
    }
    return ((int (*)(const char *))real_unlink)(path);
}

static void die_at(int call, bool half)
{
    const struct {
        const char *name;
        sqlite3_syscall_ptr *real;
        sqlite3_syscall_ptr dying;
    } calls[] = {
        {"open", &real_open, (sqlite3_syscall_ptr)dying_open},
        {"write", &real_write, (sqlite3_syscall_ptr)dying_write},
        {"pwrite", &real_pwrite, (sqlite3_syscall_ptr)dying_pwrite},
        {"pwrite64", &real_pwrite64, (sqlite3_syscall_ptr)dying_pwrite64},
        {"ftruncate", &real_ftruncate, (sqlite3_syscall_ptr)dying_ftruncate},
        {"unlink", &real_unlink, (sqlite3_syscall_ptr)dying_unlink},
    };
    sqlite3_vfs *vfs = sqlite3_vfs_find(NULL);
    calls_left = call;
    half_done = half;
    for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
        *calls[i].real = vfs->xGetSystemCall(vfs, calls[i].name);
        if (*calls[i].real != NULL) { // those that this SQLite was built with
            vfs->xSetSystemCall(vfs, calls[i].name, calls[i].dying);
        }
    }
}

enum { STEPS = 4 }; // that are committed, and told, one after the other

static void commit_steps(const char *path, int report)
{
    struct err e = ERR_INIT;
    struct db *db = NULL;
    struct crl_record crl = {.number = 1, .this_update = 1, .next_update = 2};
    buf_text(&crl.der, "list");
    quit_if(db_open(path, true, &db, &e) != 0, &e);
    quit_if(write(report, "0", 1) != 1, &e);
    quit_if(sample_add(db, ROLE_AUTHORITY, "root", 0, "root", &e) == 0, &e);
    quit_if(write(report, "1", 1) != 1, &e);
    quit_if(db_begin(db, &e) != 0, &e);
    for (int i = 0; i < 20; i++) {
        char name[16];
        snprintf(name, sizeof name, "c%d", i);
        quit_if(sample_add(db, ROLE_CLIENT, name, 1, name, &e) == 0, &e);
    }
    quit_if(db_commit(db, &e) != 0, &e);
    quit_if(write(report, "2", 1) != 1, &e);
    quit_if(db_begin(db, &e) != 0, &e);
    quit_if(db_revoke(db, 2, REVOCATION_key_compromise, 1, CRL_NO_INVALIDITY_DATE, ORIGIN_PLAN, &e) != 0, &e);
    quit_if(db_crl_put(db, 1, &crl, &e) != 0, &e);
    quit_if(db_commit(db, &e) != 0, &e);
    quit_if(write(report, "3", 1) != 1, &e);
    db_close(db); // writes the log back into the file
    _exit(0);
}

// How many of the steps the database knows: each is there wholly or not at all.
static int steps_done(sqlite3 *sqlite)
{
    int64_t records = ask(sqlite, "SELECT count(*) FROM certificate");
    int64_t revoked = ask(sqlite, "SELECT count(*) FROM certificate WHERE revoked_at = 1");
    int64_t lists = ask(sqlite, "SELECT count(*) FROM crl WHERE number = 1 AND der IS NOT NULL");
    assert_true(records == 0 || records == 1 || records == 21);
    assert_int_equal(revoked, lists);
    assert_true(revoked == 0 || records == 21);
    return 1 + (records > 0) + (records > 1) + (revoked > 0);
}

static void killed_at_every_write_it_keeps_what_was_committed(void **state)
{
    struct fixture *f = *state;
    int deaths = 0;
    for (int half = 0; half < 2; half++) {
        bool survived = false;
        for (int call = 1; !survived; call++) {
            struct err e = ERR_INIT;
            int ends[2];
            char told[STEPS + 1];
            assert_in_range(call, 1, 1000);
            assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
            pid_t child = fork();
            assert_true(child >= 0);
            if (child == 0) {
                die_at(call, half == 1);
                commit_steps(f->path, ends[1]);
            }
            close(ends[1]);
            int code = exit_code(child);
            ssize_t count = read(ends[0], told, sizeof told);
            close(ends[0]);
            assert_true(code == 0 || code == -SIGKILL);
            survived = code == 0;
            deaths += !survived;

            open_sound(f);
            int done = steps_done(f->db->sqlite);
            assert_in_range(done, count, STEPS);
            assert_true(done <= count + 1);
            assert_int_equal(survived ? STEPS : done, done);
            db_close(f->db);
            f->db = NULL;
            assert_ok(file_remove_tree(f->directory, &e), e);
            assert_ok(file_make_dirs(f->directory, &e), e);
        }
    }
    print_message("killed at %d places\n", deaths);
    assert_in_range(deaths, 20, 2000); // the calls were indeed replaced
}

static int64_t microseconds_of_adding(struct fixture *f, int from, int count)
{
    struct err e = ERR_INIT;
    struct record *records = mem_array((size_t)count, sizeof *records);
    for (int i = 0; i < count; i++) {
        char name[32];
        snprintf(name, sizeof name, "client-%d", from + i);
        sample(&records[i], ROLE_CLIENT, name, 0, name);
    }
    int64_t start = (int64_t)clock_monotonic_us();
    assert_ok(db_begin(f->db, &e), e);
    for (int i = 0; i < count; i++) {
        assert_ok(db_add(f->db, &records[i], &e), e);
    }
    assert_ok(db_commit(f->db, &e), e);
    int64_t took = (int64_t)clock_monotonic_us() - start;
    for (int i = 0; i < count; i++) {
        record_clear(&records[i]);
    }
    free(records);
    return took;
}

static int by_value(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a;
    int64_t y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

// The median of some, because now and then one has to write the log back.
static int64_t microseconds_of_revoking(struct fixture *f, int64_t id)
{
    enum { TIMES = 21 };
    struct err e = ERR_INIT;
    int64_t took[TIMES];
    for (int i = 0; i < TIMES; i++) {
        int64_t start = (int64_t)clock_monotonic_us();
        assert_ok(db_revoke(f->db, id + i, REVOCATION_superseded, 1, CRL_NO_INVALIDITY_DATE, ORIGIN_PLAN, &e), e);
        took[i] = (int64_t)clock_monotonic_us() - start;
    }
    qsort(took, TIMES, sizeof took[0], by_value);
    return took[TIMES / 2];
}

// Figures for people: a slow or busy machine is no failure.
static void what_it_costs(void **state)
{
    struct fixture *f = *state;
    enum { BATCH = 1000, MANY = 20000 };
    int64_t first = microseconds_of_adding(f, 0, BATCH);
    int64_t revoke_first = microseconds_of_revoking(f, 500);
    int64_t many = microseconds_of_adding(f, BATCH, MANY);
    int64_t last = microseconds_of_adding(f, BATCH + MANY, BATCH);
    int64_t revoke_last = microseconds_of_revoking(f, MANY / 2);
    print_message("1,000 records in one transaction: %.1f ms; 20,000 more: %.1f ms; the next 1,000: %.1f ms\n",
                  (double)first / 1000, (double)many / 1000, (double)last / 1000);
    print_message("one revocation, synced: %.2f ms among 1,000, %.2f ms among 22,000\n", (double)revoke_first / 1000,
                  (double)revoke_last / 1000);
    assert_int_equal(ask(f->db->sqlite, "SELECT count(*) FROM certificate"), 2 * BATCH + MANY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST_FRESH(many_may_make_it_at_once),
        TEST_FRESH(eight_writers_at_once_lose_nothing),
        TEST_FRESH(killed_at_random_it_keeps_what_was_committed),
        TEST_FRESH(killed_at_every_write_it_keeps_what_was_committed),
        TEST_OPEN(what_it_costs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
