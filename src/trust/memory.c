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

struct certificate_memory *certificate_memory_new(size_t most)
{
    struct certificate_memory *memory = mem_alloc(sizeof *memory);
    memory->most = most < CERTIFICATE_MEMORY_SLOTS / 2 ? most : CERTIFICATE_MEMORY_SLOTS / 2;
    pthread_mutex_init(&memory->lock, NULL);
    return memory;
}

void certificate_memory_free(struct certificate_memory *memory)
{
    for (size_t i = 0; i < CERTIFICATE_MEMORY_SLOTS; i++) {
        certificate_free(memory->slots[i]);
    }
    pthread_mutex_destroy(&memory->lock);
    free(memory);
}

// The slot of a certificate, or the empty one where it belongs. It ends with the last octets of its signature, which
// are the hash; half of the slots stay empty.
static size_t certificate_slot(const struct certificate_memory *memory, struct span der)
{
    size_t i = der.len < 2 ? 0 : ((size_t)der.data[der.len - 1] << 8 | der.data[der.len - 2]);
    for (i %= CERTIFICATE_MEMORY_SLOTS;; i = (i + 1) % CERTIFICATE_MEMORY_SLOTS) {
        const struct certificate *c = __atomic_load_n(&memory->slots[i], __ATOMIC_ACQUIRE);
        if (c == NULL || spans_equal(buf_span(&c->der), der)) {
            return i;
        }
    }
}

// Without the lock: what is in a slot stays there.
struct certificate *certificate_known(const struct certificate_memory *memory, struct span der)
{
    return __atomic_load_n(&memory->slots[certificate_slot(memory, der)], __ATOMIC_ACQUIRE);
}

bool certificate_memory_has_room(const struct certificate_memory *memory)
{
    return __atomic_load_n(&memory->count, __ATOMIC_RELAXED) < memory->most;
}

bool certificate_remember(struct certificate_memory *memory, struct certificate *c)
{
    pthread_mutex_lock(&memory->lock);
    size_t i = certificate_slot(memory, buf_span(&c->der));
    bool room = memory->slots[i] == NULL && memory->count < memory->most;
    if (room) {
        __atomic_store_n(&memory->count, memory->count + 1, __ATOMIC_RELAXED);
        __atomic_store_n(&memory->slots[i], c, __ATOMIC_RELEASE);
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
