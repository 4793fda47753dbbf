// SPDX-License-Identifier: Apache-2.0
#include "base/text.h"

#include <ctype.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

size_t text_utf8(const uint8_t *p, size_t len, uint32_t *code)
{
    static const uint32_t smallest[5] = {0, 0, 0x80, 0x800, 0x10000};
    size_t n = p[0] < 0x80 ? 1 : (p[0] & 0xe0) == 0xc0 ? 2 : (p[0] & 0xf0) == 0xe0 ? 3 : (p[0] & 0xf8) == 0xf0 ? 4 : 0;
    if (n == 0 || n > len) {
        return 0;
    }
    uint32_t c = n == 1 ? p[0] : p[0] & (0x7fU >> n);
    for (size_t i = 1; i < n; i++) {
        if ((p[i] & 0xc0) != 0x80) {
            return 0;
        }
        c = c << 6 | (p[i] & 0x3f);
    }
    if (c < smallest[n] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff)) {
        return 0;
    }
    *code = c;
    return n;
}

void text_utf8_add(struct buf *b, uint32_t code)
{
    static const uint8_t lead[5] = {0, 0, 0xc0, 0xe0, 0xf0};
    uint8_t p[4];
    size_t n = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    for (size_t i = n - 1; i > 0; i--) {
        p[i] = (uint8_t)(0x80 | (code & 0x3f));
        code >>= 6;
    }
    p[0] = (uint8_t)(lead[n] | code);
    buf_add(b, p, n);
}

bool text_is_invisible(uint32_t c)
{
    return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0xad || c == 0x61c || (c >= 0x200b && c <= 0x200f) ||
           (c >= 0x2028 && c <= 0x202e) || (c >= 0x2060 && c <= 0x206f) || c == 0xfeff ||
           (c >= 0xfff9 && c <= 0xfffb) || (c >= 0xe0000 && c <= 0xe007f);
}

// Of ASCII, and shown as it is.
static bool is_plain(uint8_t c)
{
    return c >= 0x20 && c < 0x7f && c != '\\';
}

const char *text_escape(struct buf *b, const void *data, size_t len, size_t limit)
{
    const uint8_t *p = data;
    size_t start = b->len;
    buf_add(b, "", 0);
    for (size_t i = 0; i < len;) {
        uint32_t c = 0;
        size_t n = text_utf8(p + i, len - i, &c);
        if (b->len - start + 4 > limit) {
            buf_text(b, "...");
            break;
        }
        if (n == 0 || text_is_invisible(c) || c == '\\') {
            size_t bytes = n == 0 ? 1 : n;
            for (size_t k = 0; k < bytes; k++) {
                buf_printf(b, "\\x%02X", p[i + k]);
            }
            i += bytes;
            continue;
        }
        size_t room = limit - (b->len - start) - 4; // for as many more, so that the next one is asked again
        size_t run = n;
        while (run < room && i + run < len && is_plain(p[i + run])) {
            run++;
        }
        buf_add(b, p + i, run);
        i += run;
    }
    return (const char *)b->data;
}

void text_vformat(char *text, size_t size, const char *fmt, va_list ap)
{
    vsnprintf(text, size, fmt, ap);
    size_t len = strlen(text);
    size_t start = len;
    uint32_t code = 0;
    while (start > 0 && len - start < 4 && (text[start - 1] & 0xc0) == 0x80) {
        start--;
    }
    if (start > 0 && (text[start - 1] & 0x80) != 0 &&
        text_utf8((uint8_t *)text + start - 1, len - start + 1, &code) == 0) {
        text[start - 1] = '\0';
    }
}

void text_html(struct buf *b, const char *text)
{
    for (; *text != '\0'; text++) {
        switch (*text) {
        case '&': buf_text(b, "&amp;"); break;
        case '<': buf_text(b, "&lt;"); break;
        case '>': buf_text(b, "&gt;"); break;
        case '"': buf_text(b, "&quot;"); break;
        case '\'': buf_text(b, "&#39;"); break;
        default: buf_add(b, text, 1); break;
        }
    }
}

void text_json(struct buf *b, const char *text)
{
    static const char letters[] = {
        ['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f', ['\r'] = 'r', ['"'] = '"', ['\\'] = '\\'};
    const uint8_t *start = (const uint8_t *)text;
    const uint8_t *p = start;
    size_t left = strlen(text);
    buf_add(b, "\"", 1);
    while (left > 0) {
        uint32_t code = 0;
        while (left > 0 && is_plain(*p) && *p != '"') {
            p++;
            left--;
        }
        if (left == 0) {
            break;
        }
        size_t n = text_utf8(p, left, &code);
        bool plain = n > 0 && code >= 0x20 && code != '"' && code != '\\';
        if (!plain) { // those before it are
            buf_add(b, start, (size_t)(p - start));
            if (n == 0) {
                buf_text(b, "\xef\xbf\xbd");
            } else if (letters[code] != '\0') {
                buf_add(b, (const char[]){'\\', letters[code]}, 2);
            } else {
                buf_printf(b, "\\u%04X", (unsigned)code);
            }
        }
        n = n > 0 ? n : 1;
        p += n;
        left -= n;
        start = plain ? start : p;
    }
    buf_add(b, start, (size_t)(p - start));
    buf_add(b, "\"", 1);
}

void text_hex(struct buf *b, const void *data, size_t len, char separator)
{
    static const char digits[] = "0123456789abcdef";
    const uint8_t *p = data;
    buf_reserve(b, 3 * len);
    uint8_t *to = b->data + b->len;
    for (size_t i = 0; i < len; i++) {
        if (i > 0 && separator != '\0') {
            *to++ = (uint8_t)separator;
        }
        *to++ = (uint8_t)digits[p[i] >> 4];
        *to++ = (uint8_t)digits[p[i] & 15];
    }
    *to = '\0';
    b->len = (size_t)(to - b->data);
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    int lower = tolower((unsigned char)c);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

bool text_unhex(const char *hex, struct buf *out)
{
    int high = -1;
    for (; *hex != '\0'; hex++) {
        int digit = hex_digit(*hex);
        if (digit < 0 && high < 0 && (*hex == ':' || *hex == ' ')) {
            continue;
        }
        if (digit < 0) {
            return false;
        }
        if (high < 0) {
            high = digit;
            continue;
        }
        uint8_t byte = (uint8_t)(high << 4 | digit);
        buf_add(out, &byte, 1);
        high = -1;
    }
    return high < 0;
}

// Levenshtein distance of two short words; long ones count as far apart.
static size_t distance(const char *a, const char *b)
{
    enum { LONGEST = 40 };
    size_t la = strlen(a);
    size_t lb = strlen(b);
    size_t row[LONGEST + 1];
    if (la > LONGEST || lb > LONGEST) {
        return LONGEST;
    }
    for (size_t j = 0; j <= lb; j++) {
        row[j] = j;
    }
    for (size_t i = 1; i <= la; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= lb; j++) {
            size_t substituted = diagonal + (a[i - 1] != b[j - 1]);
            size_t inserted = (row[j - 1] < row[j] ? row[j - 1] : row[j]) + 1;
            diagonal = row[j];
            row[j] = substituted < inserted ? substituted : inserted;
        }
    }
    return row[lb];
}

const char *text_nearest(const char *typed, const char *const *names)
{
    const char *best = NULL;
    size_t best_distance = strlen(typed) / 3 + 1;
    for (; *names != NULL; names++) {
        size_t d = distance(typed, *names);
        if (d <= best_distance && d < strlen(*names)) {
            best = *names;
            best_distance = d == 0 ? 0 : d - 1;
        }
    }
    return best;
}

void text_list(struct buf *b, const char *const *names)
{
    for (size_t i = 0; names[i] != NULL; i++) {
        buf_printf(b, "%s%s", i > 0 ? ", " : "", names[i]);
    }
}

bool text_starts(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

bool text_ends(const char *text, const char *suffix)
{
    size_t lt = strlen(text);
    size_t ls = strlen(suffix);
    return lt >= ls && strcmp(text + lt - ls, suffix) == 0;
}
