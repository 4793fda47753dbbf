// SPDX-License-Identifier: Apache-2.0
#include "explain/live.h"

#include "base/clock.h"

#include <stdlib.h>

struct explain_live {
    enum explain_side self;
    struct explain_keys *keys;
    struct explain *explain;
    struct tls_tap tap;
};

static enum explain_side side_of(enum explain_side self, bool sent)
{
    return sent ? self : (enum explain_side) !self;
}

static void live_bytes(void *arg, bool sent, const uint8_t *data, size_t len)
{
    struct explain_live *live = arg;
    explain_bytes(live->explain, side_of(live->self, sent), clock_monotonic_us(), data, len);
}

static void live_secret(void *arg, const char *label, const uint8_t client_random[32], struct span secret)
{
    struct explain_live *live = arg;
    explain_keys_add(live->keys, label, client_random, secret);
}

static void live_ended(void *arg, bool reset)
{
    struct explain_live *live = arg;
    explain_closed(live->explain, side_of(live->self, false), reset);
}

struct explain_live *explain_live_new(enum explain_side self)
{
    struct explain_live *live = mem_alloc(sizeof *live);
    live->self = self;
    live->keys = explain_keys_new();
    live->explain = explain_new(live->keys);
    explain_begin_at(live->explain, clock_now());
    live->tap = (struct tls_tap){.arg = live, .bytes = live_bytes, .secret = live_secret, .ended = live_ended};
    return live;
}

void explain_live_free(struct explain_live *live)
{
    if (live != NULL) {
        explain_free(live->explain);
        explain_keys_free(live->keys);
        free(live);
    }
}

const struct tls_tap *explain_live_tap(struct explain_live *live)
{
    return &live->tap;
}

struct explain *explain_live_of(struct explain_live *live)
{
    return live->explain;
}

void explain_live_judged(struct explain_live *live, const struct tls_connection *connection)
{
    const struct trust_verdict *verdict = tls_verdict(connection);
    if (verdict->reason != REASON_handshake) { // else nobody was judged
        explain_judged(live->explain, live->self, verdict->reason, verdict->depth, verdict->detail);
    }
}

// --- recordings: pieces one after the other, each with a header ---

enum piece_kind { PIECE_RECEIVED, PIECE_SENT, PIECE_SECRET, PIECE_CLOSED, PIECE_RESET, PIECE_OVERFLOW };

struct piece {
    uint8_t kind;
    uint16_t len;
    uint32_t at_us; // since the first
};

struct explain_recording {
    enum explain_side self;
    bool full;
    uint64_t start_us;
    int64_t began_at;
    struct buf pieces;
    struct tls_tap tap;
};

static void add_piece(struct explain_recording *r, enum piece_kind kind, const void *data, size_t len)
{
    uint64_t now = clock_monotonic_us();
    if (r->pieces.len == 0) {
        r->start_us = now;
        r->began_at = clock_now();
    }
    uint64_t at_us = now - r->start_us;
    struct piece piece = {
        .kind = (uint8_t)kind, .len = (uint16_t)len, .at_us = at_us < UINT32_MAX ? (uint32_t)at_us : UINT32_MAX};
    buf_add(&r->pieces, &piece, sizeof piece);
    buf_add(&r->pieces, data, len);
}

static void add(struct explain_recording *r, enum piece_kind kind, const void *data, size_t len)
{
    if (r->full) {
        return;
    }
    r->full = r->pieces.len + sizeof(struct piece) + len > EXPLAIN_RECORDING_MOST;
    if (r->full) {
        add_piece(r, PIECE_OVERFLOW, NULL, 0);
    } else {
        add_piece(r, kind, data, len);
    }
}

static void record_bytes(void *arg, bool sent, const uint8_t *data, size_t len)
{
    add(arg, sent ? PIECE_SENT : PIECE_RECEIVED, data, len);
}

// The random, the label with its NUL, the secret.
static void record_secret(void *arg, const char *label, const uint8_t client_random[32], struct span secret)
{
    struct buf whole = {0};
    buf_add(&whole, client_random, EXPLAIN_RANDOM);
    buf_add(&whole, label, strlen(label) + 1);
    buf_add(&whole, secret.data, secret.len);
    add(arg, PIECE_SECRET, whole.data, whole.len);
    buf_clear(&whole);
}

static void record_ended(void *arg, bool reset)
{
    add(arg, reset ? PIECE_RESET : PIECE_CLOSED, NULL, 0);
}

struct explain_recording *explain_recording_new(enum explain_side self)
{
    struct explain_recording *r = mem_alloc(sizeof *r);
    r->self = self;
    r->tap = (struct tls_tap){.arg = r, .bytes = record_bytes, .secret = record_secret, .ended = record_ended};
    return r;
}

void explain_recording_free(struct explain_recording *r)
{
    if (r != NULL) {
        buf_clear(&r->pieces); // zeroises
        free(r);
    }
}

const struct tls_tap *explain_recording_tap(struct explain_recording *r)
{
    return &r->tap;
}

void explain_recording_fit(struct explain_recording *r)
{
    struct buf exact = {0};
    buf_add(&exact, r->pieces.data, r->pieces.len);
    buf_clear(&r->pieces);
    r->pieces = exact;
}

bool explain_recording_is_empty(const struct explain_recording *r)
{
    return r->pieces.len == 0;
}

static void play_piece(struct explain_live *live, const struct piece *piece, const uint8_t *data)
{
    struct span label = {0};
    switch ((enum piece_kind)piece->kind) {
    case PIECE_RECEIVED:
    case PIECE_SENT:
        explain_bytes(live->explain, side_of(live->self, piece->kind == PIECE_SENT), piece->at_us, data, piece->len);
        break;
    case PIECE_SECRET:
        label = span_of(data + EXPLAIN_RANDOM, strlen((const char *)data + EXPLAIN_RANDOM) + 1);
        live_secret(live, (const char *)label.data, data,
                    span_of(label.data + label.len, piece->len - EXPLAIN_RANDOM - label.len));
        break;
    case PIECE_CLOSED:
    case PIECE_RESET: live_ended(live, piece->kind == PIECE_RESET); break;
    case PIECE_OVERFLOW:
        explain_end(live->explain, "it is longer than the %d octets that are kept of one", EXPLAIN_RECORDING_MOST);
        break;
    }
}

struct explain_live *explain_recording_play(const struct explain_recording *r)
{
    struct explain_live *live = explain_live_new(r->self);
    struct piece piece;
    explain_begin_at(live->explain, r->began_at);
    for (size_t at = 0; at < r->pieces.len; at += piece.len) {
        memcpy(&piece, r->pieces.data + at, sizeof piece);
        at += sizeof piece;
        play_piece(live, &piece, r->pieces.data + at);
    }
    return live;
}
