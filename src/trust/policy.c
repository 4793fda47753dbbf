// SPDX-License-Identifier: Apache-2.0
// The policy graph of RFC 9618 has at most one node a level for each policy, because what hangs below a node depends on
// its policy alone. And all that is asked of it in the end (RFC 5280 section 6.1.5 (g)) is whether a node of the last
// level descends from a policy that the user accepts. So that one bit is handed down from level to level, only the
// newest level is kept, and work and memory are linear in what the certificates hold, but for sorting.
#include "trust/policy.h"

#include <mbedtls/asn1.h>
#include <mbedtls/oid.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { POLICIES_MOST = 1024 }; // policies, and mappings, of one certificate that are worth following

static int oid_order(const void *a, const void *b)
{
    const struct span *x = a;
    const struct span *y = b;
    if (x->len != y->len) {
        return x->len < y->len ? -1 : 1;
    }
    return memcmp(x->data, y->data, x->len);
}

static bool oid_is(struct span oid, const char *octets, size_t len)
{
    return oid.len == len && memcmp(oid.data, octets, len) == 0;
}

static bool is_any_policy(struct span oid)
{
    return oid_is(oid, MBEDTLS_OID_ANY_POLICY, MBEDTLS_OID_SIZE(MBEDTLS_OID_ANY_POLICY));
}

// X.690 section 8.19.2: each subidentifier ends, and is in the fewest octets. So equal octets mean equal policies.
static int oid_take(struct span *rest, const char *what, struct span *oid, struct err *e)
{
    struct der_item item = {0};
    if (der_expect(rest, MBEDTLS_ASN1_OID, what, &item, e) != 0) {
        return -1;
    }
    bool ended = true;
    bool shortest = true;
    for (size_t i = 0; i < item.content.len; i++) {
        shortest = shortest && !(ended && item.content.data[i] == 0x80);
        ended = (item.content.data[i] & 0x80) == 0;
    }
    if (item.content.len == 0 || !ended || !shortest) {
        err_set(e, "%s: an object identifier is %s", what, shortest ? "cut short" : "not in its shortest form");
        return -1;
    }
    *oid = item.content;
    return 0;
}

static const struct {
    const char *oid;
    size_t len;
    int tag;
} qualifiers[] = {
    {MBEDTLS_OID_PKIX "\x02\x01", MBEDTLS_OID_SIZE(MBEDTLS_OID_PKIX "\x02\x01"), MBEDTLS_ASN1_IA5_STRING}, // CPSuri
    {MBEDTLS_OID_PKIX "\x02\x02", MBEDTLS_OID_SIZE(MBEDTLS_OID_PKIX "\x02\x02"), TAG_SEQUENCE},            // UserNotice
};

// PolicyQualifierInfo. Qualifiers decide nothing here, but a damaged one is a damaged extension. *known: still all of
// them, and this one too?
static int qualifier_check(struct span *rest, bool *known, struct err *e)
{
    bool found = false;
    struct der_item info = {0};
    struct der_item value = {0};
    struct span id;
    if (der_expect(rest, TAG_SEQUENCE, "PolicyQualifierInfo", &info, e) != 0 ||
        oid_take(&info.content, "policyQualifierId", &id, e) != 0) {
        return -1;
    }
    if (der_next(&info.content, &value, e) != 0) {
        return err_context(e, "qualifier");
    }
    for (size_t i = 0; i < sizeof qualifiers / sizeof qualifiers[0]; i++) {
        bool is_it = oid_is(id, qualifiers[i].oid, qualifiers[i].len);
        found = found || is_it;
        if (is_it && value.tag != qualifiers[i].tag) {
            return err_set(e, "qualifier: DER tag 0x%02x where 0x%02x is due", (unsigned)value.tag,
                           (unsigned)qualifiers[i].tag);
        }
    }
    *known = *known && found;
    return info.content.len == 0 ? 0 : err_set(e, "PolicyQualifierInfo: there is more after the qualifier");
}

// Takes a PolicyInformation (RFC 5280 section 4.2.1.4) off the front of *rest.
static int policy_next(struct span *rest, struct span *policy, bool *known, struct err *e)
{
    struct der_item info = {0};
    struct der_item list = {0};
    if (der_expect(rest, TAG_SEQUENCE, "PolicyInformation", &info, e) != 0 ||
        oid_take(&info.content, "policyIdentifier", policy, e) != 0) {
        return -1;
    }
    if (info.content.len == 0) {
        return 0;
    }
    if (der_expect(&info.content, TAG_SEQUENCE, "policyQualifiers", &list, e) != 0) {
        return -1;
    }
    if (info.content.len > 0) {
        return err_set(e, "PolicyInformation: there is more after the qualifiers");
    }
    do { // at least one
        if (qualifier_check(&list.content, known, e) != 0) {
            return -1;
        }
    } while (list.content.len > 0);
    return 0;
}

// Takes one pair of PolicyMappings (RFC 5280 section 4.2.1.5) off the front of *rest.
static int mapping_next(struct span *rest, struct span *from, struct span *to, struct err *e)
{
    struct der_item pair = {0};
    if (der_expect(rest, TAG_SEQUENCE, "policy mapping", &pair, e) != 0 ||
        oid_take(&pair.content, "issuerDomainPolicy", from, e) != 0 ||
        oid_take(&pair.content, "subjectDomainPolicy", to, e) != 0) {
        return -1;
    }
    if (pair.content.len > 0) {
        return err_set(e, "policy mapping: there is more after the two policies");
    }
    if (is_any_policy(*from) || is_any_policy(*to)) {
        return err_set(e, "anyPolicy is mapped %s", is_any_policy(*from) ? "from" : "to");
    }
    return 0;
}

int policy_syntax(struct span policies, bool *qualifiers_known, struct err *e)
{
    *qualifiers_known = true;
    struct span *seen = NULL;
    size_t capacity = 0;
    size_t count = 0;
    int rc = -1;
    do { // at least one
        seen = mem_grow(seen, &capacity, sizeof *seen, count + 1);
        if (policy_next(&policies, &seen[count++], qualifiers_known, e) != 0) {
            goto out;
        }
    } while (policies.len > 0);
    qsort(seen, count, sizeof *seen, oid_order);
    for (size_t i = 1; i < count; i++) {
        if (oid_order(&seen[i - 1], &seen[i]) == 0) {
            err_set(e, "a policy is there twice");
            goto out;
        }
    }
    rc = 0;
out:
    free(seen);
    return rc;
}

int policy_mapping_syntax(struct span mappings, struct err *e)
{
    struct span from;
    struct span to;
    do { // at least one
        if (mapping_next(&mappings, &from, &to, e) != 0) {
            return -1;
        }
    } while (mappings.len > 0);
    return 0;
}

struct node {
    struct span policy; // first: nodes are sorted by it
    bool acceptable;    // it descends from a policy that the user accepts
    bool gone;          // to be left out by level_settle
};

// The nodes of the level that was reached, sorted, each policy once. Once mappings are applied the policies are those
// that are expected of the next certificate: the expected_policy_set of a node is its edges.
struct level {
    struct node *nodes;
    size_t count;
    size_t capacity;
    bool any; // there is a node for anyPolicy too. It is always acceptable: any policy can still come from it
};

// Looks among the first `count` nodes, which are sorted.
static struct node *level_find(const struct level *l, size_t count, struct span policy)
{
    return count == 0 ? NULL : bsearch(&policy, l->nodes, count, sizeof *l->nodes, oid_order);
}

static void level_add(struct level *l, struct span policy, bool acceptable)
{
    l->nodes = mem_grow(l->nodes, &l->capacity, sizeof *l->nodes, l->count + 1);
    l->nodes[l->count++] = (struct node){.policy = policy, .acceptable = acceptable};
}

// Drops what is gone, sorts, and makes one node of those with the same policy.
static void level_settle(struct level *l)
{
    size_t kept = 0;
    for (size_t i = 0; i < l->count; i++) {
        if (!l->nodes[i].gone) {
            l->nodes[kept++] = l->nodes[i];
        }
    }
    l->count = kept;
    if (kept == 0) {
        return;
    }
    qsort(l->nodes, l->count, sizeof *l->nodes, oid_order);
    kept = 1;
    for (size_t i = 1; i < l->count; i++) {
        struct node *last = &l->nodes[kept - 1];
        if (oid_order(last, &l->nodes[i]) == 0) {
            last->acceptable = last->acceptable || l->nodes[i].acceptable;
        } else {
            l->nodes[kept++] = l->nodes[i];
        }
    }
    l->count = kept;
}

static bool level_is_acceptable(const struct level *l)
{
    bool acceptable = l->any;
    for (size_t i = 0; !acceptable && i < l->count; i++) {
        acceptable = l->nodes[i].acceptable;
    }
    return acceptable;
}

static bool demand_accepts(const struct policy_demand *demand, struct span policy)
{
    bool accepts = demand->count == 0;
    for (size_t i = 0; !accepts && i < demand->count; i++) {
        accepts = oid_order(&demand->acceptable[i], &policy) == 0 || is_any_policy(demand->acceptable[i]);
    }
    return accepts;
}

static enum reason refuse(enum reason reason, const char *words, char why[CERTIFICATE_WHY])
{
    snprintf(why, CERTIFICATE_WHY, "%s", words);
    return reason;
}

// RFC 5280 section 6.1.3 (d) and (e): from the policies expected of `c` to those that it asserts.
static enum reason level_descend(struct level *l, const struct certificate *c, bool any_allowed,
                                 const struct policy_demand *demand, char why[CERTIFICATE_WHY])
{
    struct err e = ERR_INIT;
    struct span rest = c->policies;
    size_t expected = l->count;
    bool any_asserted = false;
    for (size_t i = 0; i < expected; i++) {
        l->nodes[i].gone = true;
    }
    for (size_t n = 0; rest.len > 0; n++) {
        struct span policy;
        bool known = true; // asked when the certificate was read
        if (n == POLICIES_MOST) {
            return refuse(REASON_budget_exceeded, "it has more than 1024 policies", why);
        }
        if (policy_next(&rest, &policy, &known, &e) != 0) {
            return refuse(REASON_policy, "its certificatePolicies cannot be read", why);
        }
        struct node *node = level_find(l, expected, policy);
        if (is_any_policy(policy)) {
            any_asserted = true;
        } else if (node != NULL) {
            node->gone = false; // (d)(1)(i)
        } else if (l->any) {
            level_add(l, policy, demand_accepts(demand, policy)); // (d)(1)(ii): here the user's word counts
        }
    }
    if (any_asserted && any_allowed) { // (d)(2): whatever is expected is asserted, anyPolicy too
        for (size_t i = 0; i < expected; i++) {
            l->nodes[i].gone = false;
        }
    } else {
        l->any = false;
    }
    level_settle(l);
    if (level_is_acceptable(l)) {
        return REASON_ok;
    }
    if (c->policies.data == NULL) {
        return refuse(REASON_policy, "a policy is required and it has no certificatePolicies", why);
    }
    if (any_asserted && !any_allowed) {
        return refuse(REASON_policy, "a policy is required and its anyPolicy is inhibited", why);
    }
    return refuse(REASON_policy,
                  l->count == 0 ? "a policy is required and none of its policies continues the path's"
                                : "a policy is required and none of the path's is among those asked for",
                  why);
}

// RFC 5280 section 6.1.4 (b): from the policies that `c` asserts to those expected of the next certificate.
static enum reason level_map(struct level *l, const struct certificate *c, bool mapping_allowed,
                             const struct policy_demand *demand, char why[CERTIFICATE_WHY])
{
    struct err e = ERR_INIT;
    struct span rest = c->policy_mappings;
    size_t asserted = l->count;
    for (size_t n = 0; rest.len > 0; n++) {
        struct span from;
        struct span to;
        if (n == POLICIES_MOST) {
            return refuse(REASON_budget_exceeded, "it has more than 1024 policy mappings", why);
        }
        if (mapping_next(&rest, &from, &to, &e) != 0) {
            return refuse(REASON_policy, "its policyMappings cannot be read", why);
        }
        struct node *node = level_find(l, asserted, from);
        bool acceptable = node != NULL ? node->acceptable : demand_accepts(demand, from);
        if (node != NULL) {
            node->gone = true; // (b)(2); and (b)(1): from here on it goes by the names that it is mapped to
        }
        if (mapping_allowed && (node != NULL || l->any)) {
            level_add(l, to, acceptable);
        }
    }
    level_settle(l);
    return level_is_acceptable(l)
               ? REASON_ok
               : refuse(REASON_policy, "a policy is required and its policy mapping is inhibited", why);
}

// RFC 5280 section 6.1.4 (h) to (j): how many certificates after `c` go free.
static size_t skip_next(size_t skip, const struct certificate *c, int limit)
{
    if (!c->self_issued && skip > 0) {
        skip--;
    }
    return limit >= 0 && (size_t)limit < skip ? (size_t)limit : skip;
}

// Will explicit_policy be 0 in the end? It never rises, and no policy has a say in it.
static bool policy_is_required(const struct certificate *const *path, size_t count, const struct policy_demand *demand)
{
    size_t skip = demand->explicit_policy ? 0 : count + 1;
    for (size_t i = count; i-- > 1;) {
        skip = skip_next(skip, path[i], path[i]->require_explicit_policy);
    }
    // RFC 5280 section 6.1.5 (a) and (b): the leaf always counts, self-issued or not
    return skip <= 1 || path[0]->require_explicit_policy == 0;
}

enum reason policy_check(const struct certificate *const *path, size_t count, const struct policy_demand *demand,
                         int *depth, char why[CERTIFICATE_WHY])
{
    struct level level = {.any = true}; // RFC 5280 section 6.1.2 (a)
    size_t mapping = demand->inhibit_mapping ? 0 : count + 1;
    size_t any = demand->inhibit_any ? 0 : count + 1;
    enum reason reason = REASON_ok;
    if (count == 0 || !policy_is_required(path, count, demand)) {
        return REASON_ok;
    }
    // What is lost stays lost, so the first certificate that leaves no acceptable policy is the one at fault. This is
    // section 6.1.3 (f) and 6.1.5 (g) in one, since a policy will be required.
    for (size_t i = count; reason == REASON_ok && i-- > 0;) {
        const struct certificate *c = path[i];
        *depth = (int)i;
        reason = level_descend(&level, c, any > 0 || (i > 0 && c->self_issued), demand, why);
        if (reason == REASON_ok && i > 0) {
            reason = level_map(&level, c, mapping > 0, demand, why);
        }
        mapping = skip_next(mapping, c, c->inhibit_policy_mapping);
        any = skip_next(any, c, c->inhibit_any_policy);
    }
    free(level.nodes);
    return reason;
}
