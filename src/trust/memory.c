// SPDX-License-Identifier: Apache-2.0
// A snapshot's memory of good signatures: "this CA certificate was signed by that key", which cannot become false.
// Whether the certificate is still valid is asked anew each time. Bounded: when it is full, what is new is not
// remembered.
#include "trust/internal.h"

#include <stdlib.h>
#include <string.h>

bool signature_fact(const struct certificate *child, const struct certificate *issuer, uint8_t fact[TRUST_FACT])
{
    memcpy(fact, child->digest, CERTIFICATE_DIGEST);
    memcpy(fact + CERTIFICATE_DIGEST, issuer->key_pin, CERTIFICATE_DIGEST);
    return child->digested && issuer->digested;
}

// The slot of a fact, or the empty one where it belongs. The first digest is as good as random: its first octets are
// the hash.
static size_t slot_of(const struct signature_memory *memory, const uint8_t fact[TRUST_FACT])
{
    size_t i = ((size_t)fact[0] << 8 | fact[1]) % SIGNATURE_MEMORY_SLOTS;
    while (memory->used[i] && memcmp(memory->facts[i], fact, TRUST_FACT) != 0) {
        i = (i + 1) % SIGNATURE_MEMORY_SLOTS;
    }
    return i;
}

bool signature_known(const struct trust_snapshot *snapshot, const uint8_t fact[TRUST_FACT])
{
    struct signature_memory *memory = snapshot->memory;
    pthread_mutex_lock(&memory->lock);
    bool known = memory->used[slot_of(memory, fact)];
    pthread_mutex_unlock(&memory->lock);
    return known;
}

void signature_remember(const struct trust_snapshot *snapshot, const uint8_t fact[TRUST_FACT])
{
    struct signature_memory *memory = snapshot->memory;
    pthread_mutex_lock(&memory->lock);
    size_t i = slot_of(memory, fact);
    if (!memory->used[i] && memory->count < SIGNATURE_MEMORY_MOST) {
        memory->used[i] = true;
        memory->count++;
        memcpy(memory->facts[i], fact, TRUST_FACT);
    }
    pthread_mutex_unlock(&memory->lock);
}

// The same few CAs' certificates come with each leaf. Only the writers have the lock: what is in the list stays there.
struct certificate *issuer_known(const struct trust_snapshot *snapshot, struct span der)
{
    struct issuer_memory *memory = snapshot->issuers;
    size_t count = __atomic_load_n(&memory->count, __ATOMIC_ACQUIRE);
    for (size_t i = 0; i < count; i++) {
        if (spans_equal(buf_span(&memory->items[i]->der), der)) {
            return memory->items[i];
        }
    }
    return NULL;
}

void issuers_free(struct issuer_memory *memory)
{
    for (size_t i = 0; i < memory->count; i++) {
        certificate_free(memory->items[i]);
    }
    pthread_mutex_destroy(&memory->lock);
    free(memory);
}

bool issuer_remember(const struct trust_snapshot *snapshot, struct certificate *c)
{
    struct issuer_memory *memory = snapshot->issuers;
    pthread_mutex_lock(&memory->lock);
    bool room = memory->count < ISSUER_MEMORY_MOST && issuer_known(snapshot, buf_span(&c->der)) == NULL;
    if (room) {
        memory->items[memory->count] = c;
        __atomic_store_n(&memory->count, memory->count + 1, __ATOMIC_RELEASE);
    }
    pthread_mutex_unlock(&memory->lock);
    return room;
}

// A full memory is left behind: what is in use today will be learned again, and what is not must not block it for ever.
void trust_snapshot_remember(struct trust_snapshot *to, const struct trust_snapshot *from)
{
    struct signature_memory *memory = from->memory;
    pthread_mutex_lock(&memory->lock);
    for (size_t i = 0; memory->count < SIGNATURE_MEMORY_MOST && i < SIGNATURE_MEMORY_SLOTS; i++) {
        if (memory->used[i]) {
            signature_remember(to, memory->facts[i]);
        }
    }
    pthread_mutex_unlock(&memory->lock);
    crl_store_remember(to->lists, from->lists);
}
