// SPDX-License-Identifier: Apache-2.0
// Names for mbedTLS, compared with what mbedTLS writes.
#include "ca/name.h"
#include "name_fixture.h"

static void name(struct buf *der, const char *text)
{
    struct err e = ERR_INIT;
    assert_works(name_from_text(text, der, &e), &e);
}

// The subject of a request that mbedTLS writes for `text`.
static void mbedtls_subject(const char *text, struct buf *subject)
{
    static uint8_t der[8192];
    struct err e = ERR_INIT;
    struct rng rng;
    mbedtls_pk_context key;
    mbedtls_x509write_csr writer;
    struct der_item request, info, item;
    assert_works(rng_init(&rng, &e), &e);
    assert_works(key_generate(KEY_ec_p256, &rng, &key, &e), &e);
    mbedtls_x509write_csr_init(&writer);
    mbedtls_x509write_csr_set_key(&writer, &key);
    mbedtls_x509write_csr_set_md_alg(&writer, MBEDTLS_MD_SHA256);
    assert_int_equal(mbedtls_x509write_csr_set_subject_name(&writer, text), 0);
    int n = mbedtls_x509write_csr_der(&writer, der, sizeof der, rng_bytes, &rng);
    assert_true(n > 0);
    struct span rest = span_of(der + sizeof der - n, (size_t)n);
    assert_works(der_next(&rest, &request, &e), &e);
    assert_works(der_next(&request.content, &info, &e), &e);
    assert_works(der_next(&info.content, &item, &e), &e); // version
    assert_works(der_next(&info.content, &item, &e), &e);
    buf_add(subject, item.whole.data, item.whole.len);
    mbedtls_x509write_csr_free(&writer);
    mbedtls_pk_free(&key);
    rng_clear(&rng);
}

static void test_for_mbedtls(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        bool survives;
    } cases[] = {
        {"CN=alice", true},
        {"CN=alice,OU=Ops,O=Acme\\, Inc.,C=DE", true},
        {"CN=\\#a\\ ,UID=u,street=s,postalCode=1,organizationIdentifier=o,1.3.6.1.4.1.1466.0=#04024869", true},
        {"CN=#1e0400e465e5", false}, // NUL in a BMPString
        {"CN=#1e0265e5,serialNumber=1,emailAddress=a@b", true},
        {"CN=L\xc3\xa4mmle", true},
        {"CN=alice,DC=example,DC=com", false}, // one type twice
        {"CN=alice+UID=a1", false},            // an RDN of two
        {"CN=a\\00b", false},
        {"1.2.3=#0500", true},
        {"CN=#0c00", true},
        {"", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct buf der = {0};
        struct buf text = {0};
        struct buf subject = {0};
        name(&der, cases[i].name);
        buf_text(&text, "before");
        if (name_for_mbedtls(buf_span(&der), &text) != cases[i].survives) {
            fail_msg("%s", cases[i].name);
        }
        if (cases[i].survives) {
            mbedtls_subject((char *)text.data + strlen("before"), &subject);
            assert_span(buf_span(&subject), buf_span(&der));
        } else {
            assert_string_equal(text.data, "before");
        }
        buf_clear(&der);
        buf_clear(&text);
        buf_clear(&subject);
    }
}

// mbedTLS takes values of up to 256 octets.
static void test_for_mbedtls_long(void **state)
{
    (void)state;
    for (size_t n = 250; n <= 260; n++) {
        struct buf text = {0};
        struct buf der = {0};
        struct buf for_mbedtls = {0};
        struct buf subject = {0};
        buf_text(&text, "SN=");
        for (size_t i = 0; i < n; i++) {
            buf_text(&text, "a");
        }
        name(&der, (char *)text.data);
        assert_int_equal(name_for_mbedtls(buf_span(&der), &for_mbedtls), n <= 256);
        if (n <= 256) {
            mbedtls_subject((char *)for_mbedtls.data, &subject);
            assert_span(buf_span(&subject), buf_span(&der));
        }
        buf_clear(&text);
        buf_clear(&der);
        buf_clear(&for_mbedtls);
        buf_clear(&subject);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_for_mbedtls),
        cmocka_unit_test(test_for_mbedtls_long),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
