// SPDX-License-Identifier: Apache-2.0
// Name constraints, with OpenSSL's verifier as the second judge where it can be asked.
#include "tests/temporary.h"
#include "trust/constraint.h"
#include "trust/name.h"
#include "trust_names.h"

#include <stdio.h>
#include <unistd.h>

static const struct {
    const char *base;
    const char *error; // NULL: good
} syntax[] = {
    {"DNS:example.com", NULL},
    {"DNS:com", NULL},
    {"DNS:", NULL},
    {"DNS:.example.com", "dNSName \".example.com\": a constraint on DNS names has no leading dot"},
    {"DNS:*.example.com", "dNSName \"*.example.com\": a label of a host name is letters, digits and inner hyphens"},
    {"DNS:example.com.", "dNSName \"example.com.\": a host name does not end with a dot here"},
    {"DNS:10.0.0.1", "dNSName \"10.0.0.1\": the last label of a host name is not a number"},
    {"email:alice@example.com", NULL},
    {"email:example.com", NULL},
    {"email:.example.com", NULL},
    {"email:", "rfc822Name \"\": a host name has 1 to 253 characters"},
    {"email:.", "rfc822Name \".\": a host name has 1 to 253 characters"},
    {"email:@example.com", "rfc822Name \"@example.com\": what is before the @ is no mailbox"},
    {"email:alice@.example.com", "rfc822Name \"alice@.example.com\": a label of a host name has 1 to 63 characters"},
    {"email:*@example.com.", "rfc822Name \"*@example.com.\": a host name does not end with a dot here"},
    {"URI:example.com", NULL},
    {"URI:.example.com", NULL},
    {"URI:", "uniformResourceIdentifier \"\": a host name has 1 to 253 characters"},
    {"URI:https://example.com",
     "uniformResourceIdentifier \"https://example.com\": a label of a host name is letters, digits and inner hyphens"},
    {"URI:10.0.0.1", "uniformResourceIdentifier \"10.0.0.1\": the last label of a host name is not a number"},
    {"IP:10.0.0.0/255.0.0.0", NULL},
    {"IP:10.1.2.3/255.0.0.0", NULL}, // the rest of the address does not matter
    {"IP:0.0.0.0/0.0.0.0", NULL},
    {"IP:10.0.0.1/255.255.255.255", NULL},
    {"IP:2001:db8::/ffff:ffff::", NULL},
    {"IP:10.0.0.0/255.0.255.0", "iPAddress \"#0a000000ff00ff00\": the bits of the mask are not contiguous"},
    {"IP:10.0.0.0/0.0.0.1", "iPAddress \"#0a00000000000001\": the bits of the mask are not contiguous"},
    {"IP:2001:db8::/ffff::1", "iPAddress \"#20010db8000000000000000000000000ffff0000000000000000000000000001\": the "
                              "bits of the mask are not contiguous"},
    {"IP:10.0.0.1", "iPAddress \"10.0.0.1\": an address and its mask have 8 or 32 octets"},
    {"hex:8709 0a000000ff00000000", "iPAddress \"#0a000000ff00000000\": an address and its mask have 8 or 32 octets"},
    {"dir:O=Example", NULL},
    {"dir:", NULL},
    {"hex:a4043002 3100", "directoryName \"#30023100\": name: an RDN is empty"},
    {"hex:a007 06012a a0020500", NULL},
    {"hex:a003 06012a",
     "otherName \"#06012a\": value: DER: an element is cut short or has a tag of more than one octet"},
    {"hex:8803 2a0304", NULL},
    {"hex:8800", "registeredID \"#\": it is no object identifier"},
    {"hex:8901 61", "DER tag 0x89 is no form of a name"},
    {"hex:8201 61 800100", "a subtree has a minimum or a maximum"}, // minimum 0, written out
    {"hex:8201 61 800101", "a subtree has a minimum or a maximum"},
    {"hex:8201 61 810105", "a subtree has a minimum or a maximum"},
};

static void syntax_is_checked(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof syntax / sizeof syntax[0]; i++) {
        struct err e = ERR_INIT;
        struct buf bad = {0}, subtrees = {0};
        general_names_from(&subtrees, "DNS:good.example", true);
        general_name_add(&bad, syntax[i].base);
        der_wrap(&subtrees, 0x30, buf_span(&bad));
        int rc = constraint_syntax(buf_span(&subtrees), &e);
        if (syntax[i].error == NULL ? rc != 0 : rc != -1 || strcmp(e.text, syntax[i].error) != 0) {
            fail_msg("%s: %s", syntax[i].base, e.text);
        }
        buf_clear(&bad);
        buf_clear(&subtrees);
    }
    struct err e = ERR_INIT;
    assert_fails(constraint_syntax(span_of("", 0), &e), &e, "there is no subtree in it");
    assert_fails(constraint_syntax(span_of("\x31\x00", 2), &e), &e, "subtree: DER tag 0x31 where 0x30 is due");
}

// A certificate as far as constraints look at it.
struct made {
    struct certificate c;
    struct buf subject, names, permitted, excluded;
};

static void made_init(struct made *m, const char *subject, const char *names, const char *permitted,
                      const char *excluded)
{
    struct err e = ERR_INIT;
    *m = (struct made){0};
    name_add(&m->subject, subject);
    general_names_from(&m->names, names, false);
    general_names_from(&m->permitted, permitted, true);
    general_names_from(&m->excluded, excluded, true);
    m->c.subject = buf_span(&m->subject);
    assert_works(name_canonical(m->c.subject, &m->c.subject_key, &e), &e);
    m->c.names = buf_span(&m->names);
    m->c.permitted = buf_span(&m->permitted);
    m->c.excluded = buf_span(&m->excluded);
    m->c.has_name_constraints = m->permitted.len > 0 || m->excluded.len > 0;
}

static void made_clear(struct made *m)
{
    buf_clear(&m->subject);
    buf_clear(&m->names);
    buf_clear(&m->permitted);
    buf_clear(&m->excluded);
    buf_clear(&m->c.subject_key);
}

enum openssl {
    SAME,     // OpenSSL must say the same
    LENIENT,  // OpenSSL accepts what is refused here
    STRICTER, // and the reverse
    UNASKED,  // its command line cannot make this certificate
};

#define NOT_PERMITTED(what, name) what " \"" name "\" is in no permitted subtree"
#define EXCLUDED(what, name) what " \"" name "\" is in an excluded subtree"
#define PERHAPS(what, name) what " \"" name "\" may be in an excluded subtree"
#define URI_WORD "uniformResourceIdentifier"

static const struct {
    const char *permitted, *excluded, *subject, *names;
    const char *why; // NULL: within
    enum openssl openssl;
} checks[] = {
    // DNS
    {"DNS:example.com", "", "O=x", "DNS:example.com", NULL, SAME},
    {"DNS:example.com", "", "O=x", "DNS:a.b.EXAMPLE.com", NULL, SAME},
    {"DNS:example.com", "", "O=x", "DNS:badexample.com", NOT_PERMITTED("dNSName", "badexample.com"), SAME},
    {"DNS:example.com", "", "O=x", "DNS:com", NOT_PERMITTED("dNSName", "com"), SAME},
    {"DNS:example.com", "", "O=x", "DNS:example.com.evil.example", NOT_PERMITTED("dNSName", "example.com.evil.example"),
     SAME},
    {"DNS:example.com DNS:example.org", "", "O=x", "DNS:a.example.org DNS:b.example.com", NULL, SAME},
    {"DNS:example.com", "", "O=x", "DNS:a.example.com DNS:b.example.org", NOT_PERMITTED("dNSName", "b.example.org"),
     SAME},
    {"DNS:example.com", "", "O=x", "IP:10.0.0.1 email:a@b.example", NULL, SAME}, // other forms are free
    {"", "DNS:example.com", "O=x", "DNS:example.org", NULL, SAME},
    {"", "DNS:example.com", "O=x", "DNS:example.com", EXCLUDED("dNSName", "example.com"), SAME},
    {"", "DNS:example.com", "O=x", "DNS:a.Example.com", EXCLUDED("dNSName", "a.Example.com"), SAME},
    {"", "DNS:a.example.com", "O=x", "DNS:example.com DNS:b.example.com", NULL, SAME},
    {"DNS:example.com", "DNS:a.example.com", "O=x", "DNS:b.a.example.com", EXCLUDED("dNSName", "b.a.example.com"),
     SAME},
    {"DNS:example.com", "DNS:a.example.com", "O=x", "DNS:b.example.com", NULL, SAME},
    {"DNS:", "", "O=x", "DNS:example.com", NULL, UNASKED},
    {"", "DNS:", "O=x", "DNS:example.com", EXCLUDED("dNSName", "example.com"), UNASKED},
    {"", "DNS:", "O=x", "IP:10.0.0.1", NULL, UNASKED},
    // a wildcard stands for many names
    {"DNS:example.com", "", "O=x", "DNS:*.example.com", NULL, SAME},
    {"DNS:example.com", "", "O=x", "DNS:*.a.example.com", NULL, SAME},
    {"DNS:a.example.com", "", "O=x", "DNS:*.example.com", NOT_PERMITTED("dNSName", "*.example.com"), SAME},
    {"", "DNS:a.example.com", "O=x", "DNS:*.example.com", PERHAPS("dNSName", "*.example.com"), LENIENT},
    {"", "DNS:b.a.example.com", "O=x", "DNS:*.example.com", NULL, SAME},
    {"", "DNS:example.com", "O=x", "DNS:*.example.com", EXCLUDED("dNSName", "*.example.com"), SAME},
    {"", "DNS:a.example.org", "O=x", "DNS:*.example.com", NULL, SAME},
    // IP
    {"IP:10.0.0.0/255.0.0.0", "", "O=x", "IP:10.1.2.3", NULL, SAME},
    {"IP:10.0.0.0/255.0.0.0", "", "O=x", "IP:11.1.2.3", NOT_PERMITTED("iPAddress", "11.1.2.3"), SAME},
    {"IP:10.1.2.3/255.0.0.0", "", "O=x", "IP:10.9.9.9", NULL, SAME},
    {"IP:10.0.0.0/255.0.0.0", "", "O=x", "IP:::1", NOT_PERMITTED("iPAddress", "::1"), SAME},
    {"IP:2001:db8::/ffff:ffff::", "", "O=x", "IP:2001:db8:1::1", NULL, SAME},
    {"IP:2001:db8::/ffff:ffff::", "", "O=x", "IP:2001:db9::1", NOT_PERMITTED("iPAddress", "2001:db9::1"), SAME},
    {"", "IP:10.0.0.0/255.255.255.128", "O=x", "IP:10.0.0.127", EXCLUDED("iPAddress", "10.0.0.127"), SAME},
    {"", "IP:10.0.0.0/255.255.255.128", "O=x", "IP:10.0.0.128", NULL, SAME},
    {"", "IP:0.0.0.0/0.0.0.0", "O=x", "IP:192.0.2.1", EXCLUDED("iPAddress", "192.0.2.1"), SAME},
    {"", "IP:0.0.0.0/0.0.0.0", "O=x", "IP:::1", NULL, SAME},
    {"IP:10.0.0.0/255.0.0.0", "IP:10.0.0.0/255.255.0.0", "O=x", "IP:10.0.0.1", EXCLUDED("iPAddress", "10.0.0.1"), SAME},
    // e-mail
    {"email:alice@example.com", "", "O=x", "email:alice@EXAMPLE.com", NULL, SAME},
    {"email:alice@example.com", "", "O=x", "email:Alice@example.com", NOT_PERMITTED("rfc822Name", "Alice@example.com"),
     SAME},
    {"email:alice@example.com", "", "O=x", "email:bob@example.com", NOT_PERMITTED("rfc822Name", "bob@example.com"),
     SAME},
    {"email:example.com", "", "O=x", "email:bob@Example.com", NULL, SAME},
    {"email:example.com", "", "O=x", "email:bob@a.example.com", NOT_PERMITTED("rfc822Name", "bob@a.example.com"), SAME},
    {"email:.example.com", "", "O=x", "email:bob@a.example.com", NULL, SAME},
    {"email:.example.com", "", "O=x", "email:bob@example.com", NOT_PERMITTED("rfc822Name", "bob@example.com"), SAME},
    {"email:.example.com", "", "O=x", "email:bob@badexample.com", NOT_PERMITTED("rfc822Name", "bob@badexample.com"),
     SAME},
    {"", "email:example.com", "O=x", "email:bob@example.com", EXCLUDED("rfc822Name", "bob@example.com"), SAME},
    {"", "email:example.com", "O=x", "email:bob@a.example.com", NULL, SAME},
    {"", "email:alice@example.com", "O=x", "email:\"alice\"@example.com",
     PERHAPS("rfc822Name", "\"alice\"@example.com"), UNASKED},
    {"", "email:alice@example.com", "O=x", "email:\"alice\"@example.org", NULL, UNASKED},
    {"email:example.com", "", "O=x", "email:\"a@b\"@example.com", NULL, UNASKED},
    // the subject's e-mail, where no rfc822Name stands for it
    {"email:example.com", "", "O=x,E=a@example.com", "", NULL, SAME},
    {"email:example.com", "", "O=x,E=a@example.org", "", NOT_PERMITTED("emailAddress", "a@example.org"), SAME},
    {"email:example.com", "", "O=x,E=a@example.org", "DNS:a.example", NOT_PERMITTED("emailAddress", "a@example.org"),
     SAME},
    {"email:example.com", "", "O=x,E=a@example.org", "email:a@example.com", NULL, STRICTER},
    {"", "email:example.com", "O=x,E=a@example.com", "", EXCLUDED("emailAddress", "a@example.com"), SAME},
    {"", "email:example.com", "O=x,E=nonsense", "", PERHAPS("emailAddress", "nonsense"), UNASKED},
    {"DNS:example.com", "", "O=x,E=nonsense", "", NULL, SAME},
    // URI
    {"URI:example.com", "", "O=x", "URI:https://u@Example.com:8443/x?y#z", NULL, STRICTER},
    {"URI:example.com", "", "O=x", "URI:https://a.example.com/", NOT_PERMITTED(URI_WORD, "https://a.example.com/"),
     SAME},
    {"URI:.example.com", "", "O=x", "URI:https://a.example.com", NULL, SAME},
    {"URI:.example.com", "", "O=x", "URI:https://example.com", NOT_PERMITTED(URI_WORD, "https://example.com"), SAME},
    {"", "URI:example.com", "O=x", "URI:ftp://example.com:21/", EXCLUDED(URI_WORD, "ftp://example.com:21/"), SAME},
    {"", "URI:example.com", "O=x", "URI:ftp://a.example.com:21/", NULL, SAME},
    {"", "URI:example.com", "O=x", "URI:ftp://a.example/example.com", NULL, SAME},
    {"URI:example.com", "", "O=x", "URI:urn:example.com", NOT_PERMITTED(URI_WORD, "urn:example.com"), SAME},
    {"", "URI:example.com", "O=x", "URI:urn:x", PERHAPS(URI_WORD, "urn:x"), SAME},
    {"URI:example.com", "", "O=x", "URI:https://10.0.0.1/", NOT_PERMITTED(URI_WORD, "https://10.0.0.1/"), SAME},
    {"", "URI:example.com", "O=x", "URI:https://10.0.0.1/", PERHAPS(URI_WORD, "https://10.0.0.1/"), LENIENT},
    {"", "URI:example.com", "O=x", "URI:https://[::1]/", PERHAPS(URI_WORD, "https://[::1]/"), LENIENT},
    {"", "URI:example.com", "O=x", "URI:spiffe://a_b/c", PERHAPS(URI_WORD, "spiffe://a_b/c"), LENIENT},
    {"DNS:example.com", "", "O=x", "URI:urn:x", NULL, SAME},
    // directory names
    {"dir:O=Good", "", "O=good,CN=a", "", NULL, UNASKED},
    {"dir:O=Good", "", "O=Good", "", NULL, UNASKED},
    {"dir:O=Good", "", "O=Bad,CN=a", "", NOT_PERMITTED("subject", "CN=a,O=Bad"), UNASKED},
    {"dir:O=Good", "", "CN=a,O=Good", "", NOT_PERMITTED("subject", "O=Good,CN=a"), UNASKED},
    {"dir:O=Good,OU=x", "", "O=Good", "", NOT_PERMITTED("subject", "O=Good"), UNASKED},
    {"dir:O=Good", "", "", "DNS:a.example", NULL, UNASKED}, // there is no subject
    {"dir:O=Good", "", "O=Good", "dir:O=Good,CN=b", NULL, UNASKED},
    {"dir:O=Good", "", "O=Good", "dir:O=Bad", NOT_PERMITTED("directoryName", "O=Bad"), UNASKED},
    {"dir:O=Good", "", "", "dir:O=Bad", NOT_PERMITTED("directoryName", "O=Bad"), UNASKED},
    {"", "dir:O=Bad", "O=Good", "", NULL, UNASKED},
    {"", "dir:O=Bad", "O=bAD ,CN=a", "", EXCLUDED("subject", "CN=a,O=bAD\\ "), UNASKED},
    {"", "dir:O=Bad", "O=Good", "dir:O=Bad,CN=b", EXCLUDED("directoryName", "CN=b,O=Bad"), UNASKED},
    {"", "dir:", "O=Good", "", EXCLUDED("subject", "O=Good"), UNASKED},
    {"dir:", "", "O=Good", "", NULL, UNASKED},
    {"", "dir:", "", "DNS:a.example", NULL, UNASKED},
    // a common name that somebody may take for a host
    {"DNS:example.com", "", "CN=a.example.com", "", NULL, SAME},
    {"DNS:example.com", "", "CN=a.example.org", "", NOT_PERMITTED("commonName", "a.example.org"), SAME},
    {"DNS:example.com", "", "CN=a.example.org.", "", NOT_PERMITTED("commonName", "a.example.org"), LENIENT},
    {"DNS:example.com", "", "CN=*.example.org", "", NOT_PERMITTED("commonName", "*.example.org"), LENIENT},
    {"DNS:example.com", "", "CN=*.example.com", "", NULL, SAME},
    {"DNS:example.com", "", "CN=f*.example.com", "", NOT_PERMITTED("commonName", "f*.example.com"), LENIENT},
    {"DNS:example.com", "", "CN=a_b.example.org", "", NOT_PERMITTED("commonName", "a_b.example.org"), SAME},
    {"DNS:example.com", "", "CN=good.example.com,CN=a.example.org", "", NOT_PERMITTED("commonName", "a.example.org"),
     SAME},
    {"DNS:example.com", "", "CN=a.example.org", "DNS:b.example.com", NULL, SAME},
    {"DNS:example.com", "", "CN=a.example.org", "IP:10.0.0.1", NOT_PERMITTED("commonName", "a.example.org"), SAME},
    {"DNS:example.com", "", "CN=Alice B. Example", "", NULL, SAME},
    {"DNS:example.com", "", "CN=alice", "", NULL, SAME},
    {"", "DNS:example.com", "CN=a.example.com", "", EXCLUDED("commonName", "a.example.com"), SAME},
    {"", "DNS:a.example.com", "CN=*.example.com", "", PERHAPS("commonName", "*.example.com"), LENIENT},
    {"IP:10.0.0.0/255.0.0.0", "", "CN=10.0.0.1", "", NULL, SAME},
    {"IP:10.0.0.0/255.0.0.0", "", "CN=11.0.0.1", "", NOT_PERMITTED("commonName", "11.0.0.1"), LENIENT},
    {"", "IP:::/::", "CN=2001:db8::1", "", EXCLUDED("commonName", "2001:db8::1"), LENIENT},
    {"IP:10.0.0.0/255.0.0.0", "", "CN=11.0.0.1", "IP:10.0.0.1", NULL, SAME},
    {"DNS:example.com", "", "CN=11.0.0.1", "", NULL, STRICTER}, // an address is no DNS name
    // forms that nobody here compares
    {"hex:a00706012aa0020500", "", "O=x", "DNS:a.example", NULL, UNASKED},
    {"hex:a00706012aa0020500", "", "O=x", "hex:a00706012aa0020500", NOT_PERMITTED("otherName", "#06012aa0020500"),
     UNASKED},
    {"hex:a00706012aa0020500", "", "O=x", "hex:a00706012ba0020500", NOT_PERMITTED("otherName", "#06012ba0020500"),
     UNASKED},
    {"", "hex:a00706012aa0020500", "O=x", "hex:a00706012aa0020500", PERHAPS("otherName", "#06012aa0020500"), UNASKED},
    {"", "hex:a00706012aa0020500", "O=x", "hex:a00706012ba0020500", NULL, UNASKED}, // another type is another form
    {"hex:88022a03", "", "O=x", "hex:88022a03", NOT_PERMITTED("registeredID", "#2a03"), UNASKED},
    {"", "hex:88022a03", "O=x", "hex:88022a04", PERHAPS("registeredID", "#2a04"), UNASKED},
    {"", "hex:a3023000", "O=x", "hex:a3023000", PERHAPS("x400Address", "#3000"), UNASKED},
    {"", "hex:a3023000", "O=x", "hex:a503a10105", NULL, UNASKED},
    // SmtpUTF8Mailbox is an e-mail address
    {"email:example.com", "", "O=x", "hex:a01306082b06010505070809a0070c0561406578ff",
     NOT_PERMITTED("otherName", "#06082b06010505070809a0070c0561406578ff"), UNASKED},
    {"DNS:example.com", "", "O=x", "hex:a01306082b06010505070809a0070c056140657879", NULL, UNASKED},
    // what no reader lets through is outside all the same
    {"DNS:example.com", "", "O=x", "DNS:..example.com", NOT_PERMITTED("dNSName", "..example.com"), UNASKED},
    {"IP:10.0.0.0/255.0.0.0", "", "O=x", "hex:87020a00", NOT_PERMITTED("iPAddress", "#0a00"), UNASKED},
    {"DNS:example.com", "", "O=x", "hex:890161", "name \"#61\" is of no known form", UNASKED},
    {"DNS:example.com", "", "O=x", "hex:8205", "a subjectAltName cannot be read", UNASKED},
};

static void names_are_within(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof checks / sizeof checks[0]; i++) {
        struct made leaf, ca;
        char why[CERTIFICATE_WHY] = "";
        size_t budget = 1000;
        made_init(&leaf, checks[i].subject, checks[i].names, "", "");
        made_init(&ca, "O=ca", "", checks[i].permitted, checks[i].excluded);
        enum reason reason = constraint_check(&leaf.c, &ca.c, &budget, why);
        if (reason != (checks[i].why == NULL ? REASON_ok : REASON_name_constraint) ||
            strcmp(why, checks[i].why == NULL ? "" : checks[i].why) != 0) {
            fail_msg("%zu: %s: %s", i, checks[i].why, why);
        }
        made_clear(&leaf);
        made_clear(&ca);
    }
}

static void ca_names_are_no_hosts(void **state)
{
    struct made below, ca;
    char why[CERTIFICATE_WHY] = "";
    size_t budget = 100;
    (void)state;
    made_init(&below, "CN=ca.example.org", "", "", "");
    made_init(&ca, "O=ca", "", "DNS:example.com", "");
    below.c.is_ca = true;
    assert_int_equal(constraint_check(&below.c, &ca.c, &budget, why), REASON_ok);
    below.c.is_ca = false;
    assert_int_equal(constraint_check(&below.c, &ca.c, &budget, why), REASON_name_constraint);
    assert_string_equal(why, "commonName \"ca.example.org\" is in no permitted subtree");
    ca.c.has_name_constraints = false;
    assert_int_equal(constraint_check(&below.c, &ca.c, &budget, why), REASON_ok);
    made_clear(&below);
    made_clear(&ca);
}

// A string type of its own hides nothing: a common name in UTF-16 is read too.
static void common_name_of_any_string_type(void **state)
{
    static const char wide[] = "\0b\0.\0o\0r\0g";
    struct made leaf, ca;
    char why[CERTIFICATE_WHY] = "";
    size_t budget = 100;
    (void)state;
    made_init(&leaf, "", "", "", "");
    made_init(&ca, "O=ca", "", "DNS:example.com", "");
    buf_clear(&leaf.subject);
    attribute_add(&leaf.subject, "CN", BMP, span_of(wide, sizeof wide - 1));
    der_enclose(&leaf.subject, 0x31);
    der_enclose(&leaf.subject, 0x30);
    leaf.c.subject = buf_span(&leaf.subject);
    buf_text(&leaf.c.subject_key, "x");
    assert_int_equal(constraint_check(&leaf.c, &ca.c, &budget, why), REASON_name_constraint);
    assert_string_equal(why, "commonName \"b.org\" is in no permitted subtree");
    made_clear(&leaf);
    made_clear(&ca);
}

static void budget_is_kept(void **state)
{
    struct made leaf, ca;
    char why[CERTIFICATE_WHY] = "";
    size_t budget = 9; // the subject and two names under three subtrees
    (void)state;
    made_init(&leaf, "O=x", "DNS:a.example.com DNS:b.example.com", "", "");
    made_init(&ca, "O=ca", "", "DNS:example.com DNS:example.org", "DNS:a.b.c");
    assert_int_equal(constraint_check(&leaf.c, &ca.c, &budget, why), REASON_ok);
    assert_int_equal(budget, 0);
    budget = 8;
    assert_int_equal(constraint_check(&leaf.c, &ca.c, &budget, why), REASON_budget_exceeded);
    assert_string_equal(why, "too many names under too many name constraints");
    assert_int_equal(budget, 0);
    made_clear(&ca);
    // directory names cost their length: 1 + 14 for the subject, 1 for each other name
    made_init(&ca, "O=ca", "", "dir:O=x", "");
    budget = 18;
    assert_int_equal(constraint_check(&leaf.c, &ca.c, &budget, why), REASON_ok);
    assert_int_equal(budget, 1);
    budget = 16;
    assert_int_equal(constraint_check(&leaf.c, &ca.c, &budget, why), REASON_budget_exceeded);
    made_clear(&leaf);
    made_clear(&ca);
}

static void damage_does_no_harm(void **state)
{
    struct made leaf, ca;
    (void)state;
    made_init(&leaf, "CN=a.example", "DNS:*.a.b email:a@b.c URI:x://y.z IP:10.0.0.1 dir:O=x hex:a00706012aa0020500", "",
              "");
    made_init(&ca, "O=ca", "",
              "DNS:a.b email:a@b.c email:.c URI:.z IP:10.0.0.0/255.0.0.0 dir:O=x hex:a00706012aa0020500", "");
    struct span subtrees = ca.c.permitted;
    for (size_t i = 0; i < subtrees.len * 257; i++) {
        struct err e = ERR_INIT;
        char why[CERTIFICATE_WHY];
        size_t budget = 1000;
        size_t len = i % 257 == 256 ? i / 257 : subtrees.len; // cut there, or changed there
        uint8_t *changed = malloc(len + 1);
        memcpy(changed, subtrees.data, len);
        if (i % 257 < 256) {
            changed[i / 257] = (uint8_t)(i % 257);
        }
        ca.c.permitted = span_of(changed, len);
        ca.c.excluded = span_of(changed, len);
        constraint_syntax(ca.c.permitted, &e);
        constraint_check(&leaf.c, &ca.c, &budget, why);
        free(changed);
    }
    made_clear(&leaf);
    made_clear(&ca);
}

// --- OpenSSL ---

// "DNS:a email:b" with a comma and `prefix` between: how OpenSSL's configuration has it
static void openssl_list(struct buf *out, const char *names, const char *prefix)
{
    char *copy = mem_strdup(names);
    char *rest = copy;
    for (char *part = strsep(&rest, " "); part != NULL; part = strsep(&rest, " ")) {
        if (*part != '\0') {
            buf_printf(out, "%s%s%s", out->len > 0 ? "," : "", prefix, part);
        }
    }
    free(copy);
}

// 'O'K, 'V'iolation of constraints (or something about them), '?' for anything else
static char openssl_verdict(const char *dir, size_t i)
{
    struct buf constraints = {0}, names = {0}, subject = {0};
    openssl_list(&constraints, checks[i].permitted, "permitted;");
    openssl_list(&constraints, checks[i].excluded, "excluded;");
    openssl_list(&names, checks[i].names, "");
    for (const char *p = checks[i].subject; *p != '\0'; p += strcspn(p, ",") + (p[strcspn(p, ",")] == ',')) {
        const char *type = strncmp(p, "E=", 2) == 0 ? "emailAddress" : NULL;
        buf_printf(&subject, "/%s%.*s", type == NULL ? "" : type, (int)(strcspn(p, ",") - (type == NULL ? 0 : 1)),
                   p + (type == NULL ? 0 : 1));
    }
    char *command = mem_printf(
        "cd %s && openssl req -x509 -key k -subj /O=ca -days 2 -out ca -addext 'nameConstraints=%s' 2>e && "
        "openssl req -new -key k -subj '%s' -out r 2>e && printf 'basicConstraints=CA:FALSE\\n%s%s\\n' >x && "
        "openssl x509 -req -in r -CA ca -CAkey k -set_serial 5 -days 1 -extfile x -out c 2>e && "
        "{ openssl verify -trusted ca c >o 2>&1; cat o; }",
        dir, (const char *)constraints.data, (const char *)subject.data, names.len > 0 ? "subjectAltName=" : "",
        names.len > 0 ? (const char *)names.data : "");
    FILE *f = popen(command, "r");
    char said[2048];
    assert_non_null(f);
    size_t n = fread(said, 1, sizeof said - 1, f);
    said[n] = '\0';
    pclose(f);
    char verdict = strstr(said, "c: OK") != NULL                                                      ? 'O'
                   : strstr(said, "subtree violation") != NULL || strstr(said, "unsupported") != NULL ? 'V'
                                                                                                      : '?';
    if (verdict == '?') {
        fail_msg("%zu: %s: %s", i, command, said);
    }
    free(command);
    buf_clear(&constraints);
    buf_clear(&names);
    buf_clear(&subject);
    return verdict;
}

static void openssl_agrees(void **state)
{
    char dir[TEMPORARY_PATH];
    char command[256];
    (void)state;
    assert_true(temporary_make(dir));
    snprintf(command, sizeof command, "openssl ecparam -name prime256v1 -genkey -noout -out %s/k", dir);
    assert_int_equal(system(command), 0);
    for (size_t i = 0; i < sizeof checks / sizeof checks[0]; i++) {
        if (checks[i].openssl == UNASKED) {
            continue;
        }
        bool within = checks[i].openssl == SAME ? checks[i].why == NULL : checks[i].openssl == LENIENT;
        if ((openssl_verdict(dir, i) == 'O') != within) {
            fail_msg("%zu: OpenSSL says %s: %s | %s | %s | %s", i, within ? "no" : "yes", checks[i].permitted,
                     checks[i].excluded, checks[i].subject, checks[i].names);
        }
    }
    snprintf(command, sizeof command, "rm -r %s", dir);
    assert_int_equal(system(command), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(syntax_is_checked),     cmocka_unit_test(names_are_within),
        cmocka_unit_test(ca_names_are_no_hosts), cmocka_unit_test(common_name_of_any_string_type),
        cmocka_unit_test(budget_is_kept),        cmocka_unit_test(damage_does_no_harm),
        cmocka_unit_test(openssl_agrees),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
