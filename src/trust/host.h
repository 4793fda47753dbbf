// SPDX-License-Identifier: Apache-2.0
// Host names and addresses as text: their syntax, and which lies below which.
#ifndef MTLS_TRUST_HOST_H
#define MTLS_TRUST_HOST_H

#include "base/err.h"
#include "base/mem.h"

#include <stdbool.h>

// A host name: labels of letters, digits and inner hyphens (RFC 1034 section 3.5, RFC 1123 section 2.1), no dot at the
// end, and never to be taken for an address. -1: it is none, words in `e`.
int host_name_check(struct span host, struct err *e);
// The same, or "*." and two labels at least (RFC 9525 section 6.3).
int host_pattern_check(struct span pattern, struct err *e);
// The octets of an address in text, 4 or 16; 0: it is none.
size_t host_address(struct span text, uint8_t octets[16]);

bool host_equal(struct span a, struct span b);            // without case
bool host_is_below(struct span host, struct span domain); // strictly: at least one label more
// Takes the left-most label and its dot off; empty if there was only one.
struct span host_parent(struct span host);
bool host_is_wildcard(struct span pattern); // it starts with "*."

// Only characters of `set`?
bool span_is_of(struct span text, const char *set);
#define LETTERS_AND_DIGITS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

#endif
