// SPDX-License-Identifier: Apache-2.0
// ca/name_syntax.c through general_name_check: what may stand in a subjectAltName or a name constraint, and why not.
#include "ca/name.h"
#include "name_fixture.h"

#define L60 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define HOST_253 L60 "." L60 "." L60 "." L60 ".example.c"

struct name_case {
    enum general_name_type type;
    const char *value;
    const char *error; // NULL: none
};

static void check(const struct name_case *cases, size_t count, int (*call)(const struct general_name *, struct err *))
{
    for (size_t i = 0; i < count; i++) {
        struct general_name name = {.type = cases[i].type, .value = mem_strdup(cases[i].value)};
        struct err e = ERR_INIT;
        int rc = call(&name, &e);
        if ((rc == 0) != (cases[i].error == NULL)) {
            fail_msg("%s: %s", cases[i].value, rc == 0 ? "accepted" : e.text);
        }
        assert_string_equal(e.text, cases[i].error == NULL ? "" : cases[i].error);
        free(name.value);
    }
}

#define CHECK(cases, call) check(cases, sizeof cases / sizeof cases[0], call)

static void test_dns(void **state)
{
    (void)state;
    static const char number[] = "dns \"1.2.3\": the last label of a host name cannot be a number";
    static const struct name_case cases[] = {
        {GENERAL_NAME_DNS, "localhost", NULL},
        {GENERAL_NAME_DNS, "www.Example.com", NULL},
        {GENERAL_NAME_DNS, "*.example.com", NULL},
        {GENERAL_NAME_DNS, "xn--bcher-kva.example", NULL},
        {GENERAL_NAME_DNS, "1.2.3.example", NULL},
        {GENERAL_NAME_DNS, "r3---sn.example", NULL},
        {GENERAL_NAME_DNS, L60 "aaa.example", NULL},
        {GENERAL_NAME_DNS, HOST_253, NULL},
        {GENERAL_NAME_DNS, HOST_253 "m",
         "dns \"" HOST_253 "...\": 254 characters are too many for a host name (at most 253)"},
        {GENERAL_NAME_DNS, L60 "aaaa.example",
         "dns \"" L60 "aaaa.example\": label \"" L60 "aaaa\" has 64 characters (at most 63)"},
        {GENERAL_NAME_DNS, "", "dns \"\": an empty value is no name"},
        {GENERAL_NAME_DNS, "a..b",
         "dns \"a..b\": a label is empty: labels are joined by single dots, with none at the ends"},
        {GENERAL_NAME_DNS, "a.",
         "dns \"a.\": a label is empty: labels are joined by single dots, with none at the ends"},
        {GENERAL_NAME_DNS, ".a",
         "dns \".a\": a label is empty: labels are joined by single dots, with none at the ends"},
        {GENERAL_NAME_DNS, "a_b.c", "dns \"a_b.c\": label \"a_b\" must be letters, digits and inner hyphens"},
        {GENERAL_NAME_DNS, "-a.c", "dns \"-a.c\": label \"-a\" must be letters, digits and inner hyphens"},
        {GENERAL_NAME_DNS, "a-.c", "dns \"a-.c\": label \"a-\" must be letters, digits and inner hyphens"},
        {GENERAL_NAME_DNS, "a:8443", "dns \"a:8443\": label \"a:8443\" must be letters, digits and inner hyphens"},
        {GENERAL_NAME_DNS,
         "b\xc3\xbc"
         "cher.example",
         "dns \"b\xc3\xbc"
         "cher.example\": not ASCII: give the A-labels of a host name (xn--..., RFC 5891)"},
        {GENERAL_NAME_DNS, "a b",
         "dns \"a b\": a space or control character is in it: give the A-labels of a host name (xn--..., RFC 5891)"},
        {GENERAL_NAME_DNS, "127.0.0.1", "dns \"127.0.0.1\": an IP address: give it as ip"},
        {GENERAL_NAME_DNS, "::1", "dns \"::1\": an IP address: give it as ip"},
        {GENERAL_NAME_DNS, "1.2.3", number},
        {GENERAL_NAME_DNS, "*",
         "dns \"*\": a wildcard must be the whole of the first label, before others: *.example.com"},
        {GENERAL_NAME_DNS, "w*.a.b",
         "dns \"w*.a.b\": a wildcard must be the whole of the first label, before others: *.example.com"},
        {GENERAL_NAME_DNS, "a.*.b",
         "dns \"a.*.b\": a wildcard must be the whole of the first label, before others: *.example.com"},
        {GENERAL_NAME_DNS, "*.*.b",
         "dns \"*.*.b\": a wildcard must be the whole of the first label, before others: *.example.com"},
        {GENERAL_NAME_DNS, "*.",
         "dns \"*.\": a label is empty: labels are joined by single dots, with none at the ends"},
    };
    CHECK(cases, general_name_check);
}

static void test_ip(void **state)
{
    (void)state;
    static const struct name_case cases[] = {
        {GENERAL_NAME_IP, "127.0.0.1", NULL},
        {GENERAL_NAME_IP, "::1", NULL},
        {GENERAL_NAME_IP, "2001:DB8::1", NULL},
        {GENERAL_NAME_IP, "127.1", "ip \"127.1\": an IPv4 or IPv6 address is due, such as 127.0.0.1 or ::1"},
        {GENERAL_NAME_IP, "256.0.0.1", "ip \"256.0.0.1\": an IPv4 or IPv6 address is due, such as 127.0.0.1 or ::1"},
        {GENERAL_NAME_IP, "fe80::1%eth0",
         "ip \"fe80::1%eth0\": an IPv4 or IPv6 address is due, such as 127.0.0.1 or ::1"},
        {GENERAL_NAME_IP, "localhost", "ip \"localhost\": an IPv4 or IPv6 address is due, such as 127.0.0.1 or ::1"},
        {GENERAL_NAME_IP, "10.0.0.0/8",
         "ip \"10.0.0.0/8\": one address is due: only a name constraint has a prefix length"},
    };
    CHECK(cases, general_name_check);
}

static void test_email(void **state)
{
    (void)state;
#define DOT_ATOM "before the @ letters, digits, !#$%&'*+-/=?^_`{|}~ and single inner dots are due"
    static const struct name_case cases[] = {
        {GENERAL_NAME_EMAIL, "alice@example.com", NULL},
        {GENERAL_NAME_EMAIL, "a.b+c'd@localhost", NULL},
        {GENERAL_NAME_EMAIL, L60 "aaaa@a", NULL},
        {GENERAL_NAME_EMAIL, L60 "aaaaa@a",
         "email \"" L60 "aaaaa@a\": 65 characters before the @ are too many (at most 64)"},
        {GENERAL_NAME_EMAIL, "alice", "email \"alice\": one @ is due, between mailbox and host: alice@example.com"},
        {GENERAL_NAME_EMAIL, "a@b@c", "email \"a@b@c\": one @ is due, between mailbox and host: alice@example.com"},
        {GENERAL_NAME_EMAIL, "@b", "email \"@b\": " DOT_ATOM},
        {GENERAL_NAME_EMAIL, ".a@b", "email \".a@b\": " DOT_ATOM},
        {GENERAL_NAME_EMAIL, "a.@b", "email \"a.@b\": " DOT_ATOM},
        {GENERAL_NAME_EMAIL, "a..c@b", "email \"a..c@b\": " DOT_ATOM},
        {GENERAL_NAME_EMAIL, "\"a\"@b", "email \"\"a\"@b\": " DOT_ATOM},
        {GENERAL_NAME_EMAIL, "Alice<a@b", "email \"Alice<a@b\": " DOT_ATOM},
        {GENERAL_NAME_EMAIL, "a@",
         "email \"a@\": a label is empty: labels are joined by single dots, with none at the ends"},
        {GENERAL_NAME_EMAIL, "a@*.b", "email \"a@*.b\": label \"*\" must be letters, digits and inner hyphens"},
        {GENERAL_NAME_EMAIL, "a@10.0.0.1", "email \"a@10.0.0.1\": the last label of a host name cannot be a number"},
        {GENERAL_NAME_EMAIL, "\xc3\xa4@b",
         "email \"\xc3\xa4@b\": not ASCII: an rfc822Name is ASCII, its host given as A-labels (xn--..., RFC 5891)"},
    };
    CHECK(cases, general_name_check);
}

static void test_uri(void **state)
{
    (void)state;
    static const struct name_case cases[] = {
        {GENERAL_NAME_URI, "https://example.com/a?b=c#d", NULL},
        {GENERAL_NAME_URI, "https://user@example.com:8443/%7Ea", NULL},
        {GENERAL_NAME_URI, "https://[::1]:8443", NULL},
        {GENERAL_NAME_URI, "https://127.0.0.1/", NULL},
        {GENERAL_NAME_URI, "urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6", NULL},
        {GENERAL_NAME_URI, "sip:alice@example.com", NULL},
        {GENERAL_NAME_URI, "example.com/a",
         "uri \"example.com/a\": a URI starts with a scheme, such as https: or urn:"},
        {GENERAL_NAME_URI, "1a:b", "uri \"1a:b\": a URI starts with a scheme, such as https: or urn:"},
        {GENERAL_NAME_URI, ":b", "uri \":b\": a URI starts with a scheme, such as https: or urn:"},
        {GENERAL_NAME_URI, "urn:", "uri \"urn:\": nothing follows the scheme"},
        {GENERAL_NAME_URI, "urn:a\"b", "uri \"urn:a\"b\": \" must be written %22"},
        {GENERAL_NAME_URI, "urn:a%2", "uri \"urn:a%2\": two hex digits must follow a %"},
        {GENERAL_NAME_URI, "urn:a#b#c", "uri \"urn:a#b#c\": only one # may be in it"},
        {GENERAL_NAME_URI, "urn:a b",
         "uri \"urn:a b\": a space or control character is in it: what is no character of a URI is written as %XX (RFC "
         "3987 section 3.1)"},
        {GENERAL_NAME_URI, "https://b\xc3\xbc",
         "uri \"https://b\xc3\xbc\": not ASCII: what is no character of a URI is written as %XX (RFC 3987 section "
         "3.1)"},
        {GENERAL_NAME_URI, "file:///etc",
         "uri \"file:///etc\": a label is empty: labels are joined by single dots, with none at the ends"},
        {GENERAL_NAME_URI, "https://a_b/",
         "uri \"https://a_b/\": label \"a_b\" must be letters, digits and inner hyphens"},
        {GENERAL_NAME_URI, "https://a:b", "uri \"https://a:b\": port \"b\" must be a number up to 65535"},
        {GENERAL_NAME_URI, "https://a:65536", "uri \"https://a:65536\": port \"65536\" must be a number up to 65535"},
        {GENERAL_NAME_URI, "https://a:65535", NULL},
        {GENERAL_NAME_URI, "https://[::1", "uri \"https://[::1\": an IPv6 address is due between [ and ]"},
        {GENERAL_NAME_URI, "https://[127.0.0.1]",
         "uri \"https://[127.0.0.1]\": an IPv6 address is due between [ and ]"},
        {GENERAL_NAME_URI, "https://[::1]a", "uri \"https://[::1]a\": only a port may follow the host"},
    };
    CHECK(cases, general_name_check);
}

static void test_spiffe(void **state)
{
    (void)state;
#define DOMAIN_RULE "the trust domain of a SPIFFE ID must be 1 to 255 of a-z 0-9 . - _ (no user, no port)"
#define SEGMENT_RULE "a segment in the path of a SPIFFE ID is empty, . or .. (and no / may end it)"
#define PATH_RULE "the path of a SPIFFE ID must be of A-Z a-z 0-9 . - _ and / (no query, fragment or %)"
    static const struct name_case cases[] = {
        {GENERAL_NAME_URI, "spiffe://example.org", NULL},
        {GENERAL_NAME_URI, "spiffe://my_td-1.example/ns/Prod/sa/a_b.c/...", NULL},
        {GENERAL_NAME_URI, "spiffe://10.0.0.1/a", NULL},
        {GENERAL_NAME_URI, "spiffe:a", "uri \"spiffe:a\": a SPIFFE ID starts with spiffe:// in lower case"},
        {GENERAL_NAME_URI, "SPIFFE://a/b", "uri \"SPIFFE://a/b\": a SPIFFE ID starts with spiffe:// in lower case"},
        {GENERAL_NAME_URI, "spiffe:///a", "uri \"spiffe:///a\": " DOMAIN_RULE},
        {GENERAL_NAME_URI, "spiffe://Example.org/a", "uri \"spiffe://Example.org/a\": " DOMAIN_RULE},
        {GENERAL_NAME_URI, "spiffe://a:1/b", "uri \"spiffe://a:1/b\": " DOMAIN_RULE},
        {GENERAL_NAME_URI, "spiffe://u@a/b", "uri \"spiffe://u@a/b\": " DOMAIN_RULE},
        {GENERAL_NAME_URI, "spiffe://a?b", "uri \"spiffe://a?b\": " DOMAIN_RULE},
        {GENERAL_NAME_URI, "spiffe://a/", "uri \"spiffe://a/\": " SEGMENT_RULE},
        {GENERAL_NAME_URI, "spiffe://a/b/", "uri \"spiffe://a/b/\": " SEGMENT_RULE},
        {GENERAL_NAME_URI, "spiffe://a//b", "uri \"spiffe://a//b\": " SEGMENT_RULE},
        {GENERAL_NAME_URI, "spiffe://a/./b", "uri \"spiffe://a/./b\": " SEGMENT_RULE},
        {GENERAL_NAME_URI, "spiffe://a/b/..", "uri \"spiffe://a/b/..\": " SEGMENT_RULE},
        {GENERAL_NAME_URI, "spiffe://a/b?c", "uri \"spiffe://a/b?c\": " PATH_RULE},
        {GENERAL_NAME_URI, "spiffe://a/b#c", "uri \"spiffe://a/b#c\": " PATH_RULE},
        {GENERAL_NAME_URI, "spiffe://a/%41", "uri \"spiffe://a/%41\": " PATH_RULE},
    };
    CHECK(cases, general_name_check);
}

// The two lengths that the SPIFFE ID standard names: so long, and one more.
static void test_spiffe_lengths(void **state)
{
    (void)state;
    for (size_t more = 0; more < 2; more++) {
        struct buf domain = {0};
        struct buf id = {0};
        struct err e = ERR_INIT;
        buf_text(&domain, "spiffe://");
        while (domain.len < strlen("spiffe://") + 255 + more) {
            buf_text(&domain, "a");
        }
        buf_text(&id, "spiffe://a/");
        while (id.len < 2048 + more) {
            buf_text(&id, "a");
        }
        struct general_name names[] = {{GENERAL_NAME_URI, (char *)domain.data}, {GENERAL_NAME_URI, (char *)id.data}};
        assert_int_equal(general_name_check(&names[0], &e), more == 0 ? 0 : -1);
        assert_true(more == 0 || text_ends(e.text, DOMAIN_RULE));
        err_clear(&e);
        assert_int_equal(general_name_check(&names[1], &e), more == 0 ? 0 : -1);
        assert_true(more == 0 || text_ends(e.text, ": 2049 characters are too many for a SPIFFE ID (at most 2048)"));
        buf_clear(&domain);
        buf_clear(&id);
    }
}

static void test_constraints(void **state)
{
    (void)state;
#define NO_WILDCARD "a constraint has no wildcard: .example.com is all names below example.com"
#define NO_IP "an IP address: constrain addresses with ip and a prefix such as 10.0.0.0/8"
    static const struct name_case cases[] = {
        {GENERAL_NAME_DNS, "example.com", NULL},
        {GENERAL_NAME_DNS, ".example.com", NULL},
        {GENERAL_NAME_DNS, "*.example.com", "dns \"*.example.com\": " NO_WILDCARD},
        {GENERAL_NAME_DNS, "10.0.0.1", "dns \"10.0.0.1\": " NO_IP},
        {GENERAL_NAME_DNS, ".", "dns \".\": a label is empty: labels are joined by single dots, with none at the ends"},
        {GENERAL_NAME_DNS, "..a",
         "dns \"..a\": a label is empty: labels are joined by single dots, with none at the ends"},
        {GENERAL_NAME_IP, "10.0.0.0/8", NULL},
        {GENERAL_NAME_IP, "0.0.0.0/0", NULL},
        {GENERAL_NAME_IP, "10.0.0.1/32", NULL},
        {GENERAL_NAME_IP, "2001:db8::/32", NULL},
        {GENERAL_NAME_IP, "::1/128", NULL},
        {GENERAL_NAME_IP, "10.0.0.1",
         "ip \"10.0.0.1\": a constraint has a prefix length: 10.0.0.1/32 is this address alone"},
        {GENERAL_NAME_IP, "::1", "ip \"::1\": a constraint has a prefix length: ::1/128 is this address alone"},
        {GENERAL_NAME_IP, "10.0.0.0/33", "ip \"10.0.0.0/33\": a prefix length from 0 to 32 is due after the /"},
        {GENERAL_NAME_IP, "::/129", "ip \"::/129\": a prefix length from 0 to 128 is due after the /"},
        {GENERAL_NAME_IP, "10.0.0.0/", "ip \"10.0.0.0/\": a prefix length from 0 to 32 is due after the /"},
        {GENERAL_NAME_IP, "10.0.0.0/-1", "ip \"10.0.0.0/-1\": a prefix length from 0 to 32 is due after the /"},
        {GENERAL_NAME_IP, "10.0.0.0/255.0.0.0",
         "ip \"10.0.0.0/255.0.0.0\": a prefix length from 0 to 32 is due after the /"},
        {GENERAL_NAME_IP, "10.1.0.0/15",
         "ip \"10.1.0.0/15\": bits of the address are set beyond its prefix of 15 bits"},
        {GENERAL_NAME_EMAIL, "a@example.com", NULL},
        {GENERAL_NAME_EMAIL, "example.com", NULL},
        {GENERAL_NAME_EMAIL, ".example.com", NULL},
        {GENERAL_NAME_EMAIL, "a@.example.com",
         "email \"a@.example.com\": a label is empty: labels are joined by single dots, with none at the ends"},
        {GENERAL_NAME_URI, "example.com", NULL},
        {GENERAL_NAME_URI, ".example.com", NULL},
        {GENERAL_NAME_URI, "https://a",
         "uri \"https://a\": label \"https://a\" must be letters, digits and inner hyphens"},
        {GENERAL_NAME_URI, "10.0.0.1", "uri \"10.0.0.1\": " NO_IP},
        {GENERAL_NAME_DIRECTORY, "O=Acme,C=DE", NULL},
        {GENERAL_NAME_DIRECTORY, "Acme",
         "dirname \"Acme\": TYPE=VALUE is due, such as CN=alice,O=Acme, where \"Acme\" stands (a comma in a value is "
         "written \\,)"},
        {GENERAL_NAME_DIRECTORY, "", "dirname \"\": an empty value is no name"},
    };
    CHECK(cases, general_name_check_constraint);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_dns),         cmocka_unit_test(test_ip),     cmocka_unit_test(test_email),
        cmocka_unit_test(test_uri),         cmocka_unit_test(test_spiffe), cmocka_unit_test(test_spiffe_lengths),
        cmocka_unit_test(test_constraints),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
