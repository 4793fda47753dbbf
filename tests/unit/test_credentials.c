// SPDX-License-Identifier: Apache-2.0
#include "openssl_pki.h"
#include "tls/tls.h"

static void expect(const char *certificate, const char *key, const char *expected)
{
    struct err e = ERR_INIT;
    char certificate_path[256];
    snprintf(certificate_path, sizeof certificate_path, "%s", pki_path(certificate, ""));
    struct tls_credentials *credentials =
        tls_credentials_load(certificate_path, key == NULL ? NULL : pki_path(key, ""), &e);
    assert_int_equal(credentials != NULL, expected[0] == '\0');
    if (strstr(e.text, expected) == NULL || (expected[0] == '\0' && e.text[0] != '\0')) {
        fail_msg("\"%s\" does not say \"%s\"", e.text, expected);
    }
    tls_credentials_free(credentials);
}

static void test_load(void **state)
{
    (void)state;
    expect("clients/alice/fullchain.pem", "clients/alice/key.pem", "");
    expect("clients/alice/combined.pem", NULL, "");
    expect("clients/rsa/fullchain.pem", "clients/rsa/key.pem", "");
    expect("flaws/client-critical/fullchain.pem", "flaws/client-critical/key.pem", ""); // the peer's to judge
    expect("clients/alice/fullchain.pem", "clients/rsa/key.pem",
           "key.pem does not belong to the first certificate in ");
    expect("clients/alice/fullchain.pem", "authorities/root/key.pem", "key.pem does not belong to the first ");
    expect("clients/alice/fullchain.pem", NULL, "fullchain.pem holds no private key that can be read");
    expect("clients/alice/key.pem", NULL, "key.pem holds no PEM certificate");
    expect("clients/nobody/fullchain.pem", NULL, "opening ");
}

static void test_encrypted_key(void **state)
{
    (void)state;
    char *command =
        mem_printf("openssl pkey -in %s/leaf.key -aes256 -passout pass:x -out %s/locked.key", pki_dir, pki_dir);
    assert_int_equal(system(command), 0);
    free(command);
    expect("clients/alice/fullchain.pem", "locked.key", "locked.key is encrypted; decrypt it first");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_load),
        cmocka_unit_test(test_encrypted_key),
    };
    return cmocka_run_group_tests(tests, pki_setup, pki_teardown);
}
