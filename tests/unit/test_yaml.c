// SPDX-License-Identifier: Apache-2.0
#include "base/yaml.h"
#include "unit.h"

#include <string.h>

// A schema with one field of each kind.
struct item {
    char *name;
    char **tags;
    unsigned tags_count;
};

struct all {
    char *text;
    int8_t small;
    uint16_t port;
    int64_t large;
    uint64_t *huge;
    bool flag;
    int word;
    unsigned words;
    struct item *items;
    unsigned items_count;
    struct item *one;
    double *pair;
    double number;
};

static const cyaml_schema_value_t text_value = {CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char, 0, 8)};
static const cyaml_strval_t words[] = {{"red", 1}, {"green", 2}, {"blue", 4}};
static const cyaml_schema_field_t item_fields[] = {
    CYAML_FIELD_STRING_PTR("name", CYAML_FLAG_DEFAULT, struct item, name, 1, 8),
    CYAML_FIELD_SEQUENCE("tags", CYAML_FLAG_OPTIONAL | CYAML_FLAG_POINTER, struct item, tags, &text_value, 1, 3),
    CYAML_FIELD_END,
};
static const cyaml_schema_value_t item_value = {CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct item, item_fields)};
static const cyaml_schema_value_t number_value = {CYAML_VALUE_FLOAT(CYAML_FLAG_DEFAULT, double)};
static const cyaml_schema_field_t all_fields[] = {
    CYAML_FIELD_STRING_PTR("text", CYAML_FLAG_OPTIONAL, struct all, text, 0, CYAML_UNLIMITED),
    CYAML_FIELD_INT("small", CYAML_FLAG_OPTIONAL, struct all, small),
    CYAML_FIELD_UINT("port", CYAML_FLAG_OPTIONAL, struct all, port),
    CYAML_FIELD_INT("large", CYAML_FLAG_OPTIONAL, struct all, large),
    CYAML_FIELD_UINT_PTR("huge", CYAML_FLAG_OPTIONAL, struct all, huge),
    CYAML_FIELD_BOOL("flag", CYAML_FLAG_OPTIONAL, struct all, flag),
    CYAML_FIELD_ENUM("word", CYAML_FLAG_OPTIONAL | CYAML_FLAG_STRICT, struct all, word, words, 3),
    CYAML_FIELD_FLAGS("words", CYAML_FLAG_OPTIONAL | CYAML_FLAG_STRICT, struct all, words, words, 3),
    CYAML_FIELD_SEQUENCE("items", CYAML_FLAG_OPTIONAL | CYAML_FLAG_POINTER, struct all, items, &item_value, 0,
                         CYAML_UNLIMITED),
    CYAML_FIELD_MAPPING_PTR("one", CYAML_FLAG_OPTIONAL, struct all, one, item_fields),
    CYAML_FIELD_SEQUENCE_FIXED("pair", CYAML_FLAG_OPTIONAL | CYAML_FLAG_POINTER, struct all, pair, &number_value, 2),
    CYAML_FIELD_FLOAT("number", CYAML_FLAG_OPTIONAL, struct all, number),
    CYAML_FIELD_END,
};
static const cyaml_schema_value_t all_schema = {CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct all, all_fields)};

static struct span span_of_text(const char *text)
{
    return span_of(text, strlen(text));
}

static void test_good_text_fills_the_struct(void **state)
{
    (void)state;
    static const char text[] = "# a comment\n"
                               "text: \"a: \\tü\\\\\"\n"
                               "small: -128\nport: 65535\nlarge: -9223372036854775808\nhuge: 9223372036854775807\n"
                               "flag: true\nword: green\nwords: [red, blue]\n"
                               "items:\n- name: 123\n- {name: b, tags: [x, \"\", 'no']}\n"
                               "one: {name: \"null\"}\n";
    struct yaml_doc *doc;
    void *data;
    struct err e = ERR_INIT;
    assert_works(yaml_load("f", span_of_text(text), &all_schema, &doc, &data, &e), &e);
    const struct all *all = data;
    assert_string_equal(all->text, "a: \tü\\");
    assert_int_equal(all->small, -128);
    assert_int_equal(all->port, 65535);
    assert_true(all->large == INT64_MIN);
    assert_true(*all->huge == INT64_MAX);
    assert_true(all->flag);
    assert_int_equal(all->word, 2);
    assert_int_equal(all->words, 5);
    assert_int_equal(all->items_count, 2);
    assert_string_equal(all->items[0].name, "123");
    assert_int_equal(all->items[1].tags_count, 3);
    assert_string_equal(all->items[1].tags[2], "no");
    assert_string_equal(all->one->name, "null");
    yaml_data_free(&all_schema, data);
    yaml_doc_free(doc);
}

struct error_case {
    const char *text;
    const char *error;
};

static void assert_errors(const struct error_case *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct yaml_doc *doc;
        void *data;
        struct err e = ERR_INIT;
        assert_fails(yaml_load("f", span_of_text(cases[i].text), &all_schema, &doc, &data, &e), &e, cases[i].error);
        assert_null(data);
        yaml_doc_free(doc);
    }
}

static void test_fields_and_values(void **state)
{
    (void)state;
    static const struct error_case cases[] = {
        {"txet: a\n", "f:1: txet: unknown field (did you mean \"text\"?)"},
        {"text: a\nzzzzzzz: 1\n", "f:2: zzzzzzz: unknown field (one of: text, small, port, large, huge, flag, word, "
                                  "words, items, one, pair, number)"},
        {"items:\n- name: a\n  tgas: [a]\n", "f:3: items[0].tgas: unknown field (did you mean \"tags\"?)"},
        {"items:\n- tags: [a]\n", "f:2: items[0]: the field \"name\" is missing"},
        {"one: {}\n", "f:1: one: the field \"name\" is missing"},
        {"text: a\nflag: true\ntext: b\n", "f:3: text: given twice (first in line 1)"},
        {"text: [a]\n", "f:1: text: expected text, found a list"},
        {"text: {a: b}\n", "f:1: text: expected text, found a mapping"},
        {"text:\n", "f:1: text: it has no value (write \"\" for empty text)"},
        {"text: ~\n", "f:1: text: it has no value (write \"\" for empty text)"},
        {"items:\n- name: \"\"\n", "f:2: items[0].name: it is shorter than 1 bytes"},
        {"items:\n- name: 123456789\n", "f:2: items[0].name: it is longer than 8 bytes"},
        {"items: {name: a}\n", "f:1: items: expected a list, found a mapping"},
        {"items:\n", "f:1: items: expected a list, found nothing"},
        {"items: a\n", "f:1: items: expected a list, found \"a\"; write [\"a\"]"},
        {"items: [a]\n", "f:1: items[0]: expected a mapping of fields to values, found \"a\""},
        {"items: [[a]]\n", "f:1: items[0]: expected a mapping of fields to values, found a list"},
        {"one: {name: a, tags: []}\n", "f:1: one.tags: it must have at least 1 item"},
        {"one: {name: a, tags: [a, b, c, d]}\n", "f:1: one.tags: it must have at most 3 items"},
        {"one: {name: a, tags: [a,\n b, [c]]}\n", "f:2: one.tags[2]: expected text, found a list"},
        {"flag: yes\n", "f:1: flag: expected true or false, found \"yes\""},
        {"flag: flase\n", "f:1: flag: expected true or false, found \"flase\""},
        {"flag: [true]\n", "f:1: flag: expected true or false, found a list"},
        {"small: 128\n", "f:1: small: 128 is out of range (-128 to 127)"},
        {"small: -129\n", "f:1: small: -129 is out of range (-128 to 127)"},
        {"port: 65536\n", "f:1: port: 65536 is out of range (0 to 65535)"},
        {"port: -1\n", "f:1: port: -1 is out of range (0 to 65535)"},
        {"large: 9223372036854775808\n",
         "f:1: large: 9223372036854775808 is out of range (-9223372036854775808 to 9223372036854775807)"},
        {"small: 010\n", "f:1: small: expected a whole number, found \"010\""},
        {"small: 0x10\n", "f:1: small: expected a whole number, found \"0x10\""},
        {"small: 1.5\n", "f:1: small: expected a whole number, found \"1.5\""},
        {"small: many\n", "f:1: small: expected a whole number, found \"many\""},
        {"small:\n", "f:1: small: expected a whole number, found nothing"},
        {"small: []\n", "f:1: small: expected a whole number, found a list"},
        {"word: gren\n", "f:1: word: unknown word \"gren\" (did you mean \"green\"?)"},
        {"word: ultraviolet\n", "f:1: word: unknown word \"ultraviolet\" (one of: red, green, blue)"},
        {"word: 2\n", "f:1: word: unknown word \"2\" (one of: red, green, blue)"},
        {"word: [red]\n", "f:1: word: expected a word, found a list"},
        {"words: red\n", "f:1: words: expected a list, found \"red\"; write [\"red\"]"},
        {"words: [red, bleu]\n", "f:1: words[1]: unknown word \"bleu\" (did you mean \"blue\"?)"},
        {"words: [red, {a: b}]\n", "f:1: words[1]: expected a word, found a mapping"},
    };
    assert_errors(cases, sizeof cases / sizeof cases[0]);
}

static void test_syntax_and_what_yaml_could_do(void **state)
{
    (void)state;
    static const struct error_case cases[] = {
        {"", "f:1: the file is empty"},
        {"# nothing\n", "f:1: the file is empty"},
        {"---\n", "f:1: expected a mapping of fields to values, found nothing"},
        {"- a\n", "f:1: expected a mapping of fields to values, found a list"},
        {"just text\n", "f:1: expected a mapping of fields to values, found \"just text\""},
        {"text: a\n---\ntext: b\n", "f:2: a second document; one file holds one"},
        {"text: &a x\none: {name: *a}\n", "f:2: aliases (*name) are not supported; write the value out"},
        {"text: !!str a\n", "f:1: tags (!name) are not supported; leave it out"},
        {"text: \"a\\0b\"\n", "f:1: control and invisible characters cannot be part of a text"},
        {"text: \"a\\e[2Jb\"\n", "f:1: control and invisible characters cannot be part of a text"},
        {"text: \"a\\u202eb\"\n", "f:1: control and invisible characters cannot be part of a text"},
        {"? [a]\n: b\n", "f:1: the name of a field must be text"},
        {"a: [[[[[[[[[[[[[[[[[[[[[[[[\n", "f:1: nested too deeply"},
        {"text: a\n\tflag: true\n", "f:2: this is not YAML: while scanning a plain scalar from line 1 on: found a tab "
                                    "character that violates indentation (indent with spaces, not tabs)"},
        {"text: [a, b\nflag: true\n",
         "f:2: this is not YAML: while parsing a flow sequence from line 1 on: did not find expected ',' or ']'"},
        {"items:\n- name: a\n tags: [b]\n",
         "f:3: this is not YAML: while parsing a block mapping from line 1 on: did not find expected key"},
        {"text: a: b\n", "f:1: this is not YAML: mapping values are not allowed in this context (put quotes around "
                         "text with a colon in it, and look at the indentation)"},
        {"text: \"a\n",
         "f:2: this is not YAML: while scanning a quoted scalar from line 1 on: found unexpected end of stream"},
        {"text: a\nflag: \xff\n", "f:2: this is not YAML: invalid leading UTF-8 octet; it must be UTF-8 text"},
        {"text: a\nflag: \x01\n", "f:2: this is not YAML: control characters are not allowed; it must be UTF-8 text"},
        {"text: a\n\x62\\x1b[31m: a\n", "f:2: b\\x5Cx1b[31m: unknown field (one of: text, small, port, large, huge, "
                                        "flag, word, words, items, one, pair, number)"},
        {"txet: a\nflag: 1\nsmall: b\n", "f:1: txet: unknown field (did you mean \"text\"?) (and 2 more)"},
        {"pair: [1, 2, 3]\n", "f:1: Excessive entries (2 max) in sequence. (Sequence with too many entries)"},
        {"number: abc\n", "f:1: Invalid FLOAT value: abc (Invalid value)"},
        {"text: %a\n", "f:1: this is not YAML: found character that cannot start any token (put quotes around it; "
                       "indent with spaces, not tabs)"},
        {"text: @a\n", "f:1: this is not YAML: found character that cannot start any token (put quotes around it; "
                       "indent with spaces, not tabs)"},
    };
    assert_errors(cases, sizeof cases / sizeof cases[0]);
}

static void test_an_empty_mapping_is_good(void **state)
{
    (void)state;
    struct yaml_doc *doc;
    void *data;
    struct err e = ERR_INIT;
    assert_works(yaml_load("f", span_of_text("{}\n"), &all_schema, &doc, &data, &e), &e);
    assert_true(data == NULL || ((struct all *)data)->items_count == 0);
    yaml_data_free(&all_schema, data);
    yaml_doc_free(doc);
}

static void test_all_problems_are_kept_by_line(void **state)
{
    (void)state;
    static const char text[] = "small: x\nitems:\n- {name: a}\n- {nme: b}\nflag: 1\n";
    struct yaml_doc *doc;
    void *data;
    struct err e = ERR_INIT;
    size_t count;
    assert_fails(yaml_load("f", span_of_text(text), &all_schema, &doc, &data, &e), &e,
                 "f:1: small: expected a whole number, found \"x\" (and 3 more)");
    yaml_problem(doc, "items[0].name", "it is too %s", "short");
    yaml_problem(doc, "items[0].name", "it is too %s", "short");
    yaml_unknown(doc, "items[1]", "colour", "gren\x1b", (const char *const[]){"red", "green", NULL});
    const struct yaml_problem *problems = yaml_problems(doc, &count);
    assert_int_equal(count, 6);
    assert_string_equal(problems[1].text, "f:3: items[0].name: it is too short");
    assert_string_equal(problems[2].text, "f:4: items[1].nme: unknown field (did you mean \"name\"?)");
    assert_string_equal(problems[3].text, "f:4: items[1]: the field \"name\" is missing");
    assert_string_equal(problems[4].text, "f:4: items[1]: unknown colour \"gren\\x1B\" (did you mean \"green\"?)");
    assert_int_equal(problems[5].line, 5);
    yaml_doc_free(doc);
}

static void test_long_lists_are_cut(void **state)
{
    (void)state;
    const char *known[101] = {0};
    struct yaml_doc *doc;
    void *data;
    struct err e = ERR_INIT;
    for (size_t i = 0; i < 100; i++) {
        known[i] = "abcdefgh";
    }
    assert_works(yaml_load("f", span_of_text("text: a\n"), &all_schema, &doc, &data, &e), &e);
    yaml_unknown(doc, "text", "word", "xyz", known);
    assert_int_equal(yaml_result(doc, &e), -1);
    assert_non_null(strstr(e.text, "f:1: text: unknown word \"xyz\" (one of: abcdefgh, abcdefgh, "));
    assert_string_equal(e.text + strlen(e.text) - strlen(", abcdefgh, ...)"), ", abcdefgh, ...)");
    yaml_data_free(&all_schema, data);
    yaml_doc_free(doc);
}

static void test_no_more_problems_are_kept_than_anybody_reads(void **state)
{
    (void)state;
    struct buf text = {0};
    struct yaml_doc *doc;
    void *data;
    struct err e = ERR_INIT;
    size_t count;
    for (int i = 0; i < YAML_PROBLEM_LIMIT + 5; i++) {
        buf_printf(&text, "unknown%d: 1\n", i);
    }
    assert_int_equal(yaml_load("f", buf_span(&text), &all_schema, &doc, &data, &e), -1);
    assert_non_null(strstr(e.text, "(and 1004 more)"));
    yaml_problems(doc, &count);
    assert_int_equal(count, YAML_PROBLEM_LIMIT);
    yaml_doc_free(doc);
    buf_clear(&text);
}

static void test_paths_lead_to_lines(void **state)
{
    (void)state;
    static const char text[] = "text: a\nitems:\n- name: a\n  tags:\n  - x\n  - y\n- name: b\n";
    static const struct {
        const char *path;
        bool there;
        int line;
    } cases[] = {
        {"", true, 1},
        {"text", true, 1},
        {"items", true, 2},
        {"items[0]", true, 3},
        {"items[0].tags[1]", true, 6},
        {"items[1].name", true, 7},
        {"items[1].tags", false, 7},
        {"items[1].tags[3]", false, 7},
        {"items[2]", false, 2},
        {"items.name", false, 2},
        {"text[0]", false, 1},
        {"text.x", false, 1},
        {"tex", false, 1},
    };
    struct yaml_doc *doc;
    void *data;
    struct err e = ERR_INIT;
    assert_works(yaml_load("f", span_of_text(text), &all_schema, &doc, &data, &e), &e);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(yaml_has(doc, cases[i].path), cases[i].there);
        assert_int_equal(yaml_line(doc, cases[i].path), cases[i].line);
    }
    yaml_data_free(&all_schema, data);
    yaml_doc_free(doc);
}

static void test_size_is_bounded(void **state)
{
    (void)state;
    struct buf text = {0};
    struct yaml_doc *doc;
    void *data;
    struct err e = ERR_INIT;
    buf_reserve(&text, YAML_SIZE_LIMIT + 1);
    memset(text.data, ' ', YAML_SIZE_LIMIT + 1);
    text.len = YAML_SIZE_LIMIT + 1;
    assert_fails(yaml_load("f", buf_span(&text), &all_schema, &doc, &data, &e), &e,
                 "f:1: the file is larger than 16777216 bytes");
    yaml_doc_free(doc);
    buf_clear(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good_text_fills_the_struct),
        cmocka_unit_test(test_fields_and_values),
        cmocka_unit_test(test_syntax_and_what_yaml_could_do),
        cmocka_unit_test(test_an_empty_mapping_is_good),
        cmocka_unit_test(test_all_problems_are_kept_by_line),
        cmocka_unit_test(test_long_lists_are_cut),
        cmocka_unit_test(test_no_more_problems_are_kept_than_anybody_reads),
        cmocka_unit_test(test_paths_lead_to_lines),
        cmocka_unit_test(test_size_is_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
