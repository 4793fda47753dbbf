// SPDX-License-Identifier: Apache-2.0
// What `mtls connect` tells: the person on stderr, a script on stdout.
#ifndef MTLS_CMD_CONNECT_SHOW_H
#define MTLS_CMD_CONNECT_SHOW_H

#include "client/client.h"

void connect_show_server(void *arg, const struct client_result *result); // who answered; a client_call's on_handshake
void connect_show_ending(const struct client_result *result);            // who refused whom, and what would mend it
int connect_show_json(const struct client_result *result, struct err *e);

#endif
