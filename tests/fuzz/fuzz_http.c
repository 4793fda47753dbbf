// SPDX-License-Identifier: Apache-2.0
// Octets from a client: the same requests come out however the octets are cut; each gets one well-formed response,
// whose end is where it says; and a path is in its one form.
#include "fuzz.h"
#include "server/http_path.h"
#include "server/pages.h"
#include "trust/internal.h"

#include <stdlib.h>
#include <string.h>

static const struct http_limits limits = {.header = 2048, .body = 4096};

static struct trust_name no_names[1];
static const struct trust_identity somebody = {.subject = (char *)"CN=a",
                                               .issuer = (char *)"CN=b",
                                               .serial = (char *)"01",
                                               .fingerprint = (char *)"ff",
                                               .names = no_names,
                                               .tls_version = "TLSv1.3",
                                               .complete = true};

// Everybody may do everything but what is below /pem.
static const struct trust_snapshot *allowing(void)
{
    static const char *const closed[] = {"/pem/*"};
    static const struct trust_rule rules[] = {{.paths = closed, .path_count = 1}, {.allow = true}};
    static struct trust_snapshot snapshot;
    struct err e = ERR_INIT;
    if (snapshot.rules == NULL) {
        snapshot.rules = trust_rules_new(rules, 2, &e);
        REQUIRE(snapshot.rules != NULL);
    }
    return &snapshot;
}

struct answer {
    bool complete;
    size_t length;
};

static int on_body(llhttp_t *llhttp, const char *at, size_t len)
{
    (void)at;
    ((struct answer *)llhttp->data)->length += len;
    return 0;
}

static int on_complete(llhttp_t *llhttp)
{
    ((struct answer *)llhttp->data)->complete = true;
    return HPE_PAUSED;
}

static int on_head_complete(llhttp_t *llhttp)
{
    (void)llhttp;
    return 1; // a HEAD's: no content follows
}

// One response, by llhttp's reading of it, and not an octet more.
static void check_response(struct span written, int status, bool head, bool until_close)
{
    struct answer answer = {0};
    llhttp_t llhttp;
    llhttp_settings_t settings;
    llhttp_settings_init(&settings);
    settings.on_body = on_body;
    settings.on_message_complete = on_complete;
    settings.on_headers_complete = head ? on_head_complete : NULL;
    llhttp_init(&llhttp, HTTP_RESPONSE, &settings);
    llhttp.data = &answer;
    enum llhttp_errno code = llhttp_execute(&llhttp, (const char *)written.data, written.len);
    if (until_close && code == HPE_OK) {
        REQUIRE(llhttp_message_needs_eof(&llhttp) == 1);
        llhttp_finish(&llhttp);
    } else {
        REQUIRE(code == HPE_PAUSED);
        REQUIRE((const uint8_t *)llhttp_get_error_pos(&llhttp) == written.data + written.len);
    }
    REQUIRE(answer.complete);
    REQUIRE(llhttp.status_code == status);
}

static void check_path(const struct http_request *request)
{
    struct buf path = {0};
    struct buf encoded = {0};
    struct buf again = {0};
    if (http_path(buf_span(&request->target), &path) == 0 && path.data[0] != '*') {
        const char *text = (const char *)path.data;
        REQUIRE(text[0] == '/' && strlen(text) == path.len);
        REQUIRE(strstr(text, "//") == NULL && strstr(text, "/../") == NULL && strstr(text, "/./") == NULL);
        REQUIRE(strchr(text, '\\') == NULL);
        const char *last = strrchr(text, '/');
        REQUIRE(strcmp(last, "/..") != 0 && strcmp(last, "/.") != 0);
        http_path_encode(text, &encoded);
        REQUIRE(http_path(buf_span(&encoded), &again) == 0);
        REQUIRE(strcmp((const char *)again.data, text) == 0);
    }
    buf_clear(&path);
    buf_clear(&encoded);
    buf_clear(&again);
}

static void check_answer(const struct http_request *request, const char *root)
{
    struct trust_verdict denial;
    const struct visitor visitor = {.who = &somebody,
                                    .cipher = "TLS_X",
                                    .address = "[::1]:1",
                                    .snapshot = allowing(),
                                    .root = root,
                                    .now = FUZZ_NOW,
                                    .denial = &denial};
    struct http_response response = {0};
    struct buf out = {0};
    bool head = strcmp(request->method, "HEAD") == 0;
    pages_respond(&visitor, request, &response);
    int status = response.status;
    bool until_close = response.stream != NULL && response.stream->left < 0 && request->minor == 0;
    bool close = http_write(&out, request, &response, false, FUZZ_NOW);
    REQUIRE(close || (request->keep_alive && !until_close));
    enum http_status more = response.stream != NULL ? HTTP_MORE : HTTP_COMPLETE;
    while (more == HTTP_MORE) {
        more = http_stream_next(response.stream, &out);
    }
    REQUIRE(more == HTTP_COMPLETE);
    check_response(buf_span(&out), status, head, until_close && !head);
    http_response_clear(&response);
    buf_clear(&out);
}

// Appends all that comes out of the octets, cut into pieces by `seed`: 0 whole, 1 one by one.
static void transcribe(struct span octets, unsigned seed, struct buf *out)
{
    struct http_parser parser;
    enum http_status status = HTTP_MORE;
    http_parser_init(&parser, &limits);
    while (octets.len > 0 && status != HTTP_BAD) {
        size_t n = seed == 0 ? octets.len : seed == 1 ? 1 : 1 + (size_t)rand_r(&seed) % 64;
        size_t used = 0;
        status = http_parse(&parser, octets.data, n < octets.len ? n : octets.len, &used);
        REQUIRE(used <= octets.len && (used > 0 || status == HTTP_BAD));
        octets = span_of(octets.data + used, octets.len - used);
        const struct http_request *request = &parser.request;
        REQUIRE(request->target.len <= limits.header && request->body.len <= limits.body);
        REQUIRE(request->fields.len <= limits.header + 2);
        if (status == HTTP_COMPLETE) {
            REQUIRE(!request->wants_continue);
            buf_printf(out, "%s %s %d %d %d %zu:", request->method, (const char *)request->target.data, request->minor,
                       request->chunked, request->keep_alive, octets.len);
            buf_add(out, request->fields.data, request->fields.len);
            buf_add(out, request->body.data, request->body.len);
            if (seed == 0) {
                check_path(request);
                check_answer(request, NULL);
                check_answer(request, MTLS_SOURCE_DIR "/tests/fuzz/corpus");
            }
            http_parser_next(&parser);
        }
    }
    buf_printf(out, "%d %d %d", (int)status, parser.error, http_parser_is_idle(&parser));
    http_parser_clear(&parser);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buf whole = {0};
    struct buf cut = {0};
    transcribe(span_of(data, size), 0, &whole);
    for (unsigned seed = 1; seed < 5; seed++) {
        cut.len = 0;
        transcribe(span_of(data, size), seed, &cut);
        REQUIRE(whole.len == cut.len && memcmp(whole.data, cut.data, cut.len) == 0);
    }
    buf_clear(&whole);
    buf_clear(&cut);
    return 0;
}
