// SPDX-License-Identifier: Apache-2.0
// What every unit test includes.
#ifndef MTLS_TESTS_UNIT_H
#define MTLS_TESTS_UNIT_H

// cmocka.h needs the ones before it.
// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
// clang-format on

#include "base/err.h"
#include "base/mem.h"

// The call must succeed; its error is shown if it does not.
#define assert_works(call, e)                                                                                          \
    do {                                                                                                               \
        if ((call) != 0) {                                                                                             \
            fail_msg("%s: %s", #call, (e)->text);                                                                      \
        }                                                                                                              \
    } while (0)

// The call must fail with exactly this text; the error is cleared for the next one.
#define assert_fails(call, e, expected)                                                                                \
    do {                                                                                                               \
        assert_int_equal((call), -1);                                                                                  \
        assert_string_equal((e)->text, (expected));                                                                    \
        err_clear(e);                                                                                                  \
    } while (0)

#endif
