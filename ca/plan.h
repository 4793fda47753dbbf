// SPDX-License-Identifier: Apache-2.0
// The PKI plan (configs/pki.yaml), read, checked and resolved: defaults applied, copies expanded, dates computed.
#ifndef MTLS_CA_PLAN_H
#define MTLS_CA_PLAN_H

#include "ca/certificate.h"
#include "ca/crl.h"
#include "ca/db.h"

struct plan_entry {
    enum role role; // authority, server or client
    char *name;     // directory name too: letters, digits, ". _ @ -", not starting with "."
    char *issuer;   // an authority's name; NULL: self-signed
    enum key_type key;
    struct certificate_content content; // dates absolute
    bool relative_dates;                // they were computed from `now`: the entry may be renewed as it nears its end
    int64_t renew_before;               // seconds before not_after from which on it is renewed
    bool encrypt_key;                   // authorities only
    int64_t crl_lifetime;               // seconds from thisUpdate to nextUpdate; authorities only
    bool revoked;
    enum revocation_reason revocation_reason;
    int64_t revoked_at;      // absolute
    int64_t invalidity_date; // or CRL_NO_INVALIDITY_DATE
    char *spec;              // SHA-256 hex of the canonical text of everything above that a re-issue must
                             // follow; relative dates count by their distance, revocation and renew_before
                             // do not count
    int line;                // in the file, for messages
};

struct plan {
    char *file; // for messages; "built-in plan"
    struct plan_entry *entries;
    size_t count;                      // authorities first, every issuer before what it issues
    const struct plan_entry **by_name; // the same, sorted: for plan_find
    char *flaw_issuer;                 // NULL: no flaws
    char **flaws;                      // tokens of flaw.def, NULL-terminated; {"all", NULL} for all
    struct general_names flaw_hosts;   // names of the server-side flaws' certificates
    bool fixed_dates;                  // no date in it depends on `now`
    int64_t latest_not_before;
};

// The plan that is used without a file, as YAML text: the same as configs/pki.yaml says.
extern const char plan_builtin[];

// Reads the YAML in `text`. Every error is "FILE:LINE: PATH: what is wrong; what would be right". `now` is what
// relative dates count from.
int plan_read(const char *file, struct span text, int64_t now, struct plan **plan, struct err *e);
void plan_free(struct plan *plan);
const struct plan_entry *plan_find(const struct plan *plan, enum role role, const char *name);

#endif
