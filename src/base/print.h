// SPDX-License-Identifier: Apache-2.0
// What people read: colour (only on a terminal, NO_COLOR respected), tables, a progress bar. Results go to stdout,
// everything else to stderr.
#ifndef MTLS_BASE_PRINT_H
#define MTLS_BASE_PRINT_H

#include "base/err.h"
#include "base/mem.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

enum colour { COLOUR_NONE, COLOUR_RED, COLOUR_GREEN, COLOUR_YELLOW, COLOUR_BLUE, COLOUR_DIM, COLOUR_BOLD };

bool print_is_coloured(FILE *to);
void print_coloured(FILE *to, enum colour colour, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
size_t print_width(const char *text); // columns that UTF-8 text takes on a terminal

// A table that is printed when it is whole, because only then the widths are known. Cells are copied.
struct table {
    size_t columns;
    size_t rows;
    struct table_cell {
        char *text;
        enum colour colour;
    } * cells;
    size_t cap;
};

void table_init(struct table *t, size_t columns);
void table_add(struct table *t, enum colour colour, const char *text); // the next cell, row by row; NULL is ""
void table_print(const struct table *t, FILE *to);                     // the first row is the heading
void table_clear(struct table *t);

// One line on a terminal that is written over; nothing at all when `to` is not a terminal.
void progress_show(FILE *to, const char *what, size_t done, size_t count);
void progress_end(FILE *to);

// "1 file", "2 files": the noun with a plural s where the count asks for it.
const char *plural(size_t count);

// Prints a JSON value, indented, with a newline, and drops the reference to it.
int json_print(FILE *to, json_t *value, struct err *e);

#endif
