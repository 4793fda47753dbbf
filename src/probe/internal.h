// SPDX-License-Identifier: Apache-2.0
// What the files of this room share.
#ifndef MTLS_PROBE_INTERNAL_H
#define MTLS_PROBE_INTERNAL_H

#include "ca/flaw.h"
#include "probe/dial.h"
#include "probe/identity.h"
#include "probe/probe.h"
#include "probe/revocation.h"
#include "probe/verdict.h"

#include <pthread.h>

// --- case.c: the table behind probe_case_at ---

enum { VERSION_1_2 = PROBE_TLS_1_2, VERSION_1_3 = PROBE_TLS_1_3, VERSION_1_0 = 4, VERSION_1_1 = 8 }; // flags

struct prober;
// Brings the case about, with as many connections as that takes, and says what came of the one that counts.
typedef void case_run(struct prober *p, unsigned version, struct outcome *outcome);

struct case_row {
    struct probe_case shown;
    int flaw; // enum flaw; or -1: of case.def
    unsigned versions;
    case_run *run; // NULL: of a flaw
};
const struct case_row *case_row_at(size_t i); // NULL past the last
const char *version_word(unsigned version);   // "1.2"

#define CASE(token, ...) case_run case_##token;
#include "probe/case.def"
#undef CASE

// --- target.c ---

// Where to connect to, by options; the one of its addresses that answers, if any does. An error: there is none, or it
// is neither near nor said to be one's own.
int target_find(const struct probe_options *options, struct dial_target *target, struct err *e);
bool address_is_near(const struct sockaddr_storage *address); // loopback, link-local or private

// --- case_session.c: a session of a certificate that expires soon, made early, so that nobody waits for it ---

struct expiry { // of one version
    struct identity identity;
    struct raw_session session;
    int64_t until;         // its last second
    char why[200];         // there is no session
    struct outcome before; // doubtful: it was not even good at first
};
void expiry_prepare(struct prober *p, unsigned version);
void expiry_clear(struct expiry *x);

// --- control.c: a wrong one's like without the fault ---

struct served_shapes { // of those who were let in
    struct served_shape {
        unsigned version;
        struct buf shape;
    } * items;
    size_t count, cap;
};
// PROBE_GOOD: it is let in, or one is that shows the same but for a name and a key. Else the outcome says more now.
enum probe_verdict control_check(struct prober *p, enum flaw flaw, unsigned version, struct outcome *wrong);
void served_shapes_clear(struct served_shapes *shapes);

// --- run.c: a run that is on ---

enum { TESTED_VERSIONS = 2 };

struct prober {
    const struct probe_options *options;
    const struct probe_observer *observer; // or NULL
    struct identities *identities;
    struct probe_run *run;
    struct dial_target target;
    enum control_state controls[TESTED_VERSIONS]; // of TLS 1.2 and 1.3
    size_t total;                                 // results that there will be, as far as that is known
    struct expiry expiries[TESTED_VERSIONS];
    pthread_mutex_t revocation_lock;
    struct revocation revocations[TESTED_VERSIONS]; // each made when a case asks for it
    pthread_mutex_t lock;                           // of what follows, and of the run
    struct served_shapes shapes;
    size_t connections;  // begun so far
    uint64_t next_start; // monotonic microseconds: the next connection may begin
};

// Waits until the rate allows another connection.
void prober_wait(struct prober *p);
// Connects as this identity, asks, and fills the outcome.
void prober_dial(struct prober *p, const struct identity *identity, unsigned version, struct outcome *outcome);
enum control_state prober_control(const struct prober *p, unsigned version);

#endif
