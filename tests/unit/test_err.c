// SPDX-License-Identifier: Apache-2.0
#include "base/err.h"
#include "base/text.h"
#include "unit.h"

#include <errno.h>
#include <mbedtls/x509.h>
#include <string.h>

static void the_first_failure_is_kept(void **state)
{
    struct err e = ERR_INIT;
    (void)state;
    assert_false(err_is_set(&e));
    assert_int_equal(err_usage(&e, "first %d", 1), -1);
    assert_int_equal(err_set(&e, "second"), -1);
    errno = ENOENT;
    assert_int_equal(err_errno(&e, "third"), -1);
    assert_int_equal(err_mbedtls(&e, MBEDTLS_ERR_X509_ALLOC_FAILED, "fourth"), -1);
    assert_string_equal(e.text, "first 1");
    assert_int_equal(e.kind, ERR_USAGE);
    err_clear(&e);
    assert_false(err_is_set(&e));
    err_refused(&e, "no");
    assert_int_equal(e.kind, ERR_REFUSED);
}

static void context_goes_in_front(void **state)
{
    struct err e = ERR_INIT;
    (void)state;
    assert_int_equal(err_context(&e, "of nothing"), -1);
    assert_string_equal(e.text, "");
    err_set(&e, "inner");
    err_context(&e, "middle %s", "x");
    err_context(&e, "outer");
    assert_string_equal(e.text, "outer: middle x: inner");
    assert_int_equal(e.kind, ERR_ENVIRONMENT);
}

static void codes_become_words(void **state)
{
    struct err e = ERR_INIT;
    (void)state;
    errno = ENOENT;
    err_errno(&e, "opening %s", "x");
    assert_string_equal(e.text, "opening x: No such file or directory");
    err_clear(&e);
    err_mbedtls(&e, MBEDTLS_ERR_X509_CERT_VERIFY_FAILED, "checking");
    assert_string_equal(e.text,
                        "checking: X509 - Certificate verification failed, e.g. CRL, CA or signature check failed");
}

static void long_texts_are_cut(void **state)
{
    struct err e = ERR_INIT;
    char longer[2000];
    (void)state;
    memset(longer, 'x', sizeof longer - 1);
    longer[sizeof longer - 1] = '\0';
    err_set(&e, "%s", longer);
    assert_int_equal(strlen(e.text), sizeof e.text - 1);
    err_context(&e, "%s", longer);
    assert_int_equal(strlen(e.text), sizeof e.text - 1);
}

// What does not fit is cut at a character, wherever the cut would fall: in the context, in its colon, in what it is
// for.
static void long_texts_are_cut_at_a_character(void **state)
{
    char longer[2000];
    (void)state;
    for (size_t i = 0; i + 3 < sizeof longer; i += 3) {
        memcpy(longer + i, "\xe6\x97\xa5", 4);
    }
    for (size_t n = sizeof((struct err *)NULL)->text - 10; n < sizeof((struct err *)NULL)->text + 10; n++) {
        struct err e = ERR_INIT;
        size_t used = 0;
        err_set(&e, "%s", longer);
        err_context(&e, "%*s", (int)n, "");
        while (e.text[used] != '\0') {
            uint32_t code;
            size_t len = text_utf8((const uint8_t *)e.text + used, strlen(e.text + used), &code);
            assert_int_not_equal(len, 0);
            used += len;
        }
        assert_in_range(used, sizeof e.text - 3, sizeof e.text - 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_failure_is_kept),
        cmocka_unit_test(context_goes_in_front),
        cmocka_unit_test(codes_become_words),
        cmocka_unit_test(long_texts_are_cut),
        cmocka_unit_test(long_texts_are_cut_at_a_character),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
