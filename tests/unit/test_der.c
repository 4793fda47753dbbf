// SPDX-License-Identifier: Apache-2.0
#include "base/der.h"
#include "base/pem.h"
#include "run.h"

#define SPAN(literal) span_of(literal, sizeof(literal) - 1)

static void elements(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    struct der_item item;
    struct span rest = SPAN("\x02\x01\x05\x30\x00");
    assert_works(der_expect(&rest, 0x02, "number", &item, &e), &e);
    assert_int_equal(item.content.len, 1);
    assert_int_equal(item.whole.len, 3);
    assert_works(der_next(&rest, &item, &e), &e);
    assert_int_equal(item.tag, 0x30);
    assert_int_equal(item.content.len, 0);
    assert_int_equal(rest.len, 0);
    assert_fails(der_next(&rest, &item, &e), &e, "DER: an element is cut short or has a tag of more than one octet");
    rest = SPAN("\x02\x01\x05");
    assert_fails(der_expect(&rest, 0x04, "name", &item, &e), &e, "name: DER tag 0x02 where 0x04 is due");
}

static void malformed_elements(void **state)
{
    (void)state;
    static const char cut[] = "DER: an element is cut short or has a tag of more than one octet";
    static const char length[] = "DER: a length is indefinite, too long or cut short";
    static const char longer[] = "DER: an element is longer than what holds it";
    static const char shortest[] = "DER: a length is not in its shortest form";
    const struct {
        struct span der;
        const char *expected;
    } cases[] = {
        {SPAN(""), cut},
        {SPAN("\x30"), cut},
        {SPAN("\x1f\x81\x00\x00"), cut}, // tag 128
        {SPAN("\x30\x80\x00\x00"), length},
        {SPAN("\x30\x81"), length},
        {SPAN("\x30\x82\x01"), length},
        {SPAN("\x30\x85\x01\x00\x00\x00\x00"), length},
        {SPAN("\x30\x82\x00\x80"), length}, // a leading zero
        {SPAN("\x30\x81\x7f"), shortest},
        {SPAN("\x30\x01"), longer},
        {SPAN("\x30\x84\xff\xff\xff\xff\x00"), longer},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct err e = ERR_INIT;
        struct der_item item;
        struct span rest = cases[i].der;
        assert_fails(der_next(&rest, &item, &e), &e, cases[i].expected);
    }
}

// What is wrapped reads back, at each length where the header changes.
// A time that is none is quoted in the error, and so is hostile text.
static void times(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    int64_t when = 0;
    struct span rest = SPAN("\x17\x0d"
                            "260101000000Z");
    assert_works(der_time(&rest, &when, &e), &e);
    assert_int_equal(when, 1767225600);
    rest = SPAN("\x17\x0d"
                "260101\x1b[31m\x00Z");
    assert_fails(der_time(&rest, &when, &e), &e,
                 "\"260101\\x1B[31m\\x00Z\" is not a time of the calendar in Zulu time");
}

// Zulu is a capital letter (X.690 section 11.8), whatever RFC 3339 has.
static void zulu(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    int64_t when = 0;
    struct span rest = SPAN("\x17\x0d"
                            "260101000000z");
    assert_fails(der_time(&rest, &when, &e), &e, "a time is neither UTCTime nor GeneralizedTime in its RFC 5280 form");
}

// Words that do not fit are cut between characters.
static void cut_text(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    struct buf long_text = {0};
    while (long_text.len < sizeof e.text + 2) {
        buf_text(&long_text, "\xe2\x82\xac");
    }
    err_set(&e, "%s", (const char *)long_text.data);
    assert_int_equal(strlen(e.text), (sizeof e.text - 1) / 3 * 3);
    err_clear(&e);
    err_set(&e, "%.4s", (const char *)long_text.data);
    assert_string_equal(e.text, "\xe2\x82\xac");
    buf_clear(&long_text);
}

static void wrapping(void **state)
{
    (void)state;
    static const size_t lengths[] = {0, 1, 127, 128, 255, 256, 65535, 65536, 16777215, 16777216};
    static const size_t headers[] = {2, 2, 2, 3, 3, 4, 4, 5, 5, 6};
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        struct err e = ERR_INIT;
        struct der_item item;
        struct buf out = {0};
        uint8_t *content = mem_alloc(lengths[i]);
        der_wrap(&out, 0x04, span_of(content, lengths[i]));
        assert_int_equal(out.len, headers[i] + lengths[i]);
        struct span rest = buf_span(&out);
        assert_works(der_expect(&rest, 0x04, "it", &item, &e), &e);
        assert_int_equal(item.content.len, lengths[i]);
        assert_int_equal(rest.len, 0);
        der_enclose(&out, 0x30);
        rest = buf_span(&out);
        assert_works(der_expect(&rest, 0x30, "it", &item, &e), &e);
        assert_int_equal(item.content.len, headers[i] + lengths[i]);
        buf_clear(&out);
        free(content);
    }
}

static void oids(void **state)
{
    (void)state;
    static const char *const good[] = {"2.5.29.17", "1.3.6.1.5.5.7.3.2",     "2.999.1", "1.2.840.113549.1.1.11",
                                       "0.9.2342",  "1.3.6.1.4.1.4294967295"};
    static const char *const bad[] = {"", "1", "1.", "3.1", "1.40.1", "1.2.x", "clientAuth", "1..2", "1.2.-1"};
    struct err e = ERR_INIT;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        char text[64];
        struct buf oid = {0};
        assert_works(der_oid_from_text(good[i], &oid, &e), &e);
        assert_int_equal(der_oid_to_text(buf_span(&oid), text, sizeof text), 0);
        assert_string_equal(text, good[i]);
        assert_int_equal(der_oid_to_text(buf_span(&oid), text, 5), -1); // no room
        buf_clear(&oid);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        char expected[128];
        struct buf oid = {0};
        snprintf(expected, sizeof expected, "\"%s\" is not an object identifier such as 1.3.6.1.5.5.7.3.2", bad[i]);
        assert_fails(der_oid_from_text(bad[i], &oid, &e), &e, expected);
        assert_int_equal(oid.len, 0);
    }
    char text[64];
    assert_int_equal(der_oid_to_text(SPAN(""), text, sizeof text), -1);
    assert_int_equal(der_oid_to_text(SPAN("\x55\x80"), text, sizeof text), -1); // an unfinished arc
}

struct seen {
    char labels[256];
    size_t bytes;
};

static int see(void *arg, const char *label, struct span der, struct err *e)
{
    struct seen *seen = arg;
    strncat(seen->labels, label, sizeof seen->labels - strlen(seen->labels) - 2);
    strcat(seen->labels, ";");
    seen->bytes += der.len;
    return strcmp(label, "STOP") == 0 ? err_refused(e, "stopped") : 0;
}

static void pem_blocks(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *labels;
        size_t bytes;
        const char *error; // NULL: none
    } cases[] = {
        {"", "", 0, NULL},
        {"no PEM here\n", "", 0, NULL},
        {"before\n-----BEGIN A B-----\nAQID\n-----END A B-----\nbetween\n-----BEGIN C-----\r\nAQ==\r\n-----END C-----",
         "A B;C;", 4, NULL},
        {"-----BEGIN EMPTY-----\n-----END EMPTY-----\n", "EMPTY;", 0, NULL},
        {"-----BEGIN A-----\nAQID\n-----END A-----\n-----BEGIN B-----\nAQID\n", "A;", 3, "PEM block B has no END line"},
        {"-----BEGIN A-----\nAQID\n-----END B-----\n", "", 0, "PEM block A has no END line"},
        {"-----BEGIN A-----\n-----BEGIN B-----\nAQID\n-----END B-----\n", "", 0, "PEM block A has no END line"},
        {"-----BEGIN A-----\nA!ID\n-----END A-----\n", "", 0, "PEM block A is not base64"},
        {"-----BEGIN A----\nAQID\n-----END A-----\n", "", 0, "PEM: a BEGIN line is damaged"},
        {"-----BEGIN \033[31m-----\nAQID\n", "", 0, "PEM: a BEGIN line is damaged"},
        {"-----BEGIN 0123456789012345678901234567890123456789012345678901234567890123-----\n", "", 0,
         "PEM: a BEGIN line is damaged"},
        {"-----BEGIN STOP-----\nAQID\n-----END STOP-----\n-----BEGIN A-----\nAQID\n-----END A-----\n", "STOP;", 3,
         "stopped"},
        {"-----BEGIN K-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,00\n\nAQID\n-----END K-----\n", "K;", 3,
         NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct err e = ERR_INIT;
        struct seen seen = {0};
        int rc = pem_read(span_of(cases[i].text, strlen(cases[i].text)), see, &seen, &e);
        assert_int_equal(rc, cases[i].error == NULL ? 0 : -1);
        assert_string_equal(e.text, cases[i].error == NULL ? "" : cases[i].error);
        assert_string_equal(seen.labels, cases[i].labels);
        assert_int_equal(seen.bytes, cases[i].bytes);
    }
}

// Behind a damaged block pem_next goes on.
static void pem_goes_on(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    struct pem_block block;
    struct span rest = SPAN("-----BEGIN A-----\nAQID\n-----BEGIN B-----\nA\n-----END B-----\n-----BEGIN C-----\nProc-"
                            "Type: 4,ENCRYPTED\n\nAQID\n-----END C-----\n");
    assert_fails(pem_next(&rest, &block, &e), &e, "PEM block A has no END line");
    assert_fails(pem_next(&rest, &block, &e), &e, "PEM block B is not base64");
    assert_int_equal(pem_next(&rest, &block, &e), 1);
    assert_string_equal(block.label, "C");
    assert_true(block.encrypted);
    assert_memory_equal(block.der.data, "\x01\x02\x03", 3);
    buf_clear(&block.der);
    assert_int_equal(pem_next(&rest, &block, &e), 0);
}

// openssl's lines are of 64 characters too, so the same octets come out.
static void pem_is_openssls(void **state)
{
    (void)state;
    struct run r;
    struct buf pem = {0};
    struct buf theirs = {0};
    run_begin(&r);
    assert_runs(&r,
                "openssl ecparam -name prime256v1 -genkey -noout -out k.pem; openssl ec -in k.pem -outform DER -out "
                "k.der; sed -n '/BEGIN/,$p' k.pem > k2.pem");
    struct buf der = {0};
    run_read(&r, "k.der", &der);
    run_read(&r, "k2.pem", &theirs);
    pem_write(&pem, "EC PRIVATE KEY", buf_span(&der));
    assert_string_equal(pem.data, theirs.data);
    buf_clear(&der);
    buf_clear(&pem);
    buf_clear(&theirs);
    run_end(&r);
}

static void walk(struct span data)
{
    struct err e = ERR_INIT;
    struct der_item item;
    while (data.len > 0 && der_next(&data, &item, &e) == 0) {
        if ((item.tag & 0x20) != 0) {
            walk(item.content);
        }
    }
}

static void walk_pem(struct span data)
{
    struct err e = ERR_INIT;
    struct pem_block block;
    size_t damaged = 0;
    int rc;
    while ((rc = pem_next(&data, &block, &e)) != 0) {
        damaged += rc < 0;
        assert_true(damaged <= data.len + 3); // it moves on
        err_clear(&e);
        buf_clear(&block.der);
    }
}

static void damaged_input(void **state)
{
    (void)state;
    survive(SPAN("\x30\x0a\x02\x01\x05\x30\x05\x04\x03\x61\x62\x63\x81\x01\x00"), 1, walk);
    survive(
        SPAN("-----BEGIN A-----\nAQID\n-----END A-----\n-----BEGIN B-----\nProc-Type: 4,ENCRYPTED\n\nAQID\n-----END "
             "B-----\n"),
        1, walk_pem);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(elements),
        cmocka_unit_test(malformed_elements),
        cmocka_unit_test(wrapping),
        cmocka_unit_test(oids),
        cmocka_unit_test(pem_blocks),
        cmocka_unit_test(pem_goes_on),
        cmocka_unit_test(pem_is_openssls),
        cmocka_unit_test(times),
        cmocka_unit_test(zulu),
        cmocka_unit_test(cut_text),
        cmocka_unit_test(damaged_input),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
