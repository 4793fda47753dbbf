// SPDX-License-Identifier: Apache-2.0
// Lines and words, keys, and what was made under which name.
#include "paths.h"

#include <mbedtls/rsa.h>
#include <stdio.h>
#include <stdlib.h>

// Words are cut at spaces that are not within (parentheses) or "double quotes"; the latter are taken out. A # at a
// word's start begins a comment.
int line_split(struct line *line, const char *text, struct err *e)
{
    *line = (struct line){.text = mem_strdup(text)};
    char *in = line->text;
    char *out = line->text;
    for (;;) {
        bool quoted = false;
        int depth = 0;
        in += strspn(in, " \t\n");
        if (*in == '\0' || *in == '#') {
            return 0;
        }
        if (line->count == WORDS_MOST) {
            return err_set(e, "more than %d words", WORDS_MOST);
        }
        line->words[line->count++] = out;
        for (; *in != '\0' && (quoted || depth > 0 || strchr(" \t\n", *in) == NULL); in++) {
            depth += quoted ? 0 : (*in == '(') - (*in == ')');
            if (*in == '"') {
                quoted = !quoted;
            } else {
                *out++ = *in;
            }
        }
        in += *in != '\0'; // what ends this word may be overwritten
        *out++ = '\0';
        if (quoted) {
            return err_set(e, "a quote is not closed");
        }
    }
}

void line_clear(struct line *line)
{
    free(line->text);
    *line = (struct line){0};
}

bool line_attribute(const struct line *line, size_t *at, struct attribute *attribute)
{
    if (*at >= line->count || strcmp(line->words[*at], "->") == 0) {
        return false;
    }
    char *word = line->words[(*at)++];
    char *equals = strchr(word, '=');
    static const char yes[] = "";
    attribute->value = yes;
    if (equals != NULL) {
        *equals = '\0'; // lines are read once
        attribute->value = equals + 1;
    }
    attribute->key = word;
    return true;
}

int each_word(const char *list, int (*each)(void *arg, const char *word, struct err *e), void *arg, struct err *e)
{
    char *copy = mem_strdup(list);
    char *rest = NULL;
    int rc = 0;
    for (char *word = strtok_r(copy, ",", &rest); rc == 0 && word != NULL; word = strtok_r(NULL, ",", &rest)) {
        rc = each(arg, word, e);
    }
    free(copy);
    return rc;
}

int world_begin(struct world *w, struct err *e)
{
    *w = (struct world){0};
    return rng_init(&w->rng, e);
}

void world_forget(struct world *w)
{
    while (w->made != NULL) {
        struct made *m = w->made;
        w->made = m->next;
        free(m->name);
        free(m->subject);
        buf_clear(&m->serial);
        buf_clear(&m->der);
        free(m);
    }
}

void world_end(struct world *w)
{
    world_forget(w);
    while (w->keys != NULL) {
        struct path_key *key = w->keys;
        w->keys = key->next;
        mbedtls_pk_free(&key->pk);
        free(key->name);
        free(key);
    }
    rng_clear(&w->rng);
}

static int make_key(struct world *w, struct path_key *key, struct err *e)
{
    unsigned bits = 0;
    size_t prefix = strcspn(key->name, ".");
    if (sscanf(key->name, "rsa-%u", &bits) == 1) {
        mbedtls_pk_init(&key->pk);
        int code = mbedtls_pk_setup(&key->pk, mbedtls_pk_info_from_type(MBEDTLS_PK_RSA));
        if (code == 0) {
            code = mbedtls_rsa_gen_key(mbedtls_pk_rsa(key->pk), rng_bytes, &w->rng, bits, 65537);
        }
        return code == 0 ? 0 : err_mbedtls(e, code, "making an RSA key of %u bits", bits);
    }
    enum key_type type = KEY_ec_p256;
    for (int i = 0; i < KEY_TYPE_COUNT; i++) {
        const char *name = key_type_name((enum key_type)i);
        if (strlen(name) == prefix && strncmp(name, key->name, prefix) == 0) {
            type = (enum key_type)i;
        }
    }
    return key_generate(type, &w->rng, &key->pk, e);
}

struct path_key *world_key(struct world *w, const char *name, struct err *e)
{
    struct path_key *key = w->keys;
    while (key != NULL && strcmp(key->name, name) != 0) {
        key = key->next;
    }
    if (key != NULL) {
        return key;
    }
    key = mem_alloc(sizeof *key);
    key->name = mem_strdup(name);
    if (make_key(w, key, e) != 0 || key_id(&key->pk, key->id, e) != 0) {
        mbedtls_pk_free(&key->pk);
        free(key->name);
        free(key);
        return NULL;
    }
    key->next = w->keys;
    w->keys = key;
    return key;
}

struct made *world_find(const struct world *w, const char *name, struct err *e)
{
    for (struct made *m = w->made; m != NULL; m = m->next) {
        if (strcmp(m->name, name) == 0) {
            return m;
        }
    }
    err_set(e, "there is no %s", name);
    return NULL;
}

int world_issuer(const struct world *w, const char *name, char **subject, struct path_key **key, struct err *e)
{
    struct made *issuer = world_find(w, name, e);
    if (issuer == NULL) {
        return -1;
    }
    free(*subject);
    *subject = mem_strdup(issuer->subject);
    *key = issuer->key;
    return 0;
}

struct made *world_add(struct world *w, const char *name, bool is_list)
{
    struct made *m = mem_alloc(sizeof *m);
    *m = (struct made){.name = mem_strdup(name), .is_list = is_list, .copies = 1, .next = w->made};
    w->made = m;
    return m;
}
