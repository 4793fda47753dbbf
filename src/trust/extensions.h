// SPDX-License-Identifier: Apache-2.0
// The extensions of a certificate (RFC 5280 section 4.2), read into it.
#ifndef MTLS_TRUST_EXTENSIONS_H
#define MTLS_TRUST_EXTENSIONS_H

#include "trust/certificate.h"

// Notes what is wrong with a certificate by itself; the first finding stays.
void certificate_finding(struct certificate *c, enum reason reason, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

// Reads the content of Extensions (a SEQUENCE OF Extension) into `c`, with the findings on the way.
void extensions_read(struct certificate *c, struct span list);

#endif
