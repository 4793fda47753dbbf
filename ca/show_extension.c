// SPDX-License-Identifier: Apache-2.0
#include "base/clock.h"
#include "ca/crl.h"
#include "ca/extension.h"
#include "ca/oid.h"
#include "ca/show_parts.h"

#include <string.h>

static json_t *octets(struct span value, struct err *e)
{
    struct der_item item;
    return show_only(value, MBEDTLS_ASN1_OCTET_STRING, "key identifier", &item, e) == 0 ? show_hex(item.content) : NULL;
}

static json_t *integer(struct span value, struct err *e)
{
    struct der_item item;
    return show_only(value, MBEDTLS_ASN1_INTEGER, "number", &item, e) == 0 ? show_integer(item.content) : NULL;
}

static json_t *key_usage(struct span value, struct err *e)
{
    static const char *const names[] = {
        "digitalSignature", "nonRepudiation", "keyEncipherment", "dataEncipherment", "keyAgreement",
        "keyCertSign",      "cRLSign",        "encipherOnly",    "decipherOnly",     NULL};
    struct der_item item;
    return show_only(value, MBEDTLS_ASN1_BIT_STRING, "KeyUsage", &item, e) == 0 ? show_bits(item.content, names, e)
                                                                                : NULL;
}

static json_t *netscape_type(struct span value, struct err *e)
{
    static const char *const names[] = {"client",   "server",    "email", "object signing", "reserved", "TLS CA",
                                        "email CA", "object CA", NULL};
    struct der_item item;
    return show_only(value, MBEDTLS_ASN1_BIT_STRING, "certificate type", &item, e) == 0
               ? show_bits(item.content, names, e)
               : NULL;
}

static json_t *comment(struct span value, struct err *e)
{
    struct der_item item;
    return show_only(value, MBEDTLS_ASN1_IA5_STRING, "comment", &item, e) == 0 ? show_escaped(item.content) : NULL;
}

// BasicConstraints ::= SEQUENCE { cA BOOLEAN DEFAULT FALSE, pathLenConstraint INTEGER OPTIONAL }
static json_t *basic_constraints(struct span value, struct err *e)
{
    struct der_item sequence, item;
    bool ca = false;
    json_t *path_length = NULL;
    if (show_only(value, TAG_SEQUENCE, "BasicConstraints", &sequence, e) != 0) {
        return NULL;
    }
    while (sequence.content.len > 0) {
        if (der_next(&sequence.content, &item, e) != 0) {
            json_decref(path_length);
            return NULL;
        }
        if (item.tag == MBEDTLS_ASN1_BOOLEAN && item.content.len == 1) {
            ca = item.content.data[0] != 0;
        } else if (item.tag == MBEDTLS_ASN1_INTEGER && path_length == NULL) {
            path_length = show_integer(item.content);
        } else {
            err_set(e, "BasicConstraints: DER tag 0x%02x", (unsigned)item.tag);
            json_decref(path_length);
            return NULL;
        }
    }
    json_t *object = json_object();
    show_put(object, "ca", json_boolean(ca));
    show_put(object, "path_length", path_length);
    return object;
}

// SEQUENCE OF something that begins with an OID, in a SEQUENCE of its own or bare: their names.
static json_t *oid_list(struct span value, bool in_sequence, struct err *e)
{
    struct der_item list, item, oid;
    if (show_only(value, TAG_SEQUENCE, "list of OIDs", &list, e) != 0) {
        return NULL;
    }
    json_t *names = json_array();
    while (list.content.len > 0) {
        char words[OID_TEXT];
        struct span *from = &list.content;
        if (in_sequence && der_expect(&list.content, TAG_SEQUENCE, "list of OIDs", &item, e) == 0) {
            from = &item.content;
        }
        if (err_is_set(e) || der_expect(from, MBEDTLS_ASN1_OID, "list of OIDs", &oid, e) != 0) {
            json_decref(names);
            return NULL;
        }
        json_array_append_new(names, json_string(oid_words(oid.content, words)));
    }
    return names;
}

static json_t *purposes(struct span value, struct err *e)
{
    return oid_list(value, false, e);
}

static json_t *attributes(struct span value, struct err *e)
{
    return oid_list(value, true, e);
}

// The qualifier of a policy: a URI (cps), or a notice, whose text is the last of its fields (section 4.2.1.4).
static json_t *qualifier(struct span value, struct err *e)
{
    char words[OID_TEXT];
    struct der_item oid, item;
    if (der_expect(&value, MBEDTLS_ASN1_OID, "policy qualifier", &oid, e) != 0 || der_next(&value, &item, e) != 0) {
        return NULL;
    }
    while (item.tag == TAG_SEQUENCE && item.content.len > 0) {
        struct span rest = item.content;
        while (rest.len > 0) {
            if (der_next(&rest, &item, e) != 0) {
                return NULL;
            }
        }
    }
    json_t *text = show_escaped(item.content);
    json_t *both = json_sprintf("%s %s", oid_words(oid.content, words), json_string_value(text));
    json_decref(text);
    return both;
}

static json_t *policy(struct span rest, struct err *e)
{
    char words[OID_TEXT];
    struct der_item oid, list, item;
    if (der_expect(&rest, MBEDTLS_ASN1_OID, "policyIdentifier", &oid, e) != 0) {
        return NULL;
    }
    if (rest.len == 0) {
        return json_string(oid_words(oid.content, words));
    }
    if (show_only(rest, TAG_SEQUENCE, "policyQualifiers", &list, e) != 0) {
        return NULL;
    }
    json_t *object = json_object();
    json_t *qualifiers = json_array();
    show_put(object, "policy", json_string(oid_words(oid.content, words)));
    show_put(object, "qualifiers", qualifiers);
    while (list.content.len > 0) {
        json_t *one = NULL;
        if (der_expect(&list.content, TAG_SEQUENCE, "policyQualifier", &item, e) == 0) {
            one = qualifier(item.content, e);
        }
        if (one == NULL) {
            json_decref(object);
            return NULL;
        }
        json_array_append_new(qualifiers, one);
    }
    return object;
}

static json_t *policies(struct span value, struct err *e)
{
    struct der_item list, item;
    if (show_only(value, TAG_SEQUENCE, "CertificatePolicies", &list, e) != 0) {
        return NULL;
    }
    json_t *all = json_array();
    while (list.content.len > 0) {
        json_t *one = NULL;
        if (der_expect(&list.content, TAG_SEQUENCE, "PolicyInformation", &item, e) == 0) {
            one = policy(item.content, e);
        }
        if (one == NULL) {
            json_decref(all);
            return NULL;
        }
        json_array_append_new(all, one);
    }
    return all;
}

// SEQUENCE OF { issuerDomainPolicy, subjectDomainPolicy }
static json_t *policy_mappings(struct span value, struct err *e)
{
    struct der_item list, pair, from, to;
    if (show_only(value, TAG_SEQUENCE, "PolicyMappings", &list, e) != 0) {
        return NULL;
    }
    json_t *all = json_array();
    while (list.content.len > 0) {
        char from_words[OID_TEXT];
        char to_words[OID_TEXT];
        if (der_expect(&list.content, TAG_SEQUENCE, "policy mapping", &pair, e) != 0 ||
            der_expect(&pair.content, MBEDTLS_ASN1_OID, "issuerDomainPolicy", &from, e) != 0 ||
            der_expect(&pair.content, MBEDTLS_ASN1_OID, "subjectDomainPolicy", &to, e) != 0) {
            json_decref(all);
            return NULL;
        }
        json_array_append_new(
            all, json_sprintf("%s is %s", oid_words(from.content, from_words), oid_words(to.content, to_words)));
    }
    return all;
}

// SEQUENCE { [0] requireExplicitPolicy, [1] inhibitPolicyMapping }
static json_t *policy_constraints(struct span value, struct err *e)
{
    struct der_item list, item;
    if (show_only(value, TAG_SEQUENCE, "PolicyConstraints", &list, e) != 0) {
        return NULL;
    }
    json_t *object = json_object();
    while (list.content.len > 0) {
        if (der_next(&list.content, &item, e) != 0 || (item.tag & ~1) != SHOW_CONTEXT) {
            err_set(e, "PolicyConstraints: DER tag 0x%02x", (unsigned)item.tag);
            json_decref(object);
            return NULL;
        }
        show_put(object, item.tag == SHOW_CONTEXT ? "require_explicit_policy" : "inhibit_policy_mapping",
                 show_integer(item.content));
    }
    return object;
}

// RFC 7633: SEQUENCE OF INTEGER; 5 is status_request, "must staple"
static json_t *tls_features(struct span value, struct err *e)
{
    struct der_item list, item;
    if (show_only(value, TAG_SEQUENCE, "Features", &list, e) != 0) {
        return NULL;
    }
    json_t *all = json_array();
    while (list.content.len > 0) {
        if (der_expect(&list.content, MBEDTLS_ASN1_INTEGER, "feature", &item, e) != 0) {
            json_decref(all);
            return NULL;
        }
        bool staple = item.content.len == 1 && item.content.data[0] == 5;
        json_array_append_new(all, staple ? json_string("status_request") : show_integer(item.content));
    }
    return all;
}

static json_t *reason_code(struct span value, struct err *e)
{
    struct der_item item;
    if (show_only(value, MBEDTLS_ASN1_ENUMERATED, "reason", &item, e) != 0) {
        return NULL;
    }
    if (item.content.len != 1) {
        return show_integer(item.content);
    }
    return json_string(revocation_reason_name((enum revocation_reason)item.content.data[0]));
}

static json_t *date(struct span value, struct err *e)
{
    int64_t when = 0;
    return show_time_read(&value, "date", &when, e) == 0 ? show_time(when) : NULL;
}

static const struct {
    const char *words;
    show_decoder *decode;
} decoders[] = {
    {"subjectKeyIdentifier", octets},
    {"authorityKeyIdentifier", show_value_key_id},
    {"keyUsage", key_usage},
    {"extKeyUsage", purposes},
    {"basicConstraints", basic_constraints},
    {"subjectAltName", show_value_names},
    {"issuerAltName", show_value_names},
    {"nameConstraints", show_value_subtrees},
    {"cRLDistributionPoints", show_value_points},
    {"freshestCRL", show_value_points},
    {"certificatePolicies", policies},
    {"policyMappings", policy_mappings},
    {"policyConstraints", policy_constraints},
    {"inhibitAnyPolicy", integer},
    {"authorityInfoAccess", show_value_access},
    {"subjectInfoAccess", show_value_access},
    {"subjectDirectoryAttributes", attributes},
    {"cRLNumber", integer},
    {"deltaCRLIndicator", integer},
    {"issuingDistributionPoint", show_value_idp},
    {"reasonCode", reason_code},
    {"invalidityDate", date},
    {"certificateIssuer", show_value_names},
    {"tlsFeature", tls_features},
    {"netscapeCertType", netscape_type},
    {"netscapeComment", comment},
};

json_t *show_extension_value(struct span oid, struct span value)
{
    struct err e = ERR_INIT;
    char words[OID_TEXT];
    oid_words(oid, words);
    for (size_t i = 0; i < sizeof decoders / sizeof decoders[0]; i++) {
        if (strcmp(decoders[i].words, words) == 0) {
            json_t *shown = decoders[i].decode(value, &e);
            return shown != NULL ? shown : show_malformed(&e);
        }
    }
    return NULL;
}

json_t *show_extensions(struct span rest)
{
    struct err e = ERR_INIT;
    json_t *list = json_array();
    while (rest.len > 0) {
        char text[OID_TEXT];
        struct extension extension;
        if (extension_next(&rest, &extension, &e) != 0) {
            json_array_append_new(list, show_malformed(&e));
            break; // where the next one would begin is not known
        }
        json_t *object = json_object();
        show_put(object, "name", json_string(oid_words(extension.oid, text)));
        show_put(object, "oid", json_string(der_oid_to_text(extension.oid, text, sizeof text) == 0 ? text : "?"));
        show_put(object, "critical", json_boolean(extension.critical));
        json_t *value = show_extension_value(extension.oid, extension.value);
        show_put(object, value != NULL ? "value" : "hex", value != NULL ? value : show_hex(extension.value));
        json_array_append_new(list, object);
    }
    return list;
}
