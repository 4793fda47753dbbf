// SPDX-License-Identifier: Apache-2.0
// trust/signature.c, on what openssl signed.
#include "run.h"
#include "trust/certificate.h"

#define PSS "-sigopt rsa_padding_mode:pss "

static const struct {
    const char *key; // what openssl genpkey makes
    const char *how; // it signs
    enum reason reason;
} cases[] = {
    {"rsa", "-sha256", REASON_ok},
    {"rsa", "-sha384", REASON_ok},
    {"rsa", "-sha512", REASON_ok},
    {"rsa", "-sha1", REASON_algorithm_weak},
    {"rsa", "-sha224", REASON_algorithm_weak},
    {"rsa", "-md5", REASON_algorithm_weak},
    {"ec", "-sha256", REASON_ok},
    {"ec", "-sha384", REASON_ok},
    {"ec", "-sha512", REASON_ok},
    {"ec", "-sha1", REASON_algorithm_weak},
    {"ec", "-sha224", REASON_algorithm_weak},
    {"ec", "-sha3-256", REASON_algorithm_weak},
    {"rsa", PSS "-sha256 -sigopt rsa_pss_saltlen:32", REASON_ok},
    {"rsa", PSS "-sha384 -sigopt rsa_pss_saltlen:48", REASON_ok},
    {"rsa", PSS "-sha512 -sigopt rsa_pss_saltlen:0", REASON_ok},
    {"rsa", PSS "-sha256 -sigopt rsa_pss_saltlen:20", REASON_ok}, // the default: left out
    {"rsa", PSS "-sha1", REASON_algorithm_weak},
    {"rsa", PSS "-sha256 -sigopt rsa_mgf1_md:sha1", REASON_algorithm_weak},
    {"rsa", PSS "-sha256 -sigopt rsa_mgf1_md:sha512", REASON_algorithm_weak},
};

static struct run dir;

static int setup(void **state)
{
    (void)state;
    run_begin(&dir);
    assert_runs(&dir, "openssl genpkey -algorithm rsa -pkeyopt rsa_keygen_bits:2048 -out rsa.key && "
                      "openssl genpkey -algorithm ec -pkeyopt ec_paramgen_curve:P-256 -out ec.key");
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    run_end(&dir);
    return 0;
}

static struct certificate *self_signed(const char *key, const char *how)
{
    struct buf der = {0};
    assert_runs(&dir, "openssl req -x509 -new -key %s.key -subj /CN=x %s -outform DER -out x.der", key, how);
    run_read(&dir, "x.der", &der);
    struct certificate *c = certificate_read(buf_span(&der));
    buf_clear(&der);
    assert_string_equal(c->why, "");
    return c;
}

static enum reason check(const struct certificate *c, struct span signature, struct certificate *signer)
{
    return signature_check(c->signature_algorithm, signature, c->tbs, &signer->key);
}

static void algorithms(void **state)
{
    (void)state;
    struct certificate *other_kind[2] = {self_signed("rsa", "-sha256"), self_signed("ec", "-sha256")};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct certificate *c = self_signed(cases[i].key, cases[i].how);
        enum reason found = check(c, c->signature, c);
        if (found != cases[i].reason) {
            fail_msg("%s %s: %s", cases[i].key, cases[i].how, reason_token(found));
        }
        if (found == REASON_ok) { // with a bit changed, cut, longer, or by a key of the other kind
            struct buf changed = {0};
            buf_add(&changed, c->signature.data, c->signature.len);
            changed.data[changed.len - 1] ^= 1;
            assert_int_equal(check(c, buf_span(&changed), c), REASON_signature_bad);
            assert_int_equal(check(c, span_of(c->signature.data, c->signature.len - 1), c), REASON_signature_bad);
            changed.data[changed.len - 1] ^= 1;
            buf_add(&changed, "", 1);
            assert_int_equal(check(c, buf_span(&changed), c), REASON_signature_bad);
            assert_int_equal(check(c, c->signature, other_kind[strcmp(cases[i].key, "rsa") == 0]),
                             REASON_signature_bad);
            buf_clear(&changed);
        }
        certificate_free(c);
    }
    certificate_free(other_kind[0]);
    certificate_free(other_kind[1]);
}

#define RSA "30 0d 06 09 2a 86 48 86 f7 0d 01 01 0b "
#define EC "06 08 2a 86 48 ce 3d 04 03 02 "
#define PSS_OID "06 09 2a 86 48 86 f7 0d 01 01 0a "
#define SHA256 "30 0b 06 09 60 86 48 01 65 03 04 02 01 "
#define MGF1 "30 18 06 09 2a 86 48 86 f7 0d 01 01 08 " SHA256

// Parameters as RFC 4055 and RFC 5758 have them, and as they are not.
static void parameters(void **state)
{
    static const struct {
        const char *algorithm;
        enum reason reason;
    } written[] = {
        {RSA "05 00", REASON_ok},
        {"30 0b 06 09 2a 86 48 86 f7 0d 01 01 0b", REASON_algorithm_weak}, // RFC 4055 section 5: NULL
        {RSA "04 00", REASON_algorithm_weak},
        {"30 0f 06 09 2a 86 48 86 f7 0d 01 01 0b 05 00 05 00", REASON_algorithm_weak},
        {"30 0a " EC, REASON_ok},
        {"30 0c " EC "05 00", REASON_algorithm_weak}, // RFC 5758 section 3.2: absent
        {"30 3b " PSS_OID "30 2e a0 0d " SHA256 "a1 1a " MGF1 "", REASON_algorithm_weak},
        {"30 38 " PSS_OID "30 2b a0 0d " SHA256 "a1 1a " MGF1, REASON_ok},
        {"30 3d " PSS_OID "30 30 a0 0d " SHA256 "a1 1a " MGF1 "a2 03 02 01 20", REASON_ok},
        {"30 3d " PSS_OID "30 30 a0 0d " SHA256 "a1 1a " MGF1 "a3 03 02 01 01", REASON_ok},
        {"30 3d " PSS_OID "30 30 a0 0d " SHA256 "a1 1a " MGF1 "a3 03 02 01 02", REASON_algorithm_weak},
        {"30 3d " PSS_OID "30 30 a0 0d " SHA256 "a1 1a " MGF1 "a2 03 02 01 ff", REASON_algorithm_weak},
        {"30 3f " PSS_OID "30 32 a0 0d " SHA256 "a1 1a " MGF1 "a2 05 02 01 20 05 00", REASON_algorithm_weak},
        {"30 3d " PSS_OID "30 30 a0 0d " SHA256 "a1 1a " MGF1 "a4 03 02 01 20", REASON_algorithm_weak},
        {"30 1c " PSS_OID "30 0f a0 0d " SHA256, REASON_algorithm_weak}, // the mask would be SHA-1's
        {"30 0d " PSS_OID "30 00", REASON_algorithm_weak},
        {"30 0b " PSS_OID, REASON_algorithm_weak},
        {"30 00", REASON_algorithm_weak},
        {"05 00", REASON_algorithm_weak},
        {"", REASON_algorithm_weak},
    };
    (void)state;
    for (size_t i = 0; i < sizeof written / sizeof written[0]; i++) {
        struct buf algorithm = {0};
        struct signature_digest digest;
        assert_true(text_unhex(written[i].algorithm, &algorithm));
        enum reason found = signature_hash(buf_span(&algorithm), span_of("x", 1), &digest);
        if (found != written[i].reason) {
            fail_msg("%s: %s", written[i].algorithm, reason_token(found));
        }
        buf_clear(&algorithm);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(algorithms),
        cmocka_unit_test(parameters),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
