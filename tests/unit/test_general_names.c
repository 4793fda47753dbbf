// SPDX-License-Identifier: Apache-2.0
#include "trust/constraint.h"
#include "trust_names.h"

static const struct {
    const char *name;  // one GeneralName
    const char *error; // NULL: good
} syntax[] = {
    {"DNS:example.com", NULL},
    {"DNS:localhost", NULL},
    {"DNS:*.example.com", NULL},
    {"DNS:xn--bcher-kva.example", NULL},
    {"DNS:1and1.3com.com", NULL},
    {"DNS:", "dNSName \"\": a host name has 1 to 253 characters"},
    {"DNS:.example.com", "dNSName \".example.com\": a label of a host name has 1 to 63 characters"},
    {"DNS:a..example.com", "dNSName \"a..example.com\": a label of a host name has 1 to 63 characters"},
    {"DNS:example.com.", "dNSName \"example.com.\": a host name does not end with a dot here"},
    {"DNS:foo_bar.example.com",
     "dNSName \"foo_bar.example.com\": a label of a host name is letters, digits and inner hyphens"},
    {"DNS:-a.example.com", "dNSName \"-a.example.com\": a label of a host name is letters, digits and inner hyphens"},
    {"DNS:a-.example.com", "dNSName \"a-.example.com\": a label of a host name is letters, digits and inner hyphens"},
    {"DNS:10.0.0.1", "dNSName \"10.0.0.1\": the last label of a host name is not a number"},
    {"DNS:::1", "dNSName \"::1\": a label of a host name is letters, digits and inner hyphens"},
    {"DNS:*", "dNSName \"*\": a label of a host name is letters, digits and inner hyphens"},
    {"DNS:*.com", "dNSName \"*.com\": a wildcard has two labels behind it at least"},
    {"DNS:*.", "dNSName \"*.\": a wildcard has two labels behind it at least"},
    {"DNS:*.*.com", "dNSName \"*.*.com\": a label of a host name is letters, digits and inner hyphens"},
    {"DNS:f*.example.com", "dNSName \"f*.example.com\": a label of a host name is letters, digits and inner hyphens"},
    {"DNS:a.*.example.com", "dNSName \"a.*.example.com\": a label of a host name is letters, digits and inner hyphens"},
    {"DNS:b\xc3\xbc.example",
     "dNSName \"b\xc3\xbc.example\": a label of a host name is letters, digits and inner hyphens"},
    {"hex:82 03 61 00 62", "dNSName \"a\\x00b\": a label of a host name is letters, digits and inner hyphens"},
    {"hex:82 03 61 0a 62", "dNSName \"a\\x0Ab\": a label of a host name is letters, digits and inner hyphens"},
    {"hex:a2 03 61 2e 62", "DER tag 0xa2 is no form of a name"},
    {"email:alice@example.com", NULL},
    {"email:a.b+c@mail.example.com", NULL},
    {"email:\"a@b\"@example.com", NULL},
    {"email:\"a\\\"b\\\\\"@example.com", NULL},
    {"email:\"a\\\\\"b\"@example.com",
     "rfc822Name \"\"a\\x5C\\x5C\"b\"@example.com\": what is before the @ is no mailbox"},
    {"email:\"a\\\"@example.com", "rfc822Name \"\"a\\x5C\"@example.com\": what is before the @ is no mailbox"},
    {"email:alice", "rfc822Name \"alice\": there is no @ between mailbox and host"},
    {"email:", "rfc822Name \"\": there is no @ between mailbox and host"},
    {"email:@example.com", "rfc822Name \"@example.com\": what is before the @ is no mailbox"},
    {"email:a@b@example.com", "rfc822Name \"a@b@example.com\": what is before the @ is no mailbox"},
    {"email:a..b@example.com", "rfc822Name \"a..b@example.com\": what is before the @ is no mailbox"},
    {"email:a@", "rfc822Name \"a@\": a host name has 1 to 253 characters"},
    {"email:a@*.example.com",
     "rfc822Name \"a@*.example.com\": a label of a host name is letters, digits and inner hyphens"},
    {"email:a@.example.com", "rfc822Name \"a@.example.com\": a label of a host name has 1 to 63 characters"},
    {"hex:81 04 61 00 40 62", "rfc822Name \"a\\x00@b\": what is before the @ is no mailbox"},
    {"URI:https://example.com/a?b#c", NULL},
    {"URI:ftp://user@example.com:21/x%20y", NULL},
    {"URI:http://[2001:db8::1]:80/", NULL},
    {"URI:http://10.0.0.1", NULL},
    {"URI:urn:uuid:1", NULL},
    {"URI:spiffe://trust_domain/path", NULL},
    {"URI:example.com", "uniformResourceIdentifier \"example.com\": a URI is a scheme, a colon and what follows them"},
    {"URI:https:", "uniformResourceIdentifier \"https:\": a URI is a scheme, a colon and what follows them"},
    {"URI:1s:x", "uniformResourceIdentifier \"1s:x\": a URI is a scheme, a colon and what follows them"},
    {"URI:", "uniformResourceIdentifier \"\": a URI is a scheme, a colon and what follows them"},
    {"URI:http://", "uniformResourceIdentifier \"http://\": a host name has 1 to 253 characters"},
    {"URI:file:///x", "uniformResourceIdentifier \"file:///x\": a host name has 1 to 253 characters"},
    {"URI:http://a_b.example",
     "uniformResourceIdentifier \"http://a_b.example\": a label of a host name is letters, digits and inner hyphens"},
    {"URI:http://ex%61mple.com",
     "uniformResourceIdentifier \"http://ex%61mple.com\": a label of a host name is letters, digits and inner hyphens"},
    {"URI:http://a@b@c.example",
     "uniformResourceIdentifier \"http://a@b@c.example\": a label of a host name is letters, digits and inner hyphens"},
    {"URI:http://a.example:8x",
     "uniformResourceIdentifier \"http://a.example:8x\": something other than a port follows the host"},
    {"URI:http://[::1", "uniformResourceIdentifier \"http://[::1\": an address in brackets is not closed"},
    {"URI:http://[]/",
     "uniformResourceIdentifier \"http://[]/\": a label of a host name is letters, digits and inner hyphens"},
    {"URI:http://[1.2.3.4]/",
     "uniformResourceIdentifier \"http://[1.2.3.4]/\": no IPv6 address is between the brackets"},
    {"URI:http://a.example/%2", "uniformResourceIdentifier \"http://a.example/%2\": two hexadecimal digits follow a %"},
    {"URI:http://a.example\\b",
     "uniformResourceIdentifier \"http://a.example\\x5Cb\": a character is in it that a URI does not have"},
    {"hex:86 05 61 3a 62 00 63",
     "uniformResourceIdentifier \"a:b\\x00c\": a character is in it that a URI does not have"},
    {"IP:10.0.0.1", NULL},
    {"IP:::1", NULL},
    {"IP:10.0.0.0/255.0.0.0", "iPAddress \"#0a000000ff000000\": an address has 4 or 16 octets"},
    {"hex:87 00", "iPAddress \"#\": an address has 4 or 16 octets"},
    {"dir:O=Example,CN=a", NULL},
    {"dir:", "directoryName \"\": the name is empty"},
    {"hex:a4 04 30 02 31 00", "directoryName \"#30023100\": name: an RDN is empty"},
    {"hex:a4 00", "directoryName \"#\": name: DER: an element is cut short or has a tag of more than one octet"},
    {"hex:a0 07 06 01 2a a0 02 05 00", NULL}, // otherName
    {"hex:a0 08 06 02 2a 80 a0 02 05 00", "otherName \"#06022a80a0020500\": its type is no object identifier"},
    {"hex:a0 03 06 01 2a",
     "otherName \"#06012a\": value: DER: an element is cut short or has a tag of more than one octet"},
    {"hex:a0 09 06 01 2a a0 04 05 00 05 00", "otherName \"#06012aa00405000500\": octets follow the value"},
    {"hex:a3 02 30 00", NULL}, // x400Address
    {"hex:a3 00", "x400Address \"#\": DER: an element is cut short or has a tag of more than one octet"},
    {"hex:a5 05 a1 03 0c 01 61", NULL}, // ediPartyName
    {"hex:a5 02 a1 03", "ediPartyName \"#a103\": DER: an element is longer than what holds it"},
    {"hex:88 03 2a 03 04", NULL}, // registeredID
    {"hex:88 00", "registeredID \"#\": it is no object identifier"},
    {"hex:88 02 2a 83", "registeredID \"#2a83\": it is no object identifier"},
    {"hex:88 02 80 01", "registeredID \"#8001\": it is no object identifier"},
    {"hex:89 01 61", "DER tag 0x89 is no form of a name"},
    {"hex:0c 01 61", "DER tag 0x0c is no form of a name"},
    {"hex:82 05 61", "DER: an element is longer than what holds it"},
};

static void names_are_checked(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof syntax / sizeof syntax[0]; i++) {
        struct err e = ERR_INIT;
        struct buf names = {0};
        general_name_add(&names, "DNS:good.example");
        general_name_add(&names, syntax[i].name);
        int rc = general_names_syntax(buf_span(&names), &e);
        if (syntax[i].error == NULL ? rc != 0 : rc != -1 || strcmp(e.text, syntax[i].error) != 0) {
            fail_msg("%s: %s", syntax[i].name, e.text);
        }
        buf_clear(&names);
    }
}

static void lengths_are_bounded(void **state)
{
    static const char label[] = "abcdefghijklmnopqrstuvwxyz0123456789abcdefghijklmnopqrstuvwxyz0"; // 63
    struct err e = ERR_INIT;
    (void)state;
    for (int extra = 0; extra < 2; extra++) {
        struct buf one = {0}, all = {0}, mail = {0};
        buf_printf(&one, "DNS:%s%s.example", label, extra ? "x" : "");
        buf_printf(&all, "DNS:%s.%s.%s.%.*s", label, label, label, 61 + extra, label); // 3 * 64 + 61 = 253
        buf_printf(&mail, "email:%s%s@example.com", label, extra ? "ab" : "a");
        for (int which = 0; which < 3; which++) {
            struct buf names = {0};
            general_name_add(&names, (const char *)(which == 0 ? one.data : which == 1 ? all.data : mail.data));
            assert_int_equal(general_names_syntax(buf_span(&names), &e), extra ? -1 : 0);
            err_clear(&e);
            buf_clear(&names);
        }
        buf_clear(&one);
        buf_clear(&all);
        buf_clear(&mail);
    }
    assert_fails(general_names_syntax(span_of("", 0), &e), &e, "there is no name in it");
}

static const struct {
    const char *names, *host;
    bool matches;
} hosts[] = {
    {"DNS:example.com", "example.com", true},
    {"DNS:example.com", "EXAMPLE.Com.", true},
    {"DNS:example.com", "example.com..", false},
    {"DNS:example.com", "www.example.com", false},
    {"DNS:www.example.com", "example.com", false},
    {"DNS:a.example DNS:example.com", "example.com", true},
    {"DNS:localhost", "localhost", true},
    {"DNS:*.example.com", "www.example.com", true},
    {"DNS:*.example.com", "xn--bcher-kva.example.com", true},
    {"DNS:*.example.com", "example.com", false},
    {"DNS:*.example.com", ".example.com", false},
    {"DNS:*.example.com", "a.b.example.com", false},
    {"DNS:*.example.com", "*.example.com", false}, // no host has this name
    {"DNS:*.com", "example.com", false},
    {"DNS:*", "localhost", false},
    {"DNS:*.localhost", "a.localhost", false},
    {"DNS:w*.example.com", "www.example.com", false},
    {"DNS:*w.example.com", "www.example.com", false},
    {"DNS:www.*.com", "www.example.com", false},
    {"DNS:*.*.com", "www.example.com", false},
    {"DNS:a_b.example.com", "a_b.example.com", false},
    {"DNS:10.0.0.1", "10.0.0.1", false},
    {"DNS:*.0.0.1", "10.0.0.1", false},
    {"IP:10.0.0.1", "10.0.0.1", true},
    {"IP:10.0.0.1", "10.0.0.2", false},
    {"IP:10.0.0.1", "10.0.0.1.", false},
    {"IP:10.0.0.1", "10.1", false}, // not in its full form: neither address nor name
    {"IP:10.0.0.1", "::ffff:10.0.0.1", false},
    {"IP:2001:db8::1", "2001:DB8:0::1", true},
    {"IP:2001:db8::1", "[2001:db8::1]", false},
    {"IP:::1", "::1", true},
    {"hex:87050a00000100", "10.0.0.1", false},
    {"URI:https://example.com", "example.com", false},
    {"email:example.com", "example.com", false},
    {"hex:82106578616d706c652e636f6d002e65766c", "example.com", false}, // "example.com\0.evl"
    {"hex:82ff", "example.com", false},
    {"DNS:example.com", "", false},
    {"DNS:example.com", ".", false},
    {"", "example.com", false},
};

static void hosts_are_matched(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof hosts / sizeof hosts[0]; i++) {
        struct buf names = {0};
        general_names_from(&names, hosts[i].names, false);
        struct certificate c = {.names = buf_span(&names)};
        if (certificate_is_host(&c, hosts[i].host) != hosts[i].matches) {
            fail_msg("\"%s\" for \"%s\"", hosts[i].names, hosts[i].host);
        }
        buf_clear(&names);
    }
}

static void common_name_is_no_host(void **state)
{
    struct buf subject = {0};
    (void)state;
    name_add(&subject, "CN=example.com");
    struct certificate c = {.subject = buf_span(&subject)};
    assert_false(certificate_is_host(&c, "example.com"));
    buf_clear(&subject);
}

static void damage_does_no_harm(void **state)
{
    struct buf names = {0};
    (void)state;
    general_names_from(&names, "dir:O=x email:\"a\\b\"@b.example URI:ftp://u@[::1]:2/%20 IP:::1 DNS:*.a.b", false);
    for (size_t i = 0; i < names.len * 257; i++) {
        struct err e = ERR_INIT;
        size_t len = i % 257 == 256 ? i / 257 : names.len; // cut there, or changed there
        uint8_t *changed = malloc(len + 1);
        memcpy(changed, names.data, len);
        if (i % 257 < 256) {
            changed[i / 257] = (uint8_t)(i % 257);
        }
        struct certificate c = {.names = span_of(changed, len)};
        general_names_syntax(c.names, &e);
        certificate_is_host(&c, "x.a.b");
        certificate_is_host(&c, "::2");
        free(changed);
    }
    buf_clear(&names);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_checked),   cmocka_unit_test(lengths_are_bounded),
        cmocka_unit_test(hosts_are_matched),   cmocka_unit_test(common_name_is_no_host),
        cmocka_unit_test(damage_does_no_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
