// SPDX-License-Identifier: Apache-2.0
#include "base/print.h"

#include <assert.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *const colour_codes[] = {
    [COLOUR_NONE] = "",         [COLOUR_RED] = "\033[31m", [COLOUR_GREEN] = "\033[32m", [COLOUR_YELLOW] = "\033[33m",
    [COLOUR_BLUE] = "\033[34m", [COLOUR_DIM] = "\033[2m",  [COLOUR_BOLD] = "\033[1m",
};

bool print_is_coloured(FILE *to)
{
    const char *no_color = getenv("NO_COLOR"); // https://no-color.org: set and not empty
    return (no_color == NULL || no_color[0] == '\0') && isatty(fileno(to)) == 1;
}

void print_coloured(FILE *to, enum colour colour, const char *fmt, ...)
{
    bool coloured = colour != COLOUR_NONE && print_is_coloured(to);
    va_list ap;
    fputs(coloured ? colour_codes[colour] : "", to);
    va_start(ap, fmt);
    vfprintf(to, fmt, ap);
    va_end(ap);
    fputs(coloured ? "\033[0m" : "", to);
}

size_t print_width(const char *text)
{
    size_t width = 0;
    for (; *text != '\0'; text++) {
        width += ((unsigned char)*text & 0xc0) != 0x80;
    }
    return width;
}

void table_init(struct table *t, size_t columns)
{
    *t = (struct table){.columns = columns};
}

void table_add(struct table *t, enum colour colour, const char *text)
{
    t->cells = mem_grow(t->cells, &t->cap, sizeof *t->cells, t->rows + 1);
    t->cells[t->rows++] = (struct table_cell){.text = mem_strdup(text == NULL ? "" : text), .colour = colour};
}

static size_t column_width(const struct table *t, size_t column)
{
    size_t widest = 0;
    for (size_t i = column; i < t->rows; i += t->columns) {
        size_t width = print_width(t->cells[i].text);
        widest = width > widest ? width : widest;
    }
    return widest;
}

void table_print(const struct table *t, FILE *to)
{
    assert(t->columns > 0);
    size_t *widths = mem_array(t->columns, sizeof *widths);
    for (size_t c = 0; c < t->columns; c++) {
        widths[c] = column_width(t, c);
    }
    for (size_t i = 0; i < t->rows; i++) {
        size_t column = i % t->columns;
        bool last = column + 1 == t->columns;
        enum colour colour = i < t->columns ? COLOUR_BOLD : t->cells[i].colour;
        print_coloured(to, colour, "%s", t->cells[i].text);
        int pad = last ? 0 : (int)(widths[column] - print_width(t->cells[i].text)) + 2;
        fprintf(to, "%*s%s", pad, "", last ? "\n" : "");
    }
    free(widths);
}

void table_clear(struct table *t)
{
    for (size_t i = 0; i < t->rows; i++) {
        free(t->cells[i].text);
    }
    free(t->cells);
    *t = (struct table){0};
}

void progress_show(FILE *to, const char *what, size_t done, size_t count)
{
    enum { BAR = 30 };
    if (count == 0 || isatty(fileno(to)) != 1) {
        return;
    }
    size_t filled = done * BAR / count;
    fprintf(to, "\r%s [", what);
    for (size_t i = 0; i < BAR; i++) {
        fputc(i < filled ? '#' : '.', to);
    }
    fprintf(to, "] %zu/%zu", done, count);
    fflush(to);
}

void progress_end(FILE *to)
{
    if (isatty(fileno(to)) == 1) {
        fputs("\r\033[K", to);
        fflush(to);
    }
}

const char *plural(size_t count)
{
    return count == 1 ? "" : "s";
}

int json_print(FILE *to, json_t *value, struct err *e)
{
    int rc = json_dumpf(value, to, JSON_INDENT(2) | JSON_PRESERVE_ORDER);
    json_decref(value);
    if (rc != 0 || fputc('\n', to) == EOF || fflush(to) != 0) {
        return err_errno(e, "writing JSON");
    }
    return 0;
}
