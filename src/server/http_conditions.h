// SPDX-License-Identifier: Apache-2.0
// Conditional and range requests (RFC 9110 sections 13 and 14) for what has a size, a date and an entity tag.
#ifndef MTLS_SERVER_HTTP_CONDITIONS_H
#define MTLS_SERVER_HTTP_CONDITIONS_H

#include "server/http.h"

struct http_representation {
    int64_t size;
    int64_t modified;
    const char *etag; // strong, with its quotes
};

struct http_range {
    int64_t first;
    int64_t length;
};

// What GET or HEAD is to be answered with: 200, 206 (then *range is a part), 304, 412 or 416. Without 206, *range is
// all of it.
int http_conditions(const struct http_request *request, const struct http_representation *representation, int64_t now,
                    struct http_range *range);

#endif
