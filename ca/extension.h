// SPDX-License-Identifier: Apache-2.0
// The extensions of a certificate (RFC 5280 section 4.2) as mbedtls_x509write_cert takes them.
#ifndef MTLS_CA_EXTENSION_H
#define MTLS_CA_EXTENSION_H

#include "ca/certificate.h"

// Adds every extension that `c` asks for; `size` grows by a bound of what they take.
int extensions_set(mbedtls_x509write_cert *ctx, const struct certificate_content *c,
                   const struct certificate_issuer *issuer, mbedtls_pk_context *subject_key, size_t *size,
                   struct err *e);

// Extension ::= SEQUENCE { extnID, critical, extnValue OCTET STRING }, for those who edit certificates. `oid` is its
// content octets, `value` the DER inside the OCTET STRING.
void extension_write(struct buf *out, struct span oid, bool critical, struct span value);

// Takes the next Extension element off the front of *rest; all borrowed.
struct extension {
    struct span oid; // content octets
    bool critical;
    struct span value; // the DER inside the OCTET STRING
};
int extension_next(struct span *rest, struct extension *extension, struct err *e);

#endif
