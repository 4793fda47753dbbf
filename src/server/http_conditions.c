// SPDX-License-Identifier: Apache-2.0
#include "server/http_conditions.h"

#include "server/http_date.h"

#include <string.h>
#include <strings.h>

// Is the tag in a list of them, or the list "*"? `weak`: W/ makes no difference (RFC 9110 section 8.8.3.2).
static bool etag_is_listed(const char *list, const char *etag, bool weak)
{
    if (strcmp(list, "*") == 0) {
        return true;
    }
    for (;;) {
        list += strspn(list, " \t,");
        bool is_weak = strncmp(list, "W/", 2) == 0;
        list += is_weak ? 2 : 0;
        const char *end = list[0] == '"' ? strchr(list + 1, '"') : NULL;
        if (end == NULL) {
            return false;
        }
        size_t len = (size_t)(end + 1 - list);
        if ((weak || !is_weak) && len == strlen(etag) && memcmp(list, etag, len) == 0) {
            return true;
        }
        list = end + 1;
    }
}

static bool date_of(const struct http_request *request, const char *name, int64_t now, int64_t *when)
{
    const char *text = http_field(request, name, NULL);
    return text != NULL && http_date_read(text, now, when);
}

// RFC 9110 section 13.2.2: which one counts, and in which order.
static int precondition(const struct http_request *request, const struct http_representation *representation,
                        int64_t now)
{
    const char *match = http_field(request, "if-match", NULL);
    const char *none_match = http_field(request, "if-none-match", NULL);
    int64_t when = 0;
    if (match != NULL ? !etag_is_listed(match, representation->etag, false)
                      : date_of(request, "if-unmodified-since", now, &when) && representation->modified > when) {
        return 412;
    }
    if (none_match != NULL ? etag_is_listed(none_match, representation->etag, true)
                           : date_of(request, "if-modified-since", now, &when) && representation->modified <= when) {
        return 304;
    }
    return 200;
}

// Digits only; what is too large for a file is the largest there is. False: no digit.
static bool number(const char **text, int64_t *value)
{
    const char *start = *text;
    for (*value = 0; **text >= '0' && **text <= '9'; (*text)++) {
        *value = *value > INT64_MAX / 10 - 1 ? INT64_MAX / 10 : *value * 10 + (**text - '0');
    }
    return *text != start;
}

// One range of bytes. 200: there is none that is understood (more than one is not), so the whole is sent.
static int one_range(const char *text, int64_t size, struct http_range *range)
{
    int64_t first = 0;
    int64_t last = INT64_MAX;
    if (strncasecmp(text, "bytes=", strlen("bytes=")) != 0) {
        return 200;
    }
    text += strlen("bytes=");
    if (text[0] == '-') { // so many of the last ones
        text++;
        if (!number(&text, &last) || text[0] != '\0') {
            return 200;
        }
        if (last == 0 || size == 0) {
            return 416;
        }
        *range = (struct http_range){.first = last < size ? size - last : 0, .length = last < size ? last : size};
        return 206;
    }
    if (!number(&text, &first) || *text++ != '-' || (text[0] != '\0' && !number(&text, &last)) || text[0] != '\0' ||
        last < first) {
        return 200;
    }
    if (first >= size) {
        return 416;
    }
    last = last < size ? last : size - 1;
    *range = (struct http_range){.first = first, .length = last - first + 1};
    return 206;
}

int http_conditions(const struct http_request *request, const struct http_representation *representation, int64_t now,
                    struct http_range *range)
{
    size_t ranges = 0;
    int status = precondition(request, representation, now);
    const char *wanted = http_field(request, "range", &ranges);
    const char *if_range = http_field(request, "if-range", NULL);
    *range = (struct http_range){.first = 0, .length = representation->size};
    if (status != 200 || ranges != 1 || strcmp(request->method, "GET") != 0) {
        return status;
    }
    // A date is too coarse to know that the rest belongs to what the client has (RFC 9110 section 8.8.2.2).
    if (if_range != NULL && strcmp(if_range, representation->etag) != 0) {
        return 200;
    }
    return one_range(wanted, representation->size, range);
}
