// SPDX-License-Identifier: Apache-2.0
#include "base/name_text.h"
#include "ca/csr.h"
#include "run.h"

// Runs a command that writes a request to standard output or r.pem, and reads the file `name`.
static void request_of(struct run *r, const char *command, const char *name, struct buf *request)
{
    assert_runs(r, "%s", command);
    run_read(r, name, request);
}

static void we_read_openssls(void **state)
{
    (void)state;
    static const struct {
        const char *key;
        enum key_type type;
    } cases[] = {{"ec:p256", KEY_ec_p256}, {"ec:p384", KEY_ec_p384}, {"ec:p521", KEY_ec_p521}, {"rsa", KEY_rsa_2048}};
    struct err e = ERR_INIT;
    struct run r;
    run_begin(&r);
    assert_runs(&r, "for c in 256 384 521; do openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-$c "
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
            request_of(&r, command, "r", &request);
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
    run_end(&r);
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
    struct run r;
    run_begin(&r);
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        struct buf request = {0};
        struct csr csr;
        request_of(&r, commands[i], "r", &request);
        assert_works(csr_read(buf_span(&request), &csr, &e), &e);
        assert_int_equal(csr.names.count, 0);
        assert_null(csr.unused);
        csr_clear(&csr);
        buf_clear(&request);
    }
    run_end(&r);
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
    struct run r;
    run_begin(&r);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct buf request = {0};
        request_of(&r, cases[i].command, "r", &request);
        refused(buf_span(&request), cases[i].expected);
        buf_clear(&request);
    }
    run_end(&r);
}

static void broken_signature(void **state)
{
    (void)state;
    static const char expected[] =
        "the request's signature is not by its own key: who sent it need not have the private key";
    struct err e = ERR_INIT;
    struct csr csr;
    struct buf request = {0};
    struct run r;
    run_begin(&r);
    request_of(&r,
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
    run_end(&r);
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
    struct run r;
    run_begin(&r);
    request_of(&r,
               "openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout k -subj /CN=x -addext "
               "subjectAltName=DNS:a.example,IP:::1 -outform DER -out r",
               "r", &request);
    survive(buf_span(&request), 1, read_parts);
    survive(buf_span(&request), 5, read_any); // each may cost a verification
    buf_clear(&request);
    run_end(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(we_read_openssls), cmocka_unit_test(sparse_requests),  cmocka_unit_test(weak_requests),
        cmocka_unit_test(broken_signature), cmocka_unit_test(damaged_requests),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
