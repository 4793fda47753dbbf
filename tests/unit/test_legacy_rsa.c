// SPDX-License-Identifier: Apache-2.0
// RSA key exchange is there for whoever asks for it, after everything else; and for nobody else.
#include "openssl_client.h"

static const struct {
    bool legacy;
    const char *offered; // by OpenSSL
    const char *agreed;  // NULL: no agreement
} cases[] = {
    {true, "AES128-GCM-SHA256", "TLS_RSA_WITH_AES_128_GCM_SHA256"},
    {true, "AES256-GCM-SHA384", "TLS_RSA_WITH_AES_256_GCM_SHA384"},
    {false, "AES128-GCM-SHA256", NULL},
    {false, "AES256-GCM-SHA384", NULL},
    {true, "AES128-SHA256:AES256-SHA:AES128-CCM:DHE-RSA-AES128-GCM-SHA256", NULL}, // no other old suite came with it
    {true, "AES128-GCM-SHA256:ECDHE-RSA-AES256-GCM-SHA384", "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384"},
    {false, "AES128-GCM-SHA256:ECDHE-RSA-AES256-GCM-SHA384", "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384"},
    {true, "ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-AES256-GCM-SHA384", "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384"},
    {false, "ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-AES256-GCM-SHA384", "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384"},
};

static void test_key_exchange(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct tls_settings settings = {.legacy_rsa = cases[i].legacy};
        struct tls_context *server = server_context(&settings, "servers/rsa-encipherment");
        struct openssl_client client;
        client_open(&client, server, TLS1_2_VERSION);
        assert_int_equal(SSL_set_cipher_list(client.ssl, cases[i].offered), 1);
        assert_int_equal(client_shake(&client), cases[i].agreed != NULL);
        if (cases[i].agreed != NULL) {
            assert_string_equal(tls_cipher(client.server), cases[i].agreed);
            assert_string_equal(SSL_CIPHER_standard_name(SSL_get_current_cipher(client.ssl)), cases[i].agreed);
            assert_string_equal(tls_peer(client.server)->names[0].text, "alice.example");
        } else {
            assert_int_equal(tls_alert_sent(client.server), ALERT_HANDSHAKE_FAILURE);
        }
        client_close(&client);
        tls_context_free(server);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_key_exchange)};
    return cmocka_run_group_tests(tests, pki_setup, pki_teardown);
}
