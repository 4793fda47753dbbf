// SPDX-License-Identifier: Apache-2.0
#include "base/pem.h"

#include "base/file.h"

#include <mbedtls/pem.h>
#include <string.h>

static const struct {
    const char *what;
    const char *begin;
    const char *end;
} kinds[] = {
    [PEM_CERTIFICATE] = {"certificate", "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"},
    [PEM_CRL] = {"revocation list", "-----BEGIN X509 CRL-----", "-----END X509 CRL-----"},
};

// One block at `text`; *used bytes of it.
static int read_block(const char *text, enum pem_kind kind, pem_take *take, void *arg, size_t *used)
{
    mbedtls_pem_context pem;
    mbedtls_pem_init(&pem);
    int code =
        mbedtls_pem_read_buffer(&pem, kinds[kind].begin, kinds[kind].end, (const unsigned char *)text, NULL, 0, used);
    if (code == 0) {
        size_t len = 0;
        const unsigned char *der = mbedtls_pem_get_buffer(&pem, &len);
        code = take(arg, der, len);
    }
    mbedtls_pem_free(&pem);
    return code;
}

int pem_read_file(const char *path, enum pem_kind kind, pem_take *take, void *arg, struct err *e)
{
    struct buf file = {0};
    size_t count = 0;
    int rc = file_read(path, FILE_LIMIT, &file, e);
    if (rc == 0 && strlen((const char *)file.data) != file.len) {
        rc = err_set(e, "%s is not PEM text", path);
    }
    const char *block = rc == 0 ? strstr((const char *)file.data, kinds[kind].begin) : NULL;
    while (block != NULL) {
        size_t used = 0;
        count++;
        int code = read_block(block, kind, take, arg, &used);
        if (code != 0) {
            rc = err_mbedtls(e, code, "%s: %s number %zu", path, kinds[kind].what, count);
        }
        block = code == 0 ? strstr(block + used, kinds[kind].begin) : NULL;
    }
    if (rc == 0 && count == 0) {
        rc = err_set(e, "%s holds no PEM %s", path, kinds[kind].what);
    }
    buf_clear(&file); // zeroised: there may be a key in the same file
    return rc;
}
