// SPDX-License-Identifier: Apache-2.0
// Path building (RFC 4158 has the reasoning): depth first from the leaf up, over every certificate that has the right
// name, best candidates first, back to the next one wherever a path fails. Key identifiers order the candidates and
// prove nothing; signatures prove. Everything is bounded.
#include "base/text.h"
#include "trust/internal.h"
#include "trust/search.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { SIDE_BY_SIDE = 64 }; // candidates for one issuer that are ordered; those beyond are not looked at

void search_fail(struct search *s, int rank, enum reason reason, size_t depth, const char *fmt, ...)
{
    va_list ap;
    if (rank <= s->rank) {
        return;
    }
    s->rank = rank;
    s->verdict->reason = reason;
    s->verdict->depth = (int)depth;
    va_start(ap, fmt);
    text_vformat(s->verdict->detail, sizeof s->verdict->detail, fmt, ap);
    va_end(ap);
}

struct candidates {
    struct candidate {
        const struct certificate *certificate;
        bool is_anchor;
        int score;
    } items[SIDE_BY_SIDE];
    size_t count;
    bool dropped; // there were more than fit
};

// A path that names a key twice goes in a circle; so does one that has a certificate twice.
static bool in_path(const struct search *s, const struct certificate *c)
{
    for (size_t i = 0; i < s->count; i++) {
        if (spans_equal(buf_span(&s->path[i]->der), buf_span(&c->der)) ||
            (i > 0 && spans_equal(s->path[i]->spki, c->spki) &&
             spans_equal(buf_span(&s->path[i]->subject_key), buf_span(&c->subject_key)))) {
            return true;
        }
    }
    return false;
}

static bool is_there(const struct candidates *list, const struct certificate *c, bool is_anchor)
{
    for (size_t i = 0; i < list->count; i++) {
        if (list->items[i].is_anchor == is_anchor &&
            spans_equal(buf_span(&list->items[i].certificate->der), buf_span(&c->der))) {
            return true;
        }
    }
    return false;
}

// What makes a candidate likely: the key that the child names, the right time, a right to issue, trust.
static int score(const struct search *s, const struct certificate *child, const struct certificate *c, bool is_anchor)
{
    bool named = child->authority_key_id.len > 0 && c->subject_key_id.len > 0;
    bool same_key = named && spans_equal(child->authority_key_id, c->subject_key_id);
    return (named && !same_key ? -16 : 0) + (same_key ? 8 : 0) + (is_anchor ? 4 : 0) + (c->bad == REASON_ok ? 2 : 0) +
           (c->not_before <= s->now && s->now <= c->not_after ? 2 : 0) + (c->is_ca ? 1 : 0);
}

static void add_candidates(struct search *s, struct certificate *const *list, size_t count, bool is_anchor,
                           struct candidates *out)
{
    const struct certificate *child = s->path[s->count - 1];
    for (size_t i = 0; i < count; i++) {
        const struct certificate *c = list[i];
        if (!c->readable || !spans_equal(buf_span(&c->subject_key), buf_span(&child->issuer_key))) {
            continue;
        }
        if (s->budget->candidates == 0) {
            s->budget->used_up = true;
            return;
        }
        s->budget->candidates--;
        if (in_path(s, c) || is_there(out, c, is_anchor)) {
            continue;
        }
        struct candidate new = {.certificate = c, .is_anchor = is_anchor, .score = score(s, child, c, is_anchor)};
        out->dropped = out->dropped || out->count == SIDE_BY_SIDE;
        size_t at = out->count < SIDE_BY_SIDE ? out->count++ : SIDE_BY_SIDE - 1;
        while (at > 0 && out->items[at - 1].score < new.score) { // insertion keeps equal ones in their order
            out->items[at] = out->items[at - 1];
            at--;
        }
        out->items[at] = new;
    }
}

// Did `issuer` sign `child`? The memory of the snapshot spares CA certificates the arithmetic, that of whoever asks the
// leaf, and that of the question whoever is come upon again by another path.
static enum reason verify(struct search *s, const struct certificate *child, const struct certificate *issuer)
{
    struct budget *b = s->budget;
    uint8_t fact[TRUST_FACT];
    if (!issuer->key_read) {
        return REASON_signature_bad;
    }
    for (size_t i = 0; i < b->checked_count; i++) {
        if (b->checked[i].child == child && spans_equal(b->checked[i].key, issuer->spki)) {
            return b->checked[i].result;
        }
    }
    if (!signature_fact(child, issuer, fact)) {
        return REASON_signature_bad;
    }
    if (child->is_ca && signature_known(s->snapshot, fact)) {
        return REASON_ok;
    }
    if (b->checked_count == SIGNATURES_MOST) {
        b->used_up = true;
        return REASON_budget_exceeded;
    }
    struct checked *new = &b->checked[b->checked_count++];
    *new = (struct checked){.child = child, .key = issuer->spki};
    memcpy(new->fact, fact, TRUST_FACT);
    bool known = s->fact != NULL && memcmp(s->fact, fact, TRUST_FACT) == 0;
    new->result = known ? REASON_ok
                        : signature_check(child->signature_algorithm, child->signature, child->tbs,
                                          (mbedtls_pk_context *)(uintptr_t)&issuer->key);
    return new->result;
}

static void note_bad_signature(struct search *s, const struct certificate *child, const struct certificate *issuer,
                               enum reason reason)
{
    char label[96];
    char issuer_label[96];
    bool named = child->authority_key_id.len > 0 && issuer->subject_key_id.len > 0;
    certificate_label(child, label);
    if (reason == REASON_signature_bad && named && !spans_equal(child->authority_key_id, issuer->subject_key_id)) {
        // another CA of the same name: nobody claimed that this one had signed
        search_fail(s, RANK_BAD_CANDIDATE, REASON_chain_untrusted, s->count - 1,
                    "the issuer of %s has a name that is known here, and another key", label);
        return;
    }
    search_fail(s, RANK_BAD_CANDIDATE, reason, s->count - 1, "%s: %s (issuer %s)", label, reason_info(reason)->sentence,
                certificate_label(issuer, issuer_label));
}

static void note_no_issuer(struct search *s, const struct certificate *child)
{
    char label[96];
    certificate_label(child, label);
    for (size_t i = 0; i < s->snapshot->anchors.count; i++) {
        if (spans_equal(buf_span(&s->snapshot->anchors.items[i]->der), buf_span(&child->der))) {
            search_fail(s, RANK_UNTRUSTED, REASON_chain_untrusted, s->count - 1,
                        "%s is a trust anchor itself: it vouches for others, not for itself", label);
            return;
        }
    }
    if (child->self_issued && verify(s, child, child) == REASON_ok) {
        search_fail(s, RANK_UNTRUSTED, REASON_chain_untrusted, s->count - 1, "%s is self-signed and not a trust anchor",
                    label);
    } else {
        search_fail(s, RANK_NO_ISSUER, REASON_chain_incomplete, s->count - 1,
                    "the issuer of %s was not sent and is not a trust anchor", label);
    }
}

static bool extend(struct search *s);

static bool try_candidate(struct search *s, const struct candidate *candidate, bool *tried)
{
    const struct certificate *child = s->path[s->count - 1];
    const struct certificate *issuer = candidate->certificate;
    char label[96];
    if (!issuer->key_read) {
        search_fail(s, RANK_BAD_CANDIDATE, issuer->bad, s->count, "%s: %s", certificate_label(issuer, label),
                    issuer->why);
        return false;
    }
    enum reason reason = verify(s, child, issuer);
    if (reason != REASON_ok) {
        note_bad_signature(s, child, issuer, reason);
        return false;
    }
    *tried = true;
    if (candidate->is_anchor) {
        s->anchor = issuer;
        if (path_validate(s)) {
            return true;
        }
        s->anchor = NULL;
        return false;
    }
    if (s->count == PATH_MOST) {
        search_fail(s, RANK_BAD_CANDIDATE, REASON_path_too_long, s->count - 1, "the path has more than %d certificates",
                    PATH_MOST);
        return false;
    }
    s->path[s->count++] = issuer;
    if (extend(s)) {
        return true;
    }
    s->count--;
    return false;
}

// Finds a path from the last certificate on.
static bool extend(struct search *s)
{
    struct candidates candidates = {.count = 0};
    struct span name = buf_span(&s->path[s->count - 1]->issuer_key);
    struct certificate *const *named = NULL;
    size_t count = 0;
    bool tried = false;
    named = certificates_named(&s->snapshot->anchors, name, &count);
    add_candidates(s, named, count, true, &candidates);
    add_candidates(s, s->presented, s->presented_count, false, &candidates);
    named = certificates_named(&s->snapshot->intermediates, name, &count);
    add_candidates(s, named, count, false, &candidates);
    for (size_t i = 0; i < candidates.count && !s->budget->used_up; i++) {
        if (try_candidate(s, &candidates.items[i], &tried)) {
            return true;
        }
    }
    s->budget->used_up = s->budget->used_up || candidates.dropped;
    if (!tried && !s->budget->used_up) {
        note_no_issuer(s, s->path[s->count - 1]);
    }
    return false;
}

bool path_find(struct search *s, const struct certificate *leaf)
{
    s->path[0] = leaf;
    s->count = 1;
    s->anchor = NULL;
    if (extend(s)) {
        return true;
    }
    if (s->budget->used_up) {
        search_fail(s, RANK_BUDGET, REASON_budget_exceeded, 0, "%s", reason_info(REASON_budget_exceeded)->sentence);
    }
    return false;
}
