// SPDX-License-Identifier: Apache-2.0
// Bundles made to cost the judge time (path.c, constraint.c, name.c). What it spends is counted, not timed: the calls
// of signature_check pass through here (the linker is told so), and the rest has a reason token of its own. cmocka
// needs what is before it
// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

#include "base/der.h"
#include "base/file.h"
#include "base/pem.h"
#include "base/random.h"
#include "ca/certificate.h"
#include "tests/temporary.h"
#include "trust/search.h"

#include <mbedtls/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NOW = 1768000000, DAY = 86400, SAME = 3000, OTHERS = 5000, KEYS = 3 };
enum { KEY_A, KEY_B, KEY_ANCHOR };

static struct rng rng;
static mbedtls_pk_context keys[KEYS];
static char dir[TEMPORARY_PATH];
static struct buf root;
static size_t checks;

enum reason check_real(struct span algorithm, struct span signature, struct span data,
                       mbedtls_pk_context *key) __asm__("__real_signature_check");
enum reason check_counted(struct span algorithm, struct span signature, struct span data,
                          mbedtls_pk_context *key) __asm__("__wrap_signature_check");
enum reason check_counted(struct span algorithm, struct span signature, struct span data, mbedtls_pk_context *key)
{
    checks++;
    return check_real(algorithm, signature, data, key);
}

// --- certificates ---

struct order {
    const char *subject, *issuer;
    int key, signer;
    bool ca;
    size_t names, subtrees;         // dNSNames in the subjectAltName, and excluded ones in the nameConstraints
    const struct span *subject_der; // in place of `subject`, or NULL
};

static void put_subject(struct span subject, mbedtls_pk_context *signer, struct buf *der)
{
    struct err e = ERR_INIT;
    struct certificate_parts parts;
    struct buf tbs = {0};
    assert_int_equal(certificate_split(buf_span(der), &parts, &e), 0);
    buf_add(&tbs, parts.version.data, (size_t)(parts.subject.data - parts.version.data));
    buf_add(&tbs, subject.data, subject.len);
    buf_add(&tbs, parts.key.data, (size_t)(parts.tbs.data + parts.tbs.len - parts.key.data));
    der_enclose(&tbs, 0x30);
    buf_clear(der);
    assert_int_equal(signed_make(buf_span(&tbs), signer, MBEDTLS_MD_SHA256, &rng, der, &e), 0);
    buf_clear(&tbs);
}

static struct buf issue(const struct order *o)
{
    static uint8_t serial[] = {0x40, 0, 0, 0};
    struct err e = ERR_INIT;
    struct buf issuer_name = {0};
    struct buf der = {0};
    char *usage[] = {(char *)(uintptr_t) "1.3.6.1.5.5.7.3.2", NULL};
    struct certificate_content content = {.subject = (char *)(uintptr_t)o->subject,
                                          .not_before = NOW - DAY,
                                          .not_after = NOW + DAY,
                                          .is_ca = o->ca,
                                          .path_length = PATH_LENGTH_NONE,
                                          .key_usage =
                                              o->ca ? MBEDTLS_X509_KU_KEY_CERT_SIGN : MBEDTLS_X509_KU_DIGITAL_SIGNATURE,
                                          .ext_key_usage = o->ca ? NULL : usage};
    struct certificate_issuer issuer = {.key = &keys[o->signer]};
    for (size_t i = 0; i < o->names || i < o->subtrees; i++) {
        char name[48];
        snprintf(name, sizeof name, "host%zu.example.com", i);
        if (i < o->names) {
            general_names_add(&content.names, GENERAL_NAME_DNS, name);
        }
        if (i < o->subtrees) {
            snprintf(name, sizeof name, "host%zu.example.org", i);
            general_names_add(&content.excluded, GENERAL_NAME_DNS, name);
        }
    }
    serial[2] = (uint8_t)(serial[2] + (++serial[3] == 0));
    assert_int_equal(name_from_text(o->issuer, &issuer_name, &e), 0);
    assert_int_equal(key_id(issuer.key, issuer.key_id, &e), 0);
    issuer.subject = buf_span(&issuer_name);
    int rc = certificate_make(&content, serial, sizeof serial, &keys[o->key], &issuer, &rng, &der, &e);
    assert_string_equal(e.text, "");
    assert_int_equal(rc, 0);
    if (o->subject_der != NULL) {
        put_subject(*o->subject_der, issuer.key, &der);
    }
    general_names_clear(&content.names);
    general_names_clear(&content.excluded);
    buf_clear(&issuer_name);
    return der;
}

static const char *write_pem(const char *name, const struct buf *certificates, size_t count)
{
    static char paths[2][TEMPORARY_PATH + 32];
    static size_t next;
    char *path = paths[next++ % 2];
    struct buf pem = {0};
    struct err e = ERR_INIT;
    for (size_t i = 0; i < count; i++) {
        pem_write(&pem, "CERTIFICATE", buf_span(&certificates[i]));
    }
    snprintf(path, sizeof paths[0], "%s/%s", dir, name);
    assert_int_equal(file_write(path, buf_span(&pem), FILE_PUBLIC, &e), 0);
    buf_clear(&pem);
    return path;
}

// Judges `chain`, which is cleared, with `known` CAs in the snapshot.
static struct trust_verdict judge(struct buf *chain, size_t count, const struct buf *known, size_t known_count)
{
    struct err e = ERR_INIT;
    struct trust_verdict verdict;
    struct span spans[TRUST_CHAIN_MOST];
    const char *anchor = write_pem("root.pem", &root, 1);
    const char *others = write_pem("known.pem", known, known_count);
    struct trust_files files = {.anchors = {&anchor, 1}, .intermediates = {&others, known_count > 0}};
    struct trust_snapshot *snapshot = trust_snapshot_load(&files, &e);
    assert_string_equal(e.text, "");
    for (size_t i = 0; i < count; i++) {
        spans[i] = buf_span(&chain[i]);
    }
    checks = 0;
    trust_judge(snapshot, spans, count, TRUST_CLIENT, NULL, NOW, &verdict);
    trust_snapshot_free(snapshot);
    for (size_t i = 0; i < count; i++) {
        buf_clear(&chain[i]);
    }
    return verdict;
}

static void assert_reason(const struct trust_verdict *verdict, enum reason reason)
{
    if (verdict->reason != reason) {
        fail_msg("%s (%s), expected %s", reason_token(verdict->reason), verdict->detail, reason_token(reason));
    }
}

// --- the tests ---

// Thousands of CAs, all of one name and another key than the one that signed the leaf: they are known to the snapshot,
// and some are sent.
static void test_same_name(void **state)
{
    struct buf *known = mem_array(SAME, sizeof *known);
    struct buf chain[2] = {{0}, {0}};
    (void)state;
    for (size_t i = 0; i < SAME; i++) { // one certificate would do for the search; they are told apart by their octets
        if (i == 0) {
            known[i] = issue(&(struct order){"CN=same", "CN=root", KEY_A, KEY_ANCHOR, true, 0, 0, NULL});
        } else {
            buf_add(&known[i], known[0].data, known[0].len);
            known[i].data[known[i].len - 1] ^= (uint8_t)i;
            known[i].data[known[i].len - 2] ^= (uint8_t)(i >> 8);
        }
    }
    chain[0] = issue(&(struct order){"CN=leaf", "CN=same", KEY_B, KEY_B, false, 0, 0, NULL});
    struct trust_verdict verdict = judge(chain, 1, known, SAME);
    assert_reason(&verdict, REASON_budget_exceeded);
    assert_in_range(checks, 1, SIGNATURES_MOST);

    // the twin: the one that signed is among a few of them
    chain[0] = issue(&(struct order){"CN=leaf", "CN=same", KEY_B, KEY_A, false, 0, 0, NULL});
    verdict = judge(chain, 1, known, 5);
    assert_reason(&verdict, REASON_ok);
    for (size_t i = 0; i < SAME; i++) {
        buf_clear(&known[i]);
    }
    free(known);
}

// Thousands of CAs of other names are no load at all.
static void test_other_names(void **state)
{
    static const char template[] = "CN=CA 0000";
    struct buf *known = mem_array(OTHERS, sizeof *known);
    (void)state;
    known[0] = issue(&(struct order){template, "CN=root", KEY_A, KEY_ANCHOR, true, 0, 0, NULL});
    for (size_t i = 1; i < OTHERS; i++) { // the subject's text is changed in place; nobody asks for these signatures
        char digits[8];
        buf_add(&known[i], known[0].data, known[0].len);
        uint8_t *text = memmem(known[i].data, known[i].len, template + 3, sizeof template - 4);
        assert_non_null(text);
        snprintf(digits, sizeof digits, "%04u", (unsigned)i % 10000);
        memcpy(text + 3, digits, 4);
    }
    struct buf leaf = issue(&(struct order){"CN=leaf", template, KEY_B, KEY_A, false, 0, 0, NULL});
    struct trust_verdict verdict = judge(&leaf, 1, known, OTHERS);
    assert_reason(&verdict, REASON_ok);
    assert_int_equal(checks, 2);
    for (size_t i = 0; i < OTHERS; i++) {
        buf_clear(&known[i]);
    }
    free(known);
}

// Layers of CAs that sign each other in every way, and none of them below the anchor: paths without number.
static void test_many_ways(void **state)
{
    enum { LAYERS = 12, WIDTH = 8 };
    struct buf chain[1 + LAYERS * WIDTH];
    (void)state;
    chain[0] = issue(&(struct order){"CN=leaf", "CN=layer 0", KEY_B, KEY_A, false, 0, 0, NULL});
    for (size_t i = 0; i < LAYERS * WIDTH; i++) {
        char subject[32];
        char issuer[32];
        snprintf(subject, sizeof subject, "CN=layer %zu", i / WIDTH);
        snprintf(issuer, sizeof issuer, "CN=layer %zu", i / WIDTH + 1);
        chain[1 + i] = issue(&(struct order){subject, issuer, KEY_A, KEY_A, true, 0, 0, NULL});
    }
    struct trust_verdict verdict = judge(chain, sizeof chain / sizeof chain[0], NULL, 0);
    assert_reason(&verdict, REASON_budget_exceeded);
    assert_in_range(checks, 1, SIGNATURES_MOST);
}

static struct trust_verdict judge_deep(size_t authorities)
{
    struct buf chain[TRUST_CHAIN_MOST];
    chain[0] = issue(&(struct order){"CN=leaf", "CN=deep 1", KEY_A, KEY_B, false, 0, 0, NULL});
    for (size_t i = 1; i <= authorities; i++) {
        bool last = i == authorities;
        char subject[32];
        char issuer[32];
        snprintf(subject, sizeof subject, "CN=deep %zu", i);
        snprintf(issuer, sizeof issuer, "CN=deep %zu", i + 1);
        chain[i] = issue(&(struct order){subject, last ? "CN=root" : issuer, i % 2 == 0 ? KEY_A : KEY_B,
                                         last         ? KEY_ANCHOR
                                         : i % 2 == 0 ? KEY_B
                                                      : KEY_A,
                                         true, 0, 0, NULL});
    }
    return judge(chain, authorities + 1, NULL, 0);
}

static void test_deep(void **state)
{
    (void)state;
    struct trust_verdict verdict = judge_deep(TRUST_CHAIN_MOST - 1);
    assert_reason(&verdict, REASON_path_too_long);
    assert_in_range(checks, 1, PATH_MOST + 1);
    verdict = judge_deep(PATH_MOST - 1);
    assert_reason(&verdict, REASON_ok);
}

static struct trust_verdict judge_names(size_t names, size_t subtrees)
{
    struct buf chain[2] = {
        issue(&(struct order){"CN=leaf", "CN=constrained", KEY_B, KEY_A, false, names, 0, NULL}),
        issue(&(struct order){"CN=constrained", "CN=root", KEY_A, KEY_ANCHOR, true, 0, subtrees, NULL}),
    };
    return judge(chain, 2, NULL, 0);
}

static void test_many_names(void **state)
{
    (void)state;
    struct trust_verdict verdict = judge_names(2000, 2000);
    assert_reason(&verdict, REASON_budget_exceeded);
    verdict = judge_names(400, 400);
    assert_reason(&verdict, REASON_ok);
}

static struct trust_verdict judge_subject(const struct buf *name)
{
    struct span subject = buf_span(name);
    struct buf leaf = issue(&(struct order){"CN=leaf", "CN=root", KEY_B, KEY_ANCHOR, false, 1, 0, &subject});
    return judge(&leaf, 1, NULL, 0);
}

// A megabyte of name: in one value, in 50,000 RDNs, in 50,000 attributes of one RDN.
static void test_long_names(void **state)
{
    static const uint8_t attribute[] = {0x30, 0x0a, 0x06, 0x03, 0x55, 0x04, 0x03, 0x0c, 0x03, 'a', 'b', 'c'};
    enum { COUNT = 50000, MEGABYTE = 1000000 };
    (void)state;
    for (int shape = 0; shape < 3; shape++) {
        struct buf name = {0};
        if (shape == 0) {
            char *value = mem_alloc(MEGABYTE);
            memset(value, 'x', MEGABYTE);
            struct buf inner = {0};
            der_wrap(&inner, 0x0c, span_of(value, MEGABYTE));
            buf_add(&name, attribute + 2, 5);
            buf_add(&name, inner.data, inner.len);
            der_enclose(&name, 0x30);
            der_enclose(&name, 0x31);
            buf_clear(&inner);
            free(value);
        }
        for (uint32_t i = 0; shape > 0 && i < COUNT; i++) {
            struct buf one = {0};
            buf_add(&one, attribute, sizeof attribute);
            one.data[9] = (uint8_t)('0' + i / 1600 % 40); // in no order
            one.data[10] = (uint8_t)('0' + i % 40);
            one.data[11] = (uint8_t)('0' + i / 40 % 40);
            if (shape == 1) {
                der_enclose(&one, 0x31);
            }
            buf_add(&name, one.data, one.len);
            buf_clear(&one);
        }
        if (shape == 2) {
            der_enclose(&name, 0x31);
        }
        der_enclose(&name, 0x30);
        struct trust_verdict verdict = judge_subject(&name);
        assert_reason(&verdict, REASON_ok); // long is not forbidden, only dear
        assert_int_equal(checks, 1);
        buf_clear(&name);
    }
}

static int setup(void **state)
{
    struct err e = ERR_INIT;
    (void)state;
    int rc = rng_init_seeded(&rng, "hostile", "test", &e);
    for (int i = 0; rc == 0 && i < KEYS; i++) {
        rc = key_generate(KEY_ec_p256, &rng, &keys[i], &e);
    }
    root = issue(&(struct order){"CN=root", "CN=root", KEY_ANCHOR, KEY_ANCHOR, true, 0, 0, NULL});
    return rc != 0 || !temporary_make(dir);
}

static int teardown(void **state)
{
    struct err e = ERR_INIT;
    (void)state;
    for (int i = 0; i < KEYS; i++) {
        mbedtls_pk_free(&keys[i]);
    }
    buf_clear(&root);
    rng_clear(&rng);
    return file_remove_tree(dir, &e);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_same_name), cmocka_unit_test(test_other_names), cmocka_unit_test(test_many_ways),
        cmocka_unit_test(test_deep),      cmocka_unit_test(test_many_names),  cmocka_unit_test(test_long_names),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
