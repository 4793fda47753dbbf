// SPDX-License-Identifier: Apache-2.0
// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

#include "server/http.h"

#include <stdlib.h>
#include <string.h>

// Feeds `text` in pieces of `step` bytes; what http_parse says in the end, *left bytes not taken.
static enum http_status feed(struct http_parser *parser, const char *text, size_t step, size_t *left)
{
    size_t len = strlen(text);
    enum http_status status = HTTP_MORE;
    while (len > 0 && status == HTTP_MORE) {
        size_t n = step < len ? step : len;
        size_t used = 0;
        status = http_parse(parser, text, n, &used);
        text += used;
        len -= used;
    }
    *left = len;
    return status;
}

static void test_request(void **state)
{
    (void)state;
    static const char text[] = "POST /echo?x=1 HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain\r\n"
                               "Content-Length: 5\r\n\r\nhello";
    for (size_t step = 1; step < sizeof text; step++) {
        struct http_parser parser;
        size_t left = 0;
        http_parser_init(&parser);
        assert_int_equal(feed(&parser, text, step, &left), HTTP_COMPLETE);
        assert_int_equal(left, 0);
        assert_string_equal(parser.request.method, "POST");
        assert_string_equal((const char *)parser.request.target.data, "/echo?x=1");
        assert_string_equal((const char *)parser.request.content_type.data, "text/plain");
        assert_string_equal((const char *)parser.request.body.data, "hello");
        assert_true(parser.request.keep_alive);
        http_parser_clear(&parser);
    }
}

static void test_pipelined(void **state)
{
    (void)state;
    static const char second[] = "GET /b HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    static const char text[] = "GET /a HTTP/1.1\r\nHost: x\r\n\r\n"
                               "GET /b HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    struct http_parser parser;
    size_t left = 0;
    http_parser_init(&parser);
    assert_int_equal(feed(&parser, text, 1000, &left), HTTP_COMPLETE);
    assert_string_equal((const char *)parser.request.target.data, "/a");
    assert_int_equal(left, strlen(second));
    http_parser_next(&parser);
    assert_int_equal(feed(&parser, second, 1000, &left), HTTP_COMPLETE);
    assert_string_equal((const char *)parser.request.target.data, "/b");
    assert_false(parser.request.keep_alive);
    assert_int_equal(left, 0);
    http_parser_clear(&parser);
}

static void test_chunked(void **state)
{
    (void)state;
    struct http_parser parser;
    size_t left = 0;
    http_parser_init(&parser);
    assert_int_equal(feed(&parser,
                          "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
                          "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n",
                          7, &left),
                     HTTP_COMPLETE);
    assert_string_equal((const char *)parser.request.body.data, "abcde");
    http_parser_clear(&parser);
}

static void test_upgrade_is_ignored(void **state)
{
    (void)state;
    static const char text[] = "GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n";
    struct http_parser parser;
    size_t left = 0;
    http_parser_init(&parser);
    for (int i = 0; i < 2; i++) { // and the connection goes on
        assert_int_equal(feed(&parser, text, 1000, &left), HTTP_COMPLETE);
        assert_int_equal(left, 0);
        http_parser_next(&parser);
    }
    http_parser_clear(&parser);
}

static void test_expect(void **state)
{
    (void)state;
    struct http_parser parser;
    size_t left = 0;
    http_parser_init(&parser);
    assert_int_equal(
        feed(&parser, "POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n", 1000, &left),
        HTTP_MORE);
    assert_true(parser.request.wants_continue);
    assert_int_equal(feed(&parser, "ab", 1000, &left), HTTP_COMPLETE);
    assert_false(parser.request.wants_continue);
    http_parser_clear(&parser);
}

static void test_refused(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int error;
    } cases[] = {
        {"Hello???", 400},
        {"GET / HTTP/1.1\r\n\r\n", 400}, // no Host
        {"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\nHost : a\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\nHost: a\r\nX: a\x01z\r\n\r\n", 400},
        {"GET / HTTP/1.1\nHost: a\n\n", 400},
        {"GET / HTTP/3.0\r\nHost: a\r\n\r\n", 505},
        // the forms of request smuggling
        {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabc", 400},
        {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},
        {"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n", 400},
        {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +3\r\n\r\nabc", 400},
        {"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\nabc\r\n0\r\n\r\n", 400},
        {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1048577\r\n\r\n", 413},
        {"CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n", 501},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct http_parser parser;
        size_t left = 0;
        http_parser_init(&parser);
        enum http_status status = feed(&parser, cases[i].text, 1000, &left);
        if (status != HTTP_BAD || parser.error != cases[i].error) {
            fail_msg("case %zu: status %d, error %d", i, (int)status, parser.error);
        }
        http_parser_clear(&parser);
    }
}

// `count` bytes of 'a' between two texts.
static int refused_with(const char *before, size_t count, const char *after)
{
    struct http_parser parser;
    struct buf text = {0};
    size_t left = 0;
    buf_text(&text, before);
    buf_reserve(&text, count);
    memset(text.data + text.len, 'a', count);
    text.len += count;
    buf_text(&text, after);
    http_parser_init(&parser);
    enum http_status status = feed(&parser, (const char *)text.data, 5000, &left);
    int error = status == HTTP_BAD ? parser.error : status == HTTP_COMPLETE ? 0 : -1;
    http_parser_clear(&parser);
    buf_clear(&text);
    return error;
}

static void test_bounds(void **state)
{
    (void)state;
    assert_int_equal(refused_with("GET /", HTTP_TARGET_MOST - 1, " HTTP/1.1\r\nHost: a\r\n\r\n"), 0);
    assert_int_equal(refused_with("GET /", HTTP_TARGET_MOST, " HTTP/1.1\r\nHost: a\r\n\r\n"), 414);
    assert_int_equal(refused_with("GET / HTTP/1.1\r\nHost: a\r\nX: ", HTTP_HEADERS_MOST - 6, "\r\n\r\n"), 0);
    assert_int_equal(refused_with("GET / HTTP/1.1\r\nHost: a\r\nX: ", HTTP_HEADERS_MOST - 5, "\r\n\r\n"), 431);
    static const char chunked[] = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n100001\r\n";
    assert_int_equal(refused_with(chunked, HTTP_BODY_MOST + 1, "\r\n0\r\n\r\n"), 413);
    static const char whole[] = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n100000\r\n";
    assert_int_equal(refused_with(whole, HTTP_BODY_MOST, "\r\n0\r\n\r\n"), 0);
}

static void test_write(void **state)
{
    (void)state;
    struct buf out = {0};
    struct http_response response;
    struct http_request head = {.method = "HEAD"};
    http_response_plain(&response, 405);
    response.allow = "GET";
    http_write(&out, NULL, &response, true);
    const char *text = (const char *)out.data;
    assert_int_equal(strncmp(text, "HTTP/1.1 405 Method Not Allowed\r\n", 33), 0);
    assert_non_null(strstr(text, "\r\nContent-Length: 23\r\n"));
    assert_non_null(strstr(text, "\r\nAllow: GET\r\n"));
    assert_non_null(strstr(text, "\r\nConnection: close\r\n\r\n405 Method Not Allowed\n"));
    buf_clear(&out);
    http_write(&out, &head, &response, false);
    text = (const char *)out.data;
    assert_non_null(strstr(text, "\r\nContent-Length: 23\r\n"));
    assert_string_equal(strstr(text, "\r\nConnection"), "\r\nConnection: keep-alive\r\n\r\n");
    buf_clear(&out);
    buf_clear(&response.body);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_request), cmocka_unit_test(test_pipelined),
        cmocka_unit_test(test_chunked), cmocka_unit_test(test_expect),
        cmocka_unit_test(test_refused), cmocka_unit_test(test_bounds),
        cmocka_unit_test(test_write),   cmocka_unit_test(test_upgrade_is_ignored),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
