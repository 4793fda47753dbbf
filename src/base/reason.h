// SPDX-License-Identifier: Apache-2.0
// The reason table (reason.def) and the TLS alerts (alert.def) as C.
#ifndef MTLS_BASE_REASON_H
#define MTLS_BASE_REASON_H

#include <stdbool.h>

enum alert {
#define ALERT(constant, name, number, meaning) ALERT_##constant = (number),
#include "base/alert.def"
#undef ALERT
};

enum reason {
#define REASON(token, sentence, hint, alert, exit_code) REASON_##token,
#include "base/reason.def"
#undef REASON
    REASON_COUNT
};

struct reason_info {
    const char *token;
    const char *sentence;
    const char *hint;
    enum alert alert;
    int exit_code;
};

const struct reason_info *reason_info(enum reason reason); // never NULL
const char *reason_token(enum reason reason);
bool reason_find(const char *token, enum reason *found);
const char *alert_name(int number);    // an unknown number gives "unknown_alert"
const char *alert_meaning(int number); // half a sentence; of an unknown number ""

#endif
