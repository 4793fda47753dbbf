// SPDX-License-Identifier: Apache-2.0
// PKI plans: any YAML is either a plan or an error with words. (The file is the user's own; but words for a mistake are
// part of the program.)
#include "ca/plan.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct err e = ERR_INIT;
    struct plan *plan = NULL;
    int rc = plan_read("fuzz.yaml", span_of(data, size), FUZZ_NOW, &plan, &e);
    REQUIRE((rc == 0) == (plan != NULL));
    REQUIRE((rc == 0) == (e.text[0] == '\0'));
    fuzz_require_printable(e.text, true);
    for (size_t i = 0; rc == 0 && i < plan->count; i++) {
        REQUIRE(plan_find(plan, plan->entries[i].role, plan->entries[i].name) == &plan->entries[i]);
    }
    plan_free(plan);
    return 0;
}
