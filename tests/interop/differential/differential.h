// SPDX-License-Identifier: Apache-2.0
// Chains that are mostly good, with something changed, judged by us, by OpenSSL and by GnuTLS. What we disagree about
// must be in docs/verification-differences.md.
#ifndef MTLS_TESTS_INTEROP_DIFFERENTIAL_H
#define MTLS_TESTS_INTEROP_DIFFERENTIAL_H

#include "base/random.h"
#include "ca/certificate.h"
#include "tests/temporary.h"
#include "trust/trust.h"

#include <stdbool.h>

enum { PARTS_MOST = 4, CHAIN_MOST = 8, LISTS_MOST = 5, NOW = 1768000000, DAY = 86400 };
enum { KEY_ROOT, KEY_CA, KEY_SUB_CA = KEY_CA + PARTS_MOST, KEY_LEAF, KEY_FOREIGN, KEYS };
#define ROOT_NAME "CN=diff root,O=Diff"

// Everything is drawn from one seed, so that a case can be made again by its number.
struct dice {
    uint64_t state;
};
unsigned roll(struct dice *dice, unsigned sides); // 0 to sides - 1
#define COUNT(a) (sizeof(a) / sizeof(a)[0])
#define PICK(dice, list) ((list)[roll(dice, COUNT(list))])

struct part { // one certificate; parts[0] is the leaf, its issuer parts[1], and above the last one is the root
    struct certificate_content content;
    uint8_t serial[24];
    size_t serial_len;
    char *issuer; // RFC 4514
    int key, signer;
    mbedtls_md_type_t digest;
    struct buf der;
};

struct list {
    int issuer; // index of the part that publishes it; part_count: the root
    int key;
    int64_t this_update, next_update;
    int revokes; // index of a part, or -1
    struct buf der;
};

struct question {
    struct part parts[PARTS_MOST];
    size_t part_count;
    struct list lists[LISTS_MOST];
    size_t list_count;
    int order[CHAIN_MOST]; // of the chain that is presented, as indexes of parts; -1: the foreign root
    size_t order_count;
    enum trust_purpose purpose;
    const char *name;
    struct buf what; // the changes, in words
};

struct world {
    struct rng rng;
    mbedtls_pk_context keys[KEYS];
    struct buf root, foreign_root; // DER
    char dir[TEMPORARY_PATH];
};

int world_make(struct world *world, const char *seed, struct err *e);
void world_clear(struct world *world);

// make.c: draws a question, with 0 to 3 changes, and makes its certificates and lists.
int question_make(struct world *world, struct dice *dice, struct question *q, struct err *e);
void question_clear(struct question *q);
void change_content(struct question *q, struct dice *dice); // change.c: before they are made
int change_der(struct world *world, struct question *q, struct part *part, struct dice *dice,
               struct err *e); // change_der.c: after

// Another judge. False: it refuses, and says so in `words`.
enum { PEER_WORDS = 200 };
typedef bool peer_judge(const struct world *world, const struct question *q, char words[PEER_WORDS]);
peer_judge openssl_judge; // openssl.c
peer_judge gnutls_judge;  // gnutls.c

size_t question_chain(const struct world *world, const struct question *q, struct span chain[CHAIN_MOST]);

#endif
