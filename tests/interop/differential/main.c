// SPDX-License-Identifier: Apache-2.0
//   differential TABLE [COUNT [SEED [ONLY]]]
// Judges COUNT chains, and has others judge them. Exit 1: a disagreement that TABLE does not explain.
#include "base/file.h"
#include "base/pem.h"
#include "differential.h"

#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// A row of the table: | `accepts` | `refuses` | `says` | `words` | `changed` | ...: who accepts, who does not, what
// that one says (our reason, or the peer's words), the words of our detail, and what was changed. Patterns as for file
// names.
enum { ROWS_MOST = 128, COLUMNS = 5 };
struct row {
    char *columns[COLUMNS];
    size_t seen;
};
struct table {
    struct row rows[ROWS_MOST];
    size_t count;
};

// The next text between backquotes; empty if there is none in this line.
static char *quoted(char **line)
{
    char *start = strchr(*line, '`');
    char *end = start == NULL ? NULL : strchr(start + 1, '`');
    if (end == NULL) {
        return mem_strdup("");
    }
    *line = end + 1;
    return mem_strndup(start + 1, (size_t)(end - start - 1));
}

static int table_read(struct table *table, const char *path, struct err *e)
{
    struct buf text = {0};
    char *rest = NULL;
    if (file_read(path, FILE_LIMIT, &text, e) != 0) {
        return -1;
    }
    for (char *line = strtok_r((char *)text.data, "\n", &rest); line != NULL; line = strtok_r(NULL, "\n", &rest)) {
        if (strncmp(line, "| `", 3) == 0 && table->count < ROWS_MOST) {
            struct row *row = &table->rows[table->count++];
            for (size_t i = 0; i < COLUMNS; i++) {
                row->columns[i] = quoted(&line);
            }
        }
    }
    buf_clear(&text);
    return 0;
}

static void table_clear(struct table *table)
{
    for (size_t i = 0; i < table->count * COLUMNS; i++) {
        free(table->rows[i / COLUMNS].columns[i % COLUMNS]);
    }
}

static bool explained(struct table *table, const char *const values[COLUMNS])
{
    for (size_t i = 0; i < table->count; i++) {
        size_t k = 0;
        while (k < COLUMNS && fnmatch(table->rows[i].columns[k], values[k], 0) == 0) {
            k++;
        }
        if (k == COLUMNS) {
            table->rows[i].seen++;
            return true;
        }
    }
    return false;
}

static struct trust_snapshot *load(const struct world *world, const struct question *q, struct err *e)
{
    char root[TEMPORARY_PATH + 16];
    char lists[TEMPORARY_PATH + 16];
    struct buf pem = {0};
    snprintf(root, sizeof root, "%s/root.pem", world->dir);
    snprintf(lists, sizeof lists, "%s/lists.pem", world->dir);
    const char *root_file = root;
    const char *lists_file = lists;
    struct trust_files files = {.anchors = {&root_file, 1}, .crls = {&lists_file, q->list_count > 0 ? 1 : 0}};
    for (size_t i = 0; i < q->list_count; i++) {
        pem_write(&pem, "X509 CRL", buf_span(&q->lists[i].der));
    }
    FILE *file = fopen(lists, "w"); // not file_write, which waits for the disk
    bool good = file != NULL && fwrite(pem.data, 1, pem.len, file) == pem.len;
    good = (file == NULL || fclose(file) == 0) && good;
    struct trust_snapshot *snapshot = good ? trust_snapshot_load(&files, e) : NULL;
    buf_clear(&pem);
    return snapshot;
}

// Somebody else's judgement, and what we and they made of the same chains.
struct peer {
    const char *name;
    peer_judge *judge;
    bool one_way; // what it accepts and we refuse is only counted
    size_t both_accept, both_refuse, stricter, explained, open;
};
static struct peer peers[] = {
    {.name = "OpenSSL", .judge = openssl_judge},
#ifdef HAVE_GNUTLS
    {.name = "GnuTLS", .judge = gnutls_judge, .one_way = true},
#endif
};

static void write_case(const struct world *world, const struct question *q, size_t number)
{
    struct span chain[CHAIN_MOST];
    size_t count = question_chain(world, q, chain);
    struct buf pem = {0};
    struct err e = ERR_INIT;
    char path[64];
    for (size_t i = 0; i < count; i++) {
        pem_write(&pem, "CERTIFICATE", chain[i]);
    }
    for (size_t i = 0; i < q->list_count; i++) {
        pem_write(&pem, "X509 CRL", buf_span(&q->lists[i].der));
    }
    pem_write(&pem, "TRUST ANCHOR", buf_span(&world->root));
    snprintf(path, sizeof path, "differential-%zu.pem", number);
    file_write(path, buf_span(&pem), FILE_PUBLIC, &e);
    buf_clear(&pem);
}

static void compare(const struct world *world, const struct question *q, size_t number, struct table *table,
                    struct peer *peer, const struct trust_verdict *verdict)
{
    char words[PEER_WORDS];
    bool ours = verdict->reason == REASON_ok;
    bool theirs = peer->judge(world, q, words);
    const char *what = q->what.len > 0 ? (const char *)q->what.data : " nothing";
    const char *const values[COLUMNS] = {ours ? "mtls" : peer->name, ours ? peer->name : "mtls",
                                         ours ? words : reason_token(verdict->reason), verdict->detail, what};
    if (ours == theirs) {
        peer->both_accept += ours;
        peer->both_refuse += !ours;
    } else if (theirs && peer->one_way) {
        peer->stricter++;
    } else if (explained(table, values)) {
        peer->explained++;
    } else {
        peer->open++;
        printf("case %zu: mtls: %s (%s); %s: %s; changed:%s\n", number, reason_token(verdict->reason), verdict->detail,
               peer->name, words, what);
    }
}

static void judge(const struct world *world, const struct question *q, size_t number, struct table *table)
{
    struct err e = ERR_INIT;
    struct span chain[CHAIN_MOST];
    struct trust_verdict verdict;
    struct trust_snapshot *snapshot = load(world, q, &e);
    if (snapshot == NULL) { // a list that cannot be read is never skipped
        trust_verdict_set(&verdict, REASON_crl_missing, -1, "not loaded: %s", strrchr(e.text, '/'));
    } else {
        trust_judge(snapshot, chain, question_chain(world, q, chain), q->purpose, q->name, NOW, &verdict);
    }
    for (size_t i = 0; i < COUNT(peers); i++) {
        compare(world, q, number, table, &peers[i], &verdict);
    }
    trust_snapshot_free(snapshot);
}

// How often each row was met; and was every peer's every chain explained?
static bool report(const struct table *table)
{
    bool good = true;
    for (size_t i = 0; i < COUNT(peers); i++) {
        const struct peer *p = &peers[i];
        printf("%s: both accept %zu, both refuse %zu, only mtls refuses and need not say why %zu, explained %zu, open "
               "%zu\n",
               p->name, p->both_accept, p->both_refuse, p->stricter, p->explained, p->open);
        good = good && p->open == 0 && p->both_accept > 0;
    }
    for (size_t i = 0; i < table->count; i++) {
        char *const *c = table->rows[i].columns;
        printf("%6zu  %s accepts, %s: %s | %s | %s\n", table->rows[i].seen, c[0], c[1], c[2], c[3], c[4]);
    }
    return good;
}

int main(int argc, char **argv)
{
    struct err e = ERR_INIT;
    struct world world = {0};
    struct table table = {0};
    size_t count = argc > 2 ? strtoul(argv[2], NULL, 10) : 3000;
    const char *seed = argc > 3 ? argv[3] : "differential";
    size_t only = argc > 4 ? strtoul(argv[4], NULL, 10) : 0; // write this case's files
    int rc = argc < 2 ? -1 : 0;
    if (rc != 0) {
        fprintf(stderr, "usage: differential TABLE [COUNT [SEED [CASE-TO-KEEP]]]\n");
        return 2;
    }
    rc = table_read(&table, argv[1], &e);
    rc = rc == 0 ? world_make(&world, seed, &e) : rc;
    struct dice dice = {.state = 88172645463325252ULL};
    for (const char *p = seed; *p != '\0'; p++) {
        dice.state = dice.state * 31 + (uint8_t)*p;
    }
    for (size_t i = 1; rc == 0 && i <= count; i++) {
        struct question q;
        rc = question_make(&world, &dice, &q, &e);
        if (rc == 0) {
            judge(&world, &q, i, &table);
            if (i == only) {
                write_case(&world, &q, i);
            }
        } else if (err_is_set(&e)) { // a certificate that the writer refuses to make is no case
            err_clear(&e);
            rc = 0;
        }
        question_clear(&q);
    }
    if (err_is_set(&e)) {
        fprintf(stderr, "%s\n", e.text);
    }
    bool good = report(&table);
    table_clear(&table);
    world_clear(&world);
    return rc != 0 || !good;
}
