// SPDX-License-Identifier: Apache-2.0
// Passphrases from files, the environment and, where script(1) gives one, a terminal.
#include "base/passphrase.h"
#include "run.h"

static int begin(void **state)
{
    struct run *r = mem_alloc(sizeof *r);
    run_begin(r);
    unsetenv("TRY");
    *state = r;
    return 0;
}

static int end(void **state)
{
    run_end(*state);
    free(*state);
    return 0;
}

static void assert_file_gives(struct run *r, const char *content, const char *expected)
{
    struct err e = ERR_INIT;
    struct buf out = {0};
    char *file = mem_printf("%s/file", r->dir);
    run_file(r, "file", span_of(content, strlen(content)));
    if (expected != NULL) {
        assert_works(passphrase_get(file, "TRY", "thing", false, &out, &e), &e);
        assert_string_equal((char *)out.data, expected);
    } else {
        char *message = mem_printf("the passphrase from %s is empty", file);
        assert_fails(passphrase_get(file, "TRY", "thing", false, &out, &e), &e, message);
        free(message);
    }
    buf_clear(&out);
    free(file);
}

static void the_first_line_of_a_file(void **state)
{
    assert_file_gives(*state, "secret\n", "secret");
    assert_file_gives(*state, "secret", "secret");
    assert_file_gives(*state, "secret\r\nsecond\n", "secret");
    assert_file_gives(*state, " with blanks \n", " with blanks ");
    assert_file_gives(*state, "", NULL);
    assert_file_gives(*state, "\nsecret\n", NULL);
}

static void the_environment_comes_after_the_file(void **state)
{
    struct err e = ERR_INIT;
    struct buf out = {0};
    setenv("TRY", "from the environment", 1);
    assert_works(passphrase_get(NULL, "TRY", "thing", true, &out, &e), &e);
    assert_string_equal((char *)out.data, "from the environment");
    buf_clear(&out);
    assert_file_gives(*state, "from the file\n", "from the file");
    setenv("TRY", "", 1);
    assert_fails(passphrase_get(NULL, "TRY", "thing", false, &out, &e), &e, "the passphrase from TRY is empty");
    buf_clear(&out);
    unsetenv("TRY");
}

static void a_file_that_is_not_there(void **state)
{
    struct err e = ERR_INIT;
    struct buf out = {0};
    (void)state;
    assert_fails(passphrase_get("/nowhere/at/all", "TRY", "thing", false, &out, &e), &e,
                 "opening /nowhere/at/all: No such file or directory");
    buf_clear(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_first_line_of_a_file, begin, end),
        cmocka_unit_test_setup_teardown(the_environment_comes_after_the_file, begin, end),
        cmocka_unit_test_setup_teardown(a_file_that_is_not_there, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
