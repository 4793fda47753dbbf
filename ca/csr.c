// SPDX-License-Identifier: Apache-2.0
#include "ca/csr.h"

#include "base/der.h"
#include "base/name_text.h"
#include "base/pem.h"
#include "ca/extension.h"
#include "ca/oid.h"

#include <mbedtls/oid.h>
#include <stdlib.h>
#include <string.h>

enum { TAG_ATTRIBUTES = MBEDTLS_ASN1_CONTEXT_SPECIFIC | MBEDTLS_ASN1_CONSTRUCTED | 0 };

static bool oid_is(struct span oid, const char *expected, size_t len)
{
    return oid.len == len && memcmp(oid.data, expected, len) == 0;
}

#define OID_IS(oid, expected) oid_is(oid, expected, MBEDTLS_OID_SIZE(expected))

int csr_split(struct span der, struct csr_parts *parts, struct err *e)
{
    struct der_item request, info, attributes;
    *parts = (struct csr_parts){0};
    if (der_expect(&der, TAG_SEQUENCE, "certification request", &request, e) != 0 ||
        der_expect(&request.content, TAG_SEQUENCE, "CertificationRequestInfo", &info, e) != 0) {
        return -1;
    }
    parts->info = info.whole;
    const struct {
        struct span *in;
        int tag;
        const char *what;
        struct span *out;
    } steps[] = {
        {&info.content, MBEDTLS_ASN1_INTEGER, "version", &parts->version},
        {&info.content, TAG_SEQUENCE, "subject", &parts->subject},
        {&info.content, TAG_SEQUENCE, "subjectPublicKeyInfo", &parts->key},
        {&request.content, TAG_SEQUENCE, "signatureAlgorithm", &parts->algorithm},
        {&request.content, MBEDTLS_ASN1_BIT_STRING, "signature", &parts->signature},
    };
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        struct der_item item;
        if (der_expect(steps[i].in, steps[i].tag, steps[i].what, &item, e) != 0) {
            return -1;
        }
        *steps[i].out = item.whole;
    }
    if (info.content.len > 0) { // required by RFC 2986, and left out by some
        if (der_expect(&info.content, TAG_ATTRIBUTES, "attributes", &attributes, e) != 0) {
            return -1;
        }
        parts->attributes = attributes.content;
    }
    if (info.content.len > 0 || request.content.len > 0 || der.len > 0) {
        return err_set(e, "octets follow the certification request or a part of it");
    }
    return 0;
}

// Attribute ::= SEQUENCE { type, values SET }
int csr_extensions(const struct csr_parts *parts, struct span *extensions, struct err *e)
{
    struct span rest = parts->attributes;
    *extensions = span_of(NULL, 0);
    while (rest.len > 0) {
        struct der_item attribute, type, values, list;
        if (der_expect(&rest, TAG_SEQUENCE, "attribute", &attribute, e) != 0 ||
            der_expect(&attribute.content, MBEDTLS_ASN1_OID, "attribute type", &type, e) != 0 ||
            der_expect(&attribute.content, TAG_SET, "attribute values", &values, e) != 0) {
            return -1;
        }
        if (!OID_IS(type.content, MBEDTLS_OID_PKCS9_CSR_EXT_REQ)) {
            continue; // a challengePassword and the like: nothing that a certificate would say
        }
        if (extensions->data != NULL) {
            return err_set(e, "there are two extension requests");
        }
        if (der_expect(&values.content, TAG_SEQUENCE, "extension request", &list, e) != 0) {
            return -1;
        }
        if (values.content.len > 0 || attribute.content.len > 0) {
            return err_set(e, "octets follow the extension request");
        }
        *extensions = list.content;
    }
    return 0;
}

static int check_key(struct csr *csr, struct span spki, struct err *e)
{
    enum key_type type;
    unsigned char *p = (unsigned char *)(uintptr_t)spki.data;
    int rc = mbedtls_pk_parse_subpubkey(&p, p + spki.len, &csr->key);
    if (rc != 0) {
        return err_mbedtls(e, rc, "the request's public key cannot be read");
    }
    if (key_type_of(&csr->key, &type) && key_type_is_sound(type)) {
        return 0;
    }
    struct buf sound = {0};
    key_type_list(&sound);
    err_set(e, "the request's %s key of %zu bits is not taken (one of: %s)", mbedtls_pk_get_name(&csr->key),
            mbedtls_pk_get_bitlen(&csr->key), (char *)sound.data);
    buf_clear(&sound);
    return -1;
}

// Proof of possession: whoever asks has the private key (RFC 2986 section 3).
static int check_signature(struct csr *csr, const struct csr_parts *parts, struct err *e)
{
    uint8_t hash[MBEDTLS_MD_MAX_SIZE];
    char words[OID_TEXT];
    struct der_item algorithm, oid, bits;
    mbedtls_md_type_t digest = MBEDTLS_MD_NONE;
    mbedtls_pk_type_t type = MBEDTLS_PK_NONE;
    struct span rest = parts->algorithm;
    struct span signature = parts->signature;
    if (der_next(&rest, &algorithm, e) != 0 || der_next(&signature, &bits, e) != 0 ||
        der_expect(&algorithm.content, MBEDTLS_ASN1_OID, "signatureAlgorithm", &oid, e) != 0) {
        return -1;
    }
    mbedtls_asn1_buf in = {MBEDTLS_ASN1_OID, oid.content.len, (unsigned char *)(uintptr_t)oid.content.data};
    if (mbedtls_oid_get_sig_alg(&in, &digest, &type) != 0 ||
        (digest != MBEDTLS_MD_SHA256 && digest != MBEDTLS_MD_SHA384 && digest != MBEDTLS_MD_SHA512)) {
        return err_set(e, "the request is signed with %s, which is not taken (RSA or ECDSA with SHA-256 or better)",
                       oid_words(oid.content, words));
    }
    const mbedtls_md_info_t *info = mbedtls_md_info_from_type(digest);
    if (bits.content.len < 1 || bits.content.data[0] != 0 || !mbedtls_pk_can_do(&csr->key, type) ||
        mbedtls_md(info, parts->info.data, parts->info.len, hash) != 0 ||
        mbedtls_pk_verify(&csr->key, digest, hash, mbedtls_md_get_size(info), bits.content.data + 1,
                          bits.content.len - 1) != 0) {
        return err_set(e, "the request's signature is not by its own key: who sent it need not have the private key");
    }
    return 0;
}

static int read_names(struct csr *csr, struct span value, struct err *e)
{
    if (csr->names.count > 0) {
        return err_set(e, "subjectAltName is asked for twice");
    }
    if (general_names_to_text(value, &csr->names, e) != 0) {
        return err_context(e, "subjectAltName");
    }
    for (size_t i = 0; i < csr->names.count; i++) {
        if (general_name_check(&csr->names.items[i], e) != 0) {
            return err_context(e, "subjectAltName");
        }
    }
    return csr->names.count > 0 ? 0 : err_set(e, "subjectAltName: the list is empty");
}

static int read_extensions(struct csr *csr, struct span rest, struct err *e)
{
    size_t unused = 0;
    size_t cap = 0;
    while (rest.len > 0) {
        char words[OID_TEXT];
        struct extension extension;
        if (extension_next(&rest, &extension, e) != 0) {
            return -1;
        }
        if (OID_IS(extension.oid, MBEDTLS_OID_SUBJECT_ALT_NAME)) {
            if (read_names(csr, extension.value, e) != 0) {
                return -1;
            }
            continue;
        }
        csr->unused = mem_grow(csr->unused, &cap, sizeof *csr->unused, unused + 2);
        csr->unused[unused++] =
            mem_printf("%s%s", oid_words(extension.oid, words), extension.critical ? " (critical)" : "");
    }
    return 0;
}

// The DER of the first request in a PEM file, or all of a DER file.
static int find_request(struct span pem_or_der, struct buf *der, struct err *e)
{
    struct pem_block block;
    struct span rest = pem_or_der;
    bool pem = false;
    int rc;
    while ((rc = pem_next(&rest, &block, e)) > 0) {
        pem = true;
        // "NEW CERTIFICATE REQUEST" is what Microsoft's and Java's tools write
        if (strcmp(block.label, "CERTIFICATE REQUEST") == 0 || strcmp(block.label, "NEW CERTIFICATE REQUEST") == 0) {
            *der = block.der;
            return 0;
        }
        buf_clear(&block.der);
    }
    if (rc < 0) {
        return -1;
    }
    if (pem) {
        return err_set(e, "there is no CERTIFICATE REQUEST in this PEM file");
    }
    buf_add(der, pem_or_der.data, pem_or_der.len);
    return 0;
}

int csr_read(struct span pem_or_der, struct csr *csr, struct err *e)
{
    struct buf der = {0};
    struct csr_parts parts;
    struct span extensions;
    struct buf subject_text = {0};
    int rc = -1;
    *csr = (struct csr){0};
    mbedtls_pk_init(&csr->key);
    if (find_request(pem_or_der, &der, e) == 0 && csr_split(buf_span(&der), &parts, e) == 0 &&
        name_to_text(parts.subject, &subject_text, e) == 0 && check_key(csr, parts.key, e) == 0 &&
        check_signature(csr, &parts, e) == 0 && csr_extensions(&parts, &extensions, e) == 0 &&
        read_extensions(csr, extensions, e) == 0) {
        buf_add(&csr->subject, parts.subject.data, parts.subject.len);
        rc = 0;
    } else {
        csr_clear(csr);
    }
    buf_clear(&der);
    buf_clear(&subject_text);
    return rc;
}

void csr_clear(struct csr *csr)
{
    mbedtls_pk_free(&csr->key);
    buf_clear(&csr->subject);
    general_names_clear(&csr->names);
    for (size_t i = 0; csr->unused != NULL && csr->unused[i] != NULL; i++) {
        free(csr->unused[i]);
    }
    free(csr->unused);
    csr->unused = NULL;
}
