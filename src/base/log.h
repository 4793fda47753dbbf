// SPDX-License-Identifier: Apache-2.0
// What happened, to stderr, one line an event, with the time. No secrets and nothing unescaped gets here. From any
// thread; lines stay whole.
#ifndef MTLS_BASE_LOG_H
#define MTLS_BASE_LOG_H

#include "base/err.h"

#include <jansson.h>

// Text is for people. JSON is one object a line, for programs; then all the functions here write objects.
enum log_format { LOG_TEXT, LOG_JSON };
void log_format_set(enum log_format format); // of the whole process; LOG_TEXT until somebody says otherwise
enum log_format log_format(void);

void log_event(const char *fmt, ...) __attribute__((format(printf, 1, 2))); // "2026-11-23T14:00:00.123Z what happened"
void log_warning(const char *fmt, ...) __attribute__((format(printf, 1, 2))); // "mtls: what is doubtful", in yellow
void log_error(const struct err *e);                                          // "mtls: what went wrong", in red
// {"time": ..., "event": EVENT, the members of `fields`}; drops the reference to `fields`.
void log_object(const char *event, json_t *fields);
// On this thread, lines wait for log_release(), and then leave together. Whoever holds them releases them before
// anybody could ask for what they say.
void log_hold(void);
void log_release(void);
json_t *log_text(const char *text); // for a member: a string; escaped if it is not UTF-8, as a file's name need not be

#endif
