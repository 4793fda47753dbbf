// SPDX-License-Identifier: Apache-2.0
#include "base/clock.h"
#include "base/name_text.h"
#include "base/text.h"
#include "trust/internal.h"

#include <stdlib.h>
#include <string.h>

enum { NAMES_MOST = 100 };

const char *trust_name_word(enum trust_name_type type)
{
    static const char *const words[] = {
        [TRUST_NAME_DNS] = "dns", [TRUST_NAME_IP] = "ip",       [TRUST_NAME_EMAIL] = "email",
        [TRUST_NAME_URI] = "uri", [TRUST_NAME_OTHER] = "other",
    };
    return words[type];
}

// Exactly as long as needed: there is one identity for each connection.
static struct span copy(struct span octets)
{
    uint8_t *data = mem_alloc(octets.len);
    if (octets.len > 0) {
        memcpy(data, octets.data, octets.len);
    }
    return span_of(data, octets.len);
}

static char *take_text(struct buf *b)
{
    char *text = mem_strdup((const char *)b->data);
    buf_clear(b);
    return text;
}

char *trust_name_of_der(struct span name)
{
    struct buf b = {0};
    display_name(&b, name);
    return take_text(&b);
}

static char *hex_of(const void *data, size_t len)
{
    struct buf b = {0};
    text_hex(&b, data, len, '\0');
    return take_text(&b);
}

static bool fill_names(struct trust_identity *identity, struct span names)
{
    struct err ignored = ERR_INIT;
    struct der_item item;
    size_t cap = 0;
    while (identity->name_count < NAMES_MOST && names.len > 0 && der_next(&names, &item, &ignored) == 0) {
        identity->names = mem_grow(identity->names, &cap, sizeof *identity->names, identity->name_count + 1);
        struct trust_name *name = &identity->names[identity->name_count++];
        display_general_name(name, &item);
        name->octets = copy(item.content);
    }
    return names.len == 0;
}

static void fill_attribute(struct trust_attribute *to, const struct name_attribute *from)
{
    struct buf type = {0};
    struct buf value = {0};
    struct buf octets = {0};
    bool is_text = name_value_text(&from->value, &octets);
    name_type_to_text(from->type, &type);
    display_attribute_value(&value, &from->value);
    to->octets = copy(is_text ? buf_span(&octets) : (struct span){0});
    to->type = take_text(&type);
    to->value = take_text(&value);
    buf_clear(&octets);
}

static bool fill_attributes(struct trust_identity *identity, struct span subject)
{
    struct err ignored = ERR_INIT;
    struct name_reader reader;
    struct name_attribute attribute;
    size_t cap = 0;
    int more = name_reader_open(&reader, subject, &ignored) == 0 ? 1 : -1;
    while (more > 0 && (more = name_reader_next(&reader, &attribute, &ignored)) > 0) {
        if (identity->attribute_count == NAMES_MOST) {
            return false;
        }
        identity->attributes =
            mem_grow(identity->attributes, &cap, sizeof *identity->attributes, identity->attribute_count + 1);
        fill_attribute(&identity->attributes[identity->attribute_count++], &attribute);
    }
    return more == 0;
}

struct trust_identity *identity_of(const struct certificate *c, bool digests)
{
    if (digests && !c->digested) {
        return NULL;
    }
    struct trust_identity *identity = mem_alloc(sizeof *identity);
    identity->fingerprint = hex_of(c->digest, digests ? sizeof c->digest : 0);
    identity->key_pin = hex_of(c->key_pin, digests ? sizeof c->key_pin : 0);
    identity->subject = trust_name_of_der(c->subject);
    identity->issuer = trust_name_of_der(c->issuer);
    identity->serial = hex_of(c->serial.data, c->serial.len);
    bool all_names = fill_names(identity, c->names);
    bool all_attributes = fill_attributes(identity, c->subject);
    identity->complete = all_names && all_attributes;
    identity->not_before = c->not_before;
    identity->not_after = c->not_after;
    identity->tls_version = "";
    return identity;
}

struct trust_identity *identity_copy_of(const struct trust_identity *from)
{
    struct trust_identity *to = mem_alloc(sizeof *to);
    *to = *from;
    to->subject = mem_strdup(from->subject);
    to->issuer = mem_strdup(from->issuer);
    to->serial = mem_strdup(from->serial);
    to->fingerprint = mem_strdup(from->fingerprint);
    to->key_pin = mem_strdup(from->key_pin);
    to->names = mem_array(from->name_count, sizeof *to->names);
    for (size_t i = 0; i < from->name_count; i++) {
        const struct trust_name *name = &from->names[i];
        to->names[i] =
            (struct trust_name){.type = name->type, .text = mem_strdup(name->text), .octets = copy(name->octets)};
    }
    to->attributes = mem_array(from->attribute_count, sizeof *to->attributes);
    for (size_t i = 0; i < from->attribute_count; i++) {
        const struct trust_attribute *attribute = &from->attributes[i];
        to->attributes[i] = (struct trust_attribute){.type = mem_strdup(attribute->type),
                                                     .value = mem_strdup(attribute->value),
                                                     .octets = copy(attribute->octets)};
    }
    return to;
}

struct trust_identity *trust_identity_new(struct span leaf, const char *tls_version, bool resumed, struct err *e)
{
    struct trust_identity *identity = NULL;
    struct certificate *c = certificate_read(leaf);
    if (!c->readable) {
        err_set(e, "reading the peer's certificate: %s", c->why);
        goto out;
    }
    identity = identity_of(c, true);
    if (identity == NULL) {
        err_set(e, "reading the peer's certificate: SHA-256 does not work");
        goto out;
    }
    identity->tls_version = tls_version;
    identity->resumed = resumed;
out:
    certificate_free(c);
    return identity;
}

const char *identity_label(const struct trust_identity *identity)
{
    return identity->subject[0] != '\0' ? identity->subject
           : identity->name_count > 0   ? identity->names[0].text
                                        : identity->serial;
}

void trust_identity_free(struct trust_identity *identity)
{
    if (identity == NULL) {
        return;
    }
    for (size_t i = 0; i < identity->name_count; i++) {
        free(identity->names[i].text);
        free((void *)(uintptr_t)identity->names[i].octets.data);
    }
    for (size_t i = 0; i < identity->attribute_count; i++) {
        free(identity->attributes[i].type);
        free(identity->attributes[i].value);
        free((void *)(uintptr_t)identity->attributes[i].octets.data);
    }
    free(identity->names);
    free(identity->attributes);
    free(identity->subject);
    free(identity->issuer);
    free(identity->serial);
    free(identity->fingerprint);
    free(identity->key_pin);
    free(identity);
}
