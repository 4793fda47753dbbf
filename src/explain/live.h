// SPDX-License-Identifier: Apache-2.0
// A connection that is happening here, explained: the tap of a struct tls_connection -> a struct explain.
#ifndef MTLS_EXPLAIN_LIVE_H
#define MTLS_EXPLAIN_LIVE_H

#include "explain/explain.h"
#include "tls/tls.h"

// What passes, decoded as it passes; a message's text is kept, application data is not. At most a few MiB.
struct explain_live;

struct explain_live *explain_live_new(enum explain_side self);
void explain_live_free(struct explain_live *live); // after the connection
const struct tls_tap *explain_live_tap(struct explain_live *live);
struct explain *explain_live_of(struct explain_live *live);
// How the connection ended, as far as this side knows: its verdict. Nothing if it came to none.
void explain_live_judged(struct explain_live *live, const struct tls_connection *connection);

// What passes, kept to be explained later, if ever: a few KiB for a handshake, and nothing is decoded.
enum { EXPLAIN_RECORDING_MOST = 32 * 1024 };
struct explain_recording;

struct explain_recording *explain_recording_new(enum explain_side self);
void explain_recording_free(struct explain_recording *recording); // after the connection
const struct tls_tap *explain_recording_tap(struct explain_recording *recording);
void explain_recording_fit(struct explain_recording *recording); // gives back what was reserved for more
bool explain_recording_is_empty(const struct explain_recording *recording);
// Explains it, as if it were live. Free it.
struct explain_live *explain_recording_play(const struct explain_recording *recording);

#endif
