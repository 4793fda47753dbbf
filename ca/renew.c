// SPDX-License-Identifier: Apache-2.0
// Renewal: the certificate that there is, with a new serial number and new dates, and a new key if that is wanted, by
// its CA as that is now. All else stays as it is, octet for octet, whoever asked for it and however.
#include "base/clock.h"
#include "base/der.h"
#include "base/text.h"
#include "ca/daily.h"
#include "ca/extension.h"

#include <mbedtls/oid.h>
#include <stdlib.h>
#include <string.h>

struct renewal {
    struct pki *pki;
    struct record old;
    struct authority *issuer; // NULL: self-signed
    struct issued made;
    uint8_t key_id[KEY_ID_SIZE];
    mbedtls_pk_context *public_key; // of the new certificate; borrowed
    mbedtls_x509_crt parsed;        // of the old one: holds the public key where there is no private one here
};

static bool is_oid(struct span oid, const char *expected, size_t len)
{
    return oid.len == len && memcmp(oid.data, expected, len) == 0;
}

// Copies one Extension, with the key identifiers of today.
static int copy_extension(struct span extension, const struct renewal *w, struct buf *out, struct err *e)
{
    struct span rest = extension;
    struct der_item whole;
    struct der_item oid;
    struct buf value = {0};
    if (der_next(&rest, &whole, e) != 0 || der_next(&whole.content, &oid, e) != 0) {
        return -1;
    }
    if (is_oid(oid.content, MBEDTLS_OID_SUBJECT_KEY_IDENTIFIER, MBEDTLS_OID_SIZE(MBEDTLS_OID_SUBJECT_KEY_IDENTIFIER))) {
        der_wrap(&value, MBEDTLS_ASN1_OCTET_STRING, span_of(w->key_id, KEY_ID_SIZE));
        extension_write(out, oid.content, false, buf_span(&value));
    } else if (w->issuer != NULL && is_oid(oid.content, MBEDTLS_OID_AUTHORITY_KEY_IDENTIFIER,
                                           MBEDTLS_OID_SIZE(MBEDTLS_OID_AUTHORITY_KEY_IDENTIFIER))) {
        der_wrap(&value, MBEDTLS_ASN1_CONTEXT_SPECIFIC, span_of(w->issuer->key_id, KEY_ID_SIZE));
        der_enclose(&value, TAG_SEQUENCE);
        extension_write(out, oid.content, false, buf_span(&value));
    } else {
        buf_add(out, extension.data, extension.len);
    }
    buf_clear(&value);
    return 0;
}

static int copy_extensions(struct span extensions, const struct renewal *w, struct buf *out, struct err *e)
{
    struct der_item outer;
    struct der_item list;
    struct der_item item;
    struct buf copies = {0};
    int rc = der_next(&extensions, &outer, e) != 0 || der_next(&outer.content, &list, e) != 0 ? -1 : 0;
    while (rc == 0 && list.content.len > 0) {
        rc = der_next(&list.content, &item, e);
        if (rc == 0) {
            rc = copy_extension(item.whole, w, &copies, e);
        }
    }
    if (rc == 0) {
        der_enclose(&copies, TAG_SEQUENCE);
        der_wrap(out, outer.tag, buf_span(&copies));
    }
    buf_clear(&copies);
    return rc;
}

// RFC 5280 section 4.1.2.5: UTCTime through 2049, GeneralizedTime from 2050.
static void add_time(struct buf *out, int64_t when)
{
    char text[CLOCK_TEXT];
    clock_x509(when, text);
    bool utc = strcmp(text, "2050") < 0 && strcmp(text, "1950") >= 0;
    char *zulu = mem_printf("%sZ", utc ? text + 2 : text);
    der_wrap(out, utc ? MBEDTLS_ASN1_UTC_TIME : MBEDTLS_ASN1_GENERALIZED_TIME, span_of(zulu, strlen(zulu)));
    free(zulu);
}

static int build(struct renewal *w, const uint8_t serial[SERIAL_SIZE], mbedtls_pk_context *signer, struct err *e)
{
    struct record *r = &w->made.record;
    struct certificate_parts parts;
    struct buf content = {0};
    struct buf dates = {0};
    struct buf algorithm = {0};
    unsigned char room[2048];
    int rc = -1;
    if (certificate_split(buf_span(&w->old.der), &parts, e) != 0) {
        return -1;
    }
    int key_len = mbedtls_pk_write_pubkey_der(w->public_key, room, sizeof room);
    if (key_len < 0) {
        return err_mbedtls(e, key_len, "writing a public key");
    }
    if (signature_algorithm(signer, key_digest(signer), &algorithm, e) != 0) {
        return -1;
    }
    struct span issuer = w->issuer == NULL ? parts.subject : buf_span(&w->issuer->subject);
    add_time(&dates, r->not_before);
    add_time(&dates, r->not_after);
    buf_add(&content, parts.version.data, parts.version.len);
    der_wrap(&content, MBEDTLS_ASN1_INTEGER, span_of(serial, SERIAL_SIZE));
    buf_add(&content, algorithm.data, algorithm.len);
    buf_add(&content, issuer.data, issuer.len);
    der_wrap(&content, TAG_SEQUENCE, buf_span(&dates));
    buf_add(&content, parts.subject.data, parts.subject.len);
    buf_add(&content, room + sizeof room - key_len, (size_t)key_len);
    if (copy_extensions(parts.extensions, w, &content, e) == 0) {
        der_enclose(&content, TAG_SEQUENCE);
        rc = signed_make(buf_span(&content), signer, key_digest(signer), &w->pki->rng, &r->der, e);
    }
    buf_clear(&content);
    buf_clear(&dates);
    buf_clear(&algorithm);
    return rc;
}

static int make_key(struct renewal *w, struct err *e)
{
    enum key_type type;
    if (!key_type_of(&w->parsed.pk, &type)) {
        return err_set(e, "its key is of no type that is made here");
    }
    return key_generate(type, &w->pki->rng, &w->made.key, e) == 0 ? key_write_pem(&w->made.key, &w->made.key_pem, e)
                                                                  : -1;
}

// Whatever is in key.pem now; but a CA with another key would be another CA.
static int read_key(struct renewal *w, const char *path, struct err *e)
{
    bool is_authority = w->old.role == ROLE_AUTHORITY;
    const char *passphrase = NULL;
    struct buf id = {0};
    uint8_t found[KEY_ID_SIZE];
    if (!file_exists(path)) {
        return err_set(e, "%s is missing; %s", path,
                       is_authority ? "mtls pki makes a new one and issues everything below it again"
                                    : "--rekey renews it with a new key");
    }
    if (file_read(path, FILE_LIMIT, &w->made.key_pem, e) != 0 ||
        (key_is_encrypted(buf_span(&w->made.key_pem)) && pki_passphrase(w->pki, false, &passphrase, e) != 0)) {
        return -1;
    }
    if (key_read(buf_span(&w->made.key_pem), passphrase, &w->pki->rng, &w->made.key, e) != 0) {
        return err_context(e, "%s", path);
    }
    int rc = key_id(&w->made.key, found, e);
    bool same = text_unhex(w->old.key_id, &id) && id.len == sizeof found && memcmp(id.data, found, id.len) == 0;
    if (rc == 0 && is_authority && !same) {
        rc = err_set(e, "%s is not the key of its certificate; mtls pki issues everything below it again", path);
    }
    buf_clear(&id);
    return rc;
}

// The old key goes on, unless a new one is wanted. Of a certificate that was signed from a request only the public key
// is here.
static int choose_key(struct renewal *w, bool rekey, struct err *e)
{
    char *dir = entry_directory(w->pki, w->old.role, w->old.name);
    char *path = mem_printf("%s/key.pem", dir);
    int rc = mbedtls_x509_crt_parse_der(&w->parsed, w->old.der.data, w->old.der.len);
    w->public_key = &w->made.key;
    if (rc != 0) {
        rc = err_mbedtls(e, rc, "reading the certificate of %s", w->old.name);
    } else if (w->old.key_file_digest[0] == '\0') {
        w->public_key = &w->parsed.pk;
    } else {
        rc = rekey ? make_key(w, e) : read_key(w, path, e);
    }
    free(path);
    free(dir);
    return rc == 0 ? key_id(w->public_key, w->key_id, e) : -1;
}

static int fill_record(struct renewal *w, const struct ca_issue_options *o, struct err *e)
{
    struct record *r = &w->made.record;
    bool as_before = o->days == CA_DAYS_DEFAULT;
    int64_t lifetime = as_before ? w->old.not_after - w->old.not_before : o->days * (int64_t)CLOCK_DAY - 1;
    if (!as_before && days_check(o->days, e) != 0) {
        return -1;
    }
    *r = (struct record){.role = w->old.role,
                         .origin = w->old.origin,
                         .name = mem_strdup(w->old.name),
                         .subject = mem_strdup(w->old.subject),
                         .spec = mem_strdup(w->old.spec),
                         .not_before = w->pki->now,
                         .issued_at = w->pki->now,
                         .invalidity_date = CRL_NO_INVALIDITY_DATE,
                         .current = true};
    r->not_after = r->not_before + lifetime;
    if (o->not_after != NULL && clock_parse(o->not_after, w->pki->now, &r->not_after, e) != 0) {
        e->kind = ERR_USAGE;
        return err_context(e, "--not-after");
    }
    if (w->issuer != NULL && r->not_after > w->issuer->cert.not_after) {
        r->not_after = w->issuer->cert.not_after; // it would be of no use beyond its CA's end
    }
    return r->not_after > r->not_before ? 0
                                        : err_set(e, "its issuer ends before it would begin; renew the issuer first");
}

static void finish_record(struct renewal *w, const uint8_t *serial)
{
    struct record *r = &w->made.record;
    struct buf hex = {0};
    char digest[65] = "";
    buf_add(&r->serial, serial, SERIAL_SIZE);
    file_digest(buf_span(&r->der), r->fingerprint);
    text_hex(&hex, w->key_id, KEY_ID_SIZE, '\0');
    memcpy(r->key_id, hex.data, sizeof r->key_id);
    if (w->made.key_pem.len > 0) {
        file_digest(buf_span(&w->made.key_pem), digest);
    }
    r->key_file_digest = mem_strdup(digest);
    buf_clear(&hex);
}

static int check_renewable(const struct record *old, bool rekey, struct err *e)
{
    bool is_authority = old->role == ROLE_AUTHORITY;
    bool key_here = old->key_file_digest[0] != '\0';
    if (old->role == ROLE_FLAW) {
        return err_set(e, "%s is a flaw, wrong in one way as it is; mtls pki keeps those", old->name);
    }
    if (rekey && is_authority) {
        return err_usage(e,
                         "a new key for an authority means new certificates for all below it: remove its key.pem and "
                         "run mtls pki");
    }
    if (rekey && !key_here) {
        return err_usage(
            e, "it was signed from a request, so its key is not here; mtls ca sign --replace takes a new one");
    }
    if (old->revoked_at != 0 && !rekey) {
        return err_refused(e, "%s is revoked; %s", old->name,
                           is_authority ? "remove its key.pem and run mtls pki to have another CA in its place"
                           : key_here   ? "--rekey renews it with a new key"
                                        : "mtls ca sign --replace takes a new request for it");
    }
    return 0;
}

static int choose_issuer(struct renewal *w, struct err *e)
{
    struct record issuer = {0};
    if (w->old.issuer_id == 0) {
        return 0;
    }
    int found = db_find_id(w->pki->db, w->old.issuer_id, &issuer, e);
    int rc = found == 1 ? issuer_choose(w->pki, issuer.name, &w->issuer, e) : -1;
    record_clear(&issuer);
    return rc == 0 && issuer_may_issue(w->pki, w->issuer, w->old.role, e) == 0 ? authority_key(w->pki, w->issuer, e)
                                                                               : -1;
}

int ca_renew(struct pki *pki, const struct ca_issue_options *o, struct ca_result *result, struct err *e)
{
    struct renewal w = {.pki = pki};
    struct publication item = {.issued = &w.made};
    uint8_t serial[SERIAL_SIZE];
    int rc = -1;
    mbedtls_pk_init(&w.made.key);
    mbedtls_x509_crt_init(&w.parsed);
    if (pki_lock(pki, e) != 0) { // from here, so that what is revoked meanwhile is not renewed
        return -1;
    }
    if (record_choose(pki, o->name, o->profile, &w.old, e) != 0 || check_renewable(&w.old, o->rekey, e) != 0 ||
        choose_issuer(&w, e) != 0 || choose_key(&w, o->rekey, e) != 0 || fill_record(&w, o, e) != 0 ||
        serial_make(&pki->rng, serial, e) != 0) {
        goto out;
    }
    if (build(&w, serial, w.issuer == NULL ? &w.made.key : &w.issuer->key, e) == 0) {
        finish_record(&w, serial);
        item.issuer = w.issuer;
        rc = publish(pki, &item, 1, true, e);
    }
    if (rc == 0) {
        result_fill(pki, &w.made.record, w.issuer, result);
    }
out:
    pki_unlock(pki);
    if (rc != 0) {
        err_context(e, "renewing %s", o->name);
    }
    mbedtls_x509_crt_free(&w.parsed);
    issued_clear(&w.made);
    authority_free(w.issuer);
    record_clear(&w.old);
    return rc;
}
