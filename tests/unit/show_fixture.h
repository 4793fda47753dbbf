// SPDX-License-Identifier: Apache-2.0
// What the tests of ca/show*.c share.
#ifndef MTLS_TESTS_SHOW_FIXTURE_H
#define MTLS_TESTS_SHOW_FIXTURE_H

#include "base/clock.h"
#include "base/der.h"
#include "ca/certificate.h"
#include "ca/crl.h"
#include "ca/show.h"
#include "run.h"

static const int64_t june_2026 = 1780272000; // 2026-06-01T00:00:00Z
static const struct show_options options = {.now = 1780272000, .entries_max = 3};

// What show_file says to `data`, as text; it must say something.
static inline void show(struct span data, struct buf *text)
{
    struct err e = ERR_INIT;
    json_t *shown = show_file(data, &options, &e);
    buf_clear(text);
    if (shown == NULL) {
        fail_msg("%s", e.text);
    }
    show_text(shown, text);
    json_decref(shown);
}

static inline void assert_shows(const struct buf *text, const char *part)
{
    if (strstr((const char *)text->data, part) == NULL) {
        fail_msg("no \"%s\" in:\n%s", part, (const char *)text->data);
    }
}

static inline void show_of(struct run *r, const char *name, struct buf *text)
{
    struct buf file = {0};
    run_read(r, name, &file);
    show(buf_span(&file), text);
    buf_clear(&file);
}

struct ca {
    struct rng rng;
    mbedtls_pk_context key;
    struct buf subject;
    struct certificate_issuer issuer;
};

static inline void ca_begin(struct ca *ca)
{
    struct err e = ERR_INIT;
    *ca = (struct ca){0};
    assert_works(rng_init_seeded(&ca->rng, "show", "ca", &e), &e);
    assert_works(key_generate(KEY_ec_p256, &ca->rng, &ca->key, &e), &e);
    assert_works(name_from_text("CN=Show CA", &ca->subject, &e), &e);
    ca->issuer = (struct certificate_issuer){.subject = buf_span(&ca->subject), .key = &ca->key};
    assert_works(key_id(&ca->key, ca->issuer.key_id, &e), &e);
}

static inline void ca_end(struct ca *ca)
{
    mbedtls_pk_free(&ca->key);
    buf_clear(&ca->subject);
    rng_clear(&ca->rng);
}

// An issuing CA with most extensions, seeded.
static inline void make_certificate(struct ca *ca, const char *subject, struct buf *der)
{
    struct err e = ERR_INIT;
    char *crl_urls[] = {(char *)(uintptr_t) "http://ca.example/crl", NULL};
    char *purposes[] = {(char *)(uintptr_t) "1.3.6.1.5.5.7.3.1", (char *)(uintptr_t) "1.3.6.1.5.5.7.3.2", NULL};
    struct certificate_content c = {.subject = (char *)(uintptr_t)subject,
                                    .not_before = june_2026 - CLOCK_DAY,
                                    .not_after = june_2026 + 90 * CLOCK_DAY - 1,
                                    .is_ca = true,
                                    .path_length = 0,
                                    .key_usage = MBEDTLS_X509_KU_KEY_CERT_SIGN | MBEDTLS_X509_KU_CRL_SIGN,
                                    .ext_key_usage = purposes,
                                    .crl_urls = crl_urls};
    mbedtls_pk_context key;
    assert_works(key_generate(KEY_ec_p384, &ca->rng, &key, &e), &e);
    general_names_add(&c.names, GENERAL_NAME_DNS, "a.example");
    general_names_add(&c.names, GENERAL_NAME_IP, "2001:db8::1");
    general_names_add(&c.permitted, GENERAL_NAME_IP, "10.0.0.0/8");
    general_names_add(&c.permitted, GENERAL_NAME_DNS, "example");
    general_names_add(&c.excluded, GENERAL_NAME_IP, "2001:db8::/32");
    assert_works(certificate_make(&c, (const uint8_t *)"\x4a\xbc", 2, &key, &ca->issuer, &ca->rng, der, &e), &e);
    general_names_clear(&c.names);
    general_names_clear(&c.permitted);
    general_names_clear(&c.excluded);
    mbedtls_pk_free(&key);
}

#endif
