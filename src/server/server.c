// SPDX-License-Identifier: Apache-2.0
// The control loop: starts the workers, tells them what to do, and waits for their end.
#include "server/server.h"

#include "base/file.h"
#include "base/log.h"
#include "base/print.h"
#include "server/internal.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

static void loop_close(struct server *server)
{
    for (size_t i = 0; i < sizeof server->signals / sizeof server->signals[0]; i++) {
        uv_close((uv_handle_t *)&server->signals[i], NULL);
    }
    control_close(server);
    watch_close(server);
    reload_close(server);
    uv_close((uv_handle_t *)&server->drain, NULL);
    uv_close((uv_handle_t *)&server->report, NULL);
}

static void on_report(uv_async_t *report)
{
    struct server *server = report->data;
    if (atomic_load(&server->workers_running) == 0) {
        loop_close(server);
    } else {
        reload_on_report(server);
    }
}

static void on_drain_over(uv_timer_t *timer)
{
    struct server *server = timer->data;
    unsigned left = atomic_load(&server->connections);
    log_warning("cutting off %u connection%s that did not end in time", left, plural(left));
    workers_order(server, ORDER_END);
}

static void on_stop(uv_signal_t *handle, int number)
{
    struct server *server = handle->data;
    const char *name = number == SIGINT ? "SIGINT" : "SIGTERM";
    unsigned open = atomic_load(&server->connections);
    if (server->order != ORDER_SERVE) {
        log_event("stopping at once: a second %s, %u connection%s open", name, open, plural(open));
        workers_order(server, ORDER_END);
        return;
    }
    log_event("stopping: %s, %u connection%s open", name, open, plural(open));
    uv_timer_start(&server->drain, on_drain_over, server->generation->config->limits.drain_ms, 0);
    workers_order(server, ORDER_DRAIN);
}

static void on_hangup(uv_signal_t *handle, int number)
{
    (void)number;
    reload_ask(handle->data, "SIGHUP");
}

static int loop_open(struct server *server, struct err *e)
{
    static const struct {
        int number;
        uv_signal_cb call;
    } signals[] = {{SIGINT, on_stop}, {SIGTERM, on_stop}, {SIGHUP, on_hangup}};
    signal(SIGPIPE, SIG_IGN);
    int code = uv_async_init(&server->loop, &server->report, on_report);
    if (code != 0) {
        return err_set(e, "starting the event loop: %s", uv_strerror(code));
    }
    server->report.data = server;
    uv_timer_init(&server->loop, &server->drain);
    server->drain.data = server;
    for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++) {
        uv_signal_init(&server->loop, &server->signals[i]);
        server->signals[i].data = server;
        uv_signal_start(&server->signals[i], signals[i].call, signals[i].number);
    }
    server->started = uv_now(&server->loop);
    reload_open(server);
    watch_open(server);
    if (control_open(server, e) != 0) {
        loop_close(server);
        return -1;
    }
    return 0;
}

static int announce(const struct server *server, struct err *e)
{
    const struct worker *first = server->workers;
    unsigned port = listeners_port(server);
    printf("listening on https://%s:%u (", server->generation->config->host, port);
    for (size_t i = 0; i < first->listener_count; i++) {
        printf("%s%s", i > 0 ? ", " : "", first->listeners[i].address);
    }
    printf(")\n");
    fflush(stdout);
    if (server->settings->ready_file == NULL) {
        return 0;
    }
    struct buf text = {0};
    buf_printf(&text, "%u\n", port);
    int rc = file_write(server->settings->ready_file, buf_span(&text), FILE_PUBLIC, e);
    buf_clear(&text);
    return rc;
}

// Starts everything, and serves until all workers have ended.
static int serve(struct server *server, struct err *e)
{
    if (workers_open(server, e) != 0 || admission_prepare(server, e) != 0) {
        return -1;
    }
    int rc = loop_open(server, e);
    if (rc == 0) {
        rc = workers_start(server, e);
        rc = rc == 0 ? announce(server, e) : rc;
        if (rc != 0) {
            workers_order(server, ORDER_END);
        }
        if (atomic_load(&server->workers_running) == 0) { // none was started, so none will report
            loop_close(server);
        }
    }
    uv_run(&server->loop, UV_RUN_DEFAULT); // until every handle is closed
    return rc;
}

int server_run(const struct server_settings *settings, struct err *e)
{
    struct server *server = mem_alloc(sizeof *server);
    int rc = 0;
    server->settings = settings;
    server->generation = generation_new(&settings->source, 1, &server->reload.marks, e);
    if (server->generation == NULL) {
        rc = -1;
    } else if ((rc = uv_loop_init(&server->loop)) != 0) {
        rc = err_set(e, "starting the event loop: %s", uv_strerror(rc));
    } else {
        server->addresses = addresses_new();
        rc = serve(server, e);
        workers_close(server);
        addresses_free(server->addresses);
        uv_loop_close(&server->loop);
    }
    marks_clear(&server->reload.marks);
    generation_free(server->generation);
    free(server);
    return rc;
}
