// SPDX-License-Identifier: Apache-2.0
// The digest that tells whether an entry was edited since its certificate was issued. It is kept in databases: a change
// of the canonical text re-issues every PKI there is.
#include "base/text.h"
#include "ca/plan_draft.h"

#include <inttypes.h>
#include <mbedtls/sha256.h>
#include <string.h>

// "key=LENGTH:value\n", so that no value can look like another field.
static void field(struct buf *b, const char *key, const char *value)
{
    buf_printf(b, "%s=%zu:%s\n", key, strlen(value), value);
}

static void number(struct buf *b, const char *key, int64_t value)
{
    buf_printf(b, "%s=%" PRId64 "\n", key, value);
}

// The same plan read tomorrow must have the same digest: what counts from now counts by its distance.
static void date(struct buf *b, const char *key, int64_t when, bool relative, int64_t now)
{
    buf_printf(b, "%s=%s%" PRId64 "\n", key, relative ? "now+" : "", relative ? when - now : when);
}

static void texts(struct buf *b, const char *key, char **list)
{
    for (size_t i = 0; list != NULL && list[i] != NULL; i++) {
        field(b, key, list[i]);
    }
}

static void names(struct buf *b, const char *key, const struct general_names *list)
{
    for (size_t i = 0; i < list->count; i++) {
        field(b, key, general_name_type_word(list->items[i].type));
        field(b, key, list->items[i].value);
    }
}

static int canonical_text(const struct draft *d, struct buf *b, struct err *e)
{
    const struct plan_entry *p = &d->out;
    const struct certificate_content *c = &p->content;
    struct buf subject = {0};
    buf_text(b, "plan entry 1\nsubject=");
    int rc = name_from_text(c->subject, &subject, e); // the DER: a blank more or less in the text changes nothing
    text_hex(b, subject.data, subject.len, '\0');
    buf_clear(&subject);
    field(b, "\nrole", role_name(p->role));
    field(b, "name", p->name);
    field(b, "issuer", p->issuer == NULL ? "" : p->issuer);
    field(b, "key", key_type_name(p->key));
    number(b, "encrypt_key", p->encrypt_key);
    date(b, "not_before", c->not_before, d->begins_relative, d->now);
    date(b, "not_after", d->wanted_end, d->ends_relative, d->now);
    names(b, "san", &c->names);
    number(b, "ca", c->is_ca);
    number(b, "path_length", c->path_length);
    number(b, "key_usage", c->key_usage);
    texts(b, "ext_key_usage", c->ext_key_usage);
    names(b, "permitted", &c->permitted);
    names(b, "excluded", &c->excluded);
    number(b, "constraints_not_critical", c->constraints_not_critical);
    texts(b, "crl_url", c->crl_urls);
    texts(b, "policy", c->policies);
    return rc;
}

char *draft_spec(const struct draft *d, struct err *e)
{
    struct buf text = {0};
    struct buf hex = {0};
    uint8_t digest[32];
    int rc = canonical_text(d, &text, e);
    if (rc == 0 && (rc = mbedtls_sha256(text.data, text.len, digest, 0)) != 0) {
        err_mbedtls(e, rc, "making the digest of a plan entry");
    }
    if (rc == 0) {
        text_hex(&hex, digest, sizeof digest, '\0');
    }
    buf_clear(&text);
    return (char *)hex.data;
}
