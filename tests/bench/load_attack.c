// SPDX-License-Identifier: Apache-2.0
// Clients that behave badly. They wait until the server ends the connection, or go away; none may harm another.
#include "tests/bench/load.h"

#include <errno.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { HELLO_MOST = 4096, DROP_MS = 200, GARBAGE_MOST = 3000, GARBAGE_WAITS_MS = 2000, ABORT_STEPS = 6, PAUSE_MS = 20 };

// What each mode can do; whose turn it is goes round.
enum { SLOW_HELLO, SLOW_HEADER, SLOW_READER, SLOW_VARIANTS };
enum { HALF_SILENT, HALF_PART_OF_HELLO, HALF_HELLO, HALF_SECURED, HALF_VARIANTS };
enum { GARBAGE_NOISE, GARBAGE_RECORD, GARBAGE_HELLO, GARBAGE_HTTP, GARBAGE_SECURED, GARBAGE_VARIANTS };
enum { ABORT_CONNECTED, ABORT_HELLO, ABORT_HANDSHAKE, ABORT_REQUEST, ABORT_VARIANTS };

bool attack_is(enum load_mode mode)
{
    return mode == MODE_SLOW || mode == MODE_HALF || mode == MODE_GARBAGE || mode == MODE_ABORT;
}

static bool is_secured(const struct slot *s) // does it shake hands first?
{
    return (s->mode == MODE_SLOW && s->variant != SLOW_HELLO) || (s->mode == MODE_HALF && s->variant == HALF_SECURED) ||
           (s->mode == MODE_GARBAGE && s->variant == GARBAGE_SECURED) ||
           (s->mode == MODE_ABORT && (s->variant == ABORT_HANDSHAKE || s->variant == ABORT_REQUEST));
}

static void noise(struct load *l, struct slot *s, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        uint8_t byte = (uint8_t)load_random(l, 256);
        buf_add(&s->out, &byte, 1);
    }
}

// A ClientHello as OpenSSL makes it, in its record.
static void client_hello(struct slot *s)
{
    char *data = NULL;
    BIO *out = BIO_new(BIO_s_mem());
    SSL_set_bio(s->tls, BIO_new(BIO_s_mem()), out);
    SSL_do_handshake(s->tls);
    ERR_clear_error();
    long len = BIO_get_mem_data(out, &data);
    buf_add(&s->out, data, (size_t)len);
}

static void garbage(struct load *l, struct slot *s)
{
    static const uint8_t record[] = {22, 3, 1};
    switch (s->variant) {
    case GARBAGE_RECORD: {
        uint8_t len[2] = {(uint8_t)load_random(l, 66), (uint8_t)load_random(l, 256)};
        buf_add(&s->out, record, sizeof record);
        buf_add(&s->out, len, sizeof len);
        break;
    }
    case GARBAGE_HELLO:
        client_hello(s);
        for (uint64_t i = 1 + load_random(l, 4); i > 0; i--) {
            s->out.data[load_random(l, s->out.len)] ^= (uint8_t)(1 + load_random(l, 255));
        }
        return;
    case GARBAGE_HTTP: buf_printf(&s->out, "GET %s HTTP/1.1\r\nHost: %s\r\n\r\n", l->path, l->host); return;
    default: break;
    }
    noise(l, s, 1 + (size_t)load_random(l, GARBAGE_MOST));
}

// Writes raw bytes from `out`, at most `most` of them. False: it was closed.
static bool raw_write(struct slot *s, size_t most)
{
    size_t len = s->out.len - s->sent < most ? s->out.len - s->sent : most;
    if (len > 0) {
        ssize_t n = send(s->fd, s->out.data + s->sent, len, MSG_NOSIGNAL);
        if (n < 0) {
            return errno == EAGAIN;
        }
        s->sent += (size_t)n;
    }
    return true;
}

// Reads and forgets. False: it was closed.
static bool raw_read(struct load *l, struct slot *s)
{
    for (;;) {
        ssize_t n = recv(s->fd, l->buffer, LOAD_BUFFER, 0);
        if (n <= 0) {
            return n < 0 && errno == EAGAIN;
        }
        if (n >= 12 && memcmp(l->buffer, "HTTP/1.1 200", 12) == 0) {
            judge_count(l, s, COUNT_bad_served);
        }
    }
}

static void was_cut(struct load *l, struct slot *s)
{
    judge_count(l, s, COUNT_cut);
    slot_close(l, s, PAUSE_MS);
}

// Goes away with a RST.
static void reset(struct load *l, struct slot *s)
{
    const struct linger at_once = {.l_onoff = 1, .l_linger = 0};
    setsockopt(s->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    judge_count(l, s, COUNT_left);
    slot_close(l, s, PAUSE_MS);
}

static void begin_raw(struct load *l, struct slot *s)
{
    s->state = SLOT_ATTACK;
    switch (s->mode) {
    case MODE_SLOW: client_hello(s); break;
    case MODE_HALF:
        if (s->variant != HALF_SILENT) {
            client_hello(s);
            s->out.len = s->variant == HALF_HELLO ? s->out.len : load_random(l, s->out.len);
        }
        break;
    case MODE_GARBAGE: garbage(l, s); break;
    default: // MODE_ABORT
        if (s->variant == ABORT_HELLO) {
            client_hello(s);
            raw_write(s, 1 + (size_t)load_random(l, s->out.len));
        }
        reset(l, s);
        return;
    }
    attack_step(l, s);
}

void attack_begin(struct load *l, struct slot *s)
{
    static const int variants[MODE_COUNT] = {[MODE_SLOW] = SLOW_VARIANTS,
                                             [MODE_HALF] = HALF_VARIANTS,
                                             [MODE_GARBAGE] = GARBAGE_VARIANTS,
                                             [MODE_ABORT] = ABORT_VARIANTS};
    s->variant = (int)((s->turn + s->number) % (unsigned)variants[s->mode]);
    if (s->mode == MODE_SLOW && s->variant == SLOW_READER && l->download == NULL) {
        s->variant = SLOW_HEADER;
    }
    s->patience = (int)load_random(l, ABORT_STEPS);
    if (!is_secured(s)) {
        begin_raw(l, s);
    }
}

bool attack_aborts(struct load *l, struct slot *s)
{
    if (s->mode != MODE_ABORT || s->patience-- > 0) {
        return false;
    }
    reset(l, s);
    return true;
}

// The handshake is done, once; or again something happened.
static void step_secured(struct load *l, struct slot *s)
{
    if (s->out.len == 0) {
        switch (s->mode) {
        case MODE_SLOW:
            buf_printf(&s->out, "GET %s HTTP/1.1\r\nHost: %s\r\n", s->variant == SLOW_READER ? l->download : l->path,
                       l->host);
            buf_text(&s->out, s->variant == SLOW_READER ? "\r\n" : "X-Slow: ");
            for (int i = 0; s->variant == SLOW_HEADER && i < 1000; i++) {
                buf_text(&s->out, "a");
            }
            break;
        case MODE_GARBAGE:
            noise(l, s, 1 + (size_t)load_random(l, GARBAGE_MOST));
            raw_write(s, s->out.len);
            break;
        case MODE_ABORT:
            buf_printf(&s->out, "GET %s HTTP/1.1\r\nHost: %s\r\n\r\n", l->download != NULL ? l->download : l->path,
                       l->host);
            SSL_write(s->tls, s->out.data, (int)s->out.len);
            s->patience = s->variant == ABORT_REQUEST ? s->patience : 0;
            break;
        default: buf_text(&s->out, "x"); // MODE_HALF says nothing
        }
    }
    if (attack_aborts(l, s) || (s->mode == MODE_SLOW && s->variant == SLOW_READER)) {
        return;
    }
    size_t n = 0;
    ERR_clear_error();
    while (SSL_read_ex(s->tls, l->buffer, LOAD_BUFFER, &n) == 1) {
        if (s->mode == MODE_GARBAGE && n >= 12 && memcmp(l->buffer, "HTTP/1.1 200", 12) == 0) {
            judge_count(l, s, COUNT_bad_served);
        }
    }
    int error = SSL_get_error(s->tls, 0);
    if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE) {
        was_cut(l, s);
    }
}

void attack_step(struct load *l, struct slot *s)
{
    if (s->wake_ms == INT64_MAX) { // it begins: the first drop, or the end of patience
        s->wake_ms = load_ms() + (s->mode == MODE_GARBAGE ? GARBAGE_WAITS_MS : DROP_MS);
    }
    if (is_secured(s)) {
        step_secured(l, s);
    } else if ((s->mode != MODE_SLOW && !raw_write(s, s->out.len)) || !raw_read(l, s)) {
        was_cut(l, s);
    }
}

// The next drop: one octet to write, or to read.
static bool drop(struct load *l, struct slot *s)
{
    size_t n = 0;
    if (s->variant == SLOW_HELLO) {
        return raw_write(s, 1);
    }
    ERR_clear_error();
    if (s->sent < s->out.len) {
        bool written = SSL_write_ex(s->tls, s->out.data + s->sent, s->variant == SLOW_READER ? s->out.len : 1, &n) == 1;
        s->sent += n;
        int error = written ? SSL_ERROR_NONE : SSL_get_error(s->tls, 0);
        return written || error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE;
    }
    if (s->deadline_ms - load_ms() < l->patience_ms / 2) { // was it ended? The end comes after what was not read
        return raw_read(l, s);
    }
    bool got = SSL_read_ex(s->tls, l->buffer, 1, &n) == 1;
    return got || SSL_get_error(s->tls, 0) == SSL_ERROR_WANT_READ;
}

void attack_tick(struct load *l, struct slot *s)
{
    if (load_ms() < s->wake_ms || s->mode == MODE_HALF) {
        return;
    }
    if (s->mode != MODE_SLOW) {
        judge_count(l, s, COUNT_left);
        slot_close(l, s, PAUSE_MS);
        return;
    }
    s->wake_ms += DROP_MS;
    if (!drop(l, s)) {
        was_cut(l, s);
    }
}
