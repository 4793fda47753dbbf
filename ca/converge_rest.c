// SPDX-License-Identifier: Apache-2.0
// What pki_apply does besides the entries themselves: what the plan does not name any more, and the revocation lists.
#include "ca/converge.h"

#include <stdlib.h>
#include <string.h>

struct leftover {
    struct convergence *c;
    struct leftover_item {
        int64_t id;
        int64_t issuer_id;
        enum role role;
        char *name;
        bool revoked;
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
    l->items[l->count++] = (struct leftover_item){.id = r->id,
                                                  .issuer_id = r->issuer_id,
                                                  .role = r->role,
                                                  .name = mem_strdup(r->name),
                                                  .revoked = r->revoked_at != 0};
    if (strchr(r->name, '/') == NULL) {
        converge_report(l->c, r->role, r->name, r, NULL, PKI_PRUNED, "not in the plan any more");
    }
    return 0;
}

static int prune(struct convergence *c, const struct leftover_item *item, struct err *e)
{
    char *name = mem_strndup(item->name, strcspn(item->name, "/"));
    bool issues = item->role == ROLE_AUTHORITY || item->role == ROLE_FLAW;
    int rc = 0;
    if (item->role != ROLE_FLAW && !item->revoked && item->issuer_id != 0) {
        rc = converge_revoke(c, item->id, item->issuer_id, REVOCATION_cessation_of_operation, c->pki->now,
                             CRL_NO_INVALIDITY_DATE, e);
    }
    if (rc >= 0 && issues) {
        rc = db_crl_drop(c->pki->db, item->id, e);
    }
    if (rc >= 0) {
        rc = db_retire(c->pki->db, item->role, item->name, e);
    }
    c->doomed = mem_grow(c->doomed, &c->doomed_cap, sizeof *c->doomed, c->doomed_count + 1);
    c->doomed[c->doomed_count++] = entry_directory(c->pki, item->role, name);
    free(name);
    return rc < 0 ? -1 : 0;
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

static int list_due(struct convergence *c, const struct step *s, bool *due, struct err *e)
{
    struct crl_record last = {0};
    int found = db_crl_find(c->pki->db, s->authority->ca_id, &last, e);
    int64_t lifetime = last.next_update - last.this_update;
    *due = found == 0 || is_dirty(c, s->authority->ca_id) || lifetime != s->entry->crl_lifetime ||
           c->pki->now >= last.next_update - lifetime / 3;
    buf_clear(&last.der);
    return found < 0 ? -1 : 0;
}

int converge_lists(struct convergence *c, struct err *e)
{
    for (size_t i = 0; i < c->count; i++) {
        struct step *s = &c->steps[i];
        struct crl_record made = {0};
        bool due = false;
        if (s->entry->role != ROLE_AUTHORITY) {
            continue;
        }
        if (list_due(c, s, &due, e) != 0 ||
            (due && crl_issue(c->pki, s->authority, s->entry->crl_lifetime, &made, e) != 0)) {
            return -1;
        }
        c->report->lists += due;
        buf_clear(&made.der);
    }
    return 0;
}
