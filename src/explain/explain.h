// SPDX-License-Identifier: Apache-2.0
// Tells a TLS connection from outside: bytes -> records -> messages -> nine steps -> text, JSON.
//
//   capture.h    a capture file -> connections, each a struct explain
//   session.c    the bytes of both sides -> records (opened with the secrets of a key log) -> messages
//   decode*.c    one message -> its fields, and (marks.c) in which octets each is
//   story.c      messages -> the nine steps of the classic description of a handshake
//   diagnosis.c  what can be seen to be wrong
//   text.c, json.c, svg*.c   the story, printed, or drawn
//
// What it reads is hostile: every length is bounded, every text is escaped, and what cannot be understood ends the
// explanation with what was understood before. It only looks: nothing here can change what is sent.
#ifndef MTLS_EXPLAIN_EXPLAIN_H
#define MTLS_EXPLAIN_EXPLAIN_H

#include "base/err.h"
#include "base/mem.h"
#include "base/reason.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

// --- secrets: what a key log (SSLKEYLOGFILE) holds ---

enum { EXPLAIN_RANDOM = 32 };
struct explain_keys;

struct explain_keys *explain_keys_new(void);
void explain_keys_free(struct explain_keys *keys);
// One secret, by the label and the ClientHello's random that a key log has for it. What is too long is left out.
void explain_keys_add(struct explain_keys *keys, const char *label, const uint8_t random[EXPLAIN_RANDOM],
                      struct span secret);
// All of a key log's text; lines of other kinds are passed over. How many secrets there were.
size_t explain_keys_read(struct explain_keys *keys, struct span text);

// --- messages: the model that stories are told from, whoever draws them ---

enum explain_side { EXPLAIN_CLIENT, EXPLAIN_SERVER };

enum explain_kind {
    EXPLAIN_HANDSHAKE,          // `type` is the HandshakeType
    EXPLAIN_CHANGE_CIPHER_SPEC, //
    EXPLAIN_ALERT,              // `type` is the alert's number
    EXPLAIN_APPLICATION_DATA,   // one after another of a side are one message
    EXPLAIN_ENCRYPTED,          // could not be opened: `type` is that of the records, which are one message too
};

enum explain_protection {
    EXPLAIN_PLAIN,
    EXPLAIN_EARLY_KEYS,       // TLS 1.3, 0-RTT
    EXPLAIN_HANDSHAKE_KEYS,   // TLS 1.3
    EXPLAIN_APPLICATION_KEYS, // in TLS 1.2 all that is encrypted
};

// Where in a message's octets one of its fields is. Marks are in order, and none overlaps another.
struct explain_mark {
    size_t at, len;
    const char *name; // static text: a field of the RFC's, or an extension's name
};

struct explain_message {
    enum explain_side from;
    enum explain_kind kind;
    int type;
    enum explain_protection protection;
    uint64_t at_us;             // when its last byte came, since the first byte of the connection
    size_t len;                 // with the four octets of a handshake message's header; of records what is in them
    size_t records;             // in how many records; of a run of records how many
    struct buf bytes;           // all of it; empty for application data and what could not be opened
    json_t *fields;             // an object: name -> text, list of texts, or list of such objects; all text is escaped
    char *problem;              // where decoding ended, or NULL
    struct explain_mark *marks; // in `bytes`; what could not be read has none
    size_t mark_count, mark_cap;
};

enum explain_exchange { EXPLAIN_OTHER, EXPLAIN_RSA, EXPLAIN_DHE, EXPLAIN_ECDHE, EXPLAIN_SEPARATE };

// What the messages so far say about the connection.
struct explain_facts {
    int version;    // that was agreed on, or 0
    int suite;      // that was agreed on, or -1
    char *name;     // that the client asked for, or NULL
    bool retried;   // there was a HelloRetryRequest
    bool resumed;   // by a session id, a ticket or a pre-shared key
    bool requested; // there was a CertificateRequest
    bool presented; // the client sent a certificate
    bool finished[2];
    bool hidden; // some messages could not be opened
    enum explain_exchange exchange;
};

// What a side made of its peer: known only where that side is this program.
struct explain_judgement {
    enum explain_side by;
    enum reason reason; // REASON_ok: it accepts
    int depth;          // of the certificate at fault: 0 the leaf, -1 when there is none
    char *detail;       // which, and what about it; escaped; or NULL
};

// A connection under observation. Bytes are handed in as they pass; messages are there as soon as they are whole.
struct explain;

struct explain *explain_new(const struct explain_keys *keys); // borrowed, may grow; NULL: only what is visible
// When its first octet came, in seconds since 1970; 0, as at first: that is not known.
void explain_begin_at(struct explain *x, int64_t at);
int64_t explain_began_at(const struct explain *x);
void explain_free(struct explain *x);
void explain_bytes(struct explain *x, enum explain_side from, uint64_t at_us, const uint8_t *data, size_t len);
// The side sends no more: it closed the connection, or reset it.
void explain_closed(struct explain *x, enum explain_side side, bool reset);
// How `by` judged its peer; the last one counts.
void explain_judged(struct explain *x, enum explain_side by, enum reason reason, int depth, const char *detail);
// No more can be understood of this connection; the first one counts.
void explain_end(struct explain *x, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

size_t explain_count(const struct explain *x);
const struct explain_message *explain_message(const struct explain *x, size_t i);
const struct explain_facts *explain_facts(const struct explain *x);
const struct explain_judgement *explain_judgement(const struct explain *x, enum explain_side by); // NULL: not known
const char *explain_ended(const struct explain *x); // why it was not followed to its end, or NULL
bool explain_is_closed(const struct explain *x, enum explain_side side, bool *reset);

// --- names ---

const char *explain_message_name(const struct explain_message *m); // static text: "ClientHello", "Alert"
const char *explain_version_name(int version);
const char *explain_suite_name(int suite);
const char *explain_side_name(enum explain_side side);
const char *explain_protection_name(enum explain_protection protection);

// --- the story: the nine steps ---

enum { EXPLAIN_STEPS = 9 };

enum explain_state {
    EXPLAIN_AS_DESCRIBED, // it happened, as in the classic description
    EXPLAIN_INSTEAD,      // something else happens in this kind of handshake: `instead` says what, and why
    EXPLAIN_FAILED,       // the connection ended here
    EXPLAIN_NOT_REACHED,  // the connection ended before
    EXPLAIN_UNSEEN,       // it is encrypted, or the capture ends before
};

struct explain_step {
    const char *title;
    const char *classic; // the sentence of the classic description
    struct buf instead;  // text; empty when there is nothing to add
    enum explain_state state;
    const struct explain_judgement *judgement; // in steps 3 and 6, where it is known; or NULL
    size_t *messages;                          // their numbers, in order
    size_t count, cap;
};

struct explain_story {
    const struct explain *of; // borrowed
    struct explain_step steps[EXPLAIN_STEPS];
    int failed;         // the step, from 1; 0: none
    struct buf kind;    // "TLS 1.3, full handshake, .."
    struct buf verdict; // one sentence: how it ended
    struct buf hint;    // sentences: what can be seen to be wrong; empty: nothing
};

void explain_story_init(struct explain_story *story, const struct explain *x);
void explain_story_clear(struct explain_story *story);
// Appends the sentences of `hint`, for a story that failed in this step (0: in none), by this alert (or NULL).
void explain_diagnose(const struct explain *x, int failed, const struct explain_message *refusal, struct buf *to);
const char *explain_state_name(enum explain_state state); // "done", "instead", "failed", "not_reached", "unseen"

// --- output ---

void explain_text(const struct explain_story *story, bool verbose, FILE *to);
json_t *explain_json(const struct explain_story *story, bool verbose); // docs/explain.md
// A drawing that stands for itself: no scripts, fonts or references. It can be embedded in a page of HTML as it is.
void explain_svg(const struct explain_story *story, struct buf *to);

#endif
