// SPDX-License-Identifier: Apache-2.0
// tls/transport.c: how often the system is called, and that nothing is lost or changed by it.
#include "openssl_client.h"
#include "tls/transport.h"

// --- a transport that takes and gives as much as it is told to ---

static struct {
    uint8_t sent[100000];
    size_t sent_len, sends, send_most;
    const char *incoming;
    size_t receives, receive_most;
    bool broken, ended;
} pipe_end;

static long pipe_send(void *arg, const uint8_t *data, size_t len)
{
    (void)arg;
    pipe_end.sends++;
    if (pipe_end.broken) {
        return TLS_IO_ERROR;
    }
    size_t n = len < pipe_end.send_most ? len : pipe_end.send_most;
    memcpy(pipe_end.sent + pipe_end.sent_len, data, n);
    pipe_end.sent_len += n;
    pipe_end.send_most -= n;
    return n > 0 ? (long)n : TLS_IO_AGAIN;
}

static long pipe_receive(void *arg, uint8_t *data, size_t len)
{
    (void)arg;
    pipe_end.receives++;
    size_t there = strlen(pipe_end.incoming);
    size_t n = there < len ? there : len;
    n = n < pipe_end.receive_most ? n : pipe_end.receive_most;
    memcpy(data, pipe_end.incoming, n);
    pipe_end.incoming += n;
    return n > 0 || pipe_end.ended ? (long)n : TLS_IO_AGAIN;
}

static struct transport begin(void)
{
    memset(&pipe_end, 0, sizeof pipe_end);
    pipe_end.send_most = pipe_end.receive_most = SIZE_MAX;
    pipe_end.incoming = "";
    return (struct transport){.io = {.send = pipe_send, .receive = pipe_receive}};
}

static long send_text(struct transport *t, const char *text)
{
    return transport_send(t, (const uint8_t *)text, strlen(text));
}

static void assert_sent(const char *expected)
{
    assert_int_equal(pipe_end.sent_len, strlen(expected));
    assert_memory_equal(pipe_end.sent, expected, pipe_end.sent_len);
}

// --- sending ---

static void test_at_once(void **state)
{
    (void)state;
    struct transport t = begin();
    assert_int_equal(send_text(&t, "one"), 3);
    assert_sent("one");
    pipe_end.send_most = 2;
    assert_int_equal(send_text(&t, "two"), 2); // the rest is the caller's
    assert_int_equal(send_text(&t, "o"), TLS_IO_AGAIN);
    assert_int_equal(transport_flush(&t), 0); // nothing waits
    pipe_end.broken = true;
    assert_int_equal(send_text(&t, "o"), TLS_IO_ERROR);
    transport_clear(&t);
}

static void test_held(void **state)
{
    (void)state;
    struct transport t = begin();
    t.holds = true;
    assert_int_equal(send_text(&t, "one "), 4);
    assert_int_equal(send_text(&t, "two "), 4);
    assert_int_equal(pipe_end.sends, 0);
    pipe_end.send_most = 3;
    t.holds = false;
    assert_int_equal(transport_flush(&t), TLS_IO_AGAIN);
    assert_sent("one");
    assert_int_equal(send_text(&t, "three"), TLS_IO_AGAIN); // not before what waits
    pipe_end.send_most = 1;
    t.holds = true;
    assert_int_equal(send_text(&t, "three"), 5); // but behind it
    pipe_end.send_most = SIZE_MAX;
    pipe_end.sends = 0;
    assert_int_equal(transport_flush(&t), 0);
    assert_int_equal(pipe_end.sends, 1);
    assert_sent("one two three");
    assert_int_equal(transport_flush(&t), 0);
    assert_int_equal(pipe_end.sends, 1);
    transport_clear(&t);
}

static void test_held_is_bounded(void **state)
{
    (void)state;
    static const uint8_t record[1000];
    struct transport t = begin();
    t.holds = true;
    pipe_end.send_most = 0;
    size_t held = 0;
    while (transport_send(&t, record, sizeof record) > 0) {
        held += sizeof record;
        assert_true(held < 100000);
    }
    assert_in_range(held, 16384 + 1000, 32768); // any flight with a record of full size, and no more
    pipe_end.send_most = SIZE_MAX;
    assert_int_equal(transport_send(&t, record, sizeof record), sizeof record);
    assert_int_equal(pipe_end.sent_len, held);
    assert_int_equal(transport_flush(&t), 0);
    assert_int_equal(pipe_end.sent_len, held + sizeof record);
    transport_clear(&t);
}

static void test_broken(void **state)
{
    (void)state;
    struct transport t = begin();
    t.holds = true;
    assert_int_equal(send_text(&t, "one"), 3);
    pipe_end.broken = true;
    assert_int_equal(transport_flush(&t), TLS_IO_ERROR);
    assert_int_equal(transport_flush(&t), 0); // it is said once
    transport_clear(&t);
}

// --- receiving ---

static void expect_received(struct transport *t, size_t asked, const char *expected, size_t receives)
{
    uint8_t data[8192];
    long n = transport_receive(t, data, asked);
    assert_int_equal(n, strlen(expected));
    assert_memory_equal(data, expected, (size_t)n);
    assert_int_equal(pipe_end.receives, receives);
}

static void test_received(void **state)
{
    (void)state;
    for (int ahead = 0; ahead < 2; ahead++) {
        uint8_t octet;
        struct transport t = begin();
        t.ahead = ahead == 1;
        pipe_end.incoming = "one two";
        expect_received(&t, 3, "one", 1);
        expect_received(&t, 1, " ", ahead ? 1 : 2);
        expect_received(&t, 10, "two", ahead ? 1 : 3);
        assert_int_equal(transport_receive(&t, &octet, 1), TLS_IO_AGAIN);
        assert_null(t.in); // what is quiet keeps no memory
        pipe_end.incoming = "three";
        expect_received(&t, 8000, "three", ahead ? 3 : 5); // more than is read ahead
        assert_null(t.in);
        pipe_end.incoming = "four";
        pipe_end.receive_most = 1;
        expect_received(&t, 2, "f", ahead ? 4 : 6);
        pipe_end.ended = true;
        pipe_end.receive_most = SIZE_MAX;
        expect_received(&t, 2, "ou", ahead ? 5 : 7);
        expect_received(&t, 2, "r", ahead ? 5 : 8);
        assert_int_equal(transport_receive(&t, &octet, 1), 0);
        assert_null(t.in);
        transport_clear(&t);
    }
}

// --- a connection ---

static size_t sends;

static long counted_send(void *arg, const uint8_t *data, size_t len)
{
    sends++;
    return server_send(arg, data, len);
}

// A flight of the handshake leaves as one; and so does the last response with the goodbye.
static void test_flights(void **state)
{
    (void)state;
    for (size_t v = 0; v < 2; v++) {
        struct tls_settings settings = {.versions = client_versions[v].ours};
        struct tls_context *server = server_context(&settings, "servers/localhost");
        struct openssl_client client;
        char got[16];
        size_t n = 0;
        client_open(&client, server, client_versions[v].openssl);
        client.server->transport.io.send = counted_send;
        sends = 0;
        assert_true(client_shake(&client));
        assert_int_equal(sends, v == 0 ? 2 : 1); // TLS 1.2: ServerHello..ServerHelloDone, ..Finished; 1.3: one
        sends = 0;
        assert_int_equal(tls_write(client.server, "now", 3, &n), TLS_DONE);
        assert_int_equal(sends, 1);
        tls_hold(client.server);
        assert_int_equal(tls_write(client.server, "later", 5, &n), TLS_DONE);
        assert_int_equal(sends, 1);
        client.most = 10;
        assert_int_equal(tls_close(client.server), TLS_DONE);
        assert_true(sends > 2);
        client.most = SIZE_MAX / 2;
        assert_int_equal(SSL_read(client.ssl, got, sizeof got), 3);
        assert_int_equal(SSL_read(client.ssl, got, sizeof got), 5);
        assert_int_equal(SSL_read(client.ssl, got, sizeof got), 0);
        assert_int_equal(SSL_get_shutdown(client.ssl), SSL_RECEIVED_SHUTDOWN);
        client_close(&client);
        tls_context_free(server);
    }
}

// The transport is full when the goodbye comes: it is said once, when there is room.
static void test_goodbye_waits(void **state)
{
    (void)state;
    struct tls_settings settings = {.versions = client_versions[0].ours};
    struct tls_context *server = server_context(&settings, "servers/localhost");
    struct openssl_client client;
    char got[16];
    size_t n = 0;
    client_open(&client, server, client_versions[0].openssl);
    assert_true(client_shake(&client));
    tls_hold(client.server);
    assert_int_equal(tls_write(client.server, "later", 5, &n), TLS_DONE);
    client.most = 0;
    assert_int_equal(tls_close(client.server), TLS_WANT_WRITE);
    assert_int_equal(tls_close(client.server), TLS_WANT_WRITE);
    client.most = SIZE_MAX / 2;
    assert_int_equal(tls_close(client.server), TLS_DONE);
    assert_int_equal(SSL_read(client.ssl, got, sizeof got), 5);
    assert_int_equal(SSL_read(client.ssl, got, sizeof got), 0);
    assert_int_equal(BIO_ctrl_pending(client.to_client), 0);
    client_close(&client);
    tls_context_free(server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_at_once),       cmocka_unit_test(test_held),     cmocka_unit_test(test_held_is_bounded),
        cmocka_unit_test(test_broken),        cmocka_unit_test(test_received), cmocka_unit_test(test_flights),
        cmocka_unit_test(test_goodbye_waits),
    };
    return cmocka_run_group_tests(tests, pki_setup, pki_teardown);
}
