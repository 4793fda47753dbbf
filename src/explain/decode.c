// SPDX-License-Identifier: Apache-2.0
// Handshake messages and alerts -> fields (RFC 8446 section 4, RFC 5246 section 7.4). What is malformed ends the
// decoding of its message; what was read before stays.
#include "base/reason.h"
#include "explain/internal.h"
#include "tls/hello.h"

#include <string.h>

enum { LIST_MOST = 256 };

bool decode_fail(struct decoding *d, const char *problem)
{
    if (d->problem == NULL) {
        d->problem = problem;
    }
    return false;
}

bool decode_names(struct decoding *d, const char *field, struct span numbers, size_t size,
                  const char *(*name)(unsigned))
{
    json_t *list = json_array();
    uint32_t number = 0;
    size_t left_out = numbers.len / size > LIST_MOST ? numbers.len / size - LIST_MOST : 0;
    while (json_array_size(list) < LIST_MOST && octets_number(&numbers, size, &number)) {
        list_number(list, number, size, name);
    }
    json_object_set_new(d->fields, field, list);
    if (left_out > 0) {
        field_printf(d->fields, "left_out", "%zu more of %s", left_out, field);
        return true;
    }
    return numbers.len == 0 ? true : decode_fail(d, "a list of numbers ends in half of one");
}

static bool hello_random(struct decoding *d, struct span *body)
{
    uint32_t version = 0;
    if (!take_number(d, "version", body, 2, &version) || !take_octets(d, "random", body, RANDOM_LENGTH, &d->random)) {
        return decode_fail(d, "it ends before its random data");
    }
    d->version = version;
    field_number(d->fields, "version", version, name_of_version);
    field_hex(d->fields, "random", d->random);
    if (!take_vector(d, "session_id", body, 1, &d->session)) {
        return decode_fail(d, "it ends in its session id");
    }
    if (d->session.len > 0) {
        field_hex(d->fields, "session_id", d->session);
    }
    return true;
}

// What stands last in a hello, and need not be there.
static void hello_extensions(struct decoding *d, unsigned type, struct span body)
{
    struct span extensions;
    if (body.len == 0) {
        return;
    }
    if (!open_vector(d, "extensions", &body, 2, &extensions)) {
        decode_fail(d, "it ends in its extensions");
        return;
    }
    decode_extensions(d, type, extensions);
    if (body.len > 0) {
        decode_fail(d, "octets follow its extensions");
    }
}

static void client_hello(struct decoding *d, struct span body)
{
    struct span suites;
    struct span compressions;
    if (!hello_random(d, &body)) {
        return;
    }
    if (!take_vector(d, "cipher_suites", &body, 2, &suites)) {
        decode_fail(d, "it ends in its cipher suites");
        return;
    }
    if (!decode_names(d, "cipher_suites", suites, 2, name_of_suite)) {
        return;
    }
    if (!take_vector(d, "compression_methods", &body, 1, &compressions)) {
        decode_fail(d, "it ends in its compression methods");
        return;
    }
    hello_extensions(d, MESSAGE_CLIENT_HELLO, body);
}

static void server_hello(struct decoding *d, struct span body)
{
    uint32_t suite = 0;
    uint32_t compression = 0;
    if (!hello_random(d, &body)) {
        return;
    }
    if (hello_is_retry(d->random.data)) {
        d->retry = true;
        field_text(d->fields, "hello_retry_request", "the client is asked for another ClientHello");
    }
    if (!take_number(d, "cipher_suite", &body, 2, &suite) ||
        !take_number(d, "compression_method", &body, 1, &compression)) {
        decode_fail(d, "it ends in its cipher suite");
        return;
    }
    d->suite = suite;
    field_number(d->fields, "cipher_suite", suite, name_of_suite);
    hello_extensions(d, MESSAGE_SERVER_HELLO, body);
}

static bool is_13(const struct decoding *d)
{
    return d->facts->version == VERSION_1_3;
}

static void signature(struct decoding *d, struct span body, const char *covers)
{
    uint32_t scheme = 0;
    struct span octets;
    if (!take_number(d, "signature_scheme", &body, 2, &scheme) || !take_vector(d, "signature", &body, 2, &octets)) {
        decode_fail(d, "it ends in its signature");
        return;
    }
    field_number(d->fields, "signature_scheme", scheme, name_of_scheme);
    field_text(d->fields, "signature_covers", covers);
    field_hex(d->fields, "signature", octets);
    if (body.len > 0) {
        decode_fail(d, "octets follow its signature");
    }
}

static void server_key_exchange(struct decoding *d, struct span body)
{
    static const char covers[] = "both randoms and these parameters";
    enum { NAMED_CURVE = 3 };
    uint32_t kind = 0;
    uint32_t group = 0;
    struct span prime, generator, share;
    switch (d->facts->exchange) {
    case EXPLAIN_ECDHE: // RFC 8422 section 5.4
        if (!take_number(d, "curve_type", &body, 1, &kind) || kind != NAMED_CURVE ||
            !take_number(d, "group", &body, 2, &group) || !take_vector(d, "key_share", &body, 1, &share)) {
            decode_fail(d, "its curve and key share cannot be read");
            return;
        }
        field_number(d->fields, "group", group, name_of_group);
        break;
    case EXPLAIN_DHE:
        if (!take_vector(d, "prime", &body, 2, &prime) || !take_vector(d, "generator", &body, 2, &generator) ||
            !take_vector(d, "key_share", &body, 2, &share)) {
            decode_fail(d, "its Diffie-Hellman parameters cannot be read");
            return;
        }
        field_printf(d->fields, "group", "Diffie-Hellman, a prime of %zu bits", 8 * prime.len);
        break;
    default: decode_fail(d, "what it holds in this key exchange is not known here"); return;
    }
    field_hex(d->fields, "key_share", share);
    signature(d, body, covers);
}

static void client_key_exchange(struct decoding *d, struct span body)
{
    struct span share;
    bool encrypted = d->facts->exchange == EXPLAIN_RSA;
    const char *field = encrypted ? "encrypted_premaster_secret" : "key_share";
    if (d->facts->exchange != EXPLAIN_RSA && d->facts->exchange != EXPLAIN_DHE && d->facts->exchange != EXPLAIN_ECDHE) {
        decode_fail(d, "what it holds in this key exchange is not known here");
    } else if (!take_vector(d, field, &body, d->facts->exchange == EXPLAIN_ECDHE ? 1 : 2, &share) || body.len > 0) {
        decode_fail(d, encrypted ? "its premaster secret cannot be read" : "its key share cannot be read");
    } else {
        field_hex(d->fields, field, share);
    }
}

static void new_session_ticket(struct decoding *d, struct span body)
{
    uint32_t lifetime = 0;
    uint32_t age_add = 0;
    struct span nonce;
    struct span ticket;
    struct span extensions;
    if (!take_number(d, "lifetime", &body, 4, &lifetime)) {
        decode_fail(d, "it ends in its lifetime");
        return;
    }
    field_printf(d->fields, "lifetime", "%u s", (unsigned)lifetime);
    if (is_13(d) && (!take_number(d, "age_add", &body, 4, &age_add) || !take_vector(d, "nonce", &body, 1, &nonce))) {
        decode_fail(d, "it ends before its ticket");
        return;
    }
    if (!take_vector(d, "ticket", &body, 2, &ticket)) {
        decode_fail(d, "it ends in its ticket");
        return;
    }
    field_hex(d->fields, "ticket", ticket);
    if (is_13(d)) {
        if (!open_vector(d, "extensions", &body, 2, &extensions)) {
            decode_fail(d, "it ends in its extensions");
            return;
        }
        decode_extensions(d, MESSAGE_NEW_SESSION_TICKET, extensions);
    }
}

static void certificate_request(struct decoding *d, struct span body)
{
    struct span context;
    struct span types;
    struct span schemes;
    struct span authorities;
    struct span extensions;
    if (is_13(d)) { // RFC 8446 section 4.3.2
        if (!take_vector(d, "certificate_request_context", &body, 1, &context) ||
            !open_vector(d, "extensions", &body, 2, &extensions)) {
            decode_fail(d, "it ends in its extensions");
            return;
        }
        decode_extensions(d, MESSAGE_CERTIFICATE_REQUEST, extensions);
        return;
    }
    if (!take_vector(d, "certificate_types", &body, 1, &types) ||
        !take_vector(d, "signature_schemes", &body, 2, &schemes)) {
        decode_fail(d, "it ends in its signature schemes");
        return;
    }
    if (decode_names(d, "certificate_types", types, 1, name_of_certificate_type) &&
        decode_names(d, "signature_schemes", schemes, 2, name_of_scheme)) {
        if (open_vector(d, "certificate_authorities", &body, 2, &authorities)) {
            decode_authorities(d, authorities);
        } else {
            decode_fail(d, "it ends in its list of acceptable CAs");
        }
    }
}

static void key_update(struct decoding *d, struct span body)
{
    uint32_t request = 0;
    if (take_number(d, "request_update", &body, 1, &request) && request <= 1 && body.len == 0) {
        field_text(d->fields, "request_update", request == 1 ? "update_requested" : "update_not_requested");
    } else {
        decode_fail(d, "it cannot be read");
    }
}

static void encrypted_extensions(struct decoding *d, struct span body)
{
    struct span extensions;
    if (open_vector(d, "extensions", &body, 2, &extensions) && body.len == 0) {
        decode_extensions(d, MESSAGE_ENCRYPTED_EXTENSIONS, extensions);
    } else {
        decode_fail(d, "its extensions cannot be read");
    }
}

static void finished(struct decoding *d, struct span body)
{
    struct span verify_data;
    take_octets(d, "verify_data", &body, body.len, &verify_data);
    field_hex(d->fields, "verify_data", verify_data);
}

void decode_message(struct decoding *d)
{
    uint32_t type = 0;
    uint32_t len = 0;
    struct span body = buf_span(&d->message->bytes);
    if (!take_number(d, "msg_type", &body, 1, &type) || !take_number(d, "length", &body, 3, &len)) {
        decode_fail(d, "it ends in its header");
        return;
    }
    switch (type) {
    case MESSAGE_CLIENT_HELLO: client_hello(d, body); break;
    case MESSAGE_SERVER_HELLO: server_hello(d, body); break;
    case MESSAGE_NEW_SESSION_TICKET: new_session_ticket(d, body); break;
    case MESSAGE_ENCRYPTED_EXTENSIONS: encrypted_extensions(d, body); break;
    case MESSAGE_CERTIFICATE: decode_certificate(d, body); break;
    case MESSAGE_SERVER_KEY_EXCHANGE: server_key_exchange(d, body); break;
    case MESSAGE_CERTIFICATE_REQUEST: certificate_request(d, body); break;
    case MESSAGE_CERTIFICATE_VERIFY:
        signature(d, body,
                  is_13(d) ? d->from == EXPLAIN_CLIENT
                                 ? "\"TLS 1.3, client CertificateVerify\" and the hash of all messages before this one"
                                 : "\"TLS 1.3, server CertificateVerify\" and the hash of all messages before this one"
                           : "all messages of the handshake before this one");
        break;
    case MESSAGE_CLIENT_KEY_EXCHANGE: client_key_exchange(d, body); break;
    case MESSAGE_FINISHED: finished(d, body); break;
    case MESSAGE_KEY_UPDATE: key_update(d, body); break;
    default: break; // empty, or not taken apart
    }
}

void decode_alert(struct decoding *d)
{
    struct span body = buf_span(&d->message->bytes);
    uint32_t level = 0;
    uint32_t number = 0;
    if (!take_number(d, "level", &body, 1, &level) || !take_number(d, "alert", &body, 1, &number) || body.len > 0) {
        decode_fail(d, "an alert has two octets");
        return;
    }
    field_text(d->fields, "level", level == 1 ? "warning" : level == 2 ? "fatal" : "unknown");
    field_text(d->fields, "alert", alert_name((int)number));
    field_printf(d->fields, "number", "%u", (unsigned)number);
    field_text(d->fields, "meaning", alert_meaning((int)number));
}
