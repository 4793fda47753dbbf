// SPDX-License-Identifier: Apache-2.0
// From one generation to the next, on the control loop: build it beside the old one (on libuv's thread pool), hand it
// to the workers, wait until each has judged its peers again. What asks meanwhile gets another round.
#include "base/clock.h"
#include "base/log.h"
#include "base/print.h"
#include "server/internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void round_begin(struct server *server);
static void timer_set(struct server *server);

static void round_end(struct server *server)
{
    struct reload *reload = &server->reload;
    reload->state = RELOAD_IDLE;
    control_reloaded(server);
    if (server->order == ORDER_SERVE && (reload->again != NULL || marks_differ(&reload->marks))) {
        reload->cause = reload->again != NULL ? reload->again : RELOAD_CHANGE;
        reload->again = NULL;
        round_begin(server);
    }
}

static void sweep(struct server *server)
{
    server->reload.state = RELOAD_SWEEPING;
    atomic_store(&server->sweeping, (unsigned)server->worker_count);
    for (size_t i = 0; i < server->worker_count; i++) {
        atomic_store(&server->workers[i].inbox, generation_ref(server->generation));
        uv_async_send(&server->workers[i].wake);
    }
}

void reload_on_report(struct server *server)
{
    struct reload *reload = &server->reload;
    if (reload->state != RELOAD_SWEEPING || atomic_load(&server->sweeping) > 0) {
        return;
    }
    reload->kept = 0;
    reload->closed = 0;
    for (size_t i = 0; i < server->worker_count; i++) {
        reload->kept += server->workers[i].kept;
        reload->closed += server->workers[i].closed;
    }
    if (reload->cause != NULL || reload->closed > 0) { // the passing of time alone is no news
        log_event("generation %u (%s): %zu connection%s kept, %zu closed", server->generation->number,
                  reload->cause != NULL ? reload->cause : "the time has come", reload->kept, plural(reload->kept),
                  reload->closed);
    }
    round_end(server);
}

// --- building ---

static void on_build(uv_work_t *work)
{
    struct reload *reload = work->data;
    reload->built = generation_new(reload->source, reload->number, &reload->marks, &reload->error);
}

static void on_built(uv_work_t *work, int status)
{
    struct reload *reload = work->data;
    struct server *server = reload->server;
    (void)status;
    if (server->order != ORDER_SERVE) {
        generation_free(reload->built);
        reload->built = NULL;
        err_set(&reload->error, "the server is stopping");
        round_end(server);
        return;
    }
    watch_update(server);
    if (reload->built == NULL) {
        log_warning("NOT reloaded (%s), generation %u stays: %s", reload->cause, server->generation->number,
                    reload->error.text);
        round_end(server);
        return;
    }
    generation_free(server->generation);
    server->generation = reload->built;
    reload->built = NULL;
    timer_set(server);
    sweep(server);
}

static void round_begin(struct server *server)
{
    struct reload *reload = &server->reload;
    reload->state = RELOAD_BUILDING;
    reload->round++;
    reload->source = &server->settings->source;
    reload->number = server->generation->number + 1;
    err_clear(&reload->error);
    reload->work.data = reload;
    uv_queue_work(&server->loop, &reload->work, on_build, on_built);
}

unsigned reload_ask(struct server *server, const char *cause)
{
    struct reload *reload = &server->reload;
    if (server->order != ORDER_SERVE) {
        return reload->round;
    }
    if (reload->state != RELOAD_IDLE) {
        reload->again = cause;
        return reload->round + 1;
    }
    reload->cause = cause;
    round_begin(server);
    return reload->round;
}

// --- time: what is valid changes without anybody changing a file ---

static int64_t offset_of_clocks(void)
{
    return clock_now() - (int64_t)(clock_monotonic_us() / 1000000);
}

static void on_timer(uv_timer_t *timer)
{
    enum { JUMP = 2 }; // seconds
    struct server *server = timer->data;
    struct reload *reload = &server->reload;
    int64_t moved = offset_of_clocks() - reload->clock_offset;
    bool due = moved >= JUMP || moved <= -JUMP || clock_now() >= reload->next_change;
    if (server->order != ORDER_SERVE) {
        return;
    }
    if (due && reload->state != RELOAD_IDLE) {
        uv_timer_start(timer, on_timer, 1000, 0); // the sweep that is on may have begun too early
        return;
    }
    if (due) {
        reload->cause = NULL;
        reload->round++;
        sweep(server);
    }
    timer_set(server);
}

static void timer_set(struct server *server)
{
    enum { LONGEST_MS = 60000 }; // a clock may have been set
    struct reload *reload = &server->reload;
    reload->clock_offset = offset_of_clocks();
    reload->next_change = INT64_MAX;
    uv_timer_start(&reload->timer, on_timer, clock_ms_until(reload->next_change, LONGEST_MS), 0);
}

void reload_open(struct server *server)
{
    struct reload *reload = &server->reload;
    reload->server = server;
    uv_timer_init(&server->loop, &reload->timer);
    reload->timer.data = server;
    timer_set(server);
}

void reload_close(struct server *server)
{
    uv_close((uv_handle_t *)&server->reload.timer, NULL);
}
