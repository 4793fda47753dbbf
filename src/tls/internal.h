// SPDX-License-Identifier: Apache-2.0
// What the files of this room share.
#ifndef MTLS_TLS_INTERNAL_H
#define MTLS_TLS_INTERNAL_H

#include "base/random.h"
#include "tls/alert.h"
#include "tls/key_log.h"
#include "tls/record_memory.h"
#include "tls/tls.h"

#include <mbedtls/pk.h>
#include <mbedtls/ssl.h>

struct tls_credentials {
    mbedtls_x509_crt chain; // leaf first
    mbedtls_pk_context key;
    struct buf *as_is; // the DER behind `chain`, where mbedTLS did not read it
    size_t as_is_count;
    size_t as_is_cap;
};

struct tls_context {
    enum tls_role role;
    struct tls_credentials *credentials; // or NULL
    struct trust_snapshot *snapshot;
    mbedtls_ssl_config config;
    struct key_log *key_log; // or NULL
    struct rng rng;          // its generator is locked by mbedTLS
    int references;          // atomic
};

enum connection_state { CONNECTION_HANDSHAKE, CONNECTION_OPEN, CONNECTION_REFUSING, CONNECTION_FAILED };

struct refusal {
    int withheld;                       // the alert that mbedTLS wanted to send; or TLS_ALERT_NONE
    const struct record_cipher *cipher; // it was under the handshake key, with this; or NULL
    bool sealed;
    uint8_t record[ALERT_SEALED]; // the alert that goes out instead
    size_t sent;
};

struct tls_connection {
    struct tls_context *context;
    struct tls_io io;
    mbedtls_ssl_context ssl;
    char *name; // of the server asked for, or NULL
    enum connection_state state;
    struct trust_verdict verdict;    // of trust_judge, once it was asked
    bool judged;                     // it was
    struct buf issuer;               // of the accepted leaf, DER, while mbedTLS verifies
    struct trust_identity *identity; // only when CONNECTION_OPEN
    struct buf *presented;           // the peer's certificates as they came, DER, the leaf first
    size_t presented_count, presented_cap;
    struct alert_watch incoming;
    struct alert_watch outgoing;
    struct refusal refusal;
    struct record_memory memory; // of mbedTLS's buffers
    size_t unsent;               // bytes that mbedTLS wanted to send and the transport did not take
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

// presented.c: mbedtls_ssl_handshake, keeping what the peer presents.
int presented_handshake(struct tls_connection *c);
void presented_take(struct tls_connection *c, const mbedtls_x509_crt *chain); // from mbedTLS, if nothing was kept
void presented_clear(struct tls_connection *c, size_t keep);                  // forgets all but the first `keep`
struct span presented_leaf(const struct tls_connection *c);
struct tls_connection *presented_connection(void); // whose handshake is on, on this thread

// verify.c: mbedTLS's verify callback; and the only caller of trust_judge, which it asks about what was presented.
int verify_hook(void *connection, mbedtls_x509_crt *crt, int depth, uint32_t *flags);
bool verify_presented(struct tls_connection *c);
int verify_issuers(void *arg, const mbedtls_x509_crt *child, mbedtls_x509_crt **issuers); // an mbedtls_x509_crt_ca_cb_t
// failure.c: a handshake or a read or write ended with this code; fills ending, verdict and failure.
void failure_explain(struct tls_connection *c, int code);

#endif
