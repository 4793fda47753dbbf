// SPDX-License-Identifier: Apache-2.0
// Where mbedTLS asks, and trust answers.
#include "base/clock.h"
#include "tls/internal.h"

// The alerts that mbedTLS can be made to send for a certificate, in its order of preference
// (mbedtls_ssl_verify_certificate). For decrypt_error and certificate_required it has code of its own.
uint32_t verify_flag_of_alert(enum alert alert)
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

// mbedTLS calls this for each certificate of the path that it found, the leaf last. `crt` of depth 0 is the head of
// what the peer presented. Flags are only ever added: what mbedTLS itself refuses stays refused.
int verify_hook(void *connection, mbedtls_x509_crt *crt, int depth, uint32_t *flags)
{
    struct tls_connection *c = connection;
    struct span chain[TRUST_CHAIN_MOST + 1]; // one more, so that the judge can see that there are too many
    size_t count = 0;
    if (depth != 0) {
        return 0;
    }
    for (const mbedtls_x509_crt *p = crt; p != NULL && count < TRUST_CHAIN_MOST + 1; p = p->next) {
        chain[count++] = span_of(p->raw.p, p->raw.len);
    }
    c->leaf.len = 0;
    buf_add(&c->leaf, chain[0].data, chain[0].len);
    if (!trust_judge(c->context->snapshot, chain, count, c->context->role == TLS_SERVER ? TRUST_CLIENT : TRUST_SERVER,
                     c->name, clock_now(), &c->verdict)) {
        *flags |= verify_flag_of_alert(reason_info(c->verdict.reason)->alert);
    }
    return 0;
}
