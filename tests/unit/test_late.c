// SPDX-License-Identifier: Apache-2.0
// A server refuses and is gone while the client is still sending: its alert is there to be read, and is.
#include "tls_pair.h"
#include "unit.h"

#include <errno.h>

static struct pair pair;
static int sends_left; // that the client's transport takes before it breaks; of the last one not all
enum { TAIL = 60 };    // octets: there is no certificate in them

static void server_turn(void)
{
    (void)tls_handshake(pair.server.tls);
}

static long breaking_send(void *arg, const uint8_t *data, size_t len)
{
    if (sends_left-- > 0) {
        struct end *end = arg;
        size_t n = sends_left == 0 && len > TAIL ? len - TAIL : len; // a flight may be one piece
        buf_add(&end->other->in, data, n);
        return (long)n;
    }
    server_turn(); // it has seen enough to refuse
    errno = EPIPE;
    return TLS_IO_ERROR;
}

static long breaking_receive(void *arg, uint8_t *data, size_t len)
{
    long n = end_receive(arg, data, len);
    if (n != TLS_IO_AGAIN || sends_left >= 0) {
        return n;
    }
    errno = ECONNRESET;
    return TLS_IO_ERROR;
}

static void open_breaking(const char *client, enum tls_versions versions)
{
    struct err e = ERR_INIT;
    struct tls_io io = {.arg = &pair.client, .receive = breaking_receive, .send = breaking_send};
    sends_left = 1000;
    pair_open(&pair, client, "servers/localhost", "localhost", versions);
    tls_connection_free(pair.client.tls);
    pair.client.tls = tls_connection_new(pair.client_context, io, "localhost", &e);
    assert_string_equal(e.text, "");
}

static void expect_alert(int alert)
{
    assert_int_equal(tls_ended_by(pair.client.tls), TLS_END_PEER);
    assert_int_equal(tls_alert_received(pair.client.tls), alert);
    assert_null(tls_peer(pair.client.tls));
}

static const struct {
    const char *client;
    int alert;
} refused[] = {
    {"flaws/client-revoked", ALERT_CERTIFICATE_REVOKED},
    {"flaws/client-stranger", ALERT_UNKNOWN_CA},
    {"flaws/client-expired", ALERT_CERTIFICATE_EXPIRED},
};
enum { REFUSED = sizeof refused / sizeof refused[0] };

// TLS 1.2: the server refuses the certificate at the head of the client's flight.
static void test_in_the_flight(void **state)
{
    (void)state;
    for (size_t i = 0; i < REFUSED; i++) {
        open_breaking(refused[i].client, TLS_1_2_ONLY);
        assert_int_equal(tls_handshake(pair.client.tls), TLS_WANT_READ);
        server_turn();
        sends_left = 1;
        assert_int_equal(tls_handshake(pair.client.tls), TLS_FAILED);
        expect_alert(refused[i].alert);
        pair_close(&pair);
    }
}

// TLS 1.3: the handshake was complete, and the request is on its way; more of it than goes out at once, or none.
static void test_in_the_request(void **state)
{
    (void)state;
    char data[16];
    size_t n = 0;
    for (size_t i = 0; i < 2 * REFUSED; i++) {
        open_breaking(refused[i / 2].client, TLS_1_3_ONLY);
        assert_int_equal(tls_handshake(pair.client.tls), TLS_WANT_READ);
        server_turn();
        assert_int_equal(tls_handshake(pair.client.tls), TLS_DONE);
        sends_left = i % 2 == 0 ? 0 : 1;
        if (i % 2 == 1) {
            assert_int_equal(tls_write(pair.client.tls, "hello", 5, &n), TLS_DONE);
        }
        assert_int_equal(tls_write(pair.client.tls, "hello", 5, &n), TLS_EOF);
        assert_int_equal(n, 0);
        assert_int_equal(tls_read(pair.client.tls, data, sizeof data, &n), TLS_FAILED);
        expect_alert(refused[i / 2].alert);
        pair_close(&pair);
    }
}

// A transport that breaks is one that breaks, if nobody said anything.
static void test_nothing_said(void **state)
{
    (void)state;
    char data[16];
    size_t n = 0;
    open_breaking("clients/alice", TLS_1_3_ONLY);
    assert_int_equal(tls_handshake(pair.client.tls), TLS_WANT_READ);
    server_turn();
    assert_int_equal(tls_handshake(pair.client.tls), TLS_DONE);
    sends_left = 0;
    assert_int_equal(tls_write(pair.client.tls, "hello", 5, &n), TLS_EOF);
    assert_int_equal(tls_read(pair.client.tls, data, sizeof data, &n), TLS_FAILED);
    assert_int_equal(tls_ended_by(pair.client.tls), TLS_END_FAILURE);
    assert_string_equal(tls_failure(pair.client.tls), "the connection broke: Connection reset by peer");
    pair_close(&pair);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_in_the_flight),
        cmocka_unit_test(test_in_the_request),
        cmocka_unit_test(test_nothing_said),
    };
    return cmocka_run_group_tests(tests, pki_setup, pki_teardown);
}
