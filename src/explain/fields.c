// SPDX-License-Identifier: Apache-2.0
// The fields of a message: JSON values, whose text is safe to print.
#include "base/text.h"
#include "explain/internal.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { HEX_WHOLE = 32, HEX_START = 16, TEXT_MOST = 256 };

void field_text(json_t *fields, const char *name, const char *text)
{
    json_object_set_new(fields, name, json_string(text));
}

void field_printf(json_t *fields, const char *name, const char *fmt, ...)
{
    char text[512];
    va_list ap;
    va_start(ap, fmt);
    text_vformat(text, sizeof text, fmt, ap);
    va_end(ap);
    field_text(fields, name, text);
}

void field_hex(json_t *fields, const char *name, struct span data)
{
    struct buf b = {0};
    text_hex(&b, data.data, data.len <= HEX_WHOLE ? data.len : HEX_START, '\0');
    if (data.len > HEX_WHOLE) {
        buf_printf(&b, "... (%zu octets)", data.len);
    }
    field_text(fields, name, (const char *)b.data);
    buf_clear(&b);
}

void field_escaped(json_t *fields, const char *name, struct span text)
{
    struct buf b = {0};
    field_text(fields, name, text_escape(&b, text.data, text.len, TEXT_MOST));
    buf_clear(&b);
}

// RFC 8701: numbers that mean nothing, so that nobody gets used to a fixed list.
static bool is_grease(unsigned number)
{
    return (number & 0x0f0f) == 0x0a0a && number >> 8 == (number & 0xff);
}

static void number_text(char text[96], unsigned number, size_t size, const char *(*of)(unsigned))
{
    const char *name = of(number);
    if (name != NULL) {
        snprintf(text, 96, "%s", name);
    } else {
        snprintf(text, 96, "%s0x%0*X", size == 2 && is_grease(number) ? "GREASE " : "", (int)(2 * size), number);
    }
}

void field_number(json_t *fields, const char *name, unsigned number, const char *(*of)(unsigned))
{
    char text[96];
    number_text(text, number, 2, of);
    field_text(fields, name, text);
}

void list_number(json_t *list, unsigned number, size_t size, const char *(*of)(unsigned))
{
    char text[96];
    number_text(text, number, size, of);
    json_array_append_new(list, json_string(text));
}
