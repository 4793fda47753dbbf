// SPDX-License-Identifier: Apache-2.0
#include "explain/capture.h"

#include "base/text.h"
#include "explain/packet.h"
#include "explain/stream.h"

#include <arpa/inet.h>
#include <pcap/pcap.h>
#include <stdlib.h>
#include <string.h>

enum { FLOWS_MOST = 1024 };

struct flow {
    struct packet_end ends[2]; // of enum explain_side
    struct stream streams[2];
    bool has_start; // its client's SYN was seen
    uint32_t start; // the number of that
    bool is_tls;    // what came first is the client's, and may be a ClientHello
    bool any;       // something came
    int64_t start_us;
    struct explain *explain;
};

struct reading {
    const struct explain_keys *keys;
    struct flow *flows;
    size_t count, cap;
    size_t too_many;
    int64_t now_us;
};

struct delivery {
    struct reading *reading;
    struct flow *flow;
    enum explain_side from;
};

static bool same_end(const struct packet_end *a, const struct packet_end *b)
{
    return a->family == b->family && a->port == b->port && memcmp(a->address, b->address, sizeof a->address) == 0;
}

// The newest one, as ports are used again.
static struct flow *find_flow(struct reading *r, const struct packet *p, enum explain_side *from)
{
    for (size_t i = r->count; i-- > 0;) {
        struct flow *f = &r->flows[i];
        for (int side = 0; side < 2; side++) {
            if (same_end(&f->ends[side], &p->from) && same_end(&f->ends[1 - side], &p->to)) {
                *from = (enum explain_side)side;
                return f;
            }
        }
    }
    return NULL;
}

static bool is_client_hello(struct span data)
{
    enum { RECORD_TYPE_HANDSHAKE = 22, CLIENT_HELLO = 1 };
    return data.len >= 6 && data.data[0] == RECORD_TYPE_HANDSHAKE && data.data[1] == 3 && data.data[5] == CLIENT_HELLO;
}

// Who sent this is the client, unless it is the answer to a SYN; or, where the capture begins in the midst, the answer
// to what was not seen.
static struct flow *add_flow(struct reading *r, const struct packet *p, enum explain_side *from)
{
    bool reply = (p->syn && p->ack) || (!p->syn && !is_client_hello(p->data));
    if (r->count == FLOWS_MOST) {
        r->too_many += p->syn && !p->ack;
        return NULL;
    }
    if (!p->syn && p->len == 0) {
        return NULL;
    }
    r->flows = mem_grow(r->flows, &r->cap, sizeof *r->flows, r->count + 1);
    struct flow *f = &r->flows[r->count++];
    *f = (struct flow){.start_us = r->now_us, .explain = explain_new(r->keys)};
    explain_begin_at(f->explain, r->now_us / 1000000);
    *from = reply ? EXPLAIN_SERVER : EXPLAIN_CLIENT;
    f->ends[*from] = p->from;
    f->ends[1 - *from] = p->to;
    return f;
}

static void deliver(void *arg, struct span data)
{
    struct delivery *d = arg;
    struct flow *f = d->flow;
    if (!f->any) {
        f->any = true;
        f->is_tls = d->from == EXPLAIN_CLIENT && data.data[0] == 22;
    }
    if (f->is_tls) {
        explain_bytes(f->explain, d->from, (uint64_t)(d->reading->now_us - f->start_us), data.data, data.len);
    }
}

static void take_packet(struct reading *r, const struct packet *p)
{
    enum explain_side from = EXPLAIN_CLIENT;
    struct flow *f = find_flow(r, p, &from);
    bool starts = p->syn && !p->ack;
    if (f == NULL || (starts && f->has_start && f->start != p->sequence)) {
        f = add_flow(r, p, &from);
    }
    if (f == NULL) {
        return;
    }
    if (p->syn) {
        f->has_start = f->has_start || starts;
        f->start = starts ? p->sequence : f->start;
        stream_begin(&f->streams[from], p->sequence + 1);
    }
    struct delivery d = {.reading = r, .flow = f, .from = from};
    struct stream *s = &f->streams[from];
    stream_segment(s, p->sequence + p->syn, p->len, p->data, deliver, &d);
    if (s->gap) {
        explain_end(f->explain, "the capture does not have all that the %s sent", explain_side_name(from));
    }
    if (p->fin || p->rst) {
        explain_closed(f->explain, from, p->rst);
    }
}

static void read_packets(struct reading *r, pcap_t *pcap, struct capture *capture)
{
    struct pcap_pkthdr *header = NULL;
    const u_char *data = NULL;
    struct packet p;
    int link = pcap_datalink(pcap);
    int more = 1;
    while ((more = pcap_next_ex(pcap, &header, &data)) == 1) {
        int64_t now_us = (int64_t)header->ts.tv_sec * 1000000 + header->ts.tv_usec;
        r->now_us = now_us > r->now_us ? now_us : r->now_us; // it does not go backwards
        if (packet_read(link, span_of(data, header->caplen), &p)) {
            take_packet(r, &p);
        }
    }
    if (more == PCAP_ERROR) {
        struct buf why = {0};
        const char *text = pcap_geterr(pcap);
        capture->stopped = mem_strdup(text_escape(&why, text, strlen(text), 200));
        buf_clear(&why);
    }
}

static char *end_text(const struct packet_end *end)
{
    char address[INET6_ADDRSTRLEN] = "";
    inet_ntop(end->family, end->address, address, sizeof address);
    return mem_printf(end->family == AF_INET6 ? "[%s]:%u" : "%s:%u", address, (unsigned)end->port);
}

static void finish_flow(struct flow *f, struct capture *capture)
{
    bool reset = false;
    for (int side = 0; side < 2; side++) {
        if (f->streams[side].count > 0) {
            explain_end(f->explain, "the capture does not have all that the %s sent",
                        explain_side_name((enum explain_side)side));
        }
    }
    if (!explain_is_closed(f->explain, EXPLAIN_CLIENT, &reset) &&
        !explain_is_closed(f->explain, EXPLAIN_SERVER, &reset)) {
        explain_end(f->explain, "the capture ends while the connection is open");
    }
    if (f->is_tls) {
        capture->connections[capture->count++] =
            (struct capture_connection){.addresses = {end_text(&f->ends[0]), end_text(&f->ends[1])},
                                        .start_us = f->start_us,
                                        .explain = f->explain};
        f->explain = NULL;
    } else {
        capture->other++;
    }
}

struct capture *capture_read(FILE *file, const struct explain_keys *keys, struct err *e)
{
    char why[PCAP_ERRBUF_SIZE] = "";
    struct reading r = {.keys = keys};
    struct capture *capture = NULL;
    pcap_t *pcap = pcap_fopen_offline(file, why);
    if (pcap == NULL) {
        struct buf text = {0};
        err_set(e, "it is not a capture file: %s", text_escape(&text, why, strlen(why), 200));
        buf_clear(&text);
        fclose(file);
        return NULL;
    }
    if (!packet_link_known(pcap_datalink(pcap))) {
        const char *name = pcap_datalink_val_to_name(pcap_datalink(pcap));
        err_set(e, "its link type is %s: this program reads Ethernet, loopback, raw IP and Linux's cooked captures",
                name != NULL ? name : "unknown");
        goto out;
    }
    capture = mem_alloc(sizeof *capture);
    read_packets(&r, pcap, capture);
    capture->connections = mem_array(r.count + 1, sizeof *capture->connections);
    capture->other = r.too_many;
    for (size_t i = 0; i < r.count; i++) {
        finish_flow(&r.flows[i], capture);
    }
out:
    for (size_t i = 0; i < r.count; i++) {
        explain_free(r.flows[i].explain);
        stream_clear(&r.flows[i].streams[0]);
        stream_clear(&r.flows[i].streams[1]);
    }
    free(r.flows);
    pcap_close(pcap); // and the file
    return capture;
}

void capture_free(struct capture *capture)
{
    if (capture == NULL) {
        return;
    }
    for (size_t i = 0; i < capture->count; i++) {
        explain_free(capture->connections[i].explain);
        free(capture->connections[i].addresses[0]);
        free(capture->connections[i].addresses[1]);
    }
    free(capture->connections);
    free(capture->stopped);
    free(capture);
}
