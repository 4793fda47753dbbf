// SPDX-License-Identifier: Apache-2.0
#include "base/file.h"
#include "base/pki_files.h"
#include "cmd/cmd.h"

#include <stdlib.h>

// Neither files nor a PKI: whoever goes on with a server that is refused needs none.
static bool has_anchors(const struct cmd_files *files, const char *pki)
{
    struct err none = ERR_INIT;
    return files->anchors != NULL || files->pki != NULL || files->name != NULL || pki_check(pki, &none) == 0;
}

static struct trust_snapshot *load_snapshot(const struct cmd_files *files, const char *pki, struct err *e)
{
    char *anchors = files->anchors != NULL ? mem_strdup(files->anchors) : pki_anchors(pki);
    char *crls = mem_strdup(files->crls);
    if (crls == NULL && files->anchors == NULL) { // the PKI's own list belongs to the PKI's own anchors
        crls = pki_lists(pki);
        if (!file_exists(crls)) {
            free(crls);
            crls = NULL;
        }
    }
    struct trust_snapshot *snapshot = NULL;
    if (files->anchors != NULL || pki_check(pki, e) == 0) {
        const char *anchor_file = anchors;
        const char *crl_file = crls;
        struct trust_files trust = {.anchors = {&anchor_file, 1}, .crls = {&crl_file, crls != NULL ? 1 : 0}};
        snapshot = trust_snapshot_load(&trust, e);
    }
    free(anchors);
    free(crls);
    return snapshot;
}

static struct tls_credentials *load_credentials(const struct cmd_files *files, const char *pki, struct err *e)
{
    struct pki_entry entry = {0};
    struct tls_credentials *credentials = NULL;
    if (files->certificate != NULL) {
        return tls_credentials_load(files->certificate, files->key, e);
    }
    if (pki_entry_find(pki, files->folder, files->name, &entry, e) == 0) {
        credentials =
            (entry.on_purpose ? tls_credentials_load_as_is : tls_credentials_load)(entry.certificate, entry.key, e);
    }
    pki_entry_clear(&entry);
    return credentials;
}

struct tls_context *cmd_context(const struct cmd_files *files, struct tls_settings settings, struct err *e)
{
    const char *pki = pki_directory(files->pki);
    if (files->key != NULL && files->certificate == NULL) {
        err_usage(e, "--key needs --cert");
        return NULL;
    }
    struct tls_context *context = NULL;
    const struct trust_files nobody = {.no_anchors = true};
    struct trust_snapshot *snapshot = settings.verification != TLS_VERIFY && !has_anchors(files, pki)
                                          ? trust_snapshot_load(&nobody, e)
                                          : load_snapshot(files, pki, e);
    if (snapshot == NULL) {
        return NULL;
    }
    bool has_credentials = files->certificate != NULL || files->name != NULL;
    struct tls_credentials *credentials = has_credentials ? load_credentials(files, pki, e) : NULL;
    if (credentials != NULL || !has_credentials) {
        settings.credentials = credentials;
        settings.snapshot = snapshot;
        settings.key_log = files->key_log;
        context = tls_context_new(&settings, e);
    }
    trust_snapshot_free(snapshot);
    return context;
}
