// SPDX-License-Identifier: Apache-2.0
// The numbers of alerts. mbedTLS keeps them to itself ("a fatal alert message was received"), so the records are
// watched as they pass, one watch for each direction, and the last one is read, in TLS 1.3 with the secrets that
// mbedTLS exports. It only looks: no byte is changed or held back.
#ifndef MTLS_TLS_ALERT_H
#define MTLS_TLS_ALERT_H

#include "tls/record.h"

#include <stdbool.h>

enum { ALERT_LENGTH = 2, ALERT_RECORD_MOST = 64, ALERT_SEALED = RECORD_HEADER + ALERT_LENGTH + 1 + RECORD_TAG };

struct alert_watch {
    uint8_t header[RECORD_HEADER]; // of the record that passes, or that passed last
    size_t header_have;
    uint8_t body[ALERT_RECORD_MOST]; // its first bytes: no alert is longer
    size_t body_have;                // bytes of the body that passed; may be more than are kept
    uint64_t encrypted;              // TLS 1.3 records that were complete, under any key
    uint64_t handshake_encrypted;    // of them under the handshake key, once handshake_over
    bool handshake_over;             // what passes from now on is under the application key
    bool any;                        // did any byte pass?
    struct traffic_secret handshake;
    struct traffic_secret application;
};

void alert_watch_bytes(struct alert_watch *watch, const uint8_t *data, size_t len);
bool alert_watch_between(const struct alert_watch *watch);  // no record has begun and not ended
void alert_watch_handshake_over(struct alert_watch *watch); // the first call counts
// The number of the alert in the last complete record; TLS_ALERT_NONE if it was something else, TLS_ALERT_UNREADABLE if
// it looks like one but is under a key that is not known here.
int alert_watch_number(const struct alert_watch *watch);
// The number of the alert in a protected record and what it was sealed with; TLS_ALERT_NONE if there is none in it.
int alert_open(const uint8_t header[RECORD_HEADER], const uint8_t *body, size_t len,
               const struct traffic_secret *secret, uint64_t sequence, const struct record_cipher **cipher);
void alert_watch_clear(struct alert_watch *watch); // zeroises

#endif
