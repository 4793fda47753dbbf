// SPDX-License-Identifier: Apache-2.0
// The files that a configuration names: which of them count, and whether they can be used.
#include "base/file.h"
#include "base/pki_files.h"
#include "server/config_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static int environment(struct reading *r, const struct place *at, const char *text)
{
    return problem_environment(&r->problems, r->config->name, at, "%s", text);
}

// Can it be opened, and is it a file, or a folder?
static bool usable(struct reading *r, const struct place *at, const char *path, bool folder)
{
    struct err e = ERR_INIT;
    struct stat st;
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC); // without waiting, should it be a pipe
    if (fd < 0 || fstat(fd, &st) != 0) {
        err_errno(&e, "%s", path);
    } else if (folder && !S_ISDIR(st.st_mode)) {
        err_set(&e, "%s is not a folder", path);
    } else if (!folder && !S_ISREG(st.st_mode)) {
        err_set(&e, "%s is not a file", path);
    }
    if (fd >= 0) {
        close(fd);
    }
    if (err_is_set(&e)) {
        environment(r, at, e.text);
        return false;
    }
    return true;
}

static bool take(struct reading *r, enum config_file_kind kind, const char *path, const struct place *at)
{
    config_add_file(r->config, kind, path, at);
    return usable(r, at, path, false);
}

// --- the server's own certificate ---

static void check_pair(struct reading *r, const struct place *at)
{
    struct err e = ERR_INIT;
    const struct server_config *c = r->config;
    struct tls_credentials *credentials =
        (c->as_is ? tls_credentials_load_as_is : tls_credentials_load)(c->certificate, c->key, &e);
    if (credentials == NULL) {
        environment(r, at, e.text);
    }
    tls_credentials_free(credentials);
}

static void take_credentials(struct reading *r, const char *certificate, const struct place *certificate_at,
                             const char *key, const struct place *key_at)
{
    struct server_config *c = r->config;
    c->certificate = config_keep(c, mem_strdup(certificate));
    c->key = config_keep(c, mem_strdup(key));
    bool good = take(r, FILE_CREDENTIAL, certificate, certificate_at);
    if (strcmp(certificate, key) != 0) {
        good = take(r, FILE_CREDENTIAL, key, key_at) && good;
    }
    if (good) {
        check_pair(r, certificate_at);
    }
}

// --as goes before everything, a certificate that is named before the PKI's entry.
static void find_credentials(struct reading *r, const char *pki, bool has_pki)
{
    struct err e = ERR_INIT;
    struct pki_entry entry = {0};
    const char *as = r->source->as;
    struct place at = as != NULL ? (struct place){.option = "--as"} : r->host;
    if (as == NULL && r->certificate.said) {
        if (r->certificate.path == NULL) {
            return; // what it is instead, is said
        }
        const struct file_value *key = r->key.path != NULL ? &r->key : &r->certificate;
        take_credentials(r, r->certificate.path, &r->certificate.at, key->path, &key->at);
        return;
    }
    if (r->key.path != NULL) {
        problem_value(&r->problems, r->config->name, &r->key.at,
                      r->key.at.option != NULL ? "it needs --cert" : "it needs certificate beside it");
    }
    if (!has_pki) {
        return; // which is said elsewhere
    }
    if (pki_entry_find(pki, "servers", as != NULL ? as : r->config->host, &entry, &e) != 0) {
        environment(r, &at, e.text);
    } else {
        r->config->as_is = entry.on_purpose;
        take_credentials(r, entry.certificate, &at, entry.key, &at);
    }
    pki_entry_clear(&entry);
}

// --- what is trusted ---

static struct trust_paths take_list(struct reading *r, enum config_file_kind kind, const struct file_list *list)
{
    const char **paths = config_keep(r->config, mem_array(list->count + 1, sizeof *paths));
    for (size_t i = 0; i < list->count; i++) {
        paths[i] = list->items[i].path;
        take(r, kind, paths[i], &list->items[i].at);
    }
    return (struct trust_paths){paths, list->count};
}

static void find_trusted(struct reading *r, const char *pki, bool has_pki)
{
    struct server_config *c = r->config;
    if (!r->anchors.said && has_pki) {
        struct file_value *items = config_keep(c, mem_array(2, sizeof *items));
        char *lists = config_keep(c, pki_lists(pki));
        items[0] = (struct file_value){.path = config_keep(c, pki_anchors(pki)), .at = r->pki.at};
        items[1] = (struct file_value){.path = lists, .at = r->pki.at};
        r->anchors = (struct file_list){items, 1, true};
        if (!r->crls.said && file_exists(lists)) { // the PKI's own list belongs to the PKI's own anchors
            r->crls = (struct file_list){items + 1, 1, true};
        } else if (!r->crls.said) {
            config_add_file(c, FILE_LISTS, lists, &r->pki.at); // it counts once there is one
        }
    }
    c->trust.anchors = take_list(r, FILE_ANCHORS, &r->anchors);
    c->trust.intermediates = take_list(r, FILE_INTERMEDIATES, &r->intermediates);
    c->trust.crls = take_list(r, FILE_LISTS, &r->crls);
    if (!r->crls.said && r->revocation.line > 0 && c->trust.revocation == TRUST_REVOCATION_REQUIRE) {
        environment(r, &r->revocation, "there is no revocation list; name one in crls, or write revocation: off");
    }
}

// --- the rest ---

static void check_ticket_keys(struct reading *r)
{
    struct err e = ERR_INIT;
    const struct file_value *file = &r->key_file;
    if (!take(r, FILE_TICKET_KEYS, file->path, &file->at)) {
        return;
    }
    struct tls_tickets *tickets = tls_tickets_new(&r->config->tickets, &e);
    if (tickets == NULL) {
        environment(r, &file->at, e.text);
    }
    tls_tickets_free(tickets);
}

// The folder that a file is in, or will be.
static void check_folder(struct reading *r, const struct file_value *file)
{
    const char *slash = strrchr(file->path, '/');
    char *folder = slash == NULL ? mem_strdup(".") : mem_strndup(file->path, (size_t)(slash - file->path) + 1);
    usable(r, &file->at, folder, true);
    free(folder);
}

static void check_control(struct reading *r)
{
    const struct file_value *control = &r->control;
    struct sockaddr_un address;
    if (strlen(control->path) >= sizeof address.sun_path) {
        problem_value(&r->problems, r->config->name, &control->at, "the path of a socket has at most %zu bytes",
                      sizeof address.sun_path - 1);
        return;
    }
    check_folder(r, control);
}

static void check_key_log(struct reading *r)
{
    const struct place at = {.option = "--unsafe-key-log"};
    const char *path = r->source->key_log;
    const char *variable = getenv("SSLKEYLOGFILE");
    if (path != NULL && strcmp(path, "-") == 0) {
        path = variable;
    }
    if (r->source->key_log != NULL && (path == NULL || path[0] == '\0')) {
        problem_value(&r->problems, r->config->name, &at, "SSLKEYLOGFILE is not set; name a file");
    } else if (path != NULL) {
        r->config->key_log = config_keep(r->config, mem_strdup(path));
    }
}

void config_find_files(struct reading *r)
{
    struct err e = ERR_INIT;
    struct server_config *c = r->config;
    const char *pki = pki_directory(r->pki.path);
    bool needs_pki = !r->anchors.said || r->source->as != NULL || !r->certificate.said;
    bool has_pki = false;
    if (needs_pki || r->pki.path != NULL) {
        has_pki = pki_check(pki, &e) == 0;
    }
    if (err_is_set(&e)) {
        environment(r, &r->pki.at, e.text);
    }
    find_credentials(r, pki, has_pki);
    find_trusted(r, pki, has_pki);
    if (r->key_file.path != NULL) {
        c->tickets.key_file = r->key_file.path;
        check_ticket_keys(r);
    }
    if (r->root.path != NULL) {
        c->root = r->root.path;
        usable(r, &r->root.at, c->root, true);
    }
    if (r->control.path != NULL) {
        c->control = r->control.path;
        check_control(r);
    }
    if (r->explain_file.path != NULL) {
        c->explain_file = r->explain_file.path;
        check_folder(r, &r->explain_file);
    }
    check_key_log(r);
}

void config_check_files(const struct server_config *config, bool missing_too, struct problems *problems)
{
    static const enum trust_file kinds[] = {[FILE_ANCHORS] = TRUST_FILE_CERTIFICATES,
                                            [FILE_INTERMEDIATES] = TRUST_FILE_CERTIFICATES,
                                            [FILE_LISTS] = TRUST_FILE_LISTS};
    bool revocation = config->trust.revocation != TRUST_REVOCATION_OFF;
    for (size_t i = 0; i < config->memory->file_count; i++) {
        const struct config_file *file = &config->memory->files[i];
        struct err e = ERR_INIT;
        bool trusted =
            file->kind == FILE_ANCHORS || file->kind == FILE_INTERMEDIATES || (file->kind == FILE_LISTS && revocation);
        if (trusted && (missing_too || file_exists(file->path)) &&
            trust_file_check(kinds[file->kind], file->path, &e) != 0) {
            problem_environment(problems, config->name, &file->at, "%s", e.text);
        }
    }
}
