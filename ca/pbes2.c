// SPDX-License-Identifier: Apache-2.0
// PBES2 (RFC 8018 section 6.2) with PBKDF2-HMAC-SHA-256 and AES-256-CBC: mbedTLS reads it but does not write it.
#include "base/der.h"
#include "ca/asn1write.h"
#include "ca/key.h"

#include <mbedtls/oid.h>
#include <mbedtls/pkcs5.h>
#include <string.h>

enum { SALT_SIZE = 16, IV_SIZE = 16, AES_KEY_SIZE = 32 };

// PBKDF2-params ::= SEQUENCE { salt, iterationCount, keyLength, prf } inside its AlgorithmIdentifier
static int write_kdf(unsigned char **p, unsigned char *start, const uint8_t *salt, unsigned iterations)
{
    size_t len = 0;
    ASN1_ADD(len, mbedtls_asn1_write_algorithm_identifier(p, start, ASN1_OID(MBEDTLS_OID_HMAC_SHA256), 0));
    ASN1_ADD(len, mbedtls_asn1_write_int(p, start, AES_KEY_SIZE));
    ASN1_ADD(len, mbedtls_asn1_write_int(p, start, (int)iterations));
    ASN1_ADD(len, mbedtls_asn1_write_octet_string(p, start, salt, SALT_SIZE));
    ASN1_ADD(len, asn1_write_sequence(p, start, len));
    ASN1_ADD(len, mbedtls_asn1_write_oid(p, start, ASN1_OID(MBEDTLS_OID_PKCS5_PBKDF2)));
    ASN1_ADD(len, asn1_write_sequence(p, start, len));
    return (int)len;
}

// AlgorithmIdentifier { id-PBES2, SEQUENCE { keyDerivationFunc, encryptionScheme } }
static int write_algorithm(unsigned char **p, unsigned char *start, const uint8_t *salt, const uint8_t *iv,
                           unsigned iterations)
{
    size_t scheme = 0;
    size_t len = 0;
    ASN1_ADD(scheme, mbedtls_asn1_write_octet_string(p, start, iv, IV_SIZE));
    ASN1_ADD(scheme, mbedtls_asn1_write_oid(p, start, ASN1_OID(MBEDTLS_OID_AES_256_CBC)));
    ASN1_ADD(scheme, asn1_write_sequence(p, start, scheme));
    len = scheme;
    ASN1_ADD(len, write_kdf(p, start, salt, iterations));
    ASN1_ADD(len, asn1_write_sequence(p, start, len));
    ASN1_ADD(len, mbedtls_asn1_write_oid(p, start, ASN1_OID(MBEDTLS_OID_PKCS5_PBES2)));
    ASN1_ADD(len, asn1_write_sequence(p, start, len));
    return (int)len;
}

int pbes2_encrypt(struct span plain, const char *passphrase, unsigned iterations, struct rng *rng,
                  struct buf *algorithm, struct buf *cipher, struct err *e)
{
    uint8_t salt[SALT_SIZE];
    uint8_t iv[IV_SIZE];
    uint8_t room[256];
    unsigned char *p = room + sizeof room;
    if (rng_bytes(rng, salt, sizeof salt) != 0 || rng_bytes(rng, iv, sizeof iv) != 0) {
        return err_set(e, "no random bytes for a salt");
    }
    int len = write_algorithm(&p, room, salt, iv, iterations);
    if (len < 0) {
        return err_mbedtls(e, len, "writing PBES2 parameters");
    }
    // mbedTLS takes what stands inside the AlgorithmIdentifier after the OID
    struct span rest = span_of(p, (size_t)len);
    struct der_item identifier;
    struct der_item oid;
    struct der_item parameters;
    if (der_next(&rest, &identifier, e) != 0 || der_next(&identifier.content, &oid, e) != 0 ||
        der_next(&identifier.content, &parameters, e) != 0) {
        return -1;
    }
    mbedtls_asn1_buf in = {
        .tag = parameters.tag, .len = parameters.content.len, .p = (unsigned char *)(uintptr_t)parameters.content.data};
    size_t written = 0;
    buf_reserve(cipher, plain.len + IV_SIZE);
    int rc = mbedtls_pkcs5_pbes2_ext(&in, MBEDTLS_PKCS5_ENCRYPT, (const unsigned char *)passphrase, strlen(passphrase),
                                     plain.data, plain.len, cipher->data + cipher->len, plain.len + IV_SIZE, &written);
    if (rc != 0) {
        return err_mbedtls(e, rc, "encrypting with PBES2");
    }
    cipher->len += written;
    buf_add(algorithm, p, (size_t)len);
    return 0;
}

int key_encrypt_pkcs8(struct span pkcs8, const char *passphrase, unsigned iterations, struct rng *rng, struct buf *der,
                      struct err *e)
{
    // EncryptedPrivateKeyInfo ::= SEQUENCE { encryptionAlgorithm, encryptedData OCTET STRING } (RFC 5958 section 3)
    struct buf content = {0};
    struct buf cipher = {0};
    int rc = pbes2_encrypt(pkcs8, passphrase, iterations, rng, &content, &cipher, e);
    if (rc == 0) {
        der_wrap(&content, MBEDTLS_ASN1_OCTET_STRING, buf_span(&cipher));
        der_wrap(der, TAG_SEQUENCE, buf_span(&content));
    }
    buf_clear(&content);
    buf_clear(&cipher);
    return rc;
}
