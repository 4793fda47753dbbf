// SPDX-License-Identifier: Apache-2.0
#include "base/pem.h"
#include "trust/internal.h"

#include <stdlib.h>

static int take_anchor(void *arg, const unsigned char *der, size_t len)
{
    struct trust_snapshot *snapshot = arg;
    return mbedtls_x509_crt_parse_der(&snapshot->anchors, der, len);
}

static int take_crl(void *arg, const unsigned char *der, size_t len)
{
    struct trust_snapshot *snapshot = arg;
    snapshot->has_crls = true;
    return mbedtls_x509_crl_parse_der(&snapshot->crls, der, len);
}

struct trust_snapshot *trust_snapshot_load(const struct trust_files *files, struct err *e)
{
    struct trust_snapshot *snapshot = mem_alloc(sizeof *snapshot);
    snapshot->references = 1;
    mbedtls_x509_crt_init(&snapshot->anchors);
    mbedtls_x509_crl_init(&snapshot->crls);
    if (pem_read_file(files->anchors, PEM_CERTIFICATE, take_anchor, snapshot, e) != 0) {
        err_context(e, "reading the trust anchors");
        goto refused;
    }
    if (files->crls != NULL && pem_read_file(files->crls, PEM_CRL, take_crl, snapshot, e) != 0) {
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
