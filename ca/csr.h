// SPDX-License-Identifier: Apache-2.0
// PKCS#10 certification requests (RFC 2986): read to be signed here.
#ifndef MTLS_CA_CSR_H
#define MTLS_CA_CSR_H

#include "ca/certificate.h"

// What a request asks for, once its signature by its own key is verified (proof of possession).
struct csr {
    mbedtls_pk_context key;     // the public key
    struct buf subject;         // Name DER
    struct general_names names; // the subjectAltName it asks for
    char **unused; // words for the other extensions that it asks for and that a profile decides: NULL-terminated
};

// Where the parts of a request are, whatever they say: borrowed from the DER.
struct csr_parts {
    struct span info;       // the whole CertificationRequestInfo element
    struct span version;    // INTEGER element
    struct span subject;    // Name element
    struct span key;        // SubjectPublicKeyInfo element
    struct span attributes; // the content of [0], empty when absent
    struct span algorithm;  // AlgorithmIdentifier element
    struct span signature;  // BIT STRING element
};
int csr_split(struct span der, struct csr_parts *parts, struct err *e);
// The Extension elements that the request asks for, one after the other; empty when it asks for none.
int csr_extensions(const struct csr_parts *parts, struct span *extensions, struct err *e);

// PEM or DER. The signature must verify, the key must be sound (key_type_of below KEY_SOUND), the digest SHA-256 or
// better, the extension request well-formed; each error says which of these failed.
int csr_read(struct span pem_or_der, struct csr *csr, struct err *e);
void csr_clear(struct csr *csr);

#endif
