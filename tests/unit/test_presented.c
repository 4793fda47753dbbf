// SPDX-License-Identifier: Apache-2.0
// What a peer presents is what is judged: all of it, octet for octet, and what mbedTLS is told of that.
#include "tls_pair.h"

static struct tls_connection *lone_server(struct tls_context *context)
{
    struct err e = ERR_INIT;
    struct tls_connection *c = tls_connection_new(context, (struct tls_io){.arg = NULL}, NULL, &e);
    assert_string_equal(e.text, "");
    return c;
}

// mbedTLS's reader drops what follows a certificate; the judge must not.
static void test_octet_behind(void **state)
{
    (void)state;
    for (size_t i = 0; i < 4; i++) {
        bool longer = i / 2 == 1;
        struct pair pair;
        enum tls_status client;
        enum tls_status server;
        struct err e = ERR_INIT;
        pair_open(&pair, NULL, "servers/localhost", "localhost", both_versions[i % 2]);
        struct tls_credentials *alice = tls_credentials_load_as_is(pki_path("clients/alice", "fullchain.pem"),
                                                                   pki_path("clients/alice", "key.pem"), &e);
        assert_string_equal(e.text, "");
        buf_add(&alice->as_is[0], "x", longer);
        alice->chain.raw.p = alice->as_is[0].data;
        alice->chain.raw.len = alice->as_is[0].len;
        pair.client_context->credentials = alice;
        assert_int_equal(mbedtls_ssl_conf_own_cert(&pair.client_context->config, &alice->chain, &alice->key), 0);
        pair_shake(&pair, &client, &server);
        assert_int_equal(server, longer ? TLS_FAILED : TLS_DONE);
        assert_int_equal(tls_peer(pair.server.tls) != NULL, !longer);
        assert_string_equal(reason_token(tls_verdict(pair.server.tls)->reason), longer ? "malformed" : "ok");
        assert_int_equal(tls_peer_certificate(pair.server.tls).len, alice->as_is[0].len);
        assert_int_equal(pair.server.tls->presented_count, longer ? 1 : alice->count); // each once
        if (longer) {
            assert_string_equal(tls_verdict(pair.server.tls)->detail,
                                "the certificate: 1 octets follow the certificate");
        }
        pair_close(&pair);
    }
}

// Of more certificates than the judge takes, one is kept: enough for it to say so, and no more than it has room for.
static void test_too_many(void **state)
{
    (void)state;
    struct pki_chain chain;
    struct tls_context *context = pair_context(TLS_SERVER, "servers/localhost", TLS_1_2_AND_1_3);
    pki_chain_read(&chain, "clients/alice");
    for (size_t sent = TRUST_CHAIN_MOST; sent <= TRUST_CHAIN_MOST + 3; sent++) {
        struct tls_connection *c = lone_server(context);
        bool too_many = sent > TRUST_CHAIN_MOST;
        for (size_t i = 0; i < sent; i++) {
            presented_add(c, chain.spans[i < chain.count ? i : 0]);
        }
        assert_int_equal(c->presented_count, too_many ? TRUST_CHAIN_MOST + 1 : TRUST_CHAIN_MOST);
        assert_int_equal(verify_presented(c), !too_many);
        assert_string_equal(reason_token(c->verdict.reason), too_many ? "budget_exceeded" : "ok");
        tls_connection_free(c);
    }
    pki_chain_clear(&chain);
    tls_context_free(context);
}

// The leaf is the head of what was presented, never one of those above it.
static void test_hook_asks_about_leaf(void **state)
{
    (void)state;
    uint32_t flags = 0;
    mbedtls_x509_crt root;
    struct tls_context *context = pair_context(TLS_SERVER, "servers/localhost", TLS_1_2_AND_1_3);
    struct tls_connection *c = lone_server(context);
    mbedtls_x509_crt_init(&root);
    assert_int_equal(mbedtls_x509_crt_parse_file(&root, pki_path("authorities/root/cert.pem", "")), 0);
    assert_int_equal(verify_hook(c, &root, 1, &flags), 0);
    assert_int_equal(flags, 0);
    assert_false(c->judged);
    assert_int_equal(c->presented_count, 0);
    assert_int_equal(verify_hook(c, &root, 0, &flags), 0); // with nothing kept, mbedTLS's list is what was presented
    assert_int_not_equal(flags, 0);
    assert_true(c->judged);
    assert_int_equal(c->presented_count, 1);
    assert_int_equal(verify_hook(c, &root, 0, &flags), 0);
    assert_int_equal(c->presented_count, 1);
    mbedtls_x509_crt_free(&root);
    tls_connection_free(c);
    tls_context_free(context);
}

// A snapshot that comes in the middle of a handshake takes an acceptance back, but no refusal.
static void test_refusal_is_final(void **state)
{
    (void)state;
    struct pki_chain chain;
    struct tls_context *context = pair_context(TLS_SERVER, "servers/localhost", TLS_1_2_AND_1_3);
    pki_chain_read(&chain, "clients/alice");
    for (size_t i = 0; i < 2; i++) {
        struct tls_connection *c = lone_server(context);
        for (size_t k = 0; k < chain.count; k++) {
            presented_add(c, chain.spans[k]);
        }
        c->judged = true;
        c->outdated = true;
        trust_verdict_set(&c->verdict, i == 0 ? REASON_ok : REASON_cert_expired, -1, "the test says so");
        assert_int_equal(verify_current(c), i == 0);
        assert_string_equal(reason_token(c->verdict.reason), i == 0 ? "ok" : "cert_expired");
        tls_connection_free(c);
    }
    pki_chain_clear(&chain);
    tls_context_free(context);
}

#if defined(MBEDTLS_X509_TRUSTED_CERTIFICATE_CALLBACK)
// Asks for the issuer of somebody else, before mbedTLS gets the answer to its own question.
static int nosy(void *arg, const mbedtls_x509_crt *child, mbedtls_x509_crt **issuers)
{
    mbedtls_x509_crt *other = arg;
    assert_int_equal(verify_issuers(NULL, other, issuers), 0);
    assert_null(*issuers);
    other->serial.len = 0; // it was asked
    return verify_issuers(NULL, child, issuers);
}

// mbedTLS hears of the leaf's issuer, and of no other.
static void test_issuer_of_leaf_only(void **state)
{
    (void)state;
    mbedtls_x509_crt issuing;
    mbedtls_x509_crt *issuers = NULL;
    for (size_t i = 0; i < 2; i++) {
        struct pair pair;
        enum tls_status client;
        enum tls_status server;
        mbedtls_x509_crt_init(&issuing);
        assert_int_equal(mbedtls_x509_crt_parse_file(&issuing, pki_path("authorities/issuing/cert.pem", "")), 0);
        pair_open(&pair, "clients/alice", "servers/localhost", "localhost", both_versions[i]);
        mbedtls_ssl_conf_ca_cb(&pair.server_context->config, nosy, &issuing);
        pair_shake(&pair, &client, &server);
        assert_int_equal(server, TLS_DONE);
        assert_int_equal(issuing.serial.len, 0);
        assert_non_null(tls_peer(pair.server.tls));
        pair_close(&pair);
        // Nor does anybody outside a handshake.
        assert_int_equal(verify_issuers(NULL, &issuing, &issuers), MBEDTLS_ERR_X509_FATAL_ERROR);
        assert_null(issuers);
        mbedtls_x509_crt_free(&issuing);
    }
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_octet_behind),
        cmocka_unit_test(test_too_many),
        cmocka_unit_test(test_hook_asks_about_leaf),
        cmocka_unit_test(test_refusal_is_final),
#if defined(MBEDTLS_X509_TRUSTED_CERTIFICATE_CALLBACK)
        cmocka_unit_test(test_issuer_of_leaf_only),
#endif
    };
    return cmocka_run_group_tests(tests, pki_setup, pki_teardown);
}
