// SPDX-License-Identifier: Apache-2.0
// Names as the judge compares them (RFC 5280 section 7).
#ifndef MTLS_TRUST_NAME_H
#define MTLS_TRUST_NAME_H

#include "base/err.h"
#include "base/mem.h"

// Appends the canonical form of a Name element: RDNs in order, the attributes of each sorted, every value of a
// DirectoryString type converted to UTF-8 and prepared as RFC 5280 section 7.1 has it (case folded, insignificant space
// removed and collapsed), domainComponent and e-mail compared as ASCII without case; other types octet by octet. Two
// names match if and only if their canonical forms are equal octets. The form is a sequence of RDNs, each with its
// length in front, so that a name lies in the subtree of another if the other's form is a prefix of it. -1: malformed.
int name_canonical(struct span name, struct buf *out, struct err *e);

#endif
