// SPDX-License-Identifier: Apache-2.0
// Values: text into numbers, durations, sizes, words, addresses, paths.
#include "base/text.h"
#include "server/config_internal.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct unit {
    const char *name;
    int64_t factor;
};
static const struct unit durations[] = {{"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}, {"d", 86400000}, {0}};
static const struct unit sizes[] = {{"", 1}, {"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}, {0}};
static const struct unit counts[] = {{"", 1}, {0}};

static void *target(struct reading *r, const struct config_key *key)
{
    return (char *)r->config + key->offset;
}

static void bad(struct reading *r, const struct place *at, const char *typed, const char *what)
{
    struct buf b = {0};
    problem_value(&r->problems, r->config->name, at, "\"%s\" %s", text_escape(&b, typed, strlen(typed), YAML_SHOWN),
                  what);
    buf_clear(&b);
}

const char *value_text(struct reading *r, const struct value *value, const char *what)
{
    const struct yaml_node *node = value->node;
    if (node == NULL) {
        return value->count > 0 ? value->texts[value->count - 1] : NULL;
    }
    if (node->kind != YAML_KIND_TEXT || yaml_is_null(node)) {
        yaml_expected_at(r->doc, value->at.line, value->at.path, node, what);
        return NULL;
    }
    return node->text;
}

static bool is_earlier(struct reading *r, const struct item *items, size_t i)
{
    for (size_t k = 0; k < i; k++) {
        if (strcmp(items[k].text, items[i].text) == 0) {
            bad(r, &items[i].at, items[i].text, "is given twice");
            return true;
        }
    }
    return false;
}

size_t value_items(struct reading *r, const struct value *value, struct item **items)
{
    const struct yaml_node *node = value->node;
    if (node != NULL && node->kind == YAML_KIND_TEXT && !yaml_is_null(node)) {
        struct buf b = {0};
        text_escape(&b, node->text, strlen(node->text), YAML_SHOWN);
        yaml_problem_at(r->doc, value->at.line, value->at.path, "expected a list, found \"%s\"; write [\"%s\"]",
                        (const char *)b.data, (const char *)b.data);
        buf_clear(&b);
        return 0;
    }
    if (node != NULL && (node->kind != YAML_KIND_LIST || node->count == 0)) {
        yaml_expected_at(r->doc, value->at.line, value->at.path, node, "a list with at least one item");
        return 0;
    }
    size_t count = 0;
    size_t given = node == NULL ? value->count : node->count;
    *items = mem_array(given, sizeof **items);
    for (size_t i = 0; i < given; i++) {
        struct item *item = &(*items)[count];
        item->at = value->at;
        if (node == NULL) {
            item->text = value->texts[i];
        } else {
            const struct yaml_child *child = &node->children[i];
            snprintf(item->at.path, sizeof item->at.path, "%.120s[%zu]", value->at.path, i);
            item->at.line = child->line;
            item->text = value_text(r, &(struct value){.at = item->at, .node = child->node}, "text");
        }
        count += item->text != NULL && !is_earlier(r, *items, count);
    }
    return count;
}

// --- numbers ---

// "10" with a unit of the list behind it; false: it is no such thing.
static bool scaled(const char *text, const struct unit *units, int64_t *value)
{
    size_t digits = strspn(text, "0123456789");
    if (digits == 0 || digits > 12 || (text[0] == '0' && digits > 1)) {
        return false;
    }
    for (const struct unit *u = units; u->name != NULL; u++) {
        if (strcmp(text + digits, u->name) == 0) {
            *value = strtoll(text, NULL, 10) * u->factor; // 12 digits times 86,400,000 stay below 2^63
            return true;
        }
    }
    return false;
}

// In the largest unit that says it without a fraction.
static void words_of(int64_t value, const struct unit *units, char words[32])
{
    const struct unit *best = units;
    for (const struct unit *u = units; u->name != NULL; u++) {
        best = value % u->factor == 0 && (value > 0 || u->factor == units[0].factor * 1000) ? u : best; // "0s"
    }
    snprintf(words, 32, "%" PRId64 "%s", value / best->factor, best->name);
}

const char *value_limits(const struct config_key *key, char text[VALUE_LIMITS])
{
    char words[2][32];
    const struct unit *units = key->read == value_read_number ? counts
                               : key->read == value_read_size ? sizes
                                                              : durations;
    text[0] = '\0';
    if (key->most > 0) {
        words_of(key->least, units, words[0]);
        words_of(key->most, units, words[1]);
        snprintf(text, VALUE_LIMITS, "%s to %s", words[0], words[1]);
    }
    return text;
}

static bool read_scaled(struct reading *r, const struct config_key *key, const struct value *value,
                        const struct unit *units, const char *what, const char *wrong, int64_t *n)
{
    char limits[VALUE_LIMITS];
    const char *text = value_text(r, value, what);
    if (text == NULL) {
        return false;
    }
    if (!scaled(text, units, n)) {
        bad(r, &value->at, text, wrong);
        return false;
    }
    if (*n < key->least || *n > key->most) {
        problem_value(&r->problems, r->config->name, &value->at, "%s is out of range (%s)", text,
                      value_limits(key, limits));
        return false;
    }
    return true;
}

void value_read_number(struct reading *r, const struct config_key *key, const struct value *value)
{
    int64_t n;
    if (read_scaled(r, key, value, counts, "a whole number", "is not a whole number", &n)) {
        *(unsigned *)target(r, key) = (unsigned)n;
    }
}

void value_read_duration(struct reading *r, const struct config_key *key, const struct value *value)
{
    int64_t ms;
    if (read_scaled(r, key, value, durations, "a duration, such as 10s",
                    "is not a duration; write it like 500ms, 10s, 2m, 12h or 1d", &ms)) {
        *(unsigned *)target(r, key) = (unsigned)ms;
    }
}

void value_read_seconds(struct reading *r, const struct config_key *key, const struct value *value)
{
    int64_t ms;
    if (read_scaled(r, key, value, durations, "a duration, such as 1h",
                    "is not a duration; write it like 10s, 2m, 12h or 1d; 0s turns it off", &ms)) {
        *(int64_t *)target(r, key) = ms / 1000;
    }
}

void value_read_size(struct reading *r, const struct config_key *key, const struct value *value)
{
    int64_t bytes;
    if (read_scaled(r, key, value, sizes, "a size, such as 1MiB",
                    "is not a size; write bytes, or like 16KiB, 1MiB, 1GiB", &bytes)) {
        *(size_t *)target(r, key) = (size_t)bytes;
    }
}

// --- words ---

struct word {
    const char *word;
    int value;
};
static const struct word revocations[] = {
    {"require", TRUST_REVOCATION_REQUIRE}, {"prefer", TRUST_REVOCATION_PREFER}, {"off", TRUST_REVOCATION_OFF}, {0}};
static const struct word log_formats[] = {{"text", LOG_TEXT}, {"json", LOG_JSON}, {0}};
static const struct word explains[] = {
    {"none", SERVER_EXPLAINS_NONE}, {"refused", SERVER_EXPLAINS_REFUSED}, {"all", SERVER_EXPLAINS_ALL}, {0}};
static const struct word switches[] = {{"true", true}, {"false", false}, {0}};
enum { LEGACY_RSA = 1 << 16 }; // beside TRUST_UNSAFE_*
static const struct word relaxations[] = {{"any-ext-key-usage", TRUST_UNSAFE_ANY_EXT_KEY_USAGE},
                                          {"no-ext-key-usage", TRUST_UNSAFE_NO_EXT_KEY_USAGE},
                                          {"no-digital-signature", TRUST_UNSAFE_NO_DIGITAL_SIGNATURE},
                                          {"ca-leaf", TRUST_UNSAFE_CA_LEAF},
                                          {"legacy-rsa", LEGACY_RSA},
                                          {0}};
enum { HAS_1_2 = 1, HAS_1_3 = 2 };
static const struct word versions[] = {{"1.2", HAS_1_2}, {"1.3", HAS_1_3}, {0}};

static bool read_word(struct reading *r, const struct place *at, const struct word *words, const char *what,
                      const char *typed, int *value)
{
    const char *known[8] = {NULL};
    for (size_t i = 0; words[i].word != NULL; i++) {
        known[i] = words[i].word;
        if (strcmp(words[i].word, typed) == 0) {
            *value = words[i].value;
            return true;
        }
    }
    if (at->option == NULL) {
        yaml_unknown_at(r->doc, at->line, at->path, false, what, typed, known);
    } else {
        struct buf list = {0};
        text_list(&list, known);
        problem_value(&r->problems, r->config->name, at, "unknown %s \"%s\" (one of: %s)", what, typed,
                      (const char *)list.data);
        buf_clear(&list);
    }
    return false;
}

void value_read_words(struct reading *r, const struct config_key *key, const struct value *value)
{
    static const struct {
        size_t offset;
        const struct word *words;
        const char *what;
    } kinds[] = {{offsetof(struct server_config, trust.revocation), revocations, "require, prefer or off"},
                 {offsetof(struct server_config, log), log_formats, "text or json"},
                 {offsetof(struct server_config, explains), explains, "none, refused or all"}};
    size_t i = 0;
    int found;
    while (kinds[i].offset != key->offset) {
        i++;
    }
    const char *text = value_text(r, value, kinds[i].what);
    if (text == NULL || !read_word(r, &value->at, kinds[i].words, "word", text, &found)) {
        return;
    }
    if (kinds[i].words == log_formats) {
        r->config->log = (enum log_format)found;
    } else if (kinds[i].words == explains) {
        r->config->explains = (enum server_explains)found;
    } else {
        r->config->trust.revocation = (enum trust_revocation)found;
        r->revocation = value->at;
    }
}

void value_read_switch(struct reading *r, const struct config_key *key, const struct value *value)
{
    const char *text = value_text(r, value, "true or false");
    int found;
    if (text != NULL && read_word(r, &value->at, switches, "word", text, &found)) {
        *(bool *)((char *)r->config + key->offset) = found != 0;
    }
}

// All the words of a list, or-ed; 0: there is a problem.
static unsigned read_words(struct reading *r, const struct value *value, const struct word *words, const char *what)
{
    struct item *items = NULL;
    unsigned all = 0;
    size_t count = value_items(r, value, &items);
    for (size_t i = 0; i < count; i++) {
        int one = 0;
        if (read_word(r, &items[i].at, words, what, items[i].text, &one)) {
            all |= (unsigned)one;
        }
    }
    free(items);
    return all;
}

void value_read_versions(struct reading *r, const struct config_key *key, const struct value *value)
{
    (void)key;
    static const enum tls_versions sets[] = {TLS_1_2_AND_1_3, TLS_1_2_ONLY, TLS_1_3_ONLY, TLS_1_2_AND_1_3};
    r->config->versions = sets[read_words(r, value, versions, "version")];
}

void value_read_unsafe(struct reading *r, const struct config_key *key, const struct value *value)
{
    (void)key;
    unsigned all = read_words(r, value, relaxations, "relaxation");
    r->config->trust.unsafe = all & ~(unsigned)LEGACY_RSA;
    r->config->legacy_rsa = (all & LEGACY_RSA) != 0;
}

void value_read_host(struct reading *r, const struct config_key *key, const struct value *value)
{
    (void)key;
    const char *text = value_text(r, value, "a name");
    struct buf escaped = {0};
    if (text == NULL) {
        return;
    }
    bool visible = strcmp(text_escape(&escaped, text, strlen(text), SIZE_MAX), text) == 0;
    if (text[0] == '\0' || strchr(text, '/') != NULL || !visible) {
        bad(r, &value->at, text, "cannot be the name of a host");
    } else {
        r->config->host = config_keep(r->config, mem_strdup(text));
        r->host = value->at;
    }
    buf_clear(&escaped);
}

// --- paths ---

static bool read_path(struct reading *r, const struct item *item, struct file_value *file)
{
    if (item->text[0] == '\0') {
        problem_value(&r->problems, r->config->name, &item->at, "it is empty");
        return false;
    }
    bool relative = item->text[0] != '/' && item->at.option == NULL;
    file->path = config_keep(r->config, mem_printf("%s%s", relative ? r->folder : "", item->text));
    file->at = item->at;
    return true;
}

void value_read_path(struct reading *r, const struct config_key *key, const struct value *value)
{
    struct file_value *file = (struct file_value *)(void *)((char *)r + key->offset);
    struct item item = {.text = value_text(r, value, "a path"), .at = value->at};
    file->said = true;
    if (item.text != NULL) {
        read_path(r, &item, file);
    }
}

void value_read_paths(struct reading *r, const struct config_key *key, const struct value *value)
{
    struct file_list *list = (struct file_list *)(void *)((char *)r + key->offset);
    struct item *items = NULL;
    size_t count = value_items(r, value, &items);
    list->said = true;
    list->items = config_keep(r->config, mem_array(count + 1, sizeof *list->items));
    list->count = 0;
    for (size_t i = 0; i < count; i++) {
        list->count += read_path(r, &items[i], &list->items[list->count]);
    }
    free(items);
}

// --- addresses ---

// ADDRESS, ADDRESS:PORT or [ADDRESS]:PORT. False: there is a problem.
static bool read_address(struct reading *r, const struct item *item, struct server_address *address, unsigned *port)
{
    struct in_addr in;
    struct in6_addr in6;
    char ip[INET6_ADDRSTRLEN];
    const char *text = item->text;
    const char *colon = strrchr(text, ':');
    bool brackets = text[0] == '[';
    size_t len = strlen(text);
    *port = PORT_NONE;
    if (brackets ? colon != NULL && colon[-1] == ']' : colon != NULL && strchr(text, ':') == colon) {
        int64_t n;
        if (!scaled(colon + 1, counts, &n) || n > 65535) {
            bad(r, &item->at, text, "has a port that is not a number from 0 to 65535");
            return false;
        }
        *port = (unsigned)n;
        len = (size_t)(colon - text);
    }
    bool closed = !brackets || (len >= 2 && text[len - 1] == ']');
    char *bare = brackets && closed ? mem_strndup(text + 1, len - 2) : mem_strndup(text, len);
    bool is_4 = !brackets && inet_pton(AF_INET, bare, &in) == 1;
    bool is_6 = closed && inet_pton(AF_INET6, bare, &in6) == 1;
    free(bare);
    if (!is_4 && !is_6) {
        bad(r, &item->at, text, "is not an IP address");
        return false;
    }
    inet_ntop(is_4 ? AF_INET : AF_INET6, is_4 ? (const void *)&in : &in6, ip, sizeof ip);
    address->ip = config_keep(r->config, mem_strdup(ip));
    return true;
}

void value_read_addresses(struct reading *r, const struct config_key *key, const struct value *value)
{
    (void)key;
    struct server_config *config = r->config;
    struct item *items = NULL;
    size_t count = value_items(r, value, &items);
    config->addresses = config_keep(config, mem_array(count + 1, sizeof *config->addresses));
    r->ports = config_keep(config, mem_array(count + 1, sizeof *r->ports));
    config->address_count = 0;
    if (count > SERVER_ADDRESSES_MOST) {
        problem_value(&r->problems, config->name, &value->at, "%zu addresses; there may be %d", count,
                      SERVER_ADDRESSES_MOST);
    }
    for (size_t i = 0; i < count; i++) {
        size_t at = config->address_count;
        if (!read_address(r, &items[i], &config->addresses[at], &r->ports[at])) {
            continue;
        }
        for (size_t k = 0; k < at; k++) {
            if (strcmp(config->addresses[k].ip, config->addresses[at].ip) == 0 && r->ports[k] == r->ports[at]) {
                bad(r, &items[i].at, items[i].text, "is the same as one before it");
            }
        }
        config->address_count++;
    }
    free(items);
}
