// SPDX-License-Identifier: Apache-2.0
// manifest.json: every artefact of a PKI with the verdict that a correct judge must reach about it, so that anybody's
// test suite can loop over it. docs/manifest.md describes the fields.
#include "base/clock.h"
#include "base/text.h"
#include "ca/converge.h"

#include <errno.h>
#include <jansson.h>
#include <mbedtls/oid.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct manifest {
    struct pki *pki;
    json_t *artefacts;
};

static json_t *time_json(int64_t when)
{
    char text[CLOCK_TEXT];
    return json_string(clock_rfc3339(when, text));
}

static json_t *names_json(struct span der)
{
    json_t *list = json_array();
    struct general_names names = {0};
    struct certificate_parts parts;
    struct span value;
    struct err ignored = ERR_INIT; // a flaw may be that these cannot be read; then there are none to list
    const struct span oid = span_of(MBEDTLS_OID_SUBJECT_ALT_NAME, MBEDTLS_OID_SIZE(MBEDTLS_OID_SUBJECT_ALT_NAME));
    if (certificate_split(der, &parts, &ignored) == 0 && certificate_extension(&parts, oid, &value) &&
        general_names_to_text(value, &names, &ignored) == 0) {
        for (size_t i = 0; i < names.count; i++) {
            json_array_append_new(list, json_pack("{s:s, s:s}", "type", general_name_type_word(names.items[i].type),
                                                  "value", names.items[i].value));
        }
    }
    general_names_clear(&names);
    return list;
}

// "client-expired/control" -> side, flaw, control. False: the name is no flaw that is presented (a part of one).
static bool flaw_of(const char *name, const char **side, enum flaw *flaw, bool *control)
{
    const char *slash = strchr(name, '/');
    const char *token = name + strlen("client-"); // "server-" is as long
    char *copy = mem_strndup(token, slash == NULL ? strlen(token) : (size_t)(slash - token));
    *side = text_starts(name, "client-") ? "client" : "server";
    *control = slash != NULL;
    bool found = (slash == NULL || strcmp(slash, "/control") == 0) && flaw_find(copy, flaw);
    free(copy);
    return found;
}

// Why nothing that this CA issued is good, or REASON_ok. `ca_id` becomes that of the CA above. Another key or name is
// another CA: what the one before issued is still on disk if it is not the plan's, and its list is no more.
static int reason_of_issuer(struct pki *pki, int64_t *ca_id, enum reason *reason, struct err *e)
{
    struct record first = {0};
    struct record now = {0};
    int rc = -1;
    if (db_find_id(pki->db, *ca_id, &first, e) != 1 ||
        db_find_current(pki->db, ROLE_AUTHORITY, first.name, &now, e) < 0) {
        goto out;
    }
    bool same = now.id != 0 && strcmp(first.key_id, now.key_id) == 0 && strcmp(first.subject, now.subject) == 0;
    const struct record *r = same ? &now : &first;
    *reason = r->revoked_at != 0                                                ? REASON_cert_revoked
              : !same && now.id != 0 && strcmp(first.subject, now.subject) == 0 ? REASON_crl_signature
              : !same                                                           ? REASON_crl_missing
              : r->not_after < pki->now                                         ? REASON_cert_expired
              : r->not_before > pki->now                                        ? REASON_cert_not_yet_valid
                                                                                : REASON_ok;
    *ca_id = r->issuer_id;
    rc = 0;
out:
    record_clear(&first);
    record_clear(&now);
    return rc;
}

static enum reason reason_of_issuers(struct pki *pki, int64_t ca_id, struct err *e)
{
    enum reason reason = REASON_ok;
    while (reason == REASON_ok && ca_id != 0 && reason_of_issuer(pki, &ca_id, &reason, e) == 0) {
    }
    return reason;
}

static bool extension_of(const struct record *r, const char *oid, size_t oid_len, struct span *value)
{
    struct certificate_parts parts;
    struct err ignored = ERR_INIT;
    return certificate_split(buf_span(&r->der), &parts, &ignored) == 0 &&
           certificate_extension(&parts, span_of(oid, oid_len), value);
}

// A plan may leave these extensions out, or say something else in them than the role needs.
static enum reason reason_of_usage(const struct record *r)
{
    static const char purposes[][MBEDTLS_OID_SIZE(MBEDTLS_OID_SERVER_AUTH) + 2] = {
        [ROLE_SERVER] = "\x06\x08" MBEDTLS_OID_SERVER_AUTH, [ROLE_CLIENT] = "\x06\x08" MBEDTLS_OID_CLIENT_AUTH};
    struct span value;
    if (extension_of(r, MBEDTLS_OID_KEY_USAGE, MBEDTLS_OID_SIZE(MBEDTLS_OID_KEY_USAGE), &value) &&
        (value.len < 4 || (value.data[3] & MBEDTLS_X509_KU_DIGITAL_SIGNATURE) == 0)) {
        return REASON_key_usage;
    }
    bool found =
        extension_of(r, MBEDTLS_OID_EXTENDED_KEY_USAGE, MBEDTLS_OID_SIZE(MBEDTLS_OID_EXTENDED_KEY_USAGE), &value) &&
        memmem(value.data, value.len, purposes[r->role], sizeof purposes[r->role]) != NULL;
    return found ? REASON_ok : REASON_ext_key_usage;
}

static enum reason reason_of(struct pki *pki, const struct record *r, struct err *e)
{
    if (r->role == ROLE_AUTHORITY) {
        return REASON_leaf_is_ca; // as an identity; as an issuer it may be perfectly good
    }
    enum reason above = reason_of_issuers(pki, r->issuer_id, e);
    enum reason own = r->revoked_at != 0         ? REASON_cert_revoked
                      : r->not_after < pki->now  ? REASON_cert_expired
                      : r->not_before > pki->now ? REASON_cert_not_yet_valid
                                                 : reason_of_usage(r);
    bool listed = above != REASON_crl_signature && above != REASON_crl_missing;
    return own == REASON_ok || !listed ? above : own;
}

static json_t *expectation(enum reason reason)
{
    return json_pack("{s:s, s:s}", "verdict", reason == REASON_ok ? "accepted" : "refused", "reason",
                     reason_token(reason));
}

static json_t *flaw_json(enum flaw flaw, const char *side, bool control)
{
    const struct flaw_info *info = flaw_info(flaw);
    return json_pack("{s:s, s:s, s:b, s:s, s:s}", "token", info->token, "side", side, "control", control, "what",
                     info->what, "rfc", info->rfc);
}

static json_t *record_json(const struct record *r)
{
    struct buf serial = {0};
    text_hex(&serial, r->serial.data, r->serial.len, '\0');
    json_t *o =
        json_pack("{s:s, s:s, s:s, s:o, s:s, s:s, s:o, s:o}", "name", r->name, "role", role_name(r->role), "subject",
                  r->subject, "names", names_json(buf_span(&r->der)), "serial", serial.data, "fingerprint",
                  r->fingerprint, "not_before", time_json(r->not_before), "not_after", time_json(r->not_after));
    buf_clear(&serial);
    char *directory = mem_printf("%s/%s", role_directory(r->role), r->name);
    json_object_set_new(o, "directory", json_string(directory));
    free(directory);
    if (r->revoked_at != 0) {
        json_object_set_new(
            o, "revoked",
            json_pack("{s:s, s:o}", "reason", revocation_reason_name(r->reason), "when", time_json(r->revoked_at)));
    }
    return o;
}

// The one flaw that is no file at all; only its control is on record.
static void add_no_certificate(struct manifest *m)
{
    json_array_append_new(m->artefacts, json_pack("{s:s, s:s, s:n, s:o, s:o}", "name", "client-no_certificate", "role",
                                                  role_name(ROLE_FLAW), "directory", "flaw",
                                                  flaw_json(FLAW_no_certificate, "client", false), "expect",
                                                  expectation(flaw_info(FLAW_no_certificate)->reason)));
}

static int add_record(void *arg, const struct record *r, struct err *e)
{
    struct manifest *m = arg;
    enum reason reason;
    enum flaw flaw = FLAW_no_certificate;
    const char *side = NULL;
    bool control = false;
    if (r->role == ROLE_FLAW && !flaw_of(r->name, &side, &flaw, &control)) {
        return 0;
    }
    if (r->role == ROLE_FLAW && flaw == FLAW_no_certificate) {
        add_no_certificate(m);
    }
    json_t *o = record_json(r);
    if (r->role == ROLE_FLAW) {
        json_object_set_new(o, "flaw", flaw_json(flaw, side, control));
        reason = control ? REASON_ok : flaw_info(flaw)->reason;
    } else {
        reason = reason_of(m->pki, r, e);
    }
    json_object_set_new(o, "expect", expectation(reason));
    json_array_append_new(m->artefacts, o);
    return err_is_set(e) ? -1 : 0;
}

static int manifest_make(struct pki *pki, struct buf *text, struct err *e)
{
    struct manifest m = {.pki = pki, .artefacts = json_array()};
    struct db_filter current = {.current_only = true, .role = -1};
    bool seeded = false;
    int rc = pki_is_seeded(pki, &seeded, e);
    if (rc == 0) {
        rc = db_list(pki->db, &current, add_record, &m, e);
    }
    json_t *root = json_pack("{s:i, s:b, s:s, s:s, s:o}", "version", 1, "insecure", seeded, "anchors", "trust.pem",
                             "revocation_lists", "crl.pem", "artefacts", m.artefacts);
    char *json = rc == 0 ? json_dumps(root, JSON_INDENT(2)) : NULL;
    if (rc == 0 && json == NULL) {
        rc = err_set(e, "writing manifest.json: a text in it is not UTF-8");
    } else if (rc == 0) {
        buf_printf(text, "%s\n", json);
    }
    free(json);
    json_decref(root);
    return rc;
}

int manifest_put(struct pki *pki, struct file_batch *batch, size_t *changed, struct err *e)
{
    struct buf text = {0};
    char *path = pki_path(pki, "manifest.json");
    int rc = manifest_make(pki, &text, e);
    if (rc == 0) {
        rc = file_put(batch, path, buf_span(&text), FILE_PUBLIC, changed, e);
    }
    buf_clear(&text);
    free(path);
    return rc;
}

int manifest_refresh(struct pki *pki, struct file_batch *batch, struct err *e)
{
    enum { LARGEST = 512 * 1024 };
    struct stat st;
    size_t changed = 0;
    char *path = pki_path(pki, "manifest.json");
    int rc = 0;
    if (stat(path, &st) == 0 && st.st_size <= LARGEST) {
        rc = manifest_put(pki, batch, &changed, e);
    } else if (unlink(path) != 0 && errno != ENOENT) {
        rc = err_errno(e, "removing %s", path);
    }
    free(path);
    return rc;
}
