// SPDX-License-Identifier: Apache-2.0
// One connection, as its two halves see it: connection.c, which shakes hands, judges and says goodbye, and exchange.c,
// which takes requests and sends responses.
#ifndef MTLS_SERVER_CONNECTION_H
#define MTLS_SERVER_CONNECTION_H

#include "server/internal.h"

enum phase {
    PHASE_HANDSHAKE,
    PHASE_SERVING,
    PHASE_CLOSING,  // close_notify is on its way
    PHASE_REFUSING, // the alert is: it was served, and may not be any more
    PHASE_PARTING,  // the alert is out: the peer has a moment to read it before it sees the end
    PHASE_LINGER,   // all is said: wait until the peer has read it
    PHASE_GONE,
};

// What a connection that is served waits for; each has its deadline.
enum wait {
    WAIT_REQUEST,  // the first octet of the next request
    WAIT_HEAD,     // the rest of its head
    WAIT_BODY,     // its body
    WAIT_RESPONSE, // the peer to take the response
};

// Many of them are idle: what only a request needs is allocated when one comes, and given back after it.
struct connection {
    struct worker *worker;
    struct connection *previous;
    struct connection *next;
    uv_poll_t poll;
    uv_timer_t timer;
    uint64_t deadline;             // in the loop's time, as the next three
    uint64_t expires;              // when the peer's certificate, or one above it, does
    uint64_t rests;                // when it has been quiet for so long that it gives its buffers back
    uint64_t alarm;                // when the timer will go off; 0: it is not set
    struct generation *generation; // that the peer was judged by
    struct tls_connection *tls;
    struct explain_recording *recording; // of the handshake; NULL: nobody will ask
    struct http_parser *http;            // NULL between requests
    struct http_stream *stream;          // the rest of the response; or NULL
    struct buf in;                       // received while a response was on its way
    size_t in_used;
    struct buf out; // responses to send
    size_t out_used;
    address_key key;
    int fd;
    int handles; // that libuv has not closed yet
    int polled;  // for these events
    enum phase phase;
    enum wait wait;
    bool heard;       // it has said something
    bool close_after; // once the response is sent
    bool close_idle;  // as soon as no request is in flight
    bool heard_out;   // the peer has said that nothing more comes from it
    bool shut;        // the socket is, for sending
    uint64_t since;   // it was accepted; clock_monotonic_us
    uint64_t bytes_in, bytes_out, requests;
    char address[ADDRESS_TEXT];
};

// connection.c
void connection_deadline(struct connection *c, uint64_t ms);
void connection_close(struct connection *c, const char *why); // says goodbye; `why` is for the log
void connection_drop(struct connection *c, const char *why);  // without
void connection_rest_later(struct connection *c);             // unless something happens first

// exchange.c
enum tls_status exchange_step(struct connection *c); // PHASE_SERVING's
void exchange_wait(struct connection *c, enum wait wait);
void exchange_late(struct connection *c);  // its deadline has passed
void exchange_clear(struct connection *c); // frees what is in flight

#endif
