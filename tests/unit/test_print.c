// SPDX-License-Identifier: Apache-2.0
#include "base/print.h"
#include "unit.h"

#include <stdlib.h>

static char *text;
static size_t size;

static FILE *memory(void)
{
    free(text);
    return open_memstream(&text, &size);
}

static void columns_are_as_wide_as_they_must_be(void **state)
{
    struct table t;
    FILE *to = memory();
    static const char *const cells[] = {"A", "LONG", "C", "x", "y", "z", "\xc3\xa4\xc3\xb6\xc3\xbc", NULL, "end"};
    (void)state;
    table_init(&t, 3);
    for (size_t i = 0; i < sizeof cells / sizeof cells[0]; i++) {
        table_add(&t, COLOUR_RED, cells[i]);
    }
    table_print(&t, to);
    fclose(to);
    assert_string_equal(text, "A    LONG  C\nx    y     z\n\xc3\xa4\xc3\xb6\xc3\xbc        end\n");
    table_clear(&t);
}

static void no_colour_where_there_is_no_terminal(void **state)
{
    FILE *to = memory();
    (void)state;
    assert_false(print_is_coloured(to));
    print_coloured(to, COLOUR_RED, "%s %d", "x", 1);
    progress_show(to, "making", 1, 2);
    progress_end(to);
    fclose(to);
    assert_string_equal(text, "x 1");
}

static void json_ends_its_line(void **state)
{
    struct err e = ERR_INIT;
    FILE *to = memory();
    (void)state;
    assert_works(json_print(to, json_pack("{s:i, s:s}", "b", 1, "a", "x"), &e), &e);
    fclose(to);
    assert_string_equal(text, "{\n  \"b\": 1,\n  \"a\": \"x\"\n}\n");
    to = fopen("/dev/full", "w");
    assert_non_null(to);
    assert_fails(json_print(to, json_array(), &e), &e, "writing JSON: No space left on device");
    fclose(to);
}

static void one_is_singular(void **state)
{
    (void)state;
    assert_string_equal(plural(1), "");
    assert_string_equal(plural(0), "s");
    assert_string_equal(plural(2), "s");
    assert_int_equal(print_width("a\xc3\xa4\xe2\x94\x80"), 3);
    free(text);
    text = NULL;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(columns_are_as_wide_as_they_must_be),
        cmocka_unit_test(no_colour_where_there_is_no_terminal),
        cmocka_unit_test(json_ends_its_line),
        cmocka_unit_test(one_is_singular),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
