// SPDX-License-Identifier: Apache-2.0
// Sessions that OpenSSL's client resumes: who is served then, and as whom.
#include "resume_fixture.h"

#include <mbedtls/platform_time.h>

static void test_snapshots(void **state)
{
    (void)state;
    static const struct {
        enum change change;
        bool resumed;
        enum reason alice, bob; // in the full handshake
    } rows[] = {
        {NOTHING, true, REASON_ok, REASON_ok},
        {ALICE_REVOKED, false, REASON_cert_revoked, REASON_ok},
        {ONLY_BOB, false, REASON_not_allowed, REASON_ok},
        {OTHER_ANCHOR, false, REASON_chain_incomplete, REASON_chain_incomplete},
    };
    for (size_t i = 0; i < 2 * sizeof rows / sizeof rows[0]; i++) {
        struct case_of k;
        begin(&k, versions[i % 2], NULL);
        struct tls_context *changed = server(rows[i / 2].change, k.tickets);
        if (rows[i / 2].resumed) {
            expect_resumed(k.visit, changed);
        } else {
            expect_full(k.visit, changed, rows[i / 2].alice, rows[i / 2].bob);
        }
        tls_context_free(changed);
        end(&k);
    }
}

// The certificate lives for a day, the ticket could for seven.
static void test_expired(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct case_of k;
        begin(&k, versions[i], NULL);
        struct visit brief = k.visit;
        brief.who = "clients/brief";
        brief.session = first_session(&brief, k.at);
        assert_true(SSL_SESSION_get_ticket_lifetime_hint(brief.session) <= CLOCK_DAY);
        assert_int_equal(SSL_SESSION_get_ticket_lifetime_hint(k.visit.session), LIFETIME);
        expect(&brief, k.at, RESUMED, "CN=brief", none);
        later = 2 * CLOCK_DAY;
        expect(&brief, k.at, REFUSED, NULL, REASON_cert_expired);
        expect_resumed(k.visit, k.at);
        later = LIFETIME;
        expect_full(k.visit, k.at, none, none);
        SSL_SESSION_free(brief.session);
        SSL_SESSION_free(k.visit.session);
        later = 60;
        k.visit.session = first_session(&k.visit, k.at);
        expect_resumed(k.visit, k.at);
        later = 0; // it is of the future now
        expect_full(k.visit, k.at, none, none);
        end(&k);
    }
}

// However often it is renewed, a session does not outlive the lifetime after the full handshake.
static void test_renewed(void **state)
{
    (void)state;
    struct case_of k;
    struct visited v;
    begin(&k, TLS1_3_VERSION, NULL);
    later = LIFETIME - 100;
    visited_begin(&v, &k.visit, k.at);
    assert_int_equal(visited_handshake(&v), TLS_DONE);
    visited_read(&v);
    assert_true(tls_resumed(v.tls));
    assert_in_range(SSL_SESSION_get_ticket_lifetime_hint(v.session), 1, 100);
    struct visit again = k.visit;
    again.session = v.session;
    expect_resumed(again, k.at);
    later = LIFETIME;
    expect_full(again, k.at, none, none);
    later = 0;
    visited_clear(&v);
    end(&k);
}

static void test_replicas(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    for (size_t i = 0; i < 2; i++) {
        struct case_of k;
        char *file = mem_printf("%s/replicas-%zu.keys", pki_dir, i);
        char *other_file = mem_printf("%s/other-%zu.keys", pki_dir, i);
        rotate(file);
        rotate(other_file);
        begin(&k, versions[i], file);
        struct tls_tickets *replica = tickets_of(file, LIFETIME);
        struct tls_tickets *stranger = tickets_of(other_file, LIFETIME);
        struct tls_tickets *alone = tickets_of(NULL, LIFETIME);
        struct tls_context *at_replica = server(NOTHING, replica);
        struct tls_context *at_revoked = server(ALICE_REVOKED, replica);
        struct tls_context *at_stranger = server(NOTHING, stranger);
        struct tls_context *at_alone = server(NOTHING, alone);
        expect_resumed(k.visit, at_replica);
        expect_full(k.visit, at_revoked, REASON_cert_revoked, none);
        expect_full(k.visit, at_stranger, none, none);
        expect_full(k.visit, at_alone, none, none);
        // A new key: what is sealed with the old one still opens, and what is new opens where the file was read again.
        rotate(file);
        assert_works(tls_tickets_reload(k.tickets, &e), &e);
        expect_resumed(k.visit, k.at);
        struct visit fresh = k.visit;
        fresh.session = first_session(&k.visit, k.at);
        expect_full(fresh, at_replica, none, none);
        assert_works(tls_tickets_reload(replica, &e), &e);
        expect_resumed(fresh, at_replica);
        expect_resumed(k.visit, at_replica);
        SSL_SESSION_free(fresh.session);
        tls_context_free(at_replica);
        tls_context_free(at_revoked);
        tls_context_free(at_stranger);
        tls_context_free(at_alone);
        tls_tickets_free(replica);
        tls_tickets_free(stranger);
        tls_tickets_free(alone);
        end(&k);
        free(file);
        free(other_file);
    }
}

// A bit changed in each part of the ticket.
static void test_tampered(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct case_of k;
        const unsigned char *ticket;
        size_t len;
        begin(&k, versions[i], NULL);
        SSL_SESSION_get0_ticket(k.visit.session, &ticket, &len);
        const size_t at[] = {0, 1, TICKET_KEY_NAME, 1 + TICKET_KEY_NAME, TICKET_HEADER, len / 2, len - 1};
        for (size_t p = 0; p < sizeof at / sizeof at[0]; p++) {
            unsigned char *octet = (unsigned char *)(uintptr_t)ticket + at[p];
            *octet ^= 1;
            expect_full(k.visit, k.at, none, none);
            *octet ^= 1;
        }
        expect_resumed(k.visit, k.at);
        end(&k);
    }
}

static void test_server_name(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct case_of k;
        begin(&k, versions[i], NULL);
        k.visit.name = "other.example";
        expect_full(k.visit, k.at, none, none);
        k.visit.name = "localhost";
        expect_resumed(k.visit, k.at);
        end(&k);
    }
}

// What the seal protects is looked at too: each of these is well sealed, and not for this visit.
static void test_resealed(void **state)
{
    (void)state;
    enum { UNCHANGED, VERSION, FUTURE, LEAF, SESSION, COUNT };
    for (size_t i = 0; i < 2 * COUNT; i++) {
        struct err e = ERR_INIT;
        struct case_of k;
        struct rng rng;
        struct ticket_ring ring = {.count = 0};
        struct buf plain = {0};
        struct buf again = {0};
        struct buf sealed = {0};
        struct ticket ticket;
        const unsigned char *octets;
        size_t len;
        char *file = mem_printf("%s/reseal.keys", pki_dir);
        rotate(file);
        begin(&k, versions[i % 2], file);
        assert_works(ticket_ring_read(&ring, file, &e), &e);
        assert_works(rng_init(&rng, &e), &e);
        SSL_SESSION_get0_ticket(k.visit.session, &octets, &len);
        const struct ticket_key *key = ticket_ring_sealing(&ring, clock_now());
        assert_true(ticket_open(key, span_of(octets, len), &plain));
        assert_true(ticket_decode(buf_span(&plain), &k.at->issuers, &ticket));
        uint8_t *leaf = plain.data + (ticket.chain[0].data - plain.data);
        uint8_t *session = plain.data + (ticket.session.data - plain.data);
        switch (i / 2) {
        case VERSION: ticket.version ^= 0x0303 ^ 0x0304; break;
        case FUTURE: ticket.authenticated += 3600; break;
        case LEAF: leaf[ticket.chain[0].len - 1] ^= 1; break; // the fact no longer fits
        case SESSION: session[0] ^= 0xff; break;
        default: break;
        }
        assert_int_equal(ticket_encode(&ticket, &k.at->issuers, &again), 0);
        assert_works(ticket_seal(key, &rng, buf_span(&again), &sealed, &e), &e);
        assert_int_equal(sealed.len, len);
        memcpy((unsigned char *)(uintptr_t)octets, sealed.data, len);
        if (i / 2 == UNCHANGED) {
            expect_resumed(k.visit, k.at);
        } else {
            expect_full(k.visit, k.at, none, none);
        }
        buf_clear(&plain);
        buf_clear(&again);
        buf_clear(&sealed);
        ticket_ring_clear(&ring);
        rng_clear(&rng);
        free(file);
        end(&k);
    }
}

// A ticket names the issuer that the server presents too. A replica that has another one reads nothing in it.
static void test_other_issuers(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct case_of k;
        begin(&k, versions[i], NULL);
        struct tls_context *replica = server(NOTHING, k.tickets);
        struct tls_context *stranger = server(NOTHING, k.tickets);
        assert_int_equal(stranger->issuers.count, 1);
        stranger->issuers.count = 0;
        expect_full(k.visit, stranger, none, none);
        expect_resumed(k.visit, replica);
        SSL_SESSION_free(k.visit.session);
        k.visit.session = first_session(&k.visit, stranger);
        expect_resumed(k.visit, stranger); // its own tickets have it
        expect_resumed(k.visit, replica);
        tls_context_free(replica);
        tls_context_free(stranger);
        end(&k);
    }
}

// A ticket's age is the same on every machine, whenever that was started.
static void test_clock(void **state)
{
    (void)state;
#if defined(MBEDTLS_PLATFORM_MS_TIME_ALT)
    int64_t before = clock_real();
    int64_t now = mbedtls_ms_time();
    assert_in_range(now / 1000, before, clock_real());
#else
    skip(); // a distribution's mbedTLS counts from the machine's start
#endif
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_snapshots), cmocka_unit_test(test_expired),       cmocka_unit_test(test_renewed),
        cmocka_unit_test(test_replicas),  cmocka_unit_test(test_tampered),      cmocka_unit_test(test_server_name),
        cmocka_unit_test(test_resealed),  cmocka_unit_test(test_other_issuers), cmocka_unit_test(test_clock),
    };
    return cmocka_run_group_tests(tests, resume_setup, pki_teardown);
}
