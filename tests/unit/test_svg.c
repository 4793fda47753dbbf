// SPDX-License-Identifier: Apache-2.0
// explain/svg*.c: what hostile text and any number of messages make of the drawing; xmllint says whether it is XML.
// What real handshakes look like is shown by tests/e2e/drawing.bats.
#include "explain/svg.h"
#include "run.h"

static void feed(struct explain *x, enum explain_side from, uint64_t at_us, const char *hex)
{
    struct buf b = {0};
    assert_true(text_unhex(hex, &b));
    explain_bytes(x, from, at_us, b.data, b.len);
    buf_clear(&b);
}

static void draw(const struct explain *x, struct buf *svg)
{
    struct explain_story story;
    explain_story_init(&story, x);
    explain_svg(&story, svg);
    explain_story_clear(&story);
}

#define RANDOM "0000000000000000000000000000000000000000000000000000000000000000"

// A ClientHello that asks for this name.
static void feed_hello(struct explain *x, const char *name)
{
    size_t len = strlen(name);
    struct buf hex = {0};
    buf_printf(&hex, "160301%04zx 01%06zx 0303" RANDOM "00 0002 1301 0100 %04zx 0000 %04zx %04zx 00 %04zx", 56 + len,
               52 + len, 9 + len, 5 + len, 3 + len, len);
    text_hex(&hex, name, len, '\0');
    feed(x, EXPLAIN_CLIENT, 0, (const char *)hex.data);
    buf_clear(&hex);
    assert_int_equal(explain_count(x), 1);
    assert_null(explain_message(x, 0)->problem);
}

static void assert_is_xml(const struct buf *svg)
{
    struct run r;
    run_begin(&r);
    run_file(&r, "drawing.svg", buf_span(svg));
    if (run_has(&r, "xmllint")) {
        assert_runs(&r, "xmllint --noout drawing.svg");
    }
    run_end(&r);
}

static const char *in(const struct buf *svg, const char *text)
{
    return strstr((const char *)svg->data, text);
}

static void test_nothing(void **state)
{
    (void)state;
    struct explain *x = explain_new(NULL);
    struct buf svg = {0};
    draw(x, &svg);
    assert_is_xml(&svg);
    assert_non_null(in(&svg, ">The handshake was not seen to its end.<"));
    buf_clear(&svg);
    explain_free(x);
}

// The reason stands in the drawing, and what was not reached below it.
static void test_closed(void **state)
{
    (void)state;
    struct explain *x = explain_new(NULL);
    struct buf svg = {0};
    feed_hello(x, "a");
    explain_closed(x, EXPLAIN_SERVER, true);
    draw(x, &svg);
    assert_is_xml(&svg);
    const char *why = in(&svg, "f-bad\" x=\"224\"");
    assert_non_null(why);
    assert_non_null(strstr(why, ">The server resets the connection, without an alert"));
    assert_non_null(strstr(why, ">not reached<"));
    buf_clear(&svg);
    explain_free(x);
}

static void test_markup(void **state)
{
    (void)state;
    struct explain *x = explain_new(NULL);
    struct buf svg = {0};
    feed_hello(x, "</text><script>\"'&\xff\x01");
    draw(x, &svg);
    assert_is_xml(&svg);
    assert_null(in(&svg, "<script"));
    assert_non_null(in(&svg, ">&lt;/text&gt;&lt;script&gt;"));
    buf_clear(&svg);
    explain_free(x);
}

// In the head there is room for some 20 characters, in the caption for some 50.
static void test_long_name(void **state)
{
    (void)state;
    struct explain *x = explain_new(NULL);
    struct buf svg = {0};
    char name[241];
    memset(name, 'w', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    feed_hello(x, name);
    draw(x, &svg);
    assert_non_null(in(&svg, "wwww\xe2\x80\xa6</text>"));
    name[60] = '\0';
    assert_null(in(&svg, name));
    buf_clear(&svg);
    explain_free(x);
}

static void test_many_messages(void **state)
{
    (void)state;
    struct explain *x = explain_new(NULL);
    struct buf svg = {0};
    feed_hello(x, "a");
    for (int i = 0; i < 600; i++) {
        feed(x, i % 2 == 0 ? EXPLAIN_SERVER : EXPLAIN_CLIENT, (uint64_t)i, "1603030004 00000000");
    }
    draw(x, &svg);
    assert_is_xml(&svg);
    assert_non_null(in(&svg, " more messages<"));
    assert_true(svg.len < 64 * 1024);
    buf_clear(&svg);
    explain_free(x);
}

// Two drawings in a page have identifiers of their own, and the same style.
static void test_embedding(void **state)
{
    (void)state;
    struct buf svgs[2] = {{0}, {0}};
    for (int i = 0; i < 2; i++) {
        struct explain *x = explain_new(NULL);
        feed_hello(x, i == 0 ? "one" : "two");
        draw(x, &svgs[i]);
        explain_free(x);
    }
    const char *ids[2] = {in(&svgs[0], "-title\">"), in(&svgs[1], "-title\">")};
    assert_non_null(ids[0]);
    assert_memory_not_equal(ids[0] - 8, ids[1] - 8, 8);
    const char *style = in(&svgs[0], "<style>");
    size_t len = (size_t)(in(&svgs[0], "</style>") - style);
    assert_memory_equal(style, in(&svgs[1], "<style>"), len);
    buf_clear(&svgs[0]);
    buf_clear(&svgs[1]);
}

static void test_characters(void **state)
{
    (void)state;
    struct buf b = {0};
    svg_escaped(&b, "a\xff\x02\xef\xbf\xbe\xe2\x80\xae&\xc3\xa4", 12);
    assert_string_equal((const char *)b.data, "a\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd&amp;\xc3\xa4");
    buf_clear(&b);
}

// The rest of the lines and where the next would be.
static void assert_lines(int room, int most, const char *text, const char *expected)
{
    struct buf b = {0};
    struct buf lines = {0};
    int end = svg_lines(&b, &SVG_CAPTION, "ink", 0, 100, room, most, text);
    assert_int_equal(end, 100 + svg_line_count(&SVG_CAPTION, room, most, text) * svg_line_height(&SVG_CAPTION));
    for (const char *at = in(&b, "\">"); at != NULL; at = strstr(at, "\">")) {
        at += 2;
        buf_add(&lines, at, strcspn(at, "<"));
        buf_text(&lines, "|");
    }
    assert_string_equal((const char *)lines.data, expected);
    buf_clear(&lines);
    buf_clear(&b);
}

static void test_lines(void **state)
{
    (void)state;
    assert_lines(400, 2, "one line", "one line|");
    assert_lines(80, 9, "here are two lines", "here are|two lines|");
    assert_lines(40, 3, "here are more lines", "here|are|mor\xe2\x80\xa6|");
    assert_lines(120, 9, "a" SVG_BETWEEN "b and more" SVG_BETWEEN "c and more",
                 "a" SVG_BETWEEN "b and more|c and more|");
    assert_lines(1, 2, "\xc3\xa4\xc3\xb6\xc3\xbc",
                 "\xc3\xa4|\xe2\x80\xa6|"); // no room for anything: it ends all the same
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing),    cmocka_unit_test(test_closed),    cmocka_unit_test(test_markup),
        cmocka_unit_test(test_long_name),  cmocka_unit_test(test_embedding), cmocka_unit_test(test_many_messages),
        cmocka_unit_test(test_characters), cmocka_unit_test(test_lines),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
