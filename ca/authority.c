// SPDX-License-Identifier: Apache-2.0
// The CAs of a PKI: loaded from the database and their key files, ready to issue.
#include "base/pem.h"
#include "base/text.h"
#include "ca/pki.h"

#include <mbedtls/x509_crt.h>
#include <stdlib.h>
#include <string.h>

struct identity_search {
    const struct record *cert;
    int64_t id; // 0: none yet
};

static int same_identity(void *arg, const struct record *r, struct err *e)
{
    struct identity_search *search = arg;
    (void)e;
    if (strcmp(r->key_id, search->cert->key_id) == 0 && strcmp(r->subject, search->cert->subject) == 0 &&
        (search->id == 0 || r->id < search->id)) {
        search->id = r->id;
    }
    return 0;
}

int authority_identity(struct db *db, const struct record *cert, int64_t *ca_id, struct err *e)
{
    struct identity_search search = {.cert = cert, .id = cert->id};
    struct db_filter filter = {.role = ROLE_AUTHORITY, .name = cert->name};
    if (db_list(db, &filter, same_identity, &search, e) != 0) {
        return -1;
    }
    *ca_id = search.id;
    return 0;
}

static int fill_from_certificate(struct authority *a, struct err *e)
{
    struct certificate_parts parts;
    struct buf id = {0};
    if (certificate_split(buf_span(&a->cert.der), &parts, e) != 0) {
        return -1;
    }
    buf_add(&a->subject, parts.subject.data, parts.subject.len);
    a->is_root =
        parts.subject.len == parts.issuer.len && memcmp(parts.subject.data, parts.issuer.data, parts.subject.len) == 0;
    bool good = text_unhex(a->cert.key_id, &id) && id.len == KEY_ID_SIZE;
    if (good) {
        memcpy(a->key_id, id.data, KEY_ID_SIZE);
    }
    buf_clear(&id);
    return good ? 0 : err_set(e, "the database has no key identifier for authority %s", a->name);
}

static void chain_add(struct authority *a, const struct authority *issuer)
{
    if (!a->is_root) {
        pem_write(&a->chain, "CERTIFICATE", buf_span(&a->cert.der));
    }
    if (issuer != NULL) {
        buf_add(&a->chain, issuer->chain.data, issuer->chain.len);
    }
}

// Adds the certificates above `a`, as they are current now. Bounded: a database that says otherwise is damaged.
static int chain_load(struct pki *pki, struct authority *a, struct err *e)
{
    int64_t issuer_id = a->cert.issuer_id;
    chain_add(a, NULL);
    for (int depth = 0; issuer_id != 0 && depth < 32; depth++) {
        struct record first = {0};
        struct record current = {0};
        int found = db_find_id(pki->db, issuer_id, &first, e);
        if (found == 1) {
            found = db_find_current(pki->db, ROLE_AUTHORITY, first.name, &current, e);
        }
        if (found == 1 && current.issuer_id != 0) {
            pem_write(&a->chain, "CERTIFICATE", buf_span(&current.der));
        }
        issuer_id = found == 1 ? current.issuer_id : 0;
        record_clear(&first);
        record_clear(&current);
        if (found < 0) {
            return -1;
        }
    }
    return 0;
}

int authority_load(struct pki *pki, const char *name, struct authority **loaded, struct err *e)
{
    struct authority *a = mem_alloc(sizeof *a);
    mbedtls_pk_init(&a->key);
    a->name = mem_strdup(name);
    *loaded = NULL;
    int found = db_find_current(pki->db, ROLE_AUTHORITY, name, &a->cert, e);
    if (found == 1 && (fill_from_certificate(a, e) != 0 || chain_load(pki, a, e) != 0 ||
                       authority_identity(pki->db, &a->cert, &a->ca_id, e) != 0)) {
        found = -1;
    }
    if (found != 1) {
        authority_free(a);
        return found;
    }
    *loaded = a;
    return 1;
}

static void record_copy(struct record *to, const struct record *from)
{
    *to = *from;
    to->name = mem_strdup(from->name);
    to->subject = mem_strdup(from->subject);
    to->spec = mem_strdup(from->spec);
    to->key_file_digest = mem_strdup(from->key_file_digest);
    to->serial = to->der = (struct buf){0};
    buf_add(&to->serial, from->serial.data, from->serial.len);
    buf_add(&to->der, from->der.data, from->der.len);
}

int authority_from(struct pki *pki, const struct record *cert, const struct authority *issuer, mbedtls_pk_context *key,
                   struct authority **made, struct err *e)
{
    struct authority *a = mem_alloc(sizeof *a);
    a->name = mem_strdup(cert->name);
    a->key = *key;
    a->has_key = true;
    mbedtls_pk_init(key);
    record_copy(&a->cert, cert);
    if (fill_from_certificate(a, e) != 0 || authority_identity(pki->db, &a->cert, &a->ca_id, e) != 0) {
        authority_free(a);
        return -1;
    }
    chain_add(a, issuer);
    *made = a;
    return 0;
}

void authority_free(struct authority *a)
{
    if (a == NULL) {
        return;
    }
    record_clear(&a->cert);
    buf_clear(&a->subject);
    buf_clear(&a->chain);
    mbedtls_pk_free(&a->key);
    free(a->name);
    free(a);
}

int authority_key(struct pki *pki, struct authority *a, struct err *e)
{
    struct buf pem = {0};
    const char *passphrase = NULL;
    uint8_t id[KEY_ID_SIZE];
    char *dir = entry_directory(pki, ROLE_AUTHORITY, a->name);
    char *path = mem_printf("%s/key.pem", dir);
    int rc = -1;
    if (a->has_key) {
        rc = 0;
        goto out;
    }
    if (file_read(path, FILE_LIMIT, &pem, e) != 0 ||
        (key_is_encrypted(buf_span(&pem)) && pki_passphrase(pki, false, &passphrase, e) != 0)) {
        goto out;
    }
    if (key_read(buf_span(&pem), passphrase, &pki->rng, &a->key, e) != 0) {
        err_context(e, "%s", path);
        goto out;
    }
    if (key_id(&a->key, id, e) != 0) {
        goto out;
    }
    if (memcmp(id, a->key_id, sizeof id) != 0) {
        err_set(e, "%s is not the key of the authority's certificate; mtls pki issues everything below it again", path);
        goto out;
    }
    a->has_key = true;
    rc = 0;
out:
    buf_clear(&pem);
    free(path);
    free(dir);
    return rc;
}

struct certificate_issuer authority_issuer(struct authority *a)
{
    struct certificate_issuer issuer = {.subject = buf_span(&a->subject), .key = &a->key};
    memcpy(issuer.key_id, a->key_id, KEY_ID_SIZE);
    return issuer;
}
