// SPDX-License-Identifier: Apache-2.0
// Octets into the HTTP parser, and one line of text for each thing that came out: so whole tables can be compared.
#ifndef MTLS_TESTS_HTTP_FIXTURE_H
#define MTLS_TESTS_HTTP_FIXTURE_H

#include "base/text.h"
#include "server/http.h"
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct http_limits http_fixture_limits = {.header = 1024, .body = 4096};

enum { CUT_WHOLE = 0, CUT_OCTETS = 1 }; // else the seed of random cuts

// "GET /a {body} keep" for each request, then how it ended: "more", "400".
static inline void http_transcript(struct span octets, unsigned cut, struct buf *out)
{
    struct http_parser parser;
    enum http_status status = HTTP_MORE;
    unsigned seed = cut;
    http_parser_init(&parser, &http_fixture_limits);
    out->len = 0;
    buf_text(out, "");
    while (octets.len > 0 && status != HTTP_BAD) {
        size_t n = cut == CUT_WHOLE ? octets.len : cut == CUT_OCTETS ? 1 : 1 + (size_t)rand_r(&seed) % 40;
        size_t used = 0;
        n = n < octets.len ? n : octets.len;
        uint8_t *exact = mem_alloc(n); // so that the sanitizer sees who reads on
        memcpy(exact, octets.data, n);
        status = http_parse(&parser, exact, n, &used);
        free(exact);
        assert_true(used <= n && (used > 0 || status == HTTP_BAD));
        octets = span_of(octets.data + used, octets.len - used);
        if (status == HTTP_COMPLETE) {
            assert_int_equal(parser.error, 0);
            buf_printf(out, "%s %s {", parser.request.method, (const char *)parser.request.target.data);
            text_escape(out, parser.request.body.data, parser.request.body.len, 100);
            buf_printf(out, "} %s\n", parser.request.keep_alive ? "keep" : "close");
            http_parser_next(&parser);
        }
    }
    if (status == HTTP_BAD) {
        buf_printf(out, "%d\n", parser.error);
    } else if (!http_parser_is_idle(&parser)) {
        buf_text(out, "more\n");
    }
    http_parser_clear(&parser);
}

// The octets give this transcript, however they are cut.
static inline void assert_transcript(struct span octets, const char *expected)
{
    struct buf out = {0};
    for (unsigned cut = 0; cut < 12; cut++) {
        http_transcript(octets, cut, &out);
        if (strcmp((const char *)out.data, expected) != 0) {
            struct buf shown = {0};
            fail_msg("%s\ncut %u gave:\n%swhich should be:\n%s", text_escape(&shown, octets.data, octets.len, 600), cut,
                     (const char *)out.data, expected);
        }
    }
    buf_clear(&out);
}

struct http_case {
    const char *octets;
    const char *expected;
};

static inline void assert_transcripts(const struct http_case *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        assert_transcript(span_of(cases[i].octets, strlen(cases[i].octets)), cases[i].expected);
    }
}

#endif
