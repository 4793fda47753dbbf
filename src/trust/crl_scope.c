// SPDX-License-Identifier: Apache-2.0
// Which certificates and reasons a list is for (RFC 5280 section 5.2.5), and where a certificate says that its lists
// are (section 4.2.1.13).
#include "trust/crl_internal.h"
#include "trust/name.h"

enum { TAG_FULL_NAME = CRL_TAG_FIELD | 0, TAG_RELATIVE_NAME = CRL_TAG_FIELD | 1 };

// Appends the names in GeneralNames, directory names in canonical form.
static int read_names(struct span names, struct buf *out, struct err *e)
{
    if (names.len == 0) {
        return err_set(e, "GeneralNames without a name");
    }
    while (names.len > 0) {
        struct der_item item;
        struct buf name = {0};
        if (der_next(&names, &item, e) != 0) {
            return -1;
        }
        if ((item.tag & CRL_TAG_CONTEXT) == 0 || (item.tag & 0x1f) > 8) {
            return err_set(e, "tag 0x%02x is none of a GeneralName", (unsigned)item.tag);
        }
        if (item.tag != CRL_TAG_DIRECTORY) {
            buf_add(out, item.whole.data, item.whole.len);
            continue;
        }
        int rc = name_canonical(item.content, &name, e);
        der_wrap(out, CRL_TAG_DIRECTORY, buf_span(&name));
        buf_clear(&name);
        if (rc != 0) {
            return -1;
        }
    }
    return 0;
}

// The directory name that is one RDN longer than `issuer` (a Name element): section 4.2.1.13.
static int read_relative_name(struct span rdn, struct span issuer, struct buf *out, struct err *e)
{
    struct der_item sequence;
    struct buf name = {0};
    struct buf canonical = {0};
    if (der_expect(&issuer, TAG_SEQUENCE, "issuer", &sequence, e) != 0) {
        return -1;
    }
    buf_add(&name, sequence.content.data, sequence.content.len);
    der_wrap(&name, TAG_SET, rdn);
    der_enclose(&name, TAG_SEQUENCE);
    int rc = name_canonical(buf_span(&name), &canonical, e);
    der_wrap(out, CRL_TAG_DIRECTORY, buf_span(&canonical));
    buf_clear(&name);
    buf_clear(&canonical);
    return rc;
}

// DistributionPointName ::= CHOICE { fullName [0] GeneralNames, nameRelativeToCRLIssuer [1] RelativeDistinguishedName }
static int read_point_name(struct span content, struct span issuer, struct buf *out, struct err *e)
{
    struct der_item item;
    if (der_next(&content, &item, e) != 0) {
        return -1;
    }
    if (content.len > 0 || (item.tag != TAG_FULL_NAME && item.tag != TAG_RELATIVE_NAME)) {
        return err_set(e, "DistributionPointName is neither of its two kinds");
    }
    return item.tag == TAG_FULL_NAME ? read_names(item.content, out, e)
                                     : read_relative_name(item.content, issuer, out, e);
}

// ReasonFlags ::= BIT STRING, bit n counted from the left
static int read_reasons(struct span content, unsigned *reasons, struct err *e)
{
    if (content.len == 0 || content.data[0] > 7 || (content.len == 1 && content.data[0] > 0)) {
        return err_set(e, "ReasonFlags is no BIT STRING");
    }
    *reasons = 0;
    for (unsigned n = 1; n <= 8 && 1 + n / 8 < content.len; n++) {
        if ((content.data[1 + n / 8] & (0x80U >> n % 8)) != 0) {
            *reasons |= 1U << n;
        }
    }
    return 0;
}

static int read_true(struct span content, bool *value, struct err *e)
{
    *value = content.len == 1 && content.data[0] == 0xff;
    return *value ? 0 : err_set(e, "a BOOLEAN is not TRUE, and FALSE is not written in DER");
}

// The next field of a SEQUENCE of optional [n] fields in their order; *last is -1 at first.
static int next_field(struct span *rest, int most, int *last, struct der_item *item, struct err *e)
{
    if (der_next(rest, item, e) != 0) {
        return -1;
    }
    int number = item->tag & 0x1f;
    if ((item->tag & CRL_TAG_CONTEXT) == 0 || number > most || number <= *last) {
        return err_set(e, "an unexpected field, tag 0x%02x", (unsigned)item->tag);
    }
    *last = number;
    return 0;
}

int crl_scope_read(struct crl_scope *scope, struct span value, struct span list_issuer, struct err *e)
{
    struct span fields;
    int last = -1;
    if (crl_whole(value, TAG_SEQUENCE, "value", &fields, e) != 0) {
        return -1;
    }
    if (fields.len == 0) {
        return err_set(e, "it is empty");
    }
    scope->stated = true;
    while (fields.len > 0) {
        struct der_item item;
        int rc = next_field(&fields, 5, &last, &item, e);
        if (rc != 0) {
            return -1;
        }
        switch (item.tag) {
        case CRL_TAG_FIELD | 0: rc = read_point_name(item.content, list_issuer, &scope->names, e); break;
        case CRL_TAG_CONTEXT | 1: rc = read_true(item.content, &scope->only_user, e); break;
        case CRL_TAG_CONTEXT | 2: rc = read_true(item.content, &scope->only_ca, e); break;
        case CRL_TAG_CONTEXT | 3: rc = read_reasons(item.content, &scope->reasons, e); break;
        case CRL_TAG_CONTEXT | 4: rc = read_true(item.content, &scope->indirect, e); break;
        case CRL_TAG_CONTEXT | 5: rc = read_true(item.content, &scope->only_attribute, e); break;
        default: rc = err_set(e, "an unexpected field, tag 0x%02x", (unsigned)item.tag); break;
        }
        if (rc != 0) {
            return -1;
        }
    }
    return 0;
}

bool crl_scope_same(const struct crl_scope *a, const struct crl_scope *b)
{
    return a->stated == b->stated && a->only_user == b->only_user && a->only_ca == b->only_ca &&
           a->only_attribute == b->only_attribute && a->indirect == b->indirect && a->reasons == b->reasons &&
           spans_equal(buf_span(&a->names), buf_span(&b->names));
}

// The Name element of the first directory name in GeneralNames, or `otherwise`.
static struct span first_directory(struct span names, struct span otherwise)
{
    struct err e = ERR_INIT;
    struct der_item item;
    while (names.len > 0 && der_next(&names, &item, &e) == 0) {
        if (item.tag == CRL_TAG_DIRECTORY) {
            return item.content;
        }
    }
    return otherwise;
}

// DistributionPoint ::= SEQUENCE { distributionPoint [0], reasons [1], cRLIssuer [2] GeneralNames }
static int read_point(struct crl_point *point, struct span fields, struct span issuer, struct err *e)
{
    struct span name = {0};
    int last = -1;
    point->reasons = CRL_REASONS_ALL;
    while (fields.len > 0) {
        struct der_item item;
        int rc = next_field(&fields, 2, &last, &item, e);
        if (rc != 0) {
            return -1;
        }
        switch (item.tag) {
        case CRL_TAG_FIELD | 0: name = item.content; break; // relative to what comes last
        case CRL_TAG_CONTEXT | 1: rc = read_reasons(item.content, &point->reasons, e); break;
        case CRL_TAG_FIELD | 2:
            rc = read_names(item.content, &point->issuers, e);
            issuer = first_directory(item.content, issuer);
            break;
        default: rc = err_set(e, "an unexpected field, tag 0x%02x", (unsigned)item.tag); break;
        }
        if (rc != 0) {
            return -1;
        }
    }
    if (name.data == NULL && point->issuers.len == 0) {
        return err_set(e, "neither distributionPoint nor cRLIssuer");
    }
    return name.data == NULL ? 0 : read_point_name(name, issuer, &point->names, e);
}

int crl_points_read(struct crl_points *points, const struct certificate *c, struct err *e)
{
    struct span rest = c->crl_points;
    *points = (struct crl_points){.count = 0};
    while (rest.len > 0 && points->count < CRL_POINTS_MOST) {
        struct der_item item;
        struct crl_point *point = &points->items[points->count++];
        if (der_expect(&rest, TAG_SEQUENCE, "DistributionPoint", &item, e) != 0 ||
            read_point(point, item.content, c->issuer, e) != 0) {
            return err_context(e, "cRLDistributionPoints");
        }
    }
    struct crl_point *assumed = &points->items[points->count++];
    assumed->reasons = CRL_REASONS_ALL;
    der_wrap(&assumed->names, CRL_TAG_DIRECTORY, buf_span(&c->issuer_key));
    return 0;
}

int crl_points_syntax(const struct certificate *c, struct err *e)
{
    struct crl_points points;
    int rc = crl_points_read(&points, c, e);
    crl_points_clear(&points);
    return rc;
}

void crl_points_clear(struct crl_points *points)
{
    for (size_t i = 0; i < points->count; i++) {
        buf_clear(&points->items[i].names);
        buf_clear(&points->items[i].issuers);
    }
}

bool crl_names_hold(struct span names, int tag, struct span content)
{
    struct err e = ERR_INIT;
    struct der_item item;
    while (names.len > 0 && der_next(&names, &item, &e) == 0) {
        if (item.tag == tag && spans_equal(item.content, content)) {
            return true;
        }
    }
    return false;
}

bool crl_names_meet(struct span a, struct span b)
{
    struct err e = ERR_INIT;
    struct der_item item;
    while (a.len > 0 && der_next(&a, &item, &e) == 0) {
        if (crl_names_hold(b, item.tag, item.content)) {
            return true;
        }
    }
    return false;
}
