// SPDX-License-Identifier: Apache-2.0
#include "base/pki_files.h"

#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

const char *pki_directory(const char *said)
{
    const char *variable = getenv("MTLS_PKI");
    return said != NULL ? said : variable != NULL && variable[0] != '\0' ? variable : "pki";
}

char *pki_anchors(const char *pki)
{
    return mem_printf("%s/trust.pem", pki);
}

char *pki_lists(const char *pki)
{
    return mem_printf("%s/crl.pem", pki);
}

int pki_check(const char *pki, struct err *e)
{
    char *anchors = pki_anchors(pki);
    bool exists = file_exists(anchors);
    free(anchors);
    return exists ? 0 : err_set(e, "there is no PKI in %s; make one: mtls pki -d %s", pki, pki);
}

int pki_entry_find(const char *pki, const char *folder, const char *name, struct pki_entry *entry, struct err *e)
{
    bool is_path = strchr(name, '/') != NULL;
    char *place = mem_printf("%s/%s%s%s", pki, is_path ? "" : folder, is_path ? "" : "/", name);
    int rc = file_exists(place) ? 0 : err_set(e, "%s does not exist; mtls pki makes what its plan names", place);
    if (rc == 0) {
        *entry = (struct pki_entry){.certificate = mem_printf("%s/fullchain.pem", place),
                                    .key = mem_printf("%s/key.pem", place),
                                    .on_purpose = text_starts(name, "flaws/")};
    }
    free(place);
    return rc;
}

void pki_entry_clear(struct pki_entry *entry)
{
    free(entry->certificate);
    free(entry->key);
    *entry = (struct pki_entry){0};
}
