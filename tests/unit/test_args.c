// SPDX-License-Identifier: Apache-2.0
#include "base/args.h"
#include "unit.h"

#include <stdlib.h>
#include <string.h>

struct parsed {
    bool flag;
    const char *text;
    const char *optional;
    long number;
    struct arg_list list;
    struct arg_list operands;
    char *help;
};

// Parses the words of a line.
static int parse(struct parsed *p, const char *line, struct err *e)
{
    char *argv[20] = {NULL};
    int argc = 0;
    static char words[256]; // what is parsed is borrowed from it
    *p = (struct parsed){.number = -1};
    const struct arg_option options[] = {
        {"check", 'c', ARG_FLAG, NULL, "change nothing", &p->flag},
        {"pki", 'd', ARG_TEXT, "DIR", "the directory", &p->text},
        {"days", 'n', ARG_NUMBER, "DAYS", "how many days", &p->number},
        {"tell", 0, ARG_OPTIONAL, "HOW", "in words", &p->optional},
        {"name-of-some-length", 0, ARG_LIST, "NAME", "may be repeated", &p->list},
        {NULL, 0, ARG_FLAG, NULL, NULL, NULL},
    };
    const struct arg_command command = {.usage = "ca try NAME [-d DIR]",
                                        .summary = "Tries.",
                                        .operands = "NAME",
                                        .least = 1,
                                        .most = 2,
                                        .options = options,
                                        .examples = "  mtls ca try x\n"};
    snprintf(words, sizeof words, "try %s", line);
    for (char *word = strtok(words, " "); word != NULL; word = strtok(NULL, " ")) {
        argv[argc++] = word;
    }
    size_t size = 0;
    FILE *help = open_memstream(&p->help, &size);
    args_help(&command, help);
    fclose(help);
    return args_parse(&command, argc, argv, &p->operands, e);
}

static void clear(struct parsed *p)
{
    arg_list_clear(&p->list);
    arg_list_clear(&p->operands);
    free(p->help);
}

static void all_forms_are_understood(void **state)
{
    static const char *const lines[] = {
        "--check --pki x --days 7 --name-of-some-length a --name-of-some-length b one two",
        "one --check -d x -n 7 --name-of-some-length=a two --name-of-some-length=b",
        "-cdx -n7 one two --name-of-some-length a --name-of-some-length=b",
        "-cd x -ccn7 one two --name-of-some-length a --name-of-some-length=b",
        "-dx -n7 --pki=x --check --name-of-some-length a --name-of-some-length=b -- one two",
    };
    (void)state;
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        struct err e = ERR_INIT;
        struct parsed p;
        assert_works(parse(&p, lines[i], &e), &e);
        assert_true(p.flag);
        assert_string_equal(p.text, "x");
        assert_int_equal(p.number, 7);
        assert_int_equal(p.list.count, 2);
        assert_string_equal(p.list.items[0], "a");
        assert_string_equal(p.list.items[1], "b");
        assert_int_equal(p.operands.count, 2);
        assert_string_equal(p.operands.items[0], "one");
        assert_string_equal(p.operands.items[1], "two");
        clear(&p);
    }
}

static void a_dash_is_an_operand_and_two_end_the_options(void **state)
{
    struct err e = ERR_INIT;
    struct parsed p;
    (void)state;
    assert_works(parse(&p, "- -- --check", &e), &e);
    assert_false(p.flag);
    assert_string_equal(p.operands.items[0], "-");
    assert_string_equal(p.operands.items[1], "--check");
    clear(&p);
    assert_works(parse(&p, "one --pki=", &e), &e);
    assert_string_equal(p.text, "");
    clear(&p);
}

static void an_optional_value_is_not_the_next_argument(void **state)
{
    static const struct {
        const char *line;
        const char *value;
    } cases[] = {
        {"one", NULL}, {"--tell one", ""}, {"--tell= one", ""}, {"one --tell=x", "x"}, {"--tell=x one --tell", ""}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct err e = ERR_INIT;
        struct parsed p;
        assert_works(parse(&p, cases[i].line, &e), &e);
        assert_int_equal(p.operands.count, 1);
        if (cases[i].value == NULL) {
            assert_null(p.optional);
        } else {
            assert_string_equal(p.optional, cases[i].value);
        }
        clear(&p);
    }
}

static void errors_name_the_argument(void **state)
{
    static const struct {
        const char *line;
        const char *message;
    } cases[] = {
        {"one --chek", "unknown option --chek (did you mean --check?); see mtls ca try --help"},
        {"one --wrong=1", "unknown option --wrong; see mtls ca try --help"},
        {"one -x", "unknown option -x; see mtls ca try --help"},
        {"one --pki", "--pki needs a value: DIR"},
        {"one -d", "--pki needs a value: DIR"},
        {"one -cd", "--pki needs a value: DIR"},
        {"one -cx", "unknown option -x; see mtls ca try --help"},
        {"one --check=yes", "--check takes no value"},
        {"one --days seven", "--days takes a number, not \"seven\""},
        {"one --days 7d", "--days takes a number, not \"7d\""},
        {"one --days -7", "--days takes a number, not \"-7\""},
        {"one --days=", "--days takes a number, not \"\""},
        {"one --days 99999999999999999999", "--days takes a number, not \"99999999999999999999\""},
        {"one two three", "unexpected argument \"three\"; usage: mtls ca try NAME [-d DIR]"},
        {"--check", "NAME is missing; usage: mtls ca try NAME [-d DIR]"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct err e = ERR_INIT;
        struct parsed p;
        assert_int_equal(parse(&p, cases[i].line, &e), -1);
        assert_string_equal(e.text, cases[i].message);
        assert_int_equal(e.kind, ERR_USAGE);
        clear(&p);
    }
}

static void help_is_made_from_the_table(void **state)
{
    struct err e = ERR_INIT;
    struct parsed p;
    (void)state;
    assert_works(parse(&p, "one", &e), &e);
    assert_string_equal(p.help, "usage: mtls ca try NAME [-d DIR]\n\nTries.\n\noptions:\n"
                                "  -c, --check               change nothing\n"
                                "  -d, --pki DIR             the directory\n"
                                "  -n, --days DAYS           how many days\n"
                                "      --tell[=HOW]          in words\n"
                                "      --name-of-some-length NAME\n"
                                "                            may be repeated\n"
                                "  -h, --help                this text\n"
                                "\nexamples:\n  mtls ca try x\n");
    clear(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_forms_are_understood),
        cmocka_unit_test(a_dash_is_an_operand_and_two_end_the_options),
        cmocka_unit_test(an_optional_value_is_not_the_next_argument),
        cmocka_unit_test(errors_name_the_argument),
        cmocka_unit_test(help_is_made_from_the_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
