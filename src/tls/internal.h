// SPDX-License-Identifier: Apache-2.0
// What the files of this room share.
#ifndef MTLS_TLS_INTERNAL_H
#define MTLS_TLS_INTERNAL_H

#include "base/random.h"
#include "tls/alert.h"
#include "tls/hello.h"
#include "tls/key_log.h"
#include "tls/record_memory.h"
#include "tls/ticket.h"
#include "tls/tls.h"
#include "tls/transport.h"

#include <mbedtls/pk.h>
#include <mbedtls/ssl.h>

struct tls_credentials {
    mbedtls_x509_crt chain; // leaf first
    mbedtls_pk_context key;
    size_t count;      // of certificates in it
    struct buf *as_is; // the DER behind each, where mbedTLS did not read it; else NULL
    size_t as_is_cap;
};

struct tls_context {
    enum tls_role role;
    struct tls_credentials *credentials; // or NULL
    struct trust_snapshot *snapshot;     // of new connections; NULL once retired
    mbedtls_x509_crt anchors;            // mbedTLS's copy
    struct tls_tickets *tickets;         // or NULL
    struct ticket_issuers issuers;       // of the credentials: tickets refer to them
    mbedtls_ssl_config config;
    struct key_log *key_log; // or NULL
    enum tls_versions versions;
    bool sessions; // of a client: it keeps them
    enum tls_verification verification;
    int *ciphersuites; // that mbedTLS borrows, where they are not ours
    uint16_t *groups;
    struct rng rng; // its generator is locked by mbedTLS
    int references; // atomic
};

enum { SESSION_OWN = 32 };
struct tls_session {
    uint8_t own[SESSION_OWN]; // digest of our certificate, by which the server knows us; zeros: there was none
    struct buf ticket;        // as ticket_encode writes it
};

enum connection_state {
    CONNECTION_HANDSHAKE,
    CONNECTION_TICKETS, // accepted; in TLS 1.3 a server has tickets to send, before anything else
    CONNECTION_OPEN,
    CONNECTION_REFUSING,
    CONNECTION_FAILED,
};

// A ticket whose client was accepted. Whether the session is resumed with it, the ServerHello says.
struct resumption {
    struct buf plain; // what the ticket borrows from
    struct ticket ticket;
    uint8_t fact[TRUST_FACT];
    int64_t until;
    struct trust_identity *identity;
};

struct refusal {
    int withheld;                       // the alert that mbedTLS wanted to send; or TLS_ALERT_NONE
    const struct record_cipher *cipher; // it was under the handshake key, with this; or NULL
    bool sealed;
    uint8_t record[ALERT_SEALED]; // the alert that goes out instead
    size_t sent;
};

struct tls_connection {
    struct tls_context *context;
    struct transport transport;
    struct tls_tap tap; // its functions NULL: nobody looks
    mbedtls_ssl_context ssl;
    char *name; // of the server asked for, or NULL
    enum connection_state state;
    struct trust_snapshot *snapshot; // that judges
    struct trust_verdict verdict;    // of trust_judge, once it was asked
    bool judged;                     // it was
    bool outdated;                   // by another snapshot than the one that is here now
    uint8_t fact[TRUST_FACT];        // of the accepted path
    int64_t until;                   // and its earliest notAfter
    int64_t authenticated;           // when the peer proved that it has its key, in this handshake or the resumed one
    bool resumed;
    struct hello_watch *hello;       // while the handshake is on, where there are tickets
    bool bound;                      // the session is to its handshake (RFC 7627); of a client
    struct buf session;              // a client's newest, as ticket_encode writes it
    struct buf server_name;          // that the client asked for, as it came
    struct resumption *resumption;   // or NULL; of a client: of the session that it offers
    struct buf issuer;               // of the accepted leaf, DER, while mbedTLS verifies
    struct trust_identity *claimed;  // of the accepted leaf, until the handshake is complete
    struct trust_identity *identity; // only when CONNECTION_OPEN
    struct buf *presented;           // the peer's certificates as they came, DER, the leaf first
    size_t presented_count, presented_cap;
    struct alert_watch incoming;
    struct alert_watch outgoing;
    struct refusal refusal;
    struct record_memory memory; // of mbedTLS's buffers
    size_t unsent;               // bytes that mbedTLS wanted to send and the transport did not take
    bool closed;                 // our close_notify was written
    char cipher[64];
    int io_errno; // of the transport, when it failed
    int alert_received;
    enum tls_ending ending;
    struct err *failure; // NULL: none yet; a kilobyte that few need
};

// connection.c: to the transport, past mbedTLS; bytes sent, or TLS_IO_AGAIN or TLS_IO_ERROR.
long connection_send(struct tls_connection *c, const uint8_t *data, size_t len);
struct err *connection_failure(struct tls_connection *c); // where it is told, made when it is needed
// refusal.c: the alert that tells the peer. `withhold` is asked about all that a server's mbedTLS sends.
bool refusal_withhold(struct tls_connection *c, const uint8_t *data, size_t len);
enum tls_status refusal_send(struct tls_connection *c); // TLS_WANT_WRITE: call again; TLS_FAILED: it is done

// presented.c: mbedTLS's handshake, keeping what the peer presents; it ends before any ticket of TLS 1.3 is written.
int presented_handshake(struct tls_connection *c);
int presented_tickets(struct tls_connection *c); // and they are written here
// Reads a session as mbedtls_ssl_session_save wrote it; the certificate in it is none that is presented.
int presented_session(struct tls_connection *c, struct span saved, mbedtls_ssl_session *session);
void presented_add(struct tls_connection *c, struct span certificate);
void presented_take(struct tls_connection *c, const mbedtls_x509_crt *chain); // from mbedTLS, if nothing was kept
void presented_clear(struct tls_connection *c, size_t keep);                  // forgets all but the first `keep`
struct span presented_leaf(const struct tls_connection *c);
struct tls_connection *presented_connection(void); // whose handshake is on, on this thread

// verify.c: mbedTLS's verify callback; and the only caller of trust_judge, which it asks about what was presented.
int verify_hook(void *connection, mbedtls_x509_crt *crt, int depth, uint32_t *flags);
bool verify_presented(struct tls_connection *c);
bool verify_current(struct tls_connection *c); // is it accepted, by the snapshot that is here now?
// Judges a chain as the peer's; `fact` or NULL, `path` {0}.
bool verify_chain(struct tls_connection *c, const struct span *chain, size_t count, const uint8_t *fact, int64_t now,
                  bool identify, struct trust_verdict *verdict, struct trust_path *path);
// Judges the presented chain once more, after it was accepted.
bool verify_again(struct tls_connection *c, int64_t now);
int verify_issuers(void *arg, const mbedtls_x509_crt *child, mbedtls_x509_crt **issuers); // an mbedtls_x509_crt_ca_cb_t

// connection.c: sends the alert that belongs to the verdict, as often as it takes.
enum tls_status connection_refuse(struct tls_connection *c);

// resume.c: mbedTLS's callbacks, and what came of them.
void resume_configure(mbedtls_ssl_config *config);
// True: the session was resumed, or must not have been; verdict and identity's source are set. False: it was not.
bool resume_conclude(struct tls_connection *c);
void resume_clear(struct tls_connection *c);
// The content of a ticket, taken from `plain`: is its client accepted, here and now? Then `session` is filled.
bool resume_consider(struct tls_connection *c, struct buf *plain, int64_t now, mbedtls_ssl_session *session);
// The session of `resumption` was resumed: its chain is what the peer presented.
void resume_adopt(struct tls_connection *c, struct resumption *resumption);

// session.c: as resume_conclude, of a client; and whatever session mbedTLS has by now is kept.
void session_configure(mbedtls_ssl_config *config);
bool session_conclude(struct tls_connection *c);
void session_keep(struct tls_connection *c);

// suites.c: lists of names, in the terms of mbedTLS, ending with 0; for free(). NULL: a name is unknown.
int *suites_parse(const char *names, const int *defaults, struct err *e);
uint16_t *groups_parse(const char *names, struct err *e);

// failure.c: a handshake or a read or write ended with this code; fills ending, verdict and failure.
void failure_explain(struct tls_connection *c, int code);
// What the peer should hear of it where mbedTLS says nothing; TLS_ALERT_NONE: nobody would understand.
int failure_alert(const struct tls_connection *c, int code);

#endif
