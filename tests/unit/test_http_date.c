// SPDX-License-Identifier: Apache-2.0
#include "server/http_date.h"
#include "unit.h"

enum { EXAMPLE = 784111777, NOW = 1795456920 }; // of RFC 9110 section 5.6.7; in November 2026

static void test_write(void **state)
{
    static const struct {
        int64_t when;
        const char *text;
    } cases[] = {
        {EXAMPLE, "Sun, 06 Nov 1994 08:49:37 GMT"},
        {0, "Thu, 01 Jan 1970 00:00:00 GMT"},
        {-1, "Wed, 31 Dec 1969 23:59:59 GMT"},
        {951782400, "Tue, 29 Feb 2000 00:00:00 GMT"},
        {INT64_MAX, "Thu, 01 Jan 1970 00:00:00 GMT"}, // no year of four digits
        {INT64_C(253402300799), "Fri, 31 Dec 9999 23:59:59 GMT"},
        {INT64_C(253402300800), "Thu, 01 Jan 1970 00:00:00 GMT"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[HTTP_DATE_TEXT];
        assert_string_equal(http_date(cases[i].when, text), cases[i].text);
    }
}

static void test_read(void **state)
{
    static const struct {
        const char *text;
        int64_t when;
    } cases[] = {
        {"Sun, 06 Nov 1994 08:49:37 GMT", EXAMPLE},
        {"Sunday, 06-Nov-94 08:49:37 GMT", EXAMPLE},
        {"Sun Nov  6 08:49:37 1994", EXAMPLE},
        {"Sun Nov 13 08:49:37 1994", EXAMPLE + 7 * 86400},
        {"Tue, 29 Feb 2000 00:00:00 GMT", 951782400},
        {"Wednesday, 06-Nov-75 08:49:37 GMT", 3340255777}, // 2075: less than 50 years ahead
        {"Sunday, 06-Nov-77 08:49:37 GMT", 247654177},     // 1977
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int64_t when = 0;
        assert_true(http_date_read(cases[i].text, NOW, &when));
        assert_int_equal(when, cases[i].when);
    }
}

static void test_ignored(void **state)
{
    static const char *const cases[] = {
        "",
        "0",
        "Sun",
        "Mon, 06 Nov 1994 08:49:37 GMT", // it was a Sunday
        "sun, 06 Nov 1994 08:49:37 GMT",
        "Sun, 6 Nov 1994 08:49:37 GMT",
        "Sun, 06 nov 1994 08:49:37 GMT",
        "Sun, 06 Nov 94 08:49:37 GMT",
        "Sun, 06 Nov 1994 08:49:37 UTC",
        "Sun, 06 Nov 1994 08:49:37 GMT ",
        " Sun, 06 Nov 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 08:49:37",
        "Sun, 06 Nov 1994 24:49:37 GMT",
        "Sun, 06 Nov 1994 08:60:37 GMT",
        "Sun, 06 Nov 1994 -8:49:37 GMT",
        "Tue, 30 Feb 2000 00:00:00 GMT",
        "Sun, 06-Nov-94 08:49:37 GMT",
        "Sun Nov 06 08:49:37 1994",
        "Sun Nov  6 08:49:37 1994 GMT",
        "1994-11-06T08:49:37Z",
        "Sun, 06 Nov 19940000000000000000 08:49:37 GMT",
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int64_t when = 0;
        if (http_date_read(cases[i], NOW, &when)) {
            fail_msg("%s was read", cases[i]);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_write),
        cmocka_unit_test(test_read),
        cmocka_unit_test(test_ignored),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
