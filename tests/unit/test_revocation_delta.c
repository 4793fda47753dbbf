// SPDX-License-Identifier: Apache-2.0
// Delta lists (RFC 5280 sections 5.2.4 and 6.3.3). The names in [brackets] are those of the tests of NIST's PKITS that
// a case is made after.
#include "revocation_fixture.h"

// [4.15.1 to 4.15.10]: number and base of the lists, what each says of the leaf, the verdict
enum { ABSENT = -2, PLAIN = NONE };
static void delta_lists(void **state)
{
    (void)state;
    static const struct {
        int complete;   // its number; 0: there is none
        int in_list;    // ABSENT, or the reason with which the leaf is on it
        bool stale;     // the complete list is past its nextUpdate
        int base;       // of the delta; 0: there is none
        int number;     // of the delta
        int in_delta;   //
        bool old_delta; // the delta is stale
        enum reason reason;
        const char *why;
    } cases[] = {
        {0, ABSENT, false, 1, 2, ABSENT, false, NOT_FOR_IT},
        {1, ABSENT, false, 1, 2, ABSENT, false, GOOD},
        {1, 1, false, 1, 2, ABSENT, false, LISTED(A, "keyCompromise")},
        {1, ABSENT, false, 1, 2, 1, false, LISTED(A, "keyCompromise")},
        {1, HOLD, false, 0, 0, ABSENT, false, LISTED(A, "certificateHold")},
        {1, HOLD, false, 1, 2, REMOVED, false, GOOD},
        {1, HOLD, false, 1, 2, 1, false, LISTED(A, "keyCompromise")},
        {1, HOLD, false, 1, 2, ABSENT, false, LISTED(A, "certificateHold")},
        {1, 1, false, 1, 2, REMOVED, false, LISTED(A, "keyCompromise")},      // only a hold can be lifted
        {1, HOLD, false, 1, 2, REMOVED, true, LISTED(A, "certificateHold")},  // not by a stale list
        {1, HOLD, false, 2, 3, REMOVED, false, LISTED(A, "certificateHold")}, // nor by one for a newer base
        {3, HOLD, false, 1, 2, REMOVED, false, LISTED(A, "certificateHold")}, // nor by an older one
        {2, HOLD, false, 1, 3, REMOVED, false, GOOD}, // the base may be newer than BaseCRLNumber
        {300, HOLD, false, 1, 299, REMOVED, false, LISTED(A, "certificateHold")}, // more octets are more
        {299, HOLD, false, 256, 300, REMOVED, false, GOOD},
        {1, ABSENT, true, 0, 0, ABSENT, false, REASON_crl_stale,
         "the list of " A " should have been replaced by 2026-05-09T00:00:00Z"},
        {1, ABSENT, true, 1, 2, ABSENT, false, GOOD}, // together they are as good as a new complete list
        {1, ABSENT, true, 2, 3, ABSENT, false, REASON_crl_stale,
         "the list of " A " should have been replaced by 2026-05-09T00:00:00Z"},
        {1, ABSENT, true, 1, 2, ABSENT, true, REASON_crl_stale,
         "the list of " A " should have been replaced by 2026-05-09T00:00:00Z"},
        {1, ABSENT, false, 2, 3, 1, false, LISTED(A, "keyCompromise")}, // for a newer base, but it says so
        {3, ABSENT, false, 1, 2, 1, false, GOOD},                       // the newer complete list has the last word
    };
    for (size_t k = 0; k < sizeof cases / sizeof cases[0]; k++) {
        struct scene s = {0};
        struct buf entries = {0};
        const int64_t may = june_2026 - 30 * CLOCK_DAY;
        if (cases[k].in_list != ABSENT) {
            add_revoked(&entries, LEAF, cases[k].in_list);
        }
        if (cases[k].complete != 0) {
            load(&s, (struct draft){.ca = &alpha,
                                    .number = cases[k].complete,
                                    .this_update = cases[k].stale ? may : 0,
                                    .entries = buf_span(&entries)});
        }
        buf_clear(&entries);
        if (cases[k].in_delta != ABSENT) {
            add_revoked(&entries, LEAF, cases[k].in_delta);
        }
        if (cases[k].base != 0) {
            load(&s, (struct draft){.ca = &alpha,
                                    .number = cases[k].number,
                                    .base = cases[k].base,
                                    .this_update = cases[k].old_delta ? may : 0,
                                    .entries = buf_span(&entries)});
        }
        buf_clear(&entries);
        expect(&s, leaf, cases[k].reason, cases[k].why);
        end(&s);
    }
}

// Of several delta lists the newest one counts; another scope's or key's does not.
static void which_delta(void **state)
{
    (void)state;
    struct scene s = {.signers = {alpha_new.certificate}};
    struct buf hold = {0};
    struct buf lifted = {0};
    struct buf scope = {0};
    add_revoked(&hold, LEAF, HOLD);
    add_revoked(&lifted, LEAF, REMOVED);
    add_flag(&scope, 1);
    load(&s, (struct draft){.ca = &alpha, .number = 1, .entries = buf_span(&hold)});
    load(&s,
         (struct draft){.ca = &alpha, .number = 4, .base = 1, .scope = buf_span(&scope), .entries = buf_span(&lifted)});
    expect(&s, leaf, LISTED(A, "certificateHold"));
    load(&s, (struct draft){.ca = &alpha, .signer = &alpha_new, .number = 4, .base = 1, .entries = buf_span(&lifted)});
    expect(&s, leaf, LISTED(A, "certificateHold"));
    load(&s, (struct draft){.ca = &alpha, .number = 3, .base = 1, .entries = buf_span(&lifted)});
    expect(&s, leaf, GOOD);
    load(&s, (struct draft){.ca = &alpha, .number = 2, .base = 1, .entries = buf_span(&hold)});
    expect(&s, leaf, GOOD);
    load(&s, (struct draft){.ca = &alpha, .number = 4, .base = 1, .entries = buf_span(&hold)});
    expect(&s, leaf, LISTED(A, "certificateHold"));
    end(&s);
    // A base that does not hold yet is none
    load(&s, (struct draft){.ca = &alpha, .number = 1, .this_update = june_2026 + 2 * CLOCK_DAY});
    load(&s, (struct draft){.ca = &alpha, .number = 2, .base = 1});
    expect(&s, leaf, REASON_crl_stale, "the list of " A " begins only at 2026-06-03T00:00:00Z");
    end(&s);
    buf_clear(&hold);
    buf_clear(&lifted);
    buf_clear(&scope);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(delta_lists), cmocka_unit_test(which_delta)};
    return cmocka_run_group_tests(tests, setup, teardown);
}
