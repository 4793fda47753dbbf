// SPDX-License-Identifier: Apache-2.0
// What the files mirror*.c share.
#ifndef MTLS_PROBE_MIRROR_INTERNAL_H
#define MTLS_PROBE_MIRROR_INTERNAL_H

#include "base/err.h"
#include "probe/dial.h"
#include "probe/mirror.h"
#include "tls/tls.h"

#include <sys/types.h>

// --- mirror_process.c: the client ---

struct mirror_word { // {name} in the command becomes value
    const char *name;
    const char *value;
};
enum { MIRROR_SAID = 512 };

struct mirror_process {
    pid_t pid; // of its process group too
    int output;
    bool ended;
    int status;             // as waitpid has it, once it has ended
    char said[MIRROR_SAID]; // the end of what it printed
    size_t said_len;
};

// Starts it with what is in braces replaced; `words` ends with a NULL name.
int mirror_process_start(struct mirror_process *p, const char *const *command, const struct mirror_word *words,
                         struct err *e);
// Takes what it printed, and looks whether it has ended. Never waits.
void mirror_process_look(struct mirror_process *p);
// Ends it and what it has started, if it goes on, and forgets it.
void mirror_process_stop(struct mirror_process *p);

// --- mirror_server.c: a server that is wrong on purpose, for one run of a client ---

struct mirror_seen {
    bool connected;
    bool hello;     // the client's; we answered it
    bool completed; // the handshake
    bool requested; // something came after it
    bool late;      // it was still there at the deadline
    int alert;      // received, TLS_ALERT_*
    int alert_sent;
    char failure[160]; // of TLS, escaped
};

struct mirror_server {
    int listener;
    char port[8];
};
int mirror_server_open(struct mirror_server *server, struct err *e); // on loopback
void mirror_server_close(struct mirror_server *server);
// Serves whoever comes until the client has ended or the deadline (monotonic microseconds) is there.
void mirror_server_run(const struct mirror_server *server, struct tls_context *context, struct mirror_process *client,
                       uint64_t deadline, struct mirror_seen *seen);

// --- mirror_judge.c ---

void mirror_judge(const struct mirror_seen *seen, const struct mirror_process *client, struct outcome *outcome);

// --- mirror_pki.c: who the servers are ---

struct mirror_pki {
    char *directory;         // of a PKI
    char *temporary;         // to be removed; or NULL
    char *certificate, *key; // of a client that it has, or NULL
    char *anchors, *lists;
    char *host_entry; // "servers/localhost"
    struct trust_snapshot *snapshot;
};
int mirror_pki_open(struct mirror_pki *pki, const char *directory, const char *host, struct err *e);
void mirror_pki_close(struct mirror_pki *pki);
// A server that presents the entry as it is, in one version.
struct tls_context *mirror_pki_context(const struct mirror_pki *pki, const char *entry, unsigned version,
                                       struct err *e);

#endif
