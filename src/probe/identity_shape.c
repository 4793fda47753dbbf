// SPDX-License-Identifier: Apache-2.0
// What an identity shows besides who it is.
#include "base/der.h"
#include "probe/identity.h"

#include <mbedtls/oid.h>

// The values of these go with the name and the key: RFC 5280 sections 4.2.1.6 and 4.2.1.2.
static bool is_personal(struct span oid)
{
    return spans_equal(oid, span_of(MBEDTLS_OID_SUBJECT_ALT_NAME, MBEDTLS_OID_SIZE(MBEDTLS_OID_SUBJECT_ALT_NAME))) ||
           spans_equal(
               oid, span_of(MBEDTLS_OID_SUBJECT_KEY_IDENTIFIER, MBEDTLS_OID_SIZE(MBEDTLS_OID_SUBJECT_KEY_IDENTIFIER)));
}

static int add_extensions(struct span element, struct buf *shape, struct err *e)
{
    struct der_item explicit;
    struct der_item list;
    struct der_item extension;
    struct der_item oid;
    if (element.len == 0) {
        return 0;
    }
    if (der_next(&element, &explicit, e) != 0 ||
        der_expect(&explicit.content, TAG_SEQUENCE, "Extensions", &list, e) != 0) {
        return -1;
    }
    while (list.content.len > 0) {
        if (der_expect(&list.content, TAG_SEQUENCE, "Extension", &extension, e) != 0) {
            return -1;
        }
        struct span inside = extension.content;
        if (der_expect(&inside, MBEDTLS_ASN1_OID, "extnID", &oid, e) != 0) {
            return -1;
        }
        struct span shown = is_personal(oid.content) ? oid.whole : extension.whole;
        buf_add(shape, shown.data, shown.len);
    }
    return 0;
}

static int add_key_kind(struct span key, struct buf *shape, struct err *e)
{
    struct der_item info;
    struct der_item algorithm;
    if (der_expect(&key, TAG_SEQUENCE, "SubjectPublicKeyInfo", &info, e) != 0 ||
        der_expect(&info.content, TAG_SEQUENCE, "AlgorithmIdentifier", &algorithm, e) != 0) {
        return -1;
    }
    buf_add(shape, algorithm.whole.data, algorithm.whole.len);
    buf_printf(shape, "%zu", info.content.len); // of RSA: how long it is
    return 0;
}

bool identity_shape(const struct identity *identity, struct buf *shape)
{
    struct certificate_parts parts;
    struct err ignored = ERR_INIT;
    if (identity->count == 0 || certificate_split(buf_span(&identity->chain[0]), &parts, &ignored) != 0) {
        return false;
    }
    const struct span same[] = {parts.version, parts.algorithm, parts.issuer, parts.outer_algorithm};
    for (size_t i = 0; i < sizeof same / sizeof same[0]; i++) {
        buf_add(shape, same[i].data, same[i].len);
    }
    for (size_t i = 1; i < identity->count; i++) {
        buf_add(shape, identity->chain[i].data, identity->chain[i].len);
    }
    return add_key_kind(parts.key, shape, &ignored) == 0 && add_extensions(parts.extensions, shape, &ignored) == 0;
}
