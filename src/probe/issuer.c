// SPDX-License-Identifier: Apache-2.0
#include "base/file.h"
#include "ca/certificate.h"
#include "probe/identity.h"

#include <dirent.h>
#include <stdlib.h>

static bool has_subject(const char *file, struct span name)
{
    struct identity authority;
    struct certificate_parts parts;
    struct err e = ERR_INIT;
    // There is no key in the file, nor is one wanted.
    bool found = identity_load(file, file, &authority, &e) == 0 &&
                 certificate_split(buf_span(&authority.chain[0]), &parts, &e) == 0 && spans_equal(parts.subject, name);
    identity_clear(&authority);
    return found;
}

static bool is_readable(const char *file)
{
    struct buf text = {0};
    struct err e = ERR_INIT;
    bool readable = file_read(file, 1024 * 1024, &text, &e) == 0 &&
                    (!key_is_encrypted(buf_span(&text)) || getenv("MTLS_PASSPHRASE") != NULL);
    buf_clear(&text);
    return readable;
}

bool issuer_find(const char *pki, struct span certificate, char **certificates, char **key)
{
    struct certificate_parts parts;
    struct err e = ERR_INIT;
    char *folder = mem_printf("%s/authorities", pki);
    DIR *d = certificate_split(certificate, &parts, &e) == 0 ? opendir(folder) : NULL;
    bool found = false;
    for (const struct dirent *entry; d != NULL && !found && (entry = readdir(d)) != NULL;) {
        *certificates = mem_printf("%s/%s/fullchain.pem", folder, entry->d_name);
        *key = mem_printf("%s/%s/key.pem", folder, entry->d_name);
        found = entry->d_name[0] != '.' && has_subject(*certificates, parts.issuer) && is_readable(*key);
        if (!found) {
            free(*certificates);
            free(*key);
            *certificates = *key = NULL;
        }
    }
    if (d != NULL) {
        closedir(d);
    }
    free(folder);
    return found;
}
