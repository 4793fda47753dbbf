// SPDX-License-Identifier: Apache-2.0
#include "probe/dial.h"

#include "base/clock.h"
#include "base/text.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void outcome_set(struct outcome *o, enum probe_seen seen, const char *fmt, ...)
{
    va_list ap;
    o->seen = seen;
    va_start(ap, fmt);
    text_vformat(o->detail, sizeof o->detail, fmt, ap);
    va_end(ap);
}

void outcome_enclose(struct outcome *o, const char *before, const char *behind)
{
    enum { SHARE = 140 };
    char *old = mem_strdup(o->detail);
    outcome_set(o, o->seen, "%.40s%.*s%.*s", before, SHARE, old, SHARE, behind);
    free(old);
}

// --- the socket ---

bool dial_wait(int fd, short events, uint64_t deadline)
{
    struct pollfd pfd = {.fd = fd, .events = events};
    for (;;) {
        uint64_t now = clock_monotonic_us();
        int n = poll(&pfd, 1, now >= deadline ? 0 : (int)((deadline - now + 999) / 1000));
        if (n > 0 || (n == 0 && now >= deadline) || (n < 0 && errno != EINTR)) {
            return n > 0;
        }
    }
}

static uint64_t deadline_in(long ms)
{
    return clock_monotonic_us() + (uint64_t)ms * 1000;
}

int dial_socket(const struct dial_target *target, struct outcome *outcome)
{
    int on = 1;
    int failure = 0;
    socklen_t len = sizeof failure;
    int fd = socket(target->address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        outcome_set(outcome, PROBE_DOWN, "there is no socket: %s", strerror(errno));
        outcome->doubtful = true;
        return -1;
    }
    if (connect(fd, (const struct sockaddr *)&target->address, target->address_len) != 0 && errno != EINPROGRESS) {
        failure = errno;
    } else if (!dial_wait(fd, POLLOUT, deadline_in(target->timeout_ms))) {
        failure = ETIMEDOUT;
    } else {
        getsockopt(fd, SOL_SOCKET, SO_ERROR, &failure, &len);
    }
    if (failure != 0) {
        outcome_set(outcome, PROBE_DOWN, "connecting: %s", strerror(failure));
        close(fd);
        return -1;
    }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return fd;
}

// --- the transport, which is counted ---

static long receive_counted(void *arg, uint8_t *data, size_t len)
{
    struct dial *d = arg;
    long n = d->io.receive(d->io.arg, data, len);
    if (n > 0) {
        for (long i = 0; i < n && d->received + (size_t)i < sizeof d->head; i++) {
            d->head[d->received + (size_t)i] = data[i];
        }
        d->received += (size_t)n;
    }
    d->ended = d->ended || n == 0 || n == TLS_IO_ERROR;
    return n;
}

// A target that refuses closes, while we may still be sending: what it has said before, the alert, is yet to be read.
static long send_counted(void *arg, const uint8_t *data, size_t len)
{
    struct dial *d = arg;
    long n = d->io.send(d->io.arg, data, len);
    return n == TLS_IO_ERROR ? (long)len : n;
}

// --- the handshake ---

enum { RECORD_ALERT_TYPE = 21, RECORD_HANDSHAKE_TYPE = 22, SERVER_HELLO_TYPE = 2 };

static bool says_hello(const struct dial *d)
{
    return d->received >= sizeof d->head && d->head[0] == RECORD_HANDSHAKE_TYPE && d->head[5] == SERVER_HELLO_TYPE;
}

// The handshake came to nothing: by whom?
static void explain_handshake(struct dial *d)
{
    struct outcome *o = d->outcome;
    enum tls_ending ending = tls_ended_by(d->tls);
    o->hello = says_hello(d);
    o->alert = tls_alert_received(d->tls);
    if (ending == TLS_END_PEER && o->alert >= 0) {
        outcome_set(o, PROBE_REFUSED, "alert %s (%d) in the handshake%s", alert_name(o->alert), o->alert,
                    o->hello ? "" : ", before its hello");
    } else if (ending == TLS_END_PEER) {
        outcome_set(o, PROBE_REFUSED, "an alert in the handshake that cannot be read");
    } else if (d->received == 0) {
        outcome_set(o, PROBE_DOWN, "the target closed the connection without a word");
    } else if (d->head[0] != RECORD_HANDSHAKE_TYPE && d->head[0] != RECORD_ALERT_TYPE) {
        outcome_set(o, PROBE_DOWN, "the target does not speak TLS");
    } else if (d->ended && o->hello) {
        outcome_set(o, PROBE_REFUSED, "the target closed the connection in the handshake, without an alert");
    } else if (d->ended) {
        outcome_set(o, PROBE_DOWN, "the target closed the connection before its hello");
    } else {
        outcome_set(o, PROBE_NOT_RUN, "this program ended the handshake itself: %s", tls_failure(d->tls));
        o->doubtful = true;
    }
}

static enum tls_status shake_hands(struct dial *d, uint64_t deadline)
{
    enum tls_status status = tls_handshake(d->tls);
    while ((status == TLS_WANT_READ || status == TLS_WANT_WRITE) &&
           dial_wait(d->fd, status == TLS_WANT_READ ? POLLIN : POLLOUT, deadline)) {
        status = tls_handshake(d->tls);
    }
    return status;
}

bool dial_open(struct dial *d, const struct dial_target *target, struct tls_context *context, const char *name,
               struct outcome *outcome)
{
    struct err e = ERR_INIT;
    *outcome = (struct outcome){.seen = PROBE_DOWN, .alert = TLS_ALERT_NONE};
    *d = (struct dial){.target = target, .outcome = outcome, .started = clock_monotonic_us()};
    d->fd = dial_socket(target, outcome);
    if (d->fd < 0) {
        return false;
    }
    struct tls_io io = {.arg = d, .receive = receive_counted, .send = send_counted};
    d->io = tls_io_of_socket(d->fd);
    d->tls = tls_connection_new(context, io, name, &e);
    if (d->tls == NULL) {
        outcome_set(outcome, PROBE_NOT_RUN, "%s", e.text);
        outcome->doubtful = true;
        return false;
    }
    enum tls_status status = shake_hands(d, deadline_in(target->timeout_ms));
    if (status == TLS_FAILED) {
        explain_handshake(d);
    } else if (status != TLS_DONE) {
        outcome->hello = says_hello(d);
        outcome_set(outcome, outcome->hello ? PROBE_SILENT : PROBE_DOWN,
                    "the target said nothing for %ld ms in the handshake", target->timeout_ms);
    } else {
        outcome->hello = outcome->completed = true;
        outcome->proven = strcmp(tls_version(d->tls), "TLSv1.2") == 0; // its Finished was the last message
        d->received_own = d->received;
    }
    return status == TLS_DONE;
}

// --- the answer ---

int http_status(const char *answer, size_t len)
{
    static const char begin[] = "HTTP/1.1 ";
    enum { BEGIN = sizeof begin - 1 };
    for (size_t i = 0; i < BEGIN && i < len; i++) {
        bool minor = i == sizeof "HTTP/1." - 1 && (answer[i] == '0' || answer[i] == '1');
        if (answer[i] != begin[i] && !minor) {
            return 0;
        }
    }
    for (size_t i = BEGIN; i < BEGIN + 3 && i < len; i++) {
        if (answer[i] < '0' || answer[i] > '9') {
            return 0;
        }
    }
    if (len < BEGIN + 3) {
        return -1;
    }
    return (answer[BEGIN] - '0') * 100 + (answer[BEGIN + 1] - '0') * 10 + (answer[BEGIN + 2] - '0');
}

static bool is_refusal(const struct dial_target *target, int status)
{
    for (size_t i = 0; i < target->refused_status_count; i++) {
        if (target->refused_status[i] == status) {
            return true;
        }
    }
    return false;
}

bool answer_judge(const struct dial_target *target, const struct buf *answer, bool whole, struct outcome *o)
{
    const char *expected = target->expect_body;
    int status = http_status((const char *)answer->data, answer->len);
    if (answer->len == 0 || (status < 0 && !whole)) {
        return false;
    }
    o->status = status > 0 ? status : 0;
    if (o->status != 0 && is_refusal(target, o->status)) {
        outcome_set(o, PROBE_REFUSED_HTTP, "HTTP status %d", o->status);
    } else if (expected == NULL || memmem(answer->data, answer->len, expected, strlen(expected)) != NULL) {
        outcome_set(o, PROBE_SERVED, o->status != 0 ? "HTTP status %d" : "an answer that is not HTTP", o->status);
    } else if (whole) {
        outcome_set(o, PROBE_REFUSED_HTTP, "an answer without what --expect-body says (HTTP status %d)", o->status);
    } else {
        return false;
    }
    return true;
}

// The connection ended, or the deadline passed, before anything decided it.
static void explain_ending(struct dial *d, enum tls_status status, long waited)
{
    struct outcome *o = d->outcome;
    o->alert = tls_alert_received(d->tls);
    if (status == TLS_WANT_READ || status == TLS_WANT_WRITE) {
        outcome_set(o, PROBE_SILENT, "the handshake was completed, then the target said nothing for %ld ms", waited);
    } else if (status == TLS_CLOSED) {
        outcome_set(o, PROBE_REFUSED_LATE, "the target closed the connection (close_notify) without an answer");
    } else if (status == TLS_EOF || d->ended) {
        outcome_set(o, PROBE_REFUSED_LATE, "the target closed the connection without an answer");
    } else if (o->alert >= 0) {
        outcome_set(o, PROBE_REFUSED_LATE, "alert %s (%d) instead of an answer", alert_name(o->alert), o->alert);
    } else if (tls_ended_by(d->tls) == TLS_END_PEER) {
        outcome_set(o, PROBE_REFUSED_LATE, "an alert instead of an answer, which cannot be read");
    } else {
        outcome_set(o, PROBE_NOT_RUN, "this program ended the connection itself: %s", tls_failure(d->tls));
        o->doubtful = true;
    }
}

char *request_text(const struct dial_target *t, bool stay)
{
    bool bracketed = strchr(t->name, ':') != NULL;
    return mem_printf("GET %s HTTP/1.1\r\nHost: %s%s%s\r\nUser-Agent: mtls-probe\r\nAccept: */*\r\n%s\r\n", t->path,
                      bracketed ? "[" : "", t->name, bracketed ? "]" : "", stay ? "" : "Connection: close\r\n");
}

static void send_request(struct dial *d, uint64_t deadline, bool stay)
{
    char *request = request_text(d->target, stay);
    size_t len = strlen(request);
    for (size_t sent = 0; sent < len;) {
        size_t put = 0;
        enum tls_status status = tls_write(d->tls, request + sent, len - sent, &put);
        sent += put;
        if (status != TLS_DONE && ((status != TLS_WANT_READ && status != TLS_WANT_WRITE) ||
                                   !dial_wait(d->fd, status == TLS_WANT_READ ? POLLIN : POLLOUT, deadline))) {
            break; // what the target says about it may still be readable
        }
    }
    free(request);
}

// Reads until what has come decides it, or nothing comes before the deadline. The status of the last read.
static enum tls_status read_answer(struct dial *d, struct buf *answer, long *waited)
{
    enum { ANSWER_MOST = 256 * 1024 };
    struct outcome *o = d->outcome;
    uint64_t start = clock_monotonic_us();
    enum tls_status status = TLS_DONE;
    while (answer->len < ANSWER_MOST) {
        char data[16384];
        size_t got = 0;
        status = tls_read(d->tls, data, sizeof data, &got);
        buf_add(answer, data, got);
        if (status == TLS_DONE && answer_judge(d->target, answer, false, o)) {
            break;
        }
        o->proven = o->proven || d->received > d->received_own; // and if it was an alert, the next read says so
        *waited = o->proven && d->target->silence_ms > 0 ? d->target->silence_ms : d->target->timeout_ms;
        if (status != TLS_DONE &&
            ((status != TLS_WANT_READ && status != TLS_WANT_WRITE) ||
             !dial_wait(d->fd, status == TLS_WANT_READ ? POLLIN : POLLOUT, start + (uint64_t)*waited * 1000))) {
            break;
        }
    }
    return status;
}

void dial_ask(struct dial *d, bool stay)
{
    struct buf answer = {0};
    long waited = d->target->timeout_ms;
    char data[1024];
    size_t got = 0;
    // A refusal that is here already would be lost if sending failed.
    enum tls_status status = tls_read(d->tls, data, sizeof data, &got);
    buf_add(&answer, data, got);
    if (status == TLS_DONE || status == TLS_WANT_READ || status == TLS_WANT_WRITE) {
        send_request(d, deadline_in(waited), stay);
        status = read_answer(d, &answer, &waited);
    }
    if (d->outcome->seen == PROBE_DOWN && !answer_judge(d->target, &answer, true, d->outcome)) {
        explain_ending(d, status, waited);
    }
    buf_clear(&answer);
}

bool dial_drain(struct dial *d)
{
    enum { QUIET_MS = 25 };
    char data[4096];
    size_t got = 0;
    enum tls_status status = TLS_DONE;
    do {
        status = tls_read(d->tls, data, sizeof data, &got);
    } while (status == TLS_DONE || (status == TLS_WANT_READ && dial_wait(d->fd, POLLIN, deadline_in(QUIET_MS))));
    *d->outcome =
        (struct outcome){.seen = PROBE_DOWN, .hello = true, .completed = true, .proven = true, .alert = TLS_ALERT_NONE};
    if (status == TLS_WANT_READ || status == TLS_WANT_WRITE) {
        return true;
    }
    explain_ending(d, status, 0);
    return false;
}

void dial_close(struct dial *d)
{
    d->outcome->took_us = clock_monotonic_us() - d->started;
    if (d->tls != NULL) {
        (void)tls_close(d->tls);
        tls_connection_free(d->tls);
        d->tls = NULL;
    }
    if (d->fd >= 0) {
        close(d->fd);
        d->fd = -1;
    }
}
