// SPDX-License-Identifier: Apache-2.0
#include "ca/plan_schema.h"

#include <mbedtls/x509.h>

#define OPTIONAL CYAML_FLAG_OPTIONAL
#define TEXT(key, structure, member) CYAML_FIELD_STRING_PTR(key, OPTIONAL, structure, member, 0, CYAML_UNLIMITED)
#define TEXTS(key, structure, member)                                                                                  \
    CYAML_FIELD_SEQUENCE_COUNT(key, OPTIONAL | CYAML_FLAG_POINTER, structure, member.items, member.count, &text, 0,    \
                               CYAML_UNLIMITED)
#define NUMBER(key, structure, member) CYAML_FIELD_INT_PTR(key, OPTIONAL, structure, member)
#define ENTRIES(key, flags, member, least)                                                                             \
    CYAML_FIELD_SEQUENCE(key, (flags) | CYAML_FLAG_POINTER, struct raw_plan, member, &entry, least, CYAML_UNLIMITED)

static const cyaml_schema_value_t text = {CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char, 0, CYAML_UNLIMITED)};

static const cyaml_strval_t key_usages[] = {
    // RFC 5280 section 4.2.1.3
    {"digitalSignature", MBEDTLS_X509_KU_DIGITAL_SIGNATURE},
    {"nonRepudiation", MBEDTLS_X509_KU_NON_REPUDIATION},
    {"keyEncipherment", MBEDTLS_X509_KU_KEY_ENCIPHERMENT},
    {"dataEncipherment", MBEDTLS_X509_KU_DATA_ENCIPHERMENT},
    {"keyAgreement", MBEDTLS_X509_KU_KEY_AGREEMENT},
    {"keyCertSign", MBEDTLS_X509_KU_KEY_CERT_SIGN},
    {"cRLSign", MBEDTLS_X509_KU_CRL_SIGN},
    {"encipherOnly", MBEDTLS_X509_KU_ENCIPHER_ONLY},
    {"decipherOnly", MBEDTLS_X509_KU_DECIPHER_ONLY},
};

static const cyaml_schema_field_t subtree_fields[] = {
    TEXTS("dns", struct raw_names, dns),         TEXTS("ip", struct raw_names, ip),
    TEXTS("email", struct raw_names, email),     TEXTS("uri", struct raw_names, uri),
    TEXTS("dirname", struct raw_names, dirname), CYAML_FIELD_END,
};

static const cyaml_schema_field_t revoked_fields[] = {
    TEXT("reason", struct raw_revoked, reason),
    TEXT("when", struct raw_revoked, when),
    TEXT("invalidity_date", struct raw_revoked, invalidity_date),
    CYAML_FIELD_END,
};

static const cyaml_schema_field_t entry_fields[] = {
    CYAML_FIELD_STRING_PTR("name", CYAML_FLAG_DEFAULT, struct raw_entry, name, 0, CYAML_UNLIMITED),
    TEXT("issuer", struct raw_entry, issuer),
    TEXT("subject", struct raw_entry, subject),
    TEXT("key", struct raw_entry, key),
    TEXTS("names", struct raw_entry, guessed),
    TEXTS("dns", struct raw_entry, names.dns),
    TEXTS("ip", struct raw_entry, names.ip),
    TEXTS("email", struct raw_entry, names.email),
    TEXTS("uri", struct raw_entry, names.uri),
    NUMBER("days", struct raw_entry, days),
    TEXT("not_before", struct raw_entry, not_before),
    TEXT("not_after", struct raw_entry, not_after),
    TEXT("renew_before", struct raw_entry, renew_before),
    NUMBER("path_length", struct raw_entry, path_length),
    CYAML_FIELD_FLAGS("key_usage", OPTIONAL | CYAML_FLAG_STRICT, struct raw_entry, key_usage, key_usages,
                      CYAML_ARRAY_LEN(key_usages)),
    TEXTS("ext_key_usage", struct raw_entry, ext_key_usage),
    CYAML_FIELD_MAPPING_PTR("permitted", OPTIONAL, struct raw_entry, permitted, subtree_fields),
    CYAML_FIELD_MAPPING_PTR("excluded", OPTIONAL, struct raw_entry, excluded, subtree_fields),
    CYAML_FIELD_BOOL_PTR("constraints_critical", OPTIONAL, struct raw_entry, constraints_critical),
    TEXT("crl_url", struct raw_entry, crl_url),
    TEXTS("policies", struct raw_entry, policies),
    NUMBER("crl_days", struct raw_entry, crl_days),
    CYAML_FIELD_BOOL("encrypt_key", OPTIONAL, struct raw_entry, encrypt_key),
    CYAML_FIELD_MAPPING_PTR("revoked", OPTIONAL, struct raw_entry, revoked, revoked_fields),
    NUMBER("copies", struct raw_entry, copies),
    CYAML_FIELD_END,
};

static const cyaml_schema_value_t entry = {CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct raw_entry, entry_fields)};

static const cyaml_schema_field_t defaults_fields[] = {
    TEXT("issuer", struct raw_defaults, issuer),
    TEXT("subject", struct raw_defaults, subject),
    TEXT("key", struct raw_defaults, key),
    NUMBER("days", struct raw_defaults, days),
    NUMBER("ca_days", struct raw_defaults, ca_days),
    NUMBER("crl_days", struct raw_defaults, crl_days),
    TEXT("renew_before", struct raw_defaults, renew_before),
    TEXT("crl_url", struct raw_defaults, crl_url),
    CYAML_FIELD_END,
};

static const cyaml_schema_field_t flaws_fields[] = {
    CYAML_FIELD_STRING_PTR("issuer", CYAML_FLAG_DEFAULT, struct raw_flaws, issuer, 0, CYAML_UNLIMITED),
    TEXTS("cases", struct raw_flaws, cases),
    TEXTS("names", struct raw_flaws, names),
    CYAML_FIELD_END,
};

static const cyaml_schema_field_t plan_fields[] = {
    CYAML_FIELD_MAPPING("defaults", OPTIONAL, struct raw_plan, defaults, defaults_fields),
    ENTRIES("authorities", CYAML_FLAG_DEFAULT, authorities, 1),
    ENTRIES("servers", OPTIONAL, servers, 0),
    ENTRIES("clients", OPTIONAL, clients, 0),
    CYAML_FIELD_MAPPING_PTR("flaws", OPTIONAL, struct raw_plan, flaws, flaws_fields),
    CYAML_FIELD_END,
};

const cyaml_schema_value_t plan_schema = {CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct raw_plan, plan_fields)};
