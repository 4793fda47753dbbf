// SPDX-License-Identifier: Apache-2.0
// An alert as a protected record of TLS 1.3 (RFC 8446 section 5.2), opened and sealed with a traffic secret.
#ifndef MTLS_TLS_ALERT_RECORD_H
#define MTLS_TLS_ALERT_RECORD_H

#include <stddef.h>
#include <stdint.h>

enum { RECORD_HEADER = 5, ALERT_RECORD_MOST = 64, SECRET_MOST = 48 };
enum { TYPE_ALERT = 21, TYPE_APPLICATION_DATA = 23, ALERT_LENGTH = 2, TAG_LENGTH = 16 };
enum { ALERT_RECORD_SEALED = RECORD_HEADER + ALERT_LENGTH + 1 + TAG_LENGTH };

struct traffic_secret {
    uint8_t data[SECRET_MOST];
    size_t len; // 0: not known yet
};

struct alert_cipher; // of the suite

// The number of the alert in the record, and by which cipher it was opened; TLS_ALERT_NONE when the record is something
// else, or is not under this secret with this sequence number.
int alert_open(const uint8_t header[RECORD_HEADER], const uint8_t *body, size_t len, const struct traffic_secret *secret,
               uint64_t sequence, const struct alert_cipher **cipher);
// The record of a fatal alert.
int alert_seal(const struct alert_cipher *cipher, const struct traffic_secret *secret, uint64_t sequence, int number,
               uint8_t record[ALERT_RECORD_SEALED]);

#endif
