// SPDX-License-Identifier: Apache-2.0
#include "run.h"
#include "server/marks.h"

static char *path_of(const struct run *r, const char *name)
{
    return mem_printf("%s/%s", r->dir, name);
}

// Marks of the file "a", as it is now.
static struct marks marks_of_a(const struct run *r)
{
    struct marks marks = {0};
    char *path = path_of(r, "a");
    marks_add(&marks, path, NULL);
    free(path);
    return marks;
}

static void test_changes(void **state)
{
    static const char *const changes[] = {
        "echo other >a",                       // another size
        "printf 'TEXT\\n' >a",                 // the same size
        "cp -p a b && mv b a",                 // replaced by the same
        "rm a",                                // gone
        "chmod 600 a",                         // perhaps it can be read now
        "mv a b && ln -s b a && echo more >b", // what a link leads to
    };
    (void)state;
    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
        struct run r;
        run_begin(&r);
        assert_runs(&r, "echo text >a && touch -d '1 hour ago' a");
        struct marks marks = marks_of_a(&r);
        assert_false(marks_differ(&marks));
        assert_runs(&r, "cat a >/dev/null");
        assert_false(marks_differ(&marks));
        assert_runs(&r, "%s", changes[i]);
        assert_true(marks_differ(&marks));
        marks_clear(&marks);
        run_end(&r);
    }
}

static void test_absent(void **state)
{
    struct run r;
    (void)state;
    run_begin(&r);
    struct marks marks = marks_of_a(&r);
    assert_false(marks_differ(&marks));
    assert_runs(&r, "echo text >a");
    assert_true(marks_differ(&marks));
    marks_clear(&marks);
    run_end(&r);
}

// What changes between looking and reading must be seen afterwards: the earlier look counts.
static void test_before(void **state)
{
    struct run r;
    (void)state;
    run_begin(&r);
    assert_runs(&r, "echo text >a");
    struct marks before = marks_of_a(&r);
    assert_runs(&r, "echo longer text >a && echo new >b");
    struct marks after = {0};
    char *a = path_of(&r, "a");
    char *b = path_of(&r, "b");
    marks_add(&after, a, &before);
    assert_true(marks_differ(&after));
    marks_clear(&after);
    marks_add(&after, b, &before); // that was not looked at before
    assert_false(marks_differ(&after));
    struct marks again;
    marks_copy(&again, &before); // as it is now
    assert_int_equal(again.count, 1);
    assert_false(marks_differ(&again));
    marks_clear(&again);
    marks_clear(&after);
    marks_clear(&before);
    free(a);
    free(b);
    run_end(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_changes),
        cmocka_unit_test(test_absent),
        cmocka_unit_test(test_before),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
