// SPDX-License-Identifier: Apache-2.0
// How many connections each peer's address holds, over all workers.
#ifndef MTLS_SERVER_ADDRESSES_H
#define MTLS_SERVER_ADDRESSES_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

// What is counted as one address: an IPv4 address, or an IPv6 network of 64 bits, which is what one site, and often one
// machine, has to itself (RFC 6177).
typedef uint64_t address_key;
address_key address_key_of(const struct sockaddr_storage *address);

struct addresses;
struct addresses *addresses_new(void);
void addresses_free(struct addresses *addresses);
// One more, unless it has `most` already. From any thread.
bool addresses_take(struct addresses *addresses, address_key key, unsigned most);
void addresses_give(struct addresses *addresses, address_key key);

#endif
