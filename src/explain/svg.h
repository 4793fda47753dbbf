// SPDX-License-Identifier: Apache-2.0
// What the files of the drawing share: svg.c puts it together, svg_plan.c says what comes after what, svg_caption.c
// what is written beside it, svg_write.c writes.
//
// Sizes are in units of the view box, which is SVG_WIDTH wide. The widths of fonts are not known: they are estimated
// for a wide one, so that there is room in the others.
#ifndef MTLS_EXPLAIN_SVG_H
#define MTLS_EXPLAIN_SVG_H

#include "explain/internal.h"

enum {
    SVG_WIDTH = 680,
    SVG_EDGE = 22,    // left and right of everything
    SVG_TITLES = 46,  // where the steps' titles begin
    SVG_CLIENT = 196, // the lifelines
    SVG_SERVER = 644,
};

// --- svg_write.c ---

// Text content or an attribute's value: valid UTF-8, escaped, and without what XML does not allow or is not seen.
void svg_escaped(struct buf *b, const char *text, size_t len);

struct svg_type {      // how a text looks
    const char *style; // names of classes
    int size;
    bool bold;
};
extern const struct svg_type SVG_HEADLINE, SVG_PLAIN, SVG_NAME, SVG_FIGURES, SVG_CAPTION, SVG_TITLE;

#define SVG_BETWEEN " \xc2\xb7 " // what stands between captions, and where lines are broken first

int svg_text_width(const struct svg_type *type, const char *text);
// One line that begins at x, or ends there; it is cut to the room, with an ellipsis.
void svg_text(struct buf *b, const struct svg_type *type, const char *colour, int x, int y, int room, const char *text);
void svg_text_end(struct buf *b, const struct svg_type *type, const char *colour, int x, int y, int room,
                  const char *text);
void svg_text_middle(struct buf *b, const struct svg_type *type, const char *colour, int x, int y, int room,
                     const char *text);
// Lines below each other, `most` of them at most, then an ellipsis; the baseline of what would come next.
int svg_lines(struct buf *b, const struct svg_type *type, const char *colour, int x, int y, int room, int most,
              const char *text);
int svg_line_count(const struct svg_type *type, int room, int most, const char *text);
int svg_line_height(const struct svg_type *type);

void svg_head(struct buf *b, int height, const char *id, const char *title, const char *description);
void svg_box(struct buf *b, const char *classes, int x, int y, int width, int height, int radius);
void svg_padlock(struct buf *b, const char *colour, int x, int y);         // its middle
void svg_mark(struct buf *b, const char *colour, bool good, int x, int y); // a tick, or a cross
// How what is protected like this is drawn: the name of a kind of line, and of a colour.
const char *svg_protection(enum explain_protection protection);
void svg_line_between(struct buf *b, const char *line, const char *colour, int x1, int y1, int x2, int y2);
void svg_arrow(struct buf *b, const char *line, const char *colour, int from, int to, int y);

// --- svg_frame.c ---

void svg_verdict(struct buf *b, const struct explain_story *story, int *y); // *y: where it begins, then where it ends
void svg_heads(struct buf *b, const struct explain_story *story, int *y);
struct svg_plan;
void svg_legend(struct buf *b, const struct svg_plan *plan, int *y);
void svg_badge(struct buf *b, int number, enum explain_state state, int x, int y); // number 0: none

// --- svg_plan.c: messages and steps in the order in which they happened ---

struct svg_row {
    int step;                        // from 1
    bool opens;                      // what stands before is of another step
    bool first;                      // nothing of this step stands before
    const struct explain_message *m; // NULL: what happens inside a peer, elsewhere, or not at all
    size_t left_out;                 // not drawn: so many messages
};
struct svg_plan {
    struct svg_row *rows;
    size_t count, cap;
};
bool svg_is_missing(const struct explain_story *story, int step); // it has not happened, or was not seen
void svg_plan_init(struct svg_plan *plan, const struct explain_story *story);
void svg_plan_clear(struct svg_plan *plan);

// --- svg_caption.c ---

// What matters most in a message, in lines.
void svg_caption(const struct explain_story *story, const struct explain_message *m, struct buf *lines);
// What a step without messages is about.
void svg_remark(const struct explain_story *story, int step, struct buf *text);
bool svg_is_idle(const struct explain_story *story, const struct explain_message *m); // TLS 1.3's ChangeCipherSpec
const struct explain_message *svg_refusal(const struct explain_story *story); // the alert that ended it, or NULL
// A field as text, lists with commas, at most so many of them; "": there is none.
void svg_field(const struct explain_message *m, const char *field, size_t most, struct buf *text);
const struct explain_message *svg_find(const struct explain *x, enum explain_side from, int type); // or NULL
// The field of the first certificate that the side sent, or NULL.
const char *svg_certificate(const struct explain *x, enum explain_side of, const char *field);

#endif
