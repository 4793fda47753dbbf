// SPDX-License-Identifier: Apache-2.0
// Handshakes of TLS 1.2 that leave a step out, do it badly, or do too much of it.
#include "base/clock.h"
#include "base/der.h"
#include "probe/craft.h"
#include "probe/internal.h"

#include <string.h>

// True: the target asked for a certificate.
static bool try_plan(struct prober *p, const struct craft_plan *plan, struct outcome *outcome)
{
    struct craft c;
    uint64_t start = clock_monotonic_us();
    prober_wait(p);
    if (craft_open(&c, &p->target, outcome) && craft_handshake(&c, plan)) {
        craft_ask(&c);
    }
    outcome->took_us = clock_monotonic_us() - start;
    bool requested = c.requested;
    craft_close(&c);
    return requested;
}

static void skip(struct outcome *outcome, const char *why)
{
    *outcome = (struct outcome){.alert = TLS_ALERT_NONE};
    outcome_set(outcome, PROBE_NOT_RUN, "%s", why);
}

// Is a good handshake by hand let in? Else nothing that is wrong with one says anything.
static bool works(struct prober *p, unsigned version, struct outcome *outcome)
{
    const struct craft_plan good = {.identity = identities_good(p->identities)};
    bool requested = try_plan(p, &good, outcome);
    if (control_judge(outcome) == prober_control(p, version)) {
        if (!requested) {
            skip(outcome, "the target asks for no certificate: see no_certificate");
        }
        return requested;
    }
    outcome_enclose(outcome, "made by hand, the good one gets: ", "");
    outcome->seen = PROBE_NOT_RUN;
    outcome->doubtful = false;
    return false;
}

void case_certificate_omitted(struct prober *p, unsigned version, struct outcome *outcome)
{
    const struct craft_plan plan = {.identity = identities_good(p->identities), .omit_certificate = true};
    if (works(p, version, outcome)) {
        (void)try_plan(p, &plan, outcome);
    }
}

void case_certificate_verify_omitted(struct prober *p, unsigned version, struct outcome *outcome)
{
    const struct craft_plan plan = {.identity = identities_good(p->identities), .omit_verify = true};
    if (works(p, version, outcome)) {
        (void)try_plan(p, &plan, outcome);
    }
}

void case_signed_with_sha1(struct prober *p, unsigned version, struct outcome *outcome)
{
    const struct craft_plan plan = {.identity = identities_good(p->identities), .sha1 = true};
    if (works(p, version, outcome)) {
        (void)try_plan(p, &plan, outcome);
    }
}

// RFC 5246 section 7.2.2 lets a server answer with no_renegotiation or not at all; both are as good as a refusal.
void case_renegotiated_without(struct prober *p, unsigned version, struct outcome *outcome)
{
    const struct craft_plan good = {.identity = identities_good(p->identities)};
    const struct craft_plan nobody = {.identity = NULL};
    struct craft c;
    const char *why = NULL;
    uint64_t start = clock_monotonic_us();
    if (!works(p, version, outcome)) {
        return;
    }
    (void)try_plan(p, &nobody, outcome);
    if (outcome_judge(outcome, prober_control(p, version), &why) == PROBE_FINDING) {
        skip(outcome, "nobody is let in from the start: see no_certificate");
        return;
    }
    prober_wait(p);
    if (craft_open(&c, &p->target, outcome) && craft_handshake(&c, &good)) {
        c.deadline = clock_monotonic_us() + (uint64_t)p->target.timeout_ms * 1000;
        bool renegotiated = craft_handshake(&c, &nobody);
        if (renegotiated && !c.requested) {
            skip(outcome, "the target renegotiates, but asks for no certificate again");
        } else if (renegotiated) {
            craft_ask(&c);
        } else if (!c.hello && (outcome->seen == PROBE_SILENT || outcome->seen == PROBE_DOWN)) {
            outcome_set(outcome, PROBE_REFUSED_LATE, "the target does not renegotiate");
        }
    }
    outcome->took_us = clock_monotonic_us() - start;
    craft_close(&c);
}

// --- too large ---

// Whatever came of it, the good one must be served afterwards.
static void check_health(struct prober *p, unsigned version, struct outcome *outcome)
{
    struct outcome after;
    const char *why = NULL;
    prober_dial(p, identities_good(p->identities), version, &after);
    if (control_judge(&after) != prober_control(p, version)) {
        outcome_enclose(&after, "; and then the good one got: ", "");
        outcome_enclose(outcome, "", after.detail);
        outcome->harmed = true;
    } else if (outcome_judge(outcome, prober_control(p, version), &why) == PROBE_FINDING) {
        skip(outcome, "the target bears it, and lets in whom it cannot know: see self_signed");
    }
}

void case_many_certificates(struct prober *p, unsigned version, struct outcome *outcome)
{
    enum { MANY = 100 };
    struct buf list = {0};
    const char *why = NULL;
    const struct identity *wrong = identities_flaw(p->identities, FLAW_self_signed, false, &why);
    const struct craft_plan plan = {.identity = wrong, .certificate_list = &list};
    if (wrong == NULL) {
        skip(outcome, why);
        return;
    }
    for (int i = 0; i < MANY; i++) {
        craft_u24(&list, wrong->chain[0].len);
        buf_add(&list, wrong->chain[0].data, wrong->chain[0].len);
    }
    (void)try_plan(p, &plan, outcome);
    check_health(p, version, outcome);
    buf_clear(&list);
}

// The good leaf with a subject of 64 KiB; the signature does not fit any more.
static bool enlarge(struct span leaf, struct buf *to)
{
    enum { LARGE = 64 * 1024, VALUE = 1024 };
    static const uint8_t common_name[] = {0x06, 0x03, 0x55, 0x04, 0x03};
    struct certificate_parts parts;
    struct err e = ERR_INIT;
    struct buf names = {0};
    struct buf tbs = {0};
    struct buf all = {0};
    char value[VALUE];
    memset(value, 'x', sizeof value);
    if (certificate_split(leaf, &parts, &e) != 0) {
        return false;
    }
    while (names.len < LARGE) {
        struct buf attribute = {0};
        struct buf set = {0};
        buf_add(&attribute, common_name, sizeof common_name);
        der_wrap(&attribute, 0x0c, span_of(value, sizeof value));
        der_wrap(&set, 0x30, buf_span(&attribute));
        der_wrap(&names, 0x31, buf_span(&set));
        buf_clear(&attribute);
        buf_clear(&set);
    }
    const struct span before[] = {parts.version, parts.serial, parts.algorithm, parts.issuer, parts.validity};
    for (size_t i = 0; i < sizeof before / sizeof before[0]; i++) {
        buf_add(&tbs, before[i].data, before[i].len);
    }
    der_wrap(&tbs, 0x30, buf_span(&names));
    buf_add(&tbs, parts.key.data, parts.key.len);
    buf_add(&tbs, parts.extensions.data, parts.extensions.len);
    der_wrap(&all, 0x30, buf_span(&tbs));
    buf_add(&all, parts.outer_algorithm.data, parts.outer_algorithm.len);
    buf_add(&all, parts.signature.data, parts.signature.len);
    der_wrap(to, 0x30, buf_span(&all));
    buf_clear(&names);
    buf_clear(&tbs);
    buf_clear(&all);
    return true;
}

void case_large_name(struct prober *p, unsigned version, struct outcome *outcome)
{
    struct buf leaf = {0};
    struct buf list = {0};
    const struct identity *good = identities_good(p->identities);
    const struct craft_plan plan = {.identity = good, .certificate_list = &list};
    if (!enlarge(buf_span(&good->chain[0]), &leaf)) {
        skip(outcome, "the good certificate cannot be taken apart");
        return;
    }
    craft_u24(&list, leaf.len);
    buf_add(&list, leaf.data, leaf.len);
    (void)try_plan(p, &plan, outcome);
    check_health(p, version, outcome);
    buf_clear(&leaf);
    buf_clear(&list);
}
