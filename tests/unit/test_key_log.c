// SPDX-License-Identifier: Apache-2.0
// Our lines of the key log are those that OpenSSL, at the other end of the same session, would have written.
#include "openssl_client.h"

#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>

static struct buf openssl_lines; // each after a line feed

static void keep_line(const SSL *ssl, const char *line)
{
    (void)ssl;
    buf_printf(&openssl_lines, "\n%s", line);
}

// The lines of `these` are all in `those`, each after a line feed; how many there are.
static int count_lines(const char *these, const char *those)
{
    int count = 0;
    char *copy = mem_strdup(these);
    for (char *rest = copy, *line; (line = strsep(&rest, "\n")) != NULL;) {
        // mbedTLS has no exporter secret to tell.
        if (line[0] != '\0' && strncmp(line, "EXPORTER_SECRET ", 16) != 0) {
            char *wanted = mem_printf("\n%s", line);
            assert_non_null(strstr(those, wanted));
            free(wanted);
            count++;
        }
    }
    free(copy);
    return count;
}

static void test_same_as_openssl(void **state)
{
    (void)state;
    static const char *const ciphers_13[] = {"TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384"};
    static const int lines_after[] = {1, 5, 6, 10};
    for (size_t i = 0; i < 4; i++) {
        struct err e = ERR_INIT;
        struct stat status;
        struct buf file = {0};
        char *path = mem_strdup(pki_path("keys.log", ""));
        struct tls_settings settings = {.key_log = path};
        struct tls_context *server = server_context(&settings, "servers/localhost");
        struct openssl_client client;
        client_open(&client, server, client_versions[i % 2].openssl);
        assert_int_equal(SSL_set_ciphersuites(client.ssl, ciphers_13[i / 2]), 1);
        SSL_CTX_set_keylog_callback(client.context, keep_line);
        assert_true(client_shake(&client));
        assert_int_equal(stat(path, &status), 0);
        assert_int_equal(status.st_mode & 0777, 0600);
        buf_text(&file, "\n"); // what was there before stays: each round adds to it
        assert_int_equal(file_read(path, FILE_LIMIT, &file, &e), 0);
        int lines = count_lines((const char *)file.data, (const char *)openssl_lines.data);
        assert_int_equal(lines, lines_after[i]);
        assert_int_equal(lines, count_lines((const char *)openssl_lines.data, (const char *)file.data));
        assert_int_equal(file.data[file.len - 1], '\n');
        free(path);
        buf_clear(&file);
        client_close(&client);
        tls_context_free(server);
    }
    unlink(pki_path("keys.log", ""));
    buf_clear(&openssl_lines);
}

// Without the setting there is no file.
static void test_off(void **state)
{
    (void)state;
    struct tls_settings settings = {.key_log = NULL};
    struct tls_context *server = server_context(&settings, "servers/localhost");
    struct openssl_client client;
    client_open(&client, server, TLS1_3_VERSION);
    assert_true(client_shake(&client));
    assert_false(file_exists(pki_path("keys.log", "")));
    client_close(&client);
    tls_context_free(server);
}

static void test_cannot_be_opened(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    char *expected = mem_printf("opening the key log %s: No such file or directory", pki_path("none/keys.log", ""));
    assert_null(key_log_open(pki_path("none/keys.log", ""), &e));
    assert_string_equal(e.text, expected);
    free(expected);
}

enum { THREADS = 4, LINES_EACH = 500, LINE_LENGTH = 13 + 1 + 64 + 1 + 96 + 1 };

static void *write_lines(void *log)
{
    static const uint8_t random[32] = {1};
    static const uint8_t secret[48] = {2};
    for (int i = 0; i < LINES_EACH; i++) {
        key_log_write(log, MBEDTLS_SSL_KEY_EXPORT_TLS12_MASTER_SECRET, random, span_of(secret, sizeof secret));
    }
    return NULL;
}

// Lines are whole, whoever writes at the same time.
static void test_threads(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    struct buf file = {0};
    pthread_t threads[THREADS];
    const char *path = pki_path("threads.log", "");
    struct key_log *logs[2] = {key_log_open(path, &e), key_log_open(path, &e)}; // two processes would be like that
    for (size_t i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, write_lines, logs[i % 2]), 0);
    }
    for (size_t i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
    }
    assert_int_equal(file_read(path, FILE_LIMIT, &file, &e), 0);
    assert_int_equal(file.len, THREADS * LINES_EACH * LINE_LENGTH);
    for (size_t at = 0; at < file.len; at += LINE_LENGTH) {
        assert_memory_equal(file.data + at, file.data, LINE_LENGTH);
        assert_int_equal(file.data[at + LINE_LENGTH - 1], '\n');
    }
    buf_clear(&file);
    key_log_free(logs[0]);
    key_log_free(logs[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_off),
        cmocka_unit_test(test_same_as_openssl),
        cmocka_unit_test(test_cannot_be_opened),
        cmocka_unit_test(test_threads),
    };
    return cmocka_run_group_tests(tests, pki_setup, pki_teardown);
}
