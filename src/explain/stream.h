// SPDX-License-Identifier: Apache-2.0
// One direction of a TCP connection put together again (RFC 9293 section 3.4).
#ifndef MTLS_EXPLAIN_STREAM_H
#define MTLS_EXPLAIN_STREAM_H

#include "base/mem.h"

#include <stdbool.h>
#include <stdint.h>

enum { STREAM_SEGMENTS_MOST = 1024, STREAM_WAITING_MOST = 4 * 1024 * 1024 };

struct stream_segment {
    uint32_t sequence;
    uint32_t len;    // as it was sent
    struct buf data; // as it was captured: may be shorter
};

struct stream {
    bool begun;
    uint32_t next;                  // the sequence number of the octet that is awaited
    bool gap;                       // what is awaited will not come: nothing is delivered any more
    struct stream_segment *waiting; // in the order of their sequence numbers
    size_t count, cap;
    size_t waiting_octets;
};

typedef void stream_deliver(void *arg, struct span data);

void stream_begin(struct stream *s, uint32_t first); // the number of its first octet
// A segment of `len` octets, of which `data` are there. What is in turn is delivered.
void stream_segment(struct stream *s, uint32_t sequence, uint32_t len, struct span data, stream_deliver *deliver,
                    void *arg);
void stream_clear(struct stream *s);

#endif
