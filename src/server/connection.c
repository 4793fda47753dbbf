// SPDX-License-Identifier: Apache-2.0
// One connection: handshake, requests, goodbye. `step` moves it along until the socket has to be waited for.
#include "base/address.h"
#include "base/clock.h"
#include "base/log.h"
#include "server/internal.h"
#include "server/log_lines.h"
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
    PHASE_CLOSING,  // close_notify is on its way
    PHASE_REFUSING, // the alert is: it was served, and may not be any more
    PHASE_LINGER,   // all is said: wait until the peer has read it
    PHASE_GONE,
};

// What a connection that is served waits for; each has its deadline.
enum wait {
    WAIT_REQUEST,  // the first octet of the next request
    WAIT_HEAD,     // the rest of its head
    WAIT_BODY,     // its body
    WAIT_RESPONSE, // the peer to take the response
};

struct connection {
    struct worker *worker;
    struct connection *previous;
    struct connection *next;
    uv_poll_t poll;
    uv_timer_t timer;
    struct generation *generation; // that the peer was judged by
    uint64_t deadline;             // in the loop's time
    uint64_t expires;              // when the peer's certificate, or one above it, does; in the loop's time
    struct tls_connection *tls;
    struct http_parser *http; // NULL between requests
    struct buf in;            // received while a response was on its way
    size_t in_used;
    struct buf out; // responses to send
    size_t out_used;
    address_key key;
    int fd;
    int handles; // that libuv has not closed yet
    int polled;  // for these events
    enum phase phase;
    enum wait wait;
    struct http_stream *stream; // the rest of the response, or NULL
    bool heard;                 // it has said something
    bool close_after;           // once `out` and `stream` are sent
    bool close_idle;            // as soon as no request is in flight
    uint64_t since;             // it was accepted; clock_monotonic_us
    uint64_t bytes_in, bytes_out, requests;
    char address[ADDRESS_TEXT];
};

static void connection_run(struct connection *c);

// --- the log ---

static struct log_line_connection line_of(const struct connection *c)
{
    return (struct log_line_connection){.address = c->address,
                                        .tls = c->tls,
                                        .duration_ms = (clock_monotonic_us() - c->since) / 1000,
                                        .bytes_in = c->bytes_in,
                                        .bytes_out = c->bytes_out,
                                        .requests = c->requests};
}

static void log_accepted(const struct connection *c)
{
    struct log_line_connection line = line_of(c);
    log_line_accepted(&line);
}

static void log_refused(const struct connection *c)
{
    struct log_line_connection line = line_of(c);
    log_line_refused(&line);
}

static void log_closed(const struct connection *c, const char *why)
{
    struct log_line_connection line = line_of(c);
    log_line_closed(&line, why);
}

static void on_handle_closed(uv_handle_t *handle)
{
    struct connection *c = handle->data;
    struct worker *worker = c->worker;
    if (--c->handles > 0) {
        return;
    }
    close(c->fd);
    admission_give(worker, c->key);
    free(c);
    worker->connection_count--;
    worker_rest(worker);
}

static void http_end(struct connection *c)
{
    if (c->http != NULL) {
        http_parser_clear(c->http);
        free(c->http);
        c->http = NULL;
    }
}

static void connection_end(struct connection *c)
{
    struct connection **from = c->previous != NULL ? &c->previous->next : &c->worker->connections;
    *from = c->next;
    if (c->next != NULL) {
        c->next->previous = c->previous;
    }
    sweep_forget(c->worker, c);
    tls_connection_free(c->tls);
    generation_free(c->generation);
    http_end(c);
    http_stream_free(c->stream);
    buf_clear(&c->in);
    buf_clear(&c->out);
    uv_close((uv_handle_t *)&c->poll, on_handle_closed);
    uv_close((uv_handle_t *)&c->timer, on_handle_closed);
}

// --- deadlines ---

static void on_timer(uv_timer_t *timer);

static const struct server_limits *limits_of(const struct connection *c)
{
    return &c->generation->config->limits;
}

static void timer_set(struct connection *c)
{
    uint64_t now = uv_now(&c->worker->loop);
    uint64_t next = c->deadline < c->expires ? c->deadline : c->expires;
    uv_timer_start(&c->timer, on_timer, next > now ? next - now : 0, 0);
}

static void deadline(struct connection *c, uint64_t ms)
{
    c->deadline = uv_now(&c->worker->loop) + ms;
    timer_set(c);
}

// notAfter is the last second in which a certificate is valid (RFC 5280 section 4.1.2.5).
static void set_expiry(struct connection *c)
{
    enum { DAY_MS = CLOCK_DAY * 1000 }; // it is asked again then
    int64_t until = tls_accepted_until(c->tls);
    c->expires = uv_now(&c->worker->loop) + clock_ms_until(until < INT64_MAX ? until + 1 : until, DAY_MS);
    timer_set(c);
}

static void wait_for(struct connection *c, enum wait wait)
{
    if (wait == WAIT_HEAD && c->wait == WAIT_HEAD) {
        return; // whoever sends it octet by octet gets no more time
    }
    c->wait = wait;
    deadline(c, wait == WAIT_HEAD ? limits_of(c)->header_ms : limits_of(c)->idle_ms);
}

// Saying goodbye has its limit too.
static void begin_closing(struct connection *c, const char *why)
{
    log_closed(c, why);
    c->phase = PHASE_CLOSING;
    deadline(c, LINGER_DEADLINE_MS);
}

// The deadlines of a request; the keys of the configuration, and what was not done in time.
static const struct {
    const char *limit;
    const char *missed;
} waits[] = {
    [WAIT_REQUEST] = {NULL, NULL},
    [WAIT_HEAD] = {"limits.header", "the head of a request was not complete in time"},
    [WAIT_BODY] = {"limits.idle", "the body of a request did not go on"},
    [WAIT_RESPONSE] = {"limits.idle", "a response was not taken"},
};

// Begins to send a response, which is cleared.
static void send_response(struct connection *c, struct http_response *response, bool close)
{
    c->close_after = http_write(&c->out, &c->http->request, response, close, clock_now());
    c->stream = response->stream;
    response->stream = NULL;
    http_response_clear(response);
    wait_for(c, WAIT_RESPONSE);
}

static void on_request_deadline(struct connection *c)
{
    struct http_response response = {0};
    if (c->wait == WAIT_REQUEST) {
        begin_closing(c, "idle");
        return;
    }
    log_line_limit(c->address, waits[c->wait].limit, waits[c->wait].missed);
    if (c->wait == WAIT_RESPONSE) { // there is no telling it anything
        log_closed(c, "late");
        c->phase = PHASE_GONE;
        return;
    }
    http_response_plain(&response, 408); // RFC 9110 section 15.5.9
    send_response(c, &response, true);
}

static void on_deadline(struct connection *c)
{
    if (c->phase == PHASE_SERVING) {
        on_request_deadline(c);
    } else {
        if (c->phase == PHASE_HANDSHAKE) {
            log_line_limit(c->address, "limits.handshake", "the handshake was not complete in time");
        }
        c->phase = PHASE_GONE;
    }
    connection_run(c);
}

static void on_timer(uv_timer_t *timer)
{
    struct connection *c = timer->data;
    uint64_t now = uv_now(timer->loop);
    bool expired = now >= c->expires;
    c->expires = expired ? UINT64_MAX : c->expires;
    if (expired && c->phase == PHASE_SERVING) {
        connection_review(c, clock_now()); // sets the timer, or ends it
    } else if (now >= c->deadline) {
        on_deadline(c);
    } else {
        timer_set(c);
    }
}

// --- the steps; each returns what to wait for, or TLS_DONE to go on with the next ---

// From now on the connection is the worker's generation's, whose judge is asked about the peer.
static bool take_generation(struct connection *c, int64_t now)
{
    struct generation *current = c->worker->generation;
    if (c->generation != current) {
        generation_free(c->generation);
        c->generation = generation_ref(current);
    }
    return tls_judge_again(c->tls, current->context, now);
}

static bool judge_again(struct connection *c, int64_t now)
{
    bool accepted = take_generation(c, now);
    if (accepted) {
        set_expiry(c);
    } else {
        c->phase = PHASE_REFUSING;
        c->expires = UINT64_MAX;
        deadline(c, LINGER_DEADLINE_MS);
    }
    return accepted;
}

static enum tls_status step_handshake(struct connection *c)
{
    enum tls_status status = tls_handshake(c->tls);
    if (status == TLS_DONE) {
        c->phase = PHASE_SERVING;
        wait_for(c, WAIT_REQUEST);
        if (c->generation != c->worker->generation && !judge_again(c, clock_now())) {
            return TLS_DONE; // a reload overtook the handshake
        }
        log_accepted(c);
        set_expiry(c);
    } else if (status == TLS_FAILED) {
        log_refused(c);
        c->phase = PHASE_LINGER;
        deadline(c, LINGER_DEADLINE_MS);
        status = TLS_DONE;
    }
    return status;
}

// The next piece of a response that is sent piece by piece. One that breaks off must not look complete: the connection
// ends without a word (RFC 9112 section 8).
static enum tls_status stream_on(struct connection *c)
{
    enum http_status status = http_stream_next(c->stream, &c->out);
    if (status != HTTP_MORE) {
        http_stream_free(c->stream);
        c->stream = NULL;
    }
    return status == HTTP_BAD ? TLS_FAILED : TLS_DONE;
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
        c->bytes_out += put;
        wait_for(c, c->wait); // each piece that is taken earns time for the next
    }
    c->out.len = 0;
    c->out_used = 0;
    if (c->stream == NULL) {
        buf_clear(&c->out);
        if (c->wait == WAIT_RESPONSE) {
            wait_for(c, WAIT_REQUEST);
        }
    }
    return TLS_DONE;
}

static void respond(struct connection *c, const struct trust_identity *who)
{
    struct http_response response = {0};
    struct visitor visitor = {.who = who,
                              .cipher = tls_cipher(c->tls),
                              .address = c->address,
                              .snapshot = tls_snapshot(c->tls),
                              .root = c->generation->config->root,
                              .now = clock_now()};
    pages_respond(&visitor, &c->http->request, &response);
    send_response(c, &response, c->worker->obeyed != ORDER_SERVE);
    http_parser_next(c->http);
    c->requests++;
}

// Parses what was received, up to the end of a request, which is then answered; how much that was. `who` is there to be
// handed on: nobody without an identity gets an answer.
static size_t parse(struct connection *c, const struct trust_identity *who, struct span received)
{
    size_t used = 0;
    if (c->http == NULL) {
        c->http = mem_alloc(sizeof *c->http);
        http_parser_init(c->http, &(struct http_limits){limits_of(c)->header, limits_of(c)->body});
    }
    enum http_status status = http_parse(c->http, received.data, received.len, &used);
    const struct http_request *request = &c->http->request;
    if (status == HTTP_COMPLETE) {
        respond(c, who);
    } else if (status == HTTP_BAD) {
        struct http_response response = {0};
        http_response_plain(&response, c->http->error);
        send_response(c, &response, true);
    } else {
        wait_for(c, request->head_complete ? WAIT_BODY : WAIT_HEAD);
        if (request->wants_continue) {
            c->http->request.wants_continue = false;
            buf_text(&c->out, "HTTP/1.1 100 Continue\r\n\r\n");
        }
    }
    return used;
}

// Takes what is left over from before, or else what the socket has.
static enum tls_status receive(struct connection *c, const struct trust_identity *who)
{
    uint8_t *scratch = c->worker->scratch;
    size_t got = 0;
    if (c->in.len > 0) {
        c->in_used += parse(c, who, span_of(c->in.data + c->in_used, c->in.len - c->in_used));
        if (c->in_used == c->in.len) {
            buf_clear(&c->in);
            c->in_used = 0;
        }
        return TLS_DONE;
    }
    enum tls_status status = tls_read(c->tls, scratch, SCRATCH_SIZE, &got);
    if (status == TLS_DONE) {
        c->bytes_in += got;
        size_t used = parse(c, who, span_of(scratch, got));
        buf_add(&c->in, scratch + used, got - used);
    }
    return status;
}

// Nothing is in flight. What only a request needs is given back.
static enum tls_status rest(struct connection *c)
{
    http_end(c);
    if (c->close_idle) {
        begin_closing(c, "drained");
        return TLS_DONE;
    }
    return TLS_WANT_READ;
}

static enum tls_status step_serving(struct connection *c)
{
    const struct trust_identity *who = tls_peer(c->tls);
    if (who == NULL) { // cannot be; and if it were, there would be nobody to serve
        c->phase = PHASE_GONE;
        return TLS_DONE;
    }
    enum tls_status status = send_out(c);
    if (status == TLS_DONE && c->stream == NULL && c->close_after) {
        begin_closing(c, "done");
        return TLS_DONE;
    }
    if (status == TLS_DONE && c->stream != NULL) {
        status = stream_on(c);
    } else if (status == TLS_DONE) {
        status = receive(c, who);
        if (status == TLS_WANT_READ && c->wait == WAIT_REQUEST) {
            return rest(c);
        }
    }
    switch (status) {
    case TLS_CLOSED:
    case TLS_EOF: begin_closing(c, "by the peer"); return TLS_DONE;
    case TLS_FAILED:
        log_closed(c, "broken");
        c->phase = PHASE_GONE;
        return TLS_DONE;
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

static enum tls_status step_refusing(struct connection *c)
{
    enum tls_status status = tls_refuse(c->tls);
    if (status != TLS_WANT_WRITE) {
        log_refused(c);
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
    shutdown(c->fd, SHUT_WR);
    ssize_t n = recv(c->fd, c->worker->scratch, SCRATCH_SIZE, 0);
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
    c->heard = true;
    c->phase = status < 0 ? PHASE_GONE : c->phase;
    connection_run(c);
}

static void poll_for(struct connection *c, int events)
{
    if (c->polled != events) {
        c->polled = events;
        uv_poll_start(&c->poll, events, on_socket);
    }
}

static void connection_run(struct connection *c)
{
    enum { STEPS_AT_ONCE = 64 };
    static enum tls_status (*const steps[])(struct connection *) = {
        [PHASE_HANDSHAKE] = step_handshake, [PHASE_SERVING] = step_serving, [PHASE_CLOSING] = step_closing,
        [PHASE_REFUSING] = step_refusing,   [PHASE_LINGER] = step_linger,
    };
    for (int budget = STEPS_AT_ONCE; c->phase != PHASE_GONE; budget--) {
        enum tls_status status = steps[c->phase](c);
        if (status == TLS_WANT_READ || status == TLS_WANT_WRITE) {
            poll_for(c, status == TLS_WANT_READ ? UV_READABLE : UV_WRITABLE);
            return;
        }
        if (budget == 0) { // the others' turn; a socket that can be written to brings us back at once
            poll_for(c, UV_READABLE | UV_WRITABLE);
            return;
        }
    }
    connection_end(c);
}

void connection_accept(struct worker *worker, int fd, const struct sockaddr_storage *from)
{
    struct err e = ERR_INIT;
    int on = 1;
    char address[ADDRESS_TEXT];
    address_key key = address_key_of(from);
    address_text(from, address);
    if (!admission_take(worker, key, address)) {
        close(fd);
        return;
    }
    struct tls_connection *tls = tls_connection_new(worker->generation->context, tls_io_of_socket(fd), NULL, &e);
    if (tls == NULL) {
        log_error(&e);
        close(fd);
        admission_give(worker, key);
        return;
    }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on); // answers are whole when they are sent
    struct connection *c = mem_alloc(sizeof *c);
    c->worker = worker;
    c->generation = generation_ref(worker->generation);
    c->fd = fd;
    c->key = key;
    c->tls = tls;
    c->handles = 2;
    c->since = clock_monotonic_us();
    memcpy(c->address, address, sizeof c->address);
    uv_poll_init(&worker->loop, &c->poll, fd);
    uv_timer_init(&worker->loop, &c->timer);
    c->poll.data = c;
    c->timer.data = c;
    c->next = worker->connections;
    if (c->next != NULL) {
        c->next->previous = c;
    }
    worker->connections = c;
    worker->connection_count++;
    c->expires = UINT64_MAX;
    deadline(c, limits_of(c)->handshake_ms);
    connection_run(c);
}

struct connection *connection_next(const struct connection *c)
{
    return c->next;
}

enum review connection_review(struct connection *c, int64_t now)
{
    if (c->phase == PHASE_HANDSHAKE) {
        take_generation(c, now); // its verdict, when there is one, will be by this generation
    }
    if (c->phase != PHASE_SERVING) {
        return REVIEW_NONE;
    }
    if (judge_again(c, now)) {
        return REVIEW_KEPT;
    }
    connection_run(c);
    return REVIEW_CLOSED;
}

// A peer that has not said a word yet has nothing to lose.
static bool is_silent(const struct connection *c)
{
    uint8_t octet;
    return c->phase == PHASE_HANDSHAKE && !c->heard && recv(c->fd, &octet, 1, MSG_PEEK | MSG_DONTWAIT) <= 0;
}

// Those that are idle end now, the others when their request is answered.
void connections_drain(struct worker *worker)
{
    struct connection *next = NULL;
    for (struct connection *c = worker->connections; c != NULL; c = next) {
        next = c->next;
        if (c->phase == PHASE_SERVING) {
            c->close_idle = true;
            connection_run(c);
        } else if (is_silent(c)) {
            c->phase = PHASE_GONE;
            connection_run(c);
        }
    }
}

// Whoever is served gets a close_notify, everybody else just ends.
void connections_end(struct worker *worker)
{
    struct connection *next = NULL;
    for (struct connection *c = worker->connections; c != NULL; c = next) {
        next = c->next;
        if (c->phase == PHASE_SERVING) {
            log_closed(c, "cut off");
            (void)tls_close(c->tls);
        }
        c->phase = PHASE_GONE;
        connection_run(c);
    }
}
