// SPDX-License-Identifier: Apache-2.0
// Would the target have refused? Presents every wrong certificate to a server that requires client certificates, one
// connection for each, with good ones before, between and after, and says what came of it.
//
// Nothing here judges the target's own certificate: any server can be probed. A run is only "safe" if all that is good
// was served and all that is wrong was not: whatever is in doubt is inconclusive.
#ifndef MTLS_PROBE_PROBE_H
#define MTLS_PROBE_PROBE_H

#include "base/err.h"
#include "base/reason.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// What came of a connection, in layers from the outside in.
enum probe_seen {
    PROBE_REFUSED,      // in the handshake, by an alert or a close
    PROBE_REFUSED_LATE, // by an alert or a close after our side of the handshake, before any answer
    PROBE_REFUSED_HTTP, // by the status of an answer
    PROBE_SERVED,       // an answer
    PROBE_SILENT,       // nothing until the deadline
    PROBE_DOWN,         // no connection, or it ended before the target spoke TLS
    PROBE_NOT_RUN,      // the detail says why
};
enum probe_verdict { PROBE_GOOD, PROBE_FINDING, PROBE_INCONCLUSIVE, PROBE_SKIPPED };

const char *probe_seen_word(enum probe_seen seen);          // "refused", "refused_late", .. "not_run"
const char *probe_verdict_word(enum probe_verdict verdict); // "good", "finding", "inconclusive", "skipped"
bool probe_seen_find(const char *word, enum probe_seen *found);
bool probe_verdict_find(const char *word, enum probe_verdict *found);

// The groups of cases, keys of advice.def. GROUP(token, what the cases in it are about)
#define PROBE_GROUPS(GROUP)                                                                                            \
    GROUP(control, "the good certificate")                                                                             \
    GROUP(nobody, "no certificate at all")                                                                             \
    GROUP(possession, "a certificate without its private key")                                                         \
    GROUP(trust, "a certificate of nobody whom the target trusts")                                                     \
    GROUP(signature, "a certificate whose signature does not verify")                                                  \
    GROUP(strength, "keys and signatures that are too weak")                                                           \
    GROUP(time, "validity")                                                                                            \
    GROUP(revocation, "revocation")                                                                                    \
    GROUP(purpose, "what the certificate's key is for")                                                                \
    GROUP(authority, "who may issue")                                                                                  \
    GROUP(constraint, "name constraints")                                                                              \
    GROUP(name, "who the server is") /* of clients only */                                                             \
    GROUP(encoding, "certificates that are not well-formed")                                                           \
    GROUP(resumption, "sessions that outlive what they were granted for")                                              \
    GROUP(live, "connections that outlive what they were granted for")                                                 \
    GROUP(protocol, "old versions, and handshakes that leave a step out")                                              \
    GROUP(robustness, "what is too large")

// One way of being wrong: a flaw of ca/flaw.def with a client side, or a line of case.def. Static.
struct probe_case {
    const char *token;
    const char *what; // is wrong
    const char *rfc;
    enum reason reason; // what a correct server says to itself; REASON_handshake where it is no certificate's fault
    const char *group;  // a token of PROBE_GROUPS
};

// Every case there is, in the order of the report; NULL past the last.
const struct probe_case *probe_case_at(size_t i);
const struct probe_case *probe_case_find(const char *token); // NULL: unknown

struct probe_result {
    const struct probe_case *of; // NULL: a control with the good certificate
    char version[8];             // "1.2", "1.3"; of a hello alone "1.0", "1.1"
    enum probe_seen seen;
    bool completed; // our side of the handshake was
    int alert;      // received, TLS_ALERT_* for none
    int status;     // HTTP, or 0
    enum probe_verdict verdict;
    uint64_t took_us;
    char *detail; // one sentence, escaped; never NULL
};

struct probe_run {
    char *target;   // "host:port"; of a client its command
    bool of_client; // probe_client tried it, not probe_server
    int64_t at;
    struct probe_result *results; // in the order in which they came
    size_t count, cap;
    enum probe_verdict verdict; // PROBE_GOOD, PROBE_FINDING or PROBE_INCONCLUSIVE
    char *why;                  // it is inconclusive; or NULL
};
void probe_run_clear(struct probe_run *run);
int probe_run_exit(const struct probe_run *run); // 0, 1 or 3

// The first of these sources that is there is used.
struct probe_source {
    const char *pki; // directory of `mtls pki`: its wrong certificates, and a good identity of it
    const char *as;  // which: a name in its clients, or a path below it; NULL: the first that its manifest calls good

    const char *ca_certificate; // of the CA that the target trusts; its issuers may follow, and are sent too
    const char *ca_key;

    const char *certificate; // one good identity: its certificate and its issuers. With ca_certificate: what the
    const char *key;         // controls present, instead of a minted one. With pki: instead of one of the PKI's.
};

enum { PROBE_TLS_1_2 = 1, PROBE_TLS_1_3 = 2 }; // flags

struct probe_options {
    const char *host; // to connect to
    const char *port;
    const char *name;        // to ask for in SNI and Host; NULL: the host
    const char *path;        // "/"
    const char *expect_body; // what an answer must contain to be an answer of one who is let in; NULL: nothing
    const int *refused_status;
    size_t refused_status_count;
    struct probe_source source;
    unsigned versions;       // PROBE_TLS_*
    long timeout_ms;         // of connecting, and of each wait
    long parallel;           // connections at once
    long rate;               // connections begun in a second; 0: as they come
    bool owned;              // the target may be anywhere: whoever runs this says that it is theirs
    const char *const *only; // tokens of cases; none: all
    size_t only_count;
    const char *keep;       // directory for the minted certificates and keys; NULL: they are in memory only
    const char *revoke_cmd; // makes the target's CA revoke what is in the file $MTLS_PROBE_CERT; NULL: the PKI does
    const char *reload_cmd; // makes the target learn of it
    int (*reload)(void *arg, struct err *e); // the same, where there is no command; or NULL
    void *reload_arg;
    const char *sni_other; // another server name of the target
};

struct probe_observer { // for a live table
    void *arg;
    void (*result)(void *arg, const struct probe_run *run, const struct probe_result *latest, size_t total);
};

// Fills the run ({0}; clear it in any case). -1: it could not begin. Whatever the target does is in the run.
int probe_server(const struct probe_options *options, const struct probe_observer *observer, struct probe_run *run,
                 struct err *e);

#endif
