// SPDX-License-Identifier: Apache-2.0
// Many clients at once, on OpenSSL, for the end-to-end tests.
//
//   peers steady PORT CA CERT KEY THREADS
//       Asks for /whoami again and again, a new connection every 20 requests, until it gets SIGTERM. Then prints
//       "N requests, N failed", and what the first failures were on stderr.
//   peers hold PORT CA CERT KEY COUNT COMMAND...
//       Opens so many connections, has /whoami answered on each, runs the command, and waits (10 s at most) until the
//       server has closed them all. Prints "N closed with certificate_revoked, N otherwise, N open", and on stderr how
//       long after the command's end the last one was closed.
//   peers late PORT CA CERT KEY VERSION COMMAND...
//       Runs the command in the middle of a handshake: the server has said all it has to, and waits for our
//       certificate. Then prints "served", or how it ended.
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { REQUESTS_A_CONNECTION = 20, FAILURES_SHOWN = 5, HOLD_MS = 10000 };

static int port;
static SSL_CTX *context;
static atomic_bool stopping;
static atomic_uint requests, failed;

static void die(const char *what)
{
    fprintf(stderr, "peers: %s\n", what);
    ERR_print_errors_fp(stderr);
    exit(3);
}

static void prepare(char **argv)
{
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    signal(SIGPIPE, SIG_IGN);
    port = atoi(argv[0]);
    context = SSL_CTX_new(TLS_client_method());
    if (context == NULL || SSL_CTX_load_verify_locations(context, argv[1], NULL) != 1 ||
        SSL_CTX_use_certificate_chain_file(context, argv[2]) != 1 ||
        SSL_CTX_use_PrivateKey_file(context, argv[3], SSL_FILETYPE_PEM) != 1) {
        die("cannot read the certificates");
    }
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
    SSL_CTX_clear_mode(context, SSL_MODE_AUTO_RETRY); // a ticket alone does not make hold wait for more
}

static SSL *dial(void)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((unsigned short)port)};
    int on = 1;
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof to) != 0) {
        return NULL;
    }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    SSL *ssl = SSL_new(context);
    SSL_set_fd(ssl, fd);
    SSL_set_tlsext_host_name(ssl, "localhost");
    if (SSL_connect(ssl) != 1) {
        SSL_free(ssl);
        close(fd);
        return NULL;
    }
    return ssl;
}

static void hang_up(SSL *ssl)
{
    if (ssl != NULL) {
        int fd = SSL_get_fd(ssl);
        SSL_shutdown(ssl);
        SSL_free(ssl);
        close(fd);
    }
}

// One whole request: status 200, and all of the body that its length announces.
static int ask(SSL *ssl)
{
    static const char request[] = "GET /whoami HTTP/1.1\r\nHost: localhost\r\n\r\n";
    char answer[8192];
    size_t len = 0;
    if (SSL_write(ssl, request, sizeof request - 1) <= 0) {
        return -1;
    }
    while (len < sizeof answer - 1) {
        int n = SSL_read(ssl, answer + len, (int)(sizeof answer - 1 - len));
        if (n <= 0 && SSL_get_error(ssl, n) == SSL_ERROR_WANT_READ) {
            continue;
        }
        if (n <= 0) {
            return -1;
        }
        len += (size_t)n;
        answer[len] = '\0';
        const char *body = strstr(answer, "\r\n\r\n");
        const char *length = strcasestr(answer, "\r\nContent-Length:");
        if (body != NULL && length != NULL && (size_t)(body + 4 - answer) + strtoul(length + 17, NULL, 10) == len) {
            return strncmp(answer, "HTTP/1.1 200 ", 13) == 0 ? 0 : -1;
        }
    }
    return -1;
}

static void count_failure(const char *what)
{
    unsigned long code = ERR_peek_last_error();
    int why = errno;
    if (atomic_fetch_add(&failed, 1) < FAILURES_SHOWN) {
        fprintf(stderr, "peers: %s failed: %s\n", what, code != 0 ? ERR_reason_error_string(code) : strerror(why));
    }
    ERR_clear_error();
}

static void *work(void *arg)
{
    (void)arg;
    while (!atomic_load(&stopping)) {
        SSL *ssl = dial();
        if (ssl == NULL) {
            count_failure("a handshake");
            continue;
        }
        for (int i = 0; i < REQUESTS_A_CONNECTION && !atomic_load(&stopping); i++) {
            atomic_fetch_add(&requests, 1);
            if (ask(ssl) != 0) {
                count_failure("a request");
                break;
            }
        }
        hang_up(ssl);
    }
    return NULL;
}

static void on_term(int number)
{
    (void)number;
    atomic_store(&stopping, true);
}

static int steady(int threads)
{
    pthread_t ids[64];
    signal(SIGTERM, on_term);
    for (int i = 0; i < threads && i < 64; i++) {
        pthread_create(&ids[i], NULL, work, NULL);
    }
    for (int i = 0; i < threads && i < 64; i++) {
        pthread_join(ids[i], NULL);
    }
    printf("%u requests, %u failed\n", atomic_load(&requests), atomic_load(&failed));
    return atomic_load(&failed) == 0 ? 0 : 1;
}

static long now_ms(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static void run(char **command)
{
    int status = 0;
    pid_t pid = fork();
    if (pid == 0) {
        dup2(2, 1);
        execvp(command[0], command);
        _exit(127);
    }
    if (pid < 0 || waitpid(pid, &status, 0) != pid || status != 0) {
        die("the command failed");
    }
}

static int hold(int count, char **command)
{
    struct pollfd *polls = calloc((size_t)count, sizeof *polls);
    SSL **all = calloc((size_t)count, sizeof *all);
    int revoked = 0;
    int otherwise = 0;
    long last = 0;
    if (polls == NULL || all == NULL) {
        die("no memory");
    }
    for (int i = 0; i < count; i++) {
        all[i] = dial();
        if (all[i] == NULL || ask(all[i]) != 0) {
            die("cannot open all connections");
        }
        polls[i] = (struct pollfd){.fd = SSL_get_fd(all[i]), .events = POLLIN};
    }
    run(command);
    long begin = now_ms();
    while (revoked + otherwise < count && now_ms() - begin < HOLD_MS) {
        poll(polls, (nfds_t)count, 100);
        for (int i = 0; i < count; i++) {
            char octet;
            if (polls[i].fd < 0 || polls[i].revents == 0) {
                continue;
            }
            int n = SSL_read(all[i], &octet, 1);
            if (n > 0 || SSL_get_error(all[i], n) == SSL_ERROR_WANT_READ) {
                continue;
            }
            bool alert = ERR_GET_REASON(ERR_peek_last_error()) == SSL_R_SSLV3_ALERT_CERTIFICATE_REVOKED;
            revoked += alert;
            otherwise += !alert;
            ERR_clear_error();
            close(polls[i].fd);
            polls[i].fd = -1;
            last = now_ms() - begin;
        }
    }
    printf("%d closed with certificate_revoked, %d otherwise, %d open\n", revoked, otherwise,
           count - revoked - otherwise);
    free(polls);
    free(all);
    fprintf(stderr, "the last was closed %ld ms after the command's end\n", last);
    return 0;
}

static char **late_command;

static void on_state(const SSL *ssl, int where, int code)
{
    OSSL_HANDSHAKE_STATE state = SSL_get_state(ssl);
    (void)code;
    if ((where & SSL_CB_LOOP) != 0 && late_command != NULL &&
        (state == TLS_ST_CR_SRVR_DONE || (SSL_version(ssl) == TLS1_3_VERSION && state == TLS_ST_CR_FINISHED))) {
        char **command = late_command;
        late_command = NULL;
        run(command);
    }
}

static int late(const char *version, char **command)
{
    int number = strcmp(version, "1.2") == 0 ? TLS1_2_VERSION : TLS1_3_VERSION;
    SSL_CTX_set_min_proto_version(context, number);
    SSL_CTX_set_max_proto_version(context, number);
    SSL_CTX_set_info_callback(context, on_state);
    late_command = command;
    SSL *ssl = dial();
    if (ssl != NULL && ask(ssl) == 0) {
        puts("served");
        return 0;
    }
    const char *why = ERR_reason_error_string(ERR_peek_last_error());
    puts(late_command != NULL ? "no handshake" : why != NULL ? why : "the connection ended");
    return 1;
}

int main(int argc, char **argv)
{
    if (argc == 7 && strcmp(argv[1], "steady") == 0) {
        prepare(argv + 2);
        return steady(atoi(argv[6]));
    }
    if (argc > 7 && strcmp(argv[1], "hold") == 0) {
        prepare(argv + 2);
        return hold(atoi(argv[6]), argv + 7);
    }
    if (argc > 7 && strcmp(argv[1], "late") == 0) {
        prepare(argv + 2);
        return late(argv[6], argv + 7);
    }
    fputs("usage: peers steady|hold|late PORT CA CERT KEY ...\n", stderr);
    return 2;
}
