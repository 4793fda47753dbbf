// SPDX-License-Identifier: Apache-2.0
#include "server/http_date.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

static const char *const days[] = {"Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"};
static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

enum form { FORM_IMF, FORM_RFC850, FORM_ASCTIME };

// Not strftime: its words are the locale's.
static void write_form(const struct tm *tm, enum form form, char text[HTTP_DATE_TEXT])
{
    int year = tm->tm_year + 1900;
    switch (form) {
    case FORM_IMF:
        snprintf(text, HTTP_DATE_TEXT, "%.3s, %02d %s %04d %02d:%02d:%02d GMT", days[tm->tm_wday], tm->tm_mday,
                 months[tm->tm_mon], year, tm->tm_hour, tm->tm_min, tm->tm_sec);
        break;
    case FORM_RFC850:
        snprintf(text, HTTP_DATE_TEXT, "%s, %02d-%s-%02d %02d:%02d:%02d GMT", days[tm->tm_wday], tm->tm_mday,
                 months[tm->tm_mon], year % 100, tm->tm_hour, tm->tm_min, tm->tm_sec);
        break;
    case FORM_ASCTIME:
        snprintf(text, HTTP_DATE_TEXT, "%.3s %s %2d %02d:%02d:%02d %04d", days[tm->tm_wday], months[tm->tm_mon],
                 tm->tm_mday, tm->tm_hour, tm->tm_min, tm->tm_sec, year);
        break;
    }
}

static bool split(int64_t when, struct tm *tm)
{
    time_t t = (time_t)when;
    return gmtime_r(&t, tm) != NULL && tm->tm_year >= -1900 && tm->tm_year <= 8099;
}

const char *http_date(int64_t when, char text[HTTP_DATE_TEXT])
{
    struct tm tm;
    if (!split(when, &tm)) { // a file's time can be anything
        split(0, &tm);
    }
    write_form(&tm, FORM_IMF, text);
    return text;
}

static bool month_of(const char *word, struct tm *tm)
{
    for (tm->tm_mon = 0; tm->tm_mon < 12; tm->tm_mon++) {
        if (strcmp(word, months[tm->tm_mon]) == 0) {
            return true;
        }
    }
    return false;
}

// A year of two digits is at most 50 years ahead.
static int full_year(int year, int64_t now)
{
    struct tm today;
    if (!split(now, &today)) {
        return year;
    }
    int full = (today.tm_year + 1900) / 100 * 100 + year;
    return full > today.tm_year + 1900 + 50 ? full - 100 : full;
}

// Reads loosely; and what was meant, written again, must be the text: so every digit is where it belongs and nothing
// is out of its range.
static bool read_form(const char *text, enum form form, int64_t now, int64_t *when)
{
    static const char *const patterns[] = {
        [FORM_IMF] = "%*[A-Za-z], %2d %3s %4d %2d:%2d:%2d GMT",
        [FORM_RFC850] = "%*[A-Za-z], %2d-%3[A-Za-z]-%2d %2d:%2d:%2d GMT",
    };
    char month[4] = "";
    char again[HTTP_DATE_TEXT];
    struct tm tm = {0};
    int year = 0;
    int read = form == FORM_ASCTIME
                   ? sscanf(text, "%*3s %3s %2d %2d:%2d:%2d %4d", month, &tm.tm_mday, &tm.tm_hour, &tm.tm_min,
                            &tm.tm_sec, &year)
                   : sscanf(text, patterns[form], &tm.tm_mday, month, &year, &tm.tm_hour, &tm.tm_min, &tm.tm_sec);
    if (read != 6 || !month_of(month, &tm)) {
        return false;
    }
    tm.tm_year = (form == FORM_RFC850 ? full_year(year, now) : year) - 1900;
    *when = (int64_t)timegm(&tm);
    if (!split(*when, &tm)) {
        return false;
    }
    write_form(&tm, form, again);
    return strcmp(text, again) == 0;
}

bool http_date_read(const char *text, int64_t now, int64_t *when)
{
    return read_form(text, FORM_IMF, now, when) || read_form(text, FORM_RFC850, now, when) ||
           read_form(text, FORM_ASCTIME, now, when);
}
