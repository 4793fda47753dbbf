// SPDX-License-Identifier: Apache-2.0
#include "base/file.h"
#include "base/pem.h"
#include "base/x509.h"
#include "tls/internal.h"

#include <mbedtls/platform.h>
#include <stdlib.h>
#include <string.h>

enum { CREDENTIALS_MOST = 1024 * 1024 };

static const char certificate_label[] = "CERTIFICATE";

// Hands each block of the PEM file to `take`, in order; a file without a certificate is a mistake.
static int read_certificates(const char *path, struct tls_credentials *credentials, pem_each *take, struct err *e)
{
    struct buf file = {0};
    int rc = file_read(path, CREDENTIALS_MOST, &file, e);
    if (rc == 0 && pem_read(buf_span(&file), take, credentials, e) != 0) {
        err_context(e, "%s", path);
        rc = -1;
    }
    if (rc == 0 && credentials->count == 0) {
        rc = err_set(e, "%s holds no PEM certificate", path);
    }
    buf_clear(&file); // zeroised: there may be a key in the same file
    return rc;
}

static int take_certificate(void *arg, const char *label, struct span der, struct err *e)
{
    struct tls_credentials *credentials = arg;
    if (strcmp(label, certificate_label) != 0) {
        return 0;
    }
    credentials->count++;
    int code = x509_add(&credentials->chain, der);
    return code == 0 ? 0 : err_mbedtls(e, code, "certificate number %zu", credentials->count);
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
    int rc = read_certificates(certificate, credentials, take_certificate, e);
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

// A certificate that mbedTLS does not read: an empty one around the bytes.
static int take_as_is(void *arg, const char *label, struct span der, struct err *e)
{
    struct tls_credentials *credentials = arg;
    mbedtls_x509_crt *crt = &credentials->chain;
    if (strcmp(label, certificate_label) != 0) {
        return 0;
    }
    for (size_t i = 0; i < credentials->count; i++) {
        if (crt->next == NULL) {
            crt->next = mbedtls_calloc(1, sizeof *crt); // mbedtls_x509_crt_free frees it
            if (crt->next == NULL) {
                return err_mbedtls(e, MBEDTLS_ERR_X509_ALLOC_FAILED, "certificate number %zu", i + 1);
            }
            mbedtls_x509_crt_init(crt->next);
        }
        crt = crt->next;
    }
    credentials->as_is =
        mem_grow(credentials->as_is, &credentials->as_is_cap, sizeof *credentials->as_is, credentials->count + 1);
    struct buf *copy = &credentials->as_is[credentials->count++];
    buf_add(copy, der.data, der.len);
    crt->raw.p = copy->data; // which stays where it is when the list of copies grows
    crt->raw.len = copy->len;
    return 0;
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
    if (rc == 0 && (read_certificates(certificate, credentials, take_as_is, e) != 0 ||
                    read_key(credentials, key, &rng, e) != 0 || adopt_public_key(credentials, e) != 0)) {
        rc = -1;
    }
    rng_clear(&rng);
    if (rc != 0) {
        tls_credentials_free(credentials);
        return NULL;
    }
    return credentials;
}

struct tls_credentials *tls_credentials_of_memory(const struct span *chain, size_t count, struct span key,
                                                  struct err *e)
{
    struct tls_credentials *credentials = mem_alloc(sizeof *credentials);
    struct rng rng;
    mbedtls_x509_crt_init(&credentials->chain);
    mbedtls_pk_init(&credentials->key);
    int rc = rng_init(&rng, e);
    for (size_t i = 0; rc == 0 && i < count; i++) {
        rc = take_as_is(credentials, certificate_label, chain[i], e);
    }
    if (rc == 0) {
        int code = mbedtls_pk_parse_key(&credentials->key, key.data, key.len, NULL, 0, rng_bytes, &rng);
        rc = code != 0 ? err_mbedtls(e, code, "the private key cannot be read") : adopt_public_key(credentials, e);
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
    for (size_t i = 0; credentials->as_is != NULL && i < credentials->count; i++) {
        buf_clear(&credentials->as_is[i]);
    }
    free(credentials->as_is);
    free(credentials);
}
