// SPDX-License-Identifier: Apache-2.0
// What must hold of every explanation, whatever it was made of.
#ifndef MTLS_TESTS_FUZZ_TOLD_H
#define MTLS_TESTS_FUZZ_TOLD_H

#include "explain/explain.h"
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

static inline void require_marks(const struct explain_message *m)
{
    size_t end = 0;
    for (size_t i = 0; i < m->mark_count; i++) {
        REQUIRE(m->marks[i].at >= end && m->marks[i].len > 0);
        end = m->marks[i].at + m->marks[i].len;
        REQUIRE(end <= m->bytes.len);
    }
}

static inline void require_short_lines(const char *text)
{
    size_t columns = 0;
    for (; *text != '\0'; text++) {
        columns = *text == '\n' ? 0 : columns + ((*text & 0xc0) != 0x80);
        REQUIRE(columns <= 80);
    }
}

// Every tag is closed, in the order of XML; what is in between is text that cannot be a tag.
static inline void require_drawn(const struct explain_story *story)
{
    struct buf svg = {0};
    long depth = 0;
    explain_svg(story, &svg);
    fuzz_require_printable((const char *)svg.data, true);
    for (const char *at = strchr((const char *)svg.data, '<'); at != NULL; at = strchr(at + 1, '<')) {
        const char *end = strpbrk(at + 1, "<>");
        REQUIRE(end != NULL && *end == '>' && depth >= (at != (const char *)svg.data));
        depth += at[1] == '/' ? -1 : end[-1] == '/' ? 0 : 1;
    }
    REQUIRE(depth == 0);
    buf_clear(&svg);
}

// The text, for free().
static inline char *require_told(const struct explain *x)
{
    char *text = NULL;
    size_t len = 0;
    struct explain_story story;
    FILE *out = open_memstream(&text, &len);
    size_t messages = 0;
    REQUIRE(out != NULL);
    explain_story_init(&story, x);
    for (int i = 0; i < EXPLAIN_STEPS; i++) {
        messages += story.steps[i].count;
    }
    REQUIRE(messages == explain_count(x)); // each belongs to one step
    for (size_t i = 0; i < messages; i++) {
        require_marks(explain_message(x, i));
    }
    REQUIRE(story.failed >= 0 && story.failed <= EXPLAIN_STEPS && story.verdict.len > 0 && story.kind.len > 0);
    explain_text(&story, true, out);
    REQUIRE(fclose(out) == 0);
    fuzz_require_printable(text, true);
    require_short_lines(text);
    require_drawn(&story);
    json_t *json = explain_json(&story, true);
    REQUIRE(json != NULL);
    json_decref(json);
    explain_story_clear(&story);
    return text;
}

#endif
