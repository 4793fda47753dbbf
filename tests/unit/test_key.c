// SPDX-License-Identifier: Apache-2.0
// ca/key.c and ca/pbes2.c, with openssl at the other end.
#include "ca/key.h"
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

// Reads a file of the fixture's directory as a key; -1 as key_read.
static int read_file(struct fixture *f, const char *name, const char *passphrase, mbedtls_pk_context *key,
                     struct err *e)
{
    struct buf data = {0};
    run_read(&f->run, name, &data);
    int rc = key_read(buf_span(&data), passphrase, &f->rng, key, e);
    buf_clear(&data);
    return rc;
}

static void type_names(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    enum key_type type = KEY_TYPE_COUNT;
    assert_works(key_type_parse("rsa-3072", &type, &e), &e);
    assert_int_equal(type, KEY_rsa_3072);
    assert_string_equal(key_type_name(KEY_ec_p521), "ec-p521");
    assert_string_equal(key_type_name(KEY_TYPE_COUNT), "unknown");
    static const char *const refused[] = {"ec-p255", "rsa-1024", "ec-p192", ""};
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        char expected[160];
        snprintf(expected, sizeof expected,
                 "unknown key type \"%s\" (one of: ec-p256, ec-p384, ec-p521, rsa-2048, rsa-3072, rsa-4096)",
                 refused[i]);
        assert_fails(key_type_parse(refused[i], &type, &e), &e, expected);
    }
    assert_true(key_type_is_sound(KEY_rsa_4096));
    assert_false(key_type_is_sound(KEY_rsa_1024));
    assert_false(key_type_is_sound(KEY_ec_p192));
}

// Every type is made, written as PKCS#8 that openssl finds consistent, and read back as what it was.
static void openssl_reads_ours(void **state)
{
    (void)state;
    static const struct {
        enum key_type type;
        const char *openssl;
    } cases[] = {{KEY_ec_p256, "Private-Key: (256 bit)"},
                 {KEY_ec_p384, "Private-Key: (384 bit)"},
                 {KEY_ec_p521, "Private-Key: (521 bit)"},
                 {KEY_rsa_2048, "Private-Key: (2048 bit, 2 primes)"},
                 {KEY_rsa_1024, "Private-Key: (1024 bit, 2 primes)"},
                 {KEY_ec_p192, "Private-Key: (192 bit)"}};
    struct err e = ERR_INIT;
    struct fixture f;
    fixture_begin(&f);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        enum key_type type;
        mbedtls_pk_context key;
        mbedtls_pk_context again;
        struct buf pem = {0};
        struct buf der = {0};
        assert_works(key_generate(cases[i].type, &f.rng, &key, &e), &e);
        assert_works(key_write_pem(&key, &pem, &e), &e);
        assert_works(key_write_pkcs8(&key, &der, &e), &e);
        assert_true(text_starts((const char *)pem.data, "-----BEGIN PRIVATE KEY-----\n"));
        assert_false(key_is_encrypted(buf_span(&pem)));
        assert_false(key_is_encrypted(buf_span(&der)));
        run_file(&f.run, "k.pem", buf_span(&pem));
        run_file(&f.run, "k.der", buf_span(&der));
        assert_runs(&f.run, "openssl pkey -in k.pem -noout -text -check && openssl pkey -inform DER -in k.der "
                            "-pubout -out a && openssl pkey -in k.pem -pubout -out b && cmp a b");
        assert_says(&f.run, "Key is valid");
        assert_says(&f.run, cases[i].openssl);
        assert_works(key_read(buf_span(&pem), NULL, &f.rng, &again, &e), &e);
        assert_int_equal(mbedtls_pk_check_pair(&key, &again, rng_bytes, &f.rng), 0);
        assert_true(key_type_of(&again, &type));
        assert_int_equal(type, cases[i].type);
        mbedtls_pk_free(&key);
        mbedtls_pk_free(&again);
        buf_clear(&pem);
        buf_clear(&der);
    }
    fixture_end(&f);
}

static void digests(void **state)
{
    (void)state;
    static const struct {
        enum key_type type;
        mbedtls_md_type_t digest;
    } cases[] = {{KEY_ec_p256, MBEDTLS_MD_SHA256},
                 {KEY_ec_p384, MBEDTLS_MD_SHA384},
                 {KEY_ec_p521, MBEDTLS_MD_SHA512},
                 {KEY_rsa_1024, MBEDTLS_MD_SHA256}};
    struct err e = ERR_INIT;
    struct fixture f;
    fixture_begin(&f);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        mbedtls_pk_context key;
        assert_works(key_generate(cases[i].type, &f.rng, &key, &e), &e);
        assert_int_equal(key_digest(&key), cases[i].digest);
        mbedtls_pk_free(&key);
    }
    fixture_end(&f);
}

// What openssl writes is read: PKCS#8, SEC 1 with its parameters before it, PKCS#1; PEM and DER.
static void we_read_openssls(void **state)
{
    (void)state;
    static const struct {
        const char *command;
        enum key_type type;
    } cases[] = {
        {"openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out k", KEY_ec_p256},
        {"openssl ecparam -name secp384r1 -genkey -out k; grep -q 'EC PARAMETERS' k", KEY_ec_p384},
        {"openssl ecparam -name secp521r1 -genkey -noout -outform DER -out k", KEY_ec_p521},
        {"openssl genrsa -out k 2048", KEY_rsa_2048},
        {"openssl genrsa -traditional -out k 2048; grep -q 'BEGIN RSA PRIVATE KEY' k", KEY_rsa_2048},
        {"openssl genrsa -out p 2048; openssl rsa -in p -outform DER -out k", KEY_rsa_2048},
        {"openssl req -x509 -newkey rsa:2048 -nodes -keyout p -subj /CN=x -out c; cat c p > k", KEY_rsa_2048},
    };
    struct err e = ERR_INIT;
    struct fixture f;
    fixture_begin(&f);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        enum key_type type;
        mbedtls_pk_context key;
        assert_runs(&f.run, "%s", cases[i].command);
        assert_works(read_file(&f, "k", NULL, &key, &e), &e);
        assert_true(key_type_of(&key, &type));
        assert_int_equal(type, cases[i].type);
        mbedtls_pk_free(&key);
    }
    fixture_end(&f);
}

static void ours_encrypted(void **state)
{
    (void)state;
    static const char *const passphrases[] = {"correct horse", "x", "p\xc3\xa4ss \xf0\x9f\x94\x91"};
    struct err e = ERR_INIT;
    struct fixture f;
    fixture_begin(&f);
    for (size_t i = 0; i < sizeof passphrases / sizeof passphrases[0]; i++) {
        mbedtls_pk_context key;
        mbedtls_pk_context again;
        struct buf pem = {0};
        assert_works(key_generate(KEY_ec_p384, &f.rng, &key, &e), &e);
        assert_works(key_write_encrypted_pem(&key, passphrases[i], &f.rng, &pem, &e), &e);
        assert_true(key_is_encrypted(buf_span(&pem)));
        run_file(&f.run, "k.pem", buf_span(&pem));
        run_file(&f.run, "pass", span_of(passphrases[i], strlen(passphrases[i])));
        assert_runs(&f.run, "openssl pkey -in k.pem -passin file:pass -noout -check; openssl asn1parse -in k.pem");
        assert_says(&f.run, "Key is valid");
        assert_says(&f.run, "OBJECT            :PBES2");
        assert_says(&f.run, "INTEGER           :0927C0"); // 600,000 iterations
        assert_says(&f.run, "OBJECT            :hmacWithSHA256");
        assert_says(&f.run, "OBJECT            :aes-256-cbc");
        assert_int_not_equal(run(&f.run, "openssl pkey -in k.pem -passin pass:wrong -noout"), 0);
        assert_works(key_read(buf_span(&pem), passphrases[i], &f.rng, &again, &e), &e);
        assert_int_equal(mbedtls_pk_check_pair(&key, &again, rng_bytes, &f.rng), 0);
        mbedtls_pk_free(&key);
        mbedtls_pk_free(&again);
        buf_clear(&pem);
    }
    fixture_end(&f);
}

static void openssls_encrypted(void **state)
{
    (void)state;
    static const char *const ways[] = {
        "-v2 aes-256-cbc -v2prf hmacWithSHA256",
        "-v2 aes-128-cbc -v2prf hmacWithSHA256",
        "-v2 aes-256-cbc -v2prf hmacWithSHA1",
        "-v2 aes-128-cbc -v2prf hmacWithSHA1",
        "-v2 aes-256-cbc -v2prf hmacWithSHA512",
        "-v2 des3 -v2prf hmacWithSHA1",
        "-v1 PBE-SHA1-3DES",
    };
    struct err e = ERR_INIT;
    struct fixture f;
    fixture_begin(&f);
    assert_runs(&f.run, "openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out plain");
    for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
        static const char *const forms[] = {"PEM", "DER"};
        for (size_t k = 0; k < 2; k++) {
            mbedtls_pk_context key;
            assert_runs(&f.run, "openssl pkcs8 -topk8 -in plain -passout pass:secret %s -outform %s -out k", ways[i],
                        forms[k]);
            assert_works(read_file(&f, "k", "secret", &key, &e), &e);
            mbedtls_pk_free(&key);
            assert_fails(read_file(&f, "k", "Secret", &key, &e), &e, "the passphrase is not the private key's");
            mbedtls_pk_free(&key);
            assert_fails(read_file(&f, "k", NULL, &key, &e), &e,
                         "the private key is encrypted and no passphrase was given");
            mbedtls_pk_free(&key);
        }
    }
    // The older kind, encrypted as PEM
    mbedtls_pk_context key;
    assert_runs(&f.run, "openssl ec -in plain -aes128 -passout pass:secret -out k; grep Proc-Type k");
    assert_works(read_file(&f, "k", "secret", &key, &e), &e);
    mbedtls_pk_free(&key);
    assert_fails(read_file(&f, "k", "Secret", &key, &e), &e, "the passphrase is not the private key's");
    mbedtls_pk_free(&key);
    assert_fails(read_file(&f, "k", NULL, &key, &e), &e, "the private key is encrypted and no passphrase was given");
    mbedtls_pk_free(&key);
    fixture_end(&f);
}

static void unreadable(void **state)
{
    (void)state;
    static const struct {
        const char *command;
        const char *expected;
    } cases[] = {
        {"openssl genpkey -algorithm ed25519 -out k",
         "this is no private key that can be read: PK - Key algorithm is unsupported (only RSA and EC are supported)"},
        {"openssl genrsa 2048 2>/dev/null | openssl pkey -pubout -out k",
         "this is no private key that can be read: PK - Invalid key tag or value"},
        {"echo hello > k", "this is no private key that can be read: PK - Invalid key tag or value"},
        {": > k", "this is no private key that can be read: PK - Invalid key tag or value"},
    };
    struct err e = ERR_INIT;
    struct fixture f;
    fixture_begin(&f);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        mbedtls_pk_context key;
        assert_runs(&f.run, "%s", cases[i].command);
        assert_fails(read_file(&f, "k", NULL, &key, &e), &e, cases[i].expected);
        mbedtls_pk_free(&key);
    }
    fixture_end(&f);
}

static void key_ids(void **state)
{
    (void)state;
    static const enum key_type types[] = {KEY_ec_p256, KEY_rsa_2048};
    struct err e = ERR_INIT;
    struct fixture f;
    fixture_begin(&f);
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        mbedtls_pk_context key;
        uint8_t id[KEY_ID_SIZE];
        struct buf pem = {0};
        struct buf hex = {0};
        assert_works(key_generate(types[i], &f.rng, &key, &e), &e);
        assert_works(key_id(&key, id, &e), &e);
        assert_works(key_write_pem(&key, &pem, &e), &e);
        run_file(&f.run, "k.pem", buf_span(&pem));
        assert_runs(&f.run, "openssl req -x509 -new -key k.pem -subj /CN=x | openssl x509 -noout -ext "
                            "subjectKeyIdentifier | tail -1 | tr -d ' :\\n' | tr A-F a-f");
        text_hex(&hex, id, sizeof id, '\0');
        assert_string_equal(f.run.out.data, hex.data);
        buf_clear(&pem);
        buf_clear(&hex);
        mbedtls_pk_free(&key);
    }
    fixture_end(&f);
}

static void make_seeded(const char *seed, const char *label, enum key_type type, struct buf *pem)
{
    struct err e = ERR_INIT;
    struct rng rng;
    mbedtls_pk_context key;
    assert_works(rng_init_seeded(&rng, seed, label, &e), &e);
    assert_works(key_generate(type, &rng, &key, &e), &e);
    assert_works(key_write_pem(&key, pem, &e), &e);
    mbedtls_pk_free(&key);
    rng_clear(&rng);
}

static void seeded_keys(void **state)
{
    (void)state;
    static const enum key_type types[] = {KEY_ec_p256, KEY_ec_p521, KEY_rsa_1024};
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        struct buf pems[4] = {0};
        make_seeded("seed", "alice", types[i], &pems[0]);
        make_seeded("seed", "alice", types[i], &pems[1]);
        make_seeded("seed", "bob", types[i], &pems[2]);
        make_seeded("other", "alice", types[i], &pems[3]);
        assert_string_equal(pems[0].data, pems[1].data);
        assert_string_not_equal(pems[0].data, pems[2].data);
        assert_string_not_equal(pems[0].data, pems[3].data);
        for (size_t k = 0; k < 4; k++) {
            buf_clear(&pems[k]);
        }
    }
}

static struct rng shared;

static void read_plain(struct span data)
{
    struct err e = ERR_INIT;
    mbedtls_pk_context key;
    key_read(data, NULL, &shared, &key, &e); // what it says does not matter here
    mbedtls_pk_free(&key);
}

static void read_encrypted(struct span data)
{
    // The iteration count is a peer's: a changed one would only cost time, so these octets are kept as they are
    struct err e = ERR_INIT;
    mbedtls_pk_context key;
    if (data.len < 70 || memmem(data.data, 70, "\x02\x01\x01\x02\x01\x20", 6) == NULL) {
        return;
    }
    key_read(data, "secret", &shared, &key, &e);
    mbedtls_pk_free(&key);
}

static void damaged_keys(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    mbedtls_pk_context key;
    struct buf der = {0};
    struct buf encrypted = {0};
    assert_works(rng_init(&shared, &e), &e);
    assert_works(key_generate(KEY_ec_p256, &shared, &key, &e), &e);
    assert_works(key_write_pkcs8(&key, &der, &e), &e);
    survive(buf_span(&der), 1, read_plain);
    assert_works(key_encrypt_pkcs8(buf_span(&der), "secret", 1, &shared, &encrypted, &e), &e);
    survive(buf_span(&encrypted), 1, read_encrypted);
    mbedtls_pk_free(&key);
    buf_clear(&der);
    buf_clear(&encrypted);
    rng_clear(&shared);
}

// What a wrong passphrase deciphers looks well padded once in 256 times.
static void test_wrong_passphrases(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    struct fixture f;
    fixture_begin(&f);
    assert_runs(&f.run, "openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out plain");
    assert_runs(&f.run, "openssl pkcs8 -topk8 -in plain -passout pass:secret -v2 aes-128-cbc -iter 1 -out k");
    for (int i = 0; i < 2000; i++) {
        mbedtls_pk_context key;
        char wrong[32];
        snprintf(wrong, sizeof wrong, "wrong %d", i);
        assert_fails(read_file(&f, "k", wrong, &key, &e), &e, "the passphrase is not the private key's");
        mbedtls_pk_free(&key);
    }
    fixture_end(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_wrong_passphrases),
        cmocka_unit_test(type_names),
        cmocka_unit_test(openssl_reads_ours),
        cmocka_unit_test(digests),
        cmocka_unit_test(we_read_openssls),
        cmocka_unit_test(ours_encrypted),
        cmocka_unit_test(openssls_encrypted),
        cmocka_unit_test(unreadable),
        cmocka_unit_test(key_ids),
        cmocka_unit_test(seeded_keys),
        cmocka_unit_test(damaged_keys),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
