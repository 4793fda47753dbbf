// SPDX-License-Identifier: Apache-2.0
// The story as text of 80 columns.
#include "base/text.h"

#include "base/print.h"
#include "explain/internal.h"

#include <ctype.h>
#include <string.h>

enum { WIDTH = 80, INDENT = 4, FIELD_INDENT = 6, NAME_WIDTH = 24 };

// Octets of the text that fit into `room` columns: up to a space, if there is one.
static size_t line_length(const char *text, size_t room)
{
    size_t columns = 0;
    size_t at = 0;
    size_t space = 0;
    for (; text[at] != '\0'; at++) {
        if ((text[at] & 0xc0) != 0x80 && columns++ == room) {
            return space > 0 ? space : at;
        }
        space = text[at] == ' ' ? at : space;
    }
    return at;
}

// The text, from the column where the cursor is (`indent`), further lines indented as far.
static void print_wrapped(FILE *to, enum colour colour, int indent, const char *text)
{
    for (bool first = true; first || *text != '\0'; first = false) {
        size_t len = line_length(text, (size_t)(WIDTH - indent));
        fprintf(to, "%*s", first ? 0 : indent, "");
        print_coloured(to, colour, "%.*s", (int)len, text);
        fputc('\n', to);
        text += len;
        text += *text == ' ';
    }
}

static void print_paragraph(FILE *to, enum colour colour, const char *text)
{
    fprintf(to, "%*s", INDENT, "");
    print_wrapped(to, colour, INDENT, text);
}

static void print_field(FILE *to, int indent, const char *name, const json_t *value);

static void print_fields(FILE *to, int indent, json_t *fields)
{
    const char *name = NULL;
    json_t *value = NULL;
    json_object_foreach(fields, name, value)
    {
        print_field(to, indent, name, value);
    }
}

static void print_name(FILE *to, int indent, const char *name)
{
    int width = NAME_WIDTH;
    char shown[64];
    size_t i = 0;
    for (; name[i] != '\0' && i < sizeof shown - 1; i++) {
        shown[i] = name[i] == '_' ? ' ' : name[i];
    }
    shown[i] = '\0';
    fprintf(to, "%*s", indent, "");
    print_coloured(to, COLOUR_DIM, "%-*s", width - indent, shown);
    if (i >= (size_t)(width - indent)) {
        fprintf(to, "\n%*s", width, "");
    }
}

static void print_field(FILE *to, int indent, const char *name, const json_t *value)
{
    size_t i = 0;
    json_t *item = NULL;
    struct buf list = {0};
    if (json_is_array(value) && json_is_object(json_array_get(value, 0))) {
        json_array_foreach(value, i, item)
        {
            fprintf(to, "%*s", indent, "");
            print_coloured(to, COLOUR_DIM, "%.*s %zu", (int)strlen(name) - 1, name, i + 1); // without the plural's s
            fputc('\n', to);
            print_fields(to, indent + 2, item);
        }
        return;
    }
    print_name(to, indent, name);
    buf_text(&list, json_is_string(value) ? json_string_value(value) : "");
    json_array_foreach(value, i, item)
    {
        buf_printf(&list, "%s%s", i > 0 ? ", " : "", json_string_value(item));
    }
    print_wrapped(to, COLOUR_NONE, NAME_WIDTH, list.len > 0 ? (const char *)list.data : "(none)");
    buf_clear(&list);
}

// Lines of hexadecimal: where, the octets, and what is printable in them. The cursor is in column NAME_WIDTH.
static void print_hex(FILE *to, struct span data, size_t at, size_t end)
{
    enum { LINE = 12 };
    for (bool first = true; at < end; at += LINE, first = false) {
        size_t len = end - at < LINE ? end - at : LINE;
        struct buf hex = {0};
        char shown[LINE + 1] = "";
        text_hex(&hex, data.data + at, len, ' ');
        for (size_t i = 0; i < len; i++) {
            uint8_t octet = data.data[at + i];
            shown[i] = '.';
            if (octet >= 0x20 && octet < 0x7f) {
                shown[i] = (char)octet;
            }
        }
        fprintf(to, "%*s", first ? 0 : NAME_WIDTH, "");
        print_coloured(to, COLOUR_DIM, "%04zx  %-35s  %s", at, (const char *)hex.data, shown);
        fputc('\n', to);
        buf_clear(&hex);
    }
}

static void print_octets(FILE *to, const char *name, struct span data, size_t at, size_t end)
{
    if (at < end) {
        print_name(to, FIELD_INDENT, name);
        print_hex(to, data, at, end);
    }
}

// Each field's octets beside its name; those that have none, beside nothing.
static void print_marks(FILE *to, const struct explain_message *m)
{
    struct span data = buf_span(&m->bytes);
    size_t at = 0;
    for (size_t i = 0; i < m->mark_count; i++) {
        const struct explain_mark *mark = &m->marks[i];
        print_octets(to, "", data, at, mark->at);
        print_octets(to, mark->name, data, mark->at, mark->at + mark->len);
        at = mark->at + mark->len;
    }
    print_octets(to, "", data, at, data.len);
}

static enum colour colour_of(const struct explain_message *m)
{
    static const enum colour colours[] = {[EXPLAIN_PLAIN] = COLOUR_NONE,
                                          [EXPLAIN_EARLY_KEYS] = COLOUR_YELLOW,
                                          [EXPLAIN_HANDSHAKE_KEYS] = COLOUR_BLUE,
                                          [EXPLAIN_APPLICATION_KEYS] = COLOUR_GREEN};
    return m->kind == EXPLAIN_ALERT && m->type != 0 ? COLOUR_RED : colours[m->protection];
}

static void print_message(FILE *to, const struct explain_message *m, bool verbose)
{
    bool run = m->kind == EXPLAIN_APPLICATION_DATA || m->kind == EXPLAIN_ENCRYPTED;
    struct buf size = {0};
    const char *from = m->from == EXPLAIN_CLIENT ? "client >" : "server <";
    const char *name = explain_message_name(m);
    size_t width = strlen(from) + strlen(name) + 4;
    width += (size_t)fprintf(to, "%*s%8.3f ms  ", INDENT, "", (double)m->at_us / 1000.0);
    print_coloured(to, COLOUR_BOLD, "%s", from);
    fputs("  ", to);
    print_coloured(to, colour_of(m), "%s", name);
    fputs("  ", to);
    buf_printf(&size, "%zu octet%s", m->len, plural(m->len));
    if (run || m->records > 1) {
        buf_printf(&size, " in %zu record%s", m->records, plural(m->records));
    }
    buf_printf(&size, ", %s", explain_protection_name(m->protection));
    if (width + size.len > WIDTH) {
        fprintf(to, "\n%*s", FIELD_INDENT, "");
    }
    fprintf(to, "%s\n", (const char *)size.data);
    buf_clear(&size);
    print_fields(to, FIELD_INDENT, m->fields);
    if (m->problem != NULL) {
        fprintf(to, "%*s", FIELD_INDENT, "");
        print_coloured(to, COLOUR_YELLOW, "malformed: %s", m->problem);
        fputc('\n', to);
    }
    if (verbose) {
        print_marks(to, m);
    }
}

static void print_step(FILE *to, const struct explain_story *story, int number, bool verbose)
{
    static const struct {
        const char *word;
        enum colour colour;
    } states[] = {
        [EXPLAIN_AS_DESCRIBED] = {"done", COLOUR_GREEN}, [EXPLAIN_INSTEAD] = {"done otherwise", COLOUR_GREEN},
        [EXPLAIN_FAILED] = {"FAILED", COLOUR_RED},       [EXPLAIN_NOT_REACHED] = {"not reached", COLOUR_DIM},
        [EXPLAIN_UNSEEN] = {"not seen", COLOUR_YELLOW},
    };
    const struct explain_step *step = &story->steps[number - 1];
    fputc('\n', to);
    print_coloured(to, COLOUR_BOLD, "%2d  %s", number, step->title);
    fputs(": ", to);
    print_coloured(to, states[step->state].colour, "%s", states[step->state].word);
    fputc('\n', to);
    print_paragraph(to, COLOUR_DIM, step->classic);
    if (step->instead.len > 0) {
        const char *lead = step->state == EXPLAIN_INSTEAD ? "Instead: " : "";
        struct buf text = {0};
        buf_printf(&text, "%s%s", lead, (const char *)step->instead.data);
        print_paragraph(to, step->state == EXPLAIN_FAILED ? COLOUR_RED : COLOUR_NONE, (const char *)text.data);
        buf_clear(&text);
    }
    if (step->judgement != NULL && step->state != EXPLAIN_FAILED) { // else that is why, and was said
        bool accepts = step->judgement->reason == REASON_ok;
        struct buf text = {0};
        judgement_tell(&text, step->judgement);
        print_paragraph(to, accepts ? COLOUR_GREEN : COLOUR_RED, (const char *)text.data);
        buf_clear(&text);
    }
    for (size_t i = 0; i < step->count; i++) {
        print_message(to, explain_message(story->of, step->messages[i]), verbose);
    }
}

void explain_text(const struct explain_story *story, bool verbose, FILE *to)
{
    print_wrapped(to, COLOUR_BOLD, 0, (const char *)story->kind.data);
    if (explain_facts(story->of)->hidden) {
        print_wrapped(to, COLOUR_YELLOW, 0,
                      "Some of it stays encrypted: the key log has no secrets for that, or none was given.");
    }
    for (int number = 1; number <= EXPLAIN_STEPS; number++) {
        print_step(to, story, number, verbose);
    }
    fputc('\n', to);
    print_wrapped(to, story->failed != 0 ? COLOUR_RED : COLOUR_BOLD, 0, (const char *)story->verdict.data);
    if (story->hint.len > 0) {
        print_wrapped(to, COLOUR_NONE, 0, (const char *)story->hint.data);
    }
}
