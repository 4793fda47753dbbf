// SPDX-License-Identifier: Apache-2.0
// Raw IP, without options: RFC 791, RFC 8200, RFC 9293 section 3.1; checksums: RFC 1071, RFC 8200 section 8.1.
#include "explain/pcap_write.h"

#include "base/clock.h"

#include <errno.h>
#include <netinet/in.h>
#include <pcap/pcap.h>
#include <stdlib.h>

enum { SEGMENT_MOST = 1400, IP4_HEADER = 20, IP6_HEADER = 40, TCP_HEADER = 20, SNAP_LENGTH = 65535 };
enum { TCP_FIN = 1, TCP_SYN = 2, TCP_RST = 4, TCP_PSH = 8, TCP_ACK = 16 };
enum { PROTOCOL_TCP = 6, HOPS = 64 };

struct end {
    uint8_t address[16];
    uint16_t port;
    uint32_t sequence; // of the next octet that it sends
    bool closed;
    struct buf pending;  // not written yet: mbedTLS takes a record in two pieces, which came in one
    uint64_t pending_us; // when its last octet passed
};

struct pcap_write {
    pcap_t *pcap;
    pcap_dumper_t *dumper;
    bool is_6, open, reset;
    int64_t start_us;       // since 1970
    uint64_t start_ticking; // the same moment, of the clock that does not jump
    uint64_t now_us;        // of that clock, for the packets that are written
    struct end ends[2];     // of enum explain_side
};

struct pcap_write *pcap_write_open(const char *path, struct err *e)
{
    struct pcap_write *w = mem_alloc(sizeof *w);
    w->start_us = clock_now_ms() * 1000;
    w->start_ticking = clock_monotonic_us();
    FILE *file = fopen(path, "wbe");
    if (file == NULL) {
        err_set(e, "opening %s: %s", path, strerror(errno));
        free(w);
        return NULL;
    }
    w->pcap = pcap_open_dead(DLT_RAW, SNAP_LENGTH);
    w->dumper = w->pcap != NULL ? pcap_dump_fopen(w->pcap, file) : NULL;
    if (w->dumper == NULL) {
        err_set(e, "writing %s: libpcap does not begin", path);
        fclose(file);
        if (w->pcap != NULL) {
            pcap_close(w->pcap);
        }
        free(w);
        return NULL;
    }
    return w;
}

// --- packets ---

static void put_16(uint8_t *at, size_t number)
{
    at[0] = (uint8_t)(number >> 8);
    at[1] = (uint8_t)number;
}

static void put_32(uint8_t *at, uint32_t number)
{
    put_16(at, number >> 16);
    put_16(at + 2, number & 0xffff);
}

static uint32_t sum_add(uint32_t sum, const uint8_t *data, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        sum += i % 2 == 0 ? (uint32_t)data[i] << 8 : data[i];
    }
    return sum;
}

static uint16_t sum_end(uint32_t sum)
{
    while (sum >> 16 != 0) {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    return (uint16_t)~sum;
}

// The IP header in front of `len` octets of TCP; its length.
static size_t put_ip(const struct pcap_write *w, enum explain_side from, uint8_t *at, size_t len)
{
    size_t address = w->is_6 ? 16 : 4;
    size_t addresses_at = w->is_6 ? 8 : 12;
    size_t header = w->is_6 ? IP6_HEADER : IP4_HEADER;
    if (w->is_6) {
        at[0] = 6 << 4;
        put_16(at + 4, len);
        at[6] = PROTOCOL_TCP;
        at[7] = HOPS;
    } else {
        at[0] = 4 << 4 | IP4_HEADER / 4;
        put_16(at + 2, IP4_HEADER + len);
        at[6] = 0x40; // don't fragment
        at[8] = HOPS;
        at[9] = PROTOCOL_TCP;
    }
    memcpy(at + addresses_at, w->ends[from].address, address);
    memcpy(at + addresses_at + address, w->ends[!from].address, address);
    if (!w->is_6) {
        put_16(at + 10, sum_end(sum_add(0, at, IP4_HEADER)));
    }
    return header;
}

static void write_packet(struct pcap_write *w, enum explain_side from, int flags, struct span data)
{
    uint8_t packet[IP6_HEADER + TCP_HEADER + SEGMENT_MOST] = {0};
    struct end *end = &w->ends[from];
    size_t len = TCP_HEADER + data.len;
    size_t header = put_ip(w, from, packet, len);
    uint8_t *tcp = packet + header;
    put_16(tcp, end->port);
    put_16(tcp + 2, w->ends[!from].port);
    put_32(tcp + 4, end->sequence);
    put_32(tcp + 8, (flags & TCP_ACK) != 0 ? w->ends[!from].sequence : 0);
    tcp[12] = TCP_HEADER / 4 << 4;
    tcp[13] = (uint8_t)flags;
    put_16(tcp + 14, 0xffff); // window
    if (data.len > 0) {
        memcpy(tcp + TCP_HEADER, data.data, data.len);
    }
    // The pseudo-header: both addresses, the length, the protocol.
    size_t addresses = w->is_6 ? 32 : 8;
    uint32_t sum = sum_add((uint32_t)len + PROTOCOL_TCP, tcp - addresses, addresses);
    put_16(tcp + 16, sum_end(sum_add(sum, tcp, len)));
    end->sequence += (uint32_t)data.len + ((flags & (TCP_SYN | TCP_FIN)) != 0);
    int64_t now = w->start_us + (int64_t)(w->now_us - w->start_ticking);
    struct pcap_pkthdr about = {.caplen = (bpf_u_int32)(header + len), .len = (bpf_u_int32)(header + len)};
    about.ts.tv_sec = (time_t)(now / 1000000);
    about.ts.tv_usec = (suseconds_t)(now % 1000000);
    pcap_dump((u_char *)w->dumper, &about, packet);
}

// --- the connection ---

// All is acknowledged at once, so that no window fills.
static void write_segment(struct pcap_write *w, enum explain_side from, struct span data)
{
    write_packet(w, from, TCP_PSH | TCP_ACK, data);
    write_packet(w, (enum explain_side) !from, TCP_ACK, span_of(NULL, 0));
}

static void flush_end(struct pcap_write *w, enum explain_side from)
{
    struct buf *pending = &w->ends[from].pending;
    w->now_us = pending->len > 0 ? w->ends[from].pending_us : w->now_us;
    for (size_t at = 0, len = 0; at < pending->len; at += len) {
        len = pending->len - at < SEGMENT_MOST ? pending->len - at : SEGMENT_MOST;
        write_segment(w, from, span_of(pending->data + at, len));
    }
    pending->len = 0;
}

static void set_end(struct end *end, const struct sockaddr_storage *of, uint32_t sequence)
{
    end->sequence = sequence;
    end->closed = false;
    if (of->ss_family == AF_INET6) {
        const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)of;
        memcpy(end->address, &in6->sin6_addr, sizeof in6->sin6_addr);
        end->port = ntohs(in6->sin6_port);
    } else {
        const struct sockaddr_in *in = (const struct sockaddr_in *)of;
        memcpy(end->address, &in->sin_addr, sizeof in->sin_addr);
        end->port = ntohs(in->sin_port);
    }
}

static void end_connection(struct pcap_write *w)
{
    pcap_write_closed(w, EXPLAIN_CLIENT, false);
    pcap_write_closed(w, EXPLAIN_SERVER, false);
    w->open = false;
}

void pcap_write_begin(struct pcap_write *w, const struct sockaddr_storage *client,
                      const struct sockaddr_storage *server)
{
    enum { CLIENT_START = 1000, SERVER_START = 5000 }; // no secret: these packets never travel
    end_connection(w);
    w->is_6 = client->ss_family == AF_INET6;
    w->open = true;
    w->reset = false;
    w->now_us = clock_monotonic_us();
    set_end(&w->ends[EXPLAIN_CLIENT], client, CLIENT_START);
    set_end(&w->ends[EXPLAIN_SERVER], server, SERVER_START);
    write_packet(w, EXPLAIN_CLIENT, TCP_SYN, span_of(NULL, 0));
    write_packet(w, EXPLAIN_SERVER, TCP_SYN | TCP_ACK, span_of(NULL, 0));
    write_packet(w, EXPLAIN_CLIENT, TCP_ACK, span_of(NULL, 0));
}

void pcap_write_bytes(struct pcap_write *w, enum explain_side from, const uint8_t *data, size_t len)
{
    enum { PENDING_MOST = 16 * SEGMENT_MOST };
    if (!w->open || w->reset || w->ends[from].closed) {
        return;
    }
    flush_end(w, (enum explain_side) !from);
    buf_add(&w->ends[from].pending, data, len);
    w->ends[from].pending_us = clock_monotonic_us();
    if (w->ends[from].pending.len >= PENDING_MOST) {
        flush_end(w, from);
    }
}

void pcap_write_closed(struct pcap_write *w, enum explain_side side, bool reset)
{
    if (!w->open || w->reset || w->ends[side].closed) {
        return;
    }
    flush_end(w, EXPLAIN_CLIENT); // one of the two is empty
    flush_end(w, EXPLAIN_SERVER);
    w->now_us = clock_monotonic_us();
    w->reset = reset;
    w->ends[side].closed = true;
    write_packet(w, side, (reset ? TCP_RST : TCP_FIN) | TCP_ACK, span_of(NULL, 0));
    if (!reset) {
        write_packet(w, (enum explain_side) !side, TCP_ACK, span_of(NULL, 0));
    }
}

int pcap_write_close(struct pcap_write *w, struct err *e)
{
    end_connection(w);
    int rc = pcap_dump_flush(w->dumper) == 0 && ferror(pcap_dump_file(w->dumper)) == 0 ? 0 : -1;
    if (rc != 0) {
        err_errno(e, "writing the capture");
    }
    pcap_dump_close(w->dumper);
    pcap_close(w->pcap);
    buf_clear(&w->ends[EXPLAIN_CLIENT].pending);
    buf_clear(&w->ends[EXPLAIN_SERVER].pending);
    free(w);
    return rc;
}
