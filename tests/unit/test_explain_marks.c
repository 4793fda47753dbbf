// SPDX-License-Identifier: Apache-2.0
// explain/marks.c: in every message of the captures that the fuzzers start from, and in what is left of them when they
// are damaged, marks are in order, lie inside the message, and none overlaps another; of what could be read they leave
// out nothing.
#include "explain/capture.h"
#include "run.h"

#include <dirent.h>

struct seen {
    size_t messages, marks;
};

static void check_message(const struct explain_message *m, bool whole, struct seen *seen)
{
    size_t end = 0;
    size_t marked = 0;
    for (size_t i = 0; i < m->mark_count; i++) {
        const struct explain_mark *mark = &m->marks[i];
        assert_true(mark->at >= end);
        assert_true(mark->len > 0 && mark->len <= m->bytes.len && mark->at <= m->bytes.len - mark->len);
        assert_true(mark->name[0] != '\0');
        end = mark->at + mark->len;
        marked += mark->len;
    }
    if (whole && m->problem == NULL && (m->kind == EXPLAIN_HANDSHAKE || m->kind == EXPLAIN_ALERT)) {
        assert_int_equal(marked, m->bytes.len);
    }
    seen->messages += m->kind == EXPLAIN_HANDSHAKE;
    seen->marks += m->mark_count;
}

// As the fuzz target takes them: the key log's length, the key log, the capture.
static void check_capture(struct span input, struct seen *seen)
{
    struct err e = ERR_INIT;
    size_t log = (size_t)input.data[0] << 8 | input.data[1];
    assert_true(2 + log < input.len);
    struct explain_keys *keys = explain_keys_new();
    explain_keys_read(keys, span_of(input.data + 2, log));
    FILE *file = fmemopen((void *)(uintptr_t)(input.data + 2 + log), input.len - 2 - log, "rb");
    struct capture *capture = capture_read(file, keys, &e);
    for (size_t i = 0; capture != NULL && i < capture->count; i++) {
        const struct explain *x = capture->connections[i].explain;
        for (size_t k = 0; k < explain_count(x); k++) {
            check_message(explain_message(x, k), true, seen);
        }
    }
    capture_free(capture);
    explain_keys_free(keys);
}

static void test_captures(void **state)
{
    (void)state;
    static const char folder[] = MTLS_SOURCE_DIR "/tests/fuzz/corpus/capture";
    struct seen seen = {0};
    DIR *files = opendir(folder);
    assert_non_null(files);
    for (struct dirent *entry; (entry = readdir(files)) != NULL;) {
        if (entry->d_name[0] != '.') {
            struct err e = ERR_INIT;
            struct buf input = {0};
            char path[512];
            snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
            assert_works(file_read(path, FILE_LIMIT, &input, &e), &e);
            check_capture(buf_span(&input), &seen);
            buf_clear(&input);
        }
    }
    closedir(files);
    assert_true(seen.messages > 50 && seen.marks > 5 * seen.messages);
}

static void check_octets(struct span data)
{
    struct seen seen = {0};
    struct explain *x = explain_new(NULL);
    explain_bytes(x, EXPLAIN_CLIENT, 0, data.data, data.len);
    explain_bytes(x, EXPLAIN_SERVER, 0, data.data, data.len);
    for (size_t i = 0; i < explain_count(x); i++) {
        check_message(explain_message(x, i), false, &seen);
    }
    explain_free(x);
}

#define ZEROS "0000000000000000000000000000000000000000000000000000000000000000"
static const char hello[] = "1603010071" // with a name, a protocol, a share of a key, and a ticket
                            "0100006d"
                            "0303" ZEROS "00 0002 1301 0100 0042"
                            "0000 0008 0006 00 0003 616263"
                            "0010 0005 0003 02 6832"
                            "0033 0007 0005 001d 0001 ff"
                            "0029 001a 000b 0005 1122334455 00000000 000b 0a 0102030405060708090a"
                            "abcd 0000";

static void test_hello(void **state)
{
    (void)state;
    static const char expected[] =
        "msg_type 0+1, length 1+3, version 4+2, random 6+32, session_id 38+1, cipher_suites 39+4, "
        "compression_methods 43+2, extensions 45+2, server_name 47+4, server_name_list 51+2, name_type 53+1, "
        "host_name 54+5, application_layer_protocol_negotiation 59+4, protocol_name_list 63+2, protocol_name 65+3, "
        "key_share 68+4, client_shares 72+2, group 74+2, key_exchange 76+3, pre_shared_key 79+4, identities 83+2, "
        "identity 85+7, obfuscated_ticket_age 92+4, binders 96+13, extension 109+4, ";
    struct buf octets = {0};
    struct buf marks = {0};
    assert_true(text_unhex(hello, &octets));
    struct explain *x = explain_new(NULL);
    explain_bytes(x, EXPLAIN_CLIENT, 0, octets.data, octets.len);
    assert_int_equal(explain_count(x), 1);
    const struct explain_message *m = explain_message(x, 0);
    assert_null(m->problem);
    for (size_t i = 0; i < m->mark_count; i++) {
        buf_printf(&marks, "%s %zu+%zu, ", m->marks[i].name, m->marks[i].at, m->marks[i].len);
    }
    assert_string_equal((const char *)marks.data, expected);
    explain_free(x);
    buf_clear(&marks);
    survive(buf_span(&octets), 1, check_octets);
    buf_clear(&octets);
}

// A list of names that has no end: the marks have one.
static void test_bound(void **state)
{
    (void)state;
    enum { NAMES = 2000 };
    struct buf record = {0};
    struct buf names = {0};
    for (int i = 0; i < NAMES; i++) {
        buf_add(&names, "\0\0", 2);
    }
    const uint8_t head[] = {22, 3, 3, 0, 0, 13, 0, 0, 0, 1, 1, 0, 0, (uint8_t)(names.len >> 8), (uint8_t)names.len};
    buf_add(&record, head, sizeof head);
    buf_add(&record, names.data, names.len);
    size_t len = record.len - 5;
    record.data[3] = (uint8_t)(len >> 8);
    record.data[4] = (uint8_t)len;
    record.data[7] = (uint8_t)((len - 4) >> 8);
    record.data[8] = (uint8_t)(len - 4);
    struct explain *x = explain_new(NULL);
    explain_bytes(x, EXPLAIN_SERVER, 0, record.data, record.len);
    assert_int_equal(explain_count(x), 1);
    assert_null(explain_message(x, 0)->problem);
    assert_int_equal(explain_message(x, 0)->mark_count, 256);
    explain_free(x);
    buf_clear(&record);
    buf_clear(&names);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_captures),
        cmocka_unit_test(test_hello),
        cmocka_unit_test(test_bound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
