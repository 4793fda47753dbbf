// SPDX-License-Identifier: Apache-2.0
// trust_judge: reads what was presented, and has a path searched for.
#include "base/text.h"
#include "trust/internal.h"
#include "trust/search.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void trust_verdict_set(struct trust_verdict *verdict, enum reason reason, int depth, const char *fmt, ...)
{
    va_list ap;
    verdict->reason = reason;
    verdict->depth = depth;
    va_start(ap, fmt);
    text_vformat(verdict->detail, sizeof verdict->detail, fmt, ap);
    va_end(ap);
}

// What is accepted is remembered, and only that: a peer cannot fill the memory with chains of its own making.
static void remember(const struct search *s)
{
    for (size_t i = 0; i < s->count; i++) {
        if (s->path[i]->is_ca) {
            signature_remember(s->snapshot, s->path[i], i + 1 < s->count ? s->path[i + 1] : s->anchor);
        }
    }
}

static void copy_path(const struct search *s, struct trust_path *path)
{
    for (size_t i = 0; i < s->count; i++) {
        buf_add(&path->certificates[path->count++], s->path[i]->der.data, s->path[i]->der.len);
    }
    buf_add(&path->certificates[path->count++], s->anchor->der.data, s->anchor->der.len);
}

void trust_path_clear(struct trust_path *path)
{
    for (size_t i = 0; i < path->count; i++) {
        buf_clear(&path->certificates[i]);
    }
    path->count = 0;
}

bool trust_judge_path(const struct trust_snapshot *snapshot, const struct span *chain, size_t count,
                      enum trust_purpose purpose, const char *name, int64_t now, struct trust_verdict *verdict,
                      struct trust_path *path)
{
    struct certificate *read[TRUST_CHAIN_MOST] = {NULL};
    struct budget budget = {.candidates = CANDIDATES_MOST, .names = NAME_CHECKS_MOST};
    struct search s = {.snapshot = snapshot,
                       .presented = read + 1,
                       .purpose = purpose,
                       .name = name,
                       .now = now,
                       .budget = &budget,
                       .verdict = verdict};
    bool accepted = false;
    char label[96];
    trust_verdict_set(verdict, REASON_handshake, -1, "the judge did not come to a verdict"); // until it does
    if (count == 0) {
        trust_verdict_set(verdict, REASON_no_certificate, -1, "the chain is empty");
        return false;
    }
    if (count > TRUST_CHAIN_MOST) {
        trust_verdict_set(verdict, REASON_budget_exceeded, -1, "%zu certificates were sent; the limit is %d", count,
                          TRUST_CHAIN_MOST);
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        read[i] = certificate_read(chain[i]);
    }
    s.presented_count = count - 1;
    if (read[0]->bad != REASON_ok) {
        trust_verdict_set(verdict, read[0]->bad, 0, "%s: %s", certificate_label(read[0], label), read[0]->why);
    } else if (path_find(&s, read[0])) {
        trust_verdict_set(verdict, REASON_ok, -1, "%s", "");
        remember(&s);
        if (path != NULL) {
            copy_path(&s, path);
        }
        accepted = true;
    }
    for (size_t i = 0; i < count; i++) {
        certificate_free(read[i]);
    }
    return accepted;
}

bool trust_judge(const struct trust_snapshot *snapshot, const struct span *chain, size_t count,
                 enum trust_purpose purpose, const char *name, int64_t now, struct trust_verdict *verdict)
{
    return trust_judge_path(snapshot, chain, count, purpose, name, now, verdict, NULL);
}
