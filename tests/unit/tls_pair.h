// SPDX-License-Identifier: Apache-2.0
// Two connections that talk to each other through memory.
#ifndef MTLS_TESTS_TLS_PAIR_H
#define MTLS_TESTS_TLS_PAIR_H

#include "openssl_pki.h"
#include "tls/internal.h"

struct end {
    struct buf in; // what the other end sent
    struct end *other;
    struct tls_connection *tls;
    bool closed; // the other end sends no more
    bool slow;   // it takes one byte at a time, every other time
    bool full;   // and this is the other time
};

static inline long end_receive(void *arg, uint8_t *data, size_t len)
{
    struct end *end = arg;
    size_t n = end->in.len < len ? end->in.len : len;
    if (n == 0) {
        return end->closed ? 0 : TLS_IO_AGAIN;
    }
    memcpy(data, end->in.data, n);
    memmove(end->in.data, end->in.data + n, end->in.len - n);
    end->in.len -= n;
    return (long)n;
}

static inline long end_send(void *arg, const uint8_t *data, size_t len)
{
    struct end *end = arg;
    size_t n = len > 7 ? len - len / 3 : len; // short writes happen
    if (end->slow) {
        end->full = !end->full;
        n = 1;
    }
    if (end->full) {
        return TLS_IO_AGAIN;
    }
    buf_add(&end->other->in, data, n);
    return (long)n;
}

struct pair {
    struct end client;
    struct end server;
    struct tls_context *client_context;
    struct tls_context *server_context;
};

static inline struct tls_context *pair_context(enum tls_role role, const char *below, enum tls_versions versions)
{
    struct err e = ERR_INIT;
    const char *anchor_file = pki_path("trust.pem", "");
    const char *crl_file = pki_path("crl.pem", "");
    struct trust_files files = {.anchors = {&anchor_file, 1}, .crls = {&crl_file, crl_file == NULL ? 0 : 1}};
    struct tls_settings settings = {.role = role, .versions = versions, .snapshot = trust_snapshot_load(&files, &e)};
    if (below != NULL) {
        settings.credentials = tls_credentials_load(pki_path(below, "fullchain.pem"), pki_path(below, "key.pem"), &e);
    }
    struct tls_context *made = tls_context_new(&settings, &e);
    assert_string_equal(e.text, "");
    trust_snapshot_free(settings.snapshot);
    return made;
}

static inline void end_open(struct end *end, struct end *other, struct tls_context *of, const char *name)
{
    struct err e = ERR_INIT;
    struct tls_io io = {.arg = end, .receive = end_receive, .send = end_send};
    end->other = other;
    end->tls = tls_connection_new(of, io, name, &e);
    assert_string_equal(e.text, "");
}

static inline void pair_open(struct pair *pair, const char *client, const char *server, const char *name,
                             enum tls_versions versions)
{
    *pair = (struct pair){0};
    pair->client_context = pair_context(TLS_CLIENT, client, versions);
    pair->server_context = pair_context(TLS_SERVER, server, TLS_1_2_AND_1_3);
    end_open(&pair->client, &pair->server, pair->client_context, name);
    end_open(&pair->server, &pair->client, pair->server_context, NULL);
}

static inline void pair_close(struct pair *pair)
{
    tls_connection_free(pair->client.tls);
    tls_connection_free(pair->server.tls);
    tls_context_free(pair->client_context);
    tls_context_free(pair->server_context);
    buf_clear(&pair->client.in);
    buf_clear(&pair->server.in);
}

static inline void pair_shake(struct pair *pair, enum tls_status *client, enum tls_status *server)
{
    *client = TLS_WANT_READ;
    *server = TLS_WANT_READ;
    for (int i = 0; i < 50; i++) {
        *client = tls_handshake(pair->client.tls);
        *server = tls_handshake(pair->server.tls);
    }
}

static const enum tls_versions both_versions[] = {TLS_1_2_ONLY, TLS_1_3_ONLY};

#endif
