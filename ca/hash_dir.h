// SPDX-License-Identifier: Apache-2.0
// A folder that OpenSSL's -CApath reads: certificates and lists under names made of a hash of their subject or issuer
// (what `openssl rehash` makes with links).
#ifndef MTLS_CA_HASH_DIR_H
#define MTLS_CA_HASH_DIR_H

#include "base/file.h"

struct hash_dir {
    struct hash_dir_file {
        char *name; // "9d66eef0.0", "9d66eef0.r0"
        struct buf pem;
    } * files;
    size_t count;
    size_t cap;
};

int hash_dir_add_certificate(struct hash_dir *dir, struct span der, struct err *e);
int hash_dir_add_crl(struct hash_dir *dir, struct span der, struct err *e);
// Adds what differs from the folder to the batch (NULL: only counts), and removes files of this kind that are not in
// `dir`.
int hash_dir_put(const struct hash_dir *dir, struct file_batch *batch, const char *path, size_t *changed,
                 struct err *e);
void hash_dir_clear(struct hash_dir *dir);

// The hash of a Name DER: SHA-1 over its canonical form (each value a lower-case, space-folded UTF8String), the first
// four octets little-endian.
int hash_dir_name_hash(struct span name, uint32_t *hash, struct err *e);

#endif
