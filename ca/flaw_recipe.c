// SPDX-License-Identifier: Apache-2.0
// What each flaw is, as a difference from a good certificate.
#include "base/clock.h"
#include "ca/flaw_internal.h"

#include <stdlib.h>
#include <string.h>

#define OID_ANY_EKU "2.5.29.37.0"
#define OID_POLICY "1.3.6.1.4.1.32473.2" // below the number that RFC 5612 keeps for examples

// A twist changes one thing; `c` is the certificate that the recipe aims at.
typedef void twist(struct draft *d, struct draft_certificate *c);
#define UNUSED __attribute__((unused))
#define TWIST(name) static void name(struct draft *d UNUSED, struct draft_certificate *c UNUSED)

TWIST(absent)
{
    d->absent = true;
}

TWIST(self_signed)
{
    c->signer = FLAW_ISSUER_NONE;
}

TWIST(send_root)
{
    d->send_root = true;
}

// Instead of the root. It publishes no list: under the root's name that would be in the way of the root's own.
TWIST(foreign_root)
{
    struct draft_certificate *root = &d->certificates[DRAFT_ISSUER];
    c->signer = DRAFT_ISSUER;
    root->part = "root";
    root->signer = FLAW_ISSUER_NONE;
    root->edit = edit_root_name;
    root->crl.missing = true;
}

TWIST(send_leaf_only)
{
    d->send_leaf_only = true;
}

TWIST(wrong_key)
{
    d->wrong_key = true;
}

TWIST(rsa_2048)
{
    c->key = KEY_rsa_2048;
}

TWIST(rsa_1024)
{
    c->key = KEY_rsa_1024;
}

// ECDSA has no signatures with MD5
TWIST(issuer_rsa)
{
    d->certificates[DRAFT_ISSUER].key = KEY_rsa_2048;
}

TWIST(weak_curve)
{
    c->key = KEY_ec_p192;
}

TWIST(expired)
{
    draft_dates(c, d->setting->now - 2 * CLOCK_DAY, d->setting->now - CLOCK_DAY);
}

// For as long as its like is good, so that it stays a flaw.
TWIST(not_yet_valid)
{
    int64_t start = d->setting->now + d->setting->lifetime;
    draft_dates(c, start, start + d->setting->lifetime - 1);
}

TWIST(validity_reversed)
{
    draft_dates(c, d->setting->now - CLOCK_DAY, d->setting->now - 2 * CLOCK_DAY);
}

TWIST(revoke)
{
    c->revoke = true;
}

// A CA that has been there for longer than the stale list.
TWIST(older)
{
    c->content.not_before = d->setting->now - 3 * CLOCK_DAY;
}

TWIST(crl_stale)
{
    c->crl.this_update = d->setting->now - 2 * CLOCK_DAY;
    c->crl.next_update = d->setting->now - CLOCK_DAY;
}

TWIST(crl_missing)
{
    c->crl.missing = true;
}

TWIST(crl_wrong_key)
{
    c->crl.wrong_key = true;
}

TWIST(no_crl_sign)
{
    c->content.key_usage = MBEDTLS_X509_KU_KEY_CERT_SIGN;
}

TWIST(no_key_cert_sign)
{
    c->content.key_usage = MBEDTLS_X509_KU_CRL_SIGN;
}

// keyAgreement is what an EC key may be for besides signing.
TWIST(no_digital_signature)
{
    c->content.key_usage = MBEDTLS_X509_KU_KEY_AGREEMENT;
}

TWIST(this_side)
{
    draft_oid(&c->content.ext_key_usage, d->side == FLAW_SERVER ? OID_SERVER_AUTH : OID_CLIENT_AUTH);
}

TWIST(other_side)
{
    draft_oid(&c->content.ext_key_usage, d->side == FLAW_SERVER ? OID_CLIENT_AUTH : OID_SERVER_AUTH);
}

TWIST(no_eku)
{
    draft_oid(&c->content.ext_key_usage, NULL);
}

TWIST(any_eku)
{
    draft_oid(&c->content.ext_key_usage, OID_ANY_EKU);
}

TWIST(ca_false)
{
    c->content.is_ca = false;
}

TWIST(ca_true)
{
    c->content.is_ca = true;
}

// All that a CA has, and all that a leaf must have too.
TWIST(ca_whole)
{
    ca_true(d, c);
    c->content.key_usage |= MBEDTLS_X509_KU_KEY_CERT_SIGN | MBEDTLS_X509_KU_CRL_SIGN;
}

TWIST(path_length_1)
{
    c->content.path_length = 1;
}

TWIST(path_length_0)
{
    c->content.path_length = 0;
}

TWIST(require_policy)
{
    d->certificates[DRAFT_ISSUER].edit = edit_require_policy;
    draft_oid(&d->certificates[DRAFT_ISSUER].content.policies, OID_POLICY);
    draft_oid(&c->content.policies, OID_POLICY);
}

TWIST(no_policy)
{
    draft_oid(&c->content.policies, NULL);
}

TWIST(unknown_extension)
{
    c->edit = edit_unknown_extension;
}

TWIST(empty_subject)
{
    draft_subject(c, mem_strdup(""));
}

TWIST(no_names)
{
    general_names_clear(&c->content.names);
}

TWIST(host_in_cn)
{
    draft_subject(c, mem_printf("CN=%s," FLAW_ORGANIZATION, flaw_host(d->setting)));
}

// It begins with the host's name, for those who compare beginnings.
TWIST(wrong_host)
{
    char *name = mem_printf("%s.wrong.example", flaw_host(d->setting));
    no_names(d, c);
    general_names_add(&c->content.names, GENERAL_NAME_DNS, name);
    free(name);
}

TWIST(wildcard_parent)
{
    char *name = mem_printf("*.below.%s", flaw_host(d->setting)); // well-formed for a host of one label too
    no_names(d, c);
    general_names_add(&c->content.names, GENERAL_NAME_DNS, name);
    free(name);
}

// --- name constraints ---

struct constraint {
    enum general_name_type type; // 0: none
    bool excluded;
    bool not_critical;
};

// Of each type a name that is permitted and not excluded and one that is excluded and not permitted.
static const struct trial {
    enum general_name_type type;
    const char *inside, *outside;     // the names tried
    const char *permitted, *excluded; // the subtrees that hold the one and the other
} trials[] = {
    {GENERAL_NAME_DNS, "www.permitted.example", "www.excluded.example", "permitted.example", "excluded.example"},
    {GENERAL_NAME_IP, "192.0.2.1", "198.51.100.1", "192.0.2.0/24", "198.51.100.0/24"},
    {GENERAL_NAME_EMAIL, "one@permitted.example", "one@excluded.example", "permitted.example", "excluded.example"},
    {GENERAL_NAME_URI, "https://www.permitted.example/", "https://www.excluded.example/", ".permitted.example",
     ".excluded.example"},
    {GENERAL_NAME_DIRECTORY, "OU=permitted," FLAW_ORGANIZATION, "OU=excluded," FLAW_ORGANIZATION,
     "OU=permitted," FLAW_ORGANIZATION, "OU=excluded," FLAW_ORGANIZATION},
};

static const struct trial *trial_of(enum general_name_type type)
{
    const struct trial *trial = trials;
    while (trial->type != type) {
        trial++;
    }
    return trial;
}

// The names of a certificate that stay beside the one that is tried: those of other types, which the constraint says
// nothing about, and the host's, which become permitted. A URI without a host (the client's) may not be (section
// 4.2.1.10).
static void keep_names(struct general_names *names, enum general_name_type type, struct general_names *permitted)
{
    struct general_names kept = {0};
    for (size_t i = 0; i < names->count; i++) {
        const struct general_name *name = &names->items[i];
        bool dns = name->type == GENERAL_NAME_DNS;
        if (name->type == type && !dns && name->type != GENERAL_NAME_IP) {
            continue;
        }
        general_names_add(&kept, name->type, name->value);
        if (name->type == type && permitted != NULL) {
            const char *host = dns && strncmp(name->value, "*.", 2) == 0 ? name->value + 2 : name->value;
            char *subtree = mem_printf("%s%s", host, dns ? "" : strchr(host, ':') == NULL ? "/32" : "/128");
            general_names_add(permitted, type, subtree);
            free(subtree);
        }
    }
    general_names_clear(names);
    *names = kept;
}

static void constrain(struct draft *d, struct draft_certificate *authority, const struct constraint *constraint)
{
    struct draft_certificate *leaf = &d->certificates[DRAFT_LEAF];
    struct certificate_content *c = &authority->content;
    const struct trial *trial = trial_of(constraint->type);
    const char *tried = d->control ? trial->inside : trial->outside;
    c->constraints_not_critical = constraint->not_critical;
    if (constraint->excluded) {
        general_names_add(&c->excluded, trial->type, trial->excluded);
    } else {
        general_names_add(&c->permitted, trial->type, trial->permitted);
    }
    keep_names(&leaf->content.names, trial->type, constraint->excluded ? NULL : &c->permitted);
    if (trial->type == GENERAL_NAME_DIRECTORY) {
        draft_subject(leaf, mem_printf("CN=%s%s,%s", flaw_prefix(d->setting), d->token, tried));
    } else {
        general_names_add(&leaf->content.names, trial->type, tried);
    }
}

// --- recipes: one for each line of flaw.def; the compiler misses any that is not there ---

struct recipe {
    enum shape shape;
    int aim;        // DRAFT_*: which certificate the rest is about
    twist *always;  // what the flaw and its control have in common
    twist *wrong;   // the rest is what only the flaw has
    tbs_edit *edit; // replaces an edit of `always`
    der_damage *damage;
    struct constraint constraint;
};

#define RECIPE(token) static const struct recipe recipe_##token
#define CONSTRAINT_RECIPES(token, type)                                                                                \
    RECIPE(name_constraint_##token##_permitted) = {UNDER_CA, DRAFT_ISSUER, .constraint = {type, false, false}};        \
    RECIPE(name_constraint_##token##_permitted_not_critical) = {UNDER_CA, DRAFT_ISSUER,                                \
                                                                .constraint = {type, false, true}};                    \
    RECIPE(name_constraint_##token##_excluded) = {UNDER_CA, DRAFT_ISSUER, .constraint = {type, true, false}};          \
    RECIPE(name_constraint_##token##_excluded_not_critical) = {UNDER_CA, DRAFT_ISSUER,                                 \
                                                               .constraint = {type, true, true}};

RECIPE(no_certificate) = {.wrong = absent};
RECIPE(self_signed) = {.wrong = self_signed};
RECIPE(foreign_root_same_name) = {UNDER_ROOT, .always = send_root, .wrong = foreign_root};
RECIPE(unknown_issuer) = {UNDER_CA, DRAFT_ISSUER, .wrong = self_signed};
RECIPE(missing_intermediate) = {UNDER_CA, .wrong = send_leaf_only};
RECIPE(issuer_name_mismatch) = {.edit = edit_issuer_name};
RECIPE(wrong_key) = {.wrong = wrong_key};
RECIPE(rsa_1024) = {.always = rsa_2048, .wrong = rsa_1024};
RECIPE(weak_curve) = {.wrong = weak_curve};
RECIPE(issuer_weak_curve) = {UNDER_CA, DRAFT_ISSUER, .wrong = weak_curve};
RECIPE(expired) = {.wrong = expired};
RECIPE(not_yet_valid) = {.wrong = not_yet_valid};
RECIPE(validity_reversed) = {.wrong = validity_reversed};
RECIPE(validity_no_seconds) = {.edit = edit_validity_no_seconds};
RECIPE(issuer_expired) = {UNDER_CA, DRAFT_ISSUER, .wrong = expired};
RECIPE(issuer_not_yet_valid) = {UNDER_CA, DRAFT_ISSUER, .wrong = not_yet_valid};
RECIPE(revoked) = {.wrong = revoke};
RECIPE(issuer_revoked) = {UNDER_CA, DRAFT_ISSUER, .wrong = revoke};
RECIPE(crl_stale) = {UNDER_CA, DRAFT_ISSUER, .always = older, .wrong = crl_stale};
RECIPE(crl_missing) = {UNDER_CA, DRAFT_ISSUER, .wrong = crl_missing};
RECIPE(crl_wrong_key) = {UNDER_CA, DRAFT_ISSUER, .wrong = crl_wrong_key};
RECIPE(crl_issuer_no_crl_sign) = {UNDER_CA, DRAFT_ISSUER, .wrong = no_crl_sign};
RECIPE(issuer_crl_stale) = {UNDER_TWO_CAS, DRAFT_PARENT, .always = older, .wrong = crl_stale};
RECIPE(issuer_crl_missing) = {UNDER_TWO_CAS, DRAFT_PARENT, .wrong = crl_missing};
RECIPE(server_eku) = {.wrong = other_side};
RECIPE(client_eku) = {.wrong = other_side};
RECIPE(issuer_eku) = {UNDER_CA, DRAFT_ISSUER, .always = this_side, .wrong = other_side};
RECIPE(no_eku) = {.wrong = no_eku};
RECIPE(any_eku) = {.wrong = any_eku};
RECIPE(no_digital_signature) = {.wrong = no_digital_signature};
RECIPE(issuer_not_ca) = {UNDER_CA, DRAFT_ISSUER, .wrong = ca_false};
RECIPE(issuer_no_basic_constraints) = {UNDER_CA, DRAFT_ISSUER, .edit = edit_no_basic_constraints};
RECIPE(issuer_version_1) = {UNDER_CA, DRAFT_ISSUER, .edit = edit_version_1};
RECIPE(issuer_no_key_cert_sign) = {UNDER_CA, DRAFT_ISSUER, .wrong = no_key_cert_sign};
RECIPE(path_length_exceeded) = {UNDER_TWO_CAS, DRAFT_PARENT, .always = path_length_1, .wrong = path_length_0};
RECIPE(policy_required) = {UNDER_CA, DRAFT_LEAF, .always = require_policy, .wrong = no_policy};
RECIPE(ca_as_leaf) = {UNDER_ROOT, .wrong = ca_whole};
RECIPE(ca_true_leaf) = {.wrong = ca_true};
CONSTRAINT_RECIPES(dns, GENERAL_NAME_DNS)
CONSTRAINT_RECIPES(ip, GENERAL_NAME_IP)
CONSTRAINT_RECIPES(email, GENERAL_NAME_EMAIL)
CONSTRAINT_RECIPES(uri, GENERAL_NAME_URI)
CONSTRAINT_RECIPES(directory, GENERAL_NAME_DIRECTORY)
RECIPE(name_constraint_inherited) = {UNDER_TWO_CAS, DRAFT_PARENT, .constraint = {GENERAL_NAME_DNS, false, false}};
RECIPE(critical_extension) = {.always = unknown_extension, .edit = edit_unknown_critical_extension};
RECIPE(issuer_critical_extension) = {UNDER_CA, DRAFT_ISSUER, .always = unknown_extension,
                                     .edit = edit_unknown_critical_extension};
RECIPE(duplicate_extension) = {.edit = edit_duplicate_extension};
RECIPE(version_1) = {.edit = edit_version_1};
RECIPE(version_1_extensions) = {.edit = edit_version_1_extensions};
RECIPE(serial_zero) = {.edit = edit_serial_zero};
RECIPE(serial_negative) = {.edit = edit_serial_negative};
RECIPE(serial_too_long) = {.edit = edit_serial_too_long};
RECIPE(wrong_host_name) = {.wrong = wrong_host};
RECIPE(name_only_in_cn) = {.always = host_in_cn, .wrong = no_names};
RECIPE(wildcard_partial) = {.edit = edit_san_wildcard_partial};
RECIPE(wildcard_parent) = {.wrong = wildcard_parent};
RECIPE(ip_as_dns_name) = {.edit = edit_san_ip_as_dns_name};
RECIPE(empty_subject_no_san) = {.always = empty_subject, .wrong = no_names};
RECIPE(empty_subject_san_not_critical) = {.always = empty_subject, .edit = edit_san_not_critical};
RECIPE(nul_in_name) = {.edit = edit_san_nul};
RECIPE(empty_san) = {.edit = edit_san_empty};
RECIPE(san_not_ascii) = {.edit = edit_san_not_ascii};
RECIPE(san_ip_length) = {.edit = edit_san_ip_length};
RECIPE(sha1_signature) = {.edit = edit_sha1};
RECIPE(md5_signature) = {UNDER_CA, .always = issuer_rsa, .edit = edit_md5};
RECIPE(issuer_sha1_signature) = {UNDER_CA, DRAFT_ISSUER, .edit = edit_sha1};
RECIPE(signature_damaged) = {.damage = damage_signature};
RECIPE(issuer_signature_damaged) = {UNDER_CA, DRAFT_ISSUER, .damage = damage_signature};
RECIPE(tampered) = {.damage = damage_serial};
RECIPE(algorithm_mismatch) = {.edit = edit_inner_algorithm};
RECIPE(trailing_garbage) = {.damage = damage_append};
RECIPE(length_not_minimal) = {.damage = damage_length};

static const struct recipe *const recipes[FLAW_COUNT] = {
#define FLAW(token, sides, what, reason, rfc) [FLAW_##token] = &recipe_##token,
#include "ca/flaw.def"
#undef FLAW
};

void flaw_draft(const struct flaw_setting *setting, enum flaw flaw, enum flaw_side side, bool control,
                struct draft *draft)
{
    const struct recipe *recipe = recipes[flaw];
    struct draft_certificate *c = &draft->certificates[recipe->aim];
    *draft = (struct draft){.setting = setting, .token = flaw_info(flaw)->token, .side = side, .control = control};
    draft_good(draft, recipe->shape);
    if (recipe->always != NULL) {
        recipe->always(draft, c);
    }
    if (recipe->constraint.type != 0) {
        constrain(draft, c, &recipe->constraint);
    }
    if (control) {
        return;
    }
    if (recipe->wrong != NULL) {
        recipe->wrong(draft, c);
    }
    if (recipe->edit != NULL) {
        c->edit = recipe->edit;
    }
    c->damage = recipe->damage;
}
