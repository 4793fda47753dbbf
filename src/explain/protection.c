// SPDX-License-Identifier: Apache-2.0
// Records of TLS 1.2 under AES-GCM (RFC 5288) and ChaCha20-Poly1305 (RFC 7905). Those of TLS 1.3: tls/record.h.
#include "explain/internal.h"

#include <mbedtls/cipher.h>
#include <mbedtls/platform_util.h>
#include <mbedtls/ssl.h>
#include <string.h>

enum { NONCE_LENGTH = 12, EXPLICIT_LENGTH = 8, ADDITIONAL_LENGTH = 13 };

static const struct form {
    mbedtls_cipher_type_t type;
    mbedtls_tls_prf_types prf;
    size_t key_len;
    size_t iv_len;       // from the key block
    size_t explicit_len; // of the nonce, in front of the record
} forms[] = {
    [PROTECTION_AES_128_GCM] = {MBEDTLS_CIPHER_AES_128_GCM, MBEDTLS_SSL_TLS_PRF_SHA256, 16, 4, EXPLICIT_LENGTH},
    [PROTECTION_AES_256_GCM] = {MBEDTLS_CIPHER_AES_256_GCM, MBEDTLS_SSL_TLS_PRF_SHA384, 32, 4, EXPLICIT_LENGTH},
    [PROTECTION_CHACHA20_POLY1305] = {MBEDTLS_CIPHER_CHACHA20_POLY1305, MBEDTLS_SSL_TLS_PRF_SHA256, 32, 12, 0},
};

bool protection_derive(struct protection both[2], const struct suite *suite, const struct traffic_secret *master,
                       const uint8_t client_random[RANDOM_LENGTH], const uint8_t server_random[RANDOM_LENGTH])
{
    uint8_t randoms[2 * RANDOM_LENGTH];
    uint8_t block[2 * (32 + NONCE_LENGTH)];
    if (suite == NULL || suite->protection == PROTECTION_OTHER || master->len != MASTER_LENGTH) {
        return false;
    }
    const struct form *form = &forms[suite->protection];
    memcpy(randoms, server_random, RANDOM_LENGTH); // the server's is first here
    memcpy(randoms + RANDOM_LENGTH, client_random, RANDOM_LENGTH);
    bool good = mbedtls_ssl_tls_prf(form->prf, master->data, master->len, "key expansion", randoms, sizeof randoms,
                                    block, 2 * (form->key_len + form->iv_len)) == 0;
    for (size_t i = 0; good && i < 2; i++) {
        both[i].kind = suite->protection;
        memcpy(both[i].key, block + i * form->key_len, form->key_len);
        memcpy(both[i].iv, block + 2 * form->key_len + i * form->iv_len, form->iv_len);
    }
    mbedtls_platform_zeroize(block, sizeof block);
    return good;
}

bool protection_open(const struct protection *keys, const uint8_t header[RECORD_HEADER], const uint8_t *body,
                     size_t len, uint64_t sequence, uint8_t *plain, size_t *plain_len)
{
    const struct form *form = &forms[keys->kind];
    uint8_t nonce[NONCE_LENGTH] = {0};
    uint8_t additional[ADDITIONAL_LENGTH];
    if (keys->kind == PROTECTION_OTHER || len < form->explicit_len + RECORD_TAG) {
        return false;
    }
    size_t content = len - form->explicit_len - RECORD_TAG;
    memcpy(nonce, keys->iv, form->iv_len);
    memcpy(nonce + form->iv_len, body, form->explicit_len);
    for (size_t i = 0; i < 8; i++) {
        additional[7 - i] = (uint8_t)(sequence >> (8 * i));
        nonce[NONCE_LENGTH - 1 - i] ^= form->explicit_len == 0 ? additional[7 - i] : 0;
    }
    memcpy(additional + 8, header, 3);
    additional[11] = (uint8_t)(content >> 8);
    additional[12] = (uint8_t)content;
    mbedtls_cipher_context_t context;
    mbedtls_cipher_init(&context);
    bool good = mbedtls_cipher_setup(&context, mbedtls_cipher_info_from_type(form->type)) == 0 &&
                mbedtls_cipher_setkey(&context, keys->key, (int)form->key_len * 8, MBEDTLS_DECRYPT) == 0 &&
                mbedtls_cipher_auth_decrypt_ext(&context, nonce, sizeof nonce, additional, sizeof additional,
                                                body + form->explicit_len, content + RECORD_TAG, plain, len, plain_len,
                                                RECORD_TAG) == 0;
    mbedtls_cipher_free(&context);
    return good;
}
