// SPDX-License-Identifier: Apache-2.0
// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

#include "server/pages.h"

#include <jansson.h>
#include <string.h>

static struct trust_name names[] = {{.type = TRUST_NAME_DNS, .text = (char *)"a.example"},
                                    {.type = TRUST_NAME_URI, .text = (char *)"x:<i>&\"'"}};
static const struct trust_identity who = {
    .subject = (char *)"CN=<script>alert(1)</script>",
    .issuer = (char *)"CN=CA & Sons",
    .serial = (char *)"0a",
    .fingerprint = (char *)"ff",
    .names = names,
    .name_count = 2,
    .not_before = 0,
    .not_after = 86400,
    .tls_version = "TLSv1.3",
};
static const struct visitor visitor = {.who = &who, .cipher = "TLS_X", .address = "[::1]:5"};

static struct http_response ask(const char *method, const char *target, const char *type, const char *body)
{
    struct http_request request = {.method = method};
    struct http_response response = {0};
    static struct buf kept; // content_type points into the request
    buf_text(&request.target, target);
    buf_clear(&kept);
    if (type != NULL) {
        buf_text(&kept, type);
        request.content_type = kept;
    }
    buf_text(&request.body, body);
    pages_respond(&visitor, &request, &response);
    buf_clear(&request.target);
    buf_clear(&request.body);
    return response;
}

static void test_page_escapes(void **state)
{
    (void)state;
    struct http_response response = ask("GET", "/", NULL, "");
    const char *html = (const char *)response.body.data;
    assert_int_equal(response.status, 200);
    assert_string_equal(response.content_type, "text/html; charset=utf-8");
    assert_null(strstr(html, "<script>"));
    assert_null(strstr(html, "x:<i>"));
    assert_non_null(strstr(html, "You are CN=&lt;script&gt;alert(1)&lt;/script&gt;</h1>"));
    assert_non_null(strstr(html, "CN=CA &amp; Sons"));
    assert_non_null(strstr(html, "x:&lt;i&gt;&amp;&quot;&#39;"));
    assert_non_null(strstr(html, "1970-01-01T00:00:00Z to 1970-01-02T00:00:00Z"));
    assert_non_null(strstr(html, "TLSv1.3, TLS_X<"));
    buf_clear(&response.body);
}

static void test_whoami(void **state)
{
    (void)state;
    struct http_response response = ask("GET", "/whoami?x", NULL, "");
    json_t *json = json_loads((const char *)response.body.data, 0, NULL);
    assert_string_equal(response.content_type, "application/json");
    assert_string_equal(json_string_value(json_object_get(json, "subject")), who.subject);
    assert_string_equal(json_string_value(json_object_get(json, "sha256")), "ff");
    assert_string_equal(json_string_value(json_object_get(json, "not_after")), "1970-01-02T00:00:00Z");
    assert_string_equal(json_string_value(json_object_get(json, "tls")), "TLSv1.3");
    assert_true(json_is_false(json_object_get(json, "resumed")));
    json_t *second = json_array_get(json_object_get(json, "names"), 1);
    assert_string_equal(json_string_value(json_object_get(second, "type")), "uri");
    assert_string_equal(json_string_value(json_object_get(second, "value")), names[1].text);
    json_decref(json);
    buf_clear(&response.body);
}

static void test_echo(void **state)
{
    (void)state;
    struct http_response response = ask("POST", "/echo", "text/x", "Hello");
    assert_int_equal(response.status, 200);
    assert_string_equal(response.content_type, "text/x");
    assert_string_equal((const char *)response.body.data, "Hello");
    buf_clear(&response.body);
    response = ask("POST", "/echo", NULL, "");
    assert_string_equal(response.content_type, "application/octet-stream");
    assert_int_equal(response.body.len, 0);
    buf_clear(&response.body);
}

static void test_refusals(void **state)
{
    (void)state;
    static const struct {
        const char *method;
        const char *target;
        int status;
        const char *allow;
    } cases[] = {
        {"HEAD", "/", 200, NULL},        {"HEAD", "/whoami", 200, NULL}, {"POST", "/", 405, "GET, HEAD"},
        {"GET", "/echo", 405, "POST"},   {"HEAD", "/echo", 405, "POST"}, {"G", "/", 405, "GET, HEAD"},
        {"EAD", "/", 405, "GET, HEAD"},  {"GET", "/whoami/", 404, NULL}, {"GET", "/who", 404, NULL},
        {"GET", "//", 404, NULL},        {"GET", "/?a", 200, NULL},      {"DELETE", "/nothing", 404, NULL},
        {"GET", "http://x/", 404, NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct http_response response = ask(cases[i].method, cases[i].target, NULL, "");
        assert_int_equal(response.status, cases[i].status);
        assert_string_equal(response.allow != NULL ? response.allow : "", cases[i].allow != NULL ? cases[i].allow : "");
        buf_clear(&response.body);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_page_escapes),
        cmocka_unit_test(test_whoami),
        cmocka_unit_test(test_echo),
        cmocka_unit_test(test_refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
