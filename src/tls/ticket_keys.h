// SPDX-License-Identifier: Apache-2.0
// The keys that seal tickets: which one seals at a moment, which ones still open, and the file that replicas share.
// Whoever has such a key can be anybody, so the file is as secret as a CA's key.
//
// A file has a key a line: "mtls-ticket-key 1 NAME KEY FROM", NAME and KEY in hexadecimal, FROM (RFC 3339) the moment
// from which it seals. The newest that may seal does; a key that is older opens for as long as a ticket can live, and
// one that is to seal later opens already, so that a fleet can be given a key before any of its replicas uses it.
// A key must not seal more than 2^32 tickets, whose nonces are random (NIST SP 800-38D section 8.3): 30 days of 1,600
// a second.
#ifndef MTLS_TLS_TICKET_KEYS_H
#define MTLS_TLS_TICKET_KEYS_H

#include "base/mem.h"
#include "base/random.h"

#include <stdbool.h>

enum { TICKET_KEY_NAME = 16, TICKET_KEY = 32, TICKET_KEYS_MOST = 32 };
enum { TICKET_LIFETIME_MOST = 604800 }; // seconds: seven days, RFC 8446 section 4.6.1

struct ticket_key {
    uint8_t name[TICKET_KEY_NAME];
    uint8_t key[TICKET_KEY];
    int64_t from; // seals from then on
};

// By `from`, the oldest first. Holds secrets: clear it.
struct ticket_ring {
    struct ticket_key keys[TICKET_KEYS_MOST];
    size_t count;
};

// -1: it is full, or has a key of that name.
int ticket_ring_add(struct ticket_ring *ring, const struct ticket_key *key, struct err *e);
// A new random key.
int ticket_ring_make(struct ticket_ring *ring, int64_t from, struct rng *rng, struct err *e);
// Drops the keys that cannot have sealed anything that is younger than `lifetime` at `now`.
void ticket_ring_drop(struct ticket_ring *ring, int64_t lifetime, int64_t now);
void ticket_ring_clear(struct ticket_ring *ring); // zeroises

// Borrowed, or NULL.
const struct ticket_key *ticket_ring_sealing(const struct ticket_ring *ring, int64_t now);
const struct ticket_key *ticket_ring_opening(const struct ticket_ring *ring, const uint8_t name[TICKET_KEY_NAME],
                                             int64_t lifetime, int64_t now);

// Reads a file into an empty ring; at least one key must be in it, and nobody else may read it.
int ticket_ring_read(struct ticket_ring *ring, const char *file, struct err *e);
int ticket_ring_write(const struct ticket_ring *ring, const char *file, struct err *e);

#endif
