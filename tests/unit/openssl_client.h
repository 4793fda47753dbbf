// SPDX-License-Identifier: Apache-2.0
// A server of ours and OpenSSL's client, which talk to each other through memory.
#ifndef MTLS_TESTS_OPENSSL_CLIENT_H
#define MTLS_TESTS_OPENSSL_CLIENT_H

#include "openssl_pki.h"
#include "tls/internal.h"

#include <openssl/err.h>
#include <openssl/ssl.h>

static const struct {
    enum tls_versions ours;
    int openssl;
    const char *word;
} client_versions[] = {{TLS_1_2_ONLY, TLS1_2_VERSION, "TLSv1.2"}, {TLS_1_3_ONLY, TLS1_3_VERSION, "TLSv1.3"}};

struct openssl_client {
    SSL_CTX *context;
    SSL *ssl; // owns both queues
    BIO *to_client;
    BIO *to_server;
    struct tls_context *server_context;
    struct tls_connection *server;
    size_t most; // bytes that the server can send or receive at once
};

static inline long server_receive(void *arg, uint8_t *data, size_t len)
{
    struct openssl_client *c = arg;
    int n = BIO_read(c->to_server, data, (int)(len < c->most ? len : c->most));
    return n > 0 ? n : TLS_IO_AGAIN;
}

static inline long server_send(void *arg, const uint8_t *data, size_t len)
{
    struct openssl_client *c = arg;
    if (c->most == 0) {
        return TLS_IO_AGAIN;
    }
    return BIO_write(c->to_client, data, (int)(len < c->most ? len : c->most));
}

static inline struct tls_context *server_context(struct tls_settings *settings, const char *below)
{
    struct err e = ERR_INIT;
    const char *anchor_file = pki_path("trust.pem", "");
    const char *crl_file = pki_path("crl.pem", "");
    struct trust_files files = {.anchors = {&anchor_file, 1}, .crls = {&crl_file, 1}};
    settings->role = TLS_SERVER;
    settings->snapshot = trust_snapshot_load(&files, &e);
    settings->credentials = tls_credentials_load(pki_path(below, "fullchain.pem"), pki_path(below, "key.pem"), &e);
    struct tls_context *made = tls_context_new(settings, &e);
    assert_string_equal(e.text, "");
    trust_snapshot_free(settings->snapshot);
    return made;
}

// Alice, by OpenSSL; the server's context gets another reference.
static inline void client_open(struct openssl_client *c, struct tls_context *server, int version)
{
    struct err e = ERR_INIT;
    *c = (struct openssl_client){.server_context = tls_context_ref(server), .most = SIZE_MAX / 2};
    c->context = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_min_proto_version(c->context, version);
    SSL_CTX_set_max_proto_version(c->context, version);
    SSL_CTX_set_verify(c->context, SSL_VERIFY_PEER, NULL);
    assert_int_equal(SSL_CTX_load_verify_file(c->context, pki_path("trust.pem", "")), 1);
    assert_int_equal(SSL_CTX_use_certificate_chain_file(c->context, pki_path("clients/alice", "fullchain.pem")), 1);
    assert_int_equal(SSL_CTX_use_PrivateKey_file(c->context, pki_path("clients/alice", "key.pem"), SSL_FILETYPE_PEM),
                     1);
    c->ssl = SSL_new(c->context);
    c->to_client = BIO_new(BIO_s_mem());
    c->to_server = BIO_new(BIO_s_mem());
    BIO_set_mem_eof_return(c->to_client, -1);
    BIO_set_mem_eof_return(c->to_server, -1);
    SSL_set_bio(c->ssl, c->to_client, c->to_server);
    SSL_set_connect_state(c->ssl);
    c->server =
        tls_connection_new(server, (struct tls_io){.arg = c, .receive = server_receive, .send = server_send}, NULL, &e);
    assert_string_equal(e.text, "");
}

static inline void client_close(struct openssl_client *c)
{
    tls_connection_free(c->server);
    tls_context_free(c->server_context);
    SSL_free(c->ssl);
    SSL_CTX_free(c->context);
    ERR_clear_error();
}

// True: both sides have completed the handshake.
static inline bool client_shake(struct openssl_client *c)
{
    int client = 0;
    enum tls_status server = TLS_WANT_READ;
    for (int i = 0; i < 2000 && (client != 1 || server != TLS_DONE); i++) {
        client = SSL_do_handshake(c->ssl);
        server = tls_handshake(c->server);
    }
    return client == 1 && server == TLS_DONE;
}

#endif
