// SPDX-License-Identifier: Apache-2.0
#include "server/http_path.h"
#include "unit.h"

#include <string.h>

// NULL: there is no such path.
static void assert_path(const char *target, const char *expected)
{
    struct buf path = {0};
    int rc = http_path(span_of(target, strlen(target)), &path);
    if ((rc == 0) != (expected != NULL) || (rc == 0 && strcmp((const char *)path.data, expected) != 0)) {
        fail_msg("%s: %s", target, rc == 0 ? (const char *)path.data : "refused");
    }
    buf_clear(&path);
}

static void test_paths(void **state)
{
    (void)state;
    assert_path("/", "/");
    assert_path("/?a/../b", "/");
    assert_path("/a/b", "/a/b");
    assert_path("/a/b/", "/a/b/");
    assert_path("/a%20b", "/a b");
    assert_path("/%61%7e", "/a~");
    assert_path("/%c3%a4", "/\xc3\xa4");
    assert_path("/%25", "/%");
    assert_path("/%252e%252e/", "/%2e%2e/"); // decoded once
    assert_path("/a;x=1,2!$&'()*+=:@", "/a;x=1,2!$&'()*+=:@");
    assert_path("/[]|", "/[]|");
    assert_path("/%22%3c%3e%3f%23%5e%60%7b%7d", "/\"<>?#^`{}");
    assert_path("/a/./b", "/a/b");
    assert_path("/a/../b", "/b");
    assert_path("/a/..", "/");
    assert_path("/a/b/..", "/a/");
    assert_path("/a/b/../", "/a/");
    assert_path("/a/.", "/a/");
    assert_path("/.", "/");
    assert_path("/%2e", "/");
    assert_path("/a/%2E%2e/b", "/b");
    assert_path("/a/.%2e/b", "/b");
    assert_path("/...", "/...");
    assert_path("/..a/.b", "/..a/.b");
    assert_path("//", "/");
    assert_path("//a//b//", "/a/b/");
    assert_path("/a//../b", "/b");
    assert_path("https://x", "/");
    assert_path("https://x?y", "/");
    assert_path("HTTPS://x:1/a?y", "/a");
    assert_path("*", "*");
}

static void test_refused(void **state)
{
    (void)state;
    assert_path("", NULL);
    assert_path("a", NULL);
    assert_path("**", NULL);
    assert_path("/..", NULL);
    assert_path("/../", NULL);
    assert_path("/a/../..", NULL);
    assert_path("/%2e%2e/a", NULL);
    assert_path("/./../a", NULL);
    assert_path("//../a", NULL);
    assert_path("/a%2fb", NULL);
    assert_path("/a%2Fb", NULL);
    assert_path("/..%2f", NULL);
    assert_path("/a%5cb", NULL);
    assert_path("/a\\b", NULL);
    assert_path("/%00", NULL);
    assert_path("/a%0a", NULL);
    assert_path("/%7f", NULL);
    assert_path("/%", NULL);
    assert_path("/%4", NULL);
    assert_path("/%4g", NULL);
    assert_path("/%g4", NULL);
    assert_path("/%%34", NULL);
    assert_path("/%u0041", NULL);
    assert_path("/%c0%af", NULL); // "/" in an overlong form
    assert_path("/%c3", NULL);
    assert_path("/%ff", NULL);
    assert_path("/%ed%a0%80", NULL); // a surrogate
    assert_path("/%c2%85", NULL);    // a control character of ISO 6429
    assert_path("/\x80", NULL);
    assert_path("/\x7f", NULL);
    assert_path("/a b", NULL);
    assert_path("/a#b", NULL);
    assert_path("/a?b#c", NULL);
    assert_path("/a?\x80", NULL);
    assert_path("http://x/", NULL);
    assert_path("https:/x/", NULL);
    assert_path("https://", NULL);
    assert_path("https:///a", NULL);
    assert_path("https://u@x/a", NULL);
    assert_path("https://x\\y/a", NULL);
    struct buf path = {0};
    assert_int_equal(http_path(span_of("/a\0b", 4), &path), -1);
    assert_int_equal(http_path(span_of("/a?\0b", 5), &path), -1);
    assert_int_equal(http_path(span_of("https://x\0/b", 12), &path), -1);
    assert_int_equal(http_path(span_of("/%41", 3), &path), -1);
    assert_int_equal(http_path(span_of("/%41", 2), &path), -1);
    assert_int_equal(http_path(span_of(NULL, 0), &path), -1);
    buf_clear(&path);
}

static void test_split(void **state)
{
    static const char target[] = "https://a.example:1/b/c?d=/e?f";
    struct http_target parts;
    (void)state;
    assert_int_equal(http_target_split(span_of(target, strlen(target)), &parts), 0);
    assert_int_equal(parts.form, HTTP_TARGET_ABSOLUTE);
    assert_int_equal(parts.authority.len, strlen("a.example:1"));
    assert_memory_equal(parts.authority.data, "a.example:1", parts.authority.len);
    assert_int_equal(parts.path.len, strlen("/b/c"));
    assert_memory_equal(parts.path.data, "/b/c", parts.path.len);
    assert_int_equal(parts.query.len, strlen("?d=/e?f"));
    assert_memory_equal(parts.query.data, "?d=/e?f", parts.query.len);
}

// What is encoded decodes to what it was, and holds nothing that would end a header line.
static void test_encode(void **state)
{
    struct buf encoded = {0};
    char path[260] = "/";
    (void)state;
    http_path_encode("/a b/\xc3\xa4%?#\"", &encoded);
    assert_string_equal((const char *)encoded.data, "/a%20b/%C3%A4%25%3F%23%22");
    buf_clear(&encoded);
    for (int c = 0x20; c < 0x7f; c++) {
        path[c - 0x1f] = (char)(c == '\\' || c == '/' ? 'x' : c);
    }
    http_path_encode(path, &encoded);
    assert_path((const char *)encoded.data, path);
    buf_clear(&encoded);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_paths),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_split),
        cmocka_unit_test(test_encode),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
