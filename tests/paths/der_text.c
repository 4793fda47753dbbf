// SPDX-License-Identifier: Apache-2.0
// DER as text, and extensions that are changed with it.
#include "base/der.h"
#include "base/text.h"
#include "ca/extension.h"
#include "paths.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

static int assemble(const char **p, char until, struct buf *out, struct err *e);

// What stands between the brackets at *p; *p is behind them afterwards. The text is the caller's to free.
static char *bracketed(const char **p, char closing, struct err *e)
{
    const char *end = strchr(*p + 1, closing);
    if (end == NULL) {
        err_set(e, "%c is not closed by %c", **p, closing);
        return NULL;
    }
    char *text = mem_strndup(*p + 1, (size_t)(end - *p - 1));
    *p = end + 1;
    return text;
}

static int assemble_bracketed(const char **p, struct buf *out, struct err *e)
{
    char opening = **p;
    char *text = bracketed(p, opening == '<' ? '>' : opening == '{' ? '}' : '\'', e);
    int rc = text == NULL ? -1 : 0;
    if (rc == 0 && opening == '<') {
        rc = der_oid_from_text(text, out, e);
    } else if (rc == 0 && opening == '{') {
        rc = name_from_text(text, out, e);
    } else if (rc == 0) {
        buf_text(out, text);
    }
    free(text);
    return rc;
}

static int assemble_octet(const char **p, struct buf *out, struct err *e)
{
    char digits[3] = {(*p)[0], (*p)[0] == '\0' ? '\0' : (*p)[1], '\0'};
    struct buf inner = {0};
    if (!isxdigit((unsigned char)digits[0]) || !isxdigit((unsigned char)digits[1])) {
        return err_set(e, "two hexadecimal digits are due at \"%.20s\"", *p);
    }
    uint8_t octet = (uint8_t)strtoul(digits, NULL, 16);
    *p += 2;
    if (**p != '(') {
        buf_add(out, &octet, 1);
        return 0;
    }
    (*p)++;
    int rc = assemble(p, ')', &inner, e);
    if (rc == 0) {
        (*p)++;
        der_wrap(out, octet, buf_span(&inner));
    }
    buf_clear(&inner);
    return rc;
}

// "[i:1-24 ...$i...]": what stands behind the first space, for each number, which is put in the place of $i. *p is
// behind the bracket afterwards.
static int assemble_repeated(const char **p, struct buf *out, struct err *e)
{
    unsigned from = 0;
    unsigned to = 0;
    char letter = '\0';
    const char *end = *p;
    int depth = 0;
    do {
        depth += (*end == '[') - (*end == ']');
    } while (*end++ != '\0' && depth > 0);
    const char *body = strchr(*p, ' ');
    if (depth != 0 || body == NULL || sscanf(*p, "[%c:%u-%u ", &letter, &from, &to) != 3) {
        return err_set(e, "write [LETTER:FROM-TO ...]");
    }
    int rc = 0;
    for (unsigned n = from; rc == 0 && n <= to; n++) {
        struct buf text = {0};
        for (const char *at = body; at < end - 1; at++) {
            bool variable = at[0] == '$' && at[1] == letter;
            variable ? buf_printf(&text, "%u", n) : buf_add(&text, at, 1);
            at += variable;
        }
        const char *copy = (const char *)text.data;
        rc = assemble(&copy, '\0', out, e);
        buf_clear(&text);
    }
    *p = end;
    return rc;
}

static int assemble(const char **p, char until, struct buf *out, struct err *e)
{
    while (**p != until) {
        if (**p == '\0') {
            return err_set(e, "( is not closed");
        }
        if (**p == ' ') {
            (*p)++;
        } else if (**p == '[') {
            if (assemble_repeated(p, out, e) != 0) {
                return -1;
            }
        } else if ((strchr("<{'", **p) != NULL ? assemble_bracketed(p, out, e) : assemble_octet(p, out, e)) != 0) {
            return -1;
        }
    }
    return 0;
}

int der_text(const char *text, struct buf *out, struct err *e)
{
    const char *p = text;
    return assemble(&p, '\0', out, e) == 0 ? 0 : err_context(e, "%s", text);
}

// --- extensions ---

static const struct {
    const char *name;
    const char *oid;
} names[] = {
    {"bc", "2.5.29.19"},          {"ku", "2.5.29.15"},           {"eku", "2.5.29.37"},
    {"skid", "2.5.29.14"},        {"akid", "2.5.29.35"},         {"san", "2.5.29.17"},
    {"nc", "2.5.29.30"},          {"policies", "2.5.29.32"},     {"mappings", "2.5.29.33"},
    {"require", "2.5.29.36"},     {"inhibit-any", "2.5.29.54"},  {"points", "2.5.29.31"},
    {"aia", "1.3.6.1.5.5.7.1.1"}, {"sia", "1.3.6.1.5.5.7.1.11"}, {"scope", "2.5.29.28"},
    {"delta", "2.5.29.27"},       {"number", "2.5.29.20"},       {"ian", "2.5.29.18"},
    {"freshest", "2.5.29.46"},
};

static int oid_of(const char *name, struct buf *oid, struct err *e)
{
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(names[i].name, name) == 0) {
            return der_oid_from_text(names[i].oid, oid, e);
        }
    }
    return der_oid_from_text(name, oid, e);
}

int edits_open(struct edits *x, struct span extensions, struct err *e)
{
    while (extensions.len > 0) {
        struct der_item item;
        if (der_next(&extensions, &item, e) != 0) {
            return -1;
        }
        if (x->count == EXTENSIONS_MOST) {
            return err_set(e, "more than %d extensions", EXTENSIONS_MOST);
        }
        buf_add(&x->items[x->count++], item.whole.data, item.whole.len);
    }
    return 0;
}

static struct buf *find(struct edits *x, struct span oid)
{
    struct err ignored = ERR_INIT;
    for (size_t i = 0; i < x->count; i++) {
        struct span rest = buf_span(&x->items[i]);
        struct extension found;
        if (rest.len > 0 && extension_next(&rest, &found, &ignored) == 0 && found.oid.len == oid.len &&
            memcmp(found.oid.data, oid.data, oid.len) == 0) {
            return &x->items[i];
        }
    }
    return NULL;
}

static int put(struct edits *x, const char *text, bool in_place, struct err *e)
{
    bool critical = text[0] == '!';
    const char *colon = strchr(text, ':');
    struct buf oid = {0};
    struct buf value = {0};
    if (colon == NULL) {
        return err_set(e, "%s: write NAME:DER", text);
    }
    char *name = mem_strndup(text + critical, (size_t)(colon - text) - critical);
    int rc = oid_of(name, &oid, e) != 0 || der_text(colon + 1, &value, e) != 0 ? -1 : 0;
    struct buf *place = rc == 0 && in_place ? find(x, buf_span(&oid)) : NULL;
    if (rc == 0 && place == NULL && x->count == EXTENSIONS_MOST) {
        rc = err_set(e, "more than %d extensions", EXTENSIONS_MOST);
    }
    if (rc == 0) {
        place = place == NULL ? &x->items[x->count++] : place;
        buf_clear(place);
        extension_write(place, buf_span(&oid), critical, buf_span(&value));
    }
    free(name);
    buf_clear(&oid);
    buf_clear(&value);
    return rc;
}

int edits_put(struct edits *x, const char *text, struct err *e)
{
    return put(x, text, true, e);
}

int edits_add(struct edits *x, const char *text, struct err *e)
{
    return put(x, text, false, e);
}

int edits_drop(struct edits *x, const char *name, struct err *e)
{
    struct buf oid = {0};
    int rc = oid_of(name, &oid, e);
    struct buf *place = rc == 0 ? find(x, buf_span(&oid)) : NULL;
    buf_clear(&oid);
    if (place == NULL) {
        return rc == 0 ? err_set(e, "there is no extension %s to drop", name) : -1;
    }
    buf_clear(place);
    return 0;
}

void edits_close(struct edits *x, struct buf *out)
{
    for (size_t i = 0; i < x->count; i++) {
        buf_add(out, x->items[i].data, x->items[i].len);
        buf_clear(&x->items[i]);
    }
    x->count = 0;
}
