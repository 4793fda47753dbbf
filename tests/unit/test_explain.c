// SPDX-License-Identifier: Apache-2.0
// explain/session.c, decode.c: records and messages by hand; what is malformed, and where the explanation ends.
#include "explain/internal.h"
#include "run.h"

static void feed(struct explain *x, enum explain_side from, uint64_t at_us, const char *hex)
{
    struct buf b = {0};
    assert_true(text_unhex(hex, &b));
    explain_bytes(x, from, at_us, b.data, b.len);
    buf_clear(&b);
}

static const char *field(const struct explain *x, size_t i, const char *name)
{
    const json_t *value = json_object_get(explain_message(x, i)->fields, name);
    value = json_is_array(value) ? json_array_get(value, 0) : value;
    return json_is_string(value) ? json_string_value(value) : "";
}

#define RANDOM "0000000000000000000000000000000000000000000000000000000000000000"
static const char hello_head[] = "160301004c"
                                 "01000048"
                                 "0303" RANDOM "00 0004 1301 0a0a 0100 001b"; // two suites, one for nobody

static const char hello_extensions[] = "0000 000a 0008 00 0005 61 1b 62 c3 28" // server_name "a\x1bb.."
                                       "002b 0005 04 0304 7a7a"
                                       "ff01 0000";

static void test_hello(void **state)
{
    (void)state;
    struct explain *x = explain_new(NULL);
    feed(x, EXPLAIN_CLIENT, 5000, hello_head);
    assert_int_equal(explain_count(x), 0); // it is not all there
    feed(x, EXPLAIN_CLIENT, 6500, hello_extensions);
    assert_int_equal(explain_count(x), 1);
    const struct explain_message *m = explain_message(x, 0);
    assert_string_equal(explain_message_name(m), "ClientHello");
    assert_null(m->problem);
    assert_int_equal(m->at_us, 1500);
    assert_int_equal(m->len, 0x4c);
    assert_string_equal(field(x, 0, "cipher_suites"), "TLS_AES_128_GCM_SHA256");
    assert_string_equal(json_string_value(json_array_get(json_object_get(m->fields, "cipher_suites"), 1)),
                        "GREASE 0x0A0A");
    assert_string_equal(field(x, 0, "versions"), "TLS 1.3");
    assert_string_equal(field(x, 0, "extensions"), "server_name");
    assert_string_equal(explain_facts(x)->name, "a\\x1Bb\\xC3("); // escaped
    explain_free(x);
}

// A message in records of an octet each, and two messages in one record.
static void test_fragments(void **state)
{
    (void)state;
    struct explain *x = explain_new(NULL);
    static const char *const octets[] = {"0e", "00", "00", "00"};
    for (size_t i = 0; i < 4; i++) {
        char record[32];
        snprintf(record, sizeof record, "1603030001%s", octets[i]);
        feed(x, EXPLAIN_SERVER, i, record);
    }
    feed(x, EXPLAIN_SERVER, 9, "1603030008 0e000000 0e000000");
    assert_int_equal(explain_count(x), 3);
    assert_string_equal(explain_message_name(explain_message(x, 0)), "ServerHelloDone");
    assert_int_equal(explain_message(x, 0)->records, 4);
    assert_int_equal(explain_message(x, 1)->records, 1);
    assert_int_equal(explain_message(x, 2)->records, 1);
    explain_free(x);
}

static void test_alert(void **state)
{
    (void)state;
    struct explain *x = explain_new(NULL);
    feed(x, EXPLAIN_SERVER, 0, "15030300020274");
    assert_string_equal(field(x, 0, "alert"), "certificate_required");
    assert_string_equal(field(x, 0, "level"), "fatal");
    assert_string_equal(field(x, 0, "meaning"), "the client must have a certificate, and sent none");
    feed(x, EXPLAIN_SERVER, 0, "150303000102");
    assert_string_equal(explain_message(x, 1)->problem, "an alert has two octets");
    explain_free(x);
}

static void test_ends(void **state)
{
    (void)state;
    struct explain *x = explain_new(NULL);
    feed(x, EXPLAIN_CLIENT, 0, "4745542020"); // "GET  "
    assert_string_equal(explain_ended(x), "the client sends what is not a record of TLS");
    feed(x, EXPLAIN_CLIENT, 0, "15030300020274");
    assert_int_equal(explain_count(x), 0);
    explain_free(x);
    x = explain_new(NULL);
    feed(x, EXPLAIN_SERVER, 0, "1603030004 0bffffff");
    assert_string_equal(explain_ended(x), "the server sends a handshake message of 16777219 octets, which is too long "
                                          "to be followed");
    explain_free(x);
    x = explain_new(NULL);
    for (int i = 0; i < 513; i++) {
        feed(x, EXPLAIN_SERVER, 0, "15030300020100");
    }
    assert_string_equal(explain_ended(x), "there are more than 512 messages");
    assert_int_equal(explain_count(x), 512);
    explain_free(x);
}

static void test_malformed(void **state)
{
    (void)state;
    static const struct {
        const char *record;
        const char *problem;
    } cases[] = {
        {"1603030005 02000001 03", "it ends before its random data"},
        {"1603030029 01000025 0303" RANDOM "00 0003", "it ends in its cipher suites"},
        {"160303002c 01000028 0303" RANDOM "00 0003 130113", "a list of numbers ends in half of one"},
        {"160303000b 0d000007 0101 0002 0403 01", "it ends in its list of acceptable CAs"},
        {"1603030008 0b000004 000002 00", "its list of certificates cannot be read"},
        {"160303000a 0b000006 000003 000001", "it ends in a certificate"},
        {"1603030008 0f000004 0403 0005", "it ends in its signature"},
        {"1603030005 10000001 00", "what it holds in this key exchange is not known here"},
        {"1603030005 18000001 02", "it cannot be read"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct explain *x = explain_new(NULL);
        feed(x, EXPLAIN_SERVER, 0, cases[i].record);
        assert_int_equal(explain_count(x), 1);
        assert_string_equal(explain_message(x, 0)->problem, cases[i].problem);
        explain_free(x);
    }
}

static void test_names(void **state)
{
    (void)state;
    assert_string_equal(name_of_suite(0xc02b), "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256");
    assert_int_equal(suite_find(0xc02b)->exchange, EXPLAIN_ECDHE);
    assert_int_equal(suite_find(0x009d)->exchange, EXPLAIN_RSA);
    assert_int_equal(suite_find(0x009d)->protection, PROTECTION_AES_256_GCM);
    assert_null(name_of_suite(0xfffe));
    assert_string_equal(name_of_group(0x001d), "x25519");
    assert_string_equal(name_of_scheme(0x0804), "rsa_pss_rsae_sha256");
    assert_string_equal(explain_version_name(0x0304), "TLS 1.3");
}

static void test_keys(void **state)
{
    (void)state;
    struct explain_keys *keys = explain_keys_new();
    struct traffic_secret secret;
    static const uint8_t random[EXPLAIN_RANDOM];
    static const char log[] = "# a comment\nCLIENT_RANDOM " RANDOM " 0102zz\nSERVER_TRAFFIC_SECRET_0 00 01\n"
                              "EXPORTER_SECRET\nCLIENT_TRAFFIC_SECRET_0 " RANDOM " 0102\r\n"
                              "CLIENT_RANDOM " RANDOM " 0a0b0c";
    assert_int_equal(explain_keys_read(keys, span_of(log, sizeof log - 1)), 2);
    assert_true(keys_find(keys, "CLIENT_RANDOM", random, &secret));
    assert_int_equal(secret.len, 3);
    assert_memory_equal(secret.data, "\x0a\x0b\x0c", 3);
    assert_true(keys_find(keys, "CLIENT_TRAFFIC_SECRET_0", random, &secret));
    assert_int_equal(secret.len, 2);
    assert_false(keys_find(keys, "SERVER_TRAFFIC_SECRET_0", random, &secret));
    explain_keys_free(keys);
}

// Who closes without an alert is named, and the step in which that was.
static void test_closed(void **state)
{
    (void)state;
    static const struct {
        enum explain_side side;
        bool reset;
        const char *verdict;
    } cases[] = {
        {EXPLAIN_SERVER, true, "Step 2 failed: The server resets the connection, without an alert that says why."},
        {EXPLAIN_CLIENT, true, "Step 2 failed: The client resets the connection, without an alert that says why."},
        {EXPLAIN_SERVER, false, "Step 2 failed: The connection is closed, without an alert that says why."},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct explain_story story;
        struct explain *x = explain_new(NULL);
        feed(x, EXPLAIN_CLIENT, 0, hello_head);
        feed(x, EXPLAIN_CLIENT, 0, hello_extensions);
        explain_story_init(&story, x);
        assert_int_equal(story.failed, 0); // as long as it is open
        assert_int_equal(story.steps[0].state, EXPLAIN_AS_DESCRIBED);
        assert_int_equal(story.steps[1].state, EXPLAIN_NOT_REACHED);
        explain_story_clear(&story);
        explain_closed(x, cases[i].side, cases[i].reset);
        explain_story_init(&story, x);
        assert_int_equal(story.failed, 2);
        assert_string_equal((const char *)story.verdict.data, cases[i].verdict);
        assert_int_equal(story.steps[1].state, EXPLAIN_FAILED);
        assert_int_equal(story.steps[2].state, EXPLAIN_NOT_REACHED);
        explain_story_clear(&story);
        explain_free(x);
    }
}

// No line is longer than 80 columns: a late message with a long name, in many records, that cannot be read.
static void test_width(void **state)
{
    (void)state;
    char *text = NULL;
    size_t len = 0;
    struct explain_story story;
    struct explain *x = explain_new(NULL);
    FILE *out = open_memstream(&text, &len);
    feed(x, EXPLAIN_SERVER, 1, "15030300020100");
    feed(x, EXPLAIN_SERVER, 12345678901, "1603030004 08000190");
    for (int i = 0; i < 100; i++) {
        feed(x, EXPLAIN_SERVER, 12345678901, "1603030004 20202020");
    }
    assert_string_equal(explain_message_name(explain_message(x, 1)), "EncryptedExtensions");
    explain_story_init(&story, x);
    explain_text(&story, true, out);
    fclose(out);
    assert_non_null(
        strstr(text, "12345678.900 ms  server <  EncryptedExtensions  \n      404 octets in 101 records, plain\n"));
    size_t lines = 0;
    for (char *line = strtok(text, "\n"); line != NULL; line = strtok(NULL, "\n")) {
        assert_true(strlen(line) <= 80);
        lines++;
    }
    assert_true(lines > 50);
    free(text);
    explain_story_clear(&story);
    explain_free(x);
}

static void tell(struct span data)
{
    char *text = NULL;
    size_t len = 0;
    struct explain *x = explain_new(NULL);
    struct explain_story story;
    FILE *out = open_memstream(&text, &len);
    explain_bytes(x, EXPLAIN_CLIENT, 0, data.data, data.len);
    explain_bytes(x, EXPLAIN_SERVER, 0, data.data, data.len);
    explain_story_init(&story, x);
    explain_text(&story, true, out);
    json_decref(explain_json(&story, true));
    fclose(out);
    assert_true(len > 0);
    free(text);
    explain_story_clear(&story);
    explain_free(x);
}

static void test_hostile(void **state)
{
    (void)state;
    struct buf b = {0};
    assert_true(text_unhex(hello_head, &b) && text_unhex(hello_extensions, &b));
    survive(buf_span(&b), 1, tell);
    buf_clear(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hello), cmocka_unit_test(test_fragments), cmocka_unit_test(test_alert),
        cmocka_unit_test(test_ends),  cmocka_unit_test(test_malformed), cmocka_unit_test(test_names),
        cmocka_unit_test(test_keys),  cmocka_unit_test(test_closed),    cmocka_unit_test(test_hostile),
        cmocka_unit_test(test_width),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
