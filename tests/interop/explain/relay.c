// SPDX-License-Identifier: Apache-2.0
// Stands between a client and a server on 127.0.0.1 and writes what both send as a capture: relay CAPTURE PORT
// PORT-FILE COUNT. It relays COUNT connections to PORT (or, if that is no number, to the socket in the file system of
// that name: then the capture says 443), one after the other, and ends. Its own port is in PORT-FILE.
// The packets are made up (raw IP, a segment for each read), the octets and the times are those that passed.
#include "base/mem.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

enum { PATIENCE_MS = 20000, CHUNK = 1400, FIN = 1, SYN = 2, RST = 4, PUSH = 8, ACK = 16 };

struct relay {
    FILE *out;
    int sockets[2]; // of the client, of the server
    uint16_t ports[2];
    uint32_t next[2]; // sequence numbers
};

static void put(struct buf *b, uint64_t value, size_t octets)
{
    while (octets-- > 0) {
        uint8_t octet = (uint8_t)(value >> (8 * octets));
        buf_add(b, &octet, 1);
    }
}

static void put_file_header(FILE *out)
{
    enum { LINKTYPE_RAW = 101 };
    struct buf b = {0};
    put(&b, 0xa1b2c3d4, 4);
    put(&b, 2, 2);
    put(&b, 4, 2);
    put(&b, 0, 8);
    put(&b, 262144, 4);
    put(&b, LINKTYPE_RAW, 4);
    fwrite(b.data, 1, b.len, out);
    buf_clear(&b);
}

static void put_packet(struct relay *r, int from, unsigned flags, const uint8_t *data, size_t len)
{
    struct timeval now;
    struct buf b = {0};
    gettimeofday(&now, NULL);
    put(&b, (uint64_t)now.tv_sec, 4);
    put(&b, (uint64_t)now.tv_usec, 4);
    put(&b, 40 + len, 4);
    put(&b, 40 + len, 4);
    put(&b, 0x4500, 2);
    put(&b, 40 + len, 2);
    put(&b, 0, 4);
    put(&b, 0x40060000, 4); // no checksum
    put(&b, INADDR_LOOPBACK, 4);
    put(&b, INADDR_LOOPBACK, 4);
    put(&b, r->ports[from], 2);
    put(&b, r->ports[1 - from], 2);
    put(&b, r->next[from], 4);
    put(&b, r->next[1 - from], 4);
    put(&b, 0x5000 | flags, 2);
    put(&b, 65535, 2);
    put(&b, 0, 4);
    buf_add(&b, data, len);
    fwrite(b.data, 1, b.len, r->out);
    fflush(r->out);
    buf_clear(&b);
    r->next[from] += (uint32_t)len + ((flags & (SYN | FIN)) != 0);
}

// False: this side is done.
static bool pass(struct relay *r, int from)
{
    uint8_t data[CHUNK];
    ssize_t n = recv(r->sockets[from], data, sizeof data, 0);
    if (n <= 0) {
        put_packet(r, from, n < 0 ? RST : FIN | ACK, NULL, 0);
        shutdown(r->sockets[1 - from], SHUT_WR);
        return false;
    }
    put_packet(r, from, PUSH | ACK, data, (size_t)n);
    for (ssize_t sent = 0; sent < n;) {
        ssize_t k = send(r->sockets[1 - from], data + sent, (size_t)(n - sent), MSG_NOSIGNAL);
        if (k <= 0) {
            return true; // the other side has gone: its turn tells
        }
        sent += k;
    }
    return true;
}

static void relay(struct relay *r)
{
    struct pollfd polls[2] = {{.fd = r->sockets[0], .events = POLLIN}, {.fd = r->sockets[1], .events = POLLIN}};
    put_packet(r, 0, SYN, NULL, 0);
    put_packet(r, 1, SYN | ACK, NULL, 0);
    put_packet(r, 0, ACK, NULL, 0);
    while ((polls[0].fd >= 0 || polls[1].fd >= 0) && poll(polls, 2, PATIENCE_MS) > 0) {
        for (int i = 0; i < 2; i++) {
            if (polls[i].fd >= 0 && polls[i].revents != 0 && !pass(r, i)) {
                polls[i].fd = -1;
            }
        }
    }
}

static struct sockaddr_in loopback(unsigned port)
{
    return (struct sockaddr_in){
        .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

static _Noreturn void die(const char *what)
{
    fprintf(stderr, "relay: %s: %s\n", what, strerror(errno));
    exit(3);
}

static int listen_here(const char *port_file)
{
    struct sockaddr_in address = loopback(0);
    socklen_t size = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    if (listener < 0 || bind(listener, (struct sockaddr *)&address, size) != 0 || listen(listener, 8) != 0 ||
        getsockname(listener, (struct sockaddr *)&address, &size) != 0) {
        die("listening");
    }
    FILE *file = fopen(port_file, "w");
    if (file == NULL || fprintf(file, "%u\n", (unsigned)ntohs(address.sin_port)) < 0 || fclose(file) != 0) {
        die(port_file);
    }
    return listener;
}

static int connect_server(const char *where, unsigned *port)
{
    struct sockaddr_un local = {.sun_family = AF_UNIX};
    *port = (unsigned)atoi(where);
    struct sockaddr_in server = loopback(*port);
    bool is_local = *port == 0;
    int s = socket(is_local ? AF_UNIX : AF_INET, SOCK_STREAM, 0);
    snprintf(local.sun_path, sizeof local.sun_path, "%s", where);
    *port = is_local ? 443 : *port;
    if (s < 0 || (is_local ? connect(s, (struct sockaddr *)&local, sizeof local)
                           : connect(s, (struct sockaddr *)&server, sizeof server)) != 0) {
        die("connecting");
    }
    return s;
}

int main(int argc, char **argv)
{
    if (argc != 5) {
        fprintf(stderr, "usage: relay CAPTURE PORT PORT-FILE COUNT\n");
        return 2;
    }
    struct relay r = {.out = fopen(argv[1], "w")};
    if (r.out == NULL) {
        die(argv[1]);
    }
    put_file_header(r.out);
    int listener = listen_here(argv[3]);
    for (int i = 0; i < atoi(argv[4]); i++) {
        struct pollfd wait = {.fd = listener, .events = POLLIN};
        struct sockaddr_in client = {0};
        socklen_t size = sizeof client;
        unsigned port = 0;
        if (poll(&wait, 1, PATIENCE_MS) <= 0) {
            die("waiting for a client");
        }
        r.sockets[0] = accept(listener, (struct sockaddr *)&client, &size);
        if (r.sockets[0] < 0) {
            die("accepting");
        }
        r.sockets[1] = connect_server(argv[2], &port);
        r.ports[0] = ntohs(client.sin_port);
        r.ports[1] = (uint16_t)port;
        r.next[0] = 0xfffffff0U + ((uint32_t)i << 24); // so that the numbers wrap around, and ports may come again
        r.next[1] = 0x10000000U + ((uint32_t)i << 24);
        relay(&r);
        close(r.sockets[0]);
        close(r.sockets[1]);
    }
    return fclose(r.out) == 0 ? 0 : 3;
}
