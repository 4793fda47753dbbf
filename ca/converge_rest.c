// SPDX-License-Identifier: Apache-2.0
// What pki_apply does besides the entries themselves: what the plan does not name any more, and the revocation lists.
#include "ca/converge.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct leftover {
    struct convergence *c;
    struct leftover_item {
        int64_t id;
        enum role role;
        char *name;
    } * items;
    size_t count;
    size_t cap;
};

// Parts of a flaw are recorded as "client-expired/issuer": the directory is what stands before the slash.
static bool flaw_planned(const struct convergence *c, const char *name)
{
    size_t len = strcspn(name, "/");
    for (size_t i = 0; i < c->flaw_count; i++) {
        if (strlen(c->flaws[i].name) == len && strncmp(c->flaws[i].name, name, len) == 0) {
            return true;
        }
    }
    return false;
}

static int collect(void *arg, const struct record *r, struct err *e)
{
    struct leftover *l = arg;
    (void)e;
    bool planned = r->role == ROLE_FLAW ? flaw_planned(l->c, r->name) : plan_find(l->c->plan, r->role, r->name) != NULL;
    if (planned || r->origin != ORIGIN_PLAN) {
        return 0;
    }
    if (!l->c->options->prune) {
        if (strchr(r->name, '/') == NULL) {
            converge_report(l->c, r->role, r->name, r, NULL, PKI_LEFT,
                            "not in the plan; --prune revokes and removes it");
        }
        return 0;
    }
    l->items = mem_grow(l->items, &l->cap, sizeof *l->items, l->count + 1);
    l->items[l->count++] = (struct leftover_item){.id = r->id, .role = r->role, .name = mem_strdup(r->name)};
    if (strchr(r->name, '/') == NULL) {
        converge_report(l->c, r->role, r->name, r, NULL, PKI_PRUNED, "not in the plan any more");
    }
    return 0;
}

// The list of an authority, or of a part of a flaw, says nothing any more once that is gone.
static int drop_list(struct convergence *c, const struct leftover_item *item, struct err *e)
{
    struct record r = {0};
    int64_t ca_id = item->id;
    int rc = db_find_id(c->pki->db, item->id, &r, e) == 1 ? 0 : -1;
    if (rc == 0 && item->role == ROLE_AUTHORITY) {
        rc = authority_identity(c->pki->db, &r, &ca_id, e);
    }
    record_clear(&r);
    return rc == 0 ? db_crl_drop(c->pki->db, ca_id, e) : -1;
}

static int prune(struct convergence *c, const struct leftover_item *item, struct err *e)
{
    char *name = mem_strndup(item->name, strcspn(item->name, "/"));
    bool issues = item->role == ROLE_AUTHORITY || item->role == ROLE_FLAW;
    struct revocation revocation = {
        .reason = REVOCATION_cessation_of_operation, .when = c->pki->now, .invalidity_date = CRL_NO_INVALIDITY_DATE};
    size_t count = 0;
    c->doomed = mem_grow(c->doomed, &c->doomed_cap, sizeof *c->doomed, c->doomed_count + 1);
    c->doomed[c->doomed_count++] = entry_directory(c->pki, item->role, name);
    free(name);
    if ((item->role != ROLE_FLAW && converge_revoke_all(c, item->role, item->name, &revocation, &count, e) != 0) ||
        (issues && drop_list(c, item, e) != 0)) {
        return -1;
    }
    return db_retire(c->pki->db, item->role, item->name, e);
}

int converge_leftovers(struct convergence *c, struct err *e)
{
    struct leftover l = {.c = c};
    struct db_filter current = {.current_only = true, .role = -1};
    int rc = db_list(c->pki->db, &current, collect, &l, e);
    for (size_t i = 0; rc == 0 && !c->options->check && i < l.count; i++) {
        rc = prune(c, &l.items[i], e);
    }
    for (size_t i = 0; i < l.count; i++) {
        free(l.items[i].name);
    }
    free(l.items);
    return rc;
}

static bool is_dirty(const struct convergence *c, int64_t ca_id)
{
    for (size_t i = 0; i < c->dirty_count; i++) {
        if (c->dirty[i] == ca_id) {
            return true;
        }
    }
    return false;
}

// What the plan said of the lifetime when it was last heeded: a list that was issued by hand for another time stands
// until it is due, and a plan that was changed since counts at once.
static int lifetime_is_new(struct convergence *c, const struct step *s, const struct crl_record *last, bool *is_new,
                           struct err *e)
{
    char *fact = mem_printf("crl_lifetime/%" PRId64, s->authority->ca_id);
    char *text = NULL;
    int found = db_fact_get(c->pki->db, fact, &text, e);
    int64_t known = found == 1 ? strtoll(text, NULL, 10) : last->next_update - last->this_update;
    *is_new = known != s->entry->crl_lifetime;
    free(fact);
    free(text);
    return found < 0 ? -1 : 0;
}

static int list_due(struct convergence *c, const struct step *s, bool *due, struct err *e)
{
    struct crl_record last = {0};
    bool changed = false;
    if (s->authority == NULL || s->authority->ca_id == 0) {
        *due = true; // a check of a CA that is not there yet
        return 0;
    }
    int found = db_crl_find(c->pki->db, s->authority->ca_id, &last, e);
    int rc = found < 0 ? -1 : found == 0 ? 0 : lifetime_is_new(c, s, &last, &changed, e);
    *due = found == 0 || changed || is_dirty(c, s->authority->ca_id) ||
           c->pki->now >= last.next_update - (last.next_update - last.this_update) / 3;
    buf_clear(&last.der);
    return rc;
}

static int issue_list(struct convergence *c, const struct step *s, struct err *e)
{
    struct crl_record made = {0};
    char *fact = mem_printf("crl_lifetime/%" PRId64, s->authority->ca_id);
    char *seconds = mem_printf("%" PRId64, s->entry->crl_lifetime);
    int rc = crl_issue(c->pki, s->authority, s->entry->crl_lifetime, &made, e);
    if (rc == 0) {
        rc = db_fact_set(c->pki->db, fact, seconds, e);
    }
    buf_clear(&made.der);
    free(fact);
    free(seconds);
    return rc;
}

int converge_lists(struct convergence *c, struct err *e)
{
    for (size_t i = 0; i < c->count && c->steps[i].entry->role == ROLE_AUTHORITY; i++) {
        bool due = false;
        if (list_due(c, &c->steps[i], &due, e) != 0 ||
            (due && !c->options->check && issue_list(c, &c->steps[i], e) != 0)) {
            return -1;
        }
        c->report->lists += due;
    }
    return 0;
}
