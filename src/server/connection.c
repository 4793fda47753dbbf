// SPDX-License-Identifier: Apache-2.0
// One connection: handshake, requests, goodbye. A step moves it along until the socket has to be waited for.
#include "server/connection.h"

#include "base/clock.h"
#include "base/log.h"
#include "server/explained.h"
#include "server/log_lines.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

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

static void connection_end(struct connection *c)
{
    struct connection **from = c->previous != NULL ? &c->previous->next : &c->worker->connections;
    *from = c->next;
    if (c->next != NULL) {
        c->next->previous = c->previous;
    }
    sweep_forget(c->worker, c);
    tls_connection_free(c->tls);
    explain_recording_free(c->recording);
    generation_free(c->generation);
    exchange_clear(c);
    uv_close((uv_handle_t *)&c->poll, on_handle_closed);
    uv_close((uv_handle_t *)&c->timer, on_handle_closed);
}

// --- deadlines ---

static void on_timer(uv_timer_t *timer);

static void timer_set(struct connection *c)
{
    uint64_t now = uv_now(&c->worker->loop);
    uint64_t next = c->deadline < c->expires ? c->deadline : c->expires;
    next = next < c->rests ? next : c->rests;
    if (c->alarm == 0 || next < c->alarm) { // going off too early costs less than being set for each request
        uv_timer_start(&c->timer, on_timer, next > now ? next - now : 0, 0);
        c->alarm = next;
    }
}

void connection_deadline(struct connection *c, uint64_t ms)
{
    c->deadline = uv_now(&c->worker->loop) + ms;
    timer_set(c);
}

// Taking memory again for each request would cost more than the request.
void connection_rest_later(struct connection *c)
{
    enum { QUIET_MS = 500 };
    c->rests = uv_now(&c->worker->loop) + QUIET_MS;
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

static void enter(struct connection *c, enum phase phase, uint64_t ms)
{
    c->phase = phase;
    connection_deadline(c, ms);
}

// Saying goodbye has its limit too.
void connection_close(struct connection *c, const char *why)
{
    log_closed(c, why);
    log_release();
    enter(c, PHASE_CLOSING, LINGER_DEADLINE_MS);
}

void connection_drop(struct connection *c, const char *why)
{
    log_closed(c, why);
    c->phase = PHASE_GONE;
}

static void on_deadline(struct connection *c)
{
    if (c->phase == PHASE_SERVING) {
        exchange_late(c);
    } else if (c->phase == PHASE_PARTING) {
        enter(c, PHASE_LINGER, LINGER_DEADLINE_MS);
    } else {
        if (c->phase == PHASE_HANDSHAKE) {
            log_line_limit(c->address, "limits.handshake", "the handshake was not complete in time");
            explained_ended(&c->recording, c->generation->config, c->tls, c->address);
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
    c->alarm = 0;
    if (now >= c->rests) {
        c->rests = UINT64_MAX;
        tls_rest(c->tls);
    }
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
        c->expires = UINT64_MAX;
        enter(c, PHASE_REFUSING, LINGER_DEADLINE_MS);
    }
    return accepted;
}

static enum tls_status step_handshake(struct connection *c)
{
    enum tls_status status = tls_handshake(c->tls);
    if (status == TLS_DONE) {
        c->phase = PHASE_SERVING;
        exchange_wait(c, WAIT_REQUEST);
        explained_accepted(&c->recording, c->generation->config, c->tls, c->address);
        if (c->generation != c->worker->generation && !judge_again(c, clock_now())) {
            return TLS_DONE; // a reload overtook the handshake
        }
        log_accepted(c);
        set_expiry(c);
    } else if (status == TLS_FAILED) {
        log_refused(c);
        explained_refused(&c->recording, c->generation->config, c->tls, c->address);
        enter(c, PHASE_PARTING, PARTING_DEADLINE_MS);
        status = TLS_DONE;
    }
    return status;
}

// RFC 9112 section 9.6: a client that says "close" sends no further request; whoever closes, nothing at all. If it has
// kept to that so far, TCP resets nothing, and what was sent arrives.
static bool ends_at_once(const struct connection *c)
{
    int unread = 0;
    return c->heard_out && ioctl(c->fd, FIONREAD, &unread) == 0 && unread == 0;
}

static enum tls_status step_closing(struct connection *c)
{
    enum tls_status status = tls_close(c->tls);
    if (status == TLS_DONE && ends_at_once(c)) {
        c->phase = PHASE_GONE;
    } else if (status != TLS_WANT_WRITE) {
        enter(c, PHASE_LINGER, LINGER_DEADLINE_MS);
        status = TLS_DONE;
    }
    return status;
}

static enum tls_status step_refusing(struct connection *c)
{
    enum tls_status status = tls_refuse(c->tls);
    if (status != TLS_WANT_WRITE) {
        log_refused(c);
        enter(c, PHASE_PARTING, PARTING_DEADLINE_MS);
        status = TLS_DONE;
    }
    return status;
}

// Closing a socket with unread bytes in it makes TCP reset the connection, and the peer may lose the alert or the end
// of the response. So what it still sends is thrown away unread, until it closes too.
// After an alert that is all, at first (PHASE_PARTING): Chromium does not read one that comes behind the handshake if
// it sees the end of the connection together with it.
static enum tls_status discard(struct connection *c)
{
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

static enum tls_status step_linger(struct connection *c)
{
    if (!c->shut) {
        shutdown(c->fd, SHUT_WR); // nothing more comes
        c->shut = true;
        return TLS_WANT_READ; // and the peer has not seen that yet
    }
    return discard(c);
}

static void on_socket(uv_poll_t *poll, int status, int events)
{
    struct connection *c = poll->data;
    (void)events;
    c->heard = true;
    if (status < 0) { // the socket's error is for whoever reads or writes next, to be told like any other
        c->polled = 0;
    }
    connection_run(c);
}

static void poll_for(struct connection *c, int events)
{
    if (c->polled != events) {
        c->polled = events;
        uv_poll_start(&c->poll, events, on_socket);
    }
}

static void move_on(struct connection *c)
{
    enum { STEPS_AT_ONCE = 64 };
    static enum tls_status (*const steps[])(struct connection *) = {
        [PHASE_HANDSHAKE] = step_handshake, [PHASE_SERVING] = exchange_step, [PHASE_CLOSING] = step_closing,
        [PHASE_REFUSING] = step_refusing,   [PHASE_PARTING] = discard,       [PHASE_LINGER] = step_linger,
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

// One who came for one answer has two lines in the log, which go there together.
static void connection_run(struct connection *c)
{
    log_hold();
    move_on(c);
    log_release();
}

void connection_accept(struct worker *worker, int fd, const struct sockaddr_storage *from)
{
    struct err e = ERR_INIT;
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
    struct connection *c = mem_alloc(sizeof *c);
    c->worker = worker;
    c->generation = generation_ref(worker->generation);
    c->fd = fd;
    c->key = key;
    c->tls = tls;
    c->recording = explained_begin(c->generation->config, tls, worker->connection_count);
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
    c->rests = UINT64_MAX;
    connection_deadline(c, worker->generation->config->limits.handshake_ms);
    poll_for(c, UV_READABLE); // it speaks first
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

// Those that are idle end now, the others when their request is answered. Whoever came only to ask something may.
void connections_drain(struct worker *worker)
{
    struct connection *next = NULL;
    for (struct connection *c = worker->connections; c != NULL; c = next) {
        next = c->next;
        if (c->phase == PHASE_SERVING && c->wait == WAIT_REQUEST && c->requests == 0) {
            exchange_wait(c, WAIT_REQUEST);
        } else if (c->phase == PHASE_SERVING) {
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
            (void)tls_close(c->tls);
            connection_drop(c, "cut off");
        }
        c->phase = PHASE_GONE;
        connection_run(c);
    }
}
