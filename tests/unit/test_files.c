// SPDX-License-Identifier: Apache-2.0
#include "base/clock.h"
#include "run.h"
#include "server/files.h"

#include <fcntl.h>
#include <sys/stat.h>

static struct run world; // r.dir/root is served; beside it lies what nobody may get
static char root[160];

static struct http_response ask(const char *method, const char *target, const char *fields, bool *found)
{
    static const struct http_limits limits = {.header = 8192, .body = 0};
    struct http_response response = {0};
    struct http_parser parser;
    struct buf text = {0};
    struct buf path = {0};
    size_t used = 0;
    buf_printf(&text, "%s %s HTTP/1.1\r\nHost: a\r\n%s\r\n", method, target, fields);
    http_parser_init(&parser, &limits);
    assert_int_equal(http_parse(&parser, text.data, text.len, &used), HTTP_COMPLETE);
    assert_int_equal(http_path(buf_span(&parser.request.target), &path), 0);
    *found = files_answer(root, (const char *)path.data, &parser.request, clock_now(), &response);
    http_parser_clear(&parser);
    buf_clear(&text);
    buf_clear(&path);
    return response;
}

// The status; the content goes to `content` (or NULL).
static int status_of(const char *target, const char *fields, struct buf *content)
{
    bool found = false;
    struct http_response response = ask("GET", target, fields, &found);
    int status = found ? response.status : 404;
    if (!found) {
        assert_int_equal(response.status, 0); // untouched
    }
    while (content != NULL && response.stream != NULL && http_stream_next(response.stream, content) == HTTP_MORE) {
    }
    http_response_clear(&response);
    return status;
}

static void assert_content(const char *target, const char *fields, int status, const char *expected)
{
    struct buf content = {0};
    buf_text(&content, "");
    int got = status_of(target, fields, &content);
    if (got != status || strcmp((const char *)content.data, expected) != 0) {
        fail_msg("%s: %d, %s", target, got, (const char *)content.data);
    }
    buf_clear(&content);
}

static int setup(void **state)
{
    (void)state;
    run_begin(&world);
    snprintf(root, sizeof root, "%s/root", world.dir);
    assert_runs(&world, "mkdir -p root/sub/empty root/.hidden root/inside 'root/a b' outside && "
                        "printf page > root/sub/index.html && printf Hello > root/hello.txt && : > root/none && "
                        "printf secret > outside/secret && printf secret > root/.hidden/x && "
                        "printf secret > root/.secret && printf 'odd name' > 'root/a b/%%41 c.TXT' && "
                        "printf kept > root/inside/kept && mkdir root/sub/empty/index.html");
    assert_runs(&world, "ln -s ../outside root/link && ln -s ../outside/secret root/file-link && "
                        "ln -s hello.txt root/hello-link && ln -s / root/sub/slash && ln -s . root/self && "
                        "mkfifo root/pipe && ln -s inside root/inside-link");
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    run_end(&world);
    return 0;
}

static void test_served(void **state)
{
    (void)state;
    assert_content("/hello.txt", "", 200, "Hello");
    assert_content("/sub/../hello.txt?query", "", 200, "Hello");
    assert_content("/sub/", "", 200, "page");
    assert_content("/sub/index.html", "", 200, "page");
    assert_content("/none", "", 200, "");
    assert_content("/a%20b/%2541%20c.TXT", "", 200, "odd name");
    assert_content("/inside/kept", "", 200, "kept");
}

static void test_absent(void **state)
{
    static const char *const targets[] = {
        "/", // without index.html
        "/nothing",
        "/nothing/",
        "/hello.txt/",
        "/hello.txt/x",
        "/sub/nothing",
        "/sub/empty/", // its index.html is a directory
        "/.secret",
        "/.hidden/x",
        "/.hidden/",
        "/sub/%2esecret", // hidden
        "/link/secret",
        "/link/",
        "/link",
        "/file-link", // out of the root
        "/hello-link",
        "/self/hello.txt",
        "/inside-link/kept", // also where they lead back into it
        "/sub/slash/etc/passwd",
        "/sub/slash/", //
        "/pipe",
        "/pipe/", // not a regular file, and nobody waits
    };
    (void)state;
    for (size_t i = 0; i < sizeof targets / sizeof targets[0]; i++) {
        assert_content(targets[i], "", 404, "");
    }
    struct buf target = {0};
    buf_text(&target, "/");
    for (int i = 0; i < 300; i++) {
        buf_text(&target, "x"); // longer than a name can be
    }
    assert_content((const char *)target.data, "", 404, "");
    for (int i = 0; i < 1000; i++) {
        buf_text(&target, "/x");
    }
    assert_content((const char *)target.data, "", 404, "");
    buf_clear(&target);
}

// Whoever hands in a path that http_path would not give, gets nothing either.
static void test_escape(void **state)
{
    static const char *const paths[] = {"/../outside/secret", "/sub/../../outside/secret", "/..", "//etc/passwd",
                                        "/./hello.txt",       "/sub/../hello.txt"};
    struct http_request request = {.method = "GET", .minor = 1};
    (void)state;
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        struct http_response response = {0};
        if (files_answer(root, paths[i], &request, clock_now(), &response)) {
            fail_msg("%s: %d", paths[i], response.status);
        }
    }
}

static void test_denied(void **state)
{
    uid_t user = geteuid();
    (void)state;
    assert_runs(&world, "mkdir -p root/closed && printf x > root/closed/file && printf x > root/unreadable && "
                        "mkdir -p root/search && printf found > root/search/file && "
                        "chmod 711 . && chmod 755 root && chmod 711 root/search && chmod 644 root/search/file");
    assert_content("/unreadable", "", 200, "x");
    assert_content("/closed/file", "", 200, "x");
    assert_runs(&world, "chmod 000 root/closed root/unreadable");
    if (user == 0) { // who may read everything
        assert_int_equal(seteuid(65534), 0);
    }
    int unreadable = status_of("/unreadable", "", NULL);
    int closed = status_of("/closed/file", "", NULL);
    int searched = status_of("/search/file", "", NULL);
    if (user == 0) {
        assert_int_equal(seteuid(0), 0);
    }
    assert_runs(&world, "chmod 755 root/closed");
    assert_int_equal(unreadable, 404);
    assert_int_equal(closed, 404);
    assert_int_equal(searched, 200); // what can be gone through need not be listed
}

static void test_headers(void **state)
{
    bool found = false;
    (void)state;
    assert_runs(&world, "touch -d '1994-11-06 08:49:37.5 UTC' root/hello.txt");
    struct http_response response = ask("GET", "/hello.txt", "", &found);
    assert_true(found);
    assert_string_equal((const char *)response.fields.data, "Accept-Ranges: bytes\r\nETag: \"2ebc98a1-1dcd6500-5\"\r\n"
                                                            "Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT\r\n");
    assert_string_equal(response.content_type, "text/plain; charset=utf-8");
    assert_string_equal(response.policy, "Cache-Control: private, no-cache\r\nX-Content-Type-Options: nosniff\r\n");
    assert_int_equal(response.stream->left, 5);
    http_response_clear(&response);
    assert_content("/hello.txt", "If-None-Match: \"2ebc98a1-1dcd6500-5\"\r\n", 304, "");
    assert_content("/hello.txt", "If-None-Match: \"2ebc98a1-1dcd6501-5\"\r\n", 200, "Hello");
    assert_content("/hello.txt", "If-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT\r\n", 304, "");
    assert_content("/hello.txt", "If-Match: \"x\"\r\n", 412, "");
    response = ask("GET", "/a%20b/%2541%20c.TXT", "", &found);
    assert_string_equal(response.content_type, "text/plain; charset=utf-8");
    http_response_clear(&response);
    response = ask("GET", "/none", "", &found);
    assert_string_equal(response.content_type, "application/octet-stream");
    http_response_clear(&response);
    response = ask("GET", "/sub/", "", &found);
    assert_string_equal(response.content_type, "text/html; charset=utf-8");
    http_response_clear(&response);
    // A file of tomorrow was not modified after now (RFC 9110 section 8.8.2.1).
    assert_runs(&world, "touch -d 2099-01-01 root/none");
    response = ask("GET", "/none", "", &found);
    assert_null(strstr((const char *)response.fields.data, "2099"));
    http_response_clear(&response);
}

static void test_ranges(void **state)
{
    bool found = false;
    (void)state;
    assert_content("/hello.txt", "Range: bytes=1-3\r\n", 206, "ell");
    assert_content("/hello.txt", "Range: bytes=-2\r\n", 206, "lo");
    assert_content("/hello.txt", "Range: bytes=5-\r\n", 416, "");
    struct http_response response = ask("GET", "/hello.txt", "Range: bytes=1-3\r\n", &found);
    assert_non_null(strstr((const char *)response.fields.data, "\r\nContent-Range: bytes 1-3/5\r\n"));
    http_response_clear(&response);
    response = ask("GET", "/hello.txt", "Range: bytes=5-\r\n", &found);
    assert_non_null(strstr((const char *)response.fields.data, "\r\nContent-Range: bytes */5\r\n"));
    assert_null(response.stream);
    http_response_clear(&response);
}

// A file much larger than memory, in which only one place is something.
static void test_huge(void **state)
{
    (void)state;
    assert_runs(&world, "truncate -s 1T root/huge && printf needle | dd of=root/huge bs=1 seek=1099511000000 "
                        "conv=notrunc status=none");
    assert_content("/huge", "Range: bytes=1099511000000-1099511000005\r\n", 206, "needle");
    bool found = false;
    struct http_response response = ask("GET", "/huge", "", &found);
    assert_int_equal(response.stream->left, INT64_C(1099511627776));
    struct buf piece = {0};
    assert_int_equal(http_stream_next(response.stream, &piece), HTTP_MORE);
    assert_true(piece.len > 0 && piece.cap <= 65536);
    buf_clear(&piece);
    http_response_clear(&response);
}

static void test_redirect(void **state)
{
    static const struct {
        const char *target;
        const char *location;
    } cases[] = {
        {"/sub", "Location: /sub/\r\n"},     {"/sub?a=b&c", "Location: /sub/?a=b&c\r\n"},
        {"//sub", "Location: /sub/\r\n"}, // never //sub/, which would be somebody else's
        {"/a%20b", "Location: /a%20b/\r\n"}, {"https://a/sub", "Location: /sub/\r\n"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        bool found = false;
        struct http_response response = ask("GET", cases[i].target, "", &found);
        assert_true(found);
        assert_int_equal(response.status, 301);
        assert_string_equal((const char *)response.fields.data, cases[i].location);
        http_response_clear(&response);
    }
}

// What a file loses while it is sent is not made up for.
static void test_shrinks(void **state)
{
    struct buf content = {0};
    bool found = false;
    (void)state;
    assert_runs(&world, "head -c 50000 /dev/zero > root/shrinking");
    struct http_response response = ask("GET", "/shrinking", "", &found);
    assert_int_equal(http_stream_next(response.stream, &content), HTTP_MORE);
    assert_runs(&world, "truncate -s 20000 root/shrinking");
    enum http_status status;
    while ((status = http_stream_next(response.stream, &content)) == HTTP_MORE) {
    }
    assert_int_equal(status, HTTP_BAD);
    assert_int_equal(content.len, 20000);
    buf_clear(&content);
    http_response_clear(&response);
    // And what it gains is not sent.
    response = ask("GET", "/shrinking", "", &found);
    assert_runs(&world, "truncate -s 90000 root/shrinking");
    while ((status = http_stream_next(response.stream, &content)) == HTTP_MORE) {
    }
    assert_int_equal(status, HTTP_COMPLETE);
    assert_int_equal(content.len, 20000);
    buf_clear(&content);
    http_response_clear(&response);
}

static int descriptors(void)
{
    int count = 0;
    for (int fd = 0; fd < 256; fd++) {
        count += fcntl(fd, F_GETFD) >= 0;
    }
    return count;
}

static void test_no_leak(void **state)
{
    static const char *const targets[] = {"/hello.txt", "/sub",     "/sub/",      "/nothing",    "/link/secret",
                                          "/pipe",      "/.secret", "/.hidden/x", "/sub/empty/", "/hello.txt/x"};
    (void)state;
    int before = descriptors();
    for (size_t i = 0; i < sizeof targets / sizeof targets[0]; i++) {
        (void)status_of(targets[i], "", NULL);
        (void)status_of(targets[i], "Range: bytes=100000-\r\n", NULL);
        (void)status_of(targets[i], "If-None-Match: *\r\n", NULL);
    }
    assert_int_equal(descriptors(), before);
}

// A root that is gone is a fault of the server's configuration, but says nothing about itself.
static void test_no_root(void **state)
{
    struct http_request request = {.method = "GET", .minor = 1};
    struct http_response response = {0};
    (void)state;
    assert_false(files_answer("/nowhere", "/hello.txt", &request, clock_now(), &response));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_served),  cmocka_unit_test(test_absent),   cmocka_unit_test(test_escape),
        cmocka_unit_test(test_denied),  cmocka_unit_test(test_headers),  cmocka_unit_test(test_ranges),
        cmocka_unit_test(test_huge),    cmocka_unit_test(test_redirect), cmocka_unit_test(test_shrinks),
        cmocka_unit_test(test_no_leak), cmocka_unit_test(test_no_root),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
