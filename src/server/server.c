// SPDX-License-Identifier: Apache-2.0
// The control loop: starts the workers, tells them what to do, and waits for their end.
#include "server/server.h"

#include "base/file.h"
#include "base/log.h"
#include "base/print.h"
#include "server/internal.h"
#include "server/log_lines.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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
        log_line_stopping("at once, asked again", open);
        workers_order(server, ORDER_END);
        return;
    }
    log_line_stopping(name, open);
    uv_timer_start(&server->drain, on_drain_over, server->generation->config->limits.drain_ms, 0);
    workers_order(server, ORDER_DRAIN);
}

static void on_hangup(uv_signal_t *handle, int number)
{
    (void)number;
    reload_ask(handle->data);
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

void server_generation_began(struct server *server)
{
    const struct server_config *config = server->generation->config;
    log_format_set(config->log);
    log_line_unsafe(config);
}

static int announce(const struct server *server, struct err *e)
{
    const struct server_config *config = server->generation->config;
    const struct worker *first = server->workers;
    unsigned port = listeners_port(server);
    char allowed[SERVER_ALLOWED_TEXT];
    struct buf addresses = {0};
    for (size_t i = 0; i < first->listener_count; i++) {
        buf_printf(&addresses, "%s%s", i > 0 ? ", " : "", first->listeners[i].address);
    }
    printf("listening on https://%s:%u (%s); %s\n", config->host, port, (const char *)addresses.data,
           server_config_allowed(config, allowed));
    fflush(stdout);
    log_line_listening(config, (const char *)addresses.data);
    buf_clear(&addresses);
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

// Reads everything for the first time.
static int prepare(struct server *server, struct err *e)
{
    const struct server_source *source = &server->settings->source;
    struct marks *marks = &server->reload.marks;
    if (source->file != NULL) {
        marks_add(marks, source->file, NULL);
    }
    server->original = server_config_read(source, e);
    if (server->original == NULL) {
        return -1;
    }
    server->tickets = tls_tickets_new(&server->original->tickets, e);
    if (server->tickets == NULL) {
        return -1;
    }
    server->generation = generation_new(source, server->tickets, NULL, marks, e);
    if (server->generation == NULL) {
        return -1;
    }
    server_generation_began(server);
    return 0;
}

static int run(struct server *server, struct err *e)
{
    int code = uv_loop_init(&server->loop);
    if (code != 0) {
        return err_set(e, "starting the event loop: %s", uv_strerror(code));
    }
    server->addresses = addresses_new();
    int rc = serve(server, e);
    workers_close(server);
    addresses_free(server->addresses);
    uv_loop_close(&server->loop);
    return rc;
}

int server_run(const struct server_settings *settings, struct err *e)
{
    struct server *server = mem_alloc(sizeof *server);
    server->settings = settings;
    int rc = prepare(server, e);
    rc = rc == 0 ? run(server, e) : rc;
    marks_clear(&server->reload.marks);
    generation_free(server->generation);
    tls_tickets_free(server->tickets);
    server_config_free(server->original);
    free(server);
    return rc;
}
