// SPDX-License-Identifier: Apache-2.0
// The judge: is this certificate chain acceptable, and who is it? Server, client, `mtls verify`, resumption and reload
// all ask trust_judge; there is no second way to decide. mbedTLS is asked for signatures and public keys only.
//
// What is checked: RFC 5280 section 6, and the profile of a TLS peer. docs/verification.md lists every rule with its
// section, its reason token and its test.
//   - each certificate (certificate.c, extensions.c): DER, version 3, serial number, times and their encoding, names,
//   key
//     (RSA >= 2048 bits, P-256, P-384, P-521), signature algorithm (SHA-256 or better, inside as outside), every
//     extension of section 4.2, none twice, no unknown critical one
//   - a path (path.c): every candidate issuer, in any order, with backtracking; bounded (budget_exceeded)
//   - the path's validation (validate.c): signatures, validity of all, the anchor included, CA:TRUE and keyCertSign,
//   path
//     lengths, key identifiers, extended key usage down through issuers, name constraints (constraint.c), policies
//     (policy.c); the anchor's own constraints count
//   - revocation (revocation_check.c): once the snapshot holds any list, every certificate below the anchor needs
//     current lists for all reasons; complete, partitioned, indirect and delta lists
//   - the leaf: CA:FALSE; digitalSignature if it has a keyUsage; extendedKeyUsage there and holding the purpose
//     (anyExtendedKeyUsage is not enough); for a server the name, among subjectAltName only (RFC 9525)
// What is NOT checked: OCSP and certificate transparency; lists are not fetched; whether a policy's text is kept;
// Ed25519, Ed448 and DSA keys are refused rather than checked.
#ifndef MTLS_TRUST_TRUST_H
#define MTLS_TRUST_TRUST_H

#include "base/err.h"
#include "base/mem.h"
#include "base/reason.h"

#include <mbedtls/x509_crt.h>
#include <stdbool.h>
#include <stdint.h>

// --- access rules ---

enum trust_match_field {
    TRUST_MATCH_DNS,
    TRUST_MATCH_IP,
    TRUST_MATCH_EMAIL,
    TRUST_MATCH_URI,
    TRUST_MATCH_SUBJECT,
    TRUST_MATCH_ISSUER,
    TRUST_MATCH_SERIAL,
    TRUST_MATCH_SHA256,
    TRUST_MATCH_KEY,
};

struct trust_match {
    enum trust_match_field field;
    const char *attribute; // of TRUST_MATCH_SUBJECT: "O"; NULL: the whole subject text
    const char *pattern;
};

struct trust_rule {
    bool allow;
    const struct trust_match *matches; // all must hold; none: any verified client
    size_t match_count;
    const char *const *methods; // none: any
    size_t method_count;
    const char *const *paths; // none: any; "/x" exact, "/x/*" below
    size_t path_count;
};

// --- the snapshot: what is trusted, read once, never changed ---

struct trust_snapshot;

struct trust_paths {
    const char *const *items; // file names, borrowed
    size_t count;
};

enum trust_revocation {
    TRUST_REVOCATION_REQUIRE, // every certificate needs a current list, once any list is configured
    TRUST_REVOCATION_PREFER,  // a missing or stale list is passed over; a revoked certificate is refused
    TRUST_REVOCATION_OFF,
};

// Rules of the leaf's profile that may be relaxed, each by its name; all off by default.
enum trust_unsafe {
    TRUST_UNSAFE_ANY_EXT_KEY_USAGE = 1, // anyExtendedKeyUsage counts as the purpose
    TRUST_UNSAFE_NO_EXT_KEY_USAGE = 2,  // a leaf without extendedKeyUsage is for any purpose
    TRUST_UNSAFE_NO_DIGITAL_SIGNATURE = 4,
    TRUST_UNSAFE_CA_LEAF = 8,
};

struct trust_files {
    struct trust_paths anchors;       // certificates, PEM or DER; at least one in all
    struct trust_paths intermediates; // CA certificates that may help to build a path; not trusted
    struct trust_paths crls;          // revocation lists, PEM or DER; none: revocation is not checked
    enum trust_revocation revocation;
    unsigned unsafe;   // enum trust_unsafe, or-ed
    bool limits_depth; // then at most `depth` intermediate CAs, self-issued ones not counted
    int depth;
    const char *const *policies; // dotted OIDs, NULL-terminated, one of which must hold for the path; NULL: any or none
    bool explicit_policy, inhibit_policy_mapping, inhibit_any_policy; // RFC 5280 section 6.1.1 (d) to (g)
};

// Reads everything or nothing: an anchor or a list that cannot be read is an error, never skipped. The snapshot has one
// reference, the caller's.
struct trust_snapshot *trust_snapshot_load(const struct trust_files *files, struct err *e);
// Reads one file as trust_snapshot_load would, for its mistakes alone: so that those of all files can be listed.
enum trust_file { TRUST_FILE_CERTIFICATES, TRUST_FILE_LISTS };
int trust_file_check(enum trust_file kind, const char *path, struct err *e);
struct trust_snapshot *trust_snapshot_ref(struct trust_snapshot *snapshot);   // from any thread
void trust_snapshot_free(struct trust_snapshot *snapshot);                    // drops one reference, from any thread
bool trust_snapshot_checks_revocation(const struct trust_snapshot *snapshot); // is any list loaded?
// The anchors as mbedTLS takes them for its own verification and for the list of acceptable CAs; borrowed, read only.
mbedtls_x509_crt *trust_snapshot_anchors(const struct trust_snapshot *snapshot);

// --- the verdict ---

enum trust_purpose {
    TRUST_CLIENT, // it authenticates a TLS client: clientAuth
    TRUST_SERVER, // it authenticates a TLS server: serverAuth
    TRUST_ANY,    // extendedKeyUsage is not looked at
};

enum { TRUST_DETAIL = 320, TRUST_CHAIN_MOST = 100 };

struct trust_verdict {
    enum reason reason;        // REASON_ok: accepted
    int depth;                 // of the certificate at fault: 0 the leaf, -1 when there is none
    char detail[TRUST_DETAIL]; // which certificate, what about it; escaped; "" when accepted
};

void trust_verdict_set(struct trust_verdict *verdict, enum reason reason, int depth, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

// Judges `chain` (DER, leaf first, then issuers in any order; borrowed) at `now`. `name` is the host name or IP address
// that a server was asked for by (or a mailbox, or a URI with "://", that must be among the leaf's), or NULL. True:
// accepted. More than TRUST_CHAIN_MOST certificates are refused.
bool trust_judge(const struct trust_snapshot *snapshot, const struct span *chain, size_t count,
                 enum trust_purpose purpose, const char *name, int64_t now, struct trust_verdict *verdict);

// The same, and where it is accepted the path that was found: DER, the leaf first, the anchor last. Clear it.
struct trust_path {
    struct buf certificates[18];
    size_t count;
};
bool trust_judge_path(const struct trust_snapshot *snapshot, const struct span *chain, size_t count,
                      enum trust_purpose purpose, const char *name, int64_t now, struct trust_verdict *verdict,
                      struct trust_path *path);
void trust_path_clear(struct trust_path *path);

// Where it is written that a certificate must be refused for this: "RFC 5280 section 4.1.2.5"; "" for reasons that the
// judge does not give.
const char *trust_reason_section(enum reason reason);

// What an error code of mbedTLS's X.509 parser means for the certificate that caused it.
enum reason trust_reason_of_parse(int mbedtls_code);
// What mbedTLS's MBEDTLS_X509_BADCERT_* flags mean, the most telling one; REASON_ok for none.
enum reason trust_reason_of_flags(uint32_t flags);

// --- the identity: who a judged peer is ---

enum trust_name_type { TRUST_NAME_DNS, TRUST_NAME_IP, TRUST_NAME_EMAIL, TRUST_NAME_URI, TRUST_NAME_OTHER };

struct trust_name {
    enum trust_name_type type;
    char *text;
};

// Filled once, never changed. All text is escaped (base/text.h) and safe to print.
struct trust_identity {
    char *subject;            // RFC 4514: "CN=alice,O=Example"; "" when empty
    char *issuer;             // the same of its issuer
    char *serial;             // hexadecimal, two digits an octet
    char *fingerprint;        // SHA-256 of the DER, 64 hexadecimal digits
    struct trust_name *names; // subjectAltName, in its order
    size_t name_count;
    int64_t not_before;
    int64_t not_after;
    const char *tls_version; // static text: "TLSv1.2", "TLSv1.3"
    bool resumed;            // not in this handshake, but in the one before
};

struct trust_identity *trust_identity_new(struct span leaf, const char *tls_version, bool resumed, struct err *e);
void trust_identity_free(struct trust_identity *identity);
const char *trust_name_word(enum trust_name_type type); // "dns", "ip", "email", "uri", "other"

#endif
