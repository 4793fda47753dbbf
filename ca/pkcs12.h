// SPDX-License-Identifier: Apache-2.0
// PKCS#12 (RFC 7292), which mbedTLS reads in parts and does not write: one key, its certificate and the chain, as
// browsers, Java's keytool and `openssl pkcs12` open it.
#ifndef MTLS_CA_PKCS12_H
#define MTLS_CA_PKCS12_H

#include "base/err.h"
#include "base/mem.h"
#include "base/random.h"

// `chain` are certificate DERs, leaf first. The key is a PKCS#8 DER. PBES2 with AES-256-CBC and PBKDF2-HMAC-SHA-256 for
// both bags, HMAC-SHA-256 by the PKCS#12 KDF (RFC 7292 appendix B) as the integrity MAC; localKeyID and friendlyName
// tie key and leaf together. `password` is UTF-8 and not empty.
int pkcs12_make(struct span pkcs8, const struct span *chain, size_t chain_len, const char *friendly_name,
                const char *password, struct rng *rng, struct buf *der, struct err *e);

#endif
