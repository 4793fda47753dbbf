// SPDX-License-Identifier: Apache-2.0
#include "tls/internal.h"
#include "unit.h"

#include <mbedtls/ssl_ciphersuites.h>
#include <stdlib.h>

static const int defaults[] = {MBEDTLS_TLS1_3_AES_128_GCM_SHA256, MBEDTLS_TLS1_3_CHACHA20_POLY1305_SHA256,
                               MBEDTLS_TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, 0};

static void test_suites(void **state)
{
    (void)state;
    static const struct {
        const char *names;
        int numbers[4];
    } rows[] = {
        // of the version that is not named, the defaults stay
        {"TLS_AES_256_GCM_SHA384", {MBEDTLS_TLS1_3_AES_256_GCM_SHA384, MBEDTLS_TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256}},
        {"ECDHE-RSA-AES256-GCM-SHA384",
         {MBEDTLS_TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384, MBEDTLS_TLS1_3_AES_128_GCM_SHA256,
          MBEDTLS_TLS1_3_CHACHA20_POLY1305_SHA256}},
        {"TLS_CHACHA20_POLY1305_SHA256:AES128-GCM-SHA256",
         {MBEDTLS_TLS1_3_CHACHA20_POLY1305_SHA256, MBEDTLS_TLS_RSA_WITH_AES_128_GCM_SHA256}},
        // IANA's names, any case, commas, twice
        {"tls_aes_128_gcm_sha256,TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,,ecdhe-ecdsa-aes128-gcm-sha256",
         {MBEDTLS_TLS1_3_AES_128_GCM_SHA256, MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256}},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct err e = ERR_INIT;
        int *numbers = suites_parse(rows[i].names, defaults, &e);
        assert_string_equal(e.text, "");
        size_t n = 0;
        for (; rows[i].numbers[n] != 0; n++) {
            assert_int_equal(numbers[n], rows[i].numbers[n]);
        }
        assert_int_equal(numbers[n], 0);
        free(numbers);
    }
}

static void test_groups(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    uint16_t *numbers = groups_parse("P-384:X25519:prime256v1:secp384r1", &e);
    static const uint16_t expected[] = {MBEDTLS_SSL_IANA_TLS_GROUP_SECP384R1, MBEDTLS_SSL_IANA_TLS_GROUP_X25519,
                                        MBEDTLS_SSL_IANA_TLS_GROUP_SECP256R1, MBEDTLS_SSL_IANA_TLS_GROUP_NONE};
    assert_memory_equal(numbers, expected, sizeof expected);
    free(numbers);
}

static void test_unknown(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    assert_null(suites_parse("TLS_AES_128_GCM_SHA256:RC4-MD5", defaults, &e));
    assert_int_equal(e.kind, ERR_USAGE);
    assert_non_null(strstr(e.text, "unknown cipher suite \"RC4-MD5\" (one of: TLS_AES_128_GCM_SHA256, "));
    err_clear(&e);
    assert_null(suites_parse(" : ", defaults, &e));
    assert_string_equal(e.text, "no cipher suite is named");
    err_clear(&e);
    assert_null(groups_parse("x25519:x448", &e));
    assert_string_equal(e.text, "unknown curve \"x448\" (one of: x25519, secp256r1, secp384r1, secp521r1)");
    err_clear(&e);
    assert_null(groups_parse("", &e));
    assert_int_equal(e.kind, ERR_USAGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_suites),
        cmocka_unit_test(test_groups),
        cmocka_unit_test(test_unknown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
