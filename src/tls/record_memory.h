// SPDX-License-Identifier: Apache-2.0
// The memory of mbedTLS's record buffers: two for each connection, each as large as the largest record, although
// little passes through most of them and nothing while they are quiet. They get whole pages, which are there only once
// they were written to, and which can be given back while the connection rests.
#ifndef MTLS_TLS_RECORD_MEMORY_H
#define MTLS_TLS_RECORD_MEMORY_H

#include <stddef.h>

struct record_memory {
    void *blocks[2]; // what a connection's buffers lie in; NULL: not known here
};

// Between the two calls, on this thread, mbedTLS makes the buffers of one connection.
void record_memory_begin(struct record_memory *memory);
void record_memory_end(void);
// Gives back all but the first page of both. What was written there is gone: zeros come back.
void record_memory_rest(const struct record_memory *memory);

#endif
