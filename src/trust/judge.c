// SPDX-License-Identifier: Apache-2.0
// trust_judge, by mbedTLS's own verification and the rules beside it. Everything that is wrong is found and reported;
// of the findings the most telling one becomes the verdict.
#include "base/text.h"
#include "trust/internal.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

// SHA-256 or better, RSA of at least 2048 bits, the curves of NIST.
static const mbedtls_x509_crt_profile profile = {
    .allowed_mds = MBEDTLS_X509_ID_FLAG(MBEDTLS_MD_SHA256) | MBEDTLS_X509_ID_FLAG(MBEDTLS_MD_SHA384) |
                   MBEDTLS_X509_ID_FLAG(MBEDTLS_MD_SHA512),
    .allowed_pks = 0xfffffff,
    .allowed_curves = MBEDTLS_X509_ID_FLAG(MBEDTLS_ECP_DP_SECP256R1) | MBEDTLS_X509_ID_FLAG(MBEDTLS_ECP_DP_SECP384R1) |
                      MBEDTLS_X509_ID_FLAG(MBEDTLS_ECP_DP_SECP521R1),
    .rsa_min_bitlen = 2048,
};

// What to say when several things are wrong: first what makes the certificate unreadable, then whether anybody we trust
// stands behind it, then whether it still holds, then what it is for. What is not listed comes last.
static const enum reason telling[] = {
    REASON_no_certificate,
    REASON_malformed,
    REASON_duplicate_extension,
    REASON_critical_extension,
    REASON_version,
    REASON_serial_number,
    REASON_algorithm_mismatch,
    REASON_signature_bad,
    REASON_not_a_ca,
    REASON_path_too_long,
    REASON_algorithm_weak,
    REASON_chain_incomplete,
    REASON_chain_untrusted,
    REASON_key_too_weak,
    REASON_cert_revoked,
    REASON_cert_expired,
    REASON_cert_not_yet_valid,
    REASON_crl_signature,
    REASON_crl_missing,
    REASON_crl_stale,
    REASON_leaf_is_ca,
    REASON_key_usage,
    REASON_ext_key_usage,
    REASON_subject_empty,
    REASON_subject_alt_name,
    REASON_name_mismatch,
    REASON_tls_mbedtls,
};

static size_t telling_rank(enum reason reason)
{
    size_t i = 0;
    while (i < sizeof telling / sizeof telling[0] && telling[i] != reason) {
        i++;
    }
    return i;
}

void trust_verdict_set(struct trust_verdict *verdict, enum reason reason, int depth, const char *fmt, ...)
{
    va_list ap;
    verdict->reason = reason;
    verdict->depth = depth;
    va_start(ap, fmt);
    vsnprintf(verdict->detail, sizeof verdict->detail, fmt, ap);
    va_end(ap);
}

void judgement_report(struct judgement *j, enum reason reason, int depth, const char *fmt, ...)
{
    if (j->verdict->reason != REASON_ok && telling_rank(j->verdict->reason) <= telling_rank(reason)) {
        return;
    }
    va_list ap;
    j->verdict->reason = reason;
    j->verdict->depth = depth;
    va_start(ap, fmt);
    vsnprintf(j->verdict->detail, sizeof j->verdict->detail, fmt, ap);
    va_end(ap);
}

// mbedTLS calls this for each certificate of the path that it found, from its top down to the leaf.
static int path_collect(void *arg, mbedtls_x509_crt *crt, int depth, uint32_t *flags)
{
    struct path *path = arg;
    if (depth < 0 || depth >= PATH_MOST) {
        return MBEDTLS_ERR_X509_FATAL_ERROR;
    }
    path->items[depth] = (struct path_item){.crt = crt, .flags = *flags};
    path->count = path->count > (size_t)depth ? path->count : (size_t)depth + 1;
    return 0;
}

// An extension that mbedTLS does not know: fatal if it is critical (RFC 5280 section 4.2), else nothing.
static int extension_unknown(void *arg, const mbedtls_x509_crt *crt, const mbedtls_x509_buf *oid, int critical,
                             const unsigned char *p, const unsigned char *end)
{
    (void)arg;
    (void)crt;
    (void)oid;
    (void)p;
    (void)end;
    return critical != 0 ? MBEDTLS_ERR_X509_FEATURE_UNAVAILABLE : 0;
}

// Reads the chain into j->chain. False: reported.
static bool chain_parse(struct judgement *j, const struct span *chain, size_t count)
{
    const mbedtls_x509_crt *crt = j->chain;
    if (count == 0) {
        judgement_report(j, REASON_no_certificate, -1, "the chain is empty");
        return false;
    }
    if (count > TRUST_CHAIN_MOST) {
        judgement_report(j, REASON_budget_exceeded, -1, "%zu certificates were sent; the limit is %d", count,
                         TRUST_CHAIN_MOST);
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        int code =
            mbedtls_x509_crt_parse_der_with_ext_cb(j->chain, chain[i].data, chain[i].len, 1, extension_unknown, NULL);
        if (code != 0) {
            struct err words = ERR_INIT;
            err_mbedtls(&words, code, "certificate %zu of the chain", i + 1);
            judgement_report(j, trust_reason_of_parse(code), (int)i, "%.300s", words.text);
            return false;
        }
        crt = i == 0 ? crt : crt->next;
        if (crt->raw.len != chain[i].len) {
            judgement_report(j, REASON_malformed, (int)i, "certificate %zu of the chain has %zu bytes behind its end",
                             i + 1, chain[i].len - crt->raw.len);
            return false;
        }
    }
    return true;
}

// Did this CA's key sign this certificate? mbedTLS tells only through a whole verification, of a copy that stands
// alone.
static bool signature_verifies(const mbedtls_x509_crt *child, const mbedtls_x509_crt *issuer)
{
    uint32_t flags = 0;
    mbedtls_x509_crt alone;
    mbedtls_x509_crt anchor;
    mbedtls_x509_crt_init(&alone);
    mbedtls_x509_crt_init(&anchor);
    bool good =
        mbedtls_x509_crt_parse_der_with_ext_cb(&alone, child->raw.p, child->raw.len, 0, extension_unknown, NULL) == 0 &&
        mbedtls_x509_crt_parse_der_with_ext_cb(&anchor, issuer->raw.p, issuer->raw.len, 0, extension_unknown, NULL) ==
            0;
    if (good) {
        (void)mbedtls_x509_crt_verify_with_profile(&alone, &anchor, NULL, &profile, NULL, &flags, NULL, NULL);
        good = (flags & MBEDTLS_X509_BADCERT_NOT_TRUSTED) == 0;
    }
    mbedtls_x509_crt_free(&alone);
    mbedtls_x509_crt_free(&anchor);
    return good;
}

// mbedTLS says only that it found no issuer. Here is one of the right name: why was it not taken?
static void issuer_diagnose(struct judgement *j, size_t i, const mbedtls_x509_crt *issuer)
{
    const mbedtls_x509_crt *child = j->path.items[i].crt;
    const mbedtls_x509_buf *wanted = &child->authority_key_id.keyIdentifier;
    char text[96];
    display_subject(issuer, text);
    if (issuer->version != 3) {
        judgement_report(j, REASON_version, (int)i + 1, "%s has version %d", text, issuer->version);
    } else if (mbedtls_x509_crt_get_ca_istrue(issuer) != 1) {
        judgement_report(j, REASON_not_a_ca, (int)i + 1, "%s is not a CA certificate", text);
    } else if (mbedtls_x509_crt_check_key_usage(issuer, MBEDTLS_X509_KU_KEY_CERT_SIGN) != 0) {
        judgement_report(j, REASON_key_usage, (int)i + 1, "%s lacks keyCertSign", text);
    } else if (wanted->len > 0 && issuer->subject_key_id.len > 0 && !x509_buf_equal(wanted, &issuer->subject_key_id)) {
        judgement_report(j, REASON_chain_untrusted, (int)i, "its issuer is called %s but has another key", text);
    } else if (signature_verifies(child, issuer)) {
        judgement_report(j, REASON_path_too_long, (int)i + 1, "%s allows fewer CAs below it", text);
    } else {
        judgement_report(j, REASON_signature_bad, (int)i, "%s did not make its signature", text);
    }
}

// Certificate i of the path has no issuer that mbedTLS would take.
static void untrusted_diagnose(struct judgement *j, size_t i)
{
    const mbedtls_x509_crt *child = j->path.items[i].crt;
    const mbedtls_x509_crt *lists[] = {j->chain, &j->snapshot->anchors};
    bool self_issued = x509_buf_equal(&child->subject_raw, &child->issuer_raw);
    bool found = false;
    char text[96];
    display_subject(child, text);
    if (self_issued && signature_verifies(child, child)) {
        judgement_report(j, REASON_chain_untrusted, (int)i, "%s is self-signed and not a trust anchor", text);
        return;
    }
    for (size_t k = 0; k < sizeof lists / sizeof lists[0]; k++) {
        for (const mbedtls_x509_crt *crt = lists[k]; crt != NULL; crt = crt->next) {
            if (x509_buf_equal(&crt->subject_raw, &child->issuer_raw) && !x509_buf_equal(&crt->raw, &child->raw)) {
                issuer_diagnose(j, i, crt);
                found = true;
            }
        }
    }
    // A leaf without its issuer: the sender forgot it. An issuer without its own: a path that leads elsewhere.
    if (!found) {
        judgement_report(j, i == 0 ? REASON_chain_incomplete : REASON_chain_untrusted, (int)i,
                         "the issuer of %s was not sent and is not a trust anchor", text);
    }
}

// mbedTLS's opinion of certificate i, except for the time, which is ours to say.
static void flags_report(struct judgement *j, size_t i)
{
    const uint32_t time_flags = MBEDTLS_X509_BADCERT_EXPIRED | MBEDTLS_X509_BADCERT_FUTURE |
                                MBEDTLS_X509_BADCRL_EXPIRED | MBEDTLS_X509_BADCRL_FUTURE;
    uint32_t flags = j->path.items[i].flags & ~time_flags;
    char text[96];
    if ((flags & MBEDTLS_X509_BADCERT_NOT_TRUSTED) != 0) {
        untrusted_diagnose(j, i);
    }
    display_subject(j->path.items[i].crt, text);
    for (uint32_t bit = 1; bit != 0; bit <<= 1) {
        if ((flags & bit) != 0 && bit != MBEDTLS_X509_BADCERT_NOT_TRUSTED) {
            enum reason reason = trust_reason_of_flags(bit);
            judgement_report(j, reason, (int)i, "%s: %s", text, reason_info(reason)->sentence);
        }
    }
}

static bool path_is_anchored(const struct judgement *j)
{
    const mbedtls_x509_crt *top = j->path.items[j->path.count - 1].crt;
    for (const mbedtls_x509_crt *anchor = &j->snapshot->anchors; anchor != NULL; anchor = anchor->next) {
        if (x509_buf_equal(&anchor->raw, &top->raw)) {
            return true;
        }
    }
    return false;
}

static void path_check(struct judgement *j)
{
    uint32_t flags = 0;
    int code =
        mbedtls_x509_crt_verify_with_profile(j->chain, trust_snapshot_anchors(j->snapshot),
                                             j->snapshot->has_crls ? (mbedtls_x509_crl *)&j->snapshot->crls : NULL,
                                             &profile, NULL, &flags, path_collect, &j->path);
    if (j->path.count == 0 || (code != 0 && code != MBEDTLS_ERR_X509_CERT_VERIFY_FAILED)) {
        struct err words = ERR_INIT;
        err_mbedtls(&words, code, "the verification of the path broke off");
        judgement_report(j, REASON_tls_mbedtls, -1, "%.300s", words.text);
        return;
    }
    j->path.anchored = path_is_anchored(j);
    for (size_t i = 0; i < j->path.count; i++) {
        flags_report(j, i);
        rules_check_certificate(j, i);
        revocation_check(j, i);
    }
    rules_check_leaf(j);
    if (j->verdict->reason == REASON_ok && !j->path.anchored) { // whatever the rules above forget
        judgement_report(j, REASON_chain_untrusted, (int)j->path.count - 1, "the path does not end at a trust anchor");
    }
}

bool trust_judge(const struct trust_snapshot *snapshot, const struct span *chain, size_t count,
                 enum trust_purpose purpose, const char *name, int64_t now, struct trust_verdict *verdict)
{
    mbedtls_x509_crt parsed;
    mbedtls_x509_crt_init(&parsed);
    *verdict = (struct trust_verdict){.reason = REASON_ok, .depth = -1};
    struct judgement j = {
        .snapshot = snapshot, .chain = &parsed, .purpose = purpose, .name = name, .now = now, .verdict = verdict};
    if (chain_parse(&j, chain, count)) {
        path_check(&j);
    }
    mbedtls_x509_crt_free(&parsed);
    return verdict->reason == REASON_ok;
}
