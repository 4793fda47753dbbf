// SPDX-License-Identifier: Apache-2.0
// tls/ticket.c: what a ticket holds, and its seal.
#include "run.h"
#include "tls/ticket.h"

static struct rng rng;
static struct ticket_ring ring;

static int setup(void **state)
{
    struct err e = ERR_INIT;
    (void)state;
    assert_works(rng_init(&rng, &e), &e);
    assert_works(ticket_ring_make(&ring, 0, &rng, &e), &e);
    assert_works(ticket_ring_make(&ring, 1, &rng, &e), &e);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    ticket_ring_clear(&ring);
    rng_clear(&rng);
    return 0;
}

static void example(struct ticket *ticket)
{
    *ticket = (struct ticket){.version = 0x0304,
                              .authenticated = INT64_C(0x0102030405060708),
                              .name = span_of("localhost", 9),
                              .chain = {span_of("leaf", 4), span_of("", 0), span_of("issuer", 6)},
                              .count = 3,
                              .session = span_of("session", 7)};
    memset(ticket->fact, 0xfa, sizeof ticket->fact);
}

static void assert_span(struct span found, struct span expected)
{
    assert_int_equal(found.len, expected.len);
    assert_memory_equal(found.data, expected.data, expected.len);
}

static void test_content(void **state)
{
    (void)state;
    struct ticket ticket;
    struct ticket read;
    struct buf plain = {0};
    example(&ticket);
    assert_int_equal(ticket_encode(&ticket, NULL, &plain), 0);
    assert_true(ticket_decode(buf_span(&plain), NULL, &read));
    assert_int_equal(read.version, ticket.version);
    assert_int_equal(read.authenticated, ticket.authenticated);
    assert_memory_equal(read.fact, ticket.fact, sizeof read.fact);
    assert_span(read.name, ticket.name);
    assert_int_equal(read.count, 3);
    for (size_t i = 0; i < 3; i++) {
        assert_span(read.chain[i], ticket.chain[i]);
    }
    assert_span(read.session, ticket.session);
    // Not one octet less, not one more.
    for (size_t len = 0; len < plain.len; len++) {
        assert_false(ticket_decode(span_of(plain.data, len), NULL, &read));
    }
    buf_add(&plain, "", 1);
    assert_false(ticket_decode(buf_span(&plain), NULL, &read));
    buf_clear(&plain);
    // Nobody's, or somebody's with too many certificates.
    ticket.count = 0;
    assert_int_equal(ticket_encode(&ticket, NULL, &plain), 0);
    assert_false(ticket_decode(buf_span(&plain), NULL, &read));
    buf_clear(&plain);
    ticket.count = TRUST_CHAIN_MOST;
    assert_int_equal(ticket_encode(&ticket, NULL, &plain), 0);
    assert_true(ticket_decode(buf_span(&plain), NULL, &read));
    plain.data[2 + 8 + TRUST_FACT + 2 + 9 + 2 + 7] = TRUST_CHAIN_MOST + 1;
    buf_add(&plain, "\0", 2);
    assert_false(ticket_decode(buf_span(&plain), NULL, &read));
    buf_clear(&plain);
}

// A session of TLS 1.2 has the leaf in it: it is not written twice.
static void test_leaf_in_session(void **state)
{
    (void)state;
    struct ticket ticket;
    struct ticket read;
    struct buf plain = {0};
    struct buf shorter = {0};
    example(&ticket);
    assert_int_equal(ticket_encode(&ticket, NULL, &plain), 0);
    ticket.session = span_of("..leafleaf", 10);
    assert_int_equal(ticket_encode(&ticket, NULL, &shorter), 0);
    assert_int_equal(shorter.len, plain.len + 3 /* of the session */ - 4 + 4);
    assert_true(ticket_decode(buf_span(&shorter), NULL, &read));
    assert_span(read.session, ticket.session);
    assert_int_equal(read.count, 3);
    assert_span(read.chain[0], span_of("leaf", 4));
    assert_ptr_equal(read.chain[0].data, read.session.data + 2);
    assert_span(read.chain[2], ticket.chain[2]);
    uint8_t *where = shorter.data + 2 + 8 + TRUST_FACT + 2 + 9 + 2 + 10 + 1;
    const uint8_t written[] = {0xff, 0xff, 0, 2, 0, 4};
    assert_memory_equal(where, written, sizeof written);
    // one octet beyond the session, far beyond it, and nothing but beyond it
    const uint8_t wrong[][4] = {{0, 6, 0, 5}, {0xff, 0xff, 0, 4}, {0, 2, 0xff, 0xff}, {0, 11, 0, 0}};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        memcpy(where + 2, wrong[i], sizeof wrong[i]);
        assert_false(ticket_decode(buf_span(&shorter), NULL, &read));
    }
    memcpy(where, written, sizeof written);
    assert_true(ticket_decode(buf_span(&shorter), NULL, &read));
    for (size_t len = 0; len < shorter.len; len++) {
        assert_false(ticket_decode(span_of(shorter.data, len), NULL, &read));
    }
    buf_clear(&plain);
    buf_clear(&shorter);
}

// Issuers that the server has are named, and found again by whoever has them.
static void test_known_issuers(void **state)
{
    (void)state;
    static const char issuer[] = "an issuer that is longer than its digest is";
    struct ticket_issuers issuers = {.items = {{span_of("other", 5), {1}}, {span_of(issuer, sizeof issuer), {2}}},
                                     .count = 2};
    struct ticket ticket;
    struct ticket read;
    struct buf plain = {0};
    struct buf shorter = {0};
    example(&ticket);
    ticket.chain[2] = span_of(issuer, sizeof issuer);
    assert_int_equal(ticket_encode(&ticket, NULL, &plain), 0);
    assert_int_equal(ticket_encode(&ticket, &issuers, &shorter), 0);
    assert_int_equal(shorter.len, plain.len - sizeof issuer + TICKET_DIGEST);
    assert_true(ticket_decode(buf_span(&plain), &issuers, &read));
    assert_span(read.chain[2], ticket.chain[2]);
    assert_true(ticket_decode(buf_span(&shorter), &issuers, &read));
    assert_int_equal(read.count, 3);
    assert_span(read.chain[2], ticket.chain[2]);
    for (size_t len = 0; len < shorter.len; len++) {
        assert_false(ticket_decode(span_of(shorter.data, len), &issuers, &read));
    }
    assert_false(ticket_decode(buf_span(&shorter), NULL, &read));
    issuers.items[1].digest[TICKET_DIGEST - 1] ^= 1;
    assert_false(ticket_decode(buf_span(&shorter), &issuers, &read));
    buf_clear(&plain);
    buf_clear(&shorter);
}

static void test_too_long(void **state)
{
    (void)state;
    struct ticket ticket;
    struct buf plain = {0};
    uint8_t *large = mem_alloc(0x10000);
    for (size_t i = 0; i < 4; i++) {
        example(&ticket);
        struct span *parts[] = {&ticket.name, &ticket.chain[0], &ticket.chain[2], &ticket.session};
        *parts[i] = span_of(large, 0xffff);
        assert_int_equal(ticket_encode(&ticket, NULL, &plain), -1);
        *parts[i] = span_of(large, 0xfffe);
        assert_int_equal(ticket_encode(&ticket, NULL, &plain), 0);
        buf_clear(&plain);
    }
    free(large);
}

static void seal(struct buf *sealed)
{
    struct err e = ERR_INIT;
    struct ticket ticket;
    struct buf plain = {0};
    example(&ticket);
    assert_int_equal(ticket_encode(&ticket, NULL, &plain), 0);
    assert_works(ticket_seal(&ring.keys[0], &rng, buf_span(&plain), sealed, &e), &e);
    assert_int_equal(sealed->len, TICKET_HEADER + plain.len + TICKET_TAG);
    buf_clear(&plain);
}

static void test_seal(void **state)
{
    (void)state;
    struct buf sealed = {0};
    struct buf again = {0};
    struct buf plain = {0};
    struct ticket ticket;
    seal(&sealed);
    seal(&again);
    assert_int_equal(sealed.data[0], 2);
    assert_memory_equal(ticket_key_name(buf_span(&sealed)), ring.keys[0].name, TICKET_KEY_NAME);
    // The same content looks different each time, nonce and all behind it.
    assert_memory_equal(sealed.data, again.data, TICKET_HEADER - TICKET_NONCE);
    assert_memory_not_equal(sealed.data + TICKET_HEADER - TICKET_NONCE, again.data + TICKET_HEADER - TICKET_NONCE,
                            TICKET_NONCE);
    assert_memory_not_equal(sealed.data + TICKET_HEADER, again.data + TICKET_HEADER, sealed.len - TICKET_HEADER);
    assert_null(memmem(sealed.data, sealed.len, "session", 7));
    assert_true(ticket_open(&ring.keys[0], buf_span(&sealed), &plain));
    assert_true(ticket_decode(buf_span(&plain), NULL, &ticket));
    assert_span(ticket.session, span_of("session", 7));
    buf_clear(&plain);
    assert_false(ticket_open(&ring.keys[1], buf_span(&sealed), &plain));
    assert_int_equal(plain.len, 0);
    buf_clear(&plain);
    buf_clear(&sealed);
    buf_clear(&again);
}

// Every octet of it counts, and so does its length.
static void test_tampered(void **state)
{
    (void)state;
    struct buf sealed = {0};
    struct buf plain = {0};
    seal(&sealed);
    for (size_t i = 0; i < sealed.len; i++) {
        for (unsigned bit = 0; bit < 8; bit++) {
            sealed.data[i] ^= (uint8_t)(1U << bit);
            assert_false(ticket_open(&ring.keys[0], buf_span(&sealed), &plain));
            assert_int_equal(plain.len, 0);
            sealed.data[i] ^= (uint8_t)(1U << bit);
        }
        assert_false(ticket_open(&ring.keys[0], span_of(sealed.data, i), &plain));
    }
    for (size_t i = 0; i < TICKET_HEADER + TICKET_TAG; i++) {
        assert_null(ticket_key_name(span_of(sealed.data, i)));
    }
    assert_true(ticket_open(&ring.keys[0], buf_span(&sealed), &plain));
    buf_add(&sealed, "", 1);
    buf_clear(&plain);
    assert_false(ticket_open(&ring.keys[0], buf_span(&sealed), &plain));
    uint8_t *large = mem_alloc(TICKET_MOST + 1);
    large[0] = 2;
    assert_non_null(ticket_key_name(span_of(large, TICKET_MOST)));
    assert_null(ticket_key_name(span_of(large, TICKET_MOST + 1)));
    free(large);
    buf_clear(&plain);
    buf_clear(&sealed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_content),       cmocka_unit_test(test_leaf_in_session),
        cmocka_unit_test(test_known_issuers), cmocka_unit_test(test_too_long),
        cmocka_unit_test(test_seal),          cmocka_unit_test(test_tampered),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
