// SPDX-License-Identifier: Apache-2.0
// The index of a list's entries: which serial numbers are the same, and what a million of them cost.
#include "base/pem.h"
#include "crl_read_fixture.h"

#include <malloc.h>
#include <time.h>

// Numbers are compared, not octets: leading zeros do not count, the sign does [PKITS 4.4.14 to 4.4.18].
static void serials(void **state)
{
    (void)state;
    static const struct {
        struct span listed, wanted;
        bool same;
    } cases[] = {
        {{(const uint8_t *)"\x7f", 1}, {(const uint8_t *)"\x00\x00\x7f", 3}, true},
        {{(const uint8_t *)"\x00\x7f", 2}, {(const uint8_t *)"\x7f", 1}, true},
        {{(const uint8_t *)"\xff", 1}, {(const uint8_t *)"\x00\xff", 2}, false}, // -1 and 255
        {{(const uint8_t *)"\x00\xff", 2}, {(const uint8_t *)"\xff", 1}, false},
        {{(const uint8_t *)"\xff", 1}, {(const uint8_t *)"\xff\xff", 2}, true},
        {{(const uint8_t *)"\x00", 1}, {(const uint8_t *)"\x00\x00", 2}, true},
        {{(const uint8_t *)"\x00", 1}, {(const uint8_t *)"\xff", 1}, false},
        {{(const uint8_t *)"\x7f", 1}, {(const uint8_t *)"\x7f\x00", 2}, false},
        {{(const uint8_t *)"\x00\xff", 2}, {(const uint8_t *)"\xff\x00", 2}, false},
        // 20 octets, 21 because of the sign, and 21
        {{(const uint8_t *)"\x7f"
                           "2345678901234567890",
          20},
         {(const uint8_t *)"\x7f"
                           "2345678901234567890",
          20},
         true},
        {{(const uint8_t *)"\x7f"
                           "2345678901234567890",
          20},
         {(const uint8_t *)"\x7f"
                           "2345678901234567891",
          20},
         false},
        {{(const uint8_t *)"\0\xff"
                           "2345678901234567890",
          21},
         {(const uint8_t *)"\0\xff"
                           "2345678901234567890",
          21},
         true},
        {{(const uint8_t *)"\0\xff"
                           "2345678901234567890",
          21},
         {(const uint8_t *)"\xff"
                           "2345678901234567890",
          20},
         false},
        {{(const uint8_t *)"\x01"
                           "23456789012345678901",
          21},
         {(const uint8_t *)"\0\x01"
                           "23456789012345678901",
          22},
         true},
        {{(const uint8_t *)"\x01"
                           "23456789012345678901",
          21},
         {(const uint8_t *)"23456789012345678901", 20},
         false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct buf entries = {0};
        add_entry(&entries, cases[i].listed, span_of(NULL, 0));
        add_revoked(&entries, 0x4444, NONE);
        struct crl *list = read_draft((struct draft){.entries = buf_span(&entries)});
        assert_int_equal(find(list, cases[i].wanted), cases[i].same ? 0 : CRL_NOT_LISTED);
        assert_int_equal(find(list, cases[i].listed), 0);
        assert_int_equal(find(list, SERIAL("\x44\x44")), 0);
        crl_free(list);
        buf_clear(&entries);
    }
}

// One certificate twice on a list: what revokes it is found, whatever the order.
static void duplicates(void **state)
{
    (void)state;
    for (int order = 0; order < 2; order++) {
        struct buf entries = {0};
        add_revoked(&entries, 0x1234, order == 0 ? 8 : 1);
        add_revoked(&entries, 0x1234, order == 0 ? 1 : 8);
        add_revoked(&entries, 0x1235, 8);
        struct crl *list = read_draft((struct draft){.entries = buf_span(&entries), .base = 1});
        assert_int_equal(find(list, SERIAL("\x12\x34")), 1);
        assert_int_equal(find(list, SERIAL("\x12\x35")), CRL_REASON_REMOVED);
        crl_free(list);
        buf_clear(&entries);
    }
}

static uint64_t mix(uint64_t n) // splitmix64
{
    n += 0x9e3779b97f4a7c15U;
    n = (n ^ n >> 30) * 0xbf58476d1ce4e5b9U;
    n = (n ^ n >> 27) * 0x94d049bb133111ebU;
    return n ^ n >> 31;
}

static void million_serial(size_t n, uint8_t serial[CRL_SERIAL])
{
    uint64_t words[3] = {mix(n), mix(n + 0x10000000), mix(n + 0x20000000)};
    memcpy(serial, words, CRL_SERIAL);
    serial[0] = (uint8_t)((serial[0] & 0x7f) | 0x40);
}

static void million_entries(struct buf *entries, size_t count)
{
    uint8_t entry[39] = {0x30, 37, 2, 20};
    memcpy(entry + 24,
           "\x17\x0d"
           "260501000000Z",
           15);
    buf_reserve(entries, count * sizeof entry);
    for (size_t n = 0; n < count; n++) {
        million_serial(n, entry + 4);
        buf_add(entries, entry, sizeof entry);
    }
}

// Of the processor, so that what else runs on the machine does not count
static uint64_t processor_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

static void million(void **state)
{
    (void)state;
    enum { LOOKUPS = 1000000 };
    for (size_t count = 10; count <= 1000000; count *= count < 10000 ? 1000 : 10) {
        struct err e = ERR_INIT;
        struct buf entries = {0};
        struct buf der = {0};
        struct buf pem = {0};
        uint8_t serial[CRL_SERIAL];
        million_entries(&entries, count);
        struct draft d = {.ca = &alpha, .entries = buf_span(&entries)};
        draft_sign(&d, &der);
        buf_clear(&entries);
        pem_write(&pem, "X509 CRL", buf_span(&der));
        struct crl_store *from_pem = NULL;
        uint64_t pem_start = processor_us();
        assert_works(crl_store_read(&from_pem, "crl.pem", buf_span(&pem), &e), &e);
        uint64_t pem_us = processor_us() - pem_start;
        crl_store_free(from_pem);
        buf_clear(&pem);
        struct mallinfo2 before = mallinfo2();
        uint64_t start = processor_us();
        struct crl *list = crl_read(buf_span(&der), &e);
        assert_non_null(list);
        assert_true(crl_signed_by(list, alpha.certificate));
        uint64_t loaded = processor_us();
        struct mallinfo2 after = mallinfo2();
        size_t taken = after.uordblks + after.hblkhd - before.uordblks - before.hblkhd;
        assert_int_equal(list->index.count, count);
        if (count >= 10000 && before.arena > 0) { // a sanitizer's allocator tells nothing
            assert_true(taken <= 32 * count);
        }
        size_t found = 0;
        uint64_t searched = processor_us();
        for (size_t n = 0; n < LOOKUPS; n++) { // half of them are on the list
            million_serial(mix(n) % (2 * count), serial);
            found += find(list, span_of(serial, sizeof serial)) != CRL_NOT_LISTED;
        }
        uint64_t end = processor_us();
        assert_in_range(found, LOOKUPS * 2 / 5, LOOKUPS * 3 / 5);
        print_message(
            "%7zu entries: DER loaded and checked in %.3f s (PEM %.3f s), %.1f octets an entry, %.0f ns a lookup\n",
            count, (double)(loaded - start) / 1e6, (double)pem_us / 1e6, (double)taken / (double)count,
            (double)(end - searched) * 1e3 / LOOKUPS);
        crl_free(list);
        buf_clear(&der);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(serials), cmocka_unit_test(duplicates),
                                       cmocka_unit_test(million)};
    return cmocka_run_group_tests(tests, setup, teardown);
}
