// SPDX-License-Identifier: Apache-2.0
#include "server/pages.h"

#include "base/clock.h"

#include <jansson.h>
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

static json_t *names_json(const struct trust_identity *who)
{
    json_t *names = json_array();
    for (size_t i = 0; i < who->name_count; i++) {
        json_array_append_new(
            names, json_pack("{s:s, s:s}", "type", trust_name_word(who->names[i].type), "value", who->names[i].text));
    }
    return names;
}

static void answer_whoami(const struct visitor *visitor, const struct http_request *request,
                          struct http_response *response)
{
    const struct trust_identity *who = visitor->who;
    char from[CLOCK_TEXT];
    char to[CLOCK_TEXT];
    (void)request;
    json_t *json = json_pack("{s:s, s:o, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:b, s:s}", "subject", who->subject,
                             "names", names_json(who), "issuer", who->issuer, "serial", who->serial, "sha256",
                             who->fingerprint, "not_before", clock_rfc3339(who->not_before, from), "not_after",
                             clock_rfc3339(who->not_after, to), "tls", who->tls_version, "cipher", visitor->cipher,
                             "resumed", who->resumed, "address", visitor->address);
    char *text = json_dumps(json, JSON_INDENT(2) | JSON_PRESERVE_ORDER);
    response->content_type = "application/json";
    buf_printf(&response->body, "%s\n", text);
    free(text);
    json_decref(json);
}

static void answer_echo(const struct visitor *visitor, const struct http_request *request,
                        struct http_response *response)
{
    (void)visitor;
    response->content_type =
        request->content_type.len > 0 ? (const char *)request->content_type.data : "application/octet-stream";
    buf_add(&response->body, request->body.data, request->body.len);
}

static const struct {
    const char *path;
    const char *allow; // methods, as the Allow header lists them
    page *answer;
} routes[] = {
    {"/", "GET, HEAD", answer_identity},
    {"/whoami", "GET, HEAD", answer_whoami},
    {"/echo", "POST", answer_echo},
};

static bool method_is_allowed(const char *method, const char *allow)
{
    size_t len = strlen(method);
    const char *found = strstr(allow, method);
    return found != NULL && (found[len] == ',' || found[len] == '\0') && (found == allow || found[-1] == ' ');
}

void pages_respond(const struct visitor *visitor, const struct http_request *request, struct http_response *response)
{
    const char *target = (const char *)request->target.data;
    size_t path_len = strcspn(target, "?");
    for (size_t i = 0; i < sizeof routes / sizeof routes[0]; i++) {
        if (strlen(routes[i].path) != path_len || strncmp(routes[i].path, target, path_len) != 0) {
            continue;
        }
        if (!method_is_allowed(request->method, routes[i].allow)) {
            http_response_plain(response, 405);
            response->allow = routes[i].allow;
            return;
        }
        *response = (struct http_response){.status = 200};
        routes[i].answer(visitor, request, response);
        return;
    }
    http_response_plain(response, 404);
}
