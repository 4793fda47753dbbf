// SPDX-License-Identifier: Apache-2.0
// pki_apply: the directory becomes what the plan says.
//
// Decide, for each entry, whether its certificate must be issued and why; make what must be made, on all cores; record
// everything in one transaction; then put the files in place. Files follow the database and never lead it, so a crash
// at any point leaves nothing on disk that the database does not know, and the next run finishes the work.
#include "ca/converge.h"

#include "base/clock.h"
#include "base/parallel.h"
#include "base/print.h"

#include <stdlib.h>
#include <string.h>

struct step *converge_authority(struct convergence *c, const char *name)
{
    for (size_t i = 0; name != NULL && i < c->count && c->steps[i].entry->role == ROLE_AUTHORITY; i++) {
        if (strcmp(c->steps[i].entry->name, name) == 0) {
            return &c->steps[i];
        }
    }
    return NULL;
}

void converge_report(struct convergence *c, enum role role, const char *name, const struct record *r,
                     const char *issuer, enum pki_action action, const char *why)
{
    struct pki_report *report = c->report;
    report->items = mem_grow(report->items, &report->cap, sizeof *report->items, report->count + 1);
    report->items[report->count++] = (struct pki_report_item){
        .role = (int)role,
        .name = mem_strdup(name),
        .issuer = mem_strdup(issuer == NULL ? "" : issuer),
        .subject = mem_strdup(r == NULL || r->subject == NULL ? "" : r->subject),
        .not_after = r == NULL ? 0 : r->not_after,
        .revoked = r != NULL && r->revoked_at != 0,
        .action = action,
        .why = mem_strdup(why == NULL ? "" : why),
    };
    if (action != PKI_KEPT && action != PKI_BY_HAND && (action != PKI_LEFT || c->options->check)) {
        report->differences++;
    }
}

// ---- make

int converge_make(struct convergence *c, struct step *s, struct err *e)
{
    struct issue_request request = {.entry = s->entry, .origin = ORIGIN_PLAN, .issuer = s->issuer, .issue = s->issues};
    if (s->keep_key) {
        request.key_pem = buf_span(&s->key_pem);
    }
    return issue_make(c->pki, &request, &s->made, e);
}

struct jobs {
    struct convergence *c;
    size_t *indexes; // below c->count: an entry; above: a flaw
    size_t count;
};

static int work(void *arg, size_t i, struct err *e)
{
    struct jobs *jobs = arg;
    size_t index = jobs->indexes[i];
    return index < jobs->c->count ? converge_make(jobs->c, &jobs->c->steps[index], e)
                                  : converge_flaw_make(jobs->c, index - jobs->c->count, e);
}

static void show(void *arg, size_t done, size_t count)
{
    struct jobs *jobs = arg;
    if (jobs->c->options->progress) {
        progress_show(stderr, "making certificates", done, count);
    }
}

static int make_all(struct convergence *c, struct err *e)
{
    struct jobs jobs = {.c = c, .indexes = mem_array(c->count + c->flaw_count, sizeof(size_t))};
    int rc = 0;
    // Flaws first: one of them makes RSA keys, which take longest.
    for (size_t i = 0; i < c->flaw_count; i++) {
        if (c->flaws[i].make) {
            jobs.indexes[jobs.count++] = c->count + i;
        }
    }
    for (size_t i = 0; rc == 0 && i < c->count; i++) {
        struct step *s = &c->steps[i];
        if (s->entry->role != ROLE_AUTHORITY && s->issue) {
            jobs.indexes[jobs.count++] = i;
            rc = s->issuer == NULL ? 0 : authority_key(c->pki, s->issuer, e);
        }
    }
    if (rc == 0) {
        rc = parallel_for(jobs.count, work, show, &jobs, e);
    }
    progress_end(stderr);
    free(jobs.indexes);
    return rc;
}

// ---- record

// Another key or name is another CA; the list of the one before cannot be kept current without its key.
static int record_identity(struct convergence *c, struct step *s, struct err *e)
{
    struct authority *a = s->authority;
    int64_t before = 0;
    a->cert.id = s->made.record.id;
    a->ca_id = a->ca_id == 0 ? a->cert.id : a->ca_id;
    if (s->before.id != 0 && authority_identity(c->pki->db, &s->before, &before, e) != 0) {
        return -1;
    }
    return before == 0 || before == a->ca_id ? 0 : db_crl_drop(c->pki->db, before, e);
}

static int record_step(struct convergence *c, struct step *s, struct err *e)
{
    struct record *r = &s->made.record;
    char digest[65];
    if (!s->issue && s->new_digest) {
        file_digest(buf_span(&s->key_pem), digest);
        return db_set_key_file_digest(c->pki->db, s->before.id, digest, e);
    }
    if (!s->issue) {
        return 0;
    }
    r->issuer_id = s->issuer == NULL ? 0 : s->issuer->ca_id;
    if (db_add(c->pki->db, r, e) != 0) {
        return err_context(e, "%s %s", role_name(s->entry->role), s->entry->name);
    }
    c->report->certificates++;
    return s->authority == NULL ? 0 : record_identity(c, s, e);
}

int converge_revoke(struct convergence *c, int64_t id, int64_t issuer_id, const struct revocation *revocation,
                    struct err *e)
{
    int rc =
        db_revoke(c->pki->db, id, revocation->reason, revocation->when, revocation->invalidity_date, ORIGIN_PLAN, e);
    if (rc == 0) {
        c->dirty = mem_grow(c->dirty, &c->dirty_cap, sizeof *c->dirty, c->dirty_count + 1);
        c->dirty[c->dirty_count++] = issuer_id;
    }
    return rc;
}

struct unrevoked {
    struct unrevoked_item {
        int64_t id;
        int64_t issuer_id;
    } * items;
    size_t count;
    size_t cap;
};

static int collect_unrevoked(void *arg, const struct record *r, struct err *e)
{
    struct unrevoked *u = arg;
    (void)e;
    if (r->revoked_at == 0 && r->issuer_id != 0) { // nobody can revoke a root
        u->items = mem_grow(u->items, &u->cap, sizeof *u->items, u->count + 1);
        u->items[u->count++] = (struct unrevoked_item){.id = r->id, .issuer_id = r->issuer_id};
    }
    return 0;
}

int converge_revoke_all(struct convergence *c, enum role role, const char *name, const struct revocation *revocation,
                        size_t *count, struct err *e)
{
    struct unrevoked found = {0};
    struct db_filter filter = {.unexpired_only = true, .at = c->pki->now, .role = (int)role, .name = name};
    int rc = db_list(c->pki->db, &filter, collect_unrevoked, &found, e);
    for (size_t i = 0; rc >= 0 && i < found.count; i++) {
        rc = converge_revoke(c, found.items[i].id, found.items[i].issuer_id, revocation, e);
    }
    *count = found.count;
    free(found.items);
    return rc < 0 ? -1 : 0;
}

static int revoke_step(struct convergence *c, struct step *s, struct err *e)
{
    const struct plan_entry *entry = s->entry;
    struct revocation revocation = {
        .reason = entry->revocation_reason, .when = entry->revoked_at, .invalidity_date = entry->invalidity_date};
    size_t count = 0;
    if (entry->revoked && converge_revoke_all(c, entry->role, entry->name, &revocation, &count, e) != 0) {
        return -1;
    }
    if (count > 0 && !s->issue) {
        s->action = PKI_REVOKED;
        s->why = "the plan revokes it";
    }
    return 0;
}

static int record_all(struct convergence *c, struct err *e)
{
    if (pki_record_seed(c->pki, e) != 0) {
        return -1;
    }
    for (size_t i = 0; i < c->count; i++) {
        if (record_step(c, &c->steps[i], e) != 0 || revoke_step(c, &c->steps[i], e) != 0) {
            return -1;
        }
    }
    return converge_flaws_record(c, e) != 0 || converge_leftovers(c, e) != 0 || converge_lists(c, e) != 0 ? -1 : 0;
}

// ---- files

// Then the chain in its files is another, although its certificate is not.
static bool is_renewed_above(const struct step *s)
{
    const struct step *above = s->above;
    while (above != NULL && !(above->issue && above->above != NULL)) { // roots are in no chain
        above = above->above;
    }
    return above != NULL;
}

static int put_files(struct convergence *c, struct step *s, struct err *e)
{
    const struct record *r = s->issue ? &s->made.record : &s->before;
    const struct buf *key = s->issue ? &s->made.key_pem : &s->key_pem;
    struct span chain = s->issuer == NULL ? span_of(NULL, 0) : buf_span(&s->issuer->chain);
    struct entry_files files;
    size_t changed = 0;
    char *dir = entry_directory(c->pki, s->entry->role, s->entry->name);
    entry_files_make(&files, buf_span(key), buf_span(&r->der), chain);
    int rc = entry_files_put(c->batch, dir, &files, s->issue, &changed, e);
    bool renewed_above = is_renewed_above(s);
    if (!s->issue && s->action == PKI_KEPT && (changed > 0 || renewed_above)) {
        s->action = PKI_REWRITTEN;
        s->why = renewed_above ? "a CA above it has a new certificate" : "its files were not what was issued";
    }
    c->report->files += changed;
    entry_files_clear(&files);
    free(dir);
    return rc;
}

static int put_step(struct convergence *c, struct step *s, struct err *e)
{
    struct record now = {0};
    bool orphan = s->issuer != NULL && !s->issue && s->issuer->ca_id != s->before.issuer_id; // revoked by hand before
    int rc = orphan ? 0 : put_files(c, s, e);
    int found = rc == 0 ? db_find_current(c->pki->db, s->entry->role, s->entry->name, &now, e) : -1;
    converge_report(c, s->entry->role, s->entry->name, found == 1 ? &now : NULL, s->entry->issuer, s->action, s->why);
    record_clear(&now);
    return found < 0 ? -1 : 0;
}

static int put_all(struct convergence *c, struct err *e)
{
    size_t *files = &c->report->files;
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < c->count; i++) {
        rc = put_step(c, &c->steps[i], e);
    }
    return rc != 0 || converge_flaws_put(c, e) != 0 || lists_put(c->pki, c->batch, files, e) != 0
               ? -1
               : manifest_put(c->pki, c->batch, files, e);
}

// Before the transaction ends, what it will take to finish is in DIR/.staging: see mend.c.
static int announce_all(struct convergence *c, struct err *e)
{
    int rc = file_batch_begin(c->batch, c->pki->dir, e);
    for (size_t i = 0; rc == 0 && i < c->count; i++) {
        struct step *s = &c->steps[i];
        if (s->issue) {
            char *dir = entry_directory(c->pki, s->entry->role, s->entry->name);
            rc = entry_files_announce(c->batch, dir, buf_span(&s->made.key_pem), &c->report->files, e);
            free(dir);
        }
    }
    for (size_t i = 0; rc == 0 && i < c->doomed_count; i++) {
        rc = file_batch_mark(c->batch, c->doomed[i], e);
    }
    return rc == 0 ? file_batch_sync(c->batch, e) : -1;
}

static int change(struct convergence *c, struct err *e)
{
    struct file_batch batch = {0};
    int rc = -1;
    c->batch = &batch;
    if (make_all(c, e) != 0 || db_begin(c->pki->db, e) != 0 || record_all(c, e) != 0 || announce_all(c, e) != 0) {
        goto out;
    }
    batch.keep = true; // even if the commit fails: whether it did is for the database to say
    if (db_commit(c->pki->db, e) != 0) {
        goto out;
    }
    rc = put_all(c, e);
    for (size_t i = 0; rc == 0 && i < c->doomed_count; i++) {
        rc = file_batch_doom(&batch, c->doomed[i], e);
    }
    if (rc == 0) {
        rc = file_batch_commit(&batch, e);
    }
out:
    db_rollback(c->pki->db);
    file_batch_clear(&batch);
    c->batch = NULL;
    return rc;
}

// With --check the database is asked in a transaction that is thrown away, and no file is written. Files that follow
// from certificates that are not made now are not counted.
static int check(struct convergence *c, struct err *e)
{
    struct pki_report *report = c->report;
    for (size_t i = 0; i < c->count; i++) {
        struct step *s = &c->steps[i];
        if (!s->issue && revoke_step(c, s, e) != 0) {
            return -1;
        }
        if (s->issue) {
            converge_report(c, s->entry->role, s->entry->name, s->before.id == 0 ? NULL : &s->before, s->entry->issuer,
                            s->action, s->why);
        } else if (put_step(c, s, e) != 0) {
            return -1;
        }
    }
    size_t before = report->files;
    if (converge_flaws_put(c, e) != 0 || converge_leftovers(c, e) != 0 || converge_lists(c, e) != 0 ||
        lists_put(c->pki, NULL, &report->files, e) != 0 || manifest_put(c->pki, NULL, &report->files, e) != 0) {
        return -1;
    }
    report->differences += report->lists + report->files - before;
    return 0;
}

static void clear(struct convergence *c)
{
    for (size_t i = 0; i < c->count; i++) {
        struct step *s = &c->steps[i];
        record_clear(&s->before);
        buf_clear(&s->key_pem);
        authority_free(s->authority);
        issued_clear(&s->made);
    }
    for (size_t i = 0; i < c->doomed_count; i++) {
        free(c->doomed[i]);
    }
    free(c->doomed);
    free(c->dirty);
    free(c->steps);
    converge_flaws_clear(c);
    plan_free(c->plan);
}

static int read_plan(struct convergence *c, struct err *e)
{
    const char *file = c->options->plan_file;
    struct buf text = {0};
    int rc = 0;
    if (file != NULL) {
        rc = file_read(file, 16 * 1024 * 1024, &text, e);
    } else {
        buf_text(&text, plan_builtin);
    }
    if (rc == 0) {
        rc = plan_read(file != NULL ? file : "built-in plan", buf_span(&text), c->pki->now, &c->plan, e);
    }
    buf_clear(&text);
    return rc;
}

// Golden output needs golden dates: of the environment, or of the plan.
static int settle_time(struct convergence *c, struct err *e)
{
    int64_t fixed;
    int set = clock_source_date(&fixed, e);
    if (c->pki->seed == NULL || set != 0) {
        return set < 0 ? -1 : 0;
    }
    if (!c->plan->fixed_dates) {
        return err_set(e,
                       "%s: --seed needs fixed dates: not_before and not_after for every entry, or SOURCE_DATE_EPOCH",
                       c->plan->file);
    }
    c->pki->now = c->plan->latest_not_before;
    return 0;
}

// Where there is no PKI yet, --check makes none, and one that cannot be made for want of a passphrase is not begun.
static int before_first_run(struct convergence *c, struct err *e)
{
    const char *passphrase = NULL;
    if (c->pki->db != NULL) {
        return 0;
    }
    if (c->options->check) {
        return err_refused(e, "%s is not as the plan says: there is no PKI", c->pki->dir);
    }
    for (size_t i = 0; i < c->plan->count; i++) {
        if (c->plan->entries[i].encrypt_key) {
            return pki_passphrase(c->pki, true, &passphrase, e);
        }
    }
    return 0;
}

int pki_apply(struct pki *pki, const struct pki_apply_options *options, struct pki_report *report, struct err *e)
{
    struct convergence c = {.pki = pki, .options = options, .report = report};
    int rc = -1;
    *report = (struct pki_report){.check = options->check};
    if (read_plan(&c, e) != 0 || settle_time(&c, e) != 0 || before_first_run(&c, e) != 0 || pki_lock(pki, e) != 0) {
        plan_free(c.plan);
        return -1;
    }
    c.steps = mem_array(c.plan->count, sizeof *c.steps);
    c.count = c.plan->count;
    for (size_t i = 0; i < c.count; i++) {
        c.steps[i].entry = &c.plan->entries[i];
    }
    if (converge_decide(&c, e) != 0) {
        goto out;
    }
    if (options->check) {
        if (db_begin(pki->db, e) == 0) {
            rc = check(&c, e);
            db_rollback(pki->db);
        }
    } else {
        rc = change(&c, e);
    }
out:
    pki_unlock(pki);
    clear(&c);
    return rc;
}
