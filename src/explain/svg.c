// SPDX-License-Identifier: Apache-2.0
// The story as a drawing: two lifelines, an arrow a message, the steps at the side.
#include "explain/svg.h"

#include "base/print.h"

#include <stdlib.h>

enum { MIDDLE_LEFT = SVG_CLIENT + 18, MIDDLE_RIGHT = SVG_SERVER - 18, MIDDLE = MIDDLE_RIGHT - MIDDLE_LEFT };
enum { TITLE_ROOM = SVG_CLIENT - 20 - SVG_TITLES, CAPTION_LINES = 3 };

struct drawing {
    const struct explain_story *story;
    struct buf behind; // lifelines
    struct buf body;
    int y;                              // the body ends here
    int side_y;                         // the titles at the side end here
    int since[2];                       // the lifelines are drawn to here
    enum explain_protection current[2]; // and go on like this
    int badge_y;                        // of the last badge, or 0
    bool lines_end;
};

static int lifeline(enum explain_side side)
{
    return side == EXPLAIN_CLIENT ? SVG_CLIENT : SVG_SERVER;
}

// --- the side ---

static const char *state_word(enum explain_state state)
{
    static const char *const words[] = {[EXPLAIN_AS_DESCRIBED] = "",
                                        [EXPLAIN_INSTEAD] = "done otherwise",
                                        [EXPLAIN_FAILED] = "failed",
                                        [EXPLAIN_NOT_REACHED] = "not reached",
                                        [EXPLAIN_UNSEEN] = "not seen"};
    return words[state];
}

static void draw_badge(struct drawing *d, int step)
{
    enum { X = SVG_EDGE + 11 };
    int y = d->y + 11;
    if (d->badge_y > 0) {
        svg_line_between(&d->behind, "thin", "line", X, d->badge_y, X, y);
    }
    d->badge_y = y;
    svg_badge(&d->body, step, d->story->steps[step - 1].state, X, y);
}

// The number, the title and the state, where a step begins.
static void draw_side(struct drawing *d, const struct svg_row *row)
{
    const struct explain_step *step = &d->story->steps[row->step - 1];
    const char *colour = step->state == EXPLAIN_FAILED ? "bad" : "ink";
    draw_badge(d, row->step);
    d->side_y = d->y + 24;
    if (row->first) {
        int y = svg_lines(&d->body, &SVG_TITLE, colour, SVG_TITLES + 8, d->y + 16, TITLE_ROOM, 4, step->title);
        y = svg_lines(&d->body, &SVG_FIGURES, step->state == EXPLAIN_FAILED ? "bad" : "soft", SVG_TITLES + 8, y,
                      TITLE_ROOM, 1, state_word(step->state));
        d->side_y = y - 8;
    }
}

// --- the middle ---

static void extend_lifeline(struct drawing *d, enum explain_side side, int y)
{
    const char *protection = svg_protection(d->current[side]);
    if (y > d->since[side]) {
        svg_line_between(&d->behind, protection, protection, lifeline(side), d->since[side], lifeline(side), y);
    }
    d->since[side] = y;
}

static int draw_captions(struct drawing *d, const struct explain_message *m, const char *colour, int y)
{
    struct buf lines = {0};
    svg_caption(d->story, m, &lines);
    buf_text(&lines, "");
    char *rest = NULL;
    for (char *line = strtok_r((char *)lines.data, "\n", &rest); line != NULL; line = strtok_r(NULL, "\n", &rest)) {
        y = svg_lines(&d->body, &SVG_CAPTION, colour, MIDDLE_LEFT, y, MIDDLE, CAPTION_LINES, line);
    }
    buf_clear(&lines);
    return y;
}

static void message_title(const struct explain_message *m, struct buf *name)
{
    const char *alert = json_string_value(json_object_get(m->fields, "alert"));
    buf_printf(name, "%s%s%s", explain_message_name(m), alert != NULL ? ": " : "", alert != NULL ? alert : "");
}

static void draw_message(struct drawing *d, const struct explain_message *m)
{
    const char *line = svg_protection(m->protection);
    bool refuses = m == svg_refusal(d->story);
    const char *colour = refuses ? "bad" : line;
    enum explain_side to = m->from == EXPLAIN_CLIENT ? EXPLAIN_SERVER : EXPLAIN_CLIENT;
    struct buf name = {0};
    struct buf figures = {0};
    int arrow = d->y + 21;
    bool idle = svg_is_idle(d->story, m);
    message_title(m, &name);
    buf_text(&name, idle ? ", for middleboxes" : "");
    buf_printf(&figures, "%zu octet%s" SVG_BETWEEN "%.*f ms", m->len, plural(m->len), m->at_us < 100000 ? 3 : 1,
               (double)m->at_us / 1000.0);
    buf_text(&d->body, "<g class=\"message\"><title>");
    svg_escaped(&d->body, (const char *)name.data, name.len);
    buf_printf(&d->body, ": %s to %s, %s, %s</title>\n", explain_side_name(m->from), explain_side_name(to),
               (const char *)figures.data, explain_protection_name(m->protection));
    int room = MIDDLE - svg_text_width(&SVG_FIGURES, (const char *)figures.data) - 10;
    svg_text(&d->body, idle ? &SVG_CAPTION : &SVG_NAME,
             refuses ? "bad"
             : idle  ? "soft"
                     : "ink",
             MIDDLE_LEFT, d->y + 15, room, (const char *)name.data);
    svg_text_end(&d->body, &SVG_FIGURES, "soft", MIDDLE_RIGHT, d->y + 15, MIDDLE, (const char *)figures.data);
    svg_arrow(&d->body, line, colour, lifeline(m->from), lifeline(to), arrow);
    if (m->protection > d->current[m->from]) {
        bool locks = d->current[m->from] == EXPLAIN_PLAIN;
        extend_lifeline(d, m->from, arrow);
        d->current[m->from] = m->protection;
        if (locks) {
            svg_padlock(&d->body, line, lifeline(m->from), arrow);
        }
    }
    d->y = draw_captions(d, m, refuses ? "bad" : "soft", arrow + 16) - 6;
    buf_text(&d->body, "</g>\n");
    buf_clear(&figures);
    buf_clear(&name);
}

// A box beside the lifeline of whoever is at work in this step.
static void draw_remark(struct drawing *d, int step, const char *text)
{
    enum { PAD = 10, WIDE = MIDDLE * 3 / 4 };
    static const char sides[EXPLAIN_STEPS + 1] = "-cscbcscsb"; // client, server, both
    bool failed = d->story->failed == step;
    bool both = sides[step] == 'b';
    int longest = svg_text_width(&SVG_CAPTION, text) + 2 * PAD;
    int width = both || failed ? MIDDLE : longest < WIDE ? longest : WIDE;
    int x = sides[step] == 's' ? MIDDLE_RIGHT - width : MIDDLE_LEFT;
    int lines = svg_line_count(&SVG_CAPTION, width - 2 * PAD, 4, text);
    int height = lines * svg_line_height(&SVG_CAPTION) + 11;
    const char *colour = failed ? "bad" : "line";
    for (int side = 0; side < 2; side++) {
        if (both || (sides[step] == 's') == (side == EXPLAIN_SERVER)) {
            svg_line_between(&d->body, "thin", colour, lifeline((enum explain_side)side), d->y + height / 2,
                             side == EXPLAIN_CLIENT ? x : x + width, d->y + height / 2);
        }
    }
    char classes[40];
    snprintf(classes, sizeof classes, "%s k-%s w-1", failed ? "f-bad-tint" : "f-ground", colour);
    svg_box(&d->body, classes, x, d->y, width, height, 8);
    svg_lines(&d->body, &SVG_CAPTION, failed ? "bad" : "ink", x + PAD, d->y + 18, width - 2 * PAD, 4, text);
    d->y += height + 2;
}

static void end_lifelines(struct drawing *d)
{
    if (d->lines_end) {
        return;
    }
    int top = d->y > d->side_y ? d->y : d->side_y;
    d->y = top + 14;
    for (int side = 0; side < 2; side++) {
        extend_lifeline(d, (enum explain_side)side, d->y);
        if (d->story->failed != 0) {
            svg_mark(&d->body, "bad", false, lifeline((enum explain_side)side), d->y + 8);
        }
    }
    d->y += d->story->failed != 0 ? 22 : 6;
    d->side_y = d->y;
    d->lines_end = true;
}

// What has not happened, or has not been seen, stands in a list below.
static void draw_missing(struct drawing *d, int step)
{
    end_lifelines(d);
    draw_badge(d, step);
    svg_text(&d->body, &SVG_TITLE, "soft", SVG_TITLES + 8, d->y + 16, MIDDLE, d->story->steps[step - 1].title);
    svg_text_end(&d->body, &SVG_CAPTION, "soft", SVG_WIDTH - SVG_EDGE, d->y + 16, 120,
                 state_word(d->story->steps[step - 1].state));
    d->y += 22;
    d->side_y = d->y;
}

static void draw_row(struct drawing *d, const struct svg_row *row)
{
    struct buf text = {0};
    if (row->opens) {
        d->y = (d->y > d->side_y ? d->y : d->side_y) + 14;
    } else {
        d->y += 7;
    }
    if (svg_is_missing(d->story, row->step)) {
        d->y -= row->opens ? 8 : 0;
        draw_missing(d, row->step);
        return;
    }
    if (row->opens) {
        draw_side(d, row);
    }
    if (row->m != NULL) {
        draw_message(d, row->m);
    } else {
        if (row->left_out > 0) {
            buf_printf(&text, "%zu more messages", row->left_out);
        } else {
            svg_remark(d->story, row->step, &text);
        }
        draw_remark(d, row->step, (const char *)text.data);
    }
    if (row->m != NULL && row->m == svg_refusal(d->story)) {
        d->y += 8;
        draw_remark(d, row->step, (const char *)d->story->steps[row->step - 1].instead.data);
    }
    buf_clear(&text);
}

// --- all of it ---

static void draw_body(struct drawing *d)
{
    struct svg_plan plan;
    svg_plan_init(&plan, d->story);
    svg_verdict(&d->body, d->story, &d->y);
    svg_heads(&d->body, d->story, &d->y);
    d->since[EXPLAIN_CLIENT] = d->since[EXPLAIN_SERVER] = d->side_y = d->y;
    for (size_t i = 0; i < plan.count; i++) {
        draw_row(d, &plan.rows[i]);
    }
    end_lifelines(d);
    d->y += 14;
    svg_legend(&d->body, &plan, &d->y);
    svg_plan_clear(&plan);
}

// Differs from drawing to drawing of a page: the client's random is in it.
static void make_id(const struct explain_story *story, char id[32])
{
    const struct explain_message *hello = svg_find(story->of, EXPLAIN_CLIENT, MESSAGE_CLIENT_HELLO);
    uint32_t hash = 2166136261U; // FNV-1a
    for (size_t i = 0; hello != NULL && i < hello->bytes.len; i++) {
        hash = (hash ^ hello->bytes.data[i]) * 16777619U;
    }
    snprintf(id, 32, "mtls-handshake-%08x", (unsigned)hash);
}

// For who cannot see it: how it ended, and how each step went.
static void describe(const struct explain_story *story, struct buf *text)
{
    buf_add(text, story->verdict.data, story->verdict.len);
    for (int i = 0; i < EXPLAIN_STEPS; i++) {
        const char *word = state_word(story->steps[i].state);
        buf_printf(text, " Step %d, %s: %s.", i + 1, story->steps[i].title, word[0] != '\0' ? word : "done");
    }
}

void explain_svg(const struct explain_story *story, struct buf *to)
{
    struct drawing d = {.story = story};
    struct buf title = {0};
    struct buf description = {0};
    char id[32];
    make_id(story, id);
    buf_printf(&title, "A TLS handshake in nine steps: %s", (const char *)story->kind.data);
    draw_body(&d);
    describe(story, &description);
    svg_head(to, d.y, id, (const char *)title.data, (const char *)description.data);
    svg_box(to, "f-card k-line w-1", 1, 1, SVG_WIDTH - 2, d.y - 2, 14);
    buf_add(to, d.behind.data, d.behind.len);
    buf_add(to, d.body.data, d.body.len);
    buf_text(to, "</svg>\n");
    buf_clear(&d.behind);
    buf_clear(&d.body);
    buf_clear(&description);
    buf_clear(&title);
}
