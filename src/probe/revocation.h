// SPDX-License-Identifier: Apache-2.0
// A certificate that is good at first and revoked while the target knows its holder: by a live connection, and by a
// session. Never more than one connection at a time, for the sake of targets that serve one at a time.
#ifndef MTLS_PROBE_REVOCATION_H
#define MTLS_PROBE_REVOCATION_H

#include "probe/dial.h"
#include "probe/identity.h"
#include "probe/raw.h"

struct prober;

struct revocation { // of one version
    bool tried;
    char why[320];   // it cannot be brought about; "": it can
    char doubt[320]; // it cannot be judged; "": it can
    struct identity identity;
    struct raw_session session;
    char no_session[200]; // why there is none to try; "": there is
    char no_live[200];    // the same of the connection
    struct outcome live_outcome;
    struct outcome after; // of a new connection, once the target had been told
};

// What came of it, which is brought about when it is first asked for; the prober's.
struct revocation *revocation_of(struct prober *p, unsigned version);
void revocation_clear(struct revocation *revocation);

// Makes a session and tries whether it is resumed. `why`: there is none to try (""  otherwise). False: it is not even a
// good connection, and the outcome says what it was.
bool session_make(struct prober *p, const struct identity *identity, unsigned version, struct raw_session *session,
                  char *why, size_t size, struct outcome *outcome);

#endif
