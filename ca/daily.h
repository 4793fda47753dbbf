// SPDX-License-Identifier: Apache-2.0
// What the daily commands share. Private to daily*.c.
#ifndef MTLS_CA_DAILY_H
#define MTLS_CA_DAILY_H

#include "ca/pki.h"

// The entry that the options of a command describe, with the defaults of its profile. `requested`, which may be NULL,
// are names to use where the options have none. Clear with entry_clear.
int entry_from_options(const struct pki *pki, const struct ca_issue_options *o, const struct general_names *requested,
                       struct plan_entry *entry, struct err *e);
void entry_clear(struct plan_entry *entry);
int days_check(long days, struct err *e);

// The authority called `name`; without a name the only one that has no authority below it.
int issuer_choose(struct pki *pki, const char *name, struct authority **issuer, struct err *e);
// Would anybody take a certificate for `role` that this authority issues now?
int issuer_may_issue(const struct pki *pki, const struct authority *issuer, enum role role, struct err *e);

// The current certificate called `name` ("alice", "clients/alice"), in `role` if that is not NULL. Not found, or found
// in several roles: an error that says so.
int record_choose(struct pki *pki, const char *name, const char *role, struct record *r, struct err *e);
int role_parse(const char *word, enum role *role, struct err *e); // "client", "clients"

// What a command issues: one certificate, or a root and the authority below it.
struct publication {
    struct issued *issued;
    struct authority *issuer; // NULL: self-signed
    struct authority *self;   // of a new authority: gets its first revocation list
};
// Records them in the PKI and puts their files in place; the lock is held. Refuses if there is a current certificate of
// that name unless `replace`.
int publish(struct pki *pki, const struct publication *items, size_t count, bool replace, struct err *e);
void result_fill(struct pki *pki, const struct record *r, const struct authority *issuer, struct ca_result *out);

enum { CRL_LIFETIME = 30 * 86400 }; // where nothing says otherwise

#endif
