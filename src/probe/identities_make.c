// SPDX-License-Identifier: Apache-2.0
// Makes the wrong ones: mints them, spoils the good one, or reads them from a PKI.
#include "base/file.h"
#include "base/pem.h"
#include "base/pki_files.h"
#include "probe/identities_internal.h"

#include <stdlib.h>
#include <string.h>

// --- minting ---

static bool is_root(struct span certificate)
{
    struct certificate_parts parts;
    struct err e = ERR_INIT;
    return certificate_split(certificate, &parts, &e) == 0 && spans_equal(parts.issuer, parts.subject);
}

// As one that is presented, the CA's own issuers behind it.
static int identity_of_made(const struct identities *ids, const struct flaw_made *made, struct identity *identity,
                            struct err *e)
{
    *identity = (struct identity){.count = 0};
    buf_add(&identity->chain[identity->count++], made->leaf_der.data, made->leaf_der.len);
    for (size_t i = 0; i < made->chain_len; i++) {
        buf_add(&identity->chain[identity->count++], made->chain[i].data, made->chain[i].len);
    }
    // What is sent ends below the CA, as if that were a root; where it is not, the rest of the path is sent too.
    bool whole = made->chain_len > 0 || made->parts[made->leaf].issuer < 0;
    for (size_t i = 0; whole && i < ids->ca_count && identity->count < IDENTITY_CHAIN; i++) {
        if (!is_root(buf_span(&ids->ca_ders[i]))) {
            buf_add(&identity->chain[identity->count++], ids->ca_ders[i].data, ids->ca_ders[i].len);
        }
    }
    return key_write_pkcs8(&made->key, &identity->key, e);
}

static int mint(const struct identities *ids, const struct flaw_setting *setting, enum flaw flaw, bool control,
                struct identity *identity, struct err *e)
{
    struct flaw_made made;
    int rc = flaw_make(setting, flaw, FLAW_CLIENT, control, &made, e);
    if (rc == 0 && made.leaf >= 0) {
        rc = identity_of_made(ids, &made, identity, e);
    }
    flaw_made_clear(&made);
    return rc;
}

int identities_mint_flaw(const struct identities *ids, enum flaw flaw, bool control, struct identity *identity,
                         struct err *e)
{
    return mint(ids, &ids->setting, flaw, control, identity, e);
}

bool identities_can_mint(const struct identities *ids)
{
    return ids->mints;
}

int identities_mint(struct identities *ids, int64_t not_before, int64_t not_after, struct identity *identity,
                    struct err *e)
{
    struct flaw_setting setting = ids->setting;
    setting.now = not_before;
    setting.lifetime = not_after - not_before + 1;
    return mint(ids, &setting, FLAW_expired, true, identity, e);
}

static void keep(const struct identities *ids, enum flaw flaw, bool control, const struct identity *identity)
{
    struct err e = ERR_INIT; // the run is worth more than the files
    struct buf chain = {0};
    struct buf key = {0};
    char *folder = mem_printf("%s/%s%s", ids->keep, flaw_info(flaw)->token, control ? "/control" : "");
    char *chain_path = mem_printf("%s/fullchain.pem", folder);
    char *key_path = mem_printf("%s/key.pem", folder);
    for (size_t i = 0; i < identity->count; i++) {
        pem_write(&chain, "CERTIFICATE", buf_span(&identity->chain[i]));
    }
    pem_write(&key, "PRIVATE KEY", buf_span(&identity->key));
    if (file_make_dirs(folder, &e) != 0 || file_write(chain_path, buf_span(&chain), FILE_PUBLIC, &e) != 0 ||
        file_write(key_path, buf_span(&key), FILE_SECRET, &e) != 0) {
        fprintf(stderr, "mtls: --keep: %s\n", e.text);
    }
    free(chain_path);
    free(key_path);
    free(folder);
    buf_clear(&chain);
    buf_clear(&key);
}

// --- one good identity alone: what can be made of it ---

// Flips a bit of the certificate.
static void flip(struct buf *der, size_t at)
{
    der->data[at] ^= 1;
}

static int another_key(const struct identity *good, struct buf *key, struct err *e)
{
    struct rng rng;
    enum key_type type = KEY_ec_p256;
    mbedtls_pk_context old;
    mbedtls_pk_context new;
    mbedtls_pk_init(&old);
    mbedtls_pk_init(&new);
    int rc = rng_init(&rng, e);
    if (rc == 0) {
        rc = key_read(buf_span(&good->key), NULL, &rng, &old, e);
    }
    if (rc == 0 && !key_type_of(&old, &type)) {
        rc = err_set(e, "the good key is of a kind that cannot be made here");
    }
    if (rc == 0 && (key_generate(type, &rng, &new, e) != 0 || key_write_pkcs8(&new, key, e) != 0)) {
        rc = -1;
    }
    mbedtls_pk_free(&old);
    mbedtls_pk_free(&new);
    rng_clear(&rng);
    return rc;
}

// Spoils a copy of the good identity. 1: this flaw cannot be made so.
static int spoil(const struct identity *good, enum flaw flaw, struct identity *identity, struct err *e)
{
    struct certificate_parts parts;
    identity_copy(identity, good);
    struct buf *leaf = &identity->chain[0];
    switch (flaw) {
    case FLAW_wrong_key: buf_clear(&identity->key); return another_key(good, &identity->key, e);
    case FLAW_signature_damaged: flip(leaf, leaf->len - 1); return 0;
    case FLAW_trailing_garbage: buf_add(leaf, "", 1); return 0;
    case FLAW_tampered:
        if (certificate_split(buf_span(leaf), &parts, e) != 0) {
            return -1;
        }
        flip(leaf, (size_t)(parts.serial.data + parts.serial.len - 1 - leaf->data));
        return 0;
    default: identity_clear(identity); return 1;
    }
}

static bool is_nobodys(enum flaw flaw) // whom the target trusts, so anybody can make it
{
    return flaw == FLAW_self_signed || flaw == FLAW_foreign_root_same_name || flaw == FLAW_unknown_issuer;
}

static int make_alone(const struct identities *ids, enum flaw flaw, bool control, struct identity *identity,
                      struct err *e)
{
    if (control) {
        identity_copy(identity, &ids->good);
        return 0;
    }
    return is_nobodys(flaw) ? identities_mint_flaw(ids, flaw, false, identity, e)
                            : spoil(&ids->good, flaw, identity, e);
}

// --- the wrong ones of a PKI ---

static int read_pki(const struct identities *ids, enum flaw flaw, bool control, struct identity *identity,
                    struct err *e)
{
    struct pki_entry entry = {0};
    char *name = mem_printf("flaws/client-%s%s", flaw_info(flaw)->token, control ? "/control" : "");
    int rc = pki_entry_find(ids->source->pki, "clients", name, &entry, e);
    if (rc == 0) {
        rc = identity_load(entry.certificate, entry.key, identity, e);
    }
    pki_entry_clear(&entry);
    free(name);
    return rc;
}

int identities_make(const struct identities *ids, enum flaw flaw, bool control, struct identity *identity, char **why)
{
    struct err e = ERR_INIT;
    const struct probe_source *source = ids->source;
    int rc = source->pki != NULL ? read_pki(ids, flaw, control, identity, &e)
             : ids->mints        ? identities_mint_flaw(ids, flaw, control, identity, &e)
                                 : make_alone(ids, flaw, control, identity, &e);
    if (rc == 0 && ids->keep != NULL && identity->count > 0 && source->pki == NULL) {
        keep(ids, flaw, control, identity);
    }
    *why = rc < 0   ? mem_strdup(e.text)
           : rc > 0 ? mem_strdup("it takes the key of the CA that the target trusts: --ca-cert, --ca-key")
                    : NULL;
    return rc;
}
