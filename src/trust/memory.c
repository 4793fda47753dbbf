// SPDX-License-Identifier: Apache-2.0
// A snapshot's memory of good signatures: "this CA certificate was signed by that key", which cannot become false.
// Whether the certificate is still valid is asked anew each time. Bounded: when it is full, what is new is not
// remembered.
#include "trust/internal.h"

#include <mbedtls/sha256.h>
#include <string.h>

static bool fact_digest(const struct certificate *child, const struct certificate *issuer, uint8_t digest[32])
{
    mbedtls_sha256_context sha;
    mbedtls_sha256_init(&sha);
    bool good = mbedtls_sha256_starts(&sha, 0) == 0 &&
                mbedtls_sha256_update(&sha, child->der.data, child->der.len) == 0 &&
                mbedtls_sha256_update(&sha, issuer->spki.data, issuer->spki.len) == 0 &&
                mbedtls_sha256_finish(&sha, digest) == 0;
    mbedtls_sha256_free(&sha);
    return good;
}

// The slot of a fact, or the empty one where it belongs. The digest is as good as random: its first octets are the
// hash.
static size_t slot_of(const struct signature_memory *memory, const uint8_t digest[32])
{
    size_t i = ((size_t)digest[0] << 8 | digest[1]) % SIGNATURE_MEMORY_SLOTS;
    while (memory->used[i] && memcmp(memory->facts[i], digest, 32) != 0) {
        i = (i + 1) % SIGNATURE_MEMORY_SLOTS;
    }
    return i;
}

bool signature_known(const struct trust_snapshot *snapshot, const struct certificate *child,
                     const struct certificate *issuer)
{
    struct signature_memory *memory = snapshot->memory;
    uint8_t digest[32];
    if (!fact_digest(child, issuer, digest)) {
        return false;
    }
    pthread_mutex_lock(&memory->lock);
    bool known = memory->used[slot_of(memory, digest)];
    pthread_mutex_unlock(&memory->lock);
    return known;
}

void signature_remember(const struct trust_snapshot *snapshot, const struct certificate *child,
                        const struct certificate *issuer)
{
    struct signature_memory *memory = snapshot->memory;
    uint8_t digest[32];
    if (!fact_digest(child, issuer, digest)) {
        return;
    }
    pthread_mutex_lock(&memory->lock);
    size_t i = slot_of(memory, digest);
    if (!memory->used[i] && memory->count < SIGNATURE_MEMORY_SLOTS / 2) { // half empty, so that slot_of always ends
        memory->used[i] = true;
        memory->count++;
        memcpy(memory->facts[i], digest, 32);
    }
    pthread_mutex_unlock(&memory->lock);
}
