// SPDX-License-Identifier: Apache-2.0
// One entry of the plan: who it is. Its own fields, the defaults behind them, placeholders.
#include "base/text.h"
#include "ca/plan_draft.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NAME_LIMIT = 128, SHOWN = 80 };

const char *draft_at(struct draft *d, const char *field)
{
    snprintf(d->where, sizeof d->where, "%s[%zu]%s%s", role_directory(d->out.role), d->index,
             field[0] == '\0' ? "" : ".", field);
    return d->where;
}

const char *draft_at_item(struct draft *d, const char *field, size_t item)
{
    size_t length = strlen(draft_at(d, field));
    snprintf(d->where + length, sizeof d->where - length, "[%zu]", item);
    return d->where;
}

const char *draft_inherit(struct draft *d, const char *field, const char *own, const char *behind)
{
    draft_at(d, field);
    if (own == NULL && behind != NULL) {
        snprintf(d->where, sizeof d->where, "defaults.%s", field);
    }
    return own != NULL ? own : behind;
}

int draft_number(struct draft *d, int n, int least, int most)
{
    if (n < least || n > most) {
        yaml_problem(d->doc, d->where, "%d is out of range (%d to %d)", n, least, most);
        return least;
    }
    return n;
}

int draft_inherit_number(struct draft *d, const char *field, const int *own, const char *default_field,
                         const int *behind, int built_in, int most)
{
    draft_at(d, field);
    if (own == NULL && behind != NULL) {
        snprintf(d->where, sizeof d->where, "defaults.%s", default_field);
    }
    return draft_number(d, own != NULL ? *own : behind != NULL ? *behind : built_in, 1, most);
}

int draft_problem(struct draft *d, const struct err *e)
{
    return yaml_problem(d->doc, d->where, "%s", e->text);
}

static const char *placeholder(const struct draft *d, const char *name, size_t length, const char *number)
{
    const struct {
        const char *name;
        const char *value;
    } known[] = {
        {"name", d->out.name},
        {"issuer", d->out.issuer != NULL ? d->out.issuer : d->out.name},
        {"n", d->copy > 0 ? number : NULL},
    };
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (strlen(known[i].name) == length && strncmp(known[i].name, name, length) == 0) {
            return known[i].value;
        }
    }
    return NULL;
}

// `text` starts with the brace.
static void unknown_placeholder(struct draft *d, const char *text, size_t length)
{
    if (strncmp(text, "{n}", length) == 0) {
        yaml_problem(d->doc, d->where, "\"{n}\" is only for an entry with copies");
        return;
    }
    struct buf b = {0};
    yaml_problem(d->doc, d->where, "unknown placeholder \"%s\" (one of: %s{n} with copies)",
                 text_escape(&b, text, length, SHOWN), d->out.name == NULL ? "" : "{name}, {issuer}, ");
    buf_clear(&b);
}

char *draft_expand(struct draft *d, const char *text)
{
    char number[16];
    struct buf b = {0};
    snprintf(number, sizeof number, "%d", d->copy);
    for (const char *open; (open = strchr(text, '{')) != NULL;) {
        const char *close = strchr(open, '}');
        const char *end = close == NULL ? open + strlen(open) : close + 1;
        const char *value = close == NULL ? NULL : placeholder(d, open + 1, (size_t)(close - open) - 1, number);
        if (value == NULL) {
            unknown_placeholder(d, open, (size_t)(end - open));
            buf_clear(&b);
            return NULL;
        }
        buf_add(&b, text, (size_t)(open - text));
        buf_text(&b, value);
        text = end;
    }
    buf_text(&b, text);
    return (char *)b.data;
}

static void read_name(struct draft *d)
{
    static const char good[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._@-";
    draft_at(d, "name");
    char *name = draft_expand(d, d->in->name);
    d->out.name = name != NULL ? name : mem_strdup(d->in->name);
    if (name == NULL) {
        return;
    }
    if (name[0] == '\0' || name[0] == '.' || name[strspn(name, good)] != '\0' || strlen(name) > NAME_LIMIT) {
        struct buf b = {0};
        yaml_problem(d->doc, d->where,
                     "\"%s\" cannot be a name; use up to %d letters, digits and . _ @ -, not starting with a dot",
                     text_escape(&b, name, strlen(name), SHOWN), NAME_LIMIT);
        buf_clear(&b);
    }
}

static bool entry_named(const struct raw_entry *entries, unsigned count, const char *name)
{
    for (unsigned i = 0; i < count; i++) {
        if (strcmp(entries[i].name, name) == 0) {
            return true;
        }
    }
    return false;
}

int plan_find_authority(const struct raw_plan *raw, struct yaml_doc *doc, const char *path, const char *name)
{
    for (unsigned i = 0; i < raw->authorities_count; i++) {
        if (strcmp(raw->authorities[i].name, name) == 0) {
            return (int)i;
        }
    }
    if (entry_named(raw->servers, raw->servers_count, name) || entry_named(raw->clients, raw->clients_count, name)) {
        yaml_problem(doc, path, "\"%s\" is not an authority", name);
        return PLAN_NO_INDEX;
    }
    const char **names = mem_array(raw->authorities_count + 1, sizeof *names);
    for (unsigned i = 0; i < raw->authorities_count; i++) {
        names[i] = raw->authorities[i].name;
    }
    yaml_unknown(doc, path, "authority", name, names);
    free(names);
    return PLAN_NO_INDEX;
}

static void read_issuer(struct draft *d)
{
    bool authority = d->out.role == ROLE_AUTHORITY;
    const char *issuer = draft_inherit(d, "issuer", d->in->issuer, authority ? NULL : d->raw->defaults.issuer);
    d->issuer = PLAN_NO_INDEX;
    if (issuer != NULL) {
        d->out.issuer = mem_strdup(issuer);
        d->issuer = plan_find_authority(d->raw, d->doc, d->where, issuer);
    } else if (!authority) {
        yaml_problem(d->doc, draft_at(d, ""), "the field \"issuer\" is missing; name an authority here or in defaults");
    }
}

static void read_subject(struct draft *d)
{
    struct err e = ERR_INIT;
    struct buf der = {0};
    const char *text = draft_inherit(d, "subject", d->in->subject, d->raw->defaults.subject);
    char *subject = d->out.content.subject = draft_expand(d, text == NULL ? "CN={name}" : text);
    if (subject != NULL && name_from_text(subject, &der, &e) != 0) {
        draft_problem(d, &e);
    } else if (subject != NULL && subject[0] == '\0' && d->out.role == ROLE_AUTHORITY) {
        yaml_problem(d->doc, d->where, "an authority cannot have an empty subject (RFC 5280 section 4.1.2.6)");
    }
    buf_clear(&der);
}

static void read_key(struct draft *d)
{
    struct err e = ERR_INIT;
    const char *key = draft_inherit(d, "key", d->in->key, d->raw->defaults.key);
    if (key != NULL && key_type_parse(key, &d->out.key, &e) != 0) {
        draft_problem(d, &e);
    }
    d->out.encrypt_key = d->in->encrypt_key;
}

void plan_name_lists(const struct raw_names *names, struct plan_name_list lists[PLAN_NAME_LISTS])
{
    lists[0] = (struct plan_name_list){"dns", GENERAL_NAME_DNS, &names->dns};
    lists[1] = (struct plan_name_list){"ip", GENERAL_NAME_IP, &names->ip};
    lists[2] = (struct plan_name_list){"email", GENERAL_NAME_EMAIL, &names->email};
    lists[3] = (struct plan_name_list){"uri", GENERAL_NAME_URI, &names->uri};
    lists[4] = (struct plan_name_list){"dirname", GENERAL_NAME_DIRECTORY, &names->dirname};
}

void plan_add_name(struct yaml_doc *doc, const char *path, struct general_names *names, enum general_name_type type,
                   const char *value)
{
    struct err e = ERR_INIT;
    general_names_add(names, type, value);
    if (general_name_check(&names->items[names->count - 1], &e) != 0) {
        yaml_problem(doc, path, "%s", e.text);
    }
}

// `type` 0: guessed.
static void read_names(struct draft *d, const char *field, int type, const struct raw_texts *texts)
{
    for (unsigned i = 0; i < texts->count; i++) {
        draft_at_item(d, field, i);
        char *value = draft_expand(d, texts->items[i]);
        if (value != NULL) {
            plan_add_name(d->doc, d->where, &d->out.content.names,
                          type == 0 ? general_name_guess(value) : (enum general_name_type)type, value);
        }
        free(value);
    }
}

// Every server and client has a subjectAltName: it is what peers know it by (RFC 9525 section 2).
static void read_alternative_names(struct draft *d)
{
    struct plan_name_list lists[PLAN_NAME_LISTS];
    plan_name_lists(&d->in->names, lists);
    read_names(d, "names", 0, &d->in->guessed);
    for (size_t i = 0; i < PLAN_NAME_LISTS; i++) {
        read_names(d, lists[i].field, (int)lists[i].type, lists[i].texts);
    }
    bool given = d->in->guessed.count > 0 || d->out.content.names.count > 0;
    if (d->out.role == ROLE_SERVER && !given) {
        yaml_problem(d->doc, draft_at(d, ""), "a server needs a name to be reached by, such as names: [localhost]");
    } else if (d->out.role == ROLE_CLIENT && !given) {
        char *urn = mem_printf("urn:mtls:client:%s", d->out.name);
        plan_add_name(d->doc, draft_at(d, "name"), &d->out.content.names, GENERAL_NAME_URI, urn);
        free(urn);
    }
}

// What only one kind of entry may have.
static void check_fields(struct draft *d)
{
    static const char *const of_authorities[] = {"path_length", "permitted",   "excluded", "constraints_critical",
                                                 "crl_days",    "encrypt_key", NULL};
    static const char *const of_leaves[] = {"names", "dns", "ip", "email", "uri", "copies", NULL};
    bool authority = d->out.role == ROLE_AUTHORITY;
    for (const char *const *field = authority ? of_leaves : of_authorities; *field != NULL; field++) {
        if (yaml_has(d->doc, draft_at(d, *field))) {
            yaml_problem(d->doc, d->where, "only %s have this field",
                         authority ? "servers and clients" : "authorities");
        }
    }
}

void draft_read(struct draft *d)
{
    check_fields(d);
    read_name(d);
    read_issuer(d);
    read_subject(d);
    read_key(d);
    if (d->out.role != ROLE_AUTHORITY) {
        read_alternative_names(d);
    }
    draft_read_usage(d);
    draft_read_revoked(d);
    d->out.line = yaml_line(d->doc, draft_at(d, ""));
}

void plan_entry_clear(struct plan_entry *entry)
{
    free(entry->name);
    free(entry->issuer);
    free(entry->spec);
    certificate_content_clear(&entry->content);
}
