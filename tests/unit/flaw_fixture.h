// SPDX-License-Identifier: Apache-2.0
// A small PKI, and every flaw and control made under it once.
#ifndef MTLS_TESTS_FLAW_FIXTURE_H
#define MTLS_TESTS_FLAW_FIXTURE_H

#include "base/clock.h"
#include "base/der.h"
#include "base/parallel.h"
#include "ca/crl.h"
#include "ca/flaw.h"
#include "run.h"

static struct world {
    struct rng rng;
    mbedtls_pk_context keys[2];
    struct buf ders[2];
    struct flaw_ca root;
    struct flaw_ca issuing;
    struct general_names hosts;
    struct flaw_keys shared;
    struct flaw_setting setting;
    struct flaw_made made[FLAW_COUNT][2][2]; // flaw, side, whether control
} world;

static const enum flaw_side sides[] = {FLAW_CLIENT, FLAW_SERVER};

// Calls for each flaw of each side, with the side's index in `sides`.
#define FOR_EACH_FLAW(flaw, s)                                                                                         \
    for (int flaw = 0; flaw < FLAW_COUNT; flaw++)                                                                      \
        for (int s = 0; s < 2; s++)                                                                                    \
            if ((flaw_info((enum flaw)flaw)->sides & sides[s]) != 0)

// A CA of the PKI: the root, or the issuing CA that may have no CA below it.
static inline void world_authority(int index, const char *subject, const struct certificate_issuer *issuer,
                                   struct flaw_ca *ca)
{
    struct err e = ERR_INIT;
    uint8_t serial[SERIAL_SIZE];
    struct certificate_parts parts;
    struct certificate_content content = {
        .subject = mem_strdup(subject),
        .not_before = world.setting.now - 3600,
        .not_after = world.setting.now + (INT64_C(3650) * CLOCK_DAY),
        .is_ca = true,
        .path_length = issuer == NULL ? PATH_LENGTH_NONE : 0,
        .key_usage = MBEDTLS_X509_KU_KEY_CERT_SIGN | MBEDTLS_X509_KU_CRL_SIGN,
    };
    ca->issuer.key = &world.keys[index];
    assert_works(key_generate(KEY_ec_p256, &world.rng, ca->issuer.key, &e), &e);
    assert_works(key_id(ca->issuer.key, ca->issuer.key_id, &e), &e);
    assert_works(serial_make(&world.rng, serial, &e), &e);
    assert_works(certificate_make(&content, serial, sizeof serial, ca->issuer.key,
                                  issuer == NULL ? &ca->issuer : issuer, &world.rng, &world.ders[index], &e),
                 &e);
    ca->der = buf_span(&world.ders[index]);
    assert_works(certificate_split(ca->der, &parts, &e), &e);
    ca->issuer.subject = parts.subject;
    certificate_content_clear(&content);
}

static inline int world_make(void *arg, size_t i, struct err *e)
{
    (void)arg;
    size_t flaw = i / 4;
    size_t s = i / 2 % 2;
    size_t control = i % 2;
    if ((flaw_info((enum flaw)flaw)->sides & sides[s]) == 0) {
        return 0;
    }
    return flaw_make(&world.setting, (enum flaw)flaw, sides[s], control == 1, &world.made[flaw][s][control], e);
}

static inline int world_begin(void **state)
{
    struct err e = ERR_INIT;
    (void)state;
    world.setting = (struct flaw_setting){
        .root = &world.root,
        .issuing = &world.issuing,
        .hosts = &world.hosts,
        .now = clock_now(),
        .lifetime = INT64_C(90) * CLOCK_DAY,
        .keys = &world.shared,
    };
    flaw_keys_init(&world.shared);
    assert_works(rng_init(&world.rng, &e), &e);
    world_authority(0, "CN=Root,O=Test", NULL, &world.root);
    world_authority(1, "CN=Issuing,O=Test", &world.root.issuer, &world.issuing);
    general_names_add(&world.hosts, GENERAL_NAME_DNS, "localhost");
    general_names_add(&world.hosts, GENERAL_NAME_IP, "127.0.0.1");
    general_names_add(&world.hosts, GENERAL_NAME_IP, "::1");
    uint64_t start = clock_monotonic_us();
    assert_works(parallel_for((size_t)FLAW_COUNT * 4, world_make, NULL, NULL, &e), &e);
    print_message("all flaws and controls: %.3f s\n", (double)(clock_monotonic_us() - start) / 1e6);
    return 0;
}

static inline int world_end(void **state)
{
    (void)state;
    FOR_EACH_FLAW(flaw, s)
    {
        flaw_made_clear(&world.made[flaw][s][0]);
        flaw_made_clear(&world.made[flaw][s][1]);
    }
    for (int i = 0; i < 2; i++) {
        mbedtls_pk_free(&world.keys[i]);
        buf_clear(&world.ders[i]);
    }
    flaw_keys_clear(&world.shared);
    general_names_clear(&world.hosts);
    rng_clear(&world.rng);
    return 0;
}

// The list of one of the PKI's CAs, which revokes what a flaw says it must.
static inline void world_crl(const struct flaw_made *made, int issuer, struct buf *crl)
{
    struct err e = ERR_INIT;
    struct crl_entry entries[sizeof made->parts / sizeof made->parts[0]];
    struct crl_content content = {.this_update = world.setting.now - 60,
                                  .next_update = world.setting.now + CLOCK_DAY,
                                  .number = 7,
                                  .entries = entries};
    for (size_t i = 0; i < made->count; i++) {
        struct certificate_parts parts;
        struct der_item serial;
        if (!made->parts[i].revoke || made->parts[i].issuer != issuer) {
            continue;
        }
        assert_works(certificate_split(buf_span(&made->parts[i].der), &parts, &e), &e);
        assert_works(der_next(&parts.serial, &serial, &e), &e);
        entries[content.count++] = (struct crl_entry){.serial = serial.content,
                                                      .revoked_at = world.setting.now - 60,
                                                      .reason = REVOCATION_key_compromise,
                                                      .invalidity_date = CRL_NO_INVALIDITY_DATE};
    }
    const struct flaw_ca *ca = issuer == FLAW_ISSUER_ROOT ? &world.root : &world.issuing;
    assert_works(crl_make(&content, &ca->issuer, &world.rng, crl, &e), &e);
}

#endif
