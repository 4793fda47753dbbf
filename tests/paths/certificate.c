// SPDX-License-Identifier: Apache-2.0
// A line that describes a certificate: made by ca/certificate.c, and changed where it refuses to.
#include "base/clock.h"
#include "base/der.h"
#include "base/text.h"
#include "paths.h"

#include <stdlib.h>

enum {
    TAG_EXTENSIONS = MBEDTLS_ASN1_CONTEXT_SPECIFIC | MBEDTLS_ASN1_CONSTRUCTED | 3,
    CHANGES_MOST = 96,
};

enum {
    FIELD_VERSION,
    FIELD_SERIAL,
    FIELD_ALGORITHM,
    FIELD_ISSUER,
    FIELD_VALIDITY,
    FIELD_SUBJECT,
    FIELD_KEY,
    FIELD_EXTENSIONS,
    FIELDS
};
static const char *const field_names[FIELDS] = {"version",  "serial",  "algorithm", "issuer",
                                                "validity", "subject", "key",       "extensions"};

struct recipe {
    struct world *w;
    struct certificate_content content;
    char *name;
    char *issuer_subject;          // RFC 4514, owned
    struct path_key *key, *signer; // signer: of the issuer
    struct buf serial;
    bool named;                 // a subjectAltName was given, or that there is none
    mbedtls_md_type_t digest;   // of a signature that is made anew; NONE: as it should be
    const char *fields[FIELDS]; // DER text in their places
    const char *no_extensions;  // the field is left out
    struct change {
        char what; // 'p'ut, 'a'dd, 'd'rop
        const char *text;
    } changes[CHANGES_MOST];
    size_t change_count;
    const char *damage;
    size_t copies;
    size_t add_many; // that many unknown extensions that are not critical
};

static void add_word(char ***list, const char *word)
{
    size_t n = 0;
    while (*list != NULL && (*list)[n] != NULL) {
        n++;
    }
    char **longer = mem_array(n + 2, sizeof *longer);
    if (n > 0) {
        memcpy(longer, *list, n * sizeof *longer);
    }
    free(*list);
    longer[n] = mem_strdup(word);
    *list = longer;
}

static void clear_words(char ***list)
{
    for (size_t i = 0; *list != NULL && (*list)[i] != NULL; i++) {
        free((*list)[i]);
    }
    free(*list);
    *list = NULL;
}

static int add_purpose(void *arg, const char *word, struct err *e)
{
    static const struct {
        const char *word, *oid;
    } purposes[] = {{"serverAuth", "1.3.6.1.5.5.7.3.1"}, {"clientAuth", "1.3.6.1.5.5.7.3.2"}, {"any", "2.5.29.37.0"}};
    (void)e;
    const char *oid = word;
    for (size_t i = 0; i < sizeof purposes / sizeof purposes[0]; i++) {
        oid = strcmp(purposes[i].word, word) == 0 ? purposes[i].oid : oid;
    }
    add_word(arg, oid);
    return 0;
}

static int add_policy(void *arg, const char *word, struct err *e)
{
    (void)e;
    add_word(arg, word);
    return 0;
}

static int add_usage(void *arg, const char *word, struct err *e)
{
    static const struct {
        const char *word;
        unsigned bit;
    } usages[] = {{"digitalSignature", MBEDTLS_X509_KU_DIGITAL_SIGNATURE},
                  {"keyEncipherment", MBEDTLS_X509_KU_KEY_ENCIPHERMENT},
                  {"keyAgreement", MBEDTLS_X509_KU_KEY_AGREEMENT},
                  {"keyCertSign", MBEDTLS_X509_KU_KEY_CERT_SIGN},
                  {"cRLSign", MBEDTLS_X509_KU_CRL_SIGN}};
    for (size_t i = 0; i < sizeof usages / sizeof usages[0]; i++) {
        if (strcmp(usages[i].word, word) == 0) {
            *(unsigned *)arg |= usages[i].bit;
            return 0;
        }
    }
    return err_set(e, "unknown key usage %s", word);
}

// "dns:localhost", "ip:::1", "email:a@b.example", "uri:x://y", "dir:CN=x"; "none".
static int add_name(struct general_names *names, const char *text, struct err *e)
{
    static const struct {
        const char *word;
        enum general_name_type type;
    } types[] = {{"dns:", GENERAL_NAME_DNS},
                 {"ip:", GENERAL_NAME_IP},
                 {"email:", GENERAL_NAME_EMAIL},
                 {"uri:", GENERAL_NAME_URI},
                 {"dir:", GENERAL_NAME_DIRECTORY}};
    if (strcmp(text, "none") == 0) {
        general_names_clear(names);
        return 0;
    }
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        if (text_starts(text, types[i].word)) {
            general_names_add(names, types[i].type, text + strlen(types[i].word));
            return 0;
        }
    }
    return err_set(e, "unknown kind of name: %s", text);
}

static int set_text(char **place, const char *value)
{
    free(*place);
    *place = mem_strdup(value);
    return 0;
}

static int set_content(struct recipe *r, const struct attribute *a, bool *known, struct err *e)
{
    struct certificate_content *c = &r->content;
    const char *value = a->value;
    *known = true;
    if (strcmp(a->key, "subject") == 0) {
        return set_text(&c->subject, value);
    }
    if (strcmp(a->key, "from") == 0) {
        return clock_parse(value, paths_now, &c->not_before, e);
    }
    if (strcmp(a->key, "until") == 0) {
        return clock_parse(value, paths_now, &c->not_after, e);
    }
    if (strcmp(a->key, "san") == 0) {
        r->named = true;
        return add_name(&c->names, value, e);
    }
    if (strcmp(a->key, "permit") == 0) {
        return add_name(&c->permitted, value, e);
    }
    if (strcmp(a->key, "exclude") == 0) {
        return add_name(&c->excluded, value, e);
    }
    if (strcmp(a->key, "eku") == 0) {
        clear_words(&c->ext_key_usage);
        return strcmp(value, "none") == 0 ? 0 : each_word(value, add_purpose, &c->ext_key_usage, e);
    }
    if (strcmp(a->key, "ku") == 0) {
        c->key_usage = 0;
        return strcmp(value, "none") == 0 ? 0 : each_word(value, add_usage, &c->key_usage, e);
    }
    if (strcmp(a->key, "policies") == 0) {
        return each_word(value, add_policy, &c->policies, e);
    }
    if (strcmp(a->key, "is_ca") == 0) {
        c->is_ca = strcmp(value, "yes") == 0;
        return 0;
    }
    if (strcmp(a->key, "pathlen") == 0) {
        c->path_length = (int)strtol(value, NULL, 10);
        return 0;
    }
    *known = false;
    return 0;
}

static int set_change(struct recipe *r, const struct attribute *a, struct err *e)
{
    if (r->change_count == CHANGES_MOST) {
        return err_set(e, "more than %d changes", CHANGES_MOST);
    }
    r->changes[r->change_count++] = (struct change){a->key[0], a->value};
    return 0;
}

static int set_digest(struct recipe *r, const char *value, struct err *e)
{
    r->digest = strcmp(value, "sha1") == 0     ? MBEDTLS_MD_SHA1
                : strcmp(value, "sha384") == 0 ? MBEDTLS_MD_SHA384
                                               : MBEDTLS_MD_SHA512;
    return r->digest != MBEDTLS_MD_SHA512 || strcmp(value, "sha512") == 0 ? 0 : err_set(e, "unknown digest %s", value);
}

static int set_making(struct recipe *r, const struct attribute *a, struct err *e)
{
    const char *value = a->value;
    if (strcmp(a->key, "key") == 0) {
        return (r->key = world_key(r->w, value, e)) == NULL ? -1 : 0;
    }
    if (strcmp(a->key, "issuer") == 0) {
        return world_issuer(r->w, value, &r->issuer_subject, &r->signer, e);
    }
    if (strcmp(a->key, "signer") == 0) {
        return (r->signer = world_key(r->w, value, e)) == NULL ? -1 : 0;
    }
    if (strcmp(a->key, "issuer_name") == 0) {
        return set_text(&r->issuer_subject, value);
    }
    if (strcmp(a->key, "serial") == 0) {
        buf_clear(&r->serial);
        return text_unhex(value, &r->serial) ? 0 : err_set(e, "a serial number is hexadecimal");
    }
    if (strcmp(a->key, "digest") == 0) {
        return set_digest(r, value, e);
    }
    if (strcmp(a->key, "put") == 0 || strcmp(a->key, "add") == 0 || strcmp(a->key, "drop") == 0) {
        return set_change(r, a, e);
    }
    if (strcmp(a->key, "damage") == 0) {
        r->damage = value;
        return 0;
    }
    if (strcmp(a->key, "copies") == 0) {
        r->copies = strtoul(value, NULL, 10);
        return 0;
    }
    if (strcmp(a->key, "add_many") == 0) {
        r->add_many = strtoul(value, NULL, 10);
        return 0;
    }
    if (strcmp(a->key, "no_extensions") == 0) {
        r->no_extensions = "";
        return 0;
    }
    for (int i = 0; i < FIELDS && text_starts(a->key, "field."); i++) {
        if (strcmp(field_names[i], a->key + strlen("field.")) == 0) {
            r->fields[i] = value;
            return 0;
        }
    }
    return err_set(e, "unknown attribute %s", a->key);
}

// --- what mbedTLS's writer refuses to make ---

static int change_extensions(const struct recipe *r, struct edits *x, struct err *e)
{
    for (size_t i = 0; i < r->change_count; i++) {
        const struct change *c = &r->changes[i];
        int rc = c->what == 'p'   ? edits_put(x, c->text, e)
                 : c->what == 'a' ? edits_add(x, c->text, e)
                                  : edits_drop(x, c->text, e);
        if (rc != 0) {
            return -1;
        }
    }
    for (size_t i = 0; i < r->add_many; i++) {
        char text[64];
        snprintf(text, sizeof text, "1.3.6.1.4.1.32473.%zu:0500", i);
        if (edits_add(x, text, e) != 0) {
            return -1;
        }
    }
    return 0;
}

static int join_extensions(const struct recipe *r, struct span field, struct buf *out, struct err *e)
{
    struct edits x = {.count = 0};
    struct buf list = {0};
    struct der_item outer;
    struct der_item sequence;
    if (r->no_extensions != NULL) {
        return 0;
    }
    int rc = der_expect(&field, TAG_EXTENSIONS, "extensions", &outer, e) != 0 ||
                     der_expect(&outer.content, TAG_SEQUENCE, "extensions", &sequence, e) != 0 ||
                     edits_open(&x, sequence.content, e) != 0 || change_extensions(r, &x, e) != 0
                 ? -1
                 : 0;
    edits_close(&x, &list);
    der_enclose(&list, TAG_SEQUENCE);
    der_wrap(out, TAG_EXTENSIONS, buf_span(&list));
    buf_clear(&list);
    return rc;
}

static bool is_changed(const struct recipe *r)
{
    bool changed = r->change_count > 0 || r->digest != MBEDTLS_MD_NONE || r->no_extensions != NULL || r->add_many > 0;
    for (int i = 0; i < FIELDS; i++) {
        changed = changed || r->fields[i] != NULL;
    }
    return changed;
}

// Takes the certificate apart, puts it together with the changes, and signs it again.
static int change(const struct recipe *r, struct buf *der, struct err *e)
{
    struct certificate_parts parts;
    struct buf tbs = {0};
    struct buf algorithm = {0};
    int rc = -1;
    mbedtls_md_type_t digest = r->digest != MBEDTLS_MD_NONE ? r->digest : key_digest(&r->signer->pk);
    if (certificate_split(buf_span(der), &parts, e) != 0 ||
        signature_algorithm(&r->signer->pk, digest, &algorithm, e) != 0) {
        goto out;
    }
    const struct span fields[FIELDS] = {parts.version, parts.serial, buf_span(&algorithm), parts.issuer, parts.validity,
                                        parts.subject, parts.key};
    for (int i = 0; i < FIELDS; i++) {
        if (r->fields[i] == NULL) {
            buf_add(&tbs, fields[i].data, fields[i].len);
        } else if (der_text(r->fields[i], &tbs, e) != 0) {
            goto out;
        }
    }
    if (r->fields[FIELD_EXTENSIONS] == NULL && join_extensions(r, parts.extensions, &tbs, e) != 0) {
        goto out;
    }
    der_enclose(&tbs, TAG_SEQUENCE);
    buf_clear(der);
    rc = signed_make(buf_span(&tbs), &r->signer->pk, digest, &r->w->rng, der, e);
out:
    buf_clear(&tbs);
    buf_clear(&algorithm);
    return rc;
}

// After it was signed
static int damage(const char *how, struct buf *der, struct err *e)
{
    if (how == NULL) {
        return 0;
    }
    if (strcmp(how, "signature") == 0) {
        der->data[der->len - 1] ^= 1;
    } else if (strcmp(how, "append") == 0) {
        buf_add(der, "", 1);
    } else if (strcmp(how, "cut") == 0) {
        der->len--;
    } else {
        return err_set(e, "unknown damage %s", how);
    }
    return 0;
}

static int make(struct recipe *r, struct buf *der, struct err *e)
{
    struct buf issuer_name = {0};
    struct buf subject = {0};
    int rc = -1;
    if (name_from_text(r->issuer_subject, &issuer_name, e) != 0) {
        goto out;
    }
    struct certificate_issuer issuer = {.subject = buf_span(&issuer_name), .key = &r->signer->pk};
    memcpy(issuer.key_id, r->signer->id, KEY_ID_SIZE);
    if (certificate_make(&r->content, r->serial.data, r->serial.len, &r->key->pk, &issuer, &r->w->rng, der, e) != 0 ||
        (is_changed(r) && change(r, der, e) != 0)) {
        goto out;
    }
    rc = damage(r->damage, der, e);
out:
    buf_clear(&issuer_name);
    buf_clear(&subject);
    return rc;
}

static int recipe_begin(struct recipe *r, struct world *w, const char *kind, const char *name, struct err *e)
{
    uint8_t serial[SERIAL_SIZE];
    bool leaf = strcmp(kind, "leaf") == 0;
    bool root = strcmp(kind, "root") == 0;
    *r = (struct recipe){.w = w, .digest = MBEDTLS_MD_NONE, .copies = 1};
    r->content.subject = mem_printf("CN=%s", name);
    r->content.path_length = PATH_LENGTH_NONE;
    r->content.is_ca = !leaf;
    r->content.key_usage =
        leaf ? MBEDTLS_X509_KU_DIGITAL_SIGNATURE : MBEDTLS_X509_KU_KEY_CERT_SIGN | MBEDTLS_X509_KU_CRL_SIGN;
    r->content.not_before = paths_now - (leaf ? 30 : 400) * (int64_t)CLOCK_DAY;
    r->content.not_after = paths_now + (leaf ? 60 : 3000) * (int64_t)CLOCK_DAY;
    if (serial_make(&w->rng, serial, e) != 0 ||
        (leaf && each_word("serverAuth,clientAuth", add_purpose, &r->content.ext_key_usage, e) != 0) ||
        (r->key = world_key(w, leaf ? "leaf" : name, e)) == NULL) {
        return -1;
    }
    buf_add(&r->serial, serial, sizeof serial);
    return root ? 0 : world_issuer(r->w, leaf ? "ca" : "root", &r->issuer_subject, &r->signer, e);
}

static void recipe_clear(struct recipe *r)
{
    certificate_content_clear(&r->content);
    free(r->issuer_subject);
    buf_clear(&r->serial);
}

int certificate_line(struct world *w, const struct line *line, struct err *e)
{
    struct recipe r;
    struct attribute a;
    struct buf der = {0};
    size_t at = 2;
    int rc = -1;
    if (line->count < 2) {
        return err_set(e, "what is its name?");
    }
    if (recipe_begin(&r, w, line->words[0], line->words[1], e) != 0) {
        goto out;
    }
    while (line_attribute(line, &at, &a)) {
        bool known = false;
        if (set_content(&r, &a, &known, e) != 0 || (!known && set_making(&r, &a, e) != 0)) {
            err_context(e, "%s", a.key);
            goto out;
        }
    }
    if (!r.named && strcmp(line->words[0], "leaf") == 0) {
        general_names_add(&r.content.names, GENERAL_NAME_DNS, "localhost");
    }
    r.signer = r.signer == NULL ? r.key : r.signer;
    if (r.issuer_subject == NULL) {
        r.issuer_subject = mem_strdup(r.content.subject);
    }
    if (make(&r, &der, e) != 0) {
        goto out;
    }
    struct made *made = world_add(w, line->words[1], false);
    made->subject = mem_strdup(r.content.subject);
    made->key = r.key;
    made->copies = r.copies;
    buf_add(&made->serial, r.serial.data, r.serial.len);
    buf_add(&made->der, der.data, der.len);
    rc = 0;
out:
    recipe_clear(&r);
    buf_clear(&der);
    return rc;
}
