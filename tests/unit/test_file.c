// SPDX-License-Identifier: Apache-2.0
#include "run.h"

#include <fcntl.h>
#include <sys/stat.h>

#define TEXT(s) span_of((s), strlen(s))

static int begin(void **state)
{
    struct run *r = mem_alloc(sizeof *r);
    run_begin(r);
    umask(022);
    *state = r;
    return 0;
}

static int end(void **state)
{
    run_end(*state);
    free(*state);
    return 0;
}

static char *path(const struct run *r, const char *name)
{
    return mem_printf("%s/%s", r->dir, name);
}

static mode_t mode_of(const struct run *r, const char *name)
{
    struct stat st;
    char *p = path(r, name);
    assert_int_equal(stat(p, &st), 0);
    free(p);
    return st.st_mode & 07777;
}

static void assert_holds(struct run *r, const char *name, const char *expected)
{
    struct buf data = {0};
    run_read(r, name, &data);
    assert_string_equal((char *)data.data, expected);
    buf_clear(&data);
}

static void a_file_is_replaced_whole(void **state)
{
    struct run *r = *state;
    struct err e = ERR_INIT;
    char *a = path(r, "a");
    assert_works(file_write(a, TEXT("one"), FILE_SECRET, &e), &e);
    assert_int_equal(mode_of(r, "a"), 0600);
    assert_works(file_write(a, TEXT("two"), FILE_PUBLIC, &e), &e);
    assert_int_equal(mode_of(r, "a"), 0644);
    assert_holds(r, "a", "two");
    assert_runs(r, "test \"$(ls)\" = a"); // nothing is left of what it was written to first
    free(a);
}

static void a_link_is_replaced_and_not_followed(void **state)
{
    struct run *r = *state;
    struct err e = ERR_INIT;
    char *a = path(r, "a");
    assert_runs(r, "echo -n mine > target && ln -s target a");
    assert_works(file_write(a, TEXT("new"), FILE_SECRET, &e), &e);
    assert_holds(r, "target", "mine");
    assert_holds(r, "a", "new");
    free(a);
}

static void reading_is_bounded(void **state)
{
    struct run *r = *state;
    struct err e = ERR_INIT;
    struct buf data = {0};
    char *a = path(r, "a");
    char *none = path(r, "none");
    char *expected = mem_printf("reading %s: it is larger than 4 bytes", a);
    assert_works(file_write(a, TEXT("12345"), FILE_PUBLIC, &e), &e);
    assert_works(file_read(a, 5, &data, &e), &e);
    assert_int_equal(data.len, 5);
    buf_clear(&data);
    assert_fails(file_read(a, 4, &data, &e), &e, expected);
    free(expected);
    expected = mem_printf("opening %s: No such file or directory", none);
    assert_fails(file_read(none, 4, &data, &e), &e, expected);
    free(expected);
    expected = mem_printf("reading %s: Is a directory", r->dir);
    assert_fails(file_read(r->dir, 4, &data, &e), &e, expected);
    buf_clear(&data);
    free(expected);
    free(none);
    free(a);
}

static void directories_are_made_with_their_parents(void **state)
{
    struct run *r = *state;
    struct err e = ERR_INIT;
    char *deep = path(r, "a/b/c");
    char *through = path(r, "file/b");
    assert_works(file_make_dirs(deep, &e), &e);
    assert_works(file_make_dirs(deep, &e), &e);
    assert_int_equal(mode_of(r, "a/b/c"), 0755);
    assert_runs(r, "touch file");
    char *expected = mem_printf("making directory %s: Not a directory", through);
    assert_fails(file_make_dirs(through, &e), &e, expected);
    free(expected);
    free(through);
    free(deep);
}

static void trees_are_removed_but_not_what_they_link_to(void **state)
{
    struct run *r = *state;
    struct err e = ERR_INIT;
    char *tree = path(r, "tree");
    assert_runs(r, "mkdir -p tree/a other && touch tree/a/x other/y && ln -s ../other tree/link");
    assert_works(file_remove_tree(tree, &e), &e);
    assert_false(file_exists(tree));
    assert_works(file_remove_tree(tree, &e), &e); // what is not there is no error
    assert_runs(r, "test -e other/y");
    free(tree);
}

static void a_batch_appears_together(void **state)
{
    struct run *r = *state;
    struct err e = ERR_INIT;
    struct file_batch batch = {0};
    char *a = path(r, "dir/a");
    char *b = path(r, "b");
    assert_runs(r, "echo -n old > b && mkdir dir && echo -n kept > dir/other");
    assert_works(file_batch_begin(&batch, r->dir, &e), &e);
    assert_works(file_batch_add(&batch, a, TEXT("new a"), FILE_SECRET, &e), &e);
    assert_works(file_batch_add(&batch, b, TEXT("new b"), FILE_PUBLIC, &e), &e);
    assert_false(file_exists(a));
    assert_holds(r, "b", "old");
    assert_works(file_batch_commit(&batch, &e), &e);
    file_batch_clear(&batch);
    assert_holds(r, "dir/a", "new a");
    assert_holds(r, "dir/other", "kept");
    assert_holds(r, "b", "new b");
    assert_int_equal(mode_of(r, "dir/a"), 0600);
    assert_int_equal(mode_of(r, "b"), 0644);
    assert_runs(r, "test \"$(ls -A | xargs)\" = 'b dir'");
    free(a);
    free(b);
}

static void a_batch_that_is_dropped_leaves_nothing(void **state)
{
    struct run *r = *state;
    struct err e = ERR_INIT;
    struct file_batch batch = {0};
    char *a = path(r, "a");
    assert_runs(r, "mkdir .staging && touch .staging/of-somebody-who-died");
    assert_works(file_batch_begin(&batch, r->dir, &e), &e);
    assert_works(file_batch_add(&batch, a, TEXT("x"), FILE_SECRET, &e), &e);
    assert_runs(r, "test \"$(ls -A .staging)\" = a");
    file_batch_clear(&batch);
    assert_runs(r, "test -z \"$(ls -A)\"");
    free(a);
}

static size_t put(struct run *r, const char *name, const char *text, mode_t mode, bool really)
{
    struct err e = ERR_INIT;
    struct file_batch batch = {0};
    size_t changed = 0;
    char *p = path(r, name);
    assert_works(file_batch_begin(&batch, r->dir, &e), &e);
    assert_works(file_put(really ? &batch : NULL, p, TEXT(text), mode, &changed, &e), &e);
    assert_works(file_batch_commit(&batch, &e), &e);
    file_batch_clear(&batch);
    free(p);
    return changed;
}

static void only_what_differs_is_put(void **state)
{
    struct run *r = *state;
    assert_int_equal(put(r, "a", "x", FILE_SECRET, false), 1);
    assert_runs(r, "test ! -e a");
    assert_int_equal(put(r, "a", "x", FILE_SECRET, true), 1);
    assert_int_equal(put(r, "a", "x", FILE_SECRET, true), 0);
    assert_int_equal(put(r, "a", "y", FILE_SECRET, true), 1);
    assert_runs(r, "chmod 640 a");
    assert_int_equal(put(r, "a", "y", FILE_SECRET, true), 1); // others could read it
    assert_int_equal(mode_of(r, "a"), 0600);
    assert_runs(r, "chmod 400 a");
    assert_int_equal(put(r, "a", "y", FILE_SECRET, true), 0); // less is fine
    assert_int_equal(put(r, "a", "", FILE_SECRET, true), 1);
    assert_int_equal(put(r, "a", "", FILE_SECRET, true), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_file_is_replaced_whole, begin, end),
        cmocka_unit_test_setup_teardown(a_link_is_replaced_and_not_followed, begin, end),
        cmocka_unit_test_setup_teardown(reading_is_bounded, begin, end),
        cmocka_unit_test_setup_teardown(directories_are_made_with_their_parents, begin, end),
        cmocka_unit_test_setup_teardown(trees_are_removed_but_not_what_they_link_to, begin, end),
        cmocka_unit_test_setup_teardown(a_batch_appears_together, begin, end),
        cmocka_unit_test_setup_teardown(a_batch_that_is_dropped_leaves_nothing, begin, end),
        cmocka_unit_test_setup_teardown(only_what_differs_is_put, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
