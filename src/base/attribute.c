// SPDX-License-Identifier: Apache-2.0
#include "base/attribute.h"

#include "base/text.h"

#include <mbedtls/asn1.h>
#include <mbedtls/oid.h>
#include <string.h>
#include <strings.h>

// OpenSSL writes the same names. Bounds: RFC 5280 appendix A.1 where it has one, else X.520 (street, postalCode), RFC
// 4524 (UID), RFC 1035 (DC).
static const struct attribute attributes[] = {
    {{"CN", "commonName"}, MBEDTLS_OID_AT_CN, MBEDTLS_ASN1_UTF8_STRING, 1, 64},
    {{"C", "countryName"}, MBEDTLS_OID_AT_COUNTRY, MBEDTLS_ASN1_PRINTABLE_STRING, 2, 2},
    {{"ST", "stateOrProvinceName", "S"}, MBEDTLS_OID_AT_STATE, MBEDTLS_ASN1_UTF8_STRING, 1, 128},
    {{"L", "localityName"}, MBEDTLS_OID_AT_LOCALITY, MBEDTLS_ASN1_UTF8_STRING, 1, 128},
    {{"street", "streetAddress"}, MBEDTLS_OID_AT "\x09", MBEDTLS_ASN1_UTF8_STRING, 1, 128},
    {{"O", "organizationName"}, MBEDTLS_OID_AT_ORGANIZATION, MBEDTLS_ASN1_UTF8_STRING, 1, 64},
    {{"OU", "organizationalUnitName"}, MBEDTLS_OID_AT_ORG_UNIT, MBEDTLS_ASN1_UTF8_STRING, 1, 64},
    {{"title"}, MBEDTLS_OID_AT_TITLE, MBEDTLS_ASN1_UTF8_STRING, 1, 64},
    {{"SN", "surname"}, MBEDTLS_OID_AT_SUR_NAME, MBEDTLS_ASN1_UTF8_STRING, 1, 32768},
    {{"GN", "givenName"}, MBEDTLS_OID_AT_GIVEN_NAME, MBEDTLS_ASN1_UTF8_STRING, 1, 32768},
    {{"initials"}, MBEDTLS_OID_AT_INITIALS, MBEDTLS_ASN1_UTF8_STRING, 1, 32768},
    {{"serialNumber"}, MBEDTLS_OID_AT_SERIAL_NUMBER, MBEDTLS_ASN1_PRINTABLE_STRING, 1, 64},
    {{"dnQualifier"}, MBEDTLS_OID_AT_DN_QUALIFIER, MBEDTLS_ASN1_PRINTABLE_STRING, 1, NAME_DER_MAX},
    {{"pseudonym"}, MBEDTLS_OID_AT_PSEUDONYM, MBEDTLS_ASN1_UTF8_STRING, 1, 128},
    {{"generationQualifier"}, MBEDTLS_OID_AT_GENERATION_QUALIFIER, MBEDTLS_ASN1_UTF8_STRING, 1, 32768},
    {{"UID", "userId"}, MBEDTLS_OID_UID, MBEDTLS_ASN1_UTF8_STRING, 1, 256},
    {{"DC", "domainComponent"}, MBEDTLS_OID_DOMAIN_COMPONENT, MBEDTLS_ASN1_IA5_STRING, 1, 63},
    {{"emailAddress", "E", "email"}, MBEDTLS_OID_PKCS9_EMAIL, MBEDTLS_ASN1_IA5_STRING, 1, 255},
    {{"postalCode"}, MBEDTLS_OID_AT_POSTAL_CODE, MBEDTLS_ASN1_UTF8_STRING, 1, 40},
    {{"organizationIdentifier"}, MBEDTLS_OID_AT "\x61", MBEDTLS_ASN1_UTF8_STRING, 1, NAME_DER_MAX},
};
enum { ATTRIBUTES = sizeof attributes / sizeof attributes[0] };

static const struct attribute unknown = {{NULL}, "", MBEDTLS_ASN1_UTF8_STRING, 1, NAME_DER_MAX};

const struct attribute *attribute_by_oid(struct span oid)
{
    for (size_t i = 0; i < ATTRIBUTES; i++) {
        if (oid.len == strlen(attributes[i].oid) && memcmp(oid.data, attributes[i].oid, oid.len) == 0) {
            return &attributes[i];
        }
    }
    return &unknown;
}

const struct attribute *attribute_by_name(const char *name)
{
    for (size_t i = 0; i < ATTRIBUTES; i++) {
        for (size_t k = 0; k < 3 && attributes[i].names[k] != NULL; k++) {
            if (strcasecmp(name, attributes[i].names[k]) == 0) {
                return &attributes[i];
            }
        }
    }
    return NULL;
}

void attribute_list(struct buf *text)
{
    const char *names[ATTRIBUTES + 1] = {NULL};
    for (size_t i = 0; i < ATTRIBUTES; i++) {
        names[i] = attributes[i].names[0];
    }
    text_list(text, names);
}
