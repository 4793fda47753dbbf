// SPDX-License-Identifier: Apache-2.0
// Session tickets. With the seal in the way nothing that is read behind it would ever be reached, so the input is what
// a ticket holds: an octet for the server's version, one for the name that the client asks for, then the content.
#include "fuzz.h"
#include "tls/internal.h"
#include "tls/tickets.h"

#include <stdlib.h>
#include <string.h>

enum { LIFETIME = 3600, HEADER = 5 };
static struct tls_context *contexts[2]; // of TLS 1.2 and 1.3; never freed
static uint8_t header[HEADER];          // of mbedTLS's saved sessions: its version and configuration

static void make_contexts(void)
{
    struct err e = ERR_INIT;
    const struct tls_ticket_settings tickets = {.lifetime = LIFETIME};
    mbedtls_ssl_session session;
    uint8_t saved[64];
    size_t len;
    for (size_t i = 0; i < 2; i++) {
        struct tls_settings settings = {
            .role = TLS_SERVER,
            .versions = i == 0 ? TLS_1_2_ONLY : TLS_1_3_ONLY,
            .snapshot = (struct trust_snapshot *)(uintptr_t)fuzz_snapshot(true),
            .tickets = tls_tickets_new(&tickets, &e),
        };
        contexts[i] = tls_context_new(&settings, &e);
        REQUIRE(contexts[i] != NULL);
        contexts[i]->credentials = mem_alloc(sizeof *contexts[i]->credentials);
        mbedtls_pk_init(&contexts[i]->credentials->key);
        REQUIRE(mbedtls_pk_setup(&contexts[i]->credentials->key, mbedtls_pk_info_from_type(MBEDTLS_PK_ECKEY)) == 0);
    }
    mbedtls_ssl_session_init(&session);
    (void)mbedtls_ssl_session_save(&session, saved, sizeof saved, &len); // of no version: the header, then an error
    memcpy(header, saved, sizeof header);
}

// What was accepted is what it says. That can be said in one way only, but for the leaf, which may also be said by
// where it is in the session.
static void require_sound(const struct tls_connection *c, struct span content)
{
    const struct ticket *ticket = &c->resumption->ticket;
    struct ticket same;
    struct buf again = {0};
    REQUIRE(ticket_encode(ticket, NULL, &again) == 0 && again.len <= content.len);
    REQUIRE(ticket_decode(buf_span(&again), NULL, &same) && same.count == ticket->count);
    REQUIRE(same.version == ticket->version && same.authenticated == ticket->authenticated);
    REQUIRE(memcmp(same.fact, ticket->fact, sizeof same.fact) == 0);
    REQUIRE(spans_equal(same.name, ticket->name) && spans_equal(same.session, ticket->session));
    for (size_t i = 0; i < same.count; i++) {
        REQUIRE(spans_equal(same.chain[i], ticket->chain[i]));
    }
    REQUIRE(ticket->count > 0 && ticket->count <= TRUST_CHAIN_MOST);
    REQUIRE(ticket->version == mbedtls_ssl_get_version_number(&c->ssl));
    REQUIRE(ticket->authenticated <= FUZZ_NOW && FUZZ_NOW - ticket->authenticated < LIFETIME);
    REQUIRE(c->resumption->until >= FUZZ_NOW);
    struct certificate *leaf = certificate_read(ticket->chain[0]);
    REQUIRE(leaf->bad == REASON_ok && leaf->not_before <= FUZZ_NOW && leaf->not_after >= FUZZ_NOW);
    certificate_free(leaf);
    buf_clear(&again);
}

static void consider(struct tls_connection *c, struct span content)
{
    mbedtls_ssl_session session;
    struct ticket ticket;
    struct buf plain = {0};
    buf_add(&plain, content.data, content.len);
    if (ticket_decode(buf_span(&plain), NULL, &ticket) && ticket.session.len >= HEADER) {
        memcpy(plain.data + (ticket.session.data - plain.data), header, HEADER);
    }
    struct buf same = {0};
    buf_add(&same, plain.data, plain.len);
    mbedtls_ssl_session_init(&session);
    bool accepted = resume_consider(c, &plain, FUZZ_NOW, &session);
    REQUIRE(plain.data == NULL && accepted == (c->resumption != NULL));
    REQUIRE(c->presented_count == 0 && c->verdict.reason == REASON_handshake && !c->resumed);
    if (accepted) {
        require_sound(c, buf_span(&same));
    }
    mbedtls_ssl_session_free(&session);
    buf_clear(&same);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span input = span_of(data, size);
    struct err e = ERR_INIT;
    struct ticket_key key = {.from = 0};
    struct buf plain = {0};
    if (contexts[0] == NULL) {
        make_contexts();
    }
    REQUIRE(!ticket_open(&key, input, &plain) && plain.len == 0); // nobody has sealed it
    buf_clear(&plain);
    bool is_tls13 = fuzz_octet(&input) == 4;
    bool names = fuzz_octet(&input) == 1;
    struct tls_connection *c = tls_connection_new(contexts[is_tls13], (struct tls_io){.arg = NULL}, NULL, &e);
    if (names) {
        buf_text(&c->server_name, "localhost");
    }
    consider(c, input);
    tls_connection_free(c);
    return 0;
}
