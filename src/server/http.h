// SPDX-License-Identifier: Apache-2.0
// HTTP/1.1 requests in, responses out. Bounded, strict (llhttp's lenient flags stay off), and without any I/O.
#ifndef MTLS_SERVER_HTTP_H
#define MTLS_SERVER_HTTP_H

#include "base/mem.h"

#include <llhttp.h>
#include <stdbool.h>

enum { HTTP_TARGET_MOST = 8192, HTTP_HEADERS_MOST = 16384, HTTP_BODY_MOST = 1024 * 1024 };

struct http_request {
    const char *method; // "GET"; llhttp's
    struct buf target;  // as sent: "/whoami?x=1"
    struct buf content_type;
    struct buf body;
    size_t headers_size;
    size_t hosts; // Host fields seen
    bool keep_alive;
    bool wants_continue; // Expect: 100-continue: the client waits for a word before it sends the body
};

enum http_status { HTTP_MORE, HTTP_COMPLETE, HTTP_BAD };

struct http_parser {
    llhttp_t llhttp;
    llhttp_settings_t settings;
    struct http_request request;
    struct buf field; // name of the header that is being read
    struct buf value;
    int error; // status code to refuse with, when HTTP_BAD
};

void http_parser_init(struct http_parser *parser);
void http_parser_clear(struct http_parser *parser);
// Feeds bytes; *used of them were taken (not all, when a request is complete). After HTTP_COMPLETE the request is in
// parser->request until http_parser_next. After HTTP_BAD the connection has to end, with parser->error.
enum http_status http_parse(struct http_parser *parser, const void *data, size_t len, size_t *used);
void http_parser_next(struct http_parser *parser);

struct http_response {
    int status;
    const char *content_type; // NULL: text/plain
    const char *allow;        // the Allow header of a 405, or NULL
    struct buf body;
};

// Appends the response. `request` may be NULL (there was none that could be read); `close`: the connection ends here.
void http_write(struct buf *out, const struct http_request *request, const struct http_response *response, bool close);
// A response whose body is its status in words.
void http_response_plain(struct http_response *response, int status);

#endif
