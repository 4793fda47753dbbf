// SPDX-License-Identifier: Apache-2.0
// RFC 5280 section 6.3.3. The names in [brackets] are those of the tests of NIST's PKITS that a case is made after.
#include "crl_fixture.h"
#include "trust/revocation.h"

enum { CERTIFICATE_USAGE = MBEDTLS_X509_KU_KEY_CERT_SIGN, BOTH = CERTIFICATE_USAGE | MBEDTLS_X509_KU_CRL_SIGN };
enum { LEAF = 0x1234, SUB = 0x5678 };
enum { HOLD = 6, REMOVED = 8 };

#define ALPHA "CN=Alpha,O=Acme"
#define BETA "CN=Beta,O=Acme"

static struct authority alpha;     // issues the certificates
static struct authority alpha_new; // the same name, another key
static struct authority beta;      // signs indirect lists
static struct certificate *leaf;
static struct certificate *sub; // a CA certificate

// One case: lists, the distribution points of the certificate, the signers that can be found.
struct scene {
    struct crl_store *store;
    const struct certificate *signers[4];
    struct buf points;
    int64_t now;
};

static int setup(void **state)
{
    (void)state;
    authority_begin(&alpha, ALPHA, BOTH);
    authority_begin(&alpha_new, ALPHA, BOTH);
    authority_begin(&beta, BETA, BOTH);
    leaf = certificate_issue(&alpha, "CN=leaf", LEAF, &beta.key, false, MBEDTLS_X509_KU_DIGITAL_SIGNATURE);
    sub = certificate_issue(&alpha, "CN=sub", SUB, &beta.key, true, BOTH);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    certificate_free(leaf);
    certificate_free(sub);
    authority_end(&alpha);
    authority_end(&alpha_new);
    authority_end(&beta);
    return 0;
}

static const struct certificate *find_signer(void *arg, struct span issuer_name, struct span key_id, size_t *state)
{
    const struct scene *s = arg;
    (void)issuer_name; // whoever asks looks at the name again
    (void)key_id;
    return *state < 4 ? s->signers[(*state)++] : NULL;
}

static void load(struct scene *s, struct draft d)
{
    struct err e = ERR_INIT;
    struct buf der = {0};
    draft_sign(&d, &der);
    assert_works(crl_store_read(&s->store, "test.crl", buf_span(&der), &e), &e);
    buf_clear(&der);
}

static void point(struct scene *s, struct buf *fields)
{
    der_wrap(&s->points, SEQUENCE, buf_span(fields));
    buf_clear(fields);
}

static void expect(struct scene *s, struct certificate *c, enum reason reason, const char *why)
{
    char said[CERTIFICATE_WHY];
    c->crl_points = buf_span(&s->points);
    struct revocation_question q = {.subject = c,
                                    .issuer = alpha.certificate,
                                    .now = s->now != 0 ? s->now : june_2026 + CLOCK_DAY,
                                    .signer = find_signer,
                                    .arg = s};
    enum reason found = revocation_check(s->store, &q, said);
    c->crl_points = span_of(NULL, 0);
    assert_string_equal(said, why);
    assert_string_equal(reason_token(found), reason_token(reason));
}

static void end(struct scene *s)
{
    crl_store_free(s->store);
    buf_clear(&s->points);
    *s = (struct scene){0};
}

#define GOOD REASON_ok, ""
#define LISTED(name, why) REASON_cert_revoked, "it is on the list of " name " (" why ")"
#define NOT_FOR_IT REASON_crl_missing, "none of the lists of its issuer is for it"
#define NO_LIST REASON_crl_missing, "no list of its issuer is loaded"
#define REASONS_OPEN REASON_crl_missing, "the lists that are loaded do not cover every reason for revoking it"
#define UNSIGNED(name) REASON_crl_signature, "the list of " name " is not signed by a key that may sign it"
// The words show the name as display_name does: the last RDN first
#define A "CN=Alpha,O=Acme"
#define B "CN=Beta,O=Acme"

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
    buf_clear(&hold);
    buf_clear(&lifted);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(complete_list),         cmocka_unit_test(times),       cmocka_unit_test(signers),
        cmocka_unit_test(key_id_is_a_hint),      cmocka_unit_test(reasons),     cmocka_unit_test(point_names),
        cmocka_unit_test(kinds_of_certificates), cmocka_unit_test(indirect),    cmocka_unit_test(indirect_point_names),
        cmocka_unit_test(delta_lists),           cmocka_unit_test(which_delta), cmocka_unit_test(malformed_points),
        cmocka_unit_test(bent_points),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
