// SPDX-License-Identifier: Apache-2.0
// Requests in, responses out, one after the other. While a response waits to be sent nothing more is read, so a peer
// that is slow to take it holds no more memory than one piece of it.
#include "base/clock.h"
#include "server/connection.h"
#include "server/explained.h"
#include "server/log_lines.h"
#include "server/pages.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/socket.h>

static const struct server_limits *limits_of(const struct connection *c)
{
    return &c->generation->config->limits;
}

void exchange_wait(struct connection *c, enum wait wait)
{
    if (wait == WAIT_HEAD && c->wait == WAIT_HEAD) {
        return; // whoever sends it octet by octet gets no more time
    }
    uint64_t ms = wait == WAIT_HEAD ? limits_of(c)->header_ms : limits_of(c)->idle_ms;
    bool stopping = c->worker->obeyed != ORDER_SERVE;
    c->wait = wait;
    connection_deadline(c, wait == WAIT_REQUEST && stopping && ms > FIRST_REQUEST_MS ? FIRST_REQUEST_MS : ms);
}

static void parser_end(struct connection *c)
{
    if (c->http != NULL) {
        http_parser_clear(c->http);
        free(c->http);
        c->http = NULL;
    }
}

void exchange_clear(struct connection *c)
{
    parser_end(c);
    http_stream_free(c->stream);
    c->stream = NULL;
    buf_clear(&c->in);
    buf_clear(&c->out);
}

// --- responses ---

// Takes over what is in `response`.
static void send_response(struct connection *c, struct http_response *response, bool close)
{
    close = close || c->worker->obeyed != ORDER_SERVE;
    c->close_after = http_write(&c->out, &c->http->request, response, close, clock_now());
    c->stream = response->stream;
    response->stream = NULL;
    http_response_clear(response);
    exchange_wait(c, WAIT_RESPONSE);
}

// A request that cannot be read, or did not arrive.
static void send_error(struct connection *c, int status)
{
    struct http_response response = {0};
    http_response_plain(&response, status);
    send_response(c, &response, true);
}

void exchange_late(struct connection *c)
{
    switch (c->wait) {
    case WAIT_REQUEST: connection_close(c, "idle"); break;
    case WAIT_HEAD:
        log_line_limit(c->address, "limits.header", "the head of a request was not complete in time");
        send_error(c, 408); // RFC 9110 section 15.5.9
        break;
    case WAIT_BODY:
        log_line_limit(c->address, "limits.idle", "the body of a request did not go on");
        send_error(c, 408);
        break;
    case WAIT_RESPONSE: // there is no telling it anything
        log_line_limit(c->address, "limits.idle", "a response was not taken");
        connection_drop(c, "late");
        break;
    }
}

// The next piece of the response, once the one before is sent.
static void stream_on(struct connection *c)
{
    enum http_status status = http_stream_next(c->stream, &c->out);
    if (status != HTTP_MORE) {
        http_stream_free(c->stream);
        c->stream = NULL;
    }
    if (status == HTTP_BAD) { // the end must not look like one (RFC 9112 section 8)
        connection_drop(c, "in the middle of a response, whose rest cannot be had");
    }
}

static enum tls_status send_out(struct connection *c)
{
    if (c->close_after && c->stream == NULL) { // nothing follows but the goodbye, and the end, which uncorks
        int on = 1;
        tls_hold(c->tls);
        setsockopt(c->fd, IPPROTO_TCP, TCP_CORK, &on, sizeof on);
    } else if (c->out_used < c->out.len) {
        log_release();
    }
    while (c->out_used < c->out.len) {
        size_t put = 0;
        enum tls_status status = tls_write(c->tls, c->out.data + c->out_used, c->out.len - c->out_used, &put);
        if (status != TLS_DONE) {
            return status;
        }
        c->out_used += put;
        c->bytes_out += put;
        exchange_wait(c, c->wait); // each piece that is taken earns time for the next
    }
    c->out.len = 0;
    c->out_used = 0;
    if (c->stream == NULL) {
        buf_clear(&c->out);
        c->wait = c->wait == WAIT_RESPONSE ? WAIT_REQUEST : c->wait;
    }
    return TLS_DONE;
}

// --- requests ---

// `who` is there to be handed on: nobody without an identity gets an answer.
static void respond(struct connection *c, const struct trust_identity *who)
{
    struct http_response response = {0};
    struct trust_verdict denial = {0};
    struct visitor visitor = {.who = who,
                              .cipher = tls_cipher(c->tls),
                              .address = c->address,
                              .snapshot = tls_snapshot(c->tls),
                              .root = c->generation->config->root,
                              .now = clock_now(),
                              .recording = c->recording,
                              .denial = &denial};
    pages_respond(&visitor, &c->http->request, &response);
    if (response.status == 403) {
        log_line_denied(c->address, &denial);
    }
    explained_requested(&c->recording, c->tls, buf_span(&c->http->request.target));
    c->heard_out = !c->http->request.keep_alive;
    send_response(c, &response, false);
    http_parser_next(c->http);
    c->requests++;
}

// Parses what was received, up to the end of a request, which is then answered; how much that was.
static size_t parse(struct connection *c, const struct trust_identity *who, struct span received)
{
    size_t used = 0;
    if (c->http == NULL) {
        struct http_limits limits = {.header = limits_of(c)->header, .body = limits_of(c)->body};
        c->http = mem_alloc(sizeof *c->http);
        http_parser_init(c->http, &limits);
    }
    switch (http_parse(c->http, received.data, received.len, &used)) {
    case HTTP_COMPLETE: respond(c, who); break;
    case HTTP_BAD: send_error(c, c->http->error); break;
    case HTTP_MORE:
        exchange_wait(c, c->http->request.head_complete ? WAIT_BODY : WAIT_HEAD);
        if (c->http->request.wants_continue) {
            c->http->request.wants_continue = false;
            buf_text(&c->out, "HTTP/1.1 100 Continue\r\n\r\n");
        }
        break;
    }
    return used;
}

// Takes what is left over from before, or else what the socket has.
static enum tls_status receive(struct connection *c, const struct trust_identity *who)
{
    uint8_t *scratch = c->worker->scratch;
    size_t got = 0;
    if (c->in.len > 0) {
        c->in_used += parse(c, who, span_of(c->in.data + c->in_used, c->in.len - c->in_used));
        if (c->in_used == c->in.len) {
            buf_clear(&c->in);
            c->in_used = 0;
        }
        return TLS_DONE;
    }
    enum tls_status status = tls_read(c->tls, scratch, SCRATCH_SIZE, &got);
    if (status == TLS_DONE) {
        c->bytes_in += got;
        size_t used = parse(c, who, span_of(scratch, got));
        if (used < got) {
            buf_add(&c->in, scratch + used, got - used);
        }
    }
    return status;
}

// Nothing is in flight. What only a request needs is given back.
static enum tls_status rest(struct connection *c)
{
    parser_end(c);
    if (c->close_idle) {
        connection_close(c, "drained");
        return TLS_DONE;
    }
    connection_rest_later(c);
    return TLS_WANT_READ;
}

enum tls_status exchange_step(struct connection *c)
{
    const struct trust_identity *who = tls_peer(c->tls);
    if (who == NULL) { // cannot be; and if it were, there would be nobody to serve
        connection_drop(c, "unknown");
        return TLS_DONE;
    }
    enum tls_status status = send_out(c);
    if (status == TLS_DONE && c->stream != NULL) {
        stream_on(c);
        return TLS_DONE;
    }
    if (status == TLS_DONE && c->close_after) {
        connection_close(c, "done");
        return TLS_DONE;
    }
    if (status == TLS_DONE) {
        status = receive(c, who);
        if (status == TLS_WANT_READ && c->wait == WAIT_REQUEST) {
            return rest(c);
        }
    }
    switch (status) {
    case TLS_CLOSED:
    case TLS_EOF:
        c->heard_out = true;
        connection_close(c, "by the peer");
        return TLS_DONE;
    case TLS_FAILED: connection_drop(c, "broken"); return TLS_DONE;
    default: return status;
    }
}
