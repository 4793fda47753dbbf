// SPDX-License-Identifier: Apache-2.0
#include "ca/certificate.h"
#include "ca/pkcs12.h"
#include "run.h"

struct fixture {
    struct run run;
    struct rng rng;
    struct buf pkcs8;
    struct buf ca;
    struct buf leaf;
};

static void make_certificate(struct fixture *f, const char *subject, mbedtls_pk_context *key,
                             const struct certificate_issuer *issuer, struct buf *der)
{
    struct err e = ERR_INIT;
    uint8_t serial[SERIAL_SIZE];
    struct certificate_content c = {.subject = (char *)(uintptr_t)subject,
                                    .not_before = 1780272000,
                                    .not_after = 2780272000,
                                    .is_ca = issuer->subject.len == 0,
                                    .path_length = PATH_LENGTH_NONE};
    assert_works(serial_make(&f->rng, serial, &e), &e);
    assert_works(certificate_make(&c, serial, sizeof serial, key, issuer, &f->rng, der, &e), &e);
}

static void fixture_begin(struct fixture *f, enum key_type type)
{
    struct err e = ERR_INIT;
    struct buf name = {0};
    mbedtls_pk_context key;
    mbedtls_pk_context ca_key;
    *f = (struct fixture){0};
    run_begin(&f->run);
    assert_works(rng_init(&f->rng, &e), &e);
    assert_works(key_generate(type, &f->rng, &key, &e), &e);
    assert_works(key_generate(KEY_ec_p256, &f->rng, &ca_key, &e), &e);
    struct certificate_issuer issuer = {.key = &ca_key};
    assert_works(key_id(&ca_key, issuer.key_id, &e), &e);
    make_certificate(f, "CN=Test CA", &ca_key, &issuer, &f->ca);
    assert_works(name_from_text("CN=Test CA", &name, &e), &e);
    issuer.subject = buf_span(&name);
    make_certificate(f, "CN=alice", &key, &issuer, &f->leaf);
    assert_works(key_write_pkcs8(&key, &f->pkcs8, &e), &e);
    buf_clear(&name);
    mbedtls_pk_free(&key);
    mbedtls_pk_free(&ca_key);
}

static void fixture_end(struct fixture *f)
{
    buf_clear(&f->pkcs8);
    buf_clear(&f->ca);
    buf_clear(&f->leaf);
    rng_clear(&f->rng);
    run_end(&f->run);
}

// Makes a.p12 with the whole chain, and a file with the password.
static void make(struct fixture *f, const char *friendly_name, const char *password)
{
    struct err e = ERR_INIT;
    struct buf der = {0};
    const struct span chain[] = {buf_span(&f->leaf), buf_span(&f->ca)};
    assert_works(pkcs12_make(buf_span(&f->pkcs8), chain, 2, friendly_name, password, &f->rng, &der, &e), &e);
    run_file(&f->run, "a.p12", buf_span(&der));
    run_file(&f->run, "password", span_of(password, strlen(password)));
    buf_clear(&der);
}

// What comes out is what went in: the key, and the certificates leaf first.
static void check_content(struct fixture *f)
{
    assert_runs(&f->run, "openssl pkcs12 -in a.p12 -passin file:password -nodes -nocerts -out k.pem && "
                         "openssl pkcs12 -in a.p12 -passin file:password -nokeys -clcerts -out leaf.pem && "
                         "openssl pkcs12 -in a.p12 -passin file:password -nokeys -cacerts -out ca.pem && "
                         "openssl pkey -in k.pem -pubout -out k.pub && openssl x509 -in leaf.pem -noout -pubkey -out "
                         "leaf.pub && cmp k.pub leaf.pub && openssl x509 -in leaf.pem -outform DER -out leaf.der && "
                         "openssl x509 -in ca.pem -outform DER -out ca.der && grep -c BEGIN k.pem leaf.pem ca.pem");
    assert_says(&f->run, "k.pem:1\nleaf.pem:1\nca.pem:1\n");
    const struct {
        const char *file;
        const struct buf *expected;
    } files[] = {{"leaf.der", &f->leaf}, {"ca.der", &f->ca}};
    for (size_t i = 0; i < 2; i++) {
        struct buf read = {0};
        run_read(&f->run, files[i].file, &read);
        assert_int_equal(read.len, files[i].expected->len);
        assert_memory_equal(read.data, files[i].expected->data, read.len);
        buf_clear(&read);
    }
}

static void openssl_opens_it(void **state)
{
    (void)state;
    static const enum key_type types[] = {KEY_ec_p256, KEY_ec_p521, KEY_rsa_2048};
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        struct fixture f;
        fixture_begin(&f, types[i]);
        make(&f, "Alice & Co.", "correct horse");
        assert_runs(&f.run, "openssl pkcs12 -in a.p12 -passin file:password -info -noout");
        assert_says(&f.run, "MAC: sha256, Iteration 100000\n");
        assert_says(&f.run, "MAC length: 32, salt length: 16\n");
        assert_says(&f.run, "PKCS7 Encrypted data: PBES2, PBKDF2, AES-256-CBC, Iteration 100000, PRF hmacWithSHA256");
        assert_says(&f.run, "Shrouded Keybag: PBES2, PBKDF2, AES-256-CBC, Iteration 100000, PRF hmacWithSHA256");
        assert_runs(&f.run, "openssl pkcs12 -in a.p12 -passin file:password -nodes");
        assert_says(&f.run, "friendlyName: Alice & Co.");
        check_content(&f);
        assert_int_not_equal(run(&f.run, "openssl pkcs12 -in a.p12 -passin pass:correct -nodes"), 0);
        assert_says(&f.run, "Mac verify error: invalid password?");
        assert_says_not(&f.run, "PRIVATE KEY");
        fixture_end(&f);
    }
}

// A password may be of any length (mbedTLS's own derivation would stop at 31 characters) and any script.
static void passwords(void **state)
{
    (void)state;
    static const char *const kept[] = {
        "x",
        "1234567890123456789012345678901", // 31 characters: with the terminator just 64 octets
        "12345678901234567890123456789012",
        "a very long passphrase that nobody would type twice without a slip of the hand, and then some more of it",
        "\xc3\xa4\xc3\xb6\xc3\xbc \xd0\xbf\xd0\xb0\xd1\x80\xd0\xbe\xd0\xbb\xd1\x8c \xe2\x82\xac",
        "\xf0\x9f\x94\x91 outside the basic plane",
    };
    struct fixture f;
    fixture_begin(&f, KEY_ec_p256);
    for (size_t i = 0; i < sizeof kept / sizeof kept[0]; i++) {
        make(&f, NULL, kept[i]);
        assert_runs(&f.run, "openssl pkcs12 -in a.p12 -passin file:password -nodes");
        assert_says(&f.run, "-----BEGIN PRIVATE KEY-----");
        assert_int_not_equal(run(&f.run, "openssl pkcs12 -in a.p12 -passin pass:other -nodes"), 0);
    }
    // Latin-1 of the UTF-8 password is another password
    make(&f, NULL, "p\xc3\xa4ss");
    assert_int_not_equal(run(&f.run, "printf 'p\\344ss' > latin1; openssl pkcs12 -in a.p12 -passin file:latin1 -noout"),
                         0);
    fixture_end(&f);
}

static void friendly_names(void **state)
{
    (void)state;
    struct fixture f;
    fixture_begin(&f, KEY_ec_p256);
    make(&f, NULL, "x");
    assert_runs(&f.run, "openssl pkcs12 -in a.p12 -passin file:password -nodes");
    assert_says_not(&f.run, "friendlyName");
    assert_says(&f.run, "localKeyID");
    // Also one that sorts behind the localKeyID in the SET
    make(&f, "M\xc3\xbcller, a friend of a friend of a friend", "x");
    assert_runs(&f.run, "openssl pkcs12 -in a.p12 -passin file:password -nodes");
    assert_says(&f.run, "friendlyName: M\xfcller, a friend of a friend of a friend"); // openssl prints Latin-1
    check_content(&f);
    fixture_end(&f);
}

static void keytool_opens_it(void **state)
{
    (void)state;
    struct fixture f;
    fixture_begin(&f, KEY_rsa_2048);
    if (run_has(&f.run, "keytool")) {
        make(&f, "alice", "correct horse");
        assert_runs(&f.run, "keytool -list -v -keystore a.p12 -storetype PKCS12 -storepass:file password");
        assert_says(&f.run, "Your keystore contains 1 entry");
        assert_says(&f.run, "Alias name: alice");
        assert_says(&f.run, "Entry type: PrivateKeyEntry");
        assert_says(&f.run, "Certificate chain length: 2");
        // The key itself, which -list does not decrypt
        assert_runs(&f.run,
                    "keytool -certreq -alias alice -keystore a.p12 -storetype PKCS12 -storepass:file password | "
                    "openssl req -noout -verify -subject");
        assert_says(&f.run, "subject=CN = alice");
        assert_int_not_equal(run(&f.run, "keytool -list -keystore a.p12 -storetype PKCS12 -storepass incorrect"), 0);
        assert_says(&f.run, "keystore password was incorrect");
    }
    fixture_end(&f);
}

static void certtool_opens_it(void **state)
{
    (void)state;
    struct fixture f;
    fixture_begin(&f, KEY_ec_p384);
    if (run_has(&f.run, "certtool")) {
        make(&f, "alice", "correct horse");
        assert_runs(&f.run, "certtool --p12-info --inder --infile a.p12 --password 'correct horse' | grep -v =$");
        assert_says(&f.run, "MAC info:\n\tMAC: SHA256 (2.16.840.1.101.3.4.2.1)");
        assert_says(&f.run, "Friendly name: alice");
        assert_says(&f.run, "Type: PKCS #8 Encrypted key");
        assert_int_not_equal(run(&f.run, "certtool --p12-info --inder --infile a.p12 --password wrong"), 0);
    }
    fixture_end(&f);
}

static void refusals(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    struct buf der = {0};
    struct fixture f;
    fixture_begin(&f, KEY_ec_p256);
    const struct span chain[] = {buf_span(&f.leaf)};
    struct span key = buf_span(&f.pkcs8);
    assert_fails(pkcs12_make(key, chain, 1, NULL, "", &f.rng, &der, &e), &e, "a PKCS#12 file needs a password");
    assert_fails(pkcs12_make(key, chain, 0, NULL, "x", &f.rng, &der, &e), &e, "a PKCS#12 file needs a certificate");
    assert_fails(pkcs12_make(key, chain, 1, NULL, "p\xe4ss", &f.rng, &der, &e), &e, "password: it is not UTF-8");
    assert_fails(pkcs12_make(key, chain, 1, "M\xfcller", "x", &f.rng, &der, &e), &e, "friendly name: it is not UTF-8");
    assert_int_equal(der.len, 0);
    fixture_end(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(openssl_opens_it), cmocka_unit_test(passwords),         cmocka_unit_test(friendly_names),
        cmocka_unit_test(keytool_opens_it), cmocka_unit_test(certtool_opens_it), cmocka_unit_test(refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
