// SPDX-License-Identifier: Apache-2.0
// The shape of a PFX (RFC 7292 section 4), as deep as it is:
//   PFX { 3, ContentInfo { data: AuthenticatedSafe { encrypted certificates, data: the encrypted key } }, MacData }
#include "ca/pkcs12.h"

#include "base/der.h"
#include "base/text.h"
#include "ca/asn1write.h"
#include "ca/key.h"

#include <mbedtls/md.h>
#include <mbedtls/oid.h>
#include <mbedtls/platform_util.h>
#include <mbedtls/sha1.h>
#include <string.h>

#define OID_BAG_SHROUDED_KEY MBEDTLS_OID_PKCS12 "\x0a\x01\x02" // RFC 7292 section 4.2: bagtypes 2 and 3
#define OID_BAG_CERTIFICATE MBEDTLS_OID_PKCS12 "\x0a\x01\x03"
#define OID_X509_CERTIFICATE MBEDTLS_OID_PKCS9 "\x16\x01" // certTypes 1
#define OID_FRIENDLY_NAME MBEDTLS_OID_PKCS9 "\x14"        // RFC 2985 section 5.5
#define OID_LOCAL_KEY_ID MBEDTLS_OID_PKCS9 "\x15"

enum {
    TAG_0 = MBEDTLS_ASN1_CONTEXT_SPECIFIC | 0,
    TAG_0_CONSTRUCTED = MBEDTLS_ASN1_CONTEXT_SPECIFIC | MBEDTLS_ASN1_CONSTRUCTED | 0,
    // For the key, the certificates and the MAC each: 50 times what openssl takes, and still opened in a moment
    ITERATIONS = 100000,
    MAC_SALT_SIZE = 16,
    DIGEST_SIZE = 32,
    LOCAL_KEY_ID_SIZE = 20,
};

#define ADD_OID(out, oid) der_wrap(out, MBEDTLS_ASN1_OID, span_of(ASN1_OID(oid)))

// An INTEGER from 0 to 2^31-1.
static void add_integer(struct buf *out, uint32_t value)
{
    uint8_t octets[4] = {(uint8_t)(value >> 24), (uint8_t)(value >> 16), (uint8_t)(value >> 8), (uint8_t)value};
    size_t skip = 0;
    while (skip < 3 && octets[skip] == 0 && (octets[skip + 1] & 0x80) == 0) {
        skip++;
    }
    der_wrap(out, MBEDTLS_ASN1_INTEGER, span_of(octets + skip, sizeof octets - skip));
}

// BMPString: UTF-16, big-endian. What is outside the basic plane becomes a surrogate pair, as everybody writes it.
static int utf16_of(const char *utf8, struct buf *out, struct err *e)
{
    const uint8_t *p = (const uint8_t *)utf8;
    while (*p != '\0') {
        uint32_t code = 0;
        size_t n = text_utf8(p, strlen((const char *)p), &code);
        if (n == 0) {
            return err_set(e, "it is not UTF-8");
        }
        uint32_t high = code < 0x10000 ? code : 0xd800 + ((code - 0x10000) >> 10);
        uint32_t low = 0xdc00 + (code & 0x3ff);
        uint8_t units[] = {(uint8_t)(high >> 8), (uint8_t)high, (uint8_t)(low >> 8), (uint8_t)low};
        buf_add(out, units, code < 0x10000 ? 2 : 4);
        p += n;
    }
    return 0;
}

// Attribute ::= SEQUENCE { type, SET { value } }
static void add_attribute(struct buf *out, struct span oid, int tag, struct span value)
{
    struct buf set = {0};
    struct buf attribute = {0};
    der_wrap(&set, tag, value);
    der_wrap(&attribute, MBEDTLS_ASN1_OID, oid);
    der_wrap(&attribute, TAG_SET, buf_span(&set));
    der_wrap(out, TAG_SEQUENCE, buf_span(&attribute));
    buf_clear(&set);
    buf_clear(&attribute);
}

// What ties key and certificate together: localKeyID is the SHA-1 of the certificate, as openssl makes it. SET OF is
// sorted by its octets (X.690 section 11.6), and a shorter element begins with a smaller length.
static int make_attributes(struct span leaf, const char *friendly_name, struct buf *out, struct err *e)
{
    uint8_t id[LOCAL_KEY_ID_SIZE];
    struct buf name = {0};
    struct buf name_attribute = {0};
    struct buf id_attribute = {0};
    int rc = mbedtls_sha1(leaf.data, leaf.len, id);
    if (rc != 0) {
        return err_mbedtls(e, rc, "hashing a certificate");
    }
    if (friendly_name != NULL && utf16_of(friendly_name, &name, e) != 0) {
        buf_clear(&name);
        return err_context(e, "friendly name");
    }
    if (friendly_name != NULL) {
        add_attribute(&name_attribute, span_of(ASN1_OID(OID_FRIENDLY_NAME)), MBEDTLS_ASN1_BMP_STRING, buf_span(&name));
    }
    add_attribute(&id_attribute, span_of(ASN1_OID(OID_LOCAL_KEY_ID)), MBEDTLS_ASN1_OCTET_STRING,
                  span_of(id, sizeof id));
    bool name_first = name_attribute.len <= id_attribute.len;
    const struct buf *order[] = {name_first ? &name_attribute : &id_attribute,
                                 name_first ? &id_attribute : &name_attribute};
    buf_add(out, order[0]->data, order[0]->len);
    buf_add(out, order[1]->data, order[1]->len);
    der_enclose(out, TAG_SET);
    buf_clear(&name);
    buf_clear(&name_attribute);
    buf_clear(&id_attribute);
    return 0;
}

// SafeBag ::= SEQUENCE { bagId, [0] bagValue, bagAttributes SET OF OPTIONAL }
static void add_bag(struct buf *out, struct span oid, struct span value, struct span attributes)
{
    struct buf bag = {0};
    der_wrap(&bag, MBEDTLS_ASN1_OID, oid);
    der_wrap(&bag, TAG_0_CONSTRUCTED, value);
    buf_add(&bag, attributes.data, attributes.len);
    der_wrap(out, TAG_SEQUENCE, buf_span(&bag));
    buf_clear(&bag);
}

// ContentInfo ::= SEQUENCE { data, [0] OCTET STRING }
static void add_data(struct buf *out, struct span content)
{
    struct buf octets = {0};
    struct buf info = {0};
    der_wrap(&octets, MBEDTLS_ASN1_OCTET_STRING, content);
    ADD_OID(&info, MBEDTLS_OID_PKCS7_DATA);
    der_wrap(&info, TAG_0_CONSTRUCTED, buf_span(&octets));
    der_wrap(out, TAG_SEQUENCE, buf_span(&info));
    buf_clear(&octets);
    buf_clear(&info);
}

static int add_key(struct buf *out, struct span pkcs8, struct span attributes, const char *password, struct rng *rng,
                   struct err *e)
{
    struct buf encrypted = {0};
    struct buf bags = {0};
    int rc = key_encrypt_pkcs8(pkcs8, password, ITERATIONS, rng, &encrypted, e);
    if (rc == 0) {
        add_bag(&bags, span_of(ASN1_OID(OID_BAG_SHROUDED_KEY)), buf_span(&encrypted), attributes);
        der_enclose(&bags, TAG_SEQUENCE);
        add_data(out, buf_span(&bags));
    }
    buf_clear(&encrypted);
    buf_clear(&bags);
    return rc;
}

// SafeContents with a CertBag { x509Certificate, [0] OCTET STRING } for each; the leaf's has the attributes.
static void make_certificate_bags(const struct span *chain, size_t chain_len, struct span attributes, struct buf *out)
{
    for (size_t i = 0; i < chain_len; i++) {
        struct buf octets = {0};
        struct buf bag = {0};
        der_wrap(&octets, MBEDTLS_ASN1_OCTET_STRING, chain[i]);
        ADD_OID(&bag, OID_X509_CERTIFICATE);
        der_wrap(&bag, TAG_0_CONSTRUCTED, buf_span(&octets));
        der_enclose(&bag, TAG_SEQUENCE);
        add_bag(out, span_of(ASN1_OID(OID_BAG_CERTIFICATE)), buf_span(&bag), i == 0 ? attributes : span_of(NULL, 0));
        buf_clear(&octets);
        buf_clear(&bag);
    }
    der_enclose(out, TAG_SEQUENCE);
}

// ContentInfo { encryptedData, [0] EncryptedData { 0, { data, algorithm, [0] ciphertext } } } (RFC 2315 section 13)
static int add_certificates(struct buf *out, const struct span *chain, size_t chain_len, struct span attributes,
                            const char *password, struct rng *rng, struct err *e)
{
    struct buf bags = {0};
    struct buf cipher = {0};
    struct buf content = {0};
    struct buf data = {0};
    struct buf info = {0};
    make_certificate_bags(chain, chain_len, attributes, &bags);
    ADD_OID(&content, MBEDTLS_OID_PKCS7_DATA);
    int rc = pbes2_encrypt(buf_span(&bags), password, ITERATIONS, rng, &content, &cipher, e);
    if (rc == 0) {
        der_wrap(&content, TAG_0, buf_span(&cipher));
        add_integer(&data, 0);
        der_wrap(&data, TAG_SEQUENCE, buf_span(&content));
        der_enclose(&data, TAG_SEQUENCE);
        ADD_OID(&info, MBEDTLS_OID_PKCS7_ENCRYPTED_DATA);
        der_wrap(&info, TAG_0_CONSTRUCTED, buf_span(&data));
        der_wrap(out, TAG_SEQUENCE, buf_span(&info));
    }
    buf_clear(&bags);
    buf_clear(&cipher);
    buf_clear(&content);
    buf_clear(&data);
    buf_clear(&info);
    return rc;
}

// Fills whole blocks with copies of `what` (RFC 7292 appendix B.2 steps 2 and 3).
static void add_repeated(struct buf *out, struct span what, size_t block)
{
    size_t wanted = (what.len + block - 1) / block * block;
    for (size_t done = 0; done < wanted;) {
        size_t n = wanted - done < what.len ? wanted - done : what.len;
        buf_add(out, what.data, n);
        done += n;
    }
}

// RFC 7292 appendix B.2 with SHA-256 for a MAC key (ID 3) of 32 octets. One hash is as long as the key, so the chain of
// blocks in step 6 has one link. (mbedtls_pkcs12_derivation stops at passwords of 31 characters.)
static int derive_mac_key(const char *password, struct span salt, uint8_t key[DIGEST_SIZE], struct err *e)
{
    enum { BLOCK = 64, MAC_KEY = 3 };
    const mbedtls_md_info_t *sha256 = mbedtls_md_info_from_type(MBEDTLS_MD_SHA256);
    struct buf input = {0};
    struct buf utf16 = {0};
    uint8_t diversifier[BLOCK];
    int rc = utf16_of(password, &utf16, e) != 0 ? err_context(e, "password") : 0;
    if (rc == 0) {
        buf_add(&utf16, "\0", 2); // appendix B.1: with its terminator
        memset(diversifier, MAC_KEY, sizeof diversifier);
        buf_add(&input, diversifier, sizeof diversifier);
        add_repeated(&input, salt, BLOCK);
        add_repeated(&input, buf_span(&utf16), BLOCK);
        rc = mbedtls_md(sha256, input.data, input.len, key);
        for (unsigned i = 1; rc == 0 && i < ITERATIONS; i++) {
            rc = mbedtls_md(sha256, key, DIGEST_SIZE, key);
        }
        rc = rc == 0 ? 0 : err_mbedtls(e, rc, "deriving a MAC key");
    }
    buf_clear(&input);
    buf_clear(&utf16);
    return rc;
}

// MacData ::= SEQUENCE { DigestInfo { algorithm, digest }, macSalt, iterations }
static int add_mac(struct buf *out, struct span content, const char *password, struct rng *rng, struct err *e)
{
    static const uint8_t null[] = {MBEDTLS_ASN1_NULL, 0};
    uint8_t salt[MAC_SALT_SIZE];
    uint8_t key[DIGEST_SIZE];
    uint8_t mac[DIGEST_SIZE];
    if (rng_bytes(rng, salt, sizeof salt) != 0) {
        return err_set(e, "no random bytes for a salt");
    }
    if (derive_mac_key(password, span_of(salt, sizeof salt), key, e) != 0) {
        return -1;
    }
    int rc =
        mbedtls_md_hmac(mbedtls_md_info_from_type(MBEDTLS_MD_SHA256), key, sizeof key, content.data, content.len, mac);
    mbedtls_platform_zeroize(key, sizeof key);
    if (rc != 0) {
        return err_mbedtls(e, rc, "computing a MAC");
    }
    struct buf info = {0};
    ADD_OID(&info, MBEDTLS_OID_DIGEST_ALG_SHA256);
    buf_add(&info, null, sizeof null);
    der_enclose(&info, TAG_SEQUENCE);
    der_wrap(&info, MBEDTLS_ASN1_OCTET_STRING, span_of(mac, sizeof mac));
    der_enclose(&info, TAG_SEQUENCE);
    der_wrap(&info, MBEDTLS_ASN1_OCTET_STRING, span_of(salt, sizeof salt));
    add_integer(&info, ITERATIONS);
    der_wrap(out, TAG_SEQUENCE, buf_span(&info));
    buf_clear(&info);
    return 0;
}

int pkcs12_make(struct span pkcs8, const struct span *chain, size_t chain_len, const char *friendly_name,
                const char *password, struct rng *rng, struct buf *der, struct err *e)
{
    struct buf attributes = {0};
    struct buf safe = {0};
    struct buf pfx = {0};
    int rc = -1;
    if (password[0] == '\0') {
        return err_set(e, "a PKCS#12 file needs a password");
    }
    if (chain_len == 0) {
        return err_set(e, "a PKCS#12 file needs a certificate");
    }
    if (make_attributes(chain[0], friendly_name, &attributes, e) != 0 ||
        add_certificates(&safe, chain, chain_len, buf_span(&attributes), password, rng, e) != 0 ||
        add_key(&safe, pkcs8, buf_span(&attributes), password, rng, e) != 0) {
        goto out;
    }
    der_enclose(&safe, TAG_SEQUENCE);
    add_integer(&pfx, 3); // PFX version
    add_data(&pfx, buf_span(&safe));
    if (add_mac(&pfx, buf_span(&safe), password, rng, e) != 0) {
        goto out;
    }
    der_wrap(der, TAG_SEQUENCE, buf_span(&pfx));
    rc = 0;
out:
    buf_clear(&attributes);
    buf_clear(&safe);
    buf_clear(&pfx);
    return rc;
}
