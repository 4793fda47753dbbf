// SPDX-License-Identifier: Apache-2.0
#include "base/text.h"
#include "client/client.h"

#include <stdlib.h>
#include <string.h>

void client_target_clear(struct client_target *target)
{
    free(target->host);
    free(target->port);
    free(target->path);
    *target = (struct client_target){0};
}

static bool port_is_good(const char *port)
{
    size_t len = strlen(port);
    return len > 0 && len <= 5 && strspn(port, "0123456789") == len && strtol(port, NULL, 10) > 0 &&
           strtol(port, NULL, 10) < 65536;
}

// Nothing that could break a request line or a header, and no user names.
static bool is_plain(const char *text)
{
    for (; *text != '\0'; text++) {
        if ((unsigned char)*text <= ' ' || (unsigned char)*text >= 0x7f) {
            return false;
        }
    }
    return true;
}

int client_target_parse(const char *text, struct client_target *target, struct err *e)
{
    static const char scheme[] = "https://";
    const char *p = text_starts(text, scheme) ? text + strlen(scheme) : text;
    *target = (struct client_target){0};
    size_t authority = strcspn(p, "/?#");
    if (text_starts(p + (authority > 0 ? authority - 1 : 0), "://")) {
        return err_usage(e, "\"%s\" is not an https:// URL", text);
    }
    size_t path = strcspn(p + authority, "#");
    target->path = mem_printf("%s%.*s", p[authority] == '/' ? "" : "/", (int)path, p + authority);
    bool bracketed = p[0] == '[';
    const char *end = bracketed ? memchr(p, ']', authority) : p + authority;
    const char *colon =
        end == NULL ? NULL : memchr(bracketed ? end : p, ':', authority - (size_t)((bracketed ? end : p) - p));
    if (end != NULL) {
        const char *host_end = bracketed ? end : colon != NULL ? colon : end;
        target->host = mem_strndup(p + bracketed, (size_t)(host_end - p) - bracketed);
        target->port = colon == NULL ? mem_strdup("443") : mem_strndup(colon + 1, (size_t)(p + authority - colon - 1));
    }
    if (target->host == NULL || target->host[0] == '\0' || strchr(target->host, '@') != NULL || !is_plain(text) ||
        !port_is_good(target->port)) {
        client_target_clear(target);
        return err_usage(e, "\"%s\" is not https://HOST[:PORT][/PATH] or HOST:PORT", text);
    }
    return 0;
}
