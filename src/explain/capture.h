// SPDX-License-Identifier: Apache-2.0
// Capture files (pcap, pcapng) -> the TLS connections in them. TCP is put together again: segments that come late,
// twice or overlapping; what was first counts.
#ifndef MTLS_EXPLAIN_CAPTURE_H
#define MTLS_EXPLAIN_CAPTURE_H

#include "explain/explain.h"

#include <stdio.h>

struct capture_connection {
    char *addresses[2]; // "127.0.0.1:8443", "[::1]:8443", of enum explain_side
    int64_t start_us;   // since 1970, of its first packet
    struct explain *explain;
};

struct capture {
    struct capture_connection *connections; // that begin with a ClientHello, in the order of their beginnings
    size_t count;
    size_t other;  // connections of TCP that do not, or that are more than can be followed
    char *stopped; // why the file was not read to its end, or NULL
};

// Reads the whole file, which is closed then. The keys are borrowed, and may be NULL.
struct capture *capture_read(FILE *file, const struct explain_keys *keys, struct err *e);
void capture_free(struct capture *capture);

#endif
