// SPDX-License-Identifier: Apache-2.0
#include "base/reason.h"
#include "unit.h"

#include <ctype.h>
#include <string.h>

static void every_reason_is_complete(void **state)
{
    (void)state;
    for (int i = 0; i < REASON_COUNT; i++) {
        const struct reason_info *info = reason_info((enum reason)i);
        enum reason found = REASON_COUNT;
        assert_true(reason_find(info->token, &found));
        assert_int_equal(found, i); // so no token stands there twice
        assert_true(info->sentence[0] != '\0' && islower((unsigned char)info->sentence[0]));
        assert_true(info->sentence[strlen(info->sentence) - 1] != '.');
        assert_true(i == REASON_ok ? info->exit_code == 0 : info->exit_code == 1 && info->hint[0] != '\0');
        assert_string_not_equal(alert_name((int)info->alert), "unknown_alert");
        for (const char *p = info->token; *p != '\0'; p++) {
            assert_true(islower((unsigned char)*p) || isdigit((unsigned char)*p) || *p == '_');
        }
    }
}

static void other_tokens_are_not_found(void **state)
{
    enum reason found = REASON_ok;
    (void)state;
    assert_false(reason_find("", &found));
    assert_false(reason_find("cert_revoke", &found));
    assert_false(reason_find("CERT_REVOKED", &found));
}

// RFC 8446 section 6.
static void alerts_have_their_numbers(void **state)
{
    (void)state;
    assert_int_equal(ALERT_CERTIFICATE_REVOKED, 44);
    assert_string_equal(alert_name(44), "certificate_revoked");
    assert_int_equal(ALERT_UNKNOWN_CA, 48);
    assert_int_equal(ALERT_CERTIFICATE_REQUIRED, 116);
    assert_string_equal(alert_name(0), "close_notify");
    assert_string_equal(alert_name(255), "unknown_alert");
    assert_string_equal(alert_name(-1), "unknown_alert");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_reason_is_complete),
        cmocka_unit_test(other_tokens_are_not_found),
        cmocka_unit_test(alerts_have_their_numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
