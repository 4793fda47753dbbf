// SPDX-License-Identifier: Apache-2.0
// From one generation to the next, on the control loop: build it beside the old one (on libuv's thread pool), hand it
// to the workers, wait until each has judged its peers again. What asks meanwhile gets another round.
#include "base/clock.h"
#include "server/internal.h"
#include "server/log_lines.h"

static void round_begin(struct server *server);
static void timer_set(struct server *server, int64_t now);

static void round_end(struct server *server)
{
    struct reload *reload = &server->reload;
    reload->state = RELOAD_IDLE;
    control_reloaded(server);
    if (server->order == ORDER_SERVE && (reload->again || marks_differ(&reload->marks))) {
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
    if (!reload->by_time) { // else the refusals say it
        struct buf fixed = {0};
        buf_text(&fixed, "");
        server_config_fixed_changes(server->original, server->generation->config, &fixed);
        log_line_reloaded(server->generation->number, reload->kept + reload->closed, reload->closed,
                          (const char *)fixed.data);
        buf_clear(&fixed);
    }
    round_end(server);
}

// --- building ---

static void on_build(uv_work_t *work)
{
    struct reload *reload = work->data;
    struct server *server = reload->server;
    struct server_source source = server->settings->source;
    source.problems = NULL; // the error has them
    reload->built = generation_new(&source, server->tickets, reload->previous, &reload->marks, &reload->error);
}

static void on_built(uv_work_t *work, int status)
{
    struct reload *reload = work->data;
    struct server *server = reload->server;
    struct generation *built = reload->built;
    (void)status;
    generation_free(reload->previous);
    reload->built = NULL;
    if (server->order != ORDER_SERVE) {
        generation_free(built);
        reload->state = RELOAD_IDLE;
        return;
    }
    watch_update(server);
    if (built == NULL) {
        log_line_reload_failed(server->generation->number, &reload->error);
        round_end(server);
        return;
    }
    generation_free(server->generation);
    server->generation = built;
    server_generation_began(server);
    timer_set(server, clock_now());
    sweep(server);
}

static void round_begin(struct server *server)
{
    struct reload *reload = &server->reload;
    reload->state = RELOAD_BUILDING;
    reload->round++;
    reload->again = false;
    reload->by_time = false;
    reload->previous = generation_ref(server->generation);
    err_clear(&reload->error);
    reload->work.data = reload;
    uv_queue_work(&server->loop, &reload->work, on_build, on_built);
}

unsigned reload_ask(struct server *server)
{
    struct reload *reload = &server->reload;
    if (server->order != ORDER_SERVE) {
        return reload->round;
    }
    if (reload->state != RELOAD_IDLE) {
        reload->again = true;
        return reload->round + 1;
    }
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
    int64_t now = clock_now(); // once: what becomes invalid between two looks at the clock would be missed
    int64_t moved = offset_of_clocks() - reload->clock_offset;
    bool due = moved >= JUMP || moved <= -JUMP || now >= reload->next_change;
    if (server->order != ORDER_SERVE) {
        return;
    }
    if (due && reload->state != RELOAD_IDLE) {
        uv_timer_start(timer, on_timer, 1000, 0); // the sweep that is on may have begun too early
        return;
    }
    if (due) {
        reload->by_time = true;
        reload->round++;
        sweep(server);
    }
    timer_set(server, now);
}

static void timer_set(struct server *server, int64_t now)
{
    enum { LONGEST_MS = 5000 }; // somebody may have set the clock
    struct reload *reload = &server->reload;
    reload->clock_offset = offset_of_clocks();
    reload->next_change = trust_snapshot_next_change(tls_context_snapshot(server->generation->context), now);
    uv_timer_start(&reload->timer, on_timer, clock_ms_until(reload->next_change, LONGEST_MS), 0);
}

void reload_open(struct server *server)
{
    struct reload *reload = &server->reload;
    reload->server = server;
    uv_timer_init(&server->loop, &reload->timer);
    reload->timer.data = server;
    timer_set(server, clock_now());
}

void reload_close(struct server *server)
{
    uv_close((uv_handle_t *)&server->reload.timer, NULL);
}
