// SPDX-License-Identifier: Apache-2.0
// --explain, --pcap: what a person may want to see of the connection that a command makes.
#ifndef MTLS_CMD_OBSERVE_H
#define MTLS_CMD_OBSERVE_H

#include "base/args.h"
#include "client/client.h"

#include <jansson.h>

struct observe_options {
    const char *explain; // "", "text", "json" or "svg:FILE"; NULL: no
    const char *pcap;    // file; NULL: no
};

// Entries of a command's table of options.
#define OBSERVE_EXPLAIN(o)                                                                                             \
    {                                                                                                                  \
        "explain", 0, ARG_OPTIONAL, "text|json|svg:FILE",                                                              \
            "tell the handshake in nine steps (docs/explain.md): on stderr, or on stdout if nothing else goes there "  \
            "(with --output, without --json); svg: draw it",                                                           \
            &(o)->explain                                                                                              \
    }
#define OBSERVE_PCAP(o)                                                                                                \
    {                                                                                                                  \
        "pcap", 0, ARG_TEXT, "FILE", "write the connection's packets, for Wireshark (with --key-log: its keys)",       \
            &(o)->pcap                                                                                                 \
    }

struct observe;

// Checks the options and opens what is to be written.
int observe_begin(const struct observe_options *options, struct observe **observe, struct err *e);
const struct client_observer *observe_client(struct observe *observe); // for a call; NULL for NULL
// What the server asked of us in its CertificateRequest: null if there was none, or it could not be read; else a list
// of the names of the CAs that it accepts. The caller's reference.
json_t *observe_authorities(const struct observe *observe);
// Tells what was seen of the last connection: text and JSON to `to`, if there was one. Frees.
int observe_end(struct observe *observe, bool verbose, FILE *to, struct err *e);

#endif
