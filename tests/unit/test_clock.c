// SPDX-License-Identifier: Apache-2.0
#include "base/clock.h"
#include "unit.h"

#include <stdlib.h>

enum { BASE = 1767225600 }; // 2026-01-01T00:00:00Z

static void times_are_read(void **state)
{
    static const struct {
        const char *text;
        int64_t when;
    } cases[] = {
        {"now", BASE},
        {"+90d", BASE + 90 * CLOCK_DAY},
        {"90d", BASE + 90 * CLOCK_DAY},
        {"-1h", BASE - 3600},
        {"30m", BASE + 1800},
        {"1w", BASE + 7 * CLOCK_DAY},
        {"1y", BASE + 365 * CLOCK_DAY},
        {"5s", BASE + 5},
        {"2026-01-01T00:00:00Z", BASE},
        {"2026-01-01t00:00:00z", BASE},
        {"2026-01-01T01:30:00+01:30", BASE},
        {"2025-12-31T23:00:00-01:00", BASE},
        {"2026-01-01", BASE},
        {"2024-02-29", 1709164800},
        {"1969-12-31T23:59:59Z", -1},
        {"1950-01-01", -631152000},
        {"9999-12-31T23:59:59Z", 253402300799},
        {"1767225600", BASE},
        {"1", 1},
        {"0", 0},
    };
    struct err e = ERR_INIT;
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int64_t when = 0;
        assert_works(clock_parse(cases[i].text, BASE, &when, &e), &e);
        assert_int_equal(when, cases[i].when);
    }
}

static void other_texts_are_refused(void **state)
{
    static const char *const cases[] = {
        "",
        " now",
        "NOW",
        "tomorrow",
        "2026-02-29",
        "2026-13-01",
        "2026-00-01",
        "2026-1-01",
        "2026-01-01 00:00:00",
        "+",
        "-",
        "+d",
        "+90",
        "+90x",
        "90dd",
        "--1d",
        "+-1d",
        "1.5d",
        "0x10",
        "2026-01-01T00:00:00",
        "2026-01-01T24:00:00Z",
        "2026-01-01T00:60:00Z",
        "2026-01-01T00:00:60Z",
        "2026-01-01T00:00:00+1:00",
        "2026-01-01T00:00:00Zx",
        "99999999999999999999",
        "9999999999999999999d",
    };
    struct err e = ERR_INIT;
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int64_t when = 0;
        char *expected = mem_printf("\"%s\" is not a time; write RFC 3339 like 2026-11-23T14:00:00Z, a date, \"now\", "
                                    "+90d, -1h, or seconds since 1970",
                                    cases[i]);
        assert_fails(clock_parse(cases[i], BASE, &when, &e), &e, expected);
        free(expected);
    }
}

// Every day of all years that a certificate can name, as the C library counts them; and what it would carry over.
static void calendar_is_the_librarys(void **state)
{
    int64_t expected = -INT64_C(62167219200); // 0000-01-01
    int64_t when = 0;
    (void)state;
    for (int year = 0; year <= 9999; year++) {
        for (int month = 0; month < 12; month++) {
            for (int day = 0; day <= 32; day++) {
                const struct tm tm = {.tm_year = year - 1900, .tm_mon = month, .tm_mday = day};
                if (!clock_of_calendar(&tm, &when)) {
                    assert_true(day < 1 || day > 28);
                    continue;
                }
                assert_int_equal(when, expected);
                expected += CLOCK_DAY;
                if (day == 28 && year % 100 == 0) {
                    struct tm copy = tm;
                    assert_int_equal(timegm(&copy), when);
                }
            }
        }
    }
    assert_int_equal(expected, INT64_C(253402300800));
    const struct tm no_leap = {.tm_year = 0, .tm_mon = 1, .tm_mday = 29};
    const struct tm leap = {.tm_year = 100, .tm_mon = 1, .tm_mday = 29, .tm_hour = 23, .tm_min = 59, .tm_sec = 59};
    const struct tm month = {.tm_year = 100, .tm_mon = 12, .tm_mday = 1};
    assert_false(clock_of_calendar(&no_leap, &when));
    assert_false(clock_of_calendar(&month, &when));
    assert_true(clock_of_calendar(&leap, &when));
    assert_int_equal(when, 951868799);
}

static void what_depends_on_now_is_known(void **state)
{
    (void)state;
    assert_true(clock_is_relative("now"));
    assert_true(clock_is_relative("+90d"));
    assert_true(clock_is_relative("-1h"));
    assert_true(clock_is_relative("90d"));
    assert_false(clock_is_relative("2026-01-01"));
    assert_false(clock_is_relative("2026-01-01T00:00:00Z"));
    assert_false(clock_is_relative("1767225600"));
}

static void durations_are_read(void **state)
{
    struct err e = ERR_INIT;
    int64_t seconds = 0;
    (void)state;
    assert_works(clock_parse_duration("90d", &seconds, &e), &e);
    assert_int_equal(seconds, 90 * CLOCK_DAY);
    assert_works(clock_parse_duration("3600", &seconds, &e), &e);
    assert_int_equal(seconds, 3600);
    assert_fails(clock_parse_duration("-1h", &seconds, &e), &e,
                 "\"-1h\" is not a duration; write it like 90d, 12h or 3600");
    assert_fails(clock_parse_duration("", &seconds, &e), &e, "\"\" is not a duration; write it like 90d, 12h or 3600");
}

static void times_are_written(void **state)
{
    char text[CLOCK_TEXT];
    (void)state;
    assert_string_equal(clock_rfc3339(BASE, text), "2026-01-01T00:00:00Z");
    assert_string_equal(clock_rfc3339(-1, text), "1969-12-31T23:59:59Z");
    assert_string_equal(clock_rfc3339_ms((int64_t)BASE * 1000 + 7, text), "2026-01-01T00:00:00.007Z");
    assert_string_equal(clock_rfc3339_ms(-1, text), "1969-12-31T23:59:59.999Z");
    assert_string_equal(clock_x509(253402300799, text), "99991231235959");
    assert_string_equal(clock_x509(BASE + 86399, text), "20260101235959");
    const mbedtls_x509_time t = {.year = 2026, .mon = 1, .day = 1, .hour = 23, .min = 59, .sec = 59};
    assert_int_equal(clock_of_x509(&t), BASE + 86399);
}

static void the_environment_fixes_the_date(void **state)
{
    struct err e = ERR_INIT;
    int64_t when = 7;
    (void)state;
    unsetenv("SOURCE_DATE_EPOCH");
    assert_int_equal(clock_source_date(&when, &e), 0);
    setenv("SOURCE_DATE_EPOCH", "", 1);
    assert_int_equal(clock_source_date(&when, &e), 0);
    assert_int_equal(when, 7);
    setenv("SOURCE_DATE_EPOCH", "1767225600", 1);
    assert_int_equal(clock_source_date(&when, &e), 1);
    assert_int_equal(when, BASE);
    setenv("SOURCE_DATE_EPOCH", "-1", 1);
    assert_fails(clock_source_date(&when, &e), &e, "SOURCE_DATE_EPOCH is \"-1\"; it must be seconds since 1970");
    unsetenv("SOURCE_DATE_EPOCH");
}

static void it_is_said_how_long_to_wait(void **state)
{
    int64_t now = clock_now();
    (void)state;
    assert_int_equal(clock_ms_until(now - 1, 5000), 0);
    assert_int_equal(clock_ms_until(INT64_MIN, 5000), 0);
    assert_int_equal(clock_ms_until(now + 100, 5000), 5000);
    assert_int_equal(clock_ms_until(INT64_MAX, 5000), 5000);
    uint64_t ms = clock_ms_until(now + 1000, 10000000);
    assert_true(ms <= 1000 * 1000 && ms > 900 * 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(times_are_read),
        cmocka_unit_test(other_texts_are_refused),
        cmocka_unit_test(durations_are_read),
        cmocka_unit_test(what_depends_on_now_is_known),
        cmocka_unit_test(times_are_written),
        cmocka_unit_test(calendar_is_the_librarys),
        cmocka_unit_test(the_environment_fixes_the_date),
        cmocka_unit_test(it_is_said_how_long_to_wait),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
