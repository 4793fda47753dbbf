// SPDX-License-Identifier: Apache-2.0
// Resumption that re-checks: mbedTLS's ticket callbacks, for both versions.
//
// A ticket carries the client's certificates, and whoever comes back with one is judged by them as if it presented them
// now, by the snapshot of now. Anything against it, and there is no resumption but a full handshake, whose refusal the
// client can read. mbedTLS does not say whether it used a ticket that was accepted here; the ServerHello does.
#include "base/clock.h"
#include "tls/internal.h"
#include "tls/tickets.h"

#include <mbedtls/platform_util.h>
#include <stdlib.h>
#include <string.h>

enum { TICKETS_AFTER_FULL = 2 }; // of TLS 1.3; mbedTLS sends one after a resumed handshake

static void forget(struct tls_connection *c)
{
    if (c->resumption != NULL) {
        buf_clear(&c->resumption->plain);
        trust_identity_free(c->resumption->identity);
        free(c->resumption);
        c->resumption = NULL;
    }
}

void resume_clear(struct tls_connection *c)
{
    forget(c);
    free(c->hello);
    c->hello = NULL;
}

static bool is_for_name(const struct tls_connection *c, struct span name)
{
    return name.len == c->server_name.len && (name.len == 0 || memcmp(name.data, c->server_name.data, name.len) == 0);
}

// Extended master secret (RFC 7627 section 5.3), or a session of TLS 1.2 can be made to look like another one.
static bool binds_session(const struct tls_connection *c, const struct hello *hello)
{
    return mbedtls_ssl_get_version_number(&c->ssl) == MBEDTLS_SSL_VERSION_TLS1_3 || hello->extended_master_secret;
}

// --- a ticket comes back ---

static bool open_ticket(struct tls_connection *c, struct span sealed, int64_t now, struct buf *plain)
{
    struct ticket_key key = {.from = 0};
    const uint8_t *name = ticket_key_name(sealed);
    bool opened =
        name != NULL && tickets_opening(c->context->tickets, name, now, &key) && ticket_open(&key, sealed, plain);
    mbedtls_platform_zeroize(&key, sizeof key);
    return opened;
}

// Is it one for this connection, at this time? Seconds that clocks of replicas differ by cost a full handshake.
static bool is_usable(const struct tls_connection *c, const struct ticket *ticket, int64_t now)
{
    bool is_tls12 = ticket->version == MBEDTLS_SSL_VERSION_TLS1_2;
    // TLS 1.2: the name may come after the ticket in the ClientHello; it is looked at again in the end.
    bool name_follows = is_tls12 && c->server_name.len == 0;
    return ticket->version == mbedtls_ssl_get_version_number(&c->ssl) && ticket->authenticated <= now &&
           now - ticket->authenticated < tickets_lifetime(c->context->tickets) &&
           (name_follows || is_for_name(c, ticket->name));
}

static bool judge_ticket(struct tls_connection *c, struct resumption *resumption, int64_t now)
{
    struct trust_verdict verdict;
    struct trust_path path = {.count = 0};
    const struct ticket *ticket = &resumption->ticket;
    bool accepted = verify_chain(c, ticket->chain, ticket->count, ticket->fact, now, true, &verdict, &path);
    memcpy(resumption->fact, path.fact, sizeof resumption->fact);
    resumption->until = path.until;
    resumption->identity = path.identity;
    path.identity = NULL;
    trust_path_clear(&path);
    return accepted;
}

static const char *suite_of(const mbedtls_ssl_session *session)
{
    return mbedtls_ssl_get_ciphersuite_name(mbedtls_ssl_session_get_ciphersuite_id(session));
}

// In TLS 1.2 mbedTLS resumes under the suite that it would choose now, and a client that finds another one than the
// session's (RFC 5246 section 7.4.1.3) ends the connection: so when our key is of another kind than it was.
static bool suits_key(const struct tls_connection *c, const mbedtls_ssl_session *session)
{
    bool is_ecdsa = strstr(suite_of(session), "-ECDSA-") != NULL;
    return mbedtls_ssl_get_version_number(&c->ssl) == MBEDTLS_SSL_VERSION_TLS1_3 ||
           mbedtls_pk_can_do(&c->context->credentials->key, MBEDTLS_PK_ECDSA) == is_ecdsa;
}

static bool load_session(struct tls_connection *c, struct span saved, mbedtls_ssl_session *session)
{
    int code = presented_session(c, saved, session);
    if (code == 0 && !suits_key(c, session)) {
        mbedtls_ssl_session_free(session);
        return false;
    }
    return code == 0;
}

bool resume_consider(struct tls_connection *c, struct buf *plain, int64_t now, mbedtls_ssl_session *session)
{
    struct resumption *resumption = mem_alloc(sizeof *resumption);
    forget(c);
    c->resumption = resumption;
    resumption->plain = *plain;
    *plain = (struct buf){0};
    bool accepted = ticket_decode(buf_span(&resumption->plain), &c->context->issuers, &resumption->ticket) &&
                    is_usable(c, &resumption->ticket, now) && judge_ticket(c, resumption, now) &&
                    load_session(c, resumption->ticket.session, session);
    if (!accepted) {
        forget(c);
    }
    return accepted;
}

// mbedtls_ssl_ticket_parse_t. Of several tickets in a ClientHello, mbedTLS uses the last that it asked about, or none.
static int parse_ticket(void *arg, mbedtls_ssl_session *session, unsigned char *data, size_t len)
{
    struct tls_connection *c = presented_connection();
    struct buf plain = {0};
    int64_t now = clock_now();
    (void)arg;
    if (c == NULL) {
        return MBEDTLS_ERR_SSL_INTERNAL_ERROR;
    }
    forget(c);
    bool accepted = open_ticket(c, span_of(data, len), now, &plain) && resume_consider(c, &plain, now, session);
    buf_clear(&plain);
    return accepted ? 0 : MBEDTLS_ERR_SSL_INVALID_MAC; // a full handshake
}

// --- a ticket goes out ---

// May there be one? In TLS 1.2 it is part of a handshake that is not complete yet, in TLS 1.3 it follows.
static bool may_have_ticket(struct tls_connection *c, const mbedtls_ssl_session *session)
{
    bool is_tls13 = mbedtls_ssl_get_version_number(&c->ssl) == MBEDTLS_SSL_VERSION_TLS1_3;
    if (!verify_current(c) || c->presented_count == 0 || c->presented_count > TRUST_CHAIN_MOST) {
        return false;
    }
    if (is_tls13) {
        return c->state == CONNECTION_TICKETS;
    }
    const char *suite = suite_of(session);
    return strstr(suite, "-ECDHE-") != NULL && c->hello != NULL && c->hello->hello.known && !c->hello->hello.resumed &&
           binds_session(c, &c->hello->hello);
}

static int encode(struct tls_connection *c, const mbedtls_ssl_session *session, struct buf *plain)
{
    uint8_t *saved = mem_alloc(TICKET_MOST);
    size_t len = 0;
    int rc = mbedtls_ssl_session_save(session, saved, TICKET_MOST, &len) == 0 ? 0 : -1;
    if (rc == 0) {
        struct ticket ticket = {.version = (uint16_t)mbedtls_ssl_get_version_number(&c->ssl),
                                .authenticated = c->authenticated,
                                .name = buf_span(&c->server_name),
                                .count = c->presented_count,
                                .session = span_of(saved, len)};
        memcpy(ticket.fact, c->fact, sizeof ticket.fact);
        for (size_t i = 0; i < c->presented_count; i++) {
            ticket.chain[i] = buf_span(&c->presented[i]);
        }
        rc = ticket_encode(&ticket, &c->context->issuers, plain);
    }
    mbedtls_platform_zeroize(saved, TICKET_MOST);
    free(saved);
    return rc;
}

// Seals a ticket of at most `most` octets and returns for how many seconds it lives; 0: there is none.
static uint32_t make_ticket(struct tls_connection *c, const mbedtls_ssl_session *session, size_t most,
                            struct buf *sealed)
{
    struct ticket_key key = {.from = 0};
    struct buf plain = {0};
    struct err ignored = ERR_INIT; // without a ticket the next handshake is a full one; no more is lost
    int64_t now = clock_now();
    int64_t left = c->authenticated + tickets_lifetime(c->context->tickets) - now;
    if (left > c->until - now) {
        left = c->until - now;
    }
    bool made = left > 0 && may_have_ticket(c, session) && tickets_sealing(c->context->tickets, now, &key) &&
                encode(c, session, &plain) == 0 && plain.len + TICKET_HEADER + TICKET_TAG <= most &&
                ticket_seal(&key, &c->context->rng, buf_span(&plain), sealed, &ignored) == 0;
    mbedtls_platform_zeroize(&key, sizeof key);
    buf_clear(&plain);
    return made ? (uint32_t)left : 0;
}

// mbedtls_ssl_ticket_write_t. Where there is to be no ticket, TLS 1.2 has the empty one (RFC 5077 section 3.3) and TLS
// 1.3 the lifetime 0, with which it must be thrown away (RFC 8446 section 4.6.1): mbedTLS takes a failure for the
// connection's.
static int write_ticket(void *arg, const mbedtls_ssl_session *session, unsigned char *start, const unsigned char *end,
                        size_t *len, uint32_t *lifetime)
{
    struct tls_connection *c = presented_connection();
    struct buf sealed = {0};
    size_t room = (size_t)(end - start);
    (void)arg;
    *len = 0;
    *lifetime = 0;
    if (c == NULL || room == 0) {
        return MBEDTLS_ERR_SSL_INTERNAL_ERROR;
    }
    *lifetime = make_ticket(c, session, room < TICKET_MOST ? room : TICKET_MOST, &sealed);
    if (*lifetime > 0) {
        memcpy(start, sealed.data, sealed.len);
        *len = sealed.len;
    } else if (mbedtls_ssl_get_version_number(&c->ssl) == MBEDTLS_SSL_VERSION_TLS1_3) {
        *start = 0;
        *len = 1;
    }
    buf_clear(&sealed);
    return 0;
}

// mbedTLS says which server name the client asks for, RFC 6066 section 3.
static int take_name(void *arg, mbedtls_ssl_context *ssl, const unsigned char *name, size_t len)
{
    struct tls_connection *c = presented_connection();
    (void)arg;
    (void)ssl;
    if (c == NULL) {
        return -1;
    }
    buf_clear(&c->server_name);
    buf_add(&c->server_name, name, len);
    return 0;
}

void resume_configure(mbedtls_ssl_config *config)
{
    mbedtls_ssl_conf_session_tickets_cb(config, write_ticket, parse_ticket, NULL);
    mbedtls_ssl_conf_new_session_tickets(config, TICKETS_AFTER_FULL);
    mbedtls_ssl_conf_sni(config, take_name, NULL);
    // Never without a fresh key exchange: who has a ticket key must not be able to read what was recorded.
    mbedtls_ssl_conf_tls13_key_exchange_modes(config, MBEDTLS_SSL_TLS1_3_KEY_EXCHANGE_MODE_EPHEMERAL |
                                                          MBEDTLS_SSL_TLS1_3_KEY_EXCHANGE_MODE_PSK_EPHEMERAL);
}

// --- what came of it ---

void resume_adopt(struct tls_connection *c, struct resumption *resumption)
{
    presented_clear(c, 0);
    for (size_t i = 0; i < resumption->ticket.count; i++) {
        presented_add(c, resumption->ticket.chain[i]);
    }
    memcpy(c->fact, resumption->fact, sizeof c->fact);
    c->until = resumption->until;
    c->authenticated = resumption->ticket.authenticated;
    trust_identity_free(c->claimed);
    c->claimed = resumption->identity;
    resumption->identity = NULL;
    c->resumed = true;
    trust_verdict_set(&c->verdict, REASON_ok, -1, "%s", "");
}

bool resume_conclude(struct tls_connection *c)
{
    if (c->hello == NULL) {
        return false;
    }
    const struct hello hello = c->hello->hello;
    const char *against = NULL;
    if (!hello.known) {
        against = "the ServerHello that was sent is not understood";
    } else if (hello.resumed && c->resumption == NULL) {
        against = "a session was resumed whose ticket was not accepted";
    } else if (hello.resumed && !binds_session(c, &hello)) {
        against = "a session is resumed without extended_master_secret (RFC 7627 section 5.3)";
    } else if (hello.resumed && !is_for_name(c, c->resumption->ticket.name)) {
        against = "a session is resumed for another server name (RFC 6066 section 3)";
    } else if (hello.resumed) {
        resume_adopt(c, c->resumption);
    }
    if (against != NULL) {
        trust_verdict_set(&c->verdict, REASON_handshake, -1, "%s", against);
    }
    resume_clear(c);
    return against != NULL || hello.resumed;
}
