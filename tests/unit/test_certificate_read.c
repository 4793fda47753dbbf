// SPDX-License-Identifier: Apache-2.0
// trust/certificate.c and trust/extensions.c: whatever the octets are, reading comes back (the sanitizers watch), and
// no change of a good certificate is accepted.
#include "base/clock.h"
#include "base/pem.h"
#include "ca/certificate.h"
#include "run.h"
#include "trust/certificate.h"
#include "trust/trust.h"

#define TEXT(literal) ((char *)(uintptr_t)(literal))

static const int64_t june_2026 = 1780272000; // 2026-06-01T00:00:00Z

static struct run dir;
static struct rng rng;
static mbedtls_pk_context key;
static struct buf root; // DER
static struct buf leaf; // with every extension that ca/ writes

static int setup(void **state)
{
    struct err e = ERR_INIT;
    struct buf name = {0};
    struct buf pem = {0};
    char *purposes[] = {TEXT("1.3.6.1.5.5.7.3.1"), NULL};
    char *urls[] = {TEXT("http://ca.example/a.crl"), NULL};
    char *policies[] = {TEXT("1.2.3.4"), NULL};
    (void)state;
    run_begin(&dir);
    assert_works(rng_init(&rng, &e), &e);
    assert_works(key_generate(KEY_ec_p256, &rng, &key, &e), &e);
    assert_works(name_from_text("CN=root", &name, &e), &e);
    struct certificate_issuer issuer = {.subject = buf_span(&name), .key = &key};
    assert_works(key_id(&key, issuer.key_id, &e), &e);
    struct certificate_content c = {.subject = TEXT("CN=root"),
                                    .not_before = june_2026 - CLOCK_DAY,
                                    .not_after = june_2026 + CLOCK_DAY,
                                    .is_ca = true,
                                    .path_length = 3,
                                    .key_usage = MBEDTLS_X509_KU_KEY_CERT_SIGN};
    general_names_add(&c.permitted, GENERAL_NAME_DNS, "example.com");
    general_names_add(&c.excluded, GENERAL_NAME_IP, "10.0.0.0/8");
    assert_works(certificate_make(&c, (const uint8_t *)"\x01", 1, &key, &issuer, &rng, &root, &e), &e);
    general_names_clear(&c.permitted);
    general_names_clear(&c.excluded);
    c.subject = TEXT("CN=leaf");
    c.is_ca = false;
    c.path_length = PATH_LENGTH_NONE;
    c.key_usage = MBEDTLS_X509_KU_DIGITAL_SIGNATURE;
    c.ext_key_usage = purposes;
    c.crl_urls = urls;
    c.policies = policies;
    general_names_add(&c.names, GENERAL_NAME_DNS, "a.example.com");
    general_names_add(&c.names, GENERAL_NAME_EMAIL, "a@b.example");
    general_names_add(&c.names, GENERAL_NAME_URI, "spiffe://example.org/a");
    general_names_add(&c.names, GENERAL_NAME_IP, "::1");
    general_names_add(&c.names, GENERAL_NAME_DIRECTORY, "CN=dir");
    mbedtls_pk_context other;
    assert_works(key_generate(KEY_ec_p256, &rng, &other, &e), &e);
    assert_works(certificate_make(&c, (const uint8_t *)"\x02", 1, &other, &issuer, &rng, &leaf, &e), &e);
    mbedtls_pk_free(&other);
    general_names_clear(&c.names);
    pem_write(&pem, "CERTIFICATE", buf_span(&root));
    run_file(&dir, "root.pem", buf_span(&pem));
    buf_clear(&pem);
    buf_clear(&name);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    buf_clear(&root);
    buf_clear(&leaf);
    mbedtls_pk_free(&key);
    rng_clear(&rng);
    run_end(&dir);
    return 0;
}

static void read_and_forget(struct span data)
{
    struct certificate *c = certificate_read(data);
    assert_true(c->readable || c->bad != REASON_ok);
    assert_int_equal(c->bad == REASON_ok, c->why[0] == '\0');
    certificate_free(c);
}

static void reading_comes_back(void **state)
{
    (void)state;
    survive(buf_span(&leaf), 1, read_and_forget);
    survive(buf_span(&root), 1, read_and_forget);
}

static void every_cut_is_malformed(void **state)
{
    (void)state;
    for (size_t len = 0; len < leaf.len; len++) {
        struct certificate *c = certificate_read(span_of(leaf.data, len));
        assert_int_equal(c->bad, REASON_malformed);
        assert_false(c->readable);
        certificate_free(c);
    }
    struct certificate *whole = certificate_read(buf_span(&leaf));
    assert_string_equal(whole->why, "");
    assert_int_equal(whole->bad, REASON_ok);
    certificate_free(whole);
}

static void every_change_is_refused(void **state)
{
    struct err e = ERR_INIT;
    char path[256];
    const char *anchor = path;
    struct trust_files files = {.anchors = {&anchor, 1}};
    struct trust_verdict verdict;
    (void)state;
    snprintf(path, sizeof path, "%s/root.pem", dir.dir);
    struct trust_snapshot *snapshot = trust_snapshot_load(&files, &e);
    assert_string_equal(e.text, "");
    struct buf changed = {0};
    buf_add(&changed, leaf.data, leaf.len);
    struct span chain = buf_span(&changed);
    for (size_t i = 0; i < leaf.len; i++) {
        changed.data[i] ^= (uint8_t)(1U << i % 8);
        if (trust_judge(snapshot, &chain, 1, TRUST_SERVER, "a.example.com", june_2026, &verdict)) {
            fail_msg("octet %zu was changed, and the certificate accepted", i);
        }
        assert_string_not_equal(verdict.detail, "");
        changed.data[i] = leaf.data[i];
    }
    assert_true(trust_judge(snapshot, &chain, 1, TRUST_SERVER, "a.example.com", june_2026, &verdict));
    buf_clear(&changed);
    trust_snapshot_free(snapshot);
}

// The signature: whole octets, at least one, and nothing behind it (sections 4.1.1.3 and 4.1).
static void signature_field(void **state)
{
    static const struct {
        const char *octets;
        size_t len;
        bool readable;
    } rows[] = {
        {"\x03\x02\x00\x55", 4, true},
        {"\x03\x01\x00", 3, false},
        {"\x03\x00", 2, false},
        {"\x03\x02\x01\x54", 4, false},
        {"\x03\x02\x00\x55\x05\x00", 6, false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct err e = ERR_INIT;
        struct span rest = buf_span(&leaf);
        struct der_item outer;
        struct der_item item;
        struct buf content = {0};
        struct buf made = {0};
        assert_int_equal(der_next(&rest, &outer, &e), 0);
        for (int k = 0; k < 2; k++) { // tbsCertificate, signatureAlgorithm
            assert_int_equal(der_next(&outer.content, &item, &e), 0);
            buf_add(&content, item.whole.data, item.whole.len);
        }
        buf_add(&content, rows[i].octets, rows[i].len);
        der_wrap(&made, outer.tag, buf_span(&content));
        struct certificate *c = certificate_read(buf_span(&made));
        assert_int_equal(c->readable, rows[i].readable);
        assert_int_equal(c->bad, rows[i].readable ? REASON_ok : REASON_malformed);
        certificate_free(c);
        buf_clear(&content);
        buf_clear(&made);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reading_comes_back),
        cmocka_unit_test(every_cut_is_malformed),
        cmocka_unit_test(every_change_is_refused),
        cmocka_unit_test(signature_field),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
