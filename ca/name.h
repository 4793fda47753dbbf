// SPDX-License-Identifier: Apache-2.0
// Distinguished names (RFC 4514 text to RFC 5280 section 4.1.2.4 DER; back: base/name_text.h) and the GeneralNames of
// subjectAltName and name constraints (RFC 5280 section 4.2.1.6).
#ifndef MTLS_CA_NAME_H
#define MTLS_CA_NAME_H

#include "base/err.h"
#include "base/mem.h"

#include <stdbool.h>

// RFC 4514: "CN=alice,OU=Ops+UID=a1,O=Acme\, Inc.,DC=example,DC=com"; the last RDN of the text is the first in DER.
// "" gives the empty name (30 00). String types as CAs write them today: PrintableString for C, serialNumber and
// dnQualifier, IA5String for emailAddress and DC, UTF8String for the rest; "#hex" values are taken as they are. Spaces
// around separators are dropped. At most 2048 octets of DER.
// Errors name the attribute and what would be right; unknown attribute names are refused with the list of known ones
// (dotted OIDs are fine). Lengths are held to the upper bounds of RFC 5280 appendix A.1. What name_to_text makes of the
// DER reads back as the same, unless a "#hex" value has a string type that is not its attribute's.
int name_from_text(const char *rfc4514, struct buf *der, struct err *e);
// mbedtls_x509_string_to_names merges attributes of one type and knows no multi-valued RDN. True: this name survives
// it, and `text` (appended) is what to hand it, in its own (DER) order.
bool name_for_mbedtls(struct span der, struct buf *text);

enum general_name_type {
    GENERAL_NAME_EMAIL = 1, // values are the context tags of GeneralName
    GENERAL_NAME_DNS = 2,
    GENERAL_NAME_DIRECTORY = 4,
    GENERAL_NAME_URI = 6,
    GENERAL_NAME_IP = 7,
};

struct general_name {
    enum general_name_type type;
    char *value; // as written by the user: "localhost", "::1", "a@example.com", "spiffe://td/x", "CN=x"
};

struct general_names {
    struct general_name *items;
    size_t count;
    size_t cap;
};

void general_names_add(struct general_names *names, enum general_name_type type, const char *value);
void general_names_clear(struct general_names *names);
const char *general_name_type_word(enum general_name_type type); // "dns", "ip", "email", "uri", "dirname"

// Guesses as mkcert does: an IP address, a URI (has "://"), an e-mail address (has "@"), else a DNS name.
enum general_name_type general_name_guess(const char *value);

// Checks a value for use in a subjectAltName: DNS by RFC 1123/5890 preferred syntax (labels of 63, whole 253, no
// underscore, no IP text, wildcard only as the whole left-most label), IP v4 or v6, e-mail ASCII with one @ and a
// host, URI with a scheme and (spiffe:) no port, query or user. Errors say what would be right.
int general_name_check(const struct general_name *name, struct err *e);
// The same for use in a name constraint: DNS may be empty-left (".example.com" or "example.com"), IP is a prefix
// ("10.0.0.0/8", "2001:db8::/32"), e-mail may be a host or ".host", URI a host or ".host".
int general_name_check_constraint(const struct general_name *name, struct err *e);

// GeneralNames ::= SEQUENCE OF GeneralName, checked first.
int general_names_encode(const struct general_names *names, struct buf *der, struct err *e);
// GeneralSubtrees content for permittedSubtrees/excludedSubtrees: SEQUENCE OF { base GeneralName } without outer tag.
int general_subtrees_encode(const struct general_names *names, struct buf *der, struct err *e);
// Reads a GeneralNames DER (appends to `out`): each name as a user would write it, escaped, so that it can be checked
// and encoded again, or shown as "dns:localhost" with general_name_type_word. A kind that is not ours has its tag
// number as type, the word "other" and the value "[tag] hex", as has a name whose content is not what its kind must be;
// neither passes a check.
int general_names_to_text(struct span der, struct general_names *out, struct err *e);

#endif
