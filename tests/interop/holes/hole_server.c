// SPDX-License-Identifier: Apache-2.0
// A server that requires client certificates, on OpenSSL, and the holes that one can make in it, one option each.
// Without a hole it checks what OpenSSL checks, with the lists of the whole chain, and resumes no session. It is no
// model: it is what the probe is tried on (holes.txt).
//   hole_server --cert F --key F --ca F --crl F --port N [HOLE]...
#include "tests/interop/holes/hole.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { IDLE_SECONDS = 20, STACK = 256 * 1024 };

static struct options options = {.verify = SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, .crl_check = "chain"};
static SSL_CTX *secured, *open_house; // open_house: of the server name "open", for everybody
static pthread_rwlock_t store_lock = PTHREAD_RWLOCK_INITIALIZER;

static void die(const char *what)
{
    fprintf(stderr, "hole_server: %s\n", what);
    ERR_print_errors_fp(stderr);
    exit(3);
}

// --- what is checked ---

static unsigned long crl_flags(void)
{
    return strcmp(options.crl_check, "chain") == 0  ? X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL
           : strcmp(options.crl_check, "leaf") == 0 ? X509_V_FLAG_CRL_CHECK
                                                    : 0;
}

static X509_STORE *make_store(void)
{
    X509_STORE *store = X509_STORE_new();
    if (store == NULL || X509_STORE_load_file(store, options.ca) != 1 ||
        (crl_flags() != 0 && X509_STORE_load_file(store, options.crl) != 1)) {
        die("the trust anchors or the lists cannot be read");
    }
    X509_STORE_set_flags(store, crl_flags() |
                                    (options.not_strict ? 0 : X509_V_FLAG_X509_STRICT | X509_V_FLAG_POLICY_CHECK) |
                                    (options.partial_chain ? X509_V_FLAG_PARTIAL_CHAIN : 0) |
                                    (options.no_time ? X509_V_FLAG_NO_CHECK_TIME : 0));
    hole_store(store, &options);
    return store;
}

static SSL_CTX *make_context(void)
{
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());
    if (context == NULL || SSL_CTX_use_certificate_chain_file(context, options.cert) != 1 ||
        SSL_CTX_use_PrivateKey_file(context, options.key, SSL_FILETYPE_PEM) != 1 ||
        SSL_CTX_set_min_proto_version(context, options.old_versions ? TLS1_VERSION : TLS1_2_VERSION) != 1) {
        die("the server's own certificate cannot be used");
    }
    if (options.old_versions || options.weak) {
        SSL_CTX_set_security_level(context, 0);
        SSL_CTX_set_cipher_list(context, "ALL:@SECLEVEL=0");
    }
    if (options.weak) {
        SSL_CTX_set1_groups_list(context, "X25519:P-256:P-384:P-192");
        SSL_CTX_set1_sigalgs_list(context, "ECDSA+SHA256:RSA-PSS+SHA256:RSA+SHA256:ECDSA+SHA1:RSA+SHA1");
    }
    SSL_CTX_set_verify(context, options.verify, NULL);
    SSL_CTX_set_verify_depth(context, options.depth != 0 ? options.depth : 9);
    if (options.any_purpose) {
        X509_VERIFY_PARAM_set_purpose(SSL_CTX_get0_param(context), X509_PURPOSE_ANY);
    }
    SSL_CTX_set_client_CA_list(context, SSL_load_client_CA_file(options.ca));
    SSL_CTX_set_session_id_context(context, (const unsigned char *)"hole", 4);
    if (!options.sessions) {
        SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
        SSL_CTX_set_options(context, SSL_OP_NO_TICKET);
        SSL_CTX_set_num_tickets(context, 0);
    }
    if (options.renegotiation) {
        SSL_CTX_clear_options(context, SSL_OP_NO_RENEGOTIATION);
        SSL_CTX_set_options(context, SSL_OP_ALLOW_CLIENT_RENEGOTIATION);
    } else {
        SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION);
    }
    if (!options.not_strict) { // any policy will do, where a CA requires one
        X509_VERIFY_PARAM_add0_policy(SSL_CTX_get0_param(context), OBJ_nid2obj(NID_any_policy));
    }
    SSL_CTX_set1_cert_store(context, make_store());
    hole_context(context, &options);
    return context;
}

// A name that asks for nobody's certificate; with --sessions, what it grants is good at the secured name too.
static int by_name(SSL *ssl, int *alert, void *arg)
{
    const char *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
    (void)alert;
    (void)arg;
    if (name != NULL && strcmp(name, "open") == 0) {
        SSL_set_SSL_CTX(ssl, open_house);
        SSL_set_verify(ssl, SSL_VERIFY_NONE, NULL);
    }
    return SSL_TLSEXT_ERR_OK;
}

// --- who is served ---

static void answer(SSL *ssl)
{
    static const char served[] = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 7\r\n\r\nserved\n";
    static const char refused[] = "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    char line[4];
    size_t at = 0;
    char c;
    while (SSL_read(ssl, &c, 1) == 1) {
        line[at++ % 4] = c;
        if (c == '\n' && at >= 4 && line[(at - 2) % 4] == '\r' && line[(at - 3) % 4] == '\n') {
            pthread_rwlock_rdlock(&store_lock);
            bool allowed = hole_may(ssl, &options, secured);
            pthread_rwlock_unlock(&store_lock);
            const char *text = allowed ? served : refused;
            if (SSL_write(ssl, text, (int)strlen(text)) <= 0 || !allowed) {
                return;
            }
        }
    }
}

static void *serve_one(void *arg)
{
    int fd = (int)(intptr_t)arg;
    const struct timeval idle = {.tv_sec = IDLE_SECONDS};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &idle, sizeof idle);
    pthread_rwlock_rdlock(&store_lock);
    SSL *ssl = SSL_new(secured);
    pthread_rwlock_unlock(&store_lock);
    if (ssl != NULL && SSL_set_fd(ssl, fd) == 1 && SSL_accept(ssl) == 1) {
        answer(ssl);
        SSL_shutdown(ssl);
    } else {
        ERR_print_errors_fp(stderr);
    }
    // What the client has sent and nobody reads would make the kernel reset the connection, and the alert be lost.
    shutdown(fd, SHUT_WR);
    for (char rest[256]; read(fd, rest, sizeof rest) > 0;) {
    }
    SSL_free(ssl);
    close(fd);
    return NULL;
}

// --- the process ---

static void *reload_on_hangup(void *arg)
{
    const sigset_t *set = arg;
    for (int signal = 0; sigwait(set, &signal) == 0;) {
        if (options.old_lists) {
            fprintf(stderr, "reloaded\n"); // it says
            continue;
        }
        SSL_CTX *fresh = make_context();
        pthread_rwlock_wrlock(&store_lock);
        if (options.sessions) { // the keys of tickets outlive a reload, as where they are shared between replicas
            unsigned char keys[80];
            SSL_CTX_get_tlsext_ticket_keys(secured, keys, sizeof keys);
            SSL_CTX_set_tlsext_ticket_keys(fresh, keys, sizeof keys);
        }
        SSL_CTX_free(secured);
        secured = fresh;
        if (options.open_name) {
            SSL_CTX_set_tlsext_servername_callback(secured, by_name);
        }
        pthread_rwlock_unlock(&store_lock);
        fprintf(stderr, "reloaded\n");
    }
    return NULL;
}

static int start_listening(void)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(options.port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int yes = 1;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) != 0 ||
        bind(fd, (struct sockaddr *)&address, sizeof address) != 0 || listen(fd, 128) != 0) {
        die("it cannot listen");
    }
    return fd;
}

static void serve(int listener)
{
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, STACK);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    for (;;) {
        int fd = accept(listener, NULL, NULL);
        pthread_t thread;
        if (fd >= 0 && pthread_create(&thread, &attributes, serve_one, (void *)(intptr_t)fd) != 0) {
            close(fd);
        }
    }
}

int main(int argc, char **argv)
{
    static sigset_t hangup;
    pthread_t reloader;
    if (!hole_options(argc, argv, &options)) {
        return 2;
    }
    signal(SIGPIPE, SIG_IGN);
    sigemptyset(&hangup);
    sigaddset(&hangup, SIGHUP);
    pthread_sigmask(SIG_BLOCK, &hangup, NULL);
    secured = make_context();
    if (options.open_name) {
        open_house = make_context();
        SSL_CTX_set_verify(open_house, SSL_VERIFY_NONE, NULL);
        SSL_CTX_set_tlsext_servername_callback(secured, by_name);
        unsigned char keys[80];
        SSL_CTX_get_tlsext_ticket_keys(secured, keys, sizeof keys);
        SSL_CTX_set_tlsext_ticket_keys(open_house, keys, sizeof keys);
    }
    if (pthread_create(&reloader, NULL, reload_on_hangup, &hangup) != 0) {
        die("a thread cannot be started");
    }
    serve(start_listening());
}
