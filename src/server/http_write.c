// SPDX-License-Identifier: Apache-2.0
#include "server/http.h"
#include "server/http_date.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { PIECE = 16384 }; // one TLS record
enum { HEAD_USUAL = 400 };

static const char *status_words(int status)
{
    static const struct {
        int status;
        const char *words;
    } table[] = {
        {200, "OK"},
        {204, "No Content"},
        {206, "Partial Content"},
        {301, "Moved Permanently"},
        {304, "Not Modified"},
        {400, "Bad Request"},
        {403, "Forbidden"},
        {404, "Not Found"},
        {405, "Method Not Allowed"},
        {408, "Request Timeout"},
        {412, "Precondition Failed"},
        {413, "Content Too Large"},
        {414, "URI Too Long"},
        {416, "Range Not Satisfiable"},
        {417, "Expectation Failed"},
        {431, "Request Header Fields Too Large"},
        {500, "Internal Server Error"},
        {501, "Not Implemented"},
        {503, "Service Unavailable"},
        {505, "HTTP Version Not Supported"},
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        if (table[i].status == status) {
            return table[i].words;
        }
    }
    return "Error";
}

void http_response_clear(struct http_response *response)
{
    buf_clear(&response->fields);
    buf_clear(&response->body);
    http_stream_free(response->stream);
    *response = (struct http_response){0};
}

void http_response_plain(struct http_response *response, int status)
{
    http_response_clear(response);
    response->status = status;
    buf_printf(&response->body, "%d %s\n", status, status_words(status));
}

// Says how the content is delimited (RFC 9112 section 6.3). True: by the end of the connection.
static bool write_framing(struct buf *out, const struct http_request *request, const struct http_response *response)
{
    struct http_stream *stream = response->stream;
    if (stream == NULL || stream->left >= 0) {
        buf_printf(out, "Content-Length: %" PRId64 "\r\n", stream != NULL ? stream->left : (int64_t)response->body.len);
        return false;
    }
    stream->chunked = request->minor > 0;
    if (stream->chunked) {
        buf_text(out, "Transfer-Encoding: chunked\r\n");
    }
    return !stream->chunked;
}

bool http_write(struct buf *out, const struct http_request *request, struct http_response *response, bool close,
                int64_t now)
{
    char date[HTTP_DATE_TEXT];
    bool has_content = response->status != 204 && response->status != 304; // RFC 9110 sections 15.3.5 and 15.4.5
    bool is_head = request->method != NULL && strcmp(request->method, "HEAD") == 0;
    close = close || !request->keep_alive;
    buf_reserve(out, HEAD_USUAL + (has_content ? response->body.len : 0));
    buf_printf(out, "HTTP/1.1 %d %s\r\nDate: %s\r\n", response->status, status_words(response->status),
               http_date(now, date));
    if (has_content) {
        buf_text(out, "Content-Type: ");
        buf_text(out, response->content_type != NULL ? response->content_type : "text/plain; charset=utf-8");
        buf_text(out, "\r\n");
        close = write_framing(out, request, response) || close;
    }
    if (response->allow != NULL) {
        buf_printf(out, "Allow: %s\r\n", response->allow);
    }
    buf_add(out, response->fields.data, response->fields.len);
    // The page's own style sheet is inline.
    buf_text(out, response->policy != NULL ? response->policy
                                           : "Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n"
                                             "Content-Security-Policy: default-src 'none'; "
                                             "style-src 'unsafe-inline'; sandbox\r\n");
    buf_text(out, close ? "Connection: close\r\n\r\n" : "Connection: keep-alive\r\n\r\n");
    if (!has_content || is_head) {
        http_stream_free(response->stream);
        response->stream = NULL;
    } else {
        buf_add(out, response->body.data, response->body.len);
    }
    return close;
}

enum http_status http_stream_next(struct http_stream *stream, struct buf *out)
{
    static const char size_line[] = "0000\r\n";
    size_t size = PIECE - (sizeof size_line - 1) - strlen("\r\n");
    size_t start = out->len;
    if (stream->left >= 0 && (uint64_t)stream->left < size) {
        size = (size_t)stream->left;
    }
    buf_text(out, stream->chunked ? size_line : "");
    buf_reserve(out, size + strlen("\r\n"));
    long n = size > 0 ? stream->read(stream, out->data + out->len, size) : 0;
    bool broken = n < 0 || (n == 0 && stream->left > 0);
    out->len = broken ? start : out->len + (size_t)n;
    out->data[out->len] = '\0';
    if (broken) {
        return HTTP_BAD;
    }
    if (stream->left > 0) {
        stream->left -= n;
    }
    if (stream->chunked) { // RFC 9112 section 7.1: the size in front of the data; a chunk of size 0 is the end
        char digits[sizeof size_line];
        snprintf(digits, sizeof digits, "%04x", (unsigned)n & 0xffffU);
        memcpy(out->data + start, digits, 4);
        buf_text(out, "\r\n");
    }
    return n == 0 || stream->left == 0 ? HTTP_COMPLETE : HTTP_MORE;
}

void http_stream_free(struct http_stream *stream)
{
    if (stream != NULL) {
        stream->free(stream);
    }
}
