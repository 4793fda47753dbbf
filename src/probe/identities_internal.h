// SPDX-License-Identifier: Apache-2.0
// What the files identities*.c share.
#ifndef MTLS_PROBE_IDENTITIES_INTERNAL_H
#define MTLS_PROBE_IDENTITIES_INTERNAL_H

#include "probe/identity.h"

#include <pthread.h>

enum slot_state { SLOT_PENDING, SLOT_READY, SLOT_ABSENT };

struct slot {
    enum slot_state state;
    struct identity identity;
    char *why; // it is absent
};

struct identities {
    const struct probe_source *source;
    const char *keep; // or NULL
    struct trust_snapshot *snapshot;
    struct identity good;
    bool quit;    // under the lock: no more is made
    bool mints;   // under the CA that the target trusts
    bool minting; // the thread is there
    pthread_t thread;
    struct buf ca_ders[IDENTITY_CHAIN]; // of that CA, and above it
    size_t ca_count;
    mbedtls_pk_context ca_key;
    struct buf ca_subject;
    struct flaw_ca ca;
    struct flaw_keys keys;
    struct flaw_setting setting;
    pthread_mutex_t lock; // of the slots
    pthread_cond_t changed;
    struct slot slots[FLAW_COUNT][2]; // the wrong one, and its control
};

// identities_make.c: a wrong one, or its control, from whatever source there is. 1: it cannot be made from that; *why
// says why then, and after an error.
int identities_make(const struct identities *ids, enum flaw flaw, bool control, struct identity *identity, char **why);
// The same of a CA and its control alone, which need no other source.
int identities_mint_flaw(const struct identities *ids, enum flaw flaw, bool control, struct identity *identity,
                         struct err *e);
// identities_open.c: reads the source.
int identities_open(struct identities *ids, struct err *e);

#endif
