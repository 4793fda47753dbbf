// SPDX-License-Identifier: Apache-2.0
// What must not be served, each with a twin that is: the least change that makes it right.
#include "http_fixture.h"

#define HOST "Host: a\r\n"
#define GET "GET / HTTP/1.1\r\n" HOST
#define POST "POST / HTTP/1.1\r\n" HOST
#define CHUNKED POST "Transfer-Encoding: chunked\r\n\r\n"
#define SERVED "GET / {} keep\n"

struct pair {
    const char *refused;
    const char *status; // of the refusal, as a transcript
    const char *served;
    const char *transcript;
};

static void assert_pairs(const struct pair *pairs, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        assert_transcript(span_of(pairs[i].refused, strlen(pairs[i].refused)), pairs[i].status);
        assert_transcript(span_of(pairs[i].served, strlen(pairs[i].served)), pairs[i].transcript);
    }
}

static void test_request_line(void **state)
{
    static const struct pair pairs[] = {
        {"Hello???", "400\n", GET "\r\n", SERVED},
        {"get / HTTP/1.1\r\n" HOST "\r\n", "400\n", GET "\r\n", SERVED},
        {"\r\n\r\n" GET "\r\n", "400\n", "\r\n" GET "\r\n", SERVED},
        {"\n" GET "\r\n", "400\n", "\r\n" GET "\r\n", SERVED},
        {"\r" GET "\r\n", "400\n", "\r\n" GET "\r\n", SERVED},
        {" " GET "\r\n", "400\n", GET "\r\n", SERVED},
        {"GET  / HTTP/1.1\r\n" HOST "\r\n", "400\n", GET "\r\n", SERVED},
        {"GET /  HTTP/1.1\r\n" HOST "\r\n", "400\n", GET "\r\n", SERVED},
        {"GET\t/ HTTP/1.1\r\n" HOST "\r\n", "400\n", GET "\r\n", SERVED},
        {"GET / HTTP/1.1 \r\n" HOST "\r\n", "400\n", GET "\r\n", SERVED},
        {"GET / HTTP/1.1\n" HOST "\r\n", "400\n", GET "\r\n", SERVED},
        {"GET / HTTP/1.1\r" HOST "\r\n", "400\n", GET "\r\n", SERVED},
        {"GET / HTTP/1.1\r\r\n" HOST "\r\n", "400\n", GET "\r\n", SERVED},
        {"GET /\r\n\r\n", "400\n", GET "\r\n", SERVED}, // HTTP/0.9
        {"GET / HTTP/0.9\r\n" HOST "\r\n", "505\n", "GET / HTTP/1.0\r\n" HOST "\r\n", "GET / {} close\n"},
        {"GET / HTTP/2.0\r\n" HOST "\r\n", "505\n", GET "\r\n", SERVED},
        {"GET / HTTP/3.0\r\n" HOST "\r\n", "505\n", GET "\r\n", SERVED},
        {"GET / HTTP/1.2\r\n" HOST "\r\n", "505\n", GET "\r\n", SERVED},
        {"GET / HTTP/1.10\r\n" HOST "\r\n", "400\n", GET "\r\n", SERVED},
        {"GET / http/1.1\r\n" HOST "\r\n", "400\n", GET "\r\n", SERVED},
        {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "505\n", GET "\r\n", SERVED},
        {"OPTIONS * RTSP/1.0\r\n" HOST "\r\n", "400\n", "OPTIONS * HTTP/1.1\r\n" HOST "\r\n", "OPTIONS * {} keep\n"},
        {"SOURCE / ICE/1.0\r\n\r\n", "400\n", GET "\r\n", SERVED},
        {"CONNECT a:1 HTTP/1.1\r\n" HOST "\r\n", "501\n", GET "\r\n", SERVED},
    };
    (void)state;
    assert_pairs(pairs, sizeof pairs / sizeof pairs[0]);
}

static void test_target(void **state)
{
    static const struct pair pairs[] = {
        {"GET * HTTP/1.1\r\n" HOST "\r\n", "400\n", "OPTIONS * HTTP/1.1\r\n" HOST "\r\n", "OPTIONS * {} keep\n"},
        {"GET a HTTP/1.1\r\n" HOST "\r\n", "400\n", GET "\r\n", SERVED},
        {"GET /#f HTTP/1.1\r\n" HOST "\r\n", "400\n", "GET /?f HTTP/1.1\r\n" HOST "\r\n", "GET /?f {} keep\n"},
        {"GET /\x80 HTTP/1.1\r\n" HOST "\r\n", "400\n", "GET /%80 HTTP/1.1\r\n" HOST "\r\n", "GET /%80 {} keep\n"},
        {"GET /?\xff HTTP/1.1\r\n" HOST "\r\n", "400\n", "GET /?%ff HTTP/1.1\r\n" HOST "\r\n", "GET /?%ff {} keep\n"},
        {"GET /\x01 HTTP/1.1\r\n" HOST "\r\n", "400\n", GET "\r\n", SERVED},
        {"GET /\x7f HTTP/1.1\r\n" HOST "\r\n", "400\n", GET "\r\n", SERVED},
        {"GET /a\tb HTTP/1.1\r\n" HOST "\r\n", "400\n", GET "\r\n", SERVED},
        {"GET /\\ HTTP/1.1\r\n" HOST "\r\n", "400\n", "GET /?\\ HTTP/1.1\r\n" HOST "\r\n", "GET /?\\ {} keep\n"},
        {"GET /\"<> HTTP/1.1\r\n" HOST "\r\n", "400\n", GET "\r\n", SERVED},
        {"GET https://b/ HTTP/1.1\r\n" HOST "\r\n", "400\n", "GET https://a/ HTTP/1.1\r\n" HOST "\r\n",
         "GET https://a/ {} keep\n"},
        {"GET https://a:443/ HTTP/1.1\r\n" HOST "\r\n", "400\n", "GET https://A/ HTTP/1.1\r\n" HOST "\r\n",
         "GET https://A/ {} keep\n"},
        {"GET https://a/ HTTP/1.1\r\nHost: ab\r\n\r\n", "400\n", "GET https://ab/ HTTP/1.1\r\nHost: ab\r\n\r\n",
         "GET https://ab/ {} keep\n"},
        {"GET http://a/ HTTP/1.1\r\n" HOST "\r\n", "400\n", "GET https://a/ HTTP/1.1\r\n" HOST "\r\n",
         "GET https://a/ {} keep\n"},
        {"GET https:///x HTTP/1.1\r\nHost:\r\n\r\n", "400\n", "GET /x HTTP/1.1\r\nHost:\r\n\r\n", "GET /x {} keep\n"},
        {"GET https://u@a/ HTTP/1.1\r\nHost: u@a\r\n\r\n", "400\n", "GET https://a/ HTTP/1.1\r\n" HOST "\r\n",
         "GET https://a/ {} keep\n"},
        {"GET https://a/ HTTP/1.0\r\n\r\n", "400\n", "GET https://a/ HTTP/1.0\r\n" HOST "\r\n",
         "GET https://a/ {} close\n"},
    };
    (void)state;
    assert_pairs(pairs, sizeof pairs / sizeof pairs[0]);
}

static void test_field_lines(void **state)
{
    static const struct pair pairs[] = {
        {"GET / HTTP/1.1\r\n\r\n", "400\n", "GET / HTTP/1.0\r\n\r\n", "GET / {} close\n"}, // no Host
        {GET HOST "\r\n", "400\n", GET "\r\n", SERVED},
        {"GET / HTTP/1.0\r\n" HOST HOST "\r\n", "400\n", "GET / HTTP/1.0\r\n" HOST "\r\n", "GET / {} close\n"},
        {GET "hOsT: b\r\n\r\n", "400\n", GET "Hosts: b\r\n\r\n", SERVED},
        {"GET / HTTP/1.1\r\nHost: a b\r\n\r\n", "400\n", "GET / HTTP/1.1\r\nHost: a.b\r\n\r\n", SERVED},
        {"GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", "400\n", "GET / HTTP/1.1\r\nHost: a:1\r\n\r\n", SERVED},
        {"GET / HTTP/1.1\r\nHost: u@a\r\n\r\n", "400\n", "GET / HTTP/1.1\r\nHost: [::1]\r\n\r\n", SERVED},
        {GET "X : a\r\n\r\n", "400\n", GET "X: a\r\n\r\n", SERVED},
        {GET "X\t: a\r\n\r\n", "400\n", GET "X:\ta\r\n\r\n", SERVED},
        {GET "X: a\r\n b\r\n\r\n", "400\n", GET "X: a\r\nb:\r\n\r\n", SERVED}, // obs-fold
        {GET "X:\r\n b\r\n\r\n", "400\n", GET "X:\r\nb:\r\n\r\n", SERVED},
        {"GET / HTTP/1.1\r\n " HOST "\r\n", "400\n", GET "\r\n", SERVED},
        {GET "X: a\nY: b\r\n\r\n", "400\n", GET "X: a\r\nY: b\r\n\r\n", SERVED},
        {GET "X: a\rY: b\r\n\r\n", "400\n", GET "X: a Y: b\r\n\r\n", SERVED},
        {GET "\n", "400\n", GET "\r\n", SERVED},
        {GET "X: a\x01z\r\n\r\n", "400\n", GET "X: a z\r\n\r\n", SERVED},
        {GET "X: a\x7f\r\n\r\n", "400\n", GET "X: a\x80\r\n\r\n", SERVED},
        {GET ": a\r\n\r\n", "400\n", GET "X: a\r\n\r\n", SERVED},
        {GET "X\r\n\r\n", "400\n", GET "X:\r\n\r\n", SERVED},
        {GET "X\x80: a\r\n\r\n", "400\n", GET "X: a\r\n\r\n", SERVED},
        {GET "X[]: a\r\n\r\n", "400\n", GET "X: []\r\n\r\n", SERVED},
        {GET "Expect: more\r\n\r\n", "417\n", GET "Expect: 100-continue\r\n\r\n", SERVED},
        {GET "Expect: 100-continue, more\r\n\r\n", "417\n", GET "Expect: 100-continue\r\n\r\n", SERVED},
        {GET "Expect:\r\n\r\n", "417\n", GET "\r\n", SERVED},
        {GET "Expect: 100-continue\r\nExpect: 100-continue\r\n\r\n", "417\n", GET "Expect: 100-continue\r\n\r\n",
         SERVED},
    };
    (void)state;
    assert_pairs(pairs, sizeof pairs / sizeof pairs[0]);
}

// The forms of request smuggling: where two programs could see different ends of a request (RFC 9112 section 11.2).
static void test_framing(void **state)
{
    static const char served[] = POST "Content-Length: 3\r\n\r\nabc";
    static const char length[] = "POST / {abc} keep\n";
    static const char chunked[] = CHUNKED "3\r\nabc\r\n0\r\n\r\n";
    static const struct pair pairs[] = {
        {POST "Content-Length: 3\r\nContent-Length: 4\r\n\r\nabc", "400\n", served, length},
        {POST "Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc", "400\n", served, length},
        {POST "Content-Length: 3, 3\r\n\r\nabc", "400\n", served, length},
        {POST "Content-Length: 3 3\r\n\r\nabc", "400\n", POST "Content-Length: 3 \r\n\r\nabc", length},
        {POST "Content-Length: +3\r\n\r\nabc", "400\n", served, length},
        {POST "Content-Length: -3\r\n\r\nabc", "400\n", served, length},
        {POST "Content-Length: 0x3\r\n\r\nabc", "400\n", POST "Content-Length: 03\r\n\r\nabc", length},
        {POST "Content-Length:\r\n\r\n", "400\n", POST "Content-Length: 0\r\n\r\n", "POST / {} keep\n"},
        {POST "Content-Length: 18446744073709551619\r\n\r\nabc", "400\n", served, length},
        {POST "Content-Length : 3\r\n\r\nabc", "400\n", served, length},
        {POST "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "400\n", served, length},
        {POST "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n", "400\n", chunked, length},
        {"POST / HTTP/1.0\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "400\n", chunked, length},
        {POST "Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n", "400\n", chunked, length},
        {POST "Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n", "400\n", chunked, length},
        {POST "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "400\n", chunked, length},
        {POST "Transfer-Encoding: chunked\r\nTransfer-Encoding: gzip\r\n\r\n0\r\n\r\n", "400\n", chunked, length},
        {POST "Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "400\n", chunked, length},
        {POST "Transfer-Encoding: ,chunked\r\n\r\n0\r\n\r\n", "400\n", chunked, length},
        {POST "Transfer-Encoding: chunked,\r\n\r\n0\r\n\r\n", "400\n", chunked, length},
        {POST "Transfer-Encoding:\r\n\r\n0\r\n\r\n", "400\n", chunked, length},
        {POST "Transfer-Encoding: chunked;x\r\n\r\n0\r\n\r\n", "501\n", chunked, length},
        {POST "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", "501\n", chunked, length},
        {POST "Transfer-Encoding: gzip\r\n\r\n0\r\n\r\n", "501\n", chunked, length},
        {POST "Transfer-Encoding: identity\r\n\r\n0\r\n\r\n", "501\n", chunked, length},
        {POST "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", "501\n", chunked, length},
        {POST "Transfer-Encoding: x-chunked\r\n\r\n0\r\n\r\n", "501\n", chunked, length},
        {POST "Transfer-Encoding: \"chunked\"\r\n\r\n0\r\n\r\n", "501\n",
         POST "Transfer-Encoding: CHUNKED\r\n\r\n3\r\nabc\r\n0\r\n\r\n", length},
        {POST "Transfer-Encoding:\x0b"
              "chunked\r\n\r\n0\r\n\r\n",
         "400\n", chunked, length},
        {POST "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n", "400\n", chunked, length},
        {POST "X: y\r\n Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "400\n", chunked, length},
    };
    (void)state;
    assert_pairs(pairs, sizeof pairs / sizeof pairs[0]);
}

static void test_chunks(void **state)
{
    static const char served[] = CHUNKED "3\r\nabc\r\n0\r\n\r\n";
    static const char body[] = "POST / {abc} keep\n";
    static const struct pair pairs[] = {
        {CHUNKED "3\nabc\r\n0\r\n\r\n", "400\n", served, body},
        {CHUNKED "3\r\nabc\n0\r\n\r\n", "400\n", served, body},
        {CHUNKED "3\r\nabc0\r\n\r\n", "400\n", served, body},
        {CHUNKED "3\r\nabcd\r\n0\r\n\r\n", "400\n", served, body},
        {CHUNKED "3\r\nabc\r\n0\r\n\n", "400\n", served, body},
        {CHUNKED "3 \r\nabc\r\n0\r\n\r\n", "400\n", served, body},
        {CHUNKED " 3\r\nabc\r\n0\r\n\r\n", "400\n", served, body},
        {CHUNKED "-3\r\nabc\r\n0\r\n\r\n", "400\n", served, body},
        {CHUNKED "+3\r\nabc\r\n0\r\n\r\n", "400\n", served, body},
        {CHUNKED "0x3\r\nabc\r\n0\r\n\r\n", "400\n", CHUNKED "03\r\nabc\r\n0\r\n\r\n", body},
        {CHUNKED "\r\nabc\r\n0\r\n\r\n", "400\n", served, body},
        {CHUNKED "3;\n\r\nabc\r\n0\r\n\r\n", "400\n", CHUNKED "3;a\r\nabc\r\n0\r\n\r\n", body},
        {CHUNKED "3;a\n\r\nabc\r\n0\r\n\r\n", "400\n", CHUNKED "3;a\r\nabc\r\n0\r\n\r\n", body},
        {CHUNKED "3;a=\"\r\n\"\r\nabc\r\n0\r\n\r\n", "400\n", CHUNKED "3;a=\"b\"\r\nabc\r\n0\r\n\r\n", body},
        {CHUNKED "3 ;a\r\nabc\r\n0\r\n\r\n", "400\n", CHUNKED "3;a\r\nabc\r\n0\r\n\r\n", body},
        {CHUNKED "10000000000000003\r\nabc\r\n0\r\n\r\n", "400\n", served, body}, // 2^64 + 3
        {CHUNKED "3\r\nabc\r\n0\r\nX : y\r\n\r\n", "400\n", CHUNKED "3\r\nabc\r\n0\r\nX: y\r\n\r\n", body},
        {CHUNKED "3\r\nabc\r\n0\r\nX: y\r\n z\r\n\r\n", "400\n", CHUNKED "3\r\nabc\r\n0\r\nX: y\r\n\r\n", body},
        {CHUNKED "3\r\nabc\r\n0\r\nContent-Length: 3\r\n\r\n", "400\n", served, body},
        {CHUNKED "3\r\nabc\r\n0\r\nTransfer-Encoding: chunked\r\n\r\n", "400\n", served, body},
    };
    (void)state;
    assert_pairs(pairs, sizeof pairs / sizeof pairs[0]);
}

// Zeros among the octets, which no C string can hold.
static void test_zero(void **state)
{
    static const char *const before[] = {
        "",         "GE",           "GET /",     "GET / HTTP/1.1", GET "X",
        GET "X: a", GET "X: a\r\n", CHUNKED "1", CHUNKED "1;a",    CHUNKED "1\r\na\r\n0\r\nX: "};
    (void)state;
    for (size_t i = 0; i < sizeof before / sizeof before[0]; i++) {
        struct buf octets = {0};
        buf_text(&octets, before[i]);
        buf_add(&octets, "\0a\r\n\r\n", 6);
        assert_transcript(buf_span(&octets), "400\n");
        buf_clear(&octets);
    }
    assert_transcript(span_of("\r\n\0" GET "\r\n", sizeof("\r\n?" GET "\r\n") - 1), "400\n");
    assert_transcript(span_of(POST "Content-Length: 1\r\n\r\n", sizeof(POST "Content-Length: 1\r\n\r\n")),
                      "POST / {\\x00} keep\n"); // in content, a zero is an octet like others
}

// `count` octets of `fill` between two texts.
static void assert_filled(const char *before, size_t count, char fill, const char *after, const char *expected)
{
    struct buf text = {0};
    buf_text(&text, before);
    buf_reserve(&text, count);
    memset(text.data + text.len, fill, count);
    text.len += count;
    buf_text(&text, after);
    assert_transcript(buf_span(&text), expected);
    buf_clear(&text);
}

static void test_limits(void **state)
{
    // Limits of the fixture: 1024 octets of header, half of it up to the octet behind the space behind the target, 4096
    // of content.
    static const char tail[] = " HTTP/1.1\r\n" HOST "\r\n";
    static const size_t field = 1024 - sizeof(GET "X:\r\n\r\n") + 1;
    static const size_t framed = 1024 - sizeof CHUNKED + 1;
    struct buf target = {0};
    (void)state;
    buf_text(&target, "GET /");
    for (size_t i = 5; i < 510; i++) {
        buf_text(&target, "a");
    }
    buf_printf(&target, "%s", " {} keep\n");
    assert_filled("GET /", 512 - 7, 'a', tail, (const char *)target.data);
    assert_filled("GET /", 512 - 6, 'a', tail, "414\n");
    assert_filled("GET", 500, ' ', "/ HTTP/1.1\r\n", "400\n");
    assert_filled("GET", 100000, ' ', "", "414\n");
    assert_filled("", 100000, '\n', "", "400\n");
    assert_filled(GET "X:", field, 'a', "\r\n\r\n", SERVED);
    assert_filled(GET "X:", field + 1, 'a', "\r\n\r\n", "431\n");
    assert_filled(GET "X:", field, ' ', "\r\n\r\n", SERVED);
    assert_filled(GET "X:", field + 1, ' ', "\r\n\r\n", "431\n");
    assert_filled(GET "", 100000, 'a', "", "431\n");
    assert_filled(POST "Content-Length: 4097\r\n\r\n", 0, 'a', "", "413\n"); // at once
    assert_filled(POST "Content-Length: 4097\r\nExpect: 100-continue\r\n\r\n", 0, 'a', "", "413\n");
    assert_filled(POST "Content-Length: 4096\r\n\r\n", 4095, 'a', "", "more\n");
    assert_filled(CHUNKED "1001\r\n", 0, 'a', "", "413\n");
    assert_filled(CHUNKED "1000\r\n", 4095, 'a', "", "more\n");
    assert_filled(CHUNKED "1000\r\n", 4096, 'a', "\r\n1\r\n", "413\n");
    assert_filled(CHUNKED "ffffffffffffffff\r\n", 0, 'a', "", "413\n");
    // Around chunks, what is unusual counts with the header: from the 21st octet of a line on.
    assert_filled(CHUNKED, framed + 20 - 3, '0', "\r\n\r\n", "431\n");
    assert_filled(CHUNKED, framed + 20 - 4, '0', "\r\n\r\n", "POST / {} keep\n");
    assert_filled(CHUNKED "0;", framed + 20 - 6, 'a', "\r\n\r\n", "POST / {} keep\n");
    assert_filled(CHUNKED "0;", framed + 20 - 5, 'a', "\r\n\r\n", "431\n");
    assert_filled(CHUNKED "0\r\nX:", framed + 20 - 9, 'a', "\r\n\r\n", "POST / {} keep\n");
    assert_filled(CHUNKED "0\r\nX:", framed + 20 - 8, 'a', "\r\n\r\n", "431\n");
    buf_clear(&target);
}

// Many short chunks are nobody's fault; many with a little extension each are.
static void test_many_chunks(void **state)
{
    struct buf plain = {0};
    struct buf extended = {0};
    struct buf out = {0};
    (void)state;
    buf_text(&plain, CHUNKED);
    buf_text(&extended, CHUNKED);
    for (int i = 0; i < 4096; i++) {
        buf_text(&plain, "1\r\na\r\n");
        buf_text(&extended, "1;aaaaaaaaaaaaaaaaaaaaaaa\r\na\r\n");
    }
    buf_text(&plain, "0\r\n\r\n");
    buf_text(&extended, "0\r\n\r\n");
    http_transcript(buf_span(&plain), CUT_WHOLE, &out);
    assert_int_equal(strncmp((const char *)out.data, "POST / {aaaa", 12), 0);
    assert_transcript(buf_span(&extended), "431\n");
    buf_clear(&plain);
    buf_clear(&extended);
    buf_clear(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_request_line), cmocka_unit_test(test_target),      cmocka_unit_test(test_field_lines),
        cmocka_unit_test(test_framing),      cmocka_unit_test(test_chunks),      cmocka_unit_test(test_zero),
        cmocka_unit_test(test_limits),       cmocka_unit_test(test_many_chunks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
