// SPDX-License-Identifier: Apache-2.0
// ca/certificate.c and ca/extension.c, read by openssl and certtool.
#include "base/clock.h"
#include "base/pem.h"
#include "ca/certificate.h"
#include "run.h"

#define TEXT(literal) ((char *)(uintptr_t)(literal))

static const int64_t june_2026 = 1780272000; // 2026-06-01T00:00:00Z

struct fixture {
    struct run run;
    struct rng rng;
    mbedtls_pk_context ca_key;
    mbedtls_pk_context key;
    struct buf ca_name;
    struct certificate_issuer self;   // how the CA signs itself
    struct certificate_issuer issuer; // how it signs others
};

// Makes a certificate as NAME.pem.
static void make(struct fixture *f, const char *name, const struct certificate_content *c, mbedtls_pk_context *key,
                 const struct certificate_issuer *issuer)
{
    struct err e = ERR_INIT;
    struct buf der = {0};
    struct buf pem = {0};
    char file[64];
    uint8_t serial[SERIAL_SIZE];
    assert_works(serial_make(&f->rng, serial, &e), &e);
    assert_works(certificate_make(c, serial, sizeof serial, key, issuer, &f->rng, &der, &e), &e);
    pem_write(&pem, "CERTIFICATE", buf_span(&der));
    snprintf(file, sizeof file, "%s.pem", name);
    run_file(&f->run, file, buf_span(&pem));
    buf_clear(&der);
    buf_clear(&pem);
}

static void fixture_begin(struct fixture *f, const char *ca_name)
{
    struct err e = ERR_INIT;
    *f = (struct fixture){0};
    run_begin(&f->run);
    assert_works(rng_init(&f->rng, &e), &e);
    assert_works(key_generate(KEY_ec_p256, &f->rng, &f->ca_key, &e), &e);
    assert_works(key_generate(KEY_ec_p256, &f->rng, &f->key, &e), &e);
    assert_works(name_from_text(ca_name, &f->ca_name, &e), &e);
    f->self.key = &f->ca_key;
    assert_works(key_id(&f->ca_key, f->self.key_id, &e), &e);
    f->issuer = f->self;
    f->issuer.subject = buf_span(&f->ca_name);
    struct certificate_content c = {.subject = TEXT(ca_name),
                                    .not_before = june_2026,
                                    .not_after = june_2026 + 3650 * (int64_t)CLOCK_DAY - 1,
                                    .is_ca = true,
                                    .path_length = PATH_LENGTH_NONE,
                                    .key_usage = MBEDTLS_X509_KU_KEY_CERT_SIGN | MBEDTLS_X509_KU_CRL_SIGN};
    make(f, "ca", &c, &f->ca_key, &f->self);
}

static void fixture_end(struct fixture *f)
{
    mbedtls_pk_free(&f->ca_key);
    mbedtls_pk_free(&f->key);
    buf_clear(&f->ca_name);
    rng_clear(&f->rng);
    run_end(&f->run);
}

static struct certificate_content leaf(const char *subject)
{
    return (struct certificate_content){.subject = TEXT(subject),
                                        .not_before = june_2026,
                                        .not_after = june_2026 + 90 * CLOCK_DAY - 1,
                                        .path_length = PATH_LENGTH_NONE,
                                        .key_usage = MBEDTLS_X509_KU_DIGITAL_SIGNATURE};
}

#define VERIFY "openssl verify -x509_strict -attime 1780300000 -CAfile ca.pem "

static void an_authority(void **state)
{
    (void)state;
    struct fixture f;
    fixture_begin(&f, "CN=Root,O=Acme");
    assert_runs(&f.run, VERIFY "-check_ss_sig ca.pem && openssl x509 -in ca.pem -noout -text");
    assert_says(&f.run, "ca.pem: OK");
    assert_says(&f.run, "Version: 3 (0x2)");
    assert_says(&f.run, "X509v3 Basic Constraints: critical\n                CA:TRUE\n");
    assert_says(&f.run, "X509v3 Key Usage: critical\n                Certificate Sign, CRL Sign\n");
    assert_says(&f.run, "X509v3 Subject Key Identifier: \n");
    assert_says_not(&f.run, "Authority Key Identifier"); // RFC 5280 section 4.2.1.1 lets a self-signed one leave it out
    assert_says_not(&f.run, "Alternative Name");
    // A limit, and the CA below it
    struct certificate_content c = leaf("CN=Issuing");
    c.is_ca = true;
    c.path_length = 0;
    c.key_usage = MBEDTLS_X509_KU_KEY_CERT_SIGN;
    make(&f, "issuing", &c, &f.key, &f.issuer);
    assert_runs(&f.run, VERIFY "issuing.pem && openssl x509 -in issuing.pem -noout -ext basicConstraints,keyUsage");
    assert_says(&f.run, "critical\n    CA:TRUE, pathlen:0\n");
    assert_says(&f.run, "critical\n    Certificate Sign\n");
    fixture_end(&f);
}

static void every_extension(void **state)
{
    (void)state;
    char *purposes[] = {TEXT("1.3.6.1.5.5.7.3.1"), TEXT("1.3.6.1.5.5.7.3.2"), TEXT("1.2.3.4"), NULL};
    char *urls[] = {TEXT("http://ca.example/a.crl"), TEXT("http://ca.example/b.crl"), NULL};
    char *policies[] = {TEXT("1.3.6.1.4.1.99999.1"), TEXT("2.5.29.32.0"), NULL};
    struct fixture f;
    struct certificate_content c = leaf("CN=a.example");
    fixture_begin(&f, "CN=Root");
    c.key_usage |= MBEDTLS_X509_KU_KEY_ENCIPHERMENT | MBEDTLS_X509_KU_DECIPHER_ONLY | MBEDTLS_X509_KU_KEY_AGREEMENT;
    c.ext_key_usage = purposes;
    c.crl_urls = urls;
    c.policies = policies;
    c.comment = TEXT("made by a test");
    general_names_add(&c.names, GENERAL_NAME_DNS, "*.a.example");
    general_names_add(&c.names, GENERAL_NAME_IP, "127.0.0.1");
    general_names_add(&c.names, GENERAL_NAME_IP, "::1");
    general_names_add(&c.names, GENERAL_NAME_EMAIL, "a@example.com");
    general_names_add(&c.names, GENERAL_NAME_URI, "spiffe://example.org/a");
    general_names_add(&c.names, GENERAL_NAME_DIRECTORY, "CN=dir,O=Acme");
    make(&f, "leaf", &c, &f.key, &f.issuer);
    assert_runs(&f.run,
                VERIFY "-purpose sslserver leaf.pem && " VERIFY "-purpose sslclient leaf.pem && openssl x509 -in "
                       "leaf.pem -noout -text");
    assert_says(&f.run, "X509v3 Basic Constraints: \n                CA:FALSE\n");
    assert_says(&f.run,
                "X509v3 Key Usage: critical\n                Digital Signature, Key Encipherment, Key Agreement, "
                "Decipher Only\n");
    assert_says(&f.run, "X509v3 Extended Key Usage: \n                TLS Web Server Authentication, TLS Web Client "
                        "Authentication, 1.2.3.4\n");
    assert_says(&f.run, "X509v3 Authority Key Identifier: \n");
    assert_says(&f.run,
                "X509v3 Subject Alternative Name: \n                DNS:*.a.example, IP Address:127.0.0.1, IP "
                "Address:0:0:0:0:0:0:0:1, email:a@example.com, URI:spiffe://example.org/a, DirName:/O=Acme/CN=dir");
    assert_says(&f.run,
                "X509v3 Certificate Policies: \n                Policy: 1.3.6.1.4.1.99999.1\n                Policy: "
                "X509v3 Any Policy\n");
    assert_says(&f.run, "URI:http://ca.example/a.crl\n");
    assert_says(&f.run, "URI:http://ca.example/b.crl\n");
    assert_says(&f.run, "Netscape Comment: \n                made by a test\n");
    // The order that certificate.h states
    assert_runs(&f.run,
                "openssl x509 -in leaf.pem -noout -text | grep -o -e 'X509v3 [A-Z].*: *' -e 'Netscape Comment'");
    assert_string_equal(
        f.run.out.data,
        "X509v3 Basic Constraints: \nX509v3 Key Usage: \nX509v3 Extended Key Usage: \nX509v3 Subject Key "
        "Identifier: \nX509v3 Authority Key Identifier: \nX509v3 Subject Alternative Name: \nX509v3 "
        "Certificate Policies: \nX509v3 CRL Distribution Points: \nNetscape Comment\n");
    if (run_has(&f.run, "certtool")) {
        assert_runs(&f.run, "faketime '2026-06-02' certtool --verify --load-ca-certificate ca.pem --infile leaf.pem");
        assert_says(&f.run, "Chain verification output: Verified. The certificate is trusted.");
    }
    general_names_clear(&c.names);
    fixture_end(&f);
}

static void no_subject(void **state)
{
    (void)state;
    struct fixture f;
    struct certificate_content c = leaf("");
    fixture_begin(&f, "CN=Root");
    general_names_add(&c.names, GENERAL_NAME_URI, "spiffe://example.org/a");
    make(&f, "leaf", &c, &f.key, &f.issuer);
    assert_runs(&f.run, VERIFY "leaf.pem && openssl x509 -in leaf.pem -noout -subject -ext subjectAltName");
    assert_says(&f.run, "subject=\n");
    assert_says(&f.run, "X509v3 Subject Alternative Name: critical\n    URI:spiffe://example.org/a\n");
    general_names_clear(&c.names);
    fixture_end(&f);
}

// A constrained CA, one leaf inside and one outside its constraints.
static void name_constraints(void **state)
{
    (void)state;
    for (int not_critical = 0; not_critical < 2; not_critical++) {
        struct err e = ERR_INIT;
        struct fixture f;
        struct certificate_content c = leaf("CN=Constrained");
        struct certificate_content inside = leaf("CN=x");
        struct certificate_content outside = leaf("CN=y");
        mbedtls_pk_context leaf_key;
        struct buf name = {0};
        fixture_begin(&f, "CN=Root");
        c.is_ca = true;
        c.key_usage = MBEDTLS_X509_KU_KEY_CERT_SIGN;
        c.constraints_not_critical = not_critical == 1;
        general_names_add(&c.permitted, GENERAL_NAME_DNS, "example.com");
        general_names_add(&c.permitted, GENERAL_NAME_IP, "10.0.0.0/8");
        general_names_add(&c.excluded, GENERAL_NAME_DNS, "bad.example.com");
        make(&f, "mid", &c, &f.key, &f.issuer);
        assert_runs(&f.run, "openssl x509 -in mid.pem -noout -ext nameConstraints");
        assert_says(&f.run, not_critical == 1 ? "X509v3 Name Constraints: \n" : "X509v3 Name Constraints: critical\n");
        assert_says(&f.run, "    Permitted:\n      DNS:example.com\n      IP:10.0.0.0/255.0.0.0\n    Excluded:\n      "
                            "DNS:bad.example.com\n");
        assert_works(key_generate(KEY_ec_p256, &f.rng, &leaf_key, &e), &e);
        assert_works(name_from_text("CN=Constrained", &name, &e), &e);
        struct certificate_issuer mid = {.subject = buf_span(&name), .key = &f.key};
        assert_works(key_id(&f.key, mid.key_id, &e), &e);
        general_names_add(&inside.names, GENERAL_NAME_DNS, "good.example.com");
        general_names_add(&outside.names, GENERAL_NAME_DNS, "very.bad.example.com");
        make(&f, "inside", &inside, &leaf_key, &mid);
        make(&f, "outside", &outside, &leaf_key, &mid);
        assert_runs(&f.run, VERIFY "-untrusted mid.pem inside.pem");
        assert_int_not_equal(run(&f.run, VERIFY "-untrusted mid.pem outside.pem"), 0);
        assert_says(&f.run, "excluded subtree violation");
        general_names_clear(&c.permitted);
        general_names_clear(&c.excluded);
        general_names_clear(&inside.names);
        general_names_clear(&outside.names);
        buf_clear(&name);
        mbedtls_pk_free(&leaf_key);
        fixture_end(&f);
    }
}

static void validity(void **state)
{
    (void)state;
    static const struct {
        int64_t not_before;
        int64_t not_after;
        const char *first; // as ASN.1
        const char *second;
    } cases[] = {
        {2524607999, 2524608000, "UTCTIME           :491231235959Z", "GENERALIZEDTIME   :20500101000000Z"},
        {-631152000, 253402300799, "UTCTIME           :500101000000Z", "GENERALIZEDTIME   :99991231235959Z"},
        {0, 951782400, "UTCTIME           :700101000000Z", "UTCTIME           :000229000000Z"},
    };
    struct err e = ERR_INIT;
    struct fixture f;
    struct buf der = {0};
    fixture_begin(&f, "CN=Root");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct certificate_content c = leaf("CN=x");
        c.not_before = cases[i].not_before;
        c.not_after = cases[i].not_after;
        make(&f, "leaf", &c, &f.key, &f.issuer);
        assert_runs(&f.run, "openssl asn1parse -in leaf.pem");
        assert_says(&f.run, cases[i].first);
        assert_says(&f.run, cases[i].second);
    }
    // No off-by-one. (openssl takes the second of notAfter for past, RFC 5280 section 4.1.2.5 does not: left out here.)
    struct certificate_content c = leaf("CN=x");
    c.not_before = june_2026 + 10;
    c.not_after = june_2026 + 20;
    make(&f, "leaf", &c, &f.key, &f.issuer);
    assert_runs(&f.run, "openssl x509 -in leaf.pem -noout -dates");
    assert_string_equal(f.run.out.data, "notBefore=Jun  1 00:00:10 2026 GMT\nnotAfter=Jun  1 00:00:20 2026 GMT\n");
    static const struct {
        int after;
        int status;
        const char *words;
    } times[] = {{9, 2, "certificate is not yet valid"},
                 {10, 0, "leaf.pem: OK"},
                 {19, 0, "leaf.pem: OK"},
                 {21, 2, "certificate has expired"}};
    for (size_t i = 0; i < sizeof times / sizeof times[0]; i++) {
        assert_int_equal(run(&f.run, "openssl verify -x509_strict -attime %lld -CAfile ca.pem leaf.pem",
                             (long long)june_2026 + times[i].after),
                         times[i].status);
        assert_says(&f.run, times[i].words);
    }
    c.not_before = INT64_C(-631152001);
    assert_fails(certificate_make(&c, (const uint8_t *)"\x01", 1, &f.key, &f.issuer, &f.rng, &der, &e), &e,
                 "a validity outside the years 1950 to 9999 cannot be written");
    c.not_before = june_2026;
    c.not_after = INT64_C(253402300800);
    assert_fails(certificate_make(&c, (const uint8_t *)"\x01", 1, &f.key, &f.issuer, &f.rng, &der, &e), &e,
                 "a validity outside the years 1950 to 9999 cannot be written");
    assert_int_equal(der.len, 0);
    fixture_end(&f);
}

// Names that mbedTLS's writer would merge or refuse, as subject and as issuer.
static void unusual_names(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        const char *openssl;
    } cases[] = {
        {"CN=x,DC=a,DC=example,DC=com", "CN=x,DC=a,DC=example,DC=com"},
        {"OU=one,OU=two,O=Acme", "OU=one,OU=two,O=Acme"},
        {"CN=x+UID=u1,O=Acme", "UID=u1+CN=x,O=Acme"},
        {"CN=M\xc3\xbcller\\, Gmb H,C=DE", "CN=M\\C3\\BCller\\, Gmb H,C=DE"},
        {"emailAddress=a@example.com,CN=\\#1", "emailAddress=a@example.com,CN=\\#1"},
        {"1.2.3.4=#0c0161,CN=x", "1.2.3.4=#0C0161,CN=x"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char expected[256];
        struct fixture f;
        struct certificate_content c = leaf(cases[i].name);
        fixture_begin(&f, cases[i].name);
        make(&f, "leaf", &c, &f.key, &f.issuer);
        assert_runs(&f.run,
                    VERIFY "ca.pem leaf.pem && openssl x509 -in leaf.pem -noout -subject -issuer -nameopt RFC2253");
        snprintf(expected, sizeof expected, "subject=%s\nissuer=%s\n", cases[i].openssl, cases[i].openssl);
        assert_says(&f.run, expected);
        fixture_end(&f);
    }
}

static void key_types(void **state)
{
    (void)state;
    static const struct {
        enum key_type type;
        const char *algorithm;
    } cases[] = {{KEY_ec_p256, "ecdsa-with-SHA256"},
                 {KEY_ec_p384, "ecdsa-with-SHA384"},
                 {KEY_ec_p521, "ecdsa-with-SHA512"},
                 {KEY_rsa_2048, "sha256WithRSAEncryption"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        // Also with a name that makes us sign instead of mbedTLS
        static const char *const names[] = {"CN=x", "CN=x,DC=a,DC=b"};
        for (size_t k = 0; k < 2; k++) {
            struct err e = ERR_INIT;
            struct fixture f;
            mbedtls_pk_context key;
            struct certificate_content c = leaf(names[k]);
            fixture_begin(&f, "CN=Root");
            assert_works(key_generate(cases[i].type, &f.rng, &key, &e), &e);
            struct certificate_issuer self = {.key = &key};
            assert_works(key_id(&key, self.key_id, &e), &e);
            c.is_ca = true;
            c.key_usage = MBEDTLS_X509_KU_KEY_CERT_SIGN;
            make(&f, "ca", &c, &key, &self);
            assert_runs(&f.run, VERIFY "-check_ss_sig ca.pem && openssl x509 -in ca.pem -noout -text");
            assert_says(&f.run, cases[i].algorithm);
            mbedtls_pk_free(&key);
            fixture_end(&f);
        }
    }
}

static void serials(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    struct fixture f;
    struct buf der = {0};
    uint8_t serial[SERIAL_SIZE + 1] = {0x40};
    struct certificate_content c = leaf("CN=x");
    fixture_begin(&f, "CN=Root");
    for (int i = 0; i < 200; i++) {
        assert_works(serial_make(&f.rng, serial, &e), &e);
        assert_true(serial[0] >= 0x40 && serial[0] <= 0x7f);
    }
    assert_works(certificate_make(&c, serial, SERIAL_SIZE, &f.key, &f.issuer, &f.rng, &der, &e), &e);
    buf_clear(&der);
    assert_fails(certificate_make(&c, serial, SERIAL_SIZE + 1, &f.key, &f.issuer, &f.rng, &der, &e), &e,
                 "a serial number of 21 octets; at most 20 are allowed");
    fixture_end(&f);
}

static void refusals(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    struct fixture f;
    struct buf der = {0};
    char *purposes[] = {TEXT("clientAuth"), NULL};
    struct certificate_content c = leaf("CN=x");
    fixture_begin(&f, "CN=Root");
#define REFUSED(expected)                                                                                              \
    assert_fails(certificate_make(&c, (const uint8_t *)"\x01", 1, &f.key, &f.issuer, &f.rng, &der, &e), &e, expected)
    c.ext_key_usage = purposes;
    REFUSED("\"clientAuth\" is not an object identifier such as 1.3.6.1.5.5.7.3.2");
    c.ext_key_usage = NULL;
    c.is_ca = true;
    c.path_length = 128;
    REFUSED("adding basicConstraints and keyUsage: X509 - Input invalid");
    c.is_ca = false;
    general_names_add(&c.names, GENERAL_NAME_DNS, "a_b");
    REFUSED("dns \"a_b\": label \"a_b\" must be letters, digits and inner hyphens");
    general_names_clear(&c.names);
    assert_int_equal(der.len, 0);
    fixture_end(&f);
}

// The same seed gives the same octets.
static void seeded(void **state)
{
    (void)state;
    struct buf made[2] = {0};
    for (size_t i = 0; i < 2; i++) {
        struct err e = ERR_INIT;
        struct rng rng;
        mbedtls_pk_context key;
        uint8_t serial[SERIAL_SIZE];
        struct certificate_content c = leaf("CN=x,DC=a,DC=b");
        assert_works(rng_init_seeded(&rng, "seed", "x", &e), &e);
        assert_works(key_generate(KEY_ec_p256, &rng, &key, &e), &e);
        assert_works(serial_make(&rng, serial, &e), &e);
        struct certificate_issuer self = {.key = &key};
        assert_works(key_id(&key, self.key_id, &e), &e);
        assert_works(certificate_make(&c, serial, sizeof serial, &key, &self, &rng, &made[i], &e), &e);
        mbedtls_pk_free(&key);
        rng_clear(&rng);
    }
    assert_int_equal(made[0].len, made[1].len);
    assert_memory_equal(made[0].data, made[1].data, made[0].len);
    buf_clear(&made[0]);
    buf_clear(&made[1]);
}

static void split_any(struct span data)
{
    struct err e = ERR_INIT;
    struct certificate_parts parts;
    if (certificate_split(data, &parts, &e) == 0) {
        assert_true(parts.tbs.len <= data.len && parts.extensions.len <= parts.tbs.len);
    } else {
        assert_true(err_is_set(&e));
    }
}

static void splitting(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    struct fixture f;
    struct certificate_parts parts;
    struct buf pem = {0};
    struct pem_block block;
    fixture_begin(&f, "CN=Root");
    run_read(&f.run, "ca.pem", &pem);
    struct span rest = buf_span(&pem);
    assert_int_equal(pem_next(&rest, &block, &e), 1);
    struct span der = buf_span(&block.der);
    assert_works(certificate_split(der, &parts, &e), &e);
    assert_memory_equal(parts.subject.data, f.ca_name.data, f.ca_name.len);
    assert_memory_equal(parts.issuer.data, f.ca_name.data, f.ca_name.len);
    assert_int_equal(parts.extensions.data[0], 0xa3);
    // Together with what signs it, the parts are the whole
    size_t sum = parts.version.len + parts.serial.len + parts.algorithm.len + parts.issuer.len + parts.validity.len +
                 parts.subject.len + parts.key.len + parts.extensions.len;
    assert_int_equal(parts.tbs.len - sum, parts.tbs.data[1] == 0x82 ? 4 : 3);
    // A unique identifier [1] in the extensions' place is not taken for them
    *(uint8_t *)(uintptr_t)parts.extensions.data = 0xa1;
    assert_works(certificate_split(der, &parts, &e), &e);
    assert_int_equal(parts.extensions.len, 0);
    survive(der, 1, split_any);
    buf_clear(&block.der);
    buf_clear(&pem);
    fixture_end(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_authority),     cmocka_unit_test(every_extension), cmocka_unit_test(no_subject),
        cmocka_unit_test(name_constraints), cmocka_unit_test(validity),        cmocka_unit_test(unusual_names),
        cmocka_unit_test(key_types),        cmocka_unit_test(serials),         cmocka_unit_test(refusals),
        cmocka_unit_test(seeded),           cmocka_unit_test(splitting),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
