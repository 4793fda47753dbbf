// SPDX-License-Identifier: Apache-2.0
// Sessions that are not to be resumed, or not to be begun.
#include "resume_fixture.h"

#include <psa/crypto.h>

static void expect_no_session(const struct visit *visit, struct tls_context *at, bool served)
{
    struct visited v;
    visited_begin(&v, visit, at);
    assert_int_equal(visited_handshake(&v), served ? TLS_DONE : TLS_FAILED);
    visited_read(&v);
    assert_int_equal(v.served, served);
    if (v.session != NULL && visit->version == TLS1_3_VERSION) {
        assert_true(served); // only a ticket to be thrown away at once
        assert_int_equal(SSL_SESSION_get_ticket_lifetime_hint(v.session), 0);
    } else if (v.session != NULL) {
        assert_false(SSL_SESSION_has_ticket(v.session));
    }
    visited_clear(&v);
}

static void test_no_ticket(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct tls_tickets *tickets = tickets_of(NULL, LIFETIME);
        struct tls_tickets *lifeless = tickets_of(NULL, 0);
        struct tls_context *at = server(NOTHING, tickets);
        struct tls_context *without = server(NOTHING, NULL);
        struct tls_context *never = server(NOTHING, lifeless);
        struct visit visit = {.version = versions[i], .who = "clients/mallory", .name = "localhost"};
        expect(&visit, at, REFUSED, NULL, REASON_cert_revoked);
        visit.who = "clients/large"; // a chain that no ClientHello can bring back
        expect_no_session(&visit, at, true);
        visit.who = "clients/alice";
        expect_no_session(&visit, without, true);
        expect_no_session(&visit, never, true);
        // Its session counts for nothing where there are no tickets.
        visit.session = first_session(&visit, at);
        expect_no_session(&visit, without, true);
        expect_no_session(&visit, never, true);
        visit.who = NULL;
        expect(&visit, without, REFUSED, NULL, REASON_no_certificate);
        SSL_SESSION_free(visit.session);
        tls_context_free(at);
        tls_context_free(without);
        tls_context_free(never);
        tls_tickets_free(tickets);
        tls_tickets_free(lifeless);
    }
}

// A suite of TLS 1.2 belongs to the kind of the server's key: with another kind nothing can be resumed.
static void test_other_server_key(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct case_of k;
        begin(&k, versions[i], NULL);
        struct tls_context *changed = server_of("servers/rsa", TLS_1_2_AND_1_3, NOTHING, k.tickets);
        if (versions[i] == TLS1_3_VERSION) {
            expect_resumed(k.visit, changed);
        } else {
            expect_full(k.visit, changed, none, none);
        }
        tls_context_free(changed);
        end(&k);
    }
}

// mbedTLS's client of TLS 1.2, which, unlike OpenSSL's, can be made to resume a session without what protected it.
struct careless {
    mbedtls_ssl_config config;
    mbedtls_x509_crt chain;
    mbedtls_pk_context key;
    struct rng rng;
    mbedtls_ssl_context ssl;
    struct buf to_server, to_client;
    struct tls_connection *tls;
};

static long take(struct buf *from, uint8_t *data, size_t len)
{
    size_t n = from->len < len ? from->len : len;
    if (n > 0) {
        memcpy(data, from->data, n);
        memmove(from->data, from->data + n, from->len - n);
        from->len -= n;
    }
    return (long)n;
}

static int client_receive(void *arg, unsigned char *data, size_t len)
{
    long n = take(&((struct careless *)arg)->to_client, data, len);
    return n > 0 ? (int)n : MBEDTLS_ERR_SSL_WANT_READ;
}

static int client_send(void *arg, const unsigned char *data, size_t len)
{
    buf_add(&((struct careless *)arg)->to_server, data, len);
    return (int)len;
}

static long server_receive(void *arg, uint8_t *data, size_t len)
{
    long n = take(&((struct careless *)arg)->to_server, data, len);
    return n > 0 ? n : TLS_IO_AGAIN;
}

static long server_send(void *arg, const uint8_t *data, size_t len)
{
    buf_add(&((struct careless *)arg)->to_client, data, len);
    return (long)len;
}

// Both sides until neither gets on: what the client's handshake came to, and the server's.
static int careless_visit(struct careless *k, struct tls_context *at, bool protects, mbedtls_ssl_session *offered,
                          enum tls_status *served)
{
    struct err e = ERR_INIT;
    struct tls_io io = {.arg = k, .receive = server_receive, .send = server_send};
    int code = -1;
    mbedtls_ssl_init(&k->ssl);
    mbedtls_ssl_conf_extended_master_secret(&k->config, protects ? MBEDTLS_SSL_EXTENDED_MS_ENABLED
                                                                 : MBEDTLS_SSL_EXTENDED_MS_DISABLED);
    assert_int_equal(mbedtls_ssl_setup(&k->ssl, &k->config), 0);
    assert_int_equal(mbedtls_ssl_set_hostname(&k->ssl, "localhost"), 0);
    mbedtls_ssl_set_bio(&k->ssl, k, client_send, client_receive, NULL);
    if (offered != NULL) {
        assert_int_equal(mbedtls_ssl_set_session(&k->ssl, offered), 0);
    }
    k->tls = tls_connection_new(at, io, NULL, &e);
    for (int i = 0; i < 20; i++) {
        code = mbedtls_ssl_is_handshake_over(&k->ssl) ? 0 : mbedtls_ssl_handshake(&k->ssl);
        *served = tls_handshake(k->tls);
    }
    return code;
}

static void careless_leave(struct careless *k)
{
    tls_connection_free(k->tls);
    mbedtls_ssl_free(&k->ssl);
    buf_clear(&k->to_client);
    buf_clear(&k->to_server);
}

static void careless_begin(struct careless *k)
{
    struct err e = ERR_INIT;
    *k = (struct careless){.tls = NULL};
    assert_int_equal(psa_crypto_init(), PSA_SUCCESS);
    assert_works(rng_init(&k->rng, &e), &e);
    mbedtls_x509_crt_init(&k->chain);
    mbedtls_pk_init(&k->key);
    mbedtls_ssl_config_init(&k->config);
    assert_int_equal(mbedtls_x509_crt_parse_file(&k->chain, pki_path("clients/alice", "fullchain.pem")), 0);
    assert_int_equal(mbedtls_pk_parse_keyfile(&k->key, pki_path("clients/alice", "key.pem"), NULL, rng_bytes, &k->rng),
                     0);
    assert_int_equal(mbedtls_ssl_config_defaults(&k->config, MBEDTLS_SSL_IS_CLIENT, MBEDTLS_SSL_TRANSPORT_STREAM,
                                                 MBEDTLS_SSL_PRESET_DEFAULT),
                     0);
    mbedtls_ssl_conf_max_tls_version(&k->config, MBEDTLS_SSL_VERSION_TLS1_2);
    mbedtls_ssl_conf_authmode(&k->config, MBEDTLS_SSL_VERIFY_NONE);
    mbedtls_ssl_conf_rng(&k->config, rng_bytes, &k->rng);
    assert_int_equal(mbedtls_ssl_conf_own_cert(&k->config, &k->chain, &k->key), 0);
}

static void careless_end(struct careless *k)
{
    mbedtls_ssl_config_free(&k->config);
    mbedtls_x509_crt_free(&k->chain);
    mbedtls_pk_free(&k->key);
    rng_clear(&k->rng);
}

// RFC 7627: TLS 1.2 without extended master secret can be spoken, but not resumed; neither is a session that was
// protected by it resumed without it.
static void test_extended_master_secret(void **state)
{
    (void)state;
    struct case_of k;
    struct careless client;
    mbedtls_ssl_session session;
    enum tls_status served;
    begin(&k, TLS1_2_VERSION, NULL);
    struct visit without = k.visit;
    without.options = SSL_OP_NO_EXTENDED_MASTER_SECRET;
    without.session = NULL;
    expect_no_session(&without, k.at, true);
    careless_begin(&client);
    mbedtls_ssl_session_init(&session);
    assert_int_equal(careless_visit(&client, k.at, true, NULL, &served), 0);
    assert_int_equal(served, TLS_DONE);
    assert_int_equal(mbedtls_ssl_get_session(&client.ssl, &session), 0);
    careless_leave(&client);
    assert_int_equal(careless_visit(&client, k.at, true, &session, &served), 0);
    assert_int_equal(served, TLS_DONE);
    assert_true(tls_resumed(client.tls));
    careless_leave(&client);
    careless_visit(&client, k.at, false, &session, &served);
    assert_int_equal(served, TLS_FAILED);
    assert_null(tls_peer(client.tls));
    assert_non_null(strstr(tls_failure(client.tls), "without extended_master_secret"));
    unsigned char data[1];
    assert_int_equal(mbedtls_ssl_read(&client.ssl, data, sizeof data), MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE);
    careless_leave(&client);
    mbedtls_ssl_session_free(&session);
    careless_end(&client);
    end(&k);
}

// What was agreed on with an RSA key alone ends with the connection.
static void test_legacy_rsa(void **state)
{
    (void)state;
    struct tls_tickets *tickets = tickets_of(NULL, LIFETIME);
    struct tls_context *at = server_of("servers/rsa", TLS_1_2_ONLY, NOTHING, tickets);
    struct visit visit = {
        .version = TLS1_2_VERSION, .who = "clients/alice", .name = "localhost", .ciphers = "AES128-GCM-SHA256"};
    expect_no_session(&visit, at, true);
    visit.ciphers = "ECDHE-RSA-AES128-GCM-SHA256";
    visit.session = first_session(&visit, at);
    expect(&visit, at, RESUMED, "CN=alice", none);
    SSL_SESSION_free(visit.session);
    tls_context_free(at);
    tls_tickets_free(tickets);
}

// The key share of the first ClientHello is of no use here, so there are two of them, with a ticket in each.
static void test_hello_retry(void **state)
{
    (void)state;
    struct case_of k;
    begin(&k, TLS1_3_VERSION, NULL);
    k.visit.groups = "X448:P-256";
    expect_resumed(k.visit, k.at);
    struct tls_context *changed = server(ALICE_REVOKED, k.tickets);
    expect_full(k.visit, changed, REASON_cert_revoked, none);
    tls_context_free(changed);
    end(&k);
}

// What mbedTLS says it did is one thing; what its ServerHello says counts.
static void test_conclusions(void **state)
{
    (void)state;
    static const struct {
        struct hello hello;
        bool accepted; // is there a ticket that was?
        const char *name;
        bool decided;
        const char *against; // NULL: resumed, or full
    } rows[] = {
        {{.known = true, .resumed = true, .extended_master_secret = true}, true, "localhost", true, NULL},
        {{.known = true, .extended_master_secret = true}, true, "localhost", false, NULL},
        {{.known = true}, false, "localhost", false, NULL},
        {{.resumed = true, .extended_master_secret = true}, true, "localhost", true, "not understood"},
        {{.known = false}, false, "localhost", true, "not understood"},
        {{.known = true, .resumed = true, .extended_master_secret = true}, false, "localhost", true, "not accepted"},
        {{.known = true, .resumed = true}, true, "localhost", true, "extended_master_secret"},
        {{.known = true, .resumed = true, .extended_master_secret = true}, true, "other", true, "server name"},
        {{.known = true, .resumed = true, .extended_master_secret = true}, true, "", true, "server name"},
    };
    struct tls_tickets *tickets = tickets_of(NULL, LIFETIME);
    struct tls_context *at = server_of("servers/localhost", TLS_1_2_ONLY, NOTHING, tickets);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct err e = ERR_INIT;
        struct tls_connection *c = tls_connection_new(at, (struct tls_io){.arg = NULL}, NULL, &e);
        c->hello->hello = rows[i].hello;
        buf_text(&c->server_name, rows[i].name);
        if (rows[i].accepted) {
            c->resumption = mem_alloc(sizeof *c->resumption);
            c->resumption->ticket.name = span_of("localhost", 9);
            c->resumption->ticket.chain[0] = span_of("leaf", 4);
            c->resumption->ticket.count = 1;
        }
        assert_int_equal(resume_conclude(c), rows[i].decided);
        bool resumed = rows[i].decided && rows[i].against == NULL;
        assert_int_equal(c->resumed, resumed);
        assert_int_equal(c->verdict.reason == REASON_ok, resumed);
        assert_int_equal(c->presented_count, resumed);
        if (rows[i].against != NULL) {
            assert_non_null(strstr(c->verdict.detail, rows[i].against));
        }
        assert_null(c->hello);
        assert_null(c->resumption);
        tls_connection_free(c);
    }
    tls_context_free(at);
    tls_tickets_free(tickets);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_no_ticket),
        cmocka_unit_test(test_other_server_key),
        cmocka_unit_test(test_extended_master_secret),
        cmocka_unit_test(test_legacy_rsa),
        cmocka_unit_test(test_hello_retry),
        cmocka_unit_test(test_conclusions),
    };
    return cmocka_run_group_tests(tests, resume_setup, pki_teardown);
}
