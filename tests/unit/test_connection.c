// SPDX-License-Identifier: Apache-2.0
#include "tls_pair.h"

// Nothing can be read or written, and nobody is there.
static void assert_shut(struct tls_connection *c)
{
    char data[16];
    size_t n = 1;
    assert_null(tls_peer(c));
    assert_int_equal(tls_read(c, data, sizeof data, &n), TLS_FAILED);
    assert_int_equal(n, 0);
    n = 1;
    assert_int_equal(tls_write(c, "x", 1, &n), TLS_FAILED);
    assert_int_equal(n, 0);
    assert_int_equal(tls_close(c), TLS_FAILED);
}

static void test_accepted(void **state)
{
    (void)state;
    static const char *const servers[] = {"servers/localhost", "servers/rsa"};
    static const char *const clients[] = {"clients/alice", "clients/rsa"};
    for (size_t i = 0; i < 4; i++) {
        struct pair pair;
        enum tls_status client;
        enum tls_status server;
        char data[16];
        size_t n = 0;
        bool is_13 = both_versions[i % 2] == TLS_1_3_ONLY;
        pair_open(&pair, clients[i / 2], servers[i / 2], "localhost", both_versions[i % 2]);
        assert_shut(pair.client.tls);
        assert_shut(pair.server.tls);
        assert_int_equal(tls_verdict(pair.server.tls)->reason, REASON_handshake);
        pair_shake(&pair, &client, &server);
        assert_int_equal(client, TLS_DONE);
        assert_int_equal(server, TLS_DONE);
        assert_int_equal(tls_verdict(pair.server.tls)->reason, REASON_ok);
        assert_string_equal(tls_peer(pair.client.tls)->subject, "CN=localhost");
        assert_string_equal(tls_peer(pair.server.tls)->tls_version, is_13 ? "TLSv1.3" : "TLSv1.2");
        assert_non_null(strstr(tls_cipher(pair.server.tls), is_13 ? "_AES_128_GCM_SHA256" : "_AES_256_GCM_SHA384"));
        assert_int_equal(tls_write(pair.client.tls, "hello", 5, &n), TLS_DONE);
        assert_int_equal(tls_read(pair.server.tls, data, sizeof data, &n), TLS_DONE);
        assert_int_equal(n, 5);
        assert_int_equal(tls_ended_by(pair.server.tls), TLS_END_NONE);
        assert_int_equal(tls_close(pair.client.tls), TLS_DONE);
        assert_int_equal(tls_read(pair.server.tls, data, sizeof data, &n), TLS_CLOSED);
        pair.client.closed = true;
        assert_int_equal(tls_read(pair.client.tls, data, sizeof data, &n), TLS_EOF);
        pair_close(&pair);
    }
}

static const struct {
    const char *client; // NULL: no certificate
    enum reason reason;
    int alert_12;
    int alert_13;
} refused_clients[] = {
    {NULL, REASON_no_certificate, ALERT_HANDSHAKE_FAILURE, ALERT_CERTIFICATE_REQUIRED},
    {"clients/mallory", REASON_cert_revoked, ALERT_CERTIFICATE_REVOKED, ALERT_CERTIFICATE_REVOKED},
    {"flaws/client-expired", REASON_cert_expired, ALERT_CERTIFICATE_EXPIRED, ALERT_CERTIFICATE_EXPIRED},
    {"flaws/client-future", REASON_cert_not_yet_valid, ALERT_CERTIFICATE_EXPIRED, ALERT_CERTIFICATE_EXPIRED},
    {"flaws/client-stranger", REASON_chain_untrusted, ALERT_UNKNOWN_CA, ALERT_UNKNOWN_CA},
    {"flaws/client-no-intermediate", REASON_chain_incomplete, ALERT_UNKNOWN_CA, ALERT_UNKNOWN_CA},
    {"flaws/client-damaged", REASON_signature_bad, ALERT_BAD_CERTIFICATE, ALERT_BAD_CERTIFICATE},
    {"flaws/client-server-eku", REASON_ext_key_usage, ALERT_UNSUPPORTED_CERTIFICATE, ALERT_UNSUPPORTED_CERTIFICATE},
    {"flaws/client-any-eku", REASON_ext_key_usage, ALERT_UNSUPPORTED_CERTIFICATE, ALERT_UNSUPPORTED_CERTIFICATE},
    {"flaws/client-no-eku", REASON_ext_key_usage, ALERT_UNSUPPORTED_CERTIFICATE, ALERT_UNSUPPORTED_CERTIFICATE},
    {"flaws/client-no-signing", REASON_key_usage, ALERT_UNSUPPORTED_CERTIFICATE, ALERT_UNSUPPORTED_CERTIFICATE},
    {"flaws/client-is-ca", REASON_leaf_is_ca, ALERT_BAD_CERTIFICATE, ALERT_BAD_CERTIFICATE},
    {"flaws/client-serial-0", REASON_serial_number, ALERT_BAD_CERTIFICATE, ALERT_BAD_CERTIFICATE},
    // mbedTLS's own reader would stop at it, before the judge: src/tls/presented.c
    {"flaws/client-critical", REASON_critical_extension, ALERT_UNSUPPORTED_CERTIFICATE, ALERT_UNSUPPORTED_CERTIFICATE},
};

static void test_client_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2 * sizeof refused_clients / sizeof refused_clients[0]; i++) {
        bool is_13 = i % 2 == 1;
        const char *who = refused_clients[i / 2].client;
        int alert = is_13 ? refused_clients[i / 2].alert_13 : refused_clients[i / 2].alert_12;
        struct pair pair;
        enum tls_status client;
        enum tls_status server;
        char data[16];
        size_t n = 0;
        pair_open(&pair, who, "servers/localhost", "localhost", both_versions[i % 2]);
        pair_shake(&pair, &client, &server);
        assert_int_equal(server, TLS_FAILED);
        assert_shut(pair.server.tls);
        assert_int_equal(tls_ended_by(pair.server.tls), TLS_END_US);
        assert_string_equal(reason_token(tls_verdict(pair.server.tls)->reason),
                            reason_token(refused_clients[i / 2].reason));
        assert_int_equal(tls_alert_sent(pair.server.tls), alert);
        // In TLS 1.3 the client believes that all is well until it reads.
        assert_int_equal(client, is_13 ? TLS_DONE : TLS_FAILED);
        assert_int_equal(tls_read(pair.client.tls, data, sizeof data, &n), TLS_FAILED);
        assert_int_equal(tls_ended_by(pair.client.tls), TLS_END_PEER);
        assert_int_equal(tls_alert_received(pair.client.tls), alert);
        pair_close(&pair);
    }
}

static const struct {
    const char *server;
    const char *name;
    enum reason reason;
    int alert;
} refused_servers[] = {
    {"flaws/server-revoked", "localhost", REASON_cert_revoked, ALERT_CERTIFICATE_REVOKED},
    {"flaws/server-expired", "localhost", REASON_cert_expired, ALERT_CERTIFICATE_EXPIRED},
    {"flaws/server-stranger", "localhost", REASON_chain_untrusted, ALERT_UNKNOWN_CA},
    {"flaws/server-other-host", "localhost", REASON_name_mismatch, ALERT_BAD_CERTIFICATE},
    {"flaws/server-cn-only", "localhost", REASON_name_mismatch, ALERT_BAD_CERTIFICATE},
    {"servers/localhost", "other.example", REASON_name_mismatch, ALERT_BAD_CERTIFICATE},
    {"servers/localhost", "127.0.0.2", REASON_name_mismatch, ALERT_BAD_CERTIFICATE},
    {"flaws/server-critical", "localhost", REASON_critical_extension, ALERT_UNSUPPORTED_CERTIFICATE},
};

static void test_server_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2 * sizeof refused_servers / sizeof refused_servers[0]; i++) {
        struct pair pair;
        enum tls_status client;
        enum tls_status server;
        pair_open(&pair, "clients/alice", refused_servers[i / 2].server, refused_servers[i / 2].name,
                  both_versions[i % 2]);
        pair_shake(&pair, &client, &server);
        assert_int_equal(client, TLS_FAILED);
        assert_int_equal(server, TLS_FAILED);
        assert_shut(pair.client.tls);
        assert_shut(pair.server.tls);
        assert_int_equal(tls_ended_by(pair.client.tls), TLS_END_US);
        assert_string_equal(reason_token(tls_verdict(pair.client.tls)->reason),
                            reason_token(refused_servers[i / 2].reason));
        assert_int_equal(tls_ended_by(pair.server.tls), TLS_END_PEER);
        assert_int_equal(tls_alert_received(pair.server.tls), refused_servers[i / 2].alert);
        assert_int_equal(pair.server.in.len, 0);                             // it is said once
        assert_int_equal(pair.client.tls->refusal.withheld, TLS_ALERT_NONE); // by mbedTLS: a client's are readable
        if (both_versions[i % 2] == TLS_1_2_ONLY) {
            assert_int_equal(tls_alert_sent(pair.server.tls), TLS_ALERT_NONE); // and not answered
        }
        pair_close(&pair);
    }
}

// Alice's certificate in the hands of somebody who has another key: the judge accepts the chain, the handshake does
// not.
static void test_proof_of_possession(void **state)
{
    (void)state;
    for (size_t i = 0; i < 4; i++) {
        bool by_client = i / 2 == 0;
        struct pair pair;
        enum tls_status client;
        enum tls_status server;
        struct err e = ERR_INIT;
        pair_open(&pair, "clients/alice", "servers/localhost", "localhost", both_versions[i % 2]);
        struct tls_credentials *credentials = (by_client ? pair.client_context : pair.server_context)->credentials;
        struct rng rng;
        assert_int_equal(rng_init(&rng, &e), 0);
        mbedtls_pk_free(&credentials->key);
        mbedtls_pk_init(&credentials->key);
        assert_int_equal(mbedtls_pk_parse_keyfile(&credentials->key, pki_path("authorities/root/key.pem", ""), NULL,
                                                  rng_bytes, &rng),
                         0);
        pair_shake(&pair, &client, &server);
        struct tls_connection *judge = (by_client ? pair.server : pair.client).tls;
        struct tls_connection *liar = (by_client ? pair.client : pair.server).tls;
        assert_shut(judge);
        assert_int_equal(tls_ended_by(judge), TLS_END_US);
        assert_string_equal(reason_token(tls_verdict(judge)->reason), "proof_of_possession");
        char data[16];
        size_t n;
        assert_int_equal(tls_read(liar, data, sizeof data, &n), TLS_FAILED);
        assert_int_equal(tls_alert_received(liar), ALERT_DECRYPT_ERROR);
        rng_clear(&rng);
        pair_close(&pair);
    }
}

// mbedTLS knows other anchors than trust here: what it refuses stays refused, although trust accepts.
static void test_mbedtls_can_only_be_stricter(void **state)
{
    (void)state;
    for (size_t i = 0; i < 4; i++) {
        bool judge_is_server = i / 2 == 0;
        struct pair pair;
        enum tls_status client;
        enum tls_status server;
        mbedtls_x509_crt stranger;
        mbedtls_x509_crt_init(&stranger);
        assert_int_equal(mbedtls_x509_crt_parse_file(&stranger, pki_path("authorities/stranger/cert.pem", "")), 0);
        pair_open(&pair, "clients/alice", "servers/localhost", "localhost", both_versions[i % 2]);
        struct tls_context *judging = judge_is_server ? pair.server_context : pair.client_context;
        mbedtls_ssl_conf_ca_chain(&judging->config, &stranger, NULL);
        pair_shake(&pair, &client, &server);
        struct tls_connection *judge = judge_is_server ? pair.server.tls : pair.client.tls;
        assert_shut(judge);
        assert_int_equal(tls_ended_by(judge), TLS_END_US);
        assert_string_equal(reason_token(tls_verdict(judge)->reason), "chain_untrusted");
        pair_close(&pair);
        mbedtls_x509_crt_free(&stranger);
    }
}

// A byte changed on its way ends the connection, whichever it is; nobody becomes somebody by it.
static void test_tampered(void **state)
{
    (void)state;
    for (size_t at = 0; at < 2500; at += 83) {
        struct pair pair;
        size_t passed = 0;
        pair_open(&pair, "clients/alice", "servers/localhost", "localhost", both_versions[at % 2]);
        for (int i = 0; i < 30; i++) {
            (void)tls_handshake(pair.client.tls);
            if (at >= passed && at < passed + pair.server.in.len) {
                pair.server.in.data[at - passed] ^= 0x10;
            }
            passed += pair.server.in.len;
            (void)tls_handshake(pair.server.tls);
        }
        if (at < passed && tls_peer(pair.server.tls) != NULL) {
            // Only bytes that are no part of the handshake's meaning: the version of a record's header.
            assert_true(tls_peer(pair.server.tls)->subject[0] != '\0');
            assert_string_equal(tls_peer(pair.server.tls)->names[0].text, "alice.example");
        }
        pair_close(&pair);
    }
}

static void test_garbage(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        const char *failure;
    } cases[] = {
        {"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", "the peer speaks plain HTTP, not TLS"},
        {"SSH-2.0-OpenSSH_9.2\r\n", "no TLS session came about: "},
        {"\x16\x03\x01", "the peer closed the connection in the middle"},
        {"", "the peer closed the connection without a word"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct pair pair;
        pair_open(&pair, NULL, "servers/localhost", "localhost", TLS_1_2_AND_1_3);
        buf_text(&pair.server.in, cases[i].bytes);
        pair.server.closed = true;
        assert_int_equal(tls_handshake(pair.server.tls), TLS_FAILED);
        assert_shut(pair.server.tls);
        assert_int_equal(tls_ended_by(pair.server.tls), TLS_END_FAILURE);
        assert_int_equal(strncmp(tls_failure(pair.server.tls), cases[i].failure, strlen(cases[i].failure)), 0);
        assert_int_equal(tls_verdict(pair.server.tls)->reason, REASON_handshake);
        pair_close(&pair);
    }
}

// What was accepted is not for ever: after a failure, and with a verdict that has changed, nobody is there any more.
static void test_accepted_no_longer(void **state)
{
    (void)state;
    for (size_t i = 0; i < 4; i++) {
        struct pair pair;
        enum tls_status client;
        enum tls_status server;
        char data[16];
        size_t n;
        pair_open(&pair, "clients/alice", "servers/localhost", "localhost", both_versions[i % 2]);
        pair_shake(&pair, &client, &server);
        assert_non_null(tls_peer(pair.server.tls));
        if (i / 2 == 0) { // a record that is none of the session's
            buf_add(&pair.server.in, "\x17\x03\x03\x00\x20 0123456789abcdef0123456789abcde", 37);
            assert_int_equal(tls_read(pair.server.tls, data, sizeof data, &n), TLS_FAILED);
            assert_int_equal(tls_verdict(pair.server.tls)->reason, REASON_ok); // it is not the certificate's fault
        } else {
            trust_verdict_set(&pair.server.tls->verdict, REASON_cert_revoked, 0, "the test says so");
        }
        assert_null(tls_peer(pair.server.tls));
        assert_int_equal(tls_read(pair.server.tls, data, sizeof data, &n), TLS_FAILED);
        assert_int_equal(tls_write(pair.server.tls, "x", 1, &n), TLS_FAILED);
        pair_close(&pair);
    }
}

// A client says whom it wants to reach, or there is no connection: any server's certificate would do.
static void test_client_needs_name(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    struct tls_context *context = pair_context(TLS_CLIENT, "clients/alice", TLS_1_2_AND_1_3);
    assert_null(tls_connection_new(context, (struct tls_io){.arg = NULL}, NULL, &e));
    assert_string_not_equal(e.text, "");
    tls_context_free(context);
}

// A server requires a certificate by its configuration, and in TLS 1.3 holds its verdict until the client has the key
// for it; so nothing of mbedTLS's had to be withheld.
static void test_certificate_required(void **state)
{
    (void)state;
    for (size_t i = 0; i < 8; i++) {
        static const char *const clients[] = {"clients/alice", "clients/mallory"};
        bool held = i / 4 == 0;
        struct pair pair;
        enum tls_status client;
        enum tls_status server;
        pair_open(&pair, clients[i / 2 % 2], "servers/localhost", "localhost", both_versions[i % 2]);
        if (!held) {
            mbedtls_ssl_conf_cert_cb(&pair.server_context->config, NULL);
        }
        pair_shake(&pair, &client, &server);
        assert_int_equal(server, i / 2 % 2 == 0 ? TLS_DONE : TLS_FAILED);
        assert_string_equal(reason_token(tls_verdict(pair.server.tls)->reason), i / 2 % 2 == 0 ? "ok" : "cert_revoked");
        if (i / 2 % 2 == 1 && both_versions[i % 2] == TLS_1_3_ONLY) {
            assert_int_equal(pair.server.tls->refusal.cipher == NULL, held);
        }
        pair_close(&pair);
    }
}

// Whoever is to speak one version only speaks that.
static void test_versions(void **state)
{
    (void)state;
    for (size_t i = 0; i < 4; i++) {
        struct pair pair;
        enum tls_status client;
        enum tls_status server;
        pair_open(&pair, "clients/alice", "servers/localhost", "localhost", both_versions[i % 2]);
        tls_connection_free(pair.server.tls);
        tls_context_free(pair.server_context);
        pair.server_context = pair_context(TLS_SERVER, "servers/localhost", both_versions[i / 2]);
        end_open(&pair.server, &pair.client, pair.server_context, NULL);
        pair_shake(&pair, &client, &server);
        assert_int_equal(server, i % 2 == i / 2 ? TLS_DONE : TLS_FAILED);
        assert_int_equal(tls_peer(pair.server.tls) != NULL, i % 2 == i / 2);
        pair_close(&pair);
    }
}

// A client keeps no sessions, so it offers none (RFC 8446 section 4.2.9, RFC 5077 section 3.2).
static void test_client_offers_no_session(void **state)
{
    (void)state;
    enum { RANDOM_END = RECORD_HEADER + 4 + 2 + 32, SUPPORTED_GROUPS = 10, SESSION_TICKET = 35, PSK_MODES = 45 };
    for (size_t i = 0; i < 2; i++) {
        struct pair pair;
        bool seen = false;
        pair_open(&pair, "clients/alice", "servers/localhost", "localhost", both_versions[i]);
        assert_int_equal(tls_handshake(pair.client.tls), TLS_WANT_READ);
        const uint8_t *p = pair.server.in.data + RANDOM_END;
        const uint8_t *end = pair.server.in.data + pair.server.in.len;
        p += 1 + p[0];               // legacy_session_id
        p += 2 + (p[0] << 8 | p[1]); // cipher_suites
        p += 1 + p[0];               // legacy_compression_methods
        for (p += 2; p + 4 <= end; p += 4 + (p[2] << 8 | p[3])) {
            int extension = p[0] << 8 | p[1];
            assert_int_not_equal(extension, SESSION_TICKET);
            assert_int_not_equal(extension, PSK_MODES);
            seen = seen || extension == SUPPORTED_GROUPS;
        }
        assert_ptr_equal(p, end);
        assert_true(seen);
        pair_close(&pair);
    }
}

static void test_server_judges(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    const struct trust_files files = {.no_anchors = true};
    struct tls_settings settings = {
        .role = TLS_SERVER, .snapshot = trust_snapshot_load(&files, &e), .verification = TLS_UNSAFE_NO_JUDGE};
    assert_null(tls_context_new(&settings, &e));
    assert_string_equal(e.text, "a server is there to judge");
    trust_snapshot_free(settings.snapshot);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_accepted),
        cmocka_unit_test(test_client_refused),
        cmocka_unit_test(test_server_refused),
        cmocka_unit_test(test_proof_of_possession),
        cmocka_unit_test(test_mbedtls_can_only_be_stricter),
        cmocka_unit_test(test_tampered),
        cmocka_unit_test(test_garbage),
        cmocka_unit_test(test_accepted_no_longer),
        cmocka_unit_test(test_client_needs_name),
        cmocka_unit_test(test_certificate_required),
        cmocka_unit_test(test_versions),
        cmocka_unit_test(test_client_offers_no_session),
        cmocka_unit_test(test_server_judges),
    };
    return cmocka_run_group_tests(tests, pki_setup, pki_teardown);
}
