// SPDX-License-Identifier: Apache-2.0
// What `mtls connect` tells: the person on stderr, a script on stdout.
#ifndef MTLS_CMD_CONNECT_SHOW_H
#define MTLS_CMD_CONNECT_SHOW_H

#include "client/client.h"
#include "client/diagnosis.h"

struct connect_show {
    bool silent, verbose;
    FILE *head; // gets the response's head; NULL: nobody
};

// A client_call's functions; the arg is a struct connect_show.
void connect_show_server(void *arg, const struct client_result *result);
void connect_show_line(void *arg, enum client_line kind, const char *line);
// Who refused whom, why as far as that can be seen, and what would mend it.
void connect_show_ending(const struct client_result *result, const struct client_diagnosis *diagnosis);
void connect_show_summary(const struct client_summary *summary);
int connect_show_summary_json(const struct client_summary *summary, struct err *e);
int connect_show_json(const struct client_result *result, const struct client_diagnosis *diagnosis, struct err *e);

#endif
