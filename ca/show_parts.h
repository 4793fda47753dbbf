// SPDX-License-Identifier: Apache-2.0
// What the files show*.c share. Each show_* returns a new JSON value for a part of the DER and cannot fail: what is not
// well-formed becomes "malformed: why".
#ifndef MTLS_CA_SHOW_PARTS_H
#define MTLS_CA_SHOW_PARTS_H

#include "base/der.h"
#include "ca/show.h"

#include <mbedtls/asn1.h>

enum {
    SHOW_CONTEXT = MBEDTLS_ASN1_CONTEXT_SPECIFIC,
    SHOW_CONTEXT_CONSTRUCTED = MBEDTLS_ASN1_CONTEXT_SPECIFIC | MBEDTLS_ASN1_CONSTRUCTED,
    SHOW_TEXT_MAX = 4096, // octets of any one value that are shown
};

// show.c
void show_put(json_t *object, const char *key, json_t *value); // takes the value over; NULL is left out
json_t *show_malformed(struct err *e);                         // "malformed: why"; the error is cleared
json_t *show_hex(struct span data);
json_t *show_escaped(struct span data);
json_t *show_name(struct span name);
json_t *show_integer(struct span content);     // a number, or "0x..." when it is too big or negative
json_t *show_algorithm(struct span algorithm); // an AlgorithmIdentifier element
int show_time_read(struct span *rest, const char *what, int64_t *when, struct err *e);
json_t *show_time(int64_t when);
// Puts "serial", and "serial_fault" if RFC 5280 section 4.1.2.2 does not allow it.
void show_put_serial(json_t *object, struct span element);
void show_put_fingerprint(json_t *object, struct span der);

// show_certificate.c
json_t *show_certificate(struct span der, const struct show_options *options);
json_t *show_request(struct span der, const struct show_options *options);

// show_crl.c
json_t *show_crl(struct span der, const struct show_options *options);

// show_key.c
json_t *show_public_key_info(struct span spki); // { type, bits, id }
json_t *show_public_key(struct span der, const struct show_options *options);
json_t *show_rsa_public_key(struct span der, const struct show_options *options);
json_t *show_private_key(struct span der, const struct show_options *options);

// show_extension.c
// Extensions of a certificate, request or list from the Extension elements that stand one after the other.
json_t *show_extensions(struct span rest);
json_t *show_extension_value(struct span oid, struct span value); // NULL: it has no words here

// show_value.c
typedef json_t *show_decoder(struct span value, struct err *e); // NULL: malformed, `e` says why
json_t *show_value_names(struct span value, struct err *e);     // a GeneralNames element
json_t *show_value_points(struct span value, struct err *e);    // CRLDistributionPoints
json_t *show_value_idp(struct span value, struct err *e);       // IssuingDistributionPoint
json_t *show_value_subtrees(struct span value, struct err *e);  // NameConstraints
json_t *show_value_key_id(struct span value, struct err *e);    // AuthorityKeyIdentifier
json_t *show_value_access(struct span value, struct err *e);    // AuthorityInfoAccess
json_t *show_bits(struct span content, const char *const *names, struct err *e);
int show_only(struct span value, int tag, const char *what, struct der_item *item, struct err *e);

#endif
