// SPDX-License-Identifier: Apache-2.0
#include "client/internal.h"

#include <llhttp.h>
#include <string.h>

struct response {
    llhttp_t llhttp;
    llhttp_settings_t settings;
    FILE *body;
    bool head; // the answer to a HEAD: a length, but no body
    bool complete;
    bool write_failed;
};

static int on_body(llhttp_t *llhttp, const char *at, size_t len)
{
    struct response *response = llhttp->data;
    if (response->body != NULL && fwrite(at, 1, len, response->body) != len) {
        response->write_failed = true;
        return -1;
    }
    return 0;
}

static int on_headers_complete(llhttp_t *llhttp)
{
    struct response *response = llhttp->data;
    return response->head ? 1 : 0; // 1: no body follows, whatever the headers say
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
    *response = (struct response){.body = call->body, .head = strcmp(call->method, "HEAD") == 0};
    llhttp_settings_init(&response->settings);
    response->settings.on_headers_complete = on_headers_complete;
    response->settings.on_body = on_body;
    response->settings.on_message_complete = on_complete;
    llhttp_init(&response->llhttp, HTTP_RESPONSE, &response->settings);
    response->llhttp.data = response;
}

static void send_request(struct session *session)
{
    const struct client_call *call = session->call;
    const struct client_target *target = call->target;
    bool is_v6 = strchr(target->host, ':') != NULL;
    bool is_default = strcmp(target->port, "443") == 0;
    struct buf request = {0};
    buf_printf(&request, "%s %s HTTP/1.1\r\nHost: %s%s%s%s%s\r\nUser-Agent: mtls/%s\r\nAccept: */*\r\n", call->method,
               target->path, is_v6 ? "[" : "", target->host, is_v6 ? "]" : "", is_default ? "" : ":",
               is_default ? "" : target->port, MTLS_VERSION);
    if (call->has_data) {
        buf_printf(&request, "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: %zu\r\n",
                   call->data.len);
    }
    buf_text(&request, "Connection: close\r\n\r\n");
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
    } else if (status == TLS_WANT_READ) {
        err_set(&result->failure, "the server said nothing for %ld ms", session->call->timeout_ms);
    } else if (status != TLS_DONE) {
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
    }
    session_close(&session);
}
