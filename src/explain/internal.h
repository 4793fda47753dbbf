// SPDX-License-Identifier: Apache-2.0
// What the files of this folder share.
#ifndef MTLS_EXPLAIN_INTERNAL_H
#define MTLS_EXPLAIN_INTERNAL_H

#include "base/octets.h"
#include "explain/explain.h"
#include "tls/record.h"

enum { RANDOM_LENGTH = 32, MASTER_LENGTH = 48 };
enum { VERSION_1_2 = 0x0303, VERSION_1_3 = 0x0304 };
enum message_type {
    MESSAGE_CLIENT_HELLO = 1,
    MESSAGE_SERVER_HELLO = 2,
    MESSAGE_NEW_SESSION_TICKET = 4,
    MESSAGE_END_OF_EARLY_DATA = 5,
    MESSAGE_ENCRYPTED_EXTENSIONS = 8,
    MESSAGE_CERTIFICATE = 11,
    MESSAGE_SERVER_KEY_EXCHANGE = 12,
    MESSAGE_CERTIFICATE_REQUEST = 13,
    MESSAGE_CERTIFICATE_VERIFY = 15,
    MESSAGE_CLIENT_KEY_EXCHANGE = 16,
    MESSAGE_FINISHED = 20,
    MESSAGE_KEY_UPDATE = 24,
};
enum { MESSAGE_HEADER = 4 };

// --- names.c: NULL where there is no name ---

const char *name_of_version(unsigned number);
const char *name_of_message(unsigned number);
const char *name_of_extension(unsigned number);
const char *name_of_group(unsigned number);
const char *name_of_scheme(unsigned number);
const char *name_of_certificate_type(unsigned number);
const char *name_of_key_mode(unsigned number);
const char *name_of_suite(unsigned number);

enum protection_kind { PROTECTION_OTHER, PROTECTION_AES_128_GCM, PROTECTION_AES_256_GCM, PROTECTION_CHACHA20_POLY1305 };
struct suite {
    unsigned number;
    const char *name;
    enum explain_exchange exchange;
    enum protection_kind protection;
};
const struct suite *suite_find(unsigned number); // or NULL

// --- keys.c ---

// The secret for the connection with this random of the client, or false.
bool keys_find(const struct explain_keys *keys, const char *label, const uint8_t random[EXPLAIN_RANDOM],
               struct traffic_secret *secret);

// --- protection.c: records of TLS 1.2 ---

struct protection {
    enum protection_kind kind; // PROTECTION_OTHER: no keys
    uint8_t key[32];
    uint8_t iv[12];
};

// The keys of both sides, by RFC 5246 section 6.3. False: it cannot be done for this suite.
bool protection_derive(struct protection both[2], const struct suite *suite, const struct traffic_secret *master,
                       const uint8_t client_random[RANDOM_LENGTH], const uint8_t server_random[RANDOM_LENGTH]);
// Opens a record whose body has `len` octets into `plain`, which has room for as many. False: it does not open.
bool protection_open(const struct protection *keys, const uint8_t header[RECORD_HEADER], const uint8_t *body,
                     size_t len, uint64_t sequence, uint8_t *plain, size_t *plain_len);

// --- story.c ---

void judgement_tell(struct buf *text, const struct explain_judgement *j); // one sentence

// --- decode.c: one message -> fields ---

// What decoding depends on, and what it finds out.
struct decoding {
    enum explain_side from;
    const struct explain_facts *facts; // before this message
    struct explain_message *message;   // its bytes are decoded; fields and marks are added
    json_t *fields;                    // its own, borrowed
    const char *problem;               // static text: what could not be read; NULL: all was
    unsigned version;                  // that a ClientHello or ServerHello has, after supported_versions
    unsigned suite;                    // of a ServerHello
    struct span random;                // of a hello
    struct span session;               // of a hello: its session id
    bool retry;                        // it is a HelloRetryRequest
    bool selected_key;                 // the ServerHello takes a pre-shared key
    bool early_data;                   // offered, or accepted
    bool has_name;                     // server_name was read into fields
    size_t certificates;               // in a Certificate
};

void decode_message(struct decoding *d); // of kind EXPLAIN_HANDSHAKE, whole
void decode_extensions(struct decoding *d, unsigned message, struct span extensions);
void decode_certificate(struct decoding *d, struct span body);
void decode_alert(struct decoding *d);
bool decode_names(struct decoding *d, const char *field, struct span numbers, size_t size,
                  const char *(*name)(unsigned)); // a list of numbers, named
void decode_authorities(struct decoding *d, struct span authorities);
bool decode_fail(struct decoding *d, const char *problem); // notes it, if nothing was; false

// --- marks.c: octets taken off the front (base/octets.h) of what is left of a message, and marked with a name ---

bool take_number(struct decoding *d, const char *name, struct span *rest, size_t size, uint32_t *number);
bool take_vector(struct decoding *d, const char *name, struct span *rest, size_t size, struct span *taken);
// Of this vector only the length is marked: what is in it will be taken apart.
bool open_vector(struct decoding *d, const char *name, struct span *rest, size_t size, struct span *taken);
bool take_octets(struct decoding *d, const char *name, struct span *rest, size_t len, struct span *taken);
// The octets from `from` up to `rest` are one field.
void mark_taken(struct decoding *d, const char *name, const uint8_t *from, struct span rest);

void field_text(json_t *fields, const char *name, const char *text);
void field_printf(json_t *fields, const char *name, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
void field_hex(json_t *fields, const char *name, struct span data);     // shortened when it is long
void field_escaped(json_t *fields, const char *name, struct span text); // what the network says
void field_number(json_t *fields, const char *name, unsigned number, const char *(*of)(unsigned));
void list_number(json_t *list, unsigned number, size_t size, const char *(*of)(unsigned));

#endif
