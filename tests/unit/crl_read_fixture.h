// SPDX-License-Identifier: Apache-2.0
// A CA, and its lists read.
#ifndef MTLS_TESTS_UNIT_CRL_READ_FIXTURE_H
#define MTLS_TESTS_UNIT_CRL_READ_FIXTURE_H

#include "crl_fixture.h"
#include "trust/crl_internal.h"

static struct authority alpha;

static inline int setup(void **state)
{
    (void)state;
    authority_begin(&alpha, "CN=Alpha,O=Acme", MBEDTLS_X509_KU_KEY_CERT_SIGN | MBEDTLS_X509_KU_CRL_SIGN);
    return 0;
}

static inline int teardown(void **state)
{
    (void)state;
    authority_end(&alpha);
    return 0;
}

#define SERIAL(octets) span_of(octets, sizeof(octets) - 1)

static inline struct crl *read_draft(struct draft d)
{
    struct err e = ERR_INIT;
    struct buf der = {0};
    d.ca = &alpha;
    draft_sign(&d, &der);
    struct crl *list = crl_read(buf_span(&der), &e);
    assert_string_equal(e.text, "");
    buf_clear(&der);
    return list;
}

static inline int find(const struct crl *list, struct span serial)
{
    return crl_index_find(&list->index, serial, buf_span(&list->issuer));
}

#endif
