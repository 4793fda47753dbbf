// SPDX-License-Identifier: Apache-2.0
#include "ca/pki.h"

#include "base/passphrase.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <mbedtls/sha256.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

char *pki_path(const struct pki *pki, const char *fmt, ...)
{
    char *rest = NULL;
    va_list ap;
    va_start(ap, fmt);
    int n = vasprintf(&rest, fmt, ap);
    va_end(ap);
    char *path = mem_printf("%s/%s", pki->dir, n < 0 ? "" : rest);
    free(rest);
    return path;
}

static bool has(const struct pki *pki, const char *name)
{
    char *path = pki_path(pki, "%s", name);
    bool exists = file_exists(path);
    free(path);
    return exists;
}

static int files_open(struct pki *pki, bool create, struct err *e)
{
    char *lock = pki_path(pki, ".lock");
    char *database = pki_path(pki, "pki.db");
    pki->lock = open(lock, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    int rc = pki->lock < 0 ? err_errno(e, "opening %s", lock) : db_open(database, create, &pki->db, e);
    free(lock);
    free(database);
    return rc;
}

static int lock(struct pki *pki, struct err *e)
{
    while (flock(pki->lock, LOCK_EX) != 0) {
        if (errno != EINTR) {
            return err_errno(e, "locking %s", pki->dir);
        }
    }
    if (has(pki, FILE_STAGING) && pki_mend(pki, e) != 0) {
        pki_unlock(pki);
        return err_context(e, "finishing what an earlier run left in %s/" FILE_STAGING, pki->dir);
    }
    return 0;
}

static int one_is_enough(void *arg, const struct record *r, struct err *e)
{
    (void)r;
    (void)e;
    *(bool *)arg = true;
    return 0;
}

// What the database says that the PKI was made from: the digest of a seed, or "" for none.
static int seed_recorded(struct pki *pki, char **digest, struct err *e)
{
    int found = db_fact_get(pki->db, "seed", digest, e);
    if (found == 0) {
        *digest = mem_strdup("");
    }
    return found < 0 ? -1 : 0;
}

static void seed_given(const struct pki *pki, char digest[65])
{
    digest[0] = '\0';
    if (pki->seed != NULL) {
        file_digest(span_of(pki->seed, strlen(pki->seed)), digest);
    }
}

// A PKI that was made from a seed stays marked: nothing real must ever come out of it. One without authorities is new,
// or whoever began it died early, and can still become either.
static int check_seed(struct pki *pki, struct err *e)
{
    struct db_filter authorities = {.role = ROLE_AUTHORITY};
    char *recorded = NULL;
    char given[65];
    bool used = false;
    seed_given(pki, given);
    int rc = seed_recorded(pki, &recorded, e);
    if (rc == 0 && strcmp(recorded, given) != 0) {
        rc = db_list(pki->db, &authorities, one_is_enough, &used, e);
    }
    if (rc == 0 && used) {
        rc = recorded[0] == '\0'
                 ? err_set(e, "%s has keys that were not made from a seed; --seed needs a new directory", pki->dir)
             : given[0] == '\0'
                 ? err_set(e, "%s was made with --seed, so its keys are no secret: only mtls pki --seed may change it",
                           pki->dir)
                 : err_set(e, "%s was made with another --seed", pki->dir);
    }
    free(recorded);
    return rc;
}

int pki_record_seed(struct pki *pki, struct err *e)
{
    char *recorded = NULL;
    char given[65];
    seed_given(pki, given);
    int rc = seed_recorded(pki, &recorded, e);
    if (rc == 0 && strcmp(recorded, given) != 0) {
        rc = db_fact_set(pki->db, "seed", given, e);
    }
    free(recorded);
    return rc;
}

int pki_is_seeded(struct pki *pki, bool *seeded, struct err *e)
{
    char *recorded = NULL;
    int rc = seed_recorded(pki, &recorded, e);
    *seeded = rc == 0 && recorded[0] != '\0';
    free(recorded);
    return rc;
}

int pki_lock(struct pki *pki, struct err *e)
{
    if (pki->db == NULL && (file_make_dirs(pki->dir, e) != 0 || files_open(pki, true, e) != 0)) {
        return -1;
    }
    if (lock(pki, e) != 0) {
        return -1;
    }
    if (check_seed(pki, e) != 0) {
        pki_unlock(pki);
        return -1;
    }
    return 0;
}

void pki_unlock(struct pki *pki)
{
    flock(pki->lock, LOCK_UN);
}

// What is there is opened, and mended if need be; what is not is made by pki_lock, when there is something to write.
static int open_existing(struct pki *pki, bool create, struct err *e)
{
    if (!has(pki, "pki.db")) {
        return create ? 0
                      : err_set(e, "%s is no PKI: it has no pki.db; make one with mtls pki -d %s", pki->dir, pki->dir);
    }
    if (files_open(pki, create, e) != 0) {
        return -1;
    }
    if (has(pki, FILE_STAGING)) { // by somebody who is still at it, or who died
        if (lock(pki, e) != 0) {
            return -1;
        }
        pki_unlock(pki);
    }
    return 0;
}

int pki_open(const struct pki_options *options, bool create, struct pki **opened, struct err *e)
{
    struct pki *pki = mem_alloc(sizeof *pki);
    pki->dir = mem_strdup(options->dir);
    pki->seed = mem_strdup(options->seed);
    pki->passphrase_file = options->passphrase_file;
    pki->now = options->now;
    pki->lock = -1;
    *opened = NULL;
    int rc = pki->seed == NULL ? rng_init(&pki->rng, e) : rng_init_seeded(&pki->rng, pki->seed, "pki", e);
    if (rc != 0 || open_existing(pki, create, e) != 0) {
        pki_close(pki);
        return -1;
    }
    *opened = pki;
    return 0;
}

void pki_close(struct pki *pki)
{
    if (pki == NULL) {
        return;
    }
    db_close(pki->db);
    if (pki->lock >= 0) {
        close(pki->lock); // which unlocks too
    }
    rng_clear(&pki->rng);
    buf_clear(&pki->passphrase);
    free(pki->seed);
    free(pki->dir);
    free(pki);
}

const char *pki_comment(const struct pki *pki)
{
    return pki->seed == NULL ? NULL : "INSECURE: made by mtls from a seed; its key is known to anyone";
}

int pki_passphrase(struct pki *pki, bool confirm, const char **passphrase, struct err *e)
{
    if (pki->passphrase.len == 0 && passphrase_get(pki->passphrase_file, "MTLS_PASSPHRASE", "passphrase of the CA keys",
                                                   confirm, &pki->passphrase, e) != 0) {
        return -1;
    }
    *passphrase = (const char *)pki->passphrase.data;
    return 0;
}

char *entry_directory(const struct pki *pki, enum role role, const char *name)
{
    return pki_path(pki, "%s/%s", role_directory(role), name);
}

void file_digest(struct span data, char hex[65])
{
    uint8_t digest[32] = {0};
    struct buf text = {0};
    mbedtls_sha256(data.data, data.len, digest, 0);
    text_hex(&text, digest, sizeof digest, '\0');
    memcpy(hex, text.data, 65);
    buf_clear(&text);
}
