// SPDX-License-Identifier: Apache-2.0
#include "server/http_path.h"

#include "base/text.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

// RFC 3986's characters, and those that browsers send as they are (the URL standard of WHATWG): [ ] | in paths, all but
// the ones listed in queries. Never: a fragment, white space, controls, anything but ASCII.
static bool octets_are_good(struct span part, const char *none_of)
{
    for (size_t i = 0; i < part.len; i++) {
        uint8_t c = part.data[i];
        if (c <= ' ' || c >= 0x7f || strchr(none_of, c) != NULL) {
            return false;
        }
    }
    return true;
}

static bool takes_prefix(struct span *rest, const char *prefix)
{
    size_t len = strlen(prefix);
    if (rest->len < len || strncasecmp((const char *)rest->data, prefix, len) != 0) {
        return false;
    }
    *rest = span_of(rest->data + len, rest->len - len);
    return true;
}

// Takes what is in front of the first of `ends`, or everything.
static struct span take_until(struct span *rest, const char *ends)
{
    size_t len = 0;
    while (len < rest->len && strchr(ends, rest->data[len]) == NULL) { // a zero is among them, and refused later
        len++;
    }
    struct span taken = span_of(rest->data, len);
    *rest = span_of(rest->data + len, rest->len - len);
    return taken;
}

int http_target_split(struct span target, struct http_target *parts)
{
    struct span rest = target;
    *parts = (struct http_target){.form = HTTP_TARGET_ORIGIN};
    if (target.len == 1 && target.data[0] == '*') {
        parts->form = HTTP_TARGET_ASTERISK;
        parts->path = target;
        return 0;
    }
    if (takes_prefix(&rest, "https://")) { // http would be somebody else's, over TLS (RFC 9110 section 4.2.2)
        parts->form = HTTP_TARGET_ABSOLUTE;
        parts->authority = take_until(&rest, "/?");
        if (parts->authority.len == 0 || !octets_are_good(parts->authority, "@\"<>\\^`{|}#")) {
            return -1;
        }
    }
    parts->path = take_until(&rest, "?");
    parts->query = rest;
    if (parts->path.len == 0 && parts->form == HTTP_TARGET_ABSOLUTE) {
        parts->path = span_of("/", 1);
    }
    bool good = parts->path.len > 0 && parts->path.data[0] == '/' && octets_are_good(parts->path, "\"<>\\^`{}#") &&
                octets_are_good(parts->query, "\"<>#");
    return good ? 0 : -1;
}

static int hex_digit(uint8_t c)
{
    static const char digits[] = "0123456789abcdef";
    const char *at = c == '\0' ? NULL : strchr(digits, c >= 'A' && c <= 'F' ? c - 'A' + 'a' : c);
    return at == NULL ? -1 : (int)(at - digits);
}

static int decode(struct span encoded, struct buf *out)
{
    for (size_t i = 0; i < encoded.len; i++) {
        uint8_t c = encoded.data[i];
        if (c == '%') {
            int high = i + 2 < encoded.len ? hex_digit(encoded.data[i + 1]) : -1;
            int low = high >= 0 ? hex_digit(encoded.data[i + 2]) : -1;
            if (low < 0) {
                return -1;
            }
            c = (uint8_t)(high << 4 | low);
            i += 2;
            if (c < ' ' || c == 0x7f || c == '/' || c == '\\') {
                return -1;
            }
        }
        buf_add(out, &c, 1);
    }
    return 0;
}

// Overlong forms and stray bytes are read in different ways by different programs: none is taken.
static bool is_utf8(struct span text)
{
    uint32_t code;
    while (text.len > 0) {
        size_t n = text_utf8(text.data, text.len, &code);
        if (n == 0 || (code >= 0x80 && code < 0xa0)) { // C1 controls
            return false;
        }
        text = span_of(text.data + n, text.len - n);
    }
    return true;
}

// RFC 3986 section 5.2.4, but that "//" is one "/" and nothing leads out of the root.
static int resolve(struct span rest, struct buf *path)
{
    path->len = 0;
    buf_text(path, "/");
    while (rest.len > 0) {
        rest = span_of(rest.data + 1, rest.len - 1); // the slash
        struct span segment = take_until(&rest, "/");
        bool last = rest.len == 0;
        if (segment.len == 2 && memcmp(segment.data, "..", 2) == 0) {
            if (path->len == 1) {
                return -1;
            }
            do {
                path->len--;
            } while (path->data[path->len - 1] != '/');
            path->data[path->len] = '\0';
        } else if (segment.len > 0 && !(segment.len == 1 && segment.data[0] == '.')) {
            buf_add(path, segment.data, segment.len);
            buf_text(path, last ? "" : "/");
        }
    }
    return 0;
}

int http_path(struct span target, struct buf *path)
{
    struct http_target parts;
    struct buf decoded = {0};
    int rc = http_target_split(target, &parts);
    path->len = 0;
    if (rc == 0 && parts.form == HTTP_TARGET_ASTERISK) {
        buf_text(path, "*");
    } else if (rc == 0) {
        rc = decode(parts.path, &decoded);
        rc = rc == 0 && is_utf8(buf_span(&decoded)) ? resolve(buf_span(&decoded), path) : -1;
    }
    buf_clear(&decoded);
    return rc;
}

void http_path_encode(const char *path, struct buf *out)
{
    static const char kept[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~/!$&'()*+,;=:@";
    for (; *path != '\0'; path++) {
        if (strchr(kept, *path) != NULL) {
            buf_add(out, path, 1);
        } else {
            buf_printf(out, "%%%02X", (unsigned)(uint8_t)*path);
        }
    }
}
