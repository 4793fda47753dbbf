// SPDX-License-Identifier: Apache-2.0
// What mbedTLS's codes come to: no failure is an acceptance, and a certificate is only blamed for what is its own.
#include "tls_pair.h"

#include <mbedtls/net_sockets.h>
#include <mbedtls/x509.h>

static const struct {
    int code;
    const char *presented; // NULL: nothing
    enum connection_state state;
    enum reason before;
    const char *reason;
    enum tls_ending ending;
} rows[] = {
    // what mbedTLS cannot read is the judge's, if there is anything
    {MBEDTLS_ERR_X509_INVALID_FORMAT, NULL, CONNECTION_HANDSHAKE, REASON_handshake, "malformed", TLS_END_US},
    {MBEDTLS_ERR_X509_INVALID_FORMAT, "clients/mallory", CONNECTION_HANDSHAKE, REASON_handshake, "cert_revoked",
     TLS_END_US},
    {MBEDTLS_ERR_X509_INVALID_FORMAT, "clients/alice", CONNECTION_HANDSHAKE, REASON_handshake, "malformed", TLS_END_US},
    {MBEDTLS_ERR_X509_INVALID_FORMAT, "clients/alice", CONNECTION_HANDSHAKE, REASON_ok, "malformed", TLS_END_US},
    // what has nothing to do with the certificate is not
    {MBEDTLS_ERR_SSL_DECODE_ERROR, "clients/mallory", CONNECTION_HANDSHAKE, REASON_handshake, "handshake",
     TLS_END_FAILURE},
    {MBEDTLS_ERR_SSL_DECODE_ERROR, "clients/alice", CONNECTION_HANDSHAKE, REASON_ok, "handshake", TLS_END_FAILURE},
    {MBEDTLS_ERR_SSL_DECODE_ERROR, "clients/mallory", CONNECTION_HANDSHAKE, REASON_cert_revoked, "cert_revoked",
     TLS_END_US},
    // nothing is wrong with a signature before there is an accepted certificate, nor after the handshake
    {MBEDTLS_ERR_SSL_HANDSHAKE_FAILURE, NULL, CONNECTION_HANDSHAKE, REASON_handshake, "handshake", TLS_END_FAILURE},
    {MBEDTLS_ERR_SSL_HANDSHAKE_FAILURE, NULL, CONNECTION_HANDSHAKE, REASON_ok, "proof_of_possession", TLS_END_US},
    {MBEDTLS_ERR_SSL_HANDSHAKE_FAILURE, NULL, CONNECTION_OPEN, REASON_ok, "ok", TLS_END_FAILURE},
    // what mbedTLS has against the certificate it has noted; here it has seen none
    {MBEDTLS_ERR_SSL_BAD_CERTIFICATE, NULL, CONNECTION_HANDSHAKE, REASON_ok, "no_certificate", TLS_END_US},
    {MBEDTLS_ERR_X509_CERT_VERIFY_FAILED, NULL, CONNECTION_HANDSHAKE, REASON_ok, "no_certificate", TLS_END_US},
};

static void test_codes(void **state)
{
    (void)state;
    struct tls_context *context = pair_context(TLS_SERVER, "servers/localhost", TLS_1_2_AND_1_3);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct err e = ERR_INIT;
        struct tls_connection *c = tls_connection_new(context, (struct tls_io){.arg = NULL}, NULL, &e);
        if (rows[i].presented != NULL) {
            struct pki_chain chain;
            pki_chain_read(&chain, rows[i].presented);
            for (size_t k = 0; k < chain.count; k++) {
                presented_add(c, chain.spans[k]);
            }
            pki_chain_clear(&chain);
        }
        c->state = rows[i].state;
        if (rows[i].before != REASON_handshake) {
            c->judged = true;
            trust_verdict_set(&c->verdict, rows[i].before, -1, "the test says so");
        }
        failure_explain(c, rows[i].code);
        if (strcmp(reason_token(c->verdict.reason), rows[i].reason) != 0 || tls_ended_by(c) != rows[i].ending) {
            fail_msg("row %zu: %s, ended by %d", i, reason_token(c->verdict.reason), (int)tls_ended_by(c));
        }
        assert_string_not_equal(tls_failure(c), "");
        tls_connection_free(c);
    }
    tls_context_free(context);
}

// What the peer hears where mbedTLS says nothing; and who is not there hears nothing.
static void test_alerts(void **state)
{
    static const struct {
        int code;
        int alert;
    } said[] = {
        {MBEDTLS_ERR_SSL_UNEXPECTED_MESSAGE, ALERT_UNEXPECTED_MESSAGE},
        {MBEDTLS_ERR_SSL_BAD_INPUT_DATA, ALERT_ILLEGAL_PARAMETER},
        {MBEDTLS_ERR_SSL_INVALID_RECORD, ALERT_DECODE_ERROR},
        {MBEDTLS_ERR_SSL_HW_ACCEL_FAILED, ALERT_HANDSHAKE_FAILURE},
        {MBEDTLS_ERR_SSL_CONN_EOF, TLS_ALERT_NONE},
        {MBEDTLS_ERR_NET_CONN_RESET, TLS_ALERT_NONE},
    };
    (void)state;
    struct err e = ERR_INIT;
    struct tls_context *context = pair_context(TLS_SERVER, "servers/localhost", TLS_1_2_AND_1_3);
    struct tls_connection *c = tls_connection_new(context, (struct tls_io){.arg = NULL}, NULL, &e);
    for (size_t i = 0; i < sizeof said / sizeof said[0]; i++) {
        assert_int_equal(failure_alert(c, said[i].code), said[i].alert);
    }
    alert_watch_bytes(&c->incoming, (const uint8_t *)"GET / HTTP/1.1", 14);
    assert_int_equal(failure_alert(c, MBEDTLS_ERR_SSL_INVALID_RECORD), TLS_ALERT_NONE);
    tls_connection_free(c);
    tls_context_free(context);
}

// mbedTLS refuses a certificate and has noted nothing against it: that is no reason to call it good.
static void test_nothing_noted(void **state)
{
    (void)state;
    struct pair pair;
    enum tls_status client;
    enum tls_status server;
    pair_open(&pair, "clients/alice", "servers/localhost", "localhost", TLS_1_3_ONLY);
    pair_shake(&pair, &client, &server);
    assert_int_equal(mbedtls_ssl_get_verify_result(&pair.server.tls->ssl), 0);
    pair.server.tls->state = CONNECTION_HANDSHAKE;
    failure_explain(pair.server.tls, MBEDTLS_ERR_SSL_BAD_CERTIFICATE);
    assert_string_equal(reason_token(tls_verdict(pair.server.tls)->reason), "handshake");
    assert_int_equal(tls_ended_by(pair.server.tls), TLS_END_FAILURE);
    pair_close(&pair);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_codes),
        cmocka_unit_test(test_alerts),
        cmocka_unit_test(test_nothing_noted),
    };
    return cmocka_run_group_tests(tests, pki_setup, pki_teardown);
}
