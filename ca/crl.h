// SPDX-License-Identifier: Apache-2.0
// Certificate revocation lists, version 2 (RFC 5280 section 5), which mbedTLS reads but does not write.
#ifndef MTLS_CA_CRL_H
#define MTLS_CA_CRL_H

#include "base/err.h"
#include "base/mem.h"
#include "base/random.h"
#include "ca/certificate.h"

#include <stdint.h>

// RFC 5280 section 5.3.1. "unspecified" is written by leaving the extension out; 7 is not used.
#define REVOCATION_REASONS(R)                                                                                          \
    R(unspecified, "unspecified", 0)                                                                                   \
    R(key_compromise, "keyCompromise", 1)                                                                              \
    R(ca_compromise, "cACompromise", 2)                                                                                \
    R(affiliation_changed, "affiliationChanged", 3)                                                                    \
    R(superseded, "superseded", 4)                                                                                     \
    R(cessation_of_operation, "cessationOfOperation", 5)                                                               \
    R(certificate_hold, "certificateHold", 6)                                                                          \
    R(remove_from_crl, "removeFromCRL", 8)                                                                             \
    R(privilege_withdrawn, "privilegeWithdrawn", 9)                                                                    \
    R(aa_compromise, "aACompromise", 10)

enum revocation_reason {
#define R(token, name, number) REVOCATION_##token = (number),
    REVOCATION_REASONS(R)
#undef R
};

const char *revocation_reason_name(enum revocation_reason reason);
// By name in any case, "key-compromise" and "key_compromise" too; removeFromCRL is refused (delta lists only).
int revocation_reason_parse(const char *name, enum revocation_reason *reason, struct err *e);

enum { CRL_NO_INVALIDITY_DATE = -1 };

struct crl_entry {
    struct span serial; // content octets of the INTEGER, borrowed
    int64_t revoked_at; // seconds since 1970
    enum revocation_reason reason;
    int64_t invalidity_date; // or CRL_NO_INVALIDITY_DATE (a certificate cannot have been bad before 1970)
};

struct crl_content {
    int64_t this_update;
    int64_t next_update;
    int64_t number; // CRLNumber, positive
    const struct crl_entry *entries;
    size_t count;
};

// Signs a list with issuer->key and appends its DER: version 2, AKI, CRLNumber, entries with reasonCode and
// invalidityDate as due; revokedCertificates is left out when there are none (RFC 5280 section 5.1.2.6). Its cost is
// linear in `count`.
int crl_make(const struct crl_content *content, const struct certificate_issuer *issuer, struct rng *rng,
             struct buf *der, struct err *e);

#endif
