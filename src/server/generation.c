// SPDX-License-Identifier: Apache-2.0
#include "server/generation.h"

#include <stdlib.h>

static struct server_config *read_config(const struct server_source *source, struct marks *marks, struct err *e)
{
    struct marks before;
    marks_copy(&before, marks);
    struct server_config *config = server_config_read(source, e);
    marks_clear(marks);
    if (config == NULL) {
        *marks = before;
        return NULL;
    }
    for (size_t i = 0; i < config->file_count; i++) {
        marks_add(marks, config->files[i], &before);
    }
    marks_clear(&before);
    return config;
}

struct generation *generation_new(const struct server_source *source, struct tls_tickets *tickets,
                                  const struct generation *previous, struct marks *marks, struct err *e)
{
    const struct trust_snapshot *known = previous != NULL ? tls_context_snapshot(previous->context) : NULL;
    struct server_config *config = read_config(source, marks, e);
    struct tls_context *context = NULL;
    if (config != NULL && tls_tickets_reload(tickets, e) == 0) {
        context = server_config_context(config, tickets, known, e);
    }
    if (context == NULL) {
        server_config_free(config);
        return NULL;
    }
    struct generation *generation = mem_alloc(sizeof *generation);
    atomic_init(&generation->references, 1);
    generation->number = previous != NULL ? previous->number + 1 : 1;
    generation->config = config;
    generation->context = context;
    return generation;
}

struct generation *generation_ref(struct generation *generation)
{
    atomic_fetch_add_explicit(&generation->references, 1, memory_order_relaxed);
    return generation;
}

void generation_free(struct generation *generation)
{
    if (generation == NULL || atomic_fetch_sub_explicit(&generation->references, 1, memory_order_acq_rel) > 1) {
        return;
    }
    tls_context_retire(generation->context); // connections of old keep it
    tls_context_free(generation->context);
    server_config_free(generation->config);
    free(generation);
}
