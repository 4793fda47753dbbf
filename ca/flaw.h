// SPDX-License-Identifier: Apache-2.0
// Certificates that are wrong on purpose: the table of flaw.def and the generator. Exactly one thing is wrong with
// each, and its control, made the same way without the flaw, is good.
#ifndef MTLS_CA_FLAW_H
#define MTLS_CA_FLAW_H

#include "base/reason.h"
#include "ca/certificate.h"
#include "ca/db.h"

#include <pthread.h>

enum flaw_side { FLAW_CLIENT = 1, FLAW_SERVER = 2, FLAW_BOTH = 3 }; // who presents it; flags

enum flaw {
#define FLAW(token, sides, what, reason, rfc) FLAW_##token,
#include "ca/flaw.def"
#undef FLAW
    FLAW_COUNT
};

struct flaw_info {
    const char *token;
    enum flaw_side sides;
    const char *what;
    enum reason reason; // what a correct judge must say
    const char *rfc;    // "RFC 5280 section 4.1.2.5"
};
const struct flaw_info *flaw_info(enum flaw flaw);
bool flaw_find(const char *token, enum flaw *flaw);

// What the flaws are made under: one root and one issuing CA below it (or the root itself), borrowed.
struct flaw_ca {
    struct span der;
    struct certificate_issuer issuer;
};
// An RSA key takes longer to make than all the rest. Those who make several flaws may let them share two: one for CAs,
// and another for leaves, whose keys end in files.
struct flaw_keys {
    pthread_mutex_t lock;
    mbedtls_pk_context authority; // MBEDTLS_PK_NONE until one is needed
    mbedtls_pk_context leaf;
};
void flaw_keys_init(struct flaw_keys *keys);
void flaw_keys_clear(struct flaw_keys *keys);

struct flaw_setting {
    const struct flaw_ca *root;
    const struct flaw_ca *issuing;
    const struct general_names *hosts; // subjectAltName of server-side certificates
    int64_t now;
    int64_t lifetime;       // seconds, of what has no reason to be shorter
    const char *seed;       // NULL: random
    const char *comment;    // for certificate_content, or NULL
    const char *prefix;     // before the common names, so that whoever meets one knows what it is; NULL: nothing
    struct flaw_keys *keys; // borrowed; NULL: every flaw makes its own
};

// Who signed a part: one of the PKI's CAs, another part of the same flaw (its index), or nobody it keeps (itself, or a
// stranger).
enum { FLAW_ISSUER_ROOT = -1, FLAW_ISSUER_ISSUING = -2, FLAW_ISSUER_NONE = -3 };

struct flaw_part {    // one certificate that had to be made
    const char *part; // "leaf", "issuer", "root", ...: static text
    struct buf der;
    int issuer;                    // FLAW_ISSUER_* or an index into parts, always a smaller one than its own
    bool revoke;                   // must be revoked by its issuer, one of the PKI's CAs
    int64_t not_before, not_after; // as in der, whose own times may be malformed on purpose
    struct buf crl;                // the list that this part as a CA publishes; empty: none
    int64_t crl_number, crl_this_update, crl_next_update;
};

struct flaw_made {
    struct flaw_part parts[6];
    size_t count;
    int leaf;            // index of the certificate that is presented, -1: none (no_certificate)
    struct buf leaf_der; // what is presented, byte for byte (trailing garbage, damaged signature and all)
    struct buf chain[6]; // what is sent after it
    size_t chain_len;
    mbedtls_pk_context key; // what the handshake is signed with; MBEDTLS_PK_NONE when there is none
};

// Makes a flaw (or, with `control`, its good twin) for one side. Safe to call on many threads at once.
int flaw_make(const struct flaw_setting *setting, enum flaw flaw, enum flaw_side side, bool control,
              struct flaw_made *made, struct err *e);
void flaw_made_clear(struct flaw_made *made);

#endif
