// SPDX-License-Identifier: Apache-2.0
#include "tls/ticket.h"

#include "base/octets.h"

#include <mbedtls/gcm.h>
#include <string.h>

enum { FORMAT = 2, LENGTH_MOST = 0xfffe, REFERENCE = 0xffff };

static void put_number(struct buf *b, uint64_t value, size_t octets)
{
    while (octets-- > 0) {
        uint8_t octet = (uint8_t)(value >> (8 * octets));
        buf_add(b, &octet, 1);
    }
}

static int put_vector(struct buf *b, struct span octets)
{
    if (octets.len > LENGTH_MOST) {
        return -1;
    }
    put_number(b, octets.len, 2);
    buf_add(b, octets.data, octets.len);
    return 0;
}

// A session of TLS 1.2 has the leaf already (mbedtls_ssl_session_save writes it). The client sends a ticket back in its
// ClientHello, which is hashed twice: it pays to have each octet in it once.
static int put_leaf(struct buf *b, const struct ticket *ticket)
{
    struct span leaf = ticket->chain[0];
    const struct span *session = &ticket->session;
    const uint8_t *found = leaf.len > 0 ? memmem(session->data, session->len, leaf.data, leaf.len) : NULL;
    if (found == NULL) {
        return put_vector(b, leaf);
    }
    put_number(b, REFERENCE, 2);
    put_number(b, (uint64_t)(found - session->data), 2);
    put_number(b, leaf.len, 2);
    return 0;
}

static bool take_leaf(struct span *plain, struct span session, struct span *leaf)
{
    uint32_t start;
    uint32_t len;
    uint32_t kind;
    struct span ahead = *plain;
    if (!octets_number(&ahead, 2, &kind) || kind != REFERENCE) {
        return octets_vector(plain, 2, leaf);
    }
    if (!octets_number(&ahead, 2, &start) || !octets_number(&ahead, 2, &len) || start > session.len ||
        len > session.len - start) {
        return false;
    }
    *plain = ahead;
    *leaf = span_of(session.data + start, len);
    return true;
}

static int put_issuer(struct buf *b, struct span certificate, const struct ticket_issuers *issuers)
{
    for (size_t i = 0; issuers != NULL && i < issuers->count; i++) {
        if (spans_equal(issuers->items[i].certificate, certificate)) {
            put_number(b, REFERENCE, 2);
            buf_add(b, issuers->items[i].digest, TICKET_DIGEST);
            return 0;
        }
    }
    return put_vector(b, certificate);
}

static bool take_issuer(struct span *plain, const struct ticket_issuers *issuers, struct span *certificate)
{
    uint32_t kind;
    struct span digest;
    struct span ahead = *plain;
    if (!octets_number(&ahead, 2, &kind) || kind != REFERENCE) {
        return octets_vector(plain, 2, certificate);
    }
    if (!octets_take(&ahead, TICKET_DIGEST, &digest)) {
        return false;
    }
    *plain = ahead;
    for (size_t i = 0; issuers != NULL && i < issuers->count; i++) {
        if (memcmp(issuers->items[i].digest, digest.data, TICKET_DIGEST) == 0) {
            *certificate = issuers->items[i].certificate;
            return true;
        }
    }
    return false;
}

int ticket_encode(const struct ticket *ticket, const struct ticket_issuers *issuers, struct buf *plain)
{
    put_number(plain, ticket->version, 2);
    put_number(plain, (uint64_t)ticket->authenticated, 8);
    buf_add(plain, ticket->fact, sizeof ticket->fact);
    int rc = put_vector(plain, ticket->name);
    rc = rc == 0 ? put_vector(plain, ticket->session) : -1;
    put_number(plain, ticket->count, 1);
    for (size_t i = 0; i < ticket->count && rc == 0; i++) {
        rc = i == 0 ? put_leaf(plain, ticket) : put_issuer(plain, ticket->chain[i], issuers);
    }
    return rc;
}

bool ticket_decode(struct span plain, const struct ticket_issuers *issuers, struct ticket *ticket)
{
    uint32_t version;
    uint64_t authenticated;
    struct span fact;
    uint32_t count;
    *ticket = (struct ticket){.count = 0};
    if (!octets_number(&plain, 2, &version) || !octets_number_64(&plain, 8, &authenticated) ||
        !octets_take(&plain, sizeof ticket->fact, &fact)) {
        return false;
    }
    ticket->version = (uint16_t)version;
    ticket->authenticated = (int64_t)authenticated;
    memcpy(ticket->fact, fact.data, fact.len);
    if (!octets_vector(&plain, 2, &ticket->name) || !octets_vector(&plain, 2, &ticket->session) ||
        !octets_number(&plain, 1, &count) || count == 0 || count > TRUST_CHAIN_MOST ||
        !take_leaf(&plain, ticket->session, &ticket->chain[0])) {
        return false;
    }
    for (ticket->count = 1; ticket->count < count; ticket->count++) {
        if (!take_issuer(&plain, issuers, &ticket->chain[ticket->count])) {
            return false;
        }
    }
    return plain.len == 0;
}

int ticket_seal(const struct ticket_key *key, struct rng *rng, struct span plain, struct buf *sealed, struct err *e)
{
    uint8_t header[TICKET_HEADER] = {FORMAT};
    uint8_t *nonce = header + 1 + TICKET_KEY_NAME;
    uint8_t tag[TICKET_TAG] = {0};
    mbedtls_gcm_context gcm;
    mbedtls_gcm_init(&gcm);
    memcpy(header + 1, key->name, sizeof key->name);
    int code = rng_bytes(rng, nonce, TICKET_NONCE);
    if (code == 0) {
        code = mbedtls_gcm_setkey(&gcm, MBEDTLS_CIPHER_ID_AES, key->key, 8 * TICKET_KEY);
    }
    buf_add(sealed, header, sizeof header);
    buf_reserve(sealed, plain.len + TICKET_TAG);
    if (code == 0) {
        code = mbedtls_gcm_crypt_and_tag(&gcm, MBEDTLS_GCM_ENCRYPT, plain.len, nonce, TICKET_NONCE, header,
                                         sizeof header, plain.data, sealed->data + sealed->len, TICKET_TAG, tag);
        sealed->len += code == 0 ? plain.len : 0;
    }
    buf_add(sealed, tag, sizeof tag);
    mbedtls_gcm_free(&gcm);
    return code == 0 ? 0 : err_mbedtls(e, code, "sealing a ticket");
}

const uint8_t *ticket_key_name(struct span sealed)
{
    bool is_ours = sealed.len >= TICKET_HEADER + TICKET_TAG && sealed.len <= TICKET_MOST && sealed.data[0] == FORMAT;
    return is_ours ? sealed.data + 1 : NULL;
}

bool ticket_open(const struct ticket_key *key, struct span sealed, struct buf *plain)
{
    if (ticket_key_name(sealed) == NULL) {
        return false;
    }
    size_t len = sealed.len - TICKET_HEADER - TICKET_TAG;
    const uint8_t *text = sealed.data + TICKET_HEADER;
    mbedtls_gcm_context gcm;
    mbedtls_gcm_init(&gcm);
    buf_reserve(plain, len + 1);
    int code = mbedtls_gcm_setkey(&gcm, MBEDTLS_CIPHER_ID_AES, key->key, 8 * TICKET_KEY);
    if (code == 0) {
        code = mbedtls_gcm_auth_decrypt(&gcm, len, text - TICKET_NONCE, TICKET_NONCE, sealed.data, TICKET_HEADER,
                                        text + len, TICKET_TAG, text, plain->data + plain->len);
        plain->len += code == 0 ? len : 0;
    }
    mbedtls_gcm_free(&gcm);
    return code == 0;
}
