// SPDX-License-Identifier: Apache-2.0
// Where the wrong servers come from: a PKI with flaws that the client trusts, or one that is made for this run.
#include "base/clock.h"
#include "base/file.h"
#include "base/pki_files.h"
#include "ca/ca.h"
#include "probe/internal.h"
#include "probe/mirror_internal.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>

static const char plan[] = "authorities:\n"
                           "  - {name: root, subject: \"CN=mtls probe root\"}\n"
                           "  - {name: issuing, issuer: root, subject: \"CN=mtls probe issuing\"}\n"
                           "servers:\n"
                           "  - {name: %s, issuer: issuing, names: [%s, 127.0.0.1, \"::1\"]}\n"
                           "clients:\n"
                           "  - {name: probe, issuer: issuing, subject: \"CN=mtls probe\"}\n"
                           "flaws: {issuer: issuing, cases: [all], names: [%s, 127.0.0.1, \"::1\"]}\n";

static int make_pki(const char *directory, const char *host, struct err *e)
{
    struct pki *opened = NULL;
    struct pki_report report = {0};
    char *file = mem_printf("%s/plan.yaml", directory);
    char *text = mem_printf(plan, host, host, host);
    char *path = mem_printf("%s/pki", directory);
    const struct pki_options options = {.dir = path, .now = clock_now()};
    const struct pki_apply_options apply = {.plan_file = file};
    int rc = file_write(file, span_of(text, strlen(text)), FILE_PUBLIC, e);
    if (rc == 0) {
        rc = pki_open(&options, true, &opened, e);
    }
    if (rc == 0) {
        rc = pki_apply(opened, &apply, &report, e);
    }
    pki_report_clear(&report);
    pki_close(opened);
    free(path);
    free(text);
    free(file);
    return rc;
}

static int make_temporary(struct mirror_pki *pki, const char *host, struct err *e)
{
    pki->temporary = file_make_temporary("mtls-probe", e);
    if (pki->temporary == NULL) {
        return -1;
    }
    pki->directory = mem_printf("%s/pki", pki->temporary);
    return make_pki(pki->temporary, host, e);
}

// Some client of it, for commands that want one.
static void find_client(struct mirror_pki *pki)
{
    char *folder = mem_printf("%s/clients", pki->directory);
    DIR *dir = opendir(folder);
    for (struct dirent *d; dir != NULL && (d = readdir(dir)) != NULL;) {
        char *certificate = mem_printf("%s/%s/fullchain.pem", folder, d->d_name);
        if (d->d_name[0] != '.' && file_exists(certificate) &&
            (pki->certificate == NULL || strcmp(certificate, pki->certificate) < 0)) {
            free(pki->certificate);
            free(pki->key);
            pki->certificate = mem_strdup(certificate);
            pki->key = mem_printf("%s/%s/key.pem", folder, d->d_name);
        }
        free(certificate);
    }
    if (dir != NULL) {
        closedir(dir);
    }
    free(folder);
}

int mirror_pki_open(struct mirror_pki *pki, const char *directory, const char *host, struct err *e)
{
    *pki = (struct mirror_pki){.directory = mem_strdup(directory)};
    if (directory == NULL && make_temporary(pki, host, e) != 0) {
        return err_context(e, "making a PKI for this run");
    }
    if (pki_check(pki->directory, e) != 0) {
        return -1;
    }
    pki->host_entry = mem_printf("servers/%s", host);
    pki->anchors = pki_anchors(pki->directory);
    pki->lists = pki_lists(pki->directory);
    find_client(pki);
    const char *anchors = pki->anchors;
    const struct trust_files files = {.anchors = {&anchors, 1}};
    pki->snapshot = trust_snapshot_load(&files, e);
    return pki->snapshot != NULL ? 0 : -1;
}

void mirror_pki_close(struct mirror_pki *pki)
{
    struct err ignored = ERR_INIT;
    if (pki->temporary != NULL) {
        file_remove_tree(pki->temporary, &ignored);
    }
    trust_snapshot_free(pki->snapshot);
    free(pki->directory);
    free(pki->temporary);
    free(pki->certificate);
    free(pki->key);
    free(pki->anchors);
    free(pki->lists);
    free(pki->host_entry);
    *pki = (struct mirror_pki){0};
}

struct tls_context *mirror_pki_context(const struct mirror_pki *pki, const char *entry, unsigned version, struct err *e)
{
    struct pki_entry found = {0};
    struct tls_context *context = NULL;
    if (pki_entry_find(pki->directory, "servers", entry, &found, e) == 0) {
        struct tls_settings settings = {.role = TLS_SERVER,
                                        .versions = version == VERSION_1_2 ? TLS_1_2_ONLY : TLS_1_3_ONLY,
                                        .credentials = tls_credentials_load_as_is(found.certificate, found.key, e),
                                        .snapshot = pki->snapshot,
                                        .verification = TLS_UNSAFE_NO_VERIFY};
        context = settings.credentials != NULL ? tls_context_new(&settings, e) : NULL;
    }
    pki_entry_clear(&found);
    return context;
}
