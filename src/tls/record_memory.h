// SPDX-License-Identifier: Apache-2.0
// The memory of mbedTLS's record buffers: two for each connection, each as large as the largest record, although
// little passes through most of them and nothing while they are quiet. They get whole pages, which are there only once
// they were written to, and which can be given back while the connection rests.
#ifndef MTLS_TLS_RECORD_MEMORY_H
#define MTLS_TLS_RECORD_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// The blocks in which a connection's buffers lie, as far as they are known; the allocator forgets a block that is
// freed.
enum { RECORD_MEMORY_FRONT = 8 };

struct record_memory {
    void *incoming;
    void *outgoing;
    bool resting;
    uint8_t front[RECORD_MEMORY_FRONT]; // of the incoming block, while it rests
};

// mbedTLS is about to receive into this place, or to send from it.
void record_memory_incoming(struct record_memory *memory, const void *place);
void record_memory_outgoing(struct record_memory *memory, const void *place);
// Gives back the pages of both. What was written there is gone, zeros come back; but the first bytes of the incoming
// block are there again before mbedTLS receives into it.
void record_memory_rest(struct record_memory *memory);

#endif
