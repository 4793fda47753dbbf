// SPDX-License-Identifier: Apache-2.0
// ca/general_name.c: what OpenSSL makes of the same names is in its requests, octet for octet.
#include "ca/name.h"
#include "name_fixture.h"
#include "tests/temporary.h"

struct typed {
    enum general_name_type type;
    const char *value;
};

static void add_all(struct general_names *names, const struct typed *items, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        general_names_add(names, items[i].type, items[i].value);
    }
}

static void assert_contains(const struct buf *whole, const struct buf *part)
{
    assert_true(part->len > 0);
    assert_non_null(memmem(whole->data, whole->len, part->data, part->len));
}

static void test_guess(void **state)
{
    (void)state;
    static const struct typed cases[] = {
        {GENERAL_NAME_DNS, "localhost"},     {GENERAL_NAME_DNS, "*.example.com"},
        {GENERAL_NAME_DNS, "10.0.0"},        {GENERAL_NAME_DNS, "urn:a"},
        {GENERAL_NAME_IP, "127.0.0.1"},      {GENERAL_NAME_IP, "::1"},
        {GENERAL_NAME_IP, "10.0.0.0/8"},     {GENERAL_NAME_EMAIL, "a@example.com"},
        {GENERAL_NAME_URI, "spiffe://td/x"}, {GENERAL_NAME_URI, "https://u@example.com/"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(general_name_guess(cases[i].value), cases[i].type);
    }
}

static void test_words(void **state)
{
    (void)state;
    assert_string_equal(general_name_type_word(GENERAL_NAME_DNS), "dns");
    assert_string_equal(general_name_type_word(GENERAL_NAME_IP), "ip");
    assert_string_equal(general_name_type_word(GENERAL_NAME_EMAIL), "email");
    assert_string_equal(general_name_type_word(GENERAL_NAME_URI), "uri");
    assert_string_equal(general_name_type_word(GENERAL_NAME_DIRECTORY), "dirname");
    assert_string_equal(general_name_type_word((enum general_name_type)8), "other");
}

static const struct typed all_kinds[] = {
    {GENERAL_NAME_DNS, "localhost"},  {GENERAL_NAME_DNS, "*.example.com"},   {GENERAL_NAME_IP, "127.0.0.1"},
    {GENERAL_NAME_IP, "2001:db8::1"}, {GENERAL_NAME_EMAIL, "a@example.com"}, {GENERAL_NAME_URI, "spiffe://td/x"},
};
enum { ALL_KINDS = sizeof all_kinds / sizeof all_kinds[0] };

static void test_encode_against_openssl(void **state)
{
    (void)state;
    struct general_names names = {0};
    struct general_names again = {0};
    struct buf request = {0}, der = {0};
    struct err e = ERR_INIT;
    openssl_request(&request, "-subj /CN=a -addext 'subjectAltName=DNS:localhost,DNS:*.example.com,IP:127.0.0.1,"
                              "IP:2001:db8::1,email:a@example.com,URI:spiffe://td/x'");
    add_all(&names, all_kinds, ALL_KINDS);
    assert_works(general_names_encode(&names, &der, &e), &e);
    assert_contains(&request, &der);
    assert_works(general_names_to_text(buf_span(&der), &again, &e), &e);
    assert_int_equal(again.count, ALL_KINDS);
    for (size_t i = 0; i < ALL_KINDS; i++) {
        assert_int_equal(again.items[i].type, all_kinds[i].type);
        assert_string_equal(again.items[i].value, all_kinds[i].value);
    }
    general_names_clear(&names);
    general_names_clear(&again);
    buf_clear(&request);
    buf_clear(&der);
}

// A directory name and the kinds that we do not make, which OpenSSL takes from a configuration file only.
static void test_other_kinds_of_openssl(void **state)
{
    (void)state;
    static const struct typed expected[] = {
        {GENERAL_NAME_DIRECTORY, "CN=alice,O=Acme"},
        {(enum general_name_type)8, "[8] 2a0304"},
        {(enum general_name_type)0, "[0] 06032a0304a0060c0468696821"},
    };
    char path[TEMPORARY_PATH];
    struct general_names names = {0};
    struct buf request = {0}, der = {0}, directory = {0};
    struct err e = ERR_INIT;
    int fd = temporary_open(path);
    assert_true(fd >= 0);
    assert_true(dprintf(fd, "[req]\ndistinguished_name=n\nreq_extensions=x\n[n]\n[x]\nsubjectAltName=@s\n[d]\nO="
                            "Acme\nCN=alice\n[s]\ndirName=d\nRID=1.2.3.4\n"
                            "otherName=1.2.3.4;UTF8:hih!\n") > 0);
    close(fd);
    char *options = mem_printf("-utf8 -subj /CN=a -config %s", path);
    openssl_request(&request, options);
    unlink(path);
    free(options);

    static const uint8_t san_oid[] = {0x06, 0x03, 0x55, 0x1d, 0x11, 0x04};
    const uint8_t *extension = memmem(request.data, request.len, san_oid, sizeof san_oid);
    assert_non_null(extension);
    extension += sizeof san_oid + 1; // the OCTET STRING's length is one octet
    assert_works(general_names_to_text(span_of(extension, extension[-1]), &names, &e), &e);
    assert_int_equal(names.count, 3);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(names.items[i].type, expected[i].type);
        assert_string_equal(names.items[i].value, expected[i].value);
    }
    assert_fails(general_names_encode(&names, &der, &e), &e, "other \"[8] 2a0304\": names of this kind cannot be made");
    assert_int_equal(der.len, 0);

    struct general_names alice = {0};
    general_names_add(&alice, GENERAL_NAME_DIRECTORY, "CN=alice,O=Acme");
    assert_works(general_names_encode(&alice, &directory, &e), &e);
    struct der_item list;
    struct span rest = buf_span(&directory);
    assert_works(der_next(&rest, &list, &e), &e);
    assert_non_null(memmem(request.data, request.len, list.content.data, list.content.len));
    general_names_clear(&alice);
    general_names_clear(&names);
    buf_clear(&request);
    buf_clear(&der);
    buf_clear(&directory);
}

static void test_subtrees_against_openssl(void **state)
{
    (void)state;
    static const struct typed items[] = {
        {GENERAL_NAME_DNS, "example.com"},  {GENERAL_NAME_DNS, ".example.org"},   {GENERAL_NAME_IP, "10.0.0.0/8"},
        {GENERAL_NAME_IP, "2001:db8::/33"}, {GENERAL_NAME_EMAIL, ".example.com"}, {GENERAL_NAME_URI, "example.com"},
    };
    struct general_names names = {0};
    struct buf request = {0}, der = {0};
    struct err e = ERR_INIT;
    openssl_request(&request, "-subj /CN=a -addext 'nameConstraints=permitted;DNS:example.com,permitted;"
                              "DNS:.example.org,permitted;IP:10.0.0.0/255.0.0.0,"
                              "permitted;IP:2001:db8:0:0:0:0:0:0/ffff:ffff:8000:0:0:0:0:0,"
                              "permitted;email:.example.com,permitted;URI:example.com'");
    add_all(&names, items, sizeof items / sizeof items[0]);
    assert_works(general_subtrees_encode(&names, &der, &e), &e);
    assert_contains(&request, &der);
    buf_clear(&der);
    general_names_add(&names, GENERAL_NAME_IP, "10.0.0.1");
    assert_fails(general_subtrees_encode(&names, &der, &e), &e,
                 "ip \"10.0.0.1\": a constraint has a prefix length: 10.0.0.1/32 is this address alone");
    assert_int_equal(der.len, 0);
    general_names_clear(&names);
    buf_clear(&request);
}

static void test_empty(void **state)
{
    (void)state;
    struct general_names none = {0};
    struct buf der = {0};
    struct err e = ERR_INIT;
    assert_fails(general_names_encode(&none, &der, &e), &e, "a list of names must have one at least");
    assert_fails(general_subtrees_encode(&none, &der, &e), &e, "a list of names must have one at least");
    assert_int_equal(der.len, 0);
}

// What comes in a request: shown, and never taken for another name when it is encoded again.
static void test_hostile(void **state)
{
    (void)state;
    static const struct {
        const char *der, *value, *error;
    } cases[] = {
        {"3005 8203 610062", "a\\x00b",
         "dns \"a\\x5Cx00b\": label \"a\\x00b\" must be letters, digits and inner hyphens"},
        {"3004 8202 1b5b", "\\x1B[", "dns \"\\x5Cx1B[\": label \"\\x1B[\" must be letters, digits and inner hyphens"},
        {"3007 8705 7f00000101", "[7] 7f00000101",
         "ip \"[7] 7f00000101\": an IPv4 or IPv6 address is due, such as 127.0.0.1 or ::1"},
        {"3002 8200", "", "dns \"\": an empty value is no name"},
        {"3004 a402 3100", "[4] 3100",
         "dirname \"[4] 3100\": TYPE=VALUE is due, such as CN=alice,O=Acme, where \"[4] 3100\" stands (a comma in a "
         "value "
         "is written \\,)"},
        // constructed where it must not be, and a tag of another class
        {"3005 a203 0c0161", "[2] 0c0161",
         "dns \"[2] 0c0161\": a space or control character is in it: give the A-labels of a host name (xn--..., RFC "
         "5891)"},
        {"3003 0201 01", "[2] 01",
         "dns \"[2] 01\": a space or control character is in it: give the A-labels of a host name (xn--..., RFC 5891)"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct general_names names = {0};
        struct buf der = {0}, again = {0};
        struct err e = ERR_INIT;
        assert_true(text_unhex(cases[i].der, &der));
        assert_works(general_names_to_text(buf_span(&der), &names, &e), &e);
        assert_int_equal(names.count, 1);
        assert_string_equal(names.items[0].value, cases[i].value);
        assert_fails(general_names_encode(&names, &again, &e), &e, cases[i].error);
        general_names_clear(&names);
        buf_clear(&der);
    }
    static const struct {
        const char *der, *error;
    } damaged[] = {
        {"", "names: DER: an element is cut short or has a tag of more than one octet"},
        {"3103 820161", "names: DER tag 0x31 where 0x30 is due"},
        {"3003 82016100", "names: octets follow them"},
        {"3003 820261", "names: DER: an element is longer than what holds it"},
    };
    for (size_t i = 0; i < sizeof damaged / sizeof damaged[0]; i++) {
        struct general_names names = {0};
        struct buf der = {0};
        struct err e = ERR_INIT;
        assert_true(text_unhex(damaged[i].der, &der));
        assert_fails(general_names_to_text(buf_span(&der), &names, &e), &e, damaged[i].error);
        general_names_clear(&names);
        buf_clear(&der);
    }
}

// A URI longer than any that we read as text is hex, cut: it must not come back as a shorter URI.
static void test_too_long(void **state)
{
    (void)state;
    for (size_t more = 0; more < 2; more++) {
        struct general_names names = {0};
        struct buf uri = {0}, name = {0}, der = {0};
        struct err e = ERR_INIT;
        buf_text(&uri, "urn:");
        while (uri.len < 4096 + more) {
            buf_text(&uri, "a");
        }
        der_wrap(&name, 0x86, buf_span(&uri));
        der_wrap(&der, 0x30, buf_span(&name));
        assert_works(general_names_to_text(buf_span(&der), &names, &e), &e);
        assert_true(text_starts(names.items[0].value, more == 0 ? "urn:aaa" : "[6] 75726e3a61"));
        assert_int_equal(text_ends(names.items[0].value, "..."), more);
        assert_int_equal(general_name_check(&names.items[0], &e), more == 0 ? 0 : -1);
        general_names_clear(&names);
        buf_clear(&uri);
        buf_clear(&name);
        buf_clear(&der);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_guess),
        cmocka_unit_test(test_words),
        cmocka_unit_test(test_encode_against_openssl),
        cmocka_unit_test(test_other_kinds_of_openssl),
        cmocka_unit_test(test_subtrees_against_openssl),
        cmocka_unit_test(test_empty),
        cmocka_unit_test(test_hostile),
        cmocka_unit_test(test_too_long),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
