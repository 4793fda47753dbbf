// SPDX-License-Identifier: Apache-2.0
#include "base/args.h"

#include "base/mem.h"
#include "base/text.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { HELP_COLUMN = 28 };

static void list_add(struct arg_list *list, const char *item)
{
    list->items = mem_grow(list->items, &list->cap, sizeof *list->items, list->count + 1);
    list->items[list->count++] = item;
}

void arg_list_clear(struct arg_list *list)
{
    free(list->items);
    *list = (struct arg_list){0};
}

void args_help(const struct arg_command *command, FILE *to)
{
    fprintf(to, "usage: mtls %s\n\n%s\n\noptions:\n", command->usage, command->summary);
    for (const struct arg_option *o = command->options; o->name != NULL; o++) {
        char left[80];
        const char *dash = o->letter != '\0' ? (const char[]){'-', o->letter, ',', ' ', '\0'} : "    ";
        bool optional = o->kind == ARG_OPTIONAL;
        int n = snprintf(left, sizeof left, "  %s--%s%s%s%s", dash, o->name,
                         optional           ? "[="
                         : o->value != NULL ? " "
                                            : "",
                         o->value != NULL ? o->value : "", optional ? "]" : "");
        if (n >= HELP_COLUMN) {
            fprintf(to, "%s\n%*s%s\n", left, HELP_COLUMN, "", o->help);
        } else {
            fprintf(to, "%-*s%s\n", HELP_COLUMN, left, o->help);
        }
    }
    fprintf(to, "%-*s%s\n", HELP_COLUMN, "  -h, --help", "this text");
    if (command->examples != NULL) {
        fprintf(to, "\nexamples:\n%s", command->examples);
    }
}

static const struct arg_option *option_find(const struct arg_command *command, const char *name, size_t len)
{
    for (const struct arg_option *o = command->options; o->name != NULL; o++) {
        if (strlen(o->name) == len && strncmp(o->name, name, len) == 0) {
            return o;
        }
    }
    return NULL;
}

static const struct arg_option *option_of_letter(const struct arg_command *command, char letter)
{
    for (const struct arg_option *o = command->options; o->name != NULL; o++) {
        if (o->letter == letter) {
            return o;
        }
    }
    return NULL;
}

// "pki" of "pki [-f FILE]": the words before the first option, operand or bracket.
static int command_words(const struct arg_command *command)
{
    const char *p = command->usage;
    while (islower((unsigned char)*p) || (*p == ' ' && islower((unsigned char)p[1]))) {
        p++;
    }
    return (int)(p - command->usage);
}

static int option_unknown(const struct arg_command *command, const char *typed, size_t len, struct err *e)
{
    const char *names[64];
    size_t count = 0;
    char *name = mem_strndup(typed, len);
    for (const struct arg_option *o = command->options; o->name != NULL && count < 63; o++) {
        names[count++] = o->name;
    }
    names[count] = NULL;
    const char *nearest = text_nearest(name, names);
    err_usage(e, "unknown option --%s%s%s%s; see mtls %.*s --help", name, nearest != NULL ? " (did you mean --" : "",
              nearest != NULL ? nearest : "", nearest != NULL ? "?)" : "", command_words(command), command->usage);
    free(name);
    return -1;
}

static int option_store(const struct arg_option *o, const char *value, struct err *e)
{
    char *end = NULL;
    switch (o->kind) {
    case ARG_FLAG: *(bool *)o->target = true; return 0;
    case ARG_TEXT:
    case ARG_OPTIONAL: *(const char **)o->target = value; return 0;
    case ARG_LIST: list_add(o->target, value); return 0;
    case ARG_NUMBER:
        errno = 0;
        *(long *)o->target = strtol(value, &end, 10);
        if (errno != 0 || end == value || *end != '\0' || value[0] == '-') {
            return err_usage(e, "--%s takes a number, not \"%s\"", o->name, value);
        }
        return 0;
    }
    return -1;
}

// The option gets its value: what is attached to it, or the next argument, over which *i moves then.
static int option_take(const struct arg_option *o, const char *attached, int argc, char **argv, int *i, struct err *e)
{
    const char *value = attached;
    if (o->kind == ARG_FLAG && value != NULL) {
        return err_usage(e, "--%s takes no value", o->name);
    }
    if (o->kind == ARG_OPTIONAL && value == NULL) {
        value = "";
    }
    if (o->kind != ARG_FLAG && value == NULL) {
        if (*i + 1 >= argc) {
            return err_usage(e, "--%s needs a value: %s", o->name, o->value);
        }
        value = argv[++*i];
    }
    return option_store(o, value, e);
}

// "-sI" is "-s -I", and "-so FILE" or "-soFILE" is "-s -o FILE".
static int letters_parse(const struct arg_command *command, int argc, char **argv, int *i, struct err *e)
{
    for (const char *p = argv[*i] + 1; *p != '\0'; p++) {
        const struct arg_option *o = option_of_letter(command, *p);
        if (o == NULL) {
            return err_usage(e, "unknown option -%c; see mtls %.*s --help", *p, command_words(command), command->usage);
        }
        if (o->kind != ARG_FLAG) {
            return option_take(o, p[1] != '\0' ? p + 1 : NULL, argc, argv, i, e);
        }
        if (option_take(o, NULL, argc, argv, i, e) != 0) {
            return -1;
        }
    }
    return 0;
}

static int option_parse(const struct arg_command *command, int argc, char **argv, int *i, struct err *e)
{
    const char *arg = argv[*i];
    if (arg[1] != '-') {
        return letters_parse(command, argc, argv, i, e);
    }
    size_t len = strcspn(arg + 2, "=");
    const struct arg_option *o = option_find(command, arg + 2, len);
    if (o == NULL) {
        return option_unknown(command, arg + 2, len, e);
    }
    return option_take(o, arg[2 + len] == '=' ? arg + 2 + len + 1 : NULL, argc, argv, i, e);
}

int args_parse(const struct arg_command *command, int argc, char **argv, struct arg_list *operands, struct err *e)
{
    bool options_ended = false;
    for (int i = 1; i < argc; i++) {
        const char *arg = argv[i];
        if (options_ended || arg[0] != '-' || arg[1] == '\0') {
            list_add(operands, arg);
        } else if (strcmp(arg, "--") == 0) {
            options_ended = true;
        } else if (strcmp(arg, "--help") == 0 || strcmp(arg, "-h") == 0) {
            args_help(command, stdout);
            return ARGS_HELP;
        } else if (option_parse(command, argc, argv, &i, e) != 0) {
            return -1;
        }
    }
    if (operands->count > command->most) {
        return err_usage(e, "unexpected argument \"%s\"; usage: mtls %s", operands->items[command->most],
                         command->usage);
    }
    if (operands->count < command->least) {
        return err_usage(e, "%s is missing; usage: mtls %s", command->operands, command->usage);
    }
    return 0;
}
