// SPDX-License-Identifier: Apache-2.0
// paths FILE...: makes what the files describe, asks the judge, and compares. Every reason that trust can give must
// have been expected at least once, unless only some files are run (--some).
#include "base/clock.h"
#include "base/file.h"
#include "base/pem.h"
#include "base/text.h"
#include "paths.h"
#include "tests/temporary.h"
#include "trust/trust.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { RULES_MOST = 4 };

struct tally {
    size_t questions, refused, failed;
    bool seen[REASON_COUNT];
};

// A paragraph (lines without an empty one between them) that has a refusal has what is accepted, too.
struct paragraph {
    size_t refused, accepted;
};

struct question {
    struct world *w;
    const char *dir; // for the files of the snapshot
    struct trust_files files;
    const char *paths[3];                   // of anchors, intermediates, lists
    struct trust_match matches[RULES_MOST]; // of access rules, one each
    struct trust_rule rules[RULES_MOST];
    size_t rule_count;
    const char *policies[8];
    char *policy_words;
    enum trust_purpose purpose;
    const char *name;
    int64_t now;
    struct span chain[TRUST_CHAIN_MOST + 8];
    size_t chain_count;
    struct buf pem;
};

// --- the snapshot's files ---

// The last octets of the serial number are counted up. Nobody will look at this certificate's own signature.
static void add_copies(const struct made *m, struct buf *pem)
{
    struct err never = ERR_INIT;
    struct certificate_parts parts;
    struct buf der = {0};
    buf_add(&der, m->der.data, m->der.len);
    if (certificate_split(buf_span(&der), &parts, &never) == 0) {
        uint8_t *last = (uint8_t *)(uintptr_t)(parts.serial.data + parts.serial.len - 2);
        for (size_t i = 0; i < m->copies; i++) {
            last[0] = (uint8_t)(i >> 8);
            last[1] = (uint8_t)i;
            pem_write(pem, "CERTIFICATE", buf_span(&der));
        }
    }
    buf_clear(&der);
}

static int add_pem(void *arg, const char *word, struct err *e)
{
    struct question *q = arg;
    struct made *m = world_find(q->w, word, e);
    if (m == NULL) {
        return -1;
    }
    if (m->copies > 1) {
        add_copies(m, &q->pem);
    } else {
        pem_write(&q->pem, m->is_list ? "X509 CRL" : "CERTIFICATE", buf_span(&m->der));
    }
    return 0;
}

static int write_file(struct question *q, size_t which, const char *words, struct trust_paths *paths, struct err *e)
{
    static const char *const names[] = {"anchors.pem", "known.pem", "lists.pem"};
    buf_clear(&q->pem);
    if (each_word(words, add_pem, q, e) != 0) {
        return -1;
    }
    free((char *)(uintptr_t)q->paths[which]);
    q->paths[which] = mem_printf("%s/%s", q->dir, names[which]);
    *paths = (struct trust_paths){.items = &q->paths[which], .count = 1};
    return file_write(q->paths[which], buf_span(&q->pem), FILE_SECRET, e);
}

// --- the question ---

static int add_to_chain(void *arg, const char *word, struct err *e)
{
    struct question *q = arg;
    struct made *m = world_find(q->w, word, e);
    for (size_t i = 0; m != NULL && i < m->copies; i++) {
        if (q->chain_count == sizeof q->chain / sizeof q->chain[0]) {
            return err_set(e, "the chain is too long for this test");
        }
        q->chain[q->chain_count++] = buf_span(&m->der);
    }
    return m == NULL ? -1 : 0;
}

static int one_of(const char *value, const char *const *words, int *index, struct err *e)
{
    for (int i = 0; words[i] != NULL; i++) {
        if (strcmp(words[i], value) == 0) {
            *index = i;
            return 0;
        }
    }
    return err_set(e, "unknown word %s", value);
}

static int set_policies(struct question *q, const char *value)
{
    char *rest = NULL;
    size_t n = 0;
    free(q->policy_words);
    q->policy_words = mem_strdup(value);
    for (char *word = strtok_r(q->policy_words, ",", &rest); word != NULL && n < 7; word = strtok_r(NULL, ",", &rest)) {
        q->policies[n++] = word;
    }
    q->files.policies = q->policies;
    return 0;
}

static int set_unsafe(struct question *q, const char *value, struct err *e)
{
    static const char *const words[] = {"any-eku", "no-eku", "no-digital-signature", "ca-leaf", NULL};
    int index = 0;
    if (one_of(value, words, &index, e) != 0) {
        return -1;
    }
    q->files.unsafe |= 1U << index;
    return 0;
}

// "allow=uri:PATTERN", "deny=..": the next access rule
static int set_rule(struct question *q, bool allow, const char *value, struct err *e)
{
    static const struct {
        const char *word;
        enum trust_match_field field;
    } fields[] = {{"dns:", TRUST_MATCH_DNS}, {"uri:", TRUST_MATCH_URI}, {"subject:", TRUST_MATCH_SUBJECT}};
    for (size_t i = 0; q->rule_count < RULES_MOST && i < sizeof fields / sizeof fields[0]; i++) {
        if (text_starts(value, fields[i].word)) {
            struct trust_match *match = &q->matches[q->rule_count];
            *match = (struct trust_match){.field = fields[i].field, .pattern = value + strlen(fields[i].word)};
            q->rules[q->rule_count++] = (struct trust_rule){.allow = allow, .matches = match, .match_count = 1};
            return 0;
        }
    }
    return err_set(e, "a rule is dns:, uri: or subject: and a pattern, and there are at most %d", RULES_MOST);
}

static int set_flag(struct question *q, const char *key, bool *known)
{
    struct trust_files *f = &q->files;
    struct {
        const char *word;
        bool *flag;
    } flags[] = {{"explicit", &f->explicit_policy},
                 {"inhibit-mapping", &f->inhibit_policy_mapping},
                 {"inhibit-any", &f->inhibit_any_policy}};
    for (size_t i = 0; i < sizeof flags / sizeof flags[0]; i++) {
        if (strcmp(flags[i].word, key) == 0) {
            *known = *flags[i].flag = true;
        }
    }
    return 0;
}

static int set(struct question *q, const struct attribute *a, struct err *e)
{
    static const char *const purposes[] = {"client", "server", "any", NULL};
    static const char *const revocations[] = {"require", "prefer", "off", NULL};
    const char *value = a->value;
    bool known = false;
    int index = 0;
    int rc = set_flag(q, a->key, &known);
    if (known) {
        return rc;
    }
    if (strcmp(a->key, "anchors") == 0) {
        return write_file(q, 0, value, &q->files.anchors, e);
    }
    if (strcmp(a->key, "known") == 0) {
        return write_file(q, 1, value, &q->files.intermediates, e);
    }
    if (strcmp(a->key, "lists") == 0) {
        return write_file(q, 2, value, &q->files.crls, e);
    }
    if (strcmp(a->key, "purpose") == 0) {
        rc = one_of(value, purposes, &index, e);
        q->purpose = (enum trust_purpose)index;
        return rc;
    }
    if (strcmp(a->key, "revocation") == 0) {
        rc = one_of(value, revocations, &index, e);
        q->files.revocation = (enum trust_revocation)index;
        return rc;
    }
    if (strcmp(a->key, "name") == 0) {
        q->name = value;
        return 0;
    }
    if (strcmp(a->key, "at") == 0) {
        return clock_parse(value, paths_now, &q->now, e);
    }
    if (strcmp(a->key, "depth") == 0) {
        q->files.limits_depth = true;
        q->files.depth = (int)strtol(value, NULL, 10);
        return 0;
    }
    if (strcmp(a->key, "policy") == 0) {
        return set_policies(q, value);
    }
    if (strcmp(a->key, "allow") == 0 || strcmp(a->key, "deny") == 0) {
        return set_rule(q, a->key[0] == 'a', value, e);
    }
    if (strcmp(a->key, "unsafe") == 0) {
        return set_unsafe(q, value, e);
    }
    return err_set(e, "unknown attribute %s", a->key);
}

// --- the answer ---

struct answer {
    const char *token;
    int depth;
    const char *words; // must be in the detail, or in the error of a snapshot that does not load
};

// "-> TOKEN [DEPTH] [WORDS]"
static int expected(const struct line *line, struct answer *answer, struct err *e)
{
    size_t at = 0;
    while (at < line->count && strcmp(line->words[at], "->") != 0) {
        at++;
    }
    if (at + 1 >= line->count) {
        return err_set(e, "there is no answer: -> TOKEN DEPTH");
    }
    *answer = (struct answer){.token = line->words[at + 1], .depth = -1};
    at += 2;
    if (at < line->count && strspn(line->words[at], "-0123456789") == strlen(line->words[at])) {
        answer->depth = (int)strtol(line->words[at++], NULL, 10);
    }
    answer->words = at < line->count ? line->words[at] : "";
    return 0;
}

static int compare(struct question *q, const struct answer *answer, struct tally *tally, struct err *e)
{
    struct trust_verdict verdict;
    enum reason reason = REASON_ok;
    struct err load = ERR_INIT;
    if (q->rule_count > 0 && (q->files.rules = trust_rules_new(q->rules, q->rule_count, e)) == NULL) {
        return -1;
    }
    struct trust_snapshot *snapshot = trust_snapshot_load(&q->files, &load);
    bool unreadable = strcmp(answer->token, "unreadable") == 0;
    if (snapshot == NULL || unreadable) {
        bool as_said = snapshot == NULL && unreadable && strstr(load.text, answer->words) != NULL;
        trust_snapshot_free(snapshot);
        return as_said ? 0 : err_set(e, "loading: %s", load.text);
    }
    if (!reason_find(answer->token, &reason)) {
        trust_snapshot_free(snapshot);
        return err_set(e, "there is no reason %s", answer->token);
    }
    tally->seen[reason] = true;
    bool accepted = trust_judge(snapshot, q->chain, q->chain_count, q->purpose, q->name, q->now, &verdict);
    trust_snapshot_free(snapshot);
    if (accepted != (verdict.reason == REASON_ok) || verdict.reason != reason || verdict.depth != answer->depth ||
        strstr(verdict.detail, answer->words) == NULL) {
        return err_set(e, "the judge says %s %d (%s)", reason_token(verdict.reason), verdict.depth, verdict.detail);
    }
    if ((verdict.detail[0] == '\0') != accepted) {
        return err_set(e, "a refusal says what is wrong, an acceptance nothing");
    }
    return 0;
}

static int judge_line(struct question *q, const struct line *line, struct tally *tally, struct paragraph *paragraph,
                      struct err *e)
{
    struct attribute a;
    struct answer answer = {0};
    size_t at = 2;
    if (line->count < 3 || expected(line, &answer, e) != 0 || write_file(q, 0, "root", &q->files.anchors, e) != 0) {
        return err_set(e, "judge CERT,CERT.. [ATTRIBUTE].. -> TOKEN [DEPTH] [WORDS]");
    }
    while (line_attribute(line, &at, &a)) {
        if (set(q, &a, e) != 0) {
            return err_context(e, "%s", a.key);
        }
    }
    if (strcmp(line->words[1], "nothing") != 0 && each_word(line->words[1], add_to_chain, q, e) != 0) {
        return -1;
    }
    bool accepted = strcmp(answer.token, "ok") == 0;
    tally->questions++;
    tally->refused += !accepted;
    *(accepted ? &paragraph->accepted : &paragraph->refused) += 1;
    return compare(q, &answer, tally, e);
}

// --- files ---

static int script_line(struct world *w, const char *dir, const struct line *line, struct tally *tally,
                       struct paragraph *paragraph, struct err *e)
{
    const char *word = line->words[0];
    if (strcmp(word, "root") == 0 || strcmp(word, "ca") == 0 || strcmp(word, "leaf") == 0) {
        return certificate_line(w, line, e);
    }
    if (strcmp(word, "list") == 0) {
        return list_line(w, line, e);
    }
    if (strcmp(word, "judge") != 0) {
        return err_set(e, "a line begins with root, ca, leaf, list or judge, not %s", word);
    }
    struct question q = {.w = w, .dir = dir, .purpose = TRUST_SERVER, .now = paths_now};
    int rc = judge_line(&q, line, tally, paragraph, e);
    for (size_t i = 0; i < 3; i++) {
        free((char *)(uintptr_t)q.paths[i]);
    }
    free(q.policy_words);
    buf_clear(&q.pem);
    return rc;
}

static void complain(struct tally *tally, const char *file, size_t number, const char *words)
{
    tally->failed++;
    printf("%s:%zu: %s\n", file, number, words);
}

static void paragraph_end(struct paragraph *p, struct tally *tally, const char *file, size_t number)
{
    if (p->refused > 0 && p->accepted == 0) {
        complain(tally, file, number, "this paragraph refuses and accepts nothing");
    }
    *p = (struct paragraph){0};
}

// Returns the next line without its end, or NULL. A line that ends with a backslash goes on in the next one.
static char *next_line(char **rest, size_t *number)
{
    char *start = *rest;
    char *p = start;
    if (*start == '\0') {
        return NULL;
    }
    for (;;) {
        p += strcspn(p, "\n");
        ++*number;
        if (*p == '\0' || p == start || p[-1] != '\\') {
            break;
        }
        p[-1] = *p = ' ';
    }
    *rest = *p == '\0' ? p : p + 1;
    *p = '\0';
    return start;
}

static void run_file(struct world *w, const char *dir, const char *file, struct tally *tally)
{
    struct err e = ERR_INIT;
    struct buf text = {0};
    struct paragraph paragraph = {0};
    size_t number = 0;
    if (file_read(file, FILE_LIMIT, &text, &e) != 0) {
        complain(tally, file, 0, e.text);
        return;
    }
    char *rest = text.data == NULL ? NULL : (char *)text.data;
    for (char *at; rest != NULL && (at = next_line(&rest, &number)) != NULL;) {
        struct line line;
        err_clear(&e);
        if (line_split(&line, at, &e) != 0 ||
            (line.count > 0 && script_line(w, dir, &line, tally, &paragraph, &e) != 0)) {
            complain(tally, file, number, e.text);
        }
        if (at[strspn(at, " \t")] == '\0') {
            paragraph_end(&paragraph, tally, file, number);
        }
        line_clear(&line);
    }
    paragraph_end(&paragraph, tally, file, number);
    buf_clear(&text);
}

// What others than the judge find
static bool is_the_judges(enum reason reason)
{
    static const enum reason others[] = {REASON_proof_of_possession, REASON_tls_mbedtls, REASON_handshake};
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        if (others[i] == reason) {
            return false;
        }
    }
    return true;
}

int main(int argc, char **argv)
{
    struct world w;
    struct err e = ERR_INIT;
    struct tally tally = {0};
    char dir[TEMPORARY_PATH];
    bool some = argc > 1 && strcmp(argv[1], "--some") == 0;
    if (argc < 3 || !temporary_make(dir) || world_begin(&w, &e) != 0) {
        fprintf(stderr, "usage: paths [--some] COMMON FILE...\n");
        return 2;
    }
    for (int i = 2 + some; i < argc; i++) { // argv[1 + some] has what all of them use
        run_file(&w, dir, argv[1 + some], &tally);
        run_file(&w, dir, argv[i], &tally);
        world_forget(&w);
    }
    for (int i = 0; i < REASON_COUNT && !some; i++) {
        if (!tally.seen[i] && is_the_judges((enum reason)i)) {
            complain(&tally, "no file", 0, reason_token((enum reason)i));
        }
    }
    printf("%zu chains judged, %zu of them to be refused; %zu failures\n", tally.questions, tally.refused,
           tally.failed);
    world_end(&w);
    if (file_remove_tree(dir, &e) != 0) {
        fprintf(stderr, "paths: %s\n", e.text);
    }
    return tally.failed == 0 ? 0 : 1;
}
