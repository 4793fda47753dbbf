// SPDX-License-Identifier: Apache-2.0
// Records of TLS 1.2, in the clear or with AES-128-GCM (RFC 5288).
#include "probe/craft.h"

#include "base/clock.h"

#include <errno.h>
#include <mbedtls/platform_util.h>
#include <poll.h>
#include <psa/crypto.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { HEADER = 5, EXPLICIT = 8, TAG = 16, CONTENT_MOST = 16384, RECORD_MOST = CONTENT_MOST + 2048 };
enum { LEVEL_WARNING = 1 };

bool craft_open(struct craft *c, const struct dial_target *target, struct outcome *outcome)
{
    struct err e = ERR_INIT;
    *outcome = (struct outcome){.seen = PROBE_DOWN, .alert = TLS_ALERT_NONE};
    *c = (struct craft){.target = target, .outcome = outcome, .fd = -1};
    mbedtls_gcm_init(&c->out.gcm);
    mbedtls_gcm_init(&c->in.gcm);
    if (psa_crypto_init() != PSA_SUCCESS || rng_init(&c->rng, &e) != 0) {
        outcome_set(outcome, PROBE_NOT_RUN, "there is no random: %s", e.text);
        outcome->doubtful = c->broken = true;
        return false;
    }
    c->fd = dial_socket(target, outcome);
    c->deadline = clock_monotonic_us() + (uint64_t)target->timeout_ms * 1000;
    return c->fd >= 0;
}

void craft_close(struct craft *c)
{
    mbedtls_gcm_free(&c->out.gcm);
    mbedtls_gcm_free(&c->in.gcm);
    rng_clear(&c->rng);
    buf_clear(&c->transcript);
    buf_clear(&c->pending);
    mbedtls_platform_zeroize(c->master, sizeof c->master);
    mbedtls_platform_zeroize(c->next_key, sizeof c->next_key);
    if (c->fd >= 0) {
        close(c->fd);
    }
}

void craft_direction_set(struct craft_direction *d, const uint8_t *key, const uint8_t *salt)
{
    mbedtls_gcm_free(&d->gcm);
    mbedtls_gcm_init(&d->gcm);
    d->on = mbedtls_gcm_setkey(&d->gcm, MBEDTLS_CIPHER_ID_AES, key, CRAFT_KEY * 8) == 0;
    memcpy(d->salt, salt, CRAFT_SALT);
    d->sequence = 0;
}

static void put_u64(uint8_t *to, uint64_t value)
{
    for (int i = 7; i >= 0; i--) {
        to[i] = (uint8_t)value;
        value >>= 8;
    }
}

// RFC 5246 section 6.2.3.3 and RFC 5288 section 3.
static void nonce_and_data(const struct craft_direction *d, int type, size_t len, const uint8_t explicit_part[EXPLICIT],
                           uint8_t nonce[CRAFT_SALT + EXPLICIT], uint8_t data[13])
{
    memcpy(nonce, d->salt, CRAFT_SALT);
    memcpy(nonce + CRAFT_SALT, explicit_part, EXPLICIT);
    put_u64(data, d->sequence);
    data[8] = (uint8_t)type;
    data[9] = data[10] = 3;
    data[11] = (uint8_t)(len >> 8);
    data[12] = (uint8_t)len;
}

// What cannot be sent is no end: what the target said about it may still be readable.
static void send_all(struct craft *c, const uint8_t *data, size_t len)
{
    while (len > 0) {
        ssize_t n = send(c->fd, data, len, MSG_NOSIGNAL);
        if (n > 0) {
            data += n;
            len -= (size_t)n;
        } else if ((errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR) ||
                   !dial_wait(c->fd, POLLOUT, c->deadline)) {
            return;
        }
    }
}

static void send_record(struct craft *c, int type, const uint8_t *data, size_t len)
{
    struct craft_direction *d = &c->out;
    struct buf record = {0};
    size_t body = len + (d->on ? EXPLICIT + TAG : 0);
    const uint8_t header[HEADER] = {(uint8_t)type, 3, 3, (uint8_t)(body >> 8), (uint8_t)body};
    buf_add(&record, header, HEADER);
    if (!d->on) {
        buf_add(&record, data, len);
    } else {
        uint8_t explicit_part[EXPLICIT];
        uint8_t nonce[CRAFT_SALT + EXPLICIT];
        uint8_t extra[13];
        put_u64(explicit_part, d->sequence);
        nonce_and_data(d, type, len, explicit_part, nonce, extra);
        buf_add(&record, explicit_part, EXPLICIT);
        buf_reserve(&record, len + TAG);
        mbedtls_gcm_crypt_and_tag(&d->gcm, MBEDTLS_GCM_ENCRYPT, len, nonce, sizeof nonce, extra, sizeof extra, data,
                                  record.data + record.len, TAG, record.data + record.len + len);
        record.len += len + TAG;
        d->sequence++;
    }
    send_all(c, record.data, record.len);
    buf_clear(&record);
}

void craft_send(struct craft *c, int type, const uint8_t *data, size_t len)
{
    for (size_t at = 0; at < len; at += CONTENT_MOST) {
        send_record(c, type, data + at, len - at < CONTENT_MOST ? len - at : CONTENT_MOST);
    }
}

static void ended(struct craft *c, const char *words)
{
    struct outcome *o = c->outcome;
    c->broken = true;
    outcome_set(o, o->completed ? PROBE_REFUSED_LATE : o->hello ? PROBE_REFUSED : PROBE_DOWN, "%s", words);
}

static bool receive_all(struct craft *c, uint8_t *data, size_t len)
{
    while (len > 0) {
        ssize_t n = recv(c->fd, data, len, 0);
        if (n > 0) {
            data += n;
            len -= (size_t)n;
        } else if (n == 0 || (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR)) {
            ended(c, "the target closed the connection");
            return false;
        } else if (!dial_wait(c->fd, POLLIN, c->deadline)) {
            c->broken = true;
            outcome_set(c->outcome, PROBE_SILENT, "the target said nothing for %ld ms", c->target->timeout_ms);
            return false;
        }
    }
    return true;
}

static void take_alert(struct craft *c, const struct buf *content)
{
    char words[96];
    c->outcome->alert = content->len == 2 ? content->data[1] : TLS_ALERT_UNREADABLE;
    c->outcome->hello = true;
    snprintf(words, sizeof words, "alert %s (%d)", alert_name(c->outcome->alert), c->outcome->alert);
    if (c->outcome->alert == ALERT_CLOSE_NOTIFY) {
        c->outcome->alert = TLS_ALERT_NONE;
    }
    ended(c, words);
}

static bool decrypt(struct craft *c, int type, struct buf *content)
{
    struct craft_direction *d = &c->in;
    uint8_t nonce[CRAFT_SALT + EXPLICIT];
    uint8_t extra[13];
    struct buf plain = {0};
    if (content->len < EXPLICIT + TAG) {
        return false;
    }
    size_t len = content->len - EXPLICIT - TAG;
    nonce_and_data(d, type, len, content->data, nonce, extra);
    buf_reserve(&plain, len + 1);
    int code = mbedtls_gcm_auth_decrypt(&d->gcm, len, nonce, sizeof nonce, extra, sizeof extra,
                                        content->data + EXPLICIT + len, TAG, content->data + EXPLICIT, plain.data);
    plain.len = len;
    d->sequence++;
    buf_clear(content);
    *content = plain;
    return code == 0;
}

int craft_receive(struct craft *c, struct buf *content)
{
    uint8_t header[HEADER];
    buf_clear(content);
    if (c->broken || !receive_all(c, header, HEADER)) {
        return -1;
    }
    size_t len = (size_t)(header[3] << 8 | header[4]);
    int type = header[0];
    if (type < CRAFT_CHANGE_CIPHER_SPEC || type > CRAFT_APPLICATION || len > RECORD_MOST) {
        ended(c, "the target does not speak TLS 1.2");
        return -1;
    }
    buf_reserve(content, len + 1);
    if (!receive_all(c, content->data, len)) {
        return -1;
    }
    content->len = len;
    if (c->in.on && !decrypt(c, type, content)) {
        ended(c, "a record that cannot be read");
        c->outcome->doubtful = true;
        return -1;
    }
    if (type == CRAFT_CHANGE_CIPHER_SPEC) {
        craft_direction_set(&c->in, c->next_key, c->next_salt);
    }
    if (type == CRAFT_ALERT) {
        take_alert(c, content);
        return -1;
    }
    return type;
}

void craft_ask(struct craft *c)
{
    char *request = request_text(c->target, false);
    struct buf answer = {0};
    struct buf content = {0};
    int type = 0;
    bool decided = false;
    craft_send(c, CRAFT_APPLICATION, (const uint8_t *)request, strlen(request));
    while (!decided && (type = craft_receive(c, &content)) >= 0) {
        if (type == CRAFT_APPLICATION) {
            buf_add(&answer, content.data, content.len);
            decided = answer_judge(c->target, &answer, false, c->outcome);
        }
    }
    if (!decided && answer.len > 0) {
        (void)answer_judge(c->target, &answer, true, c->outcome);
    }
    free(request);
    buf_clear(&answer);
    buf_clear(&content);
}
