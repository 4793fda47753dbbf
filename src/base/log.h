// SPDX-License-Identifier: Apache-2.0
// What happened, to stderr, one line an event, with the time. No secrets and nothing unescaped gets here.
#ifndef MTLS_BASE_LOG_H
#define MTLS_BASE_LOG_H

#include "base/err.h"

void log_event(const char *fmt, ...) __attribute__((format(printf, 1, 2)));   // "2026-11-23T14:00:00Z what happened"
void log_warning(const char *fmt, ...) __attribute__((format(printf, 1, 2))); // "mtls: what is doubtful", in yellow
void log_error(const struct err *e);                                          // "mtls: what went wrong", in red

#endif
