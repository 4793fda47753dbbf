// SPDX-License-Identifier: Apache-2.0
// Above the arrows: how it ended, and who the two are. Below them: what the lines mean.
#include "base/print.h"
#include "explain/svg.h"

// --- how it ended ---

// How much was sent for the handshake, and how long it took: from the client's hello to the later finished.
static void summary(const struct explain_story *story, struct buf *text)
{
    size_t octets = 0;
    size_t messages = 0;
    int finished = 0;
    buf_text(text, "");
    for (size_t i = 0; i < explain_count(story->of) && finished < 2; i++) {
        const struct explain_message *m = explain_message(story->of, i);
        octets += m->len;
        messages++;
        finished += m->kind == EXPLAIN_HANDSHAKE && m->type == MESSAGE_FINISHED;
        if (finished == 2) {
            buf_printf(text, "%zu messages of %zu octets in %.1f ms, until both had finished", messages, octets,
                       (double)m->at_us / 1000.0);
        }
    }
}

static bool is_done(const struct explain_story *story)
{
    enum explain_state last = story->steps[EXPLAIN_STEPS - 1].state;
    return story->failed == 0 && (last == EXPLAIN_AS_DESCRIBED || last == EXPLAIN_INSTEAD);
}

void svg_verdict(struct buf *b, const struct explain_story *story, int *y)
{
    enum { ICON = 40, TOP = 38, ROOM = SVG_WIDTH - 2 * SVG_EDGE - ICON, MOST = 4, GAP = 2 };
    const char *verdict = (const char *)story->verdict.data;
    const char *kind = (const char *)story->kind.data;
    bool done = is_done(story);
    int x = SVG_EDGE + ICON;
    struct buf text = {0};
    struct buf above = {0};
    summary(story, &text);
    int base = svg_lines(&above, &SVG_HEADLINE, "ink", x, *y + TOP, ROOM, MOST, verdict);
    if (story->hint.len > 0) {
        base = svg_lines(&above, &SVG_PLAIN, "ink", x, base, ROOM, MOST, (const char *)story->hint.data);
    }
    base = svg_lines(&above, &SVG_PLAIN, "soft", x, base + GAP, ROOM, 2, kind);
    base = svg_lines(&above, &SVG_CAPTION, "soft", x, base, ROOM, 1, (const char *)text.data);
    svg_box(b,
            story->failed != 0 ? "f-bad-tint"
            : done             ? "f-good-tint"
                               : "f-open-tint",
            1, *y + 1, SVG_WIDTH - 2, base - *y, 13);
    if (story->failed != 0 || done) {
        svg_mark(b, story->failed != 0 ? "bad" : "session", done, SVG_EDGE + 12, *y + TOP - 6);
    } else {
        svg_padlock(b, "early", SVG_EDGE + 12, *y + TOP - 6);
    }
    buf_add(b, above.data, above.len);
    *y = base + 1;
    buf_clear(&above);
    buf_clear(&text);
}

// --- who the two are ---

// The client by its certificate, the server as it was asked for.
static void name_side(const struct explain_story *story, enum explain_side side, struct buf *name)
{
    const struct explain_facts *facts = explain_facts(story->of);
    const char *subject = svg_certificate(story->of, side, "subject");
    bool seen = svg_find(story->of, side, MESSAGE_CERTIFICATE) != NULL;
    if (side == EXPLAIN_SERVER && facts->name != NULL) {
        buf_text(name, facts->name);
    } else if (subject != NULL) {
        buf_text(name, subject);
    } else {
        buf_text(name, facts->resumed ? "known from earlier" : seen ? "no certificate" : "not known");
    }
}

static void draw_laptop(struct buf *b, int x, int y)
{
    svg_box(b, "n k-soft w-2", x + 3, y, 18, 13, 2);
    svg_line_between(b, "session", "soft", x, y + 17, x + 24, y + 17);
}

static void draw_machine(struct buf *b, int x, int y)
{
    for (int i = 0; i < 2; i++) {
        svg_box(b, "n k-soft w-2", x + 1, y - 1 + 10 * i, 22, 8, 2);
        svg_box(b, "f-soft", x + 5, y + 2 + 10 * i, 3, 2, 1);
    }
}

void svg_heads(struct buf *b, const struct explain_story *story, int *y)
{
    enum { WIDE = 218, HIGH = 48, PAD = 12, ICON = 24, TOP = 18, ROOM = WIDE - 3 * PAD - ICON };
    static const int lefts[2] = {SVG_CLIENT - 24, SVG_SERVER + 24 - WIDE};
    static const char *const titles[2] = {"Client", "Server"};
    for (int side = 0; side < 2; side++) {
        struct buf name = {0};
        int x = lefts[side] + PAD;
        int top = *y + TOP;
        name_side(story, (enum explain_side)side, &name);
        svg_box(b, "f-ground k-line w-1", lefts[side], top, WIDE, HIGH, 10);
        if (side == EXPLAIN_CLIENT) {
            draw_laptop(b, x, top + 15);
            svg_text(b, &SVG_NAME, "ink", x + ICON + PAD, top + 21, ROOM, titles[side]);
            svg_text(b, &SVG_CAPTION, "soft", x + ICON + PAD, top + 38, ROOM, (const char *)name.data);
        } else {
            x = lefts[side] + WIDE - PAD - ICON;
            draw_machine(b, x, top + 15);
            svg_text_end(b, &SVG_NAME, "ink", x - PAD, top + 21, ROOM, titles[side]);
            svg_text_end(b, &SVG_CAPTION, "soft", x - PAD, top + 38, ROOM, (const char *)name.data);
        }
        buf_clear(&name);
    }
    *y += TOP + HIGH;
}

// --- the side ---

void svg_badge(struct buf *b, int number, enum explain_state state, int x, int y)
{
    enum { RADIUS = 11 };
    static const struct {
        const char *circle, *number;
    } looks[] = {
        [EXPLAIN_AS_DESCRIBED] = {"f-ink k-ink w-2", "card"},
        [EXPLAIN_INSTEAD] = {"f-card k-ink w-2", "ink"},
        [EXPLAIN_FAILED] = {"f-bad k-bad w-2", "card"},
        [EXPLAIN_NOT_REACHED] = {"f-card k-soft w-2 dashed", "soft"},
        [EXPLAIN_UNSEEN] = {"f-card k-soft w-2 dashed", "soft"},
    };
    buf_printf(b, "<circle class=\"%s\" cx=\"%d\" cy=\"%d\" r=\"%d\"/>\n", looks[state].circle, x, y, RADIUS);
    if (number > 0) {
        char text[16];
        snprintf(text, sizeof text, "%d", number);
        svg_text_middle(b, &SVG_TITLE, looks[state].number, x, y + 5, 2 * RADIUS, text);
    }
}

// --- what the lines mean ---

void svg_legend(struct buf *b, const struct svg_plan *plan, int *y)
{
    static const char *const words[] = {[EXPLAIN_PLAIN] = "readable by anybody",
                                        [EXPLAIN_EARLY_KEYS] = "under early keys",
                                        [EXPLAIN_HANDSHAKE_KEYS] = "under handshake keys",
                                        [EXPLAIN_APPLICATION_KEYS] = "under session keys"};
    enum { SAMPLE = 34, GAP = 18, SECOND = SVG_CLIENT + 60 };
    bool used[4] = {true, false, false, false};
    int x = SVG_EDGE;
    for (size_t i = 0; i < plan->count; i++) {
        if (plan->rows[i].m != NULL) {
            used[plan->rows[i].m->protection] = true;
        }
    }
    svg_box(b, "f-line", 1, *y, SVG_WIDTH - 2, 1, 0);
    *y += 27;
    for (int i = 0; i < 4; i++) {
        const char *name = svg_protection((enum explain_protection)i);
        int width = SAMPLE + 7 + svg_text_width(&SVG_FIGURES, words[i]);
        if (used[i]) {
            if (x + width > SVG_WIDTH - SVG_EDGE) {
                x = SVG_EDGE;
                *y += 26;
            }
            svg_arrow(b, name, name, x, x + SAMPLE, *y - 4);
            svg_text(b, &SVG_FIGURES, "soft", x + SAMPLE + 7, *y, 200, words[i]);
            x += width + GAP;
        }
    }
    *y += 32;
    svg_padlock(b, "soft", SVG_EDGE + 11, *y - 4);
    svg_text(b, &SVG_FIGURES, "soft", SVG_EDGE + 30, *y, SECOND - SVG_EDGE - 40, "encrypted from here on");
    svg_badge(b, 0, EXPLAIN_AS_DESCRIBED, SECOND + 11, *y - 4);
    svg_text(b, &SVG_FIGURES, "soft", SECOND + 30, *y, 150, "the classic step");
    x = SECOND + 30 + svg_text_width(&SVG_FIGURES, "the classic step") + GAP;
    svg_badge(b, 0, EXPLAIN_INSTEAD, x + 11, *y - 4);
    svg_text(b, &SVG_FIGURES, "soft", x + 30, *y, SVG_WIDTH - SVG_EDGE - x - 30, "done otherwise today");
    *y += 24;
}
