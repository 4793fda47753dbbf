// SPDX-License-Identifier: Apache-2.0
// The alert that tells the peer why it is refused, so that the peer can read it.
//
// A server of mbedTLS sends what it has against a client's certificate, signature or Finished under its handshake key,
// in TLS 1.3 too, where it has sent its own Finished by then and must use the application key (RFC 8446 section 4.4.4).
// The client has left the handshake key behind and sees a damaged record instead of an alert. And for a certificate
// mbedTLS's choice of alert is coarser than ours. So a server's alert in the handshake is withheld on its way to the
// socket, and once the verdict is known the alert that belongs to it goes out: sealed here with the exported secret,
// as the first record under it, in TLS 1.3; by mbedTLS in TLS 1.2, where nothing is encrypted yet.
// An alert of TLS 1.3 from before the server's Finished is under the right key, and left alone.
#include "tls/internal.h"

#include <string.h>

enum { PLAIN_ALERT = RECORD_HEADER + ALERT_LENGTH };

// Is this the whole record of an alert that must wait? mbedTLS never has an alert and something else to send at once.
bool refusal_withhold(struct tls_connection *c, const uint8_t *data, size_t len)
{
    struct refusal *refusal = &c->refusal;
    const struct record_cipher *cipher = NULL;
    if (refusal->cipher != NULL) { // after it, nothing of mbedTLS's would be in its place
        return true;
    }
    if (c->context->role != TLS_SERVER || c->state == CONNECTION_OPEN || len < PLAIN_ALERT ||
        len != RECORD_HEADER + ((size_t)data[3] << 8 | data[4])) {
        return false;
    }
    if (c->outgoing.handshake_over && c->outgoing.handshake.len > 0) {
        refusal->withheld = alert_open(data, data + RECORD_HEADER, len - RECORD_HEADER, &c->outgoing.handshake,
                                       c->outgoing.encrypted, &cipher);
        refusal->cipher = refusal->withheld >= 0 ? cipher : NULL;
    } else if (c->state == CONNECTION_HANDSHAKE && data[0] == RECORD_ALERT && len == PLAIN_ALERT &&
               data[RECORD_HEADER] == MBEDTLS_SSL_ALERT_LEVEL_FATAL &&
               mbedtls_ssl_get_version_number(&c->ssl) == MBEDTLS_SSL_VERSION_TLS1_2) {
        refusal->withheld = data[RECORD_HEADER + 1];
        return true;
    }
    return refusal->cipher != NULL;
}

// The verdict's, if we refuse; else what mbedTLS would have said of the failure.
static int alert_to_send(const struct tls_connection *c)
{
    enum alert alert = reason_info(c->verdict.reason)->alert;
    if (c->ending != TLS_END_US && c->refusal.withheld >= 0) {
        return c->refusal.withheld;
    }
    if (alert == ALERT_CERTIFICATE_REQUIRED && mbedtls_ssl_get_version_number(&c->ssl) != MBEDTLS_SSL_VERSION_TLS1_3) {
        return ALERT_HANDSHAKE_FAILURE; // RFC 5246 section 7.4.6
    }
    return (int)alert;
}

// Under the key that mbedTLS is at. It may have something older to send first, and then sends only that.
static int send_by_mbedtls(struct tls_connection *c)
{
    unsigned char number = (unsigned char)alert_to_send(c);
    int code = mbedtls_ssl_send_alert_message(&c->ssl, MBEDTLS_SSL_ALERT_LEVEL_FATAL, number);
    if (code == 0 && c->refusal.cipher == NULL && alert_watch_number(&c->outgoing) == TLS_ALERT_NONE) {
        code = mbedtls_ssl_send_alert_message(&c->ssl, MBEDTLS_SSL_ALERT_LEVEL_FATAL, number);
    }
    return code;
}

enum tls_status refusal_send(struct tls_connection *c)
{
    struct refusal *refusal = &c->refusal;
    if (refusal->cipher == NULL) {
        int code = send_by_mbedtls(c);
        if (refusal->cipher == NULL) { // else mbedTLS was at the handshake key, and nothing has left yet
            return code == MBEDTLS_ERR_SSL_WANT_WRITE ? TLS_WANT_WRITE : TLS_FAILED;
        }
    }
    if (!refusal->sealed) {
        const uint8_t alert[ALERT_LENGTH] = {MBEDTLS_SSL_ALERT_LEVEL_FATAL, (uint8_t)alert_to_send(c)};
        if (record_seal(refusal->cipher, &c->outgoing.application, 0, RECORD_ALERT, alert, sizeof alert,
                        refusal->record) != 0) {
            return TLS_FAILED;
        }
        refusal->sealed = true;
    }
    while (refusal->sent < sizeof refusal->record) {
        long n = connection_send(c, refusal->record + refusal->sent, sizeof refusal->record - refusal->sent);
        if (n < 0) {
            return n == TLS_IO_AGAIN ? TLS_WANT_WRITE : TLS_FAILED;
        }
        refusal->sent += (size_t)n;
    }
    return TLS_FAILED;
}
