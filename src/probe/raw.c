// SPDX-License-Identifier: Apache-2.0
#include "probe/raw.h"

#include "base/clock.h"
#include "base/x509.h"

#include <arpa/inet.h>
#include <errno.h>
#include <mbedtls/platform_util.h>
#include <poll.h>
#include <psa/crypto.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { ALERT_RECORD = 21, HANDSHAKE_RECORD = 22, HEADER = 5, ALERT_BODY = 2 };

struct raw {
    const struct dial_target *target;
    struct raw_answer *answer;
    int fd;
    uint64_t deadline;
    bool verified; // the target has presented a certificate in this handshake
    bool any;      // it has said something
    bool hello;    // and that was no alert
    bool alert_next;
    mbedtls_ssl_context ssl;
    mbedtls_ssl_config config;
    struct rng rng;
    mbedtls_x509_crt chain;
    mbedtls_pk_context key;
};

void raw_session_clear(struct raw_session *session)
{
    if (session->session != NULL) {
        mbedtls_ssl_session_free(session->session);
        free(session->session);
        session->session = NULL;
    }
}

// There is no call for it; but what mbedTLS saves it also loads, and the name stands there behind its length and with
// its NUL, in TLS 1.3. If it stands there twice, this is not what it was.
bool raw_session_rename(struct raw_session *session, const char *from, const char *to)
{
    enum { SAVED_MOST = 128 * 1024 };
    uint8_t *saved = mem_alloc(SAVED_MOST);
    size_t len = 0;
    struct buf old = {0};
    struct buf changed = {0};
    bool renamed = false;
    const uint8_t old_len = (uint8_t)(strlen(from) + 1);
    const uint8_t new_len = (uint8_t)(strlen(to) + 1);
    buf_add(&old, &old_len, 1);
    buf_add(&old, from, old_len);
    if (mbedtls_ssl_session_save(session->session, saved, SAVED_MOST, &len) == 0) {
        const uint8_t *at = memmem(saved, len, old.data, old.len);
        size_t rest = at == NULL ? 0 : len - (size_t)(at - saved) - old.len;
        if (at != NULL && memmem(at + old.len, rest, old.data, old.len) == NULL) {
            buf_add(&changed, saved, (size_t)(at - saved));
            buf_add(&changed, &new_len, 1);
            buf_add(&changed, to, new_len);
            buf_add(&changed, at + old.len, rest);
            mbedtls_ssl_session_free(session->session);
            mbedtls_ssl_session_init(session->session);
            renamed = mbedtls_ssl_session_load(session->session, changed.data, changed.len) == 0;
        }
    }
    mbedtls_platform_zeroize(saved, SAVED_MOST);
    free(saved);
    buf_clear(&old);
    buf_clear(&changed);
    return renamed;
}

// --- the transport ---

static int bio_send(void *arg, const unsigned char *data, size_t len)
{
    struct raw *r = arg;
    ssize_t n = send(r->fd, data, len, MSG_NOSIGNAL);
    if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
        return MBEDTLS_ERR_SSL_WANT_WRITE;
    }
    return n < 0 ? (int)len : (int)n; // as send_counted of dial.c
}

// mbedTLS asks for a record's header, then for its body: an alert in the clear is seen as it passes.
static int bio_receive(void *arg, unsigned char *data, size_t len)
{
    struct raw *r = arg;
    ssize_t n = recv(r->fd, data, len, 0);
    if (n < 0) {
        return errno == EAGAIN || errno == EWOULDBLOCK ? MBEDTLS_ERR_SSL_WANT_READ : MBEDTLS_ERR_SSL_CONN_EOF;
    }
    if (n == HEADER && data[0] == HANDSHAKE_RECORD) {
        r->hello = true;
    }
    if (n == ALERT_BODY && r->alert_next) {
        r->answer->outcome.alert = data[1];
    }
    r->alert_next = n == HEADER && data[0] == ALERT_RECORD && data[HEADER - 1] == ALERT_BODY;
    r->any = r->any || n > 0;
    return (int)n;
}

// Waits for what mbedTLS wants. False: it is something else, or too late.
static bool wait_for(const struct raw *r, int code)
{
    return (code == MBEDTLS_ERR_SSL_WANT_READ && dial_wait(r->fd, POLLIN, r->deadline)) ||
           (code == MBEDTLS_ERR_SSL_WANT_WRITE && dial_wait(r->fd, POLLOUT, r->deadline));
}

// --- setting up ---

static int note_certificate(void *arg, mbedtls_x509_crt *crt, int depth, uint32_t *flags)
{
    struct raw *r = arg;
    (void)crt;
    (void)depth;
    (void)flags; // nobody is judged here
    r->verified = true;
    return 0;
}

static int take_identity(struct raw *r, const struct identity *identity)
{
    for (size_t i = 0; i < identity->count; i++) {
        int code = x509_add(&r->chain, buf_span(&identity->chain[i]));
        if (code != 0) {
            return code;
        }
    }
    int code = mbedtls_pk_parse_key(&r->key, identity->key.data, identity->key.len, NULL, 0, rng_bytes, &r->rng);
    return code != 0 ? code : mbedtls_ssl_conf_own_cert(&r->config, &r->chain, &r->key);
}

static int configure(struct raw *r, const struct raw_call *call)
{
    int code = mbedtls_ssl_config_defaults(&r->config, MBEDTLS_SSL_IS_CLIENT, MBEDTLS_SSL_TRANSPORT_STREAM,
                                           MBEDTLS_SSL_PRESET_DEFAULT);
    if (code != 0) {
        return code;
    }
    mbedtls_ssl_protocol_version version =
        call->version == PROBE_TLS_1_2 ? MBEDTLS_SSL_VERSION_TLS1_2 : MBEDTLS_SSL_VERSION_TLS1_3;
    mbedtls_ssl_conf_rng(&r->config, rng_bytes, &r->rng);
    mbedtls_ssl_conf_min_tls_version(&r->config, version);
    mbedtls_ssl_conf_max_tls_version(&r->config, version);
    mbedtls_ssl_conf_authmode(&r->config, MBEDTLS_SSL_VERIFY_OPTIONAL);
    mbedtls_ssl_conf_verify(&r->config, note_certificate, r);
    mbedtls_ssl_conf_session_tickets(&r->config, MBEDTLS_SSL_SESSION_TICKETS_ENABLED);
    mbedtls_ssl_conf_tls13_enable_signal_new_session_tickets(&r->config,
                                                             MBEDTLS_SSL_TLS1_3_SIGNAL_NEW_SESSION_TICKETS_ENABLED);
    mbedtls_ssl_conf_tls13_key_exchange_modes(&r->config, MBEDTLS_SSL_TLS1_3_KEY_EXCHANGE_MODE_ALL);
    return call->identity != NULL && call->identity->count > 0 ? take_identity(r, call->identity) : 0;
}

// RFC 6066 section 3: an address is no server name.
static int set_name(struct raw *r, const char *name)
{
    unsigned char address[16];
    bool is_address = inet_pton(AF_INET, name, address) == 1 || inet_pton(AF_INET6, name, address) == 1;
    return mbedtls_ssl_set_hostname(&r->ssl, is_address ? NULL : name);
}

static int set_up(struct raw *r, const struct raw_call *call)
{
    int code = psa_crypto_init() != PSA_SUCCESS ? MBEDTLS_ERR_SSL_INTERNAL_ERROR : configure(r, call);
    if (code == 0 && (code = mbedtls_ssl_setup(&r->ssl, &r->config)) == 0 && (code = set_name(r, call->name)) == 0 &&
        call->offered != NULL && call->offered->session != NULL) {
        code = mbedtls_ssl_set_session(&r->ssl, call->offered->session);
    }
    mbedtls_ssl_set_bio(&r->ssl, r, bio_send, bio_receive, NULL);
    return code;
}

// --- what happens ---

static void keep_session(struct raw *r)
{
    struct raw_session *kept = &r->answer->session;
    raw_session_clear(kept);
    kept->session = mem_alloc(sizeof *kept->session);
    mbedtls_ssl_session_init(kept->session);
    if (mbedtls_ssl_get_session(&r->ssl, kept->session) != 0) {
        raw_session_clear(kept);
    }
}

static void explain(struct raw *r, int code)
{
    struct outcome *o = &r->answer->outcome;
    struct err e = ERR_INIT;
    enum probe_seen refused = o->completed ? PROBE_REFUSED_LATE : PROBE_REFUSED;
    o->hello = r->hello;
    if (code == MBEDTLS_ERR_SSL_WANT_READ || code == MBEDTLS_ERR_SSL_WANT_WRITE) {
        outcome_set(o, r->hello ? PROBE_SILENT : PROBE_DOWN, "the target said nothing for %ld ms",
                    r->target->timeout_ms);
    } else if (code == MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE && o->alert >= 0) {
        outcome_set(o, refused, "alert %s (%d)", alert_name(o->alert), o->alert);
    } else if (code == MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE) {
        o->alert = TLS_ALERT_UNREADABLE;
        outcome_set(o, refused, "a fatal alert");
    } else if (code == MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY || code == MBEDTLS_ERR_SSL_CONN_EOF || code == 0) {
        outcome_set(o, r->any ? refused : PROBE_DOWN, "the target closed the connection");
    } else if (code == MBEDTLS_ERR_SSL_INVALID_MAC && !o->completed && r->hello) {
        // An alert of TLS 1.3 under a key that mbedTLS has left behind.
        outcome_set(o, refused, "a record that cannot be read, where the handshake should go on");
    } else {
        err_mbedtls(&e, code, "this program ended the connection itself");
        outcome_set(o, PROBE_NOT_RUN, "%s", e.text);
        o->doubtful = true;
    }
}

static bool shake_hands(struct raw *r, const struct raw_call *call)
{
    int code;
    while ((code = mbedtls_ssl_handshake(&r->ssl)) != 0) {
        if (!wait_for(r, code)) {
            explain(r, code);
            return false;
        }
    }
    struct outcome *o = &r->answer->outcome;
    o->hello = o->completed = true;
    o->proven = call->version == PROBE_TLS_1_2;
    r->answer->resumed = !r->verified;
    if (call->version == PROBE_TLS_1_2) {
        keep_session(r);
    }
    return true;
}

static void send_request(struct raw *r)
{
    char *request = request_text(r->target, false);
    size_t len = strlen(request);
    for (size_t sent = 0; sent < len;) {
        int n = mbedtls_ssl_write(&r->ssl, (const unsigned char *)request + sent, len - sent);
        if (n > 0) {
            sent += (size_t)n;
        } else if (!wait_for(r, n)) {
            break; // what the target says about it may still be readable
        }
    }
    free(request);
}

static void read_answer(struct raw *r)
{
    enum { ANSWER_MOST = 256 * 1024 };
    struct outcome *o = &r->answer->outcome;
    struct buf answer = {0};
    bool decided = false;
    int code = 0;
    while (!decided && answer.len < ANSWER_MOST) {
        unsigned char data[16384];
        code = mbedtls_ssl_read(&r->ssl, data, sizeof data);
        if (code > 0) {
            buf_add(&answer, data, (size_t)code);
            decided = answer_judge(r->target, &answer, false, o);
        } else if (code == MBEDTLS_ERR_SSL_RECEIVED_NEW_SESSION_TICKET) {
            o->proven = true;
            keep_session(r);
        } else if (!wait_for(r, code)) {
            break;
        }
    }
    if (!decided && !answer_judge(r->target, &answer, true, o)) {
        explain(r, code);
    }
    buf_clear(&answer);
}

void raw_ask(const struct dial_target *target, const struct raw_call *call, struct raw_answer *answer)
{
    struct raw r = {.target = target, .answer = answer, .fd = -1};
    struct err e = ERR_INIT;
    uint64_t start = clock_monotonic_us();
    *answer = (struct raw_answer){.outcome = {.seen = PROBE_DOWN, .alert = TLS_ALERT_NONE}};
    if (rng_init(&r.rng, &e) != 0) {
        outcome_set(&answer->outcome, PROBE_NOT_RUN, "%s", e.text);
        answer->outcome.doubtful = true;
        return;
    }
    mbedtls_ssl_init(&r.ssl);
    mbedtls_ssl_config_init(&r.config);
    mbedtls_x509_crt_init(&r.chain);
    mbedtls_pk_init(&r.key);
    int code = set_up(&r, call);
    if (code != 0) {
        err_mbedtls(&e, code, "this cannot be presented");
        outcome_set(&answer->outcome, PROBE_NOT_RUN, "%s", e.text);
        answer->outcome.doubtful = true;
    } else if ((r.fd = dial_socket(target, &answer->outcome)) >= 0) {
        r.deadline = clock_monotonic_us() + (uint64_t)target->timeout_ms * 1000;
        if (shake_hands(&r, call)) {
            send_request(&r);
            read_answer(&r);
            (void)mbedtls_ssl_close_notify(&r.ssl);
        }
        close(r.fd);
    }
    answer->outcome.took_us = clock_monotonic_us() - start;
    mbedtls_ssl_free(&r.ssl);
    mbedtls_ssl_config_free(&r.config);
    mbedtls_x509_crt_free(&r.chain);
    mbedtls_pk_free(&r.key);
    rng_clear(&r.rng);
}
