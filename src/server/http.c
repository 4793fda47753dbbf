// SPDX-License-Identifier: Apache-2.0
// What llhttp 9 lets pass even when strict, and is refused here: any number of empty lines, with a bare LF too, before
// the request; more than one space in the request line; HTTP/0.9 and 2.0, RTSP, ICE; a Transfer-Encoding that is not
// just "chunked" ("gzip, chunked", ",chunked", two of them), or in HTTP/1.0; several Host fields or none or a strange
// one; targets in the wrong form for the method or with a fragment; spaces, zeros, extensions and trailers without end.
//
// It is fed such that what comes out never depends on how the octets were cut: while a limit is being counted, at most
// as many as are left of it; and one by one where the octets themselves are looked at.
#include "server/http.h"

#include "server/http_path.h"

#include <string.h>
#include <strings.h>

enum stage {
    STAGE_START,   // nothing has come, but perhaps an empty line
    STAGE_TARGET,  // method and target
    STAGE_VERSION, // the rest of the request line
    STAGE_FIELDS,
    STAGE_CONTENT, // of a known length
    STAGE_FRAME,   // what is around the chunks, and the trailer fields
    STAGE_CHUNK,   // its data
    STAGE_COMPLETE,
};

enum {
    KEPT_MOST = 512,       // octets of a buffer that is kept from one request to the next
    CHUNK_LINE_USUAL = 20, // octets: a 64-bit size, CRLF, and the CRLF behind the chunk before
};

// Refuses the request with a status; for use in llhttp's callbacks, whose non-zero value stops the parser.
static int refuse(struct http_parser *parser, int status)
{
    parser->error = status;
    return -1;
}

static int on_method_complete(llhttp_t *llhttp)
{
    struct http_parser *parser = llhttp->data;
    parser->request.method = llhttp_method_name(llhttp_get_method(llhttp));
    return 0;
}

static int on_target(llhttp_t *llhttp, const char *at, size_t len)
{
    struct http_parser *parser = llhttp->data;
    buf_add(&parser->request.target, at, len);
    return 0;
}

static int on_target_complete(llhttp_t *llhttp)
{
    struct http_parser *parser = llhttp->data;
    parser->stage = STAGE_VERSION;
    return HPE_PAUSED;
}

// Fields and their values are kept one behind the other; those of the trailer are not (RFC 9110 section 6.5.1).
static int on_field(llhttp_t *llhttp, const char *at, size_t len)
{
    struct http_parser *parser = llhttp->data;
    if (parser->stage == STAGE_FIELDS) {
        buf_add(&parser->request.fields, at, len);
    }
    return 0;
}

static int on_field_complete(llhttp_t *llhttp)
{
    return on_field(llhttp, "", 1);
}

static int on_value_complete(llhttp_t *llhttp)
{
    struct http_parser *parser = llhttp->data;
    struct buf *fields = &parser->request.fields;
    if (parser->stage == STAGE_FIELDS) { // the white space behind a value is no part of it (RFC 9110 section 5.5)
        while (fields->data[fields->len - 1] == ' ' || fields->data[fields->len - 1] == '\t') {
            fields->len--;
        }
    }
    return on_field_complete(llhttp);
}

// --- what the fields say ---

const char *http_field(const struct http_request *request, const char *name, size_t *count)
{
    const char *found = NULL;
    size_t found_count = 0;
    for (size_t i = 0; i < request->fields.len;) {
        const char *field = (const char *)request->fields.data + i;
        const char *value = field + strlen(field) + 1;
        if (strcasecmp(field, name) == 0) {
            found = found_count++ == 0 ? value : found;
        }
        i += (size_t)(value - field) + strlen(value) + 1;
    }
    if (count != NULL) {
        *count = found_count;
    }
    return found;
}

// RFC 9112 section 3.2: exactly one Host in HTTP/1.1, at most one before, and its value is uri-host [ ":" port ].
static bool host_is_good(const struct http_request *request, const char **host)
{
    size_t count = 0;
    *host = http_field(request, "host", &count);
    if (count != 1) {
        return count == 0 && request->minor == 0;
    }
    return (*host)[strspn(*host,
                          "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~!$&'()*+,;=%:[]")] == '\0';
}

// RFC 9112 section 3.2: the asterisk form is for OPTIONS alone. The authority of an absolute form says again what Host
// says; the section would believe the authority, and somebody else may believe Host: so they must agree.
static bool target_is_good(const struct http_request *request, const char *host)
{
    struct http_target target;
    if (http_target_split(buf_span(&request->target), &target) != 0) {
        return false;
    }
    switch (target.form) {
    case HTTP_TARGET_ASTERISK: return strcmp(request->method, "OPTIONS") == 0;
    case HTTP_TARGET_ABSOLUTE:
        return host != NULL && strlen(host) == target.authority.len &&
               strncasecmp(host, (const char *)target.authority.data, target.authority.len) == 0;
    default: return true;
    }
}

// RFC 9112 sections 6.1 and 6.3. 0, or the status to refuse with. Only "chunked" alone is understood. (Two lengths, or
// a length and a coding, llhttp refuses by itself.)
static int coding_refusal(const struct http_request *request)
{
    size_t count = 0;
    const char *coding = http_field(request, "transfer-encoding", &count);
    if (count == 0) {
        return 0;
    }
    if (count > 1 || request->minor == 0) {
        return 400;
    }
    if (strcasecmp(coding, "chunked") == 0) {
        return 0;
    }
    return coding[0] == ',' || coding[0] == '\0' ? 400 : 501;
}

// 0, or the status to refuse with (RFC 9110 section 10.1.1).
static int expectation(struct http_request *request, bool has_content)
{
    size_t count = 0;
    const char *expect = http_field(request, "expect", &count);
    if (count == 0) {
        return 0;
    }
    if (count > 1 || strcasecmp(expect, "100-continue") != 0) {
        return 417;
    }
    request->wants_continue = has_content && request->minor > 0;
    return 0;
}

static int on_headers_complete(llhttp_t *llhttp)
{
    struct http_parser *parser = llhttp->data;
    struct http_request *request = &parser->request;
    const char *host = NULL;
    request->minor = llhttp->http_minor;
    request->chunked = (llhttp->flags & F_CHUNKED) != 0;
    if (llhttp_get_method(llhttp) == HTTP_CONNECT) {
        return refuse(parser, 501);
    }
    if (!host_is_good(request, &host) || !target_is_good(request, host)) {
        return refuse(parser, 400);
    }
    int status = coding_refusal(request);
    if (status == 0 && llhttp->content_length > parser->limits.body) {
        status = 413;
    }
    if (status == 0) {
        status = expectation(request, request->chunked || llhttp->content_length > 0);
    }
    if (status != 0) {
        return refuse(parser, status);
    }
    request->head_complete = true;
    parser->stage = request->chunked ? STAGE_FRAME : STAGE_CONTENT;
    parser->line = 0;
    return HPE_PAUSED; // from here on other limits count
}

// --- the content ---

static int on_chunk_header(llhttp_t *llhttp)
{
    struct http_parser *parser = llhttp->data;
    if (llhttp->content_length > parser->limits.body - parser->request.body.len) {
        return refuse(parser, 413);
    }
    parser->expected = llhttp->content_length;
    if (parser->expected > 0) {
        parser->stage = STAGE_CHUNK;
        parser->line = 0;
    }
    return 0;
}

static int on_body(llhttp_t *llhttp, const char *at, size_t len)
{
    struct http_parser *parser = llhttp->data;
    parser->request.wants_continue = false; // it did not wait
    buf_add(&parser->request.body, at, len);
    if (parser->stage == STAGE_CHUNK) {
        parser->expected -= len;
        parser->stage = parser->expected > 0 ? STAGE_CHUNK : STAGE_FRAME;
    }
    return 0;
}

static int on_complete(llhttp_t *llhttp)
{
    struct http_parser *parser = llhttp->data;
    parser->stage = STAGE_COMPLETE;
    parser->request.keep_alive = llhttp_should_keep_alive(llhttp) == 1;
    return HPE_PAUSED;
}

static const llhttp_settings_t callbacks = {
    .on_method_complete = on_method_complete,
    .on_url = on_target,
    .on_url_complete = on_target_complete,
    .on_header_field = on_field,
    .on_header_field_complete = on_field_complete,
    .on_header_value = on_field,
    .on_header_value_complete = on_value_complete,
    .on_headers_complete = on_headers_complete,
    .on_chunk_header = on_chunk_header,
    .on_body = on_body,
    .on_message_complete = on_complete,
};

// --- feeding it ---

// RFC 9112 section 2.2: one empty line before a request is passed over.
static size_t take_start(struct http_parser *parser, const char *at, size_t len)
{
    size_t taken = 0;
    for (; taken < len && parser->line < 2 && at[taken] == "\r\n"[parser->line]; taken++) {
        parser->line++;
    }
    if (taken < len) {
        parser->stage = STAGE_TARGET;
        parser->error = parser->line == 1 || at[taken] == '\r' || at[taken] == '\n' ? 400 : 0;
    }
    return taken;
}

// Is this the next octet of the request line behind the target? 0, or the status to refuse with. What llhttp passed
// over before (a second space) has been counted and makes the octet the wrong one.
static int version_refusal(const struct http_parser *parser, char octet)
{
    static const char expected[] = " HTTP/1.x\r\n";
    enum { MAJOR = sizeof " HTTP/" - 1, MINOR = MAJOR + 2 };
    size_t i = parser->octets - strlen(parser->request.method) - strlen(" ") - parser->request.target.len;
    if (i < sizeof expected - 1 && (i == MINOR ? octet == '0' || octet == '1' : octet == expected[i])) {
        return 0;
    }
    return (i == MAJOR || i == MINOR) && octet >= '0' && octet <= '9' ? 505 : 400;
}

// How many octets llhttp may have at once: not more than *n > 0. 0, or the status to refuse with: a limit is reached.
static int portion(const struct http_parser *parser, const char *at, size_t *n)
{
    size_t header = parser->limits.header;
    size_t most = *n;
    int refusal = 0;
    switch ((enum stage)parser->stage) {
    case STAGE_TARGET:
        most = header / 2 > parser->octets ? header / 2 - parser->octets : 0;
        refusal = 414;
        break;
    case STAGE_VERSION:
        refusal = version_refusal(parser, at[0]);
        most = refusal == 0;
        break;
    case STAGE_FIELDS:
        most = header > parser->octets ? header - parser->octets : 0;
        refusal = 431;
        break;
    case STAGE_FRAME:
        most = header > parser->octets || parser->line < CHUNK_LINE_USUAL;
        refusal = 431;
        break;
    case STAGE_CHUNK: most = parser->expected < most ? (size_t)parser->expected : most; break;
    default: break;
    }
    *n = most < *n ? most : *n;
    return *n == 0 ? refusal : 0;
}

// Hands llhttp n octets, of which *taken were taken: it pauses behind the target, the fields and the request.
static enum llhttp_errno feed(struct http_parser *parser, const char *at, size_t n, size_t *taken)
{
    enum stage stage = (enum stage)parser->stage;
    if (stage == STAGE_FRAME && ++parser->line > CHUNK_LINE_USUAL) {
        parser->octets++;
    }
    enum llhttp_errno code = llhttp_execute(&parser->llhttp, at, n);
    *taken = code == HPE_PAUSED ? (size_t)(llhttp_get_error_pos(&parser->llhttp) - at) : n;
    if (stage <= STAGE_FIELDS) {
        parser->octets += *taken;
    }
    if (stage == STAGE_VERSION && at[0] == '\n') {
        parser->stage = STAGE_FIELDS;
    }
    if (code == HPE_PAUSED && parser->stage != STAGE_COMPLETE) {
        llhttp_resume(&parser->llhttp);
        // A request without content is complete already.
        code = parser->stage == STAGE_CONTENT ? llhttp_execute(&parser->llhttp, at + *taken, 0) : HPE_OK;
    }
    return code;
}

enum http_status http_parse(struct http_parser *parser, const void *data, size_t len, size_t *used)
{
    const char *at = data;
    *used = parser->stage == STAGE_START ? take_start(parser, at, len) : 0;
    while (parser->error == 0 && parser->stage != STAGE_COMPLETE && *used < len) {
        size_t n = len - *used;
        size_t taken = 0;
        parser->error = portion(parser, at + *used, &n);
        if (parser->error != 0) {
            break;
        }
        enum llhttp_errno code = feed(parser, at + *used, n, &taken);
        *used += taken;
        if (code != HPE_OK && code != HPE_PAUSED && parser->error == 0) {
            parser->error = 400;
        }
    }
    return parser->error != 0 ? HTTP_BAD : parser->stage == STAGE_COMPLETE ? HTTP_COMPLETE : HTTP_MORE;
}

// --- from one request to the next ---

static void begin(struct http_parser *parser)
{
    llhttp_init(&parser->llhttp, HTTP_REQUEST, &callbacks);
    parser->llhttp.data = parser;
    parser->stage = STAGE_START;
    parser->octets = 0;
    parser->line = 0;
    parser->expected = 0;
}

void http_parser_init(struct http_parser *parser, const struct http_limits *limits)
{
    *parser = (struct http_parser){.limits = *limits};
    begin(parser);
}

void http_parser_clear(struct http_parser *parser)
{
    buf_clear(&parser->request.target);
    buf_clear(&parser->request.fields);
    buf_clear(&parser->request.body);
    parser->request = (struct http_request){0};
}

static struct buf emptied(struct buf b)
{
    if (b.cap > KEPT_MOST) {
        buf_clear(&b);
    }
    b.len = 0;
    return b;
}

void http_parser_next(struct http_parser *parser)
{
    struct http_request *request = &parser->request;
    *request = (struct http_request){
        .target = emptied(request->target), .fields = emptied(request->fields), .body = emptied(request->body)};
    begin(parser);
}

bool http_parser_is_idle(const struct http_parser *parser)
{
    return parser->stage == STAGE_START;
}
