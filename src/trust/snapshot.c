// SPDX-License-Identifier: Apache-2.0
#include "base/file.h"
#include "trust/internal.h"

#include <mbedtls/pem.h>
#include <stdlib.h>

// Calls `take` with the DER of each PEM block of one kind. Everything between such blocks is comment (RFC 7468 section
// 2); a block that cannot be decoded or taken is an error, as is a file without any.
struct pem_kind {
    const char *what; // "certificate", for messages
    const char *begin;
    const char *end;
    int (*take)(struct trust_snapshot *snapshot, const unsigned char *der, size_t len);
};

static int take_anchor(struct trust_snapshot *snapshot, const unsigned char *der, size_t len)
{
    return mbedtls_x509_crt_parse_der(&snapshot->anchors, der, len);
}

static int take_crl(struct trust_snapshot *snapshot, const unsigned char *der, size_t len)
{
    snapshot->has_crls = true;
    return mbedtls_x509_crl_parse_der(&snapshot->crls, der, len);
}

static const struct pem_kind anchor_kind = {"certificate", "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----",
                                            take_anchor};
static const struct pem_kind crl_kind = {"revocation list", "-----BEGIN X509 CRL-----", "-----END X509 CRL-----",
                                         take_crl};

static int pem_read(struct trust_snapshot *snapshot, const struct pem_kind *kind, const char *path, struct err *e)
{
    struct buf file = {0};
    size_t count = 0;
    int rc = file_read(path, FILE_LIMIT, &file, e);
    if (rc == 0 && memchr(file.data, '\0', file.len) != NULL) {
        rc = err_set(e, "%s is not PEM text", path);
    }
    const char *p = rc == 0 ? strstr((const char *)file.data, kind->begin) : NULL;
    while (rc == 0 && p != NULL) {
        mbedtls_pem_context pem;
        size_t used = 0;
        mbedtls_pem_init(&pem);
        count++;
        int code = mbedtls_pem_read_buffer(&pem, kind->begin, kind->end, (const unsigned char *)p, NULL, 0, &used);
        if (code == 0) {
            size_t len = 0;
            const unsigned char *der = mbedtls_pem_get_buffer(&pem, &len);
            code = kind->take(snapshot, der, len);
        }
        mbedtls_pem_free(&pem);
        rc = code != 0 ? err_mbedtls(e, code, "%s: %s number %zu", path, kind->what, count) : 0;
        p = rc == 0 ? strstr(p + used, kind->begin) : NULL;
    }
    if (rc == 0 && count == 0) {
        rc = err_set(e, "%s holds no PEM %s", path, kind->what);
    }
    buf_clear(&file);
    return rc;
}

struct trust_snapshot *trust_snapshot_load(const struct trust_files *files, struct err *e)
{
    struct trust_snapshot *snapshot = mem_alloc(sizeof *snapshot);
    snapshot->references = 1;
    mbedtls_x509_crt_init(&snapshot->anchors);
    mbedtls_x509_crl_init(&snapshot->crls);
    if (pem_read(snapshot, &anchor_kind, files->anchors, e) != 0) {
        err_context(e, "reading the trust anchors");
        goto refused;
    }
    if (files->crls != NULL && pem_read(snapshot, &crl_kind, files->crls, e) != 0) {
        err_context(e, "reading the revocation lists");
        goto refused;
    }
    return snapshot;
refused:
    trust_snapshot_free(snapshot);
    return NULL;
}

struct trust_snapshot *trust_snapshot_ref(struct trust_snapshot *snapshot)
{
    __atomic_add_fetch(&snapshot->references, 1, __ATOMIC_RELAXED);
    return snapshot;
}

void trust_snapshot_free(struct trust_snapshot *snapshot)
{
    if (snapshot == NULL || __atomic_sub_fetch(&snapshot->references, 1, __ATOMIC_ACQ_REL) > 0) {
        return;
    }
    mbedtls_x509_crt_free(&snapshot->anchors);
    mbedtls_x509_crl_free(&snapshot->crls);
    free(snapshot);
}

mbedtls_x509_crt *trust_snapshot_anchors(const struct trust_snapshot *snapshot)
{
    return (mbedtls_x509_crt *)&snapshot->anchors; // mbedTLS's interfaces are not const; it does not write here
}
