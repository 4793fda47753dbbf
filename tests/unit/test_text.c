// SPDX-License-Identifier: Apache-2.0
#include "base/text.h"
#include "unit.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

static const char *escaped(struct buf *b, const char *data, size_t len, size_t limit)
{
    buf_clear(b);
    return text_escape(b, data, len, limit);
}

static void hostile_text_is_escaped(void **state)
{
    struct buf b = {0};
    (void)state;
    assert_string_equal(escaped(&b, "plain \xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80", 15, 100),
                        "plain \xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80");
    assert_string_equal(escaped(&b, "a\nb\x1b[31m\x7f\\", 9, 100), "a\\x0Ab\\x1B[31m\\x7F");
    assert_string_equal(escaped(&b, "\\", 1, 100), "\\x5C");
    assert_string_equal(escaped(&b, "nul\0x", 5, 100), "nul\\x00x");
    assert_string_equal(escaped(&b, "\xe2\x80\xae", 3, 100), "\\xE2\\x80\\xAE"); // right-to-left override
    assert_string_equal(escaped(&b, "\xe2\x80\x8b", 3, 100), "\\xE2\\x80\\x8B"); // zero-width space
    assert_string_equal(escaped(&b, "\xc2\x85", 2, 100), "\\xC2\\x85");          // C1 control
    assert_string_equal(escaped(&b, "\xff\xc3", 2, 100), "\\xFF\\xC3");          // no UTF-8, and cut short
    assert_string_equal(escaped(&b, "", 0, 100), "");
    buf_clear(&b);
}

static void long_text_is_cut(void **state)
{
    struct buf b = {0};
    (void)state;
    assert_string_equal(escaped(&b, "abcdefghij", 10, 8), "abcde...");
    assert_string_equal(escaped(&b, "\n\n\n\n", 4, 8), "\\x0A\\x0A...");
    buf_clear(&b);
}

static void utf8_is_rfc_3629(void **state)
{
    static const struct {
        const char *bytes;
        size_t len;
        size_t taken;
        uint32_t code;
    } cases[] = {
        {"A", 1, 1, 0x41},
        {"\xc3\xa4", 2, 2, 0xe4},
        {"\xe2\x82\xac", 3, 3, 0x20ac},
        {"\xf4\x8f\xbf\xbf", 4, 4, 0x10ffff},
        {"\xc0\xaf", 2, 0, 0},         // longer than need be
        {"\xe0\x80\xaf", 3, 0, 0},     // the same
        {"\xed\xa0\x80", 3, 0, 0},     // a surrogate
        {"\xf4\x90\x80\x80", 4, 0, 0}, // beyond the last
        {"\x80", 1, 0, 0},             // no start
        {"\xe2\x82", 2, 0, 0},         // cut short
        {"\xe2\x28\xac", 3, 0, 0},     // no continuation
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint32_t code = 0;
        assert_int_equal(text_utf8((const uint8_t *)cases[i].bytes, cases[i].len, &code), cases[i].taken);
        assert_int_equal(code, cases[i].code);
    }
}

static void html_is_escaped(void **state)
{
    struct buf b = {0};
    (void)state;
    text_html(&b, "<a href=\"x\">'&'</a>");
    assert_string_equal((char *)b.data, "&lt;a href=&quot;x&quot;&gt;&#39;&amp;&#39;&lt;/a&gt;");
    buf_clear(&b);
}

// As jansson has it, with which everything else here is written.
static void assert_json(const char *text)
{
    struct buf b = {0};
    json_t *string = json_string(text);
    char *expected = json_dumps(string, JSON_ENCODE_ANY);
    assert_non_null(expected);
    text_json(&b, text);
    assert_string_equal((const char *)b.data, expected);
    free(expected);
    json_decref(string);
    buf_clear(&b);
}

static void json_is_quoted(void **state)
{
    (void)state;
    struct buf b = {0};
    assert_json("");
    assert_json("a \"b\" \\c/ \xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80\t");
    for (uint32_t code = 1; code < 0x3000; code++) {
        struct buf text = {0};
        buf_text(&text, "x");
        text_utf8_add(&text, code);
        text_utf8_add(&text, code);
        buf_text(&text, "y");
        assert_json((const char *)text.data);
        buf_clear(&text);
    }
    text_json(&b, "a\xff\xc0\x80z\xe2\x82");
    assert_string_equal((const char *)b.data, "\"a\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbdz\xef\xbf\xbd\xef\xbf\xbd\"");
    buf_clear(&b);
}

static void hex_there_and_back(void **state)
{
    static const uint8_t octets[] = {0x00, 0x7f, 0xff};
    struct buf b = {0};
    (void)state;
    text_hex(&b, octets, sizeof octets, ':');
    assert_string_equal((char *)b.data, "00:7f:ff");
    buf_clear(&b);
    text_hex(&b, octets, 0, '\0');
    assert_string_equal((char *)b.data, "");
    buf_clear(&b);
    assert_true(text_unhex("00:7F ff", &b));
    assert_int_equal(b.len, 3);
    assert_memory_equal(b.data, octets, 3);
    buf_clear(&b);
    assert_false(text_unhex("0", &b));
    assert_false(text_unhex("0:0", &b));
    assert_false(text_unhex("0g", &b));
    buf_clear(&b);
    assert_true(text_unhex("", &b));
    assert_int_equal(b.len, 0);
}

static void the_nearest_word_is_a_slip_away(void **state)
{
    static const char *const words[] = {"issuer", "subject", "key", "days", NULL};
    (void)state;
    assert_string_equal(text_nearest("isuer", words), "issuer");
    assert_string_equal(text_nearest("subjct", words), "subject");
    assert_string_equal(text_nearest("kee", words), "key");
    assert_null(text_nearest("validity", words));
    assert_null(text_nearest("", words));
    assert_null(text_nearest("a-word-that-is-longer-than-any-word-that-anybody-would-type", words));
}

static void lists_and_affixes(void **state)
{
    static const char *const words[] = {"a", "b", "c", NULL};
    struct buf b = {0};
    (void)state;
    text_list(&b, words);
    assert_string_equal((char *)b.data, "a, b, c");
    buf_clear(&b);
    assert_true(text_starts("client-x", "client-") && !text_starts("cli", "client-") && text_starts("", ""));
    assert_true(text_ends("a.pem", ".pem") && !text_ends("pem", ".pem") && text_ends("x", ""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hostile_text_is_escaped),
        cmocka_unit_test(long_text_is_cut),
        cmocka_unit_test(utf8_is_rfc_3629),
        cmocka_unit_test(html_is_escaped),
        cmocka_unit_test(json_is_quoted),
        cmocka_unit_test(hex_there_and_back),
        cmocka_unit_test(the_nearest_word_is_a_slip_away),
        cmocka_unit_test(lists_and_affixes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
