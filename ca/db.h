// SPDX-License-Identifier: Apache-2.0
// The CA's memory: one SQLite database (WAL, foreign keys, synchronous=FULL) that knows every certificate ever issued
// and every revocation. It is the truth; files are its output. No private key is in it.
#ifndef MTLS_CA_DB_H
#define MTLS_CA_DB_H

#include "base/err.h"
#include "base/mem.h"
#include "ca/crl.h"

#include <stdbool.h>
#include <stdint.h>

enum role { ROLE_AUTHORITY, ROLE_SERVER, ROLE_CLIENT, ROLE_FLAW, ROLE_COUNT };
const char *role_name(enum role role);      // "authority"
const char *role_directory(enum role role); // "authorities"

// Who asked for it: an entry of the plan, or a command (`mtls ca`). Only the first are reported as left over when the
// plan no longer names them.
enum origin { ORIGIN_PLAN, ORIGIN_COMMAND };

// One issued certificate. All pointers are owned by the record.
struct record {
    int64_t id; // 0: not yet recorded
    enum role role;
    enum origin origin;
    char *name;        // entry's name, which is its directory too; for parts of a flaw "NAME/PART"
    int64_t issuer_id; // 0: self-signed, or (flaws) issued by nobody we keep
    struct buf serial; // content octets of the INTEGER
    char *subject;     // RFC 4514
    struct buf der;
    char fingerprint[65]; // SHA-256 of the DER, lower-case hex
    char key_id[41];      // subjectKeyIdentifier, hex
    int64_t not_before;
    int64_t not_after;
    char *spec;            // digest of the plan entry it was made from, "" for commands
    char *key_file_digest; // SHA-256 hex of key.pem as written, to notice a changed file cheaply
    bool current;          // the one that the entry's files hold; false once re-issued or pruned
    int64_t issued_at;
    int64_t revoked_at; // 0: not revoked
    enum revocation_reason reason;
    int64_t invalidity_date; // or CRL_NO_INVALIDITY_DATE
    enum origin revoked_by;
};
void record_clear(struct record *r);

struct db;

// Opens PATH, creating it (0600) with its tables if `create`. A database of a newer version is refused. Waits for
// other processes' locks for up to 60 seconds.
int db_open(const char *path, bool create, struct db **db, struct err *e);
void db_close(struct db *db); // NULL is fine

// Write transactions are immediate: whoever holds one is the only writer. They do not nest.
int db_begin(struct db *db, struct err *e);
int db_commit(struct db *db, struct err *e);
void db_rollback(struct db *db); // no transaction is fine: for `goto out`

// Records a certificate and makes it the current one of its (role, name). Fills r->id. The serial must be new for its
// issuer (flaws excepted: theirs may be zero on purpose): otherwise an error, and the caller draws another.
int db_add(struct db *db, struct record *r, struct err *e);
// Marks a (role, name) as having no current certificate any more (pruned).
int db_retire(struct db *db, enum role role, const char *name, struct err *e);
int db_set_key_file_digest(struct db *db, int64_t id, const char *digest, struct err *e);

// Lookups fill `r` (clear it with record_clear) and return 1 found, 0 not found, -1 error.
int db_find_current(struct db *db, enum role role, const char *name, struct record *r, struct err *e);
int db_find_id(struct db *db, int64_t id, struct record *r, struct err *e);
int db_find_fingerprint(struct db *db, const char *fingerprint, struct record *r, struct err *e);
int db_find_serial(struct db *db, struct span serial, struct record *r,
                   struct err *e); // any issuer; an error if several

// Revokes one certificate. Already revoked: returns 1, and nothing changes (the first reason and date stand).
int db_revoke(struct db *db, int64_t id, enum revocation_reason reason, int64_t when, int64_t invalidity_date,
              enum origin by, struct err *e);

// Calls `each` for every matching record, ordered by role, name, id. `r` is borrowed during the call.
struct db_filter {
    bool current_only;
    bool revoked_only;
    bool unexpired_only; // not_after >= at
    int64_t at;
    int64_t expires_before; // 0: no limit
    int role;               // -1: all
    const char *name;       // NULL: all
    int64_t issuer_id;      // 0: all
};
typedef int db_each(void *arg, const struct record *r, struct err *e);
int db_list(struct db *db, const struct db_filter *filter, db_each *each, void *arg, struct err *e);

// The revoked certificates of one issuer as a CRL wants them, oldest first: serial, date, reason. An entry may leave
// the list one list after its certificate expired (RFC 5280 section 3.3); `at` decides. Cost: proportional to the
// revoked ones only.
int db_revoked(struct db *db, int64_t issuer_id, int64_t at, struct crl_entry **entries, size_t *count,
               struct buf *serials, struct err *e); // entries borrow from `serials`; free(*entries)

// The newest list of each issuer. Numbers only rise: db_crl_put refuses one that is not higher than the last.
struct crl_record {
    int64_t issuer_id;
    int64_t number;
    int64_t this_update;
    int64_t next_update;
    struct buf der;
};
int db_crl_next_number(struct db *db, int64_t issuer_id, int64_t *number, struct err *e);
int db_crl_put(struct db *db, int64_t issuer_id, const struct crl_record *crl, struct err *e);
int db_crl_find(struct db *db, int64_t issuer_id, struct crl_record *crl, struct err *e); // 1, 0, -1
typedef int db_crl_each(void *arg, const struct crl_record *crl, struct err *e);
int db_crl_list(struct db *db, db_crl_each *each, void *arg, struct err *e); // by issuer_id
int db_crl_drop(struct db *db, int64_t issuer_id, struct err *e);

// Small facts about the PKI itself: "seed" and the like. Get: 1 found (text owned by the caller), 0, -1.
int db_fact_get(struct db *db, const char *name, char **text, struct err *e);
int db_fact_set(struct db *db, const char *name, const char *text, struct err *e);

#endif
