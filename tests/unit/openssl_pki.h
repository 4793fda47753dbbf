// SPDX-License-Identifier: Apache-2.0
// The PKI of tests/e2e/openssl_pki.bash for unit tests: certificates that nobody here made.
#ifndef MTLS_TESTS_UNIT_OPENSSL_PKI_H
#define MTLS_TESTS_UNIT_OPENSSL_PKI_H

// cmocka needs what is before it
// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

#include "base/file.h"
#include "base/mem.h"
#include "tests/temporary.h"

#include <mbedtls/pem.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char pki_dir[TEMPORARY_PATH];

static inline int pki_setup(void **state)
{
    (void)state;
    if (!temporary_make(pki_dir)) {
        return -1;
    }
    char *command =
        mem_printf("bash -c 'set -e; . %s/tests/e2e/openssl_pki.bash; pki_make %s'", MTLS_SOURCE_DIR, pki_dir);
    int rc = system(command);
    free(command);
    return rc;
}

static inline int pki_teardown(void **state)
{
    struct err e = ERR_INIT;
    (void)state;
    return file_remove_tree(pki_dir, &e);
}

// A path below the PKI, in one of four static buffers.
static inline const char *pki_path(const char *below, const char *file)
{
    static char paths[4][256];
    static size_t next;
    char *path = paths[next++ % 4];
    snprintf(path, sizeof paths[0], "%s/%s%s%s", pki_dir, below, file[0] != '\0' ? "/" : "", file);
    return path;
}

// An entry's fullchain.pem as DER, leaf first, without the X.509 parser (which may refuse what is in it).
enum { PKI_CHAIN_MOST = 128 };
struct pki_chain {
    struct buf certs[PKI_CHAIN_MOST];
    struct span spans[PKI_CHAIN_MOST];
    size_t count;
};

static inline void pki_chain_read(struct pki_chain *chain, const char *below)
{
    static const char begin[] = "-----BEGIN CERTIFICATE-----";
    struct buf file = {0};
    struct err e = ERR_INIT;
    *chain = (struct pki_chain){0};
    assert_int_equal(file_read(pki_path(below, "fullchain.pem"), FILE_LIMIT, &file, &e), 0);
    for (const char *p = (const char *)file.data; (p = strstr(p, begin)) != NULL; chain->count++) {
        mbedtls_pem_context pem;
        size_t used = 0;
        size_t len = 0;
        mbedtls_pem_init(&pem);
        assert_int_equal(
            mbedtls_pem_read_buffer(&pem, begin, "-----END CERTIFICATE-----", (const unsigned char *)p, NULL, 0, &used),
            0);
        const unsigned char *der = mbedtls_pem_get_buffer(&pem, &len);
        buf_add(&chain->certs[chain->count], der, len);
        chain->spans[chain->count] = buf_span(&chain->certs[chain->count]);
        mbedtls_pem_free(&pem);
        p += used;
    }
    buf_clear(&file);
}

static inline void pki_chain_clear(struct pki_chain *chain)
{
    for (size_t i = 0; i < chain->count; i++) {
        buf_clear(&chain->certs[i]);
    }
}

#endif
