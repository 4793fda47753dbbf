// SPDX-License-Identifier: Apache-2.0
// Reading and rebuilding DER (X.690) where mbedTLS has no public function for it: one element at a time, bounded,
// definite lengths only. Writing new structures is done with mbedtls_asn1_write_*; this is for taking apart and
// putting together what exists (requests, flawed certificates, CRL entries).
#ifndef MTLS_BASE_DER_H
#define MTLS_BASE_DER_H

#include "base/err.h"
#include "base/mem.h"

#include <mbedtls/asn1.h>
#include <stdbool.h>

enum {
    TAG_SEQUENCE = MBEDTLS_ASN1_CONSTRUCTED | MBEDTLS_ASN1_SEQUENCE,
    TAG_SET = MBEDTLS_ASN1_CONSTRUCTED | MBEDTLS_ASN1_SET,
};

// One element: tag, its content, and the whole of it with tag and length. All borrowed from the input.
struct der_item {
    int tag;
    struct span content;
    struct span whole;
};

// Takes the next element off the front of *rest. -1: not well-formed, or *rest is empty.
int der_next(struct span *rest, struct der_item *item, struct err *e);
// As der_next, but the tag must be `tag`; `what` names it in the error.
int der_expect(struct span *rest, int tag, const char *what, struct der_item *item, struct err *e);
// Appends tag, length and content.
void der_wrap(struct buf *out, int tag, struct span content);
// Puts what is in `b` into an element of its own: tag and length go in front of it.
void der_enclose(struct buf *b, int tag);

// Takes a Time (RFC 5280 section 4.1.2.5: UTCTime or GeneralizedTime, Zulu, with seconds) off the front of *rest.
int der_time(struct span *rest, int64_t *when, struct err *e);

bool der_oid_is_well_formed(struct span oid); // X.690 section 8.19: at least one arc, each complete and the shortest
// Dotted text <-> the content octets of an OBJECT IDENTIFIER.
int der_oid_from_text(const char *dotted, struct buf *out, struct err *e);
int der_oid_to_text(struct span oid, char *text, size_t size);

#endif
