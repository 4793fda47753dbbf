// SPDX-License-Identifier: Apache-2.0
// OpenSSL's verdict, as `openssl verify -x509_strict -crl_check_all -purpose ... -verify_hostname ...` would give it.
#include "differential.h"

#include <openssl/x509.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>

static X509 *read_certificate(struct span der)
{
    const uint8_t *p = der.data;
    X509 *x = d2i_X509(NULL, &p, (long)der.len);
    if (x != NULL && p != der.data + der.len) {
        X509_free(x);
        return NULL;
    }
    return x;
}

static void set_question(X509_VERIFY_PARAM *param, const struct question *q)
{
    X509_VERIFY_PARAM_set_time(param, NOW);
    X509_VERIFY_PARAM_set_auth_level(param, 2); // 112 bits
    X509_VERIFY_PARAM_set_purpose(param,
                                  q->purpose == TRUST_SERVER ? X509_PURPOSE_SSL_SERVER : X509_PURPOSE_SSL_CLIENT);
    X509_VERIFY_PARAM_set_flags(param, X509_V_FLAG_X509_STRICT |
                                           (q->list_count > 0 ? X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL : 0));
    if (q->name != NULL && strcmp(q->name, "192.0.2.1") == 0) {
        X509_VERIFY_PARAM_set1_ip_asc(param, q->name);
    } else if (q->name != NULL) {
        X509_VERIFY_PARAM_set1_host(param, q->name, 0);
        X509_VERIFY_PARAM_set_hostflags(param,
                                        X509_CHECK_FLAG_NEVER_CHECK_SUBJECT | X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    }
}

bool openssl_judge(const struct world *world, const struct question *q, char words[PEER_WORDS])
{
    struct span chain[CHAIN_MOST];
    size_t count = question_chain(world, q, chain);
    X509_STORE *store = X509_STORE_new();
    X509_STORE_CTX *ctx = X509_STORE_CTX_new();
    STACK_OF(X509) *untrusted = sk_X509_new_null();
    X509 *leaf = read_certificate(chain[0]);
    X509 *root = read_certificate(buf_span(&world->root));
    bool accepted = false;
    bool readable = leaf != NULL;
    X509_STORE_add_cert(store, root);
    for (size_t i = 1; i < count; i++) {
        X509 *x = read_certificate(chain[i]);
        if (x != NULL) {
            sk_X509_push(untrusted, x);
        }
    }
    for (size_t i = 0; i < q->list_count; i++) {
        const uint8_t *p = q->lists[i].der.data;
        X509_CRL *crl = d2i_X509_CRL(NULL, &p, (long)q->lists[i].der.len);
        X509_STORE_add_crl(store, crl);
        X509_CRL_free(crl);
    }
    snprintf(words, PEER_WORDS, "unreadable");
    if (readable && X509_STORE_CTX_init(ctx, store, leaf, untrusted) == 1) {
        set_question(X509_STORE_CTX_get0_param(ctx), q);
        accepted = X509_verify_cert(ctx) == 1;
        snprintf(words, PEER_WORDS, "%s", X509_verify_cert_error_string(X509_STORE_CTX_get_error(ctx)));
    }
    X509_STORE_CTX_free(ctx);
    X509_STORE_free(store);
    X509_free(leaf);
    X509_free(root);
    sk_X509_pop_free(untrusted, X509_free);
    return accepted;
}
