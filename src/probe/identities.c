// SPDX-License-Identifier: Apache-2.0
// Everybody whom the prober can be; the wrong ones are made on other threads, while it connects.
#include "base/parallel.h"
#include "probe/identities_internal.h"

#include <stdlib.h>
#include <string.h>

// Keys of RSA take the longest, so they are begun with.
static const enum flaw slow[] = {FLAW_rsa_1024, FLAW_md5_signature};
enum { SLOW = sizeof slow / sizeof slow[0] };

static int fill(void *arg, size_t i, struct err *e)
{
    struct identities *ids = arg;
    struct slot made = {.state = SLOT_READY};
    enum flaw flaw = i < (size_t)SLOW * 2 ? slow[i / 2] : (enum flaw)((i - (size_t)SLOW * 2) / 2);
    bool control = i % 2 == 1;
    struct slot *slot = &ids->slots[flaw][control];
    (void)e;
    for (size_t k = 0; i >= (size_t)SLOW * 2 && k < SLOW; k++) {
        if (flaw == slow[k]) {
            return 0;
        }
    }
    pthread_mutex_lock(&ids->lock);
    bool quit = ids->quit;
    pthread_mutex_unlock(&ids->lock);
    if (quit || (flaw_info(flaw)->sides & FLAW_CLIENT) == 0) {
        return 0;
    }
    if (flaw != FLAW_no_certificate && identities_make(ids, flaw, control, &made.identity, &made.why) != 0) {
        made.state = SLOT_ABSENT;
    } else if (flaw == FLAW_no_certificate && control) {
        identity_copy(&made.identity, &ids->good);
    }
    pthread_mutex_lock(&ids->lock);
    *slot = made;
    pthread_cond_broadcast(&ids->changed);
    pthread_mutex_unlock(&ids->lock);
    return 0;
}

static void *fill_all(void *arg)
{
    struct err e = ERR_INIT; // fill() does not fail: each slot has its own error
    (void)parallel_for((size_t)(FLAW_COUNT + SLOW) * 2, fill, NULL, arg, &e);
    return NULL;
}

const struct identity *identities_flaw(struct identities *ids, enum flaw flaw, bool control, const char **why)
{
    struct slot *slot = &ids->slots[flaw][control];
    pthread_mutex_lock(&ids->lock);
    while (slot->state == SLOT_PENDING) {
        pthread_cond_wait(&ids->changed, &ids->lock);
    }
    pthread_mutex_unlock(&ids->lock);
    *why = slot->why;
    return slot->state == SLOT_READY ? &slot->identity : NULL;
}

const struct identity *identities_good(const struct identities *ids)
{
    return &ids->good;
}

struct identities *identities_new(const struct probe_options *options, struct err *e)
{
    struct identities *ids = mem_alloc(sizeof *ids);
    ids->source = &options->source;
    ids->keep = options->keep;
    mbedtls_pk_init(&ids->ca_key);
    flaw_keys_init(&ids->keys);
    pthread_mutex_init(&ids->lock, NULL);
    pthread_cond_init(&ids->changed, NULL);
    if (identities_open(ids, e) != 0) {
        identities_free(ids);
        return NULL;
    }
    ids->minting = pthread_create(&ids->thread, NULL, fill_all, ids) == 0;
    if (!ids->minting) {
        fill_all(ids);
    }
    return ids;
}

void identities_free(struct identities *ids)
{
    if (ids == NULL) {
        return;
    }
    if (ids->minting) {
        pthread_mutex_lock(&ids->lock);
        ids->quit = true;
        pthread_mutex_unlock(&ids->lock);
        pthread_join(ids->thread, NULL);
    }
    for (size_t i = 0; i < FLAW_COUNT; i++) {
        for (size_t k = 0; k < 2; k++) {
            identity_clear(&ids->slots[i][k].identity);
            free(ids->slots[i][k].why);
        }
    }
    for (size_t i = 0; i < ids->ca_count; i++) {
        buf_clear(&ids->ca_ders[i]);
    }
    identity_clear(&ids->good);
    buf_clear(&ids->ca_subject);
    mbedtls_pk_free(&ids->ca_key);
    flaw_keys_clear(&ids->keys);
    trust_snapshot_free(ids->snapshot);
    pthread_mutex_destroy(&ids->lock);
    pthread_cond_destroy(&ids->changed);
    free(ids);
}

struct tls_context *identity_context(const struct identities *ids, const struct identity *identity, unsigned version,
                                     struct err *e)
{
    struct span chain[IDENTITY_CHAIN];
    struct tls_credentials *credentials = NULL;
    for (size_t i = 0; i < identity->count; i++) {
        chain[i] = buf_span(&identity->chain[i]);
    }
    if (identity->count > 0) {
        credentials = tls_credentials_of_memory(chain, identity->count, buf_span(&identity->key), e);
        if (credentials == NULL) {
            return NULL;
        }
    }
    struct tls_settings settings = {.role = TLS_CLIENT,
                                    .versions = version == PROBE_TLS_1_2 ? TLS_1_2_ONLY : TLS_1_3_ONLY,
                                    .credentials = credentials,
                                    .snapshot = ids->snapshot,
                                    .verification = TLS_UNSAFE_NO_JUDGE};
    return tls_context_new(&settings, e);
}
