// SPDX-License-Identifier: Apache-2.0
// docs/verification.md says what the judge checks: every reason that it can give is there with its section, and every
// file of path tests and unit test that is named there exists.
#include "base/file.h"
#include "base/reason.h"
#include "trust/trust.h"
#include "unit.h"

#include <stdio.h>
#include <string.h>

static struct buf page;

static int setup(void **state)
{
    struct err e = ERR_INIT;
    (void)state;
    assert_works(file_read(MTLS_SOURCE_DIR "/docs/verification.md", FILE_LIMIT, &page, &e), &e);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    buf_clear(&page);
    return 0;
}

static void every_reason_is_explained(void **state)
{
    (void)state;
    size_t count = 0;
    for (int i = 1; i < REASON_COUNT; i++) {
        char quoted[64];
        const char *token = reason_token((enum reason)i);
        bool judges = trust_reason_section((enum reason)i)[0] != '\0';
        snprintf(quoted, sizeof quoted, "`%s`", token);
        if ((strstr((const char *)page.data, quoted) != NULL) != judges) {
            fail_msg("%s: %s", token, judges ? "not in docs/verification.md" : "there, and no section in reasons.c");
        }
        count += judges;
    }
    assert_int_equal(count, 31);
}

// What ends with .txt or .c in the tables is a test.
static void every_test_is_there(void **state)
{
    (void)state;
    size_t count = 0;
    for (const char *p = (const char *)page.data; (p = strpbrk(p, "_abcdefghijklmnopqrstuvwxyz")) != NULL;) {
        size_t len = strspn(p, "_abcdefghijklmnopqrstuvwxyz.");
        char name[256] = "";
        bool text = len > 4 && strncmp(p + len - 4, ".txt", 4) == 0;
        bool unit = len > 7 && strncmp(p, "test_", 5) == 0 && strncmp(p + len - 2, ".c", 2) == 0;
        if (text || unit) {
            snprintf(name, sizeof name, MTLS_SOURCE_DIR "/tests/%s/%.*s", text ? "paths" : "unit", (int)len, p);
            if (!file_exists(name)) {
                fail_msg("docs/verification.md names %s, which is not there", name);
            }
            count++;
        }
        p += len;
    }
    assert_true(count > 30);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_reason_is_explained),
        cmocka_unit_test(every_test_is_there),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
