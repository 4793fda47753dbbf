// SPDX-License-Identifier: Apache-2.0
// One CA, its certificates, and scenes of lists that they are held against.
#ifndef MTLS_TESTS_UNIT_REVOCATION_FIXTURE_H
#define MTLS_TESTS_UNIT_REVOCATION_FIXTURE_H

#include "crl_fixture.h"
#include "trust/revocation.h"

enum { CERTIFICATE_USAGE = MBEDTLS_X509_KU_KEY_CERT_SIGN, BOTH = CERTIFICATE_USAGE | MBEDTLS_X509_KU_CRL_SIGN };
enum { LEAF = 0x1234, SUB = 0x5678 };
enum { HOLD = 6, REMOVED = 8 };

#define ALPHA "CN=Alpha,O=Acme"
#define BETA "CN=Beta,O=Acme"

static struct authority alpha;     // issues the certificates
static struct authority alpha_new; // the same name, another key
static struct authority beta;      // signs indirect lists
static struct certificate *leaf;
static struct certificate *sub; // a CA certificate

// One case: lists, the distribution points of the certificate, the signers that can be found.
struct scene {
    struct crl_store *store;
    const struct certificate *signers[4];
    struct buf points;
    int64_t now;
};

static inline int setup(void **state)
{
    (void)state;
    authority_begin(&alpha, ALPHA, BOTH);
    authority_begin(&alpha_new, ALPHA, BOTH);
    authority_begin(&beta, BETA, BOTH);
    leaf = certificate_issue(&alpha, "CN=leaf", LEAF, &beta.key, false, MBEDTLS_X509_KU_DIGITAL_SIGNATURE);
    sub = certificate_issue(&alpha, "CN=sub", SUB, &beta.key, true, BOTH);
    return 0;
}

static inline int teardown(void **state)
{
    (void)state;
    certificate_free(leaf);
    certificate_free(sub);
    authority_end(&alpha);
    authority_end(&alpha_new);
    authority_end(&beta);
    return 0;
}

static inline const struct certificate *find_signer(void *arg, struct span issuer_name, struct span key_id,
                                                    size_t *state)
{
    const struct scene *s = arg;
    (void)issuer_name; // whoever asks looks at the name again
    (void)key_id;
    return *state < 4 ? s->signers[(*state)++] : NULL;
}

static inline void load(struct scene *s, struct draft d)
{
    struct err e = ERR_INIT;
    struct buf der = {0};
    draft_sign(&d, &der);
    assert_works(crl_store_read(&s->store, "test.crl", buf_span(&der), &e), &e);
    buf_clear(&der);
}

static inline void point(struct scene *s, struct buf *fields)
{
    der_wrap(&s->points, SEQUENCE, buf_span(fields));
    buf_clear(fields);
}

static inline void expect(struct scene *s, struct certificate *c, enum reason reason, const char *why)
{
    char said[CERTIFICATE_WHY];
    c->crl_points = buf_span(&s->points);
    struct revocation_question q = {.subject = c,
                                    .issuer = alpha.certificate,
                                    .now = s->now != 0 ? s->now : june_2026 + CLOCK_DAY,
                                    .signer = find_signer,
                                    .arg = s};
    enum reason found = revocation_check(s->store, &q, said);
    c->crl_points = span_of(NULL, 0);
    assert_string_equal(said, why);
    assert_string_equal(reason_token(found), reason_token(reason));
}

static inline void end(struct scene *s)
{
    crl_store_free(s->store);
    buf_clear(&s->points);
    *s = (struct scene){0};
}

#define GOOD REASON_ok, ""
#define LISTED(name, why) REASON_cert_revoked, "it is on the list of " name " (" why ")"
#define NOT_FOR_IT REASON_crl_missing, "none of the lists of its issuer is for it"
#define NO_LIST REASON_crl_missing, "no list of its issuer is loaded"
#define REASONS_OPEN REASON_crl_missing, "the lists that are loaded do not cover every reason for revoking it"
#define UNSIGNED(name) REASON_crl_signature, "the list of " name " is not signed by a key that may sign it"
// The words show the name as display_name does: the last RDN first
#define A "CN=Alpha,O=Acme"
#define B "CN=Beta,O=Acme"

#endif
