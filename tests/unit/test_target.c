// SPDX-License-Identifier: Apache-2.0
// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

#include "client/client.h"

static const struct {
    const char *text;
    const char *host; // NULL: refused
    const char *port;
    const char *path;
} table[] = {
    {"https://localhost:8443/whoami", "localhost", "8443", "/whoami"},
    {"https://localhost", "localhost", "443", "/"},
    {"localhost:8443", "localhost", "8443", "/"},
    {"localhost", "localhost", "443", "/"},
    {"https://[::1]:8443/", "::1", "8443", "/"},
    {"https://[::1]", "::1", "443", "/"},
    {"[::1]:1", "::1", "1", "/"},
    {"127.0.0.1:65535/a?b=c#d", "127.0.0.1", "65535", "/a?b=c"},
    {"https://h?q=1", "h", "443", "/?q=1"},
    {"https://h/a://b", "h", "443", "/a://b"},
    {"http://localhost/", NULL, NULL, NULL},
    {"https://", NULL, NULL, NULL},
    {"https://:8443/", NULL, NULL, NULL},
    {"https://[]:8443/", NULL, NULL, NULL},
    {"https://[::1/", NULL, NULL, NULL},
    {"https://h:0/", NULL, NULL, NULL},
    {"https://h:65536/", NULL, NULL, NULL},
    {"https://h:8a/", NULL, NULL, NULL},
    {"https://h:/", NULL, NULL, NULL},
    {"https://user@h/", NULL, NULL, NULL},
    {"https://h/a b", NULL, NULL, NULL},
    {"https://h/a\r\nX: y", NULL, NULL, NULL},
    {"https://h\xc3\xa9/", NULL, NULL, NULL},
    {"", NULL, NULL, NULL},
};

static void test_table(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct client_target target;
        struct err e = ERR_INIT;
        int rc = client_target_parse(table[i].text, &target, &e);
        if ((rc == 0) != (table[i].host != NULL)) {
            fail_msg("%s: %d %s", table[i].text, rc, e.text);
        }
        if (rc != 0) {
            assert_int_equal(e.kind, ERR_USAGE);
            assert_null(target.host);
            continue;
        }
        assert_string_equal(target.host, table[i].host);
        assert_string_equal(target.port, table[i].port);
        assert_string_equal(target.path, table[i].path);
        client_target_clear(&target);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
