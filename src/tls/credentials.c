// SPDX-License-Identifier: Apache-2.0
#include "base/file.h"
#include "tls/internal.h"

#include <mbedtls/error.h>
#include <stdlib.h>

enum { CREDENTIALS_MOST = 1024 * 1024 };

static int read_chain(struct tls_credentials *credentials, const char *path, struct err *e)
{
    struct buf file = {0};
    int rc = file_read(path, CREDENTIALS_MOST, &file, e);
    if (rc == 0) {
        int code = mbedtls_x509_crt_parse(&credentials->chain, file.data, file.len + 1);
        rc = code < 0   ? err_mbedtls(e, code, "%s holds no certificate that can be read", path)
             : code > 0 ? err_set(e, "%s: %d of its certificates cannot be read", path, code)
                        : 0;
    }
    buf_clear(&file);
    return rc;
}

static int read_key(struct tls_credentials *credentials, const char *path, struct rng *rng, struct err *e)
{
    struct buf file = {0};
    int rc = file_read(path, CREDENTIALS_MOST, &file, e);
    if (rc == 0) {
        int code = mbedtls_pk_parse_key(&credentials->key, file.data, file.len + 1, NULL, 0, rng_bytes, rng);
        rc = code == MBEDTLS_ERR_PK_PASSWORD_REQUIRED
                 ? err_set(e, "the key in %s is encrypted; decrypt it first: openssl pkey -in %s -out FILE", path, path)
             : code != 0 ? err_mbedtls(e, code, "%s holds no private key that can be read", path)
                         : 0;
    }
    buf_clear(&file);
    return rc;
}

struct tls_credentials *tls_credentials_load(const char *certificate, const char *key, struct err *e)
{
    const char *key_path = key != NULL ? key : certificate;
    struct tls_credentials *credentials = mem_alloc(sizeof *credentials);
    struct rng rng;
    mbedtls_x509_crt_init(&credentials->chain);
    mbedtls_pk_init(&credentials->key);
    if (rng_init(&rng, e) != 0) {
        tls_credentials_free(credentials);
        return NULL;
    }
    int rc = read_chain(credentials, certificate, e);
    if (rc == 0) {
        rc = read_key(credentials, key_path, &rng, e);
    }
    if (rc == 0 && mbedtls_pk_check_pair(&credentials->chain.pk, &credentials->key, rng_bytes, &rng) != 0) {
        rc = err_set(e, "the key in %s does not belong to the first certificate in %s", key_path, certificate);
    }
    rng_clear(&rng);
    if (rc != 0) {
        tls_credentials_free(credentials);
        return NULL;
    }
    return credentials;
}

void tls_credentials_free(struct tls_credentials *credentials)
{
    if (credentials == NULL) {
        return;
    }
    mbedtls_x509_crt_free(&credentials->chain);
    mbedtls_pk_free(&credentials->key); // zeroises
    free(credentials);
}
