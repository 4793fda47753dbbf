// SPDX-License-Identifier: Apache-2.0
// Revocation lists issued from the database, and the files at the top of a PKI that relying parties load: trust.pem,
// crl.pem, and trust.d, the same in OpenSSL's hashed form.
#include "base/pem.h"
#include "ca/hash_dir.h"
#include "ca/pki.h"

#include <stdlib.h>
#include <string.h>

int crl_issue(struct pki *pki, struct authority *a, int64_t lifetime, struct crl_record *made, struct err *e)
{
    struct crl_entry *entries = NULL;
    struct buf serials = {0};
    struct crl_content content = {.this_update = pki->now, .next_update = pki->now + lifetime};
    struct certificate_issuer issuer;
    int rc = -1;
    *made = (struct crl_record){.issuer_id = a->ca_id, .this_update = pki->now, .next_update = content.next_update};
    if (authority_key(pki, a, e) != 0 ||
        db_revoked(pki->db, a->ca_id, pki->now, &entries, &content.count, &serials, e) != 0 ||
        db_crl_next_number(pki->db, a->ca_id, &content.number, e) != 0) {
        goto out;
    }
    content.entries = entries;
    made->number = content.number;
    issuer = authority_issuer(a);
    if (crl_make(&content, &issuer, &pki->rng, &made->der, e) == 0) {
        rc = db_crl_put(pki->db, a->ca_id, made, e);
    }
out:
    free(entries);
    buf_clear(&serials);
    return rc == 0 ? 0 : err_context(e, "issuing the revocation list of %s", a->name);
}

struct collected {
    struct buf pem;
    struct hash_dir dir;
};

static int collect_anchor(void *arg, const struct record *r, struct err *e)
{
    struct collected *c = arg;
    if (r->issuer_id != 0) {
        return 0;
    }
    pem_write(&c->pem, "CERTIFICATE", buf_span(&r->der));
    return hash_dir_add_certificate(&c->dir, buf_span(&r->der), e);
}

static int collect_crl(void *arg, const struct crl_record *crl, struct err *e)
{
    struct collected *c = arg;
    pem_write(&c->pem, "X509 CRL", buf_span(&crl->der));
    return hash_dir_add_crl(&c->dir, buf_span(&crl->der), e);
}

int lists_put(struct pki *pki, struct file_batch *batch, size_t *changed, struct err *e)
{
    struct db_filter anchors = {.current_only = true, .role = ROLE_AUTHORITY};
    struct collected c = {0};
    char *trust = pki_path(pki, "trust.pem");
    char *crl = pki_path(pki, "crl.pem");
    char *dir = pki_path(pki, "trust.d");
    int rc = -1;
    if (db_list(pki->db, &anchors, collect_anchor, &c, e) != 0 ||
        file_put(batch, trust, buf_span(&c.pem), FILE_PUBLIC, changed, e) != 0) {
        goto out;
    }
    buf_clear(&c.pem);
    if (db_crl_list(pki->db, collect_crl, &c, e) != 0 ||
        file_put(batch, crl, buf_span(&c.pem), FILE_PUBLIC, changed, e) != 0) {
        goto out;
    }
    rc = hash_dir_put(&c.dir, batch, dir, changed, e);
out:
    buf_clear(&c.pem);
    hash_dir_clear(&c.dir);
    free(trust);
    free(crl);
    free(dir);
    return rc;
}
