// SPDX-License-Identifier: Apache-2.0
#include "run.h"
#include "server/pages.h"
#include "trust/internal.h"

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
    .complete = true,
};
static struct trust_snapshot snapshot; // with rules: see main
static struct trust_verdict denial;
static const struct visitor visitor = {
    .who = &who, .cipher = "TLS_X", .address = "[::1]:5", .snapshot = &snapshot, .denial = &denial};

static struct http_response ask_as(const struct visitor *as, const char *method, const char *target, const char *type,
                                   const char *body)
{
    struct http_request request = {.method = method, .minor = 1};
    struct http_response response = {0};
    static struct buf kept; // content_type points into the request
    buf_text(&request.target, target);
    buf_clear(&kept);
    if (type != NULL) {
        buf_add(&kept, "Content-Type", sizeof "Content-Type");
        buf_add(&kept, type, strlen(type) + 1);
    }
    request.fields = kept;
    buf_text(&request.body, body);
    pages_respond(as, &request, &response);
    buf_clear(&request.target);
    buf_clear(&request.body);
    return response;
}

static struct http_response ask(const char *method, const char *target, const char *type, const char *body)
{
    return ask_as(&visitor, method, target, type, body);
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
    http_response_clear(&response);
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
    char *again = json_dumps(json, JSON_INDENT(2) | JSON_PRESERVE_ORDER);
    assert_int_equal(response.body.len, strlen(again) + 1);
    assert_memory_equal(response.body.data, again, strlen(again)); // as jansson writes it
    assert_int_equal(json_object_size(json), 11);
    free(again);
    json_decref(json);
    http_response_clear(&response);
}

// Without a name, and with one that JSON must quote.
static void test_whoami_quotes(void **state)
{
    (void)state;
    struct trust_name quoted = {.type = TRUST_NAME_URI, .text = (char *)(uintptr_t) "x:\"\\x0A\""};
    struct trust_identity other = who;
    for (size_t count = 0; count < 2; count++) {
        other.names = &quoted;
        other.name_count = count;
        other.resumed = true;
        struct visitor as = visitor;
        as.who = &other;
        struct http_response response = ask_as(&as, "GET", "/whoami", NULL, "");
        json_t *json = json_loads((const char *)response.body.data, 0, NULL);
        char *again = json_dumps(json, JSON_INDENT(2) | JSON_PRESERVE_ORDER);
        assert_int_equal(response.body.len, strlen(again) + 1);
        assert_memory_equal(response.body.data, again, strlen(again));
        assert_true(json_is_true(json_object_get(json, "resumed")));
        json_t *names_there = json_object_get(json, "names");
        assert_int_equal(json_array_size(names_there), count);
        if (count > 0) {
            assert_string_equal(json_string_value(json_object_get(json_array_get(names_there, 0), "value")),
                                quoted.text);
        }
        free(again);
        json_decref(json);
        http_response_clear(&response);
    }
}

static void test_echo(void **state)
{
    (void)state;
    struct http_response response = ask("POST", "/echo", "text/x", "Hello");
    assert_int_equal(response.status, 200);
    assert_string_equal(response.content_type, "text/x");
    assert_string_equal((const char *)response.body.data, "Hello");
    http_response_clear(&response);
    response = ask("POST", "/echo", NULL, "");
    assert_string_equal(response.content_type, "application/octet-stream");
    assert_int_equal(response.body.len, 0);
    http_response_clear(&response);
}

// The echo of what came in chunks comes in chunks.
static void test_echo_streams(void **state)
{
    struct http_request request = {.method = "POST", .minor = 1, .chunked = true};
    struct http_response response = {0};
    char data[16] = "";
    (void)state;
    buf_text(&request.target, "/echo");
    buf_text(&request.body, "Hello???");
    pages_respond(&visitor, &request, &response);
    buf_clear(&request.target);
    buf_clear(&request.body); // the response does not need it any more
    assert_int_equal(response.status, 200);
    assert_non_null(response.stream);
    assert_int_equal(response.stream->left, -1);
    assert_int_equal(response.stream->read(response.stream, data, 5), 5);
    assert_int_equal(response.stream->read(response.stream, data + 5, 10), 3);
    assert_int_equal(response.stream->read(response.stream, data + 8, 7), 0);
    assert_string_equal(data, "Hello???");
    http_response_clear(&response);
}

static void test_routes(void **state)
{
    (void)state;
    static const char get[] = "GET, HEAD, OPTIONS";
    static const char post[] = "POST, OPTIONS";
    static const struct {
        const char *method;
        const char *target;
        int status;
        const char *allow;
    } cases[] = {
        {"HEAD", "/", 200, NULL},
        {"HEAD", "/whoami", 200, NULL},
        {"POST", "/", 405, get},
        {"GET", "/echo", 405, post},
        {"HEAD", "/echo", 405, post},
        {"PUT", "/echo", 405, post},
        {"G", "/", 405, get},
        {"EAD", "/", 405, get},
        {"GET", "/whoami/", 404, NULL},
        {"GET", "/who", 404, NULL},
        {"DELETE", "/nothing", 404, NULL},
        {"GET", "/?a", 200, NULL},
        {"OPTIONS", "/", 204, get},
        {"OPTIONS", "/echo", 204, post},
        {"OPTIONS", "*", 204, "GET, HEAD, POST, OPTIONS"},
        {"OPTIONS", "/nothing", 404, NULL},
        // One path, however it is written.
        {"GET", "/who%61mi", 200, NULL},
        {"GET", "//whoami", 200, NULL},
        {"GET", "/x/../whoami", 200, NULL},
        {"GET", "/./%77hoami?/../x", 200, NULL},
        {"GET", "https://any/whoami", 200, NULL},
        {"GET", "//", 200, NULL},
        {"GET", "/WHOAMI", 404, NULL},
        {"GET", "/%2577hoami", 404, NULL}, // decoded once
        {"GET", "/%2fwhoami", 400, NULL},
        {"GET", "/..", 400, NULL},
        {"GET", "/whoami%00", 400, NULL},
        {"GET", "http://x/", 400, NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct http_response response = ask(cases[i].method, cases[i].target, NULL, "");
        if (response.status != cases[i].status) {
            fail_msg("case %zu: %d", i, response.status);
        }
        assert_string_equal(response.allow != NULL ? response.allow : "", cases[i].allow != NULL ? cases[i].allow : "");
        http_response_clear(&response);
    }
}

// Who may not do something learns nothing about it, not even whether there is such a thing; and it is the path that
// counts, not how it is written.
static void test_access(void **state)
{
    (void)state;
    static const struct {
        const char *method;
        const char *target;
        int status;
    } cases[] = {
        {"GET", "/closed/x", 403},
        {"GET", "/closed/nothing", 403},
        {"GET", "/closed/", 403},
        {"DELETE", "/closed/x", 403}, // not 405
        {"OPTIONS", "/closed/x", 403},
        {"GET", "/%63losed/x", 403},
        {"GET", "/open/../closed/x", 403},
        {"GET", "//closed//x", 403},
        {"GET", "https://any/closed/x?y", 403},
        {"GET", "/closed/../nothing", 404},
        {"GET", "/CLOSED/x", 404},
        {"GET", "/closed%2fx", 400},
        {"POST", "/echo", 200},
        {"GET", "/echo", 405},
        {"PATCH", "/echo", 403}, // by method
        {"PATCH", "/nothing", 403},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct http_response response = ask(cases[i].method, cases[i].target, NULL, "");
        if (response.status != cases[i].status) {
            fail_msg("case %zu: %d", i, response.status);
        }
        if (response.status == 403) {
            assert_string_equal((const char *)response.body.data, "403 Forbidden\n");
            assert_null(response.allow);
            assert_int_equal(denial.reason, REASON_not_allowed);
            assert_int_equal(response.fields.len, 0);
        }
        http_response_clear(&response);
    }
    struct trust_rules *rules = snapshot.rules;
    snapshot.rules = NULL; // no rules: nobody may do anything
    struct http_response response = ask("GET", "/", NULL, "");
    snapshot.rules = rules;
    assert_int_equal(response.status, 403);
    http_response_clear(&response);
}

// With a directory: the routes go before its files, its index.html before the page.
static void test_root(void **state)
{
    (void)state;
    struct run world;
    struct visitor with_root = visitor;
    char root[160];
    run_begin(&world);
    snprintf(root, sizeof root, "%s/root", world.dir);
    with_root.root = root;
    static const struct {
        const char *method;
        const char *target;
        int status;
        bool is_file;
    } cases[] = {
        {"GET", "/", 200, false},        {"GET", "/file", 200, true},      {"HEAD", "/file", 200, true},
        {"GET", "/whoami", 200, false},  {"POST", "/file", 405, false},    {"POST", "/nothing", 405, false},
        {"GET", "/nothing", 404, false}, {"OPTIONS", "/file", 204, false}, {"GET", "/closed/file", 403, false},
        {"GET", "/sub", 301, false},
    };
    assert_runs(&world, "mkdir -p root/closed root/sub && echo file >root/file && cp root/file root/whoami && "
                        "cp root/file root/closed/");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct http_response response = ask_as(&with_root, cases[i].method, cases[i].target, NULL, "");
        if (response.status != cases[i].status || (response.stream != NULL) != cases[i].is_file) {
            fail_msg("case %zu: %d", i, response.status);
        }
        http_response_clear(&response);
    }
    assert_runs(&world, "echo index >root/index.html");
    struct http_response response = ask_as(&with_root, "GET", "/", NULL, "");
    assert_non_null(response.stream);
    assert_int_equal(response.stream->left, 6);
    http_response_clear(&response);
    // What a rule says of /sub/index.html and of /closed/ holds also where they are not called so.
    response = ask_as(&with_root, "GET", "/sub/", NULL, "");
    assert_int_equal(response.status, 404);
    http_response_clear(&response);
    assert_runs(&world, "echo index >root/sub/index.html");
    response = ask_as(&with_root, "GET", "/sub/", NULL, "");
    assert_int_equal(response.status, 403);
    assert_null(response.stream);
    http_response_clear(&response);
    response = ask_as(&with_root, "GET", "/closed", NULL, "");
    assert_int_equal(response.status, 403);
    assert_int_equal(response.fields.len, 0);
    http_response_clear(&response);
    run_end(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_page_escapes), cmocka_unit_test(test_whoami),       cmocka_unit_test(test_whoami_quotes),
        cmocka_unit_test(test_echo),         cmocka_unit_test(test_echo_streams), cmocka_unit_test(test_routes),
        cmocka_unit_test(test_access),       cmocka_unit_test(test_root),
    };
    static const char *const closed[] = {"/closed/*", "/sub/index.html"};
    static const char *const patch[] = {"PATCH"};
    const struct trust_rule rules[] = {
        {.paths = closed, .path_count = 2},
        {.methods = patch, .method_count = 1},
        {.allow = true},
    };
    struct err e = ERR_INIT;
    snapshot.rules = trust_rules_new(rules, sizeof rules / sizeof rules[0], &e);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    trust_rules_free(snapshot.rules);
    return failed;
}
