// SPDX-License-Identifier: Apache-2.0
// Request targets (RFC 9112 section 3.2), and the one form of a path that access rules, routes and files see.
#ifndef MTLS_SERVER_HTTP_PATH_H
#define MTLS_SERVER_HTTP_PATH_H

#include "base/mem.h"

enum http_target_form { HTTP_TARGET_ORIGIN, HTTP_TARGET_ABSOLUTE, HTTP_TARGET_ASTERISK };

// Parts of a target, borrowed.
struct http_target {
    enum http_target_form form;
    struct span authority; // of the absolute form
    struct span path;      // as sent; "/" if the absolute form has none, "*" in the asterisk form
    struct span query;     // with its "?"; empty for none
};

// -1: it is of no form that a server may get, or has an octet that no target may have.
int http_target_split(struct span target, struct http_target *parts);

// Fills `path` with the target's path: percent-decoded once, "." and ".." resolved, "//" made "/". It begins with "/"
// (or is "*"), is UTF-8 without control characters, and no segment of it is empty (but the last), "." or "..".
// -1: there is none: an encoded "/", "\" or control character, a broken escape, bytes that are not UTF-8, or "..",
// that would leave the root.
int http_path(struct span target, struct buf *path);
// Appends it percent-encoded, as a Location needs it.
void http_path_encode(const char *path, struct buf *out);

#endif
