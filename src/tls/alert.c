// SPDX-License-Identifier: Apache-2.0
#include "tls/alert.h"

#include "tls/tls.h"

#include <mbedtls/cipher.h>
#include <mbedtls/hkdf.h>
#include <mbedtls/platform_util.h>
#include <string.h>

enum { TYPE_ALERT = 21, TYPE_APPLICATION_DATA = 23, ALERT_LENGTH = 2, TAG_LENGTH = 16, NONCE_LENGTH = 12 };

static size_t record_length(const struct alert_watch *watch)
{
    return (size_t)watch->header[3] << 8 | watch->header[4];
}

static bool record_complete(const struct alert_watch *watch)
{
    return watch->header_have == RECORD_HEADER && watch->body_have == record_length(watch);
}

void alert_watch_bytes(struct alert_watch *watch, const uint8_t *data, size_t len)
{
    watch->any = watch->any || len > 0;
    while (len > 0) {
        if (record_complete(watch)) {
            watch->header_have = 0;
            watch->body_have = 0;
        }
        if (watch->header_have < RECORD_HEADER) {
            watch->header[watch->header_have++] = *data;
            data++;
            len--;
        } else {
            size_t missing = record_length(watch) - watch->body_have;
            size_t n = missing < len ? missing : len;
            if (watch->body_have < ALERT_RECORD_MOST) {
                size_t room = ALERT_RECORD_MOST - watch->body_have;
                memcpy(watch->body + watch->body_have, data, n < room ? n : room);
            }
            watch->body_have += n;
            data += n;
            len -= n;
        }
        // A record that is only a header (length 0) is complete too, and counted by the peer's sequence numbers.
        if (record_complete(watch) && watch->header[0] == TYPE_APPLICATION_DATA) {
            watch->encrypted++;
        }
    }
}

void alert_watch_handshake_over(struct alert_watch *watch)
{
    watch->handshake_over = true;
    watch->handshake_encrypted = watch->encrypted;
}

// HKDF-Expand-Label(secret, label, "", len), RFC 8446 section 7.1.
static int expand_label(const struct traffic_secret *secret, const char *label, uint8_t *out, size_t len)
{
    const mbedtls_md_info_t *md = mbedtls_md_info_from_type(secret->len == 48 ? MBEDTLS_MD_SHA384 : MBEDTLS_MD_SHA256);
    uint8_t info[32] = {0, (uint8_t)len, (uint8_t)(6 + strlen(label))};
    memcpy(info + 3, "tls13 ", 6);
    memcpy(info + 9, label, strlen(label));
    return mbedtls_hkdf_expand(md, secret->data, secret->len, info, 10 + strlen(label), out, len);
}

// Opens the record with one cipher; the number of the alert inside, or TLS_ALERT_NONE.
static int open_with(const struct alert_watch *watch, const struct traffic_secret *secret, uint64_t sequence,
                     mbedtls_cipher_type_t type, size_t key_len)
{
    uint8_t key[32];
    uint8_t nonce[NONCE_LENGTH];
    uint8_t plain[ALERT_RECORD_MOST];
    size_t plain_len = 0;
    int number = TLS_ALERT_NONE;
    mbedtls_cipher_context_t cipher;
    mbedtls_cipher_init(&cipher);
    if (expand_label(secret, "key", key, key_len) != 0 || expand_label(secret, "iv", nonce, sizeof nonce) != 0 ||
        mbedtls_cipher_setup(&cipher, mbedtls_cipher_info_from_type(type)) != 0 ||
        mbedtls_cipher_setkey(&cipher, key, (int)key_len * 8, MBEDTLS_DECRYPT) != 0) {
        goto out;
    }
    for (size_t i = 0; i < 8; i++) { // RFC 8446 section 5.3
        nonce[NONCE_LENGTH - 1 - i] ^= (uint8_t)(sequence >> (8 * i));
    }
    if (mbedtls_cipher_auth_decrypt_ext(&cipher, nonce, sizeof nonce, watch->header, RECORD_HEADER, watch->body,
                                        watch->body_have, plain, sizeof plain, &plain_len, TAG_LENGTH) != 0) {
        goto out;
    }
    while (plain_len > 0 && plain[plain_len - 1] == 0) {
        plain_len--; // padding; then the type
    }
    if (plain_len == ALERT_LENGTH + 1 && plain[ALERT_LENGTH] == TYPE_ALERT) {
        number = plain[1];
    }
out:
    mbedtls_cipher_free(&cipher);
    mbedtls_platform_zeroize(key, sizeof key);
    mbedtls_platform_zeroize(nonce, sizeof nonce);
    return number;
}

// The AEAD's tag says whether the guess of the cipher was right.
static int open_record(const struct alert_watch *watch, const struct traffic_secret *secret, uint64_t sequence)
{
    static const struct {
        size_t secret_len;
        mbedtls_cipher_type_t type;
        size_t key_len;
    } ciphers[] = {
        {32, MBEDTLS_CIPHER_AES_128_GCM, 16},
        {48, MBEDTLS_CIPHER_AES_256_GCM, 32},
        {32, MBEDTLS_CIPHER_CHACHA20_POLY1305, 32},
    };
    int number = TLS_ALERT_NONE;
    for (size_t i = 0; number == TLS_ALERT_NONE && i < sizeof ciphers / sizeof ciphers[0]; i++) {
        if (ciphers[i].secret_len == secret->len) {
            number = open_with(watch, secret, sequence, ciphers[i].type, ciphers[i].key_len);
        }
    }
    return number;
}

int alert_watch_number(const struct alert_watch *watch)
{
    if (!watch->any || !record_complete(watch)) {
        return TLS_ALERT_NONE;
    }
    if (watch->header[0] == TYPE_ALERT) {
        return watch->body_have == ALERT_LENGTH ? watch->body[1] : TLS_ALERT_UNREADABLE;
    }
    if (watch->header[0] != TYPE_APPLICATION_DATA || watch->body_have < ALERT_LENGTH + 1 + TAG_LENGTH ||
        watch->body_have > ALERT_RECORD_MOST) {
        return TLS_ALERT_NONE;
    }
    int number = TLS_ALERT_NONE;
    if (watch->handshake_over && watch->encrypted > watch->handshake_encrypted) {
        number = open_record(watch, &watch->application, watch->encrypted - watch->handshake_encrypted - 1);
    }
    // mbedTLS's servers send what they refuse with under the handshake key even when the client has left it behind.
    return number != TLS_ALERT_NONE ? number : open_record(watch, &watch->handshake, watch->encrypted - 1);
}

void alert_watch_clear(struct alert_watch *watch)
{
    mbedtls_platform_zeroize(watch, sizeof *watch);
}
