// SPDX-License-Identifier: Apache-2.0
// pki_apply from the inside: each entry of the plan is decided, made and recorded, in three passes. Private to
// converge*.c.
#ifndef MTLS_CA_CONVERGE_H
#define MTLS_CA_CONVERGE_H

#include "ca/flaw.h"
#include "ca/pki.h"

// One entry of the plan on its way.
struct step {
    const struct plan_entry *entry;
    struct record before; // what the database had; id 0: nothing
    enum pki_action action;
    const char *why;
    bool issue;         // a new certificate is due
    struct buf key_pem; // the key file as it is or shall be; what is issued goes on using it if `keep_key`
    bool keep_key;
    bool same_key;               // it is the key of the certificate in `before`
    bool new_digest;             // and is written otherwise than it was
    bool rekeyed;                // of an authority: it, or one above it, is another CA from this run on
    size_t issues;               // certificates of this name so far
    struct step *above;          // the issuer's; NULL: self-signed
    struct authority *issuer;    // borrowed from there
    struct authority *authority; // of an authority, once it exists
    struct issued made;
};

// One flaw for one side, with its control.
struct flaw_step {
    enum flaw flaw;
    enum flaw_side side;
    char *name; // "client-expired"
    char *spec;
    bool make;
    const char *why;
    bool existed;
    struct flaw_made made[2]; // the flaw, the control
    struct entry_files files[2];
};

struct convergence {
    struct pki *pki;
    struct plan *plan;
    const struct pki_apply_options *options;
    struct pki_report *report;
    struct step *steps; // one an entry of the plan, in its order
    size_t count;
    struct flaw_step *flaws;
    size_t flaw_count;
    struct flaw_keys flaw_keys;     // there if flaws is not NULL
    struct authority *flaw_root;    // borrowed
    struct authority *flaw_issuing; // borrowed
    struct file_batch *batch;       // NULL with check
    int64_t *dirty;                 // CA identities of which something was revoked in this run
    size_t dirty_count;
    size_t dirty_cap;
    char **doomed; // directories to remove once the database has forgotten them
    size_t doomed_count;
    size_t doomed_cap;
};

struct step *converge_authority(struct convergence *c, const char *name); // NULL: the plan has none of that name
void converge_report(struct convergence *c, enum role role, const char *name, const struct record *r,
                     const char *issuer, enum pki_action action, const char *why);

int converge_decide(struct convergence *c, struct err *e);
int converge_make(struct convergence *c, struct step *s, struct err *e); // on any thread
struct revocation {
    enum revocation_reason reason;
    int64_t when;
    int64_t invalidity_date; // or CRL_NO_INVALIDITY_DATE
};
// Revokes a recorded certificate and remembers that its issuer needs a new list. 1: it was revoked already.
int converge_revoke(struct convergence *c, int64_t id, int64_t issuer_id, const struct revocation *revocation,
                    struct err *e);
// The same for every certificate that an entry ever had and that has not expired; how many goes to *count.
int converge_revoke_all(struct convergence *c, enum role role, const char *name, const struct revocation *revocation,
                        size_t *count, struct err *e);

// The flaws' three passes, called at the same points as those of the entries.
int converge_flaws_decide(struct convergence *c, struct err *e);
int converge_flaw_make(struct convergence *c, size_t i, struct err *e); // on any thread
int converge_flaws_record(struct convergence *c, struct err *e);        // inside the transaction
int converge_flaws_put(struct convergence *c, struct err *e);
void converge_flaws_clear(struct convergence *c);

// What is in the database and not in the plan.
int converge_leftovers(struct convergence *c, struct err *e);
// Lists of all authorities that need one: none yet, near its end, or something was revoked since.
int converge_lists(struct convergence *c, struct err *e);

#endif
