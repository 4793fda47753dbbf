// SPDX-License-Identifier: Apache-2.0
// One revocation list in memory, and what the files that read and ask it share.
#ifndef MTLS_TRUST_CRL_INTERNAL_H
#define MTLS_TRUST_CRL_INTERNAL_H

#include "trust/revocation.h"

#include <mbedtls/asn1.h>
#include <mbedtls/oid.h>
#include <string.h>

enum {
    CRL_TAG_CONTEXT = MBEDTLS_ASN1_CONTEXT_SPECIFIC,
    CRL_TAG_FIELD = MBEDTLS_ASN1_CONTEXT_SPECIFIC | MBEDTLS_ASN1_CONSTRUCTED,
    CRL_TAG_DIRECTORY = CRL_TAG_FIELD | 4, // GeneralName's directoryName
};

// An object identifier below id-ce (2.5.29), for tables
#define CRL_OID(last)                                                                                                  \
    {                                                                                                                  \
        (const uint8_t *)MBEDTLS_OID_ID_CE last, sizeof(MBEDTLS_OID_ID_CE last) - 1                                    \
    }

// Extension ::= SEQUENCE { extnID, critical BOOLEAN DEFAULT FALSE, extnValue OCTET STRING }, of a list or an entry
struct crl_extension {
    struct span oid;
    bool critical;
    struct span value;
};
int crl_extension_next(struct span *rest, struct crl_extension *extension, struct err *e);
int crl_extension_unknown(const struct crl_extension *extension, struct err *e); // -1 if it is critical
// The one element of `value`, with this tag and nothing behind it.
int crl_whole(struct span value, int tag, const char *what, struct span *content, struct err *e);

// --- crl_index.c: the entries ---

enum { CRL_SERIAL = 20, CRL_NOT_LISTED = -1, CRL_REASON_HOLD = 6, CRL_REASON_REMOVED = 8, CRL_REASON_LAST = 10 };

// Nearly all entries: a serial number that is not negative and has at most 20 octets, right-justified.
struct crl_record {
    uint8_t serial[CRL_SERIAL];
    uint32_t about; // number of the certificate's issuer << 4 | reason
};
// The others.
struct crl_odd {
    struct span serial; // in `octets`, shortest form
    uint32_t about;
};

struct crl_index {
    struct crl_record *records; // sorted
    size_t count;
    struct crl_odd *odd; // sorted
    size_t odd_count;
    struct buf octets;
    void *issuers; // a tree (search.h) of canonical names with their numbers; 0 is the list's own
    uint32_t issuer_count;
};

struct crl_kind {
    bool version_2; // entries may have extensions
    bool delta;     // removeFromCRL may be used
    bool indirect;  // certificateIssuer may be used
};

// Reads the content of revokedCertificates. `issuer` is the list's, canonical.
int crl_index_read(struct crl_index *index, struct span entries, struct span issuer, struct crl_kind kind,
                   struct err *e);
// The reason code with which this certificate is listed, or CRL_NOT_LISTED. `serial`: content octets of the INTEGER.
int crl_index_find(const struct crl_index *index, struct span serial, struct span issuer);
void crl_index_clear(struct crl_index *index);

// --- crl_scope.c: which certificates a list is for ---

enum {
    CRL_REASONS_ALL = 0x1fe, // ReasonFlags bit n as 1 << n: all but "unused"
    CRL_POINTS_MOST = 16,    // distribution points of one certificate that are looked at
};

// issuingDistributionPoint (RFC 5280 section 5.2.5); without one: everything of the issuer, for all reasons.
// Names are a sequence of elements with the tag of the GeneralName, directory names in canonical form.
struct crl_scope {
    bool stated; // the extension is there
    struct buf names;
    bool only_user, only_ca, only_attribute, indirect;
    unsigned reasons;
};
int crl_scope_read(struct crl_scope *scope, struct span value, struct span list_issuer, struct err *e);
bool crl_scope_same(const struct crl_scope *a, const struct crl_scope *b);

// One DistributionPoint of a certificate (section 4.2.1.13).
struct crl_point {
    struct buf names;   // empty: no distributionPoint field
    struct buf issuers; // empty: no cRLIssuer field
    unsigned reasons;
};
// The first CRL_POINTS_MOST of them, and the one that section 6.3.3 assumes in the end: the certificate issuer's own
// list. *count is set in any case; clear with crl_points_clear.
struct crl_points {
    struct crl_point items[CRL_POINTS_MOST + 1];
    size_t count;
};
int crl_points_read(struct crl_points *points, const struct certificate *c, struct err *e);
void crl_points_clear(struct crl_points *points);

bool crl_names_hold(struct span names, int tag, struct span content);
bool crl_names_meet(struct span a, struct span b); // have they one in common?

// --- crl.c: the list ---

enum { CRL_LABEL = 64, CRL_SIGNERS = 4 };

struct crl {
    char label[CRL_LABEL]; // its issuer, escaped, for messages
    struct buf issuer;     // canonical
    struct buf authority;  // value of the authorityKeyIdentifier, or empty
    struct span key_id;    // keyIdentifier in it, or empty
    int64_t this_update;   // seconds since 1970
    int64_t next_update;   // only if has_next_update
    bool has_next_update;  //
    bool has_number;       //
    struct buf number;     // cRLNumber, without leading zeros
    bool delta;            // only what has changed since `base`
    struct buf base;       // BaseCRLNumber, as number
    struct crl_scope scope;
    struct crl_index index;
    // What is needed to check the signature when a key is at hand
    struct buf algorithm;
    struct buf signature;
    enum reason digestible; // REASON_ok, or why there is no digest
    struct signature_digest digest;
    // SubjectPublicKeyInfos that made this signature, for certain. Set once each, from NULL.
    _Atomic(struct buf *) signers[CRL_SIGNERS];
};

struct crl *crl_read(struct span der, struct err *e); // one list; the DER is not kept
void crl_free(struct crl *list);
bool crl_is_current(const struct crl *list, int64_t now);
int crl_number_compare(const struct buf *a, const struct buf *b); // as memcmp
// Did this certificate's key sign the list, and may it (cRLSign)?
bool crl_signed_by(struct crl *list, const struct certificate *signer);
// Takes over who signed it, if `from` is the same list.
void crl_remember(struct crl *list, const struct crl *from);

// --- crl_store.c ---

// The lists of one issuer, next to each other. Returns how many.
size_t crl_store_find(const struct crl_store *store, struct span issuer, struct crl *const **first);

#endif
