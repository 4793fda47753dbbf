// SPDX-License-Identifier: Apache-2.0
#include "client/internal.h"

#include <strings.h>

#define TOKEN_CHARACTERS                                                                                               \
    "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz" // RFC 9110 5.6.2

static size_t name_length(const char *header)
{
    return strspn(header, TOKEN_CHARACTERS);
}

static bool is_named(const char *header, const char *name)
{
    return name_length(header) == strlen(name) && strncasecmp(header, name, strlen(name)) == 0;
}

// What is behind the colon, or "" for curl's "Name;" that stands for an empty one; NULL: the header is not to be sent.
static const char *value_of(const char *header)
{
    const char *rest = header + name_length(header);
    if (*rest == ';') {
        return "";
    }
    rest += 1 + strspn(rest + 1, " \t");
    return *rest != '\0' ? rest : NULL;
}

int client_header_check(const char *header, struct err *e)
{
    static const char *const ours[] = {"Content-Length", "Transfer-Encoding", "Expect", "Upgrade"};
    size_t len = name_length(header);
    for (const char *p = header; *p != '\0'; p++) {
        if (((unsigned char)*p < ' ' && *p != '\t') || *p == 0x7f) { // CR and LF would begin another header
            return err_usage(e, "a header must not hold control characters (0x%02x at octet %zu)", (unsigned char)*p,
                             (size_t)(p - header) + 1);
        }
    }
    if (len == 0 || (header[len] != ':' && strcmp(header + len, ";") != 0)) {
        return err_usage(e, "\"%s\" is not a header: \"Name: value\", \"Name;\" for an empty one, \"Name:\" for none",
                         header);
    }
    for (size_t i = 0; i < sizeof ours / sizeof ours[0]; i++) {
        if (is_named(header, ours[i])) {
            return err_usage(e, "the header %s is not for you to set: the request would mean something else", ours[i]);
        }
    }
    return 0;
}

// Does the caller have something to say about it?
static bool is_given(const struct client_call *call, const char *name)
{
    for (size_t i = 0; i < call->header_count; i++) {
        if (is_named(call->headers[i], name)) {
            return true;
        }
    }
    return false;
}

static void put_default(struct buf *head, const struct client_call *call, const char *name, const char *value)
{
    if (!is_given(call, name)) {
        buf_printf(head, "%s: %s\r\n", name, value);
    }
}

static void put_host(struct buf *head, const struct client_call *call)
{
    const struct client_target *target = call->target;
    bool is_v6 = strchr(target->host, ':') != NULL;
    bool is_default = strcmp(target->port, "443") == 0;
    struct buf host = {0};
    buf_printf(&host, "%s%s%s%s%s", is_v6 ? "[" : "", target->host, is_v6 ? "]" : "", is_default ? "" : ":",
               is_default ? "" : target->port);
    put_default(head, call, "Host", (const char *)host.data);
    buf_clear(&host);
}

void request_head(const struct client_call *call, struct buf *head)
{
    buf_printf(head, "%s %s HTTP/1.1\r\n", call->method, call->target->path);
    put_host(head, call);
    put_default(head, call, "User-Agent", "mtls/" MTLS_VERSION);
    put_default(head, call, "Accept", "*/*");
    for (size_t i = 0; i < call->header_count; i++) {
        const char *value = value_of(call->headers[i]);
        if (value != NULL) {
            buf_printf(head, "%.*s: %s\r\n", (int)name_length(call->headers[i]), call->headers[i], value);
        }
    }
    if (call->has_data) {
        put_default(head, call, "Content-Type", "application/x-www-form-urlencoded");
        buf_printf(head, "Content-Length: %zu\r\n", call->data.len);
    }
    put_default(head, call, "Connection", "close");
    buf_text(head, "\r\n");
}
