// SPDX-License-Identifier: Apache-2.0
// What a judgement costs: a leaf, its issuing CA and the root, all P-256, from the DER, by us, by OpenSSL and by
// mbedTLS's own verification; and what revocation lists of 10 to 1,000,000 entries add. Prints a table, judges nothing.
#include "base/pem.h"
#include "base/random.h"
#include "ca/certificate.h"
#include "ca/crl.h"
#include "tests/temporary.h"
#include "trust/crl_internal.h"
#include "trust/trust.h"

#include <malloc.h>
#include <mbedtls/x509.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { NOW = 1768000000, DAY = 86400, MOST = 1000000 };

struct bench {
    struct rng rng;
    mbedtls_pk_context keys[3]; // leaf, issuing, root
    struct buf der[3];
    struct span chain[2];
    struct certificate_issuer root, issuing;
    struct buf names[2];
    char dir[TEMPORARY_PATH];
};

// Time of the processor, so that other programs matter less.
static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static _Noreturn void stop(const char *why)
{
    fprintf(stderr, "bench: %s\n", why);
    exit(3);
}

// Microseconds for one call, over half a second of them.
typedef void work(void *arg);
static double measure(work *w, void *arg)
{
    size_t calls = 0;
    double start = now();
    double spent = 0;
    for (size_t batch = 1; spent < 0.5; batch *= 2) {
        for (size_t i = 0; i < batch; i++) {
            w(arg);
        }
        calls += batch;
        spent = now() - start;
    }
    return spent / (double)calls * 1e6;
}

// --- the chain ---

static void make(struct bench *b, int which, const char *subject, bool ca, struct certificate_issuer *issuer)
{
    struct err e = ERR_INIT;
    char *usage[] = {(char *)(uintptr_t) "1.3.6.1.5.5.7.3.2", NULL};
    const uint8_t serial[] = {0x12, 0x34, 0x56, 0x78, (uint8_t)(which + 1)};
    struct certificate_content content = {.subject = (char *)(uintptr_t)subject,
                                          .not_before = NOW - DAY,
                                          .not_after = NOW + 100 * DAY,
                                          .is_ca = ca,
                                          .path_length = PATH_LENGTH_NONE,
                                          .key_usage = ca ? MBEDTLS_X509_KU_KEY_CERT_SIGN | MBEDTLS_X509_KU_CRL_SIGN
                                                          : MBEDTLS_X509_KU_DIGITAL_SIGNATURE,
                                          .ext_key_usage = ca ? NULL : usage};
    if (certificate_make(&content, serial, sizeof serial, &b->keys[which], issuer, &b->rng, &b->der[which], &e) != 0) {
        stop(e.text);
    }
}

static void open_bench(struct bench *b)
{
    struct err e = ERR_INIT;
    if (!temporary_make(b->dir) || rng_init_seeded(&b->rng, "bench", "verify", &e) != 0 ||
        name_from_text("CN=bench root", &b->names[0], &e) != 0 ||
        name_from_text("CN=bench issuing", &b->names[1], &e) != 0) {
        stop(e.text);
    }
    for (int i = 0; i < 3; i++) {
        if (key_generate(KEY_ec_p256, &b->rng, &b->keys[i], &e) != 0) {
            stop(e.text);
        }
    }
    b->root = (struct certificate_issuer){.subject = buf_span(&b->names[0]), .key = &b->keys[2]};
    b->issuing = (struct certificate_issuer){.subject = buf_span(&b->names[1]), .key = &b->keys[1]};
    key_id(&b->keys[2], b->root.key_id, &e);
    key_id(&b->keys[1], b->issuing.key_id, &e);
    make(b, 2, "CN=bench root", true, &b->root);
    make(b, 1, "CN=bench issuing", true, &b->root);
    make(b, 0, "CN=bench leaf", false, &b->issuing);
    b->chain[0] = buf_span(&b->der[0]);
    b->chain[1] = buf_span(&b->der[1]);
}

static void write_file(const struct bench *b, const char *name, const char *text, struct span data, char path[128])
{
    snprintf(path, 128, "%s/%s", b->dir, name);
    FILE *file = fopen(path, "w");
    if (file == NULL || fwrite(data.data, 1, data.len, file) != data.len || fputs(text, file) < 0 ||
        fclose(file) != 0) {
        stop("a file could not be written");
    }
}

static struct trust_snapshot *load(const struct bench *b, bool known, struct span lists, struct trust_rules *rules)
{
    struct err e = ERR_INIT;
    char root[128];
    char issuing[128];
    char list[128];
    write_file(b, "root.der", "", buf_span(&b->der[2]), root);
    write_file(b, "issuing.der", "", buf_span(&b->der[1]), issuing);
    write_file(b, "lists.pem", "", lists, list);
    const char *files[] = {root, issuing, list};
    const struct trust_files trust = {.anchors = {&files[0], 1},
                                      .intermediates = {&files[1], known},
                                      .crls = {&files[2], lists.len > 0},
                                      .rules = rules};
    struct trust_snapshot *snapshot = trust_snapshot_load(&trust, &e);
    unlink(root);
    unlink(issuing);
    unlink(list);
    if (snapshot == NULL) {
        stop(e.text);
    }
    return snapshot;
}

// --- who judges ---

struct judge {
    const struct bench *bench;
    struct trust_snapshot *snapshot;
    size_t count;
    struct trust_path path; // of an earlier judgement
    X509_STORE *store;
    mbedtls_x509_crt root;
};

static void by_mtls(void *arg)
{
    struct judge *j = arg;
    struct trust_verdict verdict;
    if (!trust_judge(j->snapshot, j->bench->chain, j->count, TRUST_CLIENT, NULL, NOW, &verdict)) {
        stop(verdict.detail);
    }
}

// As a live connection is after a reload.
static void by_mtls_again(void *arg)
{
    struct judge *j = arg;
    struct trust_verdict verdict;
    const struct trust_question q = {.chain = j->bench->chain,
                                     .count = j->count,
                                     .purpose = TRUST_CLIENT,
                                     .now = NOW,
                                     .fact = j->path.count > 0 ? j->path.fact : NULL};
    struct trust_path path = {.count = 0};
    if (!trust_judge_question(j->snapshot, &q, &verdict, &path)) {
        stop(verdict.detail);
    }
    trust_path_clear(&j->path);
    j->path = path;
}

static void by_openssl(void *arg)
{
    struct judge *j = arg;
    const uint8_t *p = j->bench->chain[0].data;
    X509 *leaf = d2i_X509(NULL, &p, (long)j->bench->chain[0].len);
    p = j->bench->chain[1].data;
    X509 *issuing = d2i_X509(NULL, &p, (long)j->bench->chain[1].len);
    STACK_OF(X509) *untrusted = sk_X509_new_null();
    sk_X509_push(untrusted, issuing);
    X509_STORE_CTX *ctx = X509_STORE_CTX_new();
    X509_STORE_CTX_init(ctx, j->store, leaf, untrusted);
    X509_VERIFY_PARAM *param = X509_STORE_CTX_get0_param(ctx);
    X509_VERIFY_PARAM_set_time(param, NOW);
    X509_VERIFY_PARAM_set_purpose(param, X509_PURPOSE_SSL_CLIENT);
    X509_VERIFY_PARAM_set_flags(param, X509_V_FLAG_X509_STRICT);
    if (X509_verify_cert(ctx) != 1) {
        stop(X509_verify_cert_error_string(X509_STORE_CTX_get_error(ctx)));
    }
    X509_STORE_CTX_free(ctx);
    sk_X509_pop_free(untrusted, X509_free);
    X509_free(leaf);
}

static void by_mbedtls(void *arg)
{
    struct judge *j = arg;
    mbedtls_x509_crt chain;
    uint32_t flags = 0;
    mbedtls_x509_crt_init(&chain);
    for (int i = 0; i < 2; i++) {
        mbedtls_x509_crt_parse_der(&chain, j->bench->chain[i].data, j->bench->chain[i].len);
    }
    mbedtls_x509_crt_verify(&chain, &j->root, NULL, NULL, &flags, NULL, NULL); // by the clock: see main
    if ((flags & ~(uint32_t)(MBEDTLS_X509_BADCERT_EXPIRED | MBEDTLS_X509_BADCERT_FUTURE)) != 0) {
        stop("mbedTLS refuses the chain");
    }
    mbedtls_x509_crt_free(&chain);
}

static void one_signature(void *arg)
{
    struct judge *j = arg;
    static const uint8_t hash[32] = {1};
    static uint8_t signature[MBEDTLS_PK_SIGNATURE_MAX_SIZE];
    static size_t len;
    mbedtls_pk_context *key = (mbedtls_pk_context *)(uintptr_t)&j->bench->keys[1];
    if (len == 0) {
        mbedtls_pk_sign(key, MBEDTLS_MD_SHA256, hash, sizeof hash, signature, sizeof signature, &len, rng_bytes,
                        (void *)(uintptr_t)&j->bench->rng);
    }
    if (mbedtls_pk_verify(key, MBEDTLS_MD_SHA256, hash, sizeof hash, signature, len) != 0) {
        stop("a signature is not good");
    }
}

static double cold(const struct bench *b)
{
    enum { ROUNDS = 100 };
    double spent = 0;
    for (int i = 0; i < ROUNDS; i++) {
        struct judge j = {.bench = b, .snapshot = load(b, false, (struct span){0}, NULL), .count = 2};
        double start = now();
        by_mtls(&j);
        spent += now() - start;
        trust_snapshot_free(j.snapshot);
    }
    return spent / ROUNDS * 1e6;
}

static void row(const char *who, double us, double reference)
{
    printf("%-58s %9.1f us %9.0f /s %6.2f\n", who, us, 1e6 / us, us / reference);
}

static void add_list(struct bench *b, const struct crl_entry *entries, size_t count,
                     const struct certificate_issuer *issuer, struct buf *der)
{
    struct err e = ERR_INIT;
    const struct crl_content content = {
        .this_update = NOW - DAY, .next_update = NOW + DAY, .number = 1, .entries = entries, .count = count};
    if (crl_make(&content, issuer, &b->rng, der, &e) != 0) {
        stop(e.text);
    }
}

// Judged again with access rules and revocation lists
static void judge_with_rules(struct bench *b, struct judge *j, double reference)
{
    struct err e = ERR_INIT;
    struct buf pem = {0};
    struct buf lists[2] = {{0}};
    const struct trust_match match = {.field = TRUST_MATCH_SUBJECT, .attribute = "CN", .pattern = "bench leaf"};
    const struct trust_rule rule = {.allow = true, .matches = &match, .match_count = 1};
    for (int i = 0; i < 2; i++) {
        add_list(b, NULL, 0, i == 0 ? &b->issuing : &b->root, &lists[i]);
        pem_write(&pem, "X509 CRL", buf_span(&lists[i]));
        buf_clear(&lists[i]);
    }
    j->snapshot = load(b, false, buf_span(&pem), trust_rules_new(&rule, 1, &e));
    by_mtls_again(j);
    row("mtls, the same, with revocation lists and access rules", measure(by_mtls_again, j), reference);
    trust_path_clear(&j->path);
    trust_snapshot_free(j->snapshot);
    buf_clear(&pem);
}

static void bench_paths(struct bench *b)
{
    struct judge j = {.bench = b, .store = X509_STORE_new()};
    const uint8_t *p = b->der[2].data;
    X509 *root = d2i_X509(NULL, &p, (long)b->der[2].len);
    X509_STORE_add_cert(j.store, root);
    mbedtls_x509_crt_init(&j.root);
    mbedtls_x509_crt_parse_der(&j.root, b->der[2].data, b->der[2].len);
    printf("a path of three from DER, P-256                              one judgement      rate  / OpenSSL\n");
    double openssl = measure(by_openssl, &j);
    row("OpenSSL X509_verify_cert, strict", openssl, openssl);
    row("mbedtls_x509_crt_verify", measure(by_mbedtls, &j), openssl);
    row("mtls, first time", cold(b), openssl);
    j.snapshot = load(b, false, (struct span){0}, NULL);
    j.count = 2;
    row("mtls, issuing CA sent, its signature remembered", measure(by_mtls, &j), openssl);
    by_mtls_again(&j);
    row("mtls, the same, judged again", measure(by_mtls_again, &j), openssl);
    trust_snapshot_free(j.snapshot);
    judge_with_rules(b, &j, openssl);
    j.snapshot = load(b, true, (struct span){0}, NULL);
    j.count = 1;
    by_mtls(&j);
    row("mtls, issuing CA known", measure(by_mtls, &j), openssl);
    trust_snapshot_free(j.snapshot);
    row("(one P-256 signature verified by mbedTLS)", measure(one_signature, &j), openssl);
    X509_free(root);
    X509_STORE_free(j.store);
    mbedtls_x509_crt_free(&j.root);
}

// --- lists ---

struct lookup {
    const struct crl_index *index;
    X509_CRL *crl;
    const struct crl_entry *entries;
    size_t count, at;
};

static struct span next_serial(struct lookup *l)
{
    l->at = (l->at + 7919) % (2 * l->count); // half of them are not listed
    static uint8_t other[CRL_SERIAL];
    struct span serial = l->entries[l->at % l->count].serial;
    if (l->at < l->count) {
        return serial;
    }
    memcpy(other, serial.data, serial.len);
    other[serial.len - 1] ^= 1;
    return span_of(other, serial.len);
}

static void find_mtls(void *arg)
{
    struct lookup *l = arg;
    crl_index_find(l->index, next_serial(l), (struct span){0});
}

static void find_openssl(void *arg)
{
    struct lookup *l = arg;
    X509_REVOKED *found = NULL;
    struct span serial = next_serial(l);
    ASN1_INTEGER number = {
        .type = V_ASN1_INTEGER, .length = (int)serial.len, .data = (uint8_t *)(uintptr_t)serial.data};
    X509_CRL_get0_by_serial(l->crl, &found, &number);
}

static size_t in_use(void)
{
    struct mallinfo2 m = mallinfo2();
    return m.uordblks + m.hblkhd;
}

static void bench_list(struct bench *b, const struct crl_entry *entries, size_t count)
{
    struct err e = ERR_INIT;
    struct buf list = {0};
    struct buf root_list = {0};
    struct buf pem = {0};
    add_list(b, entries, count, &b->issuing, &list);
    add_list(b, NULL, 0, &b->root, &root_list);

    size_t before = in_use();
    double start = now();
    struct crl *ours = crl_read(buf_span(&list), &e);
    double load_mtls = now() - start;
    size_t bytes_mtls = in_use() - before;
    if (ours == NULL) {
        stop(e.text);
    }
    struct lookup l = {.index = &ours->index, .entries = entries, .count = count};
    double find_one_mtls = measure(find_mtls, &l) * 1e3;
    crl_free(ours);

    const uint8_t *p = list.data;
    before = in_use();
    start = now();
    l.crl = d2i_X509_CRL(NULL, &p, (long)list.len);
    find_openssl(&l); // sorts
    double load_openssl = now() - start;
    size_t bytes_openssl = in_use() - before;
    double find_one_openssl = measure(find_openssl, &l) * 1e3;
    X509_CRL_free(l.crl);

    pem_write(&pem, "X509 CRL", buf_span(&list));
    pem_write(&pem, "X509 CRL", buf_span(&root_list));
    struct judge j = {.bench = b, .snapshot = load(b, true, buf_span(&pem), NULL), .count = 1};
    by_mtls(&j);
    printf("%8zu  %9.2f %9.2f  %8.1f %8.1f  %7.0f %7.0f  %10.1f\n", count, load_mtls * 1e3, load_openssl * 1e3,
           (double)bytes_mtls / (double)count, (double)bytes_openssl / (double)count, find_one_mtls, find_one_openssl,
           measure(by_mtls, &j));
    trust_snapshot_free(j.snapshot);
    buf_clear(&list);
    buf_clear(&root_list);
    buf_clear(&pem);
}

static void bench_lists(struct bench *b)
{
    uint8_t *serials = mem_array(MOST, CRL_SERIAL);
    struct crl_entry *entries = mem_array(MOST, sizeof *entries);
    uint64_t state = 1;
    for (size_t i = 0; i < MOST; i++) {
        uint8_t *serial = serials + i * CRL_SERIAL;
        for (size_t k = 0; k < CRL_SERIAL; k++) {
            state = state * 6364136223846793005U + 1442695040888963407U; // the same serials in every run
            serial[k] = (uint8_t)(state >> 56);
        }
        serial[0] = (serial[0] & 0x3f) | 0x40;
        entries[i] = (struct crl_entry){
            .serial = span_of(serial, CRL_SERIAL), .revoked_at = NOW - DAY, .invalidity_date = CRL_NO_INVALIDITY_DATE};
    }
    printf("\na revocation list: load (ms), memory (octets an entry), look-up (ns), each mtls and OpenSSL; and a "
           "judgement (us)\n entries       load              memory            look-up         judgement\n");
    for (size_t i = 0; i < 4; i++) {
        static const size_t counts[] = {10, 10000, 100000, MOST};
        bench_list(b, entries, counts[i]);
    }
    free(serials);
    free(entries);
}

int main(void)
{
    static struct bench b;
    open_bench(&b);
    bench_paths(&b);
    bench_lists(&b);
    for (int i = 0; i < 3; i++) {
        mbedtls_pk_free(&b.keys[i]);
        buf_clear(&b.der[i]);
    }
    buf_clear(&b.names[0]);
    buf_clear(&b.names[1]);
    rng_clear(&b.rng);
    rmdir(b.dir);
    return 0;
}
