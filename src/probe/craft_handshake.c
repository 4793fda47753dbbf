// SPDX-License-Identifier: Apache-2.0
// The handshake of RFC 5246 section 7.3 with ECDHE on P-256, and the ways of getting it wrong.
#include "probe/craft.h"

#include <arpa/inet.h>
#include <mbedtls/pk.h>
#include <mbedtls/ssl.h>
#include <psa/crypto.h>
#include <string.h>

enum {
    HELLO_REQUEST = 0,
    CLIENT_HELLO = 1,
    SERVER_HELLO = 2,
    CERTIFICATE = 11,
    SERVER_KEY_EXCHANGE = 12,
    CERTIFICATE_REQUEST = 13,
    SERVER_HELLO_DONE = 14,
    CERTIFICATE_VERIFY = 15,
    CLIENT_KEY_EXCHANGE = 16,
    FINISHED = 20,
};
enum { MESSAGE_HEADER = 4, MESSAGE_MOST = 512 * 1024, POINT = 65, PREMASTER = 32, DIGEST = 32, CURVE_P256 = 23 };

void craft_u16(struct buf *to, size_t value)
{
    const uint8_t octets[2] = {(uint8_t)(value >> 8), (uint8_t)value};
    buf_add(to, octets, sizeof octets);
}

void craft_u24(struct buf *to, size_t value)
{
    const uint8_t high = (uint8_t)(value >> 16);
    buf_add(to, &high, 1);
    craft_u16(to, value & 0xffff);
}

static bool fail(struct craft *c, const char *words)
{
    if (!c->broken) {
        outcome_set(c->outcome, PROBE_NOT_RUN, "the handshake by hand: %s", words);
        c->outcome->doubtful = c->broken = true;
    }
    return false;
}

// --- messages ---

static void send_message(struct craft *c, uint8_t type, const struct buf *body)
{
    struct buf message = {0};
    buf_add(&message, &type, 1);
    craft_u24(&message, body->len);
    buf_add(&message, body->data, body->len);
    buf_add(&c->transcript, message.data, message.len);
    craft_send(c, CRAFT_HANDSHAKE, message.data, message.len);
    buf_clear(&message);
}

// Takes the next handshake message, header and all. False: there is none.
static bool receive_message(struct craft *c, struct buf *message)
{
    struct buf content = {0};
    buf_clear(message);
    for (;;) {
        const struct buf *p = &c->pending;
        size_t len = p->len < MESSAGE_HEADER ? 0 : (size_t)(p->data[1] << 16 | p->data[2] << 8 | p->data[3]);
        if (len > MESSAGE_MOST) {
            return fail(c, "a message of the target is too long");
        }
        if (p->len >= MESSAGE_HEADER && p->len >= MESSAGE_HEADER + len) {
            struct buf rest = {0};
            buf_add(message, p->data, MESSAGE_HEADER + len);
            buf_add(&rest, p->data + MESSAGE_HEADER + len, p->len - MESSAGE_HEADER - len);
            buf_clear(&c->pending);
            c->pending = rest;
            return true;
        }
        int type = craft_receive(c, &content);
        if (type == CRAFT_HANDSHAKE) {
            buf_add(&c->pending, content.data, content.len);
        }
        buf_clear(&content);
        if (type < 0) {
            return false;
        }
    }
}

static void add_extension(struct buf *to, unsigned type, const struct buf *content)
{
    craft_u16(to, type);
    craft_u16(to, content->len);
    buf_add(to, content->data, content->len);
}

static void add_name(struct craft *c, struct buf *extensions)
{
    unsigned char address[16];
    struct buf content = {0};
    const char *name = c->target->name;
    if (inet_pton(AF_INET, name, address) == 1 || inet_pton(AF_INET6, name, address) == 1) {
        return; // RFC 6066 section 3
    }
    craft_u16(&content, strlen(name) + 3);
    buf_add(&content, "", 1);
    craft_u16(&content, strlen(name));
    buf_text(&content, name);
    add_extension(extensions, 0, &content);
    buf_clear(&content);
}

static void add_octets(struct buf *extensions, unsigned type, const void *octets, size_t len)
{
    struct buf content = {0};
    buf_add(&content, octets, len);
    add_extension(extensions, type, &content);
    buf_clear(&content);
}

static bool send_hello(struct craft *c)
{
    static const uint8_t groups[] = {0, 2, 0, CURVE_P256};
    static const uint8_t points[] = {1, 0};
    static const uint8_t schemes[] = {0, 12, 4, 3, 5, 3, 6, 3, 4, 1, 5, 1, 6, 1};
    static const uint8_t suites[] = {0, 4, 0xc0, 0x2b, 0xc0, 0x2f}; // ECDHE with AES-128-GCM-SHA256
    struct buf extensions = {0};
    struct buf body = {0};
    uint8_t verify[1 + CRAFT_VERIFY] = {c->renegotiating ? CRAFT_VERIFY : 0};
    memcpy(verify + 1, c->verify_data, CRAFT_VERIFY);
    if (rng_bytes(&c->rng, c->client_random, CRAFT_RANDOM) != 0) {
        return fail(c, "there is no random");
    }
    add_name(c, &extensions);
    add_octets(&extensions, 10, groups, sizeof groups);
    add_octets(&extensions, 11, points, sizeof points);
    add_octets(&extensions, 13, schemes, sizeof schemes);
    add_octets(&extensions, 0xff01, verify, 1 + (size_t)verify[0]); // RFC 5746 section 3.2
    buf_add(&body, (const uint8_t[]){3, 3}, 2);
    buf_add(&body, c->client_random, CRAFT_RANDOM);
    buf_add(&body, "", 1); // no session
    buf_add(&body, suites, sizeof suites);
    buf_add(&body, (const uint8_t[]){1, 0}, 2); // no compression
    craft_u16(&body, extensions.len);
    buf_add(&body, extensions.data, extensions.len);
    send_message(c, CLIENT_HELLO, &body);
    buf_clear(&extensions);
    buf_clear(&body);
    return true;
}

// --- the target's flight ---

static bool take_server_hello(struct craft *c, const struct buf *m)
{
    if (m->len < MESSAGE_HEADER + 2 + CRAFT_RANDOM || m->data[4] != 3 || m->data[5] != 3) {
        return fail(c, "the target does not speak TLS 1.2");
    }
    memcpy(c->server_random, m->data + MESSAGE_HEADER + 2, CRAFT_RANDOM);
    c->outcome->hello = c->hello = true;
    return true;
}

// RFC 8422 section 5.4: named_curve, the curve, and a point. The signature behind it is nobody's business here.
static bool take_key_exchange(struct craft *c, const struct buf *m)
{
    const uint8_t expected[] = {3, 0, CURVE_P256, POINT};
    if (m->len < MESSAGE_HEADER + sizeof expected + POINT ||
        memcmp(m->data + MESSAGE_HEADER, expected, sizeof expected) != 0) {
        return fail(c, "the target agrees on another curve");
    }
    memcpy(c->point, m->data + MESSAGE_HEADER + sizeof expected, POINT);
    return true;
}

static bool receive_flight(struct craft *c)
{
    struct buf m = {0};
    bool good = true;
    bool done = false;
    bool key = false;
    c->requested = false;
    while (good && !done && (good = receive_message(c, &m))) {
        if (m.data[0] == HELLO_REQUEST) { // RFC 5246 section 7.4.1.1: not part of the transcript
            continue;
        }
        buf_add(&c->transcript, m.data, m.len);
        switch (m.data[0]) {
        case SERVER_HELLO: good = take_server_hello(c, &m); break;
        case SERVER_KEY_EXCHANGE: key = good = take_key_exchange(c, &m); break;
        case CERTIFICATE_REQUEST: c->requested = true; break;
        case SERVER_HELLO_DONE: done = true; break;
        default: break;
        }
    }
    buf_clear(&m);
    return good && (key || fail(c, "the target sends no key share"));
}

// --- ours ---

static void send_certificate(struct craft *c, const struct craft_plan *plan)
{
    struct buf list = {0};
    struct buf body = {0};
    const struct buf *content = plan->certificate_list;
    for (size_t i = 0; content == NULL && plan->identity != NULL && i < plan->identity->count; i++) {
        craft_u24(&list, plan->identity->chain[i].len);
        buf_add(&list, plan->identity->chain[i].data, plan->identity->chain[i].len);
    }
    content = content == NULL ? &list : content;
    craft_u24(&body, content->len);
    buf_add(&body, content->data, content->len);
    send_message(c, CERTIFICATE, &body);
    buf_clear(&list);
    buf_clear(&body);
}

static bool prf(const uint8_t *secret, size_t secret_len, const char *label, const uint8_t *a, const uint8_t *b,
                uint8_t *out, size_t len)
{
    uint8_t seed[2 * CRAFT_RANDOM];
    size_t seed_len = b == NULL ? DIGEST : sizeof seed;
    memcpy(seed, a, b == NULL ? DIGEST : CRAFT_RANDOM);
    if (b != NULL) {
        memcpy(seed + CRAFT_RANDOM, b, CRAFT_RANDOM);
    }
    return mbedtls_ssl_tls_prf(MBEDTLS_SSL_TLS_PRF_SHA256, secret, secret_len, label, seed, seed_len, out, len) == 0;
}

// Sends our share and derives the master secret (RFC 5246 section 8.1).
static bool send_key_exchange(struct craft *c)
{
    psa_key_attributes_t attributes = PSA_KEY_ATTRIBUTES_INIT;
    psa_key_id_t key = PSA_KEY_ID_NULL;
    uint8_t share[1 + POINT] = {POINT};
    uint8_t premaster[PREMASTER];
    size_t len = 0;
    size_t secret_len = 0;
    struct buf body = {0};
    psa_set_key_usage_flags(&attributes, PSA_KEY_USAGE_DERIVE);
    psa_set_key_algorithm(&attributes, PSA_ALG_ECDH);
    psa_set_key_type(&attributes, PSA_KEY_TYPE_ECC_KEY_PAIR(PSA_ECC_FAMILY_SECP_R1));
    psa_set_key_bits(&attributes, 256);
    bool good =
        psa_generate_key(&attributes, &key) == PSA_SUCCESS &&
        psa_export_public_key(key, share + 1, POINT, &len) == PSA_SUCCESS && len == POINT &&
        psa_raw_key_agreement(PSA_ALG_ECDH, key, c->point, POINT, premaster, sizeof premaster, &secret_len) ==
            PSA_SUCCESS &&
        prf(premaster, secret_len, "master secret", c->client_random, c->server_random, c->master, CRAFT_MASTER);
    if (good) {
        buf_add(&body, share, sizeof share);
        send_message(c, CLIENT_KEY_EXCHANGE, &body);
    }
    psa_destroy_key(key);
    buf_clear(&body);
    return good || fail(c, "no key can be agreed on");
}

// RFC 5246 section 7.4.8.
static bool send_verify(struct craft *c, const struct craft_plan *plan)
{
    mbedtls_pk_context key;
    uint8_t digest[MBEDTLS_MD_MAX_SIZE];
    uint8_t signature[MBEDTLS_PK_SIGNATURE_MAX_SIZE];
    size_t len = 0;
    struct buf body = {0};
    mbedtls_md_type_t md = plan->sha1 ? MBEDTLS_MD_SHA1 : MBEDTLS_MD_SHA256;
    const mbedtls_md_info_t *info = mbedtls_md_info_from_type(md);
    mbedtls_pk_init(&key);
    bool good = mbedtls_pk_parse_key(&key, plan->identity->key.data, plan->identity->key.len, NULL, 0, rng_bytes,
                                     &c->rng) == 0 &&
                mbedtls_md(info, c->transcript.data, c->transcript.len, digest) == 0 &&
                mbedtls_pk_sign(&key, md, digest, mbedtls_md_get_size(info), signature, sizeof signature, &len,
                                rng_bytes, &c->rng) == 0;
    if (good) {
        const uint8_t scheme[2] = {plan->sha1 ? 2 : 4, mbedtls_pk_get_type(&key) == MBEDTLS_PK_RSA ? 1 : 3};
        buf_add(&body, scheme, sizeof scheme);
        craft_u16(&body, len);
        buf_add(&body, signature, len);
        send_message(c, CERTIFICATE_VERIFY, &body);
    }
    mbedtls_pk_free(&key);
    buf_clear(&body);
    return good || fail(c, "the key cannot sign");
}

static bool send_finished(struct craft *c)
{
    enum { BLOCK = 2 * (CRAFT_KEY + CRAFT_SALT) };
    uint8_t keys[BLOCK];
    uint8_t digest[DIGEST];
    struct buf body = {0};
    if (!prf(c->master, CRAFT_MASTER, "key expansion", c->server_random, c->client_random, keys, sizeof keys)) {
        return fail(c, "no keys can be derived");
    }
    craft_send(c, CRAFT_CHANGE_CIPHER_SPEC, (const uint8_t[]){1}, 1);
    craft_direction_set(&c->out, keys, keys + (size_t)2 * CRAFT_KEY);
    memcpy(c->next_key, keys + CRAFT_KEY, CRAFT_KEY);
    memcpy(c->next_salt, keys + (size_t)2 * CRAFT_KEY + CRAFT_SALT, CRAFT_SALT);
    if (mbedtls_md(mbedtls_md_info_from_type(MBEDTLS_MD_SHA256), c->transcript.data, c->transcript.len, digest) != 0 ||
        !prf(c->master, CRAFT_MASTER, "client finished", digest, NULL, c->verify_data, CRAFT_VERIFY)) {
        return fail(c, "there is no Finished");
    }
    buf_add(&body, c->verify_data, CRAFT_VERIFY);
    send_message(c, FINISHED, &body);
    buf_clear(&body);
    return true;
}

// Until the target's Finished; a ticket may come before it.
static bool receive_finished(struct craft *c)
{
    struct buf m = {0};
    bool good = receive_message(c, &m);
    while (good && m.data[0] != FINISHED) {
        good = receive_message(c, &m);
    }
    buf_clear(&m);
    return good;
}

bool craft_handshake(struct craft *c, const struct craft_plan *plan)
{
    c->renegotiating = c->outcome->completed;
    c->outcome->completed = false;
    c->hello = false;
    buf_clear(&c->transcript);
    if (!send_hello(c) || !receive_flight(c)) {
        return false;
    }
    bool somebody = plan->certificate_list != NULL || (plan->identity != NULL && plan->identity->count > 0);
    if (c->requested && !plan->omit_certificate) {
        send_certificate(c, plan);
    }
    if (!send_key_exchange(c)) {
        return false;
    }
    if (c->requested && somebody && !plan->omit_certificate && !plan->omit_verify && !send_verify(c, plan)) {
        return false;
    }
    if (!send_finished(c) || !receive_finished(c)) {
        return false;
    }
    c->outcome->completed = c->outcome->proven = true;
    return true;
}
