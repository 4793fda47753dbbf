// SPDX-License-Identifier: Apache-2.0
#include "tls/alert_record.h"

#include "tls/tls.h"

#include <mbedtls/cipher.h>
#include <mbedtls/hkdf.h>
#include <mbedtls/platform_util.h>
#include <mbedtls/ssl.h>
#include <string.h>

enum { KEY_MOST = 32, NONCE_LENGTH = 12 };

static const struct alert_cipher {
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

// The cipher with the key of the secret, and the nonce of the record (RFC 8446 sections 7.3 and 5.3).
static int prepare(mbedtls_cipher_context_t *context, uint8_t nonce[NONCE_LENGTH], const struct alert_cipher *cipher,
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

static int open_with(const struct alert_cipher *cipher, const uint8_t header[RECORD_HEADER], const uint8_t *body,
                     size_t len, const struct traffic_secret *secret, uint64_t sequence)
{
    uint8_t nonce[NONCE_LENGTH] = {0};
    uint8_t plain[ALERT_RECORD_MOST];
    size_t plain_len = 0;
    int number = TLS_ALERT_NONE;
    mbedtls_cipher_context_t context;
    mbedtls_cipher_init(&context);
    if (prepare(&context, nonce, cipher, secret, sequence, MBEDTLS_DECRYPT) == 0 &&
        mbedtls_cipher_auth_decrypt_ext(&context, nonce, sizeof nonce, header, RECORD_HEADER, body, len, plain,
                                        sizeof plain, &plain_len, TAG_LENGTH) == 0) {
        while (plain_len > 0 && plain[plain_len - 1] == 0) {
            plain_len--; // padding; then the type
        }
        if (plain_len == ALERT_LENGTH + 1 && plain[ALERT_LENGTH] == TYPE_ALERT) {
            number = plain[1];
        }
    }
    mbedtls_cipher_free(&context);
    mbedtls_platform_zeroize(nonce, sizeof nonce);
    return number;
}

// The AEAD's tag says whether the guess of the cipher was right.
int alert_open(const uint8_t header[RECORD_HEADER], const uint8_t *body, size_t len, const struct traffic_secret *secret,
               uint64_t sequence, const struct alert_cipher **cipher)
{
    if (header[0] != TYPE_APPLICATION_DATA || len < ALERT_LENGTH + 1 + TAG_LENGTH || len > ALERT_RECORD_MOST) {
        return TLS_ALERT_NONE;
    }
    for (size_t i = 0; i < sizeof ciphers / sizeof ciphers[0]; i++) {
        int number = TLS_ALERT_NONE;
        if (ciphers[i].secret_len == secret->len) {
            number = open_with(&ciphers[i], header, body, len, secret, sequence);
        }
        if (number != TLS_ALERT_NONE) {
            *cipher = &ciphers[i];
            return number;
        }
    }
    return TLS_ALERT_NONE;
}

int alert_seal(const struct alert_cipher *cipher, const struct traffic_secret *secret, uint64_t sequence, int number,
               uint8_t record[ALERT_RECORD_SEALED])
{
    const uint8_t header[RECORD_HEADER] = {TYPE_APPLICATION_DATA, 3, 3, 0, ALERT_RECORD_SEALED - RECORD_HEADER};
    const uint8_t plain[] = {MBEDTLS_SSL_ALERT_LEVEL_FATAL, (uint8_t)number, TYPE_ALERT};
    uint8_t nonce[NONCE_LENGTH] = {0};
    size_t len = 0;
    mbedtls_cipher_context_t context;
    mbedtls_cipher_init(&context);
    memcpy(record, header, sizeof header);
    int code = prepare(&context, nonce, cipher, secret, sequence, MBEDTLS_ENCRYPT);
    if (code == 0) {
        code = mbedtls_cipher_auth_encrypt_ext(&context, nonce, sizeof nonce, header, sizeof header, plain,
                                               sizeof plain, record + RECORD_HEADER,
                                               ALERT_RECORD_SEALED - RECORD_HEADER, &len, TAG_LENGTH);
    }
    mbedtls_cipher_free(&context);
    mbedtls_platform_zeroize(nonce, sizeof nonce);
    return code;
}
