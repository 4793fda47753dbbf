// SPDX-License-Identifier: Apache-2.0
// One captured packet -> the TCP segment in it.
#ifndef MTLS_EXPLAIN_PACKET_H
#define MTLS_EXPLAIN_PACKET_H

#include "base/mem.h"

#include <stdbool.h>
#include <stdint.h>

struct packet_end {
    int family; // AF_INET, AF_INET6
    uint8_t address[16];
    uint16_t port;
};

struct packet {
    struct packet_end from, to;
    uint32_t sequence;
    bool syn, ack, fin, rst;
    uint32_t len;     // octets of the segment, as they were sent
    struct span data; // those that were captured
};

// Is this link type (of libpcap, DLT_...) one that is known here?
bool packet_link_known(int link);
// `captured` is the packet, as far as it was kept. False: it is not TCP over IP, or its headers are not all there.
bool packet_read(int link, struct span captured, struct packet *packet);

#endif
