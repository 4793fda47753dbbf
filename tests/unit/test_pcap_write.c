// SPDX-License-Identifier: Apache-2.0
// What is written is read again as the same connections; tests/e2e/observe.bats asks tshark too.
#include "explain/capture.h"
#include "explain/pcap_write.h"
#include "run.h"

#include <arpa/inet.h>

static const uint8_t hello_done[] = {22, 3, 3, 0, 4, 14, 0, 0, 0};

static struct sockaddr_storage end_of(const char *ip, uint16_t port)
{
    struct sockaddr_storage s = {0};
    struct sockaddr_in *in = (struct sockaddr_in *)&s;
    struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&s;
    if (inet_pton(AF_INET, ip, &in->sin_addr) == 1) {
        in->sin_family = AF_INET;
        in->sin_port = htons(port);
    } else {
        assert_int_equal(inet_pton(AF_INET6, ip, &in6->sin6_addr), 1);
        in6->sin6_family = AF_INET6;
        in6->sin6_port = htons(port);
    }
    return s;
}

static struct capture *capture_of(const char *path)
{
    struct err e = ERR_INIT;
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    struct capture *capture = capture_read(file, NULL, &e);
    assert_string_equal(e.text, "");
    assert_null(capture->stopped);
    return capture;
}

// Two connections: one of IPv4 that the server resets, and one of IPv6 that is still open at the end.
static void test_read_again(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    struct run r;
    bool reset = false;
    run_begin(&r);
    char *path = mem_printf("%s/seen.pcap", r.dir);
    struct sockaddr_storage ends[4] = {end_of("127.0.0.1", 40000), end_of("192.0.2.1", 443), end_of("::1", 40001),
                                       end_of("2001:db8::1", 8443)};
    struct pcap_write *w = pcap_write_open(path, &e);
    assert_non_null(w);
    pcap_write_begin(w, &ends[0], &ends[1]);
    pcap_write_bytes(w, EXPLAIN_CLIENT, hello_done, 5);
    pcap_write_bytes(w, EXPLAIN_CLIENT, hello_done + 5, 4);
    pcap_write_closed(w, EXPLAIN_SERVER, true);
    pcap_write_bytes(w, EXPLAIN_CLIENT, hello_done, sizeof hello_done); // nobody is there any more
    pcap_write_begin(w, &ends[2], &ends[3]);
    for (int i = 0; i < 3000; i++) { // more than a segment
        pcap_write_bytes(w, EXPLAIN_CLIENT, hello_done, sizeof hello_done);
    }
    pcap_write_bytes(w, EXPLAIN_SERVER, hello_done, sizeof hello_done);
    assert_works(pcap_write_close(w, &e), &e);

    struct capture *capture = capture_of(path);
    assert_int_equal(capture->count, 2);
    assert_int_equal(capture->other, 0);
    const struct capture_connection *c = capture->connections;
    assert_string_equal(c[0].addresses[EXPLAIN_CLIENT], "127.0.0.1:40000");
    assert_string_equal(c[0].addresses[EXPLAIN_SERVER], "192.0.2.1:443");
    assert_int_equal(explain_count(c[0].explain), 1);
    assert_true(explain_is_closed(c[0].explain, EXPLAIN_SERVER, &reset));
    assert_true(reset);
    assert_string_equal(c[1].addresses[EXPLAIN_CLIENT], "[::1]:40001");
    assert_string_equal(c[1].addresses[EXPLAIN_SERVER], "[2001:db8::1]:8443");
    assert_int_equal(explain_count(c[1].explain), 512); // as many as are kept
    assert_true(explain_is_closed(c[1].explain, EXPLAIN_SERVER, &reset));
    assert_false(reset);
    capture_free(capture);
    free(path);
    run_end(&r);
}

static void test_cannot_be_written(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    assert_null(pcap_write_open("/none/seen.pcap", &e));
    assert_string_equal(e.text, "opening /none/seen.pcap: No such file or directory");
    e = (struct err)ERR_INIT;
    struct sockaddr_storage ends[2] = {end_of("127.0.0.1", 1), end_of("127.0.0.1", 2)};
    struct pcap_write *w = pcap_write_open("/dev/full", &e);
    assert_non_null(w);
    pcap_write_begin(w, &ends[0], &ends[1]);
    assert_int_equal(pcap_write_close(w, &e), -1);
    assert_string_equal(e.text, "writing the capture: No space left on device");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_read_again), cmocka_unit_test(test_cannot_be_written)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
