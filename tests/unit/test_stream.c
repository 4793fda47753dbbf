// SPDX-License-Identifier: Apache-2.0
// explain/stream.c: segments in every order give the octets once, in theirs.
#include "explain/stream.h"
#include "unit.h"

#include <string.h>

static void collect(void *arg, struct span data)
{
    buf_add(arg, data.data, data.len);
}

static struct span text(const char *text)
{
    return span_of(text, strlen(text));
}

static void send_text(struct stream *s, uint32_t sequence, const char *data, struct buf *out)
{
    stream_segment(s, sequence, (uint32_t)strlen(data), text(data), collect, out);
}

static void assert_delivered(const struct buf *out, const char *expected)
{
    assert_int_equal(out->len, strlen(expected));
    assert_memory_equal(out->data, expected, out->len);
}

static void test_orders(void **state)
{
    (void)state;
    struct stream s = {0};
    struct buf out = {0};
    stream_begin(&s, 0xfffffffe); // the numbers wrap around
    send_text(&s, 4, "ghi", &out);
    send_text(&s, 0, "cd", &out);
    assert_int_equal(out.len, 0);
    send_text(&s, 0xfffffffe, "ab", &out);
    assert_delivered(&out, "abcd");
    send_text(&s, 0xffffffff, "XX", &out);     // again: what was first counts
    send_text(&s, 0x00000001, "Xefg??", &out); // overlaps both ends; "h" and "i" came before, but wait behind it
    assert_delivered(&out, "abcdefg??");
    assert_int_equal(s.count, 0);
    assert_false(s.gap);
    stream_clear(&s);
    buf_clear(&out);
}

static void test_cut(void **state)
{
    (void)state;
    struct stream s = {0};
    struct buf out = {0};
    send_text(&s, 100, "abc", &out);
    stream_segment(&s, 103, 10, text("defg"), collect, &out); // four of ten were captured
    assert_true(s.gap);
    send_text(&s, 113, "nop", &out);
    assert_delivered(&out, "abcdefg");
    stream_clear(&s);
    buf_clear(&out);
}

static void test_bounded(void **state)
{
    (void)state;
    struct stream s = {0};
    struct buf out = {0};
    stream_begin(&s, 0);
    for (uint32_t i = 0; i < STREAM_SEGMENTS_MOST; i++) {
        send_text(&s, 10 + 2 * i, "x", &out);
    }
    assert_false(s.gap);
    send_text(&s, 10 + 2 * STREAM_SEGMENTS_MOST, "x", &out);
    assert_true(s.gap);
    assert_int_equal(out.len, 0);
    stream_clear(&s);
    buf_clear(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_orders),
        cmocka_unit_test(test_cut),
        cmocka_unit_test(test_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
