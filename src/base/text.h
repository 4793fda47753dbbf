// SPDX-License-Identifier: Apache-2.0
// Text that comes from a certificate or from the network is hostile: it is escaped here before any terminal, log,
// header or page. Plus hex, and "did you mean".
#ifndef MTLS_BASE_TEXT_H
#define MTLS_BASE_TEXT_H

#include "base/mem.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

// Length of the well-formed UTF-8 sequence (RFC 3629) at the start of p[0..len), len > 0; 0 if there is none. *code is
// its code point.
size_t text_utf8(const uint8_t *p, size_t len, uint32_t *code);
// Appends a code point as UTF-8, the reverse.
void text_utf8_add(struct buf *b, uint32_t code);
// Characters that change how the text around them is shown: controls, line and paragraph separators, bidi marks,
// zero-width ones, tags.
bool text_is_invisible(uint32_t code);

// Printable ASCII and well-formed UTF-8 stay, everything else (control characters, bidi overrides, stray bytes, and
// the backslash itself) becomes \xNN. At most `limit` bytes are written, then "...". Returns b's text.
const char *text_escape(struct buf *b, const void *data, size_t len, size_t limit);
// The same for HTML: escaped as above and & < > " ' as entities.
void text_html(struct buf *b, const char *text);
// A JSON string (RFC 8259 section 7) with its quotes, octet for octet as jansson writes it; what is no UTF-8 becomes
// U+FFFD. For answers that are made at each request; everywhere else jansson itself.
void text_json(struct buf *b, const char *text);

// As vsnprintf, but what does not fit is cut at a character; so is what "%.80s" cut at the end of it.
void text_vformat(char *text, size_t size, const char *fmt, va_list ap) __attribute__((format(printf, 3, 0)));

void text_hex(struct buf *b, const void *data, size_t len, char separator); // '\0' for none
bool text_unhex(const char *hex, struct buf *out); // separators ':' and ' ' are skipped; false: not hex

// The nearest of `names` (NULL-terminated) to `typed`, or NULL if none is near enough to be a slip of the hand.
const char *text_nearest(const char *typed, const char *const *names);
// "a, b, c" of a NULL-terminated list.
void text_list(struct buf *b, const char *const *names);
bool text_starts(const char *text, const char *prefix);
bool text_ends(const char *text, const char *suffix);

#endif
