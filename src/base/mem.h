// SPDX-License-Identifier: Apache-2.0
// Memory. An allocation either succeeds or ends the program with one sentence and exit code 3: a half-working
// process that cannot allocate must not go on judging certificates. Sizes that come from a peer are bounded before
// they reach these functions.
#ifndef MTLS_BASE_MEM_H
#define MTLS_BASE_MEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

void *mem_alloc(size_t size);                                                 // zeroed; free with free()
void *mem_array(size_t count, size_t size);                                   // zeroed, overflow checked
void *mem_grow(void *old, size_t *capacity, size_t item_size, size_t wanted); // room for `wanted` items at least
char *mem_strdup(const char *text);                                           // NULL gives NULL
char *mem_strndup(const char *text, size_t length);
char *mem_printf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

// A borrowed view of bytes that somebody else owns.
struct span {
    const uint8_t *data;
    size_t len;
};

static inline struct span span_of(const void *data, size_t len)
{
    return (struct span){.data = data, .len = len};
}

static inline bool spans_equal(struct span a, struct span b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

// A growing, owned run of bytes. {0} is empty and valid. Cleared memory is zeroised first, also when it grows, so a
// buffer may hold secrets. `data[len]` is always 0 once anything was added, so text can be read as a C string.
struct buf {
    uint8_t *data;
    size_t len;
    size_t cap;
};

void buf_add(struct buf *b, const void *data, size_t len);
void buf_text(struct buf *b, const char *text);
void buf_printf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void buf_reserve(struct buf *b, size_t extra); // afterwards `extra` bytes may be written at data + len
void buf_clear(struct buf *b);
static inline struct span buf_span(const struct buf *b)
{
    return (struct span){.data = b->data, .len = b->len};
}

#endif
