// SPDX-License-Identifier: Apache-2.0
#include "client/internal.h"

#include <llhttp.h>
#include <stdlib.h>
#include <string.h>

enum { LINE_MOST = 64 * 1024 };

struct response {
    llhttp_t llhttp;
    llhttp_settings_t settings;
    const struct client_call *call;
    struct buf line; // of the head, as far as it has come
    bool head;       // the answer to a HEAD: a length, but no body
    bool complete;
    bool write_failed;
};

// --- the head, line by line ---

static int add_to_line(llhttp_t *llhttp, const char *at, size_t len)
{
    struct response *response = llhttp->data;
    if (response->line.len + len > LINE_MOST) {
        llhttp_set_error_reason(llhttp, "a line of its head is too long");
        return -1;
    }
    buf_add(&response->line, at, len);
    return 0;
}

static int end_line(llhttp_t *llhttp)
{
    struct response *response = llhttp->data;
    buf_text(&response->line, ""); // or it is no text where nothing came
    client_line(response->call, CLIENT_RESPONSE_LINE, (const char *)response->line.data);
    buf_clear(&response->line);
    return 0;
}

static int on_begin(llhttp_t *llhttp)
{
    struct response *response = llhttp->data;
    buf_clear(&response->line);
    return 0;
}

static int on_status_complete(llhttp_t *llhttp)
{
    struct response *response = llhttp->data;
    struct buf line = {0};
    buf_printf(&line, "HTTP/%u.%u %u %s", llhttp->http_major, llhttp->http_minor, llhttp->status_code,
               response->line.len > 0 ? (const char *)response->line.data : "");
    buf_clear(&response->line);
    response->line = line;
    return end_line(llhttp);
}

static int on_field_complete(llhttp_t *llhttp)
{
    return add_to_line(llhttp, ": ", 2);
}

static int on_headers_complete(llhttp_t *llhttp)
{
    struct response *response = llhttp->data;
    client_line(response->call, CLIENT_RESPONSE_LINE, "");
    return response->head ? 1 : 0; // 1: no body follows, whatever the headers say
}

// --- the body ---

static int on_body(llhttp_t *llhttp, const char *at, size_t len)
{
    struct response *response = llhttp->data;
    if (response->call->body != NULL && fwrite(at, 1, len, response->call->body) != len) {
        response->write_failed = true;
        return -1;
    }
    return 0;
}

static int on_complete(llhttp_t *llhttp)
{
    struct response *response = llhttp->data;
    bool interim = llhttp->status_code >= 100 && llhttp->status_code < 200 && llhttp->status_code != 101;
    response->complete = !interim;
    return interim ? 0 : HPE_PAUSED;
}

static void response_init(struct response *response, const struct client_call *call)
{
    *response = (struct response){.call = call, .head = strcmp(call->method, "HEAD") == 0};
    llhttp_settings_init(&response->settings);
    response->settings.on_message_begin = on_begin;
    response->settings.on_status = add_to_line;
    response->settings.on_status_complete = on_status_complete;
    response->settings.on_header_field = add_to_line;
    response->settings.on_header_field_complete = on_field_complete;
    response->settings.on_header_value = add_to_line;
    response->settings.on_header_value_complete = end_line;
    response->settings.on_headers_complete = on_headers_complete;
    response->settings.on_body = on_body;
    response->settings.on_message_complete = on_complete;
    llhttp_init(&response->llhttp, HTTP_RESPONSE, &response->settings);
    response->llhttp.data = response;
}

// --- one request, one response ---

static void show_request(const struct client_call *call, const struct buf *head)
{
    const char *line = (const char *)head->data;
    for (const char *end; (end = strstr(line, "\r\n")) != NULL; line = end + 2) {
        char *copy = mem_strndup(line, (size_t)(end - line));
        client_line(call, CLIENT_REQUEST_LINE, copy);
        free(copy);
    }
}

static void send_request(struct session *session)
{
    const struct client_call *call = session->call;
    struct buf request = {0};
    request_head(call, &request);
    if (call->on_line != NULL) {
        show_request(call, &request);
    }
    buf_add(&request, call->data.data, call->data.len);
    session_send(session, request.data, request.len);
    buf_clear(&request);
}

// One piece of the response. True: there is more to come.
static bool response_take(struct response *response, const char *data, size_t len, struct err *e)
{
    enum llhttp_errno code = llhttp_execute(&response->llhttp, data, len);
    if (response->write_failed) {
        err_errno(e, "writing the response's body");
    } else if (code != HPE_OK && code != HPE_PAUSED && code != HPE_PAUSED_UPGRADE) {
        err_set(e, "the server's answer is not HTTP: %s", llhttp_get_error_reason(&response->llhttp));
    }
    return code == HPE_OK;
}

static void receive_response(struct session *session, struct response *response)
{
    struct client_result *result = session->result;
    char data[16384];
    size_t got = 0;
    enum tls_status status;
    do {
        status = session_receive(session, data, sizeof data, &got);
    } while (status == TLS_DONE && response_take(response, data, got, &result->failure));
    // A body without a length ends with the connection, but only when the server says so (RFC 9110 section 8.6 and
    // RFC 8446 section 6.1: an end without close_notify may be an attacker's).
    if (status == TLS_CLOSED && llhttp_message_needs_eof(&response->llhttp) == 1 && response->llhttp.status_code != 0) {
        (void)llhttp_finish(&response->llhttp); // calls on_complete
    }
    result->status = response->llhttp.status_code;
    if (response->complete) {
        result->outcome = CLIENT_SERVED;
    } else if (status == TLS_FAILED) {
        session_ended(session);
        result->hung_up = result->outcome == CLIENT_FAILED && result->status == 0;
    } else if (status == TLS_WANT_READ) {
        session_overdue(session);
    } else if (status != TLS_DONE) {
        result->hung_up = result->status == 0;
        err_set(&result->failure, "the server closed the connection %s",
                result->status == 0 ? "without an answer" : "before its answer was complete");
    }
}

void client_fetch(const struct client_call *call, struct client_result *result)
{
    struct session session;
    struct response response;
    if (session_open(&session, call, result)) {
        response_init(&response, call);
        send_request(&session);
        receive_response(&session, &response);
        buf_clear(&response.line);
    }
    session_close(&session);
}
