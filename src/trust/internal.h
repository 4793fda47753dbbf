// SPDX-License-Identifier: Apache-2.0
// What the files of this room share.
#ifndef MTLS_TRUST_INTERNAL_H
#define MTLS_TRUST_INTERNAL_H

#include "trust/trust.h"

#include <mbedtls/oid.h>
#include <mbedtls/x509_crl.h>
#include <string.h>

struct trust_snapshot {
    mbedtls_x509_crt anchors; // a list; the head is always filled
    mbedtls_x509_crl crls;    // a list; the head is filled when has_crls
    bool has_crls;
    int references; // atomic
};

// The path that mbedTLS found, leaf first, with its opinion of each certificate.
enum { PATH_MOST = MBEDTLS_X509_MAX_INTERMEDIATE_CA + 2 };
struct path {
    struct path_item {
        mbedtls_x509_crt *crt; // borrowed from the chain or the snapshot
        uint32_t flags;        // MBEDTLS_X509_BADCERT_*
    } items[PATH_MOST];
    size_t count;
    bool anchored; // the last one is an anchor
};

// One question to the judge, and the answer so far: findings are reported one by one, the most telling one is kept.
struct judgement {
    const struct trust_snapshot *snapshot;
    mbedtls_x509_crt *chain; // what was presented, a list, leaf first
    struct path path;
    enum trust_purpose purpose;
    const char *name; // or NULL
    int64_t now;
    struct trust_verdict *verdict;
};

void judgement_report(struct judgement *j, enum reason reason, int depth, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

void rules_check_certificate(struct judgement *j, size_t i); // each certificate of the path
void rules_check_leaf(struct judgement *j);
void old_revocation_check(struct judgement *j, size_t i);
// Is `name` (host name or IP address) among the leaf's subjectAltName?
bool hostname_matches(const mbedtls_x509_crt *leaf, const char *name);

static inline bool x509_buf_equal(const mbedtls_x509_buf *a, const mbedtls_x509_buf *b)
{
    return a->len == b->len && (a->len == 0 || memcmp(a->p, b->p, a->len) == 0);
}

// Text for people, escaped, appended to `b`; what cannot be decoded is shown as hexadecimal.
void display_name(struct buf *b, struct span name_der);                         // a Name as RFC 4514 text
void display_general_name(struct trust_name *out, const mbedtls_x509_buf *san); // out->text is the caller's
// The subject, cut to fit: for messages. Returns `text`.
const char *display_subject(const mbedtls_x509_crt *crt, char text[96]);

#endif
