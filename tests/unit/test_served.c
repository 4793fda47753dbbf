// SPDX-License-Identifier: Apache-2.0
// server/connection.c and server/exchange.c: who is not accepted, or not any more, gets no answer, whenever that is
// found. One worker, without its thread; a client of ours at the other end of a socket.
#include "base/clock.h"
#include "server/connection.h"
#include "tls_pair.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MANY = 1000 }; // references: the test frees what it made

struct world {
    struct server server;
    struct worker worker;
    struct server_config config;
    struct generation before, after; // those who trust the client's CA, and another one
    struct tls_context *client_context;
    struct tls_connection *client;
    int fd; // the client's
    struct connection *c;
};

static struct tls_context *stranger_context(void)
{
    struct err e = ERR_INIT;
    const char *anchor = pki_path("authorities/stranger/cert.pem", "");
    struct trust_files files = {.anchors = {&anchor, 1}};
    struct tls_settings settings = {.role = TLS_SERVER,
                                    .snapshot = trust_snapshot_load(&files, &e),
                                    .credentials = tls_credentials_load(pki_path("servers/localhost", "fullchain.pem"),
                                                                        pki_path("servers/localhost", "key.pem"), &e)};
    struct tls_context *made = tls_context_new(&settings, &e);
    assert_string_equal(e.text, "");
    trust_snapshot_free(settings.snapshot);
    return made;
}

static struct world *world_new(enum tls_versions version)
{
    struct err e = ERR_INIT;
    struct sockaddr_storage from = {.ss_family = AF_INET};
    int fds[2];
    struct world *w = mem_alloc(sizeof *w);
    w->config.limits = (struct server_limits){.connections = 10,
                                              .connections_per_address = 10,
                                              .handshake_ms = 60000,
                                              .header_ms = 60000,
                                              .idle_ms = 60000,
                                              .header = 8192,
                                              .body = 8192};
    w->before = (struct generation){
        .number = 1, .config = &w->config, .context = pair_context(TLS_SERVER, "servers/localhost", TLS_1_2_AND_1_3)};
    w->after = (struct generation){.number = 2, .config = &w->config, .context = stranger_context()};
    atomic_init(&w->before.references, MANY);
    atomic_init(&w->after.references, MANY);
    w->server.addresses = addresses_new();
    w->server.descriptors_left = 10;
    w->worker.server = &w->server;
    w->worker.generation = &w->before;
    assert_int_equal(uv_loop_init(&w->worker.loop), 0);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
    connection_accept(&w->worker, fds[0], &from);
    w->c = w->worker.connections;
    assert_non_null(w->c);
    w->fd = fds[1];
    w->client_context = pair_context(TLS_CLIENT, "clients/alice", version);
    w->client = tls_connection_new(w->client_context, tls_io_of_socket(w->fd), "localhost", &e);
    assert_string_equal(e.text, "");
    return w;
}

static void world_free(struct world *w)
{
    connections_end(&w->worker);
    assert_int_equal(uv_run(&w->worker.loop, UV_RUN_DEFAULT), 0);
    assert_int_equal(uv_loop_close(&w->worker.loop), 0);
    assert_int_equal(w->worker.connection_count, 0);
    addresses_free(w->server.addresses);
    tls_connection_free(w->client);
    tls_context_free(w->client_context);
    tls_context_free(w->before.context);
    tls_context_free(w->after.context);
    close(w->fd);
    free(w);
}

static void turn(struct world *w)
{
    (void)tls_handshake(w->client);
    uv_run(&w->worker.loop, UV_RUN_NOWAIT);
}

static const char request[] = "GET /nothing HTTP/1.1\r\nHost: localhost\r\n\r\n";

// The client asks; true: it gets an answer.
static bool is_answered(struct world *w)
{
    char data[4096];
    size_t n = 0;
    enum tls_status status = TLS_WANT_READ;
    if (tls_write(w->client, request, sizeof request - 1, &n) != TLS_DONE) {
        return false;
    }
    for (int i = 0; i < 50 && status == TLS_WANT_READ; i++) {
        uv_run(&w->worker.loop, UV_RUN_NOWAIT);
        status = tls_read(w->client, data, sizeof data, &n);
    }
    assert_int_not_equal(status, TLS_WANT_READ);
    return status == TLS_DONE && memcmp(data, "HTTP/1.1 ", 9) == 0;
}

static void test_accepted(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct world *w = world_new(both_versions[i]);
        for (int k = 0; k < 10; k++) {
            turn(w);
        }
        assert_int_equal(w->c->phase, PHASE_SERVING);
        assert_true(is_answered(w));
        assert_int_equal(connection_review(w->c, clock_now()), REVIEW_KEPT);
        assert_true(is_answered(w));
        assert_int_equal(w->c->requests, 2);
        world_free(w);
    }
}

// The one place that asks who it is: without an identity what was received is not even looked at.
static void test_nobody_is_served(void **state)
{
    (void)state;
    struct world *w = world_new(TLS_1_3_ONLY);
    buf_text(&w->c->in, request);
    w->c->phase = PHASE_SERVING;
    assert_null(tls_peer(w->c->tls));
    assert_int_equal(exchange_step(w->c), TLS_DONE);
    assert_int_equal(w->c->out.len, 0);
    assert_int_equal(w->c->requests, 0);
    assert_int_equal(w->c->in_used, 0);
    assert_null(w->c->http);
    assert_int_equal(w->c->phase, PHASE_GONE);
    world_free(w);
}

// A new generation that came while hands were shaken, and before the sweep came to this connection, counts.
static void test_overtaken(void **state)
{
    (void)state;
    for (size_t i = 0; i < 4; i++) {
        struct world *w = world_new(both_versions[i % 2]);
        turn(w); // the server has the ClientHello
        assert_int_equal(w->c->phase, PHASE_HANDSHAKE);
        w->worker.generation = &w->after;
        if (i / 2 == 1) { // the sweep came: there is no verdict yet, but it will be by this generation
            assert_int_equal(connection_review(w->c, clock_now()), REVIEW_NONE);
            assert_ptr_equal(w->c->generation, &w->after);
            assert_ptr_equal(tls_snapshot(w->c->tls), tls_context_snapshot(w->after.context));
        }
        for (int k = 0; k < 10; k++) {
            turn(w);
        }
        assert_false(is_answered(w));
        assert_ptr_equal(w->c->generation, &w->after);
        assert_null(tls_peer(w->c->tls));
        assert_string_equal(reason_token(tls_verdict(w->c->tls)->reason), "chain_incomplete");
        assert_int_equal(w->c->requests, 0);
        assert_int_equal(w->c->phase, PHASE_PARTING);
        assert_true(w->c->expires == UINT64_MAX); // nothing of it was accepted
        world_free(w);
    }
}

// Whoever was served is not any more, and nothing that comes later makes it somebody again.
static void test_review(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct world *w = world_new(both_versions[i]);
        for (int k = 0; k < 10; k++) {
            turn(w);
        }
        assert_true(is_answered(w));
        w->worker.generation = &w->after;
        assert_int_equal(connection_review(w->c, clock_now()), REVIEW_CLOSED);
        assert_null(tls_peer(w->c->tls));
        assert_int_equal(w->c->phase, PHASE_PARTING);
        w->worker.generation = &w->before;
        assert_int_equal(connection_review(w->c, clock_now()), REVIEW_NONE);
        assert_int_equal(w->c->phase, PHASE_PARTING);
        assert_ptr_equal(w->c->generation, &w->after);
        assert_false(is_answered(w));
        assert_int_equal(w->c->requests, 1);
        world_free(w);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_accepted),
        cmocka_unit_test(test_nobody_is_served),
        cmocka_unit_test(test_overtaken),
        cmocka_unit_test(test_review),
    };
    return cmocka_run_group_tests(tests, pki_setup, pki_teardown);
}
