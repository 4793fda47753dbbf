// SPDX-License-Identifier: Apache-2.0
// The edits of extensions.
#include "base/der.h"
#include "ca/extension.h"
#include "ca/flaw_internal.h"

#include <mbedtls/oid.h>
#include <string.h>

#define OID_UNKNOWN "\x2b\x06\x01\x04\x01\x81\xfd\x59\x01" // 1.3.6.1.4.1.32473.1; RFC 5612 keeps 32473 for examples
#define OID_SPAN(oid) span_of(oid, MBEDTLS_OID_SIZE(oid))

enum {
    TAG_DNS = MBEDTLS_ASN1_CONTEXT_SPECIFIC | GENERAL_NAME_DNS,
    TAG_URI = MBEDTLS_ASN1_CONTEXT_SPECIFIC | GENERAL_NAME_URI,
    TAG_IP = MBEDTLS_ASN1_CONTEXT_SPECIFIC | GENERAL_NAME_IP,
};

static int find_extension(struct tbs *tbs, struct span oid, size_t *index, struct err *e)
{
    struct der_item whole;
    struct der_item id;
    for (size_t i = 0; i < tbs->extension_count; i++) {
        struct span rest = buf_span(&tbs->extensions[i]);
        if (der_expect(&rest, TAG_SEQUENCE, "extension", &whole, e) != 0 ||
            der_expect(&whole.content, MBEDTLS_ASN1_OID, "extension", &id, e) != 0) {
            return -1;
        }
        if (id.content.len == oid.len && memcmp(id.content.data, oid.data, oid.len) == 0) {
            *index = i;
            return 0;
        }
    }
    return err_set(e, "the extension to be edited is not there");
}

static void add_unknown(struct tbs *tbs, bool critical)
{
    static const uint8_t null[] = {MBEDTLS_ASN1_NULL, 0};
    extension_write(&tbs->extensions[tbs->extension_count++], OID_SPAN(OID_UNKNOWN), critical,
                    span_of(null, sizeof null));
}

int edit_unknown_extension(struct tbs *tbs, struct err *e)
{
    (void)e;
    add_unknown(tbs, false);
    return 0;
}

int edit_unknown_critical_extension(struct tbs *tbs, struct err *e)
{
    (void)e;
    add_unknown(tbs, true);
    return 0;
}

// PolicyConstraints ::= SEQUENCE { requireExplicitPolicy [0] 0 }: from here on every certificate needs a policy.
int edit_require_policy(struct tbs *tbs, struct err *e)
{
    static const uint8_t value[] = {TAG_SEQUENCE, 3, MBEDTLS_ASN1_CONTEXT_SPECIFIC | 0, 1, 0};
    (void)e;
    extension_write(&tbs->extensions[tbs->extension_count++], OID_SPAN(MBEDTLS_OID_POLICY_CONSTRAINTS), true,
                    span_of(value, sizeof value));
    return 0;
}

int edit_duplicate_extension(struct tbs *tbs, struct err *e)
{
    size_t index = 0;
    if (find_extension(tbs, OID_SPAN(MBEDTLS_OID_SUBJECT_ALT_NAME), &index, e) != 0) {
        return -1;
    }
    tbs_put(&tbs->extensions[tbs->extension_count++], buf_span(&tbs->extensions[index]));
    return 0;
}

int edit_no_basic_constraints(struct tbs *tbs, struct err *e)
{
    size_t index = 0;
    if (find_extension(tbs, OID_SPAN(MBEDTLS_OID_BASIC_CONSTRAINTS), &index, e) != 0) {
        return -1;
    }
    buf_clear(&tbs->extensions[index]); // an empty one is left out
    return 0;
}

// --- subjectAltName ---

// Fills `names` with the elements of GeneralNames and gives the index of the extension.
static int san_open(struct tbs *tbs, size_t *index, struct buf *names, struct err *e)
{
    struct der_item extension;
    struct der_item item = {0};
    struct der_item list;
    if (find_extension(tbs, OID_SPAN(MBEDTLS_OID_SUBJECT_ALT_NAME), index, e) != 0) {
        return -1;
    }
    struct span rest = buf_span(&tbs->extensions[*index]);
    if (der_expect(&rest, TAG_SEQUENCE, "subjectAltName", &extension, e) != 0) {
        return -1;
    }
    while (extension.content.len > 0) { // extnValue is the last element
        if (der_next(&extension.content, &item, e) != 0) {
            return -1;
        }
    }
    if (der_expect(&item.content, TAG_SEQUENCE, "subjectAltName", &list, e) != 0) {
        return -1;
    }
    buf_add(names, list.content.data, list.content.len);
    return 0;
}

static void san_close(struct tbs *tbs, size_t index, struct buf *names)
{
    der_enclose(names, TAG_SEQUENCE);
    buf_clear(&tbs->extensions[index]);
    extension_write(&tbs->extensions[index], OID_SPAN(MBEDTLS_OID_SUBJECT_ALT_NAME), false, buf_span(names));
    buf_clear(names);
}

// Puts `added` behind the names that are there or, with `alone`, in their place.
static int san_add(struct tbs *tbs, bool alone, struct span added, struct err *e)
{
    size_t index = 0;
    struct buf names = {0};
    if (san_open(tbs, &index, &names, e) != 0) {
        return -1;
    }
    if (alone) {
        buf_clear(&names);
    }
    buf_add(&names, added.data, added.len);
    san_close(tbs, index, &names);
    return 0;
}

static int san_add_name(struct tbs *tbs, bool alone, int tag, struct span name, struct err *e)
{
    struct buf added = {0};
    der_wrap(&added, tag, name);
    int rc = san_add(tbs, alone, buf_span(&added), e);
    buf_clear(&added);
    return rc;
}

int edit_san_empty(struct tbs *tbs, struct err *e)
{
    return san_add(tbs, true, span_of("", 0), e);
}

int edit_san_not_critical(struct tbs *tbs, struct err *e)
{
    return san_add(tbs, false, span_of("", 0), e); // it is written again, and not critical
}

int edit_san_not_ascii(struct tbs *tbs, struct err *e)
{
    static const char name[] = "b\xc3\xbc\x63her.example"; // UTF-8, where an A-label is due
    return san_add_name(tbs, false, TAG_DNS, span_of(name, strlen(name)), e);
}

int edit_san_ip_length(struct tbs *tbs, struct err *e)
{
    return san_add_name(tbs, false, TAG_IP, span_of("\xc0\x00\x02\x01\x00", 5), e);
}

// "localhost" becomes "l*"
int edit_san_wildcard_partial(struct tbs *tbs, struct err *e)
{
    const char *host = flaw_host(tbs->setting);
    struct buf name = {0};
    buf_printf(&name, "%c*%s", host[0], host + strcspn(host, "."));
    int rc = san_add_name(tbs, true, TAG_DNS, buf_span(&name), e);
    buf_clear(&name);
    return rc;
}

int edit_san_ip_as_dns_name(struct tbs *tbs, struct err *e)
{
    const struct general_names *hosts = tbs->setting->hosts;
    struct buf names = {0};
    for (size_t i = 0; i < hosts->count; i++) {
        if (hosts->items[i].type == GENERAL_NAME_IP) {
            der_wrap(&names, TAG_DNS, span_of(hosts->items[i].value, strlen(hosts->items[i].value)));
        }
    }
    if (names.len == 0) {
        der_wrap(&names, TAG_DNS, span_of("127.0.0.1", strlen("127.0.0.1")));
    }
    int rc = san_add(tbs, true, buf_span(&names), e);
    buf_clear(&names);
    return rc;
}

// The first name that is text goes on behind a NUL, where those who treat it as a C string do not look.
int edit_san_nul(struct tbs *tbs, struct err *e)
{
    static const char whole[] = "localhost\0.evil.example";
    static const char tail[] = "\0.evil.example";
    size_t index = 0;
    struct buf names = {0};
    struct buf changed = {0};
    struct der_item name;
    bool done = false;
    int rc = san_open(tbs, &index, &names, e);
    struct span rest = buf_span(&names);
    while (rc == 0 && rest.len > 0) {
        struct buf text = {0};
        rc = der_next(&rest, &name, e);
        buf_add(&text, name.content.data, name.content.len);
        if (!done && (name.tag == TAG_DNS || name.tag == TAG_URI)) {
            buf_add(&text, tail, sizeof tail - 1);
            done = true;
        }
        der_wrap(&changed, name.tag, buf_span(&text));
        buf_clear(&text);
    }
    if (rc == 0) {
        if (!done) { // addresses only
            der_wrap(&changed, TAG_DNS, span_of(whole, sizeof whole - 1));
        }
        san_close(tbs, index, &changed);
    }
    buf_clear(&names);
    buf_clear(&changed);
    return rc;
}
