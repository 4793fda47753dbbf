// SPDX-License-Identifier: Apache-2.0
// One connection: handshake, requests, goodbye. `step` moves it along until the socket has to be waited for.
#include "base/address.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "server/internal.h"
#include "server/pages.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum phase {
    PHASE_HANDSHAKE,
    PHASE_SERVING,
    PHASE_CLOSING, // close_notify is on its way
    PHASE_LINGER,  // all is said: wait until the peer has read it
    PHASE_GONE,
};

struct connection {
    struct server *server;
    struct connection *previous;
    struct connection *next;
    uv_poll_t poll;
    uv_timer_t timer;
    int handles; // that libuv has not closed yet
    int fd;
    struct tls_connection *tls;
    enum phase phase;
    struct http_parser http;
    struct buf in; // received and not parsed yet
    size_t in_used;
    struct buf out; // responses to send
    size_t out_used;
    struct http_stream *stream; // the rest of the response, or NULL
    bool close_after;           // once `out` and `stream` are sent
    char address[ADDRESS_TEXT];
};

static const struct http_limits limits = {.header = 16384, .body = 1024 * 1024};

static void connection_run(struct connection *c);

static void on_handle_closed(uv_handle_t *handle)
{
    struct connection *c = handle->data;
    if (--c->handles > 0) {
        return;
    }
    close(c->fd);
    listeners_resume(c->server);
    free(c);
}

static void connection_end(struct connection *c)
{
    struct connection **from = c->previous != NULL ? &c->previous->next : &c->server->connections;
    *from = c->next;
    if (c->next != NULL) {
        c->next->previous = c->previous;
    }
    c->server->connection_count--;
    tls_connection_free(c->tls);
    http_parser_clear(&c->http);
    http_stream_free(c->stream);
    buf_clear(&c->in);
    buf_clear(&c->out);
    uv_close((uv_handle_t *)&c->poll, on_handle_closed);
    uv_close((uv_handle_t *)&c->timer, on_handle_closed);
}

static void on_deadline(uv_timer_t *timer)
{
    struct connection *c = timer->data;
    if (c->phase == PHASE_HANDSHAKE) {
        log_event("%s refused handshake: it was not complete after %d s", c->address, HANDSHAKE_DEADLINE_MS / 1000);
    }
    if (c->phase == PHASE_SERVING) {
        c->phase = PHASE_CLOSING;
        uv_timer_start(&c->timer, on_deadline, LINGER_DEADLINE_MS, 0); // saying goodbye has its limit too
    } else {
        c->phase = PHASE_GONE;
    }
    connection_run(c);
}

static void deadline(struct connection *c, uint64_t ms)
{
    uv_timer_start(&c->timer, on_deadline, ms, 0);
}

// --- the log: one line a connection ---

static void log_accepted(const struct connection *c, const struct trust_identity *who)
{
    enum { NAMES_SHOWN = 300 };
    struct buf names = {0};
    for (size_t i = 0; i < who->name_count && names.len < NAMES_SHOWN; i++) {
        buf_printf(&names, "%s%s:%.200s", i > 0 ? " " : "", trust_name_word(who->names[i].type), who->names[i].text);
    }
    log_event("%s accepted %.300s (%s) %s %s", c->address, who->subject[0] != '\0' ? who->subject : "(empty subject)",
              names.len > 0 ? (const char *)names.data : "no names", who->tls_version, tls_cipher(c->tls));
    buf_clear(&names);
}

static void log_refused(const struct connection *c)
{
    const struct trust_verdict *verdict = tls_verdict(c->tls);
    int alert = tls_alert_sent(c->tls);
    char sent[64] = "";
    if (alert >= 0) {
        snprintf(sent, sizeof sent, "; alert %s (%d)", alert_name(alert), alert);
    }
    switch (tls_ended_by(c->tls)) {
    case TLS_END_US:
        log_event("%s refused %s depth %d: %s%s", c->address, reason_token(verdict->reason), verdict->depth,
                  verdict->detail, sent);
        break;
    case TLS_END_PEER: log_event("%s left by the peer: %s", c->address, tls_failure(c->tls)); break;
    default: log_event("%s refused handshake: %s%s", c->address, tls_failure(c->tls), sent); break;
    }
}

// --- the steps; each returns what to wait for, or TLS_DONE to go on with the next ---

static enum tls_status step_handshake(struct connection *c)
{
    enum tls_status status = tls_handshake(c->tls);
    if (status == TLS_DONE) {
        log_accepted(c, tls_peer(c->tls));
        c->phase = PHASE_SERVING;
        deadline(c, IDLE_DEADLINE_MS);
    } else if (status == TLS_FAILED) {
        log_refused(c);
        c->phase = PHASE_LINGER;
        deadline(c, LINGER_DEADLINE_MS);
        status = TLS_DONE;
    }
    return status;
}

static enum tls_status send_out(struct connection *c)
{
    while (c->out_used < c->out.len) {
        size_t put = 0;
        enum tls_status status = tls_write(c->tls, c->out.data + c->out_used, c->out.len - c->out_used, &put);
        if (status != TLS_DONE) {
            return status;
        }
        c->out_used += put;
    }
    if (c->out.len > 0) {
        c->out.len = 0;
        c->out_used = 0;
        deadline(c, IDLE_DEADLINE_MS);
    }
    return TLS_DONE;
}

// The next piece of the response, once the one before is sent.
static void stream_on(struct connection *c)
{
    enum http_status status = http_stream_next(c->stream, &c->out);
    if (status != HTTP_MORE) {
        http_stream_free(c->stream);
        c->stream = NULL;
    }
    if (status == HTTP_BAD) { // the end must not look like one (RFC 9112 section 8)
        c->phase = PHASE_GONE;
    }
}

// Parses what was received; a complete request is answered. `who` is there to be handed on: nobody without an identity
// gets an answer.
static void parse_in(struct connection *c, const struct trust_identity *who)
{
    size_t used = 0;
    struct http_response response = {0};
    enum http_status status = http_parse(&c->http, c->in.data + c->in_used, c->in.len - c->in_used, &used);
    c->in_used += used;
    if (c->in_used == c->in.len) {
        c->in.len = 0;
        c->in_used = 0;
    }
    if (status == HTTP_MORE) {
        if (c->http.request.wants_continue) {
            c->http.request.wants_continue = false;
            buf_text(&c->out, "HTTP/1.1 100 Continue\r\n\r\n");
        }
        return;
    }
    if (status == HTTP_COMPLETE) {
        struct visitor visitor = {.who = who,
                                  .cipher = tls_cipher(c->tls),
                                  .address = c->address,
                                  .root = c->server->settings->root,
                                  .now = clock_now()};
        pages_respond(&visitor, &c->http.request, &response);
    } else {
        http_response_plain(&response, c->http.error);
    }
    c->close_after =
        http_write(&c->out, &c->http.request, &response, status == HTTP_BAD || c->server->stopping, clock_now());
    c->stream = response.stream;
    response.stream = NULL;
    http_response_clear(&response);
    if (status == HTTP_COMPLETE) {
        http_parser_next(&c->http);
    }
}

static enum tls_status step_serving(struct connection *c)
{
    enum { READ_SIZE = 16384 };
    const struct trust_identity *who = tls_peer(c->tls);
    if (who == NULL) { // cannot be; and if it were, there would be nobody to serve
        c->phase = PHASE_GONE;
        return TLS_DONE;
    }
    enum tls_status status = send_out(c);
    if (status == TLS_DONE && c->stream != NULL) {
        stream_on(c);
        return TLS_DONE;
    }
    if (status == TLS_DONE && c->out.len == 0) {
        buf_clear(&c->out);
    }
    if (status == TLS_DONE && c->close_after) {
        c->phase = PHASE_CLOSING;
        return TLS_DONE;
    }
    if (status == TLS_DONE && c->in.len == 0) {
        size_t got = 0;
        buf_reserve(&c->in, READ_SIZE);
        status = tls_read(c->tls, c->in.data, READ_SIZE, &got);
        c->in.len = got;
    }
    switch (status) {
    case TLS_DONE: parse_in(c, who); return TLS_DONE;
    case TLS_CLOSED:
    case TLS_EOF: c->phase = PHASE_CLOSING; return TLS_DONE;
    case TLS_FAILED: c->phase = PHASE_GONE; return TLS_DONE;
    default: return status;
    }
}

static enum tls_status step_closing(struct connection *c)
{
    enum tls_status status = tls_close(c->tls);
    if (status != TLS_WANT_WRITE) {
        c->phase = PHASE_LINGER;
        deadline(c, LINGER_DEADLINE_MS);
        status = TLS_DONE;
    }
    return status;
}

// Closing a socket with unread bytes in it makes TCP reset the connection, and the peer may lose the alert or the end
// of the response. So the peer is told that nothing more comes, and what it still sends is thrown away unread.
static enum tls_status step_linger(struct connection *c)
{
    uint8_t discarded[16384];
    shutdown(c->fd, SHUT_WR);
    ssize_t n = recv(c->fd, discarded, sizeof discarded, 0);
    if (n > 0 || (n < 0 && errno == EINTR)) {
        return TLS_DONE; // once more
    }
    if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
        return TLS_WANT_READ;
    }
    c->phase = PHASE_GONE;
    return TLS_DONE;
}

static void on_socket(uv_poll_t *poll, int status, int events)
{
    struct connection *c = poll->data;
    (void)events;
    c->phase = status < 0 ? PHASE_GONE : c->phase;
    connection_run(c);
}

static void connection_run(struct connection *c)
{
    enum { STEPS_AT_ONCE = 64 };
    static enum tls_status (*const steps[])(struct connection *) = {
        [PHASE_HANDSHAKE] = step_handshake,
        [PHASE_SERVING] = step_serving,
        [PHASE_CLOSING] = step_closing,
        [PHASE_LINGER] = step_linger,
    };
    for (int budget = STEPS_AT_ONCE; c->phase != PHASE_GONE; budget--) {
        enum tls_status status = steps[c->phase](c);
        if (status == TLS_WANT_READ || status == TLS_WANT_WRITE) {
            uv_poll_start(&c->poll, status == TLS_WANT_READ ? UV_READABLE : UV_WRITABLE, on_socket);
            return;
        }
        if (budget == 0) { // the others' turn; a socket that can be written to brings us back at once
            uv_poll_start(&c->poll, UV_READABLE | UV_WRITABLE, on_socket);
            return;
        }
    }
    connection_end(c);
}

void connection_accept(struct server *server, int fd, const struct sockaddr_storage *from)
{
    struct err e = ERR_INIT;
    int on = 1;
    struct tls_connection *tls = tls_connection_new(server->settings->context, tls_io_of_socket(fd), NULL, &e);
    if (tls == NULL) {
        log_error(&e);
        close(fd);
        return;
    }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on); // answers are whole when they are sent
    struct connection *c = mem_alloc(sizeof *c);
    c->server = server;
    c->fd = fd;
    c->tls = tls;
    c->handles = 2;
    address_text(from, c->address);
    http_parser_init(&c->http, &limits);
    uv_poll_init(&server->loop, &c->poll, fd);
    uv_timer_init(&server->loop, &c->timer);
    c->poll.data = c;
    c->timer.data = c;
    c->next = server->connections;
    if (c->next != NULL) {
        c->next->previous = c;
    }
    server->connections = c;
    server->connection_count++;
    deadline(c, HANDSHAKE_DEADLINE_MS);
    connection_run(c);
}

// Whoever is served gets a close_notify, everybody else just ends.
void connections_stop(struct server *server)
{
    struct connection *next = NULL;
    for (struct connection *c = server->connections; c != NULL; c = next) {
        next = c->next;
        if (c->phase == PHASE_SERVING) {
            (void)tls_close(c->tls);
        }
        c->phase = PHASE_GONE;
        connection_run(c);
    }
}
