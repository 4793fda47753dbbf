// SPDX-License-Identifier: Apache-2.0
#include "ca/plan.h"

#include "base/print.h"
#include "ca/flaw.h"
#include "ca/plan_draft.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ENTRIES_LIMIT = 1000000 };

// plan_read at work. Authorities depend on each other and are all read before any is finished; the rest follows one
// by one.
struct reading {
    struct yaml_doc *doc;
    struct raw_plan *raw;
    int64_t now;
    struct draft *authorities; // as in the file
    size_t *order;             // indexes into it, every issuer before what it issues
    struct plan *plan;
    size_t *sources; // for each entry of the plan its index in the file
    size_t cap, sources_cap;
};

static struct draft draft_of(const struct reading *r, enum role role, const struct raw_entry *in, size_t index)
{
    return (struct draft){.doc = r->doc,
                          .raw = r->raw,
                          .in = in,
                          .index = index,
                          .now = r->now,
                          .out.role = role,
                          .issuer = PLAN_NO_INDEX};
}

// Gives the finished draft's entry to the plan.
static void finish(struct reading *r, struct draft *d)
{
    struct plan *plan = r->plan;
    struct err e = ERR_INIT;
    if (d->dated && d->out.content.subject != NULL) {
        d->out.spec = draft_spec(d, &e); // an error: that of the subject, which is known
    }
    if (plan->count == 0 || d->out.content.not_before > plan->latest_not_before) {
        plan->latest_not_before = d->out.content.not_before;
    }
    plan->fixed_dates = plan->fixed_dates && d->fixed;
    plan->entries = mem_grow(plan->entries, &r->cap, sizeof *plan->entries, plan->count + 1);
    r->sources = mem_grow(r->sources, &r->sources_cap, sizeof *r->sources, plan->count + 1);
    plan->entries[plan->count] = d->out;
    r->sources[plan->count++] = d->index;
}

// How many issuers are above an authority; -1: it is in a loop or below one.
static int depth_of(const struct reading *r, size_t i)
{
    int depth = 0;
    for (int above = r->authorities[i].issuer; above != PLAN_NO_INDEX; above = r->authorities[above].issuer) {
        if (++depth > (int)r->raw->authorities_count) {
            return -1;
        }
    }
    return depth;
}

// Reports a loop once: at the first of its members.
static void report_loop(struct reading *r, size_t first)
{
    struct buf names = {0};
    size_t i = first;
    buf_text(&names, r->authorities[first].out.name);
    for (size_t steps = 0; steps < r->raw->authorities_count; steps++) {
        i = (size_t)r->authorities[i].issuer;
        buf_printf(&names, " -> %s", r->authorities[i].out.name);
        if (i <= first) {
            break;
        }
    }
    if (i == first) {
        struct draft *d = &r->authorities[first];
        draft_at(d, "issuer");
        yaml_problem(r->doc, d->where, "an issuer loop: %s (a self-signed authority has no issuer field)",
                     (char *)names.data);
    }
    buf_clear(&names);
}

// Fills r->order. -1: there are loops.
static int order_authorities(struct reading *r)
{
    size_t count = r->raw->authorities_count;
    size_t placed = 0;
    bool loops = false;
    int *depths = mem_array(count, sizeof *depths);
    r->order = mem_array(count, sizeof *r->order);
    for (size_t i = 0; i < count; i++) {
        depths[i] = depth_of(r, i);
        if (depths[i] < 0) {
            loops = true;
            report_loop(r, i);
        }
    }
    for (int depth = 0; placed < count && !loops; depth++) {
        for (size_t i = 0; i < count; i++) {
            if (depths[i] == depth) {
                r->order[placed++] = i;
            }
        }
    }
    free(depths);
    return loops ? -1 : 0;
}

// RFC 5280 section 4.2.1.9: how many more authorities may follow. The last one before servers and clients allows none,
// unless the file says otherwise; and what the file says must allow what is below.
static void set_path_lengths(struct reading *r)
{
    size_t count = r->raw->authorities_count;
    int *levels = mem_array(count, sizeof *levels); // of authorities below
    for (size_t k = count; k-- > 0;) {
        size_t i = r->order[k];
        struct draft *d = &r->authorities[i];
        int *limit = &d->out.content.path_length;
        if (d->issuer != PLAN_NO_INDEX && levels[d->issuer] < levels[i] + 1) {
            levels[d->issuer] = levels[i] + 1;
        }
        if (*limit == PATH_LENGTH_NONE && levels[i] == 0) {
            *limit = 0;
        } else if (*limit != PATH_LENGTH_NONE && *limit < levels[i]) {
            draft_at(d, "path_length");
            yaml_problem(r->doc, d->where, "%d is too small: the plan has %d level%s of authorities below", *limit,
                         levels[i], plural((size_t)levels[i]));
        }
    }
    free(levels);
}

static void read_authorities(struct reading *r)
{
    size_t count = r->raw->authorities_count;
    r->authorities = mem_array(count, sizeof *r->authorities);
    for (size_t i = 0; i < count; i++) {
        r->authorities[i] = draft_of(r, ROLE_AUTHORITY, &r->raw->authorities[i], i);
        draft_read(&r->authorities[i]);
    }
    bool ordered = order_authorities(r) == 0;
    if (ordered) {
        set_path_lengths(r);
    }
    for (size_t k = 0; k < count; k++) {
        struct draft *d = &r->authorities[ordered ? r->order[k] : k];
        if (ordered) {
            draft_read_dates(d, d->issuer == PLAN_NO_INDEX ? NULL : &r->authorities[d->issuer]);
        }
        finish(r, d);
    }
}

static void read_copy(struct reading *r, enum role role, const struct raw_entry *in, size_t index, int copy)
{
    struct draft d = draft_of(r, role, in, index);
    d.copy = copy;
    draft_read(&d);
    draft_read_dates(&d, d.issuer == PLAN_NO_INDEX ? NULL : &r->authorities[d.issuer]);
    finish(r, &d);
}

static void read_copies(struct reading *r, enum role role, const struct raw_entry *in, size_t index)
{
    struct draft d = draft_of(r, role, in, index);
    size_t before;
    size_t after;
    draft_at(&d, "copies");
    int copies = draft_number(&d, *in->copies, 1, PLAN_COPIES_LIMIT);
    if (copies > 1 && strstr(in->name, "{n}") == NULL) {
        yaml_problem(r->doc, draft_at(&d, "name"), "copies need {n} in their name, such as \"%s-{n}\"", in->name);
        return;
    }
    yaml_problems(r->doc, &before);
    after = before;
    for (int copy = 1; copy <= copies && after == before && r->plan->count < ENTRIES_LIMIT; copy++) {
        read_copy(r, role, in, index, copy);
        yaml_problems(r->doc, &after); // what is wrong with one copy is wrong with all
    }
}

static void read_leaves(struct reading *r, enum role role, const struct raw_entry *entries, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (r->plan->count >= ENTRIES_LIMIT) {
            yaml_problem(r->doc, role_directory(role), "the plan has more than %d entries", ENTRIES_LIMIT);
            return;
        }
        if (entries[i].copies != NULL) {
            read_copies(r, role, &entries[i], i);
        } else {
            read_copy(r, role, &entries[i], i, 0);
        }
    }
}

static int compare_names(const void *a, const void *b)
{
    const struct plan_entry *x = *(const struct plan_entry *const *)a;
    const struct plan_entry *y = *(const struct plan_entry *const *)b;
    return x->role != y->role ? (int)x->role - (int)y->role : strcmp(x->name, y->name);
}

// Of two entries with one name the one that comes later in the file is the one to complain about.
static void report_duplicate(struct reading *r, const struct plan_entry *a, const struct plan_entry *b)
{
    size_t first = r->sources[a - r->plan->entries];
    size_t second = r->sources[b - r->plan->entries];
    const char *section = role_directory(a->role);
    char path[64];
    if (first > second) {
        report_duplicate(r, b, a);
        return;
    }
    snprintf(path, sizeof path, "%s[%zu].name", section, second);
    yaml_problem(r->doc, path, "the name \"%s\" is taken by %s[%zu] in line %d", a->name, section, first, a->line);
}

static void sort_names(struct reading *r)
{
    struct plan *plan = r->plan;
    plan->by_name = mem_array(plan->count, sizeof(struct plan_entry *));
    for (size_t i = 0; i < plan->count; i++) {
        plan->by_name[i] = &plan->entries[i];
    }
    qsort(plan->by_name, plan->count, sizeof(struct plan_entry *), compare_names);
    for (size_t i = 1; i < plan->count; i++) {
        if (compare_names(&plan->by_name[i - 1], &plan->by_name[i]) == 0) {
            report_duplicate(r, plan->by_name[i - 1], plan->by_name[i]);
        }
    }
}

static void read_flaw_hosts(struct reading *r, const struct raw_texts *in)
{
    static char *const usual[] = {"localhost", "127.0.0.1", "::1"};
    bool given = yaml_has(r->doc, "flaws.names");
    size_t count = given ? in->count : sizeof usual / sizeof usual[0];
    char *const *items = given ? in->items : usual;
    if (count == 0) {
        yaml_problem(r->doc, "flaws.names", "the servers' certificates need a name, such as [localhost]");
    }
    for (size_t i = 0; i < count; i++) {
        char path[64];
        snprintf(path, sizeof path, "flaws.names[%zu]", i);
        plan_add_name(r->doc, path, &r->plan->flaw_hosts, general_name_guess(items[i]), items[i]);
    }
}

static void check_flaw(struct reading *r, const struct raw_texts *in, unsigned i)
{
    const char *known[FLAW_COUNT + 2] = {[FLAW_COUNT] = "all"};
    enum flaw flaw;
    char path[64];
    snprintf(path, sizeof path, "flaws.cases[%u]", i);
    for (int k = 0; k < FLAW_COUNT; k++) {
        known[k] = flaw_info((enum flaw)k)->token;
    }
    if (!flaw_find(in->items[i], &flaw)) {
        yaml_unknown(r->doc, path, "flaw", in->items[i], known);
        return;
    }
    for (unsigned k = 0; k < i; k++) {
        if (strcmp(in->items[k], in->items[i]) == 0) {
            yaml_problem(r->doc, path, "\"%s\" is given twice", in->items[i]);
            return;
        }
    }
}

static void read_flaws(struct reading *r)
{
    const struct raw_flaws *in = r->raw->flaws;
    if (in == NULL) {
        return;
    }
    const struct raw_texts *cases = &in->cases;
    bool all = !yaml_has(r->doc, "flaws.cases") || (cases->count == 1 && strcmp(cases->items[0], "all") == 0);
    size_t count = all ? 1 : cases->count;
    plan_find_authority(r->raw, r->doc, "flaws.issuer", in->issuer);
    r->plan->flaw_issuer = mem_strdup(in->issuer);
    r->plan->flaws = mem_array(count + 1, sizeof *r->plan->flaws);
    for (unsigned i = 0; i < count; i++) {
        if (!all) {
            check_flaw(r, cases, i);
        }
        r->plan->flaws[i] = mem_strdup(all ? "all" : cases->items[i]);
    }
    read_flaw_hosts(r, &in->names);
}

int plan_read(const char *file, struct span text, int64_t now, struct plan **plan, struct err *e)
{
    struct reading r = {.now = now};
    void *data = NULL;
    *plan = NULL;
    int rc = yaml_load(file, text, &plan_schema, &r.doc, &data, e);
    if (rc == 0) {
        r.raw = data;
        r.plan = mem_alloc(sizeof *r.plan);
        *r.plan = (struct plan){.file = mem_strdup(file), .fixed_dates = true};
        read_authorities(&r);
        read_leaves(&r, ROLE_SERVER, r.raw->servers, r.raw->servers_count);
        read_leaves(&r, ROLE_CLIENT, r.raw->clients, r.raw->clients_count);
        sort_names(&r);
        read_flaws(&r);
        rc = yaml_result(r.doc, e);
    }
    if (rc == 0) {
        *plan = r.plan;
    } else {
        plan_free(r.plan);
    }
    free(r.authorities);
    free(r.order);
    free(r.sources);
    yaml_data_free(&plan_schema, data);
    yaml_doc_free(r.doc);
    return rc;
}

void plan_free(struct plan *plan)
{
    if (plan == NULL) {
        return;
    }
    for (size_t i = 0; i < plan->count; i++) {
        plan_entry_clear(&plan->entries[i]);
    }
    for (size_t i = 0; plan->flaws != NULL && plan->flaws[i] != NULL; i++) {
        free(plan->flaws[i]);
    }
    free(plan->flaws);
    free(plan->flaw_issuer);
    free(plan->entries);
    free(plan->by_name);
    free(plan->file);
    general_names_clear(&plan->flaw_hosts);
    free(plan);
}

const struct plan_entry *plan_find(const struct plan *plan, enum role role, const char *name)
{
    struct plan_entry wanted = {.role = role, .name = (char *)name};
    const struct plan_entry *key = &wanted;
    const struct plan_entry **found = bsearch(&key, plan->by_name, plan->count, sizeof *plan->by_name, compare_names);
    return found == NULL ? NULL : *found;
}
