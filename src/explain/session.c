// SPDX-License-Identifier: Apache-2.0
// One connection: bytes of both sides -> records -> handshake messages. Records are opened with the secrets that the
// key log has for the client's random.
#include "base/text.h"
#include "explain/internal.h"

#include <mbedtls/platform_util.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BODY_MOST = 16384 + 2048, MESSAGE_MOST = 256 * 1024, MESSAGES_MOST = 512, PROTECTIONS = 4 };
enum { KEPT_MOST = 1024 * 1024 };

// What protects a side's records, and how many there were.
struct epoch {
    enum explain_protection protection;
    struct traffic_secret secret; // TLS 1.3
    uint64_t sequence;
};

struct side {
    struct buf bytes;     // that are not yet a whole record
    struct buf handshake; // that is not yet a whole message
    size_t parts;         // in so many records
    struct epoch epoch, previous;
    bool changed;           // TLS 1.2: its ChangeCipherSpec was there
    struct protection keys; // TLS 1.2
    bool closed, reset;
};

struct explain {
    const struct explain_keys *keys;
    struct side sides[2];
    struct explain_message *messages;
    size_t count, cap;
    struct explain_facts facts;
    uint8_t randoms[2][RANDOM_LENGTH];
    struct buf session; // the session id that the client offered
    bool early;         // so did it early data
    bool server_certificate;
    bool begun;
    size_t kept; // octets of messages
    uint64_t start_us, now_us;
    int64_t began_at;
    bool judged[2];
    struct explain_judgement judgements[2]; // by the side that judges
    char *ended;
    uint8_t plain[BODY_MOST];
};

struct explain *explain_new(const struct explain_keys *keys)
{
    struct explain *x = mem_alloc(sizeof *x);
    x->keys = keys;
    x->facts.suite = -1;
    return x;
}

void explain_begin_at(struct explain *x, int64_t at)
{
    x->began_at = at;
}

int64_t explain_began_at(const struct explain *x)
{
    return x->began_at;
}

void explain_free(struct explain *x)
{
    if (x == NULL) {
        return;
    }
    for (size_t i = 0; i < 2; i++) {
        buf_clear(&x->sides[i].bytes);
        buf_clear(&x->sides[i].handshake);
        free(x->judgements[i].detail);
    }
    for (size_t i = 0; i < x->count; i++) {
        buf_clear(&x->messages[i].bytes);
        json_decref(x->messages[i].fields);
        free(x->messages[i].problem);
        free(x->messages[i].marks);
    }
    free(x->messages);
    free(x->facts.name);
    buf_clear(&x->session);
    free(x->ended);
    mbedtls_platform_zeroize(x, sizeof *x);
    free(x);
}

void explain_end(struct explain *x, const char *fmt, ...)
{
    va_list ap;
    if (x->ended != NULL) {
        return;
    }
    char text[256];
    va_start(ap, fmt);
    text_vformat(text, sizeof text, fmt, ap);
    va_end(ap);
    x->ended = mem_strdup(text);
}

// --- messages ---

// Data and what is hidden: a side's records are one message until something else happens.
static struct explain_message *find_run(struct explain *x, enum explain_side from, enum explain_kind kind, int type,
                                        enum explain_protection protection)
{
    for (size_t i = x->count; i-- > 0;) {
        struct explain_message *m = &x->messages[i];
        if (m->kind != EXPLAIN_APPLICATION_DATA && m->kind != EXPLAIN_ENCRYPTED) {
            return NULL;
        }
        if (m->from == from && m->kind == kind && m->type == type && m->protection == protection) {
            return m;
        }
    }
    return NULL;
}

// NULL: there are too many
static struct explain_message *add_message(struct explain *x, enum explain_side from, enum explain_kind kind, int type,
                                           enum explain_protection protection)
{
    if (x->count == MESSAGES_MOST) {
        explain_end(x, "there are more than %d messages", MESSAGES_MOST);
        return NULL;
    }
    x->messages = mem_grow(x->messages, &x->cap, sizeof *x->messages, x->count + 1);
    struct explain_message *m = &x->messages[x->count++];
    *m = (struct explain_message){.from = from,
                                  .kind = kind,
                                  .type = type,
                                  .protection = protection,
                                  .at_us = x->now_us - x->start_us,
                                  .fields = json_object()};
    return m;
}

static void add_run(struct explain *x, enum explain_side from, enum explain_kind kind, int type,
                    enum explain_protection protection, size_t len)
{
    struct explain_message *m = find_run(x, from, kind, type, protection);
    if (m == NULL) {
        m = add_message(x, from, kind, type, protection);
    }
    if (m != NULL) {
        m->records++;
        m->len += len;
    }
}

// --- keys of TLS 1.3 ---

static const char *const labels[2][PROTECTIONS] = {
    [EXPLAIN_CLIENT] = {NULL, "CLIENT_EARLY_TRAFFIC_SECRET", "CLIENT_HANDSHAKE_TRAFFIC_SECRET",
                        "CLIENT_TRAFFIC_SECRET_0"},
    [EXPLAIN_SERVER] = {NULL, NULL, "SERVER_HANDSHAKE_TRAFFIC_SECRET", "SERVER_TRAFFIC_SECRET_0"},
};

static void enter(struct side *s, enum explain_protection protection)
{
    s->previous = s->epoch;
    s->epoch = (struct epoch){.protection = protection};
}

static int open_under(struct explain *x, enum explain_side from, struct epoch *epoch, struct span record, size_t *len)
{
    const struct record_cipher *cipher = NULL;
    const char *label = labels[from][epoch->protection];
    if (label == NULL ||
        (epoch->secret.len == 0 && !keys_find(x->keys, label, x->randoms[EXPLAIN_CLIENT], &epoch->secret))) {
        return -1;
    }
    int type = record_open(record.data, record.data + RECORD_HEADER, record.len - RECORD_HEADER, &epoch->secret,
                           epoch->sequence, &cipher, x->plain, len);
    epoch->sequence += type >= 0;
    return type;
}

// The type of what is in the record, or -1. It is tried with the keys that it should be under; with the next ones, as
// early data may have been refused, or their secrets be unknown; and with the ones before, under which servers of
// mbedTLS refuse.
static int open_13(struct explain *x, enum explain_side from, struct span record, size_t *len,
                   enum explain_protection *protection)
{
    struct side *s = &x->sides[from];
    if (s->epoch.protection == EXPLAIN_PLAIN) {
        bool early = from == EXPLAIN_CLIENT && x->early && !x->facts.retried;
        enter(s, early ? EXPLAIN_EARLY_KEYS : EXPLAIN_HANDSHAKE_KEYS);
    }
    int type = open_under(x, from, &s->epoch, record, len);
    for (int next = (int)s->epoch.protection + 1; type < 0 && next < PROTECTIONS; next++) {
        struct epoch later = {.protection = (enum explain_protection)next};
        type = open_under(x, from, &later, record, len);
        if (type >= 0) {
            enter(s, later.protection);
            s->epoch = later;
        }
        mbedtls_platform_zeroize(&later, sizeof later);
    }
    *protection = s->epoch.protection;
    if (type < 0 && s->previous.protection != EXPLAIN_PLAIN) {
        type = open_under(x, from, &s->previous, record, len);
        *protection = type >= 0 ? s->previous.protection : *protection;
    }
    return type;
}

// --- what a handshake message changes ---

static void note_hello(struct explain *x, const struct decoding *d, unsigned type)
{
    if (d->random.len != RANDOM_LENGTH) {
        return;
    }
    if (type == MESSAGE_CLIENT_HELLO) {
        memcpy(x->randoms[EXPLAIN_CLIENT], d->random.data, RANDOM_LENGTH);
        buf_clear(&x->session);
        buf_add(&x->session, d->session.data, d->session.len);
        x->early = d->early_data;
        if (d->has_name && x->facts.name == NULL) {
            x->facts.name = mem_strdup(json_string_value(json_object_get(d->fields, "server_name")));
        }
        return;
    }
    const struct suite *suite = suite_find(d->suite);
    x->facts.version = (int)d->version;
    x->facts.suite = (int)d->suite;
    x->facts.exchange = suite != NULL ? suite->exchange : EXPLAIN_OTHER;
    x->facts.retried = x->facts.retried || d->retry;
    if (!d->retry) {
        memcpy(x->randoms[EXPLAIN_SERVER], d->random.data, RANDOM_LENGTH);
        bool same_session = d->session.len > 0 && d->session.len == x->session.len &&
                            memcmp(d->session.data, x->session.data, d->session.len) == 0;
        x->facts.resumed = d->version == VERSION_1_3 ? d->selected_key : same_session;
    }
}

static void note_message(struct explain *x, const struct decoding *d, unsigned type)
{
    struct side *s = &x->sides[d->from];
    bool is_13 = x->facts.version == VERSION_1_3;
    switch (type) {
    case MESSAGE_CLIENT_HELLO:
    case MESSAGE_SERVER_HELLO: note_hello(x, d, type); break;
    case MESSAGE_CERTIFICATE_REQUEST: x->facts.requested = true; break;
    case MESSAGE_CERTIFICATE:
        x->facts.presented = x->facts.presented || (d->from == EXPLAIN_CLIENT && d->certificates > 0);
        x->server_certificate = x->server_certificate || d->from == EXPLAIN_SERVER;
        break;
    case MESSAGE_END_OF_EARLY_DATA: enter(s, EXPLAIN_HANDSHAKE_KEYS); break;
    case MESSAGE_FINISHED:
        x->facts.finished[d->from] = true;
        if (is_13) {
            enter(s, EXPLAIN_APPLICATION_KEYS);
        }
        break;
    case MESSAGE_KEY_UPDATE:
        if (is_13 && s->epoch.secret.len > 0 && traffic_secret_next(&s->epoch.secret) == 0) {
            s->epoch.sequence = 0;
        }
        break;
    default: break;
    }
}

static void take_message(struct explain *x, enum explain_side from, enum explain_protection protection, size_t len)
{
    struct side *s = &x->sides[from];
    unsigned type = s->handshake.data[0];
    struct explain_message *m = add_message(x, from, EXPLAIN_HANDSHAKE, (int)type, protection);
    if (m == NULL) {
        return;
    }
    buf_add(&m->bytes, s->handshake.data, len);
    x->kept += len;
    m->len = len;
    m->records = s->parts;
    struct decoding d = {.from = from, .facts = &x->facts, .message = m, .fields = m->fields};
    decode_message(&d);
    m->problem = mem_strdup(d.problem);
    note_message(x, &d, type);
    memmove(s->handshake.data, s->handshake.data + len, s->handshake.len - len);
    s->handshake.len -= len;
    s->parts = s->handshake.len > 0 ? 1 : 0;
}

static void take_handshake(struct explain *x, enum explain_side from, enum explain_protection protection,
                           struct span content)
{
    struct side *s = &x->sides[from];
    buf_add(&s->handshake, content.data, content.len);
    s->parts++;
    while (x->ended == NULL && s->handshake.len >= MESSAGE_HEADER) {
        const uint8_t *p = s->handshake.data;
        size_t len = MESSAGE_HEADER + ((size_t)p[1] << 16 | (size_t)p[2] << 8 | p[3]);
        if (len > MESSAGE_MOST || x->kept + len > KEPT_MOST) {
            explain_end(x, "the %s sends a handshake message of %zu octets, which is too long to be followed",
                        explain_side_name(from), len);
        } else if (s->handshake.len < len) {
            return;
        } else {
            take_message(x, from, protection, len);
        }
    }
}

// --- records ---

static void take_change(struct explain *x, enum explain_side from, enum explain_protection protection, size_t len)
{
    struct explain_message *m = add_message(x, from, EXPLAIN_CHANGE_CIPHER_SPEC, 0, protection);
    struct side *s = &x->sides[from];
    struct traffic_secret master = {.len = 0};
    struct protection both[2] = {0};
    if (m != NULL) {
        m->len = len;
        m->records = 1;
    }
    if (x->facts.version == 0 || x->facts.version == VERSION_1_3) {
        return; // it means nothing: RFC 8446 appendix D.4
    }
    x->facts.resumed = x->facts.resumed || (from == EXPLAIN_SERVER && !x->server_certificate);
    s->changed = true;
    enter(s, EXPLAIN_APPLICATION_KEYS);
    if (keys_find(x->keys, "CLIENT_RANDOM", x->randoms[EXPLAIN_CLIENT], &master) &&
        protection_derive(both, suite_find((unsigned)x->facts.suite), &master, x->randoms[EXPLAIN_CLIENT],
                          x->randoms[EXPLAIN_SERVER])) {
        s->keys = both[from];
    }
    mbedtls_platform_zeroize(&master, sizeof master);
    mbedtls_platform_zeroize(both, sizeof both);
}

static void take_alert(struct explain *x, enum explain_side from, enum explain_protection protection,
                       struct span content)
{
    struct explain_message *m =
        add_message(x, from, EXPLAIN_ALERT, content.len == 2 ? content.data[1] : -1, protection);
    if (m != NULL) {
        struct decoding d = {.from = from, .facts = &x->facts, .message = m, .fields = m->fields};
        m->len = content.len;
        m->records = 1;
        buf_add(&m->bytes, content.data, content.len < 16 ? content.len : 16);
        decode_alert(&d);
        m->problem = mem_strdup(d.problem);
    }
}

static void take_content(struct explain *x, enum explain_side from, int type, enum explain_protection protection,
                         struct span content)
{
    switch (type) {
    case RECORD_CHANGE_CIPHER_SPEC: take_change(x, from, protection, content.len); break;
    case RECORD_ALERT: take_alert(x, from, protection, content); break;
    case RECORD_HANDSHAKE: take_handshake(x, from, protection, content); break;
    default: add_run(x, from, EXPLAIN_APPLICATION_DATA, type, protection, content.len); break;
    }
}

static void take_record(struct explain *x, enum explain_side from, struct span record)
{
    struct side *s = &x->sides[from];
    struct span body = span_of(record.data + RECORD_HEADER, record.len - RECORD_HEADER);
    enum explain_protection protection = EXPLAIN_PLAIN;
    size_t len = 0;
    int type = record.data[0];
    int inner = -1;
    if (s->changed) {
        protection = EXPLAIN_APPLICATION_KEYS;
        if (protection_open(&s->keys, record.data, body.data, body.len, s->epoch.sequence, x->plain, &len)) {
            inner = type;
        }
        s->epoch.sequence++;
    } else if (type == RECORD_APPLICATION_DATA) {
        inner = open_13(x, from, record, &len, &protection);
    } else {
        take_content(x, from, type, EXPLAIN_PLAIN, body);
        return;
    }
    if (inner < 0) {
        x->facts.hidden = true;
        add_run(x, from, EXPLAIN_ENCRYPTED, type, protection, body.len);
    } else {
        take_content(x, from, inner, protection, span_of(x->plain, len));
    }
    mbedtls_platform_zeroize(x->plain, len);
}

void explain_bytes(struct explain *x, enum explain_side from, uint64_t at_us, const uint8_t *data, size_t len)
{
    struct side *s = &x->sides[from];
    size_t taken = 0;
    if (x->ended != NULL || len == 0) {
        return;
    }
    x->start_us = x->begun ? x->start_us : at_us;
    x->begun = true;
    x->now_us = at_us > x->start_us ? at_us : x->start_us;
    buf_add(&s->bytes, data, len);
    while (x->ended == NULL && s->bytes.len - taken >= RECORD_HEADER) {
        const uint8_t *p = s->bytes.data + taken;
        size_t body = (size_t)p[3] << 8 | p[4];
        if (p[0] < RECORD_CHANGE_CIPHER_SPEC || p[0] > RECORD_APPLICATION_DATA || p[1] != 3 || body > BODY_MOST) {
            explain_end(x, "the %s sends what is not a record of TLS", explain_side_name(from));
        } else if (s->bytes.len - taken < RECORD_HEADER + body) {
            break;
        } else {
            take_record(x, from, span_of(p, RECORD_HEADER + body));
            taken += RECORD_HEADER + body;
        }
    }
    memmove(s->bytes.data, s->bytes.data + taken, s->bytes.len - taken);
    s->bytes.len -= taken;
}

void explain_closed(struct explain *x, enum explain_side side, bool reset)
{
    x->sides[side].closed = true;
    x->sides[side].reset = x->sides[side].reset || reset;
}

void explain_judged(struct explain *x, enum explain_side by, enum reason reason, int depth, const char *detail)
{
    struct explain_judgement *j = &x->judgements[by];
    free(j->detail);
    bool says = detail != NULL && detail[0] != '\0';
    *j = (struct explain_judgement){
        .by = by, .reason = reason, .depth = depth, .detail = says ? mem_strdup(detail) : NULL};
    x->judged[by] = true;
}

size_t explain_count(const struct explain *x)
{
    return x->count;
}

const struct explain_message *explain_message(const struct explain *x, size_t i)
{
    return &x->messages[i];
}

const struct explain_facts *explain_facts(const struct explain *x)
{
    return &x->facts;
}

const struct explain_judgement *explain_judgement(const struct explain *x, enum explain_side by)
{
    return x->judged[by] ? &x->judgements[by] : NULL;
}

const char *explain_ended(const struct explain *x)
{
    return x->ended;
}

bool explain_is_closed(const struct explain *x, enum explain_side side, bool *reset)
{
    *reset = x->sides[side].reset;
    return x->sides[side].closed;
}
