// SPDX-License-Identifier: Apache-2.0
#include "base/mem.h"
#include "unit.h"

#include <stdlib.h>
#include <string.h>

static void a_buffer_reads_as_text(void **state)
{
    struct buf b = {0};
    (void)state;
    buf_add(&b, "", 0);
    assert_string_equal((char *)b.data, "");
    buf_text(&b, "one");
    buf_printf(&b, " %s %d", "two", 3);
    assert_string_equal((char *)b.data, "one two 3");
    assert_int_equal(b.len, 9);
    assert_int_equal(buf_span(&b).len, 9);
    buf_clear(&b);
    assert_null(b.data);
    assert_int_equal(b.len, 0);
    buf_clear(&b);
}

static void a_buffer_grows(void **state)
{
    struct buf b = {0};
    (void)state;
    for (int i = 0; i < 100000; i++) {
        uint8_t octet = (uint8_t)i;
        buf_add(&b, &octet, 1);
    }
    assert_int_equal(b.len, 100000);
    for (int i = 0; i < 100000; i++) {
        assert_int_equal(b.data[i], (uint8_t)i);
    }
    assert_int_equal(b.data[b.len], 0);
    buf_reserve(&b, 1000);
    memset(b.data + b.len, 'x', 1000);
    buf_clear(&b);
}

static void arrays_are_zeroed_and_checked(void **state)
{
    size_t capacity = 0;
    int *numbers = NULL;
    (void)state;
    for (size_t i = 0; i < 1000; i++) {
        numbers = mem_grow(numbers, &capacity, sizeof *numbers, i + 1);
        numbers[i] = (int)i;
    }
    assert_true(capacity >= 1000);
    assert_int_equal(numbers[999], 999);
    free(numbers);
    numbers = mem_array(10, sizeof *numbers);
    assert_int_equal(numbers[9], 0);
    free(numbers);
}

static void texts_are_copied(void **state)
{
    char *text = mem_strndup("abcdef", 3);
    (void)state;
    assert_string_equal(text, "abc");
    free(text);
    text = mem_printf("%s-%d", "x", 7);
    assert_string_equal(text, "x-7");
    free(text);
    assert_null(mem_strdup(NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_buffer_reads_as_text),
        cmocka_unit_test(a_buffer_grows),
        cmocka_unit_test(arrays_are_zeroed_and_checked),
        cmocka_unit_test(texts_are_copied),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
