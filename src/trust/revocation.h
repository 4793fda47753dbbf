// SPDX-License-Identifier: Apache-2.0
// Revocation lists (RFC 5280 sections 5 and 6.3), read once into a compact index: sorted serials, not a linked list.
#ifndef MTLS_TRUST_REVOCATION_H
#define MTLS_TRUST_REVOCATION_H

#include "trust/certificate.h"

struct crl;       // one list
struct crl_store; // all lists of a snapshot, found by issuer

// Reads PEM (several lists) or DER. One pass over the DER, which is then let go: 24 octets of memory an entry stay (32
// for a serial number of more than 20 octets or below zero, and its octets), and the digest of the TBSCertList that the
// signature is over. A list that cannot be read, or has an unknown critical extension (of the list or an entry), is an
// error that names `file` and the list: it is never skipped. The lists before it are then in the store, which still is
// the caller's to free.
int crl_store_read(struct crl_store **store, const char *file, struct span text,
                   struct err *e); // *store may be NULL: a new one
void crl_store_free(struct crl_store *store);
// A list that is in `from` too was signed by whom it was signed there. Either may be NULL. Before `to` is shared.
void crl_store_remember(struct crl_store *to, const struct crl_store *from);
// The first moment after `now` at which a list begins or ends; INT64_MAX: there is none.
int64_t crl_store_next_change(const struct crl_store *store, int64_t now);
size_t crl_store_count(const struct crl_store *store); // lists

// Checks the syntax of a certificate's cRLDistributionPoints when it is read. -1: words in `e`.
int crl_points_syntax(const struct certificate *c, struct err *e);

// A list's signature is checked once for each key, and remembered. The store is shared by threads after reading: that
// memory is atomic.

// How a list's signer is found and judged: called with the list's issuer name (canonical, see name.h), its
// authorityKeyIdentifier, and the certificate that is being checked with its issuer; gives the next candidate whose
// subject is that name, that may sign lists (cRLSign) and whose own path is good, or NULL when there are no more.
// `state` is 0 at first and the callee's to use. Judging a candidate asks for its revocation in turn, perhaps by the
// very list that it signs: the callee counts a certificate as good while it is being judged as a signer already, and
// bounds the depth.
typedef const struct certificate *crl_signer(void *arg, struct span issuer_name, struct span key_id, size_t *state);

struct revocation_question {
    const struct certificate *subject; // is it revoked?
    const struct certificate *issuer;  // the certificate (or anchor) that issued it in this path
    int64_t now;
    crl_signer *signer; // for lists of another issuer (indirect) or of another key of the same one
    void *arg;
};

// Section 6.3.3 over all lists of the store that cover `subject`: complete, partitioned (by type, by reason, by
// distribution point), indirect, delta; all reasons must be covered. REASON_ok: not revoked, and every reason is
// covered by a current, well-signed list. Else cert_revoked (certificateHold counts), crl_missing, crl_stale,
// crl_signature, with words in `why`. A good list beside a stale or badly signed one is enough.
enum reason revocation_check(const struct crl_store *store, const struct revocation_question *q,
                             char why[CERTIFICATE_WHY]);

#endif
