// SPDX-License-Identifier: Apache-2.0
// What the CA has issued, and one entry as a single file.
#include "base/clock.h"
#include "base/pem.h"
#include "base/text.h"
#include "ca/daily.h"
#include "ca/pkcs12.h"

#include <stdlib.h>
#include <string.h>

struct listing {
    struct pki *pki;
    const struct ca_list_options *options;
    json_t *list;
};

static char *issuer_name(struct pki *pki, const struct record *r)
{
    struct record issuer = {0};
    struct err ignored = ERR_INIT;
    char *name = r->issuer_id == 0 ? mem_strdup("") : NULL;
    if (name == NULL && db_find_id(pki->db, r->issuer_id, &issuer, &ignored) == 1) {
        name = mem_strdup(issuer.name);
    }
    record_clear(&issuer);
    return name == NULL ? mem_strdup("") : name;
}

static int add(void *arg, const struct record *r, struct err *e)
{
    struct listing *l = arg;
    char from[CLOCK_TEXT];
    char until[CLOCK_TEXT];
    char revoked[CLOCK_TEXT];
    struct buf serial = {0};
    (void)e;
    if (r->role == ROLE_FLAW && l->options->role == NULL && !l->options->all) {
        return 0;
    }
    char *issuer = issuer_name(l->pki, r);
    text_hex(&serial, r->serial.data, r->serial.len, '\0');
    json_t *o = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:b}", "name", r->name, "role", role_name(r->role),
                          "subject", r->subject, "serial", serial.data, "issuer", issuer, "not_before",
                          clock_rfc3339(r->not_before, from), "not_after", clock_rfc3339(r->not_after, until),
                          "fingerprint", r->fingerprint, "current", r->current);
    json_object_set_new(o, "revoked",
                        r->revoked_at == 0 ? json_null() : json_string(clock_rfc3339(r->revoked_at, revoked)));
    json_object_set_new(o, "reason", r->revoked_at == 0 ? json_null() : json_string(revocation_reason_name(r->reason)));
    json_array_append_new(l->list, o);
    buf_clear(&serial);
    free(issuer);
    return 0;
}

int ca_list(struct pki *pki, const struct ca_list_options *o, json_t **list, struct err *e)
{
    struct listing l = {.pki = pki, .options = o, .list = json_array()};
    enum role role = ROLE_COUNT;
    *list = l.list;
    if (o->role != NULL && role_parse(o->role, &role, e) != 0) {
        return -1;
    }
    struct db_filter filter = {
        .current_only = !o->all && !o->revoked, // a renewed certificate that is revoked counts too
        .revoked_only = o->revoked,
        .unexpired_only = o->expiring_within > 0,
        .at = pki->now,
        .expires_before = o->expiring_within > 0 ? pki->now + o->expiring_within : 0,
        .role = role == ROLE_COUNT ? -1 : (int)role,
    };
    return db_list(pki->db, &filter, add, &l, e);
}

// ---- export

static int read_entry_file(struct pki *pki, const struct record *r, const char *file, struct buf *out, struct err *e)
{
    char *dir = entry_directory(pki, r->role, r->name);
    char *path = mem_printf("%s/%s", dir, file);
    int rc = file_read(path, FILE_LIMIT, out, e);
    free(path);
    free(dir);
    return rc;
}

struct chain {
    struct buf certificates[16];
    size_t count;
};

static int add_to_chain(void *arg, const char *label, struct span der, struct err *e)
{
    struct chain *chain = arg;
    if (strcmp(label, "CERTIFICATE") != 0) {
        return 0;
    }
    if (chain->count == sizeof chain->certificates / sizeof chain->certificates[0]) {
        return err_set(e, "the chain is longer than %zu certificates", chain->count);
    }
    buf_add(&chain->certificates[chain->count++], der.data, der.len);
    return 0;
}

static int export_pkcs12(struct pki *pki, const struct record *r, const char *password, struct buf *out, struct err *e)
{
    struct buf key_pem = {0};
    struct buf key_der = {0};
    struct buf pem = {0};
    struct chain chain = {0};
    struct span spans[sizeof chain.certificates / sizeof chain.certificates[0]];
    const char *passphrase = NULL;
    mbedtls_pk_context key;
    int rc = -1;
    mbedtls_pk_init(&key);
    if (read_entry_file(pki, r, "key.pem", &key_pem, e) != 0 ||
        (key_is_encrypted(buf_span(&key_pem)) && pki_passphrase(pki, false, &passphrase, e) != 0) ||
        key_read(buf_span(&key_pem), passphrase, &pki->rng, &key, e) != 0 || key_write_pkcs8(&key, &key_der, e) != 0 ||
        read_entry_file(pki, r, "fullchain.pem", &pem, e) != 0 ||
        pem_read(buf_span(&pem), add_to_chain, &chain, e) != 0) {
        goto out;
    }
    for (size_t i = 0; i < chain.count; i++) {
        spans[i] = buf_span(&chain.certificates[i]);
    }
    rc = pkcs12_make(buf_span(&key_der), spans, chain.count, r->name, password, &pki->rng, out, e);
out:
    for (size_t i = 0; i < chain.count; i++) {
        buf_clear(&chain.certificates[i]);
    }
    mbedtls_pk_free(&key);
    buf_clear(&key_pem);
    buf_clear(&key_der);
    buf_clear(&pem);
    return rc;
}

int ca_export(struct pki *pki, const char *name, enum ca_format format, const char *password, struct buf *out,
              struct err *e)
{
    struct record r = {0};
    int rc = record_choose(pki, name, NULL, &r, e);
    if (rc == 0) {
        switch (format) {
        case CA_PEM: rc = read_entry_file(pki, &r, "combined.pem", out, e); break;
        case CA_DER: buf_add(out, r.der.data, r.der.len); break;
        case CA_PKCS12: rc = export_pkcs12(pki, &r, password, out, e); break;
        }
    }
    record_clear(&r);
    return rc == 0 ? 0 : err_context(e, "exporting %s", name);
}
