// SPDX-License-Identifier: Apache-2.0
// Reading octets off the front of what is left: numbers, and vectors with their length in front, as TLS has them
// (RFC 8446 section 3). Where there are not enough, the answer is false, and nothing is taken.
#ifndef MTLS_BASE_OCTETS_H
#define MTLS_BASE_OCTETS_H

#include "base/mem.h"

#include <stdbool.h>

// Takes `len` octets off the front.
bool octets_take(struct span *rest, size_t len, struct span *taken);
// A number of 1 to 8 octets, the most significant first.
bool octets_number_64(struct span *rest, size_t size, uint64_t *number);
// The same of 1 to 4 octets.
bool octets_number(struct span *rest, size_t size, uint32_t *number);
// The octets of which `size` octets (1 to 3) in front say how many there are.
bool octets_vector(struct span *rest, size_t size, struct span *taken);

#endif
