// SPDX-License-Identifier: Apache-2.0
// A PKI directory that is open: its database, its lock, its authorities, and how an entry becomes a certificate and
// files. Private to the room; ca.h is its public face.
//
//   DIR/{authorities,servers,clients,flaws}/NAME/{cert,chain,fullchain,key,combined}.pem
//   DIR/{trust.pem,trust.d/,crl.pem,manifest.json,pki.db}
#ifndef MTLS_CA_PKI_H
#define MTLS_CA_PKI_H

#include "base/file.h"
#include "ca/ca.h"
#include "ca/db.h"
#include "ca/plan.h"

struct pki {
    char *dir;
    struct db *db; // NULL until pki_lock makes a PKI that was not there
    int lock;      // descriptor of DIR/.lock, held exclusively between pki_lock and pki_unlock
    int64_t now;
    char *seed; // NULL: random
    const char *passphrase_file;
    struct buf passphrase; // asked for once, when first needed
    struct rng rng;        // for what is made on the calling thread
};

// Whoever writes, the database or files, holds this lock from before the transaction until after the files are in
// place: files then never show an older state than the database, and DIR/.staging has one user. Taking it also mends,
// makes the PKI if it is not there yet, and refuses to mix what is made from a seed with what is not.
int pki_lock(struct pki *pki, struct err *e);
void pki_unlock(struct pki *pki);
char *pki_path(const struct pki *pki, const char *fmt, ...) __attribute__((format(printf, 2, 3))); // DIR/..., owned
// Finishes what a process that died, or could not write, left in DIR/.staging; see mend.c. The lock is held.
int pki_mend(struct pki *pki, struct err *e);
int pki_record_seed(struct pki *pki, struct err *e); // inside the transaction that adds the first certificates
int pki_is_seeded(struct pki *pki, bool *seeded, struct err *e);
const char *pki_comment(const struct pki *pki); // what seeded certificates are marked with; NULL otherwise
int pki_passphrase(struct pki *pki, bool confirm, const char **passphrase, struct err *e);

// A CA that can issue. Its identity is its subject and key: a certificate renewed for the same key is the same CA, with
// the same revocation list. `ca_id` is the id of the first certificate of that identity; what the CA issues is recorded
// under it.
struct authority {
    char *name;
    struct record cert;
    int64_t ca_id;
    struct buf subject; // Name DER
    uint8_t key_id[KEY_ID_SIZE];
    struct buf chain; // PEM: this CA's certificate and those above it, the root left out
    bool is_root;
    mbedtls_pk_context key; // only once authority_key has loaded it
    bool has_key;
};

// Loads the current certificate of the authority `name`. 1 found, 0 there is none, -1 error.
int authority_load(struct pki *pki, const char *name, struct authority **loaded, struct err *e);
// An authority from a certificate that was made a moment ago and its key (taken over).
int authority_from(struct pki *pki, const struct record *cert, const struct authority *issuer, mbedtls_pk_context *key,
                   struct authority **made, struct err *e);
void authority_free(struct authority *a);
// Makes sure that the private key is there, asking for a passphrase if it is encrypted, and that it is the
// certificate's own.
int authority_key(struct pki *pki, struct authority *a, struct err *e);
struct certificate_issuer authority_issuer(struct authority *a); // the key must be there
// The CA identity of a certificate: see struct authority. 0: it has none yet, being neither on record nor the renewal
// of one that is.
int authority_identity(struct db *db, const struct record *cert, int64_t *ca_id, struct err *e);

// One certificate with its key, made in memory, not yet known to the database.
struct issued {
    struct record record;   // id 0
    mbedtls_pk_context key; // MBEDTLS_PK_NONE where only the public key is known (ca sign)
    struct buf key_pem;     // as it goes to the file, encrypted or not; empty for ca sign
};
void issued_clear(struct issued *i);

// What a new certificate for `entry` is made of besides the entry.
struct issue_request {
    const struct plan_entry *entry;
    enum origin origin;
    struct authority *issuer;       // NULL: self-signed; its key must be there
    struct span key_pem;            // an existing key.pem to go on using; empty: a new key
    mbedtls_pk_context *public_key; // instead of any private key: ca sign
    size_t issue;                   // how many certificates of this name there were before (seeds differ by it)
};
// Safe on many threads at once, as long as nobody changes `pki`. Encrypted keys need pki_passphrase beforehand.
int issue_make(struct pki *pki, const struct issue_request *q, struct issued *out, struct err *e);

// The texts of an entry's files. `chain` is the issuer's.
struct entry_files {
    struct buf key, cert, chain, fullchain, combined;
};
void entry_files_make(struct entry_files *f, struct span key_pem, struct span cert_der, struct span chain_pem);
void entry_files_clear(struct entry_files *f);
// Before the database changes: notes in the batch that this entry is about to, and adds its key.pem if that is not what
// `key_pem` says. A private key is the one thing that cannot be made again from the database.
int entry_files_announce(struct file_batch *batch, const char *dir, struct span key_pem, size_t *changed,
                         struct err *e);
// Adds those that differ from what is on disk to the batch; how many did goes to *changed. An empty key is not written,
// nor one that was announced.
int entry_files_put(struct file_batch *batch, const char *dir, const struct entry_files *f, bool announced,
                    size_t *changed, struct err *e);
// Before the database changes: notes in the batch all entries that may be below a CA with a new certificate, `renewed`.
int chains_announce(struct pki *pki, struct file_batch *batch, const struct record *renewed, struct err *e);
// Afterwards: adds those of their files that have another chain now.
int chains_refresh(struct pki *pki, struct file_batch *batch, const struct record *renewed, struct err *e);
char *entry_directory(const struct pki *pki, enum role role, const char *name); // owned
void file_digest(struct span data, char hex[65]);                               // SHA-256

// Issues the next list of a CA into the database (inside the caller's transaction). `lifetime` seconds.
int crl_issue(struct pki *pki, struct authority *a, int64_t lifetime, struct crl_record *made, struct err *e);
// Adds crl.pem, trust.pem and trust.d to the batch where they differ from what the database says.
int lists_put(struct pki *pki, struct file_batch *batch, size_t *changed, struct err *e);
// Adds manifest.json to the batch if it is not what the database says.
int manifest_put(struct pki *pki, struct file_batch *batch, size_t *changed, struct err *e);
// The same after a command that changed one certificate, if there is a manifest. A large one goes away instead, until
// mtls pki writes it again: what one certificate costs must not grow with their number, and no manifest is better than
// one that is wrong.
int manifest_refresh(struct pki *pki, struct file_batch *batch, struct err *e);

#endif
