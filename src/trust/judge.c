// SPDX-License-Identifier: Apache-2.0
// trust_judge: reads what was presented, and has a path searched for.
#include "base/text.h"
#include "trust/internal.h"
#include "trust/rules.h"
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

static const struct certificate *at(const struct search *s, size_t i)
{
    return i < s->count ? s->path[i] : s->anchor;
}

// The check that path[i] went through; NULL: it was spared it.
static const struct checked *check_of(const struct search *s, size_t i)
{
    for (size_t k = 0; k < s->budget->checked_count; k++) {
        const struct checked *checked = &s->budget->checked[k];
        if (checked->child == s->path[i] && spans_equal(checked->key, at(s, i + 1)->spki)) {
            return checked;
        }
    }
    return NULL;
}

// What is accepted is remembered, and only that: a peer cannot fill the memory with chains of its own making.
static void remember(const struct search *s)
{
    for (size_t i = 0; i < s->count; i++) {
        const struct checked *checked = s->path[i]->is_ca ? check_of(s, i) : NULL;
        if (checked != NULL) {
            signature_remember(s->snapshot, checked->fact);
        }
    }
}

// A certificate that was presented may be known from before; its octets are to be those of the question.
static struct span octets_of(const struct search *s, const struct certificate *c, const struct span *chain)
{
    for (size_t i = 0; i < s->presented_count; i++) {
        if (s->presented[i] == c) {
            return chain[1 + i];
        }
    }
    return c == s->path[0] ? chain[0] : buf_span(&c->der);
}

static void fill_path(const struct search *s, const struct span *chain, struct trust_path *path)
{
    const struct checked *leaf = check_of(s, 0);
    if (leaf != NULL) {
        memcpy(path->fact, leaf->fact, TRUST_FACT);
    } else { // a CA's, which the snapshot remembers
        (void)signature_fact(s->path[0], at(s, 1), path->fact);
    }
    path->until = INT64_MAX;
    for (size_t i = 0; i <= s->count; i++) {
        const struct certificate *c = at(s, i);
        path->certificates[path->count++] = octets_of(s, c, chain);
        path->until = c->not_after < path->until ? c->not_after : path->until;
    }
}

void trust_path_clear(struct trust_path *path)
{
    trust_identity_free(path->identity);
    path->identity = NULL;
    path->count = 0;
}

// A client whom the access rules give nothing at all is not let in; what they give it is asked at each request.
static bool is_allowed(const struct search *s, const struct trust_identity *identity)
{
    bool allowed = identity != NULL && rules_can_allow(s->snapshot->rules, identity);
    if (!allowed) {
        trust_verdict_set(s->verdict, REASON_not_allowed, 0, "no rule allows %s anything",
                          identity == NULL ? "it" : identity_label(identity));
    }
    return allowed;
}

// Whose the accepted path is: for the rules, and for whoever asked.
static bool admit(const struct search *s, bool identify, struct trust_path *path)
{
    const struct certificate *leaf = s->path[0];
    const struct trust_identity *known = leaf->identity;
    struct trust_identity *made = NULL;
    bool has_rules = s->purpose == TRUST_CLIENT && s->snapshot->rules != NULL;
    identify = identify && path != NULL;
    if (known == NULL && (has_rules || identify)) {
        made = identity_of(leaf, identify || rules_need_digests(s->snapshot->rules));
    }
    bool admitted = !has_rules || is_allowed(s, known != NULL ? known : made);
    if (admitted && identify) {
        path->identity = known != NULL ? identity_copy_of(known) : made;
        made = known != NULL ? made : NULL;
    }
    trust_identity_free(made);
    return admitted;
}

static bool judge(struct search *s, const struct trust_question *q, const struct certificate *leaf,
                  struct trust_path *path)
{
    char label[96];
    if (leaf->bad != REASON_ok) {
        trust_verdict_set(s->verdict, leaf->bad, 0, "%s: %s", certificate_label(leaf, label), leaf->why);
        return false;
    }
    if (!path_find(s, leaf) || !admit(s, q->identify, path)) {
        return false;
    }
    remember(s);
    if (path != NULL) {
        fill_path(s, q->chain, path);
    }
    trust_verdict_set(s->verdict, REASON_ok, -1, "%s", "");
    return true;
}

static bool in_path(const struct search *s, const struct certificate *c)
{
    for (size_t i = 0; i < s->count; i++) {
        if (s->path[i] == c) {
            return true;
        }
    }
    return false;
}

// Certificates of an accepted path become the snapshot's, if it has room; the rest is freed.
static void let_go(const struct search *s, bool accepted, struct certificate **own, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct certificate_memory *memory = i == 0 ? s->snapshot->leaves : s->snapshot->issuers;
        bool kept = accepted && own[i] != NULL && (i == 0 || in_path(s, own[i])) && certificate_memory_has_room(memory);
        if (kept && i == 0) {
            own[i]->identity = identity_of(own[i], true);
        }
        kept = kept && certificate_remember(memory, own[i]);
        if (!kept) {
            certificate_free(own[i]);
        }
    }
}

bool trust_judge_question(const struct trust_snapshot *snapshot, const struct trust_question *q,
                          struct trust_verdict *verdict, struct trust_path *path)
{
    struct certificate *read[TRUST_CHAIN_MOST] = {NULL};
    struct certificate *own[TRUST_CHAIN_MOST] = {NULL}; // those of them that the snapshot did not know
    struct budget budget = {.candidates = CANDIDATES_MOST, .names = NAME_CHECKS_MOST};
    struct search s = {.snapshot = snapshot,
                       .presented = read + 1,
                       .purpose = q->purpose,
                       .name = q->name,
                       .now = q->now,
                       .fact = q->fact,
                       .budget = &budget,
                       .verdict = verdict};
    trust_verdict_set(verdict, REASON_handshake, -1, "the judge did not come to a verdict"); // until it does
    if (q->count == 0) {
        trust_verdict_set(verdict, REASON_no_certificate, -1, "the chain is empty");
        return false;
    }
    if (q->count > TRUST_CHAIN_MOST) {
        trust_verdict_set(verdict, REASON_budget_exceeded, -1, "%zu certificates were sent; the limit is %d", q->count,
                          TRUST_CHAIN_MOST);
        return false;
    }
    for (size_t i = 0; i < q->count; i++) {
        read[i] = certificate_known(i == 0 ? snapshot->leaves : snapshot->issuers, q->chain[i]);
        if (read[i] == NULL) {
            read[i] = own[i] = certificate_read(q->chain[i]);
        }
    }
    s.presented_count = q->count - 1;
    bool accepted = judge(&s, q, read[0], path);
    let_go(&s, accepted, own, q->count);
    return accepted;
}

bool trust_judge(const struct trust_snapshot *snapshot, const struct span *chain, size_t count,
                 enum trust_purpose purpose, const char *name, int64_t now, struct trust_verdict *verdict)
{
    const struct trust_question q = {.chain = chain, .count = count, .purpose = purpose, .name = name, .now = now};
    return trust_judge_question(snapshot, &q, verdict, NULL);
}
