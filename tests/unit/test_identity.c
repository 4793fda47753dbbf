// SPDX-License-Identifier: Apache-2.0
#include "openssl_pki.h"
#include "trust/trust.h"

#include <strings.h>

static struct trust_identity *identity_of(const char *below)
{
    struct err e = ERR_INIT;
    struct pki_chain chain;
    pki_chain_read(&chain, below);
    struct trust_identity *identity = trust_identity_new(chain.spans[0], "TLSv1.3", false, &e);
    assert_non_null(identity);
    pki_chain_clear(&chain);
    return identity;
}

// What openssl prints about the certificate, without the newline.
static const char *openssl_says(const char *below, const char *options, char text[256])
{
    char *command = mem_printf("openssl x509 -in %s -noout %s", pki_path(below, "cert.pem"), options);
    FILE *pipe = popen(command, "r");
    assert_non_null(pipe);
    assert_non_null(fgets(text, 256, pipe));
    pclose(pipe);
    free(command);
    text[strcspn(text, "\n")] = '\0';
    return text;
}

static void test_alice(void **state)
{
    (void)state;
    char text[256];
    struct trust_identity *alice = identity_of("clients/alice");
    assert_string_equal(alice->subject, "CN=alice,O=Example\\, Inc.");
    assert_string_equal(alice->issuer, "CN=Test Issuing CA");
    assert_int_equal(alice->name_count, 3);
    assert_string_equal(trust_name_word(alice->names[0].type), "dns");
    assert_string_equal(alice->names[0].text, "alice.example");
    assert_string_equal(trust_name_word(alice->names[1].type), "email");
    assert_string_equal(alice->names[1].text, "alice@example.com");
    assert_string_equal(trust_name_word(alice->names[2].type), "uri");
    assert_string_equal(alice->names[2].text, "spiffe://example/alice");
    assert_string_equal(alice->tls_version, "TLSv1.3");
    assert_false(alice->resumed);

    const char *subject = openssl_says("clients/alice", "-subject -nameopt RFC2253", text);
    assert_string_equal(strchr(subject, '=') + 1, alice->subject);
    const char *serial = openssl_says("clients/alice", "-serial", text);
    assert_int_equal(strcasecmp(strchr(serial, '=') + 1, alice->serial), 0);
    const char *fingerprint = strchr(openssl_says("clients/alice", "-fingerprint -sha256", text), '=') + 1;
    for (size_t i = 0; i < 32; i++) {
        assert_int_equal(strncasecmp(fingerprint + 3 * i, alice->fingerprint + 2 * i, 2), 0);
    }
    assert_int_equal(alice->not_after - alice->not_before, 365 * 86400);
    trust_identity_free(alice);
}

static void test_addresses(void **state)
{
    (void)state;
    struct trust_identity *localhost = identity_of("servers/localhost");
    assert_int_equal(localhost->name_count, 3);
    assert_string_equal(trust_name_word(localhost->names[1].type), "ip");
    assert_string_equal(localhost->names[1].text, "127.0.0.1");
    assert_string_equal(localhost->names[2].text, "::1");
    trust_identity_free(localhost);
}

// Nothing from a certificate reaches a terminal as it is.
static void test_hostile(void **state)
{
    (void)state;
    struct trust_identity *hostile = identity_of("clients/hostile");
    assert_string_equal(hostile->subject, "CN=\\1B[31mred\\0A\\<b\\>");
    assert_int_equal(hostile->name_count, 0);
    trust_identity_free(hostile);
}

static void test_empty_subject(void **state)
{
    (void)state;
    struct trust_identity *nobody = identity_of("clients/empty-subject");
    assert_string_equal(nobody->subject, "");
    assert_string_equal(nobody->names[0].text, "spiffe://example/nobody");
    trust_identity_free(nobody);
}

static void test_not_a_certificate(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    assert_null(trust_identity_new(span_of("x", 1), "TLSv1.3", false, &e));
    assert_non_null(strstr(e.text, "reading the peer's certificate: "));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_alice),         cmocka_unit_test(test_addresses),         cmocka_unit_test(test_hostile),
        cmocka_unit_test(test_empty_subject), cmocka_unit_test(test_not_a_certificate),
    };
    return cmocka_run_group_tests(tests, pki_setup, pki_teardown);
}
