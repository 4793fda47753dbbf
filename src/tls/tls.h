// SPDX-License-Identifier: Apache-2.0
// TLS 1.2 and 1.3 in which both sides are somebody. Wraps mbedTLS; judges with trust.
//
// The one promise of this room: until trust_judge has accepted the peer's chain AND the handshake is complete (which
// proves that the peer has the key), tls_peer() is NULL and tls_read() and tls_write() fail. A connection starts out
// refused (REASON_handshake); nothing but trust_judge can change that to accepted, and mbedTLS's own verification can
// still make an accepted one refused, never the reverse. The one exception is a context that says TLS_UNSAFE_...:
// reading and writing go on with whoever was refused, and tls_peer() stays NULL.
#ifndef MTLS_TLS_TLS_H
#define MTLS_TLS_TLS_H

#include "base/err.h"
#include "trust/trust.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// --- credentials: a certificate, its issuers, its key ---

struct tls_credentials;

// Reads PEM files: the leaf first, then its issuers; the key unencrypted. `key` NULL: it is in the certificate's file
// (combined.pem). A key that does not belong to the certificate is an error.
struct tls_credentials *tls_credentials_load(const char *certificate, const char *key, struct err *e);
// The same bytes presented as they are, read or not, matching or not: what a test of the other side needs. Nothing
// about them is checked but that there is PEM, and a key that can sign.
struct tls_credentials *tls_credentials_load_as_is(const char *certificate, const char *key, struct err *e);
// The same from memory: DER certificates, the leaf first, and an unencrypted key, PEM (with its NUL) or DER. All
// copied.
struct tls_credentials *tls_credentials_of_memory(const struct span *chain, size_t count, struct span key,
                                                  struct err *e);
void tls_credentials_free(struct tls_credentials *credentials);

// --- tickets: how a session is resumed, by whoever is still accepted ---

// A ticket carries who the client was, sealed; the client is judged again when it comes back. TLS 1.2 and 1.3.
struct tls_tickets; // the keys that seal them; many contexts and threads share it

struct tls_ticket_settings {
    const char *key_file; // shared by replicas, made by tls_ticket_keys_rotate; NULL: random keys of this process
    int64_t lifetime;     // seconds from the full handshake, at most seven days; 0: no tickets
};

struct tls_tickets *tls_tickets_new(const struct tls_ticket_settings *settings, struct err *e);
struct tls_tickets *tls_tickets_ref(struct tls_tickets *tickets);
void tls_tickets_free(struct tls_tickets *tickets); // drops one reference
// Reads the key file again; on failure the old keys stay. From any thread.
int tls_tickets_reload(struct tls_tickets *tickets, struct err *e);
// Adds a new key to a file, which seals from *from on (every replica must have read it by then), and drops the keys
// that no ticket can need any more. If there is no such file it is made, and *from becomes `now`.
int tls_ticket_keys_rotate(const char *file, int64_t *from, int64_t now, struct err *e);

// --- context: what many connections share; immutable and reference-counted, so a reload makes a new one ---

enum tls_role { TLS_CLIENT, TLS_SERVER };
enum tls_versions { TLS_1_2_AND_1_3, TLS_1_2_ONLY, TLS_1_3_ONLY };
enum tls_verification {
    TLS_VERIFY, // whoever is refused is gone
    // Of a client: it goes on with a server that it refuses. tls_verdict() says what there is against it, and
    // tls_peer() stays NULL: nobody was verified. Of a server: it asks for a certificate, and goes on with anybody.
    TLS_UNSAFE_NO_VERIFY,
    // Of a client to which the server's certificate is of no interest: nobody looks at it, not even to say what is
    // wrong, and the verdict stays what it was at first.
    TLS_UNSAFE_NO_JUDGE,
};

struct tls_settings {
    enum tls_role role;
    enum tls_versions versions;
    struct tls_credentials *credentials; // now the context's, also when making it fails; NULL: a client without any
    struct trust_snapshot *snapshot;     // gets another reference
    const char **alpn;                   // NULL-terminated, static; or NULL
    struct tls_tickets *tickets;         // gets another reference; of a server; NULL: no session is resumed
    const char *key_log;                 // the file that gets every session's secrets; NULL: none
    bool legacy_rsa;                     // TLS 1.2's RSA key exchange too, without forward secrecy: the last resort
    // Names as IANA, OpenSSL and curl have them, with colons or commas between; NULL: ours. The suites of a version of
    // which none is named stay ours.
    const char *ciphers;
    const char *curves;
    bool sessions; // of a client: asks for tickets, so that tls_session_of() has something
    enum tls_verification verification;
};

struct tls_context;
struct tls_context *tls_context_new(const struct tls_settings *settings, struct err *e);
struct tls_context *tls_context_ref(struct tls_context *context);
// No new connection will be made of it: lets its snapshot go, which may be large. Those that there are go on. Nobody
// else may use the context meanwhile.
void tls_context_retire(struct tls_context *context);
void tls_context_free(struct tls_context *context); // drops one reference
// The i-th certificate that it presents, DER, the leaf first; empty beyond the last. Borrowed.
struct span tls_context_certificate(const struct tls_context *context, size_t i);
const struct trust_snapshot *tls_context_snapshot(const struct tls_context *context); // by which it judges; borrowed

// --- connection: never blocks by itself ---

enum tls_status {
    TLS_DONE,
    TLS_WANT_READ,  // call again when there is something to receive
    TLS_WANT_WRITE, // call again when there is room to send
    TLS_CLOSED,     // the peer said that it is done (close_notify)
    TLS_EOF,        // the transport ended without that: what was read may be cut short
    TLS_FAILED,     // see tls_failure()
};

// Bytes moved, 0 for the end (receive only), TLS_IO_AGAIN or TLS_IO_ERROR (errno says why).
enum { TLS_IO_AGAIN = -1, TLS_IO_ERROR = -2 };
struct tls_io {
    void *arg;
    long (*receive)(void *arg, uint8_t *data, size_t len);
    long (*send)(void *arg, const uint8_t *data, size_t len);
};
struct tls_io tls_io_of_socket(int fd); // a non-blocking socket, borrowed

struct tls_connection;
// `name`: what a client asks the server to be (host name or IP address), sent as SNI unless it is an address; NULL for
// a server. Takes a reference to the context.
struct tls_connection *tls_connection_new(struct tls_context *context, struct tls_io io, const char *name,
                                          struct err *e);
void tls_connection_free(struct tls_connection *connection);

// A passive copy of what passes between the transport and mbedTLS, and of the secrets, for whoever explains or records
// the connection. It can change or delay nothing. What was withheld from the transport was not sent, and is not seen.
struct tls_tap {
    void *arg;
    void (*bytes)(void *arg, bool sent, const uint8_t *data, size_t len); // as many as were taken, or came; never none
    // As a line of SSLKEYLOGFILE has it, before the first record that it protects is received or sent.
    void (*secret)(void *arg, const char *label, const uint8_t client_random[32], struct span secret);
    void (*ended)(void *arg, bool reset); // the peer sends no more: told once
};
// Before the handshake. Copied; all of its functions are there, and its arg outlives the connection. {0} ends it.
void tls_connection_tap(struct tls_connection *connection, const struct tls_tap *tap);

enum tls_status tls_handshake(struct tls_connection *connection);
enum tls_status tls_read(struct tls_connection *connection, void *data, size_t len, size_t *got);
// A client's gets TLS_EOF when the transport takes no more: what the server had to say, an alert perhaps, is then still
// there for tls_read().
enum tls_status tls_write(struct tls_connection *connection, const void *data, size_t len, size_t *put);
enum tls_status tls_close(struct tls_connection *connection); // sends close_notify
// What is written from now on waits for tls_close, which must follow, and leaves together with close_notify.
void tls_hold(struct tls_connection *connection);
// It is quiet, and may stay so for a while: gives back memory that only traffic needs. Any later call takes it again by
// itself. Costs two system calls; does nothing while something is half done.
void tls_rest(struct tls_connection *connection);

// --- session: what a client keeps, to resume by ---

// It holds secrets (zeroised when freed), the name that was asked for, and the certificates that the server presented:
// before a session is offered, the server is judged by them again, as if it presented them now; and what it is taken
// for then is what they say.
struct tls_session;
// The newest, the caller's. NULL: there is none; or none yet, as tickets of TLS 1.3 come with what is read.
struct tls_session *tls_session_of(struct tls_connection *connection);
// Appends it as text, for a file that nobody else can read or write.
void tls_session_write(const struct tls_session *session, struct buf *out);
struct tls_session *tls_session_read(struct span text, struct err *e);
// Before the handshake. -1: it is not offered, and the handshake will be a full one; the error says what is against it:
// the name, its age, our certificate, which is another one now, or the judge's reason (ERR_REFUSED).
int tls_connection_resume(struct tls_connection *connection, const struct tls_session *session, struct err *e);
void tls_session_free(struct tls_session *session);

// Who the peer is; NULL unless it was accepted and the handshake is complete. The connection's.
const struct trust_identity *tls_peer(const struct tls_connection *connection);
const struct trust_verdict *tls_verdict(const struct tls_connection *connection);
// The peer's leaf certificate as it was presented (DER), accepted or not; empty when there was none.
struct span tls_peer_certificate(const struct tls_connection *connection);

bool tls_resumed(const struct tls_connection *connection); // accepted by a ticket, not by a certificate presented now
// The earliest notAfter in the accepted path: the last second in which the peer may be here.
int64_t tls_accepted_until(const struct tls_connection *connection);

// The snapshot that the peer was judged by last, the connection's.
const struct trust_snapshot *tls_snapshot(const struct tls_connection *connection);
// Judges the peer again at `now` by the snapshot of `current`, which becomes the connection's. True: it is still
// accepted; or there is no verdict yet, which will be by that snapshot. False: from now on tls_peer() is NULL, and
// tls_refuse() says why. Not while another thread uses the connection.
bool tls_judge_again(struct tls_connection *connection, struct tls_context *current, int64_t now);
// Sends the alert of a verdict that was not there when the handshake ended. TLS_WANT_WRITE: call again; TLS_FAILED: it
// is done, as far as it goes, and the connection is at its end.
enum tls_status tls_refuse(struct tls_connection *connection);

enum tls_ending {
    TLS_END_NONE,    // nothing has ended yet, or all is well
    TLS_END_US,      // we refused the peer: tls_verdict() has the reason
    TLS_END_PEER,    // the peer refused us: tls_alert_received() has the alert
    TLS_END_FAILURE, // no agreement on TLS, or the transport broke: tls_failure() says how
};
enum tls_ending tls_ended_by(const struct tls_connection *connection);
const char *tls_failure(const struct tls_connection *connection); // one sentence, escaped; "" for none

enum { TLS_ALERT_NONE = -1, TLS_ALERT_UNREADABLE = -2 };
int tls_alert_received(const struct tls_connection *connection); // its number (base/alert.def)
int tls_alert_sent(const struct tls_connection *connection);

const char *tls_version(const struct tls_connection *connection); // "TLSv1.3"; "" before it is agreed
const char *tls_alpn(const struct tls_connection *connection);    // the application protocol agreed on; or ""
const char *tls_cipher(const struct tls_connection *connection);  // IANA's name: "TLS_AES_128_GCM_SHA256"; or ""

#endif
