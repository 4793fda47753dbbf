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
    p->child.digest[0] = p->octets[0];
    p->child.digest[1] = p->octets[1];
    p->child.digested = true;
    p->issuer.key_pin[0] = p->octets[2];
    p->issuer.key_pin[1] = p->octets[3];
    p->issuer.digested = true;
}

static void fact_of(uint16_t child, uint16_t issuer, uint8_t fact[TRUST_FACT])
{
    struct pair p;
    pair_fill(&p, child, issuer);
    assert_true(signature_fact(&p.child, &p.issuer, fact));
}

static bool known(const struct trust_snapshot *s, uint16_t child, uint16_t issuer)
{
    uint8_t fact[TRUST_FACT];
    fact_of(child, issuer, fact);
    return signature_known(s, fact);
}

static void remember(const struct trust_snapshot *s, uint16_t child, uint16_t issuer)
{
    uint8_t fact[TRUST_FACT];
    fact_of(child, issuer, fact);
    signature_remember(s, fact);
}

static void memory_begin(struct trust_snapshot *s)
{
    *s = (struct trust_snapshot){.memory = mem_alloc(sizeof *s->memory)};
    pthread_mutex_init(&s->memory->lock, NULL);
}

static void memory_end(struct trust_snapshot *s)
{
    pthread_mutex_destroy(&s->memory->lock);
    free(s->memory);
}

static void facts(void **state)
{
    struct trust_snapshot s;
    (void)state;
    memory_begin(&s);
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
    assert_int_equal(s.memory->count, SIGNATURE_MEMORY_MOST); // full: what is new is not remembered
    assert_true(known(&s, 1, 2));
    assert_true(known(&s, 0, 9));
    assert_true(known(&s, SIGNATURE_MEMORY_MOST - 2, 9));
    assert_false(known(&s, SIGNATURE_MEMORY_MOST - 1, 9));
    assert_false(known(&s, 3999, 9));
    memory_end(&s);
}

// A reload: what was known is known to the successor too, unless the memory was full.
static void handed_on(void **state)
{
    struct trust_snapshot from;
    struct trust_snapshot to;
    (void)state;
    memory_begin(&from);
    memory_begin(&to);
    remember(&from, 1, 2);
    remember(&from, 3, 4);
    remember(&to, 5, 6);
    trust_snapshot_remember(&to, &from);
    assert_true(known(&to, 1, 2));
    assert_true(known(&to, 3, 4));
    assert_true(known(&to, 5, 6));
    assert_false(known(&to, 1, 4));
    assert_false(known(&from, 5, 6));
    assert_int_equal(to.memory->count, 3);
    memory_end(&to);
    for (uint16_t i = 0; i < (uint16_t)SIGNATURE_MEMORY_MOST; i++) {
        remember(&from, i, 9);
    }
    memory_begin(&to);
    trust_snapshot_remember(&to, &from);
    assert_int_equal(to.memory->count, 0);
    memory_end(&to);
    memory_end(&from);
}

// Certificates: found again octet for octet, each once, and no more than so many.
static void certificates(void **state)
{
    struct certificate_memory *memory = certificate_memory_new(3);
    const char *ders[] = {"one..x", "two..x", "three.x", "four.x"};
    struct certificate *made[4];
    (void)state;
    for (size_t i = 0; i < 4; i++) { // all of one slot
        made[i] = certificate_read(span_of(ders[i], strlen(ders[i])));
        assert_null(certificate_known(memory, span_of(ders[i], strlen(ders[i]))));
        assert_int_equal(certificate_memory_has_room(memory), i < 3);
        assert_int_equal(certificate_remember(memory, made[i]), i < 3);
    }
    for (size_t i = 0; i < 4; i++) {
        assert_ptr_equal(certificate_known(memory, span_of(ders[i], strlen(ders[i]))), i < 3 ? made[i] : NULL);
    }
    assert_null(certificate_known(memory, span_of("one..", 5)));
    assert_null(certificate_known(memory, span_of("", 0)));
    assert_null(certificate_known(memory, span_of("x", 1)));
    certificate_free(made[3]);
    certificate_memory_free(memory);
    memory = certificate_memory_new(3);
    struct certificate *same = certificate_read(span_of(ders[0], strlen(ders[0])));
    struct certificate *again = certificate_read(span_of(ders[0], strlen(ders[0])));
    assert_true(certificate_remember(memory, same));
    assert_false(certificate_remember(memory, again)); // whoever came second keeps its own
    assert_ptr_equal(certificate_known(memory, span_of(ders[0], strlen(ders[0]))), same);
    certificate_free(again);
    certificate_memory_free(memory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(facts), cmocka_unit_test(handed_on),
                                       cmocka_unit_test(certificates)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
