// SPDX-License-Identifier: Apache-2.0
// Where the good and the wrong identities come from: see struct probe_source.
#include "base/clock.h"
#include "base/file.h"
#include "base/parallel.h"
#include "base/passphrase.h"
#include "base/pem.h"
#include "base/pki_files.h"
#include "probe/identity.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

enum { MINTED_LIFE = 3600, CLOCK_SKEW = 60 };
#define MINTED_PREFIX "mtls probe "

enum slot_state { SLOT_PENDING, SLOT_READY, SLOT_ABSENT };

struct slot {
    enum slot_state state;
    struct identity identity;
    char *why; // it is absent
};

struct identities {
    const struct probe_source *source;
    const char *keep; // or NULL
    struct trust_snapshot *snapshot;
    struct identity good;
    bool mints;   // under the CA that the target trusts
    bool minting; // the thread is there
    pthread_t thread;
    struct buf ca_ders[IDENTITY_CHAIN]; // of that CA, and above it
    size_t ca_count;
    mbedtls_pk_context ca_key;
    struct buf ca_subject;
    struct flaw_ca ca;
    struct flaw_keys keys;
    struct flaw_setting setting;
    pthread_mutex_t lock; // of the slots
    pthread_cond_t changed;
    struct slot slots[FLAW_COUNT][2]; // the wrong one, and its control
};

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
    return is_nobodys(flaw) ? mint(ids, &ids->setting, flaw, false, identity, e) : spoil(&ids->good, flaw, identity, e);
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

// --- the slots ---

static int make(const struct identities *ids, enum flaw flaw, bool control, struct identity *identity, char **why)
{
    struct err e = ERR_INIT;
    const struct probe_source *source = ids->source;
    int rc = source->pki != NULL ? read_pki(ids, flaw, control, identity, &e)
             : ids->mints        ? mint(ids, &ids->setting, flaw, control, identity, &e)
                                 : make_alone(ids, flaw, control, identity, &e);
    if (rc == 0 && ids->keep != NULL && identity->count > 0 && source->pki == NULL) {
        keep(ids, flaw, control, identity);
    }
    *why = rc < 0   ? mem_strdup(e.text)
           : rc > 0 ? mem_strdup("it takes the key of the CA that the target trusts: --ca-cert, --ca-key")
                    : NULL;
    return rc;
}

// Keys of RSA take the longest, so they are begun with.
static const enum flaw slow[] = {FLAW_rsa_1024, FLAW_md5_signature};
enum { SLOW = sizeof slow / sizeof slow[0] };

static int fill(void *arg, size_t i, struct err *e)
{
    struct identities *ids = arg;
    struct slot made = {.state = SLOT_READY};
    enum flaw flaw = i < (size_t)SLOW * 2 ? slow[i / 2] : (enum flaw)((i - (size_t)SLOW * 2) / 2);
    bool control = i % 2 == 1;
    struct slot *slot = &ids->slots[flaw][control];
    (void)e;
    for (size_t k = 0; i >= (size_t)SLOW * 2 && k < SLOW; k++) {
        if (flaw == slow[k]) {
            return 0;
        }
    }
    if ((flaw_info(flaw)->sides & FLAW_CLIENT) == 0) {
        return 0;
    }
    if (flaw != FLAW_no_certificate && make(ids, flaw, control, &made.identity, &made.why) != 0) {
        made.state = SLOT_ABSENT;
    } else if (flaw == FLAW_no_certificate && control) {
        identity_copy(&made.identity, &ids->good);
    }
    pthread_mutex_lock(&ids->lock);
    *slot = made;
    pthread_cond_broadcast(&ids->changed);
    pthread_mutex_unlock(&ids->lock);
    return 0;
}

static void *fill_all(void *arg)
{
    struct err e = ERR_INIT; // fill() does not fail: each slot has its own error
    (void)parallel_for((size_t)(FLAW_COUNT + SLOW) * 2, fill, NULL, arg, &e);
    return NULL;
}

const struct identity *identities_flaw(struct identities *ids, enum flaw flaw, bool control, const char **why)
{
    struct slot *slot = &ids->slots[flaw][control];
    pthread_mutex_lock(&ids->lock);
    while (slot->state == SLOT_PENDING) {
        pthread_cond_wait(&ids->changed, &ids->lock);
    }
    pthread_mutex_unlock(&ids->lock);
    *why = slot->why;
    return slot->state == SLOT_READY ? &slot->identity : NULL;
}

const struct identity *identities_good(const struct identities *ids)
{
    return &ids->good;
}

// --- the sources ---

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
    return source->pki != NULL ? load_good_of_pki(ids, e) : mint(ids, &ids->setting, FLAW_expired, true, &ids->good, e);
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

static int open_source(struct identities *ids, struct err *e)
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

struct identities *identities_new(const struct probe_options *options, struct err *e)
{
    struct identities *ids = mem_alloc(sizeof *ids);
    ids->source = &options->source;
    ids->keep = options->keep;
    mbedtls_pk_init(&ids->ca_key);
    flaw_keys_init(&ids->keys);
    pthread_mutex_init(&ids->lock, NULL);
    pthread_cond_init(&ids->changed, NULL);
    if (open_source(ids, e) != 0) {
        identities_free(ids);
        return NULL;
    }
    ids->minting = pthread_create(&ids->thread, NULL, fill_all, ids) == 0;
    if (!ids->minting) {
        fill_all(ids);
    }
    return ids;
}

void identities_free(struct identities *ids)
{
    if (ids == NULL) {
        return;
    }
    if (ids->minting) {
        pthread_join(ids->thread, NULL);
    }
    for (size_t i = 0; i < FLAW_COUNT; i++) {
        for (size_t k = 0; k < 2; k++) {
            identity_clear(&ids->slots[i][k].identity);
            free(ids->slots[i][k].why);
        }
    }
    for (size_t i = 0; i < ids->ca_count; i++) {
        buf_clear(&ids->ca_ders[i]);
    }
    identity_clear(&ids->good);
    buf_clear(&ids->ca_subject);
    mbedtls_pk_free(&ids->ca_key);
    flaw_keys_clear(&ids->keys);
    trust_snapshot_free(ids->snapshot);
    pthread_mutex_destroy(&ids->lock);
    pthread_cond_destroy(&ids->changed);
    free(ids);
}

struct tls_context *identity_context(const struct identities *ids, const struct identity *identity, unsigned version,
                                     struct err *e)
{
    struct span chain[IDENTITY_CHAIN];
    struct tls_credentials *credentials = NULL;
    for (size_t i = 0; i < identity->count; i++) {
        chain[i] = buf_span(&identity->chain[i]);
    }
    if (identity->count > 0) {
        credentials = tls_credentials_of_memory(chain, identity->count, buf_span(&identity->key), e);
        if (credentials == NULL) {
            return NULL;
        }
    }
    struct tls_settings settings = {.role = TLS_CLIENT,
                                    .versions = version == PROBE_TLS_1_2 ? TLS_1_2_ONLY : TLS_1_3_ONLY,
                                    .credentials = credentials,
                                    .snapshot = ids->snapshot,
                                    .unsafe_no_verify = true};
    return tls_context_new(&settings, e);
}
