// SPDX-License-Identifier: Apache-2.0
// tls/hello.c
#include "run.h"
#include "tls/hello.h"

static void put(struct buf *b, unsigned value, size_t octets)
{
    while (octets-- > 0) {
        uint8_t octet = (uint8_t)(value >> (8 * octets));
        buf_add(b, &octet, 1);
    }
}

static void record(struct buf *out, unsigned type, const struct buf *content)
{
    put(out, type, 1);
    put(out, 0x0303, 2);
    put(out, (unsigned)content->len, 2);
    buf_add(out, content->data, content->len);
}

static void extension(struct buf *b, unsigned type, unsigned value, size_t octets)
{
    put(b, type, 2);
    put(b, (unsigned)octets, 2);
    put(b, value, octets);
}

static const char retry[] = "\xcf\x21\xad\x74\xe5\x9a\x61\x11\xbe\x1d\x8c\x02\x1e\x65\xb8\x91"
                            "\xc2\xa2\x11\x16\x7a\xbb\x8c\x5e\x07\x9e\x09\xe2\xc8\xa8\x33\x9c";

// A ServerHello message, as RFC 8446 section 4.1.3 and RFC 5246 section 7.4.1.3 have it.
static void hello(struct buf *message, const char *random, const struct buf *extensions)
{
    struct buf content = {0};
    put(&content, 0x0303, 2);
    buf_add(&content, random, 32);
    put(&content, 4, 1);
    put(&content, 0x01020304, 4); // session_id
    put(&content, 0xc02b, 2);
    put(&content, 0, 1);
    if (extensions->len > 0) {
        put(&content, (unsigned)extensions->len, 2);
        buf_add(&content, extensions->data, extensions->len);
    }
    put(message, 2, 1);
    put(message, (unsigned)content.len, 3);
    buf_add(message, content.data, content.len);
    buf_clear(&content);
}

enum {
    VERSION_1_3 = 1,
    KEY = 2,
    MASTER_SECRET = 4,
    RETRY_FIRST = 8,
    THEN_CHANGE = 16,
    THEN_HANDSHAKE = 32,
    TOGETHER = 64, // with another message in the same record
    LONG = 128,    // which is a long one
};

static void conversation(struct buf *out, unsigned kind)
{
    struct buf extensions = {0};
    struct buf message = {0};
    struct buf one = {0};
    put(&one, 1, 1);
    if ((kind & RETRY_FIRST) != 0) {
        struct buf first = {0};
        extension(&extensions, 43, 0x0304, 2);
        extension(&extensions, 51, 23, 2);
        hello(&first, retry, &extensions);
        record(out, 22, &first);
        record(out, 20, &one);
        buf_clear(&first);
        buf_clear(&extensions);
    }
    extension(&extensions, 0xff01, 0, 1);
    if ((kind & VERSION_1_3) != 0) {
        extension(&extensions, 43, 0x0304, 2);
    }
    if ((kind & KEY) != 0) {
        extension(&extensions, 41, 0, 2);
    }
    if ((kind & MASTER_SECRET) != 0) {
        extension(&extensions, 23, 0, 0);
    }
    hello(&message, "0123456789abcdef0123456789abcdef", &extensions);
    if ((kind & TOGETHER) != 0) {
        put(&message, 11, 1);
    }
    for (int i = 0; i < 1000 && (kind & LONG) != 0; i++) {
        put(&message, 0x16030302, 4); // that it means nothing there
    }
    record(out, 22, &message);
    if ((kind & (THEN_CHANGE | THEN_HANDSHAKE)) != 0) {
        record(out, (kind & THEN_CHANGE) != 0 ? 20 : 22, &one);
    }
    buf_clear(&extensions);
    buf_clear(&message);
    buf_clear(&one);
}

static const struct {
    unsigned kind;
    bool known, resumed, secret;
} rows[] = {
    {VERSION_1_3, true, false, false},
    {VERSION_1_3 | KEY, true, true, false},
    {VERSION_1_3 | KEY | RETRY_FIRST, true, true, false},
    {VERSION_1_3 | RETRY_FIRST, true, false, false},
    {VERSION_1_3 | KEY | THEN_CHANGE, true, true, false},
    {VERSION_1_3 | THEN_CHANGE, true, false, false},
    {0, false, false, false}, // what follows in TLS 1.2 is not known yet
    {THEN_CHANGE, true, true, false},
    {THEN_CHANGE | MASTER_SECRET, true, true, true},
    {THEN_HANDSHAKE | MASTER_SECRET, true, false, true},
    {TOGETHER | MASTER_SECRET, true, false, true},
    {TOGETHER | LONG | MASTER_SECRET, true, false, true},
    {TOGETHER | LONG, true, false, false},
    {THEN_HANDSHAKE | KEY, true, false, false}, // means nothing there
};

// Whole, and octet by octet.
static void test_kinds(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2 * sizeof rows / sizeof rows[0]; i++) {
        struct buf out = {0};
        struct hello_watch watch = {.have = 0};
        conversation(&out, rows[i / 2].kind);
        for (size_t at = 0; at < out.len; at += i % 2 == 0 ? out.len : 1) {
            hello_watch_bytes(&watch, out.data + at, i % 2 == 0 ? out.len : 1);
        }
        assert_int_equal(watch.hello.known, rows[i / 2].known);
        assert_int_equal(watch.done, rows[i / 2].known);
        assert_int_equal(watch.hello.known && watch.hello.resumed, rows[i / 2].resumed);
        if (rows[i / 2].known) {
            assert_int_equal(watch.hello.extended_master_secret, rows[i / 2].secret);
        }
        buf_clear(&out);
    }
}

static void look(struct span data)
{
    struct hello_watch watch = {.have = 0};
    hello_watch_bytes(&watch, data.data, data.len);
    assert_true(!watch.hello.known || watch.done);
}

// What is cut short or changed is not understood, or means something else; it is never read beyond.
static void test_damaged(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct buf out = {0};
        conversation(&out, rows[i].kind);
        survive(buf_span(&out), 1, look);
        buf_clear(&out);
    }
    static const struct {
        const char *octets;
        size_t len;
    } not [] = {
        {"\x15\x03\x03\x00\x02\x02\x28", 7},         // an alert
        {"\x16\x03\x03\x00\x04\x0b\x00\x00\x00", 9}, // a Certificate
        {"\x16\x03\x03\x40\x00\x02", 6},             // a ServerHello of 16 KiB begins
        {"\x16\x03\x03\x00\x05\x02\x01\x00\x00\x00", 10},
    };
    for (size_t i = 0; i < sizeof not / sizeof not [0]; i++) {
        struct hello_watch watch = {.have = 0};
        uint8_t more[HELLO_MOST] = {0};
        hello_watch_bytes(&watch, (const uint8_t *)not [i].octets, not [i].len);
        hello_watch_bytes(&watch, more, sizeof more);
        assert_true(watch.done);
        assert_false(watch.hello.known);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_kinds),
        cmocka_unit_test(test_damaged),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
