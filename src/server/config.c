// SPDX-License-Identifier: Apache-2.0
#include "server/config.h"

#include "base/file.h"
#include "base/print.h"
#include "base/text.h"
#include "server/config_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// --- memory ---

void *config_keep(struct server_config *config, void *memory)
{
    struct config_memory *m = config->memory;
    m->kept = mem_grow(m->kept, &m->kept_cap, sizeof *m->kept, m->kept_count + 1);
    m->kept[m->kept_count++] = memory;
    return memory;
}

void config_add_file(struct server_config *config, enum config_file_kind kind, const char *path, const struct place *at)
{
    struct config_memory *m = config->memory;
    m->files = mem_grow(m->files, &m->file_cap, sizeof *m->files, m->file_count + 1);
    m->files[m->file_count++] =
        (struct config_file){.path = config_keep(config, mem_strdup(path)), .kind = kind, .at = *at};
}

void server_config_free(struct server_config *config)
{
    if (config == NULL) {
        return;
    }
    struct config_memory *m = config->memory;
    for (size_t i = 0; i < m->kept_count; i++) {
        free(m->kept[i]);
    }
    free(m->kept);
    free(m->files);
    free(m);
    free((void *)(uintptr_t)config->rules);
    free(config);
}

// --- reading ---

static char *folder_of(const char *file)
{
    const char *slash = file == NULL ? NULL : strrchr(file, '/');
    return slash == NULL ? mem_strdup("") : mem_strndup(file, (size_t)(slash - file) + 1);
}

static void finish(struct reading *r)
{
    struct server_config *c = r->config;
    struct config_memory *m = c->memory;
    for (size_t i = 0; i < c->address_count; i++) {
        c->addresses[i].port = r->ports[i] == PORT_NONE ? c->port : r->ports[i];
    }
    c->legacy_rsa = c->legacy_rsa || r->source->legacy_rsa;
    const char **files = config_keep(c, mem_array(m->file_count + 1, sizeof *files));
    for (size_t i = 0; i < m->file_count; i++) {
        files[i] = m->files[i].path;
    }
    c->files = files;
    c->file_count = m->file_count;
}

static int read_text(struct reading *r, struct span text, struct err *e)
{
    struct err ignored = ERR_INIT; // it is among the problems
    if (yaml_read(r->config->name, text, &r->doc, &ignored) == 0) {
        config_read_keys(r);
        config_read_rules(r);
        config_find_files(r);
    }
    problems_take(&r->problems, r->doc);
    if (r->problems.count > 0) {
        config_check_files(r->config, false, &r->problems); // as everything that is wrong is to be said at once
    }
    int rc = problems_result(&r->problems, r->source->problems, e);
    if (rc == 0) {
        finish(r);
    }
    return rc;
}

struct server_config *server_config_read(const struct server_source *source, struct err *e)
{
    struct server_config *config = mem_alloc(sizeof *config);
    struct reading r = {.source = source, .config = config, .folder = folder_of(source->file)};
    struct buf text = {0};
    int rc = 0;
    config->memory = mem_alloc(sizeof *config->memory);
    const char *name = source->file != NULL ? source->file : "built-in configuration";
    struct buf escaped = {0}; // it stands in messages and in the log
    config->name = config_keep(config, mem_strdup(text_escape(&escaped, name, strlen(name), SIZE_MAX)));
    buf_clear(&escaped);
    if (source->file == NULL) {
        buf_text(&text, server_config_builtin);
    } else {
        config_add_file(config, FILE_CONFIGURATION, source->file, &(struct place){0});
        rc = file_read(source->file, YAML_SIZE_LIMIT, &text, e);
    }
    if (rc != 0 && source->problems != NULL) {
        buf_printf(source->problems, "%s\n", e->text);
    }
    if (rc == 0) {
        rc = read_text(&r, buf_span(&text), e);
    }
    buf_clear(&text);
    problems_clear(&r.problems);
    yaml_doc_free(r.doc);
    free(r.folder);
    if (rc != 0) {
        server_config_free(config);
        return NULL;
    }
    return config;
}

// --- the context ---

static struct trust_snapshot *load_snapshot(const struct server_config *config, struct err *e)
{
    struct trust_files files = config->trust;
    files.rules = trust_rules_new(config->rules, config->rule_count, e);
    return files.rules == NULL ? NULL : trust_snapshot_load(&files, e);
}

static struct tls_credentials *load_credentials(const struct server_config *config, struct err *e)
{
    return (config->as_is ? tls_credentials_load_as_is : tls_credentials_load)(config->certificate, config->key, e);
}

// Says of every file what is wrong with it, instead of only the first.
static void list_all(const struct server_config *config, struct err *of_credentials, struct err *of_snapshot,
                     struct err *e)
{
    struct problems problems = {0};
    const struct config_memory *m = config->memory;
    config_check_files(config, true, &problems);
    if (err_is_set(of_snapshot) && problems.count == 0) { // it is none of them alone
        problem_environment(&problems, config->name, &(struct place){0}, "%s", of_snapshot->text);
    }
    for (size_t i = 0; err_is_set(of_credentials) && i < m->file_count; i++) {
        if (m->files[i].kind == FILE_CREDENTIAL) {
            problem_environment(&problems, config->name, &m->files[i].at, "%s", of_credentials->text);
            break;
        }
    }
    problems_result(&problems, NULL, e);
    problems_clear(&problems);
}

struct tls_context *server_config_context(const struct server_config *config, struct tls_tickets *tickets,
                                          const struct trust_snapshot *previous, struct err *e)
{
    static const char *alpn[] = {"http/1.1", "http/1.0", NULL};
    struct err of_credentials = ERR_INIT;
    struct err of_snapshot = ERR_INIT;
    struct tls_context *context = NULL;
    struct tls_credentials *credentials = load_credentials(config, &of_credentials);
    struct trust_snapshot *snapshot = load_snapshot(config, &of_snapshot);
    if (credentials == NULL || snapshot == NULL) {
        list_all(config, &of_credentials, &of_snapshot, e);
        tls_credentials_free(credentials);
    } else {
        if (previous != NULL) {
            trust_snapshot_remember(snapshot, previous);
        }
        struct tls_settings settings = {.role = TLS_SERVER,
                                        .versions = config->versions,
                                        .credentials = credentials,
                                        .snapshot = snapshot,
                                        .alpn = alpn,
                                        .tickets = tickets,
                                        .key_log = config->key_log,
                                        .legacy_rsa = config->legacy_rsa};
        context = tls_context_new(&settings, e);
    }
    trust_snapshot_free(snapshot);
    return context;
}

// --- what to say about it ---

const char *server_config_allowed(const struct server_config *config, char text[SERVER_ALLOWED_TEXT])
{
    const struct config_memory *m = config->memory;
    if (config->any_verified && m->rules_before == 0) {
        snprintf(text, SERVER_ALLOWED_TEXT, "any verified client is allowed");
    } else if (config->any_verified) {
        snprintf(text, SERVER_ALLOWED_TEXT,
                 "any verified client is allowed, where %zu rule%s before %s not decide otherwise", m->rules_before,
                 plural(m->rules_before), m->rules_before == 1 ? "does" : "do");
    } else {
        snprintf(text, SERVER_ALLOWED_TEXT, "%zu rule%s decide%s who is allowed", m->rules_written,
                 plural(m->rules_written), m->rules_written == 1 ? "s" : "");
    }
    return text;
}

void server_config_unsafe(const struct server_config *config, struct buf *lines)
{
    static const struct {
        unsigned flag;
        const char *line;
    } relaxed[] = {
        {TRUST_UNSAFE_ANY_EXT_KEY_USAGE, "any-ext-key-usage: a certificate for any purpose is taken for a client's"},
        {TRUST_UNSAFE_NO_EXT_KEY_USAGE, "no-ext-key-usage: a certificate without a purpose is taken for a client's"},
        {TRUST_UNSAFE_NO_DIGITAL_SIGNATURE, "no-digital-signature: a key that is not for signatures is taken"},
        {TRUST_UNSAFE_CA_LEAF, "ca-leaf: a CA's certificate is taken for a client's"},
    };
    for (size_t i = 0; i < sizeof relaxed / sizeof relaxed[0]; i++) {
        if ((config->trust.unsafe & relaxed[i].flag) != 0) {
            buf_printf(lines, "%s\n", relaxed[i].line);
        }
    }
    if (config->legacy_rsa) {
        buf_text(lines, "legacy-rsa: in TLS 1.2 the RSA key exchange is offered, without forward secrecy\n");
    }
    if (config->key_log != NULL) {
        buf_printf(lines, "key log: who reads %s reads every connection\n", config->key_log);
    }
    if (config->as_is) {
        buf_text(lines, "--as: the server's own certificate is wrong on purpose\n");
    }
    if (config->trust.revocation == TRUST_REVOCATION_OFF) {
        buf_text(lines, "revocation: off: revoked clients are accepted\n");
    }
}

static void changed(struct buf *keys, bool differs, const char *key)
{
    if (differs) {
        buf_printf(keys, "%s%s", keys->len > 0 ? ", " : "", key);
    }
}

static bool texts_differ(const char *a, const char *b)
{
    return a == NULL || b == NULL ? a != b : strcmp(a, b) != 0;
}

void server_config_fixed_changes(const struct server_config *from, const struct server_config *to, struct buf *keys)
{
    bool addresses = from->address_count != to->address_count;
    for (size_t i = 0; !addresses && i < from->address_count; i++) {
        addresses = texts_differ(from->addresses[i].ip, to->addresses[i].ip) ||
                    from->addresses[i].port != to->addresses[i].port;
    }
    changed(keys, addresses, "listen");
    changed(keys, from->port != to->port, "port");
    changed(keys, from->threads != to->threads, "threads");
    changed(keys, texts_differ(from->control, to->control), "control");
    changed(keys, from->tickets.lifetime != to->tickets.lifetime, "tls.tickets.lifetime");
    changed(keys, texts_differ(from->tickets.key_file, to->tickets.key_file), "tls.tickets.key_file");
}
