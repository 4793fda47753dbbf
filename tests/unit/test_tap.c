// SPDX-License-Identifier: Apache-2.0
// What the tap of one side sees sent, the tap of the other sees received, octet for octet; and it changes nothing.
#include "base/text.h"
#include "tls_pair.h"

#include <errno.h>

struct secrets {
    char *lines[8]; // "LABEL random secret"
    size_t count;
};

struct tapped {
    struct buf passed[2]; // received, sent
    struct buf unread;    // that is still on its way to this side
    struct secrets secrets;
    size_t empty; // calls with nothing
    int ended, reset;
};

static void see_bytes(void *arg, bool sent, const uint8_t *data, size_t len)
{
    struct tapped *tapped = arg;
    tapped->empty += len == 0;
    buf_add(&tapped->passed[sent], data, len);
}

static void see_secret(void *arg, const char *label, const uint8_t random[32], struct span secret)
{
    struct secrets *secrets = &((struct tapped *)arg)->secrets;
    struct buf line = {0};
    assert_true(secrets->count < 8);
    buf_printf(&line, "%s ", label);
    text_hex(&line, random, 32, '\0');
    buf_text(&line, " ");
    text_hex(&line, secret.data, secret.len, '\0');
    secrets->lines[secrets->count++] = mem_strdup((const char *)line.data);
    buf_clear(&line);
}

static void see_end(void *arg, bool reset)
{
    struct tapped *tapped = arg;
    tapped->ended++;
    tapped->reset += reset;
}

static void tap(struct end *end, struct tapped *tapped)
{
    const struct tls_tap functions = {.arg = tapped, .bytes = see_bytes, .secret = see_secret, .ended = see_end};
    *tapped = (struct tapped){0};
    tls_connection_tap(end->tls, &functions);
}

static void tapped_clear(struct tapped *tapped)
{
    buf_clear(&tapped->passed[0]);
    buf_clear(&tapped->passed[1]);
    buf_clear(&tapped->unread);
    for (size_t i = 0; i < tapped->secrets.count; i++) {
        free(tapped->secrets.lines[i]);
    }
}

static void assert_same_secrets(const struct secrets *these, const struct secrets *those, bool is_13)
{
    static const char *const labels[] = {"CLIENT_HANDSHAKE_TRAFFIC_SECRET ", "SERVER_HANDSHAKE_TRAFFIC_SECRET ",
                                         "CLIENT_TRAFFIC_SECRET_0 ", "SERVER_TRAFFIC_SECRET_0 ", "CLIENT_RANDOM "};
    assert_int_equal(these->count, is_13 ? 4 : 1);
    assert_int_equal(those->count, these->count);
    for (size_t i = is_13 ? 0 : 4; i < (is_13 ? 4 : 5); i++) {
        const char *found[2] = {NULL, NULL};
        for (size_t k = 0; k < these->count; k++) {
            found[0] = text_starts(these->lines[k], labels[i]) ? these->lines[k] : found[0];
            found[1] = text_starts(those->lines[k], labels[i]) ? those->lines[k] : found[1];
        }
        assert_non_null(found[0]);
        assert_non_null(found[1]);
        assert_string_equal(found[0], found[1]);
    }
}

static const struct {
    const char *client, *server;
    bool slow;
} cases[] = {
    {"clients/alice", "servers/localhost", false},    {"clients/alice", "servers/localhost", true},
    {"clients/mallory", "servers/localhost", false}, // refused: what mbedTLS wanted to say is withheld
    {"clients/mallory", "servers/localhost", true},   {NULL, "servers/localhost", false},
    {"clients/alice", "flaws/server-expired", false}, // the client refuses
};

struct outcome {
    enum tls_status client, server, read;
    enum reason client_reason, server_reason;
    int sent, received;
};

// What mbedTLS has not asked for: read ahead of it, and on its way.
static void add_unread(const struct end *end, struct buf *unread)
{
    const struct transport *transport = &end->tls->transport;
    const struct transport *other = &end->other->tls->transport;
    size_t ahead = transport->in_len - transport->in_used;
    buf_add(unread, ahead > 0 ? transport->in + transport->in_used : NULL, ahead);
    buf_add(unread, end->in.data, end->in.len);
    assert_int_equal(other->out_used, other->out.len); // all has left
}

static void go(const char *client, const char *server, bool slow, enum tls_versions versions, struct tapped *tapped,
               struct outcome *outcome)
{
    struct pair pair;
    char data[16];
    size_t n = 0;
    *outcome = (struct outcome){0};
    pair_open(&pair, client, server, "localhost", versions);
    pair.client.slow = slow;
    pair.server.slow = slow;
    if (tapped != NULL) {
        tap(&pair.client, &tapped[0]);
        tap(&pair.server, &tapped[1]);
    }
    for (int i = 0; i < (slow ? 400 : 1); i++) {
        pair_shake(&pair, &outcome->client, &outcome->server);
    }
    if (outcome->server == TLS_DONE && outcome->client == TLS_DONE) {
        while (tls_write(pair.client.tls, "hello", 5, &n) == TLS_WANT_WRITE) {
        }
        outcome->read = tls_read(pair.server.tls, data, sizeof data, &n);
    } else {
        outcome->read = tls_read(pair.client.tls, data, sizeof data, &n);
    }
    outcome->client_reason = tls_verdict(pair.client.tls)->reason;
    outcome->server_reason = tls_verdict(pair.server.tls)->reason;
    outcome->sent = tls_alert_sent(pair.server.tls);
    outcome->received = tls_alert_received(pair.client.tls);
    if (tapped != NULL) { // what was not read yet was sent too
        add_unread(&pair.client, &tapped[0].unread);
        add_unread(&pair.server, &tapped[1].unread);
    }
    pair_close(&pair);
}

static void test_both_sides(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2 * sizeof cases / sizeof cases[0]; i++) {
        struct tapped tapped[2]; // the client's, the server's
        struct outcome with;
        struct outcome without;
        bool is_13 = both_versions[i % 2] == TLS_1_3_ONLY;
        go(cases[i / 2].client, cases[i / 2].server, cases[i / 2].slow, both_versions[i % 2], tapped, &with);
        go(cases[i / 2].client, cases[i / 2].server, cases[i / 2].slow, both_versions[i % 2], NULL, &without);
        assert_memory_equal(&with, &without, sizeof with);
        for (int side = 0; side < 2; side++) {
            const struct buf *out = &tapped[side].passed[1];
            struct buf *in = &tapped[1 - side].passed[0];
            assert_true(in->len > 0);
            buf_add(in, tapped[1 - side].unread.data, tapped[1 - side].unread.len);
            assert_int_equal(in->len, out->len);
            assert_memory_equal(in->data, out->data, out->len);
            assert_int_equal(tapped[side].empty, 0);
        }
        if (with.server == TLS_DONE) {
            assert_same_secrets(&tapped[0].secrets, &tapped[1].secrets, is_13);
        }
        tapped_clear(&tapped[0]);
        tapped_clear(&tapped[1]);
    }
}

static long receive_nothing(void *arg, uint8_t *data, size_t len)
{
    (void)data;
    (void)len;
    errno = *(const int *)arg;
    return *(const int *)arg == 0 ? 0 : TLS_IO_ERROR;
}

static long send_all(void *arg, const uint8_t *data, size_t len)
{
    (void)arg;
    (void)data;
    return (long)len;
}

// It learns that nothing more comes, and whether that was a reset.
static void test_end(void **state)
{
    (void)state;
    static const struct {
        int number;
        int reset;
    } ends[] = {{0, 0}, {ECONNRESET, 1}, {ETIMEDOUT, 0}};
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        struct err e = ERR_INIT;
        struct tapped tapped;
        int number = ends[i].number;
        struct tls_context *context = pair_context(TLS_SERVER, "servers/localhost", TLS_1_2_AND_1_3);
        struct tls_io io = {.arg = &number, .receive = receive_nothing, .send = send_all};
        struct end end = {.tls = tls_connection_new(context, io, NULL, &e)};
        tap(&end, &tapped);
        assert_int_equal(tls_handshake(end.tls), TLS_FAILED);
        assert_int_equal(tapped.ended, 1);
        assert_int_equal(tapped.reset, ends[i].reset);
        assert_int_equal(tapped.passed[0].len, 0);
        tapped_clear(&tapped);
        tls_connection_free(end.tls);
        tls_context_free(context);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_both_sides), cmocka_unit_test(test_end)};
    return cmocka_run_group_tests(tests, pki_setup, pki_teardown);
}
