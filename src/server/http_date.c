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

// Takes from each place what the pattern says is there; anything may come of a text that is something else.
static void read_places(const char *text, const char *pattern, struct tm *tm, char month[4])
{
    size_t letters = 0;
    for (; *pattern != '\0'; pattern++, text++) {
        int digit = *text >= '0' && *text <= '9' ? *text - '0' : 0;
        switch (*pattern) {
        case 'b': month[letters++] = *text; break;
        case 'd': tm->tm_mday = tm->tm_mday * 10 + digit; break;
        case 'y': tm->tm_year = tm->tm_year * 10 + digit; break;
        case 'H': tm->tm_hour = tm->tm_hour * 10 + digit; break;
        case 'M': tm->tm_min = tm->tm_min * 10 + digit; break;
        case 'S': tm->tm_sec = tm->tm_sec * 10 + digit; break;
        default: break;
        }
    }
}

// What was meant, written again, must be the text: so every digit is where it belongs and nothing is out of its range.
static bool read_form(const char *text, enum form form, int64_t now, int64_t *when)
{
    static const char *const patterns[] = {
        [FORM_IMF] = ".....dd.bbb.yyyy.HH.MM.SS....",
        [FORM_RFC850] = "..dd.bbb.yy.HH.MM.SS....", // from the comma on
        [FORM_ASCTIME] = "....bbb.dd.HH.MM.SS.yyyy",
    };
    char month[4] = "";
    char again[HTTP_DATE_TEXT];
    struct tm tm = {0};
    const char *start = form == FORM_RFC850 ? strchr(text, ',') : text;
    if (start == NULL || strlen(start) != strlen(patterns[form])) {
        return false;
    }
    read_places(start, patterns[form], &tm, month);
    tm.tm_year = (form == FORM_RFC850 ? full_year(tm.tm_year, now) : tm.tm_year) - 1900;
    if (!month_of(month, &tm)) {
        return false;
    }
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
