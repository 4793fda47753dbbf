// SPDX-License-Identifier: Apache-2.0
#include "tls/alert.h"

#include "tls/tls.h"

#include <mbedtls/platform_util.h>
#include <string.h>

static size_t record_length(const struct alert_watch *watch)
{
    return (size_t)watch->header[3] << 8 | watch->header[4];
}

static bool record_complete(const struct alert_watch *watch)
{
    return watch->header_have == RECORD_HEADER && watch->body_have == record_length(watch);
}

void alert_watch_bytes(struct alert_watch *watch, const uint8_t *data, size_t len)
{
    watch->any = watch->any || len > 0;
    while (len > 0) {
        if (record_complete(watch)) {
            watch->header_have = 0;
            watch->body_have = 0;
        }
        if (watch->header_have < RECORD_HEADER) {
            watch->header[watch->header_have++] = *data;
            data++;
            len--;
        } else {
            size_t missing = record_length(watch) - watch->body_have;
            size_t n = missing < len ? missing : len;
            if (watch->body_have < ALERT_RECORD_MOST) {
                size_t room = ALERT_RECORD_MOST - watch->body_have;
                memcpy(watch->body + watch->body_have, data, n < room ? n : room);
            }
            watch->body_have += n;
            data += n;
            len -= n;
        }
        // A record that is only a header (length 0) is complete too, and counted by the peer's sequence numbers.
        if (record_complete(watch) && watch->header[0] == RECORD_APPLICATION_DATA) {
            watch->encrypted++;
        }
    }
}

bool alert_watch_between(const struct alert_watch *watch)
{
    return watch->header_have == 0 || record_complete(watch);
}

void alert_watch_handshake_over(struct alert_watch *watch)
{
    if (!watch->handshake_over) {
        watch->handshake_over = true;
        watch->handshake_encrypted = watch->encrypted;
    }
}

int alert_open(const uint8_t header[RECORD_HEADER], const uint8_t *body, size_t len,
               const struct traffic_secret *secret, uint64_t sequence, const struct record_cipher **cipher)
{
    uint8_t plain[ALERT_RECORD_MOST];
    size_t plain_len = 0;
    bool fits = len >= ALERT_LENGTH + 1 + RECORD_TAG && len <= sizeof plain;
    bool is_alert = fits &&
                    record_open(header, body, len, secret, sequence, cipher, plain, &plain_len) == RECORD_ALERT &&
                    plain_len == ALERT_LENGTH;
    return is_alert ? plain[1] : TLS_ALERT_NONE;
}

int alert_watch_number(const struct alert_watch *watch)
{
    if (!watch->any || !record_complete(watch)) {
        return TLS_ALERT_NONE;
    }
    if (watch->header[0] == RECORD_ALERT) {
        return watch->body_have == ALERT_LENGTH ? watch->body[1] : TLS_ALERT_UNREADABLE;
    }
    const struct record_cipher *cipher = NULL;
    int number = TLS_ALERT_NONE;
    if (watch->handshake_over && watch->encrypted > watch->handshake_encrypted) {
        number = alert_open(watch->header, watch->body, watch->body_have, &watch->application,
                            watch->encrypted - watch->handshake_encrypted - 1, &cipher);
    }
    // Servers of mbedTLS send what they refuse with under the handshake key even when the client has left it behind.
    return number != TLS_ALERT_NONE ? number
                                    : alert_open(watch->header, watch->body, watch->body_have, &watch->handshake,
                                                 watch->encrypted - 1, &cipher);
}

void alert_watch_clear(struct alert_watch *watch)
{
    mbedtls_platform_zeroize(watch, sizeof *watch);
}
