// SPDX-License-Identifier: Apache-2.0
// Who may speak for whom: good ones that differ in name, dates and key alone are of one shape, and nobody else is.
#include "flaw_fixture.h"
#include "probe/identity.h"

static struct buf shape_of(enum flaw flaw, bool control)
{
    const struct flaw_made *made = &world.made[flaw][0][control];
    struct identity identity = {.count = 0};
    struct buf shape = {0};
    buf_add(&identity.chain[identity.count++], made->leaf_der.data, made->leaf_der.len);
    for (size_t i = 0; i < made->chain_len; i++) {
        buf_add(&identity.chain[identity.count++], made->chain[i].data, made->chain[i].len);
    }
    assert_true(identity_shape(&identity, &shape));
    identity_clear(&identity);
    return shape;
}

static bool are_alike(enum flaw a, bool a_control, enum flaw b, bool b_control)
{
    struct buf first = shape_of(a, a_control);
    struct buf second = shape_of(b, b_control);
    bool alike = spans_equal(buf_span(&first), buf_span(&second));
    buf_clear(&first);
    buf_clear(&second);
    return alike;
}

static void test_alike(void **state)
{
    (void)state;
    assert_true(are_alike(FLAW_expired, true, FLAW_expired, true));
    assert_true(are_alike(FLAW_expired, true, FLAW_no_eku, true));
    assert_true(are_alike(FLAW_revoked, true, FLAW_san_not_ascii, true));
    assert_true(are_alike(FLAW_expired, true, FLAW_expired, false)); // the dates are not of the shape
}

static void test_different(void **state)
{
    static const enum flaw special[] = {
        FLAW_rsa_1024,      FLAW_critical_extension,           FLAW_crl_missing,         FLAW_issuer_expired,
        FLAW_md5_signature, FLAW_name_constraint_dns_excluded, FLAW_missing_intermediate};
    (void)state;
    for (size_t i = 0; i < sizeof special / sizeof special[0]; i++) {
        for (size_t k = 0; k < i; k++) {
            assert_false(are_alike(special[i], true, special[k], true));
        }
        assert_false(are_alike(special[i], true, FLAW_expired, true));
    }
    // an extension more, less or other; another algorithm
    assert_false(are_alike(FLAW_no_eku, true, FLAW_no_eku, false));
    assert_false(are_alike(FLAW_server_eku, true, FLAW_server_eku, false));
    assert_false(are_alike(FLAW_version_1, true, FLAW_version_1, false));
    assert_false(are_alike(FLAW_sha1_signature, true, FLAW_sha1_signature, false));
}

static void test_unreadable(void **state)
{
    struct identity nobody = {.count = 0};
    struct buf shape = {0};
    (void)state;
    assert_false(identity_shape(&nobody, &shape));
    buf_add(&nobody.chain[nobody.count++], "\x30\x03\x02\x01\x00", 5);
    assert_false(identity_shape(&nobody, &shape));
    identity_clear(&nobody);
    buf_clear(&shape);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_alike),
        cmocka_unit_test(test_different),
        cmocka_unit_test(test_unreadable),
    };
    return cmocka_run_group_tests(tests, world_begin, world_end);
}
