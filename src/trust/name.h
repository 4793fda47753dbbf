// SPDX-License-Identifier: Apache-2.0
// Names as the judge compares them (RFC 5280 section 7).
#ifndef MTLS_TRUST_NAME_H
#define MTLS_TRUST_NAME_H

#include "base/der.h"

#include <stdbool.h>

// Appends the canonical form of a Name element: RDNs in order, the attributes of each sorted, every value of a
// DirectoryString type converted to UTF-8 and prepared as RFC 5280 section 7.1 has it (case folded, insignificant space
// removed and collapsed), domainComponent and e-mail compared as ASCII without case; other types octet by octet. Two
// names match if and only if their canonical forms are equal octets. The form is a sequence of RDNs, each with its
// length in front, so that a name lies in the subtree of another if the other's form is a prefix of it. -1: malformed.
int name_canonical(struct span name, struct buf *out, struct err *e);

// A Name taken apart, attribute by attribute. All spans borrow from it.
struct name_attribute {
    struct span type; // content octets of the OID
    struct der_item value;
    bool first; // of its RDN
};
struct name_reader {
    struct span rdns, rdn; // what is left of each
};
int name_reader_open(struct name_reader *reader, struct span name, struct err *e);
int name_reader_next(struct name_reader *reader, struct name_attribute *attribute, struct err *e); // 1; 0: no more; -1

// Appends the characters of a value as UTF-8, unprepared. False: it is not of a string type, or malformed.
bool name_value_text(const struct der_item *value, struct buf *out);

#endif
