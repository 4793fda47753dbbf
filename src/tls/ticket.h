// SPDX-License-Identifier: Apache-2.0
// A session ticket, as octets that only a holder of the key can make or read (RFC 5077 section 4, RFC 8446 section
// 4.6.1): a version octet, the key's name, a random nonce; then, under AES-256-GCM with those as additional data, what
// struct ticket has.
#ifndef MTLS_TLS_TICKET_H
#define MTLS_TLS_TICKET_H

#include "tls/ticket_keys.h"
#include "trust/trust.h"

enum { TICKET_NONCE = 12, TICKET_TAG = 16, TICKET_HEADER = 1 + TICKET_KEY_NAME + TICKET_NONCE };
// A ClientHello must hold it in one record of 2^14 octets, beside all else that clients put there.
enum { TICKET_MOST = 12 * 1024 };

struct ticket {
    uint16_t version;         // of TLS
    int64_t authenticated;    // when the client last proved that it has its certificate's key: in the full handshake
    uint8_t fact[TRUST_FACT]; // of the judge, on the leaf
    struct span name;         // the server name that was asked for (RFC 6066 section 3); empty: none
    struct span chain[TRUST_CHAIN_MOST]; // the client's certificates as it presented them
    size_t count;
    struct span session; // mbedTLS's, as mbedtls_ssl_session_save writes it
};

// Issuers' certificates that a server has without being told: those that it presents itself. Where clients and servers
// have the same issuer, as they often do, a ticket needs to name it only. Whoever does not have it any more, or is a
// replica that never had it, cannot read the ticket, and a full handshake follows.
enum { TICKET_ISSUERS_MOST = 4, TICKET_DIGEST = 32 };
struct ticket_issuers {
    struct ticket_issuer {
        struct span certificate;
        uint8_t digest[TICKET_DIGEST]; // SHA-256
    } items[TICKET_ISSUERS_MOST];
    size_t count;
};

// Appends what is to be sealed. A name or a chain that does not fit where its length goes: -1. `issuers`: or NULL.
int ticket_encode(const struct ticket *ticket, const struct ticket_issuers *issuers, struct buf *plain);
// Borrows from `plain` and from `issuers`. False: it is none of ours.
bool ticket_decode(struct span plain, const struct ticket_issuers *issuers, struct ticket *ticket);

int ticket_seal(const struct ticket_key *key, struct rng *rng, struct span plain, struct buf *sealed, struct err *e);
// The name of the key it says it is sealed with, borrowed; NULL: it is no ticket of ours.
const uint8_t *ticket_key_name(struct span sealed);
bool ticket_open(const struct ticket_key *key, struct span sealed, struct buf *plain);

#endif
