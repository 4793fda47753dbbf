// SPDX-License-Identifier: Apache-2.0
#include "server/addresses.h"
#include "unit.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>

static address_key key_of(const char *text)
{
    struct sockaddr_storage address = {.ss_family = AF_INET};
    if (inet_pton(AF_INET, text, &((struct sockaddr_in *)&address)->sin_addr) != 1) {
        address.ss_family = AF_INET6;
        assert_int_equal(inet_pton(AF_INET6, text, &((struct sockaddr_in6 *)&address)->sin6_addr), 1);
    }
    return address_key_of(&address);
}

static void test_keys(void **state)
{
    (void)state;
    assert_true(key_of("192.0.2.1") == key_of("192.0.2.1"));
    assert_true(key_of("192.0.2.1") != key_of("192.0.2.2"));
    assert_true(key_of("2001:db8::1") == key_of("2001:db8::ffff:1")); // one network of 64 bits
    assert_true(key_of("2001:db8::1") != key_of("2001:db8:0:1::1"));
    assert_true(key_of("127.0.0.1") != key_of("::1"));
}

static void test_limit(void **state)
{
    struct addresses *addresses = addresses_new();
    address_key a = key_of("192.0.2.1");
    address_key b = key_of("192.0.2.2");
    (void)state;
    assert_false(addresses_take(addresses, a, 0));
    assert_true(addresses_take(addresses, a, 2));
    assert_true(addresses_take(addresses, a, 2));
    assert_false(addresses_take(addresses, a, 2));
    assert_true(addresses_take(addresses, a, 3)); // a reload raised it
    assert_true(addresses_take(addresses, b, 2));
    addresses_give(addresses, a);
    assert_false(addresses_take(addresses, a, 2));
    addresses_give(addresses, a);
    assert_true(addresses_take(addresses, a, 2));
    addresses_give(addresses, a);
    addresses_give(addresses, a);
    addresses_give(addresses, b);
    assert_true(addresses_take(addresses, a, 1));
    assert_false(addresses_take(addresses, a, 1));
    addresses_free(addresses);
}

static void test_many(void **state)
{
    enum { MANY = 100000 };
    struct addresses *addresses = addresses_new();
    (void)state;
    for (address_key key = 1; key <= MANY; key++) {
        assert_true(addresses_take(addresses, key, 1));
    }
    for (address_key key = 1; key <= MANY; key++) {
        assert_false(addresses_take(addresses, key, 1));
    }
    for (address_key key = 1; key <= MANY; key += 2) {
        addresses_give(addresses, key);
    }
    for (address_key key = 1; key <= MANY; key++) {
        assert_int_equal(addresses_take(addresses, key, 1), key % 2);
    }
    addresses_free(addresses);
}

static void *take_and_give(void *arg)
{
    struct addresses *addresses = arg;
    for (unsigned i = 0; i < 20000; i++) {
        if (addresses_take(addresses, i % 7, 3)) {
            addresses_give(addresses, i % 7);
        }
    }
    return NULL;
}

static void test_threads(void **state)
{
    struct addresses *addresses = addresses_new();
    pthread_t threads[4];
    (void)state;
    for (int i = 0; i < 4; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, take_and_give, addresses), 0);
    }
    for (int i = 0; i < 4; i++) {
        pthread_join(threads[i], NULL);
    }
    for (address_key key = 0; key < 7; key++) { // nothing is left
        assert_true(addresses_take(addresses, key, 1));
        assert_false(addresses_take(addresses, key, 1));
    }
    addresses_free(addresses);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_keys),
        cmocka_unit_test(test_limit),
        cmocka_unit_test(test_many),
        cmocka_unit_test(test_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
