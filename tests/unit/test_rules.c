// SPDX-License-Identifier: Apache-2.0
// Access rules (rules.c, rules_match.c): one pattern, one identity, one request. Every row is asked twice, as a rule
// that allows and as one that denies before a rule that allows everything; every pattern has rows that match and rows
// that do not.
#include "base/text.h"
#include "rules_fixture.h"

struct row {
    enum trust_match_field field;
    const char *attribute; // of a subject
    const char *pattern;   // NULL: any client
    enum place place;
    const char *value;
    size_t len; // 0: as long as its text
    bool matches;
};

#define T true
#define F false
// A value with NUL in it
#define OCTETS(text) text, sizeof(text) - 1
#define D TRUST_MATCH_DNS, NULL
#define A TRUST_MATCH_IP, NULL
#define M TRUST_MATCH_EMAIL, NULL
#define U TRUST_MATCH_URI, NULL
#define WHOLE TRUST_MATCH_SUBJECT, NULL
#define CN TRUST_MATCH_SUBJECT, "CN"
#define S TRUST_MATCH_SERIAL, NULL

static const struct row rows[] = {
    // DNS: without case, nothing else alike
    {D, "alice.ops.example", DNS, "alice.ops.example", 0, T},
    {D, "alice.ops.example", DNS, "ALICE.Ops.Example", 0, T},
    {D, "alice.ops.example", DNS, "alice.ops.example.", 0, F},
    {D, "alice.ops.example", DNS, OCTETS("alice.ops.example\0"), F},
    {D, "alice.ops.example", DNS, OCTETS("alice.ops.example\0.evil.example"), F},
    {D, "alice.ops.example", DNS, OCTETS("alice\0.ops.example"), F},
    {D, "alice.ops.example", DNS, "xalice.ops.example", 0, F},
    {D, "alice.ops.example", DNS, "alice.ops.example.evil.example", 0, F},
    {D, "alice.ops.example", DNS, " alice.ops.example", 0, F},
    {D, "alice.ops.example", DNS, "\\x61lice.ops.example", 0, F},
    {D, "alice.ops.example", DNS, "%61lice.ops.example", 0, F},
    {D, "alice.ops.example", DNS, "*.ops.example", 0, F}, // what could be anybody is not alice
    {D, "alice.ops.example", COMMON_NAME, "alice.ops.example", 0, F},
    {D, "alice.ops.example", URI, "alice.ops.example", 0, F},
    {D, "*.ops.example", DNS, "a.ops.example", 0, T},
    {D, "*.ops.example", DNS, "a.b.OPS.example", 0, T},
    {D, "*.ops.example", DNS, "*.ops.example", 0, T}, // all that it stands for is below
    {D, "*.ops.example", DNS, "ops.example", 0, F},
    {D, "*.ops.example", DNS, ".ops.example", 0, F},
    {D, "*.ops.example", DNS, "aops.example", 0, F},
    {D, "*.ops.example", DNS, "a..ops.example", 0, F},
    {D, "*.ops.example", DNS, "a_b.ops.example", 0, F},
    {D, "*.ops.example", DNS, "a.ops.example.", 0, F},
    {D, "*.ops.example", DNS, "a.ops.example.evil", 0, F},
    {D, "*.ops.example", DNS, OCTETS("evil.example\0.ops.example"), F},
    {D, "*.ops.example", DNS, "evil.example/.ops.example", 0, F},
    {D, "xn--bcher-kva.example", DNS, "xn--bcher-kva.example", 0, T},
    {D, "xn--bcher-kva.example", DNS, "XN--Bcher-KVA.example", 0, T},
    {D, "xn--bcher-kva.example", DNS,
     "b\xc3\xbc"
     "cher.example",
     0, F},
    {D, "xn--bcher-kva.example", DNS, "bcher-kva.example", 0, F},
    // IP: octets
    {A, "10.1.2.3", IP, "10.1.2.3", 0, T},
    {A, "10.1.2.3", IP, "10.1.2.4", 0, F},
    {A, "10.1.2.3", IP, "::ffff:10.1.2.3", 0, F},
    {A, "10.1.2.3", IP, OCTETS("\x0a\x01\x02\x03\x00"), F},
    {A, "10.1.2.3", IP, OCTETS("\x0a\x01\x02"), F},
    {A, "10.1.2.3", DNS, "10.1.2.3", 0, F},
    {A, "10.1.2.128/25", IP, "10.1.2.128", 0, T},
    {A, "10.1.2.128/25", IP, "10.1.2.255", 0, T},
    {A, "10.1.2.128/25", IP, "10.1.2.127", 0, F},
    {A, "10.1.2.128/25", IP, "10.1.3.128", 0, F},
    {A, "2001:db8:8000::/33", IP, "2001:db8:ffff::1", 0, T},
    {A, "2001:db8:8000::/33", IP, "2001:db8:7fff::1", 0, F},
    {A, "2001:DB8::1", IP, "2001:db8::1", 0, T},
    {A, "2001:DB8::1", IP, "2001:db8::2", 0, F},
    {A, "0.0.0.0/0", IP, "192.0.2.1", 0, T},
    {A, "0.0.0.0/0", IP, "2001:db8::1", 0, F},
    // e-mail: case counts before the @
    {M, "Alice@ops.example", EMAIL, "Alice@OPS.example", 0, T},
    {M, "Alice@ops.example", EMAIL, "alice@ops.example", 0, F},
    {M, "Alice@ops.example", EMAIL, "\"Alice\"@ops.example", 0, F},
    {M, "Alice@ops.example", EMAIL, "Alice@ops.example.evil", 0, F},
    {M, "Alice@ops.example", EMAIL, OCTETS("Alice@ops.example\0"), F},
    {M, "Alice@ops.example", URI, "Alice@ops.example", 0, F},
    {M, "*@ops.example", EMAIL, "bob@Ops.example", 0, T},
    {M, "*@ops.example", EMAIL, "\"bob@evil.example\"@ops.example", 0, T},
    {M, "*@ops.example", EMAIL, "bob@x.ops.example", 0, F},
    {M, "*@ops.example", EMAIL, "bob@ops.example@evil.example", 0, F},
    {M, "*@ops.example", EMAIL, "bob@evil.example@ops.example", 0, F},
    {M, "*@ops.example", EMAIL, "@ops.example", 0, F},
    {M, "*@ops.example", EMAIL, OCTETS("bob\0@ops.example"), F},
    // URI: octet by octet
    {U, "https://ops.example/a", URI, "https://ops.example/a", 0, T},
    {U, "https://ops.example/a", URI, "https://OPS.example/a", 0, F},
    {U, "https://ops.example/a", URI, "https://ops.example/%61", 0, F},
    {U, "https://ops.example/a", URI, "https://ops.example/a/", 0, F},
    {U, "https://ops.example/a", URI, "https://ops.example//a", 0, F},
    {U, "https://ops.example/a", URI, OCTETS("https://ops.example/a\0"), F},
    // SPIFFE IDs: segment by segment
    {U, "spiffe://td.example/ns/a/sa/web", URI, "spiffe://td.example/ns/a/sa/web", 0, T},
    {U, "spiffe://td.example/ns/a/sa/web", URI, "spiffe://td.example/ns/a/sa/web/", 0, F},
    {U, "spiffe://td.example/ns/a/sa/web", URI, "spiffe://td.example/ns/a/sa//web", 0, F},
    {U, "spiffe://td.example/ns/a/sa/web", URI, "spiffe://td.example/ns/a/sa/WEB", 0, F},
    {U, "spiffe://td.example/ns/a/sa/web", URI, "spiffe://TD.example/ns/a/sa/web", 0, F},
    {U, "spiffe://td.example/ns/a/sa/web", URI, "SPIFFE://td.example/ns/a/sa/web", 0, F},
    {U, "spiffe://td.example/ns/a/sa/web", URI, "spiffe://td.example:443/ns/a/sa/web", 0, F},
    {U, "spiffe://td.example/ns/a/sa/web", URI, "spiffe://u@td.example/ns/a/sa/web", 0, F},
    {U, "spiffe://td.example/ns/a/sa/web", URI, "spiffe://td.example/ns/a/sa/web?x", 0, F},
    {U, "spiffe://td.example/ns/a/sa/web", URI, "spiffe://td.example/ns/a/sa/web#x", 0, F},
    {U, "spiffe://td.example/ns/a/sa/web", URI, "spiffe://td.example/ns/a/sa/%77eb", 0, F},
    {U, "spiffe://td.example/ns/a/sa/web", URI, OCTETS("spiffe://td.example/ns/a/sa/web\0"), F},
    {U, "spiffe://td.example/ns/*/sa/web", URI, "spiffe://td.example/ns/a-b_c.d/sa/web", 0, T},
    {U, "spiffe://td.example/ns/*/sa/web", URI, "spiffe://td.example/ns/.../sa/web", 0, T}, // a name, three dots long
    {U, "spiffe://td.example/ns/*/sa/web", URI, "spiffe://td.example/ns//sa/web", 0, F},
    {U, "spiffe://td.example/ns/*/sa/web", URI, "spiffe://td.example/ns/./sa/web", 0, F},
    {U, "spiffe://td.example/ns/*/sa/web", URI, "spiffe://td.example/ns/../sa/web", 0, F},
    {U, "spiffe://td.example/ns/*/sa/web", URI, "spiffe://td.example/ns/%2e%2e/sa/web", 0, F},
    {U, "spiffe://td.example/ns/*/sa/web", URI, "spiffe://td.example/ns/a%2Fb/sa/web", 0, F},
    {U, "spiffe://td.example/ns/*/sa/web", URI, "spiffe://td.example/ns/a/b/sa/web", 0, F},
    {U, "spiffe://td.example/ns/*/sa/web", URI, "spiffe://td.example/ns/*/sa/web", 0, F},
    {U, "spiffe://td.example/ns/*/sa/web", URI, "spiffe://td.example/ns/a/sa/web/", 0, F},
    {U, "spiffe://td.example/ns/*/sa/web", URI, "spiffe://td.example/ns/a/sa/web/x", 0, F},
    {U, "spiffe://td.example/ns/*/sa/web", URI, "spiffe://td.example/ns/a/sa", 0, F},
    {U, "spiffe://td.example/ns/*/sa/web", URI, "spiffe://td.example.evil/ns/a/sa/web", 0, F},
    {U, "spiffe://td.example/ns/*/sa/web", URI, OCTETS("spiffe://td.example/ns/\0/sa/web"), F},
    {U, "spiffe://td.example/ns/*/sa/web", DNS, "spiffe://td.example/ns/a/sa/web", 0, F},
    {U, "spiffe://td.example/ns/**", URI, "spiffe://td.example/ns/a", 0, T},
    {U, "spiffe://td.example/ns/**", URI, "spiffe://td.example/ns/a/b/c", 0, T},
    {U, "spiffe://td.example/ns/**", URI, "spiffe://td.example/ns", 0, F},
    {U, "spiffe://td.example/ns/**", URI, "spiffe://td.example/ns/", 0, F},
    {U, "spiffe://td.example/ns/**", URI, "spiffe://td.example/ns/a/", 0, F},
    {U, "spiffe://td.example/ns/**", URI, "spiffe://td.example/ns/a//b", 0, F},
    {U, "spiffe://td.example/ns/**", URI, "spiffe://td.example/ns/a/../../b", 0, F},
    {U, "spiffe://td.example/ns/**", URI, "spiffe://td.example/nsx/a", 0, F},
    {U, "spiffe://td.example", URI, "spiffe://td.example", 0, T},
    {U, "spiffe://td.example", URI, "spiffe://td.example/", 0, F},
    {U, "spiffe://td.example", URI, "spiffe://td.example/x", 0, F},
    {U, "spiffe://td.example", URI, "spiffe://td.example.evil", 0, F},
    // one attribute: the characters
    {CN, "alice", COMMON_NAME, "alice", 0, T},
    {CN, "alice", SUBJECT, "CN=alice,O=Example", 0, T},
    {CN, "alice", SUBJECT, "CN=bob,CN=alice", 0, T},
    {CN, "alice", COMMON_NAME, "Alice", 0, F},
    {CN, "alice", COMMON_NAME, "alice ", 0, F},
    {CN, "alice", COMMON_NAME,
     "ali\xe2\x80\x8b"
     "ce",
     0, F},
    {CN, "alice", COMMON_NAME, "\xd0\xb0lice", 0, F}, // Cyrillic
    {CN, "alice", COMMON_NAME, OCTETS("alice\0"), F},
    {CN, "alice", COMMON_NAME, "CN=alice", 0, F},
    {CN, "alice", SUBJECT, "O=alice", 0, F},
    {CN, "alice", DNS, "alice", 0, F},
    {TRUST_MATCH_SUBJECT, "2.5.4.3",
     "b\xc3\xbc"
     "cher",
     COMMON_NAME,
     "b\xc3\xbc"
     "cher",
     0, T},
    {TRUST_MATCH_SUBJECT, "2.5.4.3",
     "b\xc3\xbc"
     "cher",
     SUBJECT, "CN=#1E0E006200FC00630068006500720073", 0, F},
    {TRUST_MATCH_SUBJECT, "2.5.4.3",
     "b\xc3\xbc"
     "cher",
     SUBJECT, "CN=#1E0C006200FC0063006800650072", 0, T}, // UTF-16
    {TRUST_MATCH_SUBJECT, "2.5.4.3",
     "b\xc3\xbc"
     "cher",
     COMMON_NAME,
     "bu\xcc\x88"
     "cher",
     0, F},
    {TRUST_MATCH_SUBJECT, "O", "Example, Inc.", SUBJECT, "CN=a,O=Example\\, Inc.", 0, T},
    {TRUST_MATCH_SUBJECT, "O", "Example, Inc.", SUBJECT, "CN=a,O=Example\\5c\\, Inc.", 0, F},
    {TRUST_MATCH_SUBJECT, "1.2.3.4", "x", SUBJECT, "1.2.3.4=#0C0178", 0, T},
    {TRUST_MATCH_SUBJECT, "1.2.3.4", "x", SUBJECT, "1.2.3.5=#0C0178", 0, F},
    {TRUST_MATCH_SUBJECT, "1.2.3.4", "x", SUBJECT, "1.2.3.4=#040178", 0, F}, // an OCTET STRING is no text
    // the whole subject, as it is shown
    {WHOLE, "CN=alice,O=Example", SUBJECT, "CN=alice,O=Example", 0, T},
    {WHOLE, "CN=alice,O=Example", SUBJECT, "O=Example,CN=alice", 0, F},
    {WHOLE, "CN=alice,O=Example", SUBJECT, "CN=alice+O=Example", 0, F},
    {WHOLE, "CN=alice,O=Example", SUBJECT, "CN=alice,O=Example,C=XX", 0, F},
    {WHOLE, "CN=alice,O=Example", SUBJECT, "CN=alice,O=example", 0, F},
    {WHOLE, "CN=alice,O=Example", COMMON_NAME, "alice,O=Example", 0, F},
    {WHOLE, "CN=alice\\,O=Example", COMMON_NAME, "alice,O=Example", 0, T},
    {WHOLE, "CN=alice\\,O=Example", COMMON_NAME, "alice\\,O=Example", 0, F},
    {WHOLE, "CN=a\\1B[31mb", COMMON_NAME, "a\x1b[31mb", 0, T},
    {WHOLE, "CN=a\\1B[31mb", COMMON_NAME, "a\\1B[31mb", 0, F},
    {WHOLE, "CN=a\\7F", COMMON_NAME, "a\x7f", 0, T},
    {WHOLE, "CN=a\\7F", COMMON_NAME, "a\\7F", 0, F},
    {WHOLE, "CN=a\\\\b", COMMON_NAME, "a\\b", 0, T},
    {WHOLE, "CN=a\\\\b", COMMON_NAME, "a\\\\b", 0, F},
    {WHOLE, "CN=ab", SUBJECT, "CN=#1E0400610062", 0, T}, // UTF-16
    {WHOLE, "CN=ab", SUBJECT, "CN=#1E0400610063", 0, F},
    {WHOLE, "street=a", SUBJECT, "street=a", 0, T},
    {WHOLE, "street=a", SUBJECT, "ST=a", 0, F},
    // the serial number
    {S, "00:8F:01", SERIAL, "008f01", 0, T},
    {S, "8f01", SERIAL, "008f01", 0, T},
    {S, "8f01", SERIAL, "018f01", 0, F},
    {S, "8f01", SERIAL, "008f0100", 0, F},
    {S, "00:8F:01", SERIAL, "008f02", 0, F},
};

static struct trust_snapshot with_rules(const struct trust_rule *rules, size_t count)
{
    struct err e = ERR_INIT;
    struct trust_snapshot s = {.rules = trust_rules_new(rules, count, &e)};
    if (s.rules == NULL) {
        fail_msg("%s", e.text);
    }
    return s;
}

static bool asks(const struct trust_rule *rules, size_t count, const struct trust_identity *who, const char *method,
                 const char *path)
{
    struct trust_verdict verdict;
    struct trust_snapshot s = with_rules(rules, count);
    bool allowed = trust_allows(&s, who, method, path, &verdict);
    bool connects = rules_can_allow(s.rules, who);
    assert_int_equal(verdict.reason, allowed ? REASON_ok : REASON_not_allowed);
    assert_int_equal(verdict.detail[0] == '\0', allowed);
    assert_true(connects || !allowed); // who may do this may come in
    trust_rules_free(s.rules);
    return allowed;
}

static void identities(void **state)
{
    size_t matching = 0;
    size_t others = 0;
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct row *r = &rows[i];
        const struct trust_match match = {.field = r->field, .attribute = r->attribute, .pattern = r->pattern};
        const struct trust_rule one = {.allow = true, .matches = &match, .match_count = 1};
        const struct trust_rule two[] = {{.allow = false, .matches = &match, .match_count = 1}, {.allow = true}};
        struct trust_identity *who = identity_with(r->place, r->value, r->len, 1);
        if (who == NULL) { // NUL in a subject
            assert_false(r->matches);
            continue;
        }
        bool allowed = asks(&one, 1, who, "GET", "/");
        bool let_through = asks(two, 2, who, "GET", "/");
        if (allowed != r->matches || let_through == r->matches) {
            fail_msg("row %zu: %s \"%s\" and \"%s\"", i, match_field_word(r->field), r->pattern, r->value);
        }
        trust_identity_free(who);
        matching += r->matches;
        others += !r->matches;
    }
    assert_true(matching > 30 && others > 70);
}

static void patterns_have_both(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        bool seen[2] = {false, false};
        for (size_t k = 0; k < sizeof rows / sizeof rows[0]; k++) {
            seen[rows[k].matches] |= rows[k].field == rows[i].field && strcmp(rows[k].pattern, rows[i].pattern) == 0;
        }
        if (!seen[0] || !seen[1]) {
            fail_msg("\"%s\" has no twin", rows[i].pattern);
        }
    }
}

// Digests and the issuer are the same for all that the fixture makes.
static void digests_and_issuer(void **state)
{
    struct trust_identity *who = identity_with(DNS, "a.example", 0, 1);
    struct trust_identity *other = identity_with(DNS, "b.example", 0, 1);
    struct buf colons = {0};
    struct buf octets = {0};
    (void)state;
    assert_true(text_unhex(who->fingerprint, &octets));
    text_hex(&colons, octets.data, octets.len, ':');
    for (size_t i = 0; i < colons.len; i++) {
        colons.data[i] = (uint8_t)(colons.data[i] >= 'a' ? colons.data[i] - 'a' + 'A' : colons.data[i]);
    }
    const struct {
        enum trust_match_field field;
        const char *pattern;
        bool who, other;
    } table[] = {
        {TRUST_MATCH_SHA256, who->fingerprint, true, false},
        {TRUST_MATCH_SHA256, (const char *)colons.data, true, false},
        {TRUST_MATCH_SHA256, other->fingerprint, false, true},
        {TRUST_MATCH_SHA256, who->key_pin, false, false},
        {TRUST_MATCH_KEY, who->key_pin, true, true}, // they share the key
        {TRUST_MATCH_KEY, who->fingerprint, false, false},
        {TRUST_MATCH_ISSUER, "CN=issuing,O=Example\\, Inc.", true, true},
        {TRUST_MATCH_ISSUER, "CN=issuing,O=Example\\, inc.", false, false},
        {TRUST_MATCH_ISSUER, "CN=client", false, false}, // which is the subject
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        const struct trust_match match = {.field = table[i].field, .pattern = table[i].pattern};
        const struct trust_rule rule = {.allow = true, .matches = &match, .match_count = 1};
        assert_int_equal(asks(&rule, 1, who, "GET", "/"), table[i].who);
        assert_int_equal(asks(&rule, 1, other, "GET", "/"), table[i].other);
    }
    buf_clear(&colons);
    buf_clear(&octets);
    trust_identity_free(who);
    trust_identity_free(other);
}

// All matches of a rule must hold, each by any of the names that it has.
static void several_matches(void **state)
{
    const struct trust_match matches[] = {{.field = TRUST_MATCH_SUBJECT, .attribute = "O", .pattern = "Example"},
                                          {.field = TRUST_MATCH_SUBJECT, .attribute = "OU", .pattern = "Ops"}};
    const struct trust_rule rule = {.allow = true, .matches = matches, .match_count = 2};
    static const struct {
        const char *subject;
        bool allowed;
    } table[] = {{"CN=a,OU=Ops,O=Example", true},
                 {"CN=a,OU=Dev,OU=Ops,O=Example", true},
                 {"CN=a,O=Example", false},
                 {"CN=a,OU=Ops", false},
                 {"CN=a,OU=Example,O=Ops", false}};
    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct trust_identity *who = identity_with(SUBJECT, table[i].subject, 0, 1);
        assert_int_equal(asks(&rule, 1, who, "GET", "/"), table[i].allowed);
        trust_identity_free(who);
    }
}

// --- patterns that are errors ---

#define BACKSLASH                                                                                                      \
    "a backslash stands before one of ,+\"\\<>;# or a space, or two hexadecimal digits of an octet that cannot be "    \
    "seen"

static const struct {
    enum trust_match_field field;
    const char *attribute, *pattern, *error;
} bad[] = {
    {D, "a.ops.example.", "dns \"a.ops.example.\": a host name does not end with a dot here"},
    {D, "", "dns \"\": a host name has 1 to 253 characters"},
    {D, "*", "dns \"*\": a label of a host name is letters, digits and inner hyphens"},
    {D, "*.", "dns \"*.\": a host name has 1 to 253 characters"},
    {D, "a.*.example", "dns \"a.*.example\": a label of a host name is letters, digits and inner hyphens"},
    {D,
     "b\xc3\xbc"
     "cher.example",
     "dns \"b\xc3\xbc"
     "cher.example\": a label of a host name is letters, digits and inner hyphens"},
    {D, "10.0.0.1", "dns \"10.0.0.1\": the last label of a host name is not a number"},
    {A, "10.0.0", "ip \"10.0.0\": it is no IP address"},
    {A, "10.0.0.0/33", "ip \"10.0.0.0/33\": behind the slash is a number of bits from 0 to 32"},
    {A, "10.0.0.0/", "ip \"10.0.0.0/\": behind the slash is a number of bits from 0 to 32"},
    {A, "10.0.0.0/-1", "ip \"10.0.0.0/-1\": behind the slash is a number of bits from 0 to 32"},
    {A, "10.1.2.3/8", "ip \"10.1.2.3/8\": bits of the address are set behind the first 8, which are to count"},
    {M, "ops.example", "email \"ops.example\": there is no @ between mailbox and host"},
    {M, "*@*.example", "email \"*@*.example\": a label of a host name is letters, digits and inner hyphens"},
    {U, "ops.example", "uri \"ops.example\": a URI is a scheme, a colon and what follows them"},
    {U, "https://ops.example/*", "uri \"https://ops.example/*\": a * has a meaning in spiffe:// only"},
    {U, "spiffe://*/x",
     "uri \"spiffe://*/x\": the trust domain of a SPIFFE ID is lower-case letters, digits, dots, hyphens, underscores"},
    {U, "spiffe://td/x/", "uri \"spiffe://td/x/\": a segment of a SPIFFE ID is empty or only dots"},
    {U, "spiffe://td/../x", "uri \"spiffe://td/../x\": a segment of a SPIFFE ID is empty or only dots"},
    {U, "spiffe://td/**/x",
     "uri \"spiffe://td/**/x\": a segment of a SPIFFE ID is letters, digits, dots, hyphens, "
     "underscores; or only *, or ** if it is the last"},
    {U, "spiffe://td/web-*",
     "uri \"spiffe://td/web-*\": a segment of a SPIFFE ID is letters, digits, dots, hyphens, "
     "underscores; or only *, or ** if it is the last"},
    {CN, "", "subject \"\": it is empty"},
    {CN, "a\\x41", "subject \"a\\x41\": a value is written as it is, without backslashes"},
    {CN,
     "ali\xe2\x80\x8b"
     "ce",
     "subject \"ali\xe2\x80\x8b"
     "ce\": it is not UTF-8, or has a character that cannot be seen"},
    {TRUST_MATCH_SUBJECT, "cn", "alice",
     "subject \"alice\": \"cn\" is no attribute: write CN, O, OU, ..., or a dotted identifier"},
    {WHOLE, "alice", "subject \"alice\": it is not written like CN=alice,O=Example"},
    {WHOLE, "CN=alice, O=Example",
     "subject \"CN=alice, O=Example\": \" O\" is no attribute: write CN, O, OU, ..., or a dotted identifier"},
    {WHOLE, "CN=alice,", "subject \"CN=alice,\": it is not written like CN=alice,O=Example"},
    {WHOLE, "2.5.4.3=alice", "subject \"2.5.4.3=alice\": \"2.5.4.3\" is written CN here"},
    {WHOLE, "CN=#0C0161", "subject \"CN=#0C0161\": a value in hexadecimal is not compared: name the attribute"},
    {WHOLE, "CN=a<b", "subject \"CN=a<b\": a backslash is due before '<'"},
    {WHOLE, "CN=a\\b", "subject \"CN=a\\b\": " BACKSLASH},
    {WHOLE, "CN=a\\", "subject \"CN=a\\\": " BACKSLASH},
    {WHOLE, "CN=\\x1B", "subject \"CN=\\x1B\": " BACKSLASH},
    {WHOLE, "CN=\\41lice", "subject \"CN=\\41lice\": " BACKSLASH},
    {WHOLE, "1.2.3.4=a",
     "subject \"1.2.3.4=a\": a value of 1.2.3.4 is shown in hexadecimal, which is not compared: name the attribute"},
    {WHOLE, "2.5.4.9=a", "subject \"2.5.4.9=a\": \"2.5.4.9\" is written street here"},
    {TRUST_MATCH_SUBJECT, "commonName", "alice",
     "subject \"alice\": \"commonName\" is no attribute: write CN, O, OU, ..., or a dotted identifier"},
    {WHOLE, "CN=abc...",
     "subject \"CN=abc...\": a value so long, or ending in ..., may be shown cut: name the "
     "attribute"},
    {S, "8f0", "serial \"8f0\": it is not hexadecimal, two digits an octet"},
    {S, "", "serial \"\": it is not hexadecimal, two digits an octet"},
    {TRUST_MATCH_SHA256, NULL, "ab:cd", "sha256 \"ab:cd\": it is not 64 hexadecimal digits"},
    {TRUST_MATCH_KEY, NULL, "sha256//x", "key \"sha256//x\": it is not 64 hexadecimal digits"},
};

static void bad_patterns(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct err e = ERR_INIT;
        const struct trust_match match = {
            .field = bad[i].field, .attribute = bad[i].attribute, .pattern = bad[i].pattern};
        const struct trust_rule rules[] = {{.allow = true}, {.allow = false, .matches = &match, .match_count = 1}};
        char *expected = mem_printf("rule 2: %s", bad[i].error);
        assert_null(trust_rules_new(rules, 2, &e));
        assert_string_equal(e.text, expected);
        free(expected);
    }
}

// A name that is too long to be shown whole, and another that begins like it.
static void cut_subjects(void **state)
{
    struct err e = ERR_INIT;
    char value[3001];
    (void)state;
    memset(value, 'a', sizeof value - 1);
    value[3000] = '\0';
    struct trust_identity *who = identity_with(COMMON_NAME, value, 0, 1);
    const struct trust_match whole = {.field = TRUST_MATCH_SUBJECT, .pattern = who->subject};
    const struct trust_rule rule = {.allow = true, .matches = &whole, .match_count = 1};
    assert_null(trust_rules_new(&rule, 1, &e));
    const struct trust_match one = {.field = TRUST_MATCH_SUBJECT, .attribute = "CN", .pattern = value};
    const struct trust_rule exact = {.allow = true, .matches = &one, .match_count = 1};
    assert_true(asks(&exact, 1, who, "GET", "/"));
    trust_identity_free(who);
    value[2999] = 'b';
    who = identity_with(COMMON_NAME, value, 0, 1);
    value[2999] = 'a';
    assert_false(asks(&exact, 1, who, "GET", "/"));
    trust_identity_free(who);
}

// More names than an identity holds: a rule that denies might not see the one that it is for.
static void too_many_names(void **state)
{
    struct trust_verdict verdict;
    const struct trust_rule any = {.allow = true};
    struct trust_snapshot s = with_rules(&any, 1);
    struct trust_identity *most = identity_with(DNS, "a.example", 0, 100);
    struct trust_identity *more = identity_with(DNS, "a.example", 0, 101);
    (void)state;
    assert_true(most->complete && rules_can_allow(s.rules, most));
    assert_true(trust_allows(&s, most, "GET", "/", &verdict));
    assert_false(more->complete || rules_can_allow(s.rules, more));
    assert_false(trust_allows(&s, more, "GET", "/", &verdict));
    assert_string_equal(verdict.detail, "CN=client has more names than rules are held against");
    trust_identity_free(most);
    trust_identity_free(more);
    trust_rules_free(s.rules);
}

static int setup(void **state)
{
    (void)state;
    rules_template_make();
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    buf_clear(&rules_template);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(identities),      cmocka_unit_test(patterns_have_both), cmocka_unit_test(digests_and_issuer),
        cmocka_unit_test(several_matches), cmocka_unit_test(bad_patterns),       cmocka_unit_test(cut_subjects),
        cmocka_unit_test(too_many_names),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
