// SPDX-License-Identifier: Apache-2.0
#include "ca/key.h"

#include "base/der.h"
#include "base/pem.h"
#include "ca/asn1write.h"

#include <mbedtls/ecp.h>
#include <mbedtls/oid.h>
#include <mbedtls/platform_util.h>
#include <mbedtls/rsa.h>
#include <mbedtls/sha1.h>
#include <string.h>

static const struct {
    const char *name;
    unsigned bits;
    mbedtls_ecp_group_id curve; // NONE: RSA
    mbedtls_md_type_t digest;   // of the strength of the key
} types[KEY_TYPE_COUNT] = {
    [KEY_ec_p256] = {"ec-p256", 256, MBEDTLS_ECP_DP_SECP256R1, MBEDTLS_MD_SHA256},
    [KEY_ec_p384] = {"ec-p384", 384, MBEDTLS_ECP_DP_SECP384R1, MBEDTLS_MD_SHA384},
    [KEY_ec_p521] = {"ec-p521", 521, MBEDTLS_ECP_DP_SECP521R1, MBEDTLS_MD_SHA512},
    [KEY_rsa_2048] = {"rsa-2048", 2048, MBEDTLS_ECP_DP_NONE, MBEDTLS_MD_SHA256},
    [KEY_rsa_3072] = {"rsa-3072", 3072, MBEDTLS_ECP_DP_NONE, MBEDTLS_MD_SHA256},
    [KEY_rsa_4096] = {"rsa-4096", 4096, MBEDTLS_ECP_DP_NONE, MBEDTLS_MD_SHA256},
    [KEY_rsa_1024] = {"rsa-1024", 1024, MBEDTLS_ECP_DP_NONE, MBEDTLS_MD_SHA256},
    [KEY_ec_p192] = {"ec-p192", 192, MBEDTLS_ECP_DP_SECP192R1, MBEDTLS_MD_SHA256},
};

const char *key_type_name(enum key_type type)
{
    return (size_t)type < KEY_TYPE_COUNT ? types[type].name : "unknown";
}

bool key_type_is_sound(enum key_type type)
{
    return (int)type < KEY_SOUND;
}

void key_type_list(struct buf *text)
{
    for (size_t i = 0; i < KEY_SOUND; i++) {
        buf_printf(text, "%s%s", i > 0 ? ", " : "", types[i].name);
    }
}

int key_type_parse(const char *name, enum key_type *type, struct err *e)
{
    struct buf list = {0};
    for (size_t i = 0; i < KEY_SOUND; i++) {
        if (strcmp(types[i].name, name) == 0) {
            *type = (enum key_type)i;
            return 0;
        }
    }
    key_type_list(&list);
    err_set(e, "unknown key type \"%s\" (one of: %s)", name, (char *)list.data);
    buf_clear(&list);
    return -1;
}

bool key_type_of(const mbedtls_pk_context *key, enum key_type *type)
{
    mbedtls_ecp_group_id curve = MBEDTLS_ECP_DP_NONE;
    if (mbedtls_pk_get_type(key) == MBEDTLS_PK_ECKEY) {
        curve = mbedtls_ecp_keypair_get_group_id(mbedtls_pk_ec(*key));
    } else if (mbedtls_pk_get_type(key) != MBEDTLS_PK_RSA) {
        return false;
    }
    for (size_t i = 0; i < KEY_TYPE_COUNT; i++) {
        if (types[i].curve == curve && types[i].bits == mbedtls_pk_get_bitlen(key)) {
            *type = (enum key_type)i;
            return true;
        }
    }
    return false;
}

int key_generate(enum key_type type, struct rng *rng, mbedtls_pk_context *key, struct err *e)
{
    bool rsa = types[type].curve == MBEDTLS_ECP_DP_NONE;
    mbedtls_pk_init(key);
    int rc = mbedtls_pk_setup(key, mbedtls_pk_info_from_type(rsa ? MBEDTLS_PK_RSA : MBEDTLS_PK_ECKEY));
    if (rc == 0 && rsa) {
        rc = mbedtls_rsa_gen_key(mbedtls_pk_rsa(*key), rng_bytes, rng, types[type].bits, 65537);
    } else if (rc == 0) {
        rc = mbedtls_ecp_gen_key(types[type].curve, mbedtls_pk_ec(*key), rng_bytes, rng);
    }
    return rc == 0 ? 0 : err_mbedtls(e, rc, "making a key of type %s", types[type].name);
}

// OneAsymmetricKey (RFC 5958 section 2): version 0, algorithm, and as an OCTET STRING what mbedTLS writes for the key
// itself, which is SEC 1 or PKCS#1.
static int write_pkcs8(unsigned char **p, unsigned char *start, const mbedtls_pk_context *key)
{
    size_t len = 0;
    size_t curve_len = 0;
    const char *algorithm = MBEDTLS_OID_PKCS1_RSA;
    ASN1_ADD(len, mbedtls_pk_write_key_der(key, start, (size_t)(*p - start)));
    *p -= len;
    ASN1_ADD(len, asn1_write_header(p, start, MBEDTLS_ASN1_OCTET_STRING, len));
    if (mbedtls_pk_get_type(key) == MBEDTLS_PK_ECKEY) {
        const char *curve = NULL;
        size_t curve_oid_len = 0;
        int rc = mbedtls_oid_get_oid_by_ec_grp(mbedtls_ecp_keypair_get_group_id(mbedtls_pk_ec(*key)), &curve,
                                               &curve_oid_len);
        if (rc != 0) {
            return rc;
        }
        algorithm = MBEDTLS_OID_EC_ALG_UNRESTRICTED;
        ASN1_ADD(curve_len, mbedtls_asn1_write_oid(p, start, curve, curve_oid_len));
    }
    ASN1_ADD(len, mbedtls_asn1_write_algorithm_identifier(p, start, algorithm, strlen(algorithm), curve_len));
    ASN1_ADD(len, mbedtls_asn1_write_int(p, start, 0));
    ASN1_ADD(len, asn1_write_sequence(p, start, len));
    return (int)len;
}

int key_write_pkcs8(const mbedtls_pk_context *key, struct buf *der, struct err *e)
{
    enum { ROOM = 8192 }; // an RSA key of 4096 bits takes 2.4 KiB
    struct buf room = {0};
    buf_reserve(&room, ROOM);
    unsigned char *p = room.data + ROOM;
    int len = write_pkcs8(&p, room.data, key);
    if (len > 0) {
        buf_add(der, p, (size_t)len);
    }
    mbedtls_platform_zeroize(room.data, ROOM);
    buf_clear(&room);
    return len < 0 ? err_mbedtls(e, len, "writing a private key") : 0;
}

int key_write_pem(const mbedtls_pk_context *key, struct buf *pem, struct err *e)
{
    struct buf der = {0};
    int rc = key_write_pkcs8(key, &der, e);
    if (rc == 0) {
        pem_write(pem, "PRIVATE KEY", buf_span(&der));
    }
    buf_clear(&der);
    return rc;
}

int key_write_encrypted_pem(const mbedtls_pk_context *key, const char *passphrase, struct rng *rng, struct buf *pem,
                            struct err *e)
{
    struct buf plain = {0};
    struct buf der = {0};
    int rc = key_write_pkcs8(key, &plain, e);
    if (rc == 0) {
        rc = key_encrypt_pkcs8(buf_span(&plain), passphrase, KEY_PBKDF2_ITERATIONS, rng, &der, e);
    }
    if (rc == 0) {
        pem_write(pem, "ENCRYPTED PRIVATE KEY", buf_span(&der));
    }
    buf_clear(&plain);
    buf_clear(&der);
    return rc;
}

// EncryptedPrivateKeyInfo ::= SEQUENCE { AlgorithmIdentifier, OCTET STRING } (RFC 5958 section 3); what is not
// encrypted begins with a version.
static bool is_encrypted_der(struct span der)
{
    struct err ignored = ERR_INIT;
    struct der_item info, algorithm, data;
    return der_next(&der, &info, &ignored) == 0 && der_next(&info.content, &algorithm, &ignored) == 0 &&
           der_next(&info.content, &data, &ignored) == 0 && algorithm.tag == TAG_SEQUENCE &&
           data.tag == MBEDTLS_ASN1_OCTET_STRING;
}

bool key_is_encrypted(struct span pem_or_der)
{
    static const char label[] = "-----BEGIN ENCRYPTED PRIVATE KEY-----";
    static const char old_label[] = "Proc-Type: 4,ENCRYPTED";
    return pem_or_der.len > 0 && (memmem(pem_or_der.data, pem_or_der.len, label, strlen(label)) != NULL ||
                                  memmem(pem_or_der.data, pem_or_der.len, old_label, strlen(old_label)) != NULL ||
                                  is_encrypted_der(pem_or_der));
}

int key_read(struct span pem_or_der, const char *passphrase, struct rng *rng, mbedtls_pk_context *key, struct err *e)
{
    struct buf copy = {0}; // PEM must end with a NUL for mbedTLS, and the NUL counts
    const unsigned char *pass = (const unsigned char *)passphrase;
    size_t pass_len = passphrase == NULL ? 0 : strlen(passphrase);
    mbedtls_pk_init(key);
    buf_add(&copy, pem_or_der.data, pem_or_der.len);
    bool pem = memmem(copy.data, copy.len, "-----BEGIN ", 11) != NULL;
    int rc = mbedtls_pk_parse_key(key, copy.data, copy.len + (pem ? 1 : 0), pass, pass_len, rng_bytes, rng);
    buf_clear(&copy);
    if (rc == MBEDTLS_ERR_PK_PASSWORD_REQUIRED || (rc != 0 && passphrase == NULL && key_is_encrypted(pem_or_der))) {
        return err_set(e, "the private key is encrypted and no passphrase was given");
    }
    // What a wrong passphrase deciphers looks well padded once in 256 times; then it is no key.
    bool no_key = -(-rc & 0xff80) == MBEDTLS_ERR_PK_KEY_INVALID_FORMAT;
    if (rc == MBEDTLS_ERR_PK_PASSWORD_MISMATCH || (no_key && key_is_encrypted(pem_or_der))) {
        return err_set(e, "the passphrase is not the private key's");
    }
    return rc == 0 ? 0 : err_mbedtls(e, rc, "this is no private key that can be read");
}

int key_id(const mbedtls_pk_context *key, uint8_t id[KEY_ID_SIZE], struct err *e)
{
    struct buf room = {0};
    struct der_item spki;
    struct der_item algorithm;
    struct der_item bits;
    enum { ROOM = 2048 };
    buf_reserve(&room, ROOM);
    int rc = mbedtls_pk_write_pubkey_der((mbedtls_pk_context *)(uintptr_t)key, room.data, ROOM);
    if (rc < 0) {
        buf_clear(&room);
        return err_mbedtls(e, rc, "writing a public key");
    }
    struct span rest = span_of(room.data + ROOM - rc, (size_t)rc);
    rc = -1;
    if (der_next(&rest, &spki, e) == 0 && der_next(&spki.content, &algorithm, e) == 0 &&
        der_next(&spki.content, &bits, e) == 0 && bits.content.len > 1) {
        // RFC 5280 section 4.2.1.2 (1): without tag, length and the count of unused bits
        rc = mbedtls_sha1(bits.content.data + 1, bits.content.len - 1, id);
        rc = rc == 0 ? 0 : err_mbedtls(e, rc, "hashing a public key");
    }
    buf_clear(&room);
    return rc;
}

mbedtls_md_type_t key_digest(const mbedtls_pk_context *key)
{
    enum key_type type;
    return key_type_of(key, &type) ? types[type].digest : MBEDTLS_MD_SHA256;
}
