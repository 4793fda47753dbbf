// SPDX-License-Identifier: Apache-2.0
#include "trust/general_name.h"

#include "base/text.h"
#include "trust/constraint.h"
#include "trust/host.h"
#include "trust/internal.h"
#include "trust/name.h"

#include <arpa/inet.h>
#include <mbedtls/asn1.h>
#include <string.h>
#include <strings.h>

enum {
    SHOWN = 64,           // octets of a name in messages
    LOCAL_PART_MOST = 64, // RFC 5321 section 4.5.3.1.1
    PORT_DIGITS = 5,
    TAG_EXPLICIT_0 = MBEDTLS_ASN1_CONTEXT_SPECIFIC | MBEDTLS_ASN1_CONSTRUCTED,
};

static size_t find(struct span text, const char *any_of)
{
    size_t n = 0;
    while (n < text.len && (text.data[n] == '\0' || strchr(any_of, text.data[n]) == NULL)) {
        n++;
    }
    return n;
}

static struct span skip(struct span text, size_t n)
{
    return span_of(text.data + n, text.len - n);
}

// --- e-mail ---

// RFC 5321 section 4.1.2: Quoted-string, of graphic ASCII and spaces
static bool is_quoted(struct span local)
{
    if (local.len < 3 || local.data[0] != '"' || local.data[local.len - 1] != '"') {
        return false;
    }
    bool escaped = false;
    for (size_t i = 1; i + 1 < local.len; i++) {
        uint8_t c = local.data[i];
        if (c < ' ' || c > '~' || (c == '"' && !escaped)) {
            return false;
        }
        escaped = c == '\\' && !escaped;
    }
    return !escaped;
}

// Dot-string
static bool is_dotted(struct span local)
{
    return local.len > 0 && span_is_of(local, LETTERS_AND_DIGITS "!#$%&'*+-/=?^_`{|}~.") && local.data[0] != '.' &&
           local.data[local.len - 1] != '.' && memmem(local.data, local.len, "..", 2) == NULL;
}

int mailbox_split(struct span mailbox, struct span *local, struct span *host, struct err *e)
{
    const uint8_t *at =
        mailbox.len == 0 ? NULL : memrchr(mailbox.data, '@', mailbox.len); // a quoted part may have more
    if (at == NULL) {
        return err_set(e, "there is no @ between mailbox and host");
    }
    *local = span_of(mailbox.data, (size_t)(at - mailbox.data));
    *host = skip(mailbox, local->len + 1);
    if (local->len > LOCAL_PART_MOST || !(is_dotted(*local) || is_quoted(*local))) {
        return err_set(e, "what is before the @ is no mailbox");
    }
    return host_name_check(*host, e);
}

// --- URI (RFC 3986) ---

static int uri_characters_check(struct span uri, struct err *e)
{
    static const char hex[] = "0123456789ABCDEFabcdef";
    if (!span_is_of(uri, LETTERS_AND_DIGITS "-._~:/?#[]@!$&'()*+,;=%")) {
        return err_set(e, "a character is in it that a URI does not have");
    }
    for (size_t i = find(uri, "%"); i < uri.len; i += 1 + find(skip(uri, i + 1), "%")) {
        if (uri.len - i < 3 || !span_is_of(span_of(uri.data + i + 1, 2), hex)) {
            return err_set(e, "two hexadecimal digits follow a %%");
        }
    }
    return 0;
}

// RFC 3986 section 3.2: [userinfo "@"] host [":" port]
static int authority_split(struct span authority, struct span *host, struct err *e)
{
    size_t at = find(authority, "@");
    struct span rest = at < authority.len ? skip(authority, at + 1) : authority;
    size_t len = rest.len > 0 && rest.data[0] == '[' ? find(rest, "]") + 1 : find(rest, ":");
    if (len > rest.len) {
        return err_set(e, "an address in brackets is not closed");
    }
    *host = span_of(rest.data, len);
    rest = skip(rest, len);
    if (rest.len > 0 &&
        (rest.data[0] != ':' || rest.len > 1 + PORT_DIGITS || !span_is_of(skip(rest, 1), "0123456789"))) {
        return err_set(e, "something other than a port follows the host");
    }
    return 0;
}

// RFC 5280 section 4.2.1.6: the host of an authority is a domain name or an address. The trust domain of a SPIFFE ID
// may have underscores (SPIFFE ID section 2.1).
static int uri_host_check(struct span scheme, struct span host, struct err *e)
{
    static const char spiffe[] = "spiffe";
    uint8_t octets[16];
    if (host.len > 2 && host.data[0] == '[') {
        return host_address(span_of(host.data + 1, host.len - 2), octets) == 16
                   ? 0
                   : err_set(e, "no IPv6 address is between the brackets");
    }
    if (host_address(host, octets) == 4) {
        return 0;
    }
    if (host.len > 0 && host_equal(scheme, span_of(spiffe, strlen(spiffe)))) {
        return span_is_of(host, LETTERS_AND_DIGITS "-._") ? 0 : err_set(e, "the trust domain is malformed");
    }
    return host_name_check(host, e);
}

int uri_split(struct span uri, struct span *host, struct err *e)
{
    size_t colon = find(uri, ":");
    struct span scheme = span_of(uri.data, colon);
    *host = (struct span){0};
    // RFC 5280 section 4.2.1.6: never relative, always a scheme and something behind it
    if (colon == 0 || colon + 1 >= uri.len || !span_is_of(scheme, LETTERS_AND_DIGITS "+-.") ||
        !span_is_of(span_of(uri.data, 1), "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")) {
        return err_set(e, "a URI is a scheme, a colon and what follows them");
    }
    if (uri_characters_check(uri, e) != 0) {
        return -1;
    }
    struct span rest = skip(uri, colon + 1);
    if (rest.len < 2 || memcmp(rest.data, "//", 2) != 0) {
        return 0;
    }
    rest = skip(rest, 2);
    if (authority_split(span_of(rest.data, find(rest, "/?#")), host, e) != 0) {
        return -1;
    }
    return uri_host_check(scheme, *host, e);
}

// --- each form's content ---

static int email_check(struct span content, struct err *e)
{
    struct span local, host;
    return mailbox_split(content, &local, &host, e);
}

static int uri_check(struct span content, struct err *e)
{
    struct span host;
    return uri_split(content, &host, e);
}

static int ip_check(struct span content, struct err *e)
{
    return content.len == 4 || content.len == 16 ? 0 : err_set(e, "an address has 4 or 16 octets");
}

static int directory_check(struct span content, struct err *e)
{
    struct buf canonical = {0};
    int rc = name_canonical(content, &canonical, e);
    buf_clear(&canonical);
    return rc;
}

// RFC 5280 section 4.2.1.6: no name is empty. (As a constraint the empty name is the root of all.)
static int directory_name_check(struct span content, struct err *e)
{
    return content.len == 2 && content.data[1] == 0 ? err_set(e, "the name is empty") : directory_check(content, e);
}

// OtherName ::= SEQUENCE { type-id OBJECT IDENTIFIER, value [0] EXPLICIT ANY }
int other_name_type(struct span content, struct span *type, struct err *e)
{
    struct der_item oid, value, inner;
    if (der_expect(&content, MBEDTLS_ASN1_OID, "type", &oid, e) != 0 ||
        der_expect(&content, TAG_EXPLICIT_0, "value", &value, e) != 0 || der_next(&value.content, &inner, e) != 0) {
        return -1;
    }
    if (content.len > 0 || value.content.len > 0) {
        return err_set(e, "octets follow the value");
    }
    *type = oid.content;
    return der_oid_is_well_formed(oid.content) ? 0 : err_set(e, "its type is no object identifier");
}

static int other_check(struct span content, struct err *e)
{
    struct span type;
    return other_name_type(content, &type, e);
}

static int registered_id_check(struct span content, struct err *e)
{
    return der_oid_is_well_formed(content) ? 0 : err_set(e, "it is no object identifier");
}

// x400Address and ediPartyName, which nobody has been seen to use: elements, whatever they mean
static int elements_check(struct span content, struct err *e)
{
    struct der_item item;
    do {
        if (der_next(&content, &item, e) != 0) {
            return -1;
        }
    } while (content.len > 0);
    return 0;
}

// --- each form's content as the base of a subtree (section 4.2.1.10) ---

static int dns_subtree_check(struct span base, struct err *e)
{
    if (base.len > 0 && base.data[0] == '.') {
        return err_set(e, "a constraint on DNS names has no leading dot");
    }
    return base.len == 0 ? 0 : host_name_check(base, e); // "" is the root, and so all names
}

// A host, or ".domain": all hosts below it
static int domain_check(struct span base, struct err *e)
{
    return host_name_check(base.len > 0 && base.data[0] == '.' ? skip(base, 1) : base, e);
}

static int email_subtree_check(struct span base, struct err *e)
{
    return find(base, "@") < base.len ? email_check(base, e) : domain_check(base, e);
}

// An address and a mask as long as it, of ones and then zeros (RFC 4632)
static int ip_subtree_check(struct span base, struct err *e)
{
    if (base.len != 8 && base.len != 32) {
        return err_set(e, "an address and its mask have 8 or 32 octets");
    }
    struct span mask = skip(base, base.len / 2);
    bool ended = false;
    for (size_t bit = 0; bit < 8 * mask.len; bit++) {
        bool one = (mask.data[bit / 8] & (0x80 >> bit % 8)) != 0;
        if (one && ended) {
            return err_set(e, "the bits of the mask are not contiguous");
        }
        ended = !one;
    }
    return 0;
}

// --- all of them ---

typedef int content_check(struct span content, struct err *e);

static const struct form {
    int tag;
    const char *word;
    content_check *name, *subtree;
} forms[] = {
    {FORM_TAG_OTHER, "otherName", other_check, other_check},
    {FORM_TAG_EMAIL, "rfc822Name", email_check, email_subtree_check},
    {FORM_TAG_DNS, "dNSName", host_pattern_check, dns_subtree_check},
    {FORM_TAG_X400, "x400Address", elements_check, elements_check},
    {FORM_TAG_DIRECTORY, "directoryName", directory_name_check, directory_check},
    {FORM_TAG_EDI_PARTY, "ediPartyName", elements_check, elements_check},
    {FORM_TAG_URI, "uniformResourceIdentifier", uri_check, domain_check},
    {FORM_TAG_IP, "iPAddress", ip_check, ip_subtree_check},
    {FORM_TAG_REGISTERED_ID, "registeredID", registered_id_check, registered_id_check},
};

static const struct form *form_of(int tag)
{
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        if (forms[i].tag == tag) {
            return &forms[i];
        }
    }
    return NULL;
}

const char *form_word(int tag)
{
    const struct form *form = form_of(tag);
    return form == NULL ? NULL : form->word;
}

// Escaped text, cut to fit but not inside a character
static void text_cut(struct buf *text)
{
    size_t n = SHOWN;
    if (text->len > n) {
        while ((text->data[n] & 0xc0) == 0x80) {
            n--;
        }
        text->len = n;
        buf_text(text, "...");
    }
}

void form_show(struct buf *out, const struct der_item *name)
{
    char address[INET6_ADDRSTRLEN];
    struct buf text = {0};
    struct span content = name->content;
    switch (name->tag) {
    case FORM_TAG_EMAIL:
    case FORM_TAG_DNS:
    case FORM_TAG_URI: text_escape(out, content.data, content.len, SHOWN); return;
    case FORM_TAG_IP:
        if (content.len == 4 || content.len == 16) {
            buf_text(out, inet_ntop(content.len == 4 ? AF_INET : AF_INET6, content.data, address, sizeof address));
            return;
        }
        break;
    case FORM_TAG_DIRECTORY:
        display_name(&text, content);
        text_cut(&text);
        buf_text(out, (const char *)text.data);
        buf_clear(&text);
        return;
    default: break;
    }
    buf_text(out, "#");
    text_hex(out, content.data, content.len < SHOWN / 2 ? content.len : SHOWN / 2, '\0');
}

static int form_check(const struct der_item *name, bool subtree, struct err *e)
{
    const struct form *form = form_of(name->tag);
    struct buf shown = {0};
    if (form == NULL) {
        return err_set(e, "DER tag 0x%02x is no form of a name", (unsigned)name->tag);
    }
    int rc = (subtree ? form->subtree : form->name)(name->content, e);
    if (rc != 0) {
        form_show(&shown, name);
        err_context(e, "%s \"%s\"", form->word, (const char *)shown.data);
        buf_clear(&shown);
    }
    return rc;
}

int form_check_name(const struct der_item *name, struct err *e)
{
    return form_check(name, false, e);
}

int form_check_subtree(const struct der_item *base, struct err *e)
{
    return form_check(base, true, e);
}

int general_names_syntax(struct span names, struct err *e)
{
    struct der_item name;
    if (names.len == 0) {
        return err_set(e, "there is no name in it");
    }
    while (names.len > 0) {
        if (der_next(&names, &name, e) != 0 || form_check_name(&name, e) != 0) {
            return -1;
        }
    }
    return 0;
}
