// SPDX-License-Identifier: Apache-2.0
// One connection after the other: connect, handshake, requests and answers.
#include "tests/bench/load.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PAUSE_AFTER_FAILURE = 100, ECHO_MOST = 100000, SLOW_READER_BUFFER = 4096 };

// --- closing ---

static void slot_free(struct load *l, struct slot *s)
{
    SSL_free(s->tls);
    s->tls = NULL;
    if (s->fd >= 0) {
        close(s->fd);
        l->open--;
    }
    s->fd = -1;
    s->state = SLOT_CLOSED;
    s->sent = 0;
    buf_clear(&s->out);
    answer_reset(&s->answer);
}

static bool may_begin(const struct load *l, const struct slot *s)
{
    if (l->stopping || (s->mode == MODE_IDLE && s->turn > 0)) {
        return false;
    }
    return l->count == 0 || l->counts[s->mode].begun < (uint64_t)l->count;
}

void slot_close(struct load *l, struct slot *s, int64_t pause_ms)
{
    if (s->mode == MODE_IDLE && s->established) {
        l->idle_open--;
    }
    if (s->tls != NULL && s->established) {
        SSL_shutdown(s->tls); // says goodbye, and does not wait
    }
    slot_free(l, s);
    s->established = false;
    s->wake_ms = load_ms() + pause_ms;
    if (pause_ms == 0 && may_begin(l, s)) {
        slot_open(l, s);
    }
}

// --- opening ---

static void pick_identity(struct load *l, struct slot *s)
{
    if (s->mode == MODE_BAD) {
        s->who = identities_next(&l->bad);
        // so that each certificate is tried in each version
        s->version = l->versions[(l->bad.next - 1) / l->bad.count % (size_t)l->version_count];
    } else {
        s->who = identities_next(&l->good);
        s->version = l->versions[s->turn % (unsigned)l->version_count];
    }
}

static int slot_connect(struct load *l, struct slot *s)
{
    const int on = 1;
    const int small = SLOW_READER_BUFFER;
    struct sockaddr_in from = {.sin_family = AF_INET};
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)l->port)};
    struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, .data.ptr = s};
    from.sin_addr.s_addr = htonl(INADDR_LOOPBACK + s->number % l->addresses);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    s->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (s->fd < 0) {
        return -1;
    }
    l->open++;
    if (s->mode == MODE_SLOW) {
        setsockopt(s->fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    }
    setsockopt(s->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (l->addresses > 1) { // without a port of their own: four numbers make a connection, not two
        setsockopt(s->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
        if (bind(s->fd, (const struct sockaddr *)&from, sizeof from) != 0) {
            return -1;
        }
    }
    if (connect(s->fd, (const struct sockaddr *)&to, sizeof to) != 0 && errno != EINPROGRESS) {
        return -1;
    }
    return epoll_ctl(l->poll, EPOLL_CTL_ADD, s->fd, &event);
}

void slot_open(struct load *l, struct slot *s)
{
    if (!may_begin(l, s)) {
        return;
    }
    pick_identity(l, s);
    s->turn++;
    l->counts[s->mode].begun++;
    s->requests = 0;
    s->offered = false;
    s->alert[0] = '\0';
    s->deadline_ms = load_ms() + (attack_is(s->mode) ? l->patience_ms : l->timeout_ms);
    s->wake_ms = INT64_MAX;
    s->state = SLOT_CONNECTING;
    if (slot_connect(l, s) != 0) {
        judge_count(l, s, COUNT_not_connected);
        slot_close(l, s, PAUSE_AFTER_FAILURE);
    }
}

SSL *slot_tls(struct load *l, struct slot *s)
{
    const int version = s->version == VERSION_1_2 ? TLS1_2_VERSION : TLS1_3_VERSION;
    SSL *tls = SSL_new(l->tls);
    SSL_set_app_data(tls, s);
    SSL_set_connect_state(tls);
    SSL_set_min_proto_version(tls, version);
    SSL_set_max_proto_version(tls, version);
    SSL_set_tlsext_host_name(tls, l->host);
    SSL_set1_host(tls, l->host);
    if (identity_use(s->who, tls) != 0) {
        load_die("OpenSSL does not take %s: %s", s->who->name, ERR_reason_error_string(ERR_get_error()));
    }
    if (s->mode == MODE_RESUMED && s->who->sessions[s->version] != NULL) {
        SSL_SESSION *copy = SSL_SESSION_dup(s->who->sessions[s->version]); // a refusal must not make us forget it
        s->offered = SSL_set_session(tls, copy) == 1;
        SSL_SESSION_free(copy);
    }
    return tls;
}

void slot_handshake_done(struct load *l, struct slot *s)
{
    judge_count(l, s, COUNT_handshakes);
    if (SSL_session_reused(s->tls)) {
        judge_count(l, s, COUNT_resumed);
    } else if (s->offered) {
        judge_count(l, s, COUNT_not_resumed);
    }
}

// --- requests ---

static void request_echo(struct load *l, struct slot *s)
{
    size_t len = (size_t)load_random(l, ECHO_MOST);
    buf_printf(&s->out, "POST /echo HTTP/1.1\r\nHost: %s\r\nContent-Length: %zu\r\n\r\n", l->host, len);
    size_t head = s->out.len;
    buf_reserve(&s->out, len);
    for (size_t i = 0; i < len; i++) {
        s->out.data[head + i] = (uint8_t)load_random(l, 256);
    }
    s->out.len += len;
    s->answer.expected = span_of(s->out.data + head, len);
}

void slot_request(struct load *l, struct slot *s)
{
    bool closes = s->mode == MODE_FULL || s->mode == MODE_RESUMED || s->mode == MODE_BAD;
    const char *path = s->mode == MODE_DOWNLOAD ? l->download : l->path;
    buf_clear(&s->out);
    answer_reset(&s->answer);
    s->sent = 0;
    if (s->mode == MODE_ECHO) {
        request_echo(l, s);
    } else {
        buf_printf(&s->out, "GET %s HTTP/1.1\r\nHost: %s\r\n%s\r\n", path, l->host,
                   closes ? "Connection: close\r\n" : "");
    }
    if (s->mode == MODE_DOWNLOAD) {
        s->answer.expected = buf_span(&l->file);
    }
    s->requests++;
    s->asked_ms = load_wall_us() / 1000;
    s->state = SLOT_TALKING;
}

static void note_error(struct slot *s)
{
    unsigned long code = ERR_peek_error();
    if (s->alert[0] == '\0' && code != 0) {
        const char *why = ERR_reason_error_string(code);
        snprintf(s->alert, sizeof s->alert, "(ours) %s", why != NULL ? why : "?");
    }
    ERR_clear_error();
}

static bool is_blocked(const SSL *tls, int result)
{
    int error = SSL_get_error(tls, result);
    return error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE;
}

enum talk slot_talk(struct load *l, struct slot *s)
{
    for (bool moved = true; moved;) {
        size_t n = 0;
        moved = false;
        ERR_clear_error();
        if (s->sent < s->out.len) {
            if (SSL_write_ex(s->tls, s->out.data + s->sent, s->out.len - s->sent, &n) == 1) {
                s->sent += n;
                moved = true;
            } else if (!is_blocked(s->tls, 0)) {
                s->sent = s->out.len; // the server has closed; what it said before is still to be read
            }
        }
        ERR_clear_error();
        if (SSL_read_ex(s->tls, l->buffer, LOAD_BUFFER, &n) == 1) {
            l->counts[s->mode].bytes += n;
            moved = true;
            enum answer_status status = s->out.len == 0 ? ANSWER_UNREADABLE : answer_feed(&s->answer, l->buffer, n);
            if (status != ANSWER_MORE) {
                return status == ANSWER_DONE ? TALK_ANSWERED : TALK_UNREADABLE;
            }
        } else if (!is_blocked(s->tls, 0)) {
            note_error(s);
            return TALK_CLOSED;
        }
    }
    return TALK_BLOCKED;
}

void slot_rest(struct slot *s, int64_t wake_ms)
{
    s->state = SLOT_RESTING;
    s->wake_ms = wake_ms;
    s->deadline_ms = INT64_MAX;
    buf_clear(&s->out);
    s->sent = 0;
}

static void request_next(struct load *l, struct slot *s)
{
    if (!may_begin(l, s)) {
        slot_close(l, s, 0);
        return;
    }
    l->counts[s->mode].begun++;
    s->deadline_ms = load_ms() + l->timeout_ms;
    slot_request(l, s);
}

// A whole response has come: what now?
static void slot_answered(struct load *l, struct slot *s)
{
    bool first = !s->established;
    judge_answer(l, s);
    if (s->answer.status != 200 || s->sent < s->out.len) {
        slot_close(l, s, PAUSE_AFTER_FAILURE);
        return;
    }
    s->established = true;
    switch (s->mode) {
    case MODE_IDLE:
        l->idle_open += first;
        slot_rest(s, INT64_MAX);
        return;
    case MODE_KEEPALIVE:
    case MODE_ECHO:
    case MODE_DOWNLOAD:
        if (l->requests > 0 && s->requests >= l->requests) {
            slot_close(l, s, 0);
        } else if (l->pause_ms > 0) {
            slot_rest(s, load_ms() + 1 + (int64_t)load_random(l, 2 * (uint64_t)l->pause_ms));
        } else {
            request_next(l, s);
        }
        return;
    default: slot_close(l, s, 0);
    }
}

static void talk_on(struct load *l, struct slot *s)
{
    while (s->state == SLOT_TALKING || s->state == SLOT_RESTING) {
        switch (slot_talk(l, s)) {
        case TALK_BLOCKED: return;
        case TALK_ANSWERED: slot_answered(l, s); break;
        case TALK_UNREADABLE:
            judge_count(l, s, s->who->good ? COUNT_unreadable : COUNT_bad_served);
            slot_close(l, s, PAUSE_AFTER_FAILURE);
            return;
        case TALK_CLOSED:
            judge_end(l, s);
            slot_close(l, s, s->who->good ? PAUSE_AFTER_FAILURE : 0);
            return;
        }
    }
}

static void handshake_on(struct load *l, struct slot *s)
{
    ERR_clear_error();
    int result = SSL_do_handshake(s->tls);
    if (result == 1) {
        slot_handshake_done(l, s);
        if (attack_is(s->mode)) {
            s->state = SLOT_ATTACK;
            attack_step(l, s);
        } else {
            slot_request(l, s);
            talk_on(l, s);
        }
    } else if (!is_blocked(s->tls, result)) {
        note_error(s);
        judge_end(l, s);
        slot_close(l, s, s->who->good ? PAUSE_AFTER_FAILURE : 0);
    } else {
        attack_aborts(l, s);
    }
}

static void connected(struct load *l, struct slot *s)
{
    int error = 0;
    socklen_t len = sizeof error;
    struct sockaddr_in peer;
    socklen_t peer_len = sizeof peer;
    getsockopt(s->fd, SOL_SOCKET, SO_ERROR, &error, &len);
    if (error != 0) {
        judge_count(l, s, COUNT_not_connected);
        slot_close(l, s, PAUSE_AFTER_FAILURE);
    } else if (getpeername(s->fd, (struct sockaddr *)&peer, &peer_len) == 0) {
        s->state = SLOT_HANDSHAKE;
        s->tls = slot_tls(l, s);
        SSL_set_fd(s->tls, s->fd);
        if (attack_is(s->mode)) {
            attack_begin(l, s);
        }
        if (s->state == SLOT_HANDSHAKE) {
            handshake_on(l, s);
        }
    }
}

void slot_step(struct load *l, struct slot *s)
{
    switch (s->state) {
    case SLOT_CLOSED: return; // an event of the connection before
    case SLOT_CONNECTING: connected(l, s); return;
    case SLOT_HANDSHAKE: handshake_on(l, s); return;
    case SLOT_TALKING:
    case SLOT_RESTING: talk_on(l, s); return;
    case SLOT_ATTACK: attack_step(l, s); return;
    }
}

void slot_tick(struct load *l, struct slot *s)
{
    int64_t now = load_ms();
    if (s->state == SLOT_CLOSED) {
        if (now >= s->wake_ms && (s->mode != MODE_IDLE || l->opening < LOAD_OPENING)) {
            l->opening += s->mode == MODE_IDLE;
            slot_open(l, s);
        }
        return;
    }
    l->opening += s->mode == MODE_IDLE && !s->established;
    if (now >= s->deadline_ms) {
        judge_count(l, s, attack_is(s->mode) ? COUNT_not_cut : COUNT_timeout);
        slot_close(l, s, PAUSE_AFTER_FAILURE);
    } else if (s->state == SLOT_ATTACK) {
        attack_tick(l, s);
    } else if (s->state == SLOT_RESTING && now >= s->wake_ms) {
        request_next(l, s);
        talk_on(l, s);
    } else if (judge_is_revoked(l, s)) {
        talk_on(l, s); // perhaps it is closed, and we have not looked yet
        judge_alive(l, s);
    }
}
