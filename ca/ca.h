// SPDX-License-Identifier: Apache-2.0
// The public face of the CA room: a whole test PKI from a plan, and the daily life of a mini CA. What issues here
// never judges: that is src/trust.
//
// Every function follows base/err.h; results are owned by the caller and have a clear function. Times are seconds since
// 1970. Private keys are only ever in files (0600) and in memory, which is zeroised.
#ifndef MTLS_CA_CA_H
#define MTLS_CA_CA_H

#include "base/err.h"
#include "base/mem.h"
#include "ca/show.h" // what is in a file, in words: show_file, show_text

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct pki;

struct pki_options {
    const char *dir;             // the PKI directory
    const char *seed;            // NULL: random. Otherwise reproducible and INSECURE: for golden tests
    const char *passphrase_file; // for encrypted CA keys; NULL: $MTLS_PASSPHRASE, else the terminal is asked
    int64_t now;
};

// Opens an existing PKI, or with `create` one that is made when the first thing is written to it.
int pki_open(const struct pki_options *options, bool create, struct pki **opened, struct err *e);
void pki_close(struct pki *pki);

// ---- the plan

enum pki_action {
    PKI_KEPT,      // as the plan says, untouched
    PKI_MADE,      // issued for the first time
    PKI_REISSUED,  // issued again: changed, near its end, new issuer...
    PKI_REWRITTEN, // the certificate is the same; its files were damaged, or a CA above it was renewed
    PKI_REVOKED,   // revoked now, because the plan says so
    PKI_LEFT,      // not in the plan any more, left alone
    PKI_PRUNED,    // not in the plan any more, revoked and removed
    PKI_BY_HAND,   // revoked by a command; the plan does not say so; left alone
};

struct pki_report_item {
    int role; // enum role
    char *name;
    char *issuer; // "": self-signed
    char *subject;
    int64_t not_after;
    bool revoked;
    enum pki_action action;
    char *why; // "" for what was kept
};

struct pki_report {
    struct pki_report_item *items;
    size_t count;
    size_t cap;
    size_t certificates; // made in this run
    size_t lists;        // CRLs issued in this run
    size_t files;        // written in this run
    bool check;          // nothing was done: lists and files are those that a run would make besides certificates
    size_t differences;  // with check: what a run would change
};
void pki_report_clear(struct pki_report *r);
void pki_report_print(const struct pki_report *r, const char *dir, FILE *to); // the tree, and a last line that counts

struct pki_apply_options {
    const char *plan_file; // NULL: the built-in plan
    bool prune;            // revoke and remove what the plan does not name any more
    bool check;            // change nothing; report what would change
    bool progress;         // a bar on stderr, if that is a terminal
};
// Makes the directory what the plan says: issues what is missing, changed or close to its end, revokes what the plan
// revokes, leaves the rest byte for byte alone. Whatever fails, the PKI is as before or further on the same way.
int pki_apply(struct pki *pki, const struct pki_apply_options *options, struct pki_report *report, struct err *e);

// ---- daily life

struct ca_names {
    const char *const *items;
    size_t count;
};

enum { CA_DAYS_DEFAULT = -1 };

struct ca_issue_options {
    const char *name;
    const char *profile; // "server", "client" or "authority"
    const char *issuer;  // NULL: the only authority that issues leaves, if there is just one
    const char *subject; // NULL: "CN=NAME"
    struct ca_names names;
    const char *key;                    // key type; NULL: ec-p256
    const char *not_before, *not_after; // clock_parse texts; NULL: now, now + days
    long days;                          // or CA_DAYS_DEFAULT: 397, authorities 3650, renewed ones as before
    long path_length;                   // -1: none
    bool encrypt_key;                   // authorities
    bool rekey;                         // renew: with a new key
    bool replace;                       // sign: in the place of what was signed from an earlier request
};

struct ca_result {
    char *directory; // where the files are; NULL: none were written
    char *subject;
    char *serial; // hex
    char *issuer; // name of the authority
    int64_t not_after;
    struct buf cert;  // PEM
    struct buf chain; // PEM
    char *unused;     // sign: "keyUsage, basicConstraints", extensions of the request that the profile decides; or NULL
};
void ca_result_clear(struct ca_result *r);

int ca_init(struct pki *pki, const struct ca_issue_options *root, const struct ca_issue_options *issuing,
            struct err *e);
int ca_issue(struct pki *pki, const struct ca_issue_options *o, struct ca_result *r, struct err *e);
int ca_sign(struct pki *pki, const struct ca_issue_options *o, struct span text, struct ca_result *r, struct err *e);
int ca_renew(struct pki *pki, const struct ca_issue_options *o, struct ca_result *r, struct err *e);

struct ca_revoke_options {
    const char *what;            // a name, a serial in hex, or a certificate file
    const char *role;            // "server", "client", "authority", when a name is not unique; else NULL
    const char *reason;          // NULL: unspecified
    const char *invalidity_date; // clock_parse text or NULL
};
struct ca_revocation {
    char *name, *subject, *serial, *issuer;
    int64_t crl_number;
    int64_t next_update;
    size_t certificates; // revoked by this call: a name may have several
    bool already;        // it was revoked before; nothing changed
};
void ca_revocation_clear(struct ca_revocation *r);
int ca_revoke(struct pki *pki, const struct ca_revoke_options *o, struct ca_revocation *r, struct err *e);

// Issues fresh lists of one authority (NULL: of all). `lifetime` seconds, 0: as the last one. Prints nothing;
// the lists' facts come back as a JSON array.
int ca_crl(struct pki *pki, const char *authority, int64_t lifetime, json_t **lists, struct err *e);

struct ca_list_options {
    bool revoked;
    int64_t expiring_within; // seconds; 0: no filter
    const char *role;        // NULL: all but flaws
    bool all;                // also superseded certificates and flaws
};
// An array of objects {name, role, subject, serial, issuer, not_before, not_after, fingerprint, revoked, reason}.
int ca_list(struct pki *pki, const struct ca_list_options *o, json_t **list, struct err *e);

enum ca_format { CA_PEM, CA_DER, CA_PKCS12 };
// One entry ("alice", "clients/alice") as a single file: PEM is key and full chain, DER the certificate, PKCS#12 all.
int ca_export(struct pki *pki, const char *name, enum ca_format format, const char *password, struct buf *out,
              struct err *e);

#endif
