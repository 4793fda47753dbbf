// SPDX-License-Identifier: Apache-2.0
// Files: read whole and bounded; written whole or not at all; many of them together.
#include "base/file.h"
#include "tests/temporary.h"
#include "unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char root[TEMPORARY_PATH];

static int begin(void **state)
{
    (void)state;
    return !temporary_make(root) || chdir(root) != 0 ? -1 : 0;
}

static int end(void **state)
{
    struct err e = ERR_INIT;
    (void)state;
    return chdir("/") != 0 || file_remove_tree(root, &e) != 0 ? -1 : 0;
}

static struct span text(const char *words)
{
    return span_of(words, strlen(words));
}

static void assert_holds(const char *path, const char *words)
{
    struct err e = ERR_INIT;
    struct buf data = {0};
    assert_works(file_read(path, FILE_LIMIT, &data, &e), &e);
    assert_string_equal((char *)data.data, words);
    buf_clear(&data);
}

static mode_t mode_of(const char *path)
{
    struct stat st = {0};
    assert_int_equal(stat(path, &st), 0);
    return st.st_mode & 0777;
}

static void reads_any_size_up_to_the_limit(void **state)
{
    static const size_t sizes[] = {0, 1, 254, 255, 256, 4096, 65534, 65535, 65536, 65537, 200000};
    struct err e = ERR_INIT;
    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        struct buf data = {0};
        char *words = mem_alloc(sizes[i] + 1);
        memset(words, 'x', sizes[i]);
        assert_works(file_write("file", text(words), FILE_PUBLIC, &e), &e);
        buf_text(&data, "before ");
        assert_works(file_read("file", sizes[i], &data, &e), &e);
        assert_int_equal(data.len, 7 + sizes[i]);
        assert_string_equal((char *)data.data + 7, words);
        buf_clear(&data);
        if (sizes[i] == 256) {
            assert_fails(file_read("file", 255, &data, &e), &e, "reading file: it is larger than 255 bytes");
        }
        buf_clear(&data);
        free(words);
    }
}

static void reads_what_has_no_size(void **state)
{
    struct err e = ERR_INIT;
    struct buf data = {0};
    (void)state;
    assert_works(file_read("/proc/self/status", FILE_LIMIT, &data, &e), &e); // says that it is empty
    assert_true(data.len > 100);
    buf_clear(&data);
    assert_fails(file_read("nothing", FILE_LIMIT, &data, &e), &e, "opening nothing: No such file or directory");
}

static void writes_in_one_step(void **state)
{
    struct err e = ERR_INIT;
    (void)state;
    assert_works(file_write("secret", text("1"), FILE_SECRET, &e), &e);
    assert_works(file_write("secret", text("2"), FILE_SECRET, &e), &e);
    assert_holds("secret", "2");
    assert_int_equal(mode_of("secret"), 0600);
    assert_int_equal(mkdir("directory", 0755), 0);
    assert_int_equal(file_write("directory", text("3"), FILE_PUBLIC, &e), -1);
    err_clear(&e);
    assert_int_equal(system("test \"$(ls -A | tr '\\n' ' ')\" = 'directory secret '"), 0); // nothing is left behind
}

static void makes_directories(void **state)
{
    struct err e = ERR_INIT;
    (void)state;
    assert_works(file_make_dirs("a/b/c", &e), &e);
    assert_works(file_make_dirs("a/b/c", &e), &e);
    assert_works(file_make_dirs("a/d/", &e), &e);
    assert_true(file_exists("a/b/c") && file_exists("a/d"));
    assert_works(file_write("a/file", text(""), FILE_PUBLIC, &e), &e);
    assert_fails(file_make_dirs("a/file/b", &e), &e, "making directory a/file/b: Not a directory");
}

static void add(struct file_batch *b, const char *name, const char *words)
{
    struct err e = ERR_INIT;
    char *path = mem_printf("%s/%s", root, name);
    assert_works(file_batch_add(b, path, text(words), FILE_PUBLIC, &e), &e);
    free(path);
}

static void batch_appears_together(void **state)
{
    struct err e = ERR_INIT;
    struct file_batch b;
    (void)state;
    assert_works(file_make_dirs("old/entry", &e), &e);
    assert_works(file_write("old/entry/cert", text("1"), FILE_PUBLIC, &e), &e);
    assert_works(file_write("old/entry/own", text("mine"), FILE_PUBLIC, &e), &e);
    assert_works(file_batch_begin(&b, root, &e), &e);
    assert_int_equal(mode_of(".staging"), 0700);
    add(&b, "old/entry/cert", "2");
    add(&b, "old/another/cert", "3");
    add(&b, "new/one/cert", "4");
    add(&b, "new/one/control/cert", "5");
    add(&b, "new/two/cert", "6");
    add(&b, "top", "7");
    assert_holds("old/entry/cert", "1");
    assert_false(file_exists("new") || file_exists("top") || file_exists("old/another"));
    assert_works(file_batch_commit(&b, &e), &e);
    file_batch_clear(&b);
    assert_holds("old/entry/cert", "2");
    assert_holds("old/entry/own", "mine");
    assert_holds("old/another/cert", "3");
    assert_holds("new/one/cert", "4");
    assert_holds("new/one/control/cert", "5");
    assert_holds("new/two/cert", "6");
    assert_holds("top", "7");
    assert_false(file_exists(".staging"));
}

static void many_are_synced_too(void **state)
{
    struct err e = ERR_INIT;
    struct file_batch b;
    char name[32];
    (void)state;
    assert_works(file_batch_begin(&b, root, &e), &e);
    for (int i = 0; i < 3 * FILE_BATCH_FEW; i++) {
        snprintf(name, sizeof name, "many/%d", i);
        add(&b, name, name);
    }
    assert_works(file_batch_sync(&b, &e), &e);
    add(&b, "more", "1");
    assert_works(file_batch_commit(&b, &e), &e);
    file_batch_clear(&b);
    assert_holds(name, name);
    assert_holds("more", "1");
}

static void batch_that_is_dropped_leaves_nothing(void **state)
{
    struct err e = ERR_INIT;
    struct file_batch b;
    (void)state;
    assert_works(file_batch_begin(&b, root, &e), &e);
    add(&b, "new/key", "secret");
    file_batch_clear(&b);
    assert_false(file_exists(".staging") || file_exists("new"));
}

static void batch_that_is_kept_can_be_resumed(void **state)
{
    struct err e = ERR_INIT;
    struct file_batch b;
    (void)state;
    assert_works(file_batch_begin(&b, root, &e), &e);
    add(&b, "new/key", "secret");
    b.keep = true;
    file_batch_clear(&b);
    assert_holds(".staging/new/key", "secret");
    assert_works(file_batch_resume(&b, root, &e), &e);
    add(&b, "new/cert", "1");
    assert_works(file_batch_commit(&b, &e), &e);
    file_batch_clear(&b);
    assert_holds("new/key", "secret");
    assert_holds("new/cert", "1");
    assert_false(file_exists(".staging"));
}

static void batch_that_begins_empties_what_was_kept(void **state)
{
    struct err e = ERR_INIT;
    struct file_batch b;
    (void)state;
    assert_works(file_make_dirs(".staging/new", &e), &e);
    assert_works(file_write(".staging/new/key", text("stale"), FILE_SECRET, &e), &e);
    assert_works(file_batch_begin(&b, root, &e), &e);
    assert_works(file_batch_commit(&b, &e), &e);
    file_batch_clear(&b);
    assert_false(file_exists("new") || file_exists(".staging"));
}

static void marks_and_dooms(void **state)
{
    struct err e = ERR_INIT;
    struct file_batch b;
    char *doomed = mem_printf("%s/old/entry", root);
    (void)state;
    assert_works(file_make_dirs("old/entry", &e), &e);
    assert_works(file_write("old/entry/cert", text("1"), FILE_PUBLIC, &e), &e);
    assert_works(file_batch_begin(&b, root, &e), &e);
    assert_works(file_batch_mark(&b, doomed, &e), &e);
    assert_true(file_exists(".staging/old/entry"));
    assert_holds("old/entry/cert", "1");
    assert_works(file_batch_doom(&b, doomed, &e), &e);
    assert_false(file_exists(".staging/old/entry") || file_exists("old/entry"));
    assert_works(file_batch_commit(&b, &e), &e);
    file_batch_clear(&b);
    assert_true(file_exists("old"));
    free(doomed);
}

static void puts_only_what_differs(void **state)
{
    struct err e = ERR_INIT;
    struct file_batch b;
    size_t changed = 0;
    char *same = mem_printf("%s/same", root);
    char *other = mem_printf("%s/other", root);
    (void)state;
    assert_works(file_write("same", text("1"), FILE_PUBLIC, &e), &e);
    assert_works(file_write("other", text("1"), FILE_PUBLIC, &e), &e);
    assert_works(file_put(NULL, other, text("2"), FILE_PUBLIC, &changed, &e), &e);
    assert_int_equal(changed, 1);
    assert_works(file_batch_begin(&b, root, &e), &e);
    assert_works(file_put(&b, same, text("1"), FILE_PUBLIC, &changed, &e), &e);
    assert_int_equal(changed, 1);
    assert_works(file_put(&b, other, text("2"), FILE_PUBLIC, &changed, &e), &e);
    assert_int_equal(changed, 2);
    assert_false(file_exists(".staging/same"));
    assert_works(file_batch_commit(&b, &e), &e);
    file_batch_clear(&b);
    assert_holds("other", "2");
    free(same);
    free(other);
}

// A directory of that name is in the way: the batch fails, and what it holds can be kept.
static void says_what_is_in_the_way(void **state)
{
    struct err e = ERR_INIT;
    struct file_batch b;
    (void)state;
    assert_works(file_make_dirs("top/directory", &e), &e);
    assert_works(file_batch_begin(&b, root, &e), &e);
    add(&b, "top", "1");
    char *expected = mem_printf("renaming %s/.staging/top to %s/top: Is a directory", root, root);
    assert_fails(file_batch_commit(&b, &e), &e, expected);
    free(expected);
    b.keep = true;
    file_batch_clear(&b);
    assert_holds(".staging/top", "1");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(reads_any_size_up_to_the_limit),
        TEST(reads_what_has_no_size),
        TEST(writes_in_one_step),
        TEST(makes_directories),
        TEST(batch_appears_together),
        TEST(many_are_synced_too),
        TEST(batch_that_is_dropped_leaves_nothing),
        TEST(batch_that_is_kept_can_be_resumed),
        TEST(batch_that_begins_empties_what_was_kept),
        TEST(marks_and_dooms),
        TEST(puts_only_what_differs),
        TEST(says_what_is_in_the_way),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
