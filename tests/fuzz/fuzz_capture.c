// SPDX-License-Identifier: Apache-2.0
// A capture file, read and told: first the length of the key log, which stands in front of it.
#include "explain/capture.h"
#include "fuzz.h"

#include <stdlib.h>

static void require_marks(const struct explain_message *m)
{
    size_t end = 0;
    for (size_t i = 0; i < m->mark_count; i++) {
        REQUIRE(m->marks[i].at >= end && m->marks[i].len > 0);
        end = m->marks[i].at + m->marks[i].len;
        REQUIRE(end <= m->bytes.len);
    }
}

static void require_told(const struct explain *x)
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
    json_t *json = explain_json(&story, true);
    REQUIRE(json != NULL);
    json_decref(json);
    free(text);
    explain_story_clear(&story);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct err e = ERR_INIT;
    struct span input = span_of(data, size);
    struct explain_keys *keys = explain_keys_new();
    explain_keys_read(keys, fuzz_run(&input));
    FILE *file = input.len > 0 ? fmemopen((void *)(uintptr_t)input.data, input.len, "rb") : NULL;
    struct capture *capture = file != NULL ? capture_read(file, keys, &e) : NULL;
    REQUIRE(file == NULL || (capture == NULL) == err_is_set(&e));
    fuzz_require_printable(e.text, false);
    for (size_t i = 0; capture != NULL && i < capture->count; i++) {
        require_told(capture->connections[i].explain);
    }
    capture_free(capture);
    explain_keys_free(keys);
    return 0;
}
