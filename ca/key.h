// SPDX-License-Identifier: Apache-2.0
// Private keys: made, written as PKCS#8 (RFC 5958), encrypted with PBES2 (RFC 8018), read back.
#ifndef MTLS_CA_KEY_H
#define MTLS_CA_KEY_H

#include "base/err.h"
#include "base/mem.h"
#include "base/random.h"

#include <mbedtls/pk.h>
#include <stdbool.h>

// KEY(token, bits): what a plan may ask for, and the two weak ones that only flaws use.
#define KEY_TYPES(KEY)                                                                                                 \
    KEY(ec_p256, "ec-p256", 256)                                                                                       \
    KEY(ec_p384, "ec-p384", 384)                                                                                       \
    KEY(ec_p521, "ec-p521", 521)                                                                                       \
    KEY(rsa_2048, "rsa-2048", 2048)                                                                                    \
    KEY(rsa_3072, "rsa-3072", 3072)                                                                                    \
    KEY(rsa_4096, "rsa-4096", 4096)                                                                                    \
    KEY(rsa_1024, "rsa-1024", 1024)                                                                                    \
    KEY(ec_p192, "ec-p192", 192)

enum key_type {
#define KEY(token, name, bits) KEY_##token,
    KEY_TYPES(KEY)
#undef KEY
        KEY_TYPE_COUNT
};

enum { KEY_SOUND = KEY_rsa_1024, KEY_ID_SIZE = 20 }; // types before KEY_SOUND are sound

const char *key_type_name(enum key_type type);
bool key_type_is_sound(enum key_type type);
void key_type_list(struct buf *text); // appends the names of the sound ones, with commas
// Finds a sound type by name; the error lists them all.
int key_type_parse(const char *name, enum key_type *type, struct err *e);
bool key_type_of(const mbedtls_pk_context *key, enum key_type *type); // false: none of ours

// Each fills `key` (initialised here; free with mbedtls_pk_free, also after a failure).
int key_generate(enum key_type type, struct rng *rng, mbedtls_pk_context *key, struct err *e);
// PEM or DER, PKCS#8 (plain or PBES2), PKCS#1 or SEC1. `passphrase` may be NULL; an encrypted key then gives an error
// that says so (err kind ENVIRONMENT, text contains "encrypted").
int key_read(struct span pem_or_der, const char *passphrase, struct rng *rng, mbedtls_pk_context *key, struct err *e);
// A PEM with an encrypted block of either kind, or the DER of an EncryptedPrivateKeyInfo.
bool key_is_encrypted(struct span pem_or_der);

int key_write_pkcs8(const mbedtls_pk_context *key, struct buf *der, struct err *e);
int key_write_pem(const mbedtls_pk_context *key, struct buf *pem, struct err *e); // PKCS#8, unencrypted

// PBES2: PBKDF2-HMAC-SHA-256 with this many iterations and AES-256-CBC (RFC 8018 section 6.2).
enum { KEY_PBKDF2_ITERATIONS = 600000 };
int key_write_encrypted_pem(const mbedtls_pk_context *key, const char *passphrase, struct rng *rng, struct buf *pem,
                            struct err *e);
// The same envelope as DER EncryptedPrivateKeyInfo with a chosen cost: PKCS#12 uses it too.
int key_encrypt_pkcs8(struct span pkcs8, const char *passphrase, unsigned iterations, struct rng *rng, struct buf *der,
                      struct err *e);
// PBES2 AlgorithmIdentifier (fresh salt and IV) and the ciphertext of any plaintext, for PKCS#12's encrypted bags.
int pbes2_encrypt(struct span plain, const char *passphrase, unsigned iterations, struct rng *rng,
                  struct buf *algorithm, struct buf *cipher, struct err *e);

// RFC 7093 is newer, but what everybody computes is SHA-1 of the subjectPublicKey bits (RFC 5280 section 4.2.1.2 (1)).
int key_id(const mbedtls_pk_context *key, uint8_t id[KEY_ID_SIZE], struct err *e);
// The digest that signatures by this key are made with: SHA-256, or SHA-384/512 for P-384/P-521.
mbedtls_md_type_t key_digest(const mbedtls_pk_context *key);

#endif
