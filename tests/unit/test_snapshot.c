// SPDX-License-Identifier: Apache-2.0
#include "openssl_pki.h"
#include "trust/trust.h"

static void expect_refused(const char *anchors, const char *crls, const char *expected)
{
    struct err e = ERR_INIT;
    char anchors_path[256];
    snprintf(anchors_path, sizeof anchors_path, "%s", pki_path(anchors, ""));
    const char *anchor_file = anchors_path;
    const char *crl_file = crls == NULL ? NULL : pki_path(crls, "");
    struct trust_files files = {.anchors = {&anchor_file, 1}, .crls = {&crl_file, crl_file == NULL ? 0 : 1}};
    assert_null(trust_snapshot_load(&files, &e));
    assert_int_equal(e.kind, ERR_ENVIRONMENT);
    if (strstr(e.text, expected) == NULL) {
        fail_msg("\"%s\" does not say \"%s\"", e.text, expected);
    }
}

static struct trust_snapshot *load(const char *anchors, const char *crls)
{
    struct err e = ERR_INIT;
    const char *anchor_file = pki_path(anchors, "");
    const char *crl_file = crls == NULL ? NULL : pki_path(crls, "");
    struct trust_files files = {.anchors = {&anchor_file, 1}, .crls = {&crl_file, crl_file == NULL ? 0 : 1}};
    struct trust_snapshot *snapshot = trust_snapshot_load(&files, &e);
    assert_string_equal(e.text, "");
    return snapshot;
}

static void write_file(const char *name, const char *text)
{
    struct err e = ERR_INIT;
    assert_int_equal(file_write(pki_path(name, ""), span_of(text, strlen(text)), 0644, &e), 0);
}

static void test_loads_all(void **state)
{
    (void)state;
    size_t count = 0;
    struct trust_snapshot *snapshot = load("authorities/issuing/fullchain.pem", "crl.pem");
    for (const mbedtls_x509_crt *crt = trust_snapshot_anchors(snapshot); crt != NULL; crt = crt->next) {
        count++;
    }
    assert_int_equal(count, 1);
    trust_snapshot_free(snapshot);
    snapshot = load("clients/alice/fullchain.pem", NULL); // two of them, whatever they are
    assert_non_null(trust_snapshot_anchors(snapshot)->next);
    assert_ptr_equal(trust_snapshot_ref(snapshot), snapshot);
    trust_snapshot_free(snapshot);
    assert_non_null(trust_snapshot_anchors(snapshot)); // one reference is left
    trust_snapshot_free(snapshot);
    trust_snapshot_free(NULL);
}

static void test_refuses_what_it_cannot_read(void **state)
{
    (void)state;
    struct trust_files none = {.anchors = {NULL, 0}};
    struct err nobody = ERR_INIT;
    assert_null(trust_snapshot_load(&none, &nobody));
    assert_string_equal(nobody.text, "there is no trust anchor");
    expect_refused("nothing.pem", NULL, "reading the trust anchors: opening ");
    expect_refused("leaf.key", NULL, "leaf.key holds no certificate");
    expect_refused("trust.pem", "nothing.pem", "reading the revocation lists: opening ");
    expect_refused("trust.pem", "trust.pem", "trust.pem holds no revocation list");
    // a broken one behind a good one is not skipped
    struct buf text = {0};
    struct err e = ERR_INIT;
    assert_int_equal(file_read(pki_path("trust.pem", ""), FILE_LIMIT, &text, &e), 0);
    buf_text(&text, "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n");
    write_file("half.pem", (const char *)text.data);
    expect_refused("half.pem", NULL, "half.pem: certificate number 2: ");
    buf_clear(&text);
    assert_int_equal(file_read(pki_path("crl.pem", ""), FILE_LIMIT, &text, &e), 0);
    write_file("cut.pem", "");
    text.data[text.len - 40] = '\0';
    write_file("cut.pem", (const char *)text.data); // its last list has no end line
    expect_refused("trust.pem", "cut.pem", "cut.pem: PEM block X509 CRL has no END line");
    buf_clear(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_loads_all),
        cmocka_unit_test(test_refuses_what_it_cannot_read),
    };
    return cmocka_run_group_tests(tests, pki_setup, pki_teardown);
}
