// SPDX-License-Identifier: Apache-2.0
// A TLS 1.2 client put together by hand (RFC 5246, RFC 5288, RFC 8422), which leaves out or changes what no library
// lets one leave out or change. It does not authenticate the target, and must be used for nothing else.
#ifndef MTLS_PROBE_CRAFT_H
#define MTLS_PROBE_CRAFT_H

#include "base/random.h"
#include "probe/dial.h"
#include "probe/identity.h"

#include <mbedtls/gcm.h>
#include <mbedtls/md.h>

enum { CRAFT_RANDOM = 32, CRAFT_MASTER = 48, CRAFT_KEY = 16, CRAFT_SALT = 4, CRAFT_VERIFY = 12 };

struct craft_direction {
    mbedtls_gcm_context gcm;
    uint8_t salt[CRAFT_SALT];
    uint64_t sequence;
    bool on; // records are protected
};

struct craft {
    const struct dial_target *target;
    struct outcome *outcome;
    int fd;
    uint64_t deadline;
    struct rng rng;
    struct craft_direction out, in;
    uint8_t next_key[CRAFT_KEY], next_salt[CRAFT_SALT]; // of what comes in, from the next ChangeCipherSpec on
    struct buf transcript;
    struct buf pending; // handshake bytes received and not taken yet
    uint8_t client_random[CRAFT_RANDOM], server_random[CRAFT_RANDOM];
    uint8_t master[CRAFT_MASTER];
    uint8_t verify_data[CRAFT_VERIFY]; // of our last Finished
    uint8_t point[65];                 // the target's share, on P-256
    bool renegotiating;
    bool requested; // the target asked for a certificate in this handshake
    bool hello;     // it has sent one in this handshake
    bool broken;    // the outcome is set: nothing more can be sent or received
};

struct craft_plan { // what differs from a good handshake
    const struct identity *identity;
    const struct buf *certificate_list; // instead of the identity's, the content of the vector; or NULL
    bool omit_certificate;              // no Certificate message
    bool omit_verify;                   // no CertificateVerify message
    bool sha1;                          // which is made with SHA-1, asked for or not
};

// --- craft.c: records ---

bool craft_open(struct craft *c, const struct dial_target *target, struct outcome *outcome);
void craft_close(struct craft *c);
void craft_send(struct craft *c, int type, const uint8_t *data, size_t len);
// The next record's content. Its type; -1: there is none, and the outcome says why. Alerts are taken care of here.
int craft_receive(struct craft *c, struct buf *content);
void craft_direction_set(struct craft_direction *d, const uint8_t *key, const uint8_t *salt);
// Sends a request and waits for what comes.
void craft_ask(struct craft *c);

enum { CRAFT_CHANGE_CIPHER_SPEC = 20, CRAFT_ALERT, CRAFT_HANDSHAKE, CRAFT_APPLICATION };

// --- craft_handshake.c ---

// False: the outcome says why it came to nothing. The second one on a connection is a renegotiation (RFC 5746).
bool craft_handshake(struct craft *c, const struct craft_plan *plan);

void craft_u16(struct buf *to, size_t value);
void craft_u24(struct buf *to, size_t value);

#endif
