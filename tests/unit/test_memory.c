// SPDX-License-Identifier: Apache-2.0
// trust/memory.c: what is remembered of signatures, and that it ends somewhere.
#include "ca/certificate.h"
#include "trust/internal.h"
#include "unit.h"

#include <stdlib.h>

// Two certificates with nothing in them but what the memory looks at.
struct pair {
    uint8_t octets[4];
    struct certificate child, issuer;
};

static void pair_fill(struct pair *p, uint16_t child, uint16_t issuer)
{
    *p = (struct pair){.octets = {(uint8_t)(child >> 8), (uint8_t)child, (uint8_t)(issuer >> 8), (uint8_t)issuer}};
    p->child.der = (struct buf){.data = p->octets, .len = 2};
    p->issuer.spki = span_of(p->octets + 2, 2);
}

static bool known(const struct trust_snapshot *s, uint16_t child, uint16_t issuer)
{
    struct pair p;
    pair_fill(&p, child, issuer);
    return signature_known(s, &p.child, &p.issuer);
}

static void remember(const struct trust_snapshot *s, uint16_t child, uint16_t issuer)
{
    struct pair p;
    pair_fill(&p, child, issuer);
    signature_remember(s, &p.child, &p.issuer);
}

static void facts(void **state)
{
    struct trust_snapshot s = {.memory = mem_alloc(sizeof *s.memory)};
    (void)state;
    pthread_mutex_init(&s.memory->lock, NULL);
    assert_false(known(&s, 1, 2));
    remember(&s, 1, 2);
    assert_true(known(&s, 1, 2));
    assert_false(known(&s, 2, 1));
    assert_false(known(&s, 1, 3));
    assert_false(known(&s, 3, 2));
    remember(&s, 1, 2); // once
    assert_int_equal(s.memory->count, 1);
    for (uint16_t i = 0; i < 4000; i++) {
        remember(&s, i, 9);
    }
    assert_int_equal(s.memory->count, SIGNATURE_MEMORY_SLOTS / 2); // full: what is new is not remembered
    assert_true(known(&s, 1, 2));
    assert_true(known(&s, 0, 9));
    assert_true(known(&s, SIGNATURE_MEMORY_SLOTS / 2 - 2, 9));
    assert_false(known(&s, SIGNATURE_MEMORY_SLOTS / 2 - 1, 9));
    assert_false(known(&s, 3999, 9));
    pthread_mutex_destroy(&s.memory->lock);
    free(s.memory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(facts)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
