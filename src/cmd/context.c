// SPDX-License-Identifier: Apache-2.0
#include "base/file.h"
#include "base/text.h"
#include "cmd/cmd.h"

#include <stdlib.h>
#include <string.h>

static struct trust_snapshot *load_snapshot(const struct cmd_files *files, const char *pki, struct err *e)
{
    char *anchors = files->anchors != NULL ? mem_strdup(files->anchors) : mem_printf("%s/trust.pem", pki);
    char *crls = mem_strdup(files->crls);
    if (crls == NULL && files->anchors == NULL) { // the PKI's own list belongs to the PKI's own anchors
        crls = mem_printf("%s/crl.pem", pki);
        if (!file_exists(crls)) {
            free(crls);
            crls = NULL;
        }
    }
    struct trust_snapshot *snapshot = NULL;
    if (files->anchors == NULL && !file_exists(anchors)) {
        err_set(e, "there is no PKI in %s; make one: mtls pki -d %s", pki, pki);
    } else {
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
    if (files->certificate != NULL) {
        return tls_credentials_load(files->certificate, files->key, e);
    }
    bool is_path = strchr(files->name, '/') != NULL;
    char *folder = mem_printf("%s/%s%s%s", pki, is_path ? "" : files->folder, is_path ? "" : "/", files->name);
    char *certificate = mem_printf("%s/fullchain.pem", folder);
    char *key = mem_printf("%s/key.pem", folder);
    struct tls_credentials *credentials = NULL;
    if (!file_exists(folder)) {
        err_set(e, "%s does not exist; mtls pki makes what its plan names", folder);
    } else {
        // what is wrong on purpose is presented as it is; anything else is held to be a mistake if it is wrong
        bool on_purpose = text_starts(files->name, "flaws/");
        credentials = (on_purpose ? tls_credentials_load_as_is : tls_credentials_load)(certificate, key, e);
    }
    free(folder);
    free(certificate);
    free(key);
    return credentials;
}

struct tls_context *cmd_context(const struct cmd_files *files, enum tls_role role, enum tls_versions versions,
                                const char **alpn, struct err *e)
{
    const char *pki = cmd_pki_dir(files->pki);
    if (files->key != NULL && files->certificate == NULL) {
        err_usage(e, "--key needs --cert");
        return NULL;
    }
    struct tls_context *context = NULL;
    struct trust_snapshot *snapshot = load_snapshot(files, pki, e);
    if (snapshot == NULL) {
        return NULL;
    }
    bool has_credentials = files->certificate != NULL || files->name != NULL;
    struct tls_credentials *credentials = has_credentials ? load_credentials(files, pki, e) : NULL;
    if (credentials != NULL || !has_credentials) {
        struct tls_settings settings = {
            .role = role, .versions = versions, .credentials = credentials, .snapshot = snapshot, .alpn = alpn};
        context = tls_context_new(&settings, e);
    }
    trust_snapshot_free(snapshot);
    return context;
}
