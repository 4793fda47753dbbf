// SPDX-License-Identifier: Apache-2.0
#include "base/err.h"

#include "base/text.h"

#include <errno.h>
#include <mbedtls/error.h>
#include <stdarg.h>
#include <string.h>

static int err_vset(struct err *e, enum err_kind kind, const char *fmt, va_list ap)
{
    if (e->kind != ERR_NONE) {
        return -1;
    }
    e->kind = kind;
    text_vformat(e->text, sizeof e->text, fmt, ap);
    return -1;
}

static __attribute__((format(printf, 2, 3))) void err_append(struct err *e, const char *fmt, ...)
{
    size_t used = strlen(e->text);
    va_list ap;
    va_start(ap, fmt);
    text_vformat(e->text + used, sizeof e->text - used, fmt, ap);
    va_end(ap);
}

int err_set(struct err *e, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    err_vset(e, ERR_ENVIRONMENT, fmt, ap);
    va_end(ap);
    return -1;
}

int err_usage(struct err *e, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    err_vset(e, ERR_USAGE, fmt, ap);
    va_end(ap);
    return -1;
}

int err_refused(struct err *e, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    err_vset(e, ERR_REFUSED, fmt, ap);
    va_end(ap);
    return -1;
}

int err_errno(struct err *e, const char *fmt, ...)
{
    int saved = errno;
    if (e->kind == ERR_NONE) {
        va_list ap;
        va_start(ap, fmt);
        err_vset(e, ERR_ENVIRONMENT, fmt, ap);
        va_end(ap);
        err_append(e, ": %s", strerror(saved));
    }
    return -1;
}

int err_mbedtls(struct err *e, int code, const char *fmt, ...)
{
    if (e->kind == ERR_NONE) {
        char words[256];
        va_list ap;
        va_start(ap, fmt);
        err_vset(e, ERR_ENVIRONMENT, fmt, ap);
        va_end(ap);
        mbedtls_strerror(code, words, sizeof words);
        err_append(e, ": %s", words);
    }
    return -1;
}

int err_context(struct err *e, const char *fmt, ...)
{
    char inner[sizeof e->text];
    va_list ap;
    if (e->kind == ERR_NONE) {
        return -1;
    }
    memcpy(inner, e->text, sizeof inner);
    va_start(ap, fmt);
    text_vformat(e->text, sizeof e->text, fmt, ap);
    va_end(ap);
    err_append(e, ": %s", inner);
    return -1;
}

void err_clear(struct err *e)
{
    e->kind = ERR_NONE;
    e->text[0] = '\0';
}
