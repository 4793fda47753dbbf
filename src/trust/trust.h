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
//   - access rules (rules.c), where the snapshot has any: a client whom none of them can allow anything is refused
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

// --- access rules: who may do what, judged with the identity alone ---

enum trust_match_field {
    TRUST_MATCH_DNS,     // a name, without case; or "*.ops.example": every name below, by one label or more
    TRUST_MATCH_IP,      // an address, or a prefix "10.1.0.0/16"
    TRUST_MATCH_EMAIL,   // a mailbox, or "*@host"
    TRUST_MATCH_URI,     // octet by octet; in spiffe:// "*" is one segment, and "**" at the end one or more
    TRUST_MATCH_SUBJECT, // one attribute's value, or all of the subject as trust_identity has it
    TRUST_MATCH_ISSUER,  // as trust_identity has it
    TRUST_MATCH_SERIAL,  // hexadecimal; leading zeros do not count
    TRUST_MATCH_SHA256,  // of the certificate, hexadecimal
    TRUST_MATCH_KEY,     // SHA-256 of the SubjectPublicKeyInfo, hexadecimal
};

struct trust_match {
    enum trust_match_field field;
    const char *attribute; // of TRUST_MATCH_SUBJECT: "O", "CN", "2.5.4.5"; NULL: the whole subject
    const char *pattern; // UTF-8, the characters themselves: nothing in it is escaped but in whole subjects and issuers
};

struct trust_rule {
    bool allow;
    const struct trust_match *matches; // all must hold; none: any verified client
    size_t match_count;
    const char *const *methods; // none: any
    size_t method_count;
    const char *const *paths; // "/x": that path; "/x/*": "/x/" and all below it; none: any
    size_t path_count;
    size_t number; // what verdicts call it, as several may be one to who wrote them; 0: its place among them, from 1
};

// Copies. The first rule that matches decides; if there is none, it is not allowed. A pattern that is malformed, or
// could not match anything, is an error that names the rule (from 1) and the field.
struct trust_rules *trust_rules_new(const struct trust_rule *rules, size_t count, struct err *e);
void trust_rules_free(struct trust_rules *rules);

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
    struct trust_paths anchors;       // certificates, PEM or DER; at least one in all, unless no_anchors
    struct trust_paths intermediates; // CA certificates that may help to build a path; not trusted
    struct trust_paths crls;          // revocation lists, PEM or DER; none: revocation is not checked
    enum trust_revocation revocation;
    bool no_anchors;   // may be: nobody is accepted then
    unsigned unsafe;   // enum trust_unsafe, or-ed
    bool limits_depth; // then at most `depth` intermediate CAs, self-issued ones not counted
    int depth;
    const char *const *policies; // dotted OIDs, NULL-terminated, one of which must hold for the path; NULL: any or none
    bool explicit_policy, inhibit_policy_mapping, inhibit_any_policy; // RFC 5280 section 6.1.1 (d) to (g)
    struct trust_rules *rules; // now the snapshot's, also on failure; NULL: it has none, and trust_allows nobody
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
// Hands the memory of good signatures on to the successor, before that one is shared: what was found good stays good.
void trust_snapshot_remember(struct trust_snapshot *to, const struct trust_snapshot *from);
// The first moment after `now` at which an anchor, an intermediate or a list becomes valid or ceases to be; INT64_MAX:
// never.
int64_t trust_snapshot_next_change(const struct trust_snapshot *snapshot, int64_t now);
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

// The same in full. `fact` is what an earlier judgement of this leaf found out: that its signature was made by a
// certain key, which cannot become false, so that the arithmetic is spared. It is the SHA-256 of both, and proves
// nothing by itself: it must come from where nobody can write (this process, or a sealed ticket). All else is judged
// anew, and if another key turns out to be the issuer's, the signature too.
enum { TRUST_FACT = 64 };
struct trust_question {
    const struct span *chain; // DER, leaf first; borrowed
    size_t count;
    enum trust_purpose purpose;
    const char *name; // or NULL
    int64_t now;
    const uint8_t *fact; // TRUST_FACT octets of an earlier trust_path, or NULL
    bool identify;       // who the leaf is belongs to the answer
};

// Where it is accepted: the path that was found. Clear it.
struct trust_path {
    struct span certificates[18]; // DER, the leaf first, the anchor last; borrowed from the question and the snapshot
    size_t count;
    uint8_t fact[TRUST_FACT];
    int64_t until;                   // the earliest notAfter in it: the last second in which it may be accepted
    struct trust_identity *identity; // whoever takes it leaves NULL; NULL: not asked for, or SHA-256 failed
};
bool trust_judge_question(const struct trust_snapshot *snapshot, const struct trust_question *question,
                          struct trust_verdict *verdict, struct trust_path *path); // path: {0}, or NULL
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

// `octets` (owned) are what the certificate has, to be compared and never printed: what only looks alike when escaped
// differs there.
struct trust_name {
    enum trust_name_type type;
    char *text;
    struct span octets; // the characters, or an address of 4 or 16 octets
};

struct trust_attribute {
    char *type;         // "CN"; a dotted object identifier if there is no such name for it
    char *value;        // "#" and hexadecimal if it is no string
    struct span octets; // the characters as UTF-8; empty if it is no string
};

// Filled once, never changed. All text is escaped (base/text.h) and safe to print.
struct trust_identity {
    char *subject;            // RFC 4514: "CN=alice,O=Example"; "" when empty
    char *issuer;             // the same of its issuer
    char *serial;             // hexadecimal, two digits an octet
    char *fingerprint;        // SHA-256 of the DER, 64 hexadecimal digits
    char *key_pin;            // SHA-256 of the SubjectPublicKeyInfo, the same
    struct trust_name *names; // subjectAltName, in its order
    size_t name_count;
    struct trust_attribute *attributes; // of the subject, in the order of the certificate
    size_t attribute_count;
    bool complete; // no name or attribute was left out; access rules allow nothing otherwise
    int64_t not_before;
    int64_t not_after;
    const char *tls_version; // static text: "TLSv1.2", "TLSv1.3"; "" until the handshake is complete
    bool resumed;            // not in this handshake, but in the one before
};

struct trust_identity *trust_identity_new(struct span leaf, const char *tls_version, bool resumed, struct err *e);
void trust_identity_free(struct trust_identity *identity);
char *trust_name_of_der(struct span name); // as an identity has it, of any Name (RFC 5280 section 4.1.2.4); free it
const char *trust_name_word(enum trust_name_type type); // "dns", "ip", "email", "uri", "other"

// May this peer do this? `method` and `path` are a request's: the path percent-decoded once, dot segments resolved; one
// that is not (a segment that is empty or dots) is refused whatever the rules say. False: not_allowed, with the rule in
// the verdict. A snapshot without rules allows nothing.
bool trust_allows(const struct trust_snapshot *snapshot, const struct trust_identity *identity, const char *method,
                  const char *path, struct trust_verdict *verdict);

#endif
