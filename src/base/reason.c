// SPDX-License-Identifier: Apache-2.0
#include "base/reason.h"

#include <stddef.h>
#include <string.h>

static const struct reason_info reasons[REASON_COUNT] = {
#define REASON(token, sentence, hint, alert, exit_code) {#token, sentence, hint, alert, exit_code},
#include "base/reason.def"
#undef REASON
};

static const struct {
    int number;
    const char *name;
    const char *meaning;
} alerts[] = {
#define ALERT(constant, name, number, meaning) {number, #name, meaning},
#include "base/alert.def"
#undef ALERT
};

const struct reason_info *reason_info(enum reason reason)
{
    size_t i = (size_t)reason;
    return &reasons[i < REASON_COUNT ? i : REASON_handshake];
}

const char *reason_token(enum reason reason)
{
    return reason_info(reason)->token;
}

bool reason_find(const char *token, enum reason *found)
{
    for (size_t i = 0; i < REASON_COUNT; i++) {
        if (strcmp(reasons[i].token, token) == 0) {
            *found = (enum reason)i;
            return true;
        }
    }
    return false;
}

const char *alert_name(int number)
{
    for (size_t i = 0; i < sizeof alerts / sizeof alerts[0]; i++) {
        if (alerts[i].number == number) {
            return alerts[i].name;
        }
    }
    return "unknown_alert";
}

const char *alert_meaning(int number)
{
    for (size_t i = 0; i < sizeof alerts / sizeof alerts[0]; i++) {
        if (alerts[i].number == number) {
            return alerts[i].meaning;
        }
    }
    return "";
}
