// SPDX-License-Identifier: Apache-2.0
#include "server/server.h"

#include "base/file.h"
#include "server/internal.h"
#include "server/log_lines.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

static void on_signal(uv_signal_t *handle, int number)
{
    struct server *server = handle->data;
    if (server->stopping) {
        return;
    }
    log_line_stopping(number == SIGINT ? "SIGINT" : "SIGTERM", server->connection_count);
    server->stopping = true;
    listeners_close(server);
    connections_stop(server);
    for (size_t i = 0; i < 2; i++) {
        uv_close((uv_handle_t *)&server->signals[i], NULL);
    }
}

static void signals_open(struct server *server)
{
    static const int numbers[2] = {SIGINT, SIGTERM};
    signal(SIGPIPE, SIG_IGN);
    for (size_t i = 0; i < 2; i++) {
        uv_signal_init(&server->loop, &server->signals[i]);
        server->signals[i].data = server;
        uv_signal_start(&server->signals[i], on_signal, numbers[i]);
    }
}

static int announce(const struct server *server, struct err *e)
{
    const struct server_settings *settings = server->settings;
    unsigned port = listeners_port(server);
    char allowed[SERVER_ALLOWED_TEXT];
    printf("listening on https://%s:%u (", settings->config->host, port);
    for (size_t i = 0; i < server->listener_count; i++) {
        printf("%s%s", i > 0 ? ", " : "", server->listeners[i].address);
    }
    printf("); %s\n", server_config_allowed(settings->config, allowed));
    fflush(stdout);
    if (settings->ready_file == NULL) {
        return 0;
    }
    struct buf text = {0};
    buf_printf(&text, "%u\n", port);
    int rc = file_write(settings->ready_file, buf_span(&text), FILE_PUBLIC, e);
    buf_clear(&text);
    return rc;
}

int server_run(const struct server_settings *settings, struct err *e)
{
    struct server *server = mem_alloc(sizeof *server);
    server->settings = settings;
    int code = uv_loop_init(&server->loop);
    if (code != 0) {
        err_set(e, "starting the event loop: %s", uv_strerror(code));
        free(server);
        return -1;
    }
    int rc = listeners_open(server, e);
    if (rc == 0) {
        rc = announce(server, e);
    }
    if (rc == 0) {
        signals_open(server);
    } else {
        listeners_close(server);
    }
    uv_run(&server->loop, UV_RUN_DEFAULT); // until every handle is closed
    uv_loop_close(&server->loop);
    free(server);
    return rc;
}
