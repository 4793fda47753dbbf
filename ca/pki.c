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

static int lock_open(struct pki *pki, struct err *e)
{
    char *path = pki_path(pki, ".lock");
    pki->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    int rc = pki->lock < 0 ? err_errno(e, "opening %s", path) : 0;
    free(path);
    return rc;
}

void pki_unlock(struct pki *pki)
{
    flock(pki->lock, LOCK_UN);
}

static bool is_unfinished(const struct pki *pki)
{
    char *staging = pki_path(pki, FILE_STAGING);
    bool exists = file_exists(staging);
    free(staging);
    return exists;
}

int pki_lock(struct pki *pki, struct err *e)
{
    while (flock(pki->lock, LOCK_EX) != 0) {
        if (errno != EINTR) {
            return err_errno(e, "locking %s", pki->dir);
        }
    }
    if (is_unfinished(pki) && pki_mend(pki, e) != 0) {
        pki_unlock(pki);
        return err_context(e, "finishing what an earlier run left in %s/" FILE_STAGING, pki->dir);
    }
    return 0;
}

static int one_is_enough(void *arg, const struct record *r, struct err *e)
{
    (void)r;
    (void)e;
    *(bool *)arg = false;
    return 0;
}

// A PKI that was made from a seed stays marked: nothing real must ever come out of it. One without authorities is new,
// or whoever began it died early, and can still become one.
static int check_seed(struct pki *pki, struct err *e)
{
    struct db_filter authorities = {.role = ROLE_AUTHORITY};
    char *seeded = NULL;
    bool fresh = true;
    int rc = db_fact_get(pki->db, "seeded", &seeded, e);
    if (rc == 0 && pki->seed != NULL && db_list(pki->db, &authorities, one_is_enough, &fresh, e) != 0) {
        rc = -1;
    } else if (rc == 0 && pki->seed != NULL) {
        rc = fresh ? db_fact_set(pki->db, "seeded", "insecure", e)
                   : err_set(e, "%s has keys that were not made from a seed; --seed needs a new directory", pki->dir);
    } else if (rc == 1 && pki->seed == NULL) {
        rc = err_set(e, "%s was made with --seed, so its keys are no secret; give --seed again, or a new directory",
                     pki->dir);
    }
    free(seeded);
    return rc < 0 ? -1 : 0;
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
    char *file = pki_path(pki, "pki.db");
    bool fresh = !file_exists(file);
    int rc = pki->seed == NULL ? rng_init(&pki->rng, e) : rng_init_seeded(&pki->rng, pki->seed, "pki", e);
    if (rc == 0 && fresh && !create) {
        rc = err_set(e, "%s is no PKI: it has no pki.db; make one with mtls pki -d %s", pki->dir, pki->dir);
    }
    if (rc == 0) {
        rc = file_make_dirs(pki->dir, e);
    }
    if (rc == 0) {
        rc = lock_open(pki, e);
    }
    if (rc == 0) {
        rc = db_open(file, create, &pki->db, e);
    }
    if (rc == 0) {
        rc = check_seed(pki, e);
    }
    if (rc == 0 && is_unfinished(pki)) { // by somebody who is still at it, or who died
        rc = pki_lock(pki, e);
        pki_unlock(pki);
    }
    free(file);
    if (rc != 0) {
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
