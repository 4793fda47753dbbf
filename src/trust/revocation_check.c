// SPDX-License-Identifier: Apache-2.0
// Is a certificate revoked? RFC 5280 section 6.3.3, over all lists that may know.
#include "base/clock.h"
#include "base/text.h"
#include "trust/crl_internal.h"

#include <stdarg.h>
#include <stdio.h>

enum { CANDIDATES_MOST = 16 }; // signers that are tried for one list

struct inquiry {
    const struct crl_store *store;
    const struct revocation_question *q;
    struct crl_points points;
    unsigned covered;    // the reasons_mask: for these, good lists do not name the certificate
    size_t seen;         // lists that were looked at, whether they are for this certificate or not
    bool was_revoked;    // by a list that should have been replaced: it counts unless current ones say otherwise
    enum reason finding; // the most telling thing that is wrong; REASON_ok if nothing is
    char *why;
};

// The lists of one issuer
struct family {
    struct crl *const *lists;
    size_t count;
};

static int telling(enum reason finding)
{
    switch (finding) {
    case REASON_cert_revoked: return 3;
    case REASON_crl_signature: return 2;
    case REASON_crl_stale: return 1;
    default: return 0;
    }
}

// Keeps the first of the most telling findings.
static void note(struct inquiry *i, enum reason finding, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
static void note(struct inquiry *i, enum reason finding, const char *fmt, ...)
{
    va_list ap;
    if (i->finding != REASON_ok && telling(finding) <= telling(i->finding)) {
        return;
    }
    i->finding = finding;
    va_start(ap, fmt);
    text_vformat(i->why, CERTIFICATE_WHY, fmt, ap);
    va_end(ap);
}

// (b) (1) and (2) (i): is the list one of those that this distribution point means?
static bool point_means(const struct inquiry *i, const struct crl_point *point, const struct crl *list)
{
    if (point->issuers.len > 0) {
        if (!list->scope.indirect ||
            !crl_names_hold(buf_span(&point->issuers), CRL_TAG_DIRECTORY, buf_span(&list->issuer))) {
            return false;
        }
    } else if (!spans_equal(buf_span(&list->issuer), buf_span(&i->q->subject->issuer_key))) {
        return false;
    }
    const struct buf *names = point->names.len > 0 ? &point->names : &point->issuers;
    return list->scope.names.len == 0 || crl_names_meet(buf_span(&list->scope.names), buf_span(names));
}

// (b) (2) and (d), over all distribution points: the reasons for which the list is the one to ask; 0 if it is not.
static unsigned list_covers(const struct inquiry *i, const struct crl *list)
{
    bool is_ca = i->q->subject->is_ca;
    unsigned reasons = 0;
    if (list->scope.only_attribute || (list->scope.only_user && is_ca) || (list->scope.only_ca && !is_ca)) {
        return 0;
    }
    for (size_t k = 0; k < i->points.count; k++) {
        if (point_means(i, &i->points.items[k], list)) {
            reasons |= i->points.items[k].reasons & list->scope.reasons;
        }
    }
    return reasons;
}

// (f) and (g): who signed it, among those who may. The certificate's own issuer comes first, unless the list says that
// another key made it; but what it says is a hint, and the signature the proof.
static const struct certificate *find_signer(const struct inquiry *i, struct crl *list)
{
    const struct certificate *issuer = i->q->issuer;
    const struct certificate *candidate = NULL;
    size_t state = 0;
    bool same_name = spans_equal(buf_span(&list->issuer), buf_span(&issuer->subject_key));
    bool other_key =
        list->key_id.len > 0 && issuer->subject_key_id.len > 0 && !spans_equal(list->key_id, issuer->subject_key_id);
    if (same_name && !other_key && crl_signed_by(list, issuer)) {
        return issuer;
    }
    for (size_t n = 0; i->q->signer != NULL && n < CANDIDATES_MOST; n++) {
        candidate = i->q->signer(i->q->arg, buf_span(&list->issuer), list->key_id, &state);
        if (candidate == NULL) {
            break;
        }
        if (spans_equal(buf_span(&candidate->subject_key), buf_span(&list->issuer)) && crl_signed_by(list, candidate)) {
            return candidate;
        }
    }
    return same_name && other_key && crl_signed_by(list, issuer) ? issuer : NULL;
}

// Is this a delta list that tells what happened after `list`? Same issuer (it is of its family), same scope, same key
// (section 5.2.4; 6.3.3 (c) and (h)).
static bool follows(struct crl *delta, const struct crl *list, const struct certificate *signer)
{
    return delta->delta && crl_number_compare(&delta->number, &list->number) > 0 &&
           crl_scope_same(&delta->scope, &list->scope) &&
           spans_equal(buf_span(&delta->authority), buf_span(&list->authority)) && crl_signed_by(delta, signer);
}

// The newest delta list that, together with the complete list `base`, is as good as a newer complete list; or NULL.
static const struct crl *find_delta(const struct inquiry *i, const struct family *f, const struct crl *base,
                                    const struct certificate *signer)
{
    const struct crl *newest = NULL;
    for (size_t k = 0; k < f->count; k++) {
        struct crl *delta = f->lists[k];
        if (follows(delta, base, signer) && base->has_number && crl_number_compare(&base->number, &delta->base) >= 0 &&
            crl_is_current(delta, i->q->now) &&
            (newest == NULL || crl_number_compare(&delta->number, &newest->number) > 0)) {
            newest = delta;
        }
    }
    return newest;
}

static int reason_listed(const struct inquiry *i, const struct crl *list)
{
    return crl_index_find(&list->index, i->q->subject->serial, buf_span(&i->q->subject->issuer_key));
}

// (i) to (k): the reason code by which the certificate is revoked, or CRL_NOT_LISTED.
static int reason_revoked(const struct inquiry *i, const struct family *f, const struct crl *base,
                          const struct crl *delta, const struct certificate *signer)
{
    int reason = reason_listed(i, base);
    int change = delta != NULL ? reason_listed(i, delta) : CRL_NOT_LISTED;
    if (change == CRL_REASON_REMOVED) {
        // Only a hold can be lifted (section 5.3.1); what else leaves a list has expired
        reason = reason == CRL_REASON_HOLD ? CRL_NOT_LISTED : reason;
    } else if (change != CRL_NOT_LISTED) {
        reason = change;
    }
    // A newer delta list that cannot be combined with this base (that is too old, or it is itself) still knows of some
    // revocations: those are believed.
    const struct crl *newest = delta != NULL ? delta : base;
    for (size_t k = 0; k < f->count; k++) {
        if (f->lists[k]->this_update <= i->q->now && follows(f->lists[k], newest, signer)) {
            change = reason_listed(i, f->lists[k]);
            reason = change != CRL_NOT_LISTED && change != CRL_REASON_REMOVED ? change : reason;
        }
    }
    return reason;
}

static const char *reason_name(int reason)
{
    static const char *const names[CRL_REASON_LAST + 1] = {
        "unspecified",   "keyCompromise",        "cACompromise",    "affiliationChanged",
        "superseded",    "cessationOfOperation", "certificateHold", "unused",
        "removeFromCRL", "privilegeWithdrawn",   "aACompromise"};
    return names[reason];
}

static void note_stale(struct inquiry *i, const struct crl *list)
{
    char when[CLOCK_TEXT];
    if (list->this_update > i->q->now) {
        note(i, REASON_crl_stale, "the list of %s begins only at %s", list->label,
             clock_rfc3339(list->this_update, when));
    } else if (list->has_next_update) {
        note(i, REASON_crl_stale, "the list of %s should have been replaced by %s", list->label,
             clock_rfc3339(list->next_update, when));
    } else {
        note(i, REASON_crl_stale, "the list of %s does not say when it ends", list->label);
    }
}

// Asks one complete list, which is the one to ask for these reasons.
static void ask_list(struct inquiry *i, const struct family *f, struct crl *list, unsigned reasons)
{
    if (list->this_update > i->q->now) {
        note_stale(i, list);
        return;
    }
    const struct certificate *signer = find_signer(i, list);
    const struct crl *delta = signer != NULL ? find_delta(i, f, list, signer) : NULL;
    if (delta == NULL && !crl_is_current(list, i->q->now)) {
        i->was_revoked = i->was_revoked || (signer != NULL && reason_listed(i, list) != CRL_NOT_LISTED);
        note_stale(i, list);
        return;
    }
    if (signer == NULL) {
        note(i, REASON_crl_signature, "the list of %s is not signed by a key that may sign it", list->label);
        return;
    }
    int reason = reason_revoked(i, f, list, delta, signer);
    if (reason != CRL_NOT_LISTED) {
        note(i, REASON_cert_revoked, "it is on the list of %s (%s)", list->label, reason_name(reason));
        return;
    }
    i->covered |= reasons; // (l)
}

static void ask_issuer(struct inquiry *i, struct span issuer)
{
    struct family f;
    f.count = crl_store_find(i->store, issuer, &f.lists);
    i->seen += f.count;
    // The loop goes on when all reasons are covered: one list that names the certificate outweighs the others.
    for (size_t k = 0; k < f.count && i->finding != REASON_cert_revoked; k++) {
        unsigned reasons = f.lists[k]->delta ? 0 : list_covers(i, f.lists[k]);
        if (reasons != 0) {
            ask_list(i, &f, f.lists[k], reasons);
        }
    }
}

// Asks the lists of the issuers that a distribution point names, unless they have been asked.
static void ask_point(struct inquiry *i, size_t which)
{
    struct err e = ERR_INIT;
    struct span names = buf_span(&i->points.items[which].issuers);
    struct der_item name;
    while (names.len > 0 && der_next(&names, &name, &e) == 0) {
        bool asked = name.tag != CRL_TAG_DIRECTORY || spans_equal(name.content, buf_span(&i->q->subject->issuer_key));
        for (size_t k = 0; k < which && !asked; k++) {
            asked = crl_names_hold(buf_span(&i->points.items[k].issuers), CRL_TAG_DIRECTORY, name.content);
        }
        if (!asked) {
            ask_issuer(i, name.content);
        }
    }
}

enum reason revocation_check(const struct crl_store *store, const struct revocation_question *q,
                             char why[CERTIFICATE_WHY])
{
    struct inquiry i = {.store = store, .q = q, .finding = REASON_ok, .why = why};
    struct err e = ERR_INIT;
    why[0] = '\0';
    if (crl_points_read(&i.points, q->subject, &e) != 0) {
        note(&i, REASON_malformed, "%.150s", e.text);
        goto out;
    }
    ask_issuer(&i, buf_span(&q->subject->issuer_key));
    for (size_t k = 0; k < i.points.count && i.finding != REASON_cert_revoked; k++) {
        ask_point(&i, k);
    }
    if (i.finding == REASON_cert_revoked) {
        goto out;
    }
    if (i.covered == CRL_REASONS_ALL) {
        i.finding = REASON_ok;
        why[0] = '\0';
    } else if (i.was_revoked) {
        note(&i, REASON_cert_revoked, "it was on a list that should have been replaced, and no other covers it");
    } else if (i.covered != 0) {
        note(&i, REASON_crl_missing, "the lists that are loaded do not cover every reason for revoking it");
    } else {
        note(&i, REASON_crl_missing, "%s",
             i.seen > 0 ? "none of the lists of its issuer is for it" : "no list of its issuer is loaded");
    }
out:
    crl_points_clear(&i.points);
    return i.finding;
}
