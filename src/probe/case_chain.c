// SPDX-License-Identifier: Apache-2.0
// Certificates that do not belong together.
#include "probe/internal.h"

// The issuers of the good one behind a leaf that they did not issue. Whoever looks for a path in what was sent alone,
// and not for one of the leaf, lets it in.
void case_foreign_chain(struct prober *p, unsigned version, struct outcome *outcome)
{
    const char *why = NULL;
    const struct identity *leaf = identities_flaw(p->identities, FLAW_self_signed, false, &why);
    const struct identity *good = identities_good(p->identities);
    struct identity mixed = {.count = 0};
    *outcome = (struct outcome){.alert = TLS_ALERT_NONE};
    if (leaf == NULL) {
        outcome_set(outcome, PROBE_NOT_RUN, "%s", why);
        return;
    }
    identity_copy(&mixed, leaf);
    for (size_t i = mixed.count; i > 1; i--) {
        buf_clear(&mixed.chain[i - 1]);
    }
    mixed.count = 1;
    for (size_t i = good->count > 1 ? 1 : 0; i < good->count && mixed.count < IDENTITY_CHAIN; i++) {
        buf_add(&mixed.chain[mixed.count++], good->chain[i].data, good->chain[i].len);
    }
    prober_dial(p, &mixed, version, outcome);
    identity_clear(&mixed);
}
