// SPDX-License-Identifier: Apache-2.0
// The GeneralName part of name.h.
#include "base/der.h"
#include "base/name_text.h"
#include "base/text.h"
#include "ca/name.h"
#include "ca/name_syntax.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

enum {
    TAG_CONTEXT = MBEDTLS_ASN1_CONTEXT_SPECIFIC,
    TAG_CONTEXT_CONSTRUCTED = MBEDTLS_ASN1_CONTEXT_SPECIFIC | MBEDTLS_ASN1_CONSTRUCTED,
    VALUE_MAX = 4096, // octets of a name that is read
};

void general_names_add(struct general_names *names, enum general_name_type type, const char *value)
{
    names->items = mem_grow(names->items, &names->cap, sizeof *names->items, names->count + 1);
    names->items[names->count++] = (struct general_name){.type = type, .value = mem_strdup(value)};
}

void general_names_clear(struct general_names *names)
{
    for (size_t i = 0; i < names->count; i++) {
        free(names->items[i].value);
    }
    free(names->items);
    *names = (struct general_names){0};
}

enum general_name_type general_name_guess(const char *value)
{
    unsigned char octets[16];
    char *address = mem_strndup(value, strcspn(value, "/")); // a prefix of addresses is no host name either
    bool ip = ip_parse(address, octets) > 0;
    free(address);
    return ip                             ? GENERAL_NAME_IP
           : strstr(value, "://") != NULL ? GENERAL_NAME_URI
           : strchr(value, '@') != NULL   ? GENERAL_NAME_EMAIL
                                          : GENERAL_NAME_DNS;
}

// --- one kind of name each: checks the value and appends the content of its GeneralName ---

static int dns_content(const char *value, bool constraint, struct buf *out, struct err *e)
{
    buf_text(out, value);
    return dns_check(value, constraint, e);
}

static int email_content(const char *value, bool constraint, struct buf *out, struct err *e)
{
    buf_text(out, value);
    return email_check(value, constraint, e);
}

static int uri_content(const char *value, bool constraint, struct buf *out, struct err *e)
{
    buf_text(out, value);
    return uri_check(value, constraint, e);
}

static int directory_content(const char *value, bool constraint, struct buf *out, struct err *e)
{
    (void)constraint; // RFC 5280 section 4.2.1.10: the same, a subtree is all names that start with it
    return name_from_text(value, out, e);
}

// RFC 5280 section 4.2.1.10: the address, then its mask as long as it (RFC 4632).
static int prefix_content(const unsigned char *octets, size_t n, const char *length, struct buf *out, struct err *e)
{
    unsigned char mask[16] = {0};
    size_t digits = strspn(length, "0123456789");
    size_t bits = digits > 0 && digits <= 3 && length[digits] == '\0' ? (size_t)strtoul(length, NULL, 10) : SIZE_MAX;
    if (bits > 8 * n) {
        return err_set(e, "a prefix length from 0 to %zu is due after the /", 8 * n);
    }
    for (size_t i = 0; i < bits; i++) {
        mask[i / 8] |= (unsigned char)(0x80 >> i % 8);
    }
    for (size_t i = 0; i < n; i++) {
        if ((octets[i] & ~mask[i]) != 0) {
            return err_set(e, "bits of the address are set beyond its prefix of %zu bits", bits);
        }
    }
    buf_add(out, octets, n);
    buf_add(out, mask, n);
    return 0;
}

static int ip_content(const char *value, bool constraint, struct buf *out, struct err *e)
{
    const char *slash = strchr(value, '/');
    unsigned char octets[16];
    char *address = mem_strndup(value, strcspn(value, "/"));
    size_t n = ip_parse(address, octets);
    int rc = 0;
    free(address);
    if (n == 0) {
        rc = err_set(e, "an IPv4 or IPv6 address is due, such as 127.0.0.1 or ::1");
    } else if (constraint && slash == NULL) {
        rc = err_set(e, "a constraint has a prefix length: %s/%zu is this address alone", value, 8 * n);
    } else if (!constraint && slash != NULL) {
        rc = err_set(e, "one address is due: only a name constraint has a prefix length");
    } else if (constraint) {
        rc = prefix_content(octets, n, slash + 1, out, e);
    } else {
        buf_add(out, octets, n);
    }
    return rc;
}

static const struct kind {
    enum general_name_type type;
    int tag;
    const char *word;
    int (*content)(const char *value, bool constraint, struct buf *out, struct err *e);
} kinds[] = {
    {GENERAL_NAME_EMAIL, TAG_CONTEXT | GENERAL_NAME_EMAIL, "email", email_content},
    {GENERAL_NAME_DNS, TAG_CONTEXT | GENERAL_NAME_DNS, "dns", dns_content},
    // a Name is a CHOICE, whose tag is explicit (X.680 section 31.2.7)
    {GENERAL_NAME_DIRECTORY, TAG_CONTEXT_CONSTRUCTED | GENERAL_NAME_DIRECTORY, "dirname", directory_content},
    {GENERAL_NAME_URI, TAG_CONTEXT | GENERAL_NAME_URI, "uri", uri_content},
    {GENERAL_NAME_IP, TAG_CONTEXT | GENERAL_NAME_IP, "ip", ip_content},
};

static const struct kind *kind_find(enum general_name_type type)
{
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (kinds[i].type == type) {
            return &kinds[i];
        }
    }
    return NULL;
}

const char *general_name_type_word(enum general_name_type type)
{
    const struct kind *kind = kind_find(type);
    return kind == NULL ? "other" : kind->word;
}

// --- checked and encoded ---

static int general_name_encode(const struct general_name *name, bool constraint, struct buf *der, struct err *e)
{
    const struct kind *kind = kind_find(name->type);
    struct buf content = {0};
    int rc = -1;
    if (kind == NULL) {
        err_set(e, "names of this kind cannot be made");
    } else if (name->value[0] == '\0') {
        err_set(e, "an empty value is no name");
    } else {
        rc = kind->content(name->value, constraint, &content, e);
    }
    if (rc == 0) {
        der_wrap(der, kind->tag, buf_span(&content));
    } else {
        struct buf shown = {0};
        err_context(e, "%s \"%s\"", general_name_type_word(name->type),
                    text_escape(&shown, name->value, strlen(name->value), 256));
        buf_clear(&shown);
    }
    buf_clear(&content);
    return rc;
}

int general_name_check(const struct general_name *name, struct err *e)
{
    struct buf unused = {0};
    int rc = general_name_encode(name, false, &unused, e);
    buf_clear(&unused);
    return rc;
}

int general_name_check_constraint(const struct general_name *name, struct err *e)
{
    struct buf unused = {0};
    int rc = general_name_encode(name, true, &unused, e);
    buf_clear(&unused);
    return rc;
}

int general_names_encode(const struct general_names *names, struct buf *der, struct err *e)
{
    struct buf content = {0};
    int rc = names->count > 0 ? 0 : err_set(e, "a list of names must have one at least"); // SIZE (1..MAX)
    for (size_t i = 0; i < names->count && rc == 0; i++) {
        rc = general_name_encode(&names->items[i], false, &content, e);
    }
    if (rc == 0) {
        der_wrap(der, TAG_SEQUENCE, buf_span(&content));
    }
    buf_clear(&content);
    return rc;
}

// RFC 5280 section 4.2.1.10: minimum is 0 and left out as a DEFAULT is, maximum is absent.
int general_subtrees_encode(const struct general_names *names, struct buf *der, struct err *e)
{
    struct buf subtrees = {0};
    int rc = names->count > 0 ? 0 : err_set(e, "a list of names must have one at least");
    for (size_t i = 0; i < names->count && rc == 0; i++) {
        struct buf base = {0};
        rc = general_name_encode(&names->items[i], true, &base, e);
        der_wrap(&subtrees, TAG_SEQUENCE, buf_span(&base));
        buf_clear(&base);
    }
    if (rc == 0) {
        buf_add(der, subtrees.data, subtrees.len);
    }
    buf_clear(&subtrees);
    return rc;
}

// --- read ---

// The words for one name; false: its content is not what its kind has, or far more than any name has.
static bool general_name_to_text(int tag, struct span content, struct buf *text)
{
    struct err ignored = ERR_INIT;
    char address[INET6_ADDRSTRLEN];
    if (content.len > VALUE_MAX) {
        return false;
    }
    switch (tag) {
    case TAG_CONTEXT | GENERAL_NAME_EMAIL:
    case TAG_CONTEXT | GENERAL_NAME_DNS:
    case TAG_CONTEXT | GENERAL_NAME_URI: text_escape(text, content.data, content.len, SIZE_MAX); return true;
    case TAG_CONTEXT_CONSTRUCTED | GENERAL_NAME_DIRECTORY: return name_to_text(content, text, &ignored) == 0;
    case TAG_CONTEXT | GENERAL_NAME_IP:
        if (content.len != 4 && content.len != 16) {
            return false;
        }
        buf_text(text, inet_ntop(content.len == 4 ? AF_INET : AF_INET6, content.data, address, sizeof address));
        return true;
    default: return false;
    }
}

int general_names_to_text(struct span der, struct general_names *out, struct err *e)
{
    struct der_item list, item;
    if (der_expect(&der, TAG_SEQUENCE, "names", &list, e) != 0) {
        return -1;
    }
    if (der.len > 0) {
        return err_set(e, "names: octets follow them");
    }
    while (list.content.len > 0) {
        struct buf text = {0};
        if (der_next(&list.content, &item, e) != 0) {
            return err_context(e, "names");
        }
        int type = item.tag & 0x1f;
        if (!general_name_to_text(item.tag, item.content, &text)) {
            size_t shown = item.content.len < VALUE_MAX ? item.content.len : VALUE_MAX;
            buf_printf(&text, "[%d] ", type);
            text_hex(&text, item.content.data, shown, '\0');
            buf_text(&text, shown < item.content.len ? "..." : "");
        }
        general_names_add(out, (enum general_name_type)type, (const char *)text.data);
        buf_clear(&text);
    }
    return 0;
}
