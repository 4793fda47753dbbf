// SPDX-License-Identifier: Apache-2.0
// What makes `kill -9` harmless, and a full disk.
//
// The database is the truth and files are its output, but a private key is only ever in a file. So whoever changes the
// PKI first writes the new keys below DIR/.staging, each under the path that it will have, and makes an empty directory
// there for every entry that changes otherwise (entry_files_announce). Then the database changes, in one transaction.
// Then the other files are written there too, and everything moves to its place; .staging goes last.
//
// If .staging is there although nobody holds the lock, that was cut short. What it says then follows from the database:
// an entry whose certificate is on record gets its files, with the staged key if that is the one on record, and the
// lists at the top are brought up to date; what is not on record never happened.
#include "ca/pki.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct mending {
    struct pki *pki;
    struct file_batch *batch;
    char *staged; // DIR/.staging/clients/alice
    char *dir;    // DIR/clients/alice
    struct record current;
    size_t changed;
};

// Everything but the key is made again.
static int clear_staged(const struct mending *m, bool key_too, struct err *e)
{
    DIR *folder = opendir(m->staged);
    int rc = folder == NULL ? err_errno(e, "reading directory %s", m->staged) : 0;
    for (struct dirent *file; rc == 0 && folder != NULL && (file = readdir(folder)) != NULL;) {
        bool ours = file->d_name[0] != '.' && (key_too || strcmp(file->d_name, "key.pem") != 0);
        if (ours && unlinkat(dirfd(folder), file->d_name, 0) != 0) {
            rc = err_errno(e, "removing %s/%s", m->staged, file->d_name);
        }
    }
    if (folder != NULL) {
        closedir(folder);
    }
    return rc;
}

// Reads DIR/key.pem if it is the key that the certificate on record was recorded with.
static bool read_key(const struct mending *m, const char *dir, struct buf *key)
{
    struct err ignored = ERR_INIT;
    char digest[65] = "";
    char *path = mem_printf("%s/key.pem", dir);
    if (file_exists(path) && file_read(path, FILE_LIMIT, key, &ignored) == 0) {
        file_digest(buf_span(key), digest);
    }
    free(path);
    if (strcmp(digest, m->current.key_file_digest) == 0) {
        return true;
    }
    buf_clear(key);
    return false;
}

static int find_issuer(const struct mending *m, struct authority **issuer, struct err *e)
{
    struct record first = {0};
    *issuer = NULL;
    int found = m->current.issuer_id == 0 ? 0 : db_find_id(m->pki->db, m->current.issuer_id, &first, e);
    if (found == 1) {
        found = authority_load(m->pki, first.name, issuer, e);
    }
    record_clear(&first);
    return found < 0 ? -1 : 0;
}

// A certificate whose key is nowhere, or was replaced by hand since, is left alone: mtls pki and mtls ca renew see to
// that.
static int mend_files(struct mending *m, struct err *e)
{
    struct authority *issuer = NULL;
    struct entry_files files = {0};
    struct buf key = {0};
    bool has_key = m->current.key_file_digest[0] != '\0';
    bool is_staged = has_key && read_key(m, m->staged, &key);
    int rc = clear_staged(m, !is_staged, e);
    if (rc != 0 || (has_key && !is_staged && !read_key(m, m->dir, &key))) {
        return rc;
    }
    rc = find_issuer(m, &issuer, e);
    if (rc == 0) {
        entry_files_make(&files, buf_span(&key), buf_span(&m->current.der),
                         issuer == NULL ? span_of(NULL, 0) : buf_span(&issuer->chain));
        rc = entry_files_put(m->batch, m->dir, &files, is_staged, &m->changed, e);
    }
    entry_files_clear(&files);
    authority_free(issuer);
    buf_clear(&key);
    return rc;
}

static int note_known(void *arg, const struct record *r, struct err *e)
{
    (void)r;
    (void)e;
    *(bool *)arg = true;
    return 0;
}

// Never recorded, or pruned: then the directory of what was is to go too, and before what says so.
static int forget(struct mending *m, enum role role, const char *name, struct err *e)
{
    struct db_filter all = {.role = (int)role, .name = name};
    bool known = false;
    if (db_list(m->pki->db, &all, note_known, &known, e) != 0) {
        return -1;
    }
    return known ? file_batch_doom(m->batch, m->dir, e) : file_remove_tree(m->staged, e);
}

// A flaw stands or falls with its control: mtls pki makes both again if their files are not what was issued.
static int mend_flaw(struct mending *m, const char *name, struct err *e)
{
    char *control = mem_printf("%s/control", name);
    int found = db_find_current(m->pki->db, ROLE_FLAW, control, &m->current, e);
    int rc = found < 0 ? -1 : found == 0 ? forget(m, ROLE_FLAW, control, e) : file_remove_tree(m->staged, e);
    free(control);
    return rc;
}

static int mend_entry(struct mending *m, enum role role, const char *name, struct err *e)
{
    int found = db_find_current(m->pki->db, role, name, &m->current, e);
    return found < 0 ? -1 : found == 0 ? forget(m, role, name, e) : mend_files(m, e);
}

static int mend(struct pki *pki, struct file_batch *batch, enum role role, const char *name, struct err *e)
{
    struct mending m = {.pki = pki,
                        .batch = batch,
                        .staged = pki_path(pki, FILE_STAGING "/%s/%s", role_directory(role), name),
                        .dir = entry_directory(pki, role, name)};
    int rc = role == ROLE_FLAW ? mend_flaw(&m, name, e) : mend_entry(&m, role, name, e);
    record_clear(&m.current);
    free(m.staged);
    free(m.dir);
    return rc;
}

static int mend_role(struct pki *pki, struct file_batch *batch, enum role role, struct err *e)
{
    char *path = pki_path(pki, FILE_STAGING "/%s", role_directory(role));
    DIR *folder = opendir(path);
    int rc = folder == NULL && errno != ENOENT ? err_errno(e, "reading directory %s", path) : 0;
    for (struct dirent *entry; rc == 0 && folder != NULL && (entry = readdir(folder)) != NULL;) {
        rc = entry->d_name[0] == '.' ? 0 : mend(pki, batch, role, entry->d_name, e);
    }
    if (folder != NULL) {
        closedir(folder);
    }
    free(path);
    return rc;
}

static int remove_staged(struct pki *pki, const char *name, struct err *e)
{
    char *path = pki_path(pki, FILE_STAGING "/%s", name);
    int rc = file_remove_tree(path, e);
    free(path);
    return rc;
}

int pki_mend(struct pki *pki, struct err *e)
{
    static const char *const others[] = {"trust.pem", "trust.d", "crl.pem", "manifest.json"}; // made from the database
    struct file_batch batch = {0};
    size_t changed = 0;
    int rc = file_batch_resume(&batch, pki->dir, e);
    batch.keep = true; // it holds keys that are nowhere else
    for (int i = 0; rc == 0 && i < ROLE_COUNT; i++) {
        rc = mend_role(pki, &batch, (enum role)i, e);
    }
    for (size_t i = 0; rc == 0 && i < sizeof others / sizeof others[0]; i++) {
        rc = remove_staged(pki, others[i], e);
    }
    if (rc == 0 && lists_put(pki, &batch, &changed, e) == 0 && manifest_refresh(pki, &batch, e) == 0) {
        rc = file_batch_commit(&batch, e);
    } else {
        rc = -1;
    }
    file_batch_clear(&batch);
    return rc;
}
