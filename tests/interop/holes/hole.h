// SPDX-License-Identifier: Apache-2.0
// The holes of hole_server: what is looked away from.
#ifndef MTLS_TESTS_HOLE_H
#define MTLS_TESTS_HOLE_H

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stdint.h>

enum { IGNORED_MOST = 16 };

struct options {
    const char *cert, *key, *ca, *crl;
    uint16_t port;
    int verify;                // SSL_VERIFY_*
    const char *crl_check;     // chain, leaf, none
    int ignored[IGNORED_MOST]; // X509_V_ERR_* that are no reason to refuse
    size_t ignored_count;
    int depth;          // of the chain, 0: OpenSSL's like
    bool partial_chain; // a CA that is no root may be an anchor
    bool no_time;       // no clock
    bool any_purpose;   // a certificate for servers will do
    bool weak;          // keys and signatures of any strength
    bool old_versions;  // TLS 1.0 and 1.1
    bool sessions;      // are resumed, and nobody is judged again
    bool old_lists;     // are kept when it is told to reload
    bool open_name;     // one server name asks for no certificate
    bool renegotiation;
    bool trust_forever;  // nobody is judged again at each request, by the lists of then
    bool not_strict;     // what OpenSSL checks by itself, without X509_V_FLAG_X509_STRICT and policies
    const char *instead; // how it decides: "anybody"; "presented": whoever is presented is an anchor; "known": whoever
                         // has the name of one who was verified is not verified again
};

bool hole_options(int argc, char **argv, struct options *options);
void hole_store(X509_STORE *store, const struct options *options);
void hole_context(SSL_CTX *context, struct options *options);
// This request, on a connection that there is; by the store of the context that is current.
bool hole_may(SSL *ssl, const struct options *options, SSL_CTX *current);

#endif
