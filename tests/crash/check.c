// SPDX-License-Identifier: Apache-2.0
// What must hold in a PKI at any instant, and what must hold once a command has ended well. Judged by SQLite and
// mbedTLS, not by the code under test.
#include "base/file.h"
#include "base/text.h"
#include "look.h"

#include <dirent.h>
#include <mbedtls/ctr_drbg.h>
#include <mbedtls/entropy.h>
#include <mbedtls/pem.h>
#include <mbedtls/sha256.h>
#include <mbedtls/x509_crt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static void sha256_hex(struct span data, char hex[65])
{
    uint8_t digest[32] = {0};
    struct buf text = {0};
    mbedtls_sha256(data.data, data.len, digest, 0);
    text_hex(&text, digest, sizeof digest, '\0');
    memcpy(hex, text.data, 65);
    buf_clear(&text);
}

// ---- the database, of which a copy is opened: what the next mtls finds is left to it

static void copy_file(const char *from, const char *to)
{
    struct err e = ERR_INIT;
    struct buf data = {0};
    if (file_exists(from)) {
        assert_works(file_read(from, FILE_LIMIT, &data, &e), &e);
        assert_works(file_write(to, buf_span(&data), FILE_SECRET, &e), &e);
    } else {
        remove(to);
    }
    buf_clear(&data);
}

static sqlite3 *open_copy(struct world *w)
{
    static const char *const suffixes[] = {"", "-wal", "-journal"};
    sqlite3 *db = NULL;
    char *copy = mem_printf("%s/copy.db", w->dir);
    for (size_t i = 0; i < sizeof suffixes / sizeof suffixes[0]; i++) {
        char *from = mem_printf("%s/pki.db%s", w->pki, suffixes[i]);
        char *to = mem_printf("%s%s", copy, suffixes[i]);
        struct stat st;
        if (stat(from, &st) == 0 && (st.st_mode & 0777) != 0600) {
            world_problem(w, "%s has mode %o", from, st.st_mode & 0777);
        }
        copy_file(from, to);
        free(from);
        free(to);
    }
    assert_int_equal(sqlite3_open_v2(copy, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL), SQLITE_OK);
    free(copy);
    return db;
}

static int64_t ask(struct world *w, sqlite3 *db, const char *sql, const char *parameter)
{
    sqlite3_stmt *s = NULL;
    int64_t answer = -1;
    if (sqlite3_prepare_v2(db, sql, -1, &s, NULL) == SQLITE_OK &&
        (parameter == NULL || sqlite3_bind_text(s, 1, parameter, -1, SQLITE_STATIC) == SQLITE_OK) &&
        sqlite3_step(s) == SQLITE_ROW) {
        answer = sqlite3_column_int64(s, 0);
    } else {
        world_problem(w, "the database does not answer %s: %s", sql, sqlite3_errmsg(db));
    }
    sqlite3_finalize(s);
    return answer;
}

int64_t world_ask(struct world *w, const char *sql)
{
    sqlite3 *db = open_copy(w);
    int64_t answer = ask(w, db, sql, NULL);
    sqlite3_close(db);
    return answer;
}

static bool has_tables(struct world *w, sqlite3 *db)
{
    if (ask(w, db, "SELECT integrity_check = 'ok' FROM pragma_integrity_check", NULL) != 1) {
        world_problem(w, "the database is damaged");
    }
    return ask(w, db, "SELECT count(*) FROM sqlite_schema WHERE name = 'certificate'", NULL) == 1;
}

static void check_database(struct world *w, sqlite3 *db)
{
    if (ask(w, db, "SELECT count(*) FROM pragma_foreign_key_check", NULL) != 0) {
        world_problem(w, "the database refers to what is not there");
    }
    // Flaws have the serials that they were given to have.
    if (ask(w, db,
            "SELECT count(*) FROM (SELECT 1 FROM certificate WHERE role <> 3"
            " GROUP BY ifnull(issuer_id, 0), serial HAVING count(*) > 1)",
            NULL) != 0) {
        world_problem(w, "an issuer used a serial twice");
    }
}

// ---- files

void look_at_blocks(struct look *l, struct span text, each_block *each)
{
    const char *at = text.len == 0 ? "" : (const char *)text.data;
    while (*at != '\0') {
        char begin[64];
        char end[64];
        char label[40] = "";
        size_t used = 0;
        mbedtls_pem_context pem;
        mbedtls_pem_init(&pem);
        bool good = sscanf(at, "-----BEGIN %39[A-Z0-9 ]-----\n", label) == 1;
        snprintf(begin, sizeof begin, "-----BEGIN %s-----", label);
        snprintf(end, sizeof end, "-----END %s-----", label);
        good = good && mbedtls_pem_read_buffer(&pem, begin, end, (const unsigned char *)at, NULL, 0, &used) == 0;
        if (good) {
            size_t len = 0;
            const unsigned char *der = mbedtls_pem_get_buffer(&pem, &len);
            each(l, label, span_of(der, len));
        } else {
            world_problem(l->w, "%s is not whole: %.40s", l->path, at);
        }
        mbedtls_pem_free(&pem);
        at += good ? used : strlen(at);
    }
}

void look_read(struct look *l, struct buf *text)
{
    struct err e = ERR_INIT;
    char *path = mem_printf("%s/%s", l->w->pki, l->path);
    if (file_read(path, FILE_LIMIT, text, &e) != 0) {
        world_problem(l->w, "%s", e.text);
    }
    free(path);
}

static void look_at_certificate(struct look *l, struct span der)
{
    char fingerprint[65];
    mbedtls_x509_crt crt;
    l->certificates++;
    sha256_hex(der, fingerprint);
    if (l->db == NULL || ask(l->w, l->db, "SELECT count(*) FROM certificate WHERE fingerprint = ?", fingerprint) < 1) {
        world_problem(l->w, "%s holds a certificate that the database does not know", l->path);
    }
    mbedtls_x509_crt_init(&crt);
    if (strncmp(l->path, "flaws/", 6) != 0 && mbedtls_x509_crt_parse_der(&crt, der.data, der.len) != 0) {
        world_problem(l->w, "%s holds no certificate", l->path);
    }
    mbedtls_x509_crt_free(&crt);
}

static void look_at_block(struct look *l, const char *label, struct span der)
{
    if (strcmp(label, "CERTIFICATE") == 0) {
        look_at_certificate(l, der);
    } else if (strcmp(label, "PRIVATE KEY") == 0) {
        l->keys++;
    } else if (strcmp(label, "X509 CRL") == 0) {
        l->lists++;
    } else {
        world_problem(l->w, "%s holds a %s", l->path, label);
    }
}

// What there may be, and what must be in it.
static const struct {
    const char *name;
    size_t least_certificates;
    size_t most_certificates;
    size_t keys;
    mode_t mode;
} known[] = {{"cert.pem", 1, 1, 0, 0644},
             {"chain.pem", 0, 8, 0, 0644},
             {"fullchain.pem", 1, 8, 0, 0644},
             {"key.pem", 0, 0, 1, 0600},
             {"combined.pem", 1, 8, 1, 0600}};

static void look_at_entry_file(struct look *l, const char *name)
{
    struct buf text = {0};
    struct stat st = {0};
    size_t i = 0;
    while (i < sizeof known / sizeof known[0] && strcmp(known[i].name, name) != 0) {
        i++;
    }
    if (i == sizeof known / sizeof known[0]) {
        world_problem(l->w, "%s was left behind", l->path);
        return;
    }
    l->certificates = l->keys = l->lists = 0;
    look_read(l, &text);
    look_at_blocks(l, buf_span(&text), look_at_block);
    if (l->certificates < known[i].least_certificates || l->certificates > known[i].most_certificates ||
        l->keys != known[i].keys || l->lists != 0) {
        world_problem(l->w, "%s holds %zu certificates and %zu keys", l->path, l->certificates, l->keys);
    }
    char *path = mem_printf("%s/%s", l->w->pki, l->path);
    if (stat(path, &st) == 0 && (st.st_mode & 0777) != known[i].mode) {
        world_problem(l->w, "%s has mode %o", l->path, st.st_mode & 0777);
    }
    free(path);
    buf_clear(&text);
}

typedef void each_name(struct look *l, const char *directory, const char *name);

static void each_in(struct look *l, const char *directory, each_name *each)
{
    char *path = mem_printf("%s/%s", l->w->pki, directory);
    DIR *folder = opendir(path);
    for (struct dirent *entry; folder != NULL && (entry = readdir(folder)) != NULL;) {
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) {
            each(l, directory, entry->d_name);
        }
    }
    if (folder != NULL) {
        closedir(folder);
    }
    free(path);
}

static void look_at_name(struct look *l, const char *directory, const char *name)
{
    char *path = mem_printf("%s/%s", directory, name);
    if (strncmp(directory, "flaws/", 6) == 0 && strcmp(name, "control") == 0) {
        each_in(l, path, look_at_name);
    } else {
        l->path = path;
        look_at_entry_file(l, name);
    }
    free(path);
}

static int role_of(const char *directory)
{
    static const char *const directories[] = {"authorities", "servers", "clients", "flaws"};
    for (int i = 0; i < 4; i++) {
        if (strcmp(directory, directories[i]) == 0) {
            return i;
        }
    }
    return -1;
}

static void look_at_entry(struct look *l, const char *directory, const char *name)
{
    char *path = mem_printf("%s/%s", directory, name);
    char *sql = mem_printf("SELECT count(*) FROM certificate WHERE current = 1 AND role = %d AND name = ? || '%s'",
                           role_of(directory), role_of(directory) == 3 ? "/control" : "");
    if (l->settled && (l->db == NULL || ask(l->w, l->db, sql, name) != 1)) {
        world_problem(l->w, "%s is there, though nothing of it is current", path);
    }
    each_in(l, path, look_at_name);
    free(sql);
    free(path);
}

static void look_at_top(struct look *l, const char *directory, const char *name)
{
    static const char *const files[] = {".lock",     "pki.db",  "pki.db-wal", "pki.db-shm",   "pki.db-journal",
                                        "trust.pem", "trust.d", "crl.pem",    "manifest.json"};
    (void)directory;
    if (role_of(name) >= 0) {
        each_in(l, name, look_at_entry);
        return;
    }
    bool fine = !l->settled && strcmp(name, FILE_STAGING) == 0;
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        fine = fine || strcmp(name, files[i]) == 0;
    }
    if (!fine) {
        world_problem(l->w, "%s was left behind", name);
    }
    l->path = name;
    if (strcmp(name, "trust.pem") == 0) {
        struct buf text = {0};
        look_read(l, &text);
        look_at_blocks(l, buf_span(&text), look_at_block);
        buf_clear(&text);
    }
}

// ---- entries that are on record: their files are complete and belong together

static void check_pair(struct look *l, struct span cert_der, struct span key_pem)
{
    mbedtls_entropy_context entropy;
    mbedtls_ctr_drbg_context drbg;
    mbedtls_x509_crt crt;
    mbedtls_pk_context key;
    mbedtls_entropy_init(&entropy);
    mbedtls_ctr_drbg_init(&drbg);
    mbedtls_x509_crt_init(&crt);
    mbedtls_pk_init(&key);
    mbedtls_ctr_drbg_seed(&drbg, mbedtls_entropy_func, &entropy, NULL, 0);
    if (mbedtls_x509_crt_parse_der(&crt, cert_der.data, cert_der.len) != 0 ||
        mbedtls_pk_parse_key(&key, key_pem.data, key_pem.len + 1, NULL, 0, mbedtls_ctr_drbg_random, &drbg) != 0 ||
        mbedtls_pk_check_pair(&crt.pk, &key, mbedtls_ctr_drbg_random, &drbg) != 0) {
        world_problem(l->w, "%s is not the key of the certificate", l->path);
    }
    mbedtls_pk_free(&key);
    mbedtls_x509_crt_free(&crt);
    mbedtls_ctr_drbg_free(&drbg);
    mbedtls_entropy_free(&entropy);
}

static struct buf recorded_der;
static struct buf issuer_der; // of the CA as it is now; empty if chains leave it out, or it is another one now

static void same_certificate(struct look *l, const char *label, struct span der)
{
    (void)label;
    if (l->certificates++ == 0 && (der.len != recorded_der.len || memcmp(der.data, recorded_der.data, der.len) != 0)) {
        world_problem(l->w, "%s is not the certificate on record", l->path);
    }
}

static void same_issuer(struct look *l, const char *label, struct span der)
{
    (void)label;
    if (l->certificates++ == 0 && (der.len != issuer_der.len || memcmp(der.data, issuer_der.data, der.len) != 0)) {
        world_problem(l->w, "%s does not begin with the issuer's certificate", l->path);
    }
}

static void check_entry(struct look *l, const char *directory, const char *name, const char *key_digest)
{
    static const char *const files[] = {"cert.pem", "fullchain.pem", "chain.pem", "combined.pem", "key.pem"};
    size_t count = key_digest[0] == '\0' ? 3 : 5;
    for (size_t i = 0; i < count; i++) {
        char digest[65];
        struct buf text = {0};
        char *path = mem_printf("%s/%s/%s", directory, name, files[i]);
        l->path = path;
        l->certificates = 0;
        look_read(l, &text);
        if (i < 2) {
            look_at_blocks(l, buf_span(&text), same_certificate);
        } else if (i == 2 && issuer_der.len > 0) {
            look_at_blocks(l, buf_span(&text), same_issuer);
        }
        if (i == 4 && text.len > 0) {
            sha256_hex(buf_span(&text), digest);
            if (strcmp(digest, key_digest) != 0) {
                world_problem(l->w, "%s is not the key file on record", path);
            }
            check_pair(l, buf_span(&recorded_der), buf_span(&text));
        }
        buf_clear(&text);
        free(path);
    }
}

static void check_entries(struct look *l)
{
    static const char sql[] = "SELECT c.role, c.name, c.key_file_digest, c.der, issuer.der FROM certificate c"
                              " LEFT JOIN certificate first ON first.id = c.issuer_id"
                              " LEFT JOIN certificate issuer ON issuer.role = 0 AND issuer.name = first.name"
                              " AND issuer.current = 1 AND issuer.issuer_id IS NOT NULL"
                              " AND issuer.key_id = first.key_id AND issuer.subject = first.subject"
                              " WHERE c.current = 1 AND c.role < 3";
    static const char *const directories[] = {"authorities", "servers", "clients"};
    sqlite3_stmt *s = NULL;
    assert_int_equal(sqlite3_prepare_v2(l->db, sql, -1, &s, NULL), SQLITE_OK);
    while (sqlite3_step(s) == SQLITE_ROW) {
        const void *der = sqlite3_column_blob(s, 3);
        buf_add(&recorded_der, der, (size_t)sqlite3_column_bytes(s, 3));
        const void *issuer = sqlite3_column_blob(s, 4);
        buf_add(&issuer_der, issuer, (size_t)sqlite3_column_bytes(s, 4));
        check_entry(l, directories[sqlite3_column_int(s, 0)], (const char *)sqlite3_column_text(s, 1),
                    (const char *)sqlite3_column_text(s, 2));
        buf_clear(&recorded_der);
        buf_clear(&issuer_der);
    }
    sqlite3_finalize(s);
}

void world_check(struct world *w, bool settled)
{
    struct look l = {.w = w, .settled = settled};
    sqlite3 *db = open_copy(w);
    char *crl = mem_printf("%s/crl.pem", w->pki);
    if (has_tables(w, db)) {
        l.db = db;
        check_database(w, db);
        if (settled) {
            check_entries(&l);
        }
        if (file_exists(crl) || (settled && ask(w, db, "SELECT count(*) FROM certificate", NULL) > 0)) {
            look_at_lists(&l);
        }
    } else if (settled) {
        world_problem(w, "the database has no tables");
    }
    each_in(&l, ".", look_at_top);
    sqlite3_close(db);
    free(crl);
}
