// SPDX-License-Identifier: Apache-2.0
#include "trust/constraint.h"

#include "base/name_text.h"
#include "trust/general_name.h"
#include "trust/host.h"
#include "trust/name.h"

#include <mbedtls/asn1.h>
#include <mbedtls/oid.h>
#include <stdio.h>
#include <string.h>

// --- syntax ---

// GeneralSubtree ::= SEQUENCE { base GeneralName, minimum [0] BaseDistance DEFAULT 0, maximum [1] BaseDistance OPTIONAL
// } RFC 5280 section 4.2.1.10: minimum is 0, which DER leaves out (X.690 section 11.5), and maximum is absent.
static int subtree_next(struct span *subtrees, struct der_item *base, struct err *e)
{
    struct der_item subtree;
    if (der_expect(subtrees, TAG_SEQUENCE, "subtree", &subtree, e) != 0 || der_next(&subtree.content, base, e) != 0) {
        return -1;
    }
    return subtree.content.len == 0 ? 0 : err_set(e, "a subtree has a minimum or a maximum");
}

int constraint_syntax(struct span subtrees, struct err *e)
{
    struct der_item base;
    if (subtrees.len == 0) {
        return err_set(e, "there is no subtree in it");
    }
    while (subtrees.len > 0) {
        if (subtree_next(&subtrees, &base, e) != 0 || form_check_subtree(&base, e) != 0) {
            return -1;
        }
    }
    return 0;
}

// --- a name of the certificate, taken apart once for all comparisons ---

struct subject_name {
    const char *what;     // where it stands, for messages
    struct der_item item; // the GeneralName that it is, or would be
    int form;             // the tag of the constraints that it is under: that of the item but for SmtpUTF8Mailbox
    bool understood;      // what follows is filled, as far as its form has it
    struct span key;      // of a directory name: its canonical form
    struct span host;     // of a DNS name (without its wildcard), a mailbox, a URI
    struct span local;    // of a mailbox; empty if it is a quoted string, which can be written in several ways
    bool wildcard;
};

enum relation {
    OUTSIDE, // of the subtree
    INSIDE,
    UNCLEAR, // in part, or nobody here knows: neither permitted, nor safe from being excluded
    RELATIONS
};
typedef enum relation relate(const struct subject_name *name, struct span base);

static enum relation email_relate(const struct subject_name *name, struct span base)
{
    const uint8_t *at = memrchr(base.data, '@', base.len);
    size_t local_len = at == NULL ? 0 : (size_t)(at - base.data);
    if (at == NULL && base.len > 0 && base.data[0] == '.') {
        return host_is_below(name->host, span_of(base.data + 1, base.len - 1)) ? INSIDE : OUTSIDE;
    }
    struct span host = at == NULL ? base : span_of(at + 1, base.len - local_len - 1);
    if (!host_equal(name->host, host)) {
        return OUTSIDE;
    }
    if (at == NULL) {
        return INSIDE;
    }
    if (name->local.len == 0 || base.data[0] == '"') {
        return UNCLEAR;
    }
    // RFC 5321 section 2.4: case matters before the @
    return name->local.len == local_len && memcmp(name->local.data, base.data, local_len) == 0 ? INSIDE : OUTSIDE;
}

static enum relation dns_relate(const struct subject_name *name, struct span base)
{
    if (base.len == 0 || host_equal(name->host, base) || host_is_below(name->host, base)) {
        return INSIDE;
    }
    // One of the names that the wildcard stands for is the base: some are inside, all others are not
    return name->wildcard && host_equal(host_parent(base), name->host) ? UNCLEAR : OUTSIDE;
}

static enum relation uri_relate(const struct subject_name *name, struct span base)
{
    if (base.len > 0 && base.data[0] == '.') {
        return host_is_below(name->host, span_of(base.data + 1, base.len - 1)) ? INSIDE : OUTSIDE;
    }
    return host_equal(name->host, base) ? INSIDE : OUTSIDE;
}

static enum relation ip_relate(const struct subject_name *name, struct span base)
{
    const uint8_t *address = name->item.content.data;
    size_t len = name->item.content.len;
    if (base.len != 2 * len) {
        return OUTSIDE; // the other version of IP
    }
    for (size_t i = 0; i < len; i++) {
        if (((address[i] ^ base.data[i]) & base.data[len + i]) != 0) {
            return OUTSIDE;
        }
    }
    return INSIDE;
}

static enum relation directory_relate(const struct subject_name *name, struct span base)
{
    struct err ignored = ERR_INIT;
    struct buf key = {0};
    enum relation relation = OUTSIDE;
    if (name_canonical(base, &key, &ignored) != 0) {
        relation = UNCLEAR;
    } else if (key.len == 0 || (key.len <= name->key.len && memcmp(key.data, name->key.data, key.len) == 0)) {
        relation = INSIDE;
    }
    buf_clear(&key);
    return relation;
}

// What a subtree of such names is depends on their type (X.501), and none is known here. Other types are other forms.
static enum relation other_relate(const struct subject_name *name, struct span base)
{
    struct err ignored = ERR_INIT;
    struct span mine, its;
    if (other_name_type(name->item.content, &mine, &ignored) != 0 || other_name_type(base, &its, &ignored) != 0) {
        return UNCLEAR;
    }
    return mine.len == its.len && memcmp(mine.data, its.data, its.len) == 0 ? UNCLEAR : OUTSIDE;
}

static enum relation name_relate(const struct subject_name *name, struct span base)
{
    static const struct {
        int tag;
        relate *relate;
    } table[] = {
        {FORM_TAG_OTHER, other_relate}, {FORM_TAG_EMAIL, email_relate},         {FORM_TAG_DNS, dns_relate},
        {FORM_TAG_URI, uri_relate},     {FORM_TAG_DIRECTORY, directory_relate}, {FORM_TAG_IP, ip_relate},
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0] && name->understood; i++) {
        if (table[i].tag == name->form) {
            return table[i].relate(name, base);
        }
    }
    return UNCLEAR;
}

// --- one name against all subtrees ---

struct check {
    const struct certificate *c, *ca;
    size_t *budget;
    char *why;
};

static enum reason refuse(const struct check *k, const struct subject_name *name, const char *words)
{
    struct buf shown = {0};
    form_show(&shown, &name->item);
    snprintf(k->why, CERTIFICATE_WHY, "%s \"%s\" %s", name->what, (const char *)shown.data, words);
    buf_clear(&shown);
    return REASON_name_constraint;
}

// How the name relates to the subtrees of its form: seen[relation].
static enum reason subtrees_relate(const struct check *k, struct span subtrees, const struct subject_name *name,
                                   bool seen[RELATIONS])
{
    struct err e = ERR_INIT;
    struct der_item base;
    while (subtrees.len > 0) {
        if (subtree_next(&subtrees, &base, &e) != 0) {
            return refuse(k, name, "is under constraints that cannot be read");
        }
        // A directory name is prepared anew for each comparison, which takes its time
        size_t cost = 1 + (base.tag == FORM_TAG_DIRECTORY && base.tag == name->form ? base.content.len : 0);
        if (*k->budget < cost) {
            *k->budget = 0;
            snprintf(k->why, CERTIFICATE_WHY, "too many names under too many name constraints");
            return REASON_budget_exceeded;
        }
        *k->budget -= cost;
        if (base.tag == name->form) {
            seen[name_relate(name, base.content)] = true;
        }
    }
    return REASON_ok;
}

// RFC 5280 section 6.1.3 (b), (c): within one of the permitted subtrees, if there are any for this form of name, and
// within none of those excluded.
static enum reason name_check(const struct check *k, const struct subject_name *name)
{
    bool permitted[RELATIONS] = {false};
    bool excluded[RELATIONS] = {false};
    enum reason reason = subtrees_relate(k, k->ca->permitted, name, permitted);
    if (reason == REASON_ok) {
        reason = subtrees_relate(k, k->ca->excluded, name, excluded);
    }
    if (reason != REASON_ok) {
        return reason;
    }
    if (excluded[INSIDE]) {
        return refuse(k, name, "is in an excluded subtree");
    }
    if (excluded[UNCLEAR]) {
        return refuse(k, name, "may be in an excluded subtree");
    }
    if (!permitted[INSIDE] && (permitted[OUTSIDE] || permitted[UNCLEAR])) {
        return refuse(k, name, "is in no permitted subtree");
    }
    return REASON_ok;
}

// --- the names of a certificate ---

static void dns_prepare(struct subject_name *name)
{
    struct err ignored = ERR_INIT;
    name->wildcard = host_is_wildcard(name->item.content);
    name->host = name->wildcard ? host_parent(name->item.content) : name->item.content;
    name->understood = host_pattern_check(name->item.content, &ignored) == 0;
}

static void email_prepare(struct subject_name *name)
{
    struct err ignored = ERR_INIT;
    name->understood = mailbox_split(name->item.content, &name->local, &name->host, &ignored) == 0;
    if (name->understood && name->local.data[0] == '"') {
        name->local.len = 0;
    }
}

// RFC 5280 section 4.2.1.10: under constraints on URIs one without a host, or with an address for it, is refused.
static void uri_prepare(struct subject_name *name)
{
    struct err ignored = ERR_INIT;
    name->understood =
        uri_split(name->item.content, &name->host, &ignored) == 0 && host_name_check(name->host, &ignored) == 0;
}

static enum reason directory_check(const struct check *k, struct subject_name *name)
{
    struct err ignored = ERR_INIT;
    struct buf key = {0};
    name->understood = name_canonical(name->item.content, &key, &ignored) == 0;
    name->key = buf_span(&key);
    enum reason reason = name_check(k, name);
    buf_clear(&key);
    return reason;
}

// RFC 9598 section 6: a mailbox with characters beyond ASCII is under the constraints on e-mail too. It is not taken
// apart here, and so it is outside.
static enum reason other_check(const struct check *k, struct subject_name *name)
{
    static const uint8_t smtp_utf8_mailbox[] = {0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x08, 0x09};
    struct err ignored = ERR_INIT;
    struct span type = {0};
    name->understood = other_name_type(name->item.content, &type, &ignored) == 0;
    enum reason reason = name_check(k, name);
    if (reason == REASON_ok && type.len == sizeof smtp_utf8_mailbox &&
        memcmp(type.data, smtp_utf8_mailbox, type.len) == 0) {
        name->form = FORM_TAG_EMAIL;
        name->understood = false;
        reason = name_check(k, name);
    }
    return reason;
}

static enum reason general_name_check_within(const struct check *k, const struct der_item *item)
{
    struct subject_name name = {.what = form_word(item->tag), .item = *item, .form = item->tag};
    if (name.what == NULL) {
        name.what = "name";
        return refuse(k, &name, "is of no known form");
    }
    switch (item->tag) {
    case FORM_TAG_DNS: dns_prepare(&name); break;
    case FORM_TAG_EMAIL: email_prepare(&name); break;
    case FORM_TAG_URI: uri_prepare(&name); break;
    case FORM_TAG_IP: name.understood = item->content.len == 4 || item->content.len == 16; break;
    case FORM_TAG_DIRECTORY: return directory_check(k, &name);
    case FORM_TAG_OTHER: return other_check(k, &name);
    default: break;
    }
    return name_check(k, &name);
}

// Every subjectAltName; has[n]: there is one of form [n].
static enum reason alt_names_check(const struct check *k, bool has[32])
{
    struct err e = ERR_INIT;
    struct span rest = k->c->names;
    enum reason reason = REASON_ok;
    while (rest.len > 0 && reason == REASON_ok) {
        struct der_item item;
        if (der_next(&rest, &item, &e) != 0) {
            snprintf(k->why, CERTIFICATE_WHY, "a subjectAltName cannot be read");
            return REASON_name_constraint;
        }
        has[item.tag & 0x1f] = true;
        reason = general_name_check_within(k, &item);
    }
    return reason;
}

// A common name of the look of a host name, with more lenience than a dNSName gets: somebody may be as lenient.
static bool looks_like_host(struct span text)
{
    return text.len > 2 && span_is_of(text, LETTERS_AND_DIGITS "-_.*") && memchr(text.data, '.', text.len) != NULL;
}

static enum reason common_name_check(const struct check *k, struct span text, const bool has[32])
{
    uint8_t octets[16];
    struct subject_name name = {.what = "commonName", .understood = true};
    size_t address = host_address(text, octets);
    if (address > 0) {
        name.form = FORM_TAG_IP;
        name.item = (struct der_item){.tag = FORM_TAG_IP, .content = span_of(octets, address)};
        return has[FORM_TAG_IP & 0x1f] ? REASON_ok : name_check(k, &name);
    }
    if (text.len > 0 && text.data[text.len - 1] == '.') {
        text.len--;
    }
    if (has[FORM_TAG_DNS & 0x1f] || !looks_like_host(text)) {
        return REASON_ok;
    }
    name.form = FORM_TAG_DNS;
    name.item = (struct der_item){.tag = FORM_TAG_DNS, .content = text};
    name.wildcard = host_is_wildcard(text);
    name.host = name.wildcard ? host_parent(text) : text;
    name.understood = memchr(name.host.data, '*', name.host.len) == NULL;
    return name_check(k, &name);
}

static bool attribute_is(const struct name_attribute *attribute, const char *oid)
{
    return attribute->type.len == strlen(oid) && memcmp(attribute->type.data, oid, attribute->type.len) == 0;
}

// What stands in the subject and may be taken for a name of another form (section 4.2.1.10).
static enum reason attribute_check(const struct check *k, const struct name_attribute *attribute, const bool has[32])
{
    bool email = attribute_is(attribute, MBEDTLS_OID_PKCS9_EMAIL) && !has[FORM_TAG_EMAIL & 0x1f];
    bool common_name = attribute_is(attribute, MBEDTLS_OID_AT_CN) && !k->c->is_ca; // no CA is a host
    struct buf text = {0};
    enum reason reason = REASON_ok;
    if (!email && !common_name) {
        return REASON_ok;
    }
    bool readable = name_value_text(&attribute->value, &text);
    if (email) {
        struct subject_name name = {.what = "emailAddress",
                                    .item = {.tag = FORM_TAG_EMAIL, .content = buf_span(&text)},
                                    .form = FORM_TAG_EMAIL};
        if (readable) {
            email_prepare(&name);
        }
        reason = name_check(k, &name);
    } else if (readable) {
        reason = common_name_check(k, buf_span(&text), has);
    }
    buf_clear(&text);
    return reason;
}

static enum reason subject_check(const struct check *k, const bool has[32])
{
    struct err e = ERR_INIT;
    struct name_reader reader;
    struct name_attribute attribute;
    struct subject_name name = {.what = "subject",
                                .item = {.tag = FORM_TAG_DIRECTORY, .content = k->c->subject},
                                .form = FORM_TAG_DIRECTORY,
                                .key = buf_span(&k->c->subject_key),
                                .understood = true};
    if (name.key.len == 0) {
        return REASON_ok;
    }
    enum reason reason = name_check(k, &name);
    int rc = name_reader_open(&reader, k->c->subject, &e);
    while (reason == REASON_ok && rc == 0 && (rc = name_reader_next(&reader, &attribute, &e)) > 0) {
        reason = attribute_check(k, &attribute, has);
        rc = 0;
    }
    return rc < 0 ? refuse(k, &name, "cannot be read") : reason;
}

enum reason constraint_check(const struct certificate *c, const struct certificate *ca, size_t *budget,
                             char why[CERTIFICATE_WHY])
{
    struct check k = {.c = c, .ca = ca, .budget = budget, .why = why};
    bool has[32] = {false};
    if (!ca->has_name_constraints) {
        return REASON_ok;
    }
    enum reason reason = alt_names_check(&k, has);
    return reason == REASON_ok ? subject_check(&k, has) : reason;
}
