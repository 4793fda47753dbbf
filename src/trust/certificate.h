// SPDX-License-Identifier: Apache-2.0
// A certificate as the judge reads it: straight from the DER, so that nothing is lost between what was signed and what
// is judged. Reading finds what is wrong with a certificate by itself; the first such finding stays with it, and
// whoever wants to use the certificate for anything is given that reason.
#ifndef MTLS_TRUST_CERTIFICATE_H
#define MTLS_TRUST_CERTIFICATE_H

#include "base/der.h"
#include "base/reason.h"

#include <mbedtls/pk.h>
#include <stdbool.h>
#include <stdint.h>

enum { CERTIFICATE_WHY = 160, CERTIFICATE_NO_PATH_LENGTH = -1, CERTIFICATE_NO_SKIP = -1, CERTIFICATE_DIGEST = 32 };

// extendedKeyUsage, as far as a judge of TLS peers cares (RFC 5280 section 4.2.1.12)
enum { EKU_SERVER = 1, EKU_CLIENT = 2, EKU_ANY = 4, EKU_OTHER = 8 };
// keyUsage, bit n of RFC 5280 section 4.2.1.3 as 1 << n
enum { KU_DIGITAL_SIGNATURE = 1 << 0, KU_KEY_CERT_SIGN = 1 << 5, KU_CRL_SIGN = 1 << 6 };

// All spans borrow from `der`. A span with data == NULL: the field or extension is absent.
struct certificate {
    struct buf der;
    uint8_t digest[CERTIFICATE_DIGEST];  // SHA-256 of it
    uint8_t key_pin[CERTIFICATE_DIGEST]; // and of `spki`
    bool digested;                       // both were made
    enum reason bad;                     // REASON_ok: nothing is wrong with it by itself
    char why[CERTIFICATE_WHY];           // words for `bad`, escaped
    bool readable; // enough was read to look for its issuer; false: only `bad` and `why` mean anything

    struct span tbs;                    // the whole element, which the signature is over
    int version;                        // 1, 2 or 3
    struct span serial;                 // content octets of the INTEGER
    bool serial_is_zero;                // which an anchor's may be
    struct span issuer, subject;        // Name elements
    struct buf issuer_key, subject_key; // their canonical forms (name.h): equal octets mean equal names
    bool self_issued;                   // issuer and subject are equal (RFC 5280 section 6.1)
    int64_t not_before, not_after;      // seconds since 1970, both inclusive
    struct span spki;                   // the whole SubjectPublicKeyInfo
    struct span signature_algorithm;    // the outer AlgorithmIdentifier
    struct span signature;              // the bits

    bool has_basic_constraints, basic_constraints_critical, is_ca;
    int path_length; // or CERTIFICATE_NO_PATH_LENGTH
    bool has_key_usage;
    unsigned key_usage; // KU_*
    bool has_ext_key_usage;
    unsigned ext_key_usage;       // EKU_*
    struct span subject_key_id;   // the octets
    struct span authority_key_id; // keyIdentifier's octets
    bool has_authority_key_id;    // the extension is there
    struct span names;            // content of GeneralNames (subjectAltName), every name checked for its syntax
    bool names_critical;
    struct span permitted, excluded; // contents of the GeneralSubtrees (nameConstraints), checked for their syntax
    bool has_name_constraints;
    struct span policies;        // content of certificatePolicies: SEQUENCE OF PolicyInformation
    struct span policy_mappings; // content of PolicyMappings
    int require_explicit_policy, inhibit_policy_mapping, inhibit_any_policy; // skip counts, or CERTIFICATE_NO_SKIP
    struct span crl_points;                                                  // content of cRLDistributionPoints

    struct trust_identity *identity; // of a leaf that is remembered, with its digests; else NULL
    mbedtls_pk_context key;          // only if key_read
    bool key_read;
};

// Reads one certificate; `der` is copied. Never fails: what is wrong is in `bad`. Free it with certificate_free.
struct certificate *certificate_read(struct span der);
void certificate_free(struct certificate *c);

// The subject, or the serial number if it is empty, for messages: escaped, at most 95 bytes. Returns `text`.
const char *certificate_label(const struct certificate *c, char text[96]);

// A period that begins with its first second and ends after its last one: the first change after `now`, or `next` if
// that comes earlier.
static inline int64_t period_next_change(int64_t first, int64_t last, int64_t now, int64_t next)
{
    int64_t change = first > now ? first : last >= now ? last + 1 : next;
    return change < next ? change : next;
}

// A signature over `data` by `key`, as an AlgorithmIdentifier names it. The algorithm must be ECDSA or RSA (PKCS#1 1.5
// or PSS) with SHA-256 or better, its parameters as RFC 4055 and RFC 5758 demand them, and fit the key. REASON_ok,
// REASON_algorithm_weak, REASON_signature_bad; used for certificates and for revocation lists.
struct signature_digest {
    uint8_t octets[64];
    size_t len;
};
// The two halves: the digest of the data as the algorithm wants it, and the signature over that digest.
enum reason signature_hash(struct span algorithm, struct span data, struct signature_digest *out);
enum reason signature_check_hash(struct span algorithm, struct span signature, const struct signature_digest *digest,
                                 mbedtls_pk_context *key);
enum reason signature_check(struct span algorithm, struct span signature, struct span data, mbedtls_pk_context *key);

#endif
