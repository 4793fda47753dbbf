// SPDX-License-Identifier: Apache-2.0
// Link layers, IPv4 (RFC 791), IPv6 (RFC 8200), TCP (RFC 9293 section 3.1).
#include "explain/packet.h"

#include "explain/internal.h"

#include <pcap/dlt.h>
#include <string.h>
#include <sys/socket.h>

enum { ETHER_IPV4 = 0x0800, ETHER_IPV6 = 0x86dd, ETHER_VLAN = 0x8100, ETHER_SERVICE_VLAN = 0x88a8 };
enum { PROTOCOL_TCP = 6, TCP_HEADER = 20, TCP_FIN = 1, TCP_SYN = 2, TCP_RST = 4, TCP_ACK = 16 };
enum { VLANS_MOST = 4, HEADERS_MOST = 8 };

bool packet_link_known(int link)
{
    switch (link) {
    case DLT_NULL:
    case DLT_LOOP:
    case DLT_EN10MB:
    case DLT_RAW:
    case DLT_IPV4:
    case DLT_IPV6:
    case DLT_LINUX_SLL:
    case DLT_LINUX_SLL2: return true;
    default: return false;
    }
}

static bool skip(struct span *rest, size_t len)
{
    struct span skipped;
    return octets_take(rest, len, &skipped);
}

// Behind the EtherType: VLAN tags, then IP.
static bool skip_tags(struct span *rest, uint32_t type)
{
    uint32_t tag = 0;
    for (int i = 0; i < VLANS_MOST && (type == ETHER_VLAN || type == ETHER_SERVICE_VLAN); i++) {
        if (!octets_number(rest, 2, &tag) || !octets_number(rest, 2, &type)) {
            return false;
        }
    }
    return type == ETHER_IPV4 || type == ETHER_IPV6;
}

// Leaves what begins with the IP header.
static bool skip_link(int link, struct span *rest)
{
    uint32_t type = 0;
    switch (link) {
    case DLT_NULL: // the address family in the octet order of who captured: the IP header tells it as well
    case DLT_LOOP: return skip(rest, 4);
    case DLT_EN10MB: return skip(rest, 12) && octets_number(rest, 2, &type) && skip_tags(rest, type);
    case DLT_LINUX_SLL: return skip(rest, 14) && octets_number(rest, 2, &type) && skip_tags(rest, type);
    case DLT_LINUX_SLL2: return octets_number(rest, 2, &type) && skip(rest, 18) && skip_tags(rest, type);
    default: return link == DLT_RAW || link == DLT_IPV4 || link == DLT_IPV6;
    }
}

// What IP says of its payload: *len octets, as they were sent; less may have been captured, or more (padding).
static bool read_ipv4(struct span *rest, struct packet *packet, uint32_t *len)
{
    struct span ip = *rest;
    if (ip.len < 20) {
        return false;
    }
    size_t header = 4 * (ip.data[0] & 0x0fU);
    uint32_t total = (uint32_t)ip.data[2] << 8 | ip.data[3];
    bool fragment = (ip.data[6] & 0x3f) != 0 || ip.data[7] != 0; // more fragments, or not the first
    if (header < 20 || ip.data[9] != PROTOCOL_TCP || fragment || !skip(rest, header)) {
        return false;
    }
    total = total == 0 ? (uint32_t)ip.len : total; // the network card was to fill it in
    packet->from.family = AF_INET;
    packet->to.family = AF_INET;
    memcpy(packet->from.address, ip.data + 12, 4);
    memcpy(packet->to.address, ip.data + 16, 4);
    *len = total >= header ? total - (uint32_t)header : 0;
    return total >= header;
}

static bool skip_headers(struct span *rest, uint32_t next, uint32_t *len)
{
    enum { HOP_BY_HOP = 0, ROUTING = 43, DESTINATION = 60 };
    for (int i = 0; i < HEADERS_MOST && (next == HOP_BY_HOP || next == ROUTING || next == DESTINATION); i++) {
        if (rest->len < 8) {
            return false;
        }
        uint32_t header = 8 * (rest->data[1] + 1U);
        next = rest->data[0];
        if (header > *len || !skip(rest, header)) {
            return false;
        }
        *len -= header;
    }
    return next == PROTOCOL_TCP;
}

static bool read_ipv6(struct span *rest, struct packet *packet, uint32_t *len)
{
    struct span ip = *rest;
    if (!skip(rest, 40)) {
        return false;
    }
    *len = (uint32_t)ip.data[4] << 8 | ip.data[5];
    *len = *len == 0 ? (uint32_t)rest->len : *len;
    packet->from.family = AF_INET6;
    packet->to.family = AF_INET6;
    memcpy(packet->from.address, ip.data + 8, 16);
    memcpy(packet->to.address, ip.data + 24, 16);
    return skip_headers(rest, ip.data[6], len);
}

static bool read_tcp(struct span rest, uint32_t len, struct packet *packet)
{
    if (rest.len < TCP_HEADER || len < TCP_HEADER) {
        return false;
    }
    const uint8_t *p = rest.data;
    uint32_t header = 4 * ((uint32_t)p[12] >> 4);
    if (header < TCP_HEADER || header > len) {
        return false;
    }
    packet->from.port = (uint16_t)(p[0] << 8 | p[1]);
    packet->to.port = (uint16_t)(p[2] << 8 | p[3]);
    packet->sequence = (uint32_t)p[4] << 24 | (uint32_t)p[5] << 16 | (uint32_t)p[6] << 8 | p[7];
    packet->fin = (p[13] & TCP_FIN) != 0;
    packet->syn = (p[13] & TCP_SYN) != 0;
    packet->rst = (p[13] & TCP_RST) != 0;
    packet->ack = (p[13] & TCP_ACK) != 0;
    packet->len = len - header;
    size_t captured = rest.len > header ? rest.len - header : 0;
    packet->data = span_of(captured > 0 ? p + header : p, captured < packet->len ? captured : packet->len);
    return true;
}

bool packet_read(int link, struct span captured, struct packet *packet)
{
    uint32_t len = 0;
    *packet = (struct packet){.sequence = 0};
    if (!skip_link(link, &captured) || captured.len == 0) {
        return false;
    }
    switch (captured.data[0] >> 4) {
    case 4: return read_ipv4(&captured, packet, &len) && read_tcp(captured, len, packet);
    case 6: return read_ipv6(&captured, packet, &len) && read_tcp(captured, len, packet);
    default: return false;
    }
}
