// SPDX-License-Identifier: Apache-2.0
#include "base/log.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/print.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void log_event(const char *fmt, ...)
{
    char when[CLOCK_TEXT];
    char line[2048];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(line, sizeof line, fmt, ap);
    va_end(ap);
    fprintf(stderr, "%s %s\n", clock_rfc3339(clock_now(), when), line); // one call, so that lines stay whole
}

void log_warning(const char *fmt, ...)
{
    char line[2048];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(line, sizeof line, fmt, ap);
    va_end(ap);
    print_coloured(stderr, COLOUR_YELLOW, "mtls: %s\n", line);
}

void log_error(const struct err *e)
{
    print_coloured(stderr, COLOUR_RED, "mtls: %s\n", e->text);
}
