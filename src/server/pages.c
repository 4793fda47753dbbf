// SPDX-License-Identifier: Apache-2.0
#include "server/pages.h"

#include "base/clock.h"
#include "base/text.h"
#include "server/files.h"
#include "server/http_path.h"

#include <stdlib.h>
#include <string.h>

typedef void page(const struct visitor *visitor, const struct http_request *request, struct http_response *response);

static void answer_identity(const struct visitor *visitor, const struct http_request *request,
                            struct http_response *response)
{
    (void)request;
    response->content_type = "text/html; charset=utf-8";
    page_identity(visitor, &response->body);
}

// {"type": ..., "value": ...} of each name, in JSON, as jansson indents it.
static void add_names(struct buf *body, const struct trust_identity *who)
{
    buf_text(body, "  \"names\": [");
    for (size_t i = 0; i < who->name_count; i++) {
        buf_text(body, i > 0 ? ",\n    {\n      \"type\": " : "\n    {\n      \"type\": ");
        text_json(body, trust_name_word(who->names[i].type));
        buf_text(body, ",\n      \"value\": ");
        text_json(body, who->names[i].text);
        buf_text(body, "\n    }");
    }
    buf_text(body, who->name_count > 0 ? "\n  ],\n" : "],\n");
}

static void add_member(struct buf *body, const char *start, const char *value)
{
    buf_text(body, start);
    text_json(body, value);
    buf_text(body, ",\n");
}

// Services ask this once a connection: by way of jansson's objects it costs as much as judging the visitor.
static void answer_whoami(const struct visitor *visitor, const struct http_request *request,
                          struct http_response *response)
{
    const struct trust_identity *who = visitor->who;
    struct buf *body = &response->body;
    char when[CLOCK_TEXT];
    (void)request;
    response->content_type = "application/json";
    buf_reserve(body, 1000);
    add_member(body, "{\n  \"subject\": ", who->subject);
    add_names(body, who);
    add_member(body, "  \"issuer\": ", who->issuer);
    add_member(body, "  \"serial\": ", who->serial);
    add_member(body, "  \"sha256\": ", who->fingerprint);
    add_member(body, "  \"not_before\": ", clock_rfc3339(who->not_before, when));
    add_member(body, "  \"not_after\": ", clock_rfc3339(who->not_after, when));
    add_member(body, "  \"tls\": ", who->tls_version);
    add_member(body, "  \"cipher\": ", visitor->cipher);
    buf_text(body, who->resumed ? "  \"resumed\": true,\n" : "  \"resumed\": false,\n");
    buf_text(body, "  \"address\": ");
    text_json(body, visitor->address);
    buf_text(body, "\n}\n");
}

struct echo {
    struct http_stream stream;
    struct buf body;
    size_t used;
};

static long echo_read(struct http_stream *stream, void *data, size_t size)
{
    struct echo *echo = (struct echo *)stream;
    size_t n = echo->body.len - echo->used < size ? echo->body.len - echo->used : size;
    if (n > 0) {
        memcpy(data, echo->body.data + echo->used, n);
    }
    echo->used += n;
    return (long)n;
}

static void echo_free(struct http_stream *stream)
{
    struct echo *echo = (struct echo *)stream;
    buf_clear(&echo->body);
    free(echo);
}

// The echo sounds as it was called: what came in chunks goes back in chunks.
static void answer_echo(const struct visitor *visitor, const struct http_request *request,
                        struct http_response *response)
{
    const char *type = http_field(request, "content-type", NULL);
    (void)visitor;
    response->content_type = type != NULL ? type : "application/octet-stream";
    if (!request->chunked) {
        buf_add(&response->body, request->body.data, request->body.len);
        return;
    }
    struct echo *echo = mem_alloc(sizeof *echo);
    echo->stream = (struct http_stream){.read = echo_read, .free = echo_free, .left = -1};
    buf_add(&echo->body, request->body.data, request->body.len);
    response->stream = &echo->stream;
}

// Which handler answers which path. What is forwarded to another server one day is one more handler here.
struct route {
    const char *path;
    const char *allow; // methods, as the Allow header lists them
    page *answer;
};
static const struct route routes[] = {
    {"/", "GET, HEAD, OPTIONS", answer_identity},
    {"/whoami", "GET, HEAD, OPTIONS", answer_whoami},
    {"/echo", "POST, OPTIONS", answer_echo},
};
static const char files_allow[] = "GET, HEAD, OPTIONS";
static const char server_allow[] = "GET, HEAD, POST, OPTIONS"; // of "*", the server as a whole

static const struct route *route_find(const char *path)
{
    for (size_t i = 0; i < sizeof routes / sizeof routes[0]; i++) {
        if (strcmp(routes[i].path, path) == 0) {
            return &routes[i];
        }
    }
    return NULL;
}

static bool method_is_allowed(const char *method, const char *allow)
{
    size_t len = strlen(method);
    const char *found = strstr(allow, method);
    return found != NULL && (found[len] == ',' || found[len] == '\0') && (found == allow || found[-1] == ' ');
}

// The one place where the access rules are asked. "*" is no path, but the whole server: that of its root.
static bool visitor_may(const struct visitor *visitor, const char *method, const char *path)
{
    return trust_allows(visitor->snapshot, visitor->who, method, strcmp(path, "*") == 0 ? "/" : path, visitor->denial);
}

// A directory was answered for with what has another name, which must be allowed as well: "/x/" with "/x/index.html",
// and "/x" with the news that there is a "/x/".
static bool visitor_may_alias(const struct visitor *visitor, const char *method, const char *path, int status)
{
    struct buf alias = {0};
    buf_text(&alias, path);
    buf_text(&alias, text_ends(path, "/") ? "index.html" : status == 301 ? "/" : "");
    bool may = visitor_may(visitor, method, (const char *)alias.data);
    buf_clear(&alias);
    return may;
}

static void answer_path(const struct visitor *visitor, const struct http_request *request, const char *path,
                        struct http_response *response)
{
    const struct route *route = route_find(path);
    bool may_be_file = visitor->root != NULL && (route == NULL || strcmp(path, "/") == 0);
    const char *allow = route != NULL            ? route->allow
                        : strcmp(path, "*") == 0 ? server_allow
                        : may_be_file            ? files_allow
                                                 : NULL;
    if (allow != NULL && strcmp(request->method, "OPTIONS") == 0) {
        *response = (struct http_response){.status = 204, .allow = allow};
    } else if (allow != NULL && !method_is_allowed(request->method, allow)) {
        http_response_plain(response, 405);
        response->allow = allow;
    } else if (may_be_file && files_answer(visitor->root, path, request, visitor->now, response)) {
        if (!visitor_may_alias(visitor, request->method, path, response->status)) {
            http_response_plain(response, 403);
        }
    } else if (route == NULL) {
        http_response_plain(response, 404);
    } else {
        *response = (struct http_response){.status = 200};
        route->answer(visitor, request, response);
    }
}

void pages_respond(const struct visitor *visitor, const struct http_request *request, struct http_response *response)
{
    struct buf path = {0};
    *response = (struct http_response){0};
    if (http_path(buf_span(&request->target), &path) != 0) {
        http_response_plain(response, 400);
    } else if (!visitor_may(visitor, request->method, (const char *)path.data)) {
        http_response_plain(response, 403); // before anybody looks whether there is such a path
    } else {
        answer_path(visitor, request, (const char *)path.data, response);
    }
    buf_clear(&path);
}
