// SPDX-License-Identifier: Apache-2.0
// Private to plan*.c: one entry of the plan while it is being read.
#ifndef MTLS_CA_PLAN_DRAFT_H
#define MTLS_CA_PLAN_DRAFT_H

#include "ca/plan.h"
#include "ca/plan_schema.h"

enum { PLAN_COPIES_LIMIT = 100000, PLAN_NO_INDEX = -1 };

struct draft {
    struct yaml_doc *doc;
    const struct raw_plan *raw;
    const struct raw_entry *in;
    size_t index; // of `in` among the entries of its role
    int copy;     // counted from 1; 0: the entry has no copies
    int64_t now;
    char where[64]; // path of the field that is looked at, for messages
    struct plan_entry out;
    int issuer;           // index into raw->authorities; PLAN_NO_INDEX when self-signed or unknown
    bool begins_relative; // not_before counts from `now`
    bool ends_relative;
    bool dated;         // the dates are there and make sense
    bool fixed;         // nothing in it counts from `now`
    int64_t wanted_end; // not_after before it was cut to the issuer's
};

// What is wrong becomes a problem of d->doc, in all of these.

// Fills d->out but for the dates and the spec.
void draft_read(struct draft *d);
void draft_read_usage(struct draft *d);   // plan_usage.c: key usage, constraints, policies, CRL; needs key and issuer
void draft_read_revoked(struct draft *d); // plan_dates.c
// The dates, and when to renew; `issuer` (NULL: self-signed or unknown) has its own already.
void draft_read_dates(struct draft *d, const struct draft *issuer);
// SHA-256 hex of the canonical text of what a re-issue must follow.
char *draft_spec(const struct draft *d, struct err *e);

// Where a field of the entry is: "clients[2].key". The text is d->where.
const char *draft_at(struct draft *d, const char *field);
const char *draft_at_item(struct draft *d, const char *field, size_t item);
// The entry's own value or the default behind it; d->where is then where that one stands.
const char *draft_inherit(struct draft *d, const char *field, const char *own, const char *behind);
int draft_inherit_number(struct draft *d, const char *field, const int *own, const char *default_field,
                         const int *behind, int built_in, int most);
int draft_number(struct draft *d, int n, int least, int most); // checks it
int draft_problem(struct draft *d, const struct err *e);       // at d->where
// The text with values for {name}, {issuer} and {n}, owned; NULL: there is a problem at d->where.
char *draft_expand(struct draft *d, const char *text);

// The index of an authority; PLAN_NO_INDEX and a problem if there is none of that name.
int plan_find_authority(const struct raw_plan *raw, struct yaml_doc *doc, const char *path, const char *name);
void plan_add_name(struct yaml_doc *doc, const char *path, struct general_names *names, enum general_name_type type,
                   const char *value);
void plan_entry_clear(struct plan_entry *entry);

// The lists of names by type, in an entry and in name constraints.
enum { PLAN_NAME_LISTS = 5 };
struct plan_name_list {
    const char *field;
    enum general_name_type type;
    const struct raw_texts *texts;
};
void plan_name_lists(const struct raw_names *names, struct plan_name_list lists[PLAN_NAME_LISTS]);

#endif
