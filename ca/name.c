// SPDX-License-Identifier: Apache-2.0
#include "ca/name.h"

#include "base/attribute.h"
#include "base/der.h"
#include "base/text.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

// Puts `piece` before what stands at `at`.
static void buf_insert(struct buf *b, size_t at, struct span piece)
{
    buf_reserve(b, piece.len);
    memmove(b->data + at + piece.len, b->data + at, b->len - at);
    memcpy(b->data + at, piece.data, piece.len);
    b->len += piece.len;
    b->data[b->len] = '\0';
}

static const char *skip_spaces(const char *p)
{
    return p + strspn(p, " ");
}

static int type_to_oid(const char *type, struct buf *oid, struct err *e)
{
    const struct attribute *known = attribute_by_name(type);
    if (known != NULL) {
        buf_text(oid, known->oid);
        return 0;
    }
    if (isdigit((unsigned char)type[0])) {
        return der_oid_from_text(type, oid, e);
    }
    struct buf shown = {0};
    struct buf list = {0};
    attribute_list(&list);
    err_set(e, "unknown attribute \"%s\" (one of: %s; or a dotted object identifier)",
            text_escape(&shown, type, strlen(type), 64), (const char *)list.data);
    buf_clear(&shown);
    buf_clear(&list);
    return -1;
}

// Whether all characters belong to the string type; *count is how many there are.
static bool value_fits(int string_type, struct span value, size_t *count)
{
    // X.680 section 41.4
    static const char printable[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789 '()+,-./:=?";
    *count = 0;
    for (size_t i = 0; i < value.len; ++*count) {
        uint32_t code = 0;
        size_t n = text_utf8(value.data + i, value.len - i, &code);
        if (n == 0 || (string_type != MBEDTLS_ASN1_UTF8_STRING && code > 0x7f) ||
            (string_type == MBEDTLS_ASN1_PRINTABLE_STRING &&
             memchr(printable, (int)code, sizeof printable - 1) == NULL)) {
            return false;
        }
        i += n;
    }
    return true;
}

static int value_check(const char *type, const struct attribute *attribute, struct span value, struct err *e)
{
    static const char *const alphabets[] = {
        [MBEDTLS_ASN1_UTF8_STRING] = "is not UTF-8",
        [MBEDTLS_ASN1_PRINTABLE_STRING] = "must be a PrintableString: letters, digits, space and ' ( ) + , - . / : = ?",
        [MBEDTLS_ASN1_IA5_STRING] = "must be ASCII (international domain names as A-labels, xn--..., RFC 5891)",
    };
    size_t count = 0;
    struct buf shown = {0};
    int rc = 0;
    text_escape(&shown, value.data, value.len, 80);
    if (!value_fits(attribute->string_type, value, &count)) {
        rc = err_set(e, "%s: \"%s\" %s", type, (char *)shown.data, alphabets[attribute->string_type]);
    } else if (count < attribute->least || count > attribute->most) {
        const char *range = attribute->least == attribute->most ? "exactly" : count == 0 ? "at least" : "at most";
        rc = err_set(e, "%s: \"%s\" has %zu characters; it must have %s %zu", type, (char *)shown.data, count, range,
                     count < attribute->least ? attribute->least : attribute->most);
    }
    buf_clear(&shown);
    return rc;
}

// RFC 4514 section 3, hexstring: the DER of the value, taken as it is.
static int value_read_hex(const char **at, const char *type, struct buf *value, struct err *e)
{
    size_t len = strcspn(*at, ",+");
    char *hex = mem_strndup(*at + 1, len - 1);
    struct der_item item;
    struct err inner = ERR_INIT;
    bool good = text_unhex(hex, value);
    struct span rest = buf_span(value);
    free(hex);
    if (!good || der_next(&rest, &item, &inner) != 0 || rest.len > 0) {
        return err_set(e,
                       "%s: what follows # must be one DER element in hex, such as #0c05616c696365 (a text that starts "
                       "with # is written \\#)",
                       type);
    }
    *at += len;
    return 0;
}

// RFC 4514 section 3, string: up to the next separator, escapes resolved, spaces at its end dropped unless escaped.
static int value_read_string(const char **at, const char *type, struct buf *text, struct err *e)
{
    const char *p = *at;
    size_t kept = 0;
    while (*p != '\0' && *p != ',' && *p != '+') {
        if (*p == '\\') {
            const char pair[3] = {p[1], p[1] == '\0' ? '\0' : p[2], '\0'};
            if (p[1] != '\0' && strchr("\"+,;<>\\ #=", p[1]) != NULL) {
                buf_add(text, p + 1, 1);
                p += 2;
            } else if (isxdigit((unsigned char)pair[0]) && text_unhex(pair, text)) {
                p += 3;
            } else {
                return err_set(e, "%s: a \\ must be followed by one of \" + , ; < > \\ # = space, or by two hex digits",
                               type);
            }
            kept = text->len;
            continue;
        }
        if (strchr("\";<>", *p) != NULL) {
            return err_set(e, "%s: %c must be written \\%c", type, *p, *p);
        }
        if (iscntrl((unsigned char)*p)) {
            return err_set(e, "%s: a control character must be written \\%02X", type, (unsigned char)*p);
        }
        buf_add(text, p, 1);
        kept = *p == ' ' ? kept : text->len;
        p++;
    }
    text->len = kept;
    *at = p;
    return 0;
}

static int value_read(const char **at, const char *type, struct span oid, struct buf *value, struct err *e)
{
    const struct attribute *attribute = attribute_by_oid(oid);
    struct buf text = {0};
    *at = skip_spaces(*at);
    if (**at == '#') {
        return value_read_hex(at, type, value, e);
    }
    int rc = value_read_string(at, type, &text, e);
    if (rc == 0) {
        rc = value_check(type, attribute, buf_span(&text), e);
    }
    der_wrap(value, attribute->string_type, buf_span(&text));
    buf_clear(&text);
    return rc;
}

// Adds an attribute to an RDN, at its place in the order of DER's SET OF (X.690 section 11.6). An RDN has one value of
// a type at most (X.501 section 9.3).
static int rdn_add(struct buf *rdn, const char *type, struct span oid, struct span value, struct err *e)
{
    struct buf content = {0};
    struct buf element = {0};
    struct span rest = buf_span(rdn);
    size_t at = 0;
    int rc = 0;
    der_wrap(&content, MBEDTLS_ASN1_OID, oid);
    size_t oid_len = content.len;
    buf_add(&content, value.data, value.len);
    der_wrap(&element, TAG_SEQUENCE, buf_span(&content));
    while (rest.len > 0 && rc == 0) {
        struct der_item other;
        rc = der_expect(&rest, TAG_SEQUENCE, "attribute", &other, e);
        if (rc == 0 && other.content.len >= oid_len && memcmp(other.content.data, content.data, oid_len) == 0) {
            rc = err_set(e, "%s is given twice in one RDN: a + joins attributes of different types", type);
        } else if (rc == 0) {
            // Neither is a prefix of the other: where their lengths differ, their length octets do.
            size_t shorter = other.whole.len < element.len ? other.whole.len : element.len;
            at += memcmp(other.whole.data, element.data, shorter) < 0 ? other.whole.len : 0;
        }
    }
    if (rc == 0) {
        buf_insert(rdn, at, buf_span(&element));
    }
    buf_clear(&content);
    buf_clear(&element);
    return rc;
}

// Takes TYPE=VALUE off the front of *at, up to "," or "+" or the end, and adds it to the RDN.
static int attribute_read(const char **at, struct buf *rdn, struct err *e)
{
    struct buf oid = {0};
    struct buf value = {0};
    const char *start = skip_spaces(*at);
    size_t len = strcspn(start, "=,+");
    int rc = -1;
    *at = start + len;
    while (len > 0 && start[len - 1] == ' ') {
        len--;
    }
    char *type = mem_strndup(start, len);
    if (**at != '=' || len == 0) {
        struct buf shown = {0};
        err_set(e,
                "TYPE=VALUE is due, such as CN=alice,O=Acme, where \"%s\" stands (a comma in a value is written \\,)",
                text_escape(&shown, start, strlen(start), 64));
        buf_clear(&shown);
        goto out;
    }
    ++*at;
    if (type_to_oid(type, &oid, e) == 0 && value_read(at, type, buf_span(&oid), &value, e) == 0) {
        rc = rdn_add(rdn, type, buf_span(&oid), buf_span(&value), e);
    }
out:
    free(type);
    buf_clear(&oid);
    buf_clear(&value);
    return rc;
}

int name_from_text(const char *rfc4514, struct buf *der, struct err *e)
{
    struct buf rdns = {0}; // those read so far, in DER order: the last of the text is the first
    struct buf attributes_of_rdn = {0};
    struct buf rdn = {0};
    const char *p = skip_spaces(rfc4514);
    bool more = *p != '\0';
    int rc = -1;
    while (more) {
        if (attribute_read(&p, &attributes_of_rdn, e) != 0) {
            goto out;
        }
        if (*p != '+') {
            der_wrap(&rdn, TAG_SET, buf_span(&attributes_of_rdn));
            buf_insert(&rdns, 0, buf_span(&rdn));
            buf_clear(&attributes_of_rdn);
            buf_clear(&rdn);
        }
        if (rdns.len + attributes_of_rdn.len > NAME_DER_MAX) {
            err_set(e, "the name is too long: at most %d octets of DER are made", NAME_DER_MAX);
            goto out;
        }
        more = *p != '\0';
        p += more;
    }
    der_wrap(der, TAG_SEQUENCE, buf_span(&rdns));
    rc = 0;
out:
    buf_clear(&rdns);
    buf_clear(&attributes_of_rdn);
    buf_clear(&rdn);
    return rc;
}
