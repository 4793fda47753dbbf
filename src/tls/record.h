// SPDX-License-Identifier: Apache-2.0
// Protected records of TLS 1.3 (RFC 8446 section 5.2), opened and sealed with an exported traffic secret.
#ifndef MTLS_TLS_RECORD_H
#define MTLS_TLS_RECORD_H

#include <stddef.h>
#include <stdint.h>

enum { RECORD_HEADER = 5, RECORD_TAG = 16, SECRET_MOST = 48 };
enum { RECORD_CHANGE_CIPHER_SPEC = 20, RECORD_ALERT, RECORD_HANDSHAKE, RECORD_APPLICATION_DATA }; // the types

struct traffic_secret {
    uint8_t data[SECRET_MOST];
    size_t len; // 0: not known yet
};

// The secret that a KeyUpdate leads to, RFC 8446 section 7.2. 0, or an mbedTLS code.
int traffic_secret_next(struct traffic_secret *secret);

struct record_cipher; // of a suite

// Opens a record whose body has `len` bytes into `plain`, which has room for as many; its content then has *plain_len
// bytes. Returns the content's type, or -1 if the record is not under this secret with this sequence number. Which of
// the suites with such a secret it is, its tag says; *cipher is set.
int record_open(const uint8_t header[RECORD_HEADER], const uint8_t *body, size_t len,
                const struct traffic_secret *secret, uint64_t sequence, const struct record_cipher **cipher,
                uint8_t *plain, size_t *plain_len);
// Writes the record of the content, which is RECORD_HEADER + RECORD_TAG + 1 longer. 0, or an mbedTLS code.
int record_seal(const struct record_cipher *cipher, const struct traffic_secret *secret, uint64_t sequence, int type,
                const uint8_t *content, size_t len, uint8_t *record);

#endif
