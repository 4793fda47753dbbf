// SPDX-License-Identifier: Apache-2.0
#include "tls/record.h"

#include <mbedtls/cipher.h>
#include <mbedtls/hkdf.h>
#include <mbedtls/platform_util.h>
#include <string.h>

enum { KEY_MOST = 32, NONCE_LENGTH = 12 };

static const struct record_cipher {
    size_t secret_len;
    mbedtls_cipher_type_t type;
    size_t key_len;
} ciphers[] = {
    {32, MBEDTLS_CIPHER_AES_128_GCM, 16},
    {48, MBEDTLS_CIPHER_AES_256_GCM, 32},
    {32, MBEDTLS_CIPHER_CHACHA20_POLY1305, 32},
};

// HKDF-Expand-Label(secret, label, "", len), RFC 8446 section 7.1.
static int expand_label(const struct traffic_secret *secret, const char *label, uint8_t *out, size_t len)
{
    const mbedtls_md_info_t *md = mbedtls_md_info_from_type(secret->len == 48 ? MBEDTLS_MD_SHA384 : MBEDTLS_MD_SHA256);
    uint8_t info[32] = {0, (uint8_t)len, (uint8_t)(6 + strlen(label))};
    memcpy(info + 3, "tls13 ", 6);
    memcpy(info + 9, label, strlen(label));
    return mbedtls_hkdf_expand(md, secret->data, secret->len, info, 10 + strlen(label), out, len);
}

int traffic_secret_next(struct traffic_secret *secret)
{
    struct traffic_secret next = {.len = secret->len};
    int code = expand_label(secret, "traffic upd", next.data, next.len);
    if (code == 0) {
        *secret = next;
    }
    mbedtls_platform_zeroize(&next, sizeof next);
    return code;
}

// The cipher with the key of the secret, and the nonce of the record (RFC 8446 sections 7.3 and 5.3).
static int prepare(mbedtls_cipher_context_t *context, uint8_t nonce[NONCE_LENGTH], const struct record_cipher *cipher,
                   const struct traffic_secret *secret, uint64_t sequence, mbedtls_operation_t operation)
{
    uint8_t key[KEY_MOST];
    int code = expand_label(secret, "key", key, cipher->key_len);
    if (code == 0) {
        code = expand_label(secret, "iv", nonce, NONCE_LENGTH);
    }
    for (size_t i = 0; i < 8; i++) {
        nonce[NONCE_LENGTH - 1 - i] ^= (uint8_t)(sequence >> (8 * i));
    }
    if (code == 0) {
        code = mbedtls_cipher_setup(context, mbedtls_cipher_info_from_type(cipher->type));
    }
    if (code == 0) {
        code = mbedtls_cipher_setkey(context, key, (int)cipher->key_len * 8, operation);
    }
    mbedtls_platform_zeroize(key, sizeof key);
    return code;
}

static int open_with(const struct record_cipher *cipher, const uint8_t header[RECORD_HEADER], const uint8_t *body,
                     size_t len, const struct traffic_secret *secret, uint64_t sequence, uint8_t *plain,
                     size_t *plain_len)
{
    uint8_t nonce[NONCE_LENGTH] = {0};
    int type = -1;
    mbedtls_cipher_context_t context;
    mbedtls_cipher_init(&context);
    if (prepare(&context, nonce, cipher, secret, sequence, MBEDTLS_DECRYPT) == 0 &&
        mbedtls_cipher_auth_decrypt_ext(&context, nonce, sizeof nonce, header, RECORD_HEADER, body, len, plain, len,
                                        plain_len, RECORD_TAG) == 0) {
        while (*plain_len > 0 && plain[*plain_len - 1] == 0) {
            --*plain_len; // padding; then the type
        }
        type = *plain_len > 0 ? plain[--*plain_len] : -1;
    }
    mbedtls_cipher_free(&context);
    mbedtls_platform_zeroize(nonce, sizeof nonce);
    return type;
}

int record_open(const uint8_t header[RECORD_HEADER], const uint8_t *body, size_t len,
                const struct traffic_secret *secret, uint64_t sequence, const struct record_cipher **cipher,
                uint8_t *plain, size_t *plain_len)
{
    int type = -1;
    if (header[0] != RECORD_APPLICATION_DATA || len <= RECORD_TAG) {
        return -1;
    }
    for (size_t i = 0; type < 0 && i < sizeof ciphers / sizeof ciphers[0]; i++) {
        if (ciphers[i].secret_len == secret->len) {
            *cipher = &ciphers[i];
            type = open_with(*cipher, header, body, len, secret, sequence, plain, plain_len);
        }
    }
    return type;
}

int record_seal(const struct record_cipher *cipher, const struct traffic_secret *secret, uint64_t sequence, int type,
                const uint8_t *content, size_t len, uint8_t *record)
{
    size_t sealed = len + 1 + RECORD_TAG;
    const uint8_t header[RECORD_HEADER] = {RECORD_APPLICATION_DATA, 3, 3, (uint8_t)(sealed >> 8), (uint8_t)sealed};
    uint8_t *body = record + RECORD_HEADER;
    uint8_t nonce[NONCE_LENGTH] = {0};
    size_t put = 0;
    mbedtls_cipher_context_t context;
    mbedtls_cipher_init(&context);
    memcpy(record, header, sizeof header);
    memmove(body, content, len);
    body[len] = (uint8_t)type;
    int code = prepare(&context, nonce, cipher, secret, sequence, MBEDTLS_ENCRYPT);
    if (code == 0) { // in place
        code = mbedtls_cipher_auth_encrypt_ext(&context, nonce, sizeof nonce, header, sizeof header, body, len + 1,
                                               body, sealed, &put, RECORD_TAG);
    }
    mbedtls_cipher_free(&context);
    mbedtls_platform_zeroize(nonce, sizeof nonce);
    return code;
}
