// SPDX-License-Identifier: Apache-2.0
// The control socket: `mtls reload` asks, the server answers in JSON. Whoever can open the socket may ask; that is the
// user that the server runs as, and root.
#include "base/log.h"
#include "server/control_path.h"
#include "server/internal.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { CLIENTS_MOST = 16, QUESTION_MOST = 32 };

struct control_client {
    uv_pipe_t pipe;
    uv_write_t write;
    struct server *server;
    struct control_client *next;
    char question[QUESTION_MOST];
    size_t len;
    bool asked;
    unsigned round; // of reloading that it waits for; 0: none
    char *answer;
};

static void on_client_closed(uv_handle_t *handle)
{
    struct control_client *client = handle->data;
    free(client->answer);
    free(client);
}

static void client_end(struct control_client *client)
{
    struct control *control = &client->server->control;
    struct control_client **at = &control->clients;
    while (*at != NULL && *at != client) {
        at = &(*at)->next;
    }
    if (*at == client) {
        *at = client->next;
        control->client_count--;
        uv_close((uv_handle_t *)&client->pipe, on_client_closed);
    }
}

static void on_answered(uv_write_t *write, int status)
{
    (void)status;
    client_end(write->data);
}

// Takes over `json`.
static void answer(struct control_client *client, json_t *json)
{
    char *text = json_dumps(json, JSON_PRESERVE_ORDER);
    client->answer = mem_printf("%s\n", text);
    free(text);
    json_decref(json);
    uv_buf_t buf = uv_buf_init(client->answer, (unsigned)strlen(client->answer));
    client->write.data = client;
    if (uv_write(&client->write, (uv_stream_t *)&client->pipe, &buf, 1, on_answered) != 0) {
        client_end(client);
    }
}

// --- questions ---

static json_t *failure(const char *why)
{
    json_t *text = json_string(why);
    return json_pack("{s:o}", "error", text != NULL ? text : json_string("unknown")); // not UTF-8
}

static void question_status(struct control_client *client)
{
    struct server *server = client->server;
    const struct err *error = &server->reload.error;
    bool failed = server->reload.state != RELOAD_BUILDING && err_is_set(error);
    uint64_t uptime = (uv_now(&server->loop) - server->started) / 1000;
    answer(client, json_pack("{s:i, s:i, s:I, s:i, s:s?}", "generation", (int)server->generation->number, "connections",
                             (int)atomic_load(&server->connections), "uptime", (json_int_t)uptime, "workers",
                             (int)server->worker_count, "failed", failed ? error->text : NULL));
}

static void question_reload(struct control_client *client)
{
    if (client->server->order != ORDER_SERVE) {
        answer(client, failure("the server is stopping"));
        return;
    }
    client->round = reload_ask(client->server);
}

static const struct {
    const char *text;
    void (*call)(struct control_client *client);
} questions[] = {
    {"status", question_status},
    {"reload", question_reload},
};

static void on_question(struct control_client *client)
{
    client->asked = true;
    for (size_t i = 0; i < sizeof questions / sizeof questions[0]; i++) {
        if (strcmp(client->question, questions[i].text) == 0) {
            questions[i].call(client);
            return;
        }
    }
    answer(client, failure("the question is not known"));
}

void control_reloaded(struct server *server)
{
    const struct reload *reload = &server->reload;
    struct control_client *next = NULL;
    for (struct control_client *client = server->control.clients; client != NULL; client = next) {
        next = client->next;
        if (client->round == 0 || client->round > reload->round) {
            continue;
        }
        client->round = 0;
        if (err_is_set(&reload->error)) {
            answer(client, failure(reload->error.text));
        } else {
            answer(client, json_pack("{s:i, s:i, s:i}", "generation", (int)server->generation->number, "kept",
                                     (int)reload->kept, "closed", (int)reload->closed));
        }
    }
}

// --- connections ---

static void on_room(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
    struct control_client *client = handle->data;
    (void)suggested;
    *buf = uv_buf_init(client->question + client->len, (unsigned)(QUESTION_MOST - 1 - client->len));
}

static void on_octets(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
    struct control_client *client = stream->data;
    (void)buf;
    if (n < 0) { // it went away, or filled the question
        client_end(client);
        return;
    }
    client->len += (size_t)n;
    client->question[client->len] = '\0';
    char *end = strchr(client->question, '\n');
    if (end != NULL && !client->asked) {
        *end = '\0';
        on_question(client);
    }
}

static void on_client(uv_stream_t *stream, int status)
{
    struct server *server = stream->data;
    struct control *control = &server->control;
    if (status != 0) {
        return;
    }
    struct control_client *client = mem_alloc(sizeof *client);
    client->server = server;
    uv_pipe_init(&server->loop, &client->pipe, 0);
    client->pipe.data = client;
    client->next = control->clients;
    control->clients = client;
    control->client_count++;
    if (uv_accept(stream, (uv_stream_t *)&client->pipe) != 0 || control->client_count > CLIENTS_MOST ||
        uv_read_start((uv_stream_t *)&client->pipe, on_room, on_octets) != 0) {
        client_end(client);
    }
}

// --- the socket ---

// Removes what a server left that was killed; a socket at which somebody answers is an error.
static int remove_stale(const char *path, struct err *e)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct stat st;
    if (strlen(path) >= sizeof address.sun_path) {
        return err_set(e, "control socket %s: the path is too long for a socket", path);
    }
    if (lstat(path, &st) != 0) {
        return errno == ENOENT ? 0 : err_errno(e, "control socket %s", path);
    }
    if (!S_ISSOCK(st.st_mode)) {
        return err_set(e, "control socket %s: there is a file of that name", path);
    }
    memcpy(address.sun_path, path, strlen(path) + 1);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        return err_errno(e, "control socket %s", path);
    }
    bool alive = connect(fd, (struct sockaddr *)&address, sizeof address) == 0 || errno != ECONNREFUSED;
    close(fd);
    if (alive) {
        return err_set(e, "control socket %s: another server answers there", path);
    }
    return unlink(path) == 0 ? 0 : err_errno(e, "control socket %s", path);
}

static int listen_at(struct server *server, const char *path, struct err *e)
{
    struct control *control = &server->control;
    if (remove_stale(path, e) != 0) {
        return -1;
    }
    mode_t mask = umask(0177); // the socket is 0600 from the start
    int code = uv_pipe_bind(&control->listener, path);
    umask(mask);
    if (code == 0) {
        code = uv_listen((uv_stream_t *)&control->listener, CLIENTS_MOST, on_client);
    }
    return code == 0 ? 0 : err_set(e, "control socket %s: %s", path, uv_strerror(code));
}

int control_open(struct server *server, struct err *e)
{
    struct control *control = &server->control;
    const char *configured = server->generation->config->control;
    struct err missing = ERR_INIT;
    uv_pipe_init(&server->loop, &control->listener, 0);
    control->listener.data = server;
    if (configured != NULL) {
        return listen_at(server, configured, e);
    }
    char *path = control_path(listeners_port(server), true, &missing);
    if (path == NULL) { // such a machine is served all the same; SIGHUP and changed files reload
        log_warning("no control socket, mtls reload will not work: %s", missing.text);
        return 0;
    }
    int rc = listen_at(server, path, e);
    free(path);
    return rc;
}

void control_close(struct server *server)
{
    struct control *control = &server->control;
    while (control->clients != NULL) {
        client_end(control->clients);
    }
    uv_close((uv_handle_t *)&control->listener, NULL); // removes the socket's file too
}
