// SPDX-License-Identifier: Apache-2.0
// What a server on mbedTLS costs at least: one epoll loop, the library's own verification and its own tickets, as its
// documentation has them. It is there to be measured beside mtls, and is no example: it does not know who a client is
// that resumes in TLS 1.3, and asks no list again when one resumes in TLS 1.2.
//   minimal_server READY-FILE CERTIFICATE KEY ANCHORS LISTS FILE       GET /whoami, GET /download
#include <arpa/inet.h>
#include <mbedtls/ctr_drbg.h>
#include <mbedtls/entropy.h>
#include <mbedtls/net_sockets.h>
#include <mbedtls/ssl.h>
#include <mbedtls/ssl_ticket.h>
#include <psa/crypto.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

enum { REQUEST_MOST = 4096, RECORD = 16384, EVENTS = 64, BACKLOG = 1024, TICKET_LIFETIME = 86400 };
enum { ANSWER = 680 }; // octets of content, so that what is said of a client takes as many octets as what mtls says

struct connection {
    mbedtls_net_context net;
    mbedtls_ssl_context tls;
    bool secured;
    char request[REQUEST_MOST]; // no more than that, and one at a time
    size_t request_len;
    char head[1024];
    size_t head_len, head_sent;
    size_t body_left;
};

static struct {
    mbedtls_entropy_context entropy;
    mbedtls_ctr_drbg_context random;
    mbedtls_x509_crt certificate, anchors;
    mbedtls_x509_crl lists;
    mbedtls_pk_context key;
    mbedtls_ssl_ticket_context tickets;
    mbedtls_ssl_config config;
    unsigned char *file;
    size_t file_len;
    int poll;
} server;

static void check(int code, const char *what)
{
    if (code != 0) {
        fprintf(stderr, "minimal_server: %s: -0x%x\n", what, (unsigned)-code);
        exit(3);
    }
}

static void configure(char **argv)
{
    check(psa_crypto_init(), "psa_crypto_init");
    mbedtls_entropy_init(&server.entropy);
    mbedtls_ctr_drbg_init(&server.random);
    mbedtls_x509_crt_init(&server.certificate);
    mbedtls_x509_crt_init(&server.anchors);
    mbedtls_x509_crl_init(&server.lists);
    mbedtls_pk_init(&server.key);
    mbedtls_ssl_ticket_init(&server.tickets);
    mbedtls_ssl_config_init(&server.config);
    check(mbedtls_ctr_drbg_seed(&server.random, mbedtls_entropy_func, &server.entropy, NULL, 0), "seed");
    check(mbedtls_x509_crt_parse_file(&server.certificate, argv[2]), argv[2]);
    check(mbedtls_pk_parse_keyfile(&server.key, argv[3], NULL, mbedtls_ctr_drbg_random, &server.random), argv[3]);
    check(mbedtls_x509_crt_parse_file(&server.anchors, argv[4]), argv[4]);
    check(mbedtls_x509_crl_parse_file(&server.lists, argv[5]), argv[5]);
    check(mbedtls_ssl_config_defaults(&server.config, MBEDTLS_SSL_IS_SERVER, MBEDTLS_SSL_TRANSPORT_STREAM,
                                      MBEDTLS_SSL_PRESET_DEFAULT),
          "defaults");
    check(mbedtls_ssl_ticket_setup(&server.tickets, mbedtls_ctr_drbg_random, &server.random, MBEDTLS_CIPHER_AES_256_GCM,
                                   TICKET_LIFETIME),
          "tickets");
    mbedtls_ssl_conf_rng(&server.config, mbedtls_ctr_drbg_random, &server.random);
    mbedtls_ssl_conf_authmode(&server.config, MBEDTLS_SSL_VERIFY_REQUIRED);
    mbedtls_ssl_conf_ca_chain(&server.config, &server.anchors, &server.lists);
    mbedtls_ssl_conf_session_tickets_cb(&server.config, mbedtls_ssl_ticket_write, mbedtls_ssl_ticket_parse,
                                        &server.tickets);
    check(mbedtls_ssl_conf_own_cert(&server.config, &server.certificate, &server.key), "certificate");
}

static void read_file(const char *path)
{
    FILE *file = fopen(path, "r");
    struct stat about;
    if (file == NULL || fstat(fileno(file), &about) != 0) {
        check(-1, path);
        return;
    }
    server.file_len = (size_t)about.st_size;
    server.file = malloc(server.file_len + 1);
    check(server.file == NULL || fread(server.file, 1, server.file_len, file) != server.file_len ? -1 : 0, path);
    fclose(file);
}

static int listen_anywhere(const char *ready_file)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    check(fd < 0 || bind(fd, (struct sockaddr *)&address, len) != 0 || listen(fd, BACKLOG) != 0 ? -1 : 0, "listening");
    check(getsockname(fd, (struct sockaddr *)&address, &len), "getsockname");
    FILE *ready = fopen(ready_file, "w");
    check(ready == NULL || fprintf(ready, "%d\n", ntohs(address.sin_port)) < 0 || fclose(ready) != 0 ? -1 : 0,
          ready_file);
    return fd;
}

static void connection_open(int listener)
{
    struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLET};
    int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
    if (fd < 0) {
        return;
    }
    struct connection *c = calloc(1, sizeof *c);
    check(c == NULL ? -1 : 0, "memory");
    c->net.fd = fd;
    mbedtls_ssl_init(&c->tls);
    check(mbedtls_ssl_setup(&c->tls, &server.config), "mbedtls_ssl_setup");
    mbedtls_ssl_set_bio(&c->tls, &c->net, mbedtls_net_send, mbedtls_net_recv, NULL);
    event.data.ptr = c;
    check(epoll_ctl(server.poll, EPOLL_CTL_ADD, fd, &event), "epoll_ctl");
}

static void connection_free(struct connection *c)
{
    mbedtls_ssl_close_notify(&c->tls);
    mbedtls_ssl_free(&c->tls);
    mbedtls_net_free(&c->net);
    free(c);
}

static void answer(struct connection *c)
{
    char subject[256] = "";
    char body[320];
    const mbedtls_x509_crt *peer = mbedtls_ssl_get_peer_cert(&c->tls);
    if (strncmp(c->request, "GET /download ", 14) == 0) {
        c->head_len = (size_t)snprintf(c->head, sizeof c->head, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n",
                                       server.file_len);
        c->body_left = server.file_len;
    } else {
        if (peer != NULL) {
            mbedtls_x509_dn_gets(subject, sizeof subject, &peer->subject);
        }
        int len = snprintf(body, sizeof body, "{\"subject\": \"%s\"}", subject);
        c->head_len =
            (size_t)snprintf(c->head, sizeof c->head,
                             "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s%*s\n",
                             ANSWER, body, ANSWER - 1 - len, "");
    }
    c->head_sent = 0;
    c->request_len = 0;
}

// 1: goes on; 0: would block; negative: it ended.
static int write_some(struct connection *c)
{
    const unsigned char *data = (const unsigned char *)c->head + c->head_sent;
    size_t len = c->head_len - c->head_sent;
    if (len == 0) {
        data = server.file + (server.file_len - c->body_left);
        len = c->body_left < RECORD ? c->body_left : RECORD;
    }
    int n = mbedtls_ssl_write(&c->tls, data, len);
    if (n > 0 && c->head_sent < c->head_len) {
        c->head_sent += (size_t)n;
    } else if (n > 0) {
        c->body_left -= (size_t)n;
    }
    return n == MBEDTLS_ERR_SSL_WANT_WRITE ? 0 : n;
}

static int read_some(struct connection *c)
{
    int n = mbedtls_ssl_read(&c->tls, (unsigned char *)c->request + c->request_len, REQUEST_MOST - 1 - c->request_len);
    if (n > 0) {
        c->request_len += (size_t)n;
        c->request[c->request_len] = '\0';
        if (strstr(c->request, "\r\n\r\n") != NULL) {
            answer(c);
        }
        return c->request_len < REQUEST_MOST - 1 ? 1 : -1;
    }
    return n == MBEDTLS_ERR_SSL_WANT_READ ? 0 : n == 0 ? -1 : n;
}

static void connection_step(struct connection *c)
{
    int going = 1;
    if (!c->secured) {
        going = mbedtls_ssl_handshake(&c->tls);
        c->secured = going == 0;
        going = going == MBEDTLS_ERR_SSL_WANT_READ || going == MBEDTLS_ERR_SSL_WANT_WRITE ? 0 : c->secured ? 1 : -1;
    }
    while (going > 0) {
        going = c->head_sent < c->head_len || c->body_left > 0 ? write_some(c) : read_some(c);
        going = going == MBEDTLS_ERR_SSL_RECEIVED_NEW_SESSION_TICKET ? 1 : going;
    }
    if (going < 0) {
        connection_free(c);
    }
}

int main(int argc, char **argv)
{
    struct epoll_event events[EVENTS] = {{.events = EPOLLIN}};
    struct rlimit files;
    if (argc != 7) {
        fprintf(stderr, "usage: minimal_server READY-FILE CERTIFICATE KEY ANCHORS LISTS FILE\n");
        return 2;
    }
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    configure(argv);
    read_file(argv[6]);
    server.poll = epoll_create1(0);
    int listener = listen_anywhere(argv[1]);
    check(epoll_ctl(server.poll, EPOLL_CTL_ADD, listener, &events[0]), "epoll_ctl"); // data.ptr NULL: the listener
    for (;;) {
        int count = epoll_wait(server.poll, events, EVENTS, -1);
        for (int i = 0; i < count; i++) {
            if (events[i].data.ptr == NULL) {
                connection_open(listener);
            } else {
                connection_step(events[i].data.ptr);
            }
        }
    }
}
