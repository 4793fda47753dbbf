// SPDX-License-Identifier: Apache-2.0
// An entry becomes a key and a certificate, in memory.
#include "base/name_text.h"
#include "base/text.h"
#include "ca/pki.h"

#include <mbedtls/x509_crt.h>
#include <stdlib.h>
#include <string.h>

void issued_clear(struct issued *i)
{
    record_clear(&i->record);
    mbedtls_pk_free(&i->key);
    buf_clear(&i->key_pem);
}

// Each thing that is random has a generator of its own when seeded, so that making one entry does not change another.
static int rng_for(const struct pki *pki, const struct issue_request *q, const char *what, struct rng *rng,
                   struct err *e)
{
    if (pki->seed == NULL) {
        return rng_init(rng, e);
    }
    char *label = mem_printf("%s/%s/%s/%zu", role_name(q->entry->role), q->entry->name, what, q->issue);
    int rc = rng_init_seeded(rng, pki->seed, label, e);
    free(label);
    return rc;
}

static int key_take(struct pki *pki, const struct issue_request *q, struct rng *rng, struct issued *out, struct err *e)
{
    const char *passphrase = q->entry->encrypt_key ? (const char *)pki->passphrase.data : NULL;
    if (q->key_pem.len > 0) {
        buf_add(&out->key_pem, q->key_pem.data, q->key_pem.len);
        return key_read(q->key_pem, passphrase, rng, &out->key, e);
    }
    if (key_generate(q->entry->key, rng, &out->key, e) != 0) {
        return -1;
    }
    return passphrase != NULL ? key_write_encrypted_pem(&out->key, passphrase, rng, &out->key_pem, e)
                              : key_write_pem(&out->key, &out->key_pem, e);
}

// Nobody can use a certificate beyond the end of its CA: relative dates end with the issuer at the latest.
static void dates_within_issuer(struct certificate_content *content, const struct issue_request *q)
{
    if (q->entry->relative_dates && q->issuer != NULL && content->not_after > q->issuer->cert.not_after) {
        content->not_after = q->issuer->cert.not_after;
    }
}

// As name_to_text writes it, so that a name is the same text however it was typed.
static int record_subject(struct record *r, struct err *e)
{
    struct certificate_parts parts;
    struct buf text = {0};
    int rc = certificate_split(buf_span(&r->der), &parts, e);
    if (rc == 0) {
        rc = name_to_text(parts.subject, &text, e);
    }
    r->subject = (char *)text.data;
    return rc;
}

static void record_fill(struct record *r, const struct issue_request *q, const struct certificate_content *content,
                        const uint8_t *serial, const uint8_t *id, struct span key_pem, int64_t now)
{
    struct buf hex = {0};
    char digest[65] = "";
    r->role = q->entry->role;
    r->origin = q->origin;
    r->name = mem_strdup(q->entry->name);
    r->issuer_id = q->issuer == NULL ? 0 : q->issuer->ca_id;
    r->spec = mem_strdup(q->entry->spec == NULL ? "" : q->entry->spec);
    r->not_before = content->not_before;
    r->not_after = content->not_after;
    r->issued_at = now;
    r->invalidity_date = CRL_NO_INVALIDITY_DATE;
    r->current = true;
    buf_add(&r->serial, serial, SERIAL_SIZE);
    file_digest(buf_span(&r->der), r->fingerprint);
    text_hex(&hex, id, KEY_ID_SIZE, '\0');
    memcpy(r->key_id, hex.data, sizeof r->key_id);
    if (key_pem.len > 0) {
        file_digest(key_pem, digest);
    }
    r->key_file_digest = mem_strdup(digest);
    buf_clear(&hex);
}

int issue_make(struct pki *pki, const struct issue_request *q, struct issued *out, struct err *e)
{
    struct rng rng;
    uint8_t serial[SERIAL_SIZE];
    uint8_t id[KEY_ID_SIZE];
    struct certificate_issuer issuer = {0};
    struct certificate_content content = q->entry->content; // a shallow copy: dates and comment are ours
    mbedtls_pk_context *public_key = q->public_key;
    int rc = -1;
    *out = (struct issued){0};
    mbedtls_pk_init(&out->key);
    if (rng_for(pki, q, "key", &rng, e) != 0) {
        goto out;
    }
    if (public_key == NULL) {
        if (key_take(pki, q, &rng, out, e) != 0) {
            goto out;
        }
        public_key = &out->key;
    }
    rng_clear(&rng);
    if (rng_for(pki, q, "serial", &rng, e) != 0 || serial_make(&rng, serial, e) != 0 ||
        key_id(public_key, id, e) != 0) {
        goto out;
    }
    dates_within_issuer(&content, q);
    content.comment = (char *)(uintptr_t)pki_comment(pki);
    issuer.key = public_key; // self-signed, unless there is an issuer
    memcpy(issuer.key_id, id, sizeof id);
    if (q->issuer != NULL) {
        issuer = authority_issuer(q->issuer);
    }
    if (certificate_make(&content, serial, sizeof serial, public_key, &issuer, &rng, &out->record.der, e) != 0 ||
        record_subject(&out->record, e) != 0) {
        goto out;
    }
    record_fill(&out->record, q, &content, serial, id, buf_span(&out->key_pem), pki->now);
    rc = 0;
out:
    rng_clear(&rng);
    if (rc != 0) {
        err_context(e, "%s %s", role_name(q->entry->role), q->entry->name);
        issued_clear(out);
    }
    return rc;
}
