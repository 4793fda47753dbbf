// SPDX-License-Identifier: Apache-2.0
// GeneralName (RFC 5280 section 4.2.1.6): its forms, as names of a subject and as the bases of name constraints.
#ifndef MTLS_TRUST_GENERAL_NAME_H
#define MTLS_TRUST_GENERAL_NAME_H

#include "base/der.h"

// The tags, implicit but for the Name, which is a CHOICE.
enum {
    FORM_TAG_OTHER = 0xa0,
    FORM_TAG_EMAIL = 0x81,
    FORM_TAG_DNS = 0x82,
    FORM_TAG_X400 = 0xa3,
    FORM_TAG_DIRECTORY = 0xa4,
    FORM_TAG_EDI_PARTY = 0xa5,
    FORM_TAG_URI = 0x86,
    FORM_TAG_IP = 0x87,
    FORM_TAG_REGISTERED_ID = 0x88,
};

const char *form_word(int tag); // "dNSName"; NULL: there is no such form

// One name of a subject, or the base of one subtree of name constraints. -1: words in `e`.
int form_check_name(const struct der_item *name, struct err *e);
int form_check_subtree(const struct der_item *base, struct err *e);
// Appends the name as text for people, escaped, of bounded length.
void form_show(struct buf *out, const struct der_item *name);

// The parts of a mailbox and of a URI, which are checked; -1: not well-formed. `local` and `host` are borrowed.
int mailbox_split(struct span mailbox, struct span *local, struct span *host, struct err *e);
bool mailbox_equal(struct span a, struct span b); // case counts before the @ only (RFC 5280 section 7.5)
int uri_split(struct span uri, struct span *host, struct err *e); // host: empty if there is no authority

// otherName: the OID of its type
int other_name_type(struct span content, struct span *type, struct err *e);

#endif
