// SPDX-License-Identifier: Apache-2.0
// Random bytes: mbedTLS's CTR_DRBG over the system's entropy, one for each thread that needs one. Seeded, the same
// seed and label give the same bytes: for golden tests only, and everything made so must be marked insecure.
#ifndef MTLS_BASE_RANDOM_H
#define MTLS_BASE_RANDOM_H

#include "base/err.h"

#include <mbedtls/ctr_drbg.h>
#include <mbedtls/entropy.h>
#include <stddef.h>
#include <stdint.h>

struct rng {
    mbedtls_entropy_context entropy;
    mbedtls_ctr_drbg_context drbg;
    uint8_t seed[32]; // only when seeded
    uint64_t drawn;   // blocks of entropy derived from the seed so far
};

int rng_init(struct rng *r, struct err *e);
int rng_init_seeded(struct rng *r, const char *seed, const char *label, struct err *e);
void rng_clear(struct rng *r);
int rng_bytes(void *rng, unsigned char *out, size_t len); // has the shape of mbedTLS's f_rng

#endif
