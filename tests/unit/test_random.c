// SPDX-License-Identifier: Apache-2.0
#include "base/random.h"
#include "unit.h"

#include <string.h>

static void draw(const char *seed, const char *label, unsigned char *out, size_t len)
{
    struct err e = ERR_INIT;
    struct rng rng;
    assert_works(seed == NULL ? rng_init(&rng, &e) : rng_init_seeded(&rng, seed, label, &e), &e);
    assert_int_equal(rng_bytes(&rng, out, len), 0);
    rng_clear(&rng);
}

static void unseeded_bytes_differ(void **state)
{
    unsigned char a[32];
    unsigned char b[32];
    (void)state;
    draw(NULL, NULL, a, sizeof a);
    draw(NULL, NULL, b, sizeof b);
    assert_memory_not_equal(a, b, sizeof a);
}

static void seed_and_label_decide(void **state)
{
    unsigned char a[1000];
    unsigned char b[1000];
    (void)state;
    draw("seed", "label", a, sizeof a);
    draw("seed", "label", b, sizeof b);
    assert_memory_equal(a, b, sizeof a);
    draw("seed", "other", b, sizeof b);
    assert_memory_not_equal(a, b, sizeof a);
    draw("other", "label", b, sizeof b);
    assert_memory_not_equal(a, b, sizeof a);
}

// Where the seed ends and the label begins counts.
static void seed_and_label_do_not_run_together(void **state)
{
    unsigned char a[32];
    unsigned char b[32];
    (void)state;
    draw("a\nb", "c", a, sizeof a);
    draw("a", "b\nc", b, sizeof b);
    assert_memory_not_equal(a, b, sizeof a);
}

// Golden files depend on it: these bytes may never change.
static void seeded_bytes_are_golden(void **state)
{
    static const unsigned char golden[8] = {0xee, 0xa3, 0xa2, 0xac, 0xab, 0xa4, 0xc9, 0xc4};
    unsigned char a[8];
    (void)state;
    draw("golden", "test", a, sizeof a);
    assert_memory_equal(a, golden, sizeof a);
}

static void a_long_stream_does_not_repeat(void **state)
{
    struct err e = ERR_INIT;
    struct rng rng;
    unsigned char first[16];
    unsigned char next[16];
    (void)state;
    assert_works(rng_init_seeded(&rng, "seed", "label", &e), &e);
    assert_int_equal(rng_bytes(&rng, first, sizeof first), 0);
    for (int i = 0; i < 30000; i++) { // it takes new entropy every 10000 calls
        assert_int_equal(rng_bytes(&rng, next, sizeof next), 0);
        assert_memory_not_equal(first, next, sizeof first);
    }
    rng_clear(&rng);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(unseeded_bytes_differ),
        cmocka_unit_test(seed_and_label_decide),
        cmocka_unit_test(seed_and_label_do_not_run_together),
        cmocka_unit_test(seeded_bytes_are_golden),
        cmocka_unit_test(a_long_stream_does_not_repeat),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
