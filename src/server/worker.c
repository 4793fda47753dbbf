// SPDX-License-Identifier: Apache-2.0
// A worker: one loop, one thread.
#include "server/internal.h"

#include <stdlib.h>

static void obey(struct worker *worker, enum order order)
{
    if (order <= worker->obeyed) {
        return;
    }
    bool listening = worker->obeyed == ORDER_SERVE;
    worker->obeyed = order;
    if (listening) {
        listeners_close(worker);
    }
    if (order == ORDER_DRAIN) {
        connections_drain(worker);
    } else {
        connections_end(worker);
    }
    worker_rest(worker);
}

static void on_wake(uv_async_t *wake)
{
    struct worker *worker = wake->data;
    struct generation *next = atomic_exchange(&worker->inbox, NULL);
    if (next != NULL) {
        sweep_begin(worker, next);
    }
    obey(worker, (enum order)atomic_load(&worker->order));
}

void worker_rest(struct worker *worker)
{
    if (worker->obeyed == ORDER_SERVE || worker->connection_count > 0 || uv_is_closing((uv_handle_t *)&worker->wake)) {
        return;
    }
    uv_close((uv_handle_t *)&worker->wake, NULL);
    uv_close((uv_handle_t *)&worker->sweeper, NULL);
}

static void worker_run(void *arg)
{
    struct worker *worker = arg;
    struct server *server = worker->server;
    uv_run(&worker->loop, UV_RUN_DEFAULT); // until every handle is closed
    atomic_fetch_sub(&server->workers_running, 1);
    uv_async_send(&server->report);
}

static int worker_open(struct worker *worker, struct server *server, struct err *e)
{
    worker->server = server;
    int code = uv_loop_init(&worker->loop);
    if (code != 0) {
        return err_set(e, "starting an event loop: %s", uv_strerror(code));
    }
    code = uv_async_init(&worker->loop, &worker->wake, on_wake);
    if (code != 0) {
        uv_loop_close(&worker->loop);
        return err_set(e, "starting an event loop: %s", uv_strerror(code));
    }
    worker->wake.data = worker;
    sweep_init(worker);
    worker->generation = generation_ref(server->generation);
    server->worker_count++;
    return listeners_open(worker, e);
}

int workers_open(struct server *server, struct err *e)
{
    unsigned wanted = server->generation->config->threads;
    unsigned cores = uv_available_parallelism();
    wanted = wanted > 0 ? wanted : cores > 0 ? cores : 1;
    wanted = wanted < WORKERS_MOST ? wanted : WORKERS_MOST;
    server->workers = mem_array(wanted, sizeof *server->workers);
    for (unsigned i = 0; i < wanted; i++) {
        if (worker_open(&server->workers[i], server, e) != 0) {
            return -1;
        }
    }
    return 0;
}

int workers_start(struct server *server, struct err *e)
{
    for (size_t i = 0; i < server->worker_count; i++) {
        struct worker *worker = &server->workers[i];
        atomic_fetch_add(&server->workers_running, 1);
        int code = uv_thread_create(&worker->thread, worker_run, worker);
        if (code != 0) {
            atomic_fetch_sub(&server->workers_running, 1);
            return err_set(e, "starting a thread: %s", uv_strerror(code));
        }
        worker->started = true;
    }
    return 0;
}

void workers_order(struct server *server, enum order order)
{
    server->order = order;
    for (size_t i = 0; i < server->worker_count; i++) {
        atomic_store(&server->workers[i].order, (int)order);
        uv_async_send(&server->workers[i].wake);
    }
}

void workers_close(struct server *server)
{
    for (size_t i = 0; i < server->worker_count; i++) {
        struct worker *worker = &server->workers[i];
        if (worker->started) {
            uv_thread_join(&worker->thread);
        } else {
            obey(worker, ORDER_END);
            uv_run(&worker->loop, UV_RUN_DEFAULT);
        }
        uv_loop_close(&worker->loop);
        generation_free(atomic_load(&worker->inbox));
        generation_free(worker->generation);
    }
    free(server->workers);
}
