// SPDX-License-Identifier: Apache-2.0
// A connection may rest at any moment, whatever is on its way; only memory is lost by it.
#include "openssl_client.h"

#include <malloc.h>
#include <openssl/crypto.h>
#include <sys/mman.h>
#include <unistd.h>

enum { MESSAGES = 300, MESSAGE_MOST = 40000, BLOCK_PAGES = 5, PAGE = 4096 };

static uint32_t seed = 1;

static size_t some(size_t most) // 1 to most, the small ones more often
{
    seed = seed * 1664525 + 1013904223;
    size_t limit = (seed >> 8) % 3 == 0 ? most : most / 50 + 1;
    return (seed >> 10) % limit + 1;
}

// Pages of a block that are there.
static size_t resident(const void *block)
{
    unsigned char there[BLOCK_PAGES] = {0};
    size_t count = 0;
    assert_int_equal(mincore((void *)block, sizeof there * PAGE, there), 0);
    for (size_t i = 0; i < BLOCK_PAGES; i++) {
        count += there[i] & 1;
    }
    return count;
}

// From OpenSSL to us; the server rests after each call.
static void pass_in(struct openssl_client *c, const uint8_t *message, size_t len)
{
    static uint8_t got[MESSAGE_MOST];
    size_t have = 0;
    assert_int_equal(SSL_write(c->ssl, message, (int)len), len);
    while (have < len) {
        size_t n = 0;
        c->most = some(20000);
        enum tls_status status = tls_read(c->server, got + have, some(sizeof got - have), &n);
        assert_true(status == TLS_DONE || status == TLS_WANT_READ);
        have += n;
        tls_rest(c->server);
    }
    assert_memory_equal(got, message, len);
}

// From us to OpenSSL, likewise.
static void pass_out(struct openssl_client *c, const uint8_t *message, size_t len)
{
    static uint8_t got[MESSAGE_MOST];
    size_t have = 0;
    size_t sent = 0;
    while (have < len) {
        if (sent < len) {
            size_t n = 0;
            c->most = some(20000);
            enum tls_status status = tls_write(c->server, message + sent, len - sent, &n);
            assert_true(status == TLS_DONE || status == TLS_WANT_WRITE);
            sent += n;
            tls_rest(c->server);
        }
        int n = SSL_read(c->ssl, got + have, (int)(len - have));
        have += n > 0 ? (size_t)n : 0;
    }
    assert_memory_equal(got, message, len);
}

static void test_conversation(void **state)
{
    (void)state;
    static uint8_t message[MESSAGE_MOST];
    for (size_t v = 0; v < 2; v++) {
        struct tls_settings settings = {.versions = client_versions[v].ours};
        struct tls_context *server = server_context(&settings, "servers/localhost");
        struct openssl_client client;
        client_open(&client, server, client_versions[v].openssl);
        tls_rest(client.server); // nothing has begun
        assert_true(client_shake(&client));
        for (int i = 0; i < MESSAGES; i++) {
            size_t len = some(sizeof message);
            for (size_t k = 0; k < len; k++) {
                message[k] = (uint8_t)some(256);
            }
            (i % 2 == 0 ? pass_in : pass_out)(&client, message, len);
        }
        assert_string_equal(tls_peer(client.server)->names[0].text, "alice.example");
        assert_int_equal(tls_close(client.server), TLS_DONE);
        assert_int_equal(SSL_read(client.ssl, message, sizeof message), 0);
        assert_int_equal(SSL_get_shutdown(client.ssl), SSL_RECEIVED_SHUTDOWN);
        client_close(&client);
        tls_context_free(server);
    }
}

// What is half done keeps its memory; when it is done, the pages go.
static void test_pages(void **state)
{
    (void)state;
    static uint8_t message[16000];
    for (size_t v = 0; v < 2; v++) {
        struct tls_settings settings = {.versions = client_versions[v].ours};
        struct tls_context *server = server_context(&settings, "servers/localhost");
        struct openssl_client client;
        size_t n = 0;
        client_open(&client, server, client_versions[v].openssl);
        assert_true(client_shake(&client));
        if (client.server->memory.incoming == NULL) {
            skip(); // this mbedTLS takes its memory from the C library
        }
        memset(message, 1, sizeof message);
        assert_int_equal(SSL_write(client.ssl, message, sizeof message), sizeof message);
        client.most = 10000; // of a record, half
        assert_int_equal(tls_read(client.server, message, 100, &n), TLS_DONE);
        tls_rest(client.server); // the rest is not read yet
        assert_true(resident(client.server->memory.incoming) >= 3);
        assert_int_equal(tls_read(client.server, message, sizeof message, &n), TLS_DONE);
        assert_int_equal(n, sizeof message - 100);
        assert_int_equal(message[n - 1], 1);
        assert_true(resident(client.server->memory.incoming) >= 3);
        tls_rest(client.server);
        assert_int_equal(resident(client.server->memory.incoming), 0);

        client.most = 0; // the transport is full before the first byte
        assert_int_equal(tls_write(client.server, message, sizeof message, &n), TLS_WANT_WRITE);
        tls_rest(client.server);
        assert_true(resident(client.server->memory.outgoing) >= 3);
        client.most = SIZE_MAX / 2;
        assert_int_equal(tls_write(client.server, message, sizeof message, &n), TLS_DONE);
        tls_rest(client.server);
        assert_int_equal(resident(client.server->memory.outgoing), 0);
        assert_int_equal(SSL_read(client.ssl, message, sizeof message), sizeof message);
        client_close(&client);
        tls_context_free(server);
    }
}

// OpenSSL's memory, apart from ours, so that it does not lie between what is measured: blocks of powers of two, which
// wait for the next one when they are freed.
enum { CLASS_FIRST = 5, CLASSES = 20, CHUNK = 1 << 22 };

static void *class_spare[CLASSES];

static void *class_malloc(size_t size, const char *file, int line)
{
    static uint8_t *chunk;
    static size_t left;
    size_t class = 0;
    (void)file;
    (void)line;
    while (((size_t)1 << (class + CLASS_FIRST)) < size + 2 * sizeof(size_t)) {
        class ++;
    }
    size_t length = (size_t)1 << (class + CLASS_FIRST);
    size_t *block = class_spare[class];
    if (block != NULL) {
        memcpy(&class_spare[class], block + 1, sizeof(void *));
    } else {
        if (left < length) {
            left = length > CHUNK ? length : CHUNK;
            chunk = mmap(NULL, left, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
            assert_ptr_not_equal(chunk, MAP_FAILED);
        }
        left -= length;
        block = (size_t *)(void *)(chunk + left);
    }
    *block = class;
    return block + 2;
}

static void class_free(void *memory, const char *file, int line)
{
    (void)file;
    (void)line;
    if (memory != NULL) {
        size_t *block = (size_t *)memory - 2;
        size_t class = *block;
        memcpy(block + 1, &class_spare[class], sizeof(void *));
        class_spare[class] = block;
    }
}

static void *class_realloc(void *memory, size_t size, const char *file, int line)
{
    void *moved = class_malloc(size, file, line);
    if (memory != NULL) {
        size_t old = ((size_t)1 << (*((size_t *)memory - 2) + CLASS_FIRST)) - 2 * sizeof(size_t);
        memcpy(moved, memory, old < size ? old : size);
        class_free(memory, file, line);
    }
    return moved;
}

static size_t resident_memory(void)
{
    size_t pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    assert_non_null(file);
    assert_int_equal(fscanf(file, "%*s %zu", &pages), 1);
    fclose(file);
    return pages * (size_t)sysconf(_SC_PAGESIZE);
}

// Resident memory for each connection that was authenticated, has served something, and rests.
static size_t per_connection(struct tls_context *server, int version, struct tls_connection **idle, size_t count)
{
    size_t before = 0;
    malloc_trim(0);                                  // what the version before has left
    for (size_t i = 0; i < count + count / 4; i++) { // the first ones find what the C library has in store
        static uint8_t message[15000];
        struct openssl_client client;
        client_open(&client, server, version);
        assert_true(client_shake(&client));
        pass_in(&client, message, sizeof message);
        pass_out(&client, message, sizeof message);
        tls_rest(client.server);
        idle[i] = client.server;
        client.server = NULL;
        client_close(&client);
        before = i == count / 4 ? resident_memory() : before;
    }
    return (resident_memory() - before) / count;
}

static void test_idle_memory(void **state)
{
    (void)state;
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    skip(); // their bookkeeping would be measured
#endif
    const char *wanted = getenv("MTLS_IDLE_CONNECTIONS");
    size_t count = wanted == NULL ? 100 : strtoul(wanted, NULL, 10);
    for (size_t v = 0; v < 2; v++) {
        struct tls_settings settings = {.versions = client_versions[v].ours};
        struct tls_context *server = server_context(&settings, "servers/localhost");
        struct tls_connection **idle = mem_array(count * 2, sizeof(struct tls_connection *));
        size_t bytes = per_connection(server, client_versions[v].openssl, idle, count);
        print_message("%s: %zu bytes for each of %zu idle connections\n", client_versions[v].word, bytes, count);
        if (idle[0]->memory.incoming != NULL) {
            assert_true(bytes <= 16384);
        }
        for (size_t i = 0; idle[i] != NULL; i++) {
            tls_connection_free(idle[i]);
        }
        free(idle);
        tls_context_free(server);
    }
}

int main(void)
{
    if (CRYPTO_set_mem_functions(class_malloc, class_realloc, class_free) != 1) {
        return 1;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_conversation),
        cmocka_unit_test(test_pages),
        cmocka_unit_test(test_idle_memory),
    };
    return cmocka_run_group_tests(tests, pki_setup, pki_teardown);
}
