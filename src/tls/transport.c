// SPDX-License-Identifier: Apache-2.0
#include "tls/transport.h"

#include <stdlib.h>

// The flights of one handshake are smaller, unless somebody's chain is long; then they leave in several pieces.
enum { AHEAD = 4096, HELD_FIRST = 2048, HELD_MOST = 32768 };

long transport_flush(struct transport *transport)
{
    struct buf *out = &transport->out;
    while (transport->out_used < out->len) {
        long n = transport->io.send(transport->io.arg, out->data + transport->out_used, out->len - transport->out_used);
        if (n == TLS_IO_AGAIN) {
            return n;
        }
        if (n < 0) {
            out->len = 0;
            transport->out_used = 0;
            return n;
        }
        transport->out_used += (size_t)n;
    }
    buf_clear(out);
    transport->out_used = 0;
    return 0;
}

long transport_send(struct transport *transport, const uint8_t *data, size_t len)
{
    struct buf *out = &transport->out;
    if (out->len > 0 && (!transport->holds || out->len + len > HELD_MOST)) {
        long n = transport_flush(transport);
        if (n != 0) {
            return n;
        }
    }
    if (!transport->holds) {
        return transport->io.send(transport->io.arg, data, len);
    }
    buf_reserve(out, out->len > 0 || len > HELD_FIRST ? len : HELD_FIRST);
    buf_add(out, data, len);
    return (long)len;
}

void transport_rest(struct transport *transport)
{
    if (transport->in_used == transport->in_len) {
        free(transport->in);
        transport->in = NULL;
    }
}

// Whoever asks for much gets it without a detour. A peer that has not been sent our flight has nothing to say yet: it
// is not asked.
long transport_receive(struct transport *transport, uint8_t *data, size_t len)
{
    if (transport->in_used == transport->in_len) {
        if (transport->holds && transport->out.len > 0) {
            return TLS_IO_AGAIN;
        }
        if (!transport->ahead || len >= AHEAD) {
            return transport->io.receive(transport->io.arg, data, len);
        }
        transport->in = transport->in != NULL ? transport->in : mem_alloc(AHEAD);
        long n = transport->io.receive(transport->io.arg, transport->in, AHEAD);
        transport->in_used = 0;
        transport->in_len = n > 0 ? (size_t)n : 0;
        if (n <= 0) {
            transport_rest(transport); // it may be quiet for long
            return n;
        }
    }
    size_t there = transport->in_len - transport->in_used;
    size_t n = there < len ? there : len;
    memcpy(data, transport->in + transport->in_used, n);
    transport->in_used += n;
    return (long)n;
}

void transport_clear(struct transport *transport)
{
    buf_clear(&transport->out);
    free(transport->in);
    transport->in = NULL;
}
