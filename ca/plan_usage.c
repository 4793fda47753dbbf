// SPDX-License-Identifier: Apache-2.0
// One entry of the plan: what its certificate may be used for.
#include "base/clock.h"
#include "base/der.h"
#include "ca/plan_draft.h"

#include <mbedtls/x509.h>
#include <stdlib.h>
#include <string.h>

enum { CRL_DAYS = 30, CRL_DAYS_LIMIT = 3650, PATH_LENGTH_LIMIT = 100 };

static bool is_rsa(const struct draft *d)
{
    return strncmp(key_type_name(d->out.key), "rsa", 3) == 0;
}

static void check_authority_usage(struct draft *d)
{
    const unsigned needed = MBEDTLS_X509_KU_KEY_CERT_SIGN | MBEDTLS_X509_KU_CRL_SIGN;
    if ((d->in->key_usage & needed) != needed) {
        yaml_problem(d->doc, d->where,
                     "an authority needs keyCertSign and cRLSign: it signs certificates and revocation lists");
    }
}

static void check_leaf_usage(struct draft *d)
{
    const unsigned one_way = MBEDTLS_X509_KU_ENCIPHER_ONLY | MBEDTLS_X509_KU_DECIPHER_ONLY;
    const unsigned encipher = MBEDTLS_X509_KU_KEY_ENCIPHERMENT | MBEDTLS_X509_KU_DATA_ENCIPHERMENT;
    const unsigned usage = d->in->key_usage;
    if ((usage & MBEDTLS_X509_KU_KEY_CERT_SIGN) != 0) {
        yaml_problem(d->doc, d->where, "keyCertSign is only for authorities (RFC 5280 section 4.2.1.9)");
    }
    if ((usage & one_way) != 0 && (usage & MBEDTLS_X509_KU_KEY_AGREEMENT) == 0) {
        yaml_problem(d->doc, d->where,
                     "encipherOnly and decipherOnly mean nothing without keyAgreement (RFC 5280 section 4.2.1.3)");
    }
    if ((usage & encipher) != 0 && !is_rsa(d)) {
        yaml_problem(d->doc, d->where, "keyEncipherment and dataEncipherment are not for EC keys (RFC 8813 section 3)");
    }
}

static void read_key_usage(struct draft *d)
{
    bool authority = d->out.role == ROLE_AUTHORITY;
    unsigned *usage = &d->out.content.key_usage;
    if (yaml_has(d->doc, draft_at(d, "key_usage"))) {
        (authority ? check_authority_usage : check_leaf_usage)(d);
        *usage = d->in->key_usage;
    } else if (authority) {
        *usage = MBEDTLS_X509_KU_KEY_CERT_SIGN | MBEDTLS_X509_KU_CRL_SIGN;
    } else {
        *usage = MBEDTLS_X509_KU_DIGITAL_SIGNATURE;
        if (d->out.role == ROLE_SERVER && is_rsa(d)) { // for TLS 1.2's RSA key exchange (RFC 5246 section 7.4.2)
            *usage |= MBEDTLS_X509_KU_KEY_ENCIPHERMENT;
        }
    }
}

static void check_oid(struct draft *d, const char *text)
{
    struct err e = ERR_INIT;
    struct buf der = {0};
    if (der_oid_from_text(text, &der, &e) != 0) {
        draft_problem(d, &e);
    }
    buf_clear(&der);
}

static const struct {
    const char *word;
    const char *oid;
} purposes[] = { // RFC 5280 section 4.2.1.12
    {"serverAuth", "1.3.6.1.5.5.7.3.1"},   {"clientAuth", "1.3.6.1.5.5.7.3.2"},
    {"codeSigning", "1.3.6.1.5.5.7.3.3"},  {"emailProtection", "1.3.6.1.5.5.7.3.4"},
    {"timeStamping", "1.3.6.1.5.5.7.3.8"}, {"OCSPSigning", "1.3.6.1.5.5.7.3.9"},
    {"anyExtendedKeyUsage", "2.5.29.37.0"}};
enum { PURPOSES = sizeof purposes / sizeof purposes[0] };

// The OID of a purpose, given as a word or as the OID itself.
static const char *purpose_oid(struct draft *d, const char *text)
{
    const char *words[PURPOSES + 2] = {[PURPOSES] = "a dotted OID"};
    for (size_t i = 0; i < PURPOSES; i++) {
        words[i] = purposes[i].word;
        if (strcmp(words[i], text) == 0) {
            return purposes[i].oid;
        }
    }
    if (text[0] >= '0' && text[0] <= '9') {
        check_oid(d, text);
    } else {
        yaml_unknown(d->doc, d->where, "word", text, words);
    }
    return text;
}

static void read_ext_key_usage(struct draft *d)
{
    const struct raw_texts *in = &d->in->ext_key_usage;
    static const char *const usual[ROLE_COUNT] = {[ROLE_SERVER] = "serverAuth", [ROLE_CLIENT] = "clientAuth"};
    bool given = yaml_has(d->doc, draft_at(d, "ext_key_usage"));
    size_t count = given ? in->count : usual[d->out.role] != NULL;
    char **oids = count == 0 ? NULL : mem_array(count + 1, sizeof *oids);
    for (size_t i = 0; i < count; i++) {
        draft_at_item(d, "ext_key_usage", i);
        oids[i] = mem_strdup(purpose_oid(d, given ? in->items[i] : usual[d->out.role]));
    }
    d->out.content.ext_key_usage = oids;
}

static void read_policies(struct draft *d)
{
    const struct raw_texts *in = &d->in->policies;
    char **oids = in->count == 0 ? NULL : mem_array(in->count + 1, sizeof *oids);
    for (unsigned i = 0; i < in->count; i++) {
        draft_at_item(d, "policies", i);
        check_oid(d, in->items[i]);
        oids[i] = mem_strdup(in->items[i]);
    }
    d->out.content.policies = oids;
}

static void read_subtrees(struct draft *d, const char *field, const struct raw_names *in, struct general_names *out)
{
    struct plan_name_list lists[PLAN_NAME_LISTS];
    if (in == NULL) {
        return;
    }
    plan_name_lists(in, lists);
    for (size_t k = 0; k < PLAN_NAME_LISTS; k++) {
        char *path = mem_printf("%s.%s", field, lists[k].field);
        for (unsigned i = 0; i < lists[k].texts->count; i++) {
            struct err e = ERR_INIT;
            general_names_add(out, lists[k].type, lists[k].texts->items[i]);
            draft_at_item(d, path, i);
            if (general_name_check_constraint(&out->items[out->count - 1], &e) != 0) {
                draft_problem(d, &e);
            }
        }
        free(path);
    }
}

// RFC 5280 section 4.2.1.10: an empty nameConstraints extension must not be; it is left out.
static void read_constraints(struct draft *d)
{
    struct certificate_content *c = &d->out.content;
    read_subtrees(d, "permitted", d->in->permitted, &c->permitted);
    read_subtrees(d, "excluded", d->in->excluded, &c->excluded);
    if (d->in->constraints_critical != NULL) {
        c->constraints_not_critical = !*d->in->constraints_critical;
        if (c->permitted.count + c->excluded.count == 0) {
            yaml_problem(d->doc, draft_at(d, "constraints_critical"), "there is nothing in permitted or excluded");
        }
    }
}

// The default is for certificates that a list can name: not for self-signed ones.
static void read_crl(struct draft *d)
{
    const char *behind = d->out.issuer == NULL ? NULL : d->raw->defaults.crl_url;
    const char *text = draft_inherit(d, "crl_url", d->in->crl_url, behind);
    char *url = text == NULL || text[0] == '\0' ? NULL : draft_expand(d, text);
    if (url != NULL) {
        struct err e = ERR_INIT;
        if (general_name_check(&(struct general_name){.type = GENERAL_NAME_URI, .value = url}, &e) != 0) {
            draft_problem(d, &e);
        }
        d->out.content.crl_urls = mem_array(2, sizeof url);
        d->out.content.crl_urls[0] = url;
    }
    if (d->out.role == ROLE_AUTHORITY) {
        d->out.crl_lifetime =
            CLOCK_DAY * (int64_t)draft_inherit_number(d, "crl_days", d->in->crl_days, "crl_days",
                                                      d->raw->defaults.crl_days, CRL_DAYS, CRL_DAYS_LIMIT);
    }
}

void draft_read_usage(struct draft *d)
{
    struct certificate_content *c = &d->out.content;
    c->is_ca = d->out.role == ROLE_AUTHORITY;
    c->path_length = PATH_LENGTH_NONE;
    if (d->in->path_length != NULL) {
        draft_at(d, "path_length");
        c->path_length = draft_number(d, *d->in->path_length, 0, PATH_LENGTH_LIMIT);
    }
    read_key_usage(d);
    read_ext_key_usage(d);
    read_policies(d);
    read_constraints(d);
    read_crl(d);
}
