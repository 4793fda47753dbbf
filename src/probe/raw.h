// SPDX-License-Identifier: Apache-2.0
// A client without scruples: it keeps every session that it is given and offers it anywhere, under any name, with
// another certificate or none. src/tls rightly refuses to do that.
#ifndef MTLS_PROBE_RAW_H
#define MTLS_PROBE_RAW_H

#include "base/random.h"
#include "probe/dial.h"
#include "probe/identity.h"

#include <mbedtls/ssl.h>

struct raw_session { // {0}: none
    mbedtls_ssl_session *session;
};
void raw_session_clear(struct raw_session *session);
// As if it had been made under another name: mbedTLS binds sessions of TLS 1.3 to it. False: it cannot be done.
bool raw_session_rename(struct raw_session *session, const char *from, const char *to);

struct raw_call {
    const struct identity *identity;   // NULL, or of nobody: no certificate
    const char *name;                  // to ask for
    unsigned version;                  // PROBE_TLS_*
    const struct raw_session *offered; // NULL: a full handshake
};

struct raw_answer {
    struct outcome outcome;
    bool resumed;               // the target accepted the session that was offered
    struct raw_session session; // the newest that it gave; the caller's to clear
};

// Connects, asks once, and closes.
void raw_ask(const struct dial_target *target, const struct raw_call *call, struct raw_answer *answer);

#endif
