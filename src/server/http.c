// SPDX-License-Identifier: Apache-2.0
#include "server/http.h"

#include <string.h>
#include <strings.h>

// Refuses the request with a status; for use in llhttp's callbacks, whose non-zero value stops the parser.
static int refuse(struct http_parser *parser, int status)
{
    parser->error = status;
    return -1;
}

static int headers_grow(struct http_parser *parser, size_t len)
{
    parser->request.headers_size += len;
    return parser->request.headers_size > HTTP_HEADERS_MOST ? refuse(parser, 431) : 0;
}

static int on_target(llhttp_t *llhttp, const char *at, size_t len)
{
    struct http_parser *parser = llhttp->data;
    buf_add(&parser->request.target, at, len);
    return parser->request.target.len > HTTP_TARGET_MOST ? refuse(parser, 414) : 0;
}

static int on_field(llhttp_t *llhttp, const char *at, size_t len)
{
    struct http_parser *parser = llhttp->data;
    buf_add(&parser->field, at, len);
    return headers_grow(parser, len);
}

static int on_value(llhttp_t *llhttp, const char *at, size_t len)
{
    struct http_parser *parser = llhttp->data;
    buf_add(&parser->value, at, len);
    return headers_grow(parser, len);
}

static int on_value_complete(llhttp_t *llhttp)
{
    struct http_parser *parser = llhttp->data;
    struct http_request *request = &parser->request;
    buf_text(&parser->value, "");
    const char *field = (const char *)parser->field.data;
    const char *value = (const char *)parser->value.data;
    if (strcasecmp(field, "host") == 0) {
        request->hosts++;
    } else if (strcasecmp(field, "content-type") == 0) {
        request->content_type.len = 0;
        buf_add(&request->content_type, parser->value.data, parser->value.len);
    } else if (strcasecmp(field, "expect") == 0) {
        request->wants_continue = strcasecmp(value, "100-continue") == 0;
    }
    parser->field.len = 0;
    parser->value.len = 0;
    return 0;
}

static int on_headers_complete(llhttp_t *llhttp)
{
    struct http_parser *parser = llhttp->data;
    // RFC 9112 section 3.2: HTTP/1.1 needs exactly one Host.
    if (parser->request.hosts > 1 || (parser->request.hosts == 0 && llhttp->http_minor == 1)) {
        return refuse(parser, 400);
    }
    if ((llhttp->flags & F_CONTENT_LENGTH) != 0 && llhttp->content_length > HTTP_BODY_MOST) {
        return refuse(parser, 413);
    }
    if (llhttp_get_method(llhttp) == HTTP_CONNECT) {
        return refuse(parser, 501);
    }
    llhttp->upgrade = 0; // an offer that is not taken up (RFC 9110 section 7.8)
    parser->request.method = llhttp_method_name(llhttp_get_method(llhttp));
    return 0;
}

static int on_body(llhttp_t *llhttp, const char *at, size_t len)
{
    struct http_parser *parser = llhttp->data;
    parser->request.wants_continue = false; // it did not wait
    buf_add(&parser->request.body, at, len);
    return parser->request.body.len > HTTP_BODY_MOST ? refuse(parser, 413) : 0;
}

static int on_complete(llhttp_t *llhttp)
{
    struct http_parser *parser = llhttp->data;
    parser->request.keep_alive = llhttp_should_keep_alive(llhttp) == 1;
    return HPE_PAUSED;
}

void http_parser_init(struct http_parser *parser)
{
    *parser = (struct http_parser){.error = 400};
    llhttp_settings_init(&parser->settings);
    parser->settings.on_url = on_target;
    parser->settings.on_header_field = on_field;
    parser->settings.on_header_value = on_value;
    parser->settings.on_header_value_complete = on_value_complete;
    parser->settings.on_headers_complete = on_headers_complete;
    parser->settings.on_body = on_body;
    parser->settings.on_message_complete = on_complete;
    llhttp_init(&parser->llhttp, HTTP_REQUEST, &parser->settings);
    parser->llhttp.data = parser;
}

static void request_clear(struct http_request *request)
{
    buf_clear(&request->target);
    buf_clear(&request->content_type);
    buf_clear(&request->body);
    *request = (struct http_request){0};
}

void http_parser_clear(struct http_parser *parser)
{
    request_clear(&parser->request);
    buf_clear(&parser->field);
    buf_clear(&parser->value);
}

enum http_status http_parse(struct http_parser *parser, const void *data, size_t len, size_t *used)
{
    enum llhttp_errno code = llhttp_execute(&parser->llhttp, data, len);
    *used = len;
    if (code == HPE_OK) {
        return HTTP_MORE;
    }
    if (code == HPE_PAUSED) {
        *used = (size_t)(llhttp_get_error_pos(&parser->llhttp) - (const char *)data);
        return HTTP_COMPLETE;
    }
    if (code == HPE_INVALID_VERSION && parser->llhttp.http_major != 1) {
        parser->error = 505;
    }
    return HTTP_BAD;
}

void http_parser_next(struct http_parser *parser)
{
    request_clear(&parser->request);
    llhttp_resume(&parser->llhttp);
}

static const char *status_words(int status)
{
    static const struct {
        int status;
        const char *words;
    } table[] = {
        {200, "OK"},
        {400, "Bad Request"},
        {404, "Not Found"},
        {405, "Method Not Allowed"},
        {408, "Request Timeout"},
        {413, "Content Too Large"},
        {414, "URI Too Long"},
        {431, "Request Header Fields Too Large"},
        {501, "Not Implemented"},
        {505, "HTTP Version Not Supported"},
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        if (table[i].status == status) {
            return table[i].words;
        }
    }
    return "Error";
}

void http_response_plain(struct http_response *response, int status)
{
    *response = (struct http_response){.status = status};
    buf_printf(&response->body, "%d %s\n", status, status_words(status));
}

void http_write(struct buf *out, const struct http_request *request, const struct http_response *response, bool close)
{
    bool head = request != NULL && request->method != NULL && strcmp(request->method, "HEAD") == 0;
    buf_printf(out, "HTTP/1.1 %d %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\n", response->status,
               status_words(response->status),
               response->content_type != NULL ? response->content_type : "text/plain; charset=utf-8",
               response->body.len);
    if (response->allow != NULL) {
        buf_printf(out, "Allow: %s\r\n", response->allow);
    }
    // Nothing here is to be kept, guessed at, framed or scripted; the page's own style sheet is inline.
    buf_printf(out,
               "Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n"
               "Content-Security-Policy: default-src 'none'; style-src 'unsafe-inline'; sandbox\r\n"
               "Connection: %s\r\n\r\n",
               close ? "close" : "keep-alive");
    if (!head) {
        buf_add(out, response->body.data, response->body.len);
    }
}
