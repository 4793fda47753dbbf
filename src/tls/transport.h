// SPDX-License-Identifier: Apache-2.0
// Between mbedTLS and the transport, so that the system is called less often. mbedTLS sends each record by itself, and
// receives each in two pieces; here a flight of the handshake leaves as one, and what is there is taken at once. The
// order of the bytes is theirs; nothing waits for longer than the call of tls.h that it was written in, unless it was
// told to.
#ifndef MTLS_TLS_TRANSPORT_H
#define MTLS_TLS_TRANSPORT_H

#include "tls/tls.h"

struct transport {
    struct tls_io io;
    bool holds; // what is sent waits for transport_flush
    bool ahead; // more may be received than was asked for
    struct buf out;
    size_t out_used;
    uint8_t *in; // received ahead; or NULL
    size_t in_len, in_used;
};

// Bytes taken, or TLS_IO_AGAIN or TLS_IO_ERROR; receive: 0 for the end.
long transport_send(struct transport *transport, const uint8_t *data, size_t len);
long transport_receive(struct transport *transport, uint8_t *data, size_t len);
// 0: all is sent. What cannot be sent any more is dropped.
long transport_flush(struct transport *transport);
void transport_rest(struct transport *transport); // gives back memory that holds nothing
void transport_clear(struct transport *transport);

#endif
