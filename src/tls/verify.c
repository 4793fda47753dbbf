// SPDX-License-Identifier: Apache-2.0
// Where mbedTLS asks, and trust answers.
#include "base/clock.h"
#include "base/x509.h"
#include "tls/internal.h"

#include <mbedtls/platform.h>
#include <string.h>

// The alerts that mbedTLS can be made to send for a certificate, in its order of preference
// (mbedtls_ssl_verify_certificate). For decrypt_error and certificate_required it has code of its own.
static uint32_t verify_flag_of_alert(enum alert alert)
{
    static const struct {
        enum alert alert;
        uint32_t flag;
    } table[] = {
        {ALERT_ACCESS_DENIED, MBEDTLS_X509_BADCERT_OTHER},
        {ALERT_BAD_CERTIFICATE, MBEDTLS_X509_BADCERT_CN_MISMATCH},
        {ALERT_UNSUPPORTED_CERTIFICATE, MBEDTLS_X509_BADCERT_EXT_KEY_USAGE},
        {ALERT_CERTIFICATE_EXPIRED, MBEDTLS_X509_BADCERT_EXPIRED},
        {ALERT_CERTIFICATE_REVOKED, MBEDTLS_X509_BADCERT_REVOKED},
        {ALERT_UNKNOWN_CA, MBEDTLS_X509_BADCERT_NOT_TRUSTED},
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        if (table[i].alert == alert) {
            return table[i].flag;
        }
    }
    return MBEDTLS_X509_BADCERT_CN_MISMATCH;
}

bool verify_chain(struct tls_connection *c, const struct span *chain, size_t count, const uint8_t *fact, int64_t now,
                  bool identify, struct trust_verdict *verdict, struct trust_path *path)
{
    const struct trust_question question = {.chain = chain,
                                            .count = count,
                                            .purpose = c->context->role == TLS_SERVER ? TRUST_CLIENT : TRUST_SERVER,
                                            .name = c->name,
                                            .now = now,
                                            .fact = fact,
                                            .identify = identify};
    return trust_judge_question(c->snapshot, &question, verdict, path);
}

static bool judge(struct tls_connection *c, const uint8_t *fact, int64_t now, bool identify, struct trust_path *path)
{
    struct span chain[TRUST_CHAIN_MOST + 1] = {{0}};
    for (size_t i = 0; i < c->presented_count; i++) {
        chain[i] = buf_span(&c->presented[i]);
    }
    bool accepted = verify_chain(c, chain, c->presented_count, fact, now, identify, &c->verdict, path);
    if (accepted) {
        memcpy(c->fact, path->fact, sizeof c->fact);
        c->until = path->until;
    }
    return accepted;
}

bool verify_presented(struct tls_connection *c)
{
    struct trust_path path = {.count = 0};
    if (c->judged) {
        return c->verdict.reason == REASON_ok;
    }
    c->judged = true;
    c->authenticated = clock_now(); // or will be, in this handshake
    bool accepted = judge(c, NULL, c->authenticated, true, &path);
    if (accepted) {
        c->claimed = path.identity;
        path.identity = NULL;
        buf_add(&c->issuer, path.certificates[1].data, path.certificates[1].len); // a path has an anchor at least
    }
    trust_path_clear(&path);
    return accepted;
}

bool verify_again(struct tls_connection *c, int64_t now)
{
    struct trust_path path = {.count = 0};
    uint8_t fact[TRUST_FACT];
    memcpy(fact, c->fact, sizeof fact);
    c->outdated = false;
    bool accepted = judge(c, fact, now, false, &path);
    trust_path_clear(&path);
    return accepted;
}

bool verify_current(struct tls_connection *c)
{
    if (c->outdated && c->verdict.reason == REASON_ok) {
        return verify_again(c, clock_now());
    }
    return c->verdict.reason == REASON_ok;
}

// mbedTLS asks who may have issued `child`. The answer is the issuer that the judge has found and accepted, so that
// mbedTLS, which takes the first issuer that fits and does not come back, checks that one signature and stops there.
// For a chain that was refused there is no answer, and mbedTLS refuses it too.
int verify_issuers(void *arg, const mbedtls_x509_crt *child, mbedtls_x509_crt **issuers)
{
    struct tls_connection *c = presented_connection();
    (void)arg;
    *issuers = NULL;
    if (c == NULL) {
        return MBEDTLS_ERR_X509_FATAL_ERROR;
    }
    presented_take(c, child);
    struct span leaf = presented_leaf(c);
    bool is_leaf = child->raw.len <= leaf.len && memcmp(child->raw.p, leaf.data, child->raw.len) == 0;
    if (!is_leaf || !verify_presented(c)) {
        return 0;
    }
    mbedtls_x509_crt *issuer = mbedtls_calloc(1, sizeof *issuer); // mbedTLS frees it
    if (issuer == NULL) {
        return MBEDTLS_ERR_X509_ALLOC_FAILED;
    }
    mbedtls_x509_crt_init(issuer);
    *issuers = issuer;
    return x509_add(issuer, buf_span(&c->issuer));
}

// mbedTLS calls this for each certificate of the path that it found, the leaf last. `crt` of depth 0 is the head of
// what the peer presented. Flags are only ever added: what mbedTLS itself refuses stays refused.
int verify_hook(void *connection, mbedtls_x509_crt *crt, int depth, uint32_t *flags)
{
    struct tls_connection *c = connection;
    if (depth != 0) {
        return 0;
    }
    presented_take(c, crt);
    if (!verify_presented(c)) {
        *flags |= verify_flag_of_alert(reason_info(c->verdict.reason)->alert);
        presented_clear(c, 1); // the leaf says who the peer is; nobody will ask about the others again
    }
    buf_clear(&c->issuer);
    return 0;
}
