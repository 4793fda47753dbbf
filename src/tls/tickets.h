// SPDX-License-Identifier: Apache-2.0
// What the handshake asks struct tls_tickets for; tls.h has the rest.
#ifndef MTLS_TLS_TICKETS_H
#define MTLS_TLS_TICKETS_H

#include "tls/ticket_keys.h"
#include "tls/tls.h"

int64_t tickets_lifetime(const struct tls_tickets *tickets); // 0: there are to be none
// Copies of the key to seal with, and of the key with that name; zeroise them. False: there is none.
bool tickets_sealing(struct tls_tickets *tickets, int64_t now, struct ticket_key *key);
bool tickets_opening(struct tls_tickets *tickets, const uint8_t name[TICKET_KEY_NAME], int64_t now,
                     struct ticket_key *key);

#endif
