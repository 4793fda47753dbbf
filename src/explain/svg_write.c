// SPDX-License-Identifier: Apache-2.0
// Text and shapes as SVG. Colours are classes, so that dark can replace light; there are no variables in them, because
// not every renderer knows those. The arrow heads are paths, so that the drawing needs no identifiers that could meet
// others in a page.
#include "base/text.h"
#include "explain/svg.h"

const struct svg_type SVG_HEADLINE = {"t-headline", 19, true};
const struct svg_type SVG_PLAIN = {"t-plain", 14, false};
const struct svg_type SVG_NAME = {"t-name", 15, true};
const struct svg_type SVG_FIGURES = {"t-figures", 12, false};
const struct svg_type SVG_CAPTION = {"t-caption", 13, false};
const struct svg_type SVG_TITLE = {"t-title", 13, true};

static const char ellipsis[] = "\xe2\x80\xa6";

// --- widths, in thousandths of the size: those of DejaVu Sans, which is a wide one ---

static int character_width(uint32_t c)
{
    static const char *const classes[] = {"ijl'|", " !.,:;/\\IJ[]()-\"`", "ftr{}*", "mw%@+<>=#~", "MWOQ"};
    static const int widths[] = {285, 390, 420, 980, 990};
    if (c >= 0x2e80) {
        return 1050; // ideographs, emoji
    }
    for (size_t i = 0; c < 0x80 && i < sizeof classes / sizeof classes[0]; i++) {
        if (strchr(classes[i], (int)c) != NULL) {
            return widths[i];
        }
    }
    return c >= 'A' && c <= 'Z' ? 720 : c < 0x80 ? 630 : c == 0xb7 ? 320 : 800;
}

// The character at the start of the text, and its octets; what is not UTF-8, or would not be seen, is U+FFFD.
static size_t next_character(const char *text, size_t len, uint32_t *c)
{
    size_t n = text_utf8((const uint8_t *)text, len, c);
    if (n == 0 || text_is_invisible(*c) || (*c & 0xfffe) == 0xfffe) { // U+FFFE and its like are no characters of XML
        *c = 0xfffd;
    }
    return n > 0 ? n : 1;
}

// Octets of the text that fit into the room; *width is what they take, in thousandths.
static size_t fitting(const char *text, int size, bool bold, int room, long *width)
{
    size_t len = strlen(text);
    size_t at = 0;
    uint32_t c = 0;
    for (*width = 0; at < len;) {
        size_t n = next_character(text + at, len - at, &c);
        long wider = *width + (long)character_width(c) * size * (bold ? 112 : 100) / 100;
        if (wider > 1000L * room) {
            break;
        }
        *width = wider;
        at += n;
    }
    return at;
}

static size_t cut(const char *text, const struct svg_type *type, int room)
{
    long width = 0;
    return fitting(text, type->size, type->bold, room, &width);
}

int svg_text_width(const struct svg_type *type, const char *text)
{
    enum { ANY = 1000000 };
    long width = 0;
    fitting(text, type->size, type->bold, ANY, &width);
    return (int)((width + 999) / 1000);
}

// Octets of the first line: up to a middle dot where there is one, else to a space, one character at least.
static size_t line_of(const char *text, const struct svg_type *type, int room)
{
    size_t fits = cut(text, type, room);
    size_t space = 0;
    uint32_t c = 0;
    if (text[fits] == '\0') {
        return fits;
    }
    for (size_t at = fits; at > 0; at--) {
        if (text_starts(text + at, SVG_BETWEEN)) {
            return at;
        }
        space = space == 0 && text[at] == ' ' ? at : space;
    }
    return space > 0 ? space : fits > 0 ? fits : next_character(text, strlen(text), &c);
}

// --- text ---

void svg_escaped(struct buf *b, const char *text, size_t len)
{
    uint32_t c = 0;
    for (size_t i = 0; i < len;) {
        i += next_character(text + i, len - i, &c);
        char one[8] = {0};
        struct buf utf8 = {0};
        text_utf8_add(&utf8, c);
        memcpy(one, utf8.data, utf8.len);
        text_html(b, one);
        buf_clear(&utf8);
    }
}

static void text_at(struct buf *b, const struct svg_type *type, const char *colour, int x, int y, const char *anchor,
                    const char *text, size_t len, const char *more)
{
    buf_printf(b, "<text class=\"%s f-%s%s\" x=\"%d\" y=\"%d\">", type->style, colour, anchor, x, y);
    svg_escaped(b, text, len);
    buf_printf(b, "%s</text>\n", more);
}

// How much of the text to show so that the ellipsis fits behind it.
static size_t shortened(const struct svg_type *type, const char *text, int room)
{
    size_t len = cut(text, type, room - svg_text_width(type, ellipsis));
    while (len > 0 && text[len - 1] == ' ') {
        len--;
    }
    return len;
}

static void text_in(struct buf *b, const struct svg_type *type, const char *colour, int x, int y, const char *anchor,
                    int room, const char *text)
{
    bool fits = svg_text_width(type, text) <= room;
    text_at(b, type, colour, x, y, anchor, text, fits ? strlen(text) : shortened(type, text, room),
            fits ? "" : ellipsis);
}

void svg_text(struct buf *b, const struct svg_type *type, const char *colour, int x, int y, int room, const char *text)
{
    text_in(b, type, colour, x, y, "", room, text);
}

void svg_text_end(struct buf *b, const struct svg_type *type, const char *colour, int x, int y, int room,
                  const char *text)
{
    text_in(b, type, colour, x, y, " a-end", room, text);
}

void svg_text_middle(struct buf *b, const struct svg_type *type, const char *colour, int x, int y, int room,
                     const char *text)
{
    text_in(b, type, colour, x, y, " a-middle", room, text);
}

int svg_line_height(const struct svg_type *type)
{
    return type->size + type->size / 4 + 1;
}

static int each_line(struct buf *b, const struct svg_type *type, const char *colour, int x, int y, int room, int most,
                     const char *text)
{
    int count = 0;
    while (*text != '\0' && count < most) {
        size_t len = line_of(text, type, room);
        bool ends = count + 1 == most;
        if (b != NULL && ends) {
            svg_text(b, type, colour, x, y + count * svg_line_height(type), room, text);
        } else if (b != NULL) {
            text_at(b, type, colour, x, y + count * svg_line_height(type), "", text, len, "");
        }
        text += len;
        text += text_starts(text, SVG_BETWEEN) ? strlen(SVG_BETWEEN) : *text == ' ';
        count++;
    }
    return count;
}

int svg_line_count(const struct svg_type *type, int room, int most, const char *text)
{
    return each_line(NULL, type, "", 0, 0, room, most, text);
}

int svg_lines(struct buf *b, const struct svg_type *type, const char *colour, int x, int y, int room, int most,
              const char *text)
{
    return y + each_line(b, type, colour, x, y, room, most, text) * svg_line_height(type);
}

// --- shapes ---

const char *svg_protection(enum explain_protection protection)
{
    static const char *const names[] = {[EXPLAIN_PLAIN] = "plain",
                                        [EXPLAIN_EARLY_KEYS] = "early",
                                        [EXPLAIN_HANDSHAKE_KEYS] = "handshake",
                                        [EXPLAIN_APPLICATION_KEYS] = "session"};
    return names[protection];
}

void svg_box(struct buf *b, const char *classes, int x, int y, int width, int height, int radius)
{
    buf_printf(b, "<rect class=\"%s\" x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" rx=\"%d\"/>\n", classes, x, y, width,
               height, radius);
}

void svg_line_between(struct buf *b, const char *line, const char *colour, int x1, int y1, int x2, int y2)
{
    buf_printf(b, "<path class=\"l-%s k-%s\" d=\"M%d %dL%d %d\"/>\n", line, colour, x1, y1, x2, y2);
}

void svg_arrow(struct buf *b, const char *line, const char *colour, int from, int to, int y)
{
    enum { HEAD = 11, HALF = 5 };
    int back = to > from ? -HEAD : HEAD;
    svg_line_between(b, line, colour, from, y, to + back, y);
    buf_printf(b, "<path class=\"f-%s\" d=\"M%d %dl%d %dv%dz\"/>\n", colour, to, y, back, -HALF, 2 * HALF);
}

void svg_padlock(struct buf *b, const char *colour, int x, int y)
{
    buf_printf(b, "<g class=\"padlock\"><circle class=\"f-card k-%s w-2\" cx=\"%d\" cy=\"%d\" r=\"11\"/>\n", colour, x,
               y);
    buf_printf(b, "<path class=\"n k-%s w-2\" d=\"M%d %dv-2.5a3 3 0 0 1 6 0v2.5\"/>\n", colour, x - 3, y - 1);
    buf_printf(b, "<rect class=\"f-%s\" x=\"%d\" y=\"%d\" width=\"10\" height=\"7\" rx=\"1.5\"/></g>\n", colour, x - 5,
               y - 1);
}

void svg_mark(struct buf *b, const char *colour, bool good, int x, int y)
{
    buf_printf(b, "<path class=\"n k-%s w-3\" d=\"M%d %d%s\"/>\n", colour, good ? x - 8 : x - 7, good ? y : y - 7,
               good ? "l6 6l11 -12" : "l14 14m0 -14l-14 14");
}

// --- what stands around it ---

static const struct {
    const char *name, *light, *dark;
} colours[] = {
    {"card", "#ffffff", "#1b1f24"},      {"ground", "#f4f3ef", "#121518"},    {"line", "#e3e1da", "#343b43"},
    {"ink", "#1c2126", "#e6e8ea"},       {"soft", "#5f6770", "#a3acb5"},      {"plain", "#7a828b", "#8d969f"},
    {"early", "#8f5b00", "#e3b04b"},     {"handshake", "#1f5fae", "#7fb2f5"}, {"session", "#0a6e4f", "#5fd0a4"},
    {"bad", "#b3261e", "#ff8f86"},       {"good-tint", "#e4f3ec", "#17322a"}, {"bad-tint", "#fbeae8", "#3a201e"},
    {"open-tint", "#f7f1df", "#2f2915"},
};

// The same octets for every drawing, so that a page that permits it by its hash has one hash to name.
static void style(struct buf *b)
{
    enum { LIGHT, DARK };
    buf_text(b,
             "<style>\n.mtls-handshake{max-width:100%;height:auto}\n"
             ".mtls-handshake text{font-family:system-ui,-apple-system,'Segoe UI',Roboto,'Helvetica Neue',sans-serif}\n"
             ".mtls-handshake .n{fill:none}\n"
             ".mtls-handshake .a-end{text-anchor:end}\n.mtls-handshake .a-middle{text-anchor:middle}\n"
             ".mtls-handshake .w-1{stroke-width:1}\n.mtls-handshake .w-2{stroke-width:2}\n"
             ".mtls-handshake .w-3{stroke-width:3;stroke-linecap:round;stroke-linejoin:round}\n"
             ".mtls-handshake .dashed{stroke-dasharray:3 3}\n"
             ".mtls-handshake .t-figures{font-variant-numeric:tabular-nums}\n"
             ".mtls-handshake .l-plain{fill:none;stroke-width:2;stroke-linecap:round;stroke-dasharray:.1 5}\n"
             ".mtls-handshake .l-early{fill:none;stroke-width:2;stroke-dasharray:10 3 2 3}\n"
             ".mtls-handshake .l-handshake{fill:none;stroke-width:2;stroke-dasharray:8 4}\n"
             ".mtls-handshake .l-session{fill:none;stroke-width:2.6}\n");
    const struct svg_type *const types[] = {&SVG_HEADLINE, &SVG_PLAIN,   &SVG_NAME,
                                            &SVG_FIGURES,  &SVG_CAPTION, &SVG_TITLE};
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        buf_printf(b, ".mtls-handshake .%s{font-size:%dpx%s}\n", types[i]->style, types[i]->size,
                   types[i]->bold ? ";font-weight:600" : "");
    }
    for (int mode = LIGHT; mode <= DARK; mode++) {
        buf_text(b, mode == DARK ? "@media (prefers-color-scheme:dark){\n" : "");
        for (size_t i = 0; i < sizeof colours / sizeof colours[0]; i++) {
            const char *colour = mode == DARK ? colours[i].dark : colours[i].light;
            buf_printf(b, ".mtls-handshake .f-%s{fill:%s}.mtls-handshake .k-%s{stroke:%s}\n", colours[i].name, colour,
                       colours[i].name, colour);
        }
        buf_text(b, mode == DARK ? "}\n" : "");
    }
    buf_text(b, "</style>\n");
}

void svg_head(struct buf *b, int height, const char *id, const char *title, const char *description)
{
    enum { SHOWN_WIDTH = 900 };
    buf_printf(b,
               "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"mtls-handshake\" viewBox=\"0 0 %d %d\" width=\"%d\" "
               "height=\"%d\" role=\"img\" aria-labelledby=\"%s-title %s-desc\">\n<title id=\"%s-title\">",
               SVG_WIDTH, height, SHOWN_WIDTH, height * SHOWN_WIDTH / SVG_WIDTH, id, id, id);
    svg_escaped(b, title, strlen(title));
    buf_printf(b, "</title>\n<desc id=\"%s-desc\">", id);
    svg_escaped(b, description, strlen(description));
    buf_text(b, "</desc>\n");
    style(b);
}
