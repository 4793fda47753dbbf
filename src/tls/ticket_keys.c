// SPDX-License-Identifier: Apache-2.0
#include "tls/ticket_keys.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/text.h"
#include "tls/tls.h"

#include <mbedtls/platform_util.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define WORD "mtls-ticket-key"
enum { FILE_MOST = 64 * 1024 };

int ticket_ring_add(struct ticket_ring *ring, const struct ticket_key *key, struct err *e)
{
    size_t at = ring->count;
    if (ring->count == TICKET_KEYS_MOST) {
        return err_set(e, "there are more than %d ticket keys", TICKET_KEYS_MOST);
    }
    for (size_t i = 0; i < ring->count; i++) {
        if (memcmp(ring->keys[i].name, key->name, sizeof key->name) == 0) {
            return err_set(e, "two ticket keys have the same name");
        }
    }
    while (at > 0 && ring->keys[at - 1].from > key->from) {
        at--;
    }
    memmove(&ring->keys[at + 1], &ring->keys[at], (ring->count - at) * sizeof ring->keys[0]);
    ring->keys[at] = *key;
    ring->count++;
    return 0;
}

int ticket_ring_make(struct ticket_ring *ring, int64_t from, struct rng *rng, struct err *e)
{
    struct ticket_key key = {.from = from};
    int code = rng_bytes(rng, key.name, sizeof key.name);
    if (code == 0) {
        code = rng_bytes(rng, key.key, sizeof key.key);
    }
    int rc = code == 0 ? ticket_ring_add(ring, &key, e) : err_mbedtls(e, code, "making a ticket key");
    mbedtls_platform_zeroize(&key, sizeof key);
    return rc;
}

// A key seals until the next one does, and what it sealed last lives for a lifetime more.
static bool is_needed(const struct ticket_ring *ring, size_t i, int64_t lifetime, int64_t now)
{
    return i + 1 == ring->count || ring->keys[i + 1].from > now - lifetime;
}

void ticket_ring_drop(struct ticket_ring *ring, int64_t lifetime, int64_t now)
{
    size_t first = 0;
    while (first < ring->count && !is_needed(ring, first, lifetime, now)) {
        first++;
    }
    memmove(&ring->keys[0], &ring->keys[first], (ring->count - first) * sizeof ring->keys[0]);
    ring->count -= first;
    mbedtls_platform_zeroize(&ring->keys[ring->count], first * sizeof ring->keys[0]);
}

void ticket_ring_clear(struct ticket_ring *ring)
{
    mbedtls_platform_zeroize(ring, sizeof *ring);
}

const struct ticket_key *ticket_ring_sealing(const struct ticket_ring *ring, int64_t now)
{
    const struct ticket_key *found = NULL;
    for (size_t i = 0; i < ring->count && ring->keys[i].from <= now; i++) {
        found = &ring->keys[i];
    }
    return found;
}

const struct ticket_key *ticket_ring_opening(const struct ticket_ring *ring, const uint8_t name[TICKET_KEY_NAME],
                                             int64_t lifetime, int64_t now)
{
    for (size_t i = 0; i < ring->count; i++) {
        if (memcmp(ring->keys[i].name, name, TICKET_KEY_NAME) == 0) {
            return is_needed(ring, i, lifetime, now) ? &ring->keys[i] : NULL;
        }
    }
    return NULL;
}

static int read_hex(const char *text, const char *what, uint8_t *out, size_t len, struct err *e)
{
    struct buf octets = {0};
    int rc = 0;
    if (strlen(text) != 2 * len || !text_unhex(text, &octets) || octets.len != len) {
        rc = err_set(e, "the %s must be %zu hexadecimal digits", what, 2 * len); // and is not repeated: it is secret
    } else {
        memcpy(out, octets.data, len);
    }
    buf_clear(&octets);
    return rc;
}

static int read_line(struct ticket_ring *ring, char *line, struct err *e)
{
    struct ticket_key key = {0};
    char *words[6] = {NULL};
    char *rest = NULL;
    size_t count = 0;
    for (char *word = strtok_r(line, " \t\r", &rest); word != NULL && count < 6;
         word = strtok_r(NULL, " \t\r", &rest)) {
        words[count++] = word;
    }
    if (count == 0 || words[0][0] == '#') {
        return 0;
    }
    int rc = -1;
    if (count != 5 || strcmp(words[0], WORD) != 0) {
        err_set(e, "expected \"" WORD " 1 NAME KEY FROM\"");
    } else if (strcmp(words[1], "1") != 0) {
        err_set(e, "this version of mtls knows ticket keys of kind 1 only");
    } else if (read_hex(words[2], "name", key.name, sizeof key.name, e) == 0 &&
               read_hex(words[3], "key", key.key, sizeof key.key, e) == 0 &&
               clock_parse(words[4], 0, &key.from, e) == 0) {
        rc = clock_is_relative(words[4]) ? err_set(e, "the time must be absolute, as 2026-11-23T14:00:00Z is")
                                         : ticket_ring_add(ring, &key, e);
    }
    mbedtls_platform_zeroize(&key, sizeof key);
    return rc;
}

// Under these keys anybody can be anyone: a file that others may read is a mistake to be mended, not to be served from.
static int check_mode(const char *file, struct err *e)
{
    struct stat st;
    if (stat(file, &st) != 0) {
        return err_errno(e, "opening %s", file);
    }
    if ((st.st_mode & 077) != 0) {
        return err_set(e, "%s holds secrets, but its mode is %04o: chmod 600 %s", file, st.st_mode & 07777, file);
    }
    return 0;
}

int ticket_ring_read(struct ticket_ring *ring, const char *file, struct err *e)
{
    struct buf text = {0};
    unsigned number = 1;
    int rc = check_mode(file, e) == 0 ? file_read(file, FILE_MOST, &text, e) : -1;
    if (rc == 0 && text.len != 0 && memchr(text.data, '\0', text.len) != NULL) {
        rc = err_set(e, "%s is not a text file", file);
    }
    char *next = (char *)text.data;
    while (rc == 0 && next != NULL && *next != '\0') {
        char *line = next;
        next = strchr(line, '\n');
        if (next != NULL) {
            *next++ = '\0';
        }
        rc = read_line(ring, line, e);
        if (rc != 0) {
            err_context(e, "%s:%u", file, number);
        }
        number++;
    }
    if (rc == 0 && ring->count == 0) {
        rc = err_set(e, "%s has no ticket key; make one: mtls ticket-key %s", file, file);
    }
    buf_clear(&text);
    return rc;
}

int ticket_ring_write(const struct ticket_ring *ring, const char *file, struct err *e)
{
    struct buf text = {0};
    char from[CLOCK_TEXT];
    buf_text(&text,
             "# Session ticket keys: name, key, and when it starts to seal. Whoever reads them can be any client.\n"
             "# Made by mtls ticket-key; every replica gets the same file.\n");
    for (size_t i = 0; i < ring->count; i++) {
        buf_text(&text, WORD " 1 ");
        text_hex(&text, ring->keys[i].name, sizeof ring->keys[i].name, '\0');
        buf_text(&text, " ");
        text_hex(&text, ring->keys[i].key, sizeof ring->keys[i].key, '\0');
        buf_printf(&text, " %s\n", clock_rfc3339(ring->keys[i].from, from));
    }
    int rc = file_write(file, buf_span(&text), FILE_SECRET, e);
    buf_clear(&text);
    return rc;
}

int tls_ticket_keys_rotate(const char *file, int64_t *from, int64_t now, struct err *e)
{
    struct ticket_ring ring = {.count = 0};
    struct rng rng;
    int rc = rng_init(&rng, e);
    if (rc == 0 && file_exists(file)) {
        rc = ticket_ring_read(&ring, file, e);
        if (rc == 0) {
            ticket_ring_drop(&ring, TICKET_LIFETIME_MOST, now);
        }
    } else {
        *from = now; // without it no ticket could be sealed until then
    }
    if (rc == 0) {
        rc = ticket_ring_make(&ring, *from, &rng, e);
    }
    if (rc == 0) {
        rc = ticket_ring_write(&ring, file, e);
    }
    rng_clear(&rng);
    ticket_ring_clear(&ring);
    return rc;
}
