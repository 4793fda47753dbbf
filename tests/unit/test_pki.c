// SPDX-License-Identifier: Apache-2.0
#include "pki_fixture.h"

static int open_at(struct fixture *f, const char *seed, bool create, struct err *e)
{
    struct pki_options options = {.dir = f->dir, .seed = seed, .now = DAY_0};
    pki_close(f->pki);
    f->pki = NULL;
    return pki_open(&options, create, &f->pki, e);
}

static void a_pki_is_made_when_something_is_written(void **state)
{
    struct fixture *f = *state;
    struct err e = ERR_INIT;
    char *expected = mem_printf("%s is no PKI: it has no pki.db; make one with mtls pki -d %s", f->dir, f->dir);
    assert_fails(open_at(f, NULL, false, &e), &e, expected);
    assert_works(open_at(f, NULL, true, &e), &e);
    assert_runs(&f->run, "test ! -e pki");
    assert_works(pki_lock(f->pki, &e), &e);
    pki_unlock(f->pki);
    assert_runs(&f->run, "test \"$(stat -c %%a pki/pki.db)\" = 600");
    assert_works(open_at(f, NULL, false, &e), &e);
    free(expected);
}

static void a_file_in_its_place(void **state)
{
    struct fixture *f = *state;
    struct err e = ERR_INIT;
    assert_runs(&f->run, "touch pki");
    assert_works(open_at(f, NULL, true, &e), &e);
    assert_int_equal(pki_lock(f->pki, &e), -1);
    assert_non_null(strstr(e.text, "pki/.lock: Not a directory"));
}

// What was begun and holds nothing can become either; what holds something stays what it is.
static void seeds_do_not_mix(void **state)
{
    struct fixture *f = *state;
    struct err e = ERR_INIT;
    bool seeded = true;
    char *with = mem_printf("%s has keys that were not made from a seed; --seed needs a new directory", f->dir);
    assert_works(open_at(f, "x", true, &e), &e);
    assert_works(pki_lock(f->pki, &e), &e);
    assert_works(open_at(f, NULL, true, &e), &e);
    assert_works(pki_lock(f->pki, &e), &e);
    pki_unlock(f->pki);
    assert_works(fixture_apply(f, "authorities: [{name: root}]\n", false, false, &e), &e);
    assert_works(pki_is_seeded(f->pki, &seeded, &e), &e);
    assert_false(seeded);
    assert_works(open_at(f, "x", true, &e), &e);
    assert_fails(pki_lock(f->pki, &e), &e, with);
    free(with);
}

static void a_seeded_one_stays_marked(void **state)
{
    static const char plan[] = "authorities: [{name: root, not_before: 2026-01-01, not_after: 2030-01-01}]\n";
    struct fixture *f = *state;
    struct err e = ERR_INIT;
    bool seeded = false;
    char *without =
        mem_printf("%s was made with --seed, so its keys are no secret: only mtls pki --seed may change it", f->dir);
    char *other = mem_printf("%s was made with another --seed", f->dir);
    assert_works(open_at(f, "x", true, &e), &e);
    assert_works(fixture_apply(f, plan, false, false, &e), &e);
    assert_works(open_at(f, "x", true, &e), &e);
    assert_works(fixture_apply(f, plan, false, false, &e), &e);
    assert_int_equal(f->report.files, 0);
    assert_works(open_at(f, "y", true, &e), &e);
    assert_fails(pki_lock(f->pki, &e), &e, other);
    assert_works(open_at(f, NULL, false, &e), &e); // to read is allowed
    assert_works(pki_is_seeded(f->pki, &seeded, &e), &e);
    assert_true(seeded);
    assert_fails(pki_lock(f->pki, &e), &e, without);
    free(without);
    free(other);
}

static void paths_and_digests(void **state)
{
    struct fixture *f = *state;
    char digest[65];
    char *path = entry_directory(f->pki, ROLE_CLIENT, "alice");
    char *expected = mem_printf("%s/clients/alice", f->dir);
    assert_string_equal(path, expected);
    file_digest(span_of("abc", 3), digest);
    assert_string_equal(digest, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    assert_null(pki_comment(f->pki));
    free(path);
    free(expected);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_begin, fixture_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_pki_is_made_when_something_is_written),
        TEST(a_file_in_its_place),
        TEST(seeds_do_not_mix),
        TEST(a_seeded_one_stays_marked),
        TEST(paths_and_digests),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
