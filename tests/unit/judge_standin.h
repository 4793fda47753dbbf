// SPDX-License-Identifier: Apache-2.0
// What certificate_read calls and other rooms' tests are about: here every extension is well-formed, and names are
// compared octet by octet.
#ifndef MTLS_TESTS_UNIT_JUDGE_STANDIN_H
#define MTLS_TESTS_UNIT_JUDGE_STANDIN_H

#include "trust/constraint.h"
#include "trust/name.h"
#include "trust/policy.h"

int name_canonical(struct span name, struct buf *out, struct err *e)
{
    struct der_item item;
    if (der_expect(&name, 0x30, "name", &item, e) != 0) {
        return -1;
    }
    buf_add(out, item.content.data, item.content.len);
    return 0;
}

int general_names_syntax(struct span names, struct err *e)
{
    (void)names;
    (void)e;
    return 0;
}

int constraint_syntax(struct span subtrees, struct err *e)
{
    return general_names_syntax(subtrees, e);
}

int policy_syntax(struct span policies, struct err *e)
{
    return general_names_syntax(policies, e);
}

int policy_mapping_syntax(struct span mappings, struct err *e)
{
    return general_names_syntax(mappings, e);
}

#endif
