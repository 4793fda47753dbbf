// SPDX-License-Identifier: Apache-2.0
#include "server/generation.h"

#include <stdlib.h>

struct generation *generation_new(const struct server_source *source, unsigned number, struct marks *marks,
                                  struct err *e)
{
    struct generation *generation = mem_alloc(sizeof *generation);
    struct marks before;
    atomic_init(&generation->references, 1);
    generation->number = number;
    marks_copy(&before, marks);
    generation->config = server_config_read(source, e);
    marks_clear(marks);
    if (generation->config == NULL) {
        *marks = before;
        generation_free(generation);
        return NULL;
    }
    for (size_t i = 0; i < generation->config->file_count; i++) {
        marks_add(marks, generation->config->files[i], &before);
    }
    marks_clear(&before);
    generation->context = server_config_context(generation->config, e);
    if (generation->context == NULL) {
        generation_free(generation);
        return NULL;
    }
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
    tls_context_free(generation->context);
    server_config_free(generation->config);
    free(generation);
}
