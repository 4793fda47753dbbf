// SPDX-License-Identifier: Apache-2.0
#include "base/x509.h"
#include "configs/mbedtls_required.h"
#include "tls/internal.h"
#include "tls/tickets.h"

#include <mbedtls/sha256.h>
#include <mbedtls/ssl_ciphersuites.h>
#include <psa/crypto.h>
#include <stdlib.h>

// Ephemeral keys and AEAD only, in the order of preference; of TLS 1.2's, `first` before `second`.
#define OF_TLS_1_2(signed_by, first, second)                                                                           \
    MBEDTLS_TLS_ECDHE_##signed_by##_WITH_##first, MBEDTLS_TLS_ECDHE_##signed_by##_WITH_##second,                       \
        MBEDTLS_TLS_ECDHE_##signed_by##_WITH_CHACHA20_POLY1305_SHA256
#define CIPHERSUITES(first, second)                                                                                    \
    MBEDTLS_TLS1_3_AES_128_GCM_SHA256, MBEDTLS_TLS1_3_AES_256_GCM_SHA384, MBEDTLS_TLS1_3_CHACHA20_POLY1305_SHA256,     \
        OF_TLS_1_2(ECDSA, first, second), OF_TLS_1_2(RSA, first, second)
// In TLS 1.2 a client of mbedTLS signs by the suite's hash, whatever the server asks for; SHA-256 nobody refuses.
static const int clients_suites[] = {CIPHERSUITES(AES_128_GCM_SHA256, AES_256_GCM_SHA384), 0};
// In software SHA-384 costs half as much an octet as SHA-256, which is a tenth of a handshake that is resumed.
#define SERVERS_SUITES CIPHERSUITES(AES_256_GCM_SHA384, AES_128_GCM_SHA256)
static const int servers_suites[] = {SERVERS_SUITES, 0};
// And behind them RSA key exchange (RFC 5246 section 7.4.7.1): whoever gets the server's key reads old sessions.
static const int legacy_rsa_suites[] = {SERVERS_SUITES, MBEDTLS_TLS_RSA_WITH_AES_128_GCM_SHA256,
                                        MBEDTLS_TLS_RSA_WITH_AES_256_GCM_SHA384, 0};

// The last one is not for key agreement's sake: in TLS 1.2 the list also names the curves that certificates may use.
static const uint16_t groups[] = {
    MBEDTLS_SSL_IANA_TLS_GROUP_X25519,    MBEDTLS_SSL_IANA_TLS_GROUP_SECP256R1, MBEDTLS_SSL_IANA_TLS_GROUP_SECP384R1,
    MBEDTLS_SSL_IANA_TLS_GROUP_SECP521R1, MBEDTLS_SSL_IANA_TLS_GROUP_NONE,
};

// A TLS 1.3 server of mbedTLS sends its refusal of a certificate under the handshake key, which the client has left
// behind by then and cannot read. So in TLS 1.3 mbedTLS is told that verification is optional, the verdict is held, and
// the alert goes out under the application key when mbedTLS has switched (connection.c). In TLS 1.2, where the alert
// is readable at once, verification is required and the handshake stops there.
static int hold_verdict(mbedtls_ssl_context *ssl)
{
    bool held = mbedtls_ssl_get_version_number(ssl) == MBEDTLS_SSL_VERSION_TLS1_3;
    mbedtls_ssl_set_hs_authmode(ssl, held ? MBEDTLS_SSL_VERIFY_OPTIONAL : MBEDTLS_SSL_VERIFY_REQUIRED);
    return 0;
}

static int set_suites(struct tls_context *context, const struct tls_settings *settings, struct err *e)
{
    const int *defaults = settings->legacy_rsa           ? legacy_rsa_suites
                          : settings->role == TLS_SERVER ? servers_suites
                                                         : clients_suites;
    if (settings->ciphers != NULL && (context->ciphersuites = suites_parse(settings->ciphers, defaults, e)) == NULL) {
        return -1;
    }
    if (settings->curves != NULL && (context->groups = groups_parse(settings->curves, e)) == NULL) {
        return -1;
    }
    mbedtls_ssl_conf_ciphersuites(&context->config, context->ciphersuites != NULL ? context->ciphersuites : defaults);
    mbedtls_ssl_conf_groups(&context->config, context->groups != NULL ? context->groups : groups);
    return 0;
}

static int configure(struct tls_context *context, const struct tls_settings *settings, struct err *e)
{
    mbedtls_ssl_config *config = &context->config;
    bool is_server = settings->role == TLS_SERVER;
    if (is_server && context->verification == TLS_UNSAFE_NO_JUDGE) {
        return err_set(e, "a server is there to judge");
    }
    int code = mbedtls_ssl_config_defaults(config, is_server ? MBEDTLS_SSL_IS_SERVER : MBEDTLS_SSL_IS_CLIENT,
                                           MBEDTLS_SSL_TRANSPORT_STREAM, MBEDTLS_SSL_PRESET_DEFAULT);
    if (code != 0) {
        return err_mbedtls(e, code, "configuring TLS");
    }
    mbedtls_ssl_conf_rng(config, rng_bytes, &context->rng);
    if (set_suites(context, settings, e) != 0) {
        return -1;
    }
    mbedtls_ssl_conf_min_tls_version(config, settings->versions == TLS_1_3_ONLY ? MBEDTLS_SSL_VERSION_TLS1_3
                                                                                : MBEDTLS_SSL_VERSION_TLS1_2);
    mbedtls_ssl_conf_max_tls_version(config, settings->versions == TLS_1_2_ONLY ? MBEDTLS_SSL_VERSION_TLS1_2
                                                                                : MBEDTLS_SSL_VERSION_TLS1_3);
    // Keys come from certificates and ephemeral exchange; resume_configure adds tickets to that.
    mbedtls_ssl_conf_tls13_key_exchange_modes(config, MBEDTLS_SSL_TLS1_3_KEY_EXCHANGE_MODE_EPHEMERAL);
    static const int modes[] = {[TLS_VERIFY] = MBEDTLS_SSL_VERIFY_REQUIRED,
                                [TLS_UNSAFE_NO_VERIFY] = MBEDTLS_SSL_VERIFY_OPTIONAL,
                                [TLS_UNSAFE_NO_JUDGE] = MBEDTLS_SSL_VERIFY_NONE};
    mbedtls_ssl_conf_authmode(config, modes[context->verification]);
#if defined(MBEDTLS_X509_TRUSTED_CERTIFICATE_CALLBACK)
    mbedtls_ssl_conf_ca_cb(config, verify_issuers, NULL);
#else // a distribution's mbedTLS: it searches for a path of its own, and may not find the one that the judge found
    mbedtls_ssl_conf_ca_chain(config, &context->anchors, NULL);
#endif
    mbedtls_ssl_conf_dn_hints(config, &context->anchors); // the CAs that a server asks for
    if (is_server) {
        if (context->verification == TLS_VERIFY) {
            mbedtls_ssl_conf_cert_cb(config, hold_verdict);
        }
        if (context->tickets != NULL) {
            resume_configure(config);
        }
    } else if (context->sessions) {
        session_configure(config);
    } else {
        mbedtls_ssl_conf_session_tickets(config, MBEDTLS_SSL_SESSION_TICKETS_DISABLED);
    }
    if (settings->alpn != NULL && (code = mbedtls_ssl_conf_alpn_protocols(config, settings->alpn)) != 0) {
        return err_mbedtls(e, code, "setting the application protocols");
    }
    if (context->credentials != NULL &&
        (code = mbedtls_ssl_conf_own_cert(config, &context->credentials->chain, &context->credentials->key)) != 0) {
        return err_mbedtls(e, code, "setting the own certificate");
    }
    return 0;
}

static int know_issuers(struct tls_context *context, struct err *e)
{
    struct ticket_issuers *issuers = &context->issuers;
    const mbedtls_x509_crt *c = context->credentials != NULL ? context->credentials->chain.next : NULL;
    for (; c != NULL && issuers->count < TICKET_ISSUERS_MOST; c = c->next) {
        struct ticket_issuer *issuer = &issuers->items[issuers->count++];
        issuer->certificate = span_of(c->raw.p, c->raw.len);
        int code = mbedtls_sha256(c->raw.p, c->raw.len, issuer->digest, 0);
        if (code != 0) {
            return err_mbedtls(e, code, "hashing the own issuers");
        }
    }
    return 0;
}

static int open_key_log(struct tls_context *context, const char *path, struct err *e)
{
    context->key_log = path == NULL ? NULL : key_log_open(path, e);
    return path == NULL || context->key_log != NULL ? 0 : -1;
}

// The context's own: connections keep it for as long as they live, and must not keep a snapshot of old.
static int copy_anchors(struct tls_context *context, struct err *e)
{
    const mbedtls_x509_crt *first = trust_snapshot_anchors(context->snapshot);
    for (const mbedtls_x509_crt *a = first; a != NULL && a->raw.len > 0; a = a->next) { // without any, it is empty
        int code = x509_add(&context->anchors, span_of(a->raw.p, a->raw.len));
        if (code != 0) {
            return err_mbedtls(e, code, "copying the trust anchors");
        }
    }
    return 0;
}

struct tls_context *tls_context_new(const struct tls_settings *settings, struct err *e)
{
    if (psa_crypto_init() != PSA_SUCCESS) { // TLS 1.3 needs it; a second call does nothing
        tls_credentials_free(settings->credentials);
        err_set(e, "PSA crypto cannot be initialised");
        return NULL;
    }
    struct tls_context *context = mem_alloc(sizeof *context);
    context->role = settings->role;
    context->credentials = settings->credentials;
    context->snapshot = trust_snapshot_ref(settings->snapshot);
    context->tickets = tickets_lifetime(settings->tickets) > 0 ? tls_tickets_ref(settings->tickets) : NULL;
    context->references = 1;
    context->versions = settings->versions;
    context->sessions = settings->role == TLS_CLIENT && settings->sessions;
    context->verification = settings->verification;
    mbedtls_ssl_config_init(&context->config);
    mbedtls_x509_crt_init(&context->anchors);
    if (rng_init(&context->rng, e) != 0 || copy_anchors(context, e) != 0 || know_issuers(context, e) != 0 ||
        open_key_log(context, settings->key_log, e) != 0 || configure(context, settings, e) != 0) {
        tls_context_free(context);
        return NULL;
    }
    return context;
}

struct tls_context *tls_context_ref(struct tls_context *context)
{
    __atomic_add_fetch(&context->references, 1, __ATOMIC_RELAXED);
    return context;
}

const struct trust_snapshot *tls_context_snapshot(const struct tls_context *context)
{
    return context->snapshot;
}

struct span tls_context_certificate(const struct tls_context *context, size_t i)
{
    const mbedtls_x509_crt *crt = context->credentials != NULL ? &context->credentials->chain : NULL;
    for (; crt != NULL && i > 0; i--) {
        crt = crt->next;
    }
    return crt != NULL ? span_of(crt->raw.p, crt->raw.len) : span_of(NULL, 0);
}

void tls_context_retire(struct tls_context *context)
{
    trust_snapshot_free(context->snapshot);
    context->snapshot = NULL;
}

void tls_context_free(struct tls_context *context)
{
    if (context == NULL || __atomic_sub_fetch(&context->references, 1, __ATOMIC_ACQ_REL) > 0) {
        return;
    }
    mbedtls_ssl_config_free(&context->config);
    mbedtls_x509_crt_free(&context->anchors);
    tls_credentials_free(context->credentials);
    trust_snapshot_free(context->snapshot);
    tls_tickets_free(context->tickets);
    key_log_free(context->key_log);
    rng_clear(&context->rng);
    free(context->ciphersuites);
    free(context->groups);
    free(context);
}
