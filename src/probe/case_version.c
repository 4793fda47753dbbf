// SPDX-License-Identifier: Apache-2.0
// Versions of TLS that this program does not speak: a hello alone, and what is said to it.
#include "base/clock.h"
#include "base/random.h"
#include "probe/internal.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { RECORD = 5, ALERT_TYPE = 21, HANDSHAKE_TYPE = 22, SERVER_HELLO = 2 };

static void add_u16(struct buf *to, size_t value)
{
    const uint8_t octets[2] = {(uint8_t)(value >> 8), (uint8_t)value};
    buf_add(to, octets, sizeof octets);
}

static void add_extension(struct buf *to, unsigned type, const void *data, size_t len)
{
    add_u16(to, type);
    add_u16(to, len);
    buf_add(to, data, len);
}

// RFC 4346 section 7.4.1.2, with the extensions without which ECDHE does not come about (RFC 8422 section 5.1).
static void make_hello(struct buf *record, unsigned version, const char *name, const uint8_t random[32])
{
    static const uint8_t suites[] = {0xc0, 0x0a, 0xc0, 0x09, 0xc0, 0x14, 0xc0, 0x13, 0x00, 0x39, 0x00,
                                     0x33, 0x00, 0x35, 0x00, 0x2f, 0xc0, 0x12, 0x00, 0x0a, 0x00, 0xff}; // all with CBC
    static const uint8_t groups[] = {0, 8, 0, 29, 0, 23, 0, 24, 0, 25};
    static const uint8_t points[] = {1, 0};
    struct buf extensions = {0};
    struct buf server = {0};
    struct buf body = {0};
    const uint8_t minor = version == VERSION_1_0 ? 1 : 2;
    const uint8_t none[2] = {1, 0}; // one compression method: none
    add_u16(&server, strlen(name) + 3);
    buf_add(&server, "", 1);
    add_u16(&server, strlen(name));
    buf_text(&server, name);
    bool is_name = strspn(name, "0123456789.") != strlen(name) && strchr(name, ':') == NULL;
    if (is_name) {
        add_extension(&extensions, 0, server.data, server.len);
    }
    add_extension(&extensions, 10, groups, sizeof groups);
    add_extension(&extensions, 11, points, sizeof points);
    buf_add(&body, (const uint8_t[]){3, minor}, 2);
    buf_add(&body, random, 32);
    buf_add(&body, "", 1); // no session
    add_u16(&body, sizeof suites);
    buf_add(&body, suites, sizeof suites);
    buf_add(&body, none, sizeof none);
    add_u16(&body, extensions.len);
    buf_add(&body, extensions.data, extensions.len);
    buf_add(record, (const uint8_t[]){HANDSHAKE_TYPE, 3, 1}, 3);
    add_u16(record, body.len + 4);
    buf_add(record, (const uint8_t[]){1, 0}, 2);
    add_u16(record, body.len);
    buf_add(record, body.data, body.len);
    buf_clear(&extensions);
    buf_clear(&server);
    buf_clear(&body);
}

// Reads until the answer's first record says what it is, it ends, or the deadline.
static size_t read_head(int fd, long timeout_ms, uint8_t *head, size_t size, bool *ended)
{
    size_t have = 0;
    uint64_t deadline = clock_monotonic_us() + (uint64_t)timeout_ms * 1000;
    while (have < size && !*ended) {
        struct pollfd pfd = {.fd = fd, .events = POLLIN};
        uint64_t now = clock_monotonic_us();
        int n = now >= deadline ? 0 : poll(&pfd, 1, (int)((deadline - now + 999) / 1000));
        if (n == 0) {
            break;
        }
        ssize_t got = n < 0 ? -1 : recv(fd, head + have, size - have, 0);
        if (got > 0) {
            have += (size_t)got;
        } else if (got == 0 || (errno != EINTR && errno != EAGAIN)) {
            *ended = true;
        }
        if (have >= RECORD + 2 && head[0] == ALERT_TYPE) {
            break;
        }
    }
    return have;
}

static void say(struct outcome *o, const uint8_t *head, size_t have, bool ended, unsigned version)
{
    const unsigned minor = version == VERSION_1_0 ? 1 : 2;
    o->hello = true; // nothing about certificates is asked here
    if (have >= RECORD + 2 && head[0] == ALERT_TYPE) {
        o->alert = head[RECORD + 1];
        outcome_set(o, PROBE_REFUSED, "alert %s (%d) instead of a hello", alert_name(o->alert), o->alert);
    } else if (have >= RECORD + 6 && head[0] == HANDSHAKE_TYPE && head[RECORD] == SERVER_HELLO) {
        // handshake type, length of three octets, version
        bool same = head[RECORD + 4] == 3 && head[RECORD + 5] == minor;
        outcome_set(o, same ? PROBE_SERVED : PROBE_REFUSED, same ? "a hello of TLS 1.%u" : "a hello of another version",
                    minor - 1);
    } else if (ended) {
        outcome_set(o, PROBE_REFUSED, "the target closed the connection instead of a hello");
    } else if (have == 0) {
        outcome_set(o, PROBE_SILENT, "the target said nothing to the hello");
    } else {
        outcome_set(o, PROBE_DOWN, "the target does not speak TLS");
    }
}

static void try_version(struct prober *p, unsigned version, struct outcome *outcome)
{
    struct err e = ERR_INIT;
    struct rng rng;
    struct buf hello = {0};
    uint8_t random[32];
    uint8_t head[RECORD + 6];
    bool ended = false;
    *outcome = (struct outcome){.alert = TLS_ALERT_NONE};
    if (rng_init(&rng, &e) != 0 || rng_bytes(&rng, random, sizeof random) != 0) {
        outcome_set(outcome, PROBE_NOT_RUN, "%s", e.text);
        outcome->doubtful = true;
        return;
    }
    rng_clear(&rng);
    prober_wait(p);
    uint64_t start = clock_monotonic_us();
    int fd = dial_socket(&p->target, outcome);
    if (fd < 0) {
        return;
    }
    make_hello(&hello, version, p->target.name, random);
    if (send(fd, hello.data, hello.len, MSG_NOSIGNAL) != (ssize_t)hello.len) {
        outcome_set(outcome, PROBE_DOWN, "the hello could not be sent");
    } else {
        size_t have = read_head(fd, p->target.timeout_ms, head, sizeof head, &ended);
        say(outcome, head, have, ended, version);
    }
    outcome->took_us = clock_monotonic_us() - start;
    buf_clear(&hello);
    close(fd);
}

void case_tls_1_0(struct prober *p, unsigned version, struct outcome *outcome)
{
    try_version(p, version, outcome);
}

void case_tls_1_1(struct prober *p, unsigned version, struct outcome *outcome)
{
    try_version(p, version, outcome);
}
