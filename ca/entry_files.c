// SPDX-License-Identifier: Apache-2.0
// The five files of an entry: what they hold, and which of them differ from what is on disk.
#include "base/pem.h"
#include "ca/pki.h"

#include <stdlib.h>

void entry_files_make(struct entry_files *f, struct span key_pem, struct span cert_der, struct span chain_pem)
{
    *f = (struct entry_files){0};
    buf_add(&f->key, key_pem.data, key_pem.len);
    if (cert_der.len > 0) {
        pem_write(&f->cert, "CERTIFICATE", cert_der);
    }
    buf_add(&f->chain, chain_pem.data, chain_pem.len);
    buf_add(&f->fullchain, f->cert.data, f->cert.len);
    buf_add(&f->fullchain, f->chain.data, f->chain.len);
    buf_add(&f->combined, f->key.data, f->key.len);
    buf_add(&f->combined, f->fullchain.data, f->fullchain.len);
}

void entry_files_clear(struct entry_files *f)
{
    buf_clear(&f->key);
    buf_clear(&f->cert);
    buf_clear(&f->chain);
    buf_clear(&f->fullchain);
    buf_clear(&f->combined);
}

int entry_files_announce(struct file_batch *batch, const char *dir, struct span key_pem, size_t *changed, struct err *e)
{
    char *path = mem_printf("%s/key.pem", dir);
    int rc = file_batch_mark(batch, dir, e);
    if (rc == 0 && key_pem.len > 0) {
        rc = file_put(batch, path, key_pem, FILE_SECRET, changed, e);
    }
    free(path);
    return rc;
}

int entry_files_put(struct file_batch *batch, const char *dir, const struct entry_files *f, bool announced,
                    size_t *changed, struct err *e)
{
    bool has_key = f->key.len > 0;
    const struct {
        const char *name;
        const struct buf *text;
        mode_t mode;
        bool wanted;
    } files[] = {
        {"key.pem", &f->key, FILE_SECRET, has_key && !announced},
        {"chain.pem", &f->chain, FILE_PUBLIC, true},
        {"fullchain.pem", &f->fullchain, FILE_PUBLIC, true},
        {"combined.pem", &f->combined, FILE_SECRET, has_key},
        {"cert.pem", &f->cert, FILE_PUBLIC, true},
    };
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        char *path = mem_printf("%s/%s", dir, files[i].name);
        int rc = files[i].wanted ? file_put(batch, path, buf_span(files[i].text), files[i].mode, changed, e) : 0;
        free(path);
        if (rc != 0) {
            return -1;
        }
    }
    return 0;
}
