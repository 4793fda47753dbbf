// SPDX-License-Identifier: Apache-2.0
// After a new generation has come, or when time has changed what is valid, a worker has every peer that it serves
// judged again. A few at a time: requests of the others go on in between.
#include "base/clock.h"
#include "server/internal.h"

enum { AT_ONCE = 16 }; // well under a millisecond

static void sweep_end(struct worker *worker)
{
    struct server *server = worker->server;
    uv_idle_stop(&worker->sweeper);
    atomic_fetch_sub(&server->sweeping, 1);
    uv_async_send(&server->report);
}

static void on_idle(uv_idle_t *idle)
{
    struct worker *worker = idle->data;
    int64_t now = clock_now();
    for (int i = 0; i < AT_ONCE && worker->sweep_next != NULL; i++) {
        struct connection *c = worker->sweep_next;
        worker->sweep_next = connection_next(c);
        switch (connection_review(c, now)) {
        case REVIEW_KEPT: worker->kept++; break;
        case REVIEW_CLOSED: worker->closed++; break;
        case REVIEW_NONE: break;
        }
    }
    if (worker->sweep_next == NULL) {
        sweep_end(worker);
    }
}

void sweep_init(struct worker *worker)
{
    worker->sweeper.data = worker;
    uv_idle_init(&worker->loop, &worker->sweeper);
}

void sweep_begin(struct worker *worker, struct generation *generation)
{
    generation_free(worker->generation);
    worker->generation = generation;
    worker->kept = 0;
    worker->closed = 0;
    worker->sweep_next = worker->connections; // whoever comes later stands before these
    uv_idle_start(&worker->sweeper, on_idle);
}

void sweep_forget(struct worker *worker, const struct connection *c)
{
    if (worker->sweep_next == c) {
        worker->sweep_next = connection_next(c);
    }
}
