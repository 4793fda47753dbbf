// SPDX-License-Identifier: Apache-2.0
// The good certificates that a flaw starts from.
#include "ca/flaw_internal.h"

#include <stdlib.h>
#include <string.h>

const char *flaw_host(const struct flaw_setting *setting)
{
    for (size_t i = 0; i < setting->hosts->count; i++) {
        const struct general_name *host = &setting->hosts->items[i];
        if (host->type == GENERAL_NAME_DNS && strchr(host->value, '*') == NULL) {
            return host->value;
        }
    }
    return "localhost";
}

const char *flaw_side_word(enum flaw_side side)
{
    return side == FLAW_SERVER ? "server" : "client";
}

const char *flaw_prefix(const struct flaw_setting *setting)
{
    return setting->prefix == NULL ? "" : setting->prefix;
}

void draft_subject(struct draft_certificate *c, char *subject)
{
    free(c->content.subject);
    c->content.subject = subject;
}

void draft_dates(struct draft_certificate *c, int64_t not_before, int64_t not_after)
{
    c->content.not_before = not_before;
    c->content.not_after = not_after;
}

void draft_oid(char ***list, const char *oid)
{
    for (size_t i = 0; *list != NULL && (*list)[i] != NULL; i++) {
        free((*list)[i]);
    }
    free(*list);
    *list = NULL;
    if (oid != NULL) {
        *list = mem_array(2, sizeof **list);
        (*list)[0] = mem_strdup(oid);
    }
}

static void draft_names(const struct draft *d, struct general_names *names)
{
    const struct general_names *hosts = d->setting->hosts;
    for (size_t i = 0; d->side == FLAW_SERVER && i < hosts->count; i++) {
        general_names_add(names, hosts->items[i].type, hosts->items[i].value);
    }
    if (d->side == FLAW_CLIENT) {
        char *urn = mem_printf("urn:mtls:flaw:%s", d->token);
        general_names_add(names, GENERAL_NAME_URI, urn);
        free(urn);
    }
}

static void draft_leaf(const struct draft *d, struct draft_certificate *c)
{
    c->content.subject = mem_printf("CN=%s%s," FLAW_ORGANIZATION, flaw_prefix(d->setting), d->token);
    c->content.key_usage = MBEDTLS_X509_KU_DIGITAL_SIGNATURE;
    draft_oid(&c->content.ext_key_usage, d->side == FLAW_SERVER ? OID_SERVER_AUTH : OID_CLIENT_AUTH);
    draft_names(d, &c->content.names);
}

// Each flaw, each side and each control has its own: no two CAs share a name and differ in their keys and lists. (There
// are judges, mbedTLS for one, that know a list's issuer by nothing but its name.)
static void draft_authority(const struct draft *d, struct draft_certificate *c)
{
    c->content.subject = mem_printf("CN=%s%s %s,OU=%s%s," FLAW_ORGANIZATION, flaw_prefix(d->setting), d->token, c->part,
                                    flaw_side_word(d->side), d->control ? " control" : "");
    c->content.is_ca = true;
    c->content.key_usage = MBEDTLS_X509_KU_KEY_CERT_SIGN | MBEDTLS_X509_KU_CRL_SIGN;
    c->crl.this_update = d->setting->now;
    c->crl.next_update = c->content.not_after;
}

void draft_good(struct draft *d, enum shape shape)
{
    static const char *const parts[DRAFT_COUNT] = {"leaf", "issuer", "parent"};
    static const int signers[][DRAFT_COUNT] = {
        [UNDER_ISSUING] = {FLAW_ISSUER_ISSUING},
        [UNDER_ROOT] = {FLAW_ISSUER_ROOT},
        [UNDER_CA] = {DRAFT_ISSUER, FLAW_ISSUER_ROOT},
        [UNDER_TWO_CAS] = {DRAFT_ISSUER, DRAFT_PARENT, FLAW_ISSUER_ROOT},
    };
    for (int i = 0; i < DRAFT_COUNT; i++) {
        struct draft_certificate *c = &d->certificates[i];
        c->part = parts[i];
        c->signer = signers[shape][i];
        c->key = KEY_ec_p256;
        c->content.path_length = PATH_LENGTH_NONE;
        c->content.comment = mem_strdup(d->setting->comment);
        // both ends are inclusive (RFC 5280 section 4.1.2.5)
        draft_dates(c, d->setting->now, d->setting->now + d->setting->lifetime - 1);
        if (i == DRAFT_LEAF) {
            draft_leaf(d, c);
        } else {
            draft_authority(d, c);
        }
    }
}

void flaw_draft_clear(struct draft *draft)
{
    for (int i = 0; i < DRAFT_COUNT; i++) {
        certificate_content_clear(&draft->certificates[i].content);
    }
}
