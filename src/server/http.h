// SPDX-License-Identifier: Apache-2.0
// HTTP/1.1 requests in, responses out (RFC 9110, RFC 9112). Bounded, strict, and without any I/O of its own.
//
// llhttp parses, with all its lenient flags off; what it lets pass nevertheless, and another server in the path may
// read differently, is refused here: http.c says what.
#ifndef MTLS_SERVER_HTTP_H
#define MTLS_SERVER_HTTP_H

#include "base/mem.h"

#include <llhttp.h>
#include <stdbool.h>
#include <stdint.h>

struct http_limits {
    size_t header; // octets of the request line and the fields together; a target may have half of it. 431, 414
    size_t body;   // octets of the content. 413
};

struct http_request {
    const char *method;  // "GET": llhttp's; NULL until it has been read
    struct buf target;   // as sent: "/whoami?x=1"
    struct buf fields;   // name, value, name, value ..., each with a zero behind it: see http_field
    struct buf body;     // the content, decoded
    int minor;           // of HTTP/1.x
    bool head_complete;  // method, target and fields are all there
    bool chunked;        // the content came in chunks
    bool keep_alive;     // the client would go on
    bool wants_continue; // Expect: 100-continue: the client waits for a word before it sends the content
};

enum http_status { HTTP_MORE, HTTP_COMPLETE, HTTP_BAD };

struct http_parser {
    llhttp_t llhttp;
    struct http_limits limits;
    struct http_request request;
    int stage;         // http.c's
    int error;         // status code to refuse with, when HTTP_BAD
    size_t octets;     // counted against the limits: the head, and what is unusual around chunks
    size_t line;       // octets of the line around a chunk, or before the request
    uint64_t expected; // octets of the chunk still to come
};

void http_parser_init(struct http_parser *parser, const struct http_limits *limits);
void http_parser_clear(struct http_parser *parser);
// Feeds octets; *used of them were taken (not all, when a request is complete). After HTTP_COMPLETE the request is in
// parser->request until http_parser_next. After HTTP_BAD the connection has to end, with parser->error.
enum http_status http_parse(struct http_parser *parser, const void *data, size_t len, size_t *used);
// On to the next request. Gives back what a quiet connection does not need.
void http_parser_next(struct http_parser *parser);
bool http_parser_is_idle(const struct http_parser *parser); // nothing of a request has been seen
// The value of the field `name`, whatever its case: the first if there are more, whose number goes to *count (or NULL).
// NULL for none. Trailer fields are not among them.
const char *http_field(const struct http_request *request, const char *name, size_t *count);

// Content that comes piece by piece.
struct http_stream {
    // Fills in up to `size` octets and returns how many; 0: that was all; -1: it cannot go on.
    long (*read)(struct http_stream *stream, void *data, size_t size);
    void (*free)(struct http_stream *stream);
    int64_t left; // octets still to come; -1: as many as read gives
    bool chunked; // http_write's: it is framed in chunks
};

struct http_response {
    int status;
    const char *content_type;   // NULL: text/plain
    const char *allow;          // the Allow header of a 405 or to OPTIONS, or NULL
    const char *policy;         // header lines on caching and framing; NULL: keep, guess, frame and script nothing
    struct buf fields;          // more header lines, each with its CRLF
    struct buf body;            // the content, or
    struct http_stream *stream; // where it comes from
};

void http_response_clear(struct http_response *response);
// A response whose body is its status in words.
void http_response_plain(struct http_response *response, int status);
// Appends the response; `request` as far as it could be read; `close`: the connection is to end. True: it has to end
// when this response was sent. What is left in response->stream, if anything, is to be sent by http_stream_next.
bool http_write(struct buf *out, const struct http_request *request, struct http_response *response, bool close,
                int64_t now);
// Appends the next piece (about 16 KiB at most). HTTP_MORE: call again once it was sent. HTTP_COMPLETE: that was all.
// HTTP_BAD: the rest is not to be had, and the connection must end without it.
enum http_status http_stream_next(struct http_stream *stream, struct buf *out);
void http_stream_free(struct http_stream *stream);

#endif
