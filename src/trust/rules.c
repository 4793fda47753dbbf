// SPDX-License-Identifier: Apache-2.0
// Access rules: the first one that is for this identity and covers this request decides; if there is none, the request
// is not allowed.
#include "trust/rules.h"

#include "base/text.h"
#include "trust/internal.h"

#include <stdlib.h>

struct rule {
    bool allow;
    struct matcher *matchers; // all must hold
    size_t matcher_count;
    char **methods; // none: any
    size_t method_count;
    struct path_pattern *paths; // none: any
    size_t path_count;
    size_t number; // for messages
};

struct trust_rules {
    struct rule *items;
    size_t count;
    bool need_digests;
};

// --- made, and freed ---

static int read_rule(struct rule *to, const struct trust_rule *from, struct err *e)
{
    to->allow = from->allow;
    to->matchers = mem_array(from->match_count, sizeof *to->matchers);
    to->methods = mem_array(from->method_count, sizeof *to->methods);
    to->paths = mem_array(from->path_count, sizeof *to->paths);
    while (to->matcher_count < from->match_count) {
        const struct trust_match *match = &from->matches[to->matcher_count];
        if (matcher_init(&to->matchers[to->matcher_count++], match, e) != 0) {
            return err_context(e, "%s \"%.100s\"", match_field_word(match->field), match->pattern);
        }
    }
    while (to->method_count < from->method_count) {
        const char *method = from->methods[to->method_count];
        to->methods[to->method_count++] = mem_strdup(method);
        if (method_check(method, e) != 0) {
            return err_context(e, "method \"%.100s\"", method);
        }
    }
    while (to->path_count < from->path_count) {
        const char *path = from->paths[to->path_count];
        if (path_pattern_init(&to->paths[to->path_count++], path, e) != 0) {
            return err_context(e, "path \"%.100s\"", path);
        }
    }
    return 0;
}

struct trust_rules *trust_rules_new(const struct trust_rule *rules, size_t count, struct err *e)
{
    struct trust_rules *new = mem_alloc(sizeof *new);
    new->items = mem_array(count, sizeof *new->items);
    new->count = count;
    for (size_t i = 0; i < count; i++) {
        new->items[i].number = rules[i].number != 0 ? rules[i].number : i + 1;
        if (read_rule(&new->items[i], &rules[i], e) != 0) {
            err_context(e, "rule %zu", new->items[i].number);
            trust_rules_free(new);
            return NULL;
        }
        for (size_t k = 0; k < rules[i].match_count; k++) {
            enum trust_match_field field = rules[i].matches[k].field;
            new->need_digests = new->need_digests || field == TRUST_MATCH_SHA256 || field == TRUST_MATCH_KEY;
        }
    }
    return new;
}

static void clear_rule(struct rule *rule)
{
    for (size_t i = 0; i < rule->matcher_count; i++) {
        matcher_clear(&rule->matchers[i]);
    }
    for (size_t i = 0; i < rule->method_count; i++) {
        free(rule->methods[i]);
    }
    for (size_t i = 0; i < rule->path_count; i++) {
        path_pattern_clear(&rule->paths[i]);
    }
    free(rule->matchers);
    free(rule->methods);
    free(rule->paths);
}

void trust_rules_free(struct trust_rules *rules)
{
    if (rules == NULL) {
        return;
    }
    for (size_t i = 0; i < rules->count; i++) {
        clear_rule(&rules->items[i]);
    }
    free(rules->items);
    free(rules);
}

// --- one rule ---

static bool is_for(const struct rule *rule, const struct trust_identity *identity)
{
    for (size_t i = 0; i < rule->matcher_count; i++) {
        if (!matcher_holds(&rule->matchers[i], identity)) {
            return false;
        }
    }
    return true;
}

static bool covers(const struct rule *rule, const char *method, const char *path)
{
    bool method_covered = rule->method_count == 0;
    bool path_covered = rule->path_count == 0;
    for (size_t i = 0; !method_covered && i < rule->method_count; i++) {
        method_covered = strcmp(rule->methods[i], method) == 0;
    }
    for (size_t i = 0; !path_covered && i < rule->path_count; i++) {
        path_covered = path_pattern_covers(&rule->paths[i], path);
    }
    return method_covered && path_covered;
}

// --- can anything be allowed? ---

struct words {
    const char **items;
    size_t count;
};

static void add_methods(const struct rule *rule, struct words *methods)
{
    for (size_t i = 0; i < rule->method_count; i++) {
        methods->items[methods->count++] = rule->methods[i];
    }
}

static void add_paths(const struct rule *rule, struct words *paths)
{
    for (size_t i = 0; i < rule->path_count; i++) {
        paths->items[paths->count++] = rule->paths[i].text;
    }
}

static bool any_covers(const struct rule *const *rules, size_t count, const char *method, const char *path)
{
    for (size_t i = 0; i < count; i++) {
        if (covers(rules[i], method, path)) {
            return true;
        }
    }
    return false;
}

// Is there a request that `allow` covers and none of the rules before it does? Of all requests that the same patterns
// cover, one is tried: what the patterns name themselves, something unnamed in each folder, and something that is named
// nowhere. That is exact, as folders lie in each other or apart.
static bool leaves_something(const struct rule *allow, const struct rule *const *denies, size_t count)
{
    size_t method_most = 1 + allow->method_count;
    size_t path_most = 1 + allow->path_count;
    for (size_t i = 0; i < count; i++) {
        method_most += denies[i]->method_count;
        path_most += denies[i]->path_count;
    }
    struct words methods = {.items = mem_array(method_most, sizeof(char *))};
    struct words paths = {.items = mem_array(path_most, sizeof(char *))};
    methods.items[methods.count++] = METHOD_UNNAMED;
    paths.items[paths.count++] = PATH_UNNAMED;
    add_methods(allow, &methods);
    add_paths(allow, &paths);
    for (size_t i = 0; i < count; i++) {
        add_methods(denies[i], &methods);
        add_paths(denies[i], &paths);
    }
    bool found = false;
    for (size_t m = 0; !found && m < methods.count; m++) {
        for (size_t p = 0; !found && p < paths.count; p++) {
            found = covers(allow, methods.items[m], paths.items[p]) &&
                    !any_covers(denies, count, methods.items[m], paths.items[p]);
        }
    }
    free(methods.items);
    free(paths.items);
    return found;
}

bool rules_need_digests(const struct trust_rules *rules)
{
    return rules->need_digests;
}

bool rules_can_allow(const struct trust_rules *rules, const struct trust_identity *identity)
{
    const struct rule **denies = mem_array(rules->count, sizeof *denies);
    size_t count = 0;
    bool found = false;
    for (size_t i = 0; identity->complete && !found && i < rules->count; i++) {
        const struct rule *rule = &rules->items[i];
        if (!is_for(rule, identity)) {
            continue;
        }
        if (rule->allow) {
            found = count == 0 || leaves_something(rule, denies, count);
        } else {
            denies[count++] = rule;
        }
    }
    free(denies);
    return found;
}

// --- one request ---

// The first rule that decides; NULL: none.
static const struct rule *deciding(const struct trust_rules *rules, const struct trust_identity *identity,
                                   const char *method, const char *path)
{
    for (size_t i = 0; i < rules->count; i++) {
        if (covers(&rules->items[i], method, path) && is_for(&rules->items[i], identity)) {
            return &rules->items[i];
        }
    }
    return NULL;
}

bool trust_allows(const struct trust_snapshot *snapshot, const struct trust_identity *identity, const char *method,
                  const char *path, struct trust_verdict *verdict)
{
    const struct trust_rules *rules = snapshot->rules;
    struct err e = ERR_INIT;
    struct buf request = {0};
    text_escape(&request, method, strlen(method), 32);
    buf_text(&request, " ");
    text_escape(&request, path, strlen(path), 100);
    const struct rule *rule = NULL;
    if (rules == NULL) {
        trust_verdict_set(verdict, REASON_not_allowed, 0, "there are no access rules");
    } else if (!identity->complete) {
        trust_verdict_set(verdict, REASON_not_allowed, 0, "%s has more names than rules are held against",
                          identity_label(identity));
    } else if (path_check(path, &e) != 0) {
        trust_verdict_set(verdict, REASON_not_allowed, 0, "%s: %s", (const char *)request.data, e.text);
    } else if ((rule = deciding(rules, identity, method, path)) == NULL) {
        trust_verdict_set(verdict, REASON_not_allowed, 0, "no rule allows %s: %.150s", (const char *)request.data,
                          identity_label(identity));
    } else if (!rule->allow) {
        trust_verdict_set(verdict, REASON_not_allowed, 0, "rule %zu denies %s: %.130s", rule->number,
                          (const char *)request.data, identity_label(identity));
    } else {
        trust_verdict_set(verdict, REASON_ok, -1, "%s", "");
    }
    buf_clear(&request);
    return verdict->reason == REASON_ok;
}
