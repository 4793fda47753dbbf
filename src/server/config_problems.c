// SPDX-License-Identifier: Apache-2.0
// What is wrong with a configuration: all of it, in the order in which it stands there.
#include "base/print.h"
#include "server/config_internal.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// Owns the text. What the command line says comes first; saying the same twice is saying it once.
static void add(struct problems *p, int line, enum err_kind kind, char *text)
{
    for (size_t i = 0; i < p->count; i++) {
        if (strcmp(p->items[i].text, text) == 0) {
            free(text);
            return;
        }
    }
    p->items = mem_grow(p->items, &p->cap, sizeof *p->items, p->count + 1);
    size_t at = p->count++;
    for (; at > 0 && p->items[at - 1].line > line; at--) {
        p->items[at] = p->items[at - 1];
    }
    p->items[at] = (struct problem){.line = line, .kind = kind, .text = text};
}

static void __attribute__((format(printf, 5, 0))) add_format(struct problems *p, enum err_kind kind, const char *file,
                                                             const struct place *at, const char *fmt, va_list ap)
{
    char what[sizeof((struct err *)NULL)->text];
    vsnprintf(what, sizeof what, fmt, ap);
    char *text = at->option != NULL ? mem_printf("%s: %s", at->option, what)
                 : at->line > 0
                     ? mem_printf("%s:%d: %s%s%s", file, at->line, at->path, at->path[0] == '\0' ? "" : ": ", what)
                     : mem_strdup(what);
    add(p, at->option == NULL ? at->line : 0, kind, text);
}

int problem_value(struct problems *p, const char *file, const struct place *at, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    add_format(p, at->option != NULL ? ERR_USAGE : ERR_ENVIRONMENT, file, at, fmt, ap);
    va_end(ap);
    return -1;
}

int problem_environment(struct problems *p, const char *file, const struct place *at, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    add_format(p, ERR_ENVIRONMENT, file, at, fmt, ap);
    va_end(ap);
    return -1;
}

void problems_take(struct problems *p, struct yaml_doc *doc)
{
    size_t count;
    const struct yaml_problem *of_file = yaml_problems(doc, &count);
    for (size_t i = 0; i < count; i++) {
        add(p, of_file[i].line, ERR_ENVIRONMENT, mem_strdup(of_file[i].text));
    }
}

int problems_result(struct problems *p, struct buf *all, struct err *e)
{
    enum { ROOM = sizeof e->text - 32 }; // for "(and N more)"
    struct buf fit = {0};
    size_t fitting = 0;
    bool usage = false;
    if (p->count == 0) {
        return 0;
    }
    for (size_t i = 0; i < p->count; i++) {
        const struct problem *problem = &p->items[i];
        usage = usage || problem->kind == ERR_USAGE;
        if (all != NULL) {
            buf_printf(all, "%s\n", problem->text);
        }
        if (fitting == i && (i == 0 || fit.len + 1 + strlen(problem->text) < ROOM)) {
            buf_printf(&fit, "%s%s", i > 0 ? "\n" : "", problem->text);
            fitting++;
        }
    }
    if (fitting < p->count) {
        buf_printf(&fit, "\n(and %zu more)", p->count - fitting);
    }
    (usage ? err_usage : err_set)(e, "%s", (const char *)fit.data);
    buf_clear(&fit);
    return -1;
}

void problems_clear(struct problems *p)
{
    for (size_t i = 0; i < p->count; i++) {
        free(p->items[i].text);
    }
    free(p->items);
    *p = (struct problems){0};
}
