// SPDX-License-Identifier: Apache-2.0
// One entry of the plan: from when to when it is valid, when it is renewed, whether it is revoked.
#include "base/clock.h"
#include "ca/plan_draft.h"

#include <inttypes.h>

enum { DAYS = 397, CA_DAYS = 3650, DAYS_LIMIT = 3000000, RENEW_DAYS = 30 };

// What X.509 can say: UTCTime from 1950 on, GeneralizedTime up to the last second of 9999 (RFC 5280 section 4.1.2.5).
#define FIRST_TIME INT64_C(-631152000)
#define LAST_TIME INT64_C(253402300799)

// A time in the field at d->where; `text` is NULL: `otherwise`. False: there is a problem.
static bool read_time(struct draft *d, const char *text, int64_t otherwise, int64_t first, int64_t *when)
{
    struct err e = ERR_INIT;
    char words[2][CLOCK_TEXT];
    *when = otherwise;
    if (text != NULL && clock_parse(text, d->now, when, &e) != 0) {
        draft_problem(d, &e);
        return false;
    }
    if (*when < first || *when > LAST_TIME) {
        yaml_problem(d->doc, d->where, "the time is out of range (%s to %s)", clock_rfc3339(first, words[0]),
                     clock_rfc3339(LAST_TIME, words[1]));
        return false;
    }
    return true;
}

void draft_read_revoked(struct draft *d)
{
    static const struct raw_revoked nothing = {0};
    const struct raw_revoked *in = d->in->revoked == NULL ? &nothing : d->in->revoked;
    d->out.invalidity_date = CRL_NO_INVALIDITY_DATE;
    d->fixed = true;
    if (!yaml_has(d->doc, draft_at(d, "revoked"))) {
        return;
    }
    d->out.revoked = true;
    if (d->out.issuer == NULL && d->out.role == ROLE_AUTHORITY) {
        yaml_problem(d->doc, d->where,
                     "a self-signed authority cannot be revoked, as no list can say so; remove it from the plan");
    }
    struct err e = ERR_INIT;
    draft_at(d, "revoked.reason");
    if (in->reason != NULL && revocation_reason_parse(in->reason, &d->out.revocation_reason, &e) != 0) {
        draft_problem(d, &e);
    }
    draft_at(d, "revoked.when");
    read_time(d, in->when, d->now, 1, &d->out.revoked_at); // later than 1970: 0 is "not revoked" in the database
    d->fixed = in->when != NULL && !clock_is_relative(in->when);
    draft_at(d, "revoked.invalidity_date");
    if (in->invalidity_date != NULL) {
        read_time(d, in->invalidity_date, 0, 0, &d->out.invalidity_date);
        d->fixed = d->fixed && !clock_is_relative(in->invalidity_date);
    }
}

static bool read_begin(struct draft *d)
{
    const char *text = d->in->not_before;
    draft_at(d, "not_before");
    d->begins_relative = text == NULL || clock_is_relative(text);
    return read_time(d, text, d->now, FIRST_TIME, &d->out.content.not_before);
}

// `days` ends in the last second that belongs to it: validity is inclusive (RFC 5280 section 4.1.2.5).
static bool read_end(struct draft *d)
{
    const struct raw_defaults *defaults = &d->raw->defaults;
    const char *text = d->in->not_after;
    bool authority = d->out.role == ROLE_AUTHORITY;
    int64_t after_days = 0;
    if (text != NULL && d->in->days != NULL) {
        yaml_problem(d->doc, draft_at(d, "days"), "give days or not_after, not both");
        return false;
    }
    if (text == NULL) {
        int days = draft_inherit_number(d, "days", d->in->days, authority ? "ca_days" : "days",
                                        authority ? defaults->ca_days : defaults->days, authority ? CA_DAYS : DAYS,
                                        DAYS_LIMIT);
        after_days = d->out.content.not_before + days * (int64_t)CLOCK_DAY - 1;
    } else {
        draft_at(d, "not_after");
    }
    d->ends_relative = text == NULL ? d->begins_relative : clock_is_relative(text);
    return read_time(d, text, after_days, FIRST_TIME, &d->out.content.not_after);
}

// Nothing outlives its issuer: relative ends are cut, absolute ones must fit.
static bool fit_issuer(struct draft *d, const struct draft *issuer)
{
    struct certificate_content *c = &d->out.content;
    const struct certificate_content *above = &issuer->out.content;
    char words[2][CLOCK_TEXT];
    if (!d->begins_relative && !issuer->begins_relative && c->not_before < above->not_before) {
        yaml_problem(d->doc, draft_at(d, "not_before"), "%s is before its issuer \"%s\" begins (%s)",
                     clock_rfc3339(c->not_before, words[0]), issuer->out.name,
                     clock_rfc3339(above->not_before, words[1]));
        return false;
    }
    if (c->not_after <= above->not_after) {
        return true;
    }
    if (!d->ends_relative) {
        yaml_problem(d->doc, draft_at(d, d->in->not_after != NULL ? "not_after" : "days"),
                     "%s is after its issuer \"%s\" ends (%s)", clock_rfc3339(c->not_after, words[0]), issuer->out.name,
                     clock_rfc3339(above->not_after, words[1]));
        return false;
    }
    if (above->not_after < c->not_before) {
        yaml_problem(d->doc, draft_at(d, "issuer"), "\"%s\" ends (%s) before this begins (%s)", issuer->out.name,
                     clock_rfc3339(above->not_after, words[0]), clock_rfc3339(c->not_before, words[1]));
        return false;
    }
    c->not_after = above->not_after;
    return true;
}

// A default never takes more than a third of the life; the entry's own word stands, if it leaves any life at all.
static void read_renewal(struct draft *d)
{
    struct err e = ERR_INIT;
    int64_t life = d->out.content.not_after - d->out.content.not_before + 1;
    int64_t before = RENEW_DAYS * CLOCK_DAY;
    const char *text = draft_inherit(d, "renew_before", d->in->renew_before, d->raw->defaults.renew_before);
    if (text != NULL && clock_parse_duration(text, &before, &e) != 0) {
        draft_problem(d, &e);
        return;
    }
    if (d->in->renew_before != NULL && before >= life) {
        yaml_problem(d->doc, d->where, "it would always be renewed: it lives only %" PRId64 " seconds", life);
        return;
    }
    d->out.renew_before = d->in->renew_before != NULL || before <= life / 3 ? before : life / 3;
}

void draft_read_dates(struct draft *d, const struct draft *issuer)
{
    struct certificate_content *c = &d->out.content;
    char words[2][CLOCK_TEXT];
    bool good = read_begin(d);
    if (!good || !read_end(d)) {
        return;
    }
    d->wanted_end = c->not_after;
    d->out.relative_dates = d->ends_relative;
    d->fixed = d->fixed && !d->begins_relative && !d->ends_relative;
    if (c->not_after < c->not_before) {
        yaml_problem(d->doc, draft_at(d, "not_after"), "%s is before not_before (%s)",
                     clock_rfc3339(c->not_after, words[0]), clock_rfc3339(c->not_before, words[1]));
        return;
    }
    if (issuer != NULL && (!issuer->dated || !fit_issuer(d, issuer))) {
        return;
    }
    d->dated = true;
    read_renewal(d);
}
