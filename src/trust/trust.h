// SPDX-License-Identifier: Apache-2.0
// The judge: is this certificate chain acceptable, and who is it? Server, client, `mtls verify`, resumption and reload
// all ask trust_judge; there is no second way to decide.
//
// Checked today, by mbedTLS (`mbedtls_x509_crt_verify_with_profile`) and by rules of our own (judge.c, rules.c,
// revocation.c, hostname.c):
//   - the path from the leaf to an anchor: names, signatures, CA:TRUE and keyCertSign of issuers, path lengths
//   - validity of every certificate of the path, anchor included, at the time asked for
//   - algorithms (SHA-256 or better) and keys (RSA >= 2048 bits, P-256, P-384, P-521)
//   - version 3, positive serial of at most 20 octets, nothing behind the DER, unknown critical extensions,
//     repeated extensions (those that mbedTLS knows); the leaf's subjectAltName is well-formed, and critical when the
//     subject is empty
//   - leaf: CA:FALSE; digitalSignature if there is a keyUsage; extendedKeyUsage present and holding the purpose
//     (anyExtendedKeyUsage does not count); issuers: an extendedKeyUsage that is present allows the purpose
//   - as soon as the snapshot holds any revocation list: every certificate below the anchor has a current list, signed
//     by its issuer, and is not on it
//   - the server's name against subjectAltName only: DNS with a wildcard as the whole left-most label, or IP address
// NOT checked yet:
//   - name constraints (a critical nameConstraints refuses as critical_extension, one that is not critical is ignored)
//   - certificate policies, their mappings and constraints
//   - delta, indirect and partitioned revocation lists: they refuse to load, their critical extensions being unknown
//   - RFC 5280 section 7.1 comparison of names between a list and its issuer: the encodings must be equal
//   - alternative paths: mbedTLS takes the first issuer that fits and does not come back
//   - online revocation (OCSP, CRL download), certificate transparency
#ifndef MTLS_TRUST_TRUST_H
#define MTLS_TRUST_TRUST_H

#include "base/err.h"
#include "base/mem.h"
#include "base/reason.h"

#include <mbedtls/x509_crt.h>
#include <stdbool.h>
#include <stdint.h>

// --- the snapshot: what is trusted, read once, never changed ---

struct trust_snapshot;

struct trust_files {
    const char *anchors; // PEM certificates, at least one
    const char *crls;    // PEM revocation lists, at least one; NULL: revocation is not checked
};

// Reads everything or nothing: an anchor or a list that cannot be read is an error, never skipped. The snapshot has one
// reference, the caller's.
struct trust_snapshot *trust_snapshot_load(const struct trust_files *files, struct err *e);
struct trust_snapshot *trust_snapshot_ref(struct trust_snapshot *snapshot); // from any thread
void trust_snapshot_free(struct trust_snapshot *snapshot);                  // drops one reference, from any thread
// The anchors as mbedTLS takes them for its own verification and for the list of acceptable CAs; borrowed, read only.
mbedtls_x509_crt *trust_snapshot_anchors(const struct trust_snapshot *snapshot);

// --- the verdict ---

enum trust_purpose {
    TRUST_CLIENT, // it authenticates a TLS client: clientAuth
    TRUST_SERVER, // it authenticates a TLS server: serverAuth
    TRUST_ANY,    // extendedKeyUsage is not looked at
};

enum { TRUST_DETAIL = 320, TRUST_CHAIN_MOST = 16 };

struct trust_verdict {
    enum reason reason;        // REASON_ok: accepted
    int depth;                 // of the certificate at fault: 0 the leaf, -1 when there is none
    char detail[TRUST_DETAIL]; // which certificate, what about it; escaped; "" when accepted
};

void trust_verdict_set(struct trust_verdict *verdict, enum reason reason, int depth, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

// Judges `chain` (DER, leaf first, then issuers in any order; borrowed) at `now`. `name` is the host name or IP address
// that a server was asked for by, or NULL. True: accepted. More than TRUST_CHAIN_MOST certificates are refused.
bool trust_judge(const struct trust_snapshot *snapshot, const struct span *chain, size_t count,
                 enum trust_purpose purpose, const char *name, int64_t now, struct trust_verdict *verdict);

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
