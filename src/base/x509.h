// SPDX-License-Identifier: Apache-2.0
// mbedTLS's certificate parser, where its opinion of extensions is not asked.
#ifndef MTLS_BASE_X509_H
#define MTLS_BASE_X509_H

#include "base/mem.h"

#include <mbedtls/x509_crt.h>

// Adds a certificate to a chain, whatever extensions it has: mbedTLS refuses critical ones that it does not know, and
// those are for src/trust to judge. 0, or an mbedTLS error code.
int x509_add(mbedtls_x509_crt *chain, struct span der);

#endif
