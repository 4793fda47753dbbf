// SPDX-License-Identifier: Apache-2.0
// HTTP/1.1 responses, as far as servers under test send them: Content-Length or chunked.
#include "tests/bench/load.h"

#include <stdlib.h>
#include <string.h>

enum { HEAD_MOST = 16384, KEPT_MOST = 65536 };
enum { CHUNK_SIZE, CHUNK_DATA, CHUNK_END, CHUNK_TRAILER }; // phases

void answer_reset(struct answer *a)
{
    buf_clear(&a->head);
    buf_clear(&a->body);
    *a = (struct answer){0};
}

static void take_body(struct answer *a, const uint8_t *data, size_t len)
{
    if (a->expected.data == NULL) {
        if (a->body.len < KEPT_MOST) {
            buf_add(&a->body, data, len);
        }
    } else if (len > a->expected.len - a->offset || memcmp(a->expected.data + a->offset, data, len) != 0) {
        a->differs = true;
    } else {
        a->offset += len;
    }
}

static enum answer_status head_read(struct answer *a)
{
    const char *text = (const char *)a->head.data;
    if (strncmp(text, "HTTP/1.1 ", 9) != 0) {
        return ANSWER_UNREADABLE;
    }
    a->status = (int)strtol(text + 9, NULL, 10);
    a->left = -1;
    for (const char *line = strstr(text, "\r\n"); line != NULL; line = strstr(line + 2, "\r\n")) {
        if (strncasecmp(line + 2, "content-length:", 15) == 0) {
            a->left = strtoll(line + 17, NULL, 10);
        } else if (strncasecmp(line + 2, "transfer-encoding: chunked", 26) == 0) {
            a->chunked = true;
        }
    }
    a->head_done = true;
    return a->status < 100 || (a->left < 0 && !a->chunked) ? ANSWER_UNREADABLE : ANSWER_MORE;
}

// One line, or as much of it as there is; in `head`, which is not needed any more. True: it is complete.
static bool line_take(struct answer *a, const uint8_t **data, const uint8_t *end)
{
    while (*data < end && a->head.len < HEAD_MOST) {
        uint8_t c = *(*data)++;
        if (c == '\n') {
            return true;
        }
        buf_add(&a->head, &c, 1);
    }
    return false;
}

static enum answer_status chunks_take(struct answer *a, const uint8_t *data, const uint8_t *end)
{
    while (data < end) {
        if (a->phase == CHUNK_DATA) {
            size_t len = end - data < a->left ? (size_t)(end - data) : (size_t)a->left;
            take_body(a, data, len);
            data += len;
            a->left -= (int64_t)len;
            a->phase = a->left == 0 ? CHUNK_END : CHUNK_DATA;
            continue;
        }
        if (!line_take(a, &data, end)) {
            return a->head.len < HEAD_MOST ? ANSWER_MORE : ANSWER_UNREADABLE;
        }
        bool empty = a->head.len <= 1; // its CR
        if (a->phase == CHUNK_SIZE) {
            a->left = strtoll(empty ? "-1" : (const char *)a->head.data, NULL, 16);
            if (a->left < 0) {
                return ANSWER_UNREADABLE;
            }
            a->phase = a->left > 0 ? CHUNK_DATA : CHUNK_TRAILER;
        } else if (a->phase == CHUNK_END) {
            a->phase = CHUNK_SIZE;
        } else if (empty) {
            return data == end ? ANSWER_DONE : ANSWER_UNREADABLE;
        }
        a->head.len = 0;
    }
    return ANSWER_MORE;
}

enum answer_status answer_feed(struct answer *a, const uint8_t *data, size_t len)
{
    const uint8_t *end = data + len;
    if (!a->head_done) {
        size_t before = a->head.len;
        size_t from = before < 3 ? 0 : before - 3;
        buf_add(&a->head, data, len);
        const uint8_t *found = memmem(a->head.data + from, a->head.len - from, "\r\n\r\n", 4);
        if (found == NULL) {
            return a->head.len < HEAD_MOST ? ANSWER_MORE : ANSWER_UNREADABLE;
        }
        data += (size_t)(found + 4 - a->head.data) - before;
        a->head.len = (size_t)(found + 2 - a->head.data);
        a->head.data[a->head.len] = '\0';
        if (head_read(a) != ANSWER_MORE) {
            return ANSWER_UNREADABLE;
        }
        a->head.len = 0;
        if (a->status < 200) { // 100 Continue has no body, and is not the response
            a->head_done = false;
            return data == end ? ANSWER_MORE : answer_feed(a, data, (size_t)(end - data));
        }
    }
    if (a->chunked) {
        return chunks_take(a, data, end);
    }
    if (end - data > a->left) {
        return ANSWER_UNREADABLE; // more than was promised
    }
    take_body(a, data, (size_t)(end - data));
    a->left -= end - data;
    return a->left == 0 ? ANSWER_DONE : ANSWER_MORE;
}
