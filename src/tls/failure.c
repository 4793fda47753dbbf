// SPDX-License-Identifier: Apache-2.0
// What the end of a connection means: mbedTLS's codes become reasons and words here, once.
#include "tls/internal.h"

#include <mbedtls/ecp.h>
#include <mbedtls/error.h>
#include <mbedtls/net_sockets.h>
#include <mbedtls/rsa.h>
#include <string.h>

static bool is_parse_error(int code)
{
    int high = -code & 0xff80; // without the low-level part
    return high >= -MBEDTLS_ERR_X509_FEATURE_UNAVAILABLE && high <= -MBEDTLS_ERR_X509_BUFFER_TOO_SMALL &&
           code != MBEDTLS_ERR_X509_CERT_VERIFY_FAILED;
}

// What went wrong with the peer's certificate beside what the verify hook was asked; REASON_handshake for anything
// else.
static enum reason reason_of_code(const struct tls_connection *c, int code)
{
    static const struct {
        int code;
        enum reason reason;
    } table[] = {
        {MBEDTLS_ERR_SSL_NO_CLIENT_CERTIFICATE, REASON_no_certificate},
        {MBEDTLS_ERR_ECP_VERIFY_FAILED, REASON_proof_of_possession},
        {MBEDTLS_ERR_RSA_VERIFY_FAILED, REASON_proof_of_possession},
        {MBEDTLS_ERR_RSA_INVALID_PADDING, REASON_proof_of_possession},
        {MBEDTLS_ERR_PK_SIG_LEN_MISMATCH, REASON_proof_of_possession},
        {MBEDTLS_ERR_PK_TYPE_MISMATCH, REASON_proof_of_possession},
        {MBEDTLS_ERR_X509_FATAL_ERROR, REASON_tls_mbedtls},
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        if (table[i].code == code) {
            return table[i].reason;
        }
    }
    // TLS 1.3 has one code for a bad CertificateVerify and a bad Finished; both come after an accepted certificate.
    if (code == MBEDTLS_ERR_SSL_HANDSHAKE_FAILURE && c->verdict.reason == REASON_ok) {
        return REASON_proof_of_possession;
    }
    if (code == MBEDTLS_ERR_X509_CERT_VERIFY_FAILED || code == MBEDTLS_ERR_SSL_BAD_CERTIFICATE) {
        return trust_reason_of_flags(mbedtls_ssl_get_verify_result(&c->ssl));
    }
    return is_parse_error(code) ? trust_reason_of_parse(code) : REASON_handshake;
}

// People point browsers and health checks at the wrong scheme; the first bytes tell.
static bool speaks_http(const struct alert_watch *incoming)
{
    static const char *const methods[] = {"GET ",  "POST ", "HEAD ", "PUT ", "HTTP/",
                                          "DELET", "OPTIO", "PATCH", "CONNE"};
    for (size_t i = 0; incoming->header_have == RECORD_HEADER && i < sizeof methods / sizeof methods[0]; i++) {
        if (strncmp((const char *)incoming->header, methods[i], strnlen(methods[i], RECORD_HEADER)) == 0) {
            return true;
        }
    }
    return false;
}

static void explain_transport(struct tls_connection *c, int code)
{
    c->ending = TLS_END_FAILURE;
    if (!c->incoming.any && code == MBEDTLS_ERR_SSL_CONN_EOF) {
        err_set(connection_failure(c), "the peer closed the connection without a word");
    } else if (code == MBEDTLS_ERR_SSL_CONN_EOF) {
        err_set(connection_failure(c), "the peer closed the connection in the middle");
    } else if (code == MBEDTLS_ERR_NET_CONN_RESET) {
        err_set(connection_failure(c), "the connection broke: %s", strerror(c->io_errno));
    } else if (speaks_http(&c->incoming)) {
        err_set(connection_failure(c), "the peer speaks plain HTTP, not TLS");
    } else {
        err_mbedtls(connection_failure(c), code, "no TLS session came about");
    }
}

// An alert under a key that mbedTLS has left behind looks like damage to it, but may still be readable; and one that
// came when sending had become impossible it has not seen.
static bool peer_refused(struct tls_connection *c, int code)
{
    if (code != MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE && code != MBEDTLS_ERR_SSL_INVALID_MAC &&
        code != MBEDTLS_ERR_NET_CONN_RESET) {
        return false;
    }
    int number = alert_watch_number(&c->incoming);
    int least = code == MBEDTLS_ERR_NET_CONN_RESET ? ALERT_CLOSE_NOTIFY + 1 : ALERT_CLOSE_NOTIFY;
    if (number < least && code != MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE) {
        return false;
    }
    c->ending = TLS_END_PEER;
    c->alert_received = number >= 0 ? number : TLS_ALERT_UNREADABLE;
    if (number >= 0) {
        err_set(connection_failure(c), "the peer sent alert %s (%d)", alert_name(number), number);
    } else {
        err_set(connection_failure(c), "the peer sent an alert that is encrypted and cannot be read");
    }
    return true;
}

// mbedTLS stopped at the peer's certificate or signature. Where it could not read what was presented, it never asked
// the judge, who knows better why.
static bool we_refused(struct tls_connection *c, int code)
{
    if (is_parse_error(code) && c->verdict.reason == REASON_handshake && c->presented_count > 0 &&
        verify_presented(c)) {
        trust_verdict_set(&c->verdict, REASON_handshake, -1, "mbedTLS cannot read the certificate");
    }
    if (c->verdict.reason != REASON_ok && c->verdict.reason != REASON_handshake &&
        c->context->verification == TLS_VERIFY) {
        return true;
    }
    enum reason reason = c->state == CONNECTION_HANDSHAKE ? reason_of_code(c, code) : REASON_handshake;
    if (reason == REASON_handshake || reason == REASON_ok) {
        return false;
    }
    char words[160] = "";
    if (is_parse_error(code)) {
        mbedtls_strerror(code, words, sizeof words);
    }
    trust_verdict_set(&c->verdict, reason, reason == REASON_no_certificate ? -1 : 0, "%s%s%s",
                      reason_info(reason)->sentence, words[0] != '\0' ? ": " : "", words);
    return true;
}

// RFC 8446 section 6.2, RFC 5246 section 7.2.2.
int failure_alert(const struct tls_connection *c, int code)
{
    static const struct {
        int code;
        enum alert alert;
    } table[] = {
        {MBEDTLS_ERR_SSL_UNEXPECTED_MESSAGE, ALERT_UNEXPECTED_MESSAGE},
        {MBEDTLS_ERR_SSL_UNEXPECTED_RECORD, ALERT_UNEXPECTED_MESSAGE},
        {MBEDTLS_ERR_SSL_DECODE_ERROR, ALERT_DECODE_ERROR},
        {MBEDTLS_ERR_SSL_INVALID_RECORD, ALERT_DECODE_ERROR},
        {MBEDTLS_ERR_SSL_BUFFER_TOO_SMALL, ALERT_DECODE_ERROR},
        {MBEDTLS_ERR_SSL_ILLEGAL_PARAMETER, ALERT_ILLEGAL_PARAMETER},
        {MBEDTLS_ERR_SSL_BAD_INPUT_DATA, ALERT_ILLEGAL_PARAMETER}, // a message that is too long
        {MBEDTLS_ERR_SSL_INVALID_MAC, ALERT_BAD_RECORD_MAC},
        {MBEDTLS_ERR_SSL_BAD_PROTOCOL_VERSION, ALERT_PROTOCOL_VERSION},
        {MBEDTLS_ERR_SSL_UNSUPPORTED_EXTENSION, ALERT_UNSUPPORTED_EXTENSION},
        {MBEDTLS_ERR_SSL_ALLOC_FAILED, ALERT_INTERNAL_ERROR},
        {MBEDTLS_ERR_SSL_INTERNAL_ERROR, ALERT_INTERNAL_ERROR},
    };
    if (code == MBEDTLS_ERR_SSL_CONN_EOF || code == MBEDTLS_ERR_NET_CONN_RESET || speaks_http(&c->incoming)) {
        return TLS_ALERT_NONE; // nobody is there to hear it
    }
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        if (table[i].code == code) {
            return (int)table[i].alert;
        }
    }
    return ALERT_HANDSHAKE_FAILURE;
}

void failure_explain(struct tls_connection *c, int code)
{
    if (peer_refused(c, code)) {
        return;
    }
    if (we_refused(c, code)) {
        c->ending = TLS_END_US;
        err_refused(connection_failure(c), "%s: %s", reason_token(c->verdict.reason), c->verdict.detail);
        return;
    }
    explain_transport(c, code);
    // Whatever trust said of the certificate: this connection was not accepted.
    if (c->state == CONNECTION_HANDSHAKE) {
        trust_verdict_set(&c->verdict, REASON_handshake, -1, "%.300s", tls_failure(c));
    }
}
