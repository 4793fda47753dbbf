// SPDX-License-Identifier: Apache-2.0
// Time is int64_t seconds since 1970-01-01T00:00:00Z everywhere. Functions that judge or issue take the time as a
// parameter; only the commands ask for it.
#ifndef MTLS_BASE_CLOCK_H
#define MTLS_BASE_CLOCK_H

#include "base/err.h"

#include <mbedtls/x509.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

enum { CLOCK_DAY = 86400, CLOCK_TEXT = 32 };

int64_t clock_now(void);
int64_t clock_now_ms(void);        // milliseconds since 1970
uint64_t clock_monotonic_us(void); // for durations
// Milliseconds from now until `when` begins, rounded up; 0 if it has, and at most `longest`.
uint64_t clock_ms_until(int64_t when, uint64_t longest);

// The time that SOURCE_DATE_EPOCH fixes for reproducible output. 1: set, *when filled; 0: not set; -1: not a number.
int clock_source_date(int64_t *when, struct err *e);

// Reads "now", a relative time ("+90d", "-1h", "30m", units s m h d w y, from `base`), RFC 3339
// ("2026-11-23T14:00:00Z", with offset), a date ("2026-11-23", midnight UTC) or seconds since 1970.
int clock_parse(const char *text, int64_t base, int64_t *when, struct err *e);
bool clock_is_relative(const char *text); // would clock_parse's answer depend on `base`?
// Reads a duration ("90d", "12h", "3600") in seconds; not negative.
int clock_parse_duration(const char *text, int64_t *seconds, struct err *e);

const char *clock_rfc3339(int64_t when, char text[CLOCK_TEXT]);       // 2026-11-23T14:00:00Z
const char *clock_rfc3339_ms(int64_t when_ms, char text[CLOCK_TEXT]); // 2026-11-23T14:00:00.123Z
const char *clock_x509(int64_t when, char text[CLOCK_TEXT]);          // 20261123140000, as mbedtls_x509write_* take it
int64_t clock_of_x509(const mbedtls_x509_time *t);
// Of the fields of a time in UTC, years 0 to 9999, none negative. False: there is no such day, or second of a day.
bool clock_of_calendar(const struct tm *tm, int64_t *when);

#endif
