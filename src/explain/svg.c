// SPDX-License-Identifier: Apache-2.0
// The story as a drawing: two lifelines, an arrow a message, the steps at the side.
#include "explain/svg.h"

#include "base/print.h"

#include <stdlib.h>

enum { MIDDLE_LEFT = SVG_CLIENT + 18, MIDDLE_RIGHT = SVG_SERVER - 18, MIDDLE = MIDDLE_RIGHT - MIDDLE_LEFT };
enum { TITLE_ROOM = SVG_CLIENT - 20 - SVG_TITLES, FIGURES_ROOM = 150, CAPTION_LINES = 2 };

struct drawing {
    const struct explain_story *story;
    struct buf behind; // lifelines
    struct buf body;
    int y;                              // the body ends here
    int side_y;                         // the titles at the side end here
    int since[2];                       // the lifelines are drawn to here
    enum explain_protection current[2]; // and go on like this
    int last_arrow;
    bool lines_end;
};

static int lifeline(enum explain_side side)
{
    return side == EXPLAIN_CLIENT ? SVG_CLIENT : SVG_SERVER;
}

// --- the top ---

// What a side is called: the client by its certificate, the server as it was asked for.
static void name_side(const struct explain_story *story, enum explain_side side, struct buf *name)
{
    const struct explain_facts *facts = explain_facts(story->of);
    const char *subject = svg_certificate(story->of, side, "subject");
    if (side == EXPLAIN_SERVER && facts->name != NULL) {
        buf_text(name, facts->name);
    } else if (subject != NULL) {
        buf_text(name, subject);
    } else if (side == EXPLAIN_CLIENT) {
        buf_text(name, facts->resumed ? "known from an earlier session" : facts->hidden ? "" : "without a certificate");
    }
    buf_text(name, "");
}

static void draw_verdict(struct drawing *d)
{
    enum { ICON = 40, TOP = 36, ROOM = SVG_WIDTH - 2 * SVG_EDGE - ICON };
    const struct explain_story *story = d->story;
    bool done = story->failed == 0 && story->steps[EXPLAIN_STEPS - 1].state != EXPLAIN_UNSEEN &&
                story->steps[EXPLAIN_STEPS - 1].state != EXPLAIN_NOT_REACHED;
    const char *tint = story->failed != 0 ? "f-bad-tint" : done ? "f-good-tint" : "f-open-tint";
    const char *verdict = (const char *)story->verdict.data;
    const char *kind = (const char *)story->kind.data;
    int lines = svg_line_count(&SVG_HEADLINE, ROOM, 3, verdict);
    int height = TOP + lines * svg_line_height(&SVG_HEADLINE) +
                 svg_line_count(&SVG_PLAIN, ROOM, 2, kind) * svg_line_height(&SVG_PLAIN);
    svg_box(&d->body, tint, 1, 1, SVG_WIDTH - 2, height, 13);
    if (story->failed != 0 || done) {
        svg_mark(&d->body, story->failed != 0 ? "bad" : "session", done, SVG_EDGE + 12, TOP - 6);
    } else {
        svg_padlock(&d->body, "early", SVG_EDGE + 12, TOP - 6);
    }
    int y = svg_lines(&d->body, &SVG_HEADLINE, "ink", SVG_EDGE + ICON, TOP, ROOM, 3, verdict);
    svg_lines(&d->body, &SVG_PLAIN, "soft", SVG_EDGE + ICON, y, ROOM, 2, kind);
    d->y = height + 1;
}

static void draw_heads(struct drawing *d)
{
    static const char *const titles[2] = {"Client", "Server"};
    enum { ROOM = 220 };
    for (int side = 0; side < 2; side++) {
        struct buf name = {0};
        name_side(d->story, (enum explain_side)side, &name);
        void (*write)(struct buf *, const struct svg_type *, const char *, int, int, int, const char *) =
            side == EXPLAIN_CLIENT ? svg_text : svg_text_end;
        int x = side == EXPLAIN_CLIENT ? SVG_CLIENT - 6 : SVG_SERVER + 6;
        write(&d->body, &SVG_NAME, "ink", x, d->y + 28, ROOM, titles[side]);
        write(&d->body, &SVG_CAPTION, "soft", x, d->y + 46, ROOM, (const char *)name.data);
        buf_clear(&name);
    }
    d->y += 58;
    for (int side = 0; side < 2; side++) {
        buf_printf(&d->body, "<circle class=\"f-plain\" cx=\"%d\" cy=\"%d\" r=\"4\"/>\n",
                   lifeline((enum explain_side)side), d->y);
        d->since[side] = d->y;
    }
    d->side_y = d->y;
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

static void draw_badge(struct drawing *d, int step, int y)
{
    enum { RADIUS = 11, X = SVG_EDGE + RADIUS };
    enum explain_state state = d->story->steps[step - 1].state;
    const char *circle = state == EXPLAIN_FAILED         ? "f-bad k-bad w-2"
                         : state == EXPLAIN_AS_DESCRIBED ? "f-ink k-ink w-2"
                         : state == EXPLAIN_INSTEAD      ? "f-card k-ink w-2"
                                                         : "f-card k-soft w-2 dashed";
    const char *number = state == EXPLAIN_FAILED || state == EXPLAIN_AS_DESCRIBED ? "card"
                         : state == EXPLAIN_INSTEAD                               ? "ink"
                                                                                  : "soft";
    char text[4];
    snprintf(text, sizeof text, "%d", step);
    buf_printf(&d->body, "<circle class=\"%s\" cx=\"%d\" cy=\"%d\" r=\"%d\"/>\n", circle, X, y, RADIUS);
    svg_text_middle(&d->body, &SVG_TITLE, number, X, y + 5, 2 * RADIUS, text);
}

// The number, the title and the state, where a step begins.
static void draw_side(struct drawing *d, const struct svg_row *row)
{
    const struct explain_step *step = &d->story->steps[row->step - 1];
    const char *colour = step->state == EXPLAIN_FAILED ? "bad" : "ink";
    draw_badge(d, row->step, d->y + 11);
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

static void draw_message(struct drawing *d, const struct svg_row *row)
{
    const struct explain_message *m = row->m;
    const char *line = svg_protection(m->protection);
    bool refuses = m->kind == EXPLAIN_ALERT && row->step == d->story->failed;
    const char *colour = refuses ? "bad" : line;
    enum explain_side to = m->from == EXPLAIN_CLIENT ? EXPLAIN_SERVER : EXPLAIN_CLIENT;
    struct buf name = {0};
    struct buf figures = {0};
    int arrow = d->y + 22;
    message_title(m, &name);
    buf_printf(&figures, "%zu octet%s \xc2\xb7 %.3f ms", m->len, plural(m->len), (double)m->at_us / 1000.0);
    buf_text(&d->body, "<g><title>");
    svg_escaped(&d->body, (const char *)name.data, name.len);
    buf_printf(&d->body, ": %s to %s, %s, %s</title>\n", explain_side_name(m->from), explain_side_name(to),
               (const char *)figures.data, explain_protection_name(m->protection));
    svg_text(&d->body, &SVG_NAME, refuses ? "bad" : "ink", MIDDLE_LEFT, d->y + 15, MIDDLE - FIGURES_ROOM,
             (const char *)name.data);
    svg_text_end(&d->body, &SVG_FIGURES, "soft", MIDDLE_RIGHT, d->y + 15, FIGURES_ROOM, (const char *)figures.data);
    svg_arrow(&d->body, line, colour, lifeline(m->from), lifeline(to), arrow);
    if (m->protection > d->current[m->from]) {
        bool locks = d->current[m->from] == EXPLAIN_PLAIN;
        extend_lifeline(d, m->from, arrow);
        d->current[m->from] = m->protection;
        if (locks) {
            svg_padlock(&d->body, line, lifeline(m->from), arrow);
        }
    }
    d->y = draw_captions(d, m, refuses ? "bad" : "soft", arrow + 17) - 5;
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
    int width = both ? MIDDLE : WIDE;
    int x = sides[step] == 's' ? MIDDLE_RIGHT - width : MIDDLE_LEFT;
    int lines = svg_line_count(&SVG_CAPTION, width - 2 * PAD, 4, text);
    int height = lines * svg_line_height(&SVG_CAPTION) + 11;
    const char *colour = failed ? "bad" : "line";
    for (int side = 0; side < 2; side++) {
        if (both || (sides[step] == 's') == (side == EXPLAIN_SERVER)) {
            svg_line_between(&d->body, "session", colour, lifeline((enum explain_side)side), d->y + height / 2,
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

static void draw_not_reached(struct drawing *d, int step)
{
    end_lifelines(d);
    draw_badge(d, step, d->y + 11);
    svg_text(&d->body, &SVG_TITLE, "soft", SVG_TITLES + 8, d->y + 16, MIDDLE, d->story->steps[step - 1].title);
    svg_text_end(&d->body, &SVG_CAPTION, "soft", SVG_WIDTH - SVG_EDGE, d->y + 16, 120, "not reached");
    d->y += 22;
    d->side_y = d->y;
}

static void draw_row(struct drawing *d, const struct svg_row *row)
{
    struct buf text = {0};
    bool failed = row->step == d->story->failed;
    if (row->opens) {
        d->y = (d->y > d->side_y ? d->y : d->side_y) + 16;
    } else {
        d->y += 7;
    }
    if (d->story->steps[row->step - 1].state == EXPLAIN_NOT_REACHED && row->m == NULL) {
        d->y -= row->opens ? 8 : 0;
        draw_not_reached(d, row->step);
        return;
    }
    if (row->opens) {
        draw_side(d, row);
    }
    if (row->m != NULL) {
        draw_message(d, row);
    } else {
        if (row->left_out > 0) {
            buf_printf(&text, "%zu more messages", row->left_out);
        } else {
            svg_remark(d->story, row->step, &text);
        }
        draw_remark(d, row->step, (const char *)text.data);
    }
    if (failed && row->m != NULL && row->m->kind == EXPLAIN_ALERT) {
        d->y += 8;
        draw_remark(d, row->step, (const char *)d->story->steps[row->step - 1].instead.data);
    }
    buf_clear(&text);
}

// --- the bottom ---

static void draw_legend(struct drawing *d, const struct svg_plan *plan)
{
    static const char *const words[] = {[EXPLAIN_PLAIN] = "readable by anybody",
                                        [EXPLAIN_EARLY_KEYS] = "under early keys",
                                        [EXPLAIN_HANDSHAKE_KEYS] = "under handshake keys",
                                        [EXPLAIN_APPLICATION_KEYS] = "under session keys"};
    enum { SAMPLE = 34, GAP = 16 };
    bool used[4] = {false, false, false, false};
    int x = SVG_EDGE;
    for (size_t i = 0; i < plan->count; i++) {
        used[plan->rows[i].m != NULL ? plan->rows[i].m->protection : EXPLAIN_PLAIN] = true;
    }
    d->y += 14;
    svg_line_between(&d->body, "session", "line", 0, d->y, SVG_WIDTH, d->y);
    d->y += 26;
    for (int i = 0; i < 4; i++) {
        const char *name = svg_protection((enum explain_protection)i);
        if (used[i]) {
            svg_arrow(&d->body, name, name, x, x + SAMPLE, d->y - 4);
            svg_text(&d->body, &SVG_FIGURES, "soft", x + SAMPLE + 7, d->y, 200, words[i]);
            x += SAMPLE + 7 + svg_text_width(&SVG_FIGURES, words[i]) + GAP;
        }
    }
    d->y += 20;
}

static void draw_body(struct drawing *d)
{
    struct svg_plan plan;
    svg_plan_init(&plan, d->story);
    draw_verdict(d);
    draw_heads(d);
    for (size_t i = 0; i < plan.count; i++) {
        draw_row(d, &plan.rows[i]);
    }
    end_lifelines(d);
    draw_legend(d, &plan);
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

void explain_svg(const struct explain_story *story, struct buf *to)
{
    struct drawing d = {.story = story};
    struct buf title = {0};
    char id[32];
    make_id(story, id);
    buf_printf(&title, "A TLS handshake in nine steps: %s", (const char *)story->kind.data);
    draw_body(&d);
    svg_head(to, d.y, id, (const char *)title.data, (const char *)story->verdict.data);
    svg_box(to, "f-card k-line w-1", 0, 0, SVG_WIDTH, d.y, 14);
    buf_add(to, d.behind.data, d.behind.len);
    buf_add(to, d.body.data, d.body.len);
    buf_text(to, "</svg>\n");
    buf_clear(&d.behind);
    buf_clear(&d.body);
    buf_clear(&title);
}
