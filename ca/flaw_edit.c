// SPDX-License-Identifier: Apache-2.0
// What mbedTLS's writer refuses to make: finished certificates are taken apart, changed and signed again.
#include "base/der.h"
#include "ca/flaw_internal.h"

#include <string.h>

enum {
    TAG_CONTEXT_CONSTRUCTED = MBEDTLS_ASN1_CONTEXT_SPECIFIC | MBEDTLS_ASN1_CONSTRUCTED,
    TAG_EXTENSIONS = TAG_CONTEXT_CONSTRUCTED | 3,
};

void tbs_put(struct buf *b, struct span bytes)
{
    buf_clear(b);
    buf_add(b, bytes.data, bytes.len);
}

// --- to pieces and together again ---

static int open_extensions(struct tbs *tbs, struct span extensions, struct err *e)
{
    struct der_item outer;
    struct der_item list;
    struct der_item item;
    if (der_expect(&extensions, TAG_EXTENSIONS, "extensions", &outer, e) != 0 ||
        der_expect(&outer.content, TAG_SEQUENCE, "extensions", &list, e) != 0) {
        return -1;
    }
    while (list.content.len > 0) {
        if (der_next(&list.content, &item, e) != 0) {
            return -1;
        }
        if (tbs->extension_count == TBS_EXTENSIONS_MAX - 1) { // an edit may add one
            return err_set(e, "more than %d extensions", TBS_EXTENSIONS_MAX - 1);
        }
        tbs_put(&tbs->extensions[tbs->extension_count++], item.whole);
    }
    return 0;
}

static int tbs_open(struct tbs *tbs, struct span certificate, struct err *e)
{
    struct certificate_parts parts;
    if (certificate_split(certificate, &parts, e) != 0) {
        return -1;
    }
    const struct span fields[TBS_FIELDS] = {parts.version,  parts.serial,  parts.algorithm, parts.issuer,
                                            parts.validity, parts.subject, parts.key};
    for (int i = 0; i < TBS_FIELDS; i++) {
        tbs_put(&tbs->fields[i], fields[i]);
    }
    return open_extensions(tbs, parts.extensions, e);
}

static void tbs_join(const struct tbs *tbs, struct buf *der)
{
    struct buf extensions = {0};
    for (int i = 0; i < TBS_FIELDS; i++) {
        buf_add(der, tbs->fields[i].data, tbs->fields[i].len);
    }
    for (size_t i = 0; i < tbs->extension_count; i++) {
        buf_add(&extensions, tbs->extensions[i].data, tbs->extensions[i].len);
    }
    if (tbs->extension_count > 0) { // SIZE (1..MAX)
        der_enclose(&extensions, TAG_SEQUENCE);
        der_wrap(der, TAG_EXTENSIONS, buf_span(&extensions));
    }
    der_enclose(der, TAG_SEQUENCE);
    buf_clear(&extensions);
}

static void tbs_clear(struct tbs *tbs)
{
    for (int i = 0; i < TBS_FIELDS; i++) {
        buf_clear(&tbs->fields[i]);
    }
    for (size_t i = 0; i < TBS_EXTENSIONS_MAX; i++) {
        buf_clear(&tbs->extensions[i]);
    }
}

int flaw_edit(tbs_edit *edit, const struct flaw_setting *setting, mbedtls_pk_context *signer, struct rng *rng,
              struct buf *certificate, struct err *e)
{
    struct tbs tbs = {.setting = setting, .signer = signer, .digest = key_digest(signer)};
    struct buf joined = {0};
    int rc = -1;
    if (tbs_open(&tbs, buf_span(certificate), e) != 0 || edit(&tbs, e) != 0) {
        goto out;
    }
    tbs_join(&tbs, &joined);
    buf_clear(certificate);
    rc = signed_make(buf_span(&joined), signer, tbs.digest, rng, certificate, e);
out:
    tbs_clear(&tbs);
    buf_clear(&joined);
    return rc;
}

// --- version and serial number ---

int edit_version_1_extensions(struct tbs *tbs, struct err *e)
{
    (void)e;
    buf_clear(&tbs->fields[TBS_VERSION]); // v1 is the DEFAULT
    return 0;
}

int edit_version_1(struct tbs *tbs, struct err *e)
{
    for (size_t i = 0; i < tbs->extension_count; i++) {
        buf_clear(&tbs->extensions[i]);
    }
    tbs->extension_count = 0;
    return edit_version_1_extensions(tbs, e);
}

int edit_serial_zero(struct tbs *tbs, struct err *e)
{
    static const uint8_t zero[] = {MBEDTLS_ASN1_INTEGER, 1, 0};
    (void)e;
    tbs_put(&tbs->fields[TBS_SERIAL], span_of(zero, sizeof zero));
    return 0;
}

int edit_serial_negative(struct tbs *tbs, struct err *e)
{
    (void)e;
    uint8_t *first = &tbs->fields[TBS_SERIAL].data[2]; // behind tag and length
    *first = (uint8_t)((*first & 0x3f) | 0x80);        // not 0xff, which might not be the shortest form
    return 0;
}

int edit_serial_too_long(struct tbs *tbs, struct err *e)
{
    struct buf *serial = &tbs->fields[TBS_SERIAL];
    struct buf content = {0};
    (void)e;
    buf_add(&content, "\x01", 1);
    buf_add(&content, serial->data + 2, serial->len - 2);
    der_enclose(&content, MBEDTLS_ASN1_INTEGER);
    buf_clear(serial);
    *serial = content;
    return 0;
}

// --- signature algorithm ---

static int set_algorithm(struct tbs *tbs, mbedtls_md_type_t digest, struct err *e)
{
    buf_clear(&tbs->fields[TBS_ALGORITHM]);
    return signature_algorithm(tbs->signer, digest, &tbs->fields[TBS_ALGORITHM], e);
}

int edit_sha1(struct tbs *tbs, struct err *e)
{
    tbs->digest = MBEDTLS_MD_SHA1;
    return set_algorithm(tbs, tbs->digest, e);
}

int edit_md5(struct tbs *tbs, struct err *e)
{
    tbs->digest = MBEDTLS_MD_MD5;
    return set_algorithm(tbs, tbs->digest, e);
}

// The signature is good by the algorithm outside, which is the one that most look at.
int edit_inner_algorithm(struct tbs *tbs, struct err *e)
{
    return set_algorithm(tbs, tbs->digest == MBEDTLS_MD_SHA512 ? MBEDTLS_MD_SHA256 : MBEDTLS_MD_SHA512, e);
}

// --- issuer, subject, validity ---

int edit_issuer_name(struct tbs *tbs, struct err *e)
{
    buf_clear(&tbs->fields[TBS_ISSUER]);
    return name_from_text("CN=somebody else," FLAW_ORGANIZATION, &tbs->fields[TBS_ISSUER], e);
}

int edit_root_name(struct tbs *tbs, struct err *e)
{
    (void)e;
    tbs_put(&tbs->fields[TBS_ISSUER], tbs->setting->root->issuer.subject);
    tbs_put(&tbs->fields[TBS_SUBJECT], tbs->setting->root->issuer.subject);
    return 0;
}

int edit_validity_no_seconds(struct tbs *tbs, struct err *e)
{
    struct span validity = buf_span(&tbs->fields[TBS_VALIDITY]);
    struct der_item times;
    struct der_item time;
    struct buf changed = {0};
    int rc = der_expect(&validity, TAG_SEQUENCE, "validity", &times, e);
    while (rc == 0 && times.content.len > 0) {
        struct buf text = {0};
        rc = der_next(&times.content, &time, e);
        buf_add(&text, time.content.data, time.content.len - strlen("00Z"));
        buf_text(&text, "Z");
        der_wrap(&changed, time.tag, buf_span(&text));
        buf_clear(&text);
    }
    der_enclose(&changed, TAG_SEQUENCE);
    buf_clear(&tbs->fields[TBS_VALIDITY]);
    tbs->fields[TBS_VALIDITY] = changed;
    return rc;
}
