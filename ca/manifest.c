// SPDX-License-Identifier: Apache-2.0
// manifest.json: every artefact of a PKI with the verdict that a correct judge must reach about it, so that anybody's
// test suite can loop over it. docs/manifest.md describes the fields.
#include "base/clock.h"
#include "base/der.h"
#include "base/text.h"
#include "ca/converge.h"

#include <jansson.h>
#include <mbedtls/oid.h>
#include <stdlib.h>
#include <string.h>

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

// Is this CA, or one above it, revoked or past its end? Then nothing below it is good.
static enum reason reason_of_issuers(struct pki *pki, int64_t issuer_id, struct err *e)
{
    enum reason reason = REASON_ok;
    for (int depth = 0; reason == REASON_ok && issuer_id != 0 && depth < 32; depth++) {
        struct record first = {0};
        struct record issuer = {0};
        int found = db_find_id(pki->db, issuer_id, &first, e);
        if (found == 1) {
            found = db_find_current(pki->db, ROLE_AUTHORITY, first.name, &issuer, e);
        }
        if (found == 1) {
            reason = issuer.revoked_at != 0         ? REASON_cert_revoked
                     : issuer.not_after < pki->now  ? REASON_cert_expired
                     : issuer.not_before > pki->now ? REASON_cert_not_yet_valid
                                                    : REASON_ok;
        }
        issuer_id = found == 1 ? issuer.issuer_id : 0;
        record_clear(&first);
        record_clear(&issuer);
    }
    return reason;
}

static enum reason reason_of(struct pki *pki, const struct record *r, struct err *e)
{
    if (r->role == ROLE_AUTHORITY) {
        return REASON_leaf_is_ca; // as an identity; as an issuer it may be perfectly good
    }
    if (r->revoked_at != 0) {
        return REASON_cert_revoked;
    }
    if (r->not_after < pki->now) {
        return REASON_cert_expired;
    }
    return r->not_before > pki->now ? REASON_cert_not_yet_valid : reason_of_issuers(pki, r->issuer_id, e);
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

static int add_record(void *arg, const struct record *r, struct err *e)
{
    struct manifest *m = arg;
    enum reason reason;
    enum flaw flaw;
    const char *side = NULL;
    bool control = false;
    if (r->role == ROLE_FLAW && !flaw_of(r->name, &side, &flaw, &control)) {
        return 0;
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

// The one flaw that is no file at all.
static void add_no_certificate(struct manifest *m, const struct plan *plan)
{
    for (char **name = plan->flaws; name != NULL && *name != NULL; name++) {
        if (strcmp(*name, "all") == 0 || strcmp(*name, flaw_info(FLAW_no_certificate)->token) == 0) {
            json_array_append_new(m->artefacts, json_pack("{s:s, s:s, s:n, s:o, s:o}", "name", "client-no_certificate",
                                                          "role", role_name(ROLE_FLAW), "directory", "flaw",
                                                          flaw_json(FLAW_no_certificate, "client", false), "expect",
                                                          expectation(flaw_info(FLAW_no_certificate)->reason)));
            return;
        }
    }
}

int manifest_make(struct pki *pki, const struct plan *plan, struct buf *text, struct err *e)
{
    struct manifest m = {.pki = pki, .artefacts = json_array()};
    struct db_filter current = {.current_only = true, .role = -1};
    int rc = db_list(pki->db, &current, add_record, &m, e);
    add_no_certificate(&m, plan);
    json_t *root = json_pack("{s:i, s:b, s:s, s:s, s:o}", "version", 1, "insecure", pki->seed != NULL, "anchors",
                             "trust.pem", "revocation_lists", "crl.pem", "artefacts", m.artefacts);
    char *json = json_dumps(root, JSON_INDENT(2));
    if (json == NULL) {
        rc = err_set(e, "writing manifest.json: a text in it is not UTF-8");
    } else {
        buf_printf(text, "%s\n", json);
    }
    free(json);
    json_decref(root);
    return rc;
}
