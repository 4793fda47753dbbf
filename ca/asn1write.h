// SPDX-License-Identifier: Apache-2.0
// mbedtls_asn1_write_* works backwards, from the end of a buffer to its front, and returns lengths or errors. These
// two make a function that builds a structure read as the list of its parts, last one first.
#ifndef MTLS_CA_ASN1WRITE_H
#define MTLS_CA_ASN1WRITE_H

#include <mbedtls/asn1write.h>

// Adds what `call` wrote to the size_t `len`, or returns its error from the function around it.
#define ASN1_ADD(len, call)                                                                                            \
    do {                                                                                                               \
        int asn1_added = (call);                                                                                       \
        if (asn1_added < 0) {                                                                                          \
            return asn1_added;                                                                                         \
        }                                                                                                              \
        (len) += (size_t)asn1_added;                                                                                   \
    } while (0)

// Length and tag before `content` octets that are already there.
static inline int asn1_write_header(unsigned char **p, const unsigned char *start, int tag, size_t content)
{
    size_t len = 0;
    ASN1_ADD(len, mbedtls_asn1_write_len(p, start, content));
    ASN1_ADD(len, mbedtls_asn1_write_tag(p, start, (unsigned char)tag));
    return (int)len;
}

static inline int asn1_write_sequence(unsigned char **p, const unsigned char *start, size_t content)
{
    return asn1_write_header(p, start, MBEDTLS_ASN1_CONSTRUCTED | MBEDTLS_ASN1_SEQUENCE, content);
}

#define ASN1_OID(oid) (oid), MBEDTLS_OID_SIZE(oid)

#endif
