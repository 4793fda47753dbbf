// SPDX-License-Identifier: Apache-2.0
// PEM files with several blocks (RFC 7468).
#ifndef MTLS_BASE_PEM_H
#define MTLS_BASE_PEM_H

#include "base/err.h"

#include <stddef.h>

enum pem_kind { PEM_CERTIFICATE, PEM_CRL };

// Takes one block's DER; 0, or an mbedTLS error code.
typedef int pem_take(void *arg, const unsigned char *der, size_t len);

// Hands each block of one kind in the file to `take`, in order; everything around them is comment. A file without any,
// a block that cannot be decoded and one that is not taken are errors: nothing is skipped.
int pem_read_file(const char *path, enum pem_kind kind, pem_take *take, void *arg, struct err *e);

#endif
