// SPDX-License-Identifier: Apache-2.0
#include "tls/internal.h"

#include <arpa/inet.h>
#include <errno.h>
#include <mbedtls/net_sockets.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct err *connection_failure(struct tls_connection *c)
{
    if (c->failure == NULL) {
        c->failure = mem_alloc(sizeof *c->failure);
    }
    return c->failure;
}

// From the transport, past everybody who looks on.
static int receive(struct tls_connection *c, unsigned char *data, size_t len)
{
    long n = transport_receive(&c->transport, data, len);
    if (n == TLS_IO_AGAIN) {
        return MBEDTLS_ERR_SSL_WANT_READ;
    }
    if (n < 0) {
        c->io_errno = errno;
    }
    if (n <= 0 && c->tap.ended != NULL) {
        c->tap.ended(c->tap.arg, n < 0 && c->io_errno == ECONNRESET);
        c->tap.ended = NULL; // it is told once, whoever asks again
    }
    if (n < 0) {
        return MBEDTLS_ERR_NET_CONN_RESET;
    }
    alert_watch_bytes(&c->incoming, data, (size_t)n);
    if (c->hello != NULL && c->context->role == TLS_CLIENT) {
        hello_watch_bytes(c->hello, data, (size_t)n);
    }
    if (n > 0 && c->tap.bytes != NULL) {
        c->tap.bytes(c->tap.arg, false, data, (size_t)n);
    }
    return (int)n;
}

static int bio_receive(void *arg, unsigned char *data, size_t len)
{
    struct tls_connection *c = arg;
    record_memory_incoming(&c->memory, data);
    return receive(c, data, len);
}

// A peer that refuses us and closes makes our next send fail, while its alert is still waiting to be read.
static void hear_out(struct tls_connection *c)
{
    enum { PIECES_MOST = 64 };
    unsigned char data[1024];
    if (c->context->role == TLS_CLIENT && c->incoming.application.len > 0) {
        alert_watch_handshake_over(&c->incoming); // the server's part of it is, when we send ours
    }
    for (int i = 0; i < PIECES_MOST && receive(c, data, sizeof data) > 0; i++) {
    }
}

long connection_send(struct tls_connection *c, const uint8_t *data, size_t len)
{
    long n = transport_send(&c->transport, data, len);
    if (n >= 0) {
        alert_watch_bytes(&c->outgoing, data, (size_t)n);
        if (c->hello != NULL && c->context->role == TLS_SERVER) {
            hello_watch_bytes(c->hello, data, (size_t)n);
        }
        if (n > 0 && c->tap.bytes != NULL) {
            c->tap.bytes(c->tap.arg, true, data, (size_t)n);
        }
    } else if (n != TLS_IO_AGAIN) {
        c->io_errno = errno;
    }
    return n;
}

static int bio_send(void *arg, const unsigned char *data, size_t len)
{
    struct tls_connection *c = arg;
    record_memory_outgoing(&c->memory, data);
    if (refusal_withhold(c, data, len)) {
        return (int)len;
    }
    long n = connection_send(c, data, len);
    c->unsent = n < 0 ? len : len - (size_t)n;
    if (n < 0) {
        return n == TLS_IO_AGAIN ? MBEDTLS_ERR_SSL_WANT_WRITE : MBEDTLS_ERR_NET_CONN_RESET;
    }
    // A server has its application secret when its Finished is written but not sent. mbedTLS then sends all that is
    // left of the flight, in one piece if it can, before it does anything else.
    if (c->unsent == 0 && c->context->role == TLS_SERVER && c->outgoing.application.len > 0) {
        alert_watch_handshake_over(&c->outgoing);
    }
    return (int)n;
}

// mbedTLS exports each secret of the key schedule (RFC 8446 section 7.1) as it is made.
static void keep_secret(void *arg, mbedtls_ssl_key_export_type type, const unsigned char *secret, size_t len,
                        const unsigned char client_random[32], const unsigned char server_random[32],
                        mbedtls_tls_prf_types prf)
{
    struct tls_connection *c = arg;
    bool is_client = c->context->role == TLS_CLIENT;
    struct alert_watch *client = is_client ? &c->outgoing : &c->incoming;
    struct alert_watch *server = is_client ? &c->incoming : &c->outgoing;
    struct traffic_secret *to = NULL;
    (void)server_random;
    (void)prf;
    if (c->context->key_log != NULL) {
        key_log_write(c->context->key_log, type, client_random, span_of(secret, len));
    }
    if (c->tap.secret != NULL && key_log_label(type) != NULL) {
        c->tap.secret(c->tap.arg, key_log_label(type), client_random, span_of(secret, len));
    }
    switch (type) {
    case MBEDTLS_SSL_KEY_EXPORT_TLS1_3_CLIENT_HANDSHAKE_TRAFFIC_SECRET: to = &client->handshake; break;
    case MBEDTLS_SSL_KEY_EXPORT_TLS1_3_SERVER_HANDSHAKE_TRAFFIC_SECRET: to = &server->handshake; break;
    case MBEDTLS_SSL_KEY_EXPORT_TLS1_3_CLIENT_APPLICATION_TRAFFIC_SECRET: to = &client->application; break;
    case MBEDTLS_SSL_KEY_EXPORT_TLS1_3_SERVER_APPLICATION_TRAFFIC_SECRET: to = &server->application; break;
    default: break;
    }
    if (to != NULL && len <= sizeof to->data) {
        memcpy(to->data, secret, len);
        to->len = len;
    }
}

// RFC 6066 section 3: no addresses in SNI. With NULL, mbedTLS leaves the name to trust_judge, which always looks at it.
static int set_name(struct tls_connection *c, const char *name)
{
    unsigned char address[16];
    bool is_address = inet_pton(AF_INET, name, address) == 1 || inet_pton(AF_INET6, name, address) == 1;
    return mbedtls_ssl_set_hostname(&c->ssl, is_address ? NULL : name);
}

struct tls_connection *tls_connection_new(struct tls_context *context, struct tls_io io, const char *name,
                                          struct err *e)
{
    struct tls_connection *c = mem_alloc(sizeof *c);
    c->context = tls_context_ref(context);
    c->snapshot = trust_snapshot_ref(context->snapshot);
    c->hello = context->tickets != NULL || context->sessions ? mem_alloc(sizeof *c->hello) : NULL;
    c->transport = (struct transport){.io = io, .ahead = context->role == TLS_SERVER};
    c->name = mem_strdup(name);
    c->alert_received = TLS_ALERT_NONE;
    c->refusal.withheld = TLS_ALERT_NONE;
    trust_verdict_set(&c->verdict, REASON_handshake, -1, "the handshake is not complete");
    mbedtls_ssl_init(&c->ssl);
    int code = context->role == TLS_CLIENT && name == NULL ? MBEDTLS_ERR_SSL_BAD_INPUT_DATA
                                                           : mbedtls_ssl_setup(&c->ssl, &context->config);
    if (code == 0 && name != NULL) {
        code = set_name(c, name);
    }
    if (code != 0) {
        err_mbedtls(e, code, "setting up a TLS connection");
        tls_connection_free(c);
        return NULL;
    }
    mbedtls_ssl_set_verify(&c->ssl, verify_hook, c);
    mbedtls_ssl_set_bio(&c->ssl, c, bio_send, bio_receive, NULL);
    mbedtls_ssl_set_export_keys_cb(&c->ssl, keep_secret, c);
    return c;
}

void tls_connection_tap(struct tls_connection *c, const struct tls_tap *tap)
{
    c->tap = *tap;
}

void tls_connection_free(struct tls_connection *c)
{
    if (c == NULL) {
        return;
    }
    mbedtls_ssl_free(&c->ssl);
    alert_watch_clear(&c->incoming);
    alert_watch_clear(&c->outgoing);
    trust_identity_free(c->identity);
    trust_identity_free(c->claimed);
    presented_clear(c, 0);
    resume_clear(c);
    buf_clear(&c->server_name);
    buf_clear(&c->session);
    buf_clear(&c->issuer);
    transport_clear(&c->transport);
    trust_snapshot_free(c->snapshot);
    free(c->name);
    free(c->failure);
    tls_context_free(c->context);
    free(c);
}

static enum tls_status fail(struct tls_connection *c, int code)
{
    failure_explain(c, code);
    c->state = CONNECTION_FAILED;
    return TLS_FAILED;
}

enum tls_status connection_refuse(struct tls_connection *c)
{
    c->state = CONNECTION_REFUSING;
    enum tls_status status = refusal_send(c);
    c->state = status == TLS_WANT_WRITE ? CONNECTION_REFUSING : CONNECTION_FAILED;
    return status;
}

// IANA's name of the suite, from mbedTLS's: "TLS1-3-AES-128-GCM-SHA256", "TLS-ECDHE-ECDSA-WITH-...".
static void name_cipher(struct tls_connection *c)
{
    const char *name = mbedtls_ssl_get_ciphersuite(&c->ssl);
    const char *rest = name == NULL ? "" : strchr(name, '-') + (strncmp(name, "TLS1-3-", 7) == 0 ? 2 : 0);
    snprintf(c->cipher, sizeof c->cipher, "%s%s", name == NULL ? "" : "TLS", rest);
    for (char *p = c->cipher; *p != '\0'; p++) {
        *p = *p == '-' ? '_' : *p;
    }
}

// No session was resumed: what mbedTLS has against the peer counts too.
static void conclude_full(struct tls_connection *c)
{
    struct trust_verdict *verdict = &c->verdict;
    uint32_t flags = mbedtls_ssl_get_verify_result(&c->ssl);
    if (mbedtls_ssl_get_peer_cert(&c->ssl) == NULL) {
        trust_verdict_set(verdict, REASON_no_certificate, -1, "%s", reason_info(REASON_no_certificate)->sentence);
    } else if (verdict->reason == REASON_ok && flags != 0) {
        enum reason reason = trust_reason_of_flags(flags);
        trust_verdict_set(verdict, reason, 0, "mbedTLS: %s", reason_info(reason)->sentence);
    }
}

// Whoever has been accepted gets tickets for the next time; in TLS 1.2 they were part of the handshake.
static enum tls_status write_tickets(struct tls_connection *c)
{
    int code = presented_tickets(c);
    if (code == MBEDTLS_ERR_SSL_WANT_WRITE) {
        return TLS_WANT_WRITE;
    }
    if (code != 0) {
        return fail(c, code);
    }
    c->state = CONNECTION_OPEN;
    return TLS_DONE;
}

// The one place where a peer gets its identity.
static bool identify(struct tls_connection *c)
{
    struct err e = ERR_INIT;
    c->identity = c->claimed != NULL ? c->claimed : trust_identity_new(presented_leaf(c), "", false, &e);
    c->claimed = NULL;
    if (c->identity == NULL) {
        *connection_failure(c) = e;
        c->state = CONNECTION_FAILED;
        c->ending = TLS_END_FAILURE;
        return false;
    }
    c->identity->tls_version = tls_version(c);
    c->identity->resumed = c->resumed;
    c->state = CONNECTION_TICKETS;
    c->ending = TLS_END_NONE;
    return true;
}

// A client may be told to go on with anybody who presented a certificate; mbedTLS has seen to it that they have its
// key. A server may be told to go on with those who presented none, too.
static bool may_go_on(const struct tls_connection *c)
{
    enum tls_verification verification = c->context->verification;
    return verification == TLS_UNSAFE_NO_JUDGE ||
           (verification == TLS_UNSAFE_NO_VERIFY && (c->judged || c->context->role == TLS_SERVER));
}

// The handshake is complete: mbedTLS is content, or told to leave it to us.
static enum tls_status conclude(struct tls_connection *c)
{
    alert_watch_handshake_over(&c->incoming);
    alert_watch_handshake_over(&c->outgoing);
    name_cipher(c);
    if (!(c->context->role == TLS_CLIENT ? session_conclude : resume_conclude)(c)) {
        conclude_full(c);
    }
    bool accepted = verify_current(c);
    if (!accepted && may_go_on(c)) {
        c->state = CONNECTION_OPEN; // with nobody
        return TLS_DONE;
    }
    if (accepted) {
        session_keep(c);
        return identify(c) ? write_tickets(c) : TLS_FAILED;
    }
    c->ending = TLS_END_US;
    err_refused(connection_failure(c), "%s: %s", reason_token(c->verdict.reason), c->verdict.detail);
    return connection_refuse(c);
}

// Some refusals mbedTLS keeps to itself: in TLS 1.2, no certificate, a CertificateVerify by another key or none at all,
// a message that is too long. True: there is an alert to send.
static bool find_unsaid(struct tls_connection *c, int code)
{
    bool said = alert_watch_number(&c->outgoing) != TLS_ALERT_NONE;
    if (c->refusal.withheld == TLS_ALERT_NONE && c->ending == TLS_END_FAILURE && !said) {
        c->refusal.withheld = failure_alert(c, code);
    }
    return c->refusal.withheld != TLS_ALERT_NONE || (c->ending == TLS_END_US && !said);
}

static enum tls_status handshake_on(struct tls_connection *c)
{
    switch (c->state) {
    case CONNECTION_OPEN: return TLS_DONE;
    case CONNECTION_TICKETS: return write_tickets(c);
    case CONNECTION_REFUSING: return connection_refuse(c);
    case CONNECTION_FAILED: return TLS_FAILED;
    case CONNECTION_HANDSHAKE: break;
    }
    int code = presented_handshake(c);
    switch (code) {
    case 0: return conclude(c);
    case MBEDTLS_ERR_SSL_WANT_READ: return TLS_WANT_READ;
    case MBEDTLS_ERR_SSL_WANT_WRITE: return TLS_WANT_WRITE;
    default: break;
    }
    if (code == MBEDTLS_ERR_NET_CONN_RESET) {
        hear_out(c);
    }
    enum tls_status status = fail(c, code);
    return find_unsaid(c, code) ? connection_refuse(c) : status;
}

// What was held back leaves now. As long as it cannot, the caller comes back, finds things as they are, and ends here
// again.
static enum tls_status send_held(struct tls_connection *c, enum tls_status status)
{
    c->transport.holds = false;
    long n = transport_flush(&c->transport);
    if (n == TLS_IO_AGAIN) {
        return TLS_WANT_WRITE;
    }
    if (n < 0) {
        c->io_errno = errno;
        if (status == TLS_FAILED) {
            return status;
        }
        hear_out(c);
        return fail(c, MBEDTLS_ERR_NET_CONN_RESET);
    }
    return status;
}

enum tls_status tls_handshake(struct tls_connection *c)
{
    c->transport.holds = true;
    return send_held(c, handshake_on(c));
}

static bool is_open(const struct tls_connection *c)
{
    return tls_peer(c) != NULL || (c->state == CONNECTION_OPEN && may_go_on(c));
}

enum tls_status tls_read(struct tls_connection *c, void *data, size_t len, size_t *got)
{
    *got = 0;
    if (!is_open(c)) {
        return TLS_FAILED;
    }
    int n;
    while ((n = mbedtls_ssl_read(&c->ssl, data, len)) == MBEDTLS_ERR_SSL_RECEIVED_NEW_SESSION_TICKET) {
        session_keep(c);
    }
    switch (n) {
    case 0:
    case MBEDTLS_ERR_SSL_CONN_EOF: return TLS_EOF;
    case MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY: return TLS_CLOSED;
    case MBEDTLS_ERR_SSL_WANT_READ: return TLS_WANT_READ;
    case MBEDTLS_ERR_SSL_WANT_WRITE: return TLS_WANT_WRITE;
    default: break;
    }
    if (n < 0) {
        return fail(c, n);
    }
    *got = (size_t)n;
    return TLS_DONE;
}

enum tls_status tls_write(struct tls_connection *c, const void *data, size_t len, size_t *put)
{
    *put = 0;
    if (!is_open(c)) {
        return TLS_FAILED;
    }
    int n = mbedtls_ssl_write(&c->ssl, data, len);
    if (n == MBEDTLS_ERR_SSL_WANT_READ || n == MBEDTLS_ERR_SSL_WANT_WRITE) {
        return n == MBEDTLS_ERR_SSL_WANT_READ ? TLS_WANT_READ : TLS_WANT_WRITE;
    }
    if (n == MBEDTLS_ERR_NET_CONN_RESET && c->context->role == TLS_CLIENT) {
        return TLS_EOF;
    }
    if (n < 0) {
        return fail(c, n);
    }
    *put = (size_t)n;
    return TLS_DONE;
}

enum tls_status tls_close(struct tls_connection *c)
{
    if (c->state != CONNECTION_OPEN) {
        return TLS_FAILED;
    }
    int code = c->closed ? 0 : mbedtls_ssl_close_notify(&c->ssl);
    c->closed = code == 0;
    return send_held(c, code == MBEDTLS_ERR_SSL_WANT_WRITE ? TLS_WANT_WRITE : code == 0 ? TLS_DONE : TLS_FAILED);
}

void tls_hold(struct tls_connection *c)
{
    c->transport.holds = true;
}

const struct trust_identity *tls_peer(const struct tls_connection *c)
{
    return c->state == CONNECTION_OPEN && c->verdict.reason == REASON_ok ? c->identity : NULL;
}

const struct trust_verdict *tls_verdict(const struct tls_connection *c)
{
    return &c->verdict;
}

struct span tls_peer_certificate(const struct tls_connection *c)
{
    return presented_leaf(c);
}

enum tls_ending tls_ended_by(const struct tls_connection *c)
{
    return c->ending;
}

const char *tls_failure(const struct tls_connection *c)
{
    return c->failure == NULL ? "" : c->failure->text;
}

int tls_alert_received(const struct tls_connection *c)
{
    return c->alert_received;
}

int tls_alert_sent(const struct tls_connection *c)
{
    return alert_watch_number(&c->outgoing);
}

const char *tls_version(const struct tls_connection *c)
{
    switch (mbedtls_ssl_get_version_number(&c->ssl)) {
    case MBEDTLS_SSL_VERSION_TLS1_2: return "TLSv1.2";
    case MBEDTLS_SSL_VERSION_TLS1_3: return "TLSv1.3";
    default: return "";
    }
}

const char *tls_cipher(const struct tls_connection *c)
{
    return c->cipher;
}

const char *tls_alpn(const struct tls_connection *c)
{
    const char *protocol = mbedtls_ssl_get_alpn_protocol(&c->ssl);
    return protocol == NULL ? "" : protocol;
}
