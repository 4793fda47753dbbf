// SPDX-License-Identifier: Apache-2.0
// A connection without TCP around it: records and messages, straight to the explanation. First the key log, with its
// length in front; then pieces: whose and what (1 from the server; 2 a whole message, 4 a record, else bare octets),
// the type of the message or record, the octets with their length in front.
#include "told.h"

enum { FROM_SERVER = 1, MESSAGE = 2, RECORD = 4, RECORD_MOST = 16384 };
enum { HANDSHAKE = 22, PIECES_MOST = 64 };

static void put(struct buf *b, size_t value, size_t octets)
{
    while (octets-- > 0) {
        uint8_t octet = (uint8_t)(value >> (8 * octets));
        buf_add(b, &octet, 1);
    }
}

static void put_record(struct buf *b, unsigned type, struct span content)
{
    put(b, type, 1);
    put(b, 0x0303, 2);
    put(b, content.len, 2);
    buf_add(b, content.data, content.len);
}

static void put_message(struct buf *b, unsigned type, struct span body)
{
    struct buf whole = {0};
    put(&whole, type, 1);
    put(&whole, body.len, 3);
    buf_add(&whole, body.data, body.len);
    for (size_t at = 0; at < whole.len; at += RECORD_MOST) {
        size_t len = whole.len - at < RECORD_MOST ? whole.len - at : RECORD_MOST;
        put_record(b, HANDSHAKE, span_of(whole.data + at, len));
    }
    buf_clear(&whole);
}

// Hands the connection in, each piece in chunks of so many octets. What is told, for free().
static char *tell(struct span input, size_t chunk)
{
    struct explain_keys *keys = explain_keys_new();
    explain_keys_read(keys, fuzz_run(&input));
    struct explain *x = explain_new(keys);
    explain_begin_at(x, FUZZ_NOW);
    for (int i = 0; input.len > 0 && i < PIECES_MOST; i++) {
        struct buf octets = {0};
        uint8_t flags = fuzz_octet(&input);
        uint8_t type = fuzz_octet(&input);
        struct span content = fuzz_run(&input);
        if ((flags & MESSAGE) != 0) {
            put_message(&octets, type, content);
        } else if ((flags & RECORD) != 0) {
            put_record(&octets, type, content);
        } else {
            buf_add(&octets, content.data, content.len);
        }
        for (size_t at = 0; at < octets.len; at += chunk) {
            size_t len = octets.len - at < chunk ? octets.len - at : chunk;
            explain_bytes(x, (flags & FROM_SERVER) != 0 ? EXPLAIN_SERVER : EXPLAIN_CLIENT, 1000 * (uint64_t)i,
                          octets.data + at, len);
        }
        buf_clear(&octets);
    }
    explain_closed(x, EXPLAIN_SERVER, false);
    char *text = require_told(x);
    explain_free(x);
    explain_keys_free(keys);
    return text;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *whole = tell(span_of(data, size), SIZE_MAX);
    char *in_chunks = tell(span_of(data, size), 7);
    REQUIRE(strcmp(whole, in_chunks) == 0); // however it was cut on its way
    free(whole);
    free(in_chunks);
    return 0;
}
