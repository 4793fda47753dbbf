// SPDX-License-Identifier: Apache-2.0
//   differential TABLE [COUNT [SEED [ONLY]]]
// Judges COUNT chains twice. Exit 1: a disagreement that TABLE does not explain.
#include "base/file.h"
#include "base/pem.h"
#include "differential.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// A row of the table: | `who` | `reason` | `words` | ...: who accepts, why the other one does not.
enum { ROWS_MOST = 128 };
struct row {
    char *who, *reason, *words;
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
            row->who = quoted(&line);
            row->reason = quoted(&line);
            row->words = quoted(&line);
        }
    }
    buf_clear(&text);
    return 0;
}

static bool explained(struct table *table, const char *who, const char *reason, const char *words)
{
    for (size_t i = 0; i < table->count; i++) {
        struct row *row = &table->rows[i];
        if (strcmp(row->who, who) == 0 && strcmp(row->reason, reason) == 0 && strstr(words, row->words) != NULL) {
            row->seen++;
            return true;
        }
    }
    return false;
}

static struct trust_snapshot *load(const struct world *world, const struct question *q, struct err *e)
{
    char root[128];
    char lists[128];
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

struct tally {
    size_t both_accept, both_refuse, explained, open;
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

static void compare(const struct world *world, const struct question *q, size_t number, bool keep, struct table *table,
                    struct tally *tally)
{
    struct err e = ERR_INIT;
    struct span chain[CHAIN_MOST];
    struct trust_verdict verdict;
    char words[160];
    struct trust_snapshot *snapshot = load(world, q, &e);
    bool ours = snapshot != NULL &&
                trust_judge(snapshot, chain, question_chain(world, q, chain), q->purpose, q->name, NOW, &verdict);
    if (snapshot == NULL) { // a list that cannot be read is never skipped
        trust_verdict_set(&verdict, REASON_crl_missing, -1, "not loaded: %s", strrchr(e.text, '/'));
    }
    bool theirs = openssl_judge(world, q, words);
    trust_snapshot_free(snapshot);
    const char *what = q->what.len > 0 ? (const char *)q->what.data : " nothing";
    if (ours == theirs) {
        tally->both_accept += ours;
        tally->both_refuse += !ours;
    } else if (ours ? explained(table, "mtls", words, what)
                    : explained(table, "OpenSSL", reason_token(verdict.reason), verdict.detail)) {
        tally->explained++;
    } else {
        tally->open++;
        printf("case %zu: mtls %s (%s), OpenSSL: %s; changed:%s\n", number, reason_token(verdict.reason),
               verdict.detail, words, what);
    }
    if (keep) {
        write_case(world, q, number);
    }
}

int main(int argc, char **argv)
{
    struct err e = ERR_INIT;
    struct world world = {0};
    struct table table = {0};
    struct tally tally = {0};
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
            compare(&world, &q, i, i == only, &table, &tally);
        } else if (err_is_set(&e)) { // a certificate that the writer refuses to make is no case
            err_clear(&e);
            rc = 0;
        }
        question_clear(&q);
    }
    if (err_is_set(&e)) {
        fprintf(stderr, "%s\n", e.text);
    }
    printf("both accept %zu, both refuse %zu, explained disagreements %zu, open %zu\n", tally.both_accept,
           tally.both_refuse, tally.explained, tally.open);
    for (size_t i = 0; i < table.count; i++) {
        printf("%6zu  %s accepts, %s %s\n", table.rows[i].seen, table.rows[i].who, table.rows[i].reason,
               table.rows[i].words);
        free(table.rows[i].who);
        free(table.rows[i].reason);
        free(table.rows[i].words);
    }
    world_clear(&world);
    return rc != 0 || tally.open > 0 || tally.both_accept == 0;
}
