// SPDX-License-Identifier: Apache-2.0
// The values of extensions that have a structure of their own: names, distribution points, constraints.
#include "base/text.h"
#include "ca/name.h"
#include "ca/oid.h"
#include "ca/show_parts.h"

#include <arpa/inet.h>
#include <string.h>

int show_only(struct span value, int tag, const char *what, struct der_item *item, struct err *e)
{
    if (der_expect(&value, tag, what, item, e) != 0) {
        return -1;
    }
    return value.len == 0 ? 0 : err_set(e, "%s: octets follow it", what);
}

json_t *show_bits(struct span content, const char *const *names, struct err *e)
{
    if (content.len < 1 || content.data[0] > 7 || (content.len == 1 && content.data[0] != 0)) {
        err_set(e, "a BIT STRING is damaged");
        return NULL;
    }
    json_t *list = json_array();
    size_t bits = (content.len - 1) * 8 - content.data[0];
    for (size_t i = 0; names[i] != NULL && i < bits; i++) {
        if ((content.data[1 + i / 8] & (0x80 >> (i % 8))) != 0) {
            json_array_append_new(list, json_string(names[i]));
        }
    }
    return list;
}

// "dns:localhost" for each GeneralName that stands in `content`, one after the other.
static json_t *names_of(struct span content, struct err *e)
{
    struct general_names names = {0};
    struct buf sequence = {0};
    json_t *list = NULL;
    der_wrap(&sequence, TAG_SEQUENCE, content);
    if (general_names_to_text(buf_span(&sequence), &names, e) == 0) {
        list = json_array();
        for (size_t i = 0; i < names.count; i++) {
            json_array_append_new(
                list, json_sprintf("%s:%s", general_name_type_word(names.items[i].type), names.items[i].value));
        }
    }
    buf_clear(&sequence);
    general_names_clear(&names);
    return list;
}

json_t *show_value_names(struct span value, struct err *e)
{
    struct der_item list;
    return show_only(value, TAG_SEQUENCE, "names", &list, e) == 0 ? names_of(list.content, e) : NULL;
}

// RFC 5280 section 4.2.1.10: an address and its mask, which is a prefix length where its ones stand first.
static json_t *subnet(struct span content)
{
    char address[INET6_ADDRSTRLEN];
    char mask[INET6_ADDRSTRLEN];
    size_t half = content.len / 2;
    int family = half == 4 ? AF_INET : AF_INET6;
    const uint8_t *bits = content.data + half;
    size_t prefix = 0;
    inet_ntop(family, content.data, address, sizeof address);
    inet_ntop(family, bits, mask, sizeof mask);
    while (prefix < half * 8 && (bits[prefix / 8] & (0x80 >> (prefix % 8))) != 0) {
        prefix++;
    }
    for (size_t i = prefix; i < half * 8; i++) {
        if ((bits[i / 8] & (0x80 >> (i % 8))) != 0) {
            return json_sprintf("ip:%s mask %s", address, mask);
        }
    }
    return json_sprintf("ip:%s/%zu", address, prefix);
}

// GeneralSubtrees: SEQUENCE OF { base GeneralName, minimum [0] DEFAULT 0, maximum [1] OPTIONAL }
static json_t *subtrees_of(struct span rest, struct err *e)
{
    json_t *list = json_array();
    while (rest.len > 0) {
        struct der_item subtree, base;
        if (der_expect(&rest, TAG_SEQUENCE, "GeneralSubtree", &subtree, e) != 0 ||
            der_next(&subtree.content, &base, e) != 0) {
            goto damaged;
        }
        if (subtree.content.len > 0) { // RFC 5280 does not use them
            err_set(e, "GeneralSubtree: has a minimum or maximum");
            goto damaged;
        }
        if (base.tag == (SHOW_CONTEXT | GENERAL_NAME_IP) && (base.content.len == 8 || base.content.len == 32)) {
            json_array_append_new(list, subnet(base.content));
            continue;
        }
        json_t *names = names_of(base.whole, e);
        if (names == NULL) {
            goto damaged;
        }
        json_array_extend(list, names);
        json_decref(names);
    }
    return list;
damaged:
    json_decref(list);
    return NULL;
}

json_t *show_value_subtrees(struct span value, struct err *e)
{
    static const char *const keys[] = {"permitted", "excluded"};
    struct der_item constraints;
    if (show_only(value, TAG_SEQUENCE, "NameConstraints", &constraints, e) != 0) {
        return NULL;
    }
    json_t *object = json_object();
    while (constraints.content.len > 0) {
        struct der_item item;
        json_t *list = NULL;
        if (der_next(&constraints.content, &item, e) == 0) {
            int which = item.tag - SHOW_CONTEXT_CONSTRUCTED;
            if (which == 0 || which == 1) {
                list = subtrees_of(item.content, e);
                show_put(object, keys[which], list);
            } else {
                err_set(e, "NameConstraints: DER tag 0x%02x", (unsigned)item.tag);
            }
        }
        if (list == NULL) {
            json_decref(object);
            return NULL;
        }
    }
    return object;
}

static const char *const point_reasons[] = {"unused",          "keyCompromise",
                                            "cACompromise",    "affiliationChanged",
                                            "superseded",      "cessationOfOperation",
                                            "certificateHold", "privilegeWithdrawn",
                                            "aACompromise",    NULL};

// DistributionPointName ::= CHOICE { [0] fullName GeneralNames, [1] nameRelativeToCRLIssuer }
static json_t *point_name(struct span choice, struct err *e)
{
    struct der_item item;
    if (der_next(&choice, &item, e) != 0) {
        return NULL;
    }
    if (item.tag == (SHOW_CONTEXT_CONSTRUCTED | 0)) {
        return names_of(item.content, e);
    }
    return item.tag == (SHOW_CONTEXT_CONSTRUCTED | 1) ? show_hex(item.content) : NULL;
}

static json_t *boolean(struct span content, struct err *e)
{
    (void)e;
    return content.len == 1 ? json_boolean(content.data[0] != 0) : NULL;
}

static json_t *reasons(struct span content, struct err *e)
{
    return show_bits(content, point_reasons, e);
}

static json_t *hex(struct span content, struct err *e)
{
    (void)e;
    return show_hex(content);
}

// A SEQUENCE of optional, context-tagged fields: what each tag is called and how it reads.
struct field {
    int tag;
    const char *key;
    show_decoder *decode;
};

static json_t *fields_of(struct span rest, const struct field *fields, struct err *e)
{
    json_t *object = json_object();
    while (rest.len > 0) {
        struct der_item item;
        const struct field *field = fields;
        if (der_next(&rest, &item, e) != 0) {
            goto damaged;
        }
        while (field->key != NULL && field->tag != item.tag) {
            field++;
        }
        json_t *value = field->key == NULL ? NULL : field->decode(item.content, e);
        if (value == NULL) {
            err_set(e, "the field with DER tag 0x%02x", (unsigned)item.tag);
            goto damaged;
        }
        show_put(object, field->key, value);
    }
    return object;
damaged:
    json_decref(object);
    return NULL;
}

json_t *show_value_points(struct span value, struct err *e)
{
    static const struct field fields[] = {{SHOW_CONTEXT_CONSTRUCTED | 0, "names", point_name},
                                          {SHOW_CONTEXT | 1, "reasons", reasons},
                                          {SHOW_CONTEXT_CONSTRUCTED | 2, "crl_issuer", names_of},
                                          {0, NULL, NULL}};
    struct der_item points;
    if (show_only(value, TAG_SEQUENCE, "CRLDistributionPoints", &points, e) != 0) {
        return NULL;
    }
    json_t *list = json_array();
    while (points.content.len > 0) {
        struct der_item point;
        json_t *object = NULL;
        if (der_expect(&points.content, TAG_SEQUENCE, "DistributionPoint", &point, e) == 0) {
            object = fields_of(point.content, fields, e);
        }
        if (object == NULL) {
            json_decref(list);
            return NULL;
        }
        json_array_append_new(list, object);
    }
    return list;
}

// RFC 5280 section 5.2.5
json_t *show_value_idp(struct span value, struct err *e)
{
    static const struct field fields[] = {{SHOW_CONTEXT_CONSTRUCTED | 0, "names", point_name},
                                          {SHOW_CONTEXT | 1, "only_user_certificates", boolean},
                                          {SHOW_CONTEXT | 2, "only_ca_certificates", boolean},
                                          {SHOW_CONTEXT | 3, "only_some_reasons", reasons},
                                          {SHOW_CONTEXT | 4, "indirect", boolean},
                                          {SHOW_CONTEXT | 5, "only_attribute_certificates", boolean},
                                          {0, NULL, NULL}};
    struct der_item point;
    return show_only(value, TAG_SEQUENCE, "IssuingDistributionPoint", &point, e) == 0
               ? fields_of(point.content, fields, e)
               : NULL;
}

json_t *show_value_key_id(struct span value, struct err *e)
{
    static const struct field fields[] = {{SHOW_CONTEXT | 0, "key_id", hex},
                                          {SHOW_CONTEXT_CONSTRUCTED | 1, "issuer", names_of},
                                          {SHOW_CONTEXT | 2, "serial", hex},
                                          {0, NULL, NULL}};
    struct der_item identifier;
    return show_only(value, TAG_SEQUENCE, "AuthorityKeyIdentifier", &identifier, e) == 0
               ? fields_of(identifier.content, fields, e)
               : NULL;
}

// SEQUENCE OF { accessMethod OID, accessLocation GeneralName }: "ocsp uri:http://..."
json_t *show_value_access(struct span value, struct err *e)
{
    struct der_item all;
    if (show_only(value, TAG_SEQUENCE, "access descriptions", &all, e) != 0) {
        return NULL;
    }
    json_t *list = json_array();
    while (all.content.len > 0) {
        char words[OID_TEXT];
        struct der_item description, method;
        json_t *names = NULL;
        if (der_expect(&all.content, TAG_SEQUENCE, "AccessDescription", &description, e) == 0 &&
            der_expect(&description.content, MBEDTLS_ASN1_OID, "accessMethod", &method, e) == 0) {
            names = names_of(description.content, e);
        }
        if (names == NULL) {
            json_decref(list);
            return NULL;
        }
        const char *location = json_string_value(json_array_get(names, 0));
        json_array_append_new(
            list, json_sprintf("%s %s", oid_words(method.content, words), location == NULL ? "(nowhere)" : location));
        json_decref(names);
    }
    return list;
}
