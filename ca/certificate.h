// SPDX-License-Identifier: Apache-2.0
// What a certificate shall say, and the certificate that says it. Built on mbedtls_x509write_crt_*.
#ifndef MTLS_CA_CERTIFICATE_H
#define MTLS_CA_CERTIFICATE_H

#include "base/err.h"
#include "base/mem.h"
#include "base/random.h"
#include "ca/key.h"
#include "ca/name.h"

#include <mbedtls/x509_crt.h>
#include <stdbool.h>
#include <stdint.h>

enum { SERIAL_SIZE = 20, PATH_LENGTH_NONE = -1 };

// Key usage bits as in RFC 5280 section 4.2.1.3, with mbedTLS's MBEDTLS_X509_KU_* values.
// Everything that goes into a certificate besides keys, serial and issuer. Text fields are owned.
struct certificate_content {
    char *subject;              // RFC 4514; "" is the empty name
    struct general_names names; // subjectAltName
    int64_t not_before;         // seconds since 1970
    int64_t not_after;          // the last second in which it is valid (RFC 5280 section 4.1.2.5: inclusive)
    bool is_ca;
    int path_length;      // PATH_LENGTH_NONE: no limit
    unsigned key_usage;   // 0: no keyUsage extension
    char **ext_key_usage; // dotted OIDs, NULL-terminated; NULL: no extension
    struct general_names permitted;
    struct general_names excluded;
    bool constraints_not_critical;
    char **crl_urls; // CRL distribution points, NULL-terminated or NULL
    char **policies; // dotted OIDs, NULL-terminated or NULL
    char *comment;   // a Netscape comment, or NULL: what --seed marks certificates with
};

struct certificate_issuer {
    struct span subject;         // Name DER; for a self-signed certificate the subject's own
    mbedtls_pk_context *key;     // borrowed
    uint8_t key_id[KEY_ID_SIZE]; // the issuer certificate's subjectKeyIdentifier
};

// Can certificates and revocation lists say this time? (UTCTime begins with 1950, GeneralizedTime ends with 9999.)
bool certificate_time_valid(int64_t when);

void certificate_content_clear(struct certificate_content *c);

// A positive serial of exactly 20 octets whose top bit is clear and which starts with no zero octet.
int serial_make(struct rng *rng, uint8_t serial[SERIAL_SIZE], struct err *e);

// Builds and signs. Extensions, in this order: basicConstraints (critical), keyUsage (critical), extKeyUsage,
// subjectKeyIdentifier, authorityKeyIdentifier (left out where issuer and subject key are one), subjectAltName
// (critical where the subject is empty), nameConstraints (critical unless constraints_not_critical),
// certificatePolicies, cRLDistributionPoints, comment. End entities carry basicConstraints CA:FALSE as an empty
// sequence.
int certificate_make(const struct certificate_content *c, const uint8_t *serial, size_t serial_len,
                     mbedtls_pk_context *subject_key, const struct certificate_issuer *issuer, struct rng *rng,
                     struct buf *der, struct err *e);

// Appends the AlgorithmIdentifier of signatures by this key over this digest.
int signature_algorithm(const mbedtls_pk_context *key, mbedtls_md_type_t digest, struct buf *der, struct err *e);

// Signs a TBSCertificate DER (or TBSCertList, CertificationRequestInfo: the envelope is the same) and appends
// SEQUENCE { tbs, signatureAlgorithm, signatureValue }.
int signed_make(struct span tbs, mbedtls_pk_context *key, mbedtls_md_type_t digest, struct rng *rng, struct buf *der,
                struct err *e);

// Where the parts of a certificate are, for editing: borrowed from `der`.
struct certificate_parts {
    struct span tbs;       // the whole TBSCertificate element
    struct span version;   // the [0] element, empty when absent (version 1)
    struct span serial;    // the INTEGER element
    struct span algorithm; // the inner AlgorithmIdentifier
    struct span issuer;    // Name element
    struct span validity;
    struct span subject;    // Name element
    struct span key;        // SubjectPublicKeyInfo element
    struct span extensions; // the [3] element, empty when absent
    struct span outer_algorithm;
    struct span signature; // BIT STRING element
};
// The DER inside the OCTET STRING of the first extension with this OID (content octets). False: there is none.
bool certificate_extension(const struct certificate_parts *parts, struct span oid, struct span *value);
int certificate_split(struct span der, struct certificate_parts *parts, struct err *e);

#endif
