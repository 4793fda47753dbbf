// SPDX-License-Identifier: Apache-2.0
#include "base/name_text.h"
#include "ca/csr.h"
#include "run.h"

struct fixture {
    struct run run;
    struct rng rng;
};

static void fixture_begin(struct fixture *f)
{
    struct err e = ERR_INIT;
    run_begin(&f->run);
    assert_works(rng_init(&f->rng, &e), &e);
}

static void fixture_end(struct fixture *f)
{
    rng_clear(&f->rng);
    run_end(&f->run);
}

// Runs a command that writes a request to standard output or r.pem, and reads the file `name`.
static void request_of(struct fixture *f, const char *command, const char *name, struct buf *request)
{
    assert_runs(&f->run, "%s", command);
    run_read(&f->run, name, request);
}

static void openssl_reads_ours(void **state)
{
    (void)state;
    static const struct {
        enum key_type type;
        const char *algorithm;
    } cases[] = {{KEY_ec_p256, "ecdsa-with-SHA256"},
                 {KEY_ec_p384, "ecdsa-with-SHA384"},
                 {KEY_ec_p521, "ecdsa-with-SHA512"},
                 {KEY_rsa_2048, "sha256WithRSAEncryption"}};
    struct err e = ERR_INIT;
    struct fixture f;
    fixture_begin(&f);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct buf pem = {0};
        struct general_names names = {0};
        mbedtls_pk_context key;
        general_names_add(&names, GENERAL_NAME_DNS, "a.example.com");
        general_names_add(&names, GENERAL_NAME_IP, "::1");
        assert_works(key_generate(cases[i].type, &f.rng, &key, &e), &e);
        assert_works(csr_make("CN=a.example.com,O=Acme", &names, &key, &f.rng, &pem, &e), &e);
        run_file(&f.run, "r.pem", buf_span(&pem));
        assert_runs(&f.run, "openssl req -in r.pem -noout -text -verify");
        assert_says(&f.run, "verify OK");
        assert_says(&f.run, "Subject: O = Acme, CN = a.example.com");
        assert_says(&f.run, "X509v3 Subject Alternative Name: \n                    DNS:a.example.com, "
                            "IP Address:0:0:0:0:0:0:0:1\n");
        assert_says(&f.run, cases[i].algorithm);
        buf_clear(&pem);
        general_names_clear(&names);
        mbedtls_pk_free(&key);
    }
    fixture_end(&f);
}

// Names that mbedTLS's writer merges are put in by hand; a request for no name at all has a critical subjectAltName.
static void unusual_names(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    struct fixture f;
    struct general_names none = {0};
    struct general_names names = {0};
    struct buf pem = {0};
    mbedtls_pk_context key;
    fixture_begin(&f);
    assert_works(key_generate(KEY_ec_p256, &f.rng, &key, &e), &e);
    assert_works(csr_make("CN=alice+UID=a1,OU=a,OU=b,DC=example,DC=com", &none, &key, &f.rng, &pem, &e), &e);
    run_file(&f.run, "r.pem", buf_span(&pem));
    assert_runs(&f.run, "openssl req -in r.pem -noout -verify -subject -text -nameopt RFC2253");
    assert_says(&f.run, "verify OK");
    assert_says(&f.run, "OU=a,OU=b,DC=example,DC=com\n");
    assert_says_not(&f.run, "Subject Alternative Name");
    buf_clear(&pem);
    general_names_add(&names, GENERAL_NAME_URI, "spiffe://example.org/x");
    assert_works(csr_make("", &names, &key, &f.rng, &pem, &e), &e);
    run_file(&f.run, "r.pem", buf_span(&pem));
    assert_runs(&f.run, "openssl req -in r.pem -noout -verify -text");
    assert_says(&f.run, "X509v3 Subject Alternative Name: critical\n                    URI:spiffe://example.org/x\n");
    buf_clear(&pem);
    general_names_add(&names, GENERAL_NAME_DNS, "under_score");
    assert_fails(csr_make("CN=x", &names, &key, &f.rng, &pem, &e), &e,
                 "dns \"under_score\": label \"under_score\" must be letters, digits and inner hyphens");
    assert_int_equal(pem.len, 0);
    buf_clear(&pem);
    general_names_clear(&names);
    mbedtls_pk_free(&key);
    fixture_end(&f);
}

static void we_read_openssls(void **state)
{
    (void)state;
    static const struct {
        const char *key;
        enum key_type type;
    } cases[] = {{"ec:p256", KEY_ec_p256}, {"ec:p384", KEY_ec_p384}, {"ec:p521", KEY_ec_p521}, {"rsa", KEY_rsa_2048}};
    struct err e = ERR_INIT;
    struct fixture f;
    fixture_begin(&f);
    assert_runs(&f.run, "for c in 256 384 521; do openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-$c "
                        "-out ec:p$c; done; openssl genrsa -out rsa 2048");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        for (int der = 0; der < 2; der++) {
            struct buf request = {0};
            struct buf subject = {0};
            struct csr csr;
            enum key_type type;
            char command[512];
            snprintf(command, sizeof command,
                     "openssl req -new -key %s -subj '/O=Acme/CN=bob' -addext "
                     "subjectAltName=DNS:*.b.example,IP:10.0.0.1,email:b@example.com,URI:https://b.example/x -addext "
                     "keyUsage=critical,digitalSignature -addext basicConstraints=CA:TRUE -outform %s -out r",
                     cases[i].key, der == 1 ? "DER" : "PEM");
            request_of(&f, command, "r", &request);
            assert_works(csr_read(buf_span(&request), &csr, &e), &e);
            assert_true(key_type_of(&csr.key, &type));
            assert_int_equal(type, cases[i].type);
            assert_works(name_to_text(buf_span(&csr.subject), &subject, &e), &e);
            assert_string_equal(subject.data, "CN=bob,O=Acme");
            static const struct {
                enum general_name_type type;
                const char *value;
            } expected[] = {{GENERAL_NAME_DNS, "*.b.example"},
                            {GENERAL_NAME_IP, "10.0.0.1"},
                            {GENERAL_NAME_EMAIL, "b@example.com"},
                            {GENERAL_NAME_URI, "https://b.example/x"}};
            assert_int_equal(csr.names.count, 4);
            for (size_t k = 0; k < 4; k++) {
                assert_int_equal(csr.names.items[k].type, expected[k].type);
                assert_string_equal(csr.names.items[k].value, expected[k].value);
            }
            assert_non_null(csr.unused);
            assert_string_equal(csr.unused[0], "keyUsage (critical)");
            assert_string_equal(csr.unused[1], "basicConstraints");
            assert_null(csr.unused[2]);
            csr_clear(&csr);
            buf_clear(&request);
            buf_clear(&subject);
        }
    }
    fixture_end(&f);
}

// No subjectAltName, no extension at all; and a challengePassword, which is no extension.
static void sparse_requests(void **state)
{
    (void)state;
    static const char *const commands[] = {
        "openssl req -new -newkey rsa:2048 -nodes -keyout k -subj /CN=x -out r",
        "printf "
        "'[req]\\ndistinguished_name=d\\nattributes=a\\nprompt=no\\n[d]\\nCN=x\\n[a]\\nchallengePassword=secret\\n'"
        " > c; openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout k -config c -out r",
    };
    struct err e = ERR_INIT;
    struct fixture f;
    fixture_begin(&f);
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        struct buf request = {0};
        struct csr csr;
        request_of(&f, commands[i], "r", &request);
        assert_works(csr_read(buf_span(&request), &csr, &e), &e);
        assert_int_equal(csr.names.count, 0);
        assert_null(csr.unused);
        csr_clear(&csr);
        buf_clear(&request);
    }
    fixture_end(&f);
}

static void refused(struct span request, const char *expected)
{
    struct err e = ERR_INIT;
    struct csr csr;
    assert_fails(csr_read(request, &csr, &e), &e, expected);
    csr_clear(&csr);
}

static void weak_requests(void **state)
{
    (void)state;
    static const struct {
        const char *command;
        const char *expected;
    } cases[] = {
        {"openssl req -new -newkey rsa:1024 -nodes -keyout k -subj /CN=x -out r",
         "the request's RSA key of 1024 bits is not taken (one of: ec-p256, ec-p384, ec-p521, rsa-2048, rsa-3072, "
         "rsa-4096)"},
        {"openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-192 -nodes -keyout k -subj /CN=x -out r",
         "the request's EC key of 192 bits is not taken (one of: ec-p256, ec-p384, ec-p521, rsa-2048, rsa-3072, "
         "rsa-4096)"},
        {"openssl req -new -newkey rsa:2048 -nodes -keyout k -subj /CN=x -sha1 -out r",
         "the request is signed with sha1WithRSAEncryption, which is not taken (RSA or ECDSA with SHA-256 or better)"},
        {"openssl req -new -key k -subj /CN=x -md5 -out r",
         "the request is signed with md5WithRSAEncryption, which is not taken (RSA or ECDSA with SHA-256 or better)"},
        {"openssl req -new -key k -subj /CN=x -sha224 -out r",
         "the request is signed with sha224WithRSAEncryption, which is not taken (RSA or ECDSA with SHA-256 or "
         "better)"},
        {"openssl req -new -key k -subj /CN=x -sigopt rsa_padding_mode:pss -out r",
         "the request is signed with RSASSA-PSS, which is not taken (RSA or ECDSA with SHA-256 or better)"},
        {"openssl req -new -newkey ed25519 -nodes -keyout e -subj /CN=x -out r",
         "the request's public key cannot be read: PK - Key algorithm is unsupported (only RSA and EC are supported)"},
        {"openssl req -new -key k -subj /CN=x -addext subjectAltName=DNS:a_b -out r",
         "subjectAltName: dns \"a_b\": label \"a_b\" must be letters, digits and inner hyphens"},
        {"openssl req -new -key k -subj /CN=x -addext subjectAltName=RID:1.2.3 -out r",
         "subjectAltName: other \"[8] 2a03\": names of this kind cannot be made"},
        {"openssl pkey -in k -pubout -out r", "there is no CERTIFICATE REQUEST in this PEM file"},
        {"printf '\\4\\1x' > r", "certification request: DER tag 0x04 where 0x30 is due"},
        {": > r", "certification request: DER: an element is cut short or has a tag of more than one octet"},
    };
    struct fixture f;
    fixture_begin(&f);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct buf request = {0};
        request_of(&f, cases[i].command, "r", &request);
        refused(buf_span(&request), cases[i].expected);
        buf_clear(&request);
    }
    fixture_end(&f);
}

static void broken_signature(void **state)
{
    (void)state;
    static const char expected[] =
        "the request's signature is not by its own key: who sent it need not have the private key";
    struct err e = ERR_INIT;
    struct csr csr;
    struct buf request = {0};
    struct fixture f;
    fixture_begin(&f);
    request_of(&f,
               "openssl req -new -newkey rsa:2048 -nodes -keyout k -subj /CN=aaaaaaaa -addext "
               "subjectAltName=DNS:good.example -outform DER -out r",
               "r", &request);
    assert_works(csr_read(buf_span(&request), &csr, &e), &e);
    csr_clear(&csr);
    request.data[request.len - 1] ^= 1; // the signature
    refused(buf_span(&request), expected);
    request.data[request.len - 1] ^= 1;
    uint8_t *name = memmem(request.data, request.len, "aaaa", 4); // what is signed
    name[0] = 'b';
    refused(buf_span(&request), expected);
    name[0] = 'a';
    buf_add(&request, "x", 1);
    refused(buf_span(&request), "octets follow the certification request or a part of it");
    buf_clear(&request);
    fixture_end(&f);
}

static void read_any(struct span data)
{
    struct err e = ERR_INIT;
    struct csr csr;
    csr_read(data, &csr, &e); // what it says does not matter here
    csr_clear(&csr);
}

// Hostile attributes must be reached, which a broken signature prevents: the split and extension readers take them
// bare.
static void read_parts(struct span data)
{
    struct err e = ERR_INIT;
    struct csr_parts parts;
    struct span extensions;
    if (csr_split(data, &parts, &e) == 0) {
        csr_extensions(&parts, &extensions, &e);
    }
}

static void damaged_requests(void **state)
{
    (void)state;
    struct buf request = {0};
    struct fixture f;
    fixture_begin(&f);
    request_of(&f,
               "openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout k -subj /CN=x -addext "
               "subjectAltName=DNS:a.example,IP:::1 -outform DER -out r",
               "r", &request);
    survive(buf_span(&request), 1, read_parts);
    survive(buf_span(&request), 5, read_any); // each may cost a verification
    buf_clear(&request);
    fixture_end(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(openssl_reads_ours), cmocka_unit_test(unusual_names), cmocka_unit_test(we_read_openssls),
        cmocka_unit_test(sparse_requests),    cmocka_unit_test(weak_requests), cmocka_unit_test(broken_signature),
        cmocka_unit_test(damaged_requests),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
