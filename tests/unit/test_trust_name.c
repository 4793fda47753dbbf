// SPDX-License-Identifier: Apache-2.0
#include "trust/name.h"
#include "trust_names.h"

#define V(tag, text) (tag), (text), sizeof(text) - 1

// Are two names of one attribute each, of this type, equal?
static const struct {
    const char *type;
    int left;
    const char *left_value;
    size_t left_len;
    int right;
    const char *right_value;
    size_t right_len;
    bool equal;
} pairs[] = {
    // case
    {"CN", V(UTF8, "Alice"), V(UTF8, "aLICE"), true},
    {"CN", V(UTF8, "Alice"), V(UTF8, "Alise"), false},
    {"CN", V(UTF8, "\xc3\x89mile \xce\xa9 \xd0\x96"), V(UTF8, "\xc3\xa9mile \xcf\x89 \xd0\xb6"), true},
    {"CN", V(UTF8, "\xc3\x89mile"), V(UTF8, "emile"), false},
    {"CN", V(UTF8, "\xc3\x97"), V(UTF8, "\xc3\xb7"), false}, // multiplication is no upper-case division
    {"DC", V(IA5, "Example"), V(IA5, "eXAMPLE"), true},
    {"E", V(IA5, "Alice@Example.com"), V(IA5, "alice@example.COM"), true},
    // space
    {"O", V(UTF8, "  Test \t Certificates "), V(UTF8, "Test Certificates"), true},
    {"O", V(UTF8, "Test Certificates"), V(UTF8, "TestCertificates"), false},
    {"O",
     V(UTF8, "a\xc2\xa0\xe3\x80\x80"
             "b"),
     V(UTF8, "a b"), true},
    {"O", V(UTF8, "pay\xc2\xad\xe2\x80\x8bpal"), V(UTF8, "paypal"), true}, // soft hyphen, zero width space
    {"O", V(UTF8, " "), V(UTF8, ""), true},
    // string types
    {"O", V(PRINTABLE, "Good CA"), V(UTF8, "good ca"), true},
    {"O", V(PRINTABLE, "Good CA"), V(BMP, "\0G\0o\0o\0d\0 \0C\0A"), true},
    {"O", V(PRINTABLE, "Good"), V(UNIVERSAL, "\0\0\0G\0\0\0o\0\0\0o\0\0\0d"), true},
    {"O", V(T61, "caf\xe9"), V(UTF8, "caf\xc3\xa9"), true},
    {"O", V(T61, "caf\xe9"), V(UTF8, "caf\xc3\xa8"), false},
    {"O", V(BMP, "\0c\0a\0f\0\xe9"), V(UTF8, "CAF\xc3\x89"), true},
    {"O", V(IA5, "x"), V(PRINTABLE, "X"), true},
    {"O", V(NUMERIC, "12"), V(VISIBLE, "12"), true},
    {"O", V(PRINTABLE, "a*@&_b"), V(UTF8, "A*@&_B"), true},
    // not strings: octet by octet, with the tag
    {"UID", V(0x03, "\0A"), V(0x03, "\0A"), true},
    {"UID", V(0x03, "\0A"), V(0x03, "\0a"), false},
    {"UID", V(0x04, "A"), V(UTF8, "A"), false},
    {"UID",
     V(0x04, "\x0c\x01"
             "a"),
     V(UTF8, "a"), false},
};

static void single(struct buf *name, const char *type, int tag, const char *value, size_t len)
{
    attribute_add(name, type, tag, span_of(value, len));
    der_enclose(name, 0x31);
    der_enclose(name, 0x30);
}

static void values_compare(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        struct err e = ERR_INIT;
        struct buf left = {0}, right = {0}, a = {0}, b = {0};
        single(&left, pairs[i].type, pairs[i].left, pairs[i].left_value, pairs[i].left_len);
        single(&right, pairs[i].type, pairs[i].right, pairs[i].right_value, pairs[i].right_len);
        assert_works(name_canonical(buf_span(&left), &a, &e), &e);
        assert_works(name_canonical(buf_span(&right), &b, &e), &e);
        bool equal = a.len == b.len && memcmp(a.data, b.data, a.len) == 0;
        if (equal != pairs[i].equal) {
            fail_msg("pair %zu: \"%s\" and \"%s\"", i, pairs[i].left_value, pairs[i].right_value);
        }
        buf_clear(&left);
        buf_clear(&right);
        buf_clear(&a);
        buf_clear(&b);
    }
}

// How two whole names relate: '=' equal, '<' the left is a prefix of the right, '#' neither
static char relation(const char *left, const char *right)
{
    struct err e = ERR_INIT;
    struct buf l = {0}, r = {0}, a = {0}, b = {0};
    name_add(&l, left);
    name_add(&r, right);
    assert_works(name_canonical(buf_span(&l), &a, &e), &e);
    assert_works(name_canonical(buf_span(&r), &b, &e), &e);
    bool prefix = a.len <= b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
    char answer = !prefix ? '#' : a.len == b.len ? '=' : '<';
    buf_clear(&l);
    buf_clear(&r);
    buf_clear(&a);
    buf_clear(&b);
    return answer;
}

static void names_relate(void **state)
{
    static const struct {
        const char *left, *right;
        char expected;
    } table[] = {
        {"O=x,CN=a", "O=X,CN=A", '='},
        {"O=x,CN=a", "CN=a,O=x", '#'}, // the order of RDNs counts
        {"O=x,CN=a+OU=b", "O=x,OU=B+CN=A", '='},
        {"O=x,CN=a+OU=b", "O=x,CN=a,OU=b", '#'},
        {"OU=b+OU=a+CN=c", "CN=c+OU=a+OU=b", '='},
        {"CN=ab+CN=a", "CN=a+CN=ab", '='},
        {"O=x", "O=x,CN=a", '<'},
        {"O=x", "O=x+CN=a", '#'}, // an RDN is whole or not there
        {"O=x", "O=xy", '#'},
        {"O=x,CN=a", "O=x", '#'},
        {"O=x", "OU=x", '#'},
        {"", "O=x", '<'},
        {"", "", '='},
        {"DC=com,DC=example", "DC=COM,DC=Example,CN=a", '<'},
    };
    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        char is = relation(table[i].left, table[i].right);
        if (is != table[i].expected) {
            fail_msg("\"%s\" %c \"%s\"", table[i].left, is, table[i].right);
        }
    }
}

static void malformed_is_refused(void **state)
{
    static const char no_character[] = "name: a string holds what is no character of its type";
    static const struct {
        int tag;
        const char *value;
        size_t len;
    } strings[] = {
        {V(UTF8, "a\0b")},
        {V(UTF8, "\xc3")},
        {V(UTF8, "\xc0\x80")},
        {V(UTF8, "\xed\xa0\x80")},
        {V(PRINTABLE, "a\0b")},
        {V(PRINTABLE, "caf\xe9")},
        {V(PRINTABLE, "a\nb")},
        {V(IA5, "\x80")},
        {V(IA5, "a\0")},
        {V(T61, "a\0")},
        {V(BMP, "\0a\0")},
        {V(BMP, "\0\0")},
        {V(BMP, "\xd8\x00")},
        {V(UNIVERSAL, "\0\0\0")},
        {V(UNIVERSAL, "\0\x11\0\0")},
        {V(VISIBLE, "\x7f")},
        {V(NUMERIC, "\xff")},
        {V(0x2c, "\x0c\x01"
                 "a")},
    };
    static const struct {
        const char *der, *text;
    } names[] = {
        {"", "name: DER: an element is cut short or has a tag of more than one octet"},
        {"31 00", "name: DER tag 0x31 where 0x30 is due"},
        {"30 00 00", "name: octets follow it"},
        {"30 02 31 00", "name: an RDN is empty"},
        {"30 02 30 00", "name: RDN: DER tag 0x30 where 0x31 is due"},
        {"30 04 31 02 30 00", "name: attribute type: DER: an element is cut short or has a tag of more than one octet"},
        {"30 09 31 07 30 05 06 00 0c 01 61", "name: an attribute type is no object identifier"},
        {"30 0a 31 08 30 06 06 01 80 0c 01 61", "name: an attribute type is no object identifier"},
        {"30 07 31 05 30 03 06 01 55",
         "name: attribute value: DER: an element is cut short or has a tag of more than one octet"},
        {"30 0c 31 0a 30 08 06 01 55 0c 01 61 05 00", "name: octets follow the value of an attribute"},
    };
    struct err e = ERR_INIT;
    (void)state;
    for (size_t i = 0; i < sizeof strings / sizeof strings[0]; i++) {
        struct buf name = {0}, out = {0};
        single(&name, "CN", strings[i].tag, strings[i].value, strings[i].len);
        assert_fails(name_canonical(buf_span(&name), &out, &e), &e, no_character);
        buf_clear(&name);
        buf_clear(&out);
    }
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct buf name = {0}, out = {0};
        assert_true(text_unhex(names[i].der, &name));
        assert_fails(name_canonical(buf_span(&name), &out, &e), &e, names[i].text);
        buf_clear(&name);
        buf_clear(&out);
    }
}

// Preparing what was prepared changes nothing.
static void canonical_is_a_fixed_point(void **state)
{
    struct err e = ERR_INIT;
    struct buf name = {0}, once = {0}, twice = {0};
    (void)state;
    name_add(&name, "O=  Big   \xc3\x84 Corp,OU=b+OU=A+CN=\xd0\x96,E=A@B");
    assert_works(name_canonical(buf_span(&name), &once, &e), &e);
    struct buf wrapped = {0};
    der_wrap(&wrapped, 0x30, buf_span(&once));
    assert_works(name_canonical(buf_span(&wrapped), &twice, &e), &e);
    assert_int_equal(once.len, twice.len);
    assert_memory_equal(once.data, twice.data, once.len);
    buf_clear(&name);
    buf_clear(&once);
    buf_clear(&wrapped);
    buf_clear(&twice);
}

// Every truncation is refused; no change of an octet does harm (under the sanitizers).
static void damage_does_no_harm(void **state)
{
    struct buf name = {0};
    (void)state;
    name_add(&name, "O=Example,CN=a+OU=\xc3\x84,DC=b");
    for (size_t len = 0; len < name.len; len++) {
        struct err e = ERR_INIT;
        struct buf out = {0};
        uint8_t *exact = malloc(len + 1);
        memcpy(exact, name.data, len);
        assert_int_equal(name_canonical(span_of(exact, len), &out, &e), -1);
        free(exact);
        buf_clear(&out);
    }
    for (size_t i = 0; i < name.len * 256; i++) {
        struct err e = ERR_INIT;
        struct buf out = {0};
        uint8_t *changed = malloc(name.len);
        memcpy(changed, name.data, name.len);
        changed[i / 256] = (uint8_t)i;
        name_canonical(span_of(changed, name.len), &out, &e);
        free(changed);
        buf_clear(&out);
    }
    buf_clear(&name);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_compare),       cmocka_unit_test(names_relate),
        cmocka_unit_test(malformed_is_refused), cmocka_unit_test(canonical_is_a_fixed_point),
        cmocka_unit_test(damage_does_no_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
