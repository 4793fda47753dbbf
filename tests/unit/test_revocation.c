// SPDX-License-Identifier: Apache-2.0
// RFC 5280 section 6.3.3. The names in [brackets] are those of the tests of NIST's PKITS that a case is made after.
#include "revocation_fixture.h"
#include "trust/crl_internal.h"

// [4.4.1, 4.4.3, 4.4.5, 4.4.7]
static void complete_list(void **state)
{
    (void)state;
    struct scene s = {0};
    struct buf entries = {0};
    expect(&s, leaf, NO_LIST);
    load(&s, (struct draft){.ca = &beta});
    expect(&s, leaf, NO_LIST);
    load(&s, (struct draft){.ca = &alpha});
    expect(&s, leaf, GOOD);
    expect(&s, sub, GOOD);
    add_revoked(&entries, LEAF, 1);
    load(&s, (struct draft){.ca = &alpha, .entries = buf_span(&entries)}); // one of two current lists is enough
    expect(&s, leaf, LISTED(A, "keyCompromise"));
    expect(&s, sub, GOOD);
    end(&s);
    buf_clear(&entries);
    add_revoked(&entries, LEAF, HOLD);
    load(&s, (struct draft){.ca = &alpha, .entries = buf_span(&entries), .number = NONE});
    expect(&s, leaf, LISTED(A, "certificateHold"));
    end(&s);
    buf_clear(&entries);
    add_revoked(&entries, LEAF, NONE);
    load(&s, (struct draft){.ca = &alpha, .entries = buf_span(&entries), .version_1 = true});
    expect(&s, leaf, LISTED(A, "unspecified"));
    expect(&s, sub, GOOD);
    end(&s);
    buf_clear(&entries);
}

// [4.4.11, 4.4.12, 4.4.13]
static void times(void **state)
{
    (void)state;
    struct scene s = {.now = june_2026};
    load(&s, (struct draft){.ca = &alpha});
    expect(&s, leaf, GOOD);
    s.now = june_2026 + 7 * CLOCK_DAY;
    expect(&s, leaf, GOOD);
    s.now++;
    expect(&s, leaf, REASON_crl_stale, "the list of " A " should have been replaced by 2026-06-08T00:00:00Z");
    s.now = june_2026 - 1;
    expect(&s, leaf, REASON_crl_stale, "the list of " A " begins only at 2026-06-01T00:00:00Z");
    s.now = june_2026 + 8 * CLOCK_DAY;
    load(&s, (struct draft){.ca = &alpha, .this_update = june_2026 + 7 * CLOCK_DAY}); // a fresh one beside it
    expect(&s, leaf, GOOD);
    end(&s);
    load(&s, (struct draft){.ca = &alpha, .next_update = NONE});
    expect(&s, leaf, REASON_crl_stale, "the list of " A " does not say when it ends");
    end(&s);
    load(&s, (struct draft){.ca = &alpha, .next_update = INT64_C(2524608000)}); // 2050
    expect(&s, leaf, GOOD);
    end(&s);
}

// [4.4.4, 4.4.19, 4.5.1, 4.5.6, 4.7.4]
static void signers(void **state)
{
    (void)state;
    struct scene s = {0};
    struct authority silent; // may not sign lists
    load(&s, (struct draft){.ca = &alpha, .signer = &beta});
    expect(&s, leaf, UNSIGNED(A));
    s.signers[0] = beta.certificate; // signed it, but has another name
    expect(&s, leaf, UNSIGNED(A));
    end(&s);
    // A new key, found by the judge; the list says whose key it is, or does not
    load(&s, (struct draft){.ca = &alpha, .signer = &alpha_new});
    expect(&s, leaf, UNSIGNED(A));
    s.signers[0] = beta.certificate;
    s.signers[1] = alpha_new.certificate;
    expect(&s, leaf, GOOD);
    expect(&s, leaf, GOOD); // from memory
    end(&s);
    load(&s, (struct draft){.ca = &alpha, .signer = &alpha_new, .version_1 = true});
    expect(&s, leaf, UNSIGNED(A));
    s.signers[0] = alpha_new.certificate;
    expect(&s, leaf, GOOD);
    load(&s, (struct draft){.ca = &alpha, .signer = &beta}); // a badly signed one beside it
    expect(&s, leaf, GOOD);
    end(&s);
    authority_begin(&silent, ALPHA, CERTIFICATE_USAGE);
    load(&s, (struct draft){.ca = &alpha, .signer = &silent});
    s.signers[0] = silent.certificate;
    expect(&s, leaf, UNSIGNED(A));
    s.signers[0] = NULL;
    silent.certificate->key_usage |= KU_CRL_SIGN; // the twin
    s.signers[0] = silent.certificate;
    expect(&s, leaf, GOOD);
    silent.certificate->key_usage = KU_KEY_CERT_SIGN; // what is remembered is the signature, not the right to sign
    expect(&s, leaf, UNSIGNED(A));
    end(&s);
    authority_end(&silent);
}

// The key identifier is a hint: with a wrong one the issuer's signature still counts.
static void key_id_is_a_hint(void **state)
{
    (void)state;
    struct scene s = {0};
    struct span right = alpha.certificate->subject_key_id;
    load(&s, (struct draft){.ca = &alpha});
    alpha.certificate->subject_key_id = span_of("wrong", 5);
    expect(&s, leaf, GOOD);
    alpha.certificate->subject_key_id = right;
    end(&s);
}

// [4.14.11 to 4.14.14]
static void kinds_of_certificates(void **state)
{
    (void)state;
    enum { USER = 1, CA = 2, ATTRIBUTE = 5 };
    static const struct {
        int field;
        bool leaf, sub;
    } cases[] = {{USER, true, false}, {CA, false, true}, {ATTRIBUTE, false, false}};
    for (size_t k = 0; k < 3; k++) {
        struct scene s = {0};
        struct buf scope = {0};
        add_flag(&scope, cases[k].field);
        load(&s, (struct draft){.ca = &alpha, .scope = buf_span(&scope)});
        struct certificate *certificates[] = {leaf, sub};
        bool good[] = {cases[k].leaf, cases[k].sub};
        for (size_t n = 0; n < 2; n++) {
            if (good[n]) {
                expect(&s, certificates[n], GOOD);
            } else {
                expect(&s, certificates[n], NOT_FOR_IT);
            }
        }
        end(&s);
        buf_clear(&scope);
    }
}

// [4.14.15 to 4.14.21]
static void reasons(void **state)
{
    (void)state;
    const unsigned some = 1 << 1 | 1 << 2;
    const unsigned others = 0x1fe & ~some;
    struct scene s = {0};
    struct buf scope = {0};
    struct buf entries = {0};
    struct buf fields = {0};
    add_reasons(&scope, 3, some);
    load(&s, (struct draft){.ca = &alpha, .scope = buf_span(&scope)});
    expect(&s, leaf, REASONS_OPEN);
    buf_clear(&scope);
    add_reasons(&scope, 3, others & ~(1U << 8)); // all but aACompromise
    load(&s, (struct draft){.ca = &alpha, .scope = buf_span(&scope)});
    expect(&s, leaf, REASONS_OPEN);
    buf_clear(&scope);
    add_reasons(&scope, 3, others);
    load(&s, (struct draft){.ca = &alpha, .scope = buf_span(&scope)});
    expect(&s, leaf, GOOD);
    add_revoked(&entries, LEAF, 4);
    load(&s, (struct draft){.ca = &alpha, .scope = buf_span(&scope), .entries = buf_span(&entries)});
    expect(&s, leaf, LISTED(A, "superseded"));
    end(&s);
    // Two points, each with its reasons and its list
    for (int second = 0; second < 2; second++) {
        buf_clear(&scope);
        add_full(&scope, second != 0 ? "CN=two" : "CN=one");
        add_reasons(&scope, 3, second != 0 ? others : some);
        load(&s, (struct draft){.ca = &alpha, .scope = buf_span(&scope)});
        add_full(&fields, second != 0 ? "CN=two" : "CN=one");
        add_reasons(&fields, 1, second != 0 ? others : some);
        point(&s, &fields);
        if (second != 0) {
            expect(&s, leaf, GOOD);
        } else {
            expect(&s, leaf, REASONS_OPEN);
        }
    }
    end(&s);
    // A list for all reasons, of which the point wants some
    add_full(&fields, "CN=one");
    add_reasons(&fields, 1, some);
    point(&s, &fields);
    buf_clear(&scope);
    add_full(&scope, "CN=one");
    load(&s, (struct draft){.ca = &alpha, .scope = buf_span(&scope)});
    expect(&s, leaf, REASONS_OPEN);
    end(&s);
    buf_clear(&scope);
    buf_clear(&entries);
}

// [4.14.1 to 4.14.10]: each way to write the name of the point in the certificate and in the list
static void point_names(void **state)
{
    (void)state;
    typedef void add(struct buf * out, const char *name);
    static const struct {
        add *in_certificate;
        const char *certificate;
        add *in_list;
        const char *list;
        bool good;
    } cases[] = {
        {add_full, "CN=one,O=Acme", add_full, "CN=one,O=Acme", true},
        {add_full, "CN=one,O=Acme", add_full, "CN=two,O=Acme", false},
        {add_full, "CN=One,O=ACME", add_full, "CN=one,O=acme", true}, // compared as section 7.1 has it
        {add_relative, "OU=one", add_full, "OU=one," ALPHA, true},
        {add_relative, "OU=one", add_full, "OU=two," ALPHA, false},
        {add_full, "OU=one," ALPHA, add_relative, "OU=one", true},
        {add_full, "OU=one," BETA, add_relative, "OU=one", false},
        {add_relative, "OU=one", add_relative, "OU=one", true},
        {add_relative, "OU=one", add_relative, "OU=two", false},
        {add_uri, "http://a/one.crl", add_uri, "http://a/one.crl", true},
        {add_uri, "http://a/one.crl", add_uri, "http://a/two.crl", false},
        {add_uri, "http://a/one.crl", NULL, NULL, true},     // a list for everything
        {NULL, NULL, add_uri, "http://a/one.crl", false},    // a partition, and no point in the certificate
        {NULL, NULL, add_full, ALPHA, true},                 // the point that is assumed
        {add_uri, "http://a/one.crl", add_full, ALPHA, true} // it is assumed beside the others
    };
    for (size_t k = 0; k < sizeof cases / sizeof cases[0]; k++) {
        struct scene s = {0};
        struct buf scope = {0};
        struct buf fields = {0};
        struct buf entries = {0};
        if (cases[k].in_list != NULL) {
            cases[k].in_list(&scope, cases[k].list);
        }
        if (cases[k].in_certificate != NULL) {
            cases[k].in_certificate(&fields, cases[k].certificate);
            point(&s, &fields);
        }
        load(&s, (struct draft){.ca = &alpha, .scope = buf_span(&scope)});
        if (!cases[k].good) {
            expect(&s, leaf, NOT_FOR_IT);
        } else {
            expect(&s, leaf, GOOD);
            add_revoked(&entries, LEAF, NONE);
            load(&s, (struct draft){.ca = &alpha, .scope = buf_span(&scope), .entries = buf_span(&entries)});
            expect(&s, leaf, LISTED(A, "unspecified"));
        }
        end(&s);
        buf_clear(&scope);
        buf_clear(&entries);
    }
}

// Entries for: serial LEAF of beta itself, SUB of alpha, 0x1111 of alpha (carried forward), LEAF of gamma
static void indirect_entries(struct buf *entries, bool leaf_too)
{
    struct buf x = {0};
    add_revoked(entries, LEAF, NONE);
    add_certificate_issuer(&x, ALPHA);
    add_entry(entries, span_of("\x56\x78", 2), buf_span(&x));
    buf_clear(&x);
    add_revoked(entries, leaf_too ? LEAF : 0x1111, 1);
    add_certificate_issuer(&x, "CN=Gamma");
    add_entry(entries, span_of("\x12\x34", 2), buf_span(&x));
    buf_clear(&x);
}

// [4.14.22 to 4.14.35]
static void indirect(void **state)
{
    (void)state;
    struct scene s = {.signers = {beta.certificate}};
    struct buf scope = {0};
    struct buf entries = {0};
    struct buf fields = {0};
    add_flag(&scope, 4);
    indirect_entries(&entries, false);
    load(&s, (struct draft){.ca = &beta, .scope = buf_span(&scope), .entries = buf_span(&entries)});
    expect(&s, leaf, NO_LIST); // the certificate does not say that beta may speak
    add_crl_issuer(&fields, BETA);
    point(&s, &fields);
    expect(&s, leaf, GOOD); // the same serial number of beta and of gamma is another certificate
    expect(&s, sub, LISTED(B, "unspecified"));
    s.signers[0] = NULL;
    expect(&s, leaf, UNSIGNED(B));
    s.signers[0] = beta.certificate;
    buf_clear(&entries);
    indirect_entries(&entries, true); // carried forward: section 5.3.3
    load(&s, (struct draft){.ca = &beta, .scope = buf_span(&scope), .entries = buf_span(&entries)});
    expect(&s, leaf, LISTED(B, "keyCompromise"));
    crl_store_free(s.store);
    s.store = NULL;
    load(&s, (struct draft){.ca = &beta}); // not indirect
    expect(&s, leaf, NOT_FOR_IT);
    end(&s);
    // The issuer's own list may be indirect, too
    buf_clear(&entries);
    load(&s, (struct draft){.ca = &alpha, .scope = buf_span(&scope)});
    expect(&s, leaf, GOOD);
    add_revoked(&entries, LEAF, NONE);
    load(&s, (struct draft){.ca = &alpha, .scope = buf_span(&scope), .entries = buf_span(&entries)});
    expect(&s, leaf, LISTED(A, "unspecified"));
    end(&s);
    buf_clear(&scope);
    buf_clear(&entries);
}

// [4.14.28, 4.14.29, 4.14.35]: an indirect list with a name of its own
static void indirect_point_names(void **state)
{
    (void)state;
    struct scene s = {.signers = {beta.certificate}};
    struct buf scope = {0};
    struct buf fields = {0};
    add_full(&scope, "OU=one," BETA);
    add_flag(&scope, 4);
    load(&s, (struct draft){.ca = &beta, .scope = buf_span(&scope)});
    add_full(&fields, "OU=one," BETA);
    add_crl_issuer(&fields, BETA);
    point(&s, &fields);
    expect(&s, leaf, GOOD);
    buf_clear(&s.points);
    add_relative(&fields, "OU=one"); // relative to cRLIssuer
    add_crl_issuer(&fields, BETA);
    point(&s, &fields);
    expect(&s, leaf, GOOD);
    buf_clear(&s.points);
    add_full(&fields, "OU=two," BETA);
    add_crl_issuer(&fields, BETA);
    point(&s, &fields);
    expect(&s, leaf, NOT_FOR_IT);
    buf_clear(&s.points);
    add_crl_issuer(&fields, BETA); // no name: then cRLIssuer's is compared, section 6.3.3 (b) (2) (i)
    point(&s, &fields);
    expect(&s, leaf, NOT_FOR_IT);
    buf_clear(&scope);
    add_full(&scope, BETA);
    add_flag(&scope, 4);
    load(&s, (struct draft){.ca = &beta, .scope = buf_span(&scope)});
    expect(&s, leaf, GOOD);
    end(&s);
    buf_clear(&scope);
}

static void malformed_points(void **state)
{
    (void)state;
    struct scene s = {0};
    struct buf fields = {0};
    load(&s, (struct draft){.ca = &alpha});
    add_reasons(&fields, 1, 2);
    point(&s, &fields);
    expect(&s, leaf, REASON_malformed, "cRLDistributionPoints: neither distributionPoint nor cRLIssuer");
    end(&s);
    load(&s, (struct draft){.ca = &alpha});
    add_crl_issuer(&fields, ALPHA);
    add_uri(&fields, "http://a/");
    point(&s, &fields);
    expect(&s, leaf, REASON_malformed, "cRLDistributionPoints: an unexpected field, tag 0xa0");
    end(&s);
}

// What happens to bent distribution points: nothing worse than a refusal.
static struct scene bent;
static void ask_bent(struct span points)
{
    char said[CERTIFICATE_WHY];
    leaf->crl_points = points;
    struct revocation_question q = {
        .subject = leaf, .issuer = alpha.certificate, .now = june_2026, .signer = find_signer, .arg = &bent};
    (void)revocation_check(bent.store, &q, said);
    leaf->crl_points = span_of(NULL, 0);
}

static void bent_points(void **state)
{
    (void)state;
    struct buf fields = {0};
    load(&bent, (struct draft){.ca = &alpha});
    add_relative(&fields, "OU=one");
    add_reasons(&fields, 1, 0x1fe);
    add_crl_issuer(&fields, BETA);
    point(&bent, &fields);
    struct buf points = bent.points;
    survive(buf_span(&points), 1, ask_bent);
    end(&bent);
}

// There is an end to the points that are looked at. The room behind them is for what a mistake would write there.
static void many_points(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    struct scene s = {0};
    struct buf fields = {0};
    struct crl_points *points = mem_array(4, sizeof *points);
    for (size_t i = 0; i < 2 * (size_t)CRL_POINTS_MOST; i++) {
        add_crl_issuer(&fields, BETA);
        point(&s, &fields);
    }
    leaf->crl_points = buf_span(&s.points);
    assert_int_equal(crl_points_read(&points[0], leaf, &e), 0);
    assert_int_equal(points[0].count, CRL_POINTS_MOST + 1);
    assert_int_equal(points[1].count, 0);
    assert_null(points[1].items[0].issuers.data);
    leaf->crl_points = span_of(NULL, 0);
    crl_points_clear(&points[0]);
    free(points);
    end(&s);
}

// Nor is one list held against more signers than a CA has, however many are offered.
static const struct certificate *offer_another(void *arg, struct span issuer_name, struct span key_id, size_t *state)
{
    (void)issuer_name;
    (void)key_id;
    (void)state;
    ++*(size_t *)arg;
    return *(size_t *)arg < 1000 ? alpha_new.certificate : NULL;
}

static void many_signers(void **state)
{
    (void)state;
    struct scene s = {0};
    size_t offered = 0;
    char said[CERTIFICATE_WHY];
    load(&s, (struct draft){.ca = &alpha, .signer = &beta});
    struct revocation_question q = {
        .subject = leaf, .issuer = alpha.certificate, .now = june_2026, .signer = offer_another, .arg = &offered};
    assert_int_equal(revocation_check(s.store, &q, said), REASON_crl_signature);
    assert_int_equal(offered, 16);
    end(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(complete_list),         cmocka_unit_test(times),       cmocka_unit_test(signers),
        cmocka_unit_test(key_id_is_a_hint),      cmocka_unit_test(reasons),     cmocka_unit_test(point_names),
        cmocka_unit_test(kinds_of_certificates), cmocka_unit_test(indirect),    cmocka_unit_test(indirect_point_names),
        cmocka_unit_test(malformed_points),      cmocka_unit_test(bent_points), cmocka_unit_test(many_points),
        cmocka_unit_test(many_signers),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
