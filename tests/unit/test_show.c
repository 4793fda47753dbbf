// SPDX-License-Identifier: Apache-2.0
#include "show_fixture.h"

static void keys(void **state)
{
    (void)state;
    static const struct {
        const char *command; // makes the file k
        const char *expected;
    } cases[] = {
        {"openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out p; cp p k",
         "private key\n    form                          PKCS#8\n    encrypted                     no\n"
         "    type                          EC\n    curve                         P-256\n    bits                      "
         "    "
         "256\n    id                            "},
        {"openssl ec -in p -outform DER -out k", "    form                          SEC 1\n"},
        {"openssl genrsa -traditional -out k 2048", "    form                          PKCS#1\n"},
        {"openssl pkcs8 -topk8 -in p -passout pass:x -outform DER -out k",
         "private key\n    form                          PKCS#8\n    encrypted                     yes\n    encryption "
         "    "
         "               PBES2\n"},
        {"openssl ec -in p -aes128 -passout pass:x -out k",
         "private key\n    form                          EC PRIVATE KEY\n    encrypted                     yes\n"},
        {"openssl genpkey -algorithm ed25519 -out k", "private key\n    form                          PKCS#8\n    "
                                                      "encrypted                     no\n    type          "
                                                      "                Ed25519\n"},
        {"openssl pkey -in p -pubout -outform DER -out k", "public key\n    type                          EC\n"},
        {"openssl genrsa 2048 | openssl rsa -RSAPublicKey_out -outform DER -out k",
         "public key\n    type                          RSA\n    bits                          2048\n"},
        {"openssl req -x509 -new -key p -subj /CN=x -out c; openssl pkcs12 -export -inkey p -in c -passout pass:x -out "
         "k",
         "PKCS#12\n    note  "},
        {"openssl crl2pkcs7 -nocrl -certfile c -outform DER -out k", "PKCS#7\n    note  "},
        {"openssl req -new -key p -subj /CN=r -addext subjectAltName=DNS:r.example -outform DER -out k",
         "certification request\n    subject                       CN=r\n"},
        {"openssl req -new -key p -subj /CN=r -sha1 -out k",
         "    acceptable                    no\n    refused because               the request is signed with "
         "ecdsa-with-SHA1, which is not taken"},
        {"printf -- '-----BEGIN DH PARAMETERS-----\\nMAA=\\n-----END DH PARAMETERS-----\\n' > k",
         "unknown\n    label                         DH PARAMETERS\n    octets                        2\n"},
    };
    struct run r;
    struct buf text = {0};
    run_begin(&r);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_runs(&r, "%s", cases[i].command);
        show_of(&r, "k", &text);
        assert_shows(&text, cases[i].expected);
    }
    // Its private number is not there, in hexadecimal or otherwise; its identifier is the certificate's
    assert_runs(&r,
                "openssl ec -in p -noout -text | sed -n '/^priv/,/^pub/p' | grep '^ ' | tr -d ' :\\n' | sed 's/^00//'");
    struct buf secret = {0};
    buf_text(&secret, (const char *)r.out.data);
    assert_true(secret.len >= 60);
    show_of(&r, "p", &text);
    assert_null(strstr((const char *)text.data, (const char *)secret.data));
    assert_runs(&r, "openssl x509 -in c -noout -ext subjectKeyIdentifier | tail -1 | tr -d ' :\\n' | tr A-F a-f");
    assert_shows(&text, (const char *)r.out.data);
    buf_clear(&secret);
    buf_clear(&text);
    run_end(&r);
}

static void several_blocks(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    struct run r;
    struct buf text = {0};
    run_begin(&r);
    assert_runs(&r,
                "openssl req -x509 -newkey rsa:2048 -nodes -keyout k -subj /CN=one -out c; (cat c; echo '-----BEGIN "
                "CERTIFICATE-----'; cat k; echo '-----BEGIN CERTIFICATE-----'; echo MAA=; echo '-----END "
                "CERTIFICATE-----') > all");
    show_of(&r, "all", &text);
    assert_shows(&text, "certificate\n    version                       3\n");
    assert_shows(&text,
                 "\nunknown\n    content                       malformed: PEM block CERTIFICATE has no END line\n");
    assert_shows(&text, "\nprivate key\n");
    assert_shows(&text,
                 "\ncertificate\n    content                       malformed: TBSCertificate: DER: an element is "
                 "cut short or has a tag of more than one octet\n");
    static const char *const nothing[] = {"", "hello\n", "0", "\x30\x03\x02\x01\x05"};
    for (size_t i = 0; i < sizeof nothing / sizeof nothing[0]; i++) {
        assert_null(show_file(span_of(nothing[i], strlen(nothing[i])), &options, &e));
        assert_string_equal(e.text,
                            "this is neither PEM nor the DER of a certificate, request, revocation list or key");
        err_clear(&e);
    }
    buf_clear(&text);
    run_end(&r);
}

static void read_any(struct span data)
{
    struct err e = ERR_INIT;
    struct buf text = {0};
    json_t *shown = show_file(data, &options, &e);
    if (shown != NULL) {
        show_text(shown, &text);
        for (size_t i = 0; i < text.len; i++) {
            assert_true(text.data[i] == '\n' || text.data[i] >= ' ');
        }
    }
    json_decref(shown);
    buf_clear(&text);
}

static void damaged_files(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    struct ca ca;
    struct run r;
    struct buf der = {0};
    struct crl_entry entry = {span_of("\x4a\x01", 2), june_2026, REVOCATION_key_compromise, june_2026};
    struct crl_content content = {june_2026, june_2026 + CLOCK_DAY, 41, &entry, 1};
    ca_begin(&ca);
    make_certificate(&ca, "CN=a+UID=b,O=Acme", &der);
    survive(buf_span(&der), 1, read_any);
    buf_clear(&der);
    assert_works(crl_make(&content, &ca.issuer, &ca.rng, &der, &e), &e);
    survive(buf_span(&der), 1, read_any);
    buf_clear(&der);
    run_begin(&r);
    assert_runs(&r,
                "openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -outform DER -out k; openssl req -new "
                "-key k -subj /CN=r -addext subjectAltName=DNS:r.example -outform DER -out r; openssl pkcs8 -topk8 "
                "-in k -passout pass:x -outform DER -out e; openssl pkey -in k -out pem");
    static const struct {
        const char *name;
        size_t step; // requests and private keys cost arithmetic
    } files[] = {{"k", 3}, {"r", 5}, {"e", 1}, {"pem", 3}};
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        run_read(&r, files[i].name, &der);
        survive(buf_span(&der), files[i].step, read_any);
        buf_clear(&der);
    }
    run_end(&r);
    ca_end(&ca);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys),
        cmocka_unit_test(several_blocks),
        cmocka_unit_test(damaged_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
