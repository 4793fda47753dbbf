// SPDX-License-Identifier: Apache-2.0
// A load generator for servers that require a client certificate: many connections at once, in one thread, by OpenSSL's
// client side. Each slot does one thing again and again; what it sees is judged at once and only counted.
#ifndef MTLS_TESTS_LOAD_H
#define MTLS_TESTS_LOAD_H

#include "base/mem.h"

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stdint.h>

// --- what a slot does ---
#define LOAD_MODES(X)                                                                                                  \
    X(FULL, full, "a full handshake, one request, close")                                                              \
    X(RESUMED, resumed, "the same with the identity's last session")                                                   \
    X(KEEPALIVE, keepalive, "requests on a connection that stays")                                                     \
    X(ECHO, echo, "POST /echo of up to 100 kB on a connection that stays")                                             \
    X(DOWNLOAD, download, "GET of --download on a connection that stays")                                              \
    X(IDLE, idle, "one request, then the connection is held")                                                          \
    X(BAD, bad, "a certificate that must be refused")                                                                  \
    X(SLOW, slow, "drop by drop: ClientHello, request header, reading of a response")                                  \
    X(HALF, half, "begins and then says nothing")                                                                      \
    X(GARBAGE, garbage, "bytes that are no TLS, before or in a connection")                                            \
    X(ABORT, abort, "goes away, at any moment")

enum load_mode {
#define X(upper, name, what) MODE_##upper,
    LOAD_MODES(X)
#undef X
        MODE_COUNT
};

// --- what is counted, for each mode ---
// Right: what should happen. Failed: a client that should have been served was not. Wrong: what must never happen.
#define LOAD_COUNTS(X)                                                                                                 \
    X(RIGHT, served)           /* answered, with the answer that is right */                                           \
    X(RIGHT, handshakes)       /* that were complete for us */                                                         \
    X(RIGHT, resumed)          /* of these */                                                                          \
    X(RIGHT, not_resumed)      /* a session was offered and not taken */                                               \
    X(RIGHT, refused)          /* with a bad or a revoked certificate */                                               \
    X(RIGHT, refused_in_words) /* of these: by an HTTP error, after the handshake */                                   \
    X(RIGHT, refused_silently) /* of these: closed without an alert */                                                 \
    X(RIGHT, cut)              /* what behaved badly was ended by the server */                                        \
    X(RIGHT, left)             /* what behaved badly went away itself */                                               \
    X(FAILED, not_connected)                                                                                           \
    X(FAILED, timeout)                                                                                                 \
    X(FAILED, closed)            /* before the answer was complete */                                                  \
    X(FAILED, refused_good)      /* an alert to a certificate that is good */                                          \
    X(FAILED, server_unverified) /* we refused the server's certificate */                                             \
    X(FAILED, status)            /* not 200 */                                                                         \
    X(FAILED, unreadable)        /* no HTTP/1.1 response that can be read */                                           \
    X(FAILED, not_cut)           /* what behaved badly was never ended */                                              \
    X(WRONG, wrong_identity)                                                                                           \
    X(WRONG, wrong_body)                                                                                               \
    X(WRONG, wrong_resumed)  /* the server says of the handshake what it was not */                                    \
    X(WRONG, bad_served)     /* a bad certificate, or garbage, got an answer */                                        \
    X(WRONG, revoked_served) /* a request that was made after the revocation and the margin */                         \
    X(WRONG, revoked_alive)  /* a connection that was still open then */

enum load_count {
#define X(kind, name) COUNT_##name,
    LOAD_COUNTS(X)
#undef X
        COUNT_COUNT
};

// --- who calls ---
enum { VERSION_1_2, VERSION_1_3, VERSIONS };

struct identity {
    char *name; // as the list names it: clients/alice; "-" for nobody
    bool good;
    X509 *certificate; // NULL: none
    STACK_OF(X509) * issuers;
    EVP_PKEY *key;
    char *subject;        // RFC 4514
    char fingerprint[65]; // SHA-256, hexadecimal
    SSL_SESSION *sessions[VERSIONS];
    int64_t revoking_ms; // since 1970: when its revocation began, and when it was there; 0: it is not revoked
    int64_t revoked_ms;
    uint64_t closed; // of its connections that were held, by the server
    int64_t closed_first_us, closed_last_us;
};

struct identities {
    struct identity *items;
    size_t count, cap;
    size_t next; // whose turn it is
};

// Reads a list of directories below `pki`, one a line, each with combined.pem; "-" is a client without a certificate.
// What OpenSSL itself cannot present is left out, and said.
void identities_read(struct identities *list, const char *pki, const char *file, bool good);
void identities_clear(struct identities *list);
struct identity *identities_next(struct identities *list);
int identity_use(const struct identity *who, SSL *tls); // 0, or -1: OpenSSL will not
// Reads the lines that were added to the file since: "begin NAME MS" and "end NAME MS" around each revocation.
void identities_revoked(struct identities *list, const char *file);

// --- HTTP responses ---
enum answer_status { ANSWER_MORE, ANSWER_DONE, ANSWER_UNREADABLE };

struct answer {
    struct buf head;
    bool head_done, chunked;
    int status;
    int64_t left;         // of the body, or of the chunk
    int phase;            // of the chunk
    struct buf body;      // what is kept of it
    struct span expected; // what the body should be; data NULL: it is kept
    size_t offset;        // into it
    bool differs;
};

void answer_reset(struct answer *a);
enum answer_status answer_feed(struct answer *a, const uint8_t *data, size_t len);

// --- slots ---
enum slot_state { SLOT_CLOSED, SLOT_CONNECTING, SLOT_HANDSHAKE, SLOT_TALKING, SLOT_RESTING, SLOT_ATTACK };

struct slot {
    enum load_mode mode;
    enum slot_state state;
    unsigned number, turn; // turn: how many operations it began
    int version;
    int fd;
    SSL *tls;
    struct identity *who;
    int64_t wake_ms, deadline_ms; // monotonic; INT64_MAX for none
    int64_t asked_ms;             // since 1970: when the request was written
    struct buf out;
    size_t sent;
    struct answer answer;
    unsigned requests; // on this connection
    bool offered, established;
    char alert[64]; // what the server said last
    int variant;    // of an attack
    int patience;   // steps until it aborts
};

struct load_counts {
    uint64_t of[COUNT_COUNT];
    uint64_t begun, bytes;
};

struct load_alert {
    char text[64];
    enum load_mode mode;
    uint64_t count;
};

// Everything there is.
struct load {
    // options
    const char *host, *path, *download, *text, *revoked, *ready_file;
    unsigned port, addresses;
    long count, seconds, requests, pause_ms, timeout_ms, patience_ms, margin_ms;
    struct buf file; // what the download should be
    int versions[VERSIONS];
    int version_count;
    // state
    int poll;
    SSL_CTX *tls;
    struct identities good, bad;
    struct slot *slots;
    size_t slot_count;
    size_t idle_slots, idle_open, opening, open;
    bool stopping;
    uint64_t random;
    uint8_t *buffer;
    // results
    struct load_counts counts[MODE_COUNT];
    struct load_alert alerts[64];
    size_t alert_count;
};

enum { LOAD_BUFFER = 65536, LOAD_OPENING = 64 };

int64_t load_ms(void);
int64_t load_wall_us(void);
uint64_t load_random(struct load *l, uint64_t below);
void load_say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
_Noreturn void load_die(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

// load_slot.c: opening and closing
void slot_open(struct load *l, struct slot *s);
void slot_step(struct load *l, struct slot *s); // something may have happened on its socket
void slot_tick(struct load *l, struct slot *s); // time has passed
void slot_close(struct load *l, struct slot *s, int64_t pause_ms);
void slot_rest(struct slot *s, int64_t wake_ms);
SSL *slot_tls(struct load *l, struct slot *s);
void slot_request(struct load *l, struct slot *s);
void slot_handshake_done(struct load *l, struct slot *s);
// Writes and reads application data until both would block. What came of the connection:
enum talk { TALK_BLOCKED, TALK_ANSWERED, TALK_UNREADABLE, TALK_CLOSED };
enum talk slot_talk(struct load *l, struct slot *s);

// load_judge.c: what a result means
void judge_answer(struct load *l, struct slot *s); // a whole response has come
void judge_end(struct load *l, struct slot *s);    // the connection ended without one
bool judge_is_revoked(const struct load *l, const struct slot *s);
void judge_alive(struct load *l, struct slot *s); // it is open: may it be?
void judge_count(struct load *l, struct slot *s, enum load_count what);

// load_attack.c
bool attack_is(enum load_mode mode);
void attack_begin(struct load *l, struct slot *s); // connected
void attack_step(struct load *l, struct slot *s);
void attack_tick(struct load *l, struct slot *s);
bool attack_aborts(struct load *l, struct slot *s); // true: it was closed just now

int report_print(const struct load *l, double seconds); // JSON; 0, or 1 if anything failed or was wrong

#endif
