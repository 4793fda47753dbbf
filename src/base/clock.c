// SPDX-License-Identifier: Apache-2.0
#include "base/clock.h"

#include "base/text.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const char *const time_forms =
    "write RFC 3339 like 2026-11-23T14:00:00Z, a date, \"now\", +90d, -1h, or seconds since 1970";

int64_t clock_now(void)
{
    return (int64_t)time(NULL);
}

int64_t clock_now_ms(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_REALTIME, &ts);
    return (int64_t)ts.tv_sec * 1000 + (int64_t)(ts.tv_nsec / 1000000);
}

uint64_t clock_monotonic_us(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (uint64_t)ts.tv_sec * 1000000U + (uint64_t)ts.tv_nsec / 1000U;
}

uint64_t clock_ms_until(int64_t when, uint64_t longest)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (when <= now.tv_sec) {
        return 0;
    }
    uint64_t seconds = (uint64_t)when - (uint64_t)now.tv_sec;
    if (seconds > longest / 1000 + 1) {
        return longest;
    }
    uint64_t ms = seconds * 1000 - (uint64_t)now.tv_nsec / 1000000;
    return ms < longest ? ms : longest;
}

// All of `text` as a decimal number; false if it is anything else.
static bool whole_number(const char *text, int64_t *value)
{
    char *end = NULL;
    if (!isdigit((unsigned char)text[0])) {
        return false;
    }
    errno = 0;
    long long n = strtoll(text, &end, 10);
    *value = n;
    return errno == 0 && *end == '\0';
}

int clock_source_date(int64_t *when, struct err *e)
{
    const char *text = getenv("SOURCE_DATE_EPOCH");
    if (text == NULL || text[0] == '\0') {
        return 0;
    }
    if (!whole_number(text, when)) {
        return err_usage(e, "SOURCE_DATE_EPOCH is \"%s\"; it must be seconds since 1970", text);
    }
    return 1;
}

static int64_t unit_seconds(const char *unit)
{
    static const struct {
        const char *name;
        int64_t seconds;
    } units[] = {{"s", 1}, {"m", 60}, {"h", 3600}, {"d", CLOCK_DAY}, {"w", 7 * CLOCK_DAY}, {"y", 365 * CLOCK_DAY}};
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        if (strcmp(units[i].name, unit) == 0) {
            return units[i].seconds;
        }
    }
    return 0;
}

// A number with a unit, without sign.
static bool amount_parse(const char *text, int64_t *seconds)
{
    char *end = NULL;
    if (!isdigit((unsigned char)text[0])) {
        return false;
    }
    errno = 0;
    long long n = strtoll(text, &end, 10);
    int64_t unit = unit_seconds(end);
    if (errno != 0 || unit == 0 || n > INT64_C(400000000000) / unit) {
        return false;
    }
    *seconds = n * unit;
    return true;
}

bool clock_is_relative(const char *text)
{
    int64_t ignored;
    return strcmp(text, "now") == 0 || ((text[0] == '+' || text[0] == '-') && amount_parse(text + 1, &ignored)) ||
           amount_parse(text, &ignored);
}

static bool is_leap(int year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

// Leap days before 1 January of this year, counted from the same start for all of them. 400 years are one whole round.
static int64_t leap_days_before(int year)
{
    int last = year + 400 - 1;
    return last / 4 - last / 100 + last / 400;
}

// Not by timegm: it silently carries 31 February over, and holds a lock of the whole process.
bool clock_of_calendar(const struct tm *tm, int64_t *when)
{
    static const int days_before[] = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365};
    int year = tm->tm_year + 1900;
    if (year < 0 || year > 9999 || tm->tm_mon < 0 || tm->tm_mon > 11 || tm->tm_hour > 23 || tm->tm_min > 59 ||
        tm->tm_sec > 59) {
        return false;
    }
    int leap_day = tm->tm_mon == 1 && is_leap(year);
    if (tm->tm_mday < 1 || tm->tm_mday > days_before[tm->tm_mon + 1] - days_before[tm->tm_mon] + leap_day) {
        return false;
    }
    int64_t days = INT64_C(365) * (year - 1970) + leap_days_before(year) - leap_days_before(1970) +
                   days_before[tm->tm_mon] + (tm->tm_mon > 1 && is_leap(year)) + tm->tm_mday - 1;
    *when = days * CLOCK_DAY + tm->tm_hour * 3600 + tm->tm_min * 60 + tm->tm_sec;
    return true;
}

static bool digits(const char *text, const char *shape)
{
    for (; *shape != '\0'; shape++, text++) {
        bool good = *shape == '9' ? isdigit((unsigned char)*text) : toupper((unsigned char)*text) == *shape;
        if (!good) {
            return false;
        }
    }
    return true;
}

// "Z" or "+hh:mm"; the seconds to subtract go to *offset.
static bool offset_parse(const char *text, int64_t *offset)
{
    if ((text[0] == 'Z' || text[0] == 'z') && text[1] == '\0') {
        *offset = 0;
        return true;
    }
    if ((text[0] != '+' && text[0] != '-') || !digits(text + 1, "99:99") || text[6] != '\0') {
        return false;
    }
    int64_t seconds = strtol(text + 1, NULL, 10) * 3600 + strtol(text + 4, NULL, 10) * 60;
    *offset = text[0] == '-' ? -seconds : seconds;
    return true;
}

static bool rfc3339_parse(const char *text, int64_t *when)
{
    struct tm tm = {0};
    int64_t offset = 0;
    if (!digits(text, "9999-99-99")) {
        return false;
    }
    tm.tm_year = (int)strtol(text, NULL, 10) - 1900;
    tm.tm_mon = (int)strtol(text + 5, NULL, 10) - 1;
    tm.tm_mday = (int)strtol(text + 8, NULL, 10);
    if (text[10] != '\0') {
        if (!digits(text + 10, "T99:99:99") || !offset_parse(text + 19, &offset)) {
            return false;
        }
        tm.tm_hour = (int)strtol(text + 11, NULL, 10);
        tm.tm_min = (int)strtol(text + 14, NULL, 10);
        tm.tm_sec = (int)strtol(text + 17, NULL, 10);
    }
    if (!clock_of_calendar(&tm, when)) {
        return false;
    }
    *when -= offset;
    return true;
}

int clock_parse(const char *text, int64_t base, int64_t *when, struct err *e)
{
    int64_t seconds;
    if (strcmp(text, "now") == 0) {
        *when = base;
        return 0;
    }
    if (text[0] == '-' && amount_parse(text + 1, &seconds)) {
        *when = base - seconds;
        return 0;
    }
    if (amount_parse(text[0] == '+' ? text + 1 : text, &seconds)) {
        *when = base + seconds;
        return 0;
    }
    if (whole_number(text, when) || rfc3339_parse(text, when)) {
        return 0;
    }
    return err_set(e, "\"%s\" is not a time; %s", text, time_forms);
}

int clock_parse_duration(const char *text, int64_t *seconds, struct err *e)
{
    if (amount_parse(text, seconds) || whole_number(text, seconds)) {
        return 0;
    }
    return err_set(e, "\"%s\" is not a duration; write it like 90d, 12h or 3600", text);
}

static struct tm calendar(int64_t when)
{
    struct tm tm = {0};
    time_t t = (time_t)when;
    gmtime_r(&t, &tm);
    return tm;
}

// Each log line has a time, and strftime takes it through the locale.
static char *put_digits(char *p, int number)
{
    *p++ = (char)('0' + number / 10);
    *p++ = (char)('0' + number % 10);
    return p;
}

const char *clock_rfc3339(int64_t when, char text[CLOCK_TEXT])
{
    struct tm tm = calendar(when);
    int year = tm.tm_year + 1900;
    if (year < 0 || year > 9999) {
        strftime(text, CLOCK_TEXT, "%Y-%m-%dT%H:%M:%SZ", &tm);
        return text;
    }
    const int rest[] = {tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec};
    char *p = put_digits(put_digits(text, year / 100), year % 100);
    for (size_t i = 0; i < sizeof rest / sizeof rest[0]; i++) {
        *p++ = "--T::"[i];
        p = put_digits(p, rest[i]);
    }
    *p++ = 'Z';
    *p = '\0';
    return text;
}

const char *clock_rfc3339_ms(int64_t when_ms, char text[CLOCK_TEXT])
{
    int64_t ms = when_ms % 1000;
    int64_t seconds = when_ms / 1000;
    if (ms < 0) { // before 1970
        ms += 1000;
        seconds--;
    }
    clock_rfc3339(seconds, text);
    size_t end = strlen(text) - strlen("Z");
    const char fraction[] = {'.', (char)('0' + ms / 100), (char)('0' + ms / 10 % 10), (char)('0' + ms % 10), 'Z', '\0'};
    memcpy(text + end, fraction, sizeof fraction);
    return text;
}

const char *clock_x509(int64_t when, char text[CLOCK_TEXT])
{
    struct tm tm = calendar(when);
    strftime(text, CLOCK_TEXT, "%Y%m%d%H%M%S", &tm);
    return text;
}

int64_t clock_of_x509(const mbedtls_x509_time *t)
{
    struct tm tm = {.tm_year = t->year - 1900,
                    .tm_mon = t->mon - 1,
                    .tm_mday = t->day,
                    .tm_hour = t->hour,
                    .tm_min = t->min,
                    .tm_sec = t->sec};
    return (int64_t)timegm(&tm);
}
