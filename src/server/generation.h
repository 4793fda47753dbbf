// SPDX-License-Identifier: Apache-2.0
// One reading of the configuration and of every file that it names. Nothing in it changes after it was made, so
// threads share it without a lock; whoever needs it holds a reference. A reload makes the next one.
#ifndef MTLS_SERVER_GENERATION_H
#define MTLS_SERVER_GENERATION_H

#include "server/config.h"
#include "server/marks.h"

#include <stdatomic.h>

struct generation {
    atomic_int references;
    unsigned number; // 1, 2, ...
    struct tls_context *context;
    struct server_config *config;
};

// Reads everything. `tickets` is shared by all generations; `previous`, which may be NULL, gives what its snapshot
// knows of signatures. `marks` has the files of the time before, and gets those of this time, as they were before they
// were read; also if that fails.
struct generation *generation_new(const struct server_source *source, struct tls_tickets *tickets,
                                  const struct generation *previous, struct marks *marks, struct err *e);
struct generation *generation_ref(struct generation *generation); // from any thread
void generation_free(struct generation *generation);              // drops one reference, from any thread

#endif
