// SPDX-License-Identifier: Apache-2.0
// Sessions and connections that outlive what they were granted for.
#include "base/clock.h"
#include "probe/internal.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static void skip(struct outcome *outcome, const char *why)
{
    *outcome = (struct outcome){.alert = TLS_ALERT_NONE};
    outcome_set(outcome, PROBE_NOT_RUN, "%s", why);
}

static void doubt(struct outcome *outcome, const char *why)
{
    skip(outcome, why);
    outcome->doubtful = true;
}

static bool is_let_in(struct prober *p, unsigned version, const struct outcome *outcome)
{
    const char *why = NULL;
    return outcome_judge(outcome, prober_control(p, version), &why) == PROBE_FINDING;
}

// Offers a session. Where the target takes up another one instead, and serves that, the hole is not in resumption.
static void resume(struct prober *p, const struct dial_target *target, const struct raw_call *call, const char *see,
                   struct outcome *outcome)
{
    struct raw_answer answer;
    prober_wait(p);
    raw_ask(target, call, &answer);
    raw_session_clear(&answer.session);
    *outcome = answer.outcome;
    outcome_enclose(outcome, answer.resumed ? "resumed: " : "not resumed: ", "");
    if (!answer.resumed && is_let_in(p, call->version, outcome)) {
        skip(outcome, see);
    }
    outcome->resumed = answer.resumed;
    outcome->hello = outcome->hello || outcome->alert >= 0; // a session can be refused before any certificate
}

// --- revoked while the target knew its holder ---

static struct revocation *revoked(struct prober *p, unsigned version, struct outcome *outcome)
{
    struct revocation *r = revocation_of(p, version);
    if (r->why[0] != '\0') {
        skip(outcome, r->why);
        return NULL;
    }
    if (r->doubt[0] != '\0') {
        doubt(outcome, r->doubt);
        return NULL;
    }
    return r;
}

void case_revoked_since(struct prober *p, unsigned version, struct outcome *outcome)
{
    struct revocation *r = revoked(p, version, outcome);
    if (r != NULL) {
        *outcome = r->after;
    }
}

// Where even a new connection is served, the target has not learned of it, which is a finding of its own.
static bool has_learned(struct prober *p, const struct revocation *r, unsigned version, struct outcome *outcome)
{
    const char *why = NULL;
    switch (outcome_judge(&r->after, prober_control(p, version), &why)) {
    case PROBE_GOOD: return true;
    case PROBE_FINDING: skip(outcome, "the target has not learned that it is revoked: see revoked_since"); return false;
    default: doubt(outcome, "it is not clear whether the target has learned that it is revoked"); return false;
    }
}

void case_live_revoked(struct prober *p, unsigned version, struct outcome *outcome)
{
    struct revocation *r = revoked(p, version, outcome);
    if (r == NULL || !has_learned(p, r, version, outcome)) {
        return;
    }
    if (r->no_live[0] != '\0') {
        skip(outcome, r->no_live);
    } else {
        *outcome = r->live_outcome;
    }
}

void case_resumed_revoked(struct prober *p, unsigned version, struct outcome *outcome)
{
    struct revocation *r = revoked(p, version, outcome);
    if (r == NULL || !has_learned(p, r, version, outcome)) {
        return;
    }
    if (r->no_session[0] != '\0') {
        skip(outcome, r->no_session);
        return;
    }
    const struct raw_call call = {
        .identity = &r->identity, .name = p->target.name, .version = version, .offered = &r->session};
    resume(p, &p->target, &call, "not resumed, but served: see revoked_since", outcome);
}

// --- expired since ---

static struct expiry *expiry_of(struct prober *p, unsigned version)
{
    return &p->expiries[version == VERSION_1_2 ? 0 : 1];
}

// Until that second has begun by the target's clock too, if that is this machine's: time() lags a tick behind.
static void wait_until(int64_t when)
{
    const struct timespec until = {.tv_sec = (time_t)when, .tv_nsec = 50000000};
    while (clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &until, NULL) == EINTR) {
    }
}

void expiry_prepare(struct prober *p, unsigned version)
{
    enum { LIFE_FIRST = 1, LIFE_MOST = 8, BEFORE = 60 };
    struct expiry *x = expiry_of(p, version);
    struct err e = ERR_INIT;
    bool made = false;
    // As short as this machine and the target are fast.
    for (int64_t life = LIFE_FIRST; !made && life <= LIFE_MOST; life *= 2) {
        identity_clear(&x->identity);
        raw_session_clear(&x->session);
        x->until = clock_now() + life;
        if (identities_mint(p->identities, x->until - life - BEFORE, x->until, &x->identity, &e) != 0) {
            outcome_set(&x->before, PROBE_NOT_RUN, "%s", e.text);
            break;
        }
        made = session_make(p, &x->identity, version, &x->session, x->why, sizeof x->why, &x->before) &&
               (x->session.session != NULL || clock_now() < x->until);
    }
    x->before.doubtful = !made;
}

void expiry_clear(struct expiry *x)
{
    raw_session_clear(&x->session);
    identity_clear(&x->identity);
}

void case_resumed_expired(struct prober *p, unsigned version, struct outcome *outcome)
{
    struct expiry *x = expiry_of(p, version);
    if (!identities_can_mint(p->identities)) {
        skip(outcome, "it takes the key of the CA that the target trusts: --ca-cert, --ca-key");
    } else if (x->before.doubtful) {
        *outcome = x->before;
    } else if (x->session.session == NULL) {
        skip(outcome, x->why);
    } else {
        const struct raw_call call = {
            .identity = &x->identity, .name = p->target.name, .version = version, .offered = &x->session};
        wait_until(x->until + 1);
        resume(p, &p->target, &call, "not resumed, but served: see expired", outcome);
        if (outcome->resumed && is_let_in(p, version, outcome)) {
            struct outcome fresh;
            prober_dial(p, &x->identity, version, &fresh);
            if (is_let_in(p, version, &fresh)) {
                skip(outcome, "resumed, but whoever is expired is let in anyway: see expired");
            }
        }
    }
}

// --- under another name, or another's ---

// A session of `from` (made as `identity`) is offered for `to` by nobody. Only a resumed one that is served counts.
static void carry(struct prober *p, const struct identity *identity, const char *from, const char *to, unsigned version,
                  struct outcome *outcome)
{
    struct raw_answer first;
    struct dial_target target = p->target;
    struct raw_call call = {.identity = identity, .name = from, .version = version};
    target.name = from;
    prober_wait(p);
    raw_ask(&target, &call, &first);
    if (first.session.session == NULL) {
        *outcome = first.outcome;
        outcome->session_refused = true;
        return;
    }
    if (identity == NULL && strcmp(from, to) == 0 && is_let_in(p, version, &first.outcome)) {
        raw_session_clear(&first.session);
        skip(outcome, "nobody is let in from the start: see no_certificate");
        return;
    }
    if (strcmp(from, to) != 0 && version == VERSION_1_3 && !raw_session_rename(&first.session, from, to)) {
        raw_session_clear(&first.session);
        doubt(outcome, "this program cannot carry a session to another name");
        return;
    }
    call = (struct raw_call){.name = to, .version = version, .offered = &first.session};
    target.name = to;
    resume(p, &target, &call, "not resumed, and served to nobody at all: see no_certificate", outcome);
    raw_session_clear(&first.session);
}

void case_resumed_other_name(struct prober *p, unsigned version, struct outcome *outcome)
{
    if (p->options->sni_other == NULL) {
        skip(outcome, "it takes another server name of the target: --sni-other");
        return;
    }
    struct raw_answer nobody;
    struct dial_target other = p->target;
    const struct raw_call call = {.name = p->options->sni_other, .version = version};
    other.name = p->options->sni_other;
    prober_wait(p);
    raw_ask(&other, &call, &nobody);
    raw_session_clear(&nobody.session);
    if (is_let_in(p, version, &nobody.outcome)) {
        skip(outcome, "the other name asks nobody who they are: see resumed_nobody");
        return;
    }
    carry(p, identities_good(p->identities), p->options->sni_other, p->target.name, version, outcome);
    if (outcome->session_refused) {
        skip(outcome, "the target gives no sessions under the other name");
    }
}

// Where nobody gets in, nobody's session must not either; a server may give one before it knows that.
void case_resumed_nobody(struct prober *p, unsigned version, struct outcome *outcome)
{
    const char *names[] = {p->target.name, p->options->sni_other};
    for (size_t i = 0; i < 2 && names[i] != NULL; i++) {
        carry(p, NULL, names[i], p->target.name, version, outcome);
        if (outcome->session_refused && is_let_in(p, version, outcome)) {
            skip(outcome, "nobody gets a session, and nobody is asked who they are: see no_certificate");
        } else if (outcome->session_refused) {
            outcome_enclose(outcome, "no session for nobody: ", "");
        } else if (outcome->resumed) {
            return;
        }
    }
}
