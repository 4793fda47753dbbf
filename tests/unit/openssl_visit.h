// SPDX-License-Identifier: Apache-2.0
// OpenSSL's client, talking through memory to a connection of ours.
#ifndef MTLS_TESTS_OPENSSL_VISIT_H
#define MTLS_TESTS_OPENSSL_VISIT_H

#include "openssl_pki.h"
#include "tls/internal.h"

#include <openssl/err.h>
#include <openssl/ssl.h>

// How a client comes.
struct visit {
    int version;          // TLS1_2_VERSION, TLS1_3_VERSION
    const char *who;      // its entry in the PKI; NULL: no certificate
    const char *name;     // the server name it asks for; NULL: none
    SSL_SESSION *session; // that it would like to resume; or NULL
    uint64_t options;     // SSL_OP_...
    const char *groups;   // NULL: OpenSSL's
    const char *ciphers;  // of TLS 1.2; NULL: OpenSSL's
};

// What came of it. Clear it.
struct visited {
    struct tls_connection *tls;
    SSL *ssl;
    SSL_CTX *ctx;
    SSL_SESSION *session; // the newest that can be resumed; or NULL
    size_t sessions;      // how many there were
    int alert;            // that the client received, or TLS_ALERT_NONE
    bool served;          // it read what the server wrote
    size_t most, room;    // octets that the server gets at a time, and now; 0: all there are
};

static inline int visited_session(SSL *ssl, SSL_SESSION *session)
{
    struct visited *v = SSL_get_app_data(ssl);
    SSL_SESSION_free(v->session);
    v->session = session;
    v->sessions++;
    return 1; // kept
}

static inline void visited_alert(const SSL *ssl, int where, int value)
{
    struct visited *v = SSL_get_app_data(ssl);
    if ((where & SSL_CB_READ_ALERT) == SSL_CB_READ_ALERT) {
        v->alert = value & 0xff;
    }
}

static inline long visited_receive(void *arg, uint8_t *data, size_t len)
{
    struct visited *v = arg;
    size_t wanted = v->most > 0 && v->room < len ? v->room : len;
    int n = wanted > 0 ? BIO_read(SSL_get_wbio(v->ssl), data, (int)wanted) : 0;
    v->room -= n > 0 && v->most > 0 ? (size_t)n : 0;
    return n > 0 ? n : TLS_IO_AGAIN;
}

static inline long visited_send(void *arg, const uint8_t *data, size_t len)
{
    struct visited *v = arg;
    size_t n = len > 7 ? len - len / 3 : len; // short writes happen
    return BIO_write(SSL_get_rbio(v->ssl), data, (int)n);
}

static inline void visited_begin(struct visited *v, const struct visit *visit, struct tls_context *server)
{
    struct err e = ERR_INIT;
    *v = (struct visited){.alert = TLS_ALERT_NONE};
    v->ctx = SSL_CTX_new(TLS_client_method());
    assert_true(SSL_CTX_set_min_proto_version(v->ctx, visit->version));
    assert_true(SSL_CTX_set_max_proto_version(v->ctx, visit->version));
    SSL_CTX_set_session_cache_mode(v->ctx, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(v->ctx, visited_session);
    SSL_CTX_set_info_callback(v->ctx, visited_alert);
    SSL_CTX_set_options(v->ctx, visit->options);
    if (visit->groups != NULL) {
        assert_true(SSL_CTX_set1_groups_list(v->ctx, visit->groups));
    }
    if (visit->ciphers != NULL) {
        assert_true(SSL_CTX_set_cipher_list(v->ctx, visit->ciphers));
    }
    if (visit->who != NULL) {
        assert_int_equal(SSL_CTX_use_certificate_chain_file(v->ctx, pki_path(visit->who, "fullchain.pem")), 1);
        assert_int_equal(SSL_CTX_use_PrivateKey_file(v->ctx, pki_path(visit->who, "key.pem"), SSL_FILETYPE_PEM), 1);
    }
    v->ssl = SSL_new(v->ctx);
    SSL_set_app_data(v->ssl, v);
    SSL_set_bio(v->ssl, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
    SSL_set_connect_state(v->ssl);
    if (visit->name != NULL) {
        assert_true(SSL_set_tlsext_host_name(v->ssl, visit->name));
    }
    if (visit->session != NULL) {
        SSL_SESSION *copy = SSL_SESSION_dup(visit->session); // OpenSSL uses a session of TLS 1.3 only once
        assert_true(SSL_set_session(v->ssl, copy));
        SSL_SESSION_free(copy);
    }
    struct tls_io io = {.arg = v, .receive = visited_receive, .send = visited_send};
    v->tls = tls_connection_new(server, io, NULL, &e);
    assert_string_equal(e.text, "");
}

// One turn of each.
static inline enum tls_status visited_step(struct visited *v)
{
    SSL_do_handshake(v->ssl);
    v->room = v->most;
    return tls_handshake(v->tls);
}

static inline enum tls_status visited_handshake(struct visited *v)
{
    enum tls_status status = TLS_WANT_READ;
    for (int i = 0; i < 50; i++) {
        status = visited_step(v);
    }
    return status;
}

// The server says something, the client reads all there is: tickets, the word, an alert.
static inline void visited_read(struct visited *v)
{
    char data[16] = "";
    size_t n = 0;
    size_t put = 0;
    (void)tls_write(v->tls, "hello", 5, &put);
    v->served = SSL_read_ex(v->ssl, data, sizeof data, &n) == 1 && n == 5 && memcmp(data, "hello", 5) == 0;
}

static inline void visited_clear(struct visited *v)
{
    tls_connection_free(v->tls);
    SSL_set_shutdown(v->ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN); // or its session counts as a bad one
    SSL_free(v->ssl);
    SSL_CTX_free(v->ctx);
    SSL_SESSION_free(v->session);
    ERR_clear_error();
}

#endif
