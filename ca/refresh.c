// SPDX-License-Identifier: Apache-2.0
// A CA got a new certificate: what is below it keeps its own, in a new chain.
#include "ca/pki.h"

#include <stdlib.h>
#include <string.h>

struct refreshing {
    struct pki *pki;
    struct file_batch *batch;
    const struct record *renewed; // its own files are in the batch already
    struct authority *issuer;     // of the record before, most likely of the next one too
    int64_t issuer_id;            // as that record had it
};

static int load_issuer(struct refreshing *f, int64_t issuer_id, struct err *e)
{
    struct record first = {0};
    if (f->issuer_id == issuer_id) {
        return 0;
    }
    authority_free(f->issuer);
    f->issuer = NULL;
    f->issuer_id = issuer_id;
    int found = db_find_id(f->pki->db, issuer_id, &first, e);
    if (found == 1 && first.role == ROLE_AUTHORITY) {
        found = authority_load(f->pki, first.name, &f->issuer, e);
    }
    record_clear(&first);
    return found < 0 ? -1 : 0;
}

// A key that is not the one on record is somebody's business, but not part of combined.pem.
static void read_key(const char *dir, const struct record *r, struct buf *key)
{
    struct err ignored = ERR_INIT;
    char digest[65] = "";
    char *path = mem_printf("%s/key.pem", dir);
    if (file_read(path, FILE_LIMIT, key, &ignored) == 0) {
        file_digest(buf_span(key), digest);
    }
    if (strcmp(digest, r->key_file_digest) != 0) {
        buf_clear(key);
    }
    free(path);
}

static bool has_chain(const struct refreshing *f, const struct record *r)
{
    bool itself = r->role == f->renewed->role && strcmp(r->name, f->renewed->name) == 0;
    return r->issuer_id != 0 && r->role != ROLE_FLAW && !itself;
}

static int announce(void *arg, const struct record *r, struct err *e)
{
    struct refreshing *f = arg;
    char *dir = entry_directory(f->pki, r->role, r->name);
    int rc = has_chain(f, r) ? file_batch_mark(f->batch, dir, e) : 0;
    free(dir);
    return rc;
}

static int refresh(void *arg, const struct record *r, struct err *e)
{
    struct refreshing *f = arg;
    struct entry_files files;
    struct buf key = {0};
    size_t changed = 0;
    if (!has_chain(f, r)) {
        return 0;
    }
    if (load_issuer(f, r->issuer_id, e) != 0) {
        return -1;
    }
    if (f->issuer == NULL || f->issuer->ca_id != r->issuer_id) { // of a CA that is no more
        return 0;
    }
    char *dir = entry_directory(f->pki, r->role, r->name);
    read_key(dir, r, &key);
    entry_files_make(&files, buf_span(&key), buf_span(&r->der), buf_span(&f->issuer->chain));
    int rc = entry_files_put(f->batch, dir, &files, false, &changed, e);
    entry_files_clear(&files);
    buf_clear(&key);
    free(dir);
    return rc;
}

int chains_announce(struct pki *pki, struct file_batch *batch, const struct record *renewed, struct err *e)
{
    struct refreshing f = {.pki = pki, .batch = batch, .renewed = renewed};
    struct db_filter current = {.current_only = true, .role = -1};
    return db_list(pki->db, &current, announce, &f, e);
}

int chains_refresh(struct pki *pki, struct file_batch *batch, const struct record *renewed, struct err *e)
{
    struct refreshing f = {.pki = pki, .batch = batch, .renewed = renewed};
    struct db_filter current = {.current_only = true, .role = -1};
    int rc = db_list(pki->db, &current, refresh, &f, e);
    authority_free(f.issuer);
    return rc;
}
