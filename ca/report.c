// SPDX-License-Identifier: Apache-2.0
// What pki_apply did, as a tree.
#include "base/clock.h"
#include "base/print.h"
#include "ca/ca.h"
#include "ca/db.h"

#include <stdlib.h>
#include <string.h>

enum { SHOWN_AT_MOST = 12, NAME_WIDTH = 36 }; // of one kind below one CA, where nothing sets them apart

static const struct {
    const char *done;
    const char *due; // with --check
    enum colour colour;
} actions[] = {
    [PKI_KEPT] = {"kept", "kept", COLOUR_DIM},
    [PKI_MADE] = {"made", "to be made", COLOUR_GREEN},
    [PKI_REISSUED] = {"made again", "to be made again", COLOUR_GREEN},
    [PKI_REWRITTEN] = {"rewritten", "to be rewritten", COLOUR_YELLOW},
    [PKI_REVOKED] = {"revoked", "to be revoked", COLOUR_YELLOW},
    [PKI_LEFT] = {"left", "left", COLOUR_YELLOW},
    [PKI_PRUNED] = {"pruned", "to be pruned", COLOUR_YELLOW},
    [PKI_BY_HAND] = {"left", "left", COLOUR_YELLOW},
};

static const char *word(const struct pki_report *r, enum pki_action action)
{
    return r->check ? actions[action].due : actions[action].done;
}

void pki_report_clear(struct pki_report *r)
{
    for (size_t i = 0; i < r->count; i++) {
        free(r->items[i].name);
        free(r->items[i].issuer);
        free(r->items[i].subject);
        free(r->items[i].why);
    }
    free(r->items);
    *r = (struct pki_report){0};
}

static void print_item(const struct pki_report *r, const struct pki_report_item *item, const char *prefix, bool last,
                       FILE *to)
{
    char when[CLOCK_TEXT];
    char *left = mem_printf("%s%s%s %s", prefix,
                            prefix[0] == '\0' && item->issuer[0] == '\0' ? ""
                            : last                                       ? "└─ "
                                                                         : "├─ ",
                            role_name((enum role)item->role), item->name);
    size_t width = print_width(left);
    fprintf(to, "%s%*s", left, width < NAME_WIDTH ? (int)(NAME_WIDTH - width) : 1, "");
    if (item->not_after != 0) {
        fprintf(to, "until %.10s  ", clock_rfc3339(item->not_after, when));
    }
    print_coloured(to, actions[item->action].colour, "%s%s%s", word(r, item->action), item->why[0] != '\0' ? ": " : "",
                   item->why);
    if (item->revoked) {
        print_coloured(to, COLOUR_RED, "  (revoked)");
    }
    fputc('\n', to);
    free(left);
}

static bool is_child(const struct pki_report_item *item, const char *issuer, enum role role)
{
    bool planned = item->action != PKI_LEFT && item->action != PKI_PRUNED;
    return planned && item->role == (int)role && strcmp(item->issuer, issuer) == 0;
}

static size_t count_children(const struct pki_report *r, const char *issuer, enum role role)
{
    size_t count = 0;
    for (size_t i = 0; i < r->count; i++) {
        count += is_child(&r->items[i], issuer, role);
    }
    return count;
}

// "118 kept", or "2 made, 116 kept": what happened to those that are not shown one by one.
static void print_summary(const struct pki_report *r, const char *issuer, enum role role, size_t skip, FILE *to)
{
    size_t tally[sizeof actions / sizeof actions[0]] = {0};
    bool first = true;
    for (size_t i = 0; i < r->count; i++) {
        if (is_child(&r->items[i], issuer, role) && (skip == 0 || skip-- == 0)) {
            tally[r->items[i].action]++;
        }
    }
    for (size_t a = 0; a < sizeof tally / sizeof tally[0]; a++) {
        if (tally[a] > 0) {
            print_coloured(to, actions[a].colour, "%s%zu %s", first ? "" : ", ", tally[a], word(r, (enum pki_action)a));
            first = false;
        }
    }
    fputc('\n', to);
}

static void print_rest(enum role role, size_t count, bool more, FILE *to)
{
    if (role == ROLE_FLAW) {
        fprintf(to, "%zu certificate%s wrong on purpose: ", count, plural(count));
    } else {
        fprintf(to, "%zu %s%s%s: ", count, more ? "more " : "", role_name(role), plural(count));
    }
}

static void print_below(const struct pki_report *r, const char *issuer, const char *prefix, FILE *to);

static void print_role(const struct pki_report *r, const char *issuer, enum role role, const char *prefix, size_t *left,
                       FILE *to)
{
    size_t count = count_children(r, issuer, role);
    size_t most = role == ROLE_FLAW ? 0 : role == ROLE_AUTHORITY || count <= SHOWN_AT_MOST ? count : SHOWN_AT_MOST - 2;
    size_t shown = 0;
    for (size_t i = 0; i < r->count && shown < most; i++) {
        const struct pki_report_item *item = &r->items[i];
        if (!is_child(item, issuer, role)) {
            continue;
        }
        shown++;
        --*left;
        print_item(r, item, prefix, *left == 0, to);
        if (role == ROLE_AUTHORITY) {
            char *deeper = mem_printf("%s%s", prefix, issuer[0] == '\0' ? "" : *left == 0 ? "   " : "│  ");
            print_below(r, item->name, deeper, to);
            free(deeper);
        }
    }
    if (shown < count) {
        *left -= count - shown;
        fprintf(to, "%s%s", prefix, *left == 0 ? "└─ " : "├─ ");
        print_rest(role, count - shown, shown > 0, to);
        print_summary(r, issuer, role, shown, to);
    }
}

static void print_below(const struct pki_report *r, const char *issuer, const char *prefix, FILE *to)
{
    static const enum role order[] = {ROLE_AUTHORITY, ROLE_SERVER, ROLE_CLIENT, ROLE_FLAW};
    size_t left = 0;
    for (size_t i = 0; i < sizeof order / sizeof order[0]; i++) {
        left += issuer[0] == '\0' && order[i] != ROLE_AUTHORITY ? 0 : count_children(r, issuer, order[i]);
    }
    for (size_t i = 0; i < sizeof order / sizeof order[0]; i++) {
        if (issuer[0] != '\0' || order[i] == ROLE_AUTHORITY) {
            print_role(r, issuer, order[i], prefix, &left, to);
        }
    }
}

// What the plan does not name has no place in its tree.
static void print_leftovers(const struct pki_report *r, FILE *to)
{
    for (size_t i = 0; i < r->count; i++) {
        const struct pki_report_item *item = &r->items[i];
        if (item->action == PKI_LEFT || item->action == PKI_PRUNED) {
            print_coloured(to, actions[item->action].colour, "%s %s: %s, %s\n", role_name((enum role)item->role),
                           item->name, word(r, item->action), item->why);
        }
    }
}

void pki_report_print(const struct pki_report *r, const char *dir, FILE *to)
{
    print_coloured(to, COLOUR_BOLD, "%s\n", dir);
    print_below(r, "", "", to);
    print_leftovers(r, to);
    if (r->certificates + r->lists + r->files == 0 && r->differences == 0) {
        fprintf(to, "nothing to do: everything is as the plan says\n");
    } else if (!r->check) {
        fprintf(to, "%zu certificate%s made, %zu revocation list%s issued, %zu file%s written\n", r->certificates,
                plural(r->certificates), r->lists, plural(r->lists), r->files, plural(r->files));
    } else if (r->lists + r->files > 0) {
        fprintf(to, "%zu revocation list%s to be issued, %zu file%s to be written\n", r->lists, plural(r->lists),
                r->files, plural(r->files));
    }
}
