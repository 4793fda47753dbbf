// SPDX-License-Identifier: Apache-2.0
#include "server/http.h"
#include "unit.h"

#include <stdlib.h>
#include <string.h>

enum { NOW = 784111777 }; // RFC 9110's example: Sun, 06 Nov 1994 08:49:37 GMT

static const struct http_request get = {.method = "GET", .minor = 1, .keep_alive = true};

static void assert_written(const struct http_request *request, struct http_response *response, bool close,
                           bool expected_close, const char *expected)
{
    struct buf out = {0};
    assert_int_equal(http_write(&out, request, response, close, NOW), expected_close);
    assert_string_equal((const char *)out.data, expected);
    http_response_clear(response);
    buf_clear(&out);
}

#define DATE "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
#define POLICY                                                                                                         \
    "Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n"                                                   \
    "Content-Security-Policy: default-src 'none'; style-src 'unsafe-inline'; sandbox\r\n"
#define TEXT "Content-Type: text/plain; charset=utf-8\r\n"

static void test_whole(void **state)
{
    struct http_response response = {0};
    const struct http_request head = {.method = "HEAD", .minor = 1, .keep_alive = true};
    const struct http_request last = {.method = "GET", .minor = 1};
    const struct http_request unread = {0};
    (void)state;
    http_response_plain(&response, 405);
    response.allow = "GET";
    assert_written(&get, &response, false, false,
                   "HTTP/1.1 405 Method Not Allowed\r\n" DATE TEXT "Content-Length: 23\r\nAllow: GET\r\n" POLICY
                   "Connection: keep-alive\r\n\r\n405 Method Not Allowed\n");
    http_response_plain(&response, 404);
    assert_written(&get, &response, true, true,
                   "HTTP/1.1 404 Not Found\r\n" DATE TEXT "Content-Length: 14\r\n" POLICY
                   "Connection: close\r\n\r\n404 Not Found\n");
    http_response_plain(&response, 404);
    assert_written(&head, &response, false, false,
                   "HTTP/1.1 404 Not Found\r\n" DATE TEXT "Content-Length: 14\r\n" POLICY
                   "Connection: keep-alive\r\n\r\n");
    http_response_plain(&response, 403);
    assert_written(&last, &response, false, true,
                   "HTTP/1.1 403 Forbidden\r\n" DATE TEXT "Content-Length: 14\r\n" POLICY
                   "Connection: close\r\n\r\n403 Forbidden\n");
    http_response_plain(&response, 408);
    assert_written(&unread, &response, false, true,
                   "HTTP/1.1 408 Request Timeout\r\n" DATE TEXT "Content-Length: 20\r\n" POLICY
                   "Connection: close\r\n\r\n408 Request Timeout\n");
}

static void test_without_content(void **state)
{
    struct http_response response = {.status = 204, .allow = "GET"};
    (void)state;
    assert_written(&get, &response, false, false,
                   "HTTP/1.1 204 No Content\r\n" DATE "Allow: GET\r\n" POLICY "Connection: keep-alive\r\n\r\n");
    response = (struct http_response){.status = 304, .policy = "Cache-Control: no-cache\r\n"};
    buf_text(&response.fields, "ETag: \"1\"\r\n");
    buf_text(&response.body, "never sent");
    assert_written(&get, &response, false, false,
                   "HTTP/1.1 304 Not Modified\r\n" DATE
                   "ETag: \"1\"\r\nCache-Control: no-cache\r\nConnection: keep-alive\r\n\r\n");
}

// Gives its text in pieces of at most `most`; breaks off at the end of it if it is to.
struct text_stream {
    struct http_stream stream;
    const char *text;
    size_t most;
    bool breaks;
    int *freed;
};

static long text_read(struct http_stream *stream, void *data, size_t size)
{
    struct text_stream *text = (struct text_stream *)stream;
    size_t n = strlen(text->text);
    n = n < text->most ? n : text->most;
    n = n < size ? n : size;
    memcpy(data, text->text, n);
    text->text += n;
    return n == 0 && text->breaks ? -1 : (long)n;
}

static void text_free(struct http_stream *stream)
{
    struct text_stream *text = (struct text_stream *)stream;
    (*text->freed)++;
    free(text);
}

static struct http_stream *text_stream_new(const char *text, int64_t left, bool breaks, int *freed)
{
    struct text_stream *stream = mem_alloc(sizeof *stream);
    *stream = (struct text_stream){.stream = {.read = text_read, .free = text_free, .left = left},
                                   .text = text,
                                   .most = 4,
                                   .breaks = breaks,
                                   .freed = freed};
    return &stream->stream;
}

// Answers a request from a stream: what was written, and how that ended.
static enum http_status stream_all(const struct http_request *request, struct http_stream *stream, bool *close,
                                   struct buf *out)
{
    struct http_response response = {.status = 200, .policy = "", .stream = stream};
    enum http_status status = HTTP_COMPLETE;
    *close = http_write(out, request, &response, false, NOW);
    while (response.stream != NULL && (status = http_stream_next(response.stream, out)) == HTTP_MORE) {
    }
    http_response_clear(&response);
    return status;
}

static void test_streams(void **state)
{
    static const struct http_request head = {.method = "HEAD", .minor = 1, .keep_alive = true};
    static const struct http_request old = {.method = "GET", .minor = 0, .keep_alive = true};
#define START "HTTP/1.1 200 OK\r\n" DATE TEXT
#define KEEP "Connection: keep-alive\r\n\r\n"
    static const struct {
        const struct http_request *request;
        const char *text;
        int64_t left;
        bool breaks;
        enum http_status status;
        bool close;
        const char *expected;
    } cases[] = {
        {&get, "Hello???", 8, false, HTTP_COMPLETE, false, START "Content-Length: 8\r\n" KEEP "Hello???"},
        {&get, "Hello??? And more", 8, false, HTTP_COMPLETE, false, START "Content-Length: 8\r\n" KEEP "Hello???"},
        {&get, "", 0, false, HTTP_COMPLETE, false, START "Content-Length: 0\r\n" KEEP},
        {&get, "Hello", 8, false, HTTP_BAD, false, START "Content-Length: 8\r\n" KEEP "Hello"}, // it shrank
        {&get, "Hello", 8, true, HTTP_BAD, false, START "Content-Length: 8\r\n" KEEP "Hello"},
        {&head, "Hello", 5, false, HTTP_COMPLETE, false, START "Content-Length: 5\r\n" KEEP},
        {&get, "Hello", -1, false, HTTP_COMPLETE, false,
         START "Transfer-Encoding: chunked\r\n" KEEP "0004\r\nHell\r\n0001\r\no\r\n0000\r\n\r\n"},
        {&get, "", -1, false, HTTP_COMPLETE, false, START "Transfer-Encoding: chunked\r\n" KEEP "0000\r\n\r\n"},
        {&get, "Hello", -1, true, HTTP_BAD, false,
         START "Transfer-Encoding: chunked\r\n" KEEP "0004\r\nHell\r\n0001\r\no\r\n"}, // no last chunk
        {&head, "Hello", -1, false, HTTP_COMPLETE, false, START "Transfer-Encoding: chunked\r\n" KEEP},
        {&old, "Hello", -1, false, HTTP_COMPLETE, true, START "Connection: close\r\n\r\nHello"},
        {&old, "Hello", 5, false, HTTP_COMPLETE, false, START "Content-Length: 5\r\n" KEEP "Hello"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct buf out = {0};
        int freed = 0;
        bool close = false;
        struct http_stream *stream = text_stream_new(cases[i].text, cases[i].left, cases[i].breaks, &freed);
        assert_int_equal(stream_all(cases[i].request, stream, &close, &out), cases[i].status);
        assert_string_equal((const char *)out.data, cases[i].expected);
        assert_int_equal(close, cases[i].close);
        assert_int_equal(freed, 1);
        buf_clear(&out);
    }
}

// A piece fits one TLS record, however much there is to come.
static void test_pieces(void **state)
{
    char *text = mem_alloc(100001);
    int freed = 0;
    (void)state;
    memset(text, 'a', 100000);
    for (int chunked = 0; chunked < 2; chunked++) {
        struct http_stream *stream = text_stream_new(text, chunked ? -1 : 100000, false, &freed);
        ((struct text_stream *)stream)->most = SIZE_MAX;
        stream->chunked = chunked;
        enum http_status status = HTTP_MORE;
        size_t total = 0;
        while (status == HTTP_MORE) {
            struct buf out = {0};
            status = http_stream_next(stream, &out);
            assert_true(out.len <= 16384);
            total += out.len;
            buf_clear(&out);
        }
        assert_int_equal(status, HTTP_COMPLETE);
        assert_true(chunked ? total > 100000 : total == 100000);
        http_stream_free(stream);
    }
    assert_int_equal(freed, 2);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_whole),
        cmocka_unit_test(test_without_content),
        cmocka_unit_test(test_streams),
        cmocka_unit_test(test_pieces),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
