// SPDX-License-Identifier: Apache-2.0
#include "tests/interop/holes/hole.h"

#include <getopt.h>
#include <openssl/x509v3.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// --- the command line ---

// Several numbers may be what one mistake looks away from.
static const struct {
    const char *word;
    int error;
} ignorable[] = {
    {"expired", X509_V_ERR_CERT_HAS_EXPIRED},
    {"not-yet-valid", X509_V_ERR_CERT_NOT_YET_VALID},
    {"revoked", X509_V_ERR_CERT_REVOKED},
    {"no-list", X509_V_ERR_UNABLE_TO_GET_CRL},
    {"list-expired", X509_V_ERR_CRL_HAS_EXPIRED},
    {"list-signature", X509_V_ERR_CRL_SIGNATURE_FAILURE},
    {"list-signer", X509_V_ERR_KEYUSAGE_NO_CRL_SIGN},
    {"self-signed", X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT},
    {"self-signed", X509_V_ERR_UNABLE_TO_GET_CRL}, // of its own
    {"stranger", X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN},
    {"stranger", X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY},
    {"stranger", X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT},
    {"stranger", X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE},
    {"stranger", X509_V_ERR_UNABLE_TO_GET_CRL},
    {"signature", X509_V_ERR_CERT_SIGNATURE_FAILURE},
    {"purpose", X509_V_ERR_INVALID_PURPOSE},
    {"ca", X509_V_ERR_INVALID_CA},
    {"cert-sign", X509_V_ERR_KEYUSAGE_NO_CERTSIGN},
    {"path-length", X509_V_ERR_PATH_LENGTH_EXCEEDED},
    {"permitted", X509_V_ERR_PERMITTED_VIOLATION},
    {"excluded", X509_V_ERR_EXCLUDED_VIOLATION},
    {"critical", X509_V_ERR_UNHANDLED_CRITICAL_EXTENSION},
    {"policy", X509_V_ERR_NO_EXPLICIT_POLICY},
    {"weak-key", X509_V_ERR_EE_KEY_TOO_SMALL},
    {"weak-digest", X509_V_ERR_CA_MD_TOO_WEAK},
};

static bool ignore(struct options *options, const char *word)
{
    size_t before = options->ignored_count;
    for (size_t i = 0; i < sizeof ignorable / sizeof ignorable[0]; i++) {
        if (strcmp(word, ignorable[i].word) == 0 && options->ignored_count < IGNORED_MOST) {
            options->ignored[options->ignored_count++] = ignorable[i].error;
        }
    }
    return options->ignored_count > before;
}

enum {
    CERT = 1,
    KEY,
    CA,
    CRL,
    PORT,
    IGNORE,
    CRL_CHECK,
    DEPTH,
    OPTIONAL,
    NOBODY,
    PARTIAL_CHAIN,
    NO_TIME,
    ANY_PURPOSE,
    WEAK,
    OLD_VERSIONS,
    SESSIONS,
    OLD_LISTS,
    OPEN_NAME,
    RENEGOTIATION,
    TRUST_FOREVER,
    NOT_STRICT,
    INSTEAD
};

static const struct option words[] = {
    {"cert", required_argument, NULL, CERT},
    {"key", required_argument, NULL, KEY},
    {"ca", required_argument, NULL, CA},
    {"crl", required_argument, NULL, CRL},
    {"port", required_argument, NULL, PORT},
    {"ignore", required_argument, NULL, IGNORE},
    {"crl-check", required_argument, NULL, CRL_CHECK},
    {"depth", required_argument, NULL, DEPTH},
    {"optional", no_argument, NULL, OPTIONAL},
    {"nobody-asked", no_argument, NULL, NOBODY},
    {"partial-chain", no_argument, NULL, PARTIAL_CHAIN},
    {"no-time", no_argument, NULL, NO_TIME},
    {"any-purpose", no_argument, NULL, ANY_PURPOSE},
    {"weak", no_argument, NULL, WEAK},
    {"old-versions", no_argument, NULL, OLD_VERSIONS},
    {"sessions", no_argument, NULL, SESSIONS},
    {"old-lists", no_argument, NULL, OLD_LISTS},
    {"open-name", no_argument, NULL, OPEN_NAME},
    {"renegotiation", no_argument, NULL, RENEGOTIATION},
    {"trust-forever", no_argument, NULL, TRUST_FOREVER},
    {"not-strict", no_argument, NULL, NOT_STRICT},
    {"instead", required_argument, NULL, INSTEAD},
    {0},
};

static bool take(struct options *o, int option)
{
    const struct {
        int option;
        const char **text;
    } texts[] = {{CERT, &o->cert},           {KEY, &o->key},        {CA, &o->ca}, {CRL, &o->crl},
                 {CRL_CHECK, &o->crl_check}, {INSTEAD, &o->instead}};
    const struct {
        int option;
        bool *flag;
    } flags[] = {{PARTIAL_CHAIN, &o->partial_chain}, {NO_TIME, &o->no_time},
                 {ANY_PURPOSE, &o->any_purpose},     {WEAK, &o->weak},
                 {OLD_VERSIONS, &o->old_versions},   {SESSIONS, &o->sessions},
                 {OLD_LISTS, &o->old_lists},         {OPEN_NAME, &o->open_name},
                 {RENEGOTIATION, &o->renegotiation}, {TRUST_FOREVER, &o->trust_forever},
                 {NOT_STRICT, &o->not_strict}};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        if (texts[i].option == option) {
            *texts[i].text = optarg;
            return true;
        }
    }
    for (size_t i = 0; i < sizeof flags / sizeof flags[0]; i++) {
        if (flags[i].option == option) {
            *flags[i].flag = true;
            return true;
        }
    }
    switch (option) {
    case IGNORE: return ignore(o, optarg);
    case PORT: return (o->port = (uint16_t)atoi(optarg)) > 0;
    case DEPTH: return (o->depth = atoi(optarg)) > 0;
    case OPTIONAL: o->verify = SSL_VERIFY_PEER; return true;
    case NOBODY: o->verify = SSL_VERIFY_NONE; return true;
    default: return false;
    }
}

bool hole_options(int argc, char **argv, struct options *options)
{
    for (int option; (option = getopt_long(argc, argv, "", words, NULL)) != -1;) {
        if (!take(options, option)) {
            fprintf(stderr, "hole_server: there is no such hole\n");
            return false;
        }
    }
    return optind == argc && options->cert != NULL && options->key != NULL && options->ca != NULL &&
           options->crl != NULL && options->port != 0;
}

// --- what decides ---

static const struct options *chosen;

static int look_away(int ok, X509_STORE_CTX *verification)
{
    int error = X509_STORE_CTX_get_error(verification);
    for (size_t i = 0; ok == 0 && i < chosen->ignored_count; i++) {
        if (chosen->ignored[i] == error) {
            X509_STORE_CTX_set_error(verification, X509_V_OK);
            return 1;
        }
    }
    return ok;
}

void hole_store(X509_STORE *store, const struct options *options)
{
    chosen = options;
    X509_STORE_set_verify_cb(store, look_away);
}

// Whoever is presented is an anchor too.
static int trust_presented(X509_STORE_CTX *verification)
{
    STACK_OF(X509) *anchors = sk_X509_dup(X509_STORE_CTX_get0_untrusted(verification));
    X509_STORE_CTX_set0_trusted_stack(verification, anchors);
    X509_STORE_CTX_set_flags(verification, X509_V_FLAG_PARTIAL_CHAIN);
    X509_VERIFY_PARAM_clear_flags(X509_STORE_CTX_get0_param(verification),
                                  X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL);
    int accepted = X509_verify_cert(verification);
    sk_X509_free(anchors);
    return accepted;
}

static int trust_known(X509_STORE_CTX *verification)
{
    enum { KNOWN_MOST = 64 };
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    static X509_NAME *known[KNOWN_MOST];
    static size_t count;
    X509_NAME *name = X509_get_subject_name(X509_STORE_CTX_get0_cert(verification));
    bool accepted = false;
    pthread_mutex_lock(&lock);
    for (size_t i = 0; i < count; i++) {
        accepted = accepted || X509_NAME_cmp(known[i], name) == 0;
    }
    if (!accepted && X509_verify_cert(verification) == 1) {
        accepted = true;
        if (count < KNOWN_MOST) {
            known[count++] = X509_NAME_dup(name);
        }
    }
    pthread_mutex_unlock(&lock);
    return accepted;
}

static int decide_instead(X509_STORE_CTX *verification, void *arg)
{
    const struct options *options = arg;
    int accepted = strcmp(options->instead, "anybody") == 0 ? 1
                   : strcmp(options->instead, "known") == 0 ? trust_known(verification)
                                                            : trust_presented(verification);
    if (accepted == 1) {
        X509_STORE_CTX_set_error(verification, X509_V_OK);
    }
    return accepted;
}

void hole_context(SSL_CTX *context, struct options *options)
{
    if (options->instead != NULL) {
        SSL_CTX_set_cert_verify_callback(context, decide_instead, options);
    }
}

bool hole_may(SSL *ssl, const struct options *options, SSL_CTX *current)
{
    X509 *leaf = SSL_get0_peer_certificate(ssl);
    if (leaf == NULL || options->trust_forever || options->instead != NULL || SSL_session_reused(ssl)) {
        return true; // it was decided in the handshake
    }
    X509_STORE_CTX *verification = X509_STORE_CTX_new();
    bool allowed = false;
    if (X509_STORE_CTX_init(verification, SSL_CTX_get_cert_store(current), leaf, SSL_get_peer_cert_chain(ssl)) == 1) {
        X509_STORE_CTX_set_default(verification, "ssl_client");
        X509_VERIFY_PARAM_set1(X509_STORE_CTX_get0_param(verification), SSL_CTX_get0_param(current));
        allowed = X509_verify_cert(verification) == 1;
    }
    X509_STORE_CTX_free(verification);
    return allowed;
}
