// SPDX-License-Identifier: Apache-2.0
#include "fuzz.h"

#include "base/der.h"
#include "base/file.h"
#include "base/pem.h"
#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

_Noreturn void fuzz_fail(const char *file, int line, const char *what)
{
    fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, what);
    abort();
}

static bool is_printable(const char *text, bool lines)
{
    size_t len = strlen(text);
    for (size_t i = 0; i < len;) {
        uint32_t code = 0;
        size_t octets = text_utf8((const uint8_t *)text + i, len - i, &code);
        if (octets == 0 || (text_is_invisible(code) && !(lines && code == '\n'))) {
            return false;
        }
        i += octets;
    }
    return true;
}

void fuzz_require_printable(const char *text, bool lines)
{
    if (!is_printable(text, lines)) {
        struct buf shown = {0};
        fprintf(stderr, "this text: %s\n", text_escape(&shown, text, strlen(text), SIZE_MAX));
        fuzz_fail(__FILE__, __LINE__, "it is printable");
    }
}

const char *fuzz_pki(const char *file)
{
    static char paths[4][512];
    static size_t next;
    char *path = paths[next++ % 4];
    snprintf(path, sizeof paths[0], "%s/tests/fuzz/corpus/pki/%s", MTLS_SOURCE_DIR, file);
    return path;
}

const struct trust_snapshot *fuzz_snapshot(bool full)
{
    static struct trust_snapshot *snapshots[2];
    if (snapshots[full] == NULL) {
        struct err e = ERR_INIT;
        const char *anchors = fuzz_pki("trust.pem");
        const char *authorities = fuzz_pki("authorities.pem");
        const char *lists = fuzz_pki("lists.pem");
        struct trust_files files = {
            .anchors = {&anchors, 1}, .intermediates = {&authorities, full ? 1 : 0}, .crls = {&lists, full ? 1 : 0}};
        snapshots[full] = trust_snapshot_load(&files, &e);
        if (snapshots[full] == NULL) {
            fuzz_fail(__FILE__, __LINE__, e.text);
        }
    }
    return snapshots[full];
}

// --- what was signed ---

enum { SIGNED_MOST = 512 };
static struct {
    struct buf items[SIGNED_MOST]; // all of what was signed and the signature
    size_t count;
    size_t anchors; // the first ones
} known;

static int remember(void *arg, const char *label, struct span der, struct err *e)
{
    (void)arg;
    (void)label;
    (void)e;
    REQUIRE(known.count < SIGNED_MOST);
    buf_add(&known.items[known.count++], der.data, der.len);
    return 0;
}

static void read_known(void)
{
    static const char *const files[] = {"trust.pem", "issued.pem", "lists.pem"};
    for (size_t i = 0; known.count == 0 || i < sizeof files / sizeof files[0]; i++) {
        struct err e = ERR_INIT;
        struct buf text = {0};
        if (file_read(fuzz_pki(files[i]), FILE_LIMIT, &text, &e) != 0 ||
            pem_read(buf_span(&text), remember, NULL, &e) != 0) {
            fuzz_fail(__FILE__, __LINE__, e.text);
        }
        known.anchors = i == 0 ? known.count : known.anchors;
        buf_clear(&text);
    }
}

bool fuzz_was_signed(struct span tbs)
{
    struct err e = ERR_INIT;
    if (known.count == 0) {
        read_known();
    }
    for (size_t i = 0; i < known.count; i++) {
        struct span rest = buf_span(&known.items[i]);
        struct der_item outer;
        struct der_item item;
        if (der_next(&rest, &outer, &e) == 0 && der_next(&outer.content, &item, &e) == 0 && item.whole.len == tbs.len &&
            memcmp(item.whole.data, tbs.data, tbs.len) == 0) {
            return true;
        }
    }
    return false;
}

bool fuzz_is_anchor(struct span der)
{
    if (known.count == 0) {
        read_known();
    }
    for (size_t i = 0; i < known.anchors; i++) {
        if (known.items[i].len == der.len && memcmp(known.items[i].data, der.data, der.len) == 0) {
            return true;
        }
    }
    return false;
}

// --- input ---

uint8_t fuzz_octet(struct span *input)
{
    if (input->len == 0) {
        return 0;
    }
    uint8_t octet = input->data[0];
    *input = span_of(input->data + 1, input->len - 1);
    return octet;
}

struct span fuzz_run(struct span *input)
{
    size_t len = (size_t)fuzz_octet(input) << 8;
    len |= fuzz_octet(input);
    len = len < input->len ? len : input->len;
    struct span run = span_of(input->data, len);
    *input = span_of(input->data + len, input->len - len);
    return run;
}

void fuzz_question_read(struct fuzz_question *q, struct span input)
{
    uint8_t flags = fuzz_octet(&input);
    struct span name = fuzz_run(&input);
    size_t len = name.len < sizeof q->name - 1 ? name.len : sizeof q->name - 1;
    *q = (struct fuzz_question){.full = (flags & 1) != 0,
                                .purpose = (flags & 2) != 0   ? TRUST_CLIENT
                                           : (flags & 4) != 0 ? TRUST_SERVER
                                                              : TRUST_ANY,
                                .named = (flags & 8) != 0};
    memcpy(q->name, name.data, len);
    while (input.len > 0 && q->count < sizeof q->chain / sizeof q->chain[0]) {
        q->chain[q->count++] = fuzz_run(&input);
    }
}

bool fuzz_question_ask(const struct fuzz_question *q, struct trust_path *path)
{
    struct trust_verdict verdict;
    struct trust_verdict again;
    const char *name = q->named ? q->name : NULL;
    const struct trust_snapshot *snapshot = fuzz_snapshot(q->full);
    struct trust_question question = {
        .chain = q->chain, .count = q->count, .purpose = q->purpose, .name = name, .now = FUZZ_NOW};
    bool accepted = trust_judge_question(snapshot, &question, &verdict, path);
    REQUIRE(accepted == (verdict.reason == REASON_ok));
    REQUIRE(accepted == (verdict.detail[0] == '\0'));
    REQUIRE(verdict.reason < REASON_COUNT && verdict.depth >= -1 && verdict.depth <= 17);
    REQUIRE(strlen(verdict.detail) < TRUST_DETAIL);
    fuzz_require_printable(verdict.detail, false);
    // What is remembered of signatures must not change a verdict, and neither must a fact, true or not.
    question.fact = path->fact;
    REQUIRE(trust_judge_question(snapshot, &question, &again, NULL) == accepted);
    REQUIRE(again.reason == verdict.reason && again.depth == verdict.depth &&
            strcmp(again.detail, verdict.detail) == 0);
    REQUIRE(!accepted || (path->count >= 2 && fuzz_is_anchor(path->certificates[path->count - 1])));
    return accepted;
}
