// SPDX-License-Identifier: Apache-2.0
#include "base/mem.h"

#include <mbedtls/platform_util.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *mem_checked(void *p)
{
    if (p == NULL) {
        fputs("mtls: out of memory\n", stderr);
        exit(3);
    }
    return p;
}

void *mem_alloc(size_t size)
{
    return mem_checked(calloc(1, size > 0 ? size : 1));
}

void *mem_array(size_t count, size_t size)
{
    return mem_checked(calloc(count > 0 ? count : 1, size > 0 ? size : 1));
}

void *mem_grow(void *old, size_t *capacity, size_t item_size, size_t wanted)
{
    if (wanted <= *capacity) {
        return old;
    }
    size_t more = *capacity < 8 ? 8 : *capacity * 2;
    if (more < wanted) {
        more = wanted;
    }
    void *p = mem_checked(reallocarray(old, more, item_size));
    memset((uint8_t *)p + *capacity * item_size, 0, (more - *capacity) * item_size);
    *capacity = more;
    return p;
}

char *mem_strdup(const char *text)
{
    return text == NULL ? NULL : mem_checked(strdup(text));
}

char *mem_strndup(const char *text, size_t length)
{
    return mem_checked(strndup(text, length));
}

char *mem_printf(const char *fmt, ...)
{
    char *text = NULL;
    va_list ap;
    va_start(ap, fmt);
    int n = vasprintf(&text, fmt, ap);
    va_end(ap);
    return mem_checked(n < 0 ? NULL : text);
}

void buf_reserve(struct buf *b, size_t extra)
{
    size_t wanted = b->len + extra + 1;
    if (wanted <= b->cap) {
        return;
    }
    size_t cap = b->cap < 256 ? 256 : b->cap * 2;
    if (cap < wanted) {
        cap = wanted;
    }
    uint8_t *data = mem_alloc(cap); // not realloc: the old copy may hold a secret and must be zeroised
    if (b->len > 0) {
        memcpy(data, b->data, b->len);
        mbedtls_platform_zeroize(b->data, b->cap);
    }
    free(b->data);
    b->data = data;
    b->cap = cap;
}

void buf_add(struct buf *b, const void *data, size_t len)
{
    buf_reserve(b, len);
    if (len > 0) {
        memcpy(b->data + b->len, data, len);
    }
    b->len += len;
    b->data[b->len] = '\0';
}

void buf_text(struct buf *b, const char *text)
{
    buf_add(b, text, strlen(text));
}

void buf_printf(struct buf *b, const char *fmt, ...)
{
    enum { USUAL = 120 };
    va_list ap;
    buf_reserve(b, USUAL);
    va_start(ap, fmt);
    int n = vsnprintf((char *)b->data + b->len, b->cap - b->len, fmt, ap);
    va_end(ap);
    if (n < 0) {
        b->data[b->len] = '\0';
        return;
    }
    if ((size_t)n >= b->cap - b->len) { // it did not fit
        buf_reserve(b, (size_t)n);
        va_start(ap, fmt);
        vsnprintf((char *)b->data + b->len, (size_t)n + 1, fmt, ap);
        va_end(ap);
    }
    b->len += (size_t)n;
}

void buf_clear(struct buf *b)
{
    if (b->data != NULL) {
        mbedtls_platform_zeroize(b->data, b->cap);
        free(b->data);
    }
    *b = (struct buf){0};
}
