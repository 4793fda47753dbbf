// SPDX-License-Identifier: Apache-2.0
// Who the prober can be: the good one, and everybody who is wrong, read from a PKI or minted while others connect.
#ifndef MTLS_PROBE_IDENTITY_H
#define MTLS_PROBE_IDENTITY_H

#include "base/err.h"
#include "base/mem.h"
#include "ca/flaw.h"
#include "probe/probe.h"
#include "tls/tls.h"

enum { IDENTITY_CHAIN = 16 };

struct identity {
    struct buf chain[IDENTITY_CHAIN]; // DER, the leaf first
    size_t count;                     // 0: nobody
    struct buf key;                   // PEM or DER, as mbedtls_pk_parse_key takes it
};
void identity_clear(struct identity *identity);
// Certificates and key of PEM files; `key` NULL: it is in the first.
int identity_load(const char *certificate, const char *key, struct identity *identity, struct err *e);
void identity_copy(struct identity *to, const struct identity *from);
// Appends what it shows besides who it is: its issuers, extensions and algorithms, not its name, number, dates and key.
// False: the leaf cannot be read.
bool identity_shape(const struct identity *identity, struct buf *shape);

// The files of the authority in a PKI's directory that issued the certificate, for the caller to free. False: it is not
// there, or its key is encrypted and $MTLS_PASSPHRASE is not set.
bool issuer_find(const char *pki, struct span certificate, char **certificates, char **key);

struct identities;
struct identities *identities_new(const struct probe_options *options, struct err *e);
void identities_free(struct identities *ids);

const struct identity *identities_good(const struct identities *ids);
// The wrong one, or its control; waits until it is there. NULL: there is none, *why says why.
const struct identity *identities_flaw(struct identities *ids, enum flaw flaw, bool control, const char **why);
// Are there CAs here to mint others with? The keys of both are the identities'.
bool identities_can_mint(const struct identities *ids);
// Mints a flaw's control, which is to say a good client, that is valid from..to.
int identities_mint(struct identities *ids, int64_t not_before, int64_t not_after, struct identity *identity,
                    struct err *e);

// A client that is this, in one version, and does not judge who answers.
struct tls_context *identity_context(const struct identities *ids, const struct identity *identity, unsigned version,
                                     struct err *e);

#endif
