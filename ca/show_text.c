// SPDX-License-Identifier: Apache-2.0
// The JSON of show_file as text: one line a field, "label  value", nested things indented. Every string in it was
// escaped when it was read.
#include "ca/show.h"

#include <assert.h>
#include <stdbool.h>
#include <string.h>

enum { INDENT = 4, LABEL_WIDTH = 34, LINE_MAX_TEXT = 100 };

static bool is_scalar(const json_t *value)
{
    return !json_is_object(value) && !json_is_array(value);
}

static void add_scalar(struct buf *text, const json_t *value)
{
    if (json_is_integer(value)) {
        buf_printf(text, "%lld", (long long)json_integer_value(value));
    } else if (json_is_string(value)) {
        buf_text(text, json_string_value(value));
    } else {
        buf_text(text, json_is_true(value) ? "yes" : "no");
    }
}

// Appends a key as a label: "not_before" is "not before".
static void add_label(struct buf *text, const char *key)
{
    for (; *key != '\0'; key++) {
        buf_add(text, *key == '_' ? " " : key, 1);
    }
}

// What fits on one line, as one: a scalar, a list of scalars, or an object of such ("ca yes, path length 0").
// false: it does not.
static bool add_flat(struct buf *text, const json_t *value)
{
    const char *key;
    const json_t *item;
    size_t i;
    bool fits = true;
    if (is_scalar(value)) {
        add_scalar(text, value);
    } else if (json_is_array(value)) {
        json_array_foreach(value, i, item)
        {
            buf_text(text, i > 0 ? ", " : "");
            fits = fits && is_scalar(item) && add_flat(text, item);
        }
        buf_text(text, json_array_size(value) == 0 ? "(none)" : "");
    } else {
        const char *separator = "";
        json_object_foreach((json_t *)(uintptr_t)value, key, item)
        {
            buf_text(text, separator);
            add_label(text, key);
            buf_text(text, " ");
            fits = fits && !json_is_object(item) && add_flat(text, item);
            separator = ", ";
        }
        buf_text(text, json_object_size(value) == 0 ? "(empty)" : "");
    }
    return fits;
}

static void add_field(struct buf *text, const char *label, const json_t *value, int indent);

static void add_fields(struct buf *text, const json_t *object, int indent)
{
    const char *key;
    const json_t *item;
    json_object_foreach((json_t *)(uintptr_t)object, key, item)
    {
        struct buf label = {0};
        add_label(&label, key);
        add_field(text, (const char *)label.data, item, indent);
        buf_clear(&label);
    }
}

// An extension: its name is the label, with what is critical said there.
static void add_extension(struct buf *text, const json_t *extension, int indent)
{
    struct buf label = {0};
    const json_t *value = json_object_get(extension, "value");
    buf_printf(&label, "%s%s", json_string_value(json_object_get(extension, "name")),
               json_is_true(json_object_get(extension, "critical")) ? " (critical)" : "");
    add_field(text, (const char *)label.data, value != NULL ? value : json_object_get(extension, "hex"), indent);
    buf_clear(&label);
}

static void add_items(struct buf *text, const json_t *list, int indent)
{
    const json_t *item;
    size_t i;
    json_array_foreach(list, i, item)
    {
        struct buf line = {0};
        if (json_object_get(item, "critical") != NULL) {
            add_extension(text, item, indent);
        } else if (add_flat(&line, item)) {
            buf_printf(text, "%*s%s\n", indent, "", (const char *)line.data);
        } else {
            add_fields(text, item, indent);
        }
        buf_clear(&line);
    }
}

static void add_field(struct buf *text, const char *label, const json_t *value, int indent)
{
    struct buf line = {0};
    assert(label != NULL);
    buf_text(&line, "");
    bool flat = add_flat(&line, value);
    if (flat && (is_scalar(value) || line.len <= LINE_MAX_TEXT)) {
        int pad = LABEL_WIDTH - indent - (int)strlen(label);
        buf_printf(text, "%*s%s%*s%s\n", indent, "", label, pad > 2 ? pad : 2, "",
                   line.len > 0 ? (const char *)line.data : "");
    } else {
        buf_printf(text, "%*s%s\n", indent, "", label);
        if (json_is_array(value)) {
            add_items(text, value, indent + INDENT);
        } else {
            add_fields(text, value, indent + INDENT);
        }
    }
    buf_clear(&line);
}

void show_text(const json_t *shown, struct buf *text)
{
    const char *key;
    const json_t *thing;
    const json_t *value;
    size_t i;
    json_array_foreach(shown, i, thing)
    {
        buf_printf(text, "%s%s\n", i > 0 ? "\n" : "", json_string_value(json_object_get(thing, "kind")));
        json_object_foreach((json_t *)(uintptr_t)thing, key, value)
        {
            struct buf label = {0};
            add_label(&label, key);
            if (strcmp(key, "kind") != 0) {
                add_field(text, (const char *)label.data, value, INDENT);
            }
            buf_clear(&label);
        }
    }
}
