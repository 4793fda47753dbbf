// SPDX-License-Identifier: Apache-2.0
// A distinguished name (RFC 5280 section 4.1.2.4) taken apart, and as text for people (RFC 4514).
#ifndef MTLS_BASE_NAME_TEXT_H
#define MTLS_BASE_NAME_TEXT_H

#include "base/der.h"

// A Name, attribute by attribute, in its order. All spans borrow from it.
struct name_attribute {
    struct span type; // content octets of the OID, which is well-formed
    struct der_item value;
    bool first; // of its RDN
};
struct name_reader {
    struct span rdns, rdn; // what is left of each
};
int name_reader_open(struct name_reader *reader, struct span name, struct err *e);
int name_reader_next(struct name_reader *reader, struct name_attribute *attribute, struct err *e); // 1; 0: no more; -1

// All of them.
struct name_attributes {
    struct name_attribute *items;
    size_t count, cap;
};
int name_attributes_read(struct name_attributes *list, struct span name, struct err *e);
void name_attributes_clear(struct name_attributes *list);

// Whether this is the tag of a character string.
bool name_value_is_string(int tag);
// Appends the characters of a value as UTF-8, as they are: to be compared, never printed. False: it is of no string
// type, or holds what is no character of it.
bool name_value_text(const struct der_item *value, struct buf *out);

// RFC 4514, of any Name that is well-formed. Values are escaped as section 2.4 has it, octets that text_escape would
// escape too (\XX), so that the text is safe to print. Of a value, 2048 octets are shown, and a long name is cut behind
// 16384 characters; "..." then stands at the end. Appends to `text`; on failure, it is as it was.
int name_to_text(struct span der, struct buf *text, struct err *e);
// Appends the type as it stands in that text: "CN", dotted where there is no such name for it, "#" and hexadecimal
// where it is too large to be written so.
void name_type_to_text(struct span oid, struct buf *text);

#endif
