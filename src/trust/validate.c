// SPDX-License-Identifier: Apache-2.0
// Validation of one path (RFC 5280 section 6.1), from the anchor down, and the leaf's profile for mutual TLS.
#include "base/clock.h"
#include "base/text.h"
#include "trust/constraint.h"
#include "trust/internal.h"
#include "trust/search.h"

#include <string.h>

// The certificate above path[i]: the next one, or the anchor.
static const struct certificate *issuer_of(const struct search *s, size_t i)
{
    return i + 1 < s->count ? s->path[i + 1] : s->anchor;
}

static const struct certificate *at(const struct search *s, size_t i)
{
    return i < s->count ? s->path[i] : s->anchor;
}

#define FAIL(s, reason, depth, ...) (search_fail(s, RANK_PATH, reason, depth, __VA_ARGS__), false)

// What reading found, and the time (section 6.1.3 (a) (2)).
static bool check_itself(struct search *s, size_t i)
{
    const struct certificate *c = at(s, i);
    char label[96];
    char when[CLOCK_TEXT];
    if (c->bad != REASON_ok) {
        return FAIL(s, c->bad, i, "%s: %s", certificate_label(c, label), c->why);
    }
    if (s->now > c->not_after) {
        return FAIL(s, REASON_cert_expired, i, "%s expired at %s", certificate_label(c, label),
                    clock_rfc3339(c->not_after, when));
    }
    if (s->now < c->not_before) {
        return FAIL(s, REASON_cert_not_yet_valid, i, "%s is valid from %s", certificate_label(c, label),
                    clock_rfc3339(c->not_before, when));
    }
    if (i < s->count && c->serial_is_zero) { // section 4.1.2.2
        return FAIL(s, REASON_serial_number, i, "%s: its serial number is zero", certificate_label(c, label));
    }
    return true;
}

// Sections 4.2.1.1 and 4.2.1.2: everybody says whose key signed, and a CA which key is its own. An anchor may leave the
// first extension out, but not the identifier in it.
static bool check_key_ids(struct search *s, size_t i)
{
    const struct certificate *c = at(s, i);
    char label[96];
    if ((i < s->count || c->has_authority_key_id) && c->authority_key_id.len == 0) {
        return FAIL(s, REASON_key_identifier, i, "%s has no keyIdentifier of its issuer", certificate_label(c, label));
    }
    if (i > 0 && c->subject_key_id.len == 0) {
        return FAIL(s, REASON_key_identifier, i, "%s is a CA's and has no subjectKeyIdentifier",
                    certificate_label(c, label));
    }
    return true;
}

// CAs below the certificate at i that count for its path length: not the leaf, not self-issued ones (section 4.2.1.9).
static size_t authorities_below(const struct search *s, size_t i)
{
    size_t below = 0;
    for (size_t k = 1; k < i && k < s->count; k++) {
        below += !s->path[k]->self_issued;
    }
    return below;
}

// An issuer that restricts its extended key usage restricts it for all below it. RFC 5280 section 4.2.1.12 leaves that
// open; every other judge of TLS peers does it, and CAs count on it.
static bool purpose_allowed(unsigned ext_key_usage, enum trust_purpose purpose, bool any_counts)
{
    unsigned wanted = purpose == TRUST_SERVER ? EKU_SERVER : EKU_CLIENT;
    return purpose == TRUST_ANY || (ext_key_usage & (wanted | (any_counts ? EKU_ANY : 0U))) != 0;
}

// Section 6.1.4 (k) to (n), for the certificates that issued another of the path.
static bool check_issuer(struct search *s, size_t i)
{
    const struct certificate *c = at(s, i);
    char label[96];
    if (!c->has_basic_constraints || !c->is_ca) {
        return FAIL(s, REASON_not_a_ca, i, "%s issued another certificate and is no CA's", certificate_label(c, label));
    }
    if (!c->basic_constraints_critical) { // section 4.2.1.9
        return FAIL(s, REASON_not_a_ca, i, "%s is a CA's and its basicConstraints are not critical",
                    certificate_label(c, label));
    }
    if (!c->has_key_usage && i < s->count) { // section 4.2.1.3: roots without it are about, other CAs are not
        return FAIL(s, REASON_key_usage, i, "%s issued another certificate and has no keyUsage",
                    certificate_label(c, label));
    }
    if (c->has_key_usage && (c->key_usage & KU_KEY_CERT_SIGN) == 0) {
        return FAIL(s, REASON_key_usage, i, "%s issued another certificate and lacks keyCertSign",
                    certificate_label(c, label));
    }
    if (c->path_length != CERTIFICATE_NO_PATH_LENGTH && authorities_below(s, i) > (size_t)c->path_length) {
        return FAIL(s, REASON_path_too_long, i, "%s allows %d CAs below it and has %zu", certificate_label(c, label),
                    c->path_length, authorities_below(s, i));
    }
    if (s->target == TARGET_PEER && c->has_ext_key_usage && !purpose_allowed(c->ext_key_usage, s->purpose, true)) {
        return FAIL(s, REASON_ext_key_usage, i, "%s may not issue for this purpose", certificate_label(c, label));
    }
    return true;
}

// Section 6.1.3 (b), (c). A self-issued certificate that is not the last one is exempt.
static bool check_names(struct search *s, size_t i)
{
    const struct certificate *c = s->path[i];
    char label[96];
    char why[CERTIFICATE_WHY];
    if (c->self_issued && i > 0) {
        return true;
    }
    for (size_t above = i + 1; above <= s->count; above++) {
        enum reason reason = constraint_check(c, at(s, above), &s->budget->names, why);
        if (reason != REASON_ok) {
            return FAIL(s, reason, i, "%s: %s", certificate_label(c, label), why);
        }
    }
    return true;
}

static bool check_policies(struct search *s)
{
    char why[CERTIFICATE_WHY];
    int depth = 0;
    enum reason reason = policy_check(s->path, s->count, &s->snapshot->policy, &depth, why);
    return reason == REASON_ok || FAIL(s, reason, (size_t)(depth < 0 ? 0 : depth), "%s", why);
}

// --- revocation ---

static bool same_authority(const struct certificate *a, const struct certificate *b)
{
    return spans_equal(buf_span(&a->subject_key), buf_span(&b->subject_key)) && spans_equal(a->spki, b->spki);
}

// Is the path of this signer good, and to the same anchor (RFC 5280 section 6.3.3 (f))? That it may sign lists is asked
// when the signature is checked.
static bool signer_is_good(struct search *outer, const struct certificate *c)
{
    struct trust_verdict verdict = {.reason = REASON_ok};
    struct search s = *outer;
    if (c == outer->anchor || (outer->target == TARGET_LIST_SIGNER && c == outer->path[0])) {
        return true; // the latter is being judged: its own list may speak about it, as that of a new key does
    }
    if (outer->signer_depth >= SIGNER_DEPTH_MOST) {
        return false;
    }
    s.target = TARGET_LIST_SIGNER;
    s.signer_depth = outer->signer_depth + 1;
    s.name = NULL;
    s.verdict = &verdict;
    s.rank = 0;
    return path_find(&s, c) && same_authority(s.anchor, outer->anchor);
}

static const struct certificate *next_signer(void *arg, struct span issuer_name, struct span key_id, size_t *state)
{
    struct search *s = arg;
    const struct trust_snapshot *snapshot = s->snapshot;
    size_t total = 1 + s->count + s->presented_count + snapshot->intermediates.count;
    while (*state < 2 * total) { // first those with the key that the list names, then the others
        bool first = *state < total;
        size_t i = (*state)++ % total;
        const struct certificate *c = i == 0          ? s->anchor
                                      : i <= s->count ? s->path[i - 1]
                                      : i <= s->count + s->presented_count
                                          ? s->presented[i - 1 - s->count]
                                          : snapshot->intermediates.items[i - 1 - s->count - s->presented_count];
        bool right_key = key_id.len == 0 || c->subject_key_id.len == 0 || spans_equal(key_id, c->subject_key_id);
        if (c->readable && c->key_read && right_key == first && spans_equal(buf_span(&c->subject_key), issuer_name) &&
            signer_is_good(s, c)) {
            return c;
        }
    }
    return NULL;
}

// Every certificate below the anchor needs lists, once any are configured.
static bool check_revocation(struct search *s, size_t i)
{
    char label[96];
    char why[CERTIFICATE_WHY];
    if (s->snapshot->lists == NULL) {
        return true;
    }
    struct revocation_question q = {
        .subject = s->path[i], .issuer = issuer_of(s, i), .now = s->now, .signer = next_signer, .arg = s};
    enum reason reason = revocation_check(s->snapshot->lists, &q, why);
    bool only_missing = reason == REASON_crl_missing || reason == REASON_crl_stale;
    if (reason == REASON_ok || (only_missing && s->snapshot->revocation == TRUST_REVOCATION_PREFER)) {
        return true;
    }
    return FAIL(s, reason, i, "%s: %s", certificate_label(s->path[i], label), why);
}

// --- the leaf ---

static bool check_purpose(struct search *s, const struct certificate *leaf)
{
    static const char *const words[] = {[TRUST_CLIENT] = "clientAuth", [TRUST_SERVER] = "serverAuth", [TRUST_ANY] = ""};
    char label[96];
    unsigned unsafe = s->snapshot->unsafe;
    if (s->purpose == TRUST_ANY || (!leaf->has_ext_key_usage && (unsafe & TRUST_UNSAFE_NO_EXT_KEY_USAGE) != 0)) {
        return true;
    }
    if (!leaf->has_ext_key_usage) {
        return FAIL(s, REASON_ext_key_usage, 0, "%s has no extendedKeyUsage", certificate_label(leaf, label));
    }
    if (!purpose_allowed(leaf->ext_key_usage, s->purpose, (unsafe & TRUST_UNSAFE_ANY_EXT_KEY_USAGE) != 0)) {
        return FAIL(s, REASON_ext_key_usage, 0, "the extendedKeyUsage of %s lacks %s", certificate_label(leaf, label),
                    words[s->purpose]);
    }
    return true;
}

static bool check_leaf(struct search *s)
{
    const struct certificate *leaf = s->path[0];
    char label[96];
    if (s->target == TARGET_LIST_SIGNER) { // section 4.2.1.3: whoever signs lists says so
        return leaf->has_key_usage ||
               FAIL(s, REASON_key_usage, 0, "%s signed a list and has no keyUsage", certificate_label(leaf, label));
    }
    if (leaf->is_ca && (s->snapshot->unsafe & TRUST_UNSAFE_CA_LEAF) == 0) {
        return FAIL(s, REASON_leaf_is_ca, 0, "%s is a CA's", certificate_label(leaf, label));
    }
    if (leaf->has_key_usage && (leaf->key_usage & KU_KEY_CERT_SIGN) != 0 && !leaf->is_ca) { // section 4.2.1.3
        return FAIL(s, REASON_key_usage, 0, "%s has keyCertSign and is no CA's", certificate_label(leaf, label));
    }
    if (leaf->has_key_usage && (leaf->key_usage & KU_DIGITAL_SIGNATURE) == 0 &&
        (s->snapshot->unsafe & TRUST_UNSAFE_NO_DIGITAL_SIGNATURE) == 0) {
        return FAIL(s, REASON_key_usage, 0, "the keyUsage of %s lacks digitalSignature",
                    certificate_label(leaf, label));
    }
    if (!check_purpose(s, leaf)) {
        return false;
    }
    if (s->name != NULL && !certificate_is_named(leaf, s->name)) {
        struct buf name = {0};
        bool none = leaf->names.data == NULL;
        search_fail(s, RANK_PATH, REASON_name_mismatch, 0, "%s has no subjectAltName for %s%s",
                    certificate_label(leaf, label), text_escape(&name, s->name, strlen(s->name), 100),
                    none ? " (nor any other; the common name does not count)" : "");
        buf_clear(&name);
        return false;
    }
    return true;
}

static bool check_depth(struct search *s)
{
    size_t authorities = authorities_below(s, s->count);
    return s->snapshot->depth_most < 0 || authorities <= (size_t)s->snapshot->depth_most ||
           FAIL(s, REASON_path_too_long, s->count - 1, "there are %zu CAs between anchor and leaf; %d are allowed",
                authorities, s->snapshot->depth_most);
}

bool path_validate(struct search *s)
{
    for (size_t i = 0; i <= s->count; i++) { // the leaf first: of several that ended, people want to hear of theirs
        if (!check_itself(s, i)) {
            return false;
        }
    }
    for (size_t i = s->count; i > 0; i--) { // the anchor's own constraints count
        if (!check_issuer(s, i)) {
            return false;
        }
    }
    for (size_t i = 0; i <= s->count; i++) {
        if (!check_key_ids(s, i)) {
            return false;
        }
    }
    if (!check_depth(s)) {
        return false;
    }
    for (size_t i = s->count; i-- > 0;) {
        if (!check_names(s, i)) {
            return false;
        }
    }
    if (!check_policies(s)) {
        return false;
    }
    for (size_t i = 0; i < s->count; i++) {
        if (!check_revocation(s, i)) {
            return false;
        }
    }
    return check_leaf(s);
}
