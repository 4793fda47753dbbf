// SPDX-License-Identifier: Apache-2.0
#include "server/http_conditions.h"
#include "unit.h"

#include <string.h>

enum { NOW = 1795456920, MODIFIED = 784111777 };
#define THEN "Sun, 06 Nov 1994 08:49:37 GMT"
#define BEFORE "Sun, 06 Nov 1994 08:49:36 GMT"

struct condition {
    const char *fields; // "name: value" lines
    int status;
    int64_t first; // of a 206
    int64_t length;
};

static int ask(const char *method, const char *fields, int64_t size, struct http_range *range)
{
    static const struct http_limits limits = {.header = 4096, .body = 0};
    const struct http_representation it = {.size = size, .modified = MODIFIED, .etag = "\"tag\""};
    struct http_parser parser;
    struct buf text = {0};
    size_t used = 0;
    buf_printf(&text, "%s / HTTP/1.1\r\nHost: a\r\n%s\r\n", method, fields);
    http_parser_init(&parser, &limits);
    assert_int_equal(http_parse(&parser, text.data, text.len, &used), HTTP_COMPLETE);
    int status = http_conditions(&parser.request, &it, NOW, range);
    http_parser_clear(&parser);
    buf_clear(&text);
    return status;
}

static void assert_conditions(const char *method, int64_t size, const struct condition *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct http_range range;
        int status = ask(method, cases[i].fields, size, &range);
        int64_t first = status == 206 ? cases[i].first : 0;
        int64_t length = status == 206 ? cases[i].length : size;
        if (status != cases[i].status || range.first != first || range.length != length) {
            fail_msg("%s: %d, %ld octets from %ld", cases[i].fields, status, (long)range.length, (long)range.first);
        }
    }
}

static void test_preconditions(void **state)
{
    static const struct condition cases[] = {
        {"", 200, 0, 0},
        {"If-None-Match: \"tag\"\r\n", 304, 0, 0},
        {"If-None-Match: W/\"tag\"\r\n", 304, 0, 0},
        {"If-None-Match: *\r\n", 304, 0, 0},
        {"If-None-Match: \"a\", W/\"b,\" ,\"tag\"\r\n", 304, 0, 0},
        {"If-None-Match: \"other\"\r\n", 200, 0, 0},
        {"If-None-Match: \"ta\", \"tagg\"\r\n", 200, 0, 0},
        {"If-None-Match: tag\r\n", 200, 0, 0},
        {"If-None-Match: \"tag\r\n", 200, 0, 0},
        {"If-None-Match:\r\n", 200, 0, 0},
        {"If-None-Match: \"other\"\r\nIf-Modified-Since: " THEN "\r\n", 200, 0, 0}, // the tag counts
        {"If-Modified-Since: " THEN "\r\n", 304, 0, 0},
        {"If-Modified-Since: " BEFORE "\r\n", 200, 0, 0},
        {"If-Modified-Since: yesterday\r\n", 200, 0, 0},
        {"If-Match: \"tag\"\r\n", 200, 0, 0},
        {"If-Match: *\r\n", 200, 0, 0},
        {"If-Match: W/\"tag\"\r\n", 412, 0, 0},
        {"If-Match: \"other\"\r\n", 412, 0, 0},
        {"If-Match: \"tag\"\r\nIf-Unmodified-Since: " BEFORE "\r\n", 200, 0, 0},
        {"If-Unmodified-Since: " BEFORE "\r\n", 412, 0, 0},
        {"If-Unmodified-Since: " THEN "\r\n", 200, 0, 0},
        {"If-Match: \"tag\"\r\nIf-None-Match: \"tag\"\r\n", 304, 0, 0},
    };
    (void)state;
    assert_conditions("GET", 100, cases, sizeof cases / sizeof cases[0]);
    assert_conditions("HEAD", 100, cases, sizeof cases / sizeof cases[0]);
}

static void test_ranges(void **state)
{
    static const struct condition cases[] = {
        {"Range: bytes=0-\r\n", 206, 0, 100},
        {"Range: bytes=0-0\r\n", 206, 0, 1},
        {"Range: bytes=10-19\r\n", 206, 10, 10},
        {"Range: Bytes=99-\r\n", 206, 99, 1},
        {"Range: bytes=90-100\r\n", 206, 90, 10},
        {"Range: bytes=90-99999999999999999999999999\r\n", 206, 90, 10},
        {"Range: bytes=-1\r\n", 206, 99, 1},
        {"Range: bytes=-100\r\n", 206, 0, 100},
        {"Range: bytes=-99999999999999999999999999\r\n", 206, 0, 100},
        {"Range: bytes=100-\r\n", 416, 0, 0},
        {"Range: bytes=18446744073709551616-\r\n", 416, 0, 0}, // 2^64: not 0
        {"Range: bytes=-0\r\n", 416, 0, 0},
        {"Range: bytes=1-0\r\n", 200, 0, 0},
        {"Range: bytes=-\r\n", 200, 0, 0},
        {"Range: bytes=\r\n", 200, 0, 0},
        {"Range: bytes=0-1,3-4\r\n", 200, 0, 0},
        {"Range: bytes=0-1 \r\n", 206, 0, 2},
        {"Range: bytes=0 -1\r\n", 200, 0, 0},
        {"Range: bytes=0:5\r\n", 200, 0, 0},
        {"Range: bytes=0--1\r\n", 200, 0, 0},
        {"Range: bytes=+0-1\r\n", 200, 0, 0},
        {"Range: lines=0-1\r\n", 200, 0, 0},
        {"Range: bytes=0-1\r\nRange: bytes=3-4\r\n", 200, 0, 0},
        {"Range: bytes=0-1\r\nIf-Range: \"tag\"\r\n", 206, 0, 2},
        {"Range: bytes=0-1\r\nIf-Range: \"other\"\r\n", 200, 0, 0},
        {"Range: bytes=0-1\r\nIf-Range: W/\"tag\"\r\n", 200, 0, 0},
        {"Range: bytes=0-1\r\nIf-Range: " THEN "\r\n", 200, 0, 0},
        {"Range: bytes=100-\r\nIf-Range: \"other\"\r\n", 200, 0, 0},
        {"Range: bytes=0-1\r\nIf-None-Match: \"tag\"\r\n", 304, 0, 0},
        {"Range: bytes=100-\r\nIf-Match: \"other\"\r\n", 412, 0, 0},
    };
    static const struct condition empty[] = {
        {"Range: bytes=0-\r\n", 416, 0, 0},
        {"Range: bytes=-1\r\n", 416, 0, 0},
        {"", 200, 0, 0},
    };
    static const struct condition head[] = {{"Range: bytes=0-1\r\n", 200, 0, 0}, {"Range: bytes=100-\r\n", 200, 0, 0}};
    (void)state;
    assert_conditions("GET", 100, cases, sizeof cases / sizeof cases[0]);
    assert_conditions("GET", 0, empty, sizeof empty / sizeof empty[0]);
    assert_conditions("HEAD", 100, head, sizeof head / sizeof head[0]); // RFC 9110 section 14.2
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_preconditions),
        cmocka_unit_test(test_ranges),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
