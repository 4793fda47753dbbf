// SPDX-License-Identifier: Apache-2.0
// From the words of a command to an entry, an issuer, a record.
#include "base/clock.h"
#include "base/der.h"
#include "base/text.h"
#include "ca/daily.h"

#include <mbedtls/oid.h>
#include <stdlib.h>
#include <string.h>

static const struct profile {
    const char *name;
    enum role role;
    unsigned key_usage;
    const char *ext_key_usage; // dotted OID; NULL: none
    long days;
} profiles[] = {
    {"server", ROLE_SERVER, MBEDTLS_X509_KU_DIGITAL_SIGNATURE, "1.3.6.1.5.5.7.3.1", 397},
    {"client", ROLE_CLIENT, MBEDTLS_X509_KU_DIGITAL_SIGNATURE, "1.3.6.1.5.5.7.3.2", 397},
    {"authority", ROLE_AUTHORITY, MBEDTLS_X509_KU_KEY_CERT_SIGN | MBEDTLS_X509_KU_CRL_SIGN, NULL, 3650},
};

// What an option says does not exist: the command line is wrong, not the world.
static int usage(struct err *e, const char *option)
{
    e->kind = ERR_USAGE;
    return err_context(e, "%s", option);
}

static const struct profile *profile_find(const char *name, struct err *e)
{
    for (size_t i = 0; i < sizeof profiles / sizeof profiles[0]; i++) {
        if (strcmp(profiles[i].name, name) == 0) {
            return &profiles[i];
        }
    }
    err_usage(e, "unknown profile \"%s\" (one of: server, client, authority)", name);
    return NULL;
}

static int check_name(const char *name, struct err *e)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._@-";
    if (name[0] == '\0' || name[0] == '.' || name[strspn(name, allowed)] != '\0' || strlen(name) > 200) {
        return err_usage(e, "\"%s\" cannot be a name: use letters, digits and . _ @ -, not a dot first", name);
    }
    return 0;
}

static int add_names(const struct ca_issue_options *o, const struct general_names *requested,
                     struct general_names *names, struct err *e)
{
    for (size_t i = 0; i < o->names.count; i++) {
        general_names_add(names, general_name_guess(o->names.items[i]), o->names.items[i]);
        if (general_name_check(&names->items[i], e) != 0) {
            return usage(e, "--name");
        }
    }
    for (size_t i = 0; o->names.count == 0 && requested != NULL && i < requested->count; i++) {
        general_names_add(names, requested->items[i].type, requested->items[i].value);
        if (general_name_check(&names->items[i], e) != 0) {
            e->kind = ERR_REFUSED;
            return err_context(e, "a name that the request asks for");
        }
    }
    return 0;
}

// A certificate always has a subjectAltName: a server's own name if it is one, a client's urn.
static int default_names(const struct profile *profile, const char *name, struct general_names *names, struct err *e)
{
    if (names->count > 0 || profile->role == ROLE_AUTHORITY) {
        return 0;
    }
    if (profile->role == ROLE_SERVER) {
        general_names_add(names, general_name_guess(name), name);
        if (general_name_check(&names->items[0], e) == 0) {
            return 0;
        }
        err_clear(e);
        return err_usage(e, "a server needs --name: the DNS names or IP addresses by which it is called");
    }
    char *urn = mem_printf("urn:mtls:client:%s", name);
    general_names_add(names, GENERAL_NAME_URI, urn);
    free(urn);
    return 0;
}

int days_check(long days, struct err *e)
{
    enum { LIMIT = 3000000 }; // more than the calendar of X.509 has
    return days >= 1 && days <= LIMIT ? 0 : err_usage(e, "--days takes a number from 1 to %d", LIMIT);
}

static int dates(const struct pki *pki, const struct ca_issue_options *o, const struct profile *profile,
                 struct plan_entry *entry, struct err *e)
{
    struct certificate_content *c = &entry->content;
    long days = o->days == CA_DAYS_DEFAULT ? profile->days : o->days;
    if (days_check(days, e) != 0) {
        return -1;
    }
    c->not_before = pki->now;
    if (o->not_before != NULL && clock_parse(o->not_before, pki->now, &c->not_before, e) != 0) {
        return usage(e, "--not-before");
    }
    c->not_after = c->not_before + days * CLOCK_DAY - 1; // inclusive: the last second (RFC 5280 section 4.1.2.5)
    if (o->not_after != NULL && clock_parse(o->not_after, pki->now, &c->not_after, e) != 0) {
        return usage(e, "--not-after");
    }
    if (c->not_after < c->not_before) {
        return err_usage(e, "the certificate would end before it begins");
    }
    if (!certificate_time_valid(c->not_before) || !certificate_time_valid(c->not_after)) {
        return err_usage(e, "a validity outside the years 1950 to 9999 cannot be written");
    }
    entry->relative_dates = o->not_after == NULL;
    return 0;
}

static int subject(const struct ca_issue_options *o, struct certificate_content *c, struct err *e)
{
    struct buf der = {0};
    c->subject = o->subject != NULL ? mem_strdup(o->subject) : mem_printf("CN=%s", o->name);
    int rc = name_from_text(c->subject, &der, e);
    buf_clear(&der);
    return rc == 0 ? 0 : usage(e, o->subject != NULL ? "--subject" : "NAME");
}

int entry_from_options(const struct pki *pki, const struct ca_issue_options *o, const struct general_names *requested,
                       struct plan_entry *entry, struct err *e)
{
    struct certificate_content *c = &entry->content;
    const struct profile *profile = profile_find(o->profile, e);
    *entry = (struct plan_entry){.key = KEY_ec_p256, .invalidity_date = CRL_NO_INVALIDITY_DATE};
    if (profile == NULL || check_name(o->name, e) != 0) {
        return -1;
    }
    entry->role = profile->role;
    entry->name = mem_strdup(o->name);
    entry->spec = mem_strdup("");
    entry->crl_lifetime = CRL_LIFETIME;
    entry->encrypt_key = o->encrypt_key;
    c->is_ca = profile->role == ROLE_AUTHORITY;
    c->path_length = c->is_ca ? (int)o->path_length : PATH_LENGTH_NONE;
    c->key_usage = profile->key_usage;
    if (profile->ext_key_usage != NULL) {
        c->ext_key_usage = mem_array(2, sizeof *c->ext_key_usage);
        c->ext_key_usage[0] = mem_strdup(profile->ext_key_usage);
    }
    int rc = o->key == NULL || key_type_parse(o->key, &entry->key, e) == 0 ? 0 : usage(e, "--key");
    if (rc != 0 || subject(o, c, e) != 0 || dates(pki, o, profile, entry, e) != 0 ||
        add_names(o, requested, &c->names, e) != 0 || default_names(profile, o->name, &c->names, e) != 0) {
        entry_clear(entry);
        return -1;
    }
    return 0;
}

void entry_clear(struct plan_entry *entry)
{
    free(entry->name);
    free(entry->issuer);
    free(entry->spec);
    certificate_content_clear(&entry->content);
    *entry = (struct plan_entry){0};
}

struct authorities {
    struct authorities_item {
        char *name;
        int64_t id;
        int64_t issuer_id;
    } * items;
    size_t count;
    size_t cap;
};

static int collect_authority(void *arg, const struct record *r, struct err *e)
{
    struct authorities *list = arg;
    (void)e;
    if (r->revoked_at != 0) {
        return 0;
    }
    list->items = mem_grow(list->items, &list->cap, sizeof *list->items, list->count + 1);
    list->items[list->count++] =
        (struct authorities_item){.name = mem_strdup(r->name), .id = r->id, .issuer_id = r->issuer_id};
    return 0;
}

// Is another authority below this one?
static bool has_below(struct pki *pki, const struct authorities *list, const struct authorities_item *item)
{
    for (size_t i = 0; i < list->count; i++) {
        struct record issuer = {0};
        struct err ignored = ERR_INIT;
        bool below = list->items[i].issuer_id != 0 &&
                     db_find_id(pki->db, list->items[i].issuer_id, &issuer, &ignored) == 1 &&
                     strcmp(issuer.name, item->name) == 0;
        record_clear(&issuer);
        if (below) {
            return true;
        }
    }
    return false;
}

static int choose_lowest(struct pki *pki, char **name, struct err *e)
{
    struct authorities list = {0};
    struct buf lowest = {0};
    struct db_filter filter = {.current_only = true, .unexpired_only = true, .at = pki->now, .role = ROLE_AUTHORITY};
    size_t found = 0;
    int rc = db_list(pki->db, &filter, collect_authority, &list, e);
    for (size_t i = 0; rc == 0 && i < list.count; i++) {
        if (!has_below(pki, &list, &list.items[i])) {
            buf_printf(&lowest, "%s%s", found > 0 ? ", " : "", list.items[i].name);
            found++;
        }
    }
    if (rc == 0 && found == 0) {
        rc = err_set(e, "%s has no authority that is valid; make one with mtls ca init or mtls pki", pki->dir);
    } else if (rc == 0 && found > 1) {
        rc =
            err_usage(e, "several authorities could issue; choose one with --issuer (one of: %s)", (char *)lowest.data);
    } else if (rc == 0) {
        *name = mem_strdup((char *)lowest.data);
    }
    for (size_t i = 0; i < list.count; i++) {
        free(list.items[i].name);
    }
    free(list.items);
    buf_clear(&lowest);
    return rc;
}

int issuer_choose(struct pki *pki, const char *name, struct authority **issuer, struct err *e)
{
    char *chosen = mem_strdup(name);
    *issuer = NULL;
    int rc = chosen == NULL ? choose_lowest(pki, &chosen, e) : 0;
    if (rc == 0) {
        int found = authority_load(pki, chosen, issuer, e);
        rc = found == 1 ? 0 : found == 0 ? err_set(e, "there is no authority \"%s\" in %s", chosen, pki->dir) : -1;
    }
    free(chosen);
    return rc;
}

// pathLenConstraint of a CA certificate (RFC 5280 section 4.2.1.9): SEQUENCE { cA BOOLEAN, INTEGER OPTIONAL }.
static int path_length(const struct record *cert)
{
    const struct span oid = span_of(MBEDTLS_OID_BASIC_CONSTRAINTS, MBEDTLS_OID_SIZE(MBEDTLS_OID_BASIC_CONSTRAINTS));
    struct certificate_parts parts;
    struct span value;
    struct der_item whole;
    struct der_item item;
    struct err ignored = ERR_INIT;
    if (certificate_split(buf_span(&cert->der), &parts, &ignored) != 0 || !certificate_extension(&parts, oid, &value) ||
        der_next(&value, &whole, &ignored) != 0 || der_next(&whole.content, &item, &ignored) != 0 ||
        der_next(&whole.content, &item, &ignored) != 0) {
        return PATH_LENGTH_NONE;
    }
    return item.content.len == 1 ? item.content.data[0] : PATH_LENGTH_NONE;
}

int issuer_may_issue(const struct pki *pki, const struct authority *issuer, enum role role, struct err *e)
{
    const struct record *cert = &issuer->cert;
    char when[CLOCK_TEXT];
    if (cert->revoked_at != 0) {
        return err_refused(e, "authority %s is revoked: nobody would take what it issues", issuer->name);
    }
    if (cert->not_after < pki->now) {
        return err_refused(e, "authority %s ended (%s); mtls ca renew %s gives it a new certificate", issuer->name,
                           clock_rfc3339(cert->not_after, when), issuer->name);
    }
    if (role == ROLE_AUTHORITY && path_length(cert) == 0) {
        return err_refused(e,
                           "authority %s may have no authority below it (its path length is 0); choose another with "
                           "--issuer",
                           issuer->name);
    }
    return 0;
}

int role_parse(const char *word, enum role *role, struct err *e)
{
    for (int i = 0; i < ROLE_COUNT; i++) {
        if (strcmp(word, role_name((enum role)i)) == 0 || strcmp(word, role_directory((enum role)i)) == 0) {
            *role = (enum role)i;
            return 0;
        }
    }
    return err_usage(e, "unknown role \"%s\" (one of: authority, server, client, flaw)", word);
}

int record_choose(struct pki *pki, const char *name, const char *role, struct record *r, struct err *e)
{
    struct buf roles = {0};
    enum role only = ROLE_COUNT;
    size_t found = 0;
    const char *slash = strchr(name, '/');
    char *directory = slash == NULL ? mem_strdup(role) : mem_strndup(name, (size_t)(slash - name));
    const char *base = slash == NULL ? name : slash + 1;
    int rc = directory == NULL ? 0 : role_parse(directory, &only, e);
    if (rc != 0 && slash != NULL) { // a path, more likely than a role
        err_clear(e);
        rc = err_set(e, "%s: there is no such file or entry", name);
    }
    for (int i = 0; rc == 0 && i < ROLE_COUNT; i++) {
        struct record candidate = {0};
        if (only != ROLE_COUNT && (int)only != i) {
            continue;
        }
        int hit = db_find_current(pki->db, (enum role)i, base, &candidate, e);
        if (hit == 1) {
            buf_printf(&roles, "%s%s", found++ > 0 ? ", " : "", role_name((enum role)i));
            record_clear(r);
            *r = candidate;
        }
        rc = hit < 0 ? -1 : 0;
    }
    if (rc == 0 && found != 1) {
        record_clear(r);
        rc = found == 0 ? err_set(e, "there is no \"%s\" in %s; mtls ca list shows what there is", name, pki->dir)
                        : err_usage(e, "\"%s\" is several (%s); choose with --role", name, (char *)roles.data);
    }
    free(directory);
    buf_clear(&roles);
    return rc;
}
