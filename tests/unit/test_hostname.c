// SPDX-License-Identifier: Apache-2.0
#include "openssl_pki.h"
#include "trust/internal.h"

// servers/names: DNS One.example, *.wild.example, *.org, w*.part.example; IP 192.0.2.7, 2001:db8::7; CN cn.example.
static const struct {
    const char *name;
    bool matches;
} names[] = {
    {"one.example", true},
    {"ONE.EXAMPLE", true},
    {"one.example.", true},
    {"two.example", false},
    {"x.one.example", false},
    {"one.exampl", false},
    {"cn.example", false},
    {"a.wild.example", true},
    {"a.b.wild.example", false},
    {"wild.example", false},
    {".wild.example", false},
    {"*.wild.example", true}, // nobody is called so, but it is what is written there
    {"debian.org", false},    // one label behind the wildcard is too few
    {"www.part.example", false},
    {"w*.part.example", false},
    {"192.0.2.7", true},
    {"192.0.2.8", false},
    {"2001:db8::7", true},
    {"2001:DB8:0:0:0:0:0:7", true},
    {"2001:db8::8", false},
    {"::ffff:192.0.2.7", false},
    {"", false},
    {".", false},
};

static void test_names(void **state)
{
    (void)state;
    mbedtls_x509_crt leaf;
    mbedtls_x509_crt_init(&leaf);
    assert_int_equal(mbedtls_x509_crt_parse_file(&leaf, pki_path("servers/names", "cert.pem")), 0);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (hostname_matches(&leaf, names[i].name) != names[i].matches) {
            fail_msg("%s: expected %d", names[i].name, names[i].matches);
        }
    }
    mbedtls_x509_crt_free(&leaf);
}

static void test_common_name_does_not_count(void **state)
{
    (void)state;
    mbedtls_x509_crt leaf;
    mbedtls_x509_crt_init(&leaf);
    assert_int_equal(mbedtls_x509_crt_parse_file(&leaf, pki_path("flaws/server-cn-only", "cert.pem")), 0);
    assert_false(hostname_matches(&leaf, "localhost"));
    mbedtls_x509_crt_free(&leaf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_common_name_does_not_count),
    };
    return cmocka_run_group_tests(tests, pki_setup, pki_teardown);
}
