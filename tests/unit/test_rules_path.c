// SPDX-License-Identifier: Apache-2.0
// Access rules as requests meet them: methods and paths (rules_path.c), the order of rules, and whether they leave an
// identity anything at all (rules.c).
#include "rules_fixture.h"

static struct trust_identity *alice;

static const struct trust_match is_alice = {.field = TRUST_MATCH_DNS, .pattern = "alice.example"};
static const struct trust_match is_bob = {.field = TRUST_MATCH_DNS, .pattern = "bob.example"};

enum { WORDS_MOST = 4, RULES_MOST = 4 };

// A rule written short.
struct draft {
    bool allow;
    const struct trust_match *match; // or NULL
    const char *methods[WORDS_MOST], *paths[WORDS_MOST];
};

static size_t words_count(const char *const words[WORDS_MOST])
{
    size_t n = 0;
    while (n < WORDS_MOST && words[n] != NULL) {
        n++;
    }
    return n;
}

static struct trust_snapshot snapshot_of(const struct draft *drafts, size_t count)
{
    struct err e = ERR_INIT;
    struct trust_rule rules[RULES_MOST];
    for (size_t i = 0; i < count; i++) {
        rules[i] = (struct trust_rule){.allow = drafts[i].allow,
                                       .matches = drafts[i].match,
                                       .match_count = drafts[i].match != NULL,
                                       .methods = drafts[i].methods,
                                       .method_count = words_count(drafts[i].methods),
                                       .paths = drafts[i].paths,
                                       .path_count = words_count(drafts[i].paths)};
    }
    struct trust_snapshot s = {.rules = trust_rules_new(rules, count, &e)};
    if (s.rules == NULL) {
        fail_msg("%s", e.text);
    }
    return s;
}

static bool allows(const struct trust_snapshot *s, const char *method, const char *path)
{
    struct trust_verdict verdict;
    return trust_allows(s, alice, method, path, &verdict);
}

// --- one pattern, one request ---

static const struct {
    const char *methods[WORDS_MOST], *paths[WORDS_MOST];
    const char *method, *path;
    bool covered;
} requests[] = {
    {{NULL}, {NULL}, "GET", "/", true},
    {{NULL}, {NULL}, "DELETE", "/x/y", true},
    {{NULL}, {NULL}, "GET", "x", false}, // no rule allows what is no path
    {{NULL}, {NULL}, "GET", "", false},
    {{NULL}, {NULL}, "GET", "*", false},
    {{NULL}, {NULL}, "GET", "//x", false},
    {{NULL}, {NULL}, "GET", "/x/../y", false},
    {{"GET"}, {NULL}, "GET", "/", true},
    {{"GET"}, {NULL}, "get", "/", false},
    {{"GET"}, {NULL}, "HEAD", "/", false},
    {{"GET"}, {NULL}, "GETX", "/", false},
    {{"GET"}, {NULL}, "", "/", false},
    {{"GET", "HEAD"}, {NULL}, "HEAD", "/", true},
    {{"GET", "HEAD"}, {NULL}, "GET HEAD", "/", false},
    {{NULL}, {"/x"}, "GET", "/x", true},
    {{NULL}, {"/x"}, "GET", "/x/", false},
    {{NULL}, {"/x"}, "GET", "/x/y", false},
    {{NULL}, {"/x"}, "GET", "/X", false},
    {{NULL}, {"/x"}, "GET", "/xy", false},
    {{NULL}, {"/x"}, "GET", "/%78", false},
    {{NULL}, {"/x"}, "GET", "/x?y", false},
    {{NULL}, {"/x"}, "GET", "/", false},
    {{NULL}, {"/"}, "GET", "/", true},
    {{NULL}, {"/"}, "GET", "/x", false},
    {{NULL}, {"/x/*"}, "GET", "/x/", true},
    {{NULL}, {"/x/*"}, "GET", "/x/y", true},
    {{NULL}, {"/x/*"}, "GET", "/x/y/z", true},
    {{NULL}, {"/x/*"}, "GET", "/x/...", true}, // a name, three dots long
    {{NULL}, {"/x/*"}, "GET", "/x", false},
    {{NULL}, {"/x/*"}, "GET", "/xy/z", false},
    {{NULL}, {"/x/*"}, "GET", "/X/y", false},
    {{NULL}, {"/x/*"}, "GET", "/x//y", false},
    {{NULL}, {"/x/*"}, "GET", "/x/.", false},
    {{NULL}, {"/x/*"}, "GET", "/x/..", false},
    {{NULL}, {"/x/*"}, "GET", "/x/../y", false},
    {{NULL}, {"/x/*"}, "GET", "/x/./y", false},
    {{NULL}, {"/x/*"}, "GET", "/x%2fy", false},
    {{NULL}, {"/*"}, "GET", "/", true},
    {{NULL}, {"/*"}, "GET", "/x/y", true},
    {{NULL}, {"/*"}, "GET", "//", false},
    {{"GET"}, {"/a", "/b/*"}, "GET", "/b/c", true},
    {{"GET"}, {"/a", "/b/*"}, "POST", "/b/c", false},
    {{"GET"}, {"/a", "/b/*"}, "GET", "/a/c", false},
};

static void methods_and_paths(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof requests / sizeof requests[0]; i++) {
        struct err e = ERR_INIT;
        struct draft drafts[] = {{.allow = false}, {.allow = true}};
        memcpy(drafts[0].methods, requests[i].methods, sizeof drafts[0].methods);
        memcpy(drafts[0].paths, requests[i].paths, sizeof drafts[0].paths);
        struct trust_snapshot denies = snapshot_of(drafts, 2);
        drafts[0].allow = true;
        struct trust_snapshot s = snapshot_of(drafts, 1);
        bool is_path = path_check(requests[i].path, &e) == 0;
        if (allows(&s, requests[i].method, requests[i].path) != requests[i].covered ||
            allows(&denies, requests[i].method, requests[i].path) != (is_path && !requests[i].covered)) {
            fail_msg("row %zu: %s %s", i, requests[i].method, requests[i].path);
        }
        trust_rules_free(s.rules);
        trust_rules_free(denies.rules);
    }
}

static const struct {
    const char *method, *path, *error;
} bad[] = {
    {"get", NULL, "rule 1: method \"get\": a method is a word in upper case, like GET"},
    {"", NULL, "rule 1: method \"\": a method is a word in upper case, like GET"},
    {"GET,PUT", NULL, "rule 1: method \"GET,PUT\": a method is a word in upper case, like GET"},
    {NULL, "x", "rule 1: path \"x\": a path begins with a slash"},
    {NULL, "", "rule 1: path \"\": a path begins with a slash"},
    {NULL, "*", "rule 1: path \"*\": a * stands at the end of a path only, and for all that follows a slash"},
    {NULL, "/x*", "rule 1: path \"/x*\": a * stands at the end of a path only, and for all that follows a slash"},
    {NULL, "/*/x", "rule 1: path \"/*/x\": a * stands at the end of a path only, and for all that follows a slash"},
    {NULL, "/**", "rule 1: path \"/**\": a * stands at the end of a path only, and for all that follows a slash"},
    {NULL, "//*", "rule 1: path \"//*\": two slashes follow each other in the path"},
    {NULL, "/x/../*", "rule 1: path \"/x/../*\": a segment of the path is only dots"},
    {NULL, "/x/.", "rule 1: path \"/x/.\": a segment of the path is only dots"},
    {NULL, "/a%20b", "rule 1: path \"/a%20b\": a path is decoded before it is compared: write the character itself"},
    {NULL, "/x?y", "rule 1: path \"/x?y\": a character is in it that no path has"},
    {NULL, "/x\\y", "rule 1: path \"/x\\y\": a character is in it that no path has"},
    {NULL, "/x\ny", "rule 1: path \"/x\ny\": a character is in it that no path has"},
};

static void bad_patterns(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct err e = ERR_INIT;
        const struct trust_rule rule = {.methods = &bad[i].method,
                                        .method_count = bad[i].method != NULL,
                                        .paths = &bad[i].path,
                                        .path_count = bad[i].path != NULL};
        assert_null(trust_rules_new(&rule, 1, &e));
        assert_string_equal(e.text, bad[i].error);
    }
}

// --- the order, and what is said ---

static void first_match_decides(void **state)
{
    static const struct draft drafts[] = {{.allow = true, .match = &is_alice, .paths = {"/admin/alice/*"}},
                                          {.allow = false, .paths = {"/admin/*"}},
                                          {.allow = true, .match = &is_alice, .methods = {"GET"}}};
    static const struct {
        const char *method, *path, *detail; // NULL: allowed
    } table[] = {
        {"GET", "/", NULL},
        {"POST", "/", "no rule allows POST /: CN=client"},
        {"POST", "/admin/alice/x", NULL},
        {"GET", "/admin/bob", "rule 2 denies GET /admin/bob: CN=client"},
        {"GET", "/admin/\x1b[31m", "rule 2 denies GET /admin/\\x1B[31m: CN=client"},
        {"GET", "/admin/alice/../bob", "GET /admin/alice/../bob: a segment of the path is only dots"},
    };
    struct trust_snapshot s = snapshot_of(drafts, 3);
    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct trust_verdict verdict;
        bool allowed = trust_allows(&s, alice, table[i].method, table[i].path, &verdict);
        assert_int_equal(allowed, table[i].detail == NULL);
        assert_int_equal(verdict.reason, allowed ? REASON_ok : REASON_not_allowed);
        assert_int_equal(verdict.depth, allowed ? -1 : 0);
        assert_string_equal(verdict.detail, allowed ? "" : table[i].detail);
    }
    trust_rules_free(s.rules);
}

static void no_rules_allow_nothing(void **state)
{
    struct trust_verdict verdict;
    struct trust_snapshot s = {.rules = NULL};
    (void)state;
    assert_false(trust_allows(&s, alice, "GET", "/", &verdict));
    assert_string_equal(verdict.detail, "there are no access rules");
    s = snapshot_of(NULL, 0);
    assert_false(trust_allows(&s, alice, "GET", "/", &verdict));
    assert_false(rules_can_allow(s.rules, alice));
    trust_rules_free(s.rules);
}

// --- is anything left? ---

#define ALLOW .allow = true
#define DENY .allow = false
#define ALICE .match = &is_alice
#define BOB .match = &is_bob

static const struct {
    struct draft drafts[RULES_MOST];
    size_t count;
    bool left;
} sets[] = {
    {{{ALLOW}}, 1, true},
    {{{DENY}, {ALLOW}}, 2, false},
    {{{ALLOW}, {DENY}}, 2, true},
    {{{ALLOW, BOB}}, 1, false},
    {{{DENY, BOB}, {ALLOW}}, 2, true},
    {{{DENY, ALICE}, {ALLOW}}, 2, false},
    {{{DENY, .methods = {"GET"}}, {ALLOW}}, 2, true},
    {{{DENY, .methods = {"GET"}}, {ALLOW, .methods = {"GET"}}}, 2, false},
    {{{DENY, .methods = {"GET"}}, {ALLOW, .methods = {"GET", "PUT"}}}, 2, true},
    {{{DENY, .paths = {"/*"}}, {ALLOW}}, 2, false}, // no path is elsewhere
    {{{DENY, .paths = {"/x/*"}}, {ALLOW, .paths = {"/x/y"}}}, 2, false},
    {{{DENY, .paths = {"/x/*"}}, {ALLOW, .paths = {"/x"}}}, 2, true},
    {{{DENY, .paths = {"/x/y/*"}}, {ALLOW, .paths = {"/x/*"}}}, 2, true},
    {{{DENY, .paths = {"/x/*"}}, {ALLOW, .paths = {"/x/y/*"}}}, 2, false},
    {{{DENY, .paths = {"/x/y"}}, {ALLOW, .paths = {"/x/*"}}}, 2, true},
    {{{DENY, .methods = {"GET"}, .paths = {"/x/*"}},
      {DENY, .methods = {"PUT"}, .paths = {"/x/*"}},
      {ALLOW, .methods = {"GET", "PUT"}, .paths = {"/x/y", "/x/z/*"}}},
     3,
     false},
    {{{DENY, .methods = {"GET"}, .paths = {"/x/*"}},
      {DENY, .methods = {"PUT"}, .paths = {"/x/y"}},
      {ALLOW, .methods = {"GET", "PUT"}, .paths = {"/x/y", "/x/z/*"}}},
     3,
     true},
    {{{DENY, ALICE, .paths = {"/a"}}, {DENY, BOB}, {ALLOW, .paths = {"/a"}}}, 3, false},
    {{{DENY, ALICE, .paths = {"/a"}}, {ALLOW, .paths = {"/a"}}, {ALLOW, .paths = {"/b"}}}, 3, true},
};

static void what_is_left(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof sets / sizeof sets[0]; i++) {
        struct trust_snapshot s = snapshot_of(sets[i].drafts, sets[i].count);
        if (rules_can_allow(s.rules, alice) != sets[i].left) {
            fail_msg("set %zu", i);
        }
        trust_rules_free(s.rules);
    }
}

static unsigned draw(uint64_t *random, unsigned most)
{
    *random = *random * 6364136223846793005U + 1442695040888963407U;
    return (unsigned)(*random >> 33) % most;
}

// The same question by trying every request that could make a difference, over thousands of sets of rules.
static void what_is_left_by_trying(void **state)
{
    static const char *const methods[] = {"GET", "PUT", "POST"};
    static const char *const patterns[] = {"/", "/*", "/a", "/a/*", "/a/b", "/a/b/*", "/a/b/c", "/d/*"};
    static const char *const paths[] = {"/", "/a", "/a/", "/a/b", "/a/b/", "/a/b/c", "/a/b/e", "/a/e", "/d/", "/e"};
    uint64_t random = 1;
    size_t left = 0;
    enum { ROUNDS = 5000 };
    (void)state;
    for (size_t round = 0; round < ROUNDS; round++) {
        struct draft drafts[RULES_MOST] = {{.allow = false}};
        for (size_t i = 0; i < RULES_MOST; i++) {
            drafts[i].allow = draw(&random, 3) == 0;
            drafts[i].match = draw(&random, 5) == 0 ? &is_bob : NULL;
            for (unsigned k = 0, n = draw(&random, 3); k < n; k++) {
                drafts[i].methods[k] = methods[draw(&random, 2)]; // nobody names the third
            }
            for (unsigned k = 0, n = draw(&random, 4); k < n; k++) {
                drafts[i].paths[k] = patterns[draw(&random, sizeof patterns / sizeof patterns[0])];
            }
        }
        struct trust_snapshot s = snapshot_of(drafts, RULES_MOST);
        bool found = false;
        for (size_t m = 0; m < sizeof methods / sizeof methods[0]; m++) {
            for (size_t p = 0; p < sizeof paths / sizeof paths[0]; p++) {
                found = found || allows(&s, methods[m], paths[p]);
            }
        }
        if (rules_can_allow(s.rules, alice) != found) {
            fail_msg("round %zu", round);
        }
        left += found;
        trust_rules_free(s.rules);
    }
    assert_true(left > ROUNDS / 10 && left < ROUNDS - ROUNDS / 10);
}

static int setup(void **state)
{
    (void)state;
    rules_template_make();
    alice = identity_with(DNS, "alice.example", 0, 1);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    trust_identity_free(alice);
    buf_clear(&rules_template);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(methods_and_paths),   cmocka_unit_test(bad_patterns),
        cmocka_unit_test(first_match_decides), cmocka_unit_test(no_rules_allow_nothing),
        cmocka_unit_test(what_is_left),        cmocka_unit_test(what_is_left_by_trying),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
