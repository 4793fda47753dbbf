// SPDX-License-Identifier: Apache-2.0
// The ServerHello as it was sent: whether a ticket was really used, and under what, is read there and not assumed.
// mbedTLS has no public function for either. It only looks: no byte is changed or held back.
#ifndef MTLS_TLS_HELLO_H
#define MTLS_TLS_HELLO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { HELLO_RANDOM = 32 };
enum { HELLO_MOST = 1024 }; // a ServerHello of ours is shorter, with its record's header

struct hello {
    bool known;   // the rest is
    bool resumed; // TLS 1.3: with pre_shared_key; 1.2: ChangeCipherSpec comes next, and no Certificate
    bool extended_master_secret;
};

struct hello_watch {
    struct hello hello;
    bool next; // only the type of the record after the ServerHello is missing
    bool done; // nothing more is looked at; without hello.known: it was not understood
    uint8_t record[HELLO_MOST];
    size_t have;
};

void hello_watch_bytes(struct hello_watch *watch, const uint8_t *data, size_t len);

// RFC 8446 section 4.1.3: a HelloRetryRequest is a ServerHello with a random of its own.
bool hello_is_retry(const uint8_t random[HELLO_RANDOM]);

#endif
