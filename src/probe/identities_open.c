// SPDX-License-Identifier: Apache-2.0
// Where identities come from: see struct probe_source.
#include "base/clock.h"
#include "base/file.h"
#include "base/passphrase.h"
#include "base/pem.h"
#include "base/pki_files.h"
#include "probe/identities_internal.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

enum { MINTED_LIFE = 3600, CLOCK_SKEW = 60 };
#define MINTED_PREFIX "mtls probe "

static int read_key(const char *path, mbedtls_pk_context *key, struct err *e)
{
    struct buf text = {0};
    struct buf passphrase = {0};
    struct rng rng;
    if (rng_init(&rng, e) != 0) {
        return -1;
    }
    int rc = file_read(path, 1024 * 1024, &text, e);
    if (rc == 0 && key_is_encrypted(buf_span(&text))) {
        rc = passphrase_get(NULL, "MTLS_PASSPHRASE", "passphrase of the CA's key: ", false, &passphrase, e);
    }
    if (rc == 0 && key_read(buf_span(&text), (const char *)passphrase.data, &rng, key, e) != 0) {
        rc = err_context(e, "%s", path);
    }
    rng_clear(&rng);
    buf_clear(&text);
    buf_clear(&passphrase);
    return rc;
}

static int take_subject(struct identities *ids, struct span certificate, struct err *e)
{
    struct certificate_parts parts;
    int rc = certificate_split(certificate, &parts, e);
    if (rc == 0) {
        buf_add(&ids->ca_subject, parts.subject.data, parts.subject.len);
    }
    return rc;
}

static int take_ca(void *arg, const char *label, struct span der, struct err *e)
{
    struct identities *ids = arg;
    if (strcmp(label, "CERTIFICATE") != 0) {
        return 0;
    }
    if (ids->ca_count == IDENTITY_CHAIN) {
        return err_set(e, "there are more than %d certificates", IDENTITY_CHAIN);
    }
    buf_add(&ids->ca_ders[ids->ca_count++], der.data, der.len);
    return 0;
}

// The CA's certificate and key, which must belong together: else nothing that it signs would be good.
static int open_ca(struct identities *ids, const char *certificate, const char *key, struct err *e)
{
    struct buf text = {0};
    mbedtls_x509_crt crt;
    struct rng rng;
    mbedtls_x509_crt_init(&crt);
    if (rng_init(&rng, e) != 0) {
        return -1;
    }
    int rc = file_read(certificate, 1024 * 1024, &text, e);
    if (rc == 0 && (pem_read(buf_span(&text), take_ca, ids, e) != 0 || ids->ca_count == 0)) {
        err_set(e, "there is no PEM certificate in it");
        rc = err_context(e, "%s", certificate);
    }
    if (rc == 0 && read_key(key, &ids->ca_key, e) != 0) {
        rc = -1;
    }
    if (rc == 0) {
        int code = mbedtls_x509_crt_parse_der(&crt, ids->ca_ders[0].data, ids->ca_ders[0].len);
        rc = code != 0 ? err_mbedtls(e, code, "%s", certificate)
             : mbedtls_pk_check_pair(&crt.pk, &ids->ca_key, rng_bytes, &rng) != 0
                 ? err_set(e, "the key in %s does not belong to the first certificate in %s", key, certificate)
                 : take_subject(ids, buf_span(&ids->ca_ders[0]), e);
    }
    ids->mints = rc == 0;
    mbedtls_x509_crt_free(&crt);
    rng_clear(&rng);
    buf_clear(&text);
    return rc;
}

// A CA of the name of the good identity's topmost issuer, with a key of our own: what it signs is nobody's.
static int open_stranger(struct identities *ids, struct err *e)
{
    struct certificate_parts parts;
    struct rng rng;
    if (rng_init(&rng, e) != 0) {
        return -1;
    }
    int rc = certificate_split(buf_span(&ids->good.chain[ids->good.count - 1]), &parts, e);
    if (rc == 0) {
        buf_add(&ids->ca_subject, parts.issuer.data, parts.issuer.len);
        rc = key_generate(KEY_ec_p256, &rng, &ids->ca_key, e);
    }
    rng_clear(&rng);
    return rc;
}

static int set_up_minting(struct identities *ids, struct err *e)
{
    static const struct general_names no_hosts = {0};
    ids->ca = (struct flaw_ca){.der = ids->ca_count > 0 ? buf_span(&ids->ca_ders[0]) : span_of("", 0),
                               .issuer = {.subject = buf_span(&ids->ca_subject), .key = &ids->ca_key}};
    ids->setting = (struct flaw_setting){.root = &ids->ca,
                                         .issuing = &ids->ca,
                                         .hosts = &no_hosts,
                                         .now = clock_now() - CLOCK_SKEW,
                                         .lifetime = MINTED_LIFE + CLOCK_SKEW,
                                         .prefix = MINTED_PREFIX,
                                         .keys = &ids->keys};
    return key_id(&ids->ca_key, ids->ca.issuer.key_id, e);
}

// The first client of the manifest that a correct judge accepts.
static char *first_client(const char *pki, struct err *e)
{
    char *path = mem_printf("%s/manifest.json", pki);
    json_t *manifest = json_load_file(path, 0, NULL);
    json_t *artefact = NULL;
    size_t i = 0;
    char *found = NULL;
    json_array_foreach(json_object_get(manifest, "artefacts"), i, artefact)
    {
        const char *role = json_string_value(json_object_get(artefact, "role"));
        const char *name = json_string_value(json_object_get(artefact, "name"));
        const char *reason = json_string_value(json_object_get(json_object_get(artefact, "expect"), "reason"));
        if (found == NULL && role != NULL && name != NULL && reason != NULL && strcmp(role, "client") == 0 &&
            strcmp(reason, "ok") == 0) {
            found = mem_strdup(name);
        }
    }
    if (found == NULL) {
        err_set(e, "%s names no good client; say one with --as", path);
    }
    json_decref(manifest);
    free(path);
    return found;
}

static int load_good_of_pki(struct identities *ids, struct err *e)
{
    const struct probe_source *source = ids->source;
    struct pki_entry entry = {0};
    if (pki_check(source->pki, e) != 0) {
        return -1;
    }
    char *name = source->as != NULL ? mem_strdup(source->as) : first_client(source->pki, e);
    int rc = name == NULL ? -1 : pki_entry_find(source->pki, "clients", name, &entry, e);
    if (rc == 0) {
        rc = identity_load(entry.certificate, entry.key, &ids->good, e);
    }
    pki_entry_clear(&entry);
    free(name);
    return rc;
}

static int load_good(struct identities *ids, struct err *e)
{
    const struct probe_source *source = ids->source;
    if (source->certificate != NULL) {
        return identity_load(source->certificate, source->key, &ids->good, e);
    }
    return source->pki != NULL ? load_good_of_pki(ids, e)
                               : identities_mint_flaw(ids, FLAW_expired, true, &ids->good, e);
}

// TLS wants anchors, though nobody is judged by them.
static int load_snapshot(struct identities *ids, struct err *e)
{
    const struct probe_source *source = ids->source;
    char *of_pki = source->pki != NULL ? pki_anchors(source->pki) : NULL;
    const char *anchors = of_pki != NULL                   ? of_pki
                          : source->ca_certificate != NULL ? source->ca_certificate
                                                           : source->certificate;
    struct trust_files files = {.anchors = {&anchors, 1}};
    ids->snapshot = trust_snapshot_load(&files, e);
    free(of_pki);
    return ids->snapshot == NULL ? -1 : 0;
}

// The PKI's authority that issued the good identity, if its key can be had without asking.
static int open_issuer(struct identities *ids, struct err *e)
{
    char *certificate = NULL;
    char *key = NULL;
    int rc = 0;
    if (issuer_find(ids->source->pki, buf_span(&ids->good.chain[0]), &certificate, &key)) {
        rc = open_ca(ids, certificate, key, e);
    }
    free(certificate);
    free(key);
    return rc;
}

int identities_open(struct identities *ids, struct err *e)
{
    const struct probe_source *source = ids->source;
    bool ca = source->pki == NULL && source->ca_certificate != NULL;
    if (ca && (open_ca(ids, source->ca_certificate, source->ca_key, e) != 0 || set_up_minting(ids, e) != 0)) {
        return -1;
    }
    if (load_good(ids, e) != 0 || load_snapshot(ids, e) != 0) {
        return -1;
    }
    if (ca) {
        return 0;
    }
    int rc = source->pki != NULL ? open_issuer(ids, e) : 0;
    if (rc == 0 && !ids->mints) {
        rc = open_stranger(ids, e);
    }
    return rc != 0 ? -1 : set_up_minting(ids, e);
}
