// SPDX-License-Identifier: Apache-2.0
// The keys as the threads of a server share them: looked up in a copy's time under a lock, changed behind it.
#include "tls/tickets.h"

#include "base/clock.h"

#include <mbedtls/platform_util.h>
#include <pthread.h>
#include <stdlib.h>

struct tls_tickets {
    char *file; // NULL: keys of this process alone, a new one each day
    int64_t lifetime;
    int references; // atomic
    pthread_mutex_t lock;
    struct ticket_ring ring; // under the lock, and so is rng
    struct rng rng;
};

static int fill(struct tls_tickets *tickets, struct err *e)
{
    if (tickets->file != NULL) {
        return tls_tickets_reload(tickets, e);
    }
    return ticket_ring_make(&tickets->ring, clock_now(), &tickets->rng, e);
}

struct tls_tickets *tls_tickets_new(const struct tls_ticket_settings *settings, struct err *e)
{
    if (settings->lifetime < 0 || settings->lifetime > TICKET_LIFETIME_MOST) {
        err_set(e, "tickets can live for seven days at most (RFC 8446 section 4.6.1)");
        return NULL;
    }
    struct tls_tickets *tickets = mem_alloc(sizeof *tickets);
    tickets->file = mem_strdup(settings->key_file);
    tickets->lifetime = settings->lifetime;
    tickets->references = 1;
    pthread_mutex_init(&tickets->lock, NULL);
    if (rng_init(&tickets->rng, e) != 0 || fill(tickets, e) != 0) {
        tls_tickets_free(tickets);
        return NULL;
    }
    return tickets;
}

struct tls_tickets *tls_tickets_ref(struct tls_tickets *tickets)
{
    if (tickets != NULL) {
        __atomic_add_fetch(&tickets->references, 1, __ATOMIC_RELAXED);
    }
    return tickets;
}

void tls_tickets_free(struct tls_tickets *tickets)
{
    if (tickets == NULL || __atomic_sub_fetch(&tickets->references, 1, __ATOMIC_ACQ_REL) > 0) {
        return;
    }
    rng_clear(&tickets->rng);
    ticket_ring_clear(&tickets->ring);
    pthread_mutex_destroy(&tickets->lock);
    free(tickets->file);
    free(tickets);
}

int tls_tickets_reload(struct tls_tickets *tickets, struct err *e)
{
    struct ticket_ring ring = {.count = 0};
    if (tickets->file == NULL) {
        return 0;
    }
    int rc = ticket_ring_read(&ring, tickets->file, e);
    if (rc == 0) {
        pthread_mutex_lock(&tickets->lock);
        tickets->ring = ring;
        pthread_mutex_unlock(&tickets->lock);
    }
    ticket_ring_clear(&ring);
    return rc;
}

int64_t tickets_lifetime(const struct tls_tickets *tickets)
{
    return tickets == NULL ? 0 : tickets->lifetime;
}

// With the lock. Where no new key can be made, the old one goes on.
static void rotate(struct tls_tickets *tickets, int64_t now)
{
    struct err ignored = ERR_INIT;
    const struct ticket_key *sealing = ticket_ring_sealing(&tickets->ring, now);
    if (sealing == NULL || sealing->from <= now - CLOCK_DAY) {
        ticket_ring_drop(&tickets->ring, tickets->lifetime, now);
        ticket_ring_make(&tickets->ring, now, &tickets->rng, &ignored);
    }
}

static bool copy(const struct ticket_key *found, struct ticket_key *key)
{
    if (found != NULL) {
        *key = *found;
    }
    return found != NULL;
}

bool tickets_sealing(struct tls_tickets *tickets, int64_t now, struct ticket_key *key)
{
    pthread_mutex_lock(&tickets->lock);
    if (tickets->file == NULL) {
        rotate(tickets, now);
    }
    bool found = copy(ticket_ring_sealing(&tickets->ring, now), key);
    pthread_mutex_unlock(&tickets->lock);
    return found;
}

bool tickets_opening(struct tls_tickets *tickets, const uint8_t name[TICKET_KEY_NAME], int64_t now,
                     struct ticket_key *key)
{
    pthread_mutex_lock(&tickets->lock);
    bool found = copy(ticket_ring_opening(&tickets->ring, name, tickets->lifetime, now), key);
    pthread_mutex_unlock(&tickets->lock);
    return found;
}
