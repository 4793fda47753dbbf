// SPDX-License-Identifier: Apache-2.0
#include "server/config.h"

#include "base/file.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

static int find_trust(struct server_config *config, const struct server_source *source, struct err *e)
{
    config->anchors = source->anchors != NULL ? mem_strdup(source->anchors) : mem_printf("%s/trust.pem", source->pki);
    config->crls = mem_strdup(source->crls);
    if (source->anchors != NULL) {
        return 0;
    }
    if (!file_exists(config->anchors)) {
        return err_set(e, "there is no PKI in %s; make one: mtls pki -d %s", source->pki, source->pki);
    }
    if (config->crls == NULL) { // the PKI's own list belongs to the PKI's own anchors
        config->crls = mem_printf("%s/crl.pem", source->pki);
        if (!file_exists(config->crls)) {
            free(config->crls);
            config->crls = NULL;
        }
    }
    return 0;
}

static int find_credentials(struct server_config *config, const struct server_source *source, struct err *e)
{
    if (source->key != NULL && source->certificate == NULL) {
        return err_usage(e, "--key needs --cert");
    }
    if (source->certificate != NULL) {
        config->certificate = mem_strdup(source->certificate);
        config->key = mem_strdup(source->key);
        return 0;
    }
    const char *folder = strchr(source->name, '/') != NULL ? "" : "servers/";
    char *entry = mem_printf("%s/%s%s", source->pki, folder, source->name);
    config->as_is = text_starts(source->name, "flaws/"); // what is wrong on purpose is presented as it is
    config->certificate = mem_printf("%s/fullchain.pem", entry);
    config->key = mem_printf("%s/key.pem", entry);
    int rc = file_exists(entry) ? 0 : err_set(e, "%s does not exist; mtls pki makes what its plan names", entry);
    free(entry);
    return rc;
}

struct server_config *server_config_read(const struct server_source *source, struct err *e)
{
    struct server_config *config = mem_alloc(sizeof *config);
    config->addresses = source->addresses;
    config->address_count = source->address_count;
    config->port = source->port;
    config->host = source->host;
    config->control = source->control;
    config->limits = (struct server_limits){.connections = 16384,
                                            .connections_per_address = 4096,
                                            .handshake_ms = 10000,
                                            .header_ms = 10000,
                                            .idle_ms = 30000,
                                            .drain_ms = 10000};
    if (find_trust(config, source, e) != 0 || find_credentials(config, source, e) != 0) {
        server_config_free(config);
        return NULL;
    }
    const char *files[] = {config->certificate, config->key, config->anchors, config->crls};
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        if (files[i] != NULL) {
            config->files[config->file_count++] = files[i];
        }
    }
    return config;
}

struct tls_context *server_config_context(const struct server_config *config, struct err *e)
{
    static const char *alpn[] = {"http/1.1", NULL};
    const char *anchors = config->anchors;
    const char *crls = config->crls;
    struct trust_files trust = {.anchors = {&anchors, 1}, .crls = {&crls, crls != NULL ? 1 : 0}};
    struct trust_snapshot *snapshot = trust_snapshot_load(&trust, e);
    if (snapshot == NULL) {
        return NULL;
    }
    struct tls_context *context = NULL;
    struct tls_credentials *credentials =
        (config->as_is ? tls_credentials_load_as_is : tls_credentials_load)(config->certificate, config->key, e);
    if (credentials != NULL) {
        struct tls_settings settings = {
            .role = TLS_SERVER, .credentials = credentials, .snapshot = snapshot, .alpn = alpn};
        context = tls_context_new(&settings, e);
    }
    trust_snapshot_free(snapshot);
    return context;
}

void server_config_free(struct server_config *config)
{
    if (config == NULL) {
        return;
    }
    free(config->certificate);
    free(config->key);
    free(config->anchors);
    free(config->crls);
    free(config);
}
