// SPDX-License-Identifier: Apache-2.0
// What the tests of trust_judge_question ask about.
#ifndef MTLS_TESTS_QUESTION_FIXTURE_H
#define MTLS_TESTS_QUESTION_FIXTURE_H

#include "base/der.h"
#include "base/file.h"
#include "base/pem.h"
#include "base/random.h"
#include "ca/certificate.h"
#include "ca/crl.h"
#include "run.h"
#include "trust/trust.h"

#include <mbedtls/x509.h>

enum { NOW = 1768000000, DAY = 86400 };
enum { LEAF, ISSUING, ROOT, IMPOSTOR, CERTIFICATES };

static struct run files;
static struct rng rng;
static mbedtls_pk_context keys[CERTIFICATES];
static struct buf der[CERTIFICATES];
static struct span chain[2];

// --- a root, an issuing CA, a client; a CA with the issuing one's name and another key ---

static struct certificate_issuer issuer_of(int which, struct buf *name)
{
    struct err e = ERR_INIT;
    struct certificate_issuer issuer = {.key = &keys[which]};
    name->len = 0;
    assert_works(name_from_text(which == ROOT ? "CN=root" : "CN=issuing", name, &e), &e);
    assert_works(key_id(issuer.key, issuer.key_id, &e), &e);
    issuer.subject = buf_span(name);
    return issuer;
}

static void issue(int which, const char *subject, int signer, int64_t until)
{
    struct err e = ERR_INIT;
    struct buf name = {0};
    bool ca = which != LEAF;
    char *usage[] = {(char *)(uintptr_t) "1.3.6.1.5.5.7.3.2", NULL};
    const uint8_t serial[] = {0x40, (uint8_t)which};
    struct certificate_content content = {.subject = (char *)(uintptr_t)subject,
                                          .not_before = NOW - DAY,
                                          .not_after = until,
                                          .is_ca = ca,
                                          .path_length = PATH_LENGTH_NONE,
                                          .key_usage = ca ? MBEDTLS_X509_KU_KEY_CERT_SIGN | MBEDTLS_X509_KU_CRL_SIGN
                                                          : MBEDTLS_X509_KU_DIGITAL_SIGNATURE,
                                          .ext_key_usage = ca ? NULL : usage};
    struct certificate_issuer issuer = issuer_of(signer, &name);
    if (!ca) {
        general_names_add(&content.names, GENERAL_NAME_URI, "spiffe://example/alice");
    }
    assert_works(certificate_make(&content, serial, sizeof serial, &keys[which], &issuer, &rng, &der[which], &e), &e);
    general_names_clear(&content.names);
    buf_clear(&name);
}

static void add_list(int signer, bool leaf_revoked, int64_t from, int64_t until, struct buf *pem)
{
    static const uint8_t serial[] = {0x40, LEAF};
    const struct crl_entry entry = {
        .serial = {serial, sizeof serial}, .revoked_at = NOW - 10, .invalidity_date = CRL_NO_INVALIDITY_DATE};
    const struct crl_content content = {
        .this_update = from, .next_update = until, .number = 1, .entries = &entry, .count = leaf_revoked};
    struct err e = ERR_INIT;
    struct buf name = {0};
    struct buf list = {0};
    struct certificate_issuer issuer = issuer_of(signer, &name);
    assert_works(crl_make(&content, &issuer, &rng, &list, &e), &e);
    pem_write(pem, "X509 CRL", buf_span(&list));
    buf_clear(&list);
    buf_clear(&name);
}

static void write_lists(const char *name, bool leaf_revoked)
{
    struct buf pem = {0};
    add_list(ISSUING, leaf_revoked, NOW - DAY, NOW + 2 * DAY, &pem);
    add_list(ROOT, false, NOW - DAY, NOW + DAY, &pem);
    run_file(&files, name, buf_span(&pem));
    buf_clear(&pem);
}

static void write_anchor(const char *name, int which)
{
    run_file(&files, name, buf_span(&der[which]));
}

static int setup(void **state)
{
    struct err e = ERR_INIT;
    (void)state;
    run_begin(&files);
    assert_works(rng_init_seeded(&rng, "test", "question", &e), &e);
    for (int i = 0; i < CERTIFICATES; i++) {
        assert_works(key_generate(KEY_ec_p256, &rng, &keys[i], &e), &e);
    }
    issue(ROOT, "CN=root", ROOT, NOW + 100 * DAY);
    issue(ISSUING, "CN=issuing", ROOT, NOW + 20 * DAY);
    issue(IMPOSTOR, "CN=issuing", ROOT, NOW + 100 * DAY);
    issue(LEAF, "CN=alice,O=Example", ISSUING, NOW + 10 * DAY);
    chain[0] = buf_span(&der[LEAF]);
    chain[1] = buf_span(&der[ISSUING]);
    write_anchor("root.der", ROOT);
    write_anchor("impostor.der", IMPOSTOR);
    write_lists("lists.pem", false);
    write_lists("revoked.pem", true);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    for (int i = 0; i < CERTIFICATES; i++) {
        mbedtls_pk_free(&keys[i]);
        buf_clear(&der[i]);
    }
    rng_clear(&rng);
    run_end(&files);
    return 0;
}

#endif
