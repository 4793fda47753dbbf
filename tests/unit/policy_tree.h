// SPDX-License-Identifier: Apache-2.0
// A slow second opinion: RFC 5280's own valid_policy_tree, word for word, node by node, as the RFC had it before RFC
// 9618. It shares nothing with src/trust/policy.c.
#ifndef MTLS_TESTS_POLICY_TREE_H
#define MTLS_TESTS_POLICY_TREE_H

#include "policy_fixture.h"

enum { TREE_MOST = 4096, TREE_NO_PARENT = -1 };

struct tree {
    struct tree_node {
        int parent, depth, policy;
        unsigned expected; // expected_policy_set
        bool deleted;
    } nodes[TREE_MOST];
    int count;
};

static inline void tree_add(struct tree *t, int parent, int policy, unsigned expected)
{
    assert_true(t->count < TREE_MOST);
    t->nodes[t->count++] = (struct tree_node){
        .parent = parent,
        .depth = parent == TREE_NO_PARENT ? 0 : t->nodes[parent].depth + 1,
        .policy = policy,
        .expected = expected,
    };
}

// The next node after `at` that stands at `depth` (-1: any depth); -1: there is none. Begin with at = -1.
static inline int tree_next(const struct tree *t, int at, int depth)
{
    for (at++; at < t->count; at++) {
        if (!t->nodes[at].deleted && (depth < 0 || t->nodes[at].depth == depth)) {
            return at;
        }
    }
    return -1;
}

static inline int tree_find(const struct tree *t, int depth, int policy)
{
    int at = -1;
    while ((at = tree_next(t, at, depth)) >= 0 && t->nodes[at].policy != policy) {
    }
    return at;
}

// A child of `node` with this policy (-1: with whichever).
static inline bool tree_has_child(const struct tree *t, int node, int policy)
{
    for (int at = -1; (at = tree_next(t, at, t->nodes[node].depth + 1)) >= 0;) {
        if (t->nodes[at].parent == node && (policy < 0 || t->nodes[at].policy == policy)) {
            return true;
        }
    }
    return false;
}

// "If there is a node of depth `depth` or less without any child nodes, delete that node. Repeat this step until there
// are no nodes of depth `depth` or less without children."
static inline void tree_prune(struct tree *t, int depth)
{
    for (bool again = true; again;) {
        again = false;
        for (int at = -1; (at = tree_next(t, at, -1)) >= 0;) {
            if (t->nodes[at].depth <= depth && !tree_has_child(t, at, -1)) {
                t->nodes[at].deleted = true;
                again = true;
            }
        }
    }
}

static inline bool tree_is_null(const struct tree *t)
{
    return tree_next(t, -1, -1) < 0;
}

// Section 6.1.3 (d) and (e), for certificate number `i`, counted from 1 below the anchor.
static inline void tree_policies(struct tree *t, const struct policy_spec *c, int i, bool any_allowed)
{
    if (!c->has_policies) {
        t->count = 0; // (e)
        return;
    }
    for (int p = 1; p < SPEC_POLICIES; p++) { // (d)(1)
        bool matched = false;
        if ((c->policies & 1U << p) == 0) {
            continue;
        }
        for (int at = -1; (at = tree_next(t, at, i - 1)) >= 0;) { // (i)
            if ((t->nodes[at].expected & 1U << p) != 0) {
                tree_add(t, at, p, 1U << p);
                matched = true;
            }
        }
        int any = tree_find(t, i - 1, 0);
        if (!matched && any >= 0) { // (ii)
            tree_add(t, any, p, 1U << p);
        }
    }
    if ((c->policies & 1U) != 0 && any_allowed) { // (d)(2)
        for (int at = -1; (at = tree_next(t, at, i - 1)) >= 0;) {
            for (int p = 0; p < SPEC_POLICIES; p++) {
                if ((t->nodes[at].expected & 1U << p) != 0 && !tree_has_child(t, at, p)) {
                    tree_add(t, at, p, 1U << p);
                }
            }
        }
    }
    tree_prune(t, i - 1); // (d)(3)
}

// Section 6.1.4 (b)
static inline void tree_mappings(struct tree *t, const struct policy_spec *c, int i, bool mapping_allowed)
{
    for (int from = 1; from < SPEC_POLICIES; from++) {
        unsigned to = 0;
        for (size_t k = 0; k < c->mapping_count; k++) {
            to |= c->mappings[k].from == from ? 1U << c->mappings[k].to : 0;
        }
        if (to == 0) {
            continue;
        }
        if (mapping_allowed && tree_find(t, i, from) < 0 && tree_find(t, i, 0) >= 0) { // (1), last paragraph
            tree_add(t, tree_find(t, i - 1, 0), from, to);
            continue;
        }
        for (int at = -1; (at = tree_next(t, at, i)) >= 0;) {
            if (t->nodes[at].policy == from) {
                t->nodes[at].expected = to;              // (1)
                t->nodes[at].deleted = !mapping_allowed; // (2)(i)
            }
        }
        if (!mapping_allowed) {
            tree_prune(t, i - 1); // (2)(ii)
        }
    }
}

static inline void tree_delete_below(struct tree *t, int node)
{
    t->nodes[node].deleted = true;
    for (int at = -1; (at = tree_next(t, at, -1)) >= 0;) {
        if (t->nodes[at].parent == node) {
            tree_delete_below(t, at);
        }
    }
}

// Section 6.1.5 (g), for a path of n certificates: is the intersection with the user-initial-policy-set NULL?
static inline bool tree_intersection_is_null(const struct tree *original, unsigned user, int n)
{
    static struct tree copy;
    struct tree *t = &copy;
    unsigned node_set = 0; // the policies in the valid_policy_node_set
    if (tree_is_null(original) || user == 0 || (user & 1U) != 0) {
        return tree_is_null(original); // (i), (ii)
    }
    t->count = original->count;
    memcpy(t->nodes, original->nodes, (size_t)original->count * sizeof t->nodes[0]);
    for (int at = -1; (at = tree_next(t, at, -1)) >= 0;) { // (iii) 1. and 2.
        int parent = t->nodes[at].parent;
        if (parent != TREE_NO_PARENT && t->nodes[parent].policy == 0) {
            node_set |= 1U << t->nodes[at].policy;
            if (t->nodes[at].policy != 0 && (user & 1U << t->nodes[at].policy) == 0) {
                tree_delete_below(t, at);
            }
        }
    }
    int any = tree_find(t, n, 0);
    if (any >= 0) { // 3.
        for (int p = 1; p < SPEC_POLICIES; p++) {
            if ((user & 1U << p) != 0 && (node_set & 1U << p) == 0) {
                tree_add(t, t->nodes[any].parent, p, 1U << p);
            }
        }
        t->nodes[any].deleted = true;
    }
    tree_prune(t, n - 1); // 4.
    return tree_is_null(t);
}

static inline void counter_next(int *counter, const struct policy_spec *c, int limit)
{
    if (!c->self_issued && *counter != 0) {
        --*counter; // (h)
    }
    if (limit != CERTIFICATE_NO_SKIP && limit < *counter) {
        *counter = limit; // (i), (j)
    }
}

// Is the path refused? Then *depth is the first certificate from the anchor downwards that left no policy which the
// user would accept.
static inline bool tree_refuses(const struct policy_path *p, int *depth)
{
    static struct tree t;
    int n = (int)p->count;
    int explicit_policy = p->explicit_policy ? 0 : n + 1;
    int policy_mapping = p->inhibit_mapping ? 0 : n + 1;
    int inhibit_any = p->inhibit_any ? 0 : n + 1;
    t.count = 0;
    *depth = -1;
    tree_add(&t, TREE_NO_PARENT, 0, 1U);
    for (int i = 1; i <= n; i++) {
        const struct policy_spec *c = &p->certificates[n - i];
        tree_policies(&t, c, i, inhibit_any > 0 || (i < n && c->self_issued));
        if (explicit_policy == 0 && tree_is_null(&t)) { // section 6.1.3 (f)
            *depth = *depth < 0 ? n - i : *depth;
            return true;
        }
        if (i < n) {
            tree_mappings(&t, c, i, policy_mapping > 0);
            counter_next(&explicit_policy, c, c->require_explicit);
            counter_next(&policy_mapping, c, c->inhibit_mapping);
            counter_next(&inhibit_any, c, c->inhibit_any);
        }
        if (*depth < 0 && tree_intersection_is_null(&t, p->user, i)) {
            *depth = n - i;
        }
    }
    if (explicit_policy != 0) { // section 6.1.5 (a)
        explicit_policy--;
    }
    if (p->certificates[0].require_explicit == 0) { // (b)
        explicit_policy = 0;
    }
    return explicit_policy == 0 && tree_intersection_is_null(&t, p->user, n);
}

#endif
