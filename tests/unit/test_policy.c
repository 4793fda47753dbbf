// SPDX-License-Identifier: Apache-2.0
// trust/policy.c: the cases of NIST's PKITS 4.8 to 4.12, corners, a second opinion, and trees that would blow up.
#include "policy_fixture.h"
#include "policy_tree.h"

#include <time.h>

#define ABSENT "a policy is required and it has no certificatePolicies"
#define ANY_INHIBITED "a policy is required and its anyPolicy is inhibited"
#define BROKEN_OFF "a policy is required and none of its policies continues the path's"
#define NOT_ASKED_FOR "a policy is required and none of the path's is among those asked for"
#define MAPPING_INHIBITED "a policy is required and its policy mapping is inhibited"

struct policy_case {
    const char *name;
    const char *path;  // from below the anchor to the leaf, see policy_spec_word
    const char *user;  // the user-initial-policy-set; "": any-policy
    const char *flags; // e: initial-explicit-policy, m: initial-policy-mapping-inhibit, a: initial-any-policy-inhibit
    const char *why;   // NULL: accepted
    int depth;         // of the certificate at fault, 0 for the leaf
};

// The numbers are those of PKITS, with one more where it tries several settings. The constraints, and what each CA
// asserts and maps, are what a case needs to be decided as PKITS decides it.
static const struct policy_case pkits[] = {
    {"4.8.1.1", "1 / 1", "", "e", NULL, 0},
    {"4.8.1.2", "1 / 1", "1", "e", NULL, 0},
    {"4.8.1.3", "1 / 1", "2", "e", NOT_ASKED_FOR, 1},
    {"4.8.1.4", "1 / 1", "12", "e", NULL, 0},
    {"4.8.2.1", " / ", "", "", NULL, 0},
    {"4.8.2.2", " / ", "", "e", ABSENT, 1},
    {"4.8.3.1", "1 / 2 / 2", "", "", NULL, 0},
    {"4.8.3.2", "1 / 2 / 2", "", "e", BROKEN_OFF, 1},
    {"4.8.3.3", "1 / 2 / 2", "12", "e", BROKEN_OFF, 1},
    {"4.8.4", "1 / 1 e0 / 2", "", "", BROKEN_OFF, 0},
    {"4.8.5", "1 / 2 e0 / 1", "", "", BROKEN_OFF, 1},
    {"4.8.6.1", "1234 e0 / 123 / 12 / 1", "", "", NULL, 0},
    {"4.8.6.2", "1234 e0 / 123 / 12 / 1", "1", "", NULL, 0},
    {"4.8.6.3", "1234 e0 / 123 / 12 / 1", "2", "", NOT_ASKED_FOR, 0},
    {"4.8.7", "123 e0 / 12 / 1 / 2", "", "", BROKEN_OFF, 0},
    {"4.8.8", "12 e0 / 1 / 2 / 1", "", "", BROKEN_OFF, 1},
    {"4.8.9", "123 e0 / 12 / 2 / 1 / 1", "", "", BROKEN_OFF, 1},
    {"4.8.10.1", "12 e0 / 12", "", "", NULL, 0},
    {"4.8.10.2", "12 e0 / 12", "1", "", NULL, 0},
    {"4.8.10.3", "12 e0 / 12", "2", "", NULL, 0},
    {"4.8.11.1", "* e0 / *", "", "", NULL, 0},
    {"4.8.11.2", "* e0 / *", "1", "", NULL, 0},
    {"4.8.12", "3 e0 / 4", "", "", BROKEN_OFF, 0},
    {"4.8.13.1", "123 e0 / 123", "1", "", NULL, 0},
    {"4.8.13.2", "123 e0 / 123", "2", "", NULL, 0},
    {"4.8.13.3", "123 e0 / 123", "3", "", NULL, 0},
    {"4.8.14.1", "* e0 / 1", "1", "", NULL, 0},
    {"4.8.14.2", "* e0 / 1", "2", "", NOT_ASKED_FOR, 0},
    {"4.8.15", "1", "", "", NULL, 0},
    {"4.8.16", "1 / 12", "", "", NULL, 0},
    {"4.8.17", "1 / *", "", "", NULL, 0},
    {"4.8.18.1", "12 e0 / 1*", "1", "", NULL, 0},
    {"4.8.18.2", "12 e0 / 1*", "2", "", NULL, 0},
    {"4.8.19", "1", "", "", NULL, 0},
    {"4.8.20", "1 / 1", "", "e", NULL, 0},
    {"4.9.1", "1 e10 / 1 / 1 / 1 / ", "", "", NULL, 0},
    {"4.9.2", "1 e5 / 1 / 1 / 1 / ", "", "", NULL, 0},
    {"4.9.3", "1 e4 / 1 / 1 / 1 / ", "", "", ABSENT, 0},
    {"4.9.4", "1 e0 / 1 / 1 / 1 / 1", "", "", NULL, 0},
    {"4.9.5", "1 e7 / 1 e2 / 1 e4 / 1 / ", "", "", ABSENT, 0},
    {"4.9.6", "1 e2 / 1 self / ", "", "", NULL, 0},
    {"4.9.7", "1 e2 / 1 self / 1 / ", "", "", ABSENT, 0},
    {"4.9.8", "1 e2 / 1 self / 1 / 1 self / ", "", "", ABSENT, 0},
    {"4.10.1.1", "1 e0 1>2 / 2", "1", "", NULL, 0},
    {"4.10.1.2", "1 e0 1>2 / 2", "2", "", NOT_ASKED_FOR, 1},
    {"4.10.1.3", "1 e0 1>2 / 2", "", "m", MAPPING_INHIBITED, 1},
    {"4.10.2.1", "1 e0 1>2 / 1", "", "", BROKEN_OFF, 0},
    {"4.10.2.2", "1 e0 1>2 / 1", "", "m", MAPPING_INHIBITED, 1},
    {"4.10.3.1", "12 e0 1>3 / 25 / 2 2>4 / 4", "1", "", NOT_ASKED_FOR, 2},
    {"4.10.3.2", "12 e0 1>3 / 25 / 2 2>4 / 4", "2", "", NULL, 0},
    {"4.10.4", "12 e0 1>3 / 25 / 2 2>4 / 5", "", "", BROKEN_OFF, 0},
    {"4.10.5.1", "1 e0 1>2 1>3 1>4 / 25 2>6 / 6", "1", "", NULL, 0},
    {"4.10.5.2", "1 e0 1>2 1>3 1>4 / 25 2>6 / 6", "6", "", NOT_ASKED_FOR, 2},
    {"4.10.6.1", "1 e0 1>2 1>3 1>4 / 3 / 3", "1", "", NULL, 0},
    {"4.10.6.2", "1 e0 1>2 1>3 1>4 / 3 / 3", "6", "", NOT_ASKED_FOR, 2},
    {"4.10.7", "1* e0 *>1 / 1", "", "", "anyPolicy is mapped from", 1},
    {"4.10.8", "1 e0 1>* / 2", "", "", "anyPolicy is mapped to", 1},
    {"4.10.9", "* e0 1>2 / 2", "", "", NULL, 0},
    {"4.10.10", "1 / * e0 1>2 / 1", "", "", BROKEN_OFF, 0},
    {"4.10.11", "1 / * e0 1>2 / 2", "", "", NULL, 0},
    {"4.10.12.1", "12 e0 1>3 / 3*", "1", "", NULL, 0},
    {"4.10.12.2", "12 e0 1>3 / 3*", "2", "", NULL, 0},
    {"4.10.13.1", "1* e0 1>2 / 2", "", "", NULL, 0},
    {"4.10.13.2", "1* e0 1>2 / 2", "1", "", NULL, 0},
    {"4.10.13.3", "1* e0 1>2 / 2", "2", "", NOT_ASKED_FOR, 0},
    {"4.10.14", "1* e0 1>2 / 1", "1", "", NULL, 0},
    {"4.11.1", "1 e0 m0 / 1 1>2 / 2", "", "", MAPPING_INHIBITED, 1},
    {"4.11.2", "12 e0 m1 / 12 1>3 2>4 / 3", "", "", NULL, 0},
    {"4.11.3", "12 e0 m1 / 12 1>3 2>4 / 34 3>5 / 5", "", "", BROKEN_OFF, 0},
    {"4.11.4", "12 e0 m1 / 12 1>3 2>4 / 34 3>5 / 4", "", "", NULL, 0},
    {"4.11.5", "1 e0 m5 / 1 m1 / 1 / 1 1>2 / 2", "", "", MAPPING_INHIBITED, 1},
    {"4.11.6", "12 e0 m1 / 12 m5 1>3 2>4 / 34 3>5 / 5", "", "", BROKEN_OFF, 0},
    {"4.11.7", "1 e0 m1 / 1 self / 1 1>2 / 2", "", "", NULL, 0},
    {"4.11.8", "1 e0 m1 / 1 self / 1 1>2 / 2 2>3 / 3", "", "", MAPPING_INHIBITED, 1},
    {"4.11.9", "1 e0 m1 / 1 self / 1 1>2 / 2 2>3 / 2", "", "", MAPPING_INHIBITED, 1},
    {"4.11.10", "1 e0 m1 / 1 self / 1 1>2 / 2 self 2>3 / 3", "", "", MAPPING_INHIBITED, 1},
    {"4.11.11", "1 e0 m1 / 1 self / 1 1>2 / 2 self 2>3 / 2", "", "", MAPPING_INHIBITED, 1},
    {"4.12.1", "1 e0 a0 / *", "", "", ANY_INHIBITED, 0},
    {"4.12.2", "1 e0 a0 / 1*", "", "", NULL, 0},
    {"4.12.3.1", "1 e0 a1 / * / 1", "", "", NULL, 0},
    {"4.12.3.2", "1 e0 a1 / * / 1", "", "a", ANY_INHIBITED, 1},
    {"4.12.4", "1 e0 a1 / * / *", "", "", ANY_INHIBITED, 0},
    {"4.12.5", "1 e0 a5 / * a1 / * / *", "", "", ANY_INHIBITED, 0},
    {"4.12.6", "1 e0 a1 / * a5 / *", "", "", ANY_INHIBITED, 0},
    {"4.12.7", "1 e0 a1 / * self / * / 1", "", "", NULL, 0},
    {"4.12.8", "1 e0 a1 / * self / * / * / 1", "", "", ANY_INHIBITED, 1},
    {"4.12.9", "1 e0 a1 / * self / * / * self / 1", "", "", NULL, 0},
    {"4.12.10", "1 e0 a1 / * self / * / *", "", "", ANY_INHIBITED, 0},
};

static const struct policy_case corners[] = {
    {"the leaf itself requires a policy", "1 / e0", "", "", ABSENT, 0},
    {"its twin", "1 / 1 e0", "", "", NULL, 0},
    {"a skip count in the leaf has no one to skip", "1 / e1", "", "", NULL, 0},
    {"a self-issued leaf still counts in the wrap-up", "1 e1 / self", "", "", ABSENT, 0},
    {"its twin", "1 e2 / self", "", "", NULL, 0},
    {"what the leaf says of mapping and anyPolicy is too late", "1 / * m0 a0", "", "e", NULL, 0},
    {"anyPolicy of a self-issued leaf", "1 a0 / * self", "", "e", ANY_INHIBITED, 0},
    {"anyPolicy of a self-issued CA", "1 a0 / * self / 1", "", "e", NULL, 0},
    {"a skip count is only lowered", "1 e1 / 1 e9 / ", "", "", ABSENT, 0},
    {"a policy lost before one was required", " / 1 e0 / 1", "", "", ABSENT, 2},
    {"a policy lost by one, required nowhere", " / 1 / 1", "1", "", NULL, 0},
    {"any-policy among those asked for", "2 / 2", "1*", "e", NULL, 0},
    {"two policies mapped to one", "12 1>3 2>3 / 3", "2", "e", NULL, 0},
    {"two policies mapped to one, the other is asked for", "12 1>3 2>3 / 3", "1", "e", NULL, 0},
    {"two policies mapped to one, neither is asked for", "12 1>3 2>3 / 3", "3", "e", NOT_ASKED_FOR, 1},
    {"a policy mapped to itself", "1 1>1 / 1", "1", "e", NULL, 0},
    {"two policies swapped", "12 1>2 2>1 / 2", "1", "e", NULL, 0},
    {"two policies swapped, the wrong one", "12 1>2 2>1 / 2", "2", "e", NOT_ASKED_FOR, 0},
    {"a mapping of what is not asserted", "1 2>3 / 3", "", "e", BROKEN_OFF, 0},
    {"a mapping of what anyPolicy stands for", "1* 2>3 / 3", "2", "e", NULL, 0},
    {"a mapping of what anyPolicy stands for hides the name", "1* 2>3 / 3", "3", "e", NOT_ASKED_FOR, 0},
    {"an inhibited mapping of what anyPolicy stands for", "* 2>3 / 3", "3", "em", NULL, 0},
    {"an inhibited mapping removes what is mapped only", "12 1>3 / 2", "", "em", NULL, 0},
    {"mapping in the leaf means nothing", "1 / 1 1>2", "1", "em", NULL, 0},
    {"the anchor's domain counts, not the leaf's", "1 1>2 / 2 2>3 / 3", "1", "e", NULL, 0},
    {"the anchor's domain counts, not the leaf's name", "1 1>2 / 2 2>3 / 3", "3", "e", NOT_ASKED_FOR, 2},
    {"anyPolicy at the end stands for what is asked for", "* / *", "9", "e", NULL, 0},
    {"a mapped name is no one's own any more", "1* 1>2 / 2*", "2", "e", NULL, 0},
    {"no certificatePolicies below anyPolicy", "* / ", "", "e", ABSENT, 0},
    {"a path of one", "", "", "e", ABSENT, 0},
    {"a path of one that says nothing", "", "", "", NULL, 0},
    {"a path of one with anyPolicy inhibited", "*", "", "ea", ANY_INHIBITED, 0},
};

// What reading a certificate says of its extensions, and then what its path says.
static enum reason judge(const struct made_path *m, size_t count, int *depth, char why[CERTIFICATE_WHY])
{
    for (size_t i = 0; i < count; i++) {
        const struct certificate *c = &m->certificates[i];
        struct err e = ERR_INIT;
        bool known = false;
        if ((c->policies.data != NULL && policy_syntax(c->policies, &known, &e) != 0) ||
            (c->policy_mappings.data != NULL && policy_mapping_syntax(c->policy_mappings, &e) != 0)) {
            *depth = (int)i;
            snprintf(why, CERTIFICATE_WHY, "%.*s", CERTIFICATE_WHY - 1, e.text);
            return REASON_malformed;
        }
    }
    return policy_check(m->path, count, &m->demand, depth, why);
}

static void run_case(const struct policy_case *c)
{
    struct policy_path p = {.explicit_policy = strchr(c->flags, 'e') != NULL,
                            .inhibit_mapping = strchr(c->flags, 'm') != NULL,
                            .inhibit_any = strchr(c->flags, 'a') != NULL};
    struct made_path m;
    char why[CERTIFICATE_WHY] = "";
    int depth = 0;
    int tree_depth;
    for (const char *letter = c->user; *letter != '\0'; letter++) {
        p.user |= 1U << policy_number(*letter);
    }
    policy_path_parse(&p, c->path);
    made_path_init(&m, &p);
    enum reason reason = judge(&m, p.count, &depth, why);
    bool as_expected = c->why == NULL ? reason == REASON_ok : strcmp(why, c->why) == 0 && depth == c->depth;
    if (!as_expected) {
        fail_msg("%s (%s): %s at depth %d: %s", c->name, c->path, reason_token(reason), depth, why);
    }
    if (reason != REASON_malformed) { // the tree, too, must agree with what was written down here
        assert_int_equal(reason, c->why == NULL ? REASON_ok : REASON_policy);
        if (tree_refuses(&p, &tree_depth) != (c->why != NULL) || (c->why != NULL && tree_depth != c->depth)) {
            fail_msg("%s (%s): the tree says otherwise, depth %d", c->name, c->path, tree_depth);
        }
    }
    made_path_clear(&m);
}

static void test_pkits(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof pkits / sizeof pkits[0]; i++) {
        run_case(&pkits[i]);
    }
}

static void test_corners(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof corners / sizeof corners[0]; i++) {
        run_case(&corners[i]);
    }
}

static uint64_t random_state;

// xorshift64*: the same numbers everywhere, each run
static unsigned pick(unsigned below)
{
    random_state ^= random_state >> 12;
    random_state ^= random_state << 25;
    random_state ^= random_state >> 27;
    return (unsigned)((random_state * 0x2545f4914f6cdd1dULL) >> 33) % below;
}

static int pick_skip(unsigned one_in)
{
    return pick(one_in) == 0 ? (int)pick(4) : CERTIFICATE_NO_SKIP;
}

// Up to four certificates of up to three of four policies and anyPolicy, and up to two mappings.
static void path_random(struct policy_path *p)
{
    enum { POLICIES = 4 };
    *p = (struct policy_path){.count = 1 + pick(4),
                              .explicit_policy = pick(2) == 0,
                              .inhibit_mapping = pick(8) == 0,
                              .inhibit_any = pick(8) == 0};
    for (unsigned n = pick(3); n > 0; n--) {
        p->user |= 1U << (pick(16) == 0 ? 0 : 1 + pick(POLICIES));
    }
    for (size_t i = 0; i < p->count; i++) {
        struct policy_spec *c = &p->certificates[i];
        *c = policy_spec_plain();
        c->has_policies = pick(16) != 0;
        for (unsigned n = 1 + pick(3); c->has_policies && n > 0; n--) {
            c->policies |= 1U << (pick(4) == 0 ? 0 : 1 + pick(POLICIES));
        }
        for (c->mapping_count = 0; c->mapping_count < 2 && pick(2) == 0; c->mapping_count++) {
            c->mappings[c->mapping_count].from = 1 + (int)pick(POLICIES);
            c->mappings[c->mapping_count].to = 1 + (int)pick(POLICIES);
        }
        c->require_explicit = pick_skip(3);
        c->inhibit_mapping = pick_skip(4);
        c->inhibit_any = pick_skip(4);
        c->self_issued = pick(4) == 0;
    }
}

static void test_same_as_tree(void **state)
{
    enum { PATHS = 200000 };
    int refused = 0;
    int refused_early = 0;
    (void)state;
    random_state = 5280;
    for (int k = 0; k < PATHS; k++) {
        struct policy_path p;
        struct made_path m;
        char why[CERTIFICATE_WHY] = "";
        int depth = -1;
        int tree_depth;
        path_random(&p);
        made_path_init(&m, &p);
        bool refuses = tree_refuses(&p, &tree_depth);
        enum reason reason = judge(&m, p.count, &depth, why);
        if (reason != (refuses ? REASON_policy : REASON_ok) || (refuses && depth != tree_depth)) {
            fail_msg("path %d: %s at depth %d (%s), the tree: %s at depth %d", k, reason_token(reason), depth, why,
                     refuses ? "refused" : "accepted", tree_depth);
        }
        refused += refuses;
        refused_early += refuses && depth > 0;
        made_path_clear(&m);
    }
    print_message("%d paths, %d refused, %d of them above the leaf\n", PATHS, refused, refused_early);
    assert_in_range(refused, PATHS / 4, PATHS / 4 * 3); // so that both answers were put to the test
    assert_in_range(refused_early, PATHS / 10, refused - PATHS / 10);
}

// Policy number n of many.
static struct span wide_oid(uint8_t octets[4], unsigned n)
{
    octets[0] = 0x2a; // 1.2
    octets[1] = (uint8_t)(0x80 | (n >> 14 & 0x7f) | 0x40);
    octets[2] = (uint8_t)(0x80 | (n >> 7 & 0x7f));
    octets[3] = (uint8_t)(n & 0x7f);
    return span_of(octets, 4);
}

// `levels` CAs that all assert `width` policies, and map them: each to each if `dense`, else each to the next one. The
// leaf asserts `leaf`.
struct tower {
    struct buf policies, mappings, leaf_policies;
    struct certificate ca, leaf;
    const struct certificate *path[64];
    size_t count;
};

static void tower_init(struct tower *t, size_t levels, unsigned width, bool dense, unsigned leaf)
{
    uint8_t from[4];
    uint8_t to[4];
    *t = (struct tower){.count = levels + 1};
    assert_true(t->count <= sizeof t->path / sizeof t->path[0]);
    for (unsigned n = 0; n < width; n++) {
        policy_add(&t->policies, wide_oid(from, n));
        for (unsigned k = 0; k < (dense ? width : 1); k++) {
            mapping_add(&t->mappings, wide_oid(from, n), wide_oid(to, dense ? k : (n + 1) % width));
        }
    }
    policy_add(&t->leaf_policies, wide_oid(from, leaf));
    t->leaf = (struct certificate){.policies = buf_span(&t->leaf_policies),
                                   .require_explicit_policy = CERTIFICATE_NO_SKIP,
                                   .inhibit_policy_mapping = CERTIFICATE_NO_SKIP,
                                   .inhibit_any_policy = CERTIFICATE_NO_SKIP};
    t->ca = t->leaf;
    t->ca.policies = buf_span(&t->policies);
    t->ca.policy_mappings = buf_span(&t->mappings);
    t->path[0] = &t->leaf;
    for (size_t i = 1; i < t->count; i++) {
        t->path[i] = &t->ca;
    }
}

static void tower_clear(struct tower *t)
{
    buf_clear(&t->policies);
    buf_clear(&t->mappings);
    buf_clear(&t->leaf_policies);
}

static enum reason tower_check(const struct tower *t, unsigned user, const char *why_expected)
{
    uint8_t octets[4];
    struct span oid = wide_oid(octets, user);
    struct policy_demand demand = {.acceptable = &oid, .count = 1, .explicit_policy = true};
    char why[CERTIFICATE_WHY] = "";
    int depth = -1;
    clock_t start = clock();
    enum reason reason = policy_check(t->path, t->count, &demand, &depth, why);
    double seconds = (double)(clock() - start) / CLOCKS_PER_SEC;
    print_message("%zu certificates, %zu octets of policies and mappings each: %s in %.0f us\n", t->count,
                  t->policies.len + t->mappings.len, reason_token(reason), seconds * 1e6);
    assert_string_equal(why, why_expected);
    assert_true(seconds < 2); // the tree of the smallest of these would have 2^32 nodes
    return reason;
}

static void test_blow_up(void **state)
{
    struct tower t;
    (void)state;
    tower_init(&t, 32, 2, true, 1); // each of two policies mapped to both, 32 times
    assert_int_equal(tower_check(&t, 0, ""), REASON_ok);
    assert_int_equal(tower_check(&t, 2, NOT_ASKED_FOR), REASON_policy);
    tower_clear(&t);
    tower_init(&t, 32, 2, true, 2);
    assert_int_equal(tower_check(&t, 0, BROKEN_OFF), REASON_policy);
    tower_clear(&t);
    tower_init(&t, 60, 32, true, 7); // 1024 mappings each
    assert_int_equal(tower_check(&t, 31, ""), REASON_ok);
    tower_clear(&t);
    tower_init(&t, 60, 1024, false, 63); // 60 mappings further, policy 3 is called 63
    assert_int_equal(tower_check(&t, 3, ""), REASON_ok);
    assert_int_equal(tower_check(&t, 4, NOT_ASKED_FOR), REASON_policy);
    tower_clear(&t);
}

static void test_budget(void **state)
{
    struct tower t;
    struct policy_demand none = {0};
    char why[CERTIFICATE_WHY] = "";
    int depth = -1;
    (void)state;
    tower_init(&t, 2, 1025, false, 0);
    assert_int_equal(tower_check(&t, 0, "it has more than 1024 policies"), REASON_budget_exceeded);
    assert_int_equal(policy_check(t.path, t.count, &none, &depth, why), REASON_ok); // nobody has to look at them
    tower_clear(&t);
    tower_init(&t, 2, 33, true, 0);
    assert_int_equal(tower_check(&t, 0, "it has more than 1024 policy mappings"), REASON_budget_exceeded);
    tower_clear(&t);
}

// An extension as the octets of its content, and what is said of it.
struct syntax_case {
    const char *octets;
    size_t len;
    const char *error; // NULL: none
};

#define DER(text) text, sizeof text - 1
#define ANY "\x06\x04\x55\x1d\x20\x00"
#define CPS "\x06\x08\x2b\x06\x01\x05\x05\x07\x02\x01"
#define NOTICE "\x06\x08\x2b\x06\x01\x05\x05\x07\x02\x02"
#define TOO_SHORT "DER: an element is cut short or has a tag of more than one octet"

static const struct syntax_case policies_syntax[] = {
    {DER("\x30\x06" ANY), NULL},
    {DER("\x30\x04\x06\x02\x2a\x03\x30\x06" ANY), NULL},
    {DER("\x30\x14\x06\x02\x2a\x03\x30\x0e\x30\x0c" CPS "\x16\x00"), NULL},
    {DER("\x30\x14\x06\x02\x2a\x03\x30\x0e\x30\x0c" NOTICE "\x30\x00"), NULL},
    {DER("\x30\x0e\x06\x02\x2a\x03\x30\x08\x30\x06\x06\x02\x2a\x04\x05\x00"), NULL}, // somebody's own qualifier
    {DER(""), "PolicyInformation: " TOO_SHORT},
    {DER("\x31\x06" ANY), "PolicyInformation: DER tag 0x31 where 0x30 is due"},
    {DER("\x30\x07" ANY), "PolicyInformation: DER: an element is longer than what holds it"},
    {DER("\x30\x06" ANY "\x00"), "PolicyInformation: " TOO_SHORT},
    {DER("\x30\x00"), "policyIdentifier: " TOO_SHORT},
    {DER("\x30\x02\x06\x00"), "policyIdentifier: an object identifier is cut short"},
    {DER("\x30\x04\x06\x02\x2a\x83"), "policyIdentifier: an object identifier is cut short"},
    {DER("\x30\x05\x06\x03\x2a\x80\x03"), "policyIdentifier: an object identifier is not in its shortest form"},
    {DER("\x30\x06" ANY "\x30\x06" ANY), "a policy is there twice"},
    {DER("\x30\x04\x06\x02\x2a\x03\x30\x06" ANY "\x30\x04\x06\x02\x2a\x03"), "a policy is there twice"},
    {DER("\x30\x06\x06\x02\x2a\x03\x05\x00"), "policyQualifiers: DER tag 0x05 where 0x30 is due"},
    {DER("\x30\x06\x06\x02\x2a\x03\x30\x00"), "PolicyQualifierInfo: " TOO_SHORT},
    {DER("\x30\x16\x06\x02\x2a\x03\x30\x0e\x30\x0c" CPS "\x16\x00\x05\x00"),
     "PolicyInformation: there is more after the qualifiers"},
    {DER("\x30\x12\x06\x02\x2a\x03\x30\x0c\x30\x0a" CPS), "qualifier: " TOO_SHORT},
    {DER("\x30\x14\x06\x02\x2a\x03\x30\x0e\x30\x0c" CPS "\x0c\x00"), "qualifier: DER tag 0x0c where 0x16 is due"},
    {DER("\x30\x14\x06\x02\x2a\x03\x30\x0e\x30\x0c" NOTICE "\x16\x00"), "qualifier: DER tag 0x16 where 0x30 is due"},
    {DER("\x30\x16\x06\x02\x2a\x03\x30\x10\x30\x0e" CPS "\x16\x00\x05\x00"),
     "PolicyQualifierInfo: there is more after the qualifier"},
};

static const struct syntax_case mappings_syntax[] = {
    {DER("\x30\x08\x06\x02\x2a\x03\x06\x02\x2a\x04"), NULL},
    {DER("\x30\x08\x06\x02\x2a\x03\x06\x02\x2a\x04\x30\x08\x06\x02\x2a\x03\x06\x02\x2a\x05"), NULL},
    {DER(""), "policy mapping: " TOO_SHORT},
    {DER("\x30\x04\x06\x02\x2a\x03"), "subjectDomainPolicy: " TOO_SHORT},
    {DER("\x30\x08\x05\x02\x2a\x03\x06\x02\x2a\x04"), "issuerDomainPolicy: DER tag 0x05 where 0x06 is due"},
    {DER("\x30\x0a\x06\x02\x2a\x03\x06\x02\x2a\x04\x05\x00"), "policy mapping: there is more after the two policies"},
    {DER("\x30\x0a" ANY "\x06\x02\x2a\x04"), "anyPolicy is mapped from"},
    {DER("\x30\x0a\x06\x02\x2a\x04" ANY), "anyPolicy is mapped to"},
    {DER("\x30\x08\x06\x02\x2a\x03\x06\x02\x2a\x04\x30\x0a\x06\x02\x2a\x04" ANY), "anyPolicy is mapped to"},
};

// From memory of exactly that size, so that the address sanitizer sees a read beyond it.
static void check_syntax(const struct syntax_case *cases, size_t count, int (*call)(struct span, struct err *))
{
    for (size_t i = 0; i < count; i++) {
        struct err e = ERR_INIT;
        uint8_t *exact = mem_alloc(cases[i].len);
        memcpy(exact, cases[i].octets, cases[i].len);
        int rc = call(span_of(exact, cases[i].len), &e);
        free(exact);
        assert_string_equal(e.text, cases[i].error == NULL ? "" : cases[i].error);
        assert_int_equal(rc, cases[i].error == NULL ? 0 : -1);
    }
}

static int policies_call(struct span policies, struct err *e)
{
    bool known = false;
    return policy_syntax(policies, &known, e);
}

static void test_syntax(void **state)
{
    (void)state;
    check_syntax(policies_syntax, sizeof policies_syntax / sizeof policies_syntax[0], policies_call);
    check_syntax(mappings_syntax, sizeof mappings_syntax / sizeof mappings_syntax[0], policy_mapping_syntax);
}

// Nobody should ask for a path of certificates that were refused by themselves; who does is refused.
static void test_unreadable(void **state)
{
    static const uint8_t policy[] = "\x30\x04\x06\x02\x2a\x03";
    struct certificate ca = {.policies = span_of(policy, 6), .policy_mappings = span_of(policy, 6)};
    struct certificate leaf = {.policies = span_of(policy, 6)};
    const struct certificate *path[] = {&leaf, &ca};
    struct policy_demand demand = {.explicit_policy = true};
    char why[CERTIFICATE_WHY] = "";
    int depth = -1;
    (void)state;
    assert_int_equal(policy_check(path, 2, &demand, &depth, why), REASON_policy);
    assert_string_equal(why, "its policyMappings cannot be read");
    assert_int_equal(depth, 1);
    ca.policy_mappings = span_of(NULL, 0);
    assert_int_equal(policy_check(path, 2, &demand, &depth, why), REASON_ok);
    leaf.policies.len = 5;
    assert_int_equal(policy_check(path, 2, &demand, &depth, why), REASON_policy);
    assert_string_equal(why, "its certificatePolicies cannot be read");
    assert_int_equal(depth, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_pkits),        cmocka_unit_test(test_corners),
                                       cmocka_unit_test(test_same_as_tree), cmocka_unit_test(test_blow_up),
                                       cmocka_unit_test(test_budget),       cmocka_unit_test(test_syntax),
                                       cmocka_unit_test(test_unreadable)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
