// SPDX-License-Identifier: Apache-2.0
// The keys of a flaw's certificates.
#include "ca/flaw_internal.h"

#include <mbedtls/rsa.h>

void flaw_keys_init(struct flaw_keys *keys)
{
    pthread_mutex_init(&keys->lock, NULL);
    mbedtls_pk_init(&keys->authority);
    mbedtls_pk_init(&keys->leaf);
}

void flaw_keys_clear(struct flaw_keys *keys)
{
    mbedtls_pk_free(&keys->authority);
    mbedtls_pk_free(&keys->leaf);
    pthread_mutex_destroy(&keys->lock);
}

int flaw_rng(const struct flaw_setting *setting, const char *label, struct rng *rng, struct err *e)
{
    return setting->seed == NULL ? rng_init(rng, e) : rng_init_seeded(rng, setting->seed, label, e);
}

// From a seed it is the same key whether it is shared or not.
static int make_shared(const struct flaw_setting *setting, bool authority, mbedtls_pk_context *key, struct err *e)
{
    struct rng rng;
    if (flaw_rng(setting, authority ? "flaw/authority's RSA key" : "flaw/leaf's RSA key", &rng, e) != 0) {
        return -1;
    }
    int rc = key_generate(KEY_rsa_2048, &rng, key, e);
    rng_clear(&rng);
    return rc;
}

// A copy for each: what mbedTLS keeps in an RSA key while it signs is not shared.
static int copy_rsa(mbedtls_pk_context *to, const mbedtls_pk_context *from, struct err *e)
{
    int rc = mbedtls_pk_setup(to, mbedtls_pk_info_from_type(MBEDTLS_PK_RSA));
    if (rc == 0) {
        rc = mbedtls_rsa_copy(mbedtls_pk_rsa(*to), mbedtls_pk_rsa(*from));
    }
    return rc == 0 ? 0 : err_mbedtls(e, rc, "copying an RSA key");
}

int flaw_key(const struct flaw_setting *setting, enum key_type type, bool authority, struct rng *rng,
             mbedtls_pk_context *key, struct err *e)
{
    struct flaw_keys *keys = setting->keys;
    if (type != KEY_rsa_2048) {
        return key_generate(type, rng, key, e);
    }
    if (keys == NULL) {
        return make_shared(setting, authority, key, e);
    }
    mbedtls_pk_context *shared = authority ? &keys->authority : &keys->leaf;
    int rc = 0;
    pthread_mutex_lock(&keys->lock);
    if (mbedtls_pk_get_type(shared) == MBEDTLS_PK_NONE) {
        rc = make_shared(setting, authority, shared, e);
    }
    if (rc == 0) {
        rc = copy_rsa(key, shared, e);
    } else {
        mbedtls_pk_free(shared); // not half a key for the next one
    }
    pthread_mutex_unlock(&keys->lock);
    return rc;
}
