// SPDX-License-Identifier: Apache-2.0
#include "base/clock.h"
#include "base/pem.h"
#include "ca/crl.h"
#include "run.h"

#include <mbedtls/x509_crl.h>

static const int64_t june_2026 = 1780272000; // 2026-06-01T00:00:00Z

struct fixture {
    struct run run;
    struct rng rng;
    mbedtls_pk_context key;
    struct buf subject;
    struct certificate_issuer issuer;
};

// A CA in ca.pem that may sign lists.
static void fixture_begin(struct fixture *f, enum key_type type)
{
    struct err e = ERR_INIT;
    struct buf der = {0};
    struct buf pem = {0};
    uint8_t serial[SERIAL_SIZE];
    struct certificate_content c = {.subject = (char *)(uintptr_t) "CN=List CA,O=Acme",
                                    .not_before = june_2026 - 10 * CLOCK_DAY,
                                    .not_after = june_2026 + 1000 * (int64_t)CLOCK_DAY,
                                    .is_ca = true,
                                    .path_length = PATH_LENGTH_NONE,
                                    .key_usage = MBEDTLS_X509_KU_KEY_CERT_SIGN | MBEDTLS_X509_KU_CRL_SIGN};
    run_begin(&f->run);
    assert_works(rng_init(&f->rng, &e), &e);
    assert_works(key_generate(type, &f->rng, &f->key, &e), &e);
    f->subject = (struct buf){0};
    assert_works(name_from_text(c.subject, &f->subject, &e), &e);
    f->issuer = (struct certificate_issuer){.subject = buf_span(&f->subject), .key = &f->key};
    assert_works(key_id(&f->key, f->issuer.key_id, &e), &e);
    assert_works(serial_make(&f->rng, serial, &e), &e);
    assert_works(certificate_make(&c, serial, sizeof serial, &f->key, &f->issuer, &f->rng, &der, &e), &e);
    pem_write(&pem, "CERTIFICATE", buf_span(&der));
    run_file(&f->run, "ca.pem", buf_span(&pem));
    buf_clear(&der);
    buf_clear(&pem);
}

static void fixture_end(struct fixture *f)
{
    mbedtls_pk_free(&f->key);
    buf_clear(&f->subject);
    rng_clear(&f->rng);
    run_end(&f->run);
}

// Makes a list and writes crl.pem and crl.der; `der` may be NULL.
static void make(struct fixture *f, const struct crl_content *content, struct buf *der)
{
    struct err e = ERR_INIT;
    struct buf list = {0};
    struct buf pem = {0};
    assert_works(crl_make(content, &f->issuer, &f->rng, &list, &e), &e);
    pem_write(&pem, "X509 CRL", buf_span(&list));
    run_file(&f->run, "crl.pem", buf_span(&pem));
    run_file(&f->run, "crl.der", buf_span(&list));
    if (der != NULL) {
        buf_add(der, list.data, list.len);
    }
    buf_clear(&list);
    buf_clear(&pem);
}

static void empty_list(void **state)
{
    (void)state;
    for (enum key_type type = KEY_ec_p256; type <= KEY_rsa_2048; type++) {
        struct fixture f;
        struct crl_content content = {.this_update = june_2026, .next_update = june_2026 + CLOCK_DAY, .number = 1};
        fixture_begin(&f, type);
        make(&f, &content, NULL);
        assert_runs(&f.run, "openssl crl -in crl.pem -noout -text -CAfile ca.pem");
        assert_says(&f.run, "verify OK");
        assert_says(&f.run, "Version 2 (0x1)");
        assert_says(&f.run, "Issuer: O = Acme, CN = List CA");
        assert_says(&f.run, "Last Update: Jun  1 00:00:00 2026 GMT");
        assert_says(&f.run, "Next Update: Jun  2 00:00:00 2026 GMT");
        assert_says(&f.run, "No Revoked Certificates.");
        assert_says(&f.run, "X509v3 CRL Number: \n                1\n");
        assert_says_not(&f.run, "critical");
        // The list that another CA of the same name signed is refused: the same command, another key
        struct fixture other;
        fixture_begin(&other, type);
        assert_runs(&other.run, "cp ca.pem %s/other.pem", f.run.dir);
        run(&f.run, "openssl crl -in crl.pem -noout -CAfile other.pem");
        assert_says(&f.run, "verify failure");
        fixture_end(&other);
        fixture_end(&f);
    }
}

static void every_reason(void **state)
{
    (void)state;
    static const struct {
        enum revocation_reason reason;
        const char *openssl;
    } cases[] = {{REVOCATION_key_compromise, "Key Compromise"},
                 {REVOCATION_ca_compromise, "CA Compromise"},
                 {REVOCATION_affiliation_changed, "Affiliation Changed"},
                 {REVOCATION_superseded, "Superseded"},
                 {REVOCATION_cessation_of_operation, "Cessation Of Operation"},
                 {REVOCATION_certificate_hold, "Certificate Hold"},
                 {REVOCATION_privilege_withdrawn, "Privilege Withdrawn"},
                 {REVOCATION_aa_compromise, "AA Compromise"}};
    struct fixture f;
    fixture_begin(&f, KEY_ec_p256);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct crl_entry entry = {.serial = span_of("\x12\x34", 2),
                                  .revoked_at = june_2026 - 3600,
                                  .reason = cases[i].reason,
                                  .invalidity_date = june_2026 - 7200};
        struct crl_content content = {june_2026, june_2026 + CLOCK_DAY, 7, &entry, 1};
        make(&f, &content, NULL);
        assert_runs(&f.run, "openssl crl -in crl.pem -noout -text -CAfile ca.pem");
        assert_says(&f.run, "verify OK");
        assert_says(&f.run, "Serial Number: 1234\n        Revocation Date: May 31 23:00:00 2026 GMT");
        assert_says(&f.run, cases[i].openssl);
        assert_says(&f.run, "Invalidity Date: \n                May 31 22:00:00 2026 GMT");
    }
    // Unspecified and no date: no extension at all (RFC 5280 section 5.3.1)
    struct crl_entry plain = {span_of("\x12\x34", 2), june_2026, REVOCATION_unspecified, CRL_NO_INVALIDITY_DATE};
    struct crl_content content = {june_2026, june_2026 + CLOCK_DAY, 8, &plain, 1};
    make(&f, &content, NULL);
    assert_runs(&f.run, "openssl crl -in crl.pem -noout -text");
    assert_says_not(&f.run, "CRL entry extensions");
    assert_says_not(&f.run, "Reason Code");
    fixture_end(&f);
}

static void numbers_and_dates(void **state)
{
    (void)state;
    static const struct {
        int64_t number;
        const char *openssl;
    } numbers[] = {{1, "crlNumber=0x01\n"},
                   {127, "crlNumber=0x7F\n"},
                   {128, "crlNumber=0x80\n"},
                   {256, "crlNumber=0x0100\n"},
                   {INT64_C(4294967296), "crlNumber=0x0100000000\n"},
                   {INT64_MAX, "crlNumber=0x7FFFFFFFFFFFFFFF\n"}};
    struct fixture f;
    fixture_begin(&f, KEY_ec_p256);
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        struct crl_content content = {june_2026, june_2026 + CLOCK_DAY, numbers[i].number, NULL, 0};
        make(&f, &content, NULL);
        assert_runs(&f.run, "openssl crl -in crl.pem -noout -crlnumber");
        assert_string_equal(f.run.out.data, numbers[i].openssl);
    }
    // The last second of 2049 is UTCTime, the next one GeneralizedTime (RFC 5280 section 5.1.2.4)
    static const int64_t new_year_2050 = INT64_C(2524608000);
    struct crl_content content = {new_year_2050 - 1, new_year_2050, 1, NULL, 0};
    make(&f, &content, NULL);
    assert_runs(&f.run, "openssl asn1parse -inform DER -in crl.der");
    assert_says(&f.run, "UTCTIME           :491231235959Z");
    assert_says(&f.run, "GENERALIZEDTIME   :20500101000000Z");
    fixture_end(&f);
}

static void certtool_reads_it(void **state)
{
    (void)state;
    struct fixture f;
    fixture_begin(&f, KEY_ec_p384);
    if (run_has(&f.run, "certtool")) {
        struct crl_entry entries[] = {
            {span_of("\x01", 1), june_2026, REVOCATION_key_compromise, CRL_NO_INVALIDITY_DATE},
            {span_of("\x00\x80", 2), june_2026, REVOCATION_superseded, june_2026 - 1},
        };
        struct crl_content content = {june_2026, june_2026 + 3000 * (int64_t)CLOCK_DAY, 99, entries, 2};
        make(&f, &content, NULL);
        assert_runs(&f.run, "certtool --crl-info --infile crl.pem");
        assert_says(&f.run, "Revoked certificates (2):");
        assert_says(&f.run, "Serial Number (hex): 0080");
        assert_says(&f.run, "CRL Number (not critical): 63");
        assert_says(&f.run, "Signature Algorithm: ECDSA-SHA384");
        assert_runs(&f.run, "certtool --verify-crl --load-ca-certificate ca.pem --infile crl.pem");
        assert_says(&f.run, "Verification output: Verified.");
    }
    fixture_end(&f);
}

static double seconds_for(struct fixture *f, size_t count, struct buf *der)
{
    struct err e = ERR_INIT;
    uint8_t(*serials)[4] = mem_array(count, sizeof *serials);
    struct crl_entry *entries = mem_array(count, sizeof *entries);
    for (size_t i = 0; i < count; i++) {
        uint8_t serial[4] = {0x40, (uint8_t)(i >> 16), (uint8_t)(i >> 8), (uint8_t)i};
        memcpy(serials[i], serial, sizeof serial);
        entries[i] = (struct crl_entry){span_of(serials[i], sizeof serial), june_2026, REVOCATION_key_compromise,
                                        june_2026 - (int64_t)i};
    }
    struct crl_content content = {june_2026, june_2026 + CLOCK_DAY, 1, entries, count};
    uint64_t begin = clock_monotonic_us();
    assert_works(crl_make(&content, &f->issuer, &f->rng, der, &e), &e);
    uint64_t end = clock_monotonic_us();
    free(serials);
    free(entries);
    return (double)(end - begin) / 1e6;
}

// Ten times as many entries may take about ten times as long; quadratic would be a hundred times. Noise is allowed for.
static void many_entries(void **state)
{
    (void)state;
    struct fixture f;
    struct buf small = {0};
    struct buf big = {0};
    fixture_begin(&f, KEY_ec_p256);
    double ten_thousand = seconds_for(&f, 10000, &small);
    double hundred_thousand = seconds_for(&f, 100000, &big);
    print_message("10,000 entries: %.3f s; 100,000: %.3f s, %zu octets\n", ten_thousand, hundred_thousand, big.len);
    assert_true(hundred_thousand < 40 * ten_thousand + 0.2);
    run_file(&f.run, "crl.der", buf_span(&big));
    assert_runs(&f.run, "openssl crl -inform DER -in crl.der -noout -text -CAfile ca.pem >text 2>&1;"
                        "grep 'verify' text; grep -c 'Serial Number:' text; grep -c 'Key Compromise' text");
    assert_string_equal(f.run.out.data, "verify OK\n100000\n100000\n");
    mbedtls_x509_crl crl;
    mbedtls_x509_crl_init(&crl);
    assert_int_equal(mbedtls_x509_crl_parse_der(&crl, small.data, small.len), 0);
    size_t read = 0;
    for (const mbedtls_x509_crl_entry *entry = &crl.entry; entry != NULL; entry = entry->next) {
        read += entry->serial.len == 4;
    }
    assert_int_equal(read, 10000);
    mbedtls_x509_crl_free(&crl);
    buf_clear(&small);
    buf_clear(&big);
    fixture_end(&f);
}

static void refusals(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    struct buf der = {0};
    struct fixture f;
    fixture_begin(&f, KEY_ec_p256);
    struct crl_entry entry = {span_of("\x01", 1), june_2026, REVOCATION_unspecified, CRL_NO_INVALIDITY_DATE};
    struct crl_content content = {june_2026, june_2026 + CLOCK_DAY, 1, &entry, 1};
    assert_works(crl_make(&content, &f.issuer, &f.rng, &der, &e), &e);
    size_t made = der.len;
#define REFUSED(expected) assert_fails(crl_make(&content, &f.issuer, &f.rng, &der, &e), &e, expected)
    content.number = 0;
    REFUSED("CRL number 0 is not positive");
    content.number = 1;
    content.next_update = june_2026;
    REFUSED("nextUpdate of a revocation list must be after its thisUpdate");
    content.next_update = INT64_C(253402300800);
    REFUSED("nextUpdate 10000-01-01T00:00:00Z is outside the years 1950 to 9999");
    content.next_update = june_2026 + 1;
    entry.serial.len = 0;
    REFUSED("entry 0 of the revocation list has no serial number");
    entry.serial.len = 1;
    entry.reason = REVOCATION_remove_from_crl;
    REFUSED("entry 0 of the revocation list: reason code 8 cannot be used");
    entry.reason = (enum revocation_reason)7;
    REFUSED("entry 0 of the revocation list: reason code 7 cannot be used");
    entry.reason = REVOCATION_unspecified;
    entry.revoked_at = INT64_C(-631152001);
    REFUSED("entry 0 of the revocation list: revocationDate 1949-12-31T23:59:59Z is outside the years 1950 to 9999");
    assert_int_equal(der.len, made);
    buf_clear(&der);
    fixture_end(&f);
}

static void reason_words(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    enum revocation_reason reason = REVOCATION_unspecified;
    static const char *const spellings[] = {"keyCompromise", "KEYCOMPROMISE", "key-compromise", "key_compromise"};
    for (size_t i = 0; i < sizeof spellings / sizeof spellings[0]; i++) {
        reason = REVOCATION_unspecified;
        assert_works(revocation_reason_parse(spellings[i], &reason, &e), &e);
        assert_int_equal(reason, REVOCATION_key_compromise);
    }
    assert_works(revocation_reason_parse("ca-compromise", &reason, &e), &e);
    assert_int_equal(reason, REVOCATION_ca_compromise);
    assert_string_equal(revocation_reason_name(REVOCATION_aa_compromise), "aACompromise");
    assert_string_equal(revocation_reason_name((enum revocation_reason)7), "unknown");
    assert_fails(revocation_reason_parse("removeFromCRL", &reason, &e), &e,
                 "removeFromCRL is for delta lists only, which are not made here");
    assert_fails(revocation_reason_parse("lost", &reason, &e), &e,
                 "unknown revocation reason \"lost\" (one of: unspecified, keyCompromise, cACompromise, "
                 "affiliationChanged, superseded, cessationOfOperation, certificateHold, privilegeWithdrawn, "
                 "aACompromise)");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(empty_list),        cmocka_unit_test(every_reason), cmocka_unit_test(numbers_and_dates),
        cmocka_unit_test(certtool_reads_it), cmocka_unit_test(many_entries), cmocka_unit_test(refusals),
        cmocka_unit_test(reason_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
