// SPDX-License-Identifier: Apache-2.0
// Object identifiers in words: extensions, purposes, algorithms, curves and policies that a reader may know by name.
#ifndef MTLS_CA_OID_H
#define MTLS_CA_OID_H

#include "base/mem.h"

enum { OID_TEXT = 256 };

// The content octets of an OBJECT IDENTIFIER as its name in the RFCs ("keyUsage", "ecdsa-with-SHA256"), in dotted form
// if it has none here, as "malformed OID" if it is none. Returns `text`.
const char *oid_words(struct span oid, char text[OID_TEXT]);

#endif
