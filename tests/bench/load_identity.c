// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/load.h"

#include <openssl/bio.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// OpenSSL presents no certificate with a key that is not its own; here the key claims to be.
static EVP_PKEY *key_pretending(const EVP_PKEY *key, const EVP_PKEY *wanted)
{
    OSSL_PARAM *parts = NULL;
    OSSL_PARAM *public = NULL;
    EVP_PKEY *made = NULL;
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
    if (EVP_PKEY_todata(key, EVP_PKEY_KEYPAIR, &parts) == 1 &&
        EVP_PKEY_todata(wanted, EVP_PKEY_PUBLIC_KEY, &public) == 1) {
        OSSL_PARAM *point = OSSL_PARAM_locate(parts, OSSL_PKEY_PARAM_PUB_KEY);
        const OSSL_PARAM *other = OSSL_PARAM_locate_const(public, OSSL_PKEY_PARAM_PUB_KEY);
        if (point != NULL && other != NULL && EVP_PKEY_fromdata_init(context) == 1) {
            void *own = point->data;
            point->data = other->data;
            EVP_PKEY_fromdata(context, &made, EVP_PKEY_KEYPAIR, parts);
            point->data = own;
        }
    }
    OSSL_PARAM_free(parts);
    OSSL_PARAM_free(public);
    EVP_PKEY_CTX_free(context);
    return made;
}

// Would OpenSSL send the octets that the file holds? It mends some encodings.
static bool is_as_written(const X509 *certificate, const char *path)
{
    BIO *file = BIO_new_file(path, "r");
    uint8_t *written = NULL;
    uint8_t *sent = NULL;
    long len = 0;
    bool same = PEM_bytes_read_bio(&written, &len, NULL, PEM_STRING_X509, file, NULL, NULL) == 1 &&
                i2d_X509(certificate, &sent) == len && memcmp(written, sent, (size_t)len) == 0;
    OPENSSL_free(written);
    OPENSSL_free(sent);
    BIO_free(file);
    return same;
}

// combined.pem: the certificate, its issuers, the key.
static bool identity_load(struct identity *who, const char *path)
{
    BIO *file = BIO_new_file(path, "r");
    if (file == NULL) {
        return false;
    }
    who->certificate = PEM_read_bio_X509(file, NULL, NULL, NULL);
    who->issuers = sk_X509_new_null();
    for (X509 *issuer = NULL; (issuer = PEM_read_bio_X509(file, NULL, NULL, NULL)) != NULL;) {
        sk_X509_push(who->issuers, issuer);
    }
    BIO_free(file);
    ERR_clear_error(); // that no further certificate was found
    file = BIO_new_file(path, "r");
    who->key = PEM_read_bio_PrivateKey(file, NULL, NULL, NULL);
    BIO_free(file);
    if (who->certificate != NULL && who->key != NULL && X509_check_private_key(who->certificate, who->key) != 1) {
        EVP_PKEY *pretending = key_pretending(who->key, X509_get0_pubkey(who->certificate));
        EVP_PKEY_free(who->key);
        who->key = pretending;
    }
    return who->certificate != NULL && who->key != NULL;
}

static void identity_describe(struct identity *who)
{
    uint8_t digest[EVP_MAX_MD_SIZE];
    unsigned len = 0;
    BIO *text = BIO_new(BIO_s_mem());
    char *data = NULL;
    X509_NAME_print_ex(text, X509_get_subject_name(who->certificate), 0, XN_FLAG_RFC2253);
    long text_len = BIO_get_mem_data(text, &data);
    who->subject = mem_strndup(text_len > 0 ? data : "", (size_t)text_len);
    BIO_free(text);
    X509_digest(who->certificate, EVP_sha256(), digest, &len);
    for (unsigned i = 0; i < len && i < 32; i++) {
        snprintf(who->fingerprint + 2 * (size_t)i, 3, "%02x", digest[i]);
    }
}

static void identity_clear(struct identity *who)
{
    X509_free(who->certificate);
    sk_X509_pop_free(who->issuers, X509_free);
    EVP_PKEY_free(who->key);
    free(who->subject);
    free(who->name);
    for (int i = 0; i < VERSIONS; i++) {
        SSL_SESSION_free(who->sessions[i]);
    }
}

void identities_read(struct identities *list, const char *pki, const char *file, bool good)
{
    FILE *names = fopen(file, "r");
    char line[256];
    if (names == NULL) {
        load_die("cannot read %s", file);
    }
    while (fgets(line, sizeof line, names) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        struct identity who = {.name = mem_strdup(line), .good = good};
        if (strcmp(line, "-") != 0) {
            char *path = mem_printf("%s/%s/combined.pem", pki, line);
            if (!identity_load(&who, path) || !is_as_written(who.certificate, path)) {
                const char *why = ERR_reason_error_string(ERR_get_error());
                load_say("left out, OpenSSL cannot present it: %s: %s", path, why != NULL ? why : "it would be mended");
                ERR_clear_error();
                identity_clear(&who);
                free(path);
                continue;
            }
            free(path);
            identity_describe(&who);
        }
        list->items = mem_grow(list->items, &list->cap, sizeof *list->items, list->count + 1);
        list->items[list->count++] = who;
    }
    fclose(names);
    if (list->count == 0) {
        load_die("%s names nobody", file);
    }
}

void identities_clear(struct identities *list)
{
    for (size_t i = 0; i < list->count; i++) {
        identity_clear(&list->items[i]);
    }
    free(list->items);
}

struct identity *identities_next(struct identities *list)
{
    return &list->items[list->next++ % list->count];
}

int identity_use(const struct identity *who, SSL *tls)
{
    if (who->certificate == NULL) {
        return 0;
    }
    return SSL_use_certificate(tls, who->certificate) == 1 && SSL_set1_chain(tls, who->issuers) == 1 &&
                   SSL_use_PrivateKey(tls, who->key) == 1
               ? 0
               : -1;
}

static struct identity *identity_named(struct identities *list, const char *name)
{
    for (size_t i = 0; i < list->count; i++) {
        if (strcmp(list->items[i].name, name) == 0) {
            return &list->items[i];
        }
    }
    return NULL;
}

void identities_revoked(struct identities *list, const char *file)
{
    static long read_so_far;
    FILE *lines = file == NULL ? NULL : fopen(file, "r");
    char line[300];
    if (lines == NULL) {
        return; // nobody is revoked yet
    }
    fseek(lines, read_so_far, SEEK_SET);
    while (fgets(line, sizeof line, lines) != NULL && strchr(line, '\n') != NULL) {
        char name[256];
        char what[8];
        long long when = 0;
        // NOLINTNEXTLINE(cert-err34-c): the soak writes these numbers
        if (sscanf(line, "%7s %255s %lld", what, name, &when) != 3) {
            load_die("%s: cannot read: %s", file, line);
        }
        struct identity *who = identity_named(list, name);
        if (who != NULL) {
            *(strcmp(what, "begin") == 0 ? &who->revoking_ms : &who->revoked_ms) = when;
        }
        read_so_far = ftell(lines);
    }
    fclose(lines);
}
