// SPDX-License-Identifier: Apache-2.0
// The key log: lines of "LABEL random secret" in hexadecimal.
#include "base/text.h"
#include "explain/internal.h"

#include <mbedtls/platform_util.h>
#include <stdlib.h>
#include <string.h>

enum { LABEL_MOST = 48, LINE_MOST = 512 };

struct key {
    char label[LABEL_MOST];
    uint8_t random[EXPLAIN_RANDOM];
    struct traffic_secret secret;
};

struct explain_keys {
    struct key *items;
    size_t count, cap;
};

struct explain_keys *explain_keys_new(void)
{
    return mem_alloc(sizeof(struct explain_keys));
}

void explain_keys_free(struct explain_keys *keys)
{
    if (keys != NULL) {
        if (keys->items != NULL) {
            mbedtls_platform_zeroize(keys->items, keys->count * sizeof *keys->items);
        }
        free(keys->items);
        free(keys);
    }
}

// As mem_grow, but what was there is zeroised.
static void make_room(struct explain_keys *keys)
{
    if (keys->count == keys->cap) {
        size_t cap = keys->cap == 0 ? 16 : 2 * keys->cap;
        struct key *items = mem_array(cap, sizeof *items);
        if (keys->count > 0) {
            memcpy(items, keys->items, keys->count * sizeof *items);
            mbedtls_platform_zeroize(keys->items, keys->count * sizeof *items);
        }
        free(keys->items);
        keys->items = items;
        keys->cap = cap;
    }
}

void explain_keys_add(struct explain_keys *keys, const char *label, const uint8_t random[EXPLAIN_RANDOM],
                      struct span secret)
{
    size_t len = strlen(label);
    if (secret.len == 0 || secret.len > SECRET_MOST || len >= LABEL_MOST) {
        return;
    }
    make_room(keys);
    struct key *key = &keys->items[keys->count++];
    memcpy(key->label, label, len + 1);
    memcpy(key->random, random, EXPLAIN_RANDOM);
    memcpy(key->secret.data, secret.data, secret.len);
    key->secret.len = secret.len;
}

static bool read_line(struct explain_keys *keys, char *line)
{
    char *rest = NULL;
    const char *label = strtok_r(line, " ", &rest);
    const char *random = strtok_r(NULL, " ", &rest);
    const char *secret = strtok_r(NULL, " \r", &rest);
    struct buf random_octets = {0};
    struct buf secret_octets = {0};
    bool good = label != NULL && label[0] != '#' && secret != NULL && text_unhex(random, &random_octets) &&
                random_octets.len == EXPLAIN_RANDOM && text_unhex(secret, &secret_octets);
    size_t before = keys->count;
    if (good) {
        explain_keys_add(keys, label, random_octets.data, buf_span(&secret_octets));
    }
    buf_clear(&random_octets);
    buf_clear(&secret_octets);
    return keys->count > before;
}

size_t explain_keys_read(struct explain_keys *keys, struct span text)
{
    size_t found = 0;
    char line[LINE_MOST];
    while (text.len > 0) {
        const uint8_t *end = memchr(text.data, '\n', text.len);
        size_t len = end != NULL ? (size_t)(end - text.data) : text.len;
        if (len < sizeof line) {
            memcpy(line, text.data, len);
            line[len] = '\0';
            found += read_line(keys, line);
        }
        len += end != NULL;
        text = span_of(text.data + len, text.len - len);
    }
    mbedtls_platform_zeroize(line, sizeof line);
    return found;
}

bool keys_find(const struct explain_keys *keys, const char *label, const uint8_t random[EXPLAIN_RANDOM],
               struct traffic_secret *secret)
{
    for (size_t i = keys == NULL ? 0 : keys->count; i-- > 0;) { // the last one counts
        if (memcmp(keys->items[i].random, random, EXPLAIN_RANDOM) == 0 && strcmp(keys->items[i].label, label) == 0) {
            *secret = keys->items[i].secret;
            return true;
        }
    }
    return false;
}
