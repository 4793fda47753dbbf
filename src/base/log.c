// SPDX-License-Identifier: Apache-2.0
#include "base/log.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/print.h"
#include "base/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LINE_MOST = 2048 };

static int format_now = LOG_TEXT; // a reload may change it while others log

void log_format_set(enum log_format format)
{
    __atomic_store_n(&format_now, (int)format, __ATOMIC_RELAXED);
}

enum log_format log_format(void)
{
    return (enum log_format)__atomic_load_n(&format_now, __ATOMIC_RELAXED);
}

static _Thread_local bool holds;
static _Thread_local struct buf held;

void log_hold(void)
{
    holds = true;
}

void log_release(void)
{
    holds = false;
    if (held.len > 0) {
        fwrite(held.data, 1, held.len, stderr); // one call, so that lines stay whole
        buf_clear(&held);
    }
}

static void put_line(const char *when, const char *text)
{
    enum { HELD_MOST = 8192 };
    buf_text(&held, when);
    buf_text(&held, when[0] != '\0' ? " " : "");
    buf_text(&held, text);
    buf_text(&held, "\n");
    if (!holds || held.len > HELD_MOST) {
        log_release();
    }
}

void log_object(const char *event, json_t *fields)
{
    char when[CLOCK_TEXT];
    json_t *line = json_pack("{s:s, s:s}", "time", clock_rfc3339_ms(clock_now_ms(), when), "event", event);
    json_object_update(line, fields);
    json_decref(fields);
    char *text = json_dumps(line, JSON_COMPACT | JSON_PRESERVE_ORDER);
    put_line("", text);
    free(text);
    json_decref(line);
}

json_t *log_text(const char *text)
{
    json_t *value = json_string(text);
    if (value == NULL) {
        struct buf escaped = {0};
        value = json_string(text_escape(&escaped, text, strlen(text), SIZE_MAX));
        buf_clear(&escaped);
    }
    return value;
}

static void object_of_text(const char *event, const char *text)
{
    log_object(event, json_pack("{s:o}", "message", log_text(text)));
}

void log_event(const char *fmt, ...)
{
    char when[CLOCK_TEXT];
    char line[LINE_MOST];
    va_list ap;
    va_start(ap, fmt);
    text_vformat(line, sizeof line, fmt, ap);
    va_end(ap);
    if (log_format() == LOG_JSON) {
        object_of_text("message", line);
    } else {
        put_line(clock_rfc3339_ms(clock_now_ms(), when), line);
    }
}

void log_warning(const char *fmt, ...)
{
    char line[LINE_MOST];
    va_list ap;
    va_start(ap, fmt);
    text_vformat(line, sizeof line, fmt, ap);
    va_end(ap);
    if (log_format() == LOG_JSON) {
        object_of_text("warning", line);
    } else {
        log_release();
        print_coloured(stderr, COLOUR_YELLOW, "mtls: %s\n", line);
    }
}

void log_error(const struct err *e)
{
    if (log_format() == LOG_JSON) {
        object_of_text("error", e->text);
    } else {
        log_release();
        print_coloured(stderr, COLOUR_RED, "mtls: %s\n", e->text);
    }
}
