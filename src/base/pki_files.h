// SPDX-License-Identifier: Apache-2.0
// Where things are in the directory that `mtls pki` makes. Texts that are returned are the caller's to free.
#ifndef MTLS_BASE_PKI_FILES_H
#define MTLS_BASE_PKI_FILES_H

#include "base/err.h"

#include <stdbool.h>

const char *pki_directory(const char *said);   // what was said, if it was, else $MTLS_PKI, else "pki"
char *pki_anchors(const char *pki);            // trust.pem
char *pki_lists(const char *pki);              // crl.pem: every authority's revocation list; a PKI need not have it
int pki_check(const char *pki, struct err *e); // is there a PKI? The error says how to make one

// What an entry presents. `name`: of the entry in `folder` ("servers", "clients"); with a slash: below the PKI's
// directory, such as "flaws/server-expired".
struct pki_entry {
    char *certificate;
    char *key;
    bool on_purpose; // it is wrong on purpose, to be presented as it is; anything else is a mistake if it is wrong
};
int pki_entry_find(const char *pki, const char *folder, const char *name, struct pki_entry *entry, struct err *e);
void pki_entry_clear(struct pki_entry *entry);

#endif
