// SPDX-License-Identifier: Apache-2.0
// A hash table with a lock, which is held for a few instructions when a connection comes and when it goes.
#include "server/addresses.h"

#include "base/mem.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

enum { SLOTS = 4096 };

struct entry {
    address_key key;
    unsigned count;
    struct entry *next;
};

struct addresses {
    uv_mutex_t lock;
    uint64_t seed; // so that nobody outside knows which addresses share a slot
    struct entry *slots[SLOTS];
};

address_key address_key_of(const struct sockaddr_storage *address)
{
    uint8_t key[8] = {0};
    address_key whole = 0;
    if (address->ss_family == AF_INET6) {
        memcpy(key, &((const struct sockaddr_in6 *)address)->sin6_addr, sizeof key);
    } else { // nobody has an IPv6 address that begins with four zeros
        memcpy(key + 4, &((const struct sockaddr_in *)address)->sin_addr, 4);
    }
    memcpy(&whole, key, sizeof whole);
    return whole;
}

struct addresses *addresses_new(void)
{
    struct addresses *addresses = mem_alloc(sizeof *addresses);
    uv_mutex_init(&addresses->lock);
    uv_random(NULL, NULL, &addresses->seed, sizeof addresses->seed, 0, NULL);
    return addresses;
}

void addresses_free(struct addresses *addresses)
{
    if (addresses == NULL) {
        return;
    }
    for (size_t i = 0; i < SLOTS; i++) {
        for (struct entry *entry = addresses->slots[i], *next = NULL; entry != NULL; entry = next) {
            next = entry->next;
            free(entry);
        }
    }
    uv_mutex_destroy(&addresses->lock);
    free(addresses);
}

static struct entry **entry_find(struct addresses *addresses, address_key key)
{
    uint64_t mixed = (key ^ addresses->seed) * UINT64_C(0x9e3779b97f4a7c15);
    mixed = (mixed ^ mixed >> 32) * UINT64_C(0xd6e8feb86659fd93);
    struct entry **at = &addresses->slots[(mixed >> 32) % SLOTS];
    while (*at != NULL && (*at)->key != key) {
        at = &(*at)->next;
    }
    return at;
}

bool addresses_take(struct addresses *addresses, address_key key, unsigned most)
{
    uv_mutex_lock(&addresses->lock);
    struct entry **at = entry_find(addresses, key);
    bool taken = *at == NULL ? most > 0 : (*at)->count < most;
    if (taken && *at == NULL) {
        *at = mem_alloc(sizeof **at);
        (*at)->key = key;
    }
    if (taken) {
        (*at)->count++;
    }
    uv_mutex_unlock(&addresses->lock);
    return taken;
}

void addresses_give(struct addresses *addresses, address_key key)
{
    uv_mutex_lock(&addresses->lock);
    struct entry **at = entry_find(addresses, key);
    struct entry *entry = *at;
    if (entry != NULL && --entry->count == 0) {
        *at = entry->next;
        free(entry);
    }
    uv_mutex_unlock(&addresses->lock);
}
