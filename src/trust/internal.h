// SPDX-License-Identifier: Apache-2.0
// What the files of this room share.
#ifndef MTLS_TRUST_INTERNAL_H
#define MTLS_TRUST_INTERNAL_H

#include "trust/certificate.h"
#include "trust/policy.h"
#include "trust/revocation.h"
#include "trust/trust.h"

#include <pthread.h>
#include <string.h>

enum {
    SIGNATURE_MEMORY_SLOTS = 2048,
    SIGNATURE_MEMORY_MOST = SIGNATURE_MEMORY_SLOTS / 2, // so that looking for a slot always ends
};
struct signature_memory {
    pthread_mutex_t lock;
    size_t count;
    bool used[SIGNATURE_MEMORY_SLOTS];
    uint8_t facts[SIGNATURE_MEMORY_SLOTS][TRUST_FACT];
};

// Certificates that peers presented and that were part of an accepted path, as they were read: the same ones come
// again, and reading them and hashing them costs as much as all else that a resumption asks of the judge. They count
// only where they are presented, and are judged anew each time. Nothing leaves a memory before the snapshot does; it
// takes so many and no more.
enum { CERTIFICATE_MEMORY_SLOTS = 512, ISSUERS_REMEMBERED = 64, LEAVES_REMEMBERED = 256 };
struct certificate_memory {
    pthread_mutex_t lock; // of those who add
    size_t count;         // atomic
    size_t most;
    struct certificate *slots[CERTIFICATE_MEMORY_SLOTS]; // atomic
};

// The certificates of a snapshot, sorted by their subjects, so that one issuer among thousands is found at once.
struct certificate_list {
    struct certificate **items;
    size_t count, cap;
};
// Those of this (canonical) subject: the first one, borrowed; *count of them.
struct certificate *const *certificates_named(const struct certificate_list *list, struct span subject, size_t *count);

// Nothing in it changes after loading, but for the memories and the reference count.
struct trust_snapshot {
    mbedtls_x509_crt tls_anchors; // the anchors once more, as mbedTLS takes them
    struct certificate_list anchors, intermediates;
    struct crl_store *lists; // NULL: revocation is not checked
    enum trust_revocation revocation;
    unsigned unsafe;
    int depth_most; // -1: no limit
    struct policy_demand policy;
    struct buf policy_oids;    // what `policy` points into
    struct trust_rules *rules; // or NULL
    struct signature_memory *memory;
    struct certificate_memory *issuers, *leaves;
    int references; // atomic
};

// memory.c: the fact that this certificate was signed by this issuer's key, as the digests of both; false: there are
// none.
bool signature_fact(const struct certificate *child, const struct certificate *issuer, uint8_t fact[TRUST_FACT]);
// Is it known of a CA certificate?
bool signature_known(const struct trust_snapshot *snapshot, const uint8_t fact[TRUST_FACT]);
void signature_remember(const struct trust_snapshot *snapshot, const uint8_t fact[TRUST_FACT]);

struct certificate_memory *certificate_memory_new(size_t most);
void certificate_memory_free(struct certificate_memory *memory);
// Borrowed, and shared by all threads; NULL: it is not known.
struct certificate *certificate_known(const struct certificate_memory *memory, struct span der);
bool certificate_memory_has_room(const struct certificate_memory *memory); // perhaps not for long
// True: it is the memory's from now on.
bool certificate_remember(struct certificate_memory *memory, struct certificate *c);

// identity.c
// Without digests, fingerprint and key pin stay empty. NULL: SHA-256 failed.
struct trust_identity *identity_of(const struct certificate *c, bool digests);
struct trust_identity *identity_copy_of(const struct trust_identity *from);
const char *identity_label(const struct trust_identity *identity); // for messages, escaped

// Text for people, escaped, appended to `b`; what cannot be decoded is shown as hexadecimal.
void display_name(struct buf *b, struct span name_der);                         // a Name as RFC 4514 text
void display_attribute_value(struct buf *b, const struct der_item *value);      // without what a Name adds to it
void display_general_name(struct trust_name *out, const struct der_item *name); // out->text is the caller's

#endif
