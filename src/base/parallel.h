// SPDX-License-Identifier: Apache-2.0
// The same work on many items, by all cores.
#ifndef MTLS_BASE_PARALLEL_H
#define MTLS_BASE_PARALLEL_H

#include "base/err.h"

#include <stddef.h>

// Calls work(arg, i, e) once for each i in [0, count), on as many threads as there are cores (no thread for a single
// item). The first failure stops handing out items and is what comes back in `e`. `progress`, which may be NULL, is
// called with the number done, on the calling thread only, some ten times a second.
typedef int parallel_work(void *arg, size_t i, struct err *e);
typedef void parallel_progress(void *arg, size_t done, size_t count);
int parallel_for(size_t count, parallel_work *work, parallel_progress *progress, void *arg, struct err *e);

#endif
