// SPDX-License-Identifier: Apache-2.0
#include "base/file.h"
#include "tls/internal.h"

#include <mbedtls/error.h>
#include <mbedtls/pem.h>
#include <mbedtls/platform.h>
#include <stdlib.h>
#include <string.h>

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

static void add_as_is(struct tls_credentials *credentials, const unsigned char *der, size_t len)
{
    size_t n = credentials->as_is_count++;
    mbedtls_x509_crt *crt = &credentials->chain;
    struct buf *grown = mem_array(n + 1, sizeof *grown);
    if (n > 0) {
        memcpy(grown, credentials->as_is, n * sizeof *grown);
        while (crt->next != NULL) {
            crt = crt->next;
        }
        crt->next = mbedtls_calloc(1, sizeof *crt);
        crt = crt->next;
        if (crt == NULL) {
            abort();
        }
        mbedtls_x509_crt_init(crt);
    }
    free(credentials->as_is);
    credentials->as_is = grown;
    buf_add(&grown[n], der, len);
    crt->raw.p = grown[n].data; // the bytes of a buf stay where they are when the buf itself is moved
    crt->raw.len = grown[n].len;
}

static int read_as_is(struct tls_credentials *credentials, const char *path, struct err *e)
{
    static const char begin[] = "-----BEGIN CERTIFICATE-----";
    static const char end[] = "-----END CERTIFICATE-----";
    struct buf file = {0};
    int rc = file_read(path, CREDENTIALS_MOST, &file, e);
    const unsigned char *p = file.data;
    while (rc == 0 && (p = (const unsigned char *)strstr((const char *)p, begin)) != NULL) {
        mbedtls_pem_context pem;
        size_t used = 0;
        mbedtls_pem_init(&pem);
        int code = mbedtls_pem_read_buffer(&pem, begin, end, p, NULL, 0, &used);
        if (code == 0) {
            size_t len = 0;
            const unsigned char *der = mbedtls_pem_get_buffer(&pem, &len);
            add_as_is(credentials, der, len);
        } else {
            rc = err_mbedtls(e, code, "%s", path);
        }
        mbedtls_pem_free(&pem);
        p += used;
    }
    if (rc == 0 && credentials->as_is_count == 0) {
        rc = err_set(e, "%s holds no certificate", path);
    }
    buf_clear(&file);
    return rc;
}

// mbedTLS chooses by the kind of key that a certificate holds; here it is the key that will sign.
static int adopt_public_key(struct tls_credentials *credentials, struct err *e)
{
    unsigned char room[2048];
    int len = mbedtls_pk_write_pubkey_der(&credentials->key, room, sizeof room);
    int code =
        len < 0 ? len : mbedtls_pk_parse_public_key(&credentials->chain.pk, room + sizeof room - len, (size_t)len);
    return code == 0 ? 0 : err_mbedtls(e, code, "the private key has no public half");
}

struct tls_credentials *tls_credentials_load_as_is(const char *certificate, const char *key, struct err *e)
{
    struct tls_credentials *credentials = mem_alloc(sizeof *credentials);
    struct rng rng;
    mbedtls_x509_crt_init(&credentials->chain);
    mbedtls_pk_init(&credentials->key);
    int rc = rng_init(&rng, e);
    if (rc == 0 && (read_as_is(credentials, certificate, e) != 0 || read_key(credentials, key, &rng, e) != 0 ||
                    adopt_public_key(credentials, e) != 0)) {
        rc = -1;
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
    for (size_t i = 0; i < credentials->as_is_count; i++) {
        buf_clear(&credentials->as_is[i]);
    }
    free(credentials->as_is);
    free(credentials);
}
