// SPDX-License-Identifier: Apache-2.0
// PEM text (RFC 7468): writing blocks, and taking a file of several apart.
#ifndef MTLS_BASE_PEM_H
#define MTLS_BASE_PEM_H

#include "base/err.h"
#include "base/mem.h"

#include <stdbool.h>

// Wraps DER under a label.
void pem_write(struct buf *out, const char *label, struct span der);

enum { PEM_LABEL = 64 };
struct pem_block {
    char label[PEM_LABEL]; // printable ASCII
    bool encrypted;        // by the older way of RFC 1421 headers: `der` is ciphertext
    struct buf der;
};
// Takes the next block off the front of *rest; text before it is skipped. 1: block filled (clear it with
// buf_clear(&block->der)); 0: there is none; -1: it is damaged, and *rest is behind what was damaged.
int pem_next(struct span *rest, struct pem_block *block, struct err *e);
// Calls each(arg, label, der) for every block; text between blocks is skipped. -1: a block is damaged, or `each` said
// so.
typedef int pem_each(void *arg, const char *label, struct span der, struct err *e);
int pem_read(struct span text, pem_each *each, void *arg, struct err *e);

#endif
