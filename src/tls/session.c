// SPDX-License-Identifier: Apache-2.0
// Sessions that a client keeps, and resumption that re-checks: the mirror of resume.c.
//
// A session holds what the server presented in the full handshake. Before it is offered the server is judged by that
// again, by the snapshot of now; if there is anything against it, the session is not offered, and the server may show
// what it has become. No certificate comes with a resumed handshake, and a handshake in which none came was resumed.
#include "base/clock.h"
#include "base/pem.h"
#include "tls/internal.h"

#include <mbedtls/platform_util.h>
#include <mbedtls/sha256.h>
#include <stdlib.h>

enum { FORMAT = 1, OWN = SESSION_OWN, SESSION_MOST = 64 * 1024, AGE_MOST = 7 * CLOCK_DAY }; // RFC 8446 section 4.6.1

static const char label[] = "MTLS SESSION";

void tls_session_free(struct tls_session *session)
{
    if (session != NULL) {
        buf_clear(&session->ticket);
        mbedtls_platform_zeroize(session, sizeof *session);
        free(session);
    }
}

// In a resumed session we are who we were: with another certificate, a session of its own is needed.
static void digest_own(const struct tls_context *context, uint8_t own[OWN])
{
    memset(own, 0, OWN);
    if (context->credentials != NULL) {
        const mbedtls_x509_buf *leaf = &context->credentials->chain.raw;
        (void)mbedtls_sha256(leaf->p, leaf->len, own, 0);
    }
}

// --- a session comes into being ---

void session_configure(mbedtls_ssl_config *config)
{
    mbedtls_ssl_conf_session_tickets(config, MBEDTLS_SSL_SESSION_TICKETS_ENABLED);
    mbedtls_ssl_conf_tls13_enable_signal_new_session_tickets(config,
                                                             MBEDTLS_SSL_TLS1_3_SIGNAL_NEW_SESSION_TICKETS_ENABLED);
    // Never without a fresh key exchange: see resume_configure.
    mbedtls_ssl_conf_tls13_key_exchange_modes(config, MBEDTLS_SSL_TLS1_3_KEY_EXCHANGE_MODE_EPHEMERAL |
                                                          MBEDTLS_SSL_TLS1_3_KEY_EXCHANGE_MODE_PSK_EPHEMERAL);
}

static int encode(struct tls_connection *c, const mbedtls_ssl_session *session, struct buf *to)
{
    uint8_t *saved = mem_alloc(SESSION_MOST);
    size_t len = 0;
    int rc = mbedtls_ssl_session_save(session, saved, SESSION_MOST, &len) == 0 ? 0 : -1;
    if (rc == 0) {
        // No fact: it would have to come from where nobody can write.
        struct ticket ticket = {.version = (uint16_t)mbedtls_ssl_get_version_number(&c->ssl),
                                .authenticated = c->authenticated,
                                .name = span_of(c->name, strlen(c->name)),
                                .count = c->presented_count,
                                .session = span_of(saved, len)};
        for (size_t i = 0; i < c->presented_count; i++) {
            ticket.chain[i] = buf_span(&c->presented[i]);
        }
        rc = ticket_encode(&ticket, NULL, to);
    }
    mbedtls_platform_zeroize(saved, SESSION_MOST);
    free(saved);
    return rc;
}

void session_keep(struct tls_connection *c)
{
    if (!c->context->sessions || !c->bound || c->verdict.reason != REASON_ok || c->presented_count == 0 ||
        c->presented_count > TRUST_CHAIN_MOST) {
        return;
    }
    struct buf encoded = {0};
    mbedtls_ssl_session session;
    mbedtls_ssl_session_init(&session);
    // It fails in TLS 1.3 as long as no ticket has come.
    if (mbedtls_ssl_get_session(&c->ssl, &session) == 0 && encode(c, &session, &encoded) == 0) {
        buf_clear(&c->session);
        c->session = encoded;
    } else {
        buf_clear(&encoded);
    }
    mbedtls_ssl_session_free(&session);
}

struct tls_session *tls_session_of(struct tls_connection *c)
{
    if (c->session.len == 0) {
        return NULL;
    }
    struct tls_session *session = mem_alloc(sizeof *session);
    digest_own(c->context, session->own);
    buf_add(&session->ticket, c->session.data, c->session.len);
    return session;
}

// --- as text ---

void tls_session_write(const struct tls_session *session, struct buf *out)
{
    const uint8_t format = FORMAT;
    struct buf plain = {0};
    buf_add(&plain, &format, 1);
    buf_add(&plain, session->own, sizeof session->own);
    buf_add(&plain, session->ticket.data, session->ticket.len);
    pem_write(out, label, buf_span(&plain));
    buf_clear(&plain);
}

struct tls_session *tls_session_read(struct span text, struct err *e)
{
    struct pem_block block;
    struct ticket ticket;
    struct tls_session *session = NULL;
    int found = pem_next(&text, &block, e);
    if (found > 0) {
        const uint8_t *data = block.der.data;
        size_t len = block.der.len;
        if (strcmp(block.label, label) == 0 && len > 1 + OWN && data[0] == FORMAT &&
            ticket_decode(span_of(data + 1 + OWN, len - 1 - OWN), NULL, &ticket)) {
            session = mem_alloc(sizeof *session);
            memcpy(session->own, data + 1, OWN);
            buf_add(&session->ticket, data + 1 + OWN, len - 1 - OWN);
        }
        buf_clear(&block.der);
    }
    if (session == NULL) {
        err_set(e, "there is no session in it that this program wrote");
    }
    return session;
}

// --- it is offered ---

static bool speaks(const struct tls_context *context, uint16_t version)
{
    return version == MBEDTLS_SSL_VERSION_TLS1_3   ? context->versions != TLS_1_2_ONLY
           : version == MBEDTLS_SSL_VERSION_TLS1_2 ? context->versions != TLS_1_3_ONLY
                                                   : false;
}

static int check(const struct tls_connection *c, const struct tls_session *session, const struct ticket *ticket,
                 int64_t now, struct err *e)
{
    uint8_t own[OWN];
    digest_own(c->context, own);
    if (!spans_equal(ticket->name, span_of(c->name, strlen(c->name)))) {
        return err_set(e, "the session is of a server by another name");
    }
    if (memcmp(own, session->own, OWN) != 0) {
        return err_set(e, "the session was made with another certificate of ours");
    }
    if (!speaks(c->context, ticket->version)) {
        return err_set(e, "the session is of a version of TLS that is not to be spoken");
    }
    if (now < ticket->authenticated || now - ticket->authenticated >= AGE_MOST) {
        return err_set(e, "the session is more than seven days old, or of the future");
    }
    return 0;
}

static int judge(struct tls_connection *c, struct resumption *resumption, int64_t now, struct err *e)
{
    struct trust_verdict verdict;
    struct trust_path path = {.count = 0};
    bool accepted =
        verify_chain(c, resumption->ticket.chain, resumption->ticket.count, NULL, now, false, &verdict, &path);
    memcpy(resumption->fact, path.fact, sizeof resumption->fact);
    resumption->until = path.until;
    trust_path_clear(&path);
    return accepted ? 0
                    : err_refused(e, "the server of the session is no longer acceptable: %s: %s",
                                  reason_token(verdict.reason), verdict.detail);
}

static int offer(struct tls_connection *c, struct span saved, struct err *e)
{
    mbedtls_ssl_session session;
    mbedtls_ssl_session_init(&session);
    int code = presented_session(c, saved, &session);
    if (code == 0) {
        code = mbedtls_ssl_set_session(&c->ssl, &session);
    }
    mbedtls_ssl_session_free(&session);
    return code == 0 ? 0 : err_mbedtls(e, code, "mbedTLS does not take the session");
}

int tls_connection_resume(struct tls_connection *c, const struct tls_session *session, struct err *e)
{
    int64_t now = clock_now();
    if (!c->context->sessions || c->state != CONNECTION_HANDSHAKE || c->resumption != NULL) {
        return err_set(e, "a session cannot be offered here");
    }
    struct resumption *resumption = mem_alloc(sizeof *resumption);
    buf_add(&resumption->plain, session->ticket.data, session->ticket.len);
    if (!ticket_decode(buf_span(&resumption->plain), NULL, &resumption->ticket)) {
        err_set(e, "the session is damaged");
    } else if (check(c, session, &resumption->ticket, now, e) == 0 && judge(c, resumption, now, e) == 0 &&
               offer(c, resumption->ticket.session, e) == 0) {
        c->resumption = resumption;
        return 0;
    }
    buf_clear(&resumption->plain);
    free(resumption);
    return -1;
}

// --- what came of it ---

bool session_conclude(struct tls_connection *c)
{
    bool resumed = c->resumption != NULL && !c->judged && c->presented_count == 0;
    // Extended master secret (RFC 7627 section 5.3), or a session of TLS 1.2 can be made to look like another one.
    c->bound = mbedtls_ssl_get_version_number(&c->ssl) == MBEDTLS_SSL_VERSION_TLS1_3 ||
               (c->hello != NULL && c->hello->hello.known && c->hello->hello.extended_master_secret);
    if (resumed && !c->bound) {
        trust_verdict_set(&c->verdict, REASON_handshake, -1,
                          "a session is resumed without extended_master_secret (RFC 7627 section 5.3)");
    } else if (resumed) {
        resume_adopt(c, c->resumption);
    }
    resume_clear(c);
    return resumed;
}
