// SPDX-License-Identifier: Apache-2.0
#include "base/random.h"

#include "base/mem.h"

#include <mbedtls/platform_util.h>
#include <mbedtls/sha256.h>
#include <string.h>

int rng_init(struct rng *r, struct err *e)
{
    *r = (struct rng){0};
    mbedtls_entropy_init(&r->entropy);
    mbedtls_ctr_drbg_init(&r->drbg);
    int rc = mbedtls_ctr_drbg_seed(&r->drbg, mbedtls_entropy_func, &r->entropy, NULL, 0);
    return rc == 0 ? 0 : err_mbedtls(e, rc, "seeding the random generator");
}

// "Entropy" that is SHA-256(seed, counter): the same at each run.
static int seeded_entropy(void *arg, unsigned char *out, size_t len)
{
    struct rng *r = arg;
    uint8_t block[32];
    for (size_t done = 0; done < len;) {
        uint8_t input[sizeof r->seed + sizeof r->drawn];
        memcpy(input, r->seed, sizeof r->seed);
        for (size_t i = 0; i < sizeof r->drawn; i++) {
            input[sizeof r->seed + i] = (uint8_t)(r->drawn >> (8 * i));
        }
        r->drawn++;
        if (mbedtls_sha256(input, sizeof input, block, 0) != 0) {
            return MBEDTLS_ERR_ENTROPY_SOURCE_FAILED;
        }
        size_t n = len - done < sizeof block ? len - done : sizeof block;
        memcpy(out + done, block, n);
        done += n;
    }
    return 0;
}

int rng_init_seeded(struct rng *r, const char *seed, const char *label, struct err *e)
{
    struct buf text = {0};
    *r = (struct rng){0};
    mbedtls_entropy_init(&r->entropy);
    mbedtls_ctr_drbg_init(&r->drbg);
    buf_printf(&text, "mtls seed\n%zu\n%s\n%s", strlen(seed), seed, label);
    int rc = mbedtls_sha256(text.data, text.len, r->seed, 0);
    if (rc == 0) {
        rc = mbedtls_ctr_drbg_seed(&r->drbg, seeded_entropy, r, NULL, 0);
    }
    buf_clear(&text);
    return rc == 0 ? 0 : err_mbedtls(e, rc, "seeding the random generator");
}

void rng_clear(struct rng *r)
{
    mbedtls_ctr_drbg_free(&r->drbg);
    mbedtls_entropy_free(&r->entropy);
    mbedtls_platform_zeroize(r, sizeof *r);
}

int rng_bytes(void *rng, unsigned char *out, size_t len)
{
    struct rng *r = rng;
    return mbedtls_ctr_drbg_random(&r->drbg, out, len);
}
