// SPDX-License-Identifier: Apache-2.0
// DER to text, compared with what OpenSSL prints.
#include "base/name_text.h"
#include "ca/name.h"
#include "name_fixture.h"

static void name(struct buf *der, const char *text)
{
    struct err e = ERR_INIT;
    assert_works(name_from_text(text, der, &e), &e);
}

static void test_round_trip(void **state)
{
    (void)state;
    // every one as name_to_text writes it
    static const char *const cases[] = {
        "",
        "CN=alice",
        "CN=alice,OU=Ops,O=Acme\\, Inc.,DC=example,DC=com",
        "CN=alice,UID=a1+OU=Ops,O=Acme",
        "CN=\\#a\\ ",
        "CN=\\ ",
        "CN=\\ a#b c\\ ",
        "CN=a\\,\\+\\\"\\\\\\<\\>\\;=",
        "CN=L\xc3\xa4mmle \xe6\x97\xa5\xe6\x9c\xac,C=DE",
        "CN=a\\00b\\0A\\7F",
        "CN=\\E2\\80\\AEevil", // a right-to-left override is not let loose on a terminal
        "1.3.6.1.4.1.1466.0=#04024869,CN=a",
        "1.2.3=#0c0161",
        ("street=s,title=t,SN=s,GN=g,initials=i,serialNumber=1,dnQualifier=q,pseudonym=p,generationQualifier=g,"
         "UID=u,DC=d,emailAddress=e@x,postalCode=1,organizationIdentifier=o,ST=s,L=l"),
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct buf der = {0};
        struct buf again = {0};
        struct buf text = {0};
        struct err e = ERR_INIT;
        name(&der, cases[i]);
        assert_works(name_to_text(buf_span(&der), &text, &e), &e);
        assert_string_equal(text.data, cases[i]);
        name(&again, (char *)text.data);
        assert_span(buf_span(&again), buf_span(&der));
        buf_clear(&der);
        buf_clear(&again);
        buf_clear(&text);
    }
}

// Foreign string types, escapes and orders: our text is OpenSSL's.
static void test_against_openssl(void **state)
{
    (void)state;
    static const struct {
        const char *name, *text;
    } cases[] = {
        {"CN=alice,OU=Ops+UID=a1,O=Acme\\, Inc.,DC=example,DC=com",
         "CN=alice,UID=a1+OU=Ops,O=Acme\\, Inc.,DC=example,DC=com"},
        {"CN=\\#a\\ ", "CN=\\#a\\ "},
        {"CN=\\ a\\;\\<\\>\\+\\\"\\\\=", "CN=\\ a\\;\\<\\>\\+\\\"\\\\="},
        {"C=DE,ST=s,L=l,street=s,title=t,SN=s,GN=g,initials=i,serialNumber=1,dnQualifier=q,pseudonym=p,"
         "generationQualifier=g,UID=u,emailAddress=e@x,postalCode=1,organizationIdentifier=o",
         "C=DE,ST=s,L=l,street=s,title=t,SN=s,GN=g,initials=i,serialNumber=1,dnQualifier=q,pseudonym=p,"
         "generationQualifier=g,UID=u,emailAddress=e@x,postalCode=1,organizationIdentifier=o"},
        {"CN=#1305616C696365", "CN=alice"},                     // PrintableString
        {"CN=#1605616C696365", "CN=alice"},                     // IA5String
        {"CN=#1e06004c00e465e5", "CN=L\xc3\xa4\xe6\x97\xa5"},   // BMPString
        {"CN=#1403 4ce46d", "CN=L\xc3\xa4m"},                   // T61String
        {"CN=#1c08 0000004c 0001f600", "CN=L\xf0\x9f\x98\x80"}, // UniversalString
        {"CN=#1203313233", "CN=123"},                           // NumericString
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct buf der = {0};
        struct buf text = {0};
        struct buf openssl = {0};
        struct err e = ERR_INIT;
        name(&der, cases[i].name);
        assert_works(name_to_text(buf_span(&der), &text, &e), &e);
        assert_string_equal(text.data, cases[i].text);
        openssl_name_to_text(buf_span(&der), &openssl);
        assert_string_equal(openssl.data, text.data);
        buf_clear(&der);
        buf_clear(&text);
        buf_clear(&openssl);
    }
}

// What is no text, or is no longer DER.
static void test_hostile(void **state)
{
    (void)state;
    static const struct {
        const char *der, *text, *error;
    } cases[] = {
        // BMPString with half a character, with a surrogate; UniversalString beyond Unicode; a BOOLEAN: hex
        {"300c310a3008060355040313 01ff", "CN=\\FF", NULL},
        {"300e 310c 300a 0603550403 1e03 006100", "CN=#1e03006100", NULL},
        {"300d 310b 3009 0603550403 1e02 d800", "CN=#1e02d800", NULL},
        {"300f 310d 300b 0603550403 1c04 00110000", "CN=#1c0400110000", NULL},
        {"300c 310a 3008 0603550403 0101 ff", "CN=#0101ff", NULL},
        {"300b 3109 3007 0603550403 0c00", "CN=", NULL},
        // an escape sequence for terminals, a C1 control, a lone continuation octet
        {"3011 310f 300d 0603550403 0c06 1b5b33316d41", "CN=\\1B[31mA", NULL},
        {"300d 310b 3009 0603550403 0c02 c29b", "CN=\\C2\\9B", NULL},
        {"300c 310a 3008 0603550403 0c01 80", "CN=\\80", NULL},
        {"300f 310d 300b 0606 69909090 9001 0c0161", "#699090909001=#0c0161", NULL}, // an arc beyond 32 bits
        {"300c 310a 3008 0603550403 1a01 61", "CN=a", NULL}, // a VisibleString, which X.520 does not have here
        // not names
        {"", NULL, "name: DER: an element is cut short or has a tag of more than one octet"},
        {"3100", NULL, "name: DER tag 0x31 where 0x30 is due"},
        {"300000", NULL, "name: octets follow it"},
        {"3080 0000", NULL, "name: DER: a length is indefinite, too long or cut short"},
        {"3002 3100", NULL, "name: an RDN is empty"},
        // an OID that ends in the middle of an arc, one that is padded, none
        {"300a 3108 3006 060189 0c0161", NULL, "name: an attribute type is no object identifier"},
        {"300b 3109 3007 06028001 0c0161", NULL, "name: an attribute type is no object identifier"},
        {"3009 3107 3005 0600 0c0161", NULL, "name: an attribute type is no object identifier"},
        {"3004 3102 3000", NULL,
         "name: attribute type: DER: an element is cut short or has a tag of more than one octet"},
        {"3009 3107 3005 0603550403", NULL,
         "name: attribute value: DER: an element is cut short or has a tag of more than one octet"},
        {"300e 310c 300a 0603550403 0c0161 0500", NULL, "name: octets follow the value of an attribute"},
        {"3004 3002 3000", NULL, "name: RDN: DER tag 0x30 where 0x31 is due"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct buf der = {0};
        struct buf text = {0};
        struct err e = ERR_INIT;
        assert_true(text_unhex(cases[i].der, &der));
        buf_text(&text, "before ");
        if (cases[i].error != NULL) {
            assert_fails(name_to_text(buf_span(&der), &text, &e), &e, cases[i].error);
            assert_string_equal(text.data, "before ");
        } else {
            assert_works(name_to_text(buf_span(&der), &text, &e), &e);
            assert_string_equal(text.data + strlen("before "), cases[i].text);
        }
        buf_clear(&der);
        buf_clear(&text);
    }
}

// A name of 100,000 octets in one value, and one of 10,000 attributes: a bounded text that says that it is cut.
static void test_bounded(void **state)
{
    (void)state;
    static const uint8_t common_name[] = {0x06, 0x03, 0x55, 0x04, 0x03};
    static const uint8_t one[] = {0x31, 0x0a, 0x30, 0x08, 0x06, 0x03, 0x55, 0x04, 0x03, 0x0c, 0x01, 0x01};
    struct buf value = {0}, pair = {0}, attribute = {0}, rdn = {0}, der = {0}, text = {0}, many = {0};
    struct err e = ERR_INIT;
    uint8_t *zeros = mem_alloc(100000);
    buf_add(&pair, common_name, sizeof common_name);
    der_wrap(&pair, 0x0c, span_of(zeros, 100000));
    der_wrap(&attribute, 0x30, buf_span(&pair));
    der_wrap(&rdn, 0x31, buf_span(&attribute));
    der_wrap(&der, 0x30, buf_span(&rdn));
    assert_works(name_to_text(buf_span(&der), &text, &e), &e);
    assert_int_equal(text.len, strlen("CN=") + 3 * 2049 + strlen("..."));
    assert_true(text_ends((char *)text.data, "\\00\\00..."));
    buf_clear(&der);
    buf_clear(&text);
    for (size_t i = 0; i < 10000; i++) {
        buf_add(&many, one, sizeof one);
    }
    der_wrap(&der, 0x30, buf_span(&many));
    assert_works(name_to_text(buf_span(&der), &text, &e), &e);
    assert_in_range(text.len, 16384, 16384 + 16);
    assert_true(text_ends((char *)text.data, "CN=\\01,..."));
    free(zeros);
    buf_clear(&value);
    buf_clear(&pair);
    buf_clear(&attribute);
    buf_clear(&rdn);
    buf_clear(&der);
    buf_clear(&text);
    buf_clear(&many);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_against_openssl),
        cmocka_unit_test(test_hostile),
        cmocka_unit_test(test_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
