// SPDX-License-Identifier: Apache-2.0
#include "trust/extensions.h"

#include "base/text.h"
#include "trust/constraint.h"
#include "trust/general_name.h"
#include "trust/policy.h"
#include "trust/revocation.h"

#include <mbedtls/oid.h>
#include <string.h>

enum {
    TAG_CONTEXT = MBEDTLS_ASN1_CONTEXT_SPECIFIC,
    TAG_CONTEXT_CONSTRUCTED = MBEDTLS_ASN1_CONTEXT_SPECIFIC | MBEDTLS_ASN1_CONSTRUCTED,
    EXTENSIONS_MOST = 64, // of one certificate; each is compared with each
};

// Each reads the DER inside an extension's OCTET STRING. -1: malformed, words in `e`.
typedef int read_value(struct certificate *c, struct span value, bool critical, struct err *e);

static int nothing_follows(struct span rest, struct err *e)
{
    return rest.len == 0 ? 0 : err_set(e, "%zu octets follow", rest.len);
}

// A SEQUENCE and nothing else; its content.
static int whole_sequence(struct span value, struct span *content, struct err *e)
{
    struct der_item sequence;
    if (der_expect(&value, TAG_SEQUENCE, "value", &sequence, e) != 0) {
        return -1;
    }
    *content = sequence.content;
    return nothing_follows(value, e);
}

// A small INTEGER that is not negative: skip counts and path lengths. Large ones are as good as none.
static int small_number(struct span content, int *number, struct err *e)
{
    enum { LARGE = 1000000 };
    if (content.len == 0 || (content.data[0] & 0x80) != 0) {
        return err_set(e, "a number is empty or negative");
    }
    if (content.len > 1 && content.data[0] == 0 && (content.data[1] & 0x80) == 0) {
        return err_set(e, "a number is not in its shortest form");
    }
    *number = 0;
    for (size_t i = 0; i < content.len; i++) {
        *number = *number >= LARGE ? LARGE : *number << 8 | content.data[i];
    }
    return 0;
}

static int read_oid(struct span *rest, const char *what, struct span *oid, struct err *e)
{
    struct der_item item;
    if (der_expect(rest, MBEDTLS_ASN1_OID, what, &item, e) != 0) {
        return -1;
    }
    *oid = item.content;
    return der_oid_is_well_formed(*oid) ? 0 : err_set(e, "%s is no object identifier", what);
}

static int read_boolean(const struct der_item *item, bool *value, struct err *e)
{
    if (item->content.len != 1 || (item->content.data[0] != 0 && item->content.data[0] != 0xff)) {
        return err_set(e, "a BOOLEAN is neither TRUE nor FALSE");
    }
    *value = item->content.data[0] != 0;
    return 0;
}

// Section 4.2.1.9
static int read_basic_constraints(struct certificate *c, struct span value, bool critical, struct err *e)
{
    struct span content;
    struct der_item item;
    if (whole_sequence(value, &content, e) != 0) {
        return -1;
    }
    c->has_basic_constraints = true;
    c->basic_constraints_critical = critical;
    if (content.len > 0 && content.data[0] == MBEDTLS_ASN1_BOOLEAN &&
        (der_next(&content, &item, e) != 0 || read_boolean(&item, &c->is_ca, e) != 0)) {
        return -1;
    }
    if (content.len > 0) {
        if (der_expect(&content, MBEDTLS_ASN1_INTEGER, "pathLenConstraint", &item, e) != 0 ||
            small_number(item.content, &c->path_length, e) != 0) {
            return -1;
        }
        if (!c->is_ca) {
            return err_set(e, "a path length without CA:TRUE");
        }
    }
    return nothing_follows(content, e);
}

// Section 4.2.1.3: at least one bit; bit n is counted from the left.
static int read_key_usage(struct certificate *c, struct span value, bool critical, struct err *e)
{
    struct der_item bits;
    (void)critical;
    if (der_expect(&value, MBEDTLS_ASN1_BIT_STRING, "value", &bits, e) != 0 || nothing_follows(value, e) != 0) {
        return -1;
    }
    if (bits.content.len < 2 || bits.content.len > 3 || bits.content.data[0] > 7) {
        return err_set(e, "no bit is set, or there are too many");
    }
    if ((bits.content.data[bits.content.len - 1] & ((1U << bits.content.data[0]) - 1)) != 0) { // X.690 section 11.2.1
        return err_set(e, "a bit is set among those that are not used");
    }
    c->has_key_usage = true;
    for (unsigned n = 0; n < 9; n++) {
        size_t octet = 1 + n / 8;
        if (octet < bits.content.len && (bits.content.data[octet] & (0x80U >> n % 8)) != 0) {
            c->key_usage |= 1U << n;
        }
    }
    return c->key_usage != 0 ? 0 : err_set(e, "no bit is set");
}

// Section 4.2.1.12
static int read_ext_key_usage(struct certificate *c, struct span value, bool critical, struct err *e)
{
    static const struct {
        const char *oid;
        size_t len; // the last one ends with a zero octet
        unsigned bit;
    } purposes[] = {
        {MBEDTLS_OID_SERVER_AUTH, MBEDTLS_OID_SIZE(MBEDTLS_OID_SERVER_AUTH), EKU_SERVER},
        {MBEDTLS_OID_CLIENT_AUTH, MBEDTLS_OID_SIZE(MBEDTLS_OID_CLIENT_AUTH), EKU_CLIENT},
        {MBEDTLS_OID_ANY_EXTENDED_KEY_USAGE, MBEDTLS_OID_SIZE(MBEDTLS_OID_ANY_EXTENDED_KEY_USAGE), EKU_ANY}};
    struct span content;
    (void)critical;
    if (whole_sequence(value, &content, e) != 0) {
        return -1;
    }
    c->has_ext_key_usage = true;
    if (content.len == 0) {
        return err_set(e, "no purpose is in it");
    }
    while (content.len > 0) {
        struct span oid;
        unsigned bit = EKU_OTHER;
        if (read_oid(&content, "purpose", &oid, e) != 0) {
            return -1;
        }
        for (size_t i = 0; i < sizeof purposes / sizeof purposes[0]; i++) {
            if (oid.len == purposes[i].len && memcmp(oid.data, purposes[i].oid, oid.len) == 0) {
                bit = purposes[i].bit;
            }
        }
        c->ext_key_usage |= bit;
    }
    return 0;
}

// Section 4.2.1.2: never critical
static int read_subject_key_id(struct certificate *c, struct span value, bool critical, struct err *e)
{
    struct der_item octets;
    if (der_expect(&value, MBEDTLS_ASN1_OCTET_STRING, "value", &octets, e) != 0 || nothing_follows(value, e) != 0) {
        return -1;
    }
    if (octets.content.len == 0) {
        return err_set(e, "it is empty");
    }
    c->subject_key_id = octets.content;
    if (critical) {
        certificate_finding(c, REASON_key_identifier, "its subjectKeyIdentifier is critical");
    }
    return 0;
}

// Section 4.2.1.1: never critical; issuer and serial number only together
static int read_authority_key_id(struct certificate *c, struct span value, bool critical, struct err *e)
{
    static const int tags[] = {TAG_CONTEXT | 0, TAG_CONTEXT_CONSTRUCTED | 1, TAG_CONTEXT | 2};
    struct span content;
    int last = -1;
    unsigned seen = 0;
    if (whole_sequence(value, &content, e) != 0) {
        return -1;
    }
    c->has_authority_key_id = true;
    while (content.len > 0) {
        struct der_item item;
        if (der_next(&content, &item, e) != 0) {
            return -1;
        }
        int field = item.tag & 0x1f;
        if (field > 2 || item.tag != tags[field] || field <= last || item.content.len == 0) {
            return err_set(e, "an unexpected or empty field, tag 0x%02x", (unsigned)item.tag);
        }
        seen |= 1U << field;
        last = field;
        if (field == 0) {
            c->authority_key_id = item.content;
        }
    }
    if (critical) {
        certificate_finding(c, REASON_key_identifier, "its authorityKeyIdentifier is critical");
    }
    return (seen >> 1 & 1) == (seen >> 2 & 1) ? 0 : err_set(e, "issuer and serial number are not together");
}

// Section 4.2.1.6
static int read_names(struct certificate *c, struct span value, bool critical, struct err *e)
{
    struct span content;
    if (whole_sequence(value, &content, e) != 0) {
        return -1;
    }
    c->names = content;
    c->names_critical = critical;
    if (general_names_syntax(content, e) != 0) {
        certificate_finding(c, REASON_subject_alt_name, "its subjectAltName: %.120s", e->text);
        err_clear(e);
    }
    return 0;
}

// Section 4.2.1.10: in CA certificates only
static int read_name_constraints(struct certificate *c, struct span value, bool critical, struct err *e)
{
    struct span content;
    int last = -1;
    (void)critical;
    if (whole_sequence(value, &content, e) != 0) {
        return -1;
    }
    c->has_name_constraints = true;
    while (content.len > 0) {
        struct der_item item;
        if (der_next(&content, &item, e) != 0) {
            return -1;
        }
        int field = item.tag - TAG_CONTEXT_CONSTRUCTED;
        if (field < 0 || field > 1 || field <= last) {
            return err_set(e, "an unexpected field, tag 0x%02x", (unsigned)item.tag);
        }
        if (constraint_syntax(item.content, e) != 0) {
            return -1;
        }
        *(field == 0 ? &c->permitted : &c->excluded) = item.content;
        last = field;
    }
    return last >= 0 ? 0 : err_set(e, "it constrains nothing");
}

// Section 4.2.1.4: whoever takes a critical one must understand its qualifiers too.
static int read_policies(struct certificate *c, struct span value, bool critical, struct err *e)
{
    bool known = false;
    if (whole_sequence(value, &c->policies, e) != 0 || policy_syntax(c->policies, &known, e) != 0) {
        return -1;
    }
    if (critical && !known) {
        certificate_finding(c, REASON_critical_extension, "its critical certificatePolicies has an unknown qualifier");
    }
    return 0;
}

// Section 4.2.1.5
static int read_policy_mappings(struct certificate *c, struct span value, bool critical, struct err *e)
{
    (void)critical;
    return whole_sequence(value, &c->policy_mappings, e) != 0 ? -1 : policy_mapping_syntax(c->policy_mappings, e);
}

// Section 4.2.1.11
static int read_policy_constraints(struct certificate *c, struct span value, bool critical, struct err *e)
{
    struct span content;
    int last = -1;
    (void)critical;
    if (whole_sequence(value, &content, e) != 0) {
        return -1;
    }
    while (content.len > 0) {
        struct der_item item;
        if (der_next(&content, &item, e) != 0) {
            return -1;
        }
        int field = item.tag - TAG_CONTEXT;
        if (field < 0 || field > 1 || field <= last) {
            return err_set(e, "an unexpected field, tag 0x%02x", (unsigned)item.tag);
        }
        if (small_number(item.content, field == 0 ? &c->require_explicit_policy : &c->inhibit_policy_mapping, e) != 0) {
            return -1;
        }
        last = field;
    }
    return last >= 0 ? 0 : err_set(e, "it constrains nothing");
}

// Section 4.2.1.14
static int read_inhibit_any_policy(struct certificate *c, struct span value, bool critical, struct err *e)
{
    struct der_item item;
    (void)critical;
    if (der_expect(&value, MBEDTLS_ASN1_INTEGER, "value", &item, e) != 0 || nothing_follows(value, e) != 0) {
        return -1;
    }
    return small_number(item.content, &c->inhibit_any_policy, e);
}

// Section 4.2.1.13
static int read_crl_points(struct certificate *c, struct span value, bool critical, struct err *e)
{
    (void)critical;
    if (whole_sequence(value, &c->crl_points, e) != 0) {
        return -1;
    }
    return c->crl_points.len > 0 ? crl_points_syntax(c, e) : err_set(e, "no point is in it");
}

// Sections 4.2.2.1, 4.2.2.2: SEQUENCE OF AccessDescription { accessMethod OBJECT IDENTIFIER, accessLocation
// GeneralName }. Nothing is fetched from there; but a damaged one is a damaged certificate.
static int read_access(struct certificate *c, struct span value, bool critical, struct err *e)
{
    struct span content;
    if (whole_sequence(value, &content, e) != 0) {
        return -1;
    }
    if (content.len == 0) {
        return err_set(e, "it describes nothing");
    }
    while (content.len > 0) {
        struct der_item description;
        struct der_item item;
        struct span method;
        if (der_expect(&content, TAG_SEQUENCE, "AccessDescription", &description, e) != 0 ||
            read_oid(&description.content, "accessMethod", &method, e) != 0 ||
            der_next(&description.content, &item, e) != 0) {
            return -1;
        }
        if (form_word(item.tag) == NULL) {
            return err_set(e, "accessLocation is no name, tag 0x%02x", (unsigned)item.tag);
        }
        if (nothing_follows(description.content, e) != 0) {
            return -1;
        }
    }
    if (critical) { // never: refused as if it were unknown
        certificate_finding(c, REASON_critical_extension, "its access information is critical");
    }
    return 0;
}

// The other extensions of RFC 5280 (sections 4.2.1.7, 4.2.1.8, 4.2.1.15) say who else or where to find things; a
// critical one is refused like an unknown one, and what is in them is not looked at.
#define KNOWN(oid, name, read)                                                                                         \
    {                                                                                                                  \
        oid, sizeof(oid) - 1, name, read                                                                               \
    }
static const struct known {
    const char *oid;
    size_t oid_len;
    const char *name;
    read_value *read;
} known[] = {
    KNOWN(MBEDTLS_OID_BASIC_CONSTRAINTS, "basicConstraints", read_basic_constraints),
    KNOWN(MBEDTLS_OID_KEY_USAGE, "keyUsage", read_key_usage),
    KNOWN(MBEDTLS_OID_EXTENDED_KEY_USAGE, "extendedKeyUsage", read_ext_key_usage),
    KNOWN(MBEDTLS_OID_SUBJECT_KEY_IDENTIFIER, "subjectKeyIdentifier", read_subject_key_id),
    KNOWN(MBEDTLS_OID_AUTHORITY_KEY_IDENTIFIER, "authorityKeyIdentifier", read_authority_key_id),
    KNOWN(MBEDTLS_OID_SUBJECT_ALT_NAME, "subjectAltName", read_names),
    KNOWN(MBEDTLS_OID_NAME_CONSTRAINTS, "nameConstraints", read_name_constraints),
    KNOWN(MBEDTLS_OID_CERTIFICATE_POLICIES, "certificatePolicies", read_policies),
    KNOWN(MBEDTLS_OID_POLICY_MAPPINGS, "policyMappings", read_policy_mappings),
    KNOWN(MBEDTLS_OID_POLICY_CONSTRAINTS, "policyConstraints", read_policy_constraints),
    KNOWN(MBEDTLS_OID_INIHIBIT_ANYPOLICY, "inhibitAnyPolicy", read_inhibit_any_policy),
    KNOWN(MBEDTLS_OID_CRL_DISTRIBUTION_POINTS, "cRLDistributionPoints", read_crl_points),
    KNOWN(MBEDTLS_OID_PKIX "\x01\x01", "authorityInfoAccess", read_access),
    KNOWN(MBEDTLS_OID_PKIX "\x01\x0b", "subjectInfoAccess", read_access),
};

static const struct known *known_find(struct span oid)
{
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (known[i].oid_len == oid.len && memcmp(known[i].oid, oid.data, oid.len) == 0) {
            return &known[i];
        }
    }
    return NULL;
}

// Extension ::= SEQUENCE { extnID, critical BOOLEAN DEFAULT FALSE, extnValue OCTET STRING }
static int read_extension(struct span *list, struct span *oid, bool *critical, struct span *value, struct err *e)
{
    struct der_item extension;
    struct der_item item;
    *critical = false;
    if (der_expect(list, TAG_SEQUENCE, "extension", &extension, e) != 0 ||
        read_oid(&extension.content, "extnID", oid, e) != 0) {
        return -1;
    }
    if (extension.content.len > 0 && extension.content.data[0] == MBEDTLS_ASN1_BOOLEAN) {
        if (der_next(&extension.content, &item, e) != 0 || read_boolean(&item, critical, e) != 0) {
            return -1;
        }
        if (!*critical) {
            return err_set(e, "criticality FALSE is written out, which DER does not do");
        }
    }
    if (der_expect(&extension.content, MBEDTLS_ASN1_OCTET_STRING, "extnValue", &item, e) != 0) {
        return -1;
    }
    *value = item.content;
    return nothing_follows(extension.content, e);
}

static bool seen_before(struct span oid, struct span *seen, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (seen[i].len == oid.len && memcmp(seen[i].data, oid.data, oid.len) == 0) {
            return true;
        }
    }
    return false;
}

static void take_extension(struct certificate *c, struct span oid, bool critical, struct span value)
{
    const struct known *k = known_find(oid);
    struct err e = ERR_INIT;
    char dotted[64] = "?";
    if (k != NULL) {
        if (k->read(c, value, critical, &e) != 0) {
            certificate_finding(c, REASON_malformed, "its %s: %.120s", k->name, e.text);
        }
    } else if (critical) {
        (void)der_oid_to_text(oid, dotted, sizeof dotted);
        certificate_finding(c, REASON_critical_extension, "its critical extension %s is unknown", dotted);
    }
}

void extensions_read(struct certificate *c, struct span list)
{
    struct span seen[EXTENSIONS_MOST];
    size_t count = 0;
    struct err e = ERR_INIT;
    while (list.len > 0) {
        struct span value = {0};
        bool critical = false;
        if (count == EXTENSIONS_MOST) {
            certificate_finding(c, REASON_malformed, "it has more than %d extensions", EXTENSIONS_MOST);
            return;
        }
        if (read_extension(&list, &seen[count], &critical, &value, &e) != 0) {
            certificate_finding(c, REASON_malformed, "%.150s", e.text);
            return;
        }
        if (seen_before(seen[count], seen, count)) { // section 4.2
            certificate_finding(c, REASON_duplicate_extension, "it has an extension twice");
            return;
        }
        take_extension(c, seen[count], critical, value);
        count++;
    }
    if (c->has_name_constraints && !c->is_ca) {
        certificate_finding(c, REASON_malformed, "it has nameConstraints and is no CA's");
    }
}
