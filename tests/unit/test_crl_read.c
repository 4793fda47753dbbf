// SPDX-License-Identifier: Apache-2.0
// Reading revocation lists: what is in them, and what is refused.
#include "base/pem.h"
#include "crl_read_fixture.h"

#include <pthread.h>

static void refused(struct draft d, const char *why)
{
    struct err e = ERR_INIT;
    struct buf der = {0};
    char *expected = mem_printf("the list of CN=Alpha,O=Acme: %s", why);
    d.ca = &alpha;
    draft_sign(&d, &der);
    assert_null(crl_read(buf_span(&der), &e));
    assert_string_equal(e.text, expected);
    free(expected);
    buf_clear(&der);
}

static void content(void **state)
{
    (void)state;
    struct buf entries = {0};
    add_revoked(&entries, 0x1234, 1);
    add_revoked(&entries, 0x1235, NONE);
    struct crl *list = read_draft((struct draft){.entries = buf_span(&entries), .number = 0x102});
    assert_string_equal(list->label, "CN=Alpha,O=Acme");
    assert_true(list->this_update == june_2026 && list->next_update == june_2026 + 7 * CLOCK_DAY);
    assert_true(list->has_number && !list->delta && !list->scope.stated);
    assert_true(spans_equal(buf_span(&list->number), SERIAL("\x01\x02")));
    assert_true(spans_equal(list->key_id, span_of(alpha.issuer.key_id, KEY_ID_SIZE)));
    assert_int_equal(list->index.count, 2);
    assert_int_equal(find(list, SERIAL("\x12\x34")), 1);
    assert_int_equal(find(list, SERIAL("\x12\x35")), 0);
    assert_int_equal(find(list, SERIAL("\x12\x36")), CRL_NOT_LISTED);
    assert_true(crl_signed_by(list, alpha.certificate));
    list->digest.octets[0] ^= 1; // remembered: not checked again
    assert_true(crl_signed_by(list, alpha.certificate));
    crl_free(list);
    list = read_draft((struct draft){.version_1 = true, .next_update = NONE});
    assert_true(!list->has_next_update && !list->has_number && list->index.count == 0);
    list->digest.octets[0] ^= 1;
    assert_false(crl_signed_by(list, alpha.certificate));
    list->digest.octets[0] ^= 1;
    assert_true(crl_signed_by(list, alpha.certificate));
    crl_free(list);
    buf_clear(&entries);
}

// An entry with these extensions in the list that `d` describes
static void entry_refused(struct draft d, struct buf *extensions, const char *why)
{
    struct buf entries = {0};
    add_revoked(&entries, 1, NONE);
    add_entry(&entries, SERIAL("\x12\x34"), buf_span(extensions));
    d.entries = buf_span(&entries);
    refused(d, why);
    buf_clear(&entries);
    buf_clear(extensions);
}

static void entry_refusals(void **state)
{
    (void)state;
    struct buf x = {0};
    struct buf indirect = {0};
    struct draft plain = {0};
    add_flag(&indirect, 4);
    extension_write(&x, OID_UNKNOWN, true, SERIAL("\x05\x00"));
    entry_refused(plain, &x, "entry 2: the critical extension 1.2.3.4 is unknown");
    add_reason_code(&x, 7);
    entry_refused(plain, &x, "entry 2: reasonCode is none of those of RFC 5280 section 5.3.1");
    add_reason_code(&x, 11);
    entry_refused(plain, &x, "entry 2: reasonCode is none of those of RFC 5280 section 5.3.1");
    add_reason_code(&x, 8);
    entry_refused(plain, &x, "entry 2: removeFromCRL in a list that is no delta");
    add_reason_code(&x, 1);
    entry_refused((struct draft){.version_1 = true}, &x, "entry 2: extensions in a list of version 1");
    add_reason_code(&x, 1);
    add_reason_code(&x, 1);
    entry_refused(plain, &x, "entry 2: an extension is there twice");
    add_certificate_issuer(&x, "CN=Beta");
    entry_refused(plain, &x, "entry 2: certificateIssuer in a list that is not indirect");
    extension_write(&x, ID_CE("\x1d"), true,
                    SERIAL("\x30\x03\x82\x01"
                           "a"));
    entry_refused((struct draft){.scope = buf_span(&indirect)}, &x,
                  "entry 2: certificateIssuer holds no directory name");
    // The twin: the same extensions where they belong, and an unknown one that is not critical
    struct buf entries = {0};
    add_reason_code(&x, 8);
    add_certificate_issuer(&x, "CN=Beta");
    extension_write(&x, OID_UNKNOWN, false, SERIAL("\x05\x00"));
    extension_write(&x, ID_CE("\x18"), false,
                    SERIAL("\x18\x0f"
                           "20260501000000Z"));
    add_entry(&entries, SERIAL("\x12\x34"), buf_span(&x));
    struct crl *list =
        read_draft((struct draft){.scope = buf_span(&indirect), .base = 1, .entries = buf_span(&entries)});
    assert_int_equal(list->index.count, 1);
    assert_int_equal(find(list, SERIAL("\x12\x34")), CRL_NOT_LISTED); // it is Beta's
    crl_free(list);
    buf_clear(&entries);
    add_entry(&entries, SERIAL(""), span_of(NULL, 0));
    refused((struct draft){.entries = buf_span(&entries)}, "entry 1: the serial number is empty");
    buf_clear(&x);
    buf_clear(&entries);
    buf_clear(&indirect);
}

static void with_extension(struct span oid, bool critical, struct span value, const char *why)
{
    struct buf extra = {0};
    extension_write(&extra, oid, critical, value);
    if (why != NULL) {
        refused((struct draft){.extra = buf_span(&extra), .number = NONE}, why);
    } else {
        crl_free(read_draft((struct draft){.extra = buf_span(&extra), .number = NONE}));
    }
    buf_clear(&extra);
}

static void list_refusals(void **state)
{
    (void)state;
    const struct span null = SERIAL("\x05\x00");
    with_extension(OID_UNKNOWN, false, null, NULL);
    with_extension(OID_UNKNOWN, true, null, "the critical extension 1.2.3.4 is unknown");
    with_extension(ID_CE("\x2e"), true, null, "the critical extension 2.5.29.46 is unknown"); // freshestCRL
    with_extension(ID_CE("\x2e"), false, null, NULL);
    with_extension(ID_CE("\x14"), false, SERIAL("\x02\x01\x05"), NULL);
    with_extension(ID_CE("\x14"), true, SERIAL("\x02\x01\x05"), "cRLNumber is critical");
    with_extension(ID_CE("\x14"), false, SERIAL("\x02\x01\xff"),
                   "cRLNumber: a number is negative or has more than 20 octets");
    with_extension(ID_CE("\x14"), false,
                   SERIAL("\x02\x15"
                          "123456789012345678901"),
                   "cRLNumber: a number is negative or has more than 20 octets");
    with_extension(ID_CE("\x14"), false, SERIAL("\x02\x01\x05\x00"), "cRLNumber: value is followed by 1 octets");
    with_extension(ID_CE("\x23"), false, SERIAL("\x30\x00"), "authorityKeyIdentifier is there twice");
    with_extension(ID_CE("\x1b"), true, SERIAL("\x02\x01\x05"), "a delta list without cRLNumber");
    with_extension(ID_CE("\x1c"), true, SERIAL("\x30\x00"), "issuingDistributionPoint: it is empty");
    with_extension(ID_CE("\x1c"), true, SERIAL("\x30\x03\x81\x01\x00"),
                   "issuingDistributionPoint: a BOOLEAN is not TRUE, and FALSE is not written in DER");
    with_extension(ID_CE("\x1c"), true, SERIAL("\x30\x06\x82\x01\xff\x81\x01\xff"),
                   "issuingDistributionPoint: an unexpected field, tag 0x81");
    with_extension(ID_CE("\x1c"), true, SERIAL("\x30\x03\x86\x01\xff"),
                   "issuingDistributionPoint: an unexpected field, tag 0x86");
    with_extension(ID_CE("\x1c"), false, SERIAL("\x30\x03\x81\x01\xff"), NULL); // critical or not, it is obeyed
    struct buf number = {0};
    add_number(&number, ID_CE("\x14"), false, 5);
    refused((struct draft){.version_1 = true, .extra = buf_span(&number)}, "crlExtensions in a list of version 1");
    buf_clear(&number);
    // sha384WithRSAEncryption inside
    struct err e = ERR_INIT;
    struct buf der = {0};
    struct draft d = {.ca = &alpha};
    d.inner_algorithm = SERIAL("\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0c\x05\x00");
    draft_sign(&d, &der);
    assert_null(crl_read(buf_span(&der), &e));
    assert_string_equal(e.text, "the signature algorithm inside differs from the one outside");
    buf_clear(&der);
}

// What is remembered of a list is shared by all threads (the tsan preset watches).
static void *ask_often(void *arg)
{
    size_t *good = mem_alloc(sizeof *good);
    for (size_t i = 0; i < 100; i++) {
        *good += crl_signed_by(arg, alpha.certificate);
    }
    return good;
}

static void many_threads(void **state)
{
    (void)state;
    enum { THREADS = 4 };
    pthread_t threads[THREADS];
    struct crl *list = read_draft((struct draft){0});
    for (size_t i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, ask_often, list), 0);
    }
    for (size_t i = 0; i < THREADS; i++) {
        void *good = NULL;
        assert_int_equal(pthread_join(threads[i], &good), 0);
        assert_int_equal(*(size_t *)good, 100);
        free(good);
    }
    crl_free(list);
}

// Lists that nobody here made: a file with two of them, and a certificate between.
static void made_by_openssl(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    struct run r;
    struct buf file = {0};
    struct crl_store *store = NULL;
    run_begin(&r);
    assert_runs(&r, "openssl req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out ca.pem -days 30 -subj /CN=One "
                    "-addext keyUsage=critical,cRLSign,keyCertSign");
    assert_runs(&r, "printf 'V\\t401231000000Z\\t\\t01\\tunknown\\t/CN=a\\n"
                    "R\\t401231000000Z\\t260501000000Z,keyCompromise\\t00FE\\tunknown\\t/CN=b\\n"
                    "R\\t401231000000Z\\t260501000000Z\\t5B7C1ABF6A6DF6C4E5FCA6A3A8F2D8EE9D0B7C11\\tunknown\\t/CN=c\\n'"
                    " >index.txt && echo 1000 >number");
    assert_runs(&r, "printf '[ca]\\ndefault_ca=x\\n[x]\\ndatabase=index.txt\\ncrlnumber=number\\ndefault_md=sha384\\n"
                    "default_crl_days=9\\ncrl_extensions=y\\n[y]\\nauthorityKeyIdentifier=keyid\\n"
                    "issuingDistributionPoint=critical,@z\\n[z]\\nonlyuser=TRUE\\nfullname=URI:http://a/b.crl\\n'"
                    " >ca.cnf");
    assert_runs(&r, "openssl ca -gencrl -config ca.cnf -cert ca.pem -keyfile key.pem -out one.pem && "
                    "openssl ca -gencrl -config ca.cnf -cert ca.pem -keyfile key.pem -out two.pem "
                    "-sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:48 && "
                    "(echo 0 a comment; cat one.pem ca.pem two.pem) >all.pem && "
                    "openssl crl -in one.pem -outform DER -out one.der");
    run_read(&r, "all.pem", &file);
    assert_works(crl_store_read(&store, "all.pem", buf_span(&file), &e), &e);
    assert_int_equal(crl_store_count(store), 2);
    buf_clear(&file);
    run_read(&r, "one.der", &file);
    assert_works(crl_store_read(&store, "one.der", buf_span(&file), &e), &e);
    assert_int_equal(crl_store_count(store), 3);
    buf_clear(&file);
    run_read(&r, "ca.pem", &file);
    assert_fails(crl_store_read(&store, "ca.pem", buf_span(&file), &e), &e, "ca.pem holds no revocation list");
    struct pem_block block;
    struct span rest = buf_span(&file);
    assert_int_equal(pem_next(&rest, &block, &e), 1);
    struct certificate *ca = certificate_read(buf_span(&block.der));
    struct crl *const *lists;
    assert_int_equal(crl_store_find(store, buf_span(&ca->subject_key), &lists), 3);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(lists[i]->index.count + lists[i]->index.odd_count, 2);
        assert_int_equal(find(lists[i], SERIAL("\x00\xfe")), 1);
        assert_int_equal(find(lists[i], SERIAL("\x5B\x7C\x1A\xBF\x6A\x6D\xF6\xC4\xE5\xFC\xA6\xA3\xA8\xF2\xD8\xEE\x9D"
                                               "\x0B\x7C\x11")),
                         0);
        assert_int_equal(find(lists[i], SERIAL("\x01")), CRL_NOT_LISTED);
        assert_true(lists[i]->scope.only_user && !lists[i]->scope.only_ca);
        assert_true(crl_signed_by(lists[i], ca));
        assert_false(crl_signed_by(lists[i], alpha.certificate));
    }
    assert_int_equal(crl_store_find(store, buf_span(&alpha.certificate->subject_key), &lists), 0);
    certificate_free(ca);
    buf_clear(&block.der);
    buf_clear(&file);
    crl_store_free(store);
    run_end(&r);
}

static void bad_files(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    struct buf der = {0};
    struct buf extra = {0};
    struct buf pem = {0};
    struct crl_store *store = NULL;
    struct draft d = {.ca = &alpha};
    draft_sign(&d, &der);
    pem_write(&pem, "X509 CRL", buf_span(&der));
    buf_clear(&der);
    extension_write(&extra, OID_UNKNOWN, true, SERIAL("\x05\x00"));
    d.extra = buf_span(&extra);
    draft_sign(&d, &der);
    pem_write(&pem, "X509 CRL", buf_span(&der));
    assert_fails(crl_store_read(&store, "all.pem", buf_span(&pem), &e), &e,
                 "all.pem: revocation list 2: the list of CN=Alpha,O=Acme: the critical extension 1.2.3.4 is unknown");
    assert_fails(crl_store_read(&store, "one.der", buf_span(&der), &e), &e,
                 "one.der: revocation list 1: the list of CN=Alpha,O=Acme: the critical extension 1.2.3.4 is unknown");
    assert_fails(crl_store_read(&store, "cut.pem", span_of(pem.data, pem.len - 4), &e), &e,
                 "cut.pem: PEM block X509 CRL has no END line");
    assert_fails(crl_store_read(&store, "empty.pem", span_of("", 0), &e), &e, "empty.pem holds no revocation list");
    buf_clear(&pem);
    buf_add(&der, "", 1);
    assert_fails(crl_store_read(&store, "long.der", buf_span(&der), &e), &e, "long.der holds no revocation list");
    pem_write(&pem, "X509 CRL", buf_span(&der));
    assert_fails(crl_store_read(&store, "long.pem", buf_span(&pem), &e), &e,
                 "long.pem: revocation list 1: the list is followed by 1 octets");
    crl_store_free(store);
    buf_clear(&der);
    buf_clear(&extra);
    buf_clear(&pem);
}

static void read_bent(struct span der)
{
    struct err e = ERR_INIT;
    struct crl *list = crl_read(der, &e);
    if (list != NULL) {
        (void)find(list, SERIAL("\x12\x34"));
        assert_true(list->index.count + list->index.odd_count <= 8);
    } else {
        assert_true(err_is_set(&e));
    }
    crl_free(list);
}

static void bent_lists(void **state)
{
    (void)state;
    struct buf der = {0};
    struct buf scope = {0};
    struct buf entries = {0};
    struct buf x = {0};
    add_relative(&scope, "OU=part");
    add_flag(&scope, 1);
    add_reasons(&scope, 3, 0x1fe);
    add_flag(&scope, 4);
    add_revoked(&entries, 0x1234, 8);
    add_certificate_issuer(&x, "CN=Beta");
    add_entry(&entries,
              SERIAL("\x01"
                     "23456789012345678901"),
              buf_span(&x));
    add_entry(&entries, SERIAL("\xff"), span_of(NULL, 0));
    struct draft d = {.ca = &alpha, .scope = buf_span(&scope), .entries = buf_span(&entries), .base = 3};
    draft_sign(&d, &der);
    survive(buf_span(&der), 1, read_bent);
    buf_clear(&der);
    buf_clear(&scope);
    buf_clear(&entries);
    buf_clear(&x);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(content),         cmocka_unit_test(entry_refusals), cmocka_unit_test(list_refusals),
        cmocka_unit_test(made_by_openssl), cmocka_unit_test(bad_files),      cmocka_unit_test(bent_lists),
        cmocka_unit_test(many_threads),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
