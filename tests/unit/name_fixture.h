// SPDX-License-Identifier: Apache-2.0
// OpenSSL as the judge of names, for the tests of ca/name*.c and ca/general_name.c.
#ifndef MTLS_TESTS_NAME_FIXTURE_H
#define MTLS_TESTS_NAME_FIXTURE_H

#include "base/der.h"
#include "base/text.h"
#include "ca/key.h"
#include "tests/temporary.h"
#include "unit.h"

#include <mbedtls/x509_csr.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// What a shell command prints to its standard output. It must end well.
static inline void shell(struct buf *out, const char *command)
{
    char chunk[4096];
    size_t n = 0;
    FILE *f = popen(command, "r");
    assert_non_null(f);
    while ((n = fread(chunk, 1, sizeof chunk, f)) > 0) {
        buf_add(out, chunk, n);
    }
    if (pclose(f) != 0) {
        fail_msg("%s failed", command);
    }
}

// The request that `openssl req -new` makes with these further options, as DER.
static inline void openssl_request(struct buf *der, const char *options)
{
    char *command = mem_printf("openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout /dev/null "
                               "-outform DER %s 2>/dev/null",
                               options);
    shell(der, command);
    free(command);
}

// A request with any subject; nobody has signed it, which OpenSSL does not mind when it only prints.
static inline void unsigned_request(struct span subject, struct buf *der)
{
    static const uint8_t algorithm[] = {0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02};
    static const uint8_t version[] = {0x02, 0x01, 0x00};
    static const uint8_t no_attributes[] = {0xa0, 0x00};
    static const uint8_t signature[] = {0x03, 0x01, 0x00};
    uint8_t spki[256];
    struct err e = ERR_INIT;
    struct rng rng;
    mbedtls_pk_context key;
    struct buf info = {0};
    struct buf content = {0};
    assert_works(rng_init(&rng, &e), &e);
    assert_works(key_generate(KEY_ec_p256, &rng, &key, &e), &e);
    int n = mbedtls_pk_write_pubkey_der(&key, spki, sizeof spki);
    assert_true(n > 0);
    buf_add(&info, version, sizeof version);
    buf_add(&info, subject.data, subject.len);
    buf_add(&info, spki + sizeof spki - n, (size_t)n);
    buf_add(&info, no_attributes, sizeof no_attributes);
    der_wrap(&content, 0x30, buf_span(&info));
    buf_add(&content, algorithm, sizeof algorithm);
    buf_add(&content, signature, sizeof signature);
    der_wrap(der, 0x30, buf_span(&content));
    buf_clear(&info);
    buf_clear(&content);
    mbedtls_pk_free(&key);
    rng_clear(&rng);
}

// How OpenSSL writes a Name by RFC 2253 in UTF-8.
static inline void openssl_name_to_text(struct span name, struct buf *text)
{
    char path[TEMPORARY_PATH];
    struct buf der = {0};
    int fd = temporary_open(path);
    assert_true(fd >= 0);
    unsigned_request(name, &der);
    assert_int_equal(write(fd, der.data, der.len), der.len);
    close(fd);
    char *command = mem_printf("openssl req -inform DER -in %s -noout -subject -nameopt RFC2253,utf8,-esc_msb", path);
    shell(text, command);
    unlink(path);
    free(command);
    buf_clear(&der);
    static const char label[] = "subject=";
    assert_memory_equal(text->data, label, strlen(label));
    memmove(text->data, text->data + strlen(label), text->len - strlen(label));
    text->len -= strlen(label) + 1; // and the line's end
    text->data[text->len] = '\0';
}

static inline void assert_span(struct span is, struct span expected)
{
    assert_int_equal(is.len, expected.len);
    assert_memory_equal(is.data, expected.data, expected.len);
}

static inline void assert_hex(const struct buf *is, const char *hex)
{
    struct buf expected = {0};
    assert_true(text_unhex(hex, &expected));
    assert_span(buf_span(is), buf_span(&expected));
    buf_clear(&expected);
}

#endif
