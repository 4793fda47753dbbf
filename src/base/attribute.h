// SPDX-License-Identifier: Apache-2.0
// The attribute types of distinguished names: one table for reading, for writing and for rules about them.
#ifndef MTLS_BASE_ATTRIBUTE_H
#define MTLS_BASE_ATTRIBUTE_H

#include "base/mem.h"

enum { NAME_DER_MAX = 2048 }; // octets, of the names that are made here and of a value that is shown whole

struct attribute {
    const char *names[3]; // the first one is written, each is read in any case
    const char *oid;      // content octets
    int string_type;      // ASN.1 tag
    size_t least, most;   // characters
};

// The type that has this OID (content octets); one without names when it is unknown, never NULL.
const struct attribute *attribute_by_oid(struct span oid);
// NULL: unknown.
const struct attribute *attribute_by_name(const char *name);
// Appends the first names of all, with commas.
void attribute_list(struct buf *text);

#endif
