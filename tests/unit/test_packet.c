// SPDX-License-Identifier: Apache-2.0
// explain/packet.c: every link layer and both versions of IP around one segment, and every prefix of them.
#include "explain/packet.h"
#include "run.h"

#include <pcap/dlt.h>
#include <sys/socket.h>

static const char tcp[] = "01bb c000 00000102 00000000 5018 ffff 0000 0000 616263"; // "abc"
static const char ipv4[] = "4500 002b 0000 0000 4006 0000 7f000001 7f000002";       // 43 octets
static const char ipv6[] = "6000 0000 001f 0040 00000000000000000000000000000001 00000000000000000000000000000002"
                           "0600 000000000000"; // a hop-by-hop header in front of the segment

static struct buf octets(const char *link, const char *ip)
{
    struct buf b = {0};
    assert_true(text_unhex(link, &b) && text_unhex(ip, &b) && text_unhex(tcp, &b));
    return b;
}

static void assert_read(int link, const char *header, const char *ip, int family)
{
    struct packet p;
    struct buf b = octets(header, ip);
    buf_add(&b, "\0\0\0\0", 4); // padding, as Ethernet has it
    assert_true(packet_link_known(link));
    assert_true(packet_read(link, buf_span(&b), &p));
    assert_int_equal(p.from.family, family);
    assert_int_equal(p.from.port, 443);
    assert_int_equal(p.to.port, 0xc000);
    assert_int_equal(p.from.address[family == AF_INET ? 3 : 15], 1);
    assert_int_equal(p.to.address[family == AF_INET ? 3 : 15], 2);
    assert_int_equal(p.sequence, 0x102);
    assert_int_equal(p.len, 3);
    assert_int_equal(p.data.len, 3);
    assert_memory_equal(p.data.data, "abc", 3);
    assert_true(p.ack && !p.syn && !p.fin && !p.rst);
    buf_clear(&b);
}

static void test_links(void **state)
{
    (void)state;
    assert_read(DLT_RAW, "", ipv4, AF_INET);
    assert_read(DLT_RAW, "", ipv6, AF_INET6);
    assert_read(DLT_NULL, "02000000", ipv4, AF_INET);
    assert_read(DLT_LOOP, "00000018", ipv6, AF_INET6);
    assert_read(DLT_EN10MB, "010203040506 0708090a0b0c 0800", ipv4, AF_INET);
    assert_read(DLT_EN10MB, "010203040506 0708090a0b0c 8100 0001 88a8 0002 86dd", ipv6, AF_INET6);
    assert_read(DLT_LINUX_SLL, "0000 0304 0006 000000000000 0000 0800", ipv4, AF_INET);
    assert_read(DLT_LINUX_SLL2, "86dd 0000 00000001 0304 00 06 0000000000000000", ipv6, AF_INET6);
}

static void test_others(void **state)
{
    (void)state;
    struct packet p;
    struct buf b = octets("010203040506 0708090a0b0c 0806", ipv4); // ARP
    assert_false(packet_read(DLT_EN10MB, buf_span(&b), &p));
    assert_false(packet_link_known(DLT_IEEE802_11));
    assert_false(packet_read(DLT_IEEE802_11, buf_span(&b), &p));
    buf_clear(&b);
    b = octets("", ipv4);
    b.data[6] = 0x20; // a fragment
    assert_false(packet_read(DLT_RAW, buf_span(&b), &p));
    b.data[6] = 0;
    b.data[9] = 17; // UDP
    assert_false(packet_read(DLT_RAW, buf_span(&b), &p));
    buf_clear(&b);
}

static void read_any(struct span data)
{
    static const int links[] = {DLT_NULL, DLT_EN10MB, DLT_RAW, DLT_LINUX_SLL, DLT_LINUX_SLL2};
    for (size_t i = 0; i < sizeof links / sizeof links[0]; i++) {
        struct packet p;
        if (packet_read(links[i], data, &p)) {
            assert_true(p.data.len <= p.len && p.data.data >= data.data &&
                        p.data.data + p.data.len <= data.data + data.len);
        }
    }
}

static void test_hostile(void **state)
{
    (void)state;
    struct buf b = octets("", ipv4);
    survive(buf_span(&b), 1, read_any);
    buf_clear(&b);
    b = octets("010203040506 0708090a0b0c 8100 0001 86dd", ipv6);
    survive(buf_span(&b), 1, read_any);
    buf_clear(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_links),
        cmocka_unit_test(test_others),
        cmocka_unit_test(test_hostile),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
