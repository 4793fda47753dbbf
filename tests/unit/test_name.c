// SPDX-License-Identifier: Apache-2.0
// ca/name.c: text to DER. Compared with what `openssl req -subj` makes, and with DER written down by hand.
#include "ca/name.h"
#include "name_fixture.h"

static void test_bytes(void **state)
{
    (void)state;
    static const struct {
        const char *text, *der;
    } cases[] = {
        {"", "3000"},
        {"   ", "3000"},
        {"CN=alice", "3010310e300c06035504030c05616c696365"},
        // names in any case, by any alias, by OID; spaces around separators
        {"  commonname =  alice  ", "3010310e300c06035504030c05616c696365"},
        {"2.5.4.3=alice", "3010310e300c06035504030c05616c696365"},
        // the last RDN of the text is the first of the DER
        {"CN=a,C=DE", "3019310b3009060355040613024445310a300806035504030c0161"},
        {"CN=a , C=DE ", "3019310b3009060355040613024445310a300806035504030c0161"},
        // RFC 4514 section 4: escapes, hex pairs, hex values, an unknown type
        {"CN=\\#a", "300d310b300906035504030c022361"},
        {"CN=\\ a\\ ", "300e310c300a06035504030c03206120"},
        {"CN=a\\,\\+\\\"\\\\\\<\\>\\;\\=", "301431123010 06035504030c09 612c2b225c3c3e3b3d"},
        {"CN=L\\C4\\8Di\\C4\\87", "3011 310f 300d 0603550403 0c06 4cc48d69c487"},
        {"CN=a\\00", "300d310b300906035504030c026100"},
        {"CN=a=b", "300e310c300a06035504030c03613d62"},
        {"1.3.6.1.4.1.1466.0=#04024869", "3012 3110 300e 06082b06010401 8b3a00 04024869"},
        {"CN=#1305616C696365", "3010310e300c06035504031305616c696365"},
        // SET OF is sorted (X.690 section 11.6), whatever the order of the text
        {"OU=b+CN=a", "3016 3114 300806035504030c0161 3008060355040b0c0162"},
        {"CN=a + OU=b", "3016 3114 300806035504030c0161 3008060355040b0c0162"},
        // string types
        {"DC=com", "3015 3113 3011 060a0992268993f22c640119 1603636f6d"},
        {"serialNumber=1", "300c310a300806035504051301"
                           "31"},
        {"dnQualifier=1", "300c310a3008060355042e1301"
                          "31"},
        {"E=a@b", "3014 3112 3010 06092a864886f70d010901 1603614062"},
        {"organizationIdentifier=1", "300c310a300806035504610c01"
                                     "31"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct buf der = {0};
        struct err e = ERR_INIT;
        if (name_from_text(cases[i].text, &der, &e) != 0) {
            fail_msg("%s: %s", cases[i].text, e.text);
        }
        assert_hex(&der, cases[i].der);
        buf_clear(&der);
    }
}

static void test_refused(void **state)
{
    (void)state;
    static const struct {
        const char *text, *error;
    } cases[] = {
        {"alice",
         "TYPE=VALUE is due, such as CN=alice,O=Acme, where \"alice\" stands (a comma in a value is written \\,)"},
        {"=alice",
         "TYPE=VALUE is due, such as CN=alice,O=Acme, where \"=alice\" stands (a comma in a value is written \\,)"},
        {"O=Acme, Inc.",
         "TYPE=VALUE is due, such as CN=alice,O=Acme, where \"Inc.\" stands (a comma in a value is written \\,)"},
        {"CN=a,", "TYPE=VALUE is due, such as CN=alice,O=Acme, where \"\" stands (a comma in a value is written \\,)"},
        {"CN=a++O=b",
         "TYPE=VALUE is due, such as CN=alice,O=Acme, where \"+O=b\" stands (a comma in a value is written \\,)"},
        {"XX=a",
         "unknown attribute \"XX\" (one of: CN, C, ST, L, street, O, OU, title, SN, GN, initials, serialNumber, "
         "dnQualifier, pseudonym, generationQualifier, UID, DC, emailAddress, postalCode, "
         "organizationIdentifier; or a dotted object identifier)"},
        {"1.2.x=a", "\"1.2.x\" is not an object identifier such as 1.3.6.1.5.5.7.3.2"},
        {"CN=", "CN: \"\" has 0 characters; it must have at least 1"},
        {"CN=  ,O=x", "CN: \"\" has 0 characters; it must have at least 1"},
        {"C=Germany", "C: \"Germany\" has 7 characters; it must have exactly 2"},
        {"C=D", "C: \"D\" has 1 characters; it must have exactly 2"},
        {"c=D_", "c: \"D_\" must be a PrintableString: letters, digits, space and ' ( ) + , - . / : = ?"},
        {"DC=b\xc3\xbc"
         "cher",
         "DC: \"b\xc3\xbc"
         "cher\" must be ASCII (international domain names as A-labels, xn--..., RFC 5891)"},
        {"CN=\xff", "CN: \"\\xFF\" is not UTF-8"},
        {"CN=\\C4", "CN: \"\\xC4\" is not UTF-8"},
        {"CN=a\\", "CN: a \\ must be followed by one of \" + , ; < > \\ # = space, or by two hex digits"},
        {"CN=a\\4", "CN: a \\ must be followed by one of \" + , ; < > \\ # = space, or by two hex digits"},
        {"CN=a\\n", "CN: a \\ must be followed by one of \" + , ; < > \\ # = space, or by two hex digits"},
        {"CN=\"a, b\"", "CN: \" must be written \\\""},
        {"CN=a;O=b", "CN: ; must be written \\;"},
        {"CN=a\n", "CN: a control character must be written \\0A"},
        {"CN=#",
         "CN: what follows # must be one DER element in hex, such as #0c05616c696365 (a text that starts with # "
         "is written \\#)"},
        {"CN=#0c02", "CN: what follows # must be one DER element in hex, such as #0c05616c696365 (a text that starts "
                     "with # is written \\#)"},
        {"CN=#0c016161", "CN: what follows # must be one DER element in hex, such as #0c05616c696365 (a text that "
                         "starts with # is written \\#)"},
        {"CN=#1 team", "CN: what follows # must be one DER element in hex, such as #0c05616c696365 (a text that starts "
                       "with # is written \\#)"},
        {"CN=a+CN=b", "CN is given twice in one RDN: a + joins attributes of different types"},
        {"O=x+CN=a+2.5.4.3=a", "2.5.4.3 is given twice in one RDN: a + joins attributes of different types"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct buf der = {0};
        struct err e = ERR_INIT;
        assert_fails(name_from_text(cases[i].text, &der, &e), &e, cases[i].error);
        assert_int_equal(der.len, 0);
        buf_clear(&der);
    }
}

// Each bound of RFC 5280 appendix A.1: so long is accepted, one more refused. Characters count, not octets.
static void test_bounds(void **state)
{
    (void)state;
    static const struct {
        const char *type, *character;
        size_t most;
    } cases[] = {
        {"CN", "a", 64},         {"CN", "\xc3\xa4", 64},     {"O", "a", 64},
        {"OU", "a", 64},         {"title", "a", 64},         {"serialNumber", "a", 64},
        {"L", "a", 128},         {"ST", "a", 128},           {"street", "a", 128},
        {"pseudonym", "a", 128}, {"emailAddress", "a", 255}, {"UID", "a", 256},
        {"DC", "a", 63},         {"postalCode", "a", 40},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct buf text = {0};
        struct buf der = {0};
        struct err e = ERR_INIT;
        buf_printf(&text, "%s=", cases[i].type);
        for (size_t k = 0; k < cases[i].most; k++) {
            buf_text(&text, cases[i].character);
        }
        assert_works(name_from_text((char *)text.data, &der, &e), &e);
        buf_text(&text, cases[i].character);
        assert_int_equal(name_from_text((char *)text.data, &der, &e), -1);
        char *end = mem_printf("has %zu characters; it must have at most %zu", cases[i].most + 1, cases[i].most);
        assert_true(text_ends(e.text, end));
        free(end);
        buf_clear(&text);
        buf_clear(&der);
    }
}

static void test_whole_bound(void **state)
{
    (void)state;
    struct buf text = {0};
    struct buf der = {0};
    struct err e = ERR_INIT;
    buf_text(&text, "SN=");
    for (size_t i = 0; i < 2031; i++) { // 2031 + 4 + 5 + 4 + 4 = 2048
        buf_text(&text, "a");
    }
    assert_works(name_from_text((char *)text.data, &der, &e), &e);
    buf_text(&text, "a");
    assert_fails(name_from_text((char *)text.data, &der, &e), &e,
                 "the name is too long: at most 2048 octets of DER are made");
    buf_clear(&text);
    buf_clear(&der);
}

// The same names as `openssl req -subj` writes, whose order is that of the DER.
static void test_against_openssl(void **state)
{
    (void)state;
    static const struct {
        const char *text, *subj;
    } cases[] = {
        {"CN=alice,OU=Ops,O=Acme\\, Inc.,DC=example,DC=com", "/DC=com/DC=example/O=Acme, Inc./OU=Ops/CN=alice"},
        {"CN=L\xc3\xa4mmle,L=K\xc3\xb6ln,ST=NRW,C=DE", "/C=DE/ST=NRW/L=K\xc3\xb6ln/CN=L\xc3\xa4mmle"},
        {"CN=alice,OU=Ops+UID=a1,O=Acme", "/O=Acme/UID=a1+OU=Ops/CN=alice"},
        {"emailAddress=a@example.com,SN=Smith,GN=Al,initials=A,title=Dr",
         "/title=Dr/initials=A/GN=Al/SN=Smith/emailAddress=a@example.com"},
        {"serialNumber=1+dnQualifier=2+pseudonym=p+generationQualifier=3rd",
         "/serialNumber=1+dnQualifier=2+pseudonym=p+generationQualifier=3rd"},
        {"street=1 High St,postalCode=AB1 2CD,organizationIdentifier=VATDE-1",
         "/organizationIdentifier=VATDE-1/postalCode=AB1 2CD/street=1 High St"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct buf der = {0};
        struct buf request = {0};
        struct err e = ERR_INIT;
        mbedtls_x509_csr csr;
        char *options = mem_printf("-utf8 -subj '%s'", cases[i].subj);
        openssl_request(&request, options);
        mbedtls_x509_csr_init(&csr);
        assert_int_equal(mbedtls_x509_csr_parse_der(&csr, request.data, request.len), 0);
        assert_works(name_from_text(cases[i].text, &der, &e), &e);
        assert_span(buf_span(&der), span_of(csr.subject_raw.p, csr.subject_raw.len));
        mbedtls_x509_csr_free(&csr);
        free(options);
        buf_clear(&der);
        buf_clear(&request);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bytes),       cmocka_unit_test(test_refused),         cmocka_unit_test(test_bounds),
        cmocka_unit_test(test_whole_bound), cmocka_unit_test(test_against_openssl),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
