// SPDX-License-Identifier: Apache-2.0
// The handshakes that the server takes part in, explained: to whoever runs it (explain.connections), and to the visitor
// (explain.page). What passes is recorded while it lasts; it is decoded only if it is told.
#ifndef MTLS_SERVER_EXPLAINED_H
#define MTLS_SERVER_EXPLAINED_H

#include "explain/live.h"
#include "server/config.h"

// Before the handshake, of a loop with so many connections. NULL: no explanation is asked for, or only that of the
// page, which is not worth the memory of a busy server.
enum { EXPLAINED_CROWD = 256 };
struct explain_recording *explained_begin(const struct server_config *config, struct tls_connection *tls,
                                          size_t connections);
// It is over; *recording, which may be NULL, is freed and becomes NULL if it is of no use any more. The whole
// explanation is written at once, whatever other threads write.
void explained_accepted(struct explain_recording **recording, const struct server_config *config,
                        struct tls_connection *tls, const char *address);
void explained_refused(struct explain_recording **recording, const struct server_config *config,
                       struct tls_connection *tls, const char *address);
// The server has waited for it long enough.
void explained_ended(struct explain_recording **recording, const struct server_config *config,
                     struct tls_connection *tls, const char *address);
// This was asked for, first or later. The recording ends with the first request; thousands of connections that ask for
// other things than the page should not keep what only that shows.
void explained_requested(struct explain_recording **recording, struct tls_connection *tls, struct span target);
// The drawing, for the one who was accepted.
void explained_draw(const struct explain_recording *recording, struct buf *svg);

#endif
