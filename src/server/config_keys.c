// SPDX-License-Identifier: Apache-2.0
// The keys of a configuration: the table, and the walk through a file by it. docs/server.md is held against this table
// by a test.
#include "base/text.h"
#include "server/config_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SECOND = 1000, HOUR = 3600 * SECOND, KIB = 1024 };

#define OF(member) offsetof(struct server_config, member)
#define SAID(member) offsetof(struct reading, member)
#define TYPED(member) offsetof(struct server_source, member)
#define NO_OPTION NULL, 0

const struct config_key config_keys[] = {
    {"pki", value_read_path, SAID(pki), 0, 0, NULL, "--pki", TYPED(pki)},
    {"host", value_read_host, 0, 0, 0, "localhost", "--host", TYPED(host)},
    {"certificate", value_read_path, SAID(certificate), 0, 0, NULL, "--cert", TYPED(certificate)},
    {"key", value_read_path, SAID(key), 0, 0, NULL, "--key", TYPED(key)},
    {"anchors", value_read_paths, SAID(anchors), 0, 0, NULL, "--ca", TYPED(anchors)},
    {"intermediates", value_read_paths, SAID(intermediates), 0, 0, NULL, NO_OPTION},
    {"crls", value_read_paths, SAID(crls), 0, 0, NULL, "--crl", TYPED(crls)},
    {"revocation", value_read_words, OF(trust.revocation), 0, 0, NULL, NO_OPTION},
    {"unsafe", value_read_unsafe, 0, 0, 0, NULL, NO_OPTION},
    {"listen", value_read_addresses, OF(addresses), 0, 0, NULL, NO_OPTION}, // --bind: more than one text
    {"port", value_read_number, OF(port), 0, 65535, "8443", "--port", TYPED(port)},
    {"threads", value_read_number, OF(threads), 0, 256, "0", "--threads", TYPED(threads)},
    {"tls.versions", value_read_versions, 0, 0, 0, NULL, "--tls", TYPED(versions)},
    {"tls.tickets.lifetime", value_read_seconds, OF(tickets.lifetime), 0, 168 * (int64_t)HOUR, "1h", NO_OPTION},
    {"tls.tickets.key_file", value_read_path, SAID(key_file), 0, 0, NULL, NO_OPTION},
    {"limits.connections", value_read_number, OF(limits.connections), 1, 1000000, "16384", "--max-connections",
     TYPED(connections)},
    {"limits.connections_per_address", value_read_number, OF(limits.connections_per_address), 1, 1000000, "4096",
     NO_OPTION},
    {"limits.handshake", value_read_duration, OF(limits.handshake_ms), 100, HOUR, "10s", NO_OPTION},
    {"limits.header", value_read_duration, OF(limits.header_ms), 100, HOUR, "10s", NO_OPTION},
    {"limits.idle", value_read_duration, OF(limits.idle_ms), 100, 24 * HOUR, "60s", NO_OPTION},
    {"limits.drain", value_read_duration, OF(limits.drain_ms), 0, HOUR, "10s", NO_OPTION},
    {"limits.header_size", value_read_size, OF(limits.header), KIB, KIB *KIB, "16KiB", NO_OPTION},
    {"limits.body_size", value_read_size, OF(limits.body), 0, KIB *(int64_t)KIB *KIB, "1MiB", NO_OPTION},
    {"root", value_read_path, SAID(root), 0, 0, NULL, "--root", TYPED(root)},
    {"control", value_read_path, SAID(control), 0, 0, NULL, "--control", TYPED(control)},
    {"log.format", value_read_words, OF(log), 0, 0, "text", "--log", TYPED(log)},
    {"explain.connections", value_read_words, OF(explains), 0, 0, "none", "--explain", TYPED(explain)},
    {"explain.file", value_read_path, SAID(explain_file), 0, 0, NULL, NO_OPTION},
    {"explain.page", value_read_switch, OF(explain_page), 0, 0, "false", NO_OPTION},
    {"rules", NULL, 0, 0, 0, NULL, NO_OPTION}, // config_rules.c
};
const size_t config_key_count = sizeof config_keys / sizeof config_keys[0];

static const struct config_key *key_find(const char *path)
{
    for (size_t i = 0; i < config_key_count; i++) {
        if (strcmp(config_keys[i].path, path) == 0) {
            return &config_keys[i];
        }
    }
    return NULL;
}

static bool is_section(const char *path)
{
    size_t len = strlen(path);
    for (size_t i = 0; i < config_key_count; i++) {
        if (strncmp(config_keys[i].path, path, len) == 0 && config_keys[i].path[len] == '.') {
            return true;
        }
    }
    return false;
}

// The names of what a section ("" is the whole) may hold.
static void unknown_key(struct reading *r, const char *section, const char *typed, const struct place *at)
{
    char names[32][40];
    const char *known[33] = {NULL};
    size_t count = 0;
    size_t len = strlen(section);
    for (size_t i = 0; i < config_key_count && count < 32; i++) {
        const char *rest = config_keys[i].path + len + (len > 0);
        if (strncmp(config_keys[i].path, section, len) != 0 || (len > 0 && config_keys[i].path[len] != '.')) {
            continue;
        }
        snprintf(names[count], sizeof names[count], "%.*s", (int)strcspn(rest, "."), rest);
        if (count == 0 || strcmp(names[count - 1], names[count]) != 0) { // keys of one section stand together
            known[count] = names[count];
            count++;
        }
    }
    yaml_unknown_at(r->doc, at->line, at->path, true, "field", typed, known);
}

static bool given_twice(struct reading *r, const struct yaml_node *mapping, const struct yaml_child *child,
                        const struct place *at)
{
    for (const struct yaml_child *first = mapping->children; first != child; first++) {
        if (strcmp(first->key, child->key) == 0) {
            yaml_problem_at(r->doc, at->line, at->path, "given twice (first in line %d)", first->line);
            return true;
        }
    }
    return false;
}

static void walk(struct reading *r, const struct yaml_node *node, const char *section, int line)
{
    if (node->kind != YAML_KIND_MAPPING) {
        yaml_expected_at(r->doc, line, section, node, "a mapping of fields to values");
        return;
    }
    for (size_t i = 0; i < node->count; i++) {
        const struct yaml_child *child = &node->children[i];
        struct value value = {.at = {.line = child->line}, .node = child->node};
        struct buf path = {0};
        buf_printf(&path, "%s%s", section, section[0] == '\0' ? "" : ".");
        text_escape(&path, child->key, strlen(child->key), YAML_SHOWN);
        snprintf(value.at.path, sizeof value.at.path, "%s", (const char *)path.data);
        buf_clear(&path);
        bool plain = strchr(child->key, '.') == NULL; // "limits.idle: 5s" is not how that is written
        const struct config_key *key = plain ? key_find(value.at.path) : NULL;
        if (key == NULL && !(plain && is_section(value.at.path))) {
            unknown_key(r, section, child->key, &value.at);
        } else if (given_twice(r, node, child, &value.at)) {
            continue;
        } else if (key == NULL) {
            walk(r, child->node, value.at.path, child->line);
        } else if (key->read != NULL) {
            key->read(r, key, &value);
        }
    }
}

static void read_normal(struct reading *r)
{
    for (size_t i = 0; i < config_key_count; i++) {
        if (config_keys[i].normal != NULL) {
            struct value value = {.texts = &config_keys[i].normal, .count = 1};
            config_keys[i].read(r, &config_keys[i], &value);
        }
    }
}

static void read_options(struct reading *r)
{
    const struct server_source *source = r->source;
    for (size_t i = 0; i < config_key_count; i++) {
        const struct config_key *key = &config_keys[i];
        const void *from = (const char *)source + key->source;
        bool number = key->read == value_read_number;
        char digits[32];
        const char *text = digits;
        if (key->option == NULL || (number ? *(const long *)from < 0 : *(const char *const *)from == NULL)) {
            continue;
        }
        if (number) {
            snprintf(digits, sizeof digits, "%ld", *(const long *)from);
        } else {
            text = *(const char *const *)from;
        }
        key->read(r, key, &(struct value){.at = {.option = key->option}, .texts = &text, .count = 1});
    }
    if (source->address_count > 0) {
        value_read_addresses(
            r, key_find("listen"),
            &(struct value){.at = {.option = "--bind"}, .texts = source->addresses, .count = source->address_count});
    }
}

void config_read_keys(struct reading *r)
{
    read_normal(r);
    if (yaml_root(r->doc) != NULL) {
        walk(r, yaml_root(r->doc), "", 1);
    }
    read_options(r);
}
