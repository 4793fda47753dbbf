// SPDX-License-Identifier: Apache-2.0
// Certificates with their keys in memory, read from files, and what a connection takes of them.
#include "probe/identity.h"

#include "base/file.h"
#include "base/pem.h"

#include <string.h>

enum { IDENTITY_MOST = 1024 * 1024 };

void identity_clear(struct identity *identity)
{
    for (size_t i = 0; i < identity->count; i++) {
        buf_clear(&identity->chain[i]);
    }
    buf_clear(&identity->key);
    *identity = (struct identity){.count = 0};
}

void identity_copy(struct identity *to, const struct identity *from)
{
    *to = (struct identity){.count = from->count};
    for (size_t i = 0; i < from->count; i++) {
        buf_add(&to->chain[i], from->chain[i].data, from->chain[i].len);
    }
    buf_add(&to->key, from->key.data, from->key.len);
}

static int take_certificate(void *arg, const char *label, struct span der, struct err *e)
{
    struct identity *identity = arg;
    if (strcmp(label, "CERTIFICATE") != 0) {
        return 0;
    }
    if (identity->count == IDENTITY_CHAIN) {
        return err_set(e, "there are more than %d certificates", IDENTITY_CHAIN);
    }
    buf_add(&identity->chain[identity->count++], der.data, der.len);
    return 0;
}

int identity_load(const char *certificate, const char *key, struct identity *identity, struct err *e)
{
    struct buf file = {0};
    *identity = (struct identity){.count = 0};
    int rc = file_read(certificate, IDENTITY_MOST, &file, e);
    if (rc == 0 && pem_read(buf_span(&file), take_certificate, identity, e) != 0) {
        rc = err_context(e, "%s", certificate);
    }
    if (rc == 0 && identity->count == 0) {
        rc = err_set(e, "%s holds no PEM certificate", certificate);
    }
    buf_clear(&file);
    if (rc == 0) {
        rc = file_read(key != NULL ? key : certificate, IDENTITY_MOST, &identity->key, e);
    }
    if (rc == 0) {
        buf_add(&identity->key, "", 1); // mbedTLS wants PEM with its NUL
    } else {
        identity_clear(identity);
    }
    return rc;
}
