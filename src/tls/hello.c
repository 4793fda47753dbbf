// SPDX-License-Identifier: Apache-2.0
#include "tls/hello.h"

#include "base/octets.h"
#include "tls/record.h"

#include <string.h>

enum { SERVER_HELLO = 2, MESSAGE_HEADER = 4 };
enum { EXTENSION_EXTENDED_MASTER_SECRET = 23, EXTENSION_PRE_SHARED_KEY = 41, EXTENSION_SUPPORTED_VERSIONS = 43 };
enum { VERSION_1_3 = 0x0304 };

static const uint8_t retry[HELLO_RANDOM] = {
    0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91,
    0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb, 0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c,
};

bool hello_is_retry(const uint8_t random[HELLO_RANDOM])
{
    return memcmp(random, retry, HELLO_RANDOM) == 0;
}

// A number of two octets and no more; else 0.
static unsigned number(struct span octets)
{
    uint32_t n = 0;
    return octets_number(&octets, 2, &n) && octets.len == 0 ? n : 0;
}

// The ServerHello's content, RFC 8446 section 4.1.3.
static bool read_hello(struct span hello, struct hello_watch *watch)
{
    struct span version;
    struct span random;
    struct span ignored;
    struct span extensions = {0};
    unsigned selected = 0;
    bool has_key = false;
    if (!octets_take(&hello, 2, &version) || !octets_take(&hello, HELLO_RANDOM, &random) ||
        !octets_vector(&hello, 1, &ignored) || !octets_take(&hello, 3, &ignored) ||
        (hello.len > 0 && !octets_vector(&hello, 2, &extensions)) || hello.len > 0) {
        return false;
    }
    if (hello_is_retry(random.data)) {
        return true; // and the next one is awaited
    }
    while (extensions.len > 0) {
        struct span type;
        struct span content;
        if (!octets_take(&extensions, 2, &type) || !octets_vector(&extensions, 2, &content)) {
            return false;
        }
        switch (number(type)) {
        case EXTENSION_EXTENDED_MASTER_SECRET: watch->hello.extended_master_secret = true; break;
        case EXTENSION_PRE_SHARED_KEY: has_key = true; break;
        case EXTENSION_SUPPORTED_VERSIONS: selected = number(content); break;
        default: break;
        }
    }
    if (selected == VERSION_1_3) {
        watch->hello.resumed = has_key;
        watch->hello.known = true;
        watch->done = true;
    } else {
        watch->next = true;
    }
    return selected == 0 || selected == VERSION_1_3;
}

// A whole record, which may hold more messages behind the ServerHello.
static bool read_record(struct hello_watch *watch)
{
    struct span rest = span_of(watch->record + RECORD_HEADER, watch->have - RECORD_HEADER);
    struct span header;
    struct span hello;
    if (watch->record[0] == RECORD_CHANGE_CIPHER_SPEC) {
        return true; // after a HelloRetryRequest, RFC 8446 appendix D.4
    }
    if (watch->record[0] != RECORD_HANDSHAKE || !octets_take(&rest, MESSAGE_HEADER, &header) ||
        header.data[0] != SERVER_HELLO || header.data[1] != 0 ||
        !octets_take(&rest, (size_t)header.data[2] << 8 | header.data[3], &hello) || !read_hello(hello, watch)) {
        return false;
    }
    if (watch->next && rest.len > 0) { // no ChangeCipherSpec, then
        watch->hello.known = true;
        watch->done = true;
    }
    return true;
}

static size_t record_length(const struct hello_watch *watch)
{
    return RECORD_HEADER + ((size_t)watch->record[3] << 8 | watch->record[4]);
}

void hello_watch_bytes(struct hello_watch *watch, const uint8_t *data, size_t len)
{
    while (len > 0 && !watch->done) {
        if (watch->next) {
            watch->hello.resumed = *data == RECORD_CHANGE_CIPHER_SPEC;
            watch->hello.known = true;
            watch->done = true;
            return;
        }
        watch->record[watch->have++] = *data++;
        len--;
        bool is_full = watch->have == sizeof watch->record; // others put more messages into one record
        if (!is_full && (watch->have < RECORD_HEADER || watch->have < record_length(watch))) {
            continue;
        }
        watch->done = !read_record(watch) || watch->done || is_full;
        watch->have = 0;
    }
}
