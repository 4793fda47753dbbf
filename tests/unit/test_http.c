// SPDX-License-Identifier: Apache-2.0
#include "http_fixture.h"

#define GET "GET / HTTP/1.1\r\nHost: a\r\n"
#define POST "POST /p HTTP/1.1\r\nHost: a\r\n"
#define CHUNKED POST "Transfer-Encoding: chunked\r\n\r\n"

static void test_requests(void **state)
{
    static const struct http_case cases[] = {
        {GET "\r\n", "GET / {} keep\n"},
        {"\r\n" GET "\r\n", "GET / {} keep\n"}, // RFC 9112 section 2.2
        {GET "\r\n\r\n" GET "\r\n\r\n", "GET / {} keep\nGET / {} keep\n"},
        {GET, "more\n"},
        {GET "Connection: close\r\n\r\n", "GET / {} close\n"},
        {GET "Connection: keep-alive, close\r\n\r\n", "GET / {} close\n"},
        {"GET / HTTP/1.0\r\n\r\n", "GET / {} close\n"},
        {"GET / HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n", "GET / {} keep\n"},
        {"HEAD /x?y=1 HTTP/1.1\r\nhOST:a\r\n\r\n", "HEAD /x?y=1 {} keep\n"},
        {"GET /%20x;y=1/[z]|?a=[]{}|\\^`' HTTP/1.1\r\nHost: [::1]:8443\r\n\r\n",
         "GET /%20x;y=1/[z]|?a=[]{}|\\^`' {} keep\n"},
        {"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", "OPTIONS * {} keep\n"},
        {"GET https://A.example:1/x?y HTTP/1.1\r\nHost: a.example:1\r\n\r\n", "GET https://A.example:1/x?y {} keep\n"},
        {"GET HTTPS://a HTTP/1.1\r\nHost: a\r\n\r\n", "GET HTTPS://a {} keep\n"},
        {"DELETE / HTTP/1.1\r\nHost:\r\n\r\n", "DELETE / {} keep\n"},
        {GET "X: a\tb \x80\xff\r\nY:\r\nZ:   \t\r\n\r\n", "GET / {} keep\n"},
        {POST "Content-Length: 5\r\n\r\nhello" GET "\r\n", "POST /p {hello} keep\nGET / {} keep\n"},
        {POST "Content-Length: 5 \r\n\r\nhe", "more\n"},
        {POST "Content-Length: 0\r\n\r\n", "POST /p {} keep\n"},
        {GET "Content-Length: 2\r\n\r\nab", "GET / {ab} keep\n"},
        {CHUNKED "3\r\nabc\r\n0A\r\n0123456789\r\n0\r\n\r\n" GET "\r\n",
         "POST /p {abc0123456789} keep\nGET / {} keep\n"},
        {CHUNKED "0\r\n\r\n", "POST /p {} keep\n"},
        {CHUNKED "0\r\n", "more\n"},
        {CHUNKED "00000000000000000000000000000001\r\na\r\n0\r\n\r\n", "POST /p {a} keep\n"},
        {CHUNKED "1;a=b;c=\"d;\"\r\na\r\n0;x\r\n\r\n", "POST /p {a} keep\n"},
        {CHUNKED "1\r\na\r\n0\r\nX: y\r\nHost: evil\r\n\r\n" GET "\r\n", "POST /p {a} keep\nGET / {} keep\n"},
        {GET "Connection: Upgrade\r\nUpgrade: h2c\r\n\r\n" GET "\r\n", "GET / {} keep\nGET / {} keep\n"},
        {POST "Connection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: 2\r\n\r\nab", "POST /p {ab} keep\n"},
    };
    (void)state;
    assert_transcripts(cases, sizeof cases / sizeof cases[0]);
}

static void parse_whole(struct http_parser *parser, const char *text, enum http_status expected)
{
    size_t used = 0;
    assert_int_equal(http_parse(parser, text, strlen(text), &used), expected);
    assert_int_equal(used, strlen(text));
}

static void test_fields(void **state)
{
    struct http_parser parser;
    size_t count = 0;
    (void)state;
    http_parser_init(&parser, &http_fixture_limits);
    parse_whole(&parser,
                POST "Transfer-Encoding: chunked\r\nX-A:  one two \t\r\nEmpty:\r\nx-a: three\r\n\r\n"
                     "1\r\na\r\n0\r\nX-Trailer: t\r\nX-A: four\r\n\r\n",
                HTTP_COMPLETE);
    assert_string_equal(http_field(&parser.request, "x-A", &count), "one two");
    assert_int_equal(count, 2);
    assert_string_equal(http_field(&parser.request, "EMPTY", &count), "");
    assert_int_equal(count, 1);
    assert_null(http_field(&parser.request, "x-trailer", &count)); // RFC 9110 section 6.5.1
    assert_int_equal(count, 0);
    assert_null(http_field(&parser.request, "three", NULL)); // a value is no name
    assert_true(parser.request.chunked);
    assert_int_equal(parser.request.minor, 1);
    http_parser_next(&parser);
    assert_null(http_field(&parser.request, "x-a", NULL));
    http_parser_clear(&parser);
}

// What was large for one request is given back; a parser at rest is small.
static void test_idle(void **state)
{
    struct http_parser parser;
    char text[2000];
    (void)state;
    assert_true(sizeof parser <= 400);
    http_parser_init(&parser, &http_fixture_limits);
    assert_true(http_parser_is_idle(&parser));
    snprintf(text, sizeof text, POST "X: %0600d\r\nContent-Length: 1000\r\n\r\n%01000d", 1, 1);
    parse_whole(&parser, text, HTTP_COMPLETE);
    assert_false(http_parser_is_idle(&parser));
    http_parser_next(&parser);
    assert_true(http_parser_is_idle(&parser));
    assert_int_equal(parser.request.fields.cap + parser.request.body.cap, 0);
    parse_whole(&parser, "\r\n", HTTP_MORE);
    assert_true(http_parser_is_idle(&parser));
    parse_whole(&parser, "G", HTTP_MORE);
    assert_false(http_parser_is_idle(&parser));
    http_parser_clear(&parser);
}

// A complete request stays what it is, and a refused one refused, however often one asks.
static void test_ends(void **state)
{
    struct http_parser parser;
    size_t used = 1;
    (void)state;
    http_parser_init(&parser, &http_fixture_limits);
    parse_whole(&parser, GET "\r\n", HTTP_COMPLETE);
    assert_int_equal(http_parse(&parser, "x", 1, &used), HTTP_COMPLETE);
    assert_int_equal(used, 0);
    http_parser_next(&parser);
    assert_int_equal(http_parse(&parser, "?", 1, &used), HTTP_BAD);
    assert_int_equal(http_parse(&parser, GET "\r\n", strlen(GET "\r\n"), &used), HTTP_BAD);
    assert_int_equal(used, 0);
    assert_int_equal(parser.error, 400);
    http_parser_clear(&parser);
}

static void test_expect(void **state)
{
    static const struct {
        const char *head;
        bool waits;
    } cases[] = {
        {POST "Expect: 100-continue\r\nContent-Length: 2\r\n\r\n", true},
        {POST "Expect: 100-Continue \r\nTransfer-Encoding: chunked\r\n\r\n", true},
        {POST "Content-Length: 2\r\n\r\n", false},
        {POST "Expect: 100-continue\r\nContent-Length: 2\r\n", false},      // the fields go on
        {POST "Expect: 100-continue\r\nContent-Length: 2\r\n\r\na", false}, // it did not wait
        {POST "Expect: 100-continue\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na", false},
        {"POST / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n", false}, // RFC 9110 section 10.1.1
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct http_parser parser;
        http_parser_init(&parser, &http_fixture_limits);
        parse_whole(&parser, cases[i].head, HTTP_MORE);
        if (parser.request.wants_continue != cases[i].waits) {
            fail_msg("case %zu", i);
        }
        http_parser_clear(&parser);
    }
    struct http_parser parser;
    http_parser_init(&parser, &http_fixture_limits);
    parse_whole(&parser, GET "Expect: 100-continue\r\n\r\n", HTTP_COMPLETE); // there is nothing to wait for
    assert_false(parser.request.wants_continue);
    http_parser_clear(&parser);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_requests), cmocka_unit_test(test_fields), cmocka_unit_test(test_idle),
        cmocka_unit_test(test_ends),     cmocka_unit_test(test_expect),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
