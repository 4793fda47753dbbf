// SPDX-License-Identifier: Apache-2.0
// Access rules: from the file's allow and deny into trust_rule. Any pattern of a list will do, so a rule with lists
// becomes one rule for each combination; standing together, they decide as the one would.
#include "base/text.h"
#include "server/config_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { COMBINATIONS_MOST = 4096, GROUPS_MOST = 64, PATTERN_MOST = 1024 };

static const struct field {
    const char *name;
    enum trust_match_field field;
} fields[] = {
    {"dns", TRUST_MATCH_DNS},       {"ip", TRUST_MATCH_IP},           {"email", TRUST_MATCH_EMAIL},
    {"uri", TRUST_MATCH_URI},       {"subject", TRUST_MATCH_SUBJECT}, {"issuer", TRUST_MATCH_ISSUER},
    {"serial", TRUST_MATCH_SERIAL}, {"sha256", TRUST_MATCH_SHA256},   {"key", TRUST_MATCH_KEY},
};
enum { FIELD_COUNT = sizeof fields / sizeof fields[0] };

struct group { // patterns, one of which must hold
    struct trust_match *items;
    size_t count;
};

struct rule { // as it stands in the file
    struct reading *r;
    struct group groups[GROUPS_MOST];
    size_t group_count;
    struct trust_rule out; // but for the matches
    bool good;
};

static struct place below(const struct place *at, int line, const char *key, size_t index)
{
    struct place place = {.line = line};
    if (key != NULL) {
        struct buf escaped = {0};
        text_escape(&escaped, key, strlen(key), 40);
        snprintf(place.path, sizeof place.path, "%.110s.%.44s", at->path, (const char *)escaped.data);
        buf_clear(&escaped);
    } else {
        snprintf(place.path, sizeof place.path, "%.130s[%zu]", at->path, index);
    }
    return place;
}

static void wrong(struct rule *rule, const struct place *at, const struct yaml_node *node, const char *expected)
{
    rule->good = false;
    yaml_expected_at(rule->r->doc, at->line, at->path, node, expected);
}

static void __attribute__((format(printf, 3, 4)))
problem(struct rule *rule, const struct place *at, const char *fmt, ...)
{
    char what[512];
    va_list ap;
    va_start(ap, fmt);
    text_vformat(what, sizeof what, fmt, ap);
    va_end(ap);
    rule->good = false;
    yaml_problem_at(rule->r->doc, at->line, at->path, "%s", what);
}

static bool twice(struct rule *rule, const struct yaml_node *mapping, const struct yaml_child *child,
                  const struct place *at)
{
    for (const struct yaml_child *first = mapping->children; first != child; first++) {
        if (strcmp(first->key, child->key) == 0) {
            problem(rule, at, "given twice (first in line %d)", first->line);
            return true;
        }
    }
    return false;
}

// The judge knows what a pattern may be. `alone` has only the one that is asked about.
static bool is_good(struct rule *rule, const struct place *at, struct trust_rule alone)
{
    struct err e = ERR_INIT;
    struct trust_rules *rules = trust_rules_new(&alone, 1, &e);
    if (rules == NULL) {
        const char *quoted = strchr(e.text, '"'); // behind the rule and the field, which the path names
        problem(rule, at, "%s", quoted != NULL ? quoted : e.text);
    }
    trust_rules_free(rules);
    return rules != NULL;
}

// --- patterns ---

static const char *read_text(struct rule *rule, const struct place *at, const struct yaml_node *node, const char *what)
{
    if (node->kind != YAML_KIND_TEXT || yaml_is_null(node)) {
        wrong(rule, at, node, what);
        return NULL;
    }
    if (strlen(node->text) > PATTERN_MOST) {
        problem(rule, at, "it is longer than %d bytes", PATTERN_MOST);
        return NULL;
    }
    return config_keep(rule->r->config, mem_strdup(node->text));
}

static void read_pattern(struct rule *rule, struct group *group, const struct place *at, const struct yaml_node *node,
                         enum trust_match_field field, const char *attribute)
{
    struct trust_match match = {.field = field, .attribute = attribute};
    match.pattern = read_text(rule, at, node, "a pattern");
    if (match.pattern == NULL) {
        return;
    }
    for (size_t i = 0; i < group->count; i++) {
        if (strcmp(group->items[i].pattern, match.pattern) == 0) {
            problem(rule, at, "the same pattern is given twice");
            return;
        }
    }
    if (is_good(rule, at, (struct trust_rule){.matches = &match, .match_count = 1})) {
        group->items[group->count++] = match;
    }
}

// A pattern or a list of patterns.
static void read_patterns(struct rule *rule, const struct place *at, const struct yaml_node *node,
                          enum trust_match_field field, const char *attribute)
{
    if (rule->group_count == GROUPS_MOST) {
        problem(rule, at, "more than %d fields in one rule", GROUPS_MOST);
        return;
    }
    bool list = node->kind == YAML_KIND_LIST;
    size_t count = list ? node->count : 1;
    struct group *group = &rule->groups[rule->group_count++];
    group->items = config_keep(rule->r->config, mem_array(count + 1, sizeof *group->items));
    if (node->kind == YAML_KIND_MAPPING) {
        wrong(rule, at, node, "a pattern or a list of patterns");
    } else if (count == 0) {
        problem(rule, at, "it must have at least 1 item");
    }
    for (size_t i = 0; i < count && node->kind != YAML_KIND_MAPPING; i++) {
        struct place item = list ? below(at, node->children[i].line, NULL, i) : *at;
        read_pattern(rule, group, &item, list ? node->children[i].node : node, field, attribute);
    }
}

static void read_subject(struct rule *rule, const struct place *at, const struct yaml_node *node)
{
    if (node->count == 0) {
        problem(rule, at, "it names no attribute; write it like {O: Example}");
    }
    for (size_t i = 0; i < node->count; i++) {
        const struct yaml_child *child = &node->children[i];
        struct place place = below(at, child->line, child->key, 0);
        if (!twice(rule, node, child, &place)) {
            const char *attribute = config_keep(rule->r->config, mem_strdup(child->key));
            read_patterns(rule, &place, child->node, TRUST_MATCH_SUBJECT, attribute);
        }
    }
}

static void read_field(struct rule *rule, const struct place *at, const struct yaml_child *child)
{
    const char *known[FIELD_COUNT + 1] = {NULL};
    for (size_t i = 0; i < FIELD_COUNT; i++) {
        known[i] = fields[i].name;
        if (strcmp(fields[i].name, child->key) != 0) {
            continue;
        }
        if (fields[i].field == TRUST_MATCH_SUBJECT && child->node->kind == YAML_KIND_MAPPING) {
            read_subject(rule, at, child->node);
        } else {
            read_patterns(rule, at, child->node, fields[i].field, NULL);
        }
        return;
    }
    rule->good = false;
    yaml_unknown_at(rule->r->doc, at->line, at->path, true, "field", child->key, known);
}

static void read_who(struct rule *rule, const struct place *at, const struct yaml_node *node)
{
    static const char any[] = "any-verified";
    if (node->kind == YAML_KIND_TEXT && strcmp(node->text, any) == 0) {
        return;
    }
    if (node->kind != YAML_KIND_MAPPING) {
        wrong(rule, at, node, "any-verified, or fields of a certificate like {dns: \"*.ops.example\"}");
        return;
    }
    if (node->count == 0) {
        problem(rule, at, "it names no field; write any-verified if every verified client is meant");
    }
    for (size_t i = 0; i < node->count; i++) {
        const struct yaml_child *child = &node->children[i];
        struct place place = below(at, child->line, child->key, 0);
        if (!twice(rule, node, child, &place)) {
            read_field(rule, &place, child);
        }
    }
}

// --- methods and paths ---

static struct trust_rule rule_of_method(const char *const *method)
{
    return (struct trust_rule){.methods = method, .method_count = 1};
}

static struct trust_rule rule_of_path(const char *const *path)
{
    return (struct trust_rule){.paths = path, .path_count = 1};
}

static size_t read_list(struct rule *rule, const struct place *at, const struct yaml_node *node,
                        struct trust_rule (*alone)(const char *const *), const char *const **list)
{
    if (node->kind != YAML_KIND_LIST || node->count == 0) {
        wrong(rule, at, node, "a list with at least one item");
        return 0;
    }
    const char **items = config_keep(rule->r->config, mem_array(node->count, sizeof *items));
    size_t count = 0;
    for (size_t i = 0; i < node->count; i++) {
        struct place place = below(at, node->children[i].line, NULL, i);
        const char *text = read_text(rule, &place, node->children[i].node, "text");
        bool twice_here = false;
        for (size_t k = 0; text != NULL && k < count; k++) {
            twice_here = twice_here || strcmp(items[k], text) == 0;
        }
        if (twice_here) {
            problem(rule, &place, "it is given twice");
        } else if (text != NULL && is_good(rule, &place, alone(&text))) {
            items[count++] = text;
        }
    }
    *list = items;
    return count;
}

// --- rules ---

static void read_rule(struct rule *rule, const struct place *at, const struct yaml_node *node)
{
    static const char *const known[] = {"allow", "deny", "methods", "paths", NULL};
    bool said[2] = {false, false};
    if (node->kind != YAML_KIND_MAPPING) {
        wrong(rule, at, node, "a rule like {allow: any-verified}");
        return;
    }
    for (size_t i = 0; i < node->count; i++) {
        const struct yaml_child *child = &node->children[i];
        struct place place = below(at, child->line, child->key, 0);
        bool allow = strcmp(child->key, "allow") == 0;
        if (twice(rule, node, child, &place)) {
            continue;
        }
        if (allow || strcmp(child->key, "deny") == 0) {
            said[allow] = true;
            rule->out.allow = allow;
            read_who(rule, &place, child->node);
        } else if (strcmp(child->key, "methods") == 0) {
            rule->out.method_count = read_list(rule, &place, child->node, rule_of_method, &rule->out.methods);
        } else if (strcmp(child->key, "paths") == 0) {
            rule->out.path_count = read_list(rule, &place, child->node, rule_of_path, &rule->out.paths);
        } else {
            rule->good = false;
            yaml_unknown_at(rule->r->doc, place.line, place.path, true, "field", child->key, known);
        }
    }
    if (said[0] == said[1]) {
        problem(rule, at,
                said[0] ? "it says both allow and deny; make two rules of it" : "it says neither allow nor deny");
    }
}

// Appends the rule once for each combination of its patterns.
static void combine(struct rule *rule, const struct place *at, size_t *cap)
{
    struct server_config *config = rule->r->config;
    size_t combinations = 1;
    for (size_t g = 0; g < rule->group_count; g++) {
        combinations *= rule->groups[g].count;
        if (combinations > COMBINATIONS_MOST) {
            problem(rule, at, "its lists make more than %d combinations; make several rules of it", COMBINATIONS_MOST);
            return;
        }
    }
    struct trust_rule *rules = (struct trust_rule *)(uintptr_t)config->rules;
    rules = mem_grow(rules, cap, sizeof *rules, config->rule_count + combinations);
    for (size_t n = 0; n < combinations; n++) {
        struct trust_match *matches = config_keep(config, mem_array(rule->group_count + 1, sizeof *matches));
        size_t rest = n;
        for (size_t g = 0; g < rule->group_count; g++) {
            matches[g] = rule->groups[g].items[rest % rule->groups[g].count];
            rest /= rule->groups[g].count;
        }
        rules[config->rule_count] = rule->out;
        rules[config->rule_count].matches = matches;
        rules[config->rule_count].number = config->memory->rules_written + 1;
        rules[config->rule_count++].match_count = rule->group_count;
    }
    config->rules = rules;
}

static const struct yaml_child *rules_child(const struct reading *r)
{
    const struct yaml_node *root = yaml_root(r->doc);
    for (size_t i = 0; root != NULL && root->kind == YAML_KIND_MAPPING && i < root->count; i++) {
        if (strcmp(root->children[i].key, "rules") == 0) {
            return &root->children[i];
        }
    }
    return NULL;
}

static void none(struct reading *r, int line)
{
    yaml_problem_at(r->doc, line, "",
                    "no rule says who is allowed; if every client with a good certificate is, write: "
                    "rules: [{allow: any-verified}]");
}

void config_read_rules(struct reading *r)
{
    struct config_memory *memory = r->config->memory;
    const struct yaml_child *child = rules_child(r);
    size_t cap = 0;
    int decided = 0; // the line of a rule that decides for everybody
    if (child == NULL) {
        none(r, 1);
        return;
    }
    if (child->node->kind != YAML_KIND_LIST) {
        yaml_expected_at(r->doc, child->line, "rules", child->node, "a list of rules like [{allow: any-verified}]");
        return;
    }
    if (child->node->count == 0) {
        none(r, child->line);
        return;
    }
    for (size_t i = 0; i < child->node->count; i++) {
        const struct yaml_child *item = &child->node->children[i];
        struct place at = below(&(struct place){.path = "rules"}, item->line, NULL, i);
        struct rule rule = {.r = r, .good = true};
        read_rule(&rule, &at, item->node);
        if (decided > 0) {
            problem(&rule, &at, "it is never reached: the rule in line %d decides for every client", decided);
        }
        if (rule.good) {
            bool everybody = rule.group_count + rule.out.method_count + rule.out.path_count == 0;
            decided = everybody ? item->line : 0;
            memory->rules_before = everybody && rule.out.allow ? i : memory->rules_before;
            r->config->any_verified = r->config->any_verified || (everybody && rule.out.allow);
            combine(&rule, &at, &cap);
        }
        memory->rules_written++;
    }
}
